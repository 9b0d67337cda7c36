/*
 * verify - one message through all checks: the row of stages between a message and its verdict.
 *
 * An engine belongs to one verify worker: hash queue, public-key queue, caches of parsed keys and of
 * answers, slots with their arenas; all memory at verify_engine_new. What the row of checks does
 * stands in checks.h, the rule behind the verdict in policy.h. No I/O: what must be asked is told by
 * verify_question and comes back by verify_answer. Hashing and public-key work of many messages
 * goes through queues (submit / poll / flush), so a step may end BUSY and go on when verify_drive
 * names the message again.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/stats.h"
#include "base/verdict.h"
#include "verify/dns/question.h"

struct trace;
struct verify; /* one message in verification: a slot of the engine */
struct verify_engine;

enum verify_state {
	VERIFY_ASK, /* questions are open: step again when some are answered or given up */
	VERIFY_BUSY, /* octets or keys are in a queue: verify_drive will name it */
	VERIFY_DONE, /* m->verdict stands */
};

enum { VERIFY_QUESTIONS_MAX = 256 }; /* of one message */

/* slots: messages at once. Borrows stats for its life, cfg until verify_engine_config. NULL when
 * out of memory. */
struct verify_engine *verify_engine_new(const struct config *cfg, unsigned slots,
					struct stats *stats);
void verify_engine_free(struct verify_engine *e);
/* From now on: borrows cfg until the next call, and while messages begun under it are in the engine:
 * cfg->users, where there is one, counts these. */
void verify_engine_config(struct verify_engine *e, const struct config *cfg);

/* Borrows m until verify_end. NULL when no slot is free. clock_s: the present, for TTLs only. */
struct verify *verify_begin(struct verify_engine *e, struct message *m, uint64_t clock_s);

enum verify_state verify_step(struct verify_engine *e, struct verify *v, uint64_t clock_s);

/* After ASK: an open question that was not given before, NULL: there is none. number is for its
 * answer. Borrowed until verify_end. */
const struct question *verify_question(struct verify *v, unsigned *number);

/* It could not be asked: verify_question will give it again. */
void verify_unask(struct verify *v, unsigned number);

/* Borrows the answer until verify_end. */
void verify_answer(struct verify *v, unsigned number, const struct answer *answer);

/* Milliseconds from the first question to the next deadline of a check; UINT32_MAX: none has one. */
uint32_t verify_deadline_ms(const struct verify *v);
/* So many milliseconds went by since: checks whose deadline passed are judged with what is known. */
void verify_late(struct verify *v, uint32_t ms);
/* The deadline of all passed or there is no way to ask: every open question, now and later, is a
 * timeout. */
void verify_give_up(struct verify *v);

enum verify_queue { VERIFY_HASHES = 1, VERIFY_KEYS = 2 }; /* sets of them */
enum { VERIFY_QUEUES = 2, VERIFY_ALL_QUEUES = 3 };

/*
 * Drives the queues. flush: a set of enum verify_queue, which do not wait for more jobs to fill
 * lanes and batches. Returns a message that left BUSY: step it; NULL: none did.
 */
struct verify *verify_drive(struct verify_engine *e, unsigned flush);

/* Both queues flushed or none. */
static inline struct verify *verify_poll(struct verify_engine *e, bool flush)
{
	return verify_drive(e, flush ? VERIFY_ALL_QUEUES : 0);
}

/* The queues that held jobs at the last call and gave none back since. */
unsigned verify_stuck(struct verify_engine *e);

/* The message was written and comes back: the slot and m->verdict are free. The caller releases the
 * answers. */
void verify_end(struct verify_engine *e, struct verify *v);

/* Each message begun from now on writes its steps; borrowed until the next call, NULL: off. For one
 * message at a time. */
void verify_engine_trace(struct verify_engine *e, struct trace *trace);

struct message *verify_message(const struct verify *v);
/* For the worker's own use: a pointer kept with the slot, NULL at verify_begin. */
void **verify_user(struct verify *v);
