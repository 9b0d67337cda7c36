#include "verify/resolver.h"

#include "base/ring.h"
#include "verify/answers.h"
#include "verify/crowd.h"
#include "verify/failures.h"
#include "verify/upstream.h"
#include "verify/zone.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unbound.h>

/*
 * An ask is one question of one link. The same object goes down to the thread and comes up with its
 * answer, so a link's asks bound its rings and neither is ever full. In the thread asks for the
 * same thing wait on one flight, which is one question in libunbound; who joins a flight shares its
 * deadline. Answers are counted references of the thread: a link gives its reference back through
 * `freed`, which takes all it may hold.
 *
 * A flight without an answer after an eighth of its time counts as failed already. When a domain has
 * failed too often (failures.h) its flights of that age end at once, so that a name server that is
 * silent holds messages for that time once, and then one message for each probe. Meanwhile it
 * has no more of them than crowd.h lets a domain have.
 *
 * The thread does not wait on the rings, since a worker may not make the system call that would
 * wake it: it looks at them RESOLVER_NAP_NS apart, RESOLVER_DOZE_NS when nothing happened for
 * RESOLVER_QUIET_MS.
 */

enum {
	RESOLVER_ASKS_MAX = 4096, /* unanswered questions of one link */
	RESOLVER_HELD_MAX = 65536, /* answers of one link not released */
	RESOLVER_FLIGHTS_MAX = 4096, /* questions in libunbound */
	RESOLVER_BUCKETS = 8192,
	RESOLVER_BURST = 64,
	RESOLVER_NAP_NS = 200 * 1000,
	RESOLVER_DOZE_NS = 1000 * 1000,
	RESOLVER_QUIET_MS = 50,
};

struct ask {
	struct ask *next; /* spare ones of the link, or waiting for the same flight */
	struct resolver_link *link;
	uint64_t tag;
	const struct answer *answer;
	struct question q;
};

struct flight {
	struct flight *next; /* in its bucket, or spare */
	struct flight *older, *newer; /* by deadline */
	uint64_t deadline_ms;
	int id; /* libunbound's */
	bool probe; /* of a domain that is left alone */
	unsigned counted; /* of those who wait: as failed */
	struct resolver *r;
	struct crowd_domain *crowd;
	struct ask *waiting; /* the first made the flight: its question is the flight's */
};

struct shared { /* an answer with its references; the thread's own */
	struct answer a; /* first: an answer's address is its shared's */
	unsigned refs;
	struct answer_rr rr[];
};

struct resolver_link {
	struct resolver *r;
	struct stats *stats;
	struct ring *down, *up, *freed;
	struct ask *asks, *spare;
	unsigned open; /* asked and not yet released */
	struct answers_own own; /* of the message that asks, where answers are kept ones */
};

struct resolver {
	const struct answers *answers;
	struct zone *zone;
	struct ub_ctx *ub; /* NULL: zone or none, and there is no thread */
	pthread_t thread;
	_Atomic bool stop;
	uint64_t timeout_ms, late_ms;
	struct flight *flights, *spare;
	struct flight *bucket[RESOLVER_BUCKETS];
	struct flight *oldest, *newest;
	struct flight *fresh; /* the oldest that is not late yet */
	struct suffixes *suffixes;
	struct crowd *crowd;
	struct failures *failures;
	bool sweep; /* something is left alone that was not */
	unsigned n_link;
	struct resolver_link link[];
};

static const struct answer answer_timeout = { .status = ANSWER_TIMEOUT };
static const struct answer answer_servfail = { .status = ANSWER_SERVFAIL };
static const struct answer answer_left_alone = { .status = ANSWER_SERVFAIL };
static const struct answer answer_nxdomain = { .status = ANSWER_NXDOMAIN, .ttl_s = 3600 };

static bool is_static(const struct answer *a)
{
	return a == &answer_timeout || a == &answer_servfail || a == &answer_left_alone ||
	       a == &answer_nxdomain;
}

