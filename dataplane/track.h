/*
 * track - all connections of one worker: segments in, whole messages out.
 *
 * flow -> connection -> session of each segment, and their timers. Frames given to track_push get
 * their outcome counted here. All memory at track_new; at most limits.flow_max connections, then
 * the one that was not used for the longest time makes room, one in the middle of a message last.
 * Not handled: the ordinal of a connection is forgotten when another pair of ends takes its place
 * among TRACK_ORDINALS.
 */
#pragma once

#include "base/message.h"
#include "base/stats.h"
#include "dataplane/flow.h"
#include "dataplane/mailport.h"

enum { TRACK_ORDINALS = 1 << 20 };

struct track;

/* Borrows cfg, ports and stats for its life. live: no segment waits for the flow table to grow.
 * NULL when out of memory. */
struct track *track_new(const struct config *cfg, const struct mailport *ports, struct stats *stats,
			uint8_t worker, bool live);
void track_free(struct track *t);
/* A new snapshot; flow_max stays what it was. */
void track_config(struct track *t, const struct config *cfg);

/* Where a segment belongs. Three rounds over a burst, so that what track_push needs is fetched by
 * then. */
struct track_place {
	struct flow_key key;
	bool reversed;
	uint32_t flow, removed; /* as looked up, and when */
};
void track_key(const struct track *t, struct track_place *at, const struct packet *pkt);
void track_fetch(const struct track *t, const struct track_place *at);
void track_look_up(const struct track *t, struct track_place *at);

/* Both borrowed. pkt->time_ns must be now_ns of the last track_time, not the capture's stamp. */
void track_push(struct track *t, const struct track_place *at, const struct packet *pkt);

/*
 * What is due by sure_ns is done; sure_ns must not fall. now_ns is the time of the next segment, at
 * least sure_ns (timeline). stamp_ns: the same as records tell it.
 */
void track_time(struct track *t, uint64_t sure_ns, uint64_t now_ns, uint64_t stamp_ns);

/* Ends up to n connections, what is unfinished becomes incomplete messages; true when none is left.
 */
bool track_finish(struct track *t, unsigned n);
/* Connections are numbered from 0 again. True when there are none: time begins at 0 again too. */
bool track_restart(struct track *t);

/* Gives the next finished message in the order they ended; NULL: none. */
struct message *track_next(struct track *t);
/* Takes a message back. */
void track_release(struct track *t, struct message *m);

/* Messages given out and not released. */
uint32_t track_out(const struct track *t);
/* No connection, no message, and nothing left of those that were. */
bool track_whole(const struct track *t);
/* Connections in the table. */
uint32_t track_count(const struct track *t);
