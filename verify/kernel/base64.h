/*
 * base64 - decoding of RFC 4648 section 4 text that may be folded: as signatures have it (RFC 6376
 * section 2.10) and as MIME has it (RFC 2045 section 6.8).
 *
 * Resumable at every octet; all-zero is the start of a signature's text, scalar. SP, HTAB, CR and
 * LF are skipped anywhere. Padding may be left out, as the grammar of RFC 6376 has it, but where it
 * stands it must be right and last. The scalar code is the truth; a kernel takes long runs of
 * letters and of what is skipped.
 * Not handled: the URL alphabet; unused bits of the last octet are not looked at; MIME text that is
 * several padded texts behind each other.
 */
#pragma once

#include "base/bytes.h"
#include "base/cpu.h"

struct base64;

/*
 * Decodes p[0..n) from the front, s->bits and s->n carried on, in front of any padding. Stops early
 * at what only scalar judges, or when out may not have room for more; octets of out behind the
 * result may be written. Returns octets written, at most cap; *used: octets read, maybe none.
 */
typedef size_t base64_run_fn(struct base64 *s, const uint8_t *p, size_t n, uint8_t *out, size_t cap,
			     size_t *used);

struct base64_ops {
	base64_run_fn *run; /* NULL: scalar */
	enum cpu_level level;
};

/* The fastest kernel up to level that is built in, allowed by CPUID and passes its self-test. */
void base64_ops_init(struct base64_ops *ops, enum cpu_level level);

struct base64 {
	uint32_t bits; /* octets in the making */
	uint8_t n; /* letters of the current four */
	uint8_t pad;
	bool bad;
	/* octets outside the alphabet are skipped; the first "=", wherever it is, ends the text, and
	 * a last letter that makes no octet is dropped: only want of room is bad */
	bool mime;
	const struct base64_ops *ops; /* borrowed; NULL: scalar */
};

/*
 * Decodes all of in. Returns octets written, at most (in.n + 3) / 4 * 3. When out is too small or a
 * letter is wrong the text is bad from then on, and nothing more is written. With ops set, octets
 * of out behind the result, within cap, may be changed.
 */
size_t base64_push(struct base64 *s, struct bytes in, uint8_t *out, size_t cap);

/* Writes what is left, up to 2 octets; false when the text as a whole was bad. */
bool base64_end(struct base64 *s, uint8_t *out, size_t cap, size_t *n);

/* Whole text of a signature at once; ops NULL: scalar. Returns octets written, -1 when it is bad or
 * does not fit. */
ptrdiff_t base64_decode(const struct base64_ops *ops, struct bytes in, uint8_t *out, size_t cap);

base64_run_fn base64_run_avx2, base64_run_avx512;
