/*
 * verdict - what the checks found out about one message. JSON, table and log lines are made from
 * it.
 *
 * Made by a verify worker in its own memory, borrowed by the output until the message is given
 * back. All strings live as long as the message.
 */
#pragma once

#include "base/bytes.h"

enum auth_result { /* RFC 8601 2.7 words, and unverifiable */
		   AUTH_NONE,
		   AUTH_PASS,
		   AUTH_FAIL,
		   AUTH_POLICY,
		   AUTH_NEUTRAL,
		   AUTH_PERMERROR,
		   AUTH_TEMPERROR,
		   AUTH_UNVERIFIABLE,
		   AUTH_RESULT_N,
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
};

enum { VERDICT_FIELD_MAX = 16 }; /* From: or To: fields kept for the record */

struct verdict_email { /* fields unfolded, otherwise as on the wire; encoded words are the output's
			*/
	struct bytes from[VERDICT_FIELD_MAX], to[VERDICT_FIELD_MAX];
	uint8_t n_from, n_to;
	struct bytes subject, message_id, date; /* p NULL: absent */
};

enum verdict_action { VERDICT_ACCEPT, VERDICT_FLAG };

struct verdict {
	uint8_t sha256[32];
	bool has_sha256; /* false: nothing was hashed (a figure of the benchmark) */
	struct verdict_email email;
	struct dkim_result *dkim; /* in the order of their fields */
	uint32_t n_dkim;
	uint32_t dkim_seen; /* signature fields in the header; over n_dkim when the cap cut */
	uint8_t action; /* enum verdict_action */
	const char *result; /* clean, flagged, unverifiable, ... */
	const char *reason; /* NULL when clean */
};

/* RFC 8601 word, a static string. */
const char *auth_result_name(enum auth_result r);
