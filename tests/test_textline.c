/* A line is the same however it was cut, is bounded, and leaves neither memory nor secrets behind. */
#include "reassembly/replies.h"
#include "reassembly/textline.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>

static struct textline_pool *pool;

/* All lines of text cut at the places given, one a row: octets, flags. */
static void gather(char *out, size_t max, const char *p, size_t n, size_t cut)
{
	struct textline line = { 0 };
	size_t at = 0, o = 0;
	while (at < n) {
		size_t end = at + cut < n ? at + cut : n;
		uint8_t *guarded = test_guard(p + at, end - at);
		struct bytes b;
		size_t used = textline_push(pool, &line, bytes_of(guarded, end - at), &b);
		if (b.p) {
			o += (size_t)snprintf(out + o, max - o, "%zu:%.*s:%d%d|", b.n, (int)b.n,
					      (const char *)b.p, line.cut, line.odd);
			textline_done(pool, &line);
		}
		test_guard_free(guarded, end - at);
		CU_ASSERT_FATAL(used > 0);
		at += used;
	}
	snprintf(out + o, max - o, "left %zu", textline_part(pool, &line).n);
	textline_done(pool, &line);
	CU_ASSERT_EQUAL(textline_pool_out(pool), 0);
}

static void cut_everywhere(void)
{
	static const struct {
		const char *text, *want;
	} known[] = {
		{ "one\r\ntwo\r\n", "3:one:00|3:two:00|left 0" },
		{ "\r\n\r\n", "0::00|0::00|left 0" },
		{ "lf\nx\r\n", "2:lf:01|1:x:00|left 0" },
		{ "a\rb\r\r\nc", "4:a\rb\r:01|left 1" },
		{ "\n", "0::01|left 0" },
		{ "half", "left 4" },
		{ "\r\r\r\n", "2:\r\r:01|left 0" },
	};
	pool = textline_pool_new(16);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		for (size_t cut = 1; cut <= strlen(known[i].text); cut++) {
			char got[256];
			gather(got, sizeof got, known[i].text, strlen(known[i].text), cut);
			CU_ASSERT_STRING_EQUAL(got, known[i].want);
		}
	}
	char got[64];
	gather(got, sizeof got, "a\0b\r\n", 5, 5);
	CU_ASSERT(strstr(got, ":01|left 0") != NULL);
	textline_pool_free(pool);
}

static void limits(void)
{
	static char text[TEXTLINE_MAX + 10];
	pool = textline_pool_new(16);
	for (size_t n = TEXTLINE_MAX - 1; n <= TEXTLINE_MAX + 1; n++) {
		static const size_t cuts[] = { 1, 100, sizeof text };
		for (size_t k = 0; k < 3; k++) {
			struct textline line = { 0 };
			struct bytes b = { 0 };
			memset(text, 'x', sizeof text);
			memcpy(text + n, "\r\n", 2);
			for (size_t at = 0; at < n + 2;) {
				size_t len = cuts[k] < n + 2 - at ? cuts[k] : n + 2 - at;
				at += textline_push(pool, &line, bytes_of(text + at, len), &b);
			}
			CU_ASSERT_PTR_NOT_NULL(b.p);
			CU_ASSERT_EQUAL(b.n, n < TEXTLINE_MAX ? n : TEXTLINE_MAX);
			CU_ASSERT_EQUAL(line.cut, n > TEXTLINE_MAX);
			textline_done(pool, &line);
		}
	}
	/* empty pools: what came first is kept, the line is cut */
	static struct textline many[200];
	struct bytes b;
	unsigned cut = 0;
	for (unsigned i = 0; i < 200; i++) {
		textline_push(pool, &many[i], bytes_of(text, 300), &b);
		cut += many[i].cut;
	}
	CU_ASSERT(cut > 100 && cut < 200);
	for (unsigned i = 0; i < 200; i++)
		textline_done(pool, &many[i]);
	CU_ASSERT_EQUAL(textline_pool_out(pool), 0);
	textline_pool_free(pool);
}

static void lines_are_wiped(void)
{
	pool = textline_pool_new(16);
	struct textline line = { 0 };
	struct bytes b;
	textline_push(pool, &line, bytes_str("PASS geheim"), &b);
	struct bytes held = textline_part(pool, &line);
	CU_ASSERT(bytes_equal(held, bytes_str("PASS geheim")));
	textline_done(pool, &line);
	for (size_t i = 0; i < held.n; i++)
		CU_ASSERT_EQUAL(held.p[i], 0);
	textline_pool_free(pool);
}

static void names(void)
{
	static uint8_t big[2000];
	pool = textline_pool_new(16);
	memset(big, 'n', sizeof big);
	struct textname name = { 0 };
	CU_ASSERT_PTR_NULL(textname_get(pool, &name).p);
	for (size_t n = 0; n < sizeof big; n += 63) {
		textname_set(pool, &name, bytes_of(big, n));
		struct bytes got = textname_get(pool, &name);
		CU_ASSERT(bytes_equal(got, bytes_of(big, n < 1024 ? n : 1024)));
		CU_ASSERT_EQUAL(textline_pool_out(pool), 1);
	}
	textname_clear(pool, &name);
	/* no big ones left: a small one, cut; none left: no name */
	static struct textname many[200];
	for (unsigned i = 0; i < 200; i++)
		textname_set(pool, &many[i], bytes_of(big, 100));
	CU_ASSERT_EQUAL(textname_get(pool, &many[0]).n, 100);
	CU_ASSERT_EQUAL(textname_get(pool, &many[30]).n, 64);
	CU_ASSERT_PTR_NULL(textname_get(pool, &many[199]).p);
	for (unsigned i = 0; i < 200; i++)
		textname_clear(pool, &many[i]);
	CU_ASSERT_EQUAL(textline_pool_out(pool), 0);
	textline_pool_free(pool);
}

static void replies_keep_their_order(void)
{
	static uint8_t model[REPLIES_MAX];
	struct replies r = { 0 };
	uint64_t random = 3;
	size_t head = 0, n = 0;
	unsigned full = 0;
	pool = textline_pool_new(16);
	for (unsigned i = 0; i < 300000; i++) {
		bool fill = i / 20000 % 2 == 0;
		if (test_random(&random) % 4 < (fill ? 3u : 1u)) {
			uint8_t kind = (uint8_t)i;
			if (!replies_push(pool, &r, kind)) {
				CU_ASSERT_EQUAL_FATAL(n, REPLIES_MAX);
				full++;
				continue;
			}
			model[(head + n++) % REPLIES_MAX] = kind;
		} else if (n) {
			CU_ASSERT_EQUAL(replies_at(pool, &r, (unsigned)n - 1),
					model[(head + n - 1) % REPLIES_MAX]);
			CU_ASSERT_EQUAL(replies_pop(pool, &r), model[head]);
			head = (head + 1) % REPLIES_MAX;
			n--;
		}
		CU_ASSERT_EQUAL_FATAL(r.n, n);
	}
	CU_ASSERT(full > 0);
	replies_clear(pool, &r);
	CU_ASSERT_EQUAL(textline_pool_out(pool), 0);
	textline_pool_free(pool);
}

TEST_MAIN("textline", TEST(cut_everywhere), TEST(limits), TEST(lines_are_wiped), TEST(names),
	  TEST(replies_keep_their_order))
