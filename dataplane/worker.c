#include "dataplane/worker.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "base/wheel.h"
#include "dataplane/decode.h"
#include "dataplane/flow.h"
#include "dataplane/frag.h"
#include "reassembly/assemble.h"
#include "reassembly/connection.h"
#include "reassembly/session.h"

/*
 * What a flow is for, by the flow's index. Its timer in the wheel is that of its connection while it waits for
 * octets or for the other direction; when it is over, the end of its stay for late copies.
 */
struct flow_state {
	struct connection conn;
	struct session session;
	uint64_t flow_id;
	uint32_t ordinal; /* connections before it on these ports */
	uint16_t vlan[PACKET_VLAN_MAX];
	uint8_t n_vlan;
	uint8_t done; /* the session was finished */
	uint8_t timed; /* the timer is set for the connection */
};

enum { TIMER_TICK_NS = 10000000, TIMER_SLOTS = 2048 };

struct worker {
	const struct config *cfg;
	struct stats *stats;
	struct capture *capture;
	struct flow_table *flows;
	struct flow_state *state;
	size_t state_bytes;
	struct frag *frag;
	struct stream_pool *streams;
	struct assembler *assembler;
	struct wheel *timers; /* by flow */
	uint64_t now_ns;
	uint64_t order;
	uint32_t removed; /* flows taken out so far: indices looked up before a change are stale */
	bool finishing; /* no more packets: flows are being ended */
	enum worker_state end; /* what to return when drained */
	struct message *pending, *pending_last; /* finished, no room in the rings yet */
	uint8_t id;
	unsigned n_verify, next_verify;
	struct ring *out[WORKER_VERIFY_MAX], *home[WORKER_VERIFY_MAX];
	uint64_t ports[65536 / 64]; /* of mail, a bit each */
	/* one burst */
	struct packet pkt[CAPTURE_BURST];
	struct decode_fragment fragment[CAPTURE_BURST];
	struct flow_key key[CAPTURE_BURST];
	uint32_t flow[CAPTURE_BURST];
	uint8_t outcome[CAPTURE_BURST]; /* enum decode_outcome */
	bool reversed[CAPTURE_BURST];
};

static const uint8_t outcome_stat[] = {
	[DECODE_OTHER_LINK] = STAT_FRAME_LINK, [DECODE_SHORT] = STAT_FRAME_SHORT,
	[DECODE_BAD_IP] = STAT_FRAME_BAD_IP,   [DECODE_BAD_TCP] = STAT_FRAME_BAD_TCP,
	[DECODE_NOT_TCP] = STAT_FRAME_NOT_TCP, [DECODE_NESTED] = STAT_FRAME_NESTED,
};
_Static_assert(STAT_N <= 256, "outcome_stat holds octets");

/* ---- messages ---- */

static void message_queue(struct worker *w)
{
	struct message *m;
	while ((m = assembler_next(w->assembler))) {
		m->order = w->order++;
		m->rx_worker = w->id;
		m->next = NULL;
		if (w->pending)
			w->pending_last->next = m;
		else
			w->pending = m;
		w->pending_last = m;
	}
}

/* Hands pending messages to the verify workers in turn, as far as the rings have room. */
static unsigned message_send(struct worker *w)
{
	unsigned sent = 0;
	while (w->pending) {
		struct message *m = w->pending, *after = m->next;
		bool gone = false;
		if (w->n_verify == 0) {
			assembler_release(w->assembler, m);
			gone = true;
		}
		for (unsigned i = 0; !gone && i < w->n_verify; i++) {
			gone = ring_push(w->out[w->next_verify], (void *const *)&m, 1) == 1;
			w->next_verify = (w->next_verify + 1) % w->n_verify;
		}
		if (!gone) {
			stats_add(w->stats, STAT_MESSAGE_RING_FULL, 1);
			break;
		}
		stats_add(w->stats, STAT_MESSAGE_QUEUED, 1);
		w->pending = after;
		sent++;
	}
	return sent;
}

static unsigned message_home(struct worker *w)
{
	void *m[CAPTURE_BURST];
	unsigned got = 0;
	for (unsigned i = 0; i < w->n_verify; i++) {
		unsigned n = ring_pop(w->home[i], m, CAPTURE_BURST);
		for (unsigned k = 0; k < n; k++)
			assembler_release(w->assembler, m[k]);
		got += n;
	}
	return got;
}

/* ---- one flow ---- */

static bool is_mail_port(const struct worker *w, uint16_t port)
{
	return w->ports[port / 64] >> (port % 64) & 1;
}

