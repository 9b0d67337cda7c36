/*
 * taglist - tag=value lists of RFC 6376 section 3.2: signatures and key records.
 *
 * Strict: names as the grammar says, no empty tag but behind the last semicolon, no duplicate,
 * folding white space as RFC 5322 has it; octets over 127 are taken in values (RFC 8616 section 5).
 * At most TAGLIST_MAX tags.
 */
#pragma once

#include "base/bytes.h"

enum { TAGLIST_MAX = 64 };

struct tag {
	struct bytes name;
	struct bytes value; /* without white space around it */
	struct bytes raw; /* all between "=" and ";" */
};

struct taglist {
	struct tag tag[TAGLIST_MAX];
	uint8_t n;
	uint8_t letter['z' - 'A' + 1]; /* by a name of one letter: number of its tag + 1; 0: none */
};

/* False: malformed, or a duplicate, or over TAGLIST_MAX. Borrows in for the life of t. */
bool taglist_parse(struct taglist *t, struct bytes in);

/* What taglist_find does for a name of several letters. */
const struct tag *taglist_find_long(const struct taglist *t, const char *name);

/* NULL: not there. Names are case-sensitive. */
static inline const struct tag *taglist_find(const struct taglist *t, const char *name)
{
	if (name[0] < 'A' || name[0] > 'z' || name[1])
		return taglist_find_long(t, name);
	uint8_t i = t->letter[name[0] - 'A'];
	return i ? &t->tag[i - 1] : NULL;
}

/*
 * Next item of a list with colons between (h=, q=, s=, t=): trimmed, from the front of *list, which
 * moves on. False behind the last. An empty list has one empty item.
 */
bool taglist_item(struct bytes *list, struct bytes *item);
