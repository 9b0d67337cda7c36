#include "verify/auth/address.h"

#include "base/encoded.h"
#include "verify/header/display.h"
#include "verify/header/mailbox.h"
#include "verify/dns/names.h"
#include "verify/header/octets.h"
#include "verify/header/scripts.h"

/* Folds taken out: a CRLF in front of a blank, or of the end. */
static bool unfold(struct bytes in, struct arena *arena, struct bytes *out)
{
	in = bytes_trim(in);
	*out = in;
	if (!in.n) {
		*out = bytes_of("", 0);
		return true;
	}
	if (!memchr(in.p, '\r', in.n))
		return true;
	uint8_t *copy = arena_take(arena, in.n);
	size_t n = 0;
	if (!copy)
		return false;
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\r' && i + 1 < in.n && in.p[i + 1] == '\n')
			i++;
		else
			copy[n++] = in.p[i];
	}
	*out = bytes_of(copy, n);
	return true;
}

/* The uppermost field of that name. */
static bool single(struct bytes *out, enum header_name name, const struct header *h,
		   struct arena *arena)
{
	uint16_t i = header_known(h, name);
	if (i == HEADER_NONE)
		return true;
	while (h->field[i].above != HEADER_NONE)
		i = h->field[i].above;
	return unfold(header_value(h, i), arena, out);
}

/* The uppermost VERDICT_FIELD_MAX fields of that name, from the top. */
static bool several(struct bytes *out, uint8_t *n_out, enum header_name name,
		    const struct header *h, struct arena *arena)
{
	unsigned n = 0;
	uint16_t last = header_known(h, name);
	for (uint16_t i = last; i != HEADER_NONE; i = h->field[i].above)
		n++;
	*n_out = n < VERDICT_FIELD_MAX ? (uint8_t)n : VERDICT_FIELD_MAX;
	for (uint16_t i = last; i != HEADER_NONE; i = h->field[i].above)
		if (--n < VERDICT_FIELD_MAX && !unfold(header_value(h, i), arena, &out[n]))
			return false;
	return true;
}

bool address_email(struct verdict_email *email, const struct header *h, struct arena *arena)
{
	*email = (struct verdict_email){ 0 };
	return several(email->from, &email->n_from, HEADER_FROM, h, arena) &&
	       several(email->to, &email->n_to, HEADER_TO, h, arena) &&
	       single(&email->subject, HEADER_SUBJECT, h, arena) &&
	       single(&email->message_id, HEADER_MESSAGE_ID, h, arena) &&
	       single(&email->date, HEADER_DATE, h, arena);
}

/* What one look at From: is made of. */
struct look {
	struct verdict_from *from;
	struct arena *arena;
	struct trace *trace;
	struct display *display;
	uint32_t read; /* mailboxes, malformed ones too */
	uint32_t names; /* domain names made out */
	bool over, no_space;
};

/* Making out a U-label takes time: so many in one message. */
enum { NAMES_TRIED_MAX = 2 * ADDRESS_MAILBOXES_MAX };

/* names_ascii, until a message had too many. */
static struct bytes name_of(struct look *l, struct bytes domain, char out[NAMES_MAX + 1])
{
	if (l->names++ >= NAMES_TRIED_MAX) {
		l->over = true;
		return bytes_of(out, 0);
	}
	return bytes_of(out, names_ascii(domain, out));
}

static bool is_domain_octet(uint8_t c)
{
	return (c >= '0' && c <= '9') || (bytes_lower(c) >= 'a' && bytes_lower(c) <= 'z') ||
	       c == '-' || c == '_' || c == '.' || c >= 0x80;
}

/* Lists an author's domain once; name is on nobody's arena. */
static void show_name(struct look *l, struct bytes name)
{
	struct verdict_from *f = l->from;
	for (unsigned i = 0; i < f->n_shown; i++)
		if (bytes_equal(f->domain[i], name))
			return;
	if (f->n_shown == VERDICT_AUTHORS_MAX) {
		l->over = true;
		return;
	}
	struct bytes copy = arena_copy(l->arena, name);
	if (!copy.p) {
		l->no_space = true;
		return;
	}
	if (scripts_mixed_name(copy))
		f->flags |= FROM_MIXED_SCRIPTS;
	f->domain[f->n_shown++] = copy;
}

/* What of a name stands at i, behind an "@": blanks and a short comment may be between. */
static struct bytes name_at(struct bytes text, size_t i)
{
	enum { COMMENT_MAX = 256 };
	struct bytes b = bytes_from(text, i);
	while (b.n && strchr(" \t\r\n(", b.p[0]) && b.p[0]) {
		const uint8_t *end =
			b.p[0] != '(' ? b.p : memchr(b.p, ')', bytes_head(b, COMMENT_MAX).n);
		if (!end)
			break;
		b = bytes_from(b, (size_t)(end - b.p) + 1);
	}
	size_t n = 0;
	while (n < b.n && is_domain_octet(b.p[n]))
		n++;
	while (n && b.p[n - 1] == '.')
		n--;
	while (n && b.p[0] == '.')
		b.p++, n--;
	return bytes_of(b.p, n);
}

