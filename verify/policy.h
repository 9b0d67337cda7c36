/*
 * policy - results of the checks -> what the profiles ask for, the strictest of it, and the reply.
 */
#pragma once

#include "base/arena.h"
#include "base/config.h"
#include "base/message.h"
#include "base/verdict.h"
#include "verify/auth/header.h"
#include "verify/auth/origin.h"
#include "verify/auth/trace.h"

struct policy_setup { /* borrowed for the call; the verdict borrows from it */
	const struct profiles *profiles;
	const struct dkim_profile *dkim;
	const struct spf_profile *spf;
	const struct dmarc_profile *dmarc;
	const struct message *message;
	const struct header *header;
	const struct origin *origin;
	struct trace *trace; /* NULL: nobody looks */
};

/* Fills dmarc.override, asked, action, result, reason, score, reply. False: the arena is full. */
bool policy_judge(const struct policy_setup *setup, struct verdict *verdict, struct arena *arena);
