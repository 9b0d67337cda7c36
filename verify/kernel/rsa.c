#include "verify/kernel/rsa.h"

#include "verify/kernel/rsa_impl.h"

/*
 * The scalar arithmetic: limbs of 64 bits, lowest first, as many as the modulus fills to the last
 * bit; R is 2^(64 limbs). All numbers stay below n.
 */
enum { WORDS_MAX = RSA_OCTETS_MAX / 8 };

struct scalar {
	unsigned words;
	uint64_t negative; /* -1 / n mod 2^64 */
	uint64_t n[WORDS_MAX];
	uint64_t one[WORDS_MAX]; /* R mod n */
};

static const uint16_t size_octets[RSA_SIZES] = { 128, 192, 256, 384, 512 };
static const uint8_t size_limbs[RSA_SIZES] = { 20, 30, 40, 60, 80 };

static const uint64_t limb_mask = (UINT64_C(1) << RSA_LIMB_BITS) - 1;

static bool less(const uint64_t *a, const uint64_t *b, unsigned words)
{
	while (words-- > 0)
		if (a[words] != b[words])
			return a[words] < b[words];
	return false;
}

/* a -= b; gives the borrow. */
static uint64_t subtract(uint64_t *a, const uint64_t *b, unsigned words)
{
	uint64_t borrow = 0;
	for (unsigned i = 0; i < words; i++) {
		uint64_t d = a[i] - b[i];
		uint64_t under = (a[i] < b[i]) | (d < borrow);
		a[i] = d - borrow;
		borrow = under;
	}
	return borrow;
}

/* a = 2^bits a mod n, bits 1..32. The quotient is taken from the highest bits: it is too small, by
 * 3 at most. */
static void shift(const struct scalar *s, uint64_t *a, unsigned bits)
{
	unsigned words = s->words;
	uint64_t top = 0, carry = 0, high = s->n[words - 1] >> 32;
	for (unsigned i = 0; i < words; i++) {
		uint64_t out = a[i] >> (64 - bits);
		a[i] = a[i] << bits | top;
		top = out;
	}
	uint64_t q = (top << 32 | a[words - 1] >> 32) / (high + 1);
	for (unsigned i = 0; i < words; i++) {
		unsigned __int128 p = (unsigned __int128)s->n[i] * q + carry;
		carry = (uint64_t)(p >> 64) + (a[i] < (uint64_t)p);
		a[i] -= (uint64_t)p;
	}
	for (top -= carry; top || !less(a, s->n, words);)
		top -= subtract(a, s->n, words);
}

/* t += a b, t one limb longer than a; gives the carry out of it. */
static uint64_t add_row(uint64_t *t, const uint64_t *a, uint64_t b, unsigned words)
{
	uint64_t carry = 0;
	for (unsigned i = 0; i < words; i++) {
		unsigned __int128 sum = (unsigned __int128)a[i] * b + t[i] + carry;
		t[i] = (uint64_t)sum;
		carry = (uint64_t)(sum >> 64);
	}
	t[words] += carry;
	return t[words] < carry;
}

/* r = a b / R mod n. r may be a or b. */
static void multiply(const struct scalar *s, uint64_t *r, const uint64_t *a, const uint64_t *b)
{
	uint64_t t[WORDS_MAX + 1] = { 0 };
	for (unsigned i = 0; i < s->words; i++) {
		uint64_t over = add_row(t, a, b[i], s->words);
		over += add_row(t, s->n, t[0] * s->negative, s->words);
		memmove(t, t + 1, s->words * sizeof *t); /* t[0] is zero now */
		t[s->words] = over;
	}
	if (t[s->words] || !less(t, s->n, s->words))
		subtract(t, s->n, s->words);
	memcpy(r, t, s->words * sizeof *r);
}

/* -1 / n mod 2^64, n odd: each turn doubles the bits that are right, of which there are 3 first. */
static uint64_t negative_inverse(uint64_t n)
{
	uint64_t x = n;
	for (int i = 0; i < 5; i++)
		x *= 2 - n * x;
	return 0 - x;
}

/* The limbs of n must be in s. */
static void scalar_init(struct scalar *s, unsigned words)
{
	s->words = words;
	s->negative = negative_inverse(s->n[0]);
	for (unsigned i = 0; i < words; i++)
		s->one[i] = 0;
	subtract(s->one, s->n, words); /* R - n, since n's top bit is set */
}

/* 2^(64 words + bits) mod n */
static void power_of_two(const struct scalar *s, unsigned bits, uint64_t *out)
{
	memcpy(out, s->one, sizeof s->one);
	for (; bits > 32; bits -= 32)
		shift(s, out, 32);
	shift(s, out, bits);
}

