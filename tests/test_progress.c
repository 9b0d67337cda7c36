/* The bar is drawn for large inputs on a terminal only, and leaves nothing behind. */
#include "control/progress.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/test.h"

/* What f writes to stderr. */
static struct bytes drawn(void (*f)(void))
{
	char path[] = "/tmp/test_progress.XXXXXX";
	int fd = mkstemp(path), kept = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	f();
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fd);
	struct bytes got = test_file(path);
	unlink(path);
	return got;
}

static void run(uint64_t all, bool terminal)
{
	struct progress p;
	progress_init(&p, all, terminal, 0);
	for (uint64_t i = 1; i <= 10; i++)
		progress_tick(&p, all / 10 * i + (i == 10) * 999, i * 1000000000);
	progress_tick(&p, all, UINT64_C(10000000001)); /* too soon after the last */
	progress_clear(&p);
	progress_clear(&p);
}

static void small(void)
{
	run(PROGRESS_FROM, true);
}

static void no_terminal(void)
{
	run(2 * PROGRESS_FROM, false);
}

static void large(void)
{
	run(2 * PROGRESS_FROM, true);
}

static void nothing_to_draw(void)
{
	struct bytes a = drawn(small), b = drawn(no_terminal);
	CU_ASSERT_EQUAL(a.n, 0);
	CU_ASSERT_EQUAL(b.n, 0);
	free((void *)a.p);
	free((void *)b.p);
}

static void bar(void)
{
	struct bytes got = drawn(large);
	unsigned bars = 0;
	for (size_t i = 0; i < got.n; i++)
		bars += got.p[i] == '[' && i && got.p[i - 1] == '\r';
	CU_ASSERT_EQUAL(bars, 10);
	CU_ASSERT_PTR_NOT_NULL(memmem(got.p, got.n, " 50%  100 of 200 MB  20 MB/s", 28));
	CU_ASSERT_PTR_NOT_NULL(memmem(got.p, got.n, "100%", 4));
	CU_ASSERT_PTR_NULL(memmem(got.p, got.n, "101%", 4));
	CU_ASSERT_TRUE(got.n > 4 && !memcmp(got.p + got.n - 4, "\r\033[K", 4));
	free((void *)got.p);
}

TEST_MAIN("progress", TEST(nothing_to_draw), TEST(bar))
