#include "verify/kernel/quoted.h"

#include <immintrin.h>

/* Copies a block; a bit for each octet to stop at. */
static inline uint32_t block(const uint8_t *p, uint8_t *out)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
	_mm256_storeu_si256((__m256i *)(void *)out, v);
	return (uint32_t)_mm256_movemask_epi8(
		_mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('=')),
				_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\r'))));
}

size_t quoted_run_avx2(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t i = 0;
	for (; n - i >= 32; i += 32) {
		uint32_t stop = block(p + i, out + i);
		if (stop)
			return i + (unsigned)__builtin_ctz(stop);
	}
	for (; i < n && p[i] != '=' && p[i] != '\r'; i++)
		out[i] = p[i];
	return i;
}
