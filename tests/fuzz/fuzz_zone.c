/* fuzz_zone - any text is a zone or an error with a reason, and a zone answers every question. */
#include "verify/dns/zone.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint16_t types[] = { 1, 12, 15, 16, 28, 99 };
	struct zone *z = NULL;
	char why[128] = "";
	if (zone_parse(&z, bytes_of(data, n), "fuzz", why, sizeof why) < 0) {
		if (z || !why[0])
			abort();
		return 0;
	}
	struct question q = { .len = (uint8_t)(n < QUESTION_NAME_MAX ? n : QUESTION_NAME_MAX) };
	memcpy(q.name, data, q.len);
	static const char *const names[] = { "x.w.e", "a", "" };
	for (unsigned i = 0; i < sizeof types / sizeof types[0] * 4; i++) {
		q.type = types[i / 4];
		if (i % 4)
			q.len = (uint8_t)strlen(strcpy(q.name, names[i % 4 - 1]));
		const struct answer *a = zone_answer(z, &q);
		if ((a->status == ANSWER_DATA) != (a->n > 0))
			abort();
	}
	zone_free(z);
	return 0;
}
