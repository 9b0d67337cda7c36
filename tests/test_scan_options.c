/* The envelope on the command line is data, whatever it says; everything else is checked. */
#include "base/profile.h"
#include "control/scan_options.h"

#include <stdlib.h>

#include "tests/test.h"

static struct scan_options opt;
static char why[SCHEMA_WHY_MAX];

static int read_all(int argc, char **argv)
{
	config_fini(&opt.cfg);
	free(opt.input);
	while (opt.bare.rcpt) {
		struct message_rcpt *r = opt.bare.rcpt;
		opt.bare.rcpt = r->next;
		free(r);
	}
	memset(&opt, 0, sizeof opt);
	why[0] = 0;
	return scan_options_read(&opt, argc, argv, why, sizeof why);
}

#define READ(...) \
	read_all(sizeof((char *[]){ "scan", __VA_ARGS__ }) / sizeof(char *), \
		 (char *[]){ "scan", __VA_ARGS__ })

static void envelope(void)
{
	CU_ASSERT_EQUAL(READ("--client-ip", "192.0.2.1", "--helo", "h", "--mail-from", "<a@b>",
			     "--rcpt-to", "c@d", "--rcpt-to=<e@f>", "--raw", "x"),
			0);
	CU_ASSERT_TRUE(opt.bare.has_client && opt.bare.client.ip[15] == 1);
	CU_ASSERT_TRUE(opt.bare.has_helo && bytes_equal(opt.bare.helo, bytes_str("h")));
	CU_ASSERT_TRUE(bytes_equal(opt.bare.mail_from, bytes_str("a@b")));
	CU_ASSERT_EQUAL_FATAL(opt.bare.n_rcpt, 2);
	CU_ASSERT_TRUE(bytes_equal(opt.bare.rcpt->next->address, bytes_str("e@f")));
	CU_ASSERT_TRUE(opt.bare.raw);
	CU_ASSERT_EQUAL(
		READ("--client-ip", "?", "--helo", "", "--mail-from", "<>", "--rcpt-to", "<", "x"),
		0);
	CU_ASSERT_FALSE(opt.bare.has_client);
	CU_ASSERT_TRUE(opt.bare.has_helo && opt.bare.helo.n == 0);
	CU_ASSERT_TRUE(opt.bare.has_mail_from && opt.bare.mail_from.n == 0);
	CU_ASSERT_EQUAL(READ("x"), 0);
	CU_ASSERT_FALSE(opt.bare.has_mail_from || opt.bare.has_helo || opt.bare.has_client);
}

static void settings(void)
{
	CU_ASSERT_EQUAL(READ("a", "--dkim-min-bits", "2048", "b", "--now", "5", "--", "--c"), 0);
	CU_ASSERT_EQUAL_FATAL(opt.n_input, 3);
	CU_ASSERT_STRING_EQUAL(opt.input[2], "--c");
	CU_ASSERT_EQUAL(opt.cfg.profiles->dkim[0].min_bits, 2048);
	CU_ASSERT_EQUAL(opt.cfg.now_ns, 5000000000);
}

static void wrong(void)
{
	CU_ASSERT_EQUAL(READ("--raw"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "no input"));
	CU_ASSERT_EQUAL(READ("--format", "csv", "x"), -1);
	CU_ASSERT_EQUAL(READ("--cores", "65", "x"), -1);
	CU_ASSERT_EQUAL(READ("--cores", "", "x"), -1);
	CU_ASSERT_EQUAL(READ("--extract", "d", "--digest=false", "x"), -1);
	CU_ASSERT_EQUAL(READ("--smtp-ports", "110", "x"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "pop3_ports"));
	CU_ASSERT_EQUAL(READ("--interface", "eth0", "x"), -1);
}

TEST_MAIN("scan_options", TEST(envelope), TEST(settings), TEST(wrong))
