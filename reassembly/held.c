#include "reassembly/held.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/pool.h"

enum { HELD_WORDS = HELD_PAGE / 64, HELD_MARKS = 128 };

/*
 * HELD_PAGE octets of sequence space, the bits of those that are there, and the places where their
 * acknowledgement changes: before the first mark it is `ack`. With all marks in use an octet may
 * get that of its neighbours.
 */
struct held_piece {
	uint32_t chain; /* next in the bucket; this and the links below: index + 1, 0 is the end */
	uint32_t next, prev; /* of the owner */
	uint32_t id; /* of the owner */
	uint32_t page; /* its first sequence number */
	uint32_t n; /* octets that are there */
	uint32_t ack;
	uint32_t n_marks;
	uint32_t mark_ack[HELD_MARKS];
	uint16_t mark[HELD_MARKS]; /* offsets, rising */
	uint64_t have[HELD_WORDS];
	uint8_t data[HELD_PAGE];
};

struct held_owner {
	uint32_t id;
	uint32_t first; /* its pieces, index + 1 */
	uint32_t n;
	uint32_t older, newer; /* index + 1 */
};

/*
 * Pieces are found by (owner's id, page) in one table of buckets for all. An id is given once, so a
 * stream that lost everything finds nothing under its old one.
 */
struct held_pool {
	struct pool *pieces, *owners;
	uint32_t *bucket;
	unsigned shift;
	uint32_t seed; /* so that nobody outside can choose the buckets */
	uint32_t id;
	uint32_t oldest, newest;
	uint64_t stolen;
};

struct held_pool *held_pool_new(uint64_t memory)
{
	uint64_t n = memory / sizeof(struct held_piece);
	if (n > UINT32_MAX / 4)
		n = UINT32_MAX / 4;
	struct held_pool *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	unsigned bits = 4;
	while (bits < 31 && ((uint64_t)1 << bits) < 2 * n)
		bits++;
	p->shift = 32 - bits;
	p->pieces = pool_new(sizeof(struct held_piece), (uint32_t)n);
	p->owners = pool_new(sizeof(struct held_owner), (uint32_t)n);
	p->bucket = calloc((size_t)1 << bits, sizeof *p->bucket);
	if (!p->pieces || !p->owners || !p->bucket ||
	    getrandom(&p->seed, sizeof p->seed, 0) != sizeof p->seed) {
		held_pool_free(p);
		return NULL;
	}
	return p;
}

void held_pool_free(struct held_pool *p)
{
	if (!p)
		return;
	pool_free(p->pieces);
	pool_free(p->owners);
	free(p->bucket);
	free(p);
}

size_t held_cost(void)
{
	return sizeof(struct held_piece);
}

bool held_pool_whole(const struct held_pool *p)
{
	/* there are as many of both */
	return !p->oldest && pool_left(p->pieces) == pool_left(p->owners);
}

uint64_t held_stolen(const struct held_pool *p)
{
	return p->stolen;
}

static struct held_owner *held_owner(const struct held_pool *p, const struct held *h)
{
	if (!h->owner)
		return NULL;
	struct held_owner *o = pool_at(p->owners, h->owner - 1);
	return o->id == h->id ? o : NULL;
}

bool held_none(const struct held_pool *p, const struct held *h)
{
	return !held_owner(p, h);
}

uint32_t held_pages(const struct held_pool *p, const struct held *h)
{
	const struct held_owner *o = held_owner(p, h);
	return o ? o->n : 0;
}

static uint32_t *held_bucket(const struct held_pool *p, uint32_t id, uint32_t page)
{
	uint32_t x = (id * 0x9e3779b1u) ^ (page / HELD_PAGE * 0x85ebca6bu) ^ p->seed;
	x ^= x >> 15;
	x *= 0x2c1b3c6du;
	x ^= x >> 13;
	return &p->bucket[x * 0x297a2d39u >> p->shift];
}

static struct held_piece *held_find(const struct held_pool *p, const struct held *h, uint32_t seq)
{
	uint32_t page = seq & ~(uint32_t)(HELD_PAGE - 1);
	for (uint32_t i = *held_bucket(p, h->id, page); i;) {
		struct held_piece *e = pool_at(p->pieces, i - 1);
		if (e->id == h->id && e->page == page)
			return e;
		i = e->chain;
	}
	return NULL;
}

