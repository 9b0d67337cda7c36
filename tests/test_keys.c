/* A key record is read as RFC 6376 3.6.1 has it, and a kept key is given for its name and its time only. */
#include "tests/sign.h"
#include "tests/test.h"
#include "verify/auth/keys.h"

static struct pubkey_queue *queue(void)
{
	static struct pubkey_queue *q;
	if (!q)
		q = pubkey_queue_new(1);
	return q;
}

static char *rsa_p(unsigned bits, bool bare)
{
	static char *text;
	uint8_t der[2048];
	EVP_PKEY *pkey = sign_rsa(bits);
	free(text);
	text = sign_base64(der, sign_public(pkey, bare, der, sizeof der));
	EVP_PKEY_free(pkey);
	return text;
}

#define ED "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static const struct {
	const char *record;
	enum key_status want;
} rows[] = {
	{ "v=DKIM1; k=ed25519; p=" ED, KEY_OK },
	{ "v=DKIM1;k=ed25519;p=" ED ";", KEY_OK },
	{ "k=ed25519; p=" ED, KEY_OK },
	{ "k=ed25519; p=11qYAYKxCrfVS/7TyWQH  Og7hcvPapiMl\trwIaaPcHURo=; n=a note", KEY_OK },
	{ "k=ed25519; g=x; zz=1; p=" ED, KEY_OK },
	{ "k=ed25519; h=sha1:sha256:md5; s=*; t=y:s:z; p=" ED, KEY_OK },
	{ "k=ed25519; s=email; p=" ED, KEY_OK },
	{ "k=ed25519; s=tlsrpt:email; p=" ED, KEY_OK },
	{ "k=ed25519; s=tlsrpt; p=" ED, KEY_SERVICE },
	{ "k=ed25519; s=; p=" ED, KEY_SERVICE },
	{ "v=DKIM1; p=", KEY_REVOKED },
	{ "v=DKIM1; k=ed25519; p= ", KEY_REVOKED },
	{ "v=DKIM1; k=unknown; p=", KEY_REVOKED },
	{ "v=DKIM1; k=dsa; p=" ED, KEY_TYPE },
	{ "v=DKIM2; k=ed25519; p=" ED, KEY_SYNTAX },
	{ "v=DKIM1.0; k=ed25519; p=" ED, KEY_SYNTAX },
	{ "v=dkim1; k=ed25519; p=" ED, KEY_SYNTAX },
	{ "k=ed25519; v=DKIM1; p=" ED, KEY_SYNTAX }, /* not the first */
	{ "v=DKIM1; k=ed25519", KEY_SYNTAX },
	{ "v=DKIM1; k=ed25519; p=" ED "; p=" ED, KEY_SYNTAX },
	{ "v=DKIM1; k=ed25519; p=!", KEY_SYNTAX },
	{ "v=DKIM1; k=rsa; p=" ED, KEY_SYNTAX },
	{ "v=DKIM1; k=ed25519; p=AAAA", KEY_SYNTAX },
	{ "v=spf1 -all", KEY_SYNTAX },
	{ "", KEY_SYNTAX },
	{ "\"v=DKIM1; k=ed25519; p=" ED "\"", KEY_SYNTAX },
};

static void h3_records(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].record);
		uint8_t *p = test_guard(rows[i].record, n);
		struct key key;
		key_parse(&key, queue(), bytes_of(p, n));
		CU_ASSERT_EQUAL(key.status, rows[i].want);
		key_fini(&key);
		test_guard_free(p, n);
	}
}

static void cut_everywhere(void)
{
	static const char record[] = "v=DKIM1; k=ed25519; h=sha256; t=s; p=" ED;
	for (size_t n = 0; n < sizeof record; n++) {
		uint8_t *p = test_guard(record, n);
		struct key key;
		key_parse(&key, queue(), bytes_of(p, n));
		/* 32 octets are 43 letters, the padding may be missing */
		CU_ASSERT_EQUAL(key.status == KEY_OK, n >= sizeof record - 2);
		key_fini(&key);
		test_guard_free(p, n);
	}
}

