#include "base/encoded.h"

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

bool encoded_parse(struct bytes text, struct encoded_word *out)
{
	if (text.n < 8 || text.p[0] != '=' || text.p[1] != '?')
		return false;
	/* no further than a charset with its language can be: a text of "=?" stays linear */
	size_t q1 = until(bytes_head(text, 2 * ENCODED_CHARSET_MAX + 3), 2, '?');
	if (q1 + 3 >= text.n || text.p[q1] != '?' || text.p[q1 + 2] != '?')
		return false;
	uint8_t encoding = bytes_lower(text.p[q1 + 1]);
	if (encoding != 'b' && encoding != 'q')
		return false;
	size_t q2 = until(text, q1 + 3, '?');
	if (q2 + 1 >= text.n || text.p[q2 + 1] != '=')
		return false;
	out->charset = bytes_of(text.p + 2, until(bytes_head(text, q1), 2, '*') - 2);
	out->data = bytes_of(text.p + q1 + 3, q2 - q1 - 3);
	out->base64 = encoding == 'b';
	out->len = q2 + 2;
	return out->charset.n > 0 && out->charset.n <= ENCODED_CHARSET_MAX &&
	       charset_name(out->charset);
}

static bool add(uint8_t *out, size_t max, size_t *n, uint8_t c)
{
	if (*n >= max)
		return false;
	out[(*n)++] = c;
	return true;
}

static bool decode_base64(struct bytes data, uint8_t *out, size_t max, size_t *n)
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
			if (!add(out, max, n, (uint8_t)(bits >> have)))
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

static bool decode_q(struct bytes data, uint8_t *out, size_t max, size_t *n)
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
		if (!add(out, max, n, c))
			return false;
	}
	return true;
}

bool encoded_octets(const struct encoded_word *w, uint8_t *out, size_t max, size_t *n)
{
	return w->base64 ? decode_base64(w->data, out, max, n) : decode_q(w->data, out, max, n);
}
