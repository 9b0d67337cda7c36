#include "control/crew.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/ring.h"
#include "control/config.h"
#include "control/events.h"
#include "control/prepared.h"
#include "dataplane/worker.h"
#include "verify/dns/resolver.h"
#include "verify/worker.h"

enum {
	CREW_IDLE_TURNS = 64, /* without anything to do before the first sleep */
	CREW_QUIET_TURNS =
		4096, /* and so many before a port counts as quiet: sleeps are longer then */
	CREW_QUIET_FACTOR = 4,
	CREW_SLEEP_US =
		50, /* first sleep of those behind the ports, where ports are polled without end */
	CREW_DRAIN_TURNS = 256, /* without anything to do before a port counts as empty */
	CREW_SLEEP_MAX_US = 1000, /* sleeps of those behind the ports grow up to this */
	CREW_COUNT_NS = 100 * 1000 * 1000, /* the ports' counters are read so often */
	CREW_RING = 1024, /* messages on their way to one verify worker */
	CREW_BURST = 64,
};

enum member_kind { MEMBER_RECEIVE, MEMBER_VERIFY, MEMBER_OUTPUT };

struct member {
	struct crew *crew;
	enum member_kind kind;
	unsigned id; /* among its kind */
	unsigned reader; /* of the snapshot */
	int core; /* -1: any */
	bool started, joined;
	pthread_t thread;
	struct stats *stats;
	union {
		struct worker *worker;
		struct verify_worker *verifier;
	};
	struct capture *capture;
	/* by the thread for the gauges */
	_Atomic uint64_t flows, messages;
};

struct crew {
	struct live *live;
	struct publish *publish;
	struct output *output;
	struct events *events;
	struct resolver *resolver;
	unsigned n_rx, n_verify, n; /* members: receive, verify, output */
	struct member *member;
	struct stats *stats; /* one a member */
	struct ring **to_verify, **home; /* [rx * n_verify + verify] */
	struct ring **out, **back; /* [verify] */
	struct stats_worker *view;
	struct stats_gauge *gauge;
	unsigned n_gauge;
	uint64_t started_ns;
	_Atomic int phase; /* enum crew_phase */
	_Atomic unsigned rx_done; /* receive workers that have given out all their messages */
	_Atomic unsigned verify_done;
	_Atomic unsigned ended; /* threads */
};

static uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* A system call on a worker, on purpose: it has nothing to do, and the machine may be shared. */
static void rest(uint32_t us)
{
	struct timespec t = { us / 1000000, (long)(us % 1000000) * 1000 };
	nanosleep(&t, NULL);
}

static enum crew_phase phase_of(const struct crew *c)
{
	/* relaxed: nothing else is handed over with it */
	return (enum crew_phase)atomic_load_explicit(&c->phase, memory_order_relaxed);
}

/* ---- loops ---- */

static void receive_count(struct member *m, uint64_t *next_ns)
{
	uint64_t now = clock_ns();
	if (now < *next_ns)
		return;
	*next_ns = now + CREW_COUNT_NS;
	if (m->capture->ops->count)
		m->capture->ops->count(m->capture, m->stats);
	atomic_store_explicit(&m->flows, worker_flows(m->worker), memory_order_relaxed);
	atomic_store_explicit(&m->messages, worker_out(m->worker), memory_order_relaxed);
}

static void receive_loop(struct member *m)
{
	struct crew *c = m->crew;
	const struct config *cfg = NULL;
	bool finishing = false, done = false;
	unsigned idle = 0, turn = 0;
	uint64_t count_ns = 0;
	for (;;) {
		const struct config *now = publish_config(c->publish, m->reader);
		if (now != cfg)
			worker_config(m->worker, cfg = now);
		enum crew_phase phase = phase_of(c);
		if (phase == CREW_QUIT || (done && worker_out(m->worker) == 0))
			break;
		if (!finishing &&
		    (phase == CREW_HURRY || (phase == CREW_DRAIN && idle >= CREW_DRAIN_TURNS))) {
			worker_finish(m->worker);
			finishing = true;
		}
		enum worker_state state = worker_poll(m->worker);
		if (finishing && !done && state >= WORKER_END) {
			done = true;
			/* pairs with verify_loop: all our messages are in its rings */
			atomic_fetch_add_explicit(&c->rx_done, 1, memory_order_release);
		}
		idle = state == WORKER_MORE ? 0 : idle + 1;
		if (idle > CREW_IDLE_TURNS && cfg->idle_sleep_us)
			rest(cfg->idle_sleep_us *
			     (idle > CREW_QUIET_TURNS ? CREW_QUIET_FACTOR : 1));
		if (++turn % 256 == 0)
			receive_count(m, &count_ns);
	}
	count_ns = 0;
	receive_count(m, &count_ns);
}

