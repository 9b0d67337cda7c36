#include "verify/auth/dmarc.h"

#include "verify/auth/discovery.h"
#include "verify/dns/names.h"

struct row {
	const char *word, *meaning;
	enum auth_result result;
};

#define DMARC_ROW(symbol, word, result, meaning) { word, meaning, AUTH_##result },
static const struct row rows[DMARC_REASON_N] = { DMARC_REASONS(DMARC_ROW) };

const char *dmarc_reason_word(enum dmarc_reason r)
{
	return rows[r].word;
}

enum auth_result dmarc_reason_result(enum dmarc_reason r)
{
	return rows[r].result;
}

const char *dmarc_reason_meaning(enum dmarc_reason r)
{
	return rows[r].meaning;
}

/* A domain that SPF or DKIM speaks of. */
struct identifier {
	const char *what;
	struct bytes domain; /* A-labels, lower case; empty: not known */
	uint8_t result; /* enum auth_result */
	bool strict; /* set once the record is known */
	char text[NAMES_MAX + 1];
};

enum alignment { ALIGNED_NO, ALIGNED_YES, ALIGNED_OPEN, ALIGNED_UNKNOWN };

/* One author's domain on its way to a result. */
struct check {
	const struct dmarc_setup *setup;
	struct discovery discovery;
	struct bytes author;
	struct discovery_organization organization; /* of the author's domain */
	const struct dmarc_record *record;
	bool open; /* a question is */
	enum dmarc_reason broken; /* why an alignment is unknown */
};

static void finish(struct dmarc_result *out, enum dmarc_reason reason)
{
	out->result = (uint8_t)dmarc_reason_result(reason);
	out->reason = dmarc_reason_word(reason);
}

static enum dmarc_reason reason_of(enum discovery_state state)
{
	return state == DISCOVERY_TIMEOUT    ? DMARC_REASON_RECORD_TIMEOUT
	       : state == DISCOVERY_NO_SPACE ? DMARC_REASON_NO_SPACE
					     : DMARC_REASON_RECORD_FAILED;
}

static struct trace *trace_of(const struct check *c)
{
	return c->setup->known->trace;
}

static enum alignment unknown(struct check *c, enum discovery_state state)
{
	if (state == DISCOVERY_OPEN) {
		c->open = true;
		return ALIGNED_OPEN;
	}
	c->broken = reason_of(state);
	return ALIGNED_UNKNOWN;
}

/* The last labels that both names have. */
static unsigned common_labels(struct bytes a, struct bytes b)
{
	unsigned n = 0, most = discovery_labels(a);
	while (n < most && bytes_equal(discovery_tail(a, n + 1), discovery_tail(b, n + 1)))
		n++;
	return n;
}

/* Relaxed or strict alignment (RFC 9989 section 4.10.2). A domain that lies outside the author's
 * organization is not asked about. */
static enum alignment align(struct check *c, const struct identifier *id)
{
	if (bytes_equal(id->domain, c->author))
		return ALIGNED_YES;
	if (id->strict || common_labels(id->domain, c->author) == 0)
		return ALIGNED_NO;
	const struct discovery_organization *own = &c->organization;
	if (own->state != DISCOVERY_KNOWN)
		return unknown(c, own->state);
	if (!names_under(id->domain, own->domain))
		return ALIGNED_NO;
	if (id->domain.n == own->domain.n)
		return ALIGNED_YES;
	trace_line(trace_of(c), TRACE_DMARC, 1, "organization of %.*s", (int)id->domain.n,
		   (const char *)id->domain.p);
	bool within;
	enum discovery_state state = discovery_within(&c->discovery, id->domain, own, &within);
	if (state != DISCOVERY_KNOWN)
		return unknown(c, state);
	return within ? ALIGNED_YES : ALIGNED_NO;
}

static bool take_spf(const struct dmarc_setup *s, struct identifier *id)
{
	const struct spf_result *spf = s->spf;
	if (!spf || !spf->checked)
		return false;
	*id = (struct identifier){ .what = "SPF", .result = spf->result };
	size_t n = names_ascii(spf->domain, id->text);
	id->domain = bytes_of(id->text, n);
	/* what was not seen may have been anybody's */
	return n || spf->result == AUTH_UNVERIFIABLE;
}

static bool take_dkim(const struct dmarc_setup *s, uint32_t i, struct identifier *id)
{
	const struct dkim_result *d = &s->dkim[i];
	*id = (struct identifier){ .what = "DKIM", .result = d->result };
	if (d->test_mode || d->partial)
		id->result = AUTH_NONE;
	struct bytes domain = d->domain;
	if (domain.n && domain.p[domain.n - 1] == '.')
		domain.n--;
	id->domain = bytes_of(id->text, names_ascii(domain, id->text));
	return id->domain.n > 0;
}

