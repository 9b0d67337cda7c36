/*
 * base64 - decoding of RFC 4648 section 4 text that may be folded (RFC 6376 section 2.10).
 *
 * Resumable at every octet; all-zero is the start. SP, HTAB, CR and LF are skipped anywhere.
 * Padding may be left out, as the grammar of RFC 6376 has it, but where it stands it must be right
 * and last.
 * Not handled: the URL alphabet; unused bits of the last octet are not looked at.
 */
#pragma once

#include "base/bytes.h"

struct base64 {
	uint32_t bits; /* octets in the making */
	uint8_t n; /* letters of the current four */
	uint8_t pad;
	bool bad;
};

/*
 * Decodes all of in. Returns octets written, at most (in.n + 3) / 4 * 3. When out is too small or a
 * letter is wrong the text is bad from then on, and nothing more is written.
 */
size_t base64_push(struct base64 *s, struct bytes in, uint8_t *out, size_t cap);

/* Writes what is left, up to 2 octets; false when the text as a whole was bad. */
bool base64_end(struct base64 *s, uint8_t *out, size_t cap, size_t *n);

/* Whole text at once. Returns octets written, -1 when it is bad or does not fit in cap. */
ptrdiff_t base64_decode(struct bytes in, uint8_t *out, size_t cap);
