#include "verify/checks.h"

#include "verify/auth/address.h"
#include "verify/auth/authres.h"
#include "verify/auth/dmarc.h"
#include "verify/auth/forged.h"
#include "verify/auth/sender.h"
#include "verify/auth/spf_reason.h"

enum { KNOWN_ALL = KNOWN_KEYS | KNOWN_SPF | KNOWN_DMARC };

static const struct list *find_list(struct list *const *lists, uint32_t n, const char *name)
{
	for (uint32_t i = 0; *name && i < n; i++)
		if (!strcmp(list_name(lists[i]), name))
			return lists[i];
	return NULL;
}

void checks_profiles(struct checks_profiles *p, const struct config *cfg)
{
	const struct profiles *all = cfg->profiles;
	*p = (struct checks_profiles){ .dkim = &all->dkim[0],
				       .spf = &all->spf[0],
				       .dmarc = &all->dmarc[0] };
	for (uint32_t i = 0; i < all->n_dkim; i++)
		if (!strcmp(all->dkim[i].name, cfg->dkim_profile))
			p->dkim = &all->dkim[i];
	for (uint32_t i = 0; i < all->n_spf; i++)
		if (!strcmp(all->spf[i].name, cfg->spf_profile))
			p->spf = &all->spf[i];
	for (uint32_t i = 0; i < all->n_dmarc; i++)
		if (!strcmp(all->dmarc[i].name, cfg->dmarc_profile))
			p->dmarc = &all->dmarc[i];
	p->relays = find_list(all->addresses, all->n_addresses, p->spf->relays);
	p->sealers = find_list(all->sealers, all->n_sealers, p->dmarc->sealers);
	p->lists = (struct policy_lists){
		.senders = find_list(all->addresses, all->n_addresses, p->dmarc->bypass_senders),
		.clients = find_list(all->addresses, all->n_addresses, p->dmarc->bypass_clients),
		.servers = find_list(all->addresses, all->n_addresses, p->dmarc->bypass_servers),
	};
}

static bool begin_signatures(struct checks *c, const struct verdict *verdict)
{
	const struct checks_setup *s = &c->setup;
	struct dkim_setup setup = { .cfg = s->cfg,
				    .profile = s->profiles->dkim,
				    .known = &c->known,
				    .message = s->message,
				    .header = s->header,
				    .from = &verdict->from,
				    .arena = s->arena,
				    .keys = s->keys,
				    .queue = s->queue,
				    .canon = s->canon,
				    .base64 = s->base64,
				    .stats = s->stats,
				    .owner = s->owner,
				    .now_s = c->now_s,
				    .clock_s = s->clock_s };
	if (c->made & VERDICT_DKIM) {
		c->dkim_on = true;
		if (!dkim_begin(&c->dkim, &setup))
			return false;
	}
	if (c->made & VERDICT_ARC) {
		struct arc_setup arc = { .dkim = setup,
					 .shared = c->dkim_on ? &c->dkim : NULL,
					 .sealers = s->profiles->sealers };
		c->arc_on = true;
		if (!arc_begin(&c->arc, &arc))
			return false;
	}
	return true;
}

bool checks_begin(struct checks *c, const struct checks_setup *setup, struct verdict *verdict)
{
	const struct config *cfg = setup->cfg;
	const struct message *m = setup->message;
	c->setup = *setup;
	c->dkim_on = c->arc_on = false;
	c->now_s = (cfg->now_ns ? cfg->now_ns : m->time_ns) / 1000000000u;
	c->known.records = cfg->answers ? NULL : setup->records; /* they belong to one message */
	c->known.trace = setup->trace;
	c->known.clock_s = setup->clock_s;
	c->known.ttl_max_s = cfg->dns_cache_ttl_max_s;
	c->known.budget = cfg->dns_message_questions;
	known_init(&c->known, setup->memory, CHECKS_KNOWN);
	c->made = (uint8_t)((cfg->dkim ? VERDICT_DKIM : 0) | (cfg->spf ? VERDICT_SPF : 0) |
			    (cfg->arc ? VERDICT_ARC : 0) | (cfg->dmarc ? VERDICT_DMARC : 0) |
			    (cfg->names && cfg->forged ? VERDICT_NAMES : 0));
	/* G-22: there would be nothing that could pass */
	if (!(c->made & (VERDICT_DKIM | VERDICT_SPF)))
		c->made &= (uint8_t)~VERDICT_DMARC;
	c->open = c->made & (VERDICT_DKIM | VERDICT_SPF | VERDICT_ARC | VERDICT_DMARC);
	verdict->checks = c->made;
	c->known.reserve = false;
	origin_find(&c->origin, m, setup->header, setup->profiles->relays);
	/* once: it takes a look at as much as a whole header */
	c->has_pra = (c->made & VERDICT_SPF) && setup->profiles->spf->level != SPF_LEVEL_SPF &&
		     pra_find(&c->pra, setup->header, setup->arena);
	return address_from(&verdict->from, setup->header, m, setup->arena, setup->trace) &&
	       begin_signatures(c, verdict);
}

