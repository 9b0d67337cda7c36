#include "verify/auth/spf_eval.h"

#include "verify/auth/spf_address.h"

enum got { GOT_OPEN, GOT_ERROR, GOT_NOTHING, GOT_DATA };

enum spf_step spf_eval_end(struct spf_eval *c, enum spf_reason why)
{
	c->out->result = (uint8_t)spf_reason_result(why);
	c->out->reason = spf_reason_word(why);
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, c->depth, "%s: %s",
			   auth_result_name(c->out->result), spf_reason_meaning(why));
	return SPF_STEP_END;
}

/* An answer that the result rests on. */
static enum got get(struct spf_eval *c, enum question_type type, struct bytes name,
		    struct record **record)
{
	struct record *r = known_ask(c->setup->known, KNOWN_SPF, type, name);
	*record = r;
	if (!r)
		return GOT_OPEN;
	c->used = true;
	c->insecure |= !r->answer.secure;
	switch (r->answer.status) {
	case ANSWER_DATA:
		return r->answer.n ? GOT_DATA : GOT_NOTHING;
	case ANSWER_NODATA:
	case ANSWER_NXDOMAIN:
		return GOT_NOTHING;
	default:
		return GOT_ERROR;
	}
}

static enum spf_step failed(struct spf_eval *c, const struct record *r)
{
	return spf_eval_end(c, r->answer.status == ANSWER_TIMEOUT ? SPF_REASON_TIMEOUT
								  : SPF_REASON_FAILED);
}

/* One more term whose questions had empty answers. */
static enum spf_step empty(struct spf_eval *c)
{
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, c->depth, "the DNS has nothing there");
	if (c->out->voids < UINT8_MAX)
		c->out->voids++;
	return c->out->voids > c->setup->profile->void_max ? spf_eval_end(c, SPF_REASON_VOID_LIMIT)
							   : SPF_STEP_NO;
}

enum spf_step spf_eval_count(struct spf_eval *c, const struct spf_term *t)
{
	/* the question of %{p} is one more */
	unsigned n = c->out->lookups + (t->flags & SPF_MACRO_PTR ? 2 : 1);
	c->out->lookups = (uint8_t)(n < UINT8_MAX ? n : UINT8_MAX);
	return c->out->lookups > c->setup->profile->lookup_max
		       ? spf_eval_end(c, SPF_REASON_LOOKUP_LIMIT)
		       : SPF_STEP_NO;
}

/* name is domain or below it, in any case. */
static bool is_under(struct bytes name, struct bytes domain)
{
	if (name.n < domain.n || domain.n == 0)
		return false;
	size_t more = name.n - domain.n;
	return bytes_equal_nocase(bytes_from(name, more), domain) &&
	       (more == 0 || name.p[more - 1] == '.');
}

/* The client's address is one of that name: 1, 0, or -1: open. */
static int is_ours(struct spf_eval *c, struct bytes name)
{
	struct record *r = NULL;
	enum got got = get(c, c->ip4 ? QUESTION_A : QUESTION_AAAA, name, &r);
	if (got == GOT_OPEN)
		return -1;
	return got == GOT_DATA && spf_address_found(&r->answer, c->macro.ip, 32, 128);
}

enum spf_step spf_eval_ptr(struct spf_eval *c, struct bytes domain, bool any, struct bytes *found)
{
	char reverse[SPF_ADDRESS_REVERSE_MAX], host[QUESTION_NAME_MAX + 1];
	struct record *r = NULL;
	*found = (struct bytes){ 0 };
	size_t n = spf_address_reverse(c->macro.ip, reverse);
	enum got got = get(c, QUESTION_PTR, bytes_of(reverse, n), &r);
	if (got == GOT_OPEN)
		return SPF_STEP_ASK;
	if (got == GOT_ERROR && c->setup->known->gave_up & KNOWN_SPF &&
	    r->answer.status == ANSWER_TIMEOUT)
		return failed(c, r); /* section 4.6.4: out of time as a whole */
	if (got == GOT_NOTHING && !any)
		return empty(c);
	if (got != GOT_DATA)
		return SPF_STEP_NO;
	bool open = false;
	int best = 0;
	for (unsigned i = 0; i < r->answer.n && i < SPF_EVAL_HOSTS_MAX; i++) {
		struct bytes name = bytes_of(host, spf_address_host(r->answer.rr[i].data, host));
		int rank = !is_under(name, domain) ? 1 : name.n > domain.n ? 2 : 3;
		if (name.n == 0 || (rank == 1 && !any))
			continue;
		int ours = is_ours(c, name);
		open |= ours < 0;
		if (c->trace && ours >= 0)
			trace_line(c->trace, TRACE_SPF, c->depth + 1, "%.*s %s", (int)name.n, host,
				   ours ? "has that address" : "does not have that address");
		if (ours <= 0 || rank <= best)
			continue;
		best = rank;
		*found = arena_copy(c->setup->arena, name);
		if (!found->p)
			return spf_eval_end(c, SPF_REASON_NO_SPACE);
	}
	return open ? SPF_STEP_ASK : SPF_STEP_NO;
}

