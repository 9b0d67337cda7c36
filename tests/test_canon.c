/* Canonical forms are those of RFC 6376 section 3.4 at every level, however input and output are cut. */
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

/* Those this processor has; level[0] is scalar. */
static struct canon_ops level[CPU_LEVEL_N];
static unsigned levels;

static void ladder(void)
{
	struct canon_ops *ops = level;
	for (int l = CPU_SCALAR; l <= (int)cpu_level(); l++) {
		canon_ops_init(ops, l);
		bool without = l == CPU_AVX512 && !(cpu_flags() & CPU_VBMI2);
		CU_ASSERT_EQUAL((int)ops->level, without ? CPU_AVX2 : l);
		CU_ASSERT_EQUAL(ops->relaxed != NULL, l != CPU_SCALAR);
		ops++;
	}
	levels = (unsigned)(ops - level);
}

struct run {
	uint8_t out[OUT_MAX];
	size_t n;
	uint64_t total;
};

/* Input in pieces of step octets (0: whole, but cut at `cut`), output in pieces of cap. */
static void run_canon(const struct canon_ops *ops, struct run *r, enum canon_kind kind,
		      struct bytes in, uint64_t limit, size_t cut, size_t step, size_t cap)
{
	struct canon c;
	r->n = 0;
	canon_init(&c, ops, kind, limit);
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
	for (unsigned l = 0; l < levels; l++)
		for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			struct bytes in = bytes_str(rows[i].in);
			run_canon(&level[l], &r, CANON_SIMPLE, in, UINT64_MAX, 0, 0, OUT_MAX / 2);
			CU_ASSERT(is(&r, rows[i].simple));
			run_canon(&level[l], &r, CANON_RELAXED, in, UINT64_MAX, 0, 0, OUT_MAX / 2);
			CU_ASSERT(is(&r, rows[i].relaxed));
		}
}

static void cut_everywhere(void)
{
	struct run r;
	for (unsigned i = 0; i < levels * (sizeof rows / sizeof rows[0]); i++) {
		const struct canon_ops *ops = &level[i % levels];
		const struct row *row = &rows[i / levels];
		struct bytes in = bytes_str(row->in);
		for (size_t cap = CANON_ROOM; cap < CANON_ROOM + 10; cap++)
			for (size_t cut = 0; cut <= in.n + 3; cut++) {
				size_t step = cut > in.n ? cut - in.n : 0;
				run_canon(ops, &r, CANON_SIMPLE, in, UINT64_MAX, cut, step, cap);
				CU_ASSERT(is(&r, row->simple));
				run_canon(ops, &r, CANON_RELAXED, in, UINT64_MAX, cut, step, cap);
				CU_ASSERT(is(&r, row->relaxed));
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
		run_canon(NULL, &r, kind, bytes_of("", 0), UINT64_MAX, 0, 0, CANON_ROOM);
		CU_ASSERT(EVP_Digest(r.out, r.n, digest, NULL, EVP_sha256(), NULL) == 1);
		EVP_EncodeBlock((uint8_t *)text, digest, sizeof digest);
		CU_ASSERT_STRING_EQUAL(text, want[kind]);
	}
}

/* l=: so many canonical octets and no more; the rest is counted. */
static void limit(void)
{
	for (unsigned i = 0; i < levels * (sizeof rows / sizeof rows[0]); i++)
		for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
			const struct row *row = &rows[i / levels];
			struct bytes want =
				bytes_str(kind == CANON_SIMPLE ? row->simple : row->relaxed);
			for (size_t l = 0; l <= want.n + 1; l++) {
				struct run r;
				run_canon(&level[i % levels], &r, kind, bytes_str(row->in), l, 0,
					  1 + l % 5, CANON_ROOM);
				CU_ASSERT(bytes_equal(bytes_of(r.out, r.n), bytes_head(want, l)));
				CU_ASSERT_EQUAL(r.total, want.n);
				run_canon(&level[i % levels], &r, kind, bytes_str(row->in), l, 0, 0,
					  100);
				CU_ASSERT(bytes_equal(bytes_of(r.out, r.n), bytes_head(want, l)));
				CU_ASSERT_EQUAL(r.total, want.n);
			}
		}
}

