/*
 * octets - reading a message's octets piece by piece, over its chunks.
 *
 * Octets behind a hole are not offered by position: end must not be over message.intact, unless
 * octets are wanted just as they lie. Of a message that was too large to keep, only those that were
 * kept can be read.
 */
#pragma once

#include "base/message.h"

struct octets {
	const struct message_chunk *chunk;
	size_t pos; /* in it */
	uint64_t left; /* octets to give */
};

/* From the offset `from`, n octets or what there is. */
void octets_init(struct octets *o, const struct message *m, uint64_t from, uint64_t n);

/* What octets_init with hashed_to would give if the message had not been too large: all behind the
 * running digest. */
void octets_rest(struct octets *o, const struct message *m);

/* The header section was seen from its start to its empty line, or to the end of a whole message.
 */
bool octets_header_whole(const struct message *m);

/* At most max octets, borrowed as long as the message; empty at the end. */
struct bytes octets_next(struct octets *o, size_t max);

/* What octets_next would give, without taking it. */
struct bytes octets_peek(const struct octets *o, size_t max);
