/* A list of addresses has one reading, by RFC 5322 with its obsolete forms, or is malformed where it has none. */
#include "tests/test.h"
#include "verify/header/mailbox.h"

#include <stdio.h>
#include <stdlib.h>

static _Alignas(16) uint8_t memory[1 << 16];

static const struct {
	uint32_t flag;
	char letter;
} letters[] = {
	{ MAILBOX_MALFORMED, 'M' }, { MAILBOX_OBSOLETE, 'O' }, { MAILBOX_GROUP, 'G' },
	{ MAILBOX_ANGLE, '<' },     { MAILBOX_NULL, '0' },     { MAILBOX_LITERAL, '[' },
	{ MAILBOX_CONTROL, 'C' },   { MAILBOX_NOT_UTF8, '8' }, { MAILBOX_ENCODED, 'E' },
	{ MAILBOX_NO_SPACE, 'S' },
};

static size_t put(char *out, size_t n, struct bytes b)
{
	memcpy(out + n, b.p ? b.p : (const uint8_t *)"", b.n);
	return n + b.n;
}

static size_t put_flags(char *out, size_t n, uint32_t flags)
{
	for (unsigned i = 0; i < sizeof letters / sizeof letters[0]; i++)
		if (flags & letters[i].flag)
			out[n++] = letters[i].letter;
	return n;
}

/* display|local|name|domain|flags; of each mailbox, and the flags of the list. */
static size_t print(char *out, struct bytes in)
{
	struct arena a;
	struct mailbox_list l;
	struct mailbox m;
	size_t n = 0;
	arena_init(&a, memory, sizeof memory);
	mailbox_begin(&l, in, &a);
	while (mailbox_next(&l, &m)) {
		n = put(out, n, m.display);
		out[n++] = '|';
		n = put(out, n, m.local);
		if (!bytes_equal(m.local, m.name)) {
			out[n++] = '=';
			n = put(out, n, m.name);
		}
		out[n++] = '@';
		n = put(out, n, m.domain);
		out[n++] = '|';
		n = put_flags(out, n, m.flags);
		out[n++] = ';';
		out[n++] = ' ';
	}
	n = put_flags(out, n, l.flags);
	out[n] = 0;
	return n;
}

