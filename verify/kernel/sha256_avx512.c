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

/* Round i of eight, i a constant: the names have turned by i. */
static inline __attribute__((always_inline)) void round_at(__m512i v[8], int i, __m512i kw)
{
	round_of(v[(8 - i) & 7], v[(9 - i) & 7], v[(10 - i) & 7], &v[(11 - i) & 7], v[(12 - i) & 7],
		 v[(13 - i) & 7], v[(14 - i) & 7], &v[(15 - i) & 7], kw);
}

/* The next block of 16 lanes as words. */
static inline void load(__m512i w[16], const uint8_t *const p[], const uint8_t *const ahead[],
			size_t off)
{
	__m512i r[16];
#pragma GCC unroll 16
	for (int l = 0; l < 16; l++)
		_mm_prefetch(ahead[l] + off, _MM_HINT_T0);
#pragma GCC unroll 16
	for (int l = 0; l < 16; l++)
		r[l] = _mm512_loadu_si512(p[l] + off);
	transpose(r);
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++)
		w[i] = r[i];
}

/*
 * Two sets of 16 lanes, round by round: each round waits for the one before it, and the other set's
 * fills the gaps. Both states stand in registers, the words in memory.
 */
void sha256_lanes_avx512(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
			 const uint8_t *const ahead[SHA256_LANES], size_t blocks)
{
	__m512i w[2][16], a[8], b[8];
	for (size_t off = 0; off < blocks * SHA256_BLOCK; off += SHA256_BLOCK) {
		for (int set = 0; set < 2; set++)
			load(w[set], p + 16 * set, ahead + 16 * set, off);
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++) {
			a[i] = _mm512_load_si512(s->word[i]);
			b[i] = _mm512_load_si512(s->word[i] + 16);
		}
		for (int part = 0; part < 64; part += 8) {
			const uint32_t *k = sha256_k + part;
			__m512i *x = w[0], *y = w[1];
			int first = part & 15;
#pragma GCC unroll 8
			for (int i = 0; i < 8; i++) {
				__m512i ki = _mm512_set1_epi32((int)k[i]);
				if (part >= 16)
					schedule(x, first + i);
				round_at(a, i, add(x[first + i], ki));
				if (part >= 16)
					schedule(y, first + i);
				round_at(b, i, add(y[first + i], ki));
			}
		}
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++) {
			uint32_t *state = s->word[i];
			_mm512_store_si512(state, add(_mm512_load_si512(state), a[i]));
			state += 16;
			_mm512_store_si512(state, add(_mm512_load_si512(state), b[i]));
		}
	}
}