static void show_all(struct look *l, struct bytes text)
{
	char out[NAMES_MAX + 1];
	for (size_t i = 0; i < text.n && !l->over; i++) {
		if (text.p[i] != '@')
			continue;
		struct bytes name = name_of(l, name_at(text, i + 1), out);
		if (name.n)
			show_name(l, name);
	}
}

static void note_display(struct look *l, uint32_t flags)
{
	static const struct {
		uint32_t display, from;
	} same[] = {
		{ DISPLAY_CONTROL, FROM_CONTROL },
		{ DISPLAY_NOT_UTF8, FROM_NOT_UTF8 },
		{ DISPLAY_CHARSET, FROM_UNKNOWN_CHARSET },
		{ DISPLAY_CUT, FROM_LIMIT },
	};
	for (unsigned i = 0; i < sizeof same / sizeof same[0]; i++)
		if (flags & same[i].display)
			l->from->flags |= same[i].from;
}

/* The grammar gives no reading: every name behind an "@" may be what a receiver takes, with encoded
 * words decoded or not. */
static void show_readings(struct look *l, struct bytes raw)
{
	uint8_t octets[DISPLAY_MAX];
	struct encoded_word word;
	show_all(l, raw);
	for (size_t i = 0; i + 1 < raw.n; i++) {
		size_t n = 0;
		if (raw.p[i] != '=' || raw.p[i + 1] != '?' ||
		    !encoded_parse(bytes_from(raw, i), &word))
			continue;
		if (!encoded_octets(&word, octets, sizeof octets, &n)) {
			l->from->flags |= FROM_UNKNOWN_CHARSET;
			continue;
		}
		if (n && memchr(octets, '@', n))
			l->from->flags |= FROM_ENCODED_ADDRESS;
		show_all(l, bytes_of(octets, n));
	}
	display_read(l->display, raw, true);
	note_display(l, l->display->flags);
	show_all(l, display_text(l->display));
}

/* Octets of the "@" in front of b, also of the wide and the small one; 0: there is none. */
static size_t at_sign(struct bytes b)
{
	if (b.p[0] == '@')
		return 1;
	return b.n >= 3 && (!memcmp(b.p, "\xef\xbc\xa0", 3) || !memcmp(b.p, "\xef\xb9\xab", 3)) ? 3
												: 0;
}

/* An address in a text that is not of the domain, nor of one above or below it. */
static bool shows_other(struct look *l, struct bytes text, struct bytes domain)
{
	char own[NAMES_MAX + 1], other[NAMES_MAX + 1];
	struct bytes a = { NULL, 0 };
	for (size_t i = 0; i < text.n && !l->over; i++) {
		bool may = text.p[i] == '@' || text.p[i] == 0xef;
		size_t len = may ? at_sign(bytes_from(text, i)) : 0;
		if (!len)
			continue;
		struct bytes b = name_of(l, name_at(text, i + len), other);
		if (!b.n || !memchr(b.p, '.', b.n))
			continue;
		if (!a.p)
			a = name_of(l, domain, own);
		if (!names_under(a, b) && !names_under(b, a))
			return true;
	}
	return false;
}

/* Reads a phrase or comment into l->display and flags what it shows beside an address of domain. */
static void look_at_text(struct look *l, struct bytes text, bool comment, struct bytes domain)
{
	display_read(l->display, text, comment);
	if (!text.n)
		return;
	note_display(l, l->display->flags);
	struct bytes shown = display_text(l->display);
	if (shows_other(l, shown, domain))
		l->from->flags |= FROM_DISPLAY_ADDRESS;
	if (scripts_mixed(shown))
		l->from->flags |= FROM_MIXED_SCRIPTS;
}

/* The first mailbox of the uppermost field is what a receiver shows. */
static void keep_first(struct look *l, const struct mailbox *m)
{
	struct verdict_from *f = l->from;
	f->display = f->address = f->local = bytes_of(NULL, 0);
	if (l->display->n) {
		f->display = arena_copy(l->arena, display_text(l->display));
		l->no_space |= !f->display.p;
	}
	if (m->flags & MAILBOX_MALFORMED)
		return;
	size_t n = m->local.n + 1 + m->domain.n;
	uint8_t *p = arena_take(l->arena, n);
	f->local = arena_copy(l->arena, m->name);
	if (!p || !f->local.p) {
		l->no_space = true;
		return;
	}
	memcpy(p, m->local.p, m->local.n);
	p[m->local.n] = '@';
	memcpy(p + m->local.n + 1, m->domain.p, m->domain.n);
	f->address = bytes_of(p, n);
}

