#include "verify/auth/arc.h"

#include "verify/auth/aar.h"
#include "verify/dns/names.h"

/*
 * The checks of a chain in the order of RFC 8617 section 5.2: the newest message signature, the
 * seals from the newest down, and behind those, for oldest_pass alone, the older message signatures.
 */

enum { SEAL, MESSAGE, RESULTS, KIND_N };

static const char *const field_name[KIND_N] = {
	[SEAL] = "ARC-Seal",
	[MESSAGE] = "ARC-Message-Signature",
	[RESULTS] = "ARC-Authentication-Results",
};

/* ---- the sets */

/* Instance of a field, 0: none. */
static uint8_t instance_of(unsigned kind, struct bytes value, struct bytes *payload)
{
	struct taglist t;
	if (kind == RESULTS)
		return aar_instance(value, payload);
	return taglist_parse(&t, value) ? signature_instance(&t) : 0;
}

/* Fields of one kind into the sets they say they are of. */
static enum reason collect_kind(struct arc *a, unsigned kind)
{
	const struct header *h = a->setup.dkim.header;
	bool seen[ARC_SETS_MAX] = { false };
	unsigned n = 0;
	for (uint16_t f = header_last(h, bytes_str(field_name[kind])); f != HEADER_NONE;
	     f = h->field[f].above) {
		struct bytes payload = { NULL, 0 };
		if (n++ == ARC_SETS_MAX)
			return REASON_SETS;
		uint8_t i = instance_of(kind, header_value(h, f), &payload);
		if (!i)
			return REASON_INSTANCE;
		if (seen[i - 1])
			return REASON_SETS;
		seen[i - 1] = true;
		a->highest = i > a->highest ? i : a->highest;
		a->order[(i - 1) * KIND_N + (kind == SEAL ? 2 : kind == MESSAGE)] = f;
		if (kind == SEAL)
			a->set[i - 1].seal.field = f;
		else if (kind == MESSAGE)
			a->set[i - 1].message.field = f;
		else
			a->set[i - 1].payload = payload;
	}
	/* the kinds must agree, or a set lacks a field; the first kind must have no gap */
	if (kind == SEAL)
		a->n = (uint8_t)n;
	return n == a->n && a->highest == n ? REASON_NONE : REASON_SETS;
}

static enum reason collect(struct arc *a)
{
	enum reason reason = REASON_NONE;
	for (unsigned kind = 0; kind < KIND_N; kind++) {
		enum reason r = collect_kind(a, kind);
		reason = reason == REASON_NONE ? r : reason;
	}
	return reason;
}

/* ---- what stands against a field by itself */

static enum reason early(const struct arc *a, const struct arc_check *c, bool seal)
{
	const struct dkim_setup *setup = &a->setup.dkim;
	const struct signature *s = &c->sig;
	int64_t now = (int64_t)setup->now_s, skew = setup->profile->skew_s;
	if (s->hash == HASH_SHA1)
		return REASON_SHA1;
	if (s->expires_s >= 0 && s->expires_s < now - skew)
		return REASON_EXPIRED;
	if (s->time_s > now + skew)
		return REASON_FUTURE;
	if (s->has_length && setup->profile->l == DKIM_L_IGNORE)
		return REASON_LENGTH_USED;
	return seal ? REASON_NONE : covered_body_unseen(setup->message, s);
}

static bool parse(struct arc *a, struct arc_check *c, bool seal)
{
	const struct dkim_setup *setup = &a->setup.dkim;
	if (!signature_parse(&c->sig, seal ? SIGNATURE_SEAL : SIGNATURE_MESSAGE,
			     header_value(setup->header, c->field), setup->base64, setup->arena))
		return false;
	if (c->sig.reason == REASON_NONE)
		c->sig.reason = early(a, c, seal);
	c->wanted = true;
	return true;
}

/* Sections 5.2 step 2 and 3C. */
static enum reason judge_status(const struct arc *a)
{
	if (a->set[a->n - 1].seal.sig.cv == AUTH_FAIL)
		return REASON_CHAIN_ENDED;
	for (unsigned i = 0; i < a->n; i++)
		if (a->set[i].seal.sig.cv != (i ? AUTH_PASS : AUTH_NONE))
			return REASON_CHAIN_STATUS;
	return REASON_NONE;
}

