/* What records say of the DNS is read back octet for octet; what is no such record is refused with
 * file and line. */
#include "control/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/test.h"

#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define RECORD(evidence) \
	"{\"timestamp\":\"2026-11-21T10:00:00.000123+0000\",\"event_type\":\"mail\",\"flow_id\":" \
	"5," \
	"\"tx_id\":2,\"message\":{\"sha256\":\"" SHA "\"},\"evidence\":[" evidence "]}\n"
#define ENTRY(name, type, status, data) \
	"{\"name\":\"" name "\",\"type\":\"" type "\",\"status\":\"" status \
	"\",\"ttl\":77,\"secure\":true,\"data\":[" data "]}"

static char why[512], path[64];

static struct answers *load(const char *text)
{
	struct answers *a = NULL;
	snprintf(path, sizeof path, "/tmp/test_evidence.XXXXXX");
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	FILE *f = fdopen(fd, "w");
	fputs(text, f);
	fclose(f);
	why[0] = 0;
	CU_ASSERT_EQUAL(evidence_load(&a, path, why, sizeof why) == 0, a != NULL);
	unlink(path);
	return a;
}

static const struct answer *find(const struct answers *a, enum question_type type, const char *name,
				 size_t len)
{
	struct answers_own own = { 0 };
	struct question q = { .type = (uint16_t)type, .len = (uint8_t)len };
	memcpy(q.name, name, len);
	return answers_find(a, &own, &q);
}

