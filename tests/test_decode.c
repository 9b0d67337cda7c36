/*
 * Whatever is wrapped around a TCP segment, the same segment comes out; cut anywhere, what is missing is
 * told and nothing behind the cut is read; each bound has its outcome.
 */
#include "dataplane/decode.h"
#include "dataplane/sum.h"
#include "tests/test.h"

#include <stdio.h>

/* ---- frames, made from the inside out ---- */

enum { ROOM = 8192, PAYLOAD = 61 };

struct frame {
	uint8_t room[ROOM];
	size_t at; /* the frame is room[at..ROOM) */
	size_t tcp; /* where in room the TCP header starts */
};

static uint8_t *put(struct frame *f, const void *p, size_t n)
{
	f->at -= n;
	if (p)
		memcpy(f->room + f->at, p, n);
	else
		memset(f->room + f->at, 0, n);
	return f->room + f->at;
}

static size_t size_of(const struct frame *f)
{
	return ROOM - f->at;
}

static void set16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* the checksum as RFC 1071 says it, two octets at a time */
static uint16_t plain_sum(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static const uint8_t address4[8] = { 192, 0, 2, 10, 198, 51, 100, 25 };
static const uint8_t address6[32] = { 0x20, 1,    0x0d, 0xb8, [15] = 1, [16] = 0x20,
				      1,    0x0d, 0xb8, 9,    [31] = 2 };

/* flags with options of 4 n octets, and PAYLOAD octets */
static void tcp(struct frame *f, const uint8_t *address, size_t address_len, uint8_t flags,
		const uint8_t *option, size_t option_len)
{
	f->at = ROOM;
	uint8_t *payload = put(f, NULL, PAYLOAD);
	for (size_t i = 0; i < PAYLOAD; i++)
		payload[i] = (uint8_t)(i * 7 + 1);
	put(f, option, option_len);
	static const uint8_t header[20] = { 0x52, 0x09, 0, 25, 1, 2, 3,    4,
					    5,    6,    7, 8,  0, 0, 0x10, 0x20 };
	uint8_t *p = put(f, header, sizeof header);
	p[12] = (uint8_t)((20 + option_len) / 4 << 4);
	p[13] = flags;
	uint32_t pseudo = 6 + (uint32_t)size_of(f);
	for (size_t i = 0; i < address_len; i += 2)
		pseudo += (uint32_t)address[i] << 8 | address[i + 1];
	set16(p + 16, plain_sum(p, size_of(f), pseudo));
	f->tcp = f->at;
}

static uint8_t *ip4(struct frame *f, uint8_t protocol, const uint8_t *option, size_t option_len)
{
	put(f, option, option_len);
	uint8_t *p = put(f, NULL, 20);
	p[0] = (uint8_t)(0x40 | (20 + option_len) / 4);
	set16(p + 2, size_of(f));
	set16(p + 4, 0x1234);
	p[8] = 64;
	p[9] = protocol;
	memcpy(p + 12, address4, 8);
	set16(p + 10, plain_sum(p, 20 + option_len, 0));
	return p;
}

static uint8_t *ip6(struct frame *f, uint8_t next)
{
	size_t len = size_of(f);
	uint8_t *p = put(f, NULL, 40);
	p[0] = 0x60;
	set16(p + 4, len);
	p[6] = next;
	p[7] = 64;
	memcpy(p + 8, address6, 32);
	return p;
}

static void ethernet(struct frame *f, unsigned type)
{
	uint8_t *p = put(f, NULL, 14);
	memset(p, 0x02, 12);
	set16(p + 12, type);
}

static void tag(struct frame *f, unsigned control, unsigned type)
{
	uint8_t *p = put(f, NULL, 4);
	set16(p, control);
	set16(p + 2, type);
}

static void label(struct frame *f, bool bottom)
{
	static const uint8_t entry[4] = { 0x00, 0x06, 0x40, 0x40 };
	put(f, entry, 4)[2] |= bottom;
}

static void udp(struct frame *f, unsigned port)
{
	uint8_t *p = put(f, NULL, 8);
	set16(p, 50000);
	set16(p + 2, port);
	set16(p + 4, size_of(f));
}

static void segment4(struct frame *f)
{
	tcp(f, address4, 8, TCP_ACK, NULL, 0);
	ip4(f, 6, NULL, 0);
}

static void segment6(struct frame *f)
{
	tcp(f, address6, 32, TCP_ACK, NULL, 0);
	ip6(f, 6);
}

static struct packet packet_of(const uint8_t *p, size_t n, uint8_t link)
{
	return (struct packet){
		.data = p, .len = (uint32_t)n, .wire_len = (uint32_t)n, .link = link
	};
}

static enum decode_outcome run(const struct frame *f, uint8_t link, struct packet *pkt)
{
	struct decode_fragment frag;
	*pkt = packet_of(f->room + f->at, size_of(f), link);
	return decode_frame(pkt, true, &frag);
}

/* ---- what may be around a segment ---- */

static void plain4(struct frame *f)
{
	segment4(f);
	ethernet(f, 0x0800);
}

static void plain6(struct frame *f)
{
	segment6(f);
	ethernet(f, 0x86dd);
}

static void options4(struct frame *f)
{
	static const uint8_t option[8] = { 7, 7, 4, 0, 0, 0, 0, 0 };
	tcp(f, address4, 8, TCP_ACK, NULL, 0);
	ip4(f, 6, option, sizeof option);
	ethernet(f, 0x0800);
}

static void vlan(struct frame *f)
{
	segment4(f);
	tag(f, 0x6007, 0x0800);
	ethernet(f, 0x8100);
}

static void qinq(struct frame *f)
{
	segment6(f);
	tag(f, 0x0008, 0x86dd);
	tag(f, 0x0007, 0x8100);
	ethernet(f, 0x88a8);
}

static void qinq_old(struct frame *f)
{
	segment4(f);
	tag(f, 0x0009, 0x0800);
	tag(f, 0x0008, 0x8100);
	tag(f, 0x0007, 0x9100);
	ethernet(f, 0x9100);
}

static void snap(struct frame *f)
{
	static const uint8_t header[8] = { 0xaa, 0xaa, 3, 0, 0, 0, 8, 0 };
	segment4(f);
	put(f, header, sizeof header);
	ethernet(f, (unsigned)size_of(f));
}

static void mpls4(struct frame *f)
{
	segment4(f);
	label(f, true);
	label(f, false);
	ethernet(f, 0x8847);
}

static void mpls6(struct frame *f)
{
	segment6(f);
	label(f, true);
	ethernet(f, 0x8848);
}

static void mpls_wire(struct frame *f)
{
	plain4(f);
	put(f, NULL, 4);
	label(f, true);
	ethernet(f, 0x8847);
}

static void mpls_wire_bare(struct frame *f)
{
	plain6(f);
	label(f, true);
	ethernet(f, 0x8847);
}

static void ppp_in(struct frame *f, unsigned protocol)
{
	set16(put(f, NULL, 2), protocol);
}

static void pppoe_header(struct frame *f)
{
	size_t len = size_of(f);
	uint8_t *p = put(f, NULL, 6);
	p[0] = 0x11;
	p[3] = 9;
	set16(p + 4, len);
}

static void pppoe4(struct frame *f)
{
	segment4(f);
	ppp_in(f, 0x21);
	pppoe_header(f);
	ethernet(f, 0x8864);
}

static void pppoe6(struct frame *f)
{
	segment6(f);
	ppp_in(f, 0x57);
	pppoe_header(f);
	tag(f, 7, 0x8864);
	ethernet(f, 0x8100);
}

static void pppoe_bare(struct frame *f)
{
	segment4(f);
	ppp_in(f, 0x21);
	pppoe_header(f);
}

static void ppp_hdlc(struct frame *f)
{
	segment4(f);
	ppp_in(f, 0x21);
	ppp_in(f, 0xff03);
}

static void ppp_brief(struct frame *f)
{
	segment6(f);
	put(f, "\x57", 1);
}

static void cisco_hdlc(struct frame *f)
{
	segment6(f);
	set16(put(f, NULL, 2), 0x86dd);
	put(f, "\x0f\x00", 2);
}

static void null_here(struct frame *f)
{
	segment4(f);
	put(f, "\x02\0\0\0", 4);
}

static void null_there(struct frame *f)
{
	segment6(f);
	put(f, "\0\0\0\x1e", 4);
}

static void cooked(struct frame *f)
{
	segment4(f);
	set16(put(f, NULL, 16) + 14, 0x0800);
}

static void cooked_vlan(struct frame *f)
{
	segment4(f);
	tag(f, 7, 0x0800);
	set16(put(f, NULL, 16) + 14, 0x8100);
}

static void cooked2(struct frame *f)
{
	segment6(f);
	set16(put(f, NULL, 20), 0x86dd);
}

static void ip4_in_4(struct frame *f)
{
	segment4(f);
	ip4(f, 4, NULL, 0);
	ethernet(f, 0x0800);
}

static void ip6_in_4(struct frame *f)
{
	segment6(f);
	ip4(f, 41, NULL, 0);
	ethernet(f, 0x0800);
}

static void ip4_in_6(struct frame *f)
{
	segment4(f);
	ip6(f, 4);
	ethernet(f, 0x86dd);
}

static void ip6_in_6(struct frame *f)
{
	segment6(f);
	ip6(f, 41);
	ethernet(f, 0x86dd);
}

static void mpls_in_ip(struct frame *f)
{
	segment4(f);
	label(f, true);
	ip4(f, 137, NULL, 0);
	ethernet(f, 0x0800);
}

/* flags: C 0x8000, K 0x2000, S 0x1000 */
static void gre(struct frame *f, unsigned flags, unsigned type)
{
	for (unsigned bit = 0x1000; bit <= 0x8000; bit <<= 1)
		if (flags & bit)
			put(f, NULL, 4)[3] = 1;
	uint8_t *p = put(f, NULL, 4);
	set16(p, flags);
	set16(p + 2, type);
	ip4(f, 47, NULL, 0);
	ethernet(f, 0x0800);
}

static void gre_bare(struct frame *f)
{
	segment4(f);
	gre(f, 0, 0x0800);
}

static void gre_all(struct frame *f)
{
	segment6(f);
	gre(f, 0xb000, 0x86dd);
}

static void gre_bridged(struct frame *f)
{
	vlan(f);
	gre(f, 0x2000, 0x6558);
}

static void gre_mpls(struct frame *f)
{
	segment4(f);
	label(f, true);
	gre(f, 0, 0x8847);
}

static void erspan1(struct frame *f)
{
	plain4(f);
	gre(f, 0, 0x88be);
}

static void erspan2(struct frame *f)
{
	vlan(f);
	put(f, NULL, 8)[0] = 0x10;
	gre(f, 0x1000, 0x88be);
}

static void vxlan(struct frame *f)
{
	plain4(f);
	put(f, NULL, 8)[0] = 0x08;
	udp(f, 4789);
	ip4(f, 17, NULL, 0);
	ethernet(f, 0x0800);
}

static void vxlan6(struct frame *f)
{
	plain6(f);
	put(f, NULL, 8)[0] = 0x08;
	udp(f, 4789);
	ip6(f, 17);
	ethernet(f, 0x86dd);
}

static void geneve(struct frame *f)
{
	plain4(f);
	put(f, NULL, 12);
	uint8_t *p = put(f, NULL, 8);
	p[0] = 3;
	set16(p + 2, 0x6558);
	udp(f, 6081);
	ip4(f, 17, NULL, 0);
	ethernet(f, 0x0800);
}

static void geneve_ip(struct frame *f)
{
	segment6(f);
	set16(put(f, NULL, 8) + 2, 0x86dd);
	udp(f, 6081);
	ip6(f, 17);
	ethernet(f, 0x86dd);
}

static void authenticated4(struct frame *f)
{
	tcp(f, address4, 8, TCP_ACK, NULL, 0);
	uint8_t *p = put(f, NULL, 24);
	p[0] = 6;
	p[1] = 4;
	ip4(f, 51, NULL, 0);
	ethernet(f, 0x0800);
}

static void timestamps(struct frame *f)
{
	static const uint8_t option[12] = { 1, 1, 8, 10, 9, 9, 9, 9, 9, 9, 9, 9 };
	tcp(f, address4, 8, TCP_ACK, option, sizeof option);
	ip4(f, 6, NULL, 0);
	ethernet(f, 0x0800);
}

/* hop-by-hop, destination, routing with no segment left, AH, an atomic fragment */
static void extended6(struct frame *f)
{
	tcp(f, address6, 32, TCP_ACK, NULL, 0);
	uint8_t *p = put(f, NULL, 8);
	p[0] = 6;
	p[3] = 6; /* reserved bits */
	p = put(f, NULL, 24);
	p[0] = 44;
	p[1] = 4;
	p = put(f, NULL, 16);
	p[0] = 51;
	p[1] = 1;
	put(f, NULL, 8)[0] = 43;
	put(f, NULL, 8)[0] = 60;
	ip6(f, 0);
	ethernet(f, 0x86dd);
}

/* one segment is left: the destination of the segment stands in the routing header (RFC 8754) */
static void routed6(struct frame *f)
{
	tcp(f, address6, 32, TCP_ACK, NULL, 0);
	uint8_t *p = put(f, NULL, 24);
	p[0] = 6;
	p[1] = 2;
	p[2] = 4;
	p[3] = 1;
	memcpy(p + 8, address6 + 16, 16);
	ip6(f, 43)[39] = 0x77;
	ethernet(f, 0x86dd);
}

static const struct around {
	const char *name;
	void (*make)(struct frame *f);
	uint8_t link, version, n_vlan;
	bool guess; /* cut in its headers it may be taken for something unknown */
} arounds[] = {
	{ "IPv4", plain4, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "IPv6", plain6, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "IPv4 options", options4, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "TCP options", timestamps, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "VLAN", vlan, PACKET_LINK_ETHERNET, 4, 1, false },
	{ "QinQ", qinq, PACKET_LINK_ETHERNET, 6, 2, false },
	{ "QinQ of old, three deep", qinq_old, PACKET_LINK_ETHERNET, 4, 2, false },
	{ "LLC and SNAP", snap, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "MPLS, IPv4", mpls4, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "MPLS, IPv6", mpls6, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "MPLS, pseudo-wire", mpls_wire, PACKET_LINK_ETHERNET, 4, 0, true },
	{ "MPLS, pseudo-wire without control", mpls_wire_bare, PACKET_LINK_ETHERNET, 6, 0, true },
	{ "PPPoE, IPv4", pppoe4, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "PPPoE, IPv6 in a VLAN", pppoe6, PACKET_LINK_ETHERNET, 6, 1, false },
	{ "link PPPoE", pppoe_bare, PACKET_LINK_PPP, 4, 0, false },
	{ "link PPP, HDLC", ppp_hdlc, PACKET_LINK_PPP, 4, 0, false },
	{ "link PPP, short protocol", ppp_brief, PACKET_LINK_PPP, 6, 0, false },
	{ "link Cisco HDLC", cisco_hdlc, PACKET_LINK_PPP, 6, 0, false },
	{ "link NULL", null_here, PACKET_LINK_NULL, 4, 0, false },
	{ "link NULL, other order", null_there, PACKET_LINK_NULL, 6, 0, false },
	{ "link LOOP", null_there, PACKET_LINK_LOOP, 6, 0, false },
	{ "link RAW, IPv4", segment4, PACKET_LINK_RAW, 4, 0, false },
	{ "link RAW, IPv6", segment6, PACKET_LINK_RAW, 6, 0, false },
	{ "link SLL", cooked, PACKET_LINK_SLL, 4, 0, false },
	{ "link SLL, VLAN", cooked_vlan, PACKET_LINK_SLL, 4, 1, false },
	{ "link SLL2", cooked2, PACKET_LINK_SLL2, 6, 0, false },
	{ "IPv4 in IPv4", ip4_in_4, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "IPv6 in IPv4", ip6_in_4, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "IPv4 in IPv6", ip4_in_6, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "IPv6 in IPv6", ip6_in_6, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "MPLS in IPv4", mpls_in_ip, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "GRE", gre_bare, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "GRE, checksum, key, sequence", gre_all, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "GRE, bridged, key", gre_bridged, PACKET_LINK_ETHERNET, 4, 1, false },
	{ "GRE, MPLS", gre_mpls, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "ERSPAN I", erspan1, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "ERSPAN II", erspan2, PACKET_LINK_ETHERNET, 4, 1, false },
	{ "VXLAN", vxlan, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "VXLAN over IPv6", vxlan6, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "GENEVE, options", geneve, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "GENEVE, IPv6", geneve_ip, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "AH in IPv4", authenticated4, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "IPv6 extensions", extended6, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "IPv6 segment routing", routed6, PACKET_LINK_ETHERNET, 6, 0, false },
};

enum { N_AROUNDS = sizeof arounds / sizeof arounds[0] };

/* Everything but payload length and checksum state. */
static bool is_segment(const struct around *a, const struct packet *pkt)
{
	size_t n = a->version == 4 ? 4 : 16;
	const uint8_t *address = a->version == 4 ? address4 : address6;
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
	for (unsigned i = 0; i < N_AROUNDS; i++) {
		struct frame f;
		struct packet pkt;
		arounds[i].make(&f);
		enum decode_outcome r = run(&f, arounds[i].link, &pkt);
		bool ok = r == DECODE_TCP && is_segment(&arounds[i], &pkt) &&
			  pkt.payload_len == PAYLOAD && pkt.payload_cut == 0 &&
			  pkt.csum == PACKET_CSUM_RIGHT;
		if (!ok)
			printf("%s: outcome %d csum %d\n", arounds[i].name, r, pkt.csum);
		CU_ASSERT(ok);
	}
}

/* every part of a frame from its start, against a page without access */
static void cut_everywhere(void)
{
	for (unsigned i = 0; i < N_AROUNDS; i++) {
		struct frame f;
		arounds[i].make(&f);
		size_t n = size_of(&f);
		for (size_t k = 0; k < n; k++) {
			uint8_t *p = test_guard(f.room + f.at, k);
			struct packet pkt = packet_of(p, k, arounds[i].link);
			struct decode_fragment frag;
			pkt.wire_len = (uint32_t)n;
			enum decode_outcome r = decode_frame(&pkt, true, &frag);
			bool ok;
			if (k < n - PAYLOAD)
				ok = r == DECODE_SHORT ||
				     (arounds[i].guess && r == DECODE_OTHER_LINK);
			else
				ok = r == DECODE_TCP && is_segment(&arounds[i], &pkt) &&
				     pkt.payload_len == k - (n - PAYLOAD) &&
				     pkt.payload_cut == n - k && pkt.csum == PACKET_CSUM_UNKNOWN;
			if (!ok)
				printf("%s cut at %zu: outcome %d\n", arounds[i].name, k, r);
			CU_ASSERT(ok);
			/* the same when the capture says that was all of it */
			pkt = packet_of(p, k, arounds[i].link);
			r = decode_frame(&pkt, true, &frag);
			CU_ASSERT(r != DECODE_TCP || pkt.csum == PACKET_CSUM_UNKNOWN);
			test_guard_free(p, k);
		}
	}
}

/* no single bit of a segment can change without its checksum telling */
static void h11_checksum_wrong(void)
{
	for (unsigned i = 0; i < N_AROUNDS; i++) {
		struct frame f;
		arounds[i].make(&f);
		for (size_t at = f.tcp; at < ROOM; at++)
			for (unsigned bit = 0; bit < 8; bit++) {
				struct packet pkt;
				f.room[at] ^= (uint8_t)(1 << bit);
				enum decode_outcome r = run(&f, arounds[i].link, &pkt);
				CU_ASSERT(r == DECODE_BAD_TCP ||
					  (r == DECODE_TCP && pkt.csum == PACKET_CSUM_WRONG));
				f.room[at] ^= (uint8_t)(1 << bit);
			}
	}
	/* the IPv4 header: the same, or it is none any more */
	struct frame f;
	ip4_in_4(&f);
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
	plain4(&f);
	f.room[ROOM - 1] ^= 1;
	pkt = packet_of(f.room + f.at, size_of(&f), PACKET_LINK_ETHERNET);
	CU_ASSERT(decode_frame(&pkt, false, &frag) == DECODE_TCP && pkt.csum == PACKET_CSUM_RIGHT);
	/* the port's word counts for the outside only */
	pkt.csum_hw = 1;
	CU_ASSERT(decode_frame(&pkt, true, &frag) == DECODE_TCP && pkt.csum == PACKET_CSUM_RIGHT);
	CU_ASSERT_EQUAL(pkt.csum_hw, 1);
	vxlan(&f);
	f.room[ROOM - 1] ^= 1;
	pkt = packet_of(f.room + f.at, size_of(&f), PACKET_LINK_ETHERNET);
	pkt.csum_hw = 1;
	CU_ASSERT(decode_frame(&pkt, true, &frag) == DECODE_TCP && pkt.csum == PACKET_CSUM_WRONG);
}

/* what Ethernet adds behind short datagrams is no payload; total length 0 is a segment not yet cut up */
static void lengths(void)
{
	struct frame f;
	struct packet pkt;
	uint8_t long_frame[512] = { 0 };
	struct decode_fragment frag;
	for (int v = 4; v <= 6; v += 2) {
		(v == 4 ? plain4 : plain6)(&f);
		memset(long_frame, 0xee, sizeof long_frame);
		memcpy(long_frame, f.room + f.at, size_of(&f));
		pkt = packet_of(long_frame, size_of(&f) + 9, PACKET_LINK_ETHERNET);
		CU_ASSERT_EQUAL(decode_frame(&pkt, true, &frag), DECODE_TCP);
		CU_ASSERT_EQUAL(pkt.payload_len, PAYLOAD);
		CU_ASSERT_EQUAL(pkt.payload_cut, 0);
		CU_ASSERT_EQUAL(pkt.csum, PACKET_CSUM_RIGHT);

		set16(f.room + f.at + 14 + (v == 4 ? 2 : 4), 0);
		pkt = packet_of(f.room + f.at, size_of(&f), PACKET_LINK_ETHERNET);
		CU_ASSERT_EQUAL(decode_frame(&pkt, false, &frag), DECODE_TCP);
		CU_ASSERT_EQUAL(pkt.payload_len, PAYLOAD);
	}
	/* longer than the frame was: cut */
	plain4(&f);
	set16(f.room + f.at + 14 + 2, 1500);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_TCP);
	CU_ASSERT_EQUAL(pkt.payload_len, PAYLOAD);
	CU_ASSERT_EQUAL(pkt.payload_cut, 1500 - 40 - PAYLOAD);

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
		plain4(&f);
		f.room[f.at + 14 + bad[i].at] = bad[i].to;
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), bad[i].want);
	}
	segment4(&f);
	f.room[f.at] = 0x75;
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_RAW, &pkt), DECODE_BAD_IP);
	segment4(&f);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_OTHER, &pkt), DECODE_OTHER_LINK);
	ethernet(&f, 0x0806);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_OTHER_LINK);
	/* a TCP header that goes over its datagram */
	plain4(&f);
	f.room[f.tcp + 12] = 0xf0;
	set16(f.room + f.at + 14 + 2, 20 + 59);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_BAD_TCP);
}

