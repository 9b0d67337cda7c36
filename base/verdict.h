/*
 * verdict - what the checks found out about one message. JSON, table and log lines are made from
 * it.
 *
 * Made by a verify worker in its own memory, borrowed by the output until the message is given
 * back. All strings live as long as the message.
 */
#pragma once

#include "base/bytes.h"

/* RFC 8601 2.7 words, and unverifiable. */
enum auth_result {
	AUTH_NONE,
	AUTH_PASS,
	AUTH_FAIL,
	AUTH_POLICY,
	AUTH_NEUTRAL,
	AUTH_PERMERROR,
	AUTH_TEMPERROR,
	AUTH_UNVERIFIABLE,
	AUTH_SOFTFAIL,
	AUTH_RESULT_N,
};

/* The milder first: the strictest that any check asks for wins. */
enum verdict_action {
	VERDICT_ACCEPT,
	VERDICT_FLAG, /* accepted, and told */
	VERDICT_TAG,
	VERDICT_QUARANTINE,
	VERDICT_REJECT,
	VERDICT_ACTION_N,
};

struct dkim_result {
	uint8_t result; /* enum auth_result */
	bool test_mode; /* key has t=y */
	bool aligned; /* d= is the From: domain or a parent of it; l= partial never is when the body
			 goes on */
	const char *reason; /* word of a fixed list, NULL when there is nothing to say */
	struct bytes domain, selector, algorithm,
		identity; /* as in the signature; empty when absent */
	struct bytes b; /* first 8 octets of b= (RFC 6008), blanks removed */
	uint32_t key_bits; /* 0: no key seen */
	uint64_t body_octets; /* canonicalized body octets covered */
	bool partial; /* l= leaves body octets uncovered */
	bool secure; /* DNSSEC proved the key's answer */
};

enum spf_identity { SPF_HELO, SPF_MAILFROM, SPF_PRA, SPF_IDENTITY_N };

struct spf_result { /* RFC 7208, RFC 4406 */
	bool checked;
	uint8_t result; /* enum auth_result; unverifiable: the client or the identity was not seen */
	uint8_t identity; /* enum spf_identity */
	bool downgraded; /* a PRA pass that became none */
	bool secure; /* DNSSEC proved every answer */
	uint8_t lookups, voids; /* counted against the limits */
	const char *reason; /* word of a fixed list, NULL when there is nothing to say */
	struct bytes sender; /* the address that was checked: postmaster@helo for a null sender */
	struct bytes domain; /* its domain, A-labels */
	struct bytes mechanism; /* as the record has it, that matched; empty: none did */
	struct bytes explanation; /* printable ASCII, fit for a reply; p NULL: none */
	struct bytes explained_by; /* the domain whose words these are */
};

enum { ARC_SETS_MAX = 50 };

struct arc_set {
	uint8_t seal, message; /* enum auth_result of AS, of AMS; AUTH_NONE: not computed */
	uint8_t cv; /* enum auth_result: none, fail, pass; AUTH_PERMERROR: malformed */
	struct bytes domain, selector; /* of the seal */
	const char *reason;
};

struct arc_result { /* RFC 8617 */
	uint8_t result; /* enum auth_result: none, pass, fail; also temperror and unverifiable */
	uint8_t instance; /* the highest */
	uint8_t failed; /* the set that failed, 0: none or the structure */
	uint8_t oldest_pass; /* RFC 8617 section 5.2, 0: all AMS verified */
	bool trusted; /* the chain passed and the sealer of the newest set is on the list */
	bool trusted_pass; /* and its ARC-Authentication-Results say that DMARC passed, or aligned
			      SPF or DKIM did */
	bool secure;
	const char *reason;
	struct arc_set *set; /* by instance - 1 */
	uint8_t n_set;
	struct bytes sealer; /* the newest set's d= */
};

enum dmarc_policy { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };
enum dmarc_alignment { DMARC_RELAXED, DMARC_STRICT };
enum dmarc_discovery { DMARC_TREEWALK, DMARC_PSL };

struct dmarc_result { /* RFC 9989, RFC 7489 */
	uint8_t result; /* enum auth_result: none, pass, fail, permerror, temperror, unverifiable */
	uint8_t policy; /* enum dmarc_policy applied to this message; valid if has_record */
	uint8_t published; /* the record's, for this domain, before t and pct */
	uint8_t p, sp, np; /* as the record has them */
	bool has_record, has_sp, has_np;
	bool testing, sampled_out; /* t=y; pct left it out */
	bool spf_aligned, dkim_aligned; /* a pass that is aligned */
	bool subdomain, nonexistent; /* of the author's domain: sp, np applied */
	bool secure;
	uint8_t adkim, aspf; /* enum dmarc_alignment */
	uint8_t discovery; /* enum dmarc_discovery */
	uint8_t pct;
	const char *reason, *override; /* words of fixed lists or NULL; override: arc, bypass */
	struct bytes author; /* the author's domain */
	struct bytes organization; /* its organizational domain */
	struct bytes domain; /* where the record was found */
	struct bytes record; /* as published */
	struct bytes rua, ruf, fo; /* as published */
};

