/* quoted: text cut anywhere gives the same octets at every level, no more than there were. */
#include <assert.h>
#include <stdlib.h>

#include "verify/kernel/quoted.h"

static size_t cut_up(const struct quoted_ops *ops, struct bytes in, size_t step, size_t cap,
		     uint8_t *out)
{
	struct quoted s = { .ops = ops };
	size_t o = 0;
	for (; in.n; in = bytes_from(in, step))
		for (struct bytes piece = bytes_head(in, step); piece.n;)
			o += quoted_push(&s, &piece, out + o, cap);
	return o + quoted_end(&s, out + o, cap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct quoted_ops ops[CPU_LEVEL_N];
	size_t step = n ? 1 + data[n - 1] * (n > 1 ? data[0] : 1u) % 300 : 1;
	uint8_t *whole = malloc(n + 1024), *cut = malloc(n + 1024);
	if (!whole || !cut)
		abort();
	size_t len = cut_up(NULL, bytes_of(data, n), n + 1, 512, whole);
	assert(len <= n);
	for (int l = 0; l <= (int)cpu_level(); l++) {
		if (!ops[l].run)
			quoted_ops_init(&ops[l], l);
		assert(cut_up(&ops[l], bytes_of(data, n), step, QUOTED_ROOM + step, cut) == len);
		assert(memcmp(whole, cut, len) == 0);
	}
	free(whole);
	free(cut);
	return 0;
}
