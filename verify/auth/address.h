/*
 * address - what the verdict tells of the author: fields for the record, and the truth about From:.
 *
 * The domains of all From: fields and all their mailboxes are listed, and what is odd is flagged.
 * Where there is more than one way to read From: (it is malformed, repeated, cut off or over a
 * limit) the domains of every reading are listed, but none counts: nothing can be aligned (RFC 9989
 * section 4.4). At most VERDICT_AUTHORS_MAX domains and ADDRESS_MAILBOXES_MAX mailboxes.
 */
#pragma once

#include "base/message.h"
#include "base/verdict.h"
#include "verify/header/header.h"
#include "verify/dns/trace.h"

enum { ADDRESS_MAILBOXES_MAX = 1000 };

/* Fills fields unfolded: borrowed from the header, or copied to the arena where a fold is in them.
 * False: it is full. */
bool address_email(struct verdict_email *email, const struct header *h, struct arena *arena);

/* What receivers would see; texts in the arena. m, t may be NULL. False: the arena is full. */
bool address_from(struct verdict_from *from, const struct header *h, const struct message *m,
		  struct arena *arena, struct trace *t);
