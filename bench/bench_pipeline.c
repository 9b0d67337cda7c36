/*
 * bench_pipeline - the receive worker alone: packets in memory to assembled messages, one thread.
 *
 * Figures: Gb/s of mail in 1460-octet segments, Mpps of 64-octet frames, the cost of a packet with
 * 1,000,000 open flows against 1,000, octets resident for each idle flow. No digest, no
 * verification.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/trace.h"
#include "control/config.h"
#include "dataplane/worker.h"

enum { REPEATS = 7, TALKS = 200, MAIL_KINDS = 24 };

static uint64_t random_state = 20261121;

static uint64_t rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

struct text {
	uint8_t *p;
	size_t n;
};

/* A mail as it goes over the wire: header, prose or base64 lines, some dots to unstuff, the final
 * dot. */
static struct text mail_make(size_t size, bool base64)
{
	static const char header[] = "From: a <a@sender.example>\r\nTo: <b@receiver.example>\r\n"
				     "Subject: bench\r\nMessage-ID: <1@sender.example>\r\n\r\n";
	struct text m = { malloc(size + 4096), 0 };
	if (!m.p)
		exit(1);
	memcpy(m.p, header, sizeof header - 1);
	m.n = sizeof header - 1;
	while (m.n < size) {
		size_t width = base64 ? 76 : 30 + rnd() % 45;
		if (!base64 && rnd() % 40 == 0) {
			m.p[m.n++] = '.';
			m.p[m.n++] = '.';
		}
		for (size_t i = 0; i < width; i++)
			m.p[m.n++] = base64 ? (uint8_t) "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
							"qrstuvwxyz"
							"0123456789+/"[rnd() % 64]
				     : rnd() % 6 ? (uint8_t)('a' + rnd() % 26)
						 : ' ';
		m.p[m.n++] = '\r';
		m.p[m.n++] = '\n';
	}
	memcpy(m.p + m.n, ".\r\n", 3);
	m.n += 3;
	return m;
}

/* One SMTP connection being played into a trace: its steps in turn. */
struct talk {
	struct trace_end end[2];
	struct {
		uint8_t from;
		struct text text;
	} step[12];
	unsigned n, i;
	size_t off;
};

static struct text str(const char *s)
{
	return (struct text){ (uint8_t *)(uintptr_t)s, strlen(s) };
}

static void talk_say(struct talk *t, uint8_t from, struct text text)
{
	t->step[t->n].from = from;
	t->step[t->n++].text = text;
}

static void talk_open(struct talk *t, struct trace *trace, uint32_t number, struct text mail)
{
	memset(t, 0, sizeof *t);
	t->end[0] = (struct trace_end){ 0x0a000000u + number / 50000,
					(uint16_t)(10000 + number % 50000), (uint32_t)rnd() };
	t->end[1] = (struct trace_end){ 0xc6336419u, 25, (uint32_t)rnd() };
	trace_segment(trace, &t->end[0], &t->end[1], TCP_SYN, NULL, 0);
	trace_segment(trace, &t->end[1], &t->end[0], TCP_SYN | TCP_ACK, NULL, 0);
	trace_segment(trace, &t->end[0], &t->end[1], TCP_ACK, NULL, 0);
	talk_say(t, 1, str("220 mx.receiver.example ESMTP\r\n"));
	talk_say(t, 0, str("EHLO mx.sender.example\r\n"));
	talk_say(t, 1, str("250-mx.receiver.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"));
	if (!mail.n)
		return;
	talk_say(t, 0,
		 str("MAIL FROM:<a@sender.example>\r\nRCPT TO:<b@receiver.example>\r\nDATA\r\n"));
	talk_say(t, 1, str("250 ok\r\n250 ok\r\n354 go\r\n"));
	talk_say(t, 0, mail);
	talk_say(t, 1, str("250 queued\r\n"));
	talk_say(t, 0, str("QUIT\r\n"));
	talk_say(t, 1, str("221 bye\r\n"));
}

