/* What OpenSSL signs is good, everything else is not, and hostile keys are refused before any arithmetic. */
#include "tests/rsa_make.h"
#include "tests/sign.h"
#include "tests/test.h"
#include "verify/kernel/pubkey.h"

struct der {
	uint8_t p[8192];
	size_t n;
};

static void der_put(struct der *d, uint8_t type, const uint8_t *p, size_t n)
{
	d->p[d->n++] = type;
	if (n < 0x80) {
		d->p[d->n++] = (uint8_t)n;
	} else if (n < 0x100) {
		d->p[d->n++] = 0x81;
		d->p[d->n++] = (uint8_t)n;
	} else {
		d->p[d->n++] = 0x82;
		d->p[d->n++] = (uint8_t)(n >> 8);
		d->p[d->n++] = (uint8_t)n;
	}
	memcpy(d->p + d->n, p, n);
	d->n += n;
}

/* RSAPublicKey of a modulus of all ones in bits, its last octet `low`. */
static void rsa_key(struct der *out, unsigned bits, uint8_t low, struct bytes e)
{
	uint8_t modulus[2100] = { 0 };
	size_t n = (bits + 7) / 8;
	memset(modulus + 1, 0xff, n);
	modulus[1] = (uint8_t)(0xff >> (n * 8 - bits));
	modulus[n] = low;
	struct der body = { .n = 0 };
	bool sign = modulus[1] & 0x80;
	der_put(&body, 0x02, modulus + !sign, n + sign);
	der_put(&body, 0x02, e.p, e.n);
	out->n = 0;
	der_put(out, 0x30, body.p, body.n);
}

static const uint8_t f4[] = { 1, 0, 1 };

/* At every level, with one result; the key is that of the highest. */
static enum pubkey_result parse(struct pubkey *key, enum pubkey_type type, const uint8_t *p,
				size_t n)
{
	static struct pubkey_queue *q[CPU_LEVEL_N];
	enum pubkey_result r = PUBKEY_MEMORY;
	uint8_t *guarded = test_guard(p, n);
	for (enum cpu_level level = CPU_SCALAR; level <= cpu_level(); level++) {
		struct pubkey lower = { 0 };
		enum pubkey_result before = r;
		if (level > CPU_SCALAR)
			lower = *key;
		if (!q[level])
			q[level] = pubkey_queue_new_level(1, level, cpu_flags());
		r = pubkey_parse(q[level], key, type, bytes_of(guarded, n));
		if (level == CPU_SCALAR)
			continue;
		CU_ASSERT(r == before && key->bits == lower.bits);
		pubkey_fini(&lower);
	}
	test_guard_free(guarded, n);
	return r;
}

/* A digest of zeros, signed. */
static size_t sign_digest(EVP_PKEY *key, bool sha1, const uint8_t *digest, size_t n, uint8_t *out,
			  size_t cap)
{
	if (EVP_PKEY_get_id(key) == EVP_PKEY_ED25519) {
		EVP_MD_CTX *md = EVP_MD_CTX_new();
		EVP_DigestSignInit(md, NULL, NULL, NULL, key);
		EVP_DigestSign(md, out, &cap, digest, n);
		EVP_MD_CTX_free(md);
		return cap;
	}
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	EVP_PKEY_sign_init(ctx);
	EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING);
	EVP_PKEY_CTX_set_signature_md(ctx, sha1 ? EVP_sha1() : EVP_sha256());
	EVP_PKEY_sign(ctx, out, &cap, digest, n);
	EVP_PKEY_CTX_free(ctx);
	return cap;
}

enum { JOBS = 20 };

