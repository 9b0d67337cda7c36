#include "control/settings_read.h"

#include <stdarg.h>
#include <stdlib.h>
#include <yaml.h>

#include "control/profiles_read.h"
#include "control/settings.h"

enum { NAME_MAX_OCTETS = 64, GROUP_MAX = SETTINGS_GROUP_MAX, ALLOWED_MAX = 448 };

/*
 * The file is one mapping of settings and groups, a group a mapping of settings, a setting a scalar
 * or, for ports, a list of scalars. So the place in it is one of these, and there is no stack.
 */
enum place {
	AT_START, /* the document's mapping comes */
	AT_KEY, /* a setting's or a group's name */
	AT_VALUE,
	AT_GROUP, /* a name in a group */
	AT_GROUP_VALUE,
	AT_LIST,
	AT_SECTION, /* events go to the reader of profiles */
	AT_END,
};

struct reader {
	struct config *cfg;
	const char *file;
	char *why;
	size_t why_len;
	enum place place;
	char group[GROUP_MAX]; /* "limits", empty outside */
	char key[PROFILES_READ_KEY_MAX]; /* full name, for messages */
	const struct schema_row *row; /* NULL: key is a group's */
	bool seen[SETTINGS_MAX]; /* rows already set */
	char groups_seen[SETTINGS_MAX][GROUP_MAX];
	unsigned n_groups;
	bool in_group; /* the list's setting is in a group */
	char list[256]; /* ports joined so far */
	unsigned listed;
	struct profiles_read *profiles; /* NULL before the first section */
	bool sections_seen[KIND_N];
};

static int refuse(struct reader *r, yaml_mark_t at, const char *form, ...)
	__attribute__((format(printf, 3, 4)));

/* Always -1. The key stands in front of the words where there is one. */
static int refuse(struct reader *r, yaml_mark_t at, const char *form, ...)
{
	char words[SCHEMA_WHY_MAX];
	va_list ap;
	va_start(ap, form);
	vsnprintf(words, sizeof words, form, ap);
	va_end(ap);
	snprintf(r->why, r->why_len, "%s:%zu:%zu: %s%s%s", r->file, at.line + 1, at.column + 1,
		 r->key, *r->key ? ": " : "", words);
	return -1;
}

/* Always -1. */
static int refuse_profile(struct reader *r, const struct profiles_read_error *error)
{
	snprintf(r->key, sizeof r->key, "%s", error->key);
	return refuse(r, (yaml_mark_t){ .line = error->line, .column = error->column }, "%s",
		      error->words);
}

/* Keeps at most NAME_MAX_OCTETS printable octets for messages. */
static void keep_key(struct reader *r, const char *group, struct bytes name)
{
	size_t at = 0;
	for (; group && *group && at < GROUP_MAX; group++)
		r->key[at++] = *group;
	if (at)
		r->key[at++] = '.';
	for (size_t i = 0; i < name.n && at < NAME_MAX_OCTETS; i++)
		r->key[at++] = name.p[i] > 0x20 && name.p[i] < 0x7f ? (char)name.p[i] : '?';
	r->key[at] = 0;
}

static bool in_group(const struct schema_row *row, const char *group)
{
	size_t n = strlen(group);
	return n ? !strncmp(row->name, group, n) && row->name[n] == '.' : !strchr(row->name, '.');
}

/* Names that are allowed in a group, or at the top with the names of groups and sections. */
static void allowed_keys(const char *group, char *out, size_t len)
{
	size_t at = 0, skip = *group ? strlen(group) + 1 : 0;
	struct bytes last = { NULL, 0 };
	for (unsigned i = 0; i < settings_n && at < len; i++) {
		const struct schema_row *row = &settings_rows[i];
		if (row->use == SCHEMA_SCAN || (*group && !in_group(row, group)))
			continue;
		const char *rest = row->name + skip;
		struct bytes name = bytes_of(rest, strcspn(rest, "."));
		if (bytes_equal(name, last)) /* the next row of a group */
			continue;
		last = name;
		at += (size_t)snprintf(out + at, len - at, "%s%.*s", at ? ", " : "", (int)name.n,
				       rest);
	}
	for (int k = 0; !*group && k < KIND_N && at < len; k++)
		at += (size_t)snprintf(out + at, len - at, ", %s", kind_info[k].section);
}

