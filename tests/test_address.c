/* No From: lends another domain's name: where it has more than one reading, all are listed and none counts. */
#include "tests/test.h"
#include "verify/auth/address.h"

#include <stdio.h>
#include <time.h>

static _Alignas(16) uint8_t memory[1 << 20];

/* What From: is seen to be: flags; domains, with "?" where none may be judged; address; display. */
static void print(char *out, size_t len, const struct verdict_from *f)
{
	size_t n = 0;
	for (uint32_t bit = 1; bit < 1u << FROM_FLAG_N; bit <<= 1)
		if (f->flags & bit)
			n += (size_t)snprintf(out + n, len - n, "%s%s", n ? " " : "",
					      verdict_from_flag_name(bit));
	n += (size_t)snprintf(out + n, len - n, ";");
	for (unsigned i = 0; i < f->n_shown; i++)
		n += (size_t)snprintf(out + n, len - n, " %.*s%s", (int)f->domain[i].n,
				      f->domain[i].p, f->n_domain ? "" : "?");
	snprintf(out + n, len - n, "; %.*s; %.*s", (int)f->address.n,
		 f->address.p ? (const char *)f->address.p : "", (int)f->display.n,
		 f->display.p ? (const char *)f->display.p : "");
}

static bool look(struct bytes section, const struct message *m, struct verdict_from *f)
{
	struct header h;
	struct arena a;
	arena_init(&a, memory, sizeof memory);
	return header_split(&h, section, 1, &a) && address_from(f, &h, m, &a, NULL);
}

struct row {
	const char *header, *want;
};

static void check(const struct row *row, unsigned n_row)
{
	for (unsigned i = 0; i < n_row; i++) {
		struct verdict_from f;
		char out[2048];
		size_t n = strlen(row[i].header);
		uint8_t *p = test_guard(row[i].header, n);
		CU_ASSERT_TRUE(look(bytes_of(p, n), NULL, &f));
		print(out, sizeof out, &f);
		test_guard_free(p, n);
		CU_ASSERT_STRING_EQUAL(out, row[i].want);
		if (strcmp(out, row[i].want))
			printf("%s\n  got  %s\n  want %s\n", row[i].header, out, row[i].want);
	}
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows)[0])

static void one_mailbox(void)
{
	static const struct row rows[] = {
		{ "From: a@Example.COM\r\n\r\n", "; example.com; a@Example.COM; " },
		{ "from : Alice B <a@b.example>\r\n", "; b.example; a@b.example; Alice B" },
		{ "From: \"A, @ \\\"B\\\"\" <a@b.example>\r\n",
		  "; b.example; a@b.example; A, @ \"B\"" },
		{ "From: \"a@x.example\"@b.example\r\n",
		  "; b.example; \"a@x.example\"@b.example; " },
		{ "From: a@b.example (Alice B)\r\n", "; b.example; a@b.example; Alice B" },
		{ "From: A (not shown) B\r\n\tC <a@b.example> (nor this)\r\n",
		  "; b.example; a@b.example; A B C" },
		{ "From: =?utf-8?q?J=C3=B6rg_B?= <a@b.example>\r\n",
		  "; b.example; a@b.example; J\xc3\xb6rg B" },
		{ "From: a@b\xc3\xbc"
		  "cher.example\r\n",
		  "; xn--bcher-kva.example; a@b\xc3\xbc"
		  "cher.example; " },
		{ "From: A. B <@r.example:a . b@c (d) .example>\r\n",
		  "obsolete; c.example; a.b@c.example; A. B" },
		{ "From: J\xf6rg <a@b.example>\r\n",
		  "not_utf8; b.example; a@b.example; J\xef\xbf\xbdrg" },
		{ "From: a@[192.0.2.1]\r\n", "no_domain;; a@[192.0.2.1]; " },
		{ "From: a@b!c\r\n", "no_domain;; a@b!c; " },
		{ "From: a@xn--\xc3\xbc.example\r\n", "no_domain;; a@xn--\xc3\xbc.example; " },
	};
	CHECK(rows);
}

