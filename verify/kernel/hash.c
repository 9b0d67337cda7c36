/* SHA256_Update and its like are deprecated, but only they work on the caller's memory alone */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "verify/kernel/hash.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdlib.h>

struct lane {
	struct hash_job *job; /* NULL: idle */
	union {
		SHA256_CTX sha256;
		SHA_CTX sha1;
	} ctx;
};

struct hash_queue {
	_Alignas(64) uint8_t piece[HASH_PIECE];
	unsigned lanes, busy, turn;
	struct lane lane[HASH_LANES_MAX];
};

struct hash_queue *hash_queue_new(unsigned lanes)
{
	assert(lanes >= 1 && lanes <= HASH_LANES_MAX);
	struct hash_queue *q = aligned_alloc(64, (sizeof *q + 63) / 64 * 64);
	if (!q)
		return NULL;
	memset(q, 0, sizeof *q);
	q->lanes = lanes;
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

static void lane_begin(struct lane *l, struct hash_job *job)
{
	l->job = job;
	if (job->algorithm == HASH_SHA1)
		SHA1_Init(&l->ctx.sha1);
	else if (job->running)
		memcpy(&l->ctx.sha256, job->running, sizeof l->ctx.sha256);
	else
		SHA256_Init(&l->ctx.sha256);
}

/* One piece. True: the job is finished and the lane is idle. */
static bool lane_step(struct lane *l, uint8_t *piece)
{
	struct hash_job *job = l->job;
	struct bytes in = { NULL, 0 };
	bool more = job->next(job, piece, HASH_PIECE, &in);
	if (in.n && job->algorithm == HASH_SHA1)
		SHA1_Update(&l->ctx.sha1, in.p, in.n);
	else if (in.n)
		SHA256_Update(&l->ctx.sha256, in.p, in.n);
	if (more)
		return false;
	if (job->algorithm == HASH_SHA1)
		SHA1_Final(job->digest, &l->ctx.sha1);
	else
		SHA256_Final(job->digest, &l->ctx.sha256);
	job->digest_len = hash_len(job->algorithm);
	l->job = NULL;
	return true;
}

/* Turns the lanes until one is finished; at least one is busy. */
static struct hash_job *run(struct hash_queue *q)
{
	for (;; q->turn = (q->turn + 1) % q->lanes) {
		struct lane *l = &q->lane[q->turn];
		struct hash_job *job = l->job;
		if (job && lane_step(l, q->piece)) {
			q->busy--;
			return job;
		}
	}
}

struct hash_job *hash_submit(struct hash_queue *q, struct hash_job *job)
{
	struct hash_job *done = q->busy == q->lanes ? run(q) : NULL;
	unsigned i = 0;
	while (q->lane[i].job)
		i++;
	lane_begin(&q->lane[i], job);
	q->busy++;
	return done;
}

struct hash_job *hash_poll(struct hash_queue *q)
{
	return q->busy == q->lanes ? run(q) : NULL;
}

struct hash_job *hash_flush(struct hash_queue *q)
{
	return q->busy ? run(q) : NULL;
}
