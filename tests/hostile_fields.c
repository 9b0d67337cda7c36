#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/hostile_make.h"

/* ---- H-6: From: ---- */

static void mailboxes_4000(struct hostile *h)
{
	hostile_add(h, "From: x <x@from.bad.example>");
	for (unsigned i = 0; i < hostile_many(h, 4000); i++)
		hostile_add(h, ",\r\n \"Mailbox %u of many, more\" <user%u@domain%u.bad.example>",
			    i, i, i);
	hostile_add(h, "\r\n");
	hostile_end(h);
}

static void comments_nested(struct hostile *h)
{
	unsigned n = hostile_many(h, 120000);
	hostile_add(h, "From: ");
	hostile_fill(h, n, '(');
	hostile_fill(h, n, ')');
	hostile_add(h, " alice@from.bad.example\r\n");
	hostile_end(h);
}

static void comments_open(struct hostile *h)
{
	hostile_add(h, "From: alice@from.bad.example ");
	hostile_fill(h, hostile_many(h, 250000), '(');
	hostile_add(h, "\r\n");
	hostile_end(h);
}

static void quote_open(struct hostile *h)
{
	hostile_add(h, "From: \"");
	hostile_fill(h, hostile_many(h, 250000), 'q');
	hostile_add(h, " <alice@from.bad.example>\r\n");
	hostile_end(h);
}

static void quotes_many(struct hostile *h)
{
	hostile_add(h, "From: ");
	hostile_repeat(h, hostile_many(h, 60000), "\"a\" ");
	hostile_add(h, "<alice@from.bad.example>\r\n");
	hostile_end(h);
}

static void angles_many(struct hostile *h)
{
	hostile_add(h, "From: ");
	hostile_repeat(h, hostile_many(h, 60000), "<a@b");
	hostile_add(h, "<alice@from.bad.example>\r\n");
	hostile_end(h);
}

static void groups_many(struct hostile *h)
{
	hostile_add(h, "From: ");
	hostile_repeat(h, hostile_many(h, 60000), "g:;,");
	hostile_add(h, "alice@from.bad.example\r\n");
	hostile_end(h);
}

static void encoded_10000(struct hostile *h)
{
	hostile_add(h, "From:");
	hostile_repeat(h, hostile_many(h, 10000), " =?utf-8?b?w4TDlsOc?=");
	hostile_add(h, " <alice@from.bad.example>\r\n");
	hostile_end(h);
}

/* No mailbox for long, in a message whose SPF has many rounds. */
static void groups_and_storm(struct hostile *h)
{
	hostile_mx_storm(h);
	h->n = 0;
	groups_many(h);
}

static void routes_long(struct hostile *h)
{
	hostile_add(h, "From: <");
	hostile_repeat(h, hostile_many(h, 30000), "@a.b.c,");
	hostile_add(h, ":alice@from.bad.example>\r\n");
	hostile_end(h);
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
	hostile_end(h);
}

static void domains_many(struct hostile *h)
{
	hostile_add(h, "From: ");
	for (unsigned i = 0; i < hostile_many(h, 900); i++) {
		hostile_add(h, "%salice@", i ? ",\r\n " : "");
		labels(h, i);
	}
	hostile_add(h, "\r\n");
	hostile_end(h);
}

static void from_fields(struct hostile *h)
{
	for (unsigned i = 0; i < hostile_many(h, 4000); i++)
		hostile_add(h, "From: a@d%u.bad.example, b@e%u.bad.example\r\n", i, i);
	hostile_end(h);
}

static void display_512(struct hostile *h)
{
	hostile_add(h, "From: \"");
	for (unsigned i = 0; i < 512; i += 8)
		hostile_add(h, "Amboixe ");
	hostile_add(h, "Directer Ab%u Ambolse\" <alice@from.bad.example>\r\n", 27);
	hostile_end(h);
}

/* ---- fields of ours, and Received: ---- */

static void results_9000(struct hostile *h)
{
	hostile_repeat(h, hostile_many(h, 9000), "Authentication-Results: x;\r\n");
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
}

static void results_4000(struct hostile *h)
{
	hostile_repeat(h, hostile_many(h, 4000),
		       "Authentication-Results: mx.receiver.example; dkim=pass\r\n");
	hostile_add(h, "%s", hostile_from);
	hostile_end(h);
}

static void results_comments(struct hostile *h)
{
	hostile_add(h, "Authentication-Results: ");
	hostile_fill(h, hostile_many(h, 125000), '(');
	hostile_fill(h, hostile_many(h, 125000), ')');
	hostile_add(h, "mx.receiver.example; dkim=pass\r\n%s", hostile_from);
	hostile_end(h);
}

static void received_4096(struct hostile *h)
{
	inet_pton(AF_INET, "198.51.100.7", h->m.client.ip + 12);
	for (unsigned i = 0; i < hostile_many(h, 4000); i++)
		hostile_add(h, "Received: from a ([198.51.100.%u]) by b; x\r\n", i % 250);
	hostile_add(h, "%s", hostile_from);
	hostile_spf_text(h, "bad.example", "-all");
	hostile_end(h);
}

static void received_long(struct hostile *h)
{
	inet_pton(AF_INET, "198.51.100.7", h->m.client.ip + 12);
	hostile_add(h, "Received: from ");
	hostile_repeat(h, hostile_many(h, 80000), "(a ");
	hostile_add(h, "\r\n%s", hostile_from);
	hostile_spf_text(h, "bad.example", "-all");
	hostile_end(h);
}

static void received_brackets(struct hostile *h)
{
	inet_pton(AF_INET, "198.51.100.7", h->m.client.ip + 12);
	hostile_add(h, "Received: from ");
	hostile_repeat(h, hostile_many(h, 80000), "[1 ");
	hostile_add(h, "\r\n%s", hostile_from);
	hostile_spf_text(h, "bad.example", "-all");
	hostile_end(h);
}

/* ---- all of it ---- */

static void together(struct hostile *h)
{
	char *names = malloc(16384);
	size_t n = (size_t)sprintf(names, "from");
	for (unsigned i = 0; i < 900 / h->share; i++)
		n += (size_t)sprintf(names + n, ":a%u", i);
	hostile_add(h, "Authentication-Results: mx.receiver.example ");
	hostile_fill(h, 10000 / h->share, '(');
	hostile_add(h, "\r\n");
	for (unsigned i = 0; i < 5; i++) {
		char domain[32];
		snprintf(domain, sizeof domain, "d%u.key.example", i);
		hostile_signature(h, domain, "s", "", names);
	}
	for (unsigned i = 0; i < 900 / h->share; i++)
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
	hostile_macro_bomb(h);
	h->n = before;
	hostile_chain(h, 50, 1000 / h->share, true);
	free(names);
}

static const struct hostile_row rows[] = {
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
	{ "results 9,000 fields", results_9000 },
	{ "results 4,000 of ours", results_4000 },
	{ "results of comments", results_comments },
	{ "received 4,000 relays", received_4096 },
	{ "received open comments", received_long },
	{ "received open brackets", received_brackets },
	{ "all together", together },
};
const struct hostile_table hostile_fields = { rows, sizeof rows / sizeof rows[0] };
