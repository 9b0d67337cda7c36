/* SHA256_Update and its like are deprecated, but only they work on the caller's memory alone */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "verify/kernel/hash.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "verify/kernel/sha256.h"

/*
 * A job in work. SHA-256: the state stands in the queue's lanes, `tail` keeps octets that fill no
 * block, and at the end holds the padding; `have` is what is left of the piece pulled last, in
 * `piece` behind HASH_CARRY or in memory of the job. With enough jobs in work, blocks of all of
 * them go through the vector kernel together; with fewer, each lane alone through OpenSSL.
 */
enum { HASH_CARRY = 64 };

struct lane {
	struct hash_job *job; /* NULL: idle */
	struct bytes have;
	uint64_t total; /* octets pulled */
	uint8_t tail[2 * SHA256_BLOCK];
	uint8_t n_tail;
	uint8_t pad; /* blocks of padding left in tail; 0: the string goes on */
	uint8_t padded; /* of them, given */
	bool last; /* the job has no more octets */
	SHA_CTX sha1;
	_Alignas(64) uint8_t piece[HASH_CARRY + HASH_PIECE];
};

struct hash_queue {
	struct sha256_lanes state;
	struct sha256_ops ops;
	unsigned lanes, busy, sha256, turn;
	struct hash_job *done[HASH_LANES_MAX]; /* finished, not yet given back */
	unsigned n_done;
	struct lane lane[HASH_LANES_MAX];
};

_Static_assert((int)HASH_LANES_MAX == (int)SHA256_LANES,
	       "a lane of the queue is a lane of the kernel");

struct hash_queue *hash_queue_new(unsigned lanes)
{
	assert(lanes >= 1 && lanes <= HASH_LANES_MAX);
	struct hash_queue *q = aligned_alloc(64, (sizeof *q + 63) / 64 * 64);
	if (!q)
		return NULL;
	memset(q, 0, sizeof *q);
	q->lanes = lanes;
	q->ops = sha256_ops_init(cpu_level());
	return q;
}

void hash_queue_free(struct hash_queue *q)
{
	free(q);
}

uint8_t hash_len(enum hash_algorithm algorithm)
{
	return algorithm == HASH_SHA1 ? SHA_DIGEST_LENGTH : SHA256_DIGEST_LENGTH;
}

static void lane_begin(struct hash_queue *q, unsigned i, struct hash_job *job)
{
	struct lane *l = &q->lane[i];
	l->job = job;
	l->have = (struct bytes){ NULL, 0 };
	l->total = 0;
	l->n_tail = l->pad = l->padded = 0;
	l->last = false;
	if (job->algorithm == HASH_SHA1) {
		SHA1_Init(&l->sha1);
		return;
	}
	q->sha256++;
	sha256_lane_init(&q->state, i);
	if (job->running) {
		const SHA256_CTX *ctx = job->running;
		for (int w = 0; w < 8; w++)
			q->state.word[w][i] = ctx->h[w];
		l->total = ((uint64_t)ctx->Nh << 32 | ctx->Nl) / 8;
		l->n_tail = (uint8_t)ctx->num;
		memcpy(l->tail, ctx->data, ctx->num);
	}
}

/* The 1 bit, zeros and the length behind what is in tail: one block or two (FIPS 180-4 5.1.1). */
static void lane_pad(struct lane *l)
{
	uint64_t bits = l->total * 8;
	l->pad = l->n_tail + 9 <= SHA256_BLOCK ? 1 : 2;
	size_t end = (size_t)l->pad * SHA256_BLOCK;
	l->tail[l->n_tail] = 0x80;
	memset(l->tail + l->n_tail + 1, 0, end - l->n_tail - 1);
	for (int i = 0; i < 8; i++)
		l->tail[end - 1 - (size_t)i] = (uint8_t)(bits >> 8 * i);
}

/* Pulls until a whole block is there; *p is where. Returns blocks, at least 1. */
static size_t lane_blocks(struct lane *l, const uint8_t **p)
{
	for (;;) {
		if (l->pad) {
			*p = l->tail + (size_t)l->padded * SHA256_BLOCK;
			return (size_t)(l->pad - l->padded);
		}
		if (l->n_tail == SHA256_BLOCK) {
			*p = l->tail;
			return 1;
		}
		if (l->n_tail == 0 && l->have.n >= SHA256_BLOCK) {
			*p = l->have.p;
			return l->have.n / SHA256_BLOCK;
		}
		if (l->have.n) {
			size_t n = SHA256_BLOCK - l->n_tail;
			n = n < l->have.n ? n : l->have.n;
			memcpy(l->tail + l->n_tail, l->have.p, n);
			l->n_tail = (uint8_t)(l->n_tail + n);
			l->have = bytes_from(l->have, n);
		} else if (l->last) {
			lane_pad(l);
		} else {
			uint8_t *buf = l->piece + HASH_CARRY;
			l->last = !l->job->next(l->job, buf, HASH_PIECE, &l->have);
			l->total += l->have.n;
			if (l->have.n && l->have.p == buf) { /* what is left over goes in front */
				memcpy(buf - l->n_tail, l->tail, l->n_tail);
				l->have = bytes_of(buf - l->n_tail, l->have.n + l->n_tail);
				l->n_tail = 0;
			}
		}
	}
}

