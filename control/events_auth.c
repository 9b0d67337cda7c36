#include "control/events_auth.h"

#include "control/member.h"

static struct bytes cut(struct bytes b)
{
	return bytes_head(b, EVENTS_TEXT_MAX);
}

enum auth_result events_spf(const struct spf_result *s)
{
	bool lost = s->reason && !strcmp(s->reason, "no_header");
	return s->result == AUTH_UNVERIFIABLE && !lost ? AUTH_NONE : (enum auth_result)s->result;
}

const struct spf_result *events_spf_main(const struct verdict *v)
{
	static const struct spf_result none = { .result = AUTH_NONE, .identity = SPF_MAILFROM };
	const struct spf_result *mail = &v->spf[SPF_MAILFROM], *helo = &v->spf[SPF_HELO];
	return mail->checked ? mail : helo->checked ? helo : &none;
}

static void put_spf(struct json *j, const char *key, const struct spf_result *s)
{
	json_key(j, key);
	json_object_begin(j);
	member_str(j, "result", auth_result_name(events_spf(s)));
	member_str(j, "identity", spf_identity_name(s->identity));
	member_bytes(j, "domain", cut(s->domain), s->domain.n > 0);
	member_bytes(j, "sender", cut(s->sender), s->sender.n > 0);
	member_bytes(j, "mechanism", cut(s->mechanism), s->mechanism.n > 0);
	member_bytes(j, "explanation", cut(s->explanation), s->explanation.p != NULL);
	member_str(j, "reason", s->reason);
	member_true(j, "downgraded", s->downgraded);
	member_true(j, "dnssec", s->secure);
	json_object_end(j);
}

/* What DMARC uses; the others beside it. */
static void put_identities(struct json *j, const struct verdict *v)
{
	put_spf(j, "spf", events_spf_main(v));
	if (v->spf[SPF_HELO].checked)
		put_spf(j, "helo", &v->spf[SPF_HELO]);
	if (v->spf[SPF_PRA].checked)
		put_spf(j, "pra", &v->spf[SPF_PRA]);
}

static void put_signature(struct json *j, const struct dkim_result *d)
{
	json_object_begin(j);
	member_str(j, "result", auth_result_name(d->result));
	member_bytes(j, "domain", d->domain, d->domain.n > 0);
	member_bytes(j, "selector", d->selector, d->selector.n > 0);
	member_bytes(j, "algorithm", d->algorithm, d->algorithm.n > 0);
	member_uint(j, "key_bits", d->key_bits, d->key_bits > 0);
	member_str(j, "reason", d->reason);
	if (d->partial)
		member_uint(j, "body_octets", d->body_octets, true);
	member_true(j, "test_mode", d->test_mode);
	member_true(j, "dnssec", d->secure);
	json_object_end(j);
}

static void put_dkim(struct json *j, const struct verdict *v)
{
	static const struct dkim_result none = { .result = AUTH_NONE };
	json_key(j, "dkim");
	json_array_begin(j);
	for (uint32_t i = 0; i < v->n_dkim; i++)
		put_signature(j, &v->dkim[i]);
	if (!v->n_dkim && !v->dkim_seen)
		put_signature(j, &none);
	json_array_end(j);
}

/* cv= as it says, "invalid" when it says nothing that may be; a result, null when not computed. */
static void put_set(struct json *j, unsigned instance, const struct arc_set *s)
{
	json_object_begin(j);
	member_uint(j, "instance", instance, true);
	member_str(j, "cv", s->cv == AUTH_PERMERROR ? "invalid" : auth_result_name(s->cv));
	member_str(j, "seal", s->seal ? auth_result_name(s->seal) : NULL);
	member_str(j, "message", s->message ? auth_result_name(s->message) : NULL);
	member_bytes(j, "domain", s->domain, s->domain.n > 0);
	member_bytes(j, "selector", s->selector, s->selector.n > 0);
	member_str(j, "reason", s->reason);
	json_object_end(j);
}

static void put_arc(struct json *j, const struct arc_result *a)
{
	json_key(j, "arc");
	json_object_begin(j);
	member_str(j, "result", auth_result_name(a->result));
	member_uint(j, "instance", a->instance, true);
	if (a->result != AUTH_NONE || a->instance || a->n_set) {
		member_str(j, "reason", a->reason);
		member_bytes(j, "sealer", a->sealer, a->sealer.n > 0);
		member_bool(j, "trusted", a->trusted);
		member_bool(j, "trusted_pass", a->trusted_pass);
		member_uint(j, "failed", a->failed, a->failed > 0);
		member_uint(j, "oldest_pass", a->oldest_pass, true);
		json_key(j, "sets");
		json_array_begin(j);
		for (unsigned i = 0; i < a->n_set; i++)
			put_set(j, i + 1, &a->set[i]);
		json_array_end(j);
		member_true(j, "dnssec", a->secure);
	}
	json_object_end(j);
}

