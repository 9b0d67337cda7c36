/*
 * Whatever is wrapped around a TCP segment, the same segment comes out; cut anywhere, what is missing is
 * told and nothing behind the cut is read; each bound has its outcome.
 */
#include "dataplane/decode.h"
#include "tests/frame.h"
#include "tests/test.h"

#include <stdio.h>

static struct packet packet_of(const uint8_t *p, size_t n, uint8_t link)
{
	return (struct packet){
		.data = p, .len = (uint32_t)n, .wire_len = (uint32_t)n, .link = link
	};
}

static enum decode_outcome run(const struct frame *f, uint8_t link, struct packet *pkt)
{
	struct decode_fragment frag;
	*pkt = packet_of(f->room + f->at, frame_size(f), link);
	return decode_frame(pkt, sum_octets, &frag);
}

/* Everything but payload length and checksum state. */
static bool is_segment(const struct frame_around *a, const struct packet *pkt)
{
	size_t n = a->version == 4 ? 4 : 16;
	const uint8_t *address = a->version == 4 ? frame_address4 : frame_address6;
	bool ok = pkt->ip_version == a->version && memcmp(pkt->src, address, n) == 0 &&
		  memcmp(pkt->dst, address + n, n) == 0 && pkt->sport == 0x5209 &&
		  pkt->dport == 25 && pkt->seq == 0x01020304 && pkt->ack == 0x05060708 &&
		  pkt->tcp_flags == TCP_ACK && pkt->window == 0x1020 && pkt->mss == 0 &&
		  pkt->window_shift == 255 && pkt->n_vlan == a->n_vlan;
	for (unsigned i = 0; i < pkt->n_vlan; i++)
		ok = ok && pkt->vlan[i] == 7 + i;
	for (size_t i = 0; i < pkt->payload_len; i++)
		ok = ok && pkt->payload[i] == (uint8_t)(i * 7 + 1);
	return ok;
}

static void whole(void)
{
	for (unsigned i = 0; i < FRAME_AROUNDS; i++) {
		struct frame f;
		struct packet pkt;
		frame_arounds[i].make(&f);
		enum decode_outcome r = run(&f, frame_arounds[i].link, &pkt);
		bool ok = r == DECODE_TCP && is_segment(&frame_arounds[i], &pkt) &&
			  pkt.payload_len == FRAME_PAYLOAD && pkt.payload_cut == 0 &&
			  pkt.csum == PACKET_CSUM_RIGHT;
		if (!ok)
			printf("%s: outcome %d csum %d\n", frame_arounds[i].name, r, pkt.csum);
		CU_ASSERT(ok);
	}
}

/* every part of a frame from its start, against a page without access */
static void cut_everywhere(void)
{
	for (unsigned i = 0; i < FRAME_AROUNDS; i++) {
		struct frame f;
		frame_arounds[i].make(&f);
		size_t n = frame_size(&f);
		for (size_t k = 0; k < n; k++) {
			uint8_t *p = test_guard(f.room + f.at, k);
			struct packet pkt = packet_of(p, k, frame_arounds[i].link);
			struct decode_fragment frag;
			pkt.wire_len = (uint32_t)n;
			enum decode_outcome r = decode_frame(&pkt, sum_octets, &frag);
			bool ok;
			if (k < n - FRAME_PAYLOAD)
				ok = r == DECODE_SHORT ||
				     (frame_arounds[i].guess && r == DECODE_OTHER_LINK);
			else
				ok = r == DECODE_TCP && is_segment(&frame_arounds[i], &pkt) &&
				     pkt.payload_len == k - (n - FRAME_PAYLOAD) &&
				     pkt.payload_cut == n - k && pkt.csum == PACKET_CSUM_UNKNOWN;
			if (!ok)
				printf("%s cut at %zu: outcome %d\n", frame_arounds[i].name, k, r);
			CU_ASSERT(ok);
			/* the same when the capture says that was all of it */
			pkt = packet_of(p, k, frame_arounds[i].link);
			r = decode_frame(&pkt, sum_octets, &frag);
			CU_ASSERT(r != DECODE_TCP || pkt.csum == PACKET_CSUM_UNKNOWN);
			test_guard_free(p, k);
		}
	}
}

