#include "dataplane/sum_impl.h"

#include <emmintrin.h>

/*
 * 32-bit words are added in 64-bit lanes, so no carry is lost before 2^32 words; 2^16 is 1 modulo
 * 65535, so folding makes of it the sum of 16-bit words, in either byte order (RFC 1071 section 2).
 */
static inline void sum_block(const uint8_t *p, __m128i *low, __m128i *high)
{
	__m128i v = _mm_loadu_si128((const __m128i *)p);
	*low = _mm_add_epi64(*low, _mm_unpacklo_epi32(v, _mm_setzero_si128()));
	*high = _mm_add_epi64(*high, _mm_unpackhi_epi32(v, _mm_setzero_si128()));
}

uint64_t sum_octets(const uint8_t *p, size_t n)
{
	__m128i a = _mm_setzero_si128(), b = a, c = a, d = a;
	for (; n >= 32; p += 32, n -= 32) {
		sum_block(p, &a, &b);
		sum_block(p + 16, &c, &d);
	}
	if (n >= 16) {
		sum_block(p, &a, &b);
		p += 16, n -= 16;
	}
	a = _mm_add_epi64(_mm_add_epi64(a, b), _mm_add_epi64(c, d));
	uint64_t sum = (uint64_t)_mm_cvtsi128_si64(a) +
		       (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(a, a));
	uint64_t word = 0;
	if (n >= 8) {
		memcpy(&word, p, 8);
		sum += (word & 0xffffffff) + (word >> 32);
		p += 8, n -= 8;
	}
	word = 0;
	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)p[i] << 8 * i;
	return sum + (word & 0xffffffff) + (word >> 32);
}

/* At every length up to two turns of the widest loop and a rest, of octets that carry. */
static bool self_test(sum_fn *octets)
{
	uint8_t data[400];
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i % 7 ? 255 - i : i * 37);
	for (size_t n = 0; n <= sizeof data; n++) {
		const uint8_t *p = data + sizeof data - n;
		if (sum_fold(octets(p, n)) != sum_fold(sum_octets(p, n)))
			return false;
	}
	return true;
}

void sum_ops_init(struct sum_ops *ops, enum cpu_level level)
{
	static sum_fn *const ladder[CPU_LEVEL_N] = { sum_octets, sum_octets_avx2,
						     sum_octets_avx512 };
	for (;; level--) {
		*ops = (struct sum_ops){ ladder[level], level };
		if (level == CPU_SCALAR || self_test(ops->octets))
			return;
		cpu_left_out("sum", cpu_level_name(level));
	}
}
