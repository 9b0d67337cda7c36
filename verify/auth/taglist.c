#include "verify/auth/taglist.h"

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
static bool skip_white(struct bytes in, size_t *i)
{
	while (*i < in.n) {
		uint8_t c = in.p[*i];
		if (c == ' ' || c == '\t') {
			(*i)++;
		} else if (c == '\r' || c == '\n') {
			if (in.n - *i < 3 || c != '\r' || in.p[*i + 1] != '\n' ||
			    (in.p[*i + 2] != ' ' && in.p[*i + 2] != '\t'))
				return false;
			*i += 3;
		} else {
			return true;
		}
	}
	return true;
}

/* The value from *i to the semicolon or the end. */
static bool parse_value(struct bytes in, size_t *i, struct tag *t)
{
	size_t start = *i, first, last;
	if (!skip_white(in, i))
		return false;
	first = last = *i;
	while (*i < in.n && in.p[*i] != ';') {
		uint8_t c = in.p[*i];
		if (c == ' ' || c == '\t' || c == '\r') {
			if (!skip_white(in, i))
				return false;
			continue;
		}
		if (c < 0x21 || c == 0x7f)
			return false;
		last = ++*i;
	}
	t->raw = bytes_of(in.p + start, *i - start);
	t->value = bytes_of(in.p + first, last - first);
	return true;
}

static bool parse_tag(struct bytes in, size_t *i, struct tag *t)
{
	size_t start = *i;
	if (!is_alpha(in.p[start]))
		return false;
	while (*i < in.n && is_name(in.p[*i]))
		(*i)++;
	t->name = bytes_of(in.p + start, *i - start);
	if (!skip_white(in, i) || *i >= in.n || in.p[*i] != '=')
		return false;
	(*i)++;
	return parse_value(in, i, t);
}

bool taglist_parse(struct taglist *t, struct bytes in)
{
	size_t i = 0;
	t->n = 0;
	for (;;) {
		struct tag tag;
		if (!skip_white(in, &i))
			return false;
		if (i == in.n)
			return t->n > 0;
		if (t->n == TAGLIST_MAX || !parse_tag(in, &i, &tag))
			return false;
		for (unsigned k = 0; k < t->n; k++)
			if (bytes_equal(t->tag[k].name, tag.name))
				return false;
		t->tag[t->n++] = tag;
		if (i < in.n)
			i++; /* the semicolon */
	}
}

const struct tag *taglist_find(const struct taglist *t, const char *name)
{
	for (unsigned i = 0; i < t->n; i++)
		if (bytes_equal(t->tag[i].name, bytes_str(name)))
			return &t->tag[i];
	return NULL;
}

bool taglist_item(struct bytes *list, struct bytes *item)
{
	if (!list->p)
		return false;
	const uint8_t *colon = list->n ? memchr(list->p, ':', list->n) : NULL;
	size_t n = colon ? (size_t)(colon - list->p) : list->n;
	*item = bytes_trim(bytes_of(list->p, n));
	*list = colon ? bytes_of(colon + 1, list->n - n - 1) : (struct bytes){ NULL, 0 };
	return true;
}
