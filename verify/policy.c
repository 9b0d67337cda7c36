#include "verify/policy.h"

#include "base/profile.h"
#include "verify/reply.h"

struct row {
	const char *word, *meaning;
};

#define POLICY_ROW(symbol, word, meaning) { word, meaning },
static const struct row rows[POLICY_N] = { POLICY_REASONS(POLICY_ROW) };

struct judge {
	const struct policy_setup *s;
	struct verdict *v;
	struct arena *arena;
	bool full; /* a reply did not fit the arena */
	bool dmarc_judges; /* its domain has a record, it passed or failed, and no bypass applies */
	bool dmarc_passed;
	bool dkim_passed;
	enum policy_reason unseen, undecided; /* why */
};

const char *policy_word(enum policy_reason r)
{
	return (unsigned)r < POLICY_N ? rows[r].word : NULL;
}

const char *policy_meaning(enum policy_reason r)
{
	return (unsigned)r < POLICY_N ? rows[r].meaning : NULL;
}

/* ---- asking ---- */

static const char *action_word(uint32_t action)
{
	const char *word = verdict_action_name((enum verdict_action)action);
	return word ? word : "accept";
}

static struct bytes kept(struct judge *j, struct bytes reply)
{
	j->full |= !reply.p;
	return reply;
}

/* The strictest first; of equal ones the one that came first. */
static void ask(struct judge *j, const struct verdict_asked *a)
{
	struct verdict *v = j->v;
	unsigned at = v->n_asked;
	while (at > 0 && v->asked[at - 1].action < a->action)
		at--;
	if (at == VERDICT_ASKED_MAX)
		return;
	unsigned after = v->n_asked - at;
	if (v->n_asked == VERDICT_ASKED_MAX)
		after--; /* the mildest gives way */
	else
		v->n_asked++;
	memmove(&v->asked[at + 1], &v->asked[at], after * sizeof v->asked[0]);
	v->asked[at] = *a;
}

static void tell(const struct judge *j, const struct verdict_asked *a, const char *what)
{
	trace_line(j->s->trace, TRACE_POLICY, 0, "%s: profile %s asks for %s (%s)", what,
		   a->profile, action_word(a->action), a->reason);
}

/* What a check asks for; reply counts when that is a refusal. Nothing is asked for with accept. */
static void ask_for(struct judge *j, const char *check, const char *profile, uint32_t action,
		    enum policy_reason reason, const struct profile_reply *reply)
{
	struct verdict_asked a = { .check = check,
				   .profile = profile,
				   .action = (uint8_t)action,
				   .reason = policy_word(reason) };
	if (action == VERDICT_ACCEPT || action >= VERDICT_ACTION_N)
		return;
	if (action == VERDICT_REJECT)
		a.reply = kept(j, reply_make(reply, j->arena));
	/* the only text for a subject that there is, so that it stands there once (D-10) */
	if (action == VERDICT_TAG && j->s->dmarc)
		a.tag = bytes_str(j->s->dmarc->tag);
	ask(j, &a);
	tell(j, &a, check);
}

/* Of several the first of the list: what DKIM says of octets goes before the others. */
static void note(enum policy_reason *first, enum policy_reason r)
{
	if (*first == POLICY_NONE || r < *first)
		*first = r;
}

/* ---- SPF and Sender ID ---- */

/* Of a result: its word behind the first of an identity, and its column in the profile. */
static const struct {
	bool acts;
	uint8_t column, word;
} spf_row[AUTH_RESULT_N] = {
	[AUTH_NONE] = { true, SPF_CASE_NONE, 0 },
	[AUTH_NEUTRAL] = { true, SPF_CASE_NEUTRAL, 1 },
	[AUTH_SOFTFAIL] = { true, SPF_CASE_SOFTFAIL, 2 },
	[AUTH_FAIL] = { true, SPF_CASE_FAIL, 3 },
	[AUTH_TEMPERROR] = { true, SPF_CASE_TEMPERROR, 4 },
	[AUTH_PERMERROR] = { true, SPF_CASE_PERMERROR, 5 },
	[AUTH_UNVERIFIABLE] = { false, SPF_CASE_N, 6 },
};

