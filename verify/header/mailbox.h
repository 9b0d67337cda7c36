/*
 * mailbox - the mailboxes of an address list, one after the other (RFC 5322 sections 3.4 and 4.4,
 * RFC 6532, groups in From: by RFC 6854).
 *
 * All obsolete forms are read. Also read, because every receiver reads them alike: octets of some
 * charset that is not UTF-8 in names and comments, a domain literal's form inside a name, dots
 * anywhere in a local part. Whatever else the grammar does not give is malformed, up to the next
 * comma; a comment or quote without its end goes to the end of the list. Malformed is also what is
 * over a limit: comments nested deeper than MAILBOX_DEPTH_MAX, a local part or domain over
 * MAILBOX_PART_MAX octets as it stands.
 * Not handled: encoded words, but that they stand in an address.
 */
#pragma once

#include "base/arena.h"

enum { MAILBOX_DEPTH_MAX = 100, MAILBOX_PART_MAX = 4096 };

enum mailbox_flag {
	MAILBOX_MALFORMED = 1 << 0, /* no reading: display, local and domain say nothing */
	MAILBOX_OBSOLETE = 1 << 1, /* a form of section 4, or one that is read out of leniency */
	MAILBOX_GROUP = 1 << 2, /* in a group; of a list: it has one */
	MAILBOX_ANGLE = 1 << 3,
	MAILBOX_NULL = 1 << 4, /* <>, which only Return-Path: may have; malformed too */
	MAILBOX_LITERAL = 1 << 5, /* the domain is in brackets */
	MAILBOX_CONTROL = 1 << 6, /* an octet under 32 but HTAB and folds, or 127, is in it */
	MAILBOX_NOT_UTF8 = 1 << 7,
	MAILBOX_ENCODED = 1 << 8, /* an encoded word in local part or domain; malformed too */
	MAILBOX_NO_SPACE = 1 << 9, /* the arena is full; malformed too */
};

struct mailbox { /* borrowed from the list, or in the arena where something had to be taken out */
	struct bytes raw; /* all between the commas */
	struct bytes display; /* the phrase as it stands, blanks around it gone; empty: none */
	struct bytes group; /* the group's phrase likewise */
	struct bytes comment; /* what is in the last comment; p NULL: none */
	struct bytes local, domain; /* blanks and comments taken out, otherwise as they stand */
	struct bytes name; /* local without quotes and their backslashes */
	uint32_t flags; /* enum mailbox_flag */
};

struct mailbox_list {
	uint32_t flags; /* of all so far, also of what is between mailboxes */
	/* its own */
	struct bytes in;
	struct arena *arena;
	struct bytes group, comment;
	size_t at;
	uint32_t seen; /* flags since the mailbox began */
	uint8_t place; /* enum place */
};

/* Borrows value, unfolded or not, and arena while the list is read. arena NULL: there is no space. */
void mailbox_begin(struct mailbox_list *l, struct bytes value, struct arena *arena);
/* False: there is no other, and l->flags stands for the whole list. */
bool mailbox_next(struct mailbox_list *l, struct mailbox *m);
