/* Every lane gives what OpenSSL gives for the same blocks, at every level, and reads nothing behind them. */
/* SHA256_Transform is deprecated, but only it gives the bare state */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "tests/test.h"
#include "verify/kernel/sha256.h"

enum { BLOCKS_MAX = 20 };

static void openssl_state(const uint8_t *p, size_t blocks, uint32_t state[8])
{
	SHA256_CTX ctx;
	SHA256_Init(&ctx);
	for (size_t b = 0; b < blocks; b++)
		SHA256_Transform(&ctx, p + b * SHA256_BLOCK);
	memcpy(state, ctx.h, sizeof ctx.h);
}

static void check(void (*lanes)(struct sha256_lanes *, const uint8_t *const *, size_t))
{
	uint64_t random = 1;
	for (size_t blocks = 0; blocks <= BLOCKS_MAX; blocks++) {
		uint8_t *p[SHA256_LANES];
		struct sha256_lanes s;
		for (unsigned l = 0; l < SHA256_LANES; l++) {
			uint8_t octets[BLOCKS_MAX * SHA256_BLOCK];
			for (size_t i = 0; i < sizeof octets; i++)
				octets[i] = (uint8_t)test_random(&random);
			p[l] = test_guard(octets, blocks * SHA256_BLOCK);
			sha256_lane_init(&s, l);
		}
		lanes(&s, (const uint8_t *const *)p, blocks);
		for (unsigned l = 0; l < SHA256_LANES; l++) {
			uint32_t want[8];
			openssl_state(p[l], blocks, want);
			for (int i = 0; i < 8; i++)
				CU_ASSERT_EQUAL(s.word[i][l], want[i]);
			test_guard_free(p[l], blocks * SHA256_BLOCK);
		}
	}
}

static void scalar_is_sha256(void)
{
	check(sha256_lanes_scalar);
}

static void levels_equal_scalar(void)
{
	for (enum cpu_level level = CPU_SCALAR; level <= cpu_level(); level++) {
		struct sha256_ops ops = sha256_ops_init(level);
		if (ops.lanes)
			check(ops.lanes);
		else
			CU_ASSERT_NOT_EQUAL(level, CPU_AVX512);
	}
}

static void lanes_may_share_octets(void)
{
	uint8_t octets[2 * SHA256_BLOCK];
	const uint8_t *p[SHA256_LANES];
	struct sha256_ops ops = sha256_ops_init(cpu_level());
	struct sha256_lanes s;
	uint32_t want[8];
	memset(octets, 'x', sizeof octets);
	for (unsigned l = 0; l < SHA256_LANES; l++) {
		p[l] = octets;
		sha256_lane_init(&s, l);
	}
	(ops.lanes ? ops.lanes : sha256_lanes_scalar)(&s, p, 2);
	openssl_state(octets, 2, want);
	for (unsigned l = 0; l < SHA256_LANES; l++)
		CU_ASSERT_EQUAL(s.word[7][l], want[7]);
}

TEST_MAIN("sha256", TEST(scalar_is_sha256), TEST(levels_equal_scalar), TEST(lanes_may_share_octets))