static void h6_two_mailboxes(void)
{
	static const struct row rows[] = {
		{ "From: a@b.example, c@d.example\r\n",
		  "several_mailboxes several_domains; b.example d.example; a@b.example; " },
		{ "From: A <a@b.example>,\r\n B <c@B.example>\r\n",
		  "several_mailboxes; b.example; a@b.example; A" },
		{ "From: a@[192.0.2.1], c@d.example\r\n",
		  "several_mailboxes no_domain; d.example?; a@[192.0.2.1]; " },
		{ "From: Alice, B <a@b.example>\r\n", "malformed; b.example?; ; Alice" },
	};
	CHECK(rows);
}

static void h6_two_fields(void)
{
	static const struct row rows[] = {
		{ "From: A <a@good.example>\r\nFROM: B <b@evil.example>\r\n",
		  "several_fields several_mailboxes several_domains;"
		  " evil.example? good.example?; a@good.example; A" },
		{ "From: a@b.example\r\nTo: x\r\nFrom: a@b.example\r\n",
		  "several_fields several_mailboxes; b.example?; a@b.example; " },
		{ "From: a@b.example\r\nFrom:\r\n",
		  "several_fields malformed; b.example?; a@b.example; " },
	};
	CHECK(rows);
}

static void h6_group(void)
{
	static const struct row rows[] = {
		{ "From: g: A <a@b.example>;\r\n", "group; b.example; a@b.example; A" },
		{ "From: undisclosed:;\r\n", "group;; ; " },
		{ "From: g: a@b.example, c@d.example;\r\n",
		  "several_mailboxes several_domains group; b.example d.example; a@b.example; " },
		{ "From: \"ceo@bank.example\": a@b.example;\r\n",
		  "group display_address; b.example; a@b.example; " },
		{ "From: g: a@b.example\r\n", "group malformed; b.example?; ; a@b.example" },
		{ "From: a@good.example: b@evil.example;\r\n",
		  "several_domains malformed; good.example? evil.example?; ;"
		  " a@good.example: b@evil.example;" },
	};
	CHECK(rows);
}

static void h6_nested_comments(void)
{
	static const struct row rows[] = {
		{ "From: (a@x.example (b (c) \\) d@y.example)) a@b.example\r\n",
		  "display_address; b.example; a@b.example;"
		  " a@x.example (b (c) ) d@y.example)" },
		{ "From: a@b.example (c\r\n", "malformed; b.example?; ; a@b.example (c" },
		{ "From: a@b.example c)\r\n", "malformed; b.example?; ; a@b.example c)" },
		{ "From: a@(x) good.example@evil.example\r\n",
		  "several_domains malformed; good.example? evil.example?; ;"
		  " a@(x) good.example@evil.example" },
	};
	CHECK(rows);
}

static void h6_quoted_commas(void)
{
	static const struct row rows[] = {
		{ "From: \"x@x.example, y@y.example,\" <a@b.example>\r\n",
		  "display_address; b.example; a@b.example; x@x.example, y@y.example," },
		{ "From: \"a,b\"@c.example\r\n", "; c.example; \"a,b\"@c.example; " },
		{ "From: \"a, b@good.example <c@evil.example>\r\n",
		  "several_domains malformed; good.example? evil.example?; ;"
		  " \"a, b@good.example <c@evil.example>" },
	};
	CHECK(rows);
}

