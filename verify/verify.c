#include "verify/verify.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <stdatomic.h>

#include "verify/auth/address.h"
#include "verify/checks.h"

enum {
	/* lanes and batch of the queues: messages in flight share them */
	VERIFY_LANES = HASH_LANES_MAX,
	VERIFY_BATCH = PUBKEY_BATCH_MAX,
	/*
	 * Header fields and their table (112 KiB), h= lists (256), unfolded copies (256), 64
	 * signatures with keys and names (160), at most; a usual message takes 8 KiB, and pages
	 * never used are never there.
	 */
	VERIFY_ARENA = 1024 * 1024,
	/* and a page, so that what all slots use does not fall into the same few sets of a cache */
	VERIFY_SLOT = VERIFY_ARENA + CHECKS_KNOWN + 4096,
};

enum phase { PHASE_ASK, PHASE_HASH, PHASE_PUBKEY, PHASE_DONE };

struct verify {
	struct verify_engine *e;
	struct message *m; /* NULL: the slot is free */
	const struct config *cfg; /* the snapshot it was begun under */
	void *user;
	struct verify *next; /* in the list of free or of ready slots */
	uint8_t phase; /* enum phase */
	bool no_space, in_step;
	unsigned pending; /* jobs in the queues */
	struct arena arena;
	struct header header;
	struct checks_profiles profiles;
	struct checks checks;
	bool checks_on; /* begun and not given back */
	struct octets octets;
	struct hash_job sha256;
	struct verdict verdict;
	struct dkim_result alone; /* where there is no space for others */
};

struct verify_engine {
	const struct config *cfg;
	struct stats *stats;
	struct hash_queue *hash;
	struct pubkey_queue *pubkey;
	struct canon_ops canon;
	struct base64_ops base64;
	struct keys *keys;
	struct records *records;
	struct checks_profiles profiles; /* of cfg */
	struct trace *trace; /* NULL: nobody looks */
	unsigned jobs[VERIFY_QUEUES]; /* in each queue */
	unsigned held; /* queues that held jobs at the last verify_stuck and gave none back */
	uint64_t seed;
	uint8_t *memory; /* of the slots */
	size_t memory_len;
	struct verify *slot, *free; /* free: of those that were in use */
	unsigned slots, begun; /* from begun on never in use: their pages are not there */
	struct verify *ready, **ready_end;
};

void verify_engine_free(struct verify_engine *e)
{
	if (!e)
		return;
	if (e->memory)
		munmap(e->memory, e->memory_len);
	records_free(e->records);
	keys_free(e->keys);
	pubkey_queue_free(e->pubkey);
	hash_queue_free(e->hash);
	free(e->slot);
	free(e);
}

static uint8_t *slot_memory(const struct verify *v)
{
	return v->e->memory + (size_t)(v - v->e->slot) * VERIFY_SLOT;
}

