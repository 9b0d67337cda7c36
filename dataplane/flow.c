#include "dataplane/flow.h"

#include <emmintrin.h>
#include <stdlib.h>

#include "base/eight.h"
#include "base/memory.h"

/*
 * A bucket is one cache line: eight tags of 16 bits, compared at once, and the indices of eight
 * flows. A key may stand in two buckets, and the second can be told from the first and the tag
 * alone, so a flow can change its bucket without a look at its key. It goes to its first bucket
 * while there is room, and that has room nearly always: there are at least 8/5 as many slots as
 * flows. `strays` counts the flows that had to go to their second bucket; only where it is not 0 is
 * the second one read.
 *
 * A flow is one cache line too: its key, and its place in one of two lists, idle and busy, oldest
 * use first. Moving it to a list's end touches its neighbours, so flow_touch does that only when
 * the last move was FLOW_COARSE_NS ago or more, or when it changes the list: "oldest" is true to
 * one second.
 *
 * Flows are spread over so many buckets as their number asks for, which is doubled in place, so
 * that a table of which little is used touches little memory.
 */
enum {
	FLOW_WAYS = 8,
	FLOW_LOAD = 5, /* flows for which there is one bucket */
	FLOW_COARSE_NS = 1000000000,
};

struct bucket {
	_Alignas(64) uint16_t tag[FLOW_WAYS]; /* 0: free */
	uint32_t flow[FLOW_WAYS];
	uint32_t strays; /* flows whose first bucket this is and that stand in their second */
};

struct entry {
	_Alignas(64) uint8_t address[32]; /* a and b of the key */
	uint32_t ports, hash;
	uint32_t older, newer; /* FLOW_NONE at the ends; `newer` also chains free entries */
	uint8_t list; /* enum list */
	uint64_t last_ns;
};

enum list { LIST_IDLE, LIST_BUSY, LIST_FREE };

struct flow_table {
	struct bucket *bucket;
	struct entry *entry;
	uint64_t secret[3];
	uint32_t mask; /* buckets in use - 1 */
	uint32_t mask_max; /* all buckets - 1 */
	uint32_t max, count;
	uint32_t used; /* entries ever used: those behind were never touched */
	uint32_t free;
	uint32_t oldest[2], newest[2];
	size_t bucket_bytes, entry_bytes;
};

/* Where a key may stand. */
struct place {
	uint32_t first, second;
	uint16_t tag;
};

static uint32_t ports_of(const struct flow_key *key)
{
	return (uint32_t)key->a_port << 16 | key->b_port;
}

static uint32_t hash_key(const struct flow_key *key, const uint64_t secret[3])
{
	uint64_t a = eight_fold(eight_load(key->a) ^ secret[0], eight_load(key->a + 8) ^ secret[1]);
	uint64_t b = eight_fold(eight_load(key->b) ^ secret[1], eight_load(key->b + 8) ^ secret[2]);
	uint64_t hash = eight_fold(a ^ secret[2], (b + ports_of(key)) ^ secret[0]);
	return (uint32_t)(hash ^ hash >> 32);
}

static uint32_t other_bucket(const struct flow_table *t, uint32_t bucket, uint16_t tag)
{
	/* odd, so never the same bucket where there are two; its own inverse */
	return (bucket ^ (tag * 0x5bd1e995u | 1)) & t->mask;
}

static struct place place_of(const struct flow_table *t, uint32_t hash)
{
	struct place at = { .first = hash & t->mask, .tag = (uint16_t)(hash >> 16) };
	if (!at.tag)
		at.tag = 1;
	at.second = other_bucket(t, at.first, at.tag);
	return at;
}

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

