/* base64 gives the same octets at every level, however it is cut; what is no base64 gives none. */
#include "tests/test.h"
#include "verify/kernel/base64.h"

#include <openssl/evp.h>

struct row {
	const char *text;
	int n; /* -1: bad */
	const char *want;
};

static const struct row rows[] = {
	{ "", 0, "" },
	{ "Zg==", 1, "f" },
	{ "Zm8=", 2, "fo" },
	{ "Zm9v", 3, "foo" },
	{ "Zm9vYg==", 4, "foob" },
	{ "Zm9vYmE=", 5, "fooba" },
	{ "Zm9vYmFy", 6, "foobar" },
	{ "Zm9v\r\n YmFy\t", 6, "foobar" },
	{ " Z m 9 v ", 3, "foo" },
	{ "Zm8 =", 2, "fo" },
	{ "Zg = =", 1, "f" },
	{ "Zg", 1, "f" }, /* no padding */
	{ "Zm8", 2, "fo" },
	{ "+/+/", 3, "\xfb\xff\xbf" },
	{ "Z", -1, NULL },
	{ "Zm9vY", -1, NULL },
	{ "Zg=", -1, NULL },
	{ "Z===", -1, NULL },
	{ "====", -1, NULL },
	{ "=", -1, NULL },
	{ "Zg===", -1, NULL },
	{ "Zm9v=", -1, NULL },
	{ "Zm9v====", -1, NULL },
	{ "Zg==Zg==", -1, NULL },
	{ "Zm8=v", -1, NULL },
	{ "Zg=Z", -1, NULL },
	{ "Zm-_", -1, NULL },
	{ "Zm9v;", -1, NULL },
	{ "Zm9v\x80", -1, NULL },
};

/* RFC 2045 section 6.8 */
static const struct row mime_rows[] = {
	{ "", 0, "" },
	{ "Zg==", 1, "f" },
	{ "Zm9v\r\n YmFy\t", 6, "foobar" },
	{ "Z-m_9.v\x80\xff", 3, "foo" },
	{ "Zg==Zm9v", 1, "f" }, /* behind the padding */
	{ "Zm8=\r\n--x", 2, "fo" },
	{ "Zg=", 1, "f" },
	{ "Zm9v=YmFy", 3, "foo" },
	{ "Zm9vY", 3, "foo" },
	{ "Z", 0, "" },
	{ "=Zm9v", 0, "" },
	{ "!\"#", 0, "" },
};

/* Those this processor has; level[0] is scalar. */
static struct base64_ops level[CPU_LEVEL_N];
static unsigned levels;

static void ladder(void)
{
	const unsigned flags = CPU_VBMI | CPU_VBMI2;
	for (int l = CPU_SCALAR; l <= (int)cpu_level(); l++) {
		base64_ops_init(&level[levels], l);
		bool without = l == CPU_AVX512 && (cpu_flags() & flags) != flags;
		CU_ASSERT_EQUAL((int)level[levels].level, without ? CPU_AVX2 : l);
		CU_ASSERT_EQUAL(level[levels].run != NULL, l != CPU_SCALAR);
		levels++;
	}
}

/* In pieces: of step octets, or two that part at cut; -1 when bad. */
static int decode_cut(const struct base64_ops *ops, bool mime, struct bytes in, size_t cut,
		      size_t step, uint8_t *out, size_t cap)
{
	struct base64 s = { .ops = ops, .mime = mime };
	size_t n = 0, rest;
	for (size_t i = 0; i < in.n;) {
		size_t len = step ? step : (i == 0 && cut ? cut : in.n - i);
		len = len < in.n - i ? len : in.n - i;
		n += base64_push(&s, bytes_of(in.p + i, len), out + n, cap - n);
		i += len;
	}
	return base64_end(&s, out + n, cap - n, &rest) ? (int)(n + rest) : -1;
}

static void rows_cut(const struct row *row, unsigned n, bool mime)
{
	for (unsigned i = 0; i < n * levels; i++, row += i % levels == 0) {
		struct bytes in = bytes_str(row->text);
		for (size_t cut = 0; cut <= in.n + 1; cut++) {
			uint8_t out[16];
			int have = decode_cut(&level[i % levels], mime, in, cut, cut > in.n, out,
					      sizeof out);
			CU_ASSERT_EQUAL(have, row->n);
			if (have > 0 && have == row->n)
				CU_ASSERT(memcmp(out, row->want, (size_t)have) == 0);
		}
	}
}

