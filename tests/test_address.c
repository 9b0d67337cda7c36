/* Only a From: with one plain mailbox has a domain; fields of the record are unfolded and otherwise as they were. */
#include "tests/test.h"
#include "verify/auth/address.h"

#include <stdio.h>

static _Alignas(16) uint8_t memory[1 << 16];

static const struct {
	const char *in, *want;
} rows[] = {
	{ " a@example.com", "example.com" },
	{ "a@Example.COM\r\n", "Example.COM" },
	{ "Alice <a@example.com>", "example.com" },
	{ "\"A, @ B\" <a@example.com>", "example.com" },
	{ "\"a@b\"@example.com", "example.com" },
	{ "\"a\\\"@b\"@example.com", "example.com" },
	{ "a(c)@(d)", "" },
	{ "a@example.com (comment (nested, \\) @x) y)", "example.com" },
	{ "(x@y) a@example.com", "example.com" },
	{ "Alice\r\n <a@example.com>", "example.com" },
	{ "<@relay.example,@b.example:a@example.com>", "" },
	{ "<@relay.example:a@example.com>", "example.com" },
	{ "a@b\xc3\xbc"
	  "cher.example",
	  "b\xc3\xbc"
	  "cher.example" },
	{ "=?utf-8?q?evil@other.example?= <a@example.com>", "" },
	/* H-6: none of these has one author */
	{ "", "" },
	{ "a", "" },
	{ "a@", "" },
	{ "<>", "" },
	{ "<> a@example.com", "" },
	{ "a@example.com, b@example.org", "" },
	{ "<a@example.com>, <b@example.org>", "" },
	{ "g: a@example.com;", "" },
	{ "user@good.example>@evil.example", "" },
	{ "<user@good.example>@evil.example", "" },
	{ "<a@b@example.com>", "" },
	{ "a@b@example.com", "" },
	{ "<<a@example.com>>", "" },
	{ "<a@example.com", "" },
	{ "a@example.com>", "" },
	{ "a@[192.0.2.1]", "" },
	{ "a@example.com\1", "" },
	{ "a@example.com b", "" },
	{ "\"a@example.com", "" },
	{ "(a@example.com", "" },
	{ "a@example.com \"x\"", "" },
};

static void h6_domain(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		CU_ASSERT(bytes_equal(address_domain(bytes_of(p, n)), bytes_str(rows[i].want)));
		test_guard_free(p, n);
	}
}

static void h6_nul_and_two_fields(void)
{
	struct header h;
	struct arena a;
	CU_ASSERT_EQUAL(address_domain(bytes_of("a@b.c\0d", 7)).n, 0);
	arena_init(&a, memory, sizeof memory);
	CU_ASSERT_FATAL(header_split(&h, bytes_str("From: a@b.c\r\n\r\n"), 1, &a));
	CU_ASSERT(bytes_equal(address_author(&h), bytes_str("b.c")));
	CU_ASSERT_FATAL(header_split(&h, bytes_str("From: a@b.c\r\nFROM: a@b.c\r\n\r\n"), 1, &a));
	CU_ASSERT_EQUAL(address_author(&h).n, 0);
	CU_ASSERT_FATAL(header_split(&h, bytes_str("To: a@b.c\r\n\r\n"), 1, &a));
	CU_ASSERT_EQUAL(address_author(&h).n, 0);
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

TEST_MAIN("address", TEST(h6_domain), TEST(h6_nul_and_two_fields), TEST(record_fields),
	  TEST(limit_of_fields), TEST(arena_full))
