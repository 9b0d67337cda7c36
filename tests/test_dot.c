/* Every level gives what scalar gives, at every length and cut; only CRLF.CRLF ends a message. */
#include "base/message.h"
#include "reassembly/dot.h"
#include "tests/test.h"

#include <stdlib.h>

struct result {
	uint8_t out[8192];
	size_t n, used;
	struct dot d;
};

static void run(const struct dot_ops *ops, struct result *r, const uint8_t *p, size_t n,
		const size_t *cuts, unsigned n_cuts)
{
	size_t at = 0;
	for (unsigned i = 0; i <= n_cuts && r->d.state != DOT_END; i++) {
		size_t end = cuts && i < n_cuts ? cuts[i] : n, used;
		uint8_t *guarded = test_guard(p + at, end - at);
		r->n += dot_copy(ops, &r->d, r->out + r->n, sizeof r->out - r->n, guarded, end - at,
				 &used);
		test_guard_free(guarded, end - at);
		CU_ASSERT(used == end - at || r->d.state == DOT_END);
		r->used += used;
		at = end;
	}
}

static bool same(const struct result *a, const struct result *b)
{
	return a->n == b->n && a->used == b->used && a->d.state == b->d.state &&
	       a->d.flags == b->d.flags && a->d.line == b->d.line &&
	       memcmp(a->out, b->out, a->n) == 0;
}

#define S(text) \
	{ \
		text, sizeof text - 1 \
	}

static const struct {
	struct {
		const char *p;
		size_t n;
	} in, out;
	bool end;
	uint32_t flags;
} known[] = {
	{ S(".\r\n"), S(""), true, 0 },
	{ S("a\r\n.\r\nMAIL"), S("a\r\n"), true, 0 },
	{ S("..\r\n...a\r\n.\r\n"), S(".\r\n..a\r\n"), true, 0 },
	{ S(".a\r\n.\r\n"), S("a\r\n"), true, 0 },
	{ S("a.\r\n.b.\r\n.\r\n"), S("a.\r\nb.\r\n"), true, 0 },
	{ S("\r\n\r\n.\r\n"), S("\r\n\r\n"), true, 0 },
	/* endings that others take */
	{ S("a\n.\nb"), S("a\n.\nb"), false, MESSAGE_BARE_LF | MESSAGE_DOT_AMBIGUOUS },
	{ S("a\n.\r\nb"), S("a\n.\r\nb"), false, MESSAGE_BARE_LF | MESSAGE_DOT_AMBIGUOUS },
	{ S("a\r\n.\nb"), S("a\r\n\nb"), false, MESSAGE_BARE_LF | MESSAGE_DOT_AMBIGUOUS },
	{ S("a\r.\rb"), S("a\r.\rb"), false, MESSAGE_BARE_CR | MESSAGE_DOT_AMBIGUOUS },
	{ S("a\r.\r\nb"), S("a\r.\r\nb"), false, MESSAGE_BARE_CR | MESSAGE_DOT_AMBIGUOUS },
	{ S("a\r\n.\rb"), S("a\r\n\rb"), false, MESSAGE_BARE_CR | MESSAGE_DOT_AMBIGUOUS },
	{ S("a\r\n.\r\r\nb"), S("a\r\n\r\r\nb"), false, MESSAGE_BARE_CR | MESSAGE_DOT_AMBIGUOUS },
	{ S("a\r\n\0.\r\nb"), S("a\r\n\0.\r\nb"), false, MESSAGE_NUL | MESSAGE_DOT_AMBIGUOUS },
	{ S("a\r\n.\0\r\nb"), S("a\r\n\0\r\nb"), false, MESSAGE_NUL | MESSAGE_DOT_AMBIGUOUS },
	{ S("a\n\0.\0\nb"), S("a\n\0.\0\nb"), false,
	  MESSAGE_NUL | MESSAGE_BARE_LF | MESSAGE_DOT_AMBIGUOUS },
	/* no endings */
	{ S("a\n.b\r\n"), S("a\n.b\r\n"), false, MESSAGE_BARE_LF },
	{ S("a\n..\n"), S("a\n..\n"), false, MESSAGE_BARE_LF },
	{ S("a\r\n..\r\n"), S("a\r\n.\r\n"), false, 0 },
	{ S("a\rb"), S("a\rb"), false, MESSAGE_BARE_CR },
	{ S("a\0b"), S("a\0b"), false, MESSAGE_NUL },
	{ S("\xc3\xa4\r\n.\r\n"), S("\xc3\xa4\r\n"), true, MESSAGE_8BIT },
};

