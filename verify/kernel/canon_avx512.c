#include "verify/kernel/canon.h"

#include <immintrin.h>

/* All ones where v is SP or HTAB: looked up by the low four bits, no other octet finds itself. */
static inline __mmask64 blanks_in(__m512i v)
{
	const __m512i blank = _mm512_broadcast_i32x4(
		_mm_setr_epi8(' ', -128, -128, -128, -128, -128, -128, -128, -128, '\t', -128, -128,
			      -128, -128, -128, -128));
	return _mm512_cmpeq_epi8_mask(v, _mm512_shuffle_epi8(blank, v));
}

/* Ones where a is CR and b, one octet on, is LF. */
static inline __mmask64 ends_in(__m512i a, __m512i b)
{
	__m512i differ = _mm512_xor_si512(a, _mm512_set1_epi8('\r'));
	differ = _mm512_ternarylogic_epi32(differ, b, _mm512_set1_epi8('\n'), 0xf6); /* a|(b^c) */
	return _mm512_testn_epi8_mask(differ, differ);
}

/* Octets behind n, which may be 0, are zeros and not read. */
static inline __m512i load_part(const uint8_t *p, size_t n)
{
	return _mm512_maskz_loadu_epi8(_bzhi_u64(UINT64_MAX, n < 64 ? (unsigned)n : 64), p);
}

/* What stays of v is in front, every blank a SP. */
static inline __m512i squeeze(__m512i v, uint64_t blank, uint64_t keep)
{
	v = _mm512_mask_mov_epi8(v, blank, _mm512_set1_epi8(' '));
	return _mm512_maskz_compress_epi8(keep, v);
}

/*
 * A blank stays unless a blank or a CRLF follows. No step depends on what the octets are. A block is
 * done when the blanks of the next one are known; line ends, which reach two octets on, are found by
 * loads one and two octets on.
 */
size_t canon_relaxed_avx512(const uint8_t *p, size_t n, uint8_t *out, size_t cap, size_t *used)
{
	size_t i = 0, o = 0;
	__m512i v = load_part(p, n);
	uint64_t blank = blanks_in(v);
	for (;;) {
		size_t blocks = n - i < 128 ? 0 : (n - i - 64) / 64, room = (cap - o) / 64;
		blocks = blocks < room ? blocks : room;
		if (!blocks)
			break;
		for (; blocks; blocks--, i += 64) {
			__m512i next = _mm512_loadu_si512(p + i + 64);
			uint64_t next_blank = blanks_in(next);
			uint64_t end = ends_in(_mm512_loadu_si512(p + i + 1),
					       _mm512_loadu_si512(p + i + 2));
			uint64_t keep = ~(blank & ((blank >> 1 | next_blank << 63) | end));
			_mm512_storeu_si512(out + o, squeeze(v, blank, keep));
			o += (unsigned)__builtin_popcountll(keep);
			v = next;
			blank = next_blank;
		}
	}
	while (i < n) {
		size_t left = n - i, more = left < 64 ? 0 : left - 64;
		__m512i next = load_part(more ? p + i + 64 : p, more);
		uint64_t next_blank = blanks_in(next);
		uint64_t end =
			ends_in(load_part(p + i + 1, left - 1),
				load_part(p + i + (left > 1 ? 2 : 1), left > 1 ? left - 2 : 0));
		uint64_t keep = ~(blank & ((blank >> 1 | next_blank << 63) | end));
		keep = _bzhi_u64(keep, left < 64 ? (unsigned)left : 64);
		unsigned count = (unsigned)__builtin_popcountll(keep);
		if (cap - o < count)
			break;
		_mm512_mask_storeu_epi8(out + o, _bzhi_u64(UINT64_MAX, count),
					squeeze(v, blank, keep));
		o += count;
		i += left < 64 ? left : 64;
		v = next;
		blank = next_blank;
	}
	*used = i;
	return o;
}
