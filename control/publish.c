#include "control/publish.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/epoch.h"

/*
 * A worker hands the pointer on to its stages, and a message in verification keeps the snapshot it
 * began with until it is judged and given back. So besides the grace period of the workers, behind
 * which nobody begins a message under it, the number of its messages must be 0.
 */
struct snapshot {
	struct config cfg; /* first */
	struct snapshot *next; /* replaced ones, newest first */
	uint64_t grace;
	bool dropped; /* nothing hangs on it any more */
	_Alignas(64) _Atomic uint64_t users; /* apart from what every message reads */
};

struct publish {
	_Atomic(struct snapshot *) now;
	struct snapshot *old;
	struct epoch *epoch;
	publish_drop *drop;
};

static struct snapshot *snapshot_new(const struct config *cfg)
{
	struct snapshot *s = aligned_alloc(64, sizeof *s);
	if (!s)
		return NULL;
	memset(s, 0, sizeof *s);
	s->cfg = *cfg;
	s->cfg.users = &s->users;
	return s;
}

static void snapshot_drop(struct publish *p, struct snapshot *s)
{
	if (p->drop && !s->dropped)
		p->drop(&s->cfg);
	s->dropped = true;
}

static void snapshot_free(struct publish *p, struct snapshot *s)
{
	snapshot_drop(p, s);
	free(s);
}

struct publish *publish_new(const struct config *cfg, unsigned readers, publish_drop *drop)
{
	struct publish *p = calloc(1, sizeof *p);
	struct snapshot *s = snapshot_new(cfg);
	struct epoch *e = epoch_new(readers);
	if (!p || !s || !e) {
		free(p);
		free(s);
		epoch_free(e);
		return NULL;
	}
	p->epoch = e;
	p->drop = drop;
	atomic_store_explicit(&p->now, s, memory_order_relaxed);
	return p;
}

void publish_free(struct publish *p)
{
	if (!p)
		return;
	snapshot_free(p, atomic_load_explicit(&p->now, memory_order_relaxed));
	while (p->old) {
		struct snapshot *s = p->old;
		p->old = s->next;
		snapshot_free(p, s);
	}
	epoch_free(p->epoch);
	free(p);
}

void publish_join(struct publish *p, unsigned reader)
{
	epoch_join(p->epoch, reader);
}

void publish_leave(struct publish *p, unsigned reader)
{
	epoch_leave(p->epoch, reader);
}

const struct config *publish_config(struct publish *p, unsigned reader)
{
	epoch_quiescent(p->epoch, reader);
	/* pairs with publish_swap */
	return &atomic_load_explicit(&p->now, memory_order_acquire)->cfg;
}

const struct config *publish_current(const struct publish *p)
{
	return &atomic_load_explicit(&p->now, memory_order_relaxed)->cfg;
}

int publish_swap(struct publish *p, const struct config *cfg)
{
	struct snapshot *s = snapshot_new(cfg);
	if (!s)
		return -ENOMEM;
	/* pairs with publish_config */
	struct snapshot *old = atomic_exchange_explicit(&p->now, s, memory_order_acq_rel);
	old->grace = epoch_start(p->epoch);
	old->next = p->old;
	p->old = old;
	return 0;
}

/* The grace period first: only behind it the number cannot grow any more. */
static bool unused(struct publish *p, const struct snapshot *s)
{
	/* acquire pairs with the release of whoever gave the last message back */
	return epoch_passed(p->epoch, s->grace) &&
	       atomic_load_explicit(&s->users, memory_order_acquire) == 0;
}

/*
 * The snapshot itself stays for one more grace period: a reader tells a new one by its address, and
 * would take one that was made where its old one lay for the old one.
 */
unsigned publish_clean(struct publish *p)
{
	unsigned kept = 0;
	for (struct snapshot **at = &p->old; *at;) {
		struct snapshot *s = *at;
		if (s->dropped && epoch_passed(p->epoch, s->grace)) {
			*at = s->next;
			free(s);
			continue;
		}
		if (!s->dropped && unused(p, s)) {
			snapshot_drop(p, s);
			s->grace = epoch_start(p->epoch);
		}
		kept += !s->dropped;
		at = &s->next;
	}
	return kept;
}
