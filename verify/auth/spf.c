#include "verify/auth/spf.h"

#include "verify/auth/names.h"
#include "verify/auth/spf_address.h"
#include "verify/auth/spf_macro.h"
#include "verify/auth/spf_reason.h"
#include "verify/auth/spf_record.h"

enum {
	HOSTS_MAX = 10, /* of one mx, of one ptr (RFC 7208 section 4.6.4) */
	PREFIX_NONE = 128,
};

struct frame { /* one record under evaluation */
	const struct spf_record *record;
	struct bytes domain; /* <domain> of section 4.1 */
	uint16_t next; /* term */
};

struct check {
	const struct spf_setup *setup;
	struct spf_result *out;
	struct trace *trace;
	struct spf_macro macro;
	bool ip4, local_bad, used, insecure;
	unsigned depth; /* frames */
	struct frame stack[SPF_DEPTH_MAX];
};

enum step {
	STEP_NO, /* the term does not match */
	STEP_MATCH,
	STEP_ASK, /* it depends on an open question */
	STEP_RECORD, /* evaluation goes on in another record */
	STEP_END, /* the result stands */
};

enum got { GOT_OPEN, GOT_ERROR, GOT_NOTHING, GOT_DATA };

static struct frame *top(struct check *c)
{
	return &c->stack[c->depth - 1];
}

static enum step end(struct check *c, enum spf_reason why)
{
	c->out->result = (uint8_t)spf_reason_result(why);
	c->out->reason = spf_reason_word(why);
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, c->depth, "%s: %s",
			   auth_result_name(c->out->result), spf_reason_meaning(why));
	return STEP_END;
}

/* An answer that the result rests on. */
static enum got get(struct check *c, enum question_type type, struct bytes name,
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

static enum step failed(struct check *c, const struct record *r)
{
	return end(c, r->answer.status == ANSWER_TIMEOUT ? SPF_REASON_TIMEOUT : SPF_REASON_FAILED);
}

/* One more term whose questions had empty answers. */
static enum step empty(struct check *c)
{
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, c->depth, "the DNS has nothing there");
	if (c->out->voids < UINT8_MAX)
		c->out->voids++;
	return c->out->voids > c->setup->profile->void_max ? end(c, SPF_REASON_VOID_LIMIT)
							   : STEP_NO;
}

static enum step count_lookup(struct check *c)
{
	if (c->out->lookups < UINT8_MAX)
		c->out->lookups++;
	return c->out->lookups > c->setup->profile->lookup_max ? end(c, SPF_REASON_LOOKUP_LIMIT)
							       : STEP_NO;
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
static int is_ours(struct check *c, struct bytes name)
{
	struct record *r = NULL;
	enum got got = get(c, c->ip4 ? QUESTION_A : QUESTION_AAAA, name, &r);
	if (got == GOT_OPEN)
		return -1;
	return got == GOT_DATA && spf_address_found(&r->answer, c->macro.ip, 32, PREFIX_NONE);
}

/*
 * The best of the validated names of the client (section 5.5): the domain itself, one below it, and
 * with `any` another. Empty: there is none. STEP_ASK; else STEP_NO, or STEP_END.
 */
static enum step find_ptr(struct check *c, struct bytes domain, bool any, struct bytes *found)
{
	char reverse[SPF_ADDRESS_REVERSE_MAX], host[QUESTION_NAME_MAX + 1];
	struct record *r = NULL;
	*found = (struct bytes){ 0 };
	size_t n = spf_address_reverse(c->macro.ip, reverse);
	enum got got = get(c, QUESTION_PTR, bytes_of(reverse, n), &r);
	if (got == GOT_OPEN)
		return STEP_ASK;
	if (got == GOT_ERROR && c->setup->known->gave_up & KNOWN_SPF &&
	    r->answer.status == ANSWER_TIMEOUT)
		return failed(c, r); /* section 4.6.4: out of time as a whole */
	if (got == GOT_NOTHING && !any)
		return empty(c);
	if (got != GOT_DATA)
		return STEP_NO;
	bool open = false;
	int best = 0;
	for (unsigned i = 0; i < r->answer.n && i < HOSTS_MAX; i++) {
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
			return end(c, SPF_REASON_NO_SPACE);
	}
	return open ? STEP_ASK : STEP_NO;
}

/* The <target-name> of a term. Empty: there is none that could match. STEP_NO, _ASK or _END. */
static enum step find_target(struct check *c, const struct frame *f, const struct spf_term *t,
			     struct bytes *name)
{
	char out[SPF_MACRO_NAME_MAX + 1];
	*name = f->domain;
	if (!(t->flags & SPF_TERM_SPEC))
		return STEP_NO;
	*name = spf_term_spec(f->record, t);
	if (t->flags & SPF_TERM_NO_NAME)
		name->n = 0;
	if (!(t->flags & SPF_MACRO_ANY))
		return STEP_NO;
	struct bytes spec = *name;
	name->n = 0;
	if (t->flags & SPF_MACRO_LOCAL && c->local_bad)
		return STEP_NO;
	if (t->flags & SPF_MACRO_PTR) {
		enum step step = find_ptr(c, f->domain, true, &c->macro.ptr);
		if (step != STEP_NO)
			return step;
	}
	c->macro.domain = f->domain;
	size_t n = spf_macro_name(&c->macro, spec, out);
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, c->depth + 1, "%.*s is %.*s", (int)spec.n, spec.p,
			   (int)n, out);
	if (n == 0)
		return STEP_NO;
	*name = arena_copy(c->setup->arena, bytes_of(out, n));
	return name->p ? STEP_NO : end(c, SPF_REASON_NO_SPACE);
}

