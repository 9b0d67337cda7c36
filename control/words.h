/*
 * words - encoded words (RFC 2047) of a header field to UTF-8, for reading.
 *
 * Adjacent words of one charset are joined before they are converted, so that a character cut
 * between two is whole again. What has an unknown charset, wrong octets or wrong syntax stays as it
 * was.
 * Not handled: RFC 2231 parameters (they belong to MIME).
 */
#pragma once

#include "base/bytes.h"

enum { WORDS_OCTETS_MAX = 256 * 1024 };

struct words; /* converters that are open */

enum words_kind {
	WORDS_TEXT, /* Subject and the like */
	WORDS_ADDRESS, /* From, To: a decoded phrase with specials (RFC 5322 3.2.3) is put in quotes
			*/
};

/* NULL when out of memory. */
struct words *words_new(void);
void words_free(struct words *w);

/* Gives text itself when nothing is to be decoded, else a text borrowed from w until the next call.
 */
struct bytes words_decode(struct words *w, enum words_kind kind, struct bytes text);
