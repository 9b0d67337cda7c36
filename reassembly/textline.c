#include "reassembly/textline.h"

#include <stdlib.h>

static const uint16_t class_size[TEXTLINE_CLASSES] = { 256, 4096, TEXTLINE_MAX };

enum { NAME_SMALL = 64, NAME_BIG = 1024 };

struct textline_pool {
	struct pool *line[TEXTLINE_CLASSES];
	struct pool *name[2];
	struct pool *block;
	uint32_t out;
};

struct textline_pool *textline_pool_new(uint32_t flow_max)
{
	struct textline_pool *pool = calloc(1, sizeof *pool);
	if (!pool)
		return NULL;
	pool->line[0] = pool_new(class_size[0], flow_max / 4 + 16);
	pool->line[1] = pool_new(class_size[1], flow_max / 64 + 16);
	pool->line[2] = pool_new(class_size[2], flow_max / 512 + 16);
	pool->name[0] = pool_new(NAME_SMALL, 2 * (flow_max < 1 << 30 ? flow_max : 1 << 30) + 16);
	pool->name[1] = pool_new(NAME_BIG, flow_max / 32 + 16);
	pool->block = pool_new(TEXTLINE_BLOCK, flow_max / 128 + 16);
	if (pool->line[0] && pool->line[1] && pool->line[2] && pool->name[0] && pool->name[1] &&
	    pool->block)
		return pool;
	textline_pool_free(pool);
	return NULL;
}

void textline_pool_free(struct textline_pool *pool)
{
	if (!pool)
		return;
	for (int i = 0; i < TEXTLINE_CLASSES; i++)
		pool_free(pool->line[i]);
	pool_free(pool->name[0]);
	pool_free(pool->name[1]);
	pool_free(pool->block);
	free(pool);
}

static uint32_t take(struct textline_pool *pool, struct pool *from)
{
	uint32_t i = pool_take(from);
	if (i != POOL_NONE)
		pool->out++;
	return i;
}

static void give(struct textline_pool *pool, struct pool *to, uint32_t i)
{
	pool->out--;
	pool_give(to, i);
}

static uint8_t *buffer(const struct textline_pool *pool, const struct textline *line)
{
	return pool_at(pool->line[line->class], line->at - 1);
}

static void release(struct textline_pool *pool, struct textline *line)
{
	if (!line->at)
		return;
	explicit_bzero(buffer(pool, line), line->len);
	give(pool, pool->line[line->class], line->at - 1);
	line->at = 0;
}

/* Room for n octets in all, in this class or a larger one; false when there is none. */
static bool grow(struct textline_pool *pool, struct textline *line, size_t n)
{
	if (line->at && n <= class_size[line->class])
		return true;
	for (uint8_t class = line->at ? line->class + 1 : 0; class < TEXTLINE_CLASSES; class ++) {
		uint32_t i;
		if (n > class_size[class] || (i = take(pool, pool->line[class])) == POOL_NONE)
			continue;
		if (line->at)
			memcpy(pool_at(pool->line[class], i), buffer(pool, line), line->len);
		release(pool, line);
		line->at = i + 1;
		line->class = class;
		return true;
	}
	return false;
}

static void append(struct textline_pool *pool, struct textline *line, struct bytes b)
{
	size_t n = line->cut ? 0 : bytes_head(b, (size_t)TEXTLINE_MAX - line->len).n;
	if (n && !grow(pool, line, line->len + n)) {
		size_t left = line->at ? class_size[line->class] - line->len : 0;
		n = left < n ? left : n;
	}
	if (n) {
		memcpy(buffer(pool, line) + line->len, b.p, n);
		line->len = (uint16_t)(line->len + n);
	}
	if (n < b.n)
		line->cut = true;
}

