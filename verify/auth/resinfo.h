/*
 * resinfo - reading Authentication-Results and ARC-Authentication-Results (RFC 8601 section 2.2, RFC
 * 8617 section 4.1.1): the authserv-id, then each method=result with its properties.
 *
 * A value may be whatever has no blank, ";" or "(" in it, as many write header.b without quotes. A
 * result that is malformed is left out up to its ";" and counted. At most RESINFO_PROPERTIES_MAX
 * properties of a result are told, further ones are left out.
 * Not handled: what comments say.
 */
#pragma once

#include "base/arena.h"

enum { RESINFO_PROPERTIES_MAX = 16 };

struct resinfo_property { /* ptype.name=value; ptype empty: name=value, which some write */
	struct bytes ptype, name, value;
};

struct resinfo { /* borrowed from the value, or in the arena where something was quoted */
	struct bytes method, version, result;
	struct bytes reason; /* p NULL: none */
	struct resinfo_property property[RESINFO_PROPERTIES_MAX];
	uint8_t n;
};

struct resinfo_list {
	struct bytes id; /* authserv-id; empty: none */
	struct bytes version; /* empty: none */
	unsigned instance; /* of ARC, 1..; 0: none */
	unsigned malformed; /* results left out so far, and what else is no result */
	bool no_space; /* the arena is full: what did not fit counts as malformed */
	/* its own */
	struct bytes in;
	struct arena *arena;
	size_t at;
};

/* Reads what is in front of the results. Borrows value and arena while the list is read. arc: it
 * begins with i=. False: there is no authserv-id, or no i= where it must be. */
bool resinfo_begin(struct resinfo_list *l, struct bytes value, bool arc, struct arena *arena);
/* False: there is no other. The word none alone gives none. */
bool resinfo_next(struct resinfo_list *l, struct resinfo *r);

/* The value of the first property ptype.name (any case), p NULL: there is none. */
struct bytes resinfo_find(const struct resinfo *r, const char *ptype, const char *name);
