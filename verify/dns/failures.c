#include "verify/dns/failures.h"

#include <stdlib.h>

/*
 * Whose fault a failure is cannot be seen: a question is forwarded, and which server was silent is
 * not told. So it counts for the name and for each domain above it, with one exception: a domain is
 * not blamed twice running for the same child. A dead sub.example.com then is left alone itself
 * before example.com is, which has failed only through one child; names made up under example.com,
 * however deep, are different children of it. Several messages that waited for one name count
 * for that name only.
 */

struct entry {
	uint64_t key; /* seeded hash of the domain; 0: free */
	uint64_t until_ms; /* left alone; 0: it is not */
	uint64_t last_ms; /* of its last failure */
	uint32_t failed; /* in a row */
	uint32_t child; /* hash of the label under it that failed last */
};

struct failures {
	struct failures_setup s;
	uint32_t n; /* entries that are not free; 0: there is nothing to look for */
	struct entry entry[FAILURES_MAX];
};

struct levels { /* of one name, the registrable domain first */
	unsigned n;
	uint64_t key[FAILURES_LEVELS];
	uint32_t child[FAILURES_LEVELS]; /* 0: it is the name itself */
};

struct failures *failures_new(const struct failures_setup *setup)
{
	struct failures *f = calloc(1, sizeof *f);
	if (f)
		f->s = *setup;
	return f;
}

void failures_free(struct failures *f)
{
	free(f);
}

/* Offset of the last n labels; 0 when there are not more. */
static size_t last_labels(struct bytes name, unsigned n)
{
	size_t at = name.n;
	for (; at > 0; at--)
		if (name.p[at - 1] == '.' && --n == 0)
			break;
	return at;
}

static bool ends_with(struct bytes name, const char *tail)
{
	size_t n = strlen(tail);
	return name.n > n && memcmp(name.p + name.n - n, tail, n) == 0;
}

/* The list is for names of hosts: one with other octets would be cut short there. */
static bool printable(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
			return false;
	return true;
}

/* Offset of the registrable domain in name; name.n when there is none. */
static size_t registrable(const struct failures *f, struct bytes name)
{
	if (ends_with(name, ".in-addr.arpa"))
		return last_labels(name, 2 + FAILURES_REVERSE4);
	if (ends_with(name, ".ip6.arpa"))
		return last_labels(name, 2 + FAILURES_REVERSE6);
	if (f->s.suffixes && printable(name))
		return name.n - suffixes_organization(f->s.suffixes, name).n;
	size_t two = last_labels(name, 2), tld = last_labels(name, 1);
	if (tld == 0)
		return name.n; /* a top-level domain */
	/* co.uk, com.au: short words under the two letters of a country */
	if (name.n - tld == 2 && tld - 1 - two <= 3)
		return two == 0 ? name.n : last_labels(name, 3);
	return two;
}

static uint64_t hash(uint64_t seed, const uint8_t *p, size_t n)
{
	uint64_t x = seed;
	for (size_t i = 0; i < n; i++) {
		x = (x ^ p[i]) * 0x9e3779b97f4a7c15u;
		x ^= x >> 29;
	}
	return x ? x : 1;
}

static void levels_of(const struct failures *f, const struct question *q, struct levels *l)
{
	struct bytes name = bytes_of(q->name, q->len);
	size_t at = registrable(f, name);
	l->n = 0;
	if (at >= name.n)
		return;
	for (;;) {
		l->key[l->n] = hash(f->s.seed, name.p + at, name.n - at);
		if (at == 0 || l->n == FAILURES_LEVELS - 1) { /* what is deeper is one with it */
			l->child[l->n++] = 0;
			return;
		}
		size_t down = at - 1; /* the dot in front */
		while (down > 0 && name.p[down - 1] != '.')
			down--;
		l->child[l->n++] = (uint32_t)hash(~f->s.seed, name.p + down, at - down) | 1;
		at = down;
	}
}

