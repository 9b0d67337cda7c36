#include "base/epoch.h"

#include <assert.h>
#include <rte_rcu_qsbr.h>
#include <stdlib.h>
#include <time.h>

struct epoch { /* the readers' counters follow, as rte_rcu lays them out */
	struct rte_rcu_qsbr v;
};

struct epoch *epoch_new(uint32_t n)
{
	if (n == 0 || n > EPOCH_READERS_MAX)
		return NULL;
	size_t size = rte_rcu_qsbr_get_memsize(n);
	struct epoch *e =
		aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE));
	if (e && rte_rcu_qsbr_init(&e->v, n) != 0) {
		free(e);
		return NULL;
	}
	return e;
}

void epoch_free(struct epoch *e)
{
	free(e);
}

void epoch_join(struct epoch *e, uint32_t reader)
{
	assert(reader < e->v.max_threads);
	rte_rcu_qsbr_thread_register(&e->v, reader);
	rte_rcu_qsbr_thread_online(&e->v, reader);
}

void epoch_leave(struct epoch *e, uint32_t reader)
{
	assert(reader < e->v.max_threads);
	rte_rcu_qsbr_thread_offline(&e->v, reader);
	rte_rcu_qsbr_thread_unregister(&e->v, reader);
}

void epoch_quiescent(struct epoch *e, uint32_t reader)
{
	rte_rcu_qsbr_quiescent(&e->v, reader);
}

uint64_t epoch_start(struct epoch *e)
{
	return rte_rcu_qsbr_start(&e->v);
}

bool epoch_passed(struct epoch *e, uint64_t grace)
{
	return rte_rcu_qsbr_check(&e->v, grace, false) == 1;
}

bool epoch_wait(struct epoch *e, uint64_t grace, uint32_t timeout_ms)
{
	static const struct timespec step = { 0, 100 * 1000 };
	struct timespec begin, now;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (!epoch_passed(e, grace)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		int64_t ms = (now.tv_sec - begin.tv_sec) * 1000 +
			     (now.tv_nsec - begin.tv_nsec) / 1000000;
		if (ms >= timeout_ms)
			return false;
		nanosleep(&step, NULL);
	}
	return true;
}
