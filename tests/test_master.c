/* A master file is read as its records, with the line of each, or refused with the line that is wrong. */
#include "tests/test.h"

#include "verify/dns/master.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct want {
	const char *name; /* wire form without its last octet */
	uint16_t type;
	uint32_t ttl_s;
	int line;
	const char *data;
	size_t len;
};

static void records(void)
{
	static const char text[] = "; nothing\n"
				   ";ERROR,x.y,TXT,SERVFAIL\n"
				   "bare TXT x\n"
				   "$TTL 77\n"
				   "$ORIGIN Example.ORG.\n"
				   "@ IN TXT \"v=spf1\" \" -all\" ; joined\n"
				   "  MX 10 mx\n"
				   "w ( TXT \"one\"\n\t\"t;wo\" ) ; behind\n"
				   "\n"
				   "   5 A 65.66.67.68\n"
				   "a\\.b TXT \"\\065\\\"\" \"\"\n"
				   "n CNAME Target\n"
				   "o TYPE65280 \\# 2 4142\n"
				   ";ERROR, Z. , aaaa , timeout\r\n"
				   "other.root. TXT \"(\"";
	static const struct want want[] = {
		{ "\4bare", 16, 3600, 3, "x", 1 },
		{ "\7example\3org", 16, 77, 6, "v=spf1 -all", 11 },
		{ "\7example\3org", 15, 77, 7, "\0\12\2mx\7Example\3ORG\0", 18 },
		{ "\1w\7example\3org", 16, 77, 8, "onet;wo", 7 },
		{ "\1w\7example\3org", 1, 5, 11, "ABCD", 4 },
		{ "\3a.b\7example\3org", 16, 77, 12, "A\"", 2 },
		{ "\1n\7example\3org", 5, 77, 13, "\6Target\7Example\3ORG\0", 20 },
		{ "\1o\7example\3org", 65280, 77, 14, "AB", 2 },
		{ "\5other\4root", 16, 77, 16, "(", 1 },
	};
	struct master *m = NULL;
	struct master_record r;
	char why[200] = "";
	CU_ASSERT_EQUAL_FATAL(master_open(&m, bytes_str(text), "f", why, sizeof why), 0);
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		const struct want *w = &want[i];
		CU_ASSERT_EQUAL_FATAL(master_next(m, &r), 1);
		CU_ASSERT_TRUE(bytes_equal(bytes_of(r.name, r.name_len),
					   bytes_of(w->name, strlen(w->name) + 1)));
		CU_ASSERT_EQUAL(r.type, w->type);
		CU_ASSERT_EQUAL(r.ttl_s, w->ttl_s);
		if (r.line != w->line)
			printf("\nrecord %zu on line %d, not %d\n", i, r.line, w->line);
		CU_ASSERT_EQUAL(r.line, w->line);
		CU_ASSERT_FALSE(r.fails);
		CU_ASSERT_TRUE(bytes_equal(r.data, bytes_of(w->data, w->len)));
	}
	CU_ASSERT_EQUAL(master_next(m, &r), 1);
	CU_ASSERT_TRUE(r.fails && r.status == ANSWER_SERVFAIL && r.type == 16 && r.line == 2);
	CU_ASSERT_TRUE(bytes_equal(bytes_of(r.name, r.name_len), bytes_of("\1x\1y", 5)));
	CU_ASSERT_EQUAL(master_next(m, &r), 1);
	CU_ASSERT_TRUE(r.fails && r.status == ANSWER_TIMEOUT && r.type == 28 && r.line == 15);
	CU_ASSERT_EQUAL(master_next(m, &r), 0);
	CU_ASSERT_EQUAL(master_next(m, &r), 0);
	master_close(m);
	master_close(NULL);
}

