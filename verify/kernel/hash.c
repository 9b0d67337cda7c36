/* SHA256_Update and its like are deprecated, but only they work on the caller's memory alone */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "verify/kernel/hash.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "verify/kernel/sha256.h"

/*
 * A job in work. SHA-256: the state stands in the queue's lanes, and so do the whole blocks that wait
 * for it: n[i] of them at p[i], in memory of the job, in `piece` or in `tail`. `have` is what
 * was pulled and is not given to the lane yet. What fills no block is carried in front of the next
 * piece, or where that lies elsewhere gathered in tail; the padding stands right behind the last
 * octets, so that a short string is one run.
 * With enough jobs in work blocks of all of them go through the vector kernel together, as many as
 * the lane with fewest has, and only lanes that ran dry are looked at before the next run; the
 * kernel fetches meanwhile what they will pull next. With fewer, they go by twos or alone.
 */
enum {
	HASH_CARRY = SHA256_BLOCK,
	HASH_PAD = 2 * SHA256_BLOCK,
	HASH_AHEAD = 1024, /* of a piece that lies elsewhere */
	NOBODY = UINT32_MAX, /* blocks of a lane without a SHA-256 job: it never is the shortest */
};

struct lane {
	struct hash_job *job; /* NULL: idle */
	struct bytes have;
	uint64_t total; /* octets pulled */
	uint8_t n_tail;
	bool last; /* the job has no more octets */
	bool padded; /* with the blocks given the string ends */
	SHA_CTX sha1;
	uint8_t tail[HASH_CARRY + HASH_PAD];
	_Alignas(64) uint8_t piece[HASH_CARRY + HASH_PIECE + HASH_PAD];
};

struct hash_queue {
	struct sha256_lanes state;
	const uint8_t *p[SHA256_LANES];
	uint32_t n[SHA256_LANES];
	/* to be fetched while the blocks given are worked on: n_ahead blocks, and then any */
	const uint8_t *ahead[SHA256_LANES];
	uint32_t n_ahead[SHA256_LANES];
	struct sha256_ops ops;
	unsigned lanes, busy;
	unsigned n_sha256;
	unsigned sha256, sha1, dry; /* sets of lanes; dry: of sha256, those without blocks */
	unsigned turn; /* the lane whose turn was last, of those not run together */
	struct hash_job *done[HASH_LANES_MAX]; /* finished, not yet given back */
	unsigned n_done;
	struct lane lane[HASH_LANES_MAX];
};

_Static_assert((int)HASH_LANES_MAX == (int)SHA256_LANES,
	       "a lane of the queue is a lane of the kernel");

struct hash_queue *hash_queue_new_level(unsigned lanes, enum cpu_level level, unsigned flags)
{
	assert(lanes >= 1 && lanes <= HASH_LANES_MAX);
	struct hash_queue *q = aligned_alloc(64, (sizeof *q + 63) / 64 * 64);
	if (!q)
		return NULL;
	memset(q, 0, sizeof *q);
	q->ops = sha256_ops_init(level, flags);
	q->lanes = q->ops.lanes && q->ops.width < lanes ? q->ops.width : lanes;
	for (unsigned i = 0; i < SHA256_LANES; i++)
		q->n[i] = NOBODY;
	return q;
}

