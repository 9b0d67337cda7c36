/* Each argument is an own option, a setting, an input or an error with one line; never two of them. */
#include "control/options.h"

#include <stdlib.h>

#include "tests/test.h"

static const struct options_own own[] = { { "file", "FILE", "a value" },
					  { "raw", NULL, "a switch" } };

static struct config_source source;
static char why[SCHEMA_WHY_MAX];

static struct options of(enum schema_use use, int argc, char **argv)
{
	source = (struct config_source){ .n = 0 };
	return (struct options){ .use = use,
				 .own = own,
				 .n_own = 2,
				 .source = &source,
				 .argc = argc,
				 .argv = argv,
				 .at = 1 };
}

static void all_forms(void)
{
	char *argv[] = { "scan",
			 "--raw",
			 "--file",
			 "a",
			 "--file=b=c",
			 "in",
			 "-",
			 "--dkim-min-bits",
			 "2048",
			 "--dkim-allow-sha1",
			 "--digest=false",
			 "--dkim-l=honour",
			 "--",
			 "--raw",
			 "-x" };
	struct options o = of(SCHEMA_SCAN, 15, argv);
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), 1);
	CU_ASSERT_PTR_NULL(o.value);
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), 0);
	CU_ASSERT_STRING_EQUAL(o.value, "a");
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), 0);
	CU_ASSERT_STRING_EQUAL(o.value, "b=c");
	static const char *const inputs[] = { "in", "-", "--raw", "-x" };
	for (int i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), OPTIONS_ARGUMENT);
		CU_ASSERT_STRING_EQUAL(o.value, inputs[i]);
	}
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), OPTIONS_END);
	CU_ASSERT_EQUAL_FATAL(source.n, 4);
	CU_ASSERT_STRING_EQUAL(source.option[0].value, "2048");
	CU_ASSERT_STRING_EQUAL(source.option[1].value, "true");
	CU_ASSERT_STRING_EQUAL(source.option[2].value, "false");
	CU_ASSERT_STRING_EQUAL(source.option[3].row->option, "dkim-l");
}

static void wrong(void)
{
	static const char *const args[] = { "--colour", "-x",    "--file", "--raw=1",
					    "--dns",    "--",    "--=x",   "--socket=x",
					    "--output", "--Raw", "--dkim", "---raw" };
	for (unsigned i = 0; i < sizeof args / sizeof args[0]; i++) {
		char *argv[] = { "scan", (char *)args[i] };
		struct options o = of(SCHEMA_SCAN, 2, argv);
		int want = strcmp(args[i], "--") ? OPTIONS_WRONG : OPTIONS_END;
		why[0] = 0;
		CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), want);
		CU_ASSERT_EQUAL(why[0] != 0, want == OPTIONS_WRONG);
	}
}

static void whose_settings(void)
{
	char *now[] = { "x", "--now=5" }, *out[] = { "x", "--output=f" };
	struct options o = of(SCHEMA_RUN, 2, now);
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), OPTIONS_WRONG);
	o = of(SCHEMA_RUN, 2, out);
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), OPTIONS_END);
	o = of(SCHEMA_SCAN, 2, now);
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), OPTIONS_END);
}

static void groups_and_dashes(void)
{
	char *argv[] = { "x", "--dns=none", "-", "-x", "--dkim-min-bits", "1024", "--spf-helo" };
	struct options o = of(SCHEMA_SCAN, 7, argv);
	o.groups = "now dns dkim";
	o.dash_arguments = true;
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), OPTIONS_ARGUMENT);
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), OPTIONS_ARGUMENT);
	CU_ASSERT_STRING_EQUAL(o.value, "-x");
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), OPTIONS_WRONG);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "--spf-helo"));
	CU_ASSERT_EQUAL(source.n, 2);
}

static void too_many(void)
{
	enum { N = CONFIG_OPTIONS_MAX + 2 };
	static char *argv[N];
	for (int i = 0; i < N; i++)
		argv[i] = "--digest";
	struct options o = of(SCHEMA_SCAN, N, argv);
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), OPTIONS_WRONG);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "--config"));
	o = of(SCHEMA_SCAN, N - 1, argv);
	CU_ASSERT_EQUAL(options_next(&o, why, sizeof why), OPTIONS_END);
}

TEST_MAIN("options", TEST(all_forms), TEST(wrong), TEST(whose_settings), TEST(groups_and_dashes),
	  TEST(too_many))
