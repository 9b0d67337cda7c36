#include "control/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "verify/dns/resolver.h"

enum { ASK_HELD_MAX = 1024, ASK_BURST = 64, ASK_NAP_NS = 200 * 1000 };

struct ask {
	const struct config *cfg;
	struct resolver *resolver;
	struct resolver_link *link;
	struct stats *stats;
	uint64_t begun_ms;
	void *who; /* asks now */
	uint32_t generation; /* of who: an answer for an earlier one finds nobody */
	unsigned waiting; /* questions of who that the resolver has */
	const struct answer *held[ASK_HELD_MAX];
	unsigned n_held;
};

/* Whose questions: each is taken once, by a number that its answer comes back with. */
struct asker {
	const struct question *(*take)(void *who, unsigned *number);
	void (*put_back)(void *who, unsigned number);
	void (*answer)(void *who, unsigned number, const struct answer *answer);
	void *who;
};

static uint64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t ask_clock_s(void)
{
	return clock_ms() / 1000;
}

int ask_new(struct ask **out, const struct config *cfg, char *why, size_t why_len)
{
	struct ask *a = calloc(1, sizeof *a);
	*out = NULL;
	if (a)
		a->stats = aligned_alloc(64, sizeof *a->stats);
	if (!a || !a->stats) {
		free(a);
		snprintf(why, why_len, "out of memory");
		return -ENOMEM;
	}
	memset(a->stats, 0, sizeof *a->stats);
	a->cfg = cfg;
	a->begun_ms = clock_ms();
	int rc = resolver_new(&a->resolver, cfg, 1, why, why_len);
	if (rc < 0) {
		ask_free(a);
		return rc;
	}
	a->link = resolver_link(a->resolver, 0, a->stats);
	*out = a;
	return 0;
}

void ask_free(struct ask *a)
{
	if (!a)
		return;
	for (unsigned i = 0; i < a->n_held; i++)
		resolver_release(a->link, a->held[i]);
	resolver_free(a->resolver);
	free(a->stats);
	free(a);
}

static void hold(struct ask *a, const struct answer *answer)
{
	if (a->n_held < ASK_HELD_MAX)
		a->held[a->n_held++] = answer;
	else
		abort(); /* no check asks so much: KNOWN_MAX, VERIFY_QUESTIONS_MAX */
}

/* What came back. Returns how many answers the asker got. */
static unsigned take_answers(struct ask *a, const struct asker *asker)
{
	struct resolver_reply reply[ASK_BURST];
	unsigned n = resolver_poll(a->link, reply, ASK_BURST), mine = 0;
	for (unsigned i = 0; i < n; i++) {
		if (reply[i].tag >> 32 != a->generation) {
			resolver_release(a->link, reply[i].answer);
			continue;
		}
		hold(a, reply[i].answer);
		asker->answer(asker->who, (unsigned)reply[i].tag, reply[i].answer);
		a->waiting--;
		mine++;
	}
	return mine;
}

/* Asks what can be asked. Returns how many answers were there at once. */
static unsigned ask_on(struct ask *a, const struct asker *asker)
{
	const struct question *q;
	unsigned number, now = 0;
	while ((q = asker->take(asker->who, &number))) {
		const struct answer *answer;
		uint64_t tag = (uint64_t)a->generation << 32 | number;
		switch (resolver_ask(a->link, q, tag, &answer)) {
		case RESOLVER_NOW:
			hold(a, answer);
			asker->answer(asker->who, number, answer);
			now++;
			break;
		case RESOLVER_LATER:
			a->waiting++;
			break;
		case RESOLVER_FULL:
			asker->put_back(asker->who, number);
			return now;
		}
	}
	return now;
}

/* Until there is an answer. False: the time is over. */
static bool ask_some(struct ask *a, const struct asker *asker, uint32_t timeout_ms)
{
	if (a->who != asker->who) {
		a->who = asker->who;
		a->generation++;
		a->waiting = 0;
	}
	while (!ask_on(a, asker) && !take_answers(a, asker)) {
		if (clock_ms() - a->begun_ms >= timeout_ms)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = ASK_NAP_NS }, NULL);
	}
	return true;
}

static const struct question *known_question_of(void *who, unsigned *number)
{
	return known_take(who, number);
}

static void known_back(void *who, unsigned number)
{
	known_put_back(who, number);
}

static void known_answer_of(void *who, unsigned number, const struct answer *answer)
{
	known_settle(who, number, answer);
}

void ask_known(struct ask *a, struct known *k, uint32_t timeout_ms)
{
	struct asker asker = { known_question_of, known_back, known_answer_of, k };
	if (!ask_some(a, &asker, timeout_ms))
		known_give_up(k, KNOWN_KEYS | KNOWN_SPF | KNOWN_DMARC);
}

static const struct question *verify_question_of(void *who, unsigned *number)
{
	return verify_question(who, number);
}

static void verify_back(void *who, unsigned number)
{
	verify_unask(who, number);
}

static void verify_answer_of(void *who, unsigned number, const struct answer *answer)
{
	verify_answer(who, number, answer);
}

/* Until there is an answer, or the deadline of a check or of all of them. */
static void ask_message(struct ask *a, struct verify *v)
{
	struct asker asker = { verify_question_of, verify_back, verify_answer_of, v };
	uint32_t all_ms = a->cfg->dns_message_deadline_ms, next_ms = verify_deadline_ms(v);
	if (ask_some(a, &asker, next_ms < all_ms ? next_ms : all_ms))
		return;
	uint64_t ms = clock_ms() - a->begun_ms;
	if (ms >= all_ms)
		verify_give_up(v);
	else
		verify_late(v, (uint32_t)ms);
}

struct verify *ask_verify(struct ask *a, struct verify_engine *e, struct message *m)
{
	struct verify *v = verify_begin(e, m, ask_clock_s());
	if (!v)
		return NULL;
	resolver_about(a->link, m);
	for (;;) {
		switch (verify_step(e, v, ask_clock_s())) {
		case VERIFY_ASK:
			ask_message(a, v);
			break;
		case VERIFY_BUSY:
			while (!verify_poll(e, true))
				;
			break;
		case VERIFY_DONE:
			return v;
		}
	}
}
