#include "verify/auth/address.h"

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
static bool single(struct bytes *out, const char *name, const struct header *h, struct arena *arena)
{
	uint16_t i = header_last(h, bytes_str(name));
	if (i == HEADER_NONE)
		return true;
	while (h->field[i].above != HEADER_NONE)
		i = h->field[i].above;
	return unfold(header_value(h, i), arena, out);
}

/* The uppermost VERDICT_FIELD_MAX fields of that name, from the top. */
static bool several(struct bytes *out, uint8_t *n_out, const char *name, const struct header *h,
		    struct arena *arena)
{
	unsigned n = 0;
	for (uint16_t i = header_last(h, bytes_str(name)); i != HEADER_NONE; i = h->field[i].above)
		n++;
	*n_out = n < VERDICT_FIELD_MAX ? (uint8_t)n : VERDICT_FIELD_MAX;
	for (uint16_t i = header_last(h, bytes_str(name)); i != HEADER_NONE; i = h->field[i].above)
		if (--n < VERDICT_FIELD_MAX && !unfold(header_value(h, i), arena, &out[n]))
			return false;
	return true;
}

bool address_email(struct verdict_email *email, const struct header *h, struct arena *arena)
{
	*email = (struct verdict_email){ 0 };
	return several(email->from, &email->n_from, "From", h, arena) &&
	       several(email->to, &email->n_to, "To", h, arena) &&
	       single(&email->subject, "Subject", h, arena) &&
	       single(&email->message_id, "Message-ID", h, arena) &&
	       single(&email->date, "Date", h, arena);
}

/* From a "(" or a quote to behind its end; the end of b when it has none. */
static size_t skip_enclosed(struct bytes b, size_t i)
{
	bool quoted = b.p[i] == '"';
	size_t depth = 0;
	for (; i < b.n; i++) {
		uint8_t c = b.p[i];
		if (c == '\\')
			i++;
		else if (quoted && c == '"' && depth++)
			return i + 1;
		else if (!quoted && c == '(')
			depth++;
		else if (!quoted && c == ')' && --depth == 0)
			return i + 1;
	}
	return b.n;
}

static bool is_domain_octet(uint8_t c)
{
	return (c >= '0' && c <= '9') || (bytes_lower(c) >= 'a' && bytes_lower(c) <= 'z') ||
	       c == '-' || c == '_' || c == '.' || c >= 0x80;
}

struct bytes address_domain(struct bytes value)
{
	const struct bytes none = { NULL, 0 };
	struct bytes domain = none;
	bool angle = false, closed = false;
	for (size_t i = 0; i < value.n;) {
		uint8_t c = value.p[i];
		if (c == '(' || (c == '"' && !closed && !domain.n)) {
			i = skip_enclosed(value, i);
			continue;
		}
		i++;
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (closed)
			return none; /* something behind ">" */
		if (c == '<' && !angle && !domain.n) {
			angle = true;
		} else if (c == '>' && angle) {
			closed = true;
		} else if (c == '@' && !domain.n) {
			size_t start = i;
			while (i < value.n && is_domain_octet(value.p[i]))
				i++;
			domain = bytes_of(value.p + start, i - start);
			if (!domain.n)
				return none;
		} else if (c == ':' && angle && domain.n) {
			domain = none; /* a source route was in front (RFC 5322 section 4.4) */
		} else if (domain.n || c == ',' || c == ':' || c == ';' || c == '<' || c == '>') {
			return none;
		}
	}
	return angle == closed ? domain : none;
}

struct bytes address_author(const struct header *h)
{
	uint16_t i = header_last(h, bytes_str("From"));
	if (i == HEADER_NONE || h->field[i].above != HEADER_NONE)
		return (struct bytes){ NULL, 0 };
	return address_domain(header_value(h, i));
}
