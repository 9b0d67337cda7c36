/* Every request, however broken, gets one line of valid JSON that is right or says what is wrong. */
#include "control/commands.h"
#include "tests/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "control/config.h"

static struct stats block;
static const struct stats_worker worker[] = { { "receive", 0, &block } };
static unsigned reloads, stops;
static const char *reload_note;
static int reload_result;

static int reload(void *run, char *note, size_t note_len)
{
	CU_ASSERT_PTR_EQUAL(run, &block);
	snprintf(note, note_len, "%s", reload_note);
	reloads++;
	return reload_result;
}

static void stop(void *run)
{
	CU_ASSERT_PTR_EQUAL(run, &block);
	stops++;
}

static struct config cfg;
static struct command_context ctx = {
	.cfg = &cfg,
	.stats = { .worker = worker, .n_worker = 1 },
	.run = &block,
	.reload = reload,
	.stop = stop,
};
static char buf[COMMANDS_REPLY_MAX];

/* Gives the reply read back; checks that it has the two members it must have, in one line. */
static json_t *ask(const void *request, size_t n)
{
	uint8_t *guarded = test_guard(request, n);
	struct bytes reply = commands_answer(&ctx, bytes_of(guarded, n), buf, sizeof buf);
	test_guard_free(guarded, n);
	CU_ASSERT_FATAL(reply.n > 0);
	CU_ASSERT_PTR_NULL(memchr(reply.p, '\n', reply.n));
	json_t *top = json_loadb((const char *)reply.p, reply.n, JSON_REJECT_DUPLICATES, NULL);
	CU_ASSERT_FATAL(top != NULL);
	bool ok = json_is_true(json_object_get(top, "ok"));
	CU_ASSERT_EQUAL(json_object_size(top), 2);
	CU_ASSERT(json_is_boolean(json_object_get(top, "ok")));
	CU_ASSERT(ok ? json_is_object(json_object_get(top, "result"))
		     : json_is_string(json_object_get(top, "error")));
	return top;
}

static json_t *result(const char *command)
{
	char request[64];
	snprintf(request, sizeof request, "{\"command\":\"%s\"}", command);
	json_t *top = ask(request, strlen(request));
	json_t *r = json_incref(json_object_get(top, "result"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	json_decref(top);
	return r;
}

static void each_command(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ctx.stats.started_ns = ((uint64_t)now.tv_sec - 100) * 1000000000;
	config_default(&cfg);
	cfg.flow_max = 12345;
	stats_set(&block, STAT_FRAMES, 99);
	json_t *r = result("ping");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(r, "pid")), getpid());
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(r, "version")), POSTERN_VERSION);
	CU_ASSERT(json_integer_value(json_object_get(r, "uptime_s")) >= 100);
	json_decref(r);
	r = result("stats");
	json_t *capture = json_object_get(json_object_get(r, "totals"), "capture");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(capture, "frames")), 99);
	json_decref(r);
	r = result("config");
	json_t *limits = json_object_get(r, "limits");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(limits, "flow_max")), 12345);
	json_decref(r);
	r = result("help");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(r, "commands")), commands_n);
	json_decref(r);
	stops = 0;
	r = result("stop");
	CU_ASSERT(json_is_true(json_object_get(r, "stopping")));
	CU_ASSERT_EQUAL(stops, 1);
	json_decref(r);
}

static void reload_tells_what_came_of_it(void)
{
	static const char request[] = "{\"command\":\"reload\"}";
	reload_note = "";
	reload_result = 0;
	reloads = 0;
	json_t *r = result("reload");
	CU_ASSERT(json_is_true(json_object_get(r, "reloaded")));
	CU_ASSERT_EQUAL(json_array_size(json_object_get(r, "needs_restart")), 0);
	json_decref(r);
	reload_note = "ports, limits.flow_max";
	r = result("reload");
	json_t *list = json_object_get(r, "needs_restart");
	CU_ASSERT_EQUAL(json_array_size(list), 2);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(list, 0)), "ports");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(list, 1)), "limits.flow_max");
	json_decref(r);
	reload_note = "postern.yaml:3:1: unknown key \"\xff\"";
	reload_result = -1;
	json_t *top = ask(request, sizeof request - 1);
	CU_ASSERT(json_is_false(json_object_get(top, "ok")));
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(top, "error")),
			       "postern.yaml:3:1: unknown key \"\xc3\xbf\"");
	json_decref(top);
	CU_ASSERT_EQUAL(reloads, 3);
}

