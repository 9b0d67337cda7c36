#include "tests/frame.h"

#include <string.h>

uint8_t *frame_put(struct frame *f, const void *p, size_t n)
{
	f->at -= n;
	if (p)
		memcpy(f->room + f->at, p, n);
	else
		memset(f->room + f->at, 0, n);
	return f->room + f->at;
}

size_t frame_size(const struct frame *f)
{
	return FRAME_ROOM - f->at;
}

void frame_set16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* the checksum as RFC 1071 says it, two octets at a time */
uint16_t frame_sum(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

const uint8_t frame_address4[8] = { 192, 0, 2, 10, 198, 51, 100, 25 };
const uint8_t frame_address6[32] = { 0x20, 1,    0x0d, 0xb8, [15] = 1, [16] = 0x20,
				     1,    0x0d, 0xb8, 9,    [31] = 2 };

/* flags with options of 4 n octets, and FRAME_PAYLOAD octets */
void frame_tcp(struct frame *f, const uint8_t *address, size_t address_len, uint8_t flags,
	       const uint8_t *option, size_t option_len)
{
	f->at = FRAME_ROOM;
	uint8_t *payload = frame_put(f, NULL, FRAME_PAYLOAD);
	for (size_t i = 0; i < FRAME_PAYLOAD; i++)
		payload[i] = (uint8_t)(i * 7 + 1);
	frame_put(f, option, option_len);
	static const uint8_t header[20] = { 0x52, 0x09, 0, 25, 1, 2, 3,    4,
					    5,    6,    7, 8,  0, 0, 0x10, 0x20 };
	uint8_t *p = frame_put(f, header, sizeof header);
	p[12] = (uint8_t)((20 + option_len) / 4 << 4);
	p[13] = flags;
	uint32_t pseudo = 6 + (uint32_t)frame_size(f);
	for (size_t i = 0; i < address_len; i += 2)
		pseudo += (uint32_t)address[i] << 8 | address[i + 1];
	frame_set16(p + 16, frame_sum(p, frame_size(f), pseudo));
	f->tcp = f->at;
}

uint8_t *frame_ip4(struct frame *f, uint8_t protocol, const uint8_t *option, size_t option_len)
{
	frame_put(f, option, option_len);
	uint8_t *p = frame_put(f, NULL, 20);
	p[0] = (uint8_t)(0x40 | (20 + option_len) / 4);
	frame_set16(p + 2, frame_size(f));
	frame_set16(p + 4, 0x1234);
	p[8] = 64;
	p[9] = protocol;
	memcpy(p + 12, frame_address4, 8);
	frame_set16(p + 10, frame_sum(p, 20 + option_len, 0));
	return p;
}

uint8_t *frame_ip6(struct frame *f, uint8_t next)
{
	size_t len = frame_size(f);
	uint8_t *p = frame_put(f, NULL, 40);
	p[0] = 0x60;
	frame_set16(p + 4, len);
	p[6] = next;
	p[7] = 64;
	memcpy(p + 8, frame_address6, 32);
	return p;
}

void frame_ethernet(struct frame *f, unsigned type)
{
	uint8_t *p = frame_put(f, NULL, 14);
	memset(p, 0x02, 12);
	frame_set16(p + 12, type);
}

void frame_tag(struct frame *f, unsigned control, unsigned type)
{
	uint8_t *p = frame_put(f, NULL, 4);
	frame_set16(p, control);
	frame_set16(p + 2, type);
}

void frame_label(struct frame *f, bool bottom)
{
	static const uint8_t entry[4] = { 0x00, 0x06, 0x40, 0x40 };
	frame_put(f, entry, 4)[2] |= bottom;
}

static void frame_udp(struct frame *f, unsigned port)
{
	uint8_t *p = frame_put(f, NULL, 8);
	frame_set16(p, 50000);
	frame_set16(p + 2, port);
	frame_set16(p + 4, frame_size(f));
}

void frame_segment4(struct frame *f)
{
	frame_tcp(f, frame_address4, 8, TCP_ACK, NULL, 0);
	frame_ip4(f, 6, NULL, 0);
}

void frame_segment6(struct frame *f)
{
	frame_tcp(f, frame_address6, 32, TCP_ACK, NULL, 0);
	frame_ip6(f, 6);
}

/* ---- what may be around a segment ---- */

void frame_plain4(struct frame *f)
{
	frame_segment4(f);
	frame_ethernet(f, 0x0800);
}

void frame_plain6(struct frame *f)
{
	frame_segment6(f);
	frame_ethernet(f, 0x86dd);
}

static void options4(struct frame *f)
{
	static const uint8_t option[8] = { 7, 7, 4, 0, 0, 0, 0, 0 };
	frame_tcp(f, frame_address4, 8, TCP_ACK, NULL, 0);
	frame_ip4(f, 6, option, sizeof option);
	frame_ethernet(f, 0x0800);
}

static void vlan(struct frame *f)
{
	frame_segment4(f);
	frame_tag(f, 0x6007, 0x0800);
	frame_ethernet(f, 0x8100);
}

static void qinq(struct frame *f)
{
	frame_segment6(f);
	frame_tag(f, 0x0008, 0x86dd);
	frame_tag(f, 0x0007, 0x8100);
	frame_ethernet(f, 0x88a8);
}

static void qinq_old(struct frame *f)
{
	frame_segment4(f);
	frame_tag(f, 0x0009, 0x0800);
	frame_tag(f, 0x0008, 0x8100);
	frame_tag(f, 0x0007, 0x9100);
	frame_ethernet(f, 0x9100);
}

static void snap(struct frame *f)
{
	static const uint8_t header[8] = { 0xaa, 0xaa, 3, 0, 0, 0, 8, 0 };
	frame_segment4(f);
	frame_put(f, header, sizeof header);
	frame_ethernet(f, (unsigned)frame_size(f));
}

static void mpls4(struct frame *f)
{
	frame_segment4(f);
	frame_label(f, true);
	frame_label(f, false);
	frame_ethernet(f, 0x8847);
}

static void mpls6(struct frame *f)
{
	frame_segment6(f);
	frame_label(f, true);
	frame_ethernet(f, 0x8848);
}

static void mpls_wire(struct frame *f)
{
	frame_plain4(f);
	frame_put(f, NULL, 4);
	frame_label(f, true);
	frame_ethernet(f, 0x8847);
}

static void mpls_wire_bare(struct frame *f)
{
	frame_plain6(f);
	frame_label(f, true);
	frame_ethernet(f, 0x8847);
}

static void ppp_in(struct frame *f, unsigned protocol)
{
	frame_set16(frame_put(f, NULL, 2), protocol);
}

static void pppoe_header(struct frame *f)
{
	size_t len = frame_size(f);
	uint8_t *p = frame_put(f, NULL, 6);
	p[0] = 0x11;
	p[3] = 9;
	frame_set16(p + 4, len);
}

void frame_pppoe4(struct frame *f)
{
	frame_segment4(f);
	ppp_in(f, 0x21);
	pppoe_header(f);
	frame_ethernet(f, 0x8864);
}

static void pppoe6(struct frame *f)
{
	frame_segment6(f);
	ppp_in(f, 0x57);
	pppoe_header(f);
	frame_tag(f, 7, 0x8864);
	frame_ethernet(f, 0x8100);
}

static void pppoe_bare(struct frame *f)
{
	frame_segment4(f);
	ppp_in(f, 0x21);
	pppoe_header(f);
}

static void ppp_hdlc(struct frame *f)
{
	frame_segment4(f);
	ppp_in(f, 0x21);
	ppp_in(f, 0xff03);
}

static void ppp_brief(struct frame *f)
{
	frame_segment6(f);
	frame_put(f, "\x57", 1);
}

static void cisco_hdlc(struct frame *f)
{
	frame_segment6(f);
	frame_set16(frame_put(f, NULL, 2), 0x86dd);
	frame_put(f, "\x0f\x00", 2);
}

static void null_here(struct frame *f)
{
	frame_segment4(f);
	frame_put(f, "\x02\0\0\0", 4);
}

static void null_there(struct frame *f)
{
	frame_segment6(f);
	frame_put(f, "\0\0\0\x1e", 4);
}

static void cooked(struct frame *f)
{
	frame_segment4(f);
	frame_set16(frame_put(f, NULL, 16) + 14, 0x0800);
}

static void cooked_vlan(struct frame *f)
{
	frame_segment4(f);
	frame_tag(f, 7, 0x0800);
	frame_set16(frame_put(f, NULL, 16) + 14, 0x8100);
}

static void cooked2(struct frame *f)
{
	frame_segment6(f);
	frame_set16(frame_put(f, NULL, 20), 0x86dd);
}

void frame_ip4_in_4(struct frame *f)
{
	frame_segment4(f);
	frame_ip4(f, 4, NULL, 0);
	frame_ethernet(f, 0x0800);
}

static void ip6_in_4(struct frame *f)
{
	frame_segment6(f);
	frame_ip4(f, 41, NULL, 0);
	frame_ethernet(f, 0x0800);
}

static void ip4_in_6(struct frame *f)
{
	frame_segment4(f);
	frame_ip6(f, 4);
	frame_ethernet(f, 0x86dd);
}

static void ip6_in_6(struct frame *f)
{
	frame_segment6(f);
	frame_ip6(f, 41);
	frame_ethernet(f, 0x86dd);
}

static void mpls_in_ip(struct frame *f)
{
	frame_segment4(f);
	frame_label(f, true);
	frame_ip4(f, 137, NULL, 0);
	frame_ethernet(f, 0x0800);
}

/* flags: C 0x8000, K 0x2000, S 0x1000 */
void frame_gre(struct frame *f, unsigned flags, unsigned type)
{
	for (unsigned bit = 0x1000; bit <= 0x8000; bit <<= 1)
		if (flags & bit)
			frame_put(f, NULL, 4)[3] = 1;
	uint8_t *p = frame_put(f, NULL, 4);
	frame_set16(p, flags);
	frame_set16(p + 2, type);
	frame_ip4(f, 47, NULL, 0);
	frame_ethernet(f, 0x0800);
}

static void gre_bare(struct frame *f)
{
	frame_segment4(f);
	frame_gre(f, 0, 0x0800);
}

static void gre_all(struct frame *f)
{
	frame_segment6(f);
	frame_gre(f, 0xb000, 0x86dd);
}

static void gre_bridged(struct frame *f)
{
	vlan(f);
	frame_gre(f, 0x2000, 0x6558);
}

static void gre_mpls(struct frame *f)
{
	frame_segment4(f);
	frame_label(f, true);
	frame_gre(f, 0, 0x8847);
}

static void erspan1(struct frame *f)
{
	frame_plain4(f);
	frame_gre(f, 0, 0x88be);
}

void frame_erspan2(struct frame *f)
{
	vlan(f);
	frame_put(f, NULL, 8)[0] = 0x10;
	frame_gre(f, 0x1000, 0x88be);
}

void frame_vxlan(struct frame *f)
{
	frame_plain4(f);
	frame_put(f, NULL, 8)[0] = 0x08;
	frame_udp(f, 4789);
	frame_ip4(f, 17, NULL, 0);
	frame_ethernet(f, 0x0800);
}

static void vxlan6(struct frame *f)
{
	frame_plain6(f);
	frame_put(f, NULL, 8)[0] = 0x08;
	frame_udp(f, 4789);
	frame_ip6(f, 17);
	frame_ethernet(f, 0x86dd);
}

void frame_geneve(struct frame *f)
{
	frame_plain4(f);
	frame_put(f, NULL, 12);
	uint8_t *p = frame_put(f, NULL, 8);
	p[0] = 3;
	frame_set16(p + 2, 0x6558);
	frame_udp(f, 6081);
	frame_ip4(f, 17, NULL, 0);
	frame_ethernet(f, 0x0800);
}

static void geneve_ip(struct frame *f)
{
	frame_segment6(f);
	frame_set16(frame_put(f, NULL, 8) + 2, 0x86dd);
	frame_udp(f, 6081);
	frame_ip6(f, 17);
	frame_ethernet(f, 0x86dd);
}

static void authenticated4(struct frame *f)
{
	frame_tcp(f, frame_address4, 8, TCP_ACK, NULL, 0);
	uint8_t *p = frame_put(f, NULL, 24);
	p[0] = 6;
	p[1] = 4;
	frame_ip4(f, 51, NULL, 0);
	frame_ethernet(f, 0x0800);
}

static void timestamps(struct frame *f)
{
	static const uint8_t option[12] = { 1, 1, 8, 10, 9, 9, 9, 9, 9, 9, 9, 9 };
	frame_tcp(f, frame_address4, 8, TCP_ACK, option, sizeof option);
	frame_ip4(f, 6, NULL, 0);
	frame_ethernet(f, 0x0800);
}

/* hop-by-hop, destination, routing with no segment left, AH, an atomic fragment */
static void extended6(struct frame *f)
{
	frame_tcp(f, frame_address6, 32, TCP_ACK, NULL, 0);
	uint8_t *p = frame_put(f, NULL, 8);
	p[0] = 6;
	p[3] = 6; /* reserved bits */
	p = frame_put(f, NULL, 24);
	p[0] = 44;
	p[1] = 4;
	p = frame_put(f, NULL, 16);
	p[0] = 51;
	p[1] = 1;
	frame_put(f, NULL, 8)[0] = 43;
	frame_put(f, NULL, 8)[0] = 60;
	frame_ip6(f, 0);
	frame_ethernet(f, 0x86dd);
}

/* one segment is left: the destination of the segment stands in the routing header (RFC 8754) */
static void routed6(struct frame *f)
{
	frame_tcp(f, frame_address6, 32, TCP_ACK, NULL, 0);
	uint8_t *p = frame_put(f, NULL, 24);
	p[0] = 6;
	p[1] = 2;
	p[2] = 4;
	p[3] = 1;
	memcpy(p + 8, frame_address6 + 16, 16);
	frame_ip6(f, 43)[39] = 0x77;
	frame_ethernet(f, 0x86dd);
}

const struct frame_around frame_arounds[FRAME_AROUNDS] = {
	{ "IPv4", frame_plain4, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "IPv6", frame_plain6, PACKET_LINK_ETHERNET, 6, 0, false },
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
	{ "PPPoE, IPv4", frame_pppoe4, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "PPPoE, IPv6 in a VLAN", pppoe6, PACKET_LINK_ETHERNET, 6, 1, false },
	{ "link PPPoE", pppoe_bare, PACKET_LINK_PPP, 4, 0, false },
	{ "link PPP, HDLC", ppp_hdlc, PACKET_LINK_PPP, 4, 0, false },
	{ "link PPP, short protocol", ppp_brief, PACKET_LINK_PPP, 6, 0, false },
	{ "link Cisco HDLC", cisco_hdlc, PACKET_LINK_PPP, 6, 0, false },
	{ "link NULL", null_here, PACKET_LINK_NULL, 4, 0, false },
	{ "link NULL, other order", null_there, PACKET_LINK_NULL, 6, 0, false },
	{ "link LOOP", null_there, PACKET_LINK_LOOP, 6, 0, false },
	{ "link RAW, IPv4", frame_segment4, PACKET_LINK_RAW, 4, 0, false },
	{ "link RAW, IPv6", frame_segment6, PACKET_LINK_RAW, 6, 0, false },
	{ "link SLL", cooked, PACKET_LINK_SLL, 4, 0, false },
	{ "link SLL, VLAN", cooked_vlan, PACKET_LINK_SLL, 4, 1, false },
	{ "link SLL2", cooked2, PACKET_LINK_SLL2, 6, 0, false },
	{ "IPv4 in IPv4", frame_ip4_in_4, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "IPv6 in IPv4", ip6_in_4, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "IPv4 in IPv6", ip4_in_6, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "IPv6 in IPv6", ip6_in_6, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "MPLS in IPv4", mpls_in_ip, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "GRE", gre_bare, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "GRE, checksum, key, sequence", gre_all, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "GRE, bridged, key", gre_bridged, PACKET_LINK_ETHERNET, 4, 1, false },
	{ "GRE, MPLS", gre_mpls, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "ERSPAN I", erspan1, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "ERSPAN II", frame_erspan2, PACKET_LINK_ETHERNET, 4, 1, false },
	{ "VXLAN", frame_vxlan, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "VXLAN over IPv6", vxlan6, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "GENEVE, options", frame_geneve, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "GENEVE, IPv6", geneve_ip, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "AH in IPv4", authenticated4, PACKET_LINK_ETHERNET, 4, 0, false },
	{ "IPv6 extensions", extended6, PACKET_LINK_ETHERNET, 6, 0, false },
	{ "IPv6 segment routing", routed6, PACKET_LINK_ETHERNET, 6, 0, false },
};
