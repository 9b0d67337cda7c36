/* known: one question for one name however it is written, bounds kept, and what is answered stays answered. */
#include <assert.h>

#include "verify/dns/known.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t memory[64 * 1024];
	static struct answer_rr rr[] = { { { (const uint8_t *)"x", 1 } } };
	struct answer answer = { .status = ANSWER_DATA, .n = 1, .rr = rr };
	static struct known k;
	k.budget = 40;
	known_init(&k, memory, sizeof memory);
	for (size_t end; n > 0; data += end, n -= end) {
		const uint8_t *line = memchr(data, '\n', n);
		struct bytes name = bytes_of(data, line ? (size_t)(line - data) : n);
		end = line ? name.n + 1 : n;
		enum known_who who = 1 << n % 3;
		struct record *r = known_ask(&k, who, QUESTION_TXT, name);
		assert(k.n_open <= KNOWN_OPEN_MAX && k.n <= KNOWN_MAX && k.asked <= k.budget);
		assert(r || k.n_open > 0);
		for (unsigned i = 0; i < k.n_open; i++) {
			const struct question *q = known_question(&k, i);
			assert(q->len > 0 && q->len <= KNOWN_NAME_MAX && q->name[q->len] == 0);
			assert(q->name[q->len - 1] != '.');
		}
		if (!r && n % 7 == 0) {
			for (unsigned i = k.n_open; i-- > 0;)
				known_answer(&k, i, &answer);
			assert(known_waiting(&k) == 0);
			assert(known_ask(&k, who, QUESTION_TXT, name)->answer.status ==
			       ANSWER_DATA);
		}
		if (n % 31 == 0)
			known_give_up(&k, who);
	}
	known_end(&k);
	return 0;
}
