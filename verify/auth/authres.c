#include "verify/auth/authres.h"

#include "verify/header/cfws.h"
#include "verify/auth/dmarc.h"
#include "verify/header/fieldtext.h"
#include "verify/dns/names.h"
#include "verify/auth/pra.h"
#include "verify/auth/reason.h"
#include "verify/auth/received_spf.h"
#include "verify/auth/spf_reason.h"

enum {
	HEAD_MAX = 16384, /* octets of all but DKIM: six results of at most three values */
	SIGNATURE_MAX = 8 * FIELDTEXT_VALUE_MAX, /* of one DKIM result */
};

static const char *const fail_policy[] = {
	[STYLE_RFC8601] = "X-Postern-DMARC-Fail-Policy",
	[STYLE_ASYNCOS] = "X-Postern-DMARC-Fail-Policy",
	[STYLE_SECURITYGATEWAY] = "X-SGDMARC-Fail-policy",
};

/* ---- reading what claims to be ours ---- */

struct bytes authres_id(struct bytes value, struct arena *arena)
{
	size_t from = cfws_skip(value, 0), end = from;
	bool whole = true;
	if (from < value.n && value.p[from] == '"') {
		end = cfws_enclosed(value, from, &whole);
		return whole ? cfws_unquote(bytes_of(value.p + from, end - from), arena)
			     : bytes_of(NULL, 0);
	}
	while (end < value.n && !cfws_blank(value.p[end]) && value.p[end] != ';' &&
	       value.p[end] != '(' && value.p[end] != '"')
		end++;
	return bytes_of(value.p + from, end - from);
}

/* The same name: any case, A-labels or U-labels, with a dot at its end or not. */
static bool same_id(struct bytes a, struct bytes b)
{
	char x[NAMES_MAX + 1], y[NAMES_MAX + 1];
	if (a.n && a.p[a.n - 1] == '.')
		a.n--;
	if (bytes_equal_nocase(a, b))
		return true;
	size_t n = names_ascii(a, x);
	return n && n == names_ascii(b, y) && !memcmp(x, y, n);
}

static uint32_t count_fields(const struct header *h, enum header_name name)
{
	uint32_t n = 0;
	for (uint16_t i = header_known(h, name); i != HEADER_NONE; i = h->field[i].above)
		n++;
	return n;
}

/* B-5, F-13, G-6: what a field below ours must not be believed. */
static void count_forged(struct verdict_headers *out, const struct header *h, struct bytes id,
			 struct arena *arena)
{
	for (uint16_t i = header_known(h, HEADER_AUTHENTICATION_RESULTS); i != HEADER_NONE;
	     i = h->field[i].above) {
		struct arena before = *arena;
		out->forged_results += same_id(authres_id(header_value(h, i), arena), id);
		*arena = before;
	}
	out->forged_policy = count_fields(h, HEADER_X_POSTERN_DMARC_FAIL_POLICY) +
			     count_fields(h, HEADER_X_SGDMARC_FAIL_POLICY);
}

/* ---- RFC 8601 ---- */

struct writer {
	const struct authres_setup *s;
	const struct verdict *v;
	struct fieldtext f;
	enum pra_field pra; /* that the purported responsible address is from */
	bool any; /* a result is written */
};

/* "; method=result" on a line of its own. */
static void begin_result(struct writer *w, const char *method, const char *result)
{
	w->any = true;
	fieldtext_put(&w->f, ";");
	fieldtext_line(&w->f);
	fieldtext_put(&w->f, method);
	fieldtext_put(&w->f, "=");
	fieldtext_put(&w->f, result);
}

/* Opens a comment, or goes on in the one that is open. */
static void remark(struct writer *w, bool *open)
{
	if (*open)
		fieldtext_put(&w->f, ",");
	fieldtext_blank(&w->f);
	if (!*open)
		fieldtext_put(&w->f, "(");
	*open = true;
}

/* Up to a ";": what is behind it in a meaning is for the manual. */
static void remark_text(struct writer *w, bool *open, const char *text)
{
	remark(w, open);
	fieldtext_comment(&w->f, bytes_head(bytes_str(text), strcspn(text, ";")));
}

static void end_remark(struct writer *w, bool open)
{
	if (open)
		fieldtext_put(&w->f, ")");
}

