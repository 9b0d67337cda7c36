#include "dataplane/track.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/memory.h"
#include "base/wheel.h"
#include "reassembly/assemble.h"
#include "reassembly/connection.h"
#include "reassembly/session.h"

/*
 * What a flow is for, by the flow's index. Its timer in the wheel is that of its connection while
 * it waits for octets or for the other direction; when it is over, the end of its stay for late
 * copies.
 */
struct state {
	_Alignas(64) struct connection conn; /* track_look_up fetches whole lines */
	struct session session;
	uint64_t flow_id;
	uint16_t vlan[PACKET_VLAN_MAX];
	uint8_t n_vlan;
	bool done; /* the session was finished */
	bool timed; /* the timer is set for the connection */
};

enum { TICK_NS = 10000000, SLOTS = 2048, DUE_MAX = 64, FLOWS_FIRST = 4096 };

/*
 * How many connections there were between two ends, those long gone included, so that no two have
 * one flow_id. By a hash that is the same in every run: in the small table, where it is hot while
 * there are few; a pair of ends that finds another's tag there goes to the large one, and who finds
 * another's tag there takes its place.
 */
struct ordinal {
	uint16_t tag, n;
};

enum { ORDINALS_FIRST = 1 << 16 };
#define ORDINAL_BYTES ((ORDINALS_FIRST + TRACK_ORDINALS) * sizeof(struct ordinal))

struct track {
	const struct config *cfg;
	const struct mailport *ports;
	struct stats *stats;
	struct flow_table *flows;
	struct state *state;
	size_t state_bytes;
	struct ordinal *ordinal;
	struct stream_pool *streams;
	struct assembler *assembler;
	struct wheel *timers; /* by flow */
	uint64_t now_ns, stamp_ns;
	uint64_t tick_ns; /* when timers are next looked at */
	uint32_t removed; /* flows taken out so far: indices looked up before that are stale */
	uint32_t last; /* the flow of the last segment, FLOW_NONE when it is gone */
	uint32_t flow_max;
	uint8_t worker;
};

/* ---- one flow ---- */

/* FNV-1a over the 5-tuple, the same in every run. */
static uint64_t ends_hash(const struct flow_key *key)
{
	uint64_t h = 0xcbf29ce484222325u;
	const uint8_t port[4] = { key->a_port >> 8, key->a_port & 255, key->b_port >> 8,
				  key->b_port & 255 };
	for (int i = 0; i < 16; i++)
		h = (h ^ key->a[i]) * 0x100000001b3u;
	for (int i = 0; i < 16; i++)
		h = (h ^ key->b[i]) * 0x100000001b3u;
	for (int i = 0; i < 4; i++)
		h = (h ^ port[i]) * 0x100000001b3u;
	return h;
}

/* Over the 5-tuple and the connection's ordinal, cut to the 53 bits JSON numbers hold. */
static uint64_t flow_id(struct track *t, const struct flow_key *key)
{
	uint64_t h = ends_hash(key), at = h ^ h >> 32;
	struct ordinal *o = &t->ordinal[at % ORDINALS_FIRST];
	uint16_t tag = (uint16_t)(at >> 32) | 1; /* 0 is nobody's */
	if (o->tag && o->tag != tag)
		o = &t->ordinal[ORDINALS_FIRST + at % TRACK_ORDINALS];
	if (o->tag != tag)
		*o = (struct ordinal){ .tag = tag };
	uint32_t ordinal = o->n++;
	for (int i = 24; i >= 0; i -= 8)
		h = (h ^ (ordinal >> i & 255)) * 0x100000001b3u;
	return (h ^ h >> 32) & ((UINT64_C(1) << 53) - 1);
}

static void flow_start(struct track *t, uint32_t f, const struct flow_key *key,
		       const struct packet *pkt)
{
	struct state *s = &t->state[f];
	memset(s, 0, sizeof *s);
	s->flow_id = flow_id(t, key);
	s->n_vlan = pkt->n_vlan;
	memcpy(s->vlan, pkt->vlan, sizeof s->vlan);
	/* one mail port tells the server whatever else was seen; else the SYN does */
	bool a = mailport_has(t->ports, key->a_port), b = mailport_has(t->ports, key->b_port);
	if (a != b) {
		s->conn.client_known = true;
		s->conn.client = a ? CONNECTION_B : CONNECTION_A;
	}
	stats_add(t->stats, STAT_FLOW_NEW, 1);
	if (!(pkt->tcp_flags & TCP_SYN))
		stats_add(t->stats, STAT_FLOW_MIDSTREAM, 1);
}

