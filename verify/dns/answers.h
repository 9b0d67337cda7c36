/*
 * answers - answers of the DNS that were kept with the records of messages, as a source of answers.
 *
 * Filled before anything is judged, immutable after that and read by any thread. A message gets
 * what its own record holds: that of the same connection and place in it, or of the same file and
 * place in it with the same SHA-256, else one of the same SHA-256. Whatever is not in it was not
 * answered then, and is a timeout. A message without a record gets what all records agree on.
 */
#pragma once

#include "base/message.h"
#include "verify/dns/question.h"

struct answers;

struct answers_record { /* of one message */
	bool wire; /* flow_id and tx_id are there */
	bool has_sha256;
	uint8_t sha256[32];
	uint64_t flow_id;
	uint32_t tx_id;
	struct bytes
		source; /* file and place, where it is not from the wire; borrowed for the call */
	uint64_t time_ns; /* when it was judged, or captured */
	bool cut; /* not all of its answers were kept */
};

/* NULL when out of memory. */
struct answers *answers_new(void);
void answers_free(struct answers *a);

/* What is added from now on is of this record. 0 or -ENOMEM. */
int answers_begin(struct answers *a, const struct answers_record *record);
/* Copies both. 0, -ENOMEM, or -EEXIST: another record of this very message has another answer. */
int answers_add(struct answers *a, const struct question *q, const struct answer *answer);

struct answers_own { /* whose answers a message gets; 0: no record is its own */
	uint32_t place, octets;
	uint64_t time_ns; /* of its record; 0: there is none */
	uint32_t first, n; /* answers of its record: for answers_kept */
	bool cut; /* which has not all of them */
};

/* Reads the message's octets where they were all kept. */
struct answers_own answers_own(const struct answers *a, const struct message *m);

/* The i-th answer of the message's own record, in its order; i under own->n. Borrowed from a. */
const struct answer *answers_kept(const struct answers *a, const struct answers_own *own,
				  uint32_t i, const struct question **q);

/* Never NULL; lives as long as a. */
const struct answer *answers_find(const struct answers *a, const struct answers_own *own,
				  const struct question *q);
