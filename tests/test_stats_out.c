/* Every counter appears once, under its group, summed over the workers and for each of them. */
#include "control/stats_out.h"
#include "tests/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t open_flows(const void *arg)
{
	return *(const uint64_t *)arg;
}

static struct stats block[2];
static const struct stats_worker worker[] = { { "receive", 0, &block[0] },
					      { "verify", 3, &block[1] } };
static const uint64_t flows = 17;
static const struct stats_gauge gauge[] = { { "flow.open", "receive-0", open_flows, &flows, 1024 },
					    { "engine.age", "", open_flows, &flows, 0 } };
static const struct stats_view view = { worker, 2, gauge, 2, 1000000000 };

/* Gives the object read back. */
static json_t *made(void)
{
	static char buf[256 * 1024];
	struct json j;
	for (int i = 0; i < STAT_N; i++) {
		stats_set(&block[0], (enum stats_row)i, (uint64_t)i + 1);
		stats_set(&block[1], (enum stats_row)i, 1000u * (uint64_t)i);
	}
	json_init(&j, buf, sizeof buf);
	stats_out_json(&j, &view, 43500000000);
	struct bytes text = json_done(&j);
	CU_ASSERT_FATAL(text.p != NULL);
	/* refuses a group that was opened twice */
	json_t *top = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	CU_ASSERT_FATAL(top != NULL);
	return top;
}

static json_int_t counter(json_t *groups, int i)
{
	char group[64];
	snprintf(group, sizeof group, "%s", stats_name((enum stats_row)i));
	char *dot = strchr(group, '.');
	CU_ASSERT_FATAL(dot != NULL);
	*dot = 0;
	json_t *v = json_object_get(json_object_get(groups, group), dot + 1);
	return json_is_integer(v) ? json_integer_value(v) : -1;
}

static size_t counters(json_t *groups)
{
	size_t n = 0;
	for (void *at = json_object_iter(groups); at; at = json_object_iter_next(groups, at))
		n += json_object_size(json_object_iter_value(at));
	return n;
}

static void every_counter_once(void)
{
	json_t *top = made();
	json_t *totals = json_object_get(top, "totals"), *workers = json_object_get(top, "workers");
	CU_ASSERT_EQUAL(json_array_size(workers), 2);
	CU_ASSERT_EQUAL(counters(totals), STAT_N);
	json_t *first = json_object_get(json_array_get(workers, 0), "counters");
	json_t *second = json_object_get(json_array_get(workers, 1), "counters");
	CU_ASSERT_EQUAL(counters(first), STAT_N);
	for (int i = 0; i < STAT_N; i++) {
		CU_ASSERT_EQUAL(counter(first, i), i + 1);
		CU_ASSERT_EQUAL(counter(second, i), 1000 * i);
		CU_ASSERT_EQUAL(counter(totals, i), 1001 * i + 1);
	}
	json_decref(top);
}

static void names_and_gauges(void)
{
	json_t *top = made(), *w = json_array_get(json_object_get(top, "workers"), 1);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(top, "uptime_s")), 42);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(w, "name")), "verify-3");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(w, "kind")), "verify");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(w, "id")), 3);
	json_t *gauges = json_object_get(top, "gauges"), *g = json_array_get(gauges, 0);
	CU_ASSERT_EQUAL(json_array_size(gauges), 2);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(g, "name")), "flow.open");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(g, "of")), "receive-0");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(g, "value")), 17);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(g, "max")), 1024);
	g = json_array_get(gauges, 1);
	CU_ASSERT(json_is_null(json_object_get(g, "of")));
	CU_ASSERT(json_is_null(json_object_get(g, "max")));
	json_decref(top);
}

TEST_MAIN("stats_out", TEST(every_counter_once), TEST(names_and_gauges))
