/*
 * Of every packet sequence the reader sees the octets that the ends believe in, whatever decoys
 * say.
 */
#include "tests/rig.h"

enum { SYN = TCP_SYN, ACK = TCP_ACK, FIN = TCP_FIN, RST = TCP_RST };

static uint64_t stat_of(const struct rig *r, enum stats_row i)
{
	return stats_get(&r->stats, i);
}

/* n acknowledgements of A, of nothing new */
static void chatter(struct rig *r, int dir, int n, int64_t seq, int64_t ack)
{
	while (n-- > 0)
		rig_seg(r, dir, ACK, seq, ack, "");
}

static void in_order(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	CU_ASSERT(r->c.client_known && r->c.client == A && !r->c.midstream);
	rig_seg(r, B, ACK, 0, 0, "220 hi");
	rig_seg(r, A, ACK, 0, 6, "EHLO");
	CU_ASSERT(!connection_busy(&r->c));
	rig_seg(r, A, ACK | FIN, 4, 6, " x");
	CU_ASSERT(!r->c.closed);
	rig_seg(r, B, ACK | FIN, 6, 7, "!");
	CU_ASSERT(r->c.closed && !r->c.reset);
	CU_ASSERT(stat_of(r, STAT_STREAM_HELD) == 0 && stat_of(r, STAT_STREAM_OCTETS) == 13);
	CU_ASSERT(!connection_overlap(&r->c));
	rig_end(r, "EHLO x$", "220 hi!$");
}

static void out_of_order(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 9, 0, "jkl");
	rig_seg(r, A, ACK, 3, 0, "def");
	CU_ASSERT_STRING_EQUAL(r->got[A], "");
	rig_seg(r, A, ACK, 0, 0, "abc");
	CU_ASSERT_STRING_EQUAL(r->got[A], "abcdef");
	rig_seg(r, A, ACK, 6, 0, "ghi");
	CU_ASSERT(stat_of(r, STAT_STREAM_HELD) == 2 && stat_of(r, STAT_STREAM_HOLE) == 0);
	CU_ASSERT(!connection_busy(&r->c));
	rig_end(r, "abcdefghijkl", "");
}

static void retransmitted_and_cut_anew(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "abcdef");
	rig_seg(r, A, ACK, 0, 0, "abcdef");
	rig_seg(r, A, ACK, 2, 0, "cdefgh");
	rig_seg(r, A, ACK, 10, 0, "klm");
	rig_seg(r, A, ACK, 11, 0, "lmn");
	rig_seg(r, A, ACK, 1, 0, "bcdefghijklmnop");
	CU_ASSERT(stat_of(r, STAT_STREAM_RETRANSMIT) == 1);
	CU_ASSERT(!connection_overlap(&r->c));
	rig_end(r, "abcdefghijklmnop", "");
}

/* H-10: overlap with other octets */
static void h10_overlap_differs_in_held(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 3, 0, "def");
	rig_seg(r, A, ACK, 3, 0, "DEFG");
	CU_ASSERT(connection_overlap(&r->c) && stat_of(r, STAT_STREAM_OVERLAP) == 1);
	rig_seg(r, A, ACK, 0, 0, "ABCDEFGH");
	rig_end(r, "ABCdefGH", "");
}

static void h10_overlap_differs_behind_reader(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "abcdef");
	rig_seg(r, A, ACK, 4, 0, "efgh");
	CU_ASSERT(!connection_overlap(&r->c));
	rig_seg(r, A, ACK, 2, 0, "cxefgh");
	CU_ASSERT(connection_overlap(&r->c) && stat_of(r, STAT_STREAM_OVERLAP) == 1);
	rig_end(r, "abcdefgh", "");
	r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "abcdef");
	rig_seg(r, A, ACK, 3, 0, "DEFghi");
	CU_ASSERT(connection_overlap(&r->c));
	rig_end(r, "abcdefghi", "");
}

/* every place of the last 256 octets is compared, and every 128th of 8,192 */
static void h10_overlap_memory(void)
{
	char text[1001], other[1001];
	memset(text, 'a', 1000);
	text[1000] = 0;
	for (int at = 0; at < 1000; at++) {
		struct rig *r = rig_new();
		r->isn[A] = 0xffffffff; /* first octet is number 0 */
		rig_open(r);
		rig_seg(r, A, ACK, 0, 0, text);
		memcpy(other, text, sizeof other);
		other[at] = 'b';
		rig_seg(r, A, ACK, 0, 0, text);
		CU_ASSERT(!connection_overlap(&r->c));
		rig_seg(r, A, ACK, 0, 0, other);
		CU_ASSERT(connection_overlap(&r->c) == (at >= 1000 - 256 || at % 128 == 0));
		rig_end(r, text, "");
	}
}

