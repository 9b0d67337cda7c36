/* check_host() of RFC 7208: every scenario has the result, mechanism and words that are due, however its questions are answered. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/spf_case.h"
#include "tests/test.h"
#include "verify/dns/records.h"
#include "verify/auth/spf_reason.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

/* RFC 7208 appendix A, its zone and a record at a time. */
static const char appendix[] = "example.com. MX 10 mail-a.example.com.\n"
			       "example.com. MX 20 mail-b.example.com.\n"
			       "example.com. A 192.0.2.10\n"
			       "example.com. A 192.0.2.11\n"
			       "amy.example.com. A 192.0.2.65\n"
			       "bob.example.com. A 192.0.2.66\n"
			       "mail-a.example.com. A 192.0.2.129\n"
			       "mail-b.example.com. A 192.0.2.130\n"
			       "www.example.com. CNAME example.com.\n"
			       "example.org. MX 10 mail-c.example.org.\n"
			       "mail-c.example.org. A 192.0.2.140\n"
			       "10.2.0.192.in-addr.arpa. PTR example.com.\n"
			       "11.2.0.192.in-addr.arpa. PTR example.com.\n"
			       "65.2.0.192.in-addr.arpa. PTR amy.example.com.\n"
			       "66.2.0.192.in-addr.arpa. PTR bob.example.com.\n"
			       "129.2.0.192.in-addr.arpa. PTR mail-a.example.com.\n"
			       "130.2.0.192.in-addr.arpa. PTR mail-b.example.com.\n"
			       "140.2.0.192.in-addr.arpa. PTR mail-c.example.org.\n"
			       "4.0.0.10.in-addr.arpa. PTR bob.example.com.\n";

static void appendix_a1(void)
{
	static const struct {
		const char *record, *pass; /* the last parts of addresses in 192.0.2.0/24 */
	} rows[] = {
		{ "v=spf1 +all", "1 10 11 65 66 129 130 131 140 143 144 " },
		{ "v=spf1 a -all", "10 11 " },
		{ "v=spf1 a:example.org -all", "" },
		{ "v=spf1 mx -all", "129 130 " },
		{ "v=spf1 mx:example.org -all", "140 " },
		{ "v=spf1 mx mx:example.org -all", "129 130 140 " },
		{ "v=spf1 mx/30 mx:example.org/30 -all", "129 130 131 140 143 " },
		{ "v=spf1 ptr -all", "10 11 65 66 129 130 " },
		{ "v=spf1 ip4:192.0.2.128/28 -all", "129 130 131 140 143 " },
	};
	for (unsigned i = 0; i < N(rows); i++) {
		static const char *const last[] = { "1",   "10",  "11",  "65",  "66", "129",
						    "130", "131", "140", "143", "144" };
		char zone[4096], passed[128] = "";
		snprintf(zone, sizeof zone, "%sexample.com. TXT \"%s\"\n", appendix,
			 rows[i].record);
		struct lookup *l = lookup_new(zone);
		for (unsigned k = 0; k < N(last); k++) {
			char ip[20];
			snprintf(ip, sizeof ip, "192.0.2.%s", last[k]);
			struct spf_row row = { ip, "mail.example.com", "u@example.com" };
			const struct spf_result *r =
				spf_case_one(l, &spf_case_profile, SPF_MAILFROM, &row);
			CU_ASSERT(r->result == AUTH_PASS || r->result == AUTH_FAIL);
			if (r->result == AUTH_PASS)
				strcat(strcat(passed, last[k]), " ");
		}
		CU_ASSERT_STRING_EQUAL(passed, rows[i].pass);
		struct spf_row rogue = { "10.0.0.4", "bob.example.com", "u@example.com" };
		CU_ASSERT_EQUAL(spf_case_one(l, &spf_case_profile, SPF_MAILFROM, &rogue)->result ==
					AUTH_PASS,
				i == 0);
		lookup_free(l);
	}
}

static void appendix_a2_to_a4(void)
{
	static const char more[] =
		"example.com. TXT \"v=spf1 mx include:mobile-users._spf.%{d} "
		"include:remote-users._spf.%{d} -all\"\n"
		"mobile-users._spf.example.com. TXT \"v=spf1 exists:%{l1r+}.%{d}\"\n"
		"remote-users._spf.example.com. TXT \"v=spf1 exists:%{ir}.%{l1r+}.%{d}\"\n"
		"mary.mobile-users._spf.example.com. A 127.0.0.2\n"
		"fred.mobile-users._spf.example.com. A 127.0.0.2\n"
		"15.15.168.192.joel.remote-users._spf.example.com. A 127.0.0.2\n"
		"16.15.168.192.joel.remote-users._spf.example.com. A 127.0.0.2\n"
		"example.net. TXT \"v=spf1 ip4:198.51.100.1 -all\"\n"
		"example.org. TXT \"v=spf1 include:example.com include:example.net -all\"\n"
		"la.example.org. TXT \"v=spf1 redirect=example.org\"\n"
		"a4.example. TXT \"v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all\"\n"
		"ip4._spf.a4.example. TXT \"v=spf1 -ip4:192.0.2.0/24 +all\"\n"
		"ptr._spf.a4.example. TXT \"v=spf1 -ptr:example.com +all\"\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.129", "h.example", "x@example.org", "pass", "include:example.com" },
		{ "198.51.100.1", "h.example", "x@example.org", "pass", "include:example.net" },
		{ "198.51.100.2", "h.example", "x@example.org", "fail", "-all" },
		{ "198.51.100.1", "h.example", "x@la.example.org", "pass", "include:example.net" },
		{ "203.0.113.1", "h.example", "mary@example.com", "pass",
		  "include:mobile-users._spf.%{d}" },
		{ "203.0.113.1", "h.example", "mary+list@example.com", "pass",
		  "include:mobile-users._spf.%{d}" },
		{ "192.168.15.15", "h.example", "joel@example.com", "pass",
		  "include:remote-users._spf.%{d}" },
		{ "192.168.15.17", "h.example", "joel@example.com", "fail", "-all" },
		{ "192.0.2.65", "h.example", "x@a4.example", "pass", "+all" },
		{ "192.0.2.140", "h.example", "x@a4.example", "fail", "-include:ptr._spf.%{d}" },
		{ "198.51.100.9", "h.example", "x@a4.example", "fail", "-include:ip4._spf.%{d}" },
	};
	char zone[8192];
	snprintf(zone, sizeof zone, "%s%s", appendix, more);
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
}

