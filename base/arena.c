#include "base/arena.h"

enum { ARENA_ALIGN = 16 };

void arena_init(struct arena *a, void *mem, size_t size)
{
	*a = (struct arena){ mem, size, 0 };
}

void arena_reset(struct arena *a)
{
	a->used = 0;
}

void *arena_take(struct arena *a, size_t size)
{
	/* the address is what must be aligned: base need not be */
	size_t pad = -((uintptr_t)a->base + a->used) & (ARENA_ALIGN - 1);
	size_t left = a->size - a->used;
	if (!a->base || pad > left || size > left - pad)
		return NULL;
	void *p = a->base + a->used + pad;
	a->used += pad + size;
	return p;
}

struct bytes arena_copy(struct arena *a, struct bytes b)
{
	uint8_t *p = arena_take(a, b.n);
	if (!p)
		return (struct bytes){ NULL, 0 };
	if (b.n)
		memcpy(p, b.p, b.n);
	return bytes_of(p, b.n);
}
