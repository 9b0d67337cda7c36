/*
 * However a conversation is cut, doubled, overlapped, reordered and attacked, the reader gets the
 * octets that were sent, in order and each at its place, and gaps exactly where every copy was
 * lost.
 */
#include "tests/rig.h" /* all but the pictures */

enum { OCTETS_MAX = 20000, PACKETS_MAX = 4000, REACH = 24 };

struct sent {
	struct packet pkt;
	uint8_t dir;
	uint32_t rank; /* place in the order it is seen in */
};

/* A conversation: at[d][i] octets of the other side had been seen by d when it sent octet i. */
struct talk {
	uint64_t rnd;
	uint8_t octet[2][OCTETS_MAX];
	uint32_t at[2][OCTETS_MAX];
	uint8_t lost[2][OCTETS_MAX];
	uint8_t noise[4096];
	uint32_t n[2];
	struct sent sent[PACKETS_MAX];
	uint32_t packets;
	uint32_t reach; /* a packet moves by at most so many places */
};

static uint32_t pick(struct talk *t, uint32_t n)
{
	return (uint32_t)(test_random(&t->rnd) % n);
}

static struct packet *add(struct talk *t, const struct rig *r, enum connection_dir dir,
			  unsigned flags, uint32_t off, uint32_t ack, uint32_t len)
{
	if (t->packets == PACKETS_MAX)
		abort();
	struct sent *s = &t->sent[t->packets];
	*s = (struct sent){ .dir = (uint8_t)dir,
			    .rank = t->packets * 8 + pick(t, t->reach * 8 + 1) };
	s->pkt = rig_packet(r, dir, flags, off, ack, "");
	s->pkt.payload = t->octet[dir] + off;
	s->pkt.payload_len = len;
	t->packets++;
	return &s->pkt;
}

/* Octets off to off + n of dir, once or several times, whole or in pieces, with neighbours. */
static void send_octets(struct talk *t, const struct rig *r, enum connection_dir dir, uint32_t off,
			uint32_t n, uint32_t ack)
{
	if (pick(t, 40) == 0) { /* all copies lost */
		memset(t->lost[dir] + off, 1, n);
		return;
	}
	switch (pick(t, 8)) {
	case 0: /* in pieces */
		for (uint32_t i = 0; i < n;) {
			uint32_t part = 1 + pick(t, n - i);
			add(t, r, dir, TCP_ACK, off + i, ack, part);
			i += part;
		}
		break;
	case 1: /* twice */
		add(t, r, dir, TCP_ACK, off, ack, n);
		add(t, r, dir, TCP_ACK, off, ack, n);
		break;
	case 2: /* the second half first, then all */
		add(t, r, dir, TCP_ACK, off + n / 2, ack, n - n / 2);
		add(t, r, dir, TCP_ACK, off, ack, n);
		break;
	default:
		add(t, r, dir, TCP_ACK, off, ack, n);
	}
}

/*
 * What changes nothing: far away, with a wrong checksum, without ACK, RST and SYN with wrong
 * numbers.
 */
static void decoy(struct talk *t, const struct rig *r, enum connection_dir dir, uint32_t off,
		  uint32_t ack)
{
	uint32_t n = 1 + pick(t, 100);
	struct packet *pkt = add(t, r, dir, TCP_ACK, off, ack, 0);
	pkt->payload = t->noise;
	pkt->payload_len = n;
	switch (pick(t, 5)) {
	case 0:
		pkt->csum = PACKET_CSUM_WRONG;
		break;
	case 1:
		pkt->seq += 1u << 30 | pick(t, 1u << 30);
		break;
	case 2:
		pkt->tcp_flags = 0;
		break;
	case 3:
		pkt->tcp_flags = TCP_RST;
		pkt->seq += 100000;
		break;
	default:
		pkt->tcp_flags = TCP_SYN;
		pkt->seq += 1000000;
	}
}

