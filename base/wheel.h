/*
 * wheel - timers of objects named by index: set, move, cancel and expire in constant time; one
 * thread.
 *
 * A hashed wheel. A timer goes off at the first wheel_poll at or behind its time rounded up to a
 * whole tick, never early. One that is set for a time already past goes off with the next tick.
 * Timers further ahead than slots * tick work, and are looked at once more a round.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wheel;

/*
 * Timers 0 to n-1, none set. tick and all times are in one unit of the caller's choice. NULL when
 * tick or slots is 0, n + slots does not fit in 32 bits, or memory is out. Memory of timers never
 * set is not touched.
 */
struct wheel *wheel_new(uint32_t n, uint32_t slots, uint64_t tick);
void wheel_free(struct wheel *w);

/* Sets or moves timer i. */
void wheel_set(struct wheel *w, uint32_t i, uint64_t when);
void wheel_cancel(struct wheel *w, uint32_t i);
bool wheel_is_set(const struct wheel *w, uint32_t i);

/*
 * Gives up to max timers that are due at `now`, no longer set, in no order within a tick; with max
 * given call again. A `now` before that of an earlier call is taken as that one. A jump of any
 * length visits each slot once.
 */
uint32_t wheel_poll(struct wheel *w, uint64_t now, uint32_t *due, uint32_t max);
