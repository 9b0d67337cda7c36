#include "verify/auth/spf_macro.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { DIGITS_MAX = 65535, ESCAPED_MAX = 3 * SPF_MACRO_VALUE_MAX, TAIL = SPF_MACRO_NAME_MAX + 3 };

struct token {
	uint32_t off, len; /* of a literal */
	uint16_t digits; /* 0: all parts */
	uint8_t delimiters; /* bits by place in delimiter_set; 0: none given */
	uint8_t letter; /* lower case; '%', '_', '-' of "%%" and so on; 0: a literal */
	bool upper, reverse;
};

static const char delimiter_set[] = ".-+,/_=";

static uint8_t delimiter_bit(uint8_t c)
{
	const char *at = c ? strchr(delimiter_set, c) : NULL;
	return at ? (uint8_t)(1 << (at - delimiter_set)) : 0;
}

/* "{" letter transformers delimiters "}", from the letter on. */
static bool parse_braces(struct bytes in, size_t *i, struct token *t)
{
	if (*i >= in.n)
		return false;
	uint8_t c = in.p[(*i)++];
	t->letter = bytes_lower(c);
	t->upper = c != t->letter;
	if (!t->letter || !strchr("slodiphcrtv", t->letter))
		return false;
	bool given = false;
	uint32_t digits = 0;
	for (; *i < in.n && in.p[*i] >= '0' && in.p[*i] <= '9'; (*i)++) {
		given = true;
		digits = digits * 10 + (in.p[*i] - '0');
		if (digits > DIGITS_MAX)
			digits = DIGITS_MAX;
	}
	if (given && digits == 0)
		return false; /* section 7.3: must be nonzero */
	t->digits = (uint16_t)digits;
	if (*i < in.n && bytes_lower(in.p[*i]) == 'r') {
		t->reverse = true;
		(*i)++;
	}
	while (*i < in.n && delimiter_bit(in.p[*i]))
		t->delimiters |= delimiter_bit(in.p[(*i)++]);
	return *i < in.n && in.p[(*i)++] == '}';
}

/* The token at *i, which must be in front of the end. */
static bool next_token(struct bytes in, size_t *i, bool blanks, struct token *t)
{
	*t = (struct token){ .off = (uint32_t)*i };
	if (in.p[*i] != '%') {
		for (; *i < in.n && in.p[*i] != '%'; (*i)++)
			if (in.p[*i] > 0x7e || in.p[*i] < (blanks ? 0x20 : 0x21))
				return false;
		t->len = (uint32_t)*i - t->off;
		return true;
	}
	if (++*i >= in.n)
		return false;
	uint8_t c = in.p[(*i)++];
	if (c == '{')
		return parse_braces(in, i, t);
	t->letter = c;
	return c == '%' || c == '_' || c == '-';
}

