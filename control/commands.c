#include "control/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "control/commands_profiles.h"
#include "control/config.h"

static uint64_t commands_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool commands_ping(const struct command_context *ctx, const struct command_request *request,
			  struct json *j, char *why, size_t why_len)
{
	json_object_begin(j);
	json_key(j, "version");
	json_str(j, POSTERN_VERSION);
	json_key(j, "pid");
	json_int(j, getpid());
	json_key(j, "uptime_s");
	json_uint(j, stats_out_uptime(&ctx->stats, commands_now()));
	json_object_end(j);
	return true;
}

static bool commands_stats(const struct command_context *ctx, const struct command_request *request,
			   struct json *j, char *why, size_t why_len)
{
	stats_out_json(j, &ctx->stats, commands_now());
	return true;
}

static bool commands_config(const struct command_context *ctx,
			    const struct command_request *request, struct json *j, char *why,
			    size_t why_len)
{
	char *text = config_json(ctx->cfg);
	if (!text) {
		snprintf(why, why_len, "out of memory");
		return false;
	}
	json_raw(j, bytes_str(text));
	free(text);
	return true;
}

void commands_note(struct json *j, const char *note)
{
	json_array_begin(j);
	for (const char *at = note, *end; *at; at = end) {
		end = at + strcspn(at, ", ");
		json_bytes(j, bytes_of(at, (size_t)(end - at)));
		end += strspn(end, ", ");
	}
	json_array_end(j);
}

static bool commands_reload(const struct command_context *ctx,
			    const struct command_request *request, struct json *j, char *why,
			    size_t why_len)
{
	char note[COMMANDS_WHY_MAX] = "";
	if (ctx->reload(ctx->run, note, sizeof note) < 0) {
		snprintf(why, why_len, "%s", note);
		return false;
	}
	json_object_begin(j);
	json_key(j, "reloaded");
	json_bool(j, true);
	json_key(j, "needs_restart");
	commands_note(j, note);
	json_object_end(j);
	return true;
}

static bool commands_stop(const struct command_context *ctx, const struct command_request *request,
			  struct json *j, char *why, size_t why_len)
{
	ctx->stop(ctx->run);
	json_object_begin(j);
	json_key(j, "stopping");
	json_bool(j, true);
	json_object_end(j);
	return true;
}

