/* The writer's text is always valid JSON that reads back as the octets given, or there is none. */
#include "base/json.h"
#include "base/utf8.h"
#include "tests/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static void check(const struct json *j, const char *want)
{
	struct bytes got = json_done(j);
	if (!bytes_equal(got, bytes_str(want)))
		printf("\n    got  %.*s\n    want %s\n", (int)got.n,
		       got.p ? (const char *)got.p : "", want);
	CU_ASSERT(bytes_equal(got, bytes_str(want)));
}

static void structure(void)
{
	char buf[512];
	struct json j;
	json_init(&j, buf, sizeof buf);
	json_object_begin(&j);
	json_key(&j, "a");
	json_array_begin(&j);
	json_array_end(&j);
	json_key(&j, "b");
	json_object_begin(&j);
	json_object_end(&j);
	json_key(&j, "c");
	json_array_begin(&j);
	json_int(&j, 1);
	json_str(&j, NULL);
	json_array_begin(&j);
	json_bool(&j, true);
	json_bool(&j, false);
	json_array_end(&j);
	json_object_begin(&j);
	json_key_bytes(&j, bytes_str("\""));
	json_raw(&j, bytes_str("[0]"));
	json_object_end(&j);
	json_array_end(&j);
	json_key(&j, "d");
	json_text_begin(&j);
	json_text(&j, bytes_str("x\n"));
	json_text(&j, bytes_of(NULL, 0));
	json_text(&j, bytes_str("y"));
	json_text_end(&j);
	json_key(&j, "e");
	json_hex(&j, bytes_of("\x00\xff\x1a", 3));
	json_object_end(&j);
	check(&j, "{\"a\":[],\"b\":{},\"c\":[1,null,[true,false],{\"\\\"\":[0]}],"
		  "\"d\":\"x\\ny\",\"e\":\"00ff1a\"}");
}

static void numbers(void)
{
	char buf[512];
	struct json j;
	json_init(&j, buf, sizeof buf);
	json_array_begin(&j);
	json_int(&j, 0);
	json_int(&j, INT64_MIN);
	json_int(&j, INT64_MAX);
	json_uint(&j, UINT64_MAX);
	json_fixed(&j, -5, 1);
	json_fixed(&j, 0, 1);
	json_fixed(&j, 12345, 3);
	json_fixed(&j, -7, 3);
	json_fixed(&j, INT64_MIN, 18);
	json_fixed(&j, 1, 18);
	json_array_end(&j);
	check(&j,
	      "[0,-9223372036854775808,9223372036854775807,18446744073709551615,-0.5,0.0,12.345,"
	      "-0.007,-9.223372036854775808,0.000000000000000001]");
}

