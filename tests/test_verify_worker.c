/*
 * Every message taken from a ring comes back to its own receive worker once, whatever the order of answers, and
 * every answer is released once. The engine and the resolver are played by this file.
 */
#include "tests/test.h"

#include "verify/verify.h"
#include "verify/worker.h"

#include <assert.h>
#include <stdlib.h>

/* --- an engine that follows m->source: a digit asks so many questions, b and k wait in a queue, end: done --- */

struct verify {
	struct message *m;
	const char *at;
	void *user;
	struct question q[10];
	unsigned base, n_q, answered, seen; /* numbers of this round begin at base */
	bool taken[10];
	uint8_t busy; /* enum verify_queue; 0: in none */
	bool used, asked, gave_up, late;
};

struct verify_engine {
	unsigned slots;
	struct verify v[];
};

static struct {
	unsigned begun, ended, wrong, polls, late;
	unsigned flushes[VERIFY_ALL_QUEUES + 1]; /* by set of queues */
	unsigned held;
	uint32_t deadline_ms; /* of a check; 0: none has one */
	unsigned dns_room, dns_asked, dns_released, dns_given;
	bool dns_now, dns_silent;
	unsigned n_open;
	struct {
		uint64_t tag;
		struct answer *answer;
	} open[4096];
	const struct config *cfg;
} fake;

struct verify_engine *verify_engine_new(const struct config *cfg, unsigned slots,
					struct stats *stats)
{
	struct verify_engine *e = calloc(1, sizeof *e + slots * sizeof e->v[0]);
	e->slots = slots;
	fake.cfg = cfg;
	return e;
}

void verify_engine_free(struct verify_engine *e)
{
	free(e);
}

void verify_engine_config(struct verify_engine *e, const struct config *cfg)
{
	fake.cfg = cfg;
}

struct verify *verify_begin(struct verify_engine *e, struct message *m, uint64_t clock_s)
{
	for (unsigned i = 0; i < e->slots; i++) {
		if (!e->v[i].used) {
			e->v[i] = (struct verify){ .m = m, .at = m->source, .used = true };
			fake.begun++;
			return &e->v[i];
		}
	}
	return NULL;
}

enum verify_state verify_step(struct verify_engine *e, struct verify *v, uint64_t clock_s)
{
	bool news = !v->asked || v->gave_up || v->late || v->answered != v->seen;
	if (v->busy || !news)
		fake.wrong++; /* stepped too early */
	v->seen = v->answered;
	if (v->asked && !v->gave_up && !v->late && v->answered < v->n_q)
		return VERIFY_ASK;
	v->asked = v->late = false;
	v->base += v->n_q;
	v->n_q = v->answered = v->seen = 0;
	memset(v->taken, 0, sizeof v->taken);
	for (; *v->at; v->at++) {
		if (*v->at == 'b' || *v->at == 'k') {
			v->busy = *v->at++ == 'b' ? VERIFY_HASHES : VERIFY_KEYS;
			return VERIFY_BUSY;
		}
		if (v->gave_up)
			continue;
		v->n_q = (unsigned)(*v->at++ - '0');
		for (unsigned i = 0; i < v->n_q; i++) {
			v->q[i].type = QUESTION_TXT;
			v->q[i].len = (uint8_t)snprintf(v->q[i].name, sizeof v->q[i].name, "%u-%u",
							(unsigned)v->m->order, i);
		}
		v->asked = true;
		return VERIFY_ASK;
	}
	return VERIFY_DONE;
}

const struct question *verify_question(struct verify *v, unsigned *number)
{
	for (unsigned i = 0; i < v->n_q && !v->gave_up; i++) {
		if (v->taken[i])
			continue;
		v->taken[i] = true;
		*number = v->base + i;
		return &v->q[i];
	}
	return NULL;
}

void verify_unask(struct verify *v, unsigned number)
{
	v->taken[number - v->base] = false;
}

/* The answer's ttl_s is a hash of the name that was asked for. */
static uint32_t name_sum(const struct question *q)
{
	uint32_t sum = 0;
	for (unsigned i = 0; i < q->len; i++)
		sum = sum * 31 + (uint8_t)q->name[i];
	return sum;
}

