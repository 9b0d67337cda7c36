#include "reassembly/stream.h"

#include <assert.h>
#include <stdlib.h>

enum {
	TAIL = 256, /* octets remembered one by one */
	SAMPLE = 128, /* distance of the others */
	SAMPLES = 64,
	TAIL_SPAN = SAMPLE * SAMPLES,
};

/* Octets given out, to compare second copies with: [begin, end), only the last ones kept. */
struct tail {
	uint32_t begin, end;
	uint32_t first; /* number of last[0], less a multiple of TAIL */
	uint8_t last[TAIL]; /* a ring */
	uint8_t sample[SAMPLES]; /* where the number is a multiple of SAMPLE */
};

/*
 * The segment at hand is in `seg` until all of it was given out, kept or dropped: one packet at a
 * time is between connection_push and the end of connection_next. A tail belongs to the stream
 * with its ticket, one of the last STREAM_TAILS given; so idle streams lose theirs to busy ones.
 */
struct stream_pool {
	struct held_pool *held;
	const struct config *cfg;
	struct stats *stats;
	uint64_t now_ns;
	uint64_t stolen;
	uint32_t pages_max;
	uint32_t ticket;
	struct stream *seg_of;
	uint32_t seg_seq, seg_ack;
	struct bytes seg;
	struct tail *tails;
};

struct stream_pool *stream_pool_new(const struct config *cfg, struct stats *stats)
{
	struct stream_pool *pool = calloc(1, sizeof *pool);
	if (!pool)
		return NULL;
	pool->stats = stats;
	pool->held = held_pool_new(cfg->held_bytes);
	pool->tails = calloc(STREAM_TAILS, sizeof *pool->tails);
	if (!pool->held || !pool->tails) {
		stream_pool_free(pool);
		return NULL;
	}
	stream_pool_config(pool, cfg);
	return pool;
}

void stream_pool_free(struct stream_pool *pool)
{
	if (!pool)
		return;
	held_pool_free(pool->held);
	free(pool->tails);
	free(pool);
}

bool stream_pool_whole(const struct stream_pool *pool)
{
	return held_pool_whole(pool->held);
}

void stream_pool_config(struct stream_pool *pool, const struct config *cfg)
{
	pool->cfg = cfg;
	pool->pages_max = (uint32_t)(cfg->held_flow_bytes / held_cost());
}

const struct config *stream_pool_settings(const struct stream_pool *pool)
{
	return pool->cfg;
}

void stream_pool_time(struct stream_pool *pool, uint64_t now_ns)
{
	pool->now_ns = now_ns;
}

/* ---- octets given out ---- */

/*
 * The stream's tail, NULL when it has none or lost it: seen without a look at somebody else's
 * memory.
 */
static struct tail *tail_of(const struct stream *s, const struct stream_pool *pool)
{
	if (s->tail == 0 || pool->ticket - s->tail >= STREAM_TAILS)
		return NULL;
	return &pool->tails[s->tail % STREAM_TAILS];
}

static void tail_note(struct stream *s, struct stream_pool *pool, struct bytes data)
{
	struct tail *t = tail_of(s, pool);
	if (!t) {
		if (++pool->ticket == 0)
			pool->ticket = 1;
		s->tail = pool->ticket;
		t = &pool->tails[s->tail % STREAM_TAILS];
		t->begin = t->end = s->next;
	} else if (t->end != s->next) {
		t->begin = s->next;
	}
	uint32_t seq = s->next, end = seq + (uint32_t)data.n;
	for (uint32_t q = (seq + SAMPLE - 1) & ~(uint32_t)(SAMPLE - 1); stream_diff(end, q) > 0;
	     q += SAMPLE)
		t->sample[q / SAMPLE % SAMPLES] = data.p[q - seq];
	if (data.n >= TAIL) {
		t->first = end;
		memcpy(t->last, data.p + data.n - TAIL, TAIL);
	} else {
		uint32_t at = (seq - t->first) % TAIL;
		size_t n = data.n < TAIL - at ? data.n : TAIL - at;
		memcpy(t->last + at, data.p, n);
		if (n < data.n)
			memcpy(t->last, data.p + n, data.n - n);
	}
	t->end = end;
	if (end - t->begin > TAIL_SPAN)
		t->begin = end - TAIL_SPAN;
}

