#include "control/profiles_read.h"

#include <stdarg.h>
#include <stdlib.h>

/*
 * A section is a mapping of names to profiles or lists; a profile a mapping of rows, a row a scalar
 * or, where it is a list, a sequence of scalars. So the place is one of these, without a stack.
 */
enum place {
	AT_SECTION, /* its value comes */
	AT_NAME, /* of a profile or list */
	AT_ITEM, /* its value comes */
	AT_ROW, /* name of a row */
	AT_VALUE, /* of the row */
	AT_ENTRY, /* of a list */
};

struct mark {
	uint32_t line, column;
};

struct entry { /* of the list in the making */
	size_t off;
	struct mark mark;
	uint32_t len;
};

struct reference { /* a profile names a list */
	enum kind kind, list;
	struct mark mark;
	const struct schema_row *row;
	char item[PROFILE_NAME_MAX], name[PROFILE_NAME_MAX];
};

enum { ROWS_MAX = 64 };

struct profiles_read {
	struct profiles *p;
	struct profiles_read_error *error;
	enum kind kind;
	enum place place;
	char name[PROFILE_NAME_MAX]; /* of the item */
	struct mark named; /* where */
	void *item; /* of a kind of profiles; good until the next is added */
	const struct schema_row *row; /* NULL at AT_VALUE: preset */
	unsigned rows_seen;
	bool seen[ROWS_MAX];
	bool default_seen[KIND_N]; /* of those that are always there */
	/* the list in the making */
	struct entry *entry;
	uint32_t n, room;
	uint8_t *octets;
	size_t len, cap;
	struct reference *reference;
	unsigned n_reference, reference_room;
};

struct profiles_read *profiles_read_new(void)
{
	struct profiles_read *r = calloc(1, sizeof *r);
	if (r)
		r->p = profiles_new();
	if (r && !r->p) {
		free(r);
		r = NULL;
	}
	return r;
}

void profiles_read_free(struct profiles_read *r)
{
	if (!r)
		return;
	profiles_free(r->p);
	free(r->entry);
	free(r->octets);
	free(r->reference);
	free(r);
}

void profiles_read_begin(struct profiles_read *r, enum kind kind)
{
	r->kind = kind;
	r->place = AT_SECTION;
	r->name[0] = 0;
	r->row = NULL;
}

/* ---- what is wrong ---- */

static struct mark mark_of(yaml_mark_t at)
{
	return (struct mark){ (uint32_t)at.line, (uint32_t)at.column };
}

static enum profiles_read_result refuse(struct profiles_read *r, struct mark at, const char *form,
					...) __attribute__((format(printf, 3, 4)));

/* The key is the section's, the item's and the row's as far as they are known. */
static enum profiles_read_result refuse(struct profiles_read *r, struct mark at, const char *form,
					...)
{
	const char *row = r->row ? r->row->name : NULL;
	va_list ap;
	va_start(ap, form);
	vsnprintf(r->error->words, sizeof r->error->words, form, ap);
	va_end(ap);
	r->error->line = at.line;
	r->error->column = at.column;
	snprintf(r->error->key, sizeof r->error->key, "%s%s%s%s%s", kind_info[r->kind].section,
		 r->name[0] ? "." : "", r->name, row ? "." : "", row ? row : "");
	return PROFILES_READ_BAD;
}

static void shown(struct bytes text, char out[PROFILE_NAME_MAX])
{
	size_t n = 0;
	for (; n < text.n && n < PROFILE_NAME_MAX - 4; n++)
		out[n] = text.p[n] > 0x20 && text.p[n] < 0x7f ? (char)text.p[n] : '?';
	strcpy(out + n, n < text.n ? "..." : "");
}

static void allowed_rows(const struct kind_info *info, char *out, size_t len)
{
	size_t at = 0;
	out[0] = 0;
	for (unsigned i = 0; i < info->n_row && at < len; i++)
		at += (size_t)snprintf(out + at, len - at, "%s%s", i ? ", " : "",
				       info->row[i].name);
}

/* What the value of an item must look like. */
static const char *item_form(const struct profiles_read *r)
{
	return kind_info[r->kind].row ? "its settings as name: value, each on a line of its own"
	       : r->kind == KIND_SEALERS
		       ? "a list of domains, or []"
		       : "a list of domains, mail addresses and IP prefixes, or []";
}

static enum profiles_read_result out_of_memory(struct profiles_read *r, struct mark at)
{
	return refuse(r, at, "out of memory");
}

/* ---- lists ---- */

static bool is_text(const struct profiles_read *r)
{
	return r->row && r->row->type == SCHEMA_NAMES;
}

