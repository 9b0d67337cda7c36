/*
 * arena - memory that is freed all at once, on memory somebody else owns; one thread.
 */
#pragma once

#include "base/bytes.h"

struct arena {
	uint8_t *base;
	size_t size, used;
};

/* Borrows mem for the life of the arena. */
void arena_init(struct arena *a, void *mem, size_t size);
void arena_reset(struct arena *a);
/* 16-octet aligned, not zeroed; NULL when it does not fit. */
void *arena_take(struct arena *a, size_t size);
/* A copy; p NULL when it does not fit. */
struct bytes arena_copy(struct arena *a, struct bytes b);
