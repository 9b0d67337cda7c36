/* A name is asked for once, whoever wants its key, and what was found is given back. */
#include <stdio.h>

#include "tests/lookup.h"
#include "tests/sign.h"
#include "tests/test.h"
#include "verify/auth/keyset.h"

struct bench {
	struct lookup *l;
	struct config cfg;
	struct pubkey_queue *queue;
	struct keys *keys;
	struct stats *stats;
	struct keyset_setup setup;
};

static struct bench bench_new(void)
{
	static char zone[2000];
	static EVP_PKEY *key;
	if (!key) {
		key = sign_rsa(1024);
		char *record = sign_record(key, "");
		snprintf(zone, sizeof zone,
			 "a._domainkey.example.org. 60 IN TXT \"%.200s\" \"%s\"\n"
			 "b._domainkey.example.org. 60 IN TXT \"v=DKIM1; p=\"\n"
			 ";ERROR,c._domainkey.example.org,TXT,TIMEOUT\n"
			 ";ERROR,d._domainkey.example.org,TXT,SERVFAIL\n",
			 record, record + 200);
		free(record);
	}
	struct bench b = { .l = lookup_new(zone), .queue = pubkey_queue_new(1) };
	b.keys = keys_new(64, 1, b.queue);
	b.stats = aligned_alloc(64, (sizeof *b.stats + 63) / 64 * 64);
	memset(b.stats, 0, sizeof *b.stats);
	b.cfg.dns_cache_ttl_max_s = 86400;
	return b;
}

static void bench_free(struct bench *b)
{
	keys_free(b->keys);
	pubkey_queue_free(b->queue);
	lookup_free(b->l);
	free(b->stats);
}

static bool step(void *set)
{
	return keyset_ask(set);
}

static struct signature signature_of(const char *selector)
{
	return (struct signature){ .s = bytes_str(selector),
				   .d = bytes_str("example.org"),
				   .i = bytes_str("example.org") };
}

static void begin(struct bench *b, struct keyset *set, uint16_t max)
{
	const struct keyset_setup setup = { .cfg = &b->cfg,
					    .known = &b->l->known,
					    .keys = b->keys,
					    .queue = b->queue,
					    .stats = b->stats,
					    .clock_s = 1000 };
	lookup_again(b->l);
	CU_ASSERT_FATAL(keyset_init(set, &setup, max, &b->l->arena));
}

static void once_a_name(void)
{
	static const char *const selectors[] = { "a", "b", "a", "c", "d", "none", "b" };
	static const enum key_status want[] = { KEY_OK,     KEY_REVOKED, KEY_OK,     KEY_TIMEOUT,
						KEY_FAILED, KEY_NONE,    KEY_REVOKED };
	struct bench b = bench_new();
	for (unsigned round = 0; round < 4; round++) {
		struct keyset set;
		struct keyset_key *key[7];
		b.cfg.evidence = round == 3;
		begin(&b, &set, 5);
		for (unsigned i = 0; i < 7; i++) {
			struct signature s = signature_of(selectors[i]);
			key[i] = keyset_want(&set, &s);
			CU_ASSERT_PTR_NOT_NULL_FATAL(key[i]);
			CU_ASSERT_PTR_NULL(key[i]->key);
		}
		CU_ASSERT(key[0] == key[2] && key[1] == key[6] && set.n == 5);
		struct signature more = signature_of("x");
		CU_ASSERT_PTR_NULL(keyset_want(&set, &more));
		CU_ASSERT(lookup_run(b.l, &b.l->known, step, &set));
		/* what has an answer is kept, errors are not, and evidence leaves the cache alone */
		CU_ASSERT_EQUAL(b.l->questions, round % 3 ? 2 : 5);
		for (unsigned i = 0; i < 7; i++) {
			CU_ASSERT_EQUAL(key[i]->key->status, want[i]);
			CU_ASSERT_EQUAL(key[i]->cached, round != 3 && want[i] != KEY_TIMEOUT &&
								want[i] != KEY_FAILED);
		}
		CU_ASSERT(keyset_ask(&set));
		keyset_end(&set);
		CU_ASSERT_PTR_NULL(key[0]->key);
	}
	CU_ASSERT_EQUAL(stats_get(b.stats, STAT_KEY_MISS), 5 + 2 + 2 + 5);
	CU_ASSERT_EQUAL(stats_get(b.stats, STAT_KEY_HIT), 3 + 3);
	bench_free(&b);
}

