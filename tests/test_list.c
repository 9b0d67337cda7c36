/* An address, domain or prefix is found exactly where one of the entries says so, however many there are. */
#include "base/list.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/test.h"

static struct list *make(const char *const *text, uint32_t n)
{
	struct bytes entry[64];
	uint32_t bad;
	for (uint32_t i = 0; i < n; i++)
		entry[i] = bytes_str(text[i]);
	return list_new("some", entry, n, false, &bad);
}

static bool has_ip(const struct list *l, const char *text)
{
	uint8_t ip[16] = { [10] = 0xff, [11] = 0xff };
	if (inet_pton(AF_INET, text, ip + 12) != 1)
		CU_ASSERT_EQUAL(inet_pton(AF_INET6, text, ip), 1);
	return list_has_ip(l, ip);
}

static void prefixes(void)
{
	static const char *const text[] = {
		"192.0.2.0/24",  "192.0.2.128/25",  "198.51.100.7",           "10.1.2.3/8",
		"2001:db8::/32", "2001:db8:1::/48", "::ffff:203.0.113.0/120", "fe80::1",
		"10.0.0.0/7"
	};
	static const char *const in[] = { "192.0.2.0",   "192.0.2.255", "198.51.100.7",
					  "10.255.0.1",  "11.0.0.1",    "2001:db8:ffff::1",
					  "203.0.113.9", "fe80::1",     "::ffff:192.0.2.5" };
	static const char *const out[] = {
		"192.0.1.255",   "192.0.3.0",  "198.51.100.8", "12.0.0.0",
		"9.255.255.255", "2001:db9::", "fe80::2",      "::1"
	};
	struct list *l = make(text, sizeof text / sizeof text[0]);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	for (unsigned i = 0; i < sizeof in / sizeof in[0]; i++)
		CU_ASSERT_TRUE(has_ip(l, in[i]));
	for (unsigned i = 0; i < sizeof out / sizeof out[0]; i++)
		CU_ASSERT_FALSE(has_ip(l, out[i]));
	CU_ASSERT_EQUAL(list_count(l), 9);
	CU_ASSERT_STRING_EQUAL(list_name(l), "some");
	CU_ASSERT_TRUE(bytes_equal(list_entry(l, 3), bytes_str("10.1.2.3/8")));
	list_free(l);
}

/* All of IPv6 is not all of IPv4, and the other way round. */
static void families_apart(void)
{
	static const char *const six[] = { "::/0" }, *const four[] = { "0.0.0.0/0" };
	struct list *a = make(six, 1), *b = make(four, 1);
	CU_ASSERT_TRUE(has_ip(a, "2001:db8::1") && !has_ip(a, "192.0.2.1"));
	CU_ASSERT_TRUE(!has_ip(b, "2001:db8::1") && has_ip(b, "192.0.2.1"));
	list_free(a);
	list_free(b);
}

static void names(void)
{
	static const char *const text[] = { "Example.COM", "sub.example.net.",
					    "Alice.B@Lists.example.org", "\"a/b\"@example.edu",
					    "xn--bcher-kva.example" };
	struct list *l = make(text, sizeof text / sizeof text[0]);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	CU_ASSERT_TRUE(list_has_domain(l, bytes_str("example.com")));
	CU_ASSERT_TRUE(list_has_domain(l, bytes_str("a.b.example.com")));
	CU_ASSERT_TRUE(list_has_domain(l, bytes_str("example.com.")));
	CU_ASSERT_TRUE(list_has_domain(l, bytes_str("sub.example.net")));
	CU_ASSERT_TRUE(list_has_domain(l, bytes_str("xn--bcher-kva.example")));
	CU_ASSERT_FALSE(list_has_domain(l, bytes_str("badexample.com")));
	CU_ASSERT_FALSE(list_has_domain(l, bytes_str("example.net")));
	CU_ASSERT_FALSE(list_has_domain(l, bytes_str("com")));
	CU_ASSERT_FALSE(list_has_domain(l, bytes_str("")));
	CU_ASSERT_FALSE(list_has_domain(l, bytes_str(".")));
	/* an address does not stand for its domain */
	CU_ASSERT_FALSE(list_has_domain(l, bytes_str("lists.example.org")));
	CU_ASSERT_FALSE(list_has_domain(l, bytes_str("alice.b@lists.example.org")));
	CU_ASSERT_FALSE(list_has_domain(l, bytes_str("x@a.example.com")));
	struct bytes org = bytes_str("lists.example.org");
	CU_ASSERT_TRUE(list_has_address(l, bytes_str("alice.b"), org));
	CU_ASSERT_TRUE(list_has_address(l, bytes_str("ALICE.B"), org));
	CU_ASSERT_FALSE(list_has_address(l, bytes_str("alice"), org));
	CU_ASSERT_FALSE(list_has_address(l, bytes_str(""), org));
	CU_ASSERT_FALSE(
		list_has_address(l, bytes_str("alice.b"), bytes_str("x.lists.example.org")));
	CU_ASSERT_TRUE(list_has_address(l, bytes_str("\"a/b\""), bytes_str("example.edu")));
	CU_ASSERT_TRUE(list_has_address(l, bytes_str("anyone"), bytes_str("mx.example.com")));
	/* an address is not found by shifting octets over the '@' */
	CU_ASSERT_FALSE(list_has_address(l, bytes_str("alice.b@lists"), bytes_str("example.org")));
	list_free(l);
}

