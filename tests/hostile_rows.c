#include <arpa/inet.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/hostile_make.h"
#include "tests/sign.h"

/*
 * What a receiver sees of each row: From: alice@from.bad.example, HELO helo.bad.example, MAIL FROM
 * bounce@mail.bad.example, signatures and seals of key*.example. SPF of all three names is the rule
 * "bad.example".
 */

static const char body[] = "Good day, here is the text of the message.\r\n";
static const char from[] = "From: Alice <alice@from.bad.example>\r\n";

/* Of things that are many in a large header. */
static unsigned many(const struct hostile *h, unsigned n)
{
	return h->small ? (n + 9) / 10 : n;
}

static void repeat(struct hostile *h, unsigned n, const char *text)
{
	while (n-- > 0)
		hostile_add(h, "%s", text);
}

static void fill(struct hostile *h, unsigned n, char c)
{
	static char block[1024];
	memset(block, c, sizeof block);
	for (; n; n -= n < sizeof block ? n : (unsigned)sizeof block)
		hostile_add(h, "%.*s", (int)(n < sizeof block ? n : sizeof block), block);
}

static void end(struct hostile *h)
{
	hostile_add(h, "Subject: hello\r\nTo: bob@receiver.example\r\n\r\n%s", body);
}

static EVP_PKEY *key(void)
{
	static EVP_PKEY *k;
	if (!k)
		k = sign_rsa(2048);
	return k;
}

static void key_rule(struct hostile *h, const char *tail)
{
	char *record = sign_record(key(), "");
	hostile_txt(h, tail, record);
	free(record);
}

/* The same terms for SPF and for Sender ID. */
static void spf(struct hostile *h, const char *tail, struct bytes terms)
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

static void spf_text(struct hostile *h, const char *tail, const char *terms)
{
	spf(h, tail, bytes_str(terms));
}

/* A signature over the right body whose b= is not one, so that all of its work has to be done. */
static void signature(struct hostile *h, const char *domain, const char *selector, const char *more,
		      const char *names)
{
	uint8_t digest[SHA256_DIGEST_LENGTH], b[256];
	SHA256((const uint8_t *)body, sizeof body - 1, digest);
	memset(b, 0x55, sizeof b);
	char *bh = sign_base64(digest, sizeof digest), *value = sign_base64(b, sizeof b);
	hostile_add(h,
		    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=%s;%s bh=%s; "
		    "h=%s;\r\n b=%s\r\n",
		    domain, selector, more, bh, names, value);
	free(bh);
	free(value);
}

static void usual(struct hostile *h)
{
	char *text = malloc(32768);
	size_t n = 0;
	while (n < 20000)
		n += (size_t)sprintf(text + n, "%s", body);
	static const char fields[] =
		"From: Alice <alice@bad.example>\r\nTo: bob@receiver.example\r\n"
		"Subject: hello\r\nDate: Sat, 21 Nov 2026 21:00:00 +0000\r\n";
	struct sign s = { .key = key(),
			  .tags = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=bad.example; s=key; "
				  "h=from:to:subject:date",
			  .names = "from:to:subject:date",
			  .relaxed_header = true,
			  .relaxed_body = true,
			  .length = -1 };
	char *field = sign_message(&s, fields, bytes_str(text));
	hostile_add(h, "%s%s\r\n%s", field, fields, text);
	key_rule(h, "_domainkey.bad.example");
	hostile_txt(h, "_dmarc.bad.example", "v=DMARC1; p=reject");
	spf_text(h, "_spf.bad.example", "ip4:203.0.113.0/24 ip4:192.0.2.0/24 -all");
	spf_text(h, "bad.example", "include:_spf.bad.example -all");
	free(field);
	free(text);
}

/* ---- H-1, H-2, H-3: signatures, their tags, their keys ---- */

static void signatures_10000(struct hostile *h)
{
	key_rule(h, ".example");
	repeat(h, many(h, 10000), "DKIM-Signature: v=1\r\n");
	hostile_add(h, "%s", from);
	end(h);
}

