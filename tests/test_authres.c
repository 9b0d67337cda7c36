/* Our own header fields say what the verdict says, and a field that claims to be ours is found however it is written. */
#include "tests/test.h"
#include "verify/auth/authres.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/profile.h"
#include "verify/header/fieldtext.h"

static _Alignas(16) uint8_t memory[1 << 21];

/* What all cases begin with: a From:, an envelope, a client. */
struct site {
	struct arena arena;
	struct config cfg;
	struct message message;
	struct header header;
	struct origin origin;
	struct spf_profile profile;
	struct verdict v;
	struct dkim_result dkim[3];
};

static struct site *begin(const char *section)
{
	static struct site s;
	s = (struct site){ 0 };
	arena_init(&s.arena, memory, sizeof memory);
	strcpy(s.cfg.authserv_id, "mx.example.org");
	CU_ASSERT_FATAL(header_split(&s.header, bytes_str(section), 1, &s.arena));
	s.origin = (struct origin){ .has_client = true,
				    .has_helo = true,
				    .has_mail_from = true,
				    .client = { { [10] = 0xff, 0xff, 192, 0, 2, 1 } },
				    .helo = bytes_str("helo.example"),
				    .mail_from = bytes_str("a@b.example") };
	s.v.dkim = s.dkim;
	s.v.from.address = bytes_str("user123@example.com");
	s.dkim[0] = (struct dkim_result){ .result = AUTH_PASS,
					  .domain = bytes_str("b.example"),
					  .identity = bytes_str("@b.example"),
					  .selector = bytes_str("s1"),
					  .algorithm = bytes_str("rsa-sha256"),
					  .b = bytes_str("ab/c+def"),
					  .key_bits = 2048 };
	s.v.spf[SPF_MAILFROM] = (struct spf_result){ .checked = true,
						     .result = AUTH_PASS,
						     .identity = SPF_MAILFROM,
						     .sender = bytes_str("a@b.example"),
						     .domain = bytes_str("b.example"),
						     .mechanism = bytes_str("ip4:192.0.2.0/24") };
	return &s;
}

static bool make(struct site *s)
{
	struct authres_setup setup = { .cfg = &s->cfg,
				       .message = &s->message,
				       .header = &s->header,
				       .origin = &s->origin,
				       .spf = &s->profile };
	return authres_make(&setup, &s->v, &s->arena);
}

static void want(struct bytes got, const char *text)
{
	CU_ASSERT(bytes_equal(got, bytes_str(text)));
	if (!bytes_equal(got, bytes_str(text)))
		printf("got  %.*s\nwant %s\n", (int)got.n, got.p ? got.p : (const uint8_t *)"",
		       text);
}

static void f13_nothing_checked(void)
{
	struct site *s = begin("\r\n");
	CU_ASSERT_TRUE(make(s));
	want(s->v.headers.authentication_results, "Authentication-Results: mx.example.org; none");
	CU_ASSERT_PTR_NULL(s->v.headers.dmarc_fail_policy.p);
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		CU_ASSERT_PTR_NULL(s->v.headers.received_spf[i].p);
	CU_ASSERT_EQUAL(s->v.headers.forged_results, 0);
}