enum spf_step spf_eval_target(struct spf_eval *c, const struct spf_frame *f,
			      const struct spf_term *t, struct bytes *name)
{
	char out[SPF_MACRO_NAME_MAX + 1];
	*name = f->domain;
	if (!(t->flags & SPF_TERM_SPEC))
		return SPF_STEP_NO;
	*name = spf_term_spec(f->record, t);
	if (t->flags & SPF_TERM_NO_NAME)
		name->n = 0;
	if (!(t->flags & SPF_MACRO_ANY))
		return SPF_STEP_NO;
	struct bytes spec = *name;
	name->n = 0;
	if (t->flags & SPF_MACRO_LOCAL && c->local_bad)
		return SPF_STEP_NO;
	if (t->flags & SPF_MACRO_PTR) {
		enum spf_step step = spf_eval_ptr(c, f->domain, true, &c->macro.ptr);
		if (step != SPF_STEP_NO)
			return step;
	}
	c->macro.domain = f->domain;
	size_t n = spf_macro_name(&c->macro, spec, out);
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, c->depth + 1, "%.*s is %.*s", (int)spec.n, spec.p,
			   (int)n, out);
	if (n == 0)
		return SPF_STEP_NO;
	*name = arena_copy(c->setup->arena, bytes_of(out, n));
	return name->p ? SPF_STEP_NO : spf_eval_end(c, SPF_REASON_NO_SPACE);
}

/* RFC 7208 section 4.5, RFC 4406 section 4.4: the version that counts. */
static enum spf_version version(const struct spf_eval *c, const struct spf_set *set)
{
	if (c->setup->profile->level == SPF_LEVEL_SPF || c->setup->identity == SPF_HELO)
		return SPF_V1;
	if (c->setup->identity == SPF_MAILFROM)
		return set->n[SPF_V2_MFROM] ? SPF_V2_MFROM : SPF_V1;
	if (c->setup->profile->level == SPF_LEVEL_SIDF_COMPATIBLE)
		return SPF_V2_PRA; /* v=spf1 says nothing of the PRA */
	return set->n[SPF_V2_PRA] ? SPF_V2_PRA : SPF_V1;
}

/* Parsed in the message's room, once; what found none is not tried again, except by who may have more. */
static const struct spf_set *parse_large(struct known *k, const struct record *r)
{
	static const struct spf_set none, none_in_half;
	const struct spf_set *set = known_parsed(k, r);
	if (set && !(set == &none_in_half && !k->reserve))
		return set == &none || set == &none_in_half ? NULL : set;
	struct arena room = known_room(k);
	set = spf_set_parse(&r->answer, &room);
	if (!set)
		room = k->arena;
	const struct spf_set *kept = set ? set : k->reserve ? &none_in_half : &none;
	return known_keep(k, r, kept, &room) ? set : NULL;
}

const struct spf_record *spf_eval_record(struct spf_eval *c, struct record *r, unsigned *n)
{
	const struct spf_set *set = r->parsed[RECORD_SPF];
	if (!set && !known_parsed(c->setup->known, r))
		r->parsed[RECORD_SPF] = set = spf_set_parse(&r->answer, &r->space);
	if (!set)
		set = parse_large(c->setup->known, r);
	*n = 1;
	if (!set)
		return NULL;
	enum spf_version v = version(c, set);
	*n = set->n[v];
	return set->record[v];
}

enum spf_step spf_eval_begin(struct spf_eval *c, struct bytes domain, enum spf_reason none,
			     enum spf_reason gone)
{
	struct record *r = NULL;
	if (!domain.n)
		return spf_eval_end(c, none);
	enum got got = get(c, QUESTION_TXT, domain, &r);
	if (got == GOT_OPEN)
		return SPF_STEP_ASK;
	if (got == GOT_ERROR)
		return failed(c, r);
	if (got == GOT_NOTHING)
		return spf_eval_end(c, r->answer.status == ANSWER_NXDOMAIN ? gone : none);
	unsigned n;
	const struct spf_record *record = spf_eval_record(c, r, &n);
	if (!record)
		return spf_eval_end(c, n ? SPF_REASON_NO_SPACE : none);
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, c->depth, "%.*s: %.*s", (int)domain.n, domain.p,
			   (int)record->text.n, record->text.p);
	if (n > 1)
		return spf_eval_end(c, SPF_REASON_SEVERAL_RECORDS);
	if (record->status == SPF_RECORD_LIMIT)
		return spf_eval_end(c, SPF_REASON_RECORD_LIMIT);
	if (record->status != SPF_RECORD_OK) {
		if (c->trace)
			trace_line(c->trace, TRACE_SPF, c->depth + 1, "malformed: %.*s",
				   (int)record->wrong.n, record->wrong.p);
		return spf_eval_end(c, SPF_REASON_SYNTAX);
	}
	c->stack[c->depth++] = (struct spf_frame){ record, domain, 0 };
	return SPF_STEP_RECORD;
}