static bool rings_empty(struct ring *const *r, unsigned n, unsigned step)
{
	for (unsigned i = 0; i < n; i++)
		if (ring_count(r[i * step]))
			return false;
	return true;
}

/* Sleeps longer the longer there is nothing to do. */
static void rest_behind(const struct config *cfg, unsigned idle)
{
	if (idle <= CREW_IDLE_TURNS)
		return;
	uint32_t least = cfg->idle_sleep_us ? cfg->idle_sleep_us : CREW_SLEEP_US;
	uint32_t most = least > CREW_SLEEP_MAX_US ? least : CREW_SLEEP_MAX_US;
	unsigned shift = (idle - CREW_IDLE_TURNS) / 16;
	uint64_t us = (uint64_t)least << (shift < 10 ? shift : 10);
	rest(us < most ? (uint32_t)us : most);
}

static void verify_loop(struct member *m)
{
	struct crew *c = m->crew;
	const struct config *cfg = NULL;
	unsigned idle = 0;
	for (;;) {
		const struct config *now = publish_config(c->publish, m->reader);
		if (now != cfg)
			verify_worker_config(m->verifier, cfg = now);
		enum crew_phase phase = phase_of(c);
		if (phase == CREW_QUIT)
			break;
		uint64_t now_ns = clock_ns();
		/* in a hurry every deadline has passed: what waits for DNS gets its temperror */
		if (phase == CREW_HURRY)
			now_ns += (uint64_t)cfg->dns_message_deadline_ms * 1000000;
		bool last = phase != CREW_WORK &&
			    atomic_load_explicit(&c->rx_done, memory_order_acquire) == c->n_rx;
		unsigned did = verify_worker_poll(m->verifier, now_ns);
		atomic_store_explicit(&m->messages, verify_worker_count(m->verifier),
				      memory_order_relaxed);
		if (last && !did && verify_worker_count(m->verifier) == 0 &&
		    rings_empty(&c->to_verify[m->id], c->n_rx, c->n_verify))
			break;
		idle = did ? 0 : idle + 1;
		rest_behind(cfg, idle);
	}
	/* pairs with output_loop: all our messages have come back from it */
	atomic_fetch_add_explicit(&c->verify_done, 1, memory_order_release);
}

static unsigned output_some(struct crew *c)
{
	struct message *msg[CREW_BURST];
	unsigned got = 0;
	for (unsigned v = 0; v < c->n_verify; v++) {
		unsigned n = ring_pop(c->out[v], (void **)msg, CREW_BURST);
		for (unsigned i = 0; i < n; i++)
			output_line(c->output, events_record(c->events, msg[i]));
		/* has room for all messages of the worker */
		ring_push(c->back[v], (void *const *)msg, n);
		got += n;
	}
	return got;
}

static void output_loop(struct member *m)
{
	struct crew *c = m->crew;
	const struct config *cfg = NULL;
	unsigned idle = 0;
	for (;;) {
		const struct config *now = publish_config(c->publish, m->reader);
		if (now != cfg)
			events_config(c->events, cfg = now);
		bool last = phase_of(c) == CREW_QUIT ||
			    (phase_of(c) != CREW_WORK &&
			     atomic_load_explicit(&c->verify_done, memory_order_acquire) ==
				     c->n_verify);
		unsigned did = output_some(c);
		if (!did)
			output_flush(c->output);
		if (last && !did)
			break;
		idle = did ? 0 : idle + 1;
		rest_behind(cfg, idle);
	}
}

static void *member_main(void *arg)
{
	struct member *m = arg;
	struct crew *c = m->crew;
	if (m->kind == MEMBER_RECEIVE)
		live_thread_begin(); /* without it only the buffers' cache is lost */
	if (m->kind == MEMBER_RECEIVE)
		receive_loop(m);
	else if (m->kind == MEMBER_VERIFY)
		verify_loop(m);
	else
		output_loop(m);
	publish_leave(c->publish, m->reader);
	if (m->kind == MEMBER_RECEIVE)
		live_thread_end();
	/* pairs with crew_ended */
	atomic_fetch_add_explicit(&c->ended, 1, memory_order_release);
	return NULL;
}

