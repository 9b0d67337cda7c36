#include "verify/dns/flights.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unbound.h>

#include "verify/dns/crowd.h"
#include "verify/dns/failures.h"
#include "verify/dns/upstream.h"

/*
 * Asks for the same thing wait on one flight, which is one question in libunbound; who joins a
 * flight shares its deadline. A flight without an answer after an eighth of its time counts as
 * failed already. When a domain has failed too often (failures.h) its flights of that age end at
 * once, so that a name server that is silent holds messages for that time once, and then one
 * message for each probe. Meanwhile it has no more of them than crowd.h lets a domain have: asks
 * over that wait in its list.
 */

enum {
	FLIGHTS_BUCKETS = 8192,
	FLIGHTS_DOMAIN_ASKS = 2048, /* that may wait for one domain */
};

struct flight {
	struct flight *next; /* in its bucket, or spare */
	struct flight *older, *newer; /* by deadline */
	uint64_t deadline_ms;
	int id; /* libunbound's */
	bool probe; /* of a domain that is left alone */
	unsigned counted; /* of those who wait: as failed */
	struct flights *all;
	struct crowd_domain *domain;
	struct ask *waiting; /* the first made the flight: its question is the flight's */
};

struct shared { /* an answer with its references */
	struct answer a; /* first: an answer's address is its shared's */
	unsigned refs;
	struct answer_rr rr[];
};

struct flights {
	struct ub_ctx *ub;
	uint64_t timeout_ms, late_ms;
	struct flight *flight, *spare;
	struct flight *bucket[FLIGHTS_BUCKETS];
	struct flight *oldest, *newest;
	struct flight *fresh; /* the oldest that is not late yet */
	struct suffixes *suffixes;
	struct crowd *crowd;
	struct crowd_domain *ready; /* those with room again for who waits */
	struct failures *failures;
	bool sweep; /* something is left alone that was not */
	struct ask *done;
};

/* never counted */
static const struct shared timeout = { .a.status = ANSWER_TIMEOUT };
static const struct shared servfail = { .a.status = ANSWER_SERVFAIL };
static const struct shared left_alone = { .a.status = ANSWER_SERVFAIL };

bool flights_static(const struct answer *a)
{
	return a == &timeout.a || a == &servfail.a || a == &left_alone.a;
}

bool flights_left_alone(const struct answer *a)
{
	return a == &left_alone.a;
}

void flights_release(const struct answer *a)
{
	struct shared *s = (struct shared *)a;
	if (!flights_static(a) && --s->refs == 0)
		free(s);
}

static uint64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The name as libunbound reads it: anything unusual as \DDD. */
static void name_escape(char out[4 * QUESTION_NAME_MAX + 2], const struct question *q)
{
	for (size_t i = 0; i < q->len; i++) {
		uint8_t c = (uint8_t)q->name[i];
		if (c == '.' || c == '-' || c == '_' || (c >= '0' && c <= '9') ||
		    (bytes_lower(c) >= 'a' && bytes_lower(c) <= 'z'))
			*out++ = (char)c;
		else
			out += sprintf(out, "\\%03u", c);
	}
	*out++ = '.';
	*out = 0;
}

static struct flight **bucket_of(struct flights *all, const struct question *q)
{
	uint64_t h = 0xcbf29ce484222325 ^ q->type;
	for (size_t i = 0; i < q->len; i++)
		h = (h ^ (uint8_t)q->name[i]) * 0x100000001b3;
	return &all->bucket[(h ^ h >> 32) % FLIGHTS_BUCKETS];
}

static bool question_equal(const struct question *a, const struct question *b)
{
	return a->type == b->type && a->len == b->len && memcmp(a->name, b->name, a->len) == 0;
}

static void ask_end(struct flights *all, struct ask *a, const struct answer *answer)
{
	a->answer = answer;
	if (!flights_static(answer))
		((struct shared *)answer)->refs++;
	a->next = all->done;
	all->done = a;
}

/* A flight of the domain ends: who waits for room goes in the next turn. */
static void make_ready(struct flights *all, struct crowd_domain *d)
{
	if (d->ready || !d->first)
		return;
	d->ready = true;
	d->next_ready = all->ready;
	all->ready = d;
}

