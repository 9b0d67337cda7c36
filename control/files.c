#define OPENSSL_SUPPRESS_DEPRECATED /* the running hash is a plain SHA256_CTX, see base/message.h \
				     */
#include "control/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BUFFER = 128 * 1024, /* also the longest line taken in one piece */
	CHUNK_FIRST = 16 * 1024,
	LINE_MAX_OCTETS = 998,
};

/* A message and what belongs to it; one piece of heap, the chunk is another. */
struct file_message {
	struct message m; /* first */
	char source[];
};

/* Which files of a Maildir. */
struct maildir {
	const char *path;
	char **name; /* "cur/NAME" */
	size_t n, cap, next;
};

/* A message in the making. */
struct builder {
	struct message_chunk *chunk;
	uint64_t size;
	uint32_t header_len; /* 0: not yet known */
	uint32_t flags;
	SHA256_CTX *running;
	uint32_t line; /* octets since the last CRLF */
	uint8_t last; /* octet */
	bool failed; /* out of memory */
};

struct files {
	struct files_setup setup;
	const char *name;
	int fd; /* -1: nothing is open */
	bool eof, started;
	bool text, mbox, strict; /* of the file; strict: its first From_ line has a date */
	bool line_start;
	bool blank; /* an mbox's empty line that may belong to the next From_ line */
	uint8_t blank_end[2]; /* as it was */
	unsigned blank_len;
	uint32_t ordinal;
	uint64_t octets; /* read */
	struct maildir dir;
	size_t at, n;
	uint8_t buf[BUFFER];
};

struct files *files_new(const struct files_setup *setup)
{
	struct files *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->setup = *setup;
	f->fd = -1;
	return f;
}

static void maildir_free(struct maildir *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->name[i]);
	free(d->name);
	*d = (struct maildir){ .path = NULL };
}

void files_free(struct files *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	maildir_free(&f->dir);
	free(f);
}

static void open_stream(struct files *f, const char *name, int fd)
{
	f->name = name;
	f->fd = fd;
	f->eof = f->started = f->text = f->mbox = f->blank = false;
	f->line_start = true;
	f->ordinal = 0;
	f->at = f->n = 0;
}

void files_open(struct files *f, const char *name, int fd)
{
	f->octets = 0;
	open_stream(f, name, fd);
}

static bool is_dir(const char *path, const char *inside)
{
	char name[4096];
	struct stat st;
	int n = snprintf(name, sizeof name, "%s/%s", path, inside);
	return n > 0 && (size_t)n < sizeof name && stat(name, &st) == 0 && S_ISDIR(st.st_mode);
}

bool files_is_maildir(const char *path)
{
	return is_dir(path, "cur") && is_dir(path, "new");
}

static int maildir_add(struct maildir *d, const char *folder, const char *name)
{
	if (d->n == d->cap) {
		size_t cap = d->cap ? 2 * d->cap : 256;
		char **more = realloc(d->name, cap * sizeof *more);
		if (!more)
			return -ENOMEM;
		d->name = more;
		d->cap = cap;
	}
	return asprintf(&d->name[d->n], "%s/%s", folder, name) < 0 ? -ENOMEM : (d->n++, 0);
}

static int maildir_list(struct maildir *d, const char *folder)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", d->path, folder);
	DIR *dir = opendir(path);
	int ret = dir ? 0 : -errno;
	struct dirent *e;
	while (ret == 0 && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			ret = maildir_add(d, folder, e->d_name);
	if (dir)
		closedir(dir);
	return ret;
}

/* By the name behind cur/ or new/: that begins with the time of delivery. */
static int maildir_order(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	int order = strcmp(x + 4, y + 4);
	return order ? order : strcmp(x, y);
}

int files_open_maildir(struct files *f, const char *path)
{
	maildir_free(&f->dir);
	f->dir.path = path;
	f->octets = 0;
	int ret = maildir_list(&f->dir, "cur");
	if (ret == 0)
		ret = maildir_list(&f->dir, "new");
	if (ret < 0) {
		maildir_free(&f->dir);
		return ret;
	}
	if (f->dir.n)
		qsort(f->dir.name, f->dir.n, sizeof f->dir.name[0], maildir_order);
	return 0;
}

uint64_t files_read(const struct files *f)
{
	return f->octets;
}

/* ---- a message in the making ---- */

