/* What a kind of check takes is noted, whatever the value; all else is refused with one line. */
#include "control/check_options.h"

#include <stdlib.h>

#include "tests/test.h"

static struct check c;
static char why[CHECK_WHY_MAX];

static int nothing(struct check *check)
{
	return 0;
}

static const char *needs_helo(const struct check *check)
{
	return check->has_helo ? NULL : "--helo NAME";
}

static const struct check_kind kind = { .command = "check",
					.name = "spf",
					.usage = "A B",
					.help = "help",
					.example = "postern check spf",
					.run = nothing,
					.own = CHECK_ENVELOPE | CHECK_RCPT_TO | CHECK_PRA |
					       CHECK_IDENTITY | CHECK_LEVEL | CHECK_MESSAGE |
					       CHECK_RAW | CHECK_ALWAYS,
					.arguments = 2,
					.groups = "now dns" };

static int read_with(const struct check_kind *k, char *const *argv)
{
	char *words[40] = { "spf" };
	int n = 1;
	for (struct message_rcpt *r = c.rcpt, *next; r; r = next) {
		next = r->next;
		free(r);
	}
	c = (struct check){ .why = why };
	why[0] = 0;
	for (; argv[n - 1]; n++)
		words[n] = argv[n - 1];
	FILE *out = fopen("/dev/null", "w");
	int rc = check_options_read(&c, k, n, words, out);
	fclose(out);
	CU_ASSERT_EQUAL(rc < 0, why[0] != 0);
	CU_ASSERT_PTR_NULL(strchr(why, '\n'));
	return rc;
}

#define READ(k, ...) read_with(k, (char *const[]){ __VA_ARGS__, NULL })

static bool is(struct bytes b, const char *text)
{
	return bytes_equal(b, bytes_str(text));
}

static void values_are_data(void)
{
	CU_ASSERT_EQUAL(READ(&kind, "--client-ip", "192.0.2.1", "--helo", "", "--mail-from",
			     "<a@b>", "--rcpt-to=<c@d>", "--rcpt-to", "-x", "--pra", "", "--raw",
			     "--message", "-", "--config", "f", "--evidence", "e", "-a", ""),
			0);
	CU_ASSERT(c.has_client && c.client_given && c.has_helo && c.has_mail_from && c.has_pra);
	CU_ASSERT(c.raw);
	CU_ASSERT_EQUAL(c.client.ip[15], 1);
	CU_ASSERT(is(c.helo, "") && is(c.mail_from, "a@b") && is(c.pra, ""));
	CU_ASSERT_EQUAL(c.n_rcpt, 2);
	CU_ASSERT(is(c.rcpt->address, "c@d") && is(c.rcpt->next->address, "-x"));
	CU_ASSERT_STRING_EQUAL(c.file, "-");
	CU_ASSERT_STRING_EQUAL(c.source.file, "f");
	CU_ASSERT_STRING_EQUAL(c.evidence, "e");
	CU_ASSERT_EQUAL_FATAL(c.n_argument, 2);
	CU_ASSERT_STRING_EQUAL(c.argument[0], "-a");
	CU_ASSERT_STRING_EQUAL(c.argument[1], "");
	CU_ASSERT_EQUAL(READ(&kind, "--client-ip", "banana", "--", "--a", "--b"), 0);
	CU_ASSERT(!c.has_client && c.client_given);
	CU_ASSERT_STRING_EQUAL(c.argument[1], "--b");
	CU_ASSERT_EQUAL(READ(&kind, "--dns", "none", "--now=5", "a", "b"), 0);
	CU_ASSERT_EQUAL(c.source.n, 2);
}

static void refused(void)
{
	static const struct {
		char *argv[5];
		const char *why;
	} rows[] = {
		{ { "a" }, "spf: it needs A B" },
		{ { "a", "b", "c" }, "one argument too many, \"c\"" },
		{ { "--socket", "x" }, "spf does not take --socket" },
		{ { "--helo" }, "--helo needs a value" },
		{ { "--raw=1" }, "--raw takes no value" },
		{ { "--smtp-ports", "25" }, "no option --smtp-ports" },
		{ { "--identity", "pra" }, "allowed: helo, mailfrom" },
		{ { "--level", "spf" }, "allowed: sidf, sidf-compatible" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CU_ASSERT_EQUAL(read_with(&kind, rows[i].argv), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, rows[i].why));
	}
}

static void what_is_missing(void)
{
	struct check_kind own = kind;
	own.missing = needs_helo;
	CU_ASSERT_EQUAL(READ(&own, "--raw"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "spf: it needs --helo NAME"));
	CU_ASSERT_EQUAL(READ(&own, "--helo", ""), 0); /* arguments are its own matter */
	CU_ASSERT_EQUAL(READ(&kind, "--help"), 1);
}

TEST_MAIN("check_options", TEST(values_are_data), TEST(refused), TEST(what_is_missing))
