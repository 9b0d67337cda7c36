/*
 * checks - the row of checks of one message: From:, SPF, DKIM, ARC, DMARC, forged names; then what
 * the profiles want done, our own header fields and the evidence.
 *
 * checks_begin; checks_ask until no question is open; checks_prepare; checks_hash gives jobs for the
 * hash queue until none; when these are back, checks_pubkey gives jobs for the key queue; when these
 * are back, checks_end fills the verdict. What a check asks for goes through one `known`, with one
 * budget; each check has its own deadline.
 */
#pragma once

#include "verify/auth/arc.h"
#include "verify/auth/dkim.h"
#include "verify/auth/origin.h"
#include "verify/auth/pra.h"
#include "verify/policy.h"

enum {
	CHECKS_KNOWN = 512 * 1024, /* octets for names that were asked for */
	CHECKS_EVIDENCE_MAX = 256 * 1024, /* octets of answers the record may hold */
};

/* Those in force for all mail. */
struct checks_profiles {
	const struct dkim_profile *dkim;
	const struct spf_profile *spf;
	const struct dmarc_profile *dmarc;
	const struct list *relays, *sealers; /* NULL: none */
	struct policy_lists lists;
};

struct checks_setup { /* all borrowed until checks_end or checks_abort */
	const struct config *cfg;
	const struct checks_profiles *profiles;
	const struct message *message;
	const struct header *header;
	struct arena *arena;
	void *memory; /* CHECKS_KNOWN octets */
	struct records *records; /* NULL: nothing is kept */
	struct keys *keys;
	struct pubkey_queue *queue;
	const struct canon_ops *canon; /* NULL: scalar */
	const struct base64_ops *base64; /* NULL: scalar */
	struct stats *stats;
	struct trace *trace; /* NULL: nobody looks */
	void *owner; /* of the jobs */
	uint64_t clock_s; /* for TTLs */
};

struct checks {
	struct checks_setup setup;
	struct known known;
	struct origin origin;
	struct pra pra;
	bool has_pra;
	struct dkim dkim;
	struct arc arc;
	uint8_t made; /* enum verdict_check: what is checked */
	uint8_t open; /* of these: what still has questions */
	bool dkim_on, arc_on; /* begun and not ended */
	uint64_t now_s;
};

/* Finds profiles and lists by the names in cfg; those it does not name are the first. */
void checks_profiles(struct checks_profiles *p, const struct config *cfg);

/* Fills verdict->from. False: the arena is full; then only checks_abort may follow. */
bool checks_begin(struct checks *c, const struct checks_setup *setup, struct verdict *verdict);

/* False: questions are open (known_take, known_settle); ask again when some are answered. */
bool checks_ask(struct checks *c, struct verdict *verdict, uint64_t clock_s);

/* Milliseconds from the first question to the next deadline of a check; UINT32_MAX: none has one. */
uint32_t checks_deadline_ms(const struct checks *c);
/* So many milliseconds went by: checks whose deadline passed get no more answers. */
void checks_late(struct checks *c, uint32_t ms);

/* No more answers for any of them. */
void checks_give_up(struct checks *c);

/* False: the arena is full. */
bool checks_prepare(struct checks *c);
struct hash_job *checks_hash(struct checks *c);
struct pubkey_job *checks_pubkey(struct checks *c);

/* Fills the verdict. False: the arena is full. Releases the keys; known stays until checks_abort. */
bool checks_end(struct checks *c, struct verdict *verdict);

/* Releases everything; no job may be out. */
void checks_abort(struct checks *c);
