#include "reassembly/smtp.h"

#include "reassembly/command.h"

enum {
	TLS_HANDSHAKE = 0x16,
	CHUNK_LIKELY = INT32_MAX, /* a longer one some servers cannot count */
};

void smtp_start(struct session *session, const struct session_peer *peer, bool guess, bool at_port)
{
	struct smtp *s = (struct smtp *)session->state;
	s->greeting_due = !peer->midstream;
	s->guessed = guess;
	if (peer->midstream && !guess && at_port) {
		s->start_due = true;
		s->state = SMTP_DATA_GUESS;
	}
}

static void use_line(const struct smtp_call *c, struct draft *t)
{
	if (!t)
		return;
	if (c->s->line.odd)
		t->m.flags |= MESSAGE_ENVELOPE_NUL;
	if (c->s->line.cut)
		t->m.flags |= MESSAGE_LONG_COMMAND;
}

static void mail(const struct smtp_call *c, struct bytes args)
{
	struct smtp *s = c->s;
	struct bytes address, params, key, value;
	if (!command_path(args, "FROM", &address, &params))
		address = args; /* the server's reply says whether it was taken */
	struct draft *t = smtp_begin(c, true);
	s->lost = !t;
	if (!t) {
		smtp_asked(c, SMTP_KIND_OTHER);
		return;
	}
	t->m.mail_from = assembler_string(c->a, t, address);
	t->m.has_mail_from = t->m.mail_from.p;
	while (command_param(&params, &key, &value)) {
		if (bytes_equal_nocase(key, bytes_str("SMTPUTF8")))
			t->m.smtputf8 = true;
		else if (bytes_equal_nocase(key, bytes_str("BODY")) &&
			 bytes_equal_nocase(value, bytes_str("BINARYMIME")))
			t->m.binarymime = true;
	}
	use_line(c, t);
	smtp_asked(c, SMTP_KIND_MAIL);
}

static void rcpt(const struct smtp_call *c, struct bytes args)
{
	struct smtp *s = c->s;
	struct bytes address, params;
	if (!command_path(args, "TO", &address, &params))
		address = args;
	if (!s->cur && !s->lost)
		s->lost = !smtp_begin(c, false);
	use_line(c, s->cur);
	if (!s->cur)
		smtp_asked(c, SMTP_KIND_OTHER);
	else if (assembler_rcpt(c->a, s->cur, address))
		smtp_asked(c, SMTP_KIND_RCPT);
	else
		smtp_asked(c, SMTP_KIND_RCPT_UNKEPT);
}

/* The client's content is over: it waits for the final reply. */
static void ended(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	struct draft *t = s->cur;
	s->state = SMTP_COMMAND;
	s->cur = NULL;
	s->in_guess = false;
	bool lost = s->lost;
	s->lost = false;
	if (t) {
		t->ended = true;
		t->m.time_ns = c->in->now_ns;
		smtp_asked(c, SMTP_KIND_END);
	} else if (lost) {
		smtp_asked(c, SMTP_KIND_END_LOST);
	}
}

static void chunk_done(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	s->state = SMTP_COMMAND;
	if (s->bdat_last)
		ended(c);
	else
		smtp_asked(c, SMTP_KIND_BDAT);
	s->bdat_answered = s->bdat_last = false;
}

/* The octets of a chunk follow at once, whatever the server will say (RFC 3030 section 2). */
static void chunk_begin(const struct smtp_call *c, uint64_t n, bool last)
{
	struct smtp *s = c->s;
	if (!s->cur && !s->lost)
		s->lost = !smtp_begin(c, false);
	if (s->cur) {
		use_line(c, s->cur);
		if (s->cur->did_data)
			s->cur->m.flags |= MESSAGE_BDAT_MIXED;
		s->cur->dot.raw = true;
		s->cur->begun = true;
	}
	s->bdat_left = n;
	s->bdat_last = last;
	s->state = SMTP_BDAT;
	if (!n)
		chunk_done(c);
}

