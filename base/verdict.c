#include "base/verdict.h"

#define COUNT(words) (sizeof(words) / sizeof((words)[0]))

static const char *const result_name[AUTH_RESULT_N] = {
	"none",      "pass",      "fail",         "policy",   "neutral",
	"permerror", "temperror", "unverifiable", "softfail",
};
static const char *const action_name[VERDICT_ACTION_N] = { "accept", "flag", "tag", "quarantine",
							   "reject" };
static const char *const identity_name[SPF_IDENTITY_N] = { "helo", "mailfrom", "pra" };
static const char *const policy_name[] = { "none", "quarantine", "reject" };
static const char *const flag_name[FROM_FLAG_N] = {
	"no_from",         "several_fields", "several_mailboxes", "several_domains", "group",
	"malformed",       "obsolete",       "display_address",   "control",         "not_utf8",
	"encoded_address", "mixed_scripts",  "no_domain",         "unseen",          "limit",
	"unknown_charset",
};

const char *auth_result_name(enum auth_result r)
{
	return (unsigned)r < AUTH_RESULT_N ? result_name[r] : NULL;
}

const char *verdict_action_name(enum verdict_action a)
{
	return (unsigned)a < VERDICT_ACTION_N ? action_name[a] : NULL;
}

const char *spf_identity_name(enum spf_identity i)
{
	return (unsigned)i < SPF_IDENTITY_N ? identity_name[i] : NULL;
}

const char *dmarc_policy_name(enum dmarc_policy p)
{
	return (unsigned)p < COUNT(policy_name) ? policy_name[p] : NULL;
}

const char *verdict_from_flag_name(enum verdict_from_flag flag)
{
	for (unsigned i = 0; i < FROM_FLAG_N; i++)
		if ((unsigned)flag == 1u << i)
			return flag_name[i];
	return NULL;
}
