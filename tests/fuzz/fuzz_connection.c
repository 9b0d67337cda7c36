/*
 * Packets of eight octets each from the input: any order, flags, numbers, bounds; a reader that
 * takes what it likes.
 */
#include <stdlib.h>

#include "reassembly/connection.h"

/* An octet is told by its number, so that one in the wrong place shows. */
static uint8_t octet_of(uint32_t seq)
{
	return (uint8_t)(seq * 0x9e3779b1u >> 24);
}

static void read_all(struct connection *c, struct stream_pool *pool, bool own, uint8_t taste,
		     uint64_t off[2])
{
	struct connection_item item;
	for (unsigned i = 0; connection_next(c, pool, &item); i++) {
		if (item.result != STREAM_END && item.off != off[item.dir])
			abort();
		uint32_t seq = c->dir[item.dir].next;
		size_t n = item.data.n;
		if (item.result == STREAM_DATA) {
			for (size_t k = 0; own && k < n; k++)
				if (item.data.p[k] != octet_of(seq + (uint32_t)k))
					abort();
			size_t take = taste & 1 && !(i % 3) ? n * (taste >> 4) / 16 : n;
			connection_used(c, pool, &item, take);
			n = take;
		}
		off[item.dir] += n;
		if (i > 200000)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct stats stats = { 0 };
	struct connection c = { 0 };
	uint64_t off[2] = { 0 };
	uint8_t payload[256];
	if (n < 4)
		return 0;
	struct config cfg = { .hole_packets = data[0] % 70, .hole_ms = 1000 };
	cfg.held_flow_bytes = (uint32_t)(data[1] % 8 * held_cost());
	cfg.held_bytes = data[2] % 16 * held_cost();
	struct stream_pool *pool = stream_pool_new(&cfg, &stats);
	if (!pool)
		abort();
	bool own = !(data[3] & 1); /* octets are right: a decoy may be otherwise */
	bool fin = false; /* one in the middle of octets is a contradiction by itself */
	struct packet pkt = { .time_ns = 1 };
	for (const uint8_t *p = data + 4; p + 8 <= data + n; p += 8) {
		enum connection_dir dir = p[0] & 1 ? CONNECTION_B : CONNECTION_A;
		static const uint32_t far[4] = { 0, 1u << 20, 1u << 29, 1u << 31 };
		pkt.tcp_flags =
			(p[0] & 2 ? TCP_ACK : p[1] & 0x3f) | (p[0] & 4 ? TCP_FIN & p[1] : 0);
		fin |= pkt.tcp_flags & TCP_FIN;
		pkt.csum = p[0] >> 3 & 1 ? p[1] % 3 : PACKET_CSUM_RIGHT;
		pkt.seq = 0xfffff000u + (uint32_t)(p[2] << 5 | p[3] >> 3) + far[p[0] >> 4 & 3];
		pkt.ack = 0xfffff000u + (uint32_t)(p[4] << 5 | p[5] >> 3) + far[p[0] >> 6 & 3];
		pkt.payload_len = p[6];
		pkt.payload_cut = p[3] & 7 ? 0 : p[5];
		pkt.payload = payload;
		pkt.time_ns += (uint64_t)p[7] * p[7] * 100000;
		uint32_t first = pkt.seq + !!(pkt.tcp_flags & TCP_SYN);
		for (uint32_t i = 0; i < pkt.payload_len; i++)
			payload[i] = own ? octet_of(first + i) : p[7];
		enum connection_push r = connection_push(&c, pool, dir, &pkt);
		if (r == CONNECTION_REUSED) {
			connection_finish(&c, pool);
			read_all(&c, pool, own, 0, off);
			connection_reset(&c, pool);
			off[0] = off[1] = 0;
			if (connection_push(&c, pool, dir, &pkt) != CONNECTION_TAKEN)
				abort();
		}
		read_all(&c, pool, own, p[7], off);
		connection_timer(&c, pool, pkt.time_ns);
	}
	if (own && !fin && connection_overlap(&c))
		abort();
	connection_finish(&c, pool);
	read_all(&c, pool, own, 0, off);
	connection_reset(&c, pool);
	if (connection_busy(&c))
		abort();
	stream_pool_free(pool);
	return 0;
}