static void b5_all_methods(void)
{
	struct site *s = begin("Resent-From: r@pra.example\r\n\r\n");
	s->v.checks = VERDICT_SPF | VERDICT_DKIM | VERDICT_ARC | VERDICT_DMARC;
	s->v.spf[SPF_HELO] = (struct spf_result){ .checked = true,
						  .result = AUTH_NONE,
						  .reason = "no_record",
						  .identity = SPF_HELO,
						  .domain = bytes_str("helo.example") };
	s->v.spf[SPF_PRA] = (struct spf_result){ .checked = true,
						 .result = AUTH_SOFTFAIL,
						 .identity = SPF_PRA,
						 .sender = bytes_str("r@pra.example"),
						 .domain = bytes_str("pra.example"),
						 .mechanism = bytes_str("~all") };
	s->dkim[1] = (struct dkim_result){ .result = AUTH_FAIL,
					   .reason = "body_hash",
					   .test_mode = true,
					   .domain = bytes_str("c.example"),
					   .selector = bytes_str("s2"),
					   .algorithm = bytes_str("ed25519-sha256"),
					   .b = bytes_str("12345678"),
					   .key_bits = 256 };
	s->v.n_dkim = 2;
	s->v.arc = (struct arc_result){ .result = AUTH_PASS, .instance = 3, .oldest_pass = 2 };
	s->v.dmarc = (struct dmarc_result){ .result = AUTH_PASS,
					    .has_record = true,
					    .p = DMARC_REJECT,
					    .has_sp = true,
					    .sp = DMARC_NONE,
					    .policy = DMARC_REJECT,
					    .author = bytes_str("b.example") };
	CU_ASSERT_TRUE(make(s));
	want(s->v.headers.authentication_results,
	     "Authentication-Results: mx.example.org;\r\n"
	     "\tspf=pass smtp.mailfrom=a@b.example;\r\n"
	     "\tspf=none (the domain publishes no record for this identity)\r\n"
	     "\tsmtp.helo=helo.example;\r\n"
	     "\tsender-id=softfail header.resent-from=r@pra.example;\r\n"
	     "\tdkim=pass (2048-bit key) header.d=b.example header.i=@b.example header.s=s1\r\n"
	     "\theader.a=rsa-sha256 header.b=\"ab/c+def\";\r\n"
	     "\tdkim=fail (the body hash did not verify, 256-bit key, test mode)\r\n"
	     "\theader.d=c.example header.s=s2 header.a=ed25519-sha256 header.b=12345678;\r\n"
	     "\tarc=pass (i=3) header.oldest-pass=2;\r\n"
	     "\tdmarc=pass (p=reject sp=none dis=none) header.from=b.example\r\n"
	     "\tpolicy.dmarc=reject");
	want(s->v.headers.received_spf[SPF_MAILFROM],
	     "Received-SPF: pass (mx.example.org: b.example permits 192.0.2.1)\r\n"
	     "\tclient-ip=192.0.2.1; envelope-from=\"a@b.example\"; helo=helo.example;\r\n"
	     "\treceiver=mx.example.org; identity=mailfrom; mechanism=\"ip4:192.0.2.0/24\"");
	want(s->v.headers.received_spf[SPF_HELO],
	     "Received-SPF: none (mx.example.org: helo.example says nothing about 192.0.2.1)\r\n"
	     "\tclient-ip=192.0.2.1; envelope-from=\"a@b.example\"; helo=helo.example;\r\n"
	     "\treceiver=mx.example.org; identity=helo");
	CU_ASSERT_PTR_NOT_NULL(s->v.headers.received_spf[SPF_PRA].p);
	CU_ASSERT_PTR_NULL(s->v.headers.dmarc_fail_policy.p);
}

/* The words of RFC 8601 for each, and what has none is left out or neutral. */
static void n3_unverifiable(void)
{
	struct site *s = begin("\r\n");
	s->v.checks = VERDICT_SPF | VERDICT_DKIM | VERDICT_ARC | VERDICT_DMARC;
	s->v.spf[SPF_MAILFROM].result = AUTH_UNVERIFIABLE;
	s->dkim[0].result = AUTH_UNVERIFIABLE;
	s->dkim[0].reason = "octets_missing";
	s->dkim[0].key_bits = 0;
	s->v.n_dkim = 1;
	s->v.arc.result = AUTH_UNVERIFIABLE;
	s->v.dmarc.result = AUTH_UNVERIFIABLE;
	CU_ASSERT_TRUE(make(s));
	want(s->v.headers.authentication_results,
	     "Authentication-Results: mx.example.org;\r\n"
	     "\tdkim=neutral (unverifiable, octets it covers were not seen)\r\n"
	     "\theader.d=b.example header.i=@b.example header.s=s1 header.a=rsa-sha256\r\n"
	     "\theader.b=\"ab/c+def\"");
	CU_ASSERT_PTR_NULL(s->v.headers.received_spf[SPF_MAILFROM].p);
	s->v.checks = VERDICT_SPF | VERDICT_ARC | VERDICT_DMARC;
	s->v.arc.result = AUTH_TEMPERROR;
	CU_ASSERT_TRUE(make(s));
	want(s->v.headers.authentication_results, "Authentication-Results: mx.example.org; none");
}

