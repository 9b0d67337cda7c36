/* A domain that fails is left alone and tried again in time, and nobody pays for his neighbours. */
#include "tests/test.h"
#include "verify/dns/failures.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIMIT = 8, LEAVE = 30000, PROBE = 1000 };

static struct question question(const char *name)
{
	struct question q = { .type = QUESTION_TXT, .len = (uint8_t)strlen(name) };
	memcpy(q.name, name, q.len);
	return q;
}

static struct failures *failures(const struct suffixes *suffixes)
{
	struct failures_setup setup = { .seed = 1,
					.limit = LIMIT,
					.leave_ms = LEAVE,
					.probe_ms = PROBE,
					.suffixes = suffixes };
	struct failures *f = failures_new(&setup);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	return f;
}

static bool fail(struct failures *f, const char *name, uint64_t now_ms)
{
	struct question q = question(name);
	return failures_failed(f, &q, 1, now_ms);
}

static bool alone(struct failures *f, const char *name, uint64_t now_ms)
{
	struct question q = question(name);
	return failures_left_alone(f, &q, now_ms);
}

static enum failures_advice before(struct failures *f, const char *name, uint64_t now_ms)
{
	struct question q = question(name);
	return failures_before(f, &q, now_ms);
}

static void answered(struct failures *f, const char *name)
{
	struct question q = question(name);
	failures_answered(f, &q);
}

/* Fails n names made of form, each another. */
static void fail_many(struct failures *f, const char *form, unsigned n, uint64_t now_ms)
{
	char name[256];
	for (unsigned i = 0; i < n; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(name, sizeof name, form, i, i, i);
#pragma GCC diagnostic pop
		fail(f, name, now_ms);
	}
}

static void one_name(void)
{
	struct failures *f = failures(NULL);
	for (unsigned i = 1; i < LIMIT; i++) {
		CU_ASSERT(!fail(f, "s._domainkey.a.example", 1000));
		CU_ASSERT_EQUAL(before(f, "s._domainkey.a.example", 1000), FAILURES_ASK);
	}
	CU_ASSERT(fail(f, "s._domainkey.a.example", 1000));
	CU_ASSERT_EQUAL(before(f, "s._domainkey.a.example", 1000), FAILURES_LEAVE);
	CU_ASSERT_EQUAL(before(f, "s._domainkey.a.example", 999 + LEAVE), FAILURES_LEAVE);
	/* one name proves nothing about others */
	CU_ASSERT(!alone(f, "t._domainkey.a.example", 1000));
	CU_ASSERT(!alone(f, "a.example", 1000));
	failures_free(f);
	/* many messages that waited for it count each */
	f = failures(NULL);
	struct question q = question("a.example");
	CU_ASSERT(failures_failed(f, &q, 4000000000u, 1000));
	CU_ASSERT(alone(f, "a.example", 1000));
	CU_ASSERT(alone(f, "b.a.example", 1000));
	failures_free(f);
	failures_free(NULL);
}

static void one_probe(void)
{
	struct failures *f = failures(NULL);
	fail_many(f, "x%u.a.example", LIMIT, 1000);
	CU_ASSERT_EQUAL(before(f, "new.a.example", 1000), FAILURES_LEAVE);
	uint64_t then = 1000 + LEAVE;
	CU_ASSERT_EQUAL(before(f, "new.a.example", then), FAILURES_PROBE);
	CU_ASSERT_EQUAL(before(f, "new.a.example", then), FAILURES_LEAVE);
	CU_ASSERT_EQUAL(before(f, "other.a.example", then), FAILURES_LEAVE);
	/* it fails: alone again at once, and for as long */
	fail(f, "new.a.example", then + 500);
	CU_ASSERT_EQUAL(before(f, "new.a.example", then + 499 + LEAVE), FAILURES_LEAVE);
	then += 500 + LEAVE;
	/* a probe that never came back is followed by another */
	CU_ASSERT_EQUAL(before(f, "new.a.example", then), FAILURES_PROBE);
	CU_ASSERT_EQUAL(before(f, "new.a.example", then + PROBE - 1), FAILURES_LEAVE);
	CU_ASSERT_EQUAL(before(f, "new.a.example", then + PROBE), FAILURES_PROBE);
	answered(f, "new.a.example");
	CU_ASSERT_EQUAL(before(f, "x1.a.example", then), FAILURES_ASK);
	fail_many(f, "x%u.a.example", LIMIT - 1, then);
	CU_ASSERT(!alone(f, "x.a.example", then));
	failures_free(f);
}

/* Any answer in between begins the count anew; so does time. */
static void in_a_row(void)
{
	struct failures *f = failures(NULL);
	for (unsigned i = 0; i < 10; i++) {
		fail_many(f, "x%u.a.example", LIMIT - 1, 1000);
		answered(f, "there.is.something.a.example");
	}
	CU_ASSERT(!alone(f, "x.a.example", 1000));
	for (uint64_t i = 0; i < 10 * LIMIT; i++)
		CU_ASSERT(!fail(f, "x.b.example", 1000 + i * (LEAVE + 1)));
	failures_free(f);
}

/* A dead part of a living domain is left alone by itself. */
static void part_of_a_domain(void)
{
	static const char *const dead[] = { "x%u.sub.a.example", "x%u.y%u.z%u.sub.a.example" };
	for (unsigned i = 0; i < 2; i++) {
		struct failures *f = failures(NULL);
		fail_many(f, dead[i], 10 * LIMIT, 1000);
		CU_ASSERT(alone(f, "x.sub.a.example", 1000));
		CU_ASSERT(alone(f, "deep.er.still.sub.a.example", 1000));
		CU_ASSERT(alone(f, "sub.a.example", 1000));
		CU_ASSERT(!alone(f, "a.example", 1000));
		CU_ASSERT(!alone(f, "b.a.example", 1000));
		CU_ASSERT(!alone(f, "x.b.a.example", 1000));
		/* what lives in a part of it says that the part lives */
		answered(f, "alive.sub.a.example");
		CU_ASSERT(!alone(f, "x.sub.a.example", 1000));
		failures_free(f);
	}
}

