/*
 * header - the fields of a header section, and looking them up from the bottom.
 *
 * A field begins at a line that does not begin with a blank and goes to the CRLF in front of the
 * next such line. A bare CR or LF ends nothing. A line without a colon, with octets in front of the
 * colon that no name can have (RFC 5322 section 2.2), or a continuation of nothing, is a field
 * without a name and never found. Blanks between name and colon are allowed (section 4.5). At most
 * HEADER_FIELDS_MAX fields are told apart; what is below is left out and flagged.
 */
#pragma once

#include "base/arena.h"

enum { HEADER_FIELDS_MAX = 4096, HEADER_NONE = 0xffff };

struct header_field {
	uint32_t off, len; /* with its line end */
	uint32_t value; /* offset behind the colon */
	uint32_t name_len; /* 0: no name */
	uint32_t hash; /* of its name in lower case */
	uint16_t above; /* the next field up with the same name, HEADER_NONE: none */
	uint16_t name; /* number of its name, 0.. in order of first sight */
};

struct header {
	struct bytes octets; /* borrowed */
	struct header_field *field;
	uint16_t *slot; /* hash table: number of a field + 1, the lowest of its name */
	uint64_t seed;
	uint32_t mask; /* slots - 1 */
	uint16_t n, names;
	bool overflow; /* there were more */
};

/*
 * Splits octets, the header section with or without its empty line, which must outlive h. seed
 * makes collisions unpredictable. False when the arena is full.
 */
bool header_split(struct header *h, struct bytes octets, uint64_t seed, struct arena *arena);

/* Number of the lowest field of that name (any case), HEADER_NONE when there is none; then by
 * `above` upwards. */
uint16_t header_last(const struct header *h, struct bytes name);

static inline struct bytes header_name(const struct header *h, uint16_t i)
{
	return bytes_of(h->octets.p + h->field[i].off, h->field[i].name_len);
}

/* The whole field with its line end, where it has one. */
static inline struct bytes header_raw(const struct header *h, uint16_t i)
{
	return bytes_of(h->octets.p + h->field[i].off, h->field[i].len);
}

/* What is behind the colon, folds inside, without the final line end. */
struct bytes header_value(const struct header *h, uint16_t i);
