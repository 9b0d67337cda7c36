#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/hostile_make.h"
#include "tests/sign.h"

static void usual(struct hostile *h)
{
	char *text = malloc(32768);
	size_t n = 0;
	while (n < 20000)
		n += (size_t)sprintf(text + n, "%s", hostile_body);
	static const char fields[] =
		"From: Alice <alice@bad.example>\r\nTo: bob@receiver.example\r\n"
		"Subject: hello\r\nDate: Sat, 21 Nov 2026 21:00:00 +0000\r\n";
	struct sign s = { .key = hostile_key(),
			  .tags = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=bad.example; s=key; "
				  "h=from:to:subject:date",
			  .names = "from:to:subject:date",
			  .relaxed_header = true,
			  .relaxed_body = true,
			  .length = -1 };
	char *field = sign_message(&s, fields, bytes_str(text));
	hostile_add(h, "%s%s\r\n%s", field, fields, text);
	hostile_key_rule(h, "_domainkey.bad.example");
	hostile_txt(h, "_dmarc.bad.example", "v=DMARC1; p=reject");
	hostile_spf_text(h, "_spf.bad.example", "ip4:203.0.113.0/24 ip4:192.0.2.0/24 -all");
	hostile_spf_text(h, "bad.example", "include:_spf.bad.example -all");
	free(field);
	free(text);
}

/* ---- H-1, H-2, H-3: signatures, their tags, their keys ---- */

static void signatures_10000(struct hostile *h)
{
	hostile_key_rule(h, ".example");
	hostile_repeat(h, hostile_many(h, 10000), "DKIM-Signature: v=1\r\n");
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
}

static void signatures_whole(struct hostile *h)
{
	hostile_key_rule(h, ".example");
	for (unsigned i = 0; i < hostile_many(h, 330); i++) {
		char domain[32];
		snprintf(domain, sizeof domain, "key%u.example", i);
		hostile_signature(h, domain, "s", "", "from:to:subject");
	}
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
}

/* Five lists of 5,000 names over as many fields as a header may have. */
static void names_5000(struct hostile *h)
{
	hostile_key_rule(h, ".example");
	unsigned n = hostile_many(h, 5000);
	char *names = malloc(n * 8 + 8);
	size_t len = (size_t)sprintf(names, "from");
	for (unsigned i = 0; i < n; i++)
		len += (size_t)sprintf(names + len, ":a%u", i % 4000);
	for (unsigned i = 0; i < 5; i++) {
		char selector[16];
		snprintf(selector, sizeof selector, "s%u", i);
		hostile_signature(h, "key.example", selector, "", names);
	}
	for (unsigned i = 0; i < hostile_many(h, 4000); i++)
		hostile_add(h, "a%u:\r\n", i);
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
	free(names);
}

/* One name again and again: there is one field less to find each time. */
static void names_same(struct hostile *h)
{
	hostile_key_rule(h, ".example");
	unsigned n = hostile_many(h, 5000);
	char *names = malloc(n * 2 + 8);
	size_t len = (size_t)sprintf(names, "from");
	for (unsigned i = 0; i < n; i++)
		len += (size_t)sprintf(names + len, ":a");
	for (unsigned i = 0; i < 5; i++) {
		char selector[16];
		snprintf(selector, sizeof selector, "s%u", i);
		hostile_signature(h, "key.example", selector, "", names);
	}
	for (unsigned i = 0; i < hostile_many(h, 4000); i++)
		hostile_add(h, "a:%u%*s\r\n", i, h->share > 1 ? 1 : 40, "x");
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
	free(names);
}

static void long_tags(struct hostile *h)
{
	hostile_key_rule(h, ".example");
	char label[301], domain[340];
	memset(label, 'd', 300);
	label[300] = 0;
	for (unsigned i = 50; i < 300; i += 50)
		label[i] = '.';
	snprintf(domain, sizeof domain, "%s.example", label);
	hostile_signature(h, domain, "s1", "", "from");
	hostile_signature(h, "key.example", label, "", "from");
	hostile_signature(h, "key.example", "s3", " d=from.bad.example;", "from");
	hostile_signature(h, "key.example", "s4", " x=1; x=2; t=1; t=1;", "from");
	char *tags = malloc(hostile_many(h, 40000) * 5 + 1);
	size_t n = 0;
	for (unsigned i = 0; i < hostile_many(h, 30000); i++)
		n += (size_t)sprintf(tags + n, " %c%c%c=;", 'a' + (int)(i / 676 % 26),
				     'a' + (int)(i / 26 % 26), 'a' + (int)(i % 26));
	hostile_signature(h, "key.example", "s5", tags, "from");
	free(tags);
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
}

