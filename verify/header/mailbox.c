#include "verify/header/mailbox.h"

#include "base/encoded.h"
#include "base/utf8.h"

enum place {
	PLACE_LIST,
	PLACE_GROUP, /* behind its colon */
	PLACE_BEHIND_GROUP, /* behind its semicolon: a comma or the end must come */
	PLACE_END,
};

enum token_kind {
	TOKEN_END,
	TOKEN_ATOM,
	TOKEN_QUOTED,
	TOKEN_LITERAL,
	TOKEN_SPECIAL, /* one octet of . @ , : ; < > */
	TOKEN_BAD,
};

struct token {
	enum token_kind kind;
	uint8_t special; /* which; 0: it is another kind */
	size_t off, end;
	bool spaced; /* blanks or a comment in front of it */
};

/* One unit of text at `at`: an octet, a fold, a UTF-8 sequence. Notes what is odd about it. */
static size_t unit(struct mailbox_list *l, size_t at)
{
	uint8_t c = l->in.p[at];
	if (c >= 0x80) {
		unsigned len = utf8_len(l->in.p + at, l->in.n - at);
		if (len == 0)
			l->seen |= MAILBOX_NOT_UTF8;
		return len ? len : 1;
	}
	if ((c >= ' ' && c != 0x7f) || c == '\t')
		return 1;
	if (c == '\r' && at + 1 < l->in.n && l->in.p[at + 1] == '\n' &&
	    (at + 2 == l->in.n || l->in.p[at + 2] == ' ' || l->in.p[at + 2] == '\t'))
		return 2;
	/* receivers end lines at a bare CR or LF, and texts at a NUL, or they do not */
	if (c == '\r' || c == '\n' || c == 0)
		l->seen |= MAILBOX_MALFORMED;
	l->seen |= MAILBOX_CONTROL | MAILBOX_OBSOLETE;
	return 1;
}

/* RFC 5322 section 3.2.3, and UTF-8: all but controls, blanks and ()<>[]:;@\,". in bits. */
static bool is_atext(uint8_t c)
{
	static const uint64_t ascii[2] = { 0xa3ffacfa00000000, 0x7fffffffc7fffffe };
	return c >= 0x80 || (ascii[c / 64] >> c % 64 & 1);
}

/* One of .@,:;<> */
static bool is_special(uint8_t c)
{
	static const uint64_t ascii[2] = { 0x5c00500000000000, 0x0000000000000001 };
	return c < 0x80 && (ascii[c / 64] >> c % 64 & 1);
}

/* From the octet that opens to behind the one that closes; malformed, at the end, without one. */
static size_t enclosed(struct mailbox_list *l, size_t at, uint8_t close)
{
	uint8_t open = l->in.p[at++];
	unsigned depth = 1;
	while (at < l->in.n) {
		uint8_t c = l->in.p[at];
		if (is_atext(c) && c < 0x80) { /* as most is */
			at++;
			continue;
		}
		if (c == '\\' && at + 1 < l->in.n) {
			if (l->in.p[at + 1] == '\r')
				l->seen |= MAILBOX_MALFORMED; /* of a fold, or alone? */
			at += 1 + unit(l, at + 1);
			continue;
		}
		at += unit(l, at);
		if (c == close) {
			if (--depth == 0)
				return at;
		} else if (c == open) { /* never in quotes */
			depth += open == '(';
			if (depth > MAILBOX_DEPTH_MAX || open != '(')
				l->seen |= MAILBOX_MALFORMED;
		}
	}
	l->seen |= MAILBOX_MALFORMED;
	return l->in.n;
}

