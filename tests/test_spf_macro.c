/* Macro strings of RFC 7208 section 7 have the syntax and the expansion that are due, and no input makes either long. */
#include <stdlib.h>

#include "tests/spf_case.h"
#include "tests/test.h"
#include "verify/auth/spf_macro.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct spf_macro strong_bad(const char *ip)
{
	struct spf_macro m = { .sender = bytes_str("strong-bad@email.example.com"),
			       .local = bytes_str("strong-bad"),
			       .sender_domain = bytes_str("email.example.com"),
			       .domain = bytes_str("email.example.com"),
			       .ptr = bytes_str("mx.example.org"),
			       .helo = bytes_str("helo.example.net"),
			       .now_s = 1795284000 };
	struct address a = spf_case_ip(ip);
	memcpy(m.ip, a.ip, sizeof m.ip);
	return m;
}

static void text_is(const struct spf_macro *m, const char *in, const char *want)
{
	char out[512];
	unsigned use;
	uint8_t *p = test_guard(in, strlen(in));
	CU_ASSERT(spf_macro_check(bytes_of(p, strlen(in)), SPF_MACRO_EXPLAIN, &use));
	size_t n = spf_macro_text(m, bytes_of(p, strlen(in)), out, sizeof out - 1);
	out[n] = 0;
	CU_ASSERT_STRING_EQUAL(out, want);
	/* whatever the room, it is the beginning of the same */
	for (size_t room = 0; room <= n; room++) {
		char part[512];
		CU_ASSERT(spf_macro_text(m, bytes_of(p, strlen(in)), part, room) == room &&
			  memcmp(part, out, room) == 0);
	}
	test_guard_free(p, strlen(in));
}

/* Section 7.4. */
static void examples(void)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "%{s}", "strong-bad@email.example.com" },
		{ "%{o}", "email.example.com" },
		{ "%{d}", "email.example.com" },
		{ "%{d4}", "email.example.com" },
		{ "%{d3}", "email.example.com" },
		{ "%{d2}", "example.com" },
		{ "%{d1}", "com" },
		{ "%{dr}", "com.example.email" },
		{ "%{d2r}", "example.email" },
		{ "%{l}", "strong-bad" },
		{ "%{l-}", "strong.bad" },
		{ "%{lr}", "strong-bad" },
		{ "%{lr-}", "bad.strong" },
		{ "%{l1r-}", "strong" },
		{ "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com" },
		{ "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
		{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
		  "bad.strong.lp.3.2.0.192.in-addr._spf.example.com" },
		{ "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
		  "3.2.0.192.in-addr.strong.lp._spf.example.com" },
		{ "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net" },
	};
	struct spf_macro m = strong_bad("192.0.2.3");
	for (unsigned i = 0; i < N(rows); i++)
		text_is(&m, rows[i].in, rows[i].want);
	m = strong_bad("2001:db8::cb01");
	text_is(&m, "%{ir}.%{v}._spf.%{d2}",
		"1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf."
		"example.com");
}

static void letters(void)
{
	struct spf_macro m = strong_bad("192.0.2.3");
	text_is(&m, "%{p} %{h} %{c} %{r} %{t} %{v}",
		"mx.example.org helo.example.net 192.0.2.3 unknown 1795284000 in-addr");
	text_is(&m, "%%%_%-%{d1}%%{d}", "% %20com%{d}");
	text_is(&m, "", "");
	text_is(&m, "a b.", "a b.");
	m.receiver = bytes_str("mx.receiver.example");
	m.ptr = (struct bytes){ 0 };
	m.helo = (struct bytes){ 0 };
	text_is(&m, "%{p} %{h} %{R}", "unknown unknown mx.receiver.example");
	m.helo = bytes_str("");
	text_is(&m, "<%{h}>", "<>");
	m = strong_bad("2001:db8::cb01");
	text_is(&m, "%{c} %{v} %{C}", "2001:db8::cb01 ip6 2001%3Adb8%3A%3Acb01");
	m.local = bytes_str("jack&jill=up-a_b3.c~");
	text_is(&m, "l=%{L}", "l=jack%26jill%3Dup-a_b3.c~");
	text_is(&m, "%{L2r=}", "up-a_b3.c~.jack%26jill");
}

