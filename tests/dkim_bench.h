/*
 * dkim_bench - one message through DKIM for tests, with keys out of a few rows, and messages signed for it.
 */
#pragma once

#include "tests/sign.h"
#include "tests/test.h"
#include "verify/auth/address.h"
#include "verify/auth/dkim.h"

enum { NOW_S = 1528637909 + 100, ZONE_MAX = 8 };

struct row { /* of the zone */
	const char *name, *text; /* text NULL: status */
	enum answer_status status;
};

struct bench { /* everything one run needs */
	struct config cfg;
	struct dkim_profile profile;
	bool secure; /* what the answers say */
	struct answer answer[KNOWN_OPEN_MAX];
	struct answer_rr rr[KNOWN_OPEN_MAX];
	struct row zone[ZONE_MAX];
	unsigned chunk; /* octets of a chunk of the message; 0: one chunk */
	unsigned lanes;
	struct message m; /* flags and counts to lay over what is made */
	bool hole; /* m.intact counts */
	unsigned asked;
	struct verdict verdict; /* of the last run, with strings in arena */
	struct stats *stats;
	uint8_t *memory;
	char *text;
};

static inline struct dkim_profile defaults(void)
{
	return (struct dkim_profile){ .min_bits = 1024,
				      .max_bits = 4096,
				      .l = DKIM_L_PARTIAL,
				      .signatures_max = 5,
				      .skew_s = 60 };
}

static inline struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof *b);
	b->cfg.dns_cache_ttl_max_s = 86400;
	b->profile = defaults();
	b->lanes = 1;
	b->memory = aligned_alloc(64, 1 << 20);
	b->stats = aligned_alloc(64, (sizeof *b->stats + 63) / 64 * 64);
	memset(b->stats, 0, sizeof *b->stats);
	return b;
}

static inline void bench_free(struct bench *b)
{
	free(b->memory);
	free(b->stats);
	free(b->text);
	free(b);
}

static inline struct message_chunk *chunks_of(struct bytes text, size_t first, size_t step)
{
	struct message_chunk *list = NULL, **end = &list;
	for (size_t at = 0; at < text.n || at == 0;) {
		size_t n = at ? (step ? step : text.n) : (step ? first : text.n);
		n = n < text.n - at ? n : text.n - at;
		struct message_chunk *c = malloc(sizeof *c + n);
		*c = (struct message_chunk){ NULL, (uint32_t)n, (uint32_t)n };
		memcpy(c->data, text.p + at, n);
		*end = c;
		end = &c->next;
		at += n;
		if (!n)
			break;
	}
	return list;
}

static inline void answer_all(struct bench *b, struct known *known)
{
	const struct question *q;
	unsigned n = 0;
	for (unsigned i = 0; (q = known_question(known, i)); i++, n++) {
		struct answer *answer = &b->answer[i];
		*answer = (struct answer){
			.status = ANSWER_NXDOMAIN, .secure = b->secure, .ttl_s = 60, .rr = &b->rr[i]
		};
		CU_ASSERT_EQUAL(q->type, QUESTION_TXT);
		for (unsigned k = 0; k < ZONE_MAX && b->zone[k].name; k++) {
			if (strcmp(b->zone[k].name, q->name) != 0)
				continue;
			answer->status = (uint8_t)b->zone[k].status;
			answer->n = b->zone[k].text != NULL;
			if (answer->n)
				b->rr[i].data = bytes_str(b->zone[k].text);
		}
		b->asked++;
	}
	for (unsigned i = 0; i < n; i++)
		known_answer(known, i, &b->answer[i]);
	CU_ASSERT_EQUAL(known_waiting(known), 0);
}

static inline void drive(struct dkim *d, struct hash_queue *hash, struct pubkey_queue *pubkey)
{
	CU_ASSERT_FATAL(dkim_prepare(d));
	for (struct hash_job *job; (job = dkim_hash(d));)
		hash_submit(hash, job);
	while (hash_flush(hash))
		;
	for (struct pubkey_job *job; (job = dkim_pubkey(d));)
		pubkey_submit(pubkey, job);
	while (pubkey_flush(pubkey))
		;
}