static bool is_group(struct bytes name)
{
	for (unsigned i = 0; i < settings_n; i++) {
		size_t n = strcspn(settings_rows[i].name, ".");
		if (settings_rows[i].name[n] && n == name.n && n < GROUP_MAX &&
		    !memcmp(settings_rows[i].name, name.p, n))
			return true;
	}
	return false;
}

static int read_group(struct reader *r, struct bytes name, yaml_mark_t at)
{
	char group[GROUP_MAX];
	memcpy(group, name.p, name.n);
	group[name.n] = 0;
	for (unsigned i = 0; i < r->n_groups; i++)
		if (!strcmp(r->groups_seen[i], group))
			return refuse(r, at, "stands here a second time; write it once");
	/* every group is entered once, and there are fewer groups than rows */
	memcpy(r->groups_seen[r->n_groups++], group, sizeof group);
	memcpy(r->group, group, sizeof group);
	r->row = NULL;
	r->place = AT_VALUE;
	return 0;
}

static int read_section(struct reader *r, enum kind kind, yaml_mark_t at)
{
	if (r->sections_seen[kind])
		return refuse(r, at, "stands here a second time; write it once");
	r->sections_seen[kind] = true;
	if (!r->profiles)
		r->profiles = profiles_read_new();
	if (!r->profiles)
		return refuse(r, at, "out of memory");
	profiles_read_begin(r->profiles, kind);
	r->place = AT_SECTION;
	return 0;
}

static int read_in_section(struct reader *r, const yaml_event_t *e)
{
	struct profiles_read_error error;
	enum profiles_read_result got = profiles_read_event(r->profiles, e, &error);
	if (got == PROFILES_READ_BAD)
		return refuse_profile(r, &error);
	if (got == PROFILES_READ_DONE) {
		r->place = AT_KEY;
		r->key[0] = 0;
	}
	return 0;
}

/* There is no such setting. What belongs into a profile is told apart. */
static int refuse_key(struct reader *r, struct bytes name, bool inside, yaml_mark_t at)
{
	char allowed[ALLOWED_MAX];
	enum kind kind = inside ? kind_of_word(bytes_str(r->group)) : KIND_N;
	if (kind < KIND_N && kind_row(kind, name))
		return refuse(r, at,
			      "belongs to a profile; write it under %s, for example as %s: "
			      "{default: {%.*s: ...}}",
			      kind_info[kind].section, kind_info[kind].section, (int)name.n,
			      (const char *)name.p);
	allowed_keys(inside ? r->group : "", allowed, sizeof allowed);
	return refuse(r, at, "there is no such setting; allowed%s%s: %s", inside ? " in " : "",
		      inside ? r->group : "", allowed);
}

static int read_key(struct reader *r, struct bytes name, yaml_mark_t at)
{
	char full[NAME_MAX_OCTETS + GROUP_MAX + 2];
	bool inside = r->place == AT_GROUP;
	keep_key(r, inside ? r->group : NULL, name);
	if (!inside && is_group(name))
		return read_group(r, name, at);
	enum kind kind = inside ? KIND_N : kind_of_section(name);
	if (kind < KIND_N)
		return read_section(r, kind, at);
	r->row = NULL;
	bool plain = name.n && name.n <= NAME_MAX_OCTETS && !memchr(name.p, '.', name.n) &&
		     !memchr(name.p, 0, name.n);
	if (plain) {
		int n = snprintf(full, sizeof full, "%s%s%.*s", inside ? r->group : "",
				 inside ? "." : "", (int)name.n, (const char *)name.p);
		r->row = settings_find(bytes_of(full, (size_t)n));
	}
	if (!r->row || r->row->use == SCHEMA_SCAN)
		return refuse_key(r, name, inside, at);
	bool *seen = &r->seen[r->row - settings_rows];
	if (*seen)
		return refuse(r, at, "stands here a second time; write it once");
	*seen = true;
	r->place = inside ? AT_GROUP_VALUE : AT_VALUE;
	return 0;
}

