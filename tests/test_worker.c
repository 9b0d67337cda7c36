/*
 * Every frame has one outcome, every message goes out once and comes home, and nothing that is full loses one
 * in silence.
 */
#include <stdlib.h>

#include "tests/net.h"

/* ---- the heap ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_HEAP 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define OWN_HEAP 0
#endif
#endif
#ifndef OWN_HEAP
#define OWN_HEAP 1
#endif

static unsigned long heap_calls;

#if OWN_HEAP
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

void *malloc(size_t n)
{
	heap_calls++;
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	heap_calls++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	heap_calls++;
	return __libc_realloc(p, n);
}

void free(void *p)
{
	heap_calls += p != NULL;
	__libc_free(p);
}
#endif

static void many(struct net *net, unsigned first, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct talk t = talk_of(first + i);
		talk_to(&t, net, TALK_END);
	}
}

static void no_heap_while_it_runs(void)
{
	struct bench *b = bench_new();
	many(&b->net, 0, 100);
	for (unsigned i = 0; i < 100; i++) { /* and all that can go wrong with them */
		struct talk t = talk_of(200 + i);
		talk_to(&t, &b->net, TALK_DATA);
		t.end[0].seq += i % 3 * 1000;
		talk_to(&t, &b->net, i % 2 ? TALK_END : TALK_QUEUED);
	}
	b->cfg.flow_max = 64;
	b->cfg.message_size = 20;
	bench_start(b, 512, 1);
	unsigned long before = heap_calls;
	CU_ASSERT_EQUAL(bench_run(b), WORKER_END);
	CU_ASSERT_EQUAL(heap_calls - before, 0);
	CU_ASSERT_TRUE(b->n >= 200);
	CU_ASSERT_TRUE(!OWN_HEAP || before > 0);
	bench_free(b);
}

/* ---- full rings ---- */

static void a_file_waits(void)
{
	struct bench *b = bench_new();
	many(&b->net, 0, 40);
	bench_start(b, 1, 1);
	b->net.burst = 5;
	unsigned idle = 0;
	while (idle < 10)
		idle += worker_poll(b->w) == WORKER_IDLE;
	CU_ASSERT_TRUE(b->net.read < b->net.n / 4);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_RING_FULL), 1);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_QUEUED), ring_count(b->out));
	enum worker_state state = WORKER_MORE;
	while (state < WORKER_END) {
		state = worker_poll(b->w);
		if (state == WORKER_IDLE)
			bench_collect(b);
	}
	bench_collect(b);
	CU_ASSERT_EQUAL(b->n, 40);
	for (unsigned i = 0; i < b->n; i++)
		CU_ASSERT_TRUE(b->got[i].complete && b->got[i].order == i);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_QUEUED), 40);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_LOST), 0);
	worker_poll(b->w);
	CU_ASSERT_EQUAL(worker_out(b->w), 0);
	bench_free(b);
}

/* The same on a port: it is read on, and who got no place is counted or told. */
static void a_port_does_not(void)
{
	struct bench *b = bench_new();
	b->net.capture.live = b->net.stays = true;
	many(&b->net, 0, 40);
	b->cfg.message_max = 16;
	bench_start(b, 1, 1);
	while (worker_poll(b->w) == WORKER_MORE)
		;
	CU_ASSERT_EQUAL(b->net.read, b->net.n);
	CU_ASSERT_TRUE(bench_adds_up(b));
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_LOST), 40 - 16);
	for (unsigned i = 0; i < 100; i++) {
		worker_poll(b->w);
		bench_collect(b);
	}
	CU_ASSERT_EQUAL(b->n, 16);
	/* with room again all goes on */
	many(&b->net, 100, 10);
	for (unsigned i = 0; i < 100; i++) {
		worker_poll(b->w);
		bench_collect(b);
	}
	CU_ASSERT_EQUAL(b->n, 26);
	CU_ASSERT_EQUAL(worker_out(b->w), 0);
	bench_free(b);
}