static void signatures_whole(struct hostile *h)
{
	key_rule(h, ".example");
	for (unsigned i = 0; i < many(h, 330); i++) {
		char domain[32];
		snprintf(domain, sizeof domain, "key%u.example", i);
		signature(h, domain, "s", "", "from:to:subject");
	}
	hostile_add(h, "%s", from);
	end(h);
}

/* Five lists of 5,000 names over as many fields as a header may have. */
static void names_5000(struct hostile *h)
{
	key_rule(h, ".example");
	unsigned n = many(h, 5000);
	char *names = malloc(n * 8 + 8);
	size_t len = (size_t)sprintf(names, "from");
	for (unsigned i = 0; i < n; i++)
		len += (size_t)sprintf(names + len, ":a%u", i % 4000);
	for (unsigned i = 0; i < 5; i++) {
		char selector[16];
		snprintf(selector, sizeof selector, "s%u", i);
		signature(h, "key.example", selector, "", names);
	}
	for (unsigned i = 0; i < many(h, 4000); i++)
		hostile_add(h, "a%u:\r\n", i);
	hostile_add(h, "%s", from);
	end(h);
	free(names);
}

/* One name again and again: there is one field less to find each time. */
static void names_same(struct hostile *h)
{
	key_rule(h, ".example");
	unsigned n = many(h, 5000);
	char *names = malloc(n * 2 + 8);
	size_t len = (size_t)sprintf(names, "from");
	for (unsigned i = 0; i < n; i++)
		len += (size_t)sprintf(names + len, ":a");
	for (unsigned i = 0; i < 5; i++) {
		char selector[16];
		snprintf(selector, sizeof selector, "s%u", i);
		signature(h, "key.example", selector, "", names);
	}
	for (unsigned i = 0; i < many(h, 4000); i++)
		hostile_add(h, "a:%u%*s\r\n", i, h->small ? 1 : 40, "x");
	hostile_add(h, "%s", from);
	end(h);
	free(names);
}

static void long_tags(struct hostile *h)
{
	key_rule(h, ".example");
	char label[301], domain[340];
	memset(label, 'd', 300);
	label[300] = 0;
	for (unsigned i = 50; i < 300; i += 50)
		label[i] = '.';
	snprintf(domain, sizeof domain, "%s.example", label);
	signature(h, domain, "s1", "", "from");
	signature(h, "key.example", label, "", "from");
	signature(h, "key.example", "s3", " d=from.bad.example;", "from");
	signature(h, "key.example", "s4", " x=1; x=2; t=1; t=1;", "from");
	char *tags = malloc(many(h, 40000) * 5 + 1);
	size_t n = 0;
	for (unsigned i = 0; i < many(h, 30000); i++)
		n += (size_t)sprintf(tags + n, " %c%c%c=;", 'a' + (int)(i / 676 % 26),
				     'a' + (int)(i / 26 % 26), 'a' + (int)(i % 26));
	signature(h, "key.example", "s5", tags, "from");
	free(tags);
	hostile_add(h, "%s", from);
	end(h);
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
	SHA256((const uint8_t *)body, sizeof body - 1, digest);
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
	hostile_add(h, "%s", from);
	end(h);
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
		signature(h, "key.example", selector, "", "from");
	}
	char record[4200] = "v=DKIM1; p=MIIP";
	memset(record + strlen(record), '/', 4000);
	hostile_txt(h, "_domainkey.key.example", record);
	hostile_add(h, "%s", from);
	end(h);
}

/* ---- H-4: answers ---- */

/* A record of n octets: a beginning, then that text again and again. */
static struct bytes long_record(struct hostile *h, size_t n, const char *start, const char *again)
{
	uint8_t *p = hostile_take(h, n);
	size_t o = strlen(start), len = strlen(again);
	memcpy(p, start, o);
	for (; o + len <= n; o += len)
		memcpy(p + o, again, len);
	return bytes_of(p, o);
}