/* What stands in front of a hole is never more than what the whole body gives, and all lines but the last are there. */
static void cut_is_a_prefix(void)
{
	for (unsigned i = 0; i < levels * (sizeof rows / sizeof rows[0]); i++)
		for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
			const struct row *row = &rows[i / levels];
			struct bytes in = bytes_str(row->in);
			struct bytes want =
				bytes_str(kind == CANON_SIMPLE ? row->simple : row->relaxed);
			for (size_t cut = 0; cut <= in.n; cut++) {
				struct canon c;
				uint8_t out[256];
				struct bytes piece = bytes_head(in, cut);
				size_t n = 0;
				canon_init(&c, &level[i % levels], kind, UINT64_MAX);
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
	canon_init(&c, NULL, CANON_RELAXED, UINT64_MAX);
	size_t n = canon_body(&c, &body, out, sizeof out);
	n += canon_cut(&c, out + n, sizeof out - n);
	CU_ASSERT(bytes_equal(bytes_of(out, n), bytes_str("abc\r\n")));
}

/* Held line ends are a number: a long run of them is given out piece by piece when content follows. */
static void empty_lines(const struct canon_ops *ops, enum canon_kind kind, const char *front)
{
	enum { LINES = 1000000 };
	size_t f = strlen(front);
	uint8_t *in = malloc(f + LINES * 2 + 1), *out = malloc(LINES * 2 + 64);
	CU_ASSERT_FATAL(in && out);
	memcpy(in, front, f);
	for (size_t i = 0; i < LINES; i++)
		memcpy(in + f + 2 * i, "\r\n", 2);
	in[f + 2 * LINES] = 'x';
	struct canon c;
	canon_init(&c, ops, kind, UINT64_MAX);
	struct bytes lines = bytes_of(in, f + 2 * LINES), x = bytes_of(in + f + 2 * LINES, 1);
	size_t n = 0, calls = 0;
	while (lines.n)
		n += canon_body(&c, &lines, out, 64);
	CU_ASSERT_EQUAL(n, f);
	CU_ASSERT_EQUAL(c.held, LINES);
	for (; x.n; calls++)
		n += canon_body(&c, &x, out + n, 64);
	while (!canon_ended(&c))
		n += canon_end(&c, out + n, 64);
	CU_ASSERT(calls > LINES * 2 / 64);
	CU_ASSERT_EQUAL(n, f + LINES * 2 + 3);
	CU_ASSERT(memcmp(out, in, f + LINES * 2 + 1) == 0);
	free(in);
	free(out);
}

static void a_million_empty_lines(void)
{
	for (unsigned l = 0; l < levels; l++) {
		for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
			empty_lines(&level[l], kind, "");
			empty_lines(&level[l], kind, "text");
		}
	}
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

/* Blanks, line ends and parts of them: everywhere, now and then, alone, as lines of text have them, as indents. */
enum { TEXTS = 5 };

static void text_make(uint8_t *p, size_t n, unsigned text, uint64_t *random)
{
	static const char letters[] = "  \t\r\n\r\nab.\r\n\x80\1";
	for (size_t i = 0; i < n; i++) {
		uint64_t x = test_random(random);
		bool dense = text == 0 || (text == 1 && x % 8 == 0) ||
			     (text == 3 && x % 128 == 0) || (text == 4 && x % 32 == 0);
		p[i] = dense       ? (uint8_t)letters[(x >> 8) % (sizeof letters - 1)]
		       : text == 2 ? (uint8_t) " \t\r\n"[(x >> 8) % 4]
				   : (uint8_t)('a' + (x >> 8) % 26);
		if (text >= 3 && i % 76 >= 74)
			p[i] = i % 76 == 74 ? '\r' : '\n';
		else if (text == 4 && i % 76 < x % 20)
			p[i] = x >> 60 ? ' ' : '\t';
	}
}

enum { WALLED = 64 * 1024 };

struct walls { /* input and output against them */
	uint8_t *in, *out;
};

/*
 * As run_canon, but each piece lies against the wall in front of it or behind it, and so does the
 * room for output; returns whether the result is want.
 */
static bool comes_out(const struct walls *w, const struct canon_ops *ops, enum canon_kind kind,
		      struct bytes in, const size_t *cut, size_t cap, struct bytes want)
{
	struct canon c;
	size_t at = 0, n = 0;
	bool same = true;
	canon_init(&c, ops, kind, UINT64_MAX);
	for (int i = 0; i < 3; i++) {
		size_t end = i < 2 ? cut[i] : in.n, len = end - at;
		uint8_t *p = (at + i) % 2 ? w->in : w->in + WALLED - len;
		memcpy(p, in.p + at, len);
		struct bytes piece = bytes_of(p, len);
		at = end;
		while (piece.n) {
			uint8_t *out = piece.n % 2 ? w->out : w->out + WALLED - cap;
			size_t k = canon_body(&c, &piece, out, cap);
			same = same && k <= want.n - n && memcmp(out, want.p + n, k) == 0;
			n += k;
			if (!same)
				return false;
		}
	}
	while (!canon_ended(&c)) {
		uint8_t *out = w->out + WALLED - cap;
		size_t k = canon_end(&c, out, cap);
		same = same && k <= want.n - n && memcmp(out, want.p + n, k) == 0;
		n += k;
	}
	return same && n == want.n && c.total == n;
}

/* Every length to ten blocks of the widest level, one to three octets at a time; what is held then is what scalar holds. */
static void n15_every_octet_is_a_cut(void)
{
	enum { MAX = 640 };
	struct walls w = { test_walled(WALLED), test_walled(WALLED) };
	uint64_t random = 17;
	for (size_t n = 0; n <= MAX; n++) {
		uint8_t in[MAX], want[MAX + 2];
		text_make(in, n, (unsigned)n % TEXTS, &random);
		for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
			size_t len = by_the_letter(kind, in, n, want);
			for (unsigned l = 0; l < levels; l++) {
				size_t cut[2] = { n / 3, n / 3 * 2 };
				struct run r;
				CU_ASSERT(comes_out(&w, &level[l], kind, bytes_of(in, n), cut,
						    n + 70, bytes_of(want, len)));
				for (size_t step = 1; step < 4; step++) {
					run_canon(&level[l], &r, kind, bytes_of(in, n), UINT64_MAX,
						  0, step, 16 + n % 60);
					CU_ASSERT(bytes_equal(bytes_of(r.out, r.n),
							      bytes_of(want, len)));
				}
			}
		}
	}
}

