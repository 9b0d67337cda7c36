/*
 * A kernel that gives a wrong result is left out by its self-test with one line in the log, and what is slower
 * does its work. Each kernel is wrapped by the linker: the real one runs, then its result is damaged.
 */
#include "base/log.h"
#include "dataplane/sum_impl.h"
#include "reassembly/dot.h"
#include "tests/test.h"
#include "verify/kernel/base64.h"
#include "verify/kernel/canon.h"
#include "verify/kernel/ed25519_impl.h"
#include "verify/kernel/hash.h"
#include "verify/kernel/quoted.h"
#include "verify/kernel/rsa_impl.h"
#include "verify/kernel/sha256_impl.h"

#include <stdlib.h>
#include <unistd.h>

static unsigned broken; /* set of levels whose kernels are wrong */
static unsigned fault; /* and how, from 0 on */
static unsigned calls, pairs; /* of the SHA-256 kernels */

sum_fn __real_sum_octets_avx2, __real_sum_octets_avx512, __wrap_sum_octets_avx2,
	__wrap_sum_octets_avx512;
dot_plain_fn __real_dot_plain_avx2, __real_dot_plain_avx512, __wrap_dot_plain_avx2,
	__wrap_dot_plain_avx512;
canon_relaxed_fn __real_canon_relaxed_avx2, __real_canon_relaxed_avx512, __wrap_canon_relaxed_avx2,
	__wrap_canon_relaxed_avx512;
base64_run_fn __real_base64_run_avx2, __real_base64_run_avx512, __wrap_base64_run_avx2,
	__wrap_base64_run_avx512;
quoted_run_fn __real_quoted_run_avx2, __wrap_quoted_run_avx2;
ed25519_kernel __real_ed25519_points_ifma, __wrap_ed25519_points_ifma;
typedef void lanes_fn(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
		      const uint8_t *const ahead[SHA256_LANES], size_t blocks);
lanes_fn __real_sha256_lanes_avx2, __real_sha256_lanes_avx512, __wrap_sha256_lanes_avx2,
	__wrap_sha256_lanes_avx512;
typedef void pair_fn(struct sha256_lanes *s, const unsigned lane[2], const uint8_t *const p[2],
		     size_t blocks);
pair_fn __real_sha256_pair_shani, __wrap_sha256_pair_shani;
typedef unsigned power_fn(const struct rsa_key *const key[RSA_LANES], struct rsa_lanes *x);
power_fn __real_rsa_power_ifma, __wrap_rsa_power_ifma;

static bool is_broken(enum cpu_level level)
{
	return broken >> level & 1;
}

enum { SUM_FAULTS = 2, DOT_FAULTS = 6, CANON_FAULTS = 4, BASE64_FAULTS = 5, QUOTED_FAULTS = 3 };

static size_t damage_dot(enum cpu_level level, struct dot *d, uint8_t *dst, size_t n,
			 uint32_t flags)
{
	if (!is_broken(level) || !n)
		return n;
	switch (fault) {
	case 0:
		dst[n - 1] ^= 1;
		return n;
	case 1:
		dst[0] ^= 0x80;
		return n;
	case 2:
		d->flags = flags;
		return n;
	case 3:
		d->state = DOT_MID;
		return n;
	case 4:
		d->line++;
		return n;
	default:
		return n - 1;
	}
}

size_t __wrap_dot_plain_avx2(struct dot *d, uint8_t *dst, const uint8_t *src, size_t n)
{
	uint32_t flags = d->flags;
	return damage_dot(CPU_AVX2, d, dst, __real_dot_plain_avx2(d, dst, src, n), flags);
}

size_t __wrap_dot_plain_avx512(struct dot *d, uint8_t *dst, const uint8_t *src, size_t n)
{
	uint32_t flags = d->flags;
	return damage_dot(CPU_AVX512, d, dst, __real_dot_plain_avx512(d, dst, src, n), flags);
}

/* One more, or all zero. */
static uint64_t damage_sum(enum cpu_level level, uint64_t sum)
{
	return is_broken(level) ? fault ? 0 : sum + 1 : sum;
}

uint64_t __wrap_sum_octets_avx2(const uint8_t *p, size_t n)
{
	return damage_sum(CPU_AVX2, __real_sum_octets_avx2(p, n));
}

uint64_t __wrap_sum_octets_avx512(const uint8_t *p, size_t n)
{
	return damage_sum(CPU_AVX512, __real_sum_octets_avx512(p, n));
}