static enum profiles_read_result add_entry(struct profiles_read *r, struct bytes value,
					   struct mark at)
{
	char text[PROFILE_NAME_MAX];
	if (r->n == LIST_ENTRIES_MAX)
		return refuse(r, at, "more than %d entries; a list has at most so many",
			      LIST_ENTRIES_MAX);
	bool wrong = value.n > LIST_ENTRY_MAX || (is_text(r) && value.n < 2);
	for (size_t i = 0; i < value.n && !wrong; i++)
		wrong = value.p[i] < 0x20 || value.p[i] == 0x7f;
	shown(value, text);
	if (wrong)
		return refuse(r, at, "entry \"%s\" is not possible; allowed: %s", text,
			      is_text(r) ? "a name of 2 to 512 octets without control characters"
					 : "a domain, a mail address or an IP prefix");
	if (r->n == r->room) {
		uint32_t room = r->room ? 2 * r->room : 64;
		struct entry *more = realloc(r->entry, room * sizeof *more);
		if (!more)
			return out_of_memory(r, at);
		r->entry = more;
		r->room = room;
	}
	if (r->cap - r->len < value.n) {
		size_t cap = 2 * r->cap + 4096;
		uint8_t *more = realloc(r->octets, cap);
		if (!more)
			return out_of_memory(r, at);
		r->octets = more;
		r->cap = cap;
	}
	if (value.n)
		memcpy(r->octets + r->len, value.p, value.n);
	r->entry[r->n++] = (struct entry){ r->len, at, (uint32_t)value.n };
	r->len += value.n;
	return PROFILES_READ_MORE;
}

static void put_list(struct profiles_read *r, struct list *l)
{
	struct names_profile *names = r->item;
	const struct list **field = !strcmp(r->row->name, "names") ? &names->names
				    : !strcmp(r->row->name, "own") ? &names->own
								   : &names->except;
	*field = l; /* a row is read once, so there was none */
}

/* Else only domains make sense: of sealers, and of those a name belongs to. */
static bool takes_addresses(const struct profiles_read *r)
{
	return r->row ? strcmp(r->row->name, "own") != 0 : r->kind != KIND_SEALERS;
}

/* The first entry that is no domain, where nothing else makes sense; n: all are good. */
static uint32_t not_domain(const struct profiles_read *r, const struct list *l)
{
	uint32_t i = 0, n = list_count(l);
	if (takes_addresses(r) || is_text(r))
		return n;
	while (i < n && list_has_domain(l, list_entry(l, i)))
		i++;
	return i;
}

static enum profiles_read_result end_list(struct profiles_read *r, struct mark at)
{
	uint32_t bad;
	struct bytes *entry = malloc((r->n + 1) * sizeof *entry);
	char text[PROFILE_NAME_MAX];
	if (!entry)
		return out_of_memory(r, at);
	for (uint32_t i = 0; i < r->n; i++)
		entry[i] = bytes_of(r->octets + r->entry[i].off, r->entry[i].len);
	struct list *l = list_new(r->name, entry, r->n, is_text(r), &bad);
	if (l && (bad = not_domain(r, l)) < r->n) {
		list_free(l);
		l = NULL;
	}
	if (!l && bad < r->n)
		shown(entry[bad], text);
	free(entry);
	if (!l && bad < r->n)
		return refuse(
			r, r->entry[bad].mark,
			"entry \"%s\" is not possible; allowed: a domain in A-labels "
			"(example.com, which stands for all below it too), a mail address, an "
			"IP address or prefix (192.0.2.0/24)",
			text);
	if (!l)
		return out_of_memory(r, at);
	r->n = 0;
	r->len = 0;
	if (r->row) {
		put_list(r, l);
		r->row = NULL;
		r->place = AT_ROW;
		return PROFILES_READ_MORE;
	}
	if (profiles_add_list(r->p, r->kind, l) < 0)
		return refuse(r, r->named, "more than %d; there may be so many", PROFILES_MAX);
	r->name[0] = 0;
	r->place = AT_NAME;
	return PROFILES_READ_MORE;
}

/* ---- profiles ---- */