static void flags_and_sizes(void)
{
	char record[4096];
	struct key key;
	for (int bare = 0; bare < 2; bare++) {
		snprintf(record, sizeof record, "h=sha256; t=y; p=%s", rsa_p(1024, bare));
		key_parse(&key, queue(), bytes_str(record));
		CU_ASSERT_EQUAL(key.status, KEY_OK);
		CU_ASSERT_EQUAL(key.pub.bits, 1024);
		CU_ASSERT(key.test && !key.strict && key.hashes == 1 << HASH_SHA256);
		key_fini(&key);
	}
	key_parse(&key, queue(), bytes_str("k=ed25519; h=sha1; t=s; p=" ED));
	CU_ASSERT(!key.test && key.strict && key.hashes == 1 << HASH_SHA1);
	key_fini(&key);
	key_parse(&key, queue(), bytes_str("k=ed25519; h=md5; p=" ED));
	CU_ASSERT(key.status == KEY_OK && key.hashes == 0);
	key_fini(&key);
	key_parse(&key, queue(), bytes_str("k=ed25519; p=" ED));
	CU_ASSERT(key.hashes == (1 << HASH_SHA1 | 1 << HASH_SHA256) && !key.test && !key.strict);
	key_fini(&key);
}

/* H-4: answers of 8 KiB and of 64 KiB; a key too long to decode is malformed, not cut. */
static void h4_long_records(void)
{
	for (size_t n = 8192; n <= ANSWER_OCTETS_MAX; n *= 8) {
		char *record = malloc(n + 1);
		struct key key;
		size_t len = (size_t)sprintf(record, "k=ed25519; p=" ED "; n=");
		memset(record + len, 'x', n - len);
		key_parse(&key, queue(), bytes_of(record, n));
		CU_ASSERT_EQUAL(key.status, KEY_OK);
		key_fini(&key);
		len = (size_t)sprintf(record, "p=");
		memset(record + len, 'A', n - len);
		key_parse(&key, queue(), bytes_of(record, n));
		CU_ASSERT_EQUAL(key.status, KEY_SYNTAX);
		key_fini(&key);
		free(record);
	}
}

static void several_records(void)
{
	static const struct {
		const char *record[3];
		enum key_status want;
		bool test;
	} sets[] = {
		{ { "v=spf1 -all", "k=ed25519; p=" ED, "x" }, KEY_OK, false },
		{ { "p=", "v=spf1 -all", "k=ed25519; t=y; p=" ED }, KEY_OK, true },
		/* of two good ones the lesser string, whatever the order */
		{ { "k=ed25519; p=" ED, "k=ed25519; p=" ED "; t=y", "p=" }, KEY_OK, false },
		{ { "k=ed25519; t=y; p=" ED, "k=ed25519; p=" ED, "p=" }, KEY_OK, false },
		{ { "v=spf1 -all", "p=", "k=dsa; p=AAAA" }, KEY_REVOKED, false },
		{ { "x", "y", "" }, KEY_SYNTAX, false },
	};
	for (unsigned i = 0; i < sizeof sets / sizeof sets[0]; i++)
		for (unsigned turn = 0; turn < 6; turn++) {
			struct answer_rr rr[3];
			unsigned first = turn % 3,
				 second = turn < 3 ? (first + 1) % 3 : (first + 2) % 3;
			rr[0].data = bytes_str(sets[i].record[first]);
			rr[1].data = bytes_str(sets[i].record[second]);
			rr[2].data = bytes_str(sets[i].record[3 - first - second]);
			struct answer answer = { .status = ANSWER_DATA, .n = 3, .rr = rr };
			struct key key;
			key_answer(&key, queue(), &answer);
			CU_ASSERT_EQUAL(key.status, sets[i].want);
			CU_ASSERT_EQUAL(key.status == KEY_OK && key.test, sets[i].test);
			key_fini(&key);
		}
}

static struct answer_rr good_rr[1];

static struct answer answer_of(enum answer_status status, uint32_t ttl_s)
{
	good_rr[0].data = bytes_str("k=ed25519; p=" ED);
	return (struct answer){
		.status = (uint8_t)status, .ttl_s = ttl_s, .n = status == ANSWER_DATA, .rr = good_rr
	};
}

static void statuses(void)
{
	static const enum key_status want[] = {
		[ANSWER_DATA] = KEY_OK,         [ANSWER_NODATA] = KEY_NONE,
		[ANSWER_NXDOMAIN] = KEY_NONE,   [ANSWER_SERVFAIL] = KEY_FAILED,
		[ANSWER_TIMEOUT] = KEY_TIMEOUT,
	};
	for (unsigned i = 0; i < sizeof want / sizeof want[0]; i++) {
		struct answer answer = answer_of(i, 60);
		struct key key;
		key_answer(&key, queue(), &answer);
		CU_ASSERT_EQUAL(key.status, want[i]);
		key_fini(&key);
	}
}

