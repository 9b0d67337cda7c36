/*
 * Whatever comes in whatever order, the first copy of every octet stays, and nothing is there that
 * was not put.
 */
#include "tests/test.h"

#include <stdlib.h>

#include "reassembly/held.h"

static struct held_pool *pool_of(unsigned pages)
{
	struct held_pool *p = held_pool_new(pages * (uint64_t)held_cost());
	if (!p)
		abort();
	return p;
}

static struct held_put put(struct held_pool *p, struct held *h, uint32_t seq, const char *text)
{
	return held_put(p, h, seq, bytes_str(text), 0, 1000);
}

static bool at(const struct held_pool *p, const struct held *h, uint32_t seq, const char *text)
{
	uint32_t ack;
	return bytes_equal(held_at(p, h, seq, &ack), bytes_str(text));
}

static void first_copy_stays(void)
{
	struct held_pool *p = pool_of(8);
	struct held h = { 0 };
	struct held_put r = put(p, &h, 100, "abcdef");
	CU_ASSERT(r.placed == 6 && r.fresh && !r.differs);
	r = put(p, &h, 102, "cd");
	CU_ASSERT(r.placed == 2 && !r.fresh && !r.differs);
	r = put(p, &h, 98, "..xx");
	CU_ASSERT(r.placed == 4 && r.fresh && r.differs);
	CU_ASSERT(at(p, &h, 98, "..abcdef"));
	CU_ASSERT(at(p, &h, 103, "def"));
	CU_ASSERT(at(p, &h, 104, "ef") && at(p, &h, 106, "") && at(p, &h, 97, ""));
	held_clear(p, &h);
	CU_ASSERT(held_none(p, &h) && at(p, &h, 100, ""));
	held_pool_free(p);
}

/* who had read what when it spoke is known to the octet: short replies answer short commands */
static void one_ack_a_run(void)
{
	struct held_pool *p = pool_of(8);
	struct held h = { 0 };
	uint32_t ack = 0;
	held_put(p, &h, 10, bytes_str("ab"), 9, 10);
	held_put(p, &h, 0, bytes_str("0123456789"), 5, 10);
	held_put(p, &h, 12, bytes_str("cd"), 7, 10);
	held_put(p, &h, 14, bytes_str("ef"), 7, 10);
	CU_ASSERT(held_at(p, &h, 0, &ack).n == 10 && ack == 5);
	CU_ASSERT(held_at(p, &h, 10, &ack).n == 2 && ack == 9);
	CU_ASSERT(held_at(p, &h, 12, &ack).n == 4 && ack == 7);
	held_put(p, &h, 11, bytes_str("bc"), 99, 10); /* a second copy changes nothing */
	CU_ASSERT(held_at(p, &h, 11, &ack).n == 1 && ack == 9);
	held_clear(p, &h);
	/* more changes than a page remembers: the octets are right all the same */
	for (uint32_t i = 0; i < HELD_PAGE; i++)
		held_put(p, &h, i, bytes_str("x"), i, 10);
	for (uint32_t i = 0, n; i < HELD_PAGE; i += n) {
		n = (uint32_t)held_at(p, &h, i, &ack).n;
		CU_ASSERT_FATAL(n > 0 && ack <= i && (i > 100 || (n == 1 && ack == i)));
	}
	held_clear(p, &h);
	held_pool_free(p);
}

static void wraps(void)
{
	struct held_pool *p = pool_of(8);
	struct held h = { 0 };
	uint32_t seq = 0;
	put(p, &h, 0xfffffffe, "abcd");
	CU_ASSERT(at(p, &h, 0xfffffffe, "ab") && at(p, &h, 0, "cd"));
	CU_ASSERT(held_first(p, &h, 0xfffff000, &seq) && seq == 0xfffffffe);
	CU_ASSERT(held_near(p, &h, 0xfffffff0, 4) && held_near(p, &h, 1, 1));
	held_drop(p, &h, 0xfffffffe, 3);
	CU_ASSERT(held_first(p, &h, 0xfffffffe, &seq) && seq == 1);
	held_drop(p, &h, 1, 1);
	CU_ASSERT(held_none(p, &h) && !held_first(p, &h, 0, &seq));
	held_pool_free(p);
}

