/*
 * output - the record file: whole lines, appended, through a buffer.
 *
 * Made by control, used by the output thread alone but for output_reopen. A line that the file does
 * not take is counted and left out; a line that it took half is ended before the next one.
 */
#pragma once

#include "base/bytes.h"
#include "base/stats.h"

enum { OUTPUT_BUFFER = 256 * 1024 };

struct output;

/* path "-" is standard output. Borrows stats for its life. NULL: why has one line with the cure. */
struct output *output_new(const char *path, struct stats *stats, char *why, size_t why_len);
/* Writes what is buffered. */
void output_free(struct output *o);

/* Takes a copy of one line with its newline; writes when the buffer is full. */
void output_line(struct output *o, struct bytes line);
/* Writes what is buffered. */
void output_flush(struct output *o);

/*
 * Opens the path anew, for a file that was renamed; by the control thread, in use from the next
 * flush on. Nothing happens with standard output. 0 or -errno: the old one stays.
 */
int output_reopen(struct output *o);

/* errno of the last write, 0 when it went well; by any thread. */
int output_error(const struct output *o);
