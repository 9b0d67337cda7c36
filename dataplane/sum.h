/*
 * sum - the Internet checksum (RFC 1071): ones' complement sums.
 */
#pragma once

#include "base/bytes.h"
#include "base/cpu.h"

/*
 * Sum of the octets as 16-bit words in the machine's order, the last odd octet followed by zero;
 * not folded. Sums may be added as long as each but the last is of an even number of octets.
 */
typedef uint64_t sum_fn(const uint8_t *p, size_t n);

/* The truth, 16 octets at a time as x86-64-v2 has it. */
sum_fn sum_octets;

struct sum_ops {
	sum_fn *octets;
	enum cpu_level level; /* the one that was taken */
};

/* The fastest up to level that passes its self-test. */
void sum_ops_init(struct sum_ops *ops, enum cpu_level level);

/* The same of a few octets, a multiple of four: headers and addresses. */
static inline uint64_t sum_words(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i += 4) {
		uint32_t word;
		memcpy(&word, p + i, 4);
		sum += word;
	}
	return sum;
}

/* To 16 bits. 0xffff when the words and their checksum were added and all is right (or 0 for all
 * zero). */
static inline uint16_t sum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}
