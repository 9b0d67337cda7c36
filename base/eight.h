/*
 * eight - looking at eight octets at once, in a register: where most of a run is plain, or all of
 * it is to be compared or hashed. Nothing outside the run is read.
 *
 * Each test gives a mask whose lowest set bit is the highest bit of the first octet it is true of;
 * what is set above that says nothing. Masks of several tests may be joined.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
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

/* None of a run is over 127. */
static inline bool eight_ascii(const uint8_t *p, size_t n)
{
	uint64_t all = 0;
	for (; n >= 8; p += 8, n -= 8)
		all |= eight_load(p);
	for (; n; p++, n--)
		all |= *p;
	return !eight_high(all);
}

/* ASCII letters in lower case. */
static inline uint64_t eight_lower(uint64_t x)
{
	uint64_t low = x & EIGHT_ONES * 0x7f;
	uint64_t from_a = low + EIGHT_ONES * (0x80 - 'A'),
		 behind_z = low + EIGHT_ONES * (0x7f - 'Z');
	return x | (from_a & ~behind_z & ~x & EIGHT_ONES * 0x80) >> 2;
}

/* The last eight octets of a run, or all where it is shorter: a run is the eights in front of its
 * last 1 to 8 octets, and this. */
static inline uint64_t eight_tail(const uint8_t *p, size_t n)
{
	uint32_t a, b;
	if (n >= 8)
		return eight_load(p + n - 8);
	if (n >= sizeof a) {
		memcpy(&a, p, sizeof a);
		memcpy(&b, p + n - sizeof b, sizeof b);
		return a | (uint64_t)b << 32;
	}
	return n ? p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16 : 0;
}

/* Both into one: the halves of their product. In the lower one alone what differs only in its highest
 * bits would stay so whatever the other is. */
static inline uint64_t eight_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* One more word into a hash. */
static inline uint64_t eight_mix(uint64_t hash, uint64_t word)
{
	return eight_fold(hash ^ word, 0x9e3779b97f4a7c15u);
}

/* For tables. seed: a secret, where somebody outside chooses what goes in. */
static inline uint64_t eight_hash(uint64_t seed, const void *run, size_t n)
{
	const uint8_t *p = run;
	uint64_t x = seed ^ n;
	for (size_t i = 0; i + 8 < n; i += 8)
		x = eight_mix(x, eight_load(p + i));
	return eight_mix(x, eight_tail(p, n));
}