static void check_batch(unsigned batch, EVP_PKEY *pkey, struct pubkey *key)
{
	struct pubkey_queue *q = pubkey_queue_new(batch);
	static struct pubkey_job job[JOBS];
	static uint8_t signature[JOBS][1024];
	bool want[JOBS];
	unsigned done = 0;
	CU_ASSERT_FATAL(q != NULL);
	for (unsigned i = 0; i < JOBS; i++) {
		bool sha1 = i % 3 == 0;
		job[i] = (struct pubkey_job){ .key = key,
					      .owner = &want[i],
					      .hash = sha1 ? HASH_SHA1 : HASH_SHA256,
					      .digest_len = sha1 ? 20 : 32 };
		memset(job[i].digest, (int)i, sizeof job[i].digest);
		size_t n = sign_digest(pkey, sha1, job[i].digest, job[i].digest_len, signature[i],
				       sizeof signature[i]);
		want[i] = true;
		switch (i % 7) {
		case 1:
			signature[i][i % n] ^= 0x10;
			want[i] = false;
			break;
		case 2:
			job[i].digest[3] ^= 1;
			want[i] = false;
			break;
		case 3:
			n--;
			want[i] = false;
			break;
		case 4:
			memset(signature[i], i & 8 ? 0 : 0xff, n);
			want[i] = false;
			break;
		default:
			break;
		}
		job[i].signature = bytes_of(signature[i], n);
		struct pubkey_job *back = pubkey_submit(q, &job[i]);
		if (back) {
			CU_ASSERT_EQUAL(back->good, *(bool *)back->owner);
			done++;
		}
	}
	CU_ASSERT(done >= JOBS - batch);
	for (struct pubkey_job *back; (back = pubkey_flush(q)); done++)
		CU_ASSERT_EQUAL(back->good, *(bool *)back->owner);
	CU_ASSERT_EQUAL(done, JOBS);
	CU_ASSERT_PTR_NULL(pubkey_poll(q));
	pubkey_queue_free(q);
}

static void good_and_bad_signatures(void)
{
	static const unsigned bits[] = { 512, 1024, 1536, 2048, 0 };
	for (unsigned i = 0; i < sizeof bits / sizeof bits[0]; i++) {
		EVP_PKEY *pkey = bits[i] ? sign_rsa(bits[i]) : sign_ed25519();
		for (int bare = 0; bare < 2; bare++) {
			uint8_t der[2048];
			size_t n = sign_public(pkey, bare, der, sizeof der);
			struct pubkey key;
			CU_ASSERT_EQUAL_FATAL(
				parse(&key, bits[i] ? PUBKEY_RSA : PUBKEY_ED25519, der, n),
				PUBKEY_OK);
			CU_ASSERT_EQUAL(key.bits, bits[i] ? bits[i] : 256);
			for (unsigned batch = 1; batch <= PUBKEY_BATCH_MAX; batch += 3)
				check_batch(batch, pkey, &key);
			pubkey_fini(&key);
		}
		EVP_PKEY_free(pkey);
	}
}

/* The signature of one digest with one hash is none with the other (the DigestInfo differs). */
static void hash_is_part_of_it(void)
{
	EVP_PKEY *pkey = sign_rsa(1024);
	uint8_t der[1024], signature[128], digest[32] = { 0 };
	struct pubkey key;
	struct pubkey_queue *q = pubkey_queue_new(1);
	CU_ASSERT_FATAL(q && parse(&key, PUBKEY_RSA, der,
				   sign_public(pkey, true, der, sizeof der)) == PUBKEY_OK);
	sign_digest(pkey, true, digest, 20, signature, sizeof signature);
	for (int i = 0; i < 4; i++) {
		bool sha1 = i % 2;
		struct pubkey_job job = { .key = &key,
					  .signature = bytes_of(signature, sizeof signature),
					  .hash = sha1 ? HASH_SHA1 : HASH_SHA256,
					  .digest_len = sha1 ? 20 : 32 };
		pubkey_submit(q, &job);
		CU_ASSERT_PTR_EQUAL(pubkey_flush(q), &job);
		CU_ASSERT_EQUAL(job.good, sha1);
	}
	pubkey_fini(&key);
	pubkey_queue_free(q);
	EVP_PKEY_free(pkey);
}

