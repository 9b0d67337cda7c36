/* The time of a file never falls, follows its stamps, and does not go where one stamp alone points. */
#include "dataplane/timeline.h"
#include "tests/test.h"

#define S UINT64_C(1000000000)

static struct timeline t;

/* After one more stamp, since the first one: what is sure, and what is now. */
static bool sure(uint64_t stamp, uint64_t want_sure, uint64_t want_now)
{
	timeline_at(&t, stamp);
	return t.sure_ns == TIMELINE_START_NS + want_sure &&
	       t.now_ns == TIMELINE_START_NS + want_now;
}

static void start(uint64_t stamp)
{
	t = (struct timeline){ 0 };
	CU_ASSERT_TRUE(sure(stamp, 0, 0));
}

static void follows(void)
{
	start(1000 * S);
	CU_ASSERT_TRUE(sure(1000 * S + 1, 1, 1));
	CU_ASSERT_TRUE(sure(1059 * S, 59 * S, 59 * S));
	CU_ASSERT_TRUE(sure(1010 * S, 59 * S, 59 * S));
	CU_ASSERT_TRUE(sure(1060 * S, 60 * S, 60 * S));
	CU_ASSERT_TRUE(sure(1, 60 * S, 60 * S));
	CU_ASSERT_TRUE(sure(1061 * S, 61 * S, 61 * S));
}

static void one_stamp_far_ahead(void)
{
	static const uint64_t far[] = { 1062 * S, 5000 * S, UINT64_MAX / 2 };
	for (int i = 0; i < 3; i++) {
		start(1000 * S);
		CU_ASSERT_TRUE(sure(far[i], 0, far[i] - 1000 * S));
		CU_ASSERT_TRUE(sure(1001 * S, S, S));
		CU_ASSERT_TRUE(
			sure(far[i] + 1, S, far[i] + 1 - 1000 * S)); /* the first is forgotten */
		CU_ASSERT_TRUE(sure(1000 * S, S, S));
	}
}

static void a_long_rest(void)
{
	start(1000 * S);
	CU_ASSERT_TRUE(sure(9000 * S, 0, 8000 * S));
	CU_ASSERT_TRUE(sure(9001 * S, 8001 * S, 8001 * S));
	CU_ASSERT_TRUE(sure(9002 * S, 8002 * S, 8002 * S));
	start(1000 * S); /* and the next two came in the wrong order */
	CU_ASSERT_TRUE(sure(9000 * S, 0, 8000 * S));
	CU_ASSERT_TRUE(sure(8999 * S, 8000 * S, 8000 * S));
}

/* Each packet an hour behind the other: what is sure is one packet late. */
static void slow(void)
{
	start(0);
	for (uint64_t i = 1; i < 10; i++)
		CU_ASSERT_TRUE(sure(i * 3600 * S, (i - 1) * 3600 * S, i * 3600 * S));
}

static void another_source(void)
{
	start(9000 * S);
	CU_ASSERT_TRUE(sure(9010 * S, 10 * S, 10 * S));
	timeline_begin(&t);
	CU_ASSERT_TRUE(sure(3 * S, TIMELINE_START_NS, TIMELINE_START_NS));
	CU_ASSERT_TRUE(sure(5 * S, 2 * S + TIMELINE_START_NS, 2 * S + TIMELINE_START_NS));
}

/* pcapng stamps have 64 bits of any value. */
static void any_stamps(void)
{
	uint64_t seed = 1, last = 0;
	for (int i = 0; i < 100000; i++) {
		if (t.sure_ns > UINT64_MAX / 4 || i % 100 == 0) {
			t = (struct timeline){ 0 };
			last = 0;
		}
		uint64_t r = test_random(&seed);
		timeline_at(&t, r >> (2 + r % 60));
		if (t.sure_ns < last || t.now_ns < t.sure_ns)
			CU_FAIL_FATAL("time fell");
		last = t.sure_ns;
	}
	CU_PASS("it never fell");
}

TEST_MAIN("timeline", TEST(follows), TEST(one_stamp_far_ahead), TEST(a_long_rest), TEST(slow),
	  TEST(another_source), TEST(any_stamps))
