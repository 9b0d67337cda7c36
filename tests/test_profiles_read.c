/* A section gives exactly the profiles it says, or one line with the place, the name and what is allowed. */
#include "control/profiles_read.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/config.h"
#include "tests/test.h"

static struct config cfg;
static char why[SCHEMA_WHY_MAX];

static int parse(const char *text)
{
	config_default(&cfg);
	why[0] = 0;
	return config_parse(&cfg, bytes_str(text), "f.yaml", why, sizeof why);
}

static void each_kind(void)
{
	int ret = parse("dmarc_profiles:\n"
			"  default:\n"
			"    reject_action: quarantine\n"
			"    tag: \"[bad]\"\n"
			"    quarantine_score: 7.5\n"
			"    bypass_headers: List-Id, X-Ours\n"
			"    bypass_senders: partners # listed below\n"
			"    sealers: forwarders\n"
			"spf_profiles:\n"
			"  strict: {preset: asyncos, mailfrom_fail: reject, timeout: 5s}\n"
			"  plain:\n"
			"dkim_profiles: {}\n"
			"forged_names:\n"
			"  board:\n"
			"    names: [Olivia Smith, \"J\\u00f6rg M\\u00fcller\"]\n"
			"    threshold: 82\n"
			"    own: [example.com]\n"
			"    except:\n"
			"    - news@example.net\n"
			"arc_sealers:\n"
			"  forwarders: [lists.example.org]\n"
			"  nobody: []\n"
			"address_lists:\n"
			"  partners:\n"
			"  - 192.0.2.0/24\n"
			"  - example.org\n"
			"  - \"alice@example.com\"\n"
			"digest: false\n");
	CU_ASSERT_EQUAL_FATAL(ret, 0);
	const struct profiles *p = cfg.profiles;
	const struct dmarc_profile *d = profiles_dmarc(p, "default");
	CU_ASSERT_EQUAL(d->reject_action, VERDICT_QUARANTINE);
	CU_ASSERT_EQUAL(d->quarantine_score, 75);
	CU_ASSERT_STRING_EQUAL(d->tag, "[bad]");
	CU_ASSERT_STRING_EQUAL(d->bypass_headers, "List-Id,X-Ours");
	CU_ASSERT_STRING_EQUAL(d->bypass_senders, "partners");
	CU_ASSERT_EQUAL(d->reject_score, 50);
	const struct spf_profile *s = profiles_spf(p, "strict");
	CU_ASSERT_EQUAL(s->action[SPF_MAILFROM][SPF_CASE_FAIL], VERDICT_REJECT);
	CU_ASSERT_EQUAL(s->level, SPF_LEVEL_SIDF_COMPATIBLE);
	CU_ASSERT_EQUAL(s->timeout_ms, 5000);
	CU_ASSERT_EQUAL(profiles_count(p, KIND_SPF), 3);
	CU_ASSERT_STRING_EQUAL(profiles_name(p, KIND_SPF, 0), "default");
	CU_ASSERT_EQUAL(profiles_count(p, KIND_DKIM), 1);
	const struct names_profile *n = profiles_item(p, KIND_NAMES, 0);
	CU_ASSERT_EQUAL(n->threshold, 82);
	CU_ASSERT_TRUE(
		bytes_equal(list_entry(n->names, 1), bytes_str("J\xc3\xb6rg M\xc3\xbcller")));
	CU_ASSERT_TRUE(list_has_domain(n->own, bytes_str("example.com")));
	CU_ASSERT_EQUAL(list_count(n->except), 1);
	CU_ASSERT_EQUAL(list_count(profiles_list(p, KIND_SEALERS, 1)), 0);
	CU_ASSERT_EQUAL(list_count(profiles_list(p, KIND_ADDRESSES, 0)), 3);
	CU_ASSERT_FALSE(cfg.digest); /* what follows the sections is read again */
	config_fini(&cfg);
}

/* A profile's settings that are not there have the built-in defaults, not those of `default`. */
static void unset_is_built_in(void)
{
	CU_ASSERT_EQUAL(parse("dkim_profiles:\n  default: {min_bits: 2048}\n  b: {skew: 2m}\n"), 0);
	CU_ASSERT_EQUAL(profiles_dkim(cfg.profiles, "default")->min_bits, 2048);
	CU_ASSERT_EQUAL(profiles_dkim(cfg.profiles, "b")->min_bits, 1024);
	CU_ASSERT_EQUAL(profiles_dkim(cfg.profiles, "b")->skew_s, 120);
	config_fini(&cfg);
}

