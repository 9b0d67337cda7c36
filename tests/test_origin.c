/* Behind the site's own relays the client is who sent to the last of them, as that one wrote down, and never what a client said. */
#include "tests/test.h"
#include "verify/auth/origin.h"

#include <arpa/inet.h>
#include <stdio.h>

static _Alignas(16) uint8_t memory[1 << 18];

static const char *print(const struct address *a)
{
	static char out[INET6_ADDRSTRLEN];
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool v4 = !memcmp(a->ip, mapped, sizeof mapped);
	inet_ntop(v4 ? AF_INET : AF_INET6, a->ip + (v4 ? 12 : 0), out, sizeof out);
	return out;
}

static struct address ip(const char *text)
{
	struct address a = { { [10] = 0xff, [11] = 0xff } };
	if (inet_pton(AF_INET, text, a.ip + 12) != 1)
		inet_pton(AF_INET6, text, a.ip);
	return a;
}

/* want NULL: no address. */
static const struct {
	const char *value, *want, *helo;
} rows[] = {
	/* RFC 5321 */
	{ " from helo.example ([192.0.2.1]) by r.example; Sat", "192.0.2.1", "helo.example" },
	{ " FROM h (h.example [IPv6:2001:db8::1]) BY r.example", "2001:db8::1", "h" },
	{ " from [10.0.0.1] ([192.0.2.1]) by r", "192.0.2.1", "[10.0.0.1]" },
	/* Postfix */
	{ " from helo.example (unknown [192.0.2.1])\r\n\tby r.example (Postfix) with ESMTP id 1\r\n"
	  "\tfor <a@b.example>; Sat, 21 Nov 2026 10:00:00 +0000 (UTC)",
	  "192.0.2.1", "helo.example" },
	{ " from h (r.example [192.0.2.1]:25012)\r\n\t(using TLSv1.3 with cipher X (256/256 "
	  "bits))\r\n"
	  "\t(Client CN \"evil [198.51.100.1]\", Issuer \"x\" (not verified))\r\n\tby r",
	  "192.0.2.1", "h" },
	/* Sendmail */
	{ " from h (IDENT:u@r.example [192.0.2.1] (may be forged)) by r (8.15) with SMTP",
	  "192.0.2.1", "h" },
	{ " from h (r.example [192.0.2.1])\r\n\t(authenticated bits=0)\r\n\tby r", "192.0.2.1",
	  "h" },
	/* Exim */
	{ " from r.example ([192.0.2.1] helo=said.example)\r\n\tby r with esmtp (Exim 4.96)",
	  "192.0.2.1", "said.example" },
	{ " from r.example ([192.0.2.1]:4321 helo=[198.51.100.1])\r\n\tby r", "192.0.2.1",
	  "[198.51.100.1]" },
	{ " from [192.0.2.1] (helo=said.example) by r", "192.0.2.1", "said.example" },
	{ " from [192.0.2.1] (port=4321 helo=said.example) by r", "192.0.2.1", "said.example" },
	{ " from [192.0.2.1] (port=4321) by r", "192.0.2.1", "" },
	{ " from r.example ([2001:db8::2]) by r", "2001:db8::2", "r.example" },
	/* Exchange */
	{ " from h.example (192.0.2.1) by ex.example (10.0.0.5) with Microsoft SMTP\r\n Server id "
	  "1",
	  "192.0.2.1", "h.example" },
	{ " from h.example (2001:db8::3) by ex.example", "2001:db8::3", "h.example" },
	{ " from h.example ([192.0.2.1]) by ex.example ([10.0.0.5]) with mapi id 15", "192.0.2.1",
	  "h.example" },
	/* qmail */
	{ " from unknown (HELO said.example) (192.0.2.1)\r\n  by r with SMTP", "192.0.2.1",
	  "said.example" },
	{ " from r.example (HELO said) (user@192.0.2.1) by r with SMTP", "192.0.2.1", "said" },
	{ " from r.example (192.0.2.1) by r with SMTP", "192.0.2.1", "r.example" },
	{ " from unknown (HELO [198.51.100.1]) (192.0.2.1) by r", "192.0.2.1", "[198.51.100.1]" },
	/* nothing that its writer saw */
	{ " from [192.0.2.1] by r", NULL, NULL },
	{ " from h [192.0.2.1] by r", NULL, NULL },
	{ " from h by r (x [192.0.2.1])", NULL, NULL },
	{ " from [192.0.2.1] (x) by r", NULL, NULL },
	{ " from h (x) ([192.0.2.1]) by r", NULL, NULL },
	{ " from h (x (y [192.0.2.1])) by r", NULL, NULL },
	{ " from h (x [y] [192.0.2.1]) by r", NULL, NULL },
	{ " from h (HELO [192.0.2.1]) by r", NULL, NULL },
	{ " from x[192.0.2.1] (helo=y) by r", NULL, NULL },
	{ " from h (192.0.2.1 x) by r", NULL, NULL },
	{ " from h (a[b]@192.0.2.1) by r", NULL, NULL },
	{ " from h ([192.0.2.1.2]) by r", NULL, NULL },
	{ " from h ([fe80::1%eth0]) by r", NULL, NULL },
	{ " from h ([192.0.2.1] by r", NULL, NULL },
	{ " from h ([192.0.2.1", NULL, NULL },
	{ " from h", NULL, NULL },
	{ " from", NULL, NULL },
	{ "", NULL, NULL },
	{ " by r.example (Postfix, from userid 33) id 1; Sat", NULL, NULL },
	{ " (from h ([192.0.2.1])) by r", NULL, NULL },
	{ " (qmail 7 invoked from network); 21 Nov 2026 10:00:00 -0000", NULL, NULL },
	{ " fromh ([192.0.2.1])", NULL, NULL },
};

