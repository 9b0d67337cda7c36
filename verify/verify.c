#include "verify/verify.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/profile.h"
#include "verify/auth/address.h"
#include "verify/auth/dkim.h"

enum {
	/* lanes and batch of the queues: messages in flight share them */
	VERIFY_LANES = HASH_LANES_MAX,
	VERIFY_BATCH = PUBKEY_BATCH_MAX,
	/*
	 * Header fields and their table (80 KiB), h= lists (256), unfolded copies (256), 64
	 * signatures with keys and names (160), at most; a usual message takes 8 KiB, and pages
	 * never used are never there.
	 */
	VERIFY_ARENA = 1024 * 1024,
	/* names that were asked for and answers that are kept with the message */
	VERIFY_KNOWN = 512 * 1024,
	VERIFY_SLOT = VERIFY_ARENA + VERIFY_KNOWN,
	KNOWN_ALL = KNOWN_KEYS | KNOWN_SPF | KNOWN_DMARC,
};

enum phase { PHASE_KEYS, PHASE_HASH, PHASE_PUBKEY, PHASE_DONE };

struct verify {
	struct verify_engine *e;
	struct message *m; /* NULL: the slot is free */
	struct config cfg; /* a copy: the snapshot may be gone before the message is */
	void *user;
	struct verify *next; /* in the list of free or of ready slots */
	uint8_t phase; /* enum phase */
	bool no_space, in_step;
	unsigned pending; /* jobs in the queues */
	struct arena arena;
	struct known known;
	struct header header;
	struct dkim_profile dkim_profile;
	struct dkim dkim;
	bool dkim_on; /* dkim is begun and not ended */
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
	struct keys *keys;
	uint64_t seed;
	uint8_t *memory; /* of the slots */
	size_t memory_len;
	struct verify *slot, *free;
	struct verify *ready, **ready_end;
};

