#include "verify/dns/crowd.h"

#include <assert.h>
#include <stdlib.h>

struct crowd {
	uint32_t buckets; /* a power of two */
	uint32_t asks_max;
	struct crowd_domain **bucket, *spare, *all;
};

struct crowd *crowd_new(uint32_t flights, uint32_t asks_max)
{
	struct crowd *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->asks_max = asks_max;
	for (c->buckets = 1; c->buckets < flights; c->buckets *= 2)
		;
	c->bucket = calloc(c->buckets, sizeof(struct crowd_domain *));
	c->all = calloc(flights, sizeof *c->all);
	if (!c->bucket || !c->all) {
		crowd_free(c);
		return NULL;
	}
	for (uint32_t i = flights; i-- > 0; c->spare = &c->all[i])
		c->all[i].next = c->spare;
	return c;
}

void crowd_free(struct crowd *c)
{
	if (!c)
		return;
	free(c->bucket);
	free(c->all);
	free(c);
}

static struct crowd_domain **bucket_of(const struct crowd *c, uint64_t key)
{
	return &c->bucket[(key >> 32 ^ key) & (c->buckets - 1)];
}

struct crowd_domain *crowd_of(struct crowd *c, uint64_t key)
{
	struct crowd_domain **bucket = bucket_of(c, key), *d = *bucket;
	while (d && d->key != key)
		d = d->next;
	if (d)
		return d;
	d = c->spare;
	assert(d); /* who waits in a list waits behind CROWD_FLIGHTS of the same domain */
	c->spare = d->next;
	*d = (struct crowd_domain){ .next = *bucket, .key = key };
	*bucket = d;
	return d;
}

/* Forgets a domain with nothing open that is on no list. */
static void forget(struct crowd *c, struct crowd_domain *d)
{
	if (d->flights || d->asks || d->ready)
		return;
	struct crowd_domain **at = bucket_of(c, d->key);
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	d->next = c->spare;
	c->spare = d;
}

enum crowd_place crowd_ask(struct crowd *c, struct crowd_domain *d)
{
	if (!crowd_join(c, d)) {
		forget(c, d);
		return CROWD_REFUSED;
	}
	if (d->flights == CROWD_FLIGHTS)
		return CROWD_WAIT;
	d->flights++;
	return CROWD_GO;
}

bool crowd_join(struct crowd *c, struct crowd_domain *d)
{
	if (d->asks == c->asks_max)
		return false;
	d->asks++;
	return true;
}

void crowd_go(struct crowd_domain *d)
{
	assert(d->flights < CROWD_FLIGHTS);
	d->flights++;
}

void crowd_end(struct crowd *c, struct crowd_domain *d, unsigned flights, unsigned asks)
{
	assert(d->flights >= flights && d->asks >= asks);
	d->flights -= flights;
	d->asks -= asks;
	forget(c, d);
}
