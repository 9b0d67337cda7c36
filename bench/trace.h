/*
 * trace - frames in memory, and a capture that gives them out: what the benchmarks read instead of
 * a port.
 *
 * Ethernet, IPv4, TCP with right checksums.
 * Not handled: growth; a full trace ends the program.
 */
#pragma once

#include "dataplane/capture.h"

struct trace {
	uint8_t *mem;
	size_t size, used;
	uint32_t *off8; /* of each frame, in units of 8 octets */
	uint16_t *len;
	uint64_t *time_ns; /* NULL: TRACE_STEP_NS between frames */
	size_t n, max;
};

enum { TRACE_STEP_NS = 1000 };

/* On huge pages where there are any. */
void trace_init(struct trace *t, size_t size, size_t max);
void trace_fini(struct trace *t);

/* One end of a TCP connection being written. */
struct trace_end {
	uint32_t ip;
	uint16_t port;
	uint32_t seq;
};

/* Adds one segment from `from` to `to`; moves from->seq on. Padded to 60 octets like any Ethernet
 * frame. */
void trace_segment(struct trace *t, struct trace_end *from, const struct trace_end *to,
		   uint8_t flags, const void *payload, size_t n);

/* Adds a frame as it is; false when a bound is reached. */
bool trace_frame(struct trace *t, const void *frame, size_t n, uint64_t time_ns);

/* Writes it as a pcap file; false when that fails. */
bool trace_write(const struct trace *t, const char *path);

/*
 * A capture over it; behind the last frame it ends, or (stays) has nothing more for now.
 * trace_rewind starts again. Borrows t.
 */
struct capture *trace_capture(const struct trace *t, bool stays);
void trace_rewind(struct capture *c);

/* Starts again, as if it came once more, so long behind the last frame. */
void trace_again(struct capture *c, uint64_t gap_ns);

/* Seconds of CPU this thread has used. */
double trace_cpu(void);
double trace_median(double *v, unsigned n);
