#include "control/input.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/files.h"

struct relay {
	int from, to;
	size_t n;
	uint8_t buf[65536];
};

static bool write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t put = write(fd, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

static void *relay_run(void *arg)
{
	struct relay *r = arg;
	while (r->n && write_all(r->to, r->buf, r->n)) {
		ssize_t got;
		do
			got = read(r->from, r->buf, sizeof r->buf);
		while (got < 0 && errno == EINTR);
		r->n = got > 0 ? (size_t)got : 0;
	}
	close(r->to);
	close(r->from);
	free(r);
	return NULL;
}

/* Reads up to n octets or until they tell enough; a pipe gives them in pieces. */
static ssize_t read_head(int fd, uint8_t *p, size_t n, input_told *told)
{
	size_t have = 0;
	while (have < n && !told(bytes_of(p, have))) {
		ssize_t got = read(fd, p + have, n - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

/* fd takes the place of standard input, with its head given back. Takes fd. 0 or -errno. */
static int relay_start(struct input *in, int fd, input_told *told)
{
	int ends[2] = { -1, -1 }, ret;
	struct relay *r = malloc(sizeof *r);
	ssize_t n = r ? read_head(fd, in->head, sizeof in->head, told) : -ENOMEM;
	if (n < 0 || pipe2(ends, O_CLOEXEC) < 0) {
		ret = n < 0 ? (int)n : -errno;
		goto err;
	}
	in->head_len = (size_t)n;
	r->n = in->head_len;
	memcpy(r->buf, in->head, r->n);
	/* not standard input itself: that is replaced now */
	r->from = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	r->to = ends[1];
	pthread_t thread;
	if (r->from < 0 || dup2(ends[0], STDIN_FILENO) < 0) {
		ret = -errno;
		goto err;
	}
	ret = -pthread_create(&thread, NULL, relay_run, r);
	if (ret < 0)
		goto err;
	pthread_detach(thread);
	close(ends[0]);
	if (fd != STDIN_FILENO)
		close(fd);
	in->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return in->fd < 0 ? -errno : 0;
err:
	if (ends[0] >= 0) {
		close(ends[0]);
		close(ends[1]);
	}
	if (fd != STDIN_FILENO)
		close(fd);
	free(r);
	return ret;
}

static int open_file(struct input *in, int fd, const struct stat *st)
{
	ssize_t n = pread(fd, in->head, sizeof in->head, 0);
	if (n < 0)
		return -errno;
	in->head_len = (size_t)n;
	in->size = (uint64_t)st->st_size;
	in->fd = fd;
	return 0;
}

int input_open(struct input *in, const char *name, input_told *told, char *why, size_t why_len)
{
	*in = (struct input){ .path = name, .name = name, .fd = -1 };
	bool standard = !strcmp(name, "-");
	struct stat st;
	int fd = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC), ret = 0;
	if (standard)
		in->name = "standard input";
	if (fd < 0 || fstat(fd, &st) < 0) {
		snprintf(why, why_len, "%s: %s", in->name, strerror(errno));
		goto err;
	}
	if (S_ISDIR(st.st_mode) && !standard && files_is_maildir(name)) {
		close(fd);
		in->maildir = true;
		return 0;
	}
	if (S_ISDIR(st.st_mode)) {
		snprintf(why, why_len,
			 "%s: a folder without cur and new is no Maildir; name the files in it",
			 in->name);
		goto err;
	}
	bool whole = S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
	if (whole && !standard) {
		ret = open_file(in, fd, &st);
		if (ret == 0)
			return 0;
	} else {
		in->path = "-";
		ret = relay_start(in, fd, told);
		if (ret == 0)
			return 0;
		fd = -1;
	}
	snprintf(why, why_len, "%s: %s", in->name, strerror(-ret));
err:
	if (fd > STDIN_FILENO)
		close(fd);
	return -1;
}

uint64_t input_sizes(char *const *name, unsigned n)
{
	uint64_t sum = 0;
	struct stat st;
	for (unsigned i = 0; i < n; i++)
		if (strcmp(name[i], "-") != 0 && stat(name[i], &st) == 0 && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	return sum;
}
