/* The section is replaced, all other octets of the file stay where they were. */
#include "control/section.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/config.h"
#include "tests/test.h"

static char why[SCHEMA_WHY_MAX];

static struct profiles *parse(const char *text, enum kind kind)
{
	why[0] = 0;
	return section_parse(bytes_str(text), kind, "f", why, sizeof why);
}

/* With the lists of these entries in place of what was there; NULL: refused. */
static char *splice(const char *file, const char *lists)
{
	struct bytes out;
	struct profiles *p = parse(lists, KIND_ADDRESSES);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	why[0] = 0;
	int ret = section_splice(bytes_str(file), KIND_ADDRESSES, p, "f", &out, why, sizeof why);
	profiles_free(p);
	if (ret < 0)
		return NULL;
	char *text = strndup((const char *)out.p, out.n);
	free((void *)out.p);
	return text;
}

static void c108_everything_else_stays(void)
{
#define NEW "address_lists:\n  n:\n    - a.example\n"
	static const struct {
		const char *file, *want;
	} rows[] = {
		{ "", NEW },
		{ "# only words\n", "# only words\n" NEW },
		{ "digest: true", "digest: true\n" NEW },
		{ "digest: true # end", "digest: true # end\n" NEW },
		{ "# a\ndigest: true # b\n\n# c\n", "# a\ndigest: true # b\n\n# c\n" NEW },
		{ "---\ndigest: true\n...\n", "---\ndigest: true\n" NEW "...\n" },
		{ "address_lists:\n", NEW },
		{ "address_lists:", NEW },
		{ "address_lists: # none\ndigest: true\n", NEW "digest: true\n" },
		{ "address_lists: {}\n", NEW },
		{ "address_lists: {x: [\n  b.example,\n  c.example ] } # end\ndigest: true\n",
		  NEW "digest: true\n" },
		{ "# a\naddress_lists:\n  x: [b.example]\n\n# b\ndigest: true # c\n",
		  "# a\n" NEW "\n# b\ndigest: true # c\n" },
		{ "dns:\n  source: none # s\n# a\naddress_lists:\n  # in\n  x:\n  - b.example # "
		  "y\n  - "
		  "c.example\n  # out\n# b\nlimits: {flow_max: 100}\n",
		  "dns:\n  source: none # s\n# a\n" NEW "  # out\n# b\nlimits: {flow_max: 100}\n" },
		{ "address_lists:\n  x:\n  - \"b.example\"\n  y: []\ndigest: true",
		  NEW "digest: true" },
		{ "address_lists:\n  x:\n    - |-\n      b.example\ndigest: true\n",
		  NEW "digest: true\n" },
		/* characters are not octets, and line ends not always LF */
		{ "# \xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80\nforged_names: {\"b\": {names: "
		  "[\"M\xc3\xbcller\"]}}\naddress_lists: {x: [b.example]}\n# \xc3\xb6\ndigest: "
		  "true\n",
		  "# \xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80\nforged_names: {\"b\": {names: "
		  "[\"M\xc3\xbcller\"]}}\n" NEW "# \xc3\xb6\ndigest: true\n" },
		{ "digest: true\r\naddress_lists:\r\n  x: [b.example]\r\ndns: {source: none}\r\n",
		  "digest: true\r\n" NEW "dns: {source: none}\r\n" },
		{ "\xef\xbb\xbf"
		  "address_lists: {x: [b.example]}\ndigest: true\n",
		  "\xef\xbb\xbf" NEW "digest: true\n" },
		{ "\xef\xbb\xbf"
		  "# \xc3\xb6\naddress_lists: {x: [b.example]}\ndigest: true\n",
		  "\xef\xbb\xbf"
		  "# \xc3\xb6\n" NEW "digest: true\n" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *got = splice(rows[i].file, "address_lists: {n: [a.example]}\n");
		if (!got || strcmp(got, rows[i].want))
			printf("\nrow %u gives %s\n", i, got ? got : why);
		CU_ASSERT_TRUE(got && !strcmp(got, rows[i].want));
		/* once more is the same */
		char *again = got ? splice(got, "address_lists: {n: [a.example]}\n") : NULL;
		CU_ASSERT_TRUE(again && !strcmp(again, got));
		free(got);
		free(again);
	}
	/* names at the top that are not in the first column */
	char *got = splice("  digest: true\n  # x\n", "address_lists: {n: [a.example]}\n");
	CU_ASSERT_STRING_EQUAL(
		got, "  digest: true\n  # x\n  address_lists:\n    n:\n      - a.example\n");
	free(got);
}

static void c108_refused(void)
{
	static const char *const rows[] = {
		"{digest: true}\n",
		"{address_lists: {}, digest: true}\n",
		"{\n  address_lists: {}\n}\n",
		"\xff\xfe:\0",
		"digest: [\n",
		"\"address_lists\"\n: {}\n",
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *got = splice(rows[i], "address_lists: {}\n");
		if (got)
			printf("\nrow %u gives %s\n", i, got);
		CU_ASSERT_PTR_NULL(got);
		CU_ASSERT_EQUAL(strncmp(why, "f: ", 3), 0);
		free(got);
	}
}

static void alone(void)
{
	struct profiles *p =
		parse("# dkim\n---\ndkim_profiles:\n  a: {min_bits: 2048}\n...\n", KIND_DKIM);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(profiles_count(p, KIND_DKIM), 2);
	profiles_free(p);
	/* lists that are named need not be there */
	p = parse("dmarc_profiles: {default: {sealers: x}}\n", KIND_DMARC);
	CU_ASSERT_PTR_NOT_NULL(p);
	profiles_free(p);
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "f: is empty; it must have spf_profiles" },
		{ "# x\n", "f: is empty" },
		{ "dkim_profiles: {}\n", "f:1:1: one section is wanted here" },
		{ "spf_profiles: {}\ndkim_profiles: {}\n", "f:2:1: one section is wanted here" },
		{ "spf_profiles: {}\ndigest: true\n", "f:2:1: one section" },
		{ "spf_profiles: {}\n---\nspf_profiles: {}\n", "f:2:1: one section" },
		{ "[spf_profiles]\n", "f:1:1: one section" },
		{ "spf_profiles\n", "f:1:1: one section" },
		{ "spf_profiles: {a: {level: x}}\n", "f:1:27: spf_profiles.a.level: \"x\" is not" },
		{ "spf_profiles: {\n", "f:2:1: not YAML" },
		{ "? {a: b}\n: c\n", "f:1:3: one section" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CU_ASSERT_PTR_NULL(parse(rows[i].text, KIND_SPF));
		if (strncmp(why, rows[i].want, strlen(rows[i].want)))
			printf("\n%s gives %s\n", rows[i].text, why);
		CU_ASSERT_EQUAL(strncmp(why, rows[i].want, strlen(rows[i].want)), 0);
	}
}

TEST_MAIN("section", TEST(c108_everything_else_stays), TEST(c108_refused), TEST(alone))