static void nothing_in_them(void)
{
	for (int k = 0; k < KIND_N; k++) {
		char text[64];
		static const char *const form[] = { "%s:\n", "%s: {}\n", "%s:\n# none\n" };
		for (int i = 0; i < 3; i++) {
			snprintf(text, sizeof text, form[i], kind_info[k].section);
			CU_ASSERT_EQUAL(parse(text), 0);
			CU_ASSERT_EQUAL(profiles_count(cfg.profiles, (enum kind)k),
					kind_info[k].options ? 1 : 0);
			config_fini(&cfg);
		}
	}
}

static void h13_wrong_sections(void)
{
	static const struct {
		const char *text, *place, *word;
	} cases[] = {
		{ "spf_profiles: 5\n", "f.yaml:1:15: spf_profiles: ", "allowed: NAME: " },
		{ "spf_profiles: [5]\n", "f.yaml:1:15: spf_profiles: ", "allowed: NAME: " },
		{ "spf_profiles: {}\nspf_profiles: {}\n",
		  "f.yaml:2:1: spf_profiles: ", "second time" },
		{ "spf_profiles: &a {}\n", "f.yaml:1:15: spf_profiles: ", "anchors" },
		{ "spf_profiles: *a\n", "f.yaml:1:15: spf_profiles: ", "aliases" },
		{ "spf_profiles: !x {}\n", "f.yaml:1:15: spf_profiles: ", "tags" },
		{ "spf_profiles: {a b: {}}\n", "f.yaml:1:16: spf_profiles: ", "is no name" },
		{ "spf_profiles: {\"\": {}}\n", "f.yaml:1:16: spf_profiles: ", "is no name" },
		{ "spf_profiles: {[a]: {}}\n", "f.yaml:1:16: spf_profiles: ", "not possible here" },
		{ "spf_profiles: {{a: b}: {}}\n",
		  "f.yaml:1:16: spf_profiles: ", "not possible here" },
		{ "spf_profiles: {default: {}, default: {}}\n",
		  "f.yaml:1:29: spf_profiles.default: ", "second time" },
		{ "spf_profiles: {a: {}, a: {}}\n",
		  "f.yaml:1:23: spf_profiles.a: ", "second time" },
		{ "spf_profiles: {a: x}\n", "f.yaml:1:19: spf_profiles.a: ", "no single value" },
		{ "spf_profiles: {a: [x]}\n", "f.yaml:1:19: spf_profiles.a: ", "is no list" },
		{ "spf_profiles: {a: &b {}}\n", "f.yaml:1:19: spf_profiles.a: ", "anchors" },
		{ "spf_profiles: {a: {hello: x}}\n",
		  "f.yaml:1:20: spf_profiles.a: ", "allowed: preset, level, helo" },
		{ "spf_profiles: {a: {helo: true, helo: true}}\n",
		  "f.yaml:1:32: spf_profiles.a.helo: ", "second time" },
		{ "spf_profiles: {a: {helo: maybe}}\n",
		  "f.yaml:1:26: spf_profiles.a.helo: ", "true or false" },
		{ "spf_profiles: {a: {helo: [x]}}\n",
		  "f.yaml:1:26: spf_profiles.a.helo: ", "is no list; allowed: true or false" },
		{ "spf_profiles: {a: {helo: {x: y}}}\n",
		  "f.yaml:1:26: spf_profiles.a.helo: ", "is no group; allowed: true or false" },
		{ "spf_profiles: {a: {helo_fail: bounce}}\n",
		  "f.yaml:1:31: spf_profiles.a.helo_fail: ",
		  "accept, flag, tag, quarantine or reject" },
		{ "spf_profiles: {a: {void_max: \"2\"}}\n",
		  "f.yaml:1:30: spf_profiles.a.void_max: ", "quoted" },
		{ "spf_profiles: {a: {helo: true, preset: asyncos}}\n",
		  "f.yaml:1:32: spf_profiles.a: ", "must stand first" },
		{ "spf_profiles: {a: {preset: asyncos, preset: asyncos}}\n",
		  "f.yaml:1:37: spf_profiles.a: ", "must stand first" },
		{ "spf_profiles: {a: {preset: exchange}}\n",
		  "f.yaml:1:28: spf_profiles.a: ", "allowed: asyncos" },
		{ "spf_profiles: {a: {temporary_code: 399}}\n",
		  "f.yaml:1:36: spf_profiles.a.temporary_code: ", "from 400 to 499" },
		{ "spf_profiles: {a: {temporary_code: 550}}\n",
		  "f.yaml:1:36: spf_profiles.a.temporary_code: ", "from 400 to 499" },
		{ "spf_profiles: {a: {permanent_code: 600}}\n",
		  "f.yaml:1:36: spf_profiles.a.permanent_code: ", "from 400 to 599" },
		{ "spf_profiles: {a: {permanent_code: 450}}\n",
		  "f.yaml:1:16: spf_profiles.a: ", "another class" },
		{ "spf_profiles: {a: {permanent_text: \"a\\r\\nb\"}}\n",
		  "f.yaml:1:36: spf_profiles.a.permanent_text: ", "printable ASCII" },
		{ "spf_profiles: {a: {permanent_text: \xc3\xb6}}\n",
		  "f.yaml:1:36: spf_profiles.a.permanent_text: ", "printable ASCII" },
		{ "spf_profiles: {a: {permanent_text: ~}}\n",
		  "f.yaml:1:36: spf_profiles.a.permanent_text: ", "no value" },
		{ "spf_profiles: {a: {relays: mine}}\n", "f.yaml:1:28: spf_profiles.a.relays: ",
		  "no address list \"mine\"; write it in address_lists" },
		{ "spf_profiles: {a: {relays: \"a b\"}}\n",
		  "f.yaml:1:28: spf_profiles.a.relays: ", "letters, digits" },
		{ "dmarc_profiles: {default: {sealers: x}}\n",
		  "f.yaml:1:37: dmarc_profiles.default.sealers: ", "write it in arc_sealers" },
		{ "dmarc_profiles: {default: {reject_score: 5.05}}\n",
		  "f.yaml:1:42: dmarc_profiles.default.reject_score: ", "0.0 to 100.0" },
		{ "dmarc_profiles: {default: {bypass_headers: \"A:\"}}\n",
		  "f.yaml:1:44: dmarc_profiles.default.bypass_headers: ",
		  "names of header fields" },
		{ "dkim_profiles: {x: {min_bits: 4097}}\n",
		  "f.yaml:1:17: dkim_profiles.x: ", "no key could pass" },
		{ "dkim_profiles: {x: {skew: 90000}}\n",
		  "f.yaml:1:27: dkim_profiles.x.skew: ", "0s to 1d" },
		{ "forged_names: {x: {}}\n", "f.yaml:1:16: forged_names.x: ", "has no names" },
		{ "forged_names: {x: }\n", "f.yaml:1:16: forged_names.x: ", "has no names" },
		{ "forged_names: {x: {names: []}}\n",
		  "f.yaml:1:16: forged_names.x: ", "has no names" },
		{ "forged_names: {x: {names: [a]}}\n",
		  "f.yaml:1:28: forged_names.x.names: ", "a name of 2 to 512" },
		{ "forged_names: {x: {names: Ann}}\n",
		  "f.yaml:1:27: forged_names.x.names: ", "is a list" },
		{ "forged_names: {x: {names: [\"An\\n\"]}}\n",
		  "f.yaml:1:28: forged_names.x.names: ", "control characters" },
		{ "forged_names: {x: {names: [[Ann]]}}\n",
		  "f.yaml:1:28: forged_names.x.names: ", "not possible here" },
		{ "forged_names: {x: {names: [Ann], threshold: 0}}\n",
		  "f.yaml:1:45: forged_names.x.threshold: ", "from 1 to 100" },
		{ "forged_names: {x: {names: [Ann], threshold: 101}}\n",
		  "f.yaml:1:45: forged_names.x.threshold: ", "from 1 to 100" },
		{ "forged_names: {x: {names: [Ann], own: [a..b]}}\n",
		  "f.yaml:1:40: forged_names.x.own: ", "entry \"a..b\" is not possible" },
		{ "forged_names: {x: {preset: asyncos}}\n",
		  "f.yaml:1:20: forged_names.x: ", "allowed: names, threshold" },
		{ "address_lists: {x: {}}\n", "f.yaml:1:20: address_lists.x: ", "is no group" },
		{ "address_lists: {x: }\n", "f.yaml:1:20: address_lists.x: ", "or []" },
		{ "address_lists: {x: y}\n", "f.yaml:1:20: address_lists.x: ", "or []" },
		{ "address_lists: {x: [a, {b: c}]}\n",
		  "f.yaml:1:24: address_lists.x: ", "not possible here" },
		{ "address_lists: {x: [a, &b c]}\n", "f.yaml:1:24: address_lists.x: ", "anchors" },
		{ "address_lists: {x: [a, *b]}\n", "f.yaml:1:24: address_lists.x: ", "aliases" },
		{ "address_lists:\n  x:\n  - a.example\n  - 192.0.2.0/33\n",
		  "f.yaml:4:5: address_lists.x: ", "entry \"192.0.2.0/33\" is not possible" },
		{ "address_lists: {x: [a], x: [a]}\n",
		  "f.yaml:1:25: address_lists.x: ", "second time" },
		{ "arc_sealers: {x: [a.example, 192.0.2.1]}\n", "f.yaml:1:30: arc_sealers.x: ",
		  "entry \"192.0.2.1\" is not possible; allowed: a domain in A-labels "
		  "(example.com, "
		  "which stands for all below it too)" },
		{ "arc_sealers: {x: [a@b.example]}\n",
		  "f.yaml:1:19: arc_sealers.x: ", "a domain in" },
		{ "forged_names: {x: {names: [Ann], own: [a@b.example]}}\n",
		  "f.yaml:1:40: forged_names.x.own: ", "a domain in" },
		{ "arc_sealers: {x: [b\xc3\xbc.example]}\n",
		  "f.yaml:1:19: arc_sealers.x: ", "A-labels" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CU_ASSERT_EQUAL(parse(cases[i].text), -1);
		bool right = !strncmp(why, cases[i].place, strlen(cases[i].place)) &&
			     strstr(why, cases[i].word) && !strchr(why, '\n');
		if (!right)
			printf("\n%s gives: %s\n", cases[i].text, why);
		CU_ASSERT_TRUE(right);
		CU_ASSERT_PTR_EQUAL(cfg.profiles, profiles_default());
	}
}

/* Each row of each kind: what it does not allow is told with its name. */
static void h13_every_row(void)
{
	static const char *const wrong[] = { "{ a: b }", "\"\\x01\"", "[[1]]", "[ x, \"\\x01\" ]" };
	for (int k = 0; k <= KIND_NAMES; k++)
		for (unsigned i = 0; i < kind_info[k].n_row; i++)
			for (unsigned w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
				char text[256], name[128];
				const struct schema_row *row = &kind_info[k].row[i];
				snprintf(name, sizeof name, "%s.x.%s: ", kind_info[k].section,
					 row->name);
				snprintf(text, sizeof text, "%s:\n  x:\n    %s: %s\n",
					 kind_info[k].section, row->name, wrong[w]);
				CU_ASSERT_EQUAL(parse(text), -1);
				CU_ASSERT_PTR_NOT_NULL(strstr(why, name));
				CU_ASSERT_EQUAL(strncmp(why, "f.yaml:3:", 9), 0);
			}
}

static void h13_too_many(void)
{
	char *text = malloc(PROFILES_MAX * 16 + 64);
	for (int k = KIND_DKIM; k <= KIND_ADDRESSES; k += KIND_ADDRESSES) {
		int first = k == KIND_DKIM; /* there default is one of them */
		for (int more = 0; more < 2; more++) {
			int n = sprintf(text, "%s:\n", kind_info[k].section);
			for (int i = first; i < PROFILES_MAX + more; i++)
				n += sprintf(text + n, "  p%d: %s\n", i, k ? "[]" : "{}");
			CU_ASSERT_EQUAL(parse(text), -more);
			CU_ASSERT_TRUE(!more || strstr(why, "more than 1000"));
			config_fini(&cfg);
		}
	}
	free(text);
}

static void h13_a_million_entries(void)
{
	char *text = malloc((LIST_ENTRIES_MAX + 1) * 14 + 64);
	for (int more = 0; more < 2; more++) {
		int n = sprintf(text, "address_lists:\n  x:\n");
		for (int i = 0; i < LIST_ENTRIES_MAX + more; i++)
			n += sprintf(text + n, "  - h%06x.a\n", i);
		CU_ASSERT_EQUAL(parse(text), -more);
		if (more) {
			CU_ASSERT_PTR_NOT_NULL(
				strstr(why, "f.yaml:1000003:5: address_lists.x: more"));
		} else {
			const struct list *l = profiles_list(cfg.profiles, KIND_ADDRESSES, 0);
			CU_ASSERT_TRUE(list_has_domain(l, bytes_str("z.h0f423f.a")));
		}
		config_fini(&cfg);
	}
	free(text);
}

/* Cut at every octet: taken, or refused with one line. */
static void cut_everywhere(void)
{
	static const char text[] = "dmarc_profiles:\n  default:\n    tag: \"[bad]\"\n"
				   "    sealers: f\narc_sealers: {f: [a.example]}\n"
				   "forged_names: {b: {names: [\"Ann Lee\"], own: [a.example]}}\n";
	for (size_t n = 0; n < sizeof text; n++) {
		char part[sizeof text];
		memcpy(part, text, n);
		part[n] = 0;
		if (parse(part) < 0)
			CU_ASSERT_TRUE(strlen(why) > 10 && !strchr(why, '\n'));
		config_fini(&cfg);
	}
}

TEST_MAIN("profiles_read", TEST(each_kind), TEST(unset_is_built_in), TEST(nothing_in_them),
	  TEST(h13_wrong_sections), TEST(h13_every_row), TEST(h13_too_many),
	  TEST(h13_a_million_entries), TEST(cut_everywhere))