static void note_flags(struct builder *b, struct bytes piece)
{
	for (size_t i = 0; i < piece.n; i++) {
		uint8_t c = piece.p[i];
		if (b->last == '\r' && c != '\n')
			b->flags |= MESSAGE_BARE_CR;
		if (c == '\n' && b->last == '\r') {
			/* the CR was counted as part of the line */
			if (b->line > LINE_MAX_OCTETS + 1)
				b->flags |= MESSAGE_LONG_LINE;
			b->line = 0;
			b->last = c;
			continue;
		}
		if (c == '\n')
			b->flags |= MESSAGE_BARE_LF;
		else if (c == 0)
			b->flags |= MESSAGE_NUL;
		else if (c >= 0x80)
			b->flags |= MESSAGE_8BIT;
		b->line += b->line < UINT32_MAX;
		b->last = c;
	}
}

/* The end of the header section, looked for where the new octets are. */
static void note_header(struct builder *b, size_t added)
{
	const struct message_chunk *c = b->chunk;
	size_t n = c->len < MESSAGE_HEADER_MAX ? c->len : MESSAGE_HEADER_MAX;
	size_t before = c->len - added, from = before > 3 ? before - 3 : 0;
	const uint8_t *p = from < n ? memmem(c->data + from, n - from, "\r\n\r\n", 4) : NULL;
	if (n >= 2 && c->data[0] == '\r' && c->data[1] == '\n') {
		b->header_len = 2;
	} else if (p) {
		b->header_len = (uint32_t)(p - c->data) + 4;
	} else if (n == MESSAGE_HEADER_MAX) {
		b->header_len = MESSAGE_HEADER_MAX;
		b->flags |= MESSAGE_HEADER_TOO_LARGE;
	}
}

static bool grow(struct builder *b, size_t more)
{
	size_t len = b->chunk ? b->chunk->len : 0, cap = b->chunk ? b->chunk->cap : 0;
	if (b->chunk && len + more <= cap)
		return true;
	cap = cap ? cap : CHUNK_FIRST;
	while (cap < len + more)
		cap *= 2;
	struct message_chunk *c = realloc(b->chunk, sizeof *c + cap);
	if (!c) {
		b->failed = true;
		return false;
	}
	if (!b->chunk)
		*c = (struct message_chunk){ .len = 0 };
	c->cap = (uint32_t)cap;
	b->chunk = c;
	return true;
}

/* Over limits.message_size: from here on only the hash goes on. The chunk is cut back to the
 * header. */
static void shed(struct builder *b)
{
	b->flags |= MESSAGE_TOO_LARGE;
	b->running = malloc(sizeof *b->running);
	if (!b->running) {
		b->failed = true;
		return;
	}
	SHA256_Init(b->running);
	SHA256_Update(b->running, b->chunk->data, b->chunk->len);
	if (!b->header_len)
		b->header_len =
			b->chunk->len < MESSAGE_HEADER_MAX ? b->chunk->len : MESSAGE_HEADER_MAX;
	b->chunk->len = b->header_len;
}

static void add(struct builder *b, const struct config *cfg, struct bytes piece)
{
	if (!piece.n || b->failed)
		return;
	note_flags(b, piece);
	b->size += piece.n;
	if (b->running) {
		SHA256_Update(b->running, piece.p, piece.n);
		return;
	}
	if (!grow(b, piece.n))
		return;
	memcpy(b->chunk->data + b->chunk->len, piece.p, piece.n);
	b->chunk->len += (uint32_t)piece.n;
	if (!b->header_len)
		note_header(b, piece.n);
	if (b->size > cfg->message_size)
		shed(b);
}

/* One line, or a part of a long one, of a text: its LF becomes CRLF. */
static void add_text(struct builder *b, const struct config *cfg, struct bytes piece)
{
	bool ends = piece.n && piece.p[piece.n - 1] == '\n';
	uint8_t before = piece.n > 1 ? piece.p[piece.n - 2] : b->last;
	if (!ends || before == '\r') {
		add(b, cfg, piece);
		return;
	}
	add(b, cfg, bytes_head(piece, piece.n - 1));
	add(b, cfg, bytes_str("\r\n"));
}