void verify_answer(struct verify *v, unsigned number, const struct answer *answer)
{
	if (number < v->base) /* of a round that was late */
		return;
	unsigned i = number - v->base;
	if (i >= v->n_q || answer->ttl_s != name_sum(&v->q[i]) || v->gave_up || !v->taken[i])
		fake.wrong++;
	v->answered++;
}

uint32_t verify_deadline_ms(const struct verify *v)
{
	return fake.deadline_ms && !v->late ? fake.deadline_ms : UINT32_MAX;
}

void verify_late(struct verify *v, uint32_t ms)
{
	if (ms < fake.deadline_ms)
		fake.wrong++;
	v->late = true;
	fake.late++;
}

void verify_give_up(struct verify *v)
{
	v->gave_up = true;
}

static unsigned busy_in(const struct verify_engine *e, unsigned queue)
{
	unsigned n = 0;
	for (unsigned i = 0; i < e->slots; i++)
		n += e->v[i].used && e->v[i].busy == queue;
	return n;
}

/* Eight jobs fill a queue. */
struct verify *verify_drive(struct verify_engine *e, unsigned flush)
{
	fake.polls++;
	fake.flushes[flush]++;
	for (unsigned i = e->slots; i-- > 0;) {
		struct verify *v = &e->v[i];
		if (v->used && v->busy && (flush & v->busy || busy_in(e, v->busy) >= 8)) {
			fake.held &= ~(unsigned)v->busy;
			v->busy = 0;
			return v;
		}
	}
	return NULL;
}

unsigned verify_stuck(struct verify_engine *e)
{
	unsigned stuck = fake.held;
	fake.held = (busy_in(e, VERIFY_HASHES) ? VERIFY_HASHES : 0) |
		    (busy_in(e, VERIFY_KEYS) ? VERIFY_KEYS : 0);
	return stuck;
}

void verify_end(struct verify_engine *e, struct verify *v)
{
	if (!v->used || v->busy)
		fake.wrong++;
	v->used = false;
	fake.ended++;
}

struct message *verify_message(const struct verify *v)
{
	return v->m;
}

void **verify_user(struct verify *v)
{
	return &v->user;
}

/* --- a resolver that answers at once, later and in any order, or not at all --- */

void resolver_about(struct resolver_link *l, const struct message *m)
{
	CU_ASSERT_PTR_NOT_NULL(m);
}

enum resolver_asked resolver_ask(struct resolver_link *l, const struct question *q, uint64_t tag,
				 const struct answer **answer)
{
	if (fake.n_open >= fake.dns_room)
		return RESOLVER_FULL;
	fake.dns_asked++;
	struct answer *a = calloc(1, sizeof *a);
	a->ttl_s = name_sum(q);
	if (fake.dns_now) {
		fake.dns_given++;
		*answer = a;
		return RESOLVER_NOW;
	}
	fake.open[fake.n_open].tag = tag;
	fake.open[fake.n_open++].answer = a;
	return RESOLVER_LATER;
}

static uint64_t seed;

unsigned resolver_poll(struct resolver_link *l, struct resolver_reply *out, unsigned max)
{
	unsigned n = 0;
	for (; !fake.dns_silent && n < max && n < 5 && fake.n_open; n++) {
		unsigned i = (unsigned)(test_random(&seed) % fake.n_open);
		out[n] = (struct resolver_reply){ fake.open[i].tag, fake.open[i].answer };
		fake.open[i] = fake.open[--fake.n_open];
		fake.dns_given++;
	}
	return n;
}

void resolver_release(struct resolver_link *l, const struct answer *answer)
{
	fake.dns_released++;
	free((void *)answer);
}

/* --- the worker between rings --- */

enum { RX = 3, EACH = 200 };

static struct config cfg;
static struct stats stats;
static struct verify_worker_setup setup;
static struct message message[RX][EACH];

