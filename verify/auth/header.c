#include "verify/auth/header.h"

/* Up to eight octets of a name with ASCII letters in lower case; n at least 1. */
static uint64_t lower(const uint8_t *p, size_t n)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t x = 0;
	memcpy(&x, p, n < sizeof x ? n : sizeof x);
	uint64_t low = x & ones * 0x7f;
	uint64_t from_a = low + ones * (0x80 - 'A'), behind_z = low + ones * (0x7f - 'Z');
	return x | (from_a & ~behind_z & ~x & ones * 0x80) >> 2;
}

static uint64_t hash_name(uint64_t seed, struct bytes name)
{
	uint64_t x = seed ^ name.n;
	for (size_t i = 0; i < name.n; i += 8) {
		x = (x ^ lower(name.p + i, name.n - i)) * 0x9e3779b97f4a7c15u;
		x ^= x >> 32;
	}
	return x;
}

static bool names_equal(struct bytes a, struct bytes b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i += 8)
		if (lower(a.p + i, a.n - i) != lower(b.p + i, b.n - i))
			return false;
	return true;
}

/* The slot of that name, or the free one where it belongs. */
static uint32_t find(const struct header *h, struct bytes name)
{
	uint32_t i = (uint32_t)(hash_name(h->seed, name) >> 8) & h->mask;
	while (h->slot[i] && !names_equal(header_name(h, (uint16_t)(h->slot[i] - 1)), name))
		i = (i + 1) & h->mask;
	return i;
}

uint16_t header_last(const struct header *h, struct bytes name)
{
	if (!h->n || !name.n)
		return HEADER_NONE;
	uint16_t i = h->slot[find(h, name)];
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

/* Octets of the name in front of the colon; *colon is where that is. 0: none. */
static size_t name_len(struct bytes b, size_t *colon)
{
	size_t n = 0;
	while (n < b.n && b.p[n] > ' ' && b.p[n] < 0x7f && b.p[n] != ':')
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

static void add(struct header *h, struct bytes rest, size_t len)
{
	size_t colon;
	struct header_field *f = &h->field[h->n];
	*f = (struct header_field){ .off = (uint32_t)(rest.p - h->octets.p),
				    .len = (uint32_t)len,
				    .above = HEADER_NONE,
				    .name = HEADER_NONE };
	f->name_len = (uint32_t)name_len(bytes_head(rest, len), &colon);
	f->value = f->off + (f->name_len ? (uint32_t)colon + 1 : 0);
	h->n++;
	if (!f->name_len)
		return;
	uint32_t slot = find(h, header_name(h, (uint16_t)(h->n - 1)));
	if (h->slot[slot]) {
		f->above = (uint16_t)(h->slot[slot] - 1);
		f->name = h->field[f->above].name;
	} else {
		f->name = h->names++;
	}
	h->slot[slot] = h->n;
}

bool header_split(struct header *h, struct bytes octets, uint64_t seed, struct arena *arena)
{
	*h = (struct header){ .octets = octets, .seed = seed };
	struct bytes all = without_end(octets);
	uint32_t n = 0;
	for (struct bytes b = all; b.n && n <= HEADER_FIELDS_MAX; b = bytes_from(b, field_len(b)))
		n++;
	h->overflow = n > HEADER_FIELDS_MAX;
	n = h->overflow ? HEADER_FIELDS_MAX : n;
	uint32_t slots = 16;
	while (slots < n * 2)
		slots *= 2;
	h->mask = slots - 1;
	h->field = arena_take(arena, n * sizeof *h->field);
	h->slot = arena_take(arena, slots * sizeof *h->slot);
	if (!h->field || !h->slot)
		return false;
	memset(h->slot, 0, slots * sizeof *h->slot);
	struct bytes b = all;
	for (uint32_t i = 0; i < n; i++) {
		size_t len = field_len(b);
		add(h, b, len);
		b = bytes_from(b, len);
	}
	return true;
}
