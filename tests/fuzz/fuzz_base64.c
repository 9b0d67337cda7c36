/* base64: text cut anywhere decodes at every level to the same octets or is as bad. */
#include <assert.h>
#include <stdlib.h>

#include "verify/kernel/base64.h"

static ptrdiff_t cut_up(const struct base64_ops *ops, bool mime, struct bytes in, size_t step,
			uint8_t *out)
{
	struct base64 s = { .ops = ops, .mime = mime };
	size_t cap = in.n + 3, o = 0, rest;
	for (; in.n; in = bytes_from(in, step))
		o += base64_push(&s, bytes_head(in, step), out + o, cap - o);
	return base64_end(&s, out + o, cap - o, &rest) ? (ptrdiff_t)(o + rest) : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct base64_ops ops[CPU_LEVEL_N];
	uint8_t *whole = malloc(n + 3), *cut = malloc(n + 3);
	size_t step = n ? 1 + data[n - 1] * (n > 1 ? data[0] : 1u) % 300 : 1;
	if (!whole || !cut)
		abort();
	for (int k = 0; k < 2 * ((int)cpu_level() + 1); k++) {
		if (!ops[k / 2].run)
			base64_ops_init(&ops[k / 2], k / 2);
		ptrdiff_t len = cut_up(NULL, k & 1, bytes_of(data, n), n + 1, whole);
		assert(cut_up(&ops[k / 2], k & 1, bytes_of(data, n), step, cut) == len);
		assert(len <= 0 || memcmp(whole, cut, (size_t)len) == 0);
	}
	free(whole);
	free(cut);
	return 0;
}
