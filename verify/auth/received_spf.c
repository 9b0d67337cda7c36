#include "verify/auth/received_spf.h"

#include <arpa/inet.h>

#include "verify/header/fieldtext.h"

enum { FIELD_MAX = 8192 };

struct bytes received_spf_ip(const struct address *a, char buf[RECEIVED_SPF_IP_MAX])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool v4 = !memcmp(a->ip, mapped, sizeof mapped);
	const char *text =
		inet_ntop(v4 ? AF_INET : AF_INET6, a->ip + (v4 ? 12 : 0), buf, RECEIVED_SPF_IP_MAX);
	return bytes_str(text ? text : "");
}

/* What RFC 7208 section 2.6 means, in one sentence around the domain and the client. */
static void explain(struct fieldtext *f, const struct spf_result *r, struct bytes ip)
{
	static const char *const verb[AUTH_RESULT_N] = {
		[AUTH_NONE] = " says nothing about",
		[AUTH_NEUTRAL] = " neither permits nor denies",
		[AUTH_PASS] = " permits",
		[AUTH_FAIL] = " does not permit",
		[AUTH_SOFTFAIL] = " probably does not permit",
		[AUTH_TEMPERROR] = " could not be asked about",
		[AUTH_PERMERROR] = " has no valid record that covers",
	};
	fieldtext_comment(f, r->domain.n ? r->domain : bytes_str("no domain"));
	fieldtext_comment(f, bytes_str(verb[r->result]));
	fieldtext_blank(f);
	fieldtext_comment(f, ip);
}

static void rfc7208(const struct received_spf_setup *s, const struct spf_result *r,
		    struct fieldtext *f)
{
	char buf[RECEIVED_SPF_IP_MAX];
	const struct origin *o = s->origin;
	struct bytes ip = received_spf_ip(&o->client, buf);
	const enum fieldtext_form form = FIELDTEXT_DOT_ATOM;
	fieldtext_put(f, auth_result_name(r->result));
	fieldtext_blank(f);
	fieldtext_put(f, "(");
	fieldtext_comment(f, s->receiver);
	fieldtext_put(f, ":");
	fieldtext_blank(f);
	explain(f, r, ip);
	fieldtext_put(f, ")");
	fieldtext_pair(f, "client-ip", ip, form);
	fieldtext_put(f, ";");
	if (o->has_mail_from && fieldtext_pair(f, "envelope-from", o->mail_from, FIELDTEXT_QUOTED))
		fieldtext_put(f, ";");
	if (o->has_helo && fieldtext_pair(f, "helo", o->helo, form))
		fieldtext_put(f, ";");
	if (fieldtext_pair(f, "receiver", s->receiver, form))
		fieldtext_put(f, ";");
	fieldtext_pair(f, "identity", bytes_str(spf_identity_name(r->identity)), form);
	if (r->result == AUTH_TEMPERROR || r->result == AUTH_PERMERROR) {
		fieldtext_put(f, ";");
		fieldtext_pair(f, "problem", bytes_str(r->reason ? r->reason : "unknown"), form);
	} else if (r->result != AUTH_NONE) {
		/* a result without a term is that of the end of the record */
		struct bytes term = r->mechanism.n ? r->mechanism : bytes_str("default");
		if (term.n <= FIELDTEXT_VALUE_MAX) {
			fieldtext_put(f, ";");
			fieldtext_pair(f, "mechanism", term, form);
		}
	}
}

/* C-86, C-87. */
static void asyncos(const struct received_spf_setup *s, const struct spf_result *r,
		    struct fieldtext *f)
{
	static const char *const word[AUTH_RESULT_N] = {
		[AUTH_NONE] = "None",           [AUTH_PASS] = "Pass",
		[AUTH_NEUTRAL] = "Neutral",     [AUTH_SOFTFAIL] = "SoftFail",
		[AUTH_FAIL] = "Fail",           [AUTH_TEMPERROR] = "TempError",
		[AUTH_PERMERROR] = "PermError",
	};
	static const char *const level[] = { "spf_only", "sidf_strict", "sidf_compatible" };
	char buf[RECEIVED_SPF_IP_MAX];
	fieldtext_put(f, word[r->result]);
	fieldtext_pair(f, "identity", bytes_str(spf_identity_name(r->identity)),
		       FIELDTEXT_DOT_ATOM);
	fieldtext_put(f, ";");
	if (fieldtext_pair(f, "receiver", s->receiver, FIELDTEXT_DOT_ATOM))
		fieldtext_put(f, ";");
	/* as the sample has it, an IPv6 address too */
	fieldtext_blank(f);
	fieldtext_put(f, "client-ip=");
	received_spf_ip(&s->origin->client, buf);
	fieldtext_put(f, buf);
	fieldtext_put(f, ";");
	if (s->origin->has_mail_from &&
	    fieldtext_pair(f, "envelope-from", s->origin->mail_from, FIELDTEXT_QUOTED))
		fieldtext_put(f, ";");
	if (fieldtext_pair(f, "x-sender", r->sender, FIELDTEXT_QUOTED))
		fieldtext_put(f, ";");
	fieldtext_blank(f);
	fieldtext_put(f, "x-conformance=");
	fieldtext_put(f, level[s->profile ? s->profile->level : SPF_LEVEL_SPF]);
	if (r->downgraded)
		fieldtext_put(f, "_downgraded");
}

bool received_spf_make(const struct received_spf_setup *setup, const struct spf_result *result,
		       struct arena *arena, struct bytes *out)
{
	bool own = setup->style == STYLE_ASYNCOS;
	struct fieldtext f;
	*out = bytes_of(NULL, 0);
	if (!result->checked || result->result == AUTH_UNVERIFIABLE ||
	    result->result == AUTH_POLICY || !setup->origin->has_client)
		return true;
	fieldtext_begin(&f, arena, "Received-SPF", own ? FIELDTEXT_UNFOLDED : FIELDTEXT_WIDTH,
			FIELD_MAX);
	if (own)
		asyncos(setup, result, &f);
	else
		rfc7208(setup, result, &f);
	*out = fieldtext_end(&f);
	return out->p != NULL;
}
