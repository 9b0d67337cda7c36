/* Results of others are read as RFC 8601 has them, and what is malformed hides no result behind it. */
#include "tests/test.h"
#include "verify/auth/resinfo.h"

#include <stdio.h>

static _Alignas(16) uint8_t memory[1 << 16];

static size_t put(char *out, size_t n, struct bytes b, const char *behind)
{
	memcpy(out + n, b.p ? b.p : (const uint8_t *)"", b.n);
	strcpy(out + n + b.n, behind);
	return n + b.n + strlen(behind);
}

/* instance!id|method=result{ptype.name=value}; ... +malformed */
static void print(char *out, struct bytes in, bool arc)
{
	struct arena a;
	struct resinfo_list l;
	struct resinfo r;
	size_t n = 0;
	arena_init(&a, memory, sizeof memory);
	bool ok = resinfo_begin(&l, in, arc, &a);
	if (l.instance)
		n = (size_t)sprintf(out, "%u!", l.instance);
	n = put(out, n, l.id, ok ? "|" : "-");
	while (ok && resinfo_next(&l, &r)) {
		n = put(out, n, r.method, "=");
		n = put(out, n, r.result, "");
		if (r.reason.p)
			n = put(out, put(out, n, bytes_str("["), ""), r.reason, "]");
		for (unsigned i = 0; i < r.n; i++) {
			n = put(out, n, bytes_str("{"), "");
			n = put(out, n, r.property[i].ptype, ".");
			n = put(out, n, r.property[i].name, "=");
			n = put(out, n, r.property[i].value, "}");
		}
		n = put(out, n, bytes_str(";"), " ");
	}
	if (l.malformed)
		sprintf(out + n, "+%u", l.malformed);
	else
		out[n] = 0;
}

static const struct {
	const char *in;
	bool arc;
	const char *want;
} rows[] = {
	/* RFC 8601 appendix B */
	{ " example.org 1; none", false, "example.org|" },
	{ " example.com;\r\n          spf=pass smtp.mailfrom=example.net", false,
	  "example.com|spf=pass{smtp.mailfrom=example.net}; " },
	{ "example.com;\r\n auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n"
	  " spf=pass smtp.mailfrom=example.net",
	  false,
	  "example.com|auth=pass{smtp.auth=sender@example.net}; "
	  "spf=pass{smtp.mailfrom=example.net}; " },
	{ "example.com;\r\n dkim=pass reason=\"good signature\"\r\n"
	  "   header.i=@mail-router.example.net;\r\n dkim=fail reason=\"bad signature\"\r\n"
	  "   header.i=@newyork.example.com",
	  false,
	  "example.com|dkim=pass[good signature]{header.i=@mail-router.example.net}; "
	  "dkim=fail[bad signature]{header.i=@newyork.example.com}; " },
	{ "foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) =\r\n"
	  "     (wait for it) fail\r\n    policy (A dot can go here) . (like that) expired\r\n"
	  "      (this surprised me) = (as I wasn't expecting it) 1362471462",
	  false, "foo.example.net|dkim=fail{policy.expired=1362471462}; " },
	{ "i=1; lists.example.org;\r\n spf=pass smtp.mfrom=jqd@d1.example;\r\n dkim=pass (1024-bit "
	  "key)"
	  " header.i=@d1.example;\r\n dmarc=pass",
	  true,
	  "1!lists.example.org|spf=pass{smtp.mfrom=jqd@d1.example}; "
	  "dkim=pass{header.i=@d1.example}; dmarc=pass; " },
	/* as written in the field */
	{ "a.b; dkim=pass header.b=ab/c+d= header.s=s; dmarc=pass (p=REJECT; sp=x) action=none"
	  " header.from=x.y;",
	  false,
	  "a.b|dkim=pass{header.b=ab/c+d=}{header.s=s}; "
	  "dmarc=pass{.action=none}{header.from=x.y}; " },
	{ "\"a b\"; spf=pass smtp.mailfrom=\"x; dkim=pass\"; iprev=pass policy.iprev=2001:db8::1",
	  false,
	  "a b|spf=pass{smtp.mailfrom=x; dkim=pass}; iprev=pass{policy.iprev=2001:db8::1}; " },
	{ "a; x=pass smtp.rcptto=\"a\\\"b\"@c.d", false, "a|x=pass{smtp.rcptto=\"a\\\"b\"@c.d}; " },
	{ "a; x=pass smtp.helo=\"a\\\"\r\n b\"", false, "a|x=pass{smtp.helo=a\" b}; " },
	{ "(c (d\\))) a (;) ; (;x=y) k=v (;)", false, "a|k=v; " },
	{ "i = 50 (x); a; none", true, "50!a|" },
	/* malformed */
	{ "a", false, "a|" },
	{ "a; none; x=y", false, "a|x=y; " },
	{ "a; dkim; x=y", false, "a|x=y; +1" },
	{ "a; =pass; x=y", false, "a|x=y; +1" },
	{ "a; x=; x=y", false, "a|x=y; +1" },
	{ "a; dkim=pass header.; x=y", false, "a|x=y; +1" },
	{ "a; dkim=pass header.d=; x=y", false, "a|x=y; +1" },
	{ "a; dkim=pass header d=1; x=y", false, "a|x=y; +1" },
	{ "a; dkim/=pass; x=y", false, "a|x=y; +1" },
	{ "a; dkim=pass @; x=y", false, "a|x=y; +1" },
	{ "a;; x=y", false, "a|x=y; +1" },
	{ "a; dkim=pass header.d=\"x; dkim=pass", false, "a|+1" },
	{ "a; dkim=pass (x; spf=pass", false, "a|dkim=pass; " },
	{ "a b c; x=y", false, "a|x=y; +1" },
	{ "", false, "-" },
	{ "; x=y", false, "-" },
	{ "\"\"; x=y", false, "-" },
	{ "\"a; x=y", false, "-" },
	{ "a; x=y", true, "-" },
	{ "i=0; a; x=y", true, "-" },
	{ "i=100; a; x=y", true, "-" },
	{ "i=1x; a; x=y", true, "1!-" },
	{ "i=1", true, "1!-" },
	{ "i=1;", true, "1!-" },
	{ "j=1; a; x=y", true, "-" },
};

