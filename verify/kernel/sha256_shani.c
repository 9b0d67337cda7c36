#include "verify/kernel/sha256_impl.h"

#include <immintrin.h>

/*
 * The processor's own rounds. One string waits for the latency of each instruction; a second one
 * beside it fills the gaps. The instructions want the words of the state as ABEF and CDGH.
 */
struct two {
	__m128i abef, cdgh;
};

static inline struct two load_state(const struct sha256_lanes *s, unsigned lane)
{
	uint32_t v[8];
	for (int i = 0; i < 8; i++)
		v[i] = s->word[i][lane];
	return (struct two){ _mm_set_epi32((int)v[0], (int)v[1], (int)v[4], (int)v[5]),
			     _mm_set_epi32((int)v[2], (int)v[3], (int)v[6], (int)v[7]) };
}

static inline void store_state(struct sha256_lanes *s, unsigned lane, struct two t)
{
	static const uint8_t word[8] = { 5, 4, 1, 0, 7, 6, 3, 2 };
	uint32_t v[8];
	_mm_storeu_si128((__m128i *)v, t.abef);
	_mm_storeu_si128((__m128i *)(v + 4), t.cdgh);
	for (int i = 0; i < 8; i++)
		s->word[word[i]][lane] = v[i];
}

/* w[r & 3] becomes words 4r.. of the schedule; words of the four groups before it are in w. */
static inline void schedule(__m128i w[4], int r)
{
	__m128i last = w[(r + 3) & 3];
	__m128i t = _mm_alignr_epi8(last, w[(r + 2) & 3], 4);
	__m128i u = _mm_add_epi32(_mm_sha256msg1_epu32(w[r & 3], w[(r + 1) & 3]), t);
	w[r & 3] = _mm_sha256msg2_epu32(u, last);
}

static inline __m128i load_words(const uint8_t *p)
{
	const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p), swap);
}

static inline void rounds4(struct two *t, __m128i kw)
{
	t->cdgh = _mm_sha256rnds2_epu32(t->cdgh, t->abef, kw);
	t->abef = _mm_sha256rnds2_epu32(t->abef, t->cdgh, _mm_shuffle_epi32(kw, 0x0e));
}

void sha256_pair_shani(struct sha256_lanes *s, const unsigned lane[2], const uint8_t *const p[2],
		       size_t blocks)
{
	struct two x = load_state(s, lane[0]), y = load_state(s, lane[1]);
	for (size_t off = 0; off < blocks * SHA256_BLOCK; off += SHA256_BLOCK) {
		struct two x0 = x, y0 = y;
		__m128i v[4], w[4];
#pragma GCC unroll 16
		for (int r = 0; r < 16; r++) {
			__m128i k = _mm_loadu_si128((const __m128i *)(sha256_k + 4 * r));
			if (r < 4) {
				v[r] = load_words(p[0] + off + 16 * r);
				w[r] = load_words(p[1] + off + 16 * r);
			} else {
				schedule(v, r);
				schedule(w, r);
			}
			rounds4(&x, _mm_add_epi32(v[r & 3], k));
			rounds4(&y, _mm_add_epi32(w[r & 3], k));
		}
		x.abef = _mm_add_epi32(x.abef, x0.abef);
		x.cdgh = _mm_add_epi32(x.cdgh, x0.cdgh);
		y.abef = _mm_add_epi32(y.abef, y0.abef);
		y.cdgh = _mm_add_epi32(y.cdgh, y0.cdgh);
	}
	store_state(s, lane[0], x);
	store_state(s, lane[1], y);
}
