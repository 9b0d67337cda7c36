#include "verify/auth/dkim.h"

#include <assert.h>

#include "verify/dns/names.h"

enum reason dkim_unseen(const struct header *h, const struct message *m)
{
	if (h->overflow || m->flags & MESSAGE_HEADER_TOO_LARGE)
		return REASON_HEADER_LIMIT;
	return octets_header_whole(m) ? REASON_NONE : REASON_OCTETS_MISSING;
}

/* What stands against a signature before its key is asked for. */
static enum reason early(const struct dkim *d, const struct signature *s)
{
	const struct dkim_profile *profile = d->setup.profile;
	const struct message *m = d->setup.message;
	int64_t now = (int64_t)d->setup.now_s, skew = profile->skew_s;
	if (s->hash == HASH_SHA1 && !profile->allow_sha1)
		return REASON_SHA1;
	if (s->expires_s >= 0 && s->expires_s < now - skew)
		return REASON_EXPIRED;
	if (s->time_s > now + skew)
		return REASON_FUTURE;
	if (s->has_length && profile->l == DKIM_L_IGNORE)
		return REASON_LENGTH_USED;
	if (dkim_unseen(d->setup.header, m) != REASON_NONE)
		return dkim_unseen(d->setup.header, m);
	return covered_body_unseen(m, s);
}

/* d= is an author's domain or a parent of it: its key is asked for first. */
static bool aligned(const struct dkim *d, const struct signature *s)
{
	const struct verdict_from *from = d->setup.from;
	for (unsigned i = 0; s->d.n && i < from->n_domain; i++)
		if (names_under(from->domain[i], s->d))
			return true;
	return false;
}

static bool parse_all(struct dkim *d)
{
	const struct header *h = d->setup.header;
	for (unsigned i = 0; i < d->n; i++) {
		struct dkim_check *c = &d->check[i];
		if (!signature_parse(&c->sig, SIGNATURE_DKIM, header_value(h, c->field),
				     d->setup.base64, d->setup.arena))
			return false;
		c->aligned = aligned(d, &c->sig);
		if (c->sig.reason == REASON_NONE)
			c->sig.reason = early(d, &c->sig);
	}
	return true;
}

bool dkim_begin(struct dkim *d, const struct dkim_setup *setup)
{
	*d = (struct dkim){ .setup = *setup };
	const struct header *h = setup->header;
	const struct keyset_setup keys = { .cfg = setup->cfg,
					   .known = setup->known,
					   .keys = setup->keys,
					   .queue = setup->queue,
					   .stats = setup->stats,
					   .clock_s = setup->clock_s };
	uint16_t last = header_known(h, HEADER_DKIM_SIGNATURE);
	for (uint16_t i = last; i != HEADER_NONE; i = h->field[i].above)
		d->seen++;
	uint32_t n = setup->profile->signatures_max;
	n = n < DKIM_SIGNATURES_MAX ? n : DKIM_SIGNATURES_MAX;
	n = n < d->seen ? n : d->seen;
	if (!n)
		return true;
	d->check = arena_take(setup->arena, n * sizeof *d->check);
	d->cursor = arena_take(setup->arena, h->names * sizeof *d->cursor);
	if (!d->check || !d->cursor)
		return false;
	memset(d->check, 0, n * sizeof *d->check);
	d->n = (uint16_t)n;
	uint32_t rank = d->seen;
	for (uint16_t i = last; i != HEADER_NONE; i = h->field[i].above)
		if (--rank < n)
			d->check[rank].field = i;
	if (!covered_bodies_init(&d->bodies, setup->message, setup->owner, setup->canon, NULL, d->n,
				 setup->arena) ||
	    !keyset_init(&d->keys, &keys, d->n, setup->arena) || !parse_all(d))
		return false;
	for (int pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < n; i++)
			if (d->check[i].sig.reason == REASON_NONE &&
			    d->check[i].aligned == (pass == 0))
				d->check[i].key = keyset_want(&d->keys, &d->check[i].sig);
	return true;
}

bool dkim_ask(struct dkim *d)
{
	d->keys.setup.clock_s = d->setup.clock_s;
	return keyset_ask(&d->keys);
}

static enum reason judge_key(const struct dkim *d, const struct dkim_check *c)
{
	const struct key *key = c->key->key;
	if (key->test && d->setup.profile->test == DKIM_TEST_SKIP)
		return REASON_TEST_MODE;
	return keyset_judge(d->setup.profile, &c->sig, key);
}

static bool prepare(struct dkim *d, struct dkim_check *c)
{
	const struct header *h = d->setup.header;
	uint16_t n;
	const uint16_t *field =
		covered_select(h, c->sig.header_list, c->field, d->cursor, d->setup.arena, &n);
	if (!field)
		return false;
	covered_header_init(&c->hash, h, field, n, c->field, c->sig.raw_b, c->sig.header_canon);
	c->hash.job.owner = d->setup.owner;
	c->hash.job.algorithm = c->sig.hash;
	c->body = covered_body(&d->bodies, &c->sig);
	return true;
}

bool dkim_prepare(struct dkim *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		struct dkim_check *c = &d->check[i];
		if (c->sig.reason == REASON_NONE)
			c->sig.reason = judge_key(d, c);
		if (c->sig.reason == REASON_NONE && !prepare(d, c))
			return false;
	}
	return true;
}

struct hash_job *dkim_hash(struct dkim *d)
{
	struct hash_job *job = covered_bodies_next(&d->bodies);
	while (!job && d->next_hash < d->n) {
		struct dkim_check *c = &d->check[d->next_hash++];
		if (c->sig.reason == REASON_NONE)
			job = &c->hash.job;
	}
	return job;
}