/* The i-th check that the chain rests on, NULL behind the last. */
static struct arc_check *required(const struct arc *a, unsigned i)
{
	if (!a->n || i > a->n)
		return NULL;
	return i ? &a->set[a->n - i].seal : &a->set[a->n - 1].message;
}

/* A failure that nothing can mend. */
static bool is_final(enum reason reason)
{
	enum auth_result r = reason_result(reason);
	return r != AUTH_PASS && r != AUTH_TEMPERROR && r != AUTH_UNVERIFIABLE;
}

/* The first check that failed for good decides; then no other is computed any more. */
static void decide(struct arc *a)
{
	struct arc_check *c;
	for (unsigned i = 0; (c = required(a, i)) && !a->decided; i++)
		a->decided = is_final(c->sig.reason);
	if (!a->decided)
		return;
	for (unsigned i = 0; i < a->n; i++)
		a->set[i].seal.wanted = a->set[i].message.wanted = false;
}

static bool parse_all(struct arc *a)
{
	for (unsigned i = 0; i < a->n; i++)
		if (!parse(a, &a->set[i].seal, true) || !parse(a, &a->set[i].message, false))
			return false;
	a->reason = judge_status(a);
	if (a->reason == REASON_NONE)
		decide(a);
	return true;
}

static void want_key(struct arc *a, struct arc_check *c)
{
	if (c->wanted && !c->key && c->sig.reason == REASON_NONE)
		c->key = keyset_want(&a->keys, &c->sig);
}

/* Of what is neither wanted nor well-formed no key is asked for. */
static void want_keys(struct arc *a)
{
	struct arc_check *c;
	for (unsigned i = 0; (c = required(a, i)); i++)
		want_key(a, c);
	for (unsigned i = a->n; i-- > 0;)
		want_key(a, &a->set[i].message);
}

bool arc_begin(struct arc *a, const struct arc_setup *setup)
{
	const struct dkim_setup *dkim = &setup->dkim;
	const struct keyset_setup keys = { .cfg = dkim->cfg,
					   .known = dkim->known,
					   .keys = dkim->keys,
					   .queue = dkim->queue,
					   .stats = dkim->stats,
					   .clock_s = dkim->clock_s };
	*a = (struct arc){ .setup = *setup };
	for (unsigned kind = 0; kind < KIND_N; kind++)
		a->some |= header_last(dkim->header, bytes_str(field_name[kind])) != HEADER_NONE;
	if (!a->some)
		return true;
	a->reason = dkim_unseen(dkim->header, dkim->message);
	if (a->reason != REASON_NONE)
		return true;
	a->set = arena_take(dkim->arena, ARC_SETS_MAX * sizeof *a->set);
	a->order = arena_take(dkim->arena, ARC_SETS_MAX * KIND_N * sizeof *a->order);
	if (!a->set || !a->order)
		return false;
	memset(a->set, 0, ARC_SETS_MAX * sizeof *a->set);
	a->reason = collect(a);
	if (a->reason != REASON_NONE) {
		a->n = 0;
		return true;
	}
	if (!keyset_init(&a->keys, &keys, (uint16_t)(a->n * 2), dkim->arena) || !parse_all(a))
		return false;
	if (a->reason == REASON_NONE)
		want_keys(a);
	return true;
}

bool arc_ask(struct arc *a)
{
	a->keys.setup.clock_s = a->setup.dkim.clock_s;
	return keyset_ask(&a->keys);
}

/* ---- the digests */

static void judge_key(const struct arc *a, struct arc_check *c)
{
	if (c->key && c->sig.reason == REASON_NONE)
		c->sig.reason = keyset_judge(a->setup.dkim.profile, &c->sig, c->key->key);
}

static void cover(const struct arc *a, struct arc_check *c, const uint16_t *field, uint16_t n)
{
	covered_header_init(&c->hash, a->setup.dkim.header, field, n, c->field, c->sig.raw_b,
			    c->sig.header_canon);
	c->hash.job.owner = a->setup.dkim.owner;
	c->hash.job.algorithm = c->sig.hash;
}

static uint64_t octets_of(const struct header *h, const uint16_t *field, uint16_t n)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < n; i++)
		sum += h->field[field[i]].len;
	return sum;
}