/* Sections 4.3 to 4.5. */
static void f9_initial(void)
{
	static const char zone[] =
		"example.net. TXT \"v=spf1 -all exp=exp.example.net\"\n"
		"exp.example.net. TXT \"%{l}\"\n"
		"helo.example.net. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
		"two.example.net. TXT \"v=spf1 +all\"\n"
		"two.example.net. TXT \"v=spf1 ?all\"\n"
		"mixed.example.net. TXT \"V=sPf1 +all\"\n"
		"mixed.example.net. TXT \"v=spf1 -all\"\n"
		"others.example.net. TXT \"v=spf10 +all\"\n"
		"others.example.net. TXT \"v=spf1\"\n"
		"others.example.net. TXT \" v=spf1 +all\"\n"
		"others.example.net. TXT \"spf2.0/mfrom,pra +all\"\n"
		"others.example.net. TXT \"v=spf1+all\"\n"
		"others.example.net. TXT \"\\194\\150\"\n"
		"joined.example.net. TXT \"v=spf1 ip4:192.0\" \".2.5 -\" \"all\"\n"
		"glued.example.net. TXT \"v=spf1\" \"+all\"\n"
		"only.example.net. TXT \"just text\"\n"
		"nodata.example.net. A 192.0.2.1\n"
		"alias.example.net. CNAME helo.example.net.\n"
		"under_score.example.net. TXT \"v=spf1 +all\"\n"
		";ERROR,late.example.net,TXT,TIMEOUT\n"
		";ERROR,broken.example.net,TXT,SERVFAIL\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.1", "helo.example.net", "@example.net", "fail", "-all", NULL,
		  "postmaster" },
		{ "192.0.2.1", "helo.example.net", "", "pass", "ip4:192.0.2.1" },
		{ "192.0.2.2", "helo.example.net.", "", "fail", "-all" },
		{ "192.0.2.1", "h.example", "user@helo.example.net.", "pass", "ip4:192.0.2.1" },
		{ "192.0.2.1", "h.example", "\"a@b\"@helo.example.net", "pass", "ip4:192.0.2.1" },
		{ "192.0.2.1", "h.example", "user@alias.example.net", "pass", "ip4:192.0.2.1" },
		{ "192.0.2.1", "[192.0.2.1]", "", "none", NULL, "malformed" },
		{ "192.0.2.1", "localhost", "", "none", NULL, "malformed" },
		{ "192.0.2.1", "", "", "none", NULL, "malformed" },
		{ "192.0.2.1", "h.example", "user@[192.0.2.1]", "none", NULL, "malformed" },
		{ "192.0.2.1", "h.example", "user@a..example.net", "none", NULL, "malformed" },
		{ "192.0.2.1", "h.example", "user@.example.net", "none", NULL, "malformed" },
		{ "192.0.2.1", "h.example", "user@example.net..", "none", NULL, "malformed" },
		{ "192.0.2.1", "h.example", "user@", "none", NULL, "malformed" },
		{ "192.0.2.1", "h.example",
		  "u@a123456789012345678901234567890123456789012345678901234567890123.example.net",
		  "none", NULL, "malformed" },
		{ "192.0.2.1", "h.example", "u@gone.example.net", "none", NULL, "no_such_domain" },
		{ "192.0.2.1", "h.example", "u@nodata.example.net", "none", NULL, "no_record" },
		{ "192.0.2.1", "h.example", "u@only.example.net", "none", NULL, "no_record" },
		{ "192.0.2.1", "h.example", "u@glued.example.net", "none", NULL, "no_record" },
		{ "192.0.2.1", "h.example", "u@late.example.net", "temperror", NULL,
		  "dns_timeout" },
		{ "192.0.2.1", "h.example", "u@broken.example.net", "temperror", NULL,
		  "dns_failed" },
		{ "192.0.2.1", "h.example", "u@two.example.net", "permerror", NULL,
		  "several_records" },
		{ "192.0.2.1", "h.example", "u@mixed.example.net", "permerror", NULL,
		  "several_records" },
		{ "192.0.2.1", "h.example", "u@others.example.net", "neutral", "default" },
		{ "192.0.2.5", "h.example", "u@joined.example.net", "pass", "ip4:192.0.2.5" },
		{ "192.0.2.6", "h.example", "u@joined.example.net", "fail", "-all" },
		{ "192.0.2.6", "h.example", "u@under_score.example.net", "pass", "+all" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
	struct lookup *l = lookup_new(zone);
	const struct spf_result *r = spf_case_one(l, &spf_case_profile, SPF_MAILFROM, &rows[0]);
	CU_ASSERT(bytes_equal(r->sender, bytes_str("postmaster@example.net")));
	CU_ASSERT(bytes_equal(r->domain, bytes_str("example.net")));
	CU_ASSERT(bytes_equal(r->explained_by, bytes_str("example.net")));
	lookup_free(l);
}

