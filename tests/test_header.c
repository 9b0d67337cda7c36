/* A header section falls into the fields that RFC 5322 says, and a name is found from the bottom. */
#include "tests/test.h"
#include "verify/auth/header.h"

#include <stdio.h>
#include <stdlib.h>

static _Alignas(16) uint8_t memory[1 << 20];

static bool split(struct header *h, struct arena *a, struct bytes in)
{
	arena_init(a, memory, sizeof memory);
	return header_split(h, in, 42, a);
}

/* fields as "name=value" joined by |, a nameless one as "!" and all of it */
static void print(const struct header *h, char *out, size_t cap)
{
	size_t n = 0;
	out[0] = 0;
	for (uint16_t i = 0; i < h->n; i++) {
		struct bytes name = header_name(h, i), value = header_value(h, i);
		n += (size_t)snprintf(out + n, cap - n, "%s%.*s%s%.*s", i ? "|" : "", (int)name.n,
				      (const char *)name.p, name.n ? "=" : "!", (int)value.n,
				      (const char *)value.p);
	}
}

static const struct {
	const char *in, *want;
} rows[] = {
	{ "", "" },
	{ "\r\n", "" },
	{ "A: b\r\n\r\n", "A= b" },
	{ "A: b\r\n", "A= b" },
	{ "A: b", "A= b" },
	{ "A: b\r\nC:d\r\n\r\n", "A= b|C=d" },
	{ "A: b\r\n c\r\n\td\r\nE: f\r\n\r\n", "A= b\r\n c\r\n\td|E= f" },
	{ "A: b\r\n \r\nE: f\r\n\r\n", "A= b\r\n |E= f" },
	{ "A \t: b\r\n", "A= b" },
	{ "A:\r\nB:\r\n\r\n", "A=|B=" },
	{ "A::b:\r\n", "A=:b:" },
	/* no names */
	{ "nothing\r\nA: b\r\n", "!nothing|A= b" },
	{ ": x\r\nA: b\r\n", "!: x|A= b" },
	{ " x: y\r\nA: b\r\n", "! x: y|A= b" },
	{ "From me Mon 12:00\r\nA: b\r\n", "!From me Mon 12:00|A= b" },
	{ "A\1: b\r\n", "!A\1: b" },
	{ "A\x80: b\r\n", "!A\x80: b" },
	/* bare CR and LF end nothing */
	{ "A: b\nFrom: c\r\n\r\n", "A= b\nFrom: c" },
	{ "A: b\rFrom: c\r\n\r\n", "A= b\rFrom: c" },
	{ "A: b\n\r\nC: d\r\n\r\n", "A= b\n|C= d" },
	{ "A: b\n c\r\n", "A= b\n c" },
	{ "\nA: b\r\n", "!\nA: b" },
};

static void known(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		struct header h;
		struct arena a;
		char text[256];
		CU_ASSERT_FATAL(split(&h, &a, bytes_of(p, n)));
		print(&h, text, sizeof text);
		CU_ASSERT_STRING_EQUAL(text, rows[i].want);
		test_guard_free(p, n);
	}
}

/* A section cut anywhere gives the same fields in front of the cut. */
static void cut_everywhere(void)
{
	static const char in[] = "A: 1\r\nB:\r\n 2\r\nBad\r\nA : 3\r\n\t4\r\nC: 5\r\n\r\n";
	struct header whole, part;
	struct arena a;
	static _Alignas(16) uint8_t more[1 << 16];
	CU_ASSERT_FATAL(split(&whole, &a, bytes_str(in)));
	for (size_t n = 0; n < sizeof in; n++) {
		uint8_t *p = test_guard(in, n);
		arena_init(&a, more, sizeof more);
		CU_ASSERT_FATAL(header_split(&part, bytes_of(p, n), n, &a));
		CU_ASSERT(part.n <= whole.n + 1); /* the CR of the empty line alone is a field */
		for (uint16_t i = 0; i + 1 < part.n; i++)
			CU_ASSERT(bytes_equal(header_raw(&part, i), header_raw(&whole, i)));
		test_guard_free(p, n);
	}
}

