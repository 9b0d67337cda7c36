#include "control/words.h"

#include <iconv.h>
#include <stdlib.h>

#include "base/utf8.h"

enum {
	CONVERTERS = 8,
	OPENS_MAX = 16, /* converters one field may open: that reads files */
	RUN_MAX = 64, /* words in a run: bounds what is done again when a run cannot be decoded */
	/* a charset octet becomes at most four of UTF-8, and quoting doubles an ASCII one */
	OUT_MAX = 4 * WORDS_OCTETS_MAX + 16,
};

struct converter {
	char charset[WORDS_CHARSET_MAX + 1];
	iconv_t cd; /* (iconv_t)-1: the charset is not known */
};

struct words {
	struct converter converter[CONVERTERS];
	unsigned n_open, next;
	unsigned opens; /* in this field */
	size_t raw_len, out_len;
	uint8_t raw[WORDS_OCTETS_MAX]; /* octets of a run of words */
	uint8_t utf8[OUT_MAX]; /* the run converted */
	uint8_t out[OUT_MAX];
};

struct word { /* one encoded word as found */
	struct bytes charset, data;
	bool base64;
	size_t len; /* from =? to ?= */
};

struct words *words_new(void)
{
	struct words *w = malloc(sizeof *w);
	if (w)
		w->n_open = w->next = 0;
	return w;
}

void words_free(struct words *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->n_open; i++)
		if (w->converter[i].cd != (iconv_t)-1)
			iconv_close(w->converter[i].cd);
	free(w);
}

static size_t until(struct bytes b, size_t from, uint8_t c)
{
	const uint8_t *p = from < b.n ? memchr(b.p + from, c, b.n - from) : NULL;
	return p ? (size_t)(p - b.p) : b.n;
}

/* What names of charsets are made of. iconv takes options behind slashes and commas: none from a
 * mail. */
static bool charset_name(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		uint8_t c = bytes_lower(b.p[i]);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !memchr("-_.:+", c, 5))
			return false;
	}
	return true;
}

/* =?charset[*language]?B|Q?data?= at the front of text. */
static bool word_parse(struct bytes text, struct word *out)
{
	if (text.n < 8 || text.p[0] != '=' || text.p[1] != '?')
		return false;
	size_t q1 = until(text, 2, '?');
	if (q1 + 3 >= text.n || text.p[q1 + 2] != '?')
		return false;
	uint8_t encoding = bytes_lower(text.p[q1 + 1]);
	size_t q2 = until(text, q1 + 3, '?');
	if (q2 + 1 >= text.n || text.p[q2 + 1] != '=' || (encoding != 'b' && encoding != 'q'))
		return false;
	out->charset = bytes_of(text.p + 2, until(bytes_head(text, q1), 2, '*') - 2);
	out->data = bytes_of(text.p + q1 + 3, q2 - q1 - 3);
	out->base64 = encoding == 'b';
	out->len = q2 + 2;
	return out->charset.n > 0 && out->charset.n <= WORDS_CHARSET_MAX &&
	       charset_name(out->charset);
}

static bool raw_add(struct words *w, uint8_t c)
{
	if (w->raw_len == sizeof w->raw)
		return false;
	w->raw[w->raw_len++] = c;
	return true;
}

static bool decode_base64(struct words *w, struct bytes data)
{
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < data.n; i++) {
		int v = bytes_base64(data.p[i]);
		if (v < 0) {
			/* padding ends it; blanks are no part of a word */
			for (; i < data.n; i++)
				if (data.p[i] != '=')
					return false;
			break;
		}
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			if (!raw_add(w, (uint8_t)(bits >> have)))
				return false;
		}
	}
	return true;
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = bytes_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode_q(struct words *w, struct bytes data)
{
	for (size_t i = 0; i < data.n; i++) {
		uint8_t c = data.p[i];
		if (c == '_') {
			c = ' ';
		} else if (c == '=') {
			int hi = i + 2 < data.n ? hex_value(data.p[i + 1]) : -1;
			int lo = i + 2 < data.n ? hex_value(data.p[i + 2]) : -1;
			if (hi < 0 || lo < 0)
				return false;
			c = (uint8_t)(hi << 4 | lo);
			i += 2;
		}
		if (!raw_add(w, c))
			return false;
	}
	return true;
}

static iconv_t converter(struct words *w, struct bytes charset)
{
	for (unsigned i = 0; i < w->n_open; i++)
		if (bytes_equal_nocase(bytes_str(w->converter[i].charset), charset))
			return w->converter[i].cd;
	if (w->opens++ >= OPENS_MAX)
		return (iconv_t)-1;
	struct converter *c = &w->converter[w->next];
	if (w->next < w->n_open && c->cd != (iconv_t)-1)
		iconv_close(c->cd);
	if (w->n_open < CONVERTERS)
		w->n_open++;
	w->next = (w->next + 1) % CONVERTERS;
	memcpy(c->charset, charset.p, charset.n);
	c->charset[charset.n] = 0;
	c->cd = iconv_open("UTF-8", c->charset);
	return c->cd;
}

