/* Each mechanism of RFC 7208 section 5 matches what it must, within its limits, and records of RFC 4406 count for their scope. */
#include <stdio.h>

#include "tests/spf_case.h"
#include "tests/test.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Section 5.2. */
static void f9_include(void)
{
	static const char zone[] =
		"i5.example. TXT \"v=spf1 ip4:192.0.2.5 -all\"\n"
		"i6.example. TXT \"v=spf1 ip4:192.0.2.5 ~all\"\n"
		"i7.example. TXT \"v=spf1 ip4:192.0.2.5 ?all\"\n"
		"i8.example. TXT \"v=spf1 ip4:192.0.2.5\"\n"
		"bad.example. TXT \"v=spf1 nonsense\"\n"
		"rd.example. TXT \"v=spf1 redirect=i5.example\"\n"
		";ERROR,late.example,TXT,TIMEOUT\n"
		"e5.example. TXT \"v=spf1 include:i5.example ~all\"\n"
		"e6.example. TXT \"v=spf1 include:i6.example -all\"\n"
		"e7.example. TXT \"v=spf1 ?include:i7.example -all\"\n"
		"e8.example. TXT \"v=spf1 -include:i8.example\"\n"
		"e9.example. TXT \"v=spf1 include:bad.example -all\"\n"
		"e10.example. TXT \"v=spf1 include:late.example -all\"\n"
		"e11.example. TXT \"v=spf1 include:gone.example -all\"\n"
		"e12.example. TXT \"v=spf1 include +all\"\n"
		"e13.example. TXT \"v=spf1 include: -all\"\n"
		"e14.example. TXT \"v=spf1 include:i5.example/24 -all\"\n"
		"e15.example. TXT \"v=spf1 include:rd.example ~all\"\n"
		"e16.example. TXT \"v=spf1 include:e15.example ?all\"\n"
		"e17.example. TXT \"v=spf1 include:%{d1} -all\"\n"
		"e18.example. TXT \"v=spf1 include:a..b.example -all\"\n"
		"e19.example. TXT \"v=spf1 -include:e20.example -all\"\n"
		"e20.example. TXT \"v=spf1 include:i5.example\"\n"
		"none.example. TXT \"no spf\"\n"
		"e21.example. TXT \"v=spf1 ip4:192.0.2.5 include:none.example -all\"\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.5", "h.example", "x@e5.example", "pass", "include:i5.example" },
		{ "192.0.2.4", "h.example", "x@e5.example", "softfail", "~all" },
		{ "192.0.2.4", "h.example", "x@e6.example", "fail", "-all" },
		{ "192.0.2.5", "h.example", "x@e7.example", "neutral", "?include:i7.example" },
		{ "192.0.2.4", "h.example", "x@e7.example", "fail", "-all" },
		{ "192.0.2.5", "h.example", "x@e8.example", "fail", "-include:i8.example" },
		{ "192.0.2.4", "h.example", "x@e8.example", "neutral", "default" },
		{ "192.0.2.4", "h.example", "x@e9.example", "permerror", NULL, "syntax" },
		{ "192.0.2.4", "h.example", "x@e10.example", "temperror", NULL, "dns_timeout" },
		{ "192.0.2.4", "h.example", "x@e11.example", "permerror", NULL, "no_include" },
		{ "192.0.2.4", "h.example", "x@e12.example", "permerror", NULL, "syntax" },
		{ "192.0.2.4", "h.example", "x@e13.example", "permerror", NULL, "syntax" },
		{ "192.0.2.4", "h.example", "x@e14.example", "permerror", NULL, "syntax" },
		{ "192.0.2.5", "h.example", "x@e15.example", "pass", "include:rd.example" },
		{ "192.0.2.4", "h.example", "x@e15.example", "softfail", "~all" },
		{ "192.0.2.5", "h.example", "x@e16.example", "pass", "include:e15.example" },
		{ "192.0.2.4", "h.example", "x@e16.example", "neutral", "?all" },
		{ "192.0.2.4", "h.example", "x@e17.example", "permerror", NULL, "no_include" },
		{ "192.0.2.4", "h.example", "x@e18.example", "permerror", NULL, "no_include" },
		{ "192.0.2.5", "h.example", "x@e19.example", "fail", "-include:e20.example" },
		{ "192.0.2.5", "h.example", "x@e21.example", "pass", "ip4:192.0.2.5" },
		{ "192.0.2.4", "h.example", "x@e21.example", "permerror", NULL, "no_include" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
}

