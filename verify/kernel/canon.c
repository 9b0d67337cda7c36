#include "verify/kernel/canon.h"

#include <assert.h>

#define EACH(octet) (0x0101010101010101u * (octet))

void canon_init(struct canon *c, enum canon_kind kind, uint64_t limit)
{
	*c = (struct canon){ .kind = kind, .limit = limit };
}

/* 0x80 in every octet of v that is a blank, exactly */
static inline uint64_t spaces_in(uint64_t v)
{
	uint64_t x = v ^ EACH(' ');
	return ~(((x & EACH(0x7f)) + EACH(0x7f)) | x | EACH(0x7f));
}

/*
 * Copies from p to out as long as octets stay as they are in relaxed form: up to a control
 * character, HTAB and CR among them, or the second of two blanks. p[0] is taken unseen. Eight
 * octets at a time; what is written behind the result lies inside n.
 */
static size_t relaxed_run(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t i = 1;
	out[0] = p[0];
	uint64_t before = 0; /* 0x80: the octet in front of the word is a blank */
	while (n - i >= 8) {
		uint64_t v;
		memcpy(&v, p + i, 8);
		memcpy(out + i, &v, 8);
		uint64_t space = spaces_in(v);
		/* the lowest one is exact: borrows go upwards only */
		uint64_t control = (v - EACH(' ')) & ~v & EACH(0x80);
		uint64_t stop = control | (space & (space << 8 | before));
		if (stop)
			return i + (unsigned)__builtin_ctzll(stop) / 8;
		before = space >> 56;
		i += 8;
	}
	for (; i < n; i++) {
		if (p[i] < ' ' || (p[i] == ' ' && p[i - 1] == ' '))
			break;
		out[i] = p[i];
	}
	return i;
}

/* Held line ends come before the next content. False: out is full first. */
static bool release_held(struct canon *c, uint8_t *out, size_t *o, size_t cap)
{
	while (c->held && cap - *o >= CANON_ROOM) {
		out[(*o)++] = '\r';
		out[(*o)++] = '\n';
		c->held--;
	}
	if (c->held || cap - *o < CANON_ROOM)
		return false;
	if (c->blank) {
		out[(*o)++] = ' ';
		c->blank = false;
	}
	c->some = true;
	return true;
}

/* A run of content; *p is its first octet. Returns how much of it was taken. */
static size_t content(struct canon *c, const uint8_t *p, size_t n, uint8_t *out, size_t *o,
		      size_t cap)
{
	size_t room = cap - *o;
	n = n < room ? n : room;
	if (c->kind == CANON_SIMPLE) {
		const uint8_t *cr = memchr(p, '\r', n);
		n = cr ? (size_t)(cr - p) : n;
		memcpy(out + *o, p, n);
		*o += n;
		return n;
	}
	size_t i = relaxed_run(p, n, out + *o);
	*o += i;
	if (p[i - 1] == ' ') { /* the line may end behind it */
		(*o)--;
		c->blank = true;
	}
	return i;
}

static size_t limited(struct canon *c, size_t n)
{
	uint64_t before = c->total;
	c->total += n;
	if (before >= c->limit)
		return 0;
	return n < c->limit - before ? n : (size_t)(c->limit - before);
}

size_t canon_body(struct canon *c, struct bytes *in, uint8_t *out, size_t cap)
{
	assert(cap >= CANON_ROOM);
	const uint8_t *p = in->p, *end = in->p + in->n;
	size_t o = 0;
	while (p < end) {
		if (c->cr && *p == '\n') {
			c->cr = false;
			c->blank = false;
			c->held++;
			p++;
		} else if (c->cr) {
			if (!release_held(c, out, &o, cap))
				break;
			out[o++] = '\r';
			c->cr = false;
		} else if (*p == '\r') {
			c->cr = true;
			p++;
		} else if (c->kind == CANON_RELAXED && (*p == ' ' || *p == '\t')) {
			c->blank = true;
			p++;
		} else {
			if (!release_held(c, out, &o, cap))
				break;
			p += content(c, p, (size_t)(end - p), out, &o, cap);
		}
	}
	*in = bytes_of(p, (size_t)(end - p));
	return limited(c, o);
}

size_t canon_end(struct canon *c, uint8_t *out, size_t cap)
{
	assert(cap >= CANON_ROOM);
	size_t o = 0;
	if (c->ended)
		return 0;
	if (c->cr) { /* the last octet is a bare CR */
		if (!release_held(c, out, &o, cap))
			return limited(c, o);
		out[o++] = '\r';
		c->cr = false;
	}
	/* 3.4.3: an empty body is CRLF; 3.4.4: it is nothing */
	if (c->some || c->kind == CANON_SIMPLE) {
		out[o++] = '\r';
		out[o++] = '\n';
	}
	c->ended = true;
	return limited(c, o);
}

size_t canon_cut(struct canon *c, uint8_t *out, size_t cap)
{
	assert(cap >= CANON_ROOM);
	if (c->ended)
		return 0;
	c->ended = true;
	/* one of the held line ends stays, whether content follows or not */
	if (!c->held || (!c->some && c->kind == CANON_RELAXED))
		return 0;
	out[0] = '\r';
	out[1] = '\n';
	return limited(c, 2);
}

/* Room for the held blank and one octet is there. */
static void field_blank(struct canon_field *c, uint8_t *out, size_t *o)
{
	if (c->blank && c->some)
		out[(*o)++] = ' ';
	c->blank = false;
	c->some = true;
}

size_t canon_field(struct canon_field *c, struct bytes *in, uint8_t *out, size_t cap)
{
	assert(cap >= CANON_ROOM);
	const uint8_t *p = in->p, *end = in->p + in->n;
	size_t o = 0;
	while (p < end && cap - o >= CANON_ROOM) {
		if (c->cr && *p == '\n') {
			c->cr = false;
			p++;
		} else if (c->cr) {
			field_blank(c, out, &o);
			out[o++] = '\r';
			c->cr = false;
		} else if (*p == '\r') {
			c->cr = true;
			p++;
		} else if (*p == ' ' || *p == '\t') {
			c->blank = true;
			p++;
		} else if (!c->value && *p == ':') {
			out[o++] = ':';
			*c = (struct canon_field){ .value = true };
			p++;
		} else if (!c->value) {
			field_blank(c, out, &o);
			out[o++] = bytes_lower(*p++);
		} else {
			field_blank(c, out, &o);
			size_t n = (size_t)(end - p), room = cap - o;
			size_t i = relaxed_run(p, n < room ? n : room, out + o);
			o += i;
			p += i;
			if (p[-1] == ' ') {
				o--;
				c->blank = true;
			}
		}
	}
	*in = bytes_of(p, (size_t)(end - p));
	return o;
}

size_t canon_field_end(struct canon_field *c, bool crlf, uint8_t *out, size_t cap)
{
	assert(cap >= CANON_ROOM);
	size_t o = 0;
	if (c->cr) {
		field_blank(c, out, &o);
		out[o++] = '\r';
	}
	if (crlf) {
		out[o++] = '\r';
		out[o++] = '\n';
	}
	*c = (struct canon_field){ 0 };
	return o;
}
