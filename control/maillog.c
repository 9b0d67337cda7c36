#include "control/maillog.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "control/events.h"
#include "control/events_auth.h"

enum { SIGNATURES_MAX = 64, NAMES_MAX = 16 }; /* of a message; what a profile allows */
/* these, what was skipped, three identities, and Message, ARC, DMARC, Verdict */
enum { LINES_MAX = SIGNATURES_MAX + NAMES_MAX + 1 + SPF_IDENTITY_N + 4 };

struct maillog {
	bool asyncos;
	const struct message *m; /* of this call */
	uint64_t mid;
	size_t len, start; /* of all; where this line begins */
	char text[LINES_MAX * MAILLOG_LINE_MAX];
};

struct maillog *maillog_new(enum config_style style)
{
	struct maillog *l = malloc(sizeof *l); /* what is not written is never touched */
	if (l)
		l->asyncos = style == STYLE_ASYNCOS;
	return l;
}

void maillog_free(struct maillog *l)
{
	free(l);
}

/* ---- a line ---- */

/* What does not fit the line, less its newline, is cut. */
static void put(struct maillog *l, const char *s, size_t n)
{
	size_t room = MAILLOG_LINE_MAX - 1 - (l->len - l->start);
	n = n < room ? n : room;
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

static void put_str(struct maillog *l, const char *s)
{
	put(l, s, strlen(s));
}

/* Our own words and numbers, never what came in. */
__attribute__((format(printf, 2, 3))) static void say(struct maillog *l, const char *format, ...)
{
	char text[256];
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	put(l, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

static void put_value(struct maillog *l, struct bytes value)
{
	bool cut = value.n > MAILLOG_VALUE_MAX, quoted = !value.n;
	value = bytes_head(value, cut ? MAILLOG_VALUE_MAX : value.n);
	for (size_t i = 0; i < value.n; i++)
		quoted |= value.p[i] == ' ' || value.p[i] == '"' || value.p[i] == '\\';
	if (quoted)
		put_str(l, "\"");
	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];
		if (c < ' ' || c > '~')
			say(l, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			say(l, "\\%c", c);
		else
			put(l, (const char *)&c, 1);
	}
	if (cut)
		put_str(l, "~");
	if (quoted)
		put_str(l, "\"");
}

static void begin(struct maillog *l, const char *method)
{
	char when[32];
	time_t s = (time_t)(l->m->time_ns / 1000000000);
	struct tm tm;
	l->start = l->len;
	gmtime_r(&s, &tm);
	strftime(when, sizeof when, "%a %b %e %H:%M:%S %Y", &tm);
	say(l, "%s %s: MID %" PRIu64 " %s:", when, l->m->verdict ? "Info" : "Warning", l->mid,
	    method);
}

static void end(struct maillog *l)
{
	l->text[l->len++] = '\n';
}

static void member(struct maillog *l, const char *key, struct bytes value)
{
	if (!value.n)
		return;
	say(l, " %s=", key);
	put_value(l, value);
}

/* A word of ours, or NULL for none. */
static void word(struct maillog *l, const char *key, const char *value)
{
	if (value)
		say(l, " %s=%s", key, value);
}

static void yes_or_no(struct maillog *l, const char *key, bool value)
{
	word(l, key, value ? "yes" : "no");
}

/* ---- what they say ---- */

static void put_message(struct maillog *l)
{
	const struct message *m = l->m;
	char ip[EVENTS_IP_MAX];
	begin(l, "Message");
	if (m->has_mail_from)
		member(l, "from", m->mail_from.n ? m->mail_from : bytes_str("<>"));
	if (m->rcpt)
		member(l, "to", m->rcpt->address);
	if (m->rcpt_seen > 1)
		say(l, " recipients=%" PRIu32, m->rcpt_seen);
	if (m->has_user)
		member(l, "user", m->user);
	if (m->has_client)
		member(l, "client", bytes_of(ip, events_ip(&m->client, ip)));
	if (m->has_helo)
		member(l, "helo", m->helo);
	if (m->source)
		member(l, "source", bytes_str(m->source));
	if (m->verdict)
		member(l, "id", m->verdict->email.message_id);
	say(l, " size=%" PRIu64, m->size);
	if (!m->complete)
		say(l, " complete=no missing=%" PRIu64, m->missing);
	end(l);
}

static const char *const asyncos_dkim[AUTH_RESULT_N] = {
	[AUTH_NONE] = "none",          [AUTH_PASS] = "pass",
	[AUTH_FAIL] = "permfail",      [AUTH_POLICY] = "permfail",
	[AUTH_NEUTRAL] = "neutral",    [AUTH_PERMERROR] = "permfail",
	[AUTH_TEMPERROR] = "tempfail", [AUTH_UNVERIFIABLE] = "neutral",
	[AUTH_SOFTFAIL] = "neutral",
};

/* C-65; of what failed, as C-50 and C-51 say it in their field. */
static void asyncos_signature(struct maillog *l, const struct dkim_result *d)
{
	say(l, " %s%s", d->result == AUTH_PASS ? "verified " : "", asyncos_dkim[d->result]);
	if (d->result == AUTH_PASS && d->partial)
		say(l, " (partially verified [%" PRIu64 " bytes])", d->body_octets);
	else if (d->reason)
		say(l, " (%s)", d->reason);
}

static void signature(struct maillog *l, const struct dkim_result *d)
{
	say(l, " %s", auth_result_name((enum auth_result)d->result));
	member(l, "d", d->domain);
	member(l, "s", d->selector);
	member(l, "a", d->algorithm);
	if (d->partial)
		say(l, " l=%" PRIu64, d->body_octets);
	word(l, "reason", d->reason);
	if (d->test_mode)
		word(l, "test_mode", "yes");
}

static void put_dkim(struct maillog *l, const struct verdict *v)
{
	uint32_t shown = v->n_dkim < SIGNATURES_MAX ? v->n_dkim : SIGNATURES_MAX;
	for (uint32_t i = 0; i < shown; i++) {
		begin(l, "DKIM");
		if (l->asyncos)
			asyncos_signature(l, &v->dkim[i]);
		else
			signature(l, &v->dkim[i]);
		end(l);
	}
	if (v->dkim_seen > shown) { /* C-55 */
		begin(l, "DKIM");
		say(l, " skipped signatures=%" PRIu32, v->dkim_seen - shown);
		end(l);
	} else if (!shown) {
		begin(l, "DKIM");
		put_str(l, l->asyncos ? " no signature" : " none");
		end(l);
	}
}

/* What was checked; where nothing could be, what there was to check. */
static struct bytes identity(const struct message *m, const struct spf_result *s)
{
	if (s->sender.n)
		return s->sender;
	if (s->identity == SPF_MAILFROM && m->has_mail_from)
		return m->mail_from;
	if (s->identity == SPF_HELO && m->has_helo)
		return m->helo;
	return bytes_str("");
}

/* C-66 has the form, C-88 the words of AsyncOS. */
static void put_spf(struct maillog *l, const struct spf_result *s)
{
	static const char *const asyncos[AUTH_RESULT_N] = {
		[AUTH_NONE] = "None",           [AUTH_PASS] = "Pass",
		[AUTH_FAIL] = "Fail",           [AUTH_POLICY] = "Fail",
		[AUTH_NEUTRAL] = "Neutral",     [AUTH_PERMERROR] = "PermError",
		[AUTH_TEMPERROR] = "TempError", [AUTH_UNVERIFIABLE] = "None",
		[AUTH_SOFTFAIL] = "SoftFail",
	};
	enum auth_result r = events_spf(s);
	if (!s->checked)
		return;
	begin(l, "SPF");
	say(l, " %s identity ", spf_identity_name((enum spf_identity)s->identity));
	put_value(l, identity(l->m, s));
	say(l, " %s", l->asyncos ? asyncos[r] : auth_result_name(r));
	if (!l->asyncos) {
		member(l, "mechanism", s->mechanism);
		word(l, "reason", s->reason);
		if (s->downgraded)
			word(l, "downgraded", "yes");
	}
	end(l);
}

static void put_arc(struct maillog *l, const struct arc_result *a)
{
	begin(l, "ARC");
	say(l, " %s", auth_result_name((enum auth_result)a->result));
	if (a->instance) {
		say(l, " i=%u", a->instance);
		member(l, "sealer", a->sealer);
		yes_or_no(l, "trusted", a->trusted);
	}
	word(l, "reason", a->reason);
	end(l);
}

static void put_dmarc(struct maillog *l, const struct dmarc_result *d)
{
	begin(l, "DMARC");
	say(l, " %s", auth_result_name((enum auth_result)d->result));
	member(l, "domain", d->author);
	if (d->has_record) {
		word(l, "policy", dmarc_policy_name((enum dmarc_policy)d->policy));
		if (d->published != d->policy)
			word(l, "published", dmarc_policy_name((enum dmarc_policy)d->published));
		yes_or_no(l, "spf_aligned", d->spf_aligned);
		yes_or_no(l, "dkim_aligned", d->dkim_aligned);
	}
	word(l, "override", d->override);
	word(l, "reason", d->reason);
	end(l);
}

static void put_names(struct maillog *l, const struct verdict *v)
{
	for (uint32_t i = 0; i < v->n_forged && i < NAMES_MAX; i++) {
		begin(l, "Names");
		member(l, "shown", v->forged[i].name);
		member(l, "dictionary", bytes_str(v->forged[i].dictionary));
		say(l, " score=%u", v->forged[i].score);
		end(l);
	}
}

static void put_verdict(struct maillog *l, const struct verdict *v)
{
	begin(l, "Verdict");
	say(l, " %s", verdict_action_name(v ? (enum verdict_action)v->action : VERDICT_FLAG));
	word(l, "result", v ? v->result : "unverified");
	word(l, "reason", v ? v->reason : "not_judged");
	if (v && v->n_asked) {
		word(l, "check", v->asked[0].check);
		member(l, "profile", bytes_str(v->asked[0].profile ? v->asked[0].profile : ""));
		member(l, "quarantine", v->asked[0].quarantine);
	}
	if (v && v->score)
		say(l, " score=%" PRIu32 ".%" PRIu32, v->score / 10, v->score % 10);
	if (v)
		member(l, "reply", v->reply);
	end(l);
}

struct bytes maillog_lines(struct maillog *l, const struct message *m, uint64_t mid)
{
	const struct verdict *v = m->verdict;
	l->m = m;
	l->mid = mid;
	l->len = 0;
	put_message(l);
	for (unsigned i = 0; v && (v->checks & VERDICT_SPF) && i < SPF_IDENTITY_N; i++)
		put_spf(l, &v->spf[i]);
	if (v && (v->checks & VERDICT_DKIM))
		put_dkim(l, v);
	if (v && (v->checks & VERDICT_ARC))
		put_arc(l, &v->arc);
	if (v && (v->checks & VERDICT_DMARC))
		put_dmarc(l, &v->dmarc);
	if (v && (v->checks & VERDICT_NAMES))
		put_names(l, v);
	put_verdict(l, v);
	return bytes_of(l->text, l->len);
}
