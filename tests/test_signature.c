/* A DKIM-Signature value is well-formed, or the first thing wrong with it is named. */
#include "tests/test.h"
#include "verify/auth/signature.h"
#include "verify/kernel/canon.h"
#include "verify/kernel/pubkey.h"

#include <stdio.h>
#include <stdlib.h>

static _Alignas(16) uint8_t memory[1 << 20];

static enum reason parse(struct signature *s, const char *text)
{
	static struct arena a;
	arena_init(&a, memory, sizeof memory);
	CU_ASSERT(signature_parse(s, SIGNATURE_DKIM, bytes_str(text), NULL, &a));
	return s->reason;
}

#define BH "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define BH1 "bh=2jmj7l5rSw0yVb/vlWAYkK/YBwk="
#define A "v=1; a=rsa-sha256; "
#define D "d=example.com; s=sel; "
#define H "h=From:To; "
#define END BH "; b=AAAA"

static const struct {
	const char *text;
	enum reason want;
} rows[] = {
	{ A D H END, REASON_NONE },
	{ " " A "\r\n " D H END ";", REASON_NONE },
	{ A D H END "; zz=unknown", REASON_NONE },
	{ "", REASON_SYNTAX },
	{ "garbage", REASON_SYNTAX },
	{ A D H END "; d=example.org", REASON_SYNTAX }, /* H-2 duplicate */
	/* each required tag left out */
	{ "a=rsa-sha256; " D H END, REASON_MISSING_TAG },
	{ "v=1; " D H END, REASON_MISSING_TAG },
	{ A "s=sel; " H END, REASON_MISSING_TAG },
	{ A "d=example.com; " H END, REASON_MISSING_TAG },
	{ A D END, REASON_MISSING_TAG },
	{ A D H "b=AAAA", REASON_MISSING_TAG },
	{ A D H BH, REASON_MISSING_TAG },
	{ "v=2; a=rsa-sha256; " D H END, REASON_VERSION },
	{ "v=; a=rsa-sha256; " D H END, REASON_VERSION },
	{ "v=0.5; a=rsa-sha256; " D H END, REASON_VERSION },
	{ "v=1; a=rsa-md5; " D H END, REASON_ALGORITHM },
	{ "v=1; a=RSA-SHA256; " D H END, REASON_ALGORITHM },
	{ "v=1; a=ed25519-sha256; " D H END, REASON_NONE },
	{ "v=1; a=rsa-sha1; " D H BH1 "; b=AAAA", REASON_NONE },
	{ A "c=relaxed; " D H END, REASON_NONE },
	{ A "c=simple/relaxed; " D H END, REASON_NONE },
	{ A "c=future; " D H END, REASON_CANONICALIZATION },
	{ A "c=simple/; " D H END, REASON_CANONICALIZATION },
	{ A "c=/simple; " D H END, REASON_CANONICALIZATION },
	{ A "c=; " D H END, REASON_CANONICALIZATION },
	{ A "c=simple/simple/simple; " D H END, REASON_CANONICALIZATION },
	{ A "q=dns/txt; " D H END, REASON_NONE },
	{ A "q=http:dns/txt; " D H END, REASON_NONE },
	{ A "q=http; " D H END, REASON_QUERY },
	{ A "q=dns; " D H END, REASON_QUERY },
	{ A "q=; " D H END, REASON_QUERY },
	{ A "s=sel; d=com; " H END, REASON_DOMAIN },
	{ A "s=sel; d=; " H END, REASON_DOMAIN },
	{ A "s=sel; d=example..com; " H END, REASON_DOMAIN },
	{ A "s=sel; d=example.com.; " H END, REASON_DOMAIN },
	{ A "s=sel; d=[192.0.2.1]; " H END, REASON_DOMAIN },
	{ A "s=sel; d=b\xc3\xbc"
	    "cher.example; " H END,
	  REASON_NONE },
	{ A "d=example.com; s=; " H END, REASON_SELECTOR },
	{ A "d=example.com; s=a b; " H END, REASON_SELECTOR },
	{ A "d=example.com; s=a.b.c; " H END, REASON_NONE },
	{ A D "h=; " END, REASON_HEADER_LIST },
	{ A D "h=From:; " END, REASON_HEADER_LIST },
	{ A D "h=From::To; " END, REASON_HEADER_LIST },
	{ A D "h=From:a b; " END, REASON_HEADER_LIST },
	{ A D "h=To:Subject; " END, REASON_FROM_UNSIGNED },
	{ A D "h=fromage; " END, REASON_FROM_UNSIGNED },
	{ A D "h= to : FROM ; " END, REASON_NONE },
	{ A "i=@example.com; " D H END, REASON_NONE },
	{ A "i=x@example.com; " D H END, REASON_NONE },
	{ A "i=x=40y=3B@Sub.Example.COM; " D H END, REASON_NONE },
	{ A "i=@sub.example.com; " D H END, REASON_NONE },
	{ A "i=@badexample.com; " D H END, REASON_MISMATCH },
	{ A "i=@com; " D H END, REASON_MISMATCH },
	{ A "i=x@example.org; " D H END, REASON_MISMATCH },
	{ A "i=example.com; " D H END, REASON_IDENTITY },
	{ A "i=; " D H END, REASON_IDENTITY },
	{ A "i=x@; " D H END, REASON_IDENTITY },
	{ A "i=x=4@example.com; " D H END, REASON_IDENTITY },
	{ A "i=x=; " D H END, REASON_IDENTITY },
	{ A "l=0; " D H END, REASON_NONE },
	{ A "l=99999999999999999999999999; " D H END, REASON_NONE },
	{ A "l=; " D H END, REASON_LENGTH },
	{ A "l=-1; " D H END, REASON_LENGTH },
	{ A "l=1k; " D H END, REASON_LENGTH },
	{ A "t=1; x=1; " D H END, REASON_NONE },
	{ A "t=2; x=1; " D H END, REASON_TIME },
	{ A "t=yes; " D H END, REASON_TIME },
	{ A "x=1.5; " D H END, REASON_TIME },
	{ A "t=; " D H END, REASON_TIME },
	{ A "t=1; x=99999999999999999999; " D H END, REASON_NONE },
	/* H-2 */
	{ A D H "bh=!; b=AAAA", REASON_BODY_HASH_VALUE },
	{ A D H "bh=; b=AAAA", REASON_BODY_HASH_VALUE },
	{ A D H BH1 "; b=AAAA", REASON_BODY_HASH_VALUE },
	{ A D H "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU47DEQpj8HBSa+/TImW+5JC"
		"eu; b=AAAA",
	  REASON_BODY_HASH_VALUE },
	{ "v=1; a=rsa-sha1; " D H END, REASON_BODY_HASH_VALUE },
	{ A D H BH "; b=", REASON_SIGNATURE_VALUE },
	{ A D H BH "; b= ;", REASON_SIGNATURE_VALUE },
	{ A D H BH "; b=A-A_", REASON_SIGNATURE_VALUE },
	{ A D H BH "; b=A\r\n\tA A A==x", REASON_SIGNATURE_VALUE },
};

