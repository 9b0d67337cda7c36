#include "verify/kernel/pubkey.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "verify/kernel/ed25519.h"
#include "verify/kernel/rsa.h"

enum { DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_SEQUENCE = 0x30 };
enum { EXPONENT_MAX = 8 };

/*
 * Jobs of one kind share a batch. Keys with another exponent than 65537 are apart, since in a batch
 * all lanes take as long as the longest exponent. When a job is asked for, a batch is run that is
 * full or was passed by too many jobs of other kinds; by flush, any. Its jobs are then in `done`
 * and given back one by one. Jobs for OpenSSL stand in `alone`, the oldest first; one is run per
 * call.
 */
enum kind { KIND_F4, KIND_OTHER = RSA_SIZES, KIND_ED25519 = 2 * RSA_SIZES, KIND_N };
enum {
	EXPONENT_F4 = 65537,
	PASSED_MAX = 64, /* jobs that may overtake those of a batch that does not fill */
};

struct batch {
	unsigned n, since; /* count when its first job came */
	struct pubkey_job *job[PUBKEY_BATCH_MAX];
};

_Static_assert((int)PUBKEY_BATCH_MAX == (int)RSA_LANES, "a batch fills the lanes");
_Static_assert((int)PUBKEY_BATCH_MAX == (int)ED25519_BATCH, "a batch fills the lanes");

struct pubkey_queue {
	EVP_PKEY_CTX *make; /* makes keys out of numbers */
	EVP_MD_CTX *ed25519;
	EVP_MD *md[2]; /* by enum hash_algorithm */
	struct rsa_ops rsa;
	struct ed25519 *curve; /* NULL: no lanes for Ed25519 */
	unsigned size; /* of a full batch */
	unsigned some, full; /* sets of kinds */
	unsigned turn; /* kind to be flushed first */
	unsigned count; /* jobs submitted */
	struct batch batch[KIND_N];
	struct pubkey_job *done, *alone, **alone_end;
};

void pubkey_queue_free(struct pubkey_queue *q)
{
	if (!q)
		return;
	EVP_PKEY_CTX_free(q->make);
	EVP_MD_CTX_free(q->ed25519);
	ed25519_free(q->curve);
	EVP_MD_free(q->md[HASH_SHA256]);
	EVP_MD_free(q->md[HASH_SHA1]);
	free(q);
}

struct pubkey_queue *pubkey_queue_new(unsigned batch)
{
	return pubkey_queue_new_level(batch, cpu_level(), cpu_flags());
}