/* The run in raw, converted into utf8. */
static bool convert(struct words *w, struct bytes charset, struct bytes *out)
{
	struct bytes raw = bytes_of(w->raw, w->raw_len);
	if (bytes_equal_nocase(charset, bytes_str("utf-8")) ||
	    bytes_equal_nocase(charset, bytes_str("us-ascii"))) {
		*out = raw;
		return utf8_valid(raw);
	}
	iconv_t cd = converter(w, charset);
	if (cd == (iconv_t)-1)
		return false;
	char *in = (char *)w->raw, *to = (char *)w->utf8;
	size_t in_left = raw.n, to_left = sizeof w->utf8;
	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &in, &in_left, &to, &to_left) == (size_t)-1 ||
	    iconv(cd, NULL, NULL, &to, &to_left) == (size_t)-1)
		return false;
	*out = bytes_of(w->utf8, sizeof w->utf8 - to_left);
	return utf8_valid(*out);
}

static bool out_add(struct words *w, struct bytes b)
{
	if (b.n > sizeof w->out - w->out_len)
		return false;
	if (b.n)
		memcpy(w->out + w->out_len, b.p, b.n);
	w->out_len += b.n;
	return true;
}

static bool has_specials(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < ' ' || strchr("()<>[]:;@\\,\".", b.p[i]))
			return true;
	return false;
}

/* A decoded phrase must not become an address, a comment or a second mailbox to who parses the
 * field. */
static bool out_phrase(struct words *w, struct bytes b, bool in_quotes)
{
	bool wrap = !in_quotes && has_specials(b);
	if (!wrap && !in_quotes)
		return out_add(w, b);
	bool ok = !wrap || out_add(w, bytes_str("\""));
	for (size_t i = 0; i < b.n && ok; i++)
		ok = (b.p[i] != '"' && b.p[i] != '\\' ? true : out_add(w, bytes_str("\\"))) &&
		     out_add(w, bytes_of(b.p + i, 1));
	return ok && (!wrap || out_add(w, bytes_str("\"")));
}

static size_t blanks(struct bytes text, size_t from)
{
	size_t i = from;
	while (i < text.n &&
	       (text.p[i] == ' ' || text.p[i] == '\t' || text.p[i] == '\r' || text.p[i] == '\n'))
		i++;
	return i;
}

/* The words at text that belong together; returns their octets, 0: nothing can be decoded here. */
static size_t run(struct words *w, struct bytes text, struct bytes *out)
{
	struct word word;
	struct bytes charset = { NULL, 0 };
	size_t end = 0;
	w->raw_len = 0;
	size_t at = 0;
	for (unsigned n = 0; n < RUN_MAX && word_parse(bytes_from(text, at), &word); n++) {
		if (end && !bytes_equal_nocase(word.charset, charset))
			break;
		charset = word.charset;
		if (!(word.base64 ? decode_base64(w, word.data) : decode_q(w, word.data)))
			return 0;
		end = at + word.len;
		at = blanks(text, end);
	}
	return end && convert(w, charset, out) ? end : 0;
}

struct bytes words_decode(struct words *w, enum words_kind kind, struct bytes text)
{
	if (text.n < 8 || text.n > WORDS_OCTETS_MAX || !memmem(text.p, text.n, "=?", 2))
		return text;
	bool decoded = false, quotes = false;
	w->out_len = 0;
	w->opens = 0;
	for (size_t i = 0; i < text.n;) {
		struct bytes rest = bytes_from(text, i), plain;
		size_t n = rest.p[0] == '=' ? run(w, rest, &plain) : 0;
		if (n) {
			if (!(kind == WORDS_ADDRESS ? out_phrase(w, plain, quotes)
						    : out_add(w, plain)))
				return text;
			decoded = true;
			i += n;
			/* words of two charsets: the blanks between them go all the same (RFC
			 * 2047 6.2) */
			struct word word;
			size_t next = blanks(text, i);
			if (word_parse(bytes_from(text, next), &word))
				i = next;
			continue;
		}
		if (rest.p[0] == '"')
			quotes = !quotes;
		n = rest.p[0] == '\\' && quotes && rest.n > 1 ? 2 : 1;
		if (!out_add(w, bytes_head(rest, n)))
			return text;
		i += n;
	}
	return decoded ? bytes_of(w->out, w->out_len) : text;
}
