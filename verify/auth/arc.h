/*
 * arc - the Authenticated Received Chain of one message (RFC 8617), step by step like dkim.h.
 *
 * arc_begin takes the sets apart; arc_ask until no question is open; arc_prepare, behind that of
 * DKIM; arc_hash gives jobs for the hash queue until none; when these are back, arc_pubkey gives
 * jobs for the key queue; when these are back, arc_end gives the result. Over the same
 * canonicalization, digests, keys and queues as DKIM; a body digest that DKIM computes too is
 * computed once. At most ARC_SETS_MAX sets; where the structure or a field decides, nothing is asked
 * or hashed. The seal of set i covers sets 1 to i, so N seals in a header of H octets hash at most
 * H * (N + 1) / 2; of the message signatures only the newest counts for the chain, the older ones
 * tell oldest_pass and are looked at while all that they cover is not over ARC_OLDER_OCTETS_MAX and
 * their bodies make at most ARC_BODIES_MAX digests with the newest one's.
 *
 * Any failure is final (section 5.2.1), but for keys that could not be asked for (temperror) and
 * octets that were not seen (unverifiable): if nothing else fails, the result is that. Seals are
 * checked without the body. rsa-sha1 never passes; sizes, skew and l= are those of the DKIM profile.
 * Not handled: several algorithms in one instance (draft-ietf-dmarc-arc-multi) are a field too many.
 */
#pragma once

#include "base/list.h"
#include "verify/auth/dkim.h"

enum { ARC_OLDER_OCTETS_MAX = 1024 * 1024, ARC_BODIES_MAX = 3 };

struct arc_check { /* a seal or a message signature */
	struct signature sig;
	uint16_t field;
	bool wanted; /* it is to be computed */
	bool hashed; /* its digests are there */
	struct keyset_key *key;
	struct covered_body *body; /* NULL: a seal */
	struct covered_header hash;
	struct pubkey_job pubkey;
};

struct arc_fields { /* one set, as checked */
	struct arc_check seal, message;
	struct bytes payload; /* of the authentication results */
};

struct arc_setup { /* all borrowed until arc_end */
	struct dkim_setup dkim; /* the same things, with the owner of the jobs */
	struct dkim *shared; /* whose body digests may be used; NULL: none */
	const struct list *sealers; /* trusted; NULL: nobody is */
};

struct arc {
	struct arc_setup setup;
	enum reason reason; /* of the structure */
	uint8_t highest; /* instance that was seen */
	uint8_t n; /* sets; 0: there is none, or reason says why */
	bool some; /* there is a field of ARC */
	bool decided; /* it fails, whatever keys and octets say */
	uint16_t next_hash, next_check;
	struct arc_fields *set; /* by instance - 1 */
	uint16_t *order; /* fields as seals cover them */
	struct keyset keys;
	struct covered_bodies bodies;
};

/* False: the arena is full; then only arc_abort may follow. */
bool arc_begin(struct arc *a, const struct arc_setup *setup);

/* False: questions are open; ask again when they are answered. */
bool arc_ask(struct arc *a);

/* arc_ask was true, and dkim_prepare of the shared one is over: draws the conclusions and prepares
 * the digests. False: the arena is full. */
bool arc_prepare(struct arc *a);
/* The next job to submit, NULL: that was all. */
struct hash_job *arc_hash(struct arc *a);
struct pubkey_job *arc_pubkey(struct arc *a);

/*
 * Gives verdict->arc, whose sets live in the arena, counts it and tells the trace. trusted_pass: the
 * newest seal's d= is on the list; its set says that DMARC passed (aar_dmarc), for the author's
 * domain where it names one and verdict->from has one; its message signature covers From, and the
 * whole body unless the profile honours l=; and neither key is in test mode. That SPF or DKIM passed
 * without DMARC is not enough: what they were aligned with is not told. False: the arena is full.
 * Releases the keys.
 */
bool arc_end(struct arc *a, struct verdict *verdict);
/* Releases the keys without a result; no job may be out. */
void arc_abort(struct arc *a);