static const struct {
	const char *in, *want;
} rows[] = {
	/* 3.4, 3.4.1 */
	{ "a@b.example", "|a@b.example|; " },
	{ " a@b.example \r\n", "|a@b.example|; " },
	{ "A B <a@b.example>", "A B|a@b.example|<; <" },
	{ "<a@b.example>", "|a@b.example|<; <" },
	{ "\"A, B\" <a@b.example>", "\"A, B\"|a@b.example|<; <" },
	{ "a@b, C <c@d>", "|a@b|; C|c@d|<; <" },
	{ "\"a b\"@c", "|\"a b\"=a b@c|; " },
	{ "\"a\\\"\\\\ b\"@c", "|\"a\\\"\\\\ b\"=a\"\\ b@c|; " },
	{ "\"a\r\n b\"@c", "|\"a b\"=a b@c|; " },
	{ "a@[192.0.2.1]", "|a@[192.0.2.1]|[; [" },
	{ "a@[IPv6:::1]", "|a@[IPv6:::1]|[; [" },
	{ "(x) a (y@z) @ (w) b (q, <r@s>)", "|a@b|; " },
	{ "a(a(b(c)d\\)e)f)@b", "|a@b|; " },
	{ "A\r\n B\r\n <a@b>", "A\r\n B|a@b|<; <" },
	/* groups, and in From: (RFC 6854) */
	{ "g:;", "G" },
	{ "g:a@b;", "|a@b|G; G" },
	{ "My g: A <a@b>, c@d ; , e@f", "A|a@b|G<; |c@d|G; |e@f|; G<" },
	{ "g:a@b;,h:c@d;", "|a@b|G; |c@d|G; G" },
	/* RFC 6532 */
	{ "J\xc3\xb6rg <j\xc3\xb6rg@b\xc3\xbc.example>",
	  "J\xc3\xb6rg|j\xc3\xb6rg@b\xc3\xbc.example|<; <" },
	/* section 4 */
	{ "A. B <a@b>", "A. B|a@b|O<; O<" },
	{ "a . b @ c . d", "|a.b@c.d|O; O" },
	{ "a(x).b@c(y).d", "|a.b@c.d|O; O" },
	{ "<@r:a@b>", "|a@b|O<; O<" },
	{ "<@r1,,@r2 (x) , : a@b>", "|a@b|O<; O<" },
	{ "<,@r:a@b>", "|a@b|O<; O<" },
	{ ", a@b,, c@d ,", "|a@b|; |c@d|; O" },
	{ "g:,a@b,;", "|a@b|G; OG" },
	{ "\"a\"..b.@c", "|\"a\"..b.=a..b.@c|O; O" },
	{ "\"a\1\"@b", "|\"a\1\"=a\1@b|OC; OC" },
	/* out of leniency */
	{ "[x] a <a@b>", "[x] a|a@b|O<; O<" },
	{ ".a <a@b>", ".a|a@b|O<; O<" },
	{ "J\xf6rg <a@b>", "J\xf6rg|a@b|<8; <8" },
	/* no reading */
	{ "", "" },
	{ " (only) ", "" },
	{ "a", "|@|M; M" },
	{ "a@", "|@|M; M" },
	{ "@b", "|@|M; M" },
	{ "<>", "|@|M<0; M<0" },
	{ "A <>", "A|@|M<0; M<0" },
	{ "<> a@b", "|@|M<0; M<0" },
	{ "a@b c", "|@|M; M" },
	{ "a b@c", "|@|MO; MO" },
	{ "\"a\"b@c", "|@|M; M" },
	{ "a@b@c", "|@|M; M" },
	{ "<a@b@c>", "|@|M<; M<" },
	{ "a@b>@c", "|@|M; M" },
	{ "<a@b>@c", "|@|M<; M<" },
	{ "<a@b><c@d>", "|@|M<; M<" },
	{ "<<a@b>>", "|@|M<; M<" },
	{ "<a@b", "|@|M<; M<" },
	{ "a@b>", "|@|M; M" },
	{ "<a@b, c@d", "|@|M<; |c@d|; M<" },
	{ "a@.b", "|@|M; M" },
	{ "a@b.", "|@|M; M" },
	{ "a@b..c", "|@|M; M" },
	{ "a@\"b\"", "|@|M; M" },
	{ "a@[b", "|@|M[; M[" },
	{ "a@[b[c]", "|@|M[; M[" },
	{ "a@[b].c", "|@|M; M" },
	{ "a@b.[c]", "|@|M; M" },
	{ "[a]@b", "|@|M; M" },
	{ "[a@b] <c@d>", "[a@b]|@|MO<; MO<" },
	{ "a@b <c@d>", "|@|M; M" },
	{ "a@b, \"c", "|a@b|; |@|M; M" },
	{ "a@b (c", "|@|M; M" },
	{ "a@b c)", "|@|M; M" },
	{ "a\\@b@c", "|@|M; M" },
	{ "\"a\\", "|@|M; M" },
	{ "g:a@b", "|@|MG; MG" },
	{ "g:h:a@b;", "|@|MG; MG" },
	{ ":a@b;", "|@|M; M" },
	{ "a@b;", "|@|M; M" },
	{ "g:;a@b", "|@|M; MG" },
	{ "g:a@b; c@d, e@f", "|a@b|G; |@|M; |e@f|; MG" },
	{ "<@r a@b>", "|@|MO<; MO<" },
	{ "<@r>", "|@|MO<; MO<" },
	{ "<@:a@b>", "|@|MO<; MO<" },
	{ "<,:a@b>", "|@|MO<; MO<" },
	{ "a@b\rX", "|@|MOC; MOC" },
	{ "a@b\n c", "|@|MOC; MOC" },
	{ "a\1@b", "|@|MOC; MOC" },
	{ "a@b\xfc", "|@|M8; M8" },
	{ "\xfc@b", "|@|M8; M8" },
	{ "=?utf-8?q?a=40b?=@c", "|@|ME; ME" },
	{ "a@=?utf-8?q?b?=", "|@|ME; ME" },
	{ "\"=?utf-8?b?YQ==?=\"@c", "|@|ME; ME" },
	{ "\"a\\\r\n b\"@c", "|@|M; M" },
};

static void h6_known_lists(void)
{
	char out[1024];
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		print(out, bytes_of(p, n));
		test_guard_free(p, n);
		CU_ASSERT_STRING_EQUAL(out, rows[i].want);
		if (strcmp(out, rows[i].want))
			printf("row %u: %s\n  got  %s\n  want %s\n", i, rows[i].in, out,
			       rows[i].want);
	}
}

static void h6_nul(void)
{
	static const struct {
		const char *in;
		size_t n;
	} nul[] = { { "a@b\0", 4 },    { "a@b\0.c", 6 },    { "\"a\0\" <a@b>", 10 },
		    { "a@b (\0)", 7 }, { "\0", 1 },         { "a@b, \0c@d", 9 },
		    { "<a@b\0>", 6 },  { "\"\\\0\"@b", 6 }, { "a@[\0]", 5 } };
	for (unsigned i = 0; i < sizeof nul / sizeof nul[0]; i++) {
		struct mailbox_list l;
		struct mailbox m;
		struct arena a;
		arena_init(&a, memory, sizeof memory);
		mailbox_begin(&l, bytes_of(nul[i].in, nul[i].n), &a);
		while (mailbox_next(&l, &m))
			;
		CU_ASSERT_EQUAL(l.flags & (MAILBOX_MALFORMED | MAILBOX_CONTROL),
				MAILBOX_MALFORMED | MAILBOX_CONTROL);
	}
}

