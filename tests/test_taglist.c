/* A tag=value list is taken as RFC 6376 section 3.2 has it, and nothing else is. */
#include "tests/test.h"
#include "verify/header/taglist.h"

#include <stdio.h>

static const struct {
	const char *in;
	const char *want; /* "name=value|...", NULL: bad */
} rows[] = {
	{ "a=b", "a=b" },
	{ "a=b;", "a=b" },
	{ "a=b; ", "a=b" },
	{ " a = b ; c=d", "a=b|c=d" },
	{ "a=;c=", "a=|c=" },
	{ "a= ;", "a=" },
	{ "A_1=x y\tz", "A_1=x y\tz" },
	{ "a=b c;B=d", "a=b c|B=d" },
	{ "a=x=y=", "a=x=y=" },
	{ "a=b;\r\n c=d", "a=b|c=d" },
	{ "a\r\n =\r\n\tb\r\n ;c=d", "a=b|c=d" },
	{ "a=1\r\n 2", "a=1\r\n 2" },
	{ "a=\xc3\xa4", "a=\xc3\xa4" },
	{ "", NULL },
	{ " ", NULL },
	{ ";", NULL },
	{ "a", NULL },
	{ "a=b;;", NULL },
	{ "a=b;;c=d", NULL },
	{ ";a=b", NULL },
	{ "=b", NULL },
	{ "1a=b", NULL },
	{ "_a=b", NULL },
	{ "a-b=c", NULL },
	{ "a b=c", NULL },
	{ "a=b;a=c", NULL }, /* a duplicate */
	{ "a=b;c=d;a=b", NULL },
	{ "a=b\r\nc", NULL }, /* a line end that folds nothing */
	{ "a=b\r\n", NULL },
	{ "a=b\n c", NULL },
	{ "a=b\r c", NULL },
	{ "a=\1", NULL },
	{ "a=\x7f", NULL },
	{ "a=b;\r\n", NULL },
	{ "a=b; c", NULL },
};

static void print(const struct taglist *t, char *out, size_t cap)
{
	size_t n = 0;
	out[0] = 0;
	for (unsigned i = 0; i < t->n; i++)
		n += (size_t)snprintf(out + n, cap - n, "%s%.*s=%.*s", i ? "|" : "",
				      (int)t->tag[i].name.n, (const char *)t->tag[i].name.p,
				      (int)t->tag[i].value.n, (const char *)t->tag[i].value.p);
}

static void known(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		struct taglist t;
		char text[256];
		bool good = taglist_parse(&t, bytes_of(p, n));
		CU_ASSERT_EQUAL(good, rows[i].want != NULL);
		print(&t, text, sizeof text);
		if (good && rows[i].want)
			CU_ASSERT_STRING_EQUAL(text, rows[i].want);
		test_guard_free(p, n);
	}
}

/* The list is one run of octets; cut short it is bad, or has the tags in front of the cut, the last perhaps shorter. */
static void cut_everywhere(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct taglist whole, part;
		if (!taglist_parse(&whole, bytes_str(rows[i].in)))
			continue;
		for (size_t n = 0; n < strlen(rows[i].in); n++) {
			uint8_t *p = test_guard(rows[i].in, n);
			bool good = taglist_parse(&part, bytes_of(p, n));
			for (unsigned k = 0; good && k < part.n; k++) {
				struct bytes a = part.tag[k].value, b = whole.tag[k].value;
				CU_ASSERT(bytes_equal(part.tag[k].name, whole.tag[k].name));
				CU_ASSERT(k + 1 < part.n ? bytes_equal(a, b)
							 : bytes_equal(a, bytes_head(b, a.n)));
			}
			test_guard_free(p, n);
		}
	}
}

static void raw_is_all_between(void)
{
	struct taglist t;
	CU_ASSERT_FATAL(taglist_parse(&t, bytes_str("a=1; b \t= x\r\n y ;c=\r\n z")));
	CU_ASSERT(bytes_equal(taglist_find(&t, "b")->raw, bytes_str(" x\r\n y ")));
	CU_ASSERT(bytes_equal(taglist_find(&t, "c")->raw, bytes_str("\r\n z")));
	CU_ASSERT_PTR_NULL(taglist_find(&t, "B"));
	CU_ASSERT_PTR_NULL(taglist_find(&t, ""));
}

static void limit_of_tags(void)
{
	for (int n = TAGLIST_MAX - 1; n <= TAGLIST_MAX + 1; n++) {
		char text[TAGLIST_MAX * 8];
		size_t len = 0;
		struct taglist t;
		for (int i = 0; i < n; i++)
			len += (size_t)sprintf(text + len, "t%d=%d;", i, i);
		CU_ASSERT_EQUAL(taglist_parse(&t, bytes_of(text, len)), n <= TAGLIST_MAX);
	}
}

