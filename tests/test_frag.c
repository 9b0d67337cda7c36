/*
 * However a datagram was cut, in whatever order and how often its pieces come, it is given once and whole,
 * or not at all; pieces that contradict each other give nothing; memory is bounded and the oldest goes.
 */
#include "dataplane/frag.h"
#include "tests/test.h"

#include <stdlib.h>

static struct stats stats;
static uint8_t payload[65536];

static uint64_t count(enum stats_row i)
{
	return stats_get(&stats, i);
}

static struct frag *start(uint32_t max)
{
	struct config cfg = { .fragment_max = max, .fragment_ms = 30000 };
	uint64_t state = 11;
	memset(&stats, 0, sizeof stats);
	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)(test_random(&state) >> 24);
	struct frag *f = frag_new(&cfg, &stats);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	return f;
}

/* Octets at[0..n) of payload, of a datagram that is `total` long. */
static struct decode_fragment piece(uint8_t version, uint32_t id, size_t at, size_t n, size_t total)
{
	static const uint8_t address[32] = { 10, [15] = 9, [16] = 11, [31] = 7 };
	return (struct decode_fragment){
		.ip_version = version,
		.src = address,
		.dst = address + 16,
		.id = id,
		.protocol = 6,
		.offset = (uint16_t)at,
		.more = at + n < total,
		.data = { payload + at, n },
	};
}

static bool push(struct frag *f, struct decode_fragment in, uint64_t now_ms, struct bytes *out)
{
	uint8_t protocol = 0;
	/* exactly as long as it says */
	uint8_t *guarded = test_guard(in.data.p, in.data.n);
	in.data.p = guarded;
	bool done = frag_push(f, &in, now_ms * 1000000, out, &protocol);
	test_guard_free(guarded, in.data.n);
	CU_ASSERT(!done || protocol == 6);
	return done;
}

static bool is_whole(struct bytes out, size_t total)
{
	return out.n == total && memcmp(out.p, payload, total) == 0;
}

/* cut at random places, shuffled, with copies and agreeing overlaps */
static void any_order(void)
{
	static const size_t totals[] = { 9, 16, 512, 513, 1480, 4000, 65515, 65535 };
	struct frag *f = start(16);
	uint64_t state = 5;
	uint32_t id = 0, cut_up = 0;
	for (unsigned turn = 0; turn < 800; turn++) {
		size_t total = totals[turn % 8], n = 0, at[8192], len[8192];
		size_t mean = total > 5000 ? 1 + test_random(&state) % 400 : 1 + turn % 40;
		for (size_t off = 0; off < total; n++) {
			size_t blocks = 1 + test_random(&state) % (2 * mean);
			at[n] = off;
			len[n] = total - off < blocks * 8 ? total - off : blocks * 8;
			off += len[n];
		}
		if (n == 1)
			continue;
		cut_up++;
		for (size_t i = n - 1; i > 0 && turn % 3; i--) {
			size_t k = test_random(&state) % (i + 1), t = at[i], l = len[i];
			at[i] = at[k], len[i] = len[k];
			at[k] = t, len[k] = l;
		}
		struct bytes out;
		unsigned done = 0;
		uint8_t version = turn & 1 ? 4 : 6;
		id++;
		for (size_t i = 0; i < n; i++) {
			if (i && turn % 5 == 0) { /* a copy of an earlier one */
				size_t k = test_random(&state) % i;
				done += push(f, piece(version, id, at[k], len[k], total), 1, &out);
			}
			if (i && turn % 7 == 0 && at[i] >= 8) /* the end of what is before it too */
				at[i] -= 8, len[i] += 8;
			done += push(f, piece(version, id, at[i], len[i], total), 1, &out);
			CU_ASSERT(done == (i == n - 1) || turn % 7 == 0);
		}
		CU_ASSERT(done == 1 && is_whole(out, total));
	}
	CU_ASSERT_EQUAL(count(STAT_FRAG_OVERLAP), 0);
	CU_ASSERT_EQUAL(count(STAT_FRAG_EVICTED), 0);
	CU_ASSERT(count(STAT_FRAG_DONE) == cut_up && cut_up > 500);
	frag_free(f);
	frag_free(NULL);
}

