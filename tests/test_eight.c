/* What is seen in eight octets at once is what is seen one by one. */
#include "tests/test.h"
#include "base/eight.h"

/* The first octet that is one of those asked for; 8: none. */
static unsigned first(const uint8_t *p, const bool *wanted)
{
	unsigned i = 0;
	while (i < 8 && !wanted[p[i]])
		i++;
	return i;
}

static unsigned first_of(uint64_t mask)
{
	return mask ? eight_first(mask) : 8;
}

/* Each test alone, with c, and all joined, in octets of which many are near c. */
static void first_octet(void)
{
	uint64_t random = 88172645463325252u;
	for (unsigned c = 0; c < 256; c++)
		for (unsigned round = 0; round < 400; round++) {
			bool under[256] = { false }, is[256] = { false }, high[256] = { false };
			bool joined[256];
			uint8_t p[8];
			for (unsigned i = 0; i < 8; i++) {
				uint64_t x = test_random(&random) >> 8;
				p[i] = (uint8_t)(x % 3 ? c + (x >> 8) % 5 - 2 : x >> 8);
			}
			uint8_t limit = c >= 1 && c <= 128 ? (uint8_t)c : 1;
			for (unsigned k = 0; k < 256; k++) {
				under[k] = k < limit;
				is[k] = k == c;
				high[k] = k > 127;
				joined[k] = under[k] || is[k] || high[k];
			}
			uint64_t x = eight_load(p), u = eight_under(x, limit);
			CU_ASSERT_EQUAL(first_of(u), first(p, under));
			CU_ASSERT_EQUAL(first_of(eight_is(x, (uint8_t)c)), first(p, is));
			CU_ASSERT_EQUAL(first_of(eight_high(x)), first(p, high));
			CU_ASSERT_EQUAL(first_of(u | eight_is(x, (uint8_t)c) | eight_high(x)),
					first(p, joined));
		}
}

/* Every octet at every place, between every other. */
static void lower(void)
{
	for (unsigned c = 0; c < 256; c++)
		for (unsigned d = 0; d < 256; d++)
			for (unsigned at = 0; at < 8; at++) {
				uint8_t p[8], want[8];
				memset(p, (int)d, sizeof p);
				p[at] = (uint8_t)c;
				for (unsigned i = 0; i < 8; i++)
					want[i] = bytes_lower(p[i]);
				uint64_t x = eight_lower(eight_load(p));
				if (memcmp(&x, want, sizeof want) != 0)
					CU_FAIL("an octet in the wrong case");
			}
}

static void ascii(void)
{
	for (size_t n = 0; n <= 40; n++) {
		uint8_t *p = test_guard("\x7f...:....:....\x7f....:....:....:....:....:", n);
		CU_ASSERT_TRUE(eight_ascii(p, n));
		for (size_t i = 0; i < n; i++) {
			uint8_t was = p[i];
			p[i] = i % 2 ? 0x80 : 0xff;
			CU_ASSERT_FALSE(eight_ascii(p, n));
			p[i] = was;
		}
		test_guard_free(p, n);
	}
}

/* A run ends up in its hash whole, each octet and its length; nothing beside it is read. */
static void whole_run(void)
{
	for (size_t n = 0; n <= 40; n++) {
		uint8_t *p = test_guard("....:....:....:....:....:....:....:....:", n);
		uint64_t hash = eight_hash(1, p, n);
		CU_ASSERT_NOT_EQUAL(hash, eight_hash(2, p, n));
		CU_ASSERT(n == 0 || hash != eight_hash(1, p, n - 1));
		for (size_t i = 0; i < n; i++)
			for (unsigned bit = 0; bit < 8; bit++) {
				p[i] ^= (uint8_t)(1u << bit);
				CU_ASSERT_NOT_EQUAL(hash, eight_hash(1, p, n));
				p[i] ^= (uint8_t)(1u << bit);
			}
		CU_ASSERT_EQUAL(hash, eight_hash(1, p, n));
		test_guard_free(p, n);
	}
}

/*
 * Who does not know the seed cannot make collisions: words that differ in one bit, or in two, do not
 * differ behind the mix in the same way for many seeds. If they did, the next word could undo it.
 */
static void seed_decides(void)
{
	enum { SEEDS = 4096, KEPT = 64 };
	uint64_t state = 5, kept[KEPT];
	for (unsigned a = 0; a < 64; a++)
		for (unsigned b = a; b < 64; b += 7) {
			uint64_t differ = (uint64_t)1 << a | (uint64_t)1 << b;
			unsigned often = 0;
			for (unsigned i = 0; i < SEEDS; i++) {
				uint64_t hash = test_random(&state), word = test_random(&state);
				uint64_t got =
					eight_mix(hash, word) ^ eight_mix(hash, word ^ differ);
				CU_ASSERT_NOT_EQUAL(got, 0);
				if (i < KEPT)
					kept[i] = got;
				for (unsigned k = 0; i >= KEPT && k < KEPT; k++)
					often += kept[k] == got;
			}
			/* one of 64 differences that were seen meets one of 4,096 in fewer than 1 of 500 */
			CU_ASSERT(often < SEEDS * KEPT / 500);
		}
}

TEST_MAIN("eight", TEST(seed_decides), TEST(first_octet), TEST(lower), TEST(ascii), TEST(whole_run))