/* The same in every run: FNV-1a over the 5-tuple and the ordinal, cut to the 53 bits JSON numbers hold. */
static uint64_t flow_id(const struct flow_key *key, uint32_t ordinal)
{
	uint64_t h = 0xcbf29ce484222325u;
	const uint8_t tail[8] = { key->a_port >> 8,   key->a_port & 255, key->b_port >> 8,
				  key->b_port & 255,  ordinal >> 24,     ordinal >> 16 & 255,
				  ordinal >> 8 & 255, ordinal & 255 };
	for (int i = 0; i < 16; i++)
		h = (h ^ key->a[i]) * 0x100000001b3u;
	for (int i = 0; i < 16; i++)
		h = (h ^ key->b[i]) * 0x100000001b3u;
	for (int i = 0; i < 8; i++)
		h = (h ^ tail[i]) * 0x100000001b3u;
	return (h ^ h >> 32) & ((UINT64_C(1) << 53) - 1);
}

static void flow_start(struct worker *w, uint32_t f, const struct flow_key *key,
		       const struct packet *pkt, uint32_t ordinal)
{
	struct flow_state *s = &w->state[f];
	memset(s, 0, sizeof *s);
	s->ordinal = ordinal;
	s->flow_id = flow_id(key, ordinal);
	s->n_vlan = pkt->n_vlan;
	memcpy(s->vlan, pkt->vlan, sizeof s->vlan);
	/* one mail port tells the server whatever else was seen; else the SYN does */
	bool a = is_mail_port(w, key->a_port), b = is_mail_port(w, key->b_port);
	if (a != b) {
		s->conn.client_known = true;
		s->conn.client = a ? CONNECTION_B : CONNECTION_A;
	}
	stats_add(w->stats, STAT_FLOW_NEW, 1);
	if (!(pkt->tcp_flags & TCP_SYN))
		stats_add(w->stats, STAT_FLOW_MIDSTREAM, 1);
}

static void flow_peer(const struct worker *w, const struct flow_state *s,
		      const struct flow_key *key, struct session_peer *peer)
{
	bool a = s->conn.client == CONNECTION_A;
	memcpy(peer->client.ip, a ? key->a : key->b, 16);
	memcpy(peer->server.ip, a ? key->b : key->a, 16);
	peer->client_port = a ? key->a_port : key->b_port;
	peer->server_port = a ? key->b_port : key->a_port;
	memcpy(peer->vlan, s->vlan, sizeof peer->vlan);
	peer->n_vlan = s->n_vlan;
	peer->rx_worker = w->id;
	peer->midstream = s->conn.midstream;
	peer->overlap = connection_overlap(&s->conn);
	peer->flow_id = s->flow_id;
}

/* Everything the connection has to give goes to the session, until neither moves. */
static void flow_read(struct worker *w, uint32_t f, const struct flow_key *key)
{
	struct flow_state *s = &w->state[f];
	struct connection_item item;
	struct session_peer peer;
	bool have_peer = false;
	while (connection_next(&s->conn, w->streams, &item)) {
		if (!have_peer)
			flow_peer(w, s, key, &peer);
		have_peer = true;
		struct session_input in = {
			.side = item.dir == s->conn.client ? SESSION_CLIENT : SESSION_SERVER,
			.gap = item.result == STREAM_GAP,
			.end = item.result == STREAM_END,
			.last_chance = item.last_chance,
			.data = item.data,
			.off = item.off,
			.peer_acked = item.peer_acked,
			.now_ns = w->now_ns,
		};
		size_t n =
			s->done ? in.data.n : session_push(&s->session, w->assembler, &peer, &in);
		if (item.result == STREAM_DATA)
			connection_used(&s->conn, w->streams, &item, n);
	}
}

/* The connection is over: its session ends, what is unfinished becomes an incomplete message. */
static void flow_finish(struct worker *w, uint32_t f, const struct flow_key *key)
{
	struct flow_state *s = &w->state[f];
	connection_finish(&s->conn, w->streams);
	flow_read(w, f, key);
	if (!s->done) {
		struct session_peer peer;
		flow_peer(w, s, key, &peer);
		session_finish(&s->session, w->assembler, &peer, w->now_ns);
		s->done = 1;
		stats_add(w->stats, STAT_FLOW_ENDED, 1);
	}
	message_queue(w);
}

static void flow_end(struct worker *w, uint32_t f)
{
	struct flow_key key;
	flow_key_at(w->flows, f, &key);
	flow_finish(w, f, &key);
	connection_reset(&w->state[f].conn, w->streams);
	wheel_cancel(w->timers, f);
	flow_remove(w->flows, f);
	w->removed++;
}

