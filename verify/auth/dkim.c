#include "verify/auth/dkim.h"

#include <assert.h>

#include "verify/auth/address.h"
#include "verify/auth/names.h"
#include "verify/auth/taglist.h"

static const char field_name[] = "DKIM-Signature";

enum { BODY_TURN = 16 };
enum { PART_FRONT, PART_BACK, PART_NONE }; /* dkim_check.part */

enum reason dkim_unseen(const struct header *h, const struct message *m)
{
	if (h->overflow || m->flags & MESSAGE_HEADER_TOO_LARGE)
		return REASON_HEADER_LIMIT;
	return octets_header_whole(m) ? REASON_NONE : REASON_OCTETS_MISSING;
}

/* What stands against a signature before its key is asked for. */
static enum reason early(const struct dkim *d, const struct signature *s)
{
	const struct config *cfg = d->setup.cfg;
	const struct message *m = d->setup.message;
	int64_t now = (int64_t)d->setup.now_s, skew = cfg->dkim_skew_s;
	if (s->hash == HASH_SHA1 && !cfg->dkim_allow_sha1)
		return REASON_SHA1;
	if (s->expires_s >= 0 && s->expires_s < now - skew)
		return REASON_EXPIRED;
	if (s->time_s > now + skew)
		return REASON_FUTURE;
	if (s->has_length && cfg->dkim_l == DKIM_L_IGNORE)
		return REASON_LENGTH_USED;
	if (dkim_unseen(d->setup.header, m) != REASON_NONE)
		return dkim_unseen(d->setup.header, m);
	if (m->flags & MESSAGE_TOO_LARGE || (m->flags & MESSAGE_NO_MEMORY && !s->has_length))
		return REASON_NOT_KEPT;
	if (!s->has_length && (!m->complete || m->intact < m->size))
		return REASON_OCTETS_MISSING;
	return REASON_NONE;
}

static bool parse_all(struct dkim *d)
{
	const struct header *h = d->setup.header;
	char author[NAMES_MAX + 1];
	struct bytes from = bytes_of(author, names_ascii(address_author(h), author));
	for (unsigned i = 0; i < d->n; i++) {
		struct dkim_check *c = &d->check[i];
		c->header = h;
		if (!signature_parse(&c->sig, header_value(h, c->field), d->setup.arena))
			return false;
		c->aligned = from.n && c->sig.d.n && names_under(from, c->sig.d);
		if (c->sig.reason == REASON_NONE)
			c->sig.reason = early(d, &c->sig);
	}
	return true;
}

static void name_of(struct question *q, const struct signature *s)
{
	static const char middle[] = "._domainkey.";
	size_t n = 0;
	memcpy(q->name, s->s.p, s->s.n);
	n += s->s.n;
	memcpy(q->name + n, middle, sizeof middle - 1);
	n += sizeof middle - 1;
	memcpy(q->name + n, s->d.p, s->d.n);
	n += s->d.n;
	q->name[n] = 0;
	q->len = (uint8_t)n;
	q->type = QUESTION_TXT;
}

/* Finds the key in the cache, or opens a question; one for each distinct name. */
static void want_key(struct dkim *d, struct dkim_check *c)
{
	struct dkim_key *k = &d->key[d->n_keys];
	k->key = NULL;
	k->cached = k->open = false;
	name_of(&k->question, &c->sig);
	struct bytes name = bytes_of(k->question.name, k->question.len);
	for (unsigned i = 0; i < d->n_keys; i++) {
		const struct question *q = &d->key[i].question;
		if (bytes_equal(bytes_of(q->name, q->len), name)) {
			c->key = &d->key[i];
			return;
		}
	}
	d->n_keys++;
	c->key = k;
	k->key = keys_find(d->setup.keys, name, d->setup.clock_s);
	k->cached = k->key != NULL;
	stats_add(d->setup.stats, k->key ? STAT_KEY_HIT : STAT_KEY_MISS, 1);
	if (!k->key) {
		k->open = true;
		d->open[d->n_open++] = k;
	}
}

bool dkim_begin(struct dkim *d, const struct dkim_setup *setup)
{
	*d = (struct dkim){ .setup = *setup };
	const struct header *h = setup->header;
	uint16_t last = header_last(h, bytes_str(field_name));
	for (uint16_t i = last; i != HEADER_NONE; i = h->field[i].above)
		d->seen++;
	uint32_t n = setup->cfg->dkim_signatures_max;
	n = n < DKIM_SIGNATURES_MAX ? n : DKIM_SIGNATURES_MAX;
	n = n < d->seen ? n : d->seen;
	if (!n)
		return true;
	d->check = arena_take(setup->arena, n * sizeof *d->check);
	d->key = arena_take(setup->arena, n * sizeof *d->key);
	d->body = arena_take(setup->arena, n * sizeof *d->body);
	d->cursor = arena_take(setup->arena, h->names * sizeof *d->cursor);
	if (!d->check || !d->key || !d->body || !d->cursor)
		return false;
	memset(d->check, 0, n * sizeof *d->check);
	d->n = (uint16_t)n;
	uint32_t rank = d->seen;
	for (uint16_t i = last; i != HEADER_NONE; i = h->field[i].above)
		if (--rank < n)
			d->check[rank].field = i;
	if (!parse_all(d))
		return false;
	for (int pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < n; i++)
			if (d->check[i].sig.reason == REASON_NONE &&
			    d->check[i].aligned == (pass == 0))
				want_key(d, &d->check[i]);
	return true;
}