static void bdat(const struct smtp_call *c, struct bytes args)
{
	struct smtp *s = c->s;
	uint64_t n;
	bool last;
	switch (command_bdat(args, &n, &last)) {
	case COMMAND_BDAT_GOOD:
		if (n <= (s->no_chunking ? 0 : CHUNK_LIKELY)) {
			chunk_begin(c, n, last);
			return;
		}
		/* a server that does not know BDAT or the number reads what follows as commands */
		s->bdat_left = n;
		s->bdat_last = last;
		smtp_asked(c, SMTP_KIND_BDAT_TRY);
		return;
	case COMMAND_BDAT_ODD: /* a server that takes it reads the octets, one that does not does
				  not */
		s->bdat_left = n;
		smtp_asked(c, SMTP_KIND_BDAT_ODD);
		return;
	case COMMAND_BDAT_BAD:
		smtp_asked(c, SMTP_KIND_OTHER);
	}
}

/* A user name that AUTH shows; anything else of it is dropped here. */
static void auth_user(const struct smtp_call *c, struct bytes in)
{
	uint8_t out[COMMAND_AUTH_MAX];
	struct smtp *s = c->s;
	struct bytes user = command_auth_user(s->auth_next, in, out);
	s->auth_next = COMMAND_AUTH_SECRET;
	if (user.p && !s->authenticated)
		textname_set(c->lines, &s->auth_user, user);
	explicit_bzero(out, sizeof out);
}

static void auth(const struct smtp_call *c, struct bytes args)
{
	struct bytes initial;
	c->s->auth_next = command_auth(args, &initial);
	if (initial.n)
		auth_user(c, initial);
	smtp_asked(c, SMTP_KIND_AUTH);
}

/* RFC 4954 section 4: an answer to a challenge, or * to give up. */
static void auth_answer(const struct smtp_call *c, struct bytes line)
{
	struct smtp *s = c->s;
	auth_user(c, line);
	if (s->state == SMTP_AUTH)
		smtp_asked(c, SMTP_KIND_AUTH);
	else if (!s->no_server)
		smtp_asked(c, SMTP_KIND_OTHER);
}

/* One whole line; false when it must be kept until its reply is there. */
static bool command(const struct smtp_call *c, struct bytes line)
{
	struct smtp *s = c->s;
	struct bytes args;
	enum command what = command_parse(line, &args);
	if (s->state == SMTP_AUTH || (s->state == SMTP_AUTH_GUESS && what == COMMAND_OTHER)) {
		auth_answer(c, line);
		return true;
	}
	s->state = SMTP_COMMAND;
	uint32_t max = assembler_cfg(c->a)->command_max;
	if (s->line.cut || (line.n > max && what != COMMAND_AUTH)) {
		s->line.cut = true;
		stats_add(assembler_stats(c->a), STAT_SESSION_LONG_LINE, 1);
		line = bytes_head(line, max);
		what = command_parse(line, &args);
	}
	switch (what) {
	case COMMAND_HELO:
	case COMMAND_EHLO:
	case COMMAND_LHLO:
	case COMMAND_XCLIENT:
		textline_keep(c->lines, &s->line, line);
		smtp_asked(c, what == COMMAND_XCLIENT ? SMTP_KIND_XCLIENT : SMTP_KIND_HELO);
		return false;
	case COMMAND_MAIL:
		mail(c, args);
		break;
	case COMMAND_RCPT:
		rcpt(c, args);
		break;
	case COMMAND_DATA:
		if (s->cur)
			s->cur->did_data = true;
		use_line(c, s->cur);
		smtp_asked(c, SMTP_KIND_DATA);
		break;
	case COMMAND_BDAT:
		bdat(c, args);
		break;
	case COMMAND_RSET:
		for (struct draft *t = s->first; t; t = t->later)
			t->closing = t->closing || !t->ended;
		s->cur = NULL;
		s->lost = false;
		smtp_asked(c, SMTP_KIND_RSET);
		break;
	case COMMAND_AUTH:
		auth(c, args);
		break;
	case COMMAND_STARTTLS:
		smtp_asked(c, SMTP_KIND_STARTTLS);
		break;
	case COMMAND_OTHER:
	case COMMAND_QUIT:
	case COMMAND_NOOP:
		smtp_asked(c, SMTP_KIND_OTHER);
	}
	return true;
}