static void f13_unsigned_and_null_sender(void)
{
	struct site *s = begin("\r\n");
	s->v.checks = VERDICT_SPF | VERDICT_DKIM;
	s->origin.mail_from = bytes_str("");
	s->v.spf[SPF_MAILFROM].sender = bytes_str("postmaster@helo.example");
	s->v.spf[SPF_MAILFROM].result = AUTH_FAIL;
	s->v.spf[SPF_MAILFROM].reason = "no_such_domain";
	s->v.spf[SPF_MAILFROM].mechanism = bytes_str("");
	CU_ASSERT_TRUE(make(s));
	want(s->v.headers.authentication_results,
	     "Authentication-Results: mx.example.org;\r\n"
	     "\tspf=fail (the domain does not exist) smtp.mailfrom=postmaster@helo.example;\r\n"
	     "\tdkim=none");
	want(s->v.headers.received_spf[SPF_MAILFROM],
	     "Received-SPF: fail (mx.example.org: b.example does not permit 192.0.2.1)\r\n"
	     "\tclient-ip=192.0.2.1; envelope-from=\"\"; helo=helo.example;\r\n"
	     "\treceiver=mx.example.org; identity=mailfrom; mechanism=default");
}

static void c50_partially_verified(void)
{
	struct site *s = begin("\r\n");
	s->v.checks = VERDICT_DKIM;
	s->v.n_dkim = 1;
	s->dkim[0].partial = true;
	s->dkim[0].body_octets = 1000;
	CU_ASSERT_TRUE(make(s));
	want(s->v.headers.authentication_results,
	     "Authentication-Results: mx.example.org;\r\n"
	     "\tdkim=pass (partially verified [1000 bytes], 2048-bit key) header.d=b.example\r\n"
	     "\theader.i=@b.example header.s=s1 header.a=rsa-sha256 header.b=\"ab/c+def\"");
	s->cfg.header_style = STYLE_ASYNCOS;
	strcpy(s->cfg.authserv_id, "example1.com");
	CU_ASSERT_TRUE(make(s));
	want(s->v.headers.authentication_results,
	     "Authentication-Results: example1.com header.from=From:user123@example.com; "
	     "dkim=pass (partially verified [1000 bytes])");
}

static void c51_style_asyncos(void)
{
	static const struct {
		enum auth_result result;
		const char *reason, *want;
	} rows[] = {
		{ AUTH_PASS, NULL, "dkim=pass (signature verified)" },
		{ AUTH_FAIL, "body_hash", "dkim=permfail (body hash did not verify)" },
		{ AUTH_FAIL, "signature", "dkim=permfail (signature did not verify)" },
		{ AUTH_PERMERROR, "no_key", "dkim=permfail (there is no key record)" },
		{ AUTH_POLICY, "sha1", "dkim=permfail (rsa-sha1 \\(RFC 8301 section 3.1\\))" },
		{ AUTH_TEMPERROR, "key_timeout",
		  "dkim=tempfail (no answer about the key in time)" },
		{ AUTH_UNVERIFIABLE, "octets_missing",
		  "dkim=neutral (octets it covers were not seen)" },
		{ AUTH_NONE, NULL, "dkim=none (message not signed)" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct site *s = begin("\r\n");
		char text[256];
		s->v.checks = VERDICT_DKIM | VERDICT_DMARC | VERDICT_SPF;
		s->v.n_dkim = 1;
		s->dkim[0].result = rows[i].result;
		s->dkim[0].reason = rows[i].reason;
		s->cfg.header_style = STYLE_ASYNCOS;
		strcpy(s->cfg.authserv_id, "example1.com");
		CU_ASSERT_TRUE(make(s));
		snprintf(text, sizeof text,
			 "Authentication-Results: example1.com "
			 "header.from=From:user123@example.com; %s",
			 rows[i].want);
		want(s->v.headers.authentication_results, text);
	}
	struct site *s = begin("\r\n");
	s->cfg.header_style = STYLE_ASYNCOS;
	s->v.checks = VERDICT_DKIM | VERDICT_DMARC;
	s->v.from.address = bytes_str("");
	s->v.dmarc = (struct dmarc_result){ .result = AUTH_FAIL,
					    .has_record = true,
					    .p = DMARC_QUARANTINE,
					    .policy = DMARC_QUARANTINE,
					    .author = bytes_str("b.example") };
	CU_ASSERT_TRUE(make(s));
	want(s->v.headers.authentication_results,
	     "Authentication-Results: mx.example.org; dkim=none (message not signed); "
	     "dmarc=fail (p=quarantine dis=quarantine) d=b.example");
}

static void c86_c88_received_spf_asyncos(void)
{
	static const struct {
		enum auth_result result;
		const char *word;
	} rows[] = { { AUTH_NONE, "None" },          { AUTH_PASS, "Pass" },
		     { AUTH_NEUTRAL, "Neutral" },    { AUTH_SOFTFAIL, "SoftFail" },
		     { AUTH_FAIL, "Fail" },          { AUTH_TEMPERROR, "TempError" },
		     { AUTH_PERMERROR, "PermError" } };
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct site *s = begin("Sender: alice@company.com\r\n\r\n");
		char text[512];
		s->cfg.header_style = STYLE_ASYNCOS;
		strcpy(s->cfg.authserv_id, "box.example.com");
		s->profile.level = SPF_LEVEL_SIDF_COMPATIBLE;
		s->v.checks = VERDICT_SPF;
		s->origin.client = (struct address){ { [10] = 0xff, 0xff, 1, 2, 3, 4 } };
		s->origin.mail_from = bytes_str("alice@fooo.com");
		s->v.spf[SPF_PRA] = (struct spf_result){ .checked = true,
							 .result = (uint8_t)rows[i].result,
							 .identity = SPF_PRA,
							 .sender = bytes_str("alice@company.com"),
							 .domain = bytes_str("company.com") };
		CU_ASSERT_TRUE(make(s));
		snprintf(text, sizeof text,
			 "Received-SPF: %s identity=pra; receiver=box.example.com; "
			 "client-ip=1.2.3.4; envelope-from=\"alice@fooo.com\"; "
			 "x-sender=\"alice@company.com\"; x-conformance=sidf_compatible",
			 rows[i].word);
		want(s->v.headers.received_spf[SPF_PRA], text);
	}
}