const struct question *dkim_question(const struct dkim *d, unsigned i)
{
	return i < d->n_open ? &d->open[i]->question : NULL;
}

void dkim_answer(struct dkim *d, unsigned i, const struct answer *answer)
{
	if (i >= d->n_open || d->open[i]->key)
		return;
	struct dkim_key *k = d->open[i];
	struct bytes name = bytes_of(k->question.name, k->question.len);
	k->key = keys_put(d->setup.keys, name, answer, d->setup.clock_s,
			  d->setup.cfg->dns_cache_ttl_max_s);
	k->cached = k->key != NULL;
	if (k->key)
		return;
	key_answer(&k->own, d->setup.queue, answer);
	k->key = &k->own;
}

void dkim_give_up(struct dkim *d)
{
	static const struct answer late = { .status = ANSWER_TIMEOUT };
	for (unsigned i = 0; i < d->n_open; i++)
		dkim_answer(d, i, &late);
}

unsigned dkim_waiting(const struct dkim *d)
{
	unsigned n = 0;
	for (unsigned i = 0; i < d->n_open; i++)
		n += !d->open[i]->key;
	return n;
}

/* 6.1.2, in its order */
static enum reason judge_key(const struct dkim *d, const struct signature *s, const struct key *k)
{
	static const enum reason of[] = {
		[KEY_OK] = REASON_NONE,
		[KEY_SIZE] = REASON_KEY_SIZE,
		[KEY_REVOKED] = REASON_KEY_REVOKED,
		[KEY_TYPE] = REASON_KEY_TYPE,
		[KEY_SERVICE] = REASON_KEY_SERVICE,
		[KEY_SYNTAX] = REASON_KEY_SYNTAX,
		[KEY_NONE] = REASON_NO_KEY,
		[KEY_TIMEOUT] = REASON_KEY_TIMEOUT,
		[KEY_FAILED] = REASON_KEY_FAILED,
	};
	const struct config *cfg = d->setup.cfg;
	if (k->status != KEY_OK && k->status != KEY_SIZE)
		return of[k->status];
	if (!(k->hashes & 1 << s->hash))
		return REASON_KEY_HASH;
	if (k->pub.type != s->type)
		return REASON_KEY_TYPE;
	if (k->strict && !bytes_equal(s->i, s->d))
		return REASON_MISMATCH;
	if (k->pub.type == PUBKEY_RSA &&
	    (k->pub.bits < cfg->dkim_min_bits || k->pub.bits > cfg->dkim_max_bits))
		return REASON_KEY_SIZE;
	return of[k->status];
}

/* Enough is known: the end, or whether there is more than l=. */
static bool body_known(const struct dkim_body *b)
{
	return canon_ended(&b->canon) || b->canon.total > b->canon.limit;
}

/* Canonical octets of the body; after BODY_TURN pieces it pauses, since empty lines may give none
 * for long. */
static bool body_next(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	struct dkim_body *b = (struct dkim_body *)job; /* its first member */
	size_t n = 0;
	for (int i = 0; i < BODY_TURN && cap - n >= CANON_ROOM && !body_known(b); i++) {
		if (!b->piece.n)
			b->piece = octets_next(&b->octets, cap);
		if (b->piece.n)
			n += canon_body(&b->canon, &b->piece, buf + n, cap - n);
		else if (b->cut)
			n += canon_cut(&b->canon, buf + n, cap - n);
		else
			n += canon_end(&b->canon, buf + n, cap - n);
	}
	*out = bytes_of(buf, n);
	return !body_known(b);
}

static struct dkim_body *want_body(struct dkim *d, const struct signature *s)
{
	const struct message *m = d->setup.message;
	uint64_t limit = s->has_length ? s->length : UINT64_MAX;
	for (unsigned i = 0; i < d->n_bodies; i++) {
		struct dkim_body *b = &d->body[i];
		if (b->canon.kind == s->body_canon && b->canon.limit == limit &&
		    b->job.algorithm == s->hash)
			return b;
	}
	struct dkim_body *b = &d->body[d->n_bodies++];
	*b = (struct dkim_body){
		.job = { .next = body_next, .owner = d->setup.owner, .algorithm = s->hash },
		.cut = !m->complete || m->intact < m->size
	};
	canon_init(&b->canon, s->body_canon, limit);
	octets_init(&b->octets, m, m->header_len, m->intact - m->header_len);
	return b;
}