static size_t lines(const struct smtp_call *c, struct bytes in)
{
	struct bytes line;
	size_t n = textline_push(c->lines, &c->s->line, in, &line);
	if (line.p && command(c, line))
		textline_done(c->lines, &c->s->line);
	return n;
}

static size_t data(const struct smtp_call *c, struct bytes in)
{
	struct smtp *s = c->s;
	struct draft *t = s->cur;
	if (t && !s->early_seen) {
		s->early_seen = true;
		if (c->in->peer_acked && c->in->peer_acked < s->reply_end)
			t->m.flags |= MESSAGE_PIPELINED_EARLY;
	}
	size_t n = t ? assembler_data(c->a, t, in.p, in.n)
		     : assembler_skip(c->a, &s->skip, in.p, in.n);
	if ((t ? &t->dot : &s->skip)->state == DOT_END)
		ended(c);
	return n;
}

static size_t chunk(const struct smtp_call *c, struct bytes in)
{
	struct smtp *s = c->s;
	in = bytes_head(in, s->bdat_left);
	if (s->cur && !s->cur->refused)
		assembler_data(c->a, s->cur, in.p, in.n);
	s->bdat_left -= in.n;
	if (!s->bdat_left)
		chunk_done(c);
	return in.n;
}

static void tls_or_not(const struct smtp_call *c, uint8_t first)
{
	struct smtp *s = c->s;
	if (s->tls && first != TLS_HANDSHAKE)
		stats_add(assembler_stats(c->a), STAT_SESSION_INJECTION, 1);
	if (s->tls || first == TLS_HANDSHAKE) {
		c->session->opaque = true;
		stats_add(assembler_stats(c->a), STAT_SESSION_OPAQUE, 1);
	}
	s->state = SMTP_COMMAND;
}

/* The letters that a line begins with decide; they stay in the line if it is a command. */
static size_t data_guess(const struct smtp_call *c, struct bytes in)
{
	struct smtp *s = c->s;
	struct bytes none, args;
	size_t n = 0;
	while (n < in.n && s->line.len + n < 9 && (in.p[n] | 0x20) >= 'a' &&
	       (in.p[n] | 0x20) <= 'z')
		n++;
	textline_push(c->lines, &s->line, bytes_head(in, n), &none);
	if (n == in.n && s->line.len < 9)
		return n;
	struct bytes word = textline_part(c->lines, &s->line);
	s->state = SMTP_COMMAND;
	if (command_parse(word, &args) != COMMAND_OTHER) {
		s->start_due = false;
		return n;
	}
	uint8_t begin[9];
	word = bytes_head(word, sizeof begin);
	memcpy(begin, word.p, word.n);
	textline_done(c->lines, &s->line);
	if (s->start_due)
		smtp_guess(c);
	else
		smtp_replied(c, SMTP_KIND_DATA, 0);
	s->start_due = false;
	s->early_seen = true;
	data(c, bytes_of(begin, word.n));
	return n;
}

