#include "verify/header/cfws.h"

struct bytes cfws_unquote(struct bytes quoted, struct arena *arena)
{
	struct bytes in = bytes_of(quoted.p + 1, quoted.n - 2);
	if (!in.n || (!memchr(in.p, '\\', in.n) && !memchr(in.p, '\r', in.n)))
		return in;
	uint8_t *out = arena_take(arena, in.n);
	size_t n = 0;
	if (!out)
		return bytes_of(NULL, 0);
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\r' && i + 1 < in.n && in.p[i + 1] == '\n') {
			i++; /* the blank behind it stays */
			continue;
		}
		if (in.p[i] == '\\' && i + 1 < in.n)
			i++;
		out[n++] = in.p[i];
	}
	return bytes_of(out, n);
}
