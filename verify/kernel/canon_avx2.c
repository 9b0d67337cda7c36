#include "verify/kernel/canon.h"

#include <immintrin.h>

enum { WIDTH = 32, WINDOW = 128, AHEAD = 2 };

struct block { /* WIDTH octets */
	__m256i octets; /* every blank a SP */
	__m256i drop; /* 0xff where an octet is dropped */
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

/* A blank stays unless a blank or a CRLF follows. Reads WIDTH + AHEAD octets. */
static inline __attribute__((always_inline)) struct block judge(const uint8_t *p)
{
	__m256i v = load(p), v1 = load(p + 1), v2 = load(p + 2);
	__m256i blank = blanks_in(v);
	__m256i end = _mm256_and_si256(_mm256_cmpeq_epi8(v1, _mm256_set1_epi8('\r')),
				       _mm256_cmpeq_epi8(v2, _mm256_set1_epi8('\n')));
	return (struct block){
		_mm256_blendv_epi8(v, _mm256_set1_epi8(' '), blank),
		_mm256_and_si256(blank, _mm256_or_si256(blanks_in(v1), end)),
	};
}

/* Writes what stays to out, where WIDTH octets have room. Returns how many stay. */
static inline __attribute__((always_inline)) size_t squeeze(struct block b, uint8_t *out)
{
	_Alignas(WIDTH) uint64_t octets[4], stay[4];
	size_t o = 0;
	uint32_t keep = ~(uint32_t)_mm256_movemask_epi8(b.drop);
	_mm256_store_si256((__m256i *)(void *)octets, b.octets);
	_mm256_store_si256((__m256i *)(void *)stay, _mm256_xor_si256(b.drop, _mm256_set1_epi8(-1)));
	for (int i = 0; i < 4; i++) {
		uint64_t x = _pext_u64(octets[i], stay[i]);
		memcpy(out + o, &x, 8);
		o += (unsigned)__builtin_popcount(keep >> i * 8 & 0xff);
	}
	return o;
}

/*
 * A window whole. Whether anything in it is dropped can be foreseen: in text and HTML nearly always,
 * in base64 never; in a block it could not.
 */
static inline __attribute__((always_inline)) size_t window(const uint8_t *p, uint8_t *out)
{
	struct block b[WINDOW / WIDTH];
	__m256i any = _mm256_setzero_si256();
	size_t o = 0;
#pragma GCC unroll 4
	for (int i = 0; i < WINDOW / WIDTH; i++) {
		b[i] = judge(p + i * WIDTH);
		any = _mm256_or_si256(any, b[i].drop);
	}
	if (_mm256_testz_si256(any, any)) {
#pragma GCC unroll 4
		for (int i = 0; i < WINDOW / WIDTH; i++)
			_mm256_storeu_si256((__m256i *)(void *)(out + i * WIDTH), b[i].octets);
		return WINDOW;
	}
	for (int i = 0; i < WINDOW / WIDTH; i++)
		o += squeeze(b[i], out + o);
	return o;
}

size_t canon_relaxed_avx2(const uint8_t *p, size_t n, uint8_t *out, size_t cap, size_t *used)
{
	size_t i = 0, o = 0;
	for (;;) {
		size_t windows = n - i < AHEAD ? 0 : (n - i - AHEAD) / WINDOW;
		size_t room = (cap - o) / WINDOW;
		windows = windows < room ? windows : room;
		if (!windows)
			break;
		for (; windows; windows--, i += WINDOW)
			o += window(p + i, out + o);
	}
	for (; n - i >= WIDTH + AHEAD && cap - o >= WIDTH; i += WIDTH)
		o += squeeze(judge(p + i), out + o);
	while (i < n) { /* at most two, but for want of room: filled up with what changes nothing */
		uint8_t part[WIDTH + AHEAD] = { 0 }, kept[WIDTH];
		size_t left = n - i, take = left < WIDTH ? left : WIDTH;
		memcpy(part, p + i, left < sizeof part ? left : sizeof part);
		size_t count = squeeze(judge(part), kept) - (WIDTH - take);
		if (cap - o < count)
			break;
		memcpy(out + o, kept, count);
		o += count;
		i += take;
	}
	*used = i;
	return o;
}