/* Comments and folding white space (RFC 5322 section 3.2.2). */
static bool skip_cfws(struct mailbox_list *l)
{
	size_t from = l->at;
	while (l->at < l->in.n) {
		uint8_t c = l->in.p[l->at];
		if (c == '(') {
			size_t end = enclosed(l, l->at, ')');
			l->comment = bytes_from(bytes_head(l->in, end), l->at + 1);
			if (l->comment.n && l->in.p[end - 1] == ')')
				l->comment.n--;
			l->at = end;
			continue;
		}
		if (c != ' ' && c != '\t' && (c != '\r' || unit(l, l->at) != 2))
			break;
		l->at += c == '\r' ? 2 : 1;
	}
	return l->at > from;
}

static void token_next(struct mailbox_list *l, struct token *t)
{
	bool spaced = skip_cfws(l);
	*t = (struct token){ .spaced = spaced, .off = l->at };
	if (l->at == l->in.n) {
		t->end = l->at;
		return;
	}
	uint8_t c = l->in.p[l->at];
	if (c == '"' || c == '[') {
		t->kind = c == '"' ? TOKEN_QUOTED : TOKEN_LITERAL;
		l->at = enclosed(l, l->at, c == '"' ? '"' : ']');
	} else if (is_atext(c)) {
		t->kind = TOKEN_ATOM;
		size_t at = l->at; /* not in memory at every octet */
		while (at < l->in.n && is_atext(l->in.p[at]))
			at += l->in.p[at] < 0x80 ? 1 : unit(l, at);
		l->at = at;
	} else if (is_special(c)) {
		t->kind = TOKEN_SPECIAL;
		t->special = c;
		l->at++;
	} else {
		t->kind = TOKEN_BAD;
		l->at += unit(l, l->at);
		l->seen |= MAILBOX_MALFORMED;
	}
	t->end = l->at;
}

static struct bytes between(const struct mailbox_list *l, size_t off, size_t end)
{
	return bytes_of(l->in.p + off, end - off);
}

struct words { /* what stands in front of a special */
	size_t off, end; /* end 0: nothing */
	bool gaps; /* blanks or comments inside */
	bool quoted, literal;
	bool run; /* two words without a dot between: a phrase, no local part */
	bool dot, dots; /* one at all; where no local part or domain has them */
};

/* Words and dots; *t is what came behind them. */
static void read_words(struct mailbox_list *l, struct words *w, struct token *t)
{
	bool word = false;
	*w = (struct words){ 0 };
	for (token_next(l, t);; token_next(l, t)) {
		bool dot = t->special == '.';
		if (!dot && t->kind != TOKEN_ATOM && t->kind != TOKEN_QUOTED &&
		    t->kind != TOKEN_LITERAL)
			break;
		if (!w->end)
			w->off = t->off;
		w->gaps |= w->end && t->spaced;
		w->dot |= dot;
		w->dots |= dot && !word;
		w->run |= !dot && word;
		w->quoted |= t->kind == TOKEN_QUOTED;
		w->literal |= t->kind == TOKEN_LITERAL;
		/* two readings: an address in brackets */
		if (t->kind == TOKEN_LITERAL && (memchr(l->in.p + t->off, '@', t->end - t->off) ||
						 memchr(l->in.p + t->off, '<', t->end - t->off)))
			l->seen |= MAILBOX_MALFORMED;
		word = !dot;
		w->end = t->end;
	}
	w->dots |= w->end && !word;
}