/* Sections 5.3 and 5.4. */
static void f9_hosts(void)
{
	static const char zone[] = "h.example. A 192.0.2.1\n"
				   "h.example. A 192.0.2.77\n"
				   "h.example. AAAA 2001:db8:1::1\n"
				   "mxs.example. MX 10 h.example.\n"
				   "mxs.example. MX 20 late.example.\n"
				   "mxs.example. MX 30 .\n"
				   "null.example. MX 0 .\n"
				   ";ERROR,late.example,A,TIMEOUT\n"
				   ";ERROR,late.example,AAAA,SERVFAIL\n"
				   ";ERROR,late.example,MX,TIMEOUT\n"
				   "foo:bar/baz.example. A 192.0.2.4\n"
				   "cn.example. CNAME h.example.\n"
				   "a1.example. TXT \"v=spf1 a:h.example -all\"\n"
				   "a2.example. TXT \"v=spf1 a:h.example/24//48 -all\"\n"
				   "a3.example. TXT \"v=spf1 a:h.example//48 -all\"\n"
				   "a4.example. TXT \"v=spf1 a:h.example/0 -all\"\n"
				   "a5.example. TXT \"v=spf1 a:h.example//0 -all\"\n"
				   "a6.example. TXT \"v=spf1 a:foo:bar/baz.example -all\"\n"
				   "a7.example. TXT \"v=spf1 a:late.example -all\"\n"
				   "a8.example. TXT \"v=spf1 a:gone.example -all\"\n"
				   "a9.example. TXT \"v=spf1 a:cn.example. ~all\"\n"
				   "h.example. TXT \"v=spf1 A mx -all\"\n"
				   "m1.example. TXT \"v=spf1 mx:mxs.example -all\"\n"
				   "m2.example. TXT \"v=spf1 mx:null.example -all\"\n"
				   "m3.example. TXT \"v=spf1 mx:h.example -all\"\n"
				   "m4.example. TXT \"v=spf1 mx:mxs.example/24 ?all\"\n"
				   "m5.example. TXT \"v=spf1 mx:late.example -all\"\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.1", "h.example", "x@a1.example", "pass", "a:h.example" },
		{ "192.0.2.77", "h.example", "x@a1.example", "pass", "a:h.example" },
		{ "::ffff:192.0.2.77", "h.example", "x@a1.example", "pass", "a:h.example" },
		{ "192.0.2.2", "h.example", "x@a1.example", "fail", "-all" },
		{ "2001:db8:1::1", "h.example", "x@a1.example", "pass", "a:h.example" },
		{ "2001:db8:1::2", "h.example", "x@a1.example", "fail", "-all" },
		{ "192.0.2.200", "h.example", "x@a2.example", "pass", "a:h.example/24//48" },
		{ "192.0.3.1", "h.example", "x@a2.example", "fail", "-all" },
		{ "2001:db8:1:2::9", "h.example", "x@a2.example", "pass", "a:h.example/24//48" },
		{ "2001:db8:2:2::9", "h.example", "x@a2.example", "fail", "-all" },
		{ "192.0.2.2", "h.example", "x@a3.example", "fail", "-all" },
		{ "198.51.100.1", "h.example", "x@a4.example", "pass", "a:h.example/0" },
		{ "2001:db8:1::2", "h.example", "x@a4.example", "fail", "-all" },
		{ "198.51.100.1", "h.example", "x@a5.example", "fail", "-all" },
		{ "::1", "h.example", "x@a5.example", "pass", "a:h.example//0" },
		{ "192.0.2.4", "h.example", "x@a6.example", "pass", "a:foo:bar/baz.example" },
		{ "192.0.2.4", "h.example", "x@a7.example", "temperror", NULL, "dns_timeout" },
		{ "2001:db8::", "h.example", "x@a7.example", "temperror", NULL, "dns_failed" },
		{ "192.0.2.4", "h.example", "x@a8.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@a9.example", "pass", "a:cn.example." },
		{ "192.0.2.1", "h.example", "x@h.example", "pass", "A" },
		{ "192.0.2.1", "h.example", "x@m1.example", "pass", "mx:mxs.example" },
		{ "192.0.2.2", "h.example", "x@m1.example", "temperror", NULL, "dns_timeout" },
		{ "192.0.2.2", "h.example", "x@m2.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@m3.example", "fail", "-all" }, /* no implicit MX */
		{ "192.0.2.2", "h.example", "x@m4.example", "pass", "mx:mxs.example/24" },
		{ "192.0.2.2", "h.example", "x@m5.example", "temperror", NULL, "dns_timeout" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
}

