/* A header section falls into the fields that RFC 5322 says, and a name is found from the bottom. */
#include "tests/test.h"
#include "verify/header/header.h"

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

/* Each known name is one of a kind in any case, found by its number and by its text. */
static void known_names(void)
{
#define TEXT(symbol, name) name,
	static const char *const names[] = { HEADER_NAMES(TEXT) };
#undef TEXT
	for (unsigned k = 0; k < HEADER_KNOWN_N; k++)
		for (unsigned upper = 0; upper < 2; upper++)
			for (size_t at = 0; at <= strlen(names[k]); at++) {
				struct header h;
				struct arena a;
				char text[128];
				size_t n = strlen(names[k]);
				snprintf(text, sizeof text, "%s: 1\r\nX: 2\r\n%s: 3\r\n\r\n",
					 names[k], names[k]);
				for (size_t i = 0; upper && i < n; i++)
					text[i] = (char)(text[i] - (text[i] >= 'a' ? 32 : 0));
				bool same = at == n; /* at: an octet of the upper is another */
				if (!same)
					text[at] = text[at] == 'q' ? '+' : 'q';
				CU_ASSERT_FATAL(split(&h, &a, bytes_str(text)));
				CU_ASSERT_EQUAL(header_known(&h, k), 2);
				CU_ASSERT_EQUAL(header_last(&h, bytes_str(names[k])), 2);
				CU_ASSERT_EQUAL(h.field[2].above, same ? 0 : HEADER_NONE);
				CU_ASSERT_EQUAL(header_last(&h, header_name(&h, 0)), same ? 2 : 0);
				CU_ASSERT_EQUAL(h.names, same ? 2 : 3);
				for (unsigned other = 0; other < HEADER_KNOWN_N; other++)
					CU_ASSERT(other == k ||
						  header_known(&h, other) == HEADER_NONE);
			}
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Names with one key, that end alike: told apart all the same. */
static void keys_collide(void)
{
	enum { NAMES = 1 << 17, AT_ONCE = 4096 };
	static uint64_t keys[NAMES]; /* key, number of the name */
	static char text[AT_ONCE * 32];
	unsigned pairs = 0;
	struct header h;
	struct arena a;
	for (uint32_t i = 0; i < NAMES; i += AT_ONCE) {
		size_t n = 0;
		for (uint32_t k = i; k < i + AT_ONCE; k++)
			n += (size_t)sprintf(text + n, "N%07x-the-same:\r\n", k);
		CU_ASSERT_FATAL(split(&h, &a, bytes_of(text, n)) && h.n == AT_ONCE);
		for (uint32_t k = 0; k < AT_ONCE; k++)
			keys[i + k] = (uint64_t)h.field[k].key << 32 | (i + k);
	}
	qsort(keys, NAMES, sizeof *keys, by_key);
	for (uint32_t i = 1; i < NAMES; i++) {
		if (keys[i] >> 32 != keys[i - 1] >> 32)
			continue;
		sprintf(text, "N%07x-the-same:\r\nN%07x-the-same:\r\n", (uint32_t)keys[i],
			(uint32_t)keys[i - 1]);
		CU_ASSERT_FATAL(split(&h, &a, bytes_str(text)));
		CU_ASSERT_EQUAL(h.field[0].key, h.field[1].key);
		CU_ASSERT_EQUAL(h.names, 2);
		CU_ASSERT_EQUAL(header_last(&h, header_name(&h, 0)), 0);
		CU_ASSERT_EQUAL(header_last(&h, header_name(&h, 1)), 1);
		pairs++;
	}
	CU_ASSERT(pairs > 0);
}

/* The same octet by octet, slowly: where the field at the front of b ends, and its name. */
static size_t plain_field(struct bytes b, size_t *name)
{
	size_t n = 1, colon = 0;
	while (n < b.n && !(n >= 2 && b.p[n - 2] == '\r' && b.p[n - 1] == '\n' && b.p[n] != ' ' &&
			    b.p[n] != '\t'))
		n++;
	for (*name = 0; *name < n && b.p[*name] > ' ' && b.p[*name] < 0x7f && b.p[*name] != ':';)
		++*name;
	for (colon = *name; colon < n && (b.p[colon] == ' ' || b.p[colon] == '\t');)
		colon++;
	if (colon == n || b.p[colon] != ':')
		*name = 0;
	return n;
}

static uint16_t plain_last(const struct header *h, uint16_t below, struct bytes name)
{
	while (below-- > 0)
		if (name.n && bytes_equal_nocase(header_name(h, below), name))
			return below;
	return HEADER_NONE;
}

/* Fields, names and blanks at random, each section cut at random, against the plain way. */
static void random_sections(void)
{
	static const char octets[] = "AaBb:: \t\r\n\x1f\x7f\x80\xff!~Zz@[";
	static const char *const pieces[] = { "\r\n",
					      "From",
					      "fROM",
					      "DKIM-Signature",
					      "X-Long-name-of-A-field-Of-Somebody",
					      "\r\n ",
					      ":",
					      " :",
					      "to",
					      "\r\n\t",
					      "\r\nA:",
					      "\r\nDKIM-Signatura:",
					      "x" };
	uint64_t random = 362436069;
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t text[512];
		size_t n = 0;
		for (unsigned k = test_random(&random) % 24; k > 0 && n < 400; k--) {
			const char *piece = pieces[(test_random(&random) >> 8) % 13];
			size_t len = strlen(piece);
			memcpy(text + n, piece, len);
			n += len;
			if ((test_random(&random) >> 8) % 3 == 0)
				text[n++] = (uint8_t)octets[(test_random(&random) >> 8) % 20];
		}
		n = n ? (test_random(&random) >> 8) % (n + 1) : 0;
		uint8_t *p = test_guard(text, n);
		struct bytes rest = bytes_of(p, n);
		struct header h;
		struct arena a;
		arena_init(&a, memory, sizeof memory);
		CU_ASSERT_FATAL(header_split(&h, rest, random, &a));
		if (n == 2 && memcmp(p, "\r\n", 2) == 0)
			rest.n = 0;
		else if (n >= 4 && memcmp(p + n - 4, "\r\n\r\n", 4) == 0)
			rest.n -= 2;
		for (uint16_t i = 0; i < h.n; i++) {
			size_t name, len = plain_field(rest, &name);
			CU_ASSERT_FATAL(rest.n > 0);
			CU_ASSERT(header_raw(&h, i).p == rest.p && h.field[i].len == len);
			CU_ASSERT_EQUAL(h.field[i].name_len, name);
			CU_ASSERT_EQUAL(h.field[i].above, plain_last(&h, i, header_name(&h, i)));
			CU_ASSERT_EQUAL(header_last(&h, header_name(&h, i)),
					plain_last(&h, h.n, header_name(&h, i)));
			rest = bytes_from(rest, len);
		}
		CU_ASSERT_EQUAL(rest.n, 0);
		for (unsigned k = 0; k < 13; k++)
			CU_ASSERT_EQUAL(header_last(&h, bytes_str(pieces[k])),
					plain_last(&h, h.n, bytes_str(pieces[k])));
		test_guard_free(p, n);
	}
}

TEST_MAIN("header", TEST(random_sections), TEST(known_names), TEST(keys_collide),
	  TEST(names_by_every_octet), TEST(known), TEST(cut_everywhere), TEST(from_the_bottom),
	  TEST(limit_of_fields), TEST(arena_full))
