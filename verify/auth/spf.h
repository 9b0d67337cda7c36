/*
 * spf - check_host() of RFC 7208, and of RFC 4406 for spf2.0 records.
 *
 * Pure: runs from its start each time, asks `known` for names, and is done when it needed none that
 * is open. Records are parsed once and stay with their answer (spf_record.h). Names that later terms
 * of a record will need are asked for together with the first.
 */
#pragma once

#include "base/message.h"
#include "base/profile.h"
#include "verify/auth/known.h"

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