/* The reply will not be read in time: what the client sends now shows what it was. */
static void wait_over(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	if (!s->server_pos) {
		s->no_server = true;
		smtp_assume_all(c);
		return;
	}
	enum smtp_kind kind =
		s->queue.n ? replies_at(c->lines, &s->queue, s->queue.n - 1u) : SMTP_KIND_OTHER;
	if (s->replies_lost) {
		if (kind == SMTP_KIND_DATA)
			replies_set_last(c->lines, &s->queue, SMTP_KIND_OTHER);
		smtp_assume_all(c);
		if (kind == SMTP_KIND_DATA)
			s->state = SMTP_DATA_GUESS;
		s->replies_lost = false;
		return;
	}
	s->state = SMTP_COMMAND;
	switch (kind) {
	case SMTP_KIND_DATA: /* its reply is still due, and may take the message back */
		smtp_replied(c, SMTP_KIND_DATA, 0);
		s->data_assumed = true;
		s->early_seen = true;
		if (s->cur)
			s->cur->m.flags |= MESSAGE_PIPELINED_EARLY;
		return;
	case SMTP_KIND_HELO:
		smtp_replied(c, SMTP_KIND_HELO, 0);
		break;
	case SMTP_KIND_BDAT_TRY: /* it reads the chunk first, so it knows BDAT */
		s->queue.n--;
		s->state = SMTP_BDAT;
		s->bdat_try = true;
		return;
	case SMTP_KIND_AUTH:
		s->state = SMTP_AUTH_GUESS;
		break;
	case SMTP_KIND_STARTTLS:
		s->injection = true;
		s->state = SMTP_TLS_GUESS;
		break;
	default:
		textline_done(c->lines, &s->line);
	}
	replies_set_last(c->lines, &s->queue, SMTP_KIND_OTHER);
}

/* The client had read as much of the server's side as is known here, and a reply of it was lost. */
static bool reply_was_lost(const struct smtp_call *c)
{
	const struct smtp *s = c->s;
	return s->replies_lost && c->in->peer_acked >= s->server_gap_end &&
	       c->in->peer_acked <= s->server_pos;
}

static size_t client_step(const struct smtp_call *c, struct bytes in)
{
	struct smtp *s = c->s;
	if (s->judge_glue) {
		s->judge_glue = false;
		if (c->in->peer_acked && c->in->peer_acked < s->reply_end) {
			s->injection = true;
			stats_add(assembler_stats(c->a), STAT_SESSION_INJECTION, 1);
		}
	}
	switch ((enum smtp_state)s->state) {
	case SMTP_COMMAND:
	case SMTP_AUTH:
	case SMTP_AUTH_GUESS:
		return lines(c, in);
	case SMTP_DATA:
		/* a reply to what is guessed to be content will show that it is none */
		if (s->in_guess && s->held && s->reply_acked > s->client_pos)
			in = bytes_head(in, s->reply_acked - s->client_pos);
		return data(c, in);
	case SMTP_BDAT:
		if (s->bdat_try) {
			s->bdat_try = false;
			chunk_begin(c, s->bdat_left, s->bdat_last);
		}
		return chunk(c, in);
	case SMTP_TLS_GUESS:
		tls_or_not(c, in.p[0]);
		return 0;
	case SMTP_WAIT:
		wait_over(c);
		return 0;
	case SMTP_DATA_GUESS:
		return data_guess(c, in);
	}
	return 0;
}

static void read_to(struct smtp *s, uint64_t pos)
{
	bool part = s->line.len || s->line.cr || s->line.cut;
	s->client_pos = pos;
	if (!part || s->state == SMTP_WAIT)
		s->line_pos = pos;
}

/* Octets of the client were lost. */
static void client_gap(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	uint64_t n = c->in->data.n, inside = 0;
	read_to(s, c->in->off + n);
	if (s->state == SMTP_DATA || s->state == SMTP_BDAT) {
		inside = s->state == SMTP_BDAT && s->bdat_left < n ? s->bdat_left : n;
		if (s->cur)
			assembler_hole(s->cur, inside);
		else
			s->skip.state = DOT_MID;
		s->hole_end = s->client_pos;
		if (s->state == SMTP_BDAT && n) {
			s->bdat_left -= inside;
			if (!s->bdat_left)
				chunk_done(c);
		}
		if (s->state == SMTP_DATA || inside == n)
			return;
	}
	if (s->state == SMTP_WAIT) {
		s->wait_gap = true;
		s->hole_end = s->client_pos;
		return;
	}
	textline_done(c->lines, &s->line);
	read_to(s, s->client_pos);
	s->state = SMTP_COMMAND;
	s->gap_end = s->client_pos;
	if (!s->no_server && !s->server_ended &&
	    !(s->queue.n && replies_at(c->lines, &s->queue, s->queue.n - 1u) == SMTP_KIND_GAP))
		replies_push(c->lines, &s->queue, SMTP_KIND_GAP);
}