static enum profiles_read_result read_name(struct profiles_read *r, struct bytes name,
					   struct mark at)
{
	char text[PROFILE_NAME_MAX];
	const struct kind_info *info = &kind_info[r->kind];
	r->name[0] = 0;
	if (!schema_is_name(name)) {
		shown(name, text);
		return refuse(r, at, "\"%s\" is no name; allowed: 1 to %d letters, digits, - _ .",
			      text, PROFILE_NAME_MAX - 1);
	}
	bool is_default = info->options && bytes_equal(name, bytes_str("default"));
	bool there = is_default
			     ? r->default_seen[r->kind]
			     : profiles_find(r->p, r->kind, name) < profiles_count(r->p, r->kind);
	memcpy(r->name, name.p, name.n);
	r->name[name.n] = 0;
	r->named = at;
	if (there)
		return refuse(r, at, "stands here a second time; write it once");
	if (is_default)
		r->default_seen[r->kind] = true;
	else if (profiles_count(r->p, r->kind) == PROFILES_MAX)
		return refuse(r, at, "more than %d; there may be so many", PROFILES_MAX);
	if (info->row) {
		r->item = profiles_add(r->p, r->kind, name);
		if (!r->item)
			return out_of_memory(r, at);
	}
	r->rows_seen = 0;
	memset(r->seen, 0, sizeof r->seen);
	r->place = AT_ITEM;
	return PROFILES_READ_MORE;
}

static enum profiles_read_result read_row(struct profiles_read *r, struct bytes name,
					  struct mark at)
{
	const struct kind_info *info = &kind_info[r->kind];
	char allowed[400], text[PROFILE_NAME_MAX];
	r->row = NULL;
	shown(name, text);
	if (info->n_preset && bytes_equal(name, bytes_str("preset"))) {
		if (r->rows_seen++)
			return refuse(r, at, "preset: must stand first in a profile, and once");
		r->place = AT_VALUE;
		return PROFILES_READ_MORE;
	}
	r->row = kind_row(r->kind, name);
	if (!r->row) {
		allowed_rows(info, allowed, sizeof allowed);
		return refuse(r, at, "there is no setting \"%s\"; allowed: %s%s", text,
			      info->n_preset ? "preset, " : "", allowed);
	}
	bool *seen = &r->seen[r->row - info->row];
	if (*seen)
		return refuse(r, at, "stands here a second time; write it once");
	*seen = true;
	r->rows_seen++;
	r->place = AT_VALUE;
	return PROFILES_READ_MORE;
}

/* Lists may come behind the profiles that name them: looked up at the end. */
static bool note_reference(struct profiles_read *r, enum kind list, struct bytes name,
			   struct mark at)
{
	if (r->n_reference == r->reference_room) {
		unsigned room = r->reference_room ? 2 * r->reference_room : 16;
		struct reference *more = realloc(r->reference, room * sizeof *more);
		if (!more)
			return false;
		r->reference = more;
		r->reference_room = room;
	}
	struct reference *f = &r->reference[r->n_reference++];
	*f = (struct reference){ .kind = r->kind, .list = list, .mark = at, .row = r->row };
	memcpy(f->item, r->name, sizeof f->item);
	memcpy(f->name, name.p, name.n);
	return true;
}

static enum profiles_read_result read_value(struct profiles_read *r, const yaml_event_t *e)
{
	struct mark at = mark_of(e->start_mark);
	struct bytes value = bytes_of(e->data.scalar.value, e->data.scalar.length);
	bool quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	char why[SCHEMA_WHY_MAX], allowed[256];
	if (!r->row) {
		if (kind_take_preset(r->item, r->kind, value, why, sizeof why) < 0)
			return refuse(r, at, "preset: %s", why);
		r->place = AT_ROW;
		return PROFILES_READ_MORE;
	}
	schema_allowed(r->row, allowed, sizeof allowed);
	if (r->row->type == SCHEMA_LIST || r->row->type == SCHEMA_NAMES)
		return refuse(r, at, "is a list; allowed: %s, such as [a, b]", allowed);
	if (!quoted &&
	    (bytes_equal(value, bytes_str("null")) || bytes_equal(value, bytes_str("~"))))
		return refuse(r, at, "has no value; allowed: %s", allowed);
	if (schema_set(r->row, r->item, value, quoted, why, sizeof why) < 0)
		return refuse(r, at, "%s", why);
	enum kind list = kind_names_list(r->row);
	if (list != KIND_N && value.n && !note_reference(r, list, value, at))
		return out_of_memory(r, at);
	r->row = NULL;
	r->place = AT_ROW;
	return PROFILES_READ_MORE;
}

static enum profiles_read_result end_item(struct profiles_read *r)
{
	char why[SCHEMA_WHY_MAX];
	r->row = NULL;
	if (kind_check(r->kind, r->item, why, sizeof why) < 0)
		return refuse(r, r->named, "%s", why);
	r->name[0] = 0;
	r->place = AT_NAME;
	return PROFILES_READ_MORE;
}

/* ---- events ---- */