/* Section 4.6 and 4.7. */
static void f9_evaluation(void)
{
	static const char zone[] =
		"t1.example. TXT \"v=spf1 ip4:192.0.2.1 -all moo\"\n"
		"t2.example. TXT \"v=spf1 moo.cow-far_out=man:dog/cat ip4:192.0.2.1 -all\"\n"
		"t3.example. TXT \"v=spf1 moo.cow/far_out=man:dog/cat ip4:192.0.2.1 -all\"\n"
		"t4.example. TXT \"v=spf1 moo.cow:far_out=man:dog/cat ip4:192.0.2.1 -all\"\n"
		"t5.example. TXT \"v=spf1 redirect=t5.example ~all\"\n"
		"t6.example. TXT \"v=spf1 ip4:192.0.2.1 redirect=t2.example\"\n"
		"t7.example. TXT \"v=spf1 ip4:192.0.2.9\"\n"
		"t8.example. TXT \"v=spf1 ip4:192.0.2.9 redirect:t2.example\"\n"
		"t9.example. TXT \"v=spf1 a:foo-bar -all\"\n"
		"t10.example. TXT \"v=spf1 a:mail.example...com -all\"\n"
		"t11.example. TXT \"v=spf1 "
		"a:a123456789012345678901234567890123456789012345678901234567890123.example.com "
		"-all\"\n"
		"t12.example. TXT \"v=spf1 a:%{H}.bar -all\"\n"
		"t13.example. TXT \"v=spf1 ?ip4:192.0.2.1 ~ip4:192.0.2.2 -ip4:192.0.2.3 "
		"+ip4:192.0.2.4\"\n"
		"t14.example. TXT \"V=SPF1 IP4:192.0.2.1 -ALL\"\n"
		"t15.example. TXT \"v=spf1 \\009-all\"\n"
		"t16.example. TXT \"v=spf1   ip4:192.0.2.1    \"\n"
		"t17.example. TXT \"v=spf1 -all all ip4:192.0.2.1 a:bad\"\n"
		"t18.example. TXT \"v=spf1 -all redirect=t2.example\"\n"
		"t19.example. TXT \"v=spf1 --all\"\n"
		"t20.example. TXT \"v=spf1 + all\"\n"
		"t21.example. TXT \"v=spf1 default=pass unknown=%{d}%{l1r-}\"\n"
		"t22.example. TXT \"v=spf1 a=b mx=c all=d include=%{d} -all\"\n"
		"t23.example. TXT \"v=spf1 -all\\000\"\n"
		"t24.example. TXT \"v=spf1 +all \\194\\150all\"\n"
		"t25.example. TXT \"v=spf1 =moo -all\"\n"
		"t26.example. TXT \"v=spf1 9=moo -all\"\n"
		"t27.example. TXT \"v=spf1 -foo=bar -all\"\n"
		"t28.example. TXT \"v=spf1 foo=%abc -all\"\n"
		"t29.example. TXT \"v=spf1 foo= -all\"\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.1", "h.example", "x@t1.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t2.example", "pass", "ip4:192.0.2.1" },
		{ "192.0.2.1", "h.example", "x@t3.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t4.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t5.example", "softfail", "~all" },
		{ "192.0.2.1", "h.example", "x@t6.example", "pass", "ip4:192.0.2.1" },
		{ "192.0.2.2", "h.example", "x@t6.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@t7.example", "neutral", "default" },
		{ "192.0.2.1", "h.example", "x@t8.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t9.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t10.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@t11.example", "fail", "-all" },
		{ "192.0.2.1", "%%%%%%%%%%%%%%%%%%%%%%", "x@t12.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@t13.example", "neutral", "?ip4:192.0.2.1" },
		{ "192.0.2.2", "h.example", "x@t13.example", "softfail", "~ip4:192.0.2.2" },
		{ "192.0.2.3", "h.example", "x@t13.example", "fail", "-ip4:192.0.2.3" },
		{ "192.0.2.4", "h.example", "x@t13.example", "pass", "+ip4:192.0.2.4" },
		{ "192.0.2.1", "h.example", "x@t14.example", "pass", "IP4:192.0.2.1" },
		{ "192.0.2.2", "h.example", "x@t14.example", "fail", "-ALL" },
		{ "192.0.2.1", "h.example", "x@t15.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t16.example", "pass", "ip4:192.0.2.1" },
		{ "192.0.2.1", "h.example", "x@t17.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t18.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@t19.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t20.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t21.example", "neutral", "default" },
		{ "192.0.2.1", "h.example", "x@t22.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@t23.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t24.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t25.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t26.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t27.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t28.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@t29.example", "fail", "-all" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
}