static bool same_state(const struct canon *a, const struct canon *b)
{
	return a->cr == b->cr && a->blank == b->blank && a->some == b->some && a->held == b->held &&
	       a->total == b->total;
}

/* So that a hole at any octet leaves the same known octets. */
static void levels_hold_the_same(void)
{
	enum { MAX = 400 };
	uint64_t random = 23;
	for (unsigned text = 0; text < 20; text++) {
		uint8_t in[MAX], want[MAX + 64], have[MAX + 64];
		text_make(in, MAX, text % TEXTS, &random);
		for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++)
			for (size_t n = 0; n <= MAX; n++)
				for (unsigned l = 1; l < levels; l++) {
					struct canon a, b;
					struct bytes x = bytes_of(in, n), y = x;
					canon_init(&a, NULL, kind, UINT64_MAX);
					canon_init(&b, &level[l], kind, UINT64_MAX);
					size_t i = canon_body(&a, &x, want, sizeof want);
					size_t k = canon_body(&b, &y, have, sizeof have);
					CU_ASSERT(i == k && !x.n && !y.n && same_state(&a, &b));
					i += canon_cut(&a, want + i, sizeof want - i);
					k += canon_cut(&b, have + k, sizeof have - k);
					CU_ASSERT(i == k && memcmp(want, have, i) == 0);
				}
	}
}

