/* Every row of every kind can be found, has its stated default, and takes back what it gives; the defaults are those of the
 * rows they are named for, octet by octet. */
#include "control/kind.h"

#include <stdlib.h>

#include "control/profiles.h"
#include "control/settings.h"
#include "tests/test.h"

static size_t size_of(enum kind kind)
{
	return kind == KIND_DKIM    ? sizeof(struct dkim_profile)
	       : kind == KIND_SPF   ? sizeof(struct spf_profile)
	       : kind == KIND_DMARC ? sizeof(struct dmarc_profile)
				    : sizeof(struct names_profile);
}

static void rows_are_found(void)
{
	for (int k = 0; k < KIND_N; k++) {
		const struct kind_info *info = &kind_info[k];
		CU_ASSERT_EQUAL((int)kind_of_word(bytes_str(info->word)), k);
		CU_ASSERT_EQUAL((int)kind_of_section(bytes_str(info->section)), k);
		CU_ASSERT_PTR_NULL(settings_find(bytes_str(info->section)));
		for (unsigned i = 0; i < info->n_row; i++) {
			char option[SCHEMA_OPTION_MAX];
			CU_ASSERT_PTR_EQUAL(kind_row((enum kind)k, bytes_str(info->row[i].name)),
					    &info->row[i]);
			CU_ASSERT_EQUAL((int)kind_of_row(&info->row[i]), k);
			CU_ASSERT_TRUE(strlen(info->row[i].help) > 5);
			schema_option(&info->row[i], option);
			/* not the option of a setting nor of another kind */
			CU_ASSERT_PTR_NULL(settings_find_option(bytes_str(option)));
			if (info->options)
				CU_ASSERT_PTR_EQUAL(kind_find_option(bytes_str(option)),
						    &info->row[i]);
		}
	}
	CU_ASSERT_EQUAL(kind_of_word(bytes_str("dkim_profiles")), KIND_N);
	CU_ASSERT_EQUAL(kind_of_section(bytes_str("")), KIND_N);
	CU_ASSERT_PTR_NULL(kind_row(KIND_SEALERS, bytes_str("names")));
	CU_ASSERT_EQUAL(kind_of_row(&settings_rows[0]), KIND_N);
}

/* No two rows write one field, and only the name and padding have none. */
static void fields_apart(void)
{
	for (int k = 0; k <= KIND_NAMES; k++) {
		static uint8_t used[4096];
		size_t size = size_of((enum kind)k), without = 0;
		memset(used, 0, sizeof used);
		CU_ASSERT_TRUE_FATAL(size <= sizeof used);
		for (unsigned i = 0; i < kind_info[k].n_row; i++)
			for (size_t n = 0; n < kind_info[k].row[i].size; n++)
				CU_ASSERT_EQUAL(used[kind_info[k].row[i].offset + n]++, 0);
		for (size_t n = PROFILE_NAME_MAX; n < size; n++)
			without += !used[n];
		CU_ASSERT_TRUE(without < 16);
	}
}

static void rows_round_trip(void)
{
	for (int k = 0; k <= KIND_NAMES; k++) {
		void *a = calloc(1, size_of((enum kind)k)), *b = calloc(1, size_of((enum kind)k));
		kind_default(a, (enum kind)k, bytes_str("x"));
		memcpy(b, a, PROFILE_NAME_MAX);
		for (unsigned i = 0; i < kind_info[k].n_row; i++) {
			const struct schema_row *row = &kind_info[k].row[i];
			char text[SCHEMA_VALUE_MAX], why[SCHEMA_WHY_MAX];
			schema_get(row, a, text);
			CU_ASSERT_STRING_EQUAL(text,
					       row->type == SCHEMA_SECONDS ? "1m" : row->fallback);
			if (row->type != SCHEMA_LIST && row->type != SCHEMA_NAMES)
				CU_ASSERT_EQUAL(
					schema_set(row, b, bytes_str(text), false, why, sizeof why),
					0);
		}
		CU_ASSERT_EQUAL(memcmp(a, b, size_of((enum kind)k)), 0);
		char why[SCHEMA_WHY_MAX];
		if (k != KIND_NAMES) /* which needs names */
			CU_ASSERT_EQUAL(kind_check((enum kind)k, a, why, sizeof why), 0);
		free(a);
		free(b);
	}
}

static const struct dkim_profile *dkim(void)
{
	return profiles_dkim(profiles_default(), "default");
}

