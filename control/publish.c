#include "control/publish.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/epoch.h"

/*
 * A worker hands the pointer on to its stages, and a message in verification keeps the snapshot it
 * began with until it is judged, which its DNS deadline bounds. So besides the grace period of the
 * workers twice that deadline must have passed.
 */
struct snapshot {
	struct config cfg; /* first */
	struct snapshot *next; /* replaced ones, newest first */
	uint64_t grace, after_ns;
};

struct publish {
	_Atomic(struct snapshot *) now;
	struct snapshot *old;
	struct epoch *epoch;
};

static struct snapshot *snapshot_new(const struct config *cfg)
{
	struct snapshot *s = calloc(1, sizeof *s);
	if (s)
		s->cfg = *cfg;
	return s;
}

struct publish *publish_new(const struct config *cfg, unsigned readers)
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
	atomic_store_explicit(&p->now, s, memory_order_relaxed);
	return p;
}

void publish_free(struct publish *p)
{
	if (!p)
		return;
	free(atomic_load_explicit(&p->now, memory_order_relaxed));
	while (p->old) {
		struct snapshot *s = p->old;
		p->old = s->next;
		free(s);
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

int publish_swap(struct publish *p, const struct config *cfg, uint64_t now_ns)
{
	struct snapshot *s = snapshot_new(cfg);
	if (!s)
		return -ENOMEM;
	/* pairs with publish_config */
	struct snapshot *old = atomic_exchange_explicit(&p->now, s, memory_order_acq_rel);
	old->grace = epoch_start(p->epoch);
	old->after_ns = now_ns + (uint64_t)old->cfg.dns_message_deadline_ms * 2000000;
	old->next = p->old;
	p->old = old;
	return 0;
}

unsigned publish_clean(struct publish *p, uint64_t now_ns)
{
	unsigned kept = 0;
	for (struct snapshot **at = &p->old; *at;) {
		struct snapshot *s = *at;
		if (now_ns >= s->after_ns && epoch_passed(p->epoch, s->grace)) {
			*at = s->next;
			free(s);
		} else {
			at = &s->next;
			kept++;
		}
	}
	return kept;
}