/* Every length of some blocks, cut at every octet. */
static void levels_at_every_length(void)
{
	enum { MAX = 300 };
	struct walls w = { test_walled(WALLED), test_walled(WALLED) };
	uint64_t random = 5, compared = 0;
	for (size_t n = 0; n <= MAX; n++)
		for (unsigned text = 0; text < 2 * TEXTS; text++) {
			uint8_t in[MAX], want[MAX + 2];
			text_make(in, n, text % TEXTS, &random);
			for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
				size_t len = by_the_letter(kind, in, n, want);
				unsigned wrong = 0;
				for (size_t i = 0; i <= n; i++) {
					size_t cut[2] = { i,
							  i + test_random(&random) % (n - i + 1) };
					size_t cap = CANON_ROOM + test_random(&random) % (n + 70);
					for (unsigned l = 0; l < levels; l++, compared++)
						wrong += !comes_out(&w, &level[l], kind,
								    bytes_of(in, n), cut, cap,
								    bytes_of(want, len));
				}
				CU_ASSERT_EQUAL(wrong, 0);
			}
		}
	CU_ASSERT(compared >= levels * UINT64_C(900000));
}

static void levels_at_length(void)
{
	struct walls w = { test_walled(WALLED), test_walled(WALLED) };
	uint64_t random = 9;
	static uint8_t in[WALLED], want[WALLED + 2];
	for (unsigned round = 0; round < 3000; round++) {
		size_t n = test_random(&random) % (round % 16 ? 6000 : WALLED);
		text_make(in, n, round % TEXTS, &random);
		size_t flood = test_random(&random) % 400, at = test_random(&random) % (n + 1);
		for (size_t i = at; round % 3 == 0 && i + 1 < n && flood; i += 2, flood--)
			memcpy(in + i, round % 2 ? "\r\n" : " \t", 2);
		for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
			size_t len = by_the_letter(kind, in, n, want);
			size_t cut[2] = { test_random(&random) % (n + 1), n };
			size_t cap = CANON_ROOM + test_random(&random) % 5000;
			cut[1] = cut[0] + test_random(&random) % (n - cut[0] + 1);
			for (unsigned l = 0; l < levels; l++)
				CU_ASSERT(comes_out(&w, &level[l], kind, bytes_of(in, n), cut, cap,
						    bytes_of(want, len)));
		}
	}
}

/* Each group in otherwise plain text at every place of a few blocks, and every pair of octets that count. */
static void levels_at_block_borders(void)
{
	static const char *const group[] = { " ",       "  ",    "\t",       " \t ",   "\r",
					     " \r",     "\n",    " \n",      "\r\n",   " \r\n",
					     "\t\r\n",  "\r\n ", "\r\n\r\n", " \r\n ", "\r\r\n",
					     " \r\r\n", " \r \n" };
	struct walls w = { test_walled(WALLED), test_walled(WALLED) };
	for (unsigned g = 0; g < sizeof group / sizeof group[0]; g++)
		for (size_t at = 0; at < 200; at++) {
			uint8_t in[210], want[212];
			size_t none[2] = { 0, 0 }, k = strlen(group[g]);
			memset(in, 'x', sizeof in);
			memcpy(in + at, group[g], k);
			for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++)
				for (size_t n = at; n <= at + k + 1; n++) {
					size_t len = by_the_letter(kind, in, n, want);
					for (unsigned l = 0; l < levels; l++)
						CU_ASSERT(comes_out(&w, &level[l], kind,
								    bytes_of(in, n), none, 300,
								    bytes_of(want, len)));
				}
		}
}