/* The owner is gone when its last piece goes: ids are never 0, so no stream finds it. */
static void held_owner_free(struct held_pool *p, struct held_owner *o)
{
	*(o->older ? &((struct held_owner *)pool_at(p->owners, o->older - 1))->newer : &p->oldest) =
		o->newer;
	*(o->newer ? &((struct held_owner *)pool_at(p->owners, o->newer - 1))->older : &p->newest) =
		o->older;
	o->id = 0;
	pool_give(p->owners, pool_index(p->owners, o));
}

static void held_piece_free(struct held_pool *p, struct held_owner *o, struct held_piece *e)
{
	uint32_t self = pool_index(p->pieces, e) + 1;
	uint32_t *link = held_bucket(p, e->id, e->page);
	while (*link != self)
		link = &((struct held_piece *)pool_at(p->pieces, *link - 1))->chain;
	*link = e->chain;
	*(e->prev ? &((struct held_piece *)pool_at(p->pieces, e->prev - 1))->next : &o->first) =
		e->next;
	if (e->next)
		((struct held_piece *)pool_at(p->pieces, e->next - 1))->prev = e->prev;
	pool_give(p->pieces, self - 1);
	if (--o->n == 0)
		held_owner_free(p, o);
}

/* The same on the stream's own wish: it knows when that was the last one. */
static void held_piece_gone(struct held_pool *p, struct held *h, struct held_owner *o,
			    struct held_piece *e)
{
	bool last = o->n == 1;
	held_piece_free(p, o, e);
	if (last)
		*h = (struct held){ 0 };
}

static void held_empty(struct held_pool *p, struct held_owner *o)
{
	for (uint32_t n = o->n; n > 0; n--)
		held_piece_free(p, o, pool_at(p->pieces, o->first - 1));
}

void held_clear(struct held_pool *p, struct held *h)
{
	struct held_owner *o = held_owner(p, h);
	if (o)
		held_empty(p, o);
	*h = (struct held){ 0 };
}

/* A free piece, if need be from the oldest other owner; POOL_NONE when `h` is the oldest itself. */
static uint32_t held_take(struct held_pool *p, const struct held *h)
{
	uint32_t i = pool_take(p->pieces);
	if (i != POOL_NONE || !p->oldest)
		return i;
	struct held_owner *o = pool_at(p->owners, p->oldest - 1);
	if (o == held_owner(p, h))
		return POOL_NONE;
	held_empty(p, o);
	p->stolen++;
	return pool_take(p->pieces);
}

static struct held_owner *held_owner_new(struct held_pool *p, struct held *h)
{
	uint32_t i = pool_take(p->owners); /* as many as pieces, and a piece was there */
	if (i == POOL_NONE)
		return NULL;
	struct held_owner *o = pool_at(p->owners, i);
	if (++p->id == 0)
		p->id = 1;
	*o = (struct held_owner){ .id = p->id, .older = p->newest };
	*(p->newest ? &((struct held_owner *)pool_at(p->owners, p->newest - 1))->newer
		    : &p->oldest) = i + 1;
	p->newest = i + 1;
	*h = (struct held){ .owner = i + 1, .id = o->id };
	return o;
}

static struct held_piece *held_piece_new(struct held_pool *p, struct held *h, uint32_t seq,
					 uint32_t pages)
{
	struct held_owner *o = held_owner(p, h);
	if ((o ? o->n : 0) >= pages)
		return NULL;
	uint32_t i = held_take(p, h);
	if (i == POOL_NONE)
		return NULL;
	if (!o && !(o = held_owner_new(p, h))) {
		pool_give(p->pieces, i);
		return NULL;
	}
	struct held_piece *e = pool_at(p->pieces, i);
	e->page = seq & ~(uint32_t)(HELD_PAGE - 1);
	e->id = o->id;
	e->n = e->n_marks = 0;
	memset(e->have, 0, sizeof e->have);
	e->prev = 0;
	e->next = o->first;
	if (e->next)
		((struct held_piece *)pool_at(p->pieces, e->next - 1))->prev = i + 1;
	o->first = i + 1;
	o->n++;
	uint32_t *bucket = held_bucket(p, e->id, e->page);
	e->chain = *bucket;
	*bucket = i + 1;
	return e;
}

