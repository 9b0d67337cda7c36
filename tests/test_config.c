/* Every setting takes its default, its ends and nothing else; a wrong file is refused with place and cure. */
#include "base/profile.h"
#include "control/config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/value.h"
#include "tests/test.h"

static int parse(struct config *cfg, const char *text, char *why)
{
	config_default(cfg);
	why[0] = 0;
	return config_parse(cfg, bytes_str(text), "f.yaml", why, SCHEMA_WHY_MAX);
}

static void defaults(void)
{
	struct config cfg;
	char why[SCHEMA_WHY_MAX] = "";
	config_default(&cfg);
	CU_ASSERT_EQUAL(cfg.smtp_ports.n, 2);
	CU_ASSERT_EQUAL(cfg.smtp_ports.port[0], 25);
	CU_ASSERT_EQUAL(cfg.smtp_ports.port[1], 587);
	CU_ASSERT_EQUAL(cfg.pop3_ports.port[0], 110);
	CU_ASSERT_EQUAL(cfg.flow_max, 1048576);
	CU_ASSERT_EQUAL(cfg.message_size, 52428800);
	CU_ASSERT_EQUAL(cfg.flow_idle_s, 600);
	CU_ASSERT_EQUAL(cfg.hole_ms, 1000);
	CU_ASSERT_EQUAL(cfg.dns_query_timeout_ms, 10000);
	CU_ASSERT_EQUAL(cfg.dns_message_deadline_ms, 20000);
	CU_ASSERT_EQUAL(cfg.profiles->dkim[0].l, DKIM_L_PARTIAL);
	CU_ASSERT_TRUE(cfg.dkim && cfg.digest && !cfg.profiles->dkim[0].allow_sha1);
	CU_ASSERT_STRING_EQUAL(cfg.dns, "system");
	CU_ASSERT_STRING_EQUAL(cfg.socket, "/run/postern/control.sock");
	CU_ASSERT_EQUAL(config_check(&cfg, why, sizeof why), 0);
}

/* What a row prints it takes again, and the defaults survive the way through a file. */
static void rows_round_trip(void)
{
	for (unsigned i = 0; i < settings_n; i++) {
		const struct schema_row *row = &settings_rows[i];
		struct config a, b;
		char text[SCHEMA_VALUE_MAX], option[SCHEMA_OPTION_MAX], why[SCHEMA_WHY_MAX];
		config_default(&a);
		config_default(&b);
		schema_get(row, &a, text);
		schema_option(row, option);
		CU_ASSERT_PTR_EQUAL(settings_find(bytes_str(row->name)), row);
		CU_ASSERT_PTR_EQUAL(settings_find_option(bytes_str(option)), row);
		if (row->use != SCHEMA_SCAN)
			CU_ASSERT_EQUAL(
				schema_set(row, &b, bytes_str(text), false, why, sizeof why), 0);
		CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0);
		CU_ASSERT_TRUE(strlen(row->help) > 10);
	}
}

static bool ranged(const struct schema_row *row)
{
	return row->type == SCHEMA_NUMBER || row->type == SCHEMA_SIZE || row->type == SCHEMA_MS ||
	       row->type == SCHEMA_SECONDS;
}

static int set_ms(const struct schema_row *row, struct config *cfg, uint64_t v)
{
	char text[64], why[SCHEMA_WHY_MAX];
	const char *unit = row->type == SCHEMA_MS ? "ms" : row->type == SCHEMA_SECONDS ? "s" : "";
	snprintf(text, sizeof text, "%llu%s", (unsigned long long)v, unit);
	return schema_set(row, cfg, bytes_str(text), false, why, sizeof why);
}

