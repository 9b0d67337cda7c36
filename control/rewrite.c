#include "control/rewrite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NEW_MODE = 0644 };

/* -errno or 0. */
static int write_all(int fd, struct bytes text)
{
	while (text.n) {
		ssize_t n = write(fd, text.p, text.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text = bytes_from(text, (size_t)n);
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* As the file that is replaced has them. */
static int keep_owner(int fd, const struct stat *old)
{
	struct stat now;
	if (fstat(fd, &now) < 0)
		return -errno;
	if ((now.st_uid != old->st_uid || now.st_gid != old->st_gid) &&
	    fchown(fd, old->st_uid, old->st_gid) < 0)
		return -errno;
	return fchmod(fd, old->st_mode & 07777) < 0 ? -errno : 0;
}

/* So that the name is on the disk too. */
static void sync_directory(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	snprintf(dir, sizeof dir, "%.*s", slash ? (int)(n ? n : 1) : 1, slash ? path : ".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* the new content is whole already: on failure an old name would be found after a crash */
	if (fsync(fd) < 0) {
	}
	close(fd);
}

static int replace(const char *path, const struct stat *old, struct bytes text)
{
	char beside[PATH_MAX];
	if (snprintf(beside, sizeof beside, "%s.XXXXXX", path) >= (int)sizeof beside)
		return -ENAMETOOLONG;
	int fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = old ? keep_owner(fd, old) : fchmod(fd, NEW_MODE) < 0 ? -errno : 0;
	if (!err)
		err = write_all(fd, text);
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && rename(beside, path) < 0)
		err = -errno;
	if (err)
		unlink(beside);
	else
		sync_directory(path);
	return err;
}

int rewrite_file(const char *path, struct bytes text, char *why, size_t why_len)
{
	char real[PATH_MAX];
	struct stat old;
	bool there = realpath(path, real) && stat(real, &old) == 0;
	int err = there && !S_ISREG(old.st_mode) ? -EINVAL : 0;
	if (!there && errno != ENOENT)
		err = -errno;
	if (!err)
		err = replace(there ? real : path, there ? &old : NULL, text);
	if (err)
		snprintf(why, why_len, "%s: cannot be replaced: %s", path,
			 err == -EINVAL ? "it is no file" : strerror(-err));
	return err ? -1 : 0;
}