struct hash_queue *hash_queue_new(unsigned lanes)
{
	return hash_queue_new_level(lanes, cpu_level(), cpu_flags());
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
	l->n_tail = 0;
	l->last = l->padded = false;
	if (job->algorithm == HASH_SHA1) {
		SHA1_Init(&l->sha1);
		q->sha1 |= 1u << i;
		return;
	}
	q->sha256 |= 1u << i;
	q->dry |= 1u << i;
	q->n_sha256++;
	q->n_ahead[i] = 0;
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

static void finish(struct hash_queue *q, unsigned i)
{
	struct lane *l = &q->lane[i];
	struct hash_job *job = l->job;
	if (job->algorithm == HASH_SHA1) {
		SHA1_Final(job->digest, &l->sha1);
		q->sha1 &= ~(1u << i);
	} else {
		for (int w = 0; w < 8; w++) {
			uint32_t v = __builtin_bswap32(q->state.word[w][i]);
			memcpy(job->digest + w * 4, &v, 4);
		}
		q->sha256 &= ~(1u << i);
		q->n_sha256--;
		q->n[i] = NOBODY;
	}
	job->digest_len = hash_len(job->algorithm);
	l->job = NULL;
	q->busy--;
	q->done[q->n_done++] = job;
}

/* The 1 bit, zeros and the length behind the n octets at p (FIPS 180-4 5.1.1). Returns octets with
 * them. */
static size_t pad(uint8_t *p, size_t n, uint64_t total)
{
	size_t end = (n + 9 + SHA256_BLOCK - 1) / SHA256_BLOCK * SHA256_BLOCK;
	uint64_t bits = __builtin_bswap64(total * 8);
	p[n] = 0x80;
	memset(p + n + 1, 0, end - 8 - n - 1);
	memcpy(p + end - 8, &bits, 8);
	return end;
}

static void pull(struct hash_queue *q, unsigned i)
{
	struct lane *l = &q->lane[i];
	uint8_t *buf = l->piece + HASH_CARRY;
	l->last = !l->job->next(l->job, buf, HASH_PIECE, &l->have);
	l->total += l->have.n;
	bool own = l->have.n && l->have.p == buf;
	struct bytes ahead = l->job->ahead;
	if (!ahead.n && !own)
		ahead = bytes_from(l->have, HASH_AHEAD);
	q->ahead[i] = ahead.p;
	q->n_ahead[i] = (uint32_t)((ahead.n + SHA256_BLOCK - 1) / SHA256_BLOCK);
	if (!own)
		return;
	memcpy(buf - l->n_tail, l->tail, l->n_tail);
	buf -= l->n_tail;
	size_t n = l->have.n + l->n_tail;
	l->n_tail = 0;
	l->padded = l->last;
	l->have = bytes_of(buf, l->padded ? pad(buf, n, l->total) : n);
}

static void give(struct hash_queue *q, unsigned i, const uint8_t *p, size_t octets)
{
	if (!q->n_ahead[i])
		q->ahead[i] = p;
	q->p[i] = p;
	q->n[i] = (uint32_t)(octets / SHA256_BLOCK);
}

/* The lane's blocks are used up: gives it more, or its job is done. */
static void feed(struct hash_queue *q, unsigned i)
{
	struct lane *l = &q->lane[i];
	q->dry &= ~(1u << i);
	for (;;) {
		if (!l->n_tail && l->have.n >= SHA256_BLOCK) {
			size_t n = l->have.n / SHA256_BLOCK * SHA256_BLOCK;
			give(q, i, l->have.p, n);
			l->have = bytes_from(l->have, n);
			return;
		}
		if (l->have.n) {
			size_t n = SHA256_BLOCK - l->n_tail;
			n = n < l->have.n ? n : l->have.n;
			memcpy(l->tail + l->n_tail, l->have.p, n);
			l->n_tail = (uint8_t)(l->n_tail + n);
			l->have = bytes_from(l->have, n);
			if (l->n_tail == SHA256_BLOCK) {
				l->n_tail = 0;
				give(q, i, l->tail, SHA256_BLOCK);
				return;
			}
		} else if (l->padded) {
			finish(q, i);
			return;
		} else if (l->last) {
			l->padded = true;
			give(q, i, l->tail, pad(l->tail, l->n_tail, l->total));
			l->n_tail = 0;
			return;
		} else {
			pull(q, i);
		}
	}
}

static inline void took(struct hash_queue *q, unsigned i, uint32_t blocks)
{
	const size_t octets = (size_t)blocks * SHA256_BLOCK;
	bool more = q->n_ahead[i] > blocks;
	q->p[i] += octets;
	q->n[i] -= blocks;
	q->ahead[i] = more ? q->ahead[i] + octets : q->p[i];
	q->n_ahead[i] = more ? q->n_ahead[i] - blocks : 0;
	q->dry |= (unsigned)!q->n[i] << i;
}

/* All SHA-256 lanes together, as far as the shortest of them reaches. */
static void step_together(struct hash_queue *q)
{
	uint32_t blocks = NOBODY;
	for (unsigned i = 0; i < SHA256_LANES; i++)
		blocks = q->n[i] < blocks ? q->n[i] : blocks;
	unsigned idle = ~q->sha256;
	const uint8_t *any = q->p[__builtin_ctz(q->sha256)];
	for (; idle; idle &= idle - 1) { /* the state of these is nobody's */
		int i = __builtin_ctz(idle);
		q->p[i] = q->ahead[i] = any;
		q->n[i] = NOBODY;
		q->n_ahead[i] = 0;
	}
	q->ops.lanes(&q->state, q->p, q->ahead, blocks);
	const size_t octets = (size_t)blocks * SHA256_BLOCK;
	/* as took, a row after the other: whole rows go by few instructions */
	for (unsigned i = 0; i < SHA256_LANES; i++) {
		uint32_t left = q->n_ahead[i];
		q->p[i] += octets;
		q->n[i] -= blocks;
		q->n_ahead[i] = (left > blocks ? left : blocks) - blocks;
	}
	for (unsigned i = 0; i < SHA256_LANES; i++) {
		q->ahead[i] = q->n_ahead[i] ? q->ahead[i] + octets : q->p[i];
		q->dry |= (unsigned)!q->n[i] << i;
	}
}

/* The next of the set behind lane i, in a circle; set is not empty. */
static unsigned next_of(unsigned set, unsigned i)
{
	unsigned behind = set & ~((2u << i) - 1);
	return (unsigned)__builtin_ctz(behind ? behind : set);
}

static void step_alone(struct hash_queue *q, unsigned i)
{
	SHA256_CTX ctx = { .md_len = SHA256_DIGEST_LENGTH };
	uint32_t blocks = q->n[i];
	for (int w = 0; w < 8; w++)
		ctx.h[w] = q->state.word[w][i];
	SHA256_Update(&ctx, q->p[i], (size_t)blocks * SHA256_BLOCK); /* nothing stays in ctx */
	for (int w = 0; w < 8; w++)
		q->state.word[w][i] = ctx.h[w];
	took(q, i, blocks);
}

/* The one or two SHA-256 lanes whose turn it is. */
static void step_few(struct hash_queue *q)
{
	unsigned i = next_of(q->sha256, q->turn), j = next_of(q->sha256, i);
	if (!q->ops.pair || i == j) {
		step_alone(q, i);
		q->turn = i;
		return;
	}
	uint32_t blocks = q->n[i] < q->n[j] ? q->n[i] : q->n[j];
	q->ops.pair(&q->state, (unsigned[2]){ i, j }, (const uint8_t *[2]){ q->p[i], q->p[j] },
		    blocks);
	took(q, i, blocks);
	took(q, j, blocks);
	q->turn = j;
}

/* A piece of each SHA-1 job. */
static void step_sha1(struct hash_queue *q)
{
	for (unsigned set = q->sha1; set; set &= set - 1) {
		unsigned i = (unsigned)__builtin_ctz(set);
		struct lane *l = &q->lane[i];
		struct bytes in = { NULL, 0 };
		bool more = l->job->next(l->job, l->piece, HASH_PIECE, &in);
		if (in.n)
			SHA1_Update(&l->sha1, in.p, in.n);
		if (!more)
			finish(q, i);
	}
}

/* Works until a job is finished; at least one is in work or finished. */
static struct hash_job *run(struct hash_queue *q)
{
	for (;;) {
		while (q->dry)
			feed(q, (unsigned)__builtin_ctz(q->dry));
		if (q->n_done)
			return q->done[--q->n_done];
		step_sha1(q);
		if (q->ops.lanes && q->n_sha256 >= q->ops.worth)
			step_together(q);
		else if (q->sha256)
			step_few(q);
	}
}

struct hash_job *hash_submit(struct hash_queue *q, struct hash_job *job)
{
	struct hash_job *done = q->n_done || q->busy == q->lanes ? run(q) : NULL;
	lane_begin(q, (unsigned)__builtin_ctz(~(q->sha256 | q->sha1)), job);
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
