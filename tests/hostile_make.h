/*
 * hostile_make - how a row of hostile mail is put together: a text, and answers by the ends of names.
 */
#pragma once

#include <stdarg.h>

#include "tests/hostile.h"

struct hostile_row {
	const char *name;
	void (*make)(
		struct hostile *h); /* adds the text and the rules; may change h->m's envelope */
};

extern const struct hostile_row hostile_table[];

/* Memory that lives as long as h. */
void *hostile_take(struct hostile *h, size_t n);
/* Behind the message's text. */
__attribute__((format(printf, 2, 3))) void hostile_add(struct hostile *h, const char *form, ...);
/* n records for all names that end so, to be set one by one; borrows tail. */
struct answer *hostile_rule(struct hostile *h, const char *tail, uint16_t type, unsigned n);
void hostile_set(struct hostile *h, struct answer *a, unsigned i, struct bytes data);
/* One TXT record. */
void hostile_txt(struct hostile *h, const char *tail, const char *text);
