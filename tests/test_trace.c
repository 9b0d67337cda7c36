/* A trace has its lines in order, printable whatever came in, and says what it left out. */
#include "tests/test.h"
#include "verify/dns/trace.h"

#include <stdio.h>

static bool is(struct bytes text, const char *want)
{
	return bytes_equal(text, bytes_str(want));
}

static void parts(void)
{
	struct trace *t = trace_new();
	CU_ASSERT_FATAL(t != NULL);
	trace_line(t, TRACE_SPF, 0, "record %s", "a");
	trace_line(t, TRACE_SPF, 2, "%u of %u", 1, 2);
	trace_line(t, TRACE_DMARC, 0, "none");
	CU_ASSERT(is(trace_text(t, TRACE_SPF), "record a\n    1 of 2\n"));
	CU_ASSERT(is(trace_text(t, TRACE_DMARC), "none\n"));
	CU_ASSERT(is(trace_text(t, TRACE_ARC), ""));
	/* a part begins anew, the others stay */
	trace_begin(t, TRACE_SPF);
	trace_line(t, TRACE_SPF, 1, "again");
	CU_ASSERT(is(trace_text(t, TRACE_SPF), "  again\n"));
	CU_ASSERT(is(trace_text(t, TRACE_DMARC), "none\n"));
	trace_free(t);
}

static void nobody_looks(void)
{
	trace_begin(NULL, TRACE_SPF);
	trace_line(NULL, TRACE_SPF, 0, "%s", "x");
	CU_ASSERT_EQUAL(trace_text(NULL, TRACE_SPF).n, 0);
	trace_free(NULL);
}

static void hostile_octets(void)
{
	struct trace *t = trace_new();
	static const char octets[] = "a\r\n\tb\x1b[2J\x7f\xc3\xa9\\x41";
	trace_line(t, TRACE_FROM, 0, "%.*s!", (int)sizeof octets - 1, octets);
	CU_ASSERT(is(trace_text(t, TRACE_FROM),
		     "a\\x0D\\x0A\\x09b\\x1B[2J\\x7F\\xC3\\xA9\\\\x41!\n"));
	for (int c = 1; c < 256; c++)
		trace_line(t, TRACE_ARC, 0, "%c", c);
	struct bytes text = trace_text(t, TRACE_ARC);
	unsigned lines = 0;
	for (size_t i = 0; i < text.n; i++) {
		lines += text.p[i] == '\n';
		CU_ASSERT(text.p[i] == '\n' || (text.p[i] >= ' ' && text.p[i] < 0x7f));
	}
	CU_ASSERT_EQUAL(lines, 255);
	trace_free(t);
}

static void long_lines(void)
{
	struct trace *t = trace_new();
	char want[TRACE_LINE_MAX + 8];
	for (int n = TRACE_LINE_MAX - 1; n <= TRACE_LINE_MAX + 1; n++) {
		int kept = n < TRACE_LINE_MAX ? n : TRACE_LINE_MAX;
		trace_begin(t, TRACE_SPF);
		trace_line(t, TRACE_SPF, 0, "%*s", n, "x");
		snprintf(want, sizeof want, "%*s%s\n", kept, n == kept ? "x" : "",
			 n == kept ? "" : "...");
		CU_ASSERT(is(trace_text(t, TRACE_SPF), want));
	}
	/* nor does a depth without sense, or a line all of \xNN, leave its room */
	char octets[TRACE_LINE_MAX + 1];
	memset(octets, 1, sizeof octets);
	trace_begin(t, TRACE_SPF);
	trace_line(t, TRACE_SPF, 4000000000u, "%.*s", (int)sizeof octets, octets);
	CU_ASSERT(trace_text(t, TRACE_SPF).n > 4 * TRACE_LINE_MAX);
	trace_free(t);
}

static void room(void)
{
	struct trace *t = trace_new();
	unsigned lines = 0, kept = 0;
	char want[64];
	for (; lines < TRACE_ROOM / 10; lines++)
		trace_line(t, TRACE_POLICY, 0, "line %05u", lines);
	struct bytes text = trace_text(t, TRACE_POLICY);
	CU_ASSERT(text.n <= TRACE_ROOM);
	for (size_t i = 0; i < text.n; i++)
		kept += text.p[i] == '\n';
	kept--;
	CU_ASSERT(kept > TRACE_ROOM / 12 && kept < lines);
	size_t n = (size_t)snprintf(want, sizeof want, "(%u lines left out)\n", lines - kept);
	CU_ASSERT(text.n > n && is(bytes_from(text, text.n - n), want));
	/* asked twice it says the same, and a short line does not slip in behind */
	CU_ASSERT_EQUAL(trace_text(t, TRACE_POLICY).n, text.n);
	trace_line(t, TRACE_POLICY, 0, "x");
	CU_ASSERT_EQUAL(trace_text(t, TRACE_POLICY).n, text.n);
	trace_begin(t, TRACE_POLICY);
	trace_line(t, TRACE_POLICY, 0, "x");
	CU_ASSERT(is(trace_text(t, TRACE_POLICY), "x\n"));
	trace_free(t);
}

TEST_MAIN("trace", TEST(parts), TEST(nobody_looks), TEST(hostile_octets), TEST(long_lines),
	  TEST(room))
