/* A job's digest is that of its octets, whatever the level, the number of lanes, the cut of its
 * pieces and its neighbours. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "tests/test.h"
#include "verify/kernel/hash.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/cpu.h"

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

/* What comes next, or where nothing is: it is only fetched. */
static struct bytes ahead_of(const struct source *s, struct bytes b)
{
	if (s->step % 4 == 1)
		return bytes_of(b.p + b.n, s->step);
	return s->step % 4 ? s->left : bytes_of(NULL, 0);
}

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
	job->ahead = ahead_of(s, b);
	*out = b;
	s->empty = s->step % 3 == 0;
	if (s->left.n || !s->late)
		return s->left.n != 0;
	s->late = false;
	return true;
}

/* SHA-256 of the octets, cut somehow. */
static void fill_with(struct source *s, struct bytes octets, uint64_t *state)
{
	*s = (struct source){ .job = { .next = source_next, .owner = s },
			      .left = octets,
			      .step = 1 + test_random(state) % HASH_PIECE,
			      .copy = test_random(state) % 2,
			      .late = test_random(state) % 2 };
	CU_ASSERT(EVP_Digest(octets.p, octets.n, s->want, NULL, EVP_sha256(), NULL) == 1);
}

/* Any job: length, algorithm and a digest that runs already. */
static void fill(struct source *s, const uint8_t *octets, uint64_t *state)
{
	size_t n = test_random(state) % (test_random(state) % 2 ? OCTETS_MAX : 200);
	fill_with(s, bytes_of(octets + test_random(state) % 64, n), state);
	if (test_random(state) % 4 == 0) {
		s->job.algorithm = HASH_SHA1;
		CU_ASSERT(EVP_Digest(s->left.p, n, s->want, NULL, EVP_sha1(), NULL) == 1);
	} else if (test_random(state) % 3 == 0) {
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

/* All that this processor can be told to be, in turn. */
static struct hash_queue *queue_of(unsigned lanes, unsigned turn)
{
	unsigned levels = cpu_level() + 1u;
	unsigned flags = turn / levels % 2 ? 0 : cpu_flags();
	struct hash_queue *q = hash_queue_new_level(lanes, (enum cpu_level)(turn % levels), flags);
	CU_ASSERT_FATAL(q != NULL);
	return q;
}

/* 1 to JOBS jobs through one queue. */
static void some_jobs(unsigned lanes, const uint8_t *octets, struct source *source, uint64_t *state)
{
	for (unsigned jobs = 1; jobs <= JOBS; jobs += 3) {
		struct hash_queue *q = queue_of(lanes, jobs / 3);
		unsigned done = 0;
		for (unsigned i = 0; i < jobs; i++) {
			fill(&source[i], octets, state);
			done += take(hash_submit(q, &source[i].job));
			if (test_random(state) % 8 == 0)
				done += take(hash_poll(q));
		}
		for (struct hash_job *job; (job = hash_flush(q));)
			done += take(job);
		CU_ASSERT_EQUAL(done, jobs);
		CU_ASSERT_PTR_NULL(hash_poll(q));
		CU_ASSERT_PTR_NULL(hash_flush(q));
		hash_queue_free(q);
	}
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
		some_jobs(lanes, octets, source, &state);
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

/* Each length with each alignment beside others; the octets end at a page without access. */
static void every_length_and_alignment(void)
{
	enum { LENGTH_MAX = 1000 };
	static uint8_t octets[LENGTH_MAX + 64];
	struct source source[HASH_LANES_MAX];
	uint64_t state = 3;
	for (size_t i = 0; i < sizeof octets; i++)
		octets[i] = (uint8_t)test_random(&state);
	for (unsigned turn = 0; turn < 2 * CPU_LEVEL_N; turn++) {
		struct hash_queue *q = queue_of(HASH_LANES_MAX, turn);
		for (size_t n = 0; n <= LENGTH_MAX; n++) {
			uint8_t *p = test_guard(octets, n + 64);
			unsigned jobs = 1 + (unsigned)n % HASH_LANES_MAX, done = 0;
			for (unsigned i = 0; i < jobs; i++) { /* all end where the page does */
				size_t cut = (n + 4 * i) % 64;
				fill_with(&source[i], bytes_of(p + cut, n + 64 - cut), &state);
				done += take(hash_submit(q, &source[i].job));
			}
			for (struct hash_job *job; (job = hash_flush(q));)
				done += take(job);
			CU_ASSERT_EQUAL(done, jobs);
			test_guard_free(p, n + 64);
		}
		for (size_t n = 0; n < 64; n++) { /* and the shortest */
			fill_with(&source[0], bytes_of(octets + n, n), &state);
			CU_ASSERT_PTR_NULL(hash_submit(q, &source[0].job));
			CU_ASSERT_EQUAL(take(hash_flush(q)), 1);
		}
		hash_queue_free(q);
	}
}

/* However many SHA-256 jobs keep coming, a SHA-1 job among them ends. */
static void sha1_is_not_starved(void)
{
	enum { SHORT = 100, TURNS = 2000 };
	static uint8_t octets[OCTETS_MAX + 64];
	struct source source[HASH_LANES_MAX + 1], old = { .job = { .next = source_next } };
	struct hash_queue *q = hash_queue_new(HASH_LANES_MAX);
	uint64_t state = 8;
	unsigned turns = 0;
	CU_ASSERT_FATAL(q != NULL);
	old.job.algorithm = HASH_SHA1;
	old.job.owner = &old;
	old.left = bytes_of(octets, OCTETS_MAX);
	old.step = HASH_PIECE;
	CU_ASSERT(EVP_Digest(octets, OCTETS_MAX, old.want, NULL, EVP_sha1(), NULL) == 1);
	struct hash_job *done = hash_submit(q, &old.job);
	for (unsigned i = 0; !old.done && turns < TURNS; turns++) {
		struct source *s = done ? done->owner : &source[i++];
		fill_with(s, bytes_of(octets, SHORT), &state);
		done = hash_submit(q, &s->job);
		take(done);
	}
	CU_ASSERT(old.done);
	for (struct hash_job *job; (job = hash_flush(q));)
		take(job);
	hash_queue_free(q);
}

/* n letters a after text, in pieces of at most cap. */
struct known {
	struct hash_job job; /* first */
	const char *text;
	size_t letters;
	const char *want;
};

static bool known_next(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	struct known *k = (struct known *)job;
	size_t n = k->letters < cap ? k->letters : cap;
	*out = bytes_of(buf, n);
	memset(buf, 'a', n);
	k->letters -= n;
	if (k->text) {
		*out = bytes_str(k->text);
		k->text = NULL;
	}
	return k->letters != 0;
}

static void digest_is(const struct hash_job *job)
{
	const struct known *k = (const struct known *)job;
	char hex[2 * HASH_DIGEST_MAX + 1];
	for (unsigned i = 0; i < job->digest_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", job->digest[i]);
	CU_ASSERT_STRING_EQUAL(hex, k->want);
}

/* The examples to FIPS 180-4, alone and beside each other in any lane. */
static void fips180_4_examples(void)
{
	static const struct known rows[] = {
		{ .text = "abc",
		  .want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ .text = "",
		  .want = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ .text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  .want = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ .text = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnop"
			  "jklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		  .want = "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
		{ .letters = 1000000,
		  .want = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
		{ .job.algorithm = HASH_SHA1,
		  .text = "abc",
		  .want = "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ .job.algorithm = HASH_SHA1,
		  .letters = 1000000,
		  .want = "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
	};
	enum { ROWS = sizeof rows / sizeof rows[0] };
	for (unsigned turn = 0; turn < 2 * CPU_LEVEL_N; turn++)
		for (unsigned jobs = 1; jobs <= HASH_LANES_MAX; jobs++) {
			struct hash_queue *q = queue_of(HASH_LANES_MAX, turn);
			struct known k[HASH_LANES_MAX];
			struct hash_job *done;
			for (unsigned i = 0; i < jobs; i++) {
				k[i] = rows[(i + jobs) % ROWS];
				k[i].job.next = known_next;
				if ((done = hash_submit(q, &k[i].job)))
					digest_is(done);
			}
			while ((done = hash_flush(q)))
				digest_is(done);
			hash_queue_free(q);
		}
}

/* A running digest of more than 512 MiB: the length in the padding has more than 32 bits. */
static void length_over_32_bits(void)
{
	static const uint8_t octets[1000] = "long";
	for (unsigned turn = 0; turn < 2 * CPU_LEVEL_N; turn++)
		for (unsigned high = 0; high < 3; high++) {
			struct hash_queue *q = queue_of(HASH_LANES_MAX, turn);
			struct source s[HASH_LANES_MAX];
			unsigned done = 0;
			for (unsigned i = 0; i < HASH_LANES_MAX; i++) {
				size_t n = i * 31;
				s[i] = (struct source){ .job = { .next = source_next,
								 .owner = &s[i] },
							.left = bytes_of(octets, n),
							.step = 100 };
				s[i].job.running = &s[i].running;
				SHA256_Init(&s[i].running);
				SHA256_Update(&s[i].running, octets, 999 - n);
				s[i].running.Nh = high * 0x10001 + (high && i);
				s[i].running.Nl |= high ? 0xfffff000 & ~0xfffu << i : 0;
				SHA256_CTX ctx = s[i].running;
				SHA256_Update(&ctx, octets, n);
				SHA256_Final(s[i].want, &ctx);
				done += take(hash_submit(q, &s[i].job));
			}
			for (struct hash_job *job; (job = hash_flush(q));)
				done += take(job);
			CU_ASSERT_EQUAL(done, HASH_LANES_MAX);
			hash_queue_free(q);
		}
}

/* With few jobs each has its turn: one of a block is not held up by one of a megabyte in front of it. */
static void a_short_one_goes_by(void)
{
	for (unsigned turn = 0; turn < 2 * CPU_LEVEL_N; turn++)
		for (unsigned longer = 1; longer < 3; longer++) {
			struct hash_queue *q = queue_of(HASH_LANES_MAX, turn);
			struct known k[3] = { { .letters = 1000000 }, { .letters = 1000000 } };
			k[longer].letters = 60;
			for (unsigned i = 0; i <= longer; i++) {
				k[i].job.next = known_next;
				CU_ASSERT_PTR_NULL(hash_submit(q, &k[i].job));
			}
			CU_ASSERT_PTR_EQUAL(hash_flush(q), &k[longer].job);
			CU_ASSERT(k[0].letters > 900000);
			while (hash_flush(q))
				;
			hash_queue_free(q);
		}
}

/* Lanes are refilled while others go on: a stream of jobs of 1 to 10^5 octets keeps them busy, and
 * each digest is right. */
static void lanes_are_refilled(void)
{
	enum { MANY = 400, LONGEST = 100000 };
	static uint8_t octets[LONGEST];
	struct source *source = malloc(MANY * sizeof *source);
	uint64_t state = 77;
	CU_ASSERT_FATAL(source != NULL);
	for (size_t i = 0; i < sizeof octets; i++)
		octets[i] = (uint8_t)test_random(&state);
	for (unsigned turn = 0; turn < 2 * CPU_LEVEL_N; turn++) {
		struct hash_queue *q = queue_of(HASH_LANES_MAX, turn);
		unsigned done = 0;
		for (unsigned i = 0; i < MANY; i++) {
			size_t n = LONGEST >> test_random(&state) % 17;
			fill_with(&source[i], bytes_of(octets, n - test_random(&state) % n),
				  &state);
			done += take(hash_submit(q, &source[i].job));
		}
		CU_ASSERT(done >=
			  MANY - HASH_LANES_MAX); /* a full queue gives one for each taken */
		for (struct hash_job *job; (job = hash_flush(q));)
			done += take(job);
		CU_ASSERT_EQUAL(done, MANY);
		hash_queue_free(q);
	}
	free(source);
}

/* The octets of jobs in work may go away with the queue. */
static void freed_with_jobs_in_work(void)
{
	for (unsigned turn = 0; turn < 2 * CPU_LEVEL_N; turn++) {
		struct hash_queue *q = queue_of(HASH_LANES_MAX, turn);
		uint8_t *octets = calloc(HASH_LANES_MAX, 6000);
		struct source *s = calloc(HASH_LANES_MAX, sizeof *s);
		uint64_t state = turn;
		CU_ASSERT_FATAL(octets && s);
		for (unsigned i = 0; i + 1 < HASH_LANES_MAX; i++) {
			fill_with(&s[i], bytes_of(octets + i * 6000, i ? 6000 : 1), &state);
			take(hash_submit(q, &s[i].job));
		}
		CU_ASSERT_EQUAL(take(hash_flush(q)), 1); /* all have begun */
		free(s);
		free(octets);
		hash_queue_free(q);
	}
}

TEST_MAIN("hash", TEST(fips180_4_examples), TEST(length_over_32_bits), TEST(a_short_one_goes_by),
	  TEST(lanes_are_refilled), TEST(freed_with_jobs_in_work), TEST(every_number_of_lanes),
	  TEST(every_length_and_alignment), TEST(a_job_comes_back_late), TEST(sha1_is_not_starved))
