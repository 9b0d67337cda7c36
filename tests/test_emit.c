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
static struct bytes printed(void (*f)(struct emit *e), bool text)
{
	char path[] = "/tmp/test_emit.XXXXXX";
	int fd = mkstemp(path), kept = dup(STDOUT_FILENO);
	struct emit_setup setup = {
		.cfg = &cfg, .stats = &stats, .text = text, .window = WINDOW, .complain = complain
	};
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
		for (struct message *m; emit_ready(e); next++) {
			m = emit_next(e);
			CU_ASSERT_PTR_EQUAL(m, &message[next]);
		}
		CU_ASSERT_PTR_NULL(emit_next(e));
		CU_ASSERT_EQUAL(emit_order(e), next);
	}
	CU_ASSERT_TRUE(emit_flush(e));
	CU_ASSERT_FALSE(emit_flagged(e) || emit_failed(e));
}

static void in_order(struct emit *e)
{
	for (unsigned i = 0; i < N; i++) {
		emit_push(e, &message[i]);
		CU_ASSERT_PTR_EQUAL(emit_next(e), &message[i]);
	}
	emit_flush(e);
}

static void same_octets(void)
{
	make();
	struct bytes a = printed(in_order, false), b = printed(shuffled, false);
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
	CU_ASSERT_PTR_EQUAL(emit_next(e), &message[0]);
	emit_restart(e, 500);
	emit_push(e, &message[501]);
	CU_ASSERT_PTR_NULL(emit_next(e));
	emit_push(e, &message[500]);
	CU_ASSERT_PTR_EQUAL(emit_next(e), &message[500]);
	CU_ASSERT_FALSE(emit_flagged(e));
	verdict.action = VERDICT_FLAG;
	CU_ASSERT_PTR_EQUAL(emit_next(e), &message[501]);
	CU_ASSERT_TRUE(emit_flagged(e));
	verdict.action = VERDICT_ACCEPT;
	emit_totals(e);
}

static void table_with_totals(void)
{
	make();
	struct bytes got = printed(again, true);
	CU_ASSERT_EQUAL(strncmp((const char *)got.p, "TIME", 4), 0);
	CU_ASSERT_PTR_NOT_NULL(memmem(got.p, got.n, "\n3 messages (3 smtp", 19));
	free((void *)got.p);
}

static void unjudged(struct emit *e)
{
	message[0].verdict = NULL;
	emit_push(e, &message[0]);
	CU_ASSERT_PTR_EQUAL(emit_next(e), &message[0]);
	CU_ASSERT_TRUE(emit_flagged(e));
}

static void what_nobody_judged_is_flagged(void)
{
	make();
	free((void *)printed(unjudged, false).p);
}

TEST_MAIN("emit", TEST(same_octets), TEST(table_with_totals), TEST(what_nobody_judged_is_flagged))
