/* A sealer's word that DMARC passed is taken only where it says so, whatever is quoted or commented around it. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/test.h"
#include "verify/auth/aar.h"

static const struct {
	const char *value;
	uint8_t instance;
} instances[] = {
	{ "i=1; a.example; none", 1 },
	{ " i=50;a.example", 50 },
	{ "\r\n (x) i (y) = (z)\r\n\t7 (w) ;", 7 },
	{ "i=07;", 7 },
	{ "i=0;", 0 },
	{ "i=51;", 0 },
	{ "i=007;", 0 },
	{ "i=1", 0 },
	{ "i=;", 0 },
	{ "i;", 0 },
	{ "i=one;", 0 },
	{ "i=1x;", 0 },
	{ "i=\"1\";", 0 },
	{ "I=1;", 0 }, /* %s"i" in section 4.2.1 */
	{ "a.example; i=1;", 0 },
	{ "i=-1;", 0 },
	{ "i=1 a.example;", 0 },
	{ "(i=1; x", 0 },
	{ "", 0 },
};

static void instance(void)
{
	for (unsigned k = 0; k < sizeof instances / sizeof instances[0]; k++) {
		struct bytes payload, v = bytes_str(instances[k].value);
		CU_ASSERT_EQUAL(aar_instance(v, &payload), instances[k].instance);
		if (instances[k].instance == 1)
			CU_ASSERT(bytes_equal(payload, bytes_str(" a.example; none")));
	}
}

static enum auth_result dmarc_of(struct bytes payload, struct bytes *from)
{
	static uint8_t memory[4096];
	struct arena arena;
	arena_init(&arena, memory, sizeof memory);
	return aar_dmarc(payload, &arena, from);
}

static const struct {
	const char *payload;
	enum auth_result want;
	const char *from;
} rows[] = {
	{ " a.example; dmarc=pass", AUTH_PASS, "" },
	{ " a.example 1; dmarc=pass", AUTH_PASS, "" },
	{ "a.example;dmarc=pass;", AUTH_PASS, "" },
	{ "\"a b\"; dmarc=pass", AUTH_PASS, "" },
	{ "a.example; DMARC=Pass header.from=Example.ORG", AUTH_PASS, "Example.ORG" },
	{ "a.example; dmarc/1=pass", AUTH_PASS, "" },
	{ "a.example; dmarc / 1 = pass (p=none dis=none) header.from=x.example", AUTH_PASS,
	  "x.example" },
	{ "a.example; dmarc=pass header.from=\"x.example\"", AUTH_PASS, "x.example" },
	{ "mx.example 1; spf=pass smtp.mailfrom=x; dmarc=pass action=none header.from=x; "
	  "dkim=pass header.d=x; arc=none",
	  AUTH_PASS, "x" },
	{ "mx.example; dkim=pass header.i=@x header.s=s header.b=\"a/b=\"; spf=pass (says: ok) "
	  "smtp.mailfrom=\"a;b\"@x; dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=x",
	  AUTH_PASS, "x" },
	{ "a.example; spf=pass reason=\"good; dmarc=fail\"; dmarc=pass", AUTH_PASS, "" },
	{ "a.example; dmarc=pass; dmarc=pass header.from=x", AUTH_PASS, "x" },
	{ "a.example; dmarc=pass header.from=x; dmarc=pass header.from=X", AUTH_PASS, "X" },
	/* what is not DMARC, or not pass */
	{ "a.example; none", AUTH_NONE, "" },
	{ "a.example; spf=pass; dkim=pass", AUTH_NONE, "" },
	{ "a.example", AUTH_NONE, "" },
	{ "", AUTH_NONE, "" },
	{ "a.example; dmarc=fail", AUTH_FAIL, "" },
	{ "a.example; dmarc=none", AUTH_FAIL, "" },
	{ "a.example; dmarc=passing", AUTH_FAIL, "" },
	{ "a.example; dmarc=pass; dmarc=fail", AUTH_FAIL, "" },
	{ "a.example; dmarc=fail; dmarc=pass", AUTH_FAIL, "" },
	{ "a.example; dmarc=pass header.from=x; dmarc=pass header.from=y", AUTH_FAIL, "y" },
	{ "a.example; dmarc/2=pass", AUTH_NONE, "" },
	{ "a.example; x-dmarc=pass", AUTH_NONE, "" },
	/* pass in places that say nothing */
	{ "a.example; spf=fail (dmarc=pass)", AUTH_NONE, "" },
	{ "a.example; spf=fail (x; dmarc=pass)", AUTH_NONE, "" },
	{ "a.example; spf=fail (x (y) ; dmarc=pass)", AUTH_NONE, "" },
	{ "a.example; spf=fail (\\); dmarc=pass)", AUTH_NONE, "" },
	{ "a.example; spf=fail reason=\"x; dmarc=pass\"", AUTH_NONE, "" },
	{ "a.example; spf=fail reason=\"x\\\"; dmarc=pass\"", AUTH_NONE, "" },
	{ "a.example; spf=fail smtp.mailfrom=x dmarc=pass", AUTH_NONE, "" },
	{ "a.example (; dmarc=pass)", AUTH_NONE, "" },
	{ "\"a.example; dmarc=pass\"", AUTH_NONE, "" },
	{ "dmarc=pass", AUTH_NONE, "" }, /* no authserv-id */
	{ "; dmarc=pass", AUTH_NONE, "" },
	/* malformed: nothing is believed */
	{ "a.example; dmarc=pass (", AUTH_PASS, "" }, /* a comment goes to the end */
	{ "a.example; dmarc=pass \"x", AUTH_NONE, "" },
	{ "a.example; dmarc", AUTH_NONE, "" },
	{ "a.example; dmarc=", AUTH_NONE, "" },
	{ "a.example; =pass; dmarc=pass", AUTH_NONE, "" },
	{ "a.example dmarc=pass", AUTH_NONE, "" },
	{ "a.example; dmarc=pass )", AUTH_NONE, "" },
};

