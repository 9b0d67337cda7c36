/*
 * signature - one DKIM-Signature field, taken apart and checked (RFC 6376 sections 3.5 and 6.1.1),
 * or one ARC-Message-Signature or ARC-Seal (RFC 8617 sections 4.1.2 and 4.1.3).
 *
 * Of ARC, v= is no tag, i= is the instance, h= of a message signature may be empty, have empty names
 * and leave out From (RFC 8617 asks for nothing else). Without c= a message signature is relaxed in
 * both, as dkimpy and the public test suite of ARC have it; RFC 8617 leaves it with DKIM, simple.
 * A seal is relaxed whatever c= says.
 * What depends on the clock, the key or settings is not decided here.
 */
#pragma once

#include "base/arena.h"
#include "verify/auth/reason.h"
#include "verify/header/taglist.h"
#include "verify/kernel/base64.h"
#include "verify/kernel/hash.h"

enum { SIGNATURE_TIME_NONE = -1 };

enum signature_kind { SIGNATURE_DKIM, SIGNATURE_MESSAGE, SIGNATURE_SEAL };

struct signature {
	enum reason reason; /* REASON_NONE: well-formed */
	uint8_t type; /* enum pubkey_type */
	uint8_t hash; /* enum hash_algorithm */
	uint8_t header_canon, body_canon; /* enum canon_kind */
	uint8_t instance; /* of ARC: 1..50 */
	uint8_t cv; /* of a seal: enum auth_result: none, fail, pass; permerror: something else */
	bool has_from; /* h= has From */
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

/* value: the field behind its colon, without final line end; borrowed for the life of s. base64
 * NULL: scalar. False: the arena is full. */
bool signature_parse(struct signature *s, enum signature_kind kind, struct bytes value,
		     const struct base64_ops *base64, struct arena *arena);

/* i= of an ARC field's tags: 1..50; 0: there is none, or something else. */
uint8_t signature_instance(const struct taglist *t);
/* Two digits at most, 1..50; else 0. */
uint8_t signature_position(struct bytes digits);