void verify_engine_free(struct verify_engine *e)
{
	if (!e)
		return;
	if (e->memory)
		munmap(e->memory, e->memory_len);
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
	e->hash = hash_queue_new(VERIFY_LANES);
	e->pubkey = pubkey_queue_new(VERIFY_BATCH);
	e->slot = calloc(slots, sizeof *e->slot);
	if (!e->hash || !e->pubkey || !e->slot)
		goto err0;
	e->keys = keys_new(cfg->dns_cache_keys, e->seed, e->pubkey);
	if (!e->keys)
		goto err0;
	e->memory_len = (size_t)slots * VERIFY_SLOT;
	void *memory = mmap(NULL, e->memory_len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		goto err0;
	e->memory = memory;
	for (unsigned i = slots; i-- > 0;) {
		struct verify *v = &e->slot[i];
		v->e = e;
		arena_init(&v->arena, slot_memory(v), VERIFY_ARENA);
		v->next = e->free;
		e->free = v;
	}
	return e;
err0:
	verify_engine_free(e);
	return NULL;
}

void verify_engine_config(struct verify_engine *e, const struct config *cfg)
{
	e->cfg = cfg;
}

/* The octets as they lie, whatever is missing. */
static bool whole_next(struct hash_job *job, uint8_t *buf, size_t cap, struct bytes *out)
{
	struct verify *v = job->owner;
	*out = octets_next(&v->octets, cap);
	return out->n != 0;
}

static void begin_known(struct verify *v, uint64_t clock_s)
{
	uint32_t budget = v->cfg.dns_message_questions;
	v->known = (struct known){ .clock_s = clock_s,
				   .ttl_max_s = v->cfg.dns_cache_ttl_max_s,
				   .budget = budget ? budget : KNOWN_MAX };
	known_init(&v->known, slot_memory(v) + VERIFY_ARENA, VERIFY_KNOWN);
}

static void begin_dkim(struct verify *v, uint64_t clock_s)
{
	struct message *m = v->m;
	v->dkim_profile = (struct dkim_profile){ .allow_sha1 = v->cfg.dkim_allow_sha1,
						 .min_bits = v->cfg.dkim_min_bits,
						 .max_bits = v->cfg.dkim_max_bits,
						 .l = v->cfg.dkim_l,
						 .signatures_max = v->cfg.dkim_signatures_max,
						 .skew_s = v->cfg.dkim_skew_s };
	struct dkim_setup setup = { .cfg = &v->cfg,
				    .profile = &v->dkim_profile,
				    .known = &v->known,
				    .message = m,
				    .header = &v->header,
				    .arena = &v->arena,
				    .keys = v->e->keys,
				    .queue = v->e->pubkey,
				    .stats = v->e->stats,
				    .owner = v,
				    .now_s = (v->cfg.now_ns ? v->cfg.now_ns : m->time_ns) /
					     1000000000u,
				    .clock_s = clock_s };
	v->dkim_on = true;
	v->no_space = !dkim_begin(&v->dkim, &setup);
}

struct verify *verify_begin(struct verify_engine *e, struct message *m, uint64_t clock_s)
{
	struct verify *v = e->free;
	if (!v)
		return NULL;
	e->free = v->next;
	v->next = NULL;
	v->m = m;
	v->cfg = *e->cfg;
	v->user = NULL;
	v->phase = PHASE_KEYS;
	v->no_space = v->in_step = v->dkim_on = false;
	v->pending = 0;
	v->verdict = (struct verdict){ 0 };
	arena_reset(&v->arena);
	begin_known(v, clock_s);
	struct bytes octets = { NULL, 0 };
	bool kept = !m->header_len || (m->chunks && m->header_len <= m->chunks->len);
	if (kept && m->chunks)
		octets = bytes_of(m->chunks->data, m->header_len);
	v->no_space = !header_split(&v->header, octets, e->seed, &v->arena) || !kept;
	if (!v->no_space)
		v->no_space = !address_email(&v->verdict.email, &v->header, &v->arena);
	if (!v->no_space && v->cfg.dkim)
		begin_dkim(v, clock_s);
	return v;
}

/* One job of v came back. */
static void job_done(struct verify *v)
{
	struct verify_engine *e = v->e;
	if (--v->pending || v->in_step)
		return;
	v->next = NULL;
	*e->ready_end = v;
	e->ready_end = &v->next;
}

static void submit_hash(struct verify *v, struct hash_job *job)
{
	v->pending++;
	struct hash_job *done = hash_submit(v->e->hash, job);
	if (done)
		job_done(done->owner);
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
	if (v->cfg.digest && kept) {
		octets_rest(&v->octets, m);
		v->sha256 = (struct hash_job){ .next = whole_next,
					       .owner = v,
					       .algorithm = HASH_SHA256,
					       .running = m->hashed_to ? m->running : NULL };
		v->verdict.has_sha256 = true;
		submit_hash(v, &v->sha256);
	}
	if (v->dkim_on && !v->no_space)
		v->no_space = !dkim_prepare(&v->dkim);
	if (!v->dkim_on || v->no_space)
		return;
	for (struct hash_job *job; (job = dkim_hash(&v->dkim));)
		submit_hash(v, job);
}

static void start_pubkeys(struct verify *v)
{
	if (!v->dkim_on || v->no_space)
		return;
	for (struct pubkey_job *job; (job = dkim_pubkey(&v->dkim));) {
		v->pending++;
		struct pubkey_job *done = pubkey_submit(v->e->pubkey, job);
		if (done)
			job_done(done->owner);
	}
}

static void conclude(struct verdict *verdict, enum verdict_action action, const char *result,
		     const char *reason)
{
	verdict->action = action;
	verdict->result = result;
	verdict->reason = reason;
}

/* Why there may be signatures that were not found; NULL: there are none. */
static const char *unseen_header(const struct verify *v)
{
	switch (dkim_unseen(&v->header, v->m)) {
	case REASON_NONE:
		return NULL;
	case REASON_HEADER_LIMIT:
		return "header_limit";
	default:
		return "no_header";
	}
}

/* The rule in verify.h. */
static void judge(struct verify *v)
{
	static const char *const word[AUTH_RESULT_N] = {
		[AUTH_FAIL] = "dkim_fail",
		[AUTH_POLICY] = "dkim_policy",
		[AUTH_PERMERROR] = "dkim_permerror",
		[AUTH_TEMPERROR] = "dkim_temperror",
		[AUTH_UNVERIFIABLE] = "dkim_unverifiable",
	};
	/* the strongest first */
	static const uint8_t rank[] = { AUTH_FAIL, AUTH_POLICY, AUTH_PERMERROR, AUTH_TEMPERROR,
					AUTH_UNVERIFIABLE };
	struct verdict *verdict = &v->verdict;
	unsigned n[AUTH_RESULT_N] = { 0 };
	for (unsigned i = 0; i < verdict->n_dkim; i++)
		if (!verdict->dkim[i].test_mode || verdict->dkim[i].result == AUTH_PASS)
			n[verdict->dkim[i].result]++;
	conclude(verdict, VERDICT_ACCEPT, "clean", NULL);
	if (v->no_space) {
		conclude(verdict, VERDICT_ACCEPT, "unverifiable", "no_space");
	} else if (v->cfg.dkim && !verdict->dkim_seen && unseen_header(v)) {
		conclude(verdict, VERDICT_ACCEPT, "unverifiable", unseen_header(v));
	} else if (!n[AUTH_PASS]) {
		for (unsigned i = 0; i < sizeof rank; i++) {
			bool flag = rank[i] != AUTH_TEMPERROR && rank[i] != AUTH_UNVERIFIABLE;
			if (!n[rank[i]])
				continue;
			conclude(verdict, flag ? VERDICT_FLAG : VERDICT_ACCEPT,
				 flag ? "flagged" : "unverifiable", word[rank[i]]);
			break;
		}
	}
}

/* Never "none": there may be signatures. */
static void give_no_space(struct verify *v)
{
	v->m->flags |= MESSAGE_UNVERIFIED;
	if (!v->cfg.dkim)
		return;
	v->alone = (struct dkim_result){ .result = (uint8_t)reason_result(REASON_NO_SPACE),
					 .reason = reason_word(REASON_NO_SPACE) };
	v->verdict.dkim = &v->alone;
	v->verdict.n_dkim = 1;
	stats_add(v->e->stats, STAT_DKIM_UNVERIFIABLE, 1);
}

static void finish(struct verify *v)
{
	if (v->verdict.has_sha256)
		memcpy(v->verdict.sha256, v->sha256.digest, sizeof v->verdict.sha256);
	if (v->dkim_on && v->no_space)
		dkim_abort(&v->dkim);
	else if (v->dkim_on)
		v->no_space = !dkim_end(&v->dkim, &v->verdict);
	v->dkim_on = false;
	if (v->no_space)
		give_no_space(v);
	judge(v);
	if (v->cfg.dkim)
		v->verdict.checks |= VERDICT_DKIM;
	if (v->verdict.action != VERDICT_ACCEPT)
		v->verdict.asked[v->verdict.n_asked++] =
			(struct verdict_asked){ .check = "dkim",
						.profile = "default",
						.action = v->verdict.action,
						.reason = v->verdict.reason };
	v->m->verdict = &v->verdict;
	stats_add(v->e->stats, STAT_VERIFY_DONE, 1);
}

enum verify_state verify_step(struct verify_engine *e, struct verify *v, uint64_t clock_s)
{
	v->in_step = true;
	if (v->phase == PHASE_KEYS) {
		v->known.clock_s = v->dkim.setup.clock_s = clock_s;
		if (v->dkim_on && !v->no_space && !dkim_ask(&v->dkim)) {
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
	return known_take(&v->known, number);
}

void verify_unask(struct verify *v, unsigned number)
{
	known_put_back(&v->known, number);
}

void verify_answer(struct verify *v, unsigned number, const struct answer *answer)
{
	known_settle(&v->known, number, answer);
}

uint32_t verify_deadline_ms(const struct verify *v)
{
	return UINT32_MAX;
}

void verify_late(struct verify *v, uint32_t ms)
{
}

void verify_give_up(struct verify *v)
{
	known_give_up(&v->known, KNOWN_ALL);
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

struct verify *verify_poll(struct verify_engine *e, bool flush)
{
	while (!e->ready) {
		struct hash_job *h = flush ? hash_flush(e->hash) : hash_poll(e->hash);
		struct pubkey_job *p = NULL;
		if (h)
			job_done(h->owner);
		else
			p = flush ? pubkey_flush(e->pubkey) : pubkey_poll(e->pubkey);
		if (p)
			job_done(p->owner);
		if (!h && !p)
			break;
	}
	return take_ready(e);
}

void verify_end(struct verify_engine *e, struct verify *v)
{
	assert(v->pending == 0);
	if (v->dkim_on)
		dkim_abort(&v->dkim);
	v->dkim_on = false;
	known_end(&v->known);
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
