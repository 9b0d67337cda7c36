/* Bodies from the wire to canonical form: unstuffing and canonicalization at each level against bench/ref. */
#include "bench/kernels.h"

#include <stdio.h>

#include "bench/mail.h"
#include "bench/ref/ref.h"
#include "reassembly/dot.h"
#include "verify/kernel/canon.h"
#include "verify/kernel/hash.h"

enum { BODIES = 16, BODY_MAX = 200 * 1024 };

struct work {
	struct bytes wire[BODIES];
	unsigned n;
	size_t octets; /* of all */
	uint8_t *text, *out;
	enum canon_kind kind;
	struct dot_ops dot;
	struct canon_ops canon;
};

/* One body through both; all: to the end of out, else to its front again and again, as lanes have it. */
static size_t body(const struct work *w, struct bytes wire, bool all)
{
	struct dot dot = { 0 };
	struct canon c;
	size_t used, o = 0;
	struct bytes in = { w->text,
			    dot_copy(&w->dot, &dot, w->text, wire.n + 2, wire.p, wire.n, &used) };
	canon_init(&c, &w->canon, w->kind, UINT64_MAX);
	while (in.n) {
		struct bytes piece = bytes_head(in, HASH_PIECE);
		in = bytes_from(in, piece.n);
		while (piece.n) {
			size_t n = canon_body(&c, &piece, w->out + o, HASH_PIECE);
			o += all ? n : 0;
		}
	}
	while (!canon_ended(&c))
		o += canon_end(&c, w->out + o, HASH_PIECE);
	return o;
}

static void by_kernels(void *arg)
{
	const struct work *w = arg;
	for (unsigned i = 0; i < w->n; i++)
		body(w, w->wire[i], false);
}

static void by_ref(void *arg)
{
	const struct work *w = arg;
	for (unsigned i = 0; i < w->n; i++)
		(w->kind == CANON_RELAXED ? ref_relaxed : ref_simple)(w->wire[i].p, w->wire[i].n,
								      w->out);
}

static void check(const struct work *w)
{
	static uint8_t want[BODY_MAX + MAIL_LINE + 2];
	for (unsigned i = 0; i < w->n; i++) {
		size_t n = (w->kind == CANON_RELAXED ? ref_relaxed : ref_simple)(
			w->wire[i].p, w->wire[i].n, want);
		kernels_must(body(w, w->wire[i], true) == n && memcmp(w->out, want, n) == 0,
			     "canonical form");
	}
}

static void bodies(struct work *w, enum mail_kind kind, size_t size, uint8_t *memory)
{
	uint64_t random = 88172645463325252u;
	w->octets = 0;
	for (unsigned i = 0; i < w->n; i++) {
		size_t n = mail_body(kind, memory, size, &random);
		w->wire[i] = bytes_of(memory, n);
		w->octets += n;
		memory += n + 13; /* each at an alignment of its own */
	}
}

/* GB/s of one level and of ref over each kind of mail; the race over the mix stays in race. */
static void of_level(struct work *w, size_t size, enum cpu_level level, uint8_t *memory,
		     struct kernels_racer race[2])
{
	dot_ops_init(&w->dot, level);
	canon_ops_init(&w->canon, level);
	printf("# %s, unstuffed, GB/s %s %zu:", w->kind == CANON_RELAXED ? "relaxed" : "simple",
	       cpu_level_name(level), size);
	for (int kind = 0; kind < MAIL_KIND_N; kind++) {
		bodies(w, kind, size, memory);
		check(w);
		race[0] = (struct kernels_racer){ .name = "kernels", .run = by_kernels, .arg = w };
		race[1] = (struct kernels_racer){ .name = "ref", .run = by_ref, .arg = w };
		kernels_race(race, 2);
		double gb = (double)w->octets / 1e9;
		printf(" %s %.2f (ref %.2f)", mail_name[kind], gb / race[0].seconds,
		       gb / race[1].seconds);
	}
	printf("\n");
}

void kernels_canon(void)
{
	static const size_t sizes[] = { 20 * 1024, BODY_MAX };
	size_t room = BODY_MAX + MAIL_LINE + 64;
	uint8_t *memory = kernels_memory(BODIES * room);
	struct work w = { .text = kernels_memory(room), .out = kernels_memory(room + HASH_PIECE) };
	for (int kind = CANON_RELAXED; kind >= (int)CANON_SIMPLE; kind--)
		for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
			struct kernels_racer race[2];
			w.kind = kind;
			w.n = sizes[s] == BODY_MAX ? 8 : BODIES;
			for (int level = CPU_SCALAR; level <= (int)cpu_level(); level++)
				of_level(&w, sizes[s], level, memory, race);
			double ratio = kernels_ratio(&race[1], &race[0]);
			double gb = (double)w.octets / 1e9;
			char what[80], extra[80];
			snprintf(what, sizeof what,
				 "%s canonicalization with unstuffing, mixed mail, %zu KB",
				 kind == CANON_RELAXED ? "relaxed" : "simple", sizes[s] / 1024);
			snprintf(extra, sizeof extra, "%.2f GB/s, ref %.2f GB/s,",
				 gb / race[0].seconds, gb / race[1].seconds);
			if (kind == CANON_RELAXED)
				kernels_figure(what, ratio, 25, extra);
			else
				printf("# %s %s %.1f times\n", what, extra, ratio);
		}
}
