#include "verify/crowd.h"

#include <assert.h>
#include <stdlib.h>

struct crowd_domain {
	struct crowd_domain *next; /* in its bucket, or spare */
	uint64_t key;
	uint32_t flights, asks;
};

struct crowd {
	uint32_t buckets; /* a power of two */
	struct crowd_domain **bucket, *spare, *all;
};

struct crowd *crowd_new(uint32_t n)
{
	struct crowd *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	for (c->buckets = 1; c->buckets < n; c->buckets *= 2)
		;
	c->bucket = calloc(c->buckets, sizeof(struct crowd_domain *));
	c->all = calloc(n, sizeof *c->all);
	if (!c->bucket || !c->all) {
		crowd_free(c);
		return NULL;
	}
	for (uint32_t i = n; i-- > 0; c->spare = &c->all[i])
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

struct crowd_domain *crowd_begin(struct crowd *c, uint64_t key)
{
	struct crowd_domain **bucket = bucket_of(c, key), *d = *bucket;
	while (d && d->key != key)
		d = d->next;
	if (!d) {
		d = c->spare;
		assert(d); /* as many as questions */
		c->spare = d->next;
		*d = (struct crowd_domain){ .next = *bucket, .key = key };
		*bucket = d;
	}
	if (d->flights == CROWD_FLIGHTS || !crowd_join(d))
		return NULL;
	d->flights++;
	return d;
}

bool crowd_join(struct crowd_domain *d)
{
	if (d->asks == CROWD_ASKS)
		return false;
	d->asks++;
	return true;
}

void crowd_end(struct crowd *c, struct crowd_domain *d, unsigned asks)
{
	assert(d->flights > 0 && d->asks >= asks);
	d->asks -= asks;
	if (--d->flights > 0)
		return;
	struct crowd_domain **at = bucket_of(c, d->key);
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	d->next = c->spare;
	c->spare = d;
}
