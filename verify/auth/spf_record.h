/*
 * spf_record - SPF records out of a TXT answer, taken apart: RFC 7208 sections 4.5 to 6 and 12, RFC
 * 4406 section 3.
 *
 * Strict: one wrong octet anywhere makes a record malformed. Terms are kept with their place in the
 * text; what can have no effect is checked and not kept (behind "all", unknown modifiers). At most
 * SPF_RECORD_TERMS terms that have one.
 */
#pragma once

#include "base/arena.h"
#include "verify/dns/question.h"

enum { SPF_RECORD_TERMS = 4096, SPF_RECORD_OCTETS = 65535 };

enum spf_kind {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
	SPF_REDIRECT,
	SPF_EXP,
	SPF_KIND_N
};

/* Bits over those of enum spf_macro_use. */
enum spf_term_flag {
	SPF_TERM_SPEC = 1 << 4, /* it has a domain-spec */
	SPF_TERM_NO_NAME = 1 << 5, /* which is no name that can exist */
};

struct spf_term {
	uint16_t off, len; /* of the whole term in the text */
	union {
		struct {
			uint16_t off, len; /* without final dot where it has no macro */
		} spec;
		uint8_t ip4[4]; /* SPF_IP4 */
		uint16_t ip6; /* SPF_IP6: number of its address */
	};
	uint8_t kind; /* enum spf_kind */
	uint8_t result; /* enum auth_result of its qualifier */
	uint8_t cidr4, cidr6; /* prefix lengths; 32 and 128 where none is given */
	uint8_t flags;
};

enum spf_record_status {
	SPF_RECORD_OK,
	SPF_RECORD_SYNTAX, /* `wrong` is the term */
	SPF_RECORD_LIMIT, /* too many terms */
};

struct spf_record {
	struct bytes text; /* as published, borrowed from the answer */
	struct bytes wrong;
	const struct spf_term *term; /* mechanisms in their order, up to the first "all" */
	const uint8_t (*ip6)[16];
	struct spf_term redirect, exp; /* len 0: not there, or without effect */
	uint16_t n;
	uint8_t status; /* enum spf_record_status */
};

enum spf_version { SPF_V1, SPF_V2_MFROM, SPF_V2_PRA, SPF_VERSION_N };

struct spf_set { /* of one answer, by version and scope */
	const struct spf_record *record[SPF_VERSION_N]; /* the first; NULL: there is none */
	uint16_t n[SPF_VERSION_N]; /* how many there are */
};

/* Gives the set in the arena, borrowing from answer. NULL: the arena is full; it is as it was. */
const struct spf_set *spf_set_parse(const struct answer *answer, struct arena *arena);

/* Bits 1 << enum spf_version of the versions text begins with; 0: it is no SPF record. */
unsigned spf_record_versions(struct bytes text, size_t *terms);

/* The term, or its domain-spec, as it stands in the record. */
static inline struct bytes spf_term_text(const struct spf_record *r, const struct spf_term *t)
{
	return bytes_of(r->text.p + t->off, t->len);
}

static inline struct bytes spf_term_spec(const struct spf_record *r, const struct spf_term *t)
{
	return bytes_of(r->text.p + t->spec.off, t->spec.len);
}

/* "a", "redirect", ...: a static string. */
const char *spf_kind_name(enum spf_kind kind);