static const struct spf_profile *spf(void)
{
	return profiles_spf(profiles_default(), "default");
}

static const struct dmarc_profile *dmarc(void)
{
	return profiles_dmarc(profiles_default(), "default");
}

static void c54_key_sizes(void)
{
	CU_ASSERT_EQUAL(dkim()->min_bits, 1024);
	CU_ASSERT_EQUAL(dkim()->max_bits, 4096);
}

static void c55_to_c58_numbers(void)
{
	CU_ASSERT_EQUAL(dkim()->signatures_max, 5);
	CU_ASSERT_EQUAL(dkim()->query_timeout_ms, 10000);
	CU_ASSERT_EQUAL(dkim()->skew_s, 60);
	CU_ASSERT_EQUAL(dkim()->l, DKIM_L_PARTIAL);
}

static void c59_c60_dkim_actions(void)
{
	CU_ASSERT_EQUAL(dkim()->temporary_action, VERDICT_ACCEPT);
	CU_ASSERT_EQUAL(dkim()->temporary.code, 451);
	CU_ASSERT_EQUAL(dkim()->permanent_action, VERDICT_FLAG);
	CU_ASSERT_EQUAL(dkim()->permanent.code, 550);
	CU_ASSERT_EQUAL(strncmp(dkim()->permanent.text, "5.7.20 ", 7), 0);
}

static void c70_c78_spf_accepts_all(void)
{
	CU_ASSERT_EQUAL(spf()->level, SPF_LEVEL_SPF);
	CU_ASSERT_TRUE(spf()->helo && !spf()->pra_downgrade && !spf()->explanation);
	for (int i = 0; i < SPF_IDENTITY_N; i++)
		for (int c = 0; c < SPF_CASE_N; c++)
			CU_ASSERT_EQUAL(spf()->action[i][c], VERDICT_ACCEPT);
	CU_ASSERT_EQUAL(spf()->lookup_max, 10);
	CU_ASSERT_EQUAL(spf()->void_max, 2);
}

/* Each row writes the action of its own identity and result. */
static void c77_an_action_each(void)
{
	static const char *const identity[] = { "helo", "mailfrom", "pra" };
	static const char *const result[] = { "none", "neutral",   "softfail",
					      "fail", "temperror", "permerror" };
	for (int i = 0; i < SPF_IDENTITY_N; i++)
		for (int c = 0; c < SPF_CASE_N; c++) {
			struct spf_profile p = *spf();
			char name[64], why[SCHEMA_WHY_MAX];
			snprintf(name, sizeof name, "%s_%s", identity[i], result[c]);
			const struct schema_row *row = kind_row(KIND_SPF, bytes_str(name));
			CU_ASSERT_PTR_NOT_NULL_FATAL(row);
			CU_ASSERT_EQUAL(
				schema_set(row, &p, bytes_str("reject"), false, why, sizeof why),
				0);
			CU_ASSERT_EQUAL(p.action[i][c], VERDICT_REJECT);
			p.action[i][c] = VERDICT_ACCEPT;
			CU_ASSERT_EQUAL(memcmp(&p, spf(), sizeof p), 0);
		}
}

static void c80_c81_replies(void)
{
	CU_ASSERT_EQUAL(spf()->temporary.code, 451);
	CU_ASSERT_STRING_EQUAL(spf()->temporary.text,
			       "#4.4.3 Temporary error occurred during SPF verification");
	CU_ASSERT_EQUAL(spf()->permanent.code, 550);
	CU_ASSERT_STRING_EQUAL(spf()->permanent.text, "#5.7.1 SPF unauthorized mail is prohibited");
}

static void c104_to_c107_replies(void)
{
	CU_ASSERT_EQUAL(dmarc()->reject.code, 550);
	CU_ASSERT_STRING_EQUAL(dmarc()->reject.text,
			       "#5.7.1 DMARC unauthenticated mail is prohibited");
	CU_ASSERT_EQUAL(dmarc()->temporary.code, 451);
	CU_ASSERT_STRING_EQUAL(dmarc()->temporary.text,
			       "#4.7.1 Unable to perform DMARC verification");
	CU_ASSERT_EQUAL(dmarc()->permanent.code, 550);
	CU_ASSERT_STRING_EQUAL(dmarc()->permanent.text, "#5.7.1 DMARC verification failed");
	CU_ASSERT_EQUAL(dmarc()->temporary_action, VERDICT_ACCEPT);
	CU_ASSERT_EQUAL(dmarc()->permanent_action, VERDICT_ACCEPT);
}