static void dmarc(void)
{
	for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct bytes from;
		enum auth_result r = dmarc_of(bytes_str(rows[k].payload), &from);
		if (r != rows[k].want)
			printf("\n%s: %s", rows[k].payload, auth_result_name(r));
		CU_ASSERT_EQUAL(r, rows[k].want);
		if (r != AUTH_NONE)
			CU_ASSERT(bytes_equal(from, bytes_str(rows[k].from)));
	}
}

/* Ends anywhere, against a page that is not there; a cut never makes a pass of what was none. */
static void cut_everywhere(void)
{
	for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++)
		for (size_t n = 0; n <= strlen(rows[k].payload); n++) {
			struct bytes from, payload;
			uint8_t *p = test_guard(rows[k].payload, n);
			dmarc_of(bytes_of(p, n), &from);
			aar_instance(bytes_of(p, n), &payload);
			test_guard_free(p, n);
		}
	for (unsigned k = 0; k < sizeof instances / sizeof instances[0]; k++)
		for (size_t n = 0; n < strlen(instances[k].value); n++) {
			struct bytes payload;
			uint8_t *p = test_guard(instances[k].value, n);
			uint8_t i = aar_instance(bytes_of(p, n), &payload);
			CU_ASSERT(i == 0 || i == instances[k].instance);
			test_guard_free(p, n);
		}
}

/* Comments may nest as deep as they like; what is quoted needs room, and without it nothing is said. */
static void limits(void)
{
	enum { DEEP = 100000 };
	char *text = malloc(2 * DEEP + 100);
	struct bytes from;
	for (unsigned open = DEEP; open <= DEEP + 1; open++) {
		size_t at = (size_t)sprintf(text, "a.example ");
		memset(text + at, '(', open);
		memset(text + at + open, ')', DEEP);
		sprintf(text + at + open + DEEP, "; dmarc=pass");
		CU_ASSERT_EQUAL(dmarc_of(bytes_str(text), &from),
				open > DEEP ? AUTH_NONE : AUTH_PASS);
	}
	free(text);
	struct arena arena;
	arena_init(&arena, NULL, 0);
	CU_ASSERT_EQUAL(aar_dmarc(bytes_str("a; dmarc=pass header.from=x"), &arena, &from),
			AUTH_PASS);
	CU_ASSERT_EQUAL(aar_dmarc(bytes_str("a; dmarc=pass header.from=\"\\x\""), &arena, &from),
			AUTH_NONE);
}

TEST_MAIN("aar", TEST(instance), TEST(dmarc), TEST(cut_everywhere), TEST(limits))
