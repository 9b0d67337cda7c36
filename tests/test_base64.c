/* Text of base64 gives the same octets however it is cut, and what is no base64 gives none. */
#include "tests/test.h"
#include "verify/kernel/base64.h"

struct row {
	const char *text;
	int n; /* -1: bad */
	const char *want;
};

static const struct row rows[] = {
	{ "", 0, "" },
	{ "Zg==", 1, "f" },
	{ "Zm8=", 2, "fo" },
	{ "Zm9v", 3, "foo" },
	{ "Zm9vYg==", 4, "foob" },
	{ "Zm9vYmE=", 5, "fooba" },
	{ "Zm9vYmFy", 6, "foobar" },
	{ "Zm9v\r\n YmFy\t", 6, "foobar" },
	{ " Z m 9 v ", 3, "foo" },
	{ "Zm8 =", 2, "fo" },
	{ "Zg = =", 1, "f" },
	{ "Zg", 1, "f" }, /* no padding */
	{ "Zm8", 2, "fo" },
	{ "+/+/", 3, "\xfb\xff\xbf" },
	{ "Z", -1, NULL },
	{ "Zm9vY", -1, NULL },
	{ "Zg=", -1, NULL },
	{ "Z===", -1, NULL },
	{ "====", -1, NULL },
	{ "=", -1, NULL },
	{ "Zg===", -1, NULL },
	{ "Zm9v=", -1, NULL },
	{ "Zm9v====", -1, NULL },
	{ "Zg==Zg==", -1, NULL },
	{ "Zm8=v", -1, NULL },
	{ "Zg=Z", -1, NULL },
	{ "Zm-_", -1, NULL },
	{ "Zm9v;", -1, NULL },
	{ "Zm9v\x80", -1, NULL },
};

/* In pieces that end at each of cut[]; -1 when bad. */
static int decode_cut(struct bytes in, size_t cut, size_t step, uint8_t *out, size_t cap)
{
	struct base64 s = { 0 };
	size_t n = 0, rest;
	for (size_t i = 0; i < in.n;) {
		size_t len = step ? step : (i == 0 && cut ? cut : in.n - i);
		len = len < in.n - i ? len : in.n - i;
		n += base64_push(&s, bytes_of(in.p + i, len), out + n, cap - n);
		i += len;
	}
	return base64_end(&s, out + n, cap - n, &rest) ? (int)(n + rest) : -1;
}

static void known(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t out[16];
		ptrdiff_t n = base64_decode(bytes_str(rows[i].text), out, sizeof out);
		CU_ASSERT_EQUAL(n, rows[i].n);
		if (n > 0 && n == rows[i].n)
			CU_ASSERT(memcmp(out, rows[i].want, (size_t)n) == 0);
	}
}

static void cut_everywhere(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes in = bytes_str(rows[i].text);
		for (size_t cut = 0; cut <= in.n + 1; cut++) {
			uint8_t out[16];
			int n = decode_cut(in, cut, cut > in.n, out, sizeof out);
			CU_ASSERT_EQUAL(n, rows[i].n);
			if (n > 0 && n == rows[i].n)
				CU_ASSERT(memcmp(out, rows[i].want, (size_t)n) == 0);
		}
	}
}

static void room(void)
{
	for (size_t cap = 0; cap <= 6; cap++) {
		uint8_t *out = test_guard("......", cap);
		for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			ptrdiff_t n = base64_decode(bytes_str(rows[i].text), out, cap);
			int want = rows[i].n > (int)cap ? -1 : rows[i].n;
			CU_ASSERT_EQUAL(n, want);
		}
		test_guard_free(out, cap);
	}
}

static void input_at_end_of_page(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].text);
		uint8_t *p = test_guard(rows[i].text, n), out[16];
		CU_ASSERT_EQUAL(base64_decode(bytes_of(p, n), out, sizeof out), rows[i].n);
		test_guard_free(p, n);
	}
}

TEST_MAIN("base64", TEST(known), TEST(cut_everywhere), TEST(room), TEST(input_at_end_of_page))