/* After something happened in a flow: its timer, and whether it may be evicted. */
static void flow_settle(struct worker *w, uint32_t f, const struct flow_key *key)
{
	struct flow_state *s = &w->state[f];
	bool waits = connection_busy(&s->conn);
	if (s->conn.closed && !s->done) {
		/* a RST may be a decoy: its sender has until the timer to go on */
		if (s->conn.reset)
			s->timed = true;
		else
			flow_finish(w, f, key);
		wheel_set(w->timers, f, w->now_ns + (uint64_t)w->cfg->flow_closed_s * 1000000000);
	} else if (!s->conn.closed && (waits || s->timed)) {
		uint64_t due = connection_timer(&s->conn, w->streams, w->now_ns);
		flow_read(w, f, key); /* what it gave up */
		if (due)
			wheel_set(w->timers, f, due);
		else
			wheel_cancel(w->timers, f);
		s->timed = due != 0;
	}
	flow_touch(w->flows, f, w->now_ns, waits || session_busy(&s->session));
}

/* The flow of a segment, made when there is none; FLOW_NONE: the segment begins nothing. */
static uint32_t flow_of(struct worker *w, const struct flow_key *key, const struct packet *pkt)
{
	uint32_t f = flow_lookup(w->flows, key);
	if (f != FLOW_NONE)
		return f;
	if (pkt->tcp_flags & TCP_RST) {
		stats_add(w->stats, STAT_FRAME_WINDOW, 1);
		return FLOW_NONE;
	}
	f = flow_insert(w->flows, key, w->now_ns);
	if (f == FLOW_NONE) {
		bool busy = false;
		uint32_t victim = flow_victim(w->flows, &busy);
		if (victim != FLOW_NONE) {
			flow_end(w, victim);
			stats_add(w->stats, busy ? STAT_FLOW_EVICTED_BUSY : STAT_FLOW_EVICTED, 1);
			f = flow_insert(w->flows, key, w->now_ns);
		}
	}
	if (f == FLOW_NONE)
		stats_add(w->stats, STAT_FRAME_NO_FLOW, 1);
	else
		flow_start(w, f, key, pkt, 0);
	return f;
}

static void segment_push(struct worker *w, uint32_t f, const struct flow_key *key, bool reversed,
			 const struct packet *pkt)
{
	struct flow_state *s = &w->state[f];
	enum connection_dir dir = reversed ? CONNECTION_B : CONNECTION_A;
	enum connection_push r = connection_push(&s->conn, w->streams, dir, pkt);
	if (r == CONNECTION_REUSED) {
		uint32_t ordinal = s->ordinal + 1;
		flow_finish(w, f, key);
		connection_reset(&s->conn, w->streams);
		wheel_cancel(w->timers, f);
		flow_start(w, f, key, pkt, ordinal);
		stats_add(w->stats, STAT_FLOW_REUSED, 1);
		r = connection_push(&s->conn, w->streams, dir, pkt);
	}
	switch (r) {
	case CONNECTION_TAKEN:
		stats_add(w->stats, STAT_FRAME_TAKEN, 1);
		break;
	case CONNECTION_BAD_CHECKSUM:
		stats_add(w->stats, STAT_FRAME_BAD_CHECKSUM, 1);
		return;
	default:
		stats_add(w->stats, STAT_FRAME_WINDOW, 1);
		return;
	}
	if (!s->conn.client_known && pkt->payload_len) {
		/* both ports or neither are of mail and no SYN was seen: the lower port is the server */
		s->conn.client_known = true;
		s->conn.client = key->a_port > key->b_port ? CONNECTION_A : CONNECTION_B;
	}
	flow_read(w, f, key);
	flow_settle(w, f, key);
	message_queue(w);
}

/* ---- the burst ---- */

static void fragment_push(struct worker *w, unsigned i)
{
	struct packet *pkt = &w->pkt[i];
	struct decode_fragment *frag = &w->fragment[i];
	enum decode_outcome o = DECODE_FRAGMENT;
	while (o == DECODE_FRAGMENT) {
		struct bytes whole;
		uint8_t protocol, layers = frag->layers;
		if (frag->csum_wrong && w->cfg->checksum != CHECKSUM_NEVER) {
			stats_add(w->stats, STAT_FRAME_BAD_CHECKSUM, 1);
			return;
		}
		if (!frag_push(w->frag, frag, w->now_ns, &whole, &protocol))
			return; /* frag counted the frame */
		o = decode_datagram(pkt, whole, protocol, layers,
				    w->cfg->checksum != CHECKSUM_NEVER, frag);
	}
	if (o != DECODE_TCP) {
		stats_add(w->stats, outcome_stat[o], 1);
		return;
	}
	if (!is_mail_port(w, pkt->sport) && !is_mail_port(w, pkt->dport)) {
		stats_add(w->stats, STAT_FRAME_NOT_MAIL, 1);
		return;
	}
	struct flow_key key;
	bool reversed;
	flow_key(w->flows, &key, pkt, &reversed);
	uint32_t f = flow_of(w, &key, pkt);
	if (f != FLOW_NONE)
		segment_push(w, f, &key, reversed, pkt);
}

