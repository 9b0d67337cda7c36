/* Comments and quoted strings end where RFC 5322 ends them, whatever is in them. */
#include "tests/test.h"
#include "verify/header/cfws.h"

static _Alignas(16) uint8_t memory[256];

static const struct {
	const char *in;
	size_t end;
	bool whole;
} enclosed[] = {
	{ "()x", 2, true },     { "(a(b)c)x", 7, true },    { "(\\))x", 4, true },
	{ "(\\\\)x", 4, true }, { "(\")x", 3, true },       { "(a(b)", 5, false },
	{ "(", 1, false },      { "(\\", 2, false },        { "\"\"x", 2, true },
	{ "\"(\"x", 3, true },  { "\"a\\\"b\"x", 6, true }, { "\"a", 2, false },
	{ "\"a\\", 3, false },  { "\"a\\\"", 4, false },
};

static void ends(void)
{
	for (unsigned i = 0; i < sizeof enclosed / sizeof enclosed[0]; i++) {
		size_t n = strlen(enclosed[i].in);
		uint8_t *p = test_guard(enclosed[i].in, n);
		bool whole;
		CU_ASSERT_EQUAL(cfws_enclosed(bytes_of(p, n), 0, &whole), enclosed[i].end);
		CU_ASSERT_EQUAL(whole, enclosed[i].whole);
		test_guard_free(p, n);
	}
}

static void skips(void)
{
	static const struct {
		const char *in;
		size_t at;
	} rows[] = { { "a", 0 }, { " \t\r\n a", 5 }, { "(x) (y(z))a", 10 }, { "(x", 2 },
		     { "", 0 },  { " ", 1 },         { "\"(x)\"", 0 },      { "(x))", 3 } };
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		CU_ASSERT_EQUAL(cfws_skip(bytes_of(p, n), 0), rows[i].at);
		test_guard_free(p, n);
	}
}

static void unquotes(void)
{
	static const struct {
		const char *in, *want;
	} rows[] = { { "\"\"", "" },       { "\"a b\"", "a b" },     { "\"a\\\"b\"", "a\"b" },
		     { "\"\\\\\"", "\\" }, { "\"a\r\n b\"", "a b" }, { "\"\\a\"", "a" } };
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena a;
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		arena_init(&a, memory, sizeof memory);
		CU_ASSERT(bytes_equal(cfws_unquote(bytes_of(p, n), &a), bytes_str(rows[i].want)));
		test_guard_free(p, n);
	}
	struct arena none;
	arena_init(&none, memory, 0);
	CU_ASSERT_PTR_NULL(cfws_unquote(bytes_str("\"a\\b\""), &none).p);
	CU_ASSERT(bytes_equal(cfws_unquote(bytes_str("\"ab\""), &none), bytes_str("ab")));
}

/* A hundred thousand comments in each other are no deeper than one. */
static void deep(void)
{
	enum { N = 100000 };
	static char in[2 * N + 1];
	bool whole;
	memset(in, '(', N);
	memset(in + N, ')', N);
	CU_ASSERT_EQUAL(cfws_enclosed(bytes_of(in, 2 * N), 0, &whole), 2 * N);
	CU_ASSERT_TRUE(whole);
	CU_ASSERT_EQUAL(cfws_enclosed(bytes_of(in, 2 * N - 1), 0, &whole), 2 * N - 1);
	CU_ASSERT_FALSE(whole);
}

TEST_MAIN("cfws", TEST(ends), TEST(skips), TEST(unquotes), TEST(deep))
