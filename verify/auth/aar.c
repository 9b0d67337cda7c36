#include "verify/auth/aar.h"

#include "verify/auth/signature.h"

static bool is_white(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Over white space and comments. False: a comment has no end, or is nested too deep. */
static bool skip(struct bytes *b)
{
	size_t i = 0;
	unsigned depth = 0;
	for (; i < b->n; i++) {
		uint8_t c = b->p[i];
		if (c == '(') {
			if (++depth > AAR_DEPTH_MAX)
				return false;
		} else if (!depth) {
			if (!is_white(c))
				break;
		} else if (c == ')') {
			depth--;
		} else if (c == '\\') {
			i++;
		}
	}
	*b = bytes_from(*b, i);
	return depth == 0;
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (bytes_lower(c) >= 'a' && bytes_lower(c) <= 'z') ||
	       c == '-' || c == '_' || c == '.';
}

/* Letters, digits, hyphens, underscores and dots; may be empty. */
static struct bytes word(struct bytes *b)
{
	size_t i = 0;
	while (i < b->n && is_word(b->p[i]))
		i++;
	struct bytes w = bytes_head(*b, i);
	*b = bytes_from(*b, i);
	return w;
}

/* A quoted string, its quotes gone and its backslashes not, or all up to a blank, a semicolon or a
 * comment. False: a quoted string has no end. */
static bool value(struct bytes *b, struct bytes *out)
{
	size_t i = 0;
	if (!b->n || b->p[0] != '"') {
		while (i < b->n && !is_white(b->p[i]) && b->p[i] != ';' && b->p[i] != '(' &&
		       b->p[i] != '"')
			i++;
		*out = bytes_head(*b, i);
		*b = bytes_from(*b, i);
		return true;
	}
	for (i = 1; i < b->n && b->p[i] != '"'; i++)
		i += b->p[i] == '\\';
	if (i >= b->n)
		return false;
	*out = bytes_of(b->p + 1, i - 1);
	*b = bytes_from(*b, i + 1);
	return true;
}

static bool take(struct bytes *b, uint8_t c)
{
	if (!b->n || b->p[0] != c)
		return false;
	*b = bytes_from(*b, 1);
	return true;
}

uint8_t aar_instance(struct bytes v, struct bytes *payload)
{
	if (!skip(&v) || !bytes_equal(word(&v), bytes_str("i")))
		return 0;
	if (!skip(&v) || !take(&v, '=') || !skip(&v))
		return 0;
	uint8_t i = signature_position(word(&v));
	if (!i || !skip(&v) || !take(&v, ';'))
		return 0;
	*payload = v;
	return i;
}

struct result {
	bool dmarc; /* it is one of DMARC */
	bool pass;
	struct bytes from; /* header.from; empty: not there */
};

/* method ["/" version] "=" result. False: malformed. */
static bool parse_method(struct bytes *b, struct result *r)
{
	struct bytes method = word(b), version = bytes_str("1");
	if (!method.n || !skip(b))
		return false;
	if (take(b, '/')) {
		if (!skip(b))
			return false;
		version = word(b);
	}
	if (!skip(b) || !take(b, '=') || !skip(b))
		return false;
	struct bytes result = word(b);
	r->dmarc = bytes_equal_nocase(method, bytes_str("dmarc")) &&
		   bytes_equal(version, bytes_str("1"));
	r->pass = bytes_equal_nocase(result, bytes_str("pass"));
	return result.n > 0;
}

/* One result to its semicolon or the end, behind its own semicolon. False: malformed. */
static bool parse_result(struct bytes *b, struct result *r)
{
	*r = (struct result){ 0 };
	if (!skip(b))
		return false;
	if (!b->n)
		return true; /* the last semicolon */
	if (!parse_method(b, r)) /* also "none" alone, where there is no result */
		return false;
	for (;;) {
		struct bytes name, v;
		if (!skip(b))
			return false;
		if (!b->n || b->p[0] == ';')
			return true;
		name = word(b);
		if (!skip(b))
			return false;
		if (take(b, '=')) {
			if (!skip(b) || !value(b, &v))
				return false;
			if (bytes_equal_nocase(name, bytes_str("header.from")))
				r->from = v;
		} else if (!name.n && !(value(b, &v) && v.n)) {
			return false;
		}
	}
}

enum auth_result aar_dmarc(struct bytes payload, struct bytes *from)
{
	enum auth_result result = AUTH_NONE;
	struct bytes id;
	*from = bytes_of(NULL, 0);
	/* the authserv-id and, behind it, a version */
	if (!skip(&payload) || !value(&payload, &id) || !id.n || memchr(id.p, '=', id.n))
		return AUTH_NONE;
	if (!skip(&payload))
		return AUTH_NONE;
	word(&payload);
	if (!skip(&payload))
		return AUTH_NONE;
	while (payload.n) {
		struct result r;
		if (!take(&payload, ';') || !parse_result(&payload, &r))
			return AUTH_NONE;
		if (!r.dmarc)
			continue;
		bool other = from->n && r.from.n && !bytes_equal_nocase(*from, r.from);
		if (r.from.n)
			*from = r.from;
		if (!r.pass || other)
			result = AUTH_FAIL;
		else if (result == AUTH_NONE)
			result = AUTH_PASS;
	}
	return result;
}