static bool is_alpha(uint8_t c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "." toplabel [ "." ] at the end of a run of literals. */
static bool ends_in_toplabel(struct bytes in)
{
	if (in.n && in.p[in.n - 1] == '.')
		in.n--;
	size_t from = in.n;
	bool letter = false, hyphen = false;
	for (; from; from--) {
		uint8_t c = in.p[from - 1];
		letter |= is_alpha(c);
		hyphen |= c == '-';
		if (!is_alpha(c) && !is_digit(c) && c != '-')
			break;
	}
	if (from == 0 || in.p[from - 1] != '.' || from == in.n)
		return false;
	return (letter || hyphen) && in.p[from] != '-' && in.p[in.n - 1] != '-';
}

bool spf_macro_check(struct bytes in, enum spf_macro_form form, unsigned *use)
{
	struct token t = { 0 };
	*use = 0;
	for (size_t i = 0; i < in.n;) {
		if (!next_token(in, &i, form == SPF_MACRO_EXPLAIN, &t))
			return false;
		if (!t.letter)
			continue;
		*use |= SPF_MACRO_ANY;
		if (t.letter == 's' || t.letter == 'l')
			*use |= SPF_MACRO_LOCAL;
		if (t.letter == 'p')
			*use |= SPF_MACRO_PTR;
		if (form != SPF_MACRO_EXPLAIN &&
		    (t.letter == 'c' || t.letter == 'r' || t.letter == 't'))
			return false;
	}
	if (form != SPF_MACRO_DOMAIN)
		return true;
	return in.n && (t.letter || ends_in_toplabel(bytes_from(in, t.off)));
}

/* Section 7.3: dotted quad, or nibbles with dots between. */
static struct bytes dotted(const uint8_t ip[16], bool ip4, char *out)
{
	if (ip4)
		return bytes_of(
			out, (size_t)sprintf(out, "%u.%u.%u.%u", ip[12], ip[13], ip[14], ip[15]));
	for (unsigned i = 0; i < 32; i++) {
		out[2 * i] = "0123456789ABCDEF"[ip[i / 2] >> (i & 1 ? 0 : 4) & 15];
		out[2 * i + 1] = '.';
	}
	return bytes_of(out, 63);
}

/* What a letter stands for; small: room for what must be written. */
static struct bytes letter_value(const struct spf_macro *m, uint8_t letter, char small[80])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool ip4 = memcmp(m->ip, mapped, sizeof mapped) == 0;
	switch (letter) {
	case 's':
		return m->sender;
	case 'l':
		return m->local;
	case 'o':
		return m->sender_domain;
	case 'd':
		return m->domain;
	case 'p':
		return m->ptr.n ? m->ptr : bytes_str("unknown");
	case 'h':
		return m->helo.p ? m->helo : bytes_str("unknown");
	case 'r':
		return m->receiver.n ? m->receiver : bytes_str("unknown");
	case 't':
		return bytes_of(small,
				(size_t)sprintf(small, "%llu", (unsigned long long)m->now_s));
	case 'v':
		return bytes_str(ip4 ? "in-addr" : "ip6");
	case 'i':
		return dotted(m->ip, ip4, small);
	case 'c':
		if (ip4)
			return dotted(m->ip, true, small);
		inet_ntop(AF_INET6, m->ip, small, 80);
		return bytes_str(small);
	case '_':
		return bytes_str(" ");
	case '-':
		return bytes_str("%20");
	default:
		return bytes_str("%");
	}
}

/* Splits, reverses, keeps right-hand parts, joins with dots. in.n octets at most. */
static size_t transform(const struct token *t, struct bytes in, uint8_t *out)
{
	uint8_t set = t->delimiters ? t->delimiters : 1;
	size_t parts = 1, n = 0;
	for (size_t i = 0; i < in.n; i++)
		parts += (delimiter_bit(in.p[i]) & set) != 0;
	size_t keep = t->digits && t->digits < parts ? t->digits : parts;
	if (!t->reverse) {
		size_t drop = parts - keep, i = 0;
		for (; drop; i++)
			drop -= (delimiter_bit(in.p[i]) & set) != 0;
		for (; i < in.n; i++)
			out[n++] = delimiter_bit(in.p[i]) & set ? '.' : in.p[i];
		return n;
	}
	/* reversed: the last `keep` parts are the first ones of the value, from there backwards */
	size_t end = 0, left = keep;
	for (; end < in.n; end++)
		if (delimiter_bit(in.p[end]) & set && --left == 0)
			break;
	for (size_t stop = end;; stop--) {
		if (stop > 0 && !(delimiter_bit(in.p[stop - 1]) & set))
			continue;
		memcpy(out + n, in.p + stop, end - stop);
		n += end - stop;
		if (stop == 0)
			return n;
		out[n++] = '.';
		end = stop - 1;
	}
}

