/* Jobs cut out of the input, pulled in pieces it names: each digest is OpenSSL's, at every level. */
#include <openssl/sha.h>
#include <stdlib.h>

#include "verify/kernel/hash.h"

enum { JOBS = HASH_LANES_MAX + 8 };

struct source {
	struct hash_job job; /* first */
	struct bytes all, left;
	size_t step;
};

static bool source_next(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	struct source *s = (struct source *)job;
	*out = bytes_head(s->left, s->step % cap + 1);
	s->left = bytes_from(s->left, out->n);
	if (s->step & 1 && out->n)
		out->p = memcpy(buf, out->p, out->n);
	return s->left.n != 0;
}

static void check(struct hash_job *job)
{
	uint8_t want[SHA256_DIGEST_LENGTH];
	struct source *s = (struct source *)job;
	if (!job)
		return;
	SHA256(s->all.p, s->all.n, want);
	if (memcmp(want, job->digest, sizeof want) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct source source[JOBS];
	if (n < 2 + JOBS)
		return 0;
	struct hash_queue *q = hash_queue_new_level(1 + data[0] % HASH_LANES_MAX,
						    (enum cpu_level)(data[1] % (cpu_level() + 1)),
						    data[1] & 0x80 ? 0 : cpu_flags());
	for (unsigned i = 0; i < JOBS; i++) { /* sizes from nothing to all */
		struct bytes all = bytes_head(bytes_of(data, n), n * (data[2 + i] >> 4) / 15);
		all = bytes_from(all, all.n < i ? all.n : i);
		source[i] = (struct source){ { .next = source_next }, all, all, data[2 + i] * 37u };
		check(hash_submit(q, &source[i].job));
	}
	for (struct hash_job *job; (job = hash_flush(q));)
		check(job);
	hash_queue_free(q);
	return 0;
}
