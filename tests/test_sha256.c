/* Every kernel of every level gives for each lane what OpenSSL gives for the same blocks, at every
 * alignment, and reads nothing before or behind them. */
/* SHA256_Transform is deprecated, but only it gives the bare state */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "tests/test.h"
#include "verify/kernel/sha256.h"

enum { BLOCKS_MAX = 20, PAGE_BLOCKS = 64 };

typedef void kernel(const struct sha256_ops *ops, struct sha256_lanes *s, uint8_t *const *p,
		    size_t blocks);

static void openssl_state(const uint8_t *p, size_t blocks, uint32_t state[8])
{
	SHA256_CTX ctx;
	SHA256_Init(&ctx);
	for (size_t b = 0; b < blocks; b++)
		SHA256_Transform(&ctx, p + b * SHA256_BLOCK);
	memcpy(state, ctx.h, sizeof ctx.h);
}

static void by_scalar(const struct sha256_ops *ops, struct sha256_lanes *s, uint8_t *const *p,
		      size_t blocks)
{
	sha256_lanes_scalar(s, (const uint8_t *const *)p, blocks);
}

static void by_lanes(const struct sha256_ops *ops, struct sha256_lanes *s, uint8_t *const *p,
		     size_t blocks)
{
	/* where nothing may be read; what is fetched is never read */
	const uint8_t *ahead[SHA256_LANES];
	for (unsigned l = 0; l < SHA256_LANES; l++)
		ahead[l] = p[l] + (l % 2 + blocks) * SHA256_BLOCK;
	ops->lanes(s, (const uint8_t *const *)p, ahead, blocks);
}

/* Lane 0 with 1, 2 with 3; the order of the two turns from pair to pair. */
static void by_pair(const struct sha256_ops *ops, struct sha256_lanes *s, uint8_t *const *p,
		    size_t blocks)
{
	for (unsigned l = 0; l < SHA256_LANES; l += 2) {
		unsigned a = l + l / 2 % 2, b = l + 1 - l / 2 % 2;
		ops->pair(s, (unsigned[2]){ a, b }, (const uint8_t *[2]){ p[a], p[b] }, blocks);
	}
}

static void compare(const struct sha256_lanes *s, uint8_t *const *p, size_t blocks, unsigned width)
{
	for (unsigned l = 0; l < width; l++) {
		uint32_t want[8];
		openssl_state(p[l], blocks, want);
		for (int i = 0; i < 8; i++)
			CU_ASSERT_EQUAL(s->word[i][l], want[i]);
	}
}

static void check(kernel *run, const struct sha256_ops *ops, unsigned width)
{
	uint64_t random = 1;
	static uint8_t octets[PAGE_BLOCKS * SHA256_BLOCK];
	for (size_t blocks = 0; blocks <= PAGE_BLOCKS;
	     blocks += blocks < BLOCKS_MAX ? 1 : PAGE_BLOCKS - BLOCKS_MAX) {
		uint8_t *p[SHA256_LANES];
		struct sha256_lanes s;
		for (unsigned l = 0; l < SHA256_LANES; l++) {
			for (size_t i = 0; i < sizeof octets; i++)
				octets[i] = (uint8_t)test_random(&random);
			p[l] = test_guard(octets, blocks * SHA256_BLOCK);
			sha256_lane_init(&s, l);
		}
		run(ops, &s, p, blocks);
		compare(&s, p, blocks, width);
		for (unsigned l = 0; l < SHA256_LANES; l++)
			test_guard_free(p[l], blocks * SHA256_BLOCK);
	}
	static uint8_t *front; /* behind a page without access, each lane on its own page */
	enum { PAGE = PAGE_BLOCKS * SHA256_BLOCK };
	front = front ? front : test_walled(SHA256_LANES * PAGE);
	for (unsigned turn = 0; turn < SHA256_LANES; turn++) {
		uint8_t *p[SHA256_LANES];
		struct sha256_lanes s;
		for (unsigned l = 0; l < SHA256_LANES; l++) {
			p[l] = front + (l + turn) % SHA256_LANES * PAGE;
			memset(p[l], (int)(l * 16 + turn), PAGE);
			sha256_lane_init(&s, l);
		}
		run(ops, &s, p, turn % 8 + 1);
		compare(&s, p, turn % 8 + 1, width);
	}
	for (unsigned at = 0; at < SHA256_BLOCK; at++) { /* each lane at another alignment */
		uint8_t *p[SHA256_LANES];
		struct sha256_lanes s;
		for (unsigned l = 0; l < SHA256_LANES; l++) {
			p[l] = octets + (at + l * 7) % SHA256_BLOCK;
			sha256_lane_init(&s, l);
		}
		run(ops, &s, p, 3);
		compare(&s, p, 3, width);
	}
}