static void h6_angle_after_angle(void)
{
	static const struct row rows[] = {
		{ "From: user@good.example>@evil.example\r\n",
		  "several_domains malformed; good.example? evil.example?; ;"
		  " user@good.example>@evil.example" },
		{ "From: <user@good.example>@evil.example\r\n",
		  "several_domains malformed; good.example? evil.example?; ;"
		  " <user@good.example>@evil.example" },
		{ "From: <a@good.example> <b@evil.example>\r\n",
		  "several_domains malformed; good.example? evil.example?; ;"
		  " <a@good.example> <b@evil.example>" },
		{ "From: a@good.example <b@evil.example>\r\n",
		  "several_domains malformed; good.example? evil.example?; ;"
		  " a@good.example <b@evil.example>" },
		{ "From: a@good.example@evil.example\r\n",
		  "several_domains malformed; good.example? evil.example?; ;"
		  " a@good.example@evil.example" },
		{ "From: <>\r\n", "malformed;; ; <>" },
		{ "From: <a@b.example\r\n", "malformed; b.example?; ; <a@b.example" },
		{ "From: a@b.example.\r\n", "malformed; b.example?; ; a@b.example." },
	};
	CHECK(rows);
}

static void h6_encoded_word_hides_address(void)
{
	static const struct row rows[] = {
		/* in the name */
		{ "From: =?utf-8?q?ceo=40bank.example?= <a@b.example>\r\n",
		  "obsolete display_address; b.example; a@b.example; ceo@bank.example" },
		{ "From: \"=?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?=\" <a@b.example>\r\n",
		  "display_address; b.example; a@b.example; ceo@bank.example" },
		{ "From: =?utf-8?q?ceo=40mx=2Eb=2Eexample?= <a@b.example>\r\n",
		  "; b.example; a@b.example; ceo@mx.b.example" },
		{ "From: =?utf-8?q?ceo=EF=BC=A0bank.example?= <a@b.example>\r\n",
		  "obsolete display_address; b.example; a@b.example; ceo\xef\xbc\xa0"
		  "bank.example" },
		/* instead of an address */
		{ "From: =?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?=\r\n",
		  "malformed encoded_address; bank.example?; ; ceo@bank.example" },
		/* in it: what readers that decode first take for the address */
		{ "From: =?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQA=?=@evil.example\r\n",
		  "several_domains malformed control encoded_address;"
		  " evil.example? bank.example?; ; ceo@bank.example" },
		{ "From: =?utf-8?q?evil@other.example?= <a@b.example>\r\n",
		  "several_domains malformed encoded_address;"
		  " other.example? b.example?; ; evil@other.example <a@b.example>" },
		{ "From: A <a@=?utf-8?q?good.example?=>\r\n",
		  "malformed encoded_address; good.example?; ; A <a@good.example>" },
		/* of a charset that is not read */
		{ "From: =?koi8-r?b?z8w=?= =?utf-7?q?+AEA-?= <a@b.example>\r\n",
		  "unknown_charset; b.example; a@b.example; \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};
	CHECK(rows);
}

static void h6_nul(void)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
	} rows[] = {
		{ "From: a@good.example\0.evil.example", 34,
		  "malformed obsolete control; good.example?" },
		{ "From: \"a\0\" <a@b.example>", 24, "malformed obsolete control; b.example?" },
		{ "From: (\0) a@b.example", 21, "malformed obsolete control; b.example?" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct verdict_from f;
		char out[1024];
		CU_ASSERT_TRUE(look(bytes_of(rows[i].in, rows[i].n), NULL, &f));
		print(out, sizeof out, &f);
		CU_ASSERT_EQUAL(strncmp(out, rows[i].want, strlen(rows[i].want)), 0);
		CU_ASSERT_EQUAL(f.n_domain, 0);
	}
}

static void h6_no_from(void)
{
	static const struct row rows[] = {
		{ "To: a@b.example\r\n", "no_from;; ; " },
		{ "", "no_from;; ; " },
		{ "From:\r\n", "malformed;; ; " },
		{ "From: (a)\r\n", "malformed;; ; " },
		{ "From: Alice\r\n", "malformed;; ; Alice" },
		{ "Fro\0m: a@b.example\r\n", "no_from;; ; " },
		{ "X-From: a@b.example\r\n", "no_from;; ; " },
	};
	CHECK(rows);
}

static void h6_control_and_scripts(void)
{
	static const struct row rows[] = {
		{ "From: \"a\1\" <a@b.example>\r\n",
		  "obsolete control; b.example; a@b.example; a\1" },
		{ "From: \xe2\x80\xae"
		  "abc <a@b.example>\r\n",
		  "control; b.example; a@b.example; \xe2\x80\xae"
		  "abc" },
		{ "From: P\xd0\xb0yP\xd0\xb0l <a@b.example>\r\n",
		  "mixed_scripts; b.example; a@b.example; P\xd0\xb0yP\xd0\xb0l" },
		{ "From: a@p\xd0\xb0ypal.example\r\n",
		  "mixed_scripts; xn--pypal-4ve.example; a@p\xd0\xb0ypal.example; " },
		{ "From: a@xn--pypal-4ve.example\r\n",
		  "mixed_scripts; xn--pypal-4ve.example; a@xn--pypal-4ve.example; " },
		{ "From: IBM\xe6\xa0\xaa\xe5\xbc\x8f <a@b.example>\r\n",
		  "; b.example; a@b.example; IBM\xe6\xa0\xaa\xe5\xbc\x8f" },
	};
	CHECK(rows);
}

/* What was not seen whole may hold another From:. */
static void n3_header_not_whole(void)
{
	static const char in[] = "From: a@b.example\r\n";
	struct verdict_from f;
	struct message m = { .header_len = sizeof in - 1, .intact = sizeof in - 1 };
	CU_ASSERT_TRUE(look(bytes_str(in), &m, &f));
	CU_ASSERT_EQUAL(f.flags, FROM_UNSEEN);
	CU_ASSERT_EQUAL(f.n_shown, 1);
	CU_ASSERT_EQUAL(f.n_domain, 0);
	m.complete = true;
	CU_ASSERT_TRUE(look(bytes_str(in), &m, &f));
	CU_ASSERT_EQUAL(f.flags, 0);
	CU_ASSERT_EQUAL(f.n_domain, 1);
	m.flags = MESSAGE_HEADER_TOO_LARGE;
	CU_ASSERT_TRUE(look(bytes_str(in), &m, &f));
	CU_ASSERT_EQUAL(f.flags, FROM_UNSEEN);
	m.flags = MESSAGE_NO_START;
	CU_ASSERT_TRUE(look(bytes_str(in), &m, &f));
	CU_ASSERT_EQUAL(f.flags, FROM_UNSEEN);
}

/* A From: of many parts; form has one %u. Returns what was seen. */
static struct verdict_from many(const char *form, unsigned n)
{
	static char in[200000];
	struct verdict_from f = { 0 };
	size_t len = (size_t)sprintf(in, "From: ");
	for (unsigned i = 0; i < n; i++)
		len += (size_t)sprintf(in + len, form, i);
	len += (size_t)sprintf(in + len, "x@last.example\r\n");
	CU_ASSERT_TRUE(look(bytes_of(in, len), NULL, &f));
	return f;
}

static void limits(void)
{
	struct verdict_from f = many("a@d%u.example,", VERDICT_AUTHORS_MAX - 1);
	CU_ASSERT_EQUAL(f.n_shown, VERDICT_AUTHORS_MAX);
	CU_ASSERT_EQUAL(f.n_domain, VERDICT_AUTHORS_MAX);
	CU_ASSERT_EQUAL(f.mailboxes, VERDICT_AUTHORS_MAX);
	CU_ASSERT_EQUAL(f.flags & FROM_LIMIT, 0);
	f = many("a@d%u.example,", VERDICT_AUTHORS_MAX);
	CU_ASSERT_EQUAL(f.n_shown, VERDICT_AUTHORS_MAX);
	CU_ASSERT_EQUAL(f.n_domain, 0);
	CU_ASSERT_EQUAL(f.flags & FROM_LIMIT, FROM_LIMIT);
	f = many("a%u@last.example,", ADDRESS_MAILBOXES_MAX - 2);
	CU_ASSERT_EQUAL(f.n_domain, 1);
	CU_ASSERT_EQUAL(f.flags, FROM_SEVERAL_MAILBOXES);
	f = many("a%u@last.example,", ADDRESS_MAILBOXES_MAX);
	CU_ASSERT_EQUAL(f.n_domain, 0);
	CU_ASSERT_EQUAL(f.mailboxes, ADDRESS_MAILBOXES_MAX);
	CU_ASSERT_EQUAL(f.flags, FROM_SEVERAL_MAILBOXES | FROM_LIMIT);
	f = many("a%u@", 5000);
	CU_ASSERT_EQUAL(f.n_domain, 0);
	CU_ASSERT_EQUAL(f.flags & (FROM_MALFORMED | FROM_LIMIT), FROM_MALFORMED | FROM_LIMIT);
	f = many("Name%u ", 1000);
	CU_ASSERT_EQUAL(f.flags & FROM_MALFORMED, FROM_MALFORMED);
}

/* The worst lists are looked at within 64 KiB and a fraction of a second. */
static void h6_worst_lists(void)
{
	static const char *const parts[] = { "a . b@c . d.example,",
					     "a@\xc3\xbc.example,",
					     "\"=?utf-8?q?=40\xc3\xbc.x?=\" <a@b>,",
					     "(",
					     "@",
					     "=?utf-8?b?QA==?=",
					     "@\xc3\xbc.x",
					     "\" <@a.b:c@d>,",
					     "((x)a.b)",
					     "a@b.c, " };
	static char in[250 * 1024];
	for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		struct verdict_from f;
		struct header h;
		struct arena a, own;
		size_t n = (size_t)sprintf(in, "From: "), part = strlen(parts[i]);
		for (; n + part + 2 < sizeof in; n += part)
			memcpy(in + n, parts[i], part);
		strcpy(in + n, "\r\n");
		arena_init(&a, memory, sizeof memory / 2);
		arena_init(&own, memory + sizeof memory / 2, 64 * 1024);
		CU_ASSERT_FATAL(header_split(&h, bytes_of(in, n + 2), 1, &a));
		clock_t start = clock();
		CU_ASSERT_TRUE(address_from(&f, &h, NULL, &own, NULL));
		CU_ASSERT(clock() - start < CLOCKS_PER_SEC / 4);
		CU_ASSERT_EQUAL(f.n_domain, 0);
		CU_ASSERT(f.flags & (FROM_LIMIT | FROM_MALFORMED));
	}
}