static void h13_every_range(void)
{
	for (unsigned i = 0; i < settings_n; i++) {
		const struct schema_row *row = &settings_rows[i];
		struct config cfg, before;
		if (!ranged(row))
			continue;
		config_default(&cfg);
		CU_ASSERT_EQUAL(set_ms(row, &cfg, row->min), 0);
		CU_ASSERT_EQUAL(set_ms(row, &cfg, row->max), 0);
		before = cfg;
		CU_ASSERT_EQUAL(set_ms(row, &cfg, row->max + 1), -1);
		if (row->min)
			CU_ASSERT_EQUAL(set_ms(row, &cfg, row->min - 1), -1);
		CU_ASSERT_EQUAL(memcmp(&before, &cfg, sizeof cfg), 0);
	}
}

/* name: value as the file would have it */
static int set_in_file(const struct schema_row *row, const char *value, char *why)
{
	char text[1024];
	struct config cfg;
	const char *dot = strchr(row->name, '.');
	if (dot)
		snprintf(text, sizeof text, "%.*s:\n  %s: %s\n", (int)(dot - row->name), row->name,
			 dot + 1, value);
	else
		snprintf(text, sizeof text, "%s: %s\n", row->name, value);
	return parse(&cfg, text, why);
}

static void h13_every_wrong_type(void)
{
	static const char *const wrong[] = { "-1",    "1.5",   "{ a: b }",
					     "[ x ]", "\"\"",  "99999999999999999999",
					     "0x10",  "12 34", "[[1]]" };
	for (unsigned i = 0; i < settings_n; i++) {
		const struct schema_row *row = &settings_rows[i];
		bool text = row->type == SCHEMA_TEXT || row->type == SCHEMA_NAME ||
			    row->type == SCHEMA_ASCII;
		for (unsigned k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
			char why[SCHEMA_WHY_MAX];
			/* a path may be any scalar text, and a name most; some may be empty */
			if (row->type == SCHEMA_TENTHS && !strcmp(wrong[k], "1.5"))
				continue;
			if (text &&
			    (strchr("-109", wrong[k][0]) || (!row->min && wrong[k][0] == '"')))
				continue;
			CU_ASSERT_EQUAL(set_in_file(row, wrong[k], why), -1);
			CU_ASSERT_EQUAL(strncmp(why, "f.yaml:", 7), 0);
			if (row->use != SCHEMA_SCAN)
				CU_ASSERT_PTR_NOT_NULL(strstr(why, row->name));
			CU_ASSERT_PTR_NOT_NULL(strstr(why, "allowed"));
		}
	}
}

/* The name in our header fields: as it is set, of the host where it is not, and fit for a header. */
static void f13_authserv_id(void)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = { { "authserv_id: mx.example.org\n", true },
		     { "headers:\n  style: asyncos\n", true },
		     { "authserv_id: \"a\\r\\nBcc: x\"\n", false },
		     { "headers:\n  style: other\n", false } };
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config cfg;
		char why[SCHEMA_WHY_MAX], host[CONFIG_NAME_MAX] = "";
		struct config_source src = { .file = "f.yaml", .text = bytes_str(rows[i].text) };
		CU_ASSERT_EQUAL(config_build(&cfg, &src, why, sizeof why), rows[i].ok ? 0 : -1);
		if (!rows[i].ok)
			continue;
		gethostname(host, sizeof host - 1);
		CU_ASSERT_STRING_EQUAL(cfg.authserv_id, i == 0  ? "mx.example.org"
							: *host ? host
								: "localhost");
		CU_ASSERT_EQUAL(cfg.header_style, i == 0 ? STYLE_RFC8601 : STYLE_ASYNCOS);
		config_fini(&cfg);
	}
}

