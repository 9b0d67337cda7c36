/* Every line of a log has the one form, is printable, and speaks of one message, whatever came in. */
#include "control/maillog.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/test.h"

#define AT_2007 (UINT64_C(1186407338) * 1000000000) /* Mon Aug  6 13:35:38 2007 */
#define STAMP "Mon Aug  6 13:35:38 2007 Info: "

enum { EVERYTHING = VERDICT_DKIM | VERDICT_SPF | VERDICT_ARC | VERDICT_DMARC | VERDICT_NAMES };

static struct message_rcpt rcpt;
static struct dkim_result signature[100];
static struct verdict_forged forged[40];

/* Every text of it is `text`. */
static void sample(struct message *m, struct verdict *v, struct bytes text)
{
	rcpt.address = text;
	*v = (struct verdict){ .dkim = signature,
			       .n_dkim = 1,
			       .dkim_seen = 1,
			       .result = "clean",
			       .email.message_id = text,
			       .checks = EVERYTHING };
	signature[0] = (struct dkim_result){
		.result = AUTH_PASS, .domain = text, .selector = text, .algorithm = text
	};
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		v->spf[i] = (struct spf_result){ .checked = true,
						 .identity = (uint8_t)i,
						 .sender = text,
						 .domain = text,
						 .mechanism = text };
	v->arc = (struct arc_result){ .result = AUTH_PASS, .instance = 2, .sealer = text };
	v->dmarc = (struct dmarc_result){ .result = AUTH_FAIL, .has_record = true, .author = text };
	v->asked[0] = (struct verdict_asked){ .check = "dmarc",
					      .profile = "default",
					      .quarantine = text };
	v->n_asked = 1;
	v->reply = text;
	forged[0] = (struct verdict_forged){ "staff", text, 82 };
	v->forged = forged;
	v->n_forged = 1;
	*m = (struct message){ .time_ns = AT_2007,
			       .has_mail_from = true,
			       .has_helo = true,
			       .has_user = true,
			       .user = text,
			       .mail_from = text,
			       .helo = text,
			       .rcpt = &rcpt,
			       .complete = true,
			       .verdict = v };
}

static bool has(struct bytes lines, const char *what)
{
	return memmem(lines.p, lines.n, what, strlen(what)) != NULL;
}

/* The samples of the requirement, octet for octet. */
static void c65_c66_samples(void)
{
	struct message m;
	struct verdict v;
	struct maillog *l = maillog_new(STYLE_ASYNCOS);
	sample(&m, &v, bytes_str("spam@test.com"));
	v.n_dkim = v.dkim_seen = 0;
	struct bytes got = maillog_lines(l, &m, 17);
	CU_ASSERT_TRUE(has(got, "\nMon Aug  6 13:35:38 2007 Info: MID 17 DKIM: no signature\n"));
	v.n_dkim = v.dkim_seen = 1;
	got = maillog_lines(l, &m, 18);
	CU_ASSERT_TRUE(has(got, "\nMon Aug  6 13:35:38 2007 Info: MID 18 DKIM: verified pass\n"));
	got = maillog_lines(l, &m, 1357);
	CU_ASSERT_TRUE(has(got, "\n" STAMP "MID 1357 SPF: mailfrom identity spam@test.com None\n"));
	m.time_ns += UINT64_C(10) * 86400 * 1000000000 - 1; /* whole seconds, a day of two digits */
	got = maillog_lines(l, &m, 1);
	CU_ASSERT_TRUE(has(got, "\nThu Aug 16 13:35:37 2007 Info: MID 1 DKIM: "));
	maillog_free(l);
}