static void talk_new(struct talk *t, const struct rig *r, uint64_t seed, bool loss, bool decoys)
{
	memset(t, 0, sizeof *t);
	t->rnd = seed * 0x9e3779b97f4a7c15u + 1;
	for (int d = 0; d < 2; d++)
		for (int i = 0; i < OCTETS_MAX; i++)
			t->octet[d][i] = (uint8_t)test_random(&t->rnd);
	t->reach = seed % 4 ? pick(t, REACH) : 0;
	add(t, r, A, TCP_SYN, 0, 0, 0);
	add(t, r, B, TCP_SYN | TCP_ACK, 0, 0, 0);
	add(t, r, A, TCP_ACK, 0, 0, 0);
	uint32_t turns = 1 + pick(t, 30);
	for (uint32_t turn = 0; turn < turns; turn++) {
		enum connection_dir d = turn & 1 ? A : B;
		uint32_t segments = 1 + pick(t, 10), max = pick(t, 3) ? 300 : 3;
		for (uint32_t i = 0; i < segments && t->n[d] < OCTETS_MAX - 1000; i++) {
			uint32_t n = 1 + pick(t, max);
			for (uint32_t k = 0; k < n; k++)
				t->at[d][t->n[d] + k] = t->n[!d];
			if (loss)
				send_octets(t, r, d, t->n[d], n, t->n[!d]);
			else
				add(t, r, d, TCP_ACK, t->n[d], t->n[!d], n);
			t->n[d] += n;
			if (decoys && pick(t, 6) == 0)
				decoy(t, r, d, t->n[d], t->n[!d]);
			if (pick(t, 4) == 0)
				add(t, r, !d, TCP_ACK, t->n[!d], t->n[d], 0);
		}
	}
	add(t, r, A, TCP_ACK | TCP_FIN, t->n[A], t->n[B], 0);
	add(t, r, B, TCP_ACK | TCP_FIN, t->n[B], t->n[A], 0);
}

static int by_rank(const void *a, const void *b)
{
	const struct sent *x = a, *y = b;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x < y ? -1 : 1;
}

/*
 * Reads what there is; `causal`: no octet before those of the other side that its sender had seen.
 */
static bool talk_read(struct rig *r, const struct talk *t, bool causal, unsigned *ends)
{
	struct connection_item item;
	while (connection_next(&r->c, r->pool, &item)) {
		enum connection_dir d = item.dir;
		size_t at = r->read[d], n = item.data.n;
		r->last_chances += item.last_chance;
		if (item.result == STREAM_END) {
			++*ends;
			if (at != t->n[d])
				return false;
			continue;
		}
		if (item.off != at || n == 0 || at + n > t->n[d])
			return false;
		if (item.result == STREAM_GAP) {
			for (size_t i = 0; i < n; i++)
				if (!t->lost[d][at + i])
					return false;
			r->read[d] += n;
			continue;
		}
		size_t take = 0;
		while (take < n &&
		       (!causal || item.last_chance || t->at[d][at + take] <= r->read[!d])) {
			if (t->lost[d][at + take] || t->octet[d][at + take] != item.data.p[take])
				return false;
			take++;
		}
		/* held octets know it to 64 octets */
		size_t near = at + 63 < t->n[d] ? at + 63 : t->n[d] - 1;
		if (item.peer_acked > t->at[d][near])
			return false;
		r->read[d] += take;
		connection_used(&r->c, r->pool, &item, take);
	}
	return true;
}

