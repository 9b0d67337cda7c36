/*
 * bench_names - mail whose names were never seen before, with a name server that is slow: one verify
 * worker on one thread, fed at a rate.
 *
 * bench_names [--rate=N] [--seconds=N] [--delay=MS] [--dead=N]. Each message has a domain of its
 * own, an Ed25519 signature, a client, a HELO name and a sender, all of which are right; N in 100
 * are under one domain whose name server is silent. Prints of the others what was judged, lost, late
 * and wrong, the time from the in-ring to the verdict and the load of the worker's core; ends with 1
 * unless they were judged right and in time.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/slow_server.h"
#include "bench/trace.h"
#include "control/config.h"
#include "tests/sign.h"
#include "verify/worker.h"

#include "base/verdict.h"

enum { BATCH = 64, RING = 65536, WAIT_S = 30 };

static struct config cfg;
static struct stats stats;

struct mail {
	struct message m;
	uint64_t in_ns;
	char helo[64], sender[64];
	bool dead; /* nobody answers for its domain */
};

struct run {
	struct mail *mail;
	double *took_ms; /* of those judged */
	unsigned n, fed, judged, home, wrong, temperror, dead;
	uint64_t first_ns, last_ns; /* verdicts */
	struct ring *in, *home_ring, *out, *back;
	struct verify_worker *worker;
};

static void die(const char *what)
{
	fprintf(stderr, "bench_names: %s\n", what);
	exit(2);
}

static uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void mail_make(struct mail *mail, unsigned i, EVP_PKEY *key)
{
	const char *under = mail->dead ? "dead.silent" : "example";
	static const char body[] = "A short text, as most mail has.\r\nIt ends here.\r\n";
	char tags[160], header[256], *field, *text;
	snprintf(tags, sizeof tags,
		 "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=d%u.%s; s=s; h=from:to:subject", i,
		 under);
	snprintf(header, sizeof header,
		 "From: Somebody <a@d%u.%s>\r\nTo: b@example.net\r\nSubject: message %u\r\n"
		 "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%u@d%u.example>\r\n",
		 i, under, i, i, i);
	struct sign s = { .key = key,
			  .tags = tags,
			  .names = "from:to:subject",
			  .relaxed_header = true,
			  .relaxed_body = true,
			  .length = -1 };
	field = sign_message(&s, header, bytes_str(body));
	int n = asprintf(&text, "%s%s\r\n%s", field, header, body);
	struct message_chunk *c = malloc(sizeof *c + (size_t)n);
	if (n < 0 || !c)
		die("no memory");
	*c = (struct message_chunk){ NULL, (uint32_t)n, (uint32_t)n };
	memcpy(c->data, text, (size_t)n);
	snprintf(mail->helo, sizeof mail->helo, "mail.d%u.%s", i, under);
	snprintf(mail->sender, sizeof mail->sender, "bounce@d%u.%s", i, under);
	mail->m = (struct message){ .order = i,
				    .time_ns = 1795255200000000000,
				    .protocol = MESSAGE_SMTP,
				    .has_client = true,
				    .has_helo = true,
				    .has_mail_from = true,
				    .helo = bytes_str(mail->helo),
				    .mail_from = bytes_str(mail->sender),
				    .chunks = c,
				    .size = (uint64_t)n,
				    .intact = (uint64_t)n,
				    .complete = true,
				    .header_len = (uint32_t)(strlen(field) + strlen(header) + 2) };
	memset(mail->m.client.ip + 10, 0xff, 2);
	inet_pton(AF_INET, SLOW_SERVER_CLIENT, mail->m.client.ip + 12);
	mail->m.server = mail->m.client;
	free(field);
	free(text);
}

static void start(struct run *r, struct resolver_link *dns)
{
	struct verify_worker_setup setup = { .cfg = &cfg, .stats = &stats, .dns = dns, .n_rx = 1 };
	r->in = setup.in[0] = ring_new(RING);
	r->home_ring = setup.home[0] = ring_new(r->n + 1);
	r->out = setup.out = ring_new(RING);
	r->back = setup.back = ring_new(RING);
	if (!r->in || !r->home_ring || !r->out || !r->back)
		die("no memory");
	r->worker = verify_worker_new(&setup);
	if (!r->worker)
		die("no memory for the worker");
}

static void judge(struct run *r, const struct message *m, uint64_t now_ns)
{
	const struct verdict *v = m->verdict;
	if (r->mail[m->order].dead) {
		r->dead++;
		return;
	}
	bool dkim = v->n_dkim == 1 && v->dkim->result == AUTH_PASS;
	bool late = v->n_dkim == 1 && v->dkim->result == AUTH_TEMPERROR;
	bool spf = true, dmarc = true;
	if (cfg.spf) {
		spf = v->spf[SPF_MAILFROM].result == AUTH_PASS &&
		      v->spf[SPF_HELO].result == AUTH_PASS;
		late |= v->spf[SPF_MAILFROM].result == AUTH_TEMPERROR ||
			v->spf[SPF_HELO].result == AUTH_TEMPERROR;
	}
	if (cfg.dmarc) {
		dmarc = v->dmarc.result == AUTH_PASS;
		late |= v->dmarc.result == AUTH_TEMPERROR;
	}
	r->temperror += late;
	r->wrong += !dkim || !spf || !dmarc;
	r->first_ns = r->judged ? r->first_ns : now_ns;
	r->last_ns = now_ns;
	r->took_ms[r->judged++] = (double)(now_ns - r->mail[m->order].in_ns) / 1e6;
}

