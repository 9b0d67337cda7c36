/* A change is made whole and right, or nothing is touched. */
#include "control/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/profiles_write.h"
#include "tests/test.h"

static char path[] = "/tmp/test_edit.XXXXXX", why[SCHEMA_WHY_MAX];
static struct config_source source;

static void begin(const char *text)
{
	strcpy(path, "/tmp/test_edit.XXXXXX");
	int fd = mkstemp(path);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	source = (struct config_source){ .file = path };
}

static bool holds(const char *text)
{
	struct bytes b = test_file(path);
	bool same = bytes_equal(b, bytes_str(text));
	if (!same)
		printf("\nthe file has: %.*s\n", (int)b.n, (const char *)b.p);
	free((void *)b.p);
	return same;
}

/* Made and written. */
static int change(enum kind kind, enum edit_what what, const char *text, uint32_t n[2])
{
	struct edit e = { &source, kind, what, bytes_str(text) };
	struct edit_result r;
	why[0] = 0;
	if (edit_make(&e, &r, why, sizeof why) < 0)
		return -1;
	n[0] = r.n_before;
	n[1] = r.n_after;
	int ret = edit_write(&e, &r, why, sizeof why);
	edit_free(&r);
	return ret;
}

static char *exported(enum kind kind)
{
	struct config cfg;
	char *text = NULL;
	size_t n;
	CU_ASSERT_EQUAL(config_build(&cfg, &source, why, sizeof why), 0);
	FILE *out = open_memstream(&text, &n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	profiles_write(out, cfg.profiles, kind, 0);
	fclose(out);
	config_fini(&cfg);
	return text;
}

static const char all[] =
	"# settings of box 3\n"
	"digest: true # slow\n"
	"dkim_profiles:\n  default: {min_bits: 2048}\n  old: {preset: asyncos}\n"
	"dmarc_profiles:\n  default:\n    bypass_senders: partners\n    sealers: forwarders\n"
	"spf_profiles: {strict: {mailfrom_fail: reject}}\n"
	"forged_names: {board: {names: [Olivia Smith], own: [example.com]}}\n"
	"arc_sealers: {forwarders: [lists.example]}\n"
	"address_lists:\n  partners: [192.0.2.0/24, a.example]\n"
	"dns: # the last\n  source: none\n";

/* Export, import, export: the same, for each kind, and the rest of the file stays. */
static void c61_c108_round_trip(void)
{
	begin(all);
	for (int k = 0; k < KIND_N; k++) {
		uint32_t n[2];
		char *before = exported((enum kind)k);
		CU_ASSERT_EQUAL(change((enum kind)k, EDIT_IMPORT, before, n), 0);
		CU_ASSERT_EQUAL(n[0], n[1]);
		char *after = exported((enum kind)k);
		CU_ASSERT_STRING_EQUAL(before, after);
		free(before);
		free(after);
	}
	struct bytes b = test_file(path);
	CU_ASSERT_EQUAL(
		strncmp((const char *)b.p, "# settings of box 3\ndigest: true # slow\n", 40), 0);
	CU_ASSERT_TRUE(bytes_equal(bytes_from(b, b.n - 31),
				   bytes_str("dns: # the last\n  source: none\n")));
	free((void *)b.p);
	unlink(path);
}

static void c61_import_replaces_all(void)
{
	uint32_t n[2];
	begin(all);
	CU_ASSERT_EQUAL(change(KIND_DKIM, EDIT_IMPORT,
			       "dkim_profiles:\n  a: {skew: 2m}\n  b: {}\n  c: {}\n", n),
			0);
	CU_ASSERT_EQUAL(n[0], 2);
	CU_ASSERT_EQUAL(n[1], 4); /* default is always there */
	struct config cfg;
	CU_ASSERT_EQUAL(config_build(&cfg, &source, why, sizeof why), 0);
	CU_ASSERT_EQUAL(profiles_dkim(cfg.profiles, "default")->min_bits, 1024);
	CU_ASSERT_EQUAL(profiles_dkim(cfg.profiles, "a")->skew_s, 120);
	CU_ASSERT_PTR_NULL(profiles_dkim(cfg.profiles, "old"));
	CU_ASSERT_PTR_NOT_NULL(profiles_spf(cfg.profiles, "strict"));
	config_fini(&cfg);
	unlink(path);
}

static void c61_delete_and_clear(void)
{
	uint32_t n[2];
	begin("arc_sealers:\n  a: [a.example]\n  b: [b.example]\ndigest: true\n");
	CU_ASSERT_EQUAL(change(KIND_SEALERS, EDIT_DELETE, "a", n), 0);
	CU_ASSERT_EQUAL(n[0], 2);
	CU_ASSERT_EQUAL(n[1], 1);
	CU_ASSERT_TRUE(holds("arc_sealers:\n  b:\n    - b.example\ndigest: true\n"));
	CU_ASSERT_EQUAL(change(KIND_SEALERS, EDIT_CLEAR, "", n), 0);
	CU_ASSERT_EQUAL(n[0], 1);
	CU_ASSERT_EQUAL(n[1], 0);
	CU_ASSERT_TRUE(holds("arc_sealers: {}\ndigest: true\n"));
	CU_ASSERT_EQUAL(change(KIND_SPF, EDIT_CLEAR, "", n), 0);
	CU_ASSERT_EQUAL(n[1], 1);
	unlink(path);
}

static void c108_all_or_nothing(void)
{
	static const struct {
		enum kind kind;
		enum edit_what what;
		const char *text, *want;
	} rows[] = {
		{ KIND_SPF, EDIT_IMPORT, "spf_profiles: {a: {level: 5}}\n",
		  "the text to import:1:27: spf_profiles.a.level" },
		{ KIND_SPF, EDIT_IMPORT, "dkim_profiles: {}\n", "one section is wanted" },
		{ KIND_SPF, EDIT_IMPORT, "spf_profiles: {default: {relays: none}}\n",
		  "no address list \"none\"" },
		{ KIND_SPF, EDIT_DELETE, "other", "there is no SPF profile \"other\"" },
		{ KIND_SPF, EDIT_DELETE, "default", "is always there" },
		/* others need what would go */
		{ KIND_ADDRESSES, EDIT_DELETE, "partners", "no address list \"partners\"" },
		{ KIND_ADDRESSES, EDIT_CLEAR, "", "no address list \"partners\"" },
		{ KIND_SEALERS, EDIT_IMPORT, "arc_sealers: {other: []}\n",
		  "no list of ARC sealers \"forwarders\"" },
	};
	begin(all);
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint32_t n[2];
		CU_ASSERT_EQUAL(change(rows[i].kind, rows[i].what, rows[i].text, n), -1);
		if (!strstr(why, rows[i].want))
			printf("\nrow %u: %s\n", i, why);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, rows[i].want));
		CU_ASSERT_TRUE(holds(all));
	}
	/* a profile in force by an option */
	source.n = 1;
	source.option[0] =
		(struct config_option){ settings_find_option(bytes_str("spf-profile")), "strict" };
	uint32_t n[2];
	CU_ASSERT_EQUAL(change(KIND_SPF, EDIT_DELETE, "strict", n), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "spf.profile: there is no SPF profile \"strict\""));
	CU_ASSERT_TRUE(holds(all));
	unlink(path);
	/* a file that is wrong already */
	begin("digest: maybe\n");
	CU_ASSERT_EQUAL(change(KIND_SPF, EDIT_CLEAR, "", n), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, ":1:9: digest"));
	unlink(path);
}

