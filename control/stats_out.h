/*
 * stats_out - counters and gauges as one JSON object, for the control socket and telemetry.
 *
 * {"uptime_s":n,"totals":{"<group>":{"<name>":n,...},...},
 *  "workers":[{"name":"receive-0","kind":"receive","id":0,"counters":{<as totals>}},...],
 *  "gauges":[{"name":"flow.open","of":"receive-0","value":n,"max":n or null},...]}
 */
#pragma once

#include "base/json.h"
#include "base/stats.h"

/* Who counts. Everything is borrowed for as long as the view is used. */
struct stats_worker {
	const char *kind; /* receive, verify, resolver, control */
	uint32_t id; /* among those of its kind, from 0 */
	const struct stats *stats;
};

/* A number that goes up and down: open flows, messages in a ring. */
struct stats_gauge {
	const char *name; /* "group.name" */
	char of[32]; /* whose: "receive-0", "receive-0>verify-1"; empty: of the whole engine */
	uint64_t (*value)(const void *arg); /* called by the control thread: reads, takes no lock */
	const void *arg;
	uint64_t max; /* 0: has none */
};

struct stats_view {
	const struct stats_worker *worker;
	uint32_t n_worker;
	const struct stats_gauge *gauge;
	uint32_t n_gauge;
	uint64_t started_ns; /* CLOCK_MONOTONIC at start */
};

/* Sets sum[STAT_N] to the sum of all workers. */
void stats_out_sum(const struct stats_view *v, uint64_t sum[STAT_N]);

/* {"<group>":{"<name>":n}}: groups and names in the order of the rows. */
void stats_out_counters(struct json *j, const uint64_t n[STAT_N]);

/* Seconds since the start; 0 when that lies ahead of now_ns. */
uint64_t stats_out_uptime(const struct stats_view *v, uint64_t now_ns);

/* The whole object; now_ns by CLOCK_MONOTONIC. */
void stats_out_json(struct json *j, const struct stats_view *v, uint64_t now_ns);
