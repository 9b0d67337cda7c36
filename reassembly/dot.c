#include "reassembly/dot.h"

#include "base/message.h"

/*
 * A server that takes a bare CR or LF for a line end, or skips NULs, sees line starts where RFC
 * 5321 has none. DOT_LF and DOT_LDOT follow such a server's eyes: "dot alone on a line" there sets
 * MESSAGE_DOT_AMBIGUOUS, and the message goes on.
 */

static void line_add(struct dot *d, size_t n)
{
	size_t line = d->line + n;
	if (line > DOT_LINE_MAX + 1) {
		d->flags |= MESSAGE_LONG_LINE;
		line = DOT_LINE_MAX + 2;
	}
	d->line = (uint16_t)line;
}

/* The octet behind one that is given out; sets the flags that the pair of state and octet calls
 * for. */
static void step(struct dot *d, uint8_t c)
{
	bool lenient = d->state != DOT_MID; /* a line start, or a dot behind one */
	bool dotted = d->state == DOT_DOT || d->state == DOT_LDOT;
	if (d->state == DOT_CR) {
		if (c == '\n') {
			d->state = DOT_BOL;
			d->line = 0;
			return;
		}
		d->flags |= MESSAGE_BARE_CR;
	}
	line_add(d, 1);
	if (c >= 0x80)
		d->flags |= MESSAGE_8BIT;
	switch (c) {
	case '\r':
		if (dotted)
			d->flags |= MESSAGE_DOT_AMBIGUOUS;
		d->state = DOT_CR;
		return;
	case '\n':
		d->flags |= MESSAGE_BARE_LF | (dotted ? MESSAGE_DOT_AMBIGUOUS : 0);
		d->state = DOT_LF;
		return;
	case '\0':
		d->flags |= MESSAGE_NUL;
		d->state = dotted ? DOT_LDOT : lenient ? DOT_LF : DOT_MID;
		return;
	case '.':
		d->state = lenient && !dotted && !d->raw ? DOT_LDOT : DOT_MID;
		return;
	default:
		d->state = DOT_MID;
	}
}

/* The truth: one octet after the other. Reads at most cap - 1 octets, so that a CR kept back always
 * fits. */
static size_t copy_scalar(struct dot *d, uint8_t *dst, const uint8_t *src, size_t n, size_t *used)
{
	size_t i = 0, o = 0;
	while (i < n) {
		uint8_t c = src[i];
		if (d->state == DOT_MID) {
			size_t from = i;
			while (i < n && src[i] > '\r' && src[i] < 0x80)
				dst[o++] = src[i++];
			line_add(d, i - from);
			if (i == n)
				break;
			c = src[i];
		} else if (d->state == DOT_BOL && c == '.' && !d->raw) {
			d->state = DOT_DOT;
			i++;
			continue;
		} else if (d->state == DOT_DOT && c == '\r') {
			d->state = DOT_DOTCR;
			i++;
			continue;
		} else if (d->state == DOT_DOT && c == '.') {
			d->state = DOT_MID; /* ..: the second one is the sender's */
			line_add(d, 1);
			dst[o++] = c;
			i++;
			continue;
		} else if (d->state == DOT_DOTCR) {
			if (c == '\n') {
				d->state = DOT_END;
				i++;
				break;
			}
			d->state = DOT_DOT;
			step(d, '\r'); /* a dot and a bare CR */
			dst[o++] = '\r';
		}
		step(d, c);
		dst[o++] = c;
		i++;
	}
	*used = i;
	return o;
}

size_t dot_copy(const struct dot_ops *ops, struct dot *d, uint8_t *dst, size_t cap,
		const uint8_t *src, size_t n, size_t *used)
{
	size_t i = 0, o = 0, k;
	size_t max = cap < 2 ? 0 : n < cap - 1 ? n : cap - 1;
	if (!ops->plain && d->state != DOT_END) {
		o = copy_scalar(d, dst, src, max, used);
		return o;
	}
	while (i < max && d->state != DOT_END) {
		if (d->state < DOT_PLAIN_N) {
			k = ops->plain(d, dst + o, src + i, max - i);
			i += k;
			o += k;
		}
		size_t run = max - i < 64 ? max - i : 64; /* the block that was not plain */
		o += copy_scalar(d, dst + o, src + i, run, &k);
		i += k;
	}
	*used = i;
	return o;
}

size_t dot_finish(struct dot *d, uint8_t *dst)
{
	size_t o = 0;
	if (d->state == DOT_DOTCR)
		dst[o++] = '\r';
	if (d->state == DOT_CR && d->raw)
		d->flags |= MESSAGE_BARE_CR;
	d->state = DOT_END;
	return o;
}

/* A fixed vector with every case, at every length and from every cut of the first 200 octets. */
static bool self_test(const struct dot_ops *ops)
{
	static const char text[] = "Subject: a\r\n\r\nplain text of a line, and some more of it to "
				   "fill the block ....\r\n"
				   "..dot\r\n.x\r\nbare\nlf\n.\nbare\rcr\r.\rnul\0\r\n.\0\r\nhigh "
				   "\xc3\xa4\r\n0123456789\r\n"
				   "012345678901234567890123456789012345678901234567890123456789012"
				   "3456789\r\n\r\n.\r\nEHLO";
	const struct dot_ops scalar = { 0 };
	for (size_t cut = 0; cut < sizeof text; cut++) {
		uint8_t want[sizeof text + 2], got[sizeof text + 2];
		struct dot a = { 0 }, b = { 0 };
		size_t used, n, m;
		size_t want_n = dot_copy(&scalar, &a, want, sizeof want, (const uint8_t *)text,
					 sizeof text, &used);
		n = dot_copy(ops, &b, got, sizeof got, (const uint8_t *)text, cut, &m);
		if (b.state != DOT_END) {
			size_t k;
			n += dot_copy(ops, &b, got + n, sizeof got - n, (const uint8_t *)text + m,
				      sizeof text - m, &k);
			m += k;
		}
		if (n != want_n || m != used || a.state != b.state || a.flags != b.flags ||
		    a.line != b.line || memcmp(want, got, n) != 0)
			return false;
	}
	return true;
}

void dot_ops_init(struct dot_ops *ops, enum cpu_level level)
{
	static dot_plain_fn *const ladder[CPU_LEVEL_N] = { NULL, dot_plain_avx2, dot_plain_avx512 };
	for (;; level--) {
		*ops = (struct dot_ops){ ladder[level], level };
		if (level == CPU_SCALAR || self_test(ops))
			return;
		cpu_left_out("dot", cpu_level_name(level));
	}
}
