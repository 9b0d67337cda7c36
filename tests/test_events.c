/* A record is one line of valid JSON with exactly the contract's names, whatever the message holds. */
#include "control/events.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/test.h"

static struct events *events;
static struct config cfg;

static void start(void)
{
	cfg.evidence = true;
	events = events_new(&cfg);
	CU_ASSERT_PTR_NOT_NULL_FATAL(events);
}

/* The record as a tree; it must be one line. */
static json_t *record(const struct message *m)
{
	struct bytes line = events_record(events, m);
	CU_ASSERT_PTR_EQUAL(memchr(line.p, '\n', line.n), line.p + line.n - 1);
	json_error_t error;
	json_t *top = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, &error);
	if (!top)
		printf("\n%s in %.*s\n", error.text, (int)line.n, (const char *)line.p);
	CU_ASSERT_PTR_NOT_NULL_FATAL(top);
	return top;
}

static const char *text(const json_t *top, const char *key)
{
	const char *s = json_string_value(json_object_get(top, key));
	return s ? s : "(none)";
}

static struct address ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct address){ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d } };
}

static struct message_rcpt rcpt[2] = { { .next = &rcpt[1] }, { .next = NULL } };
static struct dkim_result signature = { .result = AUTH_PASS, .key_bits = 2048, .aligned = true };

static void sample(struct message *m, struct verdict *v)
{
	rcpt[0].address = bytes_str("bob@receiver.example");
	rcpt[1].address = bytes_str("carol@receiver.example");
	signature.domain = bytes_str("sender.example");
	signature.selector = bytes_str("s1");
	signature.algorithm = bytes_str("rsa-sha256");
	*v = (struct verdict){ .has_sha256 = true,
			       .dkim = &signature,
			       .n_dkim = 1,
			       .dkim_seen = 1,
			       .checks = VERDICT_DKIM };
	memset(v->sha256, 0xab, sizeof v->sha256);
	v->result = "clean";
	v->email.from[0] = bytes_str("=?utf-8?Q?Al=C3=ADce?= <alice@sender.example>");
	v->email.n_from = 1;
	v->email.to[0] = bytes_str("bob@receiver.example");
	v->email.n_to = 1;
	v->email.subject = bytes_str("=?iso-8859-1?Q?Gr=FC=DFe?=");
	v->email.message_id = bytes_str("<1@sender.example>");
	v->email.date = bytes_str("Sat, 21 Nov 2026 10:00:00 +0000");
	*m = (struct message){ .time_ns = UINT64_C(1795255200000123999),
			       .flow_id = UINT64_C(9007199254740991),
			       .tx_id = 3,
			       .client = ip4(192, 0, 2, 10),
			       .server = ip4(198, 51, 100, 25),
			       .client_port = 21001,
			       .server_port = 25,
			       .vlan = { 0x2007 },
			       .n_vlan = 1,
			       .protocol = MESSAGE_SMTP,
			       .has_client = true,
			       .has_helo = true,
			       .has_mail_from = true,
			       .helo = bytes_str("mx.sender.example"),
			       .mail_from = bytes_str("alice@sender.example"),
			       .rcpt = rcpt,
			       .n_rcpt = 2,
			       .rcpt_seen = 2,
			       .reply = 250,
			       .size = 3124,
			       .complete = true,
			       .flags = MESSAGE_8BIT | MESSAGE_BARE_CR,
			       .verdict = v };
}

/* Names of an object's members in order, with blanks between. */
static void names(const json_t *o, char *out, size_t len)
{
	size_t at = 0;
	const char *key;
	json_t *value;
	out[0] = 0;
	json_object_foreach((json_t *)o, key, value) at +=
		(size_t)snprintf(out + at, len - at, "%s%s", at ? " " : "", key);
}

static void members(const json_t *top, const char *key, const char *want)
{
	char got[512];
	names(key ? json_object_get(top, key) : top, got, sizeof got);
	CU_ASSERT_STRING_EQUAL(got, want);
}

