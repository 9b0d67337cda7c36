/*
 * hash - digests of many octet strings at once: submit, poll, flush.
 *
 * Up to `lanes` jobs are in work. The queue pulls each job's octets itself, a piece of at most
 * HASH_PIECE at a time, and all jobs go on side by side, so that jobs submitted together over the
 * same octets (a message's own digest and its body hashes) read them while they are in the first
 * cache. Many SHA-256 jobs share a vector kernel, few go by OpenSSL's or the processor's own code:
 * what is faster for as many as are there. SHA-1 is by OpenSSL, for archives. A job may come back
 * at any later call, in any order. No heap after hash_queue_new.
 */
#pragma once

#include "base/bytes.h"
#include "base/cpu.h"

enum hash_algorithm { HASH_SHA256, HASH_SHA1 };

enum {
	HASH_PIECE = 4096,
	HASH_DIGEST_MAX = 32,
	HASH_LANES_MAX = 32,
};

struct hash_job {
	/*
	 * The next octets of the string, written to buf (cap is HASH_PIECE) or lying elsewhere,
	 * then borrowed until the next call. Returns false with the last ones, which may be none;
	 * *out may also be empty while there is more.
	 */
	bool (*next)(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out);
	/* next may say what it will read for the piece after this one, which is fetched from memory
	 * meanwhile; never read */
	struct bytes ahead;
	void *owner; /* the caller's */
	const void *running; /* SHA256_CTX to go on from, borrowed until the job is back; or NULL */
	uint8_t algorithm; /* enum hash_algorithm */
	uint8_t digest_len;
	uint8_t digest[HASH_DIGEST_MAX]; /* when it came back */
};

struct hash_queue;

/* lanes: 1..HASH_LANES_MAX jobs in work, fewer where the vector kernel has fewer; with 1 each job
 * comes back one call late. NULL when out of memory. */
struct hash_queue *hash_queue_new(unsigned lanes);
/* As if the processor had this level and these cpu_flags, which it must have. */
struct hash_queue *hash_queue_new_level(unsigned lanes, enum cpu_level level, unsigned flags);
void hash_queue_free(struct hash_queue *q);

/* Takes job, which stays where it is until it is given back. Gives a finished job, or NULL. */
struct hash_job *hash_submit(struct hash_queue *q, struct hash_job *job);

/* A finished job; NULL while it would have to wait for more jobs to be worth a run. */
struct hash_job *hash_poll(struct hash_queue *q);

/* Gives a finished job, whatever it takes; NULL when the queue is empty. */
struct hash_job *hash_flush(struct hash_queue *q);

/* Octets in a digest. */
uint8_t hash_len(enum hash_algorithm algorithm);