static void answers_of(struct hostile *h, size_t n, unsigned records)
{
	struct answer *a = hostile_rule(h, "_domainkey.key.example", QUESTION_TXT, records);
	char *k = sign_record(key(), "n=");
	char *p = strstr(k, "p=");
	for (unsigned i = 0; i < records; i++)
		hostile_set(h, a, i, long_record(h, n, "v=DKIM1; n=", "x y "));
	char *last;
	if (asprintf(&last, "v=DKIM1; k=rsa; %s", p) < 0)
		abort();
	if (records > 1)
		hostile_set(h, a, records - 1, bytes_str(last));
	free(last);
	free(k);
	struct answer *d = hostile_rule(h, "_dmarc.from.bad.example", QUESTION_TXT, records);
	for (unsigned i = 0; i < records; i++)
		hostile_set(h, d, i,
			    long_record(h, n, "v=DMARC1; p=none; rua=mailto:a@b.example",
					",mailto:a@b.example"));
	a = hostile_rule(h, "bad.example", QUESTION_TXT, records);
	for (unsigned i = 0; i < records; i++)
		hostile_set(h, a, i,
			    long_record(h, n, i ? "v=spf2 x" : "v=spf1 ", "ip4:203.0.113.1 "));
	for (unsigned i = 0; i < 5; i++) {
		char selector[16];
		snprintf(selector, sizeof selector, "s%u", i);
		signature(h, "key.example", selector, "", "from");
	}
	hostile_add(h, "%s", from);
	end(h);
}

static void txt_64k(struct hostile *h)
{
	answers_of(h, 65000, 1);
}

static void txt_49_strings(struct hostile *h)
{
	answers_of(h, 49 * 255, 1);
}

static void txt_100_records(struct hostile *h)
{
	answers_of(h, 600, 100);
}

/* ---- H-5: SPF ---- */

static void plain(struct hostile *h)
{
	hostile_add(h, "%s", from);
	end(h);
}

static void include_loop(struct hostile *h)
{
	spf_text(h, "a.bad.example", "include:b.bad.example -all");
	spf_text(h, "b.bad.example", "include:a.bad.example -all");
	spf_text(h, "bad.example", "include:a.bad.example include:b.bad.example -all");
	plain(h);
}

static void includes_11(struct hostile *h)
{
	char record[1024] = "";
	for (unsigned i = 0; i < 11; i++)
		sprintf(record + strlen(record), " include:i%u.inc.example", i);
	spf_text(h, "inc.example", "ip4:203.0.113.1");
	spf_text(h, "bad.example", record);
	plain(h);
}

static void void_storm(struct hostile *h)
{
	char *record = malloc(65536);
	size_t n = 0;
	for (unsigned i = 0; i < 2000; i++)
		n += (size_t)sprintf(record + n, " a:v%u.void.example", i);
	spf_text(h, "bad.example", record);
	free(record);
	plain(h);
}

/* Ten lookups, each with a name of many macros, in the three forms that take one; exp= too. */
static void macro_bomb(struct hostile *h)
{
	char *record = malloc(65536), *local = hostile_take(h, 1000);
	size_t n = 0;
	for (unsigned i = 0; i < 10; i++) {
		n += (size_t)sprintf(record + n, " exists:");
		for (unsigned k = 0; k < 700; k++)
			n += (size_t)sprintf(record + n, k % 3 == 0   ? "%%{ir}."
							 : k % 3 == 1 ? "%%{L99r-}."
								      : "%%{s}.");
		n += (size_t)sprintf(record + n, "m%u.bomb.example", i);
	}
	sprintf(record + n, " exp=why.bomb.example -all");
	inet_pton(AF_INET6, "2001:db8::1", h->m.client.ip);
	memset(local, '-', 900);
	for (unsigned i = 0; i < 900; i += 2)
		local[i] = (char)('a' + i % 26);
	strcpy(local + 900, "@mail.bad.example");
	h->m.mail_from = bytes_str(local);
	spf_text(h, "bad.example", record);
	struct bytes why = long_record(h, 60000, "", "%{s} %{ir} %{L99r-} %{o} ");
	hostile_set(h, hostile_rule(h, "why.bomb.example", QUESTION_TXT, 1), 0, why);
	free(record);
	plain(h);
}