static void far_pages(void)
{
	struct held_pool *p = pool_of(8);
	struct held h = { 0 };
	uint32_t seq = 0;
	put(p, &h, 500000000, "far");
	put(p, &h, 300000, "mid");
	put(p, &h, 10000, "near");
	CU_ASSERT(held_pages(p, &h) == 3);
	CU_ASSERT(held_first(p, &h, 10, &seq) && seq == 10000);
	CU_ASSERT(held_first(p, &h, 10004, &seq) && seq == 300000);
	CU_ASSERT(!held_drop_last(p, &h, 10, 600000000));
	CU_ASSERT(held_drop_last(p, &h, 10, 20000) && at(p, &h, 500000000, ""));
	CU_ASSERT(held_drop_last(p, &h, 10, 20000) && at(p, &h, 300000, ""));
	CU_ASSERT(!held_drop_last(p, &h, 10, 20000) && at(p, &h, 10000, "near"));
	held_clear(p, &h);
	held_pool_free(p);
}

/* 4 pages in all: a stream may have 3; the third stream takes everything of the first. */
static void bounds(void)
{
	struct held_pool *p = pool_of(4);
	struct held a = { 0 }, b = { 0 }, c = { 0 };
	static uint8_t big[4 * HELD_PAGE];
	CU_ASSERT(held_put(p, &a, 0, bytes_of(big, sizeof big), 0, 3).placed == 3 * HELD_PAGE);
	CU_ASSERT(put(p, &b, 7, "b").placed == 1);
	CU_ASSERT(put(p, &c, 7, "c").placed == 1);
	CU_ASSERT(held_stolen(p) == 1);
	CU_ASSERT(held_none(p, &a) && at(p, &b, 7, "b") && at(p, &c, 7, "c"));
	CU_ASSERT(put(p, &a, 7, "a").placed == 1 && at(p, &a, 7, "a"));
	CU_ASSERT(held_pages(p, &a) == 1);
	/* the oldest does not take from itself */
	held_clear(p, &a);
	held_clear(p, &c);
	CU_ASSERT(held_put(p, &b, 0, bytes_of(big, sizeof big), 0, 99).placed == sizeof big);
	CU_ASSERT(held_put(p, &b, sizeof big, bytes_of(big, 1), 0, 99).placed == 0);
	CU_ASSERT(held_stolen(p) == 1);
	held_clear(p, &b);
	held_pool_free(p);
	p = pool_of(0);
	CU_ASSERT(put(p, &a, 7, "a").placed == 0 && held_none(p, &a));
	held_pool_free(p);
}

enum { SPACE = 3 * HELD_PAGE };

/* Against an array of octets and an array of "is there". */
static void random_pieces(void)
{
	uint64_t rnd = 7;
	for (int round = 0; round < 200; round++) {
		struct held_pool *p = pool_of(8);
		struct held h = { 0 };
		uint8_t octet[SPACE] = { 0 }, there[SPACE] = { 0 }, acks[SPACE] = { 0 };
		uint32_t base = (uint32_t)test_random(&rnd);
		for (int i = 0; i < 300; i++) {
			uint32_t off = (uint32_t)(test_random(&rnd) % SPACE), ack;
			size_t n = test_random(&rnd) % (i % 3 ? 200 : 3000);
			if (n > SPACE - off)
				n = SPACE - off;
			if (i % 5 == 4) {
				held_drop(p, &h, base + off, n);
				memset(there + off, 0, n);
			} else {
				uint8_t data[3000];
				bool fresh = false, differs = false;
				uint8_t with = (uint8_t)(test_random(&rnd) % 5);
				for (size_t k = 0; k < n; k++) {
					data[k] = (uint8_t)test_random(&rnd) & 3;
					fresh |= !there[off + k];
					differs |= there[off + k] && octet[off + k] != data[k];
					if (!there[off + k]) {
						octet[off + k] = data[k];
						acks[off + k] = with;
					}
					there[off + k] = 1;
				}
				struct held_put r =
					held_put(p, &h, base + off, bytes_of(data, n), with, 8);
				CU_ASSERT_FATAL(r.placed == n && r.fresh == fresh &&
						r.differs == differs);
			}
			uint32_t look = (uint32_t)(test_random(&rnd) % SPACE), first = 0, k = look;
			while (k < SPACE && !there[k])
				k++;
			bool found = held_first(p, &h, base + look, &first);
			CU_ASSERT_FATAL(found == (k < SPACE) && (!found || first == base + k));
			struct bytes run = held_at(p, &h, base + look, &ack);
			CU_ASSERT_FATAL((run.n > 0) == there[look]);
			for (size_t m = 0; m < run.n; m++)
				CU_ASSERT_FATAL(there[look + m] && octet[look + m] == run.p[m] &&
						acks[look + m] == ack);
			CU_ASSERT_FATAL(!there[look] || held_near(p, &h, base + look, 1));
		}
		held_clear(p, &h);
		held_pool_free(p);
	}
}

TEST_MAIN("held", TEST(first_copy_stays), TEST(one_ack_a_run), TEST(wraps), TEST(far_pages),
	  TEST(bounds), TEST(random_pieces))