/* NUL and bare CR in the next octets of a line; a CR at their end is left open. */
static void look(struct textline *line, struct bytes b)
{
	if (!b.n)
		return;
	if (line->cr && b.p[0] != '\n')
		line->odd = true;
	if (memchr(b.p, 0, b.n))
		line->odd = true;
	const uint8_t *cr = memchr(b.p, '\r', b.n), *end = b.p + b.n;
	while (cr && cr + 1 < end) {
		if (cr[1] != '\n')
			line->odd = true;
		cr = memchr(cr + 1, '\r', (size_t)(end - cr - 1));
	}
	if (b.p[b.n - 1] == '\n' && !(b.n > 1 ? b.p[b.n - 2] == '\r' : line->cr))
		line->odd = true;
	line->cr = b.p[b.n - 1] == '\r';
}

size_t textline_push(struct textline_pool *pool, struct textline *line, struct bytes in,
		     struct bytes *out)
{
	*out = bytes_of(NULL, 0);
	const uint8_t *lf = in.n ? memchr(in.p, '\n', in.n) : NULL;
	struct bytes now = bytes_head(in, lf ? (size_t)(lf - in.p) + 1 : in.n);
	bool cr = line->cr; /* of the octet before */
	look(line, now);
	if (!lf || line->at || line->cut || cr) {
		struct bytes text = now;
		if (lf)
			text.n -= text.n > 1 && text.p[text.n - 2] == '\r' ? 2 : 1;
		else if (line->cr)
			text.n--; /* added when something else than LF follows */
		if (cr && !(lf && now.n == 1))
			append(pool, line, bytes_str("\r"));
		append(pool, line, text);
		if (lf)
			*out = textline_part(pool, line);
	} else {
		now.n -= now.n > 1 && now.p[now.n - 2] == '\r' ? 2 : 1;
		if (now.n > TEXTLINE_MAX) {
			now.n = TEXTLINE_MAX;
			line->cut = true;
		}
		*out = now;
	}
	if (lf)
		line->cr = false;
	return lf ? (size_t)(lf - in.p) + 1 : in.n;
}

struct bytes textline_part(const struct textline_pool *pool, const struct textline *line)
{
	static const uint8_t nothing;
	return line->at ? bytes_of(buffer(pool, line), line->len) : bytes_of(&nothing, 0);
}

void textline_done(struct textline_pool *pool, struct textline *line)
{
	release(pool, line);
	*line = (struct textline){ 0 };
}

struct bytes textline_keep(struct textline_pool *pool, struct textline *line, struct bytes whole)
{
	if (!line->at)
		append(pool, line, whole);
	return textline_part(pool, line);
}

static struct pool *textname_pool(const struct textline_pool *pool, const struct textname *name)
{
	return pool->name[name->big];
}

void textname_set(struct textline_pool *pool, struct textname *name, struct bytes b)
{
	textname_clear(pool, name);
	for (int big = b.n > NAME_SMALL; big >= 0; big--) {
		uint32_t i = take(pool, pool->name[big]);
		if (i == POOL_NONE)
			continue;
		b = bytes_head(b, big ? NAME_BIG : NAME_SMALL);
		*name = (struct textname){ .at = i + 1, .len = (uint16_t)b.n, .big = big };
		if (b.n)
			memcpy(pool_at(pool->name[big], i), b.p, b.n);
		return;
	}
}

void textname_clear(struct textline_pool *pool, struct textname *name)
{
	if (name->at)
		give(pool, textname_pool(pool, name), name->at - 1);
	*name = (struct textname){ 0 };
}

struct bytes textname_get(const struct textline_pool *pool, const struct textname *name)
{
	return name->at ? bytes_of(pool_at(textname_pool(pool, name), name->at - 1), name->len)
			: bytes_of(NULL, 0);
}

uint32_t textline_block_take(struct textline_pool *pool)
{
	return take(pool, pool->block);
}

void textline_block_give(struct textline_pool *pool, uint32_t i)
{
	give(pool, pool->block, i);
}

uint8_t *textline_block_at(const struct textline_pool *pool, uint32_t i)
{
	return pool_at(pool->block, i);
}

uint32_t textline_pool_out(const struct textline_pool *pool)
{
	return pool->out;
}
