/* Names that look alike fold to the same letters, and a folded name folds to itself. */
#include "base/utf8.h"
#include "tests/test.h"
#include "verify/auth/fold.h"

#include <stdio.h>

static const struct {
	const char *in, *want;
} rows[] = {
	{ "John Simons", "john simons" },
	{ "  JOHN...simons_(CEO) ", "john simons ceo" },
	{ "j0hn", "j0hn" },
	{ "", "" },
	{ " -.- ", "" },
	/* diacritics, composed and not */
	{ "J\xc3\xb3hn S\xc3\xadm\xc3\xb6\xc3\xb1s", "john simons" },
	{ "Jo\xcc\x81hn", "john" },
	{ "\xc5\x81\xc3\xb3\xc4\x91\xc5\xba \xc3\x98rsted \xc3\x86r\xc3\xb8 Stra\xc3\x9f"
	  "e",
	  "lodz orsted aero strasse" },
	/* Cyrillic and Greek that look like Latin, in either case */
	{ "\xd0\x88\xd0\xbehn \xd0\x85im\xd0\xben\xd1\x95", "john simons" },
	{ "\xd0\x90\xd0\x92\xd0\x95\xd0\x9a\xd0\x9c\xd0\x9d\xd0\x9e\xd0\xa0\xd0\xa1\xd0\xa2\xd0\xa3"
	  "\xd0\xa5",
	  "abekmhopctyx" },
	{ "\xd0\xb0\xd0\xb5\xd0\xbe\xd1\x80\xd1\x81\xd1\x83\xd1\x85\xd1\x96", "aeopcyxi" },
	{ "\xce\x91\xce\x92\xce\x95\xce\x96\xce\x97\xce\x99\xce\x9a\xce\x9c\xce\x9d\xce\x9f\xce\xa1"
	  "\xce\xa4\xce\xa5\xce\xa7",
	  "abezhikmnoptyx" },
	{ "\xce\xbf\xce\xb1\xce\xb9", "oai" },
	/* others of these scripts stay, in one case */
	{ "\xd0\x96\xd0\xa9", "\xd0\xb6\xd1\x89" },
	/* fullwidth, mathematical, enclosed */
	{ "\xef\xbc\xaa\xef\xbd\x8f\xef\xbd\x88\xef\xbd\x8e\xe3\x80\x80\xef\xbc\x93", "john 3" },
	{ "\xf0\x9d\x90\x89\xf0\x9d\x91\x9c\xf0\x9d\x93\xb1\xf0\x9d\x95\x9f", "john" },
	{ "\xe2\x92\xbf\xe2\x93\x9e\xe2\x93\x97\xe2\x93\x9d", "john" },
	/* what shows nothing */
	{ "Jo\xe2\x80\x8bhn\xc2\xad \xe2\x80\xaeSimons\xef\xb8\x8f", "john simons" },
	{ "\xe5\xb1\xb1\xe7\x94\xb0 \xe5\xa4\xaa\xe9\x83\x8e",
	  "\xe5\xb1\xb1\xe7\x94\xb0 \xe5\xa4\xaa\xe9\x83\x8e" },
	/* signs, and what is no UTF-8 */
	{ "John \xf0\x9f\x98\x80 Simons", "john simons" },
	{ "John\xff\xc3Simons", "john simons" },
};

static size_t encode(const uint32_t *c, unsigned n, char *out)
{
	size_t at = 0;
	for (unsigned i = 0; i < n; i++)
		at += utf8_put(c[i], (uint8_t *)out + at);
	out[at] = 0;
	return at;
}

static void c170_known(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint32_t out[64];
		char text[256];
		bool cut;
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		encode(out, fold_text(bytes_of(p, n), out, 64, &cut), text);
		if (strcmp(text, rows[i].want) != 0)
			printf("\n%s: %s\n", rows[i].in, text);
		CU_ASSERT_STRING_EQUAL(text, rows[i].want);
		CU_ASSERT_FALSE(cut);
		test_guard_free(p, n);
	}
}

/* Of every code point. */
static void c170_folded_stays(void)
{
	for (uint32_t c = 0; c < 0x110000; c++) {
		uint32_t out[FOLD_POINT_MAX], again[FOLD_POINT_MAX];
		unsigned n = fold_point(c, out);
		CU_ASSERT(n <= FOLD_POINT_MAX);
		for (unsigned i = 0; i < n; i++) {
			unsigned m = fold_point(out[i], again);
			if (m != 1 || again[0] != out[i])
				printf("\nU+%04X: U+%04X: %u U+%04X\n", c, out[i], m, again[0]);
			CU_ASSERT_FATAL(m == 1 && again[0] == out[i]);
		}
	}
}

static void c170_limit(void)
{
	uint32_t out[8];
	bool cut;
	CU_ASSERT_EQUAL(fold_text(bytes_str("ab cd efg"), out, 8, &cut), 8);
	CU_ASSERT_TRUE(cut);
	CU_ASSERT_EQUAL(fold_text(bytes_str("ab cd ef..."), out, 8, &cut), 8);
	CU_ASSERT_FALSE(cut);
	CU_ASSERT_EQUAL(fold_text(bytes_str("abcdefg\xc3\x9f"), out, 8, &cut), 7);
	CU_ASSERT_TRUE(cut);
	CU_ASSERT_EQUAL(fold_text(bytes_str("abcdefgh i"), out, 8, &cut), 8);
	CU_ASSERT_TRUE(cut);
}

TEST_MAIN("fold", TEST(c170_known), TEST(c170_folded_stays), TEST(c170_limit))
