/*
 * progress - a bar on stderr while large files are read.
 *
 * Only when stderr is a terminal and there is more than PROGRESS_FROM to read; else every call does
 * nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_FROM UINT64_C(100000000)

struct progress {
	bool on, drawn;
	uint64_t all, start_ns, last_ns;
};

void progress_init(struct progress *p, uint64_t all, bool terminal, uint64_t now_ns);
/* done octets; draws a few times a second. */
void progress_tick(struct progress *p, uint64_t done, uint64_t now_ns);
/* Takes the bar away, so that a line can be printed. */
void progress_clear(struct progress *p);