static void smtp(void)
{
	struct message m;
	struct verdict v;
	sample(&m, &v);
	json_t *top = record(&m);
	members(top, NULL,
		"timestamp event_type flow_id tx_id src_ip src_port dest_ip dest_port proto "
		"app_proto vlan direction smtp email message auth matches score verdict evidence");
	members(top, "smtp", "helo mail_from rcpt_to authenticated tls reply");
	members(top, "email", "from to subject message_id date attachment url");
	members(top, "message", "size sha256 complete missing flags");
	members(top, "auth", "dkim from");
	members(top, "verdict", "action result reason policy asked reply");
	CU_ASSERT_STRING_EQUAL(text(top, "timestamp"), "2026-11-21T10:00:00.000123+0000");
	CU_ASSERT_STRING_EQUAL(text(top, "src_ip"), "192.0.2.10");
	CU_ASSERT_STRING_EQUAL(text(top, "dest_ip"), "198.51.100.25");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(top, "flow_id")), 9007199254740991);
	CU_ASSERT_EQUAL(json_integer_value(json_array_get(json_object_get(top, "vlan"), 0)), 7);
	CU_ASSERT_STRING_EQUAL(text(top, "app_proto"), "smtp");
	CU_ASSERT_STRING_EQUAL(text(top, "direction"), "send");
	json_t *mail = json_object_get(top, "email"), *msg = json_object_get(top, "message");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(json_object_get(mail, "from"), 0)),
			       "Al\xc3\xad"
			       "ce <alice@sender.example>");
	CU_ASSERT_STRING_EQUAL(text(mail, "subject"), "Gr\xc3\xbc\xc3\x9f"
						      "e");
	CU_ASSERT_EQUAL(strncmp(text(msg, "sha256"), "abababab", 8), 0);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(msg, "flags")), 2);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(json_object_get(msg, "flags"), 0)),
			       "bare_cr");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(json_object_get(top, "smtp"), "rcpt_to")),
			2);
	json_t *dkim = json_array_get(json_object_get(json_object_get(top, "auth"), "dkim"), 0);
	members(dkim, NULL, "result domain selector algorithm key_bits reason");
	CU_ASSERT_STRING_EQUAL(text(dkim, "result"), "pass");
	CU_ASSERT_TRUE(json_is_null(json_object_get(dkim, "reason")));
	CU_ASSERT_STRING_EQUAL(text(json_object_get(top, "verdict"), "action"), "accept");
	json_decref(top);
}

static void pop3(void)
{
	struct message m;
	struct verdict v;
	sample(&m, &v);
	m.protocol = MESSAGE_POP3;
	m.has_user = true;
	m.user = bytes_str("bob");
	m.number = 7;
	json_t *top = record(&m);
	CU_ASSERT_PTR_NULL(json_object_get(top, "smtp"));
	members(top, "pop3", "user number messages");
	CU_ASSERT_STRING_EQUAL(text(top, "direction"), "receive");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(top, "pop3"), "number")),
			7);
	json_decref(top);
}

/* What was not seen is null; a message that nobody judged is flagged, never accepted in silence. */
static void nothing_known(void)
{
	struct message m = { .protocol = MESSAGE_SMTP };
	struct verdict v = { .result = "unverifiable" };
	json_t *top = record(&m);
	static const char *const null[] = { "src_ip", "src_port", "dest_ip", "dest_port" };
	static const char *const unseen[] = { "helo", "mail_from", "rcpt_to", "reply" };
	for (unsigned i = 0; i < 4; i++) {
		json_t *s = json_object_get(top, "smtp");
		CU_ASSERT_TRUE(json_is_null(json_object_get(top, null[i])));
		CU_ASSERT_TRUE(json_is_null(json_object_get(s, unseen[i])));
	}
	CU_ASSERT_TRUE(json_is_null(json_object_get(json_object_get(top, "message"), "sha256")));
	CU_ASSERT_TRUE(json_is_null(json_object_get(json_object_get(top, "email"), "subject")));
	CU_ASSERT_STRING_EQUAL(text(json_object_get(top, "verdict"), "action"), "flag");
	members(top, "auth", "");
	CU_ASSERT_TRUE(json_is_false(json_object_get(json_object_get(top, "message"), "complete")));
	json_decref(top);
	m.verdict = &v; /* no check was made */
	top = record(&m);
	members(top, "auth", "");
	json_decref(top);
	v.checks = VERDICT_DKIM;
	top = record(&m);
	json_t *dkim = json_object_get(json_object_get(top, "auth"), "dkim");
	CU_ASSERT_EQUAL(json_array_size(dkim), 1);
	CU_ASSERT_STRING_EQUAL(text(json_array_get(dkim, 0), "result"), "none");
	json_decref(top);
}

