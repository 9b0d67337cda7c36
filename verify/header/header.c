#include "verify/header/header.h"

#include "base/eight.h"

enum { KNOWN_LEN_MAX = 27 };

static const uint32_t other = 1u << 31; /* in the key of a name that is not known */

#define KNOWN_TEXT(symbol, name) name,
static const char known_text[HEADER_KNOWN_N][KNOWN_LEN_MAX + 1] = { HEADER_NAMES(KNOWN_TEXT) };
#undef KNOWN_TEXT

/* By the length of a name: the first that is as long or longer. */
/* clang-format off */
static const uint8_t known_first[KNOWN_LEN_MAX + 2] = {
	[0 ... 2] = HEADER_TO, [3] = HEADER_BCC, [4] = HEADER_FROM, [5 ... 6] = HEADER_SENDER,
	[7] = HEADER_SUBJECT, [8] = HEADER_REPLY_TO, [9 ... 10] = HEADER_MESSAGE_ID,
	[11] = HEADER_IN_REPLY_TO, [12] = HEADER_MIME_VERSION, [13] = HEADER_RESENT_SENDER,
	[14] = HEADER_DKIM_SIGNATURE, [15 ... 16] = HEADER_LIST_UNSUBSCRIBE,
	[17 ... 21] = HEADER_ARC_MESSAGE_SIGNATURE, [22] = HEADER_AUTHENTICATION_RESULTS,
	[23 ... 25] = HEADER_CONTENT_TRANSFER_ENCODING, [26] = HEADER_ARC_AUTHENTICATION_RESULTS,
	[27] = HEADER_X_POSTERN_DMARC_FAIL_POLICY, [28] = HEADER_KNOWN_N,
};
/* clang-format on */

/* Two names of n octets but for their last 8 are the same, in any case. */
static bool fronts_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i + 8 < n; i += 8)
		if (eight_lower(eight_load(a + i)) != eight_lower(eight_load(b + i)))
			return false;
	return true;
}

/* HEADER_KNOWN_N: none of them. tail: of the name in lower case. */
static uint32_t known_of(struct bytes name, uint64_t tail)
{
	if (name.n > KNOWN_LEN_MAX)
		return HEADER_KNOWN_N;
	for (uint32_t i = known_first[name.n]; i < known_first[name.n + 1]; i++) {
		const uint8_t *text = (const uint8_t *)known_text[i];
		if (eight_tail(text, name.n) == tail && fronts_equal(text, name.p, name.n))
			return i;
	}
	return HEADER_KNOWN_N;
}

/* Of a name of 1 octet or more; see header_field. */
static uint32_t key_of(uint64_t seed, struct bytes name)
{
	uint64_t tail = eight_lower(eight_tail(name.p, name.n)), x = seed ^ name.n;
	uint32_t known = known_of(name, tail);
	if (known < HEADER_KNOWN_N)
		return known;
	for (size_t i = 0; i + 8 < name.n; i += 8)
		x = eight_mix(x, eight_lower(eight_load(name.p + i)));
	return (uint32_t)(eight_mix(x, tail) >> 8) | other;
}

/* The slot of that name, which is not known, or the free one where it belongs. */
static uint32_t find(const struct header *h, struct bytes name, uint32_t key)
{
	uint32_t i = key & h->mask;
	for (; h->slot[i]; i = (i + 1) & h->mask) {
		const struct header_field *f = &h->field[h->slot[i] - 1];
		const uint8_t *p = h->octets.p + f->off;
		if (f->key == key && f->name_len == name.n && fronts_equal(p, name.p, name.n) &&
		    eight_lower(eight_tail(p, name.n)) == eight_lower(eight_tail(name.p, name.n)))
			break;
	}
	return i;
}

uint16_t header_last(const struct header *h, struct bytes name)
{
	if (!h->n || !name.n)
		return HEADER_NONE;
	uint32_t key = key_of(h->seed, name);
	if (key < HEADER_KNOWN_N)
		return header_known(h, key);
	return (uint16_t)(h->slot[find(h, name, key)] - 1);
}

struct bytes header_value(const struct header *h, uint16_t i)
{
	const struct header_field *f = &h->field[i];
	struct bytes b = bytes_of(h->octets.p + f->value, f->off + f->len - f->value);
	if (b.n >= 2 && b.p[b.n - 2] == '\r' && b.p[b.n - 1] == '\n')
		b.n -= 2;
	return b;
}