/* RFC 3986 section 2.3. */
static bool is_unreserved(uint8_t c)
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* What one macro expands to, in out. */
static struct bytes expand(const struct spf_macro *m, const struct token *t,
			   uint8_t out[ESCAPED_MAX])
{
	char small[80];
	uint8_t parts[SPF_MACRO_VALUE_MAX];
	struct bytes value = bytes_head(letter_value(m, t->letter, small), SPF_MACRO_VALUE_MAX);
	if (t->digits || t->reverse || t->delimiters)
		value = bytes_of(parts, transform(t, value, parts));
	size_t n = 0;
	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];
		out[n++] = c;
		if (!t->upper || is_unreserved(c))
			continue;
		out[n - 1] = '%';
		out[n++] = "0123456789ABCDEF"[c >> 4];
		out[n++] = "0123456789ABCDEF"[c & 15];
	}
	return bytes_of(out, n);
}

bool spf_macro_is_name(struct bytes name)
{
	size_t label = 0, labels = 1;
	if (name.n == 0 || name.n > SPF_MACRO_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] != '.') {
			if (++label > 63)
				return false;
			continue;
		}
		if (label == 0)
			return false;
		label = 0;
		labels++;
	}
	return label && labels > 1;
}

/* The right end of the expansion, up to the end of tail; its length. cut: pieces were left out, though
 * tail may not be full. */
static size_t expand_tail(const struct spf_macro *m, struct bytes spec, uint8_t tail[TAIL],
			  bool *cut)
{
	struct token ring[SPF_MACRO_TOKENS];
	uint8_t text[ESCAPED_MAX];
	size_t n = 0, have = 0;
	for (size_t i = 0; i < spec.n; n++)
		if (!next_token(spec, &i, false, &ring[n % SPF_MACRO_TOKENS]))
			return 0;
	size_t oldest = n > SPF_MACRO_TOKENS ? n - SPF_MACRO_TOKENS : 0;
	*cut = oldest > 0;
	for (; n > oldest && have < TAIL; n--) {
		const struct token *t = &ring[(n - 1) % SPF_MACRO_TOKENS];
		struct bytes piece =
			t->letter ? expand(m, t, text) : bytes_of(spec.p + t->off, t->len);
		size_t take = piece.n < TAIL - have ? piece.n : TAIL - have;
		have += take;
		memcpy(tail + TAIL - have, piece.p + piece.n - take, take);
	}
	return have;
}

size_t spf_macro_name(const struct spf_macro *m, struct bytes spec,
		      char out[SPF_MACRO_NAME_MAX + 1])
{
	uint8_t tail[TAIL];
	bool cut = false;
	size_t n = expand_tail(m, spec, tail, &cut);
	struct bytes name = bytes_of(tail + TAIL - n, n);
	if (name.n && name.p[name.n - 1] == '.')
		name.n--;
	if (cut || name.n > SPF_MACRO_NAME_MAX) {
		/* the longest end that begins behind a dot and fits */
		size_t from = name.n > SPF_MACRO_NAME_MAX ? name.n - SPF_MACRO_NAME_MAX - 1 : 0;
		const uint8_t *dot = memchr(name.p + from, '.', name.n - from);
		if (!dot)
			return 0;
		name = bytes_from(name, (size_t)(dot + 1 - name.p));
	}
	if (!spf_macro_is_name(name))
		return 0;
	memcpy(out, name.p, name.n);
	out[name.n] = 0;
	return name.n;
}

size_t spf_macro_text(const struct spf_macro *m, struct bytes in, char *out, size_t room)
{
	uint8_t text[ESCAPED_MAX];
	struct token t;
	size_t n = 0;
	for (size_t i = 0; i < in.n && n < room;) {
		if (!next_token(in, &i, true, &t))
			return 0;
		struct bytes piece = t.letter ? expand(m, &t, text) : bytes_of(in.p + t.off, t.len);
		for (size_t k = 0; k < piece.n && n < room; k++)
			out[n++] =
				piece.p[k] >= 0x20 && piece.p[k] <= 0x7e ? (char)piece.p[k] : '?';
	}
	return n;
}