/* a piece with another octet anywhere, or another length, ends the datagram and all that is still to come */
static void h11_overlapping_fragments(void)
{
	struct bytes out;
	for (size_t at = 0; at < 32; at++) {
		struct frag *f = start(4);
		struct decode_fragment a = piece(4, 1, 0, 32, 48), b = a,
				       c = piece(4, 1, 32, 16, 48);
		uint8_t other[32];
		memcpy(other, payload, 32);
		other[at] ^= 1;
		b.data.p = other;
		CU_ASSERT(!push(f, a, 0, &out));
		CU_ASSERT(!push(f, b, 0, &out));
		CU_ASSERT_EQUAL(count(STAT_FRAG_OVERLAP), 1);
		CU_ASSERT_EQUAL(count(STAT_FRAME_FRAGMENT), 1);
		CU_ASSERT(!push(f, c, 0, &out) && !push(f, a, 0, &out));
		CU_ASSERT_EQUAL(count(STAT_FRAME_FRAG_DROPPED), 3);
		CU_ASSERT_EQUAL(count(STAT_FRAG_OVERLAP), 1);
		/* its name is free again when it is too old */
		CU_ASSERT(!push(f, a, 30001, &out) && push(f, c, 30001, &out));
		CU_ASSERT(is_whole(out, 48));
		CU_ASSERT_EQUAL(count(STAT_FRAG_TIMEOUT), 0);
		frag_free(f);
	}
	/* two ends; an end before what is there; something behind the end; two protocols */
	static const struct {
		uint16_t at, n, total, at2, n2, total2;
	} ends[] = {
		{ 16, 16, 32, 16, 24, 40 }, { 16, 16, 32, 8, 8, 16 },   { 0, 32, 99, 16, 8, 24 },
		{ 16, 16, 32, 32, 8, 99 },  { 16, 13, 29, 16, 16, 99 }, { 16, 16, 99, 16, 13, 29 },
	};
	for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		struct frag *f = start(4);
		push(f, piece(4, 1, ends[i].at, ends[i].n, ends[i].total), 0, &out);
		push(f, piece(4, 1, ends[i].at2, ends[i].n2, ends[i].total2), 0, &out);
		CU_ASSERT_EQUAL(count(STAT_FRAG_OVERLAP), 1);
		frag_free(f);
	}
	struct frag *f = start(4);
	struct decode_fragment a = piece(6, 1, 0, 32, 48);
	CU_ASSERT(!push(f, a, 0, &out));
	a.protocol = 17;
	CU_ASSERT(!push(f, a, 0, &out));
	CU_ASSERT_EQUAL(count(STAT_FRAG_OVERLAP), 1);
	frag_free(f);
}

static void malformed(void)
{
	struct frag *f = start(4);
	struct bytes out;
	struct decode_fragment in[6];
	for (unsigned i = 0; i < 6; i++)
		in[i] = piece(4, i, 0, 16, 99);
	in[0].cut = true;
	in[1].csum_wrong = true;
	in[2].data.n = 15;
	in[3].data.n = 0;
	in[4].offset = 65528, in[4].data.n = 8; /* 65,536 octets */
	in[5].offset = 65528, in[5].data.n = 16, in[5].more = false;
	for (unsigned i = 0; i < 6; i++) {
		CU_ASSERT(!push(f, in[i], 0, &out));
		CU_ASSERT_EQUAL(count(STAT_FRAME_FRAG_DROPPED), i + 1);
	}
	CU_ASSERT_EQUAL(count(STAT_FRAME_FRAGMENT), 0);
	/* the longest there is */
	CU_ASSERT(!push(f, piece(4, 9, 0, 65528, 65535), 0, &out));
	CU_ASSERT(push(f, piece(4, 9, 65528, 7, 65535), 0, &out) && is_whole(out, 65535));
	frag_free(f);
}