static void flow_peer(const struct track *t, const struct state *s, const struct flow_key *key,
		      struct session_peer *peer)
{
	bool a = s->conn.client == CONNECTION_A;
	memcpy(peer->client.ip, a ? key->a : key->b, 16);
	memcpy(peer->server.ip, a ? key->b : key->a, 16);
	peer->client_port = a ? key->a_port : key->b_port;
	peer->server_port = a ? key->b_port : key->a_port;
	memcpy(peer->vlan, s->vlan, sizeof peer->vlan);
	peer->n_vlan = s->n_vlan;
	peer->rx_worker = t->worker;
	peer->midstream = s->conn.midstream;
	peer->overlap = connection_overlap(&s->conn);
	peer->flow_id = s->flow_id;
}

/* Everything the connection has to give goes to the session, until neither moves. */
static void flow_read(struct track *t, uint32_t f, const struct flow_key *key)
{
	struct state *s = &t->state[f];
	struct connection_item item;
	struct session_peer peer;
	bool have_peer = false;
	while (connection_next(&s->conn, t->streams, &item)) {
		if (!have_peer)
			flow_peer(t, s, key, &peer);
		have_peer = true;
		struct session_input in = {
			.side = item.dir == s->conn.client ? SESSION_CLIENT : SESSION_SERVER,
			.gap = item.result == STREAM_GAP,
			.end = item.result == STREAM_END,
			.last_chance = item.last_chance,
			.data = item.data,
			.off = item.off,
			.peer_acked = item.peer_acked,
			.now_ns = t->stamp_ns,
		};
		size_t n =
			s->done ? in.data.n : session_push(&s->session, t->assembler, &peer, &in);
		if (item.result == STREAM_DATA)
			connection_used(&s->conn, t->streams, &item, n);
	}
}

/* The connection is over: its session ends, what is unfinished becomes an incomplete message. */
static void flow_finish(struct track *t, uint32_t f, const struct flow_key *key)
{
	struct state *s = &t->state[f];
	connection_finish(&s->conn, t->streams);
	flow_read(t, f, key);
	if (s->done)
		return;
	struct session_peer peer;
	flow_peer(t, s, key, &peer);
	session_finish(&s->session, t->assembler, &peer, t->stamp_ns);
	s->done = true;
	stats_add(t->stats, STAT_FLOW_ENDED, 1);
}

/* Out of the table. False: it was over before, and only waited for late copies. */
static bool flow_end(struct track *t, uint32_t f)
{
	struct flow_key key;
	bool was_open = !t->state[f].done;
	flow_key_at(t->flows, f, &key);
	flow_finish(t, f, &key);
	connection_reset(&t->state[f].conn, t->streams);
	wheel_cancel(t->timers, f);
	flow_remove(t->flows, f);
	t->removed++;
	if (t->last == f)
		t->last = FLOW_NONE;
	return was_open;
}

/* Marks use, and whether it may be evicted before others. */
static void flow_mark(struct track *t, uint32_t f)
{
	const struct state *s = &t->state[f];
	/* octets held before any word of mail was read are no message: a flood of SYNs can have
	 * some */
	bool mail = s->session.protocol != SESSION_UNKNOWN && !s->session.opaque;
	flow_touch(t->flows, f, t->now_ns,
		   (mail && connection_busy(&s->conn)) || session_busy(&s->session));
}

/* After something happened in a flow: its timer. */
static void flow_settle(struct track *t, uint32_t f, const struct flow_key *key)
{
	struct state *s = &t->state[f];
	if (s->conn.closed && !s->done) {
		/* a RST may be a decoy: its sender has until the timer to go on */
		if (s->conn.reset)
			s->timed = true;
		else
			flow_finish(t, f, key);
		wheel_set(t->timers, f, t->now_ns + (uint64_t)t->cfg->flow_closed_s * 1000000000);
	} else if (!s->conn.closed && (s->timed || connection_busy(&s->conn))) {
		uint64_t due = connection_timer(&s->conn, t->streams, t->now_ns);
		if (due)
			wheel_set(t->timers, f, due);
		else
			wheel_cancel(t->timers, f);
		s->timed = due != 0;
	}
	flow_mark(t, f);
}