/* What is cut off at any octet is read within its bounds, and parts never lie outside. */
static void cut_everywhere(void)
{
	char out[1024];
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t n = 0; n <= strlen(rows[i].in); n++) {
			uint8_t *p = test_guard(rows[i].in, n);
			print(out, bytes_of(p, n));
			test_guard_free(p, n);
		}
	}
	CU_PASS("read within bounds");
}

static void h6_nested_comments(void)
{
	char in[2 * MAILBOX_DEPTH_MAX + 64], out[1024];
	for (unsigned depth = MAILBOX_DEPTH_MAX; depth <= MAILBOX_DEPTH_MAX + 1; depth++) {
		memset(in, '(', depth);
		memset(in + depth, ')', depth);
		memcpy(in + 2 * depth, "a@b", 4);
		print(out, bytes_str(in));
		CU_ASSERT_STRING_EQUAL(out, depth > MAILBOX_DEPTH_MAX ? "|@|M; M" : "|a@b|; ");
	}
}

/* Half a million of brackets, quotes, commas: each octet is looked at a few times only. */
static void long_lists(void)
{
	enum { N = 500000 };
	static const struct {
		const char *text;
		unsigned mailboxes;
	} parts[] = { { "(", 0 },        { "\"", 1 },       { "<", 1 },    { ",", 0 },
		      { "a@b,", N / 4 }, { "g:", 1 },       { "=?", 1 },   { "\\", 1 },
		      { "@", 1 },        { "a.", 1 },       { "[", 1 },    { "(a)", 0 },
		      { "\"a\" ", 1 },   { "<@a,", N / 8 }, { "\r\n ", 0 } };
	char *in = malloc(N);
	CU_ASSERT_FATAL(in != NULL);
	for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		struct mailbox_list l;
		struct mailbox m;
		struct arena a;
		size_t part = strlen(parts[i].text), n = 0;
		unsigned found = 0;
		for (; n + part <= N; n += part)
			memcpy(in + n, parts[i].text, part);
		arena_init(&a, memory, sizeof memory);
		mailbox_begin(&l, bytes_of(in, n), &a);
		while (mailbox_next(&l, &m))
			found++;
		CU_ASSERT_EQUAL(found, parts[i].mailboxes);
		if (found != parts[i].mailboxes)
			printf("%s: %u\n", parts[i].text, found);
	}
	free(in);
}

static void longest_part(void)
{
	static char in[2 * MAILBOX_PART_MAX + 8];
	for (unsigned over = 0; over < 4; over++) {
		struct mailbox_list l;
		struct mailbox m;
		size_t local = over & 1 ? MAILBOX_PART_MAX + 1 : 3;
		size_t domain = over & 2 ? MAILBOX_PART_MAX + 1 : MAILBOX_PART_MAX - 10;
		memset(in, 'a', local);
		in[local] = '@';
		memset(in + local + 1, 'b', domain);
		mailbox_begin(&l, bytes_of(in, local + 1 + domain), NULL);
		CU_ASSERT_TRUE(mailbox_next(&l, &m));
		CU_ASSERT_EQUAL(m.flags, over ? MAILBOX_MALFORMED : 0);
	}
}

static void arena_full(void)
{
	struct mailbox_list l;
	struct mailbox m;
	mailbox_begin(&l, bytes_str("a.b@c, a . b@c"), NULL);
	CU_ASSERT_TRUE(mailbox_next(&l, &m));
	CU_ASSERT(bytes_equal(m.local, bytes_str("a.b")));
	CU_ASSERT_TRUE(mailbox_next(&l, &m));
	CU_ASSERT_EQUAL(m.flags, MAILBOX_OBSOLETE | MAILBOX_NO_SPACE | MAILBOX_MALFORMED);
	CU_ASSERT_EQUAL(m.domain.n, 0);
	CU_ASSERT_FALSE(mailbox_next(&l, &m));
}

static void comment_and_group(void)
{
	struct mailbox_list l;
	struct mailbox m;
	mailbox_begin(&l, bytes_str("(x) a@b (A B), \"g h\" (z): (y) c@d;"), NULL);
	CU_ASSERT_TRUE(mailbox_next(&l, &m));
	CU_ASSERT(bytes_equal(m.comment, bytes_str("A B")));
	CU_ASSERT(bytes_equal(m.raw, bytes_str("(x) a@b (A B)")));
	CU_ASSERT_PTR_NULL(m.group.p);
	CU_ASSERT_TRUE(mailbox_next(&l, &m));
	CU_ASSERT(bytes_equal(m.group, bytes_str("\"g h\"")));
	CU_ASSERT(bytes_equal(m.comment, bytes_str("y")));
	CU_ASSERT_FALSE(mailbox_next(&l, &m));
}

TEST_MAIN("mailbox", TEST(h6_known_lists), TEST(h6_nul), TEST(cut_everywhere),
	  TEST(h6_nested_comments), TEST(long_lists), TEST(longest_part), TEST(arena_full),
	  TEST(comment_and_group))
