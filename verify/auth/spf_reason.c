#include "verify/auth/spf_reason.h"

struct row {
	const char *word, *meaning;
	enum auth_result result;
};

#define SPF_REASON_ROW(symbol, word, result, meaning) { word, meaning, AUTH_##result },
static const struct row rows[SPF_REASON_N] = { SPF_REASONS(SPF_REASON_ROW) };

const char *spf_reason_word(enum spf_reason r)
{
	return rows[r].word;
}

enum auth_result spf_reason_result(enum spf_reason r)
{
	return rows[r].result;
}

const char *spf_reason_meaning(enum spf_reason r)
{
	return rows[r].meaning;
}

bool spf_reason_limit(const char *word)
{
	static const enum spf_reason limits[] = { SPF_REASON_RECORD_LIMIT, SPF_REASON_LOOKUP_LIMIT,
						  SPF_REASON_VOID_LIMIT, SPF_REASON_MX_LIMIT,
						  SPF_REASON_NO_SPACE };
	for (unsigned i = 0; i < sizeof limits / sizeof limits[0]; i++)
		if (word && strcmp(word, rows[limits[i]].word) == 0)
			return true;
	return false;
}
