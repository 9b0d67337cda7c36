/*
 * trace - the steps of the checks of one message, for people: off unless somebody asked.
 *
 * A check that is stepped again begins its own part anew. A line over TRACE_LINE_MAX octets is cut
 * ("..."); lines that TRACE_ROOM octets of a part cannot hold are left out, and the last line says
 * how many.
 */
#pragma once

#include "base/bytes.h"

enum { TRACE_LINE_MAX = 4096, TRACE_ROOM = 256 * 1024 };

enum trace_part {
	TRACE_FROM,
	TRACE_SPF,
	TRACE_DKIM,
	TRACE_ARC,
	TRACE_DMARC,
	TRACE_NAMES,
	TRACE_POLICY,
	TRACE_PART_N
};

struct trace;

/* NULL when out of memory. */
struct trace *trace_new(void);
void trace_free(struct trace *t);

/* The check begins, or begins again. t may be NULL here and below. */
void trace_begin(struct trace *t, enum trace_part part);
/* One line, indented by depth; octets of mail or DNS come in as %.*s (up to a NUL) and are made
 * printable: \xNN where they are not ASCII, \\ for a backslash. */
void trace_line(struct trace *t, enum trace_part part, unsigned depth, const char *form, ...)
	__attribute__((format(printf, 4, 5)));
/* All lines of a part, borrowed until the next call on t. */
struct bytes trace_text(struct trace *t, enum trace_part part);
