/*
 * replies - commands that wait for their reply, in order: one octet each.
 *
 * Up to REPLIES_FEW lie in the session itself, more in a block of the worker's pool, at most
 * REPLIES_MAX. When that is full, or no block is left, the client has to wait (replies_push is
 * false).
 */
#pragma once

#include "reassembly/textline.h"

enum { REPLIES_FEW = 16, REPLIES_MAX = TEXTLINE_BLOCK };

/* All-zero is empty. */
struct replies {
	uint8_t few[REPLIES_FEW];
	uint32_t block; /* pool index + 1 */
	uint16_t head, n;
};

/* There is room for k more, after moving to a block if need be. */
bool replies_room(struct textline_pool *pool, struct replies *r, unsigned k);
bool replies_push(struct textline_pool *pool, struct replies *r, uint8_t kind);
/* The i-th oldest, i < r->n. */
uint8_t replies_at(const struct textline_pool *pool, const struct replies *r, unsigned i);
void replies_set_last(struct textline_pool *pool, struct replies *r, uint8_t kind);
uint8_t replies_pop(struct textline_pool *pool, struct replies *r);
void replies_clear(struct textline_pool *pool, struct replies *r);