static void traced(void)
{
	struct header h;
	struct arena a;
	struct verdict_from f;
	struct trace *t = trace_new();
	static const char in[] = "From: A <a@b.example>, c\r\n";
	CU_ASSERT_FATAL(t != NULL);
	arena_init(&a, memory, sizeof memory);
	CU_ASSERT_FATAL(header_split(&h, bytes_str(in), 1, &a));
	CU_ASSERT_TRUE(address_from(&f, &h, NULL, &a, t));
	struct bytes text = trace_text(t, TRACE_FROM);
	CU_ASSERT(bytes_equal(text, bytes_str("From: A <a@b.example>, c\n"
					      "  mailbox: local part a, domain b.example\n"
					      "  no mailbox:  c\n"
					      "  flag malformed\n"
					      "  author domain b.example, in some reading\n")));
	trace_free(t);
}

static void from_cut_everywhere(void)
{
	static const char in[] = "From: \"A\" =?utf-8?q?b=40c.d?= (c\r\n d) <@r.s,@t:\"x y\" . z "
				 "@ \xc3\xbc.example>, g: a@[1];\r\nTo: x\r\nFrom: a\r\n\r\n";
	for (size_t n = 0; n < sizeof in; n++) {
		struct verdict_from f;
		uint8_t *p = test_guard(in, n);
		CU_ASSERT_TRUE(look(bytes_of(p, n), NULL, &f));
		test_guard_free(p, n);
	}
}