/* Gives the answer to everyone who waits, one reference each, and ends the flight. */
static void flight_end(struct flight *f, const struct answer *answer)
{
	struct flights *all = f->all;
	struct flight **at = bucket_of(all, &f->waiting->q);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	*(f->older ? &f->older->newer : &all->oldest) = f->newer;
	*(f->newer ? &f->newer->older : &all->newest) = f->older;
	if (all->fresh == f)
		all->fresh = f->newer;
	unsigned n = 0;
	for (struct ask *a = f->waiting, *next; a; a = next, n++) {
		next = a->next;
		ask_end(all, a, answer);
	}
	make_ready(all, f->domain);
	crowd_end(all->crowd, f->domain, 1, n);
	f->next = all->spare;
	all->spare = f;
}

/* Octets the data takes once it is joined; SIZE_MAX for TXT whose strings do not add up. */
static size_t data_size(uint16_t type, const uint8_t *p, size_t n)
{
	if (type != QUESTION_TXT)
		return n;
	size_t joined = 0;
	for (size_t i = 0; i < n; i += (size_t)p[i] + 1) {
		if (p[i] > n - i - 1)
			return SIZE_MAX;
		joined += p[i];
	}
	return joined;
}

static void data_copy(uint8_t *out, uint16_t type, const uint8_t *p, size_t n)
{
	if (type != QUESTION_TXT) {
		memcpy(out, p, n);
		return;
	}
	for (size_t i = 0; i < n; i += (size_t)p[i] + 1) {
		memcpy(out, p + i + 1, p[i]);
		out += p[i];
	}
}

/* What libunbound found, as an answer without references; a static one for what failed. */
static const struct answer *answer_make(uint16_t type, const struct ub_result *res)
{
	/* libunbound hands over a message of at most 64 KiB: what does not fit is cut off, and TC
	 * set */
	const uint8_t *packet = res->answer_packet;
	bool cut = packet && res->answer_len > 2 && (packet[2] & 0x02);
	if (cut || res->bogus || (!res->havedata && res->rcode != 0 && !res->nxdomain) ||
	    upstream_referral(res))
		return &servfail.a;
	size_t n = 0, octets = 0;
	for (; res->havedata && res->data[n]; n++) {
		size_t size = data_size(type, (const uint8_t *)res->data[n], (size_t)res->len[n]);
		if (size > ANSWER_OCTETS_MAX - octets || n == UINT16_MAX)
			return &servfail.a;
		octets += size;
	}
	struct shared *s = malloc(sizeof *s + n * sizeof s->rr[0] + octets);
	if (!s)
		return &servfail.a;
	*s = (struct shared){ .a = { .status = n               ? ANSWER_DATA
					       : res->nxdomain ? ANSWER_NXDOMAIN
							       : ANSWER_NODATA,
				     .secure = res->secure,
				     .ttl_s = res->ttl > 0 ? (uint32_t)res->ttl : 0,
				     .n = (uint16_t)n,
				     .rr = s->rr } };
	uint8_t *out = (uint8_t *)&s->rr[n];
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = (const uint8_t *)res->data[i];
		s->rr[i].data = bytes_of(out, data_size(type, p, (size_t)res->len[i]));
		data_copy(out, type, p, (size_t)res->len[i]);
		out += s->rr[i].data.n;
	}
	return &s->a;
}

/* For each who waits and was not counted before. */
static void flight_failed(struct flight *f, uint64_t now_ms)
{
	unsigned n = 0;
	for (const struct ask *a = f->waiting; a; a = a->next)
		n++;
	if (n > f->counted)
		f->all->sweep |=
			failures_failed(f->all->failures, &f->waiting->q, n - f->counted, now_ms);
	f->counted = n;
}

/* libunbound's callback, inside ub_process. */
static void on_result(void *arg, int err, struct ub_result *res)
{
	struct flight *f = arg;
	const struct question *q = &f->waiting->q;
	const struct answer *a = &servfail.a;
	/* without a result it is libunbound that failed, not a name server */
	if (err == 0 && res) {
		a = answer_make(q->type, res);
		if (!res->bogus && (res->rcode == 0 || res->nxdomain))
			failures_answered(f->all->failures, q);
		else
			flight_failed(f, clock_ms());
	}
	flight_end(f, a);
	ub_resolve_free(res);
}