/* What the answer has by versions, parsed once where there is room with the answer. */
static const struct spf_set *parsed(struct check *c, struct record *r)
{
	const struct spf_set *set = r->parsed[RECORD_SPF];
	if (!set)
		r->parsed[RECORD_SPF] = set = spf_set_parse(&r->answer, &r->space);
	return set ? set : spf_set_parse(&r->answer, c->setup->arena);
}

/* RFC 7208 section 4.5, RFC 4406 section 4.4: the version that counts. */
static enum spf_version version(const struct check *c, const struct spf_set *set)
{
	if (c->setup->profile->level == SPF_LEVEL_SPF || c->setup->identity == SPF_HELO)
		return SPF_V1;
	if (c->setup->identity == SPF_MAILFROM)
		return set->n[SPF_V2_MFROM] ? SPF_V2_MFROM : SPF_V1;
	if (c->setup->profile->level == SPF_LEVEL_SIDF_COMPATIBLE)
		return SPF_V2_PRA; /* v=spf1 says nothing of the PRA */
	return set->n[SPF_V2_PRA] ? SPF_V2_PRA : SPF_V1;
}

/* Begins with the record of that domain. none, gone: why there is no result if there is none, or
 * not even the name. STEP_RECORD, _ASK or _END. */
static enum step begin_record(struct check *c, struct bytes domain, enum spf_reason none,
			      enum spf_reason gone)
{
	struct record *r = NULL;
	if (!domain.n)
		return end(c, none);
	enum got got = get(c, QUESTION_TXT, domain, &r);
	if (got == GOT_OPEN)
		return STEP_ASK;
	if (got == GOT_ERROR)
		return failed(c, r);
	if (got == GOT_NOTHING)
		return end(c, r->answer.status == ANSWER_NXDOMAIN ? gone : none);
	const struct spf_set *set = parsed(c, r);
	if (!set)
		return end(c, SPF_REASON_NO_SPACE);
	enum spf_version v = version(c, set);
	const struct spf_record *record = set->record[v];
	if (!record)
		return end(c, none);
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, c->depth, "%.*s: %.*s", (int)domain.n, domain.p,
			   (int)record->text.n, record->text.p);
	if (set->n[v] > 1)
		return end(c, SPF_REASON_SEVERAL_RECORDS);
	if (record->status == SPF_RECORD_LIMIT)
		return end(c, SPF_REASON_RECORD_LIMIT);
	if (record->status != SPF_RECORD_OK) {
		if (c->trace)
			trace_line(c->trace, TRACE_SPF, c->depth + 1, "malformed: %.*s",
				   (int)record->wrong.n, record->wrong.p);
		return end(c, SPF_REASON_SYNTAX);
	}
	c->stack[c->depth++] = (struct frame){ record, domain, 0 };
	return STEP_RECORD;
}

