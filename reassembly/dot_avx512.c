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

size_t dot_plain_avx512(struct dot *state, uint8_t *dst, const uint8_t *src, size_t n)
{
	struct dot d = *state; /* in registers */
	size_t i = 0;
	for (; n - i >= 64; i += 64) {
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
