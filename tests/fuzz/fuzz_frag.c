/* Any row of fragments: what comes out is made of octets that went in at their places. */
#include "dataplane/frag.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Six octets make a fragment: id and flags, offset, octets in blocks, odd octets, seconds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t room[2][1 << 17];
	static const uint8_t address[32];
	static struct stats stats;
	struct config cfg = { .fragment_max = 3, .fragment_ms = 30000 };
	struct frag *f = frag_new(&cfg, &stats);
	uint64_t now_ns = 0;
	for (size_t i = 0; i < sizeof room[0]; i++)
		room[0][i] = (uint8_t)(i * 7 / 5), room[1][i] = (uint8_t)~room[0][i];
	for (; f && n >= 6; data += 6, n -= 6) {
		struct decode_fragment in = { .src = address, .dst = address + 16 };
		in.ip_version = data[0] & 8 ? 6 : 4;
		in.id = data[0] & 7;
		in.more = data[0] & 16;
		in.offset = (uint16_t)((data[1] << 8 | data[2]) & ~7);
		in.data = bytes_of(room[data[0] >> 7] + in.offset, data[3] * 64u + data[4]);
		now_ns += data[5] * UINT64_C(100000000);
		struct bytes out;
		uint8_t protocol;
		bool done = frag_push(f, &in, now_ns, &out, &protocol);
		for (size_t i = 0; done && i < out.n; i++)
			if (out.p[i] != room[0][i] && out.p[i] != room[1][i])
				abort();
	}
	frag_free(f);
	return 0;
}
