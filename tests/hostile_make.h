/*
 * hostile_make - how a row of hostile mail is put together: a text, and answers by the ends of names.
 */
#pragma once

#include <stdarg.h>

#include <openssl/evp.h>

#include "tests/hostile.h"

struct hostile_row {
	const char *name;
	void (*make)(
		struct hostile *h); /* adds the text and the rules; may change h->m's envelope */
};

struct hostile_table {
	const struct hostile_row *row;
	unsigned n;
};

extern const struct hostile_table hostile_dkim, hostile_dns, hostile_fields;

extern const char hostile_body[], hostile_from[]; /* a short body; a From: field of alice */

/* Memory that lives as long as h. */
void *hostile_take(struct hostile *h, size_t n);
/* Behind the message's text. */
__attribute__((format(printf, 2, 3))) void hostile_add(struct hostile *h, const char *form, ...);
/* n records for all names that end so, to be set one by one; borrows tail. */
struct answer *hostile_rule(struct hostile *h, const char *tail, uint16_t type, unsigned n);
void hostile_set(struct hostile *h, struct answer *a, unsigned i, struct bytes data);
/* One TXT record. */
void hostile_txt(struct hostile *h, const char *tail, const char *text);

/* Of things that are n in a large header. */
unsigned hostile_many(const struct hostile *h, unsigned n);
void hostile_repeat(struct hostile *h, unsigned n, const char *text);
void hostile_fill(struct hostile *h, unsigned n, char c);
/* Subject: and To:, the empty line and the body. */
void hostile_end(struct hostile *h);

/* RSA of 2,048 bits, the same for all rows; its record at all names that end so. */
EVP_PKEY *hostile_key(void);
void hostile_key_rule(struct hostile *h, const char *tail);
/* A signature over the right body whose b= is not one, so that all of its work has to be done. */
void hostile_signature(struct hostile *h, const char *domain, const char *selector,
		       const char *more, const char *names);
/* n ARC sets with results so much longer; all good, or the first seal spoiled. */
void hostile_chain(struct hostile *h, unsigned n, unsigned pad, bool spoil);

/* The same terms for SPF and for Sender ID. */
void hostile_spf(struct hostile *h, const char *tail, struct bytes terms);
void hostile_spf_text(struct hostile *h, const char *tail, const char *terms);
/* A record of n octets: a beginning, then that text again and again. */
struct bytes hostile_long(struct hostile *h, size_t n, const char *start, const char *again);
void hostile_macro_bomb(struct hostile *h);
void hostile_mx_storm(struct hostile *h);
