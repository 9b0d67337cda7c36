#include "base/json.h"

#include <assert.h>
#include <emmintrin.h>

#include "base/utf8.h"

static const char json_digits[16] = "0123456789abcdef";

/* What follows the backslash; 'u' asks for \u00XX, 0: plain, 1: begins (or is no part of) a UTF-8
 * sequence. */
static const uint8_t json_escape[256] = {
	[0x00 ... 0x07] = 'u', ['\b'] = 'b',  ['\t'] = 't', ['\n'] = 'n',
	[0x0b] = 'u',          ['\f'] = 'f',  ['\r'] = 'r', [0x0e ... 0x1f] = 'u',
	['"'] = '"',           ['\\'] = '\\', [0x7f] = 'u', [0x80 ... 0xff] = 1,
};

void json_init(struct json *j, void *buf, size_t cap)
{
	*j = (struct json){ .buf = buf, .cap = cap };
}

struct bytes json_done(const struct json *j)
{
	assert(j->depth == 0);
	return j->overflow ? (struct bytes){ NULL, 0 } : bytes_of(j->buf, j->len);
}

static inline void json_put(struct json *j, const void *p, size_t n)
{
	if (j->overflow || n > j->cap - j->len) {
		j->overflow = true;
		return;
	}
	memcpy(j->buf + j->len, p, n);
	j->len += n;
}

static inline void json_putc(struct json *j, char c)
{
	if (j->overflow || j->len == j->cap) {
		j->overflow = true;
		return;
	}
	j->buf[j->len++] = c;
}

/* In front of every value. */
static inline void json_value(struct json *j)
{
	if (j->comma)
		json_putc(j, ',');
	j->comma = true;
}

static void json_open(struct json *j, char c)
{
	json_value(j);
	json_putc(j, c);
	j->comma = false;
	j->depth++;
}

static void json_close(struct json *j, char c)
{
	assert(j->depth > 0);
	json_putc(j, c);
	j->comma = true;
	j->depth--;
}

void json_object_begin(struct json *j)
{
	json_open(j, '{');
}

void json_object_end(struct json *j)
{
	json_close(j, '}');
}

void json_array_begin(struct json *j)
{
	json_open(j, '[');
}

void json_array_end(struct json *j)
{
	json_close(j, ']');
}

/* Ones where an octet does not stand for itself or begins a sequence of UTF-8. */
static inline unsigned json_odd(__m128i v)
{
	/* signed: 80..FF are less than a blank as well */
	__m128i odd = _mm_or_si128(_mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(' ')),
						_mm_cmpeq_epi8(v, _mm_set1_epi8('"'))),
				   _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')),
						_mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f))));
	return (unsigned)_mm_movemask_epi8(odd);
}

static inline __m128i json_load4(const uint8_t *p)
{
	int v;
	memcpy(&v, p, sizeof v);
	return _mm_cvtsi32_si128(v);
}

static inline void json_store4(char *out, __m128i v)
{
	int low = _mm_cvtsi128_si32(v);
	memcpy(out, &low, sizeof low);
}

/*
 * Copies octets that stand for themselves, and returns how many. Blocks of 16 are copied whole
 * before the mask is looked at: what was copied too much is written over. What is left, or all of a
 * short text, goes in two halves that overlap; fewer than 4, and what is odd, one by one.
 */
static inline size_t json_plain(char *out, const uint8_t *p, size_t n)
{
	size_t i = 0;
	for (; n - i >= 16; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(p + i));
		_mm_storeu_si128((__m128i *)(out + i), v);
		unsigned mask = json_odd(v);
		if (mask)
			return i + (size_t)__builtin_ctz(mask);
	}
	if (n - i >= 8) {
		__m128i front = _mm_loadl_epi64((const __m128i *)(p + i));
		__m128i back = _mm_loadl_epi64((const __m128i *)(p + n - 8));
		if (!json_odd(_mm_unpacklo_epi64(front, back))) {
			_mm_storel_epi64((__m128i *)(out + i), front);
			_mm_storel_epi64((__m128i *)(out + n - 8), back);
			return n;
		}
	} else if (n - i >= 4) {
		__m128i front = json_load4(p + i), back = json_load4(p + n - 4);
		__m128i both = _mm_unpacklo_epi32(front, back);
		if (!json_odd(_mm_unpacklo_epi64(both, both))) {
			json_store4(out + i, front);
			json_store4(out + n - 4, back);
			return n;
		}
	}
	for (; i < n && !json_escape[p[i]]; i++)
		out[i] = (char)p[i];
	return i;
}