/* Length of the field at the front of b: to the CRLF that no blank follows, or all. */
static size_t field_len(struct bytes b)
{
	size_t i = 0;
	while (i < b.n) {
		const uint8_t *lf = memchr(b.p + i, '\n', b.n - i);
		if (!lf)
			return b.n;
		i = (size_t)(lf - b.p) + 1;
		bool crlf = i >= 2 && b.p[i - 2] == '\r';
		if (crlf && (i == b.n || (b.p[i] != ' ' && b.p[i] != '\t')))
			return i;
	}
	return b.n;
}

/* Where a name ends: at a colon, and at what no name has. */
static uint64_t ends_name(uint64_t x)
{
	return eight_under(x, '!') | eight_is(x, 0x7f) | eight_high(x) | eight_is(x, ':');
}

/* Octets of the name in front of the colon; *colon is where that is. 0: none. */
static size_t name_len(struct bytes b, size_t *colon)
{
	size_t n = 0;
	uint64_t end = 0;
	while (b.n - n >= 8 && !(end = ends_name(eight_load(b.p + n))))
		n += 8;
	if (end)
		n += eight_first(end);
	while (!end && n < b.n && b.p[n] > ' ' && b.p[n] < 0x7f && b.p[n] != ':')
		n++;
	size_t i = n;
	while (i < b.n && (b.p[i] == ' ' || b.p[i] == '\t'))
		i++;
	*colon = i;
	return i < b.n && b.p[i] == ':' ? n : 0;
}

/* The empty line that ends the section is no field. */
static struct bytes without_end(struct bytes b)
{
	if (b.n == 2 && b.p[0] == '\r' && b.p[1] == '\n')
		b.n = 0;
	else if (b.n >= 4 && memcmp(b.p + b.n - 4, "\r\n\r\n", 4) == 0)
		b.n -= 2;
	return b;
}

/* The field of len octets in front of rest. */
static void read_field(const struct header *h, struct bytes rest, size_t len,
		       struct header_field *f)
{
	size_t colon;
	size_t n = name_len(bytes_head(rest, len), &colon);
	uint32_t off = (uint32_t)(rest.p - h->octets.p);
	*f = (struct header_field){ .off = off,
				    .len = (uint32_t)len,
				    .value = off + (n ? (uint32_t)colon + 1 : 0),
				    .name_len = (uint32_t)n,
				    .key = n ? key_of(h->seed, bytes_of(rest.p, n)) : 0,
				    .above = HEADER_NONE,
				    .name = HEADER_NONE };
}

/* Puts field i below those of its name. */
static void link_field(struct header *h, uint16_t i)
{
	struct header_field *f = &h->field[i];
	if (!f->name_len)
		return;
	uint16_t *lowest = f->key < HEADER_KNOWN_N ? &h->known[f->key]
						   : &h->slot[find(h, header_name(h, i), f->key)];
	if (*lowest) {
		f->above = (uint16_t)(*lowest - 1);
		f->name = h->field[f->above].name;
	} else {
		f->name = h->names++;
	}
	*lowest = (uint16_t)(i + 1);
}

bool header_split(struct header *h, struct bytes octets, uint64_t seed, struct arena *arena)
{
	*h = (struct header){ .octets = octets, .seed = seed };
	struct bytes rest = without_end(octets);
	/* the fields grow into what is free: how many there are is known at their end */
	h->field = arena_take(arena, 0);
	size_t room = h->field ? (arena->size - arena->used) / sizeof *h->field : 0;
	uint16_t n = 0;
	for (; rest.n && n < HEADER_FIELDS_MAX; n++) {
		size_t len = field_len(rest);
		if (n == room)
			return false;
		read_field(h, rest, len, &h->field[n]);
		rest = bytes_from(rest, len);
	}
	h->overflow = rest.n > 0;
	uint32_t slots = 16;
	while (slots < n * 2u)
		slots *= 2;
	h->mask = slots - 1;
	arena_take(arena, n * sizeof *h->field);
	h->slot = arena_take(arena, slots * sizeof *h->slot);
	if (!h->slot)
		return false;
	memset(h->slot, 0, slots * sizeof *h->slot);
	for (; h->n < n; h->n++)
		link_field(h, h->n);
	return true;
}