static uint64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Labels of 1 to 63 octets, 255 in all on the wire. The root is a name too. */
static bool name_possible(const struct question *q)
{
	if (q->len > 253)
		return false;
	size_t label = 0;
	for (size_t i = 0; i <= q->len && q->len; i++) {
		if (i < q->len && q->name[i] != '.') {
			if (++label > 63)
				return false;
		} else {
			if (label == 0)
				return false;
			label = 0;
		}
	}
	return true;
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

static struct flight **bucket_of(struct resolver *r, const struct question *q)
{
	uint64_t h = 0xcbf29ce484222325 ^ q->type;
	for (size_t i = 0; i < q->len; i++)
		h = (h ^ (uint8_t)q->name[i]) * 0x100000001b3;
	return &r->bucket[(h ^ h >> 32) % RESOLVER_BUCKETS];
}

static bool question_equal(const struct question *a, const struct question *b)
{
	return a->type == b->type && a->len == b->len && memcmp(a->name, b->name, a->len) == 0;
}

static void ask_end(struct ask *a, const struct answer *answer)
{
	a->answer = answer;
	if (!is_static(answer))
		((struct shared *)answer)->refs++;
	void *obj = a;
	unsigned pushed = ring_push(a->link->up, &obj, 1);
	assert(pushed == 1); /* as many slots as asks */
}

/* Gives the answer to everyone who waits, one reference each, and ends the flight. */
static void flight_end(struct flight *f, const struct answer *answer)
{
	struct resolver *r = f->r;
	struct flight **at = bucket_of(r, &f->waiting->q);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	*(f->older ? &f->older->newer : &r->oldest) = f->newer;
	*(f->newer ? &f->newer->older : &r->newest) = f->older;
	if (r->fresh == f)
		r->fresh = f->newer;
	unsigned n = 0;
	for (struct ask *a = f->waiting, *next; a; a = next, n++) {
		next = a->next;
		ask_end(a, answer);
	}
	crowd_end(r->crowd, f->crowd, n);
	f->next = r->spare;
	r->spare = f;
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
		return &answer_servfail;
	size_t n = 0, octets = 0;
	for (; res->havedata && res->data[n]; n++) {
		size_t size = data_size(type, (const uint8_t *)res->data[n], (size_t)res->len[n]);
		if (size > ANSWER_OCTETS_MAX - octets || n == UINT16_MAX)
			return &answer_servfail;
		octets += size;
	}
	struct shared *s = malloc(sizeof *s + n * sizeof s->rr[0] + octets);
	if (!s)
		return &answer_servfail;
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
		f->r->sweep |=
			failures_failed(f->r->failures, &f->waiting->q, n - f->counted, now_ms);
	f->counted = n;
}

/* libunbound's callback, inside ub_process. */
static void on_result(void *arg, int err, struct ub_result *res)
{
	struct flight *f = arg;
	const struct question *q = &f->waiting->q;
	const struct answer *a = &answer_servfail;
	/* without a result it is libunbound that failed, not a name server */
	if (err == 0 && res) {
		a = answer_make(q->type, res);
		if (!res->bogus && (res->rcode == 0 || res->nxdomain))
			failures_answered(f->r->failures, q);
		else
			flight_failed(f, clock_ms());
	}
	flight_end(f, a);
	ub_resolve_free(res);
}

/* Joins a flight or starts one; r->spare is not empty. */
static void take_ask(struct resolver *r, struct ask *ask, uint64_t now_ms)
{
	enum failures_advice advice = failures_before(r->failures, &ask->q, now_ms);
	if (advice == FAILURES_LEAVE) {
		ask_end(ask, &answer_left_alone);
		return;
	}
	struct flight **bucket = bucket_of(r, &ask->q);
	for (struct flight *f = *bucket; f; f = f->next) {
		if (question_equal(&f->waiting->q, &ask->q)) {
			if (!crowd_join(f->crowd)) {
				ask_end(ask, &answer_left_alone);
				return;
			}
			ask->next = f->waiting->next;
			f->waiting->next = ask;
			return;
		}
	}
	struct crowd_domain *crowd = crowd_begin(r->crowd, failures_domain(r->failures, &ask->q));
	if (!crowd) {
		ask_end(ask, &answer_left_alone);
		return;
	}
	struct flight *f = r->spare;
	r->spare = f->next;
	ask->next = NULL;
	*f = (struct flight){ .next = *bucket,
			      .older = r->newest,
			      .deadline_ms = now_ms + r->timeout_ms,
			      .probe = advice == FAILURES_PROBE,
			      .r = r,
			      .crowd = crowd,
			      .waiting = ask };
	*bucket = f;
	*(r->newest ? &r->newest->newer : &r->oldest) = f;
	r->newest = f;
	if (!r->fresh)
		r->fresh = f;
	char name[4 * QUESTION_NAME_MAX + 2];
	name_escape(name, &ask->q);
	if (ub_resolve_async(r->ub, name, ask->q.type, 1, f, on_result, &f->id) != 0)
		flight_end(f, &answer_servfail);
}

static void answer_unref(const struct answer *a)
{
	struct shared *s = (struct shared *)a;
	if (!is_static(a) && --s->refs == 0)
		free(s);
}

/* Takes what the links gave. Returns how much it did. */
static unsigned serve_links(struct resolver *r, uint64_t now_ms)
{
	unsigned did = 0;
	for (unsigned i = 0; i < r->n_link; i++) {
		struct resolver_link *l = &r->link[i];
		void *obj;
		/* all of them, and before new asks: see the size of the ring */
		for (; ring_pop(l->freed, &obj, 1); did++)
			answer_unref(obj);
		/* what finds no flight stays in the ring */
		for (unsigned n = 0; n < RESOLVER_BURST && r->spare; n++, did++) {
			if (!ring_pop(l->down, &obj, 1))
				break;
			take_ask(r, obj, now_ms);
		}
	}
	return did;
}

static void flight_cancel(struct flight *f, const struct answer *answer)
{
	ub_cancel(f->r->ub, f->id); /* its callback is not called any more */
	flight_end(f, answer);
}

/* Counts flights that became late; ends those of domains that are left alone. */
static unsigned count_late(struct resolver *r, uint64_t now_ms)
{
	unsigned n = 0;
	for (struct flight *f; (f = r->fresh) != NULL;) {
		if (f->deadline_ms - r->timeout_ms + r->late_ms > now_ms)
			break;
		r->fresh = f->newer;
		if (f->probe)
			continue;
		flight_failed(f, now_ms);
		if (failures_left_alone(r->failures, &f->waiting->q, now_ms)) {
			flight_cancel(f, &answer_left_alone);
			n++;
		}
	}
	return n;
}

static unsigned end_late(struct resolver *r, uint64_t now_ms)
{
	unsigned n = count_late(r, now_ms);
	for (; r->oldest && r->oldest->deadline_ms <= now_ms; n++) {
		flight_failed(r->oldest, now_ms);
		flight_cancel(r->oldest, &answer_timeout);
	}
	/* a domain more is left alone: what is late of it ends too */
	for (struct flight *f = r->sweep ? r->oldest : NULL, *next; f && f != r->fresh; f = next) {
		next = f->newer;
		if (f->probe || !failures_left_alone(r->failures, &f->waiting->q, now_ms))
			continue;
		flight_cancel(f, &answer_left_alone);
		n++;
	}
	r->sweep = false;
	return n;
}

static void *resolver_run(void *arg)
{
	struct resolver *r = arg;
	struct pollfd fd = { .fd = ub_fd(r->ub), .events = POLLIN };
	uint64_t active_ms = 0;
	/* pairs with resolver_free() */
	while (!atomic_load_explicit(&r->stop, memory_order_acquire)) {
		uint64_t now_ms = clock_ms();
		unsigned did = serve_links(r, now_ms);
		if (ub_poll(r->ub) && ub_process(r->ub) == 0)
			did++;
		did += end_late(r, now_ms);
		if (did) {
			active_ms = now_ms;
			continue;
		}
		bool quiet = now_ms - active_ms > RESOLVER_QUIET_MS;
		struct timespec nap = { .tv_nsec = quiet ? RESOLVER_DOZE_NS : RESOLVER_NAP_NS };
		ppoll(&fd, 1, &nap, NULL);
	}
	return NULL;
}

static bool link_init(struct resolver *r, struct resolver_link *l)
{
	l->r = r;
	l->down = ring_new(RESOLVER_ASKS_MAX);
	l->up = ring_new(RESOLVER_ASKS_MAX);
	/* between two turns of the thread: what is held, and what was answered in between */
	l->freed = ring_new(RESOLVER_HELD_MAX + 2 * RESOLVER_ASKS_MAX);
	l->asks = calloc(RESOLVER_ASKS_MAX, sizeof *l->asks);
	if (!l->down || !l->up || !l->freed || !l->asks)
		return false;
	for (unsigned i = RESOLVER_ASKS_MAX; i-- > 0; l->spare = &l->asks[i])
		l->asks[i].next = l->spare;
	return true;
}

static int start_thread(struct resolver *r)
{
	r->flights = calloc(RESOLVER_FLIGHTS_MAX, sizeof *r->flights);
	if (!r->flights)
		return -ENOMEM;
	for (unsigned i = 0; i < RESOLVER_FLIGHTS_MAX; i++) {
		r->flights[i].next = r->spare;
		r->spare = &r->flights[i];
	}
	for (unsigned i = 0; i < r->n_link; i++)
		if (!link_init(r, &r->link[i]))
			return -ENOMEM;
	/* signals are for the main thread; libunbound's thread inherits this too */
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = -pthread_create(&r->thread, NULL, resolver_run, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static void link_fini(struct resolver_link *l)
{
	void *obj;
	while (l->freed && ring_pop(l->freed, &obj, 1))
		answer_unref(obj);
	while (l->up && ring_pop(l->up, &obj, 1))
		answer_unref(((struct ask *)obj)->answer);
	ring_free(l->down);
	ring_free(l->up);
	ring_free(l->freed);
	free(l->asks);
}

/* All but the thread. */
static void resolver_clear(struct resolver *r)
{
	if (r->ub)
		ub_ctx_delete(r->ub);
	for (unsigned i = 0; i < r->n_link; i++)
		link_fini(&r->link[i]);
	zone_free(r->zone);
	crowd_free(r->crowd);
	failures_free(r->failures);
	suffixes_free(r->suffixes);
	free(r->flights);
	free(r);
}

/* Without a list, or with one that others refuse, domains are told apart by their labels. */
static int failures_start(struct resolver *r, const struct config *cfg)
{
	char why[256];
	struct failures_setup setup = { .limit = cfg->dns_failures,
					.leave_ms = cfg->dns_failure_ms,
					.probe_ms = cfg->dns_query_timeout_ms };
	if (cfg->suffix_file[0] &&
	    suffixes_load(&r->suffixes, cfg->suffix_file, why, sizeof why) == 0)
		setup.suffixes = r->suffixes;
	if (getrandom(&setup.seed, sizeof setup.seed, 0) != sizeof setup.seed)
		return -EIO;
	r->failures = failures_new(&setup);
	r->crowd = crowd_new(RESOLVER_FLIGHTS_MAX);
	return r->failures && r->crowd ? 0 : -ENOMEM;
}

int resolver_new(struct resolver **out, const struct config *cfg, unsigned links, char *why,
		 size_t why_len)
{
	struct resolver *r = calloc(1, sizeof *r + links * sizeof r->link[0]);
	if (!r) {
		snprintf(why, why_len, "dns: out of memory");
		return -ENOMEM;
	}
	r->n_link = links;
	r->timeout_ms = cfg->dns_query_timeout_ms;
	r->late_ms = r->timeout_ms / 8;
	for (unsigned i = 0; i < links; i++)
		r->link[i].r = r;
	int rc = 0;
	if (cfg->answers) {
		r->answers = cfg->answers;
	} else if (strncmp(cfg->dns, "zone:", 5) == 0) {
		rc = zone_load(&r->zone, cfg->dns + 5, why, why_len);
	} else if (strcmp(cfg->dns, "none") != 0) {
		rc = upstream_new(&r->ub, cfg, why, why_len);
		if (rc == 0 && ((rc = failures_start(r, cfg)) < 0 || (rc = start_thread(r)) < 0))
			snprintf(why, why_len, "dns: %s; give more memory or fewer workers",
				 strerror(-rc));
	}
	if (rc < 0) {
		resolver_clear(r);
		return rc;
	}
	*out = r;
	return 0;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	if (r->ub) {
		/* pairs with resolver_run() */
		atomic_store_explicit(&r->stop, true, memory_order_release);
		pthread_join(r->thread, NULL);
	}
	resolver_clear(r);
}

struct resolver_link *resolver_link(struct resolver *r, unsigned i, struct stats *stats)
{
	assert(i < r->n_link);
	r->link[i].stats = stats;
	return &r->link[i];
}

void resolver_about(struct resolver_link *l, const struct message *m)
{
	if (l->r->answers)
		l->own = answers_own(l->r->answers, m);
}

static void count(struct stats *s, const struct answer *a)
{
	static const enum stats_row rows[] = { [ANSWER_DATA] = STAT_DNS_ANSWERED,
					       [ANSWER_NODATA] = STAT_DNS_NEGATIVE,
					       [ANSWER_NXDOMAIN] = STAT_DNS_NEGATIVE,
					       [ANSWER_SERVFAIL] = STAT_DNS_FAILED,
					       [ANSWER_TIMEOUT] = STAT_DNS_TIMEOUT };
	stats_add(s, a == &answer_left_alone ? STAT_DNS_LEFT_ALONE : rows[a->status], 1);
}

enum resolver_asked resolver_ask(struct resolver_link *l, const struct question *q, uint64_t tag,
				 const struct answer **answer)
{
	const struct answer *now = NULL;
	if (l->r->answers)
		now = answers_find(l->r->answers, &l->own, q);
	else if (l->r->zone)
		now = zone_answer(l->r->zone, q);
	else if (!l->r->ub)
		now = &answer_timeout;
	else if (!name_possible(q))
		now = &answer_nxdomain;
	else if (!l->spare || l->open == RESOLVER_HELD_MAX) {
		stats_add(l->stats, STAT_DNS_RING_FULL, 1);
		return RESOLVER_FULL;
	}
	stats_add(l->stats, STAT_DNS_ASKED, 1);
	if (now) {
		count(l->stats, now);
		*answer = now;
		return RESOLVER_NOW;
	}
	struct ask *a = l->spare;
	l->spare = a->next;
	a->link = l;
	a->tag = tag;
	a->answer = NULL;
	a->q = *q;
	l->open++;
	void *obj = a;
	unsigned pushed = ring_push(l->down, &obj, 1);
	assert(pushed == 1); /* as many slots as asks */
	return RESOLVER_LATER;
}

unsigned resolver_poll(struct resolver_link *l, struct resolver_reply *out, unsigned max)
{
	unsigned n = 0;
	void *obj;
	for (; l->up && n < max && ring_pop(l->up, &obj, 1); n++) {
		struct ask *a = obj;
		out[n] = (struct resolver_reply){ a->tag, a->answer };
		count(l->stats, a->answer);
		if (is_static(a->answer))
			l->open--;
		a->next = l->spare;
		l->spare = a;
	}
	return n;
}

void resolver_release(struct resolver_link *l, const struct answer *answer)
{
	if (!l->r->ub || is_static(answer))
		return;
	l->open--;
	void *obj = (void *)answer;
	unsigned pushed = ring_push(l->freed, &obj, 1);
	assert(pushed == 1); /* as many slots as references */
}
