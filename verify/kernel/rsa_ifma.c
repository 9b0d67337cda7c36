#include "verify/kernel/rsa_impl.h"

#include <immintrin.h>

/*
 * Numbers are rows of limbs of 52 bits, each limb a register with one number a lane, taken in
 * blocks of five: that divides all sizes, and two blocks' products fit the registers. A product
 * grows block column by block column, lowest first (product scanning), and Montgomery's q n is
 * added to each column before the next is begun. Sums wait unnormalized in 64 bits: a limb of a
 * column gets at most 4 * 80 terms below 2^52 and a carry.
 *
 * R is above 2^16 n, so that with factors below n (1 + 2^-15) the result is below n (1 + 2^-15)
 * again without a subtraction; only the last result gets one.
 */
enum { BLOCK = 5, SUM = 2 * BLOCK - 1 };

struct modulus {
	__m512i n[RSA_LIMBS_MAX];
	__m512i negative; /* -1 / n mod 2^52 */
	int blocks;
};

/* A column of products: lower halves, and upper halves, which belong one limb further up. Apart,
 * lest additions wait for each other. */
struct column {
	__m512i lo[SUM], hi[SUM];
};

static inline __m512i lo(__m512i sum, __m512i a, __m512i b)
{
	return _mm512_madd52lo_epu64(sum, a, b);
}

static inline __m512i hi(__m512i sum, __m512i a, __m512i b)
{
	return _mm512_madd52hi_epu64(sum, a, b);
}

static inline __m512i add(__m512i a, __m512i b)
{
	return _mm512_add_epi64(a, b);
}

static inline __m512i mask52(void)
{
	return _mm512_set1_epi64((1LL << RSA_LIMB_BITS) - 1);
}

static inline void add_pair(struct column *c, int i, __m512i a, __m512i b)
{
	c->lo[i] = lo(c->lo[i], a, b);
	c->hi[i] = hi(c->hi[i], a, b);
}

/* The block a times the block b. */
static inline __attribute__((always_inline)) void add_block(struct column *c, const __m512i *a,
							    const __m512i *b)
{
	__m512i r[BLOCK];
#pragma GCC unroll 5
	for (int i = 0; i < BLOCK; i++)
		r[i] = a[i];
#pragma GCC unroll 5
	for (int j = 0; j < BLOCK; j++) {
		__m512i f = b[j];
#pragma GCC unroll 5
		for (int i = 0; i < BLOCK; i++)
			c->lo[i + j] = lo(c->lo[i + j], r[i], f);
#pragma GCC unroll 5
		for (int i = 0; i < BLOCK; i++)
			c->hi[i + j] = hi(c->hi[i + j], r[i], f);
	}
}

/* Blocks first..last of a with those of b that fall into column k. */
static inline void add_blocks(struct column *c, const __m512i *a, const __m512i *b, int k,
			      int first, int last)
{
	for (int i = first; i <= last; i++)
		add_block(c, a + i * BLOCK, b + (k - i) * BLOCK);
}

/* Column k of a squared: what lies beside the diagonal counts twice. */
static inline __attribute__((always_inline)) void add_square(struct column *c, const __m512i *a,
							     int k, int first)
{
	int i = first, j = k - first;
	for (; i < j; i++, j--)
		add_block(c, a + i * BLOCK, a + j * BLOCK);
	const __m512i *d = a + i * BLOCK;
	if (i == j) {
#pragma GCC unroll 5
		for (int x = 0; x < BLOCK; x++)
#pragma GCC unroll 5
			for (int y = x + 1; y < BLOCK; y++)
				add_pair(c, x + y, d[x], d[y]);
	}
#pragma GCC unroll 9
	for (int x = 0; x < SUM; x++) {
		c->lo[x] = add(c->lo[x], c->lo[x]);
		c->hi[x] = add(c->hi[x], c->hi[x]);
	}
	if (i == j) {
#pragma GCC unroll 5
		for (int x = 0; x < BLOCK; x++)
			add_pair(c, 2 * x, d[x], d[x]);
	}
}

/*
 * The q that make the five lowest limbs of s zero, one after the other, and their products with
 * the lowest block of n. A limb that becomes zero carries what it was, rounded up.
 */
static inline __attribute__((always_inline)) void quotient(__m512i s[2 * BLOCK], __m512i q[BLOCK],
							   const struct modulus *m)
{
	const __m512i zero = _mm512_setzero_si512();
#pragma GCC unroll 5
	for (int i = 0; i < BLOCK; i++) {
		__m512i f = lo(zero, s[i], m->negative);
		__m512i carry = _mm512_srli_epi64(add(s[i], mask52()), RSA_LIMB_BITS);
		q[i] = f;
		s[i + 1] = hi(add(s[i + 1], carry), f, m->n[0]);
		s[i + 1] = add(s[i + 1], lo(zero, f, m->n[1]));
#pragma GCC unroll 5
		for (int j = 1; j < BLOCK; j++) {
			if (j > 1)
				s[i + j] = lo(s[i + j], f, m->n[j]);
			s[i + j + 1] = hi(s[i + j + 1], f, m->n[j]);
		}
	}
}

/* The five lowest limbs of s, each below 2^52; what is too much for them is added to the next. */
static inline void normalize(__m512i *s, __m512i *out)
{
#pragma GCC unroll 5
	for (int i = 0; i < BLOCK; i++) {
		s[i + 1] = add(s[i + 1], _mm512_srli_epi64(s[i], RSA_LIMB_BITS));
		out[i] = _mm512_and_si512(s[i], mask52());
	}
}

