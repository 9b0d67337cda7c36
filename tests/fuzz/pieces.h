/*
 * pieces - an input cut at places that follow from its octets, each piece in memory of its own that
 * ends where it does, so that a sanitizer sees the first octet read too far.
 */
#pragma once

#include <stdlib.h>

#include "base/bytes.h"

struct pieces {
	struct bytes left;
	uint64_t random;
	uint8_t *memory; /* of the piece given last */
};

static inline uint64_t pieces_random(struct pieces *p)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return p->random;
}

static inline struct pieces pieces_of(const uint8_t *data, size_t n)
{
	struct pieces p = { .left = bytes_of(data, n), .random = 0x9e3779b97f4a7c15 };
	for (size_t i = 0; i < n; i++)
		p.random = (p.random ^ data[i]) * 0x100000001b3;
	p.random |= 1;
	return p;
}

/* n octets that end where their memory does. Gives malloc memory. */
static inline uint8_t *pieces_room(size_t n)
{
	uint8_t *p = malloc(n ? n : 1);
	if (!p)
		abort();
	return p;
}

/* An octet, a few, some hundred, or all that is left. False behind the last; *piece is borrowed
 * until the next call. */
static inline bool pieces_next(struct pieces *p, struct bytes *piece)
{
	static const size_t most[] = { 1, 20, 70, 300, SIZE_MAX };
	free(p->memory);
	p->memory = NULL;
	if (!p->left.n)
		return false;
	size_t n = 1 + pieces_random(p) % most[(pieces_random(p) >> 32) % 5];
	n = n < p->left.n ? n : p->left.n;
	p->memory = memcpy(pieces_room(n), p->left.p, n);
	*piece = bytes_of(p->memory, n);
	p->left = bytes_from(p->left, n);
	return true;
}
