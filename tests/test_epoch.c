/* A grace period passes when, and only when, every reader has let go of what it held. */
#include "base/epoch.h"
#include "tests/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

static void passes_when_all_were_quiescent(void)
{
	struct epoch *e = epoch_new(3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	CU_ASSERT(epoch_passed(e, epoch_start(e))); /* no readers */
	for (uint32_t i = 0; i < 3; i++)
		epoch_join(e, i);
	uint64_t grace = epoch_start(e);
	CU_ASSERT_FALSE(epoch_passed(e, grace));
	epoch_quiescent(e, 0);
	epoch_quiescent(e, 2);
	epoch_quiescent(e, 2);
	CU_ASSERT_FALSE(epoch_passed(e, grace));
	CU_ASSERT_FALSE(epoch_wait(e, grace, 5));
	epoch_quiescent(e, 1);
	CU_ASSERT(epoch_passed(e, grace));
	CU_ASSERT(epoch_wait(e, grace, 0));
	grace = epoch_start(e);
	epoch_quiescent(e, 0);
	epoch_quiescent(e, 1);
	CU_ASSERT_FALSE(epoch_passed(e, grace));
	epoch_leave(e, 2);
	CU_ASSERT(epoch_passed(e, grace));
	epoch_leave(e, 0);
	epoch_leave(e, 1);
	epoch_free(e);
	epoch_free(NULL);
}

static void impossible_sizes_are_refused(void)
{
	CU_ASSERT_PTR_NULL(epoch_new(0));
	CU_ASSERT_PTR_NULL(epoch_new(EPOCH_READERS_MAX + 1));
	struct epoch *e = epoch_new(EPOCH_READERS_MAX);
	CU_ASSERT_PTR_NOT_NULL(e);
	epoch_free(e);
}

enum { READERS = 2, SWAPS = 300, DEAD = 0x0dead };

struct snapshot {
	uint64_t a, b;
};

struct shared {
	struct epoch *e;
	_Atomic(struct snapshot *) now;
	_Atomic bool stop;
	_Atomic uint64_t torn, turns;
};

struct reader {
	struct shared *s;
	uint32_t id;
};

static void *reader(void *arg)
{
	struct reader *r = arg;
	struct shared *s = r->s;
	epoch_join(s->e, r->id);
	while (!atomic_load(&s->stop)) {
		/* pairs with the exchange in swaps_under_readers */
		struct snapshot *now = atomic_load_explicit(&s->now, memory_order_acquire);
		for (int i = 0; i < 50; i++)
			if (now->a + 1 != now->b)
				atomic_fetch_add(&s->torn, 1);
		epoch_quiescent(s->e, r->id);
		atomic_fetch_add(&s->turns, 1);
	}
	epoch_leave(s->e, r->id);
	return NULL;
}

/* Under the thread and address sanitizers a reader that still holds an old snapshot is found as well. */
static void swaps_under_readers(void)
{
	struct shared s = { .e = epoch_new(READERS) };
	struct reader r[READERS];
	pthread_t thread[READERS];
	struct snapshot *first = malloc(sizeof *first);
	CU_ASSERT_FATAL(s.e && first);
	*first = (struct snapshot){ 0, 1 };
	atomic_store(&s.now, first);
	for (uint32_t i = 0; i < READERS; i++) {
		r[i] = (struct reader){ &s, i };
		CU_ASSERT_FATAL(pthread_create(&thread[i], NULL, reader, &r[i]) == 0);
	}
	while (atomic_load(&s.turns) < 10)
		sched_yield();
	unsigned late = 0;
	for (uint64_t v = 1; v <= SWAPS; v++) {
		struct snapshot *next = malloc(sizeof *next);
		CU_ASSERT_FATAL(next != NULL);
		*next = (struct snapshot){ v, v + 1 };
		/* pairs with the load in reader */
		struct snapshot *old = atomic_exchange_explicit(&s.now, next, memory_order_acq_rel);
		if (!epoch_wait(s.e, epoch_start(s.e), 10000)) {
			late++;
			break;
		}
		*old = (struct snapshot){ DEAD, DEAD };
		free(old);
	}
	atomic_store(&s.stop, true);
	for (uint32_t i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	CU_ASSERT_EQUAL(late, 0);
	CU_ASSERT_EQUAL(atomic_load(&s.torn), 0);
	CU_ASSERT(atomic_load(&s.turns) > SWAPS);
	free(atomic_load(&s.now));
	epoch_free(s.e);
}

TEST_MAIN("epoch", TEST(passes_when_all_were_quiescent), TEST(impossible_sizes_are_refused),
	  TEST(swaps_under_readers))
