/*
 * Any octets as a capture file through a worker with small limits: every message comes home, every pool is
 * whole again, every frame has one outcome, and neither slow pipes nor the cut into bursts show.
 */
#include "dataplane/worker.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* In the order of their end; what a message is, where and when it was. */
static uint64_t collect(struct ring *out, struct ring *home, uint64_t fold)
{
	void *p;
	while (ring_pop(out, &p, 1)) {
		const struct message *m = p;
		if (m->intact > m->size || m->header_len > m->size)
			abort();
		fold = (fold * 31 + m->flow_id) * 31 + m->tx_id;
		fold = (fold * 31 + m->time_ns) * 31 + m->size + m->flags;
		for (const struct message_chunk *c = m->chunks; c; c = c->next)
			for (uint32_t i = 0; i < c->len; i++)
				fold = fold * 31 + c->data[i];
		if (!ring_push(home, &p, 1))
			abort();
	}
	return fold;
}

static uint64_t run(struct worker *w, const struct stats *stats, struct ring *out,
		    struct ring *home, struct bytes file, size_t chunk)
{
	struct capture *c;
	char why[256];
	if (capture_pcap_memory(&c, file, chunk, why, sizeof why) < 0)
		return 0;
	worker_capture(w, c);
	uint64_t fold = 1, outcomes = 0;
	enum worker_state state;
	do {
		state = worker_poll(w);
		fold = collect(out, home, fold);
	} while (state < WORKER_END);
	worker_poll(w); /* takes the last ones home */
	for (int i = 0; i < STAT_N; i++)
		if (!strncmp(stats_name(i), "frame.", 6))
			outcomes += stats_get(stats, i);
	if (!worker_whole(w) || outcomes != stats_get(stats, STAT_FRAMES))
		abort();
	c->ops->free(c);
	return fold * 31 + state;
}

/* What bounds cost: when messages come home shows in it, so there the two may differ. */
static uint64_t short_of(const struct stats *stats)
{
	return stats_get(stats, STAT_MESSAGE_LOST) + stats_get(stats, STAT_MESSAGE_NO_MEMORY_N);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct config cfg = { .smtp_ports = { { 25 }, 1 },
					   .pop3_ports = { { 110 }, 1 },
					   .flow_max = 5,
					   .flow_idle_s = 30,
					   .flow_closed_s = 2,
					   .hole_packets = 8,
					   .hole_ms = 100,
					   .held_flow_bytes = 16384,
					   .held_bytes = 65536,
					   .message_size = 5000,
					   .message_bytes = 100000,
					   .message_max = 6,
					   .fragment_max = 3,
					   .fragment_ms = 1000,
					   .command_max = 100 };
	static struct config never; /* looks at no checksum: more of the input is read */
	static struct stats stats;
	static struct worker_setup setup = { .cfg = &cfg, .stats = &stats, .n_verify = 1 };
	static struct worker *w;
	if (!w) {
		setup.out[0] = ring_new(8);
		setup.home[0] = ring_new(8);
		w = worker_new(&setup);
		never = cfg;
		never.checksum = CHECKSUM_NEVER;
	}
	worker_config(w, n && data[n - 1] & 1 ? &never : &cfg);
	uint64_t lost = short_of(&stats);
	uint64_t whole = run(w, &stats, setup.out[0], setup.home[0], bytes_of(data, n), 0);
	uint64_t slow = run(w, &stats, setup.out[0], setup.home[0], bytes_of(data, n), 97);
	if (slow != whole && lost == short_of(&stats))
		abort();
	return 0;
}