static enum profiles_read_result read_scalar(struct profiles_read *r, const yaml_event_t *e)
{
	struct mark at = mark_of(e->start_mark);
	struct bytes value = bytes_of(e->data.scalar.value, e->data.scalar.length);
	bool empty = !value.n && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	switch (r->place) {
	case AT_SECTION:
		if (empty) /* nothing but comments */
			return PROFILES_READ_DONE;
		return refuse(r, at, "is no single value; allowed: NAME: %s", item_form(r));
	case AT_NAME:
		return read_name(r, value, at);
	case AT_ITEM:
		if (empty && kind_info[r->kind].row)
			return end_item(r);
		return refuse(r, at, "is no single value; allowed: %s", item_form(r));
	case AT_ROW:
		return read_row(r, value, at);
	case AT_VALUE:
		return read_value(r, e);
	default:
		return add_entry(r, value, at);
	}
}

static enum profiles_read_result read_mapping(struct profiles_read *r, struct mark at)
{
	char allowed[256];
	if (r->place == AT_SECTION) {
		r->place = AT_NAME;
		return PROFILES_READ_MORE;
	}
	if (r->place == AT_ITEM && kind_info[r->kind].row) {
		r->place = AT_ROW;
		return PROFILES_READ_MORE;
	}
	if (r->place == AT_ITEM)
		return refuse(r, at, "is no group; allowed: %s", item_form(r));
	if (r->place == AT_VALUE && r->row) {
		schema_allowed(r->row, allowed, sizeof allowed);
		return refuse(r, at, "is no group; allowed: %s", allowed);
	}
	return refuse(r, at, "a group is not possible here");
}

static enum profiles_read_result read_sequence(struct profiles_read *r, struct mark at)
{
	char allowed[256] = "";
	bool list = r->place == AT_ITEM && !kind_info[r->kind].row;
	bool row = r->place == AT_VALUE && r->row &&
		   (r->row->type == SCHEMA_LIST || r->row->type == SCHEMA_NAMES);
	if (list || row) {
		r->place = AT_ENTRY;
		r->n = 0;
		r->len = 0;
		return PROFILES_READ_MORE;
	}
	if (r->place == AT_VALUE && r->row) {
		schema_allowed(r->row, allowed, sizeof allowed);
		return refuse(r, at, "is no list; allowed: %s", allowed);
	}
	if (r->place == AT_ITEM || r->place == AT_SECTION)
		return refuse(r, at, "is no list; allowed: %s%s",
			      r->place == AT_SECTION ? "NAME: " : "", item_form(r));
	return refuse(r, at, "a list is not possible here");
}

static bool is_marked(const yaml_event_t *e, const char **what)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	if (e->type == YAML_SCALAR_EVENT) {
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
	}
	*what = e->type == YAML_ALIAS_EVENT ? "aliases (*name)"
		: anchor                    ? "anchors (&name)"
		: tag                       ? "tags (!name)"
					    : NULL;
	return *what;
}

enum profiles_read_result profiles_read_event(struct profiles_read *r, const yaml_event_t *e,
					      struct profiles_read_error *error)
{
	const char *what;
	r->error = error;
	if (is_marked(e, &what))
		return refuse(r, mark_of(e->start_mark), "%s are not allowed", what);
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r, e);
	case YAML_MAPPING_START_EVENT:
		return read_mapping(r, mark_of(e->start_mark));
	case YAML_SEQUENCE_START_EVENT:
		return read_sequence(r, mark_of(e->start_mark));
	case YAML_SEQUENCE_END_EVENT:
		return end_list(r, mark_of(e->start_mark));
	case YAML_MAPPING_END_EVENT:
		return r->place == AT_ROW ? end_item(r) : PROFILES_READ_DONE;
	default:
		return PROFILES_READ_MORE;
	}
}

struct profiles *profiles_read_take(struct profiles_read *r)
{
	struct profiles *p = r->p;
	r->p = NULL;
	return p;
}

struct profiles *profiles_read_end(struct profiles_read *r, struct profiles_read_error *error)
{
	r->error = error;
	for (unsigned i = 0; i < r->n_reference; i++) {
		const struct reference *f = &r->reference[i];
		if (profiles_find(r->p, f->list, bytes_str(f->name)) <
		    profiles_count(r->p, f->list))
			continue;
		r->kind = f->kind;
		r->row = f->row;
		memcpy(r->name, f->item, sizeof r->name);
		refuse(r, f->mark, "there is no %s \"%s\"; write it in %s", kind_info[f->list].noun,
		       f->name, kind_info[f->list].section);
		return NULL;
	}
	return profiles_read_take(r);
}
