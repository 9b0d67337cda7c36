#include "verify/header/scripts.h"

#include "base/utf8.h"
#include "base/eight.h"

enum script {
	LATIN,
	GREEK,
	COPTIC,
	CYRILLIC,
	ARMENIAN,
	HEBREW,
	ARABIC,
	SYRIAC,
	THAANA,
	NKO,
	DEVANAGARI,
	BENGALI,
	GURMUKHI,
	GUJARATI,
	ORIYA,
	TAMIL,
	TELUGU,
	KANNADA,
	MALAYALAM,
	SINHALA,
	THAI,
	LAO,
	TIBETAN,
	MYANMAR,
	GEORGIAN,
	HANGUL,
	ETHIOPIC,
	CHEROKEE,
	CANADIAN,
	KHMER,
	MONGOLIAN,
	HIRAGANA,
	KATAKANA,
	BOPOMOFO,
	HAN,
};

static const struct {
	uint32_t first, last;
	enum script script;
} ranges[] = {
	/* Unicode's Scripts.txt by its blocks; what is in none belongs to every script */
	{ 0x0041, 0x005a, LATIN },      { 0x0061, 0x007a, LATIN },
	{ 0x00aa, 0x00aa, LATIN },      { 0x00ba, 0x00ba, LATIN },
	{ 0x00c0, 0x00d6, LATIN },      { 0x00d8, 0x00f6, LATIN },
	{ 0x00f8, 0x02b8, LATIN },      { 0x02e0, 0x02e4, LATIN },
	{ 0x02ea, 0x02eb, BOPOMOFO },   { 0x0370, 0x0373, GREEK },
	{ 0x0375, 0x0377, GREEK },      { 0x037a, 0x037d, GREEK },
	{ 0x037f, 0x037f, GREEK },      { 0x0384, 0x0384, GREEK },
	{ 0x0386, 0x0386, GREEK },      { 0x0388, 0x03e1, GREEK },
	{ 0x03e2, 0x03ef, COPTIC },     { 0x03f0, 0x03ff, GREEK },
	{ 0x0400, 0x0484, CYRILLIC },   { 0x0487, 0x052f, CYRILLIC },
	{ 0x0531, 0x0588, ARMENIAN },   { 0x058a, 0x058f, ARMENIAN },
	{ 0x0591, 0x05f4, HEBREW },     { 0x0600, 0x0604, ARABIC },
	{ 0x0606, 0x060b, ARABIC },     { 0x060d, 0x061a, ARABIC },
	{ 0x061c, 0x061e, ARABIC },     { 0x0620, 0x063f, ARABIC },
	{ 0x0641, 0x064a, ARABIC },     { 0x0656, 0x065f, ARABIC },
	{ 0x066a, 0x066f, ARABIC },     { 0x0671, 0x06dc, ARABIC },
	{ 0x06de, 0x06ff, ARABIC },     { 0x0700, 0x074f, SYRIAC },
	{ 0x0750, 0x077f, ARABIC },     { 0x0780, 0x07bf, THAANA },
	{ 0x07c0, 0x07ff, NKO },        { 0x0870, 0x08ff, ARABIC },
	{ 0x0900, 0x0950, DEVANAGARI }, { 0x0955, 0x0963, DEVANAGARI },
	{ 0x0966, 0x097f, DEVANAGARI }, { 0x0980, 0x09ff, BENGALI },
	{ 0x0a00, 0x0a7f, GURMUKHI },   { 0x0a80, 0x0aff, GUJARATI },
	{ 0x0b00, 0x0b7f, ORIYA },      { 0x0b80, 0x0bff, TAMIL },
	{ 0x0c00, 0x0c7f, TELUGU },     { 0x0c80, 0x0cff, KANNADA },
	{ 0x0d00, 0x0d7f, MALAYALAM },  { 0x0d80, 0x0dff, SINHALA },
	{ 0x0e01, 0x0e3a, THAI },       { 0x0e40, 0x0e5b, THAI },
	{ 0x0e80, 0x0eff, LAO },        { 0x0f00, 0x0fff, TIBETAN },
	{ 0x1000, 0x109f, MYANMAR },    { 0x10a0, 0x10fa, GEORGIAN },
	{ 0x10fc, 0x10ff, GEORGIAN },   { 0x1100, 0x11ff, HANGUL },
	{ 0x1200, 0x139f, ETHIOPIC },   { 0x13a0, 0x13ff, CHEROKEE },
	{ 0x1400, 0x167f, CANADIAN },   { 0x1780, 0x17ff, KHMER },
	{ 0x1820, 0x18aa, MONGOLIAN },  { 0x18b0, 0x18ff, CANADIAN },
	{ 0x1c80, 0x1c8a, CYRILLIC },   { 0x1c90, 0x1cbf, GEORGIAN },
	{ 0x1d00, 0x1d25, LATIN },      { 0x1d26, 0x1d2a, GREEK },
	{ 0x1d2b, 0x1d2b, CYRILLIC },   { 0x1d2c, 0x1d5c, LATIN },
	{ 0x1d62, 0x1d65, LATIN },      { 0x1d6b, 0x1d77, LATIN },
	{ 0x1d78, 0x1d78, CYRILLIC },   { 0x1d79, 0x1dbe, LATIN },
	{ 0x1e00, 0x1eff, LATIN },      { 0x1f00, 0x1fff, GREEK },
	{ 0x2071, 0x2071, LATIN },      { 0x207f, 0x207f, LATIN },
	{ 0x212a, 0x212b, LATIN },      { 0x2c60, 0x2c7f, LATIN },
	{ 0x2c80, 0x2cff, COPTIC },     { 0x2d00, 0x2d2f, GEORGIAN },
	{ 0x2d80, 0x2dde, ETHIOPIC },   { 0x2de0, 0x2dff, CYRILLIC },
	{ 0x2e80, 0x2fd5, HAN },        { 0x3005, 0x3005, HAN },
	{ 0x3007, 0x3007, HAN },        { 0x3021, 0x3029, HAN },
	{ 0x3038, 0x303b, HAN },        { 0x3041, 0x3096, HIRAGANA },
	{ 0x309d, 0x309f, HIRAGANA },   { 0x30a1, 0x30fa, KATAKANA },
	{ 0x30fd, 0x30ff, KATAKANA },   { 0x3105, 0x312f, BOPOMOFO },
	{ 0x3131, 0x318e, HANGUL },     { 0x31a0, 0x31bf, BOPOMOFO },
	{ 0x31f0, 0x31ff, KATAKANA },   { 0x3400, 0x4dbf, HAN },
	{ 0x4e00, 0x9fff, HAN },        { 0xa640, 0xa69f, CYRILLIC },
	{ 0xa722, 0xa787, LATIN },      { 0xa78b, 0xa7ff, LATIN },
	{ 0xa8e0, 0xa8ff, DEVANAGARI }, { 0xa960, 0xa97f, HANGUL },
	{ 0xa9e0, 0xa9fe, MYANMAR },    { 0xaa60, 0xaa7f, MYANMAR },
	{ 0xab30, 0xab5a, LATIN },      { 0xab5c, 0xab64, LATIN },
	{ 0xab70, 0xabbf, CHEROKEE },   { 0xac00, 0xd7fb, HANGUL },
	{ 0xf900, 0xfad9, HAN },        { 0xfb00, 0xfb06, LATIN },
	{ 0xfb13, 0xfb17, ARMENIAN },   { 0xfb1d, 0xfb4f, HEBREW },
	{ 0xfb50, 0xfd3d, ARABIC },     { 0xfd40, 0xfdff, ARABIC },
	{ 0xfe70, 0xfefc, ARABIC },     { 0xff21, 0xff3a, LATIN },
	{ 0xff41, 0xff5a, LATIN },      { 0xff66, 0xff6f, KATAKANA },
	{ 0xff71, 0xff9d, KATAKANA },   { 0xffa0, 0xffdc, HANGUL },
	{ 0x20000, 0x3134f, HAN },
};

