/*
 * pra - the purported responsible address of a message (RFC 4407 section 2).
 *
 * Fields are read from the top. One that has nothing but blanks is not there.
 */
#pragma once

#include "verify/header/header.h"

enum pra_field { PRA_NONE, PRA_RESENT_SENDER, PRA_RESENT_FROM, PRA_SENDER, PRA_FROM };

struct pra {
	uint8_t field; /* enum pra_field that was chosen, whether or not an address is in it */
	bool resent; /* there is a Resent-Sender: or Resent-From: */
	struct bytes address; /* local@domain; empty: the message has no single one */
};

/* *out borrows from h or is in the arena. False: the arena is full. */
bool pra_find(struct pra *out, const struct header *h, struct arena *arena);

/* The name of the field, a static string; NULL for PRA_NONE. */
const char *pra_field_name(enum pra_field field);