/* no single bit of a segment can change without its checksum telling */
static void h11_checksum_wrong(void)
{
	for (unsigned i = 0; i < FRAME_AROUNDS; i++) {
		struct frame f;
		frame_arounds[i].make(&f);
		for (size_t at = f.tcp; at < FRAME_ROOM; at++)
			for (unsigned bit = 0; bit < 8; bit++) {
				struct packet pkt;
				f.room[at] ^= (uint8_t)(1 << bit);
				enum decode_outcome r = run(&f, frame_arounds[i].link, &pkt);
				CU_ASSERT(r == DECODE_BAD_TCP ||
					  (r == DECODE_TCP && pkt.csum == PACKET_CSUM_WRONG));
				f.room[at] ^= (uint8_t)(1 << bit);
			}
	}
	/* the IPv4 header: the same, or it is none any more */
	struct frame f;
	frame_ip4_in_4(&f);
	for (size_t at = f.at + 14; at < f.tcp; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct packet pkt;
			f.room[at] ^= (uint8_t)(1 << bit);
			enum decode_outcome r = run(&f, PACKET_LINK_ETHERNET, &pkt);
			CU_ASSERT(r != DECODE_TCP || pkt.csum == PACKET_CSUM_WRONG);
			f.room[at] ^= (uint8_t)(1 << bit);
		}
}

static void checksums_not_wanted(void)
{
	struct frame f;
	struct packet pkt;
	struct decode_fragment frag;
	frame_plain4(&f);
	f.room[FRAME_ROOM - 1] ^= 1;
	pkt = packet_of(f.room + f.at, frame_size(&f), PACKET_LINK_ETHERNET);
	CU_ASSERT(decode_frame(&pkt, NULL, &frag) == DECODE_TCP && pkt.csum == PACKET_CSUM_RIGHT);
	/* the port's word counts for the outside only */
	pkt.csum_hw = 1;
	CU_ASSERT(decode_frame(&pkt, sum_octets, &frag) == DECODE_TCP &&
		  pkt.csum == PACKET_CSUM_RIGHT);
	CU_ASSERT_EQUAL(pkt.csum_hw, 1);
	frame_vxlan(&f);
	f.room[FRAME_ROOM - 1] ^= 1;
	pkt = packet_of(f.room + f.at, frame_size(&f), PACKET_LINK_ETHERNET);
	pkt.csum_hw = 1;
	CU_ASSERT(decode_frame(&pkt, sum_octets, &frag) == DECODE_TCP &&
		  pkt.csum == PACKET_CSUM_WRONG);
}