static void received_forms(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct origin_hop hop;
		size_t n = strlen(rows[i].value);
		uint8_t *p = test_guard(rows[i].value, n);
		bool ok = origin_received(bytes_of(p, n), &hop);
		CU_ASSERT_EQUAL(ok, rows[i].want != NULL);
		if (ok != (rows[i].want != NULL))
			printf("%s\n", rows[i].value);
		if (ok && rows[i].want) {
			CU_ASSERT_STRING_EQUAL(print(&hop.client), rows[i].want);
			CU_ASSERT(bytes_equal(hop.helo, bytes_str(rows[i].helo)));
		}
		test_guard_free(p, n);
	}
}

static void cut_everywhere(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t n = 0; n < strlen(rows[i].value); n++) {
			struct origin_hop hop;
			uint8_t *p = test_guard(rows[i].value, n);
			origin_received(bytes_of(p, n), &hop);
			test_guard_free(p, n);
		}
	}
	CU_PASS("read within bounds");
}

static void received_nul(void)
{
	struct origin_hop hop;
	static const char in[] = " from h ([192.0.2.1\0x]) by r";
	CU_ASSERT_FALSE(origin_received(bytes_of(in, sizeof in - 1), &hop));
}

static struct origin find(struct message m, const char *section, const char *const *relay,
			  unsigned n)
{
	struct arena a;
	struct header h;
	struct origin o;
	struct bytes entry[4];
	uint32_t bad;
	for (unsigned i = 0; i < n; i++)
		entry[i] = bytes_str(relay[i]);
	struct list *l = list_new("relays", entry, n, false, &bad);
	CU_ASSERT_FATAL(l != NULL);
	arena_init(&a, memory, sizeof memory);
	CU_ASSERT_FATAL(header_split(&h, bytes_str(section), 1, &a));
	m.complete = true;
	origin_find(&o, &m, &h, l);
	list_free(l);
	return o;
}

static const char *const relays[] = { "10.0.0.0/8", "2001:db8:1::/48" };

static struct message smtp(const char *client)
{
	return (struct message){ .client = ip(client),
				 .has_client = true,
				 .has_helo = true,
				 .has_mail_from = true,
				 .helo = bytes_str("relay.example"),
				 .mail_from = bytes_str("a@b.example") };
}

static void c92_client_of_the_connection(void)
{
	static const char section[] = "Received: from h (x [192.0.2.1]) by r\r\n\r\n";
	struct origin o = find(smtp("198.51.100.1"), section, relays, 2);
	CU_ASSERT_TRUE(o.has_client && !o.relayed);
	CU_ASSERT_STRING_EQUAL(print(&o.client), "198.51.100.1");
	CU_ASSERT(bytes_equal(o.helo, bytes_str("relay.example")));
	CU_ASSERT_EQUAL(o.hops, 0);
	struct message m = smtp("10.0.0.1");
	struct header h = { 0 };
	origin_find(&o, &m, &h, NULL);
	CU_ASSERT_TRUE(o.has_client && !o.relayed);
	m.has_client = false;
	origin_find(&o, &m, &h, NULL);
	CU_ASSERT_FALSE(o.has_client);
}

static void c92_behind_relays(void)
{
	static const char section[] =
		"Received: from b (b.example [10.1.1.1]) by a\r\n"
		"Received: (qmail 7 invoked from network); x\r\n"
		"Received: from localhost (localhost [127.0.0.1]) by b\r\n"
		"Received: from c ([IPv6:2001:db8:1::7]) by b\r\n"
		"Subject: x\r\n"
		"Received: from said.example (HELO real.example) (192.0.2.1)\r\n by c\r\n"
		"Received: from lie (lie [203.0.113.1]) by said.example\r\n\r\n";
	struct origin o = find(smtp("10.0.0.1"), section, relays, 2);
	CU_ASSERT_TRUE(o.has_client && o.relayed && o.has_helo && o.has_mail_from);
	CU_ASSERT_STRING_EQUAL(print(&o.client), "192.0.2.1");
	CU_ASSERT(bytes_equal(o.helo, bytes_str("real.example")));
	CU_ASSERT(bytes_equal(o.mail_from, bytes_str("a@b.example")));
	CU_ASSERT_EQUAL(o.hops, 4);
}

