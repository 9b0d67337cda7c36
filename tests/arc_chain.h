/*
 * arc_chain - sealed messages for tests, one set on another, each as it should be or not.
 */
#pragma once

#include <stdio.h>

#include "tests/arc_drive.h"
#include "tests/sign.h"
#include "tests/test.h"

enum { SETS_ROOM = 60 };

static const char head[] =
	"Received: from a\r\nFrom: Alice <a@example.com>\r\nTo: b@example.org\r\n"
	"Subject: x  y\r\n";
static const char body[] = "Hi.\r\n\r\nWe  lost \t the game. \r\n.\r\n\r\n\r\n";

static inline EVP_PKEY *test_key(void)
{
	static EVP_PKEY *key;
	if (!key)
		key = sign_rsa(1024);
	return key;
}

/* One set as it is made; NULL: as usual. */
struct set {
	const char *results; /* in these, # is the instance, ~ the right cv */
	const char *message; /* tags */
	const char *names; /* h= of it as the signer takes it */
	const char *seal; /* tags */
	EVP_PKEY *message_key, *seal_key;
	const char *after; /* tags behind b= of both */
	bool simple_header, simple_body, sha1;
	long length; /* l=, 0: none */
};

struct chain {
	char *field[SETS_ROOM * 3]; /* results, message signature, seal, and again */
	unsigned n;
	char *text; /* of the last chain_text */
};

#define IA "i=#; a=rsa-sha256; "
#define IACV "i=#; a=rsa-sha256; cv=~; "
#define DS "d=example.org; s=s1; "
#define H "h=from"
#define RESULTS \
	"i=#; mx.example.org; spf=pass smtp.mailfrom=a@example.com; dmarc=pass " \
	"header.from=example.com"
#define MESSAGE_TAGS \
	"i=#; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s1; t=1528637909; " \
	"h=from:to:subject"
#define SEAL_TAGS "i=#; a=rsa-sha256; cv=~; d=example.org; s=s1; t=1528637909"

static inline void chain_tags(char *out, const char *form, unsigned i)
{
	for (; *form; form++) {
		if (*form == '#')
			out += sprintf(out, "%u", i);
		else if (*form == '~')
			out += sprintf(out, "%s", i > 1 ? "pass" : "none");
		else
			*out++ = *form;
	}
	*out = 0;
}

/* What set describes, numbered i, over a message with that header and body. */
static inline void chain_add_as(struct chain *c, unsigned i, const char *fields, const char *text,
				const struct set *set)
{
	char tags[4000];
	struct set s = set ? *set : (struct set){ 0 };
	chain_tags(tags, s.results ? s.results : RESULTS, i);
	if (asprintf(&c->field[c->n], "ARC-Authentication-Results: %s\r\n", tags) < 0)
		abort();
	chain_tags(tags, s.message ? s.message : MESSAGE_TAGS, i);
	struct sign message = { .key = s.message_key ? s.message_key : test_key(),
				.tags = tags,
				.names = s.names ? s.names : "from:to:subject",
				.relaxed_header = !s.simple_header,
				.relaxed_body = !s.simple_body,
				.sha1 = s.sha1,
				.length = s.length ? s.length : -1,
				.after = s.after,
				.field = "ARC-Message-Signature" };
	c->field[c->n + 1] = sign_message(&message, fields, bytes_str(text));
	chain_tags(tags, s.seal ? s.seal : SEAL_TAGS, i);
	struct sign seal = { .key = s.seal_key ? s.seal_key : test_key(),
			     .tags = tags,
			     .sha1 = s.sha1,
			     .after = s.after };
	c->field[c->n + 2] = sign_seal(&seal, c->field, c->n + 2);
	c->n += 3;
}

static inline void chain_add(struct chain *c, const struct set *set)
{
	chain_add_as(c, c->n / 3 + 1, head, body, set);
}

/* The whole message, its newest set on top; kept until the next. */
static inline struct bytes chain_text(struct chain *c, const char *fields, const char *text)
{
	size_t n = 0, room = strlen(fields) + strlen(text) + 3;
	for (unsigned i = 0; i < c->n; i++)
		room += c->field[i] ? strlen(c->field[i]) : 0;
	free(c->text);
	c->text = malloc(room);
	for (unsigned i = c->n; i-- > 0;)
		n += c->field[i] ? (size_t)sprintf(c->text + n, "%s", c->field[i]) : 0;
	n += (size_t)sprintf(c->text + n, "%s\r\n%s", fields, text);
	return bytes_of(c->text, n);
}

static inline void chain_free(struct chain *c)
{
	for (unsigned i = 0; i < c->n; i++)
		free(c->field[i]);
	free(c->text);
	*c = (struct chain){ .n = 0 };
}

/* Gives a chain of n usual sets. */
static inline struct chain chain_of(unsigned n)
{
	struct chain c = { .n = 0 };
	while (c.n < n * 3)
		chain_add(&c, NULL);
	return c;
}

static inline struct drive *drive_key(void)
{
	static char *record;
	if (!record)
		record = sign_record(test_key(), "");
	struct drive *d = drive_new();
	d->key = bytes_str(record);
	return d;
}

static inline bool is(const struct arc_result *r, enum auth_result result, const char *reason)
{
	bool good = r && r->result == result &&
		    (reason ? r->reason && strcmp(r->reason, reason) == 0 : !r->reason);
	if (r && !good)
		printf("\n%s %s, not %s %s", auth_result_name(r->result),
		       r->reason ? r->reason : "-", auth_result_name(result),
		       reason ? reason : "-");
	return good;
}