static struct verify_worker *start(unsigned in_flight, unsigned out_size)
{
	memset(&fake, 0, sizeof fake);
	memset(&stats, 0, sizeof stats);
	fake.dns_room = 4096;
	cfg = (struct config){ .in_flight = in_flight,
			       .flush_us = 200,
			       .dns_message_deadline_ms = 20000 };
	setup = (struct verify_worker_setup){ .id = 7, .cfg = &cfg, .stats = &stats, .n_rx = RX };
	for (unsigned i = 0; i < RX; i++) {
		setup.in[i] = ring_new(EACH);
		setup.home[i] = ring_new(EACH);
	}
	setup.out = ring_new(out_size);
	setup.back = ring_new(RX * EACH);
	struct verify_worker *w = verify_worker_new(&setup);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	return w;
}

static void stop(struct verify_worker *w)
{
	verify_worker_free(w);
	for (unsigned i = 0; i < RX; i++) {
		ring_free(setup.in[i]);
		ring_free(setup.home[i]);
	}
	ring_free(setup.out);
	ring_free(setup.back);
	for (; fake.n_open; fake.n_open--)
		free(fake.open[fake.n_open - 1].answer);
}

/* n messages from each receive worker; scripts taken in turn. */
static void send(unsigned n, const char *const *script, unsigned n_script)
{
	for (unsigned rx = 0; rx < RX; rx++) {
		for (unsigned i = 0; i < n; i++) {
			struct message *m = &message[rx][i];
			*m = (struct message){ .order = rx * EACH + i,
					       .source = script[(rx + i) % n_script],
					       .rx_worker = (uint8_t)rx };
			void *obj = m;
			CU_ASSERT_EQUAL(ring_push(setup.in[rx], &obj, 1), 1);
		}
	}
}

/* The output: takes what is there and gives it back. */
static unsigned write_out(void)
{
	unsigned n = 0;
	for (void *obj; ring_pop(setup.out, &obj, 1); n++) {
		struct message *m = obj;
		CU_ASSERT_EQUAL(m->verify_worker, 7);
		CU_ASSERT_EQUAL(ring_push(setup.back, &obj, 1), 1);
	}
	return n;
}

/* All n of each came home, each to its own, once. */
static void check_home(unsigned n)
{
	for (unsigned rx = 0; rx < RX; rx++) {
		bool seen[EACH] = { false };
		void *obj;
		for (unsigned i = 0; i < n; i++) {
			CU_ASSERT_EQUAL_FATAL(ring_pop(setup.home[rx], &obj, 1), 1);
			struct message *m = obj;
			CU_ASSERT_EQUAL(m->rx_worker, rx);
			CU_ASSERT_PTR_NULL(m->verify);
			CU_ASSERT_FALSE(seen[m->order - rx * EACH]);
			seen[m->order - rx * EACH] = true;
		}
		CU_ASSERT_EQUAL(ring_pop(setup.home[rx], &obj, 1), 0);
	}
	CU_ASSERT_EQUAL(fake.wrong, 0);
	CU_ASSERT_EQUAL(fake.begun, n * RX);
	CU_ASSERT_EQUAL(fake.ended, n * RX);
}

static const char *const scripts[] = { "",     "b",    "1",    "2b", "b3b",
				       "12b9", "bb1b", "9999", "bk", "1bkk2k" };
enum { SCRIPTS = sizeof scripts / sizeof scripts[0] };

/* Turns until all is home; 10,000 at most. */
static void run(struct verify_worker *w, unsigned n)
{
	unsigned out = 0;
	for (unsigned turn = 0; turn < 10000 && (out < n || verify_worker_count(w)); turn++) {
		verify_worker_poll(w, turn * UINT64_C(1000));
		out += write_out();
	}
	CU_ASSERT_EQUAL(out, n);
	CU_ASSERT_EQUAL(verify_worker_count(w), 0);
}