/* Up to `burst` segments of the step under way; false when the talk is over and closed. */
static bool talk_go(struct talk *t, struct trace *trace, size_t mss, unsigned burst)
{
	if (t->i == t->n) {
		trace_segment(trace, &t->end[0], &t->end[1], TCP_FIN | TCP_ACK, NULL, 0);
		trace_segment(trace, &t->end[1], &t->end[0], TCP_FIN | TCP_ACK, NULL, 0);
		trace_segment(trace, &t->end[0], &t->end[1], TCP_ACK, NULL, 0);
		return false;
	}
	uint8_t from = t->step[t->i].from;
	struct text x = t->step[t->i].text;
	for (unsigned k = 0; k < burst && t->off < x.n; k++) {
		size_t n = x.n - t->off < mss ? x.n - t->off : mss;
		trace_segment(trace, &t->end[from], &t->end[!from], TCP_ACK, x.p + t->off, n);
		t->off += n;
		if (k % 2)
			trace_segment(trace, &t->end[!from], &t->end[from], TCP_ACK, NULL, 0);
	}
	if (t->off == x.n) {
		t->i++;
		t->off = 0;
	}
	return true;
}

/* Interleaved connections with one mail each until about `octets` are in the trace; returns octets
 * of mail. */
static uint64_t mail_trace(struct trace *trace, size_t octets, size_t mss, struct text *mail)
{
	static struct talk talk[TALKS];
	uint32_t number = 0, open = 0;
	uint64_t mail_octets = 0;
	bool more = true;
	while (more || open) {
		while (more && open < TALKS) {
			struct text m = mail[rnd() % MAIL_KINDS];
			talk_open(&talk[open++], trace, number++, m);
			mail_octets += m.n - 3;
		}
		unsigned i = (unsigned)(rnd() % open);
		if (!talk_go(&talk[i], trace, mss, 2 + rnd() % 9))
			talk[i] = talk[--open];
		more = trace->used < octets;
	}
	return mail_octets;
}

static struct config cfg;
static struct stats stats;

static struct worker *worker_on(struct capture *capture)
{
	struct worker_setup setup = { .cfg = &cfg, .stats = &stats, .capture = capture };
	struct worker *w = worker_new(&setup);
	if (!w) {
		fprintf(stderr, "bench_pipeline: no memory for a worker\n");
		exit(1);
	}
	return w;
}

static void drain(struct worker *w)
{
	enum worker_state s;
	do
		s = worker_poll(w);
	while (s == WORKER_MORE || s == WORKER_IDLE);
}

static void figure(const char *what, double value, const char *unit, double ratio, double bar)
{
	printf("%-58s %8.2f %-9s RATIO %.2f bar %.2f %s\n", what, value, unit, ratio, bar,
	       ratio >= bar ? "ok" : "short");
	fflush(stdout);
}

static void mail_figure(const char *what, size_t mss, size_t octets, bool packets, double bar)
{
	struct trace trace;
	struct text mail[MAIL_KINDS];
	double took[REPEATS];
	for (int i = 0; i < MAIL_KINDS; i++)
		mail[i] = mail_make(i % 8 == 7   ? 400000
				    : i % 4 == 3 ? 100000
						 : 4000 + rnd() % 30000,
				    i % 4 == 3);
	trace_init(&trace, octets * (packets ? 3 : 1) + (256 << 20), octets / (mss / 2) + 2000000);
	uint64_t mail_octets = mail_trace(&trace, octets, mss, mail);
	uint64_t messages = 0;
	struct capture *c = trace_capture(&trace, false);
	struct worker *w = worker_on(c);
	for (int r = -1; r < REPEATS;
	     r++) { /* the first touches the worker's memory and does not count */
		memset(&stats, 0, sizeof stats);
		trace_rewind(c);
		worker_capture(w, c);
		double t = trace_cpu();
		drain(w);
		if (r >= 0)
			took[r] = trace_cpu() - t;
		messages = stats_get(&stats, STAT_MESSAGE_SMTP_N);
		if (stats_get(&stats, STAT_MESSAGE_INCOMPLETE) || !messages ||
		    stats_get(&stats, STAT_MESSAGE_OCTETS) > mail_octets) {
			fprintf(stderr,
				"bench_pipeline: messages were lost: %lu whole, %lu incomplete\n",
				(unsigned long)messages,
				(unsigned long)stats_get(&stats, STAT_MESSAGE_INCOMPLETE));
			exit(1);
		}
	}
	worker_free(w);
	c->ops->free(c);
	double s = trace_median(took, REPEATS);
	printf("# %zu frames, %lu messages, %.0f MB of mail, %.3f s, %.1f ns a frame\n", trace.n,
	       (unsigned long)messages, (double)mail_octets / 1e6, s, s * 1e9 / (double)trace.n);
	if (packets)
		figure(what, (double)trace.n / s / 1e6, "Mpps", (double)trace.n / s / 1e6, bar);
	else
		figure(what, (double)mail_octets * 8 / s / 1e9, "Gb/s",
		       (double)mail_octets * 8 / s / 1e9, bar);
	trace_fini(&trace);
	for (int i = 0; i < MAIL_KINDS; i++)
		free(mail[i].p);
}

