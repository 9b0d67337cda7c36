/* Many messages through one engine give the same verdicts as one alone, in whatever order they come back. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/sha.h>

#include "base/profile.h"
#include "control/config.h"
#include "tests/sign.h"
#include "tests/test.h"
#include "verify/verify.h"

enum { SLOTS = 24, MESSAGES = 200 };

static const char header[] = "From: a@example.com\r\nTo: b@example.org\r\nSubject: x\r\n\ty\r\n";

static struct config config(void)
{
	struct config cfg;
	config_default(&cfg);
	cfg.spf = cfg.arc = cfg.dmarc = cfg.names = false;
	cfg.dns_cache_keys = cfg.dns_cache_records = 64;
	return cfg;
}

static struct stats *stats_new(void)
{
	struct stats *s = aligned_alloc(64, (sizeof *s + 63) / 64 * 64);
	memset(s, 0, sizeof *s);
	return s;
}

static EVP_PKEY *test_key(void)
{
	static EVP_PKEY *key;
	if (!key)
		key = sign_rsa(1024);
	return key;
}

static void message_of(struct message *m, struct bytes text)
{
	const uint8_t *end = memmem(text.p, text.n, "\r\n\r\n", 4);
	struct message_chunk *c = malloc(sizeof *c + text.n);
	*c = (struct message_chunk){ NULL, (uint32_t)text.n, (uint32_t)text.n };
	memcpy(c->data, text.p, text.n);
	*m = (struct message){ .chunks = c,
			       .size = text.n,
			       .intact = text.n,
			       .complete = true,
			       .time_ns = 1000000000,
			       .header_len =
				       end ? (uint32_t)(end - text.p) + 4 : (uint32_t)text.n };
}

/* A message with a signature; kind: what is wrong with it. */
enum { GOOD, BAD_BODY, BAD_HEADER, NO_KEY, UNSIGNED, LATE, KINDS };

static void make(struct message *m, unsigned number, unsigned kind)
{
	static char body[30000];
	size_t n = number * 7919 % (sizeof body - 1);
	memset(body, 'a' + number % 26, n);
	for (size_t i = 77; i < n; i += 79)
		memcpy(body + i - 1, "\r\n", 2);
	body[n] = 0;
	char tags[200], *text, *field;
	snprintf(tags, sizeof tags, "v=1; a=rsa-sha256; d=example.com; s=%s; c=%s; h=from:to",
		 kind == NO_KEY ? "none"
		 : kind == LATE ? "late"
				: "s1",
		 number % 2 ? "relaxed/relaxed" : "simple/simple");
	struct sign s = { .key = test_key(),
			  .tags = tags,
			  .names = "from:to",
			  .relaxed_header = number % 2,
			  .relaxed_body = number % 2,
			  .length = -1 };
	field = sign_message(&s, "From: a@example.com\r\nTo: b@example.org\r\n", bytes_str(body));
	if (asprintf(&text, "%s%s\r\n%s%s", kind == UNSIGNED ? "" : field, header, body,
		     kind == BAD_BODY ? "x" : "") < 0)
		abort();
	if (kind == BAD_HEADER)
		*strstr(text, "b@example.org") = 'c';
	message_of(m, bytes_str(text));
	free(text);
	free(field);
}

static void answer(struct verify *v, unsigned *asked)
{
	/* lent until verify_end */
	static struct answer_rr rr;
	static const struct answer data = { .status = ANSWER_DATA, .ttl_s = 60, .n = 1, .rr = &rr },
				   none = { .status = ANSWER_NXDOMAIN, .ttl_s = 60 };
	if (!rr.data.p)
		rr.data = bytes_str(sign_record(test_key(), ""));
	const struct question *q;
	for (unsigned number; (q = verify_question(v, &number));) {
		(*asked)++;
		if (strstr(q->name, "late"))
			verify_give_up(v);
		else
			verify_answer(v, number, strstr(q->name, "none") ? &none : &data);
	}
}