static void burst_decode(struct worker *w, unsigned n)
{
	bool sums = w->cfg->checksum != CHECKSUM_NEVER;
	uint64_t octets = 0, cut = 0;
	for (unsigned i = 0; i < n; i++) {
		struct packet *pkt = &w->pkt[i];
		if (i + 1 < n)
			__builtin_prefetch(w->pkt[i + 1].data);
		octets += pkt->wire_len;
		cut += pkt->wire_len > pkt->len;
		w->outcome[i] = decode_frame(pkt, sums, &w->fragment[i]);
		if (w->outcome[i] == DECODE_FRAGMENT)
			continue; /* frag counts it */
		if (w->outcome[i] != DECODE_TCP) {
			stats_add(w->stats, outcome_stat[w->outcome[i]], 1);
		} else if (!is_mail_port(w, pkt->sport) && !is_mail_port(w, pkt->dport)) {
			stats_add(w->stats, STAT_FRAME_NOT_MAIL, 1);
			w->outcome[i] = DECODE_NOT_TCP; /* counted: goes no further */
		} else {
			flow_key(w->flows, &w->key[i], pkt, &w->reversed[i]);
			flow_prefetch(w->flows, &w->key[i], 0);
		}
	}
	stats_add(w->stats, STAT_FRAMES, n);
	stats_add(w->stats, STAT_OCTETS, octets);
	if (cut)
		stats_add(w->stats, STAT_FRAMES_CUT, cut);
}

static void state_prefetch(const struct flow_state *s)
{
	const char *p = (const char *)s;
	for (size_t off = 0; off < sizeof *s; off += 64)
		__builtin_prefetch(p + off, 1);
}

static void burst_lookup(struct worker *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (w->outcome[i] == DECODE_TCP)
			flow_prefetch(w->flows, &w->key[i], 1);
	for (unsigned i = 0; i < n; i++) {
		if (w->outcome[i] != DECODE_TCP)
			continue;
		w->flow[i] = flow_lookup(w->flows, &w->key[i]);
		if (w->flow[i] != FLOW_NONE)
			state_prefetch(&w->state[w->flow[i]]);
	}
}

static void burst_push(struct worker *w, unsigned n)
{
	uint32_t removed = w->removed;
	for (unsigned i = 0; i < n; i++) {
		if (w->pkt[i].time_ns > w->now_ns)
			w->now_ns = w->pkt[i].time_ns;
		if (w->outcome[i] == DECODE_FRAGMENT) {
			fragment_push(w, i);
			continue;
		}
		if (w->outcome[i] != DECODE_TCP)
			continue;
		uint32_t f = w->removed == removed ? w->flow[i] : FLOW_NONE;
		if (f == FLOW_NONE)
			f = flow_of(w, &w->key[i], &w->pkt[i]);
		if (f != FLOW_NONE)
			segment_push(w, f, &w->key[i], w->reversed[i], &w->pkt[i]);
	}
}

static void timer_due(struct worker *w, uint32_t f)
{
	struct flow_state *s = &w->state[f];
	struct flow_key key;
	if (s->conn.closed) {
		flow_end(w, f);
		return;
	}
	flow_key_at(w->flows, f, &key);
	s->timed = true;
	flow_settle(w, f, &key);
	message_queue(w);
}

static void timers_run(struct worker *w)
{
	uint32_t due[CAPTURE_BURST], f;
	unsigned n = wheel_poll(w->timers, w->now_ns, due, CAPTURE_BURST);
	for (unsigned i = 0; i < n; i++)
		timer_due(w, due[i]);
	uint64_t idle_ns = (uint64_t)w->cfg->flow_idle_s * 1000000000;
	if (w->now_ns <= idle_ns)
		return;
	while ((f = flow_expired(w->flows, w->now_ns - idle_ns)) != FLOW_NONE) {
		flow_end(w, f);
		stats_add(w->stats, STAT_FLOW_IDLE, 1);
	}
}

