/*
 * ref - what the kernels are measured against: the rules of the RFCs octet by octet in plain C.
 *
 * Frozen: it is not made faster or slower. Whole strings only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * A body as it stands on the wire, without the dot line at its end: stuffed dots are dropped (RFC
 * 5321 4.5.2), then it is canonicalized (RFC 6376 3.4.3 and 3.4.4). out has room for n + 2. Returns
 * octets written.
 */
size_t ref_simple(const uint8_t *p, size_t n, uint8_t *out);
size_t ref_relaxed(const uint8_t *p, size_t n, uint8_t *out);

/*
 * RFC 2045 6.8: octets outside the alphabet are skipped, padding ends the text. out has room for
 * n / 4 * 3 + 3. Returns octets written.
 */
size_t ref_base64(const uint8_t *p, size_t n, uint8_t *out);
