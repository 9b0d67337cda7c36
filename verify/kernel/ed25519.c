/* EVP takes a lock and the heap for each digest; these take neither */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "verify/kernel/ed25519.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "verify/kernel/ed25519_impl.h"

enum { SCALAR_WORDS = 4 };

struct ed25519 {
	struct ed25519_entry table[ED25519_BASE_TABLE];
	ed25519_kernel *points;
};

struct ed25519_key {
	struct ed25519_entry table[ED25519_KEY_TABLE]; /* of the negated point */
	uint8_t octets[ED25519_KEY_OCTETS];
	bool on_curve;
};

/* Extended coordinates (RFC 8032 section 5.1.4): x = X/Z, y = Y/Z, xy = T/Z. */
struct point {
	struct field x, y, z, t;
};

static const struct field d = { { 0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029,
				  0x739c663a03cbb, 0x52036cee2b6ff } };
static const struct field root_of_minus_one = { { 0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60,
						  0x78595a6804c9e, 0x2b8324804fc1d } };
static const struct point neutral = { .y = { { 1 } }, .z = { { 1 } } };

/* Order of the base point, and the quotient of 2^512 by it. */
static const uint64_t order[SCALAR_WORDS] = { 0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0,
					      0x1000000000000000 };
static const uint64_t order_inverse[SCALAR_WORDS + 1] = { 0xed9ce5a30a2c131b, 0x2106215d086329a7,
							  0xffffffffffffffeb, 0xffffffffffffffff,
							  0xf };

/* r -= b; returns the borrow. */
static uint64_t words_sub(uint64_t *r, const uint64_t *b, int n)
{
	uint64_t borrow = 0;
	for (int i = 0; i < n; i++) {
		unsigned __int128 t = (unsigned __int128)r[i] - b[i] - borrow;
		r[i] = (uint64_t)t;
		borrow = (uint64_t)(t >> 64) & 1;
	}
	return borrow;
}

/* r of n_a + n_b words */
static void words_mul(uint64_t *r, const uint64_t *a, int n_a, const uint64_t *b, int n_b)
{
	memset(r, 0, (size_t)(n_a + n_b) * sizeof *r);
	for (int i = 0; i < n_a; i++) {
		unsigned __int128 carry = 0;
		for (int j = 0; j < n_b; j++) {
			carry += (unsigned __int128)a[i] * b[j] + r[i + j];
			r[i + j] = (uint64_t)carry;
			carry >>= 64;
		}
		r[i + n_b] = (uint64_t)carry;
	}
}

static bool below_order(const uint64_t s[SCALAR_WORDS])
{
	uint64_t t[SCALAR_WORDS];
	memcpy(t, s, sizeof t);
	return words_sub(t, order, SCALAR_WORDS);
}

/* Barrett: the quotient by way of order_inverse is at most two too small. */
static void reduce(const uint64_t x[2 * SCALAR_WORDS], uint64_t r[SCALAR_WORDS])
{
	uint64_t q[2 * SCALAR_WORDS + 2], product[2 * SCALAR_WORDS + 1], rest[SCALAR_WORDS + 1];
	words_mul(q, x + SCALAR_WORDS - 1, SCALAR_WORDS + 1, order_inverse, SCALAR_WORDS + 1);
	words_mul(product, q + SCALAR_WORDS + 1, SCALAR_WORDS + 1, order, SCALAR_WORDS);
	memcpy(rest, x, sizeof rest);
	words_sub(rest, product, SCALAR_WORDS + 1);
	while (rest[SCALAR_WORDS] || !below_order(rest))
		rest[SCALAR_WORDS] -= words_sub(rest, order, SCALAR_WORDS);
	memcpy(r, rest, SCALAR_WORDS * sizeof *r);
}

/* The completed point (e/g', h/f') brought back: x = EF, y = GH, z = FG, t = EH. */
static void finish(struct point *r, const struct field *e, const struct field *f,
		   const struct field *g, const struct field *h)
{
	r->x = field_mul(e, f);
	r->y = field_mul(g, h);
	r->z = field_mul(f, g);
	r->t = field_mul(e, h);
}

static void point_double(struct point *p)
{
	struct field sum = field_add(&p->x, &p->y), xx = field_square(&p->x);
	struct field yy = field_square(&p->y), zz = field_square(&p->z), ss = field_square(&sum);
	struct field h = field_add(&yy, &xx), g = field_sub(&yy, &xx), e = field_sub(&ss, &h);
	struct field f = field_add(&zz, &zz);
	f = field_add(&f, &xx);
	f = field_sub(&f, &yy);
	finish(p, &e, &f, &g, &h);
}