static enum step eval_include(struct check *c, struct frame *f, const struct spf_term *t)
{
	struct bytes name;
	enum step step = find_target(c, f, t, &name);
	if (step != STEP_NO)
		return step;
	if (!name.n && t->flags & SPF_MACRO_LOCAL && c->local_bad)
		return STEP_NO; /* RFC 8616 section 4 */
	if (c->depth == SPF_DEPTH_MAX)
		return end(c, SPF_REASON_LOOKUP_LIMIT);
	return begin_record(c, name, SPF_REASON_NO_INCLUDE, SPF_REASON_NO_INCLUDE);
}

static enum step eval_address(struct check *c, struct frame *f, const struct spf_term *t)
{
	struct bytes name;
	struct record *r = NULL;
	bool exists = t->kind == SPF_EXISTS;
	enum step step = find_target(c, f, t, &name);
	if (step != STEP_NO || !name.n)
		return step;
	enum got got = get(c, exists || c->ip4 ? QUESTION_A : QUESTION_AAAA, name, &r);
	if (got == GOT_OPEN)
		return STEP_ASK;
	if (got == GOT_ERROR)
		return failed(c, r);
	if (got == GOT_NOTHING)
		return empty(c);
	return exists || spf_address_found(&r->answer, c->macro.ip, t->cidr4, t->cidr6) ? STEP_MATCH
											: STEP_NO;
}

/* All hosts count before one that failed does: the order of an answer does not matter. */
static enum step eval_hosts(struct check *c, const struct answer *mx, const struct spf_term *t)
{
	char host[QUESTION_NAME_MAX + 1];
	struct record *r = NULL, *bad = NULL;
	bool open = false, some = false, match = false;
	for (unsigned i = 0; i < mx->n; i++) {
		size_t n = spf_address_host(bytes_from(mx->rr[i].data, 2), host);
		if (n == 0)
			continue; /* the root: it takes no mail (RFC 7505) */
		enum got got = get(c, c->ip4 ? QUESTION_A : QUESTION_AAAA, bytes_of(host, n), &r);
		open |= got == GOT_OPEN;
		some |= got == GOT_DATA;
		if (got == GOT_ERROR)
			bad = r;
		if (got == GOT_DATA &&
		    spf_address_found(&r->answer, c->macro.ip, t->cidr4, t->cidr6))
			match = true;
	}
	if (open)
		return STEP_ASK;
	if (match)
		return STEP_MATCH;
	if (bad)
		return failed(c, bad);
	return some ? STEP_NO : empty(c);
}

static enum step eval_mx(struct check *c, struct frame *f, const struct spf_term *t)
{
	struct bytes name;
	struct record *r = NULL;
	enum step step = find_target(c, f, t, &name);
	if (step != STEP_NO || !name.n)
		return step;
	enum got got = get(c, QUESTION_MX, name, &r);
	if (got == GOT_OPEN)
		return STEP_ASK;
	if (got == GOT_ERROR)
		return failed(c, r);
	if (got == GOT_NOTHING)
		return empty(c);
	if (r->answer.n > HOSTS_MAX)
		return end(c, SPF_REASON_MX_LIMIT);
	return eval_hosts(c, &r->answer, t);
}

static enum step eval_ptr(struct check *c, struct frame *f, const struct spf_term *t)
{
	struct bytes name, found;
	enum step step = find_target(c, f, t, &name);
	if (step != STEP_NO || !name.n)
		return step;
	step = find_ptr(c, name, false, &found);
	return step == STEP_NO && found.n ? STEP_MATCH : step;
}

static bool in_network(const struct check *c, const struct frame *f, const struct spf_term *t)
{
	if (t->kind == SPF_IP4)
		return c->ip4 && spf_address_in(c->macro.ip + 12, t->ip4, t->cidr4);
	return !c->ip4 && spf_address_in(c->macro.ip, f->record->ip6[t->ip6], t->cidr6);
}

