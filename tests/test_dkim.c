/* A signature passes if and only if RFC 6376 says so, and what stands against it is named. */
#include "tests/dkim_bench.h"

static void forms(void)
{
	static const char *const canon[] = { "",
					     "c=simple; ",
					     "c=relaxed; ",
					     "c=simple/simple; ",
					     "c=simple/relaxed; ",
					     "c=relaxed/simple; ",
					     "c=relaxed/relaxed; " };
	static const char *const bodies[] = {
		body, "", "\r\n", "  ", "a", "\r\n\r\n \t\r\na b\r\n"
	};
	struct bench *b = bench_new();
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	for (unsigned i = 0; i < sizeof canon / sizeof canon[0]; i++)
		for (unsigned k = 0; k < sizeof bodies / sizeof bodies[0]; k++) {
			char tags[200];
			snprintf(tags, sizeof tags, TAGS "%sh=from:to:subject", canon[i]);
			struct sign s = signer(tags, "from:to:subject");
			s.after = k % 2 ? "; z=Some:  Thing\r\n |b=x ; n=y" : NULL;
			struct bytes text = mail(b, &s, header, bodies[k]);
			for (b->lanes = 1; b->lanes <= 4; b->lanes += 3)
				for (b->chunk = 0; b->chunk < 9; b->chunk += 4) {
					CU_ASSERT(is(run(b, text), AUTH_PASS, NULL));
					CU_ASSERT_EQUAL(b->verdict.dkim->key_bits, 1024);
					CU_ASSERT(b->verdict.dkim->aligned);
				}
		}
	bench_free(b);
}

static void f8_ed25519(void)
{
	struct bench *b = bench_new();
	struct sign s =
		signer("v=1; a=ed25519-sha256; d=example.com; s=s1; c=relaxed/relaxed; h=from:to",
		       "from:to");
	s.key = sign_ed25519();
	char *record = sign_record(s.key, "");
	b->zone[0] = (struct row){ key_name, record, ANSWER_DATA };
	struct bytes text = mail(b, &s, header, body);
	CU_ASSERT(is(run(b, text), AUTH_PASS, NULL));
	CU_ASSERT_EQUAL(b->verdict.dkim->key_bits, 256);
	b->zone[0].text = test_record();
	CU_ASSERT(is(run(b, text), AUTH_PERMERROR, "key_type"));
	struct sign rsa = signer(TAGS "h=from", "from");
	text = mail(b, &rsa, header, body);
	b->zone[0].text = record;
	CU_ASSERT(is(run(b, text), AUTH_PERMERROR, "key_type"));
	free(record);
	EVP_PKEY_free(s.key);
	bench_free(b);
}

/* Every octet of the message changed once: it never passes but where the form allows it. */
static void every_octet_counts(void)
{
	struct bench *b = bench_new();
	struct sign s = signer(TAGS "h=received:from:to:subject:subject",
			       "received:from:to:subject:subject");
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	struct bytes text = mail(b, &s, header, "body\r\n");
	CU_ASSERT(is(run(b, text), AUTH_PASS, NULL));
	unsigned passed = 0;
	char *own = strstr(b->text, "b=") + 2, *own_end = strstr(b->text, "\r\n");
	own = strstr(own, "; b=") + 4; /* the first is bh= */
	for (size_t i = 0; i < text.n; i++) {
		b->text[i] ^= 4;
		struct dkim_result *r = run(b, text);
		bool pass = b->verdict.n_dkim && r->result == AUTH_PASS;
		/* the unused bits of the last letter of b= */
		bool in_b = b->text + i >= own && b->text + i < own_end;
		CU_ASSERT(!pass || in_b);
		passed += pass;
		b->text[i] ^= 4;
	}
	CU_ASSERT(passed <= 1);
	bench_free(b);
}

