/*
 * value - how numbers, sizes, durations and times are written in settings and options.
 *
 * Each takes the whole text: blanks, signs or a rest behind the value are refused.
 */
#pragma once

#include "base/config.h"

/* Decimal digits, up to 2^64 - 1. False: not one. */
bool value_number(struct bytes text, uint64_t *out);

/* Octets: a number, or one with KiB, MiB, GiB. */
bool value_size(struct bytes text, uint64_t *out);
void value_size_print(uint64_t octets, char *out, size_t len);

/* Milliseconds: a number with ms, s, m, h or d; without one it is seconds. */
bool value_duration(struct bytes text, uint64_t *ms);
void value_duration_print(uint64_t ms, char *out, size_t len);

/* Tenths: a number with at most one digit behind the point. */
bool value_tenths(struct bytes text, uint64_t *out);

/* Nanoseconds since 1970: seconds with or without a fraction, or RFC 3339 (section 5.6). */
bool value_time(struct bytes text, uint64_t *ns);

/* Port numbers 1 to 65535 with commas between, none twice; the empty text is no port. */
bool value_ports(struct bytes text, struct config_ports *out);

/* none, system, zone:FILE, or IP[@PORT] with commas between. */
bool value_dns(struct bytes text);

/* IPv4 (mapped into IPv6) or IPv6 in text form. */
bool value_ip(struct bytes text, uint8_t out[16]);
