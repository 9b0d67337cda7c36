#include "verify/auth/keyset.h"

bool keyset_init(struct keyset *set, const struct keyset_setup *setup, uint16_t max,
		 struct arena *arena)
{
	*set = (struct keyset){ .setup = *setup, .max = max };
	set->key = max ? arena_take(arena, max * sizeof *set->key) : NULL;
	return set->key || !max;
}

static uint8_t name_of(char *name, const struct signature *s)
{
	static const char middle[] = "._domainkey.";
	size_t n = 0;
	memcpy(name, s->s.p, s->s.n);
	n += s->s.n;
	memcpy(name + n, middle, sizeof middle - 1);
	n += sizeof middle - 1;
	memcpy(name + n, s->d.p, s->d.n);
	n += s->d.n;
	return (uint8_t)n;
}

struct keyset_key *keyset_want(struct keyset *set, const struct signature *s)
{
	char name[QUESTION_NAME_MAX];
	uint8_t len = name_of(name, s);
	for (unsigned i = 0; i < set->n; i++)
		if (set->key[i].len == len && memcmp(set->key[i].name, name, len) == 0)
			return &set->key[i];
	if (set->n == set->max)
		return NULL;
	struct keyset_key *k = &set->key[set->n++];
	k->key = NULL;
	k->cached = k->missed = false;
	k->len = len;
	memcpy(k->name, name, len);
	return k;
}

static void find(struct keyset *set, struct keyset_key *k)
{
	const struct keyset_setup *setup = &set->setup;
	if (!setup->cfg->evidence)
		k->key = keys_find(setup->keys, bytes_of(k->name, k->len), setup->clock_s);
	k->cached = k->key != NULL;
	if (!k->missed)
		stats_add(setup->stats, k->key ? STAT_KEY_HIT : STAT_KEY_MISS, 1);
	k->missed = true;
}

/* False: the question is open. */
static bool ask(struct keyset *set, struct keyset_key *k)
{
	const struct keyset_setup *setup = &set->setup;
	struct bytes name = bytes_of(k->name, k->len);
	const struct record *r;
	if (setup->cfg->evidence)
		r = known_ask(setup->known, KNOWN_KEYS, QUESTION_TXT, name);
	else
		r = known_ask_once(setup->known, KNOWN_KEYS, QUESTION_TXT, name);
	if (!r)
		return false;
	if (!setup->cfg->evidence)
		k->key = keys_put(setup->keys, name, &r->answer, setup->clock_s,
				  setup->cfg->dns_cache_ttl_max_s);
	k->cached = k->key != NULL;
	if (k->key)
		return true;
	key_answer(&k->own, setup->queue, &r->answer);
	k->key = &k->own;
	return true;
}

bool keyset_ask(struct keyset *set)
{
	bool all = true;
	for (unsigned i = 0; i < set->n; i++) {
		struct keyset_key *k = &set->key[i];
		if (!k->key)
			find(set, k);
		if (!k->key)
			all &= ask(set, k);
	}
	return all;
}

enum reason keyset_judge(const struct dkim_profile *profile, const struct signature *s,
			 const struct key *key)
{
	static const enum reason of[] = {
		[KEY_OK] = REASON_NONE,
		[KEY_SIZE] = REASON_KEY_SIZE,
		[KEY_REVOKED] = REASON_KEY_REVOKED,
		[KEY_TYPE] = REASON_KEY_TYPE,
		[KEY_SERVICE] = REASON_KEY_SERVICE,
		[KEY_SYNTAX] = REASON_KEY_SYNTAX,
		[KEY_NONE] = REASON_NO_KEY,
		[KEY_TIMEOUT] = REASON_KEY_TIMEOUT,
		[KEY_FAILED] = REASON_KEY_FAILED,
	};
	if (key->status != KEY_OK && key->status != KEY_SIZE)
		return of[key->status];
	if (!(key->hashes & 1 << s->hash))
		return REASON_KEY_HASH;
	if (key->pub.type != s->type)
		return REASON_KEY_TYPE;
	if (key->strict && !bytes_equal(s->i, s->d))
		return REASON_MISMATCH;
	if (key->pub.type == PUBKEY_RSA &&
	    (key->pub.bits < profile->min_bits || key->pub.bits > profile->max_bits))
		return REASON_KEY_SIZE;
	return of[key->status];
}

void keyset_end(struct keyset *set)
{
	for (unsigned i = 0; i < set->n; i++) {
		struct keyset_key *k = &set->key[i];
		if (k->cached)
			keys_release(k->key);
		else if (k->key)
			key_fini(&k->own);
		k->key = NULL;
		k->cached = false;
	}
	set->n = 0;
}