/* Section 6. */
static void f9_modifiers(void)
{
	static const char zone[] =
		"d.example. TXT \"v=spf1 exp=e.d.example -all\"\n"
		"e.d.example. TXT \"see \" \"%{d}\"\n"
		"r1.example. TXT \"v=spf1 exp=e.r1.example redirect=d.example\"\n"
		"e.r1.example. TXT \"not this\"\n"
		"r2.example. TXT \"v=spf1 redirect=gone.example\"\n"
		"r3.example. TXT \"v=spf1 redirect=r3.example redirect=d.example\"\n"
		"r4.example. TXT \"v=spf1 redirect\"\n"
		"r5.example. TXT \"v=spf1 redirect=\"\n"
		"r6.example. TXT \"v=spf1 exp=e.r1.example redirect=plain.example\"\n"
		"plain.example. TXT \"v=spf1 -all\"\n"
		"r7.example. TXT \"v=spf1 redirect=a..b.example\"\n"
		"r8.example. TXT \"v=spf1 REDIRECT=%{d2r}.e.example\"\n"
		"r8.example.e.example. TXT \"v=spf1 ~all\"\n"
		"example.r8.e.example. TXT \"v=spf1 +all\"\n"
		"r9.example. TXT \"v=spf1 redirect=late.example\"\n"
		"i1.example. TXT \"v=spf1 include:d.example -all exp=e.r1.example\"\n"
		"i2.example. TXT \"v=spf1 -include:pass.example exp=e.d.example\"\n"
		"i3.example. TXT \"v=spf1 include:d.example -all\"\n"
		"pass.example. TXT \"v=spf1 +all exp=e.r1.example\"\n"
		"x1.example. TXT \"v=spf1 -all exp=gone.example\"\n"
		"x2.example. TXT \"v=spf1 -all exp=late.example\"\n"
		"x3.example. TXT \"v=spf1 -all exp=two.example\"\n"
		"x4.example. TXT \"v=spf1 -all exp=wrong.example\"\n"
		"x5.example. TXT \"v=spf1 -all exp=high.example\"\n"
		"x6.example. TXT \"v=spf1 -all exp=\"\n"
		"x7.example. TXT \"v=spf1 exp=e.d.example -all exp=e.d.example\"\n"
		"x8.example. TXT \"v=spf1 -all exp=%{badmacro}\"\n"
		"x9.example. TXT \"v=spf1 ~all exp=e.d.example\"\n"
		"x10.example. TXT \"v=spf1 -all exp=long.example\"\n"
		"x11.example. TXT \"v=spf1 -all exp=all.example\"\n"
		"x12.example. TXT \"v=spf1 -all exp=void1.example\"\n"
		"x13.example. TXT \"v=spf1 -all exp=ctl.example\"\n"
		"x14.example. TXT \"v=spf1 -all exp=empty.example\"\n"
		"x15.example. TXT \"v=spf1 -all exp=%{l}.lp.example\"\n"
		"x16.example. TXT \"v=spf1 -all exp=e..x.example\"\n"
		"x17.example. TXT \"v=spf1 EXP=e.d.example -all\"\n"
		"joe.lp.example. TXT \"for joe.\"\n"
		"two.example. TXT \"one\"\n"
		"two.example. TXT \"two\"\n"
		"wrong.example. TXT \"%a is no macro\"\n"
		"high.example. TXT \"\\195\\188ber\"\n"
		"ctl.example. TXT \"a\\013\\010b\"\n"
		"empty.example. TXT \"\"\n"
		"all.example. TXT \"%{s} %{l} %{o} %{d} %{i} %{h} %{c} %{r} %{t} %{v} %% %_ %-\"\n"
		";ERROR,late.example,TXT,TIMEOUT\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.1", "h.example", "x@d.example", "fail", "-all", NULL, "see d.example" },
		{ "192.0.2.1", "h.example", "x@r1.example", "fail", "-all", NULL, "see d.example" },
		{ "192.0.2.1", "h.example", "x@r2.example", "permerror", NULL, "no_redirect" },
		{ "192.0.2.1", "h.example", "x@r3.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@r4.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@r5.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@r6.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@r7.example", "permerror", NULL, "no_redirect" },
		{ "192.0.2.1", "h.example", "x@r8.example", "pass", "+all" },
		{ "192.0.2.1", "h.example", "x@r9.example", "temperror", NULL, "dns_timeout" },
		{ "192.0.2.1", "h.example", "x@i1.example", "fail", "-all", NULL, "not this" },
		{ "192.0.2.1", "h.example", "x@i2.example", "fail", "-include:pass.example", NULL,
		  "see i2.example" },
		{ "192.0.2.1", "h.example", "x@i3.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@x1.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@x2.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@x3.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@x4.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@x5.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@x6.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@x7.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@x8.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@x9.example", "softfail", "~all" },
		{ "192.0.2.1", "helo.example", "joe@x11.example", "fail", "-all", NULL,
		  "joe@x11.example joe x11.example x11.example 192.0.2.1 helo.example 192.0.2.1 "
		  "mx.receiver.example 1795284000 in-addr %   %20" },
		{ "2001:db8::cb01", "helo.example", "joe@x11.example", "fail", "-all", NULL,
		  "joe@x11.example joe x11.example x11.example "
		  "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1 helo.example "
		  "2001:db8::cb01 mx.receiver.example 1795284000 ip6 %   %20" },
		{ "192.0.2.1", "h.example", "x@x12.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@x13.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@x14.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "joe@x15.example", "fail", "-all", NULL, "for joe." },
		{ "192.0.2.1", "h.example", "j\xc3\xb6@x15.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@x16.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@x17.example", "fail", "-all", NULL,
		  "see x17.example" },
		/* octets of mail never come out as they are */
		{ "192.0.2.1", "h\r\n250 ok", "\xc3\xb6\x01@x11.example", "fail", "-all", NULL,
		  "???@x11.example ??? x11.example x11.example 192.0.2.1 h??250 ok 192.0.2.1 "
		  "mx.receiver.example 1795284000 in-addr %   %20" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
}

/* Section 7 in whole checks; what each string becomes stands in test_spf_macro. */
static void f9_macros(void)
{
	static const char zone[] =
		"m1.example. TXT \"v=spf1 exists:%{i}.%{l2r-}.user.%{d2} -all\"\n"
		"192.0.2.3.gladstone.philip.user.m1.example. A 127.0.0.2\n"
		"m2.example. TXT \"v=spf1 a:%{a}.example -all\"\n"
		"m3.example. TXT \"v=spf1 exists:%(ir).example -all\"\n"
		"m4.example. TXT \"v=spf1 exists:%{c}.example -all\"\n"
		"m5.example. TXT \"v=spf1 exists:x.example.com% -all\"\n"
		"m6.example. TXT \"v=spf1 exists:%{d0}.example -all\"\n"
		"m7.example. TXT \"v=spf1 exists:%%%_%-.e.example -all\"\n"
		"m8.example. TXT \"v=spf1 exists:%{L}.e.example -all\"\n"
		"%\\032%20.e.example. A 127.0.0.2\n"
		"a%2Fb.e.example. A 127.0.0.2\n"
		"m9.example. TXT \"v=spf1 include:%{l}.e.example ?all\"\n"
		"m10.example. TXT \"v=spf1 redirect=%{l}.e.example\"\n"
		"m11.example. TXT \"v=spf1 exists:%{l}.e.example -all\"\n"
		"ok.e.example. TXT \"v=spf1 +all\"\n"
		"m12.example. TXT \"v=spf1 exists:%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}"
		".%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d} -all\"\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.3", "h.example", "philip-gladstone-test@m1.example", "pass",
		  "exists:%{i}.%{l2r-}.user.%{d2}" },
		{ "192.0.2.4", "h.example", "philip-gladstone-test@m1.example", "fail", "-all" },
		{ "192.0.2.3", "h.example", "x@m2.example", "permerror", NULL, "syntax" },
		{ "192.0.2.3", "h.example", "x@m3.example", "permerror", NULL, "syntax" },
		{ "192.0.2.3", "h.example", "x@m4.example", "permerror", NULL, "syntax" },
		{ "192.0.2.3", "h.example", "x@m5.example", "permerror", NULL, "syntax" },
		{ "192.0.2.3", "h.example", "x@m6.example", "permerror", NULL, "syntax" },
		{ "192.0.2.3", "h.example", "x@m7.example", "pass", "exists:%%%_%-.e.example" },
		{ "192.0.2.3", "h.example", "a/b@m8.example", "pass", "exists:%{L}.e.example" },
		{ "192.0.2.3", "h.example", "ok@m9.example", "pass", "include:%{l}.e.example" },
		{ "192.0.2.3", "h.example", "no@m9.example", "permerror", NULL, "no_include" },
		{ "192.0.2.3", "h.example", "ok@m10.example", "pass", "+all" },
		{ "192.0.2.3", "h.example", "x@m12.example", "fail", "-all" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
}

/* RFC 8616 section 4: U-labels are looked up, and stand in macros, as A-labels; what has a local part
 * that is not ASCII in it never matches. */
static void f14_internationalized(void)
{
	static const char zone[] =
		"xn--bcher-kva.example. TXT \"v=spf1 exists:%{d}.e.example exists:%{o}.f.example "
		"?exists:%{h}.g.example -all exp=why.example\"\n"
		"xn--bcher-kva.example.f.example. A 127.0.0.2\n"
		"xn--strae-oqa.example.g.example. A 127.0.0.2\n"
		"a.example. TXT \"v=spf1 ?exists:%{h}.g.example -all\"\n"
		"x.example. TXT \"v=spf1 -all exp=why.example\"\n"
		"why.example. TXT \"%{s} from %{o}\"\n"
		"l1.example. TXT \"v=spf1 include:%{l}.e.example ?all\"\n"
		"l2.example. TXT \"v=spf1 redirect=%{l}.e.example\"\n"
		"l3.example. TXT \"v=spf1 exists:%{l}.e.example a:%{s} mx:%{S}.e.example ptr:%{l} "
		"-all\"\n"
		"l4.example. TXT \"v=spf1 ~all exp=%{l}.e.example\"\n"
		"k.e.example. TXT \"v=spf1 +all\"\n"
		"k.e.example. A 127.0.0.2\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.6", "h.example",
		  "x@b\xc3\xbc"
		  "cher.example",
		  "pass", "exists:%{o}.f.example" },
		{ "192.0.2.6", "h.example",
		  "x@B\xc3\x9c"
		  "CHER.example",
		  "pass", "exists:%{o}.f.example" },
		{ "192.0.2.6",
		  "stra\xc3\x9f"
		  "e.example",
		  "x@a.example", "neutral", "?exists:%{h}.g.example" },
		{ "192.0.2.6", "h.example",
		  "x@b\xfc"
		  "cher.example",
		  "none", NULL, "malformed" },
		{ "192.0.2.6", "h.example", "\xc3\xb6k@x.example", "fail", "-all", NULL,
		  "??k@x.example from x.example" },
		{ "192.0.2.3", "h.example", "k@l1.example", "pass", "include:%{l}.e.example" },
		{ "192.0.2.3", "h.example", "\xc3\xb6k@l1.example", "neutral", "?all" },
		{ "192.0.2.3", "h.example", "\xc3\xb6k@l2.example", "neutral", "default" },
		{ "192.0.2.3", "h.example", "k@l3.example", "pass", "exists:%{l}.e.example" },
		{ "192.0.2.3", "h.example", "\xc3\xb6k@l3.example", "fail", "-all" },
		{ "192.0.2.3", "h.example", "\xc3\xb6k@l4.example", "softfail", "~all" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
}

static void h5_include_loop(void)
{
	static const char zone[] = "l1.example. TXT \"v=spf1 include:l1.example -all\"\n"
				   "l2.example. TXT \"v=spf1 include:l3.example -all\"\n"
				   "l3.example. TXT \"v=spf1 include:l2.example -all\"\n"
				   "l4.example. TXT \"v=spf1 redirect=l4.example\"\n"
				   "l5.example. TXT \"v=spf1 redirect=l6.example\"\n"
				   "l6.example. TXT \"v=spf1 redirect=l5.example\"\n"
				   "l7.example. TXT \"v=spf1 include:l8.example -all\"\n"
				   "l8.example. TXT \"v=spf1 redirect=l7.example\"\n"
				   "b.example. TXT \"v=spf1 include:b.example include:b.example "
				   "include:b.example include:b.example\"\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.2", "h.example", "x@l1.example", "permerror", NULL, "lookup_limit" },
		{ "192.0.2.2", "h.example", "x@l2.example", "permerror", NULL, "lookup_limit" },
		{ "192.0.2.2", "h.example", "x@l4.example", "permerror", NULL, "lookup_limit" },
		{ "192.0.2.2", "h.example", "x@l5.example", "permerror", NULL, "lookup_limit" },
		{ "192.0.2.2", "h.example", "x@l7.example", "permerror", NULL, "lookup_limit" },
		{ "192.0.2.2", "h.example", "x@b.example", "permerror", NULL, "lookup_limit" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
	/* a profile may allow more than the stack does */
	static const struct spf_profile wide = { .lookup_max = 1000, .void_max = 2 };
	spf_case_all(zone, &wide, SPF_MAILFROM, rows, 2);
}

/* A chain of n includes, of which the last passes. */
static void chain(unsigned n, bool redirect, const struct spf_row *row)
{
	char zone[4096];
	size_t len = 0;
	for (unsigned i = 0; i < n; i++)
		len += (size_t)snprintf(zone + len, sizeof zone - len,
					"c%u.example. TXT \"v=spf1 %sc%u.example\"\n", i,
					redirect ? "redirect=" : "include:", i + 1);
	snprintf(zone + len, sizeof zone - len, "c%u.example. TXT \"v=spf1 +all\"\n", n);
	spf_case_all(zone, NULL, SPF_MAILFROM, row, 1);
}

static void h5_eleven_includes(void)
{
	static const struct spf_row ten = { "192.0.2.2", "h.example", "x@c0.example", "pass",
					    "include:c1.example" };
	static const struct spf_row eleven = { "192.0.2.2", "h.example", "x@c0.example",
					       "permerror", NULL,        "lookup_limit" };
	static const struct spf_row redirected = { "192.0.2.2", "h.example", "x@c0.example", "pass",
						   "+all" };
	chain(10, false, &ten);
	chain(11, false, &eleven);
	chain(10, true, &redirected);
	chain(11, true, &eleven);
}

static void h5_void_storm(void)
{
	char zone[65536], text[8192];
	size_t n = (size_t)snprintf(zone, sizeof zone, "s.example. TXT");
	size_t len = (size_t)snprintf(text, sizeof text, "v=spf1");
	for (unsigned i = 0; i < 300; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, " exists:%%{i}.g%u.example",
					i);
	for (size_t i = 0; i < len; i += 200)
		n += (size_t)snprintf(zone + n, sizeof zone - n, " \"%.*s\"",
				      (int)(len - i < 200 ? len - i : 200), text + i);
	snprintf(zone + n, sizeof zone - n, "\n");
	struct lookup *l = lookup_new(zone);
	static const struct spf_row row = { "192.0.2.2", "h.example", "x@s.example" };
	const struct spf_result *r = spf_case_one(l, &spf_case_profile, SPF_MAILFROM, &row);
	CU_ASSERT_EQUAL(r->result, AUTH_PERMERROR);
	CU_ASSERT_STRING_EQUAL(r->reason, "void_limit");
	CU_ASSERT_EQUAL(r->lookups, 3);
	/* no more was asked than the limit of lookups allows */
	CU_ASSERT(l->questions <= 11);
	lookup_free(l);
}

/* A record of that many octets of terms, cut into strings. */
static struct lookup *big(const char *first, const char *term, size_t octets, const char *last)
{
	char *text = malloc(octets + 512), *zone = malloc(3 * octets + 1024);
	size_t n = (size_t)sprintf(text, "v=spf1 %s", first), len = 0;
	while (n + strlen(term) + 1 < octets)
		n += (size_t)sprintf(text + n, " %s", term);
	n += (size_t)sprintf(text + n, "%s", last);
	len = (size_t)sprintf(zone, "big.example. TXT");
	for (size_t i = 0; i < n; i += 200)
		len += (size_t)sprintf(zone + len, " \"%.*s\"", (int)(n - i < 200 ? n - i : 200),
				       text + i);
	sprintf(zone + len, "\n");
	struct lookup *l = lookup_new(zone);
	free(text);
	free(zone);
	return l;
}

static void h5_big_records(void)
{
	static const struct spf_row row = { "192.0.2.2", "h.example", "x@big.example" };
	static const struct {
		const char *first, *term, *last, *result, *reason;
		size_t octets;
	} rows[] = {
		{ "", "ip4:198.51.100.1", " -all", "fail", NULL, 10000 },
		{ "", "ip6:2001:db8::1", " ip4:192.0.2.0/24", "pass", NULL, 10000 },
		{ "ip4:192.0.2.2", "ip4:1", "", "permerror", "syntax", 10000 },
		{ "", "mx", "", "permerror", "void_limit", 8000 },
		{ "-all", "a", "", "fail", NULL, 60000 }, /* behind all, nothing is kept */
		{ "a", "a", "", "permerror", "record_limit", 10000 },
		{ "", "x=%{s}%{s}%{s}", " -all", "fail", NULL, 10000 },
	};
	for (unsigned i = 0; i < N(rows); i++) {
		struct lookup *l = big(rows[i].first, rows[i].term, rows[i].octets, rows[i].last);
		const struct spf_result *r = spf_case_one(l, &spf_case_profile, SPF_MAILFROM, &row);
		CU_ASSERT_STRING_EQUAL(auth_result_name(r->result), rows[i].result);
		CU_ASSERT(r->reason == rows[i].reason ||
			  (r->reason && rows[i].reason && strcmp(r->reason, rows[i].reason) == 0));
		lookup_free(l);
	}
}

static void h5_macro_bomb(void)
{
	/* the longest sender there is, in as many macros as a record can have */
	char from[1100];
	memset(from, 'a', 1000);
	strcpy(from + 1000, "@big.example");
	struct spf_row row = { "192.0.2.2", "h.example", from };
	struct lookup *l = big("exists:%{S}", "x=y", 100, "");
	CU_ASSERT_EQUAL(spf_case_one(l, &spf_case_profile, SPF_MAILFROM, &row)->result,
			AUTH_NEUTRAL);
	lookup_free(l);
	char *term = malloc(60100);
	strcpy(term, "exists:");
	for (size_t n = 7; n < 60000; n += 4)
		strcpy(term + n, "%{S}");
	l = big(term, "x=y", 60100, "");
	const struct spf_result *r = spf_case_one(l, &spf_case_profile, SPF_MAILFROM, &row);
	CU_ASSERT(r->result == AUTH_NEUTRAL && r->lookups == 1);
	CU_ASSERT(l->arena.used < 8192);
	lookup_free(l);
	free(term);
}

static void h5_exists_attacker_text(void)
{
	static const char zone[] = "e.example. TXT \"v=spf1 exists:%{l}.%{h}.x.example "
				   "~exists:%{h} -all exp=why.example\"\n"
				   "why.example. TXT \"%{l} %{h} %{S}\"\n"
				   "trusted.example. A 127.0.0.2\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.2", "trusted.example", "x@e.example", "softfail", "~exists:%{h}" },
		{ "192.0.2.2", "a b\t\"<>\\", "x\ny@e.example", "fail", "-all", NULL,
		  "x?y a b?\"<>\\ x%0Ay%40e.example" },
		{ "192.0.2.2", "..", "....@e.example", "fail", "-all", NULL,
		  ".... .. ....%40e.example" },
		{ "192.0.2.2", "%{d}", "%{d}@e.example", "fail", "-all", NULL,
		  "%{d} %{d} %25%7Bd%7D%40e.example" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
}

/* Questions of one record go out together, as far as the limits allow. */
static void asks_ahead(void)
{
	static const char zone[] =
		"q.example. TXT \"v=spf1 a:h1.example mx:h2.example include:i1.example "
		"exists:%{i}.x.example include:i2.example ptr ip4:192.0.2.7 a:h9.example -all\"\n"
		"h1.example. A 192.0.2.1\n"
		"h2.example. MX 1 h3.example.\n"
		"h2.example. MX 2 h4.example.\n"
		"h3.example. A 192.0.2.3\n"
		"h4.example. A 192.0.2.4\n"
		"i1.example. TXT \"v=spf1 a:h5.example -all\"\n"
		"i2.example. TXT \"v=spf1 a:h6.example -all\"\n"
		"h5.example. A 192.0.2.5\n"
		"h6.example. A 192.0.2.6\n"
		"h9.example. A 192.0.2.9\n";
	struct lookup *l = lookup_new(zone);
	static const struct spf_row first = { "192.0.2.7", "h.example", "x@q.example" };
	static const struct spf_row none = { "192.0.2.8", "h.example", "x@q.example" };
	const struct spf_result *r = spf_case_one(l, &spf_case_profile, SPF_MAILFROM, &first);
	CU_ASSERT(bytes_equal(r->mechanism, bytes_str("ip4:192.0.2.7")));
	/* the record; its six terms in front of the match; hosts of mx, a of both includes */
	CU_ASSERT_EQUAL(l->rounds, 4);
	CU_ASSERT_EQUAL(l->questions, 1 + 6 + 4);
	r = spf_case_one(l, &spf_case_profile, SPF_MAILFROM, &none);
	CU_ASSERT(bytes_equal(r->mechanism, bytes_str("-all")));
	CU_ASSERT_EQUAL(l->rounds, 4);
	CU_ASSERT_EQUAL(l->questions, 1 + 7 + 4);
	CU_ASSERT(r->lookups == 9 && r->voids == 2);
	lookup_free(l);
}

/* Whatever was given up is a temporary error, also where an error alone would not be one. */
static void deadline(void)
{
	static const struct {
		const char *record, *result;
	} rows[] = {
		{ "v=spf1 ptr -all", "temperror" },
		{ "v=spf1 include:i.example -all", "temperror" },
		/* but an explanation decides nothing */
		{ "v=spf1 -all exp=e.example", "fail" },
		{ "v=spf1 -all exp=%{p}.example", "fail" },
	};
	struct lookup *l = lookup_new("e.example. A 192.0.2.1\n");
	for (unsigned i = 0; i < N(rows); i++) {
		struct spf_result r;
		struct spf_setup setup = { .known = &l->known,
					   .arena = &l->arena,
					   .profile = &spf_case_profile,
					   .client = spf_case_ip("192.0.2.7"),
					   .helo = bytes_str("h.example"),
					   .sender = bytes_str("x@p.example"),
					   .identity = SPF_MAILFROM };
		struct answer_rr rr = { bytes_str(rows[i].record) };
		struct answer answer = { .status = ANSWER_DATA, .n = 1, .rr = &rr };
		lookup_again(l);
		CU_ASSERT(!spf_check(&setup, &r));
		known_answer(&l->known, 0, &answer);
		arena_reset(&l->arena);
		CU_ASSERT(!spf_check(&setup, &r));
		known_give_up(&l->known, KNOWN_SPF);
		arena_reset(&l->arena);
		CU_ASSERT(spf_check(&setup, &r));
		CU_ASSERT_STRING_EQUAL(auth_result_name(r.result), rows[i].result);
		CU_ASSERT(r.result == AUTH_FAIL ? r.reason == NULL
						: strcmp(r.reason, "dns_timeout") == 0);
		CU_ASSERT(r.explanation.n == 0);
		lookup_again(l); /* while the answer is there */
	}
	lookup_free(l);
}

struct again {
	struct spf_setup setup;
	struct spf_result r;
};

static bool again_step(void *ctx)
{
	struct again *a = ctx;
	return spf_check(&a->setup, &a->r);
}

/* With a small arena it is a temporary error. */
static void no_space(void)
{
	struct lookup *l = lookup_new("s.example. TXT \"v=spf1 exists:%{l}.s.example "
				      "include:s2.example -all exp=e.s.example\"\n"
				      "s2.example. TXT \"v=spf1 ~all\"\n"
				      "e.s.example. TXT \"never %{s}\"\n");
	uint8_t *memory = l->arena.base;
	unsigned seen[2] = { 0 };
	for (size_t size = 0; size < 2048; size += 8) {
		struct again a = { .setup = { .known = &l->known,
					      .arena = &l->arena,
					      .profile = &spf_case_profile,
					      .client = spf_case_ip("192.0.2.7"),
					      .helo = bytes_str("h.example"),
					      .sender = bytes_str("x@s.example"),
					      .identity = SPF_MAILFROM } };
		lookup_again(l);
		arena_init(&l->arena, memory, size);
		CU_ASSERT(lookup_run(l, &l->known, again_step, &a));
		bool whole = a.r.result == AUTH_FAIL;
		CU_ASSERT(whole ||
			  (a.r.result == AUTH_TEMPERROR && strcmp(a.r.reason, "no_space") == 0));
		seen[whole]++;
	}
	CU_ASSERT(seen[0] > 0 && seen[1] > 0);
	lookup_free(l);
}

/* A record that is kept is not parsed again, and the answers say what is secure. */
static void kept_parsed(void)
{
	struct lookup *l =
		lookup_new("k.example. TXT \"v=spf1 ip4:192.0.2.1 include:k2.example -all\"\n"
			   "k2.example. TXT \"v=spf1 ip4:192.0.2.2 -all\"\n");
	struct records *records = records_new(1024, 1);
	l->known.records = records;
	for (unsigned i = 0; i < 3; i++) {
		struct again a = { .setup = { .known = &l->known,
					      .arena = &l->arena,
					      .profile = &spf_case_profile,
					      .client = spf_case_ip("192.0.2.2"),
					      .helo = bytes_str("h.example"),
					      .sender = bytes_str("x@k.example"),
					      .identity = SPF_MAILFROM } };
		lookup_again(l);
		CU_ASSERT(lookup_run(l, &l->known, again_step, &a));
		CU_ASSERT_EQUAL(l->rounds, i ? 1 : 3);
		CU_ASSERT_EQUAL(a.r.result, AUTH_PASS);
		struct record *r =
			known_ask(&l->known, KNOWN_SPF, QUESTION_TXT, bytes_str("k.example"));
		static const void *parsed;
		CU_ASSERT(r && r->parsed[RECORD_SPF]);
		CU_ASSERT(i == 0 || r->parsed[RECORD_SPF] == parsed);
		parsed = r->parsed[RECORD_SPF];
	}
	lookup_free(l);
	records_free(records);
}

/* DNSSEC: only when every answer was proved. */
static void secure(void)
{
	struct lookup *l = lookup_new("x.example. A 192.0.2.1\n");
	for (unsigned mask = 0; mask < 4; mask++) {
		struct spf_result r;
		struct spf_setup setup = { .known = &l->known,
					   .arena = &l->arena,
					   .profile = &spf_case_profile,
					   .client = spf_case_ip("192.0.2.2"),
					   .sender = bytes_str("x@k.example"),
					   .identity = SPF_MAILFROM };
		struct answer_rr txt = { bytes_str("v=spf1 a:h.example -all") };
		struct answer_rr a = { bytes_of("\xc0\0\2\2", 4) };
		struct answer one = { .n = 1, .rr = &txt, .secure = mask & 1 };
		struct answer two = { .n = 1, .rr = &a, .secure = mask & 2 };
		lookup_again(l);
		CU_ASSERT(!spf_check(&setup, &r));
		known_answer(&l->known, 0, &one);
		CU_ASSERT(!spf_check(&setup, &r));
		known_answer(&l->known, 0, &two);
		CU_ASSERT(spf_check(&setup, &r));
		CU_ASSERT(r.result == AUTH_PASS && r.secure == (mask == 3));
		lookup_again(l); /* while the answers are there */
	}
	lookup_free(l);
}

/* C-88: each result can come about. */
static void c88_results(void)
{
	static const char zone[] = "pass.example. TXT \"v=spf1 +all\"\n"
				   "fail.example. TXT \"v=spf1 -all\"\n"
				   "softfail.example. TXT \"v=spf1 ~all\"\n"
				   "neutral.example. TXT \"v=spf1 ?all\"\n"
				   "permerror.example. TXT \"v=spf1 x\"\n"
				   ";ERROR,temperror.example,TXT,SERVFAIL\n"
				   "none.example. TXT \"text\"\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.1", "h.example", "x@pass.example", "pass", "+all" },
		{ "192.0.2.1", "h.example", "x@fail.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@softfail.example", "softfail", "~all" },
		{ "192.0.2.1", "h.example", "x@neutral.example", "neutral", "?all" },
		{ "192.0.2.1", "h.example", "x@permerror.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@temperror.example", "temperror", NULL,
		  "dns_failed" },
		{ "192.0.2.1", "h.example", "x@none.example", "none", NULL, "no_record" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
}

TEST_MAIN("spf", TEST(appendix_a1), TEST(appendix_a2_to_a4), TEST(f9_initial), TEST(f9_evaluation),
	  TEST(f9_modifiers), TEST(f9_macros), TEST(f14_internationalized), TEST(h5_include_loop),
	  TEST(h5_eleven_includes), TEST(h5_void_storm), TEST(h5_big_records), TEST(h5_macro_bomb),
	  TEST(h5_exists_attacker_text), TEST(asks_ahead), TEST(deadline), TEST(no_space),
	  TEST(kept_parsed), TEST(secure), TEST(c88_results))
