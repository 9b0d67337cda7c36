/* origin: the name a hop said lies in its field, and an address is only told where it stands there as text. */
#include <assert.h>

#include "verify/auth/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct origin_hop hop;
	struct bytes in = bytes_of(data, n);
	if (!origin_received(in, &hop))
		return 0;
	assert(!hop.helo.n || (hop.helo.p >= in.p && hop.helo.p + hop.helo.n <= in.p + in.n));
	assert(memchr(in.p, '(', in.n));
	assert(memchr(in.p, '.', in.n) || memchr(in.p, ':', in.n));
	return 0;
}