static void h3_modulus(void)
{
	struct der d;
	struct pubkey key;
	static const struct {
		unsigned bits;
		uint8_t low;
		enum pubkey_result want;
	} rows[] = {
		{ 16, 0xff, PUBKEY_SIZE },   { 511, 0xff, PUBKEY_SIZE },
		{ 512, 0xff, PUBKEY_OK },    { 8192, 0xff, PUBKEY_OK },
		{ 8193, 0xff, PUBKEY_SIZE }, { 16384, 0xff, PUBKEY_SIZE },
		{ 2048, 0xfe, PUBKEY_BAD }, /* even */
		{ 16384, 0xfe, PUBKEY_BAD },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		rsa_key(&d, rows[i].bits, rows[i].low, bytes_of(f4, sizeof f4));
		CU_ASSERT_EQUAL(parse(&key, PUBKEY_RSA, d.p, d.n), rows[i].want);
		CU_ASSERT_EQUAL(key.bits, rows[i].want == PUBKEY_BAD ? 0 : rows[i].bits);
		pubkey_fini(&key);
	}
}

static void h3_exponent(void)
{
	static const struct {
		uint8_t e[10];
		uint8_t n;
		enum pubkey_result want;
	} rows[] = {
		{ { 1 }, 1, PUBKEY_BAD },
		{ { 0 }, 1, PUBKEY_BAD },
		{ { 2 }, 1, PUBKEY_BAD },
		{ { 3 }, 1, PUBKEY_OK },
		{ { 0x80 }, 1, PUBKEY_BAD }, /* negative */
		{ { 0, 3 }, 2, PUBKEY_BAD }, /* more octets than needed */
		{ { 1, 0, 1 }, 3, PUBKEY_OK },
		{ { 0x7f, 0, 0, 0, 0, 0, 0, 1 }, 8, PUBKEY_OK },
		{ { 0x00, 0x80, 0, 0, 0, 0, 0, 0, 1 }, 9, PUBKEY_OK },
		{ { 0x01, 0, 0, 0, 0, 0, 0, 0, 1 }, 9, PUBKEY_BAD },
		{ { 0 }, 0, PUBKEY_BAD },
	};
	struct der d;
	struct pubkey key;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		rsa_key(&d, 1024, 0xff, bytes_of(rows[i].e, rows[i].n));
		CU_ASSERT_EQUAL(parse(&key, PUBKEY_RSA, d.p, d.n), rows[i].want);
		pubkey_fini(&key);
	}
}

/* Every octet of both forms changed, every length cut: no crash, and only what a number may be stays a key. */
static void h3_der_garbage(void)
{
	EVP_PKEY *pkey = sign_rsa(1024);
	struct pubkey key;
	for (int bare = 0; bare < 2; bare++) {
		uint8_t der[512];
		size_t n = sign_public(pkey, bare, der, sizeof der - 1), head = bare ? 6 : 28;
		for (size_t i = 0; i < n; i++) {
			CU_ASSERT_EQUAL(parse(&key, PUBKEY_RSA, der, i), PUBKEY_BAD);
			for (int bit = 0; bit < 8; bit++) {
				der[i] ^= (uint8_t)(1 << bit);
				enum pubkey_result r = parse(&key, PUBKEY_RSA, der, n);
				if (i < head)
					CU_ASSERT_NOT_EQUAL(r, PUBKEY_OK);
				pubkey_fini(&key);
				der[i] ^= (uint8_t)(1 << bit);
			}
		}
		der[n] = 0;
		CU_ASSERT_EQUAL(parse(&key, PUBKEY_RSA, der, n + 1), PUBKEY_BAD);
	}
	CU_ASSERT_EQUAL(parse(&key, PUBKEY_RSA, (const uint8_t *)"\x30\x80\x02\x01\x05", 5),
			PUBKEY_BAD);
	CU_ASSERT_EQUAL(parse(&key, PUBKEY_RSA, (const uint8_t *)"\x30\x84\xff\xff\xff\xff", 6),
			PUBKEY_BAD);
	EVP_PKEY_free(pkey);
}

