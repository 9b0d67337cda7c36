/*
 * assemble - messages in the making: pools of message objects, chunks and envelope strings.
 *
 * One assembler per receive worker, all memory at assembler_new (mapped, touched on use). Used by
 * session and its protocols while a message grows, by the worker to take finished ones and to give
 * them back. A message over limits.message_size keeps its header and a running SHA-256; at most
 * limits.message_size octets are held behind it. When pools are empty a message is cut and flagged,
 * never dropped in silence.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/stats.h"
#include "reassembly/dot.h"
#include "reassembly/textline.h"

struct assembler;

/* Borrows cfg and stats for its life. NULL when out of memory. */
struct assembler *assembler_new(const struct config *cfg, struct stats *stats);
void assembler_free(struct assembler *a);
void assembler_config(struct assembler *a, const struct config *cfg);

/* Gives the next finished message, in the order they ended; NULL: none. */
struct message *assembler_next(struct assembler *a);

/* Takes a message back, with everything in it. */
void assembler_release(struct assembler *a, struct message *m);

/* Messages that are out: given by assembler_next and not released. */
uint32_t assembler_out(const struct assembler *a);

/* The rest is for sessions. */

struct assembler_strings { /* octets of envelope strings, newest block first */
	struct assembler_strings *next;
	uint32_t used;
	_Alignas(8) uint8_t data[]; /* struct message_rcpt lies in it */
};

struct assembler_mark {
	struct assembler_strings *block;
	uint32_t used;
};

/* A message in the making: one transaction, from MAIL (or from its content) to the reply that ends
 * it. */
struct draft {
	struct message m; /* first: assembler_release finds the draft by it */
	struct draft *later; /* the session's next transaction */
	struct dot dot; /* where its content stands */
	struct message_chunk *tail;
	uint64_t held; /* octets in chunks behind the first */
	uint32_t scanned; /* octets of the first chunk in which no header end is */
	bool header_done;
	bool broken; /* a hole or a cut: m.intact stands */
	bool no_room; /* nothing more is kept */

	/* by smtp */
	bool mail_answered, refused, begun, ended, closing, did_data;
	bool unseen; /* its MAIL was not seen */

	struct assembler_strings *strings;
	struct assembler_mark kept; /* the end of strings when no recipient was pending */
	bool grown; /* a string behind that stays */
	struct message_rcpt *rcpt_last, *pending, *pending_last;
	uint32_t n_pending;
};

/* Empty; NULL when there are no more objects (limits.message_max): the caller counts MESSAGE_LOST
 * when it would end. */
struct draft *assembler_begin(struct assembler *a);

/* Keeps a copy of at most MESSAGE_NAME_MAX octets in t; p NULL when there is no memory. */
struct bytes assembler_string(struct assembler *a, struct draft *t, struct bytes b);

/* A recipient without an answer yet. False: not kept (too many, or no memory), only its answer will
 * count. */
bool assembler_rcpt(struct assembler *a, struct draft *t, struct bytes address);
/* The answer to the oldest of those kept. */
void assembler_rcpt_answer(struct assembler *a, struct draft *t, bool accepted);
/* The answer to one that was not kept. */
void assembler_rcpt_overflow(struct draft *t, bool accepted);

/* Content from the wire through t->dot; returns octets read, fewer than n when t->dot.state became
 * DOT_END. */
size_t assembler_data(struct assembler *a, struct draft *t, const uint8_t *p, size_t n);

/* The same for content that no message is kept of. */
size_t assembler_skip(struct assembler *a, struct dot *dot, const uint8_t *p, size_t n);

/* n octets of content were lost, 0: an unknown number. */
void assembler_hole(struct draft *t, uint64_t n);

/* Forgets content and header, keeps the envelope. */
void assembler_drop_content(struct assembler *a, struct draft *t);

/* Takes t: the message is whole as far as it will be, assembler_next gives it. */
void assembler_finish(struct assembler *a, struct draft *t, bool complete);

/* Takes t: no message will be made of it. */
void assembler_drop(struct assembler *a, struct draft *t);

struct textline_pool *assembler_lines(const struct assembler *a);
const struct config *assembler_cfg(const struct assembler *a);
struct stats *assembler_stats(const struct assembler *a);
/* Octets of chunks in use, counted against limits.message_bytes. */
uint64_t assembler_bytes(const struct assembler *a);
/* Drafts and messages in use. */
uint32_t assembler_objects(const struct assembler *a);
