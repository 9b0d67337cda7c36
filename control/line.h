/*
 * line - octets as they come in, whole lines out; the caller's memory.
 *
 * A line ends with LF or CRLF. One longer than max is LINE_TOO_LONG, until line_move.
 */
#pragma once

#include "base/bytes.h"

enum line_result { LINE_TOO_LONG = -1, LINE_MORE = 0, LINE_READY = 1 };

struct line {
	uint8_t *buf; /* max + LINE_EXTRA octets */
	size_t max;
	size_t start, seen, len; /* of the line; looked through so far; filled */
};

enum { LINE_EXTRA = 2 }; /* CRLF */

/* Borrows buf, of max + LINE_EXTRA octets. */
void line_init(struct line *l, void *buf, size_t max);

/* Goes on in another buffer, of max + LINE_EXTRA octets, which must hold what line_rest gives; the
 * old one is the caller's again. Ends what line_next lent. Also behind LINE_TOO_LONG. */
void line_move(struct line *l, void *buf, size_t max);

/* Where the next octets go: at most the n returned, 0 when nothing fits before line_next is called.
 * Ends what line_next lent. */
size_t line_room(struct line *l, uint8_t **p);
/* n octets were put there. */
void line_added(struct line *l, size_t n);

/* LINE_READY: *out is the line without its end, borrowed until line_room. */
enum line_result line_next(struct line *l, struct bytes *out);

/* What stands behind the last line end. */
struct bytes line_rest(const struct line *l);
