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
 * As many pairs of blocks as are plain and no line of which may become too long. Each octet is
 * judged with the one behind it, which is loaded one octet on: no mask is carried from block to
 * block.
 */
static inline __attribute__((always_inline)) size_t pairs(struct dot *d, uint8_t *dst,
							  const uint8_t *src, size_t n)
{
	const __m512i cr = _mm512_set1_epi8('\r'), lf = _mm512_set1_epi8('\n'),
		      dot = _mm512_set1_epi8('.');
	const uint64_t dots = d->raw ? 0 : UINT64_MAX;
	__m512i high = _mm512_setzero_si512();
	size_t i = 0;
	if (n <= 128 || !dot_fits(d, src[0]))
		return 0;
	int line = src[0] == '\n' ? -1 : d->line; /* -1: LF is the next octet */
	for (; n - i > 128 && line <= DOT_LINE_MAX - 128; i += 128) {
		__m512i v = _mm512_loadu_si512(src + i), w = _mm512_loadu_si512(src + i + 64);
		__m512i v1 = _mm512_loadu_si512(src + i + 1), w1 = _mm512_loadu_si512(src + i + 65);
		uint64_t v_lf = _mm512_cmpeq_epi8_mask(v1, lf),
			 w_lf = _mm512_cmpeq_epi8_mask(w1, lf);
		uint64_t bad = (_mm512_cmpeq_epi8_mask(v, cr) ^ v_lf) |
			       (_mm512_cmpeq_epi8_mask(w, cr) ^ w_lf);
		__mmask64 v_bol = _mm512_cmpeq_epi8_mask(v, lf),
			  w_bol = _mm512_cmpeq_epi8_mask(w, lf);
		bad |= (_mm512_mask_cmpeq_epi8_mask(v_bol, v1, dot) |
			_mm512_mask_cmpeq_epi8_mask(w_bol, w1, dot)) &
		       dots;
		__m512i low = _mm512_min_epu8(v, w);
		if (bad | _mm512_testn_epi8_mask(low, low))
			break;
		line = (v_lf ? __builtin_clzll(v_lf) - 1 : line + 64);
		line = (w_lf ? __builtin_clzll(w_lf) - 1 : line + 64);
		high = _mm512_or_si512(high, _mm512_or_si512(v, w));
		_mm512_storeu_si512(dst + i, v);
		_mm512_storeu_si512(dst + i + 64, w);
	}
	if (!i)
		return 0;
	if (line < 0) /* it comes along */
		dst[i++] = '\n';
	line = line < 0 ? 0 : line;
	d->flags |= _mm512_movepi8_mask(high) ? MESSAGE_8BIT : 0;
	d->line = (uint16_t)line;
	d->state = src[i - 1] == '\n' ? DOT_BOL : DOT_MID;
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