static void splitting(void)
{
	static const struct {
		const char *local, *in, *want;
	} rows[] = {
		{ "philip-gladstone-test", "%{l2r-}", "gladstone.philip" },
		{ "philip-gladstone=test", "%{l1r+-}", "philip" },
		{ "a.b-c+d,e/f_g=h", "%{l.-+,/_=}", "a.b.c.d.e.f.g.h" },
		{ "a.b-c+d,e/f_g=h", "%{lr.-+,/_=}", "h.g.f.e.d.c.b.a" },
		{ "a.b-c+d,e/f_g=h", "%{l3r-.}", "c+d,e/f_g=h.b.a" },
		{ "a.b-c+d,e/f_g=h", "%{l2}", "a.b-c+d,e/f_g=h" },
		{ "a..b", "%{l}", "a..b" },
		{ "a..b", "%{lr}", "b..a" },
		{ "a..b", "%{l2}", ".b" },
		{ ".a.", "%{lr}", ".a." },
		{ ".a.", "%{l1}", "" },
		{ ".a.", "%{l1r}", "" },
		{ "", "%{lr}", "" },
		{ "-", "%{lr-}", "." },
		{ "a.b.c", "%{l127}", "a.b.c" },
		{ "a.b.c", "%{l99999999999999999999r}", "c.b.a" },
		{ "a.b.c", "%{l002R}", "b.a" },
		{ "a.b.c", "%{L1R}", "a" },
		{ "a--b", "%{l---}", "a..b" },
	};
	for (unsigned i = 0; i < N(rows); i++) {
		struct spf_macro m = strong_bad("192.0.2.3");
		m.local = bytes_str(rows[i].local);
		text_is(&m, rows[i].in, rows[i].want);
	}
}

enum { D = 1, S = 2, E = 4 }; /* fits as domain-spec, as macro-string, as explain-string */

static void syntax(void)
{
	static const struct {
		const char *in;
		unsigned fits, use;
	} rows[] = {
		{ "", S | E, 0 },
		{ "example.com", D | S | E, 0 },
		{ "example.com.", D | S | E, 0 },
		{ "example.com..", S | E, 0 },
		{ "com", S | E, 0 },
		{ "com.", S | E, 0 },
		{ ".com", D | S | E, 0 },
		{ "a..com", D | S | E, 0 },
		{ "_spf.a.b", D | S | E, 0 },
		{ "a.1", S | E, 0 },
		{ "a.1-2", D | S | E, 0 },
		{ "a.1a", D | S | E, 0 },
		{ "a.a1", D | S | E, 0 },
		{ "a.xn--zckzah", D | S | E, 0 },
		{ "a.-com", S | E, 0 },
		{ "a.com-", S | E, 0 },
		{ "a.c_m", S | E, 0 },
		{ "a.c/m", S | E, 0 },
		{ "192.0.2.1", S | E, 0 },
		{ "a:b/c@d.example", D | S | E, 0 },
		{ "a b.com", E, 0 },
		{ "a\tb.com", 0, 0 },
		{ "a\x7f.com", 0, 0 },
		{ "a\xc3\xbc.com", 0, 0 },
		{ "%{d}", D | S | E, 1 },
		{ "%{D}", D | S | E, 1 },
		{ "%{d}.com", D | S | E, 1 },
		{ "%{d}com", S | E, 1 },
		{ "com%{d}", D | S | E, 1 },
		{ "%%", D | S | E, 1 },
		{ "%_", D | S | E, 1 },
		{ "a%-", D | S | E, 1 },
		{ "%-com", S | E, 1 },
		{ "a.b%-c", S | E, 1 },
		{ "%{s}.com", D | S | E, 1 | 2 },
		{ "%{L}.com", D | S | E, 1 | 2 },
		{ "%{p}.com", D | S | E, 1 | 4 },
		{ "%{l}%{p2r-.}", D | S | E, 1 | 2 | 4 },
		{ "%{c}.com", E, 1 },
		{ "%{r}.com", E, 1 },
		{ "%{T}.com", E, 1 },
		{ "%{d.-+,/_=}", D | S | E, 1 },
		{ "%{d2r/}", D | S | E, 1 },
		{ "%", 0, 0 },
		{ "a%", 0, 0 },
		{ "%a", 0, 0 },
		{ "%{", 0, 0 },
		{ "%{}", 0, 0 },
		{ "%{d", 0, 0 },
		{ "%{d2", 0, 0 },
		{ "%{d2r", 0, 0 },
		{ "%{d2r-", 0, 0 },
		{ "%{a}.com", 0, 0 },
		{ "%{dd}.com", 0, 0 },
		{ "%{d0}.com", 0, 0 },
		{ "%{d000r}.com", 0, 0 },
		{ "%{dr2}.com", 0, 0 },
		{ "%{drr}.com", 0, 0 },
		{ "%{d-r}.com", 0, 0 },
		{ "%{d:}.com", 0, 0 },
		{ "%{d }.com", 0, 0 },
		{ "%(d).com", 0, 0 },
		{ "%{%d}.com", 0, 0 },
	};
	for (unsigned i = 0; i < N(rows); i++) {
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		for (unsigned form = SPF_MACRO_DOMAIN; form <= SPF_MACRO_EXPLAIN; form++) {
			unsigned use = 99;
			bool fits = spf_macro_check(bytes_of(p, n), form, &use);
			CU_ASSERT_EQUAL(fits, (rows[i].fits >> form & 1) != 0);
			CU_ASSERT(!fits || use == rows[i].use);
		}
		test_guard_free(p, n);
	}
	unsigned use;
	CU_ASSERT(!spf_macro_check(bytes_of("a\0.com", 6), SPF_MACRO_STRING, &use));
}

