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

/* Names that are asked for in every message, or that nearly every one has: they are found without a
 * table that grows. Lower case, the shorter first. */
#define HEADER_NAMES(ROW) \
	ROW(TO, "to") \
	ROW(CC, "cc") \
	ROW(BCC, "bcc") \
	ROW(FROM, "from") \
	ROW(DATE, "date") \
	ROW(SENDER, "sender") \
	ROW(SUBJECT, "subject") \
	ROW(REPLY_TO, "reply-to") \
	ROW(RECEIVED, "received") \
	ROW(ARC_SEAL, "arc-seal") \
	ROW(MESSAGE_ID, "message-id") \
	ROW(REFERENCES, "references") \
	ROW(IN_REPLY_TO, "in-reply-to") \
	ROW(RETURN_PATH, "return-path") \
	ROW(RESENT_FROM, "resent-from") \
	ROW(MIME_VERSION, "mime-version") \
	ROW(CONTENT_TYPE, "content-type") \
	ROW(DELIVERED_TO, "delivered-to") \
	ROW(RECEIVED_SPF, "received-spf") \
	ROW(RESENT_SENDER, "resent-sender") \
	ROW(DKIM_SIGNATURE, "dkim-signature") \
	ROW(LIST_UNSUBSCRIBE, "list-unsubscribe") \
	ROW(ARC_MESSAGE_SIGNATURE, "arc-message-signature") \
	ROW(X_SGDMARC_FAIL_POLICY, "x-sgdmarc-fail-policy") \
	ROW(AUTHENTICATION_RESULTS, "authentication-results") \
	ROW(CONTENT_TRANSFER_ENCODING, "content-transfer-encoding") \
	ROW(ARC_AUTHENTICATION_RESULTS, "arc-authentication-results") \
	ROW(X_POSTERN_DMARC_FAIL_POLICY, "x-postern-dmarc-fail-policy")

#define HEADER_ENUM(symbol, name) HEADER_##symbol,
enum header_name { HEADER_NAMES(HEADER_ENUM) HEADER_KNOWN_N };
#undef HEADER_ENUM

struct header_field {
	uint32_t off, len; /* with its line end */
	uint32_t value; /* offset behind the colon */
	uint32_t name_len; /* 0: no name */
	uint32_t key; /* enum header_name; of any other name a hash, over all of these */
	uint16_t above; /* the next field up with the same name, HEADER_NONE: none */
	uint16_t name; /* number of its name, 0.. in order of first sight */
};

struct header {
	struct bytes octets; /* borrowed */
	struct header_field *field;
	uint16_t known[HEADER_KNOWN_N]; /* number of the lowest field of that name + 1; 0: none */
	uint16_t *slot; /* hash table of other names, likewise */
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

/* The same. */
static inline uint16_t header_known(const struct header *h, enum header_name name)
{
	return (uint16_t)(h->known[name] - 1); /* 0 is 1 more than HEADER_NONE */
}

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
