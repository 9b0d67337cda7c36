#include "control/ctl_profiles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/config.h"
#include "control/ctl.h"
#include "control/ctl_ask.h"
#include "control/rewrite.h"
#include "control/section.h"

/* ---- what is said ---- */

static int wrong(const struct ctl_profiles *c, const char *command, const char *words)
{
	fprintf(c->err, "postern ctl: %s: %s; see postern ctl %s --help\n", command, words,
		command);
	return CTL_FAILED;
}

/* What would steer a terminal is made harmless. */
static void put(FILE *out, const char *text)
{
	for (; text && *text; text++)
		fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
}

static int refused(const struct ctl_profiles *c, const char *command, const json_t *reply)
{
	fprintf(c->err, "postern ctl: %s: ", command);
	put(c->err, json_string_value(json_object_get(reply, "error")));
	fputc('\n', c->err);
	return CTL_REFUSED;
}

static bool take_kind(const struct ctl_profiles *c, const char *command, const char *word,
		      enum kind *kind)
{
	char words[256];
	size_t at = 0;
	*kind = word ? kind_of_word(bytes_str(word)) : KIND_N;
	if (*kind < KIND_N)
		return true;
	at = word ? (size_t)snprintf(words, sizeof words,
				     "unknown kind \"%.32s\", it is one of: ", word)
		  : (size_t)snprintf(words, sizeof words, "a kind must follow, one of: ");
	kind_words(words + at, sizeof words - at);
	wrong(c, command, words);
	return false;
}

/* "3 profiles" */
static void amount(char *out, size_t len, json_int_t n, enum kind kind)
{
	snprintf(out, len, "%" JSON_INTEGER_FORMAT " %s%s", n,
		 kind_info[kind].row ? "profile" : "list", n == 1 ? "" : "s");
}

/* Prints the result as JSON, where that is asked for. */
static bool as_json(const struct ctl_profiles *c, const json_t *reply)
{
	if (!c->json)
		return false;
	json_dumpf(json_object_get(reply, "result"), c->out, JSON_COMPACT);
	fputc('\n', c->out);
	return true;
}

/* ---- profiles ---- */

static void show_entries(FILE *out, const json_t *n)
{
	fprintf(out, "%" JSON_INTEGER_FORMAT " entr%s", json_integer_value(n),
		json_integer_value(n) == 1 ? "y" : "ies");
}

static void show_settings(FILE *out, json_t *profile)
{
	json_t *settings = json_object_get(profile, "settings");
	const json_t *entries = json_object_get(profile, "entries");
	const char *between = "";
	if (entries)
		show_entries(out, entries);
	for (void *at = json_object_iter(settings); at; at = json_object_iter_next(settings, at)) {
		const json_t *v = json_object_iter_value(at);
		fprintf(out, "%s%s: ", between, json_object_iter_key(at));
		if (json_is_integer(v))
			show_entries(out, v);
		else
			put(out, json_string_value(v));
		between = ", ";
	}
	if (settings && !*between)
		fputs("built-in settings", out);
}

static int profiles(const struct ctl_profiles *c, const char *search)
{
	json_t *reply;
	int r = ctl_ask(c->path, json_pack("{s:s,s:s}", "command", "profiles", "search", search),
			CTL_TIMEOUT_MS, &reply, c->err);
	if (r != CTL_DONE)
		return r;
	if (!json_is_true(json_object_get(reply, "ok"))) {
		r = refused(c, "profiles", reply);
	} else if (!as_json(c, reply)) {
		const json_t *list = json_object_get(json_object_get(reply, "result"), "profiles");
		fprintf(c->out, "%-9s  %-24s  %-8s  %s\n", "KIND", "NAME", "IN FORCE", "SETTINGS");
		for (size_t i = 0; i < json_array_size(list); i++) {
			json_t *row = json_array_get(list, i);
			const json_t *force = json_object_get(row, "in_force");
			fprintf(c->out, "%-9s  %-24s  %-8s  ",
				json_string_value(json_object_get(row, "kind")),
				json_string_value(json_object_get(row, "name")),
				!force                ? "-"
				: json_is_true(force) ? "yes"
						      : "no");
			show_settings(c->out, row);
			fputc('\n', c->out);
		}
	}
	json_decref(reply);
	return r;
}