static const enum policy_reason spf_first[SPF_IDENTITY_N] = { POLICY_HELO_NONE, POLICY_SPF_NONE,
							      POLICY_PRA_NONE };

/* Whether this identity's result could have asked for something. */
static bool spf_acts(const struct judge *j, unsigned identity)
{
	const uint32_t *action = j->s->spf->action[identity];
	for (unsigned i = 0; i < SPF_CASE_N; i++)
		if (action[i] > VERDICT_ACCEPT && !(action[i] == VERDICT_REJECT && j->dmarc_judges))
			return true;
	return false;
}

/* C-82: the publisher's words belong to a statement about the client, not to an error. */
static bool explains(const struct judge *j, const struct spf_result *spf)
{
	return j->s->spf->explanation && bytes_trim(spf->explanation).n &&
	       (spf->result == AUTH_NEUTRAL || spf->result == AUTH_SOFTFAIL ||
		spf->result == AUTH_FAIL);
}

static void spf_ask(struct judge *j, unsigned identity, uint32_t action, enum policy_reason reason)
{
	const struct spf_profile *p = j->s->spf;
	const struct spf_result *spf = &j->v->spf[identity];
	const char *check = identity == SPF_PRA ? "sender_id" : "spf";
	/* G-8: DMARC knows what its domain wants of such mail, and DKIM besides */
	if (action == VERDICT_REJECT && j->dmarc_judges) {
		trace_line(j->s->trace, TRACE_POLICY, 0,
			   "%s: reject (%s) is left to DMARC, whose record %.*s has", check,
			   policy_word(reason), (int)j->v->dmarc.domain.n,
			   (const char *)j->v->dmarc.domain.p);
		return;
	}
	if (action != VERDICT_REJECT || !explains(j, spf)) {
		ask_for(j, check, p->name, action, reason,
			spf->result == AUTH_TEMPERROR ? &p->temporary : &p->permanent);
		return;
	}
	struct bytes domain = spf->explained_by.n ? spf->explained_by : spf->domain;
	struct verdict_asked a = {
		.check = check,
		.profile = p->name,
		.action = VERDICT_REJECT,
		.reason = policy_word(reason),
		.reply =
			kept(j, reply_explained(&p->permanent, domain, spf->explanation, j->arena)),
	};
	ask(j, &a);
	tell(j, &a, check);
}

static void judge_spf(struct judge *j, unsigned identity)
{
	const struct spf_result *spf = &j->v->spf[identity];
	const char *who = spf_identity_name((enum spf_identity)identity);
	if (!spf->checked || spf->result >= AUTH_RESULT_N)
		return;
	if (spf->result == AUTH_PASS) {
		trace_line(j->s->trace, TRACE_POLICY, 0, "spf: %s pass is accepted", who);
		return;
	}
	enum policy_reason reason =
		(enum policy_reason)(spf_first[identity] + spf_row[spf->result].word);
	uint32_t action = spf_row[spf->result].acts
				  ? j->s->spf->action[identity][spf_row[spf->result].column]
				  : VERDICT_ACCEPT;
	if (action > VERDICT_ACCEPT) {
		spf_ask(j, identity, action, reason);
		return;
	}
	trace_line(j->s->trace, TRACE_POLICY, 0, "spf: %s %s is accepted by profile %s", who,
		   auth_result_name(spf->result), j->s->spf->name);
	/* a message that was fetched or stored has no envelope to see */
	if (spf->result == AUTH_UNVERIFIABLE && j->s->message->protocol == MESSAGE_SMTP &&
	    spf_acts(j, identity))
		note(&j->unseen, reason);
	else if (spf->result == AUTH_TEMPERROR &&
		 (spf_acts(j, identity) || (!j->dmarc_passed && !j->dkim_passed)))
		note(&j->undecided, reason);
}

