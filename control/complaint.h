/*
 * complaint - what is wrong with a published record, for its publisher: a word of a fixed list and
 * a sentence each.
 *
 * At most COMPLAINT_MAX of one record; more are left out.
 */
#pragma once

#include "base/json.h"

enum { COMPLAINT_MAX = 32, COMPLAINT_TEXT_MAX = 200 };

struct complaint {
	const char *word;
	bool error; /* the record, or the part of it, cannot be used; else only a warning */
	char text[COMPLAINT_TEXT_MAX];
};

struct complaints { /* all-zero before */
	unsigned n;
	struct complaint complaint[COMPLAINT_MAX];
};

void complaint_add(struct complaints *c, bool error, const char *word, const char *form, ...)
	__attribute__((format(printf, 4, 5)));

/* The member "complaints": an array of {"word","severity","text"}. */
void complaint_put(const struct complaints *c, struct json *j);