/* Octets run out before objects do. */
static void a_port_without_memory(void)
{
	struct bench *b = bench_new();
	b->net.capture.live = b->net.stays = true;
	many(&b->net, 0, 40);
	b->cfg.message_bytes = 10 * 4096;
	bench_start(b, 64, 1);
	b->keep = true;
	while (bench_run(b) != WORKER_IDLE)
		;
	CU_ASSERT_EQUAL(b->n, 40);
	unsigned cut = 0;
	for (unsigned i = 0; i < b->n; i++)
		cut += (b->got[i].flags & MESSAGE_NO_MEMORY) != 0;
	CU_ASSERT_EQUAL(cut, 30);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_NO_MEMORY_N), 30);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_LOST), 0);
	bench_home(b);
	many(&b->net, 100, 10);
	while (bench_run(b) != WORKER_IDLE)
		;
	CU_ASSERT_EQUAL(b->n, 50);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_NO_MEMORY_N), 30);
	bench_free(b);
}

static void without_verification(void)
{
	struct bench *b = bench_new();
	many(&b->net, 0, 40);
	b->cfg.message_max = 16;
	bench_start(b, 1, 0);
	CU_ASSERT_EQUAL(bench_run(b), WORKER_END);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_QUEUED), 40);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_LOST), 0);
	CU_ASSERT_EQUAL(worker_out(b->w), 0);
	bench_free(b);
}

/* Two verify workers: by turns, and one that is full gives its turn away. */
static void by_turns(void)
{
	struct bench *b = bench_new();
	many(&b->net, 0, 30);
	struct worker_setup setup = {
		.cfg = &b->cfg, .stats = &b->stats, .capture = &b->net.capture, .n_verify = 2
	};
	struct ring *second = setup.out[1] = ring_new(64), *home = setup.home[1] = ring_new(64);
	b->out = setup.out[0] = ring_new(1);
	b->home = setup.home[0] = ring_new(NET_GOT);
	b->w = worker_new(&setup);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->w);
	while (worker_poll(b->w) == WORKER_MORE)
		;
	unsigned first = ring_count(b->out);
	CU_ASSERT_EQUAL(first, ring_size(b->out));
	CU_ASSERT_EQUAL(ring_count(second), 30 - first);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_MESSAGE_RING_FULL), 0);
	CU_ASSERT_EQUAL(worker_out(b->w), 30);
	bench_collect(b);
	void *m;
	while (ring_pop(second, &m, 1))
		ring_push(home, &m, 1);
	worker_poll(b->w);
	CU_ASSERT_EQUAL(worker_out(b->w), 0);
	bench_free(b);
	ring_free(second);
	ring_free(home);
}

/* ---- the end, and another capture ---- */

static void finish(void)
{
	struct bench *b = bench_new();
	struct talk t = talk_of(1);
	b->net.capture.live = b->net.stays = true;
	talk_to(&t, &b->net, TALK_DATA);
	net_segment(&b->net, &t.end[0], &t.end[1], TCP_ACK, "A: b\r\n", 6);
	bench_start(b, 16, 1);
	CU_ASSERT_EQUAL(bench_run(b), WORKER_IDLE);
	CU_ASSERT_EQUAL(b->n, 0);
	worker_finish(b->w);
	CU_ASSERT_EQUAL(bench_run(b), WORKER_END);
	CU_ASSERT_EQUAL_FATAL(b->n, 1);
	CU_ASSERT_EQUAL(b->got[0].flags, MESSAGE_NO_END);
	CU_ASSERT_EQUAL(worker_flows(b->w), 0);
	CU_ASSERT_EQUAL(worker_poll(b->w), WORKER_END);
	bench_free(b);
}

static enum capture_state broken_next(struct capture *c, struct packet *pkt, unsigned max,
				      unsigned *n)
{
	enum capture_state state = net_next(c, pkt, max, n);
	return state == CAPTURE_END ? CAPTURE_BROKEN : state;
}

static void broken(void)
{
	static const struct capture_ops ops = { .next = broken_next, .release = net_release };
	struct bench *b = bench_new();
	b->net.capture.ops = &ops;
	many(&b->net, 0, 3);
	bench_start(b, 16, 1);
	CU_ASSERT_EQUAL(bench_run(b), WORKER_BROKEN);
	worker_finish(b->w); /* too late to change that */
	CU_ASSERT_EQUAL(bench_run(b), WORKER_BROKEN);
	CU_ASSERT_EQUAL(b->n, 3);
	bench_free(b);
}

