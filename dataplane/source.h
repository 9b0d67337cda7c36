/*
 * source - the octets of a file in order, through one window; gzip is taken off on the way.
 *
 * The file is read in large pieces into one buffer that stays in the second-level cache. On the
 * machine this was written on that gives 18 GB/s with every octet used once, twice what mapping the
 * file gives (page faults), it works for pipes as well, and a file cut short while it is read
 * cannot kill us.
 * Not handled: nothing but gzip is unpacked; a blocking descriptor is expected.
 */
#pragma once

#include "base/bytes.h"

enum {
	SOURCE_WINDOW_MAX = 1 << 20, /* the longest run of octets that can be seen at once */
	SOURCE_READ = 256 << 10, /* octets asked for in one read */
};

struct source {
	struct bytes in; /* the window: octets not yet taken, contiguous */
	uint64_t off; /* of in.p in the unpacked octets */
	uint64_t done, all; /* octets of the file itself read so far; its size, 0: unknown */
	const char *why; /* set when the file is damaged or cannot be read; static */
	bool packed; /* gzip */

	/* private */
	int fd; /* -1: memory */
	struct bytes mem; /* what is left of it */
	size_t chunk;
	uint8_t *buf, *packed_buf;
	void *inflate;
	bool member, end;
};

/* "-" is standard input. 0 or -errno; on failure nothing is left open. */
int source_open(struct source *s, const char *path);

/*
 * Borrows file for the life of s. chunk 0: the window is the file itself, unless it is gzip; else
 * at most chunk octets come at a time, as from a pipe. 0 or -errno.
 */
int source_memory(struct source *s, struct bytes file, size_t chunk);
void source_fini(struct source *s);

/*
 * Makes the window longer by at least one octet; it may move, so whatever points into it ends here.
 * False at the end of the file, when it is damaged (why is set), or when the window is full.
 */
bool source_fill(struct source *s);

/* A pipe that has nothing to read now: source_fill would wait. */
bool source_quiet(const struct source *s);

/* Drops n <= in.n octets from the front of the window, which stays where it is. */
static inline void source_take(struct source *s, size_t n)
{
	s->in.p += n;
	s->in.n -= n;
	s->off += n;
}
