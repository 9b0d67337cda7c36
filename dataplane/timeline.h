/*
 * timeline - the time of a capture file, made of the stamps of its packets: one stamp alone moves
 * nothing far.
 *
 * A stamp more than TIMELINE_DOUBT_NS ahead is now for its own packet only; that so much time went
 * by is sure when the next packet says so too. Stamps that fall are read as the time it is. Not
 * handled: two wrong stamps in a row are believed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TIMELINE_DOUBT_NS UINT64_C(60000000000)
/* A multiple of what timers and ages are rounded to, so that these fall alike in every capture. */
#define TIMELINE_START_NS (UINT64_C(78125) << 20)

struct timeline { /* zero is the start */
	uint64_t sure_ns; /* never falls; the first stamp is a multiple of TIMELINE_START_NS */
	uint64_t now_ns; /* of the packet at hand; sure_ns, or far ahead of it */
	uint64_t shift_ns; /* from stamps to both, modulo 2^64 */
	bool begun;
};

/* The stamp of the next packet. */
static inline void timeline_at(struct timeline *t, uint64_t stamp_ns)
{
	if (!t->begun) {
		t->sure_ns = (t->sure_ns / TIMELINE_START_NS + 1) * TIMELINE_START_NS;
		t->now_ns = t->sure_ns;
		t->shift_ns = t->now_ns - stamp_ns;
		t->begun = true;
	}
	uint64_t at = stamp_ns + t->shift_ns, last = t->now_ns;
	int64_t ahead = (int64_t)(at - t->sure_ns);
	if (ahead > (int64_t)TIMELINE_DOUBT_NS) {
		if (last > t->sure_ns) { /* both far ahead */
			uint64_t low = at < last ? at : last, high = at < last ? last : at;
			t->sure_ns = high - low > TIMELINE_DOUBT_NS ? low : high;
		}
	} else if (ahead > 0) {
		t->sure_ns = at;
	}
	t->now_ns = ahead > 0 && at > t->sure_ns ? at : t->sure_ns;
}

/* Another source of stamps, earlier or later: its first one is now. */
static inline void timeline_begin(struct timeline *t)
{
	t->begun = false;
}
