#include "verify/kernel/base64_impl.h"

#include <immintrin.h>

enum { WIDTH = 64, GROUP = 4 * WIDTH, VALUES = 2048, STOP = 0x40, SKIP = 0x80 };

struct table {
	__m512i low, high; /* by octet: value of a letter, SKIP, or SKIP | STOP: scalar's */
	bool mime;
};

static inline __m512i half(const uint8_t *letter, bool mime)
{
	__m512i v = _mm512_sub_epi8(_mm512_loadu_si512(letter), _mm512_set1_epi8(1));
	__mmask64 other = _mm512_cmpge_epu8_mask(v, _mm512_set1_epi8(BASE64_BLANK));
	__mmask64 stop = mime ? _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(BASE64_PAD))
			      : _mm512_cmpgt_epu8_mask(v, _mm512_set1_epi8(BASE64_BLANK));
	v = _mm512_mask_mov_epi8(v, other, _mm512_set1_epi8((char)SKIP));
	return _mm512_mask_mov_epi8(v, stop, _mm512_set1_epi8((char)(SKIP | STOP)));
}

/* Octets of 128 and more are looked up without their highest bit. */
static inline __m512i look(const struct table *t, __m512i v)
{
	return _mm512_permutex2var_epi8(t->low, v, t->high);
}

/* Whether v has what is scalar's. */
static inline bool stops(const struct table *t, __m512i v, __m512i values)
{
	uint64_t high = _mm512_movepi8_mask(v);
	return (_mm512_test_epi8_mask(values, _mm512_set1_epi8(STOP)) & ~high) ||
	       (!t->mime && high);
}

/* Of several blocks in one: maybe without need, 0xbd is looked up as "=". */
static inline bool may_stop(const struct table *t, __m512i any, __m512i values)
{
	return _mm512_test_epi8_mask(values, _mm512_set1_epi8(STOP)) ||
	       (!t->mime && _mm512_movepi8_mask(any));
}

/* The values of letters to out, where WIDTH octets have room. Returns how many. */
static inline __attribute__((always_inline)) size_t strip(__m512i v, __m512i values, uint8_t *out)
{
	uint64_t keep = ~_mm512_movepi8_mask(_mm512_or_si512(v, values));
	_mm512_storeu_si512(out, _mm512_maskz_compress_epi8(keep, values));
	return (unsigned)__builtin_popcountll(keep);
}

/* 48 octets of 64 values, in front. */
static inline __m512i pack(__m512i values)
{
	const __m512i order = _mm512_set_epi8(
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 61, 62, 56, 57, 58, 52, 53, 54,
		48, 49, 50, 44, 45, 46, 40, 41, 42, 36, 37, 38, 32, 33, 34, 28, 29, 30, 24, 25, 26,
		20, 21, 22, 16, 17, 18, 12, 13, 14, 8, 9, 10, 4, 5, 6, 0, 1, 2);
	__m512i pairs = _mm512_maddubs_epi16(values, _mm512_set1_epi32(0x01400140));
	return _mm512_permutexvar_epi8(order,
				       _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x00011000)));
}

/*
 * Strips from p[i..n) behind the values that are there until limit may be reached, the input ends
 * or something is scalar's: *stop. Returns the new i.
 */
static inline size_t gather(const struct table *t, const uint8_t *p, size_t i, size_t n,
			    uint8_t *value, size_t *have, size_t limit, bool *stop)
{
	size_t h = *have;
	for (; n - i >= GROUP && h + GROUP <= limit; i += GROUP) {
		__m512i v[4], x[4];
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++) {
			v[k] = _mm512_loadu_si512(p + i + k * WIDTH);
			x[k] = look(t, v[k]);
		}
		__m512i any =
			_mm512_or_si512(_mm512_ternarylogic_epi32(v[0], v[1], v[2], 0xfe), v[3]);
		__m512i all =
			_mm512_or_si512(_mm512_ternarylogic_epi32(x[0], x[1], x[2], 0xfe), x[3]);
		if (may_stop(t, any, all))
			break; /* the loop below looks closer */
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++)
			h += strip(v[k], x[k], value + h);
	}
	for (; i < n && h + WIDTH <= limit; i += n - i < WIDTH ? n - i : WIDTH) {
		__mmask64 there = _bzhi_u64(UINT64_MAX, n - i < WIDTH ? (unsigned)(n - i) : WIDTH);
		__m512i v = _mm512_mask_loadu_epi8(_mm512_set1_epi8(' '), there, p + i);
		__m512i x = look(t, v);
		if (stops(t, v, x)) {
			*stop = true;
			break;
		}
		h += strip(v, x, value + h);
	}
	*have = h;
	return i;
}

/*
 * In two steps over what the first level of cache holds: letters are stripped together, then
 * packed. Neither depends on where lines end.
 */
size_t base64_run_avx512(struct base64 *s, const uint8_t *p, size_t n, uint8_t *out, size_t cap,
			 size_t *used)
{
	_Alignas(64) uint8_t value[VALUES + WIDTH];
	const struct table t = { half(base64_letter, s->mime), half(base64_letter + WIDTH, s->mime),
				 s->mime };
	size_t i = 0, o = 0, have = base64_begun(s, value), before;
	bool stop = false;
	do {
		size_t room = (cap - o) / 3 * 4, j = 0;
		before = i;
		i = gather(&t, p, i, n, value, &have, room < VALUES ? room : VALUES, &stop);
		for (; have - j >= WIDTH; j += WIDTH, o += 48) {
			__m512i octets = pack(_mm512_load_si512(value + j));
			if (cap - o >= WIDTH)
				_mm512_storeu_si512(out + o, octets);
			else
				_mm512_mask_storeu_epi8(out + o, (1ull << 48) - 1, octets);
		}
		have -= j;
		_mm512_store_si512(value, _mm512_load_si512(value + j));
	} while (i < n && !stop && i > before);
	/* fewer than WIDTH are left, and have room */
	size_t octets = have / 4 * 3;
	_mm512_mask_storeu_epi8(out + o, _bzhi_u64(UINT64_MAX, (unsigned)octets),
				pack(_mm512_load_si512(value)));
	base64_begin(s, value + have / 4 * 4, have % 4);
	*used = i;
	return o + octets;
}