/* True when octets from seq on, all given out before, are known to have been others. */
static bool tail_differs(const struct stream *s, const struct stream_pool *pool, uint32_t seq,
			 struct bytes data)
{
	const struct tail *t = tail_of(s, pool);
	if (!t || t->end != s->next)
		return false;
	if (stream_diff(t->begin, seq) > 0) {
		data = bytes_from(data, t->begin - seq);
		seq = t->begin;
	}
	uint32_t end = seq + (uint32_t)data.n;
	for (uint32_t q = (seq + SAMPLE - 1) & ~(uint32_t)(SAMPLE - 1); stream_diff(end, q) > 0;
	     q += SAMPLE)
		if (t->sample[q / SAMPLE % SAMPLES] != data.p[q - seq])
			return true;
	if (stream_diff(t->end - TAIL, seq) > 0) {
		data = bytes_from(data, t->end - TAIL - seq);
		seq = t->end - TAIL;
	}
	for (size_t i = 0; i < data.n; i++)
		if (t->last[(seq + (uint32_t)i - t->first) % TAIL] != data.p[i])
			return true;
	return false;
}

/* ---- where it starts ---- */

bool stream_fits(const struct stream *s, uint32_t start)
{
	if (!s->known)
		return true;
	if (s->syn)
		return s->isn + 1 == start;
	if (s->soft)
		return stream_near(s, start) && stream_diff(s->next, start) >= 0;
	return s->next - (uint32_t)s->off - s->ended == start;
}

void stream_begin(struct stream *s, uint32_t start)
{
	s->isn = start - 1;
	s->syn = true;
	if (s->known && !s->soft)
		return;
	s->next = start;
	if (!s->known || stream_diff(start, s->sent) > 0)
		s->sent = start;
	s->known = true;
	s->soft = false;
	s->stall_ns = 0;
}

void stream_syn_data(struct stream *s, uint32_t n)
{
	s->syn_data = true;
	s->end = s->isn + 1 + n;
}

void stream_syn_answer(struct stream *s, struct stream_pool *pool, uint32_t ack)
{
	uint32_t start = s->isn + 1;
	if (!s->syn_data) {
		if (ack == start || s->off)
			return;
		/* another SYN than the one seen was answered */
		held_clear(pool->held, &s->held);
		s->isn = ack - 1;
		s->next = s->sent = ack;
		return;
	}
	s->syn_data = false;
	s->stall_ns = 0;
	if (stream_diff(ack, start) >= 0 && stream_diff(s->end, ack) >= 0) {
		held_drop(pool->held, &s->held, ack, s->end - ack);
		if (s->sent == s->end)
			s->sent = ack;
		return;
	}
	held_clear(pool->held, &s->held);
	s->isn = ack - 1;
	s->next = s->sent = ack;
}

/* ---- in ---- */

/* Takes off what was given out before; notes what it says. */
static void stream_trim_old(struct stream *s, struct stream_pool *pool)
{
	int32_t old = stream_diff(s->next, pool->seg_seq);
	if (old <= 0 || pool->seg.n == 0)
		return;
	struct bytes again = bytes_head(pool->seg, (size_t)old);
	/* a keep-alive has one octet of any value in front of the next one (RFC 9293 3.8.4) */
	bool keep_alive = pool->seg.n == 1 && old == 1 && (!s->acked || s->peer_ack == s->next);
	if (!keep_alive && tail_differs(s, pool, pool->seg_seq, again)) {
		s->overlap = true;
		stats_add(pool->stats, STAT_STREAM_OVERLAP, 1);
	}
	pool->seg = bytes_from(pool->seg, (size_t)old);
	pool->seg_seq += (uint32_t)again.n;
	if (pool->seg.n == 0)
		stats_add(pool->stats, STAT_STREAM_RETRANSMIT, 1);
}

