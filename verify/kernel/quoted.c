#include "verify/kernel/quoted.h"

#include <assert.h>

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Value of a hexadecimal digit; -1: it is none. */
static int digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = bytes_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t run_scalar(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t i = 0;
	for (; i < n && p[i] != '=' && p[i] != '\r'; i++)
		out[i] = p[i];
	return i;
}

/* What was held back is content as it stands. */
static size_t release(struct quoted *s, uint8_t *out)
{
	size_t o = 0;
	if (s->escape)
		out[o++] = '=';
	if (s->escape == 2)
		out[o++] = s->digit;
	memcpy(out + o, s->blank, s->blanks);
	o += s->blanks;
	if (s->cr) {
		out[o++] = '\r';
		s->through = false;
	}
	s->escape = s->blanks = 0;
	s->cr = false;
	return o;
}

static size_t blank(struct quoted *s, uint8_t c, uint8_t *out)
{
	size_t o = 0;
	if (!s->through && s->blanks == QUOTED_BLANKS_MAX) {
		o = release(s, out);
		s->through = true;
	}
	if (s->through)
		out[o++] = c;
	else
		s->blank[s->blanks++] = c;
	return o;
}

/* Any octet. Returns octets written, at most QUOTED_ROOM. */
static size_t octet(struct quoted *s, uint8_t c, uint8_t *out)
{
	size_t o = 0;
	int digit = digit_of(c);
	if (s->cr && c == '\n') {
		if (!s->escape) {
			out[o++] = '\r';
			out[o++] = '\n';
		}
		s->many |= s->through;
		s->escape = s->blanks = 0;
		s->cr = s->through = false;
		return o;
	}
	if (s->escape == 1 && !s->blanks && !s->cr && digit >= 0) {
		s->digit = c;
		s->escape = 2;
		return 0;
	}
	if (s->escape == 2 && digit >= 0) {
		out[0] = (uint8_t)(digit_of(s->digit) << 4 | digit);
		s->escape = 0;
		return 1;
	}
	if (s->cr || s->escape == 2)
		o = release(s, out);
	if (is_blank(c))
		return o + blank(s, c, out + o);
	if (c == '\r') {
		s->cr = true;
		return o;
	}
	s->through = false;
	o += release(s, out + o);
	if (c == '=')
		s->escape = 1;
	else
		out[o++] = c;
	return o;
}

/* out[0..n) is a run of content: blanks at its end go back into the state. Returns what stays. */
static size_t take_back(struct quoted *s, const uint8_t *out, size_t n)
{
	size_t end = n;
	while (end && is_blank(out[end - 1]))
		end--;
	if (n - end > QUOTED_BLANKS_MAX) {
		s->through = true;
		return n;
	}
	s->blanks = (uint8_t)(n - end);
	memcpy(s->blank, out + end, s->blanks);
	return end;
}

size_t quoted_push(struct quoted *s, struct bytes *in, uint8_t *out, size_t cap)
{
	assert(cap >= QUOTED_ROOM);
	const uint8_t *p = in->p, *end = in->p + in->n;
	size_t o = 0;
	while (p < end && cap - o >= QUOTED_ROOM) {
		o += octet(s, *p++, out + o);
		if (!s->ops || s->escape || s->cr || s->blanks || s->through)
			continue;
		size_t n = (size_t)(end - p), room = cap - o;
		n = s->ops->run(p, n < room ? n : room, out + o);
		p += n;
		o += take_back(s, out + o, n);
	}
	*in = bytes_of(p, (size_t)(end - p));
	return o;
}

size_t quoted_end(struct quoted *s, uint8_t *out, size_t cap)
{
	assert(cap >= QUOTED_ROOM);
	/* a CR with nothing behind it is an octet, a digit too few makes no octet */
	if (s->cr || s->escape == 2)
		return release(s, out);
	s->many |= s->through;
	s->escape = s->blanks = 0;
	return 0;
}

/* A stop at every place of several blocks, and none. */
static bool self_test(const struct quoted_ops *ops)
{
	uint8_t text[110], want[sizeof text], have[sizeof text];
	for (unsigned i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)(i * 7 % 256 == '=' || i * 7 % 256 == '\r' ? 0xbd : i * 7);
	for (size_t at = 0; at < sizeof text; at++) {
		for (int c = 0; c < 2; c++) {
			uint8_t was = text[at];
			text[at] = c ? '=' : '\r';
			size_t from = at < 40 ? at : 40;
			for (size_t i = at - from; i <= at + 1 && i < sizeof text; i++) {
				size_t n = run_scalar(text + i, sizeof text - i, want);
				if (ops->run(text + i, sizeof text - i, have) != n ||
				    memcmp(have, want, n) != 0)
					return false;
			}
			text[at] = was;
		}
	}
	return true;
}

void quoted_ops_init(struct quoted_ops *ops, enum cpu_level level)
{
	*ops = (struct quoted_ops){ run_scalar, CPU_SCALAR };
	/* AVX-512 wins nothing: a run is seldom longer than a line of 76 octets */
	const struct quoted_ops avx2 = { quoted_run_avx2, CPU_AVX2 };
	if (level < CPU_AVX2)
		return;
	if (self_test(&avx2))
		*ops = avx2;
	else
		cpu_left_out("quoted", cpu_level_name(CPU_AVX2));
}