struct flow_table *flow_new(uint32_t max, uint32_t first, uint32_t seed)
{
	struct flow_table *t = calloc(1, sizeof *t);
	if (!t || !max)
		goto err0;
	uint64_t state = seed;
	for (int i = 0; i < 3; i++)
		t->secret[i] = splitmix(&state);
	uint64_t buckets = 2;
	while (buckets * FLOW_LOAD < max) {
		if (buckets * FLOW_LOAD < first)
			t->mask = (uint32_t)(buckets * 2 - 1);
		buckets *= 2;
	}
	t->mask |= 1;
	t->mask_max = (uint32_t)(buckets - 1);
	t->max = max;
	t->free = FLOW_NONE;
	for (int i = 0; i < 2; i++)
		t->oldest[i] = t->newest[i] = FLOW_NONE;
	t->bucket_bytes = buckets * sizeof *t->bucket;
	t->entry_bytes = (size_t)max * sizeof *t->entry;
	t->bucket = memory_new(t->bucket_bytes, true);
	t->entry = memory_new(t->entry_bytes, true);
	if (!t->bucket || !t->entry)
		goto err0;
	return t;
err0:
	flow_free(t);
	return NULL;
}

void flow_free(struct flow_table *t)
{
	if (!t)
		return;
	memory_free(t->bucket, t->bucket_bytes);
	memory_free(t->entry, t->entry_bytes);
	free(t);
}

/* In network order, as addresses are compared. */
static bool is_above(const uint8_t *a, const uint8_t *b, uint8_t ip_version)
{
	if (ip_version == 4) {
		uint32_t x, y;
		memcpy(&x, a, 4);
		memcpy(&y, b, 4);
		return __builtin_bswap32(x) > __builtin_bswap32(y);
	}
	uint64_t x = eight_load(a), y = eight_load(b);
	if (x == y)
		x = eight_load(a + 8), y = eight_load(b + 8);
	return __builtin_bswap64(x) > __builtin_bswap64(y);
}

static void set_address(uint8_t to[16], const uint8_t *ip, uint8_t ip_version)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	if (ip_version != 4) {
		memcpy(to, ip, 16);
		return;
	}
	memcpy(to, mapped, 12);
	memcpy(to + 12, ip, 4);
}

void flow_key(const struct flow_table *t, struct flow_key *key, const struct packet *pkt,
	      bool *reversed)
{
	uint8_t version = pkt->ip_version;
	bool swap = is_above(pkt->src, pkt->dst, version) ||
		    (pkt->sport > pkt->dport && !is_above(pkt->dst, pkt->src, version));
	set_address(key->a, swap ? pkt->dst : pkt->src, version);
	set_address(key->b, swap ? pkt->src : pkt->dst, version);
	key->a_port = swap ? pkt->dport : pkt->sport;
	key->b_port = swap ? pkt->sport : pkt->dport;
	key->hash = hash_key(key, t->secret);
	*reversed = swap;
}

void flow_key_at(const struct flow_table *t, uint32_t flow, struct flow_key *key)
{
	const struct entry *e = &t->entry[flow];
	memcpy(key->a, e->address, 16);
	memcpy(key->b, e->address + 16, 16);
	key->a_port = (uint16_t)(e->ports >> 16);
	key->b_port = (uint16_t)e->ports;
	key->hash = e->hash;
}

/* One bit of the result for each slot that holds tag. */
static unsigned match(const struct bucket *b, uint16_t tag)
{
	__m128i equal = _mm_cmpeq_epi16(_mm_load_si128((const __m128i *)b->tag),
					_mm_set1_epi16((short)tag));
	return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128()));
}

static bool is_key(const struct entry *e, const struct flow_key *key)
{
	uint64_t differ = (eight_load(e->address) ^ eight_load(key->a)) |
			  (eight_load(e->address + 8) ^ eight_load(key->a + 8)) |
			  (eight_load(e->address + 16) ^ eight_load(key->b)) |
			  (eight_load(e->address + 24) ^ eight_load(key->b + 8));
	return e->ports == ports_of(key) && !differ;
}

static uint32_t find(const struct flow_table *t, const struct bucket *b, uint16_t tag,
		     const struct flow_key *key)
{
	for (unsigned m = match(b, tag); m; m &= m - 1) {
		uint32_t flow = b->flow[__builtin_ctz(m)];
		if (is_key(&t->entry[flow], key))
			return flow;
	}
	return FLOW_NONE;
}