/* r += the point whose y + x, y - x, 2dxy are given, times z2 / 2 */
static void add_parts(struct point *r, const struct field *sum, const struct field *difference,
		      const struct field *t2d, const struct field *zz)
{
	struct field s = field_add(&r->y, &r->x), m = field_sub(&r->y, &r->x);
	struct field a = field_mul(&m, difference), b = field_mul(&s, sum);
	struct field c = field_mul(&r->t, t2d);
	struct field e = field_sub(&b, &a), f = field_sub(zz, &c), g = field_add(zz, &c);
	struct field h = field_add(&b, &a);
	finish(r, &e, &f, &g, &h);
}

static void point_add(struct point *r, const struct point *p)
{
	struct field sum = field_add(&p->y, &p->x), difference = field_sub(&p->y, &p->x);
	struct field t2d = field_mul(&p->t, &d), zz = field_mul(&r->z, &p->z);
	t2d = field_add(&t2d, &t2d);
	zz = field_add(&zz, &zz);
	add_parts(r, &sum, &difference, &t2d, &zz);
}

static void add_entry(struct point *r, const struct ed25519_entry *entry, bool negative)
{
	struct field sum, difference, t2d, zz = field_add(&r->z, &r->z);
	memcpy(&sum, entry->limb + (negative ? FIELD_LIMBS : 0), sizeof sum);
	memcpy(&difference, entry->limb + (negative ? 0 : FIELD_LIMBS), sizeof difference);
	memcpy(&t2d, entry->limb + 2 * FIELD_LIMBS, sizeof t2d);
	if (negative)
		t2d = field_neg(&t2d);
	add_parts(r, &sum, &difference, &t2d, &zz);
}

/* RFC 8032 section 5.1.3, but steps 1 and 4 refuse nothing, as in OpenSSL. */
static bool point_get(struct point *p, const uint8_t octets[ED25519_KEY_OCTETS])
{
	struct field one = field_small(1);
	p->y = field_get(octets);
	p->z = one;
	struct field yy = field_square(&p->y), u = field_sub(&yy, &one), v = field_mul(&yy, &d);
	v = field_add(&v, &one);
	/* x = u v^3 (u v^7)^((p-5)/8) */
	struct field t = field_square(&v), uv3 = field_mul(&t, &v);
	uv3 = field_mul(&uv3, &u);
	t = field_square(&t);
	t = field_mul(&t, &uv3);
	t = field_root(&t);
	p->x = field_mul(&t, &uv3);
	t = field_square(&p->x);
	t = field_mul(&t, &v);
	if (!field_equal(&t, &u)) {
		t = field_neg(&t);
		if (!field_equal(&t, &u))
			return false;
		p->x = field_mul(&p->x, &root_of_minus_one);
	}
	if (field_odd(&p->x) != octets[ED25519_KEY_OCTETS - 1] >> 7)
		p->x = field_neg(&p->x);
	p->t = field_mul(&p->x, &p->y);
	return true;
}

/* Limbs below 2^52, as kernels want them. */
static void entry_put(uint64_t *limb, const struct field *a)
{
	uint8_t p[FIELD_OCTETS];
	field_put(a, p);
	struct field least = field_get(p);
	memcpy(limb, &least, sizeof least);
}

/* Entries of n points, at most ED25519_BASE_MULTIPLES; all their z are inverted at once. */
static void entries_make(struct ed25519_entry *entry, const struct point *p, int n)
{
	struct field before[ED25519_BASE_MULTIPLES], all = field_small(1);
	for (int i = 0; i < n; i++) {
		before[i] = all;
		all = field_mul(&all, &p[i].z);
	}
	all = field_inverse(&all);
	for (int i = n; i-- > 0;) {
		struct field z = field_mul(&all, &before[i]);
		all = field_mul(&all, &p[i].z);
		struct field x = field_mul(&p[i].x, &z), y = field_mul(&p[i].y, &z);
		struct field sum = field_add(&y, &x), difference = field_sub(&y, &x);
		struct field t2d = field_mul(&x, &y);
		t2d = field_mul(&t2d, &d);
		t2d = field_add(&t2d, &t2d);
		entry_put(entry[i].limb, &sum);
		entry_put(entry[i].limb + FIELD_LIMBS, &difference);
		entry_put(entry[i].limb + 2 * FIELD_LIMBS, &t2d);
	}
}

/* The multiples 1..n of p, which first goes on to the next block but for the first one. */
static void multiples(struct point *out, int n, struct point *p, int block)
{
	for (int i = 0; block > 0 && i < 256 / ED25519_BLOCKS; i++)
		point_double(p);
	out[0] = *p;
	for (int i = 1; i < n; i++) {
		out[i] = out[i - 1];
		point_add(&out[i], p);
	}
}

