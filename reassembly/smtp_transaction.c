#include "reassembly/command.h"
#include "reassembly/smtp.h"

#include <arpa/inet.h>

/*
 * Transactions hang in s->first in the order of their MAIL. The client works on the last one
 * (s->cur, until its content is over); replies work their way through all: MAIL's belongs to the
 * first that has no answer, RCPT's to the last that has one, a final reply to the first that ended.
 */

static void count(const struct smtp_call *c, enum stats_row what)
{
	stats_add(assembler_stats(c->a), what, 1);
}

static void unlink_draft(struct smtp *s, struct draft *t)
{
	struct draft **at = &s->first;
	while (*at != t)
		at = &(*at)->later;
	*at = t->later;
	t->later = NULL;
	if (s->cur == t)
		s->cur = NULL;
}

void smtp_drop(const struct smtp_call *c, struct draft *t)
{
	unlink_draft(c->s, t);
	assembler_drop(c->a, t);
}

struct draft *smtp_begin(const struct smtp_call *c, bool with_mail)
{
	struct smtp *s = c->s;
	struct draft *t = assembler_begin(c->a);
	s->cur = t;
	if (!t)
		return NULL;
	struct draft **at = &s->first;
	while (*at)
		at = &(*at)->later;
	*at = t;
	t->mail_answered = t->unseen = !with_mail;
	struct message *m = &t->m;
	m->protocol = MESSAGE_SMTP;
	session_place(c->peer, m);
	if (s->xclient.at) {
		struct smtp_xclient x;
		memcpy(&x, textname_get(c->lines, &s->xclient).p, sizeof x);
		if (x.has_address)
			m->client = x.address;
		if (x.has_port)
			m->client_port = x.port;
	}
	if (s->helo.at) {
		m->helo = assembler_string(c->a, t, textname_get(c->lines, &s->helo));
		m->has_helo = m->helo.p;
	}
	m->authenticated = s->authenticated;
	if (s->authenticated && s->auth_user.at)
		m->auth_user = assembler_string(c->a, t, textname_get(c->lines, &s->auth_user));
	m->flags |=
		(s->helo_odd ? MESSAGE_ENVELOPE_NUL : 0) | (s->helo_cut ? MESSAGE_LONG_COMMAND : 0);
	return t;
}

static void finish(const struct smtp_call *c, struct draft *t, int code, bool complete)
{
	struct smtp *s = c->s;
	t->m.reply = code;
	t->m.tx_id = s->tx_id++;
	t->m.flags |= (s->no_server ? MESSAGE_NO_REPLIES : 0) |
		      (s->injection ? MESSAGE_STARTTLS_INJECTION : 0) |
		      (c->peer->overlap ? MESSAGE_OVERLAP : 0);
	if (!t->ended)
		t->m.time_ns = c->in->now_ns;
	while (t->pending) /* their answers were not seen */
		assembler_rcpt_answer(c->a, t, true);
	unlink_draft(s, t);
	assembler_finish(c->a, t, complete);
}

void smtp_cut_short(const struct smtp_call *c, int code)
{
	struct smtp *s = c->s;
	struct draft *t = s->cur;
	if (s->in_guess && !(t && t->m.size))
		t = NULL;
	if (t && t->begun && !t->refused) {
		if (code)
			s->held = 0;
		t->m.flags |= MESSAGE_NO_END;
		finish(c, t, code, false);
	} else if (s->lost && (s->state == SMTP_DATA || s->state == SMTP_BDAT)) {
		count(c, STAT_MESSAGE_LOST);
	}
	s->lost = s->in_guess = false;
	if (s->state == SMTP_DATA || s->state == SMTP_BDAT)
		s->state = SMTP_COMMAND;
}

void smtp_guess(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	s->lost = !smtp_begin(c, false);
	s->state = SMTP_DATA;
	s->in_guess = true;
	s->early_seen = true;
	s->skip = (struct dot){ .state = DOT_MID };
	if (!s->cur)
		return;
	s->cur->begun = true;
	s->cur->dot.state = DOT_MID;
	s->cur->m.flags |= MESSAGE_NO_START;
	s->cur->header_done = s->cur->broken = true;
}

/* What each reply does */

static void drop_open(const struct smtp_call *c)
{
	struct draft *t = c->s->first;
	while (t) {
		struct draft *later = t->later;
		if (!t->ended)
			smtp_drop(c, t);
		t = later;
	}
	c->s->lost = false;
}