/* A FIN, or octets behind one. */
static void stream_fin(struct stream *s, struct stream_pool *pool, uint32_t at, bool fin)
{
	if (fin && !s->fin && !s->syn_data) {
		if (stream_diff(s->sent, at + 1) > 0) {
			s->overlap = true; /* there were octets behind it already: not the end */
			return;
		}
		s->fin = true;
		s->end = at;
		s->sent = at + 1;
	}
	if (s->fin && stream_diff(at, s->end) > 0 && pool->seg.n) {
		int32_t keep = stream_diff(s->end, pool->seg_seq);
		s->overlap = true;
		pool->seg = bytes_head(pool->seg, keep > 0 ? (size_t)keep : 0);
	}
}

void stream_push(struct stream *s, struct stream_pool *pool, const struct stream_segment *seg)
{
	uint32_t end = seg->seq + (uint32_t)seg->data.n + seg->cut;
	if (!s->known) {
		s->known = s->soft = true;
		s->next = s->sent = seg->seq;
	}
	if (s->soft && seg->data.n && stream_diff(s->next, seg->seq) > 0)
		s->next = seg->seq;
	pool->seg_of = s;
	/* one by one: the caller has just written them so, and both at once could not be read yet
	 */
	pool->seg = bytes_of(seg->data.p, seg->data.n);
	pool->seg_seq = seg->seq;
	pool->seg_ack = seg->ack;
	if (seg->fin || s->fin)
		stream_fin(s, pool, end, seg->fin);
	if (!s->fin && stream_diff(end, s->sent) > 0)
		s->sent = end;
	if (!s->soft)
		stream_trim_old(s, pool);
}

/* About milliseconds, for what need not be exact. */
static uint32_t stream_tick(const struct stream_pool *pool)
{
	return (uint32_t)(pool->now_ns >> 20);
}

void stream_ack(struct stream *s, const struct stream_pool *pool, uint32_t ack)
{
	/* an ACK for what nobody was seen to send may be a lie: the next one replaces it */
	if (!s->acked || stream_diff(ack, s->peer_ack) > 0 || stream_diff(s->peer_ack, s->sent) > 0)
		s->peer_ack = ack;
	s->acked = true;
	s->peer_tick = stream_tick(pool);
}

/* ---- out ---- */

static bool stream_has_segment(const struct stream *s, const struct stream_pool *pool)
{
	return pool->seg.n && pool->seg_of == s;
}

/* Copies as much of the segment as there is room for. */
static void stream_keep(struct stream *s, struct stream_pool *pool)
{
	bool early = pool->seg_seq != s->next;
	struct held_put put = held_put(pool->held, &s->held, pool->seg_seq, pool->seg,
				       pool->seg_ack, pool->pages_max);
	if (put.fresh && early)
		stats_add(pool->stats, STAT_STREAM_HELD, 1);
	else if (!put.fresh && put.placed == pool->seg.n)
		stats_add(pool->stats, STAT_STREAM_RETRANSMIT, 1);
	if (put.differs) {
		s->overlap = true;
		stats_add(pool->stats, STAT_STREAM_OVERLAP, 1);
	}
	pool->seg = bytes_from(pool->seg, put.placed);
	pool->seg_seq += (uint32_t)put.placed;
	uint64_t stolen = held_stolen(pool->held);
	if (stolen != pool->stolen) {
		stats_add(pool->stats, STAT_STREAM_HELD_FULL, stolen - pool->stolen);
		pool->stolen = stolen;
	}
}

static bool stream_next_data(struct stream *s, struct stream_pool *pool, struct stream_out *out)
{
	if (stream_has_segment(s, pool))
		stream_trim_old(s, pool);
	if (stream_has_segment(s, pool) && pool->seg_seq == s->next) {
		uint32_t first;
		out->data = pool->seg;
		out->ack = pool->seg_ack;
		if (held_near(pool->held, &s->held, s->next, pool->seg.n) &&
		    held_first(pool->held, &s->held, s->next, &first))
			out->data = bytes_head(pool->seg, first - s->next);
		if (out->data.n)
			return true;
		stream_keep(s, pool); /* the first copy wins */
	}
	out->data = held_at(pool->held, &s->held, s->next, &out->ack);
	return out->data.n > 0;
}

