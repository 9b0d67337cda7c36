#include "verify/header/octets.h"

void octets_init(struct octets *o, const struct message *m, uint64_t from, uint64_t n)
{
	*o = (struct octets){ m->chunks, 0, n };
	while (o->chunk && from >= o->chunk->len) {
		from -= o->chunk->len;
		o->chunk = o->chunk->next;
	}
	o->pos = o->chunk ? (size_t)from : 0;
}

void octets_rest(struct octets *o, const struct message *m)
{
	octets_init(o, m, 0, UINT64_MAX);
	if (!m->running || !m->hashed_to || !m->chunks)
		return;
	/* the first chunk stays though it was hashed, the next one follows the last that was */
	if (m->hashed_to < m->chunks->len)
		o->pos = (size_t)m->hashed_to;
	else
		o->chunk = m->chunks->next;
}

bool octets_header_whole(const struct message *m)
{
	const struct message_chunk *c = m->chunks;
	uint32_t n = m->header_len;
	if (m->flags & MESSAGE_NO_START || m->intact < n)
		return false;
	if (m->complete)
		return true;
	if (!c || n > c->len || n < 2)
		return false;
	return memcmp(c->data + n - 2, "\r\n", 2) == 0 &&
	       (n == 2 || (n >= 4 && memcmp(c->data + n - 4, "\r\n", 2) == 0));
}

struct bytes octets_next(struct octets *o, size_t max)
{
	while (o->chunk && o->pos == o->chunk->len) {
		o->chunk = o->chunk->next;
		o->pos = 0;
	}
	if (!o->chunk || !o->left)
		return (struct bytes){ NULL, 0 };
	size_t n = o->chunk->len - o->pos;
	n = n < max ? n : max;
	n = n < o->left ? n : (size_t)o->left;
	struct bytes b = bytes_of(o->chunk->data + o->pos, n);
	o->pos += n;
	o->left -= n;
	return b;
}

struct bytes octets_peek(const struct octets *o, size_t max)
{
	struct octets copy = *o;
	return octets_next(&copy, max);
}
