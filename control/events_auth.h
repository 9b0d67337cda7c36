/*
 * events_auth - the parts of a record that say who sent the message: auth, and the header fields that
 * would tell.
 */
#pragma once

#include "base/json.h"
#include "base/verdict.h"

/* Octets of a text out of the DNS that a record has, the rest is cut; of a field of ours, one that
 * is longer is null. */
enum { EVENTS_TEXT_MAX = 2048, EVENTS_HEADER_MAX = 65536 };

/* The member "auth". A check that was not made has no key. v NULL: nobody judged. */
void events_auth(struct json *j, const struct verdict *v);
/* The member "headers": fields in one line each, as unfolding leaves them (RFC 5322 section 2.2.3).
 * None when none were made. */
void events_headers(struct json *j, const struct verdict_headers *h);