void flow_prefetch(const struct flow_table *t, const struct flow_key *key, int round)
{
	struct place at = place_of(t, key->hash);
	const struct bucket *b = &t->bucket[at.first];
	if (round == 0) {
		__builtin_prefetch(b);
		return;
	}
	unsigned m = match(b, at.tag);
	if (!m && b->strays) {
		b = &t->bucket[at.second];
		m = match(b, at.tag);
	}
	if (m)
		__builtin_prefetch(&t->entry[b->flow[__builtin_ctz(m)]]);
}

uint32_t flow_lookup(const struct flow_table *t, const struct flow_key *key)
{
	struct place at = place_of(t, key->hash);
	const struct bucket *b = &t->bucket[at.first];
	uint32_t flow = find(t, b, at.tag, key);
	if (flow == FLOW_NONE && b->strays)
		flow = find(t, &t->bucket[at.second], at.tag, key);
	return flow;
}

/* ---- lists ---- */

static void list_add(struct flow_table *t, enum list list, uint32_t flow)
{
	struct entry *e = &t->entry[flow];
	e->list = (uint8_t)list;
	e->newer = FLOW_NONE;
	e->older = t->newest[list];
	if (e->older != FLOW_NONE)
		t->entry[e->older].newer = flow;
	else
		t->oldest[list] = flow;
	t->newest[list] = flow;
}

static void list_cut(struct flow_table *t, uint32_t flow)
{
	struct entry *e = &t->entry[flow];
	if (e->older != FLOW_NONE)
		t->entry[e->older].newer = e->newer;
	else
		t->oldest[e->list] = e->newer;
	if (e->newer != FLOW_NONE)
		t->entry[e->newer].older = e->older;
	else
		t->newest[e->list] = e->older;
}

/* ---- changes ---- */

static void set(struct bucket *b, unsigned way, uint16_t tag, uint32_t flow)
{
	b->tag[way] = tag;
	b->flow[way] = flow;
}

/*
 * Both buckets of a key are full: moves one of their flows to its other bucket. That one was in its
 * first bucket and becomes a stray, or it was a stray and comes home.
 */
static bool make_room(struct flow_table *t, uint32_t from)
{
	struct bucket *b = &t->bucket[from];
	for (unsigned i = 0; i < FLOW_WAYS; i++) {
		struct bucket *to = &t->bucket[other_bucket(t, from, b->tag[i])];
		unsigned room = match(to, 0);
		if (!room)
			continue;
		if (place_of(t, t->entry[b->flow[i]].hash).first == from)
			b->strays++;
		else
			to->strays--;
		set(to, (unsigned)__builtin_ctz(room), b->tag[i], b->flow[i]);
		b->tag[i] = 0;
		return true;
	}
	return false;
}

/* Puts the flow in one of its buckets; false when not even moving another one helps. */
static bool put(struct flow_table *t, struct place at, uint32_t flow)
{
	struct bucket *first = &t->bucket[at.first], *second = &t->bucket[at.second];
	if (!match(first, 0) && !match(second, 0) && !make_room(t, at.first) &&
	    !make_room(t, at.second))
		return false;
	unsigned room = match(first, 0);
	if (room) {
		set(first, (unsigned)__builtin_ctz(room), at.tag, flow);
		return true;
	}
	room = match(second, 0);
	set(second, (unsigned)__builtin_ctz(room), at.tag, flow);
	first->strays++;
	return true;
}

/*
 * All flows over twice as many buckets. With one more bit of its hash a key's first bucket is the
 * one it was or its twin, and so is its second. So each flow stays what it is, at home or a stray,
 * and there is always room: a bucket and its twin share eight flows.
 */
