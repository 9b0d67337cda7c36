/*
 * crowd - how many questions are open under one domain, so that one cannot take the place of all.
 *
 * At most CROWD_FLIGHTS questions of a domain are under way at once; at 100 ms an answer that lets
 * 2,560 a second through for each domain. Others wait for these, and for one question several
 * messages wait: of all that wait for a domain there are at most asks_max, more are refused.
 * One thread; no heap but in crowd_new.
 */
#pragma once

#include "base/bytes.h"

enum { CROWD_FLIGHTS = 256 };

struct crowd;

struct crowd_domain {
	void *first, *last; /* who waits for a place: a list of the caller's */
	struct crowd_domain *next_ready; /* the caller's */
	bool ready; /* the caller's: it is on that list, and not forgotten meanwhile */
	uint32_t flights, asks; /* under way; all that wait, with those in the list */
	uint64_t key;
	struct crowd_domain *next; /* in its bucket, or spare */
};

enum crowd_place {
	CROWD_GO, /* one more is under way */
	CROWD_WAIT, /* until another is over */
	CROWD_REFUSED,
};

/* flights: under way in all. NULL when out of memory. */
struct crowd *crowd_new(uint32_t flights, uint32_t asks_max);
void crowd_free(struct crowd *c);

/* key: seeded hash of the domain. Never NULL while fewer than `flights` are under way. */
struct crowd_domain *crowd_of(struct crowd *c, uint64_t key);
/* Somebody asks what nobody has asked. Refused where the domain was new it is forgotten. */
enum crowd_place crowd_ask(struct crowd *c, struct crowd_domain *d);
/* Somebody waits for what is under way. False: refused. */
bool crowd_join(struct crowd *c, struct crowd_domain *d);
/* One who waited in the list goes. */
void crowd_go(struct crowd_domain *d);
/* So many are over, questions and those who waited for them; d may be gone. */
void crowd_end(struct crowd *c, struct crowd_domain *d, unsigned flights, unsigned asks);