/* H-10: 2^31 jumps */
static void h10_far_jumps(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "ab");
	for (int64_t far = 1ll << 30; far < 3ll << 30; far += 99999989)
		CU_ASSERT(rig_seg(r, A, ACK, 2 + far, 0, "no") == CONNECTION_OUT_OF_WINDOW);
	CU_ASSERT(rig_seg(r, A, ACK, 2, 1ll << 31, "no") == CONNECTION_OUT_OF_WINDOW);
	rig_seg(r, A, ACK, 2 + (1 << 29), 0, "ignored");
	chatter(r, B, 200, 0, 2);
	rig_seg(r, A, ACK, 2, 0, "cd");
	rig_end(r, "abcd", "");
}

/* H-10: SYN with data: the answer tells whether it counts */
static void h10_syn_with_data(void)
{
	for (int taken = 0; taken <= 3; taken++) {
		struct rig *r = rig_new();
		rig_seg(r, A, SYN, 0, 0, "abc");
		CU_ASSERT_STRING_EQUAL(r->got[A], "");
		rig_seg(r, B, SYN | ACK, 0, taken, "");
		CU_ASSERT(strlen(r->got[A]) == (size_t)taken);
		rig_seg(r, A, ACK, taken, 0, &"XYZdef"[taken]);
		CU_ASSERT(!connection_overlap(&r->c));
		char want[7] = "XYZdef";
		memcpy(want, "abc", (size_t)taken);
		rig_end(r, want, "");
	}
}

static void h10_syn_with_data_one_sided(void)
{
	struct rig *r = rig_new();
	rig_seg(r, A, SYN, 0, 0, "abc");
	rig_seg(r, A, ACK, 3, 0, "def");
	rig_end(r, "abcdef", "");
	r = rig_new();
	rig_seg(r, A, SYN, 0, 0, "abc");
	rig_seg(r, A, ACK, 0, 0, "");
	rig_seg(r, A, ACK, 0, 0, "XYZ");
	rig_end(r, "XYZ", "");
	r = rig_new();
	rig_seg(r, A, SYN, 0, 0, "abc");
	rig_finish(r);
	rig_end(r, "abc", "");
}

/* H-10: two SYNs with different numbers: the answered one counts */
static void h10_two_syns(void)
{
	for (int answered = 0; answered < 2; answered++) {
		struct rig *r = rig_new();
		rig_seg(r, A, SYN, 0, 0, "");
		uint32_t first = r->isn[A];
		r->isn[A] += 1234567;
		rig_seg(r, A, SYN, 0, 0, "");
		if (!answered)
			r->isn[A] = first;
		rig_seg(r, B, SYN | ACK, 0, 0, "");
		rig_seg(r, A, ACK, 0, 0, "hello");
		CU_ASSERT(r->reused == 0);
		rig_end(r, "hello", "");
	}
	/* one side only: the one that is gone on with */
	struct rig *r = rig_new();
	rig_seg(r, A, SYN, 0, 0, "");
	r->isn[A] += 1234567;
	rig_seg(r, A, SYN, 0, 0, "");
	rig_seg(r, A, ACK, 0, 0, "hello");
	CU_ASSERT(r->reused == 0);
	rig_end(r, "hello", "");
}

/* H-10: a SYN in the middle does not end the connection, unless it is answered */
static void h10_syn_decoy(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "abc");
	uint32_t isn = r->isn[A];
	r->isn[A] = 77;
	rig_seg(r, A, SYN, 0, 0, "");
	CU_ASSERT(rig_seg(r, A, ACK, 0, 0, "new") != CONNECTION_REUSED);
	r->isn[A] = isn;
	rig_seg(r, A, ACK, 3, 0, "def");
	CU_ASSERT(r->reused == 0);
	rig_end(r, "abcdef", "");
}

