/* A value is taken whole or not at all, and what is printed is read as the same. */
#include "control/value.h"

#include <stdlib.h>

#include "tests/test.h"

static void numbers(void)
{
	uint64_t v;
	CU_ASSERT_TRUE(value_number(bytes_str("18446744073709551615"), &v) && v == UINT64_MAX);
	CU_ASSERT_TRUE(value_number(bytes_str("007"), &v) && v == 7);
	static const char *const bad[] = { "",    "-1",  "+1",
					   " 1",  "1 ",  "1.0",
					   "0x1", "1e3", "18446744073709551616" };
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(value_number(bytes_str(bad[i]), &v));
}

static void sizes(void)
{
	static const struct {
		const char *text;
		uint64_t octets;
	} good[] = { { "0", 0 },
		     { "4096", 4096 },
		     { "1KiB", 1024 },
		     { "50MiB", 52428800 },
		     { "3GiB", UINT64_C(3221225472) } };
	static const char *const bad[] = {
		"", "KiB", "1K", "1MB", "1 MiB", "17179869184GiB", "1mib"
	};
	uint64_t v;
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++)
		CU_ASSERT_TRUE(value_size(bytes_str(good[i].text), &v) && v == good[i].octets);
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(value_size(bytes_str(bad[i]), &v));
}

static void durations(void)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = { { "0s", 0 },      { "10", 10000 },   { "10s", 10000 },  { "1500ms", 1500 },
		     { "5m", 300000 }, { "2h", 7200000 }, { "1d", 86400000 } };
	static const char *const bad[] = {
		"", "s", "1 s", "1.5s", "-1s", "1w", "99999999999999999d"
	};
	uint64_t v;
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++)
		CU_ASSERT_TRUE(value_duration(bytes_str(good[i].text), &v) && v == good[i].ms);
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(value_duration(bytes_str(bad[i]), &v));
}

static void round_trip(void)
{
	uint64_t state = 1;
	for (int i = 0; i < 20000; i++) {
		char text[64];
		uint64_t v = test_random(&state) >> (test_random(&state) % 50 + 14), got;
		if (i % 2)
			v = v / 1000 * 1000;
		value_size_print(v, text, sizeof text);
		CU_ASSERT_TRUE(value_size(bytes_str(text), &got) && got == v);
		value_duration_print(v, text, sizeof text);
		CU_ASSERT_TRUE(value_duration(bytes_str(text), &got) && got == v);
	}
}

static void ports(void)
{
	struct config_ports p;
	CU_ASSERT_TRUE(value_ports(bytes_str("25,587,65535"), &p));
	CU_ASSERT_EQUAL(p.n, 3);
	CU_ASSERT_EQUAL(p.port[2], 65535);
	CU_ASSERT_TRUE(value_ports(bytes_str(""), &p) && p.n == 0);
	CU_ASSERT_TRUE(value_ports(bytes_str("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"), &p));
	static const char *const bad[] = { "0",      "65536",
					   "25,",    ",25",
					   "25,,26", "25 26",
					   "25,25",  "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17" };
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(value_ports(bytes_str(bad[i]), &p));
}

static void addresses(void)
{
	uint8_t ip[16];
	CU_ASSERT_TRUE(value_ip(bytes_str("192.0.2.1"), ip));
	CU_ASSERT_TRUE(ip[10] == 0xff && ip[12] == 192 && ip[15] == 1);
	CU_ASSERT_TRUE(value_ip(bytes_str("2001:db8::1"), ip) && ip[0] == 0x20);
	static const char *const bad[] = {
		"",          "192.0.2",  "192.0.2.256",
		"a.example", "::1%eth0", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"
	};
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(value_ip(bytes_str(bad[i]), ip));
	CU_ASSERT_FALSE(value_ip(bytes_of("::1\0", 4), ip));
}

/* Every prefix of what is right is read within its octets. */
static void cut_everywhere(void)
{
	static const char *const text[] = { "2023-11-14T22:13:20.5+01:30",
					    "1700000000.25",
					    "192.0.2.1@5353,2001:db8::1@53",
					    "zone:a.zone",
					    "25,587,65535",
					    "1500ms",
					    "50MiB" };
	for (unsigned i = 0; i < sizeof text / sizeof text[0]; i++)
		for (size_t n = 0; n <= strlen(text[i]); n++) {
			uint8_t *p = test_guard(text[i], n), ip[16];
			struct bytes b = bytes_of(p, n);
			struct config_ports list;
			uint64_t v;
			unsigned taken = value_time(b, &v) + value_dns(b) + value_size(b, &v) +
					 value_duration(b, &v) + value_ports(b, &list) +
					 value_ip(b, ip) + value_number(b, &v);
			CU_ASSERT_TRUE(taken <= 5);
			test_guard_free(p, n);
		}
}

TEST_MAIN("value", TEST(numbers), TEST(sizes), TEST(durations), TEST(round_trip), TEST(ports),
	  TEST(addresses), TEST(cut_everywhere))
