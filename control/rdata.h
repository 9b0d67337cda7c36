/*
 * rdata - answers of the DNS in the presentation form of RFC 1035 section 5, for the record.
 *
 * What a reader of master files makes of it is octet for octet what it was: TXT is quoted strings of
 * at most 255 octets, everything that is not plain is \DDD, names end in a dot.
 * Not handled: types that no check asks for are \# LENGTH HEX (RFC 3597).
 */
#pragma once

#include "base/json.h"
#include "base/verdict.h"

/* One JSON string: the data of one RR, in the form of struct verdict_evidence. */
void rdata_put(struct json *j, uint16_t type, struct bytes data);
/* Back: TXT in that form to its octets, at most text.n of them; SIZE_MAX: it is not in that form. A
 * reader of master files does the same, but for what is over 65,535 octets once written. */
size_t rdata_txt(struct bytes text, uint8_t *out);
/* One JSON string: a name in text form, with nothing in it that a master file would take for
 * something else. */
void rdata_name(struct json *j, struct bytes name);
/* TXT, A, ...: static; NULL: none of these. */
const char *rdata_type(uint16_t type);
/* The word of an answer's status, static: data, nodata, nxdomain, servfail, timeout; NULL: none. */
const char *rdata_status(uint8_t status);

/*
 * The member "evidence": an array of {name, type, status, ttl, secure, data}, in at most
 * RDATA_EVIDENCE_MAX octets. What does not fit is left out, and "evidence_cut" is true then, or
 * where cut says that something is missing already.
 */
enum { RDATA_EVIDENCE_MAX = 1 << 20 };
void rdata_evidence(struct json *j, const struct verdict_evidence *evidence, uint32_t n, bool cut);
