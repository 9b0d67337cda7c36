#include "verify/auth/spf.h"

#include "verify/dns/names.h"
#include "verify/auth/spf_address.h"
#include "verify/auth/spf_eval.h"

static struct spf_frame *top(struct spf_eval *c)
{
	return &c->stack[c->depth - 1];
}

static enum spf_step redirect(struct spf_eval *c, struct spf_frame *f)
{
	const struct spf_term *t = &f->record->redirect;
	struct bytes name;
	if (spf_eval_count(c, t) != SPF_STEP_NO)
		return SPF_STEP_END;
	if (t->flags & SPF_MACRO_LOCAL && c->local_bad)
		return SPF_STEP_NO; /* RFC 8616 section 4 */
	enum spf_step step = spf_eval_target(c, f, t, &name);
	if (step != SPF_STEP_NO)
		return step;
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, c->depth, "redirect=%.*s", (int)name.n, name.p);
	c->depth--; /* the new record takes the place of this one */
	step = spf_eval_begin(c, name, SPF_REASON_NO_REDIRECT, SPF_REASON_NO_REDIRECT);
	c->depth += step == SPF_STEP_ASK; /* which ask_ahead wants to see */
	return step;
}

/* A record is done: result, and the term of it that matched or NULL. */
static enum spf_step leave(struct spf_eval *c, const struct spf_term *t, enum auth_result result)
{
	for (;;) {
		struct spf_frame *f = top(c);
		if (c->depth == 1) {
			c->out->result = (uint8_t)result;
			c->out->mechanism = t ? spf_term_text(f->record, t) : bytes_str("default");
			return SPF_STEP_END;
		}
		c->depth--;
		if (result != AUTH_PASS)
			return SPF_STEP_NO; /* section 5.2: the include does not match */
		f = top(c);
		t = &f->record->term[f->next - 1];
		result = t->result;
		if (c->trace)
			trace_line(c->trace, TRACE_SPF, c->depth, "%.*s: match", (int)t->len,
				   spf_term_text(f->record, t).p);
	}
}

/* The next term of the uppermost record. */
static enum spf_step advance(struct spf_eval *c)
{
	struct spf_frame *f = top(c);
	if (f->next == f->record->n) {
		enum spf_step step = f->record->redirect.len ? redirect(c, f) : SPF_STEP_NO;
		return step == SPF_STEP_NO ? leave(c, NULL, AUTH_NEUTRAL) : step;
	}
	const struct spf_term *t = &f->record->term[f->next++];
	unsigned depth = c->depth;
	if (c->trace && t->kind == SPF_INCLUDE)
		trace_line(c->trace, TRACE_SPF, depth, "%.*s:", (int)t->len,
			   spf_term_text(f->record, t).p);
	enum spf_step step = spf_eval_term(c, f, t);
	if (c->trace && (step == SPF_STEP_MATCH || step == SPF_STEP_NO))
		trace_line(c->trace, TRACE_SPF, depth, "%.*s: %s", (int)t->len,
			   spf_term_text(f->record, t).p,
			   step == SPF_STEP_MATCH ? "match" : "no match");
	return step == SPF_STEP_MATCH ? leave(c, t, t->result) : step;
}

/* The words behind exp= of the record that failed (section 6.2). False: a question is open. */
static bool find_explanation(struct spf_eval *c, const struct spf_frame *f, struct bytes *found)
{
	struct bytes name;
	unsigned use;
	if (f->record->exp.flags & SPF_MACRO_LOCAL && c->local_bad)
		return true;
	enum spf_step step = spf_eval_target(c, f, &f->record->exp, &name);
	if (step != SPF_STEP_NO || !name.n)
		return step != SPF_STEP_ASK;
	const struct record *r = known_ask(c->setup->known, KNOWN_SPF, QUESTION_TXT, name);
	if (!r)
		return false;
	if (r->answer.status != ANSWER_DATA || r->answer.n != 1 ||
	    !spf_macro_check(r->answer.rr[0].data, SPF_MACRO_EXPLAIN, &use))
		return true;
	if (use & SPF_MACRO_PTR && spf_eval_ptr(c, f->domain, true, &c->macro.ptr) == SPF_STEP_ASK)
		return false;
	char text[SPF_EXPLANATION_MAX];
	c->macro.domain = f->domain;
	size_t n = spf_macro_text(&c->macro, r->answer.rr[0].data, text, sizeof text);
	if (n)
		*found = arena_copy(c->setup->arena, bytes_of(text, n));
	return true;
}