static void f7_what_h_covers(void)
{
	static const struct {
		const char *h, *changed;
		bool pass;
	} rows[] = {
		/* one more above is not covered, unless h= names one too many (over-signing) */
		{ "from:to", "To: evil\r\n%s", true },
		{ "from:to:to", "To: evil\r\n%s", false },
		{ "from:to", "%sTo: evil\r\n", false },
		{ "from:subject", "Subject: evil\r\n%s", true },
		{ "from:subject:subject:subject", "Subject: evil\r\n%s", false },
		{ "from:absent", "Absent: now\r\n%s", false },
		{ "from:absent", "%s", true },
		{ "FROM:To:from", "%s", true },
		{ "from:from", "From: evil@example.net\r\n%s", false },
		/* the field itself is never covered by its own h= */
		{ "from:dkim-signature", "%s", true },
	};
	struct bench *b = bench_new();
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char tags[200], names[100], changed[1000];
		snprintf(tags, sizeof tags, TAGS "h=%s", rows[i].h);
		for (size_t k = 0; k <= strlen(rows[i].h); k++)
			names[k] = (char)bytes_lower((uint8_t)rows[i].h[k]);
		struct sign s = signer(tags, names);
		char *field = sign_message(&s, header, bytes_str(body));
		snprintf(changed, sizeof changed, rows[i].changed, header);
		free(b->text);
		CU_ASSERT(asprintf(&b->text, "%s%s\r\n%s", field, changed, body) > 0);
		free(field);
		struct dkim_result *r = run(b, bytes_str(b->text));
		CU_ASSERT(rows[i].pass ? is(r, AUTH_PASS, NULL) : is(r, AUTH_FAIL, "signature"));
	}
	bench_free(b);
}

static void f7_key_records(void)
{
	struct bench *b = bench_new();
	struct sign s = signer(TAGS "i=x@sub.example.com; h=from", "from");
	struct bytes text = mail(b, &s, header, body);
	static const struct {
		const char *more;
		enum auth_result result;
		const char *reason;
		bool test;
	} rows[] = {
		{ "", AUTH_PASS, NULL, false },
		{ "t=y; ", AUTH_PASS, NULL, true },
		{ "t=s; ", AUTH_PERMERROR, "domain_mismatch", false },
		{ "t=y:s; ", AUTH_PERMERROR, "domain_mismatch", true },
		{ "h=sha1; ", AUTH_PERMERROR, "key_hash", false },
		{ "h=sha1:sha256; ", AUTH_PASS, NULL, false },
		{ "s=other; ", AUTH_PERMERROR, "key_service", false },
		{ "g=nobody; ", AUTH_PASS, NULL, false },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *record = sign_record(test_key(), rows[i].more);
		b->zone[0] = (struct row){ key_name, record, ANSWER_DATA };
		struct dkim_result *r = run(b, text);
		CU_ASSERT(is(r, rows[i].result, rows[i].reason));
		CU_ASSERT_EQUAL(r->test_mode, rows[i].test);
		free(record);
	}
	static const struct {
		struct row record;
		enum auth_result result;
		const char *reason;
	} answers[] = {
		{ { key_name, "v=DKIM1; p=", 0 }, AUTH_PERMERROR, "key_revoked" },
		{ { key_name, "v=DKIM2; p=AAAA", 0 }, AUTH_PERMERROR, "key_syntax" },
		{ { key_name, "v=DKIM1; p=AAAA", 0 }, AUTH_PERMERROR, "key_syntax" },
		{ { key_name, "v=DKIM1; k=x; p=AAAA", 0 }, AUTH_PERMERROR, "key_type" },
		{ { "other", "v=DKIM1; p=", 0 }, AUTH_PERMERROR, "no_key" },
		{ { key_name, NULL, ANSWER_NODATA }, AUTH_PERMERROR, "no_key" },
		{ { key_name, NULL, ANSWER_SERVFAIL }, AUTH_TEMPERROR, "key_failed" },
		{ { key_name, NULL, ANSWER_TIMEOUT }, AUTH_TEMPERROR, "key_timeout" },
	};
	for (unsigned i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		b->zone[0] = answers[i].record;
		CU_ASSERT(is(run(b, text), answers[i].result, answers[i].reason));
	}
	bench_free(b);
}

