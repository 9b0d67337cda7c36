/*
 * A signature is good exactly when OpenSSL says so, at every level, with the scalar arithmetic and in every lane.
 *
 * TEST_RSA=n in the environment: so many random and hostile signatures of each size, instead of 4000.
 */
#include "tests/rsa_make.h"
#include "verify/kernel/rsa.h"

enum { SIGNERS = 6, KEYS = SIGNERS + 2, BASES = 48, RANDOM = 4000 };

/* A signature with the digest and hash it is for. */
struct base {
	uint8_t signature[RSA_MAKE_MAX], digest[HASH_DIGEST_MAX];
	enum hash_algorithm hash;
};

/* What there is of one size. */
struct size {
	struct rsa_make make[KEYS];
	struct rsa_key *key[KEYS];
	size_t key_len;
	struct base base[KEYS][BASES];
};

static const unsigned bits[RSA_SIZES] = { 1024, 1536, 2048, 3072, 4096 };
static struct size sizes[RSA_SIZES];
static uint64_t seed = 5;

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)test_random(&seed);
}

static size_t below(size_t n)
{
	return test_random(&seed) % n;
}

/* The lanes of this processor at this level, or the scalar ones. */
static struct rsa_ops ops_of(enum cpu_level level)
{
	struct rsa_ops ops = rsa_ops_init(level, cpu_flags());
	bool wanted = level == CPU_AVX512 && cpu_flags() & CPU_IFMA;
	CU_ASSERT_EQUAL(ops.power != NULL, wanted);
	if (!ops.power)
		ops.power = rsa_power_scalar;
	return ops;
}

static void key_setup(struct size *s, unsigned k)
{
	struct rsa_make *m = &s->make[k];
	static const uint8_t zero[sizeof(struct rsa_key) + 2 * RSA_LIMBS_MAX * sizeof(uint64_t)];
	struct bytes n = bytes_of(m->n, m->len), e = bytes_of(m->e, sizeof m->e);
	s->key_len = rsa_key_len(n, e);
	CU_ASSERT_FATAL(s->key_len && s->key_len <= sizeof zero);
	s->key[k] = (struct rsa_key *)test_guard(zero, s->key_len);
	rsa_key_init(s->key[k], n, e);
}

/* Signatures of good and bad blocks; from number 30 on also numbers that nobody signed. */
static void base_setup(struct size *s, unsigned k, unsigned i)
{
	struct rsa_make *m = &s->make[k];
	struct base *b = &s->base[k][i];
	uint8_t block[RSA_MAKE_MAX];
	b->hash = i & 1 ? HASH_SHA1 : HASH_SHA256;
	fill(b->digest, sizeof b->digest);
	fill(b->signature, m->len);
	b->signature[0] &= 0x7f;
	if (i >= 42) { /* 0 to 5 */
		memset(b->signature, 0, m->len);
		b->signature[m->len - 1] = (uint8_t)(i - 42);
	} else if (i >= 36) { /* about n */
		memcpy(b->signature, m->n, m->len);
		b->signature[m->len - 1] = (uint8_t)(b->signature[m->len - 1] + i - 38);
	} else if (i < 30) {
		unsigned which = i < 20 ? 0 : (unsigned)below(20) + 1;
		CU_ASSERT(rsa_make_case(which, block, m->len, b->hash, b->digest));
		rsa_make_sign(m, block, b->signature);
	}
}

static void setup(void)
{
	static const uint32_t exponent[KEYS] = { 65537, 65537,      65537,      3,
						 17,    0xfffffffb, 0xffffffff, 65537 };
	for (unsigned i = 0; i < RSA_SIZES; i++) {
		struct size *s = &sizes[i];
		for (unsigned k = 0; k < KEYS; k++) {
			uint8_t n[RSA_MAKE_MAX];
			memset(n, k == SIGNERS ? 0xff : 0, sizeof n);
			n[0] |= 0x80;
			n[bits[i] / 8 - 1] |= 1;
			EVP_PKEY *pkey = k < SIGNERS ? rsa_make_pkey(bits[i], exponent[k])
						     : rsa_make_public(n, bits[i] / 8, exponent[k]);
			CU_ASSERT_FATAL(pkey != NULL);
			rsa_make_init(&s->make[k], pkey, k < SIGNERS);
			key_setup(s, k);
			for (unsigned b = 0; b < BASES; b++)
				base_setup(s, k, b);
		}
	}
}