static void data_of_every_type(void)
{
	static const struct {
		enum question_type type;
		const char *word, *text, *data;
		size_t n;
	} rows[] = {
		{ QUESTION_A, "A", "\"192.0.2.1\"", "\xc0\0\2\1", 4 },
		{ QUESTION_AAAA, "AAAA", "\"2001:db8::1\"",
		  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16 },
		{ QUESTION_MX, "MX", "\"10 Mx.a.\"", "\0\12\2Mx\1a\0", 8 },
		{ QUESTION_MX, "MX", "\"0 .\"", "\0\0\0", 3 },
		{ QUESTION_PTR, "PTR", "\"a\\\\046b.c.\"", "\3a.b\1c\0", 7 },
		{ QUESTION_TXT, "TXT", "\"\\\"v=spf1 -all\\\"\"", "v=spf1 -all", 11 },
		{ QUESTION_TXT, "TXT", "\"\\\"a\\\" \\\"b;c\\\\092\\\\034\\\\000\\\\233\\\"\"",
		  "ab;c\\\"\0\xe9", 8 },
		{ QUESTION_TXT, "TXT", "\"\\\"\\\"\"", "", 0 },
		{ QUESTION_A, "A", "\"\\\\# 2 0aff\"", "\x0a\xff", 2 },
		{ QUESTION_A, "A", "\"\\\\# 0\"", "", 0 },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[1000];
		snprintf(text, sizeof text, RECORD(ENTRY("x.example", "%s", "data", "%s")),
			 rows[i].word, rows[i].text);
		struct answers *a = load(text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(a);
		const struct answer *got = find(a, rows[i].type, "x.example", 9);
		CU_ASSERT_EQUAL_FATAL(got->status, ANSWER_DATA);
		CU_ASSERT_EQUAL(got->ttl_s, 77);
		CU_ASSERT(got->secure);
		CU_ASSERT_EQUAL_FATAL(got->n, 1);
		CU_ASSERT(bytes_equal(got->rr[0].data, bytes_of(rows[i].data, rows[i].n)));
		answers_free(a);
	}
}

/* Longer, once written, than a reader of master files takes. */
static void long_txt(void)
{
	enum { N = 60000 };
	static char text[8 * N];
	static uint8_t want[N];
	size_t n = (size_t)sprintf(text, "%s",
				   "{\"timestamp\":\"2026-11-21T10:00:00.000123+0000\","
				   "\"event_type\":\"mail\",\"flow_id\":5,\"tx_id\":2,"
				   "\"message\":{\"sha256\":\"" SHA "\"},\"evidence\":["
				   "{\"name\":\"x\",\"type\":\"TXT\",\"status\":"
				   "\"data\",\"ttl\":7,\"secure\":false,\"data\":[\"");
	for (unsigned i = 0; i < N; i++) {
		want[i] = (uint8_t)(128 + i % 128);
		n += (size_t)sprintf(text + n, "%s\\\\%u",
				     i % 255 ? ""
				     : i     ? "\\\" \\\""
					     : "\\\"",
				     want[i]);
	}
	sprintf(text + n, "%s", "\\\"\"]}]}\n");
	struct answers *a = load(text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	const struct answer *got = find(a, QUESTION_TXT, "x", 1);
	CU_ASSERT_EQUAL_FATAL(got->n, 1);
	CU_ASSERT(bytes_equal(got->rr[0].data, bytes_of(want, N)));
	answers_free(a);
}

static void statuses_and_names(void)
{
	static const char *const words[] = { "nodata", "nxdomain", "servfail", "timeout" };
	for (unsigned i = 0; i < 4; i++) {
		char text[1000];
		snprintf(text, sizeof text, RECORD(ENTRY("a\\\\000\\\\255.x", "A", "%s", "")),
			 words[i]);
		struct answers *a = load(text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(a);
		CU_ASSERT_EQUAL(find(a, QUESTION_A, "a\0\xff.x", 5)->status, ANSWER_NODATA + i);
		answers_free(a);
	}
}

static void whose(void)
{
	struct answers *a = load("\n" RECORD("") "{\"event_type\":\"stats\"}\n");
	struct message m = { .protocol = MESSAGE_SMTP, .flow_id = 5, .tx_id = 2, .size = 1 };
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	struct answers_own own = answers_own(a, &m);
	CU_ASSERT(own.place);
	CU_ASSERT_EQUAL(own.time_ns, UINT64_C(1795255200000123000));
	CU_ASSERT_FALSE(own.cut);
	m.tx_id = 3;
	own = answers_own(a, &m);
	CU_ASSERT_FALSE(own.place);
	answers_free(a);
}

static void refused(void)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", ":1: no record of a message" },
		{ "{\"event_type\":\"stats\"}\n", ":1: no record of a message" },
		{ "\n\nx\n", ":3: not a JSON object" },
		{ "[]\n", ":1: not a JSON object" },
		{ "{\"a\":\"b\t\x1b\x7f\"}\n", ":1: not a JSON object" },
		{ "{} {}\n", ":1: not a JSON object" },
		{ "{\"event_type\":\"mail\"}\n", ":1: a record without evidence" },
		{ "{\"evidence\":{}}\n", ":1: a record without evidence" },
		{ RECORD("7"), ":1: evidence: an entry without" },
		{ RECORD("{}"), ":1: evidence: an entry without" },
		{ RECORD(ENTRY("x", "NS", "data", "\"a.\"")), ":1: evidence: an entry without" },
		{ RECORD(ENTRY("x", "A", "maybe", "")), ":1: evidence: an entry without" },
		{ RECORD(ENTRY("x\\\\25", "A", "nodata", "")), ":1: evidence: an entry without" },
		{ RECORD(ENTRY("x\\\\256", "A", "nodata", "")), ":1: evidence: an entry without" },
		{ RECORD(ENTRY("x", "A", "data", "")), ":1: evidence: \"data\" is not the list" },
		{ RECORD(ENTRY("x", "A", "nodata", "\"192.0.2.1\"")), ":1: evidence: \"data\"" },
		{ RECORD(ENTRY("x", "A", "data", "\"192.0.2.256\"")), ":1: evidence: an entry of" },
		{ RECORD(ENTRY("x", "A", "data", "7")), ":1: evidence: an entry of" },
		{ RECORD(ENTRY("x", "A", "data", "\"\"")), ":1: evidence: an entry of" },
		{ RECORD(ENTRY("x", "A", "data", "\"\\\\# 3 0aff\"")),
		  ":1: evidence: an entry of" },
		{ RECORD(ENTRY("x", "A", "data", "\"192.0.2.1\\ny. A 192.0.2.2\"")),
		  ":1: evidence: an entry of" },
		{ RECORD(ENTRY("x", "TXT", "data", "\"\\\"open\"")), ":1: evidence: an entry of" },
		{ RECORD("")
			  RECORD(ENTRY("x", "A", "nodata", "") "," ENTRY("x", "A", "servfail", "")),
		  ":2: another record of this message has another answer for x" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct answers *a = load(rows[i].text);
		CU_ASSERT_PTR_NULL(a);
		CU_ASSERT(strncmp(why, path, strlen(path)) == 0);
		if (!strstr(why, rows[i].why) || strchr(why, '\n'))
			printf("\n%u: %s\n", i, why);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, rows[i].why));
		CU_ASSERT_PTR_NULL(strchr(why, '\n'));
	}
	struct answers *a;
	CU_ASSERT_EQUAL(evidence_load(&a, "/nonexistent", why, sizeof why) < 0, true);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nonexistent"));
}

/* A record cut at any octet is refused or, where only its line end is missing, read. */
static void cut_everywhere(void)
{
	char text[] = RECORD(ENTRY("x.example", "TXT", "data", "\"\\\"a\\\"\""));
	size_t n = strlen(text);
	for (size_t i = n; i-- > 0;) {
		text[i] = 0;
		struct answers *a = load(text);
		CU_ASSERT_EQUAL(a != NULL, i == n - 1);
		answers_free(a);
	}
}

static void long_lines(void)
{
	enum { N = 3000000 };
	char *text = malloc(N + 1000);
	char *at = text + sprintf(text, "{\"subject\":\"");
	memset(at, 'x', N);
	sprintf(at + N, "\\u0000\",\"evidence\":[" ENTRY("x", "A", "nodata", "") "]}\n");
	struct answers *a = load(text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL(find(a, QUESTION_A, "x", 1)->status, ANSWER_NODATA);
	answers_free(a);
	free(text);
}

TEST_MAIN("evidence", TEST(data_of_every_type), TEST(long_txt), TEST(statuses_and_names),
	  TEST(whose), TEST(refused), TEST(cut_everywhere), TEST(long_lines))