/* what makes a datagram: addresses, version, id, and for IPv4 the protocol */
static void keys(void)
{
	static const uint8_t elsewhere[16] = { 12 };
	struct frag *f = start(16);
	struct bytes out;
	struct decode_fragment a[6];
	for (unsigned i = 0; i < 6; i++)
		a[i] = piece(i == 5 ? 6 : 4, 1, 0, 8, 16);
	a[1].id = 2;
	a[2].src = elsewhere;
	a[3].dst = elsewhere;
	a[4].protocol = 17;
	for (unsigned i = 0; i < 6; i++)
		CU_ASSERT(!push(f, a[i], 0, &out));
	CU_ASSERT(push(f, piece(4, 1, 8, 8, 16), 0, &out) && is_whole(out, 16));
	struct decode_fragment last = piece(6, 1, 8, 8, 16);
	last.protocol = 59; /* the first fragment's is right (RFC 8200 section 4.5) */
	CU_ASSERT(push(f, last, 0, &out) && is_whole(out, 16));
	CU_ASSERT_EQUAL(count(STAT_FRAME_FRAGMENT), 6);
	frag_free(f);
}

static void age(void)
{
	struct frag *f = start(16);
	struct bytes out;
	CU_ASSERT(!push(f, piece(4, 1, 0, 8, 24), 1000, &out));
	CU_ASSERT(!push(f, piece(4, 1, 8, 8, 24), 29000, &out));
	CU_ASSERT(push(f, piece(4, 1, 16, 8, 24), 31000, &out) && is_whole(out, 24));
	CU_ASSERT(!push(f, piece(4, 2, 0, 8, 24), 1000, &out));
	CU_ASSERT(!push(f, piece(4, 2, 8, 8, 24), 30000, &out)); /* counted from the first */
	CU_ASSERT(!push(f, piece(4, 2, 16, 8, 24), 31001, &out));
	CU_ASSERT_EQUAL(count(STAT_FRAG_TIMEOUT), 1);
	/* a clock that goes back gives nothing up */
	CU_ASSERT(!push(f, piece(4, 3, 0, 8, 16), 500, &out));
	CU_ASSERT(push(f, piece(4, 3, 8, 8, 16), 100, &out));
	frag_free(f);
}

/* first fragments without end: the oldest goes, the newest can still be completed */
static void h11_fragment_flood(void)
{
	enum { MAX = 64, N = 20000 };
	struct frag *f = start(MAX);
	struct bytes out;
	for (uint32_t id = 0; id < N; id++)
		CU_ASSERT(!push(f, piece(4, id, 0, 1480, 3000), 0, &out));
	CU_ASSERT_EQUAL(count(STAT_FRAG_EVICTED), N - MAX);
	CU_ASSERT(push(f, piece(4, N - MAX, 1480, 1520, 3000), 0, &out) && is_whole(out, 3000));
	CU_ASSERT(push(f, piece(4, N - 1, 1480, 1520, 3000), 0, &out) && is_whole(out, 3000));
	CU_ASSERT(!push(f, piece(4, N - MAX - 1, 1480, 1520, 3000), 0, &out));
	frag_free(f);

	/* large ones: octets run out before datagrams do */
	f = start(16);
	for (uint32_t id = 0; id < 100; id++)
		CU_ASSERT(!push(f, piece(4, id, 0, 60000, 65000), 0, &out));
	CU_ASSERT(count(STAT_FRAG_EVICTED) > 90 && count(STAT_FRAG_EVICTED) < 99);
	CU_ASSERT(push(f, piece(4, 99, 60000, 5000, 65000), 0, &out) && is_whole(out, 65000));
	/* the oldest itself asks for more than there is: it goes, and nothing is lost of the pool */
	for (unsigned turn = 0; turn < 50; turn++) {
		for (uint32_t id = 0; id < 16; id++)
			push(f, piece(4, 1000 * turn + id, 0, 16000, 65000), 0, &out);
		for (uint32_t id = 0; id < 16; id++)
			push(f, piece(4, 1000 * turn + id, 16000, 48000, 65000), 0, &out);
	}
	for (uint32_t id = 0; id < 10; id++) {
		CU_ASSERT(!push(f, piece(4, id, 0, 65000, 65400), 0, &out));
		CU_ASSERT(push(f, piece(4, id, 65000, 400, 65400), 0, &out));
		CU_ASSERT(is_whole(out, 65400));
	}
	frag_free(f);

	f = start(1);
	CU_ASSERT(!push(f, piece(4, 1, 0, 8, 16), 0, &out));
	CU_ASSERT(!push(f, piece(4, 2, 0, 65528, 65535), 0, &out));
	CU_ASSERT(push(f, piece(4, 2, 65528, 7, 65535), 0, &out) && is_whole(out, 65535));
	frag_free(f);
}

