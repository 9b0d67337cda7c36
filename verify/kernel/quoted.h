/*
 * quoted - decoding of quoted-printable text (RFC 2045 section 6.7).
 *
 * Resumable at every octet; all-zero is the start, scalar. "=" and two hexadecimal digits of either
 * case are an octet; "=" at the end of a line, blanks behind it or not, joins it to the next one;
 * blanks at the end of a line are dropped; the end of the text ends a line. A "=" with anything
 * else behind it stays as it is. Only CRLF ends a line: a bare CR or LF is an octet like any other.
 * A line with more than QUOTED_BLANKS_MAX blanks at its end (lines have at most 76 octets) keeps
 * them, which sets many.
 * The scalar code is the truth; a kernel copies runs without "=" and CR.
 * Not handled: "_" for a blank, which is of header fields (RFC 2047).
 */
#pragma once

#include "base/bytes.h"
#include "base/cpu.h"

enum {
	QUOTED_BLANKS_MAX = 124,
	QUOTED_ROOM = 128, /* least cap; so many octets at the end of out may stay unused */
};

/*
 * Copies p[0..n) up to its first "=" or CR; octets of out[0..n) behind the result may be written.
 * Returns octets copied.
 */
typedef size_t quoted_run_fn(const uint8_t *p, size_t n, uint8_t *out);

struct quoted_ops {
	quoted_run_fn *run;
	enum cpu_level level;
};

/* The fastest kernel up to level that is built in, allowed by CPUID and passes its self-test. */
void quoted_ops_init(struct quoted_ops *ops, enum cpu_level level);

struct quoted {
	const struct quoted_ops *ops; /* borrowed; NULL: scalar */
	uint8_t escape; /* 1: "=" was taken; 2: and digit */
	uint8_t digit;
	bool cr; /* a CR was taken and what follows it is not known */
	bool through; /* in or behind a run of blanks too long to be held */
	bool many; /* a line ended in such a run */
	uint8_t blanks; /* taken, and not given out */
	uint8_t blank[QUOTED_BLANKS_MAX];
};

/*
 * Takes from the front of *in, writes to out; cap at least QUOTED_ROOM. Returns octets written;
 * what is behind them in out may be changed. Call again while in->n is not 0. Over the whole, output
 * is never longer than input.
 */
size_t quoted_push(struct quoted *s, struct bytes *in, uint8_t *out, size_t cap);

/* The text ends here: gives the rest, at most QUOTED_ROOM octets, which cap must have room for. */
size_t quoted_end(struct quoted *s, uint8_t *out, size_t cap);

quoted_run_fn quoted_run_avx2;