static void file(void)
{
	struct message m = { .protocol = MESSAGE_FILE, .source = "a/b.mbox#2", .has_client = true };
	m.client = (struct address){ { 0x20, 1, 0x0d, 0xb8, [15] = 1 } };
	json_t *top = record(&m);
	CU_ASSERT_STRING_EQUAL(text(top, "app_proto"), "file");
	CU_ASSERT_STRING_EQUAL(text(top, "source"), "a/b.mbox#2");
	CU_ASSERT_STRING_EQUAL(text(top, "src_ip"), "2001:db8::1");
	CU_ASSERT_TRUE(json_is_null(json_object_get(top, "dest_ip")));
	CU_ASSERT_TRUE(json_is_null(json_object_get(top, "flow_id")));
	json_decref(top);
}

/* verdict.asked has all that asked, in their order; what nobody judged was asked for by none. */
static void asked(void)
{
	struct message m;
	struct verdict v;
	sample(&m, &v);
	json_t *top = record(&m), *part = json_object_get(top, "verdict");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(part, "asked")), 0);
	CU_ASSERT_TRUE(json_is_null(json_object_get(part, "reply")));
	json_decref(top);
	v.action = VERDICT_REJECT;
	v.result = "flagged";
	v.reason = "spf_fail";
	v.score = 55;
	v.reply = bytes_str("550-one\r\n550 \"two\"");
	v.asked[0] = (struct verdict_asked){ .check = "spf",
					     .profile = "strict",
					     .action = VERDICT_REJECT,
					     .reason = "spf_fail",
					     .reply = v.reply };
	v.asked[1] = (struct verdict_asked){ .check = "dkim",
					     .profile = "default",
					     .action = VERDICT_REJECT,
					     .reason = "dkim_fail",
					     .reply = bytes_str("550 three") };
	v.asked[2] = (struct verdict_asked){ .check = "dmarc",
					     .profile = "default",
					     .action = VERDICT_QUARANTINE,
					     .reason = "dmarc_fail",
					     .quarantine = bytes_str("policy"),
					     .tag = bytes_str("*** FRAUD ***"),
					     .score = 55 };
	v.n_asked = 3;
	top = record(&m);
	part = json_object_get(top, "verdict");
	CU_ASSERT_STRING_EQUAL(text(part, "action"), "reject");
	CU_ASSERT_STRING_EQUAL(text(part, "reason"), "spf_fail");
	CU_ASSERT_STRING_EQUAL(text(part, "reply"), "550-one\r\n550 \"two\"");
	CU_ASSERT_EQUAL(json_real_value(json_object_get(top, "score")), 5.5);
	json_t *list = json_object_get(part, "asked");
	CU_ASSERT_EQUAL_FATAL(json_array_size(list), 3);
	members(json_array_get(list, 0), NULL, "check profile action");
	members(json_array_get(list, 1), NULL, "check profile action reason reply");
	members(json_array_get(list, 2), NULL, "check profile action reason quarantine tag score");
	CU_ASSERT_STRING_EQUAL(text(json_array_get(list, 0), "profile"), "strict");
	CU_ASSERT_STRING_EQUAL(text(json_array_get(list, 1), "reply"), "550 three");
	CU_ASSERT_STRING_EQUAL(text(json_array_get(list, 2), "action"), "quarantine");
	json_decref(top);
	m.verdict = NULL;
	top = record(&m);
	part = json_object_get(top, "verdict");
	CU_ASSERT_STRING_EQUAL(text(part, "action"), "flag");
	CU_ASSERT_STRING_EQUAL(text(part, "reason"), "not_judged");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(part, "asked")), 0);
	json_decref(top);
}

static struct arc_set sets[2];
static struct verdict_forged forged = { .dictionary = "bosses", .score = 82 };

