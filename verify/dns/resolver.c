#include "verify/dns/resolver.h"

#include "base/ring.h"
#include "verify/dns/answers.h"
#include "verify/dns/flights.h"
#include "verify/dns/zone.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*
 * An ask is one question of one link. The same object goes down to the thread and comes up with its
 * answer, so a link's asks bound its rings and neither is ever full. Answers are the thread's
 * (flights.h): a link gives its reference back through `freed`, which takes all it may hold.
 *
 * The thread does not wait on the rings, since a worker may not make the system call that would
 * wake it: it looks at them RESOLVER_NAP_NS apart, RESOLVER_DOZE_NS when nothing happened for
 * RESOLVER_QUIET_MS.
 */

enum {
	RESOLVER_ASKS_MAX = 4096, /* unanswered questions of one link */
	RESOLVER_HELD_MAX = 65536, /* answers of one link not released */
	RESOLVER_BURST = 64,
	RESOLVER_NAP_NS = 200 * 1000,
	RESOLVER_DOZE_NS = 1000 * 1000,
	RESOLVER_QUIET_MS = 50,
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
	struct flights *flights; /* NULL: all is answered at once, and there is no thread */
	pthread_t thread;
	_Atomic bool stop;
	unsigned n_link;
	struct resolver_link link[];
};

static const struct answer answer_timeout = { .status = ANSWER_TIMEOUT };
static const struct answer answer_nxdomain = { .status = ANSWER_NXDOMAIN, .ttl_s = 3600 };

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

/* Takes what the links gave. Returns how much it did. */
static unsigned serve_links(struct resolver *r, uint64_t now_ms)
{
	unsigned did = 0;
	for (unsigned i = 0; i < r->n_link; i++) {
		struct resolver_link *l = &r->link[i];
		void *obj;
		/* all of them, and before new asks: see the size of the ring */
		for (; ring_pop(l->freed, &obj, 1); did++)
			flights_release(obj);
		/* what finds no flight stays in the ring */
		for (unsigned n = 0; n < RESOLVER_BURST && flights_room(r->flights); n++, did++) {
			if (!ring_pop(l->down, &obj, 1))
				break;
			flights_take(r->flights, obj, now_ms);
		}
	}
	return did;
}

static void *resolver_run(void *arg)
{
	struct resolver *r = arg;
	struct pollfd fd = { .fd = flights_fd(r->flights), .events = POLLIN };
	uint64_t active_ms = 0;
	/* pairs with resolver_free() */
	while (!atomic_load_explicit(&r->stop, memory_order_acquire)) {
		uint64_t now_ms = clock_ms();
		unsigned did = serve_links(r, now_ms) + flights_turn(r->flights, now_ms);
		for (struct ask *a; (a = flights_done(r->flights)) != NULL; did++) {
			void *obj = a;
			unsigned pushed =
				ring_push(((struct resolver_link *)a->owner)->up, &obj, 1);
			assert(pushed == 1); /* as many slots as asks */
		}
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
		flights_release(obj);
	while (l->up && ring_pop(l->up, &obj, 1))
		flights_release(((struct ask *)obj)->answer);
	ring_free(l->down);
	ring_free(l->up);
	ring_free(l->freed);
	free(l->asks);
}

/* All but the thread. */
static void resolver_clear(struct resolver *r)
{
	flights_free(r->flights);
	for (unsigned i = 0; i < r->n_link; i++)
		link_fini(&r->link[i]);
	zone_free(r->zone);
	free(r);
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
	for (unsigned i = 0; i < links; i++)
		r->link[i].r = r;
	int rc = 0;
	if (cfg->answers) {
		r->answers = cfg->answers;
	} else if (strncmp(cfg->dns, "zone:", 5) == 0) {
		rc = zone_load(&r->zone, cfg->dns + 5, why, why_len);
	} else if (strcmp(cfg->dns, "none") != 0) {
		rc = flights_new(&r->flights, cfg, why, why_len);
		if (rc == 0 && (rc = start_thread(r)) < 0)
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
	if (r->flights) {
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
	stats_add(s, flights_left_alone(a) ? STAT_DNS_LEFT_ALONE : rows[a->status], 1);
}

enum resolver_asked resolver_ask(struct resolver_link *l, const struct question *q, uint64_t tag,
				 const struct answer **answer)
{
	const struct answer *now = NULL;
	if (l->r->answers)
		now = answers_find(l->r->answers, &l->own, q);
	else if (l->r->zone)
		now = zone_answer(l->r->zone, q);
	else if (!l->r->flights)
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
	a->owner = l;
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
		if (flights_static(a->answer))
			l->open--;
		a->next = l->spare;
		l->spare = a;
	}
	return n;
}

void resolver_release(struct resolver_link *l, const struct answer *answer)
{
	if (!l->r->flights || flights_static(answer) || answer == &answer_nxdomain)
		return;
	l->open--;
	void *obj = (void *)answer;
	unsigned pushed = ring_push(l->freed, &obj, 1);
	assert(pushed == 1); /* as many slots as references */
}
