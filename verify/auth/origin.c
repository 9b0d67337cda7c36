#include "verify/auth/origin.h"

#include <arpa/inet.h>

#include "verify/header/cfws.h"
#include "verify/header/octets.h"

/* An IP address as text, also with RFC 5321's "IPv6:" in front. */
static bool parse_ip(struct bytes text, struct address *out)
{
	char z[INET6_ADDRSTRLEN];
	uint8_t v4[4];
	struct bytes tag = bytes_str("IPv6:");
	if (bytes_equal_nocase(bytes_head(text, tag.n), tag))
		text = bytes_from(text, tag.n);
	if (!text.n || text.n >= sizeof z || memchr(text.p, 0, text.n))
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = 0;
	if (inet_pton(AF_INET6, z, out->ip) == 1)
		return true;
	if (inet_pton(AF_INET, z, v4) != 1)
		return false;
	memset(out->ip, 0, 10);
	memset(out->ip + 10, 0xff, 2);
	memcpy(out->ip + 12, v4, 4);
	return true;
}

static bool is_loopback(const struct address *a)
{
	static const uint8_t mapped[13] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 };
	static const uint8_t v6[16] = { [15] = 1 };
	return !memcmp(a->ip, mapped, sizeof mapped) || !memcmp(a->ip, v6, sizeof v6);
}

/* Up to a blank or a bracket. */
static struct bytes word(struct bytes b, size_t at)
{
	size_t end = at;
	while (end < b.n && !cfws_blank(b.p[end]) && b.p[end] != '(' && b.p[end] != ')' &&
	       b.p[end] != ';')
		end++;
	return bytes_of(b.p + at, end - at);
}

static bool starts(struct bytes b, const char *with)
{
	struct bytes w = bytes_str(with);
	return b.n >= w.n && bytes_equal_nocase(bytes_head(b, w.n), w);
}

/* The first address in brackets, not in a comment inside. *any: there are brackets. */
static bool bracketed(struct bytes b, struct address *out, bool *any)
{
	bool whole;
	*any = false;
	for (size_t i = 0; i < b.n;) {
		if (b.p[i] == '(') {
			i = cfws_enclosed(b, i, &whole);
			continue;
		}
		if (b.p[i++] != '[')
			continue;
		const uint8_t *end = memchr(b.p + i, ']', b.n - i);
		*any = true;
		return end && parse_ip(bytes_of(b.p + i, (size_t)(end - b.p) - i), out);
	}
	return false;
}

/* Behind " helo=" of Exim. */
static struct bytes exim_helo(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if ((i == 0 || cfws_blank(b.p[i - 1])) && starts(bytes_from(b, i), "helo="))
			return word(b, i + 5);
	return bytes_of(NULL, 0);
}

/* The comment at *at without its parentheses, and the place behind it. */
static bool comment(struct bytes value, size_t *at, struct bytes *out)
{
	bool whole;
	while (*at < value.n && cfws_blank(value.p[*at]))
		++*at;
	if (*at == value.n || value.p[*at] != '(')
		return false;
	size_t end = cfws_enclosed(value, *at, &whole);
	*out = bytes_of(value.p + *at + 1, end - *at - 1 - whole);
	*at = end;
	return whole;
}

/* qmail has the address alone, or with what the client said it is in front of an "@". */
static bool alone(struct bytes b, struct address *out)
{
	const uint8_t *at = b.n ? memrchr(b.p, '@', b.n) : NULL;
	if (at)
		b = bytes_from(b, (size_t)(at - b.p) + 1);
	return parse_ip(bytes_trim(b), out);
}