static void good_files(void)
{
	struct config cfg;
	char why[SCHEMA_WHY_MAX];
	CU_ASSERT_EQUAL(parse(&cfg, "", why), 0);
	CU_ASSERT_EQUAL(parse(&cfg, "# nothing\n---\n", why), 0);
	CU_ASSERT_EQUAL(parse(&cfg, "limits:\n", why), 0);
	CU_ASSERT_EQUAL(
		parse(&cfg,
		      "smtp_ports: [25, 2525]\npop3_ports: 995\nchecksum: never\n"
		      "limits:\n  message_size: 10MiB\n  hole_time: 1500ms\n  flow_idle: 60\n"
		      "dns: {source: \"zone:/a b.zone\", query_timeout: 2s}\n"
		      "dkim:\n  verify: false\n  profile: strict\n"
		      "dkim_profiles:\n  strict:\n    min_bits: 2048\n    l: honour\n"
		      "output: /tmp/x.json\n",
		      why),
		0);
	CU_ASSERT_EQUAL(cfg.smtp_ports.n, 2);
	CU_ASSERT_EQUAL(cfg.smtp_ports.port[1], 2525);
	CU_ASSERT_EQUAL(cfg.pop3_ports.port[0], 995);
	CU_ASSERT_EQUAL(cfg.checksum, CHECKSUM_NEVER);
	CU_ASSERT_EQUAL(cfg.message_size, 10 << 20);
	CU_ASSERT_EQUAL(cfg.hole_ms, 1500);
	CU_ASSERT_EQUAL(cfg.flow_idle_s, 60);
	CU_ASSERT_STRING_EQUAL(cfg.dns, "zone:/a b.zone");
	CU_ASSERT_EQUAL(cfg.dns_query_timeout_ms, 2000);
	CU_ASSERT_FALSE(cfg.dkim);
	CU_ASSERT_EQUAL(profiles_dkim(cfg.profiles, "strict")->min_bits, 2048);
	CU_ASSERT_EQUAL(profiles_dkim(cfg.profiles, "default")->min_bits, 1024);
	config_fini(&cfg);
	CU_ASSERT_STRING_EQUAL(cfg.output, "/tmp/x.json");
	CU_ASSERT_EQUAL(parse(&cfg, "smtp_ports: []\n", why), 0);
	CU_ASSERT_EQUAL(cfg.smtp_ports.n, 0);
}

