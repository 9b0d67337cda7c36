/*
 * keys - DKIM key records (RFC 6376 section 3.6.1, RFC 8463), parsed once and kept by name with
 * their TTL.
 *
 * The cache is a table of sets of KEYS_WAYS; in a full set the one used longest ago and not in use
 * gives way. Names without a key are kept for KEYS_NEGATIVE_MAX_S at most, failed questions not at
 * all. When a name has several TXT records, which RFC 6376 3.6.2.2 leaves undefined, the first
 * KEYS_RECORDS_MAX are read; the best by enum key_status counts, of equals the one that is least as
 * an octet string, so that the order of an answer does not matter. No heap but OpenSSL's
 * (kernel/pubkey.h).
 * Not handled: g= of RFC 4871, which RFC 6376 took out, is ignored like every
 * unknown tag.
 */
#pragma once

#include "verify/kernel/pubkey.h"
#include "verify/dns/question.h"

enum {
	KEYS_WAYS = 8,
	KEYS_RECORDS_MAX = 16,
	KEYS_NEGATIVE_MAX_S = 300,
	KEYS_DER_MAX = 4096, /* octets of a decoded p=: a modulus of 16,384 bits fits and is refused
				by size */
};

enum key_status {
	KEY_OK,
	KEY_SIZE, /* a modulus too short or too long to check; pub.bits is known */
	KEY_REVOKED, /* empty p= */
	KEY_TYPE, /* k= not known */
	KEY_SERVICE, /* s= without email */
	KEY_SYNTAX, /* no key record, another version, or key data that is malformed */
	KEY_NONE, /* no such name, or no TXT record there */
	KEY_TIMEOUT, /* the question had no answer in time */
	KEY_FAILED, /* or an error for one */
};

struct key {
	uint8_t status; /* enum key_status */
	bool test; /* t=y */
	bool strict; /* t=s */
	bool secure; /* DNSSEC proved the answer it came in */
	uint8_t hashes; /* bit 1 << enum hash_algorithm: h= takes it */
	struct pubkey pub;
};

struct keys;

/* One record, its strings joined. Gives *key, which key_fini takes back; q must outlive it. */
void key_parse(struct key *key, struct pubkey_queue *q, struct bytes record);
/* Likewise, out of an answer. */
void key_answer(struct key *key, struct pubkey_queue *q, const struct answer *answer);
void key_fini(struct key *key);

/* n: keys at most, rounded down to whole sets, at least one set. q borrowed. NULL when out of
 * memory. */
struct keys *keys_new(uint32_t n, uint64_t seed, struct pubkey_queue *q);
/* No key may be in use. */
void keys_free(struct keys *keys);

/* The key of that name when it is known at clock_s, in use until keys_release; else NULL. */
struct key *keys_find(struct keys *keys, struct bytes name, uint64_t clock_s);

/*
 * Keeps what the answer says for its TTL, ttl_max_s at most, and gives it as keys_find does. NULL
 * when the answer must not be kept or a full set has nothing out of use: then the caller parses for
 * himself.
 */
struct key *keys_put(struct keys *keys, struct bytes name, const struct answer *answer,
		     uint64_t clock_s, uint32_t ttl_max_s);
void keys_release(struct key *key);
