/*
 * names - domain names out of mail as the DNS knows them: A-labels, lower case.
 *
 * Letters, digits, hyphen and underscore; labels of 1 to 63 octets, 253 in all, no final dot.
 * U-labels become A-labels (RFC 5890, RFC 8616) by libidn2, which is the only use of the heap here.
 */
#pragma once

#include "base/bytes.h"

enum { NAMES_MAX = 253 };

/* Writes a NUL-terminated name. Returns its length, 0 when in is no domain name. */
size_t names_ascii(struct bytes in, char out[NAMES_MAX + 1]);

/* name is domain or below it. Both as names_ascii wrote them; an empty domain has nothing below it.
 */
bool names_under(struct bytes name, struct bytes domain);
