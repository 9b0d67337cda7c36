/*
 * origin - who sent a message, as far as the envelope tells: what SPF and Sender ID judge.
 *
 * The client of the connection; or, when that is one of the site's own relays (a list), the client
 * that the uppermost Received: field names which came from no such relay, at most ORIGIN_HOPS_MAX
 * fields down (RFC 5321 section 4.4). Then the HELO name is that field's too. In a mailbox that is
 * read by POP3 the server takes the relay's place, and Return-Path: above all Received: fields is
 * MAIL FROM.
 *
 * Of a field only what its writer saw counts: the address in the comment behind the name, in
 * brackets (Postfix, Sendmail, Exim) or alone (Exchange, qmail), and Exim's name in brackets when
 * the comment begins with port= or helo=. The loopback is the relay itself. A field without an
 * address, such as of a message made on the relay, ends the search: the client is unknown.
 * Not handled: fields of gateways that name no TCP connection.
 */
#pragma once

#include "base/list.h"
#include "base/message.h"
#include "verify/header/header.h"

enum { ORIGIN_HOPS_MAX = 20 };

struct origin {
	bool has_client, has_helo, has_mail_from;
	bool relayed; /* client and helo are from a Received: field, or nothing is known behind it */
	uint8_t hops; /* own relays passed */
	struct address client;
	struct bytes helo, mail_from; /* of the message, or borrowed from the header */
};

struct origin_hop { /* what a Received: field tells of who sent to its writer */
	struct address client;
	struct bytes helo; /* borrowed from the value; empty: not told */
};

/* relays may be NULL. */
void origin_find(struct origin *o, const struct message *m, const struct header *h,
		 const struct list *relays);

/* The value of one Received: field. False: it names no address. */
bool origin_received(struct bytes value, struct origin_hop *hop);