/* before: the arena without what m has there. */
static void look_at_mailbox(struct look *l, const struct mailbox *m, bool first,
			    struct arena before)
{
	struct verdict_from *f = l->from;
	char out[NAMES_MAX + 1];
	if (m->flags & MAILBOX_NO_SPACE)
		l->no_space = true;
	if (m->flags & MAILBOX_MALFORMED) {
		trace_line(l->trace, TRACE_FROM, 1, "no mailbox: %.*s", (int)m->raw.n, m->raw.p);
		if (first) {
			display_read(l->display, m->raw, true);
			note_display(l, l->display->flags);
			keep_first(l, m);
		}
		return;
	}
	trace_line(l->trace, TRACE_FROM, 1, "mailbox: local part %.*s, domain %.*s",
		   (int)m->local.n, m->local.p, (int)m->domain.n, m->domain.p);
	f->mailboxes++;
	struct bytes name = name_of(l, m->domain, out);
	if (!name.n)
		f->flags |= FROM_NO_DOMAIN;
	if (scripts_mixed(m->name))
		f->flags |= FROM_MIXED_SCRIPTS;
	look_at_text(l, m->group, false, m->domain);
	/* a comment is shown as the name where there is no other */
	look_at_text(l, m->comment, true, m->domain);
	if (m->display.n || first)
		look_at_text(l, m->display.n ? m->display : m->comment, !m->display.n, m->domain);
	if (first)
		keep_first(l, m);
	else
		*l->arena = before;
	if (name.n)
		show_name(l, name);
}

static const struct {
	uint32_t mailbox, from;
} mailbox_flags[] = {
	{ MAILBOX_MALFORMED, FROM_MALFORMED }, { MAILBOX_OBSOLETE, FROM_OBSOLETE },
	{ MAILBOX_GROUP, FROM_GROUP },         { MAILBOX_CONTROL, FROM_CONTROL },
	{ MAILBOX_NOT_UTF8, FROM_NOT_UTF8 },   { MAILBOX_ENCODED, FROM_ENCODED_ADDRESS },
};

/* One From: field; top: the uppermost. */
static void look_at_field(struct look *l, struct bytes value, bool top)
{
	struct mailbox_list list;
	struct mailbox m;
	bool any = false;
	trace_line(l->trace, TRACE_FROM, 0, "From:%.*s", (int)value.n, value.p);
	mailbox_begin(&list, value, l->arena);
	while (!l->over && !l->no_space) {
		struct arena before = *l->arena;
		if (!mailbox_next(&list, &m))
			break;
		look_at_mailbox(l, &m, top && !any, before);
		any = true;
		l->over |= ++l->read == ADDRESS_MAILBOXES_MAX;
	}
	if (!any && !(list.flags & MAILBOX_GROUP))
		list.flags |= MAILBOX_MALFORMED;
	if (list.flags & MAILBOX_MALFORMED)
		show_readings(l, value);
	for (unsigned i = 0; i < sizeof mailbox_flags / sizeof mailbox_flags[0]; i++)
		if (list.flags & mailbox_flags[i].mailbox)
			l->from->flags |= mailbox_flags[i].from;
}

/* Each a reason why no domain may be judged. */
enum {
	FROM_UNCLEAR =
		FROM_NONE | FROM_SEVERAL_FIELDS | FROM_MALFORMED | FROM_NO_DOMAIN | FROM_UNSEEN,
};

bool address_from(struct verdict_from *from, const struct header *h, const struct message *m,
		  struct arena *arena, struct trace *t)
{
	struct display display;
	struct look l = { .from = from, .arena = arena, .trace = t, .display = &display };
	*from = (struct verdict_from){ 0 };
	trace_begin(t, TRACE_FROM);
	if (h->overflow || (m && (m->flags & MESSAGE_HEADER_TOO_LARGE || !octets_header_whole(m))))
		from->flags |= FROM_UNSEEN;
	uint16_t i = header_known(h, HEADER_FROM);
	if (i == HEADER_NONE)
		from->flags |= FROM_NONE;
	else if (h->field[i].above != HEADER_NONE)
		from->flags |= FROM_SEVERAL_FIELDS;
	for (; i != HEADER_NONE && !l.no_space; i = h->field[i].above)
		look_at_field(&l, header_value(h, i), h->field[i].above == HEADER_NONE);
	if (from->mailboxes > 1)
		from->flags |= FROM_SEVERAL_MAILBOXES;
	if (from->n_shown > 1)
		from->flags |= FROM_SEVERAL_DOMAINS;
	if (l.over)
		from->flags |= FROM_LIMIT;
	if (!(from->flags & FROM_UNCLEAR) && !l.over)
		from->n_domain = from->n_shown;
	for (uint32_t bit = 1; bit < 1u << FROM_FLAG_N; bit <<= 1)
		if (from->flags & bit)
			trace_line(t, TRACE_FROM, 1, "flag %s", verdict_from_flag_name(bit));
	for (unsigned k = 0; k < from->n_shown; k++)
		trace_line(t, TRACE_FROM, 1, "author domain %.*s%s", (int)from->domain[k].n,
			   from->domain[k].p, from->n_domain ? "" : ", in some reading");
	return !l.no_space;
}
