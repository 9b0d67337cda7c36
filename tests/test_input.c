/* Every octet of an input can still be read after its head was looked at, be it a file or a pipe. */
#include "control/input.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

enum { N = 300000 };

static uint8_t octets[N];
static char why[512];

static bool told(struct bytes head)
{
	return false;
}

static void *feed(void *arg)
{
	int fd = *(int *)arg;
	size_t at = 0, step = 1;
	for (; at < N; at += step, step = step * 3 + 1) {
		if (step > N - at)
			step = N - at;
		CU_ASSERT_EQUAL(write(fd, octets + at, step), (ssize_t)step);
	}
	close(fd);
	return NULL;
}

static void expect_all(const struct input *in)
{
	static uint8_t got[N + 1];
	size_t n = 0;
	ssize_t k;
	CU_ASSERT_EQUAL(in->head_len, INPUT_HEAD_MAX);
	CU_ASSERT_EQUAL(memcmp(in->head, octets, INPUT_HEAD_MAX), 0);
	while (n <= N && (k = read(in->fd, got + n, N + 1 - n)) > 0)
		n += (size_t)k;
	CU_ASSERT_EQUAL(n, N);
	CU_ASSERT_EQUAL(memcmp(got, octets, N), 0);
	close(in->fd);
}

static void pipes(void)
{
	struct input in;
	uint64_t state = 9;
	for (int i = 0; i < N; i++)
		octets[i] = (uint8_t)test_random(&state);
	for (int round = 0; round < 3; round++) {
		int ends[2];
		char name[32];
		pthread_t thread;
		CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
		snprintf(name, sizeof name, round ? "/dev/fd/%d" : "-", ends[0]);
		if (!round)
			dup2(ends[0], STDIN_FILENO);
		pthread_create(&thread, NULL, feed, &ends[1]);
		CU_ASSERT_EQUAL_FATAL(input_open(&in, name, told, why, sizeof why), 0);
		CU_ASSERT_STRING_EQUAL(in.path, "-");
		CU_ASSERT_STRING_EQUAL(in.name, round ? name : "standard input");
		expect_all(&in);
		pthread_join(thread, NULL);
		close(ends[0]);
	}
}

static void files(void)
{
	struct input in;
	char path[] = "/tmp/test_input.XXXXXX";
	int fd = mkstemp(path);
	CU_ASSERT_EQUAL(write(fd, octets, N), N);
	CU_ASSERT_EQUAL_FATAL(input_open(&in, path, told, why, sizeof why), 0);
	CU_ASSERT_STRING_EQUAL(in.path, path);
	CU_ASSERT_EQUAL(in.size, N);
	expect_all(&in);
	char *names[] = { path, "-", "/nowhere", "/tmp", path };
	CU_ASSERT_EQUAL(input_sizes(names, 5), 2 * N);
	CU_ASSERT_EQUAL(ftruncate(fd, 3), 0);
	CU_ASSERT_EQUAL_FATAL(input_open(&in, path, told, why, sizeof why), 0);
	CU_ASSERT_EQUAL(in.head_len, 3);
	close(in.fd);
	close(fd);
	unlink(path);
	CU_ASSERT_EQUAL(input_open(&in, path, told, why, sizeof why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, path));
}

static void folders(void)
{
	struct input in;
	char dir[] = "/tmp/test_input.XXXXXX", sub[64];
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	CU_ASSERT_EQUAL(input_open(&in, dir, told, why, sizeof why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "Maildir"));
	snprintf(sub, sizeof sub, "%s/cur", dir);
	mkdir(sub, 0700);
	CU_ASSERT_EQUAL(input_open(&in, dir, told, why, sizeof why), -1);
	snprintf(sub, sizeof sub, "%s/new", dir);
	mkdir(sub, 0700);
	CU_ASSERT_EQUAL(input_open(&in, dir, told, why, sizeof why), 0);
	CU_ASSERT_TRUE(in.maildir && in.fd < 0);
	rmdir(sub);
	snprintf(sub, sizeof sub, "%s/cur", dir);
	rmdir(sub);
	rmdir(dir);
}

TEST_MAIN("input", TEST(pipes), TEST(files), TEST(folders))