static void from_arena_full(void)
{
	struct header h;
	struct arena a;
	struct verdict_from f;
	arena_init(&a, memory, sizeof memory);
	CU_ASSERT_FATAL(
		header_split(&h, bytes_str("From: \"A\" <a . b@c (d) .example>\r\n"), 1, &a));
	for (size_t room = 0; room < 200; room++) {
		struct arena small;
		arena_init(&small, memory + sizeof memory / 2, room);
		bool ok = address_from(&f, &h, NULL, &small, NULL);
		CU_ASSERT_EQUAL(ok, f.address.n == strlen("a.b@c.example") && f.n_domain == 1 &&
					    f.display.n == 1 && f.local.n == 3);
		if (room < 13)
			CU_ASSERT_FALSE(ok);
	}
}

static void record_fields(void)
{
	struct header h;
	struct arena a;
	struct verdict_email e;
	static const char in[] =
		"Subject: one\r\n\ttwo \r\nFrom: x\r\nTo: 1\r\nTO: 2,\r\n 3\r\nsubject: no\r\n"
		"Date:\r\nMessage-ID: <i>\r\n\r\n";
	arena_init(&a, memory, sizeof memory);
	CU_ASSERT_FATAL(header_split(&h, bytes_str(in), 1, &a));
	CU_ASSERT_FATAL(address_email(&e, &h, &a));
	CU_ASSERT(bytes_equal(e.subject, bytes_str("one\ttwo")));
	CU_ASSERT(bytes_equal(e.message_id, bytes_str("<i>")));
	CU_ASSERT(e.date.p && e.date.n == 0);
	CU_ASSERT_EQUAL(e.n_from, 1);
	CU_ASSERT_EQUAL(e.n_to, 2);
	CU_ASSERT(bytes_equal(e.to[0], bytes_str("1")));
	CU_ASSERT(bytes_equal(e.to[1], bytes_str("2, 3")));
	CU_ASSERT_FATAL(header_split(&h, bytes_str("A: b\r\n\r\n"), 1, &a));
	CU_ASSERT_FATAL(address_email(&e, &h, &a));
	CU_ASSERT(!e.subject.p && !e.message_id.p && !e.date.p && !e.n_from && !e.n_to);
}