/* A length in so many octets, whatever it is. */
static void der_put_long(struct der *d, uint8_t type, struct bytes b, unsigned octets)
{
	d->p[d->n++] = type;
	d->p[d->n++] = (uint8_t)(0x80 | octets);
	for (unsigned i = octets; i-- > 0;)
		d->p[d->n++] = i < 4 ? (uint8_t)(b.n >> 8 * i) : 0;
	memcpy(d->p + d->n, b.p, b.n);
	d->n += b.n;
}

static struct bytes der_of(const struct der *d)
{
	return bytes_of(d->p, d->n);
}

/* Octets that a length takes in long form; 0: it has the short one. */
static unsigned der_octets(size_t n)
{
	return n < 0x80 ? 0 : n < 0x100 ? 1 : 2;
}

/* Only one way of writing a key is one (X.690 section 10): the numbers, and both forms, in others. */
static void der_in_other_words(struct bytes n)
{
	static const struct bytes tail[] = { { NULL, 0 },
					     { (const uint8_t *)"\0", 1 },
					     { (const uint8_t *)"\5\0", 2 },
					     { (const uint8_t *)"\2\1\3", 3 } };
	struct bytes e = bytes_of(f4, sizeof f4);
	for (unsigned how = 0; how < 20; how++) {
		struct der body = { .n = 0 }, d = { .n = 0 };
		struct pubkey key;
		if (how >= 1 && how < 5)
			der_put_long(&body, 0x02, n, how);
		else
			der_put(&body, how == 5 ? 0x03 : 0x02, n.p, how == 6 ? 0 : n.n);
		if (how >= 7 && how < 11)
			der_put_long(&body, 0x02, e, how - 6);
		else
			der_put(&body, 0x02, e.p, e.n);
		struct bytes more = tail[how >= 11 && how < 14 ? how - 10 : 0];
		memcpy(body.p + body.n, more.n ? more.p : body.p, more.n);
		body.n += more.n;
		if (how >= 14 && how < 18)
			der_put_long(&d, 0x30, der_of(&body), how - 13);
		else
			der_put(&d, how == 18 ? 0x31 : 0x30, body.p, body.n);
		if (how == 19)
			d.p[d.n++] = 0;
		bool good = how == 0 || (how < 5 && how == der_octets(n.n)) ||
			    (how >= 14 && how < 18 && how - 13 == der_octets(body.n));
		CU_ASSERT_EQUAL(parse(&key, PUBKEY_RSA, d.p, d.n), good ? PUBKEY_OK : PUBKEY_BAD);
		pubkey_fini(&key);
	}
}

/* Of numbers with lengths of one to three octets. */
static void h3_der_in_other_words(void)
{
	for (size_t len = 66; len < 600; len = len * 2 - 2) {
		uint8_t modulus[600] = { 0, 0x80 };
		modulus[len - 1] = 1;
		der_in_other_words(bytes_of(modulus, len));
	}
}

