/*
 * net - mail sessions as frames in memory, a capture that gives them out, and a worker that reads it.
 *
 * Ethernet, IPv4, TCP with right checksums. Included once a program; a full net ends it.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "dataplane/worker.h"
#include "tests/frame.h"
#include "tests/test.h"

enum { NET_FRAMES = 1 << 17, NET_OCTETS = 32 << 20, NET_GOT = 4096 };
#define NET_START UINT64_C(1795248000000000000)
#define NET_S UINT64_C(1000000000)

struct net {
	struct capture capture;
	unsigned burst; /* packets a time, 0: as many as asked for */
	bool stays; /* behind the last frame there is nothing yet, else the end */
	uint64_t now_ns, step_ns; /* of the next frame; between frames */
	unsigned vlan; /* 0: none */
	uint32_t n, read;
	size_t used;
	uint8_t *mem;
	struct net_frame {
		uint32_t at, len;
		uint64_t time_ns;
	} * frame;
};

static enum capture_state net_next(struct capture *c, struct packet *pkt, unsigned max, unsigned *n)
{
	struct net *net = (struct net *)c;
	unsigned k = 0;
	if (net->burst && net->burst < max)
		max = net->burst;
	for (; k < max && net->read < net->n; k++, net->read++) {
		const struct net_frame *f = &net->frame[net->read];
		pkt[k] = (struct packet){ .data = net->mem + f->at,
					  .len = f->len,
					  .wire_len = f->len,
					  .time_ns = f->time_ns,
					  .link = PACKET_LINK_ETHERNET };
	}
	*n = k;
	return net->read < net->n || net->stays ? CAPTURE_MORE : CAPTURE_END;
}

static void net_release(struct capture *c, struct packet *pkt, unsigned n)
{
	/* they stay where they are; who looks at them afterwards gets nothing of use */
	memset(pkt, 0xff, n * sizeof *pkt);
}

static const struct capture_ops net_ops = { .next = net_next, .release = net_release };

static void net_init(struct net *net)
{
	*net = (struct net){ .capture.ops = &net_ops, .now_ns = NET_START, .step_ns = 1000000 };
	net->mem = malloc(NET_OCTETS);
	net->frame = malloc(NET_FRAMES * sizeof *net->frame);
	if (!net->mem || !net->frame)
		abort();
}

static void net_fini(struct net *net)
{
	free(net->mem);
	free(net->frame);
}

static void net_frame(struct net *net, const void *p, size_t len)
{
	if (net->n == NET_FRAMES || net->used + len > NET_OCTETS)
		abort();
	memcpy(net->mem + net->used, p, len);
	net->frame[net->n++] =
		(struct net_frame){ (uint32_t)net->used, (uint32_t)len, net->now_ns };
	net->used += len;
	net->now_ns += net->step_ns;
}

struct net_end {
	uint32_t ip;
	uint16_t port;
	uint32_t seq;
};

static void net_put32(uint8_t *p, uint32_t v)
{
	frame_set16(p, v >> 16);
	frame_set16(p + 2, v & 0xffff);
}

/* One segment; moves from->seq on. */
static void net_segment(struct net *net, struct net_end *from, const struct net_end *to,
			uint8_t flags, const void *payload, size_t n)
{
	uint8_t f[2048] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0 };
	uint8_t *ip = f + 14;
	if (net->vlan) {
		frame_set16(f + 12, 0x8100);
		frame_set16(f + 14, net->vlan);
		frame_set16(f + 16, 0x0800);
		ip += 4;
	}
	uint8_t *tcp = ip + 20;
	frame_set16(ip, 0x4500);
	frame_set16(ip + 2, 40 + n);
	ip[8] = 64;
	ip[9] = 6;
	net_put32(ip + 12, from->ip);
	net_put32(ip + 16, to->ip);
	frame_set16(ip + 10, frame_sum(ip, 20, 0));
	frame_set16(tcp, from->port);
	frame_set16(tcp + 2, to->port);
	net_put32(tcp + 4, from->seq);
	net_put32(tcp + 8, flags & TCP_ACK ? to->seq : 0);
	tcp[12] = 5 << 4;
	tcp[13] = flags;
	frame_set16(tcp + 14, 502);
	if (n)
		memcpy(tcp + 20, payload, n);
	uint32_t pseudo = (uint32_t)(6 + 20 + n);
	for (int i = 12; i < 20; i += 2)
		pseudo += (uint32_t)ip[i] << 8 | ip[i + 1];
	frame_set16(tcp + 16, frame_sum(tcp, 20 + n, pseudo));
	net_frame(net, f, (size_t)(tcp - f) + 20 + n);
	from->seq += (uint32_t)n + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
}

/* ---- a session of SMTP: one message, sender and content tell it ---- */

enum {
	TALK_SYN,
	TALK_SYN_ACK,
	TALK_ACK,
	TALK_FIRST,
	TALK_DATA = 12,
	TALK_QUEUED,
	TALK_FIN,
	TALK_FIN2,
	TALK_END
};

struct talk {
	struct net_end end[2]; /* client, server */
	unsigned name, step;
};

static struct talk talk_of(unsigned name)
{
	return (struct talk){ .end = { { 0x0a000000 + name, (uint16_t)(20000 + name % 10000),
					 name * 77 },
				       { 0xc6336419, 25, name * 99 } },
			      .name = name };
}

