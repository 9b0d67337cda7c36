/* sha256_impl - the variants of sha256, one line each; worth: from how many live lanes on they win.
 */
#pragma once

#include "verify/kernel/sha256.h"

enum { SHA256_WORTH_AVX512 = 7 };

void sha256_lanes_avx512(struct sha256_lanes *s, const uint8_t *const p[SHA256_LANES],
			 size_t blocks);
