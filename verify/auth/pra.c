#include "verify/auth/pra.h"

#include "verify/header/mailbox.h"

static const char *const names[] = {
	[PRA_RESENT_SENDER] = "Resent-Sender",
	[PRA_RESENT_FROM] = "Resent-From",
	[PRA_SENDER] = "Sender",
	[PRA_FROM] = "From",
};

const char *pra_field_name(enum pra_field field)
{
	return names[field];
}

static bool is_empty(const struct header *h, uint16_t i)
{
	return bytes_trim(header_value(h, i)).n == 0;
}

/* The uppermost field of that name that is not empty, HEADER_NONE when there is none; how many
 * there are. */
static uint16_t uppermost(const struct header *h, const char *name, unsigned *count)
{
	uint16_t found = HEADER_NONE;
	*count = 0;
	for (uint16_t i = header_last(h, bytes_str(name)); i != HEADER_NONE;
	     i = h->field[i].above) {
		if (is_empty(h, i))
			continue;
		found = i;
		++*count;
	}
	return found;
}

/* A field of that name stands below `from` and above `to`. */
static bool between(const struct header *h, const char *name, uint16_t from, uint16_t to)
{
	for (uint16_t i = header_last(h, bytes_str(name)); i != HEADER_NONE; i = h->field[i].above)
		if (i > from && i < to)
			return true;
	return false;
}

/* Steps 1 to 4: the field, HEADER_NONE when there is none or there are too many. */
static uint16_t choose(struct pra *out, const struct header *h)
{
	unsigned n, n_from;
	uint16_t sender = uppermost(h, names[PRA_RESENT_SENDER], &n);
	uint16_t from = uppermost(h, names[PRA_RESENT_FROM], &n_from);
	out->resent = n || n_from;
	/* a Resent-From: that another hop put above the block of Resent-Sender: is the later one */
	bool later =
		n && n_from &&
		(between(h, "Received", from, sender) || between(h, "Return-Path", from, sender));
	if (n && !later) {
		out->field = PRA_RESENT_SENDER;
		return sender;
	}
	if (n_from) {
		out->field = PRA_RESENT_FROM;
		return from;
	}
	sender = uppermost(h, names[PRA_SENDER], &n);
	if (n) {
		out->field = PRA_SENDER;
		return n == 1 ? sender : HEADER_NONE;
	}
	from = uppermost(h, names[PRA_FROM], &n);
	out->field = n ? PRA_FROM : PRA_NONE;
	return n == 1 ? from : HEADER_NONE;
}

bool pra_find(struct pra *out, const struct header *h, struct arena *arena)
{
	struct mailbox_list list;
	struct mailbox first, other;
	*out = (struct pra){ 0 };
	uint16_t field = choose(out, h);
	if (field == HEADER_NONE)
		return true;
	mailbox_begin(&list, header_value(h, field), arena);
	bool one = mailbox_next(&list, &first) && !mailbox_next(&list, &other);
	if (list.flags & MAILBOX_NO_SPACE)
		return false;
	/* step 5 */
	if (!one || list.flags & MAILBOX_MALFORMED || !first.domain.n || !first.local.n ||
	    first.flags & MAILBOX_LITERAL)
		return true;
	uint8_t *p = arena_take(arena, first.local.n + 1 + first.domain.n);
	if (!p)
		return false;
	memcpy(p, first.local.p, first.local.n);
	p[first.local.n] = '@';
	memcpy(p + first.local.n + 1, first.domain.p, first.domain.n);
	out->address = bytes_of(p, first.local.n + 1 + first.domain.n);
	return true;
}
