#include "control/scan.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/ring.h"
#include "control/emit.h"
#include "control/evidence.h"
#include "control/input.h"
#include "control/progress.h"
#include "control/scan_options.h"
#include "control/prepared.h"
#include "dataplane/worker.h"
#include "verify/worker.h"

enum {
	OUT_MAX = 4096, /* messages read and not yet printed */
	BURST = 64,
	IDLE_SPINS = 64,
	IDLE_NS = 50000,
	INTERRUPT_NS = 2000000000, /* what is in verification may go on so long after SIGINT */
	WHY_MAX = 512,
};
_Static_assert((int)SCAN_CORES_MAX <= (int)WORKER_VERIFY_MAX, "one ring for each");

/* Where messages come from: to a verify worker each is a receive worker with its own way home. */
enum origin { CAPTURES, FILES, ORIGIN_N };

struct verifier {
	struct verify_worker *w;
	struct stats *stats;
	struct ring *in[ORIGIN_N], *home[ORIGIN_N], *out, *back;
	const atomic_bool *quit;
	pthread_t thread;
	bool runs;
};

struct scan {
	struct scan_options opt;
	unsigned cores;
	struct answers *answers; /* --evidence; NULL: the DNS is asked */
	struct verdict_evidence *shown; /* by evidence_show */
	uint32_t shown_cap;
	struct resolver *resolver;
	struct verifier verifier[SCAN_CORES_MAX];
	atomic_bool quit;
	struct stats *stats; /* of receiving */
	struct stats *out_stats;
	struct worker *rx; /* NULL until there is a capture */
	struct files *files;
	struct message *pending; /* of a file, no ring had room */
	unsigned next_verifier;
	enum origin origin; /* of the messages that are out */
	uint64_t files_read; /* messages */
	uint64_t octets_in, octets_judged; /* of files; of captures */
	uint64_t judged; /* messages, in the numbers of taken() */
	struct emit *emit;
	struct progress progress;
	uint64_t done_octets; /* of inputs that are through */
	bool terminal; /* rows and the bar are on one screen */
	bool failed;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	interrupted = sig;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void complain(void *ctx, const char *line)
{
	struct scan *s = ctx;
	progress_clear(&s->progress);
	fprintf(stderr, "postern scan: %s\n", line);
}

/* An input or the system failed; the others go on. */
static void fail(struct scan *s, const char *line)
{
	s->failed = true;
	complain(s, line);
}

/* ---- making the row ---- */

static struct stats *stats_new(void)
{
	struct stats *st = aligned_alloc(64, sizeof *st);
	if (st)
		memset(st, 0, sizeof *st);
	return st;
}

static bool verifier_new(struct scan *s, unsigned i)
{
	struct verifier *v = &s->verifier[i];
	struct verify_worker_setup setup = { .id = (uint8_t)i,
					     .cfg = &s->opt.cfg,
					     .n_rx = ORIGIN_N };
	v->quit = &s->quit;
	v->stats = setup.stats = stats_new();
	/* an output ring takes all that one worker has, a home ring all there is */
	v->out = setup.out = ring_new(s->opt.cfg.in_flight + BURST);
	v->back = setup.back = ring_new(s->opt.cfg.in_flight + BURST);
	v->in[CAPTURES] = setup.in[CAPTURES] = ring_new(OUT_MAX);
	v->home[CAPTURES] = setup.home[CAPTURES] = ring_new(s->opt.cfg.message_max + BURST);
	v->in[FILES] = setup.in[FILES] = ring_new(OUT_MAX);
	v->home[FILES] = setup.home[FILES] = ring_new(OUT_MAX + BURST);
	if (!v->stats || !v->out || !v->back || !v->in[0] || !v->in[1] || !v->home[0] ||
	    !v->home[1])
		return false;
	setup.dns = resolver_link(s->resolver, i, v->stats);
	v->w = verify_worker_new(&setup);
	return v->w != NULL;
}

static void idle(unsigned *turns)
{
	if (++*turns < IDLE_SPINS)
		return;
	nanosleep(&(struct timespec){ .tv_nsec = IDLE_NS }, NULL);
}

static void *verifier_run(void *arg)
{
	struct verifier *v = arg;
	unsigned turns = 0;
	while (!atomic_load_explicit(v->quit, memory_order_relaxed)) {
		if (verify_worker_poll(v->w, clock_ns(CLOCK_MONOTONIC)))
			turns = 0;
		else
			idle(&turns);
	}
	return NULL;
}

static unsigned default_cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return n > SCAN_CORES_MAX ? SCAN_CORES_MAX : (unsigned)n;
}

