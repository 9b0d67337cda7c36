/*
 * log - one line on stderr for the operator. Of control, and at start: never in the loop of a worker.
 *
 * "2026-11-21T10:00:00.000Z warning: text", or "<4>text" when stderr is the journal (as
 * JOURNAL_STREAM says), which keeps the time itself. A line is one write of at most LOG_LINE_MAX
 * octets, cut there; control characters in it become '?', so that no text from outside makes a
 * second line.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LOG_LINE_MAX = 1024 };

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_N
};

/* Lines above this level are left out; LOG_LEVEL_NOTICE until it is called. Any thread. */
void log_limit(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What log_line writes, with its newline. journal asks for the second form. Returns its length, at
 * most LOG_LINE_MAX. */
size_t log_format(char line[LOG_LINE_MAX], enum log_level level, uint64_t time_ns, int journal,
		  const char *text);

/* error, warning, notice or debug, a static string. */
const char *log_level_name(enum log_level level);