static void known(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct signature s;
		enum reason r = parse(&s, rows[i].text);
		CU_ASSERT_EQUAL(r, rows[i].want);
		if (r != rows[i].want)
			printf("\n%s: %s", rows[i].text, reason_word(r) ? reason_word(r) : "none");
	}
}

static void what_is_in_it(void)
{
	struct signature s;
	CU_ASSERT_EQUAL(
		parse(&s,
		      A "c=relaxed/simple; d=EXAMPLE.com; s=S_1;\r\n i=x=20y@a.Example.com; l=7;"
			" t=10; x=12; h=From : to; " BH ";\r\n b= AB CD\r\n EFGHIJ ; n=1"),
		REASON_NONE);
	CU_ASSERT(bytes_equal(s.domain, bytes_str("EXAMPLE.com")));
	CU_ASSERT(bytes_equal(s.identity, bytes_str("x=20y@a.Example.com")));
	CU_ASSERT(bytes_equal(s.selector, bytes_str("S_1")));
	CU_ASSERT(bytes_equal(s.algorithm, bytes_str("rsa-sha256")));
	CU_ASSERT(bytes_equal(s.d, bytes_str("example.com")));
	CU_ASSERT(bytes_equal(s.s, bytes_str("s_1")));
	CU_ASSERT(bytes_equal(s.i, bytes_str("a.example.com")));
	CU_ASSERT(bytes_equal(s.begin, bytes_str("ABCDEFGH")));
	CU_ASSERT(bytes_equal(s.raw_b, bytes_str(" AB CD\r\n EFGHIJ ")));
	CU_ASSERT(s.has_length && s.length == 7 && s.time_s == 10 && s.expires_s == 12);
	CU_ASSERT(s.header_canon == CANON_RELAXED && s.body_canon == CANON_SIMPLE);
	CU_ASSERT(s.type == PUBKEY_RSA && s.hash == HASH_SHA256 && s.b.n == 7);
	CU_ASSERT_EQUAL(parse(&s, "v=1; a=ed25519-sha256; d=b\xc3\xbc"
				  "cher.example; s=\xc3\xa4; "
				  "i=\xc3\xb6@xn--bcher-kva.example; " H END),
			REASON_NONE);
	CU_ASSERT(bytes_equal(s.d, bytes_str("xn--bcher-kva.example")));
	CU_ASSERT(bytes_equal(s.s, bytes_str("xn--4ca")));
	CU_ASSERT(bytes_equal(s.domain, bytes_str("b\xc3\xbc"
						  "cher.example")));
	CU_ASSERT(s.type == PUBKEY_ED25519 && s.header_canon == CANON_SIMPLE && !s.has_length);
	CU_ASSERT_EQUAL(s.time_s, SIGNATURE_TIME_NONE);
}

