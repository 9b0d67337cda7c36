/* Rows have names that can be told apart and nested at their dot; a sum holds every row of every worker. */
#include "base/stats.h"
#include "tests/test.h"

#define ROW_NAME(symbol, name, help) [STAT_##symbol] = name,

/* "group.name" of small letters, digits and _ */
static bool well_formed(const char *name)
{
	const char *dot = strchr(name, '.');
	const char *allowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
	return dot && dot > name && dot[1] && strspn(name, allowed) == (size_t)(dot - name) &&
	       strspn(dot + 1, allowed) == strlen(dot + 1);
}

static void names(void)
{
	static const char *const want[STAT_N] = { STATS_ROWS(ROW_NAME) };
	for (int i = 0; i < STAT_N; i++) {
		const char *name = stats_name(i);
		CU_ASSERT_STRING_EQUAL(name, want[i]);
		CU_ASSERT_TRUE(well_formed(name));
		CU_ASSERT_PTR_NOT_NULL(stats_help(i));
		for (int k = 0; k < i; k++)
			CU_ASSERT_STRING_NOT_EQUAL(name, stats_name(k));
	}
	CU_ASSERT_STRING_EQUAL(stats_help(STAT_FRAMES), "frames taken from the port or file");
}

/* Rows of one group stand together, so that JSON opens each group once. */
static void groups(void)
{
	for (int i = 1; i < STAT_N; i++) {
		size_t n = strcspn(stats_name(i), ".") + 1;
		if (!strncmp(stats_name(i), stats_name(i - 1), n))
			continue;
		for (int k = 0; k < i; k++)
			if (!strncmp(stats_name(i), stats_name(k), n))
				CU_FAIL("a group stands in two places");
	}
}

static void sum(void)
{
	static struct stats a, b;
	uint64_t n[STAT_N] = { 0 };
	CU_ASSERT_EQUAL((uintptr_t)&a % 64, 0);
	for (int i = 0; i < STAT_N; i++) {
		stats_add(&a, i, (uint64_t)i + 1);
		stats_add(&a, i, 1000);
		stats_set(&b, i, UINT64_C(1) << 40);
	}
	stats_sum(n, &a);
	stats_sum(n, &b);
	for (int i = 0; i < STAT_N; i++) {
		CU_ASSERT_EQUAL(stats_get(&a, i), (uint64_t)i + 1001);
		CU_ASSERT_EQUAL(n[i], (uint64_t)i + 1001 + (UINT64_C(1) << 40));
	}
	stats_set(&b, 0, 3);
	CU_ASSERT_EQUAL(stats_get(&b, 0), 3);
}

TEST_MAIN("stats", TEST(names), TEST(groups), TEST(sum))
