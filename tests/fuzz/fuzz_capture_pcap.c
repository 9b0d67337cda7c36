/* Any octets as a capture file: whole, and as they would come from a slow pipe, give the same packets. */
#include "dataplane/capture.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t read_all(struct bytes file, size_t chunk)
{
	struct capture *c;
	char why[256];
	if (capture_pcap_memory(&c, file, chunk, why, sizeof why) < 0)
		return 0;
	struct packet pkt[CAPTURE_BURST];
	uint64_t fold = 1, state;
	unsigned got;
	while ((state = c->ops->next(c, pkt, CAPTURE_BURST, &got)) == CAPTURE_MORE)
		for (unsigned i = 0; i < got; i++) {
			fold = (fold * 31 + pkt[i].time_ns) * 31 + pkt[i].wire_len;
			for (uint32_t k = 0; k < pkt[i].len; k++)
				fold = fold * 31 + pkt[i].data[k];
		}
	c->ops->free(c);
	return fold * 31 + state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint64_t whole = read_all(bytes_of(data, n), 0);
	if (read_all(bytes_of(data, n), 1) != whole || read_all(bytes_of(data, n), 97) != whole)
		abort();
	return 0;
}
