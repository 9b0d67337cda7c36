#include "verify/worker.h"

#include "verify/verify.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

/*
 * A job is a message between its in-ring and its way home. It is on at most one of these lists:
 *   parked  by deadline: has questions without answers, or that the resolver had no room for yet
 *   done    judged, waits for room in the output ring
 * In the engine's queues (BUSY) or at the output it is on none. Answers carry the job's index and
 * generation, so that one that comes after the message was given up finds nobody and goes straight
 * back.
 */

enum {
	WORKER_BURST = 32, /* messages taken, answers read and messages returned in one turn */
	WORKER_STEPS =
		4 * WORKER_BURST, /* of messages that left a queue: as each goes through two */
};

struct job {
	struct job *next, *prev; /* in parked or done */
	struct verify *v; /* NULL: spare */
	uint64_t asked_ns; /* when its first question was, if asked */
	uint64_t deadline_ns; /* the next of a check, or the message's */
	uint32_t generation;
	bool asking; /* the resolver had no room for a question; parked too */
	bool asked, parked, was_parked, woken;
	uint16_t n_answer;
	const struct answer *answer[VERIFY_QUESTIONS_MAX]; /* n_answer of them */
};

struct job_list {
	struct job *first, *last;
};

struct verify_worker {
	struct verify_worker_setup s;
	const struct config *cfg;
	struct verify_engine *engine;
	struct job *job, *spare; /* spare: of those that were in use */
	uint32_t slots, count;
	uint32_t begun; /* jobs from there on never were in use: their pages are not there */
	struct job_list parked, done;
	uint32_t n_parked, n_asking; /* of the parked ones: asking */
	unsigned next_rx;
	bool more; /* messages are about to come */
	uint64_t now_ns;
	uint64_t moved_ns[VERIFY_QUEUES]; /* last seen empty or to give something back */
};

struct verify_worker *verify_worker_new(const struct verify_worker_setup *setup)
{
	struct verify_worker *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->s = *setup;
	w->cfg = setup->cfg;
	w->slots = setup->cfg->in_flight ? setup->cfg->in_flight : 1;
	w->job = calloc(w->slots, sizeof *w->job);
	w->engine = verify_engine_new(setup->cfg, w->slots, setup->stats);
	if (!w->job || !w->engine) {
		verify_worker_free(w);
		return NULL;
	}
	return w;
}

static void release_answers(struct verify_worker *w, struct job *j)
{
	for (unsigned i = 0; i < j->n_answer; i++)
		resolver_release(w->s.dns, j->answer[i]);
	j->n_answer = 0;
}

void verify_worker_free(struct verify_worker *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; i < w->begun; i++)
		release_answers(w, &w->job[i]);
	verify_engine_free(w->engine);
	free(w->job);
	free(w);
}

void verify_worker_config(struct verify_worker *w, const struct config *cfg)
{
	w->cfg = cfg;
	verify_engine_config(w->engine, cfg);
}

unsigned verify_worker_count(const struct verify_worker *w)
{
	return w->count;
}

static void list_insert(struct job_list *l, struct job *j, struct job *behind)
{
	j->prev = behind;
	j->next = behind ? behind->next : l->first;
	*(j->prev ? &j->prev->next : &l->first) = j;
	*(j->next ? &j->next->prev : &l->last) = j;
}

static void list_remove(struct job_list *l, struct job *j)
{
	*(j->prev ? &j->prev->next : &l->first) = j->next;
	*(j->next ? &j->next->prev : &l->last) = j->prev;
	j->next = j->prev = NULL;
}

/* Into the list by deadline: nearly always the last. */
static void park(struct verify_worker *w, struct job *j)
{
	uint64_t ms = verify_deadline_ms(j->v);
	if (ms > w->cfg->dns_message_deadline_ms)
		ms = w->cfg->dns_message_deadline_ms;
	j->deadline_ns = j->asked_ns + ms * UINT64_C(1000000);
	struct job *behind = w->parked.last;
	while (behind && behind->deadline_ns > j->deadline_ns)
		behind = behind->prev;
	list_insert(&w->parked, j, behind);
	j->parked = true;
	w->n_parked++;
}

static void unpark(struct verify_worker *w, struct job *j)
{
	if (!j->parked)
		return;
	list_remove(&w->parked, j);
	j->parked = false;
	w->n_parked--;
	w->n_asking -= j->asking;
	j->asking = false;
}

