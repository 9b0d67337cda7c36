/* Results have the words of RFC 8601 2.7. */
#include "base/verdict.h"
#include "tests/test.h"

static void words(void)
{
	static const char *const word[] = {
		[AUTH_NONE] = "none",           [AUTH_PASS] = "pass",
		[AUTH_FAIL] = "fail",           [AUTH_POLICY] = "policy",
		[AUTH_NEUTRAL] = "neutral",     [AUTH_PERMERROR] = "permerror",
		[AUTH_TEMPERROR] = "temperror", [AUTH_UNVERIFIABLE] = "unverifiable",
	};
	CU_ASSERT_EQUAL_FATAL(sizeof word / sizeof word[0], AUTH_RESULT_N);
	for (unsigned i = 0; i < AUTH_RESULT_N; i++)
		CU_ASSERT_STRING_EQUAL(auth_result_name((enum auth_result)i), word[i]);
	CU_ASSERT_PTR_NULL(auth_result_name(AUTH_RESULT_N));
	CU_ASSERT_PTR_NULL(auth_result_name((enum auth_result) - 1));
}

TEST_MAIN("verdict", TEST(words))
