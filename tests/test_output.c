/*
 * output: every line is in the file once and whole, or counted as failed; a renamed file is left for a new one.
 */
#include "tests/test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "control/output.h"

static char dir[] = "/tmp/postern-test-XXXXXX", path[64], moved[64];
static _Alignas(64) struct stats stats;

static struct output *fresh(void)
{
	char why[256] = "";
	unlink(path);
	unlink(moved);
	memset(&stats, 0, sizeof stats);
	struct output *o = output_new(path, &stats, why, sizeof why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	return o;
}

static bool file_is(const char *name, const char *text, size_t n)
{
	struct bytes b = test_file(name);
	bool same = bytes_equal(b, bytes_of(text, n));
	free((void *)b.p);
	return same;
}

static void lines_in_order(void)
{
	enum { LINES = 20000 };
	struct output *o = fresh();
	char *want = malloc(LINES * 32), line[32];
	size_t n = 0;
	for (int i = 0; i < LINES; i++) {
		int len = snprintf(line, sizeof line, "{\"line\":%d}\n", i);
		memcpy(want + n, line, (size_t)len);
		n += (size_t)len;
		output_line(o, bytes_of(line, (size_t)len));
	}
	output_flush(o);
	CU_ASSERT_TRUE(file_is(path, want, n));
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_RECORD_WRITTEN), LINES);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_RECORD_FAILED), 0);
	CU_ASSERT_EQUAL(output_error(o), 0);
	output_free(o);
	free(want);
}

static void longer_than_the_buffer(void)
{
	struct output *o = fresh();
	size_t n = OUTPUT_BUFFER * 2;
	char *text = malloc(n + 4);
	memset(text, 'x', n + 4);
	memcpy(text, "a\n", 2);
	memcpy(text + n, "\nb\n", 3);
	output_line(o, bytes_of(text, 2));
	output_line(o, bytes_of(text + 2, n - 1));
	output_line(o, bytes_of(text + n + 1, 2));
	output_free(o);
	CU_ASSERT_TRUE(file_is(path, text, n + 3));
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_RECORD_WRITTEN), 3);
	free(text);
}

static void reopened_after_rename(void)
{
	struct output *o = fresh();
	output_line(o, bytes_str("one\n"));
	output_flush(o);
	CU_ASSERT_EQUAL(rename(path, moved), 0);
	output_line(o, bytes_str("two\n"));
	output_flush(o); /* still the old file */
	CU_ASSERT_EQUAL(output_reopen(o), 0);
	CU_ASSERT_EQUAL(output_reopen(o), 0); /* twice before the thread comes to it */
	output_line(o, bytes_str("three\n"));
	output_free(o);
	CU_ASSERT_TRUE(file_is(moved, "one\ntwo\n", 8));
	CU_ASSERT_TRUE(file_is(path, "three\n", 6));
}

/* A file that takes only half a line: counted, and the next line begins on a line of its own. */
static void full_in_the_middle(void)
{
	struct output *o = fresh();
	struct rlimit old, small;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 10;
	setrlimit(RLIMIT_FSIZE, &small);
	output_line(o, bytes_str("first\n"));
	output_line(o, bytes_str("second\n"));
	output_line(o, bytes_str("third\n"));
	output_flush(o);
	CU_ASSERT_EQUAL(output_error(o), EFBIG);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_RECORD_WRITTEN), 1);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_RECORD_FAILED), 2);
	output_line(o, bytes_str("lost\n"));
	output_flush(o);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_RECORD_FAILED), 3);
	setrlimit(RLIMIT_FSIZE, &old);
	output_line(o, bytes_str("fourth\n"));
	output_free(o);
	CU_ASSERT_TRUE(file_is(path, "first\nseco\nfourth\n", 18));
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_RECORD_WRITTEN), 2);
}

static void cannot_be_opened(void)
{
	char why[256] = "";
	CU_ASSERT_PTR_NULL(output_new("/nonexistent/file", &stats, why, sizeof why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nonexistent/file"));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "--output"));
}

static const struct test_case cases[] = { TEST(lines_in_order), TEST(longer_than_the_buffer),
					  TEST(reopened_after_rename), TEST(full_in_the_middle),
					  TEST(cannot_be_opened) };

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/out", dir);
	snprintf(moved, sizeof moved, "%s/out.1", dir);
	int failed = test_run("output", cases, sizeof cases / sizeof cases[0]);
	unlink(path);
	unlink(moved);
	rmdir(dir);
	return failed;
}
