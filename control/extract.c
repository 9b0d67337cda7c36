#include "control/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/verdict.h"

enum { PIECES = 64 };

int extract_open(const char *dir, char *why, size_t why_len)
{
	struct stat st;
	if (mkdir(dir, 0777) == 0 || (errno == EEXIST && stat(dir, &st) == 0 &&
				      S_ISDIR(st.st_mode) && access(dir, W_OK | X_OK) == 0))
		return 0;
	snprintf(why, why_len, "--extract %s: %s", dir,
		 errno == EEXIST ? "is no folder" : strerror(errno));
	return -1;
}

/* 0 or -errno. */
static int write_pieces(int fd, struct iovec *v, int n)
{
	while (n) {
		ssize_t put = writev(fd, v, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		for (; n && (size_t)put >= v->iov_len; v++, n--)
			put -= (ssize_t)v->iov_len;
		if (n) {
			v->iov_base = (char *)v->iov_base + put;
			v->iov_len -= (size_t)put;
		}
	}
	return 0;
}

static int write_chunks(int fd, const struct message *m)
{
	struct iovec v[PIECES];
	const struct message_chunk *c = m->chunks;
	int ret = 0;
	while (c && ret == 0) {
		int n = 0;
		for (; c && n < PIECES; c = c->next)
			if (c->len)
				v[n++] = (struct iovec){ (void *)c->data, c->len };
		ret = write_pieces(fd, v, n);
	}
	return ret;
}

int extract_message(const char *dir, const struct message *m, char *why, size_t why_len)
{
	char path[PATH_MAX], temp[PATH_MAX], hex[65];
	if (!m->verdict || !m->verdict->has_sha256 || m->running ||
	    (m->flags & MESSAGE_NO_MEMORY)) {
		snprintf(why, why_len,
			 "--extract %s: a message of %llu octets is not there whole; raise "
			 "limits.message_size",
			 dir, (unsigned long long)m->size);
		return -1;
	}
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", m->verdict->sha256[i]);
	int n = snprintf(path, sizeof path, "%s/%s.eml", dir, hex);
	int k = snprintf(temp, sizeof temp, "%s/.%s.%d", dir, hex, (int)getpid());
	if (n < 0 || k < 0 || (size_t)n >= sizeof path || (size_t)k >= sizeof temp) {
		snprintf(why, why_len, "--extract %.64s...: the name is too long", dir);
		return -1;
	}
	if (access(path, F_OK) == 0)
		return 0;
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	int ret = fd < 0 ? -errno : write_chunks(fd, m);
	if (fd >= 0 && close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && rename(temp, path) < 0)
		ret = -errno;
	if (ret == 0)
		return 0;
	if (fd >= 0)
		unlink(temp);
	snprintf(why, why_len, "%s: %s", path, strerror(-ret));
	return -1;
}
