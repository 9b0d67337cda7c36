#include "verify/auth/keys.h"

#include "base/eight.h"
#include "verify/header/taglist.h"
#include "verify/kernel/base64.h"

#include <stdlib.h>

struct entry {
	struct key key; /* first: keys_release gets here from it */
	uint64_t expires_s;
	uint32_t users;
	uint32_t used; /* keys.tick of the last use */
	uint32_t hash;
	uint8_t len; /* 0: free */
	char name[QUESTION_NAME_MAX];
};

struct keys {
	struct pubkey_queue *q;
	struct entry *entry;
	uint64_t *touched; /* a bit for each set that has had a key: the others' pages stay
			      untouched */
	uint64_t seed;
	uint32_t sets; /* a power of two */
	uint32_t tick;
};

void key_fini(struct key *key)
{
	pubkey_fini(&key->pub);
	*key = (struct key){ .status = KEY_NONE };
}

/* True when the tag is absent or one of the words a or b is in its list. */
static bool lists(const struct taglist *t, const char *tag, const char *a, const char *b)
{
	const struct tag *found = taglist_find(t, tag);
	struct bytes list = found ? found->value : (struct bytes){ NULL, 0 }, item;
	if (!found)
		return true;
	while (taglist_item(&list, &item))
		if (bytes_equal(item, bytes_str(a)) || (b && bytes_equal(item, bytes_str(b))))
			return true;
	return false;
}

static enum key_status parse_data(struct key *key, struct pubkey_queue *q, enum pubkey_type type,
				  struct bytes text)
{
	uint8_t der[KEYS_DER_MAX];
	ptrdiff_t n = base64_decode(NULL, text, der, sizeof der);
	if (n < 0)
		return KEY_SYNTAX;
	switch (pubkey_parse(q, &key->pub, type, bytes_of(der, (size_t)n))) {
	case PUBKEY_OK:
		return KEY_OK;
	case PUBKEY_SIZE:
		return KEY_SIZE;
	case PUBKEY_BAD:
		return KEY_SYNTAX;
	case PUBKEY_MEMORY:
		break;
	}
	return KEY_FAILED;
}

static enum key_status parse_record(struct key *key, struct pubkey_queue *q, struct bytes record)
{
	struct taglist t;
	if (!taglist_parse(&t, record))
		return KEY_SYNTAX;
	const struct tag *v = taglist_find(&t, "v"), *k = taglist_find(&t, "k"),
			 *p = taglist_find(&t, "p");
	/* 3.6.1: the first tag, compared as a string */
	if (v && (v != &t.tag[0] || !bytes_equal(v->value, bytes_str("DKIM1"))))
		return KEY_SYNTAX;
	if (!p)
		return KEY_SYNTAX;
	key->test = taglist_find(&t, "t") && lists(&t, "t", "y", NULL);
	key->strict = taglist_find(&t, "t") && lists(&t, "t", "s", NULL);
	key->hashes = (uint8_t)(lists(&t, "h", "sha256", NULL) << HASH_SHA256 |
				lists(&t, "h", "sha1", NULL) << HASH_SHA1);
	if (!lists(&t, "s", "email", "*"))
		return KEY_SERVICE;
	if (p->value.n == 0)
		return KEY_REVOKED;
	if (!k || bytes_equal(k->value, bytes_str("rsa")))
		return parse_data(key, q, PUBKEY_RSA, p->value);
	if (bytes_equal(k->value, bytes_str("ed25519")))
		return parse_data(key, q, PUBKEY_ED25519, p->value);
	return KEY_TYPE;
}

void key_parse(struct key *key, struct pubkey_queue *q, struct bytes record)
{
	*key = (struct key){ 0 };
	key->status = (uint8_t)parse_record(key, q, record);
}

static bool less(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c < 0 || (c == 0 && a.n < b.n);
}

void key_answer(struct key *key, struct pubkey_queue *q, const struct answer *answer)
{
	struct bytes best = { NULL, 0 };
	*key = (struct key){ .status = KEY_NONE };
	if (answer->status == ANSWER_TIMEOUT)
		key->status = KEY_TIMEOUT;
	else if (answer->status == ANSWER_SERVFAIL)
		key->status = KEY_FAILED;
	key->secure = answer->secure;
	if (answer->status != ANSWER_DATA)
		return;
	for (unsigned i = 0; i < answer->n && i < KEYS_RECORDS_MAX; i++) {
		struct bytes record = answer->rr[i].data;
		struct key other;
		key_parse(&other, q, record);
		if (!best.p || other.status < key->status ||
		    (other.status == key->status && less(record, best))) {
			key_fini(key);
			*key = other;
			best = record;
		} else {
			key_fini(&other);
		}
	}
	key->secure = answer->secure;
}

