/*
 * dkim_mail - signed messages in memory: RSA-2048, relaxed/relaxed, mixed mail, every sixteenth with
 * a changed body, header or signature.
 */
#pragma once

#include "base/message.h"

enum { DKIM_MAIL_KEYS = 4 };

struct dkim_mail {
	struct message m;
	struct bytes text;
	bool good; /* its signature holds */
	bool judged, passed; /* by who is asked */
};

/* n messages of so many octets and a little. Gives what lives as long as the program. */
struct dkim_mail *dkim_mail_make(unsigned n, size_t size);

/* Key i's name and record. */
const char *dkim_mail_key(unsigned i, const char **record);

/* Writes the keys as a zone. */
void dkim_mail_zone(const char *path);