static void helo_replied(const struct smtp_call *c, bool ok)
{
	struct smtp *s = c->s;
	struct bytes args;
	enum command what = command_parse(textline_part(c->lines, &s->line), &args);
	if (ok) {
		size_t n = 0; /* the first word; what follows is no part of the name */
		while (n < args.n && args.p[n] != ' ' && args.p[n] != '\t')
			n++;
		textname_set(c->lines, &s->helo, bytes_head(args, n));
		s->lmtp = what == COMMAND_LHLO;
		s->helo_odd = s->line.odd;
		s->helo_cut = s->line.cut;
		drop_open(c);
	}
	textline_done(c->lines, &s->line);
}

/* RFC 3461 section 4 xtext: +XX stands for one octet. */
static struct bytes xtext(struct bytes in, uint8_t *out, size_t max)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;
	for (size_t i = 0; i < in.n && n < max; i++) {
		const char *a, *b;
		out[n] = in.p[i];
		if (in.p[i] == '+' && in.n - i > 2 && in.p[i + 1] && in.p[i + 2] &&
		    (a = strchr(hex, in.p[i + 1])) && (b = strchr(hex, in.p[i + 2]))) {
			out[n] = (uint8_t)((a - hex) << 4 | (b - hex));
			i += 2;
		}
		n++;
	}
	return bytes_of(out, n);
}

static void xclient_address(struct smtp_xclient *x, struct bytes value)
{
	char text[64];
	struct bytes prefix = bytes_str("IPV6:");
	if (bytes_equal_nocase(bytes_head(value, prefix.n), prefix))
		value = bytes_from(value, prefix.n);
	if (value.n >= sizeof text)
		return;
	memcpy(text, value.p, value.n);
	text[value.n] = 0;
	memset(&x->address, 0, sizeof x->address);
	x->has_address = inet_pton(AF_INET6, text, x->address.ip) == 1;
	if (!x->has_address && inet_pton(AF_INET, text, x->address.ip + 12) == 1) {
		x->address.ip[10] = x->address.ip[11] = 0xff;
		x->has_address = true;
	}
}

static void xclient_replied(const struct smtp_call *c, bool ok)
{
	struct smtp *s = c->s;
	struct bytes params, key, value;
	struct smtp_xclient x = { 0 };
	uint8_t buf[MESSAGE_NAME_MAX];
	command_parse(textline_part(c->lines, &s->line), &params);
	if (ok) {
		drop_open(c);
		textname_clear(c->lines, &s->helo);
		if (s->xclient.at)
			memcpy(&x, textname_get(c->lines, &s->xclient).p, sizeof x);
	}
	while (ok && command_param(&params, &key, &value)) {
		value = xtext(value, buf, sizeof buf);
		bool unknown = bytes_equal_nocase(value, bytes_str("[UNAVAILABLE]")) ||
			       bytes_equal_nocase(value, bytes_str("[TEMPUNAVAIL]"));
		if (bytes_equal_nocase(key, bytes_str("ADDR")) && !unknown) {
			xclient_address(&x, value);
		} else if (bytes_equal_nocase(key, bytes_str("PORT")) && !unknown) {
			unsigned port = 0;
			for (size_t i = 0; i < value.n && i < 5; i++)
				port = port * 10 + (unsigned)(value.p[i] - '0') % 10;
			x.port = (uint16_t)port;
			x.has_port = true;
		} else if (bytes_equal_nocase(key, bytes_str("HELO")) && !unknown) {
			textname_set(c->lines, &s->helo, value);
		} else if (bytes_equal_nocase(key, bytes_str("LOGIN"))) {
			s->authenticated = !unknown;
			textname_clear(c->lines, &s->auth_user);
			if (!unknown)
				textname_set(c->lines, &s->auth_user, value);
		}
	}
	if (ok)
		textname_set(c->lines, &s->xclient, bytes_of(&x, sizeof x));
	textline_done(c->lines, &s->line);
}

/* MAIL inside a transaction was refused: what the client sent behind it belongs to the one before.
 */
