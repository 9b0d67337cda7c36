/* dmarc: lines of input are author, SPF domain, DKIM domain and texts at the names asked for in turn:
 * a pass needs an aligned identifier, and the end comes within the questions there can be. */
#include <assert.h>

#include "verify/auth/dmarc.h"

static struct bytes line(struct bytes *in)
{
	const uint8_t *end = in->n ? memchr(in->p, '\n', in->n) : NULL;
	struct bytes b = bytes_head(*in, end ? (size_t)(end - in->p) : in->n);
	*in = bytes_from(*in, end ? b.n + 1 : in->n);
	return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t memory[2][256 * 1024];
	struct bytes in = bytes_of(data, n);
	struct known known = { .budget = 200 };
	struct arena arena;
	struct verdict_from from = { .domain = { line(&in) }, .n_shown = 1, .n_domain = 1 };
	struct spf_result spf = { .checked = true, .result = AUTH_PASS, .domain = line(&in) };
	struct dkim_result dkim = { .result = AUTH_PASS, .domain = line(&in) };
	struct dmarc_result out;
	struct dmarc_setup setup = { .known = &known,
				     .arena = &arena,
				     .from = &from,
				     .spf = &spf,
				     .dkim = &dkim,
				     .n_dkim = 1,
				     .early = n & 1 };
	unsigned rounds = 0;
	known_init(&known, memory[0], sizeof memory[0]);
	arena_init(&arena, memory[1], sizeof memory[1]);
	while (!dmarc_check(&setup, &out)) {
		rounds++;
		assert(known_waiting(&known) && rounds < 64);
		for (unsigned i = 0; known_question(&known, i); i++) {
			struct answer_rr *rr = arena_take(&known.arena, sizeof *rr);
			struct answer answer = { .status = ANSWER_NXDOMAIN, .rr = rr };
			*rr = (struct answer_rr){ line(&in) };
			answer.n = rr->data.n > 1;
			answer.status = answer.n ? ANSWER_DATA : rr->data.n ? rr->data.p[0] % 5 : 2;
			answer.status = answer.status == ANSWER_DATA && !answer.n ? ANSWER_NODATA
										  : answer.status;
			known_answer(&known, i, &answer);
		}
	}
	if (!setup.early && out.result == AUTH_PASS)
		assert(out.has_record && (out.spf_aligned || out.dkim_aligned));
	known_end(&known);
	return 0;
}
