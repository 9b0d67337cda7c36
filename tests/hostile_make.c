#include "tests/hostile_make.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sign.h"

/*
 * What a receiver sees of each row: From: alice@from.bad.example, HELO helo.bad.example, MAIL FROM
 * bounce@mail.bad.example, signatures and seals of key*.example. SPF of all three names is the rule
 * "bad.example".
 */

const char hostile_body[] = "Good day, here is the text of the message.\r\n";
const char hostile_from[] = "From: Alice <alice@from.bad.example>\r\n";

/* Of things that are many in a large header. */
unsigned hostile_many(const struct hostile *h, unsigned n)
{
	return (n + h->share - 1) / h->share;
}

void hostile_repeat(struct hostile *h, unsigned n, const char *text)
{
	while (n-- > 0)
		hostile_add(h, "%s", text);
}

void hostile_fill(struct hostile *h, unsigned n, char c)
{
	static char block[1024];
	memset(block, c, sizeof block);
	for (; n; n -= n < sizeof block ? n : (unsigned)sizeof block)
		hostile_add(h, "%.*s", (int)(n < sizeof block ? n : sizeof block), block);
}

void hostile_end(struct hostile *h)
{
	hostile_add(h, "Subject: hello\r\nTo: bob@receiver.example\r\n\r\n%s", hostile_body);
}

EVP_PKEY *hostile_key(void)
{
	static EVP_PKEY *k;
	if (!k)
		k = sign_rsa(2048);
	return k;
}

void hostile_key_rule(struct hostile *h, const char *tail)
{
	char *record = sign_record(hostile_key(), "");
	hostile_txt(h, tail, record);
	free(record);
}

/* The same terms for SPF and for Sender ID. */
void hostile_spf(struct hostile *h, const char *tail, struct bytes terms)
{
	static const char *const versions[] = { "v=spf1 ", "spf2.0/pra " };
	struct answer *a = hostile_rule(h, tail, QUESTION_TXT, 2);
	for (unsigned i = 0; i < 2; i++) {
		size_t n = strlen(versions[i]);
		uint8_t *p = hostile_take(h, n + terms.n);
		memcpy(p, versions[i], n);
		memcpy(p + n, terms.p, terms.n);
		hostile_set(h, a, i, bytes_of(p, n + terms.n));
	}
}

void hostile_spf_text(struct hostile *h, const char *tail, const char *terms)
{
	hostile_spf(h, tail, bytes_str(terms));
}

/* A signature over the right body whose b= is not one, so that all of its work has to be done. */
void hostile_signature(struct hostile *h, const char *domain, const char *selector,
		       const char *more, const char *names)
{
	uint8_t digest[SHA256_DIGEST_LENGTH], b[256];
	SHA256((const uint8_t *)hostile_body, strlen(hostile_body), digest);
	memset(b, 0x55, sizeof b);
	char *bh = sign_base64(digest, sizeof digest), *value = sign_base64(b, sizeof b);
	hostile_add(h,
		    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=%s;%s bh=%s; "
		    "h=%s;\r\n b=%s\r\n",
		    domain, selector, more, bh, names, value);
	free(bh);
	free(value);
}

/* A record of n octets: a beginning, then that text again and again. */
struct bytes hostile_long(struct hostile *h, size_t n, const char *start, const char *again)
{
	uint8_t *p = hostile_take(h, n);
	size_t o = strlen(start), len = strlen(again);
	memcpy(p, start, o);
	for (; o + len <= n; o += len)
		memcpy(p + o, again, len);
	return bytes_of(p, o);
}
