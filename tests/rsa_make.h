/*
 * rsa_make - RSA keys and signatures for tests: blocks of any content signed, good and hostile.
 *
 * Keys of 1024 bits or more have three or four primes, which are found faster and are nothing else to who verifies.
 */
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "tests/test.h"
#include "verify/kernel/hash.h"

enum { RSA_MAKE_MAX = 512 };

struct rsa_make {
	uint8_t n[RSA_MAKE_MAX], e[4];
	size_t len;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *sign; /* a block as it is; NULL: there is no private key */
	EVP_PKEY_CTX *verify[2]; /* by enum hash_algorithm */
};

static inline const EVP_MD *rsa_make_md(enum hash_algorithm hash)
{
	return hash == HASH_SHA1 ? EVP_sha1() : EVP_sha256();
}

static inline EVP_PKEY *rsa_make_pkey(unsigned bits, uint32_t e)
{
	EVP_PKEY *pkey = NULL;
	BIGNUM *number = BN_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BN_set_word(number, e);
	EVP_PKEY_keygen_init(ctx);
	EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits);
	EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, number);
	EVP_PKEY_CTX_set_rsa_keygen_primes(ctx, bits < 1024 ? 2 : bits < 4096 ? 3 : 4);
	EVP_PKEY_generate(ctx, &pkey);
	EVP_PKEY_CTX_free(ctx);
	BN_free(number);
	return pkey;
}

/* A public key of any odd n with its highest bit set, of nobody. */
static inline EVP_PKEY *rsa_make_public(const uint8_t *n, size_t len, uint32_t e)
{
	EVP_PKEY *pkey = NULL;
	BIGNUM *modulus = BN_bin2bn(n, (int)len, NULL), *exponent = BN_new();
	BN_set_word(exponent, e);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, modulus);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, exponent);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY_fromdata_init(ctx);
	EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	BN_free(modulus);
	BN_free(exponent);
	return pkey;
}

/* Takes pkey. */
static inline void rsa_make_init(struct rsa_make *r, EVP_PKEY *pkey, bool private)
{
	BIGNUM *n = NULL, *e = NULL;
	EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n);
	EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e);
	*r = (struct rsa_make){ .pkey = pkey, .len = (size_t)EVP_PKEY_get_size(pkey) };
	BN_bn2binpad(n, r->n, (int)r->len);
	BN_bn2binpad(e, r->e, sizeof r->e);
	BN_free(n);
	BN_free(e);
	if (private) {
		r->sign = EVP_PKEY_CTX_new(pkey, NULL);
		EVP_PKEY_sign_init(r->sign);
		EVP_PKEY_CTX_set_rsa_padding(r->sign, RSA_NO_PADDING);
	}
	for (int hash = HASH_SHA256; hash <= HASH_SHA1; hash++) {
		r->verify[hash] = EVP_PKEY_CTX_new(pkey, NULL);
		EVP_PKEY_verify_init(r->verify[hash]);
		EVP_PKEY_CTX_set_rsa_padding(r->verify[hash], RSA_PKCS1_PADDING);
		EVP_PKEY_CTX_set_signature_md(r->verify[hash], rsa_make_md(hash));
	}
}

static inline void rsa_make_fini(struct rsa_make *r)
{
	EVP_PKEY_CTX_free(r->sign);
	EVP_PKEY_CTX_free(r->verify[HASH_SHA256]);
	EVP_PKEY_CTX_free(r->verify[HASH_SHA1]);
	EVP_PKEY_free(r->pkey);
}

/* What OpenSSL says. */
static inline bool rsa_make_good(const struct rsa_make *r, struct bytes signature,
				 enum hash_algorithm hash, const uint8_t *digest)
{
	return EVP_PKEY_verify(r->verify[hash], signature.p, signature.n, digest, hash_len(hash)) ==
	       1;
}

/* block^d mod n. False when the block is no number below n. */
static inline bool rsa_make_sign(const struct rsa_make *r, const uint8_t *block, uint8_t *signature)
{
	size_t n = RSA_MAKE_MAX;
	return r->sign && EVP_PKEY_sign(r->sign, signature, &n, block, r->len) == 1;
}

