#include "control/commands_profiles.h"

#include <stdlib.h>

#include "control/profiles_write.h"

/* ASCII case folded; the empty text is in every name. */
static bool has_text(const char *name, struct bytes text)
{
	struct bytes rest = bytes_str(name);
	for (;; rest = bytes_from(rest, 1)) {
		if (bytes_equal_nocase(bytes_head(rest, text.n), text))
			return true;
		if (!rest.n)
			return false;
	}
}

/* The profile of this kind that judges; a dictionary of names always does, a list never alone. */
static bool in_force(const struct config *cfg, enum kind kind, const char *name)
{
	const char *force = kind == KIND_DKIM    ? cfg->dkim_profile
			    : kind == KIND_SPF   ? cfg->spf_profile
			    : kind == KIND_DMARC ? cfg->dmarc_profile
						 : NULL;
	return force ? !strcmp(force, name) : kind == KIND_NAMES;
}

static void count_list(struct json *j, const char *key, const struct list *l)
{
	json_key(j, key);
	json_uint(j, l ? list_count(l) : 0);
}

/* What is set differently from the built-in defaults, and how long lists are. */
static void settings(struct json *j, enum kind kind, const void *item)
{
	const struct kind_info *info = &kind_info[kind];
	json_object_begin(j);
	for (unsigned i = 0; i < info->n_row; i++) {
		const struct schema_row *row = &info->row[i];
		char text[SCHEMA_VALUE_MAX], plain[SCHEMA_VALUE_MAX];
		if (row->type == SCHEMA_LIST || row->type == SCHEMA_NAMES) {
			const struct list *l;
			memcpy(&l, schema_field(row, item), sizeof l);
			if (l)
				count_list(j, row->name, l);
			continue;
		}
		schema_get(row, item, text);
		kind_fallback(row, plain);
		if (!strcmp(text, plain))
			continue;
		json_key(j, row->name);
		json_str(j, text);
	}
	json_object_end(j);
}

bool commands_profiles_search(const struct command_context *ctx,
			      const struct command_request *request, struct json *j, char *why,
			      size_t why_len)
{
	const struct profiles *p = ctx->cfg->profiles;
	json_object_begin(j);
	json_key(j, "profiles");
	json_array_begin(j);
	for (int k = 0; k < KIND_N; k++) {
		enum kind kind = (enum kind)k;
		for (uint32_t i = 0; i < profiles_count(p, kind); i++) {
			const char *name = profiles_name(p, kind, i);
			if (!has_text(name, request->value[0]))
				continue;
			json_object_begin(j);
			json_key(j, "kind");
			json_str(j, kind_info[kind].word);
			json_key(j, "name");
			json_str(j, name);
			if (kind_info[kind].row) {
				json_key(j, "in_force");
				json_bool(j, in_force(ctx->cfg, kind, name));
				json_key(j, "settings");
				settings(j, kind, profiles_item(p, kind, i));
			} else {
				count_list(j, "entries", profiles_list(p, kind, i));
			}
			json_object_end(j);
		}
	}
	json_array_end(j);
	json_object_end(j);
	return true;
}

static bool take_kind(struct bytes word, enum kind *kind, char *why, size_t why_len)
{
	*kind = kind_of_word(word);
	if (*kind < KIND_N)
		return true;
	size_t at = (size_t)snprintf(why, why_len, "unknown kind \"%.*s\", it is one of: ",
				     (int)(word.n < 32 ? word.n : 32), (const char *)word.p);
	kind_words(why + at, why_len - at);
	return false;
}

bool commands_profiles_export(const struct command_context *ctx,
			      const struct command_request *request, struct json *j, char *why,
			      size_t why_len)
{
	enum kind kind;
	char *text = NULL;
	size_t n = 0;
	if (!take_kind(request->value[0], &kind, why, why_len))
		return false;
	FILE *f = open_memstream(&text, &n);
	if (f)
		profiles_write(f, ctx->cfg->profiles, kind, 0);
	if (!f || fclose(f)) {
		free(text);
		snprintf(why, why_len, "out of memory");
		return false;
	}
	json_object_begin(j);
	json_key(j, "kind");
	json_str(j, kind_info[kind].word);
	json_key(j, "count");
	json_uint(j, profiles_count(ctx->cfg->profiles, kind));
	json_key(j, "text");
	json_bytes(j, bytes_of(text, n));
	json_object_end(j);
	free(text);
	return true;
}

static bool edit(const struct command_context *ctx, const struct command_request *request,
		 enum edit_what what, struct bytes text, struct json *j, char *why, size_t why_len)
{
	enum kind kind;
	uint32_t count[2];
	char note[COMMANDS_WHY_MAX] = "";
	if (!take_kind(request->value[0], &kind, why, why_len))
		return false;
	if (!ctx->edit) {
		snprintf(why, why_len, "this engine has no settings file");
		return false;
	}
	if (ctx->edit(ctx->run, kind, what, text, count, note, sizeof note) < 0) {
		snprintf(why, why_len, "%s", note);
		return false;
	}
	json_object_begin(j);
	json_key(j, "kind");
	json_str(j, kind_info[kind].word);
	json_key(j, "before");
	json_uint(j, count[0]);
	json_key(j, "after");
	json_uint(j, count[1]);
	json_key(j, "needs_restart");
	commands_note(j, note);
	json_object_end(j);
	return true;
}

bool commands_profiles_import(const struct command_context *ctx,
			      const struct command_request *request, struct json *j, char *why,
			      size_t why_len)
{
	return edit(ctx, request, EDIT_IMPORT, request->value[1], j, why, why_len);
}

bool commands_profiles_delete(const struct command_context *ctx,
			      const struct command_request *request, struct json *j, char *why,
			      size_t why_len)
{
	return edit(ctx, request, EDIT_DELETE, request->value[1], j, why, why_len);
}

bool commands_profiles_clear(const struct command_context *ctx,
			     const struct command_request *request, struct json *j, char *why,
			     size_t why_len)
{
	return edit(ctx, request, EDIT_CLEAR, (struct bytes){ NULL, 0 }, j, why, why_len);
}