/* *octets: what the older ones may still cover. False: the arena is full. */
static bool cover_message(struct arc *a, struct arc_check *c, uint16_t *cursor, uint64_t *octets)
{
	const struct header *h = a->setup.dkim.header;
	struct arena *arena = a->setup.dkim.arena;
	bool newest = c == required(a, 0);
	size_t before = arena->used;
	uint16_t n;
	const uint16_t *field = covered_select(h, c->sig.header_list, c->field, cursor, arena, &n);
	if (!field)
		return false;
	uint64_t sum = octets_of(h, field, n) + h->field[c->field].len;
	c->body = newest || sum <= *octets ? covered_body(&a->bodies, &c->sig) : NULL;
	if (!c->body) {
		c->wanted = false;
		arena->used = before;
		return true;
	}
	*octets -= newest ? 0 : sum;
	stats_add(a->setup.dkim.stats, STAT_ARC_OCTETS, sum);
	cover(a, c, field, n);
	return true;
}

/* From the newest down, to the first that can not pass: what is below tells nothing any more. */
static bool cover_messages(struct arc *a, uint16_t *cursor)
{
	uint64_t octets = ARC_OLDER_OCTETS_MAX;
	unsigned i = a->n;
	for (; i > 0; i--) {
		struct arc_check *c = &a->set[i - 1].message;
		if (c->sig.reason != REASON_NONE)
			break;
		if (!cover_message(a, c, cursor, &octets))
			return false;
		if (!c->wanted) {
			stats_add(a->setup.dkim.stats, STAT_ARC_OLDER_SKIPPED, i);
			break;
		}
	}
	while (i > 1)
		a->set[--i - 1].message.wanted = false;
	return true;
}

bool arc_prepare(struct arc *a)
{
	const struct dkim_setup *setup = &a->setup.dkim;
	const struct covered_bodies *others = a->setup.shared ? &a->setup.shared->bodies : NULL;
	if (!a->n || a->reason != REASON_NONE)
		return true;
	for (unsigned i = 0; i < a->n; i++) {
		judge_key(a, &a->set[i].seal);
		judge_key(a, &a->set[i].message);
	}
	decide(a);
	if (a->decided)
		return true;
	uint16_t *cursor = arena_take(setup->arena, setup->header->names * sizeof *cursor);
	if (!cursor || !covered_bodies_init(&a->bodies, setup->message, setup->owner, setup->canon,
					    others, ARC_BODIES_MAX, setup->arena))
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		uint16_t n = (uint16_t)(i * KIND_N + KIND_N - 1);
		struct arc_check *c = &a->set[i].seal;
		if (c->sig.reason != REASON_NONE)
			continue;
		cover(a, c, a->order, n);
		stats_add(setup->stats, STAT_ARC_OCTETS, octets_of(setup->header, a->order, n + 1));
	}
	return cover_messages(a, cursor);
}

/* The i-th of all checks, NULL behind the last. */
static struct arc_check *check_at(const struct arc *a, unsigned i)
{
	if (i >= a->n * 2u)
		return NULL;
	return i % 2 ? &a->set[i / 2].message : &a->set[i / 2].seal;
}

static bool is_due(const struct arc_check *c)
{
	return c->wanted && c->key && c->sig.reason == REASON_NONE;
}

struct hash_job *arc_hash(struct arc *a)
{
	struct hash_job *job = covered_bodies_next(&a->bodies);
	struct arc_check *c;
	if (a->decided || a->reason != REASON_NONE)
		return NULL;
	while (!job && (c = check_at(a, a->next_hash)) != NULL) {
		a->next_hash++;
		if (is_due(c))
			job = &c->hash.job;
	}
	return job;
}

struct pubkey_job *arc_pubkey(struct arc *a)
{
	struct arc_check *c;
	if (a->decided || a->reason != REASON_NONE)
		return NULL;
	while ((c = check_at(a, a->next_check)) != NULL) {
		a->next_check++;
		if (!is_due(c))
			continue;
		c->hashed = true;
		c->sig.reason = c->body ? covered_body_judge(c->body, &c->sig) : REASON_NONE;
		if (c->sig.reason != REASON_NONE)
			continue;
		c->pubkey = (struct pubkey_job){ .key = &c->key->key->pub,
						 .signature = c->sig.b,
						 .owner = a->setup.dkim.owner,
						 .hash = c->sig.hash,
						 .digest_len = c->hash.job.digest_len };
		memcpy(c->pubkey.digest, c->hash.job.digest, c->hash.job.digest_len);
		return &c->pubkey;
	}
	return NULL;
}