/* One piece of header field octets in canonical form; end: with the end of the field. True: all of
 * it is written. */
static bool field_octets(struct dkim_check *c, bool end, bool crlf, uint8_t *buf, size_t cap,
			 size_t *n)
{
	if (c->sig.header_canon == CANON_RELAXED) {
		*n += canon_field(&c->canon, &c->piece, buf + *n, cap - *n);
		if (c->piece.n || cap - *n < CANON_ROOM)
			return false;
		if (end)
			*n += canon_field_end(&c->canon, crlf, buf + *n, cap - *n);
		return true;
	}
	size_t take = c->piece.n < cap - *n ? c->piece.n : cap - *n;
	if (take)
		memcpy(buf + *n, c->piece.p, take);
	*n += take;
	c->piece = bytes_from(c->piece, take);
	if (c->piece.n || cap - *n < CANON_ROOM)
		return false;
	if (end && crlf) {
		buf[(*n)++] = '\r';
		buf[(*n)++] = '\n';
	}
	return true;
}

static struct bytes without_crlf(struct bytes b)
{
	if (b.n >= 2 && b.p[b.n - 2] == '\r' && b.p[b.n - 1] == '\n')
		b.n -= 2;
	return b;
}

/* 3.7 step 2: the fields of h=, then the signature's own without the value of b= and without CRLF.
 */
static bool header_next(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	struct dkim_check *c =
		(struct dkim_check *)((uint8_t *)job - offsetof(struct dkim_check, hash));
	size_t n = 0;
	while (cap - n >= CANON_ROOM && c->part != PART_NONE) {
		bool own = c->at == c->n_cover;
		struct bytes raw =
			without_crlf(header_raw(c->header, own ? c->field : c->cover[c->at]));
		if (!c->fed && !own) {
			c->piece = raw;
		} else if (!c->fed) {
			size_t front = (size_t)(c->sig.raw_b.p - raw.p);
			c->piece = c->part == PART_FRONT ? bytes_head(raw, front)
							 : bytes_from(raw, front + c->sig.raw_b.n);
		}
		c->fed = true;
		bool end = !own || c->part == PART_BACK;
		if (!field_octets(c, end, !own, buf, cap, &n))
			continue;
		c->fed = false;
		if (own)
			c->part++;
		else
			c->at++;
	}
	*out = bytes_of(buf, n);
	return c->part != PART_NONE;
}

/*
 * Which fields h= covers, from the bottom (5.4.2); names without a field (left) are the null
 * string. With out NULL only counts.
 */
static uint16_t cover(struct dkim *d, const struct dkim_check *c, uint16_t *out)
{
	enum { FRESH = HEADER_NONE - 1 };
	const struct header *h = d->setup.header;
	struct bytes list = c->sig.header_list, name;
	uint16_t n = 0;
	for (unsigned i = 0; i < h->names; i++)
		d->cursor[i] = FRESH;
	while (taglist_item(&list, &name)) {
		uint16_t last = header_last(h, name);
		if (last == HEADER_NONE)
			continue;
		uint16_t *cursor = &d->cursor[h->field[last].name];
		uint16_t i = *cursor == FRESH ? last : *cursor;
		if (i == c->field) /* 3.7: never part of itself */
			i = h->field[i].above;
		*cursor = i == HEADER_NONE ? i : h->field[i].above;
		if (i == HEADER_NONE)
			continue;
		if (out)
			out[n] = i;
		n++;
	}
	return n;
}

bool dkim_prepare(struct dkim *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		struct dkim_check *c = &d->check[i];
		if (c->sig.reason != REASON_NONE)
			continue;
		c->sig.reason = judge_key(d, &c->sig, c->key->key);
		if (c->sig.reason != REASON_NONE)
			continue;
		c->n_cover = cover(d, c, NULL);
		c->cover = arena_take(d->setup.arena, c->n_cover * sizeof *c->cover);
		if (!c->cover)
			return false;
		cover(d, c, c->cover);
		c->body = want_body(d, &c->sig);
		c->hash = (struct hash_job){ .next = header_next,
					     .owner = d->setup.owner,
					     .algorithm = c->sig.hash };
	}
	return true;
}

struct hash_job *dkim_hash(struct dkim *d)
{
	while (d->next_hash < d->n_bodies + d->n) {
		unsigned i = d->next_hash++;
		if (i < d->n_bodies)
			return &d->body[i].job;
		if (d->check[i - d->n_bodies].sig.reason == REASON_NONE)
			return &d->check[i - d->n_bodies].hash;
	}
	return NULL;
}