/* what Ethernet adds behind short datagrams is no payload; total length 0 is a segment not yet cut up */
static void lengths(void)
{
	struct frame f = { 0 };
	struct packet pkt;
	uint8_t long_frame[512] = { 0 };
	struct decode_fragment frag;
	for (int v = 4; v <= 6; v += 2) {
		(v == 4 ? frame_plain4 : frame_plain6)(&f);
		memset(long_frame, 0xee, sizeof long_frame);
		memcpy(long_frame, f.room + f.at, frame_size(&f));
		pkt = packet_of(long_frame, frame_size(&f) + 9, PACKET_LINK_ETHERNET);
		CU_ASSERT_EQUAL(decode_frame(&pkt, sum_octets, &frag), DECODE_TCP);
		CU_ASSERT_EQUAL(pkt.payload_len, FRAME_PAYLOAD);
		CU_ASSERT_EQUAL(pkt.payload_cut, 0);
		CU_ASSERT_EQUAL(pkt.csum, PACKET_CSUM_RIGHT);

		frame_set16(f.room + f.at + 14 + (v == 4 ? 2 : 4), 0);
		pkt = packet_of(f.room + f.at, frame_size(&f), PACKET_LINK_ETHERNET);
		CU_ASSERT_EQUAL(decode_frame(&pkt, NULL, &frag), DECODE_TCP);
		CU_ASSERT_EQUAL(pkt.payload_len, FRAME_PAYLOAD);
	}
	/* longer than the frame was: cut */
	frame_plain4(&f);
	frame_set16(f.room + f.at + 14 + 2, 1500);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_TCP);
	CU_ASSERT_EQUAL(pkt.payload_len, FRAME_PAYLOAD);
	CU_ASSERT_EQUAL(pkt.payload_cut, 1500 - 40 - FRAME_PAYLOAD);

	static const struct {
		size_t at; /* behind Ethernet, in IPv4 */
		uint8_t to;
		enum decode_outcome want;
	} bad[] = {
		{ 0, 0x44, DECODE_BAD_IP }, { 0, 0x55, DECODE_BAD_IP },
		{ 0, 0x65, DECODE_BAD_IP }, { 3, 19, DECODE_BAD_IP },
		{ 3, 39, DECODE_BAD_TCP },  { 32, 0x40, DECODE_BAD_TCP },
		{ 9, 17, DECODE_NOT_TCP },  { 9, 1, DECODE_NOT_TCP },
		{ 9, 255, DECODE_NOT_TCP },
	};
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		frame_plain4(&f);
		f.room[f.at + 14 + bad[i].at] = bad[i].to;
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), bad[i].want);
	}
	frame_segment4(&f);
	f.room[f.at] = 0x75;
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_RAW, &pkt), DECODE_BAD_IP);
	frame_segment4(&f);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_OTHER, &pkt), DECODE_OTHER_LINK);
	frame_ethernet(&f, 0x0806);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_OTHER_LINK);
	/* a TCP header that goes over its datagram */
	frame_plain4(&f);
	f.room[f.tcp + 12] = 0xf0;
	frame_set16(f.room + f.at + 14 + 2, 20 + 59);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_BAD_TCP);
}

static void h11_tunnels_20_deep(void)
{
	for (unsigned deep = 1; deep <= 20; deep++) {
		struct frame f;
		struct packet pkt;
		enum decode_outcome want = deep <= DECODE_NEST_MAX ? DECODE_TCP : DECODE_NESTED;
		frame_segment4(&f);
		for (unsigned i = 1; i < deep; i++)
			frame_ip4(&f, 4, NULL, 0);
		frame_ethernet(&f, 0x0800);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), want);

		frame_segment6(&f);
		for (unsigned i = 1; i < deep; i++)
			frame_tag(&f, i, i == 1 ? 0x86dd : 0x8100);
		frame_ethernet(&f, deep == 1 ? 0x86dd : 0x8100);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), want);

		frame_segment4(&f);
		for (unsigned i = 0; i < deep; i++)
			frame_label(&f, i == 0);
		frame_ethernet(&f, 0x8847);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), want);

		frame_segment4(&f); /* two layers each */
		for (unsigned i = 1; i < deep; i++) {
			frame_set16(frame_put(&f, NULL, 4) + 2, 0x0800);
			frame_ip4(&f, 47, NULL, 0);
		}
		frame_ethernet(&f, 0x0800);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt),
				2 * deep - 1 <= DECODE_NEST_MAX ? DECODE_TCP : DECODE_NESTED);
	}
}