/* What stands around the key in a SubjectPublicKeyInfo. */
static void h3_spki_in_other_words(void)
{
	static const struct {
		struct bytes algorithm;
		uint8_t unused; /* bits */
		uint8_t behind; /* octets in the BIT STRING */
		bool good;
	} rows[] = {
#define ALGORITHM(text) { (const uint8_t *)(text), sizeof(text) - 1 }
#define RSA "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
		{ ALGORITHM(RSA "\x01\5\0"), 0, 0, true },
		{ ALGORITHM(RSA "\x01"), 0, 0, true },
		{ ALGORITHM(RSA "\x01\5\0"), 1, 0, false },
		{ ALGORITHM(RSA "\x01\5\0"), 0, 1, false },
		{ ALGORITHM(RSA "\x01\5\1\0"), 0, 0, false },
		{ ALGORITHM(RSA "\x01\5\0\5\0"), 0, 0, false },
		{ ALGORITHM(RSA "\x01\5"), 0, 0, false },
		{ ALGORITHM(RSA "\x01\4\0"), 0, 0, false },
		{ ALGORITHM(RSA "\x0a\5\0"), 0, 0, false }, /* PSS */
		{ ALGORITHM(RSA), 0, 0, false },
		{ ALGORITHM(""), 0, 0, false },
		{ ALGORITHM("\x06\x03\x2b\x65\x70"), 0, 0, false }, /* Ed25519 */
#undef RSA
#undef ALGORITHM
	};
	struct der rsa, bits, body, d;
	rsa_key(&rsa, 1024, 0xff, bytes_of(f4, sizeof f4));
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pubkey key;
		body.n = d.n = 0;
		bits.p[0] = rows[i].unused;
		memcpy(bits.p + 1, rsa.p, rsa.n);
		bits.p[1 + rsa.n] = 0;
		der_put(&body, 0x30, rows[i].algorithm.p, rows[i].algorithm.n);
		der_put(&body, 0x03, bits.p, 1 + rsa.n + rows[i].behind);
		der_put(&d, 0x30, body.p, body.n);
		CU_ASSERT_EQUAL(parse(&key, PUBKEY_RSA, d.p, d.n),
				rows[i].good ? PUBKEY_OK : PUBKEY_BAD);
		pubkey_fini(&key);
		body.p[body.n++] = 5; /* one element too many */
		body.p[body.n++] = 0;
		d.n = 0;
		der_put(&d, 0x30, body.p, body.n);
		CU_ASSERT_EQUAL(parse(&key, PUBKEY_RSA, d.p, d.n), PUBKEY_BAD);
		d.n = 0;
		der_put(&d, 0x30, body.p, (size_t)(body.p[1] + 2)); /* no BIT STRING */
		CU_ASSERT_EQUAL(parse(&key, PUBKEY_RSA, d.p, d.n), PUBKEY_BAD);
	}
}

static void h3_ed25519_length(void)
{
	uint8_t octets[64] = { 0 };
	for (size_t n = 0; n <= sizeof octets; n++) {
		struct pubkey key;
		CU_ASSERT_EQUAL(parse(&key, PUBKEY_ED25519, octets, n),
				n == 32 ? PUBKEY_OK : PUBKEY_BAD);
		pubkey_fini(&key);
	}
}

enum { MIXED_KEYS = 14, MIXED_JOBS = 900 };

struct mixed {
	struct rsa_make make; /* not for Ed25519 */
	EVP_PKEY *pkey;
	struct pubkey key;
};

struct mixed_job {
	struct pubkey_job job; /* first */
	uint8_t *signature; /* in front of a page without access */
	bool want, back;
};

static void mixed_setup(struct mixed *m, unsigned i, struct pubkey_queue *q)
{
	static const struct {
		unsigned bits;
		uint32_t e;
	} rows[MIXED_KEYS] = {
		{ 1024, 65537 }, { 1024, 3 },    { 1536, 65537 }, { 2048, 65537 }, { 2048, 65537 },
		{ 2048, 17 },    { 768, 65537 }, { 1280, 3 },     { 1023, 65537 }, { 1025, 65537 },
		{ 2047, 65537 }, { 2049, 17 },   { 3071, 65537 }, { 0, 0 },
	};
	uint8_t der[2048];
	m->pkey = rows[i].bits ? rsa_make_pkey(rows[i].bits, rows[i].e) : sign_ed25519();
	CU_ASSERT_FATAL(m->pkey != NULL);
	if (rows[i].bits)
		rsa_make_init(&m->make, m->pkey, true);
	CU_ASSERT_EQUAL_FATAL(
		pubkey_parse(q, &m->key, rows[i].bits ? PUBKEY_RSA : PUBKEY_ED25519,
			     bytes_of(der, sign_public(m->pkey, i % 2, der, sizeof der))),
		PUBKEY_OK);
	CU_ASSERT_EQUAL(m->key.bits, rows[i].bits ? rows[i].bits : 256);
	/* sizes in between are OpenSSL's at every level */
	CU_ASSERT(rows[i].bits % 512 == 0 || (!m->key.rsa && m->key.key));
}