/* What is written last and first, how much, and a blank that was dropped or not. */
static size_t damage_canon(enum cpu_level level, uint8_t *out, size_t n, size_t *used)
{
	if (!is_broken(level) || !n)
		return n;
	switch (fault) {
	case 0:
		out[n - 1] ^= 1;
		return n;
	case 1:
		out[0] ^= 1;
		return n;
	case 2:
		return n - 1;
	default:
		*used -= 1;
		return n;
	}
}

size_t __wrap_canon_relaxed_avx2(const uint8_t *p, size_t n, uint8_t *out, size_t cap, size_t *used)
{
	size_t len = __real_canon_relaxed_avx2(p, n, out, cap, used);
	return damage_canon(CPU_AVX2, out, len, used);
}

size_t __wrap_canon_relaxed_avx512(const uint8_t *p, size_t n, uint8_t *out, size_t cap,
				   size_t *used)
{
	size_t len = __real_canon_relaxed_avx512(p, n, out, cap, used);
	return damage_canon(CPU_AVX512, out, len, used);
}

static size_t damage_base64(enum cpu_level level, struct base64 *s, uint8_t *out, size_t n,
			    size_t *used)
{
	if (!is_broken(level) || !n)
		return n;
	switch (fault) {
	case 0:
		out[n - 1] ^= 1;
		return n;
	case 1:
		out[0] ^= 0x80;
		return n;
	case 2:
		s->bits ^= s->n ? 1 : 0; /* the letters of a begun four */
		return n;
	case 3:
		s->n = 0;
		return n;
	default:
		*used -= 1; /* a letter twice */
		return n;
	}
}

size_t __wrap_base64_run_avx2(struct base64 *s, const uint8_t *p, size_t n, uint8_t *out,
			      size_t cap, size_t *used)
{
	size_t len = __real_base64_run_avx2(s, p, n, out, cap, used);
	return damage_base64(CPU_AVX2, s, out, len, used);
}

size_t __wrap_base64_run_avx512(struct base64 *s, const uint8_t *p, size_t n, uint8_t *out,
				size_t cap, size_t *used)
{
	size_t len = __real_base64_run_avx512(s, p, n, out, cap, used);
	return damage_base64(CPU_AVX512, s, out, len, used);
}

size_t __wrap_quoted_run_avx2(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t len = __real_quoted_run_avx2(p, n, out);
	if (!is_broken(CPU_AVX2) || len < 40)
		return len;
	if (fault == 0)
		out[len - 1] ^= 1;
	if (fault == 1)
		out[33] ^= 1;
	return fault == 2 ? len - 1 : len;
}

/* One bit of a word in the last lane of each eighth of them, then that lane and the next in each
 * other's place. */
enum { LANE_FAULTS = 8, LANES_FAULTS = 2 * LANE_FAULTS };

static void damage_lanes(struct sha256_lanes *s, unsigned width)
{
	unsigned lane = (fault % LANE_FAULTS + 1) * width / LANE_FAULTS - 1,
		 other = (lane + 1) % width;
	if (fault < LANE_FAULTS) {
		s->word[fault][lane] ^= UINT32_C(1) << 4 * fault;
		return;
	}
	for (int i = 0; i < 8; i++) {
		uint32_t word = s->word[i][lane];
		s->word[i][lane] = s->word[i][other];
		s->word[i][other] = word;
	}
}

void __wrap_sha256_lanes_avx2(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
			      const uint8_t *const ahead[SHA256_LANES], size_t blocks)
{
	__real_sha256_lanes_avx2(s, p, ahead, blocks);
	calls++;
	if (is_broken(CPU_AVX2))
		damage_lanes(s, 8);
}

void __wrap_sha256_lanes_avx512(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
				const uint8_t *const ahead[SHA256_LANES], size_t blocks)
{
	__real_sha256_lanes_avx512(s, p, ahead, blocks);
	calls++;
	if (is_broken(CPU_AVX512))
		damage_lanes(s, SHA256_LANES);
}

static bool pair_broken;

void __wrap_sha256_pair_shani(struct sha256_lanes *s, const unsigned lane[2],
			      const uint8_t *const p[2], size_t blocks)
{
	const unsigned other[2] = { lane[1], lane[0] };
	bool swap = pair_broken && fault == 2;
	__real_sha256_pair_shani(s, swap ? other : lane, p, blocks);
	pairs++;
	if (pair_broken && fault < 2)
		s->word[7][lane[fault]] ^= 0x80000000;
}

