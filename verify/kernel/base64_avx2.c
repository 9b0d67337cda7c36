#include "verify/kernel/base64_impl.h"

#include <immintrin.h>

enum { WIDTH = 32, VALUES = 2048 };

struct block {
	__m256i octets;
	__m256i other; /* not 0: no letter */
};

static inline __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline void store(uint8_t *p, __m256i v)
{
	_mm256_storeu_si256((__m256i *)(void *)p, v);
}

static inline __m256i both(__m128i v)
{
	return _mm256_broadcastsi128_si256(v);
}

static inline __m256i high_half(__m256i v)
{
	return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
}

/*
 * Each row of 16 octets has a bit, rows with the same holes share it: 1: 0x2_, 2: 0x3_, 4: 0x4_ and
 * 0x6_, 8: 0x5_ and 0x7_, 16: those without letters. The other table has the rows in which an octet
 * of that low half is no letter.
 */
static inline struct block judge(__m256i v)
{
	const __m256i row =
		both(_mm_setr_epi8(16, 16, 1, 2, 4, 8, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16));
	const __m256i hole =
		both(_mm_setr_epi8(21, 17, 17, 17, 17, 17, 17, 17, 17, 17, 19, 26, 27, 27, 27, 26));
	__m256i low = _mm256_and_si256(v, _mm256_set1_epi8(15));
	return (struct block){ v, _mm256_and_si256(_mm256_shuffle_epi8(row, high_half(v)),
						   _mm256_shuffle_epi8(hole, low)) };
}

/* Of letters; of others anything. What is added to a letter depends on its row, but for "/". */
static inline __m256i values_of(__m256i v)
{
	const __m256i add = both(_mm_setr_epi8(0, 63 - '/', 62 - '+', 52 - '0', -'A', -'A',
					       26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0));
	__m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('/'));
	return _mm256_add_epi8(v, _mm256_shuffle_epi8(add, _mm256_add_epi8(high_half(v), slash)));
}

/* Whether something in b is scalar's. */
static inline bool stops(struct block b, __m256i letter, bool mime)
{
	if (mime)
		return _mm256_movemask_epi8(_mm256_cmpeq_epi8(b.octets, _mm256_set1_epi8('=')));
	/* looked up by the low four bits, no other octet finds itself */
	const __m256i blank = both(_mm_setr_epi8(' ', -128, -128, -128, -128, -128, -128, -128,
						 -128, '\t', '\n', -128, -128, '\r', -128, -128));
	__m256i known = _mm256_cmpeq_epi8(b.octets, _mm256_shuffle_epi8(blank, b.octets));
	return _mm256_movemask_epi8(_mm256_or_si256(known, letter)) != -1;
}

/* The values of letters to out, where WIDTH octets have room. Returns how many. */
static inline size_t squeeze(__m256i values, __m256i letter, uint8_t *out)
{
	_Alignas(WIDTH) uint64_t octets[4], stay[4];
	size_t o = 0;
	uint32_t keep = (uint32_t)_mm256_movemask_epi8(letter);
	store((uint8_t *)octets, values);
	store((uint8_t *)stay, letter);
	for (int i = 0; i < 4; i++) {
		uint64_t x = _pext_u64(octets[i], stay[i]);
		memcpy(out + o, &x, 8);
		o += (unsigned)__builtin_popcount(keep >> i * 8 & 0xff);
	}
	return o;
}

/* 24 octets of 32 values, in front. */
static inline __m256i pack(__m256i values)
{
	const __m256i order =
		both(_mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
	__m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x01400140));
	__m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
	return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(fours, order),
					   _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
}

/*
 * Strips from p[i..n) behind the values that are there until limit may be reached, less than a
 * block of the input is left or something is scalar's: *stop. Returns the new i.
 */
static inline size_t gather(bool mime, const uint8_t *p, size_t i, size_t n, uint8_t *value,
			    size_t *have, size_t limit, bool *stop)
{
	size_t h = *have;
	for (; n - i >= WIDTH && h + WIDTH <= limit; i += WIDTH) {
		struct block b = judge(load(p + i));
		__m256i values = values_of(b.octets);
		if (_mm256_testz_si256(b.other, b.other)) {
			store(value + h, values);
			h += WIDTH;
			continue;
		}
		__m256i letter = _mm256_cmpeq_epi8(b.other, _mm256_setzero_si256());
		*stop = stops(b, letter, mime);
		if (*stop)
			break;
		h += squeeze(values, letter, value + h);
	}
	*have = h;
	return i;
}

/* As base64_run_avx512, but for the input's last part of a block, which is scalar's. */
size_t base64_run_avx2(struct base64 *s, const uint8_t *p, size_t n, uint8_t *out, size_t cap,
		       size_t *used)
{
	uint8_t value[VALUES + WIDTH];
	uint8_t last[WIDTH];
	size_t i = 0, o = 0, have = base64_begun(s, value), before;
	bool stop = false;
	do {
		size_t room = (cap - o) / 3 * 4, j = 0;
		before = i;
		i = gather(s->mime, p, i, n, value, &have, room < VALUES ? room : VALUES, &stop);
		for (; have - j >= WIDTH && cap - o >= WIDTH; j += WIDTH, o += 24)
			store(out + o, pack(load(value + j)));
		for (; have - j >= WIDTH; j += WIDTH, o += 24) {
			store(last, pack(load(value + j)));
			memcpy(out + o, last, 24);
		}
		have -= j;
		store(value, load(value + j));
	} while (n - i >= WIDTH && !stop && i > before);
	/* fewer than WIDTH are left, and have room */
	size_t octets = have / 4 * 3;
	store(last, pack(load(value)));
	memcpy(out + o, last, octets);
	base64_begin(s, value + have / 4 * 4, have % 4);
	*used = i;
	return o + octets;
}