/* r = a b / R mod n. r may be a or b: its block is written when theirs is no longer read. */
static inline __attribute__((always_inline)) void multiply_by(__m512i *r, const __m512i *a,
							      const __m512i *b,
							      const struct modulus *m, bool square)
{
	__m512i q[RSA_LIMBS_MAX], s[2 * BLOCK];
	const __m512i zero = _mm512_setzero_si512();
	const int blocks = m->blocks;
#pragma GCC unroll 10
	for (int i = 0; i < 2 * BLOCK; i++)
		s[i] = zero;
	for (int k = 0; k < 2 * blocks - 1; k++) {
		struct column c;
		int first = k < blocks ? 0 : k - blocks + 1;
#pragma GCC unroll 9
		for (int i = 0; i < SUM; i++)
			c.lo[i] = c.hi[i] = zero;
		if (square)
			add_square(&c, a, k, first);
		else
			add_blocks(&c, a, b, k, first, k - first);
		add_blocks(&c, q, m->n, k, first, k < blocks ? k - 1 : blocks - 1);
#pragma GCC unroll 10
		for (int i = 0; i < 2 * BLOCK; i++) {
			__m512i sum = i < BLOCK ? s[i + BLOCK] : zero;
			sum = i < SUM ? add(sum, c.lo[i]) : sum;
			s[i] = i ? add(sum, c.hi[i - 1]) : sum;
		}
		if (k < blocks)
			quotient(s, q + k * BLOCK, m);
		else
			normalize(s, r + (k - blocks) * BLOCK);
	}
#pragma GCC unroll 5
	for (int i = 0; i < BLOCK; i++)
		s[i] = s[i + BLOCK];
	normalize(s, r + (blocks - 1) * BLOCK);
}

static __attribute__((noinline)) void multiply(__m512i *r, const __m512i *a, const __m512i *b,
					       const struct modulus *m)
{
	multiply_by(r, a, b, m, false);
}

static __attribute__((noinline)) void square(__m512i *r, const __m512i *a, const struct modulus *m)
{
	multiply_by(r, a, a, m, true);
}

/* Lanes whose x is below n. */
static __mmask8 below(const __m512i *x, const struct modulus *m)
{
	__mmask8 less = 0;
	for (int i = 0; i < m->blocks * BLOCK; i++) {
		__mmask8 same = _mm512_cmpeq_epu64_mask(x[i], m->n[i]);
		less = (__mmask8)((less & same) | _mm512_cmplt_epu64_mask(x[i], m->n[i]));
	}
	return less;
}

/* x - n in those lanes. */
static void subtract(__m512i *x, const struct modulus *m, __mmask8 lanes)
{
	__m512i borrow = _mm512_setzero_si512();
	for (int i = 0; i < m->blocks * BLOCK; i++) {
		__m512i d = add(_mm512_sub_epi64(x[i], m->n[i]), borrow);
		borrow = _mm512_srai_epi64(d, 63);
		x[i] = _mm512_mask_and_epi64(x[i], lanes, d, mask52());
	}
}

static void blend(__m512i *x, const __m512i *y, __mmask8 lanes, const struct modulus *m)
{
	for (int i = 0; i < m->blocks * BLOCK; i++)
		x[i] = _mm512_mask_mov_epi64(x[i], lanes, y[i]);
}

/*
 * t = base^(e / 2), both with their factor R; base^e is then one squaring and one multiplication
 * away. From the top bit down; a lane with a shorter exponent waits with base in it.
 */
static void power_half(__m512i *t, const __m512i *base, __m512i e, const struct modulus *m)
{
	__m512i other[RSA_LIMBS_MAX];
	int top = 63 - __builtin_clzll((unsigned long long)_mm512_reduce_or_epi64(e));
	blend(t, base, 0xff, m);
	for (int bit = top - 1; bit > 0; bit--) {
		__m512i one = _mm512_set1_epi64(1LL << bit);
		__mmask8 begun = _mm512_cmpge_epu64_mask(e, add(one, one));
		__mmask8 set = _mm512_mask_test_epi64_mask(begun, e, one);
		if (begun == 0xff) {
			square(t, t, m);
		} else {
			square(other, t, m);
			blend(t, other, begun, m);
		}
		if (set) {
			multiply(other, t, base, m);
			blend(t, other, set, m);
		}
	}
}

unsigned rsa_power_ifma(const struct rsa_key *const key[RSA_LANES], struct rsa_lanes *lanes)
{
	struct modulus m;
	struct rsa_lanes square_of_r;
	__m512i base[RSA_LIMBS_MAX], t[RSA_LIMBS_MAX];
	_Alignas(64) uint64_t e[RSA_LANES], negative[RSA_LANES];
	unsigned limbs = key[0]->limbs;
	__m512i *x = (__m512i *)lanes->limb;
	for (unsigned l = 0; l < RSA_LANES; l++) {
		for (unsigned i = 0; i < limbs; i++) {
			((uint64_t *)&m.n[i])[l] = key[l]->limb[i];
			square_of_r.limb[i][l] = key[l]->limb[limbs + i];
		}
		e[l] = key[l]->exponent;
		negative[l] = key[l]->negative;
	}
	m.negative = _mm512_load_si512(negative);
	m.blocks = (int)limbs / BLOCK;
	__mmask8 valid = below(x, &m);
	multiply(base, x, (const __m512i *)square_of_r.limb, &m);
	power_half(t, base, _mm512_load_si512(e), &m);
	square(t, t, &m);
	multiply(x, t, x, &m); /* by x without its R, which takes the other's away */
	subtract(x, &m, (__mmask8)~below(x, &m));
	return valid;
}