static void check(const struct message *m, unsigned kind)
{
	static const struct {
		enum auth_result result;
		enum verdict_action action;
		const char *word, *reason;
	} want[KINDS] = {
		[GOOD] = { AUTH_PASS, VERDICT_ACCEPT, "clean", NULL },
		[BAD_BODY] = { AUTH_FAIL, VERDICT_FLAG, "flagged", "dkim_fail" },
		[BAD_HEADER] = { AUTH_FAIL, VERDICT_FLAG, "flagged", "dkim_fail" },
		[NO_KEY] = { AUTH_PERMERROR, VERDICT_FLAG, "flagged", "dkim_permerror" },
		[UNSIGNED] = { AUTH_NONE, VERDICT_ACCEPT, "clean", NULL },
		[LATE] = { AUTH_TEMPERROR, VERDICT_ACCEPT, "unverifiable", "dkim_temperror" },
	};
	const struct verdict *v = m->verdict;
	uint8_t digest[32];
	SHA256(m->chunks->data, m->chunks->len, digest);
	CU_ASSERT(v->has_sha256 && memcmp(digest, v->sha256, sizeof digest) == 0);
	CU_ASSERT_EQUAL(v->n_dkim, kind != UNSIGNED);
	if (v->n_dkim)
		CU_ASSERT_EQUAL(v->dkim->result, want[kind].result);
	CU_ASSERT_EQUAL(v->action, want[kind].action);
	CU_ASSERT_STRING_EQUAL(v->result, want[kind].word);
	CU_ASSERT(want[kind].reason ? v->reason && !strcmp(v->reason, want[kind].reason)
				    : !v->reason);
	CU_ASSERT(bytes_equal(v->email.subject, bytes_str("x\ty")));
	CU_ASSERT(bytes_equal(v->email.from[0], bytes_str("a@example.com")));
	CU_ASSERT(!(m->flags & MESSAGE_UNVERIFIED));
}

struct flight {
	struct verify_engine *e;
	struct message m[MESSAGES];
	unsigned in, out, asked;
};

static void step(struct flight *f, struct verify *v)
{
	enum verify_state s;
	while ((s = verify_step(f->e, v, 1)) == VERIFY_ASK)
		answer(v, &f->asked);
	if (s != VERIFY_DONE)
		return;
	struct message *m = verify_message(v);
	CU_ASSERT_PTR_EQUAL(*verify_user(v), m);
	check(m, (unsigned)(m - f->m) % KINDS);
	verify_end(f->e, v);
	CU_ASSERT_PTR_NULL(m->verdict);
	f->out++;
}

static void many_messages(void)
{
	struct config cfg = config();
	struct stats *stats = stats_new();
	struct flight *f = calloc(1, sizeof *f);
	f->e = verify_engine_new(&cfg, SLOTS, stats);
	CU_ASSERT_FATAL(f->e != NULL);
	for (unsigned i = 0; i < MESSAGES; i++)
		make(&f->m[i], i, i % KINDS);
	unsigned full = 0, rounds = 0;
	while (f->out < MESSAGES && rounds++ < 100000) {
		struct verify *v = NULL;
		if (f->in < MESSAGES && (v = verify_begin(f->e, &f->m[f->in], 1))) {
			CU_ASSERT_PTR_NULL(*verify_user(v));
			*verify_user(v) = &f->m[f->in++];
			step(f, v);
			v = verify_poll(f->e, false);
		} else {
			full += f->in < MESSAGES;
			v = verify_poll(f->e, true);
		}
		if (v)
			step(f, v);
	}
	CU_ASSERT_EQUAL(f->out, MESSAGES);
	CU_ASSERT(full > 0); /* the slots were all in use at times */
	CU_ASSERT_PTR_NULL(verify_poll(f->e, true));
	CU_ASSERT_EQUAL(stats_get(stats, STAT_VERIFY_DONE), MESSAGES);
	CU_ASSERT_EQUAL(stats_get(stats, STAT_DKIM_PASS), (MESSAGES + KINDS - 1) / KINDS);
	CU_ASSERT_EQUAL(stats_get(stats, STAT_KEY_MISS), f->asked);
	CU_ASSERT(stats_get(stats, STAT_KEY_HIT) > MESSAGES / 2);
	for (unsigned i = 0; i < MESSAGES; i++)
		free(f->m[i].chunks);
	verify_engine_free(f->e);
	free(stats);
	free(f);
}

static void drive(struct verify_engine *e, struct verify *v)
{
	unsigned asked = 0;
	enum verify_state s;
	CU_ASSERT_FATAL(v != NULL);
	while ((s = verify_step(e, v, 1)) != VERIFY_DONE) {
		if (s == VERIFY_ASK)
			answer(v, &asked);
		else
			CU_ASSERT_PTR_EQUAL_FATAL(verify_poll(e, true), v);
	}
}