/* A verdict of all checks. */
static void all_checks(struct verdict *v)
{
	v->checks = VERDICT_DKIM | VERDICT_SPF | VERDICT_ARC | VERDICT_DMARC | VERDICT_NAMES;
	v->spf[SPF_MAILFROM] = (struct spf_result){ .checked = true,
						    .result = AUTH_SOFTFAIL,
						    .identity = SPF_MAILFROM,
						    .sender = bytes_str("alice@sender.example"),
						    .domain = bytes_str("sender.example"),
						    .mechanism = bytes_str("~all"),
						    .secure = true };
	sets[0] = (struct arc_set){ .seal = AUTH_PASS,
				    .cv = AUTH_NONE,
				    .domain = bytes_str("one.example"),
				    .selector = bytes_str("s") };
	sets[1] = (struct arc_set){
		.seal = AUTH_FAIL, .message = AUTH_FAIL, .cv = AUTH_PERMERROR, .reason = "signature"
	};
	v->arc = (struct arc_result){ .result = AUTH_FAIL,
				      .instance = 2,
				      .failed = 2,
				      .set = sets,
				      .n_set = 2,
				      .reason = "seal",
				      .sealer = bytes_str("two.example") };
	v->dmarc = (struct dmarc_result){ .result = AUTH_FAIL,
					  .policy = DMARC_QUARANTINE,
					  .published = DMARC_REJECT,
					  .has_record = true,
					  .testing = true,
					  .discovery = DMARC_PSL,
					  .override = "arc",
					  .spf_aligned = true,
					  .author = bytes_str("a.sender.example"),
					  .organization = bytes_str("sender.example"),
					  .domain = bytes_str("sender.example") };
	v->from.address = bytes_str("alice@a.sender.example");
	v->from.display = bytes_str("Alice");
	v->from.domain[0] = bytes_str("a.sender.example");
	v->from.n_domain = 1;
	v->from.flags = FROM_OBSOLETE | FROM_GROUP;
	forged.name = bytes_str("Olivia Smith");
	v->forged = &forged;
	v->n_forged = 1;
}

