/* A TCP header is read to its end and no further, its options only in a SYN, and its checksum is its own. */
#include "dataplane/tcp.h"
#include "tests/frame.h"
#include "tests/test.h"

/* header and options of n octets in all, against a page without access */
static enum tcp_result run(struct packet *pkt, const uint8_t *p, size_t n, size_t wire)
{
	uint8_t *guarded = test_guard(p, n);
	enum tcp_result r = tcp_header(pkt, bytes_of(guarded, n), wire);
	test_guard_free(guarded, n);
	return r;
}

static void header(void)
{
	static const uint8_t p[24] = { 0x52, 9,    0,    110,  1, 2, 3, 4, 5,   6,   7,   8,
				       0x50, 0xff, 0x12, 0x34, 0, 0, 0, 0, 'a', 'b', 'c', 'd' };
	struct packet pkt;
	CU_ASSERT_EQUAL(run(&pkt, p, 24, 30), TCP_OK);
	CU_ASSERT(pkt.sport == 21001 && pkt.dport == 110 && pkt.window == 0x1234);
	CU_ASSERT(pkt.seq == 0x01020304 && pkt.ack == 0x05060708 && pkt.tcp_flags == 0x3f);
	CU_ASSERT(pkt.payload_len == 4 && pkt.payload_cut == 6);
}

static void lengths(void)
{
	for (size_t words = 0; words < 16; words++)
		for (size_t wire = 0; wire < 80; wire++)
			for (size_t n = 0; n <= wire; n++) {
				uint8_t p[80] = { 0 };
				struct packet pkt;
				p[12] = (uint8_t)(words << 4);
				p[13] = TCP_SYN;
				enum tcp_result want = TCP_OK;
				if (n < 20)
					want = wire < 20 ? TCP_BAD : TCP_SHORT;
				else if (words < 5 || words * 4 > wire)
					want = TCP_BAD;
				else if (words * 4 > n)
					want = TCP_SHORT;
				CU_ASSERT_EQUAL(run(&pkt, p, n, wire), want);
				CU_ASSERT(want != TCP_OK || (pkt.payload_len == n - words * 4 &&
							     pkt.payload_cut == wire - n));
			}
}

static void options(void)
{
	static const struct {
		uint8_t option[12];
		uint8_t flags;
		uint16_t mss;
		uint8_t shift;
	} cases[] = {
		{ { 2, 4, 5, 180, 1, 3, 3, 7 }, TCP_SYN, 1460, 7 },
		{ { 1, 1, 1, 3, 3, 200, 2, 4, 2, 0 }, TCP_SYN | TCP_ACK, 512, 14 },
		{ { 2, 4, 5, 180, 1, 3, 3, 7 }, TCP_ACK, 0, 255 },
		{ { 0, 2, 4, 5, 180 }, TCP_SYN, 0, 255 },
		{ { 3, 0, 2, 4, 5, 180 }, TCP_SYN, 0, 255 },
		{ { 2, 3, 5, 3, 3, 9 }, TCP_SYN, 0, 9 },
		{ { 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4 }, TCP_SYN, 0, 255 },
		{ { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3 }, TCP_SYN, 0, 255 },
		{ { 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 9 }, TCP_SYN, 0, 255 },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t p[32] = { [12] = 0x80, [13] = cases[i].flags };
		struct packet pkt;
		memcpy(p + 20, cases[i].option, 12);
		CU_ASSERT_EQUAL(run(&pkt, p, sizeof p, sizeof p), TCP_OK);
		CU_ASSERT_EQUAL(pkt.mss, cases[i].mss);
		CU_ASSERT_EQUAL(pkt.window_shift, cases[i].shift);
		CU_ASSERT_EQUAL(pkt.payload_len, 0);
	}
}

/* no bit of the segment or of its addresses can change unnoticed */
static void checksum(void)
{
	for (unsigned version = 4; version <= 6; version += 2) {
		struct frame f = { 0 };
		struct packet pkt = { .ip_version = (uint8_t)version };
		(version == 4 ? frame_segment4 : frame_segment6)(&f);
		struct bytes s = { f.room + f.tcp, FRAME_ROOM - f.tcp };
		size_t n = version == 4 ? 8 : 32;
		uint8_t *address = f.room + f.tcp - n;
		pkt.src = address;
		pkt.dst = address + n / 2;
		CU_ASSERT(tcp_sum_right(&pkt, s, sum_octets));
		for (uint8_t *p = address; p < f.room + FRAME_ROOM; p++) {
			*p ^= 0x40;
			CU_ASSERT(!tcp_sum_right(&pkt, s, sum_octets));
			*p ^= 0x40;
		}
		CU_ASSERT(!tcp_sum_right(&pkt, bytes_head(s, s.n - 1), sum_octets));
	}
}

TEST_MAIN("tcp", TEST(header), TEST(lengths), TEST(options), TEST(checksum))