/* ---- what is counted ---- */

static uint64_t gauge_word(const void *arg)
{
	return atomic_load_explicit((const _Atomic uint64_t *)arg, memory_order_relaxed);
}

static uint64_t gauge_ring(const void *arg)
{
	return ring_count(arg);
}

static void gauge_add(struct crew *c, const char *name, uint64_t (*value)(const void *),
		      const void *arg, uint64_t max, const char *of, unsigned i, const char *to,
		      unsigned k)
{
	struct stats_gauge *g = &c->gauge[c->n_gauge++];
	g->name = name;
	g->value = value;
	g->arg = arg;
	g->max = max;
	if (to) /* numbers are under 100: see LIVE_CAPTURES_MAX, WORKER_VERIFY_MAX */
		snprintf(g->of, sizeof g->of, "%s-%u>%s-%u", of, i % 100, to, k % 100);
	else
		snprintf(g->of, sizeof g->of, "%s-%u", of, i);
}

static void make_view(struct crew *c, const struct config *cfg)
{
	static const char *const kinds[] = { "receive", "verify", "control" };
	for (unsigned i = 0; i < c->n; i++) {
		const struct member *m = &c->member[i];
		c->view[i] = (struct stats_worker){ kinds[m->kind], m->id, m->stats };
		if (m->kind == MEMBER_RECEIVE)
			gauge_add(c, "flow.open", gauge_word, &m->flows, cfg->flow_max, "receive",
				  m->id, NULL, 0);
		if (m->kind == MEMBER_RECEIVE)
			gauge_add(c, "message.out", gauge_word, &m->messages, cfg->message_max,
				  "receive", m->id, NULL, 0);
		if (m->kind == MEMBER_VERIFY)
			gauge_add(c, "verify.in_flight", gauge_word, &m->messages, cfg->in_flight,
				  "verify", m->id, NULL, 0);
	}
	for (unsigned v = 0; v < c->n_verify; v++) {
		for (unsigned r = 0; r < c->n_rx; r++) {
			const struct ring *ring = c->to_verify[r * c->n_verify + v];
			gauge_add(c, "ring.messages", gauge_ring, ring, ring_size(ring), "receive",
				  r, "verify", v);
		}
		gauge_add(c, "ring.records", gauge_ring, c->out[v], ring_size(c->out[v]), "verify",
			  v, NULL, 0);
	}
}

void crew_view(const struct crew *c, struct stats_view *view)
{
	*view = (struct stats_view){ c->view, c->n, c->gauge, c->n_gauge, c->started_ns };
}

bool crew_sum(void *ctx, int worker, uint64_t n[STAT_N])
{
	const struct crew *c = ctx;
	if (worker >= (int)c->n)
		return false;
	for (unsigned i = 0; i < c->n; i++)
		if (worker < 0 || (unsigned)worker == i)
			stats_sum(n, c->member[i].stats);
	return true;
}

/* ---- life ---- */

/* Who runs where. The first processor is the control thread's. */
static void place(struct crew *c, const struct config *cfg, unsigned *core, unsigned n_core)
{
	unsigned used = n_core > c->n_rx ? 1 : 0, next = used;
	c->n_verify = cfg->verify_workers;
	if (!c->n_verify) {
		unsigned left = n_core > c->n_rx + used ? n_core - c->n_rx - used : 1;
		c->n_verify = left < WORKER_VERIFY_MAX ? left : WORKER_VERIFY_MAX;
	}
	c->n = c->n_rx + c->n_verify + 1;
	/* a thread that shares its processor with another is left to the kernel's scheduler */
	bool room = c->n_rx + used <= n_core, all = c->n <= n_core;
	for (unsigned i = 0; i < c->n; i++) {
		struct member *m = &c->member[i];
		m->crew = c;
		m->reader = i;
		m->stats = &c->stats[i];
		m->kind = i < c->n_rx                 ? MEMBER_RECEIVE
			  : i < c->n_rx + c->n_verify ? MEMBER_VERIFY
						      : MEMBER_OUTPUT;
		m->id = m->kind == MEMBER_RECEIVE ? i : m->kind == MEMBER_VERIFY ? i - c->n_rx : 0;
		m->core = -1;
		if ((m->kind == MEMBER_RECEIVE && room && n_core > 1) ||
		    (m->kind == MEMBER_VERIFY && all))
			m->core = (int)core[next++];
	}
}