static int start_verifiers(struct scan *s, char *why)
{
	const struct config *cfg = &s->opt.cfg;
	if (!cfg->dkim && !cfg->spf && !cfg->arc && !cfg->dmarc) /* nothing will be asked */
		snprintf(s->opt.cfg.dns, sizeof s->opt.cfg.dns, "none");
	s->opt.cfg.parked_max = 0; /* what comes out of a file can wait */
	s->cores = s->opt.cores ? s->opt.cores : default_cores();
	if (resolver_new(&s->resolver, &s->opt.cfg, s->cores, why, WHY_MAX) < 0)
		return -1;
	for (unsigned i = 0; i < s->cores; i++)
		if (!verifier_new(s, i)) {
			snprintf(why, WHY_MAX, "out of memory for %u verify workers; try --cores 1",
				 s->cores);
			return -1;
		}
	for (unsigned i = 0; s->cores > 1 && i < s->cores; i++) {
		struct verifier *v = &s->verifier[i];
		v->runs = pthread_create(&v->thread, NULL, verifier_run, v) == 0;
		if (!v->runs) {
			snprintf(why, WHY_MAX, "no thread to be had; try --cores 1");
			return -1;
		}
	}
	return 0;
}

static int start_output(struct scan *s, char *why)
{
	s->terminal = isatty(STDOUT_FILENO);
	struct emit_setup setup = { .cfg = &s->opt.cfg,
				    .terminal = s->terminal,
				    .extract = s->opt.extract,
				    .complain = complain,
				    .ctx = s };
	setup.format = s->opt.format ? s->opt.as : s->terminal ? EMIT_TABLE : EMIT_JSON;
	setup.window = s->opt.cfg.message_max > 2 * OUT_MAX ? s->opt.cfg.message_max : 2 * OUT_MAX;
	s->stats = stats_new();
	s->out_stats = setup.stats = stats_new();
	s->opt.bare.cfg = &s->opt.cfg;
	s->opt.bare.time_ns = s->opt.cfg.now_ns ? s->opt.cfg.now_ns : clock_ns(CLOCK_REALTIME);
	s->opt.bare.stop = &interrupted;
	s->files = files_new(&s->opt.bare);
	if (!s->stats || !s->out_stats || !s->files) {
		snprintf(why, WHY_MAX, "out of memory");
		return -1;
	}
	s->emit = emit_new(&setup, why, WHY_MAX);
	return s->emit ? 0 : -1;
}

/* ---- one turn ---- */

/* Messages that were read, in the numbers of message.order. */
static uint64_t taken(const struct scan *s)
{
	return s->origin == CAPTURES ? stats_get(s->stats, STAT_MESSAGE_QUEUED) : s->files_read;
}

/* Whether more may be read. With nothing out it always may, so a single large message cannot stop
 * it. */
static bool room(const struct scan *s)
{
	uint64_t unprinted = taken(s) - emit_order(s->emit), out = taken(s) - s->judged;
	uint64_t octets = stats_get(s->stats, STAT_MESSAGE_OCTETS) - s->octets_judged;
	uint32_t some = s->opt.cfg.message_max / 4; /* the others are for messages in the making */
	return !out || (unprinted < OUT_MAX && out < some && octets < s->opt.cfg.message_bytes / 4);
}

/* Lines of judged messages are made here and the messages go back; lines are printed when their
 * turn comes. */
static void print_judged(struct scan *s, struct verifier *v, void **m, unsigned n)
{
	if (s->terminal && n)
		progress_clear(&s->progress);
	for (unsigned k = 0; k < n; k++) {
		s->octets_judged += ((struct message *)m[k])->size;
		s->judged++;
		if (s->answers)
			evidence_show(s->answers, m[k], &s->shown, &s->shown_cap);
		emit_push(s->emit, m[k]);
	}
	emit_print(s->emit);
	unsigned pushed = ring_push(v->back, m, n);
	assert(pushed == n); /* it has room for all that this worker can have out */
	(void)pushed;
	if (s->terminal && s->progress.on && n)
		emit_flush(s->emit); /* before the bar is drawn again */
}

/* reading: more messages are about to come. */
static unsigned collect(struct scan *s, bool reading)
{
	void *m[BURST];
	unsigned did = 0;
	for (unsigned i = 0; i < s->cores; i++) {
		struct verifier *v = &s->verifier[i];
		if (s->cores == 1) {
			verify_worker_expect(v->w, reading);
			did += verify_worker_poll(v->w, clock_ns(CLOCK_MONOTONIC));
		}
		unsigned n = ring_pop(v->out, m, BURST);
		print_judged(s, v, m, n);
		did += n;
		n = ring_pop(v->home[FILES], m, BURST);
		for (unsigned k = 0; k < n; k++)
			files_release(m[k]);
		did += n;
	}
	return did;
}

