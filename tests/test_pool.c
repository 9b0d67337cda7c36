/* An object is held by one taker at a time, comes back last in first out, and is not touched before its first use. */
#include "base/pool.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void every_object_once(void)
{
	static const size_t sizes[] = { 1, 8, 24, 40, 56, 64, 520, 4096, 12345 };
	for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		struct pool *p = pool_new(sizes[s], 300);
		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		uint8_t seen[300] = { 0 };
		for (int i = 0; i < 300; i++) {
			uint32_t k = pool_take(p);
			CU_ASSERT_FATAL(k < 300);
			CU_ASSERT_EQUAL(seen[k]++, 0);
			memset(pool_at(p, k), (int)k, sizes[s]);
			CU_ASSERT_EQUAL(pool_index(p, pool_at(p, k)), k);
			CU_ASSERT_EQUAL((uintptr_t)pool_at(p, k) % 8, 0);
		}
		CU_ASSERT_EQUAL(pool_left(p), 0);
		for (uint32_t k = 0; k < 300; k++)
			for (size_t i = 0; i < sizes[s]; i++)
				if (((uint8_t *)pool_at(p, k))[i] != (uint8_t)k)
					CU_FAIL_FATAL("objects overlap");
		pool_free(p);
	}
}

static void empty_is_none(void)
{
	struct pool *p = pool_new(8, 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	uint32_t a = pool_take(p);
	pool_take(p);
	CU_ASSERT_EQUAL(pool_take(p), POOL_NONE);
	CU_ASSERT_EQUAL(pool_left(p), 0);
	pool_give(p, a);
	CU_ASSERT_EQUAL(pool_left(p), 1);
	CU_ASSERT_EQUAL(pool_take(p), a);
	CU_ASSERT_EQUAL(pool_take(p), POOL_NONE);
	pool_free(p);
	p = pool_new(8, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(pool_take(p), POOL_NONE);
	pool_free(p);
	pool_free(NULL);
}

static void last_freed_is_first_given_with_its_octets(void)
{
	struct pool *p = pool_new(16, 10);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	uint32_t k[4];
	for (uint32_t i = 0; i < 4; i++) {
		k[i] = pool_take(p);
		memset(pool_at(p, k[i]), 'a' + (int)i, 16);
	}
	pool_give(p, k[1]);
	pool_give(p, k[3]);
	pool_give(p, k[0]);
	CU_ASSERT_EQUAL(pool_take(p), k[0]);
	CU_ASSERT_EQUAL(pool_take(p), k[3]);
	CU_ASSERT_EQUAL(memcmp(pool_at(p, k[3]), "dddddddddddddddd", 16), 0);
	CU_ASSERT_EQUAL(pool_take(p), k[1]);
	CU_ASSERT_EQUAL(pool_left(p), 6);
	pool_free(p);
}

static void random_take_and_give(void)
{
	enum { N = 1000 };
	struct pool *p = pool_new(24, N);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	static uint32_t held[N];
	uint32_t n = 0;
	uint64_t rnd = 1;
	for (int i = 0; i < 200000; i++) {
		if (test_random(&rnd) % 2 && n < N) {
			held[n] = pool_take(p);
			CU_ASSERT_FATAL(held[n] < N);
			*(uint32_t *)pool_at(p, held[n]) = held[n] ^ 0x5a5a5a5a;
			n++;
		} else if (n) {
			uint32_t at = (uint32_t)(test_random(&rnd) % n), k = held[at];
			CU_ASSERT_FATAL(*(uint32_t *)pool_at(p, k) == (k ^ 0x5a5a5a5a));
			held[at] = held[--n];
			*(uint32_t *)pool_at(p, k) = 0;
			pool_give(p, k);
		}
		CU_ASSERT_FATAL(pool_left(p) == N - n);
	}
	pool_free(p);
}

static long resident(void)
{
	long pages = 0, rss = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%ld %ld", &pages, &rss) != 2)
		rss = -1;
	if (f)
		fclose(f);
	return rss * sysconf(_SC_PAGESIZE);
}

static void unused_memory_is_not_touched(void)
{
	long before = resident();
	struct pool *p = pool_new(1024, 16 * 1024 * 1024); /* 16 GiB */
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	for (int i = 0; i < 100; i++)
		memset(pool_at(p, pool_take(p)), 1, 1024);
	CU_ASSERT(resident() - before < 16 * 1024 * 1024);
	pool_free(p);
	before = resident();
	p = pool_new(65536, 65536);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	for (int i = 0; i < 5; i++)
		memset(pool_at(p, pool_take(p)), 1, 65536);
	CU_ASSERT(resident() - before < 1024 * 1024);
	pool_free(p);
}

static void impossible_sizes_are_refused(void)
{
	CU_ASSERT_PTR_NULL(pool_new(0, 1));
	CU_ASSERT_PTR_NULL(pool_new(SIZE_MAX, 1));
	CU_ASSERT_PTR_NULL(pool_new(SIZE_MAX / 2, 3));
	CU_ASSERT_PTR_NULL(pool_new(8, POOL_NONE));
}

TEST_MAIN("pool", TEST(every_object_once), TEST(empty_is_none),
	  TEST(last_freed_is_first_given_with_its_octets), TEST(random_take_and_give),
	  TEST(unused_memory_is_not_touched), TEST(impossible_sizes_are_refused))