/* An explanation that is asked for, of as many macros as a record holds. */
static void explanation_bomb(struct hostile *h)
{
	struct bytes why = long_record(h, 60000, "", "%{s} %{ir} %{L99r-} %{o} ");
	hostile_set(h, hostile_rule(h, "why.bomb.example", QUESTION_TXT, 1), 0, why);
	spf_text(h, "bad.example", "-all exp=why.bomb.example");
	plain(h);
}

static void record_2000_terms(struct hostile *h)
{
	struct bytes record = long_record(h, 10000, "", "x=y  ");
	spf(h, "bad.example", record);
	plain(h);
}

static void record_ip4(struct hostile *h)
{
	struct bytes record = long_record(h, 32000, "", "ip4:203.0.113.1 ");
	spf(h, "inc.example", record);
	char text[1024] = "";
	for (unsigned i = 0; i < 10; i++)
		sprintf(text + strlen(text), " include:i%u.inc.example", i);
	spf_text(h, "bad.example", text);
	plain(h);
}

/* As large and as many as the three identities may have. */
static void records_30(struct hostile *h)
{
	struct bytes record = long_record(h, 32000, "", "ip4:203.0.113.1 ");
	spf(h, "inc.example", record);
	char text[1024] = "";
	for (unsigned i = 0; i < 10; i++)
		sprintf(text + strlen(text), " include:i%u.%%{d}.inc.example", i);
	spf_text(h, "bad.example", text);
	plain(h);
}

/* A host name on the wire, mx: with a preference in front. */
static void host(struct hostile *h, struct answer *a, unsigned i, const char *tail, bool mx)
{
	uint8_t wire[80];
	char label[16];
	size_t n = mx ? 2 : 0, len = (size_t)sprintf(label, "host%u", i);
	wire[0] = wire[1] = 0;
	wire[n++] = (uint8_t)len;
	memcpy(wire + n, label, len);
	n += len;
	wire[n++] = (uint8_t)strlen(tail);
	memcpy(wire + n, tail, strlen(tail));
	n += strlen(tail);
	memcpy(wire + n, "\7example", 9);
	hostile_set(h, a, i, bytes_of(wire, n + 9));
}

static void addresses(struct hostile *h, const char *tail, unsigned n)
{
	struct answer *a = hostile_rule(h, tail, QUESTION_A, n);
	for (unsigned i = 0; i < n; i++)
		hostile_set(h, a, i, bytes_of((uint8_t[]){ 203, 0, 113, (uint8_t)i }, 4));
}

static void ptr_100(struct hostile *h)
{
	struct answer *a = hostile_rule(h, "in-addr.arpa", QUESTION_PTR, 100);
	for (unsigned i = 0; i < 100; i++)
		host(h, a, i, "ptr", false);
	addresses(h, "ptr.example", 100);
	spf_text(h, "bad.example",
		 "ptr ptr:a.example ptr:b.example ptr:c.example ptr:d.example "
		 "ptr:e.example exists:%{p}.x.example -all");
	plain(h);
}

static void mx_100(struct hostile *h)
{
	struct answer *a = hostile_rule(h, ".mx.example", QUESTION_MX, 100);
	for (unsigned i = 0; i < 100; i++)
		host(h, a, i, "mxs", true);
	spf_text(h, "bad.example", "mx:a.mx.example -all");
	plain(h);
}

/* Ten mx of ten hosts, each with a hundred addresses, at three names. */
static void mx_storm(struct hostile *h)
{
	struct answer *a = hostile_rule(h, ".mx.example", QUESTION_MX, 10);
	for (unsigned i = 0; i < 10; i++)
		host(h, a, i, "mxs", true);
	addresses(h, "mxs.example", 1000);
	char text[1024] = "";
	for (unsigned i = 0; i < 10; i++)
		sprintf(text + strlen(text), " mx:m%u.%%{d1r}.mx.example", i);
	spf_text(h, "bad.example", text);
	plain(h);
}

/* ---- H-6: From: ---- */