static void json_put_u00(struct json *j, uint8_t c)
{
	char s[6] = { '\\', 'u', '0', '0', json_digits[c >> 4], json_digits[c & 15] };
	json_put(j, s, sizeof s);
}

void json_text(struct json *j, struct bytes s)
{
	for (size_t i = 0; i < s.n && !j->overflow;) {
		size_t room = j->cap - j->len, left = s.n - i;
		size_t n = json_plain(j->buf + j->len, s.p + i, left < room ? left : room);
		j->len += n;
		i += n;
		if (i == s.n)
			break;
		uint8_t c = s.p[i], escape = json_escape[c];
		if (escape == 1) {
			unsigned len = utf8_len(s.p + i, s.n - i);
			if (len)
				json_put(j, s.p + i, len);
			else
				json_put_u00(j, c);
			i += len ? len : 1;
		} else if (escape == 0) { /* json_plain stopped for want of room */
			j->overflow = true;
		} else {
			if (escape == 'u')
				json_put_u00(j, c);
			else
				json_put(j, (char[2]){ '\\', (char)escape }, 2);
			i++;
		}
	}
}

void json_text_begin(struct json *j)
{
	json_value(j);
	json_putc(j, '"');
}

void json_text_end(struct json *j)
{
	json_putc(j, '"');
}

void json_bytes(struct json *j, struct bytes s)
{
	enum { AROUND = 3 }; /* the comma and the quotes */
	json_text_begin(j);
	if (!j->overflow &&
	    j->cap - j->len >= s.n + AROUND) { /* nearly always all of it is plain */
		size_t n = json_plain(j->buf + j->len, s.p, s.n);
		j->len += n;
		s = bytes_from(s, n);
	}
	if (s.n)
		json_text(j, s);
	json_text_end(j);
}

void json_str(struct json *j, const char *s)
{
	if (s)
		json_bytes(j, bytes_str(s));
	else
		json_nil(j);
}

void json_key_bytes(struct json *j, struct bytes key)
{
	json_bytes(j, key);
	json_putc(j, ':');
	j->comma = false;
}

void json_key(struct json *j, const char *key)
{
	json_key_bytes(j, bytes_str(key));
}

void json_hex(struct json *j, struct bytes b)
{
	json_text_begin(j);
	for (size_t i = 0; i < b.n && !j->overflow; i++)
		json_put(j, (char[2]){ json_digits[b.p[i] >> 4], json_digits[b.p[i] & 15] }, 2);
	json_text_end(j);
}

/* Decimal digits of v, at least `least` of them, at the end of s. */
static struct bytes json_decimal(char s[24], uint64_t v, unsigned least)
{
	unsigned at = 24;
	do {
		s[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v || 24 - at < least);
	return bytes_of(s + at, 24 - at);
}

void json_uint(struct json *j, uint64_t v)
{
	char s[24];
	struct bytes d = json_decimal(s, v, 1);
	json_value(j);
	json_put(j, d.p, d.n);
}

void json_int(struct json *j, int64_t v)
{
	json_fixed(j, v, 0);
}

void json_fixed(struct json *j, int64_t v, unsigned decimals)
{
	assert(decimals <= 18);
	char s[24];
	struct bytes d = json_decimal(s, v < 0 ? -(uint64_t)v : (uint64_t)v, decimals + 1);
	json_value(j);
	if (v < 0)
		json_putc(j, '-');
	json_put(j, d.p, d.n - decimals);
	if (decimals) {
		json_putc(j, '.');
		json_put(j, d.p + d.n - decimals, decimals);
	}
}

void json_bool(struct json *j, bool v)
{
	json_raw(j, bytes_str(v ? "true" : "false"));
}

void json_nil(struct json *j)
{
	json_raw(j, bytes_str("null"));
}

void json_raw(struct json *j, struct bytes value)
{
	json_value(j);
	json_put(j, value.p, value.n);
}
