/*
 * ring - pointers from one thread to one other, without locks (rte_ring on plain memory, no EAL).
 *
 * Single producer, single consumer. A pointer in the ring carries the ownership of what it points
 * to.
 */
#pragma once

#include <stdint.h>

struct ring;

/* size: at least so many pointers fit. NULL when out of memory. */
struct ring *ring_new(unsigned size);
void ring_free(struct ring *r);

/* Returns how many were taken from the front of obj; the rest did not fit. */
unsigned ring_push(struct ring *r, void *const *obj, unsigned n);
/* Returns how many were given, at most max. */
unsigned ring_pop(struct ring *r, void **obj, unsigned max);
unsigned ring_count(const struct ring *r);
unsigned ring_size(const struct ring *r);