/* ---- DKIM ---- */

static void judge_dkim(struct judge *j)
{
	/* the strongest first */
	static const struct {
		uint8_t result;
		enum policy_reason reason;
	} order[] = { { AUTH_FAIL, POLICY_DKIM_FAIL },
		      { AUTH_POLICY, POLICY_DKIM_POLICY },
		      { AUTH_PERMERROR, POLICY_DKIM_PERMERROR },
		      { AUTH_TEMPERROR, POLICY_DKIM_TEMPERROR },
		      { AUTH_UNVERIFIABLE, POLICY_DKIM_UNVERIFIABLE } };
	const struct dkim_profile *p = j->s->dkim;
	unsigned n[AUTH_RESULT_N] = { 0 }, i = 0;
	for (uint32_t k = 0; k < j->v->n_dkim; k++)
		if (j->v->dkim[k].result < AUTH_RESULT_N && !j->v->dkim[k].test_mode)
			n[j->v->dkim[k].result]++;
	while (i < 5 && !n[order[i].result])
		i++;
	if (j->dkim_passed || i == 5) {
		trace_line(j->s->trace, TRACE_POLICY, 0, "dkim: %s",
			   j->dkim_passed ? "a signature passed" : "there is nothing to act on");
		return;
	}
	bool temporary = order[i].result == AUTH_TEMPERROR;
	uint32_t action = order[i].result == AUTH_UNVERIFIABLE ? VERDICT_ACCEPT
			  : temporary                          ? p->temporary_action
							       : p->permanent_action;
	if (action == VERDICT_FLAG && j->dmarc_passed) {
		trace_line(j->s->trace, TRACE_POLICY, 0,
			   "dkim: %s needs no flag, DMARC passed without it",
			   policy_word(order[i].reason));
		return;
	}
	if (action == VERDICT_ACCEPT) {
		trace_line(j->s->trace, TRACE_POLICY, 0, "dkim: %s is accepted by profile %s",
			   policy_word(order[i].reason), p->name);
		if (i >= 3 && !j->dmarc_passed)
			note(&j->unseen, order[i].reason);
		return;
	}
	ask_for(j, "dkim", p->name, action, order[i].reason,
		temporary ? &p->temporary : &p->permanent);
}

/* ---- DMARC ---- */

/* A sender as it stands on a list: domain compared in lower case. */
static bool listed(const struct list *l, struct bytes address)
{
	uint8_t low[256];
	size_t at = address.n;
	while (at > 0 && address.p[at - 1] != '@')
		at--;
	struct bytes domain = bytes_from(address, at);
	if (!l || !at || domain.n == 0 || domain.n > sizeof low)
		return false;
	for (size_t i = 0; i < domain.n; i++)
		low[i] = bytes_lower(domain.p[i]);
	return list_has_address(l, bytes_head(address, at - 1), bytes_of(low, domain.n));
}

/* C-109: the envelope's sender, or the address in From: where there is one author. */
static bool sender_listed(const struct judge *j)
{
	const struct list *l = j->s->lists->senders;
	const struct verdict_from *from = &j->v->from;
	const struct origin *o = j->s->origin;
	if (o && o->has_mail_from && listed(l, o->mail_from))
		return true;
	return l && from->n_domain == 1 && list_has_address(l, from->local, from->domain[0]);
}

/* C-110: any of the fields is there. */
static bool has_field(const struct judge *j)
{
	struct bytes names = bytes_of(j->s->dmarc->bypass_headers,
				      strnlen(j->s->dmarc->bypass_headers, PROFILE_HEADERS_MAX));
	while (j->s->header && names.n) {
		const uint8_t *comma = memchr(names.p, ',', names.n);
		size_t n = comma ? (size_t)(comma - names.p) : names.n;
		struct bytes name = bytes_trim(bytes_head(names, n));
		if (name.n && header_last(j->s->header, name) != HEADER_NONE)
			return true;
		names = bytes_from(names, n + 1);
	}
	return false;
}

