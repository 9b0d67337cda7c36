#include "verify/kernel/base64.h"

enum { BLANK = 64, PAD = 65, BAD = 66 };

/* value of a letter, or one of the above, plus 1: what is not named is 0 */
static const uint8_t letter[256] = {
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,   ['D'] = 4,   ['E'] = 5,   ['F'] = 6,  ['G'] = 7,
	['H'] = 8,  ['I'] = 9,  ['J'] = 10,  ['K'] = 11,  ['L'] = 12,  ['M'] = 13, ['N'] = 14,
	['O'] = 15, ['P'] = 16, ['Q'] = 17,  ['R'] = 18,  ['S'] = 19,  ['T'] = 20, ['U'] = 21,
	['V'] = 22, ['W'] = 23, ['X'] = 24,  ['Y'] = 25,  ['Z'] = 26,  ['a'] = 27, ['b'] = 28,
	['c'] = 29, ['d'] = 30, ['e'] = 31,  ['f'] = 32,  ['g'] = 33,  ['h'] = 34, ['i'] = 35,
	['j'] = 36, ['k'] = 37, ['l'] = 38,  ['m'] = 39,  ['n'] = 40,  ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45,  ['t'] = 46,  ['u'] = 47,  ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52,  ['0'] = 53,  ['1'] = 54,  ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59,  ['7'] = 60,  ['8'] = 61,  ['9'] = 62, ['+'] = 63,
	['/'] = 64, [' '] = 65, ['\t'] = 65, ['\r'] = 65, ['\n'] = 65, ['='] = 66,
};

static uint8_t value_of(uint8_t c)
{
	return letter[c] ? letter[c] - 1 : BAD;
}

size_t base64_push(struct base64 *s, struct bytes in, uint8_t *out, size_t cap)
{
	size_t o = 0;
	for (size_t i = 0; i < in.n && !s->bad; i++) {
		uint8_t v = value_of(in.p[i]);
		if (v == BLANK)
			continue;
		if (v == PAD) {
			/* one or two, and only where four letters are begun with two or three */
			s->pad++;
			s->bad = s->n < 2 || s->n + s->pad > 4;
			continue;
		}
		if (v == BAD || s->pad) {
			s->bad = true;
			break;
		}
		s->bits = s->bits << 6 | v;
		if (++s->n < 4)
			continue;
		if (cap - o < 3) {
			s->bad = true;
			break;
		}
		out[o++] = (uint8_t)(s->bits >> 16);
		out[o++] = (uint8_t)(s->bits >> 8);
		out[o++] = (uint8_t)s->bits;
		s->bits = 0;
		s->n = 0;
	}
	return o;
}

bool base64_end(struct base64 *s, uint8_t *out, size_t cap, size_t *n)
{
	*n = 0;
	if (s->bad || s->n == 1 || (s->pad && s->n + s->pad != 4))
		return false;
	size_t left = s->n ? s->n - 1u : 0;
	if (left > cap)
		return false;
	if (left >= 1)
		out[0] = (uint8_t)(left == 1 ? s->bits >> 4 : s->bits >> 10);
	if (left == 2)
		out[1] = (uint8_t)(s->bits >> 2);
	*n = left;
	return true;
}

ptrdiff_t base64_decode(struct bytes in, uint8_t *out, size_t cap)
{
	struct base64 s = { 0 };
	size_t n = base64_push(&s, in, out, cap), rest;
	if (!base64_end(&s, out + n, cap - n, &rest))
		return -1;
	return (ptrdiff_t)(n + rest);
}