/* Where the next octet is that is there, but not behind `end`. */
static uint32_t stream_hole_end(const struct stream *s, const struct stream_pool *pool,
				uint32_t end)
{
	uint32_t first;
	if (stream_has_segment(s, pool) && stream_diff(end, pool->seg_seq) > 0)
		end = pool->seg_seq;
	if (held_first(pool->held, &s->held, s->next, &first) && stream_diff(end, first) > 0)
		end = first;
	if (s->fin && stream_diff(end, s->end) > 0)
		end = s->end;
	return end;
}

static bool stream_next_gap(struct stream *s, struct stream_pool *pool, struct stream_out *out)
{
	int32_t n = stream_diff(stream_hole_end(s, pool, s->limit), s->next);
	if (n > 0) {
		out->data = bytes_of(NULL, (size_t)n);
		out->acked = false;
		s->next += (uint32_t)n;
		s->off += (uint32_t)n;
		s->lossy = true;
		stats_add(pool->stats, STAT_STREAM_HOLE, 1);
		stats_add(pool->stats, STAT_STREAM_HOLE_OCTETS, (uint64_t)n);
	}
	if (n <= 0 || stream_diff(s->limit, s->next) <= 0) {
		s->giving = false;
		s->stall_ns = 0;
	}
	return n > 0;
}

enum stream_result stream_next(struct stream *s, struct stream_pool *pool, struct stream_out *out)
{
	if (!s->known || s->soft || s->syn_data || s->ended || (s->wait && !s->retry && !s->last))
		return STREAM_MORE;
	out->last = s->last;
	out->acked = true;
	if (stream_next_data(s, pool, out))
		return STREAM_DATA;
	if (s->giving && stream_next_gap(s, pool, out))
		return STREAM_GAP;
	if (s->fin && s->next == s->end) {
		s->ended = true;
		s->next++;
		held_clear(pool->held, &s->held);
		out->data = (struct bytes){ 0 };
		out->acked = false;
		return STREAM_END;
	}
	return STREAM_MORE;
}

void stream_used(struct stream *s, struct stream_pool *pool, struct bytes data, size_t n, bool last)
{
	assert(n <= data.n);
	struct bytes taken = bytes_head(data, n);
	bool direct = stream_has_segment(s, pool) && data.p == pool->seg.p;
	if (n)
		tail_note(s, pool, taken);
	size_t gone = last ? data.n : n;
	if (direct) {
		pool->seg = bytes_from(pool->seg, gone);
		pool->seg_seq += (uint32_t)gone;
	} else {
		held_drop(pool->held, &s->held, s->next, gone);
	}
	s->next += (uint32_t)n;
	s->off += n;
	stats_add(pool->stats, STAT_STREAM_OCTETS, n);
	if (n && !s->giving)
		s->stall_ns = 0;
	s->wait = s->retry = s->last = false;
	if (n == data.n)
		return;
	if (last) {
		s->giving = true;
		s->limit = s->next + (uint32_t)(data.n - n);
	} else {
		s->wait = true;
		s->stall_packets = 0;
		s->stall_ns = pool->now_ns ? pool->now_ns : 1;
	}
}

/* ---- waiting ---- */

static bool stream_late(const struct stream *s, const struct stream_pool *pool)
{
	return s->stall_packets >= pool->cfg->hole_packets ||
	       (pool->now_ns > s->stall_ns &&
		pool->now_ns - s->stall_ns >= pool->cfg->hole_ms * (uint64_t)1000000);
}

/* Begins to count; true when it is over. */
static bool stream_stalled(struct stream *s, const struct stream_pool *pool)
{
	if (s->stall_ns)
		return stream_late(s, pool);
	s->stall_packets = 0;
	s->stall_ns = pool->now_ns ? pool->now_ns : 1;
	return false;
}

/*
 * How far holes are believed to be losses: octets that the sender has shown to have sent and the
 * peer to have received. Of a peer that never was seen nothing is asked.
 */
static uint32_t stream_lost_to(const struct stream *s)
{
	uint32_t to = s->fin ? s->end : s->sent;
	return s->acked && stream_diff(to, s->peer_ack) > 0 ? s->peer_ack : to;
}

