/* The sum of every level is that of RFC 1071, at every length, alignment and content, and reads nothing outside. */
#include "dataplane/sum.h"
#include "tests/test.h"

#include <stdlib.h>

/* two octets at a time, network order */
static uint16_t plain(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

/* Each level the machine has is taken. */
static sum_fn *level_of(enum cpu_level level)
{
	struct sum_ops ops;
	sum_ops_init(&ops, level);
	CU_ASSERT_EQUAL(ops.level, level);
	return ops.octets;
}

static void every_length(void)
{
	uint64_t state = 7;
	uint8_t data[600];
	for (size_t n = 0; n <= sizeof data; n++) {
		for (size_t i = 0; i < n; i++)
			data[i] = (uint8_t)(test_random(&state) >> 32);
		uint8_t *p = test_guard(data, n);
		for (enum cpu_level level = 0; level <= cpu_level(); level++) {
			sum_fn *sum = level_of(level);
			CU_ASSERT_EQUAL(__builtin_bswap16(sum_fold(sum(p, n))), plain(p, n));
		}
		if (n % 4 == 0)
			CU_ASSERT_EQUAL(__builtin_bswap16(sum_fold(sum_words(p, n))), plain(p, n));
		test_guard_free(p, n);
	}
}

/* no carry is lost */
static void largest(void)
{
	size_t n = 1 << 18;
	uint8_t *p = malloc(n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	for (enum cpu_level level = 0; level <= cpu_level(); level++) {
		sum_fn *sum = level_of(level);
		memset(p, 0xff, n);
		CU_ASSERT_EQUAL(sum_fold(sum(p, n)), 0xffff);
		CU_ASSERT_EQUAL(sum_fold(sum(p, n - 1)), __builtin_bswap16(plain(p, n - 1)));
		memset(p, 0, n);
		CU_ASSERT_EQUAL(sum_fold(sum(p, n)), 0);
	}
	free(p);
	CU_ASSERT_EQUAL(sum_fold(UINT64_MAX), 0xffff);
	CU_ASSERT_EQUAL(sum_fold(UINT64_C(0xffffffff00000001)), 1);
}

/* the example of RFC 1071 section 3 */
static void rfc1071(void)
{
	static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	CU_ASSERT_EQUAL(__builtin_bswap16(sum_fold(sum_octets(data, 8))), 0xddf2);
	/* sums of parts add up */
	CU_ASSERT_EQUAL(sum_fold(sum_octets(data, 2) + sum_octets(data + 2, 6)),
			sum_fold(sum_octets(data, 8)));
}

TEST_MAIN("sum", TEST(every_length), TEST(largest), TEST(rfc1071))
