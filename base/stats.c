#include "base/stats.h"

#define STATS_NAME(symbol, name, help) name,
#define STATS_HELP(symbol, name, help) help,
static const char *const stat_name[STAT_N] = { STATS_ROWS(STATS_NAME) };
static const char *const stat_help[STAT_N] = { STATS_ROWS(STATS_HELP) };

const char *stats_name(enum stats_row i)
{
	return stat_name[i];
}

const char *stats_help(enum stats_row i)
{
	return stat_help[i];
}

void stats_sum(uint64_t sum[STAT_N], const struct stats *s)
{
	for (int i = 0; i < STAT_N; i++)
		sum[i] += stats_get(s, (enum stats_row)i);
}
