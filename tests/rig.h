/*
 * rig - a connection under test: packets by relative numbers in, a picture of what came out.
 *
 * Octets stand as they are, a gap of three as <3>, the end of a direction as $. Included once a
 * program.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "reassembly/connection.h"
#include "tests/test.h"

static const enum connection_dir A = CONNECTION_A, B = CONNECTION_B;

struct rig {
	struct config cfg;
	struct stats stats;
	struct stream_pool *pool;
	struct connection c;
	uint32_t isn[2];
	uint64_t now_ns;
	char got[2][4096]; /* the picture */
	size_t read[2]; /* octets taken, gaps included */
	size_t may[2]; /* the reader takes no octet behind this one */
	unsigned last_chances;
	unsigned reused;
};

static struct rig *rig_new(void)
{
	struct rig *r = calloc(1, sizeof *r);
	if (!r)
		abort();
	r->cfg.hole_packets = 64;
	r->cfg.hole_ms = 1000;
	r->cfg.held_flow_bytes = 1 << 20;
	r->cfg.held_bytes = 4 << 20;
	r->now_ns = 1000000000000;
	r->isn[A] = 0xfffffff0; /* every picture over 16 octets wraps */
	r->isn[B] = 5000;
	r->may[A] = r->may[B] = SIZE_MAX;
	r->pool = stream_pool_new(&r->cfg, &r->stats);
	if (!r->pool)
		abort();
	return r;
}

/* With other bounds. */
static void rig_pool(struct rig *r)
{
	stream_pool_free(r->pool);
	r->pool = stream_pool_new(&r->cfg, &r->stats);
	if (!r->pool)
		abort();
}

static void rig_add(struct rig *r, int dir, const void *p, size_t n)
{
	size_t len = strlen(r->got[dir]);
	if (len + n < sizeof r->got[dir])
		memcpy(r->got[dir] + len, p, n);
}

static void rig_read(struct rig *r)
{
	struct connection_item item;
	while (connection_next(&r->c, r->pool, &item)) {
		char text[32];
		CU_ASSERT(item.result == STREAM_END || item.off == r->read[item.dir]);
		r->last_chances += item.last_chance;
		if (item.result == STREAM_DATA) {
			size_t n = item.data.n;
			size_t left = r->may[item.dir] > r->read[item.dir]
					      ? r->may[item.dir] - r->read[item.dir]
					      : 0;
			if (!item.last_chance && n > left)
				n = left;
			rig_add(r, item.dir, item.data.p, n);
			r->read[item.dir] += n;
			connection_used(&r->c, r->pool, &item, n);
			continue;
		}
		if (item.result == STREAM_GAP)
			r->read[item.dir] += item.data.n;
		int len = item.result == STREAM_END
				  ? snprintf(text, sizeof text, "$")
				  : snprintf(text, sizeof text, "<%zu>", item.data.n);
		rig_add(r, item.dir, text, (size_t)len);
	}
}

/* Numbers count from the first octet behind the SYN; one of B's octets acknowledged is ack 1. */
static struct packet rig_packet(const struct rig *r, int dir, unsigned flags, int64_t seq,
				int64_t ack, const char *text)
{
	return (struct packet){
		.time_ns = r->now_ns,
		.csum = PACKET_CSUM_RIGHT,
		.tcp_flags = (uint8_t)flags,
		.seq = r->isn[dir] + (flags & TCP_SYN ? 0 : 1) + (uint32_t)seq,
		.ack = r->isn[!dir] + 1 + (uint32_t)ack,
		.payload = (const uint8_t *)text,
		.payload_len = (uint32_t)strlen(text),
	};
}

static enum connection_push rig_push(struct rig *r, int dir, const struct packet *pkt)
{
	r->now_ns += 1000;
	struct packet copy = *pkt;
	uint8_t *p = test_guard(pkt->payload, pkt->payload_len);
	copy.payload = p;
	enum connection_push result =
		connection_push(&r->c, r->pool, (enum connection_dir)dir, &copy);
	if (result == CONNECTION_REUSED) {
		r->reused++;
		connection_finish(&r->c, r->pool);
		rig_read(r);
		connection_reset(&r->c, r->pool);
		r->read[A] = r->read[B] = 0;
		enum connection_push again =
			connection_push(&r->c, r->pool, (enum connection_dir)dir, &copy);
		CU_ASSERT(again == CONNECTION_TAKEN);
	}
	rig_read(r);
	test_guard_free(p, pkt->payload_len);
	return result;
}

static inline enum connection_push rig_seg(struct rig *r, int dir, unsigned flags, int64_t seq,
					   int64_t ack, const char *text)
{
	struct packet pkt = rig_packet(r, dir, flags, seq, ack, text);
	return rig_push(r, dir, &pkt);
}

static inline void rig_open(struct rig *r)
{
	rig_seg(r, A, TCP_SYN, 0, 0, "");
	rig_seg(r, B, TCP_SYN | TCP_ACK, 0, 0, "");
	rig_seg(r, A, TCP_ACK, 0, 0, "");
}

static inline void rig_finish(struct rig *r)
{
	connection_finish(&r->c, r->pool);
	rig_read(r);
}

/* Both pictures; and everything held is given back. */
static inline void rig_end(struct rig *r, const char *a, const char *b)
{
	if (strcmp(r->got[A], a) || strcmp(r->got[B], b))
		printf("\n  want %s | %s\n  have %s | %s\n", a, b, r->got[A], r->got[B]);
	CU_ASSERT_STRING_EQUAL(r->got[A], a);
	CU_ASSERT_STRING_EQUAL(r->got[B], b);
	connection_reset(&r->c, r->pool);
	CU_ASSERT(!connection_busy(&r->c));
	stream_pool_free(r->pool);
	free(r);
}
