/*
 * sum_impl - one line per variant of sum_octets. n may be anything; only p[0..n) is read.
 */
#pragma once

#include "dataplane/sum.h"

sum_fn sum_octets_avx2;
sum_fn sum_octets_avx512;
