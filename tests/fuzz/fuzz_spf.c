/* spf: a sender and then records, each behind a NUL, served for every name by its hash: the result does not depend on the order of answers. */
#include <stdlib.h>

#include "verify/auth/spf.h"

enum { RECORDS_MAX = 16, ROUNDS_MAX = 400 };

static struct {
	struct answer answer;
	struct answer_rr rr[11];
	uint8_t host[7];
} made[KNOWN_MAX];
static unsigned n_made;
static struct bytes record[RECORDS_MAX];
static unsigned n_records;
static _Alignas(16) uint8_t memory[2][1 << 19];

/* Every name has some answer, always the same one. */
static void answer(struct known *k, unsigned i)
{
	static const uint8_t address[16] = { 192, 0, 2, 1 };
	const struct question *q = known_question(k, i);
	uint32_t hash = q->type;
	for (unsigned c = 0; c < q->len; c++)
		hash = hash * 31 + (uint8_t)q->name[c];
	uint8_t *host = made[n_made].host;
	memcpy(host, "\0\12\1a\1b", sizeof made[0].host);
	host[3] += hash % 7;
	struct answer_rr *rr = made[n_made].rr;
	struct answer *a = &made[n_made++].answer;
	*a = (struct answer){ .rr = rr };
	unsigned kind = hash / 7 % 16;
	a->status = kind < 12 ? ANSWER_DATA : kind == 12 ? ANSWER_SERVFAIL : ANSWER_NXDOMAIN;
	a->n = kind == 0 ? 11 : 1 + hash / 112 % 3;
	for (unsigned r = 0; r < a->n; r++) {
		rr[r].data = bytes_of(address, q->type == QUESTION_A ? 4 : 16);
		if (q->type == QUESTION_MX || q->type == QUESTION_PTR)
			rr[r].data = bytes_from(bytes_of(host, sizeof made[0].host),
						q->type == QUESTION_MX ? 0 : 2);
		if (q->type == QUESTION_TXT)
			rr[r].data = record[(hash + r) % n_records];
	}
	if (q->type == QUESTION_TXT && kind)
		a->n = 1;
	known_answer(k, i, a);
}

/* order 0: all at once; 1: the first, 2: the last one each time. */
static uint64_t judge(struct bytes sender, unsigned order)
{
	static const struct spf_profile profile = { .lookup_max = 10, .void_max = 2 };
	static struct known k;
	struct arena arena;
	struct spf_result r;
	memset(&k, 0, sizeof k);
	n_made = 0;
	k.ttl_max_s = 60;
	k.budget = 1000;
	known_init(&k, memory[0], sizeof memory[0]);
	struct spf_setup setup = { .known = &k,
				   .arena = &arena,
				   .profile = &profile,
				   .client = { { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 } },
				   .helo = sender,
				   .sender = sender,
				   .identity = SPF_MAILFROM };
	if (n_records % 2)
		setup.client.ip[0] = 0x20;
	for (unsigned round = 0;; round++) {
		arena_init(&arena, memory[1], sizeof memory[1]);
		if (spf_check(&setup, &r))
			break;
		unsigned n = known_waiting(&k);
		if (n == 0 || round == ROUNDS_MAX)
			abort();
		if (order)
			answer(&k, order == 1 ? 0 : n - 1);
		for (unsigned i = n; !order && i-- > 0;)
			answer(&k, i);
	}
	uint64_t sum = r.result + 16u * r.lookups + 4096u * r.voids + 1048576u * r.mechanism.n;
	for (size_t i = 0; i < r.explanation.n; i++)
		sum = sum * 31 + r.explanation.p[i];
	if (r.result >= AUTH_RESULT_N || r.lookups > profile.lookup_max + 2)
		abort();
	known_end(&k);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes in = bytes_of(data, n), sender = { 0 };
	n_records = 0;
	for (bool first = true; in.n && n_records < RECORDS_MAX; first = false) {
		const uint8_t *nul = memchr(in.p, 0, in.n);
		struct bytes part = bytes_of(in.p, nul ? (size_t)(nul - in.p) : in.n);
		if (first)
			sender = part;
		else
			record[n_records++] = part;
		in = bytes_from(in, part.n + 1);
	}
	if (n_records == 0)
		return 0;
	uint64_t sum = judge(sender, 0);
	if (judge(sender, 1) != sum || judge(sender, 2) != sum)
		abort();
	return 0;
}
