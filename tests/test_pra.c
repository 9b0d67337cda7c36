/* RFC 4407 section 2 chooses the address, by the order of the fields and of what stands between them, or says there is none. */
#include <stdio.h>

#include "tests/test.h"
#include "verify/auth/pra.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static _Alignas(16) uint8_t memory[1 << 16];

#define RS "Resent-Sender: rs@a.example\r\n"
#define RF "Resent-From: rf@b.example\r\n"
#define RCV "Received: from x by y; date\r\n"
#define RP "Return-Path: <x@y.example>\r\n"
#define SE "Sender: se@c.example\r\n"
#define FR "From: fr@d.example\r\n"

static const struct {
	const char *in;
	enum pra_field field;
	const char *address; /* "": none */
} rows[] = {
	{ FR, PRA_FROM, "fr@d.example" },
	{ SE FR, PRA_SENDER, "se@c.example" },
	{ FR SE, PRA_SENDER, "se@c.example" },
	{ RF SE FR, PRA_RESENT_FROM, "rf@b.example" },
	{ RS SE FR, PRA_RESENT_SENDER, "rs@a.example" },
	{ RS RF FR, PRA_RESENT_SENDER, "rs@a.example" },
	{ RF RS FR, PRA_RESENT_SENDER, "rs@a.example" },
	/* step 1: a Resent-From: of another block above */
	{ RF RCV RS FR, PRA_RESENT_FROM, "rf@b.example" },
	{ RF RP RS FR, PRA_RESENT_FROM, "rf@b.example" },
	{ RF "X: y\r\n" RS FR, PRA_RESENT_SENDER, "rs@a.example" },
	{ RCV RF RS FR, PRA_RESENT_SENDER, "rs@a.example" },
	{ RF RS RCV FR, PRA_RESENT_SENDER, "rs@a.example" },
	{ RS RCV RF FR, PRA_RESENT_SENDER, "rs@a.example" },
	{ "Resent-From: \r\n" RCV RS FR, PRA_RESENT_SENDER, "rs@a.example" },
	{ RF RCV "Resent-Sender:  \t \r\n" FR, PRA_RESENT_FROM, "rf@b.example" },
	{ "resent-FROM: top@b.example\r\n" RCV RF RS FR, PRA_RESENT_FROM, "top@b.example" },
	/* the first of several counts */
	{ "Resent-Sender: top@a.example\r\n" RCV RS FR, PRA_RESENT_SENDER, "top@a.example" },
	{ "Resent-From: top@a.example\r\n" RCV RF FR, PRA_RESENT_FROM, "top@a.example" },
	/* steps 3 and 4: exactly one */
	{ SE SE FR, PRA_SENDER, "" },
	{ "Sender:\r\n" SE FR, PRA_SENDER, "se@c.example" },
	{ "Sender: \r\n" FR, PRA_FROM, "fr@d.example" },
	{ FR FR, PRA_FROM, "" },
	{ "From: \r\n" FR, PRA_FROM, "fr@d.example" },
	{ "", PRA_NONE, "" },
	{ "Subject: x\r\n", PRA_NONE, "" },
	{ "From:\r\n", PRA_NONE, "" },
	{ "Sender :se@c.example\r\n" FR, PRA_SENDER, "se@c.example" },
	/* step 5: one whole mailbox, and the next field is not tried */
	{ "From: A <a@d.example>, b@e.example\r\n", PRA_FROM, "" },
	{ "Sender: a@c.example, b@c.example\r\n" FR, PRA_SENDER, "" },
	{ "Resent-Sender: nonsense\r\n" FR, PRA_RESENT_SENDER, "" },
	{ "From: <>\r\n", PRA_FROM, "" },
	{ "From: a\r\n", PRA_FROM, "" },
	{ "From: a@\r\n", PRA_FROM, "" },
	{ "From: @b\r\n", PRA_FROM, "" },
	{ "From: a@[192.0.2.1]\r\n", PRA_FROM, "" },
	{ "From: undisclosed:;\r\n", PRA_FROM, "" },
	{ "From: a@b@c.example\r\n", PRA_FROM, "" },
	{ "From: \"Al, ice\" <a@d.example> (x, y)\r\n", PRA_FROM, "a@d.example" },
	{ "From: \"a b\"@d.example\r\n", PRA_FROM, "\"a b\"@d.example" },
	{ "From: Alice\r\n <a@d.example>\r\n", PRA_FROM, "a@d.example" },
	{ "From: a (c) @ (c) d . example\r\n", PRA_FROM, "a@d.example" },
	/* RFC 4407 section 2 by itself never looks at these */
	{ "Reply-To: r@e.example\r\nDelivered-To: d@e.example\r\n" FR, PRA_FROM, "fr@d.example" },
};

static bool find(struct pra *out, struct bytes octets, size_t size)
{
	static _Alignas(16) uint8_t fields[1 << 16];
	struct header h;
	struct arena a, b;
	arena_init(&a, fields, sizeof fields);
	arena_init(&b, memory, size);
	CU_ASSERT_FATAL(header_split(&h, octets, 1, &a));
	return pra_find(out, &h, &b);
}

static void f10_known(void)
{
	for (unsigned i = 0; i < N(rows); i++) {
		struct pra pra;
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		CU_ASSERT(find(&pra, bytes_of(p, n), sizeof memory));
		CU_ASSERT_EQUAL(pra.field, rows[i].field);
		CU_ASSERT(bytes_equal(pra.address, bytes_str(rows[i].address)));
		if (!bytes_equal(pra.address, bytes_str(rows[i].address)))
			fprintf(stderr, "%s: %.*s\n", rows[i].in, (int)pra.address.n,
				pra.address.p);
		CU_ASSERT_EQUAL(pra.resent, strstr(rows[i].in, "rs@") ||
						    strstr(rows[i].in, "rf@") ||
						    strstr(rows[i].in, "nonsense") ||
						    strstr(rows[i].in, "top@"));
		CU_ASSERT_EQUAL(pra_field_name(pra.field) == NULL, pra.field == PRA_NONE);
		test_guard_free(p, n);
	}
}

static void cut_everywhere(void)
{
	for (unsigned i = 0; i < N(rows); i++)
		for (size_t n = 0; n < strlen(rows[i].in); n++) {
			struct pra pra;
			uint8_t *p = test_guard(rows[i].in, n);
			CU_ASSERT(find(&pra, bytes_of(p, n), sizeof memory));
			test_guard_free(p, n);
		}
}

static void small_arena(void)
{
	bool full = false;
	for (size_t size = 0; size < 512; size++) {
		struct pra pra;
		if (!find(&pra, bytes_str(RF RCV "Resent-Sender: a (c) @ (c) d . example\r\n"),
			  size))
			full = true;
		else
			CU_ASSERT(bytes_equal(pra.address, bytes_str("rf@b.example")));
	}
	CU_ASSERT(full);
}

TEST_MAIN("pra", TEST(f10_known), TEST(cut_everywhere), TEST(small_arena))