static void equal_json(const json_t *top, const char *key, const char *want)
{
	char *got = json_dumps(json_object_get(top, key), JSON_ENCODE_ANY | JSON_COMPACT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(got);
	CU_ASSERT_STRING_EQUAL(got, want);
	if (strcmp(got, want) != 0)
		printf("\ngot  %s\nwant %s\n", got, want);
	free(got);
}

static void all_of_auth(void)
{
	struct message m;
	struct verdict v;
	sample(&m, &v);
	all_checks(&v);
	json_t *top = record(&m), *auth = json_object_get(top, "auth");
	members(top, "auth", "spf dkim arc dmarc from names");
	equal_json(
		auth, "spf",
		"{\"result\":\"softfail\",\"identity\":\"mailfrom\",\"domain\":\"sender.example\","
		"\"sender\":\"alice@sender.example\",\"mechanism\":\"~all\","
		"\"explanation\":null,\"reason\":null,\"dnssec\":true}");
	equal_json(auth, "arc",
		   "{\"result\":\"fail\",\"instance\":2,\"reason\":\"seal\","
		   "\"sealer\":\"two.example\",\"trusted\":false,\"trusted_pass\":false,"
		   "\"failed\":2,\"oldest_pass\":0,\"sets\":[{\"instance\":1,\"cv\":\"none\","
		   "\"seal\":\"pass\",\"message\":null,\"domain\":\"one.example\","
		   "\"selector\":\"s\",\"reason\":null},{\"instance\":2,\"cv\":\"invalid\","
		   "\"seal\":\"fail\",\"message\":\"fail\",\"domain\":null,\"selector\":null,"
		   "\"reason\":\"signature\"}]}");
	equal_json(auth, "dmarc",
		   "{\"result\":\"fail\",\"domain\":\"a.sender.example\","
		   "\"policy\":\"quarantine\",\"published\":\"reject\",\"override\":\"arc\","
		   "\"spf_aligned\":true,\"dkim_aligned\":false,\"reason\":null,"
		   "\"organization\":\"sender.example\",\"policy_domain\":\"sender.example\","
		   "\"discovery\":\"psl\",\"testing\":true}");
	equal_json(auth, "from",
		   "{\"address\":\"alice@a.sender.example\",\"domain\":\"a.sender.example\","
		   "\"display\":\"Alice\",\"flags\":[\"group\",\"obsolete\"]}");
	equal_json(auth, "names",
		   "[{\"dictionary\":\"bosses\",\"name\":\"Olivia Smith\",\"score\":82}]");
	json_decref(top);
}

/* Identities stand beside auth.spf where they were checked; HELO in its place for want of it. */
static void identities(void)
{
	struct message m;
	struct verdict v;
	sample(&m, &v);
	v.checks = VERDICT_SPF;
	json_t *top = record(&m), *auth = json_object_get(top, "auth");
	members(top, "auth", "spf from");
	CU_ASSERT_STRING_EQUAL(text(json_object_get(auth, "spf"), "result"), "none");
	json_decref(top);
	v.spf[SPF_HELO] =
		(struct spf_result){ .checked = true, .result = AUTH_PASS, .identity = SPF_HELO };
	v.spf[SPF_PRA] = (struct spf_result){
		.checked = true, .result = AUTH_NONE, .identity = SPF_PRA, .downgraded = true
	};
	top = record(&m);
	auth = json_object_get(top, "auth");
	members(top, "auth", "spf helo pra from");
	CU_ASSERT_STRING_EQUAL(text(json_object_get(auth, "spf"), "identity"), "helo");
	CU_ASSERT_TRUE(json_is_true(json_object_get(json_object_get(auth, "pra"), "downgraded")));
	json_decref(top);
	v.spf[SPF_MAILFROM] = (struct spf_result){ .checked = true,
						   .result = AUTH_FAIL,
						   .identity = SPF_MAILFROM };
	top = record(&m);
	auth = json_object_get(top, "auth");
	CU_ASSERT_STRING_EQUAL(text(json_object_get(auth, "spf"), "identity"), "mailfrom");
	CU_ASSERT_STRING_EQUAL(text(json_object_get(auth, "helo"), "result"), "pass");
	json_decref(top);
}

/* "unverifiable" is of octets that were lost; what nobody could ever have seen is none, and why. */
static void unseen(void)
{
	static const struct {
		const char *reason, *want;
	} cases[] = { { "no_client", "none" },
		      { "no_helo", "none" },
		      { "no_mail_from", "none" },
		      { "no_header", "unverifiable" } };
	struct message m;
	struct verdict v;
	sample(&m, &v);
	v.checks = VERDICT_SPF;
	for (unsigned i = 0; i < 4; i++) {
		v.spf[SPF_PRA] = v.spf[SPF_MAILFROM] =
			(struct spf_result){ .checked = true,
					     .result = AUTH_UNVERIFIABLE,
					     .identity = SPF_PRA,
					     .reason = cases[i].reason };
		json_t *top = record(&m), *auth = json_object_get(top, "auth");
		CU_ASSERT_STRING_EQUAL(text(json_object_get(auth, "spf"), "result"), cases[i].want);
		CU_ASSERT_STRING_EQUAL(text(json_object_get(auth, "pra"), "result"), cases[i].want);
		CU_ASSERT_STRING_EQUAL(text(json_object_get(auth, "pra"), "reason"),
				       cases[i].reason);
		json_decref(top);
	}
}

/* What has nothing to say is short; without a record there is no policy. */
static void nothing_found(void)
{
	struct message m;
	struct verdict v;
	sample(&m, &v);
	v.checks = VERDICT_ARC | VERDICT_DMARC | VERDICT_NAMES;
	json_t *top = record(&m), *auth = json_object_get(top, "auth");
	equal_json(auth, "arc", "{\"result\":\"none\",\"instance\":0}");
	equal_json(auth, "names", "[]");
	equal_json(auth, "dmarc",
		   "{\"result\":\"none\",\"domain\":null,\"policy\":null,\"published\":null,"
		   "\"override\":null,\"spf_aligned\":false,\"dkim_aligned\":false,"
		   "\"reason\":null,\"organization\":null,\"policy_domain\":null,"
		   "\"discovery\":null}");
	json_decref(top);
}

static void headers(void)
{
	struct message m;
	struct verdict v;
	sample(&m, &v);
	json_t *top = record(&m);
	CU_ASSERT_PTR_NULL(json_object_get(top, "headers"));
	json_decref(top);
	v.headers = (struct verdict_headers){
		.authentication_results =
			bytes_str("Authentication-Results: a.example;\r\n\tdkim=pass\r\n  x\r\n"),
		.forged_results = 3,
	};
	top = record(&m);
	equal_json(
		top, "headers",
		"{\"authentication_results\":\"Authentication-Results: a.example; dkim=pass x \","
		"\"received_spf\":null,\"forged_results\":3,\"forged_policy\":0}");
	json_decref(top);
	v.headers.received_spf[SPF_HELO] = bytes_str("Received-SPF: a");
	v.headers.received_spf[SPF_MAILFROM] = bytes_str("Received-SPF: b");
	v.headers.received_spf[SPF_PRA] = bytes_str("Received-SPF: c");
	v.headers.dmarc_fail_policy = bytes_str("X-Postern-DMARC-Fail-Policy: reject");
	top = record(&m);
	members(top, "headers",
		"authentication_results received_spf received_spf_helo received_spf_pra "
		"dmarc_fail_policy forged_results forged_policy");
	CU_ASSERT_STRING_EQUAL(text(json_object_get(top, "headers"), "received_spf"),
			       "Received-SPF: b");
	json_decref(top);
}

/* Only where it is asked for, as text that a master file could hold. */
static void evidence(void)
{
	struct bytes data[2] = { bytes_str("v=spf1 \"-all"), bytes_str("") };
	struct verdict_evidence e[2] = {
		{ .name = bytes_str("sender.example"),
		  .type = 16,
		  .ttl_s = 300,
		  .n = 2,
		  .data = data,
		  .secure = true },
		{ .name = bytes_str("_dmarc.sender example"), .type = 16, .status = 2 },
	};
	struct message m;
	struct verdict v;
	sample(&m, &v);
	v.evidence = e;
	v.n_evidence = 2;
	json_t *top = record(&m);
	equal_json(top, "evidence",
		   "[{\"name\":\"sender.example\",\"type\":\"TXT\",\"status\":\"data\","
		   "\"ttl\":300,\"secure\":true,"
		   "\"data\":[\"\\\"v=spf1 \\\\034-all\\\"\",\"\\\"\\\"\"]},"
		   "{\"name\":\"_dmarc.sender\\\\032example\",\"type\":\"TXT\","
		   "\"status\":\"nxdomain\",\"ttl\":0,\"secure\":false,\"data\":[]}]");
	json_decref(top);
	v.evidence_cut = true; /* by who kept the answers */
	top = record(&m);
	CU_ASSERT_TRUE(json_is_true(json_object_get(top, "evidence_cut")));
	json_decref(top);
	cfg.evidence = false;
	events_config(events, &cfg);
	top = record(&m);
	CU_ASSERT_PTR_NULL(json_object_get(top, "evidence"));
	json_decref(top);
	cfg.evidence = true;
	events_config(events, &cfg);
}

/* The null sender is not the unknown one. */
static void null_sender(void)
{
	struct message m = { .has_mail_from = true };
	json_t *top = record(&m);
	CU_ASSERT_STRING_EQUAL(text(json_object_get(top, "smtp"), "mail_from"), "");
	json_decref(top);
}

/* Every octet in every text. */
static void not_utf8(void)
{
	uint8_t all[256];
	struct message m;
	struct verdict v;
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)(255 - i);
	for (size_t n = 0; n <= 256; n += 17) {
		sample(&m, &v);
		m.helo = m.mail_from = rcpt[0].address = bytes_of(all, n);
		v.email.subject = v.email.message_id = v.email.date = v.email.from[0] =
			bytes_of(all, n);
		signature.domain = signature.selector = signature.algorithm = bytes_of(all, n);
		m.flags = UINT32_MAX;
		json_t *top = record(&m);
		CU_ASSERT_EQUAL(
			json_array_size(json_object_get(json_object_get(top, "message"), "flags")),
			MESSAGE_FLAG_N);
		json_decref(top);
	}
}

