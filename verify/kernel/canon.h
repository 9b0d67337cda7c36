/*
 * canon - the canonical forms of RFC 6376 section 3.4, of a message's body and of one header field.
 *
 * Resumable at every octet. Empty lines at the end are held back as a number, never as octets.
 * Input must be free of dot-stuffing. Only CRLF ends a line: a bare CR or a bare LF is an octet
 * like any other. One call writes at most cap octets and takes what fits; a call may write more
 * than it was given, since held empty lines come out when a line with content follows. Over the
 * whole, output is never longer than input plus the CRLF of a last line without one. The scalar code
 * is the truth; a kernel takes what follows a first octet of content, and what it leaves is scalar's.
 */
#pragma once

#include "base/bytes.h"
#include "base/cpu.h"

enum canon_kind { CANON_SIMPLE, CANON_RELAXED };

enum { CANON_ROOM = 16 }; /* least cap; so many octets at the end of out may stay unused */

/*
 * Drops every blank in front of a blank or a CRLF and makes those that stay SP; nothing is held in
 * front of p[0]. What follows p[0..n) is taken for another octet. Returns octets written, at most
 * cap; *used: octets read, fewer than n when out is full, maybe none.
 */
typedef size_t canon_relaxed_fn(const uint8_t *p, size_t n, uint8_t *out, size_t cap, size_t *used);

struct canon_ops {
	canon_relaxed_fn *relaxed; /* NULL: scalar only, for simple too */
	enum cpu_level level;
};

/* The fastest kernel up to level that is built in, allowed by CPUID and passes its self-test. */
void canon_ops_init(struct canon_ops *ops, enum cpu_level level);

struct canon {
	const struct canon_ops *ops; /* NULL: scalar */
	uint8_t kind; /* enum canon_kind */
	bool cr; /* a CR was taken and what follows it is not known */
	bool blank; /* relaxed: blanks were taken and not given out */
	bool some; /* an octet other than a line end was given out */
	bool ended; /* canon_end gave the last line end */
	uint64_t held; /* CRLFs taken and not given out */
	uint64_t total; /* canonical octets so far, also those behind limit */
	uint64_t limit; /* octets given out at most (l=) */
};

/* Borrows ops as long as c. limit: UINT64_MAX for all of the body. */
void canon_init(struct canon *c, const struct canon_ops *ops, enum canon_kind kind, uint64_t limit);

/*
 * Takes from the front of *in, writes to out; cap at least CANON_ROOM. Returns octets written, 0
 * behind the limit, where total goes on counting. Call again while in->n is not 0.
 */
size_t canon_body(struct canon *c, struct bytes *in, uint8_t *out, size_t cap);

/* The body ends here: gives the rest. Call until canon_ended. */
size_t canon_end(struct canon *c, uint8_t *out, size_t cap);

/*
 * What follows is missing: gives only what is sure, the line end of a line that had one. total then
 * tells how many octets are known. cap at least CANON_ROOM.
 */
size_t canon_cut(struct canon *c, uint8_t *out, size_t cap);

static inline bool canon_ended(const struct canon *c)
{
	return c->ended;
}

/* Relaxed form of one header field; all-zero is the start. Its folds and its own line end are
 * dropped. */
struct canon_field {
	bool value; /* the colon was seen */
	bool cr, blank, some;
};

/* As canon_body. The result is never longer than the field and two octets. Scalar at every level:
 * lines of header fields are too short for a kernel to win. */
size_t canon_field(struct canon_field *c, struct bytes *in, uint8_t *out, size_t cap);

/* The field ends here. crlf: with its line end (section 3.7: all but the signature's own field). */
size_t canon_field_end(struct canon_field *c, bool crlf, uint8_t *out, size_t cap);

canon_relaxed_fn canon_relaxed_avx2, canon_relaxed_avx512;