struct verify_engine *verify_engine_new(const struct config *cfg, unsigned slots,
					struct stats *stats)
{
	struct verify_engine *e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	e->cfg = cfg;
	e->stats = stats;
	e->ready_end = &e->ready;
	if (getrandom(&e->seed, sizeof e->seed, 0) != sizeof e->seed)
		goto err0;
	canon_ops_init(&e->canon, cpu_level());
	base64_ops_init(&e->base64, cpu_level());
	e->hash = hash_queue_new(VERIFY_LANES);
	e->pubkey = pubkey_queue_new(VERIFY_BATCH);
	e->slot = calloc(slots, sizeof *e->slot);
	if (!e->hash || !e->pubkey || !e->slot)
		goto err0;
	e->keys = keys_new(cfg->dns_cache_keys, e->seed, e->pubkey);
	e->records = records_new(cfg->dns_cache_records, e->seed);
	if (!e->keys || !e->records)
		goto err0;
	checks_profiles(&e->profiles, cfg);
	e->memory_len = (size_t)slots * VERIFY_SLOT;
	void *memory = mmap(NULL, e->memory_len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		goto err0;
	e->memory = memory;
	e->slots = slots;
	return e;
err0:
	verify_engine_free(e);
	return NULL;
}

void verify_engine_config(struct verify_engine *e, const struct config *cfg)
{
	if (e->cfg == cfg)
		return;
	e->cfg = cfg;
	checks_profiles(&e->profiles, cfg);
}

void verify_engine_trace(struct verify_engine *e, struct trace *trace)
{
	e->trace = trace;
}

/* The octets as they lie, whatever is missing. */
static bool whole_next(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	struct verify *v = job->owner;
	*out = octets_next(&v->octets, cap);
	job->ahead = octets_peek(&v->octets, cap);
	return out->n != 0;
}

static void begin_checks(struct verify *v, uint64_t clock_s)
{
	struct verify_engine *e = v->e;
	struct checks_setup setup = { .cfg = v->cfg,
				      .profiles = &v->profiles,
				      .message = v->m,
				      .header = &v->header,
				      .arena = &v->arena,
				      .memory = slot_memory(v) + VERIFY_ARENA,
				      .records = e->records,
				      .keys = e->keys,
				      .queue = e->pubkey,
				      .canon = &e->canon,
				      .base64 = &e->base64,
				      .stats = e->stats,
				      .trace = e->trace,
				      .owner = v,
				      .clock_s = clock_s };
	v->checks_on = true;
	v->no_space = !checks_begin(&v->checks, &setup, &v->verdict);
}

/* The one given back last, since its memory is in the cache. */
static struct verify *take_slot(struct verify_engine *e)
{
	struct verify *v = e->free;
	if (v) {
		e->free = v->next;
	} else if (e->begun < e->slots) {
		v = &e->slot[e->begun++];
		v->e = e;
		arena_init(&v->arena, slot_memory(v), VERIFY_ARENA);
	}
	return v;
}

struct verify *verify_begin(struct verify_engine *e, struct message *m, uint64_t clock_s)
{
	struct verify *v = take_slot(e);
	if (!v)
		return NULL;
	v->next = NULL;
	v->m = m;
	v->cfg = e->cfg;
	if (v->cfg->users) /* relaxed: the snapshot cannot go before this worker's next turn */
		atomic_fetch_add_explicit(v->cfg->users, 1, memory_order_relaxed);
	v->profiles = e->profiles;
	v->user = NULL;
	v->phase = PHASE_ASK;
	v->no_space = v->in_step = v->checks_on = false;
	v->pending = 0;
	memset(&v->verdict, 0, offsetof(struct verdict, asked));
	arena_reset(&v->arena);
	struct bytes octets = { NULL, 0 };
	bool kept = !m->header_len || (m->chunks && m->header_len <= m->chunks->len);
	if (kept && m->chunks)
		octets = bytes_of(m->chunks->data, m->header_len);
	v->no_space = !header_split(&v->header, octets, e->seed, &v->arena) || !kept;
	if (!v->no_space)
		v->no_space = !address_email(&v->verdict.email, &v->header, &v->arena);
	if (!v->no_space)
		begin_checks(v, clock_s);
	return v;
}

static void count_in(struct verify *v, enum verify_queue queue)
{
	v->pending++;
	v->e->jobs[queue - 1]++;
}

/* One job of v came back. */
static void job_done(struct verify *v, enum verify_queue queue)
{
	struct verify_engine *e = v->e;
	e->jobs[queue - 1]--;
	e->held &= ~(unsigned)queue;
	if (--v->pending || v->in_step)
		return;
	v->next = NULL;
	*e->ready_end = v;
	e->ready_end = &v->next;
}

static void submit_hash(struct verify *v, struct hash_job *job)
{
	count_in(v, VERIFY_HASHES);
	struct hash_job *done = hash_submit(v->e->hash, job);
	if (done)
		job_done(done->owner, VERIFY_HASHES);
}

/* A message little over the limit may still be there whole. */
static bool all_held(const struct message *m)
{
	uint64_t n = 0;
	for (const struct message_chunk *c = m->chunks; c; c = c->next)
		n += c->len;
	return !m->running && n == m->size;
}

/* All digests at once, so that those over the same octets read them together. */
static void start_hashes(struct verify *v)
{
	struct message *m = v->m;
	/* of a message that was not kept only a running digest can tell */
	bool kept = !(m->flags & MESSAGE_TOO_LARGE) || (m->running && m->hashed_to) || all_held(m);
	if (v->cfg->digest && kept) {
		octets_rest(&v->octets, m);
		v->sha256 = (struct hash_job){ .next = whole_next,
					       .owner = v,
					       .algorithm = HASH_SHA256,
					       .running = m->hashed_to ? m->running : NULL };
		v->verdict.has_sha256 = true;
		submit_hash(v, &v->sha256);
	}
	if (v->no_space)
		return;
	v->no_space = !checks_prepare(&v->checks);
	for (struct hash_job *job; !v->no_space && (job = checks_hash(&v->checks));)
		submit_hash(v, job);
}

static void start_pubkeys(struct verify *v)
{
	for (struct pubkey_job *job; !v->no_space && (job = checks_pubkey(&v->checks));) {
		count_in(v, VERIFY_KEYS);
		struct pubkey_job *done = pubkey_submit(v->e->pubkey, job);
		if (done)
			job_done(done->owner, VERIFY_KEYS);
	}
}

/*
 * Never "none" or "clean": there may be signatures. Of what the checks found nothing stays, since
 * where the room ended is chance.
 */
static void give_no_space(struct verify *v)
{
	struct verdict *verdict = &v->verdict;
	struct verdict found = *verdict;
	v->m->flags |= MESSAGE_UNVERIFIED;
	*verdict = (struct verdict){ .has_sha256 = found.has_sha256,
				     .email = found.email,
				     .from.flags = FROM_UNSEEN,
				     .action = VERDICT_ACCEPT,
				     .result = "unverifiable",
				     .reason = policy_word(POLICY_NO_SPACE) };
	memcpy(verdict->sha256, found.sha256, sizeof verdict->sha256);
	if (!v->cfg->dkim)
		return;
	v->alone = (struct dkim_result){ .result = (uint8_t)reason_result(REASON_NO_SPACE),
					 .reason = reason_word(REASON_NO_SPACE) };
	verdict->checks = VERDICT_DKIM;
	verdict->dkim = &v->alone;
	verdict->n_dkim = 1;
	stats_add(v->e->stats, STAT_DKIM_UNVERIFIABLE, 1);
}

static void finish(struct verify *v)
{
	if (v->verdict.has_sha256)
		memcpy(v->verdict.sha256, v->sha256.digest, sizeof v->verdict.sha256);
	v->no_space = v->no_space || !checks_end(&v->checks, &v->verdict);
	if (v->no_space)
		give_no_space(v);
	v->m->verdict = &v->verdict;
	policy_count(&v->verdict, v->e->stats);
	stats_add(v->e->stats, STAT_VERIFY_DONE, 1);
}

enum verify_state verify_step(struct verify_engine *e, struct verify *v, uint64_t clock_s)
{
	v->in_step = true;
	if (v->phase == PHASE_ASK) {
		if (!v->no_space && !checks_ask(&v->checks, &v->verdict, clock_s)) {
			v->in_step = false;
			return VERIFY_ASK;
		}
		start_hashes(v);
		v->phase = PHASE_HASH;
	}
	if (v->phase == PHASE_HASH && !v->pending) {
		start_pubkeys(v);
		v->phase = PHASE_PUBKEY;
	}
	if (v->phase == PHASE_PUBKEY && !v->pending) {
		finish(v);
		v->phase = PHASE_DONE;
	}
	v->in_step = false;
	return v->phase == PHASE_DONE ? VERIFY_DONE : VERIFY_BUSY;
}

const struct question *verify_question(struct verify *v, unsigned *number)
{
	return v->checks_on ? known_take(&v->checks.known, number) : NULL;
}

void verify_unask(struct verify *v, unsigned number)
{
	known_put_back(&v->checks.known, number);
}

void verify_answer(struct verify *v, unsigned number, const struct answer *answer)
{
	known_settle(&v->checks.known, number, answer);
}

uint32_t verify_deadline_ms(const struct verify *v)
{
	return checks_deadline_ms(&v->checks);
}

void verify_late(struct verify *v, uint32_t ms)
{
	checks_late(&v->checks, ms);
}

void verify_give_up(struct verify *v)
{
	if (v->checks_on)
		checks_give_up(&v->checks);
}

static struct verify *take_ready(struct verify_engine *e)
{
	struct verify *v = e->ready;
	if (!v)
		return NULL;
	e->ready = v->next;
	if (!e->ready)
		e->ready_end = &e->ready;
	return v;
}

struct verify *verify_drive(struct verify_engine *e, unsigned flush)
{
	while (!e->ready) {
		struct hash_job *h =
			flush & VERIFY_HASHES ? hash_flush(e->hash) : hash_poll(e->hash);
		struct pubkey_job *p = NULL;
		if (h)
			job_done(h->owner, VERIFY_HASHES);
		else
			p = flush & VERIFY_KEYS ? pubkey_flush(e->pubkey) : pubkey_poll(e->pubkey);
		if (p)
			job_done(p->owner, VERIFY_KEYS);
		if (!h && !p)
			break;
	}
	return take_ready(e);
}

unsigned verify_stuck(struct verify_engine *e)
{
	unsigned stuck = e->held;
	e->held = 0;
	for (unsigned i = 0; i < VERIFY_QUEUES; i++)
		e->held |= e->jobs[i] ? 1u << i : 0;
	return stuck;
}

void verify_end(struct verify_engine *e, struct verify *v)
{
	assert(v->pending == 0);
	if (v->checks_on)
		checks_abort(&v->checks);
	v->checks_on = false;
	if (v->cfg->users) /* pairs with publish_clean: nothing of the snapshot is read after this */
		atomic_fetch_sub_explicit(v->cfg->users, 1, memory_order_release);
	v->m->verdict = NULL;
	v->m = NULL;
	v->next = e->free;
	e->free = v;
}

struct message *verify_message(const struct verify *v)
{
	return v->m;
}

void **verify_user(struct verify *v)
{
	return &v->user;
}
