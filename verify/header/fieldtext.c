#include "verify/header/fieldtext.h"

#include "base/utf8.h"

/* Sets of ASCII octets, a bit for each: 0..63, 64..127. */
typedef const uint64_t octet_set[2];

static bool is_in(octet_set set, uint8_t c)
{
	return c < 0x80 && (set[c / 64] >> c % 64 & 1);
}

static void put(struct fieldtext *f, uint8_t c)
{
	if (f->n == f->max) {
		f->full = true;
		return;
	}
	f->p[f->n++] = c;
	if (f->n - f->line <= f->width || !f->fold)
		return;
	/* the blank becomes a line end and a tab */
	if (f->max - f->n < 2) {
		f->full = true;
		return;
	}
	memmove(f->p + f->fold + 3, f->p + f->fold + 1, f->n - f->fold - 1);
	memcpy(f->p + f->fold, "\r\n\t", 3);
	f->n += 2;
	f->line = f->fold + 2;
	f->fold = 0;
}

void fieldtext_begin(struct fieldtext *f, struct arena *arena, const char *name, size_t width,
		     size_t max)
{
	enum { ALIGN = 16 };
	size_t left = arena->size - arena->used;
	left = left < ALIGN ? 0 : left - ALIGN;
	*f = (struct fieldtext){ .arena = arena, .max = max < left ? max : left, .width = width };
	f->p = arena_take(arena, f->max);
	if (!f->p)
		f->max = 0;
	fieldtext_put(f, name);
	put(f, ':');
	put(f, ' ');
}

struct bytes fieldtext_end(struct fieldtext *f)
{
	if (f->p)
		f->arena->used = (size_t)(f->p - f->arena->base) + (f->full ? 0 : f->n);
	return f->full ? bytes_of(NULL, 0) : bytes_of(f->p, f->n);
}

/* What neither fills the line nor the room goes in at once. */
void fieldtext_run(struct fieldtext *f, const uint8_t *p, size_t n)
{
	if (n <= f->max - f->n && f->n - f->line + n <= f->width) {
		memcpy(f->p + f->n, p, n);
		f->n += n;
		return;
	}
	for (size_t i = 0; i < n; i++)
		put(f, p[i]);
}

void fieldtext_number(struct fieldtext *f, uint64_t number)
{
	char digits[21];
	size_t n = sizeof digits;
	digits[--n] = 0;
	do {
		digits[--n] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	fieldtext_put(f, digits + n);
}

void fieldtext_blank(struct fieldtext *f)
{
	/* noted before it is written: a blank in the last column is folded itself */
	f->fold = f->n;
	put(f, ' ');
}

void fieldtext_line(struct fieldtext *f)
{
	if (f->width > FIELDTEXT_WIDTH) {
		fieldtext_blank(f);
		return;
	}
	f->fold = 0;
	put(f, '\r');
	put(f, '\n');
	f->line = f->n;
	put(f, '\t');
}

/* A character may stand in a header field: no control, whole UTF-8. */
static bool fit(const uint8_t *p, unsigned len)
{
	return len && p[0] >= ' ' && p[0] != 0x7f && !(p[0] == 0xc2 && p[1] < 0xa0);
}

/* Characters of text; octets of plain as they are, other visible ones behind a backslash. A blank that
 * is not plain may be folded. */
static void put_text(struct fieldtext *f, struct bytes text, octet_set plain)
{
	for (size_t i = 0; i < text.n;) {
		size_t from = i;
		while (i < text.n && is_in(plain, text.p[i]))
			i++;
		if (i > from)
			fieldtext_run(f, text.p + from, i - from);
		if (i == text.n)
			return;
		unsigned len = utf8_len(text.p + i, text.n - i);
		if (text.p[i] == ' ') {
			fieldtext_blank(f);
		} else if (!fit(text.p + i, len)) {
			put(f, '?');
		} else {
			if (len == 1)
				put(f, '\\');
			for (unsigned k = 0; k < len; k++)
				put(f, text.p[i + k]);
		}
		i += len ? len : 1;
	}
}

void fieldtext_comment(struct fieldtext *f, struct bytes text)
{
	/* all that is visible but ()\ */
	static octet_set plain = { 0xfffffcfe00000000, 0x7fffffffefffffff };
	put_text(f, bytes_head(text, FIELDTEXT_VALUE_MAX), plain);
}

/* RFC 2045: no control, blank or one of ()<>@,;:\"/[]?=. What is not ASCII is in quotes, where more
 * readers take it. */
static bool is_token(struct bytes b)
{
	static octet_set token = { 0x03ff6cfa00000000, 0x7fffffffc7fffffe };
	for (size_t i = 0; i < b.n; i++)
		if (!is_in(token, b.p[i]))
			return false;
	return b.n;
}

/* As far as it has atoms, which have none of ()<>[]:;@\,", and single dots between them. */
static bool is_dot_atom(struct bytes b)
{
	static octet_set atext = { 0xa3ffacfa00000000, 0x7fffffffc7fffffe };
	bool dot = true;
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] == '.' ? dot : !is_in(atext, b.p[i]))
			return false;
		dot = b.p[i] == '.';
	}
	return !dot;
}

static bool is_domain(struct bytes b)
{
	/* letters, digits, "-", "_", "." */
	static octet_set domain = { 0x03ff600000000000, 0x07fffffe87fffffe };
	for (size_t i = 0; i < b.n; i++)
		if (!is_in(domain, b.p[i]))
			return false;
	return is_dot_atom(b);
}

/* [[local-part] "@"] domain-name */
static bool is_address(struct bytes b)
{
	const uint8_t *at = b.n ? memrchr(b.p, '@', b.n) : NULL;
	if (!at)
		return is_domain(b);
	size_t n = (size_t)(at - b.p);
	return (!n || is_dot_atom(bytes_head(b, n))) && is_domain(bytes_from(b, n + 1));
}

void fieldtext_value(struct fieldtext *f, struct bytes value, enum fieldtext_form form)
{
	static octet_set quoted = { 0xfffffffb00000000, 0x7fffffffefffffff }; /* all but "\ */
	static octet_set plain = { 0xffffffff00000000, 0x7fffffffffffffff };
	if ((form == FIELDTEXT_TOKEN && (is_token(value) || is_address(value))) ||
	    (form == FIELDTEXT_DOT_ATOM && is_dot_atom(value))) {
		put_text(f, value, plain);
		return;
	}
	put(f, '"');
	put_text(f, value, quoted);
	put(f, '"');
}

bool fieldtext_pair(struct fieldtext *f, const char *name, struct bytes value,
		    enum fieldtext_form form)
{
	if (value.n > FIELDTEXT_VALUE_MAX)
		return false;
	fieldtext_blank(f);
	fieldtext_put(f, name);
	put(f, '=');
	fieldtext_value(f, value, form);
	return true;
}
