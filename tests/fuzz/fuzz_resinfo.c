/* resinfo: parts lie in the value or the arena, and reading goes on to the end. */
#include <assert.h>

#include "verify/auth/resinfo.h"

static _Alignas(16) uint8_t memory[1 << 17];

static bool inside(struct bytes part, struct bytes whole)
{
	return !part.n || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n) ||
	       (part.p >= memory && part.p + part.n <= memory + sizeof memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena arena;
	struct resinfo_list l;
	struct resinfo r;
	struct bytes in = bytes_of(data, n);
	arena_init(&arena, memory, sizeof memory);
	if (!resinfo_begin(&l, in, n & 1, &arena))
		return 0;
	assert(l.id.n && inside(l.id, in) && inside(l.version, in));
	size_t results = 0;
	while (resinfo_next(&l, &r)) {
		results++;
		assert(r.method.n && r.result.n && inside(r.method, in) && inside(r.result, in));
		for (unsigned i = 0; i < r.n; i++)
			assert(r.property[i].name.n && inside(r.property[i].value, in));
	}
	assert(results + l.malformed <= n);
	return 0;
}
