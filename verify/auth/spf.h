/*
 * spf - check_host() of RFC 7208, and of RFC 4406 for spf2.0 records.
 *
 * Pure: runs from its start each time, asks `known` for names, and is done when it needed none that
 * is open. Records are parsed once and stay with their answer (spf_record.h). Names that later terms
 * of a record will need are asked for together with the first. Includes stand on a stack of at most
 * SPF_DEPTH_MAX. Reasons are those of spf_reason.h. Lines of the trace go to TRACE_SPF; that a new
 * run begins is the caller's to say (trace_begin), as one message may have several checks.
 */
#pragma once

#include "base/message.h"
#include "base/profile.h"
#include "verify/dns/known.h"

enum {
	SPF_DEPTH_MAX = 32, /* records in each other; deeper: as over the limit of lookups */
	SPF_EXPLANATION_MAX = 400, /* octets of an explanation; the rest is cut off */
};

struct spf_setup { /* all borrowed for the call; results borrow from it, from known and arena */
	struct known *known;
	struct arena *arena;
	const struct spf_profile *profile;
	struct address client; /* %{i} */
	struct bytes helo; /* %{h} */
	struct bytes sender; /* %{s}: local@domain, or a domain alone, which gets postmaster@ */
	struct bytes receiver; /* %{r} */
	uint64_t now_s; /* %{t} */
	enum spf_identity identity; /* decides the scope of spf2.0 records */
};

/* False: questions are open; call again with the same setup when they are answered. */
bool spf_check(const struct spf_setup *setup, struct spf_result *out);
