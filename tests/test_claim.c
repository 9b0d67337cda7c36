/* A path has one listener at most, and is taken only from the dead. */
#include "control/claim.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[64], path[96];

static void begin(const char *name)
{
	strcpy(dir, "/tmp/test_claim.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/%s", dir, name);
}

/* The reason why a path is refused; empty: it was not. */
static const char *refused(const char *at)
{
	static char why[512];
	struct claim c;
	why[0] = 0;
	int fd = claim_listen(&c, at, why, sizeof why);
	if (fd >= 0) {
		close(fd);
		claim_drop(&c);
	}
	CU_ASSERT(fd < 0 || why[0] == 0);
	CU_ASSERT_PTR_NULL(strchr(why, '\n'));
	return why;
}

static int listens(struct claim *c)
{
	char why[512] = "";
	int fd = claim_listen(c, path, why, sizeof why);
	if (fd < 0)
		printf("\n    %s\n", why);
	CU_ASSERT_FATAL(fd >= 0);
	return fd;
}

static void made_for_the_owner_only(void)
{
	begin("run/control.sock");
	struct claim c;
	struct stat st;
	mode_t mask = umask(0);
	int fd = listens(&c);
	umask(mask);
	CU_ASSERT(stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 07777) == 0600);
	CU_ASSERT((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	CU_ASSERT((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
	claim_drop(&c);
	CU_ASSERT(access(path, F_OK) < 0 && errno == ENOENT);
	*strrchr(path, '/') = 0;
	CU_ASSERT_EQUAL(rmdir(path), 0);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static void taken_from_the_dead_only(void)
{
	begin("s");
	struct claim c, second;
	int fd = listens(&c);
	/* alive, also with a full backlog */
	CU_ASSERT_PTR_NOT_NULL(strstr(refused(path), "another postern answers here"));
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
	int filler[200], n = 0;
	do {
		filler[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	} while (connect(filler[n++], (struct sockaddr *)&addr, sizeof addr) == 0 && n < 200);
	CU_ASSERT(n < 200);
	CU_ASSERT_PTR_NOT_NULL(strstr(refused(path), "another postern answers here"));
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	while (n > 0)
		close(filler[--n]);
	/* dead: closed as a killed process leaves it */
	close(fd);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	fd = listens(&c);
	/* a path that changed hands is not taken away by its first owner */
	CU_ASSERT_EQUAL(unlink(path), 0);
	int other = listens(&second);
	claim_drop(&c);
	close(fd);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	claim_drop(&second);
	close(other);
	CU_ASSERT(access(path, F_OK) < 0);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static void other_files_stay(void)
{
	begin("s");
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	CU_ASSERT_FATAL(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
	CU_ASSERT_PTR_NOT_NULL(strstr(refused(path), "exists and is no socket"));
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(symlink("/dev/null", path), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(refused(path), "exists and is no socket"));
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static void impossible_paths(void)
{
	char name[CLAIM_PATH_MAX + 2];
	memset(name, 'x', sizeof name);
	memcpy(name, "/tmp/", 5);
	name[CLAIM_PATH_MAX + 1] = 0;
	CU_ASSERT_PTR_NOT_NULL(strstr(refused(name), "has 1 to 107 octets"));
	name[CLAIM_PATH_MAX] = 0;
	CU_ASSERT_STRING_EQUAL(refused(name), "");
	CU_ASSERT_PTR_NOT_NULL(strstr(refused(""), "has 1 to 107 octets"));
	CU_ASSERT_PTR_NOT_NULL(strstr(refused("/nowhere/at/all.sock"), "/nowhere/at: cannot make"));
	CU_ASSERT_PTR_NOT_NULL(strstr(refused("/dev/null/x.sock"), "/dev/null: cannot open"));
}

enum { STARTERS = 8 };
static _Atomic unsigned won;

static void *starter(void *arg)
{
	char why[512];
	struct claim c;
	int fd = claim_listen(&c, path, why, sizeof why);
	if (fd >= 0)
		atomic_fetch_add(&won, 1);
	return (void *)(intptr_t)fd;
}

/* All of them see the dead one's socket, one gets it. */
static void starters_at_the_same_moment(void)
{
	for (int turn = 0; turn < 50; turn++) {
		begin("s");
		struct claim dead;
		close(listens(&dead));
		atomic_store(&won, 0);
		pthread_t thread[STARTERS];
		for (int i = 0; i < STARTERS; i++)
			CU_ASSERT_FATAL(pthread_create(&thread[i], NULL, starter, NULL) == 0);
		void *fd[STARTERS];
		for (int i = 0; i < STARTERS; i++)
			pthread_join(thread[i], &fd[i]);
		for (int i = 0; i < STARTERS; i++)
			if ((intptr_t)fd[i] >= 0)
				close((int)(intptr_t)fd[i]);
		CU_ASSERT_EQUAL(atomic_load(&won), 1);
		unlink(path);
		CU_ASSERT_EQUAL(rmdir(dir), 0);
	}
}

/* Who looks at the path holds the directory's lock. */
static void waits_for_a_starter_at_work(void)
{
	begin("s");
	int lock = open(dir, O_RDONLY | O_DIRECTORY);
	CU_ASSERT_FATAL(lock >= 0 && flock(lock, LOCK_EX) == 0);
	atomic_store(&won, 0);
	pthread_t thread;
	void *fd;
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, starter, NULL) == 0);
	usleep(200000);
	CU_ASSERT(access(path, F_OK) < 0);
	CU_ASSERT_EQUAL(atomic_load(&won), 0);
	close(lock);
	pthread_join(thread, &fd);
	CU_ASSERT_EQUAL(atomic_load(&won), 1);
	close((int)(intptr_t)fd);
	unlink(path);
	/* but not for ever */
	lock = open(dir, O_RDONLY | O_DIRECTORY);
	CU_ASSERT_FATAL(lock >= 0 && flock(lock, LOCK_EX) == 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(refused(path), "cannot lock this directory"));
	close(lock);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

TEST_MAIN("claim", TEST(made_for_the_owner_only), TEST(taken_from_the_dead_only),
	  TEST(other_files_stay), TEST(impossible_paths), TEST(starters_at_the_same_moment),
	  TEST(waits_for_a_starter_at_work))
