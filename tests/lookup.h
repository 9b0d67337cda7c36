/*
 * lookup - drives a check that asks the DNS: its questions are answered out of a zone text.
 *
 * As the engine does, the check is run from its start until nothing is open, and its arena is
 * rewound (and what it took is spoilt) whenever questions were. A check that says so while none is
 * open, or takes over LOOKUP_ROUNDS_MAX rounds, fails the test.
 */
#pragma once

#include "verify/dns/known.h"

enum { LOOKUP_ROUNDS_MAX = 2000, LOOKUP_BUDGET = 200 };

enum lookup_mode {
	LOOKUP_ALL, /* all open questions are answered each round */
	LOOKUP_ONE, /* only the last one, so that the check runs with every part of the answers */
};

struct lookup {
	enum lookup_mode mode; /* set by the test */
	struct known known; /* for the check; the test may set its fields up to budget */
	struct arena arena; /* for the check; what the test took before lookup_run stays */
	unsigned rounds, questions; /* of the last lookup_run */
	struct zone *zone;
	void *memory;
};

/* text: a master file, names absolute, as in verify/dns/zone.h; ends the program when it is none. */
struct lookup *lookup_new(const char *text);
void lookup_free(struct lookup *l);

/* Forgets everything that was asked and taken, and sets budget, clock and TTLs anew: the next check
 * is another message. Keeps mode, known.records and known.trace. */
void lookup_again(struct lookup *l);

/* One run of the check: true when it is done, false when questions are open. */
typedef bool lookup_step(void *ctx);

/* Runs step to its end; known is mostly &l->known. False: it has failed (the test is told). */
bool lookup_run(struct lookup *l, struct known *known, lookup_step *step, void *ctx);
/* The same: NULL, or what is wrong with the check. */
const char *lookup_fault(struct lookup *l, struct known *known, lookup_step *step, void *ctx);
