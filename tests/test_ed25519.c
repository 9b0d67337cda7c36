/* Good and bad are what OpenSSL says, alone and in every lane, for every key, signature and point. */
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "tests/test.h"
#include "verify/kernel/ed25519_impl.h"

enum { PLAIN, CHOSEN, ENGINES };
enum { MESSAGE_MAX = 1100 };

static struct ed25519 *engine[ENGINES];
static uint64_t seed = 25519;

static void start(void)
{
	if (engine[PLAIN])
		return;
	engine[PLAIN] = ed25519_new(CPU_SCALAR, 0);
	engine[CHOSEN] = ed25519_new(cpu_level(), cpu_flags());
}

struct sample {
	uint8_t key[ED25519_KEY_OCTETS];
	uint8_t signature[ED25519_SIGNATURE_OCTETS];
	uint8_t message[MESSAGE_MAX];
	size_t len;
};

static bool openssl_says(const struct sample *s)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, s->key, sizeof s->key);
	bool good =
		EVP_DigestVerifyInit(md, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestVerify(md, s->signature, sizeof s->signature, s->message, s->len) == 1;
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(md);
	return good;
}

/* Up to a batch of them by both engines; returns what OpenSSL says. */
static unsigned check(const struct sample *s, unsigned n)
{
	struct ed25519_job jobs[ED25519_BATCH];
	unsigned want = 0;
	start();
	for (unsigned i = 0; i < n; i++) {
		want |= (unsigned)openssl_says(&s[i]) << i;
		jobs[i] = (struct ed25519_job){ ed25519_key_new(s[i].key),
						test_guard(s[i].signature, sizeof s[i].signature),
						{ test_guard(s[i].message, s[i].len), s[i].len } };
	}
	for (int e = 0; e < ENGINES; e++)
		CU_ASSERT_EQUAL(ed25519_check(engine[e], jobs, n), want);
	for (unsigned i = 0; i < n; i++) {
		ed25519_key_free((struct ed25519_key *)jobs[i].key);
		test_guard_free((uint8_t *)jobs[i].signature, sizeof s[i].signature);
		test_guard_free((uint8_t *)jobs[i].message.p, s[i].len);
	}
	return want;
}

static void fill(uint8_t *p, size_t n)
{
	while (n)
		p[--n] = (uint8_t)(test_random(&seed) >> 24);
}

static void sign(EVP_PKEY *key, struct sample *s)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t n = sizeof s->key;
	EVP_PKEY_get_raw_public_key(key, s->key, &n);
	n = sizeof s->signature;
	EVP_DigestSignInit(md, NULL, NULL, NULL, key);
	EVP_DigestSign(md, s->signature, &n, s->message, s->len);
	EVP_MD_CTX_free(md);
}

static EVP_PKEY *random_key(void)
{
	uint8_t secret[32];
	fill(secret, sizeof secret);
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
}

static void random_sample(struct sample *s)
{
	EVP_PKEY *key = random_key();
	s->len = 32;
	fill(s->message, s->len);
	sign(key, s);
	EVP_PKEY_free(key);
}

static void hex(const char *text, uint8_t *out)
{
	for (; *text; text += 2) {
		char octet[3] = { text[0], text[1], 0 };
		*out++ = (uint8_t)strtoul(octet, NULL, 16);
	}
}