/* A queue is driven alone, and is stuck from the second look on, until it gives something back. */
static void queues_apart(void)
{
	unsigned asked = 0;
	struct config cfg = config();
	struct stats *stats = stats_new();
	struct verify_engine *e = verify_engine_new(&cfg, 1, stats);
	struct message m;
	CU_ASSERT_FATAL(e != NULL);
	make(&m, 0, GOOD);
	CU_ASSERT_EQUAL(verify_stuck(e), 0);
	struct verify *v = verify_begin(e, &m, 1);
	enum verify_state s = verify_step(e, v, 1);
	for (; s == VERIFY_ASK; s = verify_step(e, v, 1))
		answer(v, &asked);
	CU_ASSERT_EQUAL_FATAL(s, VERIFY_BUSY);
	CU_ASSERT_EQUAL(verify_stuck(e), 0);
	CU_ASSERT_EQUAL(verify_stuck(e), VERIFY_HASHES);
	CU_ASSERT_PTR_NULL(verify_drive(e, VERIFY_KEYS));
	CU_ASSERT_EQUAL(verify_stuck(e), VERIFY_HASHES);
	CU_ASSERT_PTR_EQUAL_FATAL(verify_drive(e, VERIFY_HASHES), v);
	CU_ASSERT_EQUAL(verify_stuck(e), 0);
	s = verify_step(e, v, 1);
	CU_ASSERT_EQUAL(verify_stuck(e), 0);
	if (s == VERIFY_BUSY) {
		CU_ASSERT_EQUAL(verify_stuck(e), VERIFY_KEYS);
		/* it waits for others where it goes by lanes, else only to be taken */
		struct verify *ready = verify_drive(e, VERIFY_HASHES);
		CU_ASSERT_PTR_EQUAL_FATAL(ready ? ready : verify_drive(e, VERIFY_KEYS), v);
		CU_ASSERT_EQUAL(verify_stuck(e), 0);
		s = verify_step(e, v, 1);
	}
	CU_ASSERT_EQUAL(s, VERIFY_DONE);
	check(&m, GOOD);
	verify_end(e, v);
	verify_engine_free(e);
	free(m.chunks);
	free(stats);
}

/* Steps until its octets are in a queue. */
static struct verify *in_work(struct verify_engine *e, struct message *m)
{
	unsigned asked = 0;
	struct verify *v = verify_begin(e, m, 1);
	enum verify_state s;
	CU_ASSERT_FATAL(v != NULL);
	while ((s = verify_step(e, v, 1)) == VERIFY_ASK)
		answer(v, &asked);
	CU_ASSERT_EQUAL_FATAL(s, VERIFY_BUSY);
	return v;
}

/* Whoever gives up questions takes nothing out of the queues; the verdict is that of the octets. */
static void given_up_in_work(void)
{
	struct config cfg = config();
	struct stats *stats = stats_new();
	struct verify_engine *e = verify_engine_new(&cfg, 3, stats);
	struct message m[3];
	struct verify *v[3];
	CU_ASSERT_FATAL(e != NULL);
	for (unsigned i = 0; i < 3; i++) {
		make(&m[i], 10 * i + 1, i);
		v[i] = in_work(e, &m[i]);
		verify_give_up(v[i]);
		verify_late(v[i], 1000000);
	}
	for (unsigned done = 0; done < 3;) {
		struct verify *ready = verify_poll(e, true);
		CU_ASSERT_PTR_NOT_NULL_FATAL(ready);
		verify_give_up(ready);
		if (verify_step(e, ready, 1) != VERIFY_DONE)
			continue;
		struct message *one = verify_message(ready);
		check(one, (unsigned)(one - m));
		verify_end(e, ready);
		free(one->chunks);
		done++;
	}
	CU_ASSERT_PTR_NULL(verify_poll(e, true));
	verify_engine_free(e);
	free(stats);
}

/* An engine may go with messages in its queues, after these. */
static void freed_in_work(void)
{
	struct config cfg = config();
	struct stats *stats = stats_new();
	for (unsigned n = 0; n <= SLOTS; n += 3) {
		struct verify_engine *e = verify_engine_new(&cfg, SLOTS, stats);
		struct message m[SLOTS];
		CU_ASSERT_FATAL(e != NULL);
		for (unsigned i = 0; i < n; i++) {
			make(&m[i], i, GOOD);
			in_work(e, &m[i]);
		}
		struct verify *v = n ? verify_poll(e, true) : NULL; /* to its signature */
		if (v)
			verify_step(e, v, 1);
		for (unsigned i = 0; i < n; i++)
			free(m[i].chunks);
		verify_engine_free(e);
	}
	free(stats);
}

