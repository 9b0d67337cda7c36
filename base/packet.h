/*
 * packet - one frame as captured, and what decode found in it.
 *
 * Capture gives a burst of packets and takes all of them back once per loop. Decode and the stages
 * behind it borrow the octets until then; who needs them longer copies them.
 */
#pragma once

#include "base/bytes.h"

enum packet_link { /* what the first octet of the frame is */
		   PACKET_LINK_ETHERNET,
		   PACKET_LINK_NULL, /* 4 octets address family, in the order of the machine that
					wrote it */
		   PACKET_LINK_LOOP, /* the same in network order */
		   PACKET_LINK_RAW, /* IPv4 or IPv6, told by the version nibble; also LINKTYPE_IPV4,
				       _IPV6 */
		   PACKET_LINK_SLL,
		   PACKET_LINK_SLL2,
		   PACKET_LINK_PPP,
		   PACKET_LINK_OTHER, /* nothing of ours is in it */
};

enum packet_checksum {
	PACKET_CSUM_RIGHT, /* IP header and TCP are both right */
	PACKET_CSUM_WRONG,
	PACKET_CSUM_UNKNOWN, /* the frame was cut short: cannot be told */
};

enum { /* tcp_flags */
       TCP_FIN = 0x01,
       TCP_SYN = 0x02,
       TCP_RST = 0x04,
       TCP_PSH = 0x08,
       TCP_ACK = 0x10,
       TCP_URG = 0x20,
};

enum { PACKET_VLAN_MAX = 2 };

struct packet {
	/* by capture */
	const uint8_t *data; /* the frame, contiguous */
	uint32_t len; /* octets at data */
	uint32_t wire_len; /* octets it had on the wire, >= len */
	uint64_t time_ns; /* since the epoch */
	uint8_t link; /* enum packet_link */
	uint8_t csum_hw; /* 1: the port says all checksums are right, decode need not add them up */
	void *owner; /* capture's own handle */

	/* by decode; src and dst point into data, 4 or 16 octets by ip_version */
	uint8_t ip_version; /* 4 or 6 */
	uint8_t csum; /* enum packet_checksum */
	uint8_t tcp_flags;
	uint8_t n_vlan;
	uint16_t vlan[PACKET_VLAN_MAX]; /* outermost first, tag control without priority bits */
	const uint8_t *src, *dst;
	uint16_t sport, dport; /* host order, as all below */
	uint32_t seq, ack;
	uint16_t window; /* as in the header, not scaled */
	uint8_t window_shift; /* from the option in a SYN; 255: option absent */
	uint16_t mss; /* from the option in a SYN; 0: absent */
	const uint8_t *payload;
	uint32_t payload_len; /* octets at payload */
	uint32_t payload_cut; /* octets of the segment behind them that the capture did not keep */
};
