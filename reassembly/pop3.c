#include "reassembly/pop3.h"

enum { TLS_HANDSHAKE = 0x16 };

enum pop3_kind {
	POP3_KIND_OTHER,
	POP3_KIND_LOGIN, /* PASS, APOP */
	POP3_KIND_AUTH,
	POP3_KIND_STLS,
	POP3_KIND_STAT,
	POP3_KIND_SEVERAL, /* answers of several lines: TOP, CAPA, AUTH without a mechanism */
	POP3_KIND_LISTING, /* LIST or UIDL of everything: a line a message */
	POP3_KIND_RETR,
};

struct pop3_call {
	struct session *session;
	struct pop3 *s;
	struct assembler *a;
	struct textline_pool *lines;
	const struct session_peer *peer;
	const struct session_input *in;
};

void pop3_start(struct session *session, const struct session_peer *peer, bool guess, bool at_port)
{
	struct pop3 *s = (struct pop3 *)session->state;
	s->greeting_due = !peer->midstream;
	if (guess)
		s->server = POP3_GUESS;
	s->no_start = peer->midstream;
	s->first_due = peer->midstream && !guess && at_port;
}

static void count(const struct pop3_call *c, enum stats_row what)
{
	stats_add(assembler_stats(c->a), what, 1);
}

/* Messages */

static void message_begin(const struct pop3_call *c, bool no_start)
{
	struct pop3 *s = c->s;
	struct draft *t = assembler_begin(c->a);
	s->server = POP3_MESSAGE;
	s->cur = t;
	s->lost = !t;
	s->skip = (struct dot){ .state = no_start ? DOT_MID : DOT_BOL };
	if (!t)
		return;
	struct message *m = &t->m;
	m->protocol = MESSAGE_POP3;
	session_place(c->peer, m);
	m->number = s->number;
	m->has_mailbox = s->has_mailbox;
	m->mailbox_messages = s->mailbox;
	m->authenticated = s->authenticated;
	if (s->user.at) {
		m->user = assembler_string(c->a, t, textname_get(c->lines, &s->user));
		m->has_user = m->user.p;
	}
	t->begun = true;
	if (no_start) {
		m->flags |= MESSAGE_NO_START;
		t->dot.state = DOT_MID;
		t->header_done = t->broken = true;
	}
}

static void message_end(const struct pop3_call *c, bool complete)
{
	struct pop3 *s = c->s;
	struct draft *t = s->cur;
	s->server = POP3_STATUS;
	if (s->lost)
		count(c, STAT_MESSAGE_LOST);
	s->lost = false;
	if (!t)
		return;
	s->cur = NULL;
	t->m.tx_id = s->tx_id++;
	t->m.time_ns = c->in->now_ns;
	t->m.flags |= (complete ? 0 : MESSAGE_NO_END) | (s->no_client ? MESSAGE_NO_REPLIES : 0) |
		      (c->peer->overlap ? MESSAGE_OVERLAP : 0);
	assembler_finish(c->a, t, complete);
}

static size_t message_octets(const struct pop3_call *c, struct bytes in)
{
	struct pop3 *s = c->s;
	size_t n = s->cur ? assembler_data(c->a, s->cur, in.p, in.n)
			  : assembler_skip(c->a, &s->skip, in.p, in.n);
	if ((s->cur ? &s->cur->dot : &s->skip)->state == DOT_END)
		message_end(c, true);
	return n;
}

/* The queue */

static enum pop3_kind pop(const struct pop3_call *c)
{
	struct pop3 *s = c->s;
	enum pop3_kind kind = replies_pop(c->lines, &s->queue);
	if (kind == POP3_KIND_RETR) {
		s->number = 0;
		for (int i = 0; i < 4; i++)
			s->number = s->number << 8 | replies_pop(c->lines, &s->queue);
	}
	return kind;
}

static void asked(const struct pop3_call *c, enum pop3_kind kind, uint32_t number)
{
	struct pop3 *s = c->s;
	s->asked_acked = c->in->peer_acked;
	if (kind == POP3_KIND_AUTH || kind == POP3_KIND_STLS)
		s->client = POP3_WAIT;
	if (s->no_server) {
		if (s->client == POP3_WAIT)
			s->client = kind == POP3_KIND_AUTH ? POP3_AUTH_GUESS : POP3_TLS_GUESS;
		return;
	}
	replies_push(c->lines, &s->queue, kind);
	for (int i = 24; kind == POP3_KIND_RETR && i >= 0; i -= 8)
		replies_push(c->lines, &s->queue, (uint8_t)(number >> i));
}