bool origin_received(struct bytes value, struct origin_hop *hop)
{
	struct bytes text;
	size_t at = 0;
	bool any;
	*hop = (struct origin_hop){ 0 };
	while (at < value.n && cfws_blank(value.p[at]))
		at++;
	struct bytes from = word(value, at);
	at += from.n;
	if (!bytes_equal_nocase(from, bytes_str("from")))
		return false;
	while (at < value.n && cfws_blank(value.p[at]))
		at++;
	hop->helo = word(value, at);
	at += hop->helo.n;
	if (!comment(value, &at, &text))
		return false;
	if (starts(text, "HELO ")) { /* qmail: the name it said, then the address */
		hop->helo = bytes_trim(bytes_from(text, 5));
		return comment(value, &at, &text) && alone(text, &hop->client);
	}
	struct bytes said = exim_helo(text);
	if (starts(text, "helo=") || starts(text, "port=")) {
		struct bytes literal = hop->helo;
		hop->helo = said;
		return bracketed(literal, &hop->client, &any) && literal.p[0] == '[';
	}
	if (bracketed(text, &hop->client, &any)) {
		if (said.n)
			hop->helo = said;
		return true;
	}
	return !any && alone(text, &hop->client);
}

/* qmail writes a line of its own above what it knows of the client. */
static bool is_remark(struct bytes value)
{
	return starts(bytes_trim(value), "(qmail ");
}

/* Up the row of own relays, from the top of the header. */
static void follow(struct origin *o, const struct header *h, const struct list *relays)
{
	uint16_t field[ORIGIN_HOPS_MAX];
	unsigned n = 0;
	struct origin_hop hop;
	/* the last that are passed on the way up are the uppermost */
	for (uint16_t i = header_known(h, HEADER_RECEIVED); i != HEADER_NONE; i = h->field[i].above)
		field[n++ % ORIGIN_HOPS_MAX] = i;
	unsigned left = n < ORIGIN_HOPS_MAX ? n : ORIGIN_HOPS_MAX;
	for (; left > 0; left--) {
		struct bytes value = header_value(h, field[--n % ORIGIN_HOPS_MAX]);
		if (is_remark(value))
			continue;
		o->hops++;
		if (!origin_received(value, &hop))
			return;
		if (list_has_ip(relays, hop.client.ip) || is_loopback(&hop.client))
			continue;
		o->has_client = true;
		o->client = hop.client;
		o->helo = hop.helo;
		o->has_helo = hop.helo.n > 0;
		return;
	}
}

/* What final delivery put on top: Return-Path: above every Received:. */
static void return_path(struct origin *o, const struct header *h)
{
	uint16_t top = header_known(h, HEADER_RECEIVED);
	uint16_t path = header_known(h, HEADER_RETURN_PATH);
	while (top != HEADER_NONE && h->field[top].above != HEADER_NONE)
		top = h->field[top].above;
	while (path != HEADER_NONE && h->field[path].above != HEADER_NONE)
		path = h->field[path].above;
	if (path == HEADER_NONE || top == HEADER_NONE || path > top)
		return;
	struct bytes value = bytes_trim(header_value(h, path));
	if (value.n < 2 || value.p[0] != '<' || value.p[value.n - 1] != '>')
		return;
	o->mail_from = bytes_of(value.p + 1, value.n - 2);
	o->has_mail_from = true;
}

void origin_find(struct origin *o, const struct message *m, const struct header *h,
		 const struct list *relays)
{
	bool pop3 = m->protocol == MESSAGE_POP3;
	*o = (struct origin){ .has_client = m->has_client && !pop3,
			      .has_helo = m->has_helo,
			      .has_mail_from = m->has_mail_from,
			      .client = m->client,
			      .helo = m->helo,
			      .mail_from = m->mail_from };
	const struct address *relay = pop3 ? &m->server : &m->client;
	if (!m->has_client || !list_has_ip(relays, relay->ip))
		return;
	o->relayed = true;
	o->has_client = o->has_helo = false;
	memset(&o->client, 0, sizeof o->client);
	o->helo = bytes_of(NULL, 0);
	if (!octets_header_whole(m))
		return; /* a field that is cut off tells half an address */
	if (pop3)
		return_path(o, h);
	follow(o, h, relays);
}