/* 52 bits to 64. step: from limb to limb. */
static void words_of(uint64_t *out, unsigned words, const uint64_t *limb, size_t step)
{
	for (unsigned i = 0; i < words; i++) {
		unsigned bit = i * 64 % RSA_LIMB_BITS;
		size_t at = i * 64 / RSA_LIMB_BITS;
		out[i] = limb[at * step] >> bit | limb[(at + 1) * step] << (RSA_LIMB_BITS - bit);
		if (2 * RSA_LIMB_BITS - bit < 64)
			out[i] |= limb[(at + 2) * step] << (2 * RSA_LIMB_BITS - bit);
	}
}

/* 64 bits to 52. */
static void limbs_of(uint64_t *limb, size_t step, unsigned limbs, const uint64_t *in,
		     unsigned words)
{
	for (unsigned i = 0; i < limbs; i++) {
		unsigned at = i * RSA_LIMB_BITS / 64, bit = i * RSA_LIMB_BITS % 64;
		uint64_t low = at < words ? in[at] >> bit : 0;
		uint64_t high = bit && at + 1 < words ? in[at + 1] << (64 - bit) : 0;
		limb[i * step] = (low | high) & limb_mask;
	}
}

unsigned rsa_power_scalar(const struct rsa_key *const key[RSA_LANES], struct rsa_lanes *lanes)
{
	unsigned good = 0;
	for (unsigned l = 0; l < RSA_LANES; l++) {
		struct scalar s;
		uint64_t x[WORDS_MAX], t[WORDS_MAX], base[WORDS_MAX];
		const struct rsa_key *k = key[l];
		unsigned words = k->octets / 8;
		words_of(s.n, words, k->limb, 1);
		words_of(x, words, &lanes->limb[0][l], RSA_LANES);
		if (!less(x, s.n, words))
			continue;
		scalar_init(&s, words);
		power_of_two(&s, 64 * words, t);
		multiply(&s, t, t, x); /* x R */
		memcpy(base, t, sizeof base);
		for (int bit = 30 - __builtin_clz(k->exponent); bit >= 0; bit--) {
			multiply(&s, t, t, t);
			if (bit == 0)
				multiply(&s, t, t, x); /* and out of R again: e is odd */
			else if (k->exponent >> bit & 1)
				multiply(&s, t, t, base);
		}
		limbs_of(&lanes->limb[0][l], RSA_LANES, k->limbs, t, words);
		good |= 1u << l;
	}
	return good;
}

static int size_of(struct bytes n)
{
	for (int i = 0; i < RSA_SIZES; i++)
		if (n.n == size_octets[i] && n.p[0] & 0x80 && n.p[n.n - 1] & 1)
			return i;
	return -1;
}

static uint32_t number(struct bytes b)
{
	uint32_t v = 0;
	for (size_t i = 0; i < b.n; i++)
		v = v << 8 | b.p[i];
	return v;
}

size_t rsa_key_len(struct bytes n, struct bytes e)
{
	int size = size_of(n);
	if (size < 0 || e.n > 4 || number(e) < 3 || !(number(e) & 1))
		return 0;
	return sizeof(struct rsa_key) + 2 * size_limbs[size] * sizeof(uint64_t);
}

static uint64_t word_at(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return __builtin_bswap64(v);
}

void rsa_key_init(struct rsa_key *key, struct bytes n, struct bytes e)
{
	struct scalar s;
	uint64_t t[WORDS_MAX];
	unsigned words = (unsigned)n.n / 8;
	key->exponent = number(e);
	key->size = (uint8_t)size_of(n);
	key->limbs = size_limbs[key->size];
	key->octets = (uint16_t)n.n;
	for (unsigned i = 0; i < words; i++)
		s.n[i] = word_at(n.p + n.n - 8 - i * 8);
	scalar_init(&s, words);
	key->negative = s.negative & limb_mask;
	limbs_of(key->limb, 1, key->limbs, s.n, words);
	power_of_two(&s, 2 * RSA_LIMB_BITS * key->limbs - 64 * words, t);
	limbs_of(key->limb + key->limbs, 1, key->limbs, t, words);
}

