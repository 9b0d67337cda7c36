/* Every question gets the one answer that a server with this master file alone would give. */
#include "tests/test.h"

#include "verify/dns/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct zone *zone_of(const char *text)
{
	struct zone *z = NULL;
	char why[300] = "";
	int rc = zone_parse(&z, bytes_str(text), "text", why, sizeof why);
	CU_ASSERT_EQUAL_FATAL(rc, 0);
	return z;
}

static const struct answer *ask(const struct zone *z, const char *name, uint16_t type)
{
	struct question q = { .type = type, .len = (uint8_t)strlen(name) };
	memcpy(q.name, name, strlen(name) + 1);
	const struct answer *a = zone_answer(z, &q);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	return a;
}

/* "=a|b" for the records of an answer with data, else the name of its status. */
static const char *say(const struct answer *a)
{
	static char out[70000];
	static const char *const status[] = { "=", "nodata", "nxdomain", "servfail", "timeout" };
	snprintf(out, sizeof out, "%s", status[a->status]);
	size_t n = strlen(out);
	for (unsigned i = 0; i < a->n; i++) {
		if (i)
			out[n++] = '|';
		memcpy(out + n, a->rr[i].data.p, a->rr[i].data.n);
		n += a->rr[i].data.n;
		out[n] = 0;
	}
	return out;
}

struct want {
	const char *name;
	uint16_t type;
	const char *answer;
};

static void check(const struct zone *z, const struct want *want, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *got = say(ask(z, want[i].name, want[i].type));
		if (strcmp(got, want[i].answer) != 0)
			printf("\n%s %u: %s, not %s\n", want[i].name, want[i].type, got,
			       want[i].answer);
		CU_ASSERT_STRING_EQUAL(got, want[i].answer);
	}
}

#define CHECK(z, want) check(z, want, sizeof want / sizeof want[0])

static void master_file(void)
{
	struct zone *z = zone_of("; nothing\n"
				 "bare TXT x\n"
				 "$TTL 77\n"
				 "$ORIGIN Example.ORG.\n"
				 "@ IN TXT \"v=spf1\" \" -all\" ; joined\n"
				 "  MX 10 mx\n"
				 " 300 IN A 65.66.67.68\n"
				 "s._domainkey ( TXT \"one\"\n\t\"two\" ) ; behind\n"
				 "   TXT \"three\\;f\\\"g\\065\"\n"
				 "   TXT \"three\\;f\\\"g\\065\"\n"
				 "\n"
				 "other.root. 5 AAAA 4142:4344::\n"
				 "68.67.66.65.in-addr.arpa. PTR Host.example.org.\n"
				 "empty TXT \"\"\n"
				 "odd TYPE65280 \\# 2 0102\n"
				 "a\\.b TXT escaped\n"
				 "last TXT end");
	static const struct want want[] = {
		{ "bare", 16, "=x" },
		{ "example.org", 16, "=v=spf1 -all" },
		{ "example.org", 15, "=" }, /* begins with NUL: looked at below */
		{ "example.org", 1, "=ABCD" },
		{ "EXAMPLE.org", 1, "=ABCD" },
		{ "example.org", 28, "nodata" },
		{ "example.org", 99, "nodata" },
		{ "example.org", 5, "nodata" },
		{ "s._domainkey.example.org", 16, "=onetwo|three;f\"gA" },
		{ "_domainkey.example.org", 16, "nodata" },
		{ "org", 16, "nodata" },
		{ "", 16, "nodata" },
		{ "other.root", 28, "=ABCD" },
		{ "68.67.66.65.in-addr.arpa", 12,
		  "=\x04Host\x07"
		  "example\x03"
		  "org" },
		{ "empty.example.org", 16, "=" },
		{ "odd.example.org", 16, "nodata" },
		{ "a.b.example.org", 16, "nxdomain" },
		{ "b.example.org", 16, "nxdomain" },
		{ "last.example.org", 16, "=end" },
		{ "example.com", 16, "nxdomain" },
		{ "com", 16, "nxdomain" },
	};
	CHECK(z, want);
	const struct answer *mx = ask(z, "example.org", QUESTION_MX);
	static const uint8_t rdata[] = "\0\x0a\2mx\7Example\3ORG";
	CU_ASSERT_TRUE(mx->n == 1 && bytes_equal(mx->rr[0].data, bytes_of(rdata, sizeof rdata)));
	CU_ASSERT_EQUAL(mx->ttl_s, 77);
	CU_ASSERT_EQUAL(ask(z, "example.org", QUESTION_A)->ttl_s, 300);
	CU_ASSERT_EQUAL(ask(z, "empty.example.org", QUESTION_TXT)->n, 1);
	CU_ASSERT_FALSE(mx->secure);
	zone_free(z);
}

