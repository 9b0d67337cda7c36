/* Every level at every cut copies, flags and ends as scalar does on the whole. */
#include "reassembly/dot.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 2 || n > 4096)
		return 0;
	size_t cut = 1 + data[0] * 7u % 700, used, m;
	struct dot a = { .raw = data[1] & 1 }, b = a;
	static struct dot_ops ops[CPU_LEVEL_N]; /* made once: each passes a self-test */
	static bool made;
	for (int level = 0; !made && level <= (int)cpu_level(); level++)
		dot_ops_init(&ops[level], level);
	made = true;
	uint8_t want[4200], got[4200];
	size_t want_n = dot_copy(&ops[0], &a, want, sizeof want, data, n, &used);
	for (int level = 0; level <= (int)cpu_level(); level++) {
		size_t i = 0, o = 0;
		for (b = (struct dot){ .raw = data[1] & 1 }; i < n && b.state != DOT_END; i += m) {
			size_t len = cut < n - i ? cut : n - i;
			o += dot_copy(&ops[level], &b, got + o, sizeof got - o, data + i, len, &m);
		}
		if (o != want_n || i != used || a.state != b.state || a.flags != b.flags ||
		    memcmp(want, got, o) != 0)
			abort();
	}
	return 0;
}
