/* A Received-SPF field tells one check that was made, in the words of RFC 7208, and nothing of one that was not. */
#include "tests/test.h"
#include "verify/header/fieldtext.h"
#include "verify/auth/received_spf.h"

#include <stdio.h>

static _Alignas(16) uint8_t memory[1 << 14];
static struct origin origin;
static struct spf_profile profile;

static struct bytes make(enum config_style style, const struct spf_result *r, size_t room)
{
	struct received_spf_setup s = { .style = style,
					.receiver = bytes_str("mx.example.org"),
					.origin = &origin,
					.profile = &profile };
	struct arena a;
	struct bytes out;
	arena_init(&a, memory, room);
	if (!received_spf_make(&s, r, &a, &out))
		return bytes_str("full");
	return out;
}

static struct spf_result begin(enum auth_result result)
{
	origin = (struct origin){ .has_client = true,
				  .client = { { [10] = 0xff, 0xff, 192, 0, 2, 1 } } };
	profile = (struct spf_profile){ .level = SPF_LEVEL_SPF };
	return (struct spf_result){ .checked = true,
				    .result = (uint8_t)result,
				    .identity = SPF_MAILFROM,
				    .sender = bytes_str("a@b.example"),
				    .domain = bytes_str("b.example") };
}

static bool has(struct bytes field, const char *text)
{
	return memmem(field.p, field.n, text, strlen(text)) != NULL;
}

static void c88_results(void)
{
	static const struct {
		enum auth_result result;
		const char *ours, *asyncos, *term;
	} rows[] = {
		{ AUTH_NONE, ": none (", ": None ", NULL },
		{ AUTH_NEUTRAL, ": neutral (", ": Neutral ", "mechanism=default" },
		{ AUTH_PASS, ": pass (", ": Pass ", "mechanism=default" },
		{ AUTH_FAIL, ": fail (", ": Fail ", "mechanism=default" },
		{ AUTH_SOFTFAIL, ": softfail (", ": SoftFail ", "mechanism=default" },
		{ AUTH_TEMPERROR, ": temperror (", ": TempError ", "problem=unknown" },
		{ AUTH_PERMERROR, ": permerror (", ": PermError ", "problem=unknown" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct spf_result r = begin(rows[i].result);
		struct bytes out = make(STYLE_RFC8601, &r, sizeof memory);
		CU_ASSERT(has(out, rows[i].ours));
		CU_ASSERT_EQUAL(has(out, "mechanism=") || has(out, "problem="),
				rows[i].term != NULL);
		CU_ASSERT(!rows[i].term || has(out, rows[i].term));
		CU_ASSERT(has(make(STYLE_ASYNCOS, &r, sizeof memory), rows[i].asyncos));
	}
}

static void n3_no_check_no_field(void)
{
	struct spf_result r = begin(AUTH_UNVERIFIABLE);
	CU_ASSERT_PTR_NULL(make(STYLE_RFC8601, &r, sizeof memory).p);
	r = begin(AUTH_PASS);
	r.checked = false;
	CU_ASSERT_PTR_NULL(make(STYLE_RFC8601, &r, sizeof memory).p);
	r = begin(AUTH_PASS);
	origin.has_client = false;
	CU_ASSERT_PTR_NULL(make(STYLE_ASYNCOS, &r, sizeof memory).p);
}

static void c87_conformance(void)
{
	static const char *const words[] = { "x-conformance=spf_only", "x-conformance=sidf_strict",
					     "x-conformance=sidf_compatible" };
	for (unsigned level = 0; level < 3; level++) {
		struct spf_result r = begin(AUTH_PASS);
		profile.level = level;
		struct bytes out = make(STYLE_ASYNCOS, &r, sizeof memory);
		size_t n = strlen(words[level]);
		CU_ASSERT(out.n > n && !memcmp(out.p + out.n - n, words[level], n));
		r.downgraded = true;
		CU_ASSERT(has(make(STYLE_ASYNCOS, &r, sizeof memory), "_downgraded"));
	}
}

/* What was not seen, or is too long, is not told. */
static void keys_left_out(void)
{
	static char longest[FIELDTEXT_VALUE_MAX + 1];
	struct spf_result r = begin(AUTH_PASS);
	struct bytes out = make(STYLE_RFC8601, &r, sizeof memory);
	CU_ASSERT(!has(out, "envelope-from") && !has(out, "helo="));
	memset(longest, 'a', sizeof longest);
	origin.has_mail_from = origin.has_helo = true;
	origin.mail_from = origin.helo = r.mechanism = bytes_of(longest, sizeof longest);
	out = make(STYLE_RFC8601, &r, sizeof memory);
	CU_ASSERT(!has(out, "envelope-from") && !has(out, "helo=") && !has(out, "mechanism"));
	CU_ASSERT(has(out, "identity=mailfrom"));
}

static void ip_texts(void)
{
	char buf[RECEIVED_SPF_IP_MAX];
	struct address v6 = { { 0x20, 1, 0xd, 0xb8, [15] = 9 } };
	begin(AUTH_PASS);
	CU_ASSERT(bytes_equal(received_spf_ip(&origin.client, buf), bytes_str("192.0.2.1")));
	CU_ASSERT(bytes_equal(received_spf_ip(&v6, buf), bytes_str("2001:db8::9")));
}

static void arena_full(void)
{
	struct spf_result r = begin(AUTH_PASS);
	size_t n = make(STYLE_RFC8601, &r, sizeof memory).n;
	CU_ASSERT(bytes_equal(make(STYLE_RFC8601, &r, n), bytes_str("full")));
	CU_ASSERT_EQUAL(make(STYLE_RFC8601, &r, n + 16).n, n);
}

TEST_MAIN("received_spf", TEST(c88_results), TEST(n3_no_check_no_field), TEST(c87_conformance),
	  TEST(keys_left_out), TEST(ip_texts), TEST(arena_full))
