/*
 * dkim - the DKIM signatures of one message (RFC 6376, 8301, 8463, 8616), step by step.
 *
 * dkim_begin takes the fields apart; dkim_ask until no question is open; dkim_prepare; dkim_hash
 * gives jobs for the hash queue until none; when these are back, dkim_pubkey gives jobs for the key
 * queue; when these are back, dkim_end gives the results. The caller owns the queues and submits. The cap
 * counts fields before anything is parsed: of more than signatures_max (DKIM_SIGNATURES_MAX at
 * most) the uppermost, which are the latest, are checked. Results are in the order of the fields;
 * the keys of signatures aligned with From: are asked for first. What h= names is taken from the
 * bottom; the field being checked is never part of it. Bodies are canonicalized and hashed once per
 * distinct (form, l=, hash). A signature over octets that were not seen is `unverifiable`, unless
 * l= ends in front of the first hole. Where the profile skips keys in test mode (t=y), their
 * signatures are `neutral`: RFC 8601 section 2.7.1 has that word for what was not processed.
 */
#pragma once

#include "verify/auth/covered.h"
#include "verify/auth/keyset.h"

enum { DKIM_SIGNATURES_MAX = 64 };

struct dkim_check {
	struct signature sig;
	uint16_t field;
	bool aligned;
	bool hashed; /* its digests are there */
	struct keyset_key *key;
	struct covered_body *body;
	struct covered_header hash;
	struct pubkey_job pubkey;
};

struct dkim_setup { /* all borrowed until dkim_end */
	const struct config *cfg;
	const struct dkim_profile *profile;
	struct known *known;
	const struct message *message;
	const struct header *header;
	const struct verdict_from *from; /* the authors */
	struct arena *arena;
	struct keys *keys;
	struct pubkey_queue *queue; /* for parsing keys */
	const struct canon_ops *canon; /* NULL: scalar */
	const struct base64_ops *base64; /* NULL: scalar */
	struct stats *stats;
	void *owner; /* of the jobs */
	uint64_t now_s; /* for t= and x= */
	uint64_t clock_s; /* for TTLs */
};

struct dkim {
	struct dkim_setup setup;
	struct dkim_check *check;
	struct keyset keys;
	struct covered_bodies bodies;
	uint16_t *cursor; /* by number of a name: the next field to cover */
	uint32_t seen; /* signature fields in the header */
	uint16_t n;
	uint16_t next_hash, next_check;
};

/* False: the arena is full; then only dkim_abort may follow. */
bool dkim_begin(struct dkim *d, const struct dkim_setup *setup);

/* False: questions are open; ask again when they are answered. */
bool dkim_ask(struct dkim *d);

/* dkim_ask was true: draws the conclusions and prepares the digests. False: the arena is
 * full. */
bool dkim_prepare(struct dkim *d);
/* The next job to submit, NULL: that was all. */
struct hash_job *dkim_hash(struct dkim *d);
struct pubkey_job *dkim_pubkey(struct dkim *d);

/* Why signatures of that message may not have been found; REASON_NONE: all of its header was seen.
 */
enum reason dkim_unseen(const struct header *h, const struct message *m);

/*
 * Gives the results, which live in the arena, and counts them: none is `none`, or where signatures
 * may be unseen one `unverifiable`. False: the arena is full. Releases the keys.
 */
bool dkim_end(struct dkim *d, struct verdict *verdict);
/* Releases the keys without a result; no job may be out. */
void dkim_abort(struct dkim *d);
