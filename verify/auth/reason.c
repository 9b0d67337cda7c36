#include "verify/auth/reason.h"

struct row {
	const char *word, *meaning;
	enum auth_result result;
};

#define REASON_ROW(symbol, word, result, meaning) { word, meaning, AUTH_##result },
static const struct row rows[REASON_N] = { REASONS(REASON_ROW) };

const char *reason_word(enum reason r)
{
	return rows[r].word;
}

enum auth_result reason_result(enum reason r)
{
	return rows[r].result;
}

const char *reason_meaning(enum reason r)
{
	return rows[r].meaning;
}