static void teardown(void)
{
	for (unsigned i = 0; i < RSA_SIZES; i++) {
		for (unsigned k = 0; k < KEYS; k++) {
			rsa_make_fini(&sizes[i].make[k]);
			test_guard_free((uint8_t *)sizes[i].key[k], sizes[i].key_len);
		}
	}
}

static void which_keys(void)
{
	uint8_t n[RSA_MAKE_MAX + 1];
	memset(n, 0xff, sizeof n);
	for (size_t len = 1; len <= sizeof n; len++) {
		bool one = false;
		for (unsigned i = 0; i < RSA_SIZES; i++)
			one |= len == bits[i] / 8;
		CU_ASSERT_EQUAL(rsa_key_len(bytes_of(n, len), bytes_of("\3", 1)) != 0, one);
	}
	static const struct {
		const char *e;
		uint8_t n;
		bool want;
	} rows[] = {
		{ "\1", 1, false },         { "\2", 1, false },
		{ "\3", 1, true },          { "\0\0\0\3", 4, true },
		{ "", 0, false },           { "\xff\xff\xff\xff", 4, true },
		{ "\1\0\0\0\1", 5, false }, { "\x80\0\0\0", 4, false },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CU_ASSERT_EQUAL(rsa_key_len(bytes_of(n, 256), bytes_of(rows[i].e, rows[i].n)) != 0,
				rows[i].want);
	n[0] = 0x7f; /* 2047 bits */
	CU_ASSERT_EQUAL(rsa_key_len(bytes_of(n, 256), bytes_of("\3", 1)), 0);
	n[0] = 0xff;
	n[255] = 0xfe; /* even */
	CU_ASSERT_EQUAL(rsa_key_len(bytes_of(n, 256), bytes_of("\3", 1)), 0);
}

/* A number out of one lane, as octets, and back. */
static void lane_get(const uint64_t *limb, unsigned lane, uint8_t *p, size_t n)
{
	memset(p, 0, n);
	for (size_t bit = 0; bit < n * 8; bit++)
		p[n - 1 - bit / 8] |=
			(uint8_t)((limb[bit / 52 * RSA_LANES + lane] >> bit % 52 & 1) << bit % 8);
}

static void lane_set(uint64_t *limb, unsigned lane, const uint8_t *p, size_t n)
{
	for (size_t bit = 0; bit < n * 8; bit++)
		limb[bit / 52 * RSA_LANES + lane] |= (uint64_t)(p[n - 1 - bit / 8] >> bit % 8 & 1)
						     << bit % 52;
}

static void number(const struct rsa_make *m, unsigned i, uint8_t *out)
{
	fill(out, m->len);
	if (i < 4) { /* n - 2 to n + 1 */
		memcpy(out, m->n, m->len);
		for (int c = (int)i - 2; c; c += c < 0 ? 1 : -1)
			for (size_t k = m->len; k-- > 0;)
				if (c < 0 ? out[k]-- != 0 : ++out[k] != 0)
					break;
	} else if (i < 8) {
		memset(out, i < 7 ? 0 : 0xff, m->len);
		out[m->len - 1] = (uint8_t)(i < 7 ? i - 4 : 0xff);
	} else if (i & 1) {
		memset(out, 0, below(m->len));
	}
}

/* In each lane x^e mod n as OpenSSL's big numbers have it, nothing touched behind the limbs. */
static void check_power(const struct rsa_ops *ops, const struct size *s, unsigned round)
{
	static const uint64_t zero[RSA_LIMBS_MAX * RSA_LANES];
	const struct rsa_key *key[RSA_LANES];
	unsigned which[RSA_LANES];
	uint8_t x[RSA_LANES][RSA_MAKE_MAX], got[RSA_MAKE_MAX], want[RSA_MAKE_MAX];
	size_t len = s->key[0]->limbs * RSA_LANES * sizeof(uint64_t);
	struct rsa_lanes *lanes = (struct rsa_lanes *)test_guard(zero, len);
	BN_CTX *ctx = BN_CTX_new();
	for (unsigned l = 0; l < RSA_LANES; l++) {
		which[l] = (unsigned)(round < KEYS ? round : below(KEYS));
		key[l] = s->key[which[l]];
		number(&s->make[which[l]], round < KEYS ? l : (unsigned)below(16), x[l]);
		lane_set(&lanes->limb[0][0], l, x[l], key[l]->octets);
	}
	unsigned valid = ops->power(key, lanes);
	for (unsigned l = 0; l < RSA_LANES; l++) {
		const struct rsa_make *m = &s->make[which[l]];
		bool less = memcmp(x[l], m->n, m->len) < 0;
		CU_ASSERT_EQUAL(valid >> l & 1, less);
		if (!less)
			continue;
		BIGNUM *n = BN_bin2bn(m->n, (int)m->len, NULL), *e = BN_bin2bn(m->e, 4, NULL);
		BIGNUM *b = BN_bin2bn(x[l], (int)m->len, NULL);
		BN_mod_exp(b, b, e, n, ctx);
		BN_bn2binpad(b, want, (int)m->len);
		lane_get(&lanes->limb[0][0], l, got, m->len);
		CU_ASSERT_EQUAL(memcmp(got, want, m->len), 0);
		BN_free(n);
		BN_free(e);
		BN_free(b);
	}
	BN_CTX_free(ctx);
	test_guard_free((uint8_t *)lanes, len);
}

static void power_is_power(void)
{
	static const struct rsa_ops scalar = { rsa_power_scalar };
	for (unsigned i = 0; i < RSA_SIZES; i++)
		for (unsigned round = 0; round < 2 * KEYS; round++)
			check_power(&scalar, &sizes[i], round);
	for (enum cpu_level level = CPU_SCALAR; level <= cpu_level(); level++) {
		struct rsa_ops ops = ops_of(level);
		for (unsigned i = 0; ops.power != rsa_power_scalar && i < RSA_SIZES; i++)
			for (unsigned round = 0; round < 5 * KEYS; round++)
				check_power(&ops, &sizes[i], round);
	}
}

/* Exponents at the ends of each length, in lanes beside each other, long with short. */
static uint32_t odd_exponent(unsigned i)
{
	static const uint32_t known[] = { 3,          5,          7,          17,
					  257,        65535,      65537,      65539,
					  0x7fffffff, 0x80000001, 0x80000003, 0xc0000001,
					  0xfffffffb, 0xffffffff };
	enum { KNOWN = sizeof known / sizeof known[0] };
	uint32_t any = (uint32_t)test_random(&seed) | 1;
	any >>= below(30);
	return i < KNOWN ? known[i] : any < 3 ? 3 : any | 1;
}

/* x^e mod n for moduli of ones and zeros, and at random, with the top bit set. */
static void check_exponents(const struct rsa_ops *ops, unsigned octets, unsigned round)
{
	enum { LEN = sizeof(struct rsa_key) + 2 * RSA_LIMBS_MAX * sizeof(uint64_t) };
	_Alignas(struct rsa_key) uint8_t memory[RSA_LANES][LEN];
	const struct rsa_key *key[RSA_LANES];
	struct rsa_lanes lanes = { 0 };
	uint8_t n[RSA_LANES][RSA_MAKE_MAX], x[RSA_LANES][RSA_MAKE_MAX], got[RSA_MAKE_MAX];
	BN_CTX *ctx = BN_CTX_new();
	for (unsigned l = 0; l < RSA_LANES; l++) {
		uint32_t e = odd_exponent(round * RSA_LANES + l);
		uint8_t e_octets[4] = { (uint8_t)(e >> 24), (uint8_t)(e >> 16), (uint8_t)(e >> 8),
					(uint8_t)e };
		memset(n[l], l % 3 ? 0xff : 0, octets);
		if (l > 4)
			fill(n[l], octets);
		n[l][0] |= 0x80;
		n[l][octets - 1] |= 1;
		struct bytes modulus = bytes_of(n[l], octets), exponent = bytes_of(e_octets, 4);
		CU_ASSERT_FATAL(rsa_key_len(modulus, exponent) <= LEN);
		rsa_key_init((struct rsa_key *)memory[l], modulus, exponent);
		key[l] = (const struct rsa_key *)memory[l];
		CU_ASSERT_EQUAL(key[l]->exponent, e);
		fill(x[l], octets);
		x[l][0] &= 0x7f;
		lane_set(&lanes.limb[0][0], l, x[l], octets);
	}
	CU_ASSERT_EQUAL(ops->power(key, &lanes), 0xff);
	for (unsigned l = 0; l < RSA_LANES; l++) {
		uint8_t want[RSA_MAKE_MAX];
		BIGNUM *m = BN_bin2bn(n[l], (int)octets, NULL), *e = BN_new();
		BIGNUM *b = BN_bin2bn(x[l], (int)octets, NULL);
		BN_set_word(e, key[l]->exponent);
		BN_mod_exp(b, b, e, m, ctx);
		BN_bn2binpad(b, want, (int)octets);
		lane_get(&lanes.limb[0][0], l, got, octets);
		CU_ASSERT_EQUAL(memcmp(got, want, octets), 0);
		BN_free(m);
		BN_free(e);
		BN_free(b);
	}
	BN_CTX_free(ctx);
}

static void any_odd_exponent(void)
{
	static const struct rsa_ops scalar = { rsa_power_scalar };
	for (unsigned i = 0; i < RSA_SIZES; i++)
		for (unsigned round = 0; round < 12; round++) {
			struct rsa_ops ops = ops_of(cpu_level());
			check_exponents(&ops, bits[i] / 8, round);
			if (round < 3)
				check_exponents(&scalar, bits[i] / 8, round);
		}
}

/* n checks of one size, as OpenSSL, at this level and with the scalar arithmetic. Gives the good. */
static unsigned check_all(const struct size *s, const unsigned *which, const struct base *base,
			  unsigned n, bool both)
{
	static const struct rsa_ops scalar = { rsa_power_scalar };
	static struct rsa_ops ops;
	struct rsa_check check[RSA_LANES];
	unsigned want = 0;
	if (!ops.power)
		ops = ops_of(cpu_level());
	for (unsigned l = 0; l < n; l++) {
		const struct rsa_make *m = &s->make[which[l]];
		const struct base *b = &base[l];
		check[l] = (struct rsa_check){ .key = s->key[which[l]],
					       .signature = test_guard(b->signature, m->len),
					       .digest = test_guard(b->digest, hash_len(b->hash)),
					       .hash = b->hash };
		want |= (unsigned)rsa_make_good(m, bytes_of(b->signature, m->len), b->hash,
						b->digest)
			<< l;
	}
	CU_ASSERT_EQUAL(rsa_verify(&ops, check, n), want);
	if (both)
		CU_ASSERT_EQUAL(rsa_verify(&scalar, check, n), want);
	for (unsigned l = 0; l < n; l++) {
		test_guard_free((uint8_t *)check[l].signature, s->make[0].len);
		test_guard_free((uint8_t *)check[l].digest, hash_len(check[l].hash));
	}
	return want;
}

/* Of the blocks that differ from the right one only the right one is good. */
static void wrong_blocks(void)
{
	for (unsigned i = 0; i < RSA_SIZES; i++) {
		for (unsigned c = 0; c < 42; c++) {
			struct base base[SIGNERS];
			unsigned which[SIGNERS], want = 0;
			for (unsigned k = 0; k < SIGNERS; k++) {
				const struct rsa_make *m = &sizes[i].make[k];
				uint8_t block[RSA_MAKE_MAX];
				which[k] = k;
				base[k].hash = c & 1 ? HASH_SHA1 : HASH_SHA256;
				fill(base[k].digest, sizeof base[k].digest);
				CU_ASSERT(rsa_make_case(c / 2, block, m->len, base[k].hash,
							base[k].digest));
				/* a first octet of 1 may be too much for n, not for one above 2^(bits - 1) */
				CU_ASSERT(rsa_make_sign(m, block, base[k].signature));
				want |= (unsigned)(c / 2 == 0) << k;
			}
			CU_ASSERT_EQUAL(check_all(&sizes[i], which, base, SIGNERS, true), want);
		}
		uint8_t block[RSA_MAKE_MAX];
		CU_ASSERT_FALSE(rsa_make_case(21, block, sizes[i].make[0].len, HASH_SHA256, block));
	}
}

/* One bit of each octet of the block wrong. */
static void every_octet_counts(void)
{
	for (unsigned i = 0; i < RSA_SIZES; i++) {
		const struct rsa_make *m = &sizes[i].make[3];
		for (size_t at = 0; at < m->len; at += RSA_LANES) {
			struct base base[RSA_LANES];
			unsigned which[RSA_LANES];
			for (unsigned l = 0; l < RSA_LANES; l++) {
				uint8_t block[RSA_MAKE_MAX];
				which[l] = 3;
				base[l].hash = HASH_SHA256;
				fill(base[l].digest, sizeof base[l].digest);
				rsa_make_case(0, block, m->len, HASH_SHA256, base[l].digest);
				block[at + l] ^= at + l ? (uint8_t)(1 << below(8)) : 1;
				CU_ASSERT(rsa_make_sign(m, block, base[l].signature));
			}
			CU_ASSERT_EQUAL(check_all(&sizes[i], which, base, RSA_LANES, at == 0), 0);
		}
	}
}

/* The largest s with s^3 <= block. */
static void cube_root(const uint8_t *block, size_t len, uint8_t *out)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *want = BN_bin2bn(block, (int)len, NULL), *s = BN_new(), *c = BN_new();
	for (int bit = (int)len * 8 / 3; bit >= 0; bit--) {
		BN_set_bit(s, bit);
		BN_sqr(c, s, ctx);
		BN_mul(c, c, s, ctx);
		if (BN_cmp(c, want) > 0)
			BN_clear_bit(s, bit);
	}
	BN_bn2binpad(s, out, (int)len);
	/* all but the last two thirds is what it shall be, so that a lax parser would take it */
	BN_sqr(c, s, ctx);
	BN_mul(c, c, s, ctx);
	uint8_t cube[RSA_MAKE_MAX];
	BN_bn2binpad(c, cube, (int)len);
	CU_ASSERT_EQUAL(memcmp(cube, block, len / 3 - 1), 0);
	BN_free(want);
	BN_free(s);
	BN_free(c);
	BN_CTX_free(ctx);
}