static void nothing(void)
{
	static const uint8_t ip[16];
	uint32_t bad;
	struct list *l = list_new("", NULL, 0, false, &bad);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	CU_ASSERT_FALSE(list_has_ip(l, ip) || list_has_domain(l, bytes_str("a")) ||
			list_has_address(l, bytes_str("a"), bytes_str("b")));
	CU_ASSERT_FALSE(list_has_ip(NULL, ip) || list_has_domain(NULL, bytes_str("a")) ||
			list_has_address(NULL, bytes_str("a"), bytes_str("b")));
	list_free(l);
	list_free(NULL);
}

static void texts(void)
{
	struct bytes entry[] = { bytes_str("Olivia Smith"), bytes_str("192.0.2.1"), bytes_str("") };
	uint32_t bad;
	struct list *l = list_new("names", entry, 3, true, &bad);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	CU_ASSERT_TRUE(bytes_equal(list_entry(l, 0), entry[0]));
	CU_ASSERT_EQUAL(list_entry(l, 2).n, 0);
	CU_ASSERT_FALSE(has_ip(l, "192.0.2.1"));
	list_free(l);
}

static void what_is_wrong(void)
{
	static const char *const wrong[] = { "",
					     "192.0.2.0/33",
					     "192.0.2",
					     "192.0.2.256",
					     "2001:db8::/129",
					     "a..b",
					     ".a",
					     "a b",
					     "*.example.com",
					     "@example.com",
					     "a@",
					     "a@b@",
					     "192.0.2.0/",
					     "192.0.2.0/x",
					     "/8",
					     "a/b",
					     "b\xc3\xbc.example",
					     ".",
					     "a@192.0.2.1" };
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct bytes entry[] = { bytes_str("example.com"), bytes_str(wrong[i]) };
		uint32_t bad = 7;
		CU_ASSERT_PTR_NULL(list_new("x", entry, 2, false, &bad));
		CU_ASSERT_EQUAL(bad, 1);
	}
	static char label[65], many[300];
	memset(label, 'a', 64);
	for (unsigned i = 0; i < 299; i++)
		many[i] = i % 2 ? '.' : 'a';
	struct bytes entry[] = { bytes_str(label) };
	uint32_t bad = 7;
	CU_ASSERT_PTR_NULL(list_new("x", entry, 1, false, &bad));
	entry[0] = bytes_str(many);
	CU_ASSERT_PTR_NULL(list_new("x", entry, 1, false, &bad));
	CU_ASSERT_EQUAL(bad, 0);
}

static void limits(void)
{
	static char longest[LIST_ENTRY_MAX + 1];
	memset(longest, 'x', sizeof longest);
	struct bytes entry = bytes_of(longest, LIST_ENTRY_MAX);
	uint32_t bad;
	struct list *l = list_new("x", &entry, 1, true, &bad);
	CU_ASSERT_PTR_NOT_NULL(l);
	list_free(l);
	entry.n++;
	CU_ASSERT_PTR_NULL(list_new("x", &entry, 1, true, &bad));
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT_PTR_NULL(list_new("x", &entry, LIST_ENTRIES_MAX + 1, true, &bad));
	CU_ASSERT_EQUAL(bad, LIST_ENTRIES_MAX);
}

