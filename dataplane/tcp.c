#include "dataplane/tcp.h"

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* The pseudo header is that of RFC 9293 section 3.1 or of RFC 8200 section 8.1. */
bool tcp_sum_right(const struct packet *pkt, struct bytes s, sum_fn *sum_of)
{
	enum { PROTOCOL = 6 };
	size_t address = pkt->ip_version == 4 ? 4 : 16;
	uint64_t sum = sum_of(s.p, s.n);
	sum += sum_words(pkt->src, address) + sum_words(pkt->dst, address);
	sum += __builtin_bswap32((uint32_t)s.n) + (uint64_t)__builtin_bswap16(PROTOCOL);
	return sum_fold(sum) == 0xffff;
}

/* RFC 9293 section 3.2, RFC 7323 section 2.2 */
static void tcp_options(struct packet *pkt, const uint8_t *p, size_t n)
{
	size_t i = 0;
	while (i < n && p[i]) {
		if (p[i] == 1) {
			i++;
			continue;
		}
		if (n - i < 2 || p[i + 1] < 2 || p[i + 1] > n - i)
			return;
		if (p[i] == 2 && p[i + 1] == 4)
			pkt->mss = (uint16_t)get16(p + i + 2);
		if (p[i] == 3 && p[i + 1] == 3)
			pkt->window_shift = p[i + 2] > 14 ? 14 : p[i + 2];
		i += p[i + 1];
	}
}

enum tcp_result tcp_header(struct packet *pkt, struct bytes s, size_t wire)
{
	const uint8_t *p = s.p;
	if (s.n < 20)
		return wire < 20 ? TCP_BAD : TCP_SHORT;
	size_t hdr_len = (size_t)(p[12] >> 4) * 4;
	if (hdr_len < 20 || hdr_len > wire)
		return TCP_BAD;
	if (hdr_len > s.n)
		return TCP_SHORT;
	pkt->sport = (uint16_t)get16(p);
	pkt->dport = (uint16_t)get16(p + 2);
	pkt->seq = get32(p + 4);
	pkt->ack = get32(p + 8);
	pkt->tcp_flags = p[13] & 0x3f;
	pkt->window = (uint16_t)get16(p + 14);
	pkt->window_shift = 255;
	pkt->mss = 0;
	if (pkt->tcp_flags & TCP_SYN)
		tcp_options(pkt, p + 20, hdr_len - 20);
	pkt->payload = p + hdr_len;
	pkt->payload_len = (uint32_t)(s.n - hdr_len);
	pkt->payload_cut = (uint32_t)(wire - s.n);
	return TCP_OK;
}
