/*
 * authres - our own header fields: Authentication-Results (RFC 8601), Received-SPF (received_spf.h),
 * X-Postern-DMARC-Fail-Policy; and finding fields that claim to be ours.
 *
 * Text from the network goes in as a quoted string, a domain or a comment, never as it is: a field
 * cannot be broken out of. Folded at 78 columns where possible; a value over FIELDTEXT_VALUE_MAX
 * octets is left out.
 *
 * What has no word in RFC 8601: a signature that is unverifiable is `neutral` (section 2.7.1: not
 * able to be processed) and its comment says so. SPF, Sender ID, ARC and DMARC that are
 * unverifiable, and a chain of ARC that is temperror, are left out like a check that was not made:
 * every word they have would claim more. When nothing is left it is `none`.
 *
 * Style asyncos: the form of C-50 and C-51, DKIM, and DMARC where there is a policy, on one line;
 * fail, policy and permerror are `permfail`, temperror is `tempfail`, unverifiable `neutral`.
 * Style securitygateway: that of RFC 8601, and the DMARC field is X-SGDMARC-Fail-policy (G-5).
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/verdict.h"
#include "verify/header/header.h"
#include "verify/auth/origin.h"

struct spf_profile;

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
