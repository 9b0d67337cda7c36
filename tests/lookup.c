#include "tests/lookup.h"

#include "tests/test.h"
#include "verify/dns/zone.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOKUP_MEMORY = 1024 * 1024, LOOKUP_ARENA = 1024 * 1024 };

struct lookup *lookup_new(const char *text)
{
	char why[256];
	struct lookup *l = calloc(1, sizeof *l);
	uint8_t *memory = malloc(LOOKUP_MEMORY + LOOKUP_ARENA);
	if (!l || !memory) {
		fprintf(stderr, "lookup: out of memory\n");
		exit(1);
	}
	if (zone_parse(&l->zone, bytes_str(text), "zone", why, sizeof why) < 0) {
		fprintf(stderr, "lookup: %s\n", why);
		exit(1);
	}
	l->memory = memory;
	lookup_again(l);
	return l;
}

void lookup_free(struct lookup *l)
{
	if (!l)
		return;
	known_end(&l->known);
	zone_free(l->zone);
	free(l->memory);
	free(l);
}

void lookup_again(struct lookup *l)
{
	known_end(&l->known);
	memset(l->memory, 0xa5, LOOKUP_MEMORY + LOOKUP_ARENA);
	l->known.clock_s = 1000;
	l->known.ttl_max_s = 86400;
	l->known.budget = LOOKUP_BUDGET;
	known_init(&l->known, l->memory, LOOKUP_MEMORY);
	arena_init(&l->arena, (uint8_t *)l->memory + LOOKUP_MEMORY, LOOKUP_ARENA);
	l->rounds = l->questions = 0;
}

/* One round of answers. */
static void answer(struct lookup *l, struct known *known)
{
	unsigned n = 0;
	while (known_question(known, n))
		n++;
	for (unsigned i = n; i-- > 0;) {
		known_answer(known, i, zone_answer(l->zone, known_question(known, i)));
		l->questions++;
		if (l->mode == LOOKUP_ONE)
			return;
	}
}

const char *lookup_fault(struct lookup *l, struct known *known, lookup_step *step, void *ctx)
{
	size_t used = l->arena.used;
	l->questions = 0;
	for (l->rounds = 1; !step(ctx); l->rounds++) {
		memset(l->arena.base + used, 0xa5, l->arena.used - used);
		l->arena.used = used;
		if (known_waiting(known) == 0)
			return "a check waits for answers, and no question is open";
		if (l->rounds == LOOKUP_ROUNDS_MAX)
			return "a check asks without end";
		answer(l, known);
	}
	return NULL;
}

bool lookup_run(struct lookup *l, struct known *known, lookup_step *step, void *ctx)
{
	const char *fault = lookup_fault(l, known, step, ctx);
	if (fault) {
		fprintf(stderr, "lookup: %s\n", fault);
		CU_FAIL("lookup_run");
	}
	return !fault;
}
