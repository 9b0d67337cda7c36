#include "base/wheel.h"

#include <assert.h>
#include <stdlib.h>

struct wheel_node {
	uint32_t next, prev; /* both 0: not set */
	uint64_t tick; /* goes off with this one; not used in a slot's head */
};

/*
 * Node 0 is nobody. Nodes 1 to slots are the heads of the slots' circular lists, timer i is node
 * slots + 1 + i: all-zero memory is a wheel of unset timers but for the heads. Every set timer's
 * tick is at least `open`, the first tick not yet gone through, and it is in the list of tick %
 * slots.
 */
struct wheel {
	struct wheel_node *node;
	uint32_t n, slots;
	uint64_t unit, open;
	uint64_t seen; /* the highest tick asked for; below `open` when all up to it was given */
};

struct wheel *wheel_new(uint32_t n, uint32_t slots, uint64_t tick)
{
	if (tick == 0 || slots == 0 || (uint64_t)n + slots >= UINT32_MAX)
		return NULL;
	struct wheel *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->node = calloc((size_t)n + slots + 1, sizeof *w->node);
	if (!w->node) {
		free(w);
		return NULL;
	}
	w->n = n;
	w->slots = slots;
	w->unit = tick;
	for (uint32_t s = 1; s <= slots; s++)
		w->node[s].next = w->node[s].prev = s;
	return w;
}

void wheel_free(struct wheel *w)
{
	if (!w)
		return;
	free(w->node);
	free(w);
}

static uint32_t wheel_head(const struct wheel *w, uint64_t tick)
{
	return 1 + (uint32_t)(tick % w->slots);
}

static void wheel_unlink(struct wheel *w, uint32_t k)
{
	struct wheel_node *node = &w->node[k];
	w->node[node->prev].next = node->next;
	w->node[node->next].prev = node->prev;
	node->next = node->prev = 0;
}

void wheel_set(struct wheel *w, uint32_t i, uint64_t when)
{
	assert(i < w->n);
	uint32_t k = w->slots + 1 + i;
	struct wheel_node *node = &w->node[k];
	uint64_t tick = when / w->unit + (when % w->unit != 0);
	if (tick < w->open)
		tick = w->open;
	if (node->next) {
		if (node->tick == tick)
			return;
		wheel_unlink(w, k);
	}
	uint32_t head = wheel_head(w, tick);
	node->tick = tick;
	node->prev = head;
	node->next = w->node[head].next;
	w->node[node->next].prev = k;
	w->node[head].next = k;
}

void wheel_cancel(struct wheel *w, uint32_t i)
{
	assert(i < w->n);
	if (w->node[w->slots + 1 + i].next)
		wheel_unlink(w, w->slots + 1 + i);
}

bool wheel_is_set(const struct wheel *w, uint32_t i)
{
	assert(i < w->n);
	return w->node[w->slots + 1 + i].next != 0;
}

uint32_t wheel_poll(struct wheel *w, uint64_t now, uint32_t *due, uint32_t max)
{
	uint32_t n = 0;
	if (now / w->unit > w->seen)
		w->seen = now / w->unit;
	/* slots behind the last full round hold the same lists again */
	uint64_t last = w->seen;
	if (last >= w->open && last - w->open >= w->slots)
		w->open = last - w->slots + 1;
	for (; w->open <= last; w->open++) {
		uint32_t head = wheel_head(w, w->open), next;
		for (uint32_t k = w->node[head].next; k != head; k = next) {
			next = w->node[k].next;
			if (w->node[k].tick > last)
				continue;
			if (n == max)
				return n;
			wheel_unlink(w, k);
			due[n++] = k - w->slots - 1;
		}
	}
	return n;
}
