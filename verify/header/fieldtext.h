/*
 * fieldtext - writing one header field: folding, comments, values that cannot be broken out of.
 *
 * Lines are folded at blanks (RFC 5322 section 2.2.3) where they would be wider than `width`. Text
 * of others goes in as a value or a comment: control characters and what is not UTF-8 become "?",
 * and a value over FIELDTEXT_VALUE_MAX octets is refused, so that no line is over 998.
 */
#pragma once

#include "base/arena.h"

enum { FIELDTEXT_WIDTH = 78, FIELDTEXT_UNFOLDED = 900, FIELDTEXT_VALUE_MAX = 320 };

struct fieldtext {
	struct arena *arena;
	uint8_t *p;
	size_t n, max;
	size_t line; /* where the line begins */
	size_t fold; /* a blank of the line that may be folded; 0: there is none */
	size_t width;
	bool full;
};

/* Takes at most max octets of the arena until fieldtext_end. Writes the name and ": ". */
void fieldtext_begin(struct fieldtext *f, struct arena *arena, const char *name, size_t width,
		     size_t max);
/* The field without a line end, in the arena; p NULL: it did not fit. Gives back what is not used.
 */
struct bytes fieldtext_end(struct fieldtext *f);

/* Our own words, as they are. */
void fieldtext_run(struct fieldtext *f, const uint8_t *p, size_t n);
static inline void fieldtext_put(struct fieldtext *f, const char *text)
{
	fieldtext_run(f, (const uint8_t *)text, strlen(text));
}

void fieldtext_number(struct fieldtext *f, uint64_t number);
/* A blank where a line may end. */
void fieldtext_blank(struct fieldtext *f);
/* The line ends here, where lines are folded at all; else a blank. */
void fieldtext_line(struct fieldtext *f);

/* Within a comment, without its parentheses. */
void fieldtext_comment(struct fieldtext *f, struct bytes text);

enum fieldtext_form {
	FIELDTEXT_TOKEN, /* RFC 2045 section 5.1, an address or a domain name; else in quotes */
	FIELDTEXT_DOT_ATOM, /* RFC 5322 section 3.2.3; else in quotes */
	FIELDTEXT_QUOTED, /* always in quotes */
};

/* Writes " name=value" with a blank in front. False: the value is too long, nothing was written. */
bool fieldtext_pair(struct fieldtext *f, const char *name, struct bytes value,
		    enum fieldtext_form form);
void fieldtext_value(struct fieldtext *f, struct bytes value, enum fieldtext_form form);