static void mailboxes_4000(struct hostile *h)
{
	hostile_add(h, "From: x <x@from.bad.example>");
	for (unsigned i = 0; i < many(h, 4000); i++)
		hostile_add(h, ",\r\n \"Mailbox %u of many, more\" <user%u@domain%u.bad.example>",
			    i, i, i);
	hostile_add(h, "\r\n");
	end(h);
}

static void comments_nested(struct hostile *h)
{
	unsigned n = many(h, 120000);
	hostile_add(h, "From: ");
	fill(h, n, '(');
	fill(h, n, ')');
	hostile_add(h, " alice@from.bad.example\r\n");
	end(h);
}

static void comments_open(struct hostile *h)
{
	hostile_add(h, "From: alice@from.bad.example ");
	fill(h, many(h, 250000), '(');
	hostile_add(h, "\r\n");
	end(h);
}

static void quote_open(struct hostile *h)
{
	hostile_add(h, "From: \"");
	fill(h, many(h, 250000), 'q');
	hostile_add(h, " <alice@from.bad.example>\r\n");
	end(h);
}

static void quotes_many(struct hostile *h)
{
	hostile_add(h, "From: ");
	repeat(h, many(h, 60000), "\"a\" ");
	hostile_add(h, "<alice@from.bad.example>\r\n");
	end(h);
}

static void angles_many(struct hostile *h)
{
	hostile_add(h, "From: ");
	repeat(h, many(h, 60000), "<a@b");
	hostile_add(h, "<alice@from.bad.example>\r\n");
	end(h);
}

static void groups_many(struct hostile *h)
{
	hostile_add(h, "From: ");
	repeat(h, many(h, 60000), "g:;,");
	hostile_add(h, "alice@from.bad.example\r\n");
	end(h);
}

static void encoded_10000(struct hostile *h)
{
	hostile_add(h, "From:");
	repeat(h, many(h, 10000), " =?utf-8?b?w4TDlsOc?=");
	hostile_add(h, " <alice@from.bad.example>\r\n");
	end(h);
}

/* No mailbox for long, in a message whose SPF has many rounds. */
static void groups_and_storm(struct hostile *h)
{
	mx_storm(h);
	h->n = 0;
	groups_many(h);
}

static void routes_long(struct hostile *h)
{
	hostile_add(h, "From: <");
	repeat(h, many(h, 30000), "@a.b.c,");
	hostile_add(h, ":alice@from.bad.example>\r\n");
	end(h);
}

static void labels(struct hostile *h, unsigned i)
{
	for (unsigned k = 0; k < 110; k++)
		hostile_add(h, "%c.", 'a' + (int)((i + k) % 26));
	hostile_add(h, "d%u.example", i);
}

static void labels_120(struct hostile *h)
{
	hostile_add(h, "From: alice@");
	labels(h, 0);
	hostile_add(h, "\r\n");
	end(h);
}

static void domains_many(struct hostile *h)
{
	hostile_add(h, "From: ");
	for (unsigned i = 0; i < many(h, 900); i++) {
		hostile_add(h, "%salice@", i ? ",\r\n " : "");
		labels(h, i);
	}
	hostile_add(h, "\r\n");
	end(h);
}

static void from_fields(struct hostile *h)
{
	for (unsigned i = 0; i < many(h, 4000); i++)
		hostile_add(h, "From: a@d%u.bad.example, b@e%u.bad.example\r\n", i, i);
	end(h);
}

static void display_512(struct hostile *h)
{
	hostile_add(h, "From: \"");
	for (unsigned i = 0; i < 512; i += 8)
		hostile_add(h, "Amboixe ");
	hostile_add(h, "Directer Ab%u Ambolse\" <alice@from.bad.example>\r\n", 27);
	end(h);
}

/* ---- ARC ---- */