/* The client */

static uint32_t number_of(struct bytes b)
{
	uint64_t n = 0;
	for (size_t i = 0; i < b.n && b.p[i] >= '0' && b.p[i] <= '9' && n <= UINT32_MAX; i++)
		n = n * 10 + (uint64_t)(b.p[i] - '0');
	return n <= UINT32_MAX ? (uint32_t)n : 0;
}

static void set_user(const struct pop3_call *c, struct bytes user)
{
	if (user.p && !c->s->authenticated)
		textname_set(c->lines, &c->s->user, user);
}

static void auth_answer(const struct pop3_call *c, struct bytes answer)
{
	uint8_t out[COMMAND_AUTH_MAX];
	set_user(c, command_auth_user(c->s->auth_next, answer, out));
	c->s->auth_next = COMMAND_AUTH_SECRET;
	explicit_bzero(out, sizeof out);
}

static void auth(const struct pop3_call *c, struct bytes args)
{
	struct bytes initial;
	if (!args.n) { /* lists the mechanisms, RFC 1734 as used before CAPA */
		asked(c, POP3_KIND_SEVERAL, 0);
		return;
	}
	c->s->auth_next = command_auth(args, &initial);
	if (initial.n)
		auth_answer(c, initial);
	asked(c, POP3_KIND_AUTH, 0);
}

enum verb {
	VERB_NONE,
	VERB_USER,
	VERB_LOGIN,
	VERB_APOP,
	VERB_AUTH,
	VERB_STLS,
	VERB_STAT,
	VERB_SEVERAL,
	VERB_LISTING,
	VERB_RETR,
	VERB_OTHER,
};

static enum verb verb_of(struct bytes line, struct bytes *args)
{
	static const struct {
		char name[5];
		uint8_t verb;
	} table[] = {
		{ "USER", VERB_USER },    { "PASS", VERB_LOGIN },   { "APOP", VERB_APOP },
		{ "AUTH", VERB_AUTH },    { "STLS", VERB_STLS },    { "STAT", VERB_STAT },
		{ "TOP", VERB_SEVERAL },  { "CAPA", VERB_SEVERAL }, { "LIST", VERB_LISTING },
		{ "UIDL", VERB_LISTING }, { "RETR", VERB_RETR },    { "DELE", VERB_OTHER },
		{ "NOOP", VERB_OTHER },   { "RSET", VERB_OTHER },   { "QUIT", VERB_OTHER },
		{ "UTF8", VERB_OTHER },   { "LANG", VERB_SEVERAL },
	};
	line = bytes_trim(line);
	size_t n = 0;
	while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t')
		n++;
	*args = bytes_trim(bytes_from(line, n));
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (bytes_equal_nocase(bytes_head(line, n), bytes_str(table[i].name)))
			return table[i].verb;
	return VERB_NONE;
}

static void command(const struct pop3_call *c, struct bytes line)
{
	struct pop3 *s = c->s;
	struct bytes args;
	enum verb verb = verb_of(line, &args);
	if (s->client == POP3_AUTH || (s->client == POP3_AUTH_GUESS && verb == VERB_NONE)) {
		bool waits = s->client == POP3_AUTH;
		auth_answer(c, line);
		if (waits)
			asked(c, POP3_KIND_AUTH, 0);
		return;
	}
	s->client = POP3_COMMAND;
	if (s->line.cut || line.n > assembler_cfg(c->a)->command_max)
		count(c, STAT_SESSION_LONG_LINE);
	switch (verb) {
	case VERB_USER:
		set_user(c, args);
		asked(c, POP3_KIND_OTHER, 0);
		return;
	case VERB_APOP: {
		const uint8_t *end = args.n ? memchr(args.p, ' ', args.n) : NULL;
		set_user(c, bytes_head(args, end ? (size_t)(end - args.p) : args.n));
		asked(c, POP3_KIND_LOGIN, 0);
		return;
	}
	case VERB_LOGIN:
		asked(c, POP3_KIND_LOGIN, 0);
		return;
	case VERB_AUTH:
		auth(c, args);
		return;
	case VERB_STLS:
		asked(c, POP3_KIND_STLS, 0);
		return;
	case VERB_STAT:
		asked(c, POP3_KIND_STAT, 0);
		return;
	case VERB_SEVERAL:
		asked(c, POP3_KIND_SEVERAL, 0);
		return;
	case VERB_LISTING:
		asked(c, args.n ? POP3_KIND_OTHER : POP3_KIND_LISTING, 0);
		return;
	case VERB_RETR:
		asked(c, POP3_KIND_RETR, number_of(args));
		return;
	case VERB_NONE:
	case VERB_OTHER:
		asked(c, POP3_KIND_OTHER, 0);
	}
}

