/* A domain name comes out in lower-case A-labels within the bounds of the DNS, or not at all. */
#include "tests/test.h"
#include "verify/dns/names.h"

static const struct {
	const char *in, *want; /* NULL: none */
} rows[] = {
	{ "example.com", "example.com" },
	{ "EXAMPLE.Com", "example.com" },
	{ "a", "a" },
	{ "s1._domainkey.x-y.1", "s1._domainkey.x-y.1" },
	{ "b\xc3\xbc"
	  "cher.example",
	  "xn--bcher-kva.example" },
	{ "B\xc3\x9c"
	  "CHER.example",
	  "xn--bcher-kva.example" },
	{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
	  "xn--r8jz45g.xn--zckzah" },
	{ "", NULL },
	{ ".", NULL },
	{ "a.", NULL },
	{ ".a", NULL },
	{ "a..b", NULL },
	{ "a b", NULL },
	{ "a@b", NULL },
	{ "[192.0.2.1]", NULL },
	{ "a\x01.b", NULL },
	{ "\xff\xfe.example", NULL }, /* no UTF-8 */
	{ "\xc3.example", NULL },
};

static void known(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		char out[NAMES_MAX + 1] = "?";
		size_t len = names_ascii(bytes_of(p, n), out);
		CU_ASSERT_EQUAL(len, rows[i].want ? strlen(rows[i].want) : 0);
		if (len && rows[i].want)
			CU_ASSERT_STRING_EQUAL(out, rows[i].want);
		test_guard_free(p, n);
	}
}

static void h2_lengths(void)
{
	char out[NAMES_MAX + 1], in[1200];
	for (size_t n = 1; n < sizeof in; n++) {
		/* labels of 63, the longest there are */
		for (size_t i = 0; i < n; i++)
			in[i] = i % 64 == 63 ? '.' : 'a';
		bool fits = n <= NAMES_MAX && in[n - 1] != '.';
		CU_ASSERT_EQUAL(names_ascii(bytes_of(in, n), out), fits ? n : 0);
		memset(in, 'a', n); /* one label */
		CU_ASSERT_EQUAL(names_ascii(bytes_of(in, n), out), n <= 63 ? n : 0);
		in[0] = (char)0xc3; /* the way through libidn2 */
		CU_ASSERT(n < 60 || names_ascii(bytes_of(in, n), out) == 0);
	}
}

static void under(void)
{
	CU_ASSERT(names_under(bytes_str("a.b"), bytes_str("a.b")));
	CU_ASSERT(names_under(bytes_str("x.a.b"), bytes_str("a.b")));
	CU_ASSERT_FALSE(names_under(bytes_str("xa.b"), bytes_str("a.b")));
	CU_ASSERT_FALSE(names_under(bytes_str("b"), bytes_str("a.b")));
	CU_ASSERT_FALSE(names_under(bytes_str("a.b"), bytes_str("")));
	CU_ASSERT_FALSE(names_under(bytes_str(""), bytes_str("b")));
}

TEST_MAIN("names", TEST(known), TEST(h2_lengths), TEST(under))