static void chain(struct hostile *h, unsigned n, unsigned pad, bool spoil)
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
		struct sign s = { .key = key(),
				  .tags = tags,
				  .names = "from:to:subject",
				  .relaxed_header = true,
				  .relaxed_body = true,
				  .length = -1,
				  .field = "ARC-Message-Signature" };
		set[1] = sign_message(&s, fields, bytes_str(body));
		snprintf(tags, sizeof tags, "i=%u; a=rsa-sha256; cv=%s; d=key%u.example; s=s",
			 i + 1, i ? "pass" : "none", i);
		set[2] = sign_seal(&s, field, i * 3 + 2);
		/* another letter of what is signed last: everything has to be hashed to see it */
		if (spoil && i == 0)
			set[2][strlen(set[2]) - 10] ^= 1;
	}
	for (unsigned i = n * 3; i-- > 0; free(field[i]))
		hostile_add(h, "%s", field[i]);
	hostile_add(h, "%s\r\n%s", fields, body);
	key_rule(h, ".example");
	free(padding);
}

static void arc_50(struct hostile *h)
{
	chain(h, 50, h->small ? 10 : 3400, false);
}

static void arc_50_spoiled(struct hostile *h)
{
	chain(h, 50, h->small ? 10 : 3400, true);
}

static void arc_51(struct hostile *h)
{
	chain(h, 51, h->small ? 10 : 3300, false);
}

static void arc_fields(struct hostile *h)
{
	key_rule(h, ".example");
	for (unsigned i = 0; i < many(h, 10000); i++)
		hostile_add(h, "ARC-Seal: i=%u; a=\r\n", i % 100);
	hostile_add(h, "%s", from);
	end(h);
}

static void arc_results(struct hostile *h)
{
	key_rule(h, ".example");
	hostile_add(h, "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=key.example; s=s; b=AAAA\r\n"
		       "ARC-Message-Signature: i=1; a=rsa-sha256; d=key.example; s=s; h=from; "
		       "bh=AAAA; b=AAAA\r\nARC-Authentication-Results: i=1; x");
	repeat(h, many(h, 25000), "; (a)b=c");
	hostile_add(h, "\r\n%s", from);
	end(h);
}

/* ---- fields of ours, and Received: ---- */

static void results_9000(struct hostile *h)
{
	repeat(h, many(h, 9000), "Authentication-Results: x;\r\n");
	hostile_add(h, "%s", from);
	end(h);
}

static void results_4000(struct hostile *h)
{
	repeat(h, many(h, 4000), "Authentication-Results: mx.receiver.example; dkim=pass\r\n");
	hostile_add(h, "%s", from);
	end(h);
}

static void results_comments(struct hostile *h)
{
	hostile_add(h, "Authentication-Results: ");
	fill(h, many(h, 125000), '(');
	fill(h, many(h, 125000), ')');
	hostile_add(h, "mx.receiver.example; dkim=pass\r\n%s", from);
	end(h);
}

static void received_4096(struct hostile *h)
{
	inet_pton(AF_INET, "198.51.100.7", h->m.client.ip + 12);
	for (unsigned i = 0; i < many(h, 4000); i++)
		hostile_add(h, "Received: from a ([198.51.100.%u]) by b; x\r\n", i % 250);
	hostile_add(h, "%s", from);
	spf_text(h, "bad.example", "-all");
	end(h);
}

static void received_long(struct hostile *h)
{
	inet_pton(AF_INET, "198.51.100.7", h->m.client.ip + 12);
	hostile_add(h, "Received: from ");
	repeat(h, many(h, 80000), "(a ");
	hostile_add(h, "\r\n%s", from);
	spf_text(h, "bad.example", "-all");
	end(h);
}

static void received_brackets(struct hostile *h)
{
	inet_pton(AF_INET, "198.51.100.7", h->m.client.ip + 12);
	hostile_add(h, "Received: from ");
	repeat(h, many(h, 80000), "[1 ");
	hostile_add(h, "\r\n%s", from);
	spf_text(h, "bad.example", "-all");
	end(h);
}

/* ---- all of it ---- */

