/* Canonical forms are those of RFC 6376 section 3.4, however input and output are cut. */
#include "tests/test.h"
#include "verify/kernel/canon.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct row {
	const char *in, *simple, *relaxed;
};

/* in the order of 3.4.3 to 3.4.5 */
static const struct row rows[] = {
	{ "", "\r\n", "" },
	{ "\r\n", "\r\n", "" },
	{ "\r\n\r\n\r\n", "\r\n", "" },
	{ " \t\r\n", " \t\r\n", "" },
	{ " \r\n\t\r\n", " \r\n\t\r\n", "" },
	{ "  ", "  \r\n", "" },
	{ " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n" },
	{ "a", "a\r\n", "a\r\n" },
	{ "a ", "a \r\n", "a\r\n" },
	{ "a\r\n \r\n", "a\r\n \r\n", "a\r\n" },
	{ "\r\n\r\na\r\n", "\r\n\r\na\r\n", "\r\n\r\na\r\n" },
	{ "\r\n \r\na\r\n", "\r\n \r\na\r\n", "\r\n\r\na\r\n" },
	{ "a\tb", "a\tb\r\n", "a b\r\n" },
	{ "\t\ta", "\t\ta\r\n", " a\r\n" },
	{ "a \t \t b  c\r\n", "a \t \t b  c\r\n", "a b c\r\n" },
	/* a bare CR or LF ends no line */
	{ "a\r", "a\r\r\n", "a\r\r\n" },
	{ "a\n", "a\n\r\n", "a\n\r\n" },
	{ "a \rb", "a \rb\r\n", "a \rb\r\n" },
	{ "a \nb", "a \nb\r\n", "a \nb\r\n" },
	{ "a\r\r\nb", "a\r\r\nb\r\n", "a\r\r\nb\r\n" },
	{ "\r", "\r\r\n", "\r\r\n" },
	{ "\n\n", "\n\n\r\n", "\n\n\r\n" },
	{ "\r\n\r", "\r\n\r\r\n", "\r\n\r\r\n" },
	{ "a \r \r\n", "a \r \r\n", "a \r\r\n" },
	{ "a\r\n\n\r\n", "a\r\n\n\r\n", "a\r\n\n\r\n" },
	{ "x  \r\n \r\n\r\n.\r\n", "x  \r\n \r\n\r\n.\r\n", "x\r\n\r\n\r\n.\r\n" },
	/* long enough for whole words, blanks and controls at every place in them */
	{ "0123456 89012345  89\r\n", "0123456 89012345  89\r\n", "0123456 89012345 89\r\n" },
	{ "abcdefgh \r\nabcdefg \r\nabcdef \r\n", "abcdefgh \r\nabcdefg \r\nabcdef \r\n",
	  "abcdefgh\r\nabcdefg\r\nabcdef\r\n" },
	{ "a\1b\2cdefghij\x80\xff \x85\xa0klmnopqrst",
	  "a\1b\2cdefghij\x80\xff \x85\xa0klmnopqrst\r\n",
	  "a\1b\2cdefghij\x80\xff \x85\xa0klmnopqrst\r\n" },
};

enum { OUT_MAX = 4096 };

struct run {
	uint8_t out[OUT_MAX];
	size_t n;
	uint64_t total;
};

/* Input in pieces of step octets (0: whole, but cut at `cut`), output in pieces of cap. */
static void run_canon(struct run *r, enum canon_kind kind, struct bytes in, uint64_t limit,
		      size_t cut, size_t step, size_t cap)
{
	struct canon c;
	r->n = 0;
	canon_init(&c, kind, limit);
	for (size_t i = 0; i < in.n;) {
		size_t len = step ? step : (i == 0 && cut ? cut : in.n - i);
		len = len < in.n - i ? len : in.n - i;
		struct bytes piece = bytes_of(in.p + i, len);
		while (piece.n)
			r->n += canon_body(&c, &piece, r->out + r->n, cap);
		i += len;
	}
	while (!canon_ended(&c))
		r->n += canon_end(&c, r->out + r->n, cap);
	r->total = c.total;
}

static bool is(const struct run *r, const char *want)
{
	return bytes_equal(bytes_of(r->out, r->n), bytes_str(want)) && r->total == strlen(want);
}

static void known(void)
{
	struct run r;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		run_canon(&r, CANON_SIMPLE, bytes_str(rows[i].in), UINT64_MAX, 0, 0, OUT_MAX / 2);
		CU_ASSERT(is(&r, rows[i].simple));
		run_canon(&r, CANON_RELAXED, bytes_str(rows[i].in), UINT64_MAX, 0, 0, OUT_MAX / 2);
		CU_ASSERT(is(&r, rows[i].relaxed));
	}
}

