/* A setting makes a resolver that asks those servers, or one line that says what is wrong with it. */
#include "tests/test.h"

#include "verify/dns/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unbound.h>
#include <unistd.h>

static const char *anchor; /* of the next: cfg.dns_trust_anchor */

static int make(const char *dns, char why[300])
{
	struct config cfg = { .dns_cache_ttl_max_s = 3600 };
	snprintf(cfg.dns_trust_anchor, sizeof cfg.dns_trust_anchor, "%s", anchor ? anchor : "");
	struct ub_ctx *ub = NULL;
	snprintf(cfg.dns, sizeof cfg.dns, "%s", dns);
	why[0] = 0;
	int rc = upstream_new(&ub, &cfg, why, 300);
	CU_ASSERT_EQUAL(rc == 0, ub != NULL);
	if (ub)
		ub_ctx_delete(ub);
	return rc;
}

static void refused(void)
{
	static const struct {
		const char *dns, *why;
	} bad[] = {
		{ "", "is no IP address" },
		{ "localhost", "\"localhost\" is no IP address; give none, system, IP" },
		{ "1.2.3", "is no IP address" },
		{ "1.2.3.4@", "1 to 65535" },
		{ "1.2.3.4@0", "1 to 65535" },
		{ "1.2.3.4@65536", "1 to 65535" },
		{ "1.2.3.4@99999999999999999999", "1 to 65535" },
		{ "1.2.3.4@53x", "1 to 65535" },
		{ "1.2.3.4@-1", "1 to 65535" },
		{ "1.2.3.4@ 53", "1 to 65535" },
		{ "1.2.3.4:53", "is no IP address" },
		{ "1.2.3.4,", "is no IP address" },
		{ "1.2.3.4,,1.2.3.5", "is no IP address" },
		{ "[::1", "is no IP address" },
		{ "[]", "is no IP address" },
		{ "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
		  "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.2",
		  "\"1.1.1.2\" is one server too many" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "is too long" },
	};
	char why[300];
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CU_ASSERT_EQUAL(make(bad[i].dns, why), -EINVAL);
		if (!strstr(why, bad[i].why))
			printf("\n%s: %s\n", bad[i].dns, why);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, bad[i].why));
		CU_ASSERT_PTR_NULL(strchr(why, '\n'));
	}
}

static void taken(void)
{
	static const char *const good[] = { "127.0.0.1",
					    "127.0.0.1@5353",
					    "::1",
					    "::1@5353",
					    "[::1]",
					    "[2001:db8:1:2:3:4:5:6]@65535",
					    "[::1]@1,127.0.0.1,::1" };
	char why[300];
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (make(good[i], why) != 0)
			printf("\n%s: %s\n", good[i], why);
		CU_ASSERT_EQUAL(make(good[i], why), 0);
	}
	/* a machine may have no resolv.conf: then the line says so */
	int rc = make("system", why);
	CU_ASSERT(rc == 0 || (access("/etc/resolv.conf", R_OK) != 0 && strstr(why, "resolv.conf")));
}

static void anchors(void)
{
	static const struct {
		const char *text, *why; /* why NULL: taken */
	} rows[] = {
		{ ". IN DS 20326 8 2 "
		  "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n",
		  NULL },
		{ "; only a comment\n", "holds none; give a file of DS or DNSKEY records" },
		{ "", "holds none" },
		{ "a. IN TXT x\n", "holds none" },
		{ ". IN DS what\n", "holds none" },
		{ "a. IN DS 1 8 2 "
		  "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\nb. IN DS "
		  "what\n",
		  "dns.trust_anchor must hold DS or DNSKEY records" },
	};
	char why[300];
	anchor = "/nowhere/file";
	CU_ASSERT_EQUAL(make("127.0.0.1", why), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "dns.trust_anchor: /nowhere/file: No such file"));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char path[] = "/tmp/test_upstream.XXXXXX";
		int fd = mkstemp(path);
		ssize_t n = (ssize_t)strlen(rows[i].text);
		CU_ASSERT_FATAL(fd >= 0 && write(fd, rows[i].text, (size_t)n) == n);
		close(fd);
		anchor = path;
		int rc = make("127.0.0.1", why);
		if ((rc == 0) != !rows[i].why)
			printf("\n%s: %d %s\n", rows[i].text, rc, why);
		CU_ASSERT_EQUAL(rc == 0, !rows[i].why);
		CU_ASSERT(!rows[i].why || strstr(why, rows[i].why));
		CU_ASSERT_PTR_NULL(strchr(why, '\n'));
		unlink(path);
	}
	anchor = NULL;
}

TEST_MAIN("upstream", TEST(refused), TEST(taken), TEST(anchors))