static void known_cases(void)
{
	for (int level = CPU_SCALAR; level <= (int)cpu_level(); level++) {
		struct dot_ops ops;
		dot_ops_init(&ops, level);
		CU_ASSERT_EQUAL((int)ops.level, level);
		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
			struct result r = { 0 };
			run(&ops, &r, (const uint8_t *)known[i].in.p, known[i].in.n, NULL, 0);
			CU_ASSERT(r.n == known[i].out.n && !memcmp(r.out, known[i].out.p, r.n));
			CU_ASSERT_EQUAL(r.d.state == DOT_END, known[i].end);
			CU_ASSERT_EQUAL(r.d.flags, known[i].flags);
		}
	}
}

static void cut_everywhere(void)
{
	struct dot_ops ops;
	dot_ops_init(&ops, CPU_SCALAR);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		const uint8_t *p = (const uint8_t *)known[i].in.p;
		size_t n = known[i].in.n, each[64];
		struct result whole = { 0 }, octets = { 0 };
		run(&ops, &whole, p, n, NULL, 0);
		for (size_t cut = 0; cut <= n; cut++) {
			struct result r = { 0 };
			run(&ops, &r, p, n, &cut, 1);
			CU_ASSERT(same(&whole, &r));
			each[cut] = cut;
		}
		run(&ops, &octets, p, n, each, (unsigned)n);
		CU_ASSERT(same(&whole, &octets));
	}
}

/* Text where each special octet is likely enough to meet every other. */
static size_t text(uint8_t *p, size_t n, uint64_t *random, unsigned kind)
{
	static const uint8_t special[] = "\r\n..\r\n\0\xff\r\n.\r\r\n\n.";
	for (size_t i = 0; i < n; i++) {
		uint64_t x = test_random(random);
		p[i] = (uint8_t)('a' + x % 26);
		if (kind == 0 && x >> 32 & 1)
			p[i] = special[(x >> 40) % (sizeof special - 1)];
		else if (kind == 1 && i % 76 >= 74)
			p[i] = i % 76 == 74 ? '\r' : '\n';
		else if (kind == 2 && (x >> 32) % 40 == 0)
			p[i] = special[(x >> 40) % (sizeof special - 1)];
		else if (kind == 3) /* ends and what is near them */
			p[i] = (uint8_t) "\r\n.\0"[(x >> 40) % 4];
	}
	return n;
}

static void levels_agree(void)
{
	static uint8_t in[700];
	uint64_t random = 1;
	struct dot_ops scalar;
	dot_ops_init(&scalar, CPU_SCALAR);
	for (int level = CPU_AVX2; level <= (int)cpu_level(); level++) {
		struct dot_ops ops;
		dot_ops_init(&ops, level);
		CU_ASSERT_EQUAL((int)ops.level, level);
		for (unsigned i = 0; i < 6000; i++) {
			size_t n = text(in, i % 640, &random, i % 3);
			size_t cut[2] = { n ? test_random(&random) % n : 0, n };
			bool raw = i % 7 == 0;
			struct result a = { .d.raw = raw }, b = { .d.raw = raw };
			memset(b.out, 0xa5, sizeof b.out);
			run(&scalar, &a, in, n, NULL, 0);
			run(&ops, &b, in, n, cut, 2);
			CU_ASSERT(same(&a, &b));
			for (size_t k = b.n + 1; k < b.n + 70; k++) /* nothing behind its end */
				CU_ASSERT(b.out[k] == 0xa5);
		}
	}
}

enum { WALLED = 64 * 1024 };

struct reading {
	uint8_t out[4096];
	size_t n, used;
	uint32_t flags;
	bool end;
};

static bool line_begins(const uint8_t *p, size_t i)
{
	return i == 0 || (i >= 2 && p[i - 2] == '\r' && p[i - 1] == '\n');
}