unsigned __wrap_rsa_power_ifma(const struct rsa_key *const key[RSA_LANES], struct rsa_lanes *x)
{
	unsigned good = __real_rsa_power_ifma(key, x);
	unsigned lane = fault % RSA_LANES;
	if (!is_broken(CPU_AVX512))
		return good;
	if (fault < RSA_LANES)
		x->limb[fault == 7 ? key[0]->limbs - 1u : fault * 2][lane] ^= 1;
	else
		good ^= 1u << lane;
	return good;
}

enum { RSA_FAULTS = 2 * RSA_LANES, ED25519_FAULTS = 2 * ED25519_BATCH };

void __wrap_ed25519_points_ifma(const struct ed25519_sum *sum, struct ed25519_points *out)
{
	unsigned lane = fault % ED25519_BATCH;
	__real_ed25519_points_ifma(sum, out);
	if (!is_broken(CPU_AVX512))
		return;
	if (fault < ED25519_BATCH)
		out->y[fault % FIELD_LIMBS][lane] ^= 1;
	else
		out->x[0][lane] ^= 1; /* its sign */
}

/* --- what is chosen; 0: scalar --- */

static unsigned sum_of(enum cpu_level level)
{
	struct sum_ops ops;
	sum_ops_init(&ops, level);
	return ops.level;
}

static unsigned dot_of(enum cpu_level level)
{
	struct dot_ops ops;
	dot_ops_init(&ops, level);
	CU_ASSERT_EQUAL(ops.plain != NULL, ops.level != CPU_SCALAR);
	return ops.level;
}

static unsigned canon_of(enum cpu_level level)
{
	struct canon_ops ops;
	canon_ops_init(&ops, level);
	CU_ASSERT_EQUAL(ops.relaxed != NULL, ops.level != CPU_SCALAR);
	return ops.level;
}

static unsigned base64_of(enum cpu_level level)
{
	struct base64_ops ops;
	base64_ops_init(&ops, level);
	CU_ASSERT_EQUAL(ops.run != NULL, ops.level != CPU_SCALAR);
	return ops.level;
}

static unsigned quoted_of(enum cpu_level level)
{
	struct quoted_ops ops;
	quoted_ops_init(&ops, level);
	return ops.level;
}

static unsigned sha256_of(enum cpu_level level)
{
	struct sha256_ops ops = sha256_ops_init(level, cpu_flags() & ~(unsigned)CPU_SHA_NI);
	CU_ASSERT_PTR_NULL(ops.pair);
	CU_ASSERT_EQUAL(ops.worth <= ops.width, ops.lanes != NULL);
	return !ops.lanes ? CPU_SCALAR : ops.width == 8 ? CPU_AVX2 : CPU_AVX512;
}

static unsigned rsa_of(enum cpu_level level)
{
	return rsa_ops_init(level, cpu_flags()).power ? CPU_AVX512 : CPU_SCALAR;
}

static unsigned ed25519_of(enum cpu_level level)
{
	struct ed25519 *e = ed25519_new(level, cpu_flags());
	CU_ASSERT_FATAL(e != NULL);
	bool lanes = ed25519_in_lanes(e);
	ed25519_free(e);
	return lanes ? CPU_AVX512 : CPU_SCALAR;
}

static const struct {
	const char *name;
	unsigned (*of)(enum cpu_level level);
	unsigned faults;
} kernels[] = {
	{ "sum", sum_of, SUM_FAULTS },          { "dot", dot_of, DOT_FAULTS },
	{ "canon", canon_of, CANON_FAULTS },    { "base64", base64_of, BASE64_FAULTS },
	{ "quoted", quoted_of, QUOTED_FAULTS }, { "sha256", sha256_of, LANES_FAULTS },
	{ "rsa", rsa_of, RSA_FAULTS },          { "ed25519", ed25519_of, ED25519_FAULTS },
};

/* What of() chooses; *lines: warnings written meanwhile, each of which names the kernel. */
static unsigned chosen(unsigned k, enum cpu_level level, unsigned *lines)
{
	char text[4096];
	int pipes[2], saved = dup(STDERR_FILENO);
	CU_ASSERT_FATAL(saved >= 0 && pipe(pipes) == 0);
	dup2(pipes[1], STDERR_FILENO);
	unsigned taken = kernels[k].of(level);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	ssize_t n = read(pipes[0], text, sizeof text - 1);
	close(pipes[0]);
	text[n > 0 ? n : 0] = 0;
	*lines = 0;
	for (char *at = text; (at = strstr(at, "kernel ")); (*lines)++)
		CU_ASSERT(strncmp(at += 7, kernels[k].name, strlen(kernels[k].name)) == 0);
	return taken;
}