static void merge(const struct smtp_call *c, struct draft *from, struct draft *to)
{
	while (from->pending) /* answered before MAIL was */
		assembler_rcpt_answer(c->a, from, false);
	to->grown = true; /* the strings that come over stay */
	struct assembler_strings **end = &to->strings;
	while (*end)
		end = &(*end)->next;
	*end = from->strings;
	from->strings = NULL;
	if (from->rcpt_last) {
		from->rcpt_last->next = to->m.rcpt;
		if (!to->rcpt_last)
			to->rcpt_last = from->rcpt_last;
		to->m.rcpt = from->m.rcpt;
		to->m.n_rcpt += from->m.n_rcpt;
	}
	to->m.rcpt_seen += from->m.rcpt_seen;
	to->m.has_mail_from = from->m.has_mail_from;
	to->m.mail_from = from->m.mail_from;
	to->m.smtputf8 = from->m.smtputf8;
	to->m.binarymime = from->m.binarymime;
	to->m.flags |= from->m.flags;
	to->unseen = from->unseen;
	smtp_drop(c, from);
}

static void mail_replied(const struct smtp_call *c, bool ok)
{
	struct smtp *s = c->s;
	struct draft *t = s->first, *before = NULL;
	for (; t && t->mail_answered; t = t->later)
		if (!t->ended && !t->closing)
			before = t;
	if (!t)
		return;
	t->mail_answered = true;
	if (ok) {
		if (before)
			smtp_drop(c, before);
	} else if (!t->begun && !t->pending && !t->ended && s->cur == t) {
		smtp_drop(c, t);
		s->cur = before;
	} else if (before && !before->begun) {
		merge(c, before, t);
	} else {
		t->m.has_mail_from = false;
	}
}

static void rcpt_replied(const struct smtp_call *c, bool kept, bool ok)
{
	struct draft *t = NULL;
	for (struct draft *i = c->s->first; i && i->mail_answered; i = i->later)
		if (i->pending || !t || !kept)
			t = i;
	if (!t)
		return;
	if (kept)
		assembler_rcpt_answer(c->a, t, ok);
	else
		assembler_rcpt_overflow(t, ok);
	/* RCPT without MAIL, refused: no transaction */
	if (t->unseen && !t->begun && !t->pending && !t->m.rcpt_seen)
		smtp_drop(c, t);
}

void smtp_data_replied(const struct smtp_call *c, int code)
{
	struct smtp *s = c->s;
	bool ok = code == 0 || code / 100 == 3;
	if (s->data_assumed) {
		s->data_assumed = false;
		if (ok)
			return;
		/* what was taken for content were commands, and their replies follow */
		struct draft *t = s->first;
		while (t && !t->ended && t != s->cur)
			t = t->later;
		if (t && t->begun)
			smtp_drop(c, t);
		if (s->state == SMTP_DATA)
			s->state = SMTP_COMMAND;
		s->lost = false;
		s->replies_lost = true;
		count(c, STAT_MESSAGE_REFUSED);
		return;
	}
	s->state = ok ? SMTP_DATA : SMTP_COMMAND;
	if (!ok) {
		s->wait_gap = false;
		count(c, STAT_MESSAGE_REFUSED);
		return;
	}
	s->early_seen = false;
	s->skip = (struct dot){ 0 };
	if (!s->cur && !s->lost)
		s->lost = !smtp_begin(c, false);
	struct draft *t = s->cur;
	if (t) {
		if (t->refused)
			assembler_drop_content(c->a, t);
		t->refused = false;
		if (t->begun)
			t->m.flags |= MESSAGE_BDAT_MIXED;
		t->begun = true;
		t->dot = (struct dot){ .flags = t->dot.flags };
	}
	if (s->wait_gap) {
		s->wait_gap = false;
		s->skip.state = DOT_MID;
		if (t) {
			assembler_hole(t, 0);
			t->m.flags |= MESSAGE_NO_START;
			t->header_done = true;
		}
	}
}

/* RFC 3030 section 2: a refused chunk is read all the same, and the message is no more. */
static void bdat_replied(const struct smtp_call *c, bool ok)
{
	struct draft *t = NULL;
	for (struct draft *i = c->s->first; i; i = i->later)
		if (i->begun && !i->closing && !t)
			t = i;
	if (ok || !t || t->refused)
		return;
	t->refused = true;
	assembler_drop_content(c->a, t);
	t->begun = true;
	count(c, STAT_MESSAGE_REFUSED);
}