static enum step eval_term(struct check *c, struct frame *f, const struct spf_term *t)
{
	if (t->kind == SPF_ALL)
		return STEP_MATCH;
	if (t->kind == SPF_IP4 || t->kind == SPF_IP6)
		return in_network(c, f, t) ? STEP_MATCH : STEP_NO;
	/* section 4.6.4: the questions of %{p} count too */
	if (count_lookup(c) != STEP_NO || (t->flags & SPF_MACRO_PTR && count_lookup(c) != STEP_NO))
		return STEP_END;
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

static enum step redirect(struct check *c, struct frame *f)
{
	const struct spf_term *t = &f->record->redirect;
	struct bytes name;
	if (count_lookup(c) != STEP_NO || (t->flags & SPF_MACRO_PTR && count_lookup(c) != STEP_NO))
		return STEP_END;
	if (t->flags & SPF_MACRO_LOCAL && c->local_bad)
		return STEP_NO; /* RFC 8616 section 4 */
	enum step step = find_target(c, f, t, &name);
	if (step != STEP_NO)
		return step;
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, c->depth, "redirect=%.*s", (int)name.n, name.p);
	c->depth--; /* the new record takes the place of this one */
	step = begin_record(c, name, SPF_REASON_NO_REDIRECT, SPF_REASON_NO_REDIRECT);
	c->depth += step == STEP_ASK; /* which ask_ahead wants to see */
	return step;
}

/* A record is done: result, and the term of it that matched or NULL. */
static enum step leave(struct check *c, const struct spf_term *t, enum auth_result result)
{
	for (;;) {
		struct frame *f = top(c);
		if (c->depth == 1) {
			c->out->result = (uint8_t)result;
			c->out->mechanism = t ? spf_term_text(f->record, t) : bytes_str("default");
			return STEP_END;
		}
		c->depth--;
		if (result != AUTH_PASS)
			return STEP_NO; /* section 5.2: the include does not match */
		f = top(c);
		t = &f->record->term[f->next - 1];
		result = t->result;
		if (c->trace)
			trace_line(c->trace, TRACE_SPF, c->depth, "%.*s: match", (int)t->len,
				   spf_term_text(f->record, t).p);
	}
}

/* The next term of the uppermost record. */
static enum step advance(struct check *c)
{
	struct frame *f = top(c);
	if (f->next == f->record->n) {
		enum step step = f->record->redirect.len ? redirect(c, f) : STEP_NO;
		return step == STEP_NO ? leave(c, NULL, AUTH_NEUTRAL) : step;
	}
	const struct spf_term *t = &f->record->term[f->next++];
	unsigned depth = c->depth;
	if (c->trace && t->kind == SPF_INCLUDE)
		trace_line(c->trace, TRACE_SPF, depth, "%.*s:", (int)t->len,
			   spf_term_text(f->record, t).p);
	enum step step = eval_term(c, f, t);
	if (c->trace && (step == STEP_MATCH || step == STEP_NO))
		trace_line(c->trace, TRACE_SPF, depth, "%.*s: %s", (int)t->len,
			   spf_term_text(f->record, t).p,
			   step == STEP_MATCH ? "match" : "no match");
	return step == STEP_MATCH ? leave(c, t, t->result) : step;
}

/* The explanation of a fail that a mechanism of the first record, or of what it redirects to, gave
 * (section 6.2). False: a question is open. */
static bool explain(struct check *c)
{
	const struct frame *f = top(c);
	struct bytes name;
	unsigned use;
	if (!f->record->exp.len)
		return true;
	if (f->record->exp.flags & SPF_MACRO_LOCAL && c->local_bad)
		return true;
	enum step step = find_target(c, f, &f->record->exp, &name);
	if (step != STEP_NO || !name.n)
		return step != STEP_ASK;
	const struct record *r = known_ask(c->setup->known, KNOWN_SPF, QUESTION_TXT, name);
	if (!r)
		return false;
	if (r->answer.status != ANSWER_DATA || r->answer.n != 1 ||
	    !spf_macro_check(r->answer.rr[0].data, SPF_MACRO_EXPLAIN, &use))
		return true;
	if (use & SPF_MACRO_PTR && (step = find_ptr(c, f->domain, true, &c->macro.ptr)) != STEP_NO)
		return step != STEP_ASK;
	char text[SPF_EXPLANATION_MAX];
	c->macro.domain = f->domain;
	size_t n = spf_macro_text(&c->macro, r->answer.rr[0].data, text, sizeof text);
	if (n == 0)
		return true;
	c->out->explanation = arena_copy(c->setup->arena, bytes_of(text, n));
	c->out->explained_by = f->domain;
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, 0, "%.*s explains: %.*s", (int)f->domain.n,
			   f->domain.p, (int)n, text);
	return true;
}

