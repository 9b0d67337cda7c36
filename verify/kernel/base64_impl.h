/* base64_impl - what the variants of base64 share. */
#pragma once

#include "verify/kernel/base64.h"

enum { BASE64_BLANK = 64, BASE64_PAD = 65 };

/* Value of a letter, or one of the above, plus 1; 0: neither. */
extern const uint8_t base64_letter[256];

/* The values of the letters of a begun four to the front of value. Returns how many. */
static inline size_t base64_begun(const struct base64 *s, uint8_t *value)
{
	for (unsigned k = 0; k < s->n; k++)
		value[k] = s->bits >> 6 * (s->n - 1u - k) & 63;
	return s->n;
}

/* And back; n at most 3. */
static inline void base64_begin(struct base64 *s, const uint8_t *value, size_t n)
{
	s->bits = 0;
	for (size_t k = 0; k < n; k++)
		s->bits = s->bits << 6 | value[k];
	s->n = (uint8_t)n;
}
