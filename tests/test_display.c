/* A display name comes out as readers show it, always as UTF-8, and what is odd in it is told. */
#include "base/utf8.h"
#include "tests/test.h"
#include "verify/header/display.h"

#include <stdio.h>

static struct display d;

static const struct {
	const char *in;
	bool comment;
	const char *want;
	uint32_t flags;
} rows[] = {
	{ "A  B\r\n\tC", false, "A B C", 0 },
	{ "\"A \\\"B\\\\\" C", false, "A \"B\\ C", 0 },
	{ " A (x \"y) B ", false, "A B", 0 },
	{ "A (x", false, "A", 0 },
	{ "A (\"x\" \\) y", true, "A (\"x\" ) y", 0 },
	{ "", false, "", 0 },
	{ "\"\"", false, "", 0 },
	{ "=?utf-8?q?a?= b", false, "a b", DISPLAY_ENCODED },
	{ "=?utf-8?q?a?= \r\n =?utf-8?q?b?=", false, "ab", DISPLAY_ENCODED },
	{ "=?utf-8?q?=C3?= =?utf-8?q?=BC?=", false, "\xc3\xbc", DISPLAY_ENCODED },
	{ "=?iso-8859-1?q?=FC?= =?utf-8?q?=C3=BC?=", false, "\xc3\xbc\xc3\xbc", DISPLAY_ENCODED },
	{ "=?windows-1252?q?=80=93?=", false, "\xe2\x82\xac\xe2\x80\x9c", DISPLAY_ENCODED },
	{ "=?iso-8859-1?q?=81?=", false, "\xc2\x81", DISPLAY_ENCODED | DISPLAY_CONTROL },
	{ "=?ISO-8859-15?q?=A4=BD=FC?=", false, "\xe2\x82\xac\xc5\x93\xc3\xbc", DISPLAY_ENCODED },
	{ "\"=?utf-8?q?a=40b?=\"", false, "a@b", DISPLAY_ENCODED | DISPLAY_ENCODED_AT },
	{ "=?koi8-r?q?a=C1@?=", false, "a\xef\xbf\xbd@",
	  DISPLAY_ENCODED | DISPLAY_ENCODED_AT | DISPLAY_CHARSET },
	{ "=?utf-7?q?+AEA-?=", false, "\xef\xbf\xbd", DISPLAY_ENCODED | DISPLAY_CHARSET },
	{ "=?utf-16?b?AGE=?= x", false, "\xef\xbf\xbd x", DISPLAY_ENCODED | DISPLAY_CHARSET },
	{ "=?utf-8?q?=FC?=", false, "\xef\xbf\xbd", DISPLAY_ENCODED | DISPLAY_NOT_UTF8 },
	{ "a\xfc", false, "a\xef\xbf\xbd", DISPLAY_NOT_UTF8 },
	{ "=?utf-8?q?=4?= a", false, "=?utf-8?q?=4?= a", 0 },
	{ "=?utf-8?b?AA==?=", false, "", DISPLAY_ENCODED | DISPLAY_CONTROL },
	{ "a\x7f", false, "a\x7f", DISPLAY_CONTROL },
	{ "\xe2\x80\xaex", false, "\xe2\x80\xaex", DISPLAY_CONTROL },
	{ "\xe2\x81\xa6x", false, "\xe2\x81\xa6x", 0 },
};

static void known_names(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		display_read(&d, bytes_of(p, n), rows[i].comment);
		test_guard_free(p, n);
		/* a NUL is kept: the comparison ends there */
		struct bytes got = display_text(&d);
		if (got.n && !got.p[got.n - 1])
			got.n--;
		CU_ASSERT(bytes_equal(got, bytes_str(rows[i].want)));
		CU_ASSERT_EQUAL(d.flags, rows[i].flags);
		if (!bytes_equal(got, bytes_str(rows[i].want)) || d.flags != rows[i].flags)
			printf("%s: %.*s %x\n", rows[i].in, (int)got.n, got.p, d.flags);
	}
}

static void cut_everywhere(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t n = 0; n < strlen(rows[i].in); n++) {
			uint8_t *p = test_guard(rows[i].in, n);
			display_read(&d, bytes_of(p, n), rows[i].comment);
			CU_ASSERT_TRUE(utf8_valid(display_text(&d)));
			test_guard_free(p, n);
		}
	}
}

static void limit(void)
{
	static char in[5 * DISPLAY_MAX];
	memset(in, 'a', sizeof in);
	display_read(&d, bytes_of(in, DISPLAY_MAX), false);
	CU_ASSERT_EQUAL(d.n, DISPLAY_MAX);
	CU_ASSERT_EQUAL(d.flags, 0);
	display_read(&d, bytes_of(in, DISPLAY_MAX + 1), false);
	CU_ASSERT_EQUAL(d.n, DISPLAY_MAX);
	CU_ASSERT_EQUAL(d.flags, DISPLAY_CUT);
	/* no half characters; flags of what is left out are told */
	in[0] = 'a';
	for (size_t i = 1; i + 1 < sizeof in; i += 2)
		memcpy(in + i, "\xc3\xbc", 2);
	in[sizeof in - 1] = 1;
	display_read(&d, bytes_of(in, sizeof in), false);
	CU_ASSERT_EQUAL(d.n, DISPLAY_MAX - 1);
	CU_ASSERT_TRUE(utf8_valid(display_text(&d)));
	CU_ASSERT_EQUAL(d.flags & ~(uint32_t)DISPLAY_NOT_UTF8, DISPLAY_CUT | DISPLAY_CONTROL);
	/* one run of words over the limit: what does not fit is a run of its own */
	size_t n = 0;
	while (n + 20 < sizeof in)
		n += (size_t)sprintf(in + n, "=?utf-8?q?abcdef?= ");
	display_read(&d, bytes_of(in, n), false);
	CU_ASSERT_TRUE(d.n > DISPLAY_MAX - 8);
	CU_ASSERT_EQUAL(d.flags, DISPLAY_CUT | DISPLAY_ENCODED);
	CU_ASSERT_EQUAL(memcmp(d.text, "abcdefabcdef", 12), 0);
}

TEST_MAIN("display", TEST(known_names), TEST(cut_everywhere), TEST(limit))