static void put_dmarc(struct json *j, const struct dmarc_result *d)
{
	static const char *const discovery[] = { "treewalk", "psl" };
	enum dmarc_policy policy = (enum dmarc_policy)d->policy,
			  published = (enum dmarc_policy)d->published;
	json_key(j, "dmarc");
	json_object_begin(j);
	member_str(j, "result", auth_result_name(d->result));
	member_bytes(j, "domain", cut(d->author), d->author.n > 0);
	member_str(j, "policy", d->has_record ? dmarc_policy_name(policy) : NULL);
	member_str(j, "published", d->has_record ? dmarc_policy_name(published) : NULL);
	member_str(j, "override", d->override);
	member_bool(j, "spf_aligned", d->spf_aligned);
	member_bool(j, "dkim_aligned", d->dkim_aligned);
	member_str(j, "reason", d->reason);
	member_bytes(j, "organization", cut(d->organization), d->organization.n > 0);
	member_bytes(j, "policy_domain", cut(d->domain), d->has_record);
	member_str(j, "discovery", d->has_record ? discovery[d->discovery == DMARC_PSL] : NULL);
	member_true(j, "testing", d->testing);
	member_true(j, "sampled_out", d->sampled_out);
	member_true(j, "dnssec", d->secure);
	json_object_end(j);
}

static void put_from(struct json *j, const struct verdict_from *f)
{
	json_key(j, "from");
	json_object_begin(j);
	member_bytes(j, "address", f->address, f->address.n > 0);
	member_bytes(j, "domain", f->domain[0], f->n_domain == 1);
	member_bytes(j, "display", f->display, f->display.p != NULL);
	json_key(j, "flags");
	json_array_begin(j);
	for (unsigned i = 0; i < FROM_FLAG_N; i++)
		if (f->flags & 1u << i)
			json_str(j, verdict_from_flag_name((enum verdict_from_flag)(1u << i)));
	json_array_end(j);
	json_object_end(j);
}

static void put_names(struct json *j, const struct verdict *v)
{
	json_key(j, "names");
	json_array_begin(j);
	for (uint32_t i = 0; i < v->n_forged; i++) {
		json_object_begin(j);
		member_str(j, "dictionary", v->forged[i].dictionary);
		member_bytes(j, "name", v->forged[i].name, true);
		member_uint(j, "score", v->forged[i].score, true);
		json_object_end(j);
	}
	json_array_end(j);
}

void events_auth(struct json *j, const struct verdict *v)
{
	uint8_t made = v ? v->checks : 0;
	json_key(j, "auth");
	json_object_begin(j);
	if (made & VERDICT_SPF)
		put_identities(j, v);
	if (made & VERDICT_DKIM)
		put_dkim(j, v);
	if (made & VERDICT_ARC)
		put_arc(j, &v->arc);
	if (made & VERDICT_DMARC)
		put_dmarc(j, &v->dmarc);
	if (made)
		put_from(j, &v->from);
	if (made & VERDICT_NAMES)
		put_names(j, v);
	json_object_end(j);
}

/* A line end and the blanks behind it become one blank. */
static void put_unfolded(struct json *j, const char *key, struct bytes field)
{
	json_key(j, key);
	if (!field.p || field.n > EVENTS_HEADER_MAX) {
		json_nil(j);
		return;
	}
	json_text_begin(j);
	while (field.n) {
		const uint8_t *end = memchr(field.p, '\r', field.n);
		size_t n = end ? (size_t)(end - field.p) : field.n;
		json_text(j, bytes_head(field, n));
		field = bytes_from(field, n);
		if (!field.n)
			break;
		while (field.n && (field.p[0] == '\r' || field.p[0] == '\n' || field.p[0] == ' ' ||
				   field.p[0] == '\t'))
			field = bytes_from(field, 1);
		json_text(j, bytes_str(" "));
	}
	json_text_end(j);
}

void events_headers(struct json *j, const struct verdict_headers *h)
{
	static const char *const received[SPF_IDENTITY_N] = { "received_spf_helo", "received_spf",
							      "received_spf_pra" };
	if (!h->authentication_results.p)
		return;
	json_key(j, "headers");
	json_object_begin(j);
	put_unfolded(j, "authentication_results", h->authentication_results);
	put_unfolded(j, "received_spf", h->received_spf[SPF_MAILFROM]);
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		if (i != SPF_MAILFROM && h->received_spf[i].p)
			put_unfolded(j, received[i], h->received_spf[i]);
	if (h->dmarc_fail_policy.p)
		put_unfolded(j, "dmarc_fail_policy", h->dmarc_fail_policy);
	member_uint(j, "forged_results", h->forged_results, true);
	member_uint(j, "forged_policy", h->forged_policy, true);
	json_object_end(j);
}