static void cut_everywhere(void)
{
	struct run r;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes in = bytes_str(rows[i].in);
		for (size_t cap = CANON_ROOM; cap < CANON_ROOM + 10; cap++)
			for (size_t cut = 0; cut <= in.n + 3; cut++) {
				size_t step = cut > in.n ? cut - in.n : 0;
				run_canon(&r, CANON_SIMPLE, in, UINT64_MAX, cut, step, cap);
				CU_ASSERT(is(&r, rows[i].simple));
				run_canon(&r, CANON_RELAXED, in, UINT64_MAX, cut, step, cap);
				CU_ASSERT(is(&r, rows[i].relaxed));
			}
	}
}

static void f7_empty_body(void)
{
	static const char *const want[] = { "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=",
					    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" };
	for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
		struct run r;
		uint8_t digest[32];
		char text[64];
		run_canon(&r, kind, bytes_of("", 0), UINT64_MAX, 0, 0, CANON_ROOM);
		CU_ASSERT(EVP_Digest(r.out, r.n, digest, NULL, EVP_sha256(), NULL) == 1);
		EVP_EncodeBlock((uint8_t *)text, digest, sizeof digest);
		CU_ASSERT_STRING_EQUAL(text, want[kind]);
	}
}

/* l=: so many canonical octets and no more; the rest is counted. */
static void limit(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
			struct bytes want =
				bytes_str(kind == CANON_SIMPLE ? rows[i].simple : rows[i].relaxed);
			for (size_t l = 0; l <= want.n + 1; l++) {
				struct run r;
				run_canon(&r, kind, bytes_str(rows[i].in), l, 0, 1 + l % 5,
					  CANON_ROOM);
				CU_ASSERT(bytes_equal(bytes_of(r.out, r.n), bytes_head(want, l)));
				CU_ASSERT_EQUAL(r.total, want.n);
			}
		}
}

/* What stands in front of a hole is never more than what the whole body gives, and all lines but the last are there. */
static void cut_is_a_prefix(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
			struct bytes in = bytes_str(rows[i].in);
			struct bytes want =
				bytes_str(kind == CANON_SIMPLE ? rows[i].simple : rows[i].relaxed);
			for (size_t cut = 0; cut <= in.n; cut++) {
				struct canon c;
				uint8_t out[256];
				struct bytes piece = bytes_head(in, cut);
				size_t n = 0;
				canon_init(&c, kind, UINT64_MAX);
				while (piece.n)
					n += canon_body(&c, &piece, out + n, 64);
				n += canon_cut(&c, out + n, 64);
				CU_ASSERT(canon_ended(&c));
				CU_ASSERT_EQUAL(c.total, n);
				CU_ASSERT(bytes_equal(bytes_of(out, n), bytes_head(want, n)));
			}
		}
	struct canon c;
	uint8_t out[64];
	struct bytes body = bytes_str("abc\r\n\r\n");
	canon_init(&c, CANON_RELAXED, UINT64_MAX);
	size_t n = canon_body(&c, &body, out, sizeof out);
	n += canon_cut(&c, out + n, sizeof out - n);
	CU_ASSERT(bytes_equal(bytes_of(out, n), bytes_str("abc\r\n")));
}

/* Held line ends are a number: a long run of them is given out piece by piece when content follows. */
static void empty_lines(void)
{
	enum { LINES = 100000 };
	uint8_t *in = malloc(LINES * 2 + 1), *out = malloc(LINES * 2 + 64);
	CU_ASSERT_FATAL(in && out);
	for (size_t i = 0; i < LINES; i++)
		memcpy(in + 2 * i, "\r\n", 2);
	in[2 * LINES] = 'x';
	struct canon c;
	canon_init(&c, CANON_SIMPLE, UINT64_MAX);
	struct bytes lines = bytes_of(in, 2 * LINES), x = bytes_of(in + 2 * LINES, 1);
	CU_ASSERT_EQUAL(canon_body(&c, &lines, out, 64), 0);
	CU_ASSERT_EQUAL(lines.n, 0);
	size_t n = 0, calls = 0;
	for (; x.n; calls++)
		n += canon_body(&c, &x, out + n, 64);
	while (!canon_ended(&c))
		n += canon_end(&c, out + n, 64);
	CU_ASSERT(calls > LINES * 2 / 64);
	CU_ASSERT_EQUAL(n, LINES * 2 + 3);
	CU_ASSERT(memcmp(out, in, LINES * 2 + 1) == 0);
	free(in);
	free(out);
}

/* The rules one after the other on the whole text, as 3.4.3 and 3.4.4 read. */
static size_t by_the_letter(enum canon_kind kind, const uint8_t *in, size_t n, uint8_t *out)
{
	size_t o = 0;
	for (size_t i = 0; i < n; i++) {
		bool blank = in[i] == ' ' || in[i] == '\t';
		if (kind == CANON_RELAXED && blank) {
			while (i + 1 < n && (in[i + 1] == ' ' || in[i + 1] == '\t'))
				i++;
			bool at_end =
				i + 1 == n || (i + 2 < n && in[i + 1] == '\r' && in[i + 2] == '\n');
			if (!at_end)
				out[o++] = ' ';
		} else {
			out[o++] = in[i];
		}
	}
	while (o >= 2 && out[o - 2] == '\r' && out[o - 1] == '\n' &&
	       (o == 2 || (o >= 4 && out[o - 4] == '\r' && out[o - 3] == '\n')))
		o -= 2;
	bool ends = o >= 2 && out[o - 2] == '\r' && out[o - 1] == '\n';
	if (!ends && (o || kind == CANON_SIMPLE)) {
		out[o++] = '\r';
		out[o++] = '\n';
	}
	return o;
}