static size_t der_head(uint8_t *p, uint8_t tag, size_t n)
{
	p[0] = tag;
	p[1] = 0x82;
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
	return 4;
}

/* RSAPublicKey, BER lengths brought to DER where they are short. */
static size_t der_number(uint8_t *p, const uint8_t *number, size_t n)
{
	size_t head = 2;
	p[0] = 2;
	if (n < 128) {
		p[1] = (uint8_t)n;
	} else if (n < 256) {
		p[1] = 0x81;
		p[2] = (uint8_t)n;
		head = 3;
	} else {
		head = der_head(p, 2, n);
	}
	memcpy(p + head, number, n);
	return head + n;
}

/* Five signatures with five names of one such key. */
static void with_key(struct hostile *h, unsigned bits, uint8_t low, const uint8_t *e, size_t n_e)
{
	uint8_t n[2100] = { 0 }, der[4096], inner[4000];
	size_t len = bits / 8;
	memset(n + 1, 0xb7, len);
	n[len] = low;
	size_t o = der_number(inner, n, len + 1);
	o += der_number(inner + o, e, n_e);
	size_t head = 2;
	if (o < 128) {
		der[0] = 0x30;
		der[1] = (uint8_t)o;
	} else if (o < 256) {
		memcpy(der, (uint8_t[]){ 0x30, 0x81, (uint8_t)o }, 3);
		head = 3;
	} else {
		head = der_head(der, 0x30, o);
	}
	memcpy(der + head, inner, o);
	char *p = sign_base64(der, head + o), *record;
	if (asprintf(&record, "v=DKIM1; k=rsa; p=%s", p) < 0)
		abort();
	hostile_txt(h, "_domainkey.key.example", record);
	free(record);
	free(p);
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA256((const uint8_t *)hostile_body, strlen(hostile_body), digest);
	char *bh = sign_base64(digest, sizeof digest);
	memset(inner, 0x55, len);
	char *b = sign_base64(inner, len);
	for (unsigned i = 0; i < 5; i++)
		hostile_add(h,
			    "DKIM-Signature: v=1; a=rsa-sha256; d=key.example; s=s%u; bh=%s; "
			    "h=from; b=%s\r\n",
			    i, bh, b);
	free(bh);
	free(b);
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
}

static const uint8_t f4[3] = { 1, 0, 1 };

static void modulus_16(struct hostile *h)
{
	with_key(h, 16, 0xb7, f4, sizeof f4);
}

static void modulus_16384(struct hostile *h)
{
	with_key(h, 16384, 0xb7, f4, sizeof f4);
}

static void modulus_even(struct hostile *h)
{
	with_key(h, 2048, 0xb6, f4, sizeof f4);
}

static void exponent_1(struct hostile *h)
{
	with_key(h, 2048, 0xb7, (const uint8_t[]){ 1 }, 1);
}

static void exponent_4096(struct hostile *h)
{
	uint8_t e[512];
	memset(e, 0x7f, sizeof e);
	with_key(h, 4096, 0xb7, e, sizeof e);
}

/* The most work a key that is taken can make. */
static void exponent_64(struct hostile *h)
{
	uint8_t e[9];
	memset(e, 0xff, sizeof e);
	e[0] = 0;
	with_key(h, 4096, 0xb7, e, sizeof e);
}

static void der_garbage(struct hostile *h)
{
	for (unsigned i = 0; i < 5; i++) {
		char selector[16];
		snprintf(selector, sizeof selector, "s%u", i);
		hostile_signature(h, "key.example", selector, "", "from");
	}
	char record[4200] = "v=DKIM1; p=MIIP";
	memset(record + strlen(record), '/', 4000);
	hostile_txt(h, "_domainkey.key.example", record);
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
}

/* ---- ARC ---- */