/* H-2: names that fit alone, or not, or not together; a long h= and b=. */
static void h2_long_values(void)
{
	static char text[200000];
	char name[400];
	struct signature s;
	for (int n = 1; n < 300; n += 1) {
		for (int i = 0; i < n; i++)
			name[i] = i % 50 == 49 ? '.' : 'a';
		name[n] = 0;
		bool label_end = name[n - 1] == '.';
		sprintf(text, A "d=%s.example.com; s=sel; " H END, name);
		CU_ASSERT_EQUAL(parse(&s, text) == REASON_NONE, !label_end && n + 12 + 15 <= 253);
		sprintf(text, A "d=example.com; s=%s; " H END, name);
		CU_ASSERT_EQUAL(parse(&s, text) == REASON_NONE, !label_end && n + 23 <= 253);
	}
	size_t len = (size_t)sprintf(text, A D "h=from");
	for (int i = 0; i < 5000; i++)
		len += (size_t)sprintf(text + len, ":x-%d", i);
	sprintf(text + len, "; " END);
	CU_ASSERT_EQUAL(parse(&s, text), REASON_NONE);
	for (size_t n = 1024 * 4 / 3 - 8; n < 1024 * 4 / 3 + 8; n++) {
		len = (size_t)sprintf(text, A D H BH "; b=");
		memset(text + len, 'A', n);
		text[len + n] = 0;
		bool good = n % 4 != 1 && n * 3 / 4 <= PUBKEY_SIGNATURE_MAX;
		CU_ASSERT_EQUAL(parse(&s, text), good ? REASON_NONE : REASON_SIGNATURE_VALUE);
	}
}