/* Why DMARC does not apply to this message, NULL: it does. */
static const char *bypass(const struct judge *j)
{
	const struct policy_lists *lists = j->s->lists;
	const struct origin *o = j->s->origin;
	const uint8_t *ip = o && o->has_client ? o->client.ip : NULL;
	if (ip && list_has_ip(lists->clients, ip))
		return "the client is allow-listed"; /* D-14 */
	if (j->s->dmarc->bypass_authenticated && j->s->message->authenticated)
		return "the session is authenticated"; /* D-15 */
	if (ip && list_has_ip(lists->servers, ip))
		return "the client is a mail server of ours"; /* D-16 */
	if (sender_listed(j))
		return "the sender is listed"; /* C-109 */
	return has_field(j) ? "a listed header field is there" : NULL; /* C-110 */
}

static uint32_t policy_action(const struct judge *j)
{
	const struct dmarc_profile *p = j->s->dmarc;
	return j->v->dmarc.policy == DMARC_REJECT ? p->reject_action : p->quarantine_action;
}

/* D-5, D-6, D-8, D-9: what is not refused may be tagged, and counts. */
static void ask_dmarc_fail(struct judge *j, enum policy_reason reason)
{
	const struct dmarc_profile *p = j->s->dmarc;
	bool strict = j->v->dmarc.policy == DMARC_REJECT;
	struct verdict_asked a = {
		.check = "dmarc",
		.profile = p->name,
		.action = (uint8_t)policy_action(j),
		.reason = policy_word(reason),
	};
	if (a.action == VERDICT_REJECT) {
		a.reply = kept(j, reply_make(&p->reject, j->arena));
	} else {
		if (a.action == VERDICT_TAG || (strict ? p->reject_tag : p->quarantine_tag))
			a.tag = bytes_str(p->tag);
		a.score = strict ? p->reject_score : p->quarantine_score;
	}
	if (a.action == VERDICT_QUARANTINE)
		a.quarantine = bytes_str(p->quarantine);
	if (a.action == VERDICT_ACCEPT && !a.score && !a.tag.n) {
		trace_line(j->s->trace, TRACE_POLICY, 0, "dmarc: %s is accepted by profile %s",
			   auth_result_name(j->v->dmarc.result), p->name);
		return;
	}
	ask(j, &a);
	tell(j, &a, "dmarc");
}

/* A fail under a policy, or an error: what lifts it, and why. */
static bool lifted(struct judge *j, const char *why_bypass, const char *what)
{
	struct dmarc_result *d = &j->v->dmarc;
	bool arc = d->result == AUTH_FAIL && (j->v->checks & VERDICT_ARC) && j->v->arc.trusted_pass;
	if (why_bypass)
		d->override = "bypass";
	else if (arc)
		d->override = "arc";
	if (d->override)
		trace_line(j->s->trace, TRACE_POLICY, 0, "dmarc: %s is lifted: %s", what,
			   why_bypass ? why_bypass : "a trusted sealer says that it passed");
	return d->override != NULL;
}

/* A policy that stands with a permanent error: From: is odd, and a domain that it shows failed (RFC
 * 9989 section 11.5). It counts as a fail does, or odd fields would be a way around it. */
static bool odd_from(const struct dmarc_result *d)
{
	return d->result == AUTH_PERMERROR && d->has_record && d->policy != DMARC_NONE;
}

static void judge_dmarc_error(struct judge *j, const char *why_bypass)
{
	const struct dmarc_profile *p = j->s->dmarc;
	const char *what = auth_result_name(j->v->dmarc.result);
	bool temporary = j->v->dmarc.result == AUTH_TEMPERROR;
	enum policy_reason reason = temporary ? POLICY_DMARC_TEMPERROR : POLICY_DMARC_PERMERROR;
	uint32_t action = temporary ? p->temporary_action : p->permanent_action;
	bool odd = odd_from(&j->v->dmarc) && policy_action(j) >= action;
	if (odd && !lifted(j, why_bypass, what)) {
		ask_dmarc_fail(j, reason);
	} else if (!odd && action == VERDICT_ACCEPT) {
		trace_line(j->s->trace, TRACE_POLICY, 0, "dmarc: %s is accepted by profile %s",
			   what, p->name);
		if (temporary && !why_bypass)
			note(&j->undecided, reason);
	} else if (!odd && !lifted(j, why_bypass, what)) {
		ask_for(j, "dmarc", p->name, action, reason,
			temporary ? &p->temporary : &p->permanent);
	}
}