/* What any result of an identifier could need; before the record is known only for those that are
 * likely to matter. */
static void ask_ahead(struct check *c, struct identifier *id)
{
	if (id->domain.n == 0)
		return;
	if (c->record) {
		align(c, id);
	} else if (common_labels(id->domain, c->author) >= 2 &&
		   !bytes_equal(id->domain, c->author)) {
		struct discovery_organization unused;
		discovery_organize(&c->discovery, id->domain, &unused);
	}
}

struct score { /* what the identifiers came to */
	bool spf, dkim; /* an aligned pass */
	bool passed; /* a pass, aligned or not */
	bool unknown; /* a pass of which nobody can say whether it is aligned */
	bool temporary[2], unseen[2]; /* aligned, or perhaps; 0: SPF, 1: DKIM */
};

static void weigh(struct check *c, struct identifier *id, bool dkim, struct score *score)
{
	static const char *const words[] = { "not aligned", "aligned", "open", "unknown" };
	struct trace *t = trace_of(c);
	bool counts = id->result == AUTH_PASS || id->result == AUTH_TEMPERROR ||
		      id->result == AUTH_UNVERIFIABLE;
	enum alignment a = ALIGNED_UNKNOWN;
	if (counts && id->domain.n)
		a = align(c, id);
	trace_line(t, TRACE_DMARC, 1, "%s %s of %.*s: %s%s%s", id->what,
		   auth_result_name(id->result), (int)id->domain.n, (const char *)id->domain.p,
		   counts ? words[a] : "proves nothing", counts ? ", " : "",
		   !counts      ? ""
		   : id->strict ? "strict"
				: "relaxed");
	if (!counts)
		return;
	score->passed |= id->result == AUTH_PASS;
	if (a == ALIGNED_NO || a == ALIGNED_OPEN)
		return;
	if (id->result == AUTH_TEMPERROR)
		score->temporary[dkim] = true;
	else if (id->result == AUTH_UNVERIFIABLE)
		score->unseen[dkim] = true;
	else if (a == ALIGNED_UNKNOWN)
		score->unknown = true;
	else if (dkim)
		score->dkim = true;
	else
		score->spf = true;
}

static void each_identifier(struct check *c, struct score *score)
{
	const struct dmarc_setup *s = c->setup;
	struct identifier id;
	for (uint32_t i = 0; i <= s->n_dkim; i++) {
		bool dkim = i > 0;
		if (dkim ? !take_dkim(s, i - 1, &id) : !take_spf(s, &id))
			continue;
		if (c->record)
			id.strict = (dkim ? c->record->adkim : c->record->aspf) == DMARC_STRICT;
		if (s->early)
			ask_ahead(c, &id);
		else
			weigh(c, &id, dkim, score);
	}
}

/* RFC 9989 section 5.3.6: what needs an answer that did not come can neither pass nor fail. */
static enum dmarc_reason conclude(const struct check *c, const struct score *s)
{
	if (s->spf || s->dkim)
		return DMARC_REASON_OK;
	if (s->unseen[0])
		return DMARC_REASON_SPF_UNVERIFIABLE;
	if (s->unseen[1])
		return DMARC_REASON_DKIM_UNVERIFIABLE;
	if (s->unknown)
		return c->broken;
	if (s->temporary[0])
		return DMARC_REASON_SPF_TEMPERROR;
	if (s->temporary[1])
		return DMARC_REASON_DKIM_TEMPERROR;
	return s->passed ? DMARC_REASON_NOT_ALIGNED : DMARC_REASON_NOT_AUTHENTICATED;
}

/* The record's policies. False: it has none (RFC 9989 section 4.10.1, RFC 7489 section 6.6.3). */
static bool read_policies(const struct check *c, struct dmarc_result *out, enum dmarc_reason *why)
{
	const struct dmarc_record *r = c->record;
	bool old = c->setup->walk == WALK_PSL;
	bool bad = r->p.state == DMARC_BAD || r->sp.state == DMARC_BAD ||
		   (!old && r->np.state == DMARC_BAD);
	if (bad || r->p.state == DMARC_ABSENT) {
		/* p= is required by RFC 7489 section 6.3, and recommended by RFC 9989 */
		*why = bad || old ? DMARC_REASON_RECORD_INVALID : DMARC_REASON_NO_POLICY;
		if (!r->reports)
			return false;
		out->p = DMARC_NONE;
		/* as if the record were v=DMARC1; p=none */
		if (bad)
			return true;
	} else {
		out->p = r->p.policy;
	}
	out->has_sp = r->sp.state == DMARC_VALID;
	out->sp = out->has_sp ? r->sp.policy : out->p;
	out->has_np = !old && r->np.state == DMARC_VALID;
	out->np = out->has_np ? r->np.policy : out->sp;
	return true;
}

