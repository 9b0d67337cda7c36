/* A job's digest is that of its octets, whatever the number of lanes, the cut of its pieces and its neighbours. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "tests/test.h"
#include "verify/kernel/hash.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

enum { JOBS = 40, OCTETS_MAX = 20000 };

struct source {
	struct hash_job job; /* first */
	struct bytes left;
	size_t step;
	bool copy, done;
	bool late; /* the end comes behind the last octets, not with them */
	unsigned empty; /* pieces of nothing still to come */
	uint8_t want[HASH_DIGEST_MAX];
	SHA256_CTX running;
};

static bool source_next(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	struct source *s = (struct source *)job;
	size_t step = s->step < cap ? s->step : cap;
	if (s->empty) {
		s->empty--;
		return true;
	}
	struct bytes b = bytes_head(s->left, step);
	s->left = bytes_from(s->left, b.n);
	if (s->copy && b.n) {
		memcpy(buf, b.p, b.n);
		b.p = buf;
	}
	*out = b;
	s->empty = s->step % 3 == 0;
	if (s->left.n || !s->late)
		return s->left.n != 0;
	s->late = false;
	return true;
}

static void fill(struct source *s, const uint8_t *octets, uint64_t *state)
{
	size_t n = test_random(state) % (test_random(state) % 2 ? OCTETS_MAX : 200);
	*s = (struct source){ .job = { .next = source_next, .owner = s },
			      .left = bytes_of(octets + test_random(state) % 64, n),
			      .step = 1 + test_random(state) % HASH_PIECE,
			      .copy = test_random(state) % 2,
			      .late = test_random(state) % 2 };
	s->job.algorithm = test_random(state) % 4 == 0 ? HASH_SHA1 : HASH_SHA256;
	const EVP_MD *md = s->job.algorithm == HASH_SHA1 ? EVP_sha1() : EVP_sha256();
	CU_ASSERT(EVP_Digest(s->left.p, n, s->want, NULL, md, NULL) == 1);
	if (s->job.algorithm == HASH_SHA256 && test_random(state) % 3 == 0) {
		size_t before = test_random(state) % (n + 1);
		SHA256_Init(&s->running);
		SHA256_Update(&s->running, s->left.p, before);
		s->left = bytes_from(s->left, before);
		s->job.running = &s->running;
	}
}

static unsigned take(struct hash_job *job)
{
	if (!job)
		return 0;
	struct source *s = job->owner;
	CU_ASSERT(!s->done);
	CU_ASSERT_EQUAL(job->digest_len, hash_len(job->algorithm));
	CU_ASSERT(memcmp(job->digest, s->want, job->digest_len) == 0);
	s->done = true;
	return 1;
}

static void every_number_of_lanes(void)
{
	uint8_t *octets = malloc(OCTETS_MAX + 64);
	struct source *source = malloc(JOBS * sizeof *source);
	uint64_t state = 11;
	CU_ASSERT_FATAL(octets && source);
	for (size_t i = 0; i < OCTETS_MAX + 64; i++)
		octets[i] = (uint8_t)test_random(&state);
	for (unsigned lanes = 1; lanes <= HASH_LANES_MAX; lanes++)
		for (unsigned jobs = 1; jobs <= JOBS; jobs += 3) {
			struct hash_queue *q = hash_queue_new(lanes);
			unsigned done = 0;
			CU_ASSERT_FATAL(q != NULL);
			for (unsigned i = 0; i < jobs; i++) {
				fill(&source[i], octets, &state);
				done += take(hash_submit(q, &source[i].job));
				if (test_random(&state) % 8 == 0)
					done += take(hash_poll(q));
			}
			for (struct hash_job *job; (job = hash_flush(q));)
				done += take(job);
			CU_ASSERT_EQUAL(done, jobs);
			CU_ASSERT_PTR_NULL(hash_poll(q));
			CU_ASSERT_PTR_NULL(hash_flush(q));
			hash_queue_free(q);
		}
	free(octets);
	free(source);
}

/* The hard case for callers: nothing comes back from the first submit. */
static void a_job_comes_back_late(void)
{
	struct hash_queue *q = hash_queue_new(1);
	struct source s[2];
	uint8_t octets[OCTETS_MAX + 64] = { 0 };
	uint64_t state = 5;
	CU_ASSERT_FATAL(q != NULL);
	fill(&s[0], octets, &state);
	fill(&s[1], octets, &state);
	CU_ASSERT_PTR_NULL(hash_submit(q, &s[0].job));
	CU_ASSERT_PTR_EQUAL(hash_submit(q, &s[1].job), &s[0].job);
	CU_ASSERT_PTR_EQUAL(hash_flush(q), &s[1].job);
	hash_queue_free(q);
	hash_queue_free(NULL);
}

TEST_MAIN("hash", TEST(every_number_of_lanes), TEST(a_job_comes_back_late))
