/*
 * live - everything between the command line of `postern run` and its captures: EAL, ports,
 * steering.
 *
 * Gives one capture for each queue. Ports are joined by default: queue i of every port comes out of
 * capture i, so that a tap with a port for each direction has both in one worker.
 */
#pragma once

#include "base/config.h"
#include "base/stats.h"
#include "dataplane/capture.h"

enum { LIVE_CAPTURES_MAX = 64, LIVE_CORES_MAX = 128 };

struct live;

/*
 * Starts EAL with args[0..n) (what stood behind --) and what cfg says, opens every port given,
 * attaches the steering program where net_af_xdp has none of its own. prefix names this run among
 * DPDK processes. May be called once in a process. 0 or -errno, why has one line with the cure.
 */
int live_open(struct live **out, const struct config *cfg, char *const *args, int n,
	      const char *prefix, char *why, size_t why_len);
/* Captures must have been freed by nobody else: this frees them, ends ports and EAL, detaches
 * programs. */
void live_close(struct live *l);

unsigned live_captures(const struct live *l);
/* Borrowed. */
struct capture *live_capture(const struct live *l, unsigned i);

/* The mail ports changed. 0 or -errno. */
int live_config(struct live *l, const struct config *cfg);

/* "eth1 (net_af_xdp, 1 queue, steered)" and so on, for the line at start. */
void live_describe(const struct live *l, char *out, size_t len);
/* The i-th thing the user should know, NULL behind the last. Borrowed. */
const char *live_warning(const struct live *l, unsigned i);

/* The processors to run on, in their order; the first is the control thread's. */
unsigned live_cores(const struct live *l, unsigned *core, unsigned max);
/* Makes the calling thread one that DPDK knows: its packet buffers get a cache. 0 or -errno. */
int live_thread_begin(void);
void live_thread_end(void);

/*
 * Answers /postern/stats on DPDK's telemetry socket with what sum fills in; with a number behind it
 * (/postern/stats,1) that worker's. sum is called on DPDK's thread; false: there is no such worker.
 */
typedef bool live_sum(void *ctx, int worker, uint64_t n[STAT_N]);
int live_telemetry(live_sum *sum, void *ctx);
