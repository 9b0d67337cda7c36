#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const log_name[LOG_LEVEL_N] = { "error", "warning", "notice", "debug" };
static const int log_priority[LOG_LEVEL_N] = { 3, 4, 5, 7 }; /* RFC 5424 6.2.1 */

/* relaxed both ways: a line more or less while it changes does no harm */
static _Atomic int log_highest = LOG_LEVEL_NOTICE;

void log_limit(enum log_level level)
{
	atomic_store_explicit(&log_highest, (int)level, memory_order_relaxed);
}

const char *log_level_name(enum log_level level)
{
	return log_name[level];
}

size_t log_format(char line[LOG_LINE_MAX], enum log_level level, uint64_t time_ns, int journal,
		  const char *text)
{
	int n;
	if (journal) {
		n = snprintf(line, LOG_LINE_MAX, "<%d>%s", log_priority[level], text);
	} else {
		time_t s = (time_t)(time_ns / 1000000000);
		struct tm tm;
		char day[32];
		gmtime_r(&s, &tm);
		strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
		n = snprintf(line, LOG_LINE_MAX, "%s.%03uZ %s: %s", day,
			     (unsigned)(time_ns / 1000000 % 1000), log_name[level], text);
	}
	size_t len = n < 0 ? 0 : n < LOG_LINE_MAX - 1 ? (size_t)n : LOG_LINE_MAX - 1;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	return len;
}

/* systemd.exec(5): the variable has device and inode of the stream, which may have been redirected
 * since. */
static int log_is_journal(void)
{
	unsigned long long dev, ino;
	struct stat st;
	const char *stream = getenv("JOURNAL_STREAM");
	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void log_line(enum log_level level, const char *format, ...)
{
	if ((int)level > atomic_load_explicit(&log_highest, memory_order_relaxed))
		return;
	int keep = errno;
	char text[LOG_LINE_MAX], line[LOG_LINE_MAX];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	size_t n =
		log_format(line, level, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
			   log_is_journal(), text);
	/* where stderr is gone there is nobody to tell */
	ssize_t written = write(STDERR_FILENO, line, n);
	(void)written;
	errno = keep;
}