/* Every prefix of 10.0.0.0/8's neighbourhood against a plain walk over all entries. */
static void same_as_a_plain_walk(void)
{
	enum { N = 400 };
	static char text[N][32];
	struct bytes entry[N];
	uint32_t low[N], high[N], bad;
	uint64_t seed = 7;
	for (unsigned i = 0; i < N; i++) {
		unsigned bits = 12 + (unsigned)(test_random(&seed) % 21);
		uint32_t ip = 0x0a000000 | (uint32_t)(test_random(&seed) & 0x3fffff);
		uint32_t host = bits == 32 ? 0 : 0xffffffffu >> bits;
		low[i] = ip & ~host;
		high[i] = ip | host;
		snprintf(text[i], sizeof text[i], "%u.%u.%u.%u/%u", ip >> 24, ip >> 16 & 255,
			 ip >> 8 & 255, ip & 255, bits);
		entry[i] = bytes_str(text[i]);
	}
	for (unsigned n = 1; n <= N; n += 57) {
		struct list *l = list_new("x", entry, n, false, &bad);
		for (unsigned k = 0; k < 5000; k++) {
			uint32_t ip = 0x0a000000 | (uint32_t)(test_random(&seed) & 0x7fffff);
			if (k % 3 == 0)
				ip = low[k % n] - k % 2;
			if (k % 3 == 1)
				ip = high[k % n] + k % 2;
			bool want = false;
			for (unsigned i = 0; i < n; i++)
				want = want || (ip >= low[i] && ip <= high[i]);
			uint8_t mapped[16] = { [10] = 0xff,
					       [11] = 0xff,
					       [12] = (uint8_t)(ip >> 24),
					       [13] = (uint8_t)(ip >> 16),
					       [14] = (uint8_t)(ip >> 8),
					       [15] = (uint8_t)ip };
			CU_ASSERT_EQUAL(list_has_ip(l, mapped), want);
		}
		list_free(l);
	}
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_million(void)
{
	enum { WIDTH = 24 };
	char *text = malloc((size_t)LIST_ENTRIES_MAX * WIDTH);
	struct bytes *entry = malloc(LIST_ENTRIES_MAX * sizeof *entry);
	uint32_t bad, found = 0;
	CU_ASSERT_TRUE_FATAL(text && entry);
	for (unsigned i = 0; i < LIST_ENTRIES_MAX; i++) {
		char *at = text + (size_t)i * WIDTH;
		int n = i % 2 ? snprintf(at, WIDTH, "h%u.example", i)
			      : snprintf(at, WIDTH, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		entry[i] = bytes_of(at, (size_t)n);
	}
	double start = seconds();
	struct list *l = list_new("x", entry, LIST_ENTRIES_MAX, false, &bad);
	double made = seconds();
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	for (unsigned i = 0; i < LIST_ENTRIES_MAX; i++) {
		uint8_t ip[16] = { [10] = 0xff,
				   [11] = 0xff,
				   [12] = 10,
				   [13] = (uint8_t)(i >> 16),
				   [14] = (uint8_t)(i >> 8),
				   [15] = (uint8_t)i };
		found += i % 2 ? list_has_domain(l, entry[i]) : list_has_ip(l, ip);
		found += i % 2 == 0 && list_has_ip(l, (uint8_t[16]){ 1 });
	}
	double end = seconds();
	CU_ASSERT_EQUAL(found, LIST_ENTRIES_MAX);
	CU_ASSERT_TRUE(end - start < 20); /* quadratic would be hours */
	printf("\n1,000,000 entries made in %.2f s, found in %.0f ns each\n", made - start,
	       (end - made) * 1e9 / LIST_ENTRIES_MAX);
	list_free(l);
	free(entry);
	free(text);
}

TEST_MAIN("list", TEST(prefixes), TEST(families_apart), TEST(names), TEST(nothing), TEST(texts),
	  TEST(what_is_wrong), TEST(limits), TEST(same_as_a_plain_walk), TEST(a_million))
