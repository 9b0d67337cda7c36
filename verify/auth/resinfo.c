#include "verify/auth/resinfo.h"

#include "verify/header/cfws.h"

static bool is_keyword(uint8_t c)
{
	c = bytes_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* The text that ends at the next ";" outside of comments and quotes, and the place behind that. */
static struct bytes part(struct bytes in, size_t *at)
{
	size_t from = *at, i = from;
	bool whole;
	while (i < in.n && in.p[i] != ';')
		i = in.p[i] == '(' || in.p[i] == '"' ? cfws_enclosed(in, i, &whole) : i + 1;
	*at = i < in.n ? i + 1 : in.n + 1;
	return bytes_of(in.p + from, i - from);
}

struct cursor {
	struct bytes in;
	size_t at;
};

static bool at_end(struct cursor *c)
{
	c->at = cfws_skip(c->in, c->at);
	return c->at >= c->in.n;
}

static bool sign(struct cursor *c, uint8_t s)
{
	if (at_end(c) || c->in.p[c->at] != s)
		return false;
	c->at++;
	return true;
}

/* Empty: there is none. */
static struct bytes keyword(struct cursor *c)
{
	at_end(c);
	size_t from = c->at;
	while (c->at < c->in.n && is_keyword(c->in.p[c->at]))
		c->at++;
	return bytes_of(c->in.p + from, c->at - from);
}

/* p NULL: there is none, or it has no end, or the arena is full. */
static struct bytes value(struct resinfo_list *l, struct cursor *c)
{
	const struct bytes none = { NULL, 0 };
	if (at_end(c))
		return none;
	size_t from = c->at;
	bool whole = true, quoted = c->in.p[from] == '"';
	if (quoted)
		c->at = cfws_enclosed(c->in, from, &whole);
	size_t end = c->at;
	while (c->at < c->in.n && !cfws_blank(c->in.p[c->at]) && c->in.p[c->at] > ' ' &&
	       !memchr("(\"", c->in.p[c->at], 2))
		c->at++;
	if (!whole || c->at == from)
		return none;
	/* a quoted local part is part of its address as it stands */
	struct bytes all = bytes_of(c->in.p + from, c->at - from);
	if (!quoted || c->at > end)
		return all;
	struct bytes plain = cfws_unquote(all, l->arena);
	l->no_space |= !plain.p;
	return plain;
}

static bool read_instance(struct resinfo_list *l)
{
	struct cursor c = { part(l->in, &l->at), 0 };
	struct bytes name = keyword(&c);
	if (!bytes_equal(name, bytes_str("i")) || !sign(&c, '='))
		return false;
	struct bytes digits = keyword(&c);
	if (!digits.n || digits.n > 2 || !at_end(&c))
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
		l->instance = l->instance * 10 + digits.p[i] - '0';
	}
	return l->instance > 0;
}

bool resinfo_begin(struct resinfo_list *l, struct bytes in, bool arc, struct arena *arena)
{
	*l = (struct resinfo_list){ .in = in, .arena = arena };
	if (arc && !read_instance(l))
		return false;
	if (l->at > in.n)
		return false;
	struct cursor c = { part(in, &l->at), 0 };
	l->id = value(l, &c);
	if (!l->id.n)
		return false;
	if (!at_end(&c)) {
		l->version = keyword(&c);
		l->malformed += !l->version.n || !at_end(&c);
	}
	return true;
}

/* method[/version]=result [reason=value] *(ptype.name=value) */
static bool read_result(struct resinfo_list *l, struct cursor *c, struct resinfo *r)
{
	r->method = keyword(c);
	if (sign(c, '/')) {
		r->version = keyword(c);
		if (!r->version.n)
			return false;
	}
	if (!r->method.n || !sign(c, '='))
		return false;
	r->result = keyword(c);
	if (!r->result.n)
		return false;
	while (!at_end(c)) {
		struct resinfo_property p = { .ptype = keyword(c) };
		if (sign(c, '.')) {
			p.name = keyword(c);
		} else { /* reason=, or what some write without a type */
			p.name = p.ptype;
			p.ptype.n = 0;
		}
		if (!p.name.n || !sign(c, '='))
			return false;
		p.value = value(l, c);
		if (!p.value.p)
			return false;
		if (!p.ptype.n && !r->n && !r->reason.p &&
		    bytes_equal_nocase(p.name, bytes_str("reason")))
			r->reason = p.value;
		else if (r->n < RESINFO_PROPERTIES_MAX)
			r->property[r->n++] = p;
	}
	return true;
}

bool resinfo_next(struct resinfo_list *l, struct resinfo *r)
{
	while (l->at <= l->in.n) {
		bool last = l->at == l->in.n;
		struct cursor c = { part(l->in, &l->at), 0 };
		*r = (struct resinfo){ 0 };
		if (at_end(&c)) {
			l->malformed += !last; /* a ";" at the end is common */
			continue;
		}
		c.at = 0;
		if (read_result(l, &c, r))
			return true;
		struct cursor none = { c.in, 0 };
		if (!bytes_equal_nocase(keyword(&none), bytes_str("none")) || !at_end(&none))
			l->malformed++;
	}
	return false;
}

struct bytes resinfo_find(const struct resinfo *r, const char *ptype, const char *name)
{
	for (unsigned i = 0; i < r->n; i++)
		if (bytes_equal_nocase(r->property[i].ptype, bytes_str(ptype)) &&
		    bytes_equal_nocase(r->property[i].name, bytes_str(name)))
			return r->property[i].value;
	return (struct bytes){ NULL, 0 };
}
