#include "control/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/commands.h"
#include "control/config.h"
#include "control/ctl_ask.h"
#include "control/ctl_profiles.h"
#include "control/stats_table.h"

enum { CTL_WORDS_MAX = 4 };

struct ctl {
	struct ctl_profiles common;
	const struct command *command; /* NULL: none was named */
	bool all, help;
	const char *word[CTL_WORDS_MAX]; /* the command's first */
	unsigned n_word;
};

static void ctl_usage(FILE *out, const char *path)
{
	fprintf(out, "usage: postern ctl [--socket PATH] [--json] COMMAND ...\n\n"
		     "Asks the engine that `postern run` started.\n\ncommands:\n");
	for (unsigned i = 0; i < commands_n; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fprintf(out,
		"  trace    judge one message here and tell every step (postern ctl trace --help)\n"
		"\noptions:\n"
		"  --socket PATH  where it listens (%s)\n"
		"  --json         the result as a JSON object on one line\n"
		"  --all          stats: also counters that are zero\n"
		"  --yes          import, delete, clear: without a question\n"
		"  --help         this text, or that of the command named\n"
		"\nExit status: 0 done, 1 the engine refused, 2 wrong usage or no engine.\n"
		"\nexample:\n"
		"  postern ctl stats\n"
		"  postern ctl --json stats | jq .totals.message\n",
		path);
}

static void ctl_usage_of(const struct command *command, FILE *out)
{
	char kinds[128];
	kind_words(kinds, sizeof kinds);
	fprintf(out, "usage: postern ctl [--socket PATH] [--json] %s\n\n%s\n", command->usage,
		command->help);
	if (strstr(command->usage, "KIND"))
		fprintf(out, "KIND is one of: %s\n", kinds);
	fprintf(out, "\nexample:\n  %s\n", command->example);
}

static void ctl_config(FILE *out, const json_t *v, const char *name)
{
	fprintf(out, "%-32s ", name);
	if (json_is_array(v)) {
		for (size_t i = 0; i < json_array_size(v); i++)
			fprintf(out, "%s%" JSON_INTEGER_FORMAT, i ? "," : "",
				json_integer_value(json_array_get(v, i)));
	} else if (json_is_string(v)) {
		fprintf(out, "%s", json_string_value(v));
	} else if (json_is_integer(v)) {
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	} else {
		fprintf(out, "%s", json_is_true(v) ? "true" : json_is_false(v) ? "false" : "-");
	}
	fputc('\n', out);
}

static void ctl_print_config(FILE *out, json_t *result)
{
	for (void *at = json_object_iter(result); at; at = json_object_iter_next(result, at)) {
		const char *group = json_object_iter_key(at);
		json_t *v = json_object_iter_value(at);
		if (!json_is_object(v)) {
			ctl_config(out, v, group);
			continue;
		}
		for (void *in = json_object_iter(v); in; in = json_object_iter_next(v, in)) {
			char whole[128];
			snprintf(whole, sizeof whole, "%s.%s", group, json_object_iter_key(in));
			ctl_config(out, json_object_iter_value(in), whole);
		}
	}
}

static void ctl_print_ping(FILE *out, json_t *result)
{
	char up[64];
	const char *version = json_string_value(json_object_get(result, "version"));
	stats_table_duration((uint64_t)json_integer_value(json_object_get(result, "uptime_s")), up,
			     sizeof up);
	fprintf(out, "postern %s, process %" JSON_INTEGER_FORMAT ", running for %s\n",
		version ? version : "?", json_integer_value(json_object_get(result, "pid")), up);
}

static void ctl_print_reload(FILE *out, json_t *result)
{
	const json_t *list = json_object_get(result, "needs_restart");
	fprintf(out, "reloaded\n");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		fprintf(out, "%s: changed, needs a restart\n", name ? name : "?");
	}
}

static void ctl_print_help(FILE *out, json_t *result)
{
	const json_t *list = json_object_get(result, "commands");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *help = json_string_value(json_object_get(row, "help"));
		fprintf(out, "%-8s %s\n", name ? name : "?", help ? help : "");
	}
}

static void ctl_print(const struct ctl *c, FILE *out, json_t *result)
{
	const char *name = c->command->name;
	if (c->common.json) {
		json_dumpf(result, out, JSON_COMPACT);
		fputc('\n', out);
	} else if (strcmp(name, "stats") == 0) {
		stats_table_print(out, result, c->all);
	} else if (strcmp(name, "config") == 0) {
		ctl_print_config(out, result);
	} else if (strcmp(name, "ping") == 0) {
		ctl_print_ping(out, result);
	} else if (strcmp(name, "reload") == 0) {
		ctl_print_reload(out, result);
	} else if (strcmp(name, "help") == 0) {
		ctl_print_help(out, result);
	} else {
		fprintf(out, "%s\n", strcmp(name, "stop") == 0 ? "stopping" : "done");
	}
}

