#include "verify/kernel/canon.h"

#include <assert.h>

#define EACH(octet) (0x0101010101010101u * (octet))

void canon_init(struct canon *c, const struct canon_ops *ops, enum canon_kind kind, uint64_t limit)
{
	*c = (struct canon){ .ops = ops, .kind = kind, .limit = limit };
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

/*
 * Octets at the end of out[from..o) of which it is not known whether they are given out go back into
 * the state, as scalar has it. Returns the new end.
 */
static size_t take_back(struct canon *c, const uint8_t *out, size_t from, size_t o)
{
	if (o > from && out[o - 1] == '\r') {
		c->cr = true;
		o--;
	}
	if (c->kind == CANON_RELAXED && o > from && out[o - 1] == ' ') {
		c->blank = true;
		o--;
	}
	for (; o - from >= 2 && out[o - 2] == '\r' && out[o - 1] == '\n'; o -= 2)
		c->held++;
	return o;
}

/*
 * Lines from p on, where content was just given out or follows: all but what is held back behind
 * the last content goes out, so that the state is needed only at the end. Returns octets taken,
 * maybe none.
 */
static size_t lines(struct canon *c, const uint8_t *p, size_t n, uint8_t *out, size_t *o,
		    size_t cap)
{
	size_t used, end, room = cap - *o;
	if (c->kind == CANON_RELAXED) {
		end = *o + c->ops->relaxed(p, n, out + *o, room, &used);
	} else {
		used = n < room ? n : room;
		memcpy(out + *o, p, used);
		end = *o + used;
	}
	*o = take_back(c, out, *o, end);
	return used;
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
	const bool vector = c->ops && c->ops->relaxed;
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
			if (vector)
				p += lines(c, p, (size_t)(end - p), out, &o, cap);
		} else if (*p == '\r') {
			c->cr = true;
			p++;
		} else if (c->kind == CANON_RELAXED && (*p == ' ' || *p == '\t')) {
			c->blank = true;
			p++;
		} else {
			if (!release_held(c, out, &o, cap))
				break;
			size_t n = vector ? lines(c, p, (size_t)(end - p), out, &o, cap) : 0;
			p += n ? n : content(c, p, (size_t)(end - p), out, &o, cap);
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

/* Octets of a name in lower case, up to the colon or what else is no part of it; p[0] is taken. */
static size_t name_run(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t i = 0;
	do {
		out[i] = bytes_lower(p[i]);
		i++;
	} while (i < n && p[i] > ' ' && p[i] != ':');
	return i;
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
			size_t n = (size_t)(end - p), room = cap - o;
			size_t i = name_run(p, n < room ? n : room, out + o);
			o += i;
			p += i;
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

/* Every case of a line's end and of blanks, cut everywhere and given any room. */
static bool self_test(const struct canon_ops *ops)
{
	static const char text[] =
		"a\tb  c \t\r\n \r\nplain text of a line, and some more of it to fill the block "
		"01234\r\n\t\tindented  twice \r x\ry\nz \n \t \r\n\r\n\r\n"
		"012345678901234567890123456789012345678901234567890123456789 \r\n\x80\xa0\x89 \xff"
		"\0 \x10\x19)\r \r\r\n                                                     "
		"                               end\r\n ";
	for (size_t cut = 0; cut < sizeof text; cut++) {
		uint8_t want[sizeof text + CANON_ROOM], have[2 * sizeof text + CANON_ROOM];
		struct canon a, b;
		struct bytes in = bytes_of(text, sizeof text);
		canon_init(&a, NULL, CANON_RELAXED, UINT64_MAX);
		canon_init(&b, ops, CANON_RELAXED, UINT64_MAX);
		size_t n = canon_body(&a, &in, want, sizeof want), m = 0;
		struct bytes piece[] = { bytes_of(text, cut),
					 bytes_of(text + cut, sizeof text - cut) };
		for (int i = 0; i < 2; i++)
			while (piece[i].n)
				m += canon_body(&b, &piece[i], have + m, CANON_ROOM + cut);
		if (n != m || memcmp(want, have, n) != 0 || a.held != b.held || a.cr != b.cr ||
		    a.blank != b.blank)
			return false;
	}
	return true;
}

void canon_ops_init(struct canon_ops *ops, enum cpu_level level)
{
	static canon_relaxed_fn *const ladder[CPU_LEVEL_N] = { NULL, canon_relaxed_avx2,
							       canon_relaxed_avx512 };
	if (level == CPU_AVX512 && !(cpu_flags() & CPU_VBMI2))
		level = CPU_AVX2;
	for (;; level--) {
		*ops = (struct canon_ops){ ladder[level], level };
		if (level == CPU_SCALAR || self_test(ops))
			return;
		cpu_left_out("canon", cpu_level_name(level));
	}
}
