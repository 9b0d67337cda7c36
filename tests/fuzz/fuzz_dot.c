/* Every level at every cut copies, flags and ends as scalar does on the whole. */
#include <assert.h>

#include "reassembly/dot.h"
#include "tests/fuzz/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct dot_ops ops[CPU_LEVEL_N];
	const struct dot_ops scalar = { 0 };
	bool raw = n && data[0] & 1;
	uint8_t *want = pieces_room(n + 2);
	struct dot a = { .raw = raw };
	size_t used, len = dot_copy(&scalar, &a, want, n + 2, data, n, &used);
	for (int l = 0; l <= (int)cpu_level(); l++) {
		struct pieces p = pieces_of(data, n);
		struct dot b = { .raw = raw };
		size_t o = 0, all = 0, k;
		if (l && !ops[l].plain)
			dot_ops_init(&ops[l], l);
		for (struct bytes in; pieces_next(&p, &in);)
			while (in.n && b.state != DOT_END) {
				size_t cap = 2 + pieces_random(&p) % (in.n + 40);
				uint8_t *room = pieces_room(cap);
				size_t m = dot_copy(&ops[l], &b, room, cap, in.p, in.n, &k);
				assert(m <= cap && m <= len - o && k <= in.n);
				assert(memcmp(room, want + o, m) == 0);
				free(room);
				o += m;
				all += k;
				in = bytes_from(in, k);
			}
		assert(o == len && all == used && a.state == b.state && a.flags == b.flags);
	}
	free(want);
	return 0;
}
