#include "reassembly/connection.h"

/*
 * Where the numbers of a direction start: by its SYN, by the SYN-ACK that answers it, else by the
 * lowest octet of the first packets (stream: soft). Which SYN counts when there are several is for
 * the other side to say; it is the only witness that the sender of decoys cannot make speak.
 */

static bool connection_checksum(struct stream *s, const struct config *cfg,
				const struct packet *pkt)
{
	if (cfg->checksum == CHECKSUM_NEVER)
		return true;
	if (pkt->csum == PACKET_CSUM_RIGHT)
		s->csum_right = true;
	/* an end with offload, captured on its own machine, never has a right one */
	return pkt->csum != PACKET_CSUM_WRONG || (cfg->checksum == CHECKSUM_AUTO && !s->csum_right);
}

/* Nothing more can come in it: a SYN is a new connection at once. */
static bool connection_over(const struct connection *c, enum connection_dir dir)
{
	const struct stream *s = &c->dir[dir], *o = &c->dir[!dir];
	if (s->ended && o->ended)
		return true;
	return !o->known && s->known && (s->ended || c->reset);
}

/* The first SYN tells, unless somebody knows better (the port). */
static void connection_client(struct connection *c, enum connection_dir dir)
{
	if (!c->client_known)
		c->client = dir;
	c->client_known = true;
}

static void connection_payload(struct connection *c, struct stream_pool *pool,
			       enum connection_dir dir, const struct packet *pkt, bool fin)
{
	struct stream_segment seg = {
		.seq = pkt->seq + ((pkt->tcp_flags & TCP_SYN) != 0),
		.ack = pkt->ack,
		.data = { pkt->payload, pkt->payload_len },
		.cut = pkt->payload_cut,
		.fin = fin,
	};
	stream_push(&c->dir[dir], pool, &seg);
}

static enum connection_push connection_syn(struct connection *c, struct stream_pool *pool,
					   enum connection_dir dir, const struct packet *pkt)
{
	struct stream *s = &c->dir[dir], *o = &c->dir[!dir];
	if (s->syn && s->isn == pkt->seq)
		return CONNECTION_TAKEN; /* again, or behind its answer */
	if (stream_fits(s, pkt->seq + 1) && (!o->known || o->soft || o->syn)) {
		stream_begin(s, pkt->seq + 1);
		connection_client(c, dir);
		c->midstream = false;
		if (pkt->payload_len) {
			stream_syn_data(s, pkt->payload_len);
			connection_payload(c, pool, dir, pkt, false);
		}
		return CONNECTION_TAKEN;
	}
	if (connection_over(c, dir))
		return CONNECTION_REUSED;
	c->syn_pending = true;
	c->syn_isn = pkt->seq;
	c->syn_dir = dir;
	return CONNECTION_TAKEN;
}

static enum connection_push connection_syn_ack(struct connection *c, struct stream_pool *pool,
					       enum connection_dir dir, const struct packet *pkt)
{
	struct stream *s = &c->dir[dir], *o = &c->dir[!dir];
	if (c->answered && s->syn && s->isn == pkt->seq)
		return CONNECTION_TAKEN;
	/* a SYN's octets may have been given out before */
	bool asked = o->syn && !c->answered && (o->off == 0 || pkt->ack - o->isn - 1 <= o->off);
	if (stream_fits(s, pkt->seq + 1) && (asked || stream_fits(o, pkt->ack))) {
		stream_begin(s, pkt->seq + 1);
		if (o->syn)
			stream_syn_answer(o, pool, pkt->ack);
		else
			stream_begin(o, pkt->ack);
		stream_ack(o, pool, pkt->ack);
		c->answered = true;
		c->syn_pending = false;
		c->midstream = false;
		connection_client(c, !dir);
		if (pkt->payload_len)
			connection_payload(c, pool, dir, pkt, false);
		return CONNECTION_TAKEN;
	}
	if (connection_over(c, dir) || connection_over(c, !dir))
		return CONNECTION_REUSED;
	if (c->syn_pending && c->syn_dir != dir && pkt->ack - c->syn_isn - 1 < 65536)
		return CONNECTION_REUSED;
	return CONNECTION_OUT_OF_WINDOW;
}

