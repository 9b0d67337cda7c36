#include "reassembly/session.h"

#include "reassembly/command.h"
#include "reassembly/pop3.h"
#include "reassembly/smtp.h"

/*
 * Before the protocol is known its state is a probe: the first octets of each side, at most
 * PROBE_MAX. They are taken from the connection, since it would not give more of a side that waits
 * for nothing.
 */
enum { PROBE_MAX = 16 };

struct probe {
	uint8_t side[2][PROBE_MAX];
	uint8_t n[2];
	uint64_t peer_acked[2];
	uint64_t off[2];
	bool gave_up; /* the wait for the server */
};
_Static_assert(sizeof(struct probe) <= SESSION_STATE, "it shares the room of the protocols");

enum words { WORDS_MORE, WORDS_SMTP, WORDS_POP3, WORDS_EITHER, WORDS_CONTENT, WORDS_OTHER };

static bool starts(struct bytes b, const char *word)
{
	struct bytes w = bytes_str(word);
	return b.n >= w.n && bytes_equal_nocase(bytes_head(b, w.n), w);
}

/* Judged by the first line, or as much of it as a probe holds, so that the cuts do not matter. */
static enum words no_words(struct bytes b, bool last)
{
	const uint8_t *lf = b.n ? memchr(b.p, '\n', b.n) : NULL;
	if (!lf && !last && b.n < PROBE_MAX)
		return WORDS_MORE;
	b = bytes_head(b, lf ? (size_t)(lf - b.p) + 1 : b.n);
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < ' ' && b.p[i] != '\r' && b.p[i] != '\n' && b.p[i] != '\t')
			return WORDS_OTHER; /* TLS and the like */
	return b.n && b.p[0] == '*' ? WORDS_OTHER : WORDS_CONTENT; /* IMAP, Redis */
}

/* What the server begins with: a reply of SMTP, a status of POP3, or neither. */
static enum words server_words(struct bytes b, bool last)
{
	if (starts(b, "+OK") || starts(b, "-ERR") || starts(b, "+ "))
		return WORDS_POP3;
	bool digits = b.n >= 3;
	for (size_t i = 0; i < b.n && i < 3; i++)
		digits = digits && b.p[i] >= '0' && b.p[i] <= '9';
	if (digits && b.n >= 4 && strchr(" -\r\n", b.p[3]) && b.p[3] && b.p[0] >= '2' &&
	    b.p[0] <= '5')
		return WORDS_SMTP;
	return no_words(b, last);
}

static enum words client_words(struct bytes b, bool last)
{
	static const char *const smtp[] = { "HELO", "EHLO", "LHLO",     "MAIL",    "RCPT",
					    "DATA", "BDAT", "STARTTLS", "XCLIENT", "VRFY",
					    "EXPN", "ETRN", "XFORWARD" };
	static const char *const pop3[] = { "USER", "PASS", "APOP", "CAPA", "STLS", "STAT",
					    "LIST", "UIDL", "RETR", "TOP",  "DELE" };
	static const char *const either[] = { "AUTH", "QUIT", "NOOP", "RSET", "HELP" };
	size_t n = 0;
	while (n < b.n && ((b.p[n] | 0x20) >= 'a' && (b.p[n] | 0x20) <= 'z'))
		n++;
	if (n == b.n && !last && n < PROBE_MAX)
		return WORDS_MORE;
	struct bytes verb = bytes_head(b, n);
	bool blank = n < b.n && strchr(" \t\r\n", b.p[n]) && b.p[n];
	for (size_t i = 0; blank && i < sizeof smtp / sizeof smtp[0]; i++)
		if (bytes_equal_nocase(verb, bytes_str(smtp[i])))
			return WORDS_SMTP;
	for (size_t i = 0; blank && i < sizeof pop3 / sizeof pop3[0]; i++)
		if (bytes_equal_nocase(verb, bytes_str(pop3[i])))
			return WORDS_POP3;
	for (size_t i = 0; blank && i < sizeof either / sizeof either[0]; i++)
		if (bytes_equal_nocase(verb, bytes_str(either[i])))
			return WORDS_EITHER;
	return no_words(b, last);
}

static bool listed(const struct config_ports *ports, uint16_t port)
{
	for (uint32_t i = 0; i < ports->n; i++)
		if (ports->port[i] == port)
			return true;
	return false;
}

static enum session_protocol by_port(const struct assembler *a, const struct session_peer *peer)
{
	const struct config *cfg = assembler_cfg(a);
	return listed(&cfg->pop3_ports, peer->server_port) &&
			       !listed(&cfg->smtp_ports, peer->server_port)
		       ? SESSION_IS_POP3
		       : SESSION_IS_SMTP;
}

/* The protocol these words tell; SESSION_UNKNOWN: more words are needed, or, unless now, the other
 * side's. */