static bool commands_help(const struct command_context *ctx, const struct command_request *request,
			  struct json *j, char *why, size_t why_len)
{
	json_object_begin(j);
	json_key(j, "commands");
	json_array_begin(j);
	for (unsigned i = 0; i < commands_n; i++) {
		json_object_begin(j);
		json_key(j, "name");
		json_str(j, commands[i].name);
		json_key(j, "help");
		json_str(j, commands[i].help);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
	return true;
}

const struct command commands[] = {
	{ "ping",
	  "is it there: version, process id, seconds it has run",
	  "ping",
	  "postern ctl ping",
	  { NULL },
	  commands_ping },
	{ "stats",
	  "counters of every worker and their sums, and gauges",
	  "[--all] stats",
	  "postern ctl --json stats | jq .totals.message",
	  { NULL },
	  commands_stats },
	{ "config",
	  "the settings in force",
	  "config",
	  "postern ctl config | grep dns",
	  { NULL },
	  commands_config },
	{ "reload",
	  "read the settings again; all of them or none",
	  "reload",
	  "postern ctl reload",
	  { NULL },
	  commands_reload },
	{ "profiles",
	  "names of profiles and lists, and what is set in them",
	  "profiles [search TEXT | delete KIND NAME | clear KIND] [--yes]",
	  "postern ctl profiles search strict",
	  { "search?", NULL },
	  commands_profiles_search },
	{ "export",
	  "all profiles or lists of a kind as they would stand in the settings file",
	  "export KIND [FILE]",
	  "postern ctl export spf spf.yaml",
	  { "kind", NULL },
	  commands_profiles_export },
	{ "import",
	  "replace all profiles or lists of a kind in the settings file by those of FILE",
	  "import KIND FILE [--yes]",
	  "postern ctl import spf spf.yaml --yes",
	  { "kind", "text", NULL },
	  commands_profiles_import },
	{ "delete",
	  "take one profile or list out of the settings file",
	  "delete KIND NAME [--yes]",
	  "postern ctl delete addresses partners --yes",
	  { "kind", "name", NULL },
	  commands_profiles_delete },
	{ "clear",
	  "take all profiles or lists of a kind out of the settings file",
	  "clear KIND [--yes]",
	  "postern ctl clear names --yes",
	  { "kind", NULL },
	  commands_profiles_clear },
	{ "stop",
	  "finish what is in flight, then end",
	  "stop",
	  "postern ctl stop",
	  { NULL },
	  commands_stop },
	{ "help", "these commands", "help", "postern ctl help", { NULL }, commands_help },
};
const unsigned commands_n = sizeof commands / sizeof commands[0];

const struct command *commands_find(struct bytes name)
{
	for (unsigned i = 0; i < commands_n; i++)
		if (bytes_equal(name, bytes_str(commands[i].name)))
			return &commands[i];
	return NULL;
}

void commands_names(char *out, size_t len)
{
	size_t at = 0;
	if (len)
		out[0] = 0;
	for (unsigned i = 0; i < commands_n && at < len; i++)
		at += (size_t)snprintf(out + at, len - at, "%s%s", i ? ", " : "", commands[i].name);
}

struct bytes commands_error(const char *why, void *buf, size_t cap)
{
	struct json j;
	json_init(&j, buf, cap);
	json_object_begin(&j);
	json_key(&j, "ok");
	json_bool(&j, false);
	json_key(&j, "error");
	json_str(&j, why);
	json_object_end(&j);
	return json_done(&j);
}

/* Which of the row's members key is, -1: none. */
static int member_of(const struct command *command, const char *key)
{
	for (int i = 0; command->member[i]; i++) {
		size_t n = strcspn(command->member[i], "?");
		if (strlen(key) == n && !memcmp(key, command->member[i], n))
			return i;
	}
	return -1;
}

/* Every member of the object is one of the row's, a string, and none is missing. */
static bool take_members(const struct command *command, json_t *top, struct command_request *out,
			 char *why, size_t why_len)
{
	for (void *at = json_object_iter(top); at; at = json_object_iter_next(top, at)) {
		const char *key = json_object_iter_key(at);
		const json_t *v = json_object_iter_value(at);
		if (!strcmp(key, "command"))
			continue;
		int i = member_of(command, key);
		if (i < 0 || !json_is_string(v)) {
			snprintf(why, why_len,
				 i < 0 ? "unknown member \"%.64s\" of the command %s"
				       : "member \"%.64s\" of the command %s must be a string",
				 key, command->name);
			return false;
		}
		out->value[i] = bytes_of(json_string_value(v), json_string_length(v));
	}
	for (int i = 0; command->member[i]; i++) {
		if (out->value[i].p || strchr(command->member[i], '?'))
			continue;
		snprintf(why, why_len, "the command %s needs a member \"%s\"", command->name,
			 command->member[i]);
		return false;
	}
	return true;
}

/* The command a request asks for; NULL: why has one line. request borrows from top. */
static const struct command *commands_parse(json_t *top, struct command_request *request, char *why,
					    size_t why_len)
{
	char names[256];
	json_t *name = json_object_get(top, "command");
	commands_names(names, sizeof names);
	if (!json_is_string(name)) {
		snprintf(why, why_len, "a request is {\"command\":NAME}, NAME one of: %s", names);
		return NULL;
	}
	const struct command *found =
		commands_find(bytes_of(json_string_value(name), json_string_length(name)));
	if (!found)
		snprintf(why, why_len, "unknown command \"%.64s\", it is one of: %s",
			 json_string_value(name), names);
	return found && take_members(found, top, request, why, why_len) ? found : NULL;
}

static struct bytes answer(const struct command_context *ctx, json_t *top, void *buf, size_t cap)
{
	char why[COMMANDS_WHY_MAX];
	struct command_request request = { .value = { { NULL, 0 } } };
	const struct command *command = commands_parse(top, &request, why, sizeof why);
	if (!command)
		return commands_error(why, buf, cap);
	struct json j;
	json_init(&j, buf, cap);
	json_object_begin(&j);
	json_key(&j, "ok");
	json_bool(&j, true);
	json_key(&j, "result");
	if (!command->answer(ctx, &request, &j, why, sizeof why))
		return commands_error(why, buf, cap);
	json_object_end(&j);
	struct bytes reply = json_done(&j);
	if (!reply.p)
		return commands_error("the reply is larger than this engine can send", buf, cap);
	return reply;
}

struct bytes commands_answer(const struct command_context *ctx, struct bytes request, void *buf,
			     size_t cap)
{
	char why[COMMANDS_WHY_MAX];
	json_error_t error;
	if (request.n > COMMANDS_REQUEST_MAX) {
		snprintf(why, sizeof why, "a request has at most %d octets", COMMANDS_REQUEST_MAX);
		return commands_error(why, buf, cap);
	}
	json_t *top = json_loadb(request.n ? (const char *)request.p : "", request.n,
				 JSON_REJECT_DUPLICATES, &error);
	if (!top) {
		snprintf(why, sizeof why, "not a JSON object at octet %d: %s", error.position,
			 error.text);
		return commands_error(why, buf, cap);
	}
	struct bytes reply = answer(ctx, top, buf, cap);
	json_decref(top);
	return reply;
}
