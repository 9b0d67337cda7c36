/*
 * field - numbers modulo p = 2^255 - 19 in plain C (RFC 8032 section 5.1.1).
 *
 * Five limbs of 51 bits, the lowest first. Every function takes limbs below 2^54; field_mul,
 * field_square and field_power give limbs below 2^52, field_add and field_sub do not carry: a sum
 * of two of those is again a factor.
 * Not handled: constant time. Everything here is public.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { FIELD_LIMBS = 5, FIELD_BITS = 51, FIELD_OCTETS = 32 };

#define FIELD_MASK ((UINT64_C(1) << FIELD_BITS) - 1)

struct field {
	uint64_t limb[FIELD_LIMBS];
};

static inline struct field field_small(uint64_t n)
{
	return (struct field){ { n } };
}

static inline struct field field_add(const struct field *a, const struct field *b)
{
	struct field r;
	for (int i = 0; i < FIELD_LIMBS; i++)
		r.limb[i] = a->limb[i] + b->limb[i];
	return r;
}

/* a - b + 4p; the limbs of b are not above those of 4p */
static inline struct field field_sub(const struct field *a, const struct field *b)
{
	struct field r;
	r.limb[0] = a->limb[0] + 4 * (FIELD_MASK - 18) - b->limb[0];
	for (int i = 1; i < FIELD_LIMBS; i++)
		r.limb[i] = a->limb[i] + 4 * FIELD_MASK - b->limb[i];
	return r;
}

static inline struct field field_neg(const struct field *a)
{
	struct field zero = field_small(0);
	return field_sub(&zero, a);
}

/* Of sums below 2^115, the last below 2^111, so that its carry times 19 fits. */
static inline struct field field_carry(unsigned __int128 sum[FIELD_LIMBS])
{
	struct field r;
	unsigned __int128 carry = 0;
#pragma GCC unroll 5
	for (int k = 0; k < FIELD_LIMBS; k++) {
		sum[k] += carry;
		r.limb[k] = (uint64_t)sum[k] & FIELD_MASK;
		carry = sum[k] >> FIELD_BITS;
	}
	carry = carry * 19 + r.limb[0];
	r.limb[0] = (uint64_t)carry & FIELD_MASK;
	r.limb[1] += (uint64_t)(carry >> FIELD_BITS);
	return r;
}

static inline struct field field_mul(const struct field *a, const struct field *b)
{
	unsigned __int128 sum[FIELD_LIMBS];
#pragma GCC unroll 5
	for (int k = 0; k < FIELD_LIMBS; k++) {
		sum[k] = 0;
#pragma GCC unroll 5
		for (int i = 0; i < FIELD_LIMBS; i++) {
			int j = k - i;
			uint64_t f = j < 0 ? b->limb[j + FIELD_LIMBS] * 19 : b->limb[j];
			sum[k] += (unsigned __int128)a->limb[i] * f;
		}
	}
	return field_carry(sum);
}

static inline struct field field_square(const struct field *a)
{
	const uint64_t a0 = a->limb[0], a1 = a->limb[1], a2 = a->limb[2], a3 = a->limb[3];
	const uint64_t a4 = a->limb[4], a3_19 = 19 * a3, a4_19 = 19 * a4;
	unsigned __int128 sum[FIELD_LIMBS] = {
		(unsigned __int128)a0 * a0 + (unsigned __int128)(2 * a1) * a4_19 +
			(unsigned __int128)(2 * a2) * a3_19,
		(unsigned __int128)(2 * a0) * a1 + (unsigned __int128)(2 * a2) * a4_19 +
			(unsigned __int128)a3 * a3_19,
		(unsigned __int128)(2 * a0) * a2 + (unsigned __int128)a1 * a1 +
			(unsigned __int128)(2 * a3) * a4_19,
		(unsigned __int128)(2 * a0) * a3 + (unsigned __int128)(2 * a1) * a2 +
			(unsigned __int128)a4 * a4_19,
		(unsigned __int128)(2 * a0) * a4 + (unsigned __int128)(2 * a1) * a3 +
			(unsigned __int128)a2 * a2,
	};
	return field_carry(sum);
}

