/*
 * display - what a reader is shown of a phrase or comment: quotes, comments and folds taken out,
 * encoded words (RFC 2047) decoded, all in UTF-8. No heap.
 *
 * Encoded words are also decoded in quotes, as mail programs do. Adjacent ones of one charset are
 * joined first. Charsets read: UTF-8, US-ASCII, ISO-8859-1, ISO-8859-15, windows-1252; of another
 * only its ASCII, and nothing where ASCII does not stand for itself. What cannot be read becomes
 * U+FFFD. Over DISPLAY_MAX octets the rest is left out.
 */
#pragma once

#include "base/bytes.h"

enum { DISPLAY_MAX = 4096 };

enum display_flag {
	DISPLAY_CONTROL =
		1 << 0, /* a control character, or one that overrides the direction of text */
	DISPLAY_NOT_UTF8 = 1 << 1, /* octets that are not UTF-8 where it should be */
	DISPLAY_CHARSET = 1 << 2, /* a charset that is not read here */
	DISPLAY_CUT = 1 << 3, /* over DISPLAY_MAX */
	DISPLAY_ENCODED = 1 << 4, /* there was an encoded word */
	DISPLAY_ENCODED_AT = 1 << 5, /* and an "@" in it */
};

struct display {
	uint8_t text[DISPLAY_MAX];
	size_t n;
	uint32_t flags; /* enum display_flag */
};

/* phrase: comment: "(" and quotes are as good as other letters. Begins d anew. */
void display_read(struct display *d, struct bytes phrase, bool comment);

static inline struct bytes display_text(const struct display *d)
{
	return bytes_of(d->text, d->n);
}
