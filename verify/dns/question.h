/*
 * question - what a check wants to know from the DNS, and the answer.
 *
 * Questions are values; answers are made by the resolver, borrowed by a message until it is judged,
 * and given back (resolver_release).
 */
#pragma once

#include "base/bytes.h"

enum question_type { /* RR type numbers */
		     QUESTION_A = 1,
		     QUESTION_PTR = 12,
		     QUESTION_MX = 15,
		     QUESTION_TXT = 16,
		     QUESTION_AAAA = 28,
};

enum { QUESTION_NAME_MAX = 255, ANSWER_OCTETS_MAX = 65536 };

struct question {
	uint16_t type;
	uint8_t len;
	char name[QUESTION_NAME_MAX + 1]; /* A-labels, lower case, no final dot, NUL-terminated */
};

enum answer_status {
	ANSWER_DATA,
	ANSWER_NODATA, /* the name is there, not with this type */
	ANSWER_NXDOMAIN,
	ANSWER_SERVFAIL, /* or refused, bogus, or too large: a temporary error */
	ANSWER_TIMEOUT,
};

struct answer_rr {
	struct bytes data; /* TXT: the strings joined without anything between; else RDATA in wire
			      form, names uncompressed */
};

struct answer {
	uint8_t status; /* enum answer_status */
	bool secure; /* DNSSEC says so */
	uint32_t ttl_s; /* of the data, or of the negative answer */
	uint16_t n;
	const struct answer_rr *rr;
};