static void spread(struct flow_table *t)
{
	uint32_t half = t->mask + 1;
	t->mask += half;
	for (uint32_t i = 0; i < half; i++)
		t->bucket[i].strays = 0;
	for (uint32_t i = 0; i < half; i++) {
		struct bucket *b = &t->bucket[i];
		for (unsigned m = ~match(b, 0) & 0xff; m; m &= m - 1) {
			unsigned way = (unsigned)__builtin_ctz(m);
			struct place at = place_of(t, t->entry[b->flow[way]].hash);
			bool stray = (at.first & (half - 1)) != i;
			struct bucket *to = &t->bucket[stray ? at.second : at.first];
			t->bucket[at.first].strays += stray;
			if (to == b)
				continue;
			set(to, way, at.tag, b->flow[way]);
			b->tag[way] = 0;
		}
	}
}

uint32_t flow_insert(struct flow_table *t, const struct flow_key *key, uint64_t now_ns)
{
	if (t->count == t->max)
		return FLOW_NONE;
	if (t->mask < t->mask_max && t->count >= ((uint64_t)t->mask + 1) * FLOW_LOAD)
		spread(t);
	uint32_t flow = t->free != FLOW_NONE ? t->free : t->used;
	if (!put(t, place_of(t, key->hash), flow))
		return FLOW_NONE;
	struct entry *e = &t->entry[flow];
	if (flow == t->free)
		t->free = e->newer;
	else
		t->used++;
	memcpy(e->address, key->a, 16);
	memcpy(e->address + 16, key->b, 16);
	e->ports = ports_of(key);
	e->hash = key->hash;
	e->last_ns = now_ns;
	list_add(t, LIST_IDLE, flow);
	t->count++;
	return flow;
}

void flow_touch(struct flow_table *t, uint32_t flow, uint64_t now_ns, bool busy)
{
	struct entry *e = &t->entry[flow];
	enum list list = busy ? LIST_BUSY : LIST_IDLE;
	if (e->list == list && now_ns - e->last_ns < FLOW_COARSE_NS)
		return;
	e->last_ns = now_ns;
	list_cut(t, flow);
	list_add(t, list, flow);
}

uint32_t flow_victim(const struct flow_table *t, bool *busy)
{
	*busy = t->oldest[LIST_IDLE] == FLOW_NONE;
	return t->oldest[*busy ? LIST_BUSY : LIST_IDLE];
}

uint32_t flow_expired(const struct flow_table *t, uint64_t before_ns)
{
	uint32_t found = FLOW_NONE;
	for (int i = 0; i < 2; i++) {
		uint32_t flow = t->oldest[i];
		if (flow == FLOW_NONE || t->entry[flow].last_ns >= before_ns)
			continue;
		if (found == FLOW_NONE || t->entry[flow].last_ns < t->entry[found].last_ns)
			found = flow;
	}
	return found;
}

/* The slot of a flow in a bucket, or FLOW_WAYS. */
static unsigned slot_of(const struct bucket *b, uint16_t tag, uint32_t flow)
{
	for (unsigned m = match(b, tag); m; m &= m - 1)
		if (b->flow[__builtin_ctz(m)] == flow)
			return (unsigned)__builtin_ctz(m);
	return FLOW_WAYS;
}

void flow_remove(struct flow_table *t, uint32_t flow)
{
	struct entry *e = &t->entry[flow];
	struct place at = place_of(t, e->hash);
	struct bucket *b = &t->bucket[at.first];
	unsigned way = slot_of(b, at.tag, flow);
	if (way == FLOW_WAYS) {
		b = &t->bucket[at.second];
		way = slot_of(b, at.tag, flow);
		t->bucket[at.first].strays -= way != FLOW_WAYS;
	}
	if (way != FLOW_WAYS)
		b->tag[way] = 0;
	list_cut(t, flow);
	e->list = LIST_FREE;
	e->newer = t->free;
	t->free = flow;
	t->count--;
}

uint32_t flow_count(const struct flow_table *t)
{
	return t->count;
}

size_t flow_size(void)
{
	/* at worst two fifths of a bucket for each flow: the number of buckets is a power of two */
	return sizeof(struct entry) + (sizeof(struct bucket) * 2 + 4) / 5;
}
