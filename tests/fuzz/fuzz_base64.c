/* base64: text cut anywhere decodes to the same octets or is as bad. */
#include <assert.h>
#include <stdlib.h>

#include "verify/kernel/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *whole = malloc(n + 3), *cut = malloc(n + 3);
	if (!whole || !cut)
		abort();
	ptrdiff_t len = base64_decode(bytes_of(data, n), whole, n + 3);
	size_t step = n ? 1 + data[n - 1] % 9 : 1, o = 0, rest;
	struct base64 s = { 0 };
	for (size_t i = 0; i < n; i += step)
		o += base64_push(&s, bytes_of(data + i, step < n - i ? step : n - i), cut + o,
				 n + 3 - o);
	bool good = base64_end(&s, cut + o, n + 3 - o, &rest);
	assert(good == (len >= 0));
	assert(!good || (o + rest == (size_t)len && memcmp(whole, cut, o + rest) == 0));
	free(whole);
	free(cut);
	return 0;
}