/* RFC 8032 section 7.1, but the long one. */
static void rfc8032(void)
{
	static const char *const vectors[][3] = {
		{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
		  "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
		{ "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
		  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
		  "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
		{ "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
		  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
		  "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
		{ "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
		  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a8"
		  "36ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
		  "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ec"
		  "fdfbc7c66431e0303dca179c138ac17ad9bef1177331a704" },
	};
	enum { N = sizeof vectors / sizeof vectors[0] };
	struct sample s[N];
	for (int i = 0; i < N; i++) {
		hex(vectors[i][0], s[i].key);
		hex(vectors[i][1], s[i].message);
		hex(vectors[i][2], s[i].signature);
		s[i].len = strlen(vectors[i][1]) / 2;
	}
	CU_ASSERT_EQUAL(check(s, N), (1u << N) - 1);
}

/* S plus times L, little endian, when that fits. */
static bool add_order(uint8_t s[32], int times)
{
	static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
					   0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
					   0,    0,    0,    0,    0,    0,    0,    0,
					   0,    0,    0,    0,    0,    0,    0,    0x10 };
	unsigned carry = 0;
	for (int i = 0; i < 32; i++) {
		carry += s[i] + (unsigned)times * order[i];
		s[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return carry == 0;
}

/* Damages it, or not. */
static void corrupt(struct sample *s)
{
	unsigned bit = (unsigned)(test_random(&seed) >> 20) % 256;
	uint8_t flip = (uint8_t)(1 << bit % 8);
	switch (test_random(&seed) >> 32 & 15) {
	case 0:
		s->signature[bit / 8] ^= flip;
		break;
	case 1:
		s->signature[32 + bit / 8] ^= flip;
		break;
	case 2:
		s->message[bit / 8] ^= flip;
		break;
	case 3:
		s->key[bit / 8] ^= flip;
		break;
	case 4:
		CU_ASSERT(add_order(s->signature + 32, 1 + (int)(bit % 14)));
		break;
	case 5:
		fill(s->key, sizeof s->key);
		break;
	case 6:
		fill(s->signature, sizeof s->signature);
		break;
	case 7:
		s->message[0] ^= 1;
		s->signature[63] &= 0x0f;
		break;
	default:
		break;
	}
}

static void random_signatures(void)
{
	enum { ROUNDS = 4500 }; /* of 1 to 8, over 20,000 in all */
	unsigned good = 0, all = 0;
	for (int round = 0; round < ROUNDS; round++) {
		struct sample s[ED25519_BATCH];
		unsigned n = round % 8 ? 1 + (unsigned)round % 8 : 8;
		for (unsigned i = 0; i < n; i++) {
			random_sample(&s[i]);
			corrupt(&s[i]);
		}
		good += (unsigned)__builtin_popcount(check(s, n));
		all += n;
	}
	CU_ASSERT(all > 20000);
	CU_ASSERT(good > all / 3 && good < all / 3 * 2);
}

/* Of SHA-512's blocks any number, full or not: what is hashed is longer by two points. */
static void messages_of_any_length(void)
{
	struct sample s[ED25519_BATCH];
	unsigned n = 0;
	for (size_t len = 0; len <= MESSAGE_MAX; len += len < 300 ? 1 : 13) {
		EVP_PKEY *key = random_key();
		unsigned i = n++ % ED25519_BATCH;
		s[i].len = len;
		fill(s[i].message, len);
		sign(key, &s[i]);
		EVP_PKEY_free(key);
		if (len && n % 5 == 0)
			s[i].message[len - 1] ^= 1;
		if (i + 1 < ED25519_BATCH)
			continue;
		unsigned want = 0;
		for (unsigned k = 0; k < ED25519_BATCH; k++)
			want |= (unsigned)((n - ED25519_BATCH + k + 1) % 5 != 0) << k;
		CU_ASSERT_EQUAL(check(s, ED25519_BATCH), want);
	}
	CU_ASSERT(n > 300);
}

/* Each set of good ones in each length. */
static void lanes_are_apart(void)
{
	struct sample good[ED25519_BATCH], bad[ED25519_BATCH], s[ED25519_BATCH];
	for (int i = 0; i < ED25519_BATCH; i++) {
		random_sample(&good[i]);
		bad[i] = good[i];
		switch (i % 4) {
		case 0:
			bad[i].message[i] ^= 1;
			break;
		case 1:
			add_order(bad[i].signature + 32, 1);
			break;
		case 2:
			hex("0200000000000000000000000000000000000000000000000000000000000000",
			    bad[i].key); /* no point has y = 2 */
			break;
		default:
			bad[i].signature[31] ^= 0x80;
		}
	}
	for (unsigned set = 0; set < 1 << ED25519_BATCH; set++) {
		for (unsigned i = 0; i < ED25519_BATCH; i++)
			s[i] = set >> i & 1 ? good[i] : bad[i];
		CU_ASSERT_EQUAL(check(s, ED25519_BATCH), set);
		unsigned n = set % ED25519_BATCH;
		CU_ASSERT_EQUAL(check(s, n), set & ((1u << n) - 1));
	}
}

/* S around L, at powers of two, and all ones. */
static void bounds_of_s(void)
{
	struct sample s[ED25519_BATCH];
	memset(s, 0, sizeof s);
	for (int i = 0; i < ED25519_BATCH; i++) {
		random_sample(&s[i]);
		memset(s[i].signature + 32, 0, 32);
	}
	add_order(s[0].signature + 32, 1);
	add_order(s[1].signature + 32, 1);
	s[1].signature[32]--;
	add_order(s[2].signature + 32, 1);
	s[2].signature[32]++;
	memset(s[3].signature + 32, 0xff, 32);
	s[4].signature[63] = 0x10;
	s[5].signature[63] = 0x20;
	s[6].signature[63] = 0x80;
	CU_ASSERT_EQUAL(check(s, ED25519_BATCH), 0);
}

/* Affine points by the formulas of RFC 8032 section 5.1, in OpenSSL's big numbers: slow and apart
 * from the code under test. */
struct curve {
	BN_CTX *ctx;
	BIGNUM *p, *d, *order;
};

struct affine {
	BIGNUM *x, *y;
};

static BIGNUM *number(const char *text)
{
	BIGNUM *n = NULL;
	BN_hex2bn(&n, text);
	return n;
}

static struct curve curve_new(void)
{
	return (struct curve){
		BN_CTX_new(),
		number("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"),
		number("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3"),
		number("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"),
	};
}

static void curve_free(struct curve *c)
{
	BN_CTX_free(c->ctx);
	BN_free(c->p);
	BN_free(c->d);
	BN_free(c->order);
}

static struct affine affine_of(const char *x, const char *y)
{
	return (struct affine){ number(x), number(y) };
}

static void affine_free(struct affine *a)
{
	BN_free(a->x);
	BN_free(a->y);
}

/* a += b */
static void affine_add(struct curve *c, struct affine *a, const struct affine *b)
{
	BIGNUM *xx = BN_new(), *yy = BN_new(), *xy = BN_new(), *yx = BN_new(), *k = BN_new();
	BN_mod_mul(xx, a->x, b->x, c->p, c->ctx);
	BN_mod_mul(yy, a->y, b->y, c->p, c->ctx);
	BN_mod_mul(xy, a->x, b->y, c->p, c->ctx);
	BN_mod_mul(yx, a->y, b->x, c->p, c->ctx);
	BN_mod_mul(k, xx, yy, c->p, c->ctx);
	BN_mod_mul(k, k, c->d, c->p, c->ctx);
	BN_mod_add(xy, xy, yx, c->p, c->ctx);
	BN_mod_add(yy, yy, xx, c->p, c->ctx);
	BN_add(xx, k, BN_value_one());
	BN_sub(k, BN_value_one(), k);
	BN_mod_inverse(xx, xx, c->p, c->ctx);
	BN_mod_inverse(k, k, c->p, c->ctx);
	BN_mod_mul(a->x, xy, xx, c->p, c->ctx);
	BN_mod_mul(a->y, yy, k, c->p, c->ctx);
	BN_free(xx);
	BN_free(yy);
	BN_free(xy);
	BN_free(yx);
	BN_free(k);
}

static struct affine affine_times(struct curve *c, const BIGNUM *n, const struct affine *a)
{
	struct affine r = affine_of("0", "1");
	for (int i = BN_num_bits(n); i-- > 0;) {
		struct affine copy = { BN_dup(r.x), BN_dup(r.y) };
		affine_add(c, &r, &copy);
		affine_free(&copy);
		if (BN_is_bit_set(n, i))
			affine_add(c, &r, a);
	}
	return r;
}

static void affine_put(const struct affine *a, uint8_t out[32])
{
	BN_bn2lebinpad(a->y, out, 32);
	out[31] |= (uint8_t)(BN_is_bit_set(a->x, 0) << 7);
}

/* Of order 8. */
static struct affine torsion(void)
{
	return affine_of("602a465ff9c6b5d716cc66cdc721b544a3e6c38fec1a1dc7215eb9b93aba2ea3",
			 "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826");
}

enum { SMALL = 8 + 2 + 2 * 19, RESTS = 5 };

/* The eight points, two with x = 0 and a sign, and everything from p to 2^255 - 1 with both signs. */
static void small_points(uint8_t out[SMALL][32])
{
	struct curve c = curve_new();
	struct affine t = torsion(), sum = affine_of("0", "1");
	int n = 0;
	for (; n < 8; n++) {
		affine_put(&sum, out[n]);
		affine_add(&c, &sum, &t);
	}
	for (int i = 0; i < 8; i += 4) {
		memcpy(out[n], out[i], 32);
		out[n++][31] |= 0x80;
	}
	for (int low = 0xed; low <= 0xff; low++)
		for (int sign = 0x7f; sign <= 0xff; sign += 0x80) {
			memset(out[n], 0xff, 32);
			out[n][0] = (uint8_t)low;
			out[n++][31] = (uint8_t)sign;
		}
	CU_ASSERT_EQUAL(n, SMALL);
	affine_free(&t);
	affine_free(&sum);
	curve_free(&c);
}

/*
 * With a key of small order and S = 0 one signature in a few is good. Of the rules that are in use
 * this is the one without cofactor: of the keys any y is taken, of R only the form below p without
 * a sign of zero (ZIP 215 takes both, RFC 8032 neither), and S is below L.
 */
static void points_of_small_order(void)
{
	uint8_t point[SMALL][32];
	struct sample s[ED25519_BATCH];
	unsigned n = 0, good = 0, odd = 0, never = 0;
	small_points(point);
	for (int a = 0; a < SMALL; a++)
		for (int r = 0; r < SMALL; r++)
			for (int rest = 0; rest < RESTS; rest++) {
				memcpy(s[n].key, point[a], 32);
				memset(s[n].signature, 0, sizeof s[n].signature);
				memcpy(s[n].signature, point[r], 32);
				if (rest == 1)
					add_order(s[n].signature + 32, 1); /* L: as good as 0 */
				s[n].len = 32;
				fill(s[n].message, s[n].len);
				never |= (unsigned)(r >= 8 || rest == 1) << n;
				if (++n < ED25519_BATCH)
					continue;
				unsigned set = check(s, n);
				good += (unsigned)__builtin_popcount(set);
				CU_ASSERT_EQUAL(set & never, 0);
				for (never = 0; n > 0; n--)
					odd += set >> (n - 1) & 1 && a >= 8;
			}
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT(good > 30); /* so that the above says something */
	CU_ASSERT(odd > 10); /* OpenSSL takes keys that are not canonical */
}

/* Little endian octets modulo L. */
static BIGNUM *scalar(struct curve *c, const uint8_t *p, int n)
{
	BIGNUM *r = BN_lebin2bn(p, n, NULL);
	BN_nnmod(r, r, c->order, c->ctx);
	return r;
}

/* A signature by A = aB + T with R = rB + U, T and U of small order: good when hT + U is neutral. */
static void mixed_sample(struct curve *c, struct sample *s, const struct affine *small_t,
			 const struct affine *small_u)
{
	struct affine base =
		affine_of("216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a",
			  "6666666666666666666666666666666666666666666666666666666666666658");
	uint8_t octets[96], digest[64];
	fill(octets, 64);
	BIGNUM *a = scalar(c, octets, 32), *r = scalar(c, octets + 32, 32);
	struct affine key = affine_times(c, a, &base), point = affine_times(c, r, &base);
	affine_add(c, &key, small_t);
	affine_add(c, &point, small_u);
	affine_put(&key, s->key);
	affine_put(&point, s->signature);
	s->len = 32;
	fill(s->message, s->len);
	memcpy(octets, s->signature, 32);
	memcpy(octets + 32, s->key, 32);
	memcpy(octets + 64, s->message, 32);
	SHA512(octets, sizeof octets, digest);
	BIGNUM *h = scalar(c, digest, sizeof digest);
	BN_mod_mul(h, h, a, c->order, c->ctx);
	BN_mod_add(h, h, r, c->order, c->ctx);
	BN_bn2lebinpad(h, s->signature + 32, 32);
	BN_free(h);
	BN_free(a);
	BN_free(r);
	affine_free(&key);
	affine_free(&point);
	affine_free(&base);
}

static void no_cofactor(void)
{
	struct curve c = curve_new();
	struct affine t = torsion(), small[8];
	struct sample s[ED25519_BATCH];
	unsigned good = 0, all = 0;
	small[0] = affine_of("0", "1");
	for (int i = 1; i < 8; i++) {
		small[i] = (struct affine){ BN_dup(small[i - 1].x), BN_dup(small[i - 1].y) };
		affine_add(&c, &small[i], &t);
	}
	for (int i = 0; i < 8; i++) {
		for (int j = 0; j < ED25519_BATCH; j++)
			mixed_sample(&c, &s[j], &small[i], &small[(i * j) % 8]);
		good += (unsigned)__builtin_popcount(check(s, ED25519_BATCH));
		all += ED25519_BATCH;
	}
	CU_ASSERT(good >= 8 && good < all / 2);
	for (int i = 0; i < 8; i++)
		affine_free(&small[i]);
	affine_free(&t);
	curve_free(&c);
}

static uint64_t extreme_limb(void)
{
	static const uint64_t limbs[] = { 0, 1, FIELD_MASK, FIELD_MASK - 1, FIELD_MASK - 18 };
	uint64_t r = test_random(&seed) >> 11;
	return r % 8 < 5 ? limbs[r % 8] : r & FIELD_MASK;
}

/* Entries that are no points, their limbs as large and small as can be: the sums mean nothing, but
 * are the same. */
static void kernels_at_their_bounds(void)
{
	enum { ROUNDS = 300 };
	static struct ed25519_entry base[ED25519_BASE_TABLE], key[ED25519_BATCH][ED25519_KEY_TABLE];
	if (cpu_level() < CPU_AVX512 || !(cpu_flags() & CPU_IFMA))
		return;
	for (int round = 0; round < ROUNDS; round++) {
		struct ed25519_sum sum = { .base = base, .n = ED25519_BATCH };
		struct ed25519_points a, b;
		for (int i = 0; i < ED25519_BASE_TABLE; i++)
			for (int j = 0; j < 3 * FIELD_LIMBS; j++)
				base[i].limb[j] = round ? extreme_limb() : FIELD_MASK;
		for (int l = 0; l < ED25519_BATCH; l++) {
			sum.key[l] = key[l];
			for (int i = 0; i < ED25519_KEY_TABLE; i++)
				for (int j = 0; j < 3 * FIELD_LIMBS; j++)
					key[l][i].limb[j] = round ? extreme_limb() : FIELD_MASK;
			for (int k = 0; k < ED25519_BLOCKS * ED25519_KEY_DIGITS; k++)
				sum.key_digits[k].index[l] =
					(uint16_t)(test_random(&seed) % ED25519_KEY_TABLE);
			for (int k = 0; k < ED25519_BLOCKS * ED25519_BASE_DIGITS; k++)
				sum.base_digits[k].index[l] =
					(uint16_t)(test_random(&seed) % ED25519_BASE_TABLE);
		}
		for (int k = 0; k < ED25519_BLOCKS * ED25519_KEY_DIGITS; k++)
			sum.key_digits[k].negative = (uint8_t)test_random(&seed);
		for (int k = 0; k < ED25519_BLOCKS * ED25519_BASE_DIGITS; k++)
			sum.base_digits[k].negative = (uint8_t)test_random(&seed);
		ed25519_points_scalar(&sum, &a);
		ed25519_points_ifma(&sum, &b);
		for (int l = 0; l < ED25519_BATCH; l++) {
			struct field x[2], y[2];
			for (int i = 0; i < FIELD_LIMBS; i++) {
				x[0].limb[i] = a.x[i][l];
				x[1].limb[i] = b.x[i][l];
				y[0].limb[i] = a.y[i][l];
				y[1].limb[i] = b.y[i][l];
			}
			CU_ASSERT(field_equal(&x[0], &x[1]));
			CU_ASSERT(field_equal(&y[0], &y[1]));
		}
	}
}

/* The level asked for, where the processor has it, and only there. */
static void levels(void)
{
	for (enum cpu_level level = CPU_SCALAR; level <= cpu_level(); level++) {
		struct ed25519 *e = ed25519_new(level, cpu_flags());
		bool lanes = level >= CPU_AVX512 && cpu_flags() & CPU_IFMA;
		CU_ASSERT_EQUAL(ed25519_in_lanes(e), lanes);
		ed25519_free(e);
	}
	struct ed25519 *e = ed25519_new(cpu_level(), 0);
	CU_ASSERT_FALSE(ed25519_in_lanes(e));
	ed25519_free(e);
	ed25519_free(engine[PLAIN]);
	ed25519_free(engine[CHOSEN]);
}

TEST_MAIN("ed25519", TEST(rfc8032), TEST(random_signatures), TEST(messages_of_any_length),
	  TEST(lanes_are_apart), TEST(bounds_of_s), TEST(points_of_small_order), TEST(no_cofactor),
	  TEST(kernels_at_their_bounds), TEST(levels))
