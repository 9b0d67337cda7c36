#include "reassembly/replies.h"

static uint8_t *slot(const struct textline_pool *pool, struct replies *r, unsigned i)
{
	unsigned at = r->head + i;
	return r->block ? textline_block_at(pool, r->block - 1) + at % REPLIES_MAX
			: r->few + at % REPLIES_FEW;
}

bool replies_room(struct textline_pool *pool, struct replies *r, unsigned k)
{
	if (r->n + k <= (r->block ? REPLIES_MAX : REPLIES_FEW))
		return true;
	if (r->block)
		return false;
	uint32_t i = textline_block_take(pool);
	if (i == POOL_NONE)
		return false;
	uint8_t *block = textline_block_at(pool, i);
	for (unsigned m = 0; m < r->n; m++)
		block[m] = r->few[(r->head + m) % REPLIES_FEW];
	r->head = 0;
	r->block = i + 1;
	return true;
}

bool replies_push(struct textline_pool *pool, struct replies *r, uint8_t kind)
{
	if (!replies_room(pool, r, 1))
		return false;
	*slot(pool, r, r->n++) = kind;
	return true;
}

uint8_t replies_at(const struct textline_pool *pool, const struct replies *r, unsigned i)
{
	struct replies copy = *r; /* slot gives a place to write to */
	return r->block ? *slot(pool, &copy, i) : r->few[(r->head + i) % REPLIES_FEW];
}

void replies_set_last(struct textline_pool *pool, struct replies *r, uint8_t kind)
{
	if (r->n)
		*slot(pool, r, r->n - 1u) = kind;
}

uint8_t replies_pop(struct textline_pool *pool, struct replies *r)
{
	uint8_t kind = *slot(pool, r, 0);
	unsigned size = r->block ? REPLIES_MAX : REPLIES_FEW;
	r->head = (uint16_t)((r->head + 1) % size);
	if (--r->n == 0)
		replies_clear(pool, r);
	return kind;
}

void replies_clear(struct textline_pool *pool, struct replies *r)
{
	if (r->block)
		textline_block_give(pool, r->block - 1);
	r->block = 0;
	r->head = r->n = 0;
}
