/* Quoted-printable gives the octets of RFC 2045 section 6.7 at every level, however it is cut. */
#include "tests/test.h"
#include "verify/kernel/quoted.h"

#include <stdlib.h>

static const struct {
	const char *text, *want;
} rows[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "a=3Db", "a=b" },
	{ "=e4=F6=Fc=DF", "\xe4\xf6\xfc\xdf" },
	{ "one=\r\ntwo", "onetwo" },
	{ "one= \t \r\ntwo", "onetwo" },
	{ "one \t \r\ntwo  ", "one\r\ntwo" },
	{ "one=20\r\ntwo=09", "one \r\ntwo\t" },
	{ "one =20 \r\n", "one  \r\n" },
	{ " \r\n\r\n \t\r\n", "\r\n\r\n\r\n" },
	{ "a  b\tc", "a  b\tc" },
	/* malformed ones stay */
	{ "=", "" }, /* the end of the text is that of a line */
	{ "x= \t", "x" },
	{ "=4", "=4" },
	{ "=4\r\n", "=4\r\n" },
	{ "=4 \r\n", "=4\r\n" },
	{ "=zz", "=zz" },
	{ "=4z", "=4z" },
	{ "=4=41", "=4A" },
	{ "==41", "=A" },
	{ "==\r\nx", "=x" },
	{ "= 41", "= 41" },
	{ "= \tx \r\n", "= \tx\r\n" },
	{ "= = \r\nx", "= x" },
	/* a bare CR or LF is an octet */
	{ "a=\nb", "a=\nb" },
	{ "a \nb", "a \nb" },
	{ "a \rb", "a \rb" },
	{ "a=\rb", "a=\rb" },
	{ "a=\r41", "a=\r41" },
	{ "a= \r\r\nb", "a= \r\r\nb" },
	{ "a=\r\r\nb", "a=\r\r\nb" },
	{ "a\r", "a\r" },
	{ "a \r", "a \r" },
	{ "a=\r", "a=\r" },
	{ "\r\r\n\n", "\r\r\n\n" },
};

enum { TEXT = 700, OUT = TEXT + 2 * QUOTED_ROOM };

/* Those this processor has; level[0] is scalar. */
static struct quoted_ops level[CPU_LEVEL_N];
static unsigned levels;

static void ladder(void)
{
	for (int l = CPU_SCALAR; l <= (int)cpu_level(); l++, levels++) {
		quoted_ops_init(&level[levels], l);
		CU_ASSERT_EQUAL((int)level[levels].level, l < CPU_AVX2 ? l : CPU_AVX2);
	}
}

/* In pieces: of step octets, or two that part at cut; cap octets of room a call. */
static size_t decode(const struct quoted_ops *ops, struct bytes in, size_t cut, size_t step,
		     size_t cap, uint8_t *out, bool *many)
{
	struct quoted s = { .ops = ops };
	size_t n = 0;
	for (size_t i = 0; i < in.n;) {
		size_t len = step ? step : (i == 0 && cut ? cut : in.n - i);
		len = len < in.n - i ? len : in.n - i;
		struct bytes piece = bytes_of(in.p + i, len);
		while (piece.n)
			n += quoted_push(&s, &piece, out + n, cap);
		i += len;
	}
	n += quoted_end(&s, out + n, cap);
	*many = s.many;
	return n;
}

/* levels and NULL, which is octet by octet */
static const struct quoted_ops *ops_of(unsigned l)
{
	return l < levels ? &level[l] : NULL;
}

static void known(void)
{
	uint8_t out[256 + QUOTED_ROOM];
	bool many;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (unsigned l = 0; l <= levels; l++) {
			struct bytes in = bytes_str(rows[i].text), want = bytes_str(rows[i].want);
			for (size_t cut = 0; cut <= in.n + 1; cut++) {
				size_t n = decode(ops_of(l), in, cut, cut > in.n, QUOTED_ROOM, out,
						  &many);
				CU_ASSERT(bytes_equal(bytes_of(out, n), want) && !many);
			}
		}
}

