/*
 * sign - a DKIM and ARC signer for tests: whole strings in, whole strings out, with OpenSSL's high-level calls.
 *
 * Canonical forms are made the way RFC 6376 section 3.4 reads, rule after rule, not by the code under test.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

enum { SIGN_MAX = 1 << 20 };

struct sign {
	EVP_PKEY *key;
	const char *tags; /* all but bh= and b=, without final semicolon */
	const char *names; /* what h= says, lower case, colons between */
	bool relaxed_header, relaxed_body, sha1;
	long length; /* l=, -1: none */
	const char *after; /* tags behind b=, with the semicolon in front; or NULL */
	const char *field; /* NULL: DKIM-Signature */
};

static inline EVP_PKEY *sign_rsa(unsigned bits)
{
	return EVP_RSA_gen(bits);
}

static inline EVP_PKEY *sign_ed25519(void)
{
	static const uint8_t seed[32] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
}

/* SubjectPublicKeyInfo, or the bare RSAPublicKey, or the 32 octets. */
static inline size_t sign_public(EVP_PKEY *key, bool bare, uint8_t *out, size_t cap)
{
	size_t n = cap;
	if (EVP_PKEY_get_id(key) == EVP_PKEY_ED25519)
		return EVP_PKEY_get_raw_public_key(key, out, &n) == 1 ? n : 0;
	int len = bare ? i2d_PublicKey(key, &out) : i2d_PUBKEY(key, &out);
	return len > 0 ? (size_t)len : 0;
}

static inline char *sign_base64(const uint8_t *p, size_t n)
{
	char *text = malloc(n * 2 + 8);
	EVP_EncodeBlock((uint8_t *)text, p, (int)n);
	return text;
}

/* "v=DKIM1; k=...; <more>p=..." */
static inline char *sign_record(EVP_PKEY *key, const char *more)
{
	uint8_t der[4096];
	bool rsa = EVP_PKEY_get_id(key) == EVP_PKEY_RSA;
	char *p = sign_base64(der, sign_public(key, false, der, sizeof der)), *record;
	if (asprintf(&record, "v=DKIM1; k=%s; %sp=%s", rsa ? "rsa" : "ed25519", more, p) < 0)
		abort();
	free(p);
	return record;
}

static inline bool sign_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static inline size_t sign_body(bool relaxed, struct bytes in, uint8_t *out)
{
	size_t o = 0;
	for (size_t i = 0; i < in.n; i++) {
		if (relaxed && sign_blank(in.p[i])) {
			while (i + 1 < in.n && sign_blank(in.p[i + 1]))
				i++;
			if (i + 1 < in.n && !(i + 2 < in.n && memcmp(in.p + i + 1, "\r\n", 2) == 0))
				out[o++] = ' ';
		} else {
			out[o++] = in.p[i];
		}
	}
	while (o >= 2 && memcmp(out + o - 2, "\r\n", 2) == 0 &&
	       (o == 2 || (o >= 4 && memcmp(out + o - 4, "\r\n", 2) == 0)))
		o -= 2;
	if ((o < 2 || memcmp(out + o - 2, "\r\n", 2) != 0) && (o || !relaxed)) {
		memcpy(out + o, "\r\n", 2);
		o += 2;
	}
	return o;
}

/* A field without its CRLF, appended. */
static inline size_t sign_field(bool relaxed, struct bytes f, uint8_t *out)
{
	size_t o = 0, i = 0;
	if (!relaxed) {
		memcpy(out, f.p, f.n);
		return f.n;
	}
	for (; i < f.n && f.p[i] != ':'; i++)
		if (!sign_blank(f.p[i]))
			out[o++] = bytes_lower(f.p[i]);
	out[o++] = ':';
	size_t start = o;
	for (i++; i < f.n; i++) {
		if (i + 1 < f.n && memcmp(f.p + i, "\r\n", 2) == 0)
			i++;
		else if (!sign_blank(f.p[i]))
			out[o++] = f.p[i];
		else if (o > start && out[o - 1] != ' ')
			out[o++] = ' ';
	}
	while (o > start && out[o - 1] == ' ')
		o--;
	return o;
}

