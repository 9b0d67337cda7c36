/* Bodies through canonicalization and the lanes, as a verify worker has them, against EVP over octets
 * that are canonical already. */
#include "bench/kernels.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/mail.h"
#include "reassembly/dot.h"
#include "verify/kernel/canon.h"
#include "verify/kernel/hash.h"

enum { BODY_TURN = 16 };

struct body {
	struct hash_job job; /* first */
	struct canon canon;
	struct bytes text, left, piece, canonical;
};

struct bodies {
	struct body *body;
	unsigned n;
	size_t octets; /* canonical, of all */
	struct canon_ops canon;
	struct hash_queue *queue;
	EVP_MD *md;
	EVP_MD_CTX *ctx;
	uint8_t (*digest)[HASH_DIGEST_MAX]; /* EVP's */
};

/* As verify/auth/covered does it. */
static bool body_next(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	struct body *b = (struct body *)job;
	size_t n = 0;
	for (int i = 0; i < BODY_TURN && (!n || cap - n >= cap / 8) && !canon_ended(&b->canon);
	     i++) {
		if (!b->piece.n) {
			b->piece = bytes_head(b->left, cap - n);
			b->left = bytes_from(b->left, b->piece.n);
		}
		if (b->piece.n)
			n += canon_body(&b->canon, &b->piece, buf + n, cap - n);
		else
			n += canon_end(&b->canon, buf + n, cap - n);
	}
	job->ahead = b->piece.n ? b->piece : bytes_head(b->left, cap);
	*out = bytes_of(buf, n);
	return !canon_ended(&b->canon);
}

static void by_lanes(void *arg)
{
	struct bodies *s = arg;
	for (unsigned i = 0; i < s->n; i++) {
		struct body *b = &s->body[i];
		b->job = (struct hash_job){ .next = body_next };
		b->left = b->text;
		b->piece = bytes_of(NULL, 0);
		canon_init(&b->canon, &s->canon, CANON_RELAXED, UINT64_MAX);
		hash_submit(s->queue, &b->job);
	}
	while (hash_flush(s->queue))
		;
}

static void by_evp(void *arg)
{
	struct bodies *s = arg;
	for (unsigned i = 0; i < s->n; i++) {
		EVP_DigestInit_ex2(s->ctx, s->md, NULL);
		EVP_DigestUpdate(s->ctx, s->body[i].canonical.p, s->body[i].canonical.n);
		EVP_DigestFinal_ex(s->ctx, s->digest[i], NULL);
	}
}

static uint8_t *put(uint8_t **at, size_t n)
{
	uint8_t *p = *at;
	*at += n + 13; /* each at an alignment of its own */
	return p;
}

/* The text of a wire body and its canonical form, which scalar code makes. */
static void make(struct bodies *s, struct body *b, size_t size, uint8_t **at, uint64_t *random)
{
	struct dot_ops dot_ops;
	struct dot dot = { 0 };
	size_t used, room = size + MAIL_LINE + 64;
	uint8_t *wire = malloc(room), *text = *at;
	kernels_must(wire != NULL, "no memory");
	size_t n = mail_body(MAIL_MIX, wire, size, random);
	dot_ops_init(&dot_ops, CPU_SCALAR);
	n = dot_copy(&dot_ops, &dot, text, n + 2, wire, n, &used);
	b->text = bytes_of(put(at, n), n);
	struct canon c;
	struct bytes in = b->text;
	uint8_t *out = *at;
	canon_init(&c, NULL, CANON_RELAXED, UINT64_MAX);
	for (n = 0; in.n;)
		n += canon_body(&c, &in, out + n, room - n);
	while (!canon_ended(&c))
		n += canon_end(&c, out + n, room - n);
	b->canonical = bytes_of(put(at, n), n);
	s->octets += n;
	free(wire);
}

static void race_over(struct bodies *s, unsigned n, size_t least, size_t most, const char *what,
		      double bar)
{
	uint64_t random = 88172645463325252u;
	size_t room = n * 2 * (most + MAIL_LINE + 128);
	uint8_t *memory = kernels_memory(room), *at = memory;
	s->n = n;
	s->octets = 0;
	s->body = calloc(n, sizeof *s->body);
	s->digest = calloc(n, sizeof *s->digest);
	kernels_must(s->body && s->digest, "no memory");
	for (unsigned i = 0; i < n; i++) {
		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		make(s, &s->body[i], least + (size_t)(random % (most - least + 1)), &at, &random);
	}
	struct kernels_racer race[2] = { { .name = "lanes", .run = by_lanes, .arg = s },
					 { .name = "EVP", .run = by_evp, .arg = s } };
	kernels_race(race, 2);
	for (unsigned i = 0; i < n; i++)
		kernels_must(memcmp(s->body[i].job.digest, s->digest[i], HASH_DIGEST_MAX) == 0,
			     "digest of a body");
	char extra[80];
	double gb = (double)s->octets / 1e9, ratio = kernels_ratio(&race[1], &race[0]);
	snprintf(extra, sizeof extra, "%.2f GB/s, EVP %.2f GB/s,", gb / race[0].seconds,
		 gb / race[1].seconds);
	if (bar > 0)
		kernels_figure(what, ratio, bar, extra);
	else
		printf("# %s %s %.2f times\n", what, extra, ratio);
	free(s->body);
	free(s->digest);
	free(memory);
}

void kernels_lanes(void)
{
	enum { KB = 1024 };
	struct bodies s = { .md = EVP_MD_fetch(NULL, "SHA256", NULL), .ctx = EVP_MD_CTX_new() };
	s.queue = hash_queue_new(HASH_LANES_MAX);
	kernels_must(s.queue && s.md && s.ctx, "no memory");
	canon_ops_init(&s.canon, cpu_level());
	race_over(&s, 32, 20 * KB, 20 * KB,
		  "canonicalize + hash against EVP alone, mixed mail, in L2", 1.6);
	race_over(&s, 4096, 20 * KB, 20 * KB, "canonicalize + hash against EVP alone, from memory",
		  1.5);
	race_over(&s, 128, 2 * KB, 2 * KB, "the same, bodies of 2 KB,", 0);
	race_over(&s, 256, 200 * KB, 200 * KB, "the same, bodies of 200 KB from memory,", 0);
	race_over(&s, 256, 1 * KB, 500 * KB, "the same, bodies of 1 to 500 KB from memory,", 0);
	hash_queue_free(s.queue);
	EVP_MD_CTX_free(s.ctx);
	EVP_MD_free(s.md);
}
