/*
 * bench_engine - packets in memory to records: the receive and verify workers that `run` turns, on
 * one thread.
 *
 * bench_engine [--SETTING=VALUE...] CAPTURE. One engine gets the capture again and again. Prints
 * messages and octets a CPU second, median of all passes but the first, in which memory is taken in
 * and keys are read; what the first took; and the SHA-256 of the records in the order messages
 * ended, which is that of `scan`.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/trace.h"
#include "control/config.h"
#include "control/events.h"
#include "control/settings.h"
#include "dataplane/worker.h"
#include "verify/worker.h"

enum { REPEATS = 5, RING = 65536, BATCH = 64, RECORDS_MAX = 1 << 20 };

static struct config cfg;
static struct stats rx_stats, verify_stats;

static void die(const char *what)
{
	fprintf(stderr, "bench_engine: %s\n", what);
	exit(2);
}

static void trace_read(struct trace *t, const char *path)
{
	char why[256];
	struct capture *c;
	struct packet pkt[CAPTURE_BURST];
	enum capture_state state;
	if (capture_pcap_open(&c, path, why, sizeof why) < 0)
		die(why);
	trace_init(t, (size_t)2 << 30, (size_t)32 << 20);
	do {
		unsigned n;
		state = c->ops->next(c, pkt, CAPTURE_BURST, &n);
		for (unsigned i = 0; i < n; i++)
			if (!trace_frame(t, pkt[i].data, pkt[i].len, pkt[i].time_ns))
				die("the capture is too large");
		c->ops->release(c, pkt, n);
	} while (state == CAPTURE_MORE);
	c->ops->free(c);
}

/* Records come in any order; those of the first pass are kept in that of message->order. */
struct records {
	struct bytes *line;
	size_t kept;
	struct events *events;
	size_t n, passed; /* of this pass: messages, and signatures that verify */
	uint64_t octets;
};

static void record_make(struct records *r, const struct message *m, bool first)
{
	struct bytes line = events_record(r->events, m);
	r->n++;
	r->octets += m->size;
	for (unsigned i = 0; i < m->verdict->n_dkim; i++)
		r->passed += m->verdict->dkim[i].result == AUTH_PASS;
	if (!first)
		return;
	uint8_t *copy = malloc(line.n);
	if (m->order >= RECORDS_MAX || !copy)
		die("no room for the records");
	memcpy(copy, line.p, line.n);
	r->line[m->order] = bytes_of(copy, line.n);
	if (m->order >= r->kept)
		r->kept = m->order + 1;
}

static void records_print(const struct records *r)
{
	unsigned char digest[32];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_DigestInit(ctx, EVP_sha256());
	for (size_t i = 0; i < r->kept; i++)
		EVP_DigestUpdate(ctx, r->line[i].p, r->line[i].n);
	EVP_DigestFinal(ctx, digest, NULL);
	EVP_MD_CTX_free(ctx);
	printf("# records ");
	for (int i = 0; i < 32; i++)
		printf("%02x", digest[i]);
	printf("\n");
}

struct engine {
	struct ring *in, *home, *out, *back;
	struct worker *rx;
	struct verify_worker *verify;
};

static void engine_new(struct engine *e, struct capture *capture, struct resolver_link *dns)
{
	struct worker_setup rx = {
		.cfg = &cfg, .stats = &rx_stats, .capture = capture, .n_verify = 1
	};
	struct verify_worker_setup verify = {
		.cfg = &cfg, .stats = &verify_stats, .dns = dns, .n_rx = 1
	};
	e->in = rx.out[0] = verify.in[0] = ring_new(256);
	e->home = rx.home[0] = verify.home[0] = ring_new(RING * 2);
	e->out = verify.out = ring_new(RING);
	e->back = verify.back = ring_new(RING * 2);
	e->rx = worker_new(&rx);
	e->verify = verify_worker_new(&verify);
	if (!e->in || !e->home || !e->out || !e->back || !e->rx || !e->verify)
		die("no memory");
}

static void engine_free(struct engine *e)
{
	verify_worker_free(e->verify);
	worker_free(e->rx);
	ring_free(e->in);
	ring_free(e->home);
	ring_free(e->out);
	ring_free(e->back);
}

/* The whole capture, until no message is on its way. */
static double engine_run(struct engine *e, struct records *r, bool first)
{
	double t = trace_cpu();
	enum worker_state state;
	r->n = r->passed = r->octets = 0;
	do {
		void *m[BATCH];
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		state = worker_poll(e->rx);
		verify_worker_expect(e->verify, state == WORKER_MORE);
		verify_worker_poll(e->verify,
				   (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
		unsigned n = ring_pop(e->out, m, BATCH);
		for (unsigned i = 0; i < n; i++)
			record_make(r, m[i], first);
		ring_push(e->back, m, n);
	} while (state == WORKER_MORE || worker_out(e->rx));
	return trace_cpu() - t;
}

/* "name=value" of a setting, as its option has it. */
static void set(const char *option)
{
	char why[512];
	size_t n = strcspn(option, "=");
	const struct schema_row *row = settings_find_option(bytes_of(option, n));
	if (!row || !option[n])
		die("an option is no --SETTING=VALUE");
	if (schema_set(row, &cfg, bytes_str(option + n + 1), false, why, sizeof why) < 0)
		die(why);
}

int main(int argc, char **argv)
{
	char why[512];
	struct trace trace;
	struct resolver *resolver;
	config_default(&cfg);
	const char *path = NULL;
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0)
			path = argv[i];
		else
			set(argv[i] + 2);
	}
	if (!path)
		die("usage: bench_engine [--SETTING=VALUE...] CAPTURE");
	if (!cfg.dkim && !cfg.spf && !cfg.arc && !cfg.dmarc)
		strcpy(cfg.dns, "none");
	trace_read(&trace, path);
	if (resolver_new(&resolver, &cfg, 1, why, sizeof why) < 0)
		die(why);
	struct resolver_link *dns = resolver_link(resolver, 0, &verify_stats);
	struct records records = { .line = calloc(RECORDS_MAX, sizeof *records.line),
				   .events = events_new(&cfg) };
	if (!records.line || !records.events)
		die("no memory");
	struct engine e;
	struct capture *capture = trace_capture(&trace, true);
	engine_new(&e, capture, dns);
	double cold = engine_run(&e, &records, true), took[REPEATS];
	uint64_t octets = records.octets;
	size_t passed = records.passed;
	for (int i = 0; i < REPEATS; i++) {
		/* when nobody remembers the connections any more, whose numbers come again */
		trace_again(capture, (uint64_t)(cfg.flow_idle_s + 1) * 1000000000);
		took[i] = engine_run(&e, &records, false);
		if (records.n != records.kept || records.octets != octets ||
		    records.passed != passed)
			die("the capture gave other messages when it came again");
	}
	double s = trace_median(took, REPEATS), n = (double)records.n, bits = (double)octets * 8;
	printf("# engine,%s%s: %zu messages, %zu signatures verify, %.0f msg/cpu-s, %.0f MB/cpu-s, "
	       "%.2f Gb/s of mail a "
	       "core; the first pass %.2f\n",
	       cfg.dkim ? " DKIM" : "", cfg.spf ? " SPF ARC DMARC" : "", records.n, passed, n / s,
	       bits / 8e6 / s, bits / 1e9 / s, bits / 1e9 / cold);
	records_print(&records);
	engine_free(&e);
	capture->ops->free(capture);
	resolver_free(resolver);
	return 0;
}