/* Section 5.5, and %{p}. */
static void f9_ptr(void)
{
	static const char zone[] =
		"1.2.0.192.in-addr.arpa. PTR mx.sub.example.\n"
		"1.2.0.192.in-addr.arpa. PTR late.example.\n"
		"1.2.0.192.in-addr.arpa. PTR Host.Example.\n"
		"2.2.0.192.in-addr.arpa. PTR host.example.\n"
		"b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa. PTR "
		"six.example.\n"
		"mx.sub.example. A 192.0.2.1\n"
		"host.example. A 192.0.2.1\n"
		"six.example. AAAA 4321:0:1:2:3:4:567:89ab\n"
		";ERROR,late.example,A,TIMEOUT\n"
		";ERROR,9.2.0.192.in-addr.arpa,PTR,TIMEOUT\n"
		"p1.example. TXT \"v=spf1 ptr:EXAMPLE.. -all\"\n"
		"p2.example. TXT \"v=spf1 ptr:sub.example -all\"\n"
		"p3.example. TXT \"v=spf1 ptr:ub.example -all\"\n"
		"p4.example. TXT \"v=spf1 ptr:mx.sub.EXAMPLE -all\"\n"
		"p5.example. TXT \"v=spf1 ptr:a.mx.sub.example -all\"\n"
		"p6.example. TXT \"v=spf1 ptr/0 -all\"\n"
		"p7.example. TXT \"v=spf1 ptr: -all\"\n"
		"p8.example. TXT \"v=spf1 ptr:late.example -all\"\n"
		"host.example. TXT \"v=spf1 ptr -all\"\n"
		"six.example. TXT \"v=spf1 ptr -all\"\n"
		"m1.example. TXT \"v=spf1 exp=e.m1.example -exists:%{p}.m1.example ?all\"\n"
		"sub.example. TXT \"v=spf1 exp=e.m1.example -all\"\n"
		"other.example. TXT \"v=spf1 exp=e.m1.example -all\"\n"
		"e.m1.example. TXT \"connect from %{p}\"\n"
		"unknown.m1.example. A 127.0.0.1\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.1", "h.example", "x@p1.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@p2.example", "pass", "ptr:sub.example" },
		{ "192.0.2.1", "h.example", "x@p3.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@p4.example", "pass", "ptr:mx.sub.EXAMPLE" },
		{ "192.0.2.1", "h.example", "x@p5.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@p6.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@p7.example", "permerror", NULL, "syntax" },
		{ "192.0.2.1", "h.example", "x@p8.example", "fail", "-all" }, /* skipped */
		{ "192.0.2.1", "h.example", "x@host.example", "pass", "ptr" },
		{ "192.0.2.2", "h.example", "x@host.example", "fail", "-all" }, /* forged */
		{ "192.0.2.9", "h.example", "x@host.example", "fail", "-all" }, /* an error */
		{ "192.0.2.8", "h.example", "x@host.example", "fail", "-all" }, /* none */
		{ "4321:0:1:2:3:4:567:89ab", "h.example", "x@six.example", "pass", "ptr" },
		{ "192.0.2.1", "h.example", "x@m1.example", "neutral", "?all" },
		{ "192.0.2.2", "h.example", "x@m1.example", "fail", "-exists:%{p}.m1.example", NULL,
		  "connect from unknown" },
		{ "192.0.2.9", "h.example", "x@m1.example", "fail", "-exists:%{p}.m1.example", NULL,
		  "connect from unknown" },
		{ "192.0.2.1", "h.example", "x@sub.example", "fail", "-all", NULL,
		  "connect from mx.sub.example" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
	/* any validated name will do where none is of the domain */
	struct lookup *l = lookup_new(zone);
	struct spf_row other = { "192.0.2.1", "h.example", "x@other.example" };
	const struct spf_result *r = spf_case_one(l, &spf_case_profile, SPF_MAILFROM, &other);
	CU_ASSERT(bytes_equal(r->explanation, bytes_str("connect from Host.Example")) ||
		  bytes_equal(r->explanation, bytes_str("connect from mx.sub.example")));
	lookup_free(l);
}