static void h13_wrong_files(void)
{
	static const struct {
		const char *text, *place, *word;
	} cases[] = {
		{ "colour: red\n", "f.yaml:1:1: colour: ", "allowed: smtp_ports, pop3_ports" },
		{ "dkim:\n  verfy: 5\n", "f.yaml:2:3: dkim.verfy: ", "verify" },
		{ "dkim:\n  min_bits: 5\n",
		  "f.yaml:2:3: dkim.min_bits: ", "write it under dkim_profiles" },
		{ "spf:\n  helo_fail: reject\n",
		  "f.yaml:2:3: spf.helo_fail: ", "spf_profiles: {default: {helo_fail: ...}}" },
		{ "dkim.verify: true\n", "f.yaml:1:1: dkim.verify: ", "no such setting" },
		{ "now: 5\n", "f.yaml:1:1: now: ", "no such setting" },
		{ "checksum: auto\nchecksum: auto\n", "f.yaml:2:1: checksum: ", "second time" },
		{ "dkim:\n  verify: true\n  verify: true\n",
		  "f.yaml:3:3: dkim.verify: ", "second time" },
		{ "dkim:\n  verify: true\ndns:\ndkim:\n", "f.yaml:4:1: dkim: ", "second time" },
		{ "checksum: perhaps\n", "f.yaml:1:11: checksum: ", "auto, always or never" },
		{ "limits:\n  flow_max: \"1024\"\n", "f.yaml:2:13: limits.flow_max: ", "quoted" },
		{ "dkim: 5\n", "f.yaml:1:7: dkim: ", "is a group" },
		{ "dkim: [5]\n", "f.yaml:1:7: dkim: ", "name: value" },
		{ "dkim:\n  verify: yes\n", "f.yaml:2:11: dkim.verify: ", "true or false" },
		{ "smtp_ports: [25, 25]\n", "f.yaml:1:18: smtp_ports: ", "item 2" },
		{ "smtp_ports: [25, 65536]\n", "f.yaml:1:18: smtp_ports: ", "1 to 65535" },
		{ "smtp_ports: [25, \"26\"]\n", "f.yaml:1:18: smtp_ports: ", "item 2" },
		{ "smtp_ports: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]\n", "f.yaml:1:", "16" },
		{ "smtp_ports: [[25]]\n", "f.yaml:1:", "allowed" },
		{ "smtp_ports: [{a: b}]\n", "f.yaml:1:", "allowed" },
		{ "smtp_ports:\n", "f.yaml:1:12: smtp_ports: ", "no value" },
		{ "output:\n", "f.yaml:1:8: output: ", "allowed" },
		{ "output: ~\n", "f.yaml:1:9: output: ", "no value" },
		{ "dns: {source: example.com}\n", "f.yaml:1:15: dns.source: ", "zone:FILE" },
		{ "dns: {source: \"192.0.2.1@0\"}\n", "f.yaml:1:15: dns.source: ", "IP[@PORT]" },
		{ "limits: {hole_time: 5 s}\n", "f.yaml:1:21: limits.hole_time: ", "0s to 1m" },
		{ "limits: {flow_idle: 1500ms}\n", "f.yaml:1:21: ", "whole seconds" },
		{ "checksum: &a auto\n", "f.yaml:1:11: checksum: ", "anchors" },
		{ "dkim: &a\n  verify: true\n", "f.yaml:1:7: dkim: ", "anchors" },
		{ "smtp_ports: &a [25]\n", "f.yaml:1:13: smtp_ports: ", "anchors" },
		{ "checksum: *a\n", "f.yaml:1:11: checksum: ", "aliases" },
		{ "checksum: !!str auto\n", "f.yaml:1:11: checksum: ", "tags" },
		{ "[1, 2]\n", "f.yaml:1:1: ", "name: value" },
		{ "hello\n", "f.yaml:1:1: ", "name: value" },
		{ "checksum: auto\n---\nchecksum: auto\n", "f.yaml:2:1: ", "second document" },
		{ "checksum: {\n", "f.yaml:1:11: checksum: ", "group is not possible" },
		{ "checksum: \"auto\n", "f.yaml:", "not YAML" },
		{ "checksum:\tauto\n\t- x\n", "f.yaml:", "not YAML" },
		{ "\xff\xfe\xfd", "f.yaml:", "not YAML" },
		{ "checksum: \xc3\x28\n", "f.yaml:", "not YAML" },
		{ "? {a: b}\n: c\n", "f.yaml:1:3: ", "name is wanted" },
		{ "\"\": c\n", "f.yaml:1:1: ", "no such setting" },
		{ "limits: {limits: {flow_max: 100}}\n", "f.yaml:1:10: ", "no such setting" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct config cfg;
		char why[SCHEMA_WHY_MAX];
		CU_ASSERT_EQUAL(parse(&cfg, cases[i].text, why), -1);
		bool right = !strncmp(why, cases[i].place, strlen(cases[i].place)) &&
			     strstr(why, cases[i].word) && !strchr(why, '\n');
		if (!right)
			printf("\n%s gives: %s\n", cases[i].text, why);
		CU_ASSERT_TRUE(right);
	}
}

static void h13_alias_bomb(void)
{
	char text[4096];
	int n = snprintf(text, sizeof text, "a: &a [x,x,x,x,x,x,x,x,x]\n");
	for (char c = 'b'; c < 'k'; c++)
		n += snprintf(text + n, sizeof text - (size_t)n,
			      "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1, c - 1, c - 1,
			      c - 1, c - 1, c - 1);
	struct config cfg;
	char why[SCHEMA_WHY_MAX];
	CU_ASSERT_EQUAL(parse(&cfg, text, why), -1);
	CU_ASSERT_EQUAL(parse(&cfg, text + strlen("a: "), why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "anchors"));
}

static int load_of(size_t octets, char *why)
{
	char path[] = "/tmp/test_config.XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	for (size_t i = 0; f && i < octets; i++)
		fputc(i % 80 ? '#' : '\n', f);
	CU_ASSERT_EQUAL(fclose(f), 0);
	struct config cfg;
	config_default(&cfg);
	int ret = config_load(&cfg, path, why, SCHEMA_WHY_MAX);
	unlink(path);
	return ret;
}

static void h13_file_of_10_mb(void)
{
	char why[SCHEMA_WHY_MAX] = "";
	CU_ASSERT_EQUAL(load_of(CONFIG_FILE_MAX + 1, why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "over 67108864 octets"));
	CU_ASSERT_EQUAL(load_of(10000000, why), 0);
	CU_ASSERT_EQUAL(load_of(0, why), 0);
}

static void h13_deep_and_long(void)
{
	enum { N = 500000 };
	char *text = malloc(N + 32), why[SCHEMA_WHY_MAX];
	struct config cfg;
	memset(text, '[', N);
	text[N] = 0;
	CU_ASSERT_EQUAL(parse(&cfg, text, why), -1);
	memset(text, 'k', N);
	strcpy(text + N, ": 1\n");
	CU_ASSERT_EQUAL(parse(&cfg, text, why), -1);
	memcpy(text, "output: ", 8);
	CU_ASSERT_EQUAL(parse(&cfg, text, why), -1);
	text[N] = 0;
	CU_ASSERT_EQUAL(parse(&cfg, text, why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "text of 1 to 255"));
	free(text);
}

/* What is on where nobody set anything: every check, and what DMARC leaves out; nobody is on the lists. */
static void d1_d2_d14_to_d16_defaults(void)
{
	struct config cfg;
	char why[SCHEMA_WHY_MAX] = "";
	CU_ASSERT_EQUAL_FATAL(parse(&cfg, "{}\n", why), 0);
	CU_ASSERT_EQUAL_FATAL(config_check(&cfg, why, sizeof why), 0);
	CU_ASSERT_TRUE(cfg.spf && cfg.dkim && cfg.arc && cfg.dmarc && cfg.names);
	CU_ASSERT_TRUE(cfg.profiles->dmarc[0].bypass_authenticated);
	CU_ASSERT_STRING_EQUAL(cfg.profiles->dmarc[0].bypass_clients, "");
	CU_ASSERT_STRING_EQUAL(cfg.profiles->dmarc[0].bypass_servers, "");
	CU_ASSERT_STRING_EQUAL(cfg.profiles->dmarc[0].sealers, "");
}

/* DMARC judges what SPF and DKIM found; with both off it would fail all mail. */
static void g22_dmarc_needs_spf_or_dkim(void)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "spf: {verify: false}\n", true },
		{ "dkim: {verify: false}\n", true },
		{ "spf: {verify: false}\ndkim: {verify: false}\n", false },
		{ "spf: {verify: false}\ndkim: {verify: false}\ndmarc: {verify: false}\n", true },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config cfg;
		char why[SCHEMA_WHY_MAX] = "";
		CU_ASSERT_EQUAL(parse(&cfg, rows[i].text, why), 0);
		CU_ASSERT_EQUAL(config_check(&cfg, why, sizeof why), rows[i].good ? 0 : -1);
		CU_ASSERT(rows[i].good || strstr(why, "dmarc.verify"));
	}
}

