/*
 * crowd - how many questions are open under one domain, so that one cannot take the place of all.
 *
 * At most CROWD_FLIGHTS questions of a domain are under way at once, and CROWD_ASKS messages wait for
 * them (a message counts for each question); more are refused. At 100 ms an answer that lets 2,560
 * different questions a second through for each domain. One thread; no heap but in crowd_new.
 */
#pragma once

#include "base/bytes.h"

enum { CROWD_FLIGHTS = 256, CROWD_ASKS = 2048 };

struct crowd;
struct crowd_domain;

/* n: questions under way in all. NULL when out of memory. */
struct crowd *crowd_new(uint32_t n);
void crowd_free(struct crowd *c);

/* A question begins, for one message; NULL: refused. key: seeded hash of the domain. Never over n. */
struct crowd_domain *crowd_begin(struct crowd *c, uint64_t key);
/* A message more waits for it. False: refused. */
bool crowd_join(struct crowd_domain *d);
/* The question is over, for all of its messages. */
void crowd_end(struct crowd *c, struct crowd_domain *d, unsigned asks);