/* C-53: where the profile says so, a signature with a key in test mode is not looked at. */
static void c53_test_keys_skipped(void)
{
	static const char *const more[] = { "t=y; ", "t=s:y; ", "t=y; s=other; ", "t=s; ", "" };
	struct bench *b = bench_new();
	struct sign s = signer(TAGS "h=from", "from");
	struct bytes text = mail(b, &s, header, body);
	for (unsigned bad = 0; bad < 2; bad++, b->text[text.n - 20] ^= 1)
		for (unsigned i = 0; i < sizeof more / sizeof more[0]; i++) {
			char *record = sign_record(test_key(), more[i]);
			b->zone[0] = (struct row){ key_name, record, ANSWER_DATA };
			b->profile.test = DKIM_TEST_SKIP;
			struct dkim_result *r = run(b, text);
			CU_ASSERT(i < 3 ? is(r, AUTH_NEUTRAL, "test_mode")
				  : bad ? is(r, AUTH_FAIL, "body_hash")
					: is(r, AUTH_PASS, NULL));
			CU_ASSERT_EQUAL(r->test_mode, i < 3);
			b->profile.test = DKIM_TEST_REPORT;
			CU_ASSERT(run(b, text)->result != AUTH_NEUTRAL);
			free(record);
		}
	CU_ASSERT_EQUAL(stats_get(b->stats, STAT_DKIM_NEUTRAL), 6);
	bench_free(b);
}

/* DNSSEC's word on the key's answer stands with the result; with evidence every answer is known. */
static void secure_and_evidence(void)
{
	struct bench *b = bench_new();
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	struct sign s = signer(TAGS "h=from", "from");
	struct bytes text = mail(b, &s, header, body);
	for (unsigned i = 0; i < 4; i++) {
		b->secure = i & 1;
		b->cfg.evidence = i & 2;
		struct dkim_result *r = run(b, text);
		CU_ASSERT(is(r, AUTH_PASS, NULL));
		CU_ASSERT_EQUAL(r->secure, b->secure);
		CU_ASSERT_EQUAL(b->asked, 1);
	}
	bench_free(b);
}

static void c54_f8_sizes_and_sha1(void)
{
	static const unsigned bits[] = { 512, 768, 1024, 2048 };
	struct bench *b = bench_new();
	for (unsigned i = 0; i < sizeof bits / sizeof bits[0]; i++) {
		struct sign s = signer(TAGS "h=from", "from");
		s.key = sign_rsa(bits[i]);
		char *record = sign_record(s.key, "");
		b->zone[0] = (struct row){ key_name, record, ANSWER_DATA };
		struct bytes text = mail(b, &s, header, body);
		struct dkim_result *r = run(b, text);
		CU_ASSERT(bits[i] < 1024 ? is(r, AUTH_POLICY, "key_size") : is(r, AUTH_PASS, NULL));
		CU_ASSERT_EQUAL(r->key_bits, bits[i]);
		b->profile.min_bits = 512;
		b->profile.max_bits = 1024;
		r = run(b, text);
		CU_ASSERT(bits[i] > 1024 ? is(r, AUTH_POLICY, "key_size") : is(r, AUTH_PASS, NULL));
		b->profile = defaults();
		free(record);
		EVP_PKEY_free(s.key);
	}
	struct sign s = signer("v=1; a=rsa-sha1; d=example.com; s=s1; h=from", "from");
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	struct bytes text = mail(b, &s, header, body);
	CU_ASSERT(is(run(b, text), AUTH_POLICY, "sha1"));
	CU_ASSERT_EQUAL(b->asked, 0);
	b->profile.allow_sha1 = true;
	CU_ASSERT(is(run(b, text), AUTH_PASS, NULL));
	bench_free(b);
}