/* 6.1.3 step 3 */
static enum reason judge_body(const struct dkim_check *c)
{
	const struct canon *canon = &c->body->canon;
	bool over = c->sig.has_length && canon->total < c->sig.length;
	if (c->body->cut && over)
		return REASON_OCTETS_MISSING;
	if (over)
		return REASON_LENGTH_OVER;
	if (memcmp(c->body->job.digest, c->sig.bh, c->body->job.digest_len) != 0)
		return REASON_BODY_HASH;
	return REASON_NONE;
}

struct pubkey_job *dkim_pubkey(struct dkim *d)
{
	while (d->next_check < d->n) {
		struct dkim_check *c = &d->check[d->next_check++];
		if (c->sig.reason != REASON_NONE)
			continue;
		c->hashed = true;
		c->sig.reason = judge_body(c);
		if (c->sig.reason != REASON_NONE)
			continue;
		c->pubkey = (struct pubkey_job){ .key = &c->key->key->pub,
						 .signature = c->sig.b,
						 .owner = d->setup.owner,
						 .hash = c->hash.algorithm,
						 .digest_len = c->hash.digest_len };
		memcpy(c->pubkey.digest, c->hash.digest, c->hash.digest_len);
		return &c->pubkey;
	}
	return NULL;
}

static void result_of(const struct dkim *d, const struct dkim_check *c, struct dkim_result *r)
{
	static const enum stats_row counter[AUTH_RESULT_N] = {
		[AUTH_NONE] = STAT_DKIM_NONE,
		[AUTH_PASS] = STAT_DKIM_PASS,
		[AUTH_FAIL] = STAT_DKIM_FAIL,
		[AUTH_POLICY] = STAT_DKIM_POLICY,
		[AUTH_NEUTRAL] = STAT_DKIM_NEUTRAL,
		[AUTH_PERMERROR] = STAT_DKIM_PERMERROR,
		[AUTH_TEMPERROR] = STAT_DKIM_TEMPERROR,
		[AUTH_UNVERIFIABLE] = STAT_DKIM_UNVERIFIABLE,
	};
	const struct signature *s = &c->sig;
	enum reason reason = s->reason;
	if (reason == REASON_NONE && !c->pubkey.good)
		reason = REASON_SIGNATURE;
	*r = (struct dkim_result){ .result = (uint8_t)reason_result(reason),
				   .reason = reason_word(reason),
				   .domain = s->domain,
				   .selector = s->selector,
				   .algorithm = s->algorithm,
				   .identity = s->identity,
				   .b = s->begin,
				   .aligned = c->aligned };
	if (c->key && c->key->key) {
		r->key_bits = c->key->key->pub.bits;
		r->test_mode = c->key->key->test;
	}
	if (c->hashed) {
		const struct canon *canon = &c->body->canon;
		r->body_octets = canon->total < canon->limit ? canon->total : canon->limit;
		r->partial = s->has_length && (c->body->cut || canon->total > canon->limit);
		if (r->partial && d->setup.cfg->dkim_l != DKIM_L_HONOUR)
			r->aligned = false;
	}
	stats_add(d->setup.stats, counter[r->result], 1);
}

bool dkim_end(struct dkim *d, struct verdict *verdict)
{
	enum reason unseen = dkim_unseen(d->setup.header, d->setup.message);
	bool hidden = !d->seen && unseen != REASON_NONE;
	struct dkim_result *r = arena_take(d->setup.arena, (d->n + hidden) * sizeof *r);
	if (!r) {
		dkim_abort(d);
		return false;
	}
	for (unsigned i = 0; i < d->n; i++)
		result_of(d, &d->check[i], &r[i]);
	if (hidden)
		r[0] = (struct dkim_result){ .result = (uint8_t)reason_result(unseen),
					     .reason = reason_word(unseen) };
	verdict->dkim = r;
	verdict->n_dkim = d->n + hidden;
	verdict->dkim_seen = d->seen;
	if (!d->seen)
		stats_add(d->setup.stats, hidden ? STAT_DKIM_UNVERIFIABLE : STAT_DKIM_NONE, 1);
	stats_add(d->setup.stats, STAT_DKIM_OVER_CAP, d->seen - d->n);
	dkim_abort(d);
	return true;
}

void dkim_abort(struct dkim *d)
{
	for (unsigned i = 0; i < d->n_keys; i++) {
		struct dkim_key *k = &d->key[i];
		if (k->cached)
			keys_release(k->key);
		else if (k->key)
			key_fini(&k->own);
		k->key = NULL;
		k->cached = false;
	}
	d->n_keys = d->n_open = 0;
}