/* RFC 4592 2.2.1 has this zone and these questions. */
static void wildcards(void)
{
	struct zone *z = zone_of("$ORIGIN example.\n"
				 "@ 3600 NS ns.example.com.\n"
				 "*.example. 3600 TXT \"this is a wildcard\"\n"
				 "*.example. 3600 MX 10 host1.example.\n"
				 "sub.*.example. 3600 TXT \"this is not a wildcard\"\n"
				 "host1.example. 3600 A 65.65.65.65\n"
				 "_ssh._tcp.host1.example. 3600 SRV 0 0 0 .\n"
				 "_ssh._tcp.host2.example. 3600 SRV 0 0 0 .\n"
				 "subdel.example. 3600 NS ns.example.com.\n"
				 "*.w.example. CNAME host1.example.\n");
	static const struct want want[] = {
		{ "host3.example", 16, "=this is a wildcard" },
		{ "foo.bar.example", 16, "=this is a wildcard" },
		{ "host3.example", 1, "nodata" },
		{ "host1.example", 16, "nodata" },
		{ "host1.example", 15, "nodata" },
		{ "sub.*.example", 16, "=this is not a wildcard" },
		{ "*.example", 16, "=this is a wildcard" },
		{ "x.*.example", 16, "nxdomain" },
		{ "_telnet._tcp.host1.example", 16, "nxdomain" },
		{ "ghost.*.example", 15, "nxdomain" },
		{ "_tcp.host2.example", 16, "nodata" },
		{ "host2.example", 16, "nodata" }, /* an empty non-terminal stops the wildcard */
		{ "a.host2.example", 16, "nxdomain" },
		{ "a.b.w.example", 1, "=AAAA" },
		{ "a.b.w.example", 16, "nodata" },
		{ "w.example", 16, "nodata" },
		{ "example", 16, "nodata" },
		{ "examples", 16, "nxdomain" },
	};
	CHECK(z, want);
	zone_free(z);
}

static void cnames(void)
{
	char text[4096] = "$TTL 50\n"
			  "data 30 TXT found\n"
			  "a 40 CNAME b\n"
			  "b 20 CNAME data\n"
			  "b 20 CNAME DATA\n"
			  "gone CNAME nowhere\n"
			  "self CNAME self\n"
			  "l1 CNAME l2\nl2 CNAME l1\n"
			  "wild CNAME x.any\n*.any TXT any\n"
			  "tofail CNAME failing\n;ERROR,failing,TXT,TIMEOUT\n"
			  "c0 TXT end\n";
	size_t n = strlen(text);
	for (int i = 1; i <= ZONE_CHAIN_MAX + 1; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "c%d CNAME c%d\n", i, i - 1);
	struct zone *z = zone_of(text);
	static const struct want want[] = {
		{ "a", 16, "=found" },       { "a", 1, "nodata" },
		{ "a", 5, "nodata" },        { "gone", 16, "nxdomain" },
		{ "self", 16, "servfail" },  { "l1", 1, "servfail" },
		{ "wild", 16, "=any" },      { "wild", 15, "nodata" },
		{ "tofail", 16, "timeout" }, { "tofail", 1, "nxdomain" },
		{ "c11", 16, "=end" },       { "c12", 16, "servfail" },
	};
	CHECK(z, want);
	CU_ASSERT_EQUAL(ask(z, "a", QUESTION_TXT)->ttl_s, 20);
	CU_ASSERT_EQUAL(ask(z, "data", QUESTION_TXT)->ttl_s, 30);
	zone_free(z);
}