static void answers_in_any_order(void)
{
	for (seed = 1; seed < 60; seed++) {
		uint64_t kept = seed;
		struct verify_worker *w = start(1 + (unsigned)seed, 16);
		fake.dns_now = seed % 5 == 0;
		send(EACH, scripts, SCRIPTS);
		run(w, RX * EACH);
		check_home(EACH);
		CU_ASSERT_EQUAL(fake.dns_given, fake.dns_asked);
		CU_ASSERT_EQUAL(fake.dns_released, fake.dns_asked);
		CU_ASSERT_EQUAL(stats_get(&stats, STAT_VERIFY_LATE), 0);
		stop(w);
		seed = kept;
	}
}

static void slots_are_a_bound(void)
{
	struct verify_worker *w = start(10, 16);
	send(EACH, (const char *const[]){ "1" }, 1);
	fake.dns_silent = true;
	for (unsigned turn = 0; turn < 50; turn++)
		verify_worker_poll(w, 1);
	CU_ASSERT_EQUAL(verify_worker_count(w), 10);
	CU_ASSERT_EQUAL(fake.begun, 10);
	/* fair: 4, 3 and 3 of them */
	for (unsigned rx = 0; rx < RX; rx++)
		CU_ASSERT(ring_count(setup.in[rx]) >= EACH - 4 &&
			  ring_count(setup.in[rx]) <= EACH - 3);
	CU_ASSERT_EQUAL(verify_worker_poll(w, 1), 0); /* idle while it waits */
	fake.dns_silent = false;
	run(w, RX * EACH);
	check_home(EACH);
	stop(w);
}

static void no_room_in_the_resolver(void)
{
	seed = 3;
	struct verify_worker *w = start(100, 16);
	fake.dns_room = 7; /* fewer than the questions of one message */
	send(EACH, scripts, SCRIPTS);
	run(w, RX * EACH);
	check_home(EACH);
	CU_ASSERT_EQUAL(fake.dns_released, fake.dns_asked);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_VERIFY_LATE), 0);
	stop(w);
}

static void deadline(void)
{
	const uint64_t ms = 1000000;
	seed = 5;
	struct verify_worker *w = start(100, 1024);
	fake.dns_silent = true;
	fake.dns_room = 20; /* some are late without having been asked */
	send(20, (const char *const[]){ "2b3", "9" }, 2);
	verify_worker_poll(w, 1 * ms);
	verify_worker_poll(w, 20000 * ms);
	CU_ASSERT_EQUAL(ring_count(setup.out), 0);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_VERIFY_LATE), 0);
	for (unsigned i = 0; i < 10; i++) /* the first were begun at 1 ms, the others at 20,000 */
		verify_worker_poll(w, 20001 * ms);
	unsigned first = ring_count(setup.out);
	CU_ASSERT_EQUAL(first, 32);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_VERIFY_LATE), first);
	for (unsigned i = 0; i < 10; i++)
		verify_worker_poll(w, 40000 * ms);
	CU_ASSERT_EQUAL(ring_count(setup.out), 60);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_VERIFY_LATE), 60);
	/* answers come when nobody waits: after the slots were used again, too */
	write_out();
	verify_worker_poll(w, 40001 * ms);
	verify_worker_poll(w, 40001 * ms);
	CU_ASSERT_EQUAL(verify_worker_count(w), 0);
	check_home(20);
	fake.dns_room = 4096;
	send(20, scripts, SCRIPTS);
	verify_worker_poll(w, 40002 * ms);
	fake.dns_silent = false;
	unsigned out = 0;
	for (unsigned i = 0; i < 1000 && (out < 60 || verify_worker_count(w)); i++) {
		verify_worker_poll(w, 40003 * ms);
		out += write_out();
	}
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_VERIFY_LATE), 60);
	fake.begun -= 60, fake.ended -= 60;
	check_home(20);
	CU_ASSERT_EQUAL(fake.dns_released, fake.dns_asked);
	CU_ASSERT_EQUAL(fake.n_open, 0);
	stop(w);
}