/* ---- the result */

static void conclude_check(struct arc_check *c)
{
	if (c->hashed && c->sig.reason == REASON_NONE && !c->pubkey.good)
		c->sig.reason = REASON_SIGNATURE;
}

/* What is told of one signature; none: it was not computed. */
static enum auth_result result_of(const struct arc_check *c)
{
	return c->hashed || c->sig.reason != REASON_NONE ? reason_result(c->sig.reason) : AUTH_NONE;
}

static uint8_t chain_result(enum reason reason)
{
	return is_final(reason) ? AUTH_FAIL : (uint8_t)reason_result(reason);
}

/* The first failure that is final, else the first of another kind. */
static void conclude_chain(const struct arc *a, struct arc_result *r)
{
	enum reason reason = REASON_NONE;
	struct arc_check *c;
	for (unsigned i = 0; (c = required(a, i)); i++) {
		enum reason own = c->sig.reason;
		if (own == REASON_NONE || (reason != REASON_NONE && !is_final(own)))
			continue;
		reason = own;
		r->failed = i ? (uint8_t)(a->n - i + 1) : a->n;
		if (is_final(own))
			break;
	}
	r->reason = reason_word(reason);
	r->result = chain_result(reason);
}

/* Section 5.2 step 5. */
static uint8_t oldest_pass(const struct arc *a)
{
	for (unsigned i = a->n; i > 0; i--) {
		const struct arc_check *c = &a->set[i - 1].message;
		if (result_of(c) != AUTH_PASS)
			return (uint8_t)(i + 1);
	}
	return 0;
}

static bool is_secure(const struct arc *a)
{
	struct arc_check *c;
	for (unsigned i = 0; (c = required(a, i)); i++)
		if (!c->key || !c->key->key->secure)
			return false;
	return true;
}

/* The words of a trusted sealer that DMARC passed, and that they are about this message. */
static bool says_pass(const struct arc *a, const struct verdict *verdict)
{
	const struct arc_fields *newest = &a->set[a->n - 1];
	const struct arc_check *m = &newest->message;
	struct bytes from;
	if (!m->sig.has_from || newest->seal.key->key->test || m->key->key->test)
		return false;
	if (covered_partial(m->body, &m->sig) && a->setup.dkim.profile->l != DKIM_L_HONOUR)
		return false;
	if (aar_dmarc(newest->payload, a->setup.dkim.arena, &from) != AUTH_PASS)
		return false;
	if (!from.n || !verdict->from.n_domain)
		return true;
	char name[NAMES_MAX + 1];
	return verdict->from.n_domain == 1 &&
	       bytes_equal(bytes_of(name, names_ascii(from, name)), verdict->from.domain[0]);
}

static void fill_set(const struct arc_fields *from, struct arc_set *to)
{
	enum reason reason = from->seal.sig.reason;
	if (reason == REASON_NONE)
		reason = from->message.sig.reason;
	*to = (struct arc_set){ .seal = (uint8_t)result_of(&from->seal),
				.message = (uint8_t)result_of(&from->message),
				.cv = from->seal.sig.cv,
				.domain = from->seal.sig.domain,
				.selector = from->seal.sig.selector,
				.reason = reason_word(reason) };
}

static void fill(struct arc *a, struct verdict *verdict)
{
	struct arc_result *r = &verdict->arc;
	for (unsigned i = 0; i < a->n; i++) {
		conclude_check(&a->set[i].seal);
		conclude_check(&a->set[i].message);
		fill_set(&a->set[i], &r->set[i]);
	}
	r->n_set = a->n;
	r->instance = a->n;
	r->sealer = a->set[a->n - 1].seal.sig.domain;
	if (a->reason != REASON_NONE) {
		r->failed = a->reason == REASON_CHAIN_ENDED ? a->n : 0;
		return;
	}
	conclude_chain(a, r);
	if (r->result != AUTH_PASS)
		return;
	r->oldest_pass = oldest_pass(a);
	r->secure = is_secure(a);
	r->trusted = list_has_domain(a->setup.sealers, a->set[a->n - 1].seal.sig.d);
	r->trusted_pass = r->trusted && says_pass(a, verdict);
}

