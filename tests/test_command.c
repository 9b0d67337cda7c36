/* A command means what RFC 5321 says, and odd forms mean what servers take them for. */
#include "reassembly/command.h"
#include "tests/test.h"

#include <stdlib.h>

static bool is(struct bytes b, const char *text)
{
	return text ? bytes_equal(b, bytes_str(text)) : !b.p;
}

static void verbs(void)
{
	static const struct {
		const char *line;
		enum command command;
		const char *args;
	} known[] = {
		{ "EHLO a b", COMMAND_EHLO, "a b" },
		{ "  helo\ta ", COMMAND_HELO, "a" },
		{ "lHlO", COMMAND_LHLO, "" },
		{ "MAIL FROM:<x>", COMMAND_MAIL, "FROM:<x>" },
		{ "DATA", COMMAND_DATA, "" },
		{ "DATAX", COMMAND_OTHER, "" },
		{ "STARTTLS ", COMMAND_STARTTLS, "" },
		{ "VRFY x", COMMAND_NOOP, "x" },
		{ "", COMMAND_OTHER, "" },
		{ "MAILFROM:<x>", COMMAND_OTHER, "" },
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		size_t n = strlen(known[i].line);
		uint8_t *p = test_guard(known[i].line, n);
		struct bytes args;
		CU_ASSERT_EQUAL(command_parse(bytes_of(p, n), &args), known[i].command);
		CU_ASSERT(is(args, known[i].args));
		test_guard_free(p, n);
	}
}

static void paths(void)
{
	static const struct {
		const char *args, *address, *params;
	} known[] = {
		{ "FROM:<x@y>", "x@y", "" },
		{ "from : <x@y> SIZE=1", "x@y", "SIZE=1" },
		{ "FROM:x@y SIZE=1", "x@y", "SIZE=1" },
		{ "FROM:<>", "", "" },
		{ "FROM:", "", "" },
		{ "FROM:<@a.b,@c:x@y>BODY=8BITMIME", "x@y", "BODY=8BITMIME" },
		{ "FROM:@a:x@y", "x@y", "" },
		{ "FROM:<\"a>b\"@y> X", "\"a>b\"@y", "X" },
		{ "FROM:\"a b\"@y X", "\"a b\"@y", "X" },
		{ "FROM:<\"a\\\"> b\"@y>", "\"a\\\"> b\"@y", "" },
		{ "FROM:<x@y", "x@y", "" },
		{ "FROM:<\"x@y> SIZE=1", "\"x@y", "SIZE=1" },
		{ "FROM:< x@y >", "x@y", "" },
		{ "FROM:<@no-colon>", "@no-colon", "" },
		{ "TO:<x>", NULL, NULL },
		{ "FROM <x>", NULL, NULL },
		{ "", NULL, NULL },
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		size_t n = strlen(known[i].args);
		uint8_t *p = test_guard(known[i].args, n);
		struct bytes address, params;
		bool good = command_path(bytes_of(p, n), "FROM", &address, &params);
		CU_ASSERT_EQUAL(good, known[i].address != NULL);
		if (good)
			CU_ASSERT(is(address, known[i].address) && is(params, known[i].params));
		test_guard_free(p, n);
	}
}

static void params(void)
{
	struct bytes rest = bytes_str(" SIZE=10  SMTPUTF8\tAUTH=<>=x "), key, value;
	CU_ASSERT(command_param(&rest, &key, &value) && is(key, "SIZE") && is(value, "10"));
	CU_ASSERT(command_param(&rest, &key, &value) && is(key, "SMTPUTF8") && is(value, NULL));
	CU_ASSERT(command_param(&rest, &key, &value) && is(key, "AUTH") && is(value, "<>=x"));
	CU_ASSERT(!command_param(&rest, &key, &value));
}

static void h9_bdat_numbers(void)
{
	static const struct {
		const char *args;
		enum command_bdat result;
		uint64_t n;
		bool last;
	} known[] = {
		{ "0 LAST", COMMAND_BDAT_GOOD, 0, true },
		{ "10", COMMAND_BDAT_GOOD, 10, false },
		{ "10 last", COMMAND_BDAT_GOOD, 10, true },
		{ "5 X", COMMAND_BDAT_ODD, 5, false },
		{ "5 LAST X", COMMAND_BDAT_ODD, 5, false },
		{ "9223372036854775807", COMMAND_BDAT_GOOD, INT64_MAX, false },
		{ "9223372036854775808", COMMAND_BDAT_BAD, 0, false },
		{ "18446744073709551615", COMMAND_BDAT_BAD, 0, false },
		{ "18446744073709551616", COMMAND_BDAT_BAD, 0, false },
		{ "00000000000000000000000000000001", COMMAND_BDAT_GOOD, 1, false },
		{ "-1", COMMAND_BDAT_BAD, 0, false },
		{ "+1", COMMAND_BDAT_BAD, 0, false },
		{ "1x", COMMAND_BDAT_BAD, 0, false },
		{ "", COMMAND_BDAT_BAD, 0, false },
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		uint64_t n;
		bool last;
		CU_ASSERT_EQUAL(command_bdat(bytes_str(known[i].args), &n, &last), known[i].result);
		if (known[i].result != COMMAND_BDAT_BAD)
			CU_ASSERT(n == known[i].n && last == known[i].last);
	}
}

static struct bytes user(const char *args_or_answer, bool is_answer, enum command_auth what,
			 uint8_t *out)
{
	struct bytes in = bytes_str(args_or_answer);
	if (!is_answer)
		what = command_auth(in, &in);
	return command_auth_user(what, in, out);
}

static void auth_users(void)
{
	uint8_t out[COMMAND_AUTH_MAX];
	CU_ASSERT(is(user("PLAIN AHVzZXIAcGFzcw==", false, 0, out), "user"));
	CU_ASSERT(is(user("plain YWRtaW4AdXNlcgBwYXNz", false, 0, out), "user"));
	CU_ASSERT(is(user("LOGIN dXNlcg==", false, 0, out), "user"));
	CU_ASSERT(is(user("CRAM-MD5 dXNlcg==", false, 0, out), NULL));
	CU_ASSERT(is(user("dXNlcg==", true, COMMAND_AUTH_USER, out), "user"));
	CU_ASSERT(is(user("dXNlcg==", true, COMMAND_AUTH_SECRET, out), NULL));
	CU_ASSERT(is(user("*", true, COMMAND_AUTH_USER, out), NULL));
	/* no second NUL: what follows the first may be the password */
	CU_ASSERT(is(user("PLAIN dXNlcgBwYXNz", false, 0, out), NULL));
	CU_ASSERT(is(user("PLAIN cGFzcw==", false, 0, out), NULL));
	static char big[8193];
	memset(big, 'A', sizeof big - 1);
	CU_ASSERT_EQUAL(command_base64(bytes_str(big), out, sizeof out), sizeof out);
}

TEST_MAIN("command", TEST(verbs), TEST(paths), TEST(params), TEST(h9_bdat_numbers),
	  TEST(auth_users))
