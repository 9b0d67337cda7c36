/*
 * dmarc - policy discovery, alignment and result of RFC 9989, and of RFC 7489 with the public
 * suffix list.
 *
 * Pure: runs from its start each time. While results of SPF and DKIM are not there, with `early`,
 * it asks for whatever any of their results could need, so that the last run asks for nothing new.
 */
#pragma once

#include "base/config.h"
#include "base/verdict.h"
#include "verify/auth/known.h"
#include "verify/auth/suffixes.h"

struct dmarc_setup { /* all borrowed for the call; the result borrows from known and arena */
	struct known *known;
	struct arena *arena;
	enum config_walk walk;
	const struct suffixes *suffixes; /* NULL: only the tree walk */
	const struct verdict_from *from;
	const struct spf_result *spf; /* of SPF_MAILFROM; its domain counts when early */
	const struct dkim_result *dkim;
	uint32_t n_dkim;
	bool early;
	uint64_t sample; /* of pct: any number that belongs to the message */
};

/* False: questions are open. */
bool dmarc_check(const struct dmarc_setup *setup, struct dmarc_result *out);