static void ask_sender(struct checks *c, struct verdict *verdict)
{
	const struct checks_setup *s = &c->setup;
	struct arena before = *s->arena;
	struct sender_setup setup = { .known = &c->known,
				      .arena = s->arena,
				      .profile = s->profiles->spf,
				      .message = s->message,
				      .header = s->header,
				      .origin = &c->origin,
				      .pra = c->has_pra ? &c->pra : NULL,
				      .receiver = bytes_str(s->cfg->authserv_id),
				      .now_s = c->now_s };
	if (sender_check(&setup, verdict->spf))
		c->open &= (uint8_t)~VERDICT_SPF;
	else
		*s->arena = before;
}

/* SPF has no part in the judgement of a file that came without a client: nobody could tell. */
static const struct spf_result *spf_of(const struct checks *c, const struct verdict *verdict)
{
	bool none = c->setup.message->protocol == MESSAGE_FILE && !c->origin.has_client;
	return !(c->made & VERDICT_SPF) || none ? NULL : &verdict->spf[SPF_MAILFROM];
}

/* The domains of signatures whose results are to come. False: the arena is full. */
static bool signers(const struct checks *c, struct dmarc_setup *setup)
{
	if (!c->dkim_on || !c->dkim.n)
		return true;
	struct dkim_result *r = arena_take(c->setup.arena, c->dkim.n * sizeof *r);
	if (!r)
		return false;
	for (unsigned i = 0; i < c->dkim.n; i++)
		r[i] = (struct dkim_result){ .result = AUTH_PASS,
					     .domain = c->dkim.check[i].sig.domain };
	setup->dkim = r;
	setup->n_dkim = c->dkim.n;
	return true;
}

static struct dmarc_setup dmarc_setup(struct checks *c, const struct verdict *verdict)
{
	const struct config *cfg = c->setup.cfg;
	return (struct dmarc_setup){ .known = &c->known,
				     .arena = c->setup.arena,
				     .walk = cfg->dmarc_walk,
				     .suffixes = cfg->suffixes,
				     .from = &verdict->from,
				     .sample = c->setup.message->size ^
					       (uint64_t)c->setup.message->header_len << 32 };
}

/* What any outcome of SPF and DKIM could need is asked while these are under way. */
static void ask_dmarc(struct checks *c, struct verdict *verdict)
{
	struct arena before = *c->setup.arena;
	struct dmarc_setup setup = dmarc_setup(c, verdict);
	struct dmarc_result unused;
	setup.early = true;
	setup.spf = c->open & VERDICT_SPF ? NULL : spf_of(c, verdict);
	bool done = !signers(c, &setup) || dmarc_check(&setup, &unused);
	*c->setup.arena = before;
	if (done && !(c->open & VERDICT_SPF))
		c->open &= (uint8_t)~VERDICT_DMARC;
}

bool checks_ask(struct checks *c, struct verdict *verdict, uint64_t clock_s)
{
	c->known.clock_s = c->dkim.setup.clock_s = c->arc.setup.dkim.clock_s = clock_s;
	if ((c->open & VERDICT_DKIM) && dkim_ask(&c->dkim))
		c->open &= (uint8_t)~VERDICT_DKIM;
	if (c->open & VERDICT_SPF)
		ask_sender(c, verdict);
	if (c->open & VERDICT_DMARC)
		ask_dmarc(c, verdict);
	c->known.reserve = true; /* a long chain leaves the others what they need */
	if ((c->open & VERDICT_ARC) && arc_ask(&c->arc))
		c->open &= (uint8_t)~VERDICT_ARC;
	c->known.reserve = false;
	return !c->open;
}

