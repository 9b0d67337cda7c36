/* The file has the old content or the new, with its mode, and nothing is left beside it. */
#include "control/rewrite.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

static char dir[64], path[96], why[512];

static void begin(void)
{
	strcpy(dir, "/tmp/test_rewrite.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/f", dir);
	why[0] = 0;
}

static unsigned files(void)
{
	unsigned n = 0;
	DIR *d = opendir(dir);
	for (const struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static bool holds(const char *name, const char *text)
{
	struct bytes b = test_file(name);
	bool same = bytes_equal(b, bytes_str(text));
	free((void *)b.p);
	return same;
}

static void mode_and_owner_stay(void)
{
	struct stat st;
	begin();
	CU_ASSERT_EQUAL(rewrite_file(path, bytes_str("one\n"), why, sizeof why), 0);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0644);
	CU_ASSERT_EQUAL(chmod(path, 0640), 0);
	bool root = geteuid() == 0 && chown(path, 12, 34) == 0;
	CU_ASSERT_EQUAL(rewrite_file(path, bytes_str(""), why, sizeof why), 0);
	CU_ASSERT_EQUAL(rewrite_file(path, bytes_str("two\n"), why, sizeof why), 0);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0640);
	CU_ASSERT_TRUE(!root || (st.st_uid == 12 && st.st_gid == 34));
	CU_ASSERT_TRUE(holds(path, "two\n"));
	CU_ASSERT_EQUAL(files(), 1);
	unlink(path);
	rmdir(dir);
}

static void a_link_stays_a_link(void)
{
	char link[96];
	struct stat st;
	begin();
	snprintf(link, sizeof link, "%s/link", dir);
	CU_ASSERT_EQUAL(rewrite_file(path, bytes_str("one\n"), why, sizeof why), 0);
	CU_ASSERT_EQUAL(symlink("f", link), 0);
	CU_ASSERT_EQUAL(rewrite_file(link, bytes_str("two\n"), why, sizeof why), 0);
	CU_ASSERT_EQUAL(lstat(link, &st), 0);
	CU_ASSERT_TRUE(S_ISLNK(st.st_mode));
	CU_ASSERT_TRUE(holds(path, "two\n"));
	unlink(link);
	unlink(path);
	rmdir(dir);
}

static void what_is_wrong(void)
{
	begin();
	CU_ASSERT_EQUAL(rewrite_file("/nowhere/at/all", bytes_str("x"), why, sizeof why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nowhere/at/all: cannot be replaced: No such file"));
	CU_ASSERT_EQUAL(rewrite_file(dir, bytes_str("x"), why, sizeof why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "it is no file"));
	CU_ASSERT_EQUAL(files(), 0);
	rmdir(dir);
	/* nor a device */
	CU_ASSERT_EQUAL(rewrite_file("/dev/full", bytes_str("x"), why, sizeof why), -1);
}

TEST_MAIN("rewrite", TEST(mode_and_owner_stay), TEST(a_link_stays_a_link), TEST(what_is_wrong))