static void c87_received_spf_fields(void)
{
	struct site *s = begin("\r\n");
	s->cfg.header_style = STYLE_ASYNCOS;
	s->v.checks = VERDICT_SPF;
	s->origin.mail_from = bytes_str("");
	s->origin.client = (struct address){ { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	s->v.spf[SPF_MAILFROM].sender = bytes_str("postmaster@helo.example");
	CU_ASSERT_TRUE(make(s));
	want(s->v.headers.received_spf[SPF_MAILFROM],
	     "Received-SPF: Pass identity=mailfrom; receiver=mx.example.org; "
	     "client-ip=2001:db8::1; envelope-from=\"\"; "
	     "x-sender=\"postmaster@helo.example\"; x-conformance=spf_only");
	s->v.spf[SPF_MAILFROM].downgraded = true;
	s->profile.level = SPF_LEVEL_SIDF_COMPATIBLE;
	CU_ASSERT_TRUE(make(s));
	struct bytes out = s->v.headers.received_spf[SPF_MAILFROM];
	CU_ASSERT_PTR_NOT_NULL(
		memmem(out.p, out.n, "x-conformance=sidf_compatible_downgraded", 40));
	/* RFC 7208: the address is no dot-atom; what went wrong is told */
	s->cfg.header_style = STYLE_RFC8601;
	s->v.spf[SPF_MAILFROM].result = AUTH_PERMERROR;
	s->v.spf[SPF_MAILFROM].reason = "lookup_limit";
	CU_ASSERT_TRUE(make(s));
	want(s->v.headers.received_spf[SPF_MAILFROM],
	     "Received-SPF: permerror (mx.example.org: b.example has no valid record that\r\n"
	     "\tcovers 2001:db8::1) client-ip=\"2001:db8::1\"; envelope-from=\"\";\r\n"
	     "\thelo=helo.example; receiver=mx.example.org; identity=mailfrom;\r\n"
	     "\tproblem=lookup_limit");
}

/* Every copy of the policy field that came in is found, whatever its letters, form and place, and of
 * both names whatever the style; ours is made beside it. */
static void g6_copies_that_came_in(void)
{
	static const struct {
		const char *section;
		unsigned want;
	} rows[] = {
		{ "From: a@b.example\r\n\r\n", 0 },
		{ "X-SGDMARC-Fail-policy: reject\r\n\r\n", 1 },
		{ "x-sgdmarc-FAIL-policy:none\r\n\r\n", 1 },
		{ "X-SGDMARC-Fail-policy :\r\n reject\r\n\r\n", 1 },
		{ "X-Postern-DMARC-Fail-Policy:\r\n\r\n", 1 },
		{ "X-SGDMARC-Fail-policy: a\r\nFrom: a@b.example\r\nX-SGDMARC-Fail-policy: b\r\n"
		  "x-postern-dmarc-fail-policy: c\r\n\r\n",
		  3 },
		{ "X-SGDMARC-Fail-policy: no end", 1 },
		{ "X-SGDMARC-Fail-policy-: x\r\nX-X-SGDMARC-Fail-policy: x\r\n"
		  "Subject: X-SGDMARC-Fail-policy: x\r\n X-SGDMARC-Fail-policy: x\r\n\r\n",
		  0 },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (unsigned style = STYLE_RFC8601; style <= STYLE_SECURITYGATEWAY; style++) {
			struct site *s = begin(rows[i].section);
			s->cfg.header_style = style;
			s->v.checks = VERDICT_DMARC;
			s->v.dmarc = (struct dmarc_result){ .result = AUTH_FAIL,
							    .has_record = true,
							    .policy = DMARC_REJECT };
			CU_ASSERT_TRUE(make(s));
			CU_ASSERT_EQUAL(s->v.headers.forged_policy, rows[i].want);
			CU_ASSERT_PTR_NOT_NULL(s->v.headers.dmarc_fail_policy.p);
		}
}

static void g5_g20_d12_policy(void)
{
	static const struct {
		enum auth_result result;
		enum dmarc_policy policy;
		const char *override, *want, *comment;
	} rows[] = {
		{ AUTH_FAIL, DMARC_REJECT, NULL, "reject", "(p=reject sp=none dis=reject" },
		{ AUTH_FAIL, DMARC_QUARANTINE, NULL, "quarantine",
		  "(p=reject sp=none dis=quarantine" },
		{ AUTH_FAIL, DMARC_NONE, NULL, NULL, "(p=reject sp=none dis=none" },
		{ AUTH_FAIL, DMARC_REJECT, "arc", NULL, "(p=reject sp=none dis=none override=arc" },
		{ AUTH_PASS, DMARC_REJECT, NULL, NULL, "(p=reject sp=none dis=none" },
		{ AUTH_PERMERROR, DMARC_REJECT, NULL, "reject", "(p=reject sp=none dis=reject" },
		{ AUTH_PERMERROR, DMARC_NONE, NULL, NULL, "(p=reject sp=none dis=none" },
		{ AUTH_TEMPERROR, DMARC_REJECT, NULL, NULL, "(p=reject sp=none dis=none" },
	};
	static const char *const names[] = { "X-Postern-DMARC-Fail-Policy",
					     "X-Postern-DMARC-Fail-Policy",
					     "X-SGDMARC-Fail-policy" };
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (unsigned style = STYLE_RFC8601; style <= STYLE_SECURITYGATEWAY; style++) {
			struct site *s = begin("\r\n");
			char text[128];
			s->cfg.header_style = style;
			s->v.checks = VERDICT_DMARC;
			s->v.dmarc = (struct dmarc_result){ .result = (uint8_t)rows[i].result,
							    .has_record = true,
							    .p = DMARC_REJECT,
							    .has_sp = true,
							    .sp = DMARC_NONE,
							    .policy = (uint8_t)rows[i].policy,
							    .override = rows[i].override };
			CU_ASSERT_TRUE(make(s));
			struct bytes results = s->v.headers.authentication_results;
			CU_ASSERT_PTR_NOT_NULL(memmem(results.p, results.n, rows[i].comment,
						      strlen(rows[i].comment)));
			if (!rows[i].want) {
				CU_ASSERT_PTR_NULL(s->v.headers.dmarc_fail_policy.p);
				continue;
			}
			snprintf(text, sizeof text, "%s: %s", names[style], rows[i].want);
			want(s->v.headers.dmarc_fail_policy, text);
		}
	}
}

static const struct {
	const char *value, *id;
} ids[] = {
	{ " mx.example.org; spf=pass", "mx.example.org" },
	{ "MX.example.org;none", "MX.example.org" },
	{ " mx.example.org 1; none", "mx.example.org" },
	{ " mx.example.org(c); none", "mx.example.org" },
	{ " mx.example.org", "mx.example.org" },
	{ "\r\n\t(a (b \\) c)) \r\n \"mx.example.org\"; none", "mx.example.org" },
	{ " \"mx.\\example.org\" 1; none", "mx.example.org" },
	{ " \"mx.example.org", "" },
	{ " (mx.example.org", "" },
	{ "", "" },
	{ " ; mx.example.org", "" },
};

static void b5_authserv_id(void)
{
	for (unsigned i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		struct arena a;
		size_t n = strlen(ids[i].value);
		arena_init(&a, memory, sizeof memory);
		uint8_t *p = test_guard(ids[i].value, n);
		CU_ASSERT(bytes_equal(authres_id(bytes_of(p, n), &a), bytes_str(ids[i].id)));
		test_guard_free(p, n);
	}
}

static void id_cut_everywhere(void)
{
	for (unsigned i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		for (size_t n = 0; n < strlen(ids[i].value); n++) {
			struct arena a;
			arena_init(&a, memory, sizeof memory);
			uint8_t *p = test_guard(ids[i].value, n);
			CU_ASSERT(authres_id(bytes_of(p, n), &a).n <= n);
			test_guard_free(p, n);
		}
	}
}

static void f13_forged_fields(void)
{
	static const char section[] =
		"Authentication-Results: mx.example.org; spf=pass\r\n"
		"authentication-results : (x)\r\n \"MX.Example.\\ORG\" 1; dkim=pass\r\n"
		"Authentication-Results: mx.example.org.; none\r\n"
		"Authentication-Results: mx.example.org.evil.example; none\r\n"
		"Authentication-Results: (mx.example.org) other.example; none\r\n"
		"ARC-Authentication-Results: i=1; mx.example.org; none\r\n"
		"X-Postern-DMARC-Fail-Policy: reject\r\n"
		"x-sgdmarc-fail-POLICY: reject\r\n"
		"Subject: x\r\n\r\n";
	struct site *s = begin(section);
	CU_ASSERT_TRUE(make(s));
	CU_ASSERT_EQUAL(s->v.headers.forged_results, 3);
	CU_ASSERT_EQUAL(s->v.headers.forged_policy, 2);
	s = begin("Authentication-Results: b\xc3\xbc"
		  "cher.example; spf=pass\r\n\r\n");
	strcpy(s->cfg.authserv_id, "xn--bcher-kva.example");
	CU_ASSERT_TRUE(make(s));
	CU_ASSERT_EQUAL(s->v.headers.forged_results, 1);
}

/* 250 KiB of comments, folds and backslashes in front of the name. */
static void f13_forged_field_of_any_size(void)
{
	enum { SIZE = 250 * 1024 };
	static const char *const fillers[] = { "(x)", "\r\n ", "(\\()", "((((", "(a\r\n b)" };
	static const char name[] = "Authentication-Results:";
	for (unsigned i = 0; i < sizeof fillers / sizeof fillers[0]; i++) {
		char *in = malloc(SIZE + 1);
		CU_ASSERT_FATAL(in != NULL);
		size_t n = sizeof name - 1, depth = 0, part = strlen(fillers[i]);
		memcpy(in, name, n);
		while (n + part + 64 < SIZE / (i == 3 ? 2 : 1)) {
			memcpy(in + n, fillers[i], part);
			n += part;
			depth += i == 3 ? part : 0;
		}
		memset(in + n, ')', depth);
		n += depth;
		strcpy(in + n, "\"mx.example.org\"; dkim=pass\r\n\r\n");
		struct site *s = begin(in);
		CU_ASSERT_TRUE(make(s));
		CU_ASSERT_EQUAL(s->v.headers.forged_results, 1);
		free(in);
	}
}

/* Hostile text in every place that comes from outside: two lines of a field are never two fields. */
static void hostile_text(void)
{
	static const char evil[] =
		"x\"\r\nBcc: y@z (;\\\r\n\t; dkim=pass \xff\x01 header.d=bank.example";
	struct bytes text = bytes_of(evil, sizeof evil); /* with its NUL */
	for (unsigned style = STYLE_RFC8601; style <= STYLE_SECURITYGATEWAY; style++) {
		struct site *s = begin("From: x@y\r\n\r\n");
		s->cfg.header_style = style;
		s->v.checks = VERDICT_SPF | VERDICT_DKIM | VERDICT_ARC | VERDICT_DMARC;
		s->v.n_dkim = 1;
		s->dkim[0].domain = s->dkim[0].identity = s->dkim[0].selector = text;
		s->dkim[0].algorithm = s->dkim[0].b = text;
		s->origin.helo = s->origin.mail_from = s->v.from.address = text;
		for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
			s->v.spf[i] = (struct spf_result){ .checked = true,
							   .result = AUTH_FAIL,
							   .identity = (uint8_t)i,
							   .sender = text,
							   .domain = text,
							   .mechanism = text };
		s->v.dmarc = (struct dmarc_result){ .result = AUTH_FAIL,
						    .has_record = true,
						    .author = text };
		CU_ASSERT_TRUE(make(s));
		struct bytes all[] = { s->v.headers.authentication_results,
				       s->v.headers.received_spf[0], s->v.headers.received_spf[1],
				       s->v.headers.received_spf[2] };
		for (unsigned i = 0; i < 4; i++) {
			CU_ASSERT_PTR_NOT_NULL(all[i].p);
			for (size_t k = 0; k < all[i].n; k++) {
				uint8_t c = all[i].p[k];
				bool fold = (c == '\r' && all[i].p[k + 1] == '\n') ||
					    (c == '\n' && all[i].p[k + 1] == '\t') ||
					    (c == '\t' && all[i].p[k - 1] == '\n');
				CU_ASSERT(fold || (c >= ' ' && c < 0x7f));
			}
		}
	}
}

/* The longest there can be: no line over 998 octets, and it is all there. */
static void limits(void)
{
	enum { N = 64 };
	static struct dkim_result results[N];
	static char longest[FIELDTEXT_VALUE_MAX + 1];
	struct site *s = begin("\r\n");
	memset(longest, '"', sizeof longest);
	for (unsigned i = 0; i < N; i++) {
		struct bytes b = bytes_of(longest, sizeof longest - 1 + (i == N - 1));
		results[i] = (struct dkim_result){ .result = AUTH_PERMERROR,
						   .reason = "signature_value",
						   .test_mode = true,
						   .domain = b,
						   .selector = b,
						   .algorithm = b,
						   .identity = b,
						   .b = bytes_str("\"\"\"\"\"\"\"\""),
						   .key_bits = UINT32_MAX };
	}
	s->v.dkim = results;
	s->v.n_dkim = N;
	s->v.checks = VERDICT_DKIM;
	CU_ASSERT_TRUE(make(s));
	struct bytes out = s->v.headers.authentication_results;
	size_t line = 0, values = 0;
	for (size_t i = 0; i < out.n; i++) {
		line = out.p[i] == '\n' ? 0 : line + 1;
		CU_ASSERT(line < 998);
		values += i + 9 < out.n && !memcmp(out.p + i, "header.i=", 9);
	}
	CU_ASSERT_EQUAL(values, N - 1); /* the one over the limit is left out */
}

static void arena_full(void)
{
	size_t needed = 0;
	for (size_t room = 2000; room > 0; room--) {
		struct site *s = begin("\r\n");
		s->v.checks = VERDICT_SPF | VERDICT_DKIM | VERDICT_DMARC;
		s->v.n_dkim = 1;
		s->v.dmarc = (struct dmarc_result){ .result = AUTH_FAIL,
						    .has_record = true,
						    .policy = DMARC_REJECT };
		s->arena.base += s->arena.used;
		s->arena.used = 0;
		s->arena.size = room;
		if (make(s)) {
			needed = room;
			CU_ASSERT(s->arena.used <= room);
		}
	}
	CU_ASSERT(needed > 400 && needed < 1000);
}

TEST_MAIN("authres", TEST(f13_nothing_checked), TEST(b5_all_methods), TEST(n3_unverifiable),
	  TEST(f13_unsigned_and_null_sender), TEST(c50_partially_verified), TEST(c51_style_asyncos),
	  TEST(c86_c88_received_spf_asyncos), TEST(c87_received_spf_fields),
	  TEST(g6_copies_that_came_in), TEST(g5_g20_d12_policy), TEST(b5_authserv_id),
	  TEST(id_cut_everywhere), TEST(f13_forged_fields), TEST(f13_forged_field_of_any_size),
	  TEST(hostile_text), TEST(limits), TEST(arena_full))
