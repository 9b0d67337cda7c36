#include "control/section.h"

#include <stdlib.h>
#include <yaml.h>

#include "control/profiles_read.h"
#include "control/profiles_write.h"

/* ---- a section alone ---- */

static int refuse(const char *name, size_t line, size_t column, const char *key, const char *words,
		  char *why, size_t why_len)
{
	snprintf(why, why_len, "%s:%zu:%zu: %s%s%s", name, line + 1, column + 1, key,
		 *key ? ": " : "", words);
	return -1;
}

struct alone {
	struct profiles_read *read;
	enum kind kind;
	enum { BEFORE, KEY, INSIDE, BEHIND, ENDED } place;
	const char *name;
	char *why;
	size_t why_len;
};

static int alone_event(struct alone *a, const yaml_event_t *e)
{
	struct profiles_read_error error;
	char words[SCHEMA_WHY_MAX];
	if (a->place == INSIDE) {
		enum profiles_read_result got = profiles_read_event(a->read, e, &error);
		if (got == PROFILES_READ_BAD)
			return refuse(a->name, error.line, error.column, error.key, error.words,
				      a->why, a->why_len);
		a->place = got == PROFILES_READ_DONE ? BEHIND : INSIDE;
		return 0;
	}
	if (e->type == YAML_STREAM_START_EVENT || e->type == YAML_DOCUMENT_END_EVENT ||
	    e->type == YAML_STREAM_END_EVENT ||
	    (e->type == YAML_DOCUMENT_START_EVENT && a->place == BEFORE))
		return 0;
	if (a->place == BEFORE && e->type == YAML_MAPPING_START_EVENT) {
		a->place = KEY;
		return 0;
	}
	if (a->place == BEHIND && e->type == YAML_MAPPING_END_EVENT) {
		a->place = ENDED;
		return 0;
	}
	if (a->place == KEY && e->type == YAML_SCALAR_EVENT &&
	    bytes_equal(bytes_of(e->data.scalar.value, e->data.scalar.length),
			bytes_str(kind_info[a->kind].section))) {
		profiles_read_begin(a->read, a->kind);
		a->place = INSIDE;
		return 0;
	}
	snprintf(words, sizeof words, "one section is wanted here and nothing else: %s: with %s",
		 kind_info[a->kind].section,
		 kind_info[a->kind].row ? "profiles in it" : "lists in it");
	return refuse(a->name, e->start_mark.line, e->start_mark.column, "", words, a->why,
		      a->why_len);
}

static int alone_parse(struct alone *a, struct bytes text)
{
	yaml_parser_t parser;
	int ret = 0;
	if (!yaml_parser_initialize(&parser)) {
		snprintf(a->why, a->why_len, "%s: out of memory", a->name);
		return -1;
	}
	yaml_parser_set_input_string(&parser, text.n ? text.p : (const uint8_t *)"", text.n);
	for (bool end = false; !end && ret == 0;) {
		yaml_event_t e;
		if (!yaml_parser_parse(&parser, &e)) {
			yaml_mark_t at = parser.error == YAML_READER_ERROR ? parser.mark
									   : parser.problem_mark;
			char words[SCHEMA_WHY_MAX];
			snprintf(words, sizeof words, "not YAML: %s",
				 parser.problem ? parser.problem : "out of memory");
			ret = refuse(a->name, at.line, at.column, "", words, a->why, a->why_len);
			break;
		}
		ret = alone_event(a, &e);
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	if (ret == 0 && a->place != ENDED) {
		snprintf(a->why, a->why_len, "%s: is empty; it must have %s: in it", a->name,
			 kind_info[a->kind].section);
		ret = -1;
	}
	return ret;
}

struct profiles *section_parse(struct bytes text, enum kind kind, const char *name, char *why,
			       size_t why_len)
{
	struct alone a = { .kind = kind, .name = name, .why = why, .why_len = why_len };
	struct profiles *p = NULL;
	a.read = profiles_read_new();
	if (!a.read)
		snprintf(why, why_len, "%s: out of memory", name);
	else if (alone_parse(&a, text) == 0)
		p = profiles_read_take(a.read);
	profiles_read_free(a.read);
	return p;
}

/* ---- its place in a file ---- */

enum { DEPTH_MAX = 16 }; /* of a settings file that was read is less */

/* Places are in characters, as libyaml counts them. */
struct place {
	bool found, empty, flow; /* flow: the file is one {...} */
	size_t begin, end; /* of the key; behind the last that belongs to its value */
	size_t column; /* of the names at the top */
	bool ended; /* "..." */
	size_t document_end;
};

struct walk {
	struct place *place;
	const char *section;
	bool flow[DEPTH_MAX]; /* what is open */
	unsigned depth;
	bool value; /* at the top: a value comes */
	bool inside; /* in the section's value */
};

/* False: nested too deep. */
static bool walk_open(struct walk *w, bool flow, yaml_mark_t at)
{
	if (w->depth == DEPTH_MAX)
		return false;
	if (w->depth == 0) {
		w->place->flow = flow;
		w->place->empty = true;
		w->place->column = at.column;
	}
	w->flow[w->depth++] = flow;
	return true;
}

static void walk_scalar(struct walk *w, const yaml_event_t *e)
{
	struct bytes text = bytes_of(e->data.scalar.value, e->data.scalar.length);
	if (w->depth == 1 && !w->value) {
		w->place->empty = false;
		w->inside = bytes_equal(text, bytes_str(w->section));
		if (w->inside) {
			w->place->found = true;
			w->place->begin = e->start_mark.index;
			w->place->end = e->end_mark.index;
		}
		w->value = true;
		return;
	}
	/* an empty value's mark may lie on a later line */
	if (w->inside && (text.n || e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE))
		w->place->end = e->end_mark.index;
	if (w->depth == 1)
		w->value = w->inside = false;
}

/* The end of what is written as block has no mark of its own: that of its last scalar counts. */
static void walk_close(struct walk *w, const yaml_event_t *e)
{
	bool flow = w->depth && w->flow[--w->depth];
	if (w->inside && flow)
		w->place->end = e->end_mark.index;
	if (w->depth == 1)
		w->value = w->inside = false;
}

static bool walk_event(struct walk *w, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		walk_scalar(w, e);
		return true;
	case YAML_MAPPING_START_EVENT:
		return walk_open(w, e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE,
				 e->start_mark);
	case YAML_SEQUENCE_START_EVENT:
		return walk_open(w, e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
				 e->start_mark);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		walk_close(w, e);
		return true;
	case YAML_DOCUMENT_END_EVENT:
		w->place->ended = !e->data.document_end.implicit;
		w->place->document_end = e->start_mark.index;
		return true;
	default:
		return true;
	}
}

