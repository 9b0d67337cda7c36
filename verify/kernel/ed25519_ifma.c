#include "verify/kernel/ed25519_impl.h"

#include <immintrin.h>

/*
 * Eight numbers modulo p, lane l of register i is limb i of number l. A factor has limbs below
 * 2^51 + 2^16 (the multiplier reads 52 bits); a product not yet carried has limbs below 2^60, so
 * that a few of them can be added and subtracted before the one carry.
 */
struct lanes {
	__m512i limb[FIELD_LIMBS];
};

struct point8 { /* extended coordinates */
	struct lanes x, y, z, t;
};

struct entry8 { /* y + x, y - x, 2dxy */
	struct lanes sum, difference, t2d;
};

static inline __m512i all(uint64_t n)
{
	return _mm512_set1_epi64((long long)n);
}

static inline struct lanes add(const struct lanes *a, const struct lanes *b)
{
	struct lanes r;
#pragma GCC unroll 5
	for (int i = 0; i < FIELD_LIMBS; i++)
		r.limb[i] = _mm512_add_epi64(a->limb[i], b->limb[i]);
	return r;
}

/* a - b + times p: times p has in each limb at least what b has */
static inline struct lanes sub(const struct lanes *a, const struct lanes *b, uint64_t times)
{
	struct lanes r;
#pragma GCC unroll 5
	for (int i = 0; i < FIELD_LIMBS; i++) {
		__m512i p = all((i ? FIELD_MASK : FIELD_MASK - 18) * times);
		r.limb[i] = _mm512_add_epi64(a->limb[i], _mm512_sub_epi64(p, b->limb[i]));
	}
	return r;
}

enum { LESS_FACTOR = 2, LESS_PRODUCT = 512 }; /* times, by what is subtracted */

/* To a factor, from limbs below 2^63: carries are below 2^12, 19 times that below 2^17. */
static inline struct lanes carry(const struct lanes *a)
{
	const __m512i mask = all(FIELD_MASK);
	struct lanes r;
#pragma GCC unroll 5
	for (int i = 0; i < FIELD_LIMBS; i++)
		r.limb[i] = _mm512_and_si512(a->limb[i], mask);
#pragma GCC unroll 5
	for (int i = 1; i < FIELD_LIMBS; i++)
		r.limb[i] =
			_mm512_add_epi64(r.limb[i], _mm512_srli_epi64(a->limb[i - 1], FIELD_BITS));
	r.limb[0] = _mm512_madd52lo_epu64(
		r.limb[0], _mm512_srli_epi64(a->limb[FIELD_LIMBS - 1], FIELD_BITS), all(19));
	return r;
}

/* Column k + 5 counts 19 times in column k. */
static inline struct lanes fold(const __m512i column[2 * FIELD_LIMBS])
{
	struct lanes r;
#pragma GCC unroll 5
	for (int i = 0; i < FIELD_LIMBS; i++) {
		__m512i u = column[i + FIELD_LIMBS];
		__m512i t = _mm512_add_epi64(column[i], _mm512_slli_epi64(u, 4));
		u = _mm512_add_epi64(u, _mm512_add_epi64(u, u));
		r.limb[i] = _mm512_add_epi64(t, u);
	}
	return r;
}

/*
 * The high half of a product is worth 2^52 where a limb is worth 2^51: it counts twice in the next
 * column. The worst column gets 1 + 19 * (4 + 5 * 2 / 4) times 2^52.
 */
static inline struct lanes multiply(const struct lanes *a, const struct lanes *b)
{
	__m512i column[2 * FIELD_LIMBS];
#pragma GCC unroll 10
	for (int k = 0; k < 2 * FIELD_LIMBS; k++) {
		__m512i s = _mm512_setzero_si512();
#pragma GCC unroll 5
		for (int i = 0; i < FIELD_LIMBS; i++)
			if (k - 1 - i >= 0 && k - 1 - i < FIELD_LIMBS)
				s = _mm512_madd52hi_epu64(s, a->limb[i], b->limb[k - 1 - i]);
		s = _mm512_add_epi64(s, s);
#pragma GCC unroll 5
		for (int i = 0; i < FIELD_LIMBS; i++)
			if (k - i >= 0 && k - i < FIELD_LIMBS)
				s = _mm512_madd52lo_epu64(s, a->limb[i], b->limb[k - i]);
		column[k] = s;
	}
	return fold(column);
}

