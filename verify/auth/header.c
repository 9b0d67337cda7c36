#include "verify/auth/header.h"

#include "verify/auth/eight.h"

/* Of a name in lower case. */
static uint32_t hash_name(uint64_t seed, struct bytes name)
{
	uint64_t x = seed ^ name.n;
	for (size_t i = 0; i + 8 < name.n; i += 8)
		x = eight_mix(x, eight_lower(eight_load(name.p + i)));
	return (uint32_t)(eight_mix(x, eight_lower(eight_tail(name.p, name.n))) >> 8);
}

/* Two names of n octets. */
static bool names_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i + 8 < n; i += 8)
		if (eight_lower(eight_load(a + i)) != eight_lower(eight_load(b + i)))
			return false;
	return eight_lower(eight_tail(a, n)) == eight_lower(eight_tail(b, n));
}

/* The slot of that name, or the free one where it belongs. */
static uint32_t find(const struct header *h, struct bytes name, uint32_t hash)
{
	uint32_t i = hash & h->mask;
	for (; h->slot[i]; i = (i + 1) & h->mask) {
		const struct header_field *f = &h->field[h->slot[i] - 1];
		if (f->hash == hash && f->name_len == name.n &&
		    names_equal(h->octets.p + f->off, name.p, name.n))
			break;
	}
	return i;
}

uint16_t header_last(const struct header *h, struct bytes name)
{
	if (!h->n || !name.n)
		return HEADER_NONE;
	uint16_t i = h->slot[find(h, name, hash_name(h->seed, name))];
	return i ? (uint16_t)(i - 1) : HEADER_NONE;
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
				    .hash = n ? hash_name(h->seed, bytes_of(rest.p, n)) : 0,
				    .above = HEADER_NONE,
				    .name = HEADER_NONE };
}

/* Puts field i below those of its name. */
static void link_field(struct header *h, uint16_t i)
{
	struct header_field *f = &h->field[i];
	if (!f->name_len)
		return;
	uint16_t *slot = &h->slot[find(h, header_name(h, i), f->hash)];
	if (*slot) {
		f->above = (uint16_t)(*slot - 1);
		f->name = h->field[f->above].name;
	} else {
		f->name = h->names++;
	}
	*slot = (uint16_t)(i + 1);
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