/* A run of tokens without what is between them; plain: without quotes and backslashes too. */
static struct bytes cleaned(struct mailbox_list *l, const struct words *w, bool plain)
{
	struct bytes all = between(l, w->off, w->end);
	if (l->seen & MAILBOX_MALFORMED)
		return bytes_of(NULL, 0);
	if (!w->gaps && !memchr(all.p, '\r', all.n) && !(plain && w->quoted))
		return all;
	uint8_t *out = l->arena ? arena_take(l->arena, all.n) : NULL;
	if (!out) {
		l->seen |= MAILBOX_NO_SPACE | MAILBOX_MALFORMED;
		return bytes_of(NULL, 0);
	}
	struct mailbox_list copy = *l;
	struct token t;
	size_t n = 0;
	copy.in = bytes_head(l->in, w->end);
	copy.at = w->off;
	for (token_next(&copy, &t); t.kind != TOKEN_END; token_next(&copy, &t)) {
		bool unquote = plain && t.kind == TOKEN_QUOTED;
		for (size_t i = t.off + unquote; i < t.end - unquote; i++) {
			if (unquote && l->in.p[i] == '\\' && i + 2 < t.end)
				i++;
			else if (l->in.p[i] == '\r' && i + 1 < t.end && l->in.p[i + 1] == '\n')
				i += 2; /* a fold: the blank behind it stays */
			out[n++] = l->in.p[i];
		}
	}
	return bytes_of(out, n);
}

static bool has_encoded(struct bytes b)
{
	struct encoded_word word;
	for (size_t i = 0; i + 1 < b.n; i++)
		if (b.p[i] == '=' && b.p[i + 1] == '?' && encoded_parse(bytes_from(b, i), &word))
			return true;
	return false;
}

static bool malformed(struct mailbox_list *l)
{
	l->seen |= MAILBOX_MALFORMED;
	return false;
}

/* Behind the "@"; *t is what came behind the domain. */
static bool read_domain(struct mailbox_list *l, struct words *w, struct token *t)
{
	uint32_t before = l->seen & MAILBOX_NOT_UTF8;
	l->seen &= ~(uint32_t)MAILBOX_NOT_UTF8;
	read_words(l, w, t);
	bool utf8 = !(l->seen & MAILBOX_NOT_UTF8);
	l->seen |= before;
	if (!w->end || w->run || w->dots || w->quoted || !utf8)
		return malformed(l);
	if (w->literal && l->in.p[w->off] != '[')
		return malformed(l); /* a literal stands alone */
	if (w->literal) {
		struct bytes b = between(l, w->off, w->end);
		if (memchr(b.p, ']', b.n - 1))
			return malformed(l);
	}
	if (w->gaps)
		l->seen |= MAILBOX_OBSOLETE;
	return true;
}

/* local is read, "@" too. */
static bool read_address(struct mailbox_list *l, struct mailbox *m, const struct words *local,
			 struct token *t)
{
	struct words domain;
	if (!local->end || local->run || local->literal ||
	    !utf8_valid(between(l, local->off, local->end)))
		malformed(l);
	if (local->gaps || local->dots)
		l->seen |= MAILBOX_OBSOLETE;
	if (!read_domain(l, &domain, t))
		return false;
	if (local->end - local->off > MAILBOX_PART_MAX ||
	    domain.end - domain.off > MAILBOX_PART_MAX)
		return malformed(l);
	m->local = cleaned(l, local, false);
	m->name = cleaned(l, local, true);
	m->domain = cleaned(l, &domain, false);
	if (domain.literal)
		l->seen |= MAILBOX_LITERAL;
	if (has_encoded(m->local) || has_encoded(m->domain))
		l->seen |= MAILBOX_ENCODED | MAILBOX_MALFORMED;
	return !(l->seen & MAILBOX_MALFORMED);
}

/* Behind the "<" to behind the ">"; *t is what comes then. */
static bool read_angle(struct mailbox_list *l, struct mailbox *m, struct token *t)
{
	struct words w;
	l->seen |= MAILBOX_ANGLE;
	read_words(l, &w, t);
	if (!w.end && t->special == '>') {
		l->seen |= MAILBOX_NULL;
		token_next(l, t);
		return malformed(l);
	}
	if (!w.end && (t->special == '@' || t->special == ',')) { /* a route (section 4.4) */
		bool any = false;
		l->seen |= MAILBOX_OBSOLETE;
		while (t->special == '@' || t->special == ',') {
			bool at = t->special == '@';
			if (!at)
				token_next(l, t);
			else if (!read_domain(l, &w, t))
				return false;
			any |= at;
		}
		if (!any || t->special != ':')
			return malformed(l);
		read_words(l, &w, t);
	}
	if (t->special != '@' || !read_address(l, m, &w, t) || t->special != '>')
		return malformed(l);
	token_next(l, t);
	return true;
}

