#include "verify/auth/fold.h"

#include "base/utf8.h"

enum { STEP_SAME, STEP_RUN, STEP_PAIRS };

struct row {
	uint32_t first, last;
	uint8_t step, n;
	uint32_t to[FOLD_POINT_MAX];
};

/* sorted by first; code points in no row stand for themselves */
static const struct row rows[] = {
#include "verify/auth/fold_table.h"
};

static const struct row *find(uint32_t c)
{
	unsigned lo = 0, hi = sizeof rows / sizeof rows[0];
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (rows[mid].last < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < sizeof rows / sizeof rows[0] && rows[lo].first <= c ? &rows[lo] : NULL;
}

unsigned fold_point(uint32_t c, uint32_t out[FOLD_POINT_MAX])
{
	if (c < 0x80) {
		bool digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'z';
		bool upper = c >= 'A' && c <= 'Z';
		out[0] = upper ? c | 0x20 : digit || lower ? c : ' ';
		return 1;
	}
	const struct row *r = find(c);
	out[0] = c;
	if (!r)
		return 1;
	memcpy(out, r->to, sizeof r->to);
	if (r->step == STEP_RUN)
		out[0] += c - r->first;
	else if (r->step == STEP_PAIRS)
		out[0] += (c - r->first) & ~1u;
	return r->n;
}

unsigned fold_text(struct bytes utf8, uint32_t *out, unsigned max, bool *cut)
{
	unsigned n = 0;
	bool blank = false;
	*cut = false;
	for (size_t i = 0; i < utf8.n;) {
		uint32_t c, to[FOLD_POINT_MAX];
		i += utf8_point(bytes_from(utf8, i), &c);
		unsigned len = c == 0xfffd ? 1 : fold_point(c, to);
		if (c == 0xfffd)
			to[0] = ' ';
		if (len && to[0] == ' ') {
			blank = n > 0;
			continue;
		}
		if (len == 0)
			continue;
		if (n + blank + len > max) {
			*cut = true;
			break;
		}
		if (blank)
			out[n++] = ' ';
		blank = false;
		for (unsigned k = 0; k < len; k++)
			out[n++] = to[k];
	}
	return n;
}