struct pubkey_job *dkim_pubkey(struct dkim *d)
{
	while (d->next_check < d->n) {
		struct dkim_check *c = &d->check[d->next_check++];
		if (c->sig.reason != REASON_NONE)
			continue;
		c->hashed = true;
		c->sig.reason = covered_body_judge(c->body, &c->sig);
		if (c->sig.reason != REASON_NONE)
			continue;
		c->pubkey = (struct pubkey_job){ .key = &c->key->key->pub,
						 .signature = c->sig.b,
						 .owner = d->setup.owner,
						 .hash = c->sig.hash,
						 .digest_len = c->hash.job.digest_len };
		memcpy(c->pubkey.digest, c->hash.job.digest, c->hash.job.digest_len);
		return &c->pubkey;
	}
	return NULL;
}

static void result_of(const struct dkim *d, struct dkim_check *c, struct dkim_result *r)
{
	static const enum stats_row counter[AUTH_RESULT_N] = {
		[AUTH_NONE] = STAT_DKIM_NONE,
		[AUTH_PASS] = STAT_DKIM_PASS,
		[AUTH_FAIL] = STAT_DKIM_FAIL,
		[AUTH_POLICY] = STAT_DKIM_POLICY,
		[AUTH_NEUTRAL] = STAT_DKIM_NEUTRAL,
		[AUTH_PERMERROR] = STAT_DKIM_PERMERROR,
		[AUTH_TEMPERROR] = STAT_DKIM_TEMPERROR,
		[AUTH_UNVERIFIABLE] = STAT_DKIM_UNVERIFIABLE,
	};
	struct signature *s = &c->sig;
	if (s->reason == REASON_NONE && !c->pubkey.good)
		s->reason = REASON_SIGNATURE;
	*r = (struct dkim_result){ .result = (uint8_t)reason_result(s->reason),
				   .reason = reason_word(s->reason),
				   .domain = s->domain,
				   .selector = s->selector,
				   .algorithm = s->algorithm,
				   .identity = s->identity,
				   .b = s->begin,
				   .aligned = c->aligned };
	if (c->key && c->key->key) {
		r->key_bits = c->key->key->pub.bits;
		r->test_mode = c->key->key->test;
		r->secure = c->key->key->secure;
	}
	if (c->hashed) {
		r->body_octets = covered_octets(c->body);
		r->partial = covered_partial(c->body, s);
		if (r->partial && d->setup.profile->l != DKIM_L_HONOUR)
			r->aligned = false;
	}
	stats_add(d->setup.stats, counter[r->result], 1);
}

static void tell(const struct dkim *d, const struct dkim_check *c, unsigned i,
		 const struct dkim_result *r)
{
	struct trace *t = d->setup.known->trace;
	const struct signature *s = &c->sig;
	const struct key *key = c->key ? c->key->key : NULL;
	trace_line(t, TRACE_DKIM, 1, "signature %u: d=%.*s s=%.*s a=%.*s h=%.*s", i,
		   (int)s->domain.n, (const char *)s->domain.p, (int)s->selector.n,
		   (const char *)s->selector.p, (int)s->algorithm.n, (const char *)s->algorithm.p,
		   (int)s->header_list.n, (const char *)s->header_list.p);
	if (key)
		trace_line(t, TRACE_DKIM, 2, "key %.*s: %u bits%s%s", c->key->len, c->key->name,
			   key->pub.bits, key->test ? ", in test mode" : "",
			   key->secure ? ", secure" : "");
	if (c->hashed)
		trace_line(t, TRACE_DKIM, 2, "%ju octets of the body covered%s",
			   (uintmax_t)r->body_octets, r->partial ? ", not all of it" : "");
	trace_line(t, TRACE_DKIM, 2, "%s%s%s%s", auth_result_name(r->result), r->reason ? ": " : "",
		   r->reason ? reason_meaning(s->reason) : "",
		   r->aligned ? "; d= is the domain of From or above it" : "");
}

static void tell_all(const struct dkim *d, const struct verdict *verdict)
{
	struct trace *t = d->setup.known->trace;
	if (!t)
		return;
	trace_begin(t, TRACE_DKIM);
	for (unsigned i = 0; i < d->n; i++)
		tell(d, &d->check[i], i + 1, &verdict->dkim[i]);
	if (d->seen > d->n)
		trace_line(t, TRACE_DKIM, 1, "%u more signatures, over the number to look at",
			   d->seen - d->n);
	if (!d->seen)
		trace_line(t, TRACE_DKIM, 0, "dkim: %s",
			   verdict->n_dkim ? "unverifiable, not all of the header was seen"
					   : "none");
}

bool dkim_end(struct dkim *d, struct verdict *verdict)
{
	enum reason unseen = dkim_unseen(d->setup.header, d->setup.message);
	bool hidden = !d->seen && unseen != REASON_NONE;
	struct dkim_result *r = arena_take(d->setup.arena, (d->n + hidden) * sizeof *r);
	if (!r) {
		dkim_abort(d);
		return false;
	}
	for (unsigned i = 0; i < d->n; i++)
		result_of(d, &d->check[i], &r[i]);
	if (hidden)
		r[0] = (struct dkim_result){ .result = (uint8_t)reason_result(unseen),
					     .reason = reason_word(unseen) };
	verdict->dkim = r;
	verdict->n_dkim = d->n + hidden;
	verdict->dkim_seen = d->seen;
	if (!d->seen)
		stats_add(d->setup.stats, hidden ? STAT_DKIM_UNVERIFIABLE : STAT_DKIM_NONE, 1);
	stats_add(d->setup.stats, STAT_DKIM_OVER_CAP, d->seen - d->n);
	tell_all(d, verdict);
	dkim_abort(d);
	return true;
}

void dkim_abort(struct dkim *d)
{
	keyset_end(&d->keys);
}