/* Asks what is open and was not asked. True: an answer was there at once, so that a step is due. */
static bool ask(struct verify_worker *w, struct job *j)
{
	const struct question *q;
	bool answered = false;
	resolver_about(w->s.dns, verify_message(j->v));
	for (unsigned number; (q = verify_question(j->v, &number)) != NULL;) {
		const struct answer *a = NULL;
		assert(number < VERIFY_QUESTIONS_MAX && j->n_answer < VERIFY_QUESTIONS_MAX);
		uint64_t tag = (uint64_t)j->generation << 32 | (uint64_t)(j - w->job) << 8 | number;
		switch (resolver_ask(w->s.dns, q, tag, &a)) {
		case RESOLVER_NOW:
			verify_answer(j->v, number, a);
			j->answer[j->n_answer++] = a;
			answered = true;
			break;
		case RESOLVER_LATER:
			break;
		case RESOLVER_FULL:
			verify_unask(j->v, number);
			w->n_asking += !j->asking;
			j->asking = true;
			return answered;
		}
	}
	return answered;
}

/* Every question is given up; answers under way find nobody. */
static void give_up(struct verify_worker *w, struct job *j, enum stats_row why)
{
	stats_add(w->s.stats, why, 1);
	j->generation++;
	verify_give_up(j->v);
}

/* The step left questions. True: step again. */
static bool ask_or_park(struct verify_worker *w, struct job *j)
{
	if (!j->asked)
		j->asked_ns = w->now_ns;
	j->asked = true;
	if (w->cfg->parked_max && w->n_parked >= w->cfg->parked_max && !j->was_parked) {
		give_up(w, j, STAT_VERIFY_PARKED_FULL);
		return true;
	}
	if (ask(w, j)) {
		w->n_asking -= j->asking; /* it is parked again after the step */
		j->asking = false;
		return true;
	}
	park(w, j);
	j->was_parked = true;
	return false;
}

/* Steps until the message waits for something or is done. */
static void advance(struct verify_worker *w, struct job *j)
{
	for (;;) {
		switch (verify_step(w->engine, j->v, w->now_ns / 1000000000)) {
		case VERIFY_ASK:
			if (!ask_or_park(w, j))
				return;
			break;
		case VERIFY_BUSY:
			return;
		case VERIFY_DONE:
			j->generation++; /* what a check did not wait for finds nobody */
			list_insert(&w->done, j, w->done.last);
			return;
		}
	}
}

/* Messages that were written: out of the engine and home. */
static unsigned take_back(struct verify_worker *w)
{
	void *obj[WORKER_BURST];
	unsigned n = ring_pop(w->s.back, obj, WORKER_BURST);
	for (unsigned i = 0; i < n; i++) {
		struct message *m = obj[i];
		struct verify *v = m->verify;
		struct job *j = *verify_user(v);
		verify_end(w->engine, v);
		release_answers(w, j);
		m->verify = NULL;
		j->v = NULL;
		j->generation++;
		j->next = w->spare;
		w->spare = j;
		w->count--;
		assert(m->rx_worker < w->s.n_rx);
		unsigned pushed = ring_push(w->s.home[m->rx_worker], &obj[i], 1);
		assert(pushed == 1); /* as large as all its messages */
	}
	return n;
}

/* A message is stepped once, however many of its answers came. */
static unsigned take_answers(struct verify_worker *w)
{
	struct resolver_reply reply[WORKER_BURST];
	struct job *woken[WORKER_BURST];
	unsigned n = resolver_poll(w->s.dns, reply, WORKER_BURST), n_woken = 0;
	for (unsigned i = 0; i < n; i++) {
		struct job *j = &w->job[reply[i].tag >> 8 & 0xffffff];
		if (j->generation != (uint32_t)(reply[i].tag >> 32)) {
			resolver_release(w->s.dns, reply[i].answer);
			continue;
		}
		verify_answer(j->v, (unsigned)(reply[i].tag & 0xff), reply[i].answer);
		j->answer[j->n_answer++] = reply[i].answer;
		if (j->parked && !j->woken)
			woken[n_woken++] = j;
		j->woken = true;
	}
	for (unsigned i = 0; i < n_woken; i++) {
		woken[i]->woken = false;
		unpark(w, woken[i]);
		advance(w, woken[i]);
	}
	return n;
}

