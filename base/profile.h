/*
 * profile - what a site asks of each check, and what it does about the results.
 *
 * Part of a config snapshot: control makes it, workers borrow it. There are several of each kind
 * by name; one of each is in force for a message. Defaults, ranges and help texts stand in
 * control/kind.c, one row a field. A reply is what inline mode would say: "CODE TEXT".
 */
#pragma once

#include "base/config.h"
#include "base/list.h"
#include "base/verdict.h"

enum {
	PROFILE_NAME_MAX = 64, /* octets of a name, with its NUL */
	PROFILE_TEXT_MAX = 256, /* of a reply's text */
	PROFILE_HEADERS_MAX = 512,
};

struct profile_reply {
	uint32_t code; /* 400..599 */
	char text[PROFILE_TEXT_MAX];
};

enum dkim_test { DKIM_TEST_REPORT, DKIM_TEST_SKIP }; /* keys with t=y */

struct dkim_profile {
	char name[PROFILE_NAME_MAX];
	bool allow_sha1; /* false */
	uint32_t min_bits, max_bits; /* 1024, 4096 */
	uint32_t l; /* enum dkim_l: partial */
	uint32_t signatures_max; /* 5 */
	uint32_t skew_s; /* 60 */
	uint32_t query_timeout_ms; /* 10,000: keys are given up after this time */
	uint32_t test; /* enum dkim_test: report */
	uint32_t temporary_action; /* enum verdict_action: accept */
	uint32_t permanent_action; /* flag */
	struct profile_reply temporary, permanent;
};

enum spf_level { SPF_LEVEL_SPF, SPF_LEVEL_SIDF, SPF_LEVEL_SIDF_COMPATIBLE };
/* Results that have an action; pass is always accepted. */
enum spf_case {
	SPF_CASE_NONE,
	SPF_CASE_NEUTRAL,
	SPF_CASE_SOFTFAIL,
	SPF_CASE_FAIL,
	SPF_CASE_TEMPERROR,
	SPF_CASE_PERMERROR,
	SPF_CASE_N,
};

struct spf_profile {
	char name[PROFILE_NAME_MAX];
	uint32_t level; /* enum spf_level: spf */
	bool helo; /* true: HELO is checked, at the levels spf and sidf-compatible */
	bool pra_downgrade; /* false: PRA pass is none when Resent-Sender or Resent-From is there */
	bool explanation; /* false: the publisher's words are part of a reply */
	uint32_t lookup_max; /* 10 (RFC 7208 section 4.6.4) */
	uint32_t void_max; /* 2 */
	uint32_t timeout_ms; /* 20,000: all questions of it are given up after this time */
	uint32_t action[SPF_IDENTITY_N][SPF_CASE_N]; /* enum verdict_action: accept */
	struct profile_reply temporary, permanent;
	char relays[PROFILE_NAME_MAX]; /* address list of own relays, whose Received: is believed */
};

struct dmarc_profile {
	char name[PROFILE_NAME_MAX];
	uint32_t reject_action, quarantine_action; /* of the policy applied: reject, quarantine */
	uint32_t temporary_action, permanent_action; /* accept */
	struct profile_reply reject, temporary, permanent;
	char quarantine[PROFILE_NAME_MAX]; /* its name */
	bool reject_tag, quarantine_tag; /* false: tag the subject when it is not refused */
	char tag[PROFILE_NAME_MAX]; /* "*** FRAUD ***" */
	uint32_t reject_score, quarantine_score; /* tenths: 50 */
	char bypass_senders[PROFILE_NAME_MAX]; /* address list */
	char bypass_headers[PROFILE_HEADERS_MAX]; /* field names with commas between */
	bool bypass_authenticated; /* true */
	char bypass_clients[PROFILE_NAME_MAX]; /* address list of IP addresses */
	char bypass_servers[PROFILE_NAME_MAX]; /* the same, of the domain's own mail servers */
	char sealers[PROFILE_NAME_MAX]; /* list of trusted ARC sealers; a list without any trusts
					   nobody */
};

struct names_profile { /* a dictionary of protected names */
	char name[PROFILE_NAME_MAX];
	const struct list *names; /* display names, UTF-8 */
	uint32_t threshold; /* 70: 1..100 */
	const struct list *own; /* domains whose mail is not checked */
	const struct list *except; /* addresses and domains likewise */
	uint32_t action; /* enum verdict_action: flag */
	struct profile_reply reply;
};

/* All of them. Arrays are in the order of the settings file; the first is `default`. */
struct profiles {
	struct dkim_profile *dkim;
	struct spf_profile *spf;
	struct dmarc_profile *dmarc;
	struct names_profile *names; /* none by default */
	struct list **sealers; /* of domains */
	struct list **addresses; /* of IP prefixes, domains and addresses */
	uint32_t n_dkim, n_spf, n_dmarc, n_names, n_sealers, n_addresses;
};