/* Bits [lo, hi) of a word. */
static uint64_t held_mask(unsigned lo, unsigned hi)
{
	return (hi == 64 ? 0 : (uint64_t)1 << hi) - ((uint64_t)1 << lo);
}

/* Marks at or before offset off. */
static unsigned held_marks_to(const struct held_piece *e, unsigned off)
{
	unsigned n = 0;
	while (n < e->n_marks && e->mark[n] <= off)
		n++;
	return n;
}

static uint32_t held_ack(const struct held_piece *e, unsigned marks)
{
	return marks ? e->mark_ack[marks - 1] : e->ack;
}

/* Octets [from, to) have this acknowledgement, those behind them the one they had. */
static void held_set_ack(struct held_piece *e, unsigned from, unsigned to, uint32_t ack)
{
	if (e->n == 0) {
		e->ack = ack;
		return;
	}
	unsigned behind = held_marks_to(e, to), first = from ? held_marks_to(e, from - 1) : 0;
	uint32_t after = held_ack(e, behind);
	bool begin = from == 0 || held_ack(e, first) != ack, end = to < HELD_PAGE && after != ack;
	unsigned fresh = (unsigned)begin + end, left = e->n_marks - behind;
	if (first + fresh + left > HELD_MARKS)
		return;
	memmove(e->mark + first + fresh, e->mark + behind, left * sizeof e->mark[0]);
	memmove(e->mark_ack + first + fresh, e->mark_ack + behind, left * sizeof e->mark_ack[0]);
	if (begin) {
		e->mark[first] = (uint16_t)from;
		e->mark_ack[first] = ack;
	}
	if (end) {
		e->mark[first + begin] = (uint16_t)to;
		e->mark_ack[first + begin] = after;
	}
	e->n_marks = first + fresh + left;
}

/* Octets [lo, hi) of word w: the first copy stays. */
static void held_word(struct held_piece *e, unsigned w, unsigned lo, unsigned hi,
		      const uint8_t *data, uint32_t ack, struct held_put *out)
{
	uint64_t mask = held_mask(lo, hi), there = e->have[w] & mask;
	uint8_t *own = e->data + w * 64 + lo;
	if (there == mask) {
		out->differs |= memcmp(own, data, hi - lo) != 0;
		return;
	}
	if (there == 0) {
		memcpy(own, data, hi - lo);
		held_set_ack(e, w * 64 + lo, w * 64 + hi, ack);
	} else {
		for (unsigned i = 0; i < hi - lo; i++) {
			if (there >> (lo + i) & 1) {
				out->differs |= own[i] != data[i];
				continue;
			}
			own[i] = data[i];
			held_set_ack(e, w * 64 + lo + i, w * 64 + lo + i + 1, ack);
		}
	}
	out->fresh = true;
	e->have[w] |= mask;
	e->n += (uint32_t)__builtin_popcountll(mask & ~there);
}

struct held_put held_put(struct held_pool *p, struct held *h, uint32_t seq, struct bytes data,
			 uint32_t ack, uint32_t pages)
{
	struct held_put out = { 0 };
	while (out.placed < data.n) {
		uint32_t at = seq + (uint32_t)out.placed;
		struct held_piece *e = held_find(p, h, at);
		if (!e && !(e = held_piece_new(p, h, at, pages)))
			break;
		unsigned off = at % HELD_PAGE;
		size_t left = data.n - out.placed;
		unsigned end = left < HELD_PAGE - off ? off + (unsigned)left : HELD_PAGE;
		while (off < end) {
			unsigned w = off / 64, lo = off % 64, hi = end - w * 64;
			if (hi > 64)
				hi = 64;
			held_word(e, w, lo, hi, data.p + out.placed, ack, &out);
			out.placed += hi - lo;
			off += hi - lo;
		}
	}
	return out;
}