struct keys *keys_new(uint32_t n, uint64_t seed, struct pubkey_queue *q)
{
	struct keys *keys = calloc(1, sizeof *keys);
	if (!keys)
		return NULL;
	keys->sets = 1;
	while (keys->sets * 2 <= n / KEYS_WAYS)
		keys->sets *= 2;
	keys->seed = seed;
	keys->q = q;
	/* pages are touched as keys come in */
	keys->entry = calloc((size_t)keys->sets * KEYS_WAYS, sizeof *keys->entry);
	keys->touched = calloc(keys->sets / 64 + 1, sizeof *keys->touched);
	if (!keys->entry || !keys->touched) {
		keys_free(keys);
		return NULL;
	}
	return keys;
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; keys->touched && i < (size_t)keys->sets * KEYS_WAYS; i++) {
		size_t set = i / KEYS_WAYS;
		if ((keys->touched[set / 64] >> (set % 64) & 1) && keys->entry[i].len)
			key_fini(&keys->entry[i].key);
	}
	free(keys->touched);
	free(keys->entry);
	free(keys);
}

static uint32_t hash_name(const struct keys *keys, struct bytes name)
{
	return (uint32_t)(eight_hash(keys->seed, name.p, name.n) >> 32);
}

static struct entry *set_of(struct keys *keys, uint32_t hash)
{
	return keys->entry + (size_t)(hash & (keys->sets - 1)) * KEYS_WAYS;
}

static struct key *use(struct keys *keys, struct entry *e)
{
	e->users++;
	e->used = ++keys->tick;
	return &e->key;
}

struct key *keys_find(struct keys *keys, struct bytes name, uint64_t clock_s)
{
	uint32_t hash = hash_name(keys, name);
	struct entry *set = set_of(keys, hash);
	for (unsigned i = 0; i < KEYS_WAYS; i++)
		if (set[i].len == name.n && set[i].hash == hash && set[i].expires_s > clock_s &&
		    memcmp(set[i].name, name.p, name.n) == 0)
			return use(keys, &set[i]);
	return NULL;
}

/* A free entry, or one whose time is over, or the one used longest ago; NULL: all are in use. */
static struct entry *victim(struct keys *keys, struct entry *set, uint64_t clock_s)
{
	struct entry *oldest = NULL;
	for (unsigned i = 0; i < KEYS_WAYS; i++) {
		struct entry *e = &set[i];
		if (!e->len || (!e->users && e->expires_s <= clock_s))
			return e;
		/* the difference goes right over the wrap of the tick */
		if (!e->users && (!oldest || keys->tick - e->used > keys->tick - oldest->used))
			oldest = e;
	}
	return oldest;
}

struct key *keys_put(struct keys *keys, struct bytes name, const struct answer *answer,
		     uint64_t clock_s, uint32_t ttl_max_s)
{
	bool negative = answer->status == ANSWER_NODATA || answer->status == ANSWER_NXDOMAIN;
	if ((answer->status != ANSWER_DATA && !negative) || !name.n || name.n > QUESTION_NAME_MAX)
		return NULL;
	/* another message may have brought it meanwhile */
	struct key *known = keys_find(keys, name, clock_s);
	if (known)
		return known;
	if (negative && ttl_max_s > KEYS_NEGATIVE_MAX_S)
		ttl_max_s = KEYS_NEGATIVE_MAX_S;
	uint32_t ttl_s = answer->ttl_s < ttl_max_s ? answer->ttl_s : ttl_max_s;
	uint32_t hash = hash_name(keys, name);
	struct entry *e = victim(keys, set_of(keys, hash), clock_s);
	if (!ttl_s || !e)
		return NULL;
	if (e->len)
		key_fini(&e->key);
	e->len = 0;
	key_answer(&e->key, keys->q, answer);
	if (e->key.status == KEY_FAILED)
		return NULL; /* out of memory is not a property of the name */
	uint32_t set = hash & (keys->sets - 1);
	keys->touched[set / 64] |= UINT64_C(1) << (set % 64);
	e->expires_s = clock_s + ttl_s;
	e->hash = hash;
	e->users = 0;
	e->len = (uint8_t)name.n;
	memcpy(e->name, name.p, name.n);
	return use(keys, e);
}

void keys_release(struct key *key)
{
	struct entry *e = (struct entry *)key;
	e->users--;
}