static void cut_everywhere(void)
{
	static const char text[] = A "c=relaxed/simple; i=x@example.com; l=7; t=10; x=12; " D H END;
	for (size_t n = 0; n < sizeof text; n++) {
		uint8_t *p = test_guard(text, n);
		struct arena a;
		struct signature s;
		arena_init(&a, memory, sizeof memory);
		CU_ASSERT(signature_parse(&s, SIGNATURE_DKIM, bytes_of(p, n), NULL, &a));
		/* only with b= begun is it whole: one letter of four is no base64 */
		CU_ASSERT_EQUAL(s.reason == REASON_NONE, n + 3 >= sizeof text);
		test_guard_free(p, n);
	}
}

/* A long b=, folded anywhere and now and then wrong, is the same at every level. */
static void values_at_every_level(void)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint64_t random = 88172645463325252u;
	unsigned good = 0;
	for (unsigned round = 0; round < 2000; round++) {
		static _Alignas(16) uint8_t other[1 << 14];
		char text[4096] = A D H BH "; b=";
		size_t n = strlen(text), len = test_random(&random) % 900, width = 1;
		width += test_random(&random) % 90;
		for (size_t i = 0; i < len; i++) {
			uint64_t x = test_random(&random) >> 8;
			text[n++] = letters[x % 64];
			if (i % width == width - 1)
				n = (size_t)(stpcpy(text + n, "\r\n ") - text);
			if ((x >> 8) % 2000 == 0)
				text[n++] = "-=.,"[x >> 24 & 3];
		}
		for (size_t pad = test_random(&random) % 3; pad > 0; pad--)
			text[n++] = '=';
		uint8_t *p = test_guard(text, n);
		struct signature want, have;
		struct arena a;
		arena_init(&a, memory, sizeof memory);
		CU_ASSERT(signature_parse(&want, SIGNATURE_DKIM, bytes_of(p, n), NULL, &a));
		good += want.reason == REASON_NONE;
		for (int l = CPU_SCALAR; l <= (int)cpu_level(); l++) {
			struct base64_ops ops;
			base64_ops_init(&ops, l);
			arena_init(&a, other, sizeof other);
			CU_ASSERT(signature_parse(&have, SIGNATURE_DKIM, bytes_of(p, n), &ops, &a));
			CU_ASSERT(have.reason == want.reason && bytes_equal(have.b, want.b));
			CU_ASSERT(memcmp(have.bh, want.bh, hash_len(HASH_SHA256)) == 0);
		}
		test_guard_free(p, n);
	}
	CU_ASSERT(good > 200);
}

static void arena_full(void)
{
	struct arena a;
	struct signature s;
	bool good = false;
	for (size_t size = 0; size < 4096 && !good; size += 8) {
		arena_init(&a, memory, size);
		good = signature_parse(&s, SIGNATURE_DKIM, bytes_str(A "i=x@example.com; " D H END),
				       NULL, &a);
	}
	CU_ASSERT(good && s.reason == REASON_NONE);
}