/* Every row is refused, with these words in the error. */
static void h12_broken_requests_are_refused(void)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
	} rows[] = {
		{ "", 0, "not a JSON object" },
		{ " ", 1, "not a JSON object" },
		{ "ping", 4, "not a JSON object" },
		{ "\"ping\"", 6, "not a JSON object" },
		{ "{\"command\":\"ping\"", 17, "not a JSON object" },
		{ "{\"command\":\"ping\"}{", 19, "not a JSON object" },
		{ "{\"command\":\"ping\"} x", 20, "not a JSON object" },
		{ "{\"command\":\"ping\",\"command\":\"stop\"}", 35, "not a JSON object" },
		{ "{\"command\":\"\xff\"}", 15, "not a JSON object" },
		{ "{\"command\":\"\xed\xa0\x80\"}", 17, "not a JSON object" },
		{ "{\"command\":\"p\0\"}", 16, "not a JSON object" },
		{ "{\"command\":\"ping\\u0000\"}", 24, "not a JSON object" },
		{ "\0\0\0", 3, "not a JSON object" },
		{ "[]", 2, "{\"command\":NAME}" },
		{ "{}", 2,
		  "ping, stats, config, reload, profiles, export, import, delete, clear, stop, "
		  "help" },
		{ "{\"command\":1}", 13, "{\"command\":NAME}" },
		{ "{\"command\":[\"ping\"]}", 20, "{\"command\":NAME}" },
		{ "{\"Command\":\"ping\"}", 18, "{\"command\":NAME}" },
		{ "{\"command\":\"\"}", 14, "unknown command \"\"" },
		{ "{\"command\":\"PING\"}", 18,
		  "unknown command \"PING\", it is one of: ping, stats, config, reload, profiles, "
		  "export, import, delete, clear, stop, help" },
		{ "{\"command\":\"\\u001b[2J\"}", 23, "unknown command" },
		{ "{\"command\":\"stop\",\"now\":true}", 29, "unknown member \"now\"" },
		{ "{\"command\":\"export\"}", 20, "needs a member \"kind\"" },
		{ "{\"command\":\"export\",\"kind\":1}", 29, "must be a string" },
		{ "{\"command\":\"export\",\"kind\":\"x\"}", 31,
		  "unknown kind \"x\", it is one of: dkim, spf, dmarc, names, sealers, addresses" },
		{ "{\"command\":\"import\",\"kind\":\"spf\"}", 33, "needs a member \"text\"" },
		{ "{\"command\":\"profiles\",\"search\":null}", 36, "must be a string" },
		{ "{\"command\":\"clear\",\"kind\":\"spf\"}", 32, "has no settings file" },
	};
	stops = 0;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_t *top = ask(rows[i].in, rows[i].n);
		const char *error = json_string_value(json_object_get(top, "error"));
		CU_ASSERT(json_is_false(json_object_get(top, "ok")));
		CU_ASSERT_PTR_NOT_NULL_FATAL(error);
		if (!strstr(error, rows[i].want))
			printf("\n    row %u: %s\n", i, error);
		CU_ASSERT_PTR_NOT_NULL(strstr(error, rows[i].want));
		json_decref(top);
	}
	CU_ASSERT_EQUAL(stops, 0);
}

/* A request of the greatest size is answered, whatever fills it; one octet more is refused. */
static void h12_large_and_deep(void)
{
	static char text[COMMANDS_REQUEST_MAX + 1];
	memset(text, ' ', sizeof text);
	memcpy(text, "{\"command\":\"ping\"}", 18);
	json_t *top = ask(text, COMMANDS_REQUEST_MAX);
	CU_ASSERT(json_is_true(json_object_get(top, "ok")));
	json_decref(top);
	top = ask(text, sizeof text);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(top, "error")),
			       "a request has at most 67108864 octets");
	json_decref(top);
	memset(text, '[', sizeof text);
	top = ask(text, COMMANDS_REQUEST_MAX);
	CU_ASSERT(json_is_false(json_object_get(top, "ok")));
	json_decref(top);
	memset(text, 'x', sizeof text);
	memcpy(text, "{\"command\":\"", 12);
	memcpy(text + COMMANDS_REQUEST_MAX - 2, "\"}", 2);
	top = ask(text, COMMANDS_REQUEST_MAX);
	CU_ASSERT_PTR_NOT_NULL(strstr(json_string_value(json_object_get(top, "error")), "unknown"));
	CU_ASSERT(strlen(json_string_value(json_object_get(top, "error"))) < COMMANDS_WHY_MAX);
	json_decref(top);
}

static enum kind edited;
static char edited_text[256];
static enum edit_what edited_what;

static int edit(void *run, enum kind kind, enum edit_what what, struct bytes text,
		uint32_t count[2], char *note, size_t note_len)
{
	edited = kind;
	edited_what = what;
	snprintf(edited_text, sizeof edited_text, "%.*s", (int)text.n, (const char *)text.p);
	count[0] = 3;
	count[1] = 2;
	snprintf(note, note_len, "%s", reload_note);
	return reload_result;
}

