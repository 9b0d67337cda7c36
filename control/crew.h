/*
 * crew - the threads of a live run: receive workers, verify workers, the output, and the rings
 * between.
 *
 * A receive worker has a processor to itself where there are enough; the others share what is left.
 * Who finds nothing to do sleeps (idle_sleep_us). The end goes through phases so that what is in
 * flight is finished.
 */
#pragma once

#include "control/output.h"
#include "control/publish.h"
#include "control/stats_out.h"
#include "dataplane/live.h"

enum crew_phase {
	CREW_WORK,
	CREW_DRAIN, /* ports are read until they are empty, then flows are ended and messages judged
		     */
	CREW_HURRY, /* ports are not read any more, DNS is not waited for */
	CREW_QUIT, /* what is left is given up */
};

struct crew;

struct crew_setup { /* all borrowed for the life of the crew; a copy of cfg is published */
	const struct config *cfg;
	struct live *live;
};

/* Makes workers, rings, resolver and the snapshot of settings. 0 or -errno, why has one line with
 * the cure. */
int crew_new(struct crew **out, const struct crew_setup *setup, char *why, size_t why_len);
/* Frees what hangs on a snapshot: profiles, lists, public suffixes. */
void crew_drop(struct config *cfg);
/* Threads must have ended. */
void crew_free(struct crew *c);

/* 0 or -errno; then none runs. */
int crew_start(struct crew *c);
void crew_phase(struct crew *c, enum crew_phase phase);
/* True when every thread has come to its end. */
bool crew_ended(const struct crew *c);
/* Waits for the threads' end, at most ms for all. False: one did not come. */
bool crew_join(struct crew *c, unsigned ms);

/* Messages that were not finished; after the end. */
uint64_t crew_unfinished(const struct crew *c);

struct publish *crew_publish(const struct crew *c);
struct output *crew_output(const struct crew *c);
/* Counters and gauges, borrowed for the life of the crew. */
void crew_view(const struct crew *c, struct stats_view *view);
/* live_sum of telemetry; ctx is the crew, worker an index into the view. */
bool crew_sum(void *ctx, int worker, uint64_t n[STAT_N]);
unsigned crew_receivers(const struct crew *c);
unsigned crew_verifiers(const struct crew *c);