static void mixed_fini(struct mixed *m)
{
	if (m->make.pkey)
		rsa_make_fini(&m->make);
	else
		EVP_PKEY_free(m->pkey);
	pubkey_fini(&m->key);
}

static bool openssl_good(const struct mixed *m, const struct pubkey_job *j)
{
	if (m->make.pkey)
		return rsa_make_good(&m->make, j->signature, j->hash, j->digest);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good =
		EVP_DigestVerifyInit(md, NULL, NULL, NULL, m->pkey) == 1 &&
		EVP_DigestVerify(md, j->signature.p, j->signature.n, j->digest, j->digest_len) == 1;
	EVP_MD_CTX_free(md);
	return good;
}

static void mixed_job(struct mixed_job *j, struct mixed *m, uint64_t *random)
{
	uint8_t signature[RSA_MAKE_MAX + 2] = { 0 };
	bool sha1 = test_random(random) % 4 == 0;
	*j = (struct mixed_job){ .job = { .key = &m->key,
					  .hash = sha1 ? HASH_SHA1 : HASH_SHA256,
					  .digest_len = sha1 ? 20 : 32 } };
	for (unsigned i = 0; i < j->job.digest_len; i++)
		j->job.digest[i] = (uint8_t)test_random(random);
	size_t n = sign_digest(m->pkey, sha1, j->job.digest, j->job.digest_len, signature + 1,
			       RSA_MAKE_MAX);
	size_t from = 1;
	switch (test_random(random) % 10) {
	case 0:
		signature[1 + test_random(random) % n] ^= 1;
		break;
	case 1: /* with a zero in front, without its first octet, of no octets */
		from = 0;
		n++;
		break;
	case 2:
		from = 2;
		n--;
		break;
	case 3:
		n = test_random(random) % n;
		break;
	case 4:
		n++;
		break;
	case 5:
		j->job.digest[7] ^= 1;
		break;
	default:
		break;
	}
	j->signature = test_guard(signature + from, n);
	j->job.signature = bytes_of(j->signature, n);
	j->want = openssl_good(m, &j->job);
}

static unsigned mixed_back(struct pubkey_job *job)
{
	struct mixed_job *j = (struct mixed_job *)job;
	if (!j)
		return 0;
	CU_ASSERT_FALSE(j->back);
	CU_ASSERT_EQUAL(j->job.good, j->want);
	j->back = true;
	return 1;
}

/* Keys of many kinds through one queue: each job comes back once, as OpenSSL has it. */
static void mixed_at(enum cpu_level level, unsigned flags, unsigned batch)
{
	struct pubkey_queue *q = pubkey_queue_new_level(batch, level, flags);
	static struct mixed m[MIXED_KEYS];
	static struct mixed_job j[MIXED_JOBS];
	uint64_t random = 3;
	unsigned done = 0, good = 0;
	CU_ASSERT_FATAL(q != NULL);
	memset(m, 0, sizeof m);
	for (unsigned i = 0; i < MIXED_KEYS; i++)
		mixed_setup(&m[i], i, q);
	for (unsigned i = 0; i < MIXED_JOBS; i++) {
		mixed_job(&j[i], &m[test_random(&random) % MIXED_KEYS], &random);
		good += j[i].want;
		done += mixed_back(pubkey_submit(q, &j[i].job));
		CU_ASSERT_FALSE(j[i].back);
		unsigned more = (unsigned)test_random(&random) % 32;
		for (; more < 4; more++)
			done += mixed_back(more ? pubkey_poll(q) : pubkey_flush(q));
	}
	while (mixed_back(pubkey_flush(q)))
		done++;
	CU_ASSERT_EQUAL(done, MIXED_JOBS);
	CU_ASSERT(good > MIXED_JOBS / 3 && good < MIXED_JOBS * 2 / 3);
	CU_ASSERT_PTR_NULL(pubkey_poll(q));
	CU_ASSERT_PTR_NULL(pubkey_flush(q));
	for (unsigned i = 0; i < MIXED_JOBS; i++)
		test_guard_free(j[i].signature, j[i].job.signature.n);
	for (unsigned i = 0; i < MIXED_KEYS; i++)
		mixed_fini(&m[i]);
	pubkey_queue_free(q);
}

