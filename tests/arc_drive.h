/*
 * arc_drive - one message through DKIM and ARC as the engine takes it, for tests: keys out of a zone
 * (tests/lookup.h) or one key for every name, queues of a chosen width, a message in a chosen cut.
 */
#pragma once

#include <stdlib.h>

#include "verify/auth/arc.h"

enum { DRIVE_MEMORY = 1 << 20, DRIVE_NOW_S = 1528637909 };

struct drive {
	struct config cfg;
	struct dkim_profile profile;
	const struct list *sealers;
	struct verdict_from from; /* as if found before */
	bool dkim; /* DKIM too, its bodies shared */
	bool hole; /* m.intact counts, and the message is not complete */
	unsigned chunk; /* octets of a chunk of the body; 0: one chunk */
	unsigned lanes;
	size_t room; /* octets of arena; 0: DRIVE_MEMORY */
	struct message m; /* flags and counts to lay over what is made */
	/* who answers; the last argument is the setup of the check to step again */
	bool (*ask)(void *ctx, struct known *known, bool (*step)(void *d), void *d);
	void *ctx;
	struct bytes key;
	struct trace *trace;
	/* of the last run; strings lie in memory and chunks */
	struct verdict verdict;
	unsigned asked, bodies, sets;
	struct stats *stats;
	struct known known;
	struct arc arc;
	struct dkim shared;
	struct message_chunk *chunks;
	struct keys *keys;
	struct hash_queue *hash;
	struct pubkey_queue *pubkey;
	uint8_t *memory, *names;
};

static inline struct drive *drive_new(void)
{
	struct drive *d = calloc(1, sizeof *d);
	d->profile = (struct dkim_profile){ .min_bits = 1024,
					    .max_bits = 4096,
					    .l = DKIM_L_PARTIAL,
					    .signatures_max = 5,
					    .skew_s = 60 };
	d->cfg.dns_cache_ttl_max_s = 86400;
	d->lanes = 4;
	d->memory = aligned_alloc(64, DRIVE_MEMORY);
	d->names = aligned_alloc(64, DRIVE_MEMORY);
	d->stats = aligned_alloc(64, (sizeof *d->stats + 63) / 64 * 64);
	memset(d->stats, 0, sizeof *d->stats);
	d->pubkey = pubkey_queue_new(PUBKEY_BATCH_MAX);
	return d;
}

