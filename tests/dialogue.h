/*
 * dialogue - what both sides of a mail session say, played to a session in any order and cut.
 *
 * Stands in for the connection below: octets that are left over wait until the other side moved on, or
 * get their last chance when nothing else is left. peer_acked is what each side had read by then.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "reassembly/assemble.h"
#include "reassembly/session.h"
#include "tests/test.h"

struct say {
	char who; /* C, S; c, s: the capture lost it; e, f: the client, the server ends */
	const char *p;
	size_t n;
};

#define C(text) \
	{ \
		'C', text, sizeof text - 1 \
	}
#define SRV(text) \
	{ \
		'S', text, sizeof text - 1 \
	}
#define C_LOST(text) \
	{ \
		'c', text, sizeof text - 1 \
	}
#define S_LOST(text) \
	{ \
		's', text, sizeof text - 1 \
	}
#define C_END \
	{ \
		'e', "", 0 \
	}
#define S_END \
	{ \
		'f', "", 0 \
	}

enum order { AS_SAID, CLIENT_FIRST, SERVER_FIRST, AT_RANDOM, ORDERS };
enum { SAYS_MAX = 48, DIALOGUE_TEXT = 65536 };

struct dialogue {
	const char *name;
	struct say say[SAYS_MAX];
	const char *want; /* one line a message, see dialogue_show */
	uint16_t port; /* 0: 25 */
	bool midstream;
	bool one_sided; /* waits are not over by themselves */
	bool in_order; /* only as said: what is known depends on when */
};

struct player {
	struct config cfg;
	struct stats *stats;
	struct assembler *a;
	unsigned last_chances;
	char text[DIALOGUE_TEXT];
};

static inline struct config dialogue_config(void)
{
	struct config cfg = { .smtp_ports = { { 25, 587 }, 2 },
			      .pop3_ports = { { 110 }, 1 },
			      .flow_max = 64,
			      .message_size = 1 << 20,
			      .message_bytes = 16 << 20,
			      .message_max = 64,
			      .command_max = 4096 };
	return cfg;
}

static inline void player_init(struct player *p, const struct config *cfg)
{
	memset(p, 0, sizeof *p);
	p->cfg = *cfg;
	p->stats = aligned_alloc(64, (sizeof *p->stats + 63) / 64 * 64);
	memset(p->stats, 0, sizeof *p->stats);
	p->a = assembler_new(&p->cfg, p->stats);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p->a);
}

static inline void player_free(struct player *p)
{
	assembler_free(p->a);
	free(p->stats);
}

static inline void show_octets(char *out, size_t max, struct bytes b)
{
	size_t at = strlen(out);
	for (size_t i = 0; i < b.n && at + 5 < max; i++) {
		if (b.p[i] == '\r' && i + 1 < b.n && b.p[i + 1] == '\n') {
			out[at++] = '$';
			i++;
		} else if (b.p[i] < ' ' || b.p[i] > '~') {
			at += (size_t)snprintf(out + at, max - at, "%%%02x", b.p[i]);
		} else {
			out[at++] = (char)b.p[i];
		}
	}
	out[at] = 0;
}

static inline void show(char *out, size_t max, const char *word)
{
	show_octets(out, max, bytes_str(word));
}