static void neutral_make(struct ed25519_entry *entry)
{
	memset(entry, 0, sizeof *entry);
	entry->limb[0] = entry->limb[FIELD_LIMBS] = 1;
}

static void base_make(struct ed25519_entry table[ED25519_BASE_TABLE])
{
	static const uint8_t octets[ED25519_KEY_OCTETS] = {
		0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
		0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
		0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
	};
	struct point p, m[ED25519_BASE_MULTIPLES];
	point_get(&p, octets);
	neutral_make(table);
	for (int b = 0; b < ED25519_BLOCKS; b++) {
		multiples(m, ED25519_BASE_MULTIPLES, &p, b);
		entries_make(table + 1 + b * ED25519_BASE_MULTIPLES, m, ED25519_BASE_MULTIPLES);
	}
}

struct ed25519_key *ed25519_key_new(const uint8_t octets[ED25519_KEY_OCTETS])
{
	struct ed25519_key *key = aligned_alloc(_Alignof(struct ed25519_key), sizeof *key);
	struct point p, m[ED25519_BLOCKS * ED25519_KEY_MULTIPLES];
	if (!key)
		return NULL;
	memcpy(key->octets, octets, sizeof key->octets);
	key->on_curve = point_get(&p, octets);
	if (!key->on_curve)
		return key;
	p.x = field_neg(&p.x);
	p.t = field_neg(&p.t);
	for (int b = 0; b < ED25519_BLOCKS; b++)
		multiples(m + b * ED25519_KEY_MULTIPLES, ED25519_KEY_MULTIPLES, &p, b);
	neutral_make(key->table);
	entries_make(key->table + 1, m, ED25519_BLOCKS * ED25519_KEY_MULTIPLES);
	return key;
}

void ed25519_key_free(struct ed25519_key *key)
{
	free(key);
}

static const struct ed25519_entry *entry_of(const struct ed25519_entry *table,
					    const struct ed25519_digits *digits, int lane)
{
	return table + digits->index[lane];
}

static void lane_sum(const struct ed25519_sum *sum, int lane, struct point *p)
{
	*p = neutral;
	for (int place = ED25519_KEY_DIGITS; place-- > 0;) {
		for (int i = 0; i < ED25519_KEY_BITS && place < ED25519_KEY_DIGITS - 1; i++)
			point_double(p);
		for (int b = 0; b < ED25519_BLOCKS; b++) {
			const struct ed25519_digits *k =
				&sum->key_digits[b * ED25519_KEY_DIGITS + place];
			add_entry(p, entry_of(sum->key[lane], k, lane), k->negative >> lane & 1);
		}
		for (int b = 0; b < ED25519_BLOCKS && place % 2 == 0; b++) {
			const struct ed25519_digits *k =
				&sum->base_digits[b * ED25519_BASE_DIGITS + place / 2];
			add_entry(p, entry_of(sum->base, k, lane), k->negative >> lane & 1);
		}
	}
}

void ed25519_points_scalar(const struct ed25519_sum *sum, struct ed25519_points *out)
{
	for (int l = 0; l < (int)sum->n; l++) {
		struct point p;
		lane_sum(sum, l, &p);
		p.z = field_inverse(&p.z);
		p.x = field_mul(&p.x, &p.z);
		p.y = field_mul(&p.y, &p.z);
		for (int i = 0; i < FIELD_LIMBS; i++) {
			out->x[i][l] = p.x.limb[i];
			out->y[i][l] = p.y.limb[i];
		}
	}
}

/* Cuts a scalar below 2^253 into digits of `bits` bits, from -2^(bits-1) on; a block has `places`
 * of them. */
static void digits_put(struct ed25519_digits *digits, int lane, const uint64_t s[SCALAR_WORDS],
		       int bits, int places)
{
	const int half = 1 << (bits - 1), n = places * ED25519_BLOCKS;
	const uint64_t halves = UINT64_MAX / ((UINT64_C(1) << bits) - 1) * (uint64_t)half;
	uint64_t w[SCALAR_WORDS];
	unsigned __int128 carry = 0;
	/* with half added everywhere every digit is its bits less half */
	for (int i = 0; i < SCALAR_WORDS; i++) {
		carry += (unsigned __int128)s[i] + halves;
		w[i] = (uint64_t)carry;
		carry >>= 64;
	}
	for (int k = 0; k < n; k++) {
		int digit = (int)(w[k * bits / 64] >> k * bits % 64 & ((1u << bits) - 1)) - half;
		int size = digit < 0 ? -digit : digit;
		digits[k].index[lane] = (uint16_t)(size ? k / places * half + size : 0);
		digits[k].negative |= (uint8_t)((digit < 0) << lane);
	}
}