static void errors(void)
{
	struct zone *z = zone_of("$ORIGIN example.\n"
				 ";ERROR,t.example,TXT,TIMEOUT\r\n"
				 ";ERROR, S.Example. , TXT , servfail\n"
				 ";ERROR,x.example,A,NXDOMAIN\n"
				 ";ERROR,x.example,AAAA,NODATA\n"
				 ";ERROR,*.w.example,TXT,TIMEOUT\n"
				 ";ERROR,q.example,SRV,TIMEOUT\n"
				 "; ERROR,c.example,TXT,TIMEOUT is a comment\n"
				 "x TXT x\n"
				 "x A 1.2.3.4\n"
				 "y.x TXT y\n"
				 "a.w A 1.2.3.4\n"
				 ";ERROR,t.v.example,TXT,TIMEOUT\n"
				 "*.v A 65.66.67.68\n"
				 "c TXT c\n"
				 ";ERROR,l.c.example,TXT,SERVFAIL");
	static const struct want want[] = {
		{ "t.example", 16, "timeout" },
		{ "t.example", 1, "nxdomain" },
		{ "u.t.example", 16, "nxdomain" },
		{ "s.example", 16, "servfail" },
		{ "x.example", 16, "=x" },
		{ "x.example", 1, "nxdomain" },
		{ "x.example", 28, "nodata" },
		{ "y.x.example", 16, "=y" },
		{ "b.w.example", 16, "timeout" },
		{ "b.w.example", 1, "nxdomain" },
		{ "t.v.example", 16, "timeout" },
		{ "x.t.v.example", 1, "=ABCD" }, /* an ERROR line makes no name */
		{ "t.v.example", 1, "=ABCD" },
		{ "a.w.example", 16, "nodata" },
		{ "c.example", 16, "=c" },
		{ "l.c.example", 16, "servfail" },
		{ "q.example", 16, "nxdomain" },
	};
	CHECK(z, want);
	zone_free(z);
}

static void names_that_cannot_be(void)
{
	struct zone *z = zone_of("*. TXT any\n");
	char label[70], name[QUESTION_NAME_MAX + 1];
	memset(label, 'a', sizeof label);
	CU_ASSERT_STRING_EQUAL(say(ask(z, "a", 16)), "=any");
	CU_ASSERT_STRING_EQUAL(say(ask(z, "a..b", 16)), "nxdomain");
	CU_ASSERT_STRING_EQUAL(say(ask(z, ".b", 16)), "nxdomain");
	label[63] = 0;
	CU_ASSERT_STRING_EQUAL(say(ask(z, label, 16)), "=any");
	label[63] = 'a';
	label[64] = 0;
	CU_ASSERT_STRING_EQUAL(say(ask(z, label, 16)), "nxdomain");
	for (size_t i = 0; i < sizeof name; i++)
		name[i] = i % 2 ? '.' : 'a';
	name[253] = 0; /* 255 octets on the wire */
	CU_ASSERT_STRING_EQUAL(say(ask(z, name, 16)), "=any");
	name[253] = '.', name[254] = 'a', name[255] = 0;
	CU_ASSERT_STRING_EQUAL(say(ask(z, name, 16)), "nxdomain");
	zone_free(z);
}

static void h4_txt_of_49_strings_is_joined(void)
{
	char *text = malloc(20000), *want = malloc(20000);
	CU_ASSERT_TRUE_FATAL(text && want);
	size_t n = (size_t)sprintf(text, "key TXT"), len = 0;
	for (int i = 0; i < 49; i++) {
		n += (size_t)sprintf(text + n, " \"");
		for (int k = 0; k < 255; k++)
			text[n++] = want[len++] = (char)('a' + (i * 7 + k) % 26);
		n += (size_t)sprintf(text + n, "\"");
	}
	text[n] = 0, want[len] = 0;
	struct zone *z = zone_of(text);
	CU_ASSERT_STRING_EQUAL(say(ask(z, "key", 16)) + 1, want);
	zone_free(z);
	/* cut inside a tag, at every place */
	static const char record[] = "v=DKIM1; k=rsa; p=MIGf";
	for (int cut = 0; cut <= (int)sizeof record - 1; cut++) {
		sprintf(text, "key TXT \"%.*s\" \"%s\"\n", cut, record, record + cut);
		z = zone_of(text);
		CU_ASSERT_STRING_EQUAL(say(ask(z, "key", 16)) + 1, record);
		zone_free(z);
	}
	free(text);
	free(want);
}

