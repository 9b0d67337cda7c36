/*
 * records - answers of the DNS as one verify worker keeps them, with what was parsed of them.
 *
 * A table of sets of RECORDS_WAYS by name and type; in a full set the one used longest ago and not
 * in use gives way. Positive and negative answers are kept for their TTL, at most ttl_max_s, and
 * negative ones RECORDS_NEGATIVE_MAX_S; errors and what does not fit RECORDS_SLOT octets are not
 * kept. No heap after records_new; pages are touched as records come in.
 */
#pragma once

#include "base/arena.h"
#include "verify/dns/question.h"

enum { RECORDS_WAYS = 8, RECORDS_SLOT = 2048, RECORDS_NEGATIVE_MAX_S = 300 };

enum record_kind { RECORD_SPF, RECORD_DMARC, RECORD_KIND_N };

struct record {
	struct answer answer; /* whatever its status */
	struct arena space; /* for what is parsed of it; lives as long as the record */
	const void *parsed[RECORD_KIND_N]; /* of the owner of that kind; NULL: not yet */
};

struct records;

/* n: records at most. NULL when out of memory. */
struct records *records_new(uint32_t n, uint64_t seed);
/* None may be in use. */
void records_free(struct records *records);

/* What is known at clock_s, in use until records_release; else NULL. */
struct record *records_find(struct records *records, const struct question *q, uint64_t clock_s);
/* Keeps a copy and gives it as records_find does; NULL: it must not or cannot be kept. */
struct record *records_put(struct records *records, const struct question *q,
			   const struct answer *answer, uint64_t clock_s, uint32_t ttl_max_s);
void records_release(struct record *record);
