/*
 * sum - the Internet checksum (RFC 1071): ones' complement sums, 16 octets at a time.
 */
#pragma once

#include "base/bytes.h"

/*
 * Sum of the octets as 16-bit words in the machine's order, the last odd octet followed by zero;
 * not folded. Sums may be added as long as each but the last is of an even number of octets.
 */
uint64_t sum_octets(const uint8_t *p, size_t n);

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
