/*
 * capture_dpdk: every frame of every port comes out once, whole and in one piece, with its own time; what is over the
 * limit is cut and says so.
 */
#include "tests/test.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dataplane/capture_dpdk.h"
#include "dataplane/eal.h"

enum { FRAMES = 200, LARGE = 70000, PORTS = 2 };

static char dir[] = "/tmp/postern-test-XXXXXX", path[PORTS][64];
static struct port port[PORTS], ring;

/* Lengths around the size of one buffer, two, and the largest frame. */
static unsigned frame_len(unsigned i)
{
	static const unsigned edge[] = { 60, 1514, 2047, 2048, 2049, 4096, 4097, 9000, 65535 };
	if (i == FRAMES - 1)
		return LARGE;
	return i < sizeof edge / sizeof edge[0] ? edge[i] : 60 + i * 37 % 5000;
}

static uint8_t octet(unsigned p, unsigned i, unsigned off)
{
	return (uint8_t)(p * 131 + i * 7 + off * 13 + (off >> 8));
}

static void write_capture(unsigned p)
{
	static uint8_t frame[LARGE];
	uint32_t head[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 1 };
	snprintf(path[p], sizeof path[p], "%s/%u.pcap", dir, p);
	FILE *f = fopen(path[p], "wb");
	if (!f || fwrite(head, 1, sizeof head, f) != sizeof head)
		exit(1);
	for (unsigned i = 0; i < FRAMES; i++) {
		uint32_t n = frame_len(i), record[4] = { 1000 + p, i, n, n };
		for (unsigned off = 0; off < n; off++)
			frame[off] = octet(p, i, off);
		fwrite(record, 1, sizeof record, f);
		fwrite(frame, 1, n, f);
	}
	fclose(f);
}

static void frame_check(const struct packet *pkt, unsigned next[PORTS])
{
	unsigned p = (unsigned)(pkt->time_ns / 1000000000 - 1000);
	if (p >= PORTS) {
		CU_FAIL("time is not the file's");
		return;
	}
	unsigned i = next[p]++, n = frame_len(i), wrong = 0;
	CU_ASSERT_EQUAL(pkt->time_ns % 1000000000, i * 1000u);
	CU_ASSERT_EQUAL(pkt->wire_len, n);
	/* net_pcap gives less of a frame over 65,535 octets, but says how long it was */
	CU_ASSERT_TRUE(n <= UINT16_MAX ? pkt->len == n : pkt->len < n);
	CU_ASSERT_EQUAL(pkt->link, PACKET_LINK_ETHERNET);
	CU_ASSERT_EQUAL(pkt->csum_hw, 0);
	for (unsigned off = 0; off < pkt->len; off++)
		wrong += pkt->data[off] != octet(p, i, off);
	CU_ASSERT_EQUAL(wrong, 0);
}

static void all_frames_of_all_ports(void)
{
	const struct port *ports[PORTS] = { &port[0], &port[1] };
	struct capture *c = NULL;
	struct packet pkt[CAPTURE_BURST];
	unsigned next[PORTS] = { 0 }, n, idle = 0;
	CU_ASSERT_EQUAL_FATAL(capture_dpdk_open(&c, ports, PORTS, 0), 0);
	CU_ASSERT_FALSE(c->live);
	for (unsigned max = 1; idle < 10; max = max % CAPTURE_BURST + 1) {
		CU_ASSERT_EQUAL(c->ops->next(c, pkt, max, &n), CAPTURE_MORE);
		CU_ASSERT_TRUE(n <= max);
		idle = n ? 0 : idle + 1;
		for (unsigned i = 0; i < n; i++)
			frame_check(&pkt[i], next);
		c->ops->release(c, pkt, n);
	}
	CU_ASSERT_EQUAL(next[0], FRAMES);
	CU_ASSERT_EQUAL(next[1], FRAMES);
	_Alignas(64) struct stats stats = { 0 };
	c->ops->count(c, &stats);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_PORT_MISSED), 0);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_PORT_NO_MBUF), 0);
	c->ops->free(c);
}

