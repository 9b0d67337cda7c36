#include "control/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	CLAIM_BACKLOG = 128,
	CLAIM_LOCK_TRIES = 200, /* with CLAIM_LOCK_NS between: two seconds for another starter */
	CLAIM_LOCK_NS = 10 * 1000 * 1000,
};

_Static_assert(CLAIM_PATH_MAX + 1 == sizeof((struct sockaddr_un *)0)->sun_path, "unix(7)");

/* Makes the last component of the directory, and locks it against another starter. A descriptor, or
 * -1. */
static int claim_directory(const char *path, char *why, size_t why_len)
{
	char dir[CLAIM_PATH_MAX + 1] = ".";
	const char *slash = strrchr(path, '/');
	if (slash)
		snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		snprintf(why, why_len, "%s: cannot make this directory for the control socket: %s",
			 dir, strerror(errno));
		return -1;
	}
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, why_len, "%s: cannot open this directory: %s", dir, strerror(errno));
		return -1;
	}
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK || i == CLAIM_LOCK_TRIES) {
			snprintf(why, why_len, "%s: cannot lock this directory: %s", dir,
				 strerror(errno));
			close(fd);
			return -1;
		}
		nanosleep(&(struct timespec){ 0, CLAIM_LOCK_NS }, NULL);
	}
	return fd;
}

/* With the directory locked: 0 when the path is free or was freed, else -1. */
static int claim_clear(const struct sockaddr_un *addr, char *why, size_t why_len)
{
	struct stat st;
	const char *path = addr->sun_path;
	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return 0;
		snprintf(why, why_len, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why, why_len,
			 "%s: exists and is no socket; remove it or set another path (setting: "
			 "socket)",
			 path);
		return -1;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;
	if (fd < 0 || connect(fd, (const struct sockaddr *)addr, sizeof *addr) < 0)
		error = errno;
	if (fd >= 0)
		close(fd);
	if (error == 0 || error == EAGAIN) { /* EAGAIN: alive, with a full backlog */
		snprintf(why, why_len,
			 "%s: another postern answers here; stop it (postern ctl --socket %s stop) "
			 "or "
			 "set another path (setting: socket)",
			 path, path);
		return -1;
	}
	if (error == ECONNREFUSED)
		error = unlink(path) < 0 ? errno : 0;
	if (error)
		snprintf(why, why_len, "%s: cannot replace this socket: %s", path, strerror(error));
	return error ? -1 : 0;
}

/* With the directory locked and the path free. */
static int claim_bind(struct claim *c, const struct sockaddr_un *addr, char *why, size_t why_len)
{
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* bind takes the path's mode from the socket: there is no moment at which it is open to
	 * others */
	if (fd < 0 || fchmod(fd, 0600) < 0 ||
	    bind(fd, (const struct sockaddr *)addr, sizeof *addr) < 0 ||
	    listen(fd, CLAIM_BACKLOG) < 0 || lstat(addr->sun_path, &st) < 0) {
		snprintf(why, why_len, "%s: cannot listen on this control socket: %s",
			 addr->sun_path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	return fd;
}

int claim_listen(struct claim *c, const char *path, char *why, size_t why_len)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	*c = (struct claim){ .ino = 0 };
	if (len == 0 || len > CLAIM_PATH_MAX) {
		snprintf(why, why_len, "\"%s\": the path of a socket has 1 to %d octets", path,
			 CLAIM_PATH_MAX);
		return -1;
	}
	memcpy(addr.sun_path, path, len);
	memcpy(c->path, path, len);
	int dir = claim_directory(path, why, why_len), fd = -1;
	if (dir >= 0 && claim_clear(&addr, why, why_len) == 0)
		fd = claim_bind(c, &addr, why, why_len);
	if (dir >= 0)
		close(dir);
	return fd;
}

void claim_drop(struct claim *c)
{
	struct stat st;
	/* somebody else may have put his own there */
	if (c->ino && lstat(c->path, &st) == 0 && st.st_dev == c->dev && st.st_ino == c->ino)
		unlink(c->path);
	c->ino = 0;
}
