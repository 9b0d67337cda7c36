/*
 * utf8 - one well-formed UTF-8 sequence at a time (RFC 3629 section 4).
 *
 * Not handled: normalization, and whether a code point is assigned.
 */
#pragma once

#include "base/bytes.h"

/* Octets of the sequence at p, 1 to 4; 0 when it is overlong, a surrogate, over U+10FFFF, cut by n,
 * or n is 0. */
static inline unsigned utf8_len(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	uint8_t c = p[0];
	if (c < 0x80)
		return 1;
	/* the second octet's range says all: the others are 80..BF */
	uint8_t low = 0x80, high = 0xbf;
	unsigned len;
	if (c >= 0xc2 && c <= 0xdf) {
		len = 2;
	} else if (c >= 0xe0 && c <= 0xef) {
		len = 3;
		low = c == 0xe0 ? 0xa0 : 0x80;
		high = c == 0xed ? 0x9f : 0xbf;
	} else if (c >= 0xf0 && c <= 0xf4) {
		len = 4;
		low = c == 0xf0 ? 0x90 : 0x80;
		high = c == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if (len > n || p[1] < low || p[1] > high)
		return 0;
	for (unsigned i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static inline bool utf8_valid(struct bytes b)
{
	for (size_t i = 0; i < b.n;) {
		unsigned len = utf8_len(b.p + i, b.n - i);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

/* The code point in front and its octets; U+FFFD and 1 where none is well-formed. b is not empty. */
static inline unsigned utf8_point(struct bytes b, uint32_t *c)
{
	unsigned len = utf8_len(b.p, b.n);
	*c = len == 0 ? 0xfffd : len == 1 ? b.p[0] : b.p[0] & (0x7fu >> len);
	for (unsigned i = 1; i < len; i++)
		*c = *c << 6 | (b.p[i] & 0x3f);
	return len ? len : 1;
}

/* Writes it in 1 to 4 octets; c is a scalar value. */
static inline unsigned utf8_put(uint32_t c, uint8_t out[4])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	unsigned len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (unsigned i = len; i-- > 1; c >>= 6)
		out[i] = (uint8_t)(0x80 | (c & 0x3f));
	out[0] = (uint8_t)(0xf00 >> len | c);
	return len;
}
