/*
 * table - messages for people: one line each, totals at the end.
 *
 * Columns fit the terminal; what is longer ends in "~". Under 160 columns results have four letters
 * and there is no date and no size, under 100 no signer. Nothing from a mail reaches the terminal
 * but printable characters: controls, bad UTF-8 and marks that turn the direction of text are shown
 * as \xNN.
 */
#pragma once

#include "base/message.h"
#include "base/verdict.h"

enum { TABLE_WIDTH_MIN = 80, TABLE_WIDTH_DEFAULT = 120, TABLE_WIDTH_MAX = 400 };

struct table;

/* width: columns, clamped to the above. NULL when out of memory. */
struct table *table_new(unsigned width, bool colour);
void table_free(struct table *t);

/* Columns of the terminal at fd, TABLE_WIDTH_DEFAULT when it is none. */
unsigned table_width(int fd);

/* Each gives whole lines, borrowed until the next call. */
struct bytes table_header(struct table *t);
struct bytes table_row(struct table *t, const struct message *m);
struct bytes table_totals(struct table *t);