static void pair(struct writer *w, const char *name, struct bytes value)
{
	if (value.n)
		fieldtext_pair(&w->f, name, value, FIELDTEXT_TOKEN);
}

/* What a reason's word means; the word itself where it is of no list. */
static const char *reason_text(const char *word)
{
	for (unsigned r = 0; r < REASON_N; r++)
		if (reason_word(r) && !strcmp(reason_word(r), word))
			return reason_meaning(r);
	return word;
}

static const char *spf_text(const char *word)
{
	for (unsigned r = 0; r < SPF_REASON_N; r++)
		if (spf_reason_word(r) && !strcmp(spf_reason_word(r), word))
			return spf_reason_meaning(r);
	return word;
}

static const char *dmarc_text(const char *word)
{
	for (unsigned r = 0; r < DMARC_REASON_N; r++)
		if (dmarc_reason_word(r) && !strcmp(dmarc_reason_word(r), word))
			return dmarc_reason_meaning(r);
	return word;
}

/* The remarks of a result whose only one is its reason. */
static void because(struct writer *w, const char *text)
{
	bool open = false;
	if (text)
		remark_text(w, &open, text);
	end_remark(w, open);
}

static void write_spf(struct writer *w)
{
	const struct spf_result *mailfrom = &w->v->spf[SPF_MAILFROM], *helo = &w->v->spf[SPF_HELO];
	const struct origin *o = w->s->origin;
	if (mailfrom->checked && mailfrom->result != AUTH_UNVERIFIABLE) {
		begin_result(w, "spf", auth_result_name(mailfrom->result));
		because(w, mailfrom->reason ? spf_text(mailfrom->reason) : NULL);
		/* a null sender is checked as postmaster of the HELO name (RFC 7208 section 2.4) */
		if (o->mail_from.n)
			pair(w, "smtp.mailfrom", o->mail_from);
		else
			pair(w, "smtp.mailfrom", mailfrom->sender);
	}
	if (helo->checked && helo->result != AUTH_UNVERIFIABLE) {
		begin_result(w, "spf", auth_result_name(helo->result));
		because(w, helo->reason ? spf_text(helo->reason) : NULL);
		pair(w, "smtp.helo", o->helo);
	}
}

/* The property is the field that the address came from. */
static void write_pra(struct writer *w)
{
	const struct spf_result *r = &w->v->spf[SPF_PRA];
	char name[32] = "header.";
	if (!r->checked || r->result == AUTH_UNVERIFIABLE)
		return;
	begin_result(w, "sender-id", auth_result_name(r->result));
	because(w, r->reason ? spf_text(r->reason) : NULL);
	if (w->pra == PRA_NONE)
		return;
	size_t n = strlen(name);
	for (const char *c = pra_field_name(w->pra); *c; c++)
		name[n++] = (char)bytes_lower((uint8_t)*c);
	pair(w, name, r->sender);
}

static void partially(struct writer *w, const struct dkim_result *r)
{
	fieldtext_comment(&w->f, bytes_str("partially verified ["));
	fieldtext_number(&w->f, r->body_octets);
	fieldtext_comment(&w->f, bytes_str(" bytes]"));
}

static void write_signature(struct writer *w, const struct dkim_result *r)
{
	bool open = false, unseen = r->result == AUTH_UNVERIFIABLE;
	begin_result(w, "dkim", auth_result_name(unseen ? AUTH_NEUTRAL : r->result));
	if (unseen)
		remark_text(w, &open, "unverifiable");
	if (r->reason)
		remark_text(w, &open, reason_text(r->reason));
	if (r->result == AUTH_PASS && r->partial) { /* C-50 */
		remark(w, &open);
		partially(w, r);
	}
	if (r->key_bits) {
		remark(w, &open);
		fieldtext_number(&w->f, r->key_bits);
		fieldtext_put(&w->f, "-bit key");
	}
	if (r->test_mode)
		remark_text(w, &open, "test mode");
	end_remark(w, open);
	pair(w, "header.d", r->domain);
	pair(w, "header.i", r->identity);
	pair(w, "header.s", r->selector);
	pair(w, "header.a", r->algorithm);
	pair(w, "header.b", r->b);
}