static void scalar_is_sha256(void)
{
	check(by_scalar, NULL, SHA256_LANES);
}

static void levels_equal_openssl(void)
{
	for (enum cpu_level level = CPU_SCALAR; level <= cpu_level(); level++)
		for (int ni = 0; ni < 2; ni++) {
			unsigned flags = ni ? cpu_flags() : cpu_flags() & ~(unsigned)CPU_SHA_NI;
			struct sha256_ops ops = sha256_ops_init(level, flags);
			CU_ASSERT_EQUAL(ops.pair != NULL, (flags & CPU_SHA_NI) != 0);
			bool pays = level == CPU_AVX512 || (level == CPU_AVX2 && !ops.pair);
			CU_ASSERT_EQUAL(ops.lanes != NULL, pays);
			if (ops.lanes) {
				CU_ASSERT(ops.worth > 1 && ops.worth <= ops.width);
				check(by_lanes, &ops, ops.width);
			}
			if (ops.pair)
				check(by_pair, &ops, SHA256_LANES);
		}
}

/* A pair's neighbours, and lanes over the width of the kernel, keep their state. */
static void others_stay(void)
{
	static const uint8_t octets[SHA256_BLOCK] = "x";
	struct sha256_lanes before, s;
	for (unsigned l = 0; l < SHA256_LANES; l++)
		sha256_lane_init(&before, l);
	for (enum cpu_level level = CPU_SCALAR; level <= cpu_level(); level++) {
		struct sha256_ops ops = sha256_ops_init(level, cpu_flags());
		s = before;
		if (ops.pair)
			ops.pair(&s, (unsigned[2]){ 9, 4 }, (const uint8_t *[2]){ octets, octets },
				 1);
		for (unsigned l = 0; ops.pair && l < SHA256_LANES; l++)
			CU_ASSERT_EQUAL(s.word[0][l] == before.word[0][l], l != 9 && l != 4);
		ops = sha256_ops_init(level, 0);
		const uint8_t *p[SHA256_LANES] = { NULL };
		for (unsigned l = 0; l < ops.width; l++)
			p[l] = octets;
		s = before;
		if (ops.lanes)
			ops.lanes(&s, p, p, 1);
		for (unsigned l = 0; ops.lanes && l < SHA256_LANES; l++)
			CU_ASSERT_EQUAL(s.word[0][l] == before.word[0][l], l >= ops.width);
	}
}

static void lanes_may_share_octets(void)
{
	static uint8_t octets[2 * SHA256_BLOCK];
	uint8_t *p[SHA256_LANES];
	struct sha256_ops ops = sha256_ops_init(cpu_level(), cpu_flags());
	struct sha256_lanes s;
	memset(octets, 'x', sizeof octets);
	for (unsigned l = 0; l < SHA256_LANES; l++) {
		p[l] = octets;
		sha256_lane_init(&s, l);
	}
	(ops.lanes ? by_lanes : by_scalar)(&ops, &s, p, 2);
	compare(&s, p, 2, ops.lanes ? ops.width : SHA256_LANES);
}

TEST_MAIN("sha256", TEST(scalar_is_sha256), TEST(levels_equal_openssl), TEST(others_stay),
	  TEST(lanes_may_share_octets))