static void h11_tunnels_20_deep(void)
{
	for (unsigned deep = 1; deep <= 20; deep++) {
		struct frame f;
		struct packet pkt;
		enum decode_outcome want = deep <= DECODE_NEST_MAX ? DECODE_TCP : DECODE_NESTED;
		segment4(&f);
		for (unsigned i = 1; i < deep; i++)
			ip4(&f, 4, NULL, 0);
		ethernet(&f, 0x0800);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), want);

		segment6(&f);
		for (unsigned i = 1; i < deep; i++)
			tag(&f, i, i == 1 ? 0x86dd : 0x8100);
		ethernet(&f, deep == 1 ? 0x86dd : 0x8100);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), want);

		segment4(&f);
		for (unsigned i = 0; i < deep; i++)
			label(&f, i == 0);
		ethernet(&f, 0x8847);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), want);

		segment4(&f); /* two layers each */
		for (unsigned i = 1; i < deep; i++) {
			set16(put(&f, NULL, 4) + 2, 0x0800);
			ip4(&f, 47, NULL, 0);
		}
		ethernet(&f, 0x0800);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt),
				2 * deep - 1 <= DECODE_NEST_MAX ? DECODE_TCP : DECODE_NESTED);
	}
}

static void h11_extension_chain_100(void)
{
	for (unsigned n = 0; n <= 100; n++) {
		struct frame f;
		struct packet pkt;
		tcp(&f, address6, 32, TCP_ACK, NULL, 0);
		for (unsigned i = 0; i < n; i++)
			put(&f, NULL, 8)[0] = i ? 60 : 6;
		ip6(&f, n ? 60 : 6);
		ethernet(&f, 0x86dd);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt),
				n <= DECODE_EXTENSIONS_MAX ? DECODE_TCP : DECODE_NESTED);
	}
	/* one that goes over its datagram, and ends that are no TCP */
	static const uint8_t ends[] = { 50, 59, 17, 58 };
	struct frame f;
	struct packet pkt;
	for (unsigned i = 0; i < sizeof ends; i++) {
		tcp(&f, address6, 32, TCP_ACK, NULL, 0);
		put(&f, NULL, 8)[0] = ends[i];
		ip6(&f, 60);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_RAW, &pkt), DECODE_NOT_TCP);
	}
	tcp(&f, address6, 32, TCP_ACK, NULL, 0);
	put(&f, NULL, 8)[1] = 200;
	ip6(&f, 60);
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
	memcpy(big + 8, address6, 32);
	memcpy(big + 40, head, sizeof head);
	set16(big + 44, len >> 16);
	set16(big + 46, len & 0xffff);
	big[48 + 12] = 0x50;
	struct packet pkt = packet_of(big, sizeof big, PACKET_LINK_RAW);
	struct decode_fragment frag;
	CU_ASSERT_EQUAL(decode_frame(&pkt, false, &frag), DECODE_TCP);
	CU_ASSERT_EQUAL(pkt.payload_len, 70000);
	CU_ASSERT_EQUAL(pkt.payload_cut, 0);
	big[5] = 9; /* both lengths */
	CU_ASSERT_EQUAL(decode_frame(&pkt, false, &frag), DECODE_BAD_IP);
	big[5] = 0;
	set16(big + 44, 0); /* too short for a jumbogram */
	CU_ASSERT_EQUAL(decode_frame(&pkt, false, &frag), DECODE_BAD_IP);
	set16(big + 44, 0xffff); /* 4 GB: over the frame */
	CU_ASSERT_EQUAL(decode_frame(&pkt, false, &frag), DECODE_BAD_IP);
}