static void mixed_kinds_at_every_level(void)
{
	for (enum cpu_level level = CPU_SCALAR; level <= cpu_level(); level++)
		mixed_at(level, level == cpu_level() ? cpu_flags() : 0, PUBKEY_BATCH_MAX);
	mixed_at(cpu_level(), cpu_flags(), 1);
	mixed_at(cpu_level(), cpu_flags(), 3);
}

/* One job of a rare kind among many of another comes back without a flush. */
static void rare_kind_is_not_left(void)
{
	enum { MANY = 200 };
	struct pubkey_queue *q = pubkey_queue_new(PUBKEY_BATCH_MAX);
	static struct mixed m[MIXED_KEYS];
	static struct mixed_job j[MANY];
	uint64_t random = 9;
	unsigned i;
	CU_ASSERT_FATAL(q != NULL);
	memset(m, 0, sizeof m);
	for (i = 0; i < 4; i++)
		mixed_setup(&m[i], i, q);
	for (i = 0; i < MANY && (i == 0 || !j[0].back); i++) {
		mixed_job(&j[i], &m[i ? 3 : 0], &random);
		mixed_back(pubkey_submit(q, &j[i].job));
		mixed_back(pubkey_poll(q));
	}
	CU_ASSERT(i < 82);
	while (mixed_back(pubkey_flush(q)))
		;
	while (i-- > 0)
		test_guard_free(j[i].signature, j[i].job.signature.n);
	for (i = 0; i < 4; i++)
		mixed_fini(&m[i]);
	pubkey_queue_free(q);
}

/* Seven wait, with the eighth all come back, good and bad. */
static void ed25519_fills_a_batch(void)
{
	if (cpu_level() < CPU_AVX512 || !(cpu_flags() & CPU_IFMA))
		return;
	struct pubkey_queue *q = pubkey_queue_new(PUBKEY_BATCH_MAX);
	static struct mixed m;
	static struct mixed_job j[PUBKEY_BATCH_MAX];
	uint64_t random = 5;
	unsigned done = 0, bad = 0;
	CU_ASSERT_FATAL(q != NULL);
	mixed_setup(&m, MIXED_KEYS - 1, q);
	CU_ASSERT_EQUAL(m.key.type, PUBKEY_ED25519);
	for (unsigned i = 0; i < PUBKEY_BATCH_MAX; i++) {
		CU_ASSERT_PTR_NULL(pubkey_poll(q));
		do { /* one that waits: of the right length */
			if (j[i].signature)
				test_guard_free(j[i].signature, j[i].job.signature.n);
			mixed_job(&j[i], &m, &random);
		} while (j[i].job.signature.n != 64);
		bad += !j[i].want;
		CU_ASSERT_PTR_NULL(pubkey_submit(q, &j[i].job));
	}
	while (mixed_back(pubkey_poll(q)))
		done++;
	CU_ASSERT_EQUAL(done, PUBKEY_BATCH_MAX);
	CU_ASSERT(bad > 0 && bad < PUBKEY_BATCH_MAX);
	for (unsigned i = 0; i < PUBKEY_BATCH_MAX; i++)
		test_guard_free(j[i].signature, j[i].job.signature.n);
	mixed_fini(&m);
	pubkey_queue_free(q);
}

TEST_MAIN("pubkey", TEST(good_and_bad_signatures), TEST(hash_is_part_of_it),
	  TEST(mixed_kinds_at_every_level), TEST(rare_kind_is_not_left),
	  TEST(ed25519_fills_a_batch), TEST(h3_modulus), TEST(h3_exponent), TEST(h3_der_garbage),
	  TEST(h3_der_in_other_words), TEST(h3_spki_in_other_words), TEST(h3_ed25519_length))