/* A mechanism of the first record, or of what it redirects to, gave a fail. Whatever comes of its
 * explanation, the result stands. False: a question is open. */
static bool explain(struct spf_eval *c)
{
	const struct spf_frame *f = top(c);
	struct spf_result result = *c->out;
	struct bytes text = { 0 };
	bool insecure = c->insecure;
	if (!f->record->exp.len)
		return true;
	if (!find_explanation(c, f, &text))
		return false;
	*c->out = result;
	c->insecure = insecure;
	if (!text.n)
		return true;
	c->out->explanation = text;
	c->out->explained_by = f->domain;
	if (c->trace)
		trace_line(c->trace, TRACE_SPF, 0, "%.*s explains: %.*s", (int)f->domain.n,
			   f->domain.p, (int)text.n, text.p);
	return true;
}

struct ahead { /* records that are known and not evaluated yet */
	struct spf_frame queue[2 * SPF_DEPTH_MAX];
	unsigned n;
	unsigned room; /* terms that may still ask */
};

static void ask_hosts(struct spf_eval *c, const struct answer *mx)
{
	char host[QUESTION_NAME_MAX + 1];
	for (unsigned i = 0; i < mx->n && mx->n <= SPF_EVAL_HOSTS_MAX; i++) {
		size_t n = spf_address_host(bytes_from(mx->rr[i].data, 2), host);
		if (n)
			known_ask(c->setup->known, KNOWN_SPF, c->ip4 ? QUESTION_A : QUESTION_AAAA,
				  bytes_of(host, n));
	}
}

/* Asks what a term will ask, when its turn comes. */
static void ask_term(struct spf_eval *c, struct ahead *a, const struct spf_frame *f,
		     const struct spf_term *t)
{
	static const uint8_t type[SPF_KIND_N] = { [SPF_INCLUDE] = QUESTION_TXT,
						  [SPF_REDIRECT] = QUESTION_TXT,
						  [SPF_MX] = QUESTION_MX,
						  [SPF_EXISTS] = QUESTION_A };
	char reverse[SPF_ADDRESS_REVERSE_MAX];
	struct bytes name;
	a->room--;
	if (t->flags & SPF_MACRO_PTR || spf_eval_target(c, f, t, &name) != SPF_STEP_NO || !name.n)
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
	unsigned n;
	const struct spf_record *record = spf_eval_record(c, r, &n);
	if (record && record->status == SPF_RECORD_OK)
		a->queue[a->n++] = (struct spf_frame){ record, name, 0 };
}

/* All that one record will ask. True: it will surely end in a pass. */
static bool ask_record(struct spf_eval *c, struct ahead *a, const struct spf_frame *f)
{
	for (unsigned i = f->next; i < f->record->n; i++) {
		const struct spf_term *t = &f->record->term[i];
		bool network = t->kind == SPF_IP4 || t->kind == SPF_IP6;
		if (t->kind == SPF_ALL || (network && spf_eval_network(c, f, t)))
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
static void ask_ahead(struct spf_eval *c)
{
	struct ahead a = { .n = 0 };
	unsigned max = c->setup->profile->lookup_max, frames = c->depth;
	a.room = max > c->out->lookups ? max - c->out->lookups : 0;
	c->trace = NULL;
	for (unsigned i = frames; i-- > 0;)
		a.queue[a.n++] = c->stack[i];
	for (unsigned i = 0; i < a.n && a.room; i++) {
		struct spf_frame f = a.queue[i];
		if (ask_record(c, &a, &f) && i < frames)
			i = frames - 1; /* the records below are decided by it */
	}
}

/* Takes the sender apart: %{s} %{l} %{o}, and <domain>. False: it has no domain. */
static bool begin(struct spf_eval *c)
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
static bool evaluate(struct spf_eval *c)
{
	enum spf_step step =
		spf_eval_begin(c, c->out->domain, SPF_REASON_NO_RECORD, SPF_REASON_NO_DOMAIN);
	while (step != SPF_STEP_END && step != SPF_STEP_ASK)
		step = advance(c);
	if (step == SPF_STEP_ASK) {
		ask_ahead(c);
		return false;
	}
	return c->out->result != AUTH_FAIL || explain(c);
}

bool spf_check(const struct spf_setup *s, struct spf_result *out)
{
	struct spf_eval c;
	memset(&c, 0, offsetof(struct spf_eval, stack));
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
		spf_eval_end(&c, SPF_REASON_MALFORMED);
	else if (!out->domain.p || !out->sender.p)
		spf_eval_end(&c, SPF_REASON_NO_SPACE);
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