/* Likewise; what lies beside the diagonal counts twice again. */
static inline struct lanes square(const struct lanes *a)
{
	__m512i column[2 * FIELD_LIMBS];
#pragma GCC unroll 10
	for (int k = 0; k < 2 * FIELD_LIMBS; k++) {
		__m512i s = _mm512_setzero_si512();
#pragma GCC unroll 5
		for (int i = 0; i < FIELD_LIMBS; i++)
			if (k - 1 - i > i && k - 1 - i < FIELD_LIMBS)
				s = _mm512_madd52hi_epu64(s, a->limb[i], a->limb[k - 1 - i]);
		s = _mm512_add_epi64(s, s);
		if (k % 2 == 1)
			s = _mm512_madd52hi_epu64(s, a->limb[k / 2], a->limb[k / 2]);
#pragma GCC unroll 5
		for (int i = 0; i < FIELD_LIMBS; i++)
			if (k - i > i && k - i < FIELD_LIMBS)
				s = _mm512_madd52lo_epu64(s, a->limb[i], a->limb[k - i]);
		s = _mm512_add_epi64(s, s);
		if (k % 2 == 0)
			s = _mm512_madd52lo_epu64(s, a->limb[k / 2], a->limb[k / 2]);
		column[k] = s;
	}
	return fold(column);
}

static inline struct lanes factor(const struct lanes *a, const struct lanes *b)
{
	struct lanes r = multiply(a, b);
	return carry(&r);
}

/* x = EF, y = GH, z = FG, t = EH; t only where a sum comes next */
static inline void finish(struct point8 *r, const struct lanes *e, const struct lanes *f,
			  const struct lanes *g, const struct lanes *h, bool want_t)
{
	r->x = factor(e, f);
	r->y = factor(g, h);
	r->z = factor(f, g);
	if (want_t)
		r->t = factor(e, h);
}

static inline void double_point(struct point8 *p, bool want_t)
{
	struct lanes sum = add(&p->x, &p->y);
	sum = carry(&sum);
	struct lanes xx = square(&p->x), yy = square(&p->y), zz = square(&p->z);
	struct lanes ss = square(&sum);
	struct lanes h = add(&yy, &xx), g = sub(&yy, &xx, LESS_PRODUCT);
	struct lanes e = sub(&ss, &h, LESS_PRODUCT), f = add(&zz, &zz);
	f = add(&f, &xx);
	f = sub(&f, &yy, LESS_PRODUCT);
	e = carry(&e);
	f = carry(&f);
	g = carry(&g);
	h = carry(&h);
	finish(p, &e, &f, &g, &h, want_t);
}

static __attribute__((noinline)) void double_often(struct point8 *p, int n)
{
	for (int i = 1; i < n; i++)
		double_point(p, false);
	double_point(p, true);
}

static __attribute__((noinline)) void add_entry(struct point8 *p, const struct entry8 *entry)
{
	struct lanes s = add(&p->y, &p->x), m = sub(&p->y, &p->x, LESS_FACTOR);
	s = carry(&s);
	m = carry(&m);
	struct lanes a = multiply(&m, &entry->difference), b = multiply(&s, &entry->sum);
	struct lanes c = multiply(&p->t, &entry->t2d), zz = add(&p->z, &p->z);
	struct lanes e = sub(&b, &a, LESS_PRODUCT), f = sub(&zz, &c, LESS_PRODUCT);
	struct lanes g = add(&zz, &c), h = add(&b, &a);
	e = carry(&e);
	f = carry(&f);
	g = carry(&g);
	h = carry(&h);
	finish(p, &e, &f, &g, &h, true);
}

