#include "verify/dns/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	TRACE_LEFT_OUT = 64, /* room for the last line, which says that others are missing */
	TRACE_DEPTH_MAX = 16,
};

struct part {
	size_t n;
	unsigned left_out; /* lines */
	char text[TRACE_ROOM];
};

struct trace {
	struct part part[TRACE_PART_N];
};

struct trace *trace_new(void)
{
	return calloc(1, sizeof(struct trace));
}

void trace_free(struct trace *t)
{
	free(t);
}

void trace_begin(struct trace *t, enum trace_part part)
{
	if (!t)
		return;
	t->part[part].n = 0;
	t->part[part].left_out = 0;
}

/* Printable ASCII stays, everything else and the backslash become \\ or \xNN. */
static size_t printable(char *out, const char *in, size_t n)
{
	static const char digit[] = "0123456789ABCDEF";
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)in[i];
		if (c == '\\') {
			out[len++] = '\\';
			out[len++] = '\\';
		} else if (c >= ' ' && c < 0x7f) {
			out[len++] = (char)c;
		} else {
			out[len++] = '\\';
			out[len++] = 'x';
			out[len++] = digit[c >> 4];
			out[len++] = digit[c & 15];
		}
	}
	return len;
}

void trace_line(struct trace *t, enum trace_part part, unsigned depth, const char *form, ...)
{
	if (!t)
		return;
	struct part *p = &t->part[part];
	char raw[TRACE_LINE_MAX + 1], line[2 * TRACE_DEPTH_MAX + 4 * TRACE_LINE_MAX + 4];
	va_list args;
	va_start(args, form);
	int wanted = vsnprintf(raw, sizeof raw, form, args);
	va_end(args);
	if (wanted < 0) {
		p->left_out++;
		return;
	}
	size_t n = 2 * (depth < TRACE_DEPTH_MAX ? depth : TRACE_DEPTH_MAX);
	memset(line, ' ', n);
	n += printable(line + n, raw, strlen(raw));
	if (wanted > TRACE_LINE_MAX) {
		memcpy(line + n, "...", 3);
		n += 3;
	}
	line[n++] = '\n';
	/* behind a line that is left out none comes, or the order would deceive */
	if (p->left_out || n > TRACE_ROOM - TRACE_LEFT_OUT - p->n) {
		p->left_out++;
		return;
	}
	memcpy(p->text + p->n, line, n);
	p->n += n;
}

struct bytes trace_text(struct trace *t, enum trace_part part)
{
	if (!t)
		return (struct bytes){ NULL, 0 };
	struct part *p = &t->part[part];
	size_t n = p->n;
	if (p->left_out)
		n += (size_t)snprintf(p->text + n, TRACE_LEFT_OUT, "(%u lines left out)\n",
				      p->left_out);
	return bytes_of(p->text, n);
}
