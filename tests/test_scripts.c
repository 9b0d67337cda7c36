/* Letters that nobody writes in one word are told, in texts and in A-labels, and those of real languages are not. */
#include "base/utf8.h"
#include "tests/test.h"
#include "verify/dns/names.h"
#include "verify/header/scripts.h"

static const struct {
	const char *text;
	bool mixed;
} rows[] = {
	{ "", false },
	{ "Alice Smith 42", false },
	{ "P\xd0\xb0yPal", true }, /* Cyrillic a */
	{ "\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0", false },
	{ "\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0 mail", false }, /* two words */
	{ "PDF-\xd1\x84\xd0\xb0\xd0\xb9\xd0\xbb", false },
	{ "a1\xd0\xb0", true },
	{ "a\xcc\x81\xd0\xb0", true }, /* a mark between */
	{ "\xce\xb1"
	  "bc",
	  true }, /* Greek alpha */
	{ "IBM\xe6\xa0\xaa\xe3\x81\x8a\xe3\x82\xab", false }, /* Latin, Han, Hiragana, Katakana */
	{ "\xed\x95\x9c\xe6\xbc\xa2z", false }, /* Hangul, Han, Latin */
	{ "\xed\x95\x9c\xe3\x81\x8a", true }, /* Hangul, Hiragana */
	{ "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", false },
	{ "\xff\xd0\xb0", false },
	{ "J\xc3\xb6rg \xc3\x85ngstr\xc3\xb6m \xe1\xba\x9e", false },
};

static const struct {
	const char *name;
	bool mixed;
} names[] = {
	{ "example.com", false },
	{ "xn--bcher-kva.example", false },
	{ "xn--pypal-4ve.com", true },
	{ "www.xn--pypal-4ve", true },
	{ "xn--80ak6aa92e.com", false }, /* all Cyrillic */
	{ "xn--wgv71a119e.jp", false },
	{ "xn--fiqs8s", false },
	{ "xn--", false },
	{ "xn---", false },
	{ "xn--99999999.x", false },
	{ "xn--a-.b", false },
	{ "", false },
};

static void words(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].text);
		uint8_t *p = test_guard(rows[i].text, n);
		CU_ASSERT_EQUAL(scripts_mixed(bytes_of(p, n)), rows[i].mixed);
		test_guard_free(p, n);
	}
}

static void labels(void)
{
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t n = strlen(names[i].name);
		uint8_t *p = test_guard(names[i].name, n);
		CU_ASSERT_EQUAL(scripts_mixed_name(bytes_of(p, n)), names[i].mixed);
		test_guard_free(p, n);
	}
}

/* Names as libidn2 writes them: the longer they are, the more of RFC 3492 is in them. */
static void long_labels(void)
{
	static const struct {
		const char *name;
		bool mixed;
	} long_names[] = {
		{ "\u0438\u0441\u043f\u044b\u0442\u0430\u043d\u0438\u0435"
		  "\u0434\u043b\u0438\u043d\u043d\u043e\u0433\u043e\u0438\u043c\u0435\u043d\u0438",
		  false },
		{ "\u0438\u0441\u043f\u044b\u0442\u0430\u043d\u0438\u0435"
		  "\u0434\u043b\u0438\u043d\u043d\u043e\u0433\u043e\u0438\u043c\u0435\u043d\u0438z",
		  true },
		{ "\u4e2d\u6587\u57df\u540d\u6d4b\u8bd5\u957f\u540d\u79f0\u793a\u4f8b", false },
		{ "\u4e2d\u6587\u57df\u540d\u6d4b\u8bd5\u957f\u540d\u79f0\u0430\u793a\u4f8b",
		  true },
		{ "\u0e17\u0e14\u0e2a\u0e2d\u0e1a\u0e0a\u0e37\u0e48\u0e2d\u0e22\u0e32\u0e27",
		  false },
		{ "\u03b4\u03bf\u03ba\u03b9\u03bc\u03ae\u03bc\u03b1\u03ba\u03c1\u03cd", false },
		{ "\u03b4\u03bf\u03ba\u03b9\u03bc\u03ae\u043c\u03b1\u03ba\u03c1\u03cd", true },
	};
	for (unsigned i = 0; i < sizeof long_names / sizeof long_names[0]; i++) {
		char out[NAMES_MAX + 1];
		size_t n = names_ascii(bytes_str(long_names[i].name), out);
		CU_ASSERT_FATAL(n > 4);
		CU_ASSERT_EQUAL(scripts_mixed_name(bytes_of(out, n)), long_names[i].mixed);
		CU_ASSERT_EQUAL(scripts_mixed(bytes_str(long_names[i].name)), long_names[i].mixed);
	}
}

/* A label says the same as its letters do. */
static void labels_by_chance(void)
{
	static const uint32_t first[] = { 0x430, 0x4e00, 0x3041, 0x3b1, 'a' },
			      letters[] = { 26, 5000, 80, 17, 26 };
	uint64_t state = 3492;
	unsigned compared = 0;
	for (unsigned i = 0; i < 3000; i++) {
		char out[NAMES_MAX + 1];
		uint8_t text[64];
		size_t n = 0;
		unsigned main = test_random(&state) % 5, count = 2 + test_random(&state) % 12;
		for (unsigned k = 0; k < count; k++) {
			unsigned s = test_random(&state) % 8 ? main : test_random(&state) % 5;
			n += utf8_put(first[s] + (uint32_t)(test_random(&state) % letters[s]),
				      text + n);
		}
		size_t len = names_ascii(bytes_of(text, n), out);
		if (!len)
			continue;
		compared++;
		CU_ASSERT_EQUAL(scripts_mixed_name(bytes_of(out, len)),
				scripts_mixed(bytes_of(text, n)));
	}
	CU_ASSERT(compared > 2000);
}

/* Every string of few letters behind xn-- is read to an end. */
static void any_punycode(void)
{
	static const char letters[] = "-09azA_\xff";
	uint64_t state = 1;
	for (unsigned i = 0; i < 20000; i++) {
		char name[80] = "xn--";
		size_t n = 4 + test_random(&state) % 70;
		for (size_t k = 4; k < n; k++)
			name[k] = letters[test_random(&state) % (sizeof letters - 1)];
		scripts_mixed_name(bytes_of(name, n));
	}
	CU_PASS("read to an end");
}

static void one_bit_each(void)
{
	CU_ASSERT_EQUAL(scripts_of('a'), scripts_of('Z'));
	CU_ASSERT_EQUAL(scripts_of('a'), scripts_of(0xfc));
	CU_ASSERT_NOT_EQUAL(scripts_of('a'), scripts_of(0x430));
	CU_ASSERT_EQUAL(scripts_of('1'), 0);
	CU_ASSERT_EQUAL(scripts_of('@'), 0);
	CU_ASSERT_EQUAL(scripts_of('['), 0);
	CU_ASSERT_EQUAL(scripts_of(0x10ffff), 0);
	for (uint32_t c = 0; c <= 0x10ffff; c++)
		if (scripts_of(c) & (scripts_of(c) - 1))
			CU_FAIL("two bits");
}

TEST_MAIN("scripts", TEST(words), TEST(labels), TEST(long_labels), TEST(labels_by_chance),
	  TEST(any_punycode), TEST(one_bit_each))
