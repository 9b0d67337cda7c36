/* checks: envelope bits, TXT answers, a message, NULs between: one verdict in any order of answers and any cut; silence never passes. */
#include <stdlib.h>

#include "tests/hostile.h"

enum { TEXTS_MAX = 12 };

static struct bytes text[TEXTS_MAX];
static unsigned n_texts;
static uint8_t bits;

/* By a hash of the name; mx and ptr lead back to names of texts, a fifth of all names has nothing. */
static void answer(struct verify *v, const struct question *q, unsigned number)
{
	static struct answer_rr rr[VERIFY_QUESTIONS_MAX];
	static struct answer made[VERIFY_QUESTIONS_MAX];
	static const uint8_t host[] = "\0\1\1a\7example", ip[16] = { 192, 0, 2, 1 };
	uint32_t hash = q->type;
	for (unsigned i = 0; i < q->len; i++)
		hash = hash * 31 + (uint8_t)q->name[i];
	struct answer *a = &made[number];
	*a = (struct answer){ .rr = &rr[number], .n = 1, .ttl_s = hash & 1 ? 60 : 0 };
	if (hash / 7 % 5 == 0 || (q->type == QUESTION_TXT && !n_texts))
		*a = (struct answer){ .status = (uint8_t)(1 + hash / 35 % 4) };
	else if (q->type == QUESTION_TXT)
		rr[number].data = text[hash / 35 % n_texts];
	else if (q->type == QUESTION_MX)
		rr[number].data = bytes_of(host, sizeof host);
	else if (q->type == QUESTION_PTR)
		rr[number].data = bytes_of(host + 2, sizeof host - 2);
	else
		rr[number].data = bytes_of(ip, q->type == QUESTION_A ? 4 : 16);
	verify_answer(v, number, a);
}

static struct message_chunk *chunk(const uint8_t *p, size_t n, struct message_chunk *next)
{
	struct message_chunk *c = malloc(sizeof *c + n);
	*c = (struct message_chunk){ next, (uint32_t)n, (uint32_t)n };
	memcpy(c->data, p, n);
	return c;
}

static uint64_t sum_of(const struct verdict *v, bool silent)
{
	uint64_t sum = v->action * 8 + v->dmarc.result;
	bool pass = v->arc.result == AUTH_PASS || v->dmarc.result == AUTH_PASS;
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++) {
		sum = sum * 31 + v->spf[i].result * 64 + v->spf[i].lookups;
		sum = sum * 31 + (v->spf[i].reason ? (uint8_t)v->spf[i].reason[0] : 0);
		pass |= v->spf[i].result == AUTH_PASS;
	}
	for (unsigned i = 0; i < v->n_dkim; i++) {
		sum = sum * 31 + v->dkim[i].result * 8 + v->dkim[i].aligned;
		pass |= v->dkim[i].result == AUTH_PASS;
	}
	sum = sum * 31 + v->arc.result * 64 + v->arc.instance;
	for (size_t i = 0; i < v->headers.authentication_results.n; i++)
		sum = sum * 31 + v->headers.authentication_results.p[i];
	if (silent && pass)
		abort();
	return sum;
}

static uint64_t judge(struct verify_engine *e, struct bytes in, enum hostile_order order,
		      unsigned cut)
{
	static uint64_t clock_s; /* a day goes by: nothing is cached */
	const uint8_t *end = memmem(in.p, in.n, "\r\n\r\n", 4);
	struct message m = { .size = in.n,
			     .intact = in.n,
			     .complete = true,
			     .has_client = bits & 1,
			     .has_helo = bits & 2,
			     .has_mail_from = bits & 4,
			     .helo = bytes_str(bits & 8 ? "a.example" : "[192.0.2.1]"),
			     .mail_from = bytes_str(bits & 16 ? "x@b.a.example" : ""),
			     .client = { { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 } },
			     .authenticated = bits & 32,
			     .protocol = bits >> 6 == 3 ? MESSAGE_SMTP : bits >> 6 };
	m.header_len = end ? (uint32_t)(end - in.p) + 4 : (uint32_t)in.n;
	size_t first = m.header_len + (in.n - m.header_len) * cut / 8;
	m.chunks = chunk(in.p, first, chunk(in.p + first, in.n - first, NULL));
	struct verify *v = verify_begin(e, &m, clock_s += 86401);
	for (enum verify_state s; (s = verify_step(e, v, clock_s)) != VERIFY_DONE;) {
		const struct question *q;
		unsigned n = 0, number;
		if (s == VERIFY_BUSY && verify_poll(e, true) != v)
			abort();
		if (s == VERIFY_BUSY)
			continue;
		while (order != HOSTILE_SILENT && !(order == HOSTILE_ONE && n) &&
		       (q = verify_question(v, &number))) {
			answer(v, q, number);
			n++;
		}
		if (!n)
			verify_give_up(v);
	}
	uint64_t sum = sum_of(m.verdict, order == HOSTILE_SILENT);
	verify_end(e, v);
	free(m.chunks->next);
	free(m.chunks);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct verify_engine *e;
	static struct stats stats;
	if (!e)
		e = verify_engine_new(hostile_site_config(hostile_site_new(20)), 1, &stats);
	if (n < 2 || n > 1 << 17)
		return 0;
	struct bytes in = bytes_of(data + 1, n - 1);
	bits = data[0];
	const uint8_t *nul;
	for (n_texts = 0; n_texts < TEXTS_MAX && (nul = memchr(in.p, 0, in.n)) != NULL;) {
		text[n_texts++] = bytes_of(in.p, (size_t)(nul - in.p));
		in = bytes_from(in, text[n_texts - 1].n + 1);
	}
	uint64_t whole = judge(e, in, HOSTILE_AT_ONCE, 8);
	if (judge(e, in, HOSTILE_ONE, 8) != whole || judge(e, in, HOSTILE_AT_ONCE, 3) != whole ||
	    judge(e, in, HOSTILE_ONE, 0) != whole)
		abort();
	judge(e, in, HOSTILE_SILENT, 8);
	return 0;
}
