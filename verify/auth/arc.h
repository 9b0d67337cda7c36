/*
 * arc - the Authenticated Received Chain of one message (RFC 8617), step by step like dkim.h.
 *
 * arc_begin takes the sets apart; arc_ask until no question is open; arc_prepare; arc_hash gives jobs
 * for the hash queue until none; when these are back, arc_pubkey gives jobs for the key queue; when
 * these are back, arc_end gives the result. Over the same canonicalization, digests, keys and queues
 * as DKIM; a body digest that DKIM computes too is computed once. At most ARC_SETS_MAX sets.
 */
#pragma once

#include "base/list.h"
#include "verify/auth/dkim.h"

struct arc_setup { /* all borrowed until arc_end */
	struct dkim_setup dkim; /* the same things, with the owner of the jobs */
	struct dkim *shared; /* whose body digests may be used; NULL: none */
	const struct list *sealers; /* trusted; NULL: nobody is */
};
