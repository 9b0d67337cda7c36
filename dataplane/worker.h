/*
 * worker - one receive worker: a capture in, whole messages out. The row of receiving stages.
 *
 * rx -> decode[] -> frag -> track (flow, connection, session, assemble; timers) -> release[] ->
 * rings. Where all rings to verification are full, finished messages wait here; a file is then not
 * read on (nothing is lost), a port is (bounded by the message pools, then cut, flagged and
 * counted). Every frame has one outcome, counted in one of the rows frame.*. The time of a file is
 * that of its packets (timeline), that of a port the clock's.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/ring.h"
#include "base/stats.h"
#include "dataplane/capture.h"

enum { WORKER_VERIFY_MAX = 64 };

struct worker;

struct worker_setup {
	uint8_t id;
	const struct config *cfg;
	struct stats *stats; /* borrowed */
	struct capture *capture; /* borrowed; NULL: a file, which worker_capture brings */
	unsigned n_verify; /* 0: messages are given back at once (a figure of the benchmark) */
	struct ring *out[WORKER_VERIFY_MAX]; /* to each verify worker */
	struct ring *home[WORKER_VERIFY_MAX]; /* back from each */
};

enum worker_state {
	WORKER_MORE,
	WORKER_IDLE, /* nothing was done this turn */
	WORKER_END, /* the file is through and every message was given out */
	WORKER_BROKEN, /* the same, but the file is damaged */
};

struct worker *worker_new(const struct worker_setup *setup);
void worker_free(struct worker *w);

/* One burst. Never blocks. */
enum worker_state worker_poll(struct worker *w);

/* Another file, after END or BROKEN. Message order goes on, connections are numbered from 0 again.
 */
void worker_capture(struct worker *w, struct capture *capture);

/* A new snapshot, borrowed. Bounds of tables (flow_max, fragment_max, message_max, held_bytes)
 * stay. */
void worker_config(struct worker *w, const struct config *cfg);

/* Ends every flow: what is unfinished becomes incomplete messages. Poll on until END. */
void worker_finish(struct worker *w);

/* Messages out and not yet back. */
uint32_t worker_out(const struct worker *w);
/* No flow, no message, and nothing left of those that were: so it is at the end, with all messages
 * back. */
bool worker_whole(const struct worker *w);
/* Flows in the table. */
uint32_t worker_flows(const struct worker *w);
