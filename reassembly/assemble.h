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
