/* The registrable domain of a name is what the rules of the public suffix list say, and a tail of it. */
#include "tests/test.h"
#include "verify/dns/suffixes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIST "/usr/share/publicsuffix/public_suffix_list.dat"

static struct suffixes *load(const char *rules)
{
	char path[] = "/tmp/test_suffixes.XXXXXX", why[256];
	struct suffixes *s = NULL;
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_FATAL(write(fd, rules, strlen(rules)) == (ssize_t)strlen(rules));
	close(fd);
	CU_ASSERT_EQUAL_FATAL(suffixes_load(&s, path, why, sizeof why), 0);
	unlink(path);
	return s;
}

static void is(const struct suffixes *s, const char *name, const char *want)
{
	size_t n = strlen(name);
	uint8_t *p = test_guard(name, n);
	struct bytes found = suffixes_organization(s, bytes_of(p, n));
	if (!bytes_equal(found, bytes_str(want)))
		printf("\n%s: %.*s, not %s\n", name, (int)found.n, (const char *)found.p, want);
	CU_ASSERT(bytes_equal(found, bytes_str(want)));
	CU_ASSERT(found.n == 0 || found.p + found.n == p + n);
	test_guard_free(p, n);
}

/* Each kind of rule of publicsuffix.org: plain, wildcard, exception, none; IDN as A-labels. */
static void g9_rules(void)
{
	struct suffixes *s =
		load("// a list\n\ncom\nuk\nco.uk\n*.ck\n!www.ck\n*.kawasaki.jp\njp\n"
		     "!city.kawasaki.jp\nblog.com // a company\n\xe5\x85\xac\xe5\x8f\xb8.cn\ncn\n");
	CU_ASSERT_EQUAL(suffixes_count(s), 11);
	is(s, "com", "");
	is(s, "example.com", "example.com");
	is(s, "a.b.example.com", "example.com");
	is(s, "blog.com", "");
	is(s, "a.blog.com", "a.blog.com");
	is(s, "x.a.blog.com", "a.blog.com");
	is(s, "co.uk", "");
	is(s, "example.co.uk", "example.co.uk");
	is(s, "b.example.co.uk", "example.co.uk");
	is(s, "example.uk", "example.uk");
	/* the wildcard, and what it does not cover */
	is(s, "ck", "");
	is(s, "test.ck", "");
	is(s, "b.test.ck", "b.test.ck");
	is(s, "a.b.test.ck", "b.test.ck");
	is(s, "www.ck", "www.ck");
	is(s, "www.www.ck", "www.ck");
	is(s, "c.kawasaki.jp", "");
	is(s, "b.c.kawasaki.jp", "b.c.kawasaki.jp");
	is(s, "city.kawasaki.jp", "city.kawasaki.jp");
	is(s, "a.city.kawasaki.jp", "city.kawasaki.jp");
	/* right under a wildcard no rule matches but jp */
	is(s, "kawasaki.jp", "kawasaki.jp");
	/* no rule: one label is the suffix */
	is(s, "example", "");
	is(s, "example.example", "example.example");
	is(s, "b.example.example", "example.example");
	is(s, "xn--55qx5d.cn", "");
	is(s, "a.b.xn--55qx5d.cn", "b.xn--55qx5d.cn");
	suffixes_free(s);
}

static void g9_odd_names(void)
{
	static const char label[] = "0123456789.";
	char longest[256];
	struct suffixes *s = load("com\n");
	for (unsigned i = 0; i < sizeof longest; i++)
		longest[i] = label[i % 11];
	memcpy(longest + 249, ".com", 5);
	is(s, longest, longest + 242);
	memcpy(longest + 250, ".com", 5);
	is(s, longest, "");
	is(s, "", "");
	is(s, "_dmarc.example.com", "example.com");
	is(s, "zero_pct.com", "zero_pct.com");
	suffixes_free(s);
}

/* What is no list is refused with the line, and nothing is given. */
static void g9_bad_files(void)
{
	static const struct {
		const char *text;
		int err;
		const char *why;
	} rows[] = {
		{ "", -EINVAL, "no rule" },
		{ "// nothing\n", -EINVAL, "no rule" },
		{ "com\n<html>\n", -EINVAL, ":2:" },
		{ "com\nroot:x:0:0\n", -EINVAL, ":2:" },
	};
	struct suffixes *none = (struct suffixes *)&none;
	char why[256];
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char path[] = "/tmp/test_suffixes.XXXXXX";
		int fd = mkstemp(path);
		struct suffixes *s = none;
		CU_ASSERT_FATAL(write(fd, rows[i].text, strlen(rows[i].text)) >= 0);
		close(fd);
		CU_ASSERT_EQUAL(suffixes_load(&s, path, why, sizeof why), rows[i].err);
		CU_ASSERT(s == none);
		CU_ASSERT(strstr(why, path) && strstr(why, rows[i].why));
		unlink(path);
	}
	CU_ASSERT_EQUAL(suffixes_load(&none, "/nowhere/list", why, sizeof why), -ENOENT);
	CU_ASSERT(strstr(why, "/nowhere/list") != NULL);
	CU_ASSERT_EQUAL(suffixes_load(&none, "/tmp", why, sizeof why), -EISDIR);
	suffixes_free(NULL);
}

/* Debian's list, which is the default. */
static void g9_default_list(void)
{
	struct suffixes *s = NULL;
	char why[256];
	CU_ASSERT_EQUAL_FATAL(suffixes_load(&s, LIST, why, sizeof why), 0);
	CU_ASSERT(suffixes_count(s) > 5000);
	is(s, "mail.example.co.uk", "example.co.uk");
	is(s, "foo.cacophony.za.org", "cacophony.za.org");
	is(s, "b.compute.amazonaws.com", "");
	is(s, "a.b.compute.amazonaws.com", "a.b.compute.amazonaws.com");
	is(s, "compute.amazonaws.com", "amazonaws.com");
	is(s, "bzz.dapps.earth", "");
	is(s, "dapps.earth", "dapps.earth");
	is(s, "city.kobe.jp", "city.kobe.jp");
	suffixes_free(s);
}

TEST_MAIN("suffixes", TEST(g9_rules), TEST(g9_odd_names), TEST(g9_bad_files), TEST(g9_default_list))
