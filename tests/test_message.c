/* Each flag bit has one word of its own, as records print it; nothing else has one. */
#include "base/message.h"
#include "tests/test.h"

static void one_word_each(void)
{
	for (unsigned i = 0; i < MESSAGE_FLAG_N; i++) {
		const char *word = message_flag_name((enum message_flag)(1u << i));
		CU_ASSERT_PTR_NOT_NULL_FATAL(word);
		CU_ASSERT_EQUAL(strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_"),
				strlen(word));
		CU_ASSERT_TRUE(strlen(word) > 1);
		for (unsigned k = 0; k < i; k++)
			CU_ASSERT_STRING_NOT_EQUAL(word,
						   message_flag_name((enum message_flag)(1u << k)));
	}
}

/* A word in the wrong place would name another trouble. */
static void the_right_one(void)
{
	static const struct {
		enum message_flag flag;
		const char *word;
	} known[] = {
		{ MESSAGE_BARE_CR, "bare_cr" },
		{ MESSAGE_OVERLAP, "overlap" },
		{ MESSAGE_HOLE, "hole" },
		{ MESSAGE_NO_END, "no_end" },
		{ MESSAGE_TOO_LARGE, "too_large" },
		{ MESSAGE_NO_MEMORY, "no_memory" },
		{ MESSAGE_LONG_LINE, "long_line" },
		{ MESSAGE_STARTTLS_INJECTION, "starttls_injection" },
		{ MESSAGE_BDAT_MIXED, "bdat_mixed" },
		{ MESSAGE_UNVERIFIED, "unverified" },
	};
	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
		CU_ASSERT_STRING_EQUAL(message_flag_name(known[i].flag), known[i].word);
}

static void no_word(void)
{
	static const unsigned none[] = {
		0, 3, MESSAGE_HOLE | MESSAGE_NUL, 1u << MESSAGE_FLAG_N, 1u << 31, UINT32_MAX
	};
	for (unsigned i = 0; i < sizeof none / sizeof none[0]; i++)
		CU_ASSERT_PTR_NULL(message_flag_name((enum message_flag)none[i]));
}

TEST_MAIN("message", TEST(one_word_each), TEST(the_right_one), TEST(no_word))