static void h4_over_64_kib_is_servfail(void)
{
	char *text = malloc(200000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	for (int over = 0; over < 2; over++) {
		size_t n = 0;
		for (int i = 0; i < 256 + over; i++)
			n += (size_t)sprintf(text + n, "k TXT \"%0128d\" \"%0128d\"\n", i, i);
		struct zone *z = zone_of(text);
		const struct answer *a = ask(z, "k", 16);
		CU_ASSERT_EQUAL(a->status, over ? ANSWER_SERVFAIL : ANSWER_DATA);
		CU_ASSERT_EQUAL(a->n, over ? 0 : 256);
		zone_free(z);
	}
	free(text);
}

static void refused(void)
{
	static const struct {
		const char *text, *place, *cure;
	} cases[] = {
		{ "a TXT x\n\nb A 1.2.3\n", "f:3: ", "RFC 1035" },
		{ "a TXT x\n$INCLUDE other\n", "f:2: ", "$INCLUDE" },
		{ "a TXT ( x\n", "f:1: ", "parenthesis without" },
		{ "a TXT x )\n", "f:1: ", "not open" },
		{ "a TXT \"(;\\\"\" ; (\n\nb TXT \"x\n\"\n", "f:3: ", "second quote" },
		{ "a CH TXT x\n", "f:1: ", "class" },
		{ "a CNAME b\na CNAME c\n", "f:2: ", "second CNAME" },
		{ "a CNAME b\na TXT x\n", "f:2: ", "CNAME stands beside" },
		{ "\n;ERROR,a,TXT,FORMERR\n", "f:2: ", "TIMEOUT, SERVFAIL" },
		{ ";ERROR,a,TXT\n", "f:1: ", "TIMEOUT, SERVFAIL" },
		{ ";ERROR,a,TXT,TIMEOUT,x\n", "f:1: ", "TIMEOUT, SERVFAIL" },
		{ ";ERROR,a,NONE,TIMEOUT\n", "f:1: ", "unknown type" },
		{ ";ERROR,a..b,TXT,TIMEOUT\n", "f:1: ", "name" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct zone *z = NULL;
		char why[300] = "";
		int rc = zone_parse(&z, bytes_str(cases[i].text), "f", why, sizeof why);
		if (rc == 0 || !strstr(why, cases[i].cure) ||
		    strncmp(why, cases[i].place, strlen(cases[i].place)))
			printf("\n%s -> %d %s\n", cases[i].text, rc, why);
		CU_ASSERT_EQUAL(rc, -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, cases[i].cure));
		CU_ASSERT_EQUAL(strncmp(why, cases[i].place, strlen(cases[i].place)), 0);
		CU_ASSERT_PTR_NULL(z);
	}
}

/* A cut file is an error or another zone, never a read behind the end. */
static void cut_everywhere(void)
{
	static const char text[] = "$ORIGIN e.\n;ERROR,f.e,TXT,TIMEOUT\na ( TXT \"x\"\n \"y\" )\n"
				   "*.w 3 CNAME a\nm MX 5 a\n";
	for (size_t n = 0; n < sizeof text; n++) {
		uint8_t *p = test_guard(text, n);
		struct zone *z = NULL;
		char why[100];
		if (zone_parse(&z, bytes_of(p, n), "cut", why, sizeof why) == 0)
			ask(z, "x.w.e", 16);
		zone_free(z);
		test_guard_free(p, n);
	}
}

static void many_names(void)
{
	enum { NAMES = 20000 };
	char *text = malloc(NAMES * 40);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	size_t n = 0;
	for (int i = 0; i < NAMES; i++)
		n += (size_t)sprintf(text + n, "s%d.k.d%d.example. TXT t%d\n", i, i % 100, i);
	struct zone *z = zone_of(text);
	for (int i = 0; i < NAMES; i++) {
		char name[64], want[16];
		sprintf(name, "s%d.k.d%d.example", i, i % 100);
		sprintf(want, "=t%d", i);
		CU_ASSERT_STRING_EQUAL(say(ask(z, name, 16)), want);
	}
	CU_ASSERT_STRING_EQUAL(say(ask(z, "s1.k.d2.example", 16)), "nxdomain");
	zone_free(z);
	free(text);
}

static void files(void)
{
	struct zone *z = NULL;
	char why[300] = "", path[] = "/tmp/test_zone.XXXXXX";
	CU_ASSERT_EQUAL(zone_load(&z, "/nowhere/zone", why, sizeof why), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nowhere/zone: No such file"));
	CU_ASSERT_EQUAL(zone_load(&z, "/tmp", why, sizeof why), -EIO);
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0 && write(fd, "a TXT x\n", 8) == 8);
	close(fd);
	CU_ASSERT_EQUAL_FATAL(zone_load(&z, path, why, sizeof why), 0);
	CU_ASSERT_STRING_EQUAL(say(ask(z, "a", 16)), "=x");
	zone_free(z);
	CU_ASSERT_EQUAL_FATAL(truncate(path, 0), 0);
	CU_ASSERT_EQUAL_FATAL(zone_load(&z, path, why, sizeof why), 0);
	CU_ASSERT_STRING_EQUAL(say(ask(z, "a", 16)), "nxdomain");
	zone_free(z);
	zone_free(NULL);
	unlink(path);
}

TEST_MAIN("zone", TEST(master_file), TEST(wildcards), TEST(cnames), TEST(errors),
	  TEST(names_that_cannot_be), TEST(h4_txt_of_49_strings_is_joined),
	  TEST(h4_over_64_kib_is_servfail), TEST(refused), TEST(cut_everywhere), TEST(many_names),
	  TEST(files))