/* One segment of it; false when it is over. */
static bool talk_go(struct talk *t, struct net *net)
{
	static const char *const say[] = { "220 mx\r\n", "HELO c\r\n",    "250 mx\r\n",
					   NULL,         "250 Ok\r\n",    "RCPT TO:<b@r>\r\n",
					   "250 Ok\r\n", "DATA\r\n",      "354 go\r\n",
					   NULL,         "250 queued\r\n" };
	char own[128];
	struct net_end *c = &t->end[0], *s = &t->end[1];
	unsigned step = t->step++;
	if (step == TALK_SYN)
		net_segment(net, c, s, TCP_SYN, NULL, 0);
	else if (step == TALK_SYN_ACK)
		net_segment(net, s, c, TCP_SYN | TCP_ACK, NULL, 0);
	else if (step == TALK_ACK)
		net_segment(net, c, s, TCP_ACK, NULL, 0);
	else if (step == TALK_FIN)
		net_segment(net, c, s, TCP_FIN | TCP_ACK, NULL, 0);
	else if (step == TALK_FIN2)
		net_segment(net, s, c, TCP_FIN | TCP_ACK, NULL, 0);
	else if (step < TALK_FIN) {
		const char *text = say[step - TALK_FIRST];
		if (step == TALK_DATA)
			snprintf(own, sizeof own, "Subject: %u\r\n\r\nbody of %u\r\n.\r\n", t->name,
				 t->name);
		else if (!text)
			snprintf(own, sizeof own, "MAIL FROM:<a%u@s>\r\n", t->name);
		if (!text)
			text = own;
		bool client = (step - TALK_FIRST) % 2;
		net_segment(net, client ? c : s, client ? s : c, TCP_PSH | TCP_ACK, text,
			    strlen(text));
	}
	return t->step < TALK_END;
}

/* All of it up to a step. */
static void talk_to(struct talk *t, struct net *net, unsigned step)
{
	while (t->step < step)
		talk_go(t, net);
}

/* ---- the worker, and what came out of it ---- */

struct got {
	uint64_t flow_id, order, time_ns, octets; /* a hash of the content */
	uint32_t flags, size;
	uint8_t n_vlan;
	bool complete;
	char from[24];
};

struct bench {
	struct config cfg;
	struct stats stats;
	struct net net;
	struct worker *w;
	struct ring *out, *home;
	bool keep; /* messages do not go home */
	unsigned kept_n, n;
	struct message *kept[NET_GOT];
	struct got got[NET_GOT];
};

static struct bench *bench_new(void)
{
	struct bench *b = aligned_alloc(64, (sizeof *b + 63) / 64 * 64);
	if (!b)
		abort();
	memset(b, 0, sizeof *b);
	b->cfg = (struct config){ .smtp_ports = { { 25, 587 }, 2 },
				  .pop3_ports = { { 110 }, 1 },
				  .flow_max = 1024,
				  .flow_idle_s = 600,
				  .flow_closed_s = 10,
				  .hole_packets = 64,
				  .hole_ms = 1000,
				  .held_flow_bytes = 1 << 16,
				  .held_bytes = 1 << 20,
				  .message_size = 1 << 20,
				  .message_bytes = 16 << 20,
				  .message_max = 4096,
				  .fragment_max = 16,
				  .fragment_ms = 30000,
				  .command_max = 4096 };
	net_init(&b->net);
	return b;
}

static void bench_start(struct bench *b, unsigned ring, unsigned n_verify)
{
	struct worker_setup setup = {
		.cfg = &b->cfg, .stats = &b->stats, .capture = &b->net.capture, .n_verify = n_verify
	};
	b->out = setup.out[0] = ring_new(ring);
	b->home = setup.home[0] = ring_new(NET_GOT);
	b->w = worker_new(&setup);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->w);
}

static void bench_free(struct bench *b)
{
	worker_free(b->w);
	ring_free(b->out);
	ring_free(b->home);
	net_fini(&b->net);
	free(b);
}

/* Takes what the worker gave out, notes it, sends it home. */
static unsigned bench_collect(struct bench *b)
{
	void *p;
	unsigned taken = 0;
	for (; ring_pop(b->out, &p, 1); taken++) {
		const struct message *m = p;
		struct got *g = &b->got[b->n++ % NET_GOT];
		*g = (struct got){ m->flow_id,        m->order,  m->time_ns,  0, m->flags,
				   (uint32_t)m->size, m->n_vlan, m->complete, "" };
		size_t n = bytes_head(m->mail_from, sizeof g->from - 1).n;
		if (n)
			memcpy(g->from, m->mail_from.p, n);
		for (const struct message_chunk *c = m->chunks; c; c = c->next)
			for (uint32_t i = 0; i < c->len; i++)
				g->octets = g->octets * 31 + c->data[i];
		if (b->keep)
			b->kept[b->kept_n++] = p;
		else
			CU_ASSERT_EQUAL_FATAL(ring_push(b->home, &p, 1), 1);
	}
	return taken;
}

static inline void bench_home(struct bench *b)
{
	CU_ASSERT_EQUAL_FATAL(ring_push(b->home, (void *const *)b->kept, b->kept_n), b->kept_n);
	b->kept_n = 0;
	b->keep = false;
}

/* Until the end, or (it stays) until there is nothing to do. */
static enum worker_state bench_run(struct bench *b)
{
	enum worker_state state;
	do {
		state = worker_poll(b->w);
		bench_collect(b);
	} while (state == WORKER_MORE);
	return state;
}

static uint64_t bench_stat(const struct bench *b, int row)
{
	return stats_get(&b->stats, row);
}

/* Every frame has one outcome. */
static bool bench_adds_up(const struct bench *b)
{
	uint64_t sum = 0;
	for (int i = 0; i < STAT_N; i++)
		if (!strncmp(stats_name(i), "frame.", 6))
			sum += bench_stat(b, i);
	return sum == bench_stat(b, STAT_FRAMES);
}