static uint8_t octets[1 << 20]; /* each of which must be escaped */
static struct message_rcpt many[MESSAGE_RCPT_MAX];
static struct verdict_forged many_forged[16];
static struct arc_set many_sets[ARC_SETS_MAX];
static struct verdict_evidence many_answers[256];
static struct bytes answer_data = { octets, 65535 };

static void largest_auth(struct verdict *v)
{
	struct bytes name = bytes_of(octets, MESSAGE_NAME_MAX), txt = bytes_of(octets, 65535);
	struct bytes header = bytes_of(octets, MESSAGE_HEADER_MAX);
	all_checks(v);
	for (int i = 0; i < SPF_IDENTITY_N; i++)
		v->spf[i] = (struct spf_result){ .checked = true,
						 .sender = name,
						 .domain = name,
						 .mechanism = txt,
						 .explanation = txt };
	signature.domain = signature.selector = signature.algorithm =
		bytes_of(octets, MESSAGE_HEADER_MAX / 3);
	for (int i = 0; i < ARC_SETS_MAX; i++)
		many_sets[i] = (struct arc_set){
			.domain = bytes_of(octets, MESSAGE_HEADER_MAX / ARC_SETS_MAX / 2),
			.selector = bytes_of(octets, MESSAGE_HEADER_MAX / ARC_SETS_MAX / 2),
			.reason = "body_hash_value"
		};
	v->arc.set = many_sets;
	v->arc.n_set = ARC_SETS_MAX;
	v->dmarc.author = v->dmarc.organization = v->dmarc.domain = txt;
	v->from.display = v->from.address = bytes_of(octets, MESSAGE_HEADER_MAX / 2);
	v->from.flags = UINT32_MAX;
	v->email.subject = header;
	for (int i = 0; i < 16; i++)
		many_forged[i] =
			(struct verdict_forged){ "dictionary", bytes_of(octets, 512), 100 };
	v->forged = many_forged;
	v->n_forged = 16;
	for (int i = 0; i < 256; i++)
		many_answers[i] = (struct verdict_evidence){
			.name = bytes_of(octets, 255), .type = 16, .n = 1, .data = &answer_data
		};
	v->evidence = many_answers;
	v->n_evidence = 256;
}