static void strings(void)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
	} rows[] = {
		{ "", 0, "\"\"" },
		{ "\"\\/", 3, "\"\\\"\\\\/\"" },
		{ "\b\t\n\v\f\r\x1f\x7f\0", 9, "\"\\b\\t\\n\\u000b\\f\\r\\u001f\\u007f\\u0000\"" },
		/* well formed, first and last of each length */
		{ "\xc2\x80\xdf\xbf", 4, "\"\xc2\x80\xdf\xbf\"" },
		{ "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 12,
		  "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"" },
		{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8, "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"" },
		/* overlong */
		{ "\xc0\x80", 2, "\"\\u00c0\\u0080\"" },
		{ "\xc1\xbf", 2, "\"\\u00c1\\u00bf\"" },
		{ "\xe0\x9f\xbf", 3, "\"\\u00e0\\u009f\\u00bf\"" },
		{ "\xf0\x8f\xbf\xbf", 4, "\"\\u00f0\\u008f\\u00bf\\u00bf\"" },
		/* surrogates */
		{ "\xed\xa0\x80", 3, "\"\\u00ed\\u00a0\\u0080\"" },
		{ "\xed\xbf\xbf", 3, "\"\\u00ed\\u00bf\\u00bf\"" },
		/* over U+10FFFF */
		{ "\xf4\x90\x80\x80", 4, "\"\\u00f4\\u0090\\u0080\\u0080\"" },
		{ "\xf5\x80\x80\x80", 4, "\"\\u00f5\\u0080\\u0080\\u0080\"" },
		{ "\xff", 1, "\"\\u00ff\"" },
		/* cut, then something plain */
		{ "\xc3", 1, "\"\\u00c3\"" },
		{ "\xe2\x82", 2, "\"\\u00e2\\u0082\"" },
		{ "\xe2\x82x", 3, "\"\\u00e2\\u0082x\"" },
		{ "\xf0\x9f\x98", 3, "\"\\u00f0\\u009f\\u0098\"" },
		{ "caf\xe9", 4, "\"caf\\u00e9\"" },
		{ "\x80", 1, "\"\\u0080\"" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char buf[256];
		struct json j;
		uint8_t *guarded = test_guard(rows[i].in, rows[i].n);
		json_init(&j, buf, sizeof buf);
		json_bytes(&j, bytes_of(guarded, rows[i].n));
		check(&j, rows[i].want);
		test_guard_free(guarded, rows[i].n);
	}
}

/* What a reader must get: bad octets as the code point of the same number. */
static size_t expected(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t k = 0;
	for (size_t i = 0; i < n;) {
		unsigned len = utf8_len(p + i, n - i);
		if (len) {
			memcpy(out + k, p + i, len);
			k += len;
			i += len;
		} else {
			out[k++] = (uint8_t)(0xc0 | p[i] >> 6);
			out[k++] = 0x80 | (p[i] & 0x3f);
			i++;
		}
	}
	return k;
}

static void any_octets_read_back(void)
{
	static const char spice[] = "\"\\\n\x7f\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xed\xa0\xff";
	uint64_t rnd = 7;
	for (int turn = 0; turn < 20000; turn++) {
		uint8_t in[200], want[400];
		char buf[1210];
		size_t n = test_random(&rnd) % sizeof in;
		unsigned rare = 1 + (unsigned)(test_random(&rnd) % 40);
		for (size_t i = 0; i < n; i++) {
			uint64_t r = test_random(&rnd);
			in[i] = r % rare   ? (uint8_t)(' ' + (r >> 8) % 95)
				: r & 1024 ? (uint8_t)(r >> 16)
					   : (uint8_t)spice[(r >> 16) % (sizeof spice - 1)];
		}
		uint8_t *guarded = test_guard(in, n);
		struct json j;
		json_init(&j, buf, sizeof buf);
		json_bytes(&j, bytes_of(guarded, n));
		test_guard_free(guarded, n);
		struct bytes got = json_done(&j);
		CU_ASSERT_FATAL(got.p != NULL);
		json_t *v = json_loadb((const char *)got.p, got.n, JSON_DECODE_ANY | JSON_ALLOW_NUL,
				       NULL);
		CU_ASSERT_FATAL(v != NULL);
		size_t len = expected(in, n, want);
		CU_ASSERT_FATAL(json_string_length(v) == len &&
				memcmp(json_string_value(v), want, len) == 0);
		json_decref(v);
	}
}

static void write_all(struct json *j)
{
	json_object_begin(j);
	json_key(j, "long enough for a whole block \" and on");
	json_bytes(j,
		   bytes_str("sixteen octets here, \xc3\xa4\xff\x01\" and at the end plain ones"));
	json_key(j, "n");
	json_array_begin(j);
	json_uint(j, 18446744073709551615u);
	json_fixed(j, -12345, 2);
	json_nil(j);
	json_bool(j, false);
	json_hex(j, bytes_str("abc"));
	json_array_end(j);
	json_object_end(j);
}

static void overflow_is_sticky_at_every_size(void)
{
	char whole[512];
	struct json j;
	json_init(&j, whole, sizeof whole);
	write_all(&j);
	size_t len = json_done(&j).n;
	CU_ASSERT_FATAL(len > 100);
	for (size_t cap = 0; cap <= len; cap++) {
		uint8_t *buf = test_guard(whole, cap);
		memset(buf, '#', cap);
		json_init(&j, buf, cap);
		write_all(&j);
		struct bytes got = json_done(&j);
		CU_ASSERT_EQUAL(j.overflow, cap < len);
		CU_ASSERT_EQUAL(got.p == NULL, cap < len);
		if (cap == len)
			CU_ASSERT(bytes_equal(got, bytes_of(whole, len)));
		json_int(&j, 1);
		CU_ASSERT(j.len <= cap);
		test_guard_free(buf, cap);
	}
}

TEST_MAIN("json", TEST(structure), TEST(numbers), TEST(strings), TEST(any_octets_read_back),
	  TEST(overflow_is_sticky_at_every_size))
