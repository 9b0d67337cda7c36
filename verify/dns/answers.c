#include "verify/dns/answers.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>

/*
 * An answer is kept once and found in several spaces: that of its message by connection, that of
 * its message by octets, and the one of all records. A space is a number in the key of one hash
 * table.
 */

enum { ANSWERS_ALL = 1, ANSWERS_FIRST_TABLE = 1024 };

struct kept {
	struct kept *next;
	struct question q;
	struct answer a;
	struct answer_rr rr[];
};

struct slot { /* kept NULL: free */
	const struct kept *kept;
	uint32_t space;
	bool differs; /* records have different answers */
	bool vague; /* of a record that only its octets name */
};

struct place { /* a message; space 0: free */
	uint8_t key[33]; /* kind, then what names it */
	uint32_t space;
	uint64_t time_ns;
	uint32_t first, n; /* in order: of its first record */
	bool cut;
};

struct answers {
	struct kept *all;
	const struct kept **order; /* of all records, one behind the other */
	uint32_t n_order, cap_order;
	struct slot *slot;
	struct place *place;
	uint32_t n_slot, size_slot, n_place, size_place; /* sizes are powers of two */
	uint32_t spaces;
	struct answers_own now; /* of the record that is added to */
	bool vague; /* only its octets name it */
	bool first_place, first_octets; /* it is the first of its message */
	uint8_t key_place[33], key_octets[33];
};

static const struct answer answer_timeout = { .status = ANSWER_TIMEOUT };

static uint32_t mix(uint64_t h, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)p)[i]) * 0x100000001b3; /* the file is the operator's */
	return (uint32_t)(h ^ h >> 29);
}

struct answers *answers_new(void)
{
	struct answers *a = calloc(1, sizeof *a);
	if (!a)
		return NULL;
	a->spaces = ANSWERS_ALL;
	a->size_slot = a->size_place = ANSWERS_FIRST_TABLE;
	a->slot = calloc(a->size_slot, sizeof *a->slot);
	a->place = calloc(a->size_place, sizeof *a->place);
	if (a->slot && a->place)
		return a;
	answers_free(a);
	return NULL;
}

void answers_free(struct answers *a)
{
	if (!a)
		return;
	for (struct kept *k = a->all, *next; k; k = next) {
		next = k->next;
		free(k);
	}
	free(a->order);
	free(a->slot);
	free(a->place);
	free(a);
}

/* ---- messages ---- */

/* Where the key is or would stand. */
static struct place *place_at(struct place *place, uint32_t size, const uint8_t key[33])
{
	uint32_t i = mix(0, key, 33);
	while (place[i & (size - 1)].space && memcmp(place[i & (size - 1)].key, key, 33) != 0)
		i++;
	return &place[i & (size - 1)];
}

static void key_wire(uint8_t key[33], uint64_t flow_id, uint32_t tx_id)
{
	memset(key, 0, 33);
	key[0] = 'w';
	memcpy(key + 1, &flow_id, sizeof flow_id);
	memcpy(key + 9, &tx_id, sizeof tx_id);
}