static void d4_to_d9_dmarc(void)
{
	CU_ASSERT_EQUAL(dmarc()->reject_action, VERDICT_REJECT);
	CU_ASSERT_EQUAL(dmarc()->quarantine_action, VERDICT_QUARANTINE);
	CU_ASSERT_TRUE(!dmarc()->reject_tag && !dmarc()->quarantine_tag);
	CU_ASSERT_STRING_EQUAL(dmarc()->tag, "*** FRAUD ***");
	CU_ASSERT_EQUAL(dmarc()->reject_score, 50);
	CU_ASSERT_EQUAL(dmarc()->quarantine_score, 50);
	CU_ASSERT_TRUE(dmarc()->bypass_authenticated);
	CU_ASSERT_STRING_EQUAL(dmarc()->sealers, "");
}

static void c53_c60_preset(void)
{
	struct dkim_profile p = *dkim();
	char why[SCHEMA_WHY_MAX];
	CU_ASSERT_EQUAL(kind_take_preset(&p, KIND_DKIM, bytes_str("asyncos"), why, sizeof why), 0);
	CU_ASSERT_EQUAL(p.test, DKIM_TEST_SKIP);
	CU_ASSERT_EQUAL(p.permanent.code, 451);
	CU_ASSERT_EQUAL(kind_check(KIND_DKIM, &p, why, sizeof why), 0);
}

static void c70_preset(void)
{
	struct spf_profile p = *spf();
	char why[SCHEMA_WHY_MAX];
	CU_ASSERT_EQUAL(kind_take_preset(&p, KIND_SPF, bytes_str("asyncos"), why, sizeof why), 0);
	CU_ASSERT_EQUAL(p.level, SPF_LEVEL_SIDF_COMPATIBLE);
}

static void g7_preset(void)
{
	struct dmarc_profile p = *dmarc();
	char why[SCHEMA_WHY_MAX];
	CU_ASSERT_EQUAL(
		kind_take_preset(&p, KIND_DMARC, bytes_str("securitygateway4"), why, sizeof why),
		0);
	CU_ASSERT_EQUAL(p.reject_action, VERDICT_ACCEPT);
	CU_ASSERT_EQUAL(p.quarantine_action, VERDICT_ACCEPT);
	CU_ASSERT_EQUAL(kind_take_preset(&p, KIND_DMARC, bytes_str("asyncos"), why, sizeof why),
			-1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "allowed: securitygateway4"));
	CU_ASSERT_EQUAL(kind_take_preset(&p, KIND_NAMES, bytes_str("asyncos"), why, sizeof why),
			-1);
}

static void rules_of_replies(void)
{
	static const struct {
		uint32_t code;
		const char *text;
		int want;
	} cases[] = { { 550, "5.7.1 no", 0 },  { 550, "#5.7.1 no", 0 },  { 550, "no", 0 },
		      { 550, "4.7.1 no", -1 }, { 451, "#5.7.1 no", -1 }, { 451, "4 no", 0 } };
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct dmarc_profile p = *dmarc();
		char why[SCHEMA_WHY_MAX];
		p.reject.code = cases[i].code;
		strcpy(p.reject.text, cases[i].text);
		CU_ASSERT_EQUAL(kind_check(KIND_DMARC, &p, why, sizeof why), cases[i].want);
	}
}

static void manual(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	kind_manual(out);
	fclose(out);
	for (int k = 0; k < KIND_N; k++)
		CU_ASSERT_PTR_NOT_NULL(strstr(text, kind_info[k].section));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "--spf-pra-permerror"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "preset: securitygateway4"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		CU_ASSERT_TRUE(strlen(line) < 110);
	free(text);
}

TEST_MAIN("kind", TEST(rows_are_found), TEST(fields_apart), TEST(rows_round_trip),
	  TEST(c54_key_sizes), TEST(c55_to_c58_numbers), TEST(c59_c60_dkim_actions),
	  TEST(c70_c78_spf_accepts_all), TEST(c77_an_action_each), TEST(c80_c81_replies),
	  TEST(c104_to_c107_replies), TEST(d4_to_d9_dmarc), TEST(c53_c60_preset), TEST(c70_preset),
	  TEST(g7_preset), TEST(rules_of_replies), TEST(manual))