/* Words of AsyncOS for every result of SPF (C-88), and what it has for DKIM (C-50, C-51). */
static void c50_c66_c88_words_of_asyncos(void)
{
	static const char *const spf[AUTH_RESULT_N] = {
		[AUTH_NONE] = "None",           [AUTH_PASS] = "Pass",
		[AUTH_FAIL] = "Fail",           [AUTH_NEUTRAL] = "Neutral",
		[AUTH_PERMERROR] = "PermError", [AUTH_TEMPERROR] = "TempError",
		[AUTH_SOFTFAIL] = "SoftFail",   [AUTH_UNVERIFIABLE] = "None",
	};
	static const char *const dkim[AUTH_RESULT_N] = {
		[AUTH_PASS] = "verified pass",
		[AUTH_FAIL] = "permfail (body_hash)",
		[AUTH_POLICY] = "permfail (body_hash)",
		[AUTH_PERMERROR] = "permfail (body_hash)",
		[AUTH_TEMPERROR] = "tempfail (body_hash)",
	};
	struct message m;
	struct verdict v;
	char want[128];
	struct maillog *l = maillog_new(STYLE_ASYNCOS);
	sample(&m, &v, bytes_str("a@b.example"));
	for (unsigned r = 0; r < AUTH_RESULT_N; r++) {
		v.spf[SPF_PRA].result = signature[0].result = (uint8_t)r;
		signature[0].reason = r == AUTH_PASS ? NULL : "body_hash";
		struct bytes got = maillog_lines(l, &m, 5);
		snprintf(want, sizeof want, "MID 5 SPF: pra identity a@b.example %s\n", spf[r]);
		CU_ASSERT_TRUE(!spf[r] || has(got, want));
		snprintf(want, sizeof want, "MID 5 DKIM: %s\n", dkim[r]);
		CU_ASSERT_TRUE(!dkim[r] || has(got, want));
	}
	signature[0] = (struct dkim_result){ AUTH_PASS, .partial = true, .body_octets = 1000 };
	CU_ASSERT_TRUE(has(maillog_lines(l, &m, 5),
			   "DKIM: verified pass (partially verified [1000 bytes])\n"));
	maillog_free(l);
}

/* Our own words: a line for each result, in the order of the checks. */
static void c66_own_words(void)
{
	static const char want[] = STAMP
		"MID 3 Message: from=a@sender.example to=b@receiver.example recipients=4 "
		"client=192.0.2.1 helo=mx.sender.example id=<1@sender.example> size=3124 "
		"complete=no missing=1400\n" STAMP
		"MID 3 SPF: mailfrom identity a@sender.example softfail mechanism=~all\n" STAMP
		"MID 3 DKIM: pass d=sender.example s=s1 a=rsa-sha256 l=7\n" STAMP
		"MID 3 DKIM: fail d=list.example s=s2 a=rsa-sha256 reason=body_hash "
		"test_mode=yes\n" STAMP "MID 3 DKIM: skipped signatures=9998\n" STAMP
		"MID 3 ARC: fail i=2 sealer=list.example trusted=no reason=chain_ended\n" STAMP
		"MID 3 DMARC: fail domain=sender.example policy=quarantine published=reject "
		"spf_aligned=no dkim_aligned=yes override=arc reason=testing\n" STAMP
		"MID 3 Names: shown=\"Olivia Smith\" dictionary=staff score=82\n" STAMP
		"MID 3 Verdict: reject result=flagged reason=dmarc_fail check=dmarc "
		"profile=default score=5.5 reply=\"550 #5.7.1 no\"\n";
	struct message m;
	struct verdict v;
	struct maillog *l = maillog_new(STYLE_RFC8601);
	sample(&m, &v, (struct bytes){ NULL, 0 });
	m.has_user = false;
	m.mail_from = v.spf[SPF_MAILFROM].sender = bytes_str("a@sender.example");
	rcpt.address = bytes_str("b@receiver.example");
	m.rcpt_seen = 4;
	m.has_client = true;
	m.client = (struct address){ { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 } };
	m.helo = bytes_str("mx.sender.example");
	v.email.message_id = bytes_str("<1@sender.example>");
	m.size = 3124;
	m.complete = false;
	m.missing = 1400;
	v.spf[SPF_HELO].checked = v.spf[SPF_PRA].checked = false;
	v.spf[SPF_MAILFROM].result = AUTH_SOFTFAIL;
	v.spf[SPF_MAILFROM].mechanism = bytes_str("~all");
	signature[0] = (struct dkim_result){ .result = AUTH_PASS,
					     .domain = bytes_str("sender.example"),
					     .selector = bytes_str("s1"),
					     .algorithm = bytes_str("rsa-sha256"),
					     .partial = true,
					     .body_octets = 7 };
	signature[1] = (struct dkim_result){ .result = AUTH_FAIL,
					     .domain = bytes_str("list.example"),
					     .selector = bytes_str("s2"),
					     .algorithm = bytes_str("rsa-sha256"),
					     .reason = "body_hash",
					     .test_mode = true };
	v.n_dkim = 2;
	v.dkim_seen = 10000;
	v.arc.result = AUTH_FAIL;
	v.arc.sealer = bytes_str("list.example");
	v.arc.reason = "chain_ended";
	v.dmarc.author = bytes_str("sender.example");
	v.dmarc.policy = DMARC_QUARANTINE;
	v.dmarc.published = DMARC_REJECT;
	v.dmarc.dkim_aligned = true;
	v.dmarc.override = "arc";
	v.dmarc.reason = "testing";
	forged[0].name = bytes_str("Olivia Smith");
	v.action = VERDICT_REJECT;
	v.result = "flagged";
	v.reason = "dmarc_fail";
	v.score = 55;
	v.reply = bytes_str("550 #5.7.1 no");
	struct bytes got = maillog_lines(l, &m, 3);
	CU_ASSERT_TRUE(bytes_equal(got, bytes_str(want)));
	if (!bytes_equal(got, bytes_str(want)))
		printf("%.*s", (int)got.n, (const char *)got.p);
	maillog_free(l);
}

