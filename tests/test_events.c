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
	cfg.dkim = true;
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
	*v = (struct verdict){
		.has_sha256 = true, .dkim = &signature, .n_dkim = 1, .dkim_seen = 1
	};
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
		"app_proto vlan direction smtp email message auth matches score verdict");
	members(top, "smtp", "helo mail_from rcpt_to authenticated tls reply");
	members(top, "email", "from to subject message_id date attachment url");
	members(top, "message", "size sha256 complete missing flags");
	members(top, "auth", "dkim");
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
	m.verdict = &v;
	top = record(&m);
	json_t *dkim = json_object_get(json_object_get(top, "auth"), "dkim");
	CU_ASSERT_EQUAL(json_array_size(dkim), 1);
	CU_ASSERT_STRING_EQUAL(text(json_array_get(dkim, 0), "result"), "none");
	json_decref(top);
	cfg.dkim = false;
	events_config(events, &cfg);
	top = record(&m);
	members(top, "auth", "");
	json_decref(top);
	cfg.dkim = true;
	events_config(events, &cfg);
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

/* verdict.asked names the check behind a flag; what nobody judged was asked for by none. */
static void asked(void)
{
	struct message m;
	struct verdict v;
	sample(&m, &v);
	for (int flag = 0; flag < 2; flag++) {
		v.action = flag ? VERDICT_FLAG : VERDICT_ACCEPT;
		json_t *top = record(&m),
		       *list = json_object_get(json_object_get(top, "verdict"), "asked");
		CU_ASSERT_EQUAL(json_array_size(list), (size_t)flag);
		if (flag) {
			json_t *one = json_array_get(list, 0);
			char got[64];
			names(one, got, sizeof got);
			CU_ASSERT_STRING_EQUAL(got, "check profile action");
			CU_ASSERT_STRING_EQUAL(text(one, "check"), "dkim");
			CU_ASSERT_STRING_EQUAL(text(one, "profile"), "default");
			CU_ASSERT_STRING_EQUAL(text(one, "action"), "flag");
		}
		json_decref(top);
	}
	m.verdict = NULL;
	json_t *top = record(&m), *part = json_object_get(top, "verdict");
	CU_ASSERT_STRING_EQUAL(text(part, "action"), "flag");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(part, "asked")), 0);
	json_decref(top);
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

/* The largest message there can be still gives a record: every name full of octets that must be escaped. */
static void largest(void)
{
	static uint8_t octets[MESSAGE_HEADER_MAX];
	static struct message_rcpt many[MESSAGE_RCPT_MAX];
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
	v.email.subject = bytes_of(octets, sizeof octets);
	signature.domain = bytes_of(octets, sizeof octets);
	json_t *top = record(&m);
	json_t *smtp_part = json_object_get(top, "smtp");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(smtp_part, "rcpt_to")), MESSAGE_RCPT_MAX);
	CU_ASSERT_EQUAL(
		json_string_length(json_object_get(json_object_get(top, "email"), "subject")),
		sizeof octets);
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
	  TEST(asked), TEST(null_sender), TEST(not_utf8), TEST(largest), TEST(partial), TEST(times),
	  TEST(fast))