static struct flight *flight_of(struct flights *all, const struct question *q)
{
	struct flight *f = *bucket_of(all, q);
	while (f && !question_equal(&f->waiting->q, q))
		f = f->next;
	return f;
}

static void flight_join(struct flight *f, struct ask *ask)
{
	ask->next = f->waiting->next;
	f->waiting->next = ask;
}

/* all->spare is not empty. */
static void flight_begin(struct flights *all, struct ask *ask, struct crowd_domain *domain,
			 bool probe, uint64_t now_ms)
{
	struct flight *f = all->spare, **bucket = bucket_of(all, &ask->q);
	all->spare = f->next;
	ask->next = NULL;
	*f = (struct flight){ .next = *bucket,
			      .older = all->newest,
			      .deadline_ms = now_ms + all->timeout_ms,
			      .probe = probe,
			      .all = all,
			      .domain = domain,
			      .waiting = ask };
	*bucket = f;
	*(all->newest ? &all->newest->newer : &all->oldest) = f;
	all->newest = f;
	if (!all->fresh)
		all->fresh = f;
	char name[4 * QUESTION_NAME_MAX + 2];
	name_escape(name, &ask->q);
	if (ub_resolve_async(all->ub, name, ask->q.type, 1, f, on_result, &f->id) != 0)
		flight_end(f, &servfail.a);
}

/* Joins a flight, starts one, or waits until its domain has room; all->spare is not empty. */
void flights_take(struct flights *all, struct ask *ask, uint64_t now_ms)
{
	enum failures_advice advice = failures_before(all->failures, &ask->q, now_ms);
	struct flight *f = flight_of(all, &ask->q);
	enum crowd_place place = CROWD_REFUSED;
	struct crowd_domain *d;
	if (advice == FAILURES_LEAVE) {
		ask_end(all, ask, &left_alone.a);
		return;
	}
	if (f && crowd_join(all->crowd, f->domain)) {
		flight_join(f, ask);
		return;
	}
	if (!f) {
		d = crowd_of(all->crowd, failures_domain(all->failures, &ask->q));
		place = crowd_ask(all->crowd, d);
	}
	switch (place) {
	case CROWD_GO:
		flight_begin(all, ask, d, advice == FAILURES_PROBE, now_ms);
		break;
	case CROWD_WAIT:
		ask->next = NULL;
		if (d->last)
			((struct ask *)d->last)->next = ask;
		else
			d->first = ask;
		d->last = ask;
		break;
	case CROWD_REFUSED:
		ask_end(all, ask, &left_alone.a);
		break;
	}
}

/* Those who waited for room in their domain. False: there is no flight for the next. */
static bool serve_domain(struct flights *all, struct crowd_domain *d, uint64_t now_ms)
{
	for (struct ask *ask; (ask = d->first) != NULL;) {
		struct flight *f = flight_of(all, &ask->q);
		if (!f && d->flights == CROWD_FLIGHTS)
			return true;
		if (!f && !all->spare)
			return false;
		enum failures_advice advice = failures_before(all->failures, &ask->q, now_ms);
		d->first = ask->next;
		if (!d->first)
			d->last = NULL;
		if (advice == FAILURES_LEAVE) {
			ask_end(all, ask, &left_alone.a);
			crowd_end(all->crowd, d, 0, 1);
		} else if (f) {
			flight_join(f, ask);
		} else {
			crowd_go(d);
			flight_begin(all, ask, d, advice == FAILURES_PROBE, now_ms);
		}
	}
	return true;
}

static void serve_ready(struct flights *all, uint64_t now_ms)
{
	struct crowd_domain *d = all->ready, *next;
	all->ready = NULL;
	for (; d; d = next) {
		next = d->next_ready;
		if (serve_domain(all, d, now_ms)) {
			d->ready = false;
			crowd_end(all->crowd, d, 0, 0); /* it was kept while it was ready */
		} else {
			d->next_ready = all->ready;
			all->ready = d;
		}
	}
}

static void flight_cancel(struct flight *f, const struct answer *answer)
{
	ub_cancel(f->all->ub, f->id); /* its callback is not called any more */
	flight_end(f, answer);
}

