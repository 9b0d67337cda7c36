/*
 * ed25519_impl - what ed25519 and its kernels share.
 *
 * A check is a sum of multiples of two points, S times the base point and h times the negated key.
 * Both scalars are cut into signed digits, of 8 and of 4 bits; digit k lies in one of
 * ED25519_BLOCKS blocks of 128 bits, and for each block a table has the multiples 1..128 or 1..8 of
 * the point times 2^(128 block). So the blocks are summed side by side and a digit counts
 * 2^(its place in the block): that is all the doublings there are. With four blocks a check takes a
 * fifth less, a key a half more time and twice the memory.
 */
#pragma once

#include "verify/kernel/ed25519.h"
#include "verify/kernel/field.h"

enum {
	ED25519_BLOCKS = 2,
	ED25519_KEY_BITS = 4, /* of a digit */
	ED25519_KEY_DIGITS = 32, /* of a block */
	ED25519_KEY_MULTIPLES = 8,
	ED25519_KEY_TABLE = 1 + ED25519_BLOCKS * ED25519_KEY_MULTIPLES,
	ED25519_BASE_BITS = 8,
	ED25519_BASE_DIGITS = 16,
	ED25519_BASE_MULTIPLES = 128,
	ED25519_BASE_TABLE = 1 + ED25519_BLOCKS * ED25519_BASE_MULTIPLES,
};

/* A point (x, y): limbs of y + x, y - x and 2dxy, one after the other. The first of a table is the
 * neutral one. */
struct ed25519_entry {
	_Alignas(64) uint64_t limb[16];
};

struct ed25519_digits { /* one digit of each lane */
	uint16_t index[ED25519_BATCH]; /* into the lane's table */
	uint8_t negative; /* bit l: lane l takes the negative of what is there */
};

struct ed25519_sum {
	const struct ed25519_entry *base, *key[ED25519_BATCH];
	unsigned n; /* lanes that count; the others may be summed up or left alone */
	struct ed25519_digits base_digits[ED25519_BLOCKS * ED25519_BASE_DIGITS];
	struct ed25519_digits key_digits[ED25519_BLOCKS * ED25519_KEY_DIGITS];
};

/* Limb i of lane l is at x[i][l]; limbs are below 2^54. */
struct ed25519_points {
	_Alignas(64) uint64_t x[FIELD_LIMBS][ED25519_BATCH], y[FIELD_LIMBS][ED25519_BATCH];
};

typedef void ed25519_kernel(const struct ed25519_sum *sum, struct ed25519_points *out);

ed25519_kernel ed25519_points_scalar;
ed25519_kernel ed25519_points_ifma;
