/* Every reason has a word of its own, a meaning and a result of RFC 7208 that is not a pass. */
#include "tests/test.h"
#include "verify/auth/spf_reason.h"

static void words(void)
{
	CU_ASSERT_PTR_NULL(spf_reason_word(SPF_REASON_NONE));
	for (unsigned i = SPF_REASON_NONE + 1; i < SPF_REASON_N; i++) {
		const char *word = spf_reason_word(i);
		CU_ASSERT_FATAL(word != NULL);
		CU_ASSERT(strspn(word, "abcdefghijklmnopqrstuvwxyz_") == strlen(word));
		CU_ASSERT(*spf_reason_meaning(i) != 0);
		enum auth_result r = spf_reason_result(i);
		CU_ASSERT(r == AUTH_NONE || r == AUTH_PERMERROR || r == AUTH_TEMPERROR ||
			  r == AUTH_UNVERIFIABLE);
		for (unsigned k = SPF_REASON_NONE + 1; k < i; k++)
			CU_ASSERT(strcmp(word, spf_reason_word(k)) != 0);
	}
}

static void limits(void)
{
	unsigned n = 0;
	CU_ASSERT(!spf_reason_limit(NULL));
	CU_ASSERT(!spf_reason_limit("syntax"));
	CU_ASSERT(spf_reason_limit("void_limit"));
	for (unsigned i = 0; i < SPF_REASON_N; i++)
		n += spf_reason_limit(spf_reason_word(i));
	CU_ASSERT_EQUAL(n, 5);
}

TEST_MAIN("spf_reason", TEST(words), TEST(limits))