static struct message *finish(struct files *f, struct builder *b)
{
	const struct files_setup *s = &f->setup;
	size_t len = strlen(f->name) + 16;
	struct file_message *fm = calloc(1, sizeof *fm + len);
	if (!fm || b->failed || !grow(b, 0)) {
		free(fm);
		free(b->running);
		free(b->chunk);
		return NULL;
	}
	struct message *m = &fm->m;
	if (f->mbox)
		snprintf(fm->source, len, "%s#%u", f->name, f->ordinal + 1);
	else
		snprintf(fm->source, len, "%s", f->name);
	if (b->last == '\r')
		b->flags |= MESSAGE_BARE_CR;
	if (b->line > LINE_MAX_OCTETS)
		b->flags |= MESSAGE_LONG_LINE;
	m->time_ns = s->time_ns;
	m->tx_id = f->ordinal++;
	m->protocol = MESSAGE_FILE;
	m->has_client = s->has_client;
	m->client = s->client;
	m->has_helo = s->has_helo;
	m->helo = s->helo;
	m->has_mail_from = s->has_mail_from;
	m->mail_from = s->mail_from;
	m->rcpt = s->rcpt;
	m->n_rcpt = m->rcpt_seen = s->n_rcpt;
	m->chunks = b->chunk;
	m->size = m->intact = b->size;
	m->header_len = b->header_len ? b->header_len : (uint32_t)b->size;
	m->complete = true;
	m->flags = b->flags | (f->text ? (uint32_t)MESSAGE_TEXT : 0);
	m->source = fm->source;
	m->running = b->running;
	m->hashed_to = b->running ? b->size : 0;
	return m;
}

void files_release(struct message *m)
{
	free(m->running);
	free(m->chunks);
	free(m); /* first member of its file_message */
}

/* ---- reading ---- */

/* More octets behind those in the buffer. 0 or -errno; f->eof at the end. */
static int fill(struct files *f)
{
	if (f->at) {
		memmove(f->buf, f->buf + f->at, f->n - f->at);
		f->n -= f->at;
		f->at = 0;
	}
	while (f->n < BUFFER && !f->eof) {
		ssize_t got = read(f->fd, f->buf + f->n, BUFFER - f->n);
		if (got < 0) /* EINTR too: a signal is to end a scan that waits for a pipe */
			return -errno;
		f->eof = got == 0;
		f->n += (size_t)got;
		f->octets += (size_t)got;
		if (f->setup.stop && *f->setup.stop)
			return -EINTR;
	}
	return 0;
}

/* The next line with its end, or BUFFER octets of a longer one; n 0 at the end. */
static int line(struct files *f, struct bytes *out)
{
	const uint8_t *p = f->buf + f->at;
	const uint8_t *lf = f->at < f->n ? memchr(p, '\n', f->n - f->at) : NULL;
	if (!lf && !f->eof) {
		int ret = fill(f);
		if (ret < 0)
			return ret;
		p = f->buf;
		lf = f->n ? memchr(p, '\n', f->n) : NULL;
	}
	size_t n = lf ? (size_t)(lf - p) + 1 : f->n - f->at;
	*out = bytes_of(p, n);
	f->at += n;
	return 0;
}

static bool digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "From " alone, or with strict what follows has a time of day: 12:34 */
static bool from_line(struct bytes piece, bool strict)
{
	if (piece.n < 6 || memcmp(piece.p, "From ", 5) != 0 || piece.p[5] == ':')
		return false;
	for (size_t i = 6; i + 4 < piece.n; i++)
		if (piece.p[i] == ':' && digit(piece.p[i - 1]) && digit(piece.p[i + 1]) &&
		    digit(piece.p[i + 2]))
			return true;
	return !strict;
}

/* What kind of file it is, by its first line. */
static int start(struct files *f)
{
	int ret = fill(f);
	if (ret < 0)
		return ret;
	f->started = true;
	if (f->setup.raw)
		return 0;
	const uint8_t *lf = f->n ? memchr(f->buf, '\n', f->n) : NULL;
	f->text = lf && (lf == f->buf || lf[-1] != '\r');
	struct bytes first = bytes_of(f->buf, lf ? (size_t)(lf - f->buf) : f->n);
	f->strict = from_line(first, true);
	/* without a date it must at least be no header field */
	f->mbox = !f->dir.path &&
		  (f->strict || (from_line(first, false) && !memchr(first.p, ':', first.n)));
	if (f->mbox) /* its first From_ line */
		f->at = lf ? first.n + 1 : first.n;
	return 0;
}

