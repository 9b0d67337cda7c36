/* What is open under a domain is counted up and down to the bounds, each domain for itself. */
#include "tests/test.h"
#include "verify/dns/crowd.h"

static void h5_questions(void)
{
	struct crowd *c = crowd_new(2 * CROWD_FLIGHTS, 10 * CROWD_FLIGHTS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	for (unsigned round = 0; round < 3; round++) {
		struct crowd_domain *d = crowd_of(c, 7), *other = crowd_of(c, 8);
		CU_ASSERT_FATAL(d && other && d != other);
		for (unsigned i = 0; i < CROWD_FLIGHTS; i++)
			CU_ASSERT_EQUAL(crowd_ask(c, d), CROWD_GO);
		CU_ASSERT_EQUAL(crowd_ask(c, d), CROWD_WAIT);
		CU_ASSERT_EQUAL(crowd_ask(c, other), CROWD_GO);
		CU_ASSERT_PTR_EQUAL(crowd_of(c, 7), d);
		crowd_end(c, d, 1, 1);
		crowd_go(d); /* the one that waited */
		CU_ASSERT_EQUAL(crowd_ask(c, d), CROWD_WAIT);
		crowd_end(c, d, CROWD_FLIGHTS, CROWD_FLIGHTS);
		CU_ASSERT_PTR_EQUAL(crowd_of(c, 7), d); /* one still waits */
		CU_ASSERT_EQUAL(d->asks, 1);
		crowd_go(d);
		crowd_end(c, d, 1, 1);
		crowd_end(c, other, 1, 1);
	}
	crowd_free(c);
	crowd_free(NULL);
}

static void h5_messages(void)
{
	enum { MAX = 1000 };
	struct crowd *c = crowd_new(16, MAX);
	struct crowd_domain *d = crowd_of(c, 7);
	CU_ASSERT_EQUAL(crowd_ask(c, d), CROWD_GO);
	for (unsigned i = 1; i < MAX; i++)
		CU_ASSERT(crowd_join(c, d));
	CU_ASSERT(!crowd_join(c, d));
	CU_ASSERT_EQUAL(crowd_ask(c, d), CROWD_REFUSED);
	crowd_end(c, d, 0, 1);
	CU_ASSERT(crowd_join(c, d));
	CU_ASSERT(!crowd_join(c, d));
	crowd_end(c, d, 1, MAX);
	CU_ASSERT_EQUAL(crowd_ask(c, crowd_of(c, 7)), CROWD_GO);
	crowd_free(c);
	/* a bound of none refuses the first, and forgets it */
	c = crowd_new(1, 0);
	for (uint64_t i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(crowd_ask(c, crowd_of(c, i)), CROWD_REFUSED);
	crowd_free(c);
}

/* As many domains as questions, over and over, in one bucket too. */
static void room(void)
{
	enum { N = 64 };
	struct crowd *c = crowd_new(N, 10);
	struct crowd_domain *d[N];
	for (uint64_t round = 0; round < 100; round++) {
		for (uint64_t i = 0; i < N; i++) {
			d[i] = crowd_of(c, round % 2 ? i << 20 | 3 : round * N + i);
			CU_ASSERT_EQUAL(crowd_ask(c, d[i]), CROWD_GO);
		}
		for (uint64_t i = 0; i < N; i++)
			crowd_end(c, d[(i * 37 + round) % N], 1, 1);
	}
	crowd_free(c);
}

TEST_MAIN("crowd", TEST(h5_questions), TEST(h5_messages), TEST(room))