/* Cuts the IPv4 datagram of the last frame in two fragments. */
static void in_fragments(struct net *net)
{
	struct net_frame whole = net->frame[--net->n];
	net->now_ns = whole.time_ns;
	uint8_t f[2048];
	const uint8_t *p = net->mem + whole.at;
	unsigned at[3] = { 0, 24, whole.len - 34 };
	for (unsigned i = 0; i < 2; i++) {
		unsigned n = at[i + 1] - at[i];
		memcpy(f, p, 34);
		memcpy(f + 34, p + 34 + at[i], n);
		frame_set16(f + 16, 20 + n);
		frame_set16(f + 18, whole.at & 0xffff);
		frame_set16(f + 20, (i ? 0 : 0x2000) | at[i] / 8);
		frame_set16(f + 24, 0);
		frame_set16(f + 24, frame_sum(f + 14, 20, 0));
		net_frame(net, f, 34 + n);
	}
}

static void fragments(void)
{
	struct bench *b = bench_new();
	struct talk t = talk_of(1);
	while (talk_go(&t, &b->net))
		if (t.step > TALK_FIRST && t.step <= TALK_FIN)
			in_fragments(&b->net);
	bench_start(b, 16, 1);
	CU_ASSERT_EQUAL(bench_run(b), WORKER_END);
	CU_ASSERT_EQUAL_FATAL(b->n, 1);
	CU_ASSERT_TRUE(b->got[0].complete);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FRAG_DONE), 11);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FRAME_FRAGMENT), 11);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FRAME_TAKEN), t.step);
	CU_ASSERT_TRUE(bench_adds_up(b));
	bench_free(b);
}

/* Ten years earlier: everything works as in the first one, and nothing of that is left. */
static void second_capture(void)
{
	struct bench *b = bench_new();
	struct net first = b->net, *net = &b->net;
	struct talk t = talk_of(1), other = talk_of(2);
	talk_to(&t, net, TALK_DATA + 1);
	in_fragments(net); /* of the second one only the first half was captured */
	net->n--;
	bench_start(b, 16, 1);
	CU_ASSERT_EQUAL(bench_run(b), WORKER_END);
	CU_ASSERT_EQUAL(b->n, 1);
	CU_ASSERT_FALSE(b->got[0].complete);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FRAG_TIMEOUT), 1);
	struct net_frame half = net->frame[net->n];

	net->n = net->read = 0;
	net->now_ns = first.now_ns - 315360000 * NET_S;
	net->frame[net->n] = half; /* the other half comes here */
	net->frame[net->n++].time_ns = net->now_ns;
	t = talk_of(1);
	talk_to(&t, net, TALK_DATA);
	t.end[0].seq += 50; /* lost */
	talk_to(&t, net, TALK_END);
	talk_to(&other, net, TALK_DATA);
	net_segment(net, &other.end[0], &other.end[1], TCP_ACK, "A: b\r\n", 6);
	net->now_ns += 2 * NET_S;
	struct talk third = talk_of(3);
	for (unsigned i = 0; i < 13; i++) {
		talk_go(&third, net);
		net->now_ns += 50 * NET_S;
	}
	net->stays = true;
	worker_capture(b->w, &net->capture);
	CU_ASSERT_EQUAL(bench_run(b), WORKER_IDLE);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FRAG_DONE), 0);
	CU_ASSERT_EQUAL_FATAL(b->n, 3);
	CU_ASSERT_TRUE(b->got[1].flags & MESSAGE_HOLE); /* by time */
	CU_ASSERT_EQUAL(b->got[2].flags, MESSAGE_NO_END); /* by idle time */
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FLOW_IDLE), 1);
	CU_ASSERT_EQUAL(b->got[2].order, 2);
	CU_ASSERT_TRUE(b->got[1].time_ns < first.now_ns);
	CU_ASSERT_EQUAL(worker_flows(b->w), 1);
	bench_free(b);
}

/* ---- settings while it runs ---- */