/* a TCP header in three pieces, through decode; and a fragment whose datagram is a fragment */
static void h11_tiny_fragments(void)
{
	static const uint8_t segment[29] = { 0x52, 0x09, 0, 25, 1, 2, 3, 4, 5,   6,   7,   8,
					     0x50, 0x10, 1, 1,  0, 0, 0, 0, 'H', 'E', 'L', 'O' };
	struct frag *f = start(4);
	for (unsigned inner = 0; inner < 4; inner++)
		for (unsigned outer = 0; outer < 3; outer++) {
			/* IPv4 in IPv4: the inner packet is one of four 8-octet fragments */
			uint8_t frame[20 + 20 + 8] = { 0x45 };
			uint8_t *in = frame + 20;
			size_t n = inner < 3 ? 8 : 5;
			size_t from = outer == 0 ? 0 : outer == 1 ? 8 : 16;
			size_t len = outer < 2 ? 8 : 20 + n - 16;
			in[0] = 0x45;
			in[3] = (uint8_t)(20 + n);
			in[6] = inner < 3 ? 0x20 : 0;
			in[7] = (uint8_t)inner;
			in[9] = 6;
			in[12] = 1, in[16] = 2;
			memcpy(in + 20, segment + 8 * inner, n);
			/* and comes itself in three */
			memmove(frame + 20, in + from, len);
			frame[3] = (uint8_t)(20 + len);
			frame[5] = (uint8_t)(inner + 1);
			frame[6] = outer < 2 ? 0x20 : 0;
			frame[7] = (uint8_t)(from / 8);
			frame[9] = 4;
			struct packet pkt = { .data = frame,
					      .len = (uint32_t)(20 + len),
					      .wire_len = (uint32_t)(20 + len),
					      .link = PACKET_LINK_RAW };
			struct decode_fragment frag;
			struct bytes out;
			uint8_t protocol;
			enum decode_outcome r = decode_frame(&pkt, NULL, &frag);
			unsigned layers = 0;
			while (r == DECODE_FRAGMENT && frag_push(f, &frag, 0, &out, &protocol)) {
				r = decode_datagram(&pkt, out, protocol, frag.layers, NULL, &frag);
				layers++;
			}
			bool last = inner == 3 && outer == 2;
			CU_ASSERT_EQUAL(r, last ? DECODE_TCP : DECODE_FRAGMENT);
			CU_ASSERT_EQUAL(layers, last ? 2 : outer == 2 ? 1 : 0);
			if (!last)
				continue;
			CU_ASSERT(pkt.sport == 0x5209 && pkt.seq == 0x01020304);
			CU_ASSERT(pkt.payload_len == 9 && memcmp(pkt.payload, "HELO", 4) == 0);
			CU_ASSERT(pkt.src[0] == 1 && pkt.dst[0] == 2);
		}
	CU_ASSERT_EQUAL(count(STAT_FRAG_DONE), 5);
	frag_free(f);
}

TEST_MAIN("frag", TEST(any_order), TEST(h11_overlapping_fragments), TEST(malformed), TEST(keys),
	  TEST(age), TEST(h11_fragment_flood), TEST(h11_tiny_fragments))