struct bytes held_at(const struct held_pool *p, const struct held *h, uint32_t seq, uint32_t *ack)
{
	const struct held_piece *e = held_owner(p, h) ? held_find(p, h, seq) : NULL;
	unsigned off = seq % HELD_PAGE, end = off;
	if (!e)
		return (struct bytes){ 0 };
	unsigned marks = held_marks_to(e, off), stop = HELD_PAGE;
	*ack = held_ack(e, marks);
	while (marks < e->n_marks && e->mark_ack[marks] == *ack)
		marks++;
	if (marks < e->n_marks)
		stop = e->mark[marks];
	while (end < stop) {
		unsigned lo = end % 64;
		uint64_t gone = ~e->have[end / 64] >> lo;
		if (gone) {
			unsigned run = (unsigned)__builtin_ctzll(gone);
			if (run < 64 - lo) {
				end += run;
				break;
			}
		}
		end += 64 - lo;
	}
	return bytes_of(e->data + off, (end < stop ? end : stop) - off);
}

bool held_near(const struct held_pool *p, const struct held *h, uint32_t seq, size_t n)
{
	if (n == 0 || !held_owner(p, h))
		return false;
	if (n > 4 * (size_t)HELD_PAGE)
		return true;
	uint32_t page = seq & ~(uint32_t)(HELD_PAGE - 1);
	for (; (int32_t)(seq + (uint32_t)n - page) > 0; page += HELD_PAGE)
		if (held_find(p, h, page))
			return true;
	return false;
}

/* First octet of e at or behind offset off; HELD_PAGE: none. */
static unsigned held_first_in(const struct held_piece *e, unsigned off)
{
	for (unsigned w = off / 64, lo = off % 64; w < HELD_WORDS; w++, lo = 0) {
		uint64_t have = e->have[w] & held_mask(lo, 64);
		if (have)
			return w * 64 + (unsigned)__builtin_ctzll(have);
	}
	return HELD_PAGE;
}

bool held_first(const struct held_pool *p, const struct held *h, uint32_t from, uint32_t *seq)
{
	const struct held_owner *o = held_owner(p, h);
	const struct held_piece *best = NULL;
	if (!o)
		return false;
	const struct held_piece *e = held_find(p, h, from);
	unsigned off = e ? held_first_in(e, from % HELD_PAGE) : HELD_PAGE;
	if (off < HELD_PAGE) {
		*seq = e->page + off;
		return true;
	}
	for (uint32_t i = o->first; i; i = e->next) {
		e = pool_at(p->pieces, i - 1);
		if ((int32_t)(e->page - from) > 0 && (!best || (int32_t)(e->page - best->page) < 0))
			best = e;
	}
	if (!best)
		return false;
	*seq = best->page + held_first_in(best, 0);
	return true;
}

void held_drop(struct held_pool *p, struct held *h, uint32_t seq, size_t n)
{
	for (size_t done = 0; done < n;) {
		struct held_owner *o = held_owner(p, h);
		if (!o)
			return;
		uint32_t at = seq + (uint32_t)done;
		unsigned off = at % HELD_PAGE;
		unsigned end = n - done < HELD_PAGE - off ? off + (unsigned)(n - done) : HELD_PAGE;
		struct held_piece *e = held_find(p, h, at);
		done += end - off;
		if (!e)
			continue;
		while (off < end) {
			unsigned w = off / 64, hi = end - w * 64;
			uint64_t mask = held_mask(off % 64, hi > 64 ? 64 : hi) & e->have[w];
			e->have[w] &= ~mask;
			e->n -= (uint32_t)__builtin_popcountll(mask);
			off = (w + 1) * 64;
		}
		if (e->n == 0)
			held_piece_gone(p, h, o, e);
	}
}

bool held_drop_last(struct held_pool *p, struct held *h, uint32_t from, uint32_t beyond)
{
	struct held_owner *o = held_owner(p, h);
	struct held_piece *last = NULL;
	for (uint32_t i = o ? o->first : 0; i;) {
		struct held_piece *e = pool_at(p->pieces, i - 1);
		if (!last || (int32_t)(e->page - from) > (int32_t)(last->page - from))
			last = e;
		i = e->next;
	}
	if (!last || (int32_t)(last->page - beyond) <= 0)
		return false;
	held_piece_gone(p, h, o, last);
	return true;
}
