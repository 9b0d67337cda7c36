/* No text, whatever its octets, breaks out of the field it is put in, and lines are folded at blanks. */
#include "tests/test.h"
#include "verify/header/fieldtext.h"

#include <stdio.h>
#include <stdlib.h>

static _Alignas(16) uint8_t memory[1 << 16];

static struct arena fresh(size_t room)
{
	struct arena a;
	arena_init(&a, memory, room);
	return a;
}

static const struct {
	const char *in;
	enum fieldtext_form form;
	const char *want;
} values[] = {
	{ "example.com", FIELDTEXT_TOKEN, "example.com" },
	{ "a+b@example.com", FIELDTEXT_TOKEN, "a+b@example.com" },
	{ "@example.com", FIELDTEXT_TOKEN, "@example.com" },
	{ "rsa-sha256", FIELDTEXT_TOKEN, "rsa-sha256" },
	{ "a..b@example.com", FIELDTEXT_TOKEN, "\"a..b@example.com\"" },
	{ "\"a b\"@example.com", FIELDTEXT_TOKEN, "\"\\\"a b\\\"@example.com\"" },
	{ "a@[192.0.2.1]", FIELDTEXT_TOKEN, "\"a@[192.0.2.1]\"" },
	{ "ab/c+d=", FIELDTEXT_TOKEN, "\"ab/c+d=\"" },
	{ "x; dkim=pass", FIELDTEXT_TOKEN, "\"x; dkim=pass\"" },
	{ "x\"; dkim=pass (\\", FIELDTEXT_TOKEN, "\"x\\\"; dkim=pass (\\\\\"" },
	{ "x\r\nBcc: y", FIELDTEXT_TOKEN, "\"x??Bcc: y\"" },
	{ "j\xc3\xb6rg@b\xc3\xbc.example", FIELDTEXT_TOKEN, "\"j\xc3\xb6rg@b\xc3\xbc.example\"" },
	{ "j\xf6rg@b.example", FIELDTEXT_TOKEN, "\"j?rg@b.example\"" },
	{ "a\xc2\x85"
	  "b",
	  FIELDTEXT_QUOTED, "\"a?b\"" },
	{ "a\x7f", FIELDTEXT_TOKEN, "\"a?\"" },
	{ "", FIELDTEXT_TOKEN, "\"\"" },
	{ "192.0.2.1", FIELDTEXT_DOT_ATOM, "192.0.2.1" },
	{ "2001:db8::1", FIELDTEXT_DOT_ATOM, "\"2001:db8::1\"" },
	{ "a/b=c", FIELDTEXT_DOT_ATOM, "a/b=c" },
	{ ".a", FIELDTEXT_DOT_ATOM, "\".a\"" },
	{ "a.", FIELDTEXT_DOT_ATOM, "\"a.\"" },
	{ "a", FIELDTEXT_QUOTED, "\"a\"" },
};

static void values_are_safe(void)
{
	for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct arena a = fresh(sizeof memory);
		struct fieldtext f;
		size_t n = strlen(values[i].in);
		uint8_t *p = test_guard(values[i].in, n);
		fieldtext_begin(&f, &a, "X", FIELDTEXT_WIDTH, 1024);
		fieldtext_value(&f, bytes_of(p, n), values[i].form);
		struct bytes out = fieldtext_end(&f);
		test_guard_free(p, n);
		CU_ASSERT(bytes_equal(bytes_from(out, 3), bytes_str(values[i].want)));
	}
}

static void comments_are_safe(void)
{
	struct arena a = fresh(sizeof memory);
	struct fieldtext f;
	fieldtext_begin(&f, &a, "X", FIELDTEXT_WIDTH, 1024);
	fieldtext_put(&f, "(");
	fieldtext_comment(&f, bytes_of("a) b=(\\\r\n\0x\xff", 12));
	fieldtext_put(&f, ")");
	struct bytes out = fieldtext_end(&f);
	CU_ASSERT(bytes_equal(out, bytes_str("X: (a\\) b=\\(\\\\???x?)")));
}

