#include "verify/header/display.h"

#include "base/encoded.h"
#include "base/utf8.h"

enum charset { CHARSET_UTF8, CHARSET_LATIN1, CHARSET_LATIN9, CHARSET_ASCII, CHARSET_NONE };

static const struct {
	const char *name;
	enum charset charset;
} charsets[] = {
	{ "utf-8", CHARSET_UTF8 },          { "utf8", CHARSET_UTF8 },
	{ "us-ascii", CHARSET_UTF8 },       { "ascii", CHARSET_UTF8 },
	{ "iso-8859-1", CHARSET_LATIN1 },   { "iso8859-1", CHARSET_LATIN1 },
	{ "iso_8859-1", CHARSET_LATIN1 },   { "latin1", CHARSET_LATIN1 },
	{ "windows-1252", CHARSET_LATIN1 }, { "cp1252", CHARSET_LATIN1 },
	{ "iso-8859-15", CHARSET_LATIN9 },  { "latin9", CHARSET_LATIN9 },
};

/* Charsets in which an ASCII octet need not be that letter; by how their names begin. */
static const char *const not_ascii[] = { "utf-7",    "utf7",      "utf-16",    "utf16",
					 "utf-32",   "utf32",     "ucs",       "unicode",
					 "iso-2022", "iso2022",   "hz",        "ibm037",
					 "ebcdic",   "csiso2022", "csunicode", "cp037" };

/* Windows-1252 from 0x80 on; mail that says ISO-8859-1 means it. 0: no character. */
static const uint16_t windows_1252[32] = {
	0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

static enum charset charset_of(struct bytes name)
{
	for (unsigned i = 0; i < sizeof charsets / sizeof charsets[0]; i++)
		if (bytes_equal_nocase(bytes_str(charsets[i].name), name))
			return charsets[i].charset;
	for (unsigned i = 0; i < sizeof not_ascii / sizeof not_ascii[0]; i++) {
		struct bytes prefix = bytes_str(not_ascii[i]);
		if (bytes_equal_nocase(bytes_head(name, prefix.n), prefix))
			return CHARSET_NONE;
	}
	return CHARSET_ASCII;
}

static bool is_control(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c <= 0x9f) || c == 0x202d || c == 0x202e;
}

static void put(struct display *d, uint32_t c)
{
	uint8_t octets[4];
	unsigned n = utf8_put(c, octets);
	if (is_control(c) && c != '\t')
		d->flags |= DISPLAY_CONTROL;
	if (d->flags & DISPLAY_CUT || n > sizeof d->text - d->n) {
		d->flags |= DISPLAY_CUT; /* from here on: nothing is put behind a gap */
		return;
	}
	memcpy(d->text + d->n, octets, n);
	d->n += n;
}

/* One character of UTF-8 in front of b; returns its octets. */
static unsigned put_utf8(struct display *d, struct bytes b)
{
	uint32_t c;
	unsigned n = utf8_point(b, &c);
	if (!utf8_len(b.p, b.n))
		d->flags |= DISPLAY_NOT_UTF8;
	put(d, c);
	return n;
}

static uint32_t latin(enum charset charset, uint8_t c)
{
	if (charset == CHARSET_LATIN9) {
		switch (c) {
		case 0xa4:
			return 0x20ac;
		case 0xa6:
			return 0x0160;
		case 0xa8:
			return 0x0161;
		case 0xb4:
			return 0x017d;
		case 0xb8:
			return 0x017e;
		case 0xbc:
			return 0x0152;
		case 0xbd:
			return 0x0153;
		case 0xbe:
			return 0x0178;
		}
	}
	uint32_t special = c >= 0x80 && c < 0xa0 ? windows_1252[c - 0x80] : 0;
	return special ? special : c;
}

static void put_charset(struct display *d, struct bytes name, struct bytes octets)
{
	enum charset charset = charset_of(name);
	if (octets.n && memchr(octets.p, '@', octets.n))
		d->flags |= DISPLAY_ENCODED_AT;
	if (charset == CHARSET_NONE) {
		d->flags |= DISPLAY_CHARSET;
		put(d, 0xfffd);
		return;
	}
	for (size_t i = 0; i < octets.n;) {
		uint8_t c = octets.p[i];
		if (charset == CHARSET_UTF8) {
			i += put_utf8(d, bytes_from(octets, i));
			continue;
		}
		if (charset == CHARSET_ASCII && c >= 0x80) {
			d->flags |= DISPLAY_CHARSET;
			put(d, 0xfffd);
		} else {
			put(d, latin(charset, c));
		}
		i++;
	}
}

static size_t blanks(struct bytes b, size_t i)
{
	while (i < b.n && (b.p[i] == ' ' || b.p[i] == '\t' || b.p[i] == '\r' || b.p[i] == '\n'))
		i++;
	return i;
}

/* The encoded words in front of b, with the blanks between them; returns their octets, 0: none. */
static size_t put_words(struct display *d, struct bytes b)
{
	uint8_t octets[DISPLAY_MAX];
	struct encoded_word word, first = { 0 };
	size_t n = 0, at = 0, end = 0;
	while (encoded_parse(bytes_from(b, at), &word)) {
		size_t before = n;
		bool joined = !end || bytes_equal_nocase(word.charset, first.charset);
		if (!joined || !encoded_octets(&word, octets, sizeof octets, &n)) {
			n = before;
			break;
		}
		first = word;
		end = at + word.len;
		at = blanks(b, end);
	}
	if (!end)
		return 0;
	d->flags |= DISPLAY_ENCODED;
	put_charset(d, first.charset, bytes_of(octets, n));
	/* of another charset: the blanks between go too (RFC 2047 section 6.2) */
	return encoded_parse(bytes_from(b, at), &word) ? at : end;
}

/* From "(" to behind its ")", or the end. */
static size_t skip_comment(struct bytes b, size_t i)
{
	unsigned depth = 0;
	for (; i < b.n; i++) {
		if (b.p[i] == '\\')
			i++;
		else if (b.p[i] == '(')
			depth++;
		else if (b.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return b.n;
}

void display_read(struct display *d, struct bytes phrase, bool comment)
{
	bool quoted = false;
	d->n = 0;
	d->flags = 0;
	for (size_t i = 0; i < phrase.n;) {
		uint8_t c = phrase.p[i];
		size_t n;
		if (c == '(' && !quoted && !comment) {
			i = skip_comment(phrase, i);
			continue;
		}
		if (c == '"' && !comment) {
			quoted = !quoted;
			i++;
			continue;
		}
		if (c == '\\' && (quoted || comment) && i + 1 < phrase.n) {
			i++;
		} else if ((n = blanks(phrase, i)) > i) {
			/* one blank, between words only */
			if (d->n && d->text[d->n - 1] != ' ' && n < phrase.n)
				put(d, ' ');
			i = n;
			continue;
		} else if (c == '=' && (n = put_words(d, bytes_from(phrase, i)))) {
			i += n;
			continue;
		}
		c = phrase.p[i];
		if (c > ' ' && c < 0x7f && !(d->flags & DISPLAY_CUT) && d->n < sizeof d->text) {
			d->text[d->n++] = c; /* as most are */
			i++;
			continue;
		}
		i += put_utf8(d, bytes_from(phrase, i));
	}
	while (d->n && d->text[d->n - 1] == ' ')
		d->n--;
}
