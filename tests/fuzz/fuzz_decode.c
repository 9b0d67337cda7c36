/* Any octets as a frame, its link in the first: what is found lies inside, and a shorter capture of it finds no other segment. */
#include "dataplane/decode.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum decode_outcome run(struct packet *pkt, uint8_t link, const uint8_t *p, size_t n,
			       size_t wire)
{
	struct decode_fragment frag;
	*pkt = (struct packet){ .data = p, .len = (uint32_t)n, .link = link & 7 };
	pkt->wire_len = (uint32_t)wire;
	enum decode_outcome r = decode_frame(pkt, sum_octets, &frag);
	if (r == DECODE_TCP && (pkt->payload < p || pkt->payload + pkt->payload_len > p + n ||
				pkt->src < p || pkt->dst + 4 > p + n))
		abort();
	if (r == DECODE_FRAGMENT && (frag.data.p < p || frag.data.p + frag.data.n > p + n))
		abort();
	if (r == DECODE_FRAGMENT)
		decode_datagram(pkt, frag.data, frag.protocol, frag.layers, sum_octets, &frag);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct packet whole, part;
	if (n-- == 0)
		return 0;
	uint8_t link = *data++;
	if (run(&whole, link, data, n, n) != DECODE_TCP || !whole.payload_len)
		return 0;
	uint8_t *p = malloc(n - 1);
	/* one octet less is kept: it was padding, or it is missing from the payload */
	if (p && run(&part, link, memcpy(p, data, n - 1), n - 1, n) == DECODE_TCP &&
	    part.payload_len + part.payload_cut != whole.payload_len + whole.payload_cut)
		abort();
	free(p);
	return 0;
}