/* Up to what ends the mailbox: ",", the end, or a group's ";". */
static void skip_rest(struct mailbox_list *l, struct token *t)
{
	while (t->kind != TOKEN_END && t->special != ',' &&
	       !(t->special == ';' && l->place == PLACE_GROUP))
		token_next(l, t);
}

/* The place behind t, and what t says about the list. */
static void leave(struct mailbox_list *l, const struct token *t)
{
	if (t->kind == TOKEN_END) {
		if (l->place == PLACE_GROUP)
			l->seen |= MAILBOX_MALFORMED;
		l->place = PLACE_END;
	} else if (t->special == ';') {
		l->place = PLACE_BEHIND_GROUP;
		l->group = bytes_of(NULL, 0);
	} else if (l->place == PLACE_BEHIND_GROUP) {
		l->place = PLACE_LIST;
	}
}

static bool ends_mailbox(const struct mailbox_list *l, const struct token *t)
{
	return t->kind == TOKEN_END || t->special == ',' ||
	       (t->special == ';' && l->place == PLACE_GROUP);
}

/* Reads up to the end of a mailbox. False: there was none, a comma alone or a group's edge. */
static bool read_one(struct mailbox_list *l, struct mailbox *m, struct token *t)
{
	struct words w;
	size_t from = l->at;
	read_words(l, &w, t);
	m->raw = between(l, from, t->off);
	if (!w.end && ends_mailbox(l, t)) {
		if (t->special == ',' && l->place != PLACE_BEHIND_GROUP)
			l->seen |= MAILBOX_OBSOLETE; /* a null element */
		return false;
	}
	if (t->special == ':' && l->place == PLACE_LIST && w.end) {
		l->place = PLACE_GROUP;
		l->group = between(l, w.off, w.end);
		l->flags |= MAILBOX_GROUP;
		if (w.dot || w.literal)
			l->seen |= MAILBOX_OBSOLETE;
		return false;
	}
	if (l->place == PLACE_BEHIND_GROUP)
		malformed(l);
	if (t->special == '@') {
		if (read_address(l, m, &w, t) && !ends_mailbox(l, t))
			malformed(l);
	} else if (t->special == '<') {
		m->display = w.end ? between(l, w.off, w.end) : bytes_of(NULL, 0);
		if (w.literal || w.dot)
			l->seen |= MAILBOX_OBSOLETE;
		if (read_angle(l, m, t) && !ends_mailbox(l, t))
			malformed(l);
	} else {
		malformed(l);
	}
	skip_rest(l, t);
	m->raw = between(l, from, t->off);
	return true;
}

void mailbox_begin(struct mailbox_list *l, struct bytes value, struct arena *arena)
{
	*l = (struct mailbox_list){ .in = value, .arena = arena };
	if (!value.p)
		l->in = bytes_of("", 0);
}

bool mailbox_next(struct mailbox_list *l, struct mailbox *m)
{
	while (l->place != PLACE_END) {
		struct token t;
		*m = (struct mailbox){ .group = l->group };
		l->seen = 0;
		l->comment = bytes_of(NULL, 0);
		bool in_group = l->place == PLACE_GROUP;
		bool found = read_one(l, m, &t);
		if (found || t.special != ':')
			leave(l, &t);
		l->flags |= l->seen;
		if (!found)
			continue;
		m->comment = l->comment;
		m->flags = l->seen | (in_group ? MAILBOX_GROUP : 0);
		if (m->flags & MAILBOX_MALFORMED)
			m->local = m->domain = m->name = bytes_of(NULL, 0);
		return true;
	}
	return false;
}