static void port_reuse(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "abc");
	r->isn[A] += 100000;
	r->isn[B] += 400000;
	rig_seg(r, A, SYN, 0, 0, "");
	CU_ASSERT(r->reused == 0);
	rig_seg(r, B, SYN | ACK, 0, 0, "");
	CU_ASSERT(r->reused == 1);
	rig_seg(r, A, ACK, 0, 0, "new");
	rig_seg(r, A, ACK | FIN, 3, 0, "");
	rig_seg(r, B, ACK | FIN, 0, 4, "");
	r->isn[A] += 100000;
	r->isn[B] -= 400000;
	CU_ASSERT(rig_seg(r, A, SYN, 0, 0, "") == CONNECTION_REUSED);
	rig_seg(r, B, SYN | ACK, 0, 0, "");
	rig_seg(r, A, ACK, 0, 0, "third");
	CU_ASSERT(r->c.client_known && r->c.client == A && !r->c.midstream && !r->c.closed);
	rig_end(r, "abcnew$third", "$");
}

/* what follows a SYN nobody answers is waited for like any start that was not seen */
static void port_reuse_one_sided(void)
{
	struct rig *r = rig_new();
	rig_seg(r, A, SYN, 0, 0, "");
	rig_seg(r, A, ACK, 0, 0, "abc");
	r->isn[A] += 100000;
	rig_seg(r, A, SYN, 0, 0, "");
	rig_seg(r, A, ACK, 0, 0, "new");
	CU_ASSERT(r->reused == 1);
	rig_seg(r, A, ACK | FIN, 3, 0, "");
	chatter(r, A, 64, 4, 0);
	CU_ASSERT(r->c.closed);
	r->isn[A] += 100000;
	CU_ASSERT(rig_seg(r, A, SYN, 0, 0, "") == CONNECTION_REUSED);
	rig_seg(r, A, ACK, 0, 0, "third");
	rig_end(r, "abcnew$third", "");
}

/* H-10: RST with a wrong number; one with the right number is only a hint */
static void h10_rst(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "abc");
	CU_ASSERT(rig_seg(r, A, RST, 4, 0, "") == CONNECTION_OUT_OF_WINDOW);
	CU_ASSERT(rig_seg(r, A, RST, 2, 0, "") == CONNECTION_OUT_OF_WINDOW);
	CU_ASSERT(rig_seg(r, B, RST, 1 << 20, 0, "") == CONNECTION_OUT_OF_WINDOW);
	CU_ASSERT(!r->c.closed);
	CU_ASSERT(rig_seg(r, A, RST, 3, 0, "") == CONNECTION_TAKEN);
	CU_ASSERT(r->c.closed && r->c.reset);
	rig_seg(r, B, ACK, 0, 3, "in flight");
	CU_ASSERT(r->c.closed);
	rig_seg(r, A, ACK, 3, 0, "def");
	CU_ASSERT(!r->c.closed && !r->c.reset);
	rig_end(r, "abcdef", "in flight");
	/* a SYN refused */
	r = rig_new();
	rig_seg(r, A, SYN, 0, 0, "");
	CU_ASSERT(rig_seg(r, B, RST | ACK, 99, 1, "") == CONNECTION_OUT_OF_WINDOW);
	CU_ASSERT(rig_seg(r, B, RST | ACK, 99, 0, "") == CONNECTION_TAKEN && r->c.closed);
	rig_end(r, "", "");
}

/* H-10: FIN then data */
static void h10_fin(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK | FIN, 3, 0, "de");
	CU_ASSERT_STRING_EQUAL(r->got[A], "");
	rig_seg(r, A, ACK, 2, 0, "cdefg");
	rig_seg(r, A, ACK, 0, 0, "ab");
	rig_seg(r, A, ACK, 5, 0, "fgh");
	rig_seg(r, A, ACK | FIN, 5, 0, "");
	CU_ASSERT(connection_overlap(&r->c));
	rig_end(r, "abcde$", "");
	/* a FIN in the middle of what is there already is none */
	r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 3, 0, "defgh");
	rig_seg(r, A, ACK | FIN, 0, 0, "ab");
	rig_seg(r, A, ACK, 2, 0, "c");
	rig_end(r, "abcdefgh", "");
}

static void keep_alive(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "abc");
	rig_seg(r, B, ACK, 0, 3, "");
	rig_seg(r, A, ACK, 2, 0, "");
	rig_seg(r, A, ACK, 2, 0, "\x01");
	rig_seg(r, B, ACK, 0, 3, "");
	rig_seg(r, A, ACK, 3, 0, "def");
	CU_ASSERT(!connection_overlap(&r->c) && stat_of(r, STAT_STREAM_HOLE) == 0);
	rig_end(r, "abcdef", "");
}

