/* What is added is found by its name; the defaults are nobody's to change, and the last user frees the rest. */
#include "control/profiles.h"

#include <stdio.h>

#include "tests/test.h"

static void c103_default_is_there(void)
{
	const struct profiles *p = profiles_default();
	CU_ASSERT_PTR_EQUAL(p, profiles_default());
	for (int k = 0; k < KIND_N; k++) {
		uint32_t n = profiles_count(p, (enum kind)k);
		CU_ASSERT_EQUAL(n, kind_info[k].options ? 1 : 0);
		if (n)
			CU_ASSERT_STRING_EQUAL(profiles_name(p, (enum kind)k, 0), "default");
	}
	CU_ASSERT_PTR_EQUAL(profiles_hold(p), p);
	profiles_free(p);
	profiles_free(p);
	CU_ASSERT_EQUAL(profiles_count(p, KIND_DKIM), 1);
	profiles_free(NULL);
	char why[SCHEMA_WHY_MAX];
	CU_ASSERT_EQUAL(profiles_check(p, why, sizeof why), 0);
}

static void added_and_found(void)
{
	struct profiles *p = profiles_new();
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	struct spf_profile *s = profiles_add(p, KIND_SPF, bytes_str("strict"));
	CU_ASSERT_STRING_EQUAL(s->name, "strict");
	CU_ASSERT_EQUAL(s->lookup_max, 10);
	CU_ASSERT_PTR_EQUAL(profiles_spf(p, "strict"), s);
	CU_ASSERT_PTR_NULL(profiles_spf(p, "Strict"));
	CU_ASSERT_PTR_EQUAL(profiles_add(p, KIND_SPF, bytes_str("default")),
			    profiles_spf(p, "default"));
	CU_ASSERT_EQUAL(profiles_find(p, KIND_SPF, bytes_str("strict")), 1);
	CU_ASSERT_EQUAL(profiles_find(p, KIND_SPF, bytes_str("none")), 2);
	/* one more user */
	const struct profiles *other = profiles_hold(p);
	profiles_free(p);
	CU_ASSERT_PTR_NOT_NULL(profiles_spf(other, "strict"));
	profiles_free(other);
}

static struct list *domains(const char *name)
{
	struct bytes entry = bytes_str("example.com");
	uint32_t bad;
	return list_new(name, &entry, 1, false, &bad);
}

static void lists_by_name(void)
{
	struct profiles *p = profiles_new();
	char why[SCHEMA_WHY_MAX];
	CU_ASSERT_EQUAL(profiles_add_list(p, KIND_ADDRESSES, domains("partners")), 0);
	CU_ASSERT_EQUAL(profiles_add_list(p, KIND_SEALERS, domains("forwarders")), 0);
	CU_ASSERT_STRING_EQUAL(profiles_name(p, KIND_SEALERS, 0), "forwarders");
	CU_ASSERT_PTR_NULL(profiles_item(p, KIND_SEALERS, 0));
	CU_ASSERT_PTR_NULL(profiles_list(p, KIND_DMARC, 0));
	struct dmarc_profile *d = profiles_add(p, KIND_DMARC, bytes_str("default"));
	strcpy(d->bypass_senders, "partners");
	strcpy(d->sealers, "forwarders");
	CU_ASSERT_EQUAL(profiles_check(p, why, sizeof why), 0);
	/* a list of the other kind is not it */
	strcpy(d->sealers, "partners");
	CU_ASSERT_EQUAL(profiles_check(p, why, sizeof why), -1);
	CU_ASSERT_STRING_EQUAL(why, "dmarc_profiles.default: sealers: there is no list of ARC "
				    "sealers \"partners\" in arc_sealers");
	profiles_free(p);
}

static void h13_too_many(void)
{
	struct profiles *p = profiles_new();
	char name[32];
	for (int i = 1; i < PROFILES_MAX; i++) {
		snprintf(name, sizeof name, "p%d", i);
		CU_ASSERT_PTR_NOT_NULL(profiles_add(p, KIND_DKIM, bytes_str(name)));
		CU_ASSERT_EQUAL(profiles_add_list(p, KIND_SEALERS, domains(name)), 0);
	}
	CU_ASSERT_EQUAL(profiles_add_list(p, KIND_SEALERS, domains("last")), 0);
	CU_ASSERT_EQUAL(profiles_add_list(p, KIND_SEALERS, domains("more")), -1);
	CU_ASSERT_PTR_NULL(profiles_add(p, KIND_DKIM, bytes_str("more")));
	CU_ASSERT_PTR_NOT_NULL(profiles_dkim(p, "p999"));
	CU_ASSERT_EQUAL(profiles_count(p, KIND_SEALERS), PROFILES_MAX);
	profiles_free(p);
}

TEST_MAIN("profiles", TEST(c103_default_is_there), TEST(added_and_found), TEST(lists_by_name),
	  TEST(h13_too_many))