static int read_value(struct reader *r, const yaml_event_t *e)
{
	char why[SCHEMA_WHY_MAX], allowed[ALLOWED_MAX];
	struct bytes value = bytes_of(e->data.scalar.value, e->data.scalar.length);
	bool quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (!r->row) {
		if (!value.n && !quoted) { /* a group with nothing in it */
			r->place = AT_KEY;
			return 0;
		}
		allowed_keys(r->group, allowed, sizeof allowed);
		return refuse(r, e->start_mark, "is a group, not a value; allowed in it: %s",
			      allowed);
	}
	bool text = r->row->type == SCHEMA_TEXT || r->row->type == SCHEMA_NAME;
	if (text && !quoted &&
	    (bytes_equal(value, bytes_str("null")) || bytes_equal(value, bytes_str("~")))) {
		schema_allowed(r->row, allowed, sizeof allowed);
		return refuse(r, e->start_mark, "has no value; allowed: %s", allowed);
	}
	if (r->row->type == SCHEMA_PORTS && !value.n) {
		schema_allowed(r->row, allowed, sizeof allowed);
		return refuse(r, e->start_mark, "has no value; allowed: %s, or [] for none",
			      allowed);
	}
	if (schema_set(r->row, r->cfg, value, quoted, why, sizeof why) < 0)
		return refuse(r, e->start_mark, "%s", why);
	r->place = r->place == AT_GROUP_VALUE ? AT_GROUP : AT_KEY;
	return 0;
}

/* One port of a list. The list as a whole is set at its end, so that the rules for it stand in one
 * place. */
static int read_item(struct reader *r, const yaml_event_t *e)
{
	char why[SCHEMA_WHY_MAX];
	struct config scratch = *r->cfg;
	struct bytes value = bytes_of(e->data.scalar.value, e->data.scalar.length);
	bool quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	bool one = value.n && value.n < 8 && !memchr(value.p, ',', value.n);
	size_t at = strlen(r->list);
	if (one)
		snprintf(r->list + at, sizeof r->list - at, "%s%.*s", at ? "," : "", (int)value.n,
			 (const char *)value.p);
	struct bytes tried = one ? bytes_str(r->list) : value;
	if (one && !quoted && schema_set(r->row, &scratch, tried, false, why, sizeof why) == 0) {
		r->listed++;
		return 0;
	}
	char allowed[256];
	schema_allowed(r->row, allowed, sizeof allowed);
	keep_key(r, NULL, bytes_str(r->row->name));
	return refuse(r, e->start_mark, "item %u of the list is not possible; allowed: %s",
		      r->listed + 1, allowed);
}

static int end_list(struct reader *r, yaml_mark_t at)
{
	char why[SCHEMA_WHY_MAX];
	if (schema_set(r->row, r->cfg, bytes_str(r->list), false, why, sizeof why) < 0)
		return refuse(r, at, "%s", why);
	r->place = r->in_group ? AT_GROUP : AT_KEY;
	return 0;
}

static int read_scalar(struct reader *r, const yaml_event_t *e)
{
	struct bytes value = bytes_of(e->data.scalar.value, e->data.scalar.length);
	if (e->data.scalar.anchor)
		return refuse(r, e->start_mark, "anchors (&name) are not allowed");
	if (e->data.scalar.tag)
		return refuse(r, e->start_mark, "tags (!name) are not allowed");
	switch (r->place) {
	case AT_KEY:
	case AT_GROUP:
		return read_key(r, value, e->start_mark);
	case AT_VALUE:
	case AT_GROUP_VALUE:
		return read_value(r, e);
	case AT_LIST:
		return read_item(r, e);
	default:
		if (r->place == AT_START && !value.n) { /* nothing but comments */
			r->place = AT_END;
			return 0;
		}
		return refuse(r, e->start_mark, "settings are written as \"name: value\"");
	}
}