void hostile_chain(struct hostile *h, unsigned n, unsigned pad, bool spoil)
{
	static const char fields[] = "From: Alice <alice@from.bad.example>\r\nTo: "
				     "bob@receiver.example\r\nSubject: hello\r\n";
	char *field[200], tags[400], *padding = malloc(pad + 1);
	memset(padding, 'p', pad);
	padding[pad] = 0;
	for (unsigned i = 0; i < n; i++) {
		char **set = field + (size_t)i * 3;
		if (asprintf(&set[0],
			     "ARC-Authentication-Results: i=%u; mx.sealer.example; dmarc=pass "
			     "(%s) header.from=from.bad.example\r\n",
			     i + 1, padding) < 0)
			abort();
		snprintf(tags, sizeof tags,
			 "i=%u; a=rsa-sha256; c=relaxed/relaxed; d=key%u.example; s=m; "
			 "h=from:to:subject",
			 i + 1, i);
		struct sign s = { .key = hostile_key(),
				  .tags = tags,
				  .names = "from:to:subject",
				  .relaxed_header = true,
				  .relaxed_body = true,
				  .length = -1,
				  .field = "ARC-Message-Signature" };
		set[1] = sign_message(&s, fields, bytes_str(hostile_body));
		snprintf(tags, sizeof tags, "i=%u; a=rsa-sha256; cv=%s; d=key%u.example; s=s",
			 i + 1, i ? "pass" : "none", i);
		set[2] = sign_seal(&s, field, i * 3 + 2);
		/* another letter of what is signed last: everything has to be hashed to see it */
		if (spoil && i == 0)
			set[2][strlen(set[2]) - 10] =
				set[2][strlen(set[2]) - 10] == 'A' ? 'B' : 'A';
	}
	for (unsigned i = n * 3; i-- > 0; free(field[i]))
		hostile_add(h, "%s", field[i]);
	hostile_add(h, "%s\r\n%s", fields, hostile_body);
	hostile_key_rule(h, ".example");
	free(padding);
}

static void arc_50(struct hostile *h)
{
	hostile_chain(h, 50, 3400 / h->share, false);
}

static void arc_50_spoiled(struct hostile *h)
{
	hostile_chain(h, 50, 3400 / h->share, true);
}

static void arc_51(struct hostile *h)
{
	hostile_chain(h, 51, 3300 / h->share, false);
}

static void arc_fields(struct hostile *h)
{
	hostile_key_rule(h, ".example");
	for (unsigned i = 0; i < hostile_many(h, 10000); i++)
		hostile_add(h, "ARC-Seal: i=%u; a=\r\n", i % 100);
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
}

static void arc_results(struct hostile *h)
{
	hostile_key_rule(h, ".example");
	hostile_add(h, "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=key.example; s=s; b=AAAA\r\n"
		       "ARC-Message-Signature: i=1; a=rsa-sha256; d=key.example; s=s; h=from; "
		       "bh=AAAA; b=AAAA\r\nARC-Authentication-Results: i=1; x");
	hostile_repeat(h, hostile_many(h, 25000), "; (a)b=c");
	hostile_add(h, "\r\n%s", hostile_from);
	hostile_end(h);
}

/* As much of the message's room as a header can take: folds, long h= lists, many fields and sets. */
static void room(struct hostile *h)
{
	hostile_key_rule(h, ".example");
	char *names = malloc(40000);
	size_t n = (size_t)sprintf(names, "from");
	for (unsigned i = 0; i < hostile_many(h, 9000); i++)
		n += (size_t)sprintf(names + n, ":a");
	for (unsigned i = 0; i < 5; i++) {
		char selector[16];
		snprintf(selector, sizeof selector, "s%u", i);
		hostile_signature(h, "key.example", selector, "", names);
	}
	hostile_add(h, "%s", hostile_from);
	hostile_add(h, "To: x@y.example");
	hostile_repeat(h, hostile_many(h, 30000), "\r\n ");
	hostile_repeat(h, hostile_many(h, 3500), "a:\r\n");
	hostile_chain(h, 50, 10, true);
	free(names);
}

static const struct hostile_row rows[] = {
	{ "usual", usual },
	{ "h1 10,000 signature fields", signatures_10000 },
	{ "h1 330 whole signatures", signatures_whole },
	{ "h2 five lists of 5,000 names", names_5000 },
	{ "h2 five lists of one name", names_same },
	{ "h2 all the room there is", room },
	{ "h2 long and double tags", long_tags },
	{ "h3 modulus of 16 bits", modulus_16 },
	{ "h3 modulus of 16,384 bits", modulus_16384 },
	{ "h3 even modulus", modulus_even },
	{ "h3 exponent 1", exponent_1 },
	{ "h3 exponent of 4,096 bits", exponent_4096 },
	{ "h3 exponent of 64 bits", exponent_64 },
	{ "h3 garbage for DER", der_garbage },
	{ "arc 50 sets", arc_50 },
	{ "arc 50 sets, the first spoiled", arc_50_spoiled },
	{ "arc 51 sets", arc_51 },
	{ "arc 10,000 fields", arc_fields },
	{ "arc results of 25,000", arc_results },
};
const struct hostile_table hostile_dkim = { rows, sizeof rows / sizeof rows[0] };
