/*
 * textline - short octets that outlive a packet: lines while they come in, names that a session
 * keeps.
 *
 * A line that lies whole in one packet is lent from there and costs nothing. One that is cut waits
 * in a buffer of a growing class (256, 4,096, 12,288 octets) and is wiped when it is given back,
 * since it may be a secret. What is over TEXTLINE_MAX, or over the buffer when the pools are empty,
 * is dropped up to the line's end and marked. A name is kept in 64 or 1,024 octets, cut to what
 * there is.
 */
#pragma once

#include "base/bytes.h"
#include "base/pool.h"

enum { TEXTLINE_MAX = 12288, /* RFC 4954 4.12 */ TEXTLINE_CLASSES = 3 };

struct textline_pool; /* one per worker */

/* For so many flows. NULL when out of memory. */
struct textline_pool *textline_pool_new(uint32_t flow_max);
void textline_pool_free(struct textline_pool *pool);

/* All-zero is the start of a line. */
struct textline {
	uint32_t at; /* buffer, pool index + 1; 0: none */
	uint16_t len; /* octets in it */
	uint8_t class;
	bool cut : 1; /* octets were dropped */
	bool odd : 1; /* NUL, bare CR or bare LF was seen */
	bool cr : 1; /* the last octet was CR */
};

/*
 * Takes octets up to and with the next LF; returns how many. *out has p NULL while the line is not
 * whole, else the line without its CRLF or LF, lent from in or from the buffer until textline_done.
 */
size_t textline_push(struct textline_pool *pool, struct textline *line, struct bytes in,
		     struct bytes *out);

/* The line as far as it came: when nothing will follow. Lent until textline_done. */
struct bytes textline_part(const struct textline_pool *pool, const struct textline *line);

/* Ready for the next one; nothing is held. */
void textline_done(struct textline_pool *pool, struct textline *line);

/* Keeps a line given out by textline_push in its buffer: lent from there from now on, until
 * textline_done. */
struct bytes textline_keep(struct textline_pool *pool, struct textline *line, struct bytes whole);

struct textname {
	uint32_t at; /* pool index + 1; 0: no name, other than an empty one */
	uint16_t len;
	bool big;
};

/* Keeps a copy instead of what was there. Without memory there is none. */
void textname_set(struct textline_pool *pool, struct textname *name, struct bytes b);
void textname_clear(struct textline_pool *pool, struct textname *name);
struct bytes textname_get(const struct textline_pool *pool, const struct textname *name);

/* Blocks of TEXTLINE_BLOCK octets for a queue that outgrew its session; POOL_NONE when there are
 * none. */
enum { TEXTLINE_BLOCK = 4096 };
uint32_t textline_block_take(struct textline_pool *pool);
void textline_block_give(struct textline_pool *pool, uint32_t i);
uint8_t *textline_block_at(const struct textline_pool *pool, uint32_t i);

/* Buffers, names and blocks that are out, for tests of what an idle session holds. */
uint32_t textline_pool_out(const struct textline_pool *pool);