/* Read again, by other means: line by line, each from its end. */
static size_t reading(struct bytes in, uint8_t *out)
{
	size_t o = 0, at = 0;
	while (at < in.n) {
		size_t end = at, next;
		while (end < in.n &&
		       !(end + 1 < in.n && in.p[end] == '\r' && in.p[end + 1] == '\n'))
			end++;
		next = end < in.n ? end + 2 : end;
		bool whole = end < in.n;
		size_t to = end;
		while (to > at && (in.p[to - 1] == ' ' || in.p[to - 1] == '\t'))
			to--;
		to = end - to > QUOTED_BLANKS_MAX ? end : to;
		if (to > at && in.p[to - 1] == '=') {
			to--;
			whole = false;
		}
		while (at < to) {
			char digits[3] = { 0 };
			if (to - at >= 3)
				memcpy(digits, in.p + at + 1, 2);
			bool hex = strspn(digits, "0123456789abcdefABCDEF") == 2;
			bool escape = in.p[at] == '=' && hex;
			out[o++] = escape ? (uint8_t)strtoul(digits, NULL, 16) : in.p[at];
			at += escape ? 3 : 1;
		}
		if (whole) {
			out[o++] = '\r';
			out[o++] = '\n';
		}
		at = next;
	}
	return o;
}

/* Sparse and dense; long runs of blanks and of plain octets. */
static void text_of(uint8_t *p, size_t n, uint64_t *random)
{
	static const char some[] = "== \t\r\n4aFz\r\n";
	unsigned dense = 1u << test_random(random) % 8;
	for (size_t i = 0; i < n;) {
		uint64_t x = test_random(random) >> 16;
		if ((x & 1023) == 0) {
			size_t blanks = QUOTED_BLANKS_MAX - 3 + (x >> 10) % 7;
			for (; blanks && i < n; blanks--)
				p[i++] = (uint8_t) " \t"[blanks % 5 == 0];
			if (n - i >= 2 && (x >> 20 & 1)) {
				memcpy(p + i, "\r\n", 2);
				i += 2;
			}
			continue;
		}
		p[i] = (uint8_t)(x >> 16);
		if ((x >> 32) % dense == 0)
			p[i] = (uint8_t)some[(x >> 40) % (sizeof some - 1)];
		if (i && p[i - 1] == '\r' && (x >> 48 & 1))
			p[i] = '\n';
		i++;
	}
}

static void every_length(void)
{
	uint64_t random = 88172645463325252u;
	for (size_t n = 0; n <= TEXT; n++)
		for (unsigned k = 0; k < 4; k++) {
			bool front = k & 1;
			size_t cap = n + QUOTED_ROOM;
			uint8_t *in = test_edge(n, front), *out = test_edge(cap, front), want[OUT];
			text_of(in, n, &random);
			size_t len = reading(bytes_of(in, n), want);
			CU_ASSERT(len <= n);
			for (unsigned l = 0; l <= levels; l++) {
				struct quoted s = { .ops = ops_of(l) };
				struct bytes piece = bytes_of(in, n);
				memset(out, 0xa5, cap);
				size_t have = quoted_push(&s, &piece, out, cap);
				CU_ASSERT_EQUAL(piece.n, 0);
				have += quoted_end(&s, out + have, cap - have);
				CU_ASSERT(bytes_equal(bytes_of(out, have), bytes_of(want, len)));
			}
			for (unsigned l = 0; l < levels; l++) {
				size_t stop = 0; /* the kernel alone: out is no longer than in */
				while (stop < n && in[stop] != '=' && in[stop] != '\r')
					stop++;
				uint8_t *room = out + (front ? 0 : QUOTED_ROOM);
				CU_ASSERT_EQUAL(level[l].run(in, n, room), stop);
				CU_ASSERT(memcmp(room, in, stop) == 0);
			}
			test_edge_free(in, n, front);
			test_edge_free(out, cap, front);
		}
}