/* Octets to one lane's limbs: 13 octets are two of them. */
static void lane_put(struct rsa_lanes *x, unsigned lane, unsigned limbs, const uint8_t *p, size_t n)
{
	enum { AHEAD = 16 }; /* the highest limbs begin before the number */
	uint8_t padded[AHEAD + RSA_OCTETS_MAX] = { 0 };
	memcpy(padded + AHEAD, p, n);
	p = padded + AHEAD + n - 8;
	for (unsigned i = 0; i < limbs; i += 2) {
		x->limb[i][lane] = word_at(p) & limb_mask;
		x->limb[i + 1][lane] = word_at(p - 6) >> 4 & limb_mask;
		p -= 13;
	}
}

/* EMSA-PKCS1-v1_5 (RFC 8017 section 9.2): the one block that a good signature holds. */
static void block_of(const struct rsa_check *c, uint8_t *out)
{
	static const uint8_t sha256[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
					  0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
					  0x01, 0x05, 0x00, 0x04, 0x20 };
	static const uint8_t sha1[] = { 0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
					0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14 };
	const uint8_t *info = c->hash == HASH_SHA1 ? sha1 : sha256;
	size_t info_len = c->hash == HASH_SHA1 ? sizeof sha1 : sizeof sha256;
	size_t digest_len = hash_len(c->hash), n = c->key->octets;
	size_t fill = n - digest_len - info_len - 3;
	out[0] = 0;
	out[1] = 1;
	memset(out + 2, 0xff, fill);
	out[2 + fill] = 0;
	memcpy(out + 3 + fill, info, info_len);
	memcpy(out + n - digest_len, c->digest, digest_len);
}

unsigned rsa_verify(const struct rsa_ops *ops, const struct rsa_check *check, unsigned n)
{
	struct rsa_lanes x, want;
	const struct rsa_key *key[RSA_LANES];
	unsigned limbs = check->key->limbs;
	for (unsigned l = 0; l < RSA_LANES; l++) {
		const struct rsa_check *c = &check[l < n ? l : 0];
		uint8_t block[RSA_OCTETS_MAX];
		key[l] = c->key;
		lane_put(&x, l, limbs, c->signature, c->key->octets);
		block_of(c, block);
		lane_put(&want, l, limbs, block, c->key->octets);
	}
	unsigned good = ops->power(key, &x);
	for (unsigned l = 0; l < n; l++) {
		uint64_t differ = 0;
		for (unsigned i = 0; i < limbs; i++)
			differ |= x.limb[i][l] ^ want.limb[i][l];
		if (differ)
			good &= ~(1u << l);
	}
	return good & ((1u << n) - 1);
}

/* Both over the same numbers: full lengths and small ones, exponents of all kinds. */
static bool agrees(unsigned (*power)(const struct rsa_key *const *, struct rsa_lanes *))
{
	static const uint8_t exponent[RSA_LANES][4] = {
		{ 0, 0, 0, 3 },
		{ 0, 1, 0, 1 },
		{ 0, 1, 0, 1 },
		{ 0, 0, 0, 17 },
		{ 0, 1, 0, 1 },
		{ 0, 0, 0, 5 },
		{ 0xff, 0xff, 0xff, 0xff },
		{ 0, 1, 0, 1 },
	};
	enum { OCTETS = 128, LEN = sizeof(struct rsa_key) + 2 * 20 * sizeof(uint64_t) };
	_Alignas(struct rsa_key) uint8_t memory[RSA_LANES][LEN];
	const struct rsa_key *key[RSA_LANES];
	struct rsa_lanes a = { 0 }, b;
	for (unsigned l = 0; l < RSA_LANES; l++) {
		uint8_t n[OCTETS];
		for (unsigned i = 0; i < OCTETS; i++)
			n[i] = (uint8_t)((i + l) * (i + 3 * l + 7) * 167 + 13);
		n[0] |= 0x80;
		n[OCTETS - 1] |= 1;
		rsa_key_init((struct rsa_key *)memory[l], bytes_of(n, OCTETS),
			     bytes_of(exponent[l], 4));
		key[l] = (const struct rsa_key *)memory[l];
		for (unsigned i = 0; i < OCTETS; i++)
			n[i] = (uint8_t)(i < l * 16 ? 0 : n[i] - (i == OCTETS - 1));
		lane_put(&a, l, 20, n, OCTETS);
	}
	b = a;
	return power(key, &a) == rsa_power_scalar(key, &b) && memcmp(&a, &b, sizeof a) == 0;
}

struct rsa_ops rsa_ops_init(enum cpu_level level, unsigned flags)
{
	struct rsa_ops ops = { NULL };
	if (level < CPU_AVX512 || !(flags & CPU_IFMA))
		return ops;
	if (agrees(rsa_power_ifma))
		ops.power = rsa_power_ifma;
	else
		cpu_left_out("rsa", "ifma");
	return ops;
}