/* RFC 8032 section 5.1.7 steps 1 and 2, and the digits of step 3. */
static bool job_open(const struct ed25519_job *job, struct ed25519_sum *sum, int lane)
{
	uint64_t s[SCALAR_WORDS], hash[2 * SCALAR_WORDS], h[SCALAR_WORDS];
	SHA512_CTX sha;
	memcpy(s, job->signature + FIELD_OCTETS, sizeof s);
	if (!job->key->on_curve || !below_order(s))
		return false;
	SHA512_Init(&sha);
	SHA512_Update(&sha, job->signature, FIELD_OCTETS);
	SHA512_Update(&sha, job->key->octets, ED25519_KEY_OCTETS);
	SHA512_Update(&sha, job->message.p, job->message.n);
	SHA512_Final((unsigned char *)hash, &sha);
	reduce(hash, h);
	sum->key[lane] = job->key->table;
	digits_put(sum->base_digits, lane, s, ED25519_BASE_BITS, ED25519_BASE_DIGITS);
	digits_put(sum->key_digits, lane, h, ED25519_KEY_BITS, ED25519_KEY_DIGITS);
	return true;
}

static void lane_encode(const struct ed25519_points *p, int lane, uint8_t octets[FIELD_OCTETS])
{
	struct field x, y;
	for (int i = 0; i < FIELD_LIMBS; i++) {
		x.limb[i] = p->x[i][lane];
		y.limb[i] = p->y[i][lane];
	}
	field_put(&y, octets);
	octets[FIELD_OCTETS - 1] |= (uint8_t)(field_odd(&x) << 7);
}

/* Lanes without a job sum up neutral points. */
static void sum_init(struct ed25519_sum *sum, const struct ed25519 *e, unsigned n)
{
	memset(sum, 0, sizeof *sum);
	sum->n = n;
	sum->base = e->table;
	for (int l = 0; l < ED25519_BATCH; l++)
		sum->key[l] = e->table;
}

unsigned ed25519_check(const struct ed25519 *e, const struct ed25519_job *jobs, unsigned n)
{
	struct ed25519_sum sum;
	struct ed25519_points points;
	unsigned good = 0;
	sum_init(&sum, e, n);
	for (unsigned i = 0; i < n; i++)
		good |= (unsigned)job_open(&jobs[i], &sum, (int)i) << i;
	if (!good)
		return 0;
	e->points(&sum, &points);
	for (unsigned i = 0; i < n; i++) {
		uint8_t r[FIELD_OCTETS];
		lane_encode(&points, (int)i, r);
		if (memcmp(r, jobs[i].signature, sizeof r) != 0)
			good &= ~(1u << i);
	}
	return good;
}

/* Both over the same digits, all lanes different; the base point is the key. */
static bool agrees(const struct ed25519 *e, ed25519_kernel *points)
{
	struct ed25519_sum sum;
	struct ed25519_points a, b;
	sum_init(&sum, e, ED25519_BATCH);
	for (int l = 0; l < ED25519_BATCH; l++) {
		uint64_t s[SCALAR_WORDS], h[SCALAR_WORDS];
		for (unsigned i = 0; i < SCALAR_WORDS; i++) {
			s[i] = (uint64_t)(l * 4 + 1) * 0x9e3779b97f4a7c15 << i;
			h[i] = ~s[i] * 0xd1342543de82ef95;
		}
		s[SCALAR_WORDS - 1] >>= 4;
		h[SCALAR_WORDS - 1] >>= 4;
		digits_put(sum.base_digits, l, s, ED25519_BASE_BITS, ED25519_BASE_DIGITS);
		digits_put(sum.key_digits, l, h, ED25519_KEY_BITS, ED25519_KEY_DIGITS);
	}
	ed25519_points_scalar(&sum, &a);
	points(&sum, &b);
	for (int l = 0; l < ED25519_BATCH; l++) {
		uint8_t x[FIELD_OCTETS], y[FIELD_OCTETS];
		lane_encode(&a, l, x);
		lane_encode(&b, l, y);
		if (memcmp(x, y, sizeof x) != 0)
			return false;
	}
	return true;
}

struct ed25519 *ed25519_new(enum cpu_level level, unsigned flags)
{
	struct ed25519 *e = aligned_alloc(_Alignof(struct ed25519), sizeof *e);
	if (!e)
		return NULL;
	base_make(e->table);
	e->points = ed25519_points_scalar;
	if (level < CPU_AVX512 || !(flags & CPU_IFMA))
		return e;
	if (agrees(e, ed25519_points_ifma))
		e->points = ed25519_points_ifma;
	else
		cpu_left_out("ed25519", "ifma");
	return e;
}

void ed25519_free(struct ed25519 *e)
{
	free(e);
}

bool ed25519_in_lanes(const struct ed25519 *e)
{
	return e->points != ed25519_points_scalar;
}