static void every_cut(void)
{
	uint64_t random = 362436069;
	uint8_t in[TEXT], want[OUT], have[OUT];
	unsigned long_runs = 0;
	for (unsigned k = 0; k < 24; k++) {
		bool many, first;
		text_of(in, sizeof in, &random);
		size_t n = decode(NULL, bytes_of(in, TEXT), 0, 0, OUT, want, &first);
		CU_ASSERT_EQUAL(reading(bytes_of(in, TEXT), have), n);
		CU_ASSERT(memcmp(have, want, n) == 0);
		long_runs += first;
		for (size_t cut = 0; cut <= TEXT + 40; cut++)
			for (unsigned l = 0; l <= levels; l++) {
				size_t step = cut > TEXT ? cut - TEXT : 0;
				size_t cap = QUOTED_ROOM + cut % 97;
				size_t m = decode(ops_of(l), bytes_of(in, TEXT), cut % (TEXT + 1),
						  step, cap, have, &many);
				CU_ASSERT(m == n && many == first && memcmp(have, want, n) == 0);
			}
	}
	CU_ASSERT(long_runs > 0 && long_runs < 24);
}

/* So many blanks are dropped at a line's end, one more are content, behind "=" too. */
static void blanks_max(void)
{
	for (unsigned l = 0; l <= levels; l++)
		for (unsigned over = 0; over < 2; over++)
			for (size_t step = 0; step < 200; step++) {
				uint8_t text[400] = "ab=", out[800], want[400] = "ab";
				size_t run = QUOTED_BLANKS_MAX + over, n;
				bool many;
				memset(text + 3, ' ', run);
				memcpy(text + 3 + run, "\r\ncd", 4);
				memset(text + 7 + run, '\t', run);
				n = decode(ops_of(l), bytes_of(text, 7 + 2 * run), 0, step,
					   QUOTED_ROOM, out, &many);
				if (over)
					memcpy(want, text, 7 + 2 * run);
				else
					memcpy(want, "abcd", 4);
				CU_ASSERT(bytes_equal(bytes_of(out, n),
						      bytes_of(want, over ? 7 + 2 * run : 4)));
				CU_ASSERT_EQUAL(many, over);
			}
}

/* Behind too many blanks a bare CR is content, and what follows it begins anew; so does the next line. The end of the
 * text ends a line. */
static void many_is_of_one_line(void)
{
	static const struct {
		const char *behind, *want;
		bool many;
	} cases[] = {
		{ "", "", true },
		{ "\r\n", "\r\n", true },
		{ "x", "x", false },
		{ "\r", "\r", false },
		{ "\r \t\r\n", "\r\r\n", false },
		{ "=20", " ", false },
		{ "\rx \r\n", "\rx\r\n", false },
		{ "\r\n \r\n", "\r\n\r\n", true },
		{ "x ", "x", false },
		{ "=\r\n ", "", false },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (unsigned l = 0; l <= levels; l++)
			for (size_t step = 0; step < 5; step++) {
				enum { RUN = QUOTED_BLANKS_MAX + 9 };
				uint8_t text[400] = "a", out[800], want[400] = "a";
				size_t n = strlen(cases[i].behind), k = strlen(cases[i].want);
				bool many;
				memset(text + 1, ' ', RUN);
				memcpy(want, text, 1 + RUN);
				memcpy(text + 1 + RUN, cases[i].behind, n);
				memcpy(want + 1 + RUN, cases[i].want, k);
				size_t have = decode(ops_of(l), bytes_of(text, 1 + RUN + n), 0,
						     step, QUOTED_ROOM, out, &many);
				CU_ASSERT(bytes_equal(bytes_of(out, have),
						      bytes_of(want, 1 + RUN + k)));
				CU_ASSERT_EQUAL(many, cases[i].many);
			}
}

TEST_MAIN("quoted", TEST(many_is_of_one_line), TEST(ladder), TEST(known), TEST(every_length),
	  TEST(every_cut), TEST(blanks_max))