/* False: OpenSSL is out of memory. */
static bool key_file(uint8_t key[33], struct bytes source, const uint8_t sha256[32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	key[0] = 'f';
	bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(ctx, sha256, 32) == 1 &&
		    EVP_DigestUpdate(ctx, source.p, source.n) == 1 &&
		    EVP_DigestFinal_ex(ctx, key + 1, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

static void key_octets(uint8_t key[33], const uint8_t sha256[32])
{
	key[0] = 'o';
	memcpy(key + 1, sha256, 32);
}

static int place_grow(struct answers *a)
{
	if (a->n_place * 2 < a->size_place)
		return 0;
	struct place *more = calloc(a->size_place * 2, sizeof *more);
	if (!more)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->size_place; i++)
		if (a->place[i].space)
			*place_at(more, a->size_place * 2, a->place[i].key) = a->place[i];
	free(a->place);
	a->place = more;
	a->size_place *= 2;
	return 0;
}

/* The space of a message; 0 when out of memory. *first: nothing was known of it. */
static uint32_t place_take(struct answers *a, const uint8_t key[33],
			   const struct answers_record *record, bool *first)
{
	if (place_grow(a) < 0)
		return 0;
	struct place *p = place_at(a->place, a->size_place, key);
	*first = !p->space;
	if (!p->space) {
		memcpy(p->key, key, 33);
		p->space = ++a->spaces;
		p->time_ns = record->time_ns;
		p->cut = record->cut;
		p->first = a->n_order;
		p->n = 0;
		a->n_place++;
	}
	return p->space;
}

int answers_begin(struct answers *a, const struct answers_record *record)
{
	uint8_t *key = a->key_place;
	bool file = !record->wire && record->source.n && record->has_sha256;
	a->now = (struct answers_own){ 0 };
	a->first_place = a->first_octets = false;
	a->vague = !record->wire && !file;
	if (record->wire)
		key_wire(key, record->flow_id, record->tx_id);
	else if (file && !key_file(key, record->source, record->sha256))
		return -ENOMEM;
	if (record->wire || file) {
		a->now.place = place_take(a, key, record, &a->first_place);
		if (!a->now.place)
			return -ENOMEM;
	}
	if (record->has_sha256) {
		key_octets(a->key_octets, record->sha256);
		a->now.octets = place_take(a, a->key_octets, record, &a->first_octets);
		if (!a->now.octets)
			return -ENOMEM;
	}
	return 0;
}

/* False: not all octets are there. */
static bool digest(const struct message *m, uint8_t out[32])
{
	uint64_t n = 0;
	for (const struct message_chunk *c = m->chunks; c; c = c->next)
		n += c->len;
	EVP_MD_CTX *ctx = n == m->size && !m->running ? EVP_MD_CTX_new() : NULL;
	if (!ctx)
		return false;
	bool good = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
	for (const struct message_chunk *c = m->chunks; c && good; c = c->next)
		good = EVP_DigestUpdate(ctx, c->data, c->len) == 1;
	good = good && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

struct answers_own answers_own(const struct answers *a, const struct message *m)
{
	struct answers_own own = { 0 };
	uint8_t key[33], sha256[32];
	const struct place *place = NULL, *octets = NULL;
	bool whole = digest(m, sha256), file = m->protocol == MESSAGE_FILE;
	if (!file)
		key_wire(key, m->flow_id, m->tx_id);
	if (!file || (whole && m->source && key_file(key, bytes_str(m->source), sha256)))
		place = place_at(a->place, a->size_place, key);
	if (whole) {
		key_octets(key, sha256);
		octets = place_at(a->place, a->size_place, key);
	}
	own.place = place ? place->space : 0;
	own.octets = octets ? octets->space : 0;
	const struct place *record = own.place ? place : own.octets ? octets : NULL;
	if (record) {
		own.time_ns = record->time_ns;
		own.first = record->first;
		own.n = record->n;
		own.cut = record->cut;
	}
	return own;
}

/* ---- answers ---- */

static bool question_equal(const struct question *a, const struct question *b)
{
	return a->type == b->type && a->len == b->len && memcmp(a->name, b->name, a->len) == 0;
}

static bool has_rr(const struct answer *a, struct bytes data)
{
	for (unsigned i = 0; i < a->n; i++)
		if (bytes_equal(a->rr[i].data, data))
			return true;
	return false;
}

/* TTLs and the order, which name servers change from answer to answer, do not matter. */
static bool answer_equal(const struct answer *a, const struct answer *b)
{
	if (a->status != b->status || a->secure != b->secure || a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (!bytes_equal(a->rr[i].data, b->rr[i].data) && !has_rr(b, a->rr[i].data))
			return false;
	return true;
}

/* The same to the octet, but for the TTL. */
static bool answer_identical(const struct answer *a, const struct answer *b)
{
	for (unsigned i = 0; a->n == b->n && i < a->n; i++)
		if (!bytes_equal(a->rr[i].data, b->rr[i].data))
			return false;
	return a->n == b->n && answer_equal(a, b);
}

static struct slot *slot_at(struct slot *slot, uint32_t size, uint32_t space,
			    const struct question *q)
{
	uint32_t i = mix((uint64_t)space << 16 | q->type, q->name, q->len);
	for (;; i++) {
		struct slot *s = &slot[i & (size - 1)];
		if (!s->kept || (s->space == space && question_equal(&s->kept->q, q)))
			return s;
	}
}

static int slot_grow(struct answers *a)
{
	if ((a->n_slot + 3) * 2 < a->size_slot)
		return 0;
	struct slot *more = calloc((size_t)a->size_slot * 2, sizeof *more);
	if (!more)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->size_slot; i++) {
		const struct slot *s = &a->slot[i];
		if (s->kept)
			*slot_at(more, a->size_slot * 2, s->space, &s->kept->q) = *s;
	}
	free(a->slot);
	a->slot = more;
	a->size_slot *= 2;
	return 0;
}

/* A copy, or what is kept already and is the same. */
static const struct kept *keep(struct answers *a, const struct question *q,
			       const struct answer *answer)
{
	const struct slot *s = slot_at(a->slot, a->size_slot, ANSWERS_ALL, q);
	if (s->kept && s->kept->a.ttl_s == answer->ttl_s && answer_identical(&s->kept->a, answer))
		return s->kept;
	size_t octets = 0;
	for (unsigned i = 0; i < answer->n; i++)
		octets += answer->rr[i].data.n;
	struct kept *k = malloc(sizeof *k + answer->n * sizeof k->rr[0] + octets);
	if (!k)
		return NULL;
	k->q = *q;
	k->a = *answer;
	k->a.rr = k->rr;
	uint8_t *at = (uint8_t *)&k->rr[answer->n];
	for (unsigned i = 0; i < answer->n; i++) {
		k->rr[i].data = bytes_of(at, answer->rr[i].data.n);
		if (answer->rr[i].data.n)
			memcpy(at, answer->rr[i].data.p, answer->rr[i].data.n);
		at += answer->rr[i].data.n;
	}
	k->next = a->all;
	a->all = k;
	return k;
}

/* Puts it into a space. False: a record of the same message says otherwise. */
static bool put(struct answers *a, uint32_t space, const struct kept *k)
{
	struct slot *s = slot_at(a->slot, a->size_slot, space, &k->q);
	if (!s->kept) {
		*s = (struct slot){ .kept = k, .space = space, .vague = a->vague };
		a->n_slot++;
		return true;
	}
	if (answer_equal(&s->kept->a, &k->a))
		return true;
	s->differs = true;
	return space != a->now.place && !(space == a->now.octets && a->vague && s->vague);
}

/* At the end of the order, and counted with its message. */
static int line_up(struct answers *a, const struct kept *k)
{
	if (a->n_order == a->cap_order) {
		uint32_t cap = a->cap_order ? a->cap_order * 2 : ANSWERS_FIRST_TABLE;
		const struct kept **more = realloc(a->order, cap * sizeof *more);
		if (!more)
			return -ENOMEM;
		a->order = more;
		a->cap_order = cap;
	}
	a->order[a->n_order++] = k;
	if (a->first_place)
		place_at(a->place, a->size_place, a->key_place)->n++;
	if (a->first_octets)
		place_at(a->place, a->size_place, a->key_octets)->n++;
	return 0;
}

int answers_add(struct answers *a, const struct question *q, const struct answer *answer)
{
	if (slot_grow(a) < 0)
		return -ENOMEM;
	const struct kept *k = keep(a, q, answer);
	if (!k || line_up(a, k) < 0)
		return -ENOMEM;
	bool same = put(a, ANSWERS_ALL, k);
	if (a->now.place)
		same &= put(a, a->now.place, k);
	if (a->now.octets)
		same &= put(a, a->now.octets, k);
	return same ? 0 : -EEXIST;
}

const struct answer *answers_kept(const struct answers *a, const struct answers_own *own,
				  uint32_t i, const struct question **q)
{
	const struct kept *k = a->order[own->first + i];
	*q = &k->q;
	return &k->a;
}

const struct answer *answers_find(const struct answers *a, const struct answers_own *own,
				  const struct question *q)
{
	/* what another message learned, this one may have waited for in vain */
	uint32_t space = own->place ? own->place : own->octets ? own->octets : ANSWERS_ALL;
	const struct slot *s = slot_at(a->slot, a->size_slot, space, q);
	return s->kept && !s->differs ? &s->kept->a : &answer_timeout;
}
