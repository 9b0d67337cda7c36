/*
 * dmarc - policy discovery, alignment and result of RFC 9989, and of RFC 7489 with the public
 * suffix list.
 *
 * Pure: runs from its start each time. While results of SPF and DKIM are not there, with `early`,
 * it asks for whatever any of their results could need, so that the last run asks for nothing new.
 * The mode psl is RFC 7489: sp, pct and the list count, np, psd and t are unknown tags; without a
 * list it falls back to the tree walk. The other modes are RFC 9989, where pct is unknown.
 *
 * From: decides first. One author domain in one well-formed From: field is judged. Anything else -
 * no From:, several, several domains, malformed - is permerror: never a pass. Each domain that any
 * reading of it shows is then judged for itself, by its own alignment, and the strictest policy
 * among those that fail stands in the result (RFC 9989 section 11.5), so that a pass of one cannot
 * cover another.
 */
#pragma once

#include "base/config.h"
#include "base/verdict.h"
#include "verify/dns/known.h"
#include "verify/dns/suffixes.h"

/* symbol, word, result, meaning */
#define DMARC_REASONS(ROW) \
	ROW(OK, NULL, PASS, "an identifier that passed is aligned with the author's domain") \
	ROW(NO_RECORD, "no_record", NONE, "the author's domain has no policy") \
	ROW(SEVERAL_RECORDS, "several_records", NONE, \
	    "there are several records at a name: they are discarded") \
	ROW(NO_POLICY, "no_policy", NONE, "the record has no p= and asks for no reports") \
	ROW(RECORD_INVALID, "record_invalid", PERMERROR, \
	    "p=, sp= or np= is malformed and no reports are asked for") \
	ROW(NOT_AUTHENTICATED, "not_authenticated", FAIL, "neither SPF nor DKIM passed") \
	ROW(NOT_ALIGNED, "not_aligned", FAIL, "what passed is of another organization") \
	ROW(RECORD_TIMEOUT, "record_timeout", TEMPERROR, "no answer about the policy in time") \
	ROW(RECORD_FAILED, "record_failed", TEMPERROR, "a question for the policy failed") \
	ROW(EXISTENCE, "existence", TEMPERROR, \
	    "whether the author's domain exists could not be told, and np= makes a difference") \
	ROW(SPF_TEMPERROR, "spf_temperror", TEMPERROR, \
	    "SPF of an aligned domain: temporary error") \
	ROW(DKIM_TEMPERROR, "dkim_temperror", TEMPERROR, "an aligned signature: temporary error") \
	ROW(SPF_UNVERIFIABLE, "spf_unverifiable", UNVERIFIABLE, "what SPF needs was not seen") \
	ROW(DKIM_UNVERIFIABLE, "dkim_unverifiable", UNVERIFIABLE, \
	    "octets of an aligned signature were not seen") \
	ROW(FROM_UNSEEN, "from_unseen", UNVERIFIABLE, "not all of the header was seen") \
	ROW(NO_SPACE, "no_space", UNVERIFIABLE, "the records did not fit what there is room for") \
	ROW(FROM_NONE, "from_none", PERMERROR, "there is no From: field") \
	ROW(FROM_SEVERAL_FIELDS, "from_several_fields", PERMERROR, "several From: fields") \
	ROW(FROM_SEVERAL_DOMAINS, "from_several_domains", PERMERROR, "authors of several domains") \
	ROW(FROM_MALFORMED, "from_malformed", PERMERROR, "From: is not well-formed") \
	ROW(FROM_LIMIT, "from_limit", PERMERROR, "From: has more authors than are read") \
	ROW(FROM_NO_DOMAIN, "from_no_domain", PERMERROR, "From: has no address with a domain")

#define DMARC_REASON_ENUM(symbol, word, result, meaning) DMARC_REASON_##symbol,
enum dmarc_reason { DMARC_REASONS(DMARC_REASON_ENUM) DMARC_REASON_N };
#undef DMARC_REASON_ENUM

/* The word, NULL for DMARC_REASON_OK; its result; its meaning. */
const char *dmarc_reason_word(enum dmarc_reason r);
enum auth_result dmarc_reason_result(enum dmarc_reason r);
const char *dmarc_reason_meaning(enum dmarc_reason r);

struct dmarc_setup { /* all borrowed for the call; the result borrows from known and arena */
	struct known *known;
	struct arena *arena;
	enum config_walk walk;
	const struct suffixes *suffixes; /* NULL: only the tree walk */
	const struct verdict_from *from;
	const struct spf_result *spf; /* of SPF_MAILFROM; its domain counts when early. NULL or not
					 checked: SPF did not pass */
	const struct dkim_result *dkim;
	uint32_t n_dkim;
	bool early;
	uint64_t sample; /* of pct: any number that belongs to the message */
};

/*
 * False: questions are open. An identifier passes as RFC 9989 section 4.3 has it; a DKIM pass whose
 * key is in test mode counts as no signature (RFC 6376 section 3.6.1), and one whose l= leaves body
 * octets uncovered is never aligned. When early out holds nothing yet.
 */
bool dmarc_check(const struct dmarc_setup *setup, struct dmarc_result *out);
