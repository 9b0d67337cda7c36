/*
 * eight - looking at eight octets at once, in a register, where most of a run is plain.
 *
 * Each test gives a mask whose lowest set bit is the highest bit of the first octet it is true of;
 * what is set above that says nothing. Masks of several tests may be joined.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#define EIGHT_ONES 0x0101010101010101u

/* Reads p[0..8). */
static inline uint64_t eight_load(const uint8_t *p)
{
	uint64_t x;
	memcpy(&x, p, sizeof x);
	return x;
}

/* Octets under c, which is 1..128. */
static inline uint64_t eight_under(uint64_t x, uint8_t c)
{
	return (x - EIGHT_ONES * c) & ~x & EIGHT_ONES * 0x80;
}

/* Octets that are c. */
static inline uint64_t eight_is(uint64_t x, uint8_t c)
{
	return eight_under(x ^ EIGHT_ONES * c, 1);
}

/* Octets over 127. */
static inline uint64_t eight_high(uint64_t x)
{
	return x & EIGHT_ONES * 0x80;
}

/* Number of the first octet that the mask, which is not 0, is of. */
static inline unsigned eight_first(uint64_t mask)
{
	return (unsigned)__builtin_ctzll(mask) / 8;
}

/* ASCII letters in lower case. */
static inline uint64_t eight_lower(uint64_t x)
{
	uint64_t low = x & EIGHT_ONES * 0x7f;
	uint64_t from_a = low + EIGHT_ONES * (0x80 - 'A'),
		 behind_z = low + EIGHT_ONES * (0x7f - 'Z');
	return x | (from_a & ~behind_z & ~x & EIGHT_ONES * 0x80) >> 2;
}