static size_t client(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	size_t i = 0;
	s->no_client = false;
	if (c->in->gap) {
		client_gap(c);
		i = c->in->data.n;
	} else {
		read_to(s, c->in->off);
		while (i < c->in->data.n && !c->session->opaque) {
			smtp_held(c); /* before a command that it cannot be for is read */
			if (s->state == SMTP_WAIT && !c->in->last_chance && !reply_was_lost(c))
				break;
			/* what the client had heard by then tells content from commands */
			if ((s->in_guess || s->start_due) && !c->in->last_chance &&
			    c->in->peer_acked > s->server_pos)
				break;
			if (s->state != SMTP_WAIT && !replies_room(c->lines, &s->queue, 2)) {
				if (!c->in->last_chance)
					break;
				smtp_assume_all(c);
				s->replies_lost = true;
			}
			i += client_step(c, bytes_from(c->in->data, i));
			read_to(s, c->in->off + i);
		}
	}
	if (c->session->opaque)
		return c->in->data.n;
	if (c->in->end && i == c->in->data.n) {
		s->client_ended = true;
		smtp_cut_short(c, s->held);
		if (s->state != SMTP_WAIT) {
			textline_done(c->lines, &s->line);
			s->state = SMTP_COMMAND;
		}
	}
	smtp_held(c);
	return i;
}

static struct smtp_call call_of(struct session *session, struct assembler *a,
				const struct session_peer *peer, const struct session_input *in)
{
	return (struct smtp_call){ .session = session,
				   .s = (struct smtp *)session->state,
				   .a = a,
				   .lines = assembler_lines(a),
				   .peer = peer,
				   .in = in };
}

static void forget(const struct smtp_call *c)
{
	struct smtp *s = c->s;
	while (s->first)
		smtp_drop(c, s->first);
	textline_done(c->lines, &s->line);
	textname_clear(c->lines, &s->helo);
	textname_clear(c->lines, &s->auth_user);
	textname_clear(c->lines, &s->xclient);
	replies_clear(c->lines, &s->queue);
}

size_t smtp_push(struct session *session, struct assembler *a, const struct session_peer *peer,
		 const struct session_input *in)
{
	struct smtp_call c = call_of(session, a, peer, in);
	if (c.s->guessed) {
		c.s->guessed = false;
		smtp_guess(&c);
	}
	size_t n = in->side == SESSION_CLIENT ? client(&c) : smtp_server(&c);
	if (session->opaque) {
		smtp_assume_all(&c);
		forget(&c);
	}
	return n;
}

void smtp_finish(struct session *session, struct assembler *a, const struct session_peer *peer,
		 uint64_t now_ns)
{
	const struct session_input in = { .side = SESSION_CLIENT, .end = true, .now_ns = now_ns };
	struct smtp_call c = call_of(session, a, peer, &in);
	smtp_cut_short(&c, c.s->held);
	smtp_held(&c);
	if (c.s->held && !c.s->no_client)
		stats_add(assembler_stats(a), STAT_SESSION_STRAY_REPLY, 1);
	c.s->server_ended = true;
	smtp_assume_all(&c);
	forget(&c);
}

bool smtp_busy(const struct session *session)
{
	const struct smtp *s = (const struct smtp *)session->state;
	return s->first || s->state == SMTP_DATA || s->state == SMTP_BDAT;
}
