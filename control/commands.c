#include "control/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "control/config.h"

static uint64_t commands_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool commands_ping(const struct command_context *ctx, struct json *j, char *why,
			  size_t why_len)
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

static bool commands_stats(const struct command_context *ctx, struct json *j, char *why,
			   size_t why_len)
{
	stats_out_json(j, &ctx->stats, commands_now());
	return true;
}

static bool commands_config(const struct command_context *ctx, struct json *j, char *why,
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

static bool commands_reload(const struct command_context *ctx, struct json *j, char *why,
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
	json_array_begin(j);
	for (char *at = note, *end; *at; at = end) {
		end = at + strcspn(at, ", ");
		json_bytes(j, bytes_of(at, (size_t)(end - at)));
		end += strspn(end, ", ");
	}
	json_array_end(j);
	json_object_end(j);
	return true;
}

static bool commands_stop(const struct command_context *ctx, struct json *j, char *why,
			  size_t why_len)
{
	ctx->stop(ctx->run);
	json_object_begin(j);
	json_key(j, "stopping");
	json_bool(j, true);
	json_object_end(j);
	return true;
}

static bool commands_help(const struct command_context *ctx, struct json *j, char *why,
			  size_t why_len)
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
	{ "ping", "is it there: version, process id, seconds it has run", commands_ping },
	{ "stats", "counters of every worker and their sums, and gauges", commands_stats },
	{ "config", "the settings in force", commands_config },
	{ "reload", "read the settings again; all of them or none", commands_reload },
	{ "stop", "finish what is in flight, then end", commands_stop },
	{ "help", "these commands", commands_help },
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

/* The command a request asks for; NULL: why has one line. */
static const struct command *commands_parse(struct bytes request, char *why, size_t why_len)
{
	char names[256];
	const struct command *found = NULL;
	json_error_t error;
	if (request.n > COMMANDS_REQUEST_MAX) {
		snprintf(why, why_len, "a request has at most %d octets", COMMANDS_REQUEST_MAX);
		return NULL;
	}
	json_t *top = json_loadb(request.n ? (const char *)request.p : "", request.n,
				 JSON_REJECT_DUPLICATES, &error);
	if (!top) {
		snprintf(why, why_len, "not a JSON object at octet %d: %s", error.position,
			 error.text);
		return NULL;
	}
	commands_names(names, sizeof names);
	json_t *name = json_object_get(top, "command");
	if (!json_is_string(name)) {
		snprintf(why, why_len, "a request is {\"command\":NAME}, NAME one of: %s", names);
	} else if (json_object_size(top) != 1) {
		const char *other = "";
		for (void *at = json_object_iter(top); at; at = json_object_iter_next(top, at))
			if (strcmp(json_object_iter_key(at), "command") != 0)
				other = json_object_iter_key(at);
		snprintf(why, why_len, "unknown member \"%.64s\": a request has \"command\" only",
			 other);
	} else {
		found = commands_find(bytes_of(json_string_value(name), json_string_length(name)));
		if (!found)
			snprintf(why, why_len, "unknown command \"%.64s\", it is one of: %s",
				 json_string_value(name), names);
	}
	json_decref(top);
	return found;
}

struct bytes commands_answer(const struct command_context *ctx, struct bytes request, void *buf,
			     size_t cap)
{
	char why[COMMANDS_WHY_MAX];
	const struct command *command = commands_parse(request, why, sizeof why);
	if (!command)
		return commands_error(why, buf, cap);
	struct json j;
	json_init(&j, buf, cap);
	json_object_begin(&j);
	json_key(&j, "ok");
	json_bool(&j, true);
	json_key(&j, "result");
	if (!command->answer(ctx, &j, why, sizeof why))
		return commands_error(why, buf, cap);
	json_object_end(&j);
	struct bytes reply = json_done(&j);
	if (!reply.p)
		return commands_error("the reply is larger than this engine can send", buf, cap);
	return reply;
}