/* H-10: window lies and zero windows: the tap does not look at windows */
static void h10_zero_window(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	struct packet pkt = rig_packet(r, B, ACK, 0, 0, "");
	pkt.window = 0;
	rig_push(r, B, &pkt);
	rig_seg(r, A, ACK, 0, 0, "a");
	rig_seg(r, A, ACK, 0, 0, "a");
	pkt.window_shift = 200;
	rig_push(r, B, &pkt);
	rig_seg(r, A, ACK, 0, 0, "abc");
	rig_end(r, "abc", "");
}

/* H-10: one-octet segments, also backwards; they share memory */
static void h10_one_octet(void)
{
	struct rig *r = rig_new();
	char want[2000] = "", one[2] = "";
	rig_open(r);
	for (int i = 0; i < 1999; i++)
		want[i] = (char)('a' + i % 26);
	for (int i = 1998; i >= 0; i--) {
		one[0] = want[i];
		rig_seg(r, A, ACK, i, 0, one);
		CU_ASSERT(r->c.dir[A].held.owner == 0 || r->got[A][0] == 0);
	}
	CU_ASSERT(stat_of(r, STAT_STREAM_HELD_FULL) == 0);
	rig_end(r, want, "");
}

/*
 * H-10: ACKs for octets never seen make no gap, unless the sender says as well that there were
 * some
 */
static void h10_ack_of_nothing(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "abc");
	chatter(r, B, 200, 0, 100000);
	r->now_ns += 10000000000;
	chatter(r, B, 1, 0, 100000);
	CU_ASSERT(!connection_busy(&r->c));
	rig_seg(r, A, ACK, 3, 0, "def");
	rig_end(r, "abcdef", "");
	/* nor is a later hole given up sooner for an old lie */
	r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 3, 0, "def");
	chatter(r, B, 65, 0, 100000);
	CU_ASSERT_STRING_EQUAL(r->got[A], "<3>def");
	rig_seg(r, A, ACK, 9, 0, "jkl");
	rig_seg(r, A, ACK, 6, 0, "ghi");
	rig_end(r, "<3>defghijkl", "");
}

static void hole_by_packets(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "abc");
	rig_seg(r, A, ACK, 6, 0, "ghi");
	chatter(r, B, 100, 0, 3); /* the peer has not got it either */
	CU_ASSERT_STRING_EQUAL(r->got[A], "abc");
	rig_seg(r, B, ACK, 0, 9, "");
	chatter(r, B, 63, 0, 9);
	CU_ASSERT_STRING_EQUAL(r->got[A], "abc");
	chatter(r, B, 1, 0, 9);
	CU_ASSERT_STRING_EQUAL(r->got[A], "abc<3>ghi");
	rig_seg(r, A, ACK, 3, 0, "def"); /* too late */
	CU_ASSERT(stat_of(r, STAT_STREAM_HOLE) == 1 && stat_of(r, STAT_STREAM_HOLE_OCTETS) == 3);
	CU_ASSERT(!connection_overlap(&r->c));
	rig_end(r, "abc<3>ghi", "");
}

static void hole_by_time(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 3, 0, "def");
	CU_ASSERT(connection_busy(&r->c) && connection_timer(&r->c, r->pool, r->now_ns) == 0);
	rig_seg(r, B, ACK, 0, 6, "");
	uint64_t due = connection_timer(&r->c, r->pool, r->now_ns);
	CU_ASSERT(due > r->now_ns && due <= r->now_ns + 1000000000);
	connection_timer(&r->c, r->pool, due - 1);
	rig_read(r);
	CU_ASSERT_STRING_EQUAL(r->got[A], "");
	CU_ASSERT(connection_timer(&r->c, r->pool, due) > due);
	rig_read(r);
	CU_ASSERT(connection_timer(&r->c, r->pool, due) == 0);
	rig_end(r, "<3>def", "");
}

static void holes_together(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 3, 0, "d");
	rig_seg(r, A, ACK, 5, 0, "f");
	rig_seg(r, A, ACK, 7, 0, "h");
	rig_seg(r, B, ACK, 0, 6, "");
	chatter(r, B, 64, 0, 6);
	/* the last one was not acknowledged yet */
	CU_ASSERT_STRING_EQUAL(r->got[A], "<3>d<1>f");
	rig_seg(r, A, ACK, 6, 0, "g");
	rig_end(r, "<3>d<1>fgh", "");
}

