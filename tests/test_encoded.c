/* An encoded word is what RFC 2047 says, and what is malformed gives no octets. */
#include "base/encoded.h"
#include "tests/test.h"

static const struct {
	const char *in, *charset, *octets; /* charset NULL: no word; octets NULL: malformed */
} rows[] = {
	{ "=?utf-8?q?a_b=3D?= c", "utf-8", "a b=" },
	{ "=?UTF-8*en?Q?a?=", "UTF-8", "a" },
	{ "=?iso-8859-1?b?YWJj?=", "iso-8859-1", "abc" },
	{ "=?x?B?YWI=?=", "x", "ab" },
	{ "=?x?B?YWI?=", "x", "ab" },
	{ "=?x?q?a b?=", "x", "a b" },
	{ "=?x?q?"
	  "?=",
	  "x", "" },
	{ "=?x?b?Y=W?=", "x", NULL },
	{ "=?x?b?Y W?=", "x", NULL },
	{ "=?x?q?=4?=", "x", NULL },
	{ "=?x?q?=4g?=", "x", NULL },
	{ "=?x?z?a?=", NULL, NULL },
	{ "=?x?q?a?", NULL, NULL },
	{ "=?x?q?a", NULL, NULL },
	{ "=?x?qa?b?=", NULL, NULL },
	{ "=??q?abc?=", NULL, NULL },
	{ "=?*en?q?abc?=", NULL, NULL },
	{ "=?x//ignore?q?abc?=", NULL, NULL },
	{ "=?aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd?q?a?=",
	  "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd", "a" },
	{ "=?aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde?q?a?=", NULL, NULL },
	{ "?=x?q?a?=", NULL, NULL },
};

static void known_words(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct encoded_word w;
		uint8_t out[16];
		size_t len = strlen(rows[i].in), n = 0;
		uint8_t *p = test_guard(rows[i].in, len);
		bool word = encoded_parse(bytes_of(p, len), &w);
		CU_ASSERT_EQUAL(word, rows[i].charset != NULL);
		if (word && rows[i].charset) {
			CU_ASSERT(bytes_equal(w.charset, bytes_str(rows[i].charset)));
			bool ok = encoded_octets(&w, out, sizeof out, &n);
			CU_ASSERT_EQUAL(ok, rows[i].octets != NULL);
			if (ok && rows[i].octets)
				CU_ASSERT(bytes_equal(bytes_of(out, n), bytes_str(rows[i].octets)));
		}
		test_guard_free(p, len);
	}
}

static void cut_everywhere(void)
{
	static const char in[] = "=?utf-8*de?q?a=20b?=";
	struct encoded_word w;
	for (size_t n = 0; n < sizeof in - 1; n++) {
		uint8_t *p = test_guard(in, n);
		CU_ASSERT_FALSE(encoded_parse(bytes_of(p, n), &w));
		test_guard_free(p, n);
	}
}

static void room(void)
{
	static const char *const words[] = { "=?x?q?abcd?=", "=?x?b?YWJjZA==?=" };
	for (unsigned i = 0; i < 2; i++) {
		struct encoded_word w;
		uint8_t out[6] = "xy";
		size_t n = 2;
		CU_ASSERT_FATAL(encoded_parse(bytes_str(words[i]), &w));
		CU_ASSERT_TRUE(encoded_octets(&w, out, 6, &n));
		CU_ASSERT(bytes_equal(bytes_of(out, n), bytes_str("xyabcd")));
		n = 2;
		CU_ASSERT_FALSE(encoded_octets(&w, out, 5, &n));
	}
}

TEST_MAIN("encoded", TEST(known_words), TEST(cut_everywhere), TEST(room))