struct ahead { /* records that are known and not evaluated yet */
	struct frame queue[2 * SPF_DEPTH_MAX];
	unsigned n;
	unsigned room; /* terms that may still ask */
};

static void ask_hosts(struct check *c, const struct answer *mx)
{
	char host[QUESTION_NAME_MAX + 1];
	for (unsigned i = 0; i < mx->n && mx->n <= HOSTS_MAX; i++) {
		size_t n = spf_address_host(bytes_from(mx->rr[i].data, 2), host);
		if (n)
			known_ask(c->setup->known, KNOWN_SPF, c->ip4 ? QUESTION_A : QUESTION_AAAA,
				  bytes_of(host, n));
	}
}

/* Asks what a term will ask, when its turn comes. */
static void ask_term(struct check *c, struct ahead *a, const struct frame *f,
		     const struct spf_term *t)
{
	static const uint8_t type[SPF_KIND_N] = { [SPF_INCLUDE] = QUESTION_TXT,
						  [SPF_REDIRECT] = QUESTION_TXT,
						  [SPF_MX] = QUESTION_MX,
						  [SPF_EXISTS] = QUESTION_A };
	char reverse[SPF_ADDRESS_REVERSE_MAX];
	struct bytes name;
	a->room--;
	if (t->flags & SPF_MACRO_PTR || find_target(c, f, t, &name) != STEP_NO || !name.n)
		return;
	uint8_t ask = type[t->kind] ? type[t->kind] : c->ip4 ? QUESTION_A : QUESTION_AAAA;
	if (t->kind == SPF_PTR) {
		name = bytes_of(reverse, spf_address_reverse(c->macro.ip, reverse));
		ask = QUESTION_PTR;
	}
	struct record *r = known_ask(c->setup->known, KNOWN_SPF, ask, name);
	if (!r || r->answer.status != ANSWER_DATA)
		return;
	if (t->kind == SPF_MX)
		ask_hosts(c, &r->answer);
	if (ask != QUESTION_TXT || a->n == 2 * SPF_DEPTH_MAX)
		return;
	const struct spf_set *set = parsed(c, r);
	const struct spf_record *record = set ? set->record[version(c, set)] : NULL;
	if (record && record->status == SPF_RECORD_OK)
		a->queue[a->n++] = (struct frame){ record, name, 0 };
}

/* All that one record will ask. True: it will surely end in a pass. */
static bool ask_record(struct check *c, struct ahead *a, const struct frame *f)
{
	for (unsigned i = f->next; i < f->record->n; i++) {
		const struct spf_term *t = &f->record->term[i];
		bool network = t->kind == SPF_IP4 || t->kind == SPF_IP6;
		if (t->kind == SPF_ALL || (network && in_network(c, f, t)))
			return t->result == AUTH_PASS;
		if (network)
			continue;
		if (a->room == 0)
			return false;
		ask_term(c, a, f, t);
	}
	if (f->record->redirect.len && a->room)
		ask_term(c, a, f, &f->record->redirect);
	return false;
}

/* A question is open: asks together with it what the terms behind it will need, as far as that is
 * known and the limits allow. */
static void ask_ahead(struct check *c)
{
	struct ahead a = { .n = 0 };
	unsigned max = c->setup->profile->lookup_max, frames = c->depth;
	a.room = max > c->out->lookups ? max - c->out->lookups : 0;
	c->trace = NULL;
	for (unsigned i = frames; i-- > 0;)
		a.queue[a.n++] = c->stack[i];
	for (unsigned i = 0; i < a.n && a.room; i++) {
		struct frame f = a.queue[i];
		if (ask_record(c, &a, &f) && i < frames)
			i = frames - 1; /* the records below are decided by it */
	}
}

