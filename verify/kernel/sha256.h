/*
 * sha256 - the SHA-256 compression function over many strings at once (FIPS 180-4).
 *
 * A kernel: whole blocks in, states out; padding and lengths are the caller's (kernel/hash). One
 * string alone is left to OpenSSL, whose SHA-NI code is faster than a lane.
 */
#pragma once

#include "base/cpu.h"
#include "base/bytes.h"

enum { SHA256_LANES = 32, SHA256_BLOCK = 64 };

/* Word i of lane l's state is at word[i][l]. */
struct sha256_lanes {
	_Alignas(64) uint32_t word[8][SHA256_LANES];
};

struct sha256_ops {
	/*
	 * Feeds `blocks` blocks from each p[l] to lane l, l < width; every p[l] must be readable,
	 * reads nothing more. As many octets as it feeds are fetched into the cache from each
	 * ahead[l], which may be any address: more strings than the processor foresees by itself.
	 * NULL: none.
	 */
	void (*lanes)(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
		      const uint8_t *const ahead[SHA256_LANES], size_t blocks);
	unsigned width;
	/* so many live strings or more are faster in lanes than in pairs or one after the other */
	unsigned worth;
	/* The same for two different lanes alone. NULL: nothing beats OpenSSL one after the other. */
	void (*pair)(struct sha256_lanes *s, const unsigned lane[2], const uint8_t *const p[2],
		     size_t blocks);
};

/*
 * What this level and these cpu_flags have. Each kernel chosen is tried against the scalar one on a
 * fixed vector first and left out when it differs.
 */
struct sha256_ops sha256_ops_init(enum cpu_level level, unsigned flags);

/* The truth: plain C, for tests and the self-test. */
void sha256_lanes_scalar(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
			 size_t blocks);

/* The initial state (FIPS 180-4 5.3.3) in one lane. */
void sha256_lane_init(struct sha256_lanes *s, unsigned lane);

extern const uint32_t sha256_k[64];
