/* quoted: text cut anywhere gives the same octets at every level, no more than there were. */
#include <assert.h>

#include "tests/fuzz/pieces.h"
#include "verify/kernel/quoted.h"

static size_t whole(const uint8_t *p, size_t n, uint8_t *out, bool *many)
{
	struct quoted s = { 0 };
	size_t o = 0;
	for (struct bytes in = bytes_of(p, n); in.n;)
		o += quoted_push(&s, &in, out + o, n + QUOTED_ROOM);
	o += quoted_end(&s, out + o, QUOTED_ROOM);
	*many = s.many;
	assert(o <= n);
	return o;
}

static size_t give(struct quoted *s, struct pieces *p, struct bytes *in, const uint8_t *want)
{
	size_t cap = QUOTED_ROOM + pieces_random(p) % 200;
	uint8_t *room = pieces_room(cap);
	size_t n = in ? quoted_push(s, in, room, cap) : quoted_end(s, room, cap);
	assert(n <= cap && memcmp(room, want, n) == 0);
	free(room);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct quoted_ops ops[CPU_LEVEL_N];
	uint8_t *want = pieces_room(2 * n + 1024);
	bool many;
	memset(want, 0, 2 * n + 1024);
	size_t len = whole(data, n, want, &many);
	for (int l = 0; l <= (int)cpu_level(); l++) {
		struct pieces p = pieces_of(data, n);
		if (!ops[l].run)
			quoted_ops_init(&ops[l], l);
		struct quoted s = { .ops = &ops[l] };
		size_t o = 0;
		for (struct bytes in; pieces_next(&p, &in);)
			while (in.n)
				o += give(&s, &p, &in, want + o);
		o += give(&s, &p, NULL, want + o);
		assert(o == len && s.many == many);
	}
	free(want);
	return 0;
}