uint32_t checks_deadline_ms(const struct checks *c)
{
	const struct checks_profiles *p = c->setup.profiles;
	uint8_t gave_up = c->known.gave_up;
	uint32_t ms = UINT32_MAX;
	if ((c->open & (VERDICT_DKIM | VERDICT_ARC)) && !(gave_up & KNOWN_KEYS))
		ms = p->dkim->query_timeout_ms;
	if ((c->open & VERDICT_SPF) && !(gave_up & KNOWN_SPF) && p->spf->timeout_ms < ms)
		ms = p->spf->timeout_ms;
	return ms;
}

void checks_late(struct checks *c, uint32_t ms)
{
	const struct checks_profiles *p = c->setup.profiles;
	if (ms >= p->dkim->query_timeout_ms)
		known_give_up(&c->known, KNOWN_KEYS);
	if (ms >= p->spf->timeout_ms)
		known_give_up(&c->known, KNOWN_SPF);
}

void checks_give_up(struct checks *c)
{
	known_give_up(&c->known, KNOWN_ALL);
}

bool checks_prepare(struct checks *c)
{
	return (!c->dkim_on || dkim_prepare(&c->dkim)) && (!c->arc_on || arc_prepare(&c->arc));
}

struct hash_job *checks_hash(struct checks *c)
{
	struct hash_job *job = c->dkim_on ? dkim_hash(&c->dkim) : NULL;
	return job || !c->arc_on ? job : arc_hash(&c->arc);
}

struct pubkey_job *checks_pubkey(struct checks *c)
{
	struct pubkey_job *job = c->dkim_on ? dkim_pubkey(&c->dkim) : NULL;
	return job || !c->arc_on ? job : arc_pubkey(&c->arc);
}

static void judge_dmarc(struct checks *c, struct verdict *verdict)
{
	struct dmarc_setup setup = dmarc_setup(c, verdict);
	setup.spf = spf_of(c, verdict);
	setup.dkim = verdict->dkim;
	setup.n_dkim = verdict->n_dkim;
	if (dmarc_check(&setup, &verdict->dmarc))
		return;
	/* nobody can be asked any more */
	checks_give_up(c);
	dmarc_check(&setup, &verdict->dmarc);
}

/* The answers that were used, as far as there is room for them. False: the arena is full. */
static bool keep_evidence(struct checks *c, struct verdict *verdict)
{
	struct verdict_evidence *e = arena_take(c->setup.arena, c->known.n * sizeof *e);
	size_t octets = 0;
	if (!e)
		return false;
	for (unsigned i = 0; i < c->known.n; i++) {
		const struct known_item *item = known_item(&c->known, i);
		if (!item->record)
			continue;
		const struct answer *a = &item->record->answer;
		size_t size = 0;
		for (unsigned k = 0; k < a->n; k++)
			size += a->rr[k].data.n + sizeof a->rr[k];
		if (octets + size > CHECKS_EVIDENCE_MAX) {
			verdict->evidence_cut = true;
			continue;
		}
		octets += size;
		struct bytes *data = arena_take(c->setup.arena, a->n * sizeof *data);
		if (!data)
			return false;
		for (unsigned k = 0; k < a->n; k++)
			data[k] = a->rr[k].data;
		e[verdict->n_evidence++] = (struct verdict_evidence){
			.name = bytes_of(item->question.name, item->question.len),
			.type = item->question.type,
			.status = a->status,
			.secure = a->secure,
			.ttl_s = a->ttl_s,
			.n = a->n,
			.data = data,
		};
	}
	verdict->evidence = e;
	return true;
}

/* Why there may be signatures that were not found. */
static enum policy_reason unseen_header(const struct checks *c)
{
	switch (dkim_unseen(c->setup.header, c->setup.message)) {
	case REASON_NONE:
		return POLICY_NONE;
	case REASON_HEADER_LIMIT:
		return POLICY_HEADER_LIMIT;
	default:
		return POLICY_NO_HEADER;
	}
}

static bool judge(struct checks *c, struct verdict *verdict)
{
	const struct checks_setup *s = &c->setup;
	struct policy_setup policy = { .profiles = s->cfg->profiles,
				       .lists = &s->profiles->lists,
				       .dkim = s->profiles->dkim,
				       .spf = s->profiles->spf,
				       .dmarc = s->profiles->dmarc,
				       .message = s->message,
				       .header = s->header,
				       .origin = &c->origin,
				       .score_quarantine = s->cfg->score_quarantine,
				       .score_reject = s->cfg->score_reject,
				       .trace = s->trace };
	if ((c->made & VERDICT_DKIM) && !verdict->dkim_seen)
		policy.unseen = unseen_header(c);
	struct authres_setup fields = { .cfg = s->cfg,
					.message = s->message,
					.header = s->header,
					.origin = &c->origin,
					.spf = s->profiles->spf };
	return policy_judge(&policy, verdict, s->arena) && authres_make(&fields, verdict, s->arena);
}

