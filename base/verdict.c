#include "base/verdict.h"

static const char *const result_name[AUTH_RESULT_N] = {
	"none", "pass", "fail", "policy", "neutral", "permerror", "temperror", "unverifiable",
};

const char *auth_result_name(enum auth_result r)
{
	return (unsigned)r < AUTH_RESULT_N ? result_name[r] : NULL;
}
