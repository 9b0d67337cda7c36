/* What is written is read again as the same, and written again octet for octet. */
#include "control/profiles_write.h"

#include <stdlib.h>

#include "control/config.h"
#include "tests/test.h"

static char *written(const struct profiles *p, unsigned indent)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	for (int k = 0; k < KIND_N; k++)
		profiles_write(out, p, (enum kind)k, indent);
	fclose(out);
	return text;
}

static void round_trip(const struct profiles *p)
{
	for (unsigned indent = 0; indent < 4; indent += 3) {
		struct config cfg;
		char why[SCHEMA_WHY_MAX] = "";
		char *text = written(p, indent);
		config_default(&cfg);
		CU_ASSERT_EQUAL(config_parse(&cfg, bytes_str(text), "w", why, sizeof why), 0);
		if (*why)
			printf("\n%s\n", why);
		char *again = written(cfg.profiles, indent);
		CU_ASSERT_STRING_EQUAL(text, again);
		config_fini(&cfg);
		free(text);
		free(again);
	}
}

static void c61_defaults(void)
{
	round_trip(profiles_default());
	char *text = written(profiles_default(), 0);
	CU_ASSERT_EQUAL(strncmp(text, "dkim_profiles:\n  default:\n    allow_sha1: false\n", 47),
			0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text,
				      "    temporary_code: 451\n    temporary_text: \"#4.4.3 "
				      "Temporary error occurred during SPF verification\"\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nforged_names: {}\narc_sealers: {}\n"));
	free(text);
}

static void c61_everything(void)
{
	struct config cfg;
	char why[SCHEMA_WHY_MAX] = "";
	static const char text[] =
		"dkim_profiles: {a: {skew: 90s, query_timeout: 1500ms}, \"-\": {}, null: {}, 1: "
		"{}}\n"
		"dmarc_profiles: {x: {tag: 'it''s \"\\', bypass_headers: \"A,B\", sealers: "
		"\"null\",\n"
		"  bypass_senders: e, reject_score: 0.1}}\n"
		"forged_names:\n"
		"  x: {names: [\"a\\\"b\", \"\\u0085x\", \"\\u2028y\", \"a \\u2028 b\", '- z', ' # "
		"', \"\\ufeffq\", "
		"\"~~\",\n"
		"     \"\\U0001F600 smile\", \"M\xc3\xbcller, J\", \"null\", \"{a: b}\", \"%x\", "
		"\"a\xc2\xa0z\"],\n"
		"     own: [a.example, b.example], except: [\"a b@c.example\"]}\n"
		"arc_sealers: {\"null\": []}\n"
		"address_lists: {e: [\"::1\", \"2001:db8::\", 192.0.2.0/24, a@b.example, "
		"\"'x@y.z\"]}\n";
	config_default(&cfg);
	CU_ASSERT_EQUAL(config_parse(&cfg, bytes_str(text), "f", why, sizeof why), 0);
	if (*why)
		printf("\n%s\n", why);
	round_trip(cfg.profiles);
	config_fini(&cfg);
}

TEST_MAIN("profiles_write", TEST(c61_defaults), TEST(c61_everything))