static void together(struct hostile *h)
{
	unsigned share = h->small ? 10 : 1;
	char *names = malloc(16384);
	size_t n = (size_t)sprintf(names, "from");
	for (unsigned i = 0; i < 900 / share; i++)
		n += (size_t)sprintf(names + n, ":a%u", i);
	hostile_add(h, "Authentication-Results: mx.receiver.example ");
	fill(h, 10000 / share, '(');
	hostile_add(h, "\r\n");
	for (unsigned i = 0; i < 5; i++) {
		char domain[32];
		snprintf(domain, sizeof domain, "d%u.key.example", i);
		signature(h, domain, "s", "", names);
	}
	for (unsigned i = 0; i < 900 / share; i++)
		hostile_add(h, "a%u:x\r\nReceived: from a ([203.0.113.1])\r\n", i);
	hostile_add(h, "From: \"");
	for (unsigned i = 0; i < 512; i += 8)
		hostile_add(h, "Amboixe ");
	hostile_add(h, "\" <alice@from.bad.example>");
	for (unsigned i = 0; i < 8; i++) {
		hostile_add(h, ",\r\n alice@");
		labels(h, i);
	}
	hostile_add(h, "\r\n");
	size_t before = h->n;
	macro_bomb(h);
	h->n = before;
	chain(h, 50, h->small ? 10 : 1000, true);
	free(names);
}

const struct hostile_row hostile_table[] = {
	{ "usual", usual },
	{ "h1 10,000 signature fields", signatures_10000 },
	{ "h1 330 whole signatures", signatures_whole },
	{ "h2 five lists of 5,000 names", names_5000 },
	{ "h2 five lists of one name", names_same },
	{ "h2 long and double tags", long_tags },
	{ "h3 modulus of 16 bits", modulus_16 },
	{ "h3 modulus of 16,384 bits", modulus_16384 },
	{ "h3 even modulus", modulus_even },
	{ "h3 exponent 1", exponent_1 },
	{ "h3 exponent of 4,096 bits", exponent_4096 },
	{ "h3 exponent of 64 bits", exponent_64 },
	{ "h3 garbage for DER", der_garbage },
	{ "h4 TXT of 64 KB", txt_64k },
	{ "h4 TXT of 49 strings", txt_49_strings },
	{ "h4 100 TXT records", txt_100_records },
	{ "h5 include loop", include_loop },
	{ "h5 eleven includes", includes_11 },
	{ "h5 void storm", void_storm },
	{ "h5 macro bomb", macro_bomb },
	{ "h5 explanation bomb", explanation_bomb },
	{ "h5 record of 2,000 terms", record_2000_terms },
	{ "h5 ten records of 32 KB twice", record_ip4 },
	{ "h5 thirty records of 32 KB twice", records_30 },
	{ "h5 ptr of 100 names", ptr_100 },
	{ "h5 mx of 100 hosts", mx_100 },
	{ "h5 mx storm", mx_storm },
	{ "h6 4,000 mailboxes", mailboxes_4000 },
	{ "h6 nested comments", comments_nested },
	{ "h6 open comments", comments_open },
	{ "h6 open quote", quote_open },
	{ "h6 60,000 quotes", quotes_many },
	{ "h6 60,000 angles", angles_many },
	{ "h6 60,000 groups", groups_many },
	{ "h6 60,000 groups, mx storm", groups_and_storm },
	{ "h6 10,000 encoded words", encoded_10000 },
	{ "h6 a route of 30,000", routes_long },
	{ "h6 110 labels", labels_120 },
	{ "h6 900 domains of 110 labels", domains_many },
	{ "h6 4,000 From: fields", from_fields },
	{ "h6 display of 512 letters", display_512 },
	{ "arc 50 sets", arc_50 },
	{ "arc 50 sets, the first spoiled", arc_50_spoiled },
	{ "arc 51 sets", arc_51 },
	{ "arc 10,000 fields", arc_fields },
	{ "arc results of 25,000", arc_results },
	{ "results 9,000 fields", results_9000 },
	{ "results 4,000 of ours", results_4000 },
	{ "results of comments", results_comments },
	{ "received 4,000 relays", received_4096 },
	{ "received open comments", received_long },
	{ "received open brackets", received_brackets },
	{ "all together", together },
};
const unsigned hostile_rows = sizeof hostile_table / sizeof hostile_table[0];