/* ">From ", ">>From ": one quoting sign off. */
static struct bytes unquote(struct bytes piece)
{
	size_t i = 0;
	while (i < piece.n && piece.p[i] == '>')
		i++;
	bool quoted = i && piece.n - i >= 5 && !memcmp(piece.p + i, "From ", 5);
	return quoted ? bytes_from(piece, 1) : piece;
}

static void keep_blank(struct files *f, struct bytes piece)
{
	f->blank = true;
	f->blank_len = (unsigned)piece.n;
	memcpy(f->blank_end, piece.p, piece.n);
}

static void give_blank(struct files *f, struct builder *b)
{
	if (!f->blank)
		return;
	f->blank = false;
	struct bytes piece = bytes_of(f->blank_end, f->blank_len);
	if (f->text)
		add_text(b, f->setup.cfg, piece);
	else
		add(b, f->setup.cfg, piece);
}

/* One line of an mbox. False: it was the From_ line of the next message. */
static bool mbox_line(struct files *f, struct builder *b, struct bytes *piece)
{
	bool start_of_line = f->line_start;
	if (!start_of_line)
		return true;
	if (f->blank && from_line(*piece, f->strict)) {
		f->blank = false; /* it belonged to the From_ line */
		return false;
	}
	give_blank(f, b);
	bool empty = (piece->n == 1 && piece->p[0] == '\n') ||
		     (piece->n == 2 && piece->p[0] == '\r' && piece->p[1] == '\n');
	if (empty) {
		keep_blank(f, *piece);
		piece->n = 0;
	} else {
		*piece = unquote(*piece);
	}
	return true;
}

/* The octets of one message. 0 or -errno; *end: nothing comes behind it. */
static int read_message(struct files *f, struct builder *b, bool *end)
{
	struct bytes piece;
	*end = false;
	for (;;) {
		int ret = line(f, &piece);
		if (ret < 0)
			return ret;
		if (!piece.n) {
			f->blank = false; /* the last empty line of an mbox */
			*end = true;
			return 0;
		}
		bool ends = piece.p[piece.n - 1] == '\n';
		if (f->mbox && !mbox_line(f, b, &piece)) {
			/* a From_ line over the buffer has no end here: it goes on as a message */
			f->line_start = ends;
			return 0;
		}
		f->line_start = ends;
		if (f->text)
			add_text(b, f->setup.cfg, piece);
		else
			add(b, f->setup.cfg, piece);
	}
}

static void close_stream(struct files *f)
{
	close(f->fd);
	f->fd = -1;
}

/* Opens the next file of the Maildir. */
static enum files_state maildir_next(struct files *f, char *why, size_t why_len)
{
	static char path[4096]; /* source of the message borrows it until it is copied */
	if (f->dir.next >= f->dir.n) {
		maildir_free(&f->dir);
		return FILES_END;
	}
	snprintf(path, sizeof path, "%s/%s", f->dir.path, f->dir.name[f->dir.next++]);
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO does not hold us up */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		snprintf(why, why_len, "%s: %s", path,
			 fd < 0 ? strerror(errno) : "no message: not a regular file; remove it");
		if (fd >= 0)
			close(fd);
		return FILES_BAD;
	}
	open_stream(f, path, fd);
	return FILES_MESSAGE;
}

enum files_state files_next(struct files *f, struct message **m, char *why, size_t why_len)
{
	if (f->fd < 0) {
		enum files_state s = f->dir.path ? maildir_next(f, why, why_len) : FILES_END;
		if (s != FILES_MESSAGE)
			return s;
	}
	struct builder b = { .size = 0 };
	bool end = false;
	int ret = f->started ? 0 : start(f);
	if (ret == 0)
		ret = read_message(f, &b, &end);
	if (ret < 0) {
		snprintf(why, why_len, "%s: octet %llu: %s", f->name, (unsigned long long)f->octets,
			 strerror(-ret));
		free(b.running);
		free(b.chunk);
		close_stream(f);
		return FILES_BAD;
	}
	*m = finish(f, &b);
	if (end || !*m)
		close_stream(f);
	if (*m)
		return FILES_MESSAGE;
	snprintf(why, why_len, "%s: out of memory for a message of %llu octets", f->name,
		 (unsigned long long)b.size);
	return FILES_BAD;
}