static struct entry *set_of(const struct failures *f, uint64_t key)
{
	size_t sets = FAILURES_MAX / FAILURES_WAYS;
	return (struct entry *)f->entry + (key >> 20) % sets * FAILURES_WAYS;
}

static struct entry *find(const struct failures *f, uint64_t key)
{
	struct entry *set = set_of(f, key);
	for (unsigned i = 0; i < FAILURES_WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

/* Long ago: it says nothing of today. */
static bool stale(const struct failures *f, const struct entry *e, uint64_t now_ms)
{
	uint64_t from_ms = e->until_ms > e->last_ms ? e->until_ms : e->last_ms;
	return now_ms > from_ms + f->s.leave_ms;
}

static struct entry *find_or_add(struct failures *f, uint64_t key, uint64_t now_ms)
{
	struct entry *e = find(f, key);
	if (e && !stale(f, e, now_ms))
		return e;
	if (!e) {
		struct entry *set = set_of(f, key);
		e = set;
		for (unsigned i = 0; i < FAILURES_WAYS && e->key; i++) {
			struct entry *o = &set[i];
			bool milder = !o->until_ms && e->until_ms;
			if (!o->key || milder ||
			    (!o->until_ms == !e->until_ms && o->last_ms < e->last_ms))
				e = o;
		}
		f->n += e->key == 0;
	}
	*e = (struct entry){ .key = key };
	return e;
}

static bool blocked(const struct failures *f, const struct levels *l, uint64_t now_ms)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct entry *e = find(f, l->key[i]);
		if (e && e->until_ms > now_ms)
			return true;
	}
	return false;
}

bool failures_left_alone(const struct failures *f, const struct question *q, uint64_t now_ms)
{
	struct levels l;
	if (f->n == 0)
		return false;
	levels_of(f, q, &l);
	return blocked(f, &l, now_ms);
}

enum failures_advice failures_before(struct failures *f, const struct question *q, uint64_t now_ms)
{
	struct levels l;
	enum failures_advice advice = FAILURES_ASK;
	if (f->n == 0)
		return FAILURES_ASK;
	levels_of(f, q, &l);
	if (blocked(f, &l, now_ms))
		return FAILURES_LEAVE;
	for (unsigned i = 0; i < l.n; i++) {
		struct entry *e = find(f, l.key[i]);
		if (e && e->until_ms && !stale(f, e, now_ms)) {
			e->until_ms = now_ms + f->s.probe_ms;
			advice = FAILURES_PROBE;
		}
	}
	return advice;
}

bool failures_failed(struct failures *f, const struct question *q, unsigned n, uint64_t now_ms)
{
	struct levels l;
	bool any = false;
	if (f->s.limit == 0)
		return false;
	levels_of(f, q, &l);
	for (unsigned i = 0; i < l.n; i++) {
		struct entry *e = find_or_add(f, l.key[i], now_ms);
		unsigned more = l.child[i] == 0 ? n : l.child[i] != e->child;
		e->child = l.child[i];
		e->last_ms = now_ms;
		e->failed = more < f->s.limit - e->failed ? e->failed + more : f->s.limit;
		if (e->failed < f->s.limit)
			continue;
		any |= e->until_ms <= now_ms;
		e->until_ms = now_ms + f->s.leave_ms;
	}
	return any;
}

void failures_answered(struct failures *f, const struct question *q)
{
	struct levels l;
	if (f->n == 0)
		return;
	levels_of(f, q, &l);
	for (unsigned i = 0; i < l.n; i++) {
		struct entry *e = find(f, l.key[i]);
		if (!e)
			continue;
		*e = (struct entry){ 0 };
		f->n--;
	}
}

uint64_t failures_domain(const struct failures *f, const struct question *q)
{
	struct bytes name = bytes_of(q->name, q->len);
	size_t at = registrable(f, name);
	at = at < name.n ? at : 0;
	return hash(f->s.seed, name.p + at, name.n - at);
}
