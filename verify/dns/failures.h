/*
 * failures - domains whose name servers do not answer, so that nobody waits for them again and
 * again.
 *
 * After `limit` failed questions in a row at or under a domain, questions there are to be left
 * alone for leave_ms; then one goes through, and what becomes of it decides. Any answer there, also
 * that a name does not exist, forgets the failures. Domains counted are the name itself and those
 * above it up to the registrable domain, at most FAILURES_LEVELS; never a public suffix, so that
 * nobody pays for the neighbours in co.uk. At most FAILURES_MAX are remembered: then what failed
 * longest ago is forgotten, before others what is not left alone. One thread; no heap but in
 * failures_new.
 */
#pragma once

#include "verify/dns/suffixes.h"
#include "verify/dns/question.h"

enum {
	FAILURES_MAX = 8192,
	FAILURES_WAYS = 8,
	FAILURES_LEVELS = 8,
	FAILURES_REVERSE4 = 3, /* labels under in-addr.arpa that are one domain: a /24 */
	FAILURES_REVERSE6 = 12, /* under ip6.arpa: a /48 */
};

struct failures;

struct failures_setup {
	uint64_t seed;
	uint32_t limit; /* 0: nothing is ever left alone */
	uint32_t leave_ms;
	uint32_t probe_ms; /* so long the question that goes through may take */
	const struct suffixes *suffixes; /* borrowed; NULL: the last two labels are the registrable
					    domain, three where the two look like co.uk */
};

/* NULL when out of memory. */
struct failures *failures_new(const struct failures_setup *setup);
void failures_free(struct failures *f);

enum failures_advice {
	FAILURES_ASK,
	FAILURES_LEAVE, /* alone: answer SERVFAIL */
	FAILURES_PROBE, /* this is the one question that goes through; the next are left alone */
};

enum failures_advice failures_before(struct failures *f, const struct question *q, uint64_t now_ms);
/* Whether it is left alone, asking nothing. */
bool failures_left_alone(const struct failures *f, const struct question *q, uint64_t now_ms);

/* The question failed for n messages. True: something is left alone from now on. */
bool failures_failed(struct failures *f, const struct question *q, unsigned n, uint64_t now_ms);
/* Its name servers said something. */
void failures_answered(struct failures *f, const struct question *q);

/* A number for the registrable domain of a name, or for the name where it has none. */
uint64_t failures_domain(const struct failures *f, const struct question *q);