static unsigned turn(struct run *r, uint64_t start_ns, uint64_t gap_ns)
{
	uint64_t now_ns = clock_ns();
	void *obj[BATCH];
	while (r->fed < r->n && start_ns + r->fed * gap_ns <= now_ns) {
		struct mail *mail = &r->mail[r->fed];
		mail->in_ns = start_ns + r->fed * gap_ns; /* when it should have come */
		obj[0] = &mail->m;
		if (!ring_push(r->in, obj, 1))
			break;
		r->fed++;
	}
	unsigned did = verify_worker_poll(r->worker, now_ns);
	unsigned n = ring_pop(r->out, obj, BATCH);
	for (unsigned i = 0; i < n; i++)
		judge(r, obj[i], clock_ns());
	ring_push(r->back, obj, n);
	while (ring_pop(r->home_ring, obj, 1))
		r->home++;
	return did + n;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static bool report(struct run *r, double took_s, double cpu_s, unsigned rate)
{
	uint64_t asked = stats_get(&stats, STAT_DNS_ASKED),
		 late = stats_get(&stats, STAT_VERIFY_LATE),
		 full = stats_get(&stats, STAT_VERIFY_PARKED_FULL);
	qsort(r->took_ms, r->judged, sizeof *r->took_ms, by_size);
	printf("# fed %u at %u/s, judged %u, %.0f/s, lost %u, late %llu, no place to wait %llu, "
	       "temporary errors %u, wrong %u\n",
	       r->fed, rate, r->judged,
	       r->judged > 1 ? (r->judged - 1) * 1e9 / (double)(r->last_ns - r->first_ns) : 0.0,
	       r->n - r->home, (unsigned long long)late, (unsigned long long)full, r->temperror,
	       r->wrong);
	if (r->judged)
		printf("# ms to the verdict: p50 %.0f p99 %.0f worst %.0f; %.1f questions a "
		       "message; "
		       "verify core %.0f%% busy\n",
		       r->took_ms[r->judged / 2], r->took_ms[r->judged * 99 / 100],
		       r->took_ms[r->judged - 1], (double)asked / r->judged, cpu_s * 100 / took_s);
	if (r->dead)
		printf("# besides, %u whose name server is silent; %llu questions were left "
		       "alone\n",
		       r->dead, (unsigned long long)stats_get(&stats, STAT_DNS_LEFT_ALONE));
	return r->home == r->n && (!late || r->dead) && !full && !r->temperror && !r->wrong;
}

static unsigned number(const char *option, const char *name, unsigned *value)
{
	size_t n = strlen(name);
	if (strncmp(option, name, n) != 0)
		return 0;
	*value = (unsigned)strtoul(option + n, NULL, 10);
	return 1;
}

int main(int argc, char **argv)
{
	unsigned rate = 2000, seconds = 5, delay_ms = 100, dead = 0;
	char why[512], dns[32];
	uint16_t port;
	struct run r = { 0 };
	struct resolver *resolver;
	for (int i = 1; i < argc; i++)
		if (!number(argv[i], "--rate=", &rate) &&
		    !number(argv[i], "--seconds=", &seconds) &&
		    !number(argv[i], "--delay=", &delay_ms) && !number(argv[i], "--dead=", &dead))
			die("usage: bench_names [--rate=N] [--seconds=N] [--delay=MS] [--dead=N]");
	if (rate == 0 || seconds == 0)
		die("a rate and seconds are at least 1");
	config_default(&cfg);
	cfg.dkim = cfg.spf = cfg.dmarc = true;
	EVP_PKEY *key = sign_ed25519();
	pid_t server = slow_server_start(delay_ms, sign_record(key, ""), &port);
	r.n = rate * seconds;
	r.mail = calloc(r.n, sizeof *r.mail);
	r.took_ms = calloc(r.n, sizeof *r.took_ms);
	if (!r.mail || !r.took_ms)
		die("no memory");
	for (unsigned i = 0; i < r.n; i++) {
		r.mail[i].dead = i % 100 < dead;
		mail_make(&r.mail[i], i, key);
	}
	snprintf(dns, sizeof dns, "127.0.0.1@%u", port);
	strcpy(cfg.dns, dns);
	if (resolver_new(&resolver, &cfg, 1, why, sizeof why) < 0)
		die(why);
	start(&r, resolver_link(resolver, 0, &stats));
	double cpu = trace_cpu();
	uint64_t start_ns = clock_ns(),
		 end_ns = start_ns + (seconds + WAIT_S) * UINT64_C(1000000000);
	while (r.home < r.n && clock_ns() < end_ns)
		if (!turn(&r, start_ns, 1000000000 / rate))
			nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
	double took_s = (double)(clock_ns() - start_ns) / 1e9;
	bool good = report(&r, took_s, trace_cpu() - cpu, rate);
	if (r.home == r.n) { /* else some of it is still in use */
		verify_worker_free(r.worker);
		resolver_free(resolver);
	}
	slow_server_stop(server);
	return good ? 0 : 1;
}
