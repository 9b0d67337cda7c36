/*
 * signature - one DKIM-Signature field, taken apart and checked (RFC 6376 sections 3.5 and 6.1.1).
 *
 * What depends on the clock, the key or settings is not decided here.
 */
#pragma once

#include "base/arena.h"
#include "verify/auth/reason.h"
#include "verify/kernel/hash.h"

enum { SIGNATURE_TIME_NONE = -1 };

struct signature {
	enum reason reason; /* REASON_NONE: well-formed */
	uint8_t type; /* enum pubkey_type */
	uint8_t hash; /* enum hash_algorithm */
	uint8_t header_canon, body_canon; /* enum canon_kind */
	bool has_length;
	uint64_t length; /* l= */
	int64_t time_s, expires_s; /* t=, x=; SIGNATURE_TIME_NONE: absent */
	struct bytes domain, selector, algorithm,
		identity; /* as they stand; empty: absent or unknown */
	struct bytes begin; /* first 8 octets of b=, blanks removed */
	struct bytes d, s, i; /* A-labels of d=, s= and of i='s domain, NUL-terminated */
	struct bytes header_list; /* h= */
	struct bytes raw_b; /* what is to be left out of the field: all between "b=" and ";" */
	struct bytes b; /* decoded */
	uint8_t bh[HASH_DIGEST_MAX];
};

/* value: the field behind its colon, without final line end; borrowed for the life of s. False: the
 * arena is full. */
bool signature_parse(struct signature *s, struct bytes value, struct arena *arena);
