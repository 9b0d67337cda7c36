/*
 * hostile - messages and DNS answers made to cost a receiver much, one row each, and an engine with
 * every check on to judge them.
 *
 * The same rows are measured by bench/bench_worst.c and judged by tests/test_hostile.c. Messages fill
 * the largest header that is kept (MESSAGE_HEADER_MAX), or a share of it.
 */
#pragma once

#include "verify/verify.h"

enum { HOSTILE_RULES_MAX = 64 };

struct hostile { /* one message and the DNS it meets */
	const char *name;
	unsigned share; /* 1: the whole size */
	struct message m;
	struct {
		struct bytes tail; /* of the names it stands for */
		uint16_t type;
		struct answer answer;
	} rule[HOSTILE_RULES_MAX];
	unsigned n_rules;
	uint8_t *memory; /* of the message and the answers */
	size_t used;
	uint8_t *text; /* the message in the making */
	size_t n;
};

/* Row 0 is a usual message, the yardstick. NULL: there is no such row. Ends the program when memory
 * is short. share: what is many is one of so many times as many. */
struct hostile *hostile_new(unsigned row, unsigned share);
/* The row of that name; ends the program where there is none. */
struct hostile *hostile_named(const char *name, unsigned share);
void hostile_free(struct hostile *h);

/* m's octets from text, of which the first part to the empty line is the header. Copied. */
void hostile_message(struct hostile *h, struct bytes text);

/* The rule with the longest tail, of equals the first; a name without one does not exist. */
const struct answer *hostile_answer(const struct hostile *h, const struct question *q);

/* Every check on, all three SPF identities with explanations, relays, trusted sealers, and a
 * dictionary of so many names. Ends the program when memory is short. */
struct hostile_site *hostile_site_new(unsigned names);
struct config *hostile_site_config(struct hostile_site *s);
void hostile_site_free(struct hostile_site *s);

enum hostile_order {
	HOSTILE_AT_ONCE, /* all open questions are answered, then the checks go on */
	HOSTILE_ONE, /* one, the oldest, then they go on */
	HOSTILE_SILENT, /* none; the deadline passes */
};

/* Judges to the end and adds what was answered to *asked. Gives a slot to verify_end. */
struct verify *hostile_judge(struct hostile *h, struct verify_engine *e, uint64_t clock_s,
			     enum hostile_order order, unsigned *asked);