/* helo|from|rcpt,rcpt|reply|flags|content: unknown is ?, cut off messages have ~missing/intact behind. */
static inline void dialogue_show(char *out, size_t max, const struct message *m)
{
	char num[64];
	if (m->protocol == MESSAGE_POP3) {
		snprintf(num, sizeof num, "#%u/%d ", m->number,
			 m->has_mailbox ? (int)m->mailbox_messages : -1);
		show(out, max, num);
		show_octets(out, max, m->has_user ? m->user : bytes_str("?"));
	} else {
		show_octets(out, max, m->has_helo ? m->helo : bytes_str("?"));
		show(out, max, "|");
		show_octets(out, max, m->has_mail_from ? m->mail_from : bytes_str("?"));
		show(out, max, "|");
		uint32_t n = 0;
		for (const struct message_rcpt *r = m->rcpt; r; r = r->next, n++) {
			if (n)
				show(out, max, ",");
			show_octets(out, max, r->address);
		}
		CU_ASSERT_EQUAL(n, m->n_rcpt);
	}
	snprintf(num, sizeof num, "|%d|", m->reply);
	show(out, max, num);
	const char *sep = "";
	for (uint32_t f = 1; f < 1u << MESSAGE_FLAG_N; f <<= 1) {
		if (!(m->flags & f))
			continue;
		show(out, max, sep);
		show(out, max, message_flag_name(f));
		sep = ",";
	}
	if (m->authenticated)
		show(out, max, *sep ? ",auth" : "auth");
	if (m->auth_user.n) {
		show(out, max, "=");
		show_octets(out, max, m->auth_user);
	}
	if (m->smtputf8)
		show(out, max, "+utf8");
	if (m->binarymime)
		show(out, max, "+binary");
	show(out, max, "|");
	uint64_t size = 0;
	for (const struct message_chunk *c = m->chunks; c; c = c->next) {
		show_octets(out, max, bytes_of(c->data, c->len));
		size += c->len;
	}
	if (!(m->flags & (MESSAGE_TOO_LARGE | MESSAGE_NO_MEMORY)))
		CU_ASSERT_EQUAL(size, m->size);
	if (!m->complete) {
		snprintf(num, sizeof num, "~%u/%u", (unsigned)m->missing, (unsigned)m->intact);
		show(out, max, num);
	}
	size_t at = strlen(out);
	if (at + 1 < max)
		memcpy(out + at, "\n", 2);
}

static inline void player_collect(struct player *p)
{
	struct message *m;
	while ((m = assembler_next(p->a))) {
		dialogue_show(p->text, sizeof p->text, m);
		assembler_release(p->a, m);
	}
}

struct segment {
	uint8_t kind; /* as say.who */
	const uint8_t *p;
	size_t n;
	uint64_t off, acked;
	unsigned at; /* rank of its say */
};

struct side {
	struct segment *seg;
	unsigned n, i;
	size_t used; /* of segment i */
	bool blocked;
};

/* cut: octets of one segment, 0: whole, SIZE_MAX: random lengths. */
static inline void dialogue_segments(const struct dialogue *d, struct side side[2], size_t cut,
				     uint64_t *random)
{
	uint64_t off[2] = { 0 };
	size_t total = 0;
	for (unsigned i = 0; i < SAYS_MAX && d->say[i].who; i++)
		total += d->say[i].n + 1;
	for (int k = 0; k < 2; k++) {
		side[k] = (struct side){ 0 };
		side[k].seg = calloc(total + 1, sizeof(struct segment));
	}
	for (unsigned i = 0; i < SAYS_MAX && d->say[i].who; i++) {
		const struct say *say = &d->say[i];
		int k = say->who == 'S' || say->who == 's' || say->who == 'f';
		bool whole = !cut || say->who == 'c' || say->who == 's';
		for (size_t at = 0; at < say->n || !say->n; at += side[k].seg[side[k].n++].n) {
			size_t len = whole             ? say->n
				     : cut == SIZE_MAX ? 1 + test_random(random) % 7
						       : cut;
			len = len < say->n - at ? len : say->n - at;
			side[k].seg[side[k].n] = (struct segment){ (uint8_t)say->who,
								   (const uint8_t *)say->p + at,
								   len,
								   off[k],
								   off[!k],
								   i };
			off[k] += len;
			if (!say->n) {
				side[k].n++;
				break;
			}
		}
	}
}

/* Offers what is next on that side; false: nothing was taken. */
static inline bool dialogue_offer(struct player *p, struct session *s,
				  const struct session_peer *peer, struct side side[2], int k,
				  bool last_chance, uint64_t *now)
{
	struct side *me = &side[k];
	struct segment *g = &me->seg[me->i];
	bool gap = g->kind == 'c' || g->kind == 's', end = g->kind == 'e' || g->kind == 'f';
	/* a page for each of many small segments would take the time of the test */
	bool guard = !gap && g->n > 7;
	uint8_t *copy = guard ? test_guard(g->p + me->used, g->n - me->used) : NULL;
	struct session_input in = { .side = k ? SESSION_SERVER : SESSION_CLIENT,
				    .gap = gap,
				    .end = end,
				    .last_chance = last_chance,
				    .data = { gap     ? NULL
					      : guard ? copy
						      : g->p + me->used,
					      g->n - me->used },
				    .off = g->off + me->used,
				    .peer_acked = g->acked,
				    .now_ns = ++*now };
	size_t n = session_push(s, p->a, peer, &in);
	CU_ASSERT_FATAL(n <= in.data.n);
	CU_ASSERT(!gap || n == in.data.n);
	if (copy)
		test_guard_free(copy, g->n - me->used);
	player_collect(p);
	if (last_chance)
		n = in.data.n;
	me->used += n;
	me->blocked = me->used < g->n;
	if (n || end)
		side[!k].blocked = false;
	if (me->used == g->n) {
		me->i++;
		me->used = 0;
	}
	return n || end;
}

