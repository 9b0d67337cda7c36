/*
 * bench_dkim - whole DKIM verification of messages in memory: the verify worker that run turns, fed
 * through its rings, against libopendkim; and how long a verdict takes with few messages in flight.
 *
 * RSA-2048, relaxed/relaxed, keys cached by the worker and given by callback to libopendkim; every
 * verdict must be the one the maker of the message foresaw, from each competitor. One thread.
 * bench_dkim KB: the worker alone over messages of that size for 3 seconds. bench_dkim KB FOLDER: the
 * messages as a capture, their keys as a zone, and the records of what the worker judged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/verdict.h"
#include "bench/dkim_mail.h"
#ifdef HAVE_OPENDKIM
#include "bench/dkim_peer.h"
#endif
#include "bench/dkim_plain.h"
#include "bench/dkim_records.h"
#include "bench/kernels.h"
#include "control/config.h"
#include "verify/worker.h"

enum { RING = 4096, BATCH = 64 };

struct set {
	struct dkim_mail *mail;
	unsigned n, flight; /* messages in the worker at once */
	double *took; /* CPU seconds from entry to verdict, of the last run */
	struct dkim_records *records; /* NULL: none wanted */
};

static struct config cfg;
static struct stats stats;
static struct verify_worker *worker;
static struct ring *in, *home, *out, *back;

static uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void start(void)
{
	char path[] = "/tmp/bench_dkim.XXXXXX", why[512];
	struct resolver *resolver;
	int fd = mkstemp(path);
	kernels_must(fd >= 0, "no file for the zone");
	close(fd);
	config_default(&cfg);
	cfg.spf = cfg.arc = cfg.dmarc = cfg.names = cfg.digest = false;
	snprintf(cfg.dns, sizeof cfg.dns, "zone:%s", path);
	snprintf(cfg.authserv_id, sizeof cfg.authserv_id, "bench");
	dkim_mail_zone(path);
	kernels_must(resolver_new(&resolver, &cfg, 1, why, sizeof why) == 0, why);
	unlink(path);
	struct verify_worker_setup setup = {
		.cfg = &cfg, .stats = &stats, .dns = resolver_link(resolver, 0, &stats), .n_rx = 1
	};
	in = setup.in[0] = ring_new(RING);
	home = setup.home[0] = ring_new(RING);
	out = setup.out = ring_new(RING);
	back = setup.back = ring_new(RING);
	kernels_must(in && home && out && back, "no memory");
	worker = verify_worker_new(&setup);
	kernels_must(worker != NULL, "no memory");
	dkim_plain_start(&cfg);
}

static void judge(struct set *s, const struct message *m)
{
	struct dkim_mail *mail = &s->mail[m->order];
	mail->judged = true;
	mail->passed = m->verdict->n_dkim == 1 && m->verdict->dkim->result == AUTH_PASS;
	if (s->took)
		s->took[m->order] += kernels_clock();
	if (s->records)
		dkim_records_add(s->records, m);
}

/* All messages, `flight` at a time: the next group comes when the last is home. */
static void by_worker(void *arg)
{
	struct set *s = arg;
	for (unsigned i = 0; i < s->n; i += s->flight) {
		unsigned n = s->n - i < s->flight ? s->n - i : s->flight, came = 0;
		for (unsigned k = 0; k < n; k++) {
			void *obj = &s->mail[i + k].m;
			if (s->took)
				s->took[i + k] = -kernels_clock();
			kernels_must(ring_push(in, &obj, 1) == 1, "ring");
		}
		while (came < n) {
			void *obj[BATCH];
			verify_worker_poll(worker, clock_ns());
			unsigned found = ring_pop(out, obj, BATCH);
			for (unsigned k = 0; k < found; k++)
				judge(s, obj[k]);
			ring_push(back, obj, found);
			came += ring_pop(home, obj, BATCH);
		}
	}
}

static void by_plain(void *arg)
{
	struct set *s = arg;
	for (unsigned i = 0; i < s->n; i++)
		dkim_plain_verify(&s->mail[i]);
}

static void check(struct set *s, void (*run)(void *), const char *who)
{
	for (unsigned i = 0; i < s->n; i++)
		s->mail[i].judged = false;
	run(s);
	for (unsigned i = 0; i < s->n; i++)
		kernels_must(s->mail[i].judged && s->mail[i].passed == s->mail[i].good, who);
}

static void set_free(struct set *s)
{
	for (unsigned i = 0; i < s->n; i++)
		free(s->mail[i].m.chunks);
	free(s->mail);
}

