#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

enum { POOL_PAGE = 4096, POOL_FILL = 256 * 1024 };

/*
 * Objects [0, fresh) have been given out at least once; those of them that came back are on the
 * stack of free indices. Large ones have their pages up to `filled`. Both maps are touched only a
 * little further than `fresh` has come, so a pool that is never used costs address space. The stack
 * lies apart from the objects: an object that was given back keeps its octets (a generation counter
 * in it goes on).
 */
struct pool {
	uint8_t *objects;
	uint32_t *stack;
	size_t size;
	uint32_t n, fresh, n_free, filled;
	unsigned shift; /* size = odd << shift */
	uint64_t inverse; /* of odd, modulo 2^64 */
};

/* x * odd == 1 modulo 2^64: Newton doubles the right bits, and odd is its own inverse modulo 8. */
static uint64_t pool_inverse(uint64_t odd)
{
	uint64_t x = odd;
	for (int i = 0; i < 5; i++)
		x *= 2 - odd * x;
	return x;
}

static size_t stack_size(const struct pool *p)
{
	return (p->n ? p->n : 1) * sizeof *p->stack;
}

struct pool *pool_new(size_t size, uint32_t n)
{
	size_t span;
	if (size == 0 || size > SIZE_MAX - 7 || n == POOL_NONE)
		return NULL;
	size = (size + 7) & ~(size_t)7;
	if (__builtin_mul_overflow(size, (size_t)(n ? n : 1), &span))
		return NULL;
	struct pool *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->size = size;
	p->n = n;
	p->shift = (unsigned)__builtin_ctzll(size);
	p->inverse = pool_inverse(size >> p->shift);
	/* large objects are read in order, which needs no huge pages, and the first touch of one
	 * would clear far more than the object */
	p->objects = memory_new(span, size < POOL_PAGE);
	p->filled = size < POOL_PAGE ? POOL_NONE : 0;
	if (!p->objects)
		goto err1;
	p->stack = memory_new(stack_size(p), true);
	if (!p->stack)
		goto err2;
	return p;
err2:
	memory_free(p->objects, span);
err1:
	free(p);
	return NULL;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	memory_free(p->objects, p->size * (p->n ? p->n : 1));
	memory_free(p->stack, stack_size(p));
	free(p);
}

/*
 * A system call on a worker: it takes the place of 64 page faults, each of which enters the kernel
 * too, and comes only while the pool has more objects out than ever before.
 */
static void fill(struct pool *p)
{
	uint32_t left = p->n - p->fresh;
	uint32_t n = p->size >= POOL_FILL ? 1 : (uint32_t)(POOL_FILL / p->size);
	n = n < left ? n : left;
	p->filled = memory_fill(p->objects + p->size * p->fresh, p->size * n) ? p->fresh + n
									      : POOL_NONE;
}

uint32_t pool_take(struct pool *p)
{
	if (p->n_free)
		return p->stack[--p->n_free];
	if (p->fresh == p->n)
		return POOL_NONE;
	if (p->fresh == p->filled)
		fill(p);
	return p->fresh++;
}

void pool_give(struct pool *p, uint32_t i)
{
	assert(i < p->fresh && p->n_free < p->fresh);
	p->stack[p->n_free++] = i;
}

void *pool_at(const struct pool *p, uint32_t i)
{
	assert(i < p->fresh);
	return p->objects + p->size * i;
}

uint32_t pool_index(const struct pool *p, const void *obj)
{
	/* an exact division, for obj is the start of an object */
	uint64_t off = (uint64_t)((const uint8_t *)obj - p->objects);
	uint64_t i = (off >> p->shift) * p->inverse;
	assert(i < p->fresh);
	return (uint32_t)i;
}

uint32_t pool_left(const struct pool *p)
{
	return p->n - p->fresh + p->n_free;
}