/* What is odd about From:, bits; words in verdict_from_flag_name. */
enum verdict_from_flag {
	FROM_NONE = 1 << 0, /* there is no From: */
	FROM_SEVERAL_FIELDS = 1 << 1,
	FROM_SEVERAL_MAILBOXES = 1 << 2,
	FROM_SEVERAL_DOMAINS = 1 << 3,
	FROM_GROUP = 1 << 4,
	FROM_MALFORMED = 1 << 5, /* RFC 5322 gives no reading */
	FROM_OBSOLETE = 1 << 6, /* a form of section 4: a route, blanks around dots, ... */
	FROM_DISPLAY_ADDRESS = 1 << 7, /* the display name holds an address of another domain */
	FROM_CONTROL = 1 << 8, /* NUL, another control character, turned text */
	FROM_NOT_UTF8 = 1 << 9,
	FROM_ENCODED_ADDRESS = 1 << 10, /* an encoded word where an address stands */
	FROM_MIXED_SCRIPTS = 1 << 11, /* one label or word of letters of several scripts */
	FROM_NO_DOMAIN = 1 << 12, /* an address literal, or no domain name */
	FROM_UNSEEN = 1 << 13, /* not all of the header was seen */
	FROM_LIMIT = 1 << 14, /* more mailboxes or domains than are read, or a longer name */
	FROM_UNKNOWN_CHARSET = 1 << 15, /* an encoded word that is not read here */
	FROM_FLAG_N = 16,
};

enum { VERDICT_AUTHORS_MAX = 8 };

struct verdict_from {
	struct bytes display; /* decoded UTF-8, of the first mailbox; p NULL: none */
	struct bytes address; /* local@domain as it stands, of the first mailbox; empty: none */
	struct bytes local;
	struct bytes domain[VERDICT_AUTHORS_MAX]; /* distinct author domains, A-labels, lower case
						     */
	uint8_t n_shown; /* of domain[]: those of every possible reading of From: */
	uint8_t n_domain; /* exactly 1 where DMARC may judge; n_shown, or 0 where more than one
			     reading is possible (malformed, repeated, cut, no domain name) */
	uint32_t flags; /* enum verdict_from_flag */
	uint32_t mailboxes;
};

struct verdict_forged { /* a protected name that From: shows */
	const char *dictionary;
	struct bytes name;
	uint8_t score; /* 1..100 */
};

struct verdict_asked { /* a check that asks for more than accept, or for a score or a tag with it */
	const char *check; /* spf, sender_id, dkim, arc, dmarc, names, score */
	const char *profile;
	uint8_t action; /* enum verdict_action */
	const char *reason; /* word of a fixed list */
	struct bytes reply; /* all lines, CRLF between; empty: none */
	struct bytes quarantine, tag; /* where; what the subject would get; empty: none */
	uint32_t score; /* tenths */
};

enum { VERDICT_ASKED_MAX = 24 }; /* three identities, dkim, dmarc, score, a match each of names */

struct verdict_headers { /* whole fields "Name: value" without the final line end, CRLF in folds */
	struct bytes authentication_results;
	struct bytes received_spf[SPF_IDENTITY_N]; /* p NULL: that identity was not checked */
	struct bytes dmarc_fail_policy; /* X-Postern-DMARC-Fail-Policy */
	uint32_t forged_results; /* Authentication-Results fields that claim to be ours */
	uint32_t forged_policy; /* X-Postern-DMARC-Fail-Policy fields that came in */
};

struct verdict_evidence { /* one answer of the DNS that the verdict rests on */
	struct bytes name;
	uint16_t type; /* RR type number */
	uint8_t status; /* enum answer_status of verify/dns/question.h */
	bool secure;
	uint32_t ttl_s;
	uint32_t n;
	const struct bytes *data; /* as in struct answer_rr */
};

enum { VERDICT_FIELD_MAX = 16 }; /* From: or To: fields kept for the record */

struct verdict_email { /* fields unfolded, otherwise as on the wire; encoded words are the output's
			*/
	struct bytes from[VERDICT_FIELD_MAX], to[VERDICT_FIELD_MAX];
	uint8_t n_from, n_to;
	struct bytes subject, message_id, date; /* p NULL: absent */
};

struct verdict {
	uint8_t sha256[32];
	bool has_sha256; /* false: nothing was hashed (a figure of the benchmark) */
	struct verdict_email email;
	struct dkim_result *dkim; /* in the order of their fields */
	uint32_t n_dkim;
	uint32_t dkim_seen; /* signature fields in the header; over n_dkim when the cap cut */
	struct verdict_from from;
	struct spf_result spf[SPF_IDENTITY_N]; /* by enum spf_identity */
	struct arc_result arc;
	struct dmarc_result dmarc;
	struct verdict_forged *forged;
	uint32_t n_forged;
	uint8_t checks; /* bits of enum verdict_check: those that were made */
	uint8_t action; /* enum verdict_action */
	const char *result; /* clean, flagged, unverifiable, ... */
	const char *reason; /* NULL when clean */
	uint32_t score; /* tenths */
	struct bytes reply; /* of the asked that chose the action; empty: none */
	uint8_t n_asked;
	struct verdict_headers headers;
	const struct verdict_evidence *evidence; /* in the order of asking; where it is asked for */
	uint32_t n_evidence;
	bool evidence_cut; /* there were more than there is room for */
	struct verdict_asked asked[VERDICT_ASKED_MAX]; /* n_asked of them, the strictest first */
};

enum verdict_check {
	VERDICT_DKIM = 1 << 0,
	VERDICT_SPF = 1 << 1,
	VERDICT_ARC = 1 << 2,
	VERDICT_DMARC = 1 << 3,
	VERDICT_NAMES = 1 << 4,
};

/* Each a static string: the RFC 8601 word; accept, flag, ...; helo, mailfrom, pra; none, ...; NULL
 * for a bit without a word. */
const char *auth_result_name(enum auth_result r);
const char *verdict_action_name(enum verdict_action a);
const char *spf_identity_name(enum spf_identity i);
const char *dmarc_policy_name(enum dmarc_policy p);
const char *verdict_from_flag_name(enum verdict_from_flag flag);
