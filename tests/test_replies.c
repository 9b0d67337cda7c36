/* Commands that wait for a reply come out in the order they went in, however many there are up to REPLIES_MAX. */
#include "reassembly/replies.h"

#include "tests/test.h"

static struct textline_pool *pool;

/* The i-th kind that a test puts in. */
static uint8_t kind(unsigned i)
{
	return (uint8_t)(i * 7 + i / 256);
}

static void in_order(void)
{
	/* so many in, then so many out, again and again: around the ring, in the session and in a block */
	static const struct {
		unsigned in, out;
	} turn[] = { { 1, 1 },   { 5, 3 },    { REPLIES_FEW, 1 },   { REPLIES_FEW + 1, 2 },
		     { 40, 39 }, { 1000, 1 }, { REPLIES_MAX, 4000 } };
	for (size_t t = 0; t < sizeof turn / sizeof turn[0]; t++) {
		struct replies r = { 0 };
		unsigned put = 0, got = 0;
		for (int round = 0; round < 40; round++) {
			for (unsigned i = 0; i < turn[t].in && replies_push(pool, &r, kind(put));
			     i++)
				put++;
			CU_ASSERT_EQUAL(r.n, put - got);
			for (unsigned i = 0; i < turn[t].out && r.n; i++) {
				CU_ASSERT_EQUAL(replies_at(pool, &r, 0), kind(got));
				CU_ASSERT_EQUAL(replies_at(pool, &r, r.n - 1u), kind(put - 1));
				CU_ASSERT_EQUAL(replies_at(pool, &r, r.n / 2u),
						kind(got + r.n / 2u));
				CU_ASSERT_EQUAL(replies_pop(pool, &r), kind(got));
				got++;
			}
		}
		while (r.n) {
			CU_ASSERT_EQUAL(replies_pop(pool, &r), kind(got));
			got++;
		}
		CU_ASSERT_EQUAL(got, put);
		CU_ASSERT_EQUAL(textline_pool_out(pool), 0);
	}
}

static void the_last_one_is_changed(void)
{
	struct replies r = { 0 };
	replies_set_last(pool, &r, 9); /* there is none */
	CU_ASSERT_EQUAL(r.n, 0);
	for (unsigned i = 0; i < 2 * REPLIES_FEW; i++) {
		CU_ASSERT(replies_push(pool, &r, 1));
		replies_set_last(pool, &r, kind(i));
	}
	for (unsigned i = 0; i < 2 * REPLIES_FEW; i++)
		CU_ASSERT_EQUAL(replies_pop(pool, &r), kind(i));
}

/* The client has to wait. */
static void full(void)
{
	struct replies r = { 0 };
	unsigned n = 0;
	CU_ASSERT(replies_room(pool, &r, REPLIES_FEW));
	CU_ASSERT_EQUAL(textline_pool_out(pool), 0);
	while (replies_push(pool, &r, kind(n)))
		n++;
	CU_ASSERT_EQUAL(n, REPLIES_MAX);
	CU_ASSERT_FALSE(replies_room(pool, &r, 1));
	CU_ASSERT_EQUAL(replies_pop(pool, &r), kind(0));
	CU_ASSERT(replies_room(pool, &r, 1));
	CU_ASSERT_FALSE(replies_room(pool, &r, 2));
	CU_ASSERT(replies_push(pool, &r, kind(n)));
	CU_ASSERT_EQUAL(replies_at(pool, &r, REPLIES_MAX - 1), kind(n));
	replies_clear(pool, &r);
	CU_ASSERT_EQUAL(r.n, 0);
	CU_ASSERT_EQUAL(textline_pool_out(pool), 0);
}

/* No block is left: what is in the session stays, and goes on. */
static void no_block(void)
{
	enum { BLOCKS_MAX = 100000 };
	static uint32_t block[BLOCKS_MAX];
	struct replies r = { 0 };
	unsigned n = 0, taken = 0;
	while (taken < BLOCKS_MAX && (block[taken] = textline_block_take(pool)) != POOL_NONE)
		taken++;
	CU_ASSERT_FATAL(taken > 0 && taken < BLOCKS_MAX);
	while (replies_push(pool, &r, kind(n)))
		n++;
	CU_ASSERT_EQUAL(n, REPLIES_FEW);
	CU_ASSERT_EQUAL(replies_pop(pool, &r), kind(0));
	CU_ASSERT(replies_push(pool, &r, kind(n)));
	CU_ASSERT_FALSE(replies_room(pool, &r, 1));
	textline_block_give(pool, block[--taken]);
	CU_ASSERT(replies_push(pool, &r, kind(n + 1)));
	for (unsigned i = 1; i <= n + 1; i++)
		CU_ASSERT_EQUAL(replies_pop(pool, &r), kind(i));
	while (taken)
		textline_block_give(pool, block[--taken]);
	CU_ASSERT_EQUAL(textline_pool_out(pool), 0);
}

static void with_pool(void (*test)(void))
{
	pool = textline_pool_new(64);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	test();
	textline_pool_free(pool);
}

static void order(void)
{
	with_pool(in_order);
}

static void set_last(void)
{
	with_pool(the_last_one_is_changed);
}

static void h9_limit(void)
{
	with_pool(full);
	with_pool(no_block);
}

TEST_MAIN("replies", TEST(order), TEST(set_last), TEST(h9_limit))
