/* failures: any name that fails often enough is left alone, unless it is a top-level domain or the like, and an
 * answer there ends it. */
#include <assert.h>

#include "verify/dns/failures.h"

enum { LIMIT = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct failures_setup setup = {
		.seed = 1, .limit = LIMIT, .leave_ms = 1000, .probe_ms = 10
	};
	struct failures *f = failures_new(&setup);
	struct question q = { .type = QUESTION_TXT };
	uint64_t now_ms = 1;
	for (size_t end; n > 0; data += end, n -= end) {
		const uint8_t *line = memchr(data, '\n', n);
		size_t len = line ? (size_t)(line - data) : n;
		end = line ? len + 1 : n;
		q.len = (uint8_t)(len < 253 ? len : 253);
		memcpy(q.name, data, q.len);
		enum failures_advice before = failures_before(f, &q, now_ms);
		assert((before == FAILURES_LEAVE) == failures_left_alone(f, &q, now_ms) ||
		       before == FAILURES_PROBE);
		failures_failed(f, &q, LIMIT, now_ms);
		bool counted = failures_left_alone(f, &q, now_ms);
		assert(counted || failures_before(f, &q, now_ms) == FAILURES_ASK);
		if (n % 3)
			failures_answered(f, &q);
		assert(n % 3 == 0 || !failures_left_alone(f, &q, now_ms));
		now_ms += n % 5 * 300;
	}
	failures_free(f);
	return 0;
}