static void random_text(void)
{
	static const char letters[] = "  \t\r\n\r\nab.\r\n\x80\1";
	uint64_t state = 7;
	for (int round = 0; round < 20000; round++) {
		uint8_t text[200], want[512];
		size_t n = test_random(&state) % sizeof text;
		bool dense = test_random(&state) % 2;
		for (size_t i = 0; i < n; i++) {
			uint64_t x = test_random(&state);
			text[i] = dense || x % 8 == 0
					  ? (uint8_t)letters[(x >> 8) % (sizeof letters - 1)]
					  : (uint8_t)('a' + (x >> 8) % 26);
		}
		uint8_t *in = test_guard(text, n);
		for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
			struct run r;
			size_t len = by_the_letter(kind, text, n, want);
			run_canon(&r, kind, bytes_of(in, n), UINT64_MAX, 0,
				  1 + test_random(&state) % 64,
				  CANON_ROOM + test_random(&state) % 50);
			CU_ASSERT(bytes_equal(bytes_of(r.out, r.n), bytes_of(want, len)));
			CU_ASSERT_EQUAL(r.total, len);
		}
		test_guard_free(in, n);
	}
}

/* A piece of output lies against a page without access: nothing is written behind cap. */
static void output_at_end_of_page(void)
{
	uint64_t state = 3;
	for (size_t cap = CANON_ROOM; cap < 100; cap++) {
		uint8_t text[300];
		for (size_t i = 0; i < sizeof text; i++)
			text[i] = (uint8_t) " \tab\r\nx"[test_random(&state) % 7];
		uint8_t *out = test_guard(text, cap);
		for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
			struct canon c;
			struct bytes in = bytes_of(text, sizeof text);
			size_t most = 0;
			canon_init(&c, kind, UINT64_MAX);
			while (in.n) {
				size_t n = canon_body(&c, &in, out, cap);
				most = n > most ? n : most;
			}
			while (!canon_ended(&c))
				canon_end(&c, out, cap);
			CU_ASSERT(most > cap - CANON_ROOM && most <= cap);
		}
		test_guard_free(out, cap);
	}
}

struct field_row {
	const char *in, *want;
};

static const struct field_row fields[] = {
	{ "A: X\r\n", "a:X\r\n" },
	{ "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n" },
	{ "SUBJect: AbC\r\n", "subject:AbC\r\n" },
	{ "Subject:\r\n", "subject:\r\n" },
	{ "Subject: \t \r\n", "subject:\r\n" },
	{ "Subject:\r\n x\r\n", "subject:x\r\n" },
	{ "Subject:a\r\n \r\n b\r\n", "subject:a b\r\n" },
	{ "Subject \t :a:b : c\r\n", "subject:a:b : c\r\n" },
	{ "To: a@b,\r\n\tc@d", "to:a@b, c@d\r\n" },
	{ "X: a\rb\nc \r \n\r\n", "x:a\rb\nc \r \n\r\n" },
	{ "X: a\r", "x:a\r\r\n" },
	{ "X:\ra\r\n", "x:\ra\r\n" },
	{ "X: \xc3\xa4  \xc3\xb6\r\n", "x:\xc3\xa4 \xc3\xb6\r\n" },
	{ "Long: abcdefghijklmnopqrstuvwxyz  abcdefghijklmnopqrstuvwxyz \r\n",
	  "long:abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz\r\n" },
};

static void field_cut_everywhere(void)
{
	for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct bytes in = bytes_str(fields[i].in);
		for (size_t cut = 0; cut <= in.n + 1; cut++)
			for (int crlf = 0; crlf < 2; crlf++) {
				struct canon_field c = { 0 };
				uint8_t out[256];
				size_t n = 0;
				for (size_t at = 0; at < in.n;) {
					size_t len = cut > in.n ? 1 : at || !cut ? in.n - at : cut;
					struct bytes piece = bytes_of(in.p + at, len);
					while (piece.n)
						n += canon_field(&c, &piece, out + n,
								 CANON_ROOM + cut % 3);
					at += len;
				}
				n += canon_field_end(&c, crlf, out + n, CANON_ROOM);
				struct bytes want = bytes_str(fields[i].want);
				want.n -= crlf ? 0 : 2;
				CU_ASSERT(bytes_equal(bytes_of(out, n), want));
				CU_ASSERT(!c.value && !c.some && !c.blank && !c.cr);
			}
	}
}

TEST_MAIN("canon", TEST(known), TEST(cut_everywhere), TEST(f7_empty_body), TEST(limit),
	  TEST(cut_is_a_prefix), TEST(empty_lines), TEST(random_text), TEST(output_at_end_of_page),
	  TEST(field_cut_everywhere))
