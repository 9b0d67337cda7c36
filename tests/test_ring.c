/* What one thread pushes another pops: all of it, once, in order, with the octets it points to. */
#include "base/ring.h"
#include "tests/test.h"

#include <pthread.h>
#include <sched.h>

static void full_and_empty(void)
{
	static const unsigned sizes[] = { 1, 2, 3, 7, 8, 63, 64, 1000 };
	void *obj[1100], *out[1100];
	for (unsigned i = 0; i < 1100; i++)
		obj[i] = (void *)(uintptr_t)(i + 1);
	for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		struct ring *r = ring_new(sizes[s]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(r);
		CU_ASSERT_FATAL(ring_size(r) >= sizes[s] && ring_size(r) < 1100);
		/* often enough to go around the end at every offset */
		for (unsigned turn = 0; turn < 50; turn++) {
			CU_ASSERT_EQUAL(ring_pop(r, out, 1), 0);
			CU_ASSERT_EQUAL(ring_push(r, obj, 1), 1);
			CU_ASSERT_EQUAL(ring_pop(r, out, 10), 1);
			CU_ASSERT_EQUAL(ring_push(r, obj, 1100), ring_size(r));
			CU_ASSERT_EQUAL(ring_count(r), ring_size(r));
			CU_ASSERT_EQUAL(ring_push(r, obj, 1), 0);
			CU_ASSERT_EQUAL(ring_pop(r, out, 1100), ring_size(r));
			CU_ASSERT_EQUAL(memcmp(out, obj, ring_size(r) * sizeof *out), 0);
			CU_ASSERT_EQUAL(ring_count(r), 0);
		}
		ring_free(r);
	}
	ring_free(NULL);
}

static void impossible_sizes_are_refused(void)
{
	CU_ASSERT_PTR_NULL(ring_new(0));
	CU_ASSERT_PTR_NULL(ring_new(UINT32_MAX));
}

enum { ITEMS = 200000 };

struct pipe {
	struct ring *there, *back;
	uint64_t wrong, seen;
};

/* Plain memory on purpose: the ring alone orders the accesses. */
static void *consumer(void *arg)
{
	struct pipe *t = arg;
	void *obj[32];
	while (t->seen < ITEMS) {
		unsigned n = ring_pop(t->there, obj, 32);
		for (unsigned i = 0; i < n; i++) {
			uint64_t *v = obj[i];
			t->wrong += *v != t->seen++;
			*v = ~*v;
		}
		for (unsigned sent = 0; sent < n;)
			sent += ring_push(t->back, obj + sent, n - sent);
		if (!n)
			sched_yield();
	}
	return NULL;
}

static void two_threads(void)
{
	static uint64_t object[256];
	struct pipe t = { ring_new(100), ring_new(256), 0, 0 };
	CU_ASSERT_FATAL(t.there && t.back);
	pthread_t thread;
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, consumer, &t) == 0);
	void *free_obj[256];
	unsigned n_free = 256;
	for (unsigned i = 0; i < 256; i++)
		free_obj[i] = &object[i];
	uint64_t next = 0, back = 0, wrong = 0;
	while (back < ITEMS) {
		void *obj[16];
		unsigned n = 0;
		while (n < 16 && n_free && next + n < ITEMS) {
			obj[n] = free_obj[--n_free];
			*(uint64_t *)obj[n] = next + n;
			n++;
		}
		unsigned sent = n ? ring_push(t.there, obj, n) : 0;
		next += sent;
		while (sent < n)
			free_obj[n_free++] = obj[sent++];
		n = ring_pop(t.back, obj, 16);
		for (unsigned i = 0; i < n; i++) {
			wrong += *(uint64_t *)obj[i] != ~back++;
			free_obj[n_free++] = obj[i];
		}
		if (!n)
			sched_yield();
	}
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(t.wrong, 0);
	CU_ASSERT_EQUAL(t.seen, ITEMS);
	CU_ASSERT_EQUAL(n_free, 256);
	ring_free(t.there);
	ring_free(t.back);
}

TEST_MAIN("ring", TEST(full_and_empty), TEST(impossible_sizes_are_refused), TEST(two_threads))