/* RFC 9989 sections 3.2.13 and A.4: NXDOMAIN, to a question of any type. False: not yet known, or
 * it could not be told. */
static bool exists(struct check *c, const struct discovery_policy *p, bool *failed)
{
	if (p->exists)
		return true;
	struct record *r = known_ask(c->setup->known, KNOWN_DMARC, QUESTION_A, c->author);
	c->open |= !r;
	*failed = r && (r->answer.status == ANSWER_TIMEOUT || r->answer.status == ANSWER_SERVFAIL);
	if (r && !*failed)
		c->discovery.insecure |= !r->answer.secure;
	return !r || r->answer.status != ANSWER_NXDOMAIN;
}

static uint8_t one_less(uint8_t policy)
{
	return policy == DMARC_REJECT ? DMARC_QUARANTINE : DMARC_NONE;
}

/* 0..99, every number as likely as any other whatever the sample is made of. */
static unsigned percentile(uint64_t sample)
{
	sample = (sample ^ (sample >> 30)) * 0xbf58476d1ce4e5b9u;
	sample = (sample ^ (sample >> 27)) * 0x94d049bb133111ebu;
	return (unsigned)((sample ^ (sample >> 31)) % 100);
}

/* Which policy holds for this message: p, sp or np, then t= or pct=. */
static void apply(const struct check *c, struct dmarc_result *out)
{
	const struct dmarc_record *r = c->record;
	bool old = c->setup->walk == WALK_PSL;
	out->published = !out->subdomain ? out->p : out->nonexistent ? out->np : out->sp;
	out->policy = out->published;
	out->pct = old ? r->pct : 100;
	out->testing = !old && r->testing;
	if (out->testing)
		out->policy = one_less(out->policy);
	/* RFC 7489 section 6.6.4: outside the sample the next lower policy */
	if (out->pct < 100 && percentile(c->setup->sample) >= out->pct) {
		out->sampled_out = out->policy != DMARC_NONE;
		out->policy = one_less(out->policy);
	}
}

static void describe(const struct check *c, const struct discovery_policy *p,
		     struct dmarc_result *out)
{
	const struct dmarc_record *r = c->record;
	out->has_record = true;
	out->adkim = r->adkim;
	out->aspf = r->aspf;
	out->domain = p->at;
	out->record = r->text;
	out->rua = r->rua;
	out->ruf = r->ruf;
	out->fo = r->fo;
	if (p->by_list || c->organization.by_list)
		out->discovery = DMARC_PSL;
}

static void tell_policy(const struct check *c, const struct dmarc_result *out)
{
	struct trace *t = trace_of(c);
	trace_line(t, TRACE_DMARC, 1, "the record of %.*s holds, %s: %s=%s", (int)out->domain.n,
		   (const char *)out->domain.p,
		   !out->subdomain    ? "the author's own"
		   : out->nonexistent ? "the author's domain does not exist"
				      : "the author's domain is below",
		   !out->subdomain    ? "p"
		   : out->nonexistent ? "np"
		   : out->has_sp      ? "sp"
				      : "p",
		   dmarc_policy_name(out->published));
	trace_line(t, TRACE_DMARC, 1, "organization %.*s, by %s", (int)out->organization.n,
		   (const char *)out->organization.p,
		   out->discovery == DMARC_PSL ? "the public suffix list" : "tree walk");
	if (out->testing)
		trace_line(t, TRACE_DMARC, 1, "t=y: one less");
	if (out->sampled_out)
		trace_line(t, TRACE_DMARC, 1, "pct=%u leaves this message out: one less", out->pct);
}

/* An author's domain that has a record. */
static void judge_record(struct check *c, const struct discovery_policy *p,
			 struct dmarc_result *out)
{
	enum dmarc_reason why = DMARC_REASON_OK;
	struct score score = { 0 };
	bool failed = false;
	if (!read_policies(c, out, &why)) {
		out->domain = p->at;
		out->record = c->record->text;
		finish(out, why);
		return;
	}
	out->subdomain = p->at.n != c->author.n;
	if (out->subdomain && out->has_np)
		out->nonexistent = !exists(c, p, &failed);
	each_identifier(c, &score);
	const struct discovery_organization *own = &c->organization;
	c->open |= own->state == DISCOVERY_OPEN;
	if (c->open)
		return;
	describe(c, p, out);
	if (own->state == DISCOVERY_KNOWN)
		out->organization = own->domain;
	apply(c, out);
	tell_policy(c, out);
	out->spf_aligned = score.spf;
	out->dkim_aligned = score.dkim;
	out->secure = !c->discovery.insecure;
	why = conclude(c, &score);
	if (dmarc_reason_result(why) == AUTH_FAIL && failed && out->np != out->sp)
		why = DMARC_REASON_EXISTENCE;
	finish(out, why);
}