/* Port 2 gives back what is sent on it. Opens a capture over it and sends one frame in pieces. */
static struct capture *sent(const uint8_t *frame, unsigned n, unsigned piece, uint64_t flags)
{
	struct capture *c = NULL;
	const struct port *ports[] = { &ring };
	CU_ASSERT_EQUAL_FATAL(capture_dpdk_open(&c, ports, 1, 0), 0);
	struct rte_mbuf *first = NULL;
	for (unsigned off = 0; off < n; off += piece) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(ring.pool[0]);
		unsigned len = n - off < piece ? n - off : piece;
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)len), frame + off, len);
		if (first)
			rte_pktmbuf_chain(first, m);
		else
			first = m;
	}
	first->ol_flags |= flags;
	CU_ASSERT_EQUAL_FATAL(rte_eth_tx_burst(2, 0, &first, 1), 1);
	return c;
}

static void one_piece_and_no_more_than_the_limit(void)
{
	static const struct {
		unsigned n, piece;
	} sizes[] = { { 1, 1 },        { 61, 1 },       { 9000, 2000 },  { 65535, 2048 },
		      { 65536, 2048 }, { 65537, 2048 }, { 100000, 1999 } };
	static uint8_t frame[100000];
	for (unsigned off = 0; off < sizeof frame; off++)
		frame[off] = octet(3, 5, off);
	for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct packet pkt[2];
		unsigned n = 0, want = sizes[i].n;
		struct capture *c = sent(frame, sizes[i].n, sizes[i].piece, 0);
		unsigned free_before = rte_mempool_avail_count(ring.pool[0]);
		CU_ASSERT_TRUE(c->live);
		c->ops->next(c, pkt, 2, &n);
		CU_ASSERT_EQUAL_FATAL(n, 1);
		if (want > CAPTURE_DPDK_FRAME_MAX)
			want = CAPTURE_DPDK_FRAME_MAX;
		CU_ASSERT_EQUAL(pkt[0].wire_len, sizes[i].n);
		CU_ASSERT_EQUAL(pkt[0].len, want);
		CU_ASSERT_EQUAL(memcmp(pkt[0].data, frame, want), 0);
		c->ops->release(c, pkt, n);
		/* all its pieces are back */
		CU_ASSERT_EQUAL(rte_mempool_avail_count(ring.pool[0]),
				free_before + (sizes[i].n + sizes[i].piece - 1) / sizes[i].piece);
		c->ops->free(c);
	}
}