static int read_mapping(struct reader *r, const yaml_event_t *e)
{
	char allowed[ALLOWED_MAX];
	if (e->data.mapping_start.anchor)
		return refuse(r, e->start_mark, "anchors (&name) are not allowed");
	if (e->data.mapping_start.tag)
		return refuse(r, e->start_mark, "tags (!name) are not allowed");
	if (r->place == AT_START) {
		r->place = AT_KEY;
		return 0;
	}
	if (r->place == AT_VALUE && !r->row) {
		r->place = AT_GROUP;
		return 0;
	}
	if (!r->row || r->place == AT_KEY || r->place == AT_GROUP)
		return refuse(r, e->start_mark, "a name is wanted here, not a group");
	schema_allowed(r->row, allowed, sizeof allowed);
	return refuse(r, e->start_mark, "a group is not possible here; allowed: %s", allowed);
}

static int read_sequence(struct reader *r, const yaml_event_t *e)
{
	char allowed[ALLOWED_MAX];
	if (e->data.sequence_start.anchor)
		return refuse(r, e->start_mark, "anchors (&name) are not allowed");
	if (e->data.sequence_start.tag)
		return refuse(r, e->start_mark, "tags (!name) are not allowed");
	bool value = r->place == AT_VALUE || r->place == AT_GROUP_VALUE;
	if (value && r->row && r->row->type == SCHEMA_PORTS) {
		r->in_group = r->place == AT_GROUP_VALUE;
		r->place = AT_LIST;
		r->list[0] = 0;
		r->listed = 0;
		return 0;
	}
	if (r->place != AT_LIST && (!value || !r->row))
		return refuse(r, e->start_mark, "settings are written as \"name: value\"");
	schema_allowed(r->row, allowed, sizeof allowed);
	return refuse(r, e->start_mark, "a list is not possible here; allowed: %s", allowed);
}

static int read_event(struct reader *r, const yaml_event_t *e)
{
	if (r->place == AT_SECTION)
		return read_in_section(r, e);
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (r->place == AT_END)
			return refuse(r, e->start_mark, "a second document is not allowed");
		return 0;
	case YAML_ALIAS_EVENT:
		return refuse(r, e->start_mark, "aliases (*name) are not allowed");
	case YAML_SCALAR_EVENT:
		return read_scalar(r, e);
	case YAML_MAPPING_START_EVENT:
		return read_mapping(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return read_sequence(r, e);
	case YAML_SEQUENCE_END_EVENT:
		return end_list(r, e->start_mark);
	case YAML_MAPPING_END_EVENT:
		r->place = r->place == AT_GROUP ? AT_KEY : AT_END;
		r->group[0] = 0;
		r->key[0] = 0;
		return 0;
	default:
		return 0;
	}
}

/* Those of the file in place of what was there. */
static int take_profiles(struct reader *r)
{
	struct profiles_read_error error;
	const struct profiles *p = r->cfg->profiles ? r->cfg->profiles : profiles_default();
	if (r->profiles) {
		p = profiles_read_end(r->profiles, &error);
		if (!p)
			return refuse_profile(r, &error);
		profiles_free(r->cfg->profiles);
	}
	r->cfg->profiles = p;
	return 0;
}

int settings_read(struct config *cfg, struct bytes text, const char *name, char *why,
		  size_t why_len)
{
	struct reader r = { .cfg = cfg, .file = name, .why = why, .why_len = why_len };
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser)) {
		snprintf(why, why_len, "%s: out of memory", name);
		return -1;
	}
	yaml_parser_set_input_string(&parser, text.n ? text.p : (const uint8_t *)"", text.n);
	int ret = 0;
	for (bool end = false; !end && ret == 0;) {
		yaml_event_t e;
		if (!yaml_parser_parse(&parser, &e)) {
			/* an octet that is no text has an offset only, no mark */
			yaml_mark_t at = parser.error == YAML_READER_ERROR ? parser.mark
									   : parser.problem_mark;
			r.key[0] = 0;
			ret = refuse(&r, at, "not YAML: %s",
				     parser.problem ? parser.problem : "out of memory");
			break;
		}
		ret = read_event(&r, &e);
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	if (ret == 0)
		ret = take_profiles(&r);
	profiles_read_free(r.profiles);
	return ret;
}
