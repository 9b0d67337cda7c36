/* Sums, products and powers are those of OpenSSL's big numbers modulo p, for the largest limbs as for the smallest. */
#include <openssl/bn.h>

#include "tests/test.h"
#include "verify/kernel/field.h"

static BN_CTX *ctx;
static BIGNUM *p;
static uint64_t seed = 255;

static void start(void)
{
	if (ctx)
		return;
	ctx = BN_CTX_new();
	BN_hex2bn(&p, "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
}

static BIGNUM *number(const struct field *a)
{
	BIGNUM *r = BN_new(), *limb = BN_new();
	for (int i = FIELD_LIMBS; i-- > 0;) {
		BN_set_word(limb, a->limb[i]);
		BN_lshift(r, r, FIELD_BITS);
		BN_add(r, r, limb);
	}
	BN_nnmod(r, r, p, ctx);
	BN_free(limb);
	return r;
}

/* Takes want. */
static void expect(const struct field *got, BIGNUM *want)
{
	uint8_t a[FIELD_OCTETS], b[FIELD_OCTETS];
	field_put(got, a);
	BN_nnmod(want, want, p, ctx);
	BN_bn2lebinpad(want, b, sizeof b);
	CU_ASSERT(memcmp(a, b, sizeof a) == 0);
	CU_ASSERT_EQUAL(field_odd(got), BN_is_odd(want) != 0);
	BN_free(want);
}

/* Limbs up to most, often that or near to it. */
static struct field extreme(uint64_t most)
{
	struct field r;
	for (int i = 0; i < FIELD_LIMBS; i++) {
		uint64_t n = test_random(&seed) >> 7;
		const uint64_t some[] = { 0, 1, most, most - 1, FIELD_MASK, FIELD_MASK - 18 };
		r.limb[i] = n % 9 < 6 ? some[n % 9] : n % (most + 1);
	}
	return r;
}

static void below(const struct field *a, uint64_t most)
{
	for (int i = 0; i < FIELD_LIMBS; i++)
		CU_ASSERT(a->limb[i] <= most);
}

/* What products, sums and differences give is again what they take. */
static void sums_and_products(void)
{
	enum { ROUNDS = 50000 };
	const uint64_t most = (UINT64_C(1) << 54) - 1, carried = (UINT64_C(1) << 52) - 1;
	start();
	for (int i = 0; i < ROUNDS; i++) {
		struct field a = extreme(i ? most : 1), b = extreme(most), r = field_mul(&a, &b);
		BIGNUM *x = number(&a), *y = number(&b), *z = BN_new();
		BN_mod_mul(z, x, y, p, ctx);
		expect(&r, z);
		below(&r, carried);
		r = field_square(&a);
		z = BN_new();
		BN_mod_mul(z, x, x, p, ctx);
		expect(&r, z);
		below(&r, carried);
		struct field c = extreme(carried), e = extreme(carried);
		BIGNUM *u = number(&c), *v = number(&e);
		r = field_add(&c, &e);
		z = BN_new();
		BN_add(z, u, v);
		expect(&r, z);
		r = field_sub(&c, &e);
		below(&r, most);
		z = BN_new();
		BN_sub(z, u, v);
		expect(&r, z);
		r = field_neg(&e);
		BN_set_negative(v, 1);
		expect(&r, v);
		BN_free(x);
		BN_free(y);
		BN_free(u);
	}
}

static void power_is(const struct field *a, const struct field *r, const char *exponent)
{
	BIGNUM *e = NULL, *x = number(a), *z = BN_new();
	BN_hex2bn(&e, exponent);
	BN_mod_exp(z, x, e, p, ctx);
	expect(r, z);
	BN_free(x);
	BN_free(e);
}

static void powers(void)
{
	enum { ROUNDS = 500 };
	start();
	for (int i = 0; i < ROUNDS; i++) {
		struct field a = i ? extreme((UINT64_C(1) << 54) - 1) : field_small(0);
		struct field r = field_inverse(&a);
		power_is(&a, &r,
			 "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeb");
		r = field_root(&a);
		power_is(&a, &r,
			 "0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd");
	}
}

/* Around p and 2^255, and multiples of p as sums leave them: one form for each number. */
static void octets(void)
{
	start();
	for (int times = 0; times <= 7; times++)
		for (int more = -20; more <= 40; more++) {
			struct field a;
			for (int i = 0; i < FIELD_LIMBS; i++)
				a.limb[i] = (FIELD_MASK - (i ? 0 : 18)) * (uint64_t)times;
			if (times == 0 && more < 0)
				continue;
			a.limb[0] += (uint64_t)more;
			expect(&a, number(&a));
			BIGNUM *n = BN_new();
			BN_set_word(n, (unsigned)(more < 0 ? -more : more));
			BN_set_negative(n, more < 0);
			expect(&a, n);
		}
	for (int i = 0; i < 1000; i++) {
		uint8_t in[FIELD_OCTETS], high[FIELD_OCTETS];
		for (int j = 0; j < FIELD_OCTETS; j++)
			in[j] = i < 40 ? 0xff : (uint8_t)(test_random(&seed) >> 9);
		if (i < 40)
			in[0] = (uint8_t)(0xff - i);
		memcpy(high, in, sizeof high);
		in[FIELD_OCTETS - 1] &= 0x7f;
		high[FIELD_OCTETS - 1] |= 0x80; /* is not looked at */
		struct field a = field_get(in), b = field_get(high);
		expect(&a, BN_lebin2bn(in, sizeof in, NULL));
		CU_ASSERT(field_equal(&a, &b));
	}
	BN_CTX_free(ctx);
	BN_free(p);
}

TEST_MAIN("field", TEST(sums_and_products), TEST(powers), TEST(octets))