/* One deadline for all questions of a message, not one for each round. */
static void deadline_is_the_message_s(void)
{
	const uint64_t ms = 1000000;
	struct verify_worker *w = start(1, 16);
	send(1, (const char *const[]){ "11" }, 1);
	void *obj;
	CU_ASSERT_EQUAL(ring_pop(setup.in[1], &obj, 1) + ring_pop(setup.in[2], &obj, 1), 2);
	fake.dns_silent = true;
	verify_worker_poll(w, 0);
	fake.dns_silent = false;
	verify_worker_poll(w, 15000 * ms); /* the first is answered, the second asked */
	fake.dns_silent = true;
	CU_ASSERT_EQUAL(fake.dns_asked, 2);
	verify_worker_poll(w, 19999 * ms);
	CU_ASSERT_EQUAL(ring_count(setup.out), 0);
	verify_worker_poll(w, 20000 * ms);
	CU_ASSERT_EQUAL(ring_count(setup.out), 1);
	stop(w);
	CU_ASSERT_EQUAL(fake.dns_released, 1);
}

/* What has a deadline of its own is given up alone, and the rest goes on. */
static void c56_deadline_of_a_check(void)
{
	const uint64_t ms = 1000000;
	struct verify_worker *w = start(10, 16);
	fake.deadline_ms = 3000;
	fake.dns_silent = true;
	send(1, (const char *const[]){ "2" }, 1);
	verify_worker_poll(w, 1 * ms);
	verify_worker_poll(w, 3000 * ms);
	CU_ASSERT_EQUAL(fake.late, 0);
	verify_worker_poll(w, 3001 * ms);
	CU_ASSERT_EQUAL(fake.late, 3);
	CU_ASSERT_EQUAL(ring_count(setup.out), 3);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_VERIFY_LATE), 0);
	fake.dns_silent = false; /* answers that nobody waits for go back */
	write_out();
	for (unsigned i = 0; i < 5; i++)
		verify_worker_poll(w, 3002 * ms);
	check_home(1);
	CU_ASSERT_EQUAL(fake.dns_released, fake.dns_asked);
	stop(w);
}

/* With so many parked a new one is judged without DNS; those that wait are not touched. */
static void parked_are_a_bound(void)
{
	struct verify_worker *w = start(100, 1024);
	cfg.parked_max = 10;
	fake.dns_silent = true;
	send(10, (const char *const[]){ "1" }, 1);
	for (unsigned i = 0; i < 10; i++)
		verify_worker_poll(w, 1);
	CU_ASSERT_EQUAL(ring_count(setup.out), 20);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_VERIFY_PARKED_FULL), 20);
	CU_ASSERT_EQUAL(verify_worker_count(w), 30);
	fake.dns_silent = false;
	run(w, 30);
	check_home(10);
	CU_ASSERT_EQUAL(stats_get(&stats, STAT_VERIFY_PARKED_FULL), 20);
	CU_ASSERT_EQUAL(fake.dns_released, fake.dns_asked);
	stop(w);
}

static void output_ring_full(void)
{
	struct verify_worker *w = start(100, 4);
	send(EACH, (const char *const[]){ "" }, 1);
	for (unsigned i = 0; i < 50; i++)
		verify_worker_poll(w, i);
	CU_ASSERT_EQUAL(ring_count(setup.out), 4);
	CU_ASSERT_EQUAL(verify_worker_count(w), 100);
	CU_ASSERT(stats_get(&stats, STAT_MESSAGE_RING_FULL) > 0);
	run(w, RX * EACH);
	check_home(EACH);
	stop(w);
}

static unsigned flushes(void)
{
	unsigned n = 0;
	for (unsigned set = 1; set <= VERIFY_ALL_QUEUES; set++)
		n += fake.flushes[set];
	return n;
}

/* A few jobs that would wait for more to fill a batch are flushed when nothing else happens. */
static void idle_flushes(void)
{
	struct verify_worker *w = start(100, 16);
	send(1, (const char *const[]){ "bk" }, 1);
	verify_worker_poll(w, 0);
	CU_ASSERT_EQUAL(flushes(), 0);
	verify_worker_poll(w, 0); /* the next turn, at the same time: through both queues */
	CU_ASSERT_EQUAL(ring_count(setup.out), 3);
	write_out();
	verify_worker_poll(w, 0);
	CU_ASSERT_EQUAL(verify_worker_poll(w, 0), 0);
	check_home(1);
	stop(w);
}

