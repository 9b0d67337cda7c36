/* Whatever the texts are, a reply is lines of at most 512 octets with one code, the last of them
 * marked as such. */
#include "verify/reply.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/test.h"

static uint8_t memory[16384];
static struct arena arena;

static struct profile_reply reply(uint32_t code, const char *text)
{
	struct profile_reply r = { .code = code };
	snprintf(r.text, sizeof r.text, "%s", text);
	arena_init(&arena, memory, sizeof memory);
	return r;
}

static void equal(struct bytes got, const char *want)
{
	CU_ASSERT_TRUE(bytes_equal(got, bytes_str(want)));
	if (!bytes_equal(got, bytes_str(want)))
		printf("\ngot  %.*s\nwant %s\n", (int)got.n, (const char *)got.p, want);
}

static void one_line(void)
{
	struct profile_reply r =
		reply(451, "#4.4.3 Temporary error occurred during SPF verification");
	equal(reply_make(&r, &arena),
	      "451 #4.4.3 Temporary error occurred during SPF verification");
	r = reply(550, "");
	equal(reply_make(&r, &arena), "550 ");
	r = reply(550, "a\r\n250 ok\t\x80");
	equal(reply_make(&r, &arena), "550 a??250 ok??");
}

static void c82_three_lines(void)
{
	struct profile_reply r = reply(550, "#5.7.1 SPF unauthorized mail is prohibited");
	equal(reply_explained(&r, bytes_str("example.com"), bytes_str("Ask us first"), &arena),
	      "550-#5.7.1 SPF unauthorized mail is prohibited.\r\n"
	      "550-The domain example.com explains:\r\n"
	      "550 Ask us first");
	r = reply(554, "No.");
	equal(reply_explained(&r, bytes_str("a.example"), bytes_str("\r\n250 fine\r\nx"), &arena),
	      "554-No.\r\n554-The domain a.example explains:\r\n554 250 fine??x");
}

/* Every length, with blanks and without: joined again it is the text. */
static void long_text(void)
{
	static char text[4096], joined[8192];
	struct profile_reply r = reply(550, "no");
	for (unsigned blanks = 0; blanks < 3; blanks++) {
		for (size_t n = 1; n < 2100; n++) {
			memset(text, 'x', n);
			for (size_t i = 7; blanks && i + 1 < n; i += blanks == 1 ? 8 : 600)
				text[i] = ' ';
			arena_init(&arena, memory, sizeof memory);
			struct bytes got = reply_explained(&r, bytes_str("d.example"),
							   bytes_of(text, n), &arena);
			CU_ASSERT_PTR_NOT_NULL_FATAL(got.p);
			size_t at = 0, line = 0, len = 0;
			while (at < got.n) {
				const uint8_t *end = memmem(got.p + at, got.n - at, "\r\n", 2);
				size_t m = end ? (size_t)(end - got.p) - at : got.n - at;
				CU_ASSERT_TRUE(m >= 5 && m <= REPLY_LINE_MAX);
				CU_ASSERT_EQUAL(memcmp(got.p + at, end ? "550-" : "550 ", 4), 0);
				if (line++ >= 2) {
					memcpy(joined + len, got.p + at + 4, m - 4);
					len += m - 4;
				}
				at += m + 2;
			}
			CU_ASSERT_TRUE(line >= 3);
			size_t k = 0; /* blanks at the cuts are gone */
			for (size_t i = 0; i < (n < REPLY_EXPLANATION_MAX ? n : 2048); i++)
				if (k < len && joined[k] == text[i])
					k++;
				else
					CU_ASSERT_EQUAL(text[i], ' ');
			CU_ASSERT_EQUAL(k, len);
		}
	}
}

static void no_room(void)
{
	struct profile_reply r = reply(550, "#5.7.1 SPF unauthorized mail is prohibited");
	arena_init(&arena, memory, 32);
	CU_ASSERT_PTR_NULL(reply_make(&r, &arena).p);
	CU_ASSERT_PTR_NULL(reply_explained(&r, bytes_str("a"), bytes_str("b"), &arena).p);
}

TEST_MAIN("reply", TEST(one_line), TEST(c82_three_lines), TEST(long_text), TEST(no_room))