#ifdef HAVE_OPENDKIM
static void by_peer(void *arg)
{
	struct set *s = arg;
	for (unsigned i = 0; i < s->n; i++)
		dkim_peer_verify(&s->mail[i]);
}

static void against_peer(unsigned n, size_t size, double bar)
{
	struct set s = { .mail = dkim_mail_make(n, size), .n = n, .flight = n };
	struct kernels_racer race[2] = { { .name = "worker", .run = by_worker, .arg = &s },
					 { .name = "libopendkim", .run = by_peer, .arg = &s } };
	char what[80], extra[80];
	check(&s, by_worker, "a verdict of the worker");
	check(&s, by_peer, "a verdict of libopendkim");
	kernels_race(race, 2);
	snprintf(what, sizeof what, "DKIM, %zu KB, RSA-2048, against libopendkim", size / 1024);
	snprintf(extra, sizeof extra, "%.1f us, %.1f us,", race[0].seconds * 1e6 / n,
		 race[1].seconds * 1e6 / n);
	kernels_figure(what, kernels_ratio(&race[1], &race[0]), bar, extra);
	set_free(&s);
}
#endif

/*
 * So many messages given to the worker at once: how long until a verdict is there, in the mean, and
 * what CPU a message takes in all, against one message after the other with OpenSSL. The clock is
 * that of the thread's CPU, so others at work on the machine do not count.
 */
static void latency(unsigned flight, size_t size)
{
	enum { MESSAGES = 64 };
	struct set s = { .mail = dkim_mail_make(MESSAGES, size), .n = MESSAGES, .flight = flight };
	struct kernels_racer race[2] = { { .name = "worker", .run = by_worker, .arg = &s },
					 { .name = "plain", .run = by_plain, .arg = &s } };
	char what[80], extra[120];
	double took[MESSAGES], sum = 0;
	check(&s, by_worker, "a verdict of the worker");
	check(&s, by_plain, "a verdict of the plain way");
	s.took = took;
	by_worker(&s);
	s.took = NULL;
	for (unsigned i = 0; i < MESSAGES; i++)
		sum += took[i];
	kernels_race(race, 2);
	double ratio = kernels_ratio(&race[0], &race[1]);
	double ours = race[0].seconds * 1e6 / MESSAGES, plain = race[1].seconds * 1e6 / MESSAGES;
	if (flight == 1) {
		snprintf(what, sizeof what, "DKIM, %zu KB, one message alone, most", size / 1024);
		snprintf(extra, sizeof extra, "verdict after %.1f us, by OpenSSL after %.1f us,",
			 ours, plain);
		kernels_figure_most(what, ratio, 1.2, extra);
	} else {
		printf("# DKIM, %zu KB, %u in flight: verdict after %.1f us, CPU %.1f us a "
		       "message; "
		       "by OpenSSL one by one %.1f us: %.2f times\n",
		       size / 1024, flight, sum * 1e6 / MESSAGES, ours, plain, ratio);
	}
	set_free(&s);
}

/* For a profiler: the worker alone. */
static int worker_alone(size_t kb)
{
	struct set s = { .n = 128, .flight = 128 };
	s.mail = dkim_mail_make(s.n, kb * 1024);
	for (double end = kernels_clock() + 3; kernels_clock() < end;)
		by_worker(&s);
	set_free(&s);
	return 0;
}

static int write_records(size_t kb, const char *folder)
{
	struct set s = { .n = 128, .flight = 128 };
	s.mail = dkim_mail_make(s.n, kb * 1024);
	s.records = dkim_records_new(folder, &cfg, s.mail, s.n);
	check(&s, by_worker, "a verdict of the worker");
	dkim_records_free(s.records);
	set_free(&s);
	return 0;
}

int main(int argc, char **argv)
{
	start();
	if (argc > 2)
		return write_records((size_t)atoi(argv[1]), argv[2]);
	if (argc > 1)
		return worker_alone((size_t)atoi(argv[1]));
#ifdef HAVE_OPENDKIM
	against_peer(512, 2 * 1024, 32);
	against_peer(128, 20 * 1024, 20);
	against_peer(64, 200 * 1024, 12);
#else
	printf("# libopendkim was not here when this was built\n");
#endif
	static const size_t size[] = { 2 * 1024, 20 * 1024, 200 * 1024 };
	for (unsigned i = 0; i < 3; i++) {
		latency(1, size[i]);
		latency(8, size[i]);
		latency(64, size[i]);
	}
	return 0;
}
