/*
 * frag - IPv4 and IPv6 fragments in any order -> whole datagrams.
 *
 * Per worker; all memory at frag_new. Copies and overlaps that agree are taken; where one differs
 * the datagram is dropped and counted, with all of its fragments that are still to come (RFC 5722).
 * Bounds: datagrams in the making (fragment_max), octets a datagram (65,535), FRAG_BYTES_EACH
 * octets kept for each of fragment_max, age in capture time since the first fragment; the oldest
 * datagram makes room.
 * Not handled: a fragment that is no multiple of 8 octets and not the last is
 * dropped, not trimmed.
 */
#pragma once

#include "base/config.h"
#include "base/stats.h"
#include "dataplane/decode.h"

enum { FRAG_BYTES_EACH = 8192 };

struct frag;

/* Borrows cfg during the call, stats for its life. NULL when out of memory. */
struct frag *frag_new(const struct config *cfg, struct stats *stats);
void frag_free(struct frag *f);

/*
 * Takes a copy of the fragment. True when it completed a datagram: *out is the datagram's payload,
 * borrowed until the next call but one (so `in` may lie in it, in a fragment of a fragment);
 * *protocol its next header. Then FRAG_DONE is counted here and the frame's outcome is
 * decode_datagram's; when false the frame's outcome is counted here too: FRAME_FRAGMENT or
 * FRAME_FRAG_DROPPED.
 */
bool frag_push(struct frag *f, const struct decode_fragment *in, uint64_t now_ns, struct bytes *out,
	       uint8_t *protocol);

/* The capture is over: what is not whole is given up, counted as by time. */
void frag_end(struct frag *f);
