/*
 * emit - judged messages in any order -> lines in the order the messages ended, and their files.
 *
 * Lines wait in a window until all before them were printed, so the octets printed do not depend on
 * the number of threads. One thread.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/stats.h"

struct emit;

enum emit_format { EMIT_JSON, EMIT_TABLE, EMIT_LOG }; /* events, table, maillog */

struct emit_setup {
	const struct config *cfg; /* all borrowed for its life */
	struct stats *stats;
	enum emit_format format;
	bool terminal; /* standard output is one */
	const char *extract; /* folder, or NULL */
	uint32_t window; /* messages that may be out at once */
	/* one line for stderr, without a newline */
	void (*complain)(void *ctx, const char *line);
	void *ctx;
};

/* NULL: why has one line. */
struct emit *emit_new(const struct emit_setup *setup, char *why, size_t why_len);
void emit_free(struct emit *e);

/* message.order counts from first for what comes now; nothing waits. Numbers in a log go on. */
void emit_restart(struct emit *e, uint64_t first);

/*
 * Borrows m, whose order is less than `window` after the one printed last: its line is made now and
 * waits for those before it, so that the message's memory does not.
 */
void emit_push(struct emit *e, const struct message *m);

/* Prints what is next in order; returns how many lines. */
unsigned emit_print(struct emit *e);

/* True when emit_print would print. */
bool emit_ready(const struct emit *e);

/* Writes out what is buffered. False: standard output takes no more. */
bool emit_flush(struct emit *e);
/* The end: lines that still wait for others before them, then the totals of a table. */
void emit_totals(struct emit *e);

/* Number in order of the next message to print. */
uint64_t emit_order(const struct emit *e);
bool emit_flagged(const struct emit *e);
/* True when a file could not be written, or standard output for another reason than its reader's
 * end. */
bool emit_failed(const struct emit *e);