/* One message into the worker. */
static void send_one(unsigned order, const char *script)
{
	struct message *m = &message[0][order];
	*m = (struct message){ .order = order, .source = script };
	void *obj = m;
	CU_ASSERT_EQUAL(ring_push(setup.in[0], &obj, 1), 1);
}

/* Messages that need no queue keep it awake: a job waits so long as set and no longer. */
static void due_jobs_are_flushed(void)
{
	static const char *const script[] = { "b", "k" };
	static const uint32_t flush_us[] = { 200, 50, 0 };
	for (unsigned i = 0; i < 6; i++) {
		const uint64_t us = 1000, begin = 7000000 * us;
		unsigned order = 0;
		struct verify_worker *w = start(100, 1024);
		cfg.flush_us = flush_us[i / 2];
		verify_worker_poll(w, begin - 5000 * us);
		memset(fake.flushes, 0, sizeof fake.flushes);
		send_one(order++, script[i % 2]);
		for (unsigned at = 0; at <= 300; at += 10) {
			send_one(order++, "");
			verify_worker_poll(w, begin + at * us);
			/* from the first turn in which it was seen */
			bool due = at && at >= cfg.flush_us;
			CU_ASSERT_EQUAL(flushes() != 0, due);
			CU_ASSERT_EQUAL(ring_count(setup.out), order - !due);
			if (due)
				break;
		}
		CU_ASSERT(fake.flushes[i % 2 ? VERIFY_KEYS : VERIFY_HASHES] > 0);
		stop(w);
	}
}

/* What fills the lanes again and again is never flushed, though every job waits for its turn there;
 * the signature beside it is, when its time is over. */
static void a_moving_queue_is_left_alone(void)
{
	const uint64_t us = 1000;
	unsigned order = 0;
	struct verify_worker *w = start(RX * EACH, 1024);
	send_one(order++, "k");
	for (unsigned at = 0; at < 900; at += 10) {
		send_one(order++, "b");
		send_one(order++, "b");
		verify_worker_poll(w, at * us);
	}
	CU_ASSERT_EQUAL(fake.flushes[VERIFY_HASHES], 0);
	CU_ASSERT_EQUAL(fake.flushes[VERIFY_ALL_QUEUES], 0);
	CU_ASSERT(fake.flushes[VERIFY_KEYS] > 0);
	CU_ASSERT_EQUAL(ring_count(setup.out), order - 7); /* seven in the lanes */
	stop(w);
}

/* With more about to come nothing is flushed, unless all slots are taken. */
static void more_is_waited_for(void)
{
	struct verify_worker *w = start(7, 1024);
	verify_worker_expect(w, true);
	for (unsigned i = 0; i < 6; i++)
		send_one(i, "bk");
	for (unsigned at = 0; at < 10; at++)
		verify_worker_poll(w, at * UINT64_C(1000000));
	CU_ASSERT_EQUAL(flushes(), 0);
	CU_ASSERT_EQUAL(ring_count(setup.out), 0);
	send_one(6, "");
	verify_worker_poll(w, UINT64_C(10000000));
	verify_worker_poll(w, UINT64_C(10000000));
	CU_ASSERT_EQUAL(ring_count(setup.out), 7);
	stop(w);
}

static void config_is_passed_on(void)
{
	struct verify_worker *w = start(4, 16);
	struct config other = cfg;
	verify_worker_config(w, &other);
	CU_ASSERT_PTR_EQUAL(fake.cfg, &other);
	stop(w);
	verify_worker_free(NULL);
}

TEST_MAIN("verify_worker", TEST(answers_in_any_order), TEST(slots_are_a_bound),
	  TEST(no_room_in_the_resolver), TEST(deadline), TEST(deadline_is_the_message_s),
	  TEST(c56_deadline_of_a_check), TEST(parked_are_a_bound), TEST(output_ring_full),
	  TEST(idle_flushes), TEST(due_jobs_are_flushed), TEST(a_moving_queue_is_left_alone),
	  TEST(more_is_waited_for), TEST(config_is_passed_on))