static void h11_extension_chain_100(void)
{
	for (unsigned n = 0; n <= 100; n++) {
		struct frame f;
		struct packet pkt;
		frame_tcp(&f, frame_address6, 32, TCP_ACK, NULL, 0);
		for (unsigned i = 0; i < n; i++)
			frame_put(&f, NULL, 8)[0] = i ? 60 : 6;
		frame_ip6(&f, n ? 60 : 6);
		frame_ethernet(&f, 0x86dd);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt),
				n <= DECODE_EXTENSIONS_MAX ? DECODE_TCP : DECODE_NESTED);
	}
	/* one that goes over its datagram, and ends that are no TCP */
	static const uint8_t ends[] = { 50, 59, 17, 58 };
	struct frame f;
	struct packet pkt;
	for (unsigned i = 0; i < sizeof ends; i++) {
		frame_tcp(&f, frame_address6, 32, TCP_ACK, NULL, 0);
		frame_put(&f, NULL, 8)[0] = ends[i];
		frame_ip6(&f, 60);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_RAW, &pkt), DECODE_NOT_TCP);
	}
	frame_tcp(&f, frame_address6, 32, TCP_ACK, NULL, 0);
	frame_put(&f, NULL, 8)[1] = 200;
	frame_ip6(&f, 60);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_RAW, &pkt), DECODE_BAD_IP);
}

/* RFC 2675: length 0 in the header, 32 bits in the hop-by-hop options */
static void h11_jumbogram(void)
{
	static uint8_t big[40 + 8 + 20 + 70000];
	memset(big, 0, sizeof big);
	static const uint8_t head[] = { 6, 0, 0xc2, 4 };
	uint32_t len = sizeof big - 40;
	big[0] = 0x60;
	memcpy(big + 8, frame_address6, 32);
	memcpy(big + 40, head, sizeof head);
	frame_set16(big + 44, len >> 16);
	frame_set16(big + 46, len & 0xffff);
	big[48 + 12] = 0x50;
	struct packet pkt = packet_of(big, sizeof big, PACKET_LINK_RAW);
	struct decode_fragment frag;
	CU_ASSERT_EQUAL(decode_frame(&pkt, NULL, &frag), DECODE_TCP);
	CU_ASSERT_EQUAL(pkt.payload_len, 70000);
	CU_ASSERT_EQUAL(pkt.payload_cut, 0);
	big[5] = 9; /* both lengths */
	CU_ASSERT_EQUAL(decode_frame(&pkt, NULL, &frag), DECODE_BAD_IP);
	big[5] = 0;
	frame_set16(big + 44, 0); /* too short for a jumbogram */
	CU_ASSERT_EQUAL(decode_frame(&pkt, NULL, &frag), DECODE_BAD_IP);
	frame_set16(big + 44, 0xffff); /* 4 GB: over the frame */
	CU_ASSERT_EQUAL(decode_frame(&pkt, NULL, &frag), DECODE_BAD_IP);
}

