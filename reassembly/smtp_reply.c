#include "reassembly/smtp.h"

static void count(const struct smtp_call *c, enum stats_row what)
{
	stats_add(assembler_stats(c->a), what, 1);
}

void smtp_assume_all(const struct smtp_call *c)
{
	for (unsigned n = c->s->queue.n; n; n--)
		smtp_replied(c, replies_pop(c->lines, &c->s->queue), 0);
}

void smtp_asked(const struct smtp_call *c, enum smtp_kind kind)
{
	struct smtp *s = c->s;
	if (s->bdat_answered) {
		s->bdat_answered = false;
		smtp_replied(c, kind, s->bdat_code);
		return;
	}
	if (s->no_server || s->server_ended) {
		/* behind a server that closed, DATA was not taken */
		smtp_replied(c, kind, s->no_server || kind != SMTP_KIND_DATA ? 0 : 421);
		return;
	}
	if (smtp_waits(kind))
		s->state = SMTP_WAIT;
	replies_push(c->lines, &s->queue, kind);
	smtp_held(c);
}

/* The server's octets */

/* A reply with no command known to wait for it. True: it is used up. */
static bool stray(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	bool behind = s->reply_acked <=
		      s->client_pos; /* the server had read no more than we; 0: unknown */
	if (s->replies_lost) {
		s->replies_lost = false;
		return true;
	}
	if (s->state == SMTP_DATA || s->state == SMTP_BDAT) {
		if (s->in_guess && behind) { /* these were commands */
			if (s->cur)
				smtp_drop(c, s->cur);
			s->lost = s->in_guess = false;
			s->state = SMTP_COMMAND;
			if (s->held == 334) /* RFC 4954 section 4: what comes next is a secret */
				s->state = SMTP_AUTH;
			else if (s->held / 100 == 3)
				smtp_data_replied(c, s->held);
			return true;
		}
		if (s->cur && s->cur->m.flags & MESSAGE_HOLE && s->reply_acked <= s->hole_end) {
			smtp_cut_short(c, s->held); /* the end lay in the hole */
			return true;
		}
		return false; /* early, or its command is late: the end of the content will tell */
	}
	if (s->held == 421 || s->no_client)
		return true;
	if (c->peer->midstream && s->held == 220 && !s->client_pos)
		return true; /* the greeting after all */
	if (s->client_ended || (s->reply_acked && behind)) {
		count(c, STAT_SESSION_STRAY_REPLY);
		return true;
	}
	return false;
}

static bool fits(enum smtp_kind kind, int code)
{
	if (code / 100 == 3)
		return kind == SMTP_KIND_DATA || kind == SMTP_KIND_AUTH;
	return kind != SMTP_KIND_DATA || code >= 400;
}

enum lost { LOST_USED, LOST_NEXT, LOST_WAIT };

/* Commands were lost in front of the next one in the queue: is the reply for one of those, or for
 * the next? */
static enum lost for_lost(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	bool to_next = s->reply_acked > s->gap_end;
	if (s->queue.n > 1)
		return (to_next || !s->reply_acked) &&
				       fits(replies_at(c->lines, &s->queue, 1), s->held)
			       ? LOST_NEXT
			       : LOST_USED;
	if (to_next && s->reply_acked > s->client_pos)
		return LOST_WAIT; /* to one that was not read yet */
	if (s->held == 354 && s->state == SMTP_COMMAND && !s->line.at) {
		replies_pop(c->lines, &s->queue); /* DATA was lost, what follows is content */
		s->wait_gap = true;
		smtp_data_replied(c, s->held);
	}
	return LOST_USED;
}

/* Replies were lost: the one at hand is for the last command, unless it cannot be. True: it is used
 * up. */
static bool resync(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	enum smtp_kind last = replies_at(c->lines, &s->queue, s->queue.n - 1u);
	if (last == SMTP_KIND_DATA && s->queue.n > 1 && s->held / 100 != 3)
		return true; /* a reply to RCPT or MAIL; the one to DATA is still to come */
	while (s->queue.n > 1)
		smtp_replied(c, replies_pop(c->lines, &s->queue), 0);
	s->replies_lost = false;
	return false;
}

/* An LMTP server answers once for each recipient (RFC 2033 4.2). True: more are to come. */
static bool lmtp_more(struct smtp *s)
{
	const struct draft *t = s->first;
	while (t && !t->ended)
		t = t->later;
	if (!s->lmtp_left) {
		s->lmtp_left = t && t->m.rcpt_seen ? t->m.rcpt_seen : 1;
		s->lmtp_code = s->held;
	}
	if (s->held / 100 == 2)
		s->lmtp_code = s->held;
	s->held = s->lmtp_code;
	return --s->lmtp_left > 0;
}

static void use_held(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	if (s->greeting_due) {
		s->greeting_due = false;
		s->held = 0;
		return;
	}
	bool used = false;
	if (!s->queue.n) {
		used = stray(c);
	} else if (s->replies_lost) {
		used = resync(c);
	} else if (replies_at(c->lines, &s->queue, 0) == SMTP_KIND_GAP) {
		enum lost lost = for_lost(c);
		if (lost == LOST_WAIT)
			return;
		used = lost == LOST_USED;
		if (!used)
			replies_pop(c->lines, &s->queue);
	}
	if (used)
		s->held = 0;
	if (used || !s->queue.n)
		return;
	if (s->lmtp && replies_at(c->lines, &s->queue, 0) == SMTP_KIND_END && lmtp_more(s)) {
		s->held = 0;
		return;
	}
	int code = s->held;
	s->held = 0;
	smtp_replied(c, replies_pop(c->lines, &s->queue), code);
}

