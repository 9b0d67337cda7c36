/*
 * spf_macro - macro strings of RFC 7208 section 7: their syntax, and what they expand to.
 *
 * A name keeps its right end of at most 253 octets, cut at the border of a label; of the last
 * SPF_MACRO_TOKENS pieces, so that the work does not grow with the text. A text is cut behind its
 * room. Digits over 65,535 count as that many.
 */
#pragma once

#include "base/bytes.h"

enum {
	SPF_MACRO_NAME_MAX = 253,
	SPF_MACRO_VALUE_MAX = 1024, /* octets of one letter's value; what is over is cut */
	SPF_MACRO_TOKENS = 256,
};

enum spf_macro_form {
	SPF_MACRO_DOMAIN, /* domain-spec */
	SPF_MACRO_STRING, /* macro-string of an unknown modifier */
	SPF_MACRO_EXPLAIN, /* explain-string: c, r and t too (section 7.2), and blanks */
};

/* What a string uses, bits. */
enum spf_macro_use {
	SPF_MACRO_ANY = 1 << 0, /* a "%": it is not a name as it stands */
	SPF_MACRO_LOCAL = 1 << 1, /* s or l (RFC 8616 section 4) */
	SPF_MACRO_PTR = 1 << 2, /* p */
};

struct spf_macro { /* what the letters stand for; all borrowed */
	struct bytes sender, local, sender_domain; /* s l o */
	struct bytes domain; /* d */
	struct bytes ptr; /* p */
	struct bytes helo, receiver; /* h r */
	uint64_t now_s; /* t */
	uint8_t ip[16]; /* i c v */
};

/* True: in has that form; then *use has bits of enum spf_macro_use. */
bool spf_macro_check(struct bytes in, enum spf_macro_form form, unsigned *use);

/*
 * The name a domain-spec that was checked stands for, without final dot, NUL-terminated (octets of
 * mail may be NUL too). Its length; 0: nothing, or what no name can be (spf_macro_is_name).
 */
size_t spf_macro_name(const struct spf_macro *m, struct bytes spec,
		      char out[SPF_MACRO_NAME_MAX + 1]);

/* Several labels of 1 to 63 octets of any kind, no final dot. */
bool spf_macro_is_name(struct bytes name);

/* An explain-string that was checked: printable ASCII, other octets become "?". At most room. */
size_t spf_macro_text(const struct spf_macro *m, struct bytes in, char *out, size_t room);
