#include "verify/kernel/canon.h"

#include <immintrin.h>

struct block { /* 32 octets */
	_Alignas(32) uint64_t octets[4]; /* every blank a SP */
	_Alignas(32) uint64_t stay[4]; /* 0xff where an octet stays, 0 where it is dropped */
	uint32_t keep; /* a bit for each */
};

static inline __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* 0xff where v is SP or HTAB: looked up by the low four bits, no other octet finds itself. */
static inline __m256i blanks_in(__m256i v)
{
	const __m256i blank = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(' ', -128, -128, -128, -128, -128, -128, -128, -128, '\t', -128, -128,
			      -128, -128, -128, -128));
	return _mm256_cmpeq_epi8(v, _mm256_shuffle_epi8(blank, v));
}

/* A blank stays unless a blank or a CRLF follows. Reads 34 octets. */
static inline __attribute__((always_inline)) __m256i judge(struct block *b, const uint8_t *p)
{
	__m256i v = load(p), v1 = load(p + 1), v2 = load(p + 2);
	__m256i blank = blanks_in(v);
	__m256i end = _mm256_and_si256(_mm256_cmpeq_epi8(v1, _mm256_set1_epi8('\r')),
				       _mm256_cmpeq_epi8(v2, _mm256_set1_epi8('\n')));
	__m256i drop = _mm256_and_si256(blank, _mm256_or_si256(blanks_in(v1), end));
	b->keep = ~(uint32_t)_mm256_movemask_epi8(drop);
	_mm256_store_si256((__m256i *)(void *)b->stay,
			   _mm256_xor_si256(drop, _mm256_set1_epi8(-1)));
	return _mm256_blendv_epi8(v, _mm256_set1_epi8(' '), blank);
}

/* Writes what stays to out, where 32 octets have room. Returns how many stay. */
static inline __attribute__((always_inline)) size_t squeeze(struct block *b, __m256i v,
							    uint8_t *out)
{
	size_t o = 0;
	_mm256_store_si256((__m256i *)(void *)b->octets, v);
	for (int i = 0; i < 4; i++) {
		uint64_t x = _pext_u64(b->octets[i], b->stay[i]);
		memcpy(out + o, &x, 8);
		o += (unsigned)__builtin_popcount(b->keep >> i * 8 & 0xff);
	}
	return o;
}

size_t canon_relaxed_avx2(const uint8_t *p, size_t n, uint8_t *out, size_t cap, size_t *used)
{
	size_t i = 0, o = 0;
	struct block b;
	while (n - i >= 34 && cap - o >= 32) {
		__m256i v = judge(&b, p + i);
		if (b.keep == UINT32_MAX) {
			_mm256_storeu_si256((__m256i *)(void *)(out + o), v);
			o += 32;
		} else {
			o += squeeze(&b, v, out + o);
		}
		i += 32;
	}
	while (i < n) { /* at most two: filled up with octets that change nothing */
		uint8_t part[34] = { 0 }, kept[32];
		size_t left = n - i, take = left < 32 ? left : 32;
		memcpy(part, p + i, left < sizeof part ? left : sizeof part);
		__m256i v = judge(&b, part);
		size_t count = squeeze(&b, v, kept) - (32 - take);
		if (cap - o < count)
			break;
		memcpy(out + o, kept, count);
		o += count;
		i += take;
	}
	*used = i;
	return o;
}
