/* The table shows every counter that counted, for each worker where several did, and says what it leaves out. */
#include "control/stats_table.h"
#include "tests/test.h"

#include <stdlib.h>

/* Gives malloc memory. */
static char *table(const char *text, bool all)
{
	char *out = NULL;
	size_t n = 0;
	json_t *v = json_loads(text, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	FILE *f = open_memstream(&out, &n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	stats_table_print(f, v, all);
	fclose(f);
	json_decref(v);
	return out;
}

static void check(const char *in, bool all, const char *want)
{
	char *got = table(in, all);
	if (strcmp(got, want) != 0)
		printf("\n--- got\n%s--- want\n%s---\n", got, want);
	CU_ASSERT_STRING_EQUAL(got, want);
	free(got);
}

static const char one[] =
	"{\"uptime_s\":93784,\"totals\":{\"capture\":{\"frames\":1234567,\"octets\":1000,\"cut\":0}"
	","
	"\"frame\":{\"taken\":0}},\"workers\":[{\"name\":\"receive-0\",\"counters\":{\"capture\":"
	"{\"frames\":1234567,\"octets\":1000,\"cut\":0},\"frame\":{\"taken\":0}}}],"
	"\"gauges\":[{\"name\":\"flow.open\",\"of\":\"receive-0\",\"value\":7,\"max\":1048576},"
	"{\"name\":\"engine.age\",\"of\":null,\"value\":999,\"max\":null}]}";

static void one_worker(void)
{
	check(one, false,
	      "running for 1 d 2 h 3 min 4 s\n"
	      "\n"
	      "capture                           total\n"
	      "  frames                      1,234,567  frames taken from the port or file\n"
	      "  octets                          1,000  octets of those frames on the wire\n"
	      "\n"
	      "now                               value            max\n"
	      "  flow.open                           7      1,048,576  receive-0\n"
	      "  engine.age                        999              -\n"
	      "\n"
	      "2 counters are zero; --all shows them\n");
}

static void all_rows(void)
{
	char *got = table(one, true);
	CU_ASSERT_PTR_NOT_NULL(strstr(got,
				      "\nframe                             total\n"
				      "  taken                               0  TCP segments"));
	CU_ASSERT_PTR_NULL(strstr(got, "--all"));
	free(got);
}

static void several_workers(void)
{
	check("{\"uptime_s\":0,\"totals\":{\"dns\":{\"asked\":30,\"timeout\":1}},\"workers\":["
	      "{\"name\":\"receive-0\",\"counters\":{\"dns\":{\"asked\":0,\"timeout\":0}}},"
	      "{\"name\":\"verify-0\",\"counters\":{\"dns\":{\"asked\":10,\"timeout\":0}}},"
	      "{\"name\":\"verify-1\",\"counters\":{\"dns\":{\"asked\":20,\"timeout\":1}}}]}",
	      false,
	      "running for 0 s\n"
	      "\n"
	      "dns                               total       verify-0       verify-1\n"
	      "  asked                              30             10             20\n"
	      "  timeout                             1              0              1\n");
}

/* An answer of another shape prints less, and nothing worse. */
static void other_shapes(void)
{
	static const char *const rows[] = {
		"{}",
		"[]",
		"{\"totals\":1,\"workers\":1,\"gauges\":1,\"uptime_s\":\"x\"}",
		"{\"totals\":{\"a\":1,\"b\":[1],\"c\":{\"d\":\"e\",\"f\":{}}},\"uptime_s\":-5}",
		"{\"totals\":{\"a\":{\"b\":1}},\"workers\":[1,{},{\"counters\":1},{\"name\":2,"
		"\"counters\":{\"a\":{\"b\":1}}},{\"counters\":{\"a\":{\"c\":1}}}],\"gauges\":[1,{}"
		"]}",
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (int all = 0; all < 2; all++) {
			char *got = table(rows[i], all);
			CU_ASSERT_EQUAL(strncmp(got, "running for 0 s\n", 16), 0);
			free(got);
		}
	}
}

static void durations_and_numbers(void)
{
	char out[64];
	stats_table_duration(59, out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "59 s");
	stats_table_duration(3600, out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "1 h 0 min 0 s");
	stats_table_duration(UINT64_MAX, out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "213503982334601 d 7 h 0 min 15 s");
	stats_table_duration(UINT64_MAX, out, 8);
	CU_ASSERT(strlen(out) < 8);
	char *got = table("{\"totals\":{\"a\":{\"b\":9223372036854775807,\"c\":-123456,\"d\":12,"
			  "\"e\":999,\"f\":1000}}}",
			  false);
	CU_ASSERT_PTR_NOT_NULL(strstr(got, " 9,223,372,036,854,775,807\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got, " -123,456\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got, " 12\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got, " 999\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got, " 1,000\n"));
	free(got);
}

TEST_MAIN("stats_table", TEST(one_worker), TEST(all_rows), TEST(several_workers),
	  TEST(other_shapes), TEST(durations_and_numbers))
