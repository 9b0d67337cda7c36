/*
 * ed25519 - Ed25519 signatures checked eight at once (RFC 8032 section 5.1.7).
 *
 * A key is decoded once; with it are kept multiples of its point, so that a check needs
 * 124 doublings where there would be 252. The answers are those of OpenSSL: S below L; a key may be
 * a y of p or more, or 0 with a sign; no cofactor: R is compared as octets.
 * Heap: a key about 2 KB, struct ed25519 about 32 KB. Checking takes none.
 * Not handled: constant time (nothing is secret), contexts, prehashing (Ed25519ctx, Ed25519ph).
 */
#pragma once

#include "base/bytes.h"
#include "base/cpu.h"

enum {
	ED25519_KEY_OCTETS = 32,
	ED25519_SIGNATURE_OCTETS = 64,
	ED25519_BATCH = 8,
};

struct ed25519;
struct ed25519_key;

struct ed25519_job { /* all borrowed for the call */
	const struct ed25519_key *key;
	const uint8_t *signature; /* ED25519_SIGNATURE_OCTETS */
	struct bytes message;
};

/*
 * flags: of enum cpu_flag. What is chosen for level and flags is tried against plain C on a fixed
 * vector first and left out when it differs. NULL when out of memory.
 */
struct ed25519 *ed25519_new(enum cpu_level level, unsigned flags);
void ed25519_free(struct ed25519 *e);

/* Whether jobs run eight at once and not one after the other. */
bool ed25519_in_lanes(const struct ed25519 *e);

/* Any 32 octets; where they are no point every signature is bad. Gives a key; NULL when out of
 * memory. */
struct ed25519_key *ed25519_key_new(const uint8_t octets[ED25519_KEY_OCTETS]);
void ed25519_key_free(struct ed25519_key *key);

/* Of the first n jobs, at most ED25519_BATCH: bit i is set when job i is good. */
unsigned ed25519_check(const struct ed25519 *e, const struct ed25519_job *jobs, unsigned n);
