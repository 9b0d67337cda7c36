/*
 * policy - results of the checks -> what the profiles ask for, the strictest of it, and the reply.
 *
 * The rule, check by check; policy.c says at each place why.
 *
 * SPF and Sender ID: each identity that was checked asks for what its profile has for its result; a
 * pass, and what could not be seen, asks for nothing. Where DMARC judges the message - its domain
 * has a record, it passed or failed, and no bypass applies - it takes the place of every reject of SPF.
 * DKIM: without a pass, and keys in test mode left out (RFC 6376 section 3.6.1): fail, policy or
 * permerror ask for the permanent action, else temperror for the temporary one. A mere flag is not
 * asked for when DMARC passed: then the author's domain is proved, and a broken signature is as good
 * as none (section 6.1).
 * DMARC: a fail asks for the action of the policy applied; p=none for nothing. So does an odd From:
 * (permerror) that shows a domain whose policy it fails. A bypass, and of a fail a trusted ARC chain,
 * lifts that; result and policy stay as they are, and `override` says why the action is not theirs.
 * A temporary or permanent error asks for its own action, which a bypass lifts too.
 * Names: each dictionary with a match asks for its action.
 * Score: what they add up to asks for quarantine or reject from a bound of the settings on.
 *
 * verdict.result is flagged when anything above accept was asked for; else unverifiable when
 * signatures may be there that could not be seen or proved, or an identity or a policy that the
 * profiles would act on; else undecided when SPF or DMARC got no answer from the DNS and nothing
 * else proves the author; else clean, without a reason.
 */
#pragma once

#include "base/arena.h"
#include "base/config.h"
#include "base/list.h"
#include "base/message.h"
#include "base/stats.h"
#include "base/verdict.h"
#include "verify/header/header.h"
#include "verify/auth/origin.h"
#include "verify/dns/trace.h"

/* Of SPF and Sender ID: a word for each result that is not a pass, in the order of policy.c. */
#define POLICY_REASONS_OF(ROW, SYMBOL, word, who) \
	ROW(SYMBOL##_NONE, word "_none", who " has no record") \
	ROW(SYMBOL##_NEUTRAL, word "_neutral", who " says nothing about the client") \
	ROW(SYMBOL##_SOFTFAIL, word "_softfail", who " does not think that the client is its own") \
	ROW(SYMBOL##_FAIL, word "_fail", who " says that the client is not its own") \
	ROW(SYMBOL##_TEMPERROR, word "_temperror", who " could not be asked") \
	ROW(SYMBOL##_PERMERROR, word "_permerror", who " has a record that is no record") \
	ROW(SYMBOL##_UNVERIFIABLE, word "_unverifiable", who " or the client was not seen")

/* symbol, word, meaning */
#define POLICY_REASONS(ROW) \
	ROW(NONE, NULL, "") \
	ROW(DKIM_FAIL, "dkim_fail", "a signature or body hash did not verify, and none passed") \
	ROW(DKIM_POLICY, "dkim_policy", "a signature is refused by the profile, and none passed") \
	ROW(DKIM_PERMERROR, "dkim_permerror", "a signature or its key is malformed, none passed") \
	ROW(DKIM_TEMPERROR, "dkim_temperror", "a key could not be asked for, and none passed") \
	ROW(DKIM_UNVERIFIABLE, "dkim_unverifiable", "octets of a signature were not seen") \
	POLICY_REASONS_OF(ROW, HELO, "helo", "the HELO domain") \
	POLICY_REASONS_OF(ROW, SPF, "spf", "the MAIL FROM domain") \
	POLICY_REASONS_OF(ROW, PRA, "pra", "the domain of the header's sender") \
	ROW(DMARC_FAIL, "dmarc_fail", "nothing proves the domain of From:, and it has a policy") \
	ROW(DMARC_TEMPERROR, "dmarc_temperror", "the policy could not be asked for") \
	ROW(DMARC_PERMERROR, "dmarc_permerror", "the policy or From: is malformed") \
	ROW(DMARC_UNVERIFIABLE, "dmarc_unverifiable", "what would prove the domain was not seen") \
	ROW(FORGED_NAME, "forged_name", "From: shows a protected name") \
	ROW(SCORE, "score", "all checks together gave more than the settings allow") \
	ROW(NO_HEADER, "no_header", "the header section was not seen whole") \
	ROW(HEADER_LIMIT, "header_limit", "the header section is over a limit") \
	ROW(NO_SPACE, "no_space", "the message did not fit what verification has room for") \
	ROW(NOT_JUDGED, "not_judged", "no verification took place")

#define POLICY_ENUM(symbol, word, meaning) POLICY_##symbol,
enum policy_reason { POLICY_REASONS(POLICY_ENUM) POLICY_N };
#undef POLICY_ENUM

/* Static strings; the word of POLICY_NONE is NULL. */
const char *policy_word(enum policy_reason r);
const char *policy_meaning(enum policy_reason r);

struct policy_lists { /* that the DMARC profile names; NULL: none */
	const struct list *senders, *clients, *servers;
};

struct policy_setup { /* borrowed for the call; the verdict borrows from it */
	const struct profiles *profiles;
	const struct dkim_profile *dkim;
	const struct spf_profile *spf;
	const struct dmarc_profile *dmarc;
	const struct policy_lists *lists;
	const struct message *message;
	const struct header *header; /* NULL: there is none */
	const struct origin *origin;
	uint32_t score_quarantine, score_reject; /* tenths; 0: never */
	struct trace *trace; /* NULL: nobody looks */
	enum policy_reason
		unseen; /* NO_SPACE, NO_HEADER, HEADER_LIMIT: there may be signatures that
				      were not found; or NONE */
};

/*
 * Fills dmarc.override, asked, action, result, reason, score, reply, for the bits of
 * verdict->checks. False: the arena is full; all stands but some reply.
 */
bool policy_judge(const struct policy_setup *setup, struct verdict *verdict, struct arena *arena);

/* One more of its action, and of its override. */
void policy_count(const struct verdict *verdict, struct stats *stats);