enum { RANGES = sizeof ranges / sizeof ranges[0] };

#define BIT(script) (1ull << (script))

/* Scripts that are written together (Unicode UTS 39, "highly restrictive"). */
static const uint64_t together[] = {
	BIT(LATIN) | BIT(HAN) | BIT(HIRAGANA) | BIT(KATAKANA),
	BIT(LATIN) | BIT(HAN) | BIT(BOPOMOFO),
	BIT(LATIN) | BIT(HAN) | BIT(HANGUL),
};

uint64_t scripts_of(uint32_t c)
{
	unsigned lo = 0, hi = RANGES;
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (ranges[mid].last < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < RANGES && ranges[lo].first <= c ? BIT(ranges[lo].script) : 0;
}

static bool mixed(uint64_t set)
{
	if ((set & (set - 1)) == 0)
		return false;
	for (unsigned i = 0; i < sizeof together / sizeof together[0]; i++)
		if ((set & ~together[i]) == 0)
			return false;
	return true;
}

/* Digits and combining marks are inside words; what else has no script is between them. */
static bool joins(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 0x300 && c <= 0x36f) || (c >= 0x485 && c <= 0x486) ||
	       (c >= 0x200c && c <= 0x200d) || c == 0x30fc;
}

bool scripts_mixed(struct bytes utf8)
{
	uint64_t set = 0;
	if (eight_ascii(utf8.p, utf8.n))
		return false; /* as most is */
	for (size_t i = 0; i < utf8.n;) {
		uint32_t c;
		i += utf8_point(bytes_from(utf8, i), &c);
		uint64_t bit = scripts_of(c);
		set = bit || joins(c) ? set | bit : 0;
		if (mixed(set))
			return true;
	}
	return false;
}

enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, POINTS_MAX = 63 };

static uint32_t adapt(uint32_t delta, uint32_t n, bool first)
{
	uint32_t k = 0;
	delta = first ? delta / DAMP : delta / 2;
	for (delta += delta / n; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static uint32_t digit(uint8_t c)
{
	c = bytes_lower(c);
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	return c >= '0' && c <= '9' ? c - '0' + 26u : (uint32_t)BASE;
}

/* One number of variable length (RFC 3492 section 3.3), added to *at. */
static bool number(struct bytes in, size_t *i, uint32_t bias, uint32_t *at)
{
	uint64_t w = 1;
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t d = *i < in.n ? digit(in.p[(*i)++]) : (uint32_t)BASE;
		uint32_t t = k <= bias           ? (uint32_t)T_MIN
			     : k >= bias + T_MAX ? (uint32_t)T_MAX
						 : k - bias;
		if (d == BASE || d * w > UINT32_MAX - *at)
			return false;
		*at += (uint32_t)(d * w);
		if (d < t)
			return true;
		w *= BASE - t;
		if (w > UINT32_MAX)
			return false;
	}
}

/* The letters of what is behind xn-- (RFC 3492 section 6.2), in any order: their scripts. */
static uint64_t punycode(struct bytes in)
{
	uint32_t bias = 72, at = 0, c = 0x80, n = 0;
	uint64_t set = 0;
	size_t i = 0;
	for (size_t k = 0; k < in.n; k++)
		if (in.p[k] == '-')
			i = k + 1;
	for (size_t k = 0; k + 1 < i; k++, n++)
		set |= scripts_of(in.p[k]);
	while (i < in.n && n < POINTS_MAX) {
		uint32_t before = at;
		if (!number(in, &i, bias, &at))
			break;
		n++;
		bias = adapt(at - before, n, before == 0);
		if (at / n > 0x10ffff - c)
			break;
		c += at / n;
		at = at % n + 1;
		set |= scripts_of(c);
	}
	return set;
}

bool scripts_mixed_name(struct bytes name)
{
	while (name.n) {
		const uint8_t *dot = memchr(name.p, '.', name.n);
		size_t len = dot ? (size_t)(dot - name.p) : name.n;
		if (len > 4 && bytes_equal_nocase(bytes_head(name, 4), bytes_str("xn--")) &&
		    mixed(punycode(bytes_from(bytes_head(name, len), 4))))
			return true;
		name = bytes_from(name, len + 1);
	}
	return false;
}
