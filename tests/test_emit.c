/* Whatever the order messages come in, they are printed in theirs, each once. */
#include "control/emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/verdict.h"
#include "tests/test.h"

enum { N = 1000, WINDOW = 64 };

static struct config cfg = { .dkim = true };
static struct stats stats;
static struct verdict verdict = { .result = "clean" };
static struct message message[N];
static char why[512];

static void complain(void *ctx, const char *line)
{
	CU_FAIL("nothing is wrong here");
}

/* Standard output goes to a file while f runs; gives what was printed. */
static struct bytes printed(void (*f)(struct emit *e), enum emit_format format)
{
	char path[] = "/tmp/test_emit.XXXXXX";
	int fd = mkstemp(path), kept = dup(STDOUT_FILENO);
	struct emit_setup setup = { .cfg = &cfg,
				    .stats = &stats,
				    .format = format,
				    .window = WINDOW,
				    .complain = complain };
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	struct emit *e = emit_new(&setup, why, sizeof why);
	if (e)
		f(e);
	emit_free(e);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	close(fd);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	struct bytes got = test_file(path);
	unlink(path);
	return got;
}

static void make(void)
{
	for (unsigned i = 0; i < N; i++)
		message[i] = (struct message){
			.order = i, .tx_id = i, .complete = true, .verdict = &verdict
		};
}

/* Pushed in a random order within the window. */
static void shuffled(struct emit *e)
{
	uint64_t state = 5, next = 0;
	bool pushed[N] = { false };
	while (next < N) {
		uint64_t i = next + test_random(&state) % WINDOW;
		if (i >= N || pushed[i])
			continue;
		pushed[i] = true;
		emit_push(e, &message[i]);
		while (next < N && pushed[next])
			next++;
		emit_print(e);
		CU_ASSERT_EQUAL(emit_print(e), 0);
		CU_ASSERT_FALSE(emit_ready(e));
		CU_ASSERT_EQUAL(emit_order(e), next);
	}
	CU_ASSERT_TRUE(emit_flush(e));
	CU_ASSERT_FALSE(emit_flagged(e) || emit_failed(e));
}

static void in_order(struct emit *e)
{
	for (unsigned i = 0; i < N; i++) {
		emit_push(e, &message[i]);
		CU_ASSERT_EQUAL(emit_order(e), i + 1);
	}
	emit_flush(e);
}

static void same_octets(void)
{
	make();
	struct bytes a = printed(in_order, EMIT_JSON), b = printed(shuffled, EMIT_JSON);
	size_t lines = 0;
	for (size_t i = 0; i < a.n; i++)
		lines += a.p[i] == '\n';
	CU_ASSERT_EQUAL(lines, N);
	CU_ASSERT_TRUE(bytes_equal(a, b));
	free((void *)a.p);
	free((void *)b.p);
}

static void again(struct emit *e)
{
	emit_push(e, &message[0]);
	CU_ASSERT_EQUAL(emit_order(e), 1);
	emit_restart(e, 500);
	emit_push(e, &message[501]);
	CU_ASSERT_EQUAL(emit_print(e), 0);
	CU_ASSERT_FALSE(emit_flagged(e));
	verdict.action = VERDICT_FLAG;
	emit_push(e, &message[500]);
	CU_ASSERT_TRUE(emit_flagged(e));
	verdict.action = VERDICT_ACCEPT;
	CU_ASSERT_EQUAL(emit_print(e), 1);
	CU_ASSERT_EQUAL(emit_order(e), 502);
	/* one that waits for a message that never comes is printed at the end */
	emit_push(e, &message[503]);
	emit_totals(e);
}

static void table_with_totals(void)
{
	make();
	struct bytes got = printed(again, EMIT_TABLE);
	CU_ASSERT_EQUAL(strncmp((const char *)got.p, "TIME", 4), 0);
	CU_ASSERT_PTR_NOT_NULL(memmem(got.p, got.n, "\n4 messages (4 smtp", 19));
	free((void *)got.p);
}

/* Numbers go on where the order of captures gives way to that of files, and none is given twice. */
static void numbers_of_a_log(void)
{
	make();
	struct bytes got = printed(again, EMIT_LOG);
	const char *at = (const char *)got.p;
	for (unsigned mid = 1; mid <= 4; mid++) {
		unsigned want = mid == 4 ? 5 : mid; /* the fourth never came */
		char text[32];
		snprintf(text, sizeof text, " MID %u Verdict: ", want);
		at = memmem(at, got.n - (size_t)(at - (const char *)got.p), text, strlen(text));
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	}
	CU_ASSERT_PTR_NULL(memmem(got.p, got.n, " MID 4 ", 7));
	free((void *)got.p);
	struct bytes a = printed(in_order, EMIT_LOG), b = printed(shuffled, EMIT_LOG);
	CU_ASSERT_TRUE(bytes_equal(a, b));
	free((void *)a.p);
	free((void *)b.p);
}

static void unjudged(struct emit *e)
{
	message[0].verdict = NULL;
	emit_push(e, &message[0]);
	CU_ASSERT_TRUE(emit_flagged(e));
}

static void what_nobody_judged_is_flagged(void)
{
	make();
	free((void *)printed(unjudged, EMIT_JSON).p);
}

TEST_MAIN("emit", TEST(same_octets), TEST(table_with_totals), TEST(numbers_of_a_log),
	  TEST(what_nobody_judged_is_flagged))
