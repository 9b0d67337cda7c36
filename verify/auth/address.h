/*
 * address - what the verdict tells of the author: fields for the record, and the domain of From:.
 *
 * Not handled: display names and encoded words are the output's; a group, several mailboxes, a
 * domain-literal and anything malformed have no domain here, so that nothing is aligned with them.
 */
#pragma once

#include "base/verdict.h"
#include "verify/auth/header.h"

/* Fills fields unfolded: borrowed from the header, or copied to the arena where a fold is in them.
 * False: it is full. */
bool address_email(struct verdict_email *email, const struct header *h, struct arena *arena);

/* The domain in a From: value with exactly one mailbox, as it stands there; empty otherwise (RFC
 * 5322 section 3.4). */
struct bytes address_domain(struct bytes value);

/* The same of a header with exactly one From: field. */
struct bytes address_author(const struct header *h);
