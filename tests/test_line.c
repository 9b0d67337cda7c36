/* The lines are the same however the octets are cut, and none is longer than asked for. */
#include "control/line.h"
#include "tests/test.h"

#include <stdio.h>

enum { MAX = 8, OUT_MAX = 512 };

/* All results of one input as text: "[line]" each, "(rest)" or "!" for too long. Pieces of at most `piece`, the first of `first`. */
static void lines(struct bytes in, size_t first, size_t piece, char out[OUT_MAX])
{
	static const uint8_t none[MAX + LINE_EXTRA];
	uint8_t *mem = test_guard(none, sizeof none);
	struct line l;
	struct bytes got;
	enum line_result r = LINE_MORE;
	size_t at = 0, n = 0, want = first;
	line_init(&l, mem, MAX);
	while (at < in.n && r != LINE_TOO_LONG) {
		uint8_t *p;
		size_t room = line_room(&l, &p), k = want < room ? want : room;
		k = k < in.n - at ? k : in.n - at;
		if (k)
			memcpy(p, in.p + at, k);
		line_added(&l, k);
		at += k;
		want = piece;
		while ((r = line_next(&l, &got)) == LINE_READY)
			n += (size_t)snprintf(out + n, OUT_MAX - n, "[%.*s]", (int)got.n,
					      (const char *)got.p);
	}
	got = line_rest(&l);
	if (r == LINE_TOO_LONG)
		snprintf(out + n, OUT_MAX - n, "!");
	else
		snprintf(out + n, OUT_MAX - n, "(%.*s)", (int)got.n, (const char *)got.p);
	test_guard_free(mem, sizeof none);
}

static void cut_everywhere(void)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "", "()" },
		{ "\n", "[]()" },
		{ "\r\n", "[]()" },
		{ "a\nbc\r\n\nd", "[a][bc][](d)" },
		{ "12345678\n", "[12345678]()" },
		{ "12345678\r\nx\n", "[12345678][x]()" },
		{ "123456789\nx\n", "!" },
		{ "123456789\r\n", "!" },
		{ "1234567890", "!" },
		{ "123456789", "(123456789)" },
		{ "ok\n1234567890123456789012345678901234567890", "[ok]!" },
		{ "a\rb\r\r\n", "[a\rb\r]()" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes in = bytes_str(rows[i].in);
		char out[OUT_MAX];
		for (size_t first = 1; first <= in.n + 1; first++) {
			lines(in, first, in.n + 1, out);
			CU_ASSERT_STRING_EQUAL(out, rows[i].want);
		}
		lines(in, 1, 1, out);
		CU_ASSERT_STRING_EQUAL(out, rows[i].want);
	}
}

static void too_long_is_final(void)
{
	uint8_t buf[MAX + LINE_EXTRA], *p;
	struct line l;
	struct bytes got;
	line_init(&l, buf, MAX);
	CU_ASSERT_EQUAL(line_room(&l, &p), MAX + LINE_EXTRA);
	memset(p, 'x', MAX + LINE_EXTRA);
	line_added(&l, MAX + LINE_EXTRA);
	CU_ASSERT_EQUAL(line_next(&l, &got), LINE_TOO_LONG);
	CU_ASSERT_EQUAL(line_room(&l, &p), 0);
	CU_ASSERT_EQUAL(line_next(&l, &got), LINE_TOO_LONG);
}

/* In a larger buffer the line that was too long goes on. */
static void moved(void)
{
	uint8_t small[MAX + LINE_EXTRA], large[4 * MAX + LINE_EXTRA], *p;
	struct line l;
	struct bytes got;
	line_init(&l, small, MAX);
	CU_ASSERT_EQUAL(line_room(&l, &p), MAX + LINE_EXTRA);
	memcpy(p, "a\nxxxxxxxxxxxx", MAX + LINE_EXTRA);
	line_added(&l, MAX + LINE_EXTRA);
	CU_ASSERT_EQUAL(line_next(&l, &got), LINE_READY);
	CU_ASSERT_EQUAL(line_room(&l, &p), 2);
	memcpy(p, "yz", 2);
	line_added(&l, 2);
	CU_ASSERT_EQUAL(line_next(&l, &got), LINE_TOO_LONG);
	line_move(&l, large, 4 * MAX);
	memset(small, 0, sizeof small);
	CU_ASSERT_EQUAL(line_next(&l, &got), LINE_MORE);
	CU_ASSERT_EQUAL(line_room(&l, &p), 3 * MAX);
	memcpy(p, "!\nb\nc", 5);
	line_added(&l, 5);
	CU_ASSERT_EQUAL(line_next(&l, &got), LINE_READY);
	CU_ASSERT_TRUE(bytes_equal(got, bytes_str("xxxxxxxxyz!")));
	CU_ASSERT_EQUAL(line_next(&l, &got), LINE_READY);
	/* and back, with what is left */
	line_move(&l, small, MAX);
	CU_ASSERT_EQUAL(line_next(&l, &got), LINE_MORE);
	CU_ASSERT_TRUE(bytes_equal(line_rest(&l), bytes_str("c")));
}

TEST_MAIN("line", TEST(cut_everywhere), TEST(too_long_is_final), TEST(moved))