/* Register l holds eight words of lane l; afterwards register i holds word i of every lane. */
static inline void transpose(__m512i r[8])
{
	__m512i t[8];
#pragma GCC unroll 4
	for (int i = 0; i < 8; i += 2) {
		t[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
		t[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
	}
#pragma GCC unroll 2
	for (int i = 0; i < 2; i++) {
		__m512i a = _mm512_shuffle_i64x2(t[i], t[i + 2], 0x88);
		__m512i b = _mm512_shuffle_i64x2(t[i], t[i + 2], 0xdd);
		__m512i c = _mm512_shuffle_i64x2(t[i + 4], t[i + 6], 0x88);
		__m512i e = _mm512_shuffle_i64x2(t[i + 4], t[i + 6], 0xdd);
		r[i] = _mm512_shuffle_i64x2(a, c, 0x88);
		r[i + 4] = _mm512_shuffle_i64x2(a, c, 0xdd);
		r[i + 2] = _mm512_shuffle_i64x2(b, e, 0x88);
		r[i + 6] = _mm512_shuffle_i64x2(b, e, 0xdd);
	}
}

/* Each lane's entry of its own table. The negative of a point has -x: sum and difference change
 * places, 2dxy its sign. */
static inline void choose(struct entry8 *out, const struct ed25519_entry *const table[],
			  const struct ed25519_digits *digits)
{
	const __mmask8 negative = digits->negative;
	__m512i word[16];
#pragma GCC unroll 8
	for (int l = 0; l < ED25519_BATCH; l++) {
		const uint64_t *limb = table[l][digits->index[l]].limb;
		word[l] = _mm512_load_si512(limb);
		word[l + 8] = _mm512_load_si512(limb + 8);
	}
	transpose(word);
	transpose(word + 8);
#pragma GCC unroll 5
	for (int i = 0; i < FIELD_LIMBS; i++) {
		__m512i s = word[i], m = word[i + FIELD_LIMBS], t = word[i + 2 * FIELD_LIMBS];
		__m512i p = all((i ? FIELD_MASK : FIELD_MASK - 18) * LESS_FACTOR);
		out->sum.limb[i] = _mm512_mask_mov_epi64(s, negative, m);
		out->difference.limb[i] = _mm512_mask_mov_epi64(m, negative, s);
		out->t2d.limb[i] = _mm512_mask_sub_epi64(t, negative, p, t);
	}
}

/* What choose is going to read: the tables of eight keys and of the base point do not stay in L1. */
static inline void foresee(const struct ed25519_entry *const table[],
			   const struct ed25519_digits *digits)
{
	for (int l = 0; l < ED25519_BATCH; l++) {
		const uint64_t *limb = table[l][digits->index[l]].limb;
		_mm_prefetch(limb, _MM_HINT_T0);
		_mm_prefetch(limb + 8, _MM_HINT_T0);
	}
}

/* a to the power of 2^n, times b */
static __attribute__((noinline)) struct lanes squares(const struct lanes *a, int n,
						      const struct lanes *b)
{
	struct lanes r = *a;
	while (n-- > 0) {
		r = square(&r);
		r = carry(&r);
	}
	return factor(&r, b);
}

/* As field_inverse. */
static struct lanes inverse(const struct lanes *a)
{
	struct lanes two = square(a);
	two = carry(&two);
	struct lanes nine = squares(&two, 2, a), eleven = factor(&nine, &two);
	struct lanes e5 = squares(&eleven, 1, &nine); /* 2^5 - 1, and so on */
	struct lanes e10 = squares(&e5, 5, &e5), e20 = squares(&e10, 10, &e10);
	struct lanes e40 = squares(&e20, 20, &e20), e50 = squares(&e40, 10, &e10);
	struct lanes e100 = squares(&e50, 50, &e50), e200 = squares(&e100, 100, &e100);
	struct lanes e250 = squares(&e200, 50, &e50);
	return squares(&e250, 5, &eleven);
}

static void sum_up(const struct ed25519_sum *sum, struct point8 *p)
{
	const struct ed25519_entry *base[ED25519_BATCH];
	struct entry8 entry;
	for (int l = 0; l < ED25519_BATCH; l++)
		base[l] = sum->base;
	*p = (struct point8){ .y = { { all(1) } }, .z = { { all(1) } } };
	for (int place = ED25519_KEY_DIGITS; place-- > 0;) {
		const struct ed25519_digits *key = sum->key_digits + place;
		const struct ed25519_digits *mine = sum->base_digits + place / 2;
		if (place < ED25519_KEY_DIGITS - 1)
			double_often(p, ED25519_KEY_BITS);
		for (int b = 0; b < ED25519_BLOCKS; b++) {
			choose(&entry, sum->key, key + b * ED25519_KEY_DIGITS);
			if (place)
				foresee(sum->key, key + b * ED25519_KEY_DIGITS - 1);
			if (place % 2 == 0)
				foresee(base, mine + b * ED25519_BASE_DIGITS);
			add_entry(p, &entry);
		}
		for (int b = 0; b < ED25519_BLOCKS && place % 2 == 0; b++) {
			choose(&entry, base, mine + b * ED25519_BASE_DIGITS);
			add_entry(p, &entry);
		}
	}
}

void ed25519_points_ifma(const struct ed25519_sum *sum, struct ed25519_points *out)
{
	struct point8 p;
	sum_up(sum, &p);
	struct lanes z = inverse(&p.z), x = factor(&p.x, &z), y = factor(&p.y, &z);
	for (int i = 0; i < FIELD_LIMBS; i++) {
		_mm512_store_si512(out->x[i], x.limb[i]);
		_mm512_store_si512(out->y[i], y.limb[i]);
	}
}