static void wait_over(const struct pop3_call *c)
{
	struct pop3 *s = c->s;
	bool stls =
		s->queue.n && replies_at(c->lines, &s->queue, s->queue.n - 1u) == POP3_KIND_STLS;
	s->client = stls ? POP3_TLS_GUESS : POP3_AUTH_GUESS;
	if (!s->server_pos) {
		s->no_server = true;
		replies_clear(c->lines, &s->queue);
	}
}

static size_t client_step(const struct pop3_call *c, struct bytes in)
{
	struct pop3 *s = c->s;
	struct bytes line;
	size_t n;
	switch ((enum pop3_client)s->client) {
	case POP3_COMMAND:
	case POP3_AUTH:
	case POP3_AUTH_GUESS:
		n = textline_push(c->lines, &s->line, in, &line);
		if (line.p) {
			command(c, line);
			textline_done(c->lines, &s->line);
		}
		return n;
	case POP3_TLS_GUESS:
		if (s->tls && in.p[0] != TLS_HANDSHAKE)
			count(c, STAT_SESSION_INJECTION);
		if (s->tls || in.p[0] == TLS_HANDSHAKE) {
			c->session->opaque = true;
			count(c, STAT_SESSION_OPAQUE);
		}
		s->client = POP3_COMMAND;
		return 0;
	case POP3_WAIT:
		wait_over(c);
		return 0;
	}
	return 0;
}

/* The client had all of what is known of the server's side here, and speaks again: the end lay in a
 * hole. */
static void judge_hole(const struct pop3_call *c)
{
	struct pop3 *s = c->s;
	if (s->server == POP3_MESSAGE && !s->queue.n && s->hole_end &&
	    c->in->peer_acked >= s->hole_end && c->in->peer_acked == s->server_pos)
		message_end(c, false);
}

static size_t client(const struct pop3_call *c)
{
	struct pop3 *s = c->s;
	size_t i = 0;
	s->no_client = false;
	if (c->in->gap) {
		textline_done(c->lines, &s->line);
		s->replies_lost =
			true; /* commands were: replies are matched by what they look like */
		i = c->in->data.n;
		s->client_pos = c->in->off + i;
	} else if (c->in->data.n) {
		judge_hole(c);
	}
	while (!c->in->gap && i < c->in->data.n && !c->session->opaque) {
		if (s->client == POP3_WAIT && !c->in->last_chance)
			break;
		if (!replies_room(c->lines, &s->queue, 5)) {
			if (!c->in->last_chance)
				break;
			replies_clear(c->lines, &s->queue);
			s->no_server = !s->server_pos;
			s->replies_lost = true;
		}
		i += client_step(c, bytes_from(c->in->data, i));
		s->client_pos = c->in->off + i;
	}
	return c->session->opaque ? c->in->data.n : i;
}

/* The server */

static bool starts(struct bytes line, const char *word)
{
	struct bytes w = bytes_str(word);
	return bytes_equal(bytes_head(line, w.n), w);
}

static void logged_in(const struct pop3_call *c)
{
	if (!c->s->authenticated)
		count(c, STAT_SESSION_AUTH);
	c->s->authenticated = true;
}

static void replied(const struct pop3_call *c, enum pop3_kind kind, bool ok, struct bytes text)
{
	struct pop3 *s = c->s;
	s->kind = kind;
	if (kind == POP3_KIND_AUTH || kind == POP3_KIND_STLS)
		s->client = POP3_COMMAND;
	if (!ok)
		return;
	switch (kind) {
	case POP3_KIND_LOGIN:
	case POP3_KIND_AUTH:
		logged_in(c);
		return;
	case POP3_KIND_STLS:
		s->tls = true;
		s->client = POP3_TLS_GUESS;
		return;
	case POP3_KIND_STAT:
		s->mailbox = number_of(text);
		s->has_mailbox = text.n && text.p[0] >= '0' && text.p[0] <= '9';
		return;
	case POP3_KIND_SEVERAL:
	case POP3_KIND_LISTING:
		s->server = POP3_LINES;
		s->n_lines = 0;
		s->skip = (struct dot){ 0 };
		return;
	case POP3_KIND_RETR:
		message_begin(c, false);
		return;
	case POP3_KIND_OTHER:
		return;
	}
}

