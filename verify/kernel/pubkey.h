/*
 * pubkey - RSA (PKCS #1 v1.5, RFC 8017 section 8.2.2) and Ed25519 (RFC 8032) verification, many at
 * once.
 *
 * A key is parsed once and kept; checks go through submit, poll, flush. RSA moduli of
 * PUBKEY_BITS_MIN to PUBKEY_BITS_MAX bits; whatever is outside is told by its length alone, before
 * any arithmetic. RSA keys of the usual sizes and Ed25519 keys are checked up to eight at once where
 * the processor can (kernel/rsa.h, kernel/ed25519.h), all others one after the other by OpenSSL.
 * Heap: a parsed key is on the heap, and so are, for the time of one check by OpenSSL, its numbers;
 * nothing else.
 * Not handled: points of small order in Ed25519 keys are taken, as RFC 8032 does.
 */
#pragma once

#include "base/bytes.h"
#include "base/cpu.h"
#include "verify/kernel/hash.h"

enum pubkey_type { PUBKEY_RSA, PUBKEY_ED25519 };

enum {
	PUBKEY_BITS_MIN = 512,
	PUBKEY_BITS_MAX = 8192,
	PUBKEY_SIGNATURE_MAX = PUBKEY_BITS_MAX / 8,
	PUBKEY_BATCH_MAX =
		8, /* of jobs of one kind: Ed25519, or RSA of one size with alike exponents */
};

enum pubkey_result {
	PUBKEY_OK,
	PUBKEY_BAD, /* malformed, or an even modulus, or an exponent below 3, even or over 64 bits
		     */
	PUBKEY_SIZE, /* the modulus is shorter or longer than can be checked; bits has its length */
	PUBKEY_MEMORY, /* out of memory */
};

struct pubkey {
	uint8_t type; /* enum pubkey_type */
	uint8_t hash; /* enum hash_algorithm the context stands at */
	uint8_t kind; /* of jobs that share a batch; the queue's */
	uint32_t bits; /* of the modulus; 256 for Ed25519; 0: no key */
	struct rsa_key *rsa; /* checked in lanes; then OpenSSL has none */
	struct ed25519_key *ed25519; /* likewise */
	void *key, *ctx; /* OpenSSL's */
};

struct pubkey_job {
	struct pubkey *key; /* borrowed until the job is back */
	struct bytes signature; /* borrowed likewise */
	void *owner;
	struct pubkey_job *next; /* the queue's */
	uint8_t hash; /* enum hash_algorithm that made digest; Ed25519 signs the digest (RFC 8463)
		       */
	uint8_t digest_len; /* what hash_len says of hash */
	uint8_t digest[HASH_DIGEST_MAX];
	bool good; /* when it came back */
};

struct pubkey_queue;

/*
 * batch: 1..PUBKEY_BATCH_MAX jobs of one kind wait to be checked together; what OpenSSL checks waits
 * for nothing. There may be any number of jobs. NULL when out of memory.
 */
struct pubkey_queue *pubkey_queue_new(unsigned batch);
/* As if the processor had this level and these cpu_flags, which it must have. */
struct pubkey_queue *pubkey_queue_new_level(unsigned batch, enum cpu_level level, unsigned flags);
void pubkey_queue_free(struct pubkey_queue *q);

/*
 * RSA: a SubjectPublicKeyInfo or a bare RSAPublicKey, strictly DER: RFC 6376 section 3.6.1 names
 * the latter, its examples hold the former. Ed25519: 32 octets (RFC 8463 section 4). Gives *key,
 * which pubkey_fini takes back; it is for this queue and those of the same level.
 */
enum pubkey_result pubkey_parse(struct pubkey_queue *q, struct pubkey *key, enum pubkey_type type,
				struct bytes data);
void pubkey_fini(struct pubkey *key);

/*
 * As hash_submit, hash_poll and hash_flush: a job comes back with a later call, in any order. poll
 * checks full batches and what OpenSSL does; flush also a batch that is not full, of one kind after
 * the other.
 */
struct pubkey_job *pubkey_submit(struct pubkey_queue *q, struct pubkey_job *job);
struct pubkey_job *pubkey_poll(struct pubkey_queue *q);
struct pubkey_job *pubkey_flush(struct pubkey_queue *q);