/* the octets behind the cut are a hole; a later whole copy fills it */
static void cut_by_capture(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	struct packet pkt = rig_packet(r, A, ACK, 0, 0, "abc");
	pkt.payload_cut = 3;
	pkt.csum = PACKET_CSUM_UNKNOWN;
	rig_push(r, A, &pkt);
	rig_seg(r, A, ACK, 6, 0, "ghi");
	CU_ASSERT_STRING_EQUAL(r->got[A], "abc");
	pkt = rig_packet(r, A, ACK | FIN, 9, 0, "jk");
	pkt.payload_cut = 1;
	rig_push(r, A, &pkt);
	rig_seg(r, A, ACK, 0, 0, "abcdef");
	rig_finish(r);
	rig_end(r, "abcdefghijk<1>$", "");
	r = rig_new();
	rig_open(r);
	pkt = rig_packet(r, A, ACK, 0, 0, "abc");
	pkt.payload_cut = 3;
	rig_push(r, A, &pkt);
	rig_finish(r);
	rig_end(r, "abc<3>", "");
}

/* a tail that only the two ends have seen */
static void lost_tail(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "abc");
	rig_seg(r, B, ACK, 0, 6, "250");
	rig_seg(r, A, ACK, 6, 3, "");
	chatter(r, B, 64, 3, 6);
	rig_end(r, "abc<3>", "250");
	r = rig_new();
	rig_open(r);
	rig_seg(r, A, ACK, 6, 0, "");
	rig_seg(r, B, ACK, 0, 6, "250");
	chatter(r, B, 64, 3, 6);
	rig_end(r, "<6>", "250");
}

static void checksums(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	struct packet bad = rig_packet(r, A, ACK, 0, 0, "xyz");
	bad.csum = PACKET_CSUM_WRONG;
	CU_ASSERT(rig_push(r, A, &bad) == CONNECTION_BAD_CHECKSUM);
	bad = rig_packet(r, A, RST, 0, 0, "");
	bad.csum = PACKET_CSUM_WRONG;
	CU_ASSERT(rig_push(r, A, &bad) == CONNECTION_BAD_CHECKSUM);
	rig_seg(r, A, ACK, 0, 0, "abc");
	rig_end(r, "abc", "");
	/* auto: an end that never sent a right one; always; never */
	for (int mode = 0; mode < 3; mode++) {
		r = rig_new();
		r->cfg.checksum = mode == 0   ? CHECKSUM_AUTO
				  : mode == 1 ? CHECKSUM_ALWAYS
					      : CHECKSUM_NEVER;
		for (int i = 0; i < 3; i++) {
			struct packet pkt = rig_packet(r, A, i ? ACK : SYN, i == 2 ? 3 : 0, 0,
						       i == 0   ? ""
						       : i == 1 ? "abc"
								: "def");
			pkt.csum = i == 2 && mode == 2 ? PACKET_CSUM_RIGHT : PACKET_CSUM_WRONG;
			rig_push(r, A, &pkt);
		}
		rig_end(r, mode == 1 ? "" : "abcdef", "");
	}
}

static void no_ack_bit(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	CU_ASSERT(rig_seg(r, A, 0, 0, 0, "xyz") == CONNECTION_OUT_OF_WINDOW);
	CU_ASSERT(rig_seg(r, A, TCP_PSH | FIN, 0, 0, "xyz") == CONNECTION_OUT_OF_WINDOW);
	CU_ASSERT(rig_seg(r, A, SYN | FIN, 0, 0, "xyz") == CONNECTION_OUT_OF_WINDOW);
	CU_ASSERT(rig_seg(r, A, SYN | RST, 0, 0, "xyz") == CONNECTION_OUT_OF_WINDOW);
	rig_seg(r, A, ACK | TCP_URG, 0, 0, "abc");
	rig_end(r, "abc", "");
}

static void midstream(void)
{
	struct rig *r = rig_new();
	rig_seg(r, A, ACK, 1003, 500, "def");
	rig_seg(r, B, ACK, 500, 1006, "xyz");
	rig_seg(r, A, ACK, 1000, 500, "abc");
	CU_ASSERT_STRING_EQUAL(r->got[A], "");
	chatter(r, A, 61, 1006, 503);
	CU_ASSERT_STRING_EQUAL(r->got[A], "");
	chatter(r, A, 2, 1006, 503);
	CU_ASSERT_STRING_EQUAL(r->got[A], "abcdef");
	CU_ASSERT(r->c.midstream);
	rig_seg(r, A, ACK, 1006, 503, "ghi");
	rig_end(r, "abcdefghi", "xyz");
}