static void judge_dmarc(struct judge *j, const char *why_bypass)
{
	struct dmarc_result *d = &j->v->dmarc;
	switch (d->result) {
	case AUTH_FAIL:
		if (d->policy == DMARC_NONE) /* D-13 */
			trace_line(j->s->trace, TRACE_POLICY, 0,
				   "dmarc: fail, policy none: left untouched");
		else if (!lifted(j, why_bypass, "fail"))
			ask_dmarc_fail(j, POLICY_DMARC_FAIL);
		return;
	case AUTH_TEMPERROR:
	case AUTH_PERMERROR:
		judge_dmarc_error(j, why_bypass);
		return;
	case AUTH_UNVERIFIABLE:
		if (!why_bypass)
			note(&j->unseen, POLICY_DMARC_UNVERIFIABLE);
		/* fall through */
	default:
		trace_line(j->s->trace, TRACE_POLICY, 0, "dmarc: %s asks for nothing",
			   auth_result_name(d->result));
		return;
	}
}

/* ---- names ---- */

static const struct names_profile *dictionary(const struct judge *j, const char *name)
{
	const struct profiles *all = j->s->profiles;
	for (uint32_t i = 0; all && i < all->n_names; i++)
		if (!strcmp(all->names[i].name, name))
			return &all->names[i];
	return NULL;
}

/* Each dictionary asks once, by its first match, which is its best. */
static void judge_names(struct judge *j)
{
	for (uint32_t i = 0; i < j->v->n_forged; i++) {
		const struct verdict_forged *f = &j->v->forged[i];
		const struct names_profile *p = dictionary(j, f->dictionary);
		bool before = !p;
		for (uint32_t k = 0; k < i && !before; k++)
			before = !strcmp(j->v->forged[k].dictionary, f->dictionary);
		if (!before)
			ask_for(j, "names", p->name, p->action, POLICY_FORGED_NAME, &p->reply);
	}
}

/* ---- all of it ---- */

/* D-10: the same text is put on the subject once. */
static void tags_once(struct verdict *v)
{
	for (unsigned i = 1; i < v->n_asked; i++)
		for (unsigned k = 0; k < i; k++)
			if (v->asked[i].tag.n && bytes_equal(v->asked[i].tag, v->asked[k].tag))
				v->asked[i].tag = (struct bytes){ NULL, 0 };
}

static void tell_reply(const struct judge *j, struct bytes reply)
{
	while (reply.n) {
		const uint8_t *end = memchr(reply.p, '\r', reply.n);
		struct bytes line = bytes_head(reply, end ? (size_t)(end - reply.p) : reply.n);
		trace_line(j->s->trace, TRACE_POLICY, 1, "reply: %.*s", (int)line.n,
			   (const char *)line.p);
		reply = bytes_from(reply, line.n + 2);
	}
}

/* D-11: what the score asks for, beside what the checks do. */
static void judge_score(struct judge *j)
{
	static const struct profile_reply refused = { 550, "5.7.1 Message scored too high" };
	const struct policy_setup *s = j->s;
	struct verdict *v = j->v;
	for (unsigned i = 0; i < v->n_asked; i++)
		v->score += v->asked[i].score;
	struct verdict_asked a = { .check = "score",
				   .profile = "default",
				   .reason = policy_word(POLICY_SCORE) };
	if (s->score_reject && v->score >= s->score_reject) {
		a.action = VERDICT_REJECT;
		a.reply = kept(j, reply_make(&refused, j->arena));
	} else if (s->score_quarantine && v->score >= s->score_quarantine) {
		a.action = VERDICT_QUARANTINE;
		a.quarantine = bytes_str(s->dmarc ? s->dmarc->quarantine : "Policy");
	} else {
		return;
	}
	ask(j, &a);
	tell(j, &a, "score");
}

