/* Every reason has a word of its own, a meaning and a result that explains it. */
#include "tests/test.h"
#include "verify/auth/reason.h"

static void words(void)
{
	CU_ASSERT_PTR_NULL(reason_word(REASON_NONE));
	CU_ASSERT_EQUAL(reason_result(REASON_NONE), AUTH_PASS);
	for (int i = 1; i < REASON_N; i++) {
		struct bytes word = bytes_str(reason_word(i));
		CU_ASSERT(word.n > 0 && strlen(reason_meaning(i)) > 0);
		for (size_t k = 0; k < word.n; k++)
			CU_ASSERT((word.p[k] >= 'a' && word.p[k] <= 'z') || word.p[k] == '_' ||
				  (k && word.p[k] >= '0' && word.p[k] <= '9'));
		for (int k = 1; k < i; k++)
			CU_ASSERT_STRING_NOT_EQUAL(reason_word(i), reason_word(k));
		/* what fails is never told as a pass, and none is of a message without a signature */
		CU_ASSERT(reason_result(i) != AUTH_PASS && reason_result(i) != AUTH_NONE);
	}
}

static void results(void)
{
	CU_ASSERT_EQUAL(reason_result(REASON_BODY_HASH), AUTH_FAIL);
	CU_ASSERT_EQUAL(reason_result(REASON_SIGNATURE), AUTH_FAIL);
	CU_ASSERT_EQUAL(reason_result(REASON_SHA1), AUTH_POLICY);
	CU_ASSERT_EQUAL(reason_result(REASON_KEY_SIZE), AUTH_POLICY);
	CU_ASSERT_EQUAL(reason_result(REASON_EXPIRED), AUTH_POLICY);
	CU_ASSERT_EQUAL(reason_result(REASON_KEY_REVOKED), AUTH_PERMERROR);
	CU_ASSERT_EQUAL(reason_result(REASON_KEY_TIMEOUT), AUTH_TEMPERROR);
	CU_ASSERT_EQUAL(reason_result(REASON_OCTETS_MISSING), AUTH_UNVERIFIABLE);
}

TEST_MAIN("reason", TEST(words), TEST(results))
