#include "verify/auth/covered.h"

#include "verify/header/taglist.h"

enum { BODY_TURN = 16, FETCH_MAX = 2048, CACHE_LINE = 64 };
enum { PART_FRONT, PART_BACK, PART_NONE }; /* covered_header.part */

/* The front of the body on its way into the cache, while signatures are taken apart. */
static void fetch_front(const struct message *m)
{
	const struct message_chunk *c = m->chunks;
	for (uint32_t at = m->header_len; c && at < c->len && at < m->header_len + FETCH_MAX;
	     at += CACHE_LINE)
		__builtin_prefetch(c->data + at);
}

bool covered_bodies_init(struct covered_bodies *b, const struct message *m, void *owner,
			 const struct canon_ops *canon, const struct covered_bodies *others,
			 uint16_t max, struct arena *arena)
{
	*b = (struct covered_bodies){
		.message = m, .owner = owner, .canon = canon, .others = others, .max = max
	};
	b->body = max ? arena_take(arena, max * sizeof *b->body) : NULL;
	if (max)
		fetch_front(m);
	return b->body || !max;
}

/* Enough is known: the end, or whether there is more than l=. */
static bool body_known(const struct covered_body *b)
{
	return canon_ended(&b->canon) || b->canon.total > b->canon.limit;
}

/* Canonical octets of the body; after BODY_TURN pieces it pauses, since empty lines may give none
 * for long. */
static bool body_next(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	struct covered_body *b = (struct covered_body *)job; /* its first member */
	size_t n = 0, least = cap / 8 < CANON_ROOM ? CANON_ROOM : cap / 8;
	/* a piece that fits is taken by the kernel to its end; the last of the room is not worth it */
	for (int i = 0; i < BODY_TURN && (!n || cap - n >= least) && !body_known(b); i++) {
		if (!b->piece.n)
			b->piece = octets_next(&b->octets, cap - n);
		if (b->piece.n)
			n += canon_body(&b->canon, &b->piece, buf + n, cap - n);
		else if (b->cut)
			n += canon_cut(&b->canon, buf + n, cap - n);
		else
			n += canon_end(&b->canon, buf + n, cap - n);
	}
	job->ahead = b->piece.n ? b->piece : octets_peek(&b->octets, cap);
	*out = bytes_of(buf, n);
	return !body_known(b);
}

static uint64_t limit_of(const struct signature *s)
{
	return s->has_length ? s->length : UINT64_MAX;
}

struct covered_body *covered_body_find(const struct covered_bodies *b, const struct signature *s)
{
	for (; b; b = b->others)
		for (unsigned i = 0; i < b->n; i++) {
			struct covered_body *body = &b->body[i];
			if (body->canon.kind == s->body_canon && body->canon.limit == limit_of(s) &&
			    body->job.algorithm == s->hash)
				return body;
		}
	return NULL;
}

struct covered_body *covered_body(struct covered_bodies *b, const struct signature *s)
{
	const struct message *m = b->message;
	struct covered_body *body = covered_body_find(b, s);
	if (body || b->n == b->max)
		return body;
	body = &b->body[b->n++];
	*body = (struct covered_body){
		.job = { .next = body_next, .owner = b->owner, .algorithm = s->hash },
		.cut = !m->complete || m->intact < m->size
	};
	canon_init(&body->canon, b->canon, s->body_canon, limit_of(s));
	octets_init(&body->octets, m, m->header_len, m->intact - m->header_len);
	return body;
}

struct hash_job *covered_bodies_next(struct covered_bodies *b)
{
	return b->next < b->n ? &b->body[b->next++].job : NULL;
}

enum reason covered_body_unseen(const struct message *m, const struct signature *s)
{
	if (m->flags & MESSAGE_TOO_LARGE || (m->flags & MESSAGE_NO_MEMORY && !s->has_length))
		return REASON_NOT_KEPT;
	if (!s->has_length && (!m->complete || m->intact < m->size))
		return REASON_OCTETS_MISSING;
	return REASON_NONE;
}

enum reason covered_body_judge(const struct covered_body *b, const struct signature *s)
{
	bool over = s->has_length && b->canon.total < s->length;
	if (b->cut && over)
		return REASON_OCTETS_MISSING;
	if (over)
		return REASON_LENGTH_OVER;
	if (memcmp(b->job.digest, s->bh, b->job.digest_len) != 0)
		return REASON_BODY_HASH;
	return REASON_NONE;
}

uint64_t covered_octets(const struct covered_body *b)
{
	return b->canon.total < b->canon.limit ? b->canon.total : b->canon.limit;
}

bool covered_partial(const struct covered_body *b, const struct signature *s)
{
	return s->has_length && (b->cut || b->canon.total > b->canon.limit);
}

/* One piece of header field octets in canonical form; end: with the end of the field. True: all of
 * it is written. */
static bool field_octets(struct covered_header *c, bool end, bool crlf, uint8_t *buf, size_t cap,
			 size_t *n)
{
	if (c->kind == CANON_RELAXED) {
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

/* 3.7 step 2: the fields, then the signature's own without the value of b= and without CRLF.
 */
static bool header_next(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	struct covered_header *c = (struct covered_header *)job; /* its first member */
	size_t n = 0;
	while (cap - n >= CANON_ROOM && c->part != PART_NONE) {
		bool own = c->at == c->n;
		struct bytes raw =
			without_crlf(header_raw(c->header, own ? c->own : c->field[c->at]));
		if (!c->fed && !own) {
			c->piece = raw;
		} else if (!c->fed) {
			size_t front = (size_t)(c->without.p - raw.p);
			c->piece = c->part == PART_FRONT ? bytes_head(raw, front)
							 : bytes_from(raw, front + c->without.n);
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

const uint16_t *covered_select(const struct header *h, struct bytes list, uint16_t own,
			       uint16_t *cursor, struct arena *arena, uint16_t *n)
{
	enum { FRESH = HEADER_NONE - 1 };
	struct bytes name;
	/* they grow into what is free; each field is there once at most */
	uint16_t *out = arena_take(arena, 0);
	size_t room = out ? (arena->size - arena->used) / sizeof *out : 0;
	*n = 0;
	for (unsigned i = 0; i < h->names; i++)
		cursor[i] = FRESH;
	while (taglist_item(&list, &name)) {
		uint16_t last = header_last(h, name);
		if (last == HEADER_NONE)
			continue;
		uint16_t *at = &cursor[h->field[last].name];
		uint16_t i = *at == FRESH ? last : *at;
		if (i == own) /* 3.7: never part of itself */
			i = h->field[i].above;
		*at = i == HEADER_NONE ? i : h->field[i].above;
		if (i == HEADER_NONE)
			continue;
		if (*n == room)
			return NULL;
		out[(*n)++] = i;
	}
	return arena_take(arena, *n * sizeof *out) ? out : NULL;
}

void covered_header_init(struct covered_header *c, const struct header *header,
			 const uint16_t *field, uint16_t n, uint16_t own, struct bytes without,
			 enum canon_kind kind)
{
	*c = (struct covered_header){ .job.next = header_next,
				      .header = header,
				      .field = field,
				      .n = n,
				      .own = own,
				      .without = without,
				      .kind = (uint8_t)kind };
}