/* Whatever the octets: one quoted string, one line, and it reads back. */
static void any_octets(void)
{
	uint64_t state = 7;
	for (unsigned k = 0; k < 5000; k++) {
		uint8_t in[40];
		size_t n = test_random(&state) % sizeof in, at;
		for (size_t i = 0; i < n; i++)
			in[i] = test_random(&state) % 3
					? (uint8_t) "\"\\();=\r\n@. a"[test_random(&state) % 12]
					: (uint8_t)test_random(&state);
		struct arena a = fresh(sizeof memory);
		struct fieldtext f;
		fieldtext_begin(&f, &a, "X", FIELDTEXT_UNFOLDED, 1024);
		fieldtext_value(&f, bytes_of(in, n), FIELDTEXT_QUOTED);
		struct bytes out = bytes_from(fieldtext_end(&f), 3);
		CU_ASSERT_FATAL(out.n >= 2 && out.p[0] == '"');
		for (at = 1; at < out.n && out.p[at] != '"'; at++) {
			at += out.p[at] == '\\';
			CU_ASSERT(out.p[at] >= ' ' && out.p[at] != 0x7f);
		}
		CU_ASSERT_EQUAL(at, out.n - 1);
	}
}

/* What runs of plain octets become is what each octet becomes by the words of the RFCs. */
static void octet_by_octet(void)
{
	static const struct {
		enum fieldtext_form form;
		const char *never, *escape; /* out of quotes; in quotes */
	} forms[] = {
		{ FIELDTEXT_TOKEN, "()<>@,;:\\\"/[]?=", "\"\\" },
		{ FIELDTEXT_DOT_ATOM, "()<>[]:;@\\,\"", "\"\\" },
		{ FIELDTEXT_QUOTED, NULL, "\"\\" },
		{ FIELDTEXT_TOKEN, NULL, "()\\" }, /* a comment */
	};
	for (unsigned k = 0; k < 4; k++)
		for (unsigned c = 0; c < 256; c++) {
			struct arena a = fresh(sizeof memory);
			struct fieldtext f;
			char in[] = "ab-cd", want[32];
			bool comment = k == 3, shown = c >= ' ' && c < 0x7f;
			bool bare = !comment && forms[k].never && shown && c != ' ' &&
				    !strchr(forms[k].never, (char)c);
			in[2] = (char)c;
			snprintf(want, sizeof want, "%sab%s%ccd%s", bare || comment ? "" : "\"",
				 shown && !bare && strchr(forms[k].escape, (int)c) ? "\\" : "",
				 shown ? (char)c : '?', bare || comment ? "" : "\"");
			/* an address is no token, and what is a domain name is one */
			if (k == 0 && c == '@')
				strcpy(want, "ab@cd");
			fieldtext_begin(&f, &a, "X", FIELDTEXT_UNFOLDED, 1024);
			if (comment)
				fieldtext_comment(&f, bytes_of(in, 5));
			else
				fieldtext_value(&f, bytes_of(in, 5), forms[k].form);
			struct bytes out = bytes_from(fieldtext_end(&f), 3);
			CU_ASSERT(bytes_equal(out, bytes_str(want)));
		}
}

/* A comment at once is the same as character by character, wherever lines and room end. */
static void runs(void)
{
	uint64_t random = 521288629;
	for (unsigned round = 0; round < 3000; round++) {
		static _Alignas(16) uint8_t other[1 << 12];
		uint8_t in[120];
		size_t n = test_random(&random) % sizeof in, width = 20 + test_random(&random) % 60;
		size_t room = test_random(&random) % 200;
		struct arena a = fresh(sizeof memory), b;
		struct fieldtext f, g;
		for (size_t i = 0; i < n; i++)
			in[i] = test_random(&random) % 6
					? 'x'
					: (uint8_t) " ()\\\r\x7f~"[test_random(&random) % 7];
		arena_init(&b, other, sizeof other);
		fieldtext_begin(&f, &a, "X", width, room);
		fieldtext_begin(&g, &b, "X", width, room);
		fieldtext_comment(&f, bytes_of(in, n));
		for (size_t i = 0; i < n; i++)
			fieldtext_comment(&g, bytes_of(in + i, 1));
		struct bytes x = fieldtext_end(&f), y = fieldtext_end(&g);
		CU_ASSERT(bytes_equal(x, y) && !x.p == !y.p);
	}
}