/* Everything but reading. False: stop, nobody reads the output any more or SIGINT came. */
static bool turn(struct scan *s, bool busy, unsigned *idle_turns, uint64_t read)
{
	if (collect(s, busy) || busy) {
		*idle_turns = 0;
	} else {
		if (!emit_flush(s->emit))
			return false;
		idle(idle_turns);
	}
	if (s->progress.on)
		progress_tick(&s->progress, s->done_octets + read, clock_ns(CLOCK_MONOTONIC));
	return !interrupted;
}

/* Waits until all that was read is printed. */
static bool drain(struct scan *s)
{
	unsigned turns = 0;
	while (emit_order(s->emit) < taken(s))
		if (!turn(s, false, &turns, 0))
			return false;
	return emit_flush(s->emit);
}

/* The orders of captures and of files are counted apart. */
static bool switch_to(struct scan *s, enum origin origin)
{
	if (s->origin == origin)
		return true;
	if (!drain(s))
		return false;
	s->origin = origin;
	emit_restart(s->emit, taken(s));
	s->judged = taken(s);
	return true;
}

/* ---- inputs ---- */

static bool rx_start(struct scan *s, struct capture *capture)
{
	if (s->rx) {
		worker_capture(s->rx, capture);
		return true;
	}
	struct worker_setup setup = { .id = CAPTURES,
				      .cfg = &s->opt.cfg,
				      .stats = s->stats,
				      .capture = capture,
				      .n_verify = s->cores };
	for (unsigned i = 0; i < s->cores; i++) {
		setup.out[i] = s->verifier[i].in[CAPTURES];
		setup.home[i] = s->verifier[i].home[CAPTURES];
	}
	s->rx = worker_new(&setup);
	return s->rx != NULL;
}

/* False: stop. */
static bool scan_capture(struct scan *s, const struct input *in)
{
	struct capture *capture;
	char why[WHY_MAX], line[2 * WHY_MAX];
	if (!switch_to(s, CAPTURES))
		return false;
	if (capture_pcap_open(&capture, in->path, why, sizeof why) < 0) {
		snprintf(line, sizeof line, "%s: %s", in->name, why);
		fail(s, line);
		return true;
	}
	enum worker_state state = WORKER_MORE;
	bool go = rx_start(s, capture);
	if (!go)
		fail(s, "out of memory for the tables; lower limits.flow_max");
	unsigned turns = 0;
	while (go && state != WORKER_END && state != WORKER_BROKEN) {
		uint64_t done = 0, all;
		state = room(s) ? worker_poll(s->rx) : WORKER_IDLE;
		if (s->progress.on)
			capture_pcap_progress(capture, &done, &all);
		go = turn(s, state != WORKER_IDLE, &turns, done);
	}
	if (state == WORKER_BROKEN) {
		snprintf(line, sizeof line, "%s: %s; what came before was scanned", in->name,
			 capture_pcap_why(capture));
		fail(s, line);
	}
	capture->ops->free(capture);
	return go;
}

/* To the next verify worker whose ring has room. */
static bool file_send(struct scan *s)
{
	for (unsigned i = 0; s->pending && i < s->cores; i++) {
		struct ring *ring = s->verifier[s->next_verifier].in[FILES];
		s->next_verifier = (s->next_verifier + 1) % s->cores;
		if (ring_push(ring, (void *const *)&s->pending, 1))
			s->pending = NULL;
	}
	return !s->pending;
}

/* FILES_BAD is said and left behind. */
static enum files_state file_read(struct scan *s)
{
	char why[WHY_MAX];
	enum files_state state = files_next(s->files, &s->pending, why, sizeof why);
	if (state == FILES_BAD && !interrupted) /* that is said at the end */
		fail(s, why);
	if (state != FILES_MESSAGE)
		return state;
	if (s->answers && !s->opt.cfg.now_ns) { /* it is judged when its record was */
		struct answers_own own = answers_own(s->answers, s->pending);
		if (own.time_ns)
			s->pending->time_ns = own.time_ns;
	}
	s->pending->order = s->files_read++;
	s->pending->rx_worker = FILES;
	stats_add(s->stats, STAT_MESSAGE_FILE_N, 1);
	stats_add(s->stats, STAT_MESSAGE_OCTETS, s->pending->size);
	return state;
}