static inline void drive_drop(struct drive *d)
{
	for (struct message_chunk *c = d->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	d->chunks = NULL;
}

static inline void drive_free(struct drive *d)
{
	drive_drop(d);
	pubkey_queue_free(d->pubkey);
	free(d->stats);
	free(d->names);
	free(d->memory);
	free(d);
}

static inline void drive_chunks(struct drive *d, struct bytes text, size_t first)
{
	struct message_chunk **end = &d->chunks;
	size_t n = d->chunk ? first : text.n;
	drive_drop(d);
	for (size_t at = 0; at < text.n || !at; at += n, n = d->chunk) {
		n = n < text.n - at ? n : text.n - at;
		struct message_chunk *c = malloc(sizeof *c + n);
		*c = (struct message_chunk){ NULL, (uint32_t)n, (uint32_t)n };
		if (n)
			memcpy(c->data, text.p + at, n);
		*end = c;
		end = &c->next;
		if (!text.n)
			break;
	}
}

static inline bool drive_step(void *ctx)
{
	struct drive *d = ctx;
	bool done = !d->dkim || dkim_ask(&d->shared);
	return arc_ask(&d->arc) && done;
}

static inline void drive_ask(struct drive *d)
{
	static struct answer_rr rr;
	static struct answer answer = { .status = ANSWER_DATA, .ttl_s = 60, .n = 1, .rr = &rr };
	struct known *known = d->arc.setup.dkim.known;
	rr.data = d->key;
	if (d->ask) {
		d->ask(d->ctx, known, drive_step, d);
		return;
	}
	while (!drive_step(d))
		for (unsigned i = 0; known_question(known, i); i++)
			known_answer(known, i, &answer);
}

static inline void drive_hash(struct drive *d)
{
	d->hash = hash_queue_new(d->lanes);
	for (struct hash_job *job; d->dkim && (job = dkim_hash(&d->shared));)
		hash_submit(d->hash, job);
	for (struct hash_job *job; (job = arc_hash(&d->arc));)
		hash_submit(d->hash, job);
	while (hash_flush(d->hash))
		;
	hash_queue_free(d->hash);
	for (struct pubkey_job *job; d->dkim && (job = dkim_pubkey(&d->shared));)
		pubkey_submit(d->pubkey, job);
	for (struct pubkey_job *job; (job = arc_pubkey(&d->arc));)
		pubkey_submit(d->pubkey, job);
	while (pubkey_flush(d->pubkey))
		;
}

/* What is in d->chunks; known is asked. False: there was no space. */
static inline bool drive_message(struct drive *d, const struct message *m, struct known *known)
{
	struct arena arena;
	struct header header;
	struct canon_ops canon;
	struct arc_setup setup = { .dkim = { .cfg = &d->cfg,
					     .profile = &d->profile,
					     .known = known,
					     .message = m,
					     .header = &header,
					     .from = &d->from,
					     .arena = &arena,
					     .queue = d->pubkey,
					     .canon = &canon,
					     .stats = d->stats,
					     .now_s = DRIVE_NOW_S,
					     .clock_s = 1000 },
				   .shared = d->dkim ? &d->shared : NULL,
				   .sealers = d->sealers };
	canon_ops_init(&canon, cpu_level());
	arena_init(&arena, d->memory, d->room ? d->room : DRIVE_MEMORY);
	d->verdict = (struct verdict){ .from = d->from };
	d->shared = (struct dkim){ 0 };
	d->arc = (struct arc){ 0 };
	setup.dkim.keys = d->keys = keys_new(256, 3, d->pubkey);
	bool good = header_split(&header, bytes_of(m->chunks->data, m->header_len), 9, &arena);
	good = good && (!d->dkim || dkim_begin(&d->shared, &setup.dkim));
	good = good && arc_begin(&d->arc, &setup);
	if (good)
		drive_ask(d);
	d->asked = known->n;
	good = good && (!d->dkim || dkim_prepare(&d->shared)) && arc_prepare(&d->arc);
	if (good) {
		drive_hash(d);
		d->bodies = d->arc.bodies.n;
		good = !d->dkim || dkim_end(&d->shared, &d->verdict);
		good = arc_end(&d->arc, &d->verdict) && good;
	} else {
		dkim_abort(&d->shared);
		arc_abort(&d->arc);
	}
	keys_free(d->keys);
	return good;
}

/* Judges text with a known of its own. */
static inline const struct arc_result *drive_run(struct drive *d, struct bytes text)
{
	const uint8_t *end = text.n ? memmem(text.p, text.n, "\r\n\r\n", 4) : NULL;
	struct message m = d->m;
	m.size = text.n;
	m.header_len = end ? (uint32_t)(end - text.p) + 4 : (uint32_t)text.n;
	if (m.header_len > MESSAGE_HEADER_MAX)
		m.header_len = MESSAGE_HEADER_MAX;
	drive_chunks(d, text, m.header_len);
	m.chunks = d->chunks;
	m.complete = !d->hole;
	if (!d->hole)
		m.intact = m.size;
	d->known = (struct known){
		.ttl_max_s = 86400, .budget = 200, .clock_s = 1000, .trace = d->trace
	};
	known_init(&d->known, d->names, DRIVE_MEMORY);
	bool good = drive_message(d, &m, &d->known);
	known_end(&d->known);
	return good ? &d->verdict.arc : NULL;
}