/* A piece of output is full but for CANON_ROOM: progress in any room. */
static void room_is_used(void)
{
	uint64_t random = 3;
	for (unsigned l = 0; l < levels; l++)
		for (size_t cap = CANON_ROOM; cap < 300; cap++)
			for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
				uint8_t text[900], out[300];
				for (size_t i = 0; i < sizeof text; i++)
					text[i] = (uint8_t) " \tab\r\nx"[test_random(&random) % 7];
				struct canon c;
				struct bytes in = bytes_of(text, sizeof text);
				size_t most = 0;
				canon_init(&c, &level[l], kind, UINT64_MAX);
				while (in.n) {
					size_t n = canon_body(&c, &in, out, cap);
					most = n > most ? n : most;
				}
				CU_ASSERT(most > cap - CANON_ROOM && most <= cap);
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

/* in cut at `cut`, or behind the last octet everywhere; the room against a wall. */
static size_t run_field(struct bytes in, size_t cut, bool crlf, size_t cap, const struct walls *w,
			uint8_t *all)
{
	struct canon_field c = { 0 };
	uint8_t *out = w->out + WALLED - cap;
	size_t n = 0, k;
	for (size_t at = 0; at < in.n;) {
		size_t len = cut > in.n ? 1 : at || !cut ? in.n - at : cut;
		uint8_t *p = w->in + WALLED - len;
		memcpy(p, in.p + at, len);
		struct bytes piece = bytes_of(p, len);
		while (piece.n) {
			k = canon_field(&c, &piece, out, cap);
			memcpy(all + n, out, k);
			n += k;
		}
		at += len;
	}
	k = canon_field_end(&c, crlf, out, cap);
	memcpy(all + n, out, k);
	CU_ASSERT(!c.value && !c.some && !c.blank && !c.cr);
	return n + k;
}

static void field_cut_everywhere(void)
{
	struct walls w = { test_walled(WALLED), test_walled(WALLED) };
	for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		const struct field_row *row = &fields[i];
		struct bytes in = bytes_str(row->in);
		for (size_t cut = 0; cut <= in.n + 1; cut++)
			for (int crlf = 0; crlf < 2; crlf++) {
				uint8_t out[256];
				size_t n = run_field(in, cut, crlf, CANON_ROOM + cut % 3 * 100, &w,
						     out);
				struct bytes want = bytes_str(row->want);
				want.n -= crlf ? 0 : 2;
				CU_ASSERT(bytes_equal(bytes_of(out, n), want));
			}
	}
}

/* RFC 6376 3.4.2, one rule after the other; a CRLF that no blank follows is dropped too. */
static size_t field_by_the_letter(const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t text[4096];
	size_t len = 0, o = 0;
	bool value = false;
	for (size_t i = 0; i < n; i++) {
		if (in[i] == '\r' && i + 1 < n && in[i + 1] == '\n')
			i++;
		else
			text[len++] = in[i] == '\t' ? ' ' : in[i];
	}
	for (size_t i = 0; i < len; i++) {
		bool colon = text[i] == ':' && !value;
		while (colon && o && out[o - 1] == ' ')
			o--;
		if (text[i] == ' ' && (!o || out[o - 1] == ' ' ||
				       (value && out[o - 1] == ':' && !memchr(out, ':', o - 1))))
			continue;
		out[o++] = value || text[i] < 'A' || text[i] > 'Z' ? text[i] : text[i] | 0x20;
		value = value || colon;
	}
	while (o && out[o - 1] == ' ')
		o--;
	return o;
}

static void fields_at_every_length(void)
{
	static const char letters[] = "  \t\r\n\r\n \r\n\t:aBc;:\r\n\x80\1";
	struct walls w = { test_walled(WALLED), test_walled(WALLED) };
	uint64_t random = 11;
	for (unsigned round = 0; round < 100000; round++) {
		uint8_t in[400], want[400], out[400];
		size_t n = round % (sizeof in - 2);
		for (size_t i = 0; i < n; i++) {
			uint64_t x = test_random(&random);
			bool odd = x % 64 < (round % 3 == 0 ? 64u : round % 3 * 3u);
			in[i] = odd ? (uint8_t)letters[(x >> 8) % (sizeof letters - 1)]
				    : (uint8_t)('A' + (x >> 8) % 58);
			if (i == 5 && round % 7)
				in[i] = ':';
		}
		size_t len = field_by_the_letter(in, n, want);
		size_t cut = test_random(&random) % (n + 2),
		       cap = CANON_ROOM + test_random(&random) % 400;
		size_t k = run_field(bytes_of(in, n), cut, false, cap, &w, out);
		CU_ASSERT(bytes_equal(bytes_of(out, k), bytes_of(want, len)));
	}
}

TEST_MAIN("canon", TEST(ladder), TEST(known), TEST(cut_everywhere), TEST(f7_empty_body),
	  TEST(limit), TEST(cut_is_a_prefix), TEST(a_million_empty_lines),
	  TEST(levels_at_every_length), TEST(n15_every_octet_is_a_cut), TEST(levels_hold_the_same),
	  TEST(levels_at_length), TEST(levels_at_block_borders), TEST(room_is_used),
	  TEST(field_cut_everywhere), TEST(fields_at_every_length))