/* 00 01, ff up to the last octets, 00, and those: what, then the digest, then `behind` octets. */
static inline void rsa_make_block(uint8_t *block, size_t len, struct bytes what,
				  struct bytes digest, size_t behind)
{
	size_t end = len - behind, start = end - digest.n - what.n;
	memset(block, 0xff, len);
	block[0] = 0;
	block[1] = 1;
	block[start - 1] = 0;
	memcpy(block + start, what.p, what.n);
	memcpy(block + end - digest.n, digest.p, digest.n);
}

static inline struct bytes rsa_make_info(enum hash_algorithm hash)
{
	return hash == HASH_SHA1
		       ? bytes_of("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
				  15)
		       : bytes_of("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
				  "\x05\x00\x04\x20",
				  19);
}

/*
 * Blocks that are wrong in one way each, but for number 0, which is good. False behind the last.
 * len: 128 or more.
 */
static inline bool rsa_make_case(unsigned i, uint8_t *block, size_t len, enum hash_algorithm hash,
				 const uint8_t *octets)
{
	static const struct {
		const char *p;
		uint8_t n;
	} info[2][8] = {
		{
			/* no NULL */
			{ "\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20",
			  17 },
			/* the other hash's name */
			{ "\x30\x2d\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x20", 15 },
			/* SHA-384, SHA-512/256 */
			{ "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04"
			  "\x20",
			  19 },
			{ "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x06\x05\x00\x04"
			  "\x20",
			  19 },
			/* lengths longer than needed */
			{ "\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
			  "\x04\x20",
			  20 },
			{ "\x30\x32\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04"
			  "\x81\x20",
			  20 },
			/* NULL with an octet in it */
			{ "\x30\x32\x30\x0e\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x01\x00"
			  "\x04\x20",
			  20 },
			{ "", 0 },
		},
		{
			{ "\x30\x1f\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a\x04\x14", 13 },
			{ "\x30\x25\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04"
			  "\x14",
			  19 },
			{ "\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04"
			  "\x14",
			  18 }, /* MD5 */
			{ "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1b\x05\x00\x04\x14", 15 },
			{ "\x30\x81\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14", 16 },
			{ "\x30\x22\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x81\x14", 16 },
			{ "\x30\x22\x30\x0a\x06\x05\x2b\x0e\x03\x02\x1a\x05\x01\x00\x04\x14", 16 },
			{ "", 0 },
		},
	};
	struct bytes right = rsa_make_info(hash), digest = bytes_of(octets, hash_len(hash));
	size_t middle = len / 2 - 20, sep = len - digest.n - right.n - 1;
	rsa_make_block(block, len, right, digest, 0);
	switch (i) {
	case 0:
		break;
	case 1: /* garbage behind, with 8 octets of padding and with as many as fit */
		rsa_make_block(block, len, right, digest, len - 11 - digest.n - right.n);
		break;
	case 2:
		rsa_make_block(block, len, right, digest, 1);
		break;
	case 3: /* type 2, type 0, and a first octet that is none */
		block[1] = 2;
		break;
	case 4:
		block[1] = 0;
		break;
	case 5:
		block[0] = 1;
		break;
	case 6: /* padding that ends early, is interrupted, does not end */
		block[middle] = 0;
		break;
	case 7:
		block[middle] = 0xfe;
		break;
	case 8:
		block[sep] = 0xff;
		break;
	case 9: /* zeros in place of padding */
		memset(block + 2, 0, sep - 2);
		break;
	case 10: /* only the digest, no padding at all */
		memset(block, 0, len - digest.n);
		break;
	case 11: /* the digest octet by octet backwards */
		for (size_t k = 0; k < digest.n; k++)
			block[len - 1 - k] = octets[k];
		break;
	case 12: /* the information twice */
		memcpy(block + sep - right.n - digest.n - 1, block + sep, right.n + digest.n + 1);
		break;
	default:
		if (i >= 13 + 8)
			return false;
		rsa_make_block(block, len, bytes_of(info[hash][i - 13].p, info[hash][i - 13].n),
			       digest, 0);
	}
	return true;
}