/* False: it is not YAML, or not a settings file. */
static bool find(struct bytes text, const char *section, struct place *place)
{
	struct walk w = { .place = place, .section = section };
	yaml_parser_t parser;
	bool good = true;
	if (!yaml_parser_initialize(&parser))
		return false;
	yaml_parser_set_input_string(&parser, text.n ? text.p : (const uint8_t *)"", text.n);
	for (bool end = false; !end && good;) {
		yaml_event_t e;
		good = yaml_parser_parse(&parser, &e);
		if (!good)
			break;
		good = walk_event(&w, &e);
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	return good;
}

/* Where the text begins: behind a byte order mark. */
static size_t first(struct bytes text)
{
	return text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3) ? 3 : 0;
}

/* From characters to octets; libyaml does not count a byte order mark in front. */
static size_t octets(struct bytes text, size_t characters)
{
	size_t i = first(text);
	for (; i < text.n; i++) {
		if ((text.p[i] & 0xc0) == 0x80)
			continue;
		if (!characters--)
			break;
	}
	return i;
}

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The beginning of the line that has off; where something else stands before it: off + 1. */
static size_t line_begin(struct bytes text, size_t off)
{
	size_t at = off;
	while (at > first(text) && blank(text.p[at - 1]))
		at--;
	return at == first(text) || text.p[at - 1] == '\n' ? at : off + 1;
}

/* Behind the end of the line; where something else than a comment follows: text.n + 1. */
static size_t line_end(struct bytes text, size_t off)
{
	if (off && text.p[off - 1] == '\n')
		return off;
	while (off < text.n && blank(text.p[off]))
		off++;
	/* ':' is the name's, before nothing */
	if (off < text.n && text.p[off] == ':')
		for (off++; off < text.n && blank(text.p[off]);)
			off++;
	if (off < text.n && text.p[off] != '\n' && text.p[off] != '#')
		return text.n + 1;
	const uint8_t *lf = off < text.n ? memchr(text.p + off, '\n', text.n - off) : NULL;
	return lf ? (size_t)(lf - text.p) + 1 : text.n;
}

static int put_together(struct bytes text, size_t begin, size_t end, const struct profiles *p,
			enum kind kind, unsigned indent, struct bytes *out)
{
	char *all = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&all, &n);
	if (!f)
		return -1;
	fwrite(text.p, 1, begin, f);
	if (begin > first(text) && text.p[begin - 1] != '\n')
		fputc('\n', f);
	profiles_write(f, p, kind, indent);
	fwrite(text.p + end, 1, text.n - end, f);
	bool good = !ferror(f);
	if (fclose(f) || !good) {
		free(all);
		return -1;
	}
	*out = bytes_of(all, n);
	return 0;
}

int section_splice(struct bytes text, enum kind kind, const struct profiles *p, const char *name,
		   struct bytes *out, char *why, size_t why_len)
{
	const char *section = kind_info[kind].section;
	struct place place = { .empty = true };
	bool wide =
		text.n >= 2 && (!memcmp(text.p, "\xff\xfe", 2) || !memcmp(text.p, "\xfe\xff", 2));
	if (wide || !find(text, section, &place)) {
		snprintf(why, why_len, "%s: is no settings file in UTF-8", name);
		return -1;
	}
	size_t begin = text.n, end = text.n;
	if (place.found) {
		begin = line_begin(text, octets(text, place.begin));
		end = line_end(text, octets(text, place.end));
	} else if (place.ended) {
		begin = end = line_begin(text, octets(text, place.document_end));
	}
	if (place.flow || begin > end || end > text.n) {
		snprintf(why, why_len,
			 "%s: %s does not stand on lines of its own; write the file as lines of "
			 "name: value",
			 name, place.found ? section : "what is in {}");
		return -1;
	}
	unsigned indent = place.empty ? 0 : (unsigned)place.column;
	if (put_together(text, begin, end, p, kind, indent, out) < 0) {
		snprintf(why, why_len, "%s: out of memory", name);
		return -1;
	}
	return 0;
}