/* Nothing more comes from the server: what still waits for it goes without. */
static void server_gone(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	s->server_end_due = false;
	s->server_ended = true;
	if (!s->server_pos)
		s->no_server = true;
	if (s->queue.n && replies_at(c->lines, &s->queue, s->queue.n - 1u) == SMTP_KIND_DATA &&
	    !s->data_assumed && s->server_pos && !s->replies_lost) {
		replies_set_last(c->lines, &s->queue, SMTP_KIND_OTHER);
		s->state = SMTP_COMMAND;
	}
	smtp_assume_all(c);
}

void smtp_held(const struct smtp_call *c)
{
	if (c->s->held)
		use_held(c);
	if (c->s->gap_due && !c->s->held) {
		c->s->gap_due = false;
		c->s->replies_lost = true;
	}
	if (c->s->server_end_due && !c->s->held)
		server_gone(c);
}

static const char chunking[] = "CHUNKING";

/* Where EHLO's reply offers BDAT (RFC 3030 section 2): the next octet, `at` octets into a line. */
static void keyword(struct smtp *s, size_t at, uint8_t octet)
{
	if (at < 4 || s->keyword > sizeof chunking - 1)
		return;
	if (s->keyword == at - 4 && s->keyword < sizeof chunking - 1 &&
	    (octet & ~0x20) == chunking[s->keyword])
		s->keyword++;
	else if (s->keyword == sizeof chunking - 1 && octet != ' ' && octet != '\r')
		s->keyword = UINT8_MAX; /* a longer word */
}

static void server_line_done(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	const uint8_t *code = s->code;
	uint8_t sep = s->server_line > 3 ? code[3] : '\n';
	bool good = s->server_line >= 3 && code[0] >= '2' && code[0] <= '5' && code[1] >= '0' &&
		    code[1] <= '9' && code[2] >= '0' && code[2] <= '9' &&
		    (sep == ' ' || sep == '-' || sep == '\r' || sep == '\n');
	if (!good && !s->server_cut)
		count(c, STAT_SESSION_BAD_REPLY);
	/* the first reply of a capture that began later answers something before it */
	bool before = c->peer->midstream && !s->replied && !c->in->peer_acked && !s->no_client;
	s->offers = s->offers || s->keyword == sizeof chunking - 1;
	s->keyword = 0;
	if (good && sep != '-') {
		s->replied = true;
		s->held_offers = s->offers;
		s->offers = false;
	}
	if (good && sep != '-' && !before) {
		s->held = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + code[2] - '0');
		s->reply_acked = c->in->peer_acked;
	}
	s->server_line = 0;
	s->server_cut = s->server_long = false;
}

/* Octets of one line, at most to its end. */
static size_t server_line(const struct smtp_call *c, struct bytes in)
{
	struct smtp *s = c->s;
	const uint8_t *lf = memchr(in.p, '\n', in.n);
	size_t n = lf ? (size_t)(lf - in.p) : in.n;
	for (size_t i = 0; i < n && s->server_line + i < sizeof s->code; i++)
		s->code[s->server_line + i] = in.p[i];
	for (size_t i = 0; i < n && s->server_line + i < 4 + sizeof chunking; i++)
		keyword(s, s->server_line + i, in.p[i]);
	s->server_line = n > (size_t)(UINT16_MAX - s->server_line) ? UINT16_MAX
								   : (uint16_t)(s->server_line + n);
	if (s->server_line > assembler_cfg(c->a)->command_max && !s->server_long) {
		s->server_long = true;
		count(c, STAT_SESSION_LONG_LINE);
	}
	if (!lf)
		return n;
	s->server_pos = c->in->off + (size_t)(in.p - c->in->data.p) + n + 1;
	server_line_done(c);
	return n + 1;
}

size_t smtp_server(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	const struct session_input *in = c->in;
	if (s->no_server && !s->server_ended && (in->data.n || in->gap)) {
		s->no_server =
			false; /* it speaks after all, to commands that were answered for it */
		s->replies_lost = true;
	}
	if (s->tls)
		return in->data.n;
	if (!s->server_pos && in->off)
		s->greeting_due = false; /* it was lost before the protocol was known */
	if (in->gap) {
		s->server_pos = s->server_gap_end = in->off + in->data.n;
		s->server_line = 0;
		s->server_cut = true;
		s->gap_due = true;
		s->greeting_due = false;
		smtp_held(c);
		return in->data.n;
	}
	size_t i = 0;
	while (i < in->data.n && !s->tls) {
		smtp_held(c);
		if (s->held) {
			if (!in->last_chance)
				break;
			if (!s->client_pos)
				s->no_client = true;
			else
				count(c, STAT_SESSION_STRAY_REPLY);
			s->held = 0;
			smtp_held(c);
		}
		i += server_line(c, bytes_from(in->data, i));
		s->server_pos = in->off + i;
	}
	if (s->tls)
		i = in->data.n;
	if (in->end && i == in->data.n)
		s->server_end_due = true;
	smtp_held(c);
	return i;
}