/* What the last own relay did not see cannot be made up by what the client put below. */
static void c92_unknown_client(void)
{
	static const char *const sections[] = {
		"Received: by a (Postfix, from userid 33)\r\n"
		"Received: from x (x [192.0.2.1]) by y\r\n\r\n",
		"Received: from x by a\r\nReceived: from x (x [192.0.2.1]) by y\r\n\r\n",
		"Subject: x\r\n\r\n",
		"\r\n",
		"Received: from b ([10.0.0.2]) by a\r\n\r\n",
	};
	for (unsigned i = 0; i < sizeof sections / sizeof sections[0]; i++) {
		struct origin o = find(smtp("10.0.0.1"), sections[i], relays, 2);
		CU_ASSERT_TRUE(!o.has_client && o.relayed && !o.has_helo && o.has_mail_from);
	}
}

static void c92_header_not_whole(void)
{
	struct arena a;
	struct header h;
	struct origin o;
	uint32_t bad;
	struct bytes entry = bytes_str("10.0.0.1");
	struct message m = smtp("10.0.0.1");
	struct list *l = list_new("relays", &entry, 1, false, &bad);
	CU_ASSERT_FATAL(l != NULL);
	arena_init(&a, memory, sizeof memory);
	CU_ASSERT_FATAL(header_split(&h, bytes_str("Received: from x ([192.0.2.1])"), 1, &a));
	m.header_len = 30;
	origin_find(&o, &m, &h, l);
	CU_ASSERT_TRUE(!o.has_client && o.relayed);
	m.complete = true;
	m.intact = 30;
	origin_find(&o, &m, &h, l);
	CU_ASSERT_TRUE(o.has_client);
	list_free(l);
}

static void limit_of_hops(void)
{
	static char section[4096];
	for (unsigned own = ORIGIN_HOPS_MAX - 1; own <= ORIGIN_HOPS_MAX; own++) {
		size_t n = 0;
		for (unsigned i = 0; i < own; i++)
			n += (size_t)sprintf(section + n, "Received: from x ([10.0.0.%u]) by y\r\n",
					     i);
		n += (size_t)sprintf(section + n, "Received: from z ([192.0.2.1]) by y\r\n");
		for (unsigned i = 0; i < 30; i++)
			n += (size_t)sprintf(section + n, "Received: from x ([192.0.2.%u])\r\n",
					     i + 2);
		struct origin o = find(smtp("10.0.0.1"), section, relays, 2);
		CU_ASSERT_EQUAL(o.has_client, own < ORIGIN_HOPS_MAX);
		CU_ASSERT_EQUAL(o.hops, ORIGIN_HOPS_MAX);
		if (o.has_client)
			CU_ASSERT_STRING_EQUAL(print(&o.client), "192.0.2.1");
	}
}

/* A mail reader is no sender: its address is never judged. */
static void pop3_mailbox(void)
{
	static const char section[] = "Return-Path: <a@b.example>\r\n"
				      "Received: from h (x [192.0.2.1]) by mx\r\n"
				      "Return-Path: <lie@c.example>\r\n\r\n";
	struct message m = { .protocol = MESSAGE_POP3,
			     .has_client = true,
			     .client = ip("203.0.113.9"),
			     .server = ip("10.0.0.1") };
	struct origin o = find(m, section, relays, 2);
	CU_ASSERT_TRUE(o.has_client && o.has_helo && o.has_mail_from && o.relayed);
	CU_ASSERT_STRING_EQUAL(print(&o.client), "192.0.2.1");
	CU_ASSERT(bytes_equal(o.mail_from, bytes_str("a@b.example")));
	o = find(m, section + strlen("Return-Path: <a@b.example>\r\n"), relays, 2);
	CU_ASSERT_TRUE(o.has_client && !o.has_mail_from);
	m.server = ip("198.51.100.1");
	o = find(m, section, relays, 2);
	CU_ASSERT_TRUE(!o.has_client && !o.has_helo && !o.has_mail_from && !o.relayed);
}

TEST_MAIN("origin", TEST(received_forms), TEST(cut_everywhere), TEST(received_nul),
	  TEST(c92_client_of_the_connection), TEST(c92_behind_relays), TEST(c92_unknown_client),
	  TEST(c92_header_not_whole), TEST(limit_of_hops), TEST(pop3_mailbox))