static enum connection_push connection_rst(struct connection *c, enum connection_dir dir,
					   const struct packet *pkt)
{
	const struct stream *s = &c->dir[dir], *o = &c->dir[!dir];
	bool exact = false;
	if (s->known)
		exact = pkt->seq == s->next || pkt->seq == s->sent;
	else if (o->known && (pkt->tcp_flags & TCP_ACK))
		exact = pkt->ack == o->next || pkt->ack == o->sent; /* a SYN refused */
	if (!exact)
		return CONNECTION_OUT_OF_WINDOW; /* RFC 5961 3.2 */
	c->reset = true;
	c->reset_dir = dir;
	c->closed = true;
	return CONNECTION_TAKEN;
}

static enum connection_push connection_segment(struct connection *c, struct stream_pool *pool,
					       enum connection_dir dir, const struct packet *pkt)
{
	struct stream *s = &c->dir[dir], *o = &c->dir[!dir];
	bool fin = pkt->tcp_flags & TCP_FIN;
	if (!(pkt->tcp_flags & TCP_ACK))
		return CONNECTION_OUT_OF_WINDOW; /* every receiver drops it: RFC 9293 3.10.7.4 */
	if (c->syn_pending && c->syn_dir == dir && !o->known && pkt->seq == c->syn_isn + 1 &&
	    pkt->seq != s->next) {
		/* nobody is there to say which SYN counts, so what follows it does */
		if (s->off || !s->syn)
			return CONNECTION_REUSED;
		stream_syn_answer(s, pool, pkt->seq);
		c->syn_pending = false;
	}
	if (!stream_near(s, pkt->seq) || (o->known && !stream_near(o, pkt->ack)))
		return CONNECTION_OUT_OF_WINDOW;
	if (s->syn_data) {
		if (pkt->payload_len == 0 && !fin)
			stream_syn_answer(
				s, pool, pkt->seq); /* its octets count if it goes on behind them */
		s->syn_data = false;
	}
	if (o->known)
		stream_ack(o, pool, pkt->ack);
	connection_payload(c, pool, dir, pkt, fin);
	if (c->reset && c->reset_dir == dir) {
		c->reset = false;
		c->closed = false;
	}
	return CONNECTION_TAKEN;
}

enum connection_push connection_push(struct connection *c, struct stream_pool *pool,
				     enum connection_dir dir, const struct packet *pkt)
{
	if (!connection_checksum(&c->dir[dir], stream_pool_settings(pool), pkt))
		return CONNECTION_BAD_CHECKSUM;
	stream_pool_time(pool, pkt->time_ns);
	enum connection_push r;
	uint8_t flags = pkt->tcp_flags;
	if (flags & TCP_RST)
		r = flags & TCP_SYN ? CONNECTION_OUT_OF_WINDOW : connection_rst(c, dir, pkt);
	else if (!(flags & TCP_SYN))
		r = connection_segment(c, pool, dir, pkt);
	else if (flags & TCP_FIN)
		r = CONNECTION_OUT_OF_WINDOW;
	else if (flags & TCP_ACK)
		r = connection_syn_ack(c, pool, dir, pkt);
	else
		r = connection_syn(c, pool, dir, pkt);
	if (r == CONNECTION_TAKEN) {
		c->turn = dir;
		for (int i = 0; i < 2; i++)
			if (c->dir[i].stall_ns)
				c->dir[i].stall_packets++;
	}
	return r;
}

/* The stream offset of an acknowledged octet; 0: none, or not known. */
static uint64_t connection_acked(const struct stream *s, const struct stream_out *out)
{
	if (!out->acked || !s->known || s->soft)
		return 0;
	int64_t off = (int64_t)s->off + stream_diff(out->ack, s->next);
	if (s->fin && !s->ended && stream_diff(out->ack, s->end) > 0)
		off--;
	return off > 0 ? (uint64_t)off : 0;
}

/* The other direction may have waited for this. */
static void connection_moved(struct connection *c, enum connection_dir dir)
{
	c->dir[!dir].retry = c->dir[!dir].wait;
}