/* Ends up to a burst of flows; true when none is left. */
static bool finish_some(struct worker *w)
{
	for (unsigned i = 0; i < CAPTURE_BURST; i++) {
		uint32_t f = flow_expired(w->flows, UINT64_MAX);
		if (f == FLOW_NONE)
			return true;
		flow_end(w, f);
	}
	return false;
}

enum worker_state worker_poll(struct worker *w)
{
	unsigned did = message_home(w);
	did += message_send(w);
	if (w->finishing) {
		if (w->pending)
			return did ? WORKER_MORE : WORKER_IDLE;
		if (flow_count(w->flows) == 0)
			return w->end;
		finish_some(w);
		message_send(w);
		return WORKER_MORE;
	}
	/* a file waits for verification, a port does not */
	if (w->pending && !w->capture->live)
		return did ? WORKER_MORE : WORKER_IDLE;
	unsigned n = 0;
	enum capture_state state = w->capture->ops->next(w->capture, w->pkt, CAPTURE_BURST, &n);
	if (n) {
		burst_decode(w, n);
		burst_lookup(w, n);
		burst_push(w, n);
		w->capture->ops->release(w->capture, w->pkt, n);
	} else if (w->capture->live) {
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now); /* no system call: the kernel's shared page */
		w->now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	}
	timers_run(w);
	did += message_send(w);
	if (state != CAPTURE_MORE) {
		w->end = state == CAPTURE_BROKEN ? WORKER_BROKEN : WORKER_END;
		w->finishing = true;
		return WORKER_MORE;
	}
	return n || did ? WORKER_MORE : WORKER_IDLE;
}

/* ---- life ---- */

static void ports_set(struct worker *w)
{
	const struct config_ports *list[2] = { &w->cfg->smtp_ports, &w->cfg->pop3_ports };
	memset(w->ports, 0, sizeof w->ports);
	for (int l = 0; l < 2; l++)
		for (uint32_t i = 0; i < list[l]->n; i++)
			w->ports[list[l]->port[i] / 64] |= UINT64_C(1) << (list[l]->port[i] % 64);
}

struct worker *worker_new(const struct worker_setup *setup)
{
	struct worker *w = aligned_alloc(64, (sizeof *w + 63) / 64 * 64);
	if (!w)
		return NULL;
	memset(w, 0, sizeof *w);
	w->id = setup->id;
	w->cfg = setup->cfg;
	w->stats = setup->stats;
	w->capture = setup->capture;
	w->n_verify = setup->n_verify;
	memcpy(w->out, setup->out, sizeof w->out);
	memcpy(w->home, setup->home, sizeof w->home);
	ports_set(w);
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	w->flows = flow_new(w->cfg->flow_max, (uint32_t)now.tv_nsec ^ (uint32_t)(uintptr_t)w);
	w->timers = wheel_new(w->cfg->flow_max, TIMER_SLOTS, TIMER_TICK_NS);
	w->frag = frag_new(w->cfg, w->stats);
	w->streams = stream_pool_new(w->cfg, w->stats);
	w->assembler = assembler_new(w->cfg, w->stats);
	w->state_bytes = (size_t)w->cfg->flow_max * sizeof(struct flow_state);
	w->state = mmap(NULL, w->state_bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (w->state == MAP_FAILED)
		w->state = NULL;
	else
		madvise(w->state, w->state_bytes, MADV_HUGEPAGE);
	if (!w->flows || !w->timers || !w->frag || !w->streams || !w->assembler || !w->state) {
		worker_free(w);
		return NULL;
	}
	return w;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->state)
		munmap(w->state, w->state_bytes);
	flow_free(w->flows);
	wheel_free(w->timers);
	frag_free(w->frag);
	stream_pool_free(w->streams);
	assembler_free(w->assembler);
	free(w);
}

void worker_capture(struct worker *w, struct capture *capture)
{
	w->capture = capture;
	w->finishing = false;
	w->now_ns = 0;
	/* its time may lie before that of the last one, and a wheel does not turn back */
	struct wheel *timers = wheel_new(w->cfg->flow_max, TIMER_SLOTS, TIMER_TICK_NS);
	if (timers) {
		wheel_free(w->timers);
		w->timers = timers;
	}
}

void worker_config(struct worker *w, const struct config *cfg)
{
	w->cfg = cfg;
	ports_set(w);
	stream_pool_config(w->streams, cfg);
	assembler_config(w->assembler, cfg);
}

void worker_finish(struct worker *w)
{
	w->finishing = true;
	w->end = WORKER_END;
}

uint32_t worker_out(const struct worker *w)
{
	return assembler_out(w->assembler);
}

uint32_t worker_flows(const struct worker *w)
{
	return flow_count(w->flows);
}