/* The reply for people or programs; what would steer a terminal is made harmless. */
static int ctl_show(const struct ctl *c, json_t *reply)
{
	char *text = NULL;
	size_t n = 0;
	bool ok = json_is_true(json_object_get(reply, "ok"));
	FILE *m = open_memstream(&text, &n);
	if (!m) {
		fprintf(c->common.err, "postern ctl: out of memory\n");
		return CTL_FAILED;
	}
	if (ok) {
		ctl_print(c, m, json_object_get(reply, "result"));
	} else {
		const char *why = json_string_value(json_object_get(reply, "error"));
		fprintf(m, "postern ctl: %s: %s\n", c->command->name, why ? why : "refused");
	}
	fclose(m);
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)text[i] < 0x20 && (!ok || text[i] != '\n')) || text[i] == 0x7f)
			text[i] = '?';
	if (!ok && n)
		text[n - 1] = '\n';
	FILE *to = ok ? c->common.out : c->common.err;
	bool written = fwrite(text, 1, n, to) == n && fflush(to) == 0;
	free(text);
	if (!written) {
		fprintf(c->common.err, "postern ctl: cannot write the answer: %s\n",
			strerror(errno));
		return CTL_FAILED;
	}
	return ok ? CTL_DONE : CTL_REFUSED;
}

static int ctl_wrong(const struct ctl *c, const char *form, const char *word)
{
	fputs("postern ctl: ", c->common.err);
	fprintf(c->common.err, form, word);
	fputc('\n', c->common.err);
	return -1;
}

/* One option or word; 0, or -1 and one line said what is wrong. */
static int ctl_argument(struct ctl *c, int argc, char **argv, int *i)
{
	const char *a = argv[*i];
	if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
		c->help = true;
	} else if (strcmp(a, "--json") == 0) {
		c->common.json = true;
	} else if (strcmp(a, "--all") == 0) {
		c->all = true;
	} else if (strcmp(a, "--yes") == 0) {
		c->common.yes = true;
	} else if (strncmp(a, "--socket=", 9) == 0) {
		c->common.path = a + 9;
	} else if (strcmp(a, "--socket") == 0) {
		if (*i + 1 == argc)
			return ctl_wrong(c, "a path must follow \"%s\"; see postern ctl --help", a);
		c->common.path = argv[++*i];
	} else if (a[0] == '-' && a[1]) {
		return ctl_wrong(c, "unknown option \"%s\"; see postern ctl --help", a);
	} else if (c->n_word == CTL_WORDS_MAX) {
		return ctl_wrong(c, "too many words at \"%s\"; see postern ctl --help", a);
	} else {
		c->word[c->n_word++] = a;
	}
	return 0;
}

/* 0: go on, 1: the usage was asked for and printed, -1: wrong, and one line said so. */
static int ctl_arguments(struct ctl *c, int argc, char **argv)
{
	char names[256];
	commands_names(names, sizeof names);
	for (int i = 1; i < argc; i++)
		if (ctl_argument(c, argc, argv, &i) < 0)
			return -1;
	c->command = c->n_word ? commands_find(bytes_str(c->word[0])) : NULL;
	if (c->help && c->command)
		ctl_usage_of(c->command, c->common.out);
	else if (c->help)
		ctl_usage(c->common.out, c->common.path);
	if (c->help)
		return 1;
	if (!c->n_word)
		return ctl_wrong(c, "a command must follow, one of: %s", names);
	if (!c->command) {
		fprintf(c->common.err, "postern ctl: unknown command \"%s\", it is one of: %s\n",
			c->word[0], names);
		return -1;
	}
	if (c->n_word > 1 && !c->command->member[0])
		return ctl_wrong(c, "one command only, not also \"%s\"; see postern ctl --help",
				 c->word[1]);
	return 0;
}

int ctl_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct config cfg;
	config_default(&cfg);
	struct ctl c = { .common = { .path = cfg.socket, .out = out, .err = err } };
	int r = ctl_arguments(&c, argc, argv);
	if (r)
		return r < 0 ? CTL_FAILED : CTL_DONE;
	if (c.command->member[0])
		return ctl_profiles(&c.common, c.word, c.n_word);
	json_t *reply;
	r = ctl_ask(c.common.path, json_pack("{s:s}", "command", c.command->name), CTL_TIMEOUT_MS,
		    &reply, err);
	if (r == CTL_DONE)
		r = ctl_show(&c, reply);
	json_decref(reply);
	return r;
}
