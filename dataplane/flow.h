/*
 * flow - which connection a segment belongs to: 5-tuple -> index, eviction, idle time.
 *
 * Direction-free key; VLANs and tunnels are left out of it. At most max flows; when full the oldest
 * idle flow is evicted, and only if there is none the oldest busy one. All memory at flow_new. What
 * a flow is for stands in arrays of the worker, by the same index.
 */
#pragma once

#include "base/packet.h"

enum { FLOW_NONE = UINT32_MAX };

struct flow_table;

struct flow_key {
	uint8_t a[16], b[16]; /* lower endpoint first, IPv4 mapped */
	uint16_t a_port, b_port;
	uint32_t hash;
};

/*
 * first: up to so many flows none is ever moved; behind it the flow that doubles their number pays
 * for all of them, and memory is touched as their number grows. seed: so that nobody outside can
 * choose the buckets. NULL when out of memory.
 */
struct flow_table *flow_new(uint32_t max, uint32_t first, uint32_t seed);
void flow_free(struct flow_table *t);

/* The key of a decoded segment, hashed with the table's seed; *reversed is true when src is
 * endpoint b. */
void flow_key(const struct flow_table *t, struct flow_key *key, const struct packet *pkt,
	      bool *reversed);

/* The key of a flow in the table. */
void flow_key_at(const struct flow_table *t, uint32_t flow, struct flow_key *key);

/* Fetches what flow_lookup of this key will touch. Two rounds over a burst: 0 buckets, 1 entries.
 */
void flow_prefetch(const struct flow_table *t, const struct flow_key *key, int round);

/* The index, or FLOW_NONE. */
uint32_t flow_lookup(const struct flow_table *t, const struct flow_key *key);

/* A new index for a key that is not in the table; FLOW_NONE when full: then evict first. */
uint32_t flow_insert(struct flow_table *t, const struct flow_key *key, uint64_t now_ns);

/*
 * Marks use; busy flows (in the middle of a message, octets held) are the last to be evicted.
 * Within one second of the last mark nothing is written unless busy changed, so ages are true to
 * one second. A mark before the last one replaces it.
 */
void flow_touch(struct flow_table *t, uint32_t flow, uint64_t now_ns, bool busy);

/* The flow to give up when full, idle before busy; FLOW_NONE when the table is empty. Does not
 * remove. */
uint32_t flow_victim(const struct flow_table *t, bool *busy);

/* The next flow whose last use is before `before_ns` (oldest first), or FLOW_NONE. Does not remove.
 */
uint32_t flow_expired(const struct flow_table *t, uint64_t before_ns);

void flow_remove(struct flow_table *t, uint32_t flow);
uint32_t flow_count(const struct flow_table *t);

/* Octets resident for each possible flow at most, all of the table's memory counted. */
size_t flow_size(void);