static void known(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t out[16];
		ptrdiff_t n = base64_decode(NULL, bytes_str(rows[i].text), out, sizeof out);
		CU_ASSERT_EQUAL(n, rows[i].n);
		if (n > 0 && n == rows[i].n)
			CU_ASSERT(memcmp(out, rows[i].want, (size_t)n) == 0);
	}
}

static void cut_everywhere(void)
{
	rows_cut(rows, sizeof rows / sizeof rows[0], false);
	rows_cut(mime_rows, sizeof mime_rows / sizeof mime_rows[0], true);
}

/* However much padding there is, what is behind it is never text. */
static void padding_without_end(void)
{
	for (unsigned l = 0; l < levels; l++)
		for (size_t n = 0; n < 1000; n += n < 10 || (n >= 240 && n < 270) ? 1 : 23) {
			uint8_t in[1100] = "Zm9v", out[1100];
			memset(in + 4, '=', n);
			memcpy(in + 4 + n, "YmFy", 4);
			for (size_t step = 0; step < 3; step++) {
				struct bytes text = bytes_of(in, 8 + n);
				CU_ASSERT_EQUAL(
					decode_cut(&level[l], true, text, 0, step, out, sizeof out),
					n ? 3 : 6);
				CU_ASSERT_EQUAL(decode_cut(&level[l], false, text, 0, step, out,
							   sizeof out),
						n ? -1 : 6);
			}
		}
}

static void room(void)
{
	for (size_t cap = 0; cap <= 6; cap++) {
		uint8_t *out = test_guard("......", cap);
		for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			ptrdiff_t n = base64_decode(NULL, bytes_str(rows[i].text), out, cap);
			int want = rows[i].n > (int)cap ? -1 : rows[i].n;
			CU_ASSERT_EQUAL(n, want);
		}
		test_guard_free(out, cap);
	}
}

static void input_at_end_of_page(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].text);
		uint8_t *p = test_guard(rows[i].text, n), out[16];
		CU_ASSERT_EQUAL(base64_decode(NULL, bytes_of(p, n), out, sizeof out), rows[i].n);
		test_guard_free(p, n);
	}
}

enum { TEXT = 900 };

/* Read again, by other means: letters alone, padded, to OpenSSL. -1: bad. */
static int reading(struct bytes in, bool mime, uint8_t *out)
{
	char letters[TEXT + 8];
	size_t n = 0, pad = 0;
	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];
		if (c == '=')
			pad++;
		else if (bytes_base64(c) >= 0 && !pad)
			letters[n++] = (char)c;
		else if (!mime && !(c && strchr("\r\n\t ", c)))
			return -1;
	}
	if (!mime && (n % 4 == 1 || (pad && (n % 4 < 2 || n % 4 + pad != 4))))
		return -1;
	n -= n % 4 == 1;
	size_t fill = n % 4 ? 4 - n % 4 : 0;
	memcpy(letters + n, "===", fill);
	letters[n + fill] = 0;
	int len = n ? EVP_DecodeBlock(out, (uint8_t *)letters, (int)(n + fill)) : 0;
	CU_ASSERT_FATAL(len >= 0);
	return len - (int)fill;
}

enum shape { LETTERS, LINES, BLANKS, JUNK, ODD, SHAPES };

/* ODD: now and then an octet that ends it or makes it bad. */
static void text_of(uint8_t *p, size_t n, enum shape shape, uint64_t *random)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t width = 1 + test_random(random) % 90;
	for (size_t i = 0; i < n; i++) {
		uint64_t x = test_random(random) >> 16;
		p[i] = (uint8_t)alphabet[x & 63];
		if (shape == LINES && i % (width + 2) >= width)
			p[i] = "\r\n"[i % (width + 2) - width];
		if (shape >= BLANKS && (x >> 8) % width == 0)
			p[i] = (uint8_t) "\r\n\t "[x >> 16 & 3];
		if (shape == JUNK && (x >> 24 & 7) == 0)
			p[i] = (x >> 32 & 255) == '=' ? '-' : (uint8_t)(x >> 32);
		if (shape == ODD && (x >> 24) % 300 == 0)
			p[i] = (uint8_t) "=-\x80\xbd\xc1="[(x >> 40) % 6];
	}
}

