/*
 * frame - frames for tests, made from the inside out: a TCP segment first, then each header around it.
 *
 * Each call puts one header in front of what is there; lengths and checksums are right.
 */
#pragma once

#include "base/packet.h"

enum { FRAME_ROOM = 8192, FRAME_PAYLOAD = 61, FRAME_AROUNDS = 44 };

struct frame {
	uint8_t room[FRAME_ROOM];
	size_t at; /* the frame is room[at..FRAME_ROOM) */
	size_t tcp; /* where in room the TCP header starts */
};

/* src and dst of every segment */
extern const uint8_t frame_address4[8], frame_address6[32];

/* n octets of p, or of zero, in front; their address. */
uint8_t *frame_put(struct frame *f, const void *p, size_t n);
size_t frame_size(const struct frame *f);
void frame_set16(uint8_t *p, size_t v);
/* The checksum as RFC 1071 says it, two octets at a time; sum: what else is in it. */
uint16_t frame_sum(const uint8_t *p, size_t n, uint32_t sum);

/* The start of a frame: FRAME_PAYLOAD octets, i * 7 + 1, behind a header with these options (4 n octets). */
void frame_tcp(struct frame *f, const uint8_t *address, size_t address_len, uint8_t flags,
	       const uint8_t *option, size_t option_len);
/* Both give the address of the header. */
uint8_t *frame_ip4(struct frame *f, uint8_t protocol, const uint8_t *option, size_t option_len);
uint8_t *frame_ip6(struct frame *f, uint8_t next);
void frame_ethernet(struct frame *f, unsigned type);
void frame_tag(struct frame *f, unsigned control, unsigned type);
void frame_label(struct frame *f, bool bottom);
/* GRE and what is outside of it; flags: checksum 0x8000, key 0x2000, sequence number 0x1000 */
void frame_gre(struct frame *f, unsigned flags, unsigned type);

/* Whole frames: an IP packet alone, then such on Ethernet. */
void frame_segment4(struct frame *f);
void frame_segment6(struct frame *f);
void frame_plain4(struct frame *f);
void frame_plain6(struct frame *f);
void frame_ip4_in_4(struct frame *f);
void frame_vxlan(struct frame *f);
void frame_geneve(struct frame *f);
void frame_erspan2(struct frame *f);
void frame_pppoe4(struct frame *f);

/* Everything that may be around a segment. */
struct frame_around {
	const char *name;
	void (*make)(struct frame *f);
	uint8_t link, version, n_vlan; /* VLANs are 7, 8 .. from the outside */
	bool guess; /* cut in its headers it may be taken for something unknown */
};
extern const struct frame_around frame_arounds[FRAME_AROUNDS];
