/*
 * stream - one direction of a TCP connection: segments in, octets in order out.
 *
 * In-order payload is never copied: it is lent from the packet. What is out of order, and what its
 * reader is not ready for, is copied into a pool of the worker, bounded per flow and in all. In an overlap
 * the first octet wins; a differing second copy is counted and marked. A hole is given out as
 * STREAM_GAP when it is given up (config: hole_packets, hole_ms after the peer's ACK passed it, or a
 * full pool), and reading goes on behind it. Everything is judged from the tap's own position.
 * Not handled: urgent data is treated as data.
 */
#pragma once

#include "base/config.h"
#include "base/packet.h"
#include "base/stats.h"

struct stream_pool;

/* One pool per worker. Borrows cfg and stats for its life. NULL when out of memory. */
struct stream_pool *stream_pool_new(const struct config *cfg, struct stats *stats);
void stream_pool_free(struct stream_pool *pool);
/* A new snapshot of the settings. */
void stream_pool_config(struct stream_pool *pool, const struct config *cfg);

enum stream_result {
	STREAM_MORE = 0, /* nothing to give now */
	STREAM_DATA, /* out has octets in order */
	STREAM_GAP, /* out.n octets were lost (p NULL); n 0: an unknown number */
	STREAM_END, /* FIN, or RST believed: nothing will follow; given once */
};

/* The rest of this header belongs to reassembly/connection, which owns two of these. Zero is the start. */
struct stream {
	uint32_t next; /* sequence number of the next octet to give out */
	uint32_t end; /* sequence number of the FIN, if fin */
	uint64_t off; /* octets given out or lost so far */
	uint32_t held; /* first held segment, pool index + 1; 0: none */
	uint32_t held_bytes;
	uint32_t hole_packets; /* packets of the flow since the peer's ACK passed the hole */
	uint32_t peer_ack; /* highest ACK of the peer, if acked */
	uint64_t hole_since_ns; /* capture time of that ACK; 0: no such hole */
	bool known : 1; /* next is valid */
	bool fin : 1;
	bool ended : 1;
	bool acked : 1;
	bool csum_right : 1; /* a right checksum was seen: wrong ones are wrong from here on */
	bool overlap : 1;
};