/* Judges text; results are in b->verdict until the next run. */
static inline struct dkim_result *run(struct bench *b, struct bytes text)
{
	const uint8_t *end = memmem(text.p, text.n, "\r\n\r\n", 4);
	struct message m = b->m;
	m.size = text.n;
	m.header_len = end ? (uint32_t)(end - text.p) + 4 : (uint32_t)text.n;
	m.chunks = chunks_of(text, m.header_len, b->chunk);
	m.complete = !b->hole;
	if (!b->hole)
		m.intact = m.size;
	static uint8_t names[1 << 16];
	struct known known = { .ttl_max_s = 86400, .budget = 200, .clock_s = 1 };
	struct arena arena;
	struct header header;
	struct dkim d;
	struct pubkey_queue *pubkey = pubkey_queue_new(PUBKEY_BATCH_MAX);
	struct hash_queue *hash = hash_queue_new(b->lanes);
	struct keys *keys = keys_new(64, 3, pubkey);
	struct canon_ops canon;
	canon_ops_init(&canon, cpu_level());
	arena_init(&arena, b->memory, 1 << 20);
	CU_ASSERT_FATAL(header_split(&header, bytes_of(m.chunks->data, m.header_len), 9, &arena));
	known_init(&known, names, sizeof names);
	struct verdict_from from;
	CU_ASSERT_FATAL(address_from(&from, &header, NULL, &arena, NULL));
	struct dkim_setup setup = { .cfg = &b->cfg,
				    .profile = &b->profile,
				    .known = &known,
				    .message = &m,
				    .header = &header,
				    .from = &from,
				    .arena = &arena,
				    .keys = keys,
				    .queue = pubkey,
				    .canon = &canon,
				    .stats = b->stats,
				    .now_s = NOW_S,
				    .clock_s = 1 };
	b->asked = 0;
	CU_ASSERT_FATAL(dkim_begin(&d, &setup));
	if (!dkim_ask(&d)) {
		CU_ASSERT_FALSE(dkim_ask(&d)); /* as often as one likes */
		answer_all(b, &known);
		CU_ASSERT_FATAL(dkim_ask(&d));
	}
	drive(&d, hash, pubkey);
	b->verdict = (struct verdict){ 0 };
	CU_ASSERT_FATAL(dkim_end(&d, &b->verdict));
	/* strings in the results point into the chunks: only results, reasons and numbers are looked at later */
	for (struct message_chunk *c = m.chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	known_end(&known);
	keys_free(keys);
	hash_queue_free(hash);
	pubkey_queue_free(pubkey);
	return b->verdict.dkim;
}

static inline bool is(const struct dkim_result *r, enum auth_result result, const char *reason)
{
	bool good = r->result == result &&
		    (reason ? r->reason && strcmp(r->reason, reason) == 0 : !r->reason);
	if (!good)
		printf("\n%s %s, not %s %s", auth_result_name(r->result),
		       r->reason ? r->reason : "-", auth_result_name(result),
		       reason ? reason : "-");
	return good;
}

/* ---- messages signed here */

static const char header[] =
	"Received: from a\r\nFrom: Alice <a@example.com>\r\nTo: b@example.org\r\n"
	"Subject: x  y \r\nSubject: z\r\n";
static const char body[] = "Hi.\r\n\r\nWe  lost \t the game. \r\n.\r\n\r\n\r\n";
static const char key_name[] = "s1._domainkey.example.com";

static EVP_PKEY *test_key(void)
{
	static EVP_PKEY *key;
	if (!key)
		key = sign_rsa(1024);
	return key;
}

static const char *test_record(void)
{
	static char *record;
	if (!record)
		record = sign_record(test_key(), "");
	return record;
}

#define TAGS "v=1; a=rsa-sha256; d=example.com; s=s1; "

static inline struct sign signer(const char *tags, const char *names)
{
	return (struct sign){ .key = test_key(),
			      .tags = tags,
			      .names = names,
			      .relaxed_header = strstr(tags, "c=relaxed") != NULL,
			      .relaxed_body = strstr(tags, "/relaxed") != NULL,
			      .sha1 = strstr(tags, "sha1") != NULL,
			      .length = -1 };
}

/* The signed message, kept in b until the next. */
static inline struct bytes mail(struct bench *b, const struct sign *s, const char *head,
				const char *text)
{
	char *field = sign_message(s, head, bytes_str(text));
	free(b->text);
	if (asprintf(&b->text, "%s%s\r\n%s", field, head, text) < 0)
		abort();
	free(field);
	return bytes_str(b->text);
}
