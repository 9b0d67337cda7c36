/*
 * encoded - one encoded word of a header field (RFC 2047 section 2): its parts, and its octets.
 *
 * Lenient as readers are: blanks in the data are taken, and base64 needs no padding.
 * Not handled: charsets, which are the caller's; RFC 2231 parameters.
 */
#pragma once

#include "base/bytes.h"

enum { ENCODED_CHARSET_MAX = 40 };

struct encoded_word {
	struct bytes charset,
		data; /* borrowed from the text; the language of RFC 2231 is left out */
	bool base64;
	size_t len; /* from =? to ?= */
};

/* The word that text begins with. False: there is none. */
bool encoded_parse(struct bytes text, struct encoded_word *out);

/* Writes the octets behind the *n that are in out. False: they are malformed, or over max in all;
 * *n is then of no use. */
bool encoded_octets(const struct encoded_word *w, uint8_t *out, size_t max, size_t *n);
