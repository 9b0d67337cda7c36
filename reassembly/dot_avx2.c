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

static inline __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* Not zero where half a block, v at p, is not plain; dots: all ones, or zeros where they mean
 * nothing. LF one octet on goes to lf. */
static inline __attribute__((always_inline)) __m256i odd(const uint8_t *p, __m256i v, __m256i dots,
							 uint32_t *lf)
{
	const __m256i lfs = _mm256_set1_epi8('\n');
	__m256i next = load(p + 1), next_lf = _mm256_cmpeq_epi8(next, lfs);
	__m256i cr = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\r'));
	__m256i dot = _mm256_and_si256(_mm256_cmpeq_epi8(next, _mm256_set1_epi8('.')), dots);
	dot = _mm256_and_si256(dot, _mm256_cmpeq_epi8(v, lfs));
	*lf = (uint32_t)_mm256_movemask_epi8(next_lf);
	return _mm256_or_si256(_mm256_or_si256(_mm256_xor_si256(cr, next_lf), dot),
			       _mm256_cmpeq_epi8(v, _mm256_setzero_si256()));
}

/*
 * As many blocks as are plain and no line of which may become too long. Each octet is judged with
 * the one behind it, which is loaded one octet on; no step but the last depends on what they are.
 */
static inline __attribute__((always_inline)) size_t blocks(struct dot *d, uint8_t *dst,
							   const uint8_t *src, size_t n)
{
	const __m256i dots = _mm256_set1_epi8(d->raw ? 0 : -1);
	__m256i high = _mm256_setzero_si256();
	size_t i = 0;
	if (n <= 64 || !dot_fits(d, src[0]))
		return 0;
	int line = src[0] == '\n' ? -1 : d->line; /* -1: LF is the next octet */
	for (; n - i > 64 && line <= DOT_LINE_MAX - 64; i += 64) {
		__m256i a = load(src + i), b = load(src + i + 32);
		uint32_t a_lf, b_lf;
		__m256i bad = _mm256_or_si256(odd(src + i, a, dots, &a_lf),
					      odd(src + i + 32, b, dots, &b_lf));
		if (!_mm256_testz_si256(bad, bad))
			break;
		uint64_t lf = a_lf | (uint64_t)b_lf << 32;
		line = lf ? __builtin_clzll(lf) - 1 : line + 64;
		high = _mm256_or_si256(high, _mm256_or_si256(a, b));
		_mm256_storeu_si256((__m256i *)(void *)(dst + i), a);
		_mm256_storeu_si256((__m256i *)(void *)(dst + i + 32), b);
	}
	if (!i)
		return 0;
	if (line < 0) /* it comes along */
		dst[i++] = '\n';
	d->flags |= _mm256_movemask_epi8(high) ? MESSAGE_8BIT : 0;
	d->line = (uint16_t)(line < 0 ? 0 : line);
	d->state = src[i - 1] == '\n' ? DOT_BOL : DOT_MID;
	return i;
}

size_t dot_plain_avx2(struct dot *state, uint8_t *dst, const uint8_t *src, size_t n)
{
	struct dot d = *state; /* in registers */
	size_t i = 0;
	for (;; i += 64) {
		i += blocks(&d, dst + i, src + i, n - i);
		if (n - i < 64)
			break;
		__m256i a = load(src + i), b = load(src + i + 32);
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
		__m256i a = load(tail), b = load(tail + 32);
		struct dot_mask m = mask_of(a, b, d.state == DOT_BOL, d.raw);
		if (dot_block(&d, &m, (unsigned)(n - i))) {
			memcpy(dst + i, tail, n - i);
			i = n;
		}
	}
	*state = d;
	return i;
}
