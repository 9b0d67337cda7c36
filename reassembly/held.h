/*
 * held - octets that came before their turn, by sequence number: which are there, and what they
 * are.
 *
 * One pool a worker serves all streams. Octets lie in pages of HELD_PAGE of sequence space, each
 * with a bit per octet, so that one-octet segments share a page, no pattern of pieces costs more
 * than its octets, and the first copy stays. A page costs held_cost() octets of the bounds,
 * however full it is. When the pool is empty the stream that has held for the longest time loses
 * everything it held.
 * Not handled: what is more than 2^30 octets away from the other octets of its stream.
 */
#pragma once

#include "base/bytes.h"

enum { HELD_PAGE = 2048 };

struct held_pool;

/* What one stream holds: part of struct stream. Zero: nothing. */
struct held {
	uint32_t owner; /* index + 1 */
	uint32_t id; /* of the owner; differs when everything was taken from it */
};

/* memory: octets in all. NULL when out of memory. */
struct held_pool *held_pool_new(uint64_t memory);
void held_pool_free(struct held_pool *p);
/* Octets of memory a page takes. */
size_t held_cost(void);
/* Nobody holds anything, and all pages are there. */
bool held_pool_whole(const struct held_pool *p);
/* Times a stream lost everything to another one. */
uint64_t held_stolen(const struct held_pool *p);

struct held_put {
	size_t placed; /* octets from the front that need no more room; less than n: full */
	bool fresh; /* some were not there before */
	bool differs; /* some were there, and were others */
};

/*
 * Copies octets for seq on; those that are there stay as they are. ack is remembered for them. At
 * most pages pages are used by one stream.
 */
struct held_put held_put(struct held_pool *p, struct held *h, uint32_t seq, struct bytes data,
			 uint32_t ack, uint32_t pages);

/*
 * Octets from seq on without a hole, with one ack, in one page; none: n 0. Borrowed until the next
 * change.
 */
struct bytes held_at(const struct held_pool *p, const struct held *h, uint32_t seq, uint32_t *ack);

/* Something may be held in [seq, seq + n): never a false no. */
bool held_near(const struct held_pool *p, const struct held *h, uint32_t seq, size_t n);

/* The first held octet at or behind `from`, and before from + 2^31. */
bool held_first(const struct held_pool *p, const struct held *h, uint32_t from, uint32_t *seq);

/* Forgets [seq, seq + n). */
void held_drop(struct held_pool *p, struct held *h, uint32_t seq, size_t n);

/*
 * Forgets the page that is farthest behind `from`, if it starts behind `beyond`; false: there is
 * none.
 */
bool held_drop_last(struct held_pool *p, struct held *h, uint32_t from, uint32_t beyond);

/* Forgets all. */
void held_clear(struct held_pool *p, struct held *h);

/* Nothing is held (any more). */
bool held_none(const struct held_pool *p, const struct held *h);
/* Pages in use. */
uint32_t held_pages(const struct held_pool *p, const struct held *h);
