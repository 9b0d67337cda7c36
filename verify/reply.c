#include "verify/reply.h"

enum { CODE_LEN = 4, TEXT_MAX = REPLY_LINE_MAX - CODE_LEN, HALF = TEXT_MAX / 2 };

struct text {
	uint8_t *p;
	size_t n, cap;
	uint32_t code;
};

static void put(struct text *t, struct bytes b)
{
	for (size_t i = 0; i < b.n && t->n < t->cap; i++)
		t->p[t->n++] = b.p[i] >= ' ' && b.p[i] < 0x7f ? b.p[i] : '?';
}

static void put_code(struct text *t, bool last)
{
	uint8_t code[CODE_LEN] = { (uint8_t)('0' + t->code / 100 % 10),
				   (uint8_t)('0' + t->code / 10 % 10),
				   (uint8_t)('0' + t->code % 10), last ? ' ' : '-' };
	put(t, bytes_of(code, sizeof code));
}

static void put_end(struct text *t)
{
	if (t->cap - t->n < 2)
		return;
	t->p[t->n++] = '\r';
	t->p[t->n++] = '\n';
}

/* Octets of text for one line. */
static size_t line_len(struct bytes text)
{
	if (text.n <= TEXT_MAX)
		return text.n;
	for (size_t n = TEXT_MAX; n > HALF; n--)
		if (text.p[n] == ' ')
			return n;
	return TEXT_MAX;
}

/* The last text, in as many lines as it needs. */
static void put_rest(struct text *t, struct bytes text)
{
	for (;;) {
		struct bytes line = bytes_head(text, line_len(text));
		text = bytes_from(text, line.n);
		while (text.n && text.p[0] == ' ')
			text = bytes_from(text, 1);
		put_code(t, !text.n);
		put(t, line);
		if (!text.n)
			return;
		put_end(t);
	}
}

static bool begin(struct text *t, const struct profile_reply *r, size_t octets, struct arena *arena)
{
	/* a line holds more than HALF octets of a text, but the last of each of three texts */
	size_t cap = octets + (octets / HALF + 3) * (CODE_LEN + 2);
	*t = (struct text){ .p = arena_take(arena, cap), .cap = cap, .code = r->code };
	return t->p != NULL;
}

struct bytes reply_make(const struct profile_reply *r, struct arena *arena)
{
	struct text t;
	struct bytes ours = bytes_str(r->text);
	if (!begin(&t, r, ours.n, arena))
		return (struct bytes){ NULL, 0 };
	put_rest(&t, ours);
	return bytes_of(t.p, t.n);
}

struct bytes reply_explained(const struct profile_reply *r, struct bytes domain,
			     struct bytes explanation, struct arena *arena)
{
	struct text t;
	struct bytes ours = bytes_str(r->text),
		     theirs = bytes_head(explanation, REPLY_EXPLANATION_MAX);
	domain = bytes_head(domain, 255);
	if (!begin(&t, r, ours.n + 1 + domain.n + 32 + theirs.n, arena))
		return (struct bytes){ NULL, 0 };
	put_code(&t, false);
	put(&t, ours);
	if (ours.n && ours.p[ours.n - 1] != '.')
		put(&t, bytes_str("."));
	put_end(&t);
	put_code(&t, false);
	put(&t, bytes_str("The domain "));
	put(&t, domain);
	put(&t, bytes_str(" explains:"));
	put_end(&t);
	put_rest(&t, bytes_trim(theirs));
	return bytes_of(t.p, t.n);
}