/* One message alone, to its end. */
static struct verify *alone(struct verify_engine *e, struct message *m)
{
	struct verify *v = verify_begin(e, m, 1);
	drive(e, v);
	return v;
}

/* A new snapshot is for messages begun later; the old one may be gone while a message is under way. */
static void new_config(void)
{
	struct config cfg = config(), next = config();
	struct stats *stats = stats_new();
	struct verify_engine *e = verify_engine_new(&cfg, 1, stats);
	struct message m;
	make(&m, 1, GOOD);
	struct verify *v = verify_begin(e, &m, 1);
	next.dkim = false;
	verify_engine_config(e, &next);
	memset(&cfg, 0, sizeof cfg);
	drive(e, v);
	CU_ASSERT(m.verdict->n_dkim == 1 && m.verdict->dkim->result == AUTH_PASS);
	verify_end(e, v);
	v = alone(e, &m);
	CU_ASSERT_EQUAL(m.verdict->n_dkim, 0);
	verify_end(e, v);
	verify_engine_free(e);
	free(m.chunks);
	free(stats);
}

static void switched_off(void)
{
	struct config cfg = config();
	struct stats *stats = stats_new();
	struct message m;
	make(&m, 1, BAD_BODY);
	cfg.dkim = false;
	struct verify_engine *e = verify_engine_new(&cfg, 1, stats);
	struct verify *v = alone(e, &m);
	CU_ASSERT(m.verdict->has_sha256 && m.verdict->n_dkim == 0 && m.verdict->dkim_seen == 0);
	CU_ASSERT_STRING_EQUAL(m.verdict->result, "clean");
	CU_ASSERT_PTR_NULL(verify_begin(e, &m, 1));
	verify_end(e, v);
	struct config next = cfg;
	next.digest = false;
	next.dkim = true;
	verify_engine_config(e, &next);
	v = alone(e, &m);
	CU_ASSERT(!m.verdict->has_sha256 && m.verdict->n_dkim == 1);
	verify_end(e, v);
	verify_engine_free(e);
	verify_engine_free(NULL);
	free(m.chunks);
	free(stats);
}

/* --now stands for the time of capture: t= and x= are judged by it. */
static void now(void)
{
	struct config cfg = config();
	struct stats *stats = stats_new();
	struct message m;
	char *text;
	struct sign s = { .key = test_key(),
			  .tags = "v=1; a=rsa-sha256; d=example.com; s=s1; t=1000; x=2000; h=from",
			  .names = "from",
			  .length = -1 };
	char *field = sign_message(&s, "From: a@example.com\r\n", bytes_str("x\r\n"));
	CU_ASSERT(asprintf(&text, "%sFrom: a@example.com\r\n\r\nx\r\n", field) > 0);
	message_of(&m, bytes_str(text));
	static const struct {
		uint64_t capture_s, now_s;
		enum auth_result want;
	} rows[] = { { 1500, 0, AUTH_PASS },
		     { 500, 0, AUTH_POLICY },
		     { 3000, 0, AUTH_POLICY },
		     { 3000, 1500, AUTH_PASS },
		     { 1500, 3000, AUTH_POLICY } };
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		m.time_ns = rows[i].capture_s * 1000000000u;
		cfg.now_ns = rows[i].now_s * 1000000000u;
		struct verify_engine *e = verify_engine_new(&cfg, 1, stats);
		struct verify *v = alone(e, &m);
		CU_ASSERT_EQUAL(m.verdict->dkim->result, rows[i].want);
		verify_end(e, v);
		verify_engine_free(e);
	}
	free(text);
	free(field);
	free(m.chunks);
	free(stats);
}

