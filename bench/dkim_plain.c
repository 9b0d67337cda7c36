#include "bench/dkim_plain.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/stats.h"
#include "bench/kernels.h"
#include "verify/auth/address.h"
#include "verify/checks.h"

enum { ARENA = 1 << 20, NAMES = 1 << 16 };

static struct {
	const struct config *cfg;
	struct checks_profiles profiles;
	struct canon_ops canon;
	struct pubkey_queue *pubkey;
	struct keys *keys;
	struct stats stats;
	struct arena arena;
	struct known known;
	uint8_t names[NAMES];
	EVP_MD *md;
	EVP_MD_CTX *ctx;
} plain;

void dkim_plain_start(const struct config *cfg)
{
	plain.cfg = cfg;
	checks_profiles(&plain.profiles, cfg);
	canon_ops_init(&plain.canon, cpu_level());
	plain.pubkey = pubkey_queue_new_level(1, CPU_SCALAR, 0); /* OpenSSL's */
	plain.keys = keys_new(1024, 1, plain.pubkey);
	plain.md = EVP_MD_fetch(NULL, "SHA256", NULL);
	plain.ctx = EVP_MD_CTX_new();
	uint8_t *memory = kernels_memory(ARENA);
	kernels_must(plain.pubkey && plain.keys && plain.md && plain.ctx, "no memory");
	arena_init(&plain.arena, memory, ARENA);
}

static void hash(struct hash_job *job)
{
	static uint8_t buf[HASH_PIECE];
	struct bytes piece;
	bool more;
	EVP_DigestInit_ex2(plain.ctx, plain.md, NULL);
	do {
		piece = (struct bytes){ NULL, 0 };
		more = job->next(job, buf, sizeof buf, &piece);
		EVP_DigestUpdate(plain.ctx, piece.p, piece.n);
	} while (more);
	EVP_DigestFinal_ex(plain.ctx, job->digest, NULL);
	job->digest_len = hash_len(HASH_SHA256);
}

static void answer(struct known *known)
{
	unsigned number;
	static struct answer_rr rr;
	static struct answer a;
	for (const struct question *q; (q = known_take(known, &number));)
		for (unsigned i = 0; i < DKIM_MAIL_KEYS; i++) {
			const char *record, *name = dkim_mail_key(i, &record);
			if (strcmp(name, q->name) != 0)
				continue;
			rr.data = bytes_str(record);
			a = (struct answer){
				.status = ANSWER_DATA, .ttl_s = 3600, .n = 1, .rr = &rr
			};
			known_settle(known, number, &a);
		}
}

void dkim_plain_verify(struct dkim_mail *mail)
{
	const struct message *m = &mail->m;
	struct header header;
	struct verdict_from from;
	struct verdict verdict = { 0 };
	struct dkim d;
	struct bytes octets = bytes_of(m->chunks->data, m->header_len);
	arena_reset(&plain.arena);
	plain.known.budget = plain.cfg->dns_message_questions;
	plain.known.clock_s = 1;
	known_init(&plain.known, plain.names, sizeof plain.names);
	bool good = header_split(&header, octets, 1, &plain.arena) &&
		    address_from(&from, &header, m, &plain.arena, NULL);
	struct dkim_setup setup = { .cfg = plain.cfg,
				    .profile = plain.profiles.dkim,
				    .known = &plain.known,
				    .message = m,
				    .header = &header,
				    .from = &from,
				    .arena = &plain.arena,
				    .keys = plain.keys,
				    .queue = plain.pubkey,
				    .canon = &plain.canon,
				    .stats = &plain.stats,
				    .now_s = m->time_ns / 1000000000,
				    .clock_s = 1 };
	kernels_must(good && dkim_begin(&d, &setup), "no memory");
	if (!dkim_ask(&d)) {
		answer(&plain.known);
		kernels_must(dkim_ask(&d), "a key");
	}
	kernels_must(dkim_prepare(&d), "no memory");
	for (struct hash_job *job; (job = dkim_hash(&d));)
		hash(job);
	for (struct pubkey_job *job; (job = dkim_pubkey(&d));)
		pubkey_submit(plain.pubkey, job);
	while (pubkey_flush(plain.pubkey))
		;
	kernels_must(dkim_end(&d, &verdict) && verdict.n_dkim == 1, "a result");
	mail->judged = true;
	mail->passed = verdict.dkim->result == AUTH_PASS;
	known_end(&plain.known);
}