static inline int dialogue_pick(const struct side side[2], enum order order, uint64_t *random)
{
	bool may[2];
	for (int k = 0; k < 2; k++)
		may[k] = side[k].i < side[k].n && !side[k].blocked;
	if (!may[0] || !may[1])
		return may[0] ? 0 : may[1] ? 1 : -1;
	switch (order) {
	case CLIENT_FIRST:
		return 0;
	case SERVER_FIRST:
		return 1;
	case AT_RANDOM:
		return test_random(random) & 1;
	default:
		return side[0].seg[side[0].i].at > side[1].seg[side[1].i].at;
	}
}

/* Plays it; p->text has the messages, p->last_chances how often a wait had to be given up. */
static inline void dialogue_play(struct player *p, const struct dialogue *d, enum order order,
				 size_t cut, uint64_t *random)
{
	struct side side[2];
	struct session s = { 0 };
	struct session_peer peer = { .client_port = 4000,
				     .server_port = d->port ? d->port : 25,
				     .midstream = d->midstream,
				     .flow_id = 1 };
	peer.client.ip[15] = 1;
	uint64_t now = 0;
	p->text[0] = 0;
	p->last_chances = 0;
	dialogue_segments(d, side, cut, random);
	for (;;) {
		int k = dialogue_pick(side, order, random);
		if (k >= 0) {
			dialogue_offer(p, &s, &peer, side, k, false, &now);
			continue;
		}
		k = side[0].i < side[0].n ? 0 : side[1].i < side[1].n ? 1 : -1;
		if (k < 0)
			break;
		p->last_chances++;
		dialogue_offer(p, &s, &peer, side, k, true, &now);
	}
	session_finish(&s, p->a, &peer, now);
	player_collect(p);
	free(side[0].seg);
	free(side[1].seg);
	/* nothing is left behind */
	CU_ASSERT_EQUAL(textline_pool_out(assembler_lines(p->a)), 0);
	CU_ASSERT_EQUAL(assembler_objects(p->a), 0);
	CU_ASSERT_EQUAL(assembler_bytes(p->a), 0);
}

/* Every order and cut gives the same messages. */
static inline void dialogue_check(const struct dialogue *d)
{
	static const size_t cuts[] = { 0, 1, SIZE_MAX, 7 };
	static struct player p;
	const struct config cfg = dialogue_config();
	uint64_t random = 7;
	player_init(&p, &cfg);
	for (int order = 0; order < (d->in_order ? 1 : ORDERS); order++) {
		for (unsigned i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
			unsigned rounds = order == AT_RANDOM || cuts[i] == SIZE_MAX ? 20 : 1;
			for (unsigned k = 0; k < rounds; k++) {
				dialogue_play(&p, d, order, cuts[i], &random);
				bool ok = strcmp(p.text, d->want) == 0 &&
					  (d->one_sided || !p.last_chances);
				if (!ok) {
					printf("\n%s: order %d cut %zu, %u last chances\n%s"
					       "instead of\n%s",
					       d->name, order, cuts[i], p.last_chances, p.text,
					       d->want);
					CU_FAIL("messages differ");
					player_free(&p);
					return;
				}
			}
		}
	}
	CU_PASS("same in every order");
	player_free(&p);
}

#define CHECK(...) \
	do { \
		static const struct dialogue dialogue = { .name = __func__, __VA_ARGS__ }; \
		dialogue_check(&dialogue); \
	} while (0)