static void limit_of_fields(void)
{
	struct header h;
	struct arena a;
	struct verdict_email e;
	char in[1024];
	size_t n = 0;
	for (int i = 0; i < VERDICT_FIELD_MAX + 3; i++)
		n += (size_t)sprintf(in + n, "To: %d\r\n", i);
	arena_init(&a, memory, sizeof memory);
	CU_ASSERT_FATAL(header_split(&h, bytes_of(in, n), 1, &a));
	CU_ASSERT_FATAL(address_email(&e, &h, &a));
	CU_ASSERT_EQUAL(e.n_to, VERDICT_FIELD_MAX);
	CU_ASSERT(bytes_equal(e.to[0], bytes_str("0")));
	CU_ASSERT(bytes_equal(e.to[VERDICT_FIELD_MAX - 1], bytes_str("15")));
}

static void arena_full(void)
{
	struct header h;
	struct arena a, small;
	struct verdict_email e;
	arena_init(&a, memory, sizeof memory);
	arena_init(&small, memory + sizeof memory / 2, 4);
	CU_ASSERT_FATAL(header_split(&h, bytes_str("To: 1,\r\n 2, 3\r\n\r\n"), 1, &a));
	CU_ASSERT_FALSE(address_email(&e, &h, &small));
}

TEST_MAIN("address", TEST(one_mailbox), TEST(h6_two_mailboxes), TEST(h6_two_fields), TEST(h6_group),
	  TEST(h6_nested_comments), TEST(h6_quoted_commas), TEST(h6_angle_after_angle),
	  TEST(h6_encoded_word_hides_address), TEST(h6_nul), TEST(h6_no_from),
	  TEST(h6_control_and_scripts), TEST(n3_header_not_whole), TEST(limits),
	  TEST(h6_worst_lists), TEST(traced), TEST(from_cut_everywhere), TEST(from_arena_full),
	  TEST(record_fields), TEST(limit_of_fields), TEST(arena_full))
