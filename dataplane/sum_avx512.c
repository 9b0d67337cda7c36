#include "dataplane/sum_impl.h"

#include <immintrin.h>

uint64_t sum_octets_avx512(const uint8_t *p, size_t n)
{
	const __m512i low = _mm512_set1_epi64(0xffffffff);
	__m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
	for (; n >= 128; p += 128, n -= 128) {
		__m512i v = _mm512_loadu_si512(p), w = _mm512_loadu_si512(p + 64);
		a = _mm512_add_epi64(a, _mm512_and_si512(v, low));
		b = _mm512_add_epi64(b, _mm512_srli_epi64(v, 32));
		c = _mm512_add_epi64(c, _mm512_and_si512(w, low));
		d = _mm512_add_epi64(d, _mm512_srli_epi64(w, 32));
	}
	while (n) {
		size_t k = n < 64 ? n : 64;
		__m512i v = _mm512_maskz_loadu_epi8(~(__mmask64)0 >> (64 - k), p);
		a = _mm512_add_epi64(a, _mm512_and_si512(v, low));
		b = _mm512_add_epi64(b, _mm512_srli_epi64(v, 32));
		p += k, n -= k;
	}
	a = _mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(c, d));
	return (uint64_t)_mm512_reduce_add_epi64(a);
}
