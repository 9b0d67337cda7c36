#include "control/line.h"

#include <assert.h>

void line_init(struct line *l, void *buf, size_t max)
{
	*l = (struct line){ .buf = buf, .max = max };
}

void line_move(struct line *l, void *buf, size_t max)
{
	struct bytes rest = line_rest(l);
	assert(rest.n <= max + LINE_EXTRA);
	if (rest.n)
		memcpy(buf, rest.p, rest.n);
	*l = (struct line){ .buf = buf, .max = max, .len = rest.n };
}

size_t line_room(struct line *l, uint8_t **p)
{
	if (l->start) {
		memmove(l->buf, l->buf + l->start, l->len - l->start);
		l->len -= l->start;
		l->seen -= l->start;
		l->start = 0;
	}
	*p = l->buf + l->len;
	return l->max + LINE_EXTRA - l->len;
}

void line_added(struct line *l, size_t n)
{
	assert(n <= l->max + LINE_EXTRA - l->len);
	l->len += n;
}

enum line_result line_next(struct line *l, struct bytes *out)
{
	const uint8_t *from = l->buf + l->seen;
	const uint8_t *end = l->len > l->seen ? memchr(from, '\n', l->len - l->seen) : NULL;
	if (!end) {
		l->seen = l->len;
		return l->len - l->start < l->max + LINE_EXTRA ? LINE_MORE : LINE_TOO_LONG;
	}
	size_t at = (size_t)(end - l->buf), n = at - l->start;
	if (n && end[-1] == '\r')
		n--;
	if (n > l->max)
		return LINE_TOO_LONG;
	*out = bytes_of(l->buf + l->start, n);
	l->start = l->seen = at + 1;
	return LINE_READY;
}

struct bytes line_rest(const struct line *l)
{
	return bytes_of(l->buf + l->start, l->len - l->start);
}