static void largest_verdict(struct verdict *v)
{
	struct bytes text256 = bytes_of(octets, 256), field = bytes_of(octets, 65536);
	for (int i = 0; i < VERDICT_ASKED_MAX; i++)
		v->asked[i] = (struct verdict_asked){ .check = "sender_id",
						      .profile = "default",
						      .reason = "helo_unverifiable",
						      .reply = bytes_of(octets, 3072),
						      .quarantine = text256,
						      .tag = text256,
						      .score = UINT32_MAX };
	v->n_asked = VERDICT_ASKED_MAX;
	v->reply = bytes_of(octets, 3072);
	v->headers = (struct verdict_headers){ .authentication_results = field,
					       .received_spf = { field, field, field },
					       .dmarc_fail_policy = field };
}

/* The largest message there can be still gives a whole record: every name full of octets that must be
 * escaped, every text at its limit. */
static void largest(void)
{
	struct message m;
	struct verdict v;
	sample(&m, &v);
	memset(octets, 1, sizeof octets);
	for (int i = 0; i < MESSAGE_RCPT_MAX; i++)
		many[i] = (struct message_rcpt){ i + 1 < MESSAGE_RCPT_MAX ? &many[i + 1] : NULL,
						 bytes_of(octets, MESSAGE_NAME_MAX) };
	m.rcpt = many;
	m.n_rcpt = MESSAGE_RCPT_MAX;
	m.helo = m.mail_from = bytes_of(octets, MESSAGE_NAME_MAX);
	largest_auth(&v);
	largest_verdict(&v);
	json_t *top = record(&m), *smtp_part = json_object_get(top, "smtp");
	CU_ASSERT_PTR_NULL(json_object_get(top, "cut"));
	CU_ASSERT_EQUAL(json_array_size(json_object_get(smtp_part, "rcpt_to")), MESSAGE_RCPT_MAX);
	CU_ASSERT_EQUAL(
		json_string_length(json_object_get(json_object_get(top, "email"), "subject")),
		MESSAGE_HEADER_MAX);
	json_t *spf_part = json_object_get(json_object_get(top, "auth"), "spf");
	CU_ASSERT_EQUAL(json_string_length(json_object_get(spf_part, "mechanism")), 2048);
	CU_ASSERT_EQUAL(json_string_length(
				json_object_get(json_object_get(top, "headers"), "received_spf")),
			65536);
	/* answers that do not fit are left out, and that is said */
	size_t kept = json_array_size(json_object_get(top, "evidence"));
	CU_ASSERT_TRUE(kept >= 1 && kept < 256);
	CU_ASSERT_TRUE(json_is_true(json_object_get(top, "evidence_cut")));
	json_decref(top);
	signature = (struct dkim_result){ .result = AUTH_PASS, .key_bits = 2048, .aligned = true };
}

