/*
 * json - a writer of JSON (RFC 8259) into the caller's buffer; no heap, no locale.
 *
 * What does not fit is left out and remembered: overflow is sticky and json_done then gives
 * nothing. The text is always valid UTF-8 and ASCII-safe for terminals: control characters and DEL
 * are escaped, and an octet that is no part of a well-formed UTF-8 sequence is written as \u00XX of
 * that octet (so E9 alone reads like U+00E9). Names keep clear of jansson, which owns json_object,
 * json_array and json_null.
 * Not handled: duplicate keys, floating point, pretty printing.
 */
#pragma once

#include "base/bytes.h"

struct json {
	char *buf;
	size_t cap, len;
	uint32_t depth; /* objects and arrays open */
	bool comma; /* something stands before on this level */
	bool overflow;
};

/* Borrows buf until the writer is done with. */
void json_init(struct json *j, void *buf, size_t cap);

/* The text, borrowed from buf, without a final newline or NUL; p NULL after an overflow. */
struct bytes json_done(const struct json *j);

void json_object_begin(struct json *j);
void json_object_end(struct json *j);
void json_array_begin(struct json *j);
void json_array_end(struct json *j);

/* A member's name; its value must follow. */
void json_key(struct json *j, const char *key);
void json_key_bytes(struct json *j, struct bytes key);

void json_bytes(struct json *j, struct bytes s);
/* s NULL is null. */
void json_str(struct json *j, const char *s);
/* Lower-case hexadecimal digits in a string. */
void json_hex(struct json *j, struct bytes b);
void json_int(struct json *j, int64_t v);
void json_uint(struct json *j, uint64_t v);
/* v / 10^decimals with all its decimals: (-5, 1) is -0.5. decimals at most 18. */
void json_fixed(struct json *j, int64_t v, unsigned decimals);
void json_bool(struct json *j, bool v);
void json_nil(struct json *j);
/* One value that is JSON already; the caller answers for it. */
void json_raw(struct json *j, struct bytes value);

/* A string out of pieces: text_begin, text any number of times, text_end. A sequence cut between
 * pieces is not UTF-8. */
void json_text_begin(struct json *j);
void json_text(struct json *j, struct bytes piece);
void json_text_end(struct json *j);
