#include "control/table.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/utf8.h"
#include "control/events.h"
#include "control/events_auth.h"
#include "control/words.h"

enum column {
	C_TIME,
	C_CLIENT,
	C_FROM,
	C_TO,
	C_SIZE,
	C_SPF,
	C_DKIM,
	C_ARC,
	C_DMARC,
	C_VERDICT,
	COLUMN_N
};

enum { LINE_MAX_OCTETS = 8192, SIZE_COLUMNS = 6 };

static const char *const title[COLUMN_N] = { "TIME", "CLIENT", "FROM", "TO",    "SIZE",
					     "SPF",  "DKIM",   "ARC",  "DMARC", "VERDICT" };

/* What a result is in four columns. */
static const char *const brief[AUTH_RESULT_N] = {
	[AUTH_NONE] = "none",      [AUTH_PASS] = "pass",         [AUTH_FAIL] = "fail",
	[AUTH_POLICY] = "poli",    [AUTH_NEUTRAL] = "neut",      [AUTH_PERMERROR] = "perm",
	[AUTH_TEMPERROR] = "temp", [AUTH_UNVERIFIABLE] = "unve", [AUTH_SOFTFAIL] = "soft",
};

struct totals {
	uint64_t messages, octets, incomplete, flagged, unjudged;
	uint64_t protocol[MESSAGE_FILE + 1];
	uint64_t dkim[AUTH_RESULT_N], spf[AUTH_RESULT_N], arc[AUTH_RESULT_N], dmarc[AUTH_RESULT_N];
	uint64_t action[VERDICT_ACTION_N];
};

struct table {
	bool colour;
	unsigned width[COLUMN_N]; /* 0: there is no such column */
	bool signer, full; /* whose the signature is; results in whole words, date, size */
	locale_t utf8; /* for wcwidth */
	struct words *words; /* NULL: encoded words are shown as they are */
	struct totals sum;
	size_t len;
	char line[LINE_MAX_OCTETS];
};

struct table *table_new(unsigned width, bool colour)
{
	struct table *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	width = width < TABLE_WIDTH_MIN   ? TABLE_WIDTH_MIN
		: width > TABLE_WIDTH_MAX ? TABLE_WIDTH_MAX
					  : width;
	t->colour = colour;
	t->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	t->words = words_new();
	t->signer = width >= 100;
	t->full = width >= 160;
	t->width[C_TIME] = t->full ? 14 : 8;
	t->width[C_CLIENT] = 15;
	t->width[C_SIZE] = t->full ? SIZE_COLUMNS : 0;
	t->width[C_SPF] = t->width[C_ARC] = t->full ? 9 : 4;
	t->width[C_DKIM] = t->full ? 24 : t->signer ? 20 : 4;
	t->width[C_DMARC] = t->full ? 9 : 5;
	t->width[C_VERDICT] = t->full ? 22 : t->signer ? 12 : 10;
	unsigned used = 2; /* the blanks of those that share what is left */
	for (int c = 0; c < COLUMN_N; c++)
		used += t->width[c] ? t->width[c] + 1 : 0;
	unsigned left = width + 1 - used; /* no blank behind the last */
	t->width[C_FROM] = left * 55 / 100;
	t->width[C_TO] = left - t->width[C_FROM];
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	if (t->utf8)
		freelocale(t->utf8);
	words_free(t->words);
	free(t);
}

unsigned table_width(int fd)
{
	struct winsize size;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return TABLE_WIDTH_DEFAULT;
}

static void put(struct table *t, const char *s, size_t n)
{
	if (n > sizeof t->line - t->len)
		n = sizeof t->line - t->len;
	memcpy(t->line + t->len, s, n);
	t->len += n;
}

static void put_str(struct table *t, const char *s)
{
	put(t, s, strlen(s));
}

static void colour(struct table *t, const char *code)
{
	if (!t->colour)
		return;
	put_str(t, "\033[");
	put_str(t, code);
	put_str(t, "m");
}

/* Marks that would turn or hide what stands behind them: bidirectional controls, zero width, tags.
 */