static void c57_times_and_skew(void)
{
	static const struct {
		long t, x; /* against now; 0: absent */
		enum auth_result result;
		const char *reason;
	} rows[] = {
		{ -5, 0, AUTH_PASS, NULL },          { 60, 0, AUTH_PASS, NULL },
		{ 61, 0, AUTH_POLICY, "future" },    { 0, 5, AUTH_PASS, NULL },
		{ 0, -60, AUTH_PASS, NULL },         { 0, -61, AUTH_POLICY, "expired" },
		{ -9, -10, AUTH_PERMERROR, "time" }, { -10, -10, AUTH_PASS, NULL },
	};
	struct bench *b = bench_new();
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char tags[200], t[40] = "", x[40] = "";
		if (rows[i].t)
			snprintf(t, sizeof t, "t=%ld; ", NOW_S + rows[i].t);
		if (rows[i].x)
			snprintf(x, sizeof x, "x=%ld; ", NOW_S + rows[i].x);
		snprintf(tags, sizeof tags, TAGS "%s%sh=from", t, x);
		struct sign s = signer(tags, "from");
		struct bytes text = mail(b, &s, header, body);
		CU_ASSERT(is(run(b, text), rows[i].result, rows[i].reason));
	}
	bench_free(b);
}

/* C-50, C-58: what l= leaves uncovered is told, and never aligned. */
static void c50_c58_body_length(void)
{
	struct bench *b = bench_new();
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	const long whole = 33; /* canonical octets of body */
	for (long l = 0; l <= whole + 1; l++)
		for (int more = 0; more < 2; more++)
			for (uint32_t mode = DKIM_L_IGNORE; mode <= DKIM_L_HONOUR; mode++) {
				char tags[200], longer[200];
				snprintf(tags, sizeof tags, TAGS "l=%ld; h=from", l);
				snprintf(longer, sizeof longer, "%s%s", body, more ? "added" : "");
				struct sign s = signer(tags, "from");
				s.length = l;
				char *field = sign_message(&s, header, bytes_str(body));
				free(b->text);
				CU_ASSERT(asprintf(&b->text, "%s%s\r\n%s", field, header, longer) >
					  0);
				free(field);
				b->profile.l = mode;
				struct dkim_result *r = run(b, bytes_str(b->text));
				if (mode == DKIM_L_IGNORE) {
					CU_ASSERT(is(r, AUTH_POLICY, "length_used"));
					continue;
				}
				if (l > whole && !more) {
					CU_ASSERT(is(r, AUTH_PERMERROR, "length_over_body"));
					continue;
				}
				if (l >
				    whole) { /* the signer had less than it said, now there is more */
					CU_ASSERT(is(r, AUTH_FAIL, "body_hash"));
					continue;
				}
				CU_ASSERT(is(r, AUTH_PASS, NULL));
				CU_ASSERT_EQUAL(r->body_octets, (uint64_t)l);
				CU_ASSERT_EQUAL(r->partial, l < whole || more);
				CU_ASSERT_EQUAL(r->aligned, !r->partial || mode == DKIM_L_HONOUR);
			}
	bench_free(b);
}