static void count(const struct checks *c, const struct verdict *verdict)
{
	static const enum stats_row spf[AUTH_RESULT_N] = {
		[AUTH_NONE] = STAT_SPF_NONE,           [AUTH_PASS] = STAT_SPF_PASS,
		[AUTH_FAIL] = STAT_SPF_FAIL,           [AUTH_SOFTFAIL] = STAT_SPF_SOFTFAIL,
		[AUTH_NEUTRAL] = STAT_SPF_NEUTRAL,     [AUTH_TEMPERROR] = STAT_SPF_TEMPERROR,
		[AUTH_PERMERROR] = STAT_SPF_PERMERROR, [AUTH_UNVERIFIABLE] = STAT_SPF_UNVERIFIABLE,
	};
	static const enum stats_row dmarc[AUTH_RESULT_N] = {
		[AUTH_NONE] = STAT_DMARC_NONE,
		[AUTH_PASS] = STAT_DMARC_PASS,
		[AUTH_FAIL] = STAT_DMARC_FAIL,
		[AUTH_TEMPERROR] = STAT_DMARC_TEMPERROR,
		[AUTH_PERMERROR] = STAT_DMARC_PERMERROR,
		[AUTH_UNVERIFIABLE] = STAT_DMARC_UNVERIFIABLE,
	};
	struct stats *stats = c->setup.stats;
	if ((c->made & VERDICT_SPF) && verdict->spf[SPF_MAILFROM].checked) {
		stats_add(stats, spf[verdict->spf[SPF_MAILFROM].result], 1);
		stats_add(stats, STAT_SPF_LIMIT,
			  spf_reason_limit(verdict->spf[SPF_MAILFROM].reason));
	}
	if (c->made & VERDICT_DMARC)
		stats_add(stats, dmarc[verdict->dmarc.result], 1);
	stats_add(stats, STAT_NAMES_FORGED, verdict->n_forged != 0);
	stats_add(stats, STAT_DNS_OVER_BUDGET, c->known.over);
	stats_add(stats, STAT_EVIDENCE_CUT, verdict->evidence_cut);
}

static bool look_for_names(struct checks *c, struct verdict *verdict)
{
	const struct checks_setup *s = &c->setup;
	trace_begin(s->trace, TRACE_NAMES);
	if (!(c->made & VERDICT_NAMES))
		return true;
	if (!forged_check(s->cfg->forged, &verdict->from, s->arena, s->stats, &verdict->forged,
			  &verdict->n_forged))
		return false;
	for (uint32_t i = 0; i < verdict->n_forged; i++)
		trace_line(s->trace, TRACE_NAMES, 0, "%.*s of dictionary %s: score %u",
			   (int)verdict->forged[i].name.n, (const char *)verdict->forged[i].name.p,
			   verdict->forged[i].dictionary, verdict->forged[i].score);
	if (!verdict->n_forged)
		trace_line(s->trace, TRACE_NAMES, 0, "no protected name is shown");
	return true;
}

bool checks_end(struct checks *c, struct verdict *verdict)
{
	const struct checks_setup *s = &c->setup;
	bool ok = true;
	if (c->dkim_on)
		ok = dkim_end(&c->dkim, verdict);
	if (c->arc_on)
		ok = arc_end(&c->arc, verdict) && ok;
	c->dkim_on = c->arc_on = false;
	if (!ok)
		return false;
	if (c->made & VERDICT_DMARC)
		judge_dmarc(c, verdict);
	if (!look_for_names(c, verdict))
		return false;
	if (s->cfg->evidence && !keep_evidence(c, verdict))
		return false;
	count(c, verdict);
	return judge(c, verdict);
}

void checks_abort(struct checks *c)
{
	if (c->dkim_on)
		dkim_abort(&c->dkim);
	if (c->arc_on)
		arc_abort(&c->arc);
	c->dkim_on = c->arc_on = false;
	known_end(&c->known);
}
