/*
 * worker - one verify worker: rings of messages in, verified messages out.
 *
 * Takes messages from the receive workers' rings, keeps up to cfg->in_flight of them going
 * (questions out, octets in the hash queue, signatures in the key queue), gives each to the output
 * ring as it is done, and passes those that come back from the output on to their receive worker. A
 * turn never blocks. When its slots are full messages wait in the rings. A message over its DNS
 * deadline gets temperror.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/ring.h"
#include "base/stats.h"
#include "verify/dns/resolver.h"

enum { VERIFY_WORKER_RX_MAX = 64 };

struct verify_worker;

struct verify_worker_setup {
	uint8_t id;
	const struct config *cfg;
	struct stats *stats; /* borrowed */
	struct resolver_link *dns; /* borrowed */
	unsigned n_rx; /* receive workers */
	struct ring *in[VERIFY_WORKER_RX_MAX]; /* messages from each */
	struct ring *home[VERIFY_WORKER_RX_MAX]; /* messages back to each; as large as all messages
						    of it */
	struct ring *out; /* to the output */
	struct ring *back; /* from the output */
};

/* NULL when out of memory. */
struct verify_worker *verify_worker_new(const struct verify_worker_setup *setup);
void verify_worker_free(struct verify_worker *w);

/* One turn; now_ns is a steady clock. Returns how much it did, 0: idle. */
unsigned verify_worker_poll(struct verify_worker *w, uint64_t now_ns);

/*
 * more: whoever turns this worker is about to bring messages, so that octets wait for others to be
 * hashed beside them instead of alone; false at first. For a thread that receives and verifies in
 * turn.
 */
void verify_worker_expect(struct verify_worker *w, bool more);

/* A new snapshot, used for messages begun from now on. */
void verify_worker_config(struct verify_worker *w, const struct config *cfg);

/* Messages that are in it. */
unsigned verify_worker_count(const struct verify_worker *w);