/* What an option changes in the profile in force does not get into the file. */
static void options_stay_out(void)
{
	uint32_t n[2];
	begin("spf_profiles:\n  strict: {}\n  loose: {}\n");
	source.n = 1;
	source.option[0] =
		(struct config_option){ kind_find_option(bytes_str("spf-void-max")), "9" };
	CU_ASSERT_EQUAL(change(KIND_SPF, EDIT_DELETE, "loose", n), 0);
	struct bytes b = test_file(path);
	CU_ASSERT_PTR_NULL(memmem(b.p, b.n, "void_max: 9", 11));
	CU_ASSERT_PTR_NOT_NULL(memmem(b.p, b.n, "void_max: 2", 11));
	free((void *)b.p);
	unlink(path);
}

static void no_file_yet(void)
{
	uint32_t n[2];
	begin("");
	unlink(path);
	struct edit e = { &source, KIND_SEALERS, EDIT_IMPORT,
			  bytes_str("arc_sealers: {a: [a.example]}\n") };
	struct edit_result r;
	CU_ASSERT_EQUAL_FATAL(edit_make(&e, &r, why, sizeof why), 0);
	CU_ASSERT_FALSE(r.existed);
	CU_ASSERT_EQUAL(edit_write(&e, &r, why, sizeof why), 0);
	CU_ASSERT_TRUE(holds("arc_sealers:\n  a:\n    - a.example\n"));
	CU_ASSERT_EQUAL(edit_undo(&e, &r, why, sizeof why), 0);
	CU_ASSERT_EQUAL(access(path, F_OK), -1);
	edit_free(&r);
	source.file = NULL;
	CU_ASSERT_EQUAL(change(KIND_SPF, EDIT_CLEAR, "", n), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "start it with --config"));
	/* back to what it was */
	begin("digest: true\n");
	CU_ASSERT_EQUAL_FATAL(edit_make(&e, &r, why, sizeof why), 0);
	CU_ASSERT_EQUAL(edit_write(&e, &r, why, sizeof why), 0);
	CU_ASSERT_TRUE(holds("digest: true\narc_sealers:\n  a:\n    - a.example\n"));
	CU_ASSERT_EQUAL(edit_undo(&e, &r, why, sizeof why), 0);
	CU_ASSERT_TRUE(holds("digest: true\n"));
	edit_free(&r);
	unlink(path);
}

TEST_MAIN("edit", TEST(c61_c108_round_trip), TEST(c61_import_replaces_all),
	  TEST(c61_delete_and_clear), TEST(c108_all_or_nothing), TEST(options_stay_out),
	  TEST(no_file_yet))