static void run(uint64_t seeds, bool loss, bool decoys, bool causal)
{
	static struct talk t;
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		struct rig *r = rig_new();
		unsigned ends = 0;
		r->isn[A] = (uint32_t)(seed * 2654435761u);
		r->isn[B] = (uint32_t) - (int32_t)(seed % 5000);
		if (loss)
			r->cfg.hole_packets = 200; /* copies come within */
		talk_new(&t, r, seed, loss, decoys);
		if (t.reach)
			qsort(t.sent + (decoys ? 3 : 0), t.packets - (decoys ? 3 : 0),
			      sizeof t.sent[0], by_rank);
		bool ok = true;
		for (uint32_t i = 0; ok && i < t.packets; i++) {
			struct packet *pkt = &t.sent[i].pkt;
			pkt->time_ns = r->now_ns += 100000;
			if (r->c.closed && (pkt->tcp_flags & TCP_SYN))
				continue; /* there it does begin another one */
			enum connection_push p = connection_push(
				&r->c, r->pool, (enum connection_dir)t.sent[i].dir, pkt);
			ok = p != CONNECTION_REUSED &&
			     (p != CONNECTION_TAKEN || talk_read(r, &t, causal, &ends));
		}
		connection_finish(&r->c, r->pool);
		ok = ok && talk_read(r, &t, causal, &ends);
		ok = ok && r->read[A] == t.n[A] && r->read[B] == t.n[B] && ends == 2 &&
		     !connection_overlap(&r->c) && (loss || r->last_chances == 0) && r->c.closed;
		if (!ok)
			printf("\n  seed %llu: read %zu/%u %zu/%u ends %u last chances %u overlap "
			       "%d\n",
			       (unsigned long long)seed, r->read[A], t.n[A], r->read[B], t.n[B],
			       ends, r->last_chances, connection_overlap(&r->c));
		CU_ASSERT_FATAL(ok);
		connection_reset(&r->c, r->pool);
		CU_ASSERT_FATAL(!connection_busy(&r->c));
		stream_pool_free(r->pool);
		free(r);
	}
}

static void any_order(void)
{
	run(2000, false, false, false);
}

static void n15_any_order_and_a_reader_that_waits(void)
{
	run(2000, false, false, true);
}

static void loss_and_copies(void)
{
	run(2000, true, false, false);
}

static void loss_and_a_reader_that_waits(void)
{
	run(2000, true, false, true);
}

static void h10_decoys(void)
{
	run(2000, true, true, false);
	run(2000, false, true, true);
}

/* With hardly any room octets may be lost, but none is wrong or in the wrong place. */
static void little_room(void)
{
	static struct talk t;
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		struct rig *r = rig_new();
		unsigned ends = 0;
		bool ok = true;
		r->isn[A] = (uint32_t)(seed * 2654435761u);
		r->cfg.held_flow_bytes = (uint32_t)(seed % 4 * held_cost());
		r->cfg.held_bytes = seed % 7 * held_cost();
		r->cfg.hole_packets = (uint32_t)(seed % 30);
		rig_pool(r);
		talk_new(&t, r, seed, true, true);
		qsort(t.sent + 3, t.packets - 3, sizeof t.sent[0], by_rank);
		memset(t.lost, 0, sizeof t.lost);
		for (uint32_t i = 0; ok && i < t.packets; i++) {
			struct connection_item item;
			t.sent[i].pkt.time_ns = r->now_ns += 100000;
			if (connection_push(&r->c, r->pool, (enum connection_dir)t.sent[i].dir,
					    &t.sent[i].pkt) == CONNECTION_REUSED)
				break;
			while (ok && connection_next(&r->c, r->pool, &item)) {
				size_t at = r->read[item.dir], n = item.data.n;
				if (item.result == STREAM_DATA) {
					n = pick(&t, 3) ? n : pick(&t, (uint32_t)n + 1);
					ok = memcmp(t.octet[item.dir] + at, item.data.p, n) == 0;
					connection_used(&r->c, r->pool, &item, n);
				} else if (item.result == STREAM_END) {
					ends++;
				}
				ok = ok && (item.result == STREAM_END || item.off == at);
				r->read[item.dir] += n;
			}
		}
		if (!ok)
			printf("\n  seed %llu\n", (unsigned long long)seed);
		CU_ASSERT_FATAL(ok && ends <= 2);
		connection_reset(&r->c, r->pool);
		stream_pool_free(r->pool);
		free(r);
	}
}

TEST_MAIN("stream", TEST(any_order), TEST(n15_any_order_and_a_reader_that_waits),
	  TEST(loss_and_copies), TEST(loss_and_a_reader_that_waits), TEST(h10_decoys),
	  TEST(little_room))