/* fragments are told with all that their reassembly needs, at each depth */
static void fragments(void)
{
	struct frame f;
	struct packet pkt;
	struct decode_fragment frag;
	frame_tcp(&f, frame_address4, 8, TCP_ACK, NULL, 0);
	uint8_t *p = frame_ip4(&f, 6, NULL, 0);
	frame_set16(p + 6, 0x2000 | 5);
	frame_set16(p + 10, 0);
	frame_set16(p + 10, frame_sum(p, 20, 0));
	frame_ip4(&f, 4, NULL, 0);
	frame_ethernet(&f, 0x0800);
	pkt = packet_of(f.room + f.at, frame_size(&f), PACKET_LINK_ETHERNET);
	CU_ASSERT_EQUAL_FATAL(decode_frame(&pkt, sum_octets, &frag), DECODE_FRAGMENT);
	CU_ASSERT(frag.ip_version == 4 && frag.protocol == 6 && frag.id == 0x1234);
	CU_ASSERT(frag.offset == 40 && frag.more && !frag.cut && !frag.csum_wrong);
	CU_ASSERT(frag.data.p == f.room + f.tcp && frag.data.n == FRAME_ROOM - f.tcp);
	CU_ASSERT(frag.layers == 2 && memcmp(frag.src, frame_address4, 4) == 0);
	CU_ASSERT(pkt.src == frag.src && pkt.dst == frag.dst);
	/* cut, and with a wrong header */
	pkt.len--;
	CU_ASSERT(decode_frame(&pkt, sum_octets, &frag) == DECODE_FRAGMENT && frag.cut);
	pkt.len++;
	p[8] ^= 1;
	CU_ASSERT(decode_frame(&pkt, sum_octets, &frag) == DECODE_FRAGMENT && frag.csum_wrong);
	CU_ASSERT(decode_frame(&pkt, NULL, &frag) == DECODE_FRAGMENT && !frag.csum_wrong);

	/* what it was made of goes through decode_datagram, with the addresses of the last frame */
	p[8] ^= 1;
	CU_ASSERT_EQUAL(decode_frame(&pkt, sum_octets, &frag), DECODE_FRAGMENT);
	struct bytes data = frag.data;
	CU_ASSERT_EQUAL(decode_datagram(&pkt, data, 6, frag.layers, sum_octets, &frag), DECODE_TCP);
	CU_ASSERT(pkt.csum == PACKET_CSUM_RIGHT && pkt.payload_len == FRAME_PAYLOAD);
	f.room[FRAME_ROOM - 1] ^= 1;
	CU_ASSERT_EQUAL(decode_datagram(&pkt, data, 6, 2, sum_octets, &frag), DECODE_TCP);
	CU_ASSERT_EQUAL(pkt.csum, PACKET_CSUM_WRONG);
	CU_ASSERT_EQUAL(decode_datagram(&pkt, data, 17, 2, sum_octets, &frag), DECODE_NOT_TCP);
	CU_ASSERT_EQUAL(decode_datagram(&pkt, data, 4, DECODE_NEST_MAX, sum_octets, &frag),
			DECODE_NESTED);

	frame_segment6(&f);
	p = frame_put(&f, NULL, 8);
	p[0] = 41;
	frame_set16(p + 2, 1234 * 8 | 1);
	p[5] = 7;
	frame_ip6(&f, 44);
	pkt = packet_of(f.room + f.at, frame_size(&f), PACKET_LINK_RAW);
	CU_ASSERT_EQUAL_FATAL(decode_frame(&pkt, sum_octets, &frag), DECODE_FRAGMENT);
	CU_ASSERT(frag.ip_version == 6 && frag.protocol == 41 && frag.id == 7 << 16);
	CU_ASSERT(frag.offset == 1234 * 8 && frag.more && frag.layers == 1);
	data = frag.data;
	CU_ASSERT_EQUAL(decode_datagram(&pkt, data, 41, frag.layers, sum_octets, &frag),
			DECODE_TCP);
	CU_ASSERT(pkt.csum == PACKET_CSUM_RIGHT && pkt.payload_len == FRAME_PAYLOAD);
}

/* ports and versions that only look like tunnels */
static void no_tunnels(void)
{
	struct frame f;
	struct packet pkt;
	frame_vxlan(&f);
	f.room[f.at + 14 + 20 + 8] = 0;
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	frame_vxlan(&f);
	frame_set16(f.room + f.at + 14 + 20 + 4, 7);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	frame_geneve(&f);
	f.room[f.at + 14 + 20 + 8] = 0x40;
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	frame_segment4(&f);
	frame_gre(&f, 0x0001, 0x0800);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	frame_segment4(&f);
	frame_gre(&f, 0x4000, 0x0800);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	frame_erspan2(&f);
	f.room[f.at + 14 + 20 + 8] = 0x20;
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	frame_pppoe4(&f);
	f.room[f.at + 14 + 1] = 9;
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_OTHER_LINK);
}

TEST_MAIN("decode", TEST(whole), TEST(cut_everywhere), TEST(h11_checksum_wrong),
	  TEST(checksums_not_wanted), TEST(lengths), TEST(h11_tunnels_20_deep),
	  TEST(h11_extension_chain_100), TEST(h11_jumbogram), TEST(fragments), TEST(no_tunnels))
