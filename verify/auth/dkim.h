/*
 * dkim - the DKIM signatures of one message (RFC 6376, 8301, 8463, 8616), step by step.
 *
 * dkim_begin takes the fields apart; its questions are answered or given up; dkim_hash gives jobs
 * for the hash queue until none; when these are back, dkim_pubkey gives jobs for the key queue;
 * when these are back, dkim_end gives the results. The caller owns the queues and submits. The cap
 * counts fields before anything is parsed: of more than dkim_signatures_max (DKIM_SIGNATURES_MAX at
 * most) the uppermost, which are the latest, are checked. Results are in the order of the fields;
 * the keys of signatures aligned with From: are asked for first. What h= names is taken from the
 * bottom; the field being checked is never part of it. Bodies are canonicalized and hashed once per
 * distinct (form, l=, hash). A signature over octets that were not seen is `unverifiable`, unless
 * l= ends in front of the first hole.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/stats.h"
#include "verify/auth/header.h"
#include "verify/auth/keys.h"
#include "verify/auth/octets.h"
#include "verify/auth/signature.h"
#include "verify/kernel/canon.h"

enum { DKIM_SIGNATURES_MAX = 64 };

struct dkim_key { /* one distinct name */
	struct question question;
	struct key *key; /* NULL: not known */
	struct key own; /* where the cache could not keep it */
	bool cached; /* key is in use in the cache */
	bool open; /* not known at dkim_begin */
};

struct dkim_body { /* one distinct body hash */
	struct hash_job job;
	struct canon canon;
	struct octets octets;
	struct bytes piece; /* taken and not canonicalized */
	bool cut; /* the body was not seen to its end */
};

struct dkim_check {
	struct signature sig;
	uint16_t field;
	bool aligned;
	bool hashed; /* its digests are there */
	struct dkim_key *key;
	struct dkim_body *body;
	/* the header hash */
	const struct header *header;
	uint16_t *cover; /* fields in the order of h= */
	uint16_t n_cover, at;
	uint8_t part; /* of the field's own octets: in front of b=, behind it, none */
	struct canon_field canon;
	struct bytes piece;
	bool fed; /* piece is of field `at` */
	struct hash_job hash;
	struct pubkey_job pubkey;
};

struct dkim_setup { /* all borrowed until dkim_end */
	const struct config *cfg;
	const struct message *message;
	const struct header *header;
	struct arena *arena;
	struct keys *keys;
	struct pubkey_queue *queue; /* for parsing keys */
	struct stats *stats;
	void *owner; /* of the jobs */
	uint64_t now_s; /* for t= and x= */
	uint64_t clock_s; /* for TTLs */
};

struct dkim {
	struct dkim_setup setup;
	struct dkim_check *check;
	struct dkim_key *key;
	struct dkim_key *open[DKIM_SIGNATURES_MAX];
	struct dkim_body *body;
	uint16_t *cursor; /* by number of a name: the next field to cover */
	uint32_t seen; /* signature fields in the header */
	uint16_t n, n_keys, n_bodies, n_open;
	uint16_t next_hash, next_check;
};

/* False: the arena is full; then only dkim_abort may follow. */
bool dkim_begin(struct dkim *d, const struct dkim_setup *setup);

/* The i-th question, NULL behind the last; the same until dkim_end. */
const struct question *dkim_question(const struct dkim *d, unsigned i);
/* Borrows the answer for the call. */
void dkim_answer(struct dkim *d, unsigned i, const struct answer *answer);
/* No answer will come for what is still open. */
void dkim_give_up(struct dkim *d);
/* Questions without an answer. */
unsigned dkim_waiting(const struct dkim *d);

/* All questions are settled: draws the conclusions and prepares the digests. False: the arena is
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
