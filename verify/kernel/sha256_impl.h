/*
 * sha256_impl - the variants of sha256, one line each; worth: from how many live lanes on they win
 * against strings in turn, pairs of them by SHA-NI (_NI) or each by OpenSSL without it. Eight lanes
 * of AVX2 are slower than one pair. ./dev bench kernels shows where they break even: on Zen 5 at 12.7
 * live strings against pairs, at 3.0 and with eight lanes at 3.4 against OpenSSL without SHA-NI (in
 * its environment OPENSSL_ia32cap=:~0x20000000). Lanes of unequal strings run dry, hence somewhat
 * later.
 */
#pragma once

#include "verify/kernel/sha256.h"

enum {
	SHA256_WORTH_AVX512 = 4,
	SHA256_WORTH_AVX512_NI = 14,
	SHA256_WORTH_AVX2 = 4,
};

void sha256_lanes_avx512(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
			 const uint8_t *const ahead[SHA256_LANES], size_t blocks);
/* Lanes 0 to 7 alone. */
void sha256_lanes_avx2(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
		       const uint8_t *const ahead[SHA256_LANES], size_t blocks);
void sha256_pair_shani(struct sha256_lanes *s, const unsigned lane[2], const uint8_t *const p[2],
		       size_t blocks);