static void stream_firm(struct stream *s, const struct stream_pool *pool)
{
	uint32_t first = s->sent, lowest = s->next - STREAM_WINDOW;
	if (s->fin)
		first = s->end;
	if (stream_has_segment(s, pool))
		first = pool->seg_seq;
	uint32_t held;
	if (held_first(pool->held, &s->held, lowest, &held) && stream_diff(first, held) > 0)
		first = held;
	s->next = first;
	s->soft = false;
	s->stall_ns = 0;
}

static void stream_give_up(struct stream *s, uint32_t limit)
{
	s->giving = true;
	s->limit = limit;
}

/* There is no room for the rest of the segment. True: something is given out for it. */
static bool stream_full(struct stream *s, struct stream_pool *pool)
{
	if (s->soft) {
		stream_firm(s, pool);
		return true;
	}
	if (s->syn_data) {
		pool->seg.n = 0; /* sent again, or a hole */
		return false;
	}
	uint32_t ack;
	if (s->wait && pool->seg_seq != s->next &&
	    held_at(pool->held, &s->held, s->next, &ack).n == 0)
		s->wait = s->retry = s->last = false; /* what waited went to another stream */
	if (s->wait) {
		stats_add(pool->stats, STAT_STREAM_WAIT_FULL, 1);
		s->last = true;
		return true;
	}
	stats_add(pool->stats, STAT_STREAM_HELD_FULL, 1);
	uint32_t first = stream_hole_end(s, pool, pool->seg_seq);
	bool silent = stream_tick(pool) - s->peer_tick > pool->cfg->hole_ms;
	if (stream_diff(stream_lost_to(s), s->next) > 0 || silent) {
		stream_give_up(s, first);
		return true;
	}
	/*
	 * the peer is there and has not acknowledged it: what is farthest away is the least likely
	 * to be true
	 */
	if (held_drop_last(pool->held, &s->held, s->next, pool->seg_seq))
		return true;
	pool->seg.n = 0;
	return false;
}

bool stream_starting(const struct stream *s, const struct stream_pool *pool)
{
	return s->known && s->soft && !(s->stall_ns && stream_late(s, pool));
}

bool stream_settle(struct stream *s, const struct stream *peer, struct stream_pool *pool,
		   bool finish)
{
	if (!s->known || s->ended) {
		if (stream_has_segment(s, pool))
			pool->seg.n = 0;
		return false;
	}
	if (stream_has_segment(s, pool)) {
		stream_keep(s, pool);
		if (pool->seg.n)
			return stream_full(s, pool);
	}
	uint32_t ack;
	if (s->wait && held_at(pool->held, &s->held, s->next, &ack).n == 0)
		s->wait = s->retry = s->last = false; /* what waited went to another stream */
	if (s->soft || s->syn_data) {
		if ((!stream_stalled(s, pool) || stream_starting(peer, pool)) && !finish)
			return false;
		if (s->soft)
			stream_firm(s, pool);
		s->syn_data = false;
		s->stall_ns = 0;
		return true;
	}
	if (s->wait)
		return false;
	uint32_t lost = finish ? s->fin ? s->end : s->sent : stream_lost_to(s);
	if (stream_diff(lost, s->next) <= 0) {
		s->stall_ns = 0;
		return false;
	}
	if (!s->stall_ns)
		s->limit = lost;
	if (!stream_stalled(s, pool) && !finish)
		return false;
	stream_give_up(s, finish ? lost : s->limit);
	return true;
}

bool stream_wait_over(const struct stream *s, const struct stream_pool *pool, bool rest,
		      bool finish)
{
	return s->wait && !s->last && (finish || (!rest && stream_late(s, pool)));
}

void stream_wait_end(struct stream *s, struct stream_pool *pool)
{
	stats_add(pool->stats, STAT_STREAM_WAIT_LATE, 1);
	s->last = true;
}

uint64_t stream_due(const struct stream *s, const struct stream_pool *pool)
{
	return s->stall_ns ? s->stall_ns + pool->cfg->hole_ms * (uint64_t)1000000 : 0;
}

void stream_reset(struct stream *s, struct stream_pool *pool)
{
	held_clear(pool->held, &s->held);
	if (pool->seg_of == s)
		pool->seg.n = 0;
	*s = (struct stream){ 0 };
}