static void wrong_kernels_are_left_out(void)
{
	for (unsigned k = 0; k < sizeof kernels / sizeof kernels[0]; k++)
		for (enum cpu_level level = CPU_AVX2; level <= cpu_level(); level++) {
			unsigned lines, below, whole = chosen(k, level, &lines);
			CU_ASSERT_EQUAL(lines, 0);
			if (whole != level)
				continue; /* it has none of its own there */
			below = chosen(k, (enum cpu_level)(level - 1), &lines);
			for (fault = 0; fault < kernels[k].faults; fault++) {
				broken = 1u << level;
				unsigned next = chosen(k, level, &lines);
				if (next != below || lines != 1)
					printf(" %s, %s, fault %u;", kernels[k].name,
					       cpu_level_name(level), fault);
				CU_ASSERT_EQUAL(next, below);
				CU_ASSERT_EQUAL(lines, 1);
				broken = 1u << CPU_AVX2 | 1u << CPU_AVX512;
				CU_ASSERT_EQUAL(chosen(k, level, &lines), CPU_SCALAR);
				CU_ASSERT_EQUAL(lines, 1u + (below != CPU_SCALAR));
			}
			broken = 0;
		}
}

/* Without its pair SHA-256 has lanes earlier; without lanes the pair is still there. */
static void sha256_pair_and_lanes_apart(void)
{
	if (!(cpu_flags() & CPU_SHA_NI))
		return;
	log_limit(LOG_LEVEL_ERROR);
	pair_broken = true;
	for (fault = 0; fault < 3; fault++) {
		struct sha256_ops ops = sha256_ops_init(cpu_level(), cpu_flags());
		CU_ASSERT_PTR_NULL(ops.pair);
		CU_ASSERT_EQUAL(ops.lanes != NULL, cpu_level() != CPU_SCALAR);
		ops = sha256_ops_init(CPU_SCALAR, cpu_flags());
		CU_ASSERT(!ops.pair && !ops.lanes);
	}
	pair_broken = false;
	broken = 1u << CPU_AVX512 | 1u << CPU_AVX2;
	fault = 0;
	struct sha256_ops ops = sha256_ops_init(cpu_level(), cpu_flags());
	CU_ASSERT(ops.pair && !ops.lanes);
	broken = 0;
}

static bool next_zeros(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	size_t *left = job->owner, n = *left < cap ? *left : cap;
	memset(buf, 0, n);
	*out = bytes_of(buf, n);
	*left -= n;
	return *left != 0;
}

/* Jobs of one length through a new queue; which kernels were used is in calls and pairs. */
static void some_jobs(unsigned n, enum cpu_level level, unsigned flags)
{
	struct hash_job job[HASH_LANES_MAX];
	size_t left[HASH_LANES_MAX];
	struct hash_queue *q = hash_queue_new_level(HASH_LANES_MAX, level, flags);
	CU_ASSERT_FATAL(q != NULL);
	calls = pairs = 0;
	for (unsigned i = 0; i < n; i++) {
		left[i] = 10000;
		job[i] = (struct hash_job){ .next = next_zeros, .owner = &left[i] };
		hash_submit(q, &job[i]);
	}
	while (hash_flush(q))
		;
	hash_queue_free(q);
}

/* So many live jobs or more go by lanes, fewer by pairs or OpenSSL; a lone one by OpenSSL always. */
static void the_queue_chooses(void)
{
	for (enum cpu_level level = CPU_SCALAR; level <= cpu_level(); level++)
		for (int ni = 0; ni < 2; ni++) {
			unsigned flags = ni ? cpu_flags() : cpu_flags() & ~(unsigned)CPU_SHA_NI;
			struct sha256_ops ops = sha256_ops_init(level, flags);
			unsigned most = ops.lanes ? ops.width : HASH_LANES_MAX;
			for (unsigned n = 1; n <= most; n++) {
				some_jobs(n, level, flags);
				CU_ASSERT_EQUAL(calls != 0, ops.lanes && n >= ops.worth);
				if (n == 1 || !ops.pair)
					CU_ASSERT_EQUAL(pairs, 0);
				if (n > 1 && ops.pair && !calls)
					CU_ASSERT(pairs > 0);
			}
		}
}

TEST_MAIN("broken_kernels", TEST(wrong_kernels_are_left_out), TEST(sha256_pair_and_lanes_apart),
	  TEST(the_queue_chooses))