/* Bleichenbacher's of 2006 against exponent 3: the garbage is behind, and needs no private key. */
static void cube_roots(void)
{
	for (unsigned i = 0; i < RSA_SIZES; i++) {
		struct base base[RSA_LANES];
		unsigned which[RSA_LANES];
		const struct rsa_make *m = &sizes[i].make[3];
		for (unsigned l = 0; l < RSA_LANES; l++) {
			uint8_t block[RSA_MAKE_MAX];
			which[l] = 3;
			base[l].hash = l & 1 ? HASH_SHA1 : HASH_SHA256;
			fill(base[l].digest, sizeof base[l].digest);
			rsa_make_case(1, block, m->len, base[l].hash, base[l].digest);
			cube_root(block, m->len, base[l].signature);
		}
		CU_ASSERT_EQUAL(check_all(&sizes[i], which, base, RSA_LANES, true), 0);
	}
}

/* s + n where there is room for it, n - s. */
static void around_modulus(uint8_t *s, const struct rsa_make *m, bool minus)
{
	BIGNUM *a = BN_bin2bn(s, (int)m->len, NULL), *n = BN_bin2bn(m->n, (int)m->len, NULL);
	if (minus)
		BN_sub(a, n, a);
	else
		BN_add(a, a, n);
	if (!BN_is_negative(a) && BN_num_bytes(a) <= (int)m->len)
		BN_bn2binpad(a, s, (int)m->len);
	BN_free(a);
	BN_free(n);
}

