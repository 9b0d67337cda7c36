/* base64: text cut anywhere decodes at every level, in any room, to the same octets or is as bad. */
#include <assert.h>

#include "tests/fuzz/pieces.h"
#include "verify/kernel/base64.h"

static ptrdiff_t whole(struct bytes in, bool mime, uint8_t *out, size_t cap)
{
	struct base64 s = { .mime = mime };
	size_t rest, o = base64_push(&s, in, out, cap);
	return base64_end(&s, out + o, cap - o, &rest) ? (ptrdiff_t)(o + rest) : -1;
}

static ptrdiff_t cut_up(const struct base64_ops *ops, bool mime, struct pieces *p, uint8_t *out,
			size_t cap)
{
	struct base64 s = { .ops = ops, .mime = mime };
	size_t o = 0, rest;
	for (struct bytes in; pieces_next(p, &in);)
		o += base64_push(&s, in, out + o, cap - o);
	return base64_end(&s, out + o, cap - o, &rest) ? (ptrdiff_t)(o + rest) : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct base64_ops ops[CPU_LEVEL_N];
	for (int i = 0; i < 2 * ((int)cpu_level() + 1); i++) {
		struct pieces p = pieces_of(data, n);
		size_t cap = pieces_random(&p) % 4 ? n + 3 : pieces_random(&p) % (n + 3);
		uint8_t *want = pieces_room(cap), *have = pieces_room(cap);
		ptrdiff_t len = whole(bytes_of(data, n), i & 1, want, cap);
		if (i / 2 && !ops[i / 2].run)
			base64_ops_init(&ops[i / 2], i / 2);
		if (len > 0 && pieces_random(&p) % 2) { /* just the room it takes */
			free(have);
			cap = (size_t)len;
			have = pieces_room(cap);
		}
		assert(cut_up(&ops[i / 2], i & 1, &p, have, cap) == len);
		assert(len <= 0 || memcmp(want, have, (size_t)len) == 0);
		free(want);
		free(have);
	}
	return 0;
}
