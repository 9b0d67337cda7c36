/*
 * resolver - questions in, answers out: the only I/O of verify/.
 *
 * "zone:FILE" is answered here at once from the master file (CNAME followed, wildcards expanded,
 * errors as its ;ERROR lines say) and never touches the network; "none" makes every question a
 * timeout at once; otherwise libunbound works on a thread of its own, with one ring each way for
 * each verify worker (a link). Where cfg->answers are kept ones (answers.h) they answer instead.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/stats.h"
#include "verify/dns/question.h"

struct resolver;
struct resolver_link;

/* links: verify workers. 0 or -errno; why gets one line that names the setting, file and line, and
 * the cure. */
int resolver_new(struct resolver **out, const struct config *cfg, unsigned links, char *why,
		 size_t why_len);
/* Ends the thread; every answer must have been released. */
void resolver_free(struct resolver *r);

/* The i-th link; used by one worker only. stats: that worker's. */
struct resolver_link *resolver_link(struct resolver *r, unsigned i, struct stats *stats);

/* What is asked from now on is for m: kept answers may be its own. */
void resolver_about(struct resolver_link *l, const struct message *m);

enum resolver_asked {
	RESOLVER_NOW, /* *answer is there: borrowed until resolver_release */
	RESOLVER_LATER, /* resolver_poll will give it with this tag */
	RESOLVER_FULL, /* the ring is full: try again later, or give up */
};

enum resolver_asked resolver_ask(struct resolver_link *l, const struct question *q, uint64_t tag,
				 const struct answer **answer);

struct resolver_reply {
	uint64_t tag;
	const struct answer *answer;
};

unsigned resolver_poll(struct resolver_link *l, struct resolver_reply *out, unsigned max);
void resolver_release(struct resolver_link *l, const struct answer *answer);
