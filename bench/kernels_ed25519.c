/* Ed25519: batches at each level against EVP with its keys parsed, which says of every signature the same. */
#include "bench/kernels.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "verify/kernel/ed25519.h"

enum { SIGNATURES = 256, DIGEST = 32 };

struct signature {
	uint8_t octets[ED25519_SIGNATURE_OCTETS], public[ED25519_KEY_OCTETS], digest[DIGEST];
	EVP_PKEY *pkey;
};

struct set {
	struct signature
		signature[SIGNATURES]; /* each with a key of its own; every fourth is bad */
	struct ed25519_job job[SIGNATURES];
	struct ed25519 *ed25519;
	EVP_MD_CTX *md;
	unsigned batch; /* so many at once */
	bool good[SIGNATURES], evp[SIGNATURES];
};

static void by_batch(void *arg)
{
	struct set *set = arg;
	for (unsigned i = 0; i < SIGNATURES; i += set->batch) {
		unsigned good = ed25519_check(set->ed25519, &set->job[i], set->batch);
		for (unsigned j = 0; j < set->batch; j++)
			set->good[i + j] = good >> j & 1;
	}
}

static void by_evp(void *arg)
{
	struct set *set = arg;
	for (unsigned i = 0; i < SIGNATURES; i++) {
		const struct signature *s = &set->signature[i];
		EVP_DigestVerifyInit(set->md, NULL, NULL, NULL, s->pkey);
		set->evp[i] = EVP_DigestVerify(set->md, s->octets, sizeof s->octets, s->digest,
					       DIGEST) == 1;
		EVP_MD_CTX_reset(set->md);
	}
}

static void keys_made(void *arg)
{
	struct set *set = arg;
	for (unsigned i = 0; i < SIGNATURES; i++)
		ed25519_key_free(ed25519_key_new(set->signature[i].public));
}

static void sign(struct set *set, unsigned i)
{
	struct signature *s = &set->signature[i];
	uint8_t secret[32];
	size_t n = sizeof s->octets, n_public = sizeof s->public;
	memset(secret, (int)i, sizeof secret);
	memset(s->digest, (int)(i * 7), DIGEST);
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
	kernels_must(EVP_DigestSignInit(set->md, NULL, NULL, NULL, key) == 1 &&
			     EVP_DigestSign(set->md, s->octets, &n, s->digest, DIGEST) == 1 &&
			     EVP_PKEY_get_raw_public_key(key, s->public, &n_public) == 1,
		     "signing");
	EVP_MD_CTX_reset(set->md);
	EVP_PKEY_free(key);
	if (i % 4 == 3)
		s->digest[i % DIGEST] ^= 1;
	s->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, s->public, n_public);
	set->job[i] = (struct ed25519_job){ ed25519_key_new(s->public), s->octets,
					    bytes_of(s->digest, DIGEST) };
	kernels_must(s->pkey && set->job[i].key, "no memory");
}

static void race(struct set *set, unsigned batch, enum cpu_level level, unsigned flags,
		 struct kernels_racer r[2])
{
	set->batch = batch;
	set->ed25519 = ed25519_new(level, flags);
	kernels_must(set->ed25519 != NULL, "no memory");
	r[0] = (struct kernels_racer){ .name = "batch", .run = by_batch, .arg = set };
	r[1] = (struct kernels_racer){ .name = "EVP", .run = by_evp, .arg = set };
	kernels_race(r, 2);
	for (unsigned i = 0; i < SIGNATURES; i++)
		kernels_must(set->good[i] == (i % 4 != 3) && set->evp[i] == set->good[i],
			     "verdict");
	ed25519_free(set->ed25519);
}

void kernels_ed25519(void)
{
	struct set *set = calloc(1, sizeof *set);
	struct kernels_racer r[2];
	char extra[64];
	kernels_must(set != NULL, "no memory");
	set->md = EVP_MD_CTX_new();
	for (unsigned i = 0; i < SIGNATURES; i++)
		sign(set, i);
	struct kernels_racer made = { .name = "keys", .run = keys_made, .arg = set };
	kernels_race(&made, 1);
	printf("# Ed25519 us each: a key made ready %.1f,", made.seconds * 1e6 / SIGNATURES);
	race(set, ED25519_BATCH, CPU_SCALAR, 0, r);
	printf(" plain C %.1f,", r[0].seconds * 1e6 / SIGNATURES);
	race(set, 1, cpu_level(), cpu_flags(), r);
	printf(" one at a time %.1f\n", r[0].seconds * 1e6 / SIGNATURES);
	race(set, ED25519_BATCH, cpu_level(), cpu_flags(), r);
	snprintf(extra, sizeof extra, "%.2f us, EVP %.1f,", r[0].seconds * 1e6 / SIGNATURES,
		 r[1].seconds * 1e6 / SIGNATURES);
	kernels_figure("Ed25519 batch against EVP", kernels_ratio(&r[1], &r[0]), 4, extra);
	for (unsigned i = 0; i < SIGNATURES; i++) {
		EVP_PKEY_free(set->signature[i].pkey);
		ed25519_key_free((struct ed25519_key *)set->job[i].key);
	}
	EVP_MD_CTX_free(set->md);
	free(set);
}