/* The first status line of a capture that began later answers something before it. */
static bool answers_unseen(const struct pop3_call *c)
{
	const struct pop3 *s = c->s;
	return c->peer->midstream && !s->replied && !c->in->peer_acked && !s->no_client;
}

static void status(const struct pop3_call *c, struct bytes line)
{
	struct pop3 *s = c->s;
	bool ok = starts(line, "+OK"), bad = starts(line, "-ERR");
	bool more = starts(line, "+") && (line.n == 1 || line.p[1] == ' ');
	if (!ok && !bad && !more) {
		/* behind a hole in the replies only what is left of a message can be RETR's */
		if (s->server_cut && s->queue.n &&
		    replies_at(c->lines, &s->queue, 0) == POP3_KIND_RETR) {
			pop(c);
			message_begin(c, true);
			message_octets(c, line);
			if (s->server == POP3_MESSAGE)
				message_octets(c, bytes_str("\r\n"));
		} else if (!s->server_cut) {
			count(c, STAT_SESSION_BAD_REPLY);
		}
		return;
	}
	s->server_cut = false;
	bool unseen = answers_unseen(c);
	s->replied = true;
	if (s->greeting_due) {
		s->greeting_due = false;
		return;
	}
	if (unseen) {
		s->first_due = ok;
		s->no_start = false;
		return;
	}
	if (!s->queue.n) {
		if (!s->no_client)
			count(c, STAT_SESSION_STRAY_REPLY);
		else if (ok)
			s->server = POP3_GUESS;
		return;
	}
	enum pop3_kind kind = pop(c);
	while (s->replies_lost && s->queue.n)
		kind = pop(c);
	s->replies_lost = false;
	if (more && kind == POP3_KIND_AUTH)
		s->client = POP3_AUTH;
	else
		replied(c, kind, ok, bytes_trim(bytes_from(line, 3)));
}

/* A field name and a colon, or the white space of a folded line (RFC 5322 2.2). */
static bool like_header(struct bytes line)
{
	size_t n = 0;
	while (n < line.n && line.p[n] > ' ' && line.p[n] < 0x7f && line.p[n] != ':')
		n++;
	return n && n < line.n && line.p[n] == ':';
}

static void guess(const struct pop3_call *c, struct bytes line)
{
	struct pop3 *s = c->s;
	bool no_start = s->no_start;
	s->no_start = false;
	if (starts(line, "+OK") || starts(line, "-ERR")) {
		s->server = POP3_STATUS;
		if (s->cur) /* behind a hole that had the message's end */
			message_end(c, false);
		status(c, line);
		return;
	}
	if (!s->cur && !no_start && !like_header(line)) {
		s->server = bytes_equal(line, bytes_str(".")) ? POP3_STATUS : POP3_LINES;
		s->kind = POP3_KIND_SEVERAL;
		s->skip = (struct dot){ 0 };
		return;
	}
	if (s->cur || s->lost)
		s->server = POP3_MESSAGE;
	else
		message_begin(c, no_start);
	message_octets(c, line);
	if (s->server == POP3_MESSAGE)
		message_octets(c, bytes_str("\r\n"));
}

/* An answer of several lines ends with a line of one dot. */
static size_t several(const struct pop3_call *c, struct bytes in)
{
	struct pop3 *s = c->s;
	if (s->kind == POP3_KIND_LISTING && s->skip.state == DOT_BOL &&
	    (in.p[0] == '+' || in.p[0] == '-')) { /* a listing without its end */
		count(c, STAT_SESSION_BAD_REPLY);
		s->server = POP3_STATUS;
		return 0;
	}
	const uint8_t *lf = memchr(in.p, '\n', in.n);
	size_t n = lf ? (size_t)(lf - in.p) + 1 : in.n;
	assembler_skip(c->a, &s->skip, in.p, n);
	if (lf)
		s->n_lines++;
	if (s->skip.state != DOT_END)
		return n;
	s->server = POP3_STATUS;
	if (s->kind == POP3_KIND_LISTING) {
		s->mailbox = s->n_lines - 1;
		s->has_mailbox = true;
	}
	return n;
}