static int make_rings(struct crew *c, const struct config *cfg)
{
	unsigned pairs = c->n_rx * c->n_verify;
	c->to_verify = calloc(pairs, sizeof(struct ring *));
	c->home = calloc(pairs, sizeof(struct ring *));
	c->out = calloc(c->n_verify, sizeof(struct ring *));
	c->back = calloc(c->n_verify, sizeof(struct ring *));
	if (!c->to_verify || !c->home || !c->out || !c->back)
		return -ENOMEM;
	for (unsigned i = 0; i < pairs; i++) {
		c->to_verify[i] = ring_new(CREW_RING);
		c->home[i] = ring_new(cfg->message_max);
		if (!c->to_verify[i] || !c->home[i])
			return -ENOMEM;
	}
	for (unsigned v = 0; v < c->n_verify; v++) {
		c->out[v] = ring_new(cfg->in_flight);
		c->back[v] = ring_new(cfg->in_flight);
		if (!c->out[v] || !c->back[v])
			return -ENOMEM;
	}
	return 0;
}

static int make_workers(struct crew *c)
{
	const struct config *cfg = publish_current(c->publish);
	for (unsigned r = 0; r < c->n_rx; r++) {
		struct member *m = &c->member[r];
		m->capture = live_capture(c->live, r);
		struct worker_setup setup = { .id = (uint8_t)r,
					      .cfg = cfg,
					      .stats = m->stats,
					      .capture = m->capture,
					      .n_verify = c->n_verify };
		for (unsigned v = 0; v < c->n_verify; v++) {
			setup.out[v] = c->to_verify[r * c->n_verify + v];
			setup.home[v] = c->home[r * c->n_verify + v];
		}
		m->worker = worker_new(&setup);
		if (!m->worker)
			return -ENOMEM;
	}
	for (unsigned v = 0; v < c->n_verify; v++) {
		struct member *m = &c->member[c->n_rx + v];
		struct verify_worker_setup setup = { .id = (uint8_t)v,
						     .cfg = cfg,
						     .stats = m->stats,
						     .dns = resolver_link(c->resolver, v, m->stats),
						     .n_rx = c->n_rx,
						     .out = c->out[v],
						     .back = c->back[v] };
		for (unsigned r = 0; r < c->n_rx; r++) {
			setup.in[r] = c->to_verify[r * c->n_verify + v];
			setup.home[r] = c->home[r * c->n_verify + v];
		}
		m->verifier = verify_worker_new(&setup);
		if (!m->verifier)
			return -ENOMEM;
	}
	return 0;
}

void crew_drop(struct config *cfg)
{
	prepared_free(cfg);
	config_fini(cfg);
}

/* The first snapshot: a copy of cfg that shares its profiles. */
static int crew_publish_first(struct crew *c, const struct config *cfg, char *why, size_t why_len)
{
	struct config first = *cfg;
	if (prepared_load(&first, why, why_len) < 0)
		return -EINVAL;
	profiles_hold(first.profiles);
	c->publish = publish_new(&first, c->n, crew_drop);
	if (!c->publish)
		crew_drop(&first);
	return c->publish ? 0 : -ENOMEM;
}

static int crew_build(struct crew *c, const struct config *cfg, char *why, size_t why_len)
{
	unsigned core[LIVE_CORES_MAX];
	unsigned n_core = live_cores(c->live, core, LIVE_CORES_MAX);
	c->n_rx = live_captures(c->live);
	unsigned most = c->n_rx + WORKER_VERIFY_MAX + 1;
	c->member = calloc(most, sizeof c->member[0]);
	c->stats = aligned_alloc(64, most * sizeof c->stats[0]);
	c->view = calloc(most, sizeof c->view[0]);
	if (!c->member || !c->stats || !c->view)
		return -ENOMEM;
	memset(c->stats, 0, most * sizeof c->stats[0]);
	place(c, cfg, core, n_core);
	c->gauge = calloc(3 * c->n + c->n_verify * (c->n_rx + 1), sizeof c->gauge[0]);
	c->events = events_new(cfg);
	if (!c->gauge || !c->events)
		return -ENOMEM;
	int err = crew_publish_first(c, cfg, why, why_len);
	if (err)
		return err;
	c->output = output_new(cfg->output, c->member[c->n - 1].stats, why, why_len);
	if (!c->output)
		return -EACCES;
	err = resolver_new(&c->resolver, cfg, c->n_verify, why, why_len);
	if (!err)
		err = make_rings(c, cfg);
	if (!err)
		err = make_workers(c);
	return err;
}