static void names(void)
{
	static const struct {
		const char *in, *want; /* NULL: none */
	} rows[] = {
		{ "%{d}", "email.example.com" },
		{ "%{d}.", "email.example.com" },
		{ "%{d1}", NULL }, /* one label */
		{ "%{l}", NULL },
		{ "%{l}.%{l}", "strong-bad.strong-bad" },
		{ ".%{d}", NULL },
		{ "a..%{d}", NULL },
		{ "%{d}..", NULL },
		{ "%_.%{d}", " .email.example.com" },
		{ "%{S}.x", "strong-bad%40email.example.com.x" },
	};
	struct spf_macro m = strong_bad("192.0.2.3");
	for (unsigned i = 0; i < N(rows); i++) {
		char out[SPF_MACRO_NAME_MAX + 1] = "?";
		size_t n = spf_macro_name(&m, bytes_str(rows[i].in), out);
		CU_ASSERT_EQUAL(n, rows[i].want ? strlen(rows[i].want) : 0);
		if (rows[i].want && n)
			CU_ASSERT_STRING_EQUAL(out, rows[i].want);
	}
}

/* The same as cutting labels off the whole, at every length. */
static void truncation(void)
{
	struct spf_macro m = strong_bad("192.0.2.3");
	char label[3000], spec[64], out[SPF_MACRO_NAME_MAX + 1];
	for (size_t n = 1; n < 1000; n++) {
		for (size_t i = 0; i < n; i++)
			label[i] = i % 7 == 6 ? '.' : 'a';
		if (label[n - 1] == '.')
			continue;
		m.helo = bytes_of(label, n);
		for (unsigned dot = 0; dot < 2; dot++) {
			strcpy(spec, dot ? "%{h}.bc." : "%{h}.bc");
			char whole[3000];
			memcpy(whole, label, n);
			strcpy(whole + n, ".bc");
			const char *want = whole;
			while (strlen(want) > SPF_MACRO_NAME_MAX)
				want = strchr(want, '.') + 1;
			CU_ASSERT_EQUAL(spf_macro_name(&m, bytes_str(spec), out), strlen(want));
			CU_ASSERT_STRING_EQUAL(out, want);
		}
	}
	/* no border: one label too long */
	memset(label, 'a', sizeof label);
	for (size_t n = 60; n < 1024; n++) {
		m.helo = bytes_of(label, n);
		CU_ASSERT_EQUAL(spf_macro_name(&m, bytes_str("%{h}.bc"), out), n < 64 ? n + 3 : 0);
	}
}

/* H-5: of any number of macros only the right end is worked on. */
static void h5_macro_bomb(void)
{
	enum { OCTETS = 60000 };
	char *spec = malloc(OCTETS + 8), sender[1200], out[SPF_MACRO_NAME_MAX + 1];
	size_t n = 0;
	memset(sender, '&', sizeof sender);
	for (size_t i = 9; i < sizeof sender; i += 10)
		sender[i] = '.';
	struct spf_macro m = strong_bad("192.0.2.3");
	m.sender = m.local = bytes_of(sender, sizeof sender);
	while (n < OCTETS)
		n += (size_t)(stpcpy(spec + n, "%{S}.") - (spec + n));
	strcpy(spec + n, "com");
	size_t len = spf_macro_name(&m, bytes_str(spec), out);
	CU_ASSERT(len > 200 && len <= SPF_MACRO_NAME_MAX);
	CU_ASSERT_STRING_EQUAL(out + len - 12, "26%26%26.com");
	/* empty ones too */
	m.helo = bytes_str("");
	for (n = 0; n < OCTETS;)
		n += (size_t)(stpcpy(spec + n, "%{h}") - (spec + n));
	CU_ASSERT_EQUAL(spf_macro_name(&m, bytes_str(spec), out), 0);
	char text[64];
	CU_ASSERT_EQUAL(spf_macro_text(&m, bytes_str("%{S}%{S}"), text, sizeof text), sizeof text);
	free(spec);
}

TEST_MAIN("spf_macro", TEST(examples), TEST(letters), TEST(splitting), TEST(syntax), TEST(names),
	  TEST(truncation), TEST(h5_macro_bomb))
