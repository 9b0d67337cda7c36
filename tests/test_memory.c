/* Octets are zero and take memory only where they were touched, in small pages at the start of each table. */
#include "base/memory.h"
#include "tests/test.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

static size_t resident(const uint8_t *p, size_t size)
{
	size_t pages = (size + PAGE - 1) / PAGE, n = 0;
	unsigned char *there = malloc(pages);
	CU_ASSERT_PTR_NOT_NULL_FATAL(there);
	CU_ASSERT_EQUAL_FATAL(mincore((void *)p, size, there), 0);
	for (size_t i = 0; i < pages; i++)
		n += there[i] & 1;
	free(there);
	return n;
}

static void zero_to_the_last_octet(void)
{
	static const size_t sizes[] = { 1,
					PAGE,
					PAGE + 1,
					MEMORY_SMALL,
					MEMORY_SMALL + 1,
					2 * MEMORY_SMALL,
					5 * MEMORY_SMALL + 77 };
	for (unsigned s = 0; s < 2 * sizeof sizes / sizeof sizes[0]; s++) {
		size_t size = sizes[s / 2], wrong = 0;
		uint8_t *p = memory_new(size, s % 2);
		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL((uintptr_t)p % PAGE, 0);
		CU_ASSERT_EQUAL(resident(p, size), 0);
		for (size_t i = 0; i < size; i++) {
			wrong += p[i] != 0;
			p[i] = 0xff;
		}
		CU_ASSERT_EQUAL(wrong, 0);
		memory_free(p, size);
		CU_ASSERT_EQUAL(madvise(p, size, MADV_NORMAL), -1); /* the last page too is gone */
		CU_ASSERT_EQUAL(madvise(p + (size - 1) / PAGE * PAGE, 1, MADV_NORMAL), -1);
	}
}

/* whatever the system makes of the wish for huge pages */
static void little_use_is_little_memory(void)
{
	size_t size = 64 * MEMORY_SMALL;
	uint8_t *p = memory_new(size, true);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	p[0] = 1;
	p[MEMORY_SMALL - 1] = 1;
	CU_ASSERT_EQUAL(resident(p, size), 2);
	p[MEMORY_SMALL] = 1;
	CU_ASSERT(resident(p, size) <= 2 + MEMORY_SMALL / PAGE);
	memory_free(p, size);
}

/* the pages of a run of octets and no others; what is in them stays */
static void filled_pages(void)
{
	size_t size = 64 * PAGE;
	uint8_t *p = memory_new(size, false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	p[3 * PAGE] = 7;
	if (memory_fill(p + 2 * PAGE + 5, 2 * PAGE)) {
		CU_ASSERT_EQUAL(resident(p, size), 3);
		CU_ASSERT_EQUAL(resident(p + 2 * PAGE, 3 * PAGE), 3);
	}
	CU_ASSERT_EQUAL(p[3 * PAGE], 7);
	CU_ASSERT_EQUAL(p[2 * PAGE], 0);
	memory_free(p, size);
	CU_ASSERT_FALSE(memory_fill(p, PAGE));
}

static void no_room(void)
{
	CU_ASSERT_PTR_NULL(memory_new(SIZE_MAX, true));
	CU_ASSERT_PTR_NULL(memory_new(SIZE_MAX, false));
	CU_ASSERT_PTR_NULL(memory_new(SIZE_MAX / 2, true));
	memory_free(NULL, 1);
}

TEST_MAIN("memory", TEST(zero_to_the_last_octet), TEST(little_use_is_little_memory),
	  TEST(filled_pages), TEST(no_room))
