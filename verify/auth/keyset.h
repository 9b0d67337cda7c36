/*
 * keyset - the keys that the signatures of one message want: one for each distinct name, out of the
 * cache of parsed keys or by asking.
 *
 * What is found is in use until keyset_end. With `evidence` the cache is left alone, so that every
 * answer is known of the message.
 */
#pragma once

#include "base/arena.h"
#include "base/profile.h"
#include "base/stats.h"
#include "verify/auth/keys.h"
#include "verify/dns/known.h"
#include "verify/auth/signature.h"

struct keyset_key {
	struct key *key; /* NULL: not known */
	struct key own; /* where the cache does not keep it */
	bool cached; /* key is in use in the cache */
	bool missed; /* it was not in the cache */
	uint8_t len;
	char name[QUESTION_NAME_MAX]; /* A-labels, lower case */
};

struct keyset_setup { /* borrowed until keyset_end */
	const struct config *cfg;
	struct known *known;
	struct keys *keys;
	struct pubkey_queue *queue; /* for parsing */
	struct stats *stats;
	uint64_t clock_s; /* for TTLs */
};

struct keyset {
	struct keyset_setup setup;
	struct keyset_key *key;
	uint16_t n, max;
};

/* At most max distinct names. False: the arena is full. */
bool keyset_init(struct keyset *set, const struct keyset_setup *setup, uint16_t max,
		 struct arena *arena);

/* The key of a well-formed signature, whose s= and d= name it; asked for in the order of calls. NULL
 * when max names are there. */
struct keyset_key *keyset_want(struct keyset *set, const struct signature *s);

/* False: questions are open; ask again when they are answered. True: every key is known. */
bool keyset_ask(struct keyset *set);

/* RFC 6376 section 6.1.2 in its order, and the sizes of the profile. */
enum reason keyset_judge(const struct dkim_profile *profile, const struct signature *s,
			 const struct key *key);

/* Releases the keys. */
void keyset_end(struct keyset *set);
