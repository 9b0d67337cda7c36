/* dkim: a key record, a NUL, a message: the verdict is the same in one chunk and in many. */
#include <stdlib.h>

#include "base/profile.h"
#include "control/config.h"
#include "verify/verify.h"

static struct message_chunk *chunk(const uint8_t *p, size_t n, struct message_chunk *next)
{
	struct message_chunk *c = malloc(sizeof *c + n);
	*c = (struct message_chunk){ next, (uint32_t)n, (uint32_t)n };
	if (n)
		memcpy(c->data, p, n);
	return c;
}

static uint32_t judge(struct verify_engine *e, struct bytes key, struct bytes text, size_t cut)
{
	const uint8_t *end = text.n ? memmem(text.p, text.n, "\r\n\r\n", 4) : NULL;
	struct message m = { .size = text.n, .intact = text.n, .complete = true };
	m.header_len = end ? (uint32_t)(end - text.p) + 4 : (uint32_t)text.n;
	size_t first = m.header_len + (text.n - m.header_len) * cut / 8;
	m.chunks = chunk(text.p, first, chunk(text.p + first, text.n - first, NULL));
	struct verify *v = verify_begin(e, &m, 1);
	struct answer_rr rr = { key };
	struct answer answer = { .status = ANSWER_DATA, .n = 1, .rr = &rr };
	for (enum verify_state s; (s = verify_step(e, v, 1)) != VERIFY_DONE;)
		if (s == VERIFY_BUSY)
			verify_poll(e, true);
		else
			for (unsigned number; verify_question(v, &number);)
				verify_answer(v, number, &answer);
	uint32_t sum = m.verdict->n_dkim;
	for (unsigned i = 0; i < m.verdict->n_dkim; i++)
		sum = sum * 31 + m.verdict->dkim[i].result * 8 + m.verdict->dkim[i].partial;
	memcpy(&sum, m.verdict->sha256, m.verdict->n_dkim ? 0 : sizeof sum);
	verify_end(e, v);
	free(m.chunks->next);
	free(m.chunks);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct config cfg;
	static struct dkim_profile profile;
	static struct profiles profiles;
	static struct stats stats;
	static struct verify_engine *e;
	if (!e) {
		config_default(&cfg);
		cfg.spf = cfg.arc = cfg.dmarc = cfg.names = false;
		cfg.dns_cache_keys = cfg.dns_cache_records = 64;
		profiles = *cfg.profiles;
		profile = profiles.dkim[0];
		profile.allow_sha1 = true;
		profile.min_bits = 512;
		profile.max_bits = 2048;
		profile.signatures_max = 3;
		profiles.dkim = &profile;
		cfg.profiles = &profiles;
		e = verify_engine_new(&cfg, 1, &stats);
	}
	const uint8_t *nul = n && n < 1 << 17 ? memchr(data, 0, n) : NULL;
	if (!nul)
		return 0;
	struct bytes key = bytes_of(data, (size_t)(nul - data));
	struct bytes text = bytes_of(nul + 1, n - key.n - 1);
	uint32_t whole = judge(e, key, text, 8);
	if (judge(e, key, text, 0) != whole || judge(e, key, text, 3) != whole)
		abort();
	return 0;
}
