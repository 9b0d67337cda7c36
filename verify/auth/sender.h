/*
 * sender - which identities of a message SPF and Sender ID check at a conformance level: HELO, MAIL
 * FROM, and the PRA of the header (RFC 7208, RFC 4406, RFC 4407).
 */
#pragma once

#include "verify/auth/origin.h"
#include "verify/auth/pra.h"
#include "verify/auth/spf.h"

struct sender_setup { /* borrowed for the call */
	struct known *known;
	struct arena *arena;
	const struct spf_profile *profile;
	const struct message *message;
	const struct header *header;
	const struct origin *origin;
	const struct pra *pra; /* found before; NULL: it is looked for */
	struct bytes receiver;
	uint64_t now_s;
};

/* All identities; out by enum spf_identity. False: questions are open. */
bool sender_check(const struct sender_setup *setup, struct spf_result out[SPF_IDENTITY_N]);