/* The result for one author's domain, as if From: had only this. False: questions are open. */
static bool judge(const struct dmarc_setup *s, struct bytes author, struct dmarc_result *out)
{
	struct discovery_policy policy;
	struct check c = { .setup = s,
			   .author = author,
			   .discovery = { .known = s->known,
					  .arena = s->arena,
					  .walk = s->walk,
					  .suffixes = s->suffixes } };
	struct trace *t = s->known->trace;
	*out = (struct dmarc_result){ .author = author, .pct = 100 };
	trace_line(t, TRACE_DMARC, 0, "author's domain %.*s", (int)author.n,
		   (const char *)author.p);
	trace_line(t, TRACE_DMARC, 1, "policy of %.*s", (int)author.n, (const char *)author.p);
	discovery_find(&c.discovery, author, s->early, &policy, &c.organization);
	if (policy.state == DISCOVERY_OPEN) {
		if (s->early)
			each_identifier(&c, NULL);
		return false;
	}
	c.record = policy.record;
	if (policy.state != DISCOVERY_KNOWN)
		finish(out, reason_of(policy.state));
	else if (!c.record)
		finish(out, policy.several ? DMARC_REASON_SEVERAL_RECORDS : DMARC_REASON_NO_RECORD);
	else
		judge_record(&c, &policy, out);
	if (c.open)
		return false;
	trace_line(t, TRACE_DMARC, 1, "%s%s%s, policy %s, published %s",
		   auth_result_name(out->result), out->reason ? ": " : "",
		   out->reason ? out->reason : "", dmarc_policy_name(out->policy),
		   dmarc_policy_name(out->published));
	return true;
}

/* DMARC_REASON_OK: there is one author domain, and no reading of From: shows another. */
static enum dmarc_reason from_reason(const struct verdict_from *from)
{
	static const struct {
		uint32_t flag;
		enum dmarc_reason reason;
	} table[] = {
		{ FROM_UNSEEN, DMARC_REASON_FROM_UNSEEN },
		{ FROM_NONE, DMARC_REASON_FROM_NONE },
		{ FROM_SEVERAL_FIELDS, DMARC_REASON_FROM_SEVERAL_FIELDS },
		{ FROM_MALFORMED, DMARC_REASON_FROM_MALFORMED },
		{ FROM_SEVERAL_DOMAINS, DMARC_REASON_FROM_SEVERAL_DOMAINS },
		{ FROM_NO_DOMAIN, DMARC_REASON_FROM_NO_DOMAIN },
	};
	for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++)
		if (from->flags & table[i].flag)
			return table[i].reason;
	if (from->n_domain > 1)
		return DMARC_REASON_FROM_SEVERAL_DOMAINS;
	if (from->n_domain == 0)
		return from->flags & FROM_LIMIT ? DMARC_REASON_FROM_LIMIT
						: DMARC_REASON_FROM_NO_DOMAIN;
	return DMARC_REASON_OK;
}

/* RFC 9989 section 11.5: each author that any reading shows by itself, the strictest policy of those
 * that fail. */
static bool judge_each(const struct dmarc_setup *s, enum dmarc_reason why, struct dmarc_result *out)
{
	struct dmarc_result strictest = { .pct = 100 };
	bool open = false;
	if (s->from->n_shown)
		strictest.author = s->from->domain[0];
	for (unsigned i = 0; i < s->from->n_shown; i++) {
		struct dmarc_result one;
		if (!judge(s, s->from->domain[i], &one))
			open = true;
		else if (one.result == AUTH_FAIL &&
			 (!strictest.has_record || one.policy > strictest.policy))
			strictest = one;
	}
	*out = strictest;
	out->spf_aligned = out->dkim_aligned = false;
	finish(out, why);
	return !open;
}

bool dmarc_check(const struct dmarc_setup *setup, struct dmarc_result *out)
{
	enum dmarc_reason why = from_reason(setup->from);
	struct trace *t = setup->known->trace;
	trace_begin(t, TRACE_DMARC);
	if (why == DMARC_REASON_OK)
		return judge(setup, setup->from->domain[0], out);
	trace_line(t, TRACE_DMARC, 0, "no pass is possible: %s", dmarc_reason_meaning(why));
	if (why != DMARC_REASON_FROM_UNSEEN)
		return judge_each(setup, why, out);
	*out = (struct dmarc_result){ .pct = 100 };
	if (setup->from->n_shown)
		out->author = setup->from->domain[0];
	finish(out, why);
	return true;
}
