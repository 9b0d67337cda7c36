/* A call makes one line, whatever is in the text, and none above the limit. */
#include "base/log.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t instant = 1795255200123000000u; /* 2026-11-21 10:00:00.123 */

static void both_forms(void)
{
	char line[LOG_LINE_MAX];
	size_t n = log_format(line, LOG_LEVEL_WARNING, instant, 0, "port 1 is down");
	CU_ASSERT(bytes_equal(bytes_of(line, n),
			      bytes_str("2026-11-21T10:00:00.123Z warning: port 1 is down\n")));
	n = log_format(line, LOG_LEVEL_ERROR, instant, 1, "port 1 is down");
	CU_ASSERT(bytes_equal(bytes_of(line, n), bytes_str("<3>port 1 is down\n")));
}

static void one_line_whatever_is_in_it(void)
{
	char line[LOG_LINE_MAX];
	size_t n = log_format(line, LOG_LEVEL_NOTICE, instant, 1, "a\nb\rc\033d\x7f\xc3\xa4");
	CU_ASSERT(bytes_equal(bytes_of(line, n), bytes_str("<5>a?b?c?d?\xc3\xa4\n")));
	char text[3 * LOG_LINE_MAX];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	n = log_format(line, LOG_LEVEL_NOTICE, instant, 0, text);
	CU_ASSERT_EQUAL(n, LOG_LINE_MAX);
	CU_ASSERT_EQUAL(line[n - 1], '\n');
	CU_ASSERT_EQUAL(line[n - 2], 'x');
}

/* What three calls leave on stderr, in out; journal: JOURNAL_STREAM names that stderr, else another stream. */
static size_t captured(char *out, size_t size, bool journal)
{
	struct stat st;
	char stream[64];
	int pipes[2], saved = dup(STDERR_FILENO);
	CU_ASSERT_FATAL(pipe(pipes) == 0 && saved >= 0);
	dup2(pipes[1], STDERR_FILENO);
	CU_ASSERT_FATAL(fstat(pipes[1], &st) == 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino + !journal);
	setenv("JOURNAL_STREAM", stream, 1);
	log_line(LOG_LEVEL_ERROR, "one %d", 1);
	log_line(LOG_LEVEL_NOTICE, "two %s", "2");
	log_line(LOG_LEVEL_DEBUG, "three");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	ssize_t n = read(pipes[0], out, size);
	close(pipes[0]);
	return n > 0 ? (size_t)n : 0;
}

static void limit(void)
{
	char out[4096];
	CU_ASSERT(bytes_equal(bytes_of(out, captured(out, sizeof out, true)),
			      bytes_str("<3>one 1\n<5>two 2\n")));
	log_limit(LOG_LEVEL_ERROR);
	CU_ASSERT(bytes_equal(bytes_of(out, captured(out, sizeof out, true)),
			      bytes_str("<3>one 1\n")));
	log_limit(LOG_LEVEL_DEBUG);
	CU_ASSERT(bytes_equal(bytes_of(out, captured(out, sizeof out, true)),
			      bytes_str("<3>one 1\n<5>two 2\n<7>three\n")));
	log_limit(LOG_LEVEL_ERROR);
	size_t n = captured(out, sizeof out, false);
	CU_ASSERT(n > 20 && out[10] == 'T' && out[23] == 'Z');
	CU_ASSERT_STRING_EQUAL(log_level_name(LOG_LEVEL_WARNING), "warning");
}

TEST_MAIN("log", TEST(both_forms), TEST(one_line_whatever_is_in_it), TEST(limit))
