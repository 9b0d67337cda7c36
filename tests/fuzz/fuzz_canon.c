/* canon: a body cut anywhere gives the same canonical octets at every level, no longer than input and one CRLF. */
#include <assert.h>
#include <stdlib.h>

#include "verify/kernel/canon.h"

static size_t all(const struct canon_ops *ops, const uint8_t *p, size_t n, uint8_t kind,
		  size_t step, size_t cap, uint8_t *out)
{
	struct canon c;
	size_t o = 0;
	canon_init(&c, ops, kind, UINT64_MAX);
	for (size_t i = 0; i < n; i += step) {
		struct bytes in = bytes_of(p + i, step < n - i ? step : n - i);
		while (in.n)
			o += canon_body(&c, &in, out + o, cap);
	}
	while (!canon_ended(&c))
		o += canon_end(&c, out + o, cap);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct canon_ops ops[CPU_LEVEL_N];
	uint8_t *a = malloc(n + 2048), *b = malloc(n + 2048);
	static bool ready;
	for (int l = 0; !ready && l <= (int)cpu_level(); l++)
		canon_ops_init(&ops[l], l);
	ready = true;
	for (uint8_t kind = CANON_SIMPLE; a && b && kind <= CANON_RELAXED; kind++) {
		size_t len = all(NULL, data, n, kind, n + 1, 1024, a);
		size_t step = n ? 1 + data[0] * (n > 1 ? data[1] : 1u) % 300 : 1;
		assert(len <= n + 2);
		for (int l = 0; l <= (int)cpu_level(); l++) {
			assert(all(&ops[l], data, n, kind, step, CANON_ROOM + step, b) == len);
			assert(len == 0 || memcmp(a, b, len) == 0);
		}
	}
	free(a);
	free(b);
	return 0;
}