/* A hole in the body: unverifiable, unless l= ends in front of it; never fail. */
static void missing_octets(void)
{
	struct bench *b = bench_new();
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	struct sign s = signer(TAGS "h=from", "from");
	struct bytes text = mail(b, &s, header, body);
	b->hole = true;
	for (size_t intact = 0; intact <= text.n; intact++) {
		b->m.intact = intact;
		CU_ASSERT(is(run(b, text), AUTH_UNVERIFIABLE, "octets_missing"));
	}
	CU_ASSERT_EQUAL(b->asked, 0);
	s = signer(TAGS "l=11; h=from", "from");
	s.length = 11; /* "Hi.", an empty line, "We  " */
	text = mail(b, &s, header, body);
	size_t start = text.n - strlen(body);
	for (size_t intact = start; intact <= text.n; intact++) {
		b->m.intact = intact;
		bool enough = intact >= start + 11;
		struct dkim_result *r = run(b, text);
		CU_ASSERT(enough ? is(r, AUTH_PASS, NULL)
				 : is(r, AUTH_UNVERIFIABLE, "octets_missing"));
		CU_ASSERT(!enough || (r->partial && !r->aligned));
	}
	/* cut inside the header, where l=0 would need no body: what h= names may be behind the cut */
	s = signer(TAGS "l=0; h=from:to", "from:to");
	s.length = 0;
	text = mail(b, &s, header, body);
	start = text.n - strlen(body);
	for (size_t n = strlen(b->text) - strlen(strstr(b->text, "From:")); n <= start; n++) {
		b->m.intact = n;
		CU_ASSERT(n == start ? is(run(b, bytes_head(text, n)), AUTH_PASS, NULL)
				     : is(run(b, bytes_head(text, n)), AUTH_UNVERIFIABLE,
					  "octets_missing"));
	}
	s = signer(TAGS "h=from", "from");
	text = mail(b, &s, header, body);
	b->m.intact = text.n - 3;
	b->m.flags = MESSAGE_NO_MEMORY;
	CU_ASSERT(is(run(b, text), AUTH_UNVERIFIABLE, "not_kept"));
	b->hole = false;
	b->m.flags = MESSAGE_TOO_LARGE;
	CU_ASSERT(is(run(b, text), AUTH_UNVERIFIABLE, "not_kept"));
	b->m.flags = MESSAGE_HEADER_TOO_LARGE;
	CU_ASSERT(is(run(b, text), AUTH_UNVERIFIABLE, "header_limit"));
	bench_free(b);
}

/* H-1: thousands of fields; the cap counts them before anything is parsed, so a good one below is not looked at. */
static void h1_c55_many_fields(void)
{
	enum { N = 4000 }; /* as many as a header may have fields */
	struct bench *b = bench_new();
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	struct sign s = signer(TAGS "h=from", "from");
	char *field = sign_message(&s, header, bytes_str(body));
	for (unsigned top = 0; top < 2; top++) {
		char *text = malloc(N * 40 + 4096);
		size_t n = top ? (size_t)sprintf(text, "%s", field) : 0;
		for (int i = 0; i < N; i++)
			n += (size_t)sprintf(text + n, "DKIM-Signature: v=1; x%d\r\n", i);
		n += (size_t)sprintf(text + n, "%s%s\r\n%s", top ? "" : field, header, body);
		struct dkim_result *r = run(b, bytes_of(text, n));
		CU_ASSERT_EQUAL(b->verdict.n_dkim, 5);
		CU_ASSERT_EQUAL(b->verdict.dkim_seen, N + 1);
		CU_ASSERT_EQUAL(b->asked, top);
		CU_ASSERT(top ? is(&r[0], AUTH_PASS, NULL) : is(&r[0], AUTH_PERMERROR, "syntax"));
		CU_ASSERT(is(&r[4], AUTH_PERMERROR, "syntax"));
		free(text);
	}
	/* more fields than are told apart: nothing can be proved, nothing is asked */
	char *text = malloc(10000 * 24 + 4096);
	size_t n = (size_t)sprintf(text, "%s", field);
	for (int i = 0; i < 10000; i++)
		n += (size_t)sprintf(text + n, "DKIM-Signature: v=1\r\n");
	n += (size_t)sprintf(text + n, "%s\r\n%s", header, body);
	uint64_t before = stats_get(b->stats, STAT_DKIM_OVER_CAP);
	struct dkim_result *r = run(b, bytes_of(text, n));
	CU_ASSERT(is(&r[0], AUTH_UNVERIFIABLE, "header_limit"));
	CU_ASSERT(b->verdict.n_dkim == 5 && b->verdict.dkim_seen == HEADER_FIELDS_MAX);
	CU_ASSERT_EQUAL(b->asked, 0);
	free(text);
	free(field);
	CU_ASSERT_EQUAL(before, 2 * (N + 1 - 5));
	bench_free(b);
}