/* Of a message over the limit the header is there, the digest goes on from where it was, and no body can be proved. */
static void too_large(void)
{
	struct config cfg = config();
	struct stats *stats = stats_new();
	struct message whole, m;
	make(&whole, 3, GOOD);
	uint32_t head = whole.header_len, gone = whole.chunks->len - 100;
	message_of(&m, bytes_of(whole.chunks->data, head));
	struct message_chunk *rest = malloc(sizeof *rest + 100);
	*rest = (struct message_chunk){ NULL, 100, 100 };
	memcpy(rest->data, whole.chunks->data + gone, 100);
	m.chunks->next = rest;
	SHA256_CTX running;
	SHA256_Init(&running);
	SHA256_Update(&running, whole.chunks->data, gone);
	m.running = &running;
	m.hashed_to = gone;
	m.size = whole.size;
	m.intact = head;
	m.flags = MESSAGE_TOO_LARGE;
	struct verify_engine *e = verify_engine_new(&cfg, 1, stats);
	struct verify *v = alone(e, &m);
	uint8_t digest[32];
	SHA256(whole.chunks->data, whole.chunks->len, digest);
	CU_ASSERT(m.verdict->has_sha256 && !memcmp(digest, m.verdict->sha256, 32));
	CU_ASSERT_EQUAL(m.verdict->dkim->result, AUTH_UNVERIFIABLE);
	CU_ASSERT_STRING_EQUAL(m.verdict->dkim->reason, "not_kept");
	CU_ASSERT_STRING_EQUAL(m.verdict->reason, "dkim_unverifiable");
	CU_ASSERT_EQUAL(m.verdict->action, VERDICT_ACCEPT);
	verify_end(e, v);
	/* without a running digest there is none at all */
	m.running = NULL;
	m.hashed_to = 0;
	v = alone(e, &m);
	CU_ASSERT_FALSE(m.verdict->has_sha256);
	verify_end(e, v);
	verify_engine_free(e);
	free(rest);
	free(m.chunks);
	free(whole.chunks);
	free(stats);
}

/* Its one result, of no signature. */
static bool only(const struct message *m, enum auth_result result, const char *reason)
{
	const struct dkim_result *d = m->verdict->dkim;
	return m->verdict->n_dkim == 1 && d->result == result && !strcmp(d->reason, reason) &&
	       !d->domain.n && !d->aligned;
}

static void odd_messages(void)
{
	struct config cfg = config();
	struct stats *stats = stats_new();
	struct verify_engine *e = verify_engine_new(&cfg, 1, stats);
	/* nothing at all; no header since capture began inside; a body alone */
	struct message m = { .complete = true };
	struct verify *v = alone(e, &m);
	CU_ASSERT_STRING_EQUAL(m.verdict->result, "clean");
	static const uint8_t empty[] = { 0xe3, 0xb0, 0xc4, 0x42 };
	CU_ASSERT(m.verdict->has_sha256 && !memcmp(m.verdict->sha256, empty, sizeof empty));
	verify_end(e, v);
	message_of(&m, bytes_str("DKIM-Signature: v=1\r\n\r\nx"));
	m.header_len = 0;
	m.complete = false;
	m.intact = 0;
	m.flags = MESSAGE_NO_START;
	v = alone(e, &m);
	CU_ASSERT_STRING_EQUAL(m.verdict->result, "unverifiable");
	CU_ASSERT_STRING_EQUAL(m.verdict->reason, "no_header");
	CU_ASSERT_EQUAL(m.verdict->dkim_seen, 0);
	CU_ASSERT(only(&m, AUTH_UNVERIFIABLE, "octets_missing"));
	verify_end(e, v);
	free(m.chunks);
	/* cut in the header, header over the limit, and with a header that was not kept at all */
	message_of(&m, bytes_str("From: a@example.com\r\nDKIM-Sig"));
	m.complete = false;
	v = alone(e, &m);
	CU_ASSERT_STRING_EQUAL(m.verdict->reason, "no_header");
	verify_end(e, v);
	m.complete = true;
	m.flags = MESSAGE_HEADER_TOO_LARGE;
	v = alone(e, &m);
	CU_ASSERT_STRING_EQUAL(m.verdict->reason, "header_limit");
	CU_ASSERT(only(&m, AUTH_UNVERIFIABLE, "header_limit"));
	verify_end(e, v);
	m.flags = 0;
	m.header_len = 1000;
	v = alone(e, &m);
	CU_ASSERT_STRING_EQUAL(m.verdict->reason, "no_space");
	CU_ASSERT(m.flags & MESSAGE_UNVERIFIED);
	CU_ASSERT(only(&m, AUTH_UNVERIFIABLE, "no_space"));
	verify_end(e, v);
	free(m.chunks);
	CU_ASSERT_EQUAL(stats_get(stats, STAT_DKIM_NONE), 1);
	CU_ASSERT_EQUAL(stats_get(stats, STAT_DKIM_UNVERIFIABLE), 4);
	verify_engine_free(e);
	free(stats);
}

