#include "verify/kernel/sha256_impl.h"

#include <immintrin.h>

/* Register i holds octets 64b.. of lane i; afterwards register i holds word i of every lane, host
 * order. */
static inline void transpose(__m512i r[16])
{
	const __m512i swap = _mm512_broadcast_i32x4(
		_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
	__m512i t[16];
#pragma GCC unroll 16
	for (int i = 0; i < 16; i += 2) {
		t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
		t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
	}
#pragma GCC unroll 16
	for (int i = 0; i < 16; i += 4) {
		r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
		r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
		r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
		r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
	}
#pragma GCC unroll 16
	for (int i = 0; i < 4; i++) {
		__m512i a = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
		__m512i b = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
		__m512i c = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
		__m512i d = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
		t[i] = _mm512_shuffle_i32x4(a, c, 0x88);
		t[i + 8] = _mm512_shuffle_i32x4(a, c, 0xdd);
		t[i + 4] = _mm512_shuffle_i32x4(b, d, 0x88);
		t[i + 12] = _mm512_shuffle_i32x4(b, d, 0xdd);
	}
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++)
		r[i] = _mm512_shuffle_epi8(t[i], swap);
}

static inline __m512i xor3(__m512i a, __m512i b, __m512i c)
{
	return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}

static inline __m512i add(__m512i a, __m512i b)
{
	return _mm512_add_epi32(a, b);
}

/*
 * One round; the caller turns the names instead of moving a..h. The next round waits for d, so that
 * sum is made twice: what is known early is added first, and nothing stands behind s1.
 */
static inline void round_of(__m512i a, __m512i b, __m512i c, __m512i *d, __m512i e, __m512i f,
			    __m512i g, __m512i *h, __m512i kw)
{
	__m512i s1 = xor3(_mm512_ror_epi32(e, 6), _mm512_ror_epi32(e, 11), _mm512_ror_epi32(e, 25));
	__m512i ch = _mm512_ternarylogic_epi32(e, f, g, 0xca);
	__m512i s0 = xor3(_mm512_ror_epi32(a, 2), _mm512_ror_epi32(a, 13), _mm512_ror_epi32(a, 22));
	__m512i maj = _mm512_ternarylogic_epi32(a, b, c, 0xe8);
	__m512i hkw = add(*h, kw);
	__m512i t = add(add(hkw, ch), s1);
	*d = add(add(add(*d, hkw), ch), s1);
	*h = add(add(t, maj), s0);
}

/* w[i] becomes the word 16 rounds on. */
static inline void schedule(__m512i w[16], int i)
{
	__m512i a = w[(i + 1) & 15], b = w[(i + 14) & 15];
	__m512i s0 = xor3(_mm512_ror_epi32(a, 7), _mm512_ror_epi32(a, 18), _mm512_srli_epi32(a, 3));
	__m512i s1 =
		xor3(_mm512_ror_epi32(b, 17), _mm512_ror_epi32(b, 19), _mm512_srli_epi32(b, 10));
	w[i] = add(add(w[i], s0), add(w[(i + 9) & 15], s1));
}

static inline void rounds16(__m512i v[8], const __m512i w[16], const uint32_t *k)
{
#pragma GCC unroll 16
	for (int i = 0; i < 16; i += 8) {
#pragma GCC unroll 16
		for (int j = 0; j < 8; j++) {
			__m512i kw = add(w[i + j], _mm512_set1_epi32((int)k[i + j]));
			round_of(v[(8 - j) & 7], v[(9 - j) & 7], v[(10 - j) & 7], &v[(11 - j) & 7],
				 v[(12 - j) & 7], v[(13 - j) & 7], v[(14 - j) & 7],
				 &v[(15 - j) & 7], kw);
		}
	}
}

void sha256_lanes_avx512(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
			 const uint8_t *const ahead[SHA256_LANES], size_t blocks)
{
	__m512i state[8], v[8], w[16];
#pragma GCC unroll 16
	for (int i = 0; i < 8; i++)
		state[i] = _mm512_load_si512(s->word[i]);
	for (size_t b = 0; b < blocks; b++) {
#pragma GCC unroll 16
		for (int l = 0; l < 16; l++)
			_mm_prefetch(ahead[l] + b * SHA256_BLOCK, _MM_HINT_T0);
#pragma GCC unroll 16
		for (int l = 0; l < 16; l++)
			w[l] = _mm512_loadu_si512(p[l] + b * SHA256_BLOCK);
		transpose(w);
#pragma GCC unroll 16
		for (int i = 0; i < 8; i++)
			v[i] = state[i];
		rounds16(v, w, sha256_k);
		for (int part = 16; part < 64; part += 16) {
#pragma GCC unroll 16
			for (int i = 0; i < 16; i++)
				schedule(w, i);
			rounds16(v, w, sha256_k + part);
		}
#pragma GCC unroll 16
		for (int i = 0; i < 8; i++)
			state[i] = add(state[i], v[i]);
	}
#pragma GCC unroll 16
	for (int i = 0; i < 8; i++)
		_mm512_store_si512(s->word[i], state[i]);
}