static void write_arc(struct writer *w)
{
	const struct arc_result *r = &w->v->arc;
	bool open = false;
	if (r->result != AUTH_NONE && r->result != AUTH_PASS && r->result != AUTH_FAIL)
		return;
	begin_result(w, "arc", auth_result_name(r->result));
	if (r->result == AUTH_FAIL && r->reason)
		remark_text(w, &open, reason_text(r->reason));
	if (r->instance) {
		remark(w, &open);
		fieldtext_put(&w->f, "i=");
		fieldtext_number(&w->f, r->instance);
	}
	end_remark(w, open);
	if (r->result == AUTH_PASS) {
		/* RFC 8617 section 5.2: 0 when every message signature verified */
		fieldtext_blank(&w->f);
		fieldtext_put(&w->f, "header.oldest-pass=");
		fieldtext_number(&w->f, r->oldest_pass);
	}
}

/* A policy is to be followed: DMARC failed, or From: is not clear and the check of an author that it
 * may mean did. */
static bool applies(const struct dmarc_result *r)
{
	return (r->result == AUTH_FAIL || (r->result == AUTH_PERMERROR && r->has_record)) &&
	       r->policy != DMARC_NONE && !r->override;
}

/* "p=reject sp=none dis=reject": as published, and what is asked for in the end (G-20). */
static void published(struct writer *w, const struct dmarc_result *r)
{
	fieldtext_put(&w->f, "p=");
	fieldtext_put(&w->f, dmarc_policy_name(r->p));
	if (r->has_sp) {
		fieldtext_put(&w->f, " sp=");
		fieldtext_put(&w->f, dmarc_policy_name(r->sp));
	}
	if (r->has_np) {
		fieldtext_put(&w->f, " np=");
		fieldtext_put(&w->f, dmarc_policy_name(r->np));
	}
	fieldtext_put(&w->f, " dis=");
	fieldtext_put(&w->f, dmarc_policy_name(applies(r) ? r->policy : DMARC_NONE));
	if (r->override) {
		fieldtext_put(&w->f, " override=");
		fieldtext_put(&w->f, r->override);
	}
}

static void write_dmarc(struct writer *w)
{
	const struct dmarc_result *r = &w->v->dmarc;
	bool open = false;
	if (r->result == AUTH_UNVERIFIABLE)
		return;
	begin_result(w, "dmarc", auth_result_name(r->result));
	if (r->has_record) {
		remark(w, &open);
		published(w, r);
	}
	if (r->reason && r->result != AUTH_PASS)
		remark_text(w, &open, dmarc_text(r->reason));
	end_remark(w, open);
	pair(w, "header.from", r->author);
	if (r->has_record) {
		fieldtext_blank(&w->f);
		fieldtext_put(&w->f, "policy.dmarc=");
		fieldtext_put(&w->f, dmarc_policy_name(r->policy));
	}
}

static void write_rfc8601(struct writer *w)
{
	const struct verdict *v = w->v;
	if (v->checks & VERDICT_SPF) {
		write_spf(w);
		write_pra(w);
	}
	if (v->checks & VERDICT_DKIM) {
		for (uint32_t i = 0; i < v->n_dkim; i++)
			write_signature(w, &v->dkim[i]);
		if (!v->n_dkim)
			begin_result(w, "dkim", auth_result_name(AUTH_NONE));
	}
	if (v->checks & VERDICT_ARC)
		write_arc(w);
	if (v->checks & VERDICT_DMARC)
		write_dmarc(w);
	if (!w->any)
		fieldtext_put(&w->f, "; none");
}

/* ---- AsyncOS, C-50 and C-51 ---- */

static const char *const asyncos_word[AUTH_RESULT_N] = {
	[AUTH_NONE] = "none",          [AUTH_PASS] = "pass",
	[AUTH_FAIL] = "permfail",      [AUTH_POLICY] = "permfail",
	[AUTH_NEUTRAL] = "neutral",    [AUTH_PERMERROR] = "permfail",
	[AUTH_TEMPERROR] = "tempfail", [AUTH_UNVERIFIABLE] = "neutral",
	[AUTH_SOFTFAIL] = "neutral",
};

