/*
 * dot - message octets from the wire: copy, undo dot-stuffing, find CRLF.CRLF (RFC 5321 4.5.2).
 *
 * Only CRLF.CRLF ends a message. What other servers might take for an end or a line end is noted in
 * flags and copied as it is. Resumable at every octet; the answer does not depend on the cuts. The
 * final dot line is not given out, the CRLF before it is. Reads src[0..n) only.
 */
#pragma once

#include "base/bytes.h"
#include "base/cpu.h"

enum { DOT_LINE_MAX = 998 }; /* octets of a line before its CRLF, RFC 5322 2.1.1 */

enum dot_state {
	DOT_BOL, /* behind CRLF, or at the start */
	DOT_CR, /* behind a CR that may be followed by LF */
	DOT_MID, /* inside a line */
	DOT_PLAIN_N, /* the states above are all that vector code starts from */
	DOT_LF = DOT_PLAIN_N, /* behind a bare LF or CR and NULs: a line start for a lenient server
			       */
	DOT_DOT, /* a dot at BOL, dropped */
	DOT_DOTCR, /* and a CR, not yet given out */
	DOT_LDOT, /* a dot at a lenient line start, or dot and NULs */
	DOT_END, /* CRLF.CRLF was read */
};

/* All-zero is the start of DATA. With raw set (BDAT, bare files) dots mean nothing and nothing
 * ends. */
struct dot {
	uint8_t state; /* enum dot_state */
	bool raw;
	uint16_t line; /* octets since the last CRLF, held at DOT_LINE_MAX + 2 */
	uint32_t flags; /* MESSAGE_BARE_CR, _BARE_LF, _NUL, _8BIT, _LONG_LINE, _DOT_AMBIGUOUS */
};

/*
 * Copies plain text from the front of src to dst: no dot at a line start, no bare CR or LF, no NUL.
 * Returns the octets copied, fewer than n where the block that follows is not plain. d->state <
 * DOT_PLAIN_N.
 */
typedef size_t dot_plain_fn(struct dot *d, uint8_t *dst, const uint8_t *src, size_t n);

struct dot_ops {
	dot_plain_fn *plain; /* NULL: scalar only */
	enum cpu_level level;
};

/* The fastest kernel up to level that is built in and passes its self-test against scalar. */
void dot_ops_init(struct dot_ops *ops, enum cpu_level level);

/*
 * Copies from src to dst[0..cap); returns the octets given out. *used: octets read, fewer than n
 * when the end was found (d->state is DOT_END) or when fewer than two octets of dst are left.
 */
size_t dot_copy(const struct dot_ops *ops, struct dot *d, uint8_t *dst, size_t cap,
		const uint8_t *src, size_t n, size_t *used);

/* The octets end here without CRLF.CRLF: what is still kept back, at most 1 octet, goes to dst. */
size_t dot_finish(struct dot *d, uint8_t *dst);

dot_plain_fn dot_plain_avx2, dot_plain_avx512;
