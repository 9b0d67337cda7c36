#include "control/emit.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/verdict.h"
#include "control/events.h"
#include "control/extract.h"
#include "control/maillog.h"
#include "control/output.h"
#include "control/table.h"

struct emit {
	struct emit_setup setup;
	struct events *events;
	struct table *table;
	struct maillog *log;
	struct output *out;
	struct bytes *slot; /* lines by order & mask, in malloc memory; n 0: has not come */
	uint64_t mask, next, waiting; /* waiting: slots with a line */
	uint64_t first, before; /* order that messages count from now; messages before these */
	bool flagged, failed, gone;
	bool header; /* of the table was printed */
	unsigned extract_failed;
};

struct emit *emit_new(const struct emit_setup *setup, char *why, size_t why_len)
{
	struct emit *e = calloc(1, sizeof *e);
	uint64_t size = 1;
	while (size < setup->window)
		size *= 2;
	snprintf(why, why_len, "out of memory");
	if (!e)
		return NULL;
	e->setup = *setup;
	e->mask = size - 1;
	e->slot = calloc(size, sizeof *e->slot);
	if (setup->format == EMIT_TABLE) {
		const char *no = getenv("NO_COLOR");
		e->table = table_new(table_width(STDOUT_FILENO), setup->terminal && !(no && *no));
	} else if (setup->format == EMIT_LOG) {
		e->log = maillog_new((enum config_style)setup->cfg->header_style);
	} else {
		e->events = events_new(setup->cfg);
	}
	if (e->slot && (e->table || e->log || e->events))
		e->out = output_new("-", setup->stats, why, why_len);
	if (e->out && (!setup->extract || extract_open(setup->extract, why, why_len) == 0))
		return e;
	emit_free(e);
	return NULL;
}

void emit_free(struct emit *e)
{
	if (!e)
		return;
	if (e->out)
		output_free(e->out);
	events_free(e->events);
	table_free(e->table);
	maillog_free(e->log);
	for (uint64_t i = 0; e->waiting && i <= e->mask; i++)
		free((void *)e->slot[i].p);
	free(e->slot);
	free(e);
}

void emit_restart(struct emit *e, uint64_t first)
{
	assert(!emit_ready(e));
	e->before += e->next - e->first;
	e->next = e->first = first;
}

static void extract(struct emit *e, const struct message *m)
{
	enum { SAID_MAX = 10 }; /* a full disk is said often enough by then */
	char why[512];
	if (!e->setup.extract || extract_message(e->setup.extract, m, why, sizeof why) == 0)
		return;
	e->failed = true;
	if (e->extract_failed++ < SAID_MAX)
		e->setup.complain(e->setup.ctx, why);
}

static struct bytes lines_of(struct emit *e, const struct message *m)
{
	if (e->table)
		return table_row(e->table, m);
	if (e->log)
		return maillog_lines(e->log, m, e->before + m->order - e->first + 1);
	return events_record(e->events, m);
}

void emit_push(struct emit *e, const struct message *m)
{
	struct bytes *slot = &e->slot[m->order & e->mask];
	assert(m->order - e->next <= e->mask && !slot->n);
	if (e->table && !e->header) {
		output_line(e->out, table_header(e->table));
		e->header = true;
	}
	struct bytes line = lines_of(e, m);
	e->flagged |= !m->verdict || m->verdict->action != VERDICT_ACCEPT;
	extract(e, m);
	if (m->order == e->next) {
		output_line(e->out, line);
		e->next++;
		return;
	}
	void *copy = malloc(line.n);
	if (!copy) { /* no record must be lost in silence */
		fprintf(stderr, "postern scan: out of memory\n");
		abort();
	}
	memcpy(copy, line.p, line.n);
	*slot = bytes_of(copy, line.n);
	e->waiting++;
}

unsigned emit_print(struct emit *e)
{
	unsigned n = 0;
	for (; emit_ready(e); e->next++, n++) {
		struct bytes *slot = &e->slot[e->next & e->mask];
		output_line(e->out, *slot);
		free((void *)slot->p);
		*slot = (struct bytes){ NULL, 0 };
	}
	e->waiting -= n;
	return n;
}

bool emit_ready(const struct emit *e)
{
	return e->slot[e->next & e->mask].n != 0;
}

bool emit_flush(struct emit *e)
{
	output_flush(e->out);
	int error = output_error(e->out);
	if (!error || e->gone)
		return !e->gone;
	e->gone = true;
	if (error != EPIPE) { /* who reads us may stop */
		char why[128];
		snprintf(why, sizeof why, "standard output: %s", strerror(error));
		e->setup.complain(e->setup.ctx, why);
		e->failed = true;
	}
	return false;
}

void emit_totals(struct emit *e)
{
	uint64_t first = e->next;
	for (; e->waiting; e->next++)
		emit_print(e);
	e->next = first;
	if (!e->table)
		return;
	output_line(e->out, table_totals(e->table));
	emit_flush(e);
}

uint64_t emit_order(const struct emit *e)
{
	return e->next;
}

bool emit_flagged(const struct emit *e)
{
	return e->flagged;
}

bool emit_failed(const struct emit *e)
{
	return e->failed;
}
