/*
 * Each segment comes to its own connection however many there are and however the capture is cut; what is full or old
 * gives up the least, and says so.
 */
#include <unistd.h>

#include "tests/net.h"

static const unsigned bursts[] = { 0, 1, 7, 63 };

/* Every message once, whole, with its own content. */
static bool all_there(const struct bench *b, unsigned n)
{
	bool ok = b->n == n;
	for (unsigned i = 0; i < b->n && ok; i++) {
		ok = b->got[i].complete && b->got[i].flags == 0 && b->got[i].order == i;
		for (unsigned k = 0; k < i; k++)
			ok = ok && strcmp(b->got[i].from, b->got[k].from) &&
			     b->got[i].flow_id != b->got[k].flow_id &&
			     b->got[i].octets != b->got[k].octets;
	}
	return ok;
}

static bool same(const struct bench *a, const struct bench *b, bool but_vlan)
{
	bool ok = a->n == b->n;
	for (unsigned i = 0; i < a->n && ok; i++) {
		struct got x = a->got[i], y = b->got[i];
		if (but_vlan)
			x.n_vlan = y.n_vlan = 0;
		ok = memcmp(&x, &y, sizeof x) == 0;
	}
	return ok;
}

/* n sessions at once, whose turn it is at random. */
static void crowd(struct net *net, unsigned n)
{
	struct talk *t = calloc(n, sizeof *t);
	uint64_t seed = 5;
	unsigned left = n;
	for (unsigned i = 0; i < n; i++)
		t[i] = talk_of(i);
	while (left) {
		struct talk *one = &t[test_random(&seed) % n];
		if (one->step < TALK_END && !talk_go(one, net))
			left--;
	}
	free(t);
}

static void interleaved(void)
{
	struct bench *plain = bench_new();
	crowd(&plain->net, 200);
	bench_start(plain, 512, 1);
	CU_ASSERT_EQUAL(bench_run(plain), WORKER_END);
	CU_ASSERT_TRUE(all_there(plain, 200));
	CU_ASSERT_TRUE(bench_adds_up(plain));
	CU_ASSERT_EQUAL(bench_stat(plain, STAT_FLOW_NEW), 200);
	CU_ASSERT_EQUAL(bench_stat(plain, STAT_FLOW_ENDED), 200);
	CU_ASSERT_EQUAL(bench_stat(plain, STAT_FLOW_MIDSTREAM), 0);
	for (unsigned i = 0; i < 4; i++) {
		struct bench *b = bench_new();
		b->net.burst = bursts[i];
		b->net.vlan = 5 * i;
		crowd(&b->net, 200);
		bench_start(b, 512, 1);
		CU_ASSERT_EQUAL(bench_run(b), WORKER_END);
		CU_ASSERT_TRUE(same(plain, b, true));
		CU_ASSERT_EQUAL(b->got[0].n_vlan, i > 0);
		bench_free(b);
	}
	bench_free(plain);
}

/* The same ports: at once behind the end, while late copies are waited for, and long after. */
static void three_on_one_port(struct net *net)
{
	static const uint64_t rest_s[] = { 0, 1, 50, 50 };
	for (unsigned i = 0; i < 4; i++) {
		struct talk t = talk_of(7), other = talk_of(100 + i);
		t.name = 70 + i;
		t.end[0].seq += i * 100000;
		t.end[1].seq += i * 200000;
		net->now_ns += rest_s[i] * NET_S;
		talk_to(&other, net, TALK_FIRST);
		talk_to(&t, net, TALK_END);
	}
}

static void port_reuse(void)
{
	struct bench *b = bench_new();
	three_on_one_port(&b->net);
	b->net.stays = true;
	bench_start(b, 512, 1);
	CU_ASSERT_EQUAL(bench_run(b), WORKER_IDLE);
	CU_ASSERT_TRUE(all_there(b, 4));
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_REUSED), 1);
	/* another capture: the same again */
	b->net.stays = false;
	while (bench_run(b) != WORKER_END)
		;
	b->net.read = 0;
	worker_capture(b->w, &b->net.capture);
	CU_ASSERT_EQUAL(bench_run(b), WORKER_END);
	CU_ASSERT_EQUAL_FATAL(b->n, 8);
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(b->got[i].flow_id, b->got[i + 4].flow_id);
		CU_ASSERT_EQUAL(b->got[i + 4].order, i + 4);
	}
	bench_free(b);
}

