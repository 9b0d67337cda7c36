/* RSA: the queue of public-key work against EVP_PKEY_verify, both with keys parsed once. */
#include "bench/kernels.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "verify/kernel/pubkey.h"

enum { KEYS = 8, JOBS = 64 };

struct set {
	unsigned jobs; /* of job, used */
	struct pubkey_queue *queue;
	EVP_PKEY *pkey[KEYS];
	EVP_PKEY_CTX *ctx[KEYS];
	struct pubkey key[KEYS];
	struct bytes der;
	struct pubkey_job job[JOBS];
	uint8_t signature[JOBS][512];
	bool good[JOBS]; /* by EVP */
};

static void by_queue(void *arg)
{
	struct set *set = arg;
	for (unsigned i = 0; i < set->jobs; i++)
		pubkey_submit(set->queue, &set->job[i]);
	while (pubkey_flush(set->queue))
		;
}

static void by_evp(void *arg)
{
	struct set *set = arg;
	for (unsigned i = 0; i < set->jobs; i++) {
		struct pubkey_job *j = &set->job[i];
		set->good[i] = EVP_PKEY_verify(set->ctx[i % KEYS], j->signature.p, j->signature.n,
					       j->digest, j->digest_len) == 1;
	}
}

static void parse(void *arg)
{
	struct set *set = arg;
	struct pubkey key;
	pubkey_parse(set->queue, &key, PUBKEY_RSA, set->der);
	pubkey_fini(&key);
}

static void make_key(struct set *set, unsigned i, unsigned bits)
{
	static uint8_t der[4096];
	uint8_t *end = der;
	EVP_PKEY *pkey = set->pkey[i] = EVP_RSA_gen(bits);
	kernels_must(pkey != NULL, "key");
	set->der = bytes_of(der, (size_t)i2d_PUBKEY(pkey, &end));
	kernels_must(pubkey_parse(set->queue, &set->key[i], PUBKEY_RSA, set->der) == PUBKEY_OK,
		     "parse");
	EVP_PKEY_CTX *ctx = set->ctx[i] = EVP_PKEY_CTX_new(pkey, NULL);
	EVP_PKEY_verify_init(ctx);
	EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING);
	EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256());
	EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new(pkey, NULL);
	EVP_PKEY_sign_init(sign);
	EVP_PKEY_CTX_set_rsa_padding(sign, RSA_PKCS1_PADDING);
	EVP_PKEY_CTX_set_signature_md(sign, EVP_sha256());
	for (unsigned k = i; k < JOBS; k += KEYS) {
		struct pubkey_job *j = &set->job[k];
		size_t n = sizeof set->signature[k];
		*j = (struct pubkey_job){ .key = &set->key[i], .digest_len = 32 };
		memset(j->digest, (int)k, sizeof j->digest);
		EVP_PKEY_sign(sign, set->signature[k], &n, j->digest, j->digest_len);
		if (k % 16 == 3)
			set->signature[k][k] ^= 1;
		j->signature = bytes_of(set->signature[k], n);
	}
	EVP_PKEY_CTX_free(sign);
}

static void race(struct set *set, unsigned jobs, struct kernels_racer r[2])
{
	set->jobs = jobs;
	r[0] = (struct kernels_racer){ .name = "queue", .run = by_queue, .arg = set };
	r[1] = (struct kernels_racer){ .name = "EVP", .run = by_evp, .arg = set };
	kernels_race(r, 2);
	for (unsigned i = 0; i < jobs; i++)
		kernels_must(set->job[i].good == set->good[i] && set->good[i] == (i % 16 != 3),
			     "signature");
}

static void of_size(struct set *set, unsigned bits)
{
	struct kernels_racer r[2], alone[2], parser = { .run = parse, .arg = set };
	char extra[96];
	for (unsigned i = 0; i < KEYS; i++)
		make_key(set, i, bits);
	race(set, JOBS, r);
	race(set, 1, alone);
	kernels_race(&parser, 1);
	printf("# RSA-%u us: queue %.2f (EVP %.2f), ratio %.2f; one alone %.2f (%.2f); to parse a "
	       "key %.1f\n",
	       bits, r[0].seconds / JOBS * 1e6, r[1].seconds / JOBS * 1e6,
	       kernels_ratio(&r[1], &r[0]), alone[0].seconds * 1e6, alone[1].seconds * 1e6,
	       parser.seconds * 1e6);
	snprintf(extra, sizeof extra, "%.2f us,", r[0].seconds / JOBS * 1e6);
	if (bits == 2048)
		kernels_figure("RSA-2048 batch against cached EVP_PKEY_verify",
			       kernels_ratio(&r[1], &r[0]), 5.5, extra);
	for (unsigned i = 0; i < KEYS; i++) {
		pubkey_fini(&set->key[i]);
		EVP_PKEY_CTX_free(set->ctx[i]);
		EVP_PKEY_free(set->pkey[i]);
	}
}

void kernels_rsa(void)
{
	static const unsigned bits[] = { 1024, 1536, 2048, 3072, 4096 };
	struct set *set = calloc(1, sizeof *set);
	kernels_must(set != NULL, "no memory");
	set->queue = pubkey_queue_new(PUBKEY_BATCH_MAX);
	kernels_must(set->queue != NULL, "no memory");
	for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++)
		of_size(set, bits[i]);
	pubkey_queue_free(set->queue);
	free(set);
}
