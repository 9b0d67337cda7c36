#include "control/run.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "control/config.h"
#include "control/crew.h"
#include "control/options.h"
#include "control/socket.h"
#include "control/prepared.h"
#include "dataplane/live.h"

enum {
	RUN_POLL_MS = 100,
	RUN_JOIN_MS = 1000,
	RUN_SUFFIX_NS = 2000000000,
	RUN_ARGS_MAX = 128,
	RUN_WHY_MAX = 1024
};

struct run {
	struct config_source source; /* kept: a reload makes the settings from it again */
	char *eal[RUN_ARGS_MAX]; /* what stood behind --; borrowed from argv */
	int n_eal;
	struct live *live;
	struct crew *crew;
	struct socket_server *socket;
	struct command_context ctx;
	bool stopping;
	enum crew_phase phase;
	uint64_t stop_ns; /* when the stop was asked for */
	struct prepared_file suffix_file;
	bool suffix_changed; /* since it was read */
	uint64_t suffix_ns; /* when it is looked at again */
	int output_error; /* last one that was logged */
};

/* By the signal handler; a second SIGTERM does not wait any more. */
static volatile sig_atomic_t signal_stop, signal_reload;

static void on_signal(int number)
{
	if (number == SIGHUP)
		signal_reload = 1;
	else
		signal_stop = signal_stop < 2 ? signal_stop + 1 : 2;
}

static uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- commands ---- */

/* Every part that can refuse, then the swap, which takes what hangs on next. */
static int run_swap(struct run *r, struct config *next, char *note, size_t note_len)
{
	const struct config *now = publish_current(crew_publish(r->crew));
	char why[RUN_WHY_MAX];
	int err = 0;
	if (prepared_load(next, why, sizeof why) < 0)
		err = -1;
	if (!err && (err = live_config(r->live, next)))
		snprintf(why, sizeof why, "list of mail ports for steering: %s", strerror(-err));
	if (!err && (err = output_reopen(crew_output(r->crew))))
		snprintf(why, sizeof why, "output %s: %s", now->output, strerror(-err));
	if (!err && (err = publish_swap(crew_publish(r->crew), next)))
		snprintf(why, sizeof why, "out of memory");
	if (err) {
		snprintf(note, note_len, "%s", why);
		return -1;
	}
	r->ctx.cfg = publish_current(crew_publish(r->crew));
	prepared_changed(r->ctx.cfg, &r->suffix_file);
	return 0;
}

/* All or nothing: every part that can refuse comes before the swap, and is taken back when a later
 * one does. */
static int run_reload(void *arg, char *note, size_t note_len)
{
	struct run *r = arg;
	const struct config *now = publish_current(crew_publish(r->crew));
	struct config next;
	note[0] = 0;
	if (config_build(&next, &r->source, note, note_len))
		return -1;
	config_keep_restart(&next, now, note, note_len);
	if (run_swap(r, &next, note, note_len) == 0)
		return 0;
	crew_drop(&next);
	live_config(r->live, now);
	return -1;
}

/* The settings file first, then the reload; where that fails the file is as it was. */
static int run_edit(void *arg, enum kind kind, enum edit_what what, struct bytes text,
		    uint32_t count[2], char *note, size_t note_len)
{
	struct run *r = arg;
	struct edit edit = { .source = &r->source, .kind = kind, .what = what, .text = text };
	struct edit_result made;
	char why[RUN_WHY_MAX];
	if (edit_make(&edit, &made, note, note_len) < 0)
		return -1;
	count[0] = made.n_before;
	count[1] = made.n_after;
	int ret = edit_write(&edit, &made, note, note_len);
	if (ret == 0) {
		ret = run_reload(r, note, note_len);
		if (ret < 0 && edit_undo(&edit, &made, why, sizeof why) < 0)
			log_line(LOG_LEVEL_ERROR, "%s", why);
	}
	edit_free(&made);
	if (ret == 0)
		log_line(LOG_LEVEL_NOTICE, "%s: %s was changed on command", r->source.file,
			 kind_info[kind].section);
	return ret;
}

static void run_stop(void *arg)
{
	struct run *r = arg;
	if (!r->stopping)
		r->stop_ns = clock_ns();
	r->stopping = true;
}

/* ---- the control thread ---- */

static void reload_by_signal(struct run *r)
{
	char note[RUN_WHY_MAX];
	signal_reload = 0;
	if (run_reload(r, note, sizeof note))
		log_line(LOG_LEVEL_ERROR, "reload: nothing changed: %s", note);
	else if (note[0])
		log_line(LOG_LEVEL_WARNING, "reload: done, but these settings need a restart: %s",
			 note);
	else
		log_line(LOG_LEVEL_NOTICE, "reload: done");
}