static void time_to_live(void)
{
	static const struct {
		enum answer_status status;
		uint32_t ttl_s, max_s, want_s; /* 0: not kept */
	} kept[] = {
		{ ANSWER_DATA, 60, 86400, 60 },        { ANSWER_DATA, 90000, 86400, 86400 },
		{ ANSWER_DATA, 0, 86400, 0 },          { ANSWER_NXDOMAIN, 60, 86400, 60 },
		{ ANSWER_NXDOMAIN, 3600, 86400, 300 }, { ANSWER_NODATA, 3600, 100, 100 },
		{ ANSWER_TIMEOUT, 60, 86400, 0 },      { ANSWER_SERVFAIL, 60, 86400, 0 },
	};
	struct bytes name = bytes_str("s._domainkey.example.com");
	for (unsigned i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		struct keys *keys = keys_new(64, 1, queue());
		struct answer answer = answer_of(kept[i].status, kept[i].ttl_s);
		CU_ASSERT_PTR_NULL(keys_find(keys, name, 1000));
		struct key *key = keys_put(keys, name, &answer, 1000, kept[i].max_s);
		CU_ASSERT_EQUAL(key != NULL, kept[i].want_s != 0);
		if (key)
			keys_release(key);
		struct key *again = keys_find(keys, name, 999 + kept[i].want_s);
		CU_ASSERT_EQUAL(again != NULL, kept[i].want_s != 0);
		if (again)
			keys_release(again);
		CU_ASSERT_PTR_NULL(keys_find(keys, name, 1000 + kept[i].want_s));
		CU_ASSERT_PTR_NULL(keys_find(keys, bytes_str("t._domainkey.example.com"), 1000));
		keys_free(keys);
	}
}

/* A full set gives up what was used longest ago; a key in use stays; with all in use nothing is kept. */
static void full(void)
{
	struct keys *keys = keys_new(KEYS_WAYS, 1, queue());
	struct answer answer = answer_of(ANSWER_DATA, 60);
	struct key *key[KEYS_WAYS];
	char name[32];
	CU_ASSERT_FATAL(keys != NULL);
	for (int i = 0; i < KEYS_WAYS; i++) {
		snprintf(name, sizeof name, "k%d", i);
		key[i] = keys_put(keys, bytes_str(name), &answer, 1000, 60);
		CU_ASSERT_FATAL(key[i] != NULL);
	}
	CU_ASSERT_PTR_NULL(keys_put(keys, bytes_str("more"), &answer, 1000, 60));
	/* the same name is given from what is kept */
	CU_ASSERT_PTR_EQUAL(keys_put(keys, bytes_str("k3"), &answer, 1000, 60), key[3]);
	keys_release(key[3]);
	for (int i = 0; i < KEYS_WAYS; i++)
		if (i != 5)
			keys_release(key[i]);
	keys_release(keys_find(keys, bytes_str("k0"), 1000));
	struct key *more = keys_put(keys, bytes_str("more"), &answer, 1000, 60);
	CU_ASSERT_FATAL(more != NULL);
	keys_release(more);
	CU_ASSERT_PTR_NULL(keys_find(keys, bytes_str("k1"), 1000)); /* k0 and k3 were used later */
	CU_ASSERT_EQUAL(key[5]->status, KEY_OK);
	/* when all time is over everything but the key in use may go */
	for (int i = 0; i < 3 * KEYS_WAYS; i++) {
		snprintf(name, sizeof name, "n%d", i);
		struct key *k = keys_put(keys, bytes_str(name), &answer, 5000, 60);
		CU_ASSERT_FATAL(k && k != key[5]);
		keys_release(k);
	}
	CU_ASSERT_EQUAL(key[5]->status, KEY_OK);
	keys_release(key[5]);
	keys_free(keys);
	keys_free(NULL);
}

TEST_MAIN("keys", TEST(h3_records), TEST(cut_everywhere), TEST(flags_and_sizes),
	  TEST(h4_long_records), TEST(several_records), TEST(statuses), TEST(time_to_live),
	  TEST(full))