static void conclude(struct judge *j)
{
	struct verdict *v = j->v;
	const struct verdict_asked *first = v->n_asked ? &v->asked[0] : NULL;
	enum policy_reason unseen = j->s->unseen ? j->s->unseen : j->unseen;
	v->action = first ? first->action : VERDICT_ACCEPT;
	v->reply = first ? first->reply : (struct bytes){ NULL, 0 };
	if (v->action > VERDICT_ACCEPT) {
		v->result = "flagged";
		v->reason = first->reason;
	} else {
		v->result = unseen ? "unverifiable" : j->undecided ? "undecided" : "clean";
		v->reason = policy_word(unseen ? unseen : j->undecided);
	}
	trace_line(j->s->trace, TRACE_POLICY, 0, "-> %s, %s%s%s", action_word(v->action), v->result,
		   v->reason ? ": " : "", v->reason ? v->reason : "");
	if (v->action > VERDICT_ACCEPT)
		trace_line(j->s->trace, TRACE_POLICY, 1, "chosen by %s, profile %s", first->check,
			   first->profile);
	tell_reply(j, v->reply);
}

static bool any_pass(const struct verdict *v)
{
	for (uint32_t i = 0; i < v->n_dkim; i++)
		if (v->dkim[i].result == AUTH_PASS)
			return true;
	return false;
}

bool policy_judge(const struct policy_setup *setup, struct verdict *verdict, struct arena *arena)
{
	struct judge j = { .s = setup, .v = verdict, .arena = arena };
	const char *why = verdict->checks & VERDICT_DMARC ? bypass(&j) : NULL;
	verdict->n_asked = 0;
	verdict->score = 0;
	verdict->dmarc.override = NULL;
	trace_begin(setup->trace, TRACE_POLICY);
	if (why)
		trace_line(setup->trace, TRACE_POLICY, 0, "dmarc: bypassed, %s", why);
	j.dkim_passed = verdict->checks & VERDICT_DKIM && any_pass(verdict);
	if (verdict->checks & VERDICT_DMARC) {
		uint8_t result = verdict->dmarc.result;
		j.dmarc_passed = result == AUTH_PASS;
		j.dmarc_judges = verdict->dmarc.has_record && !why &&
				 (result == AUTH_PASS || result == AUTH_FAIL);
	}
	/* in the order in which equal ones are listed */
	if (verdict->checks & VERDICT_SPF)
		for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
			judge_spf(&j, i);
	if (verdict->checks & VERDICT_DKIM)
		judge_dkim(&j);
	if (verdict->checks & VERDICT_DMARC)
		judge_dmarc(&j, why);
	if (verdict->checks & VERDICT_NAMES)
		judge_names(&j);
	tags_once(verdict);
	judge_score(&j);
	conclude(&j);
	return !j.full;
}

void policy_count(const struct verdict *verdict, struct stats *stats)
{
	static const enum stats_row row[VERDICT_ACTION_N] = {
		[VERDICT_ACCEPT] = STAT_VERDICT_ACCEPTED,
		[VERDICT_FLAG] = STAT_VERDICT_FLAGGED,
		[VERDICT_TAG] = STAT_VERDICT_TAGGED,
		[VERDICT_QUARANTINE] = STAT_VERDICT_QUARANTINED,
		[VERDICT_REJECT] = STAT_VERDICT_REJECTED,
	};
	const char *override = verdict->dmarc.override;
	stats_add(stats, row[verdict->action], 1);
	if (override)
		stats_add(stats, override[0] == 'a' ? STAT_OVERRIDE_ARC : STAT_OVERRIDE_BYPASS, 1);
}