/* How many of a kind the engine has; -1: one line said why that cannot be known. */
static json_int_t count(const struct ctl_profiles *c, enum kind kind, int *status)
{
	json_t *reply;
	*status = ctl_ask(c->path, json_pack("{s:s}", "command", "profiles"), CTL_TIMEOUT_MS,
			  &reply, c->err);
	if (*status != CTL_DONE)
		return -1;
	const json_t *list = json_object_get(json_object_get(reply, "result"), "profiles");
	json_int_t n = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word =
			json_string_value(json_object_get(json_array_get(list, i), "kind"));
		n += word && !strcmp(word, kind_info[kind].word);
	}
	json_decref(reply);
	return n;
}

/* ---- export ---- */

static int export(const struct ctl_profiles *c, const char *const *word, unsigned n)
{
	enum kind kind;
	json_t *reply;
	char why[512];
	if (n > 3)
		return wrong(c, word[0], "a kind and a file are enough");
	if (!take_kind(c, word[0], n > 1 ? word[1] : NULL, &kind))
		return CTL_FAILED;
	int r = ctl_ask(c->path, json_pack("{s:s,s:s}", "command", "export", "kind", word[1]),
			CTL_TIMEOUT_MS, &reply, c->err);
	if (r != CTL_DONE)
		return r;
	const json_t *result = json_object_get(reply, "result");
	const json_t *text = json_object_get(result, "text");
	struct bytes all = bytes_of(json_string_value(text), json_string_length(text));
	if (!json_is_true(json_object_get(reply, "ok"))) {
		r = refused(c, word[0], reply);
	} else if (n > 2 && strcmp(word[2], "-")) {
		if (rewrite_file(word[2], all, why, sizeof why) < 0) {
			fprintf(c->err, "postern ctl: export: %s\n", why);
			r = CTL_FAILED;
		} else if (!as_json(c, reply)) {
			amount(why, sizeof why,
			       json_integer_value(json_object_get(result, "count")), kind);
			fprintf(c->out, "%s: %s in %s\n", kind_info[kind].section, why, word[2]);
		}
	} else if (!as_json(c, reply)) {
		fwrite(all.p, 1, all.n, c->out);
	}
	if (r == CTL_DONE && fflush(c->out)) {
		fprintf(c->err, "postern ctl: cannot write the answer: %s\n", strerror(errno));
		r = CTL_FAILED;
	}
	json_decref(reply);
	return r;
}

/* ---- what changes something ---- */