/* t=y counts as unsigned, unless it passes. */
static void c53_test_key(void)
{
	struct config cfg = config();
	struct stats *stats = stats_new();
	for (unsigned kind = GOOD; kind <= BAD_BODY; kind++) {
		struct message m;
		struct verify_engine *e = verify_engine_new(&cfg, 1, stats);
		make(&m, 2, kind);
		struct verify *v = verify_begin(e, &m, 1);
		CU_ASSERT_EQUAL(verify_step(e, v, 1), VERIFY_ASK);
		CU_ASSERT_EQUAL(verify_step(e, v, 1), VERIFY_ASK); /* not answered yet */
		char *record = sign_record(test_key(), "t=y; ");
		struct answer_rr rr = { bytes_str(record) };
		struct answer a = { .status = ANSWER_DATA, .ttl_s = 0, .n = 1, .rr = &rr };
		unsigned number;
		CU_ASSERT_PTR_NOT_NULL(verify_question(v, &number));
		unsigned other;
		CU_ASSERT_PTR_NULL(verify_question(v, &other));
		verify_unask(v, number);
		CU_ASSERT_PTR_NOT_NULL(verify_question(v, &number));
		verify_answer(v, number, &a);
		while (verify_step(e, v, 1) != VERIFY_DONE)
			CU_ASSERT_PTR_EQUAL(verify_poll(e, true), v);
		CU_ASSERT(m.verdict->dkim->test_mode);
		CU_ASSERT_EQUAL(m.verdict->dkim->result, kind == GOOD ? AUTH_PASS : AUTH_FAIL);
		CU_ASSERT_EQUAL(m.verdict->action, VERDICT_ACCEPT);
		CU_ASSERT_STRING_EQUAL(m.verdict->result, "clean");
		verify_end(e, v);
		free(record);
		verify_engine_free(e);
		free(m.chunks);
	}
	free(stats);
}

/* The largest header there is, folded in every line and full of signatures, fits a slot. */
static void largest_header(void)
{
	struct config cfg = config();
	struct dkim_profile profile = cfg.profiles->dkim[0];
	struct profiles profiles = *cfg.profiles;
	profile.signatures_max = 1000;
	profiles.dkim = &profile;
	cfg.profiles = &profiles;
	struct stats *stats = stats_new();
	struct verify_engine *e = verify_engine_new(&cfg, 1, stats);
	char *text = malloc(MESSAGE_HEADER_MAX + 100);
	for (int shape = 0; shape < 3; shape++) {
		size_t n = 0;
		while (n < MESSAGE_HEADER_MAX - 5000) {
			if (shape == 0)
				n += (size_t)sprintf(text + n, n ? " x\r\n" : "Subject: a\r\n");
			else if (shape == 1)
				n += (size_t)sprintf(text + n, "A:%04zu\r\n", n % 10000);
			else {
				n += (size_t)sprintf(text + n,
						     "DKIM-Signature: v=1; a=rsa-sha256; "
						     "d=x%zu.example; s=y; bh=47DEQpj8HBSa+/TI"
						     "mW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=",
						     n);
				memset(text + n, 'A', 1300);
				n += 1300;
				n += (size_t)sprintf(text + n, "; h=from");
				for (int i = 0; i < 1000; i++)
					n += (size_t)sprintf(text + n, ":a");
				n += (size_t)sprintf(text + n, "\r\n");
			}
		}
		n += (size_t)sprintf(text + n, "\r\n");
		struct message m;
		message_of(&m, bytes_of(text, n));
		struct verify *v = verify_begin(e, &m, 1);
		verify_give_up(v);
		while (verify_step(e, v, 1) != VERIFY_DONE)
			CU_ASSERT_PTR_EQUAL(verify_poll(e, true), v);
		CU_ASSERT(!(m.flags & MESSAGE_UNVERIFIED));
		/* more fields than are told apart: that is no "none" */
		CU_ASSERT_EQUAL(m.verdict->n_dkim, shape == 2 ? 64 : shape == 1);
		if (shape == 1)
			CU_ASSERT(only(&m, AUTH_UNVERIFIABLE, "header_limit"));
		verify_end(e, v);
		free(m.chunks);
	}
	verify_engine_free(e);
	free(text);
	free(stats);
}

TEST_MAIN("verify", TEST(many_messages), TEST(queues_apart), TEST(given_up_in_work),
	  TEST(freed_in_work), TEST(switched_off), TEST(new_config), TEST(now), TEST(too_large),
	  TEST(odd_messages), TEST(c53_test_key), TEST(largest_header))