/* a handshake out of order is no mid-stream */
static void handshake_late(void)
{
	struct rig *r = rig_new();
	rig_seg(r, A, ACK, 3, 0, "def");
	rig_seg(r, B, ACK, 2, 0, "34");
	rig_seg(r, B, SYN | ACK, 0, 0, "");
	CU_ASSERT(r->c.client_known && r->c.client == A);
	rig_seg(r, A, SYN, 0, 0, "");
	rig_seg(r, B, ACK, 0, 0, "12");
	rig_seg(r, A, ACK, 0, 0, "abc");
	CU_ASSERT(!r->c.midstream && stat_of(r, STAT_STREAM_HOLE) == 0 && r->reused == 0);
	rig_end(r, "abcdef", "1234");
}

static void one_sided(void)
{
	struct rig *r = rig_new();
	rig_seg(r, A, SYN, 0, 0, "");
	rig_seg(r, A, ACK, 0, 10, "abc");
	rig_seg(r, A, ACK, 6, 20, "ghi"); /* nobody acknowledges: 64 packets more */
	for (int i = 0; i < 64; i++) {
		CU_ASSERT_STRING_EQUAL(r->got[A], "abc");
		rig_seg(r, A, ACK, 9, 20, "j");
	}
	CU_ASSERT_STRING_EQUAL(r->got[A], "abc<3>ghij");
	rig_seg(r, A, ACK | FIN, 10, 20, "");
	CU_ASSERT(r->c.closed);
	rig_end(r, "abc<3>ghij$", "");
}

/* the reader leaves octets until the other direction moves */
static void wait_and_go_on(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	r->may[A] = 4;
	rig_seg(r, A, ACK, 0, 0, "DATAhello");
	rig_seg(r, A, ACK, 9, 0, " world");
	CU_ASSERT_STRING_EQUAL(r->got[A], "DATA");
	CU_ASSERT(connection_busy(&r->c));
	r->may[A] = SIZE_MAX;
	rig_seg(r, A, ACK, 15, 0, "!");
	CU_ASSERT_STRING_EQUAL(r->got[A], "DATA"); /* not asked again until B moved */
	rig_seg(r, B, ACK, 0, 4, "354");
	CU_ASSERT_STRING_EQUAL(r->got[A], "DATAhello world!");
	CU_ASSERT(r->last_chances == 0 && !connection_busy(&r->c));
	rig_end(r, "DATAhello world!", "354");
}

/* nothing was lost: the other end has not spoken yet, and whoever is slow decides nothing */
static void n15_slow_peer_is_waited_for(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	r->may[A] = 4;
	rig_seg(r, A, ACK, 0, 0, "DATAhello");
	chatter(r, A, 200, 9, 0);
	r->now_ns += 60 * UINT64_C(1000000000);
	chatter(r, A, 1, 9, 0);
	CU_ASSERT(r->last_chances == 0);
	r->may[A] = SIZE_MAX;
	rig_seg(r, B, ACK, 0, 9, "354");
	CU_ASSERT(r->last_chances == 0);
	rig_end(r, "DATAhello", "354");
	/* A has what B said, and the capture has not; or B's octets were lost before */
	for (int lost = 0; lost < 2; lost++) {
		r = rig_new();
		rig_open(r);
		r->may[A] = 4;
		if (lost) {
			rig_seg(r, B, ACK, 3, 0, "def");
			chatter(r, A, 65, 0, 6);
		}
		rig_seg(r, A, ACK, 0, lost ? 6 : 3, "DATAhello");
		chatter(r, A, 64, 9, lost ? 6 : 3);
		CU_ASSERT(r->last_chances == 1);
		rig_end(r, "DATAhello", lost ? "<3>def" : "");
	}
}