/* A new public suffix list is taken without a restart; one that cannot be read changes nothing. */
static void watch_suffixes(struct run *r)
{
	char why[RUN_WHY_MAX];
	uint64_t now_ns = clock_ns();
	const struct config *now = r->ctx.cfg;
	if (now_ns < r->suffix_ns)
		return;
	r->suffix_ns = now_ns + RUN_SUFFIX_NS;
	bool changed = prepared_changed(now, &r->suffix_file), before = r->suffix_changed;
	r->suffix_changed = changed;
	if (changed || !before) /* it may still be written to */
		return;
	struct config next = *now;
	profiles_hold(next.profiles);
	bool taken = prepared_load(&next, why, sizeof why) == 0;
	if (taken && publish_swap(crew_publish(r->crew), &next) < 0) {
		snprintf(why, sizeof why, "out of memory");
		taken = false;
	}
	if (!taken) {
		crew_drop(&next);
		log_line(LOG_LEVEL_ERROR, "the list in force stays: %s", why);
		return;
	}
	r->ctx.cfg = publish_current(crew_publish(r->crew));
	log_line(LOG_LEVEL_NOTICE, "public suffix list: %s was read again", now->suffix_file);
}

static void watch_output(struct run *r)
{
	int error = output_error(crew_output(r->crew));
	if (error == r->output_error)
		return;
	r->output_error = error;
	if (error)
		log_line(LOG_LEVEL_ERROR,
			 "output %s: %s: records are lost until it can be written to",
			 r->ctx.cfg->output, strerror(error));
	else
		log_line(LOG_LEVEL_NOTICE, "output %s: records are written again",
			 r->ctx.cfg->output);
}

/* Which phase of the end is due: half of the time for ports and DNS, half for what is left. */
static enum crew_phase stop_phase(const struct run *r)
{
	uint64_t stop_ms = r->ctx.cfg->stop_ms, gone_ms = (clock_ns() - r->stop_ns) / 1000000;
	if (signal_stop > 1 || gone_ms >= stop_ms)
		return CREW_QUIT;
	return gone_ms >= stop_ms / 2 ? CREW_HURRY : CREW_DRAIN;
}

static void control_loop(struct run *r)
{
	while (!crew_ended(r->crew) && r->phase != CREW_QUIT) {
		socket_poll(r->socket, r->stopping ? 5 : RUN_POLL_MS);
		if (signal_stop)
			run_stop(r);
		if (signal_reload && !r->stopping)
			reload_by_signal(r);
		if (r->stopping) {
			r->phase = stop_phase(r);
			crew_phase(r->crew, r->phase);
		}
		watch_suffixes(r);
		publish_clean(crew_publish(r->crew));
		watch_output(r);
	}
}

/* ---- start and end ---- */

static void signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	act.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &act, NULL);
}

/* Signals go to the control thread: others inherit a mask without them. */
static void signals_mask(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(how, &set, NULL);
}

