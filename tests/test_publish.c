/*
 * publish: a reader always sees one whole snapshot, and none is freed while a reader or a message may hold it.
 */
#include "tests/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "control/publish.h"

enum { S = 1000000000 };

static struct config config(uint32_t n)
{
	struct config cfg;
	memset(&cfg, 0, sizeof cfg);
	cfg.flow_max = cfg.message_max = cfg.in_flight = n;
	cfg.dns_message_deadline_ms = 20000;
	return cfg;
}

static void readers_and_time(void)
{
	struct config one = config(1), two = config(2);
	struct publish *p = publish_new(&one, 2);
	publish_join(p, 0);
	publish_join(p, 1);
	CU_ASSERT_EQUAL(publish_config(p, 0)->flow_max, 1);
	CU_ASSERT_EQUAL(publish_swap(p, &two, 100ull * S), 0);
	CU_ASSERT_EQUAL(publish_current(p)->flow_max, 2);
	/* time alone does not free it, nor readers alone */
	CU_ASSERT_EQUAL(publish_clean(p, 1000ull * S), 1);
	CU_ASSERT_EQUAL(publish_config(p, 0)->flow_max, 2);
	CU_ASSERT_EQUAL(publish_clean(p, 1000ull * S), 1);
	CU_ASSERT_EQUAL(publish_config(p, 1)->flow_max, 2);
	CU_ASSERT_EQUAL(publish_clean(p, 139ull * S), 1);
	CU_ASSERT_EQUAL(publish_clean(p, 140ull * S), 0);
	publish_leave(p, 0);
	publish_leave(p, 1);
	publish_free(p);
}

static _Atomic bool stop;

static void *reader(void *arg)
{
	struct publish *p = arg;
	uint32_t last = 0;
	uintptr_t wrong = 0;
	publish_join(p, 0);
	while (!atomic_load(&stop)) {
		const struct config *cfg = publish_config(p, 0);
		wrong += cfg->flow_max != cfg->message_max || cfg->flow_max != cfg->in_flight ||
			 cfg->flow_max < last;
		last = cfg->flow_max;
	}
	publish_leave(p, 0);
	return (void *)wrong;
}

static void swapped_under_a_reader(void)
{
	struct config cfg = config(1);
	struct publish *p = publish_new(&cfg, 1);
	pthread_t thread;
	void *wrong;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, reader, p), 0);
	for (uint32_t i = 2; i < 20000; i++) {
		cfg = config(i);
		publish_swap(p, &cfg, 0);
		publish_clean(p, 1000ull * S); /* frees what the reader has left */
	}
	atomic_store(&stop, true);
	pthread_join(thread, &wrong);
	CU_ASSERT_PTR_NULL(wrong);
	publish_free(p);
}

TEST_MAIN("publish", TEST(readers_and_time), TEST(swapped_under_a_reader))