static void refused(void)
{
	static const struct {
		const char *text, *place, *cure;
	} cases[] = {
		{ "a TXT x\n\nb A 1.2.3\n", "f:3: ", "RFC 1035" },
		{ "a TXT x\n$INCLUDE other\n", "f:2: ", "$INCLUDE" },
		{ "a TXT (x\n\n y) ; c\n ; d\n\n ; e\n(b\n\nA 1.2.3)\n\n", "f:7: ", "RFC 1035" },
		{ "a TXT x\ngarbage here\n", "f:2: ", "RFC 1035" },
		{ "a CH TXT x\n", "f:1: ", "class" },
		{ "a TXT ( x\n", "f:1: ", "parenthesis without" },
		{ "a TXT x )\n", "f:1: ", "not open" },
		{ "a TXT \"(;\\\"\" ; (\n\nb TXT \"x\n\"\n", "f:3: ", "second quote" },
		{ ";ERROR,a,TXT,FORMERR\n", "f:1: ", "TIMEOUT, SERVFAIL" },
		{ ";ERROR,a,TXT\n", "f:1: ", "TIMEOUT, SERVFAIL" },
		{ "\n;ERROR,a,TXT,TIMEOUT,x\n", "f:2: ", "TIMEOUT, SERVFAIL" },
		{ ";ERROR,a,NOTYPE,TIMEOUT\n", "f:1: ", "unknown type" },
		{ ";ERROR,a,ATYPEOFALONGNAME,TIMEOUT\n", "f:1: ", "unknown type" },
		{ ";ERROR,a..b,TXT,TIMEOUT\n", "f:1: ", "name" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct master *m = NULL;
		struct master_record r;
		char why[300] = "";
		int rc = master_open(&m, bytes_str(cases[i].text), "f", why, sizeof why);
		while (rc == 0 && (rc = master_next(m, &r)) > 0)
			rc = 0;
		if (rc == 0 || !strstr(why, cases[i].cure))
			printf("\n%s -> %d %s\n", cases[i].text, rc, why);
		CU_ASSERT_EQUAL(rc, -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, cases[i].cure));
		CU_ASSERT_EQUAL(strncmp(why, cases[i].place, strlen(cases[i].place)), 0);
		master_close(m);
	}
}

static void names(void)
{
	static const struct {
		const char *text, *wire; /* without its last octet; NULL: no such name */
	} cases[] = {
		{ "", "" },
		{ ".", "" },
		{ "a", "\1a" },
		{ "A.Bc.", "\1a\2bc" },
		{ "_x.*.d", "\2_x\1*\1d" },
		{ ".a", NULL },
		{ "a..b", NULL },
		{ "a..", NULL },
	};
	uint8_t wire[MASTER_NAME_MAX];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t n = master_name(wire, cases[i].text, strlen(cases[i].text));
		struct bytes want = { 0 };
		if (cases[i].wire)
			want = bytes_of(cases[i].wire, strlen(cases[i].wire) + 1);
		CU_ASSERT_TRUE(bytes_equal(bytes_of(wire, n), want));
	}
	char text[300];
	memset(text, 'a', sizeof text);
	CU_ASSERT_EQUAL(master_name(wire, text, 63), 65);
	CU_ASSERT_EQUAL(master_name(wire, text, 64), 0);
	for (size_t i = 1; i < sizeof text; i += 2)
		text[i] = '.';
	CU_ASSERT_EQUAL(master_name(wire, text, 253), 255);
	CU_ASSERT_EQUAL(master_name(wire, text, 255), 0);
}

/* A cut file is an error or fewer records, never a read behind the end. */
static void cut_everywhere(void)
{
	static const char text[] =
		"$ORIGIN e.\n;ERROR,f.e,TXT,TIMEOUT\na ( TXT \"x\"\n \"y\\\"\" )\n"
		"*.w 3 CNAME a\nm MX 5 a\nx TYPE65280 \\# 2 0102\n";
	for (size_t n = 0; n < sizeof text; n++) {
		uint8_t *p = test_guard(text, n);
		struct master *m = NULL;
		struct master_record r;
		char why[100] = "";
		unsigned got = 0;
		int rc = master_open(&m, bytes_of(p, n), "cut", why, sizeof why);
		while (rc == 0 && (rc = master_next(m, &r)) > 0)
			rc = 0, got++;
		CU_ASSERT(got <= 5 && (rc == 0 || why[0]));
		master_close(m);
		test_guard_free(p, n);
	}
}

TEST_MAIN("master", TEST(records), TEST(refused), TEST(names), TEST(cut_everywhere))
