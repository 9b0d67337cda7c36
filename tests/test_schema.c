/* Every row can be found, explains itself in the manual, and refuses without a trace what it does not allow. */
#include "control/schema.h"

#include <stdlib.h>

#include "control/config.h"
#include "control/settings.h"
#include "tests/test.h"

static void names_are_one_of_a_kind(void)
{
	CU_ASSERT_TRUE(settings_n <= SETTINGS_MAX);
	for (unsigned i = 0; i < settings_n; i++) {
		char option[SCHEMA_OPTION_MAX];
		schema_option(&settings_rows[i], option);
		CU_ASSERT_PTR_EQUAL(settings_find(bytes_str(settings_rows[i].name)),
				    &settings_rows[i]);
		CU_ASSERT_PTR_EQUAL(settings_find_option(bytes_str(option)), &settings_rows[i]);
		CU_ASSERT_EQUAL(strcspn(option, "._ "), strlen(option));
	}
	CU_ASSERT_PTR_NULL(settings_find(bytes_str("dkim.min-bits")));
	CU_ASSERT_PTR_NULL(settings_find_option(bytes_str("dkim.min_bits")));
	CU_ASSERT_PTR_NULL(settings_find(bytes_str("")));
}

/* No two rows write the same field, and all of struct config is reached but for padding. */
static void fields_apart(void)
{
	static uint8_t used[sizeof(struct config)];
	size_t free_octets = 0;
	for (unsigned i = 0; i < settings_n; i++)
		for (size_t k = 0; k < settings_rows[i].size; k++)
			CU_ASSERT_EQUAL(used[settings_rows[i].offset + k]++, 0);
	for (size_t k = 0; k < sizeof used; k++)
		free_octets += !used[k];
	CU_ASSERT_TRUE(free_octets < 8 * settings_n);
}

static void refused_without_a_trace(void)
{
	for (unsigned i = 0; i < settings_n; i++) {
		static const char *const wrong[] = { "", "\x01", "-5", "maybe", "1e9" };
		const struct schema_row *row = &settings_rows[i];
		if (row->type == SCHEMA_TEXT || row->type == SCHEMA_PORTS ||
		    row->type == SCHEMA_ASCII)
			continue;
		/* the others are names */
		unsigned n = row->type == SCHEMA_NAME ? 2 : sizeof wrong / sizeof wrong[0];
		for (unsigned k = 0; k < n; k++) {
			struct config cfg, before;
			char why[SCHEMA_WHY_MAX], allowed[256];
			config_default(&cfg);
			before = cfg;
			CU_ASSERT_EQUAL(
				schema_set(row, &cfg, bytes_str(wrong[k]), false, why, sizeof why),
				-1);
			CU_ASSERT_EQUAL(memcmp(&cfg, &before, sizeof cfg), 0);
			schema_allowed(row, allowed, sizeof allowed);
			CU_ASSERT_PTR_NOT_NULL(strstr(why, allowed));
			CU_ASSERT_PTR_NULL(strchr(why, 1));
		}
	}
}

static void manual(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	settings_manual(out);
	fclose(out);
	for (unsigned i = 0; i < settings_n; i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(text, settings_rows[i].name));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		CU_ASSERT_TRUE(strlen(line) < 110);
	free(text);
}

TEST_MAIN("schema", TEST(names_are_one_of_a_kind), TEST(fields_apart),
	  TEST(refused_without_a_trace), TEST(manual))