/* The nth field from the bottom of that name, without CRLF; fields in header are not folded. */
static inline struct bytes sign_find(const char *header, struct bytes name, unsigned nth)
{
	struct bytes found[256];
	unsigned n = 0;
	for (const char *p = header, *end; *p && (end = strstr(p, "\r\n")); p = end + 2) {
		struct bytes line = bytes_of(p, (size_t)(end - p));
		if (line.n > name.n && line.p[name.n] == ':' && n < 256 &&
		    bytes_equal_nocase(bytes_head(line, name.n), name))
			found[n++] = line;
	}
	return nth < n ? found[n - 1 - nth] : (struct bytes){ NULL, 0 };
}

static inline size_t sign_header(const struct sign *s, const char *header, const char *own,
				 uint8_t *out)
{
	size_t o = 0;
	const char *p = s->names;
	while (*p) {
		size_t n = strcspn(p, ":");
		unsigned nth = 0;
		for (const char *q = s->names; q < p; q += strcspn(q, ":") + 1)
			nth += strcspn(q, ":") == n && memcmp(q, p, n) == 0;
		struct bytes f = sign_find(header, bytes_of(p, n), nth);
		if (f.p) {
			o += sign_field(s->relaxed_header, f, out + o);
			memcpy(out + o, "\r\n", 2);
			o += 2;
		}
		p += n + (p[n] == ':');
	}
	return o + sign_field(s->relaxed_header, bytes_str(own), out + o);
}

/* The value of b= over canonical octets. */
static inline char *sign_value(const struct sign *s, const uint8_t *canon, size_t n)
{
	const EVP_MD *md = s->sha1 ? EVP_sha1() : EVP_sha256();
	uint8_t digest[32], value[1024];
	size_t n_value = sizeof value;
	unsigned len;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (EVP_PKEY_get_id(s->key) == EVP_PKEY_RSA) {
		EVP_DigestSignInit(ctx, NULL, md, NULL, s->key);
		EVP_DigestSign(ctx, value, &n_value, canon, n);
	} else {
		EVP_Digest(canon, n, digest, &len, md, NULL);
		EVP_DigestSignInit(ctx, NULL, NULL, NULL, s->key);
		EVP_DigestSign(ctx, value, &n_value, digest, len);
	}
	EVP_MD_CTX_free(ctx);
	return sign_base64(value, n_value);
}

/* Gives the whole signature field with CRLF; header: unfolded fields, each with CRLF. */
static inline char *sign_message(const struct sign *s, const char *header, struct bytes body)
{
	const EVP_MD *md = s->sha1 ? EVP_sha1() : EVP_sha256();
	const char *name = s->field ? s->field : "DKIM-Signature";
	uint8_t *canon = malloc(SIGN_MAX), digest[32];
	unsigned len;
	size_t n = sign_body(s->relaxed_body, body, canon);
	n = s->length >= 0 && (size_t)s->length < n ? (size_t)s->length : n;
	EVP_Digest(canon, n, digest, &len, md, NULL);
	char *bh = sign_base64(digest, len), *own, *field;
	const char *after = s->after ? s->after : "";
	if (asprintf(&own, "%s: %s; bh=%s; b=%s", name, s->tags, bh, after) < 0)
		abort();
	n = sign_header(s, header, own, canon);
	char *b = sign_value(s, canon, n);
	if (asprintf(&field, "%s: %s; bh=%s; b=%s%s\r\n", name, s->tags, bh, b, after) < 0)
		abort();
	free(b);
	free(bh);
	free(own);
	free(canon);
	return field;
}

/* Gives the ARC-Seal over n fields, each with CRLF, in the order they are hashed. */
static inline char *sign_seal(const struct sign *s, char *const *covered, unsigned n)
{
	uint8_t *canon = malloc(SIGN_MAX);
	const char *after = s->after ? s->after : "";
	char *own, *field;
	size_t o = 0;
	for (unsigned i = 0; i < n; i++) {
		o += sign_field(true, bytes_of(covered[i], strlen(covered[i]) - 2), canon + o);
		memcpy(canon + o, "\r\n", 2);
		o += 2;
	}
	if (asprintf(&own, "ARC-Seal: %s; b=%s", s->tags, after) < 0)
		abort();
	o += sign_field(true, bytes_str(own), canon + o);
	char *b = sign_value(s, canon, o);
	if (asprintf(&field, "ARC-Seal: %s; b=%s%s\r\n", s->tags, b, after) < 0)
		abort();
	free(b);
	free(own);
	free(canon);
	return field;
}
