#include "control/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/append.h"

struct output {
	char path[256];
	int fd;
	_Atomic int next_fd; /* -1: none; from output_reopen to the next flush */
	_Atomic int error;
	struct stats *stats;
	bool torn; /* the file ends with half a line */
	uint32_t lines; /* in the buffer */
	size_t len;
	uint8_t buf[OUTPUT_BUFFER];
};

static bool is_stdout(const char *path)
{
	return strcmp(path, "-") == 0;
}

struct output *output_new(const char *path, struct stats *stats, char *why, size_t why_len)
{
	struct output *o = calloc(1, sizeof *o);
	if (!o || strlen(path) >= sizeof o->path) {
		snprintf(why, why_len, "output: %s", o ? "the name is too long" : "out of memory");
		free(o);
		return NULL;
	}
	strcpy(o->path, path);
	o->stats = stats;
	o->fd = is_stdout(path) ? STDOUT_FILENO : append_open(path);
	atomic_store_explicit(&o->next_fd, -1, memory_order_relaxed);
	if (o->fd < 0) {
		snprintf(why, why_len,
			 "output %s: %s: choose a file that can be written (--output)", path,
			 strerror(-o->fd));
		free(o);
		return NULL;
	}
	return o;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	output_flush(o);
	if (!is_stdout(o->path))
		close(o->fd);
	free(o);
}

/* Returns how many octets went out. */
static size_t write_all(struct output *o, const uint8_t *p, size_t n)
{
	int error;
	size_t done = append_write(o->fd, p, n, &error);
	/* relaxed: a word for the log, no order with anything */
	atomic_store_explicit(&o->error, error, memory_order_relaxed);
	return done;
}

static void take_next(struct output *o)
{
	/* pairs with output_reopen */
	int fd = atomic_exchange_explicit(&o->next_fd, -1, memory_order_acquire);
	if (fd < 0)
		return;
	close(o->fd);
	o->fd = fd;
	o->torn = false;
}

void output_flush(struct output *o)
{
	take_next(o);
	if (!o->len)
		return;
	if (o->torn)
		o->torn = write_all(o, (const uint8_t *)"\n", 1) != 1;
	size_t done = o->torn ? 0 : write_all(o, o->buf, o->len);
	uint32_t written = o->lines;
	if (done < o->len) {
		written = 0;
		for (size_t i = 0; i < done; i++)
			written += o->buf[i] == '\n';
		o->torn = o->torn || (done && o->buf[done - 1] != '\n');
	}
	stats_add(o->stats, STAT_RECORD_WRITTEN, written);
	stats_add(o->stats, STAT_RECORD_FAILED, o->lines - written);
	o->len = 0;
	o->lines = 0;
}

void output_line(struct output *o, struct bytes line)
{
	if (line.n > OUTPUT_BUFFER - o->len)
		output_flush(o);
	if (line.n > OUTPUT_BUFFER) {
		/* larger than the buffer: on its own, through it in pieces would tear it for
		 * readers */
		size_t done = o->torn && write_all(o, (const uint8_t *)"\n", 1) != 1
				      ? 0
				      : write_all(o, line.p, line.n);
		o->torn = done != 0 && done < line.n;
		stats_add(o->stats, done == line.n ? STAT_RECORD_WRITTEN : STAT_RECORD_FAILED, 1);
		return;
	}
	memcpy(o->buf + o->len, line.p, line.n);
	o->len += line.n;
	o->lines++;
}

int output_reopen(struct output *o)
{
	if (is_stdout(o->path))
		return 0;
	int fd = append_open(o->path);
	if (fd < 0)
		return fd;
	/* pairs with take_next */
	int old = atomic_exchange_explicit(&o->next_fd, fd, memory_order_acq_rel);
	if (old >= 0)
		close(old);
	return 0;
}

int output_error(const struct output *o)
{
	return atomic_load_explicit(&o->error, memory_order_relaxed);
}
