/* What an arena gives is aligned, inside its memory, never twice; what does not fit is refused. */
#include "base/arena.h"
#include "tests/test.h"

#include <stdlib.h>

static void aligned_whatever_the_base(void)
{
	uint8_t mem[256];
	for (size_t shift = 0; shift < 16; shift++) {
		struct arena a;
		arena_init(&a, mem + shift, sizeof mem - shift);
		uint8_t *end = mem + shift;
		uint8_t *p;
		for (size_t n = 1; (p = arena_take(&a, n)) != NULL; n += 3) {
			CU_ASSERT_EQUAL((uintptr_t)p % 16, 0);
			CU_ASSERT(p >= end);
			end = p + n;
			CU_ASSERT(end <= mem + sizeof mem);
		}
		CU_ASSERT(a.used <= a.size);
	}
}

static void full_refuses_and_stays_usable(void)
{
	_Alignas(16) uint8_t mem[64];
	struct arena a;
	arena_init(&a, mem, sizeof mem);
	CU_ASSERT_PTR_EQUAL(arena_take(&a, 48), mem);
	CU_ASSERT_PTR_NULL(arena_take(&a, 17));
	CU_ASSERT_PTR_NULL(arena_take(&a, SIZE_MAX));
	CU_ASSERT_PTR_NULL(arena_take(&a, SIZE_MAX - 8));
	CU_ASSERT_PTR_EQUAL(arena_take(&a, 16), mem + 48);
	CU_ASSERT_PTR_NULL(arena_take(&a, 1));
	arena_reset(&a);
	arena_take(&a, 1);
	CU_ASSERT_PTR_NULL(arena_take(&a, SIZE_MAX - 8)); /* with padding in front */
	arena_reset(&a);
	CU_ASSERT_PTR_EQUAL(arena_take(&a, 64), mem);
	struct arena zero = { 0 };
	CU_ASSERT_PTR_NULL(arena_take(&zero, 0));
}

static void copy_is_a_copy(void)
{
	_Alignas(16) uint8_t mem[32];
	uint8_t text[] = "postern";
	struct arena a;
	arena_init(&a, mem, sizeof mem);
	struct bytes b = arena_copy(&a, bytes_of(text, 7));
	text[0] = 'P';
	CU_ASSERT(bytes_equal(b, bytes_str("postern")));
	CU_ASSERT_PTR_NOT_NULL(arena_copy(&a, bytes_of(NULL, 0)).p);
	b = arena_copy(&a, bytes_of(mem, 32));
	CU_ASSERT_PTR_NULL(b.p);
	CU_ASSERT_EQUAL(b.n, 0);
}

TEST_MAIN("arena", TEST(aligned_whatever_the_base), TEST(full_refuses_and_stays_usable),
	  TEST(copy_is_a_copy))
