#include "base/ring.h"

/* acquire and release are written out then, which costs nothing on x86 and is what race detectors
 * read */
#ifndef RTE_USE_C11_MEM_MODEL
#define RTE_USE_C11_MEM_MODEL 1
#endif
#include <rte_ring.h>
#include <stdlib.h>

enum { RING_FLAGS = RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ };

struct ring { /* the slots follow, as rte_ring lays them out */
	struct rte_ring r;
};

struct ring *ring_new(unsigned size)
{
	if (size == 0 || size >= RTE_RING_SZ_MASK / 2)
		return NULL;
	/* one slot stays empty */
	ssize_t len = rte_ring_get_memsize(rte_align32pow2(size + 1));
	if (len < 0)
		return NULL;
	struct ring *r = aligned_alloc(RTE_CACHE_LINE_SIZE,
				       RTE_ALIGN_CEIL((size_t)len, RTE_CACHE_LINE_SIZE));
	if (r && rte_ring_init(&r->r, "ring", size, RING_FLAGS) < 0) {
		free(r);
		return NULL;
	}
	return r;
}

void ring_free(struct ring *r)
{
	free(r);
}

unsigned ring_push(struct ring *r, void *const *obj, unsigned n)
{
	return rte_ring_sp_enqueue_burst(&r->r, obj, n, NULL);
}

unsigned ring_pop(struct ring *r, void **obj, unsigned max)
{
	return rte_ring_sc_dequeue_burst(&r->r, obj, max, NULL);
}

unsigned ring_count(const struct ring *r)
{
	return rte_ring_count(&r->r);
}

unsigned ring_size(const struct ring *r)
{
	return rte_ring_get_capacity(&r->r);
}