static json_t *result_of(const char *request)
{
	json_t *top = ask(request, strlen(request));
	json_t *r = json_incref(json_object_get(top, "result"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	json_decref(top);
	return r;
}

static void c42_search(void)
{
	static const char text[] = "dkim_profiles: {default: {min_bits: 2048}, Strict-A: {}}\n"
				   "dkim: {profile: Strict-A}\n"
				   "address_lists: {a-strict: [a.example, b.example]}\n"
				   "forged_names: {board: {names: [Ann Lee]}}\n";
	char why[SCHEMA_WHY_MAX];
	config_default(&cfg);
	CU_ASSERT_EQUAL(config_parse(&cfg, bytes_str(text), "f", why, sizeof why), 0);
	json_t *r = result("profiles"), *list = json_object_get(r, "profiles");
	CU_ASSERT_EQUAL(json_array_size(list), 6);
	json_t *first = json_array_get(list, 0), *second = json_array_get(list, 1);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(first, "kind")), "dkim");
	CU_ASSERT_TRUE(json_is_false(json_object_get(first, "in_force")));
	CU_ASSERT_TRUE(json_is_true(json_object_get(second, "in_force")));
	CU_ASSERT_EQUAL(json_object_size(json_object_get(second, "settings")), 0);
	const json_t *bits = json_object_get(json_object_get(first, "settings"), "min_bits");
	CU_ASSERT_STRING_EQUAL(json_string_value(bits), "2048");
	json_decref(r);
	/* by name, whatever the case */
	r = result_of("{\"command\":\"profiles\",\"search\":\"sTRICT\"}");
	list = json_object_get(r, "profiles");
	CU_ASSERT_EQUAL(json_array_size(list), 2);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_array_get(list, 1), "entries")), 2);
	json_decref(r);
	r = result_of("{\"command\":\"profiles\",\"search\":\"\"}");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(r, "profiles")), 6);
	json_decref(r);
	r = result_of("{\"command\":\"profiles\",\"search\":\"2048\"}");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(r, "profiles")), 0);
	json_decref(r);
	config_fini(&cfg);
}

static void c61_c108_export_and_edit(void)
{
	config_default(&cfg);
	json_t *r = result_of("{\"command\":\"export\",\"kind\":\"sealers\"}");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(r, "text")), "arc_sealers: {}\n");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(r, "count")), 0);
	json_decref(r);
	ctx.edit = edit;
	reload_note = "output";
	reload_result = 0;
	r = result_of("{\"command\":\"import\",\"kind\":\"dmarc\",\"text\":\"a\\nb\"}");
	CU_ASSERT_EQUAL(edited, KIND_DMARC);
	CU_ASSERT_EQUAL(edited_what, EDIT_IMPORT);
	CU_ASSERT_STRING_EQUAL(edited_text, "a\nb");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(r, "before")), 3);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(r, "after")), 2);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(r, "needs_restart")), 1);
	json_decref(r);
	json_decref(result_of("{\"command\":\"delete\",\"kind\":\"names\",\"name\":\"board\"}"));
	CU_ASSERT_EQUAL(edited_what, EDIT_DELETE);
	CU_ASSERT_STRING_EQUAL(edited_text, "board");
	json_decref(result_of("{\"command\":\"clear\",\"kind\":\"names\"}"));
	CU_ASSERT_EQUAL(edited_what, EDIT_CLEAR);
	reload_note = "no room";
	reload_result = -1;
	static const char clear[] = "{\"command\":\"clear\",\"kind\":\"names\"}";
	json_t *top = ask(clear, sizeof clear - 1);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(top, "error")), "no room");
	json_decref(top);
	ctx.edit = NULL;
}

static void reply_that_does_not_fit(void)
{
	static const char request[] = "{\"command\":\"stats\"}";
	char small[COMMANDS_WHY_MAX * 8];
	struct stats_worker many[16];
	for (uint32_t i = 0; i < 16; i++)
		many[i] = (struct stats_worker){ "receive", i, &block };
	struct command_context big = ctx;
	big.stats.worker = many;
	big.stats.n_worker = 16;
	struct bytes reply = commands_answer(&big, bytes_str(request), small, sizeof small);
	CU_ASSERT(bytes_equal(reply, bytes_str("{\"ok\":false,\"error\":\"the reply is larger than "
					       "this engine can send\"}")));
}

static void table_is_sound(void)
{
	char names[256], tiny[8];
	commands_names(names, sizeof names);
	for (unsigned i = 0; i < commands_n; i++) {
		CU_ASSERT_PTR_EQUAL(commands_find(bytes_str(commands[i].name)), &commands[i]);
		CU_ASSERT_PTR_NOT_NULL(strstr(names, commands[i].name));
		CU_ASSERT(commands[i].help[0] != 0);
	}
	CU_ASSERT_PTR_NULL(commands_find(bytes_str("pin")));
	commands_names(tiny, sizeof tiny);
	CU_ASSERT_STRING_EQUAL(tiny, "ping, s");
}

TEST_MAIN("commands", TEST(each_command), TEST(reload_tells_what_came_of_it),
	  TEST(h12_broken_requests_are_refused), TEST(h12_large_and_deep), TEST(c42_search),
	  TEST(c61_c108_export_and_edit), TEST(reply_that_does_not_fit), TEST(table_is_sound))
