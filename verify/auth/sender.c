#include "verify/auth/sender.h"

#include "verify/header/octets.h"
#include "verify/auth/spf_reason.h"

struct identities {
	const struct sender_setup *setup;
	struct spf_result *out;
};

static void settle(struct identities *ids, enum spf_identity id, enum spf_reason why)
{
	struct spf_result *out = &ids->out[id];
	*out = (struct spf_result){ .checked = true,
				    .identity = (uint8_t)id,
				    .result = (uint8_t)spf_reason_result(why),
				    .reason = spf_reason_word(why) };
	if ((why == SPF_REASON_NO_PRA || why == SPF_REASON_MALFORMED) &&
	    ids->setup->profile->level == SPF_LEVEL_SIDF)
		out->result = AUTH_FAIL; /* RFC 4406 section 4.3 */
	if (ids->setup->known->trace)
		trace_line(ids->setup->known->trace, TRACE_SPF, 0, "%s: %s: %s",
			   spf_identity_name(id), auth_result_name(out->result),
			   spf_reason_meaning(why));
}

/* False: questions are open. */
static bool check(struct identities *ids, enum spf_identity id, struct bytes sender)
{
	const struct sender_setup *s = ids->setup;
	struct spf_setup spf = { .known = s->known,
				 .arena = s->arena,
				 .profile = s->profile,
				 .client = s->origin->client,
				 .helo = s->origin->helo,
				 .sender = sender,
				 .receiver = s->receiver,
				 .now_s = s->now_s,
				 .identity = id };
	return spf_check(&spf, &ids->out[id]);
}

static bool check_helo(struct identities *ids)
{
	const struct origin *o = ids->setup->origin;
	if (!ids->setup->profile->helo || ids->setup->profile->level == SPF_LEVEL_SIDF)
		return true;
	if (!o->has_client)
		settle(ids, SPF_HELO, SPF_REASON_NO_CLIENT);
	else if (!o->has_helo)
		settle(ids, SPF_HELO, SPF_REASON_NO_HELO);
	else
		return check(ids, SPF_HELO, o->helo);
	return true;
}

static bool check_mail_from(struct identities *ids)
{
	const struct origin *o = ids->setup->origin;
	struct bytes sender = o->mail_from;
	if (!o->has_client) {
		settle(ids, SPF_MAILFROM, SPF_REASON_NO_CLIENT);
		return true;
	}
	if (!o->has_mail_from) {
		settle(ids, SPF_MAILFROM, SPF_REASON_NO_MAIL_FROM);
		return true;
	}
	if (sender.n)
		return check(ids, SPF_MAILFROM, sender);
	if (!o->has_helo) {
		settle(ids, SPF_MAILFROM, SPF_REASON_NO_HELO);
		return true;
	}
	if (o->helo.n && memchr(o->helo.p, '@', o->helo.n)) {
		settle(ids, SPF_MAILFROM, SPF_REASON_MALFORMED);
		return true;
	}
	/* RFC 7208 section 2.4: postmaster at the HELO name, which may be known already */
	struct spf_result *helo = &ids->out[SPF_HELO];
	if (!helo->checked || ids->setup->profile->level != SPF_LEVEL_SPF)
		return check(ids, SPF_MAILFROM, o->helo);
	ids->out[SPF_MAILFROM] = *helo;
	ids->out[SPF_MAILFROM].identity = SPF_MAILFROM;
	return true;
}

static bool check_pra(struct identities *ids)
{
	const struct sender_setup *s = ids->setup;
	struct spf_result *out = &ids->out[SPF_PRA];
	struct trace *trace = s->known->trace;
	struct pra pra;
	if (s->profile->level == SPF_LEVEL_SPF)
		return true;
	if (!s->origin->has_client) {
		settle(ids, SPF_PRA, SPF_REASON_NO_CLIENT);
		return true;
	}
	if (!octets_header_whole(s->message) || s->header->overflow) {
		settle(ids, SPF_PRA, SPF_REASON_NO_HEADER);
		return true;
	}
	if (s->pra) {
		pra = *s->pra;
	} else if (!pra_find(&pra, s->header, s->arena)) {
		settle(ids, SPF_PRA, SPF_REASON_NO_SPACE);
		return true;
	}
	if (trace && pra.field != PRA_NONE)
		trace_line(trace, TRACE_SPF, 0, "PRA of %s: %.*s", pra_field_name(pra.field),
			   (int)pra.address.n, pra.address.p);
	if (!pra.address.n) {
		settle(ids, SPF_PRA, SPF_REASON_NO_PRA);
		return true;
	}
	if (!check(ids, SPF_PRA, pra.address))
		return false;
	if (s->profile->level != SPF_LEVEL_SIDF_COMPATIBLE || !s->profile->pra_downgrade ||
	    !pra.resent || out->result != AUTH_PASS)
		return true;
	out->result = AUTH_NONE;
	out->downgraded = true;
	out->reason = spf_reason_word(SPF_REASON_RESENT);
	if (trace)
		trace_line(trace, TRACE_SPF, 0, "none: %s", spf_reason_meaning(SPF_REASON_RESENT));
	return true;
}

bool sender_check(const struct sender_setup *setup, struct spf_result out[SPF_IDENTITY_N])
{
	struct identities ids = { setup, out };
	memset(out, 0, SPF_IDENTITY_N * sizeof out[0]);
	trace_begin(setup->known->trace, TRACE_SPF);
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		out[i].identity = (uint8_t)i;
	/*
	 * All of them in any case, so that their questions are asked together. On MAIL FROM, which may
	 * be the HELO name, DMARC rests; so nobody can use up what it needs by the other two.
	 */
	bool null = setup->origin->has_mail_from && !setup->origin->mail_from.n;
	bool mail_from = null || check_mail_from(&ids);
	setup->known->reserve = !null;
	bool helo = check_helo(&ids);
	setup->known->reserve = false;
	if (null)
		mail_from = check_mail_from(&ids);
	setup->known->reserve = true;
	bool pra = check_pra(&ids);
	setup->known->reserve = false;
	return helo && mail_from && pra;
}
