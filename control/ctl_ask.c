#include "control/ctl_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "control/ctl.h"

enum { READ_SIZE = 64 * 1024 };

/* One line: what is wrong and what to do. */
static int ctl_no_engine(const char *path, int error, FILE *err)
{
	const char *what = strerror(error);
	const char *cure = "see postern ctl --help";
	if (error == ENOENT) {
		what = "no such socket";
		cure = "start the engine with `postern run`, or name its socket with --socket PATH";
	} else if (error == ECONNREFUSED) {
		what = "nobody answers there, the engine has ended";
		cure = "start it with `postern run`";
	} else if (error == EACCES || error == EPERM) {
		cure = "the socket is for the user who started the engine: try sudo";
	} else if (error == EAGAIN) {
		what = "the engine does not take the call";
		cure = "it has too many clients or hangs";
	}
	fprintf(err, "postern ctl: %s: %s; %s\n", path, what, cure);
	return CTL_FAILED;
}

/* A connected descriptor, or -errno. */
static int ctl_connect(const char *path, unsigned timeout_ms)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval wait = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	if (strlen(path) >= sizeof addr.sun_path)
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

static uint64_t ctl_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* One line without its end. Gives malloc memory in out->p; 0, or -errno: EPROTO when there is no
 * whole line. */
static int ctl_read(int fd, unsigned timeout_ms, struct bytes *out)
{
	char *buf = NULL;
	size_t len = 0, cap = 0;
	uint64_t end = ctl_now() + timeout_ms;
	int error = 0;
	while (!error) {
		if (cap - len < READ_SIZE) {
			cap = cap ? cap * 2 : 2 * READ_SIZE;
			char *more = cap > CTL_REPLY_MAX ? NULL : realloc(buf, cap);
			if (!more) {
				error = ENOMEM;
				break;
			}
			buf = more;
		}
		ssize_t n = recv(fd, buf + len, READ_SIZE, 0);
		if (n < 0)
			error = errno == EINTR ? 0 : errno == EAGAIN ? ETIMEDOUT : errno;
		else if (n == 0)
			error = EPROTO;
		if (n <= 0)
			continue;
		char *lf = memchr(buf + len, '\n', (size_t)n);
		len += (size_t)n;
		if (lf) {
			*out = bytes_of(buf, (size_t)(lf - buf));
			return 0;
		}
		if (ctl_now() > end)
			error = ETIMEDOUT;
	}
	free(buf);
	return -error;
}

/* All of it, or -errno. */
static int ctl_send(int fd, struct bytes text)
{
	while (text.n) {
		ssize_t n = send(fd, text.p, text.n, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		text = bytes_from(text, (size_t)n);
	}
	return 0;
}

/* The request as one line. Gives malloc memory. */
static char *ctl_line(json_t *request)
{
	size_t n = json_dumpb(request, NULL, 0, JSON_COMPACT);
	char *line = n ? malloc(n + 1) : NULL;
	if (line && json_dumpb(request, line, n, JSON_COMPACT) == n)
		line[n] = 0;
	json_decref(request);
	return line;
}

int ctl_ask(const char *path, json_t *request, unsigned timeout_ms, json_t **reply, FILE *err)
{
	struct bytes line;
	char *text = ctl_line(request);
	*reply = NULL;
	if (!text) {
		fprintf(err, "postern ctl: the request is no UTF-8, or out of memory\n");
		return CTL_FAILED;
	}
	int fd = ctl_connect(path, timeout_ms);
	if (fd < 0) {
		free(text);
		return ctl_no_engine(path, -fd, err);
	}
	int error = ctl_send(fd, bytes_str(text));
	if (!error)
		error = ctl_send(fd, bytes_str("\n"));
	/* an engine that refuses may have hung up already: its reason is still there to be read */
	if (error != -ETIMEDOUT)
		error = ctl_read(fd, timeout_ms, &line);
	free(text);
	close(fd);
	if (error == -ETIMEDOUT) {
		fprintf(err, "postern ctl: %s: no answer within %u s\n", path, timeout_ms / 1000);
		return CTL_FAILED;
	}
	if (!error) {
		*reply = json_loadb((const char *)line.p, line.n, 0, NULL);
		free((void *)line.p);
		if (json_is_boolean(json_object_get(*reply, "ok")))
			return CTL_DONE;
		json_decref(*reply);
		*reply = NULL;
	}
	fprintf(err, "postern ctl: %s: what answers there is not postern\n", path);
	return CTL_FAILED;
}