static void other_ports(void)
{
	struct bench *b = bench_new();
	b->net.stays = true;
	bench_start(b, 16, 1);
	struct config other = b->cfg;
	other.smtp_ports = (struct config_ports){ { 2525 }, 1 };
	other.flow_max = 16; /* wants a restart */
	other.fragment_max = 1;
	struct talk t[6];
	for (unsigned i = 0; i < 6; i++) {
		t[i] = talk_of(i);
		if (i % 2)
			t[i].end[1].port = 2525;
		if (i == 2)
			worker_config(b->w, &other);
		if (i == 4)
			worker_config(b->w, &b->cfg);
		talk_to(&t[i], &b->net, TALK_END);
		bench_run(b);
	}
	CU_ASSERT_EQUAL_FATAL(b->n, 3);
	CU_ASSERT_STRING_EQUAL(b->got[0].from, "a0@s");
	CU_ASSERT_STRING_EQUAL(b->got[1].from, "a3@s");
	CU_ASSERT_STRING_EQUAL(b->got[2].from, "a4@s");
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FRAME_NOT_MAIL), 3 * TALK_END);
	worker_config(b->w, &other);
	for (unsigned i = 0; i < 500; i++) { /* indices behind the new bound are in use */
		struct talk many = talk_of(1000 + i);
		many.end[1].port = 2525;
		talk_to(&many, &b->net, i % 2 ? TALK_DATA : TALK_END);
	}
	bench_run(b);
	CU_ASSERT_TRUE(worker_flows(b->w) >= 500);
	CU_ASSERT_TRUE(bench_adds_up(b));
	bench_free(b);
}

/* ---- one outcome each ---- */

static void one_outcome_each(void)
{
	static struct frame f;
	uint64_t seed = 3;
	struct bench *b = bench_new();
	unsigned n = 0;
	for (unsigned i = 0; i < FRAME_AROUNDS; i++) {
		if (frame_arounds[i].link != PACKET_LINK_ETHERNET)
			continue;
		frame_arounds[i].make(&f);
		size_t size = frame_size(&f);
		uint8_t *p = f.room + f.at;
		for (size_t cut = 0; cut <= size; cut += cut < 120 ? 1 : 97)
			net_frame(&b->net, p, cut);
		for (unsigned k = 0; k < 1500; k++, n++) {
			uint8_t own[FRAME_ROOM];
			memcpy(own, p, size);
			for (uint64_t r = test_random(&seed) % 4 + 1; r; r--)
				own[test_random(&seed) % (size < 120 ? size : 120)] =
					(uint8_t)test_random(&seed);
			net_frame(&b->net, own, size);
		}
	}
	frame_segment4(&f);
	for (unsigned deep = 1; deep <= 20; deep++) /* H-11 */
		frame_ip4(&f, 4, NULL, 0);
	frame_ethernet(&f, 0x0800);
	net_frame(&b->net, f.room + f.at, frame_size(&f));
	struct talk t = talk_of(1);
	while (talk_go(&t, &b->net))
		if (t.step > TALK_FIRST && t.step <= TALK_FIN)
			in_fragments(&b->net);
	b->cfg.flow_max = 64;
	bench_start(b, 512, 1);
	CU_ASSERT_EQUAL(bench_run(b), WORKER_END);
	CU_ASSERT_EQUAL(bench_stat(b, STAT_FRAMES), b->net.n);
	CU_ASSERT_TRUE(bench_adds_up(b));
	static const int seen[] = {
		STAT_FRAME_TAKEN,  STAT_FRAME_FRAGMENT,     STAT_FRAME_LINK,    STAT_FRAME_SHORT,
		STAT_FRAME_BAD_IP, STAT_FRAME_BAD_TCP,      STAT_FRAME_NOT_TCP, STAT_FRAME_NOT_MAIL,
		STAT_FRAME_WINDOW, STAT_FRAME_FRAG_DROPPED, STAT_FRAME_NESTED
	};
	for (unsigned i = 0; i < sizeof seen / sizeof seen[0]; i++)
		CU_ASSERT_TRUE(bench_stat(b, seen[i]) > 0);
	bench_free(b);
	CU_ASSERT_TRUE(n > 30000);
}

TEST_MAIN("worker", TEST(no_heap_while_it_runs), TEST(a_file_waits), TEST(a_port_does_not),
	  TEST(a_port_without_memory), TEST(without_verification), TEST(by_turns), TEST(finish),
	  TEST(broken), TEST(fragments), TEST(second_capture), TEST(other_ports),
	  TEST(one_outcome_each))