/* a to the power of 2^n */
static inline struct field field_squares(struct field a, int n)
{
	while (n-- > 0)
		a = field_square(&a);
	return a;
}

/* a to the power of 2^250 - 1, and of 11, which both inverse and root begin with. */
static inline struct field field_chain(const struct field *a, struct field *eleven)
{
	struct field two = field_square(a), t = field_squares(two, 2);
	struct field nine = field_mul(&t, a);
	*eleven = field_mul(&nine, &two);
	t = field_square(eleven);
	struct field e5 = field_mul(&t, &nine); /* 2^5 - 1, and so on */
	t = field_squares(e5, 5);
	struct field e10 = field_mul(&t, &e5);
	t = field_squares(e10, 10);
	struct field e20 = field_mul(&t, &e10);
	t = field_squares(e20, 20);
	struct field e40 = field_mul(&t, &e20);
	t = field_squares(e40, 10);
	struct field e50 = field_mul(&t, &e10);
	t = field_squares(e50, 50);
	struct field e100 = field_mul(&t, &e50);
	t = field_squares(e100, 100);
	struct field e200 = field_mul(&t, &e100);
	t = field_squares(e200, 50);
	return field_mul(&t, &e50);
}

/* a to the power of p - 2 = 2^255 - 21; 0 for 0 */
static inline struct field field_inverse(const struct field *a)
{
	struct field eleven, t = field_chain(a, &eleven);
	t = field_squares(t, 5);
	return field_mul(&t, &eleven);
}

/* a to the power of (p - 5) / 8 = 2^252 - 3 */
static inline struct field field_root(const struct field *a)
{
	struct field eleven, t = field_chain(a, &eleven);
	t = field_squares(t, 2);
	return field_mul(&t, a);
}

/* Little endian; the highest bit is not looked at, p and more wrap around. */
static inline struct field field_get(const uint8_t p[FIELD_OCTETS])
{
	uint64_t w[4];
	memcpy(w, p, sizeof w);
	return (struct field){ {
		w[0] & FIELD_MASK,
		(w[0] >> 51 | w[1] << 13) & FIELD_MASK,
		(w[1] >> 38 | w[2] << 26) & FIELD_MASK,
		(w[2] >> 25 | w[3] << 39) & FIELD_MASK,
		w[3] >> 12 & FIELD_MASK,
	} };
}

/* The one form below p. */
static inline void field_put(const struct field *a, uint8_t p[FIELD_OCTETS])
{
	struct field t = *a;
	uint64_t carry = 0;
	for (int i = 0; i < FIELD_LIMBS; i++) {
		t.limb[i] += carry;
		carry = t.limb[i] >> FIELD_BITS;
		t.limb[i] &= FIELD_MASK;
	}
	t.limb[0] += carry * 19; /* now it is below 2^255 + 19 * 2^4, hence below 2p */
	/* 1 when it is p or more: then t + 19 reaches 2^255 */
	carry = 19;
	for (int i = 0; i < FIELD_LIMBS; i++)
		carry = (t.limb[i] + carry) >> FIELD_BITS;
	carry *= 19;
	for (int i = 0; i < FIELD_LIMBS; i++) {
		t.limb[i] += carry;
		carry = t.limb[i] >> FIELD_BITS;
		t.limb[i] &= FIELD_MASK;
	}
	uint64_t w[4] = {
		t.limb[0] | t.limb[1] << 51,
		t.limb[1] >> 13 | t.limb[2] << 38,
		t.limb[2] >> 26 | t.limb[3] << 25,
		t.limb[3] >> 39 | t.limb[4] << 12,
	};
	memcpy(p, w, sizeof w);
}

static inline bool field_equal(const struct field *a, const struct field *b)
{
	uint8_t x[FIELD_OCTETS], y[FIELD_OCTETS];
	field_put(a, x);
	field_put(b, y);
	return memcmp(x, y, sizeof x) == 0;
}

/* The lowest bit of the form below p: "negative" in RFC 8032. */
static inline bool field_odd(const struct field *a)
{
	uint8_t p[FIELD_OCTETS];
	field_put(a, p);
	return p[0] & 1;
}