/* CTL_DONE: it may be done. */
static int ask_first(const struct ctl_profiles *c, const char *command, const char *question)
{
	char line[16] = "";
	if (c->yes)
		return CTL_DONE;
	if (!isatty(STDIN_FILENO))
		return wrong(c, command, "needs --yes where there is no terminal to ask on");
	fprintf(c->err, "%s [y/N] ", question);
	fflush(c->err);
	if (fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y'))
		return CTL_DONE;
	fprintf(c->err, "postern ctl: %s: nothing was changed\n", command);
	return CTL_REFUSED;
}

/* Takes request. */
static int change(const struct ctl_profiles *c, const char *command, enum kind kind,
		  json_t *request)
{
	json_t *reply;
	char before[64];
	int r = ctl_ask(c->path, request, CTL_EDIT_MS, &reply, c->err);
	if (r != CTL_DONE)
		return r;
	json_t *result = json_object_get(reply, "result");
	if (!json_is_true(json_object_get(reply, "ok"))) {
		r = refused(c, command, reply);
	} else if (!as_json(c, reply)) {
		const json_t *restart = json_object_get(result, "needs_restart");
		amount(before, sizeof before, json_integer_value(json_object_get(result, "before")),
		       kind);
		fprintf(c->out, "%s: %s -> %" JSON_INTEGER_FORMAT "\n", kind_info[kind].section,
			before, json_integer_value(json_object_get(result, "after")));
		for (size_t i = 0; i < json_array_size(restart); i++) {
			put(c->out, json_string_value(json_array_get(restart, i)));
			fputs(": changed, needs a restart\n", c->out);
		}
	}
	json_decref(reply);
	return r;
}

static int import(const struct ctl_profiles *c, const char *const *word, unsigned n)
{
	enum kind kind;
	struct bytes text;
	char why[SCHEMA_WHY_MAX], question[SCHEMA_WHY_MAX], before[64];
	int r;
	if (!take_kind(c, word[0], n > 1 ? word[1] : NULL, &kind))
		return CTL_FAILED;
	if (n != 3)
		return wrong(c, word[0], "a kind and a file must follow");
	bool standard = !strcmp(word[2], "-");
	if (config_read(standard ? "/dev/stdin" : word[2], &text, why, sizeof why) < 0) {
		fprintf(c->err, "postern ctl: import: %s\n", why);
		return CTL_FAILED;
	}
	struct profiles *p = section_parse(text, kind, word[2], why, sizeof why);
	json_int_t there = p && !c->yes ? count(c, kind, &r) : 0;
	if (!p || there < 0) {
		if (!p)
			fprintf(c->err, "postern ctl: import: %s\n", why);
		profiles_free(p);
		free((void *)text.p);
		return CTL_FAILED;
	}
	amount(before, sizeof before, there, kind);
	snprintf(question, sizeof question,
		 "%s: replace all %s of the settings file by the %u of %s?",
		 kind_info[kind].section, before, profiles_count(p, kind), word[2]);
	profiles_free(p);
	r = ask_first(c, word[0], question);
	if (r == CTL_DONE)
		r = change(c, word[0], kind,
			   json_pack("{s:s,s:s,s:s%}", "command", "import", "kind", word[1], "text",
				     text.p, text.n));
	free((void *)text.p);
	return r;
}

static int delete (const struct ctl_profiles *c, const char *const *word, unsigned n)
{
	enum kind kind;
	char question[256];
	if (!take_kind(c, word[0], n > 1 ? word[1] : NULL, &kind))
		return CTL_FAILED;
	if (n != 3)
		return wrong(c, word[0], "a kind and a name must follow");
	snprintf(question, sizeof question, "take the %s \"%.64s\" out of the settings file?",
		 kind_info[kind].noun, word[2]);
	int r = ask_first(c, word[0], question);
	if (r != CTL_DONE)
		return r;
	return change(
		c, word[0], kind,
		json_pack("{s:s,s:s,s:s}", "command", "delete", "kind", word[1], "name", word[2]));
}

static int clear(const struct ctl_profiles *c, const char *const *word, unsigned n)
{
	enum kind kind;
	char question[256], before[64];
	int r = CTL_DONE;
	if (!take_kind(c, word[0], n > 1 ? word[1] : NULL, &kind))
		return CTL_FAILED;
	if (n != 2)
		return wrong(c, word[0], "one kind must follow");
	json_int_t there = c->yes ? 0 : count(c, kind, &r);
	if (there < 0)
		return r;
	amount(before, sizeof before, there, kind);
	snprintf(question, sizeof question, "%s: take all %s out of the settings file?",
		 kind_info[kind].section, before);
	r = ask_first(c, word[0], question);
	if (r != CTL_DONE)
		return r;
	return change(c, word[0], kind,
		      json_pack("{s:s,s:s}", "command", "clear", "kind", word[1]));
}

int ctl_profiles(const struct ctl_profiles *c, const char *const *word, unsigned n)
{
	static const struct {
		const char *name;
		int (*run)(const struct ctl_profiles *c, const char *const *word, unsigned n);
	} rows[] = {
		{ "export", export }, { "import", import }, { "delete", delete }, { "clear", clear }
	};
	bool here = !strcmp(word[0], "profiles");
	if (here && (n == 1 || !strcmp(word[1], "search"))) {
		if (n > 3)
			return wrong(c, word[0], "one text to search for is enough");
		return profiles(c, n == 3 ? word[2] : "");
	}
	if (here) { /* profiles delete KIND NAME is delete KIND NAME */
		word++;
		n--;
	}
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!strcmp(rows[i].name, word[0]))
			return rows[i].run(c, word, n);
	return wrong(c, "profiles", "search, delete or clear must follow");
}