/* A check that was not made has no line; a message that nobody judged warns. */
static void what_was_not_made(void)
{
	struct message m;
	struct verdict v;
	struct maillog *l = maillog_new(STYLE_RFC8601);
	sample(&m, &v, bytes_str("a@b.example"));
	v.checks = 0;
	v.n_asked = 0;
	v.reply.n = 0;
	struct bytes got = maillog_lines(l, &m, 1);
	CU_ASSERT_FALSE(has(got, "SPF") || has(got, "DKIM") || has(got, "ARC") ||
			has(got, "DMARC") || has(got, "Names"));
	CU_ASSERT_TRUE(has(got, STAMP "MID 1 Verdict: accept result=clean\n"));
	v.checks = VERDICT_DKIM | VERDICT_ARC | VERDICT_DMARC;
	v.n_dkim = v.dkim_seen = 0;
	v.arc = (struct arc_result){ .result = AUTH_NONE };
	v.dmarc = (struct dmarc_result){ .result = AUTH_NONE, .policy = DMARC_REJECT };
	got = maillog_lines(l, &m, 2);
	CU_ASSERT_TRUE(has(got, " MID 2 DKIM: none\n"));
	CU_ASSERT_TRUE(has(got, " MID 2 ARC: none\n"));
	CU_ASSERT_TRUE(has(got, " MID 2 DMARC: none\n"));
	m.verdict = NULL;
	got = maillog_lines(l, &m, UINT64_MAX);
	CU_ASSERT_TRUE(has(got, "2007 Warning: MID 18446744073709551615 Verdict: flag "
				"result=unverified reason=not_judged\n"));
	/* N-3: a client that was not seen is no failure of SPF, a header that is lost is told */
	m.verdict = &v;
	v.checks = VERDICT_SPF;
	v.spf[SPF_HELO].result = v.spf[SPF_MAILFROM].result = AUTH_UNVERIFIABLE;
	v.spf[SPF_MAILFROM].mechanism.n = v.spf[SPF_HELO].mechanism.n = 0;
	v.spf[SPF_HELO].reason = "no_client";
	v.spf[SPF_MAILFROM].reason = "no_header";
	v.spf[SPF_HELO].sender.n = 0; /* then as it came in */
	got = maillog_lines(l, &m, 1);
	CU_ASSERT_TRUE(has(got, "SPF: helo identity a@b.example none reason=no_client\n"));
	CU_ASSERT_TRUE(
		has(got, "SPF: mailfrom identity a@b.example unverifiable reason=no_header\n"));
	maillog_free(l);
}

/* C-64 and C-66: time, level, number, method, text; nothing else on any line. */
static void whole(struct bytes got, uint64_t mid)
{
	char form[256];
	regex_t re;
	unsigned lines = 0;
	snprintf(form, sizeof form,
		 "^[A-Z][a-z]{2} [A-Z][a-z]{2} [ 123][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4} "
		 "(Info|Warning): MID %llu (Message|SPF|DKIM|ARC|DMARC|Names|Verdict): [ -~]+$",
		 (unsigned long long)mid);
	CU_ASSERT_EQUAL_FATAL(regcomp(&re, form, REG_EXTENDED | REG_NOSUB), 0);
	CU_ASSERT_TRUE_FATAL(got.n && got.p[got.n - 1] == '\n');
	while (got.n) {
		const uint8_t *at = memchr(got.p, '\n', got.n);
		size_t n = (size_t)(at - got.p);
		char *line = strndup((const char *)got.p, n);
		CU_ASSERT_TRUE(n < MAILLOG_LINE_MAX && strlen(line) == n);
		CU_ASSERT_EQUAL(regexec(&re, line, 0, NULL, 0), 0);
		free(line);
		got = bytes_from(got, n + 1);
		lines++;
	}
	CU_ASSERT_TRUE(lines >= 2);
	regfree(&re);
}