static void from_the_bottom(void)
{
	struct header h;
	struct arena a;
	CU_ASSERT_FATAL(split(&h, &a, bytes_str("To: 1\r\nTO: 2\r\nX: 3\r\nto : 4\r\nX\r\n\r\n")));
	uint16_t i = header_last(&h, bytes_str("tO"));
	CU_ASSERT_EQUAL(i, 3);
	CU_ASSERT_EQUAL(h.field[3].above, 1);
	CU_ASSERT_EQUAL(h.field[1].above, 0);
	CU_ASSERT_EQUAL(h.field[0].above, HEADER_NONE);
	CU_ASSERT_EQUAL(header_last(&h, bytes_str("x")), 2);
	CU_ASSERT_EQUAL(h.field[2].above, HEADER_NONE);
	CU_ASSERT_EQUAL(header_last(&h, bytes_str("T")), HEADER_NONE);
	CU_ASSERT_EQUAL(header_last(&h, bytes_str("")), HEADER_NONE);
	CU_ASSERT_EQUAL(h.names, 2);
	CU_ASSERT_FATAL(split(&h, &a, bytes_str("")));
	CU_ASSERT_EQUAL(header_last(&h, bytes_str("x")), HEADER_NONE);
}

static void limit_of_fields(void)
{
	char *text = malloc((HEADER_FIELDS_MAX + 2) * 16);
	struct header h;
	struct arena a;
	CU_ASSERT_FATAL(text != NULL);
	for (int over = 0; over < 3; over++) {
		size_t n = 0;
		for (int i = 0; i < HEADER_FIELDS_MAX + over - 1; i++)
			n += (size_t)sprintf(text + n, "X%d: y\r\n", i);
		n += (size_t)sprintf(text + n, "\r\n");
		CU_ASSERT_FATAL(split(&h, &a, bytes_of(text, n)));
		CU_ASSERT_EQUAL(h.n, HEADER_FIELDS_MAX - (over == 0));
		CU_ASSERT_EQUAL(h.overflow, over == 2);
		CU_ASSERT_EQUAL(h.names, h.n);
		for (uint16_t i = 0; i < h.n; i++)
			CU_ASSERT_EQUAL(header_last(&h, header_name(&h, i)), i);
	}
	free(text);
}

static void arena_full(void)
{
	struct header h;
	struct arena a;
	size_t need = sizeof(struct header_field) * 2 + 16 * sizeof(uint16_t);
	for (size_t size = 0; size < need + 32; size += 16) {
		arena_init(&a, memory, size);
		CU_ASSERT_EQUAL(header_split(&h, bytes_str("A: 1\r\nB: 2\r\n\r\n"), 1, &a),
				size >= need);
	}
}

/* Names are the same but for the case of ASCII letters, wherever in them an octet stands. */
static void names_by_every_octet(void)
{
	static uint8_t room[4096];
	for (unsigned at = 0; at < 19; at++)
		for (int c = 0x21; c < 0x7f; c++)
			for (int d = 0x21; d < 0x7f; d++) {
				char field[32], name[32];
				struct arena arena;
				struct header h;
				memset(field, 'q', sizeof field);
				memset(name, 'Q', sizeof name);
				field[at] = (char)c;
				name[at] = (char)d;
				memcpy(field + 20, ":x\r\n", 4);
				if (c == ':' || d == ':')
					continue;
				arena_init(&arena, room, sizeof room);
				CU_ASSERT_FATAL(header_split(&h, bytes_of(field, 24), 1, &arena));
				bool same = bytes_lower((uint8_t)c) == bytes_lower((uint8_t)d);
				bool found = header_last(&h, bytes_of(name, 20)) == 0;
				if (found != same)
					CU_FAIL("names that are told apart, or are not");
			}
}

TEST_MAIN("header", TEST(names_by_every_octet), TEST(known), TEST(cut_everywhere),
	  TEST(from_the_bottom), TEST(limit_of_fields), TEST(arena_full))