struct pubkey_queue *pubkey_queue_new_level(unsigned batch, enum cpu_level level, unsigned flags)
{
	assert(batch >= 1 && batch <= PUBKEY_BATCH_MAX);
	struct pubkey_queue *q = calloc(1, sizeof *q);
	if (!q)
		return NULL;
	q->size = batch;
	q->alone_end = &q->alone;
	q->rsa = rsa_ops_init(level, flags);
	q->make = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	q->ed25519 = EVP_MD_CTX_new();
	q->md[HASH_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
	q->md[HASH_SHA1] = EVP_MD_fetch(NULL, "SHA1", NULL);
	q->curve = ed25519_new(level, flags);
	if (!q->make || !q->ed25519 || !q->curve || !q->md[HASH_SHA256] || !q->md[HASH_SHA1] ||
	    EVP_PKEY_fromdata_init(q->make) <= 0) {
		pubkey_queue_free(q);
		return NULL;
	}
	if (!ed25519_in_lanes(q->curve)) {
		ed25519_free(q->curve);
		q->curve = NULL;
	}
	return q;
}

/* Takes one element off the front of *in. False when it is not of that type or not DER (X.690
 * section 10.1). */
static bool der_take(struct bytes *in, uint8_t type, struct bytes *out)
{
	if (in->n < 2 || in->p[0] != type)
		return false;
	size_t n = in->p[1], head = 2;
	if (n & 0x80) {
		size_t octets = n & 0x7f;
		if (octets < 1 || octets > 3 || in->n < 2 + octets || in->p[2] == 0)
			return false;
		n = 0;
		for (size_t i = 0; i < octets; i++)
			n = n << 8 | in->p[2 + i];
		if (n < 0x80)
			return false;
		head += octets;
	}
	if (in->n - head < n)
		return false;
	*out = bytes_of(in->p + head, n);
	*in = bytes_from(*in, head + n);
	return true;
}

/* A positive INTEGER without its sign octet. */
static bool der_number(struct bytes *in, struct bytes *out)
{
	struct bytes b;
	if (!der_take(in, DER_INTEGER, &b) || b.n == 0 || b.p[0] & 0x80)
		return false;
	if (b.p[0] == 0) {
		if (b.n < 2 || !(b.p[1] & 0x80))
			return false; /* zero, or more octets than needed */
		b = bytes_from(b, 1);
	}
	*out = b;
	return true;
}

/* The RSAPublicKey inside a SubjectPublicKeyInfo (RFC 3279 section 2.3.1). */
static bool spki_open(struct bytes body, struct bytes *rsa)
{
	static const uint8_t rsa_encryption[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
						  0xf7, 0x0d, 0x01, 0x01, 0x01 };
	static const uint8_t null[] = { 0x05, 0x00 };
	struct bytes algorithm, bits;
	if (!der_take(&body, DER_SEQUENCE, &algorithm) || !der_take(&body, DER_BIT_STRING, &bits) ||
	    body.n)
		return false;
	if (!bytes_equal(bytes_head(algorithm, sizeof rsa_encryption),
			 bytes_of(rsa_encryption, sizeof rsa_encryption)))
		return false;
	struct bytes parameters = bytes_from(algorithm, sizeof rsa_encryption);
	if (parameters.n && !bytes_equal(parameters, bytes_of(null, sizeof null)))
		return false;
	if (bits.n < 1 || bits.p[0] != 0)
		return false; /* a number of unused bits */
	bits = bytes_from(bits, 1);
	return der_take(&bits, DER_SEQUENCE, rsa) && bits.n == 0;
}

/* Both forms begin with a SEQUENCE; what is first in it tells them apart. */
static bool rsa_open(struct bytes data, struct bytes *n, struct bytes *e)
{
	struct bytes body;
	if (!der_take(&data, DER_SEQUENCE, &body) || data.n)
		return false;
	if (body.n && body.p[0] == DER_SEQUENCE && !spki_open(body, &body))
		return false;
	return der_number(&body, n) && der_number(&body, e) && body.n == 0;
}

/* Big endian to the native order that OSSL_PARAM wants; x86 is the only machine here. */
static size_t native(struct bytes b, uint8_t *out)
{
	for (size_t i = 0; i < b.n; i++)
		out[i] = b.p[b.n - 1 - i];
	return b.n;
}

/* A key for the lanes. */
static enum pubkey_result rsa_make_lanes(struct pubkey *key, size_t len, struct bytes n,
					 struct bytes e)
{
	key->rsa = OPENSSL_malloc(len);
	if (!key->rsa)
		return PUBKEY_MEMORY;
	rsa_key_init(key->rsa, n, e);
	key->kind = (uint8_t)(key->rsa->size +
			      (key->rsa->exponent == EXPONENT_F4 ? KIND_F4 : KIND_OTHER));
	return PUBKEY_OK;
}

static enum pubkey_result rsa_make(struct pubkey_queue *q, struct pubkey *key, struct bytes n,
				   struct bytes e)
{
	uint8_t modulus[PUBKEY_SIGNATURE_MAX], exponent[EXPONENT_MAX];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, native(n, modulus)),
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent, native(e, exponent)),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pkey = NULL;
	if (EVP_PKEY_fromdata(q->make, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		goto err0;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (!ctx || EVP_PKEY_verify_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, q->md[HASH_SHA256]) <= 0)
		goto err1;
	key->hash = HASH_SHA256;
	key->key = pkey;
	key->ctx = ctx;
	return PUBKEY_OK;
err1:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
err0:
	ERR_clear_error();
	return PUBKEY_MEMORY;
}