static size_t resident(void)
{
	unsigned long size, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%lu %lu", &size, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Gives what is in the net to the worker and empties it. */
static void feed(struct bench *b)
{
	b->net.stays = true;
	bench_run(b);
	b->net.n = b->net.read = 0;
	b->net.used = 0;
}

/* n SYNs, each of another client, with so many octets. */
static void flood(struct bench *b, uint32_t n, size_t octets)
{
	struct net_end server = { 0xc6336419, 25, 0 };
	for (uint32_t i = 0; i < n; i++) {
		struct net_end c = { 0x14000000 + i, 4000, i * 12345 };
		net_segment(&b->net, &c, &server, TCP_SYN, "MAIL FROM:<x@y> and more", octets);
		if (b->net.n == NET_FRAMES)
			feed(b);
	}
	feed(b);
}

static void h10_million_half_open(void)
{
	static const struct {
		uint32_t n;
		size_t octets;
	} floods[] = { { 1000000, 0 }, { 100000, 24 } };
	for (int i = 0; i < 2; i++) {
		struct bench *b = bench_new();
		b->cfg.flow_max = 16384;
		b->cfg.held_bytes = 64 << 20;
		b->net.step_ns = 1000;
		bench_start(b, 16, 1);
		struct talk t = talk_of(1);
		talk_to(&t, &b->net, TALK_DATA);
		net_segment(&b->net, &t.end[0], &t.end[1], TCP_ACK, "X-Slow: 1\r\n", 11);
		feed(b);
		flood(b, NET_FRAMES, floods[i].octets);
		size_t before = resident();
		flood(b, floods[i].n, floods[i].octets);
		CU_ASSERT_TRUE(resident() < before + (4 << 20));
		CU_ASSERT_EQUAL(worker_flows(b->w), 16384);
		talk_to(&t, &b->net, TALK_END);
		feed(b);
		CU_ASSERT_TRUE(all_there(b, 1));
		CU_ASSERT_TRUE(bench_stat(b, STAT_FLOW_EVICTED) >= floods[i].n);
		CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_EVICTED_BUSY), 0);
		CU_ASSERT_EQUAL(bench_stat(b, STAT_FRAME_NO_FLOW), 0);
		CU_ASSERT_TRUE(bench_adds_up(b));
		bench_free(b);
	}
}

/* Only when all are in the middle of a message one of those goes, and its message is told. */
static void h10_all_busy(void)
{
	struct bench *b = bench_new();
	static struct talk t[65];
	b->cfg.flow_max = 64;
	bench_start(b, 128, 1);
	for (unsigned i = 0; i < 65; i++) {
		t[i] = talk_of(i);
		talk_to(&t[i], &b->net, TALK_DATA);
		net_segment(&b->net, &t[i].end[0], &t[i].end[1], TCP_ACK, "A: b\r\n", 6);
	}
	feed(b);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_EVICTED_BUSY), 1);
	CU_ASSERT_EQUAL_FATAL(b->n, 1);
	CU_ASSERT_STRING_EQUAL(b->got[0].from, "a0@s");
	CU_ASSERT_FALSE(b->got[0].complete);
	CU_ASSERT_EQUAL(b->got[0].flags, MESSAGE_NO_END);
	for (unsigned i = 1; i < 65; i++)
		talk_to(&t[i], &b->net, TALK_END);
	feed(b);
	CU_ASSERT_EQUAL(b->n, 65);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_INCOMPLETE), 1);
	bench_free(b);
}

/* One stops in its message; another goes on, first with rests, then long after. */
static void quiet_one(struct net *net)
{
	struct talk quiet = talk_of(1), other = talk_of(2);
	talk_to(&quiet, net, TALK_DATA);
	net_segment(net, &quiet.end[0], &quiet.end[1], TCP_ACK, "A: b\r\n", 6);
	for (unsigned i = 0; i < TALK_END; i++) {
		net->now_ns += 50 * NET_S;
		talk_go(&other, net);
	}
	other = talk_of(3);
	talk_to(&other, net, TALK_DATA);
	net->now_ns += 7200 * NET_S;
	talk_to(&other, net, TALK_END);
}

static void idle(void)
{
	struct bench *first = NULL;
	for (unsigned i = 0; i < 4; i++) {
		struct bench *b = bench_new();
		quiet_one(&b->net);
		b->net.burst = bursts[i];
		bench_start(b, 16, 1);
		CU_ASSERT_EQUAL(bench_run(b), WORKER_END);
		CU_ASSERT_EQUAL_FATAL(b->n, 3);
		CU_ASSERT_STRING_EQUAL(b->got[0].from, "a1@s"); /* before the end of the other */
		CU_ASSERT_EQUAL(b->got[0].flags, MESSAGE_NO_END);
		CU_ASSERT_TRUE(b->got[1].complete && b->got[2].complete);
		CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_IDLE), 1);
		if (first) {
			CU_ASSERT_TRUE(same(first, b, false));
			bench_free(b);
		} else {
			first = b;
		}
	}
	bench_free(first);
}

