/*
 * aar - an ARC-Authentication-Results field (RFC 8617 section 4.1.1): its instance, and what it says
 * of DMARC.
 *
 * i= comes first. The results are read as RFC 8601 section 2.2 has them: comments nest, quoted
 * strings are values, white space stands anywhere; words between results that are no property are
 * passed over, as large mail services write them (action=none). Comments nest AAR_DEPTH_MAX deep;
 * deeper, or where a comment or a quoted string does not end, nothing is believed.
 */
#pragma once

#include "base/verdict.h"

enum { AAR_DEPTH_MAX = 100 };

/* value: behind the colon. 1..50; 0: malformed. *payload: what is behind the instance. */
uint8_t aar_instance(struct bytes value, struct bytes *payload);

/*
 * AUTH_PASS: there are results of DMARC, each says pass, and none names another header.from than the
 * others; *from is that, empty where none does. AUTH_FAIL: one says something else. AUTH_NONE: there
 * is none, or the field is malformed.
 */
enum auth_result aar_dmarc(struct bytes payload, struct bytes *from);