/* B-4: all are judged, results in the order of fields, questions for aligned ones first, one a name, one hash a form. */
static void b4_c52_several(void)
{
	struct bench *b = bench_new();
	static const char *const tags[] = {
		"v=1; a=rsa-sha256; d=other.example; s=s1; h=from",
		"v=1; a=rsa-sha256; d=example.com; s=s1; h=from",
		"v=1; a=rsa-sha256; d=example.com; s=s1; h=from:to",
		"v=1; a=rsa-sha256; d=other.example; s=s1; c=simple/relaxed; h=from",
	};
	char *field[4];
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	b->zone[1] = (struct row){ "s1._domainkey.other.example", test_record(), ANSWER_DATA };
	for (int i = 0; i < 4; i++) {
		struct sign s = signer(tags[i], i == 2 ? "from:to" : "from");
		field[i] = sign_message(&s, header, bytes_str(body));
	}
	CU_ASSERT(asprintf(&b->text, "%s%s%s%s%s\r\n%s", field[0], field[1], field[2], field[3],
			   header, body) > 0);
	struct dkim_result *r = run(b, bytes_str(b->text));
	CU_ASSERT_EQUAL(b->verdict.n_dkim, 4);
	CU_ASSERT_EQUAL(b->asked, 2);
	for (int i = 0; i < 4; i++) {
		CU_ASSERT(is(&r[i], AUTH_PASS, NULL));
		CU_ASSERT_EQUAL(r[i].aligned, i == 1 || i == 2);
		free(field[i]);
	}
	bench_free(b);
}

/* Bodies that differ in form, l= or hash have digests of their own. */
static void distinct_bodies(void)
{
	struct bench *b = bench_new();
	static const char *const tags[] = {
		TAGS "h=from",
		TAGS "l=3; h=from",
		TAGS "c=simple/relaxed; h=from",
		"v=1; a=rsa-sha1; d=example.com; s=s1; h=from",
		TAGS "l=4; h=from",
	};
	char *field[5];
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	b->profile.allow_sha1 = true;
	for (int i = 0; i < 5; i++) {
		struct sign s = signer(tags[i], "from");
		s.length = i == 1 ? 3 : i == 4 ? 4 : -1;
		field[i] = sign_message(&s, header, bytes_str(body));
	}
	CU_ASSERT(asprintf(&b->text, "%s%s%s%s%s%s\r\n%s", field[0], field[1], field[2], field[3],
			   field[4], header, body) > 0);
	struct dkim_result *r = run(b, bytes_str(b->text));
	for (int i = 0; i < 5; i++) {
		CU_ASSERT(is(&r[i], AUTH_PASS, NULL));
		free(field[i]);
	}
	bench_free(b);
}

/* 6.1 order: what is wrong with the field comes before the key, the key before the body, the body before the rest. */
static void c49_order_of_checks(void)
{
	struct bench *b = bench_new();
	struct sign s = signer(TAGS "h=to", "to");
	struct bytes text = mail(b, &s, header, body);
	b->text[text.n - 20] ^= 1; /* the body is wrong too, and there is no key */
	CU_ASSERT(is(run(b, text), AUTH_PERMERROR, "from_unsigned"));
	s = signer(TAGS "h=from", "from");
	text = mail(b, &s, header, body);
	b->text[text.n - 20] ^= 1;
	CU_ASSERT(is(run(b, text), AUTH_PERMERROR, "no_key"));
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	*strstr(b->text, "Alice") = 'B'; /* and the signature */
	CU_ASSERT(is(run(b, text), AUTH_FAIL, "body_hash"));
	b->text[text.n - 20] ^= 1;
	CU_ASSERT(is(run(b, text), AUTH_FAIL, "signature"));
	*strstr(b->text, "Blice") = 'A';
	CU_ASSERT(is(run(b, text), AUTH_PASS, NULL));
	bench_free(b);
}

/* F-5: d= and s= in U-labels are asked for in A-labels. */
static void f5_f14_international(void)
{
	struct bench *b = bench_new();
	static const char head[] = "From: a@b\xc3\xbc"
				   "cher.example\r\n";
	struct sign s = signer("v=1; a=rsa-sha256; d=b\xc3\xbc"
			       "cher.example; s=\xc3\xa4; "
			       "i=x@m.B\xc3\x9c"
			       "CHER.example; h=from",
			       "from");
	b->zone[0] = (struct row){ "xn--4ca._domainkey.xn--bcher-kva.example", test_record(),
				   ANSWER_DATA };
	struct bytes text = mail(b, &s, head, body);
	CU_ASSERT(is(run(b, text), AUTH_PASS, NULL));
	CU_ASSERT(b->verdict.dkim->aligned);
	bench_free(b);
}

