#include "verify/kernel/base64_impl.h"

enum { BAD = 66, VECTOR_MIN = 64, SCALAR_RUN = 256 };

const uint8_t base64_letter[256] = {
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
	return base64_letter[c] ? base64_letter[c] - 1 : BAD;
}

/* Padding or what is neither letter nor blank; whether the text may go on behind it. */
static bool odd(struct base64 *s, uint8_t v)
{
	if (v == BASE64_PAD) {
		/* one or two, and only where four letters are begun with two or three */
		s->pad++;
		s->bad = !s->mime && (s->n < 2 || s->n + s->pad > 4);
		return !s->mime && !s->bad;
	}
	s->bad = !s->mime;
	return s->mime;
}

/* Fours of letters alone, none begun, up to anything else; *used: octets read. */
static size_t fours(struct bytes in, uint8_t *out, size_t cap, size_t *used)
{
	size_t i = 0, o = 0;
	for (; in.n - i >= 4 && cap - o >= 3; i += 4, o += 3) {
		/* what is no letter has a bit over the six, or all when 1 is taken off 0 */
		uint32_t a = base64_letter[in.p[i]] - 1u, b = base64_letter[in.p[i + 1]] - 1u,
			 c = base64_letter[in.p[i + 2]] - 1u, d = base64_letter[in.p[i + 3]] - 1u;
		if ((a | b | c | d) >= BASE64_BLANK)
			break;
		uint32_t bits = a << 18 | b << 12 | c << 6 | d;
		out[o] = (uint8_t)(bits >> 16);
		out[o + 1] = (uint8_t)(bits >> 8);
		out[o + 2] = (uint8_t)bits;
	}
	*used = i;
	return o;
}

static size_t scalar(struct base64 *s, struct bytes in, uint8_t *out, size_t cap)
{
	size_t o = 0;
	for (size_t i = 0; i < in.n; i++) {
		if (!s->n && !s->pad) {
			size_t used;
			o += fours(bytes_from(in, i), out + o, cap - o, &used);
			i += used;
			if (i == in.n)
				break;
		}
		uint8_t v = value_of(in.p[i]);
		if (v == BASE64_BLANK)
			continue;
		if (v > BASE64_BLANK || s->pad) {
			if (!odd(s, v))
				break;
			continue;
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

size_t base64_push(struct base64 *s, struct bytes in, uint8_t *out, size_t cap)
{
	size_t o = 0;
	while (in.n && !s->bad && !(s->mime && s->pad)) {
		size_t n = in.n, used = 0;
		if (s->ops && s->ops->run && !s->pad && n >= VECTOR_MIN) {
			o += s->ops->run(s, in.p, n, out + o, cap - o, &used);
			in = bytes_from(in, used);
			n = in.n < SCALAR_RUN ? in.n : SCALAR_RUN;
		}
		o += scalar(s, bytes_of(in.p, n), out + o, cap - o);
		in = bytes_from(in, n);
	}
	return o;
}

bool base64_end(struct base64 *s, uint8_t *out, size_t cap, size_t *n)
{
	*n = 0;
	if (s->bad || (!s->mime && (s->n == 1 || (s->pad && s->n + s->pad != 4))))
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

ptrdiff_t base64_decode(const struct base64_ops *ops, struct bytes in, uint8_t *out, size_t cap)
{
	struct base64 s = { .ops = ops };
	size_t n = base64_push(&s, in, out, cap), rest;
	if (!base64_end(&s, out + n, cap - n, &rest))
		return -1;
	return (ptrdiff_t)(n + rest);
}

/* Blanks and, in MIME, junk at random, then lines and an end; cut at every place of a block, but not
 * of the text: that would take 3 ms. */
static bool self_test(const struct base64_ops *ops, bool mime, const char *end)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t text[640], want[480], have[480];
	uint32_t random = 1;
	size_t n = 0, len = strlen(end);
	for (; n < sizeof text - 256 - len; random = random * 1664525 + 1013904223) {
		unsigned octet = random >> 24;
		text[n] = (uint8_t)alphabet[octet & 63];
		if ((random >> 16 & 7) == 0)
			text[n] = mime && octet != '=' ? (uint8_t)octet
						       : (uint8_t) "\r\n\t "[octet & 3];
		n++;
	}
	for (unsigned i = 0; i < 256; i++)
		text[n++] = (uint8_t)(i % 78 < 76 ? alphabet[i & 63] : "\r\n"[i % 78 - 76]);
	memcpy(text + n, end, len);
	n += len;
	struct base64 a = { .mime = mime };
	size_t x = base64_push(&a, bytes_of(text, n), want, sizeof want);
	for (size_t cut = 0; cut <= n; cut += 9) {
		struct base64 b = { .mime = mime, .ops = ops };
		size_t y = base64_push(&b, bytes_of(text, cut), have, sizeof have);
		y += base64_push(&b, bytes_of(text + cut, n - cut), have + y, sizeof have - y);
		if (x != y || memcmp(want, have, x) != 0 || a.n != b.n || a.bits != b.bits ||
		    a.pad != b.pad || a.bad != b.bad)
			return false;
	}
	return true;
}

void base64_ops_init(struct base64_ops *ops, enum cpu_level level)
{
	static base64_run_fn *const ladder[CPU_LEVEL_N] = { NULL, base64_run_avx2,
							    base64_run_avx512 };
	const unsigned flags = CPU_VBMI | CPU_VBMI2;
	if (level == CPU_AVX512 && (cpu_flags() & flags) != flags)
		level = CPU_AVX2;
	for (;; level--) {
		*ops = (struct base64_ops){ ladder[level], level };
		if (level == CPU_SCALAR ||
		    (self_test(ops, false, "") && self_test(ops, true, "") &&
		     self_test(ops, false, "QQ==\r\n") && self_test(ops, false, "Q-Q") &&
		     self_test(ops, true, "Q=QQ")))
			return;
		cpu_left_out("base64", cpu_level_name(level));
	}
}