static void asked_in_order(void)
{
	struct bench b = bench_new();
	struct keyset set;
	begin(&b, &set, 3);
	for (const char *s = "dac"; *s; s++) {
		char selector[2] = { *s, 0 };
		struct signature sig = signature_of(selector);
		keyset_want(&set, &sig);
	}
	CU_ASSERT_FALSE(keyset_ask(&set));
	CU_ASSERT_STRING_EQUAL(known_question(&b.l->known, 0)->name, "d._domainkey.example.org");
	CU_ASSERT_STRING_EQUAL(known_question(&b.l->known, 1)->name, "a._domainkey.example.org");
	CU_ASSERT_STRING_EQUAL(known_question(&b.l->known, 2)->name, "c._domainkey.example.org");
	known_give_up(&b.l->known, KNOWN_KEYS);
	CU_ASSERT(keyset_ask(&set));
	CU_ASSERT_EQUAL(set.key[1].key->status, KEY_TIMEOUT);
	keyset_end(&set);
	/* none at all */
	begin(&b, &set, 0);
	CU_ASSERT(keyset_ask(&set));
	keyset_end(&set);
	bench_free(&b);
}

/* The first thing that stands against a key, in the order of RFC 6376 section 6.1.2. */
static void judged_in_order(void)
{
	static const struct dkim_profile profile = { .min_bits = 1024, .max_bits = 2048 };
	struct key key = { .status = KEY_OK,
			   .hashes = 1 << HASH_SHA256,
			   .pub = { .type = PUBKEY_RSA, .bits = 1024 } };
	struct signature s = signature_of("a");
	s.hash = HASH_SHA256;
	s.type = PUBKEY_RSA;
	CU_ASSERT_EQUAL(keyset_judge(&profile, &s, &key), REASON_NONE);
	key.pub.bits = 2048;
	CU_ASSERT_EQUAL(keyset_judge(&profile, &s, &key), REASON_NONE);
	key.pub.bits = 2049;
	CU_ASSERT_EQUAL(keyset_judge(&profile, &s, &key), REASON_KEY_SIZE);
	key.pub.bits = 1023;
	CU_ASSERT_EQUAL(keyset_judge(&profile, &s, &key), REASON_KEY_SIZE);
	key.strict = true;
	CU_ASSERT_EQUAL(keyset_judge(&profile, &s, &key), REASON_KEY_SIZE);
	s.i = bytes_str("x.example.org");
	CU_ASSERT_EQUAL(keyset_judge(&profile, &s, &key), REASON_MISMATCH);
	s.type = PUBKEY_ED25519;
	CU_ASSERT_EQUAL(keyset_judge(&profile, &s, &key), REASON_KEY_TYPE);
	s.hash = HASH_SHA1;
	CU_ASSERT_EQUAL(keyset_judge(&profile, &s, &key), REASON_KEY_HASH);
	static const enum reason want[] = {
		[KEY_REVOKED] = REASON_KEY_REVOKED, [KEY_TYPE] = REASON_KEY_TYPE,
		[KEY_SERVICE] = REASON_KEY_SERVICE, [KEY_SYNTAX] = REASON_KEY_SYNTAX,
		[KEY_NONE] = REASON_NO_KEY,         [KEY_TIMEOUT] = REASON_KEY_TIMEOUT,
		[KEY_FAILED] = REASON_KEY_FAILED,
	};
	for (unsigned i = KEY_REVOKED; i <= KEY_FAILED; i++) {
		key.status = (uint8_t)i;
		CU_ASSERT_EQUAL(keyset_judge(&profile, &s, &key), want[i]);
	}
	struct key odd = { .status = KEY_SIZE, .hashes = 3, .pub = { .bits = 16384 } };
	s = signature_of("a");
	CU_ASSERT_EQUAL(keyset_judge(&profile, &s, &odd), REASON_KEY_SIZE);
}

TEST_MAIN("keyset", TEST(once_a_name), TEST(asked_in_order), TEST(judged_in_order))
