/* Data that a record holds is octet for octet what the name server said, once a master file reader had
 * it. */
#include "control/rdata.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/test.h"
#include "verify/dns/master.h"

static char line[1 << 20], text[1 << 20];

/* The string that was written, as a C string. */
static const char *written(struct json *j)
{
	struct bytes done = json_done(j);
	json_t *s = json_loadb((const char *)done.p, done.n, JSON_DECODE_ANY, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(strlen(json_string_value(s)), json_string_length(s));
	snprintf(line, sizeof line, "%s", json_string_value(s));
	json_decref(s);
	return line;
}

static const char *rdata(uint16_t type, struct bytes data)
{
	struct json j;
	json_init(&j, text, sizeof text);
	rdata_put(&j, type, data);
	return written(&j);
}

/* Through a file of one record and back. */
static void back(uint16_t type, const char *type_word, struct bytes data)
{
	static char zone[1 << 20], why[256];
	struct master *m;
	struct master_record r;
	int n = snprintf(zone, sizeof zone, "a.example. 300 IN %s %s\n", type_word,
			 rdata(type, data));
	int opened = master_open(&m, bytes_of(zone, (size_t)n), "zone", why, sizeof why);
	CU_ASSERT_EQUAL_FATAL(opened, 0);
	int got = master_next(m, &r);
	CU_ASSERT_EQUAL(got, 1);
	if (got != 1)
		printf("\n%.100s in %.60s, %zu octets\n", why, zone, data.n);
	else
		CU_ASSERT_TRUE(bytes_equal(r.data, data));
	CU_ASSERT_EQUAL(got == 1 ? master_next(m, &r) : 0, 0);
	master_close(m);
}

static void known(void)
{
	static const uint8_t a[4] = { 192, 0, 2, 1 };
	static const uint8_t aaaa[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
	static const uint8_t mx[] = "\x01\x02\x02mx\x07"
				    "example";
	static const uint8_t ptr[] = "\x04"
				     "a b.\x02;@";
	CU_ASSERT_STRING_EQUAL(rdata(1, bytes_of(a, 4)), "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(rdata(28, bytes_of(aaaa, 16)), "2001:db8::1");
	CU_ASSERT_STRING_EQUAL(rdata(15, bytes_of(mx, sizeof mx)), "258 mx.example.");
	CU_ASSERT_STRING_EQUAL(rdata(15, bytes_of("\0\0", 3)), "0 .");
	CU_ASSERT_STRING_EQUAL(rdata(12, bytes_of(ptr, sizeof ptr)), "a\\032b\\046.\\059\\064.");
	CU_ASSERT_STRING_EQUAL(rdata(16, bytes_str("v=spf1 -all")), "\"v=spf1 -all\"");
	CU_ASSERT_STRING_EQUAL(rdata(16, bytes_str("a\"b\\c\x7f")), "\"a\\034b\\092c\\127\"");
	CU_ASSERT_STRING_EQUAL(rdata(16, bytes_str("")), "\"\"");
	back(1, "A", bytes_of(a, 4));
	back(28, "AAAA", bytes_of(aaaa, 16));
	back(15, "MX", bytes_of(mx, sizeof mx));
	back(15, "MX", bytes_of("\0\0", 3));
	back(12, "PTR", bytes_of(ptr, sizeof ptr));
}

static void every_octet(void)
{
	uint8_t all[256], name[258];
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	back(16, "TXT", bytes_of(all, 256));
	for (int i = 0; i < 256; i++) {
		name[0] = 1;
		name[1] = (uint8_t)i;
		name[2] = 0;
		/* ldns takes a name that is one @ for the origin, however it is written */
		if ((i >= 'A' && i <= 'Z') || i == '@')
			continue;
		back(12, "PTR", bytes_of(name, 3));
	}
}

/* Every length about the limits of a string, and the longest answer there is. */
static void lengths(void)
{
	static uint8_t data[65536], octets[1 << 20];
	uint64_t seed = 7;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)test_random(&seed);
	for (size_t n = 0; n < 1100; n++)
		back(16, "TXT", bytes_of(data, n));
	back(16, "TXT", bytes_of(data, 15000));
	for (size_t n = 0; n < sizeof data; n += n < 600 ? 1 : 9973) {
		const char *got = rdata(16, bytes_of(data, n));
		size_t len = rdata_txt(bytes_str(got), octets);
		CU_ASSERT_TRUE(len == n && memcmp(octets, data, n) == 0);
	}
}

/* What nobody wrote here is refused, at any cut. */
static void not_txt(void)
{
	static const char *const bad[] = { "",          " ",       "a",      "\"",
					   "\"a",       "\"\\1\"", "\"\\12", "\"\\256\"",
					   "\"\\1a2\"", "\"a\" b", "\"\\" };
	uint8_t out[64];
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint8_t *p = test_guard(bad[i], strlen(bad[i]));
		CU_ASSERT_EQUAL(rdata_txt(bytes_of(p, strlen(bad[i])), out), SIZE_MAX);
		test_guard_free(p, strlen(bad[i]));
	}
	CU_ASSERT_EQUAL(rdata_txt(bytes_str("\"a\" \"\\000\""), out), 2);
	CU_ASSERT_EQUAL(rdata_txt(bytes_str("\"\""), out), 0);
}

/* What is no such RDATA is still told, as what it is. */
static void malformed(void)
{
	CU_ASSERT_STRING_EQUAL(rdata(1, bytes_str("abc")), "\\# 3 616263");
	CU_ASSERT_STRING_EQUAL(rdata(1, bytes_str("")), "\\# 0");
	CU_ASSERT_STRING_EQUAL(rdata(28, bytes_str("abcd")), "\\# 4 61626364");
	CU_ASSERT_STRING_EQUAL(rdata(15, bytes_str("ab")), "\\# 2 6162");
	CU_ASSERT_STRING_EQUAL(rdata(12, bytes_of("\x03"
						  "ab",
						  4)),
			       "\\# 4 03616200");
	CU_ASSERT_STRING_EQUAL(rdata(12, bytes_of("\xc0\x0c", 2)), "\\# 2 c00c");
	CU_ASSERT_STRING_EQUAL(rdata(99, bytes_str("x")), "\\# 1 78");
	/* cut at every octet, at the end of what may be read */
	static const uint8_t mx[] = "\0\x0a\x02mx\x07"
				    "example";
	for (size_t n = 0; n <= sizeof mx; n++) {
		uint8_t *p = test_guard(mx, n);
		rdata(15, bytes_of(p, n));
		rdata(12, bytes_of(p, n));
		rdata(16, bytes_of(p, n));
		test_guard_free(p, n);
	}
}

static void words(void)
{
	CU_ASSERT_STRING_EQUAL(rdata_status(0), "data");
	CU_ASSERT_STRING_EQUAL(rdata_status(ANSWER_NODATA), "nodata");
	CU_ASSERT_STRING_EQUAL(rdata_status(ANSWER_NXDOMAIN), "nxdomain");
	CU_ASSERT_STRING_EQUAL(rdata_status(ANSWER_SERVFAIL), "servfail");
	CU_ASSERT_STRING_EQUAL(rdata_status(ANSWER_TIMEOUT), "timeout");
	CU_ASSERT_PTR_NULL(rdata_status(5));
	CU_ASSERT_STRING_EQUAL(rdata_type(QUESTION_A), "A");
	CU_ASSERT_STRING_EQUAL(rdata_type(QUESTION_AAAA), "AAAA");
	CU_ASSERT_STRING_EQUAL(rdata_type(QUESTION_MX), "MX");
	CU_ASSERT_STRING_EQUAL(rdata_type(QUESTION_PTR), "PTR");
	CU_ASSERT_STRING_EQUAL(rdata_type(QUESTION_TXT), "TXT");
	CU_ASSERT_PTR_NULL(rdata_type(0));
}

/* One answer too many is left out and counted; a smaller one behind it still gets in. */
static void evidence_bound(void)
{
	static char big[4 * RDATA_EVIDENCE_MAX];
	static uint8_t octets[65536];
	struct bytes large = bytes_of(octets, 65535), small = bytes_str("x");
	struct verdict_evidence e[8] = { { .n = 0 } };
	struct json j;
	for (int i = 0; i < 8; i++)
		e[i] = (struct verdict_evidence){
			.name = bytes_str("a"), .type = 16, .n = 1, .data = i == 7 ? &small : &large
		};
	json_init(&j, big, sizeof big);
	json_object_begin(&j);
	rdata_evidence(&j, e, 8, false);
	json_object_end(&j);
	struct bytes done = json_done(&j);
	CU_ASSERT_PTR_NOT_NULL_FATAL(done.p);
	CU_ASSERT_TRUE(done.n < RDATA_EVIDENCE_MAX + 64);
	json_t *top = json_loadb((const char *)done.p, done.n, JSON_REJECT_DUPLICATES, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(top);
	json_t *list = json_object_get(top, "evidence");
	size_t n = json_array_size(list);
	CU_ASSERT_TRUE(n >= 3 && n < 8);
	CU_ASSERT_TRUE(json_is_true(json_object_get(top, "evidence_cut")));
	CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(
				       json_object_get(json_array_get(list, n - 1), "data"), 0)),
			       "\"x\"");
	json_decref(top);
}

TEST_MAIN("rdata", TEST(known), TEST(every_octet), TEST(lengths), TEST(not_txt), TEST(malformed),
	  TEST(words), TEST(evidence_bound))