/* Counts flights that became late; ends those of domains that are left alone. */
static unsigned count_late(struct flights *all, uint64_t now_ms)
{
	unsigned n = 0;
	for (struct flight *f; (f = all->fresh) != NULL;) {
		if (f->deadline_ms - all->timeout_ms + all->late_ms > now_ms)
			break;
		all->fresh = f->newer;
		if (f->probe)
			continue;
		flight_failed(f, now_ms);
		if (failures_left_alone(all->failures, &f->waiting->q, now_ms)) {
			flight_cancel(f, &left_alone.a);
			n++;
		}
	}
	return n;
}

static unsigned end_late(struct flights *all, uint64_t now_ms)
{
	unsigned n = count_late(all, now_ms);
	for (; all->oldest && all->oldest->deadline_ms <= now_ms; n++) {
		flight_failed(all->oldest, now_ms);
		flight_cancel(all->oldest, &timeout.a);
	}
	/* a domain more is left alone: what is late of it ends too */
	for (struct flight *f = all->sweep ? all->oldest : NULL, *next; f && f != all->fresh;
	     f = next) {
		next = f->newer;
		if (f->probe || !failures_left_alone(all->failures, &f->waiting->q, now_ms))
			continue;
		flight_cancel(f, &left_alone.a);
		n++;
	}
	all->sweep = false;
	return n;
}

bool flights_room(const struct flights *all)
{
	return all->spare != NULL;
}

unsigned flights_turn(struct flights *all, uint64_t now_ms)
{
	unsigned did = 0;
	if (ub_poll(all->ub) && ub_process(all->ub) == 0)
		did++;
	did += end_late(all, now_ms);
	serve_ready(all, now_ms);
	return did;
}

struct ask *flights_done(struct flights *all)
{
	struct ask *a = all->done;
	if (a)
		all->done = a->next;
	return a;
}

int flights_fd(const struct flights *all)
{
	return ub_fd(all->ub);
}

void flights_free(struct flights *all)
{
	if (!all)
		return;
	if (all->ub)
		ub_ctx_delete(all->ub);
	for (struct ask *a; (a = flights_done(all)) != NULL;)
		flights_release(a->answer);
	crowd_free(all->crowd);
	failures_free(all->failures);
	suffixes_free(all->suffixes);
	free(all->flight);
	free(all);
}

/* Without a list, or with one that others refuse, domains are told apart by their labels. */
static int start(struct flights *all, const struct config *cfg)
{
	char why[256];
	struct failures_setup setup = { .limit = cfg->dns_failures,
					.leave_ms = cfg->dns_failure_ms,
					.probe_ms = cfg->dns_query_timeout_ms };
	if (cfg->suffix_file[0] &&
	    suffixes_load(&all->suffixes, cfg->suffix_file, why, sizeof why) == 0)
		setup.suffixes = all->suffixes;
	if (getrandom(&setup.seed, sizeof setup.seed, 0) != sizeof setup.seed)
		return -EIO;
	all->timeout_ms = cfg->dns_query_timeout_ms;
	all->late_ms = all->timeout_ms / 8;
	all->failures = failures_new(&setup);
	/* where all messages may wait for ever, so may those of one domain */
	all->crowd = crowd_new(FLIGHTS_MAX, cfg->parked_max ? FLIGHTS_DOMAIN_ASKS : UINT32_MAX);
	all->flight = calloc(FLIGHTS_MAX, sizeof *all->flight);
	if (!all->failures || !all->crowd || !all->flight)
		return -ENOMEM;
	for (unsigned i = 0; i < FLIGHTS_MAX; i++) {
		all->flight[i].next = all->spare;
		all->spare = &all->flight[i];
	}
	return 0;
}

int flights_new(struct flights **out, const struct config *cfg, char *why, size_t why_len)
{
	struct flights *all = calloc(1, sizeof *all);
	int rc = all ? start(all, cfg) : -ENOMEM;
	if (rc < 0)
		snprintf(why, why_len, "dns: %s; give more memory", strerror(-rc));
	else
		rc = upstream_new(&all->ub, cfg, why, why_len);
	if (rc < 0) {
		flights_free(all);
		return rc;
	}
	*out = all;
	return 0;
}
