#include "reassembly/dot_impl.h"

#include <immintrin.h>

static inline uint64_t both(__m256i a, __m256i b)
{
	return (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b)
							   << 32;
}

/* Most blocks of text hold one CRLF and no other octet below 14: the dots are looked at only then.
 */
static inline struct dot_mask mask_of(__m256i a, __m256i b, bool bol, bool raw)
{
	struct dot_mask m = { .high = both(a, b) };
	__m256i top = _mm256_set1_epi8('\r');
	uint64_t low = both(_mm256_cmpeq_epi8(_mm256_min_epu8(a, top), a),
			    _mm256_cmpeq_epi8(_mm256_min_epu8(b, top), b));
	if (low) {
		__m256i lf = _mm256_set1_epi8('\n'), nul = _mm256_setzero_si256();
		m.cr = both(_mm256_cmpeq_epi8(a, top), _mm256_cmpeq_epi8(b, top));
		m.lf = both(_mm256_cmpeq_epi8(a, lf), _mm256_cmpeq_epi8(b, lf));
		if (low & ~m.cr & ~m.lf) /* a tab, or NUL */
			m.nul = both(_mm256_cmpeq_epi8(a, nul), _mm256_cmpeq_epi8(b, nul));
	}
	if (!raw && (bol || m.lf)) {
		__m256i dot = _mm256_set1_epi8('.');
		m.dot = both(_mm256_cmpeq_epi8(a, dot), _mm256_cmpeq_epi8(b, dot));
	}
	return m;
}

size_t dot_plain_avx2(struct dot *state, uint8_t *dst, const uint8_t *src, size_t n)
{
	struct dot d = *state; /* in registers */
	size_t i = 0;
	for (; n - i >= 64; i += 64) {
		__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(src + i));
		__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(src + i + 32));
		struct dot_mask m = mask_of(a, b, d.state == DOT_BOL, d.raw);
		if (!dot_block(&d, &m, 64))
			break;
		_mm256_storeu_si256((__m256i *)(void *)(dst + i), a);
		_mm256_storeu_si256((__m256i *)(void *)(dst + i + 32), b);
	}
	if (n - i < 64 && n > i) {
		/* no masked octet load here: the tail goes through a block filled up with plain
		 * octets */
		uint8_t tail[64];
		memset(tail, 'x', sizeof tail);
		memcpy(tail, src + i, n - i);
		__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)tail);
		__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(tail + 32));
		struct dot_mask m = mask_of(a, b, d.state == DOT_BOL, d.raw);
		if (dot_block(&d, &m, (unsigned)(n - i))) {
			memcpy(dst + i, tail, n - i);
			i = n;
		}
	}
	*state = d;
	return i;
}