static void folds(void)
{
	struct arena a = fresh(sizeof memory);
	struct fieldtext f;
	fieldtext_begin(&f, &a, "Name", FIELDTEXT_WIDTH, 4096);
	fieldtext_put(&f, "first;");
	fieldtext_line(&f);
	for (unsigned i = 0; i < 60; i++)
		fieldtext_pair(&f, "k", bytes_str("value"), FIELDTEXT_TOKEN);
	struct bytes out = fieldtext_end(&f);
	size_t line = 0;
	unsigned lines = 0;
	for (size_t i = 0; i < out.n; i++, line++) {
		if (i + 1 < out.n && out.p[i] == '\r') {
			CU_ASSERT(line <= FIELDTEXT_WIDTH);
			CU_ASSERT(lines == 0 || line > FIELDTEXT_WIDTH - 9);
			CU_ASSERT_FATAL(out.p[i + 1] == '\n' && out.p[i + 2] == '\t');
			CU_ASSERT_NOT_EQUAL(out.p[i - 1], ' ');
			lines++;
			i++;
			line = (size_t)-1;
		}
	}
	CU_ASSERT(lines > 5);
	/* unfolded they are one line */
	fieldtext_begin(&f, &a, "Name", FIELDTEXT_UNFOLDED, 4096);
	for (unsigned i = 0; i < 60; i++)
		fieldtext_pair(&f, "k", bytes_str("value"), FIELDTEXT_TOKEN);
	fieldtext_line(&f);
	out = fieldtext_end(&f);
	CU_ASSERT_PTR_NULL(memchr(out.p, '\n', out.n));
}

static void limits(void)
{
	static char longest[FIELDTEXT_VALUE_MAX + 1];
	struct arena a = fresh(sizeof memory);
	struct fieldtext f;
	memset(longest, '"', sizeof longest);
	fieldtext_begin(&f, &a, "X", FIELDTEXT_WIDTH, 4096);
	CU_ASSERT_TRUE(
		fieldtext_pair(&f, "k", bytes_of(longest, sizeof longest - 1), FIELDTEXT_TOKEN));
	size_t n = f.n;
	CU_ASSERT_FALSE(
		fieldtext_pair(&f, "k", bytes_of(longest, sizeof longest), FIELDTEXT_TOKEN));
	CU_ASSERT_EQUAL(f.n, n);
	CU_ASSERT(n < 998);
	fieldtext_number(&f, UINT64_MAX);
	struct bytes out = fieldtext_end(&f);
	CU_ASSERT(bytes_equal(bytes_from(out, n), bytes_str("18446744073709551615")));
	CU_ASSERT_EQUAL(a.used, out.n);
}

/* Every room: whole or nothing, and nothing of the arena is kept for nothing. */
static void arena_full(void)
{
	size_t whole = sizeof "X: " - 1 + 5 * (sizeof " key=value" - 1) + 4 * 2;
	for (size_t room = 0; room < 150; room++) {
		struct arena a = fresh(room);
		struct fieldtext f;
		fieldtext_begin(&f, &a, "X", 15, 4096);
		for (unsigned i = 0; i < 5; i++)
			fieldtext_pair(&f, "key", bytes_str("value"), FIELDTEXT_TOKEN);
		struct bytes out = fieldtext_end(&f);
		CU_ASSERT_EQUAL(out.n, room < whole + 16 ? 0 : whole);
		CU_ASSERT_EQUAL(a.used, out.n);
	}
}

TEST_MAIN("fieldtext", TEST(values_are_safe), TEST(comments_are_safe), TEST(any_octets),
	  TEST(octet_by_octet), TEST(runs), TEST(folds), TEST(limits), TEST(arena_full))