static enum session_protocol judge(const struct assembler *a, const struct session_peer *peer,
				   enum session_side side, enum words words, bool now,
				   bool *content)
{
	enum session_protocol port = by_port(a, peer);
	*content = false;
	switch (words) {
	case WORDS_MORE:
		return SESSION_UNKNOWN;
	case WORDS_SMTP:
		return SESSION_IS_SMTP;
	case WORDS_POP3:
		return SESSION_IS_POP3;
	case WORDS_EITHER:
		return port;
	case WORDS_OTHER:
		return SESSION_IS_OTHER;
	case WORDS_CONTENT:
		/* text that is no command or reply: content, where the protocol has it on this side
		 */
		if (!peer->midstream)
			return SESSION_IS_OTHER;
		if (side == SESSION_SERVER && port == SESSION_IS_SMTP)
			return port; /* a line of a long reply */
		*content = port == (side == SESSION_CLIENT ? SESSION_IS_SMTP : SESSION_IS_POP3);
		return *content || now ? port : SESSION_UNKNOWN;
	}
	return SESSION_UNKNOWN;
}

static size_t push_known(struct session *s, struct assembler *a, const struct session_peer *peer,
			 const struct session_input *in)
{
	if (s->opaque)
		return in->data.n;
	return s->protocol == SESSION_IS_POP3 ? pop3_push(s, a, peer, in)
					      : smtp_push(s, a, peer, in);
}

/* Octets a probe took are read now by the protocol; it takes all of a probe's, as first octets of a
 * side. */
static void replay(struct session *s, struct assembler *a, const struct session_peer *peer,
		   const struct session_input *in, const struct probe *p, enum session_side side)
{
	struct session_input first = *in;
	first.side = side;
	first.gap = first.end = false;
	first.off = p->off[side];
	first.peer_acked = p->peer_acked[side];
	first.data = bytes_of(p->side[side], p->n[side]);
	first.last_chance = true;
	if (p->n[side])
		push_known(s, a, peer, &first);
}

static void begin(struct session *s, struct assembler *a, const struct session_peer *peer,
		  const struct session_input *in, enum session_protocol protocol, bool content)
{
	struct probe p;
	memcpy(&p, s->state, sizeof p);
	memset(s->state, 0, sizeof s->state);
	s->protocol = (uint8_t)protocol;
	if (protocol == SESSION_IS_OTHER) {
		s->opaque = true;
		stats_add(assembler_stats(a), STAT_SESSION_OTHER, 1);
		return;
	}
	bool at_port = by_port(a, peer) == protocol;
	if (protocol == SESSION_IS_POP3)
		pop3_start(s, peer, content, at_port);
	else
		smtp_start(s, peer, content, at_port);
	stats_add(assembler_stats(a),
		  protocol == SESSION_IS_POP3 ? STAT_SESSION_POP3 : STAT_SESSION_SMTP, 1);
	replay(s, a, peer, in, &p, SESSION_SERVER);
	replay(s, a, peer, in, &p, SESSION_CLIENT);
}

size_t session_push(struct session *s, struct assembler *a, const struct session_peer *peer,
		    const struct session_input *in)
{
	if (s->protocol != SESSION_UNKNOWN)
		return push_known(s, a, peer, in);
	struct probe *p = (struct probe *)s->state;
	enum session_side side = in->side;
	if (in->gap && !p->n[side])
		return in->data.n; /* what is behind it will tell */
	/* the server speaks first: a client that does not wait for it is left waiting */
	p->gave_up = p->gave_up || (side == SESSION_CLIENT && in->last_chance);
	if (side == SESSION_CLIENT && !peer->midstream && !p->gave_up && in->data.n)
		return 0;
	if (!p->n[side]) {
		p->off[side] = in->off;
		p->peer_acked[side] = in->peer_acked;
	}
	size_t n = 0;
	if (!in->gap) {
		n = bytes_head(in->data, (size_t)PROBE_MAX - p->n[side]).n;
		if (n)
			memcpy(p->side[side] + p->n[side], in->data.p, n);
	}
	struct bytes all = bytes_of(p->side[side], p->n[side] + n);
	bool last = in->end || in->gap, full = last || all.n == PROBE_MAX, content;
	if (!all.n)
		return in->data.n;
	enum words words =
		side == SESSION_CLIENT ? client_words(all, full) : server_words(all, full);
	enum session_protocol protocol =
		judge(a, peer, side, words, last || in->last_chance, &content);
	if (protocol == SESSION_UNKNOWN) {
		/* whole lines wait outside: a replay could not wait for their replies */
		if (words != WORDS_MORE)
			return 0;
		p->n[side] = (uint8_t)(p->n[side] + n);
		return n;
	}
	begin(s, a, peer, in, protocol, content);
	return push_known(s, a, peer, in);
}

void session_finish(struct session *s, struct assembler *a, const struct session_peer *peer,
		    uint64_t now_ns)
{
	const struct probe *p = (const struct probe *)s->state;
	if (s->protocol == SESSION_IS_SMTP && !s->opaque)
		smtp_finish(s, a, peer, now_ns);
	else if (s->protocol == SESSION_IS_POP3 && !s->opaque)
		pop3_finish(s, a, peer, now_ns);
	else if (s->protocol == SESSION_UNKNOWN && (p->n[SESSION_CLIENT] || p->n[SESSION_SERVER]))
		stats_add(assembler_stats(a), STAT_SESSION_OTHER, 1);
	memset(s, 0, sizeof *s);
}

bool session_busy(const struct session *s)
{
	if (s->opaque)
		return false;
	return s->protocol == SESSION_IS_SMTP   ? smtp_busy(s)
	       : s->protocol == SESSION_IS_POP3 ? pop3_busy(s)
						: false;
}