static enum pubkey_result rsa_parse(struct pubkey_queue *q, struct pubkey *key, struct bytes data)
{
	struct bytes n, e;
	if (!rsa_open(data, &n, &e))
		return PUBKEY_BAD;
	uint32_t bits = (uint32_t)n.n * 8 - (uint32_t)__builtin_clz(n.p[0]) + 24;
	bool one = e.n == 1 && e.p[0] == 1;
	if (!(n.p[n.n - 1] & 1) || !(e.p[e.n - 1] & 1) || one || e.n > EXPONENT_MAX)
		return PUBKEY_BAD;
	key->bits = bits;
	if (bits < PUBKEY_BITS_MIN || bits > PUBKEY_BITS_MAX)
		return PUBKEY_SIZE;
	size_t len = q->rsa.power ? rsa_key_len(n, e) : 0;
	return len ? rsa_make_lanes(key, len, n, e) : rsa_make(q, key, n, e);
}

static enum pubkey_result ed25519_parse(struct pubkey_queue *q, struct pubkey *key,
					struct bytes data)
{
	if (data.n != ED25519_KEY_OCTETS)
		return PUBKEY_BAD;
	if (q->curve) {
		key->ed25519 = ed25519_key_new(data.p);
		key->kind = KIND_ED25519;
	} else {
		key->key = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, data.p, data.n);
	}
	if (!key->ed25519 && !key->key) {
		ERR_clear_error();
		return PUBKEY_MEMORY;
	}
	key->bits = ED25519_KEY_OCTETS * 8;
	return PUBKEY_OK;
}

enum pubkey_result pubkey_parse(struct pubkey_queue *q, struct pubkey *key, enum pubkey_type type,
				struct bytes data)
{
	*key = (struct pubkey){ .type = type };
	return type == PUBKEY_RSA ? rsa_parse(q, key, data) : ed25519_parse(q, key, data);
}

void pubkey_fini(struct pubkey *key)
{
	OPENSSL_free(key->rsa);
	ed25519_key_free(key->ed25519);
	EVP_PKEY_CTX_free(key->ctx);
	EVP_PKEY_free(key->key);
	*key = (struct pubkey){ 0 };
}

static bool rsa_good(struct pubkey_queue *q, const struct pubkey_job *job)
{
	struct pubkey *key = job->key;
	if (key->hash != job->hash) {
		if (EVP_PKEY_CTX_set_signature_md(key->ctx, q->md[job->hash]) <= 0)
			return false;
		key->hash = job->hash;
	}
	return EVP_PKEY_verify(key->ctx, job->signature.p, job->signature.n, job->digest,
			       job->digest_len) == 1;
}

static bool ed25519_good(struct pubkey_queue *q, const struct pubkey_job *job)
{
	bool good = job->signature.n == ED25519_SIGNATURE_OCTETS &&
		    EVP_DigestVerifyInit(q->ed25519, NULL, NULL, NULL, job->key->key) == 1 &&
		    EVP_DigestVerify(q->ed25519, job->signature.p, job->signature.n, job->digest,
				     job->digest_len) == 1;
	/* the context must not go on to point to a key that its owner may free */
	EVP_MD_CTX_reset(q->ed25519);
	return good;
}

/* The oldest of those for OpenSSL; there is one. */
static struct pubkey_job *run_alone(struct pubkey_queue *q)
{
	struct pubkey_job *job = q->alone;
	q->alone = job->next;
	if (!q->alone)
		q->alone_end = &q->alone;
	job->good = job->key->type == PUBKEY_RSA ? rsa_good(q, job) : ed25519_good(q, job);
	if (!job->good)
		ERR_clear_error();
	return job;
}

static void put_done(struct pubkey_queue *q, struct pubkey_job *job)
{
	job->next = q->done;
	q->done = job;
}