static enum spf_step eval_include(struct spf_eval *c, struct spf_frame *f, const struct spf_term *t)
{
	struct bytes name;
	enum spf_step step = spf_eval_target(c, f, t, &name);
	if (step != SPF_STEP_NO)
		return step;
	if (!name.n && t->flags & SPF_MACRO_LOCAL && c->local_bad)
		return SPF_STEP_NO; /* RFC 8616 section 4 */
	if (c->depth == SPF_DEPTH_MAX)
		return spf_eval_end(c, SPF_REASON_LOOKUP_LIMIT);
	return spf_eval_begin(c, name, SPF_REASON_NO_INCLUDE, SPF_REASON_NO_INCLUDE);
}

static enum spf_step eval_address(struct spf_eval *c, struct spf_frame *f, const struct spf_term *t)
{
	struct bytes name;
	struct record *r = NULL;
	bool exists = t->kind == SPF_EXISTS;
	enum spf_step step = spf_eval_target(c, f, t, &name);
	if (step != SPF_STEP_NO || !name.n)
		return step;
	enum got got = get(c, exists || c->ip4 ? QUESTION_A : QUESTION_AAAA, name, &r);
	if (got == GOT_OPEN)
		return SPF_STEP_ASK;
	if (got == GOT_ERROR)
		return failed(c, r);
	if (got == GOT_NOTHING)
		return empty(c);
	return exists || spf_address_found(&r->answer, c->macro.ip, t->cidr4, t->cidr6)
		       ? SPF_STEP_MATCH
		       : SPF_STEP_NO;
}

/* All hosts count before one that failed does: the order of an answer does not matter. */
static enum spf_step eval_hosts(struct spf_eval *c, const struct answer *mx,
				const struct spf_term *t)
{
	char host[QUESTION_NAME_MAX + 1];
	struct record *r = NULL, *bad = NULL;
	bool open = false, asked = false, some = false, match = false;
	for (unsigned i = 0; i < mx->n; i++) {
		size_t n = spf_address_host(bytes_from(mx->rr[i].data, 2), host);
		if (n == 0)
			continue; /* the root: it takes no mail (RFC 7505) */
		enum got got = get(c, c->ip4 ? QUESTION_A : QUESTION_AAAA, bytes_of(host, n), &r);
		asked = true;
		open |= got == GOT_OPEN;
		some |= got == GOT_DATA;
		if (got == GOT_ERROR)
			bad = r;
		if (got == GOT_DATA &&
		    spf_address_found(&r->answer, c->macro.ip, t->cidr4, t->cidr6))
			match = true;
	}
	if (open)
		return SPF_STEP_ASK;
	if (match)
		return SPF_STEP_MATCH;
	if (bad)
		return failed(c, bad);
	return asked && !some ? empty(c) : SPF_STEP_NO;
}

static enum spf_step eval_mx(struct spf_eval *c, struct spf_frame *f, const struct spf_term *t)
{
	struct bytes name;
	struct record *r = NULL;
	enum spf_step step = spf_eval_target(c, f, t, &name);
	if (step != SPF_STEP_NO || !name.n)
		return step;
	enum got got = get(c, QUESTION_MX, name, &r);
	if (got == GOT_OPEN)
		return SPF_STEP_ASK;
	if (got == GOT_ERROR)
		return failed(c, r);
	if (got == GOT_NOTHING)
		return empty(c);
	if (r->answer.n > SPF_EVAL_HOSTS_MAX)
		return spf_eval_end(c, SPF_REASON_MX_LIMIT);
	return eval_hosts(c, &r->answer, t);
}

static enum spf_step eval_ptr(struct spf_eval *c, struct spf_frame *f, const struct spf_term *t)
{
	struct bytes name, found;
	enum spf_step step = spf_eval_target(c, f, t, &name);
	if (step != SPF_STEP_NO || !name.n)
		return step;
	step = spf_eval_ptr(c, name, false, &found);
	return step == SPF_STEP_NO && found.n ? SPF_STEP_MATCH : step;
}

bool spf_eval_network(const struct spf_eval *c, const struct spf_frame *f, const struct spf_term *t)
{
	if (t->kind == SPF_IP4)
		return c->ip4 && spf_address_in(c->macro.ip + 12, t->ip4, t->cidr4);
	return !c->ip4 && spf_address_in(c->macro.ip, f->record->ip6[t->ip6], t->cidr6);
}

enum spf_step spf_eval_term(struct spf_eval *c, struct spf_frame *f, const struct spf_term *t)
{
	if (t->kind == SPF_ALL)
		return SPF_STEP_MATCH;
	if (t->kind == SPF_IP4 || t->kind == SPF_IP6)
		return spf_eval_network(c, f, t) ? SPF_STEP_MATCH : SPF_STEP_NO;
	if (spf_eval_count(c, t) != SPF_STEP_NO)
		return SPF_STEP_END;
	switch (t->kind) {
	case SPF_INCLUDE:
		return eval_include(c, f, t);
	case SPF_MX:
		return eval_mx(c, f, t);
	case SPF_PTR:
		return eval_ptr(c, f, t);
	default:
		return eval_address(c, f, t);
	}
}