/* A dot that is alone on its line for who takes CR or LF for a line's end and skips NULs, but is no
 * end (or none yet). */
static bool dot_is_ambiguous(const uint8_t *p, size_t i, size_t n)
{
	size_t before = i, behind = i + 1;
	while (before && !p[before - 1])
		before--;
	while (behind < n && !p[behind])
		behind++;
	if (before && p[before - 1] != '\r' && p[before - 1] != '\n')
		return false;
	if (behind == n || (p[behind] != '\r' && p[behind] != '\n'))
		return false;
	return !(line_begins(p, i) && behind == i + 1 && behind + 1 == n && p[behind] == '\r');
}

/* The message in p by RFC 5321 4.5.2, read again with the whole of it at hand. */
static void read_again(struct reading *r, const uint8_t *p, size_t n, bool raw)
{
	size_t line = 0;
	*r = (struct reading){ .used = n };
	for (size_t i = 0; i < n; i++) {
		bool crlf = p[i] == '\n' && i && p[i - 1] == '\r';
		bool dot = !raw && p[i] == '.' && line_begins(p, i);
		if (dot && n - i > 2 && p[i + 1] == '\r' && p[i + 2] == '\n') {
			r->end = true;
			r->used = i + 3;
			return;
		}
		if (!raw && p[i] == '.' && dot_is_ambiguous(p, i, n))
			r->flags |= MESSAGE_DOT_AMBIGUOUS;
		if (dot)
			continue;
		r->out[r->n++] = p[i];
		line = crlf ? 0 : line + 1;
		r->flags |= line > DOT_LINE_MAX + 1 ? MESSAGE_LONG_LINE : 0;
		r->flags |= p[i] == '\n' && !crlf ? MESSAGE_BARE_LF : 0;
		r->flags |= p[i] == '\r' && i + 1 < n && p[i + 1] != '\n' ? MESSAGE_BARE_CR : 0;
		r->flags |= p[i] ? 0 : MESSAGE_NUL;
		r->flags |= p[i] >= 0x80 ? MESSAGE_8BIT : 0;
	}
	/* a CR that may belong to the end is kept back */
	if (!raw && n >= 2 && p[n - 1] == '\r' && p[n - 2] == '.' && line_begins(p, n - 2))
		r->n--;
}

/* Text in pieces that part at cut, or of step octets; each piece lies against one wall or the other
 * and so does the room for it, which is as small as can be. */
static bool comes_out(const struct dot_ops *ops, const struct reading *want, const uint8_t *p,
		      size_t n, bool raw, size_t cut, size_t step)
{
	static uint8_t *in, *out;
	struct dot d = { .raw = raw };
	size_t at = 0, o = 0, used = 0;
	in = in ? in : test_walled(WALLED);
	out = out ? out : test_walled(WALLED);
	while (at < n && d.state != DOT_END) {
		size_t left = n - at, len = step ? step : at < cut ? cut - at : left;
		len = len < left ? len : left;
		uint8_t *src = (at + n) % 2 ? in : in + WALLED - len;
		uint8_t *dst = (at + cut) % 2 ? out : out + WALLED - len - 1;
		memcpy(src, p + at, len);
		dst[len] = 0xa5;
		size_t k = dot_copy(ops, &d, dst, len + 1, src, len, &used);
		if (k > len + 1 || k > want->n - o || memcmp(dst, want->out + o, k) != 0)
			return false;
		if (k <= len && dst[len] != 0xa5)
			return false; /* written behind what was given out */
		if (used != len && d.state != DOT_END)
			return false;
		o += k;
		at += used;
	}
	return o == want->n && at == want->used && (d.state == DOT_END) == want->end &&
	       d.flags == want->flags;
}

/* Every level against the second reading at every length of some blocks, cut and resumed at every
 * octet. */