/* Names made up at any depth are caught at the domain that was paid for. */
static void h5_any_depth(void)
{
	static const char *const forms[] = {
		"x%u.a.example",
		"x%u.y%u.a.example",
		"1.2.3.4.5.6.7.8.9.10.x%u.y%u.a.example",
		"x%u.1.2.3.4.5.6.7.8.9.10.a.example",
		"x%u.y%u.1.2.3.4.5.6.7.8.9.10.11.12.a.example",
	};
	for (unsigned i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct failures *f = failures(NULL);
		fail_many(f, forms[i], LIMIT, 1000);
		CU_ASSERT(alone(f, "1.2.3.4.5.6.7.8.9.10.new.new.a.example", 1000) ||
			  alone(f, "new.1.2.3.4.5.6.7.8.9.10.a.example", 1000) ||
			  alone(f, "new.new.1.2.3.4.5.6.7.8.9.10.11.12.a.example", 1000));
		failures_free(f);
	}
}

static void neighbours(void)
{
	static const struct {
		const char *fail, *other;
	} rows[] = {
		{ "a%u.co.uk", "b.co.uk" },
		{ "x.a%u.co.uk", "x.b.co.uk" },
		{ "_dmarc.a%u.com", "_dmarc.b.com" },
		{ "a%u.com", "com" },
		{ "%u.2.0.192.in-addr.arpa", "1.3.0.192.in-addr.arpa" },
		{ "%u.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.2.ip6.arpa",
		  "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.2.ip6.arpa" },
	};
	static const char path[] = "/usr/share/publicsuffix/public_suffix_list.dat";
	struct suffixes *suffixes = NULL;
	char why[256];
	if (access(path, R_OK) == 0)
		CU_ASSERT_EQUAL(suffixes_load(&suffixes, path, why, sizeof why), 0);
	for (unsigned i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
		if (i % 2 && !suffixes)
			continue;
		struct failures *f = failures(i % 2 ? suffixes : NULL);
		fail_many(f, rows[i / 2].fail, 10 * LIMIT, 1000);
		CU_ASSERT(!alone(f, rows[i / 2].other, 1000));
		failures_free(f);
	}
	if (suffixes) { /* octets that no host name has are no way out */
		struct failures *f = failures(suffixes);
		for (unsigned i = 0; i < 2 * LIMIT; i++) {
			struct question q = { .type = QUESTION_TXT, .len = 12 };
			snprintf(q.name, sizeof q.name, "%cxy.dead.com", 'a' + i);
			q.name[1] = 0;
			failures_failed(f, &q, 1, 1000);
		}
		CU_ASSERT(alone(f, "z.dead.com", 1000));
		CU_ASSERT(!alone(f, "dead2.com", 1000));
		failures_free(f);
	}
	if (suffixes) { /* a company whose customers have names of their own */
		struct failures *f = failures(suffixes);
		fail_many(f, "a%u.github.io", 10 * LIMIT, 1000);
		fail_many(f, "x%u.b.github.io", LIMIT, 1000);
		CU_ASSERT(!alone(f, "c.github.io", 1000));
		CU_ASSERT(alone(f, "x.b.github.io", 1000));
		failures_free(f);
	}
	suffixes_free(suffixes);
}

/* Odd names have outcomes too: none of them is a domain, or each is its own. */
static void odd_names(void)
{
	static const char *const names[] = { "",    "com",       "in-addr.arpa", "192.in-addr.arpa",
					     "a.b", "\xff.\x01", "co.uk",        "x" };
	struct failures *f = failures(NULL);
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		for (unsigned n = 0; n < 2 * LIMIT; n++)
			fail(f, names[i], 1000);
	CU_ASSERT(!alone(f, "", 1000) && !alone(f, "com", 1000) && !alone(f, "x", 1000));
	CU_ASSERT(!alone(f, "b.com", 1000) && !alone(f, "b.co.uk", 1000));
	CU_ASSERT(alone(f, "a.b", 1000) && alone(f, "\xff.\x01", 1000));
	failures_free(f);
}

static void off(void)
{
	struct failures_setup setup = { .seed = 1, .limit = 0, .leave_ms = LEAVE };
	struct failures *f = failures_new(&setup);
	fail_many(f, "x%u.a.example", 1000, 1000);
	CU_ASSERT_EQUAL(before(f, "x1.a.example", 1000), FAILURES_ASK);
	failures_free(f);
}

/* More dead domains than there is room for: what is left alone stays so before what has failed once. */
static void h5_bounded(void)
{
	struct failures *f = failures(NULL);
	char name[64];
	unsigned kept = 0;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "dead%u.example", i);
		struct question q = question(name);
		failures_failed(f, &q, LIMIT, 1000);
	}
	fail_many(f, "once%u.example", 100 * FAILURES_MAX, 2000);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "dead%u.example", i);
		kept += alone(f, name, 2000);
	}
	CU_ASSERT(kept > 990);
	/* and what comes later finds room */
	struct question q = question("late.example");
	CU_ASSERT(failures_failed(f, &q, LIMIT, 2001));
	CU_ASSERT(alone(f, "late.example", 2001));
	failures_free(f);
}

TEST_MAIN("failures", TEST(one_name), TEST(one_probe), TEST(in_a_row), TEST(part_of_a_domain),
	  TEST(h5_any_depth), TEST(neighbours), TEST(odd_names), TEST(off), TEST(h5_bounded))