/* the other end was never seen */
static void wait_given_up(void)
{
	struct rig *r = rig_new();
	rig_seg(r, A, SYN, 0, 0, "");
	r->may[A] = 4;
	rig_seg(r, A, ACK, 0, 0, "DATAhello");
	chatter(r, A, 63, 9, 0);
	CU_ASSERT(r->last_chances == 0);
	chatter(r, A, 1, 9, 0);
	CU_ASSERT(r->last_chances == 1 && stat_of(r, STAT_STREAM_WAIT_LATE) == 1);
	rig_end(r, "DATAhello", "");
	/* by time; what the reader leaves then is lost */
	r = rig_new();
	rig_seg(r, A, SYN, 0, 0, "");
	rig_seg(r, A, ACK, 0, 0, "ab");
	r->may[A] = 2;
	rig_seg(r, A, ACK, 2, 0, "cd");
	uint64_t due = connection_timer(&r->c, r->pool, r->now_ns);
	CU_ASSERT(due != 0);
	struct connection_item item;
	connection_timer(&r->c, r->pool, due);
	CU_ASSERT(connection_next(&r->c, r->pool, &item) && item.last_chance && item.data.n == 2);
	connection_used(&r->c, r->pool, &item, 1);
	CU_ASSERT(connection_next(&r->c, r->pool, &item) && item.result == STREAM_GAP &&
		  item.data.n == 1 && item.off == 3);
	CU_ASSERT(!connection_next(&r->c, r->pool, &item));
	rig_end(r, "ab", "");
}

/* the hole in what is waited for is given up before the wait */
static void hole_before_wait(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	r->may[A] = 0;
	rig_seg(r, B, ACK, 3, 0, "def");
	rig_seg(r, A, ACK, 0, 6, "hello");
	for (int i = 0; i < 63; i++)
		rig_seg(r, A, ACK, 5, 6, "");
	CU_ASSERT_STRING_EQUAL(r->got[B], "");
	r->may[A] = SIZE_MAX;
	rig_seg(r, A, ACK, 5, 6, "");
	CU_ASSERT(r->last_chances == 0);
	rig_end(r, "hello", "<3>def");
}

/* both directions wait for each other: neither is lost */
static void wait_for_each_other(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	r->may[A] = r->may[B] = 0;
	rig_seg(r, A, ACK, 0, 0, "abc");
	rig_seg(r, B, ACK, 0, 0, "def");
	rig_finish(r);
	CU_ASSERT(r->last_chances == 2);
	rig_end(r, "abc", "def");
}

static const char *letters(size_t n)
{
	static char text[4096];
	for (size_t i = 0; i < n; i++)
		text[i] = (char)('a' + i % 26);
	text[n] = 0;
	return text;
}

static void wait_full(void)
{
	struct rig *r = rig_new();
	r->isn[A] = 0xffffffff;
	r->cfg.held_flow_bytes = (uint32_t)(2 * held_cost());
	rig_pool(r);
	rig_open(r);
	r->may[A] = 0;
	for (int i = 0; i < 5; i++)
		rig_seg(r, A, ACK, i * 1000, 0, letters(1000));
	CU_ASSERT(r->last_chances == 1 && stat_of(r, STAT_STREAM_WAIT_FULL) == 1);
	CU_ASSERT(strlen(r->got[A]) == HELD_PAGE);
	r->may[A] = SIZE_MAX;
	rig_seg(r, B, ACK, 0, 0, "x");
	CU_ASSERT(r->read[A] == 5000);
	CU_ASSERT(stat_of(r, STAT_STREAM_HOLE) == 0);
	connection_reset(&r->c, r->pool);
	stream_pool_free(r->pool);
	free(r);
}

/* no room at all: octets in order pass all the same */
static void no_memory(void)
{
	struct rig *r = rig_new();
	r->cfg.held_bytes = 0;
	rig_pool(r);
	rig_seg(r, A, SYN, 0, 0, "ab");
	rig_seg(r, B, SYN | ACK, 0, 2, "");
	rig_seg(r, A, ACK, 2, 0, "cd");
	rig_seg(r, A, ACK, 6, 0, "gh"); /* not acknowledged, the peer was seen: dropped */
	rig_seg(r, A, ACK, 4, 0, "ef");
	rig_seg(r, B, ACK, 0, 8, "xy");
	rig_seg(r, A, ACK, 8, 2, "ij");
	r->may[B] = 2;
	rig_seg(r, B, ACK, 2, 10, "z");
	CU_ASSERT(r->last_chances == 1);
	rig_seg(r, A, ACK, 10, 3, "kl");
	rig_finish(r);
	CU_ASSERT(stat_of(r, STAT_STREAM_HELD_FULL) > 0);
	rig_end(r, "<2>cdef<2>ijkl", "xyz");
}

/*
 * a hole that the peer has not acknowledged is not given up for want of room; what is farthest
 * goes
 */