/* Takes the sender apart: %{s} %{l} %{o}, and <domain>. False: it has no domain. */
static bool begin(struct check *c)
{
	const struct spf_setup *s = c->setup;
	struct bytes sender = s->sender, domain = sender, local = { 0 };
	char ascii[NAMES_MAX + 1];
	bool helo = s->identity == SPF_HELO; /* which has no local part */
	const uint8_t *at = sender.n && !helo ? memrchr(sender.p, '@', sender.n) : NULL;
	if (at) {
		local = bytes_of(sender.p, (size_t)(at - sender.p));
		domain = bytes_from(sender, local.n + 1);
	}
	bool plain = local.n > 0;
	if (!plain)
		local = bytes_str("postmaster");
	if (domain.n && domain.p[domain.n - 1] == '.')
		domain.n--, plain = false;
	size_t n = names_ascii(domain, ascii);
	c->out->sender = sender;
	if (!n || !memchr(ascii, '.', n))
		return false;
	c->out->domain = arena_copy(s->arena, bytes_of(ascii, n));
	if (!plain || n != domain.n) {
		uint8_t *p = arena_take(s->arena, local.n + 1 + n);
		if (p) {
			memcpy(p, local.p, local.n);
			p[local.n] = '@';
			memcpy(p + local.n + 1, ascii, n);
		}
		c->out->sender = bytes_of(p, p ? local.n + 1 + n : 0);
	}
	c->macro.sender = c->out->sender;
	c->macro.sender_domain = c->out->domain;
	c->macro.local = local;
	for (size_t i = 0; i < local.n && !c->local_bad; i++)
		c->local_bad = local.p[i] > 0x7f;
	return true;
}

/* %{h}: A-labels, where it is a name (RFC 8616 section 4). */
static struct bytes helo_name(const struct spf_setup *s)
{
	char ascii[NAMES_MAX + 1];
	bool plain = true;
	for (size_t i = 0; i < s->helo.n && plain; i++)
		plain = s->helo.p[i] < 0x80;
	size_t n = plain ? 0 : names_ascii(s->helo, ascii);
	struct bytes name = n ? arena_copy(s->arena, bytes_of(ascii, n)) : s->helo;
	return name.p ? name : s->helo;
}

/* False: questions are open. */
static bool evaluate(struct check *c)
{
	enum step step =
		begin_record(c, c->out->domain, SPF_REASON_NO_RECORD, SPF_REASON_NO_DOMAIN);
	while (step != STEP_END && step != STEP_ASK)
		step = advance(c);
	if (step == STEP_ASK) {
		ask_ahead(c);
		return false;
	}
	return c->out->result != AUTH_FAIL || explain(c);
}

bool spf_check(const struct spf_setup *s, struct spf_result *out)
{
	struct check c;
	memset(&c, 0, offsetof(struct check, stack));
	*out = (struct spf_result){ .checked = true, .identity = (uint8_t)s->identity };
	c.setup = s;
	c.out = out;
	c.trace = s->known->trace;
	c.ip4 = spf_address_is_ip4(s->client.ip);
	memcpy(c.macro.ip, s->client.ip, sizeof c.macro.ip);
	c.macro.receiver = s->receiver;
	c.macro.now_s = s->now_s;
	c.macro.helo = helo_name(s);
	if (c.trace)
		trace_line(c.trace, TRACE_SPF, 0, "%s %.*s", spf_identity_name(s->identity),
			   (int)s->sender.n, s->sender.p);
	if (!begin(&c))
		end(&c, SPF_REASON_MALFORMED);
	else if (!out->domain.p || !out->sender.p)
		end(&c, SPF_REASON_NO_SPACE);
	else if (!evaluate(&c))
		return false;
	/* RFC 4406 section 4.3 */
	bool gone = out->reason == spf_reason_word(SPF_REASON_MALFORMED) ||
		    out->reason == spf_reason_word(SPF_REASON_NO_DOMAIN);
	if (gone && s->profile->level == SPF_LEVEL_SIDF && s->identity != SPF_HELO)
		out->result = AUTH_FAIL;
	out->secure = c.used && !c.insecure;
	if (c.trace)
		trace_line(c.trace, TRACE_SPF, 0, "%s", auth_result_name(out->result));
	return true;
}