/* Bounds of a header: more fields than are told apart, a list of 5,000 names (H-2), no signature at all. */
static void h2_limits(void)
{
	struct bench *b = bench_new();
	b->zone[0] = (struct row){ key_name, test_record(), ANSWER_DATA };
	static char names[100000], tags[100100];
	size_t n = (size_t)sprintf(names, "from");
	for (int i = 0; i < 5000; i++)
		n += (size_t)sprintf(names + n, i % 2 ? ":n%d" : ":to", i);
	sprintf(tags, TAGS "h=%s", names);
	struct sign s = signer(tags, "from:to");
	struct bytes text = mail(b, &s, header, body);
	CU_ASSERT(is(run(b, text), AUTH_PASS, NULL));
	CU_ASSERT_PTR_NOT_NULL(run(b, bytes_str("From: a@b.c\r\n\r\nbody")));
	CU_ASSERT(b->verdict.n_dkim == 0 && b->verdict.dkim_seen == 0);
	CU_ASSERT_EQUAL(stats_get(b->stats, STAT_DKIM_NONE), 1);
	s = signer(TAGS "h=from", "from");
	char *field = sign_message(&s, header, bytes_str(body));
	char *many = malloc(HEADER_FIELDS_MAX * 8 + 4096);
	n = (size_t)sprintf(many, "%s", field);
	for (int i = 0; i < HEADER_FIELDS_MAX; i++)
		n += (size_t)sprintf(many + n, "X:y\r\n");
	n += (size_t)sprintf(many + n, "%s\r\n%s", header, body);
	CU_ASSERT(is(run(b, bytes_of(many, n)), AUTH_UNVERIFIABLE, "header_limit"));
	free(many);
	free(field);
	bench_free(b);
}

static void rfc_examples(void)
{
	static const struct {
		const char *file;
		unsigned n;
	} files[] = { { "rfc6376_a2.eml", 1 }, { "rfc8463_a3.eml", 2 } };
	struct bench *b = bench_new();
	b->zone[0] = (struct row){ "brisbane._domainkey.example.com",
				   "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQ"
				   "KBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"
				   "IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v"
				   "/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhi"
				   "tdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
				   ANSWER_DATA };
	b->zone[1] = (struct row){ "brisbane._domainkey.football.example.com",
				   "v=DKIM1; k=ed25519; "
				   "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
				   ANSWER_DATA };
	b->zone[2] = (struct row){
		"test._domainkey.football.example.com",
		"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
		"iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
		"DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
		"Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
		ANSWER_DATA
	};
	for (unsigned i = 0; i < 2; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", test_data(), files[i].file);
		struct bytes text = test_file(path);
		for (b->lanes = 1; b->lanes < 5; b->lanes++) {
			struct dkim_result *r = run(b, text);
			CU_ASSERT_EQUAL_FATAL(b->verdict.n_dkim, files[i].n);
			for (unsigned k = 0; k < files[i].n; k++)
				CU_ASSERT(is(&r[k], AUTH_PASS, NULL));
		}
		free((void *)text.p);
	}
	bench_free(b);
}

TEST_MAIN("dkim", TEST(rfc_examples), TEST(forms), TEST(f8_ed25519), TEST(every_octet_counts),
	  TEST(f7_what_h_covers), TEST(f7_key_records), TEST(c53_test_keys_skipped),
	  TEST(secure_and_evidence), TEST(c54_f8_sizes_and_sha1), TEST(c57_times_and_skew),
	  TEST(c50_c58_body_length), TEST(missing_octets), TEST(h1_c55_many_fields),
	  TEST(b4_c52_several), TEST(distinct_bodies), TEST(c49_order_of_checks),
	  TEST(f5_f14_international), TEST(h2_limits))
