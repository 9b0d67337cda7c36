/*
 * publish: a reader always sees one whole snapshot, and none is freed while a reader or a message may hold it.
 */
#include "tests/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "control/publish.h"

static _Atomic unsigned dropped;

/* What hangs on a snapshot here is an octet of the heap: a sanitizer sees when it is used too late. */
static void drop(struct config *cfg)
{
	free((void *)cfg->profiles);
	cfg->profiles = NULL;
	atomic_fetch_add(&dropped, 1);
}

static struct config config(uint32_t n)
{
	struct config cfg;
	uint8_t *hung = malloc(1);
	memset(&cfg, 0, sizeof cfg);
	*hung = (uint8_t)n;
	cfg.profiles = (const struct profiles *)hung;
	cfg.flow_max = cfg.message_max = cfg.in_flight = n;
	return cfg;
}

static void message_begin(const struct config *cfg)
{
	atomic_fetch_add_explicit(cfg->users, 1, memory_order_relaxed);
}

static void message_end(const struct config *cfg)
{
	atomic_fetch_sub_explicit(cfg->users, 1, memory_order_release);
}

static void readers_and_messages(void)
{
	struct config one = config(1), two = config(2), three = config(3);
	struct publish *p = publish_new(&one, 2, drop);
	atomic_store(&dropped, 0);
	publish_join(p, 0);
	publish_join(p, 1);
	const struct config *first = publish_config(p, 0);
	CU_ASSERT_EQUAL(first->flow_max, 1);
	message_begin(first);
	message_begin(first);
	CU_ASSERT_EQUAL(publish_swap(p, &two), 0);
	CU_ASSERT_EQUAL(publish_current(p)->flow_max, 2);
	CU_ASSERT_EQUAL(publish_clean(p), 1);
	CU_ASSERT_EQUAL(publish_config(p, 0)->flow_max, 2);
	CU_ASSERT_EQUAL(publish_clean(p), 1);
	/* readers alone do not free it */
	CU_ASSERT_EQUAL(publish_config(p, 1)->flow_max, 2);
	CU_ASSERT_EQUAL(publish_clean(p), 1);
	message_end(first);
	CU_ASSERT_EQUAL(publish_clean(p), 1);
	CU_ASSERT_EQUAL(*(const uint8_t *)first->profiles, 1);
	/* a message does not hold a newer one, nor an older one longer */
	CU_ASSERT_EQUAL(publish_swap(p, &three), 0);
	CU_ASSERT_EQUAL(publish_config(p, 0)->flow_max, 3);
	CU_ASSERT_EQUAL(publish_config(p, 1)->flow_max, 3);
	CU_ASSERT_EQUAL(publish_clean(p), 1);
	CU_ASSERT_EQUAL(atomic_load(&dropped), 1);
	message_end(first);
	CU_ASSERT_EQUAL(publish_clean(p), 0);
	CU_ASSERT_EQUAL(atomic_load(&dropped), 2);
	publish_leave(p, 0);
	publish_leave(p, 1);
	publish_free(p);
	CU_ASSERT_EQUAL(atomic_load(&dropped), 3);
}

/* No message alone frees it either: a reader may be about to begin one. */
static void messages_alone(void)
{
	struct config one = config(1), two = config(2);
	struct publish *p = publish_new(&one, 1, drop);
	publish_join(p, 0);
	const struct config *first = publish_config(p, 0);
	CU_ASSERT_EQUAL(publish_swap(p, &two), 0);
	CU_ASSERT_EQUAL(publish_clean(p), 1);
	message_begin(first);
	publish_config(p, 0);
	CU_ASSERT_EQUAL(publish_clean(p), 1);
	message_end(first);
	CU_ASSERT_EQUAL(publish_clean(p), 0);
	publish_leave(p, 0);
	/* what is still held goes with the whole */
	struct config three = config(3);
	CU_ASSERT_EQUAL(publish_swap(p, &three), 0);
	publish_free(p);
}

/* A reader tells a new one by its address, so none lies where one lay that it may still remember. */
static void never_the_same_address(void)
{
	struct config cfg = config(0);
	struct publish *p = publish_new(&cfg, 1, drop);
	publish_join(p, 0);
	for (uint32_t i = 1; i < 1000; i++) {
		const struct config *first = publish_config(p, 0);
		cfg = config(i);
		CU_ASSERT_EQUAL(publish_swap(p, &cfg), 0);
		CU_ASSERT_PTR_NOT_EQUAL(publish_config(p, 0), first);
		/* nothing hangs on the first any more, but the reader has not passed since */
		CU_ASSERT_EQUAL(publish_clean(p), 0);
		CU_ASSERT_EQUAL(publish_clean(p), 0);
		cfg = config(i);
		CU_ASSERT_EQUAL(publish_swap(p, &cfg), 0);
		CU_ASSERT_PTR_NOT_EQUAL(publish_current(p), first);
		publish_clean(p);
	}
	publish_leave(p, 0);
	publish_free(p);
}

static _Atomic bool stop;
enum { READERS = 2, KEPT = 16 };

struct turns {
	struct publish *p;
	unsigned reader;
	uintptr_t wrong;
};

static bool whole(const struct config *cfg)
{
	return cfg->flow_max == cfg->message_max && cfg->flow_max == cfg->in_flight &&
	       *(const uint8_t *)cfg->profiles == (uint8_t)cfg->flow_max;
}

/* Keeps a row of messages, each begun under the snapshot of its turn and looked at until its end. */
static void *reader(void *arg)
{
	struct turns *t = arg;
	const struct config *kept[KEPT] = { NULL };
	uint32_t last = 0, turn = 0;
	publish_join(t->p, t->reader);
	while (!atomic_load(&stop)) {
		const struct config *cfg = publish_config(t->p, t->reader);
		t->wrong += !whole(cfg) || cfg->flow_max < last;
		last = cfg->flow_max;
		unsigned i = turn++ % KEPT;
		if (kept[i]) {
			t->wrong += !whole(kept[i]);
			message_end(kept[i]);
		}
		message_begin(cfg);
		kept[i] = cfg;
	}
	for (unsigned i = 0; i < KEPT; i++)
		if (kept[i]) {
			t->wrong += !whole(kept[i]);
			message_end(kept[i]);
		}
	publish_leave(t->p, t->reader);
	return NULL;
}

static void swapped_under_readers(void)
{
	enum { SWAPS = 20000 };
	struct config cfg = config(1);
	struct publish *p = publish_new(&cfg, READERS, drop);
	pthread_t thread[READERS];
	struct turns t[READERS];
	unsigned most = 0;
	atomic_store(&dropped, 0);
	for (unsigned i = 0; i < READERS; i++) {
		t[i] = (struct turns){ .p = p, .reader = i };
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, reader, &t[i]), 0);
	}
	for (uint32_t i = 2; i < SWAPS; i++) {
		cfg = config(i);
		publish_swap(p, &cfg);
		unsigned kept = publish_clean(p);
		most = kept > most ? kept : most;
		for (int turn = 0; kept > 100 && turn < 1000; turn++)
			kept = publish_clean(p);
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(thread[i], NULL);
		CU_ASSERT_EQUAL(t[i].wrong, 0);
	}
	/* all but the last are free: nothing holds them */
	CU_ASSERT_EQUAL(publish_clean(p), 0);
	CU_ASSERT_EQUAL(atomic_load(&dropped), SWAPS - 2);
	publish_free(p);
}

TEST_MAIN("publish", TEST(readers_and_messages), TEST(messages_alone), TEST(never_the_same_address),
	  TEST(swapped_under_readers))
