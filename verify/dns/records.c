#include "verify/dns/records.h"

#include <assert.h>
#include <stdlib.h>

#include "base/eight.h"

/* Slots lie apart from the entries, so that looking for a name touches the entries only. */
struct entry {
	struct record record; /* first: records_release gets here from it */
	uint64_t expires_s;
	uint32_t users;
	uint32_t used; /* records.tick of the last use */
	uint32_t hash;
	uint16_t type; /* 0: free */
	uint8_t len;
	char name[QUESTION_NAME_MAX];
};

struct records {
	struct entry *entry;
	uint8_t *slot; /* RECORDS_SLOT octets for each entry */
	uint64_t seed;
	uint32_t sets; /* a power of two */
	uint32_t tick;
};

struct records *records_new(uint32_t n, uint64_t seed)
{
	struct records *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->sets = 1;
	while (r->sets <= n / RECORDS_WAYS / 2)
		r->sets *= 2;
	r->seed = seed;
	/* pages are touched as records come in */
	r->entry = calloc((size_t)r->sets * RECORDS_WAYS, sizeof *r->entry);
	r->slot = calloc((size_t)r->sets * RECORDS_WAYS, RECORDS_SLOT);
	if (!r->entry || !r->slot) {
		records_free(r);
		return NULL;
	}
	return r;
}

void records_free(struct records *r)
{
	if (!r)
		return;
	free(r->entry);
	free(r->slot);
	free(r);
}

static uint32_t hash_question(const struct records *r, const struct question *q)
{
	uint64_t seed = r->seed ^ (uint64_t)q->type << 32;
	return (uint32_t)(eight_hash(seed, q->name, q->len) >> 32);
}

static struct entry *set_of(const struct records *r, uint32_t hash)
{
	return r->entry + (size_t)(hash & (r->sets - 1)) * RECORDS_WAYS;
}

static struct record *use(struct records *r, struct entry *e)
{
	e->users++;
	e->used = ++r->tick;
	return &e->record;
}

static struct record *find(struct records *r, const struct question *q, uint32_t hash,
			   uint64_t clock_s)
{
	struct entry *set = set_of(r, hash);
	for (unsigned i = 0; i < RECORDS_WAYS; i++)
		if (set[i].hash == hash && set[i].type == q->type && set[i].len == q->len &&
		    set[i].expires_s > clock_s && memcmp(set[i].name, q->name, q->len) == 0)
			return use(r, &set[i]);
	return NULL;
}

struct record *records_find(struct records *r, const struct question *q, uint64_t clock_s)
{
	return find(r, q, hash_question(r, q), clock_s);
}

/* A free entry, or one whose time is over, or the one used longest ago; NULL: all are in use. */
static struct entry *victim(const struct records *r, struct entry *set, uint64_t clock_s)
{
	struct entry *oldest = NULL;
	for (unsigned i = 0; i < RECORDS_WAYS; i++) {
		struct entry *e = &set[i];
		if (!e->type || (!e->users && e->expires_s <= clock_s))
			return e;
		/* the difference goes right over the wrap of the tick */
		if (!e->users && (!oldest || r->tick - e->used > r->tick - oldest->used))
			oldest = e;
	}
	return oldest;
}

static size_t size_of(const struct answer *answer)
{
	size_t n = answer->n * sizeof(struct answer_rr);
	for (unsigned i = 0; i < answer->n; i++)
		n += answer->rr[i].data.n;
	return n;
}

/* Copies an answer that fits into the slot. */
static void fill(struct record *record, uint8_t *slot, const struct answer *answer)
{
	struct answer_rr *rr = (struct answer_rr *)slot;
	uint8_t *p = (uint8_t *)&rr[answer->n];
	for (unsigned i = 0; i < answer->n; i++) {
		struct bytes data = answer->rr[i].data;
		if (data.n)
			memcpy(p, data.p, data.n);
		rr[i].data = bytes_of(p, data.n);
		p += data.n;
	}
	*record = (struct record){ .answer = *answer };
	record->answer.rr = rr;
	arena_init(&record->space, p, RECORDS_SLOT - (size_t)(p - slot));
}

struct record *records_put(struct records *r, const struct question *q, const struct answer *answer,
			   uint64_t clock_s, uint32_t ttl_max_s)
{
	bool negative = answer->status == ANSWER_NODATA || answer->status == ANSWER_NXDOMAIN;
	if (!q->type || (answer->status != ANSWER_DATA && !negative) ||
	    size_of(answer) > RECORDS_SLOT)
		return NULL;
	/* another message may have brought it meanwhile */
	uint32_t hash = hash_question(r, q);
	struct record *known = find(r, q, hash, clock_s);
	if (known)
		return known;
	if (negative && ttl_max_s > RECORDS_NEGATIVE_MAX_S)
		ttl_max_s = RECORDS_NEGATIVE_MAX_S;
	uint32_t ttl_s = answer->ttl_s < ttl_max_s ? answer->ttl_s : ttl_max_s;
	struct entry *e = victim(r, set_of(r, hash), clock_s);
	if (!ttl_s || !e)
		return NULL;
	fill(&e->record, r->slot + (size_t)(e - r->entry) * RECORDS_SLOT, answer);
	e->expires_s = clock_s + ttl_s;
	e->users = 0;
	e->hash = hash;
	e->type = q->type;
	e->len = q->len;
	memcpy(e->name, q->name, q->len);
	return use(r, e);
}

void records_release(struct record *record)
{
	struct entry *e = (struct entry *)record;
	assert(e->users > 0);
	e->users--;
}
