/*
 * received_spf - Received-SPF fields: RFC 7208 section 9.1, and in the style of AsyncOS.
 *
 * One field for each identity that has a result; none where it could not be verified, for the words
 * of the standard would claim a check that did not take place. A value over FIELDTEXT_VALUE_MAX
 * octets is left out.
 */
#pragma once

#include "base/config.h"
#include "base/profile.h"
#include "verify/auth/origin.h"

struct received_spf_setup { /* borrowed for the call */
	enum config_style style;
	struct bytes receiver;
	const struct origin *origin;
	const struct spf_profile *profile; /* NULL: its level is not told */
};

/* *out p NULL: there is none for that result. False: the arena is full. */
bool received_spf_make(const struct received_spf_setup *setup, const struct spf_result *result,
		       struct arena *arena, struct bytes *out);

enum { RECEIVED_SPF_IP_MAX = 46 };

/* An address as text, in buf; an IPv4 one dotted. */
struct bytes received_spf_ip(const struct address *a, char buf[RECEIVED_SPF_IP_MAX]);