static void levels_at_every_length_and_cut(void)
{
	enum { MAX = 600 };
	static uint8_t in[MAX];
	static struct reading want;
	uint64_t random = 7, compared = 0;
	struct dot_ops ops[CPU_LEVEL_N];
	for (int level = CPU_SCALAR; level <= (int)cpu_level(); level++)
		dot_ops_init(&ops[level], level);
	for (size_t n = 0; n <= MAX; n++)
		for (unsigned k = 0; k < 6; k++) {
			bool raw = (n + k) % 8 == 0;
			unsigned wrong = 0;
			text(in, n, &random, k % 4);
			read_again(&want, in, n, raw);
			for (int l = CPU_SCALAR; l <= (int)cpu_level(); l++) {
				for (size_t cut = n % 5; cut <= n;
				     cut += n < 200 ? 1 : 5, compared++)
					wrong += !comes_out(&ops[l], &want, in, n, raw, cut, 0);
				for (size_t step = 1; step < 4; step++)
					wrong += !comes_out(&ops[l], &want, in, n, raw, n, step);
			}
			CU_ASSERT_EQUAL(wrong, 0);
		}
	CU_ASSERT(compared > 150000);
}

/* Lines about as long as may be, behind each other: what a level forgets of one shows in the next. */
static void lengths_of_lines(void)
{
	static uint8_t in[4096];
	static struct reading want;
	uint64_t random = 3;
	unsigned wrong = 0, flagged = 0;
	struct dot_ops ops[CPU_LEVEL_N];
	for (int level = CPU_SCALAR; level <= (int)cpu_level(); level++)
		dot_ops_init(&ops[level], level);
	for (unsigned round = 0; round < 4000; round++) {
		size_t n = 0;
		while (n < 2000) { /* the end of a line, or none, at any place of a block */
			size_t len = test_random(&random) % 4 ? 990 + test_random(&random) % 12
							      : test_random(&random) % 130;
			memset(in + n, 'x', len);
			n += len;
			if (test_random(&random) % 8)
				n += (size_t)(mempcpy(in + n, "\r\n..", round % 2 ? 2 : 4) -
					      (void *)(in + n));
			else
				in[n++] = test_random(&random) % 2 ? '\n' : '\r';
		}
		n -= test_random(&random) % 100;
		read_again(&want, in, n, false);
		flagged += !!(want.flags & MESSAGE_LONG_LINE);
		for (int l = CPU_SCALAR; l <= (int)cpu_level(); l++)
			wrong += !comes_out(&ops[l], &want, in, n, false,
					    test_random(&random) % (n + 1), 0);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(flagged > 400 && flagged < 3600);
}

/* One octet that counts, at any place of three thousand in lines. */
static void far_into_a_text(void)
{
	enum { LINE = 74, MAX = 3000 };
	static const uint8_t odd[] = { 0, '\r', '\n', '.', 0x80, 0xff };
	static uint8_t in[MAX];
	static struct reading want;
	unsigned wrong = 0;
	struct dot_ops ops[CPU_LEVEL_N];
	for (int level = CPU_SCALAR; level <= (int)cpu_level(); level++)
		dot_ops_init(&ops[level], level);
	for (size_t i = 0; i < MAX; i++)
		in[i] = i % LINE == LINE - 2 ? '\r' : i % LINE == LINE - 1 ? '\n' : 'x';
	for (size_t i = 0; i < MAX * sizeof odd; i++) {
		size_t at = i / sizeof odd;
		uint8_t was = in[at];
		in[at] = odd[i % sizeof odd];
		read_again(&want, in, MAX, false);
		for (int l = CPU_SCALAR; l <= (int)cpu_level(); l++)
			wrong += !comes_out(&ops[l], &want, in, MAX, false, MAX, 0);
		in[at] = was;
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* One special group in otherwise plain text, at every place of a few blocks. */
static void levels_agree_at_block_borders(void)
{
	static const struct {
		const char *p;
		size_t n;
	} group[] = { { "\r\n..", 4 }, { "\r\n.x", 4 }, { "\r\n.\r\n", 5 }, { "\r\n", 2 },
		      { "\r", 1 },     { "\n", 1 },     { "\n.\r\n", 4 },   { "\0", 1 },
		      { "\xff", 1 },   { "..", 2 },     { "\r\r\n", 3 } };
	uint8_t in[400];
	struct dot_ops scalar;
	dot_ops_init(&scalar, CPU_SCALAR);
	for (int level = CPU_AVX2; level <= (int)cpu_level(); level++) {
		struct dot_ops ops;
		dot_ops_init(&ops, level);
		for (size_t g = 0; g < sizeof group / sizeof group[0]; g++)
			for (size_t at = 0; at + group[g].n < sizeof in; at++) {
				struct result a = { 0 }, b = { 0 };
				memset(in, 'x', sizeof in);
				memcpy(in + at, group[g].p, group[g].n);
				run(&scalar, &a, in, sizeof in, NULL, 0);
				run(&ops, &b, in, sizeof in, NULL, 0);
				CU_ASSERT(same(&a, &b));
			}
	}
}

static void small_room_is_kept(void)
{
	static const uint8_t in[] = "line one\r\n.\rtwo\r\n..three\r\n";
	for (int level = CPU_SCALAR; level <= (int)cpu_level(); level++) {
		struct dot_ops ops;
		dot_ops_init(&ops, level);
		for (size_t cap = 2; cap < sizeof in; cap++) {
			struct result whole = { 0 };
			run(&ops, &whole, in, sizeof in - 1, NULL, 0);
			struct dot d = { 0 };
			uint8_t out[64];
			size_t i = 0, o = 0, used;
			while (i < sizeof in - 1) {
				uint8_t *dst = malloc(cap);
				size_t n = dot_copy(&ops, &d, dst, cap, in + i, sizeof in - 1 - i,
						    &used);
				CU_ASSERT_FATAL(n <= cap && used > 0);
				memcpy(out + o, dst, n);
				free(dst);
				o += n;
				i += used;
			}
			CU_ASSERT(o == whole.n && !memcmp(out, whole.out, o));
		}
		size_t used = 1;
		struct dot d = { 0 };
		CU_ASSERT_EQUAL(dot_copy(&ops, &d, NULL, 0, in, 5, &used), 0);
		CU_ASSERT_EQUAL(used, 0);
	}
}

static void long_lines_are_flagged(void)
{
	static uint8_t in[1100];
	for (int level = CPU_SCALAR; level <= (int)cpu_level(); level++) {
		struct dot_ops ops;
		dot_ops_init(&ops, level);
		for (size_t n = 990; n < 1010; n++) {
			for (size_t before = 0; before <= 64; before += 16) {
				memset(in, 'x', sizeof in);
				if (before)
					memcpy(in + before - 2, "\r\n", 2);
				memcpy(in + before + n, "\r\n", 2);
				struct result r = { 0 };
				run(&ops, &r, in, before + n + 2, NULL, 0);
				CU_ASSERT_EQUAL(!!(r.d.flags & MESSAGE_LONG_LINE), n > 998);
			}
		}
	}
}

static void finish_gives_what_was_kept_back(void)
{
	struct dot_ops ops;
	dot_ops_init(&ops, cpu_level());
	struct dot d = { 0 };
	uint8_t out[8];
	size_t used;
	CU_ASSERT_EQUAL(dot_copy(&ops, &d, out, sizeof out, (const uint8_t *)"a\r\n.\r", 5, &used),
			3);
	CU_ASSERT_EQUAL(dot_finish(&d, out), 1);
	CU_ASSERT_EQUAL(out[0], '\r');
	d = (struct dot){ 0 }; /* what follows a CR is missing, not a LF */
	CU_ASSERT_EQUAL(dot_copy(&ops, &d, out, sizeof out, (const uint8_t *)"a\r", 2, &used), 2);
	CU_ASSERT_EQUAL(dot_finish(&d, out), 0);
	CU_ASSERT_EQUAL(d.flags, 0);
	d = (struct dot){ .raw = true };
	dot_copy(&ops, &d, out, sizeof out, (const uint8_t *)".\r\n.\r", 5, &used);
	CU_ASSERT_EQUAL(used, 5);
	CU_ASSERT_EQUAL(d.flags, 0);
	CU_ASSERT_EQUAL(dot_finish(&d, out), 0);
	CU_ASSERT_EQUAL(d.flags, MESSAGE_BARE_CR);
}

TEST_MAIN("dot", TEST(known_cases), TEST(cut_everywhere), TEST(levels_agree),
	  TEST(levels_at_every_length_and_cut), TEST(lengths_of_lines), TEST(far_into_a_text),
	  TEST(levels_agree_at_block_borders), TEST(small_room_is_kept),
	  TEST(long_lines_are_flagged), TEST(finish_gives_what_was_kept_back))