/* So many blocks of what lane_blocks told went into the state. True: that was the last. */
static bool lane_took(struct lane *l, size_t blocks)
{
	if (l->pad) {
		l->padded = (uint8_t)(l->padded + blocks);
		return l->padded == l->pad;
	}
	if (l->n_tail == SHA256_BLOCK)
		l->n_tail = 0;
	else
		l->have = bytes_from(l->have, blocks * SHA256_BLOCK);
	return false;
}

static void finish(struct hash_queue *q, unsigned i)
{
	struct lane *l = &q->lane[i];
	struct hash_job *job = l->job;
	if (job->algorithm == HASH_SHA1) {
		SHA1_Final(job->digest, &l->sha1);
	} else {
		for (int w = 0; w < 8; w++) {
			uint32_t v = __builtin_bswap32(q->state.word[w][i]);
			memcpy(job->digest + w * 4, &v, 4);
		}
		q->sha256--;
	}
	job->digest_len = hash_len(job->algorithm);
	l->job = NULL;
	q->busy--;
	q->done[q->n_done++] = job;
}

/* All SHA-256 lanes together, as far as the shortest of them reaches. */
static void step_together(struct hash_queue *q)
{
	const uint8_t *p[SHA256_LANES], *any = NULL;
	size_t blocks = SIZE_MAX;
	for (unsigned i = 0; i < SHA256_LANES; i++) {
		struct lane *l = &q->lane[i];
		p[i] = NULL;
		if (i >= q->lanes || !l->job || l->job->algorithm == HASH_SHA1)
			continue;
		size_t n = lane_blocks(l, &p[i]);
		blocks = n < blocks ? n : blocks;
		any = p[i];
	}
	bool idle[SHA256_LANES];
	for (unsigned i = 0; i < SHA256_LANES; i++) {
		idle[i] = !p[i];
		if (idle[i])
			p[i] = any; /* its state is nobody's */
	}
	q->ops.lanes(&q->state, p, blocks);
	for (unsigned i = 0; i < q->lanes; i++)
		if (!idle[i] && lane_took(&q->lane[i], blocks))
			finish(q, i);
}

/* One lane alone, a piece. */
static void step_alone(struct hash_queue *q, unsigned i)
{
	struct lane *l = &q->lane[i];
	struct hash_job *job = l->job;
	if (job->algorithm == HASH_SHA1) {
		struct bytes in = { NULL, 0 };
		bool more = job->next(job, l->piece, HASH_PIECE, &in);
		if (in.n)
			SHA1_Update(&l->sha1, in.p, in.n);
		if (!more)
			finish(q, i);
		return;
	}
	const uint8_t *p;
	size_t blocks = lane_blocks(l, &p);
	SHA256_CTX ctx = { .md_len = SHA256_DIGEST_LENGTH };
	for (int w = 0; w < 8; w++)
		ctx.h[w] = q->state.word[w][i];
	SHA256_Update(&ctx, p, blocks * SHA256_BLOCK); /* whole blocks: nothing stays in ctx */
	for (int w = 0; w < 8; w++)
		q->state.word[w][i] = ctx.h[w];
	if (lane_took(l, blocks))
		finish(q, i);
}

/* Works until a job is finished; at least one is in work or finished. */
static struct hash_job *run(struct hash_queue *q)
{
	while (!q->n_done) {
		if (q->ops.lanes && q->sha256 >= q->ops.worth) {
			step_together(q);
			continue;
		}
		if (q->lane[q->turn].job)
			step_alone(q, q->turn);
		q->turn = (q->turn + 1) % q->lanes;
	}
	return q->done[--q->n_done];
}

struct hash_job *hash_submit(struct hash_queue *q, struct hash_job *job)
{
	struct hash_job *done = q->n_done || q->busy == q->lanes ? run(q) : NULL;
	unsigned i = 0;
	while (q->lane[i].job)
		i++;
	lane_begin(q, i, job);
	q->busy++;
	return done;
}

struct hash_job *hash_poll(struct hash_queue *q)
{
	return q->n_done || q->busy == q->lanes ? run(q) : NULL;
}

struct hash_job *hash_flush(struct hash_queue *q)
{
	return q->n_done || q->busy ? run(q) : NULL;
}