/* Questions the resolver had no room for, of the message with the next deadline first. */
static unsigned ask_again(struct verify_worker *w)
{
	unsigned n = 0;
	for (struct job *j = w->parked.first, *next; j && w->n_asking; j = next) {
		next = j->next;
		if (!j->asking)
			continue;
		w->n_asking--;
		j->asking = false;
		bool answered = ask(w, j), full = j->asking;
		if (answered) {
			unpark(w, j);
			advance(w, j);
		}
		if (full)
			break;
		n++;
	}
	return n;
}

/* The deadline of a check, or of the message, passed. */
static unsigned end_late(struct verify_worker *w)
{
	unsigned n = 0;
	for (struct job *j; (j = w->parked.first) && j->deadline_ns <= w->now_ns; n++) {
		uint64_t ms = (w->now_ns - j->asked_ns) / 1000000;
		unpark(w, j);
		if (ms >= w->cfg->dns_message_deadline_ms)
			give_up(w, j, STAT_VERIFY_LATE);
		else
			verify_late(j->v, (uint32_t)ms);
		advance(w, j);
	}
	return n;
}

static bool all_in_use(const struct verify_worker *w)
{
	return w->count == w->slots;
}

/* There is one. The last that was given back, since it is in the cache. */
static struct job *take_job(struct verify_worker *w)
{
	struct job *j = w->spare;
	if (!j)
		return &w->job[w->begun++];
	w->spare = j->next;
	uint32_t generation = j->generation;
	memset(j, 0, offsetof(struct job, answer));
	j->generation = generation;
	return j;
}

static void begin(struct verify_worker *w, struct message *m)
{
	struct job *j = take_job(w);
	j->v = verify_begin(w->engine, m, w->now_ns / 1000000000);
	assert(j->v); /* as many slots as jobs */
	*verify_user(j->v) = j;
	m->verify = j->v;
	m->verify_worker = w->s.id;
	w->count++;
	advance(w, j);
}

/* One from each ring in turn. */
static unsigned take_in(struct verify_worker *w)
{
	unsigned n = 0;
	for (unsigned empty = 0; empty < w->s.n_rx && n < WORKER_BURST && !all_in_use(w);) {
		void *obj;
		unsigned rx = w->next_rx;
		w->next_rx = rx + 1 < w->s.n_rx ? rx + 1 : 0;
		if (ring_pop(w->s.in[rx], &obj, 1) == 0) {
			empty++;
			continue;
		}
		empty = 0;
		begin(w, obj);
		n++;
	}
	return n;
}

/* Queues whose jobs waited too long for others to share a run with. While messages come in at the
 * rate they are worked off every queue moves, and none is ever late. */
static unsigned late_queues(struct verify_worker *w)
{
	unsigned stuck = verify_stuck(w->engine), late = 0;
	for (unsigned i = 0; i < VERIFY_QUEUES; i++) {
		if (!(stuck & 1u << i))
			w->moved_ns[i] = w->now_ns;
		else if (w->now_ns - w->moved_ns[i] >= w->cfg->flush_us * UINT64_C(1000))
			late |= 1u << i;
	}
	return late;
}

/* Queues run when they are full; unless more is about to come, also when nothing else is to do, and
 * in time. */
static unsigned drive(struct verify_worker *w, bool idle)
{
	unsigned late = late_queues(w), flush = 0;
	if (all_in_use(w) || (idle && !w->more))
		flush = VERIFY_ALL_QUEUES;
	else if (!w->more)
		flush = late;
	unsigned n = 0;
	for (struct verify *v; n < WORKER_STEPS && (v = verify_drive(w->engine, flush)); n++)
		advance(w, *verify_user(v));
	return n;
}

static unsigned give_out(struct verify_worker *w)
{
	unsigned n = 0;
	for (struct job *j; (j = w->done.first); n++) {
		void *obj = verify_message(j->v);
		if (ring_push(w->s.out, &obj, 1) == 0) {
			stats_add(w->s.stats, STAT_MESSAGE_RING_FULL, 1);
			break;
		}
		list_remove(&w->done, j);
	}
	return n;
}

void verify_worker_expect(struct verify_worker *w, bool more)
{
	w->more = more;
}

unsigned verify_worker_poll(struct verify_worker *w, uint64_t now_ns)
{
	w->now_ns = now_ns;
	unsigned did = take_back(w);
	did += take_answers(w);
	did += ask_again(w);
	did += end_late(w);
	did += take_in(w);
	did += drive(w, did == 0);
	did += give_out(w);
	return did;
}