static void closed_and_late_copies(void)
{
	struct bench *b = bench_new();
	struct talk t = talk_of(1), other = talk_of(2);
	bench_start(b, 16, 1);
	talk_to(&t, &b->net, TALK_END);
	b->net.now_ns += 5 * NET_S;
	t.end[1].seq--;
	net_segment(&b->net, &t.end[1], &t.end[0], TCP_FIN | TCP_ACK, NULL, 0);
	feed(b);
	CU_ASSERT_EQUAL(b->n, 1);
	CU_ASSERT_EQUAL(worker_flows(b->w), 1);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_NEW), 1);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_ENDED), 1);
	b->net.now_ns += 6 * NET_S;
	talk_go(&other, &b->net);
	feed(b);
	CU_ASSERT_EQUAL(worker_flows(b->w), 1); /* the other */
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_ENDED), 1);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_IDLE) + bench_stat(b, STAT_FLOW_EVICTED), 0);
	bench_free(b);
}

/* The last segments of a flow show a hole, and only others move on. */
static void hole_given_up_by_time(void)
{
	struct bench *b = bench_new();
	struct talk t = talk_of(1), other = talk_of(2);
	bench_start(b, 16, 1);
	talk_to(&t, &b->net, TALK_DATA);
	t.end[0].seq += 50; /* lost */
	talk_to(&t, &b->net, TALK_END);
	feed(b);
	CU_ASSERT_EQUAL(b->n, 0);
	b->net.now_ns += NET_S / 2;
	talk_go(&other, &b->net);
	feed(b);
	CU_ASSERT_EQUAL(b->n, 0);
	b->net.now_ns += NET_S;
	talk_go(&other, &b->net);
	feed(b);
	CU_ASSERT_EQUAL_FATAL(b->n, 1);
	CU_ASSERT_TRUE(b->got[0].flags & MESSAGE_HOLE);
	CU_ASSERT_FALSE(b->got[0].complete);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_ENDED), 1); /* its FINs were behind the hole */
	b->net.now_ns += 11 * NET_S;
	talk_go(&other, &b->net);
	feed(b);
	CU_ASSERT_EQUAL(worker_flows(b->w), 1);
	bench_free(b);
}

static void nothing_begins(void)
{
	static const uint8_t flags[] = { TCP_RST, TCP_RST | TCP_ACK, TCP_SYN | TCP_FIN,
					 0,       TCP_FIN,           TCP_PSH };
	struct bench *b = bench_new();
	bench_start(b, 16, 1);
	for (unsigned i = 0; i < sizeof flags; i++) {
		struct talk t = talk_of(i);
		net_segment(&b->net, &t.end[0], &t.end[1], flags[i], "QUIT\r\n", 6);
	}
	feed(b);
	CU_ASSERT_EQUAL(worker_flows(b->w), 0);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FRAME_WINDOW), sizeof flags);
	bench_free(b);
}

/* Its record tells its own time, and nobody else's connection ends by it. */
static void a_stamp_far_ahead(void)
{
	struct bench *b = bench_new();
	struct talk t = talk_of(1), wrong = talk_of(2);
	talk_to(&t, &b->net, TALK_DATA);
	uint64_t now = b->net.now_ns;
	b->net.now_ns += 315360000 * NET_S;
	talk_go(&wrong, &b->net);
	b->net.now_ns = now;
	talk_to(&t, &b->net, TALK_END);
	bench_start(b, 16, 1);
	CU_ASSERT_EQUAL(bench_run(b), WORKER_END);
	CU_ASSERT_TRUE(all_there(b, 1));
	CU_ASSERT_EQUAL(b->got[0].time_ns, now);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_IDLE), 0);
	bench_free(b);
}

/* In one burst: places looked up before some went, and more of them than are looked at in one go. */
static void all_at_once(void)
{
	struct bench *b = bench_new();
	struct talk t[300], last = talk_of(1000);
	bench_start(b, 512, 1);
	for (unsigned i = 0; i < 300; i++) {
		t[i] = talk_of(i);
		talk_to(&t[i], &b->net, TALK_END);
	}
	feed(b);
	CU_ASSERT_EQUAL(worker_flows(b->w), 300);
	b->net.now_ns += 30 * NET_S;
	b->net.step_ns = 1000;
	talk_go(&last, &b->net); /* the others have stayed long enough */
	for (unsigned i = 0; i < 20; i++) { /* and come again, with their old numbers too */
		struct talk again = talk_of(i);
		talk_to(&again, &b->net, TALK_ACK);
	}
	feed(b);
	CU_ASSERT_EQUAL(worker_flows(b->w), 21);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_NEW), 300 + 21);
	CU_ASSERT_TRUE(bench_adds_up(b));
	bench_free(b);
}

TEST_MAIN("track", TEST(all_at_once), TEST(interleaved), TEST(port_reuse),
	  TEST(h10_million_half_open), TEST(h10_all_busy), TEST(idle), TEST(closed_and_late_copies),
	  TEST(hole_given_up_by_time), TEST(nothing_begins), TEST(a_stamp_far_ahead))