/* ---- segments ---- */

void track_key(const struct track *t, struct track_place *at, const struct packet *pkt)
{
	flow_key(t->flows, &at->key, pkt, &at->reversed);
	flow_prefetch(t->flows, &at->key, 0);
}

void track_fetch(const struct track *t, const struct track_place *at)
{
	flow_prefetch(t->flows, &at->key, 1);
}

void track_look_up(const struct track *t, struct track_place *at)
{
	at->removed = t->removed;
	at->flow = flow_lookup(t->flows, &at->key);
	if (at->flow == FLOW_NONE)
		return;
	const char *p = (const char *)&t->state[at->flow];
	for (size_t off = 0; off < sizeof(struct state); off += 64)
		__builtin_prefetch(p + off, 1);
}

/* What no connection believes begins none. */
static bool begins(const struct packet *pkt)
{
	uint8_t flags = pkt->tcp_flags;
	if (flags & TCP_RST || (flags & TCP_SYN && flags & TCP_FIN))
		return false;
	return flags & (TCP_SYN | TCP_ACK);
}

/* The flow of a segment, made when there is none; FLOW_NONE: the frame was counted. */
static uint32_t flow_of(struct track *t, const struct track_place *at, const struct packet *pkt)
{
	uint32_t f = at->removed == t->removed ? at->flow : FLOW_NONE;
	if (f == FLOW_NONE)
		f = flow_lookup(t->flows, &at->key);
	if (f != FLOW_NONE)
		return f;
	if (!begins(pkt)) {
		stats_add(t->stats, STAT_FRAME_WINDOW, 1);
		return FLOW_NONE;
	}
	f = flow_insert(t->flows, &at->key, t->now_ns);
	if (f == FLOW_NONE) {
		bool busy = false;
		uint32_t victim = flow_victim(t->flows, &busy);
		if (victim != FLOW_NONE) {
			if (flow_end(t, victim))
				stats_add(t->stats,
					  busy ? STAT_FLOW_EVICTED_BUSY : STAT_FLOW_EVICTED, 1);
			f = flow_insert(t->flows, &at->key, t->now_ns);
		}
	}
	if (f == FLOW_NONE)
		stats_add(t->stats, STAT_FRAME_NO_FLOW, 1);
	else
		flow_start(t, f, &at->key, pkt);
	return f;
}

void track_push(struct track *t, const struct track_place *at, const struct packet *pkt)
{
	uint32_t f = flow_of(t, at, pkt);
	if (f == FLOW_NONE)
		return;
	struct state *s = &t->state[f];
	enum connection_dir dir = at->reversed ? CONNECTION_B : CONNECTION_A;
	enum connection_push r = connection_push(&s->conn, t->streams, dir, pkt);
	if (r == CONNECTION_REUSED) {
		flow_finish(t, f, &at->key);
		connection_reset(&s->conn, t->streams);
		wheel_cancel(t->timers, f);
		flow_start(t, f, &at->key, pkt);
		stats_add(t->stats, STAT_FLOW_REUSED, 1);
		r = connection_push(&s->conn, t->streams, dir, pkt);
	}
	if (r != CONNECTION_TAKEN) {
		stats_add(t->stats,
			  r == CONNECTION_BAD_CHECKSUM ? STAT_FRAME_BAD_CHECKSUM
						       : STAT_FRAME_WINDOW,
			  1);
		return;
	}
	stats_add(t->stats, STAT_FRAME_TAKEN, 1);
	if (!s->conn.client_known && pkt->payload_len) {
		/* both ports or neither are of mail and no SYN was seen: the lower port is the
		 * server */
		s->conn.client_known = true;
		s->conn.client = at->key.a_port > at->key.b_port ? CONNECTION_A : CONNECTION_B;
	}
	flow_read(t, f, &at->key);
	flow_settle(t, f, &at->key);
	t->last = f;
}

/* ---- time ---- */

static void timer_due(struct track *t, uint32_t f)
{
	struct state *s = &t->state[f];
	struct flow_key key;
	if (s->conn.closed) {
		flow_end(t, f);
		return;
	}
	flow_key_at(t->flows, f, &key);
	connection_timer(&s->conn, t->streams, t->now_ns);
	flow_read(t, f, &key); /* what it gave up */
	s->timed = true;
	flow_settle(t, f, &key);
}