/* What no check can make, were it made all the same, gives a record that says it is not whole. */
static void beyond(void)
{
	struct message m;
	struct verdict v;
	sample(&m, &v);
	all_checks(&v);
	memset(octets, 1, sizeof octets);
	for (int i = 0; i < 13; i++)
		v.email.to[i] = bytes_of(octets, 210000);
	v.email.n_to = 13;
	v.headers.authentication_results = v.headers.received_spf[SPF_MAILFROM] =
		v.headers.received_spf[SPF_HELO] = v.headers.received_spf[SPF_PRA] =
			bytes_of(octets, 65536);
	json_t *top = record(&m);
	CU_ASSERT_TRUE(json_is_true(json_object_get(top, "cut")));
	CU_ASSERT_PTR_NULL(json_object_get(top, "headers"));
	CU_ASSERT_PTR_NOT_NULL(json_object_get(top, "verdict"));
	json_decref(top);
	v.headers.authentication_results = bytes_of(octets, 65537); /* longer than a field may be */
	v.email.n_to = 0;
	top = record(&m);
	CU_ASSERT_TRUE(json_is_null(
		json_object_get(json_object_get(top, "headers"), "authentication_results")));
	json_decref(top);
}

static void partial(void)
{
	struct message m;
	struct verdict v;
	sample(&m, &v);
	signature.partial = signature.test_mode = true;
	signature.body_octets = 77;
	json_t *top = record(&m);
	json_t *dkim = json_array_get(json_object_get(json_object_get(top, "auth"), "dkim"), 0);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(dkim, "body_octets")), 77);
	CU_ASSERT_TRUE(json_is_true(json_object_get(dkim, "test_mode")));
	signature.partial = signature.test_mode = false;
	json_decref(top);
}

static void times(void)
{
	static const struct {
		uint64_t ns;
		const char *want;
	} known[] = {
		{ 0, "1970-01-01T00:00:00.000000+0000" },
		{ 1, "1970-01-01T00:00:00.000000+0000" },
		{ 999999999, "1970-01-01T00:00:00.999999+0000" },
		{ UINT64_C(1709164800) * 1000000000, "2024-02-29T00:00:00.000000+0000" },
		{ UINT64_C(4102444799) * 1000000000 + 1000, "2099-12-31T23:59:59.000001+0000" },
		{ UINT64_MAX, "2554-07-21T23:34:33.709551+0000" },
	};
	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
		char got[EVENTS_TIME_MAX];
		size_t n = events_time(events, known[i].ns, got);
		CU_ASSERT_TRUE(bytes_equal(bytes_of(got, n), bytes_str(known[i].want)));
	}
}

/* Not a benchmark: a bound that only a mistake in kind would pass. */
static void fast(void)
{
	enum { N = 20000 };
	struct message m;
	struct verdict v;
	struct timespec a, b;
	sample(&m, &v);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (int i = 0; i < N; i++)
		events_record(events, &m);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	double us =
		((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / 1e3 / N;
	printf("%.2f us a record ", us);
	CU_ASSERT_TRUE(us < 100);
}

TEST_MAIN("events", TEST(start), TEST(smtp), TEST(pop3), TEST(nothing_known), TEST(file),
	  TEST(asked), TEST(all_of_auth), TEST(identities), TEST(unseen), TEST(nothing_found),
	  TEST(headers), TEST(evidence), TEST(null_sender), TEST(not_utf8), TEST(largest),
	  TEST(beyond), TEST(partial), TEST(times), TEST(fast))
