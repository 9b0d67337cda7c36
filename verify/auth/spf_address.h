/*
 * spf_address - addresses and host names as the DNS has them: prefixes, reverse names, RDATA.
 *
 * Addresses have 16 octets, IPv4 mapped (RFC 4291 section 2.5.5.2).
 */
#pragma once

#include "verify/dns/question.h"

enum { SPF_ADDRESS_REVERSE_MAX = 73 }; /* octets of a reverse name, with its NUL */

bool spf_address_is_ip4(const uint8_t ip[16]);

/* The first bits are the same. */
bool spf_address_in(const uint8_t *ip, const uint8_t *network, unsigned bits);

/* One of the addresses of an A or AAAA answer is that of ip, as far as the prefix of its family. */
bool spf_address_found(const struct answer *a, const uint8_t ip[16], unsigned cidr4,
		       unsigned cidr6);

/* Below in-addr.arpa or ip6.arpa. Returns its length. */
size_t spf_address_reverse(const uint8_t ip[16], char out[SPF_ADDRESS_REVERSE_MAX]);

/* A name in wire form as text, without final dot. Its length; 0: it is the root, is no whole name,
 * or has a dot in a label. */
size_t spf_address_host(struct bytes wire, char out[QUESTION_NAME_MAX + 1]);
