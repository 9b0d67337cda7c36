/* An encoded word becomes the UTF-8 it stands for, or stays as it was; it never becomes an address. */
#include "control/words.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "tests/test.h"

static const struct {
	enum words_kind kind;
	const char *text, *want;
} word_cases[] = {
	{ WORDS_TEXT, "plain", "plain" },
	{ WORDS_TEXT, "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=",
	  "Gr\xc3\xbc\xc3\x9f"
	  "e" },
	{ WORDS_TEXT, "Re: =?ISO-8859-1?Q?Gr=FC=DFe_aus?= Bonn",
	  "Re: Gr\xc3\xbc\xc3\x9f"
	  "e aus Bonn" },
	{ WORDS_TEXT, "=?UTF-8?B?R3LDvMOfZQ==?=",
	  "Gr\xc3\xbc\xc3\x9f"
	  "e" },
	{ WORDS_TEXT, "=?UTF-8?B?R3LDvMOfZQ?=",
	  "Gr\xc3\xbc\xc3\x9f"
	  "e" },
	{ WORDS_TEXT, "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac" },
	{ WORDS_TEXT, "=?shift_jis?B?k/qWew==?=", "\xe6\x97\xa5\xe6\x9c\xac" },
	{ WORDS_TEXT, "=?utf-8*de?q?=C3=A9?=", "\xc3\xa9" },
	/* RFC 2047 section 8 */
	{ WORDS_TEXT, "(=?ISO-8859-1?Q?a?=)", "(a)" },
	{ WORDS_TEXT, "(=?ISO-8859-1?Q?a?= b)", "(a b)" },
	{ WORDS_TEXT, "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)" },
	{ WORDS_TEXT, "(=?ISO-8859-1?Q?a?=  \t =?ISO-8859-1?Q?b?=)", "(ab)" },
	{ WORDS_TEXT, "(=?ISO-8859-1?Q?a_b?=)", "(a b)" },
	{ WORDS_TEXT, "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)" },
	/* a character cut between two words */
	{ WORDS_TEXT, "=?utf-8?B?w7w=?= =?utf-8?B?w58=?=", "\xc3\xbc\xc3\x9f" },
	{ WORDS_TEXT, "=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "\xc3\xbc" },
	/* as it was */
	{ WORDS_TEXT, "=?utf-8?Q?=C3?= x", "=?utf-8?Q?=C3?= x" },
	{ WORDS_TEXT, "=?no-such?Q?a?=", "=?no-such?Q?a?=" },
	{ WORDS_TEXT, "=?utf-8//IGNORE?Q?a?=", "=?utf-8//IGNORE?Q?a?=" },
	{ WORDS_TEXT, "=?utf-8?X?a?= b", "=?utf-8?X?a?= b" },
	{ WORDS_TEXT, "=?utf-8?Q?=4?=", "=?utf-8?Q?=4?=" },
	{ WORDS_TEXT, "=?utf-8?Q?=zz?=", "=?utf-8?Q?=zz?=" },
	{ WORDS_TEXT, "=?utf-8?B?!!!!?=", "=?utf-8?B?!!!!?=" },
	{ WORDS_TEXT, "=?utf-8?Q?abc", "=?utf-8?Q?abc" },
	{ WORDS_TEXT, "=?=?=?=?=?=?=?=?", "=?=?=?=?=?=?=?=?" },
	{ WORDS_TEXT, "=??Q?abcd?=", "=??Q?abcd?=" },
	/* addresses */
	{ WORDS_ADDRESS, "=?utf-8?Q?J=C3=BCrgen?= <j@a.example>", "J\xc3\xbcrgen <j@a.example>" },
	{ WORDS_ADDRESS, "=?utf-8?Q?Smith,_John?= <j@a.example>", "\"Smith, John\" <j@a.example>" },
	{ WORDS_ADDRESS, "=?utf-8?Q?boss=40bank.example=3E_?= <evil@b.example>",
	  "\"boss@bank.example> \" <evil@b.example>" },
	{ WORDS_ADDRESS, "=?utf-8?Q?a=22=5C?= <e@b.example>", "\"a\\\"\\\\\" <e@b.example>" },
	{ WORDS_ADDRESS, "\"=?utf-8?Q?a=22_=3Cx=40y=3E?=\" <e@b.example>",
	  "\"a\\\" <x@y>\" <e@b.example>" },
};

static void known(void)
{
	struct words *w = words_new();
	for (unsigned i = 0; i < sizeof word_cases / sizeof word_cases[0]; i++) {
		size_t n = strlen(word_cases[i].text);
		uint8_t *p = test_guard(word_cases[i].text, n);
		struct bytes got = words_decode(w, word_cases[i].kind, bytes_of(p, n));
		bool right = bytes_equal(got, bytes_str(word_cases[i].want));
		if (!right)
			printf("\n%s gives %.*s\n", word_cases[i].text, (int)got.n,
			       (const char *)got.p);
		CU_ASSERT_TRUE(right);
		test_guard_free(p, n);
	}
	words_free(w);
}

/* Every prefix is read without a fault, and gives text that is UTF-8 when what went in was ASCII. */
static void cut_everywhere(void)
{
	struct words *w = words_new();
	for (unsigned i = 0; i < sizeof word_cases / sizeof word_cases[0]; i++)
		for (size_t n = 0; n <= strlen(word_cases[i].text); n++) {
			uint8_t *p = test_guard(word_cases[i].text, n);
			CU_ASSERT_TRUE(
				utf8_valid(words_decode(w, word_cases[i].kind, bytes_of(p, n))));
			test_guard_free(p, n);
		}
	words_free(w);
}

static void more_charsets_than_converters(void)
{
	struct words *w = words_new();
	for (int round = 0; round < 3; round++)
		for (int i = 1; i <= 15; i++) {
			char text[64];
			if (i == 12)
				continue; /* there is no ISO-8859-12 */
			snprintf(text, sizeof text, "=?iso-8859-%d?Q?=41?=", i);
			CU_ASSERT_TRUE(bytes_equal(words_decode(w, WORDS_TEXT, bytes_str(text)),
						   bytes_str("A")));
		}
	words_free(w);
}

/* A whole header section of words, good and bad, stays within the buffers. */
static void limits(void)
{
	static const char *const word[] = { "=?iso-8859-1?B?/////////w==?= ",
					    "=?no-such-1?q?a?= ",
					    "=?utf-8?Q?=22=22=22?= ",
					    "=?utf-8?B?w7w?= =?x?q?",
					    "=?",
					    "=?us-ascii?Q?=01=02?= =?utf-8?Q?=C3?= " };
	struct words *w = words_new();
	char *text = malloc(WORDS_OCTETS_MAX + 1);
	for (unsigned k = 0; k < sizeof word / sizeof word[0]; k++) {
		for (size_t i = 0; i <= WORDS_OCTETS_MAX; i++)
			text[i] = word[k][i % strlen(word[k])];
		struct bytes in = bytes_of(text, WORDS_OCTETS_MAX);
		for (int kind = WORDS_TEXT; kind <= WORDS_ADDRESS; kind++)
			CU_ASSERT_TRUE(words_decode(w, (enum words_kind)kind, in).n > 0);
		struct bytes over = bytes_of(text, WORDS_OCTETS_MAX + 1);
		CU_ASSERT_PTR_EQUAL(words_decode(w, WORDS_TEXT, over).p, text);
	}
	free(text);
	words_free(w);
}

TEST_MAIN("words", TEST(known), TEST(cut_everywhere), TEST(more_charsets_than_converters),
	  TEST(limits))
