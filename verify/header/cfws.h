/*
 * cfws - comments, folding white space and quoted strings (RFC 5322 section 3.2) in header fields
 * that are not addresses: Authentication-Results, Received.
 *
 * CR and LF count as blanks wherever they are; comments may nest as deep as they like. What has no
 * end goes to the end of the text.
 */
#pragma once

#include "base/arena.h"

static inline bool cfws_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind the comment or quoted string that begins at `at`, with "(" or a quote. *whole: its end is
 * there. */
static inline size_t cfws_enclosed(struct bytes b, size_t at, bool *whole)
{
	bool quoted = b.p[at] == '"';
	size_t depth = 1;
	for (size_t i = at + 1; i < b.n; i++) {
		uint8_t c = b.p[i];
		if (c == '\\') {
			i++;
		} else if (c == (quoted ? '"' : ')')) {
			if (--depth == 0) {
				*whole = true;
				return i + 1;
			}
		} else if (c == '(' && !quoted) {
			depth++;
		}
	}
	*whole = false;
	return b.n;
}

/* Behind blanks and comments. */
static inline size_t cfws_skip(struct bytes b, size_t at)
{
	bool whole;
	while (at < b.n && (cfws_blank(b.p[at]) || b.p[at] == '('))
		at = b.p[at] == '(' ? cfws_enclosed(b, at, &whole) : at + 1;
	return at;
}

/* What a whole quoted string stands for: borrowed from it, or in the arena where a backslash or a
 * fold is in it. p NULL: the arena is full. */
struct bytes cfws_unquote(struct bytes quoted, struct arena *arena);