static size_t resident(void)
{
	unsigned long size, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%lu %lu", &size, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* ns a packet over n open flows, one NOOP or its reply in a random flow each time. */
static double flows_cost(uint32_t n, size_t packets, double *octets_per_flow)
{
	struct trace trace, open;
	struct trace_end *end = calloc((size_t)n * 2, sizeof *end);
	bool *asked = calloc(n, sizeof *asked);
	double took[REPEATS];
	memset(&stats, 0, sizeof stats);
	trace_init(&open, (size_t)64 << 20, 100000);
	struct capture *c = trace_capture(&open, true);
	size_t before = resident();
	struct worker *w = worker_on(c);
	for (uint32_t i = 0; i < n;) { /* by the thousand, so that the trace stays small */
		open.n = open.used = 0;
		for (uint32_t k = 0; k < 1000 && i < n; k++, i++) {
			struct talk t;
			talk_open(&t, &open, i, (struct text){ NULL, 0 });
			while (t.i < t.n)
				talk_go(&t, &open, 1460, 8);
			memcpy(end + (size_t)i * 2, t.end, sizeof t.end);
		}
		trace_rewind(c);
		while (worker_poll(w) != WORKER_IDLE)
			;
	}
	if (worker_flows(w) != n) {
		fprintf(stderr, "bench_pipeline: %u flows of %u are open\n", worker_flows(w), n);
		exit(1);
	}
	*octets_per_flow = ((double)resident() - (double)before) / n;
	trace_init(&trace, packets * 64 + 4096, packets);
	struct capture *m = trace_capture(&trace, true);
	worker_capture(w, m);
	for (int r = 0; r < REPEATS; r++) {
		trace.n = trace.used = 0;
		while (trace.n < packets) {
			uint32_t f = (uint32_t)(rnd() % n);
			struct trace_end *e = end + (size_t)f * 2;
			bool reply = asked[f];
			asked[f] = !reply;
			trace_segment(&trace, &e[reply], &e[!reply], TCP_ACK,
				      reply ? "250 \r\n" : "NOOP\r\n", 6);
		}
		trace_rewind(m);
		double t = trace_cpu();
		while (worker_poll(w) != WORKER_IDLE)
			;
		took[r] = (trace_cpu() - t) * 1e9 / (double)trace.n;
	}
	if (stats_get(&stats, STAT_FRAME_WINDOW) || stats_get(&stats, STAT_STREAM_HOLE)) {
		fprintf(stderr, "bench_pipeline: segments were not taken in order\n");
		exit(1);
	}
	worker_free(w);
	m->ops->free(m);
	c->ops->free(c);
	trace_fini(&trace);
	trace_fini(&open);
	free(end);
	free(asked);
	return trace_median(took, REPEATS);
}

int main(void)
{
	config_default(&cfg);
	printf("# one thread, CPU time, median of %d; mail in segments through the receive "
	       "worker\n",
	       REPEATS);
	mail_figure("pipeline: mail in 1460-octet segments (Gb/s, bar 30)", 1460, (size_t)768 << 20,
		    false, 30);
	mail_figure("pipeline: 64-octet frames (Mpps, bar 5)", 6, (size_t)192 << 20, true, 5);
	double octets_few, octets_many;
	double few = flows_cost(1000, 500000, &octets_few);
	double many = flows_cost(1000000, 500000, &octets_many);
	printf("# %.1f ns a packet with 1,000 flows, %.1f ns with 1,000,000\n", few, many);
	/* bars are upper here, so the ratio is turned over */
	figure("pipeline: 1,000 flows / 1,000,000 flows, cost of a packet", many / few, "times",
	       few / many, 0.5);
	figure("pipeline: octets resident for an idle flow (600 / octets)", octets_many, "octets",
	       600 / octets_many, 1);
	return 0;
}