static void count(struct stats *stats, const struct arc_result *r)
{
	static const enum stats_row counter[AUTH_RESULT_N] = {
		[AUTH_NONE] = STAT_ARC_NONE,
		[AUTH_PASS] = STAT_ARC_PASS,
		[AUTH_FAIL] = STAT_ARC_FAIL,
		[AUTH_TEMPERROR] = STAT_ARC_TEMPERROR,
		[AUTH_UNVERIFIABLE] = STAT_ARC_UNVERIFIABLE,
	};
	stats_add(stats, counter[r->result], 1);
	stats_add(stats, STAT_ARC_TRUSTED, r->trusted);
}

static void tell_check(const struct arc *a, const struct arc_check *c, unsigned i, bool seal)
{
	struct trace *t = a->setup.dkim.known->trace;
	const struct signature *s = &c->sig;
	enum auth_result r = result_of(c);
	trace_line(t, TRACE_ARC, 1, "%s i=%u d=%.*s s=%.*s a=%.*s%s%s",
		   seal ? field_name[SEAL] : field_name[MESSAGE], i, (int)s->domain.n,
		   (const char *)s->domain.p, (int)s->selector.n, (const char *)s->selector.p,
		   (int)s->algorithm.n, (const char *)s->algorithm.p, seal ? " cv=" : "",
		   seal ? auth_result_name(s->cv) : "");
	if (c->key && c->key->key)
		trace_line(t, TRACE_ARC, 2, "key %.*s: %u bits%s%s", c->key->len, c->key->name,
			   c->key->key->pub.bits, c->key->key->test ? ", in test mode" : "",
			   c->key->key->secure ? ", secure" : "");
	if (r == AUTH_NONE)
		trace_line(t, TRACE_ARC, 2, "not computed");
	else
		trace_line(t, TRACE_ARC, 2, "%s%s%s", auth_result_name(r),
			   s->reason == REASON_NONE ? "" : ": ",
			   s->reason == REASON_NONE ? "" : reason_meaning(s->reason));
}

static void tell(const struct arc *a, const struct arc_result *r)
{
	struct trace *t = a->setup.dkim.known->trace;
	if (!t)
		return;
	trace_begin(t, TRACE_ARC);
	for (unsigned i = a->n; i > 0; i--) {
		tell_check(a, &a->set[i - 1].message, i, false);
		tell_check(a, &a->set[i - 1].seal, i, true);
	}
	if (a->reason != REASON_NONE)
		trace_line(t, TRACE_ARC, 1, "the chain: %s", reason_meaning(a->reason));
	if (r->result == AUTH_PASS && r->oldest_pass)
		trace_line(t, TRACE_ARC, 1, "message signatures pass down to i=%u", r->oldest_pass);
	if (r->result == AUTH_PASS)
		trace_line(t, TRACE_ARC, 1, "sealer %.*s: %s", (int)r->sealer.n,
			   (const char *)r->sealer.p,
			   r->trusted_pass ? "trusted, and says that DMARC passed"
			   : r->trusted    ? "trusted, but does not say that DMARC passed"
					   : "not trusted");
	trace_line(t, TRACE_ARC, 0, "arc: %s%s%s", auth_result_name(r->result),
		   r->reason ? ", " : "", r->reason ? r->reason : "");
}

bool arc_end(struct arc *a, struct verdict *verdict)
{
	const struct dkim_setup *setup = &a->setup.dkim;
	struct arc_result *r = &verdict->arc;
	if (!a->some)
		a->reason = dkim_unseen(setup->header, setup->message);
	*r = (struct arc_result){ .instance = a->highest,
				  .reason = reason_word(a->reason),
				  .result = chain_result(a->reason) };
	if (!a->some && a->reason == REASON_NONE)
		r->result = AUTH_NONE;
	r->set = a->n ? arena_take(setup->arena, a->n * sizeof *r->set) : NULL;
	if (a->n && !r->set) {
		arc_abort(a);
		return false;
	}
	if (a->n)
		fill(a, verdict);
	count(setup->stats, r);
	tell(a, r);
	arc_abort(a);
	return true;
}

void arc_abort(struct arc *a)
{
	keyset_end(&a->keys);
}