static unsigned rsa_set(const struct pubkey_queue *q, const struct batch *b)
{
	struct rsa_check check[PUBKEY_BATCH_MAX];
	for (unsigned i = 0; i < b->n; i++) {
		struct pubkey_job *job = b->job[i];
		check[i] = (struct rsa_check){ .key = job->key->rsa,
					       .signature = job->signature.p,
					       .digest = job->digest,
					       .hash = job->hash };
	}
	return rsa_verify(&q->rsa, check, b->n);
}

static unsigned ed25519_set(const struct pubkey_queue *q, const struct batch *b)
{
	struct ed25519_job check[PUBKEY_BATCH_MAX];
	for (unsigned i = 0; i < b->n; i++) {
		struct pubkey_job *job = b->job[i];
		check[i] = (struct ed25519_job){ .key = job->key->ed25519,
						 .signature = job->signature.p,
						 .message = { job->digest, job->digest_len } };
	}
	return ed25519_check(q->curve, check, b->n);
}

/* Of this kind there are some. */
static void run_batch(struct pubkey_queue *q, unsigned kind)
{
	struct batch *b = &q->batch[kind];
	unsigned good = kind == KIND_ED25519 ? ed25519_set(q, b) : rsa_set(q, b);
	while (b->n > 0) {
		struct pubkey_job *job = b->job[--b->n];
		job->good = good >> b->n & 1;
		put_done(q, job);
	}
	q->some &= ~(1u << kind);
	q->full &= ~(1u << kind);
}

static struct pubkey_job *take_done(struct pubkey_queue *q)
{
	struct pubkey_job *job = q->done;
	if (job)
		q->done = job->next;
	return job;
}

/* Counts a batch as full that others pass for too long: a rare kind would wait until flush. */
static void hurry(struct pubkey_queue *q)
{
	for (unsigned left = q->some & ~q->full; left; left &= left - 1) {
		unsigned kind = (unsigned)__builtin_ctz(left);
		if (q->count - q->batch[kind].since > PASSED_MAX)
			q->full |= 1u << kind;
	}
}

static void put(struct pubkey_queue *q, struct pubkey_job *job)
{
	unsigned kind = job->key->kind;
	struct batch *b = &q->batch[kind];
	if (b->n == q->size)
		run_batch(q, kind);
	if (b->n == 0)
		b->since = q->count;
	b->job[b->n++] = job;
	q->some |= 1u << kind;
	if (b->n == q->size)
		q->full |= 1u << kind;
}

/* Of a signature by a key for the lanes (RFC 8017 section 8.2.2 step 1, RFC 8032 section 5.1.7). */
static size_t octets_of(const struct pubkey *key)
{
	return key->rsa ? key->rsa->octets : ED25519_SIGNATURE_OCTETS;
}

struct pubkey_job *pubkey_submit(struct pubkey_queue *q, struct pubkey_job *job)
{
	struct pubkey_job *done = pubkey_poll(q);
	job->next = NULL;
	q->count++;
	if (!job->key->rsa && !job->key->ed25519) {
		*q->alone_end = job;
		q->alone_end = &job->next;
	} else if (job->signature.n == octets_of(job->key)) {
		put(q, job);
	} else {
		job->good = false;
		put_done(q, job);
	}
	hurry(q);
	return done;
}

struct pubkey_job *pubkey_poll(struct pubkey_queue *q)
{
	if (!q->done && q->full)
		run_batch(q, (unsigned)__builtin_ctz(q->full));
	else if (!q->done && q->alone)
		return run_alone(q);
	return take_done(q);
}

struct pubkey_job *pubkey_flush(struct pubkey_queue *q)
{
	struct pubkey_job *done = pubkey_poll(q);
	if (done || !q->some)
		return done;
	unsigned later = q->some & ~0u << q->turn;
	unsigned kind = (unsigned)__builtin_ctz(later ? later : q->some);
	q->turn = (kind + 1) % KIND_N;
	run_batch(q, kind);
	return take_done(q);
}
