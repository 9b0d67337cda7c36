/*
 * frag - IPv4 and IPv6 fragments in any order -> whole datagrams.
 *
 * Per worker; all memory at frag_new. First octet wins in an overlap that agrees or not (RFC 5722 would
 * drop: differing overlaps drop the datagram and are counted). Bounds: datagrams in the making, octets
 * a datagram (65,535), fragments a datagram, age in capture time.
 */
#pragma once

#include "base/config.h"
#include "base/stats.h"
#include "dataplane/decode.h"

struct frag;

/* Borrows cfg during the call, stats for its life. NULL when out of memory. */
struct frag *frag_new(const struct config *cfg, struct stats *stats);
void frag_free(struct frag *f);

/*
 * Takes a copy of the fragment. True when it completed a datagram: *out is the datagram's payload,
 * borrowed until the next call; *protocol its next header.
 */
bool frag_push(struct frag *f, const struct decode_fragment *in, uint64_t now_ns, struct bytes *out,
	       uint8_t *protocol);
