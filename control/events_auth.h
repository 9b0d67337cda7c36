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

/*
 * The result of SPF that a record has. What was never there to be seen - the envelope of a message
 * that was fetched, of a file, of a session that the capture began in - is none, with the reason;
 * unverifiable stands only where octets were lost, as for DKIM.
 */
enum auth_result events_spf(const struct spf_result *s);
/* The one of them that stands as auth.spf: of MAIL FROM, else of HELO, else none. */
const struct spf_result *events_spf_main(const struct verdict *v);

/* The member "auth". A check that was not made has no key. v NULL: nobody judged. */
void events_auth(struct json *j, const struct verdict *v);
/* The member "headers": fields in one line each, as unfolding leaves them (RFC 5322 section 2.2.3).
 * None when none were made. */
void events_headers(struct json *j, const struct verdict_headers *h);
