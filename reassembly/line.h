/*
 * line - short octets that outlive a packet: lines while they come in, names that a session keeps.
 *
 * A line that lies whole in one packet is lent from there and costs nothing. One that is cut waits in a
 * buffer of a growing class (256, 4,096, 12,288 octets) and is wiped when it is given back, since it may
 * be a secret. What is over LINE_LEN_MAX, or over the buffer when the pools are empty, is dropped up to the
 * line's end and marked. A name is kept in 64 or 1,024 octets, cut to what there is.
 */
#pragma once

#include "base/bytes.h"
#include "base/pool.h"

enum { LINE_LEN_MAX = 12288, /* RFC 4954 4.12 */ LINE_CLASSES = 3 };

struct line_pool; /* one per worker */

/* For so many flows. NULL when out of memory. */
struct line_pool *line_pool_new(uint32_t flow_max);
void line_pool_free(struct line_pool *pool);

/* All-zero is the start of a line. */
struct line {
	uint32_t at; /* buffer, pool index + 1; 0: none */
	uint16_t len; /* octets in it */
	uint8_t class;
	bool cut : 1; /* octets were dropped */
	bool odd : 1; /* NUL, bare CR or bare LF was seen */
	bool cr : 1; /* the last octet was CR */
};

/*
 * Takes octets up to and with the next LF; returns how many. *out has p NULL while the line is not whole, else
 * the line without its CRLF or LF, lent from in or from the buffer until line_done.
 */
size_t line_push(struct line_pool *pool, struct line *line, struct bytes in, struct bytes *out);

/* The line as far as it came: when nothing will follow. Lent until line_done. */
struct bytes line_part(const struct line_pool *pool, const struct line *line);

/* Ready for the next one; nothing is held. */
void line_done(struct line_pool *pool, struct line *line);

/* Keeps a line given out by line_push in its buffer: lent from there from now on, until line_done. */
struct bytes line_keep(struct line_pool *pool, struct line *line, struct bytes whole);

struct name {
	uint32_t at; /* pool index + 1; 0: no name, other than an empty one */
	uint16_t len;
	bool big;
};

/* Keeps a copy instead of what was there. Without memory there is none. */
void name_set(struct line_pool *pool, struct name *name, struct bytes b);
void name_clear(struct line_pool *pool, struct name *name);
struct bytes name_get(const struct line_pool *pool, const struct name *name);

/* Blocks of LINE_BLOCK octets for a queue that outgrew its session; POOL_NONE when there are none. */
enum { LINE_BLOCK = 4096 };
uint32_t line_block_take(struct line_pool *pool);
void line_block_give(struct line_pool *pool, uint32_t i);
uint8_t *line_block_at(const struct line_pool *pool, uint32_t i);

/* Buffers, names and blocks that are out, for tests of what an idle session holds. */
uint32_t line_pool_out(const struct line_pool *pool);
