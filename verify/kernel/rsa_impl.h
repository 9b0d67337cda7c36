/* rsa_impl - the variants of rsa, one line each. */
#pragma once

#include "verify/kernel/rsa.h"

unsigned rsa_power_ifma(const struct rsa_key *const key[RSA_LANES], struct rsa_lanes *x);
