/*
 * verify - one message through all checks: the row of stages between a message and its verdict.
 *
 * An engine belongs to one verify worker: hash queue, public-key queue, cache of parsed keys, slots
 * with their arenas; all memory at verify_engine_new. No I/O: what must be asked is told by
 * verify_question and comes back by verify_answer. Hashing and public-key work of many messages
 * goes through queues (submit / poll / flush), so a step may end BUSY and go on when verify_poll
 * names the message again.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/stats.h"
#include "base/verdict.h"
#include "verify/question.h"

struct verify; /* one message in verification: a slot of the engine */
struct verify_engine;

enum verify_state {
	VERIFY_ASK, /* answer all open questions, or verify_give_up, then step again */
	VERIFY_BUSY, /* octets or keys are in a queue: verify_poll will name it */
	VERIFY_DONE, /* m->verdict stands */
};

enum { VERIFY_QUESTIONS_MAX = 64 };

/* slots: messages at once. Borrows stats for its life, cfg until verify_engine_config. NULL when
 * out of memory. */
struct verify_engine *verify_engine_new(const struct config *cfg, unsigned slots,
					struct stats *stats);
void verify_engine_free(struct verify_engine *e);
/* From now on: borrows cfg until the next call. Messages that are in it keep what they were begun
 * with. */
void verify_engine_config(struct verify_engine *e, const struct config *cfg);

/* Borrows m until verify_end. NULL when no slot is free. clock_s: the present, for TTLs only. */
struct verify *verify_begin(struct verify_engine *e, struct message *m, uint64_t clock_s);

enum verify_state verify_step(struct verify_engine *e, struct verify *v, uint64_t clock_s);

/* After ASK: the i-th open question, NULL behind the last. Borrowed until the next step. */
const struct question *verify_question(const struct verify *v, unsigned i);

/* Answers question i. Borrows the answer until verify_end. */
void verify_answer(struct verify *v, unsigned i, const struct answer *answer);

/* The deadline passed or there is no way to ask: every unanswered question, now and later, is a
 * timeout. */
void verify_give_up(struct verify *v);

/*
 * Drives the queues. flush: do not wait for more jobs to fill lanes and batches. Returns a message
 * that left BUSY: step it; NULL: none did.
 */
struct verify *verify_poll(struct verify_engine *e, bool flush);

/*
 * The rule behind m->verdict: action, result, reason.
 * A passing signature, or none at all: accept, clean. Else, of the signatures whose key is not in
 * test mode (t=y counts as unsigned, RFC 6376 section 3.6.1), a fail, policy or permerror: flag,
 * flagged, with dkim_fail, dkim_policy or dkim_permerror, the first of these that is there. Else
 * temperror or unverifiable: accept, unverifiable, with dkim_temperror or dkim_unverifiable.
 * Without a signature found, accept and unverifiable too when there may be one: no_header, the
 * header section was not seen whole; header_limit, it is over a limit. no_space: the slot was too
 * small for it, which also sets MESSAGE_UNVERIFIED.
 */

/* The message was written and comes back: the slot and m->verdict are free. The caller releases the
 * answers. */
void verify_end(struct verify_engine *e, struct verify *v);

struct message *verify_message(const struct verify *v);
/* For the worker's own use: a pointer kept with the slot, NULL at verify_begin. */
void **verify_user(struct verify *v);
