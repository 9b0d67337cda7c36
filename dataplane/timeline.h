/*
 * timeline - a worker's clock made of the time stamps of packets: it never falls, and one stamp alone does
 * not move it far.
 *
 * A stamp more than TIMELINE_DOUBT_NS ahead counts when the next one is as far ahead too; the lower of
 * the two is the time then. Stamps that fall are read as the time it is. Stamps are compared modulo 2^64.
 * Not handled: two wrong stamps in a row are believed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TIMELINE_DOUBT_NS UINT64_C(60000000000)
#define TIMELINE_START_NS UINT64_C(1000000000)

struct timeline { /* zero is the start */
	uint64_t now_ns; /* since TIMELINE_START_NS before the first stamp, not since the epoch */
	uint64_t shift_ns; /* from stamps to it, modulo 2^64 */
	uint64_t doubt_ns; /* a time far ahead that waits for the next stamp; 0: none */
	bool begun;
};

/* The time behind this stamp. */
static inline uint64_t timeline_at(struct timeline *t, uint64_t stamp_ns)
{
	if (!t->begun) {
		t->now_ns += TIMELINE_START_NS;
		t->shift_ns = t->now_ns - stamp_ns;
		t->begun = true;
	}
	uint64_t at = stamp_ns + t->shift_ns, doubt = t->doubt_ns;
	int64_t ahead = (int64_t)(at - t->now_ns);
	t->doubt_ns = ahead > (int64_t)TIMELINE_DOUBT_NS ? at : 0;
	if (t->doubt_ns)
		at = at < doubt ? at : doubt;
	if ((int64_t)(at - t->now_ns) > 0 && (!t->doubt_ns || doubt))
		t->now_ns = at;
	return t->now_ns;
}

/* Another source of stamps, earlier or later: its first one is now. */
static inline void timeline_begin(struct timeline *t)
{
	t->begun = false;
	t->doubt_ns = 0;
}