static bool connection_give(struct connection *c, struct stream_pool *pool, enum connection_dir dir,
			    struct connection_item *item)
{
	struct stream *s = &c->dir[dir];
	struct stream_out out;
	uint64_t off = s->off;
	enum stream_result r = stream_next(s, pool, &out);
	if (r == STREAM_MORE)
		return false;
	*item = (struct connection_item){
		.result = r,
		.dir = dir,
		.data = out.data,
		.off = off,
		.peer_acked = connection_acked(&c->dir[!dir], &out),
		.last_chance = out.last,
	};
	if (!c->dir[0].syn && !c->dir[1].syn)
		c->midstream = true;
	if (r != STREAM_DATA)
		connection_moved(c, dir);
	if (s->ended && (c->dir[!dir].ended || !c->dir[!dir].known))
		c->closed = true;
	return true;
}

/*
 * What dir waits for was not sent yet: both starts were seen, nothing was lost, and the sender of
 * dir has acknowledged nothing that was not seen. A slow peer must not make the reader guess:
 * whoever chose the pace would choose the guess.
 */
static bool connection_rests(const struct connection *c, enum connection_dir dir)
{
	const struct stream *s = &c->dir[dir], *o = &c->dir[!dir];
	return s->syn && o->syn && !s->lossy && !o->lossy && !o->wait && !o->ended &&
	       !(o->acked && stream_diff(o->peer_ack, o->sent) > 0);
}

/* One of two waits that are over: the older, else the client's. */
static bool connection_end_wait(struct connection *c, struct stream_pool *pool)
{
	enum connection_dir d = c->client_known ? c->client : CONNECTION_A;
	bool over = stream_wait_over(&c->dir[d], pool, connection_rests(c, d), c->finishing);
	bool other = stream_wait_over(&c->dir[!d], pool, connection_rests(c, !d), c->finishing);
	if (!over && !other)
		return false;
	if (!over || (other && c->dir[!d].stall_ns < c->dir[d].stall_ns))
		d = !d;
	stream_wait_end(&c->dir[d], pool);
	return true;
}

bool connection_next(struct connection *c, struct stream_pool *pool, struct connection_item *item)
{
	enum connection_dir first = c->turn;
	bool more = !stream_quiet(&c->dir[0]) || !stream_quiet(&c->dir[1]);
	while (more) {
		if (connection_give(c, pool, first, item) || connection_give(c, pool, !first, item))
			return true;
		/* holes before waits: what a wait is for may lie behind a hole */
		more = stream_settle(&c->dir[first], &c->dir[!first], pool, c->finishing);
		more |= stream_settle(&c->dir[!first], &c->dir[first], pool, c->finishing);
		if (!more)
			more = connection_end_wait(c, pool);
	}
	return false;
}

void connection_used(struct connection *c, struct stream_pool *pool,
		     const struct connection_item *item, size_t n)
{
	stream_used(&c->dir[item->dir], pool, item->data, n, item->last_chance);
	if (n || item->last_chance)
		connection_moved(c, item->dir);
}

uint64_t connection_timer(struct connection *c, struct stream_pool *pool, uint64_t now_ns)
{
	uint64_t a = stream_due(&c->dir[0], pool), b = stream_due(&c->dir[1], pool);
	uint64_t due = a && (!b || a < b) ? a : b;
	stream_pool_time(pool, now_ns);
	if (due && due <= now_ns)
		due = now_ns + stream_pool_settings(pool)->hole_ms * (uint64_t)1000000 + 1;
	return due;
}

void connection_finish(struct connection *c, struct stream_pool *pool)
{
	(void)pool;
	c->finishing = true;
}

void connection_reset(struct connection *c, struct stream_pool *pool)
{
	stream_reset(&c->dir[0], pool);
	stream_reset(&c->dir[1], pool);
	*c = (struct connection){ 0 };
}

bool connection_busy(const struct connection *c)
{
	return c->dir[0].stall_ns || c->dir[1].stall_ns || c->dir[0].held.owner ||
	       c->dir[1].held.owner;
}

bool connection_overlap(const struct connection *c)
{
	return c->dir[0].overlap || c->dir[1].overlap;
}
