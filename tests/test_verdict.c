/* Results, actions, identities and flags have the words of the record. */
#include "base/verdict.h"
#include "tests/test.h"

static void words(void)
{
	static const char *const word[] = {
		[AUTH_NONE] = "none",           [AUTH_PASS] = "pass",
		[AUTH_FAIL] = "fail",           [AUTH_POLICY] = "policy",
		[AUTH_NEUTRAL] = "neutral",     [AUTH_PERMERROR] = "permerror",
		[AUTH_TEMPERROR] = "temperror", [AUTH_UNVERIFIABLE] = "unverifiable",
		[AUTH_SOFTFAIL] = "softfail",
	};
	CU_ASSERT_EQUAL_FATAL(sizeof word / sizeof word[0], AUTH_RESULT_N);
	for (unsigned i = 0; i < AUTH_RESULT_N; i++)
		CU_ASSERT_STRING_EQUAL(auth_result_name((enum auth_result)i), word[i]);
	CU_ASSERT_PTR_NULL(auth_result_name(AUTH_RESULT_N));
	CU_ASSERT_PTR_NULL(auth_result_name((enum auth_result) - 1));
	for (unsigned i = 0; i < VERDICT_ACTION_N; i++)
		CU_ASSERT_PTR_NOT_NULL(verdict_action_name((enum verdict_action)i));
	CU_ASSERT_STRING_EQUAL(verdict_action_name(VERDICT_REJECT), "reject");
	CU_ASSERT_STRING_EQUAL(spf_identity_name(SPF_PRA), "pra");
	CU_ASSERT_STRING_EQUAL(dmarc_policy_name(DMARC_REJECT), "reject");
	for (unsigned i = 0; i < FROM_FLAG_N; i++)
		CU_ASSERT_PTR_NOT_NULL(verdict_from_flag_name((enum verdict_from_flag)(1 << i)));
	CU_ASSERT_PTR_NULL(verdict_from_flag_name((enum verdict_from_flag)(1 << FROM_FLAG_N)));
}

TEST_MAIN("verdict", TEST(words))