static void rules_between(void)
{
	static const char *const wrong[] = {
		"smtp_ports: []\npop3_ports: []\n", "smtp_ports: [25, 110]\n",
		"dkim: {profile: other}\n",         "spf: {profile: other}\n",
		"dmarc: {profile: other}\n",        "limits: {held_flow: 256MiB, held: 128MiB}\n",
		"limits: {message_size: 300MiB}\n", "dns: {query_timeout: 30s}\n",
	};
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct config cfg;
		char why[SCHEMA_WHY_MAX];
		CU_ASSERT_EQUAL(parse(&cfg, wrong[i], why), 0);
		CU_ASSERT_EQUAL(config_check(&cfg, why, sizeof why), -1);
		CU_ASSERT_TRUE(strlen(why) > 20);
	}
}

static void options_over_file(void)
{
	char path[] = "/tmp/test_config.XXXXXX", why[SCHEMA_WHY_MAX] = "";
	int fd = mkstemp(path);
	static const char text[] = "limits: {flow_max: 100, fragment_max: 100, hole_time: 2s}\n"
				   "dns: {query_timeout: 5s}\n";
	CU_ASSERT_EQUAL(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
	close(fd);
	struct config cfg;
	struct config_source src = { .file = path, .n = 1 };
	src.option[0] =
		(struct config_option){ settings_find_option(bytes_str("limits-flow-max")), "200" };
	CU_ASSERT_EQUAL(config_build(&cfg, &src, why, sizeof why), 0);
	CU_ASSERT_EQUAL(cfg.flow_max, 200);
	CU_ASSERT_EQUAL(cfg.fragment_max, 100);
	config_fini(&cfg);
	src.option[0] =
		(struct config_option){ settings_find_option(bytes_str("dns-query-timeout")),
					"60s" };
	CU_ASSERT_EQUAL(config_build(&cfg, &src, why, sizeof why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, path));
	src.option[0].value = "x";
	CU_ASSERT_EQUAL(config_build(&cfg, &src, why, sizeof why), -1);
	CU_ASSERT_EQUAL(strncmp(why, "--dns-query-timeout: ", 21), 0);
	unlink(path);
	src.n = 0;
	CU_ASSERT_EQUAL(config_build(&cfg, &src, why, sizeof why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "No such file"));
	src.file_optional = true;
	CU_ASSERT_EQUAL(config_build(&cfg, &src, why, sizeof why), 0);
	config_fini(&cfg);
}

/* Whatever their order, they change the profile in force, and no other. */
static void options_of_profiles(void)
{
	char why[SCHEMA_WHY_MAX] = "";
	struct config cfg;
	static const char text[] = "dkim_profiles: {strict: {min_bits: 2048}}\n";
	struct config_source src = { .file = "f.yaml", .text = bytes_str(text), .n = 3 };
	src.option[0] =
		(struct config_option){ kind_find_option(bytes_str("dkim-max-bits")), "8192" };
	src.option[1] =
		(struct config_option){ settings_find_option(bytes_str("dkim-profile")), "strict" };
	src.option[2] = (struct config_option){ kind_find_option(bytes_str("spf-level")), "sidf" };
	CU_ASSERT_EQUAL(config_build(&cfg, &src, why, sizeof why), 0);
	CU_ASSERT_EQUAL(profiles_dkim(cfg.profiles, "strict")->max_bits, 8192);
	CU_ASSERT_EQUAL(profiles_dkim(cfg.profiles, "strict")->min_bits, 2048);
	CU_ASSERT_EQUAL(profiles_dkim(cfg.profiles, "default")->max_bits, 4096);
	CU_ASSERT_EQUAL(profiles_spf(cfg.profiles, "default")->level, SPF_LEVEL_SIDF);
	config_fini(&cfg);
	/* nor does it change the built-in defaults */
	src.text = (struct bytes){ NULL, 0 };
	src.file = NULL;
	src.option[1].value = "default";
	CU_ASSERT_EQUAL(config_build(&cfg, &src, why, sizeof why), 0);
	CU_ASSERT_EQUAL(profiles_dkim(cfg.profiles, "default")->max_bits, 8192);
	CU_ASSERT_EQUAL(profiles_dkim(profiles_default(), "default")->max_bits, 4096);
	config_fini(&cfg);
	src.option[0].value = "512";
	CU_ASSERT_EQUAL(config_build(&cfg, &src, why, sizeof why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "min_bits is over max_bits"));
	src.option[0].value = "x";
	CU_ASSERT_EQUAL(config_build(&cfg, &src, why, sizeof why), -1);
	CU_ASSERT_EQUAL(strncmp(why, "--dkim-max-bits: ", 17), 0);
}

static void reload_keeps(void)
{
	struct config now, next;
	char names[256];
	config_default(&now);
	next = now;
	config_keep_restart(&next, &now, names, sizeof names);
	CU_ASSERT_STRING_EQUAL(names, "");
	next.flow_max = 100;
	next.message_max = 100;
	next.message_size = 2048;
	config_keep_restart(&next, &now, names, sizeof names);
	CU_ASSERT_STRING_EQUAL(names, "limits.flow_max, limits.message_max");
	CU_ASSERT_EQUAL(next.flow_max, now.flow_max);
	CU_ASSERT_EQUAL(next.message_size, 2048);
}

static void times(void)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{ "0", 0 },
		{ "1700000000", 1700000000000000000u },
		{ "1700000000.25", 1700000000250000000u },
		{ "2023-11-14T22:13:20Z", 1700000000000000000u },
		{ "2023-11-14 22:13:20.5z", 1700000000500000000u },
		{ "2023-11-14t22:13:20z", 1700000000000000000u },
		{ "2023-11-14T23:43:20+01:30", 1700000000000000000u },
		{ "2023-11-14T17:13:20-05:00", 1700000000000000000u },
		{ "2016-12-31T23:59:60Z", 1483228800000000000u },
		{ "2024-02-29T00:00:00Z", 1709164800000000000u },
	};
	static const char *const bad[] = { "",
					   "-1",
					   "x",
					   "1.",
					   "2023-11-14",
					   "2023-02-29T00:00:00Z",
					   "2023-11-14T22:13:20",
					   "2023-11-14T24:00:00Z",
					   "2023-11-14T22:13:20+24:00",
					   "99999999999999999999",
					   "2023-11-14T22:13:20Z ",
					   "1969-12-31T23:59:59Z" };
	uint64_t ns;
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
		CU_ASSERT_TRUE(value_time(bytes_str(good[i].text), &ns));
		CU_ASSERT_EQUAL(ns, good[i].ns);
	}
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(value_time(bytes_str(bad[i]), &ns));
}