static void asyncos_signature(struct writer *w, const struct dkim_result *r)
{
	const char *text = r->reason ? reason_text(r->reason) : "not verified";
	fieldtext_put(&w->f, "; dkim=");
	fieldtext_put(&w->f, asyncos_word[r->result]);
	fieldtext_put(&w->f, " (");
	if (r->result == AUTH_NONE)
		fieldtext_put(&w->f, "message not signed");
	else if (r->result == AUTH_PASS && r->partial)
		partially(w, r);
	else if (r->result == AUTH_PASS)
		fieldtext_put(&w->f, "signature verified");
	else
		fieldtext_comment(&w->f, bytes_str(strncmp(text, "the ", 4) ? text : text + 4));
	if (r->test_mode)
		fieldtext_put(&w->f, ", test mode");
	fieldtext_put(&w->f, ")");
}

static void write_asyncos(struct writer *w)
{
	const struct verdict *v = w->v;
	struct bytes from = v->from.address;
	if (from.n && from.n <= FIELDTEXT_VALUE_MAX) {
		fieldtext_put(&w->f, " header.from=From:");
		fieldtext_value(&w->f, from, FIELDTEXT_TOKEN);
	}
	if (v->checks & VERDICT_DKIM) {
		const struct dkim_result none = { .result = AUTH_NONE };
		for (uint32_t i = 0; i < v->n_dkim; i++)
			asyncos_signature(w, &v->dkim[i]);
		if (!v->n_dkim)
			asyncos_signature(w, &none);
	}
	if ((v->checks & VERDICT_DMARC) && v->dmarc.has_record &&
	    v->dmarc.result != AUTH_UNVERIFIABLE) {
		fieldtext_put(&w->f, "; dmarc=");
		fieldtext_put(&w->f, auth_result_name(v->dmarc.result));
		fieldtext_put(&w->f, " (");
		published(w, &v->dmarc);
		fieldtext_put(&w->f, ")");
		pair(w, "d", v->dmarc.author);
	}
}

/* ---- all of them ---- */

static bool make_results(const struct authres_setup *s, struct verdict *v, struct bytes id,
			 struct arena *arena)
{
	struct writer w = { .s = s, .v = v };
	bool asyncos = s->cfg->header_style == STYLE_ASYNCOS;
	if (v->spf[SPF_PRA].checked) {
		struct arena before = *arena;
		struct pra pra;
		if (!pra_find(&pra, s->header, arena))
			return false;
		w.pra = (enum pra_field)pra.field;
		*arena = before;
	}
	fieldtext_begin(&w.f, arena, "Authentication-Results",
			asyncos ? FIELDTEXT_UNFOLDED : FIELDTEXT_WIDTH,
			HEAD_MAX + (size_t)v->n_dkim * SIGNATURE_MAX);
	fieldtext_value(&w.f, id, FIELDTEXT_TOKEN);
	if (asyncos)
		write_asyncos(&w);
	else
		write_rfc8601(&w);
	v->headers.authentication_results = fieldtext_end(&w.f);
	return v->headers.authentication_results.p;
}

/* G-5 */
static bool make_policy(const struct authres_setup *s, struct verdict *v, struct arena *arena)
{
	const struct dmarc_result *r = &v->dmarc;
	struct fieldtext f;
	if (!(v->checks & VERDICT_DMARC) || !applies(r))
		return true;
	fieldtext_begin(&f, arena, fail_policy[s->cfg->header_style], FIELDTEXT_WIDTH, 128);
	fieldtext_put(&f, dmarc_policy_name(r->policy));
	v->headers.dmarc_fail_policy = fieldtext_end(&f);
	return v->headers.dmarc_fail_policy.p;
}

bool authres_make(const struct authres_setup *s, struct verdict *v, struct arena *arena)
{
	struct bytes id = bytes_str(s->cfg->authserv_id[0] ? s->cfg->authserv_id : "localhost");
	struct received_spf_setup spf = { .style = s->cfg->header_style,
					  .receiver = id,
					  .origin = s->origin,
					  .profile = s->spf };
	v->headers = (struct verdict_headers){ 0 };
	count_forged(&v->headers, s->header, id, arena);
	if (!make_results(s, v, id, arena) || !make_policy(s, v, arena))
		return false;
	for (unsigned i = 0; i < SPF_IDENTITY_N && v->checks & VERDICT_SPF; i++)
		if (!received_spf_make(&spf, &v->spf[i], arena, &v->headers.received_spf[i]))
			return false;
	return true;
}