/* Sections 5.1, 5.6 and 5.7. */
static void f9_networks(void)
{
	static const char zone[] =
		"n1.example. TXT \"v=spf1 ip4:198.51.100.77/22 ip6:2001:db8:5::1/46 -all\"\n"
		"n2.example. TXT \"v=spf1 ip4:0.0.0.0/0 -all\"\n"
		"n3.example. TXT \"v=spf1 ip6:::/0 -all\"\n"
		"n4.example. TXT \"v=spf1 -ip4:192.0.2.1 ip6:::FFFF:192.0.2.1\"\n"
		"n5.example. TXT \"v=spf1 ip6:2001:db8::8/128 ip6:CAFE:BABE::8000/33 ?all\"\n"
		"n6.example. TXT \"v=spf1 ip4:192.0.2.1/31 -all\"\n"
		"x1.example. TXT \"v=spf1 exists:four.example -all\"\n"
		"x2.example. TXT \"v=spf1 exists:six.example -all\"\n"
		"x3.example. TXT \"v=spf1 exists:late.example -all\"\n"
		"x4.example. TXT \"v=spf1 exists:%{i}.%{h}.e.example -all\"\n"
		"x5.example. TXT \"v=spf1 exists:%{h} -all\"\n"
		"four.example. A 127.0.0.2\n"
		"six.example. AAAA ::1\n"
		"192.0.2.1.a/b.c.e.example. A 127.0.0.2\n"
		"single. A 127.0.0.2\n"
		";ERROR,late.example,A,SERVFAIL\n";
	static const struct spf_row rows[] = {
		{ "198.51.100.1", "h.example", "x@n1.example", "pass", "ip4:198.51.100.77/22" },
		{ "198.51.103.255", "h.example", "x@n1.example", "pass", "ip4:198.51.100.77/22" },
		{ "198.51.104.0", "h.example", "x@n1.example", "fail", "-all" },
		{ "2001:db8:6::", "h.example", "x@n1.example", "pass", "ip6:2001:db8:5::1/46" },
		{ "2001:db8:8::", "h.example", "x@n1.example", "fail", "-all" },
		{ "203.0.113.1", "h.example", "x@n2.example", "pass", "ip4:0.0.0.0/0" },
		{ "2001:db8::", "h.example", "x@n2.example", "fail", "-all" },
		{ "2001:db8::", "h.example", "x@n3.example", "pass", "ip6:::/0" },
		{ "203.0.113.1", "h.example", "x@n3.example", "fail", "-all" },
		{ "::ffff:203.0.113.1", "h.example", "x@n3.example", "fail", "-all" },
		{ "::ffff:192.0.2.1", "h.example", "x@n4.example", "fail", "-ip4:192.0.2.1" },
		{ "192.0.2.2", "h.example", "x@n4.example", "neutral", "default" },
		{ "cafe:babe:7fff::1", "h.example", "x@n5.example", "pass",
		  "ip6:CAFE:BABE::8000/33" },
		{ "cafe:babe:8000::1", "h.example", "x@n5.example", "neutral", "?all" },
		{ "192.0.2.0", "h.example", "x@n6.example", "pass", "ip4:192.0.2.1/31" },
		{ "192.0.2.2", "h.example", "x@n6.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@x1.example", "pass", "exists:four.example" },
		{ "2001:db8::", "h.example", "x@x1.example", "pass", "exists:four.example" },
		{ "2001:db8::", "h.example", "x@x2.example", "fail", "-all" },
		{ "2001:db8::", "h.example", "x@x3.example", "temperror", NULL, "dns_failed" },
		{ "192.0.2.1", "a/b.c", "x@x4.example", "pass", "exists:%{i}.%{h}.e.example" },
		{ "192.0.2.1", "JUMPIN' JUPITER", "x@x5.example", "fail", "-all" },
		{ "192.0.2.1", "single", "x@x5.example", "fail", "-all" },
		{ "192.0.2.1", "[192.0.2.1]", "x@x5.example", "fail", "-all" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
}

/* Section 4.6.4. */
static void f9_limits(void)
{
	static const char zone[] =
		"h.example. A 192.0.2.1\n"
		"a10.example. TXT \"v=spf1 a:h.example a:h.example a:h.example a:h.example "
		"a:h.example "
		"a:h.example a:h.example a:h.example a:h.example a:h.example -all\"\n"
		"a11.example. TXT \"v=spf1 a:h.example a:h.example a:h.example a:h.example "
		"a:h.example "
		"a:h.example a:h.example a:h.example a:h.example exists:h2.example a:h.example "
		"-all\"\n"
		"h2.example. AAAA ::1\n"
		"r.example. TXT \"v=spf1 a:h.example a:h.example a:h.example a:h.example "
		"a:h.example "
		"a:h.example a:h.example a:h.example a:h.example redirect=r2.example\"\n"
		"r2.example. TXT \"v=spf1 -ip4:192.0.2.2 a:h.example\"\n"
		"v2.example. TXT \"v=spf1 exists:g1.example exists:g2.example ?all\"\n"
		"v3.example. TXT \"v=spf1 exists:g1.example a:g2.example mx:g3.example ?all\"\n"
		"vx.example. TXT \"v=spf1 a:g1.example a:g2.example ip4:192.0.2.9 -all "
		"exp=g3.example\"\n"
		"vn.example. TXT \"v=spf1 a:g1.example mx:null.example mx:null.example "
		"a:g2.example ~all\"\n"
		"null.example. MX 0 .\n"
		"vm.example. TXT \"v=spf1 mx:vmx.example ?all\"\n"
		"vmx.example. MX 1 g1.example.\n"
		"vmx.example. MX 2 g2.example.\n"
		"vmx.example. MX 3 g3.example.\n"
		"vmx.example. MX 4 g4.example.\n"
		"m10.example. TXT \"v=spf1 mx -all\"\n"
		"m10.example. MX 1 h.example.\n"
		"m10.example. MX 2 h.example.\n"
		"m11.example. TXT \"v=spf1 mx -all\"\n"
		"manya.example. TXT \"v=spf1 a -all\"\n";
	static const struct spf_row rows[] = {
		{ "192.0.2.2", "h.example", "x@a10.example", "fail", "-all" },
		{ "192.0.2.1", "h.example", "x@a10.example", "pass", "a:h.example" },
		{ "192.0.2.2", "h.example", "x@a11.example", "permerror", NULL, "lookup_limit" },
		{ "192.0.2.2", "h.example", "x@r.example", "fail", "-ip4:192.0.2.2" },
		{ "192.0.2.3", "h.example", "x@r.example", "permerror", NULL, "lookup_limit" },
		{ "192.0.2.2", "h.example", "x@v2.example", "neutral", "?all" },
		{ "192.0.2.2", "h.example", "x@v3.example", "permerror", NULL, "void_limit" },
		{ "192.0.2.2", "h.example", "x@vx.example", "fail", "-all" },
		{ "192.0.2.2", "h.example", "x@vm.example", "neutral", "?all" },
		{ "192.0.2.2", "h.example", "x@vn.example", "softfail", "~all" },
		{ "192.0.2.1", "h.example", "x@m10.example", "pass", "mx" },
		{ "192.0.2.1", "h.example", "x@m11.example", "permerror", NULL, "mx_limit" },
		{ "192.0.2.21", "h.example", "x@manya.example", "pass", "a" },
	};
	char all[8192];
	size_t n = (size_t)snprintf(all, sizeof all, "%s", zone);
	for (unsigned i = 0; i < 11; i++)
		n += (size_t)snprintf(all + n, sizeof all - n,
				      "m11.example. MX %u mx%u.example.\n"
				      "mx%u.example. A 192.0.2.1\n",
				      i, i, i);
	for (unsigned i = 0; i < 30; i++) /* addresses of one name have no limit */
		n += (size_t)snprintf(all + n, sizeof all - n, "manya.example. A 192.0.2.%u\n", i);
	spf_case_all(all, NULL, SPF_MAILFROM, rows, N(rows));
	static const struct spf_profile wide = { .lookup_max = 20, .void_max = 5 };
	static const struct spf_row more[] = {
		{ "192.0.2.2", "h.example", "x@a11.example", "fail", "-all" },
		{ "192.0.2.2", "h.example", "x@v3.example", "neutral", "?all" },
	};
	spf_case_all(zone, &wide, SPF_MAILFROM, more, N(more));
	static const struct spf_profile narrow = { .lookup_max = 1, .void_max = 0 };
	static const struct spf_row less[] = {
		{ "192.0.2.2", "h.example", "x@a10.example", "permerror", NULL, "lookup_limit" },
		{ "192.0.2.2", "h.example", "x@v2.example", "permerror", NULL, "void_limit" },
	};
	spf_case_all(zone, &narrow, SPF_MAILFROM, less, N(less));
}

static void f9_ptr_limit(void)
{
	char zone[8192];
	size_t n = 0;
	n += (size_t)snprintf(zone, sizeof zone, "p.example. TXT \"v=spf1 ptr -all\"\n");
	for (unsigned host = 1; host < 3; host++)
		for (unsigned i = 1; i <= 11; i++) {
			bool good = i == host + 9; /* the tenth of host 1, the eleventh of host 2 */
			n += (size_t)snprintf(zone + n, sizeof zone - n,
					      "%u.2.0.192.in-addr.arpa. PTR n%u.%s.example.\n"
					      "n%u.%s.example. A 192.0.2.%u\n",
					      host, i, good ? "p" : "o", i, good ? "p" : "o", host);
		}
	static const struct spf_row rows[] = {
		{ "192.0.2.1", "h.example", "x@p.example", "pass", "ptr" },
		{ "192.0.2.2", "h.example", "x@p.example", "fail", "-all" },
	};
	spf_case_all(zone, NULL, SPF_MAILFROM, rows, N(rows));
}

/* RFC 4406: versions, scopes and levels. */
static void f10_scopes(void)
{
	static const char zone[] = "b.example. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
				   "b.example. TXT \"spf2.0/pra ip4:192.0.2.2 -all\"\n"
				   "b.example. TXT \"spf2.0/mfrom ip4:192.0.2.3 -all\"\n"
				   "v1.example. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
				   "v2.example. TXT \"SPF2.0/MFROM,PRA ip4:192.0.2.2 -all\"\n"
				   "v3.example. TXT \"spf2.0/pra ?all\"\n"
				   "v3.example. TXT \"spf2.0/pra,mfrom ?all\"\n"
				   "v4.example. TXT \"spf2.0/pra2,mfromx +all\"\n"
				   "v5.example. TXT \"spf2.0/ +all\"\n"
				   "v5.example. TXT \"spf2.0 +all\"\n"
				   "v5.example. TXT \"spf2.x/pra +all\"\n"
				   "v5.example. TXT \"spf2.0/pra, +all\"\n"
				   "v6.example. TXT \"spf2.71/foo,pra ~all\"\n";
	static const struct spf_profile spf = { .level = SPF_LEVEL_SPF,
						.lookup_max = 10,
						.void_max = 2 };
	static const struct spf_profile sidf = { .level = SPF_LEVEL_SIDF,
						 .lookup_max = 10,
						 .void_max = 2 };
	static const struct spf_profile compatible = { .level = SPF_LEVEL_SIDF_COMPATIBLE,
						       .lookup_max = 10,
						       .void_max = 2 };
	static const struct {
		const struct spf_profile *profile;
		enum spf_identity identity;
		struct spf_row row;
	} rows[] = {
#define ROW(level, who, ip, from, result, ...) \
	{ \
		&level, SPF_##who, \
		{ \
			"192.0.2." ip, "h.example", "x@" from, result, __VA_ARGS__ \
		} \
	}
		ROW(spf, MAILFROM, "1", "b.example", "pass", "ip4:192.0.2.1"),
		ROW(spf, MAILFROM, "3", "b.example", "fail", "-all"),
		ROW(spf, MAILFROM, "2", "v2.example", "none", NULL, "no_record"),
		ROW(sidf, MAILFROM, "3", "b.example", "pass", "ip4:192.0.2.3"),
		ROW(sidf, MAILFROM, "1", "v1.example", "pass", "ip4:192.0.2.1"),
		ROW(sidf, PRA, "2", "b.example", "pass", "ip4:192.0.2.2"),
		ROW(sidf, PRA, "1", "b.example", "fail", "-all"),
		ROW(sidf, PRA, "1", "v1.example", "pass", "ip4:192.0.2.1"), /* C-72 */
		ROW(sidf, PRA, "2", "v2.example", "pass", "ip4:192.0.2.2"),
		ROW(sidf, MAILFROM, "2", "v2.example", "pass", "ip4:192.0.2.2"),
		ROW(compatible, MAILFROM, "3", "b.example", "pass", "ip4:192.0.2.3"),
		ROW(compatible, MAILFROM, "1", "v1.example", "pass", "ip4:192.0.2.1"),
		ROW(compatible, PRA, "1", "v1.example", "none", NULL, "no_record"), /* C-73 */
		ROW(compatible, PRA, "2", "b.example", "pass", "ip4:192.0.2.2"),
		ROW(sidf, PRA, "1", "v3.example", "permerror", NULL, "several_records"),
		ROW(sidf, MAILFROM, "1", "v3.example", "neutral", "?all"),
		ROW(sidf, PRA, "1", "v4.example", "none", NULL, "no_record"),
		ROW(sidf, PRA, "1", "v5.example", "none", NULL, "no_record"),
		ROW(sidf, PRA, "1", "v6.example", "softfail", "~all"),
		/* C-72, C-73: what does not exist */
		ROW(sidf, PRA, "1", "gone.example", "fail", NULL, "no_such_domain"),
		ROW(sidf, MAILFROM, "1", "gone.example", "fail", NULL, "no_such_domain"),
		ROW(sidf, MAILFROM, "1", "[192.0.2.1]", "fail", NULL, "malformed"),
		ROW(compatible, PRA, "1", "gone.example", "none", NULL, "no_such_domain"),
		ROW(compatible, MAILFROM, "1", "[192.0.2.1]", "none", NULL, "malformed"),
#undef ROW
	};
	for (unsigned i = 0; i < N(rows); i++)
		spf_case_all(zone, rows[i].profile, rows[i].identity, &rows[i].row, 1);
	static const struct spf_row helo[] = {
		{ "192.0.2.1", "b.example", "", "pass", "ip4:192.0.2.1" },
		{ "192.0.2.2", "v2.example", "", "none", NULL, "no_record" },
		{ "192.0.2.2", "x@b.example", "", "none", NULL, "malformed" },
	};
	spf_case_all(zone, &compatible, SPF_HELO, helo, N(helo));
}

TEST_MAIN("spf_eval", TEST(f9_include), TEST(f9_hosts), TEST(f9_ptr), TEST(f9_networks),
	  TEST(f9_limits), TEST(f9_ptr_limit), TEST(f10_scopes))
