/*
 * dmarc_record - DMARC policy records, the texts at _dmarc.NAME, by RFC 9989 section 4.7 and RFC
 * 7489 section 6.3.
 *
 * A text is a record when it begins with v=DMARC1; whatever else is wrong in it is left out or
 * stands at its default (RFC 9989 section 4.8). Names and words in any case, DMARC1 as it is. A
 * tag that comes again is an error: the first stands. Linear in the text, no bound but its length.
 * What the tags mean together is told by dmarc.c: it differs between the two RFCs.
 */
#pragma once

#include "base/verdict.h"
#include "verify/dns/records.h"

enum dmarc_state { DMARC_ABSENT, DMARC_VALID, DMARC_BAD };
enum dmarc_psd { DMARC_PSD_UNSAID, DMARC_PSD_YES, DMARC_PSD_NO };

struct dmarc_request {
	uint8_t state; /* enum dmarc_state */
	uint8_t policy; /* enum dmarc_policy; valid when state is */
};

struct dmarc_record { /* borrows the text */
	struct bytes text;
	struct dmarc_request p, sp, np;
	uint8_t adkim, aspf; /* enum dmarc_alignment: relaxed */
	uint8_t psd; /* enum dmarc_psd */
	uint8_t pct; /* 100; of RFC 7489 */
	bool testing; /* t=y; of RFC 9989 */
	bool reports; /* rua has at least one valid URI */
	struct bytes rua, ruf, fo; /* as published; p NULL: absent. fo only where ruf is */
};

/* False: text is no DMARC record. Borrows text for the life of r. */
bool dmarc_record_parse(struct dmarc_record *r, struct bytes text);

/*
 * The next valid URI of a list with commas between (rua, ruf; RFC 9989 section 4.6), from the front
 * of *list, which moves on; without a size limit (RFC 7489 section 6.2). False behind the last.
 */
bool dmarc_record_uri(struct bytes *list, struct bytes *uri);

struct dmarc_set { /* what there is at one name */
	uint32_t n; /* DMARC records; only one of them alone counts */
	struct dmarc_record record; /* valid if n is 1 */
};

/* What an answer to a TXT question holds: parsed once and kept with it. Where its own space is too
 * small in arena; NULL when that is full too. */
const struct dmarc_set *dmarc_record_set(struct record *record, struct arena *arena);