static bool deceptive(uint32_t c)
{
	return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0x061c || c == 0xfeff ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

static uint32_t code_point(const uint8_t *p, unsigned len)
{
	static const uint8_t first[5] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = p[0] & first[len];
	for (unsigned i = 1; i < len; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

/* One character of text as it is shown; *width its columns. Returns its octets in text. */
static size_t shown(const struct table *t, struct bytes text, char out[32], size_t *len, int *width)
{
	unsigned n = utf8_len(text.p, text.n);
	uint32_t c = n ? code_point(text.p, n) : 0;
	int columns = -1;
	if (n == 1)
		columns = c >= ' ' && c < 0x7f ? 1 : -1;
	else if (n && t->utf8 && !deceptive(c)) {
		locale_t before = uselocale(t->utf8);
		columns = wcwidth((wchar_t)c);
		uselocale(before);
	}
	if (columns >= 0) {
		memcpy(out, text.p, n);
		*len = n;
		*width = columns;
		return n;
	}
	*len = 0;
	for (unsigned i = 0; i < (n ? n : 1); i++)
		*len += (size_t)snprintf(out + *len, 32 - *len, "\\x%02x", text.p[i]);
	*width = (int)*len;
	return n ? n : 1;
}

/* Text in a column of so many columns; suffix ("+2") always fits in. Ends with the blank between
 * columns. */
static void cell(struct table *t, enum column c, struct bytes text, const char *suffix)
{
	if (!t->width[c])
		return;
	unsigned room = t->width[c] - (unsigned)strlen(suffix), used = 0;
	size_t start = t->len, mark = t->len; /* the last place where "~" still fits in */
	unsigned mark_used = 0;
	while (text.n) {
		char out[32];
		size_t len;
		int width;
		size_t n = shown(t, text, out, &len, &width);
		/* marks of no width come without end: eight octets a column are enough */
		if (used + (unsigned)width > room || t->len - start > 8 * room) {
			t->len = mark;
			put_str(t, "~");
			used = mark_used + 1;
			break;
		}
		put(t, out, len);
		used += (unsigned)width;
		text = bytes_from(text, n);
		if (used < room) {
			mark = t->len;
			mark_used = used;
		}
	}
	put_str(t, suffix);
	used += (unsigned)strlen(suffix);
	if (c == C_VERDICT)
		return;
	for (; used <= t->width[c]; used++)
		put_str(t, " ");
}

static void size_text(uint64_t n, char out[16])
{
	static const char unit[] = " KMGT";
	unsigned u = 0;
	double v = (double)n;
	if (n < 100000) {
		snprintf(out, 16, "%*" PRIu64, SIZE_COLUMNS, n);
		return;
	}
	for (; v >= 999.5 && unit[u + 1]; u++)
		v /= 1000;
	snprintf(out, 16, "%*.*f%c", SIZE_COLUMNS - 1, v < 10 ? 1 : 0, v, unit[u]);
}

struct bytes table_header(struct table *t)
{
	t->len = 0;
	colour(t, "1");
	for (int c = 0; c < COLUMN_N; c++) {
		char size[16];
		snprintf(size, sizeof size, "%*s", SIZE_COLUMNS, title[C_SIZE]);
		cell(t, (enum column)c, bytes_str(c == C_SIZE ? size : title[c]), "");
	}
	colour(t, "0");
	put_str(t, "\n");
	return bytes_of(t->line, t->len);
}

static void put_time(struct table *t, const struct message *m)
{
	char text[32];
	time_t s = (time_t)(m->time_ns / 1000000000);
	struct tm tm;
	gmtime_r(&s, &tm);
	const char *form = t->full ? "%m-%d %H:%M:%S" : "%H:%M:%S";
	strftime(text, sizeof text, form, &tm);
	cell(t, C_TIME, bytes_str(text), "");
}

static void put_client(struct table *t, const struct message *m)
{
	char ip[EVENTS_IP_MAX];
	if (m->has_client)
		cell(t, C_CLIENT, bytes_of(ip, events_ip(&m->client, ip)), "");
	else
		cell(t, C_CLIENT, bytes_str(m->protocol == MESSAGE_FILE ? "file" : "-"), "");
}

/* A From: or To: field, readable. */
static void put_field(struct table *t, enum column c, struct bytes field)
{
	cell(t, c, t->words ? words_decode(t->words, WORDS_ADDRESS, field) : field, "");
}

static void put_from(struct table *t, const struct message *m)
{
	const struct verdict *v = m->verdict;
	if (m->has_mail_from)
		cell(t, C_FROM, m->mail_from.n ? m->mail_from : bytes_str("<>"), "");
	else if (v && v->email.n_from)
		put_field(t, C_FROM, v->email.from[0]);
	else
		cell(t, C_FROM, bytes_str("-"), "");
}

static void put_to(struct table *t, const struct message *m)
{
	const struct verdict *v = m->verdict;
	char more[16] = "";
	uint32_t n = m->rcpt_seen > m->n_rcpt ? m->rcpt_seen : m->n_rcpt;
	if (n > 1)
		snprintf(more, sizeof more, "+%u", n - 1);
	if (m->rcpt)
		cell(t, C_TO, m->rcpt->address, more);
	else if (m->has_user)
		cell(t, C_TO, m->user, "");
	else if (v && v->email.n_to)
		put_field(t, C_TO, v->email.to[0]);
	else
		cell(t, C_TO, bytes_str("-"), "");
}

/* The signature that says most, in the order of verify.h's rule; of equal ones an aligned one, then
 * the first. */
static const struct dkim_result *best(const struct verdict *v)
{
	static const uint8_t rank[AUTH_RESULT_N] = {
		[AUTH_PASS] = 6,      [AUTH_FAIL] = 5,      [AUTH_POLICY] = 4,
		[AUTH_PERMERROR] = 3, [AUTH_TEMPERROR] = 2, [AUTH_UNVERIFIABLE] = 1,
	};
	const struct dkim_result *d = NULL;
	for (uint32_t i = 0; i < v->n_dkim; i++) {
		const struct dkim_result *x = &v->dkim[i];
		if (!d || rank[x->result] > rank[d->result] ||
		    (rank[x->result] == rank[d->result] && x->aligned && !d->aligned))
			d = x;
	}
	return d;
}

static const char *const result_colour[AUTH_RESULT_N] = {
	[AUTH_NONE] = "2",       [AUTH_PASS] = "32",         [AUTH_FAIL] = "31",
	[AUTH_POLICY] = "33",    [AUTH_NEUTRAL] = "33",      [AUTH_PERMERROR] = "33",
	[AUTH_TEMPERROR] = "35", [AUTH_UNVERIFIABLE] = "35", [AUTH_SOFTFAIL] = "31",
};

static const char *word(const struct table *t, enum auth_result r)
{
	return t->full ? auth_result_name(r) : brief[r];
}

static void put_dkim(struct table *t, const struct message *m)
{
	const struct verdict *v = m->verdict;
	const struct dkim_result *d = v ? best(v) : NULL;
	char text[160], more[16] = "";
	if (v && v->n_dkim > 1 && t->signer)
		snprintf(more, sizeof more, "+%u", v->n_dkim - 1);
	if (!v || !(v->checks & VERDICT_DKIM))
		snprintf(text, sizeof text, "-");
	else if (!d)
		snprintf(text, sizeof text, "none");
	else if (!t->signer)
		snprintf(text, sizeof text, "%s", brief[d->result]);
	else
		snprintf(text, sizeof text, "%s %.*s", auth_result_name(d->result),
			 (int)(d->domain.n < 128 ? d->domain.n : 128),
			 d->domain.p ? (const char *)d->domain.p : "");
	colour(t, result_colour[d ? d->result : AUTH_NONE]);
	cell(t, C_DKIM, bytes_str(text), more);
	colour(t, "0");
}

/* What the record has as auth.spf. */
static enum auth_result spf_of(const struct verdict *v)
{
	return events_spf(events_spf_main(v));
}

/* check: the bit of the check; without it there is no result. */
static void put_result(struct table *t, enum column c, const struct verdict *v,
		       enum verdict_check check, enum auth_result r)
{
	bool made = v && (v->checks & check);
	colour(t, result_colour[made ? r : AUTH_NONE]);
	cell(t, c, bytes_str(made ? word(t, r) : "-"), "");
	colour(t, "0");
}

/* What is done with the message; where nothing is, how it was found. */
static void put_verdict(struct table *t, const struct verdict *v)
{
	static const char *const action_colour[VERDICT_ACTION_N] = { "32", "31", "31", "31", "31" };
	char text[64];
	const char *what = !v                          ? "unverified"
			   : v->action <= VERDICT_FLAG ? v->result
						       : verdict_action_name(v->action);
	const char *why = t->full && v ? v->reason : NULL;
	snprintf(text, sizeof text, "%s%s%s", what ? what : "unverified", why ? " " : "",
		 why ? why : "");
	colour(t, v ? action_colour[v->action] : "31");
	cell(t, C_VERDICT, bytes_str(text), "");
	colour(t, "0");
}

static void count(struct table *t, const struct message *m)
{
	const struct verdict *v = m->verdict;
	t->sum.messages++;
	t->sum.protocol[m->protocol]++;
	t->sum.octets += m->size;
	t->sum.incomplete += !m->complete;
	t->sum.unjudged += !v;
	if (!v)
		return;
	t->sum.flagged += v->action != VERDICT_ACCEPT;
	t->sum.action[v->action]++;
	t->sum.spf[spf_of(v)] += (v->checks & VERDICT_SPF) != 0;
	t->sum.arc[v->arc.result] += (v->checks & VERDICT_ARC) != 0;
	t->sum.dmarc[v->dmarc.result] += (v->checks & VERDICT_DMARC) != 0;
	if (!(v->checks & VERDICT_DKIM))
		return;
	for (uint32_t i = 0; i < v->n_dkim; i++)
		t->sum.dkim[v->dkim[i].result]++;
	t->sum.dkim[AUTH_NONE] += !v->n_dkim && !v->dkim_seen;
}

struct bytes table_row(struct table *t, const struct message *m)
{
	const struct verdict *v = m->verdict;
	char size[16];
	count(t, m);
	t->len = 0;
	put_time(t, m);
	put_client(t, m);
	put_from(t, m);
	put_to(t, m);
	size_text(m->size, size);
	cell(t, C_SIZE, bytes_str(size), "");
	put_result(t, C_SPF, v, VERDICT_SPF, v ? spf_of(v) : AUTH_NONE);
	put_dkim(t, m);
	put_result(t, C_ARC, v, VERDICT_ARC, v ? (enum auth_result)v->arc.result : AUTH_NONE);
	put_result(t, C_DMARC, v, VERDICT_DMARC, v ? (enum auth_result)v->dmarc.result : AUTH_NONE);
	put_verdict(t, v);
	put_str(t, "\n");
	return bytes_of(t->line, t->len);
}

/* "; spf: 2 pass, 1 fail"; nothing when there is none. n: how many of each word. */
static void put_sum(struct table *t, const char *name, const uint64_t *n, int words,
		    const char *(*word_of)(int))
{
	const char *before = name;
	for (int i = 0; i < words; i++) {
		char text[64];
		if (!n[i])
			continue;
		snprintf(text, sizeof text, "%s %" PRIu64 " %s", before, n[i], word_of(i));
		put_str(t, text);
		before = ",";
	}
}

static const char *result_word(int i)
{
	return auth_result_name((enum auth_result)i);
}

static const char *action_word(int i)
{
	return verdict_action_name((enum verdict_action)i);
}

struct bytes table_totals(struct table *t)
{
	const struct totals *s = &t->sum;
	int n = snprintf(t->line, sizeof t->line,
			 "%" PRIu64 " message%s (%" PRIu64 " smtp, %" PRIu64 " pop3, %" PRIu64
			 " file), %" PRIu64 " octets, %" PRIu64 " incomplete, %" PRIu64 " flagged",
			 s->messages, s->messages == 1 ? "" : "s", s->protocol[MESSAGE_SMTP],
			 s->protocol[MESSAGE_POP3], s->protocol[MESSAGE_FILE], s->octets,
			 s->incomplete, s->flagged + s->unjudged);
	t->len = (size_t)n;
	put_sum(t, "; dkim:", s->dkim, AUTH_RESULT_N, result_word);
	put_sum(t, "; spf:", s->spf, AUTH_RESULT_N, result_word);
	put_sum(t, "; arc:", s->arc, AUTH_RESULT_N, result_word);
	put_sum(t, "; dmarc:", s->dmarc, AUTH_RESULT_N, result_word);
	put_sum(t, "; actions:", s->action, VERDICT_ACTION_N, action_word);
	put_str(t, "\n");
	return bytes_of(t->line, t->len);
}