static size_t server_step(const struct pop3_call *c, struct bytes in)
{
	struct pop3 *s = c->s;
	struct bytes line;
	size_t n;
	switch ((enum pop3_server)s->server) {
	case POP3_MESSAGE:
		return message_octets(c, in);
	case POP3_LINES:
		return several(c, in);
	case POP3_STATUS:
	case POP3_GUESS:
		n = textline_push(c->lines, &s->reply, in, &line);
		if (!line.p)
			return n;
		if (s->reply.cut)
			count(c, STAT_SESSION_LONG_LINE);
		if (s->server == POP3_GUESS)
			guess(c, line);
		else
			status(c, line);
		textline_done(c->lines, &s->reply);
		return n;
	}
	return in.n;
}

static void server_gap(const struct pop3_call *c)
{
	struct pop3 *s = c->s;
	uint64_t n = c->in->data.n;
	s->server_pos = c->in->off + n;
	s->greeting_due = false;
	if (s->server == POP3_MESSAGE) {
		if (s->cur)
			assembler_hole(s->cur, n);
		s->skip.state = DOT_MID;
		s->hole_end = s->server_pos;
		/* the client went on after it had seen all of the hole: a status line may follow */
		if (s->queue.n && (!s->asked_acked || s->asked_acked >= s->hole_end))
			s->server = POP3_GUESS;
		return;
	}
	textline_done(c->lines, &s->reply);
	s->replies_lost = s->server_cut = true;
	s->first_due = false;
	s->skip.state = DOT_MID;
}

/* The line of a status waits for its command; inside of an answer nothing waits. */
static bool server_waits(const struct pop3_call *c)
{
	const struct pop3 *s = c->s;
	return s->server == POP3_STATUS && !s->greeting_due && !s->queue.n && !s->no_client &&
	       !s->replies_lost && !answers_unseen(c);
}

static size_t server(const struct pop3_call *c)
{
	struct pop3 *s = c->s;
	const struct session_input *in = c->in;
	if (s->tls)
		return in->data.n;
	if (s->no_server && (in->data.n || in->gap)) {
		s->no_server = false;
		s->replies_lost = true;
	}
	if (!s->server_pos && in->off)
		s->greeting_due = false; /* it was lost before the protocol was known */
	if (in->gap) {
		server_gap(c);
		return in->data.n;
	}
	size_t i = 0;
	while (i < in->data.n && !s->tls) {
		if (s->first_due) {
			uint8_t first = in->data.p[i];
			s->server = first == '+' || first == '-' ? POP3_STATUS : POP3_GUESS;
			s->first_due = false;
		}
		if (server_waits(c)) {
			if (!in->last_chance)
				break;
			if (!s->client_pos)
				s->no_client = true;
			else
				s->replies_lost = true; /* read on, nothing is known of it */
		}
		i += server_step(c, bytes_from(in->data, i));
		s->server_pos = in->off + i;
	}
	if (s->tls)
		i = in->data.n;
	if (in->end && i == in->data.n && (s->server == POP3_MESSAGE || s->cur))
		message_end(c, false);
	return i;
}

static struct pop3_call call_of(struct session *session, struct assembler *a,
				const struct session_peer *peer, const struct session_input *in)
{
	return (struct pop3_call){ .session = session,
				   .s = (struct pop3 *)session->state,
				   .a = a,
				   .lines = assembler_lines(a),
				   .peer = peer,
				   .in = in };
}

static void forget(const struct pop3_call *c)
{
	struct pop3 *s = c->s;
	if (s->cur)
		message_end(c, false);
	textline_done(c->lines, &s->line);
	textline_done(c->lines, &s->reply);
	textname_clear(c->lines, &s->user);
	replies_clear(c->lines, &s->queue);
}

size_t pop3_push(struct session *session, struct assembler *a, const struct session_peer *peer,
		 const struct session_input *in)
{
	struct pop3_call c = call_of(session, a, peer, in);
	size_t n = in->side == SESSION_CLIENT ? client(&c) : server(&c);
	if (session->opaque)
		forget(&c);
	return n;
}

void pop3_finish(struct session *session, struct assembler *a, const struct session_peer *peer,
		 uint64_t now_ns)
{
	const struct session_input in = { .end = true, .now_ns = now_ns };
	struct pop3_call c = call_of(session, a, peer, &in);
	forget(&c);
}

bool pop3_busy(const struct session *session)
{
	return ((const struct pop3 *)session->state)->server != POP3_STATUS;
}