/* One name for each control socket, so that runs side by side do not meet. */
static void dpdk_prefix(const struct config *cfg, char *out, size_t len)
{
	struct config plain;
	uint32_t hash = 0x811c9dc5;
	config_default(&plain);
	for (const char *p = cfg->socket; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 0x01000193;
	if (strcmp(cfg->socket, plain.socket) == 0)
		snprintf(out, len, "postern");
	else
		snprintf(out, len, "postern-%08x", hash);
}

static void tell_start(const struct run *r, const struct config *cfg)
{
	char ports[512];
	const char *warning;
	for (unsigned i = 0; (warning = live_warning(r->live, i)); i++)
		log_line(LOG_LEVEL_WARNING, "%s", warning);
	live_describe(r->live, ports, sizeof ports);
	unsigned rx = crew_receivers(r->crew), verify = crew_verifiers(r->crew);
	log_line(LOG_LEVEL_NOTICE,
		 "reading %s; %u receive worker%s, %u verify worker%s; records to %s; control "
		 "socket %s",
		 ports, rx, rx == 1 ? "" : "s", verify, verify == 1 ? "" : "s",
		 strcmp(cfg->output, "-") ? cfg->output : "standard output", cfg->socket);
}

/* 0, or -1 and why has one line. */
static int run_start(struct run *r, const struct config *cfg, char *why, size_t why_len)
{
	char prefix[64];
	dpdk_prefix(cfg, prefix, sizeof prefix);
	if (live_open(&r->live, cfg, r->eal, r->n_eal, prefix, why, why_len))
		return -1;
	struct crew_setup setup = { .cfg = cfg, .live = r->live };
	if (crew_new(&r->crew, &setup, why, why_len))
		return -1;
	r->ctx = (struct command_context){ .cfg = publish_current(crew_publish(r->crew)),
					   .run = r,
					   .reload = run_reload,
					   .stop = run_stop,
					   .edit = run_edit };
	crew_view(r->crew, &r->ctx.stats);
	struct socket_setup control = { .path = cfg->socket, .ctx = &r->ctx };
	r->socket = socket_new(&control, why, why_len);
	if (!r->socket)
		return -1;
	live_telemetry(crew_sum, r->crew);
	int err = crew_start(r->crew);
	if (err) {
		snprintf(why, why_len, "threads: %s", strerror(-err));
		return -1;
	}
	prepared_changed(cfg, &r->suffix_file);
	tell_start(r, cfg);
	return 0;
}

/* False: a thread hangs, such as the output on a pipe that nobody reads; it keeps what it uses. */
static bool run_end(struct run *r)
{
	bool all = !r->crew || crew_join(r->crew, RUN_JOIN_MS);
	socket_free(r->socket);
	if (!all) {
		log_line(LOG_LEVEL_ERROR, "a thread does not end: is the output blocked?");
	} else if (r->crew) {
		uint64_t left = crew_unfinished(r->crew);
		if (left)
			log_line(LOG_LEVEL_WARNING,
				 "stopped with %llu messages unfinished: stop_time was too short",
				 (unsigned long long)left);
	}
	/* telemetry may still ask: EAL ends before the counters go */
	live_close(all ? r->live : NULL);
	if (all)
		crew_free(r->crew);
	return all;
}

static const struct options_own run_options[] = {
	{ "config", "FILE", "settings; default " CONFIG_RUN_FILE " where it exists" },
	{ "help", NULL, "this text" },
};
enum { RUN_CONFIG, RUN_HELP };

static void help(const struct options *o, FILE *out)
{
	fputs("usage: postern run [--config FILE] [--SETTING VALUE]... [-- EAL ARGUMENTS]\n"
	      "\n"
	      "Reads mail sessions from live ports and writes one JSON line a message.\n"
	      "\n"
	      "  postern run --interface eth1 --output /var/log/postern/mail.json\n"
	      "      eth1 through AF_XDP: only frames of the mail ports leave the kernel's way\n"
	      "  postern run -- -a 0000:03:00.0\n"
	      "      a network card that was given to DPDK (dpdk-devbind.py)\n"
	      "  postern run -- --vdev net_af_packet0,iface=eth1\n"
	      "      any DPDK device; net_pcap0,rx_pcap=FILE tries it without a network\n"
	      "\n"
	      "With hugepages (sysctl vm.nr_hugepages=512) it is faster, without them it works.\n"
	      "A receive worker with nothing to do sleeps --idle-sleep-us; 0 makes it poll "
	      "without\n"
	      "end. An interface named by --vdev net_af_xdp0,iface=X is steered as well, unless\n"
	      "xdp_prog= names a program or --steer=false. SIGHUP and `postern ctl reload` read\n"
	      "the settings again and open the output anew; SIGTERM and `postern ctl stop` finish\n"
	      "what is in flight, then end. The counters: `postern ctl stats`, and /postern/stats\n"
	      "on DPDK's telemetry socket.\n"
	      "\n",
	      out);
	options_help(o, out);
}

/* -1: go on, else the exit status. */
static int arguments(struct run *r, int argc, char **argv, FILE *out, FILE *err)
{
	char why[RUN_WHY_MAX];
	struct options o = { .use = SCHEMA_RUN,
			     .own = run_options,
			     .n_own = sizeof run_options / sizeof run_options[0],
			     .source = &r->source,
			     .argc = argc,
			     .argv = argv,
			     .at = 1 };
	r->source.file = CONFIG_RUN_FILE;
	r->source.file_optional = true;
	for (;;) {
		int got = options_next(&o, why, sizeof why);
		if (got == OPTIONS_END)
			return -1;
		if (got == RUN_HELP) {
			help(&o, out);
			return 0;
		}
		if (got == RUN_CONFIG) {
			r->source.file = o.value;
			r->source.file_optional = false;
		} else if (got == OPTIONS_ARGUMENT && o.rest && r->n_eal < RUN_ARGS_MAX) {
			r->eal[r->n_eal++] = (char *)o.value;
		} else {
			if (got == OPTIONS_ARGUMENT)
				snprintf(why, sizeof why,
					 "\"%s\" is no option; EAL arguments stand behind --",
					 o.value);
			fprintf(err, "postern run: %s (postern run --help)\n", why);
			return 2;
		}
	}
}

int run_main(int argc, char **argv, FILE *out, FILE *err)
{
	static struct run r; /* large, and there is one run in a process */
	struct config cfg;
	char why[RUN_WHY_MAX];
	int status = arguments(&r, argc, argv, out, err);
	if (status >= 0)
		return status;
	if (config_build(&cfg, &r.source, why, sizeof why)) {
		fprintf(err, "postern run: %s\n", why);
		return 2;
	}
	signals();
	signals_mask(SIG_BLOCK);
	int failed = run_start(&r, &cfg, why, sizeof why);
	signals_mask(SIG_UNBLOCK);
	if (failed) {
		fprintf(err, "postern run: %s\n", why);
	} else {
		control_loop(&r);
		log_line(LOG_LEVEL_NOTICE, "stopped");
	}
	if (!run_end(&r))
		_exit(failed ? 2 : 0);
	config_fini(&cfg);
	return failed ? 2 : 0;
}