static void known_fields(void)
{
	char out[1024];
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		print(out, bytes_of(p, n), rows[i].arc);
		test_guard_free(p, n);
		CU_ASSERT_STRING_EQUAL(out, rows[i].want);
		if (strcmp(out, rows[i].want))
			printf("%s\n  got  %s\n  want %s\n", rows[i].in, out, rows[i].want);
	}
}

static void cut_everywhere(void)
{
	char out[1024];
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t n = 0; n < strlen(rows[i].in); n++) {
			uint8_t *p = test_guard(rows[i].in, n);
			print(out, bytes_of(p, n), rows[i].arc);
			test_guard_free(p, n);
		}
	}
	CU_PASS("read within bounds");
}

static void limit_of_properties(void)
{
	char in[1024];
	struct arena a;
	struct resinfo_list l;
	struct resinfo r;
	size_t n = (size_t)sprintf(in, "a; x=y");
	for (unsigned i = 0; i < RESINFO_PROPERTIES_MAX + 3; i++)
		n += (size_t)sprintf(in + n, " p.n%u=%u", i, i);
	sprintf(in + n, "; z=w");
	arena_init(&a, memory, sizeof memory);
	CU_ASSERT_TRUE(resinfo_begin(&l, bytes_str(in), false, &a));
	CU_ASSERT_TRUE(resinfo_next(&l, &r));
	CU_ASSERT_EQUAL(r.n, RESINFO_PROPERTIES_MAX);
	CU_ASSERT(bytes_equal(resinfo_find(&r, "P", "N3"), bytes_str("3")));
	CU_ASSERT_PTR_NULL(resinfo_find(&r, "p", "n16").p);
	CU_ASSERT_TRUE(resinfo_next(&l, &r));
	CU_ASSERT(bytes_equal(r.method, bytes_str("z")));
	CU_ASSERT_FALSE(resinfo_next(&l, &r));
	CU_ASSERT_EQUAL(l.malformed, 0);
}

static void arena_full(void)
{
	struct arena a;
	struct resinfo_list l;
	struct resinfo r;
	arena_init(&a, memory, 2);
	CU_ASSERT_TRUE(resinfo_begin(&l, bytes_str("a; x=y p.q=\"a\\bc\"; z=w"), false, &a));
	CU_ASSERT_TRUE(resinfo_next(&l, &r));
	CU_ASSERT(bytes_equal(r.method, bytes_str("z")));
	CU_ASSERT_TRUE(l.no_space);
	CU_ASSERT_EQUAL(l.malformed, 1);
}

TEST_MAIN("resinfo", TEST(known_fields), TEST(cut_everywhere), TEST(limit_of_properties),
	  TEST(arena_full))
