/*
 * authres - our own header fields: Authentication-Results (RFC 8601), Received-SPF (RFC 7208
 * section 9.1), X-Postern-DMARC-Fail-Policy; and finding fields that claim to be ours.
 *
 * Text from the network goes in as a quoted string, a domain or a comment, never as it is: a field
 * cannot be broken out of. Folded at 78 columns where possible.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "verify/auth/header.h"
#include "verify/auth/origin.h"

struct authres_setup { /* borrowed for the call */
	const struct config *cfg;
	const struct message *message;
	const struct header *header;
	const struct origin *origin;
	const struct spf_profile *spf;
};

/* Fills verdict->headers from what stands in the verdict. False: the arena is full. */
bool authres_make(const struct authres_setup *setup, struct verdict *verdict, struct arena *arena);

/* The authserv-id of an Authentication-Results value (RFC 8601 section 2.2), however long its
 * comments are; unquoted into the arena where it is quoted; empty when there is none. */
struct bytes authres_id(struct bytes value, struct arena *arena);
