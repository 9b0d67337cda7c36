/*
 * rsa - RSA signatures (PKCS #1 v1.5, RFC 8017 section 8.2.2), eight at once, each with its own
 * key.
 *
 * Moduli of 1024, 1536, 2048, 3072 and 4096 bits, odd exponents of 3 to 2^32 - 1. A key is made
 * ready once: in limbs of 52 bits, for Montgomery's multiplication. The block that the signature
 * must hold is written out whole and every octet of it compared, so that nothing in it is parsed.
 * Not handled: other sizes and exponents, where OpenSSL has to do; nothing here is secret, so
 * nothing takes the same time for all inputs.
 */
#pragma once

#include "base/bytes.h"
#include "base/cpu.h"
#include "verify/kernel/hash.h"

enum {
	RSA_LANES = 8,
	RSA_SIZES = 5,
	RSA_OCTETS_MAX = 512,
	RSA_LIMB_BITS = 52,
	RSA_LIMBS_MAX = 80, /* of RSA_LIMB_BITS; the first multiple of 5 above the modulus */
};

struct rsa_key {
	uint32_t exponent;
	uint8_t size; /* 0..RSA_SIZES - 1, by length */
	uint8_t limbs;
	uint16_t octets; /* of the modulus, hence of signatures */
	uint64_t negative; /* -1 / n mod 2^52 */
	uint64_t limb[]; /* n, then R^2 mod n with R = 2^(52 limbs); the lowest first */
};

/* Limb i of lane l's number is at limb[i][l]. */
struct rsa_lanes {
	_Alignas(64) uint64_t limb[RSA_LIMBS_MAX][RSA_LANES];
};

struct rsa_check {
	const struct rsa_key *key;
	const uint8_t *signature; /* key->octets of them */
	const uint8_t *digest; /* hash_len(hash) octets */
	enum hash_algorithm hash;
};

struct rsa_ops {
	/*
	 * x^e mod n in each lane, for keys of one size. Gives the set of lanes whose x was below
	 * n; in the others what is left there means nothing.
	 */
	unsigned (*power)(const struct rsa_key *const key[RSA_LANES], struct rsa_lanes *x);
};

/*
 * What this level and these cpu_flags have; power is NULL where nothing beats OpenSSL.
 * Where there is something, it does even with a single lane in use. The kernel chosen is tried
 * against the scalar one on a fixed vector first and left out when it differs.
 */
struct rsa_ops rsa_ops_init(enum cpu_level level, unsigned flags);

/* The truth: plain C on limbs of 64 bits, of the key only n and e; for tests and the self-test. */
unsigned rsa_power_scalar(const struct rsa_key *const key[RSA_LANES], struct rsa_lanes *x);

/* Octets that a struct rsa_key takes for this key, 0 when it is none for here; n big endian without
 * leading zeros. */
size_t rsa_key_len(struct bytes n, struct bytes e);
/* Fills rsa_key_len octets, which are not 0. */
void rsa_key_init(struct rsa_key *key, struct bytes n, struct bytes e);

/* 1..RSA_LANES checks, their keys all of one size; ops has a power. Gives the set of the good
 * ones. */
unsigned rsa_verify(const struct rsa_ops *ops, const struct rsa_check *check, unsigned n);
