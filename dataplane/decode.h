/*
 * decode - from a captured frame to a TCP segment.
 *
 * VLAN, QinQ, MPLS, PPPoE, IP-in-IP, GRE, VXLAN, GENEVE, ERSPAN II are taken off, nesting is
 * bounded by DECODE_NEST_MAX layers (tags, tunnels and IP headers count). Pure; reads only
 * pkt->data[0..len). A datagram that is longer than its frame is taken as cut; a total length of 0
 * as that of the frame.
 * Not handled: ERSPAN III, GRE version 1 (PPTP), VXLAN-GPE, tunnels on other
 * UDP ports than their own.
 */
#pragma once

#include "base/packet.h"
#include "dataplane/sum.h"

enum { DECODE_NEST_MAX = 16, DECODE_EXTENSIONS_MAX = 16 };

enum decode_outcome {
	DECODE_TCP,
	DECODE_FRAGMENT, /* *frag says what; give it to frag_push */
	DECODE_OTHER_LINK,
	DECODE_SHORT,
	DECODE_BAD_IP,
	DECODE_BAD_TCP,
	DECODE_NOT_TCP,
	DECODE_NESTED,
};

struct decode_fragment { /* everything borrowed from the frame */
	uint8_t ip_version;
	const uint8_t *src, *dst; /* 4 or 16 octets */
	uint32_t id;
	uint8_t protocol; /* of the whole datagram, IPv6: next header of the fragment header */
	uint16_t offset; /* octets */
	bool more;
	bool cut; /* the capture did not keep all of it: unusable */
	bool csum_wrong; /* IPv4 header checksum */
	struct bytes data;
	uint8_t layers; /* nesting used up so far */
};

/*
 * Fills the decode fields of pkt. Decoding stops at the first thing that has an outcome.
 * Checksums are added up by sum; when it is NULL pkt->csum is PACKET_CSUM_RIGHT.
 */
enum decode_outcome decode_frame(struct packet *pkt, sum_fn *sum, struct decode_fragment *frag);

/*
 * The same from inside a reassembled datagram: data is the payload behind the IP header, protocol
 * its next header. src, dst, VLANs and csum stand in pkt already.
 */
enum decode_outcome decode_datagram(struct packet *pkt, struct bytes data, uint8_t protocol,
				    unsigned layers, sum_fn *sum, struct decode_fragment *frag);
