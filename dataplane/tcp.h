/*
 * tcp - one TCP header and its checksum (RFC 9293 section 3.1). Pure.
 *
 * Not handled: options of segments that are no SYN are not looked at.
 */
#pragma once

#include "base/packet.h"
#include "dataplane/sum.h"

enum tcp_result {
	TCP_OK,
	TCP_SHORT, /* the capture did not keep all of the header */
	TCP_BAD, /* lengths that cannot be */
};

/*
 * Fills sport .. payload_cut of pkt from a segment of wire octets, of which the first s.n <= wire
 * were kept. Borrows s as pkt does.
 */
enum tcp_result tcp_header(struct packet *pkt, struct bytes s, size_t wire);

/* Whether the checksum of a whole segment, added up by sum_of, is right with the addresses of pkt. */
bool tcp_sum_right(const struct packet *pkt, struct bytes s, sum_fn *sum_of);