static void end_replied(const struct smtp_call *c, int code)
{
	struct draft *t = c->s->first;
	while (t && !t->ended)
		t = t->later;
	if (!t)
		return;
	bool valid = t->unseen ? c->peer->midstream || c->s->gap_end || t->m.rcpt_seen
			       : t->m.has_mail_from && (t->m.rcpt_seen || t->pending);
	bool refused = t->dot.raw && code >= 400 && (!valid || code / 10 == 50);
	if (refused && !t->refused)
		count(c, STAT_MESSAGE_REFUSED);
	if (refused || t->refused)
		smtp_drop(c, t);
	else
		finish(c, t, code, true);
}

static void auth_replied(const struct smtp_call *c, int code)
{
	struct smtp *s = c->s;
	s->state = code == 0 ? SMTP_AUTH_GUESS : code / 100 == 3 ? SMTP_AUTH : SMTP_COMMAND;
	if (code / 100 == 2) {
		s->authenticated = true;
		if (!s->counted_auth)
			count(c, STAT_SESSION_AUTH);
		s->counted_auth = true;
	} else if (s->state == SMTP_COMMAND && !s->authenticated) {
		textname_clear(c->lines, &s->auth_user);
	}
}

/* What follows these cannot be read before their reply was. */
bool smtp_waits(enum smtp_kind kind)
{
	return kind == SMTP_KIND_HELO || kind == SMTP_KIND_DATA || kind == SMTP_KIND_AUTH ||
	       kind == SMTP_KIND_STARTTLS || kind == SMTP_KIND_XCLIENT ||
	       kind == SMTP_KIND_BDAT_ODD || kind == SMTP_KIND_BDAT_TRY;
}

void smtp_replied(const struct smtp_call *c, enum smtp_kind kind, int code)
{
	struct smtp *s = c->s;
	bool ok = code == 0 || code / 100 == 2;
	s->reply_end = s->server_pos;
	if (smtp_waits(kind) && kind != SMTP_KIND_DATA) {
		s->state = SMTP_COMMAND;
		if (s->wait_gap) { /* commands were lost behind this one */
			s->wait_gap = false;
			s->gap_end = s->hole_end;
			if (!s->no_server && !s->server_ended)
				replies_push(c->lines, &s->queue, SMTP_KIND_GAP);
		}
	}
	switch (kind) {
	case SMTP_KIND_HELO:
		helo_replied(c, ok);
		if (ok)
			s->no_chunking = code && !s->held_offers;
		return;
	case SMTP_KIND_MAIL:
		mail_replied(c, ok);
		return;
	case SMTP_KIND_RCPT:
	case SMTP_KIND_RCPT_UNKEPT:
		rcpt_replied(c, kind == SMTP_KIND_RCPT, ok);
		return;
	case SMTP_KIND_DATA:
		smtp_data_replied(c, code);
		return;
	case SMTP_KIND_BDAT:
		bdat_replied(c, ok);
		return;
	case SMTP_KIND_BDAT_ODD:
		s->bdat_last = false;
		if (ok && code && s->bdat_left) {
			s->state = SMTP_BDAT;
			s->bdat_answered = true;
			s->bdat_code = (uint16_t)code;
			if (s->cur)
				s->cur->dot.raw = s->cur->begun = true;
		}
		return;
	case SMTP_KIND_BDAT_TRY:
		if (code >= 500 && code <= 502) { /* unknown to it, or not implemented */
			s->bdat_last = false;
			return;
		}
		s->state = SMTP_BDAT;
		s->bdat_try = true;
		s->bdat_answered = code != 0;
		s->bdat_code = (uint16_t)code;
		return;
	case SMTP_KIND_END:
		end_replied(c, code);
		return;
	case SMTP_KIND_END_LOST:
		count(c, STAT_MESSAGE_LOST);
		return;
	case SMTP_KIND_RSET:
		for (struct draft *t = s->first, *later; t; t = later) {
			later = t->later;
			if (t->closing && t->mail_answered && !t->ended)
				smtp_drop(c, t);
		}
		return;
	case SMTP_KIND_AUTH:
		auth_replied(c, code);
		return;
	case SMTP_KIND_STARTTLS:
		s->tls = code / 100 == 2;
		s->judge_glue = code >= 400;
		if (ok)
			s->state = SMTP_TLS_GUESS;
		return;
	case SMTP_KIND_XCLIENT:
		xclient_replied(c, ok);
		return;
	case SMTP_KIND_GAP:
	case SMTP_KIND_OTHER:
		return;
	}
}