/* Each octet alone, line ends that begin a line of another message, and texts without end; at the
 * end of a page, where an octet too many would be seen. */
static void c64_c66_one_form(void)
{
	static const char forged_line[] =
		"x Pass\r\n" STAMP "MID 99 DKIM: verified pass\r\n\n\r" STAMP "MID 99 SPF: x";
	struct message m;
	struct verdict v;
	uint8_t *page =
		mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL(page, MAP_FAILED);
	mprotect(page + 12288, 4096, PROT_NONE);
	for (int style = STYLE_RFC8601; style <= STYLE_SECURITYGATEWAY; style++) {
		struct maillog *l = maillog_new((enum config_style)style);
		for (unsigned c = 0; c < 256; c++)
			for (size_t n = 1; n <= 12288; n = n * 3 + 1) {
				memset(page + 12288 - n, (int)c, n);
				sample(&m, &v, bytes_of(page + 12288 - n, n));
				whole(maillog_lines(l, &m, c), c);
			}
		size_t n = sizeof forged_line - 1;
		memcpy(page + 12288 - n, forged_line, n);
		sample(&m, &v, bytes_of(page + 12288 - n, n));
		struct bytes got = maillog_lines(l, &m, 7);
		whole(got, 7);
		CU_ASSERT_TRUE(has(got, "SPF: mailfrom identity \"x Pass\\x0d\\x0aMon Aug "));
		maillog_free(l);
	}
	munmap(page, 16384);
}

/* A value is read back as it was: blanks, quotes, backslashes, what is cut. */
static void values(void)
{
	static const struct {
		const char *text, *want;
	} known[] = {
		{ "a@b", "a@b" },
		{ "", "\"\"" },
		{ "a b", "\"a b\"" },
		{ "a\"b", "\"a\\\"b\"" },
		{ "a\\x0a", "\"a\\\\x0a\"" },
		{ "a\n", "a\\x0a" },
		{ "\xc3\xa9", "\\xc3\\xa9" },
	};
	char text[1024], want[1024];
	struct message m;
	struct verdict v;
	struct maillog *l = maillog_new(STYLE_ASYNCOS);
	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
		sample(&m, &v, bytes_str(known[i].text));
		snprintf(want, sizeof want, "SPF: helo identity %s None\n", known[i].want);
		CU_ASSERT_TRUE(has(maillog_lines(l, &m, 1), want));
	}
	for (int n = MAILLOG_VALUE_MAX - 1; n <= MAILLOG_VALUE_MAX + 1; n++) {
		memset(text, 'y', sizeof text);
		sample(&m, &v, bytes_of(text, (size_t)n));
		snprintf(want, sizeof want, " identity %.*s%s None\n",
			 n > MAILLOG_VALUE_MAX ? MAILLOG_VALUE_MAX : n, text,
			 n > MAILLOG_VALUE_MAX ? "~" : "");
		CU_ASSERT_TRUE(has(maillog_lines(l, &m, 1), want));
	}
	sample(&m, &v, bytes_str("a@b"));
	m.mail_from.n = 0;
	CU_ASSERT_TRUE(has(maillog_lines(l, &m, 1), "Message: from=<> "));
	maillog_free(l);
}

/* More signatures and names than any profile allows, each with the longest lines. */
static void limits(void)
{
	static uint8_t text[MAILLOG_VALUE_MAX * 2];
	struct message m;
	struct verdict v;
	struct maillog *l = maillog_new(STYLE_RFC8601);
	memset(text, 1, sizeof text);
	sample(&m, &v, bytes_of(text, sizeof text));
	for (unsigned i = 0; i < 100; i++)
		signature[i] = signature[0];
	for (unsigned i = 0; i < 40; i++)
		forged[i] = forged[0];
	v.n_dkim = v.dkim_seen = 100;
	v.n_forged = 40;
	struct bytes got = maillog_lines(l, &m, 1);
	whole(got, 1);
	CU_ASSERT_TRUE(has(got, "DKIM: skipped signatures=36\n"));
	CU_ASSERT_TRUE(has(got, " MID 1 Verdict: accept "));
	maillog_free(l);
}

TEST_MAIN("maillog", TEST(c65_c66_samples), TEST(c50_c66_c88_words_of_asyncos), TEST(c66_own_words),
	  TEST(what_was_not_made), TEST(c64_c66_one_form), TEST(values), TEST(limits))
