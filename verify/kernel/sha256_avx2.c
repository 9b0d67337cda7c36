#include "verify/kernel/sha256_impl.h"

#include <immintrin.h>

enum { WIDTH = 8 };

/* Register i holds 32 octets of lane i; afterwards register i holds word i of every lane, host
 * order. */
static inline void transpose(__m256i r[WIDTH])
{
	const __m256i swap = _mm256_broadcastsi128_si256(
		_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
	__m256i t[WIDTH];
#pragma GCC unroll 8
	for (int i = 0; i < WIDTH; i += 2) {
		t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
		t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
	}
#pragma GCC unroll 8
	for (int i = 0; i < WIDTH; i += 4) {
		r[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
		r[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
		r[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
		r[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
	}
#pragma GCC unroll 8
	for (int i = 0; i < 4; i++) {
		t[i] = _mm256_permute2x128_si256(r[i], r[i + 4], 0x20);
		t[i + 4] = _mm256_permute2x128_si256(r[i], r[i + 4], 0x31);
	}
#pragma GCC unroll 8
	for (int i = 0; i < WIDTH; i++)
		r[i] = _mm256_shuffle_epi8(t[i], swap);
}

static inline __m256i add(__m256i a, __m256i b)
{
	return _mm256_add_epi32(a, b);
}

static inline __m256i xor2(__m256i a, __m256i b)
{
	return _mm256_xor_si256(a, b);
}

static inline __m256i ror(__m256i x, int n)
{
	return _mm256_or_si256(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - n));
}

static inline __m256i ror3(__m256i x, int i, int j, int k)
{
	return xor2(xor2(ror(x, i), ror(x, j)), ror(x, k));
}

/*
 * One round; the caller turns the names instead of moving a..h. bc: b ^ c, which is a ^ b of the
 * round before. As few additions as can be stand behind e, where the next round waits.
 */
static inline void round_of(__m256i a, __m256i b, __m256i *bc, __m256i *d, __m256i e, __m256i f,
			    __m256i g, __m256i *h, __m256i kw)
{
	__m256i ch = xor2(g, _mm256_and_si256(e, xor2(f, g)));
	__m256i ab = xor2(a, b);
	__m256i maj = xor2(b, _mm256_and_si256(ab, *bc));
	__m256i t = add(add(add(*h, kw), ch), ror3(e, 6, 11, 25));
	*bc = ab;
	*d = add(*d, t);
	*h = add(add(t, maj), ror3(a, 2, 13, 22));
}

/* w[i] becomes the word 16 rounds on. */
static inline void schedule(__m256i w[16], int i)
{
	__m256i a = w[(i + 1) & 15], b = w[(i + 14) & 15];
	__m256i s0 = xor2(xor2(ror(a, 7), ror(a, 18)), _mm256_srli_epi32(a, 3));
	__m256i s1 = xor2(xor2(ror(b, 17), ror(b, 19)), _mm256_srli_epi32(b, 10));
	w[i] = add(add(w[i], s0), add(w[(i + 9) & 15], s1));
}

static inline void rounds16(__m256i v[8], const __m256i w[16], const uint32_t *k)
{
	__m256i bc = xor2(v[1], v[2]);
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++) {
		int j = i & 7;
		__m256i kw = add(w[i], _mm256_set1_epi32((int)k[i]));
		round_of(v[(8 - j) & 7], v[(9 - j) & 7], &bc, &v[(11 - j) & 7], v[(12 - j) & 7],
			 v[(13 - j) & 7], v[(14 - j) & 7], &v[(15 - j) & 7], kw);
	}
}

void sha256_lanes_avx2(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
		       const uint8_t *const ahead[SHA256_LANES], size_t blocks)
{
	__m256i v[8], w[16];
	for (size_t off = 0; off < blocks * SHA256_BLOCK; off += SHA256_BLOCK) {
#pragma GCC unroll 8
		for (int i = 0; i < WIDTH; i++)
			_mm_prefetch(ahead[i] + off, _MM_HINT_T0);
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++)
			w[i] = _mm256_loadu_si256(
				(const __m256i *)(p[i & 7] + off + (i < WIDTH ? 0 : 32)));
		transpose(w);
		transpose(w + WIDTH);
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++)
			v[i] = _mm256_load_si256((const __m256i *)s->word[i]);
		rounds16(v, w, sha256_k);
		for (int part = 16; part < 64; part += 16) {
#pragma GCC unroll 16
			for (int i = 0; i < 16; i++)
				schedule(w, i);
			rounds16(v, w, sha256_k + part);
		}
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++) {
			__m256i *state = (__m256i *)s->word[i];
			_mm256_store_si256(state, add(_mm256_load_si256(state), v[i]));
		}
	}
}