/* The port's word counts for plain TCP only, and an IP header without its word is added up. */
static void word_of_the_port(void)
{
	enum {
		GOOD = RTE_MBUF_F_RX_L4_CKSUM_GOOD,
		NONE = RTE_MBUF_F_RX_L4_CKSUM_NONE,
		IP = RTE_MBUF_F_RX_IP_CKSUM_GOOD,
		IP_BAD = RTE_MBUF_F_RX_IP_CKSUM_BAD,
		BAD = RTE_MBUF_F_RX_L4_CKSUM_BAD
	};
	static const uint8_t ip[20] = { 0x45, 0,    0,  40, 0, 0, 0,  0, 64, 6,
					0x66, 0xce, 10, 0,  0, 1, 10, 0, 0,  2 };
	static const struct {
		uint32_t type;
		unsigned tags, at; /* an octet behind the Ethernet header to change, 0: none */
		uint8_t to;
		uint64_t flags;
		bool believed;
	} c[] = {
		{ 0x0800, 0, 0, 0, (uint64_t)GOOD | IP, true },
		{ 0x0800, 0, 0, 0, NONE, true }, /* partial sum of a virtual machine */
		{ 0x0800, 2, 0, 0, GOOD, true },
		{ 0x0800, 0, 11, 1, GOOD, false }, /* IP sum wrong, the port has not looked */
		{ 0x0800, 0, 11, 1, (uint64_t)GOOD | IP_BAD, false },
		{ 0x0800, 0, 0, 0, BAD, false },
		{ 0x0800, 0, 0, 0, 0, false },
		{ 0x0800, 0, 9, 17, (uint64_t)GOOD | IP, false }, /* UDP: a tunnel may be in it */
		{ 0x0800, 0, 9, 4, (uint64_t)GOOD | IP, false }, /* IP in IP */
		{ 0x0800, 0, 6, 0x20, (uint64_t)GOOD | IP, false }, /* a fragment */
		{ 0x0800, 3, 0, 0, (uint64_t)GOOD | IP, false },
		{ 0x8847, 0, 0, 0, (uint64_t)GOOD | IP, false },
	};
	for (unsigned i = 0; i < sizeof c / sizeof c[0]; i++) {
		uint8_t frame[80] = { 0 };
		unsigned n = 12, got = 0;
		struct packet pkt;
		for (unsigned t = 0; t < c[i].tags; t++, n += 4)
			frame[n] = 0x81;
		frame[n++] = (uint8_t)(c[i].type >> 8);
		frame[n++] = (uint8_t)c[i].type;
		memcpy(frame + n, ip, sizeof ip);
		if (c[i].at)
			frame[n + c[i].at] = c[i].to;
		struct capture *cap = sent(frame, n + 40, 100, c[i].flags);
		cap->ops->next(cap, &pkt, 1, &got);
		CU_ASSERT_EQUAL_FATAL(got, 1);
		CU_ASSERT_EQUAL(pkt.csum_hw, c[i].believed);
		cap->ops->release(cap, &pkt, got);
		cap->ops->free(cap);
	}
}

static void ports_say_what_they_are(void)
{
	char why[256];
	struct port none;
	CU_ASSERT_STRING_EQUAL(port[0].driver, "net_pcap");
	CU_ASSERT_TRUE(port[0].file_time);
	CU_ASSERT_TRUE(port[0].symmetric);
	CU_ASSERT_EQUAL(port[0].queues, 1);
	CU_ASSERT_TRUE(port_open(&none, 77, PORT_AUTO_QUEUES, 4, why, sizeof why) < 0);
	CU_ASSERT_TRUE(port_open(&none, 2, 64, 4, why, sizeof why) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "at most"));
	/* a device without a symmetric hash: one queue, when several are not asked for */
	CU_ASSERT_EQUAL(ring.queues, 1);
	CU_ASSERT_TRUE(ring.symmetric);
	CU_ASSERT_FALSE(ring.file_time);
}

static const struct test_case cases[] = { TEST(all_frames_of_all_ports),
					  TEST(one_piece_and_no_more_than_the_limit),
					  TEST(word_of_the_port), TEST(ports_say_what_they_are) };

int main(void)
{
	struct eal_args args = { 0 };
	char why[512] = "";
	if (!mkdtemp(dir))
		return 1;
	int err = 0;
	for (unsigned p = 0; p < PORTS && !err; p++) {
		write_capture(p);
		err = eal_args_add(&args, "--vdev=net_pcap%u,rx_pcap=%s", p, path[p]);
	}
	if (!err)
		err = eal_args_add(&args, "--vdev=net_ring0");
	if (!err)
		err = eal_args_complete(&args, 0, 0, "postern-test-capture");
	if (!err)
		err = eal_start(&args, why, sizeof why);
	for (uint16_t p = 0; p < PORTS && !err; p++)
		err = port_open(&port[p], p, PORT_AUTO_QUEUES, 4, why, sizeof why);
	if (!err)
		err = port_open(&ring, PORTS, PORT_AUTO_QUEUES, 4, why, sizeof why);
	if (err) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	int failed = test_run("capture_dpdk", cases, sizeof cases / sizeof cases[0]);
	port_close(&ring);
	for (unsigned p = 0; p < PORTS; p++) {
		port_close(&port[p]);
		unlink(path[p]);
	}
	rmdir(dir);
	eal_stop();
	eal_args_free(&args);
	return failed;
}
