/* What is open under a domain is counted up and down to the bounds, each domain for itself. */
#include "tests/test.h"
#include "verify/crowd.h"

static void h5_questions(void)
{
	struct crowd *c = crowd_new(2 * CROWD_FLIGHTS);
	struct crowd_domain *d[CROWD_FLIGHTS];
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < CROWD_FLIGHTS; i++) {
			d[i] = crowd_begin(c, 7);
			CU_ASSERT_PTR_NOT_NULL_FATAL(d[i]);
		}
		CU_ASSERT_PTR_NULL(crowd_begin(c, 7));
		struct crowd_domain *other = crowd_begin(c, 8);
		CU_ASSERT_PTR_NOT_NULL_FATAL(other);
		crowd_end(c, d[0], 1);
		d[0] = crowd_begin(c, 7);
		CU_ASSERT_PTR_NOT_NULL_FATAL(d[0]);
		CU_ASSERT_PTR_NULL(crowd_begin(c, 7));
		for (unsigned i = 0; i < CROWD_FLIGHTS; i++)
			crowd_end(c, d[i], 1);
		crowd_end(c, other, 1);
	}
	crowd_free(c);
	crowd_free(NULL);
}

static void h5_messages(void)
{
	struct crowd *c = crowd_new(16);
	struct crowd_domain *d = crowd_begin(c, 7), *again = crowd_begin(c, 7);
	CU_ASSERT_FATAL(d && again);
	for (unsigned i = 2; i < CROWD_ASKS; i++)
		CU_ASSERT(crowd_join(d));
	CU_ASSERT(!crowd_join(d));
	CU_ASSERT_PTR_NULL(crowd_begin(c, 7));
	crowd_end(c, again, 1);
	CU_ASSERT(crowd_join(d));
	CU_ASSERT(!crowd_join(d));
	crowd_end(c, d, CROWD_ASKS);
	d = crowd_begin(c, 7);
	CU_ASSERT_PTR_NOT_NULL(d);
	crowd_end(c, d, 1);
	crowd_free(c);
}

/* As many domains as questions, over and over, in one bucket too. */
static void room(void)
{
	enum { N = 64 };
	struct crowd *c = crowd_new(N);
	struct crowd_domain *d[N];
	for (uint64_t round = 0; round < 100; round++) {
		for (uint64_t i = 0; i < N; i++) {
			d[i] = crowd_begin(c, round % 2 ? i << 20 | 3 : round * N + i);
			CU_ASSERT_PTR_NOT_NULL_FATAL(d[i]);
		}
		for (uint64_t i = 0; i < N; i++)
			crowd_end(c, d[(i * 37 + round) % N], 1);
	}
	crowd_free(c);
}

TEST_MAIN("crowd", TEST(h5_questions), TEST(h5_messages), TEST(room))