static void items(void)
{
	static const struct {
		const char *in, *want;
	} lists[] = {
		{ "a:b", "a|b|" },   { " a : b\r\n :c ", "a|b|c|" },
		{ "", "|" },         { ":", "||" },
		{ "from", "from|" }, { "a::b", "a||b|" },
	};
	for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct bytes list = bytes_str(lists[i].in), item;
		char text[64];
		size_t n = 0;
		while (taglist_item(&list, &item))
			n += (size_t)sprintf(text + n, "%.*s|", (int)item.n, (const char *)item.p);
		CU_ASSERT_STRING_EQUAL(text, lists[i].want);
	}
	struct bytes none = { NULL, 0 }, item;
	CU_ASSERT_FALSE(taglist_item(&none, &item));
}

/* ---- the same octet by octet, as the grammar reads ---- */

static size_t plain_white(struct bytes in, size_t i)
{
	for (;;) {
		if (i < in.n && (in.p[i] == ' ' || in.p[i] == '\t'))
			i++;
		else if (in.n - i >= 3 && in.p[i] == '\r' && in.p[i + 1] == '\n' &&
			 (in.p[i + 2] == ' ' || in.p[i + 2] == '\t'))
			i += 3;
		else
			return i;
	}
}

static bool plain_parse(struct taglist *t, struct bytes in)
{
	size_t i = 0;
	for (t->n = 0;;) {
		struct tag *tag = &t->tag[t->n];
		i = plain_white(in, i);
		if (i == in.n)
			return t->n > 0;
		size_t name = i;
		while (i < in.n && (bytes_lower(in.p[i]) >= 'a' && bytes_lower(in.p[i]) <= 'z'))
			i++;
		if (i == name || t->n == TAGLIST_MAX)
			return false;
		while (i < in.n && ((bytes_lower(in.p[i]) >= 'a' && bytes_lower(in.p[i]) <= 'z') ||
				    (in.p[i] >= '0' && in.p[i] <= '9') || in.p[i] == '_'))
			i++;
		tag->name = bytes_of(in.p + name, i - name);
		for (unsigned k = 0; k < t->n; k++)
			if (bytes_equal(t->tag[k].name, tag->name))
				return false;
		i = plain_white(in, i);
		if (i == in.n || in.p[i++] != '=')
			return false;
		size_t raw = i;
		while (i < in.n && in.p[i] != ';') {
			size_t white = plain_white(in, i);
			if (white == i && (in.p[i] <= ' ' || in.p[i] == 0x7f))
				return false;
			i = white > i ? white : i + 1;
		}
		tag->raw = bytes_of(in.p + raw, i - raw);
		tag->value = bytes_trim(tag->raw);
		t->n++;
		i += i < in.n;
	}
}

/* Octets and pieces at random, cut at random, against the plain way. */
static void random_lists(void)
{
	static const char *const pieces[] = {
		"a=",      ";",          "bh=",      "b=0123456789abcdef",
		";c=",     "\r\n ",      " ",        "x",
		"\r\n\t",  ";d=",        "=",        "; e=",
		"v=1;",    "A=\xc3\xa4", ";Z1_=",    ";bh=",
		"abcdefg", ";z=",        "\xff\xff", ":"
	};
	static const char odd[] = "\r\n\x7f\x01 ;\x20!~";
	uint64_t random = 521288629;
	unsigned good = 0;
	for (unsigned round = 0; round < 50000; round++) {
		uint8_t text[512];
		size_t n = 0;
		for (unsigned k = test_random(&random) % 20; k > 0; k--) {
			const char *piece = pieces[(test_random(&random) >> 8) % 20];
			memcpy(text + n, piece, strlen(piece));
			n += strlen(piece);
			if ((test_random(&random) >> 8) % 40 == 0)
				text[n++] = (uint8_t)odd[(test_random(&random) >> 8) % 10];
		}
		n = (test_random(&random) >> 8) % 3 ? n : (test_random(&random) >> 8) % (n + 1);
		uint8_t *p = test_guard(text, n);
		struct taglist have, want;
		bool parsed = taglist_parse(&have, bytes_of(p, n));
		CU_ASSERT_EQUAL_FATAL(parsed, plain_parse(&want, bytes_of(p, n)));
		good += parsed;
		CU_ASSERT(!parsed || have.n == want.n);
		for (unsigned i = 0; parsed && i < have.n; i++) {
			char name[512];
			struct tag *a = &have.tag[i], *b = &want.tag[i];
			CU_ASSERT(bytes_equal(a->name, b->name) && bytes_equal(a->raw, b->raw));
			CU_ASSERT(bytes_equal(a->value, b->value) && a->raw.p == b->raw.p);
			memcpy(name, a->name.p, a->name.n);
			name[a->name.n] = 0;
			CU_ASSERT_PTR_EQUAL(taglist_find(&have, name), a);
		}
		CU_ASSERT(!parsed || !taglist_find(&have, "q"));
		test_guard_free(p, n);
	}
	CU_ASSERT(good > 1000);
}

TEST_MAIN("taglist", TEST(random_lists), TEST(known), TEST(cut_everywhere),
	  TEST(raw_is_all_between), TEST(limit_of_tags), TEST(items))