/* Every length, at the edge of a page, in and out; out has just the room it needs. */
static void every_length(void)
{
	uint64_t random = 88172645463325252u;
	for (size_t n = 0; n <= TEXT; n++)
		for (unsigned k = 0; k < 2 * SHAPES; k++) {
			bool mime = k & 1, front = n & 1;
			uint8_t *in = test_edge(n, front), want[TEXT];
			text_of(in, n, k / 2, &random);
			int len = reading(bytes_of(in, n), mime, want);
			size_t cap = len < 0 ? n : (size_t)len;
			uint8_t *out = test_edge(cap, front);
			for (unsigned l = 0; l < levels; l++) {
				memset(out, 0xa5, cap);
				int have = decode_cut(&level[l], mime, bytes_of(in, n), 0, 0, out,
						      cap);
				CU_ASSERT_EQUAL(have, len);
				CU_ASSERT(len <= 0 || memcmp(out, want, (size_t)len) == 0);
			}
			test_edge_free(in, n, front);
			test_edge_free(out, cap, front);
		}
}

static bool same(const struct base64 *a, const struct base64 *b)
{
	return a->bits == b->bits && a->n == b->n && a->pad == b->pad && a->bad == b->bad;
}

/* The state, too, is that of scalar at every cut. */
static void every_cut(void)
{
	uint64_t random = 362436069;
	uint8_t in[TEXT], want[TEXT], have[TEXT];
	for (unsigned k = 0; k < 8 * SHAPES; k++) {
		bool mime = k & 1;
		text_of(in, sizeof in, k / 2 % SHAPES, &random);
		for (size_t cut = 0; cut <= sizeof in; cut++)
			for (unsigned l = 0; l < levels; l++) {
				struct base64 a = { .mime = mime };
				struct base64 b = { .mime = mime, .ops = &level[l] };
				size_t n = base64_push(&a, bytes_of(in, cut), want, TEXT);
				size_t m = base64_push(&b, bytes_of(in, cut), have, TEXT);
				CU_ASSERT(n == m && same(&a, &b));
				size_t left = sizeof in - cut;
				n += base64_push(&a, bytes_of(in + cut, left), want + n, TEXT - n);
				m += base64_push(&b, bytes_of(in + cut, left), have + m, TEXT - m);
				CU_ASSERT(n == m && same(&a, &b) && memcmp(want, have, n) == 0);
			}
	}
}

/* Too little room is bad at the same octet. */
static void every_room(void)
{
	uint64_t random = 521288629;
	uint8_t in[TEXT], want[TEXT];
	text_of(in, sizeof in, LINES, &random);
	for (size_t cap = 0; cap <= TEXT; cap++)
		for (unsigned l = 0; l < levels; l++) {
			uint8_t *out = test_edge(cap, false);
			struct base64 a = { 0 }, b = { .ops = &level[l] };
			size_t n = base64_push(&a, bytes_of(in, sizeof in), want, cap);
			size_t m = base64_push(&b, bytes_of(in, sizeof in), out, cap);
			CU_ASSERT(n == m && same(&a, &b) && memcmp(want, out, n) == 0);
			test_edge_free(out, cap, false);
		}
}

/* Longer than what a kernel holds at once. */
static void long_text(void)
{
	static uint8_t in[100000], want[sizeof in], have[sizeof in];
	uint64_t random = 5;
	for (unsigned k = 0; k < 8; k++) {
		text_of(in, sizeof in, k / 2, &random);
		int n = decode_cut(NULL, k & 1, bytes_of(in, sizeof in), 0, 0, want, sizeof want);
		CU_ASSERT_EQUAL(n < 0, k == 6);
		for (unsigned l = 0; l < levels; l++)
			for (size_t step = 0; step < 9000; step += 1499) {
				int m = decode_cut(&level[l], k & 1, bytes_of(in, sizeof in), 0,
						   step, have, sizeof have);
				CU_ASSERT_EQUAL(n, m);
				CU_ASSERT(n < 0 || memcmp(want, have, (size_t)n) == 0);
			}
	}
}

TEST_MAIN("base64", TEST(ladder), TEST(known), TEST(cut_everywhere), TEST(room),
	  TEST(padding_without_end), TEST(input_at_end_of_page), TEST(every_length),
	  TEST(every_cut), TEST(every_room), TEST(long_text))