int crew_new(struct crew **out, const struct crew_setup *setup, char *why, size_t why_len)
{
	struct crew *c = calloc(1, sizeof *c);
	*out = NULL;
	why[0] = 0;
	int err = -ENOMEM;
	if (c) {
		c->live = setup->live;
		c->started_ns = clock_ns();
		err = crew_build(c, setup->cfg, why, why_len);
	}
	if (err) {
		if (!why[0])
			snprintf(why, why_len,
				 "out of memory: lower limits.flow_max, limits.message_max or the "
				 "number of queues");
		crew_free(c);
		return err;
	}
	make_view(c, setup->cfg);
	*out = c;
	return 0;
}

static void free_rings(struct ring **r, unsigned n)
{
	for (unsigned i = 0; r && i < n; i++)
		ring_free(r[i]);
	free(r);
}

void crew_free(struct crew *c)
{
	if (!c)
		return;
	for (unsigned i = 0; c->member && i < c->n; i++) {
		if (c->member[i].kind == MEMBER_RECEIVE)
			worker_free(c->member[i].worker);
		if (c->member[i].kind == MEMBER_VERIFY)
			verify_worker_free(c->member[i].verifier);
	}
	resolver_free(c->resolver);
	free_rings(c->to_verify, c->n_rx * c->n_verify);
	free_rings(c->home, c->n_rx * c->n_verify);
	free_rings(c->out, c->n_verify);
	free_rings(c->back, c->n_verify);
	output_free(c->output);
	events_free(c->events);
	publish_free(c->publish);
	free(c->gauge);
	free(c->view);
	free(c->stats);
	free(c->member);
	free(c);
}

static int member_start(struct member *m)
{
	static const char *const names[] = { "receive", "verify", "output" };
	char name[16];
	/* here, so that no snapshot goes before the thread's first turn; it leaves itself */
	publish_join(m->crew->publish, m->reader);
	int err = pthread_create(&m->thread, NULL, member_main, m);
	if (err) {
		publish_leave(m->crew->publish, m->reader);
		return -err;
	}
	m->started = true;
	snprintf(name, sizeof name, "%s-%u", names[m->kind], m->id % 1000);
	pthread_setname_np(m->thread, name);
	if (m->core >= 0) {
		cpu_set_t set;
		CPU_ZERO(&set);
		CPU_SET((unsigned)m->core, &set);
		pthread_setaffinity_np(m->thread, sizeof set, &set);
	}
	return 0;
}

int crew_start(struct crew *c)
{
	/* from the back: nobody gives to a thread that is not there yet */
	for (unsigned i = c->n; i-- > 0;) {
		int err = member_start(&c->member[i]);
		if (err) {
			crew_phase(c, CREW_QUIT);
			crew_join(c, 1000);
			return err;
		}
	}
	return 0;
}

void crew_phase(struct crew *c, enum crew_phase phase)
{
	atomic_store_explicit(&c->phase, (int)phase, memory_order_relaxed);
}

bool crew_ended(const struct crew *c)
{
	return atomic_load_explicit(&c->ended, memory_order_acquire) == c->n;
}

bool crew_join(struct crew *c, unsigned ms)
{
	struct timespec until;
	bool all = true;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	for (unsigned i = 0; i < c->n; i++) {
		struct member *m = &c->member[i];
		if (m->started && !m->joined)
			m->joined = pthread_timedjoin_np(m->thread, NULL, &until) == 0;
		all = all && (!m->started || m->joined);
	}
	return all;
}

uint64_t crew_unfinished(const struct crew *c)
{
	uint64_t n = 0;
	for (unsigned r = 0; r < c->n_rx; r++)
		n += worker_out(c->member[r].worker);
	return n;
}

struct publish *crew_publish(const struct crew *c)
{
	return c->publish;
}

struct output *crew_output(const struct crew *c)
{
	return c->output;
}

unsigned crew_receivers(const struct crew *c)
{
	return c->n_rx;
}

unsigned crew_verifiers(const struct crew *c)
{
	return c->n_verify;
}
