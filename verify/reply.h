/*
 * reply - the SMTP reply that a refusal would be given with, all lines.
 *
 * CRLF stands between lines, none at the end. Octets of the network that are not printable ASCII
 * become question marks, so that nobody breaks out of a line. A line has at most REPLY_LINE_MAX
 * octets; longer text goes on in the next line, at a blank where there is one in its second half.
 */
#pragma once

#include "base/arena.h"
#include "base/profile.h"

enum {
	REPLY_LINE_MAX = 510, /* without CRLF (RFC 5321 section 4.5.3.1.5) */
	REPLY_EXPLANATION_MAX = 2048, /* octets of it that are given; the rest is cut */
};

/* "CODE TEXT". p NULL: the arena is full. */
struct bytes reply_make(const struct profile_reply *r, struct arena *arena);

/* With the words of the domain that refuses (RFC 7208 section 6.2), in three lines: ours, whose they
 * are, theirs. p NULL: the arena is full. */
struct bytes reply_explained(const struct profile_reply *r, struct bytes domain,
			     struct bytes explanation, struct arena *arena);