static void dns_forms(void)
{
	static const char *const good[] = { "none",           "system",
					    "zone:x",         "192.0.2.1",
					    "::1@53",         "192.0.2.1@5353,2001:db8::1",
					    "127.0.0.1@65535" };
	static const char *const bad[] = { "",           "zone:",      "192.0.2.1,",
					   ",192.0.2.1", "192.0.2.1@", "192.0.2.1@65536",
					   "a.example",  "192.0.2",    "None" };
	for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++)
		CU_ASSERT_TRUE(value_dns(bytes_str(good[i])));
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CU_ASSERT_FALSE(value_dns(bytes_str(bad[i])));
}

static void as_json(void)
{
	struct config cfg;
	config_default(&cfg);
	cfg.score_reject = 26; /* as 2.6, not the nearest a machine has */
	char *text = config_json(&cfg);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	json_t *top = json_loads(text, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(top);
	CU_ASSERT_EQUAL(json_integer_value(json_array_get(json_object_get(top, "smtp_ports"), 1)),
			587);
	json_t *dkim = json_object_get(top, "dkim");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(dkim, "profile")), "default");
	CU_ASSERT_TRUE(json_is_true(json_object_get(dkim, "verify")));
	json_t *limits = json_object_get(top, "limits");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(limits, "message_size")), "50MiB");
	/* what `ctl config` prints is a settings file */
	char why[SCHEMA_WHY_MAX] = "";
	struct config again;
	config_default(&again);
	CU_ASSERT_EQUAL(config_parse(&again, bytes_str(text), "json", why, sizeof why), 0);
	CU_ASSERT_EQUAL(memcmp(&again, &cfg, sizeof cfg), 0);
	json_decref(top);
	free(text);
}

TEST_MAIN("config", TEST(defaults), TEST(rows_round_trip), TEST(h13_every_range),
	  TEST(h13_every_wrong_type), TEST(f13_authserv_id), TEST(good_files),
	  TEST(h13_wrong_files), TEST(h13_alias_bomb), TEST(h13_file_of_10_mb),
	  TEST(h13_deep_and_long), TEST(rules_between), TEST(d1_d2_d14_to_d16_defaults),
	  TEST(g22_dmarc_needs_spf_or_dkim), TEST(options_over_file), TEST(options_of_profiles),
	  TEST(reload_keeps), TEST(times), TEST(dns_forms), TEST(as_json))