static void h10_garbage_ahead(void)
{
	struct rig *r = rig_new();
	r->isn[A] = 0xffffffff;
	r->cfg.held_flow_bytes = (uint32_t)(4 * held_cost());
	rig_pool(r);
	rig_open(r);
	rig_seg(r, A, ACK, 0, 0, "abc");
	rig_seg(r, B, ACK, 0, 3, "");
	for (int i = 1; i < 100; i++)
		rig_seg(r, A, ACK, i * 1000000, 0, "garbage");
	rig_seg(r, B, ACK, 0, 3, "");
	rig_seg(r, A, ACK, 6, 0, "ghi");
	rig_seg(r, A, ACK, 3, 0, "def");
	CU_ASSERT(stat_of(r, STAT_STREAM_HOLE) == 0 && stat_of(r, STAT_STREAM_HELD_FULL) > 0);
	rig_end(r, "abcdefghi", "");
}

/* where one side is silent, want of room does give the hole up */
static void full_one_sided(void)
{
	struct rig *r = rig_new();
	r->isn[A] = 0xffffffff;
	r->cfg.held_flow_bytes = (uint32_t)(2 * held_cost());
	rig_pool(r);
	rig_seg(r, A, SYN, 0, 0, "");
	rig_seg(r, A, ACK, 0, 0, "abc");
	for (int i = 1; i < 6; i++)
		rig_seg(r, A, ACK, i * HELD_PAGE, 0, "x");
	CU_ASSERT(strncmp(r->got[A], "abc<2045>x<2047>x", 17) == 0);
	CU_ASSERT(stat_of(r, STAT_STREAM_HELD_FULL) > 0);
	connection_reset(&r->c, r->pool);
	stream_pool_free(r->pool);
	free(r);
}

/* which octets the sender had acknowledged when it sent */
static void acknowledged(void)
{
	struct rig *r = rig_new();
	rig_open(r);
	rig_seg(r, B, ACK, 0, 0, "220 hello");
	struct connection_item item;
	struct packet late = rig_packet(r, A, ACK, 4, 9, "body");
	struct packet pkt = rig_packet(r, A, ACK, 0, 5, "DATA");
	CU_ASSERT(connection_push(&r->c, r->pool, A, &late) == CONNECTION_TAKEN);
	CU_ASSERT(!connection_next(&r->c, r->pool, &item));
	CU_ASSERT(connection_push(&r->c, r->pool, A, &pkt) == CONNECTION_TAKEN);
	CU_ASSERT(connection_next(&r->c, r->pool, &item) && item.peer_acked == 5 && item.off == 0);
	connection_used(&r->c, r->pool, &item, item.data.n);
	CU_ASSERT(connection_next(&r->c, r->pool, &item) && item.peer_acked == 9 && item.off == 4);
	connection_used(&r->c, r->pool, &item, item.data.n);
	CU_ASSERT(!connection_next(&r->c, r->pool, &item));
	rig_end(r, "", "220 hello");
}

static void small(void)
{
	CU_ASSERT(sizeof(struct connection) <= 160);
}

TEST_MAIN("connection", TEST(in_order), TEST(out_of_order), TEST(retransmitted_and_cut_anew),
	  TEST(h10_overlap_differs_in_held), TEST(h10_overlap_differs_behind_reader),
	  TEST(h10_overlap_memory), TEST(h10_far_jumps), TEST(h10_syn_with_data),
	  TEST(h10_syn_with_data_one_sided), TEST(h10_two_syns), TEST(h10_syn_decoy),
	  TEST(port_reuse), TEST(port_reuse_one_sided), TEST(h10_rst), TEST(h10_fin),
	  TEST(keep_alive), TEST(h10_zero_window), TEST(h10_one_octet), TEST(h10_ack_of_nothing),
	  TEST(hole_by_packets), TEST(hole_by_time), TEST(holes_together), TEST(cut_by_capture),
	  TEST(lost_tail), TEST(checksums), TEST(no_ack_bit), TEST(midstream), TEST(handshake_late),
	  TEST(one_sided), TEST(wait_and_go_on), TEST(n15_slow_peer_is_waited_for),
	  TEST(wait_given_up), TEST(hole_before_wait), TEST(wait_for_each_other), TEST(wait_full),
	  TEST(no_memory), TEST(h10_garbage_ahead), TEST(full_one_sided), TEST(acknowledged),
	  TEST(small))
