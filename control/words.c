#include "control/words.h"

#include <iconv.h>
#include <stdlib.h>

#include "base/encoded.h"
#include "base/utf8.h"

enum {
	CONVERTERS = 8,
	OPENS_MAX = 16, /* converters one field may open: that reads files */
	RUN_MAX = 64, /* words in a run: bounds what is done again when a run cannot be decoded */
	/* a charset octet becomes at most four of UTF-8, and quoting doubles an ASCII one */
	OUT_MAX = 4 * WORDS_OCTETS_MAX + 16,
};

struct converter {
	char charset[ENCODED_CHARSET_MAX + 1];
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
	struct encoded_word word;
	struct bytes charset = { NULL, 0 };
	size_t end = 0;
	w->raw_len = 0;
	size_t at = 0;
	for (unsigned n = 0; n < RUN_MAX && encoded_parse(bytes_from(text, at), &word); n++) {
		if (end && !bytes_equal_nocase(word.charset, charset))
			break;
		charset = word.charset;
		if (!encoded_octets(&word, w->raw, sizeof w->raw, &w->raw_len))
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
			struct encoded_word word;
			size_t next = blanks(text, i);
			if (encoded_parse(bytes_from(text, next), &word))
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
