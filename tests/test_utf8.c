/* A sequence is well formed exactly when RFC 3629's table of code points says so. */
#include "base/utf8.h"
#include "tests/test.h"

/* By decoding: the code point must need that many octets and be a scalar value. */
static unsigned slow_len(const uint8_t *p, size_t n)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned len = p[0] < 0x80       ? 1
		       : p[0] >> 5 == 6  ? 2
		       : p[0] >> 4 == 14 ? 3
		       : p[0] >> 3 == 30 ? 4
					 : 0;
	if (len == 0 || len > n)
		return 0;
	uint32_t v = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (unsigned i = 1; i < len; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	return v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff) ? 0 : len;
}

static void every_start_and_every_cut(void)
{
	unsigned wrong = 0;
	static const uint8_t tail[] = {
		0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff
	};
	for (unsigned a = 0; a < 65536; a++)
		for (unsigned b = 0; b < sizeof tail * sizeof tail; b++) {
			uint8_t p[4] = { (uint8_t)(a >> 8), (uint8_t)a, tail[b / sizeof tail],
					 tail[b % sizeof tail] };
			for (size_t n = 1; n <= 4; n++)
				wrong += utf8_len(p, n) != slow_len(p, n);
		}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(utf8_len(NULL, 0), 0);
}

static void runs(void)
{
	CU_ASSERT(utf8_valid(bytes_str("")));
	CU_ASSERT(utf8_valid(bytes_str("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z")));
	CU_ASSERT_FALSE(utf8_valid(bytes_str("a\xc3")));
	CU_ASSERT_FALSE(utf8_valid(bytes_str("\xa4z")));
}

/* Every scalar value is written and read back; what is malformed is one octet of U+FFFD. */
static void points(void)
{
	uint8_t octets[4];
	uint32_t c;
	for (uint32_t want = 0; want <= 0x10ffff; want++) {
		if (want >= 0xd800 && want <= 0xdfff)
			continue;
		unsigned n = utf8_put(want, octets);
		if (utf8_point(bytes_of(octets, n), &c) != n || c != want)
			CU_FAIL("another one");
	}
	CU_ASSERT_EQUAL(utf8_put(0x20ac, octets), 3);
	CU_ASSERT_EQUAL(memcmp(octets, "\xe2\x82\xac", 3), 0);
	CU_ASSERT_EQUAL(utf8_point(bytes_of("\xe2\x82", 2), &c), 1);
	CU_ASSERT_EQUAL(c, 0xfffd);
	CU_ASSERT_EQUAL(utf8_point(bytes_of("\xff", 1), &c), 1);
	CU_ASSERT_EQUAL(c, 0xfffd);
}

TEST_MAIN("utf8", TEST(every_start_and_every_cut), TEST(runs), TEST(points))
