/*
 * origin - who sent a message, as far as the envelope tells: what SPF and Sender ID judge.
 *
 * The client of the connection; or, when that is one of the site's own relays (a list), the client
 * that the uppermost Received: field not written by such a relay names, at most ORIGIN_HOPS_MAX
 * fields down (RFC 5321 section 4.4). Then the HELO name is that field's too.
 */
#pragma once

#include "base/list.h"
#include "base/message.h"
#include "verify/auth/header.h"

enum { ORIGIN_HOPS_MAX = 20 };

struct origin {
	bool has_client, has_helo, has_mail_from;
	bool relayed; /* client and helo are from a Received: field */
	uint8_t hops; /* own relays passed */
	struct address client;
	struct bytes helo, mail_from; /* of the message, or borrowed from the header */
};

/* relays may be NULL. */
void origin_find(struct origin *o, const struct message *m, const struct header *h,
		 const struct list *relays);
