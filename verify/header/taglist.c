#include "verify/header/taglist.h"

#include "base/eight.h"

static bool is_alpha(uint8_t c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z';
}

static bool is_name(uint8_t c)
{
	return is_alpha(c) || (c >= '0' && c <= '9') || c == '_';
}

/* Moves *i over white space. False: a CR or LF that folds nothing. */
static inline bool skip_white(struct bytes in, size_t *i)
{
	size_t at = *i;
	bool folds = true;
	while (at < in.n && in.p[at] <= ' ' && folds) {
		uint8_t c = in.p[at];
		if (c == ' ' || c == '\t') {
			at++;
		} else if (c == '\r' || c == '\n') {
			folds = in.n - at >= 3 && c == '\r' && in.p[at + 1] == '\n' &&
				(in.p[at + 2] == ' ' || in.p[at + 2] == '\t');
			at += folds ? 3 : 0;
		} else {
			break;
		}
	}
	*i = at;
	return folds;
}

/* The next place from i on of a semicolon, a blank or what no value has; n: there is none. */
static size_t plain_end(struct bytes in, size_t i)
{
	for (; in.n - i >= 8; i += 8) {
		uint64_t x = eight_load(in.p + i);
		uint64_t end = eight_under(x, '!') | eight_is(x, ';') | eight_is(x, 0x7f);
		if (end)
			return i + eight_first(end);
	}
	while (i < in.n && in.p[i] > ' ' && in.p[i] != ';' && in.p[i] != 0x7f)
		i++;
	return i;
}

/* The value from *i to the semicolon or the end. */
static bool parse_value(struct bytes in, size_t *i, struct tag *t)
{
	size_t start = *i, first, last;
	if (!skip_white(in, i))
		return false;
	first = last = *i;
	for (;;) {
		size_t end = plain_end(in, *i);
		if (end > *i)
			*i = last = end;
		if (end == in.n || in.p[end] == ';')
			break;
		if (!skip_white(in, i) || *i == end)
			return false;
	}
	t->raw = bytes_of(in.p + start, *i - start);
	t->value = bytes_of(in.p + first, last - first);
	return true;
}

static bool parse_tag(struct bytes in, size_t *i, struct tag *t)
{
	size_t start = *i, end = start;
	if (!is_alpha(in.p[start]))
		return false;
	while (end < in.n && is_name(in.p[end]))
		end++;
	t->name = bytes_of(in.p + start, end - start);
	*i = end;
	if (!skip_white(in, i) || *i >= in.n || in.p[*i] != '=')
		return false;
	(*i)++;
	return parse_value(in, i, t);
}

/* Where a name of one letter, which most have, is noted; NULL: a longer one. */
static uint8_t *noted(struct taglist *t, struct bytes name)
{
	return name.n == 1 ? &t->letter[name.p[0] - 'A'] : NULL;
}

/* False: a tag of that name is there. */
static bool add(struct taglist *t, const struct tag *tag)
{
	uint8_t *letter = noted(t, tag->name);
	if (letter && *letter)
		return false;
	for (unsigned k = 0; !letter && k < t->n; k++)
		if (bytes_equal(t->tag[k].name, tag->name))
			return false;
	t->tag[t->n++] = *tag;
	if (letter)
		*letter = t->n;
	return true;
}

bool taglist_parse(struct taglist *t, struct bytes in)
{
	size_t i = 0;
	t->n = 0;
	memset(t->letter, 0, sizeof t->letter);
	for (;;) {
		struct tag tag;
		if (!skip_white(in, &i))
			return false;
		if (i == in.n)
			return t->n > 0;
		if (t->n == TAGLIST_MAX || !parse_tag(in, &i, &tag) || !add(t, &tag))
			return false;
		if (i < in.n)
			i++; /* the semicolon */
	}
}

const struct tag *taglist_find_long(const struct taglist *t, const char *name)
{
	struct bytes wanted = bytes_str(name);
	for (unsigned i = 0; i < t->n; i++)
		if (bytes_equal(t->tag[i].name, wanted))
			return &t->tag[i];
	return NULL;
}

bool taglist_item(struct bytes *list, struct bytes *item)
{
	if (!list->p)
		return false;
	size_t n = 0;
	uint64_t colon = 0;
	while (list->n - n >= 8 && !(colon = eight_is(eight_load(list->p + n), ':')))
		n += 8;
	if (colon)
		n += eight_first(colon);
	while (!colon && n < list->n && list->p[n] != ':')
		n++;
	*item = bytes_trim(bytes_of(list->p, n));
	*list = n < list->n ? bytes_from(*list, n + 1) : (struct bytes){ NULL, 0 };
	return true;
}
