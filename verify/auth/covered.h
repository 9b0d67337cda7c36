/*
 * covered - the octets that signatures cover, as hash jobs (RFC 6376 section 3.7): a message's body,
 * and header fields in an order.
 *
 * A body is canonicalized and hashed once for each distinct (form, l=, hash), whoever asks, DKIM or
 * ARC. Jobs pause after BODY_TURN pieces and anywhere in a field. Octets behind a hole are never
 * given out: a body that was not seen to its end is `cut`.
 */
#pragma once

#include "base/message.h"
#include "verify/header/header.h"
#include "verify/header/octets.h"
#include "verify/auth/signature.h"
#include "verify/kernel/canon.h"

struct covered_body { /* one distinct digest */
	struct hash_job job;
	struct canon canon;
	struct octets octets;
	struct bytes piece; /* taken and not canonicalized */
	bool cut; /* the body was not seen to its end */
};

struct covered_bodies {
	const struct message *message; /* borrowed */
	void *owner; /* of the jobs */
	const struct canon_ops *canon; /* borrowed */
	const struct covered_bodies *others; /* borrowed, looked into first; NULL: none */
	struct covered_body *body;
	uint16_t n, max, next;
};

struct covered_header {
	struct hash_job job;
	const struct header *header;
	const uint16_t *field; /* numbers, in the order they are hashed */
	uint16_t n, at;
	uint16_t own; /* the signature's field: the last, without CRLF */
	struct bytes without; /* what is left out of it */
	uint8_t kind; /* enum canon_kind */
	uint8_t part; /* of the own field: in front of what is left out, behind it, none */
	bool fed; /* piece is of field `at` */
	struct canon_field canon;
	struct bytes piece;
};

/* At most max bodies of its own. canon is borrowed as long as b, NULL: scalar. False: the arena is
 * full. */
bool covered_bodies_init(struct covered_bodies *b, const struct message *m, void *owner,
			 const struct canon_ops *canon, const struct covered_bodies *others,
			 uint16_t max, struct arena *arena);
/* The body as s has it hashed; NULL: max are there and it is none of them. */
struct covered_body *covered_body(struct covered_bodies *b, const struct signature *s);
/* The same, but only one that is there. */
struct covered_body *covered_body_find(const struct covered_bodies *b, const struct signature *s);
/* The next job to submit of those of its own, NULL: that was all. */
struct hash_job *covered_bodies_next(struct covered_bodies *b);

/* Why the body of s can not be judged, before anything is hashed; REASON_NONE: it can. */
enum reason covered_body_unseen(const struct message *m, const struct signature *s);
/* The job is back: 6.1.3 step 3. */
enum reason covered_body_judge(const struct covered_body *b, const struct signature *s);
/* Canonical octets covered. */
uint64_t covered_octets(const struct covered_body *b);
/* l= leaves octets uncovered. */
bool covered_partial(const struct covered_body *b, const struct signature *s);

/*
 * Which fields a list of names covers (h=), from the bottom up (5.4.2), never own; a name without a
 * field left is the null string. cursor has room for header->names. Gives their *n numbers, in the
 * arena; NULL: it is full.
 */
const uint16_t *covered_select(const struct header *h, struct bytes list, uint16_t own,
			       uint16_t *cursor, struct arena *arena, uint16_t *n);
/* Borrows header, field and without (which lies in the own field) until the job is back. */
void covered_header_init(struct covered_header *c, const struct header *header,
			 const uint16_t *field, uint16_t n, uint16_t own, struct bytes without,
			 enum canon_kind kind);