/* All that is due: no more than began as long before. */
static void timers_run(struct track *t)
{
	uint32_t due[DUE_MAX], n, f;
	do {
		n = wheel_poll(t->timers, t->now_ns, due, DUE_MAX);
		for (uint32_t i = 0; i < n; i++)
			timer_due(t, due[i]);
	} while (n == DUE_MAX);
	uint64_t idle_ns = (uint64_t)t->cfg->flow_idle_s * 1000000000;
	if (t->now_ns <= idle_ns)
		return;
	while ((f = flow_expired(t->flows, t->now_ns - idle_ns)) != FLOW_NONE)
		if (flow_end(t, f))
			stats_add(t->stats, STAT_FLOW_IDLE, 1);
}

void track_time(struct track *t, uint64_t sure_ns, uint64_t now_ns, uint64_t stamp_ns)
{
	bool fell = now_ns < t->now_ns;
	t->stamp_ns = stamp_ns;
	t->now_ns = sure_ns;
	if (fell && t->last != FLOW_NONE)
		flow_mark(t, t->last); /* the last segment was not of the time it said */
	if (sure_ns >= t->tick_ns) {
		t->tick_ns = sure_ns - sure_ns % TICK_NS + TICK_NS;
		timers_run(t);
	}
	t->now_ns = now_ns;
}

bool track_finish(struct track *t, unsigned n)
{
	uint32_t f = FLOW_NONE;
	while (n-- && (f = flow_expired(t->flows, UINT64_MAX)) != FLOW_NONE)
		flow_end(t, f);
	return flow_count(t->flows) == 0;
}

bool track_restart(struct track *t)
{
	madvise(t->ordinal, ORDINAL_BYTES, MADV_DONTNEED); /* all zero */
	/* a wheel does not turn back */
	struct wheel *timers = NULL;
	if (flow_count(t->flows) == 0)
		timers = wheel_new(t->flow_max, SLOTS, TICK_NS);
	if (!timers)
		return false;
	wheel_free(t->timers);
	t->timers = timers;
	t->now_ns = t->tick_ns = 0;
	return true;
}

/* ---- messages ---- */

struct message *track_next(struct track *t)
{
	return assembler_next(t->assembler);
}

void track_release(struct track *t, struct message *m)
{
	assembler_release(t->assembler, m);
}

uint32_t track_out(const struct track *t)
{
	return assembler_out(t->assembler);
}

bool track_whole(const struct track *t)
{
	const struct assembler *a = t->assembler;
	return flow_count(t->flows) == 0 && assembler_objects(a) == 0 && assembler_bytes(a) == 0 &&
	       textline_pool_out(assembler_lines(a)) == 0 && stream_pool_whole(t->streams);
}

uint32_t track_count(const struct track *t)
{
	return flow_count(t->flows);
}

/* ---- life ---- */

struct track *track_new(const struct config *cfg, const struct mailport *ports, struct stats *stats,
			uint8_t worker, bool live)
{
	uint32_t seed;
	struct track *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->cfg = cfg;
	t->ports = ports;
	t->stats = stats;
	t->worker = worker;
	t->flow_max = cfg->flow_max;
	t->last = FLOW_NONE;
	if (getrandom(&seed, sizeof seed, 0) == sizeof seed)
		t->flows = flow_new(cfg->flow_max, live ? cfg->flow_max : FLOWS_FIRST, seed);
	t->timers = wheel_new(cfg->flow_max, SLOTS, TICK_NS);
	t->streams = stream_pool_new(cfg, stats);
	t->assembler = assembler_new(cfg, stats);
	t->state_bytes = (size_t)cfg->flow_max * sizeof(struct state);
	t->state = memory_new(t->state_bytes, true);
	t->ordinal = memory_new(ORDINAL_BYTES, false);
	if (!t->flows || !t->timers || !t->streams || !t->assembler || !t->state || !t->ordinal) {
		track_free(t);
		return NULL;
	}
	return t;
}

void track_free(struct track *t)
{
	if (!t)
		return;
	memory_free(t->state, t->state_bytes);
	memory_free(t->ordinal, ORDINAL_BYTES);
	flow_free(t->flows);
	wheel_free(t->timers);
	stream_pool_free(t->streams);
	assembler_free(t->assembler);
	free(t);
}

void track_config(struct track *t, const struct config *cfg)
{
	t->cfg = cfg;
	stream_pool_config(t->streams, cfg);
	assembler_config(t->assembler, cfg);
}
