#include "dataplane/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Up to n octets of the file itself; 0 at its end or when why was set. */
static size_t source_read(struct source *s, uint8_t *to, size_t n)
{
	if (s->fd < 0) {
		struct bytes piece = bytes_head(s->mem, s->chunk && s->chunk < n ? s->chunk : n);
		if (piece.n)
			memcpy(to, piece.p, piece.n);
		s->mem = bytes_from(s->mem, piece.n);
		s->done += piece.n;
		return piece.n;
	}
	ssize_t got;
	do
		got = read(s->fd, to, n);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		s->why = "the file cannot be read on (input/output error): copy it again";
		return 0;
	}
	s->done += (uint64_t)got;
	return (size_t)got;
}

/*
 * RFC 1952 2.2: a file is a row of members. Octets of zero behind the last one are padding, as
 * tapes leave it. zlib checks CRC-32 and length of each member.
 */
static bool source_member(struct source *s, z_stream *z)
{
	while (z->avail_in && *z->next_in == 0)
		z->next_in++, z->avail_in--;
	if (!z->avail_in)
		return false;
	if (inflateReset(z) != Z_OK || *z->next_in != 0x1f) {
		s->why =
			"something else behind the end of the gzip data: unpack it with gzip first";
		s->end = true;
		return false;
	}
	s->member = true;
	return true;
}

/* Up to n unpacked octets; 0 at the end or when why was set. */
static size_t source_inflate(struct source *s, uint8_t *to, size_t n)
{
	z_stream *z = s->inflate;
	z->next_out = to;
	z->avail_out = (uInt)n;
	while (z->avail_out == n && !s->end) {
		if (!z->avail_in) {
			z->next_in = s->packed_buf;
			z->avail_in = (uInt)source_read(s, s->packed_buf, SOURCE_READ);
		}
		if (!z->avail_in) {
			s->end = true;
			if (s->member && !s->why)
				s->why = "the gzip data is cut short: copy the file again";
			break;
		}
		if (!s->member && !source_member(s, z))
			continue;
		int r = inflate(z, Z_NO_FLUSH);
		if (r == Z_STREAM_END) {
			s->member = false;
		} else if (r != Z_OK && r != Z_BUF_ERROR) {
			s->why = "the gzip data is damaged: copy the file again";
			s->end = true;
		}
	}
	return n - z->avail_out;
}

bool source_quiet(const struct source *s)
{
	const z_stream *z = s->inflate;
	struct pollfd fd = { .fd = s->fd, .events = POLLIN };
	if (s->fd < 0 || s->all || s->end || (z && z->avail_in))
		return false;
	return poll(&fd, 1, 0) == 0;
}

bool source_fill(struct source *s)
{
	if (s->end || !s->buf)
		return false;
	if (s->in.p != s->buf && s->in.n)
		memmove(s->buf, s->in.p, s->in.n);
	s->in.p = s->buf;
	size_t room = SOURCE_WINDOW_MAX - s->in.n;
	if (room > SOURCE_READ)
		room = SOURCE_READ;
	if (!room)
		return false;
	size_t got = s->packed ? source_inflate(s, s->buf + s->in.n, room)
			       : source_read(s, s->buf + s->in.n, room);
	s->in.n += got;
	if (!got)
		s->end = true;
	return got > 0;
}

/* Looks at the first two octets and gets ready to unpack them when they are those of gzip. */
static int source_begin(struct source *s)
{
	s->buf = malloc(SOURCE_WINDOW_MAX);
	if (!s->buf)
		return -ENOMEM;
	while (s->in.n < 2 && source_fill(s))
		;
	if (s->in.n < 2 || s->in.p[0] != 0x1f || s->in.p[1] != 0x8b)
		return 0;
	s->packed = true;
	s->end = false;
	s->packed_buf = malloc(SOURCE_READ + 1);
	z_stream *z = s->inflate = calloc(1, sizeof *z);
	if (!s->packed_buf || !z)
		return -ENOMEM;
	if (inflateInit2(z, 15 + 16) != Z_OK)
		return -ENOMEM;
	/* two reads of at most SOURCE_READ, the first of which gave one octet */
	memcpy(s->packed_buf, s->in.p, s->in.n);
	z->next_in = s->packed_buf;
	z->avail_in = (uInt)s->in.n;
	s->member = true;
	s->in.n = 0;
	return 0;
}

int source_open(struct source *s, const char *path)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				   : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	*s = (struct source){ .fd = fd };
	if (fd < 0)
		return -errno;
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	struct stat st;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		s->all = (uint64_t)st.st_size;
	int r = source_begin(s);
	if (r < 0)
		source_fini(s);
	return r;
}

int source_memory(struct source *s, struct bytes file, size_t chunk)
{
	*s = (struct source){ .fd = -1, .all = file.n };
	if (!chunk && (file.n < 2 || file.p[0] != 0x1f || file.p[1] != 0x8b)) {
		s->in = file;
		s->done = file.n;
		s->end = true;
		return 0;
	}
	s->mem = file;
	s->chunk = chunk;
	int r = source_begin(s);
	if (r < 0)
		source_fini(s);
	return r;
}

void source_fini(struct source *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->inflate)
		inflateEnd(s->inflate);
	free(s->inflate);
	free(s->packed_buf);
	free(s->buf);
	*s = (struct source){ .fd = -1 };
}