static void hurt(struct base *b, const struct rsa_make *m)
{
	switch (below(16)) {
	case 0:
		b->signature[below(m->len)] ^= (uint8_t)(1 << below(8));
		break;
	case 1:
		b->digest[below(hash_len(b->hash))] ^= (uint8_t)(1 << below(8));
		break;
	case 2:
		b->hash = b->hash == HASH_SHA1 ? HASH_SHA256 : HASH_SHA1;
		break;
	case 3:
	case 4:
		around_modulus(b->signature, m, below(2));
		break;
	case 5: /* an octet up or down: a leading zero */
		memmove(b->signature + 1, b->signature, m->len - 1);
		b->signature[0] = 0;
		break;
	case 6:
		fill(b->signature, m->len);
		break;
	case 7:
		memset(b->signature, below(2) ? 0 : 0xff, below(m->len + 1));
		break;
	default: /* as it is */
		break;
	}
}

static void random_and_hostile(void)
{
	const char *wish = getenv("TEST_RSA");
	unsigned long n = wish ? strtoul(wish, NULL, 10) : RANDOM;
	for (unsigned i = 0; i < RSA_SIZES; i++) {
		unsigned long good = 0, done = 0;
		for (unsigned round = 0; done < n; round++) {
			struct base base[RSA_LANES];
			unsigned which[RSA_LANES], lanes = (unsigned)below(RSA_LANES) + 1;
			for (unsigned l = 0; l < lanes; l++) {
				which[l] = (unsigned)below(KEYS);
				base[l] = sizes[i].base[which[l]][below(BASES)];
				hurt(&base[l], &sizes[i].make[which[l]]);
				if (below(20) == 0)
					which[l] = (unsigned)below(KEYS); /* of another key */
			}
			good += (unsigned)__builtin_popcount(
				check_all(&sizes[i], which, base, lanes, round % 8 == 0));
			done += lanes;
		}
		printf(" %u: %lu, %lu good;", bits[i], done, good);
		CU_ASSERT(good > done / 20 && good < done / 2);
	}
}

TEST_MAIN("rsa", TEST(which_keys), TEST(setup), TEST(power_is_power), TEST(any_odd_exponent),
	  TEST(wrong_blocks), TEST(every_octet_counts), TEST(cube_roots), TEST(random_and_hostile),
	  TEST(teardown))
