/* SHA-256: the hash queue at each level against EVP, whose digest of every string must be the same. */
#include "bench/kernels.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "verify/kernel/hash.h"
#include "verify/kernel/sha256_impl.h"

enum { SET_MAX = 64 };

struct string {
	struct hash_job job; /* first */
	struct bytes octets, left;
};

struct set {
	struct string string[SET_MAX];
	unsigned n;
	struct hash_queue *queue;
	EVP_MD *md;
	EVP_MD_CTX *ctx;
	uint8_t digest[SET_MAX][HASH_DIGEST_MAX]; /* EVP's */
};

static bool string_next(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	struct string *s = (struct string *)job;
	*out = bytes_head(s->left, cap);
	s->left = bytes_from(s->left, out->n);
	return s->left.n != 0;
}

static void by_queue(void *arg)
{
	struct set *set = arg;
	for (unsigned i = 0; i < set->n; i++) {
		struct string *s = &set->string[i];
		s->left = s->octets;
		s->job = (struct hash_job){ .next = string_next };
		hash_submit(set->queue, &s->job);
	}
	while (hash_flush(set->queue))
		;
}

static void by_evp(void *arg)
{
	struct set *set = arg;
	for (unsigned i = 0; i < set->n; i++) {
		EVP_DigestInit_ex2(set->ctx, set->md, NULL);
		EVP_DigestUpdate(set->ctx, set->string[i].octets.p, set->string[i].octets.n);
		EVP_DigestFinal_ex(set->ctx, set->digest[i], NULL);
	}
}

static void check(const struct set *set)
{
	for (unsigned i = 0; i < set->n; i++)
		kernels_must(memcmp(set->string[i].job.digest, set->digest[i], HASH_DIGEST_MAX) ==
				     0,
			     "digest");
}

/* The queue of a level over strings of one size, and EVP. */
static void of_size(struct set *set, size_t size, enum cpu_level level, unsigned flags,
		    const uint8_t *octets, struct kernels_racer race[2])
{
	set->n = SET_MAX;
	for (unsigned i = 0; i < set->n; i++) /* each at an alignment of its own */
		set->string[i].octets = bytes_of(octets + i * (size + 65), size);
	set->queue = hash_queue_new_level(HASH_LANES_MAX, level, flags);
	kernels_must(set->queue != NULL, "no memory");
	race[0] = (struct kernels_racer){ .name = "queue", .run = by_queue, .arg = set };
	race[1] = (struct kernels_racer){ .name = "EVP", .run = by_evp, .arg = set };
	kernels_race(race, 2);
	check(set);
	hash_queue_free(set->queue);
}

static void of_level(struct set *set, const uint8_t *octets, const char *name, enum cpu_level level,
		     unsigned flags)
{
	static const size_t size[] = { 512, 2048, 4096, 20480, 65536, 204800, 1048576 };
	printf("# SHA-256 GB/s %-14s", name);
	for (unsigned i = 0; i < sizeof size / sizeof *size; i++) {
		struct kernels_racer race[2];
		of_size(set, size[i], level, flags, octets, race);
		double gb = (double)(set->n * size[i]) / 1e9;
		printf(" %zu: %.2f (EVP %.2f)", size[i], gb / race[0].seconds,
		       gb / race[1].seconds);
	}
	printf("\n");
}

enum { RUN_BLOCKS = 64 };

/* A run of blocks of as many strings as the kernel has lanes. */
struct run {
	struct sha256_ops ops;
	struct sha256_lanes state;
	const uint8_t *p[SHA256_LANES];
	EVP_MD_CTX *ctx;
};

static void run_lanes(void *arg)
{
	struct run *r = arg;
	r->ops.lanes(&r->state, r->p, r->p, RUN_BLOCKS);
}

static void run_pair(void *arg)
{
	struct run *r = arg;
	r->ops.pair(&r->state, (unsigned[2]){ 0, 1 }, r->p, RUN_BLOCKS);
}

static void run_one(void *arg)
{
	struct run *r = arg;
	EVP_DigestUpdate(r->ctx, r->p[0], RUN_BLOCKS * SHA256_BLOCK);
}

/* Lanes take the same time however few of them are somebody's: from how many on they win. */
static void crossover(struct set *set, const uint8_t *octets, enum cpu_level level, unsigned flags,
		      const char *what)
{
	struct run r = { .ops = sha256_ops_init(level, flags), .ctx = set->ctx };
	struct kernels_racer race[2] = {
		{ .name = "lanes", .run = run_lanes, .arg = &r },
		{ .name = "few", .run = r.ops.pair ? run_pair : run_one, .arg = &r },
	};
	for (unsigned l = 0; l < SHA256_LANES; l++)
		r.p[l] = octets + l * (RUN_BLOCKS * SHA256_BLOCK + 65);
	if (!r.ops.lanes)
		return;
	EVP_DigestInit_ex2(set->ctx, set->md, NULL);
	kernels_race(race, 2);
	double strings = kernels_ratio(&race[0], &race[1]) * (r.ops.pair ? 2 : 1);
	printf("# SHA-256 %s: as fast as %.1f live strings by %s; lanes from %u on\n", what,
	       strings, r.ops.pair ? "pairs" : "OpenSSL", r.ops.worth);
}

void kernels_sha256(void)
{
	struct set *set = calloc(1, sizeof *set);
	uint8_t *octets = kernels_memory(SET_MAX * (1048576 + 65));
	kernels_must(set != NULL, "no memory");
	for (size_t i = 0; i < SET_MAX * (size_t)1048576; i += 8)
		memcpy(octets + i, &(uint64_t){ i * 0x9e3779b97f4a7c15 }, 8);
	set->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	set->ctx = EVP_MD_CTX_new();
	kernels_must(set->md && set->ctx, "EVP");
	unsigned ni = cpu_flags() & CPU_SHA_NI;
	if (cpu_level() >= CPU_AVX512)
		of_level(set, octets, "32 lanes", CPU_AVX512, ni);
	if (cpu_level() >= CPU_AVX2)
		of_level(set, octets, "8 lanes", CPU_AVX2, 0);
	if (ni)
		of_level(set, octets, "pairs", CPU_SCALAR, ni);
	of_level(set, octets, "one by one", CPU_SCALAR, 0);
	if (cpu_level() >= CPU_AVX512)
		crossover(set, octets, CPU_AVX512, ni, "32 lanes");
	if (cpu_level() >= CPU_AVX512 && ni)
		crossover(set, octets, CPU_AVX512, 0, "32 lanes, no SHA-NI");
	if (cpu_level() >= CPU_AVX2)
		crossover(set, octets, CPU_AVX2, 0, "8 lanes, no SHA-NI");
	struct kernels_racer race[2];
	of_size(set, 20480, cpu_level(), cpu_flags(), octets, race);
	char extra[64];
	snprintf(extra, sizeof extra, "%.2f GB/s,", SET_MAX * 20480 / 1e9 / race[0].seconds);
	kernels_figure("SHA-256 over 20 KB bodies in lanes against EVP",
		       kernels_ratio(&race[1], &race[0]), 2.2, extra);
	EVP_MD_CTX_free(set->ctx);
	EVP_MD_free(set->md);
	free(octets);
	free(set);
}