static const struct {
	enum signature_kind kind;
	const char *text;
	enum reason want;
	uint8_t instance, cv;
} arc_rows[] = {
#define AMS SIGNATURE_MESSAGE, "i=2; a=rsa-sha256; " D
#define SEAL SIGNATURE_SEAL, "i=2; a=rsa-sha256; "
	{ AMS H END, REASON_NONE, 2, AUTH_PERMERROR },
	{ AMS "v=2; " H END, REASON_NONE, 2, AUTH_PERMERROR },
	{ AMS "h=; " END, REASON_NONE, 2, AUTH_PERMERROR },
	{ AMS "h=a::b; " END, REASON_NONE, 2, AUTH_PERMERROR },
	{ AMS "h=a:b c; " END, REASON_HEADER_LIST, 2, AUTH_PERMERROR },
	{ AMS "h=from:Arc-Seal; " END, REASON_SEAL_COVERED, 2, AUTH_PERMERROR },
	{ AMS END, REASON_MISSING_TAG, 2, AUTH_PERMERROR },
	{ AMS H "b=AAAA", REASON_MISSING_TAG, 2, AUTH_PERMERROR },
	{ AMS H "cv=pass; " END, REASON_NONE, 2, AUTH_PASS },
	{ SIGNATURE_MESSAGE, A D H END, REASON_MISSING_TAG, 0, AUTH_PERMERROR },
	{ SIGNATURE_MESSAGE, "i=51; a=rsa-sha256; " D H END, REASON_INSTANCE, 0, AUTH_PERMERROR },
	{ SIGNATURE_DKIM, A "i=2; " D H END, REASON_IDENTITY, 0, AUTH_PERMERROR },
	{ SEAL "cv=none; " D "b=AAAA", REASON_NONE, 2, AUTH_NONE },
	{ SEAL "cv=fail; " D "b=AAAA", REASON_NONE, 2, AUTH_FAIL },
	{ SEAL "cv=Pass; " D "b=AAAA", REASON_NONE, 2, AUTH_PERMERROR },
	{ SEAL "cv=; " D "b=AAAA", REASON_NONE, 2, AUTH_PERMERROR },
	{ SEAL D "b=AAAA", REASON_MISSING_TAG, 2, AUTH_PERMERROR },
	{ SEAL "cv=pass; " D, REASON_MISSING_TAG, 2, AUTH_PASS },
	{ SEAL "cv=pass; h=; " D "b=AAAA", REASON_SEAL_COVERS, 2, AUTH_PASS },
	{ SEAL "cv=pass; " BH "; " D "b=AAAA", REASON_SEAL_COVERS, 2, AUTH_PASS },
	{ SEAL "cv=pass; c=odd; q=odd; l=odd; x=odd; " D "b=AAAA", REASON_NONE, 2, AUTH_PASS },
	{ SEAL "cv=pass; t=odd; " D "b=AAAA", REASON_TIME, 2, AUTH_PASS },
};

/* Fields of ARC (RFC 8617 sections 4.1.2 and 4.1.3). */
static void f12_fields(void)
{
	static struct arena a;
	for (unsigned i = 0; i < sizeof arc_rows / sizeof arc_rows[0]; i++) {
		struct signature s;
		arena_init(&a, memory, sizeof memory);
		CU_ASSERT(signature_parse(&s, arc_rows[i].kind, bytes_str(arc_rows[i].text), NULL,
					  &a));
		if (s.reason != arc_rows[i].want)
			printf("\n%s: %s", arc_rows[i].text, reason_word(s.reason));
		CU_ASSERT_EQUAL(s.reason, arc_rows[i].want);
		CU_ASSERT_EQUAL(s.instance, arc_rows[i].instance);
		CU_ASSERT_EQUAL(s.cv, arc_rows[i].cv);
		CU_ASSERT(s.identity.n == 0 || arc_rows[i].kind == SIGNATURE_DKIM);
	}
	/* without c=: see signature.h */
	struct signature s;
	arena_init(&a, memory, sizeof memory);
	signature_parse(&s, SIGNATURE_MESSAGE, bytes_str("i=1; a=rsa-sha256; " D H END), NULL, &a);
	CU_ASSERT(s.header_canon == CANON_RELAXED && s.body_canon == CANON_RELAXED && s.has_from);
	signature_parse(&s, SIGNATURE_MESSAGE,
			bytes_str("i=1; a=rsa-sha256; c=relaxed; " D "h=to; " END), NULL, &a);
	CU_ASSERT(s.header_canon == CANON_RELAXED && s.body_canon == CANON_SIMPLE && !s.has_from);
	static const char *const bad[] = { "",   "0",  "00", "51", "001",
					   "1 ", "-1", "+1", "x",  "99999999999999999999" };
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_EQUAL(signature_position(bytes_str(bad[i])), 0);
	CU_ASSERT(signature_position(bytes_str("1")) == 1 &&
		  signature_position(bytes_str("09")) == 9 &&
		  signature_position(bytes_str("50")) == 50);
}

TEST_MAIN("signature", TEST(f12_fields), TEST(known), TEST(what_is_in_it), TEST(h2_long_values),
	  TEST(cut_everywhere), TEST(values_at_every_level), TEST(arena_full))