static bool scan_files(struct scan *s, const struct input *in)
{
	char line[WHY_MAX];
	if (!switch_to(s, FILES))
		return false;
	if (in->maildir) {
		int ret = files_open_maildir(s->files, in->name);
		if (ret < 0) {
			snprintf(line, sizeof line, "%s: %s", in->name, strerror(-ret));
			fail(s, line);
			return true;
		}
	} else {
		files_open(s->files, in->name, in->fd);
	}
	enum files_state state = FILES_MESSAGE;
	unsigned turns = 0;
	bool go = true;
	while (go && (state != FILES_END || s->pending)) {
		bool busy = false;
		for (int i = 0; i < BURST && file_send(s) && state != FILES_END && room(s); i++) {
			state = file_read(s);
			busy = true;
		}
		go = turn(s, busy, &turns, files_read(s->files));
	}
	return go;
}

static bool scan_input(struct scan *s, const char *name)
{
	struct input in;
	char why[WHY_MAX];
	if (input_open(&in, name, capture_pcap_magic, why, sizeof why) < 0) {
		fail(s, why);
		return true;
	}
	if (in.maildir || !capture_pcap_magic(bytes_of(in.head, in.head_len)))
		return scan_files(s, &in);
	if (in.fd >= 0)
		close(in.fd);
	bool go = scan_capture(s, &in);
	s->done_octets += in.size;
	return go;
}

/* ---- the end ---- */

/* False: messages are still out, so nothing may be freed. */
static bool finish(struct scan *s, bool went)
{
	uint64_t until = clock_ns(CLOCK_MONOTONIC) + INTERRUPT_NS;
	bool all = went && drain(s);
	unsigned turns = 0;
	/* after SIGINT: what is in verification may be done in time */
	while (!all && interrupted && emit_order(s->emit) < taken(s) &&
	       clock_ns(CLOCK_MONOTONIC) < until)
		turn(s, false, &turns, 0);
	progress_clear(&s->progress);
	if (interrupted)
		fail(s, "interrupted; what was read before is printed");
	emit_totals(s->emit);
	emit_flush(s->emit);
	return all;
}

/* Threads end, and with all messages back the resolver does; otherwise the end of the process takes
 * the rest. */
static void take_down(struct scan *s, bool all)
{
	atomic_store_explicit(&s->quit, true, memory_order_relaxed);
	for (unsigned i = 0; i < s->cores; i++)
		if (s->verifier[i].runs)
			pthread_join(s->verifier[i].thread, NULL);
	if (!all)
		return;
	for (unsigned i = 0; i < s->cores; i++)
		verify_worker_free(s->verifier[i].w);
	resolver_free(s->resolver);
	answers_free(s->answers);
	free(s->shown);
}

static int run(struct scan *s)
{
	struct sigaction act = { .sa_handler = on_interrupt, .sa_flags = SA_RESETHAND };
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	progress_init(&s->progress, input_sizes((char *const *)s->opt.input, s->opt.n_input),
		      isatty(STDERR_FILENO), clock_ns(CLOCK_MONOTONIC));
	bool go = true;
	for (unsigned i = 0; i < s->opt.n_input && go; i++)
		go = scan_input(s, s->opt.input[i]);
	bool all = finish(s, go);
	take_down(s, all);
	int status = s->failed || emit_failed(s->emit) ? 2 : emit_flagged(s->emit) ? 1 : 0;
	if (!all)
		_exit(status); /* without the exit handlers: the resolver's thread may be at work */
	return status;
}

/* 0, or -1 and why has one line. */
static int start_evidence(struct scan *s, char *why)
{
	if (!s->opt.evidence)
		return 0;
	if (evidence_load(&s->answers, s->opt.evidence, why, WHY_MAX) < 0)
		return -1;
	evidence_use(&s->opt.cfg, s->answers);
	return 0;
}

int scan_main(int argc, char **argv)
{
	static struct scan s;
	char why[WHY_MAX] = "out of memory";
	signal(SIGPIPE, SIG_IGN);
	if (scan_options_read(&s.opt, argc, argv, why, sizeof why) < 0) {
		complain(&s, why);
		return 2;
	}
	if (s.opt.help)
		return 0;
	if (prepared_load(&s.opt.cfg, why, sizeof why) < 0 || start_evidence(&s, why) < 0 ||
	    start_output(&s, why) < 0 || start_verifiers(&s, why) < 0) {
		complain(&s, why);
		return 2;
	}
	return run(&s);
}
