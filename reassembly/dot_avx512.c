#include "reassembly/dot_impl.h"

#include <immintrin.h>

static inline struct dot_mask mask_of(__m512i v, __mmask64 here, bool raw)
{
	return (struct dot_mask){
		.cr = _mm512_mask_cmpeq_epi8_mask(here, v, _mm512_set1_epi8('\r')),
		.lf = _mm512_mask_cmpeq_epi8_mask(here, v, _mm512_set1_epi8('\n')),
		.dot = raw ? 0 : _mm512_mask_cmpeq_epi8_mask(here, v, _mm512_set1_epi8('.')),
		.nul = _mm512_mask_testn_epi8_mask(here, v, v),
		.high = _mm512_movepi8_mask(v),
	};
}

/*
 * dot_block for two whole blocks in fewer steps; nul and high of a tell of both. False also where a
 * line may become too long.
 */
static inline __attribute__((always_inline)) bool dot_pair(struct dot *d, const struct dot_mask *a,
							   const struct dot_mask *b)
{
	uint64_t bad = ((a->cr << 1 | (d->state == DOT_CR)) ^ a->lf) |
		       ((b->cr << 1 | a->cr >> 63) ^ b->lf) |
		       ((a->lf << 1 | (d->state == DOT_BOL)) & a->dot) |
		       ((b->lf << 1 | a->lf >> 63) & b->dot) | a->nul;
	if (bad || d->line > DOT_LINE_MAX - 128)
		return false;
	d->flags |= a->high ? MESSAGE_8BIT : 0;
	unsigned line = a->lf ? (unsigned)__builtin_clzll(a->lf) : d->line + 64u;
	line = b->lf ? (unsigned)__builtin_clzll(b->lf) : line + 64;
	d->line = (uint16_t)line;
	d->state = b->cr >> 63 ? DOT_CR : b->lf >> 63 ? DOT_BOL : DOT_MID;
	return true;
}

/* As many pairs of blocks as are plain. */
static inline __attribute__((always_inline)) size_t pairs(struct dot *d, uint8_t *dst,
							  const uint8_t *src, size_t n)
{
	const __m512i cr = _mm512_set1_epi8('\r'), lf = _mm512_set1_epi8('\n'),
		      dot = _mm512_set1_epi8('.');
	const uint64_t dots = d->raw ? 0 : UINT64_MAX;
	size_t i = 0;
	for (; n - i >= 128; i += 128) {
		__m512i v = _mm512_loadu_si512(src + i), w = _mm512_loadu_si512(src + i + 64);
		__m512i low = _mm512_min_epu8(v, w);
		struct dot_mask a = {
			.cr = _mm512_cmpeq_epi8_mask(v, cr),
			.lf = _mm512_cmpeq_epi8_mask(v, lf),
			.dot = _mm512_cmpeq_epi8_mask(v, dot) & dots,
			.nul = _mm512_testn_epi8_mask(low, low),
			.high = _mm512_movepi8_mask(_mm512_or_si512(v, w)),
		};
		struct dot_mask b = {
			.cr = _mm512_cmpeq_epi8_mask(w, cr),
			.lf = _mm512_cmpeq_epi8_mask(w, lf),
			.dot = _mm512_cmpeq_epi8_mask(w, dot) & dots,
		};
		if (!dot_pair(d, &a, &b))
			break;
		_mm512_storeu_si512(dst + i, v);
		_mm512_storeu_si512(dst + i + 64, w);
	}
	return i;
}

size_t dot_plain_avx512(struct dot *state, uint8_t *dst, const uint8_t *src, size_t n)
{
	struct dot d = *state; /* in registers */
	size_t i = 0;
	for (;; i += 64) {
		i += pairs(&d, dst + i, src + i, n - i);
		if (n - i < 64)
			break;
		__m512i v = _mm512_loadu_si512(src + i);
		struct dot_mask m = mask_of(v, ~(__mmask64)0, d.raw);
		if (!dot_block(&d, &m, 64))
			break;
		_mm512_storeu_si512(dst + i, v);
	}
	if (n - i < 64 && n > i) {
		__mmask64 here = ((__mmask64)1 << (n - i)) - 1;
		__m512i v = _mm512_maskz_loadu_epi8(here, src + i);
		struct dot_mask m = mask_of(v, here, d.raw);
		if (dot_block(&d, &m, (unsigned)(n - i))) {
			_mm512_mask_storeu_epi8(dst + i, here, v);
			i = n;
		}
	}
	*state = d;
	return i;
}
