/* Prefixes, reverse names and names in wire form are read exactly, and never over their end. */
#include "tests/spf_case.h"
#include "tests/test.h"
#include "verify/auth/spf_address.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The same as comparing bit by bit. */
static void prefixes(void)
{
	uint64_t seed = 7;
	for (unsigned round = 0; round < 2000; round++) {
		uint8_t a[16], b[16];
		for (unsigned i = 0; i < 16; i++)
			a[i] = b[i] = (uint8_t)test_random(&seed);
		unsigned flip = (unsigned)(test_random(&seed) % 128);
		b[flip / 8] ^= (uint8_t)(0x80 >> flip % 8);
		for (unsigned bits = 0; bits <= 128; bits++)
			CU_ASSERT_EQUAL(spf_address_in(a, b, bits), bits <= flip);
	}
}

static void reverse(void)
{
	static const struct {
		const char *ip, *want;
		bool ip4;
	} rows[] = {
		{ "192.0.2.3", "3.2.0.192.in-addr.arpa", true },
		{ "255.255.255.255", "255.255.255.255.in-addr.arpa", true },
		{ "::ffff:10.0.0.4", "4.0.0.10.in-addr.arpa", true },
		{ "2001:db8::cb01",
		  "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" },
		{ "::",
		  "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa" },
	};
	for (unsigned i = 0; i < N(rows); i++) {
		char out[SPF_ADDRESS_REVERSE_MAX];
		struct address a = spf_case_ip(rows[i].ip);
		size_t n = spf_address_reverse(a.ip, out);
		CU_ASSERT_STRING_EQUAL(out, rows[i].want);
		CU_ASSERT(n == strlen(rows[i].want) && n < SPF_ADDRESS_REVERSE_MAX);
		CU_ASSERT_EQUAL(spf_address_is_ip4(a.ip), rows[i].ip4);
	}
}

static void found(void)
{
	struct answer_rr rr[] = { { bytes_of("\xc0\0\2", 3) }, /* not an address */
				  { bytes_of("\xc0\0\2\1\0", 5) },
				  { bytes_of("\xc0\0\2\x10", 4) },
				  { bytes_of("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16) } };
	struct answer a = { .n = N(rr), .rr = rr };
	static const struct {
		const char *ip;
		unsigned cidr4, cidr6;
		bool want;
	} rows[] = {
		{ "192.0.2.16", 32, 128, true },   { "192.0.2.17", 32, 128, false },
		{ "192.0.2.17", 31, 128, true },   { "192.0.2.1", 32, 128, false },
		{ "203.0.113.1", 0, 128, true },   { "2001:db8::1", 32, 128, true },
		{ "2001:db8::2", 32, 128, false }, { "2001:db8::2", 0, 126, true },
		{ "::", 0, 128, false },
	};
	for (unsigned i = 0; i < N(rows); i++)
		CU_ASSERT_EQUAL(spf_address_found(&a, spf_case_ip(rows[i].ip).ip, rows[i].cidr4,
						  rows[i].cidr6),
				rows[i].want);
}

static void hosts(void)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want; /* "": none */
	} rows[] = {
#define ROW(in, want) { in, sizeof in - 1, want }
		ROW("\3FOO\7example\0", "FOO.example"),
		ROW("\1a\0", "a"),
		ROW("\0", ""),
		ROW("", ""),
		ROW("\3foo", ""), /* no end */
		ROW("\3fo", ""),
		ROW("\3f.o\1b\0", ""), /* a dot in a label */
		ROW("\xc0\x0c", ""), /* a pointer */
		ROW("\3f o\1b\0", "f o.b"),
		ROW("\1\xff\1b\0", "\xff.b"),
#undef ROW
	};
	for (unsigned i = 0; i < N(rows); i++) {
		char out[QUESTION_NAME_MAX + 1] = "?";
		uint8_t *p = test_guard(rows[i].in, rows[i].n);
		size_t n = spf_address_host(bytes_of(p, rows[i].n), out);
		CU_ASSERT_EQUAL(n, strlen(rows[i].want));
		CU_ASSERT(n == 0 || memcmp(out, rows[i].want, n + 1) == 0);
		test_guard_free(p, rows[i].n);
	}
	/* 255 octets in wire form are the most there can be */
	uint8_t wire[300];
	for (unsigned labels = 1; labels < 140; labels++) {
		char out[QUESTION_NAME_MAX + 1];
		for (unsigned i = 0; i < labels; i++)
			memcpy(wire + 2 * i, "\1a", 2);
		wire[2 * labels] = 0;
		size_t n = spf_address_host(bytes_of(wire, 2 * labels + 1), out);
		CU_ASSERT_EQUAL(n, labels <= 127 ? 2 * labels - 1 : 0);
	}
}

TEST_MAIN("spf_address", TEST(prefixes), TEST(reverse), TEST(found), TEST(hosts))
