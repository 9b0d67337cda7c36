/* spf_record: a TXT record: parsed the same in any arena, its terms lie in it, and what it names has the grammar of a name. */
#include <stdlib.h>

#include "verify/auth/spf_macro.h"
#include "verify/auth/spf_record.h"

static void check(const struct spf_record *r, const struct spf_term *t)
{
	unsigned use;
	if (t->off + t->len > r->text.n || memchr(r->text.p + t->off, ' ', t->len))
		abort();
	if (!(t->flags & SPF_TERM_SPEC))
		return;
	if (t->spec.off < t->off || t->spec.off + t->spec.len > t->off + t->len)
		abort();
	if (!spf_macro_check(spf_term_spec(r, t), SPF_MACRO_DOMAIN, &use))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static _Alignas(16) uint8_t memory[2][1 << 18];
	struct answer_rr rr = { bytes_of(data, n) };
	struct answer answer = { .n = 1, .rr = &rr };
	struct arena a, b;
	arena_init(&a, memory[0], sizeof memory[0]);
	const struct spf_set *set = spf_set_parse(&answer, &a);
	arena_init(&b, memory[1], a.used);
	if (!set || !spf_set_parse(&answer, &b))
		abort();
	for (unsigned v = 0; v < SPF_VERSION_N; v++) {
		const struct spf_record *r = set->record[v];
		for (unsigned i = 0; r && i < r->n; i++)
			check(r, &r->term[i]);
		if (r && r->status == SPF_RECORD_OK) {
			check(r, &r->redirect);
			check(r, &r->exp);
		}
	}
	return 0;
}
