/*
 * spf_case - drives SPF checks out of tables: a zone, who sends, and what is due.
 */
#pragma once

#include "tests/lookup.h"
#include "verify/auth/spf.h"

/* a row ends where it has nothing more to say */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct spf_row {
	const char *ip, *helo, *from;
	const char *result; /* RFC 8601 word */
	const char *mechanism, *reason, *explanation; /* NULL: none */
};

/* lookup_max 10, void_max 2, level spf. */
extern const struct spf_profile spf_case_profile;

/* Each row in both modes of lookup.h, with a sound result both times. NULL profile: the above. */
void spf_case_all(const char *zone, const struct spf_profile *profile, enum spf_identity identity,
		  const struct spf_row *row, unsigned n);

/* One, in memory that lasts until the next call. */
const struct spf_result *spf_case_one(struct lookup *l, const struct spf_profile *profile,
				      enum spf_identity identity, const struct spf_row *row);

/* IPv4 mapped. Ends the program when it is none. */
struct address spf_case_ip(const char *text);
