#include "base/memory.h"

#include <stdint.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 * 1024 * 1024 };
_Static_assert(MEMORY_SMALL % HUGE_PAGE == 0, "huge pages begin at their own bound");

void *memory_new(size_t size, bool huge)
{
	size_t all = size;
	huge = huge && size > MEMORY_SMALL;
	if (huge && __builtin_add_overflow(size, HUGE_PAGE, &all))
		return NULL;
	uint8_t *map = mmap(NULL, all, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	if (!huge)
		return map;
	size_t before = -(uintptr_t)map & (HUGE_PAGE - 1), page = 4096;
	uint8_t *p = map + before, *end = p + (size + page - 1) / page * page;
	if (before)
		munmap(map, before);
	if (end < map + all)
		munmap(end, (size_t)(map + all - end));
	madvise(p + MEMORY_SMALL, size - MEMORY_SMALL, MADV_HUGEPAGE); /* small ones do as well */
	return p;
}

bool memory_fill(void *p, size_t n)
{
	enum { PAGE = 4096, POPULATE_WRITE = 23 };
	uintptr_t from = (uintptr_t)p & ~(uintptr_t)(PAGE - 1), to = (uintptr_t)p + n;
	return madvise((void *)from, to - from, POPULATE_WRITE) == 0;
}

void memory_free(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}
