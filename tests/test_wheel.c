/* Every timer goes off once, never before its time, and by the first poll a tick later. */
#include "base/wheel.h"
#include "tests/test.h"

#include <stdlib.h>

static void basic(void)
{
	struct wheel *w = wheel_new(4, 8, 10);
	uint32_t due[4];
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(wheel_poll(w, 1000, due, 4), 0);
	wheel_set(w, 2, 1015);
	CU_ASSERT(wheel_is_set(w, 2));
	CU_ASSERT_FALSE(wheel_is_set(w, 1));
	CU_ASSERT_EQUAL(wheel_poll(w, 1015, due, 4), 0);
	CU_ASSERT_EQUAL(wheel_poll(w, 1019, due, 4), 0);
	CU_ASSERT_EQUAL(wheel_poll(w, 1020, due, 4), 1);
	CU_ASSERT_EQUAL(due[0], 2);
	CU_ASSERT_FALSE(wheel_is_set(w, 2));
	CU_ASSERT_EQUAL(wheel_poll(w, 5000, due, 4), 0);
	/* the past goes off with the next tick */
	wheel_set(w, 0, 7);
	CU_ASSERT_EQUAL(wheel_poll(w, 5009, due, 4), 0);
	CU_ASSERT_EQUAL(wheel_poll(w, 5010, due, 4), 1);
	/* time that goes back is no time */
	wheel_set(w, 0, 5030);
	CU_ASSERT_EQUAL(wheel_poll(w, 40, due, 4), 0);
	CU_ASSERT_EQUAL(wheel_poll(w, 5030, due, 4), 1);
	/* cancelled, and cancelled again */
	wheel_set(w, 3, 5100);
	wheel_cancel(w, 3);
	wheel_cancel(w, 3);
	CU_ASSERT_EQUAL(wheel_poll(w, 9000, due, 4), 0);
	/* many rounds ahead */
	wheel_set(w, 1, 9000 + 10 * 8 * 50);
	for (uint64_t now = 9000; now < 13000; now += 5)
		CU_ASSERT_EQUAL(wheel_poll(w, now, due, 4), 0);
	CU_ASSERT_EQUAL(wheel_poll(w, 13000, due, 4), 1);
	wheel_free(w);
	wheel_free(NULL);
}

static void more_due_than_asked_for(void)
{
	enum { N = 1000 };
	struct wheel *w = wheel_new(N, 16, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	uint8_t seen[N] = { 0 };
	for (uint32_t i = 0; i < N; i++)
		wheel_set(w, i, 100 + i % 7);
	uint32_t due[30], n, all = 0;
	while ((n = wheel_poll(w, 106, due, 30)) > 0) {
		for (uint32_t i = 0; i < n; i++)
			seen[due[i]]++;
		all += n;
	}
	CU_ASSERT_EQUAL(all, N);
	for (uint32_t i = 0; i < N; i++)
		CU_ASSERT_EQUAL(seen[i], 1);
	wheel_free(w);
}

/* Against a plain array of times. */
static void random_against_array(void)
{
	enum { N = 200, TICK = 10 };
	uint64_t rnd = 3, now = 1795255200000000000u, early = 0, late = 0, wrong = 0, fired = 0;
	struct wheel *w = wheel_new(N, 32, TICK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	static uint64_t when[N], set_at[N]; /* 0: not set */
	uint32_t due[16], n;
	wheel_poll(w, now, due, 16);
	for (int turn = 0; turn < 100000; turn++) {
		uint32_t i = (uint32_t)(test_random(&rnd) % N);
		switch (test_random(&rnd) % 4) {
		case 0:
		case 1:
			when[i] = now - 50 + test_random(&rnd) % 1000;
			set_at[i] = now;
			wheel_set(w, i, when[i]);
			break;
		case 2:
			when[i] = 0;
			wheel_cancel(w, i);
			break;
		default:
			now += test_random(&rnd) % (turn % 100 ? 20 : 5000);
			while ((n = wheel_poll(w, now, due, 16)) > 0) {
				fired += n;
				for (uint32_t k = 0; k < n; k++) {
					wrong += when[due[k]] == 0;
					early += when[due[k]] > now;
					when[due[k]] = 0;
				}
			}
			for (uint32_t k = 0; k < N; k++) {
				uint64_t from = when[k] > set_at[k] ? when[k] : set_at[k];
				late += when[k] && from + TICK <= now;
				wrong += wheel_is_set(w, k) != (when[k] != 0);
			}
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(early, 0);
	CU_ASSERT_EQUAL(late, 0);
	CU_ASSERT(fired > 5000);
	wheel_free(w);
}

static void impossible_sizes_are_refused(void)
{
	CU_ASSERT_PTR_NULL(wheel_new(1, 0, 1));
	CU_ASSERT_PTR_NULL(wheel_new(1, 1, 0));
	CU_ASSERT_PTR_NULL(wheel_new(UINT32_MAX, 1, 1));
}

TEST_MAIN("wheel", TEST(basic), TEST(more_due_than_asked_for), TEST(random_against_array),
	  TEST(impossible_sizes_are_refused))
