/* canon: a field or a body cut anywhere, into any room and to any length, gives at every level what scalar gives of the whole. */
#include <assert.h>

#include "tests/fuzz/pieces.h"
#include "verify/kernel/canon.h"

static size_t whole(const uint8_t *p, size_t n, uint8_t kind, uint64_t limit, uint8_t *out)
{
	struct canon c;
	struct bytes in = bytes_of(p, n);
	size_t o = 0;
	canon_init(&c, NULL, kind, limit);
	while (in.n)
		o += canon_body(&c, &in, out + o, n + 64);
	while (!canon_ended(&c))
		o += canon_end(&c, out + o, 64);
	assert(o <= n + 2);
	return o;
}

/* Each call into memory that is as large as it is told. */
static size_t give(struct canon *c, struct pieces *p, struct bytes *in, const uint8_t *want)
{
	size_t cap = CANON_ROOM + pieces_random(p) % 300;
	uint8_t *room = pieces_room(cap);
	size_t n = in ? canon_body(c, in, room, cap) : canon_end(c, room, cap);
	assert(n <= cap && memcmp(room, want, n) == 0);
	free(room);
	return n;
}

/* And a header field, whose form has no levels. */
static void field(const uint8_t *data, size_t n, uint8_t *want)
{
	struct pieces p = pieces_of(data, n);
	struct canon_field a = { 0 }, b = { 0 };
	struct bytes in = bytes_of(data, n);
	size_t len = canon_field(&a, &in, want, n + 64), o = 0, k;
	assert(!in.n);
	len += canon_field_end(&a, data[0] & 1, want + len, 64);
	assert(len <= n + 2);
	while (pieces_next(&p, &in))
		for (; in.n; o += k) {
			size_t cap = CANON_ROOM + pieces_random(&p) % 200;
			uint8_t *room = pieces_room(cap);
			k = canon_field(&b, &in, room, cap);
			assert(k <= len - o && memcmp(room, want + o, k) == 0);
			free(room);
		}
	uint8_t end[CANON_ROOM];
	k = canon_field_end(&b, data[0] & 1, end, sizeof end);
	assert(o + k == len && memcmp(end, want + o, k) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct canon_ops ops[CPU_LEVEL_N];
	uint8_t *want = pieces_room(2 * n + 256);
	memset(want, 0, 2 * n + 256);
	for (int i = 0; i < 2 * ((int)cpu_level() + 1); i++) {
		struct pieces p = pieces_of(data, n);
		uint64_t limit = pieces_random(&p) % 4 ? UINT64_MAX : pieces_random(&p) % (n + 3);
		size_t len = whole(data, n, i & 1, limit, want), o = 0;
		struct canon c;
		if (i / 2 && !ops[i / 2].relaxed)
			canon_ops_init(&ops[i / 2], i / 2);
		canon_init(&c, &ops[i / 2], i & 1, limit);
		for (struct bytes in; pieces_next(&p, &in);)
			while (in.n)
				o += give(&c, &p, &in, want + o);
		while (!canon_ended(&c))
			o += give(&c, &p, NULL, want + o);
		assert(o == len);
	}
	if (n)
		field(data, n, want);
	free(want);
	return 0;
}