static void syn_options(void)
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
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct frame f;
		struct packet pkt;
		tcp(&f, address4, 8, cases[i].flags, cases[i].option, 12);
		ip4(&f, 6, NULL, 0);
		CU_ASSERT_EQUAL(run(&f, PACKET_LINK_RAW, &pkt), DECODE_TCP);
		CU_ASSERT_EQUAL(pkt.mss, cases[i].mss);
		CU_ASSERT_EQUAL(pkt.window_shift, cases[i].shift);
		CU_ASSERT_EQUAL(pkt.payload_len, PAYLOAD);
	}
}

/* fragments are told with all that their reassembly needs, at each depth */
static void fragments(void)
{
	struct frame f;
	struct packet pkt;
	struct decode_fragment frag;
	tcp(&f, address4, 8, TCP_ACK, NULL, 0);
	uint8_t *p = ip4(&f, 6, NULL, 0);
	set16(p + 6, 0x2000 | 5);
	set16(p + 10, 0);
	set16(p + 10, plain_sum(p, 20, 0));
	ip4(&f, 4, NULL, 0);
	ethernet(&f, 0x0800);
	pkt = packet_of(f.room + f.at, size_of(&f), PACKET_LINK_ETHERNET);
	CU_ASSERT_EQUAL_FATAL(decode_frame(&pkt, true, &frag), DECODE_FRAGMENT);
	CU_ASSERT(frag.ip_version == 4 && frag.protocol == 6 && frag.id == 0x1234);
	CU_ASSERT(frag.offset == 40 && frag.more && !frag.cut && !frag.csum_wrong);
	CU_ASSERT(frag.data.p == f.room + f.tcp && frag.data.n == ROOM - f.tcp);
	CU_ASSERT(frag.layers == 2 && memcmp(frag.src, address4, 4) == 0);
	CU_ASSERT(pkt.src == frag.src && pkt.dst == frag.dst);
	/* cut, and with a wrong header */
	pkt.len--;
	CU_ASSERT(decode_frame(&pkt, true, &frag) == DECODE_FRAGMENT && frag.cut);
	pkt.len++;
	p[8] ^= 1;
	CU_ASSERT(decode_frame(&pkt, true, &frag) == DECODE_FRAGMENT && frag.csum_wrong);
	CU_ASSERT(decode_frame(&pkt, false, &frag) == DECODE_FRAGMENT && !frag.csum_wrong);

	/* what it was made of goes through decode_datagram, with the addresses of the last frame */
	p[8] ^= 1;
	CU_ASSERT_EQUAL(decode_frame(&pkt, true, &frag), DECODE_FRAGMENT);
	struct bytes data = frag.data;
	CU_ASSERT_EQUAL(decode_datagram(&pkt, data, 6, frag.layers, true, &frag), DECODE_TCP);
	CU_ASSERT(pkt.csum == PACKET_CSUM_RIGHT && pkt.payload_len == PAYLOAD);
	f.room[ROOM - 1] ^= 1;
	CU_ASSERT_EQUAL(decode_datagram(&pkt, data, 6, 2, true, &frag), DECODE_TCP);
	CU_ASSERT_EQUAL(pkt.csum, PACKET_CSUM_WRONG);
	CU_ASSERT_EQUAL(decode_datagram(&pkt, data, 17, 2, true, &frag), DECODE_NOT_TCP);
	CU_ASSERT_EQUAL(decode_datagram(&pkt, data, 4, DECODE_NEST_MAX, true, &frag),
			DECODE_NESTED);

	segment6(&f);
	p = put(&f, NULL, 8);
	p[0] = 41;
	set16(p + 2, 1234 * 8 | 1);
	p[5] = 7;
	ip6(&f, 44);
	pkt = packet_of(f.room + f.at, size_of(&f), PACKET_LINK_RAW);
	CU_ASSERT_EQUAL_FATAL(decode_frame(&pkt, true, &frag), DECODE_FRAGMENT);
	CU_ASSERT(frag.ip_version == 6 && frag.protocol == 41 && frag.id == 7 << 16);
	CU_ASSERT(frag.offset == 1234 * 8 && frag.more && frag.layers == 1);
	data = frag.data;
	CU_ASSERT_EQUAL(decode_datagram(&pkt, data, 41, frag.layers, true, &frag), DECODE_TCP);
	CU_ASSERT(pkt.csum == PACKET_CSUM_RIGHT && pkt.payload_len == PAYLOAD);
}

/* ports and versions that only look like tunnels */
static void no_tunnels(void)
{
	struct frame f;
	struct packet pkt;
	vxlan(&f);
	f.room[f.at + 14 + 20 + 8] = 0;
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	vxlan(&f);
	set16(f.room + f.at + 14 + 20 + 4, 7);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	geneve(&f);
	f.room[f.at + 14 + 20 + 8] = 0x40;
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	segment4(&f);
	gre(&f, 0x0001, 0x0800);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	segment4(&f);
	gre(&f, 0x4000, 0x0800);
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	erspan2(&f);
	f.room[f.at + 14 + 20 + 8] = 0x20;
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_NOT_TCP);
	pppoe4(&f);
	f.room[f.at + 14 + 1] = 9;
	CU_ASSERT_EQUAL(run(&f, PACKET_LINK_ETHERNET, &pkt), DECODE_OTHER_LINK);
}

TEST_MAIN("decode", TEST(whole), TEST(cut_everywhere), TEST(h11_checksum_wrong),
	  TEST(checksums_not_wanted), TEST(lengths), TEST(h11_tunnels_20_deep),
	  TEST(h11_extension_chain_100), TEST(h11_jumbogram), TEST(syn_options), TEST(fragments),
	  TEST(no_tunnels))
