/* A row fits its width and holds nothing that a terminal would act on, whatever a mail says. */
#include "control/table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "tests/test.h"

static struct message_rcpt rcpt = { .next = NULL };
static struct dkim_result signature = { .result = AUTH_PASS };

static void sample(struct message *m, struct verdict *v, struct bytes from)
{
	rcpt.address = bytes_str("bob@receiver.example");
	signature.domain = bytes_str("sender.example");
	*v = (struct verdict){ .dkim = &signature,
			       .n_dkim = 1,
			       .dkim_seen = 1,
			       .result = "clean",
			       .checks = VERDICT_DKIM };
	*m = (struct message){ .time_ns = UINT64_C(1795255200000000000),
			       .client = { { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 } },
			       .has_client = true,
			       .has_mail_from = true,
			       .mail_from = from,
			       .rcpt = &rcpt,
			       .n_rcpt = 1,
			       .rcpt_seen = 1,
			       .size = 3124,
			       .complete = true,
			       .verdict = v };
}

/* Columns of UTF-8 without wide or combining characters. */
static size_t columns(struct bytes line)
{
	size_t n = 0;
	for (size_t i = 0; i < line.n; i++)
		n += (line.p[i] & 0xc0) != 0x80;
	return n;
}

static bool has(struct bytes line, const char *what)
{
	return memmem(line.p, line.n, what, strlen(what)) != NULL;
}

static void plain(void)
{
	struct message m;
	struct verdict v;
	struct table *t = table_new(120, false);
	CU_ASSERT_TRUE(has(table_header(t), "VERDICT"));
	sample(&m, &v, bytes_str("alice@sender.example"));
	struct bytes row = table_row(t, &m);
	CU_ASSERT_TRUE(has(row, "10:00:00 192.0.2.1 "));
	CU_ASSERT_TRUE(has(row, "alice@sender.example"));
	CU_ASSERT_TRUE(has(row, "bob@receiver.example"));
	CU_ASSERT_TRUE(has(row, " -    pass sender.example  -    -     clean\n"));
	CU_ASSERT_TRUE(has(row, "clean\n"));
	v.action = VERDICT_FLAG;
	v.result = "flagged";
	signature.result = AUTH_FAIL;
	m.complete = false;
	m.rcpt_seen = 4;
	CU_ASSERT_TRUE(has(table_row(t, &m), "+3 "));
	m.verdict = NULL;
	CU_ASSERT_TRUE(has(table_row(t, &m), "unverified"));
	struct bytes sum = table_totals(t);
	CU_ASSERT_TRUE(has(sum, "3 messages (3 smtp, 0 pop3, 0 file), 9372 octets, 2 incomplete, "
				"2 flagged; dkim: 1 pass, 1 fail; actions: 1 accept, 1 flag\n"));
	signature.result = AUTH_PASS;
	table_free(t);
}

/* Results of all checks and the action, in 80 columns and in more. */
static void results(void)
{
	struct message m;
	struct verdict v;
	struct table *t = table_new(80, false), *wide = table_new(120, false),
		     *full = table_new(160, false);
	sample(&m, &v, bytes_str("alice@sender.example"));
	v.checks = VERDICT_DKIM | VERDICT_SPF | VERDICT_ARC | VERDICT_DMARC;
	v.spf[SPF_MAILFROM].checked = v.spf[SPF_HELO].checked = true;
	v.spf[SPF_MAILFROM].result = AUTH_SOFTFAIL;
	v.spf[SPF_HELO].result = AUTH_PASS;
	v.dmarc.result = AUTH_FAIL;
	v.action = VERDICT_QUARANTINE;
	v.result = "flagged";
	v.reason = "dmarc_fail";
	CU_ASSERT_TRUE(has(table_header(t), " SPF  DKIM ARC  DMARC VERDICT\n"));
	CU_ASSERT_TRUE(has(table_row(t, &m), " soft pass none fail  quarantine\n"));
	CU_ASSERT_TRUE(
		has(table_row(wide, &m), " soft pass sender.example  none fail  quarantine\n"));
	CU_ASSERT_TRUE(has(table_row(full, &m), "11-21 10:00:00 192.0.2.1 "));
	CU_ASSERT_TRUE(has(table_row(full, &m), "  3124 softfail  pass sender.example"));
	CU_ASSERT_TRUE(has(table_row(full, &m), " none      fail      quarantine dmarc_fail\n"));
	v.spf[SPF_MAILFROM].checked = false; /* HELO in its place, as in the record */
	v.action = VERDICT_ACCEPT;
	v.result = "undecided";
	v.arc.result = AUTH_TEMPERROR;
	v.dmarc.result = AUTH_PERMERROR;
	CU_ASSERT_TRUE(has(table_row(t, &m), " pass pass temp perm  undecided\n"));
	v.spf[SPF_HELO].checked = false;
	CU_ASSERT_TRUE(has(table_row(t, &m), " none pass temp perm  undecided\n"));
	v.checks = 0;
	CU_ASSERT_TRUE(has(table_row(t, &m), " -    -    -    -     undecided\n"));
	CU_ASSERT_TRUE(has(table_totals(t),
			   "4 messages (4 smtp, 0 pop3, 0 file), 12496 octets, 0 incomplete, "
			   "1 flagged; dkim: 3 pass; spf: 1 none, 1 pass, 1 softfail; "
			   "arc: 1 none, 2 temperror; dmarc: 1 fail, 2 permerror; "
			   "actions: 3 accept, 1 quarantine\n"));
	for (unsigned r = 0; r < AUTH_RESULT_N; r++) {
		const char *word = auth_result_name((enum auth_result)r);
		v.checks = VERDICT_DMARC;
		v.dmarc.result = (uint8_t)r;
		CU_ASSERT_TRUE(
			has(table_row(full, &m), r == AUTH_UNVERIFIABLE ? " unverifi~ " : word));
	}
	table_free(t);
	table_free(wide);
	table_free(full);
}

static void every_width(void)
{
	static const char longest[] =
		"a.very.long.name.that.goes.on.and.on.and.on.and.on.and.on.and.on.and.on.and.on."
		"and.on.and.on.and.on.and.on.and.on.and.on.and.on.and.on.and.on.and.on.and.on.and."
		"on.and.on.and.on.and.on.and.on.and.on.and.on@sender.example";
	struct message m;
	struct verdict v;
	sample(&m, &v, bytes_str(longest));
	rcpt.address = bytes_str(longest);
	m.rcpt_seen = 1000000;
	m.size = UINT64_MAX;
	signature.domain = bytes_str(longest);
	for (unsigned width = 0; width < 500; width++) {
		struct table *t = table_new(width, false);
		unsigned want = width < TABLE_WIDTH_MIN   ? TABLE_WIDTH_MIN
				: width > TABLE_WIDTH_MAX ? TABLE_WIDTH_MAX
							  : width;
		CU_ASSERT_TRUE(columns(table_row(t, &m)) <= want + 1); /* the newline */
		CU_ASSERT_TRUE(columns(table_header(t)) <= want + 1);
		table_free(t);
	}
}

/* Every octet alone, every pair with ESC and C1 in front, and marks that turn the direction of text. */
static void nothing_acts(void)
{
	struct message m;
	struct verdict v;
	struct table *t = table_new(120, false);
	for (int i = 0; i < 256; i++) {
		uint8_t text[] = { 'a', (uint8_t)i, 0xc2, (uint8_t)i, 0x1b, (uint8_t)i };
		sample(&m, &v, bytes_of(text, sizeof text));
		signature.domain = rcpt.address = m.mail_from;
		struct bytes row = table_row(t, &m);
		CU_ASSERT_TRUE(utf8_valid(row));
		for (size_t k = 0; k + 1 < row.n; k++) {
			CU_ASSERT_TRUE(row.p[k] >= ' ' && row.p[k] != 0x7f);
			/* U+0080 to U+009F */
			CU_ASSERT_FALSE(row.p[k] == 0xc2 && row.p[k + 1] < 0xa0);
		}
	}
	static const char *const marks[] = { "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\x8b",
					     "\xef\xbb\xbf", "\xd8\x9c",     "\xf3\xa0\x80\xa1" };
	for (unsigned i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		sample(&m, &v, bytes_str(marks[i]));
		struct bytes row = table_row(t, &m);
		CU_ASSERT_FALSE(has(row, marks[i]));
		CU_ASSERT_TRUE(has(row, "\\x"));
	}
	table_free(t);
}

static void wide_and_combining(void)
{
	struct message m;
	struct verdict v;
	struct table *t = table_new(120, false);
	sample(&m, &v, bytes_str("\xe6\x97\xa5\xe6\x9c\xac@a.example"));
	CU_ASSERT_TRUE(has(table_row(t, &m), "\xe6\x97\xa5\xe6\x9c\xac@a.example"));
	/* marks of no width without end do not push the rest of the line out */
	char *zalgo = malloc(60001);
	for (int i = 0; i < 60000; i += 2)
		memcpy(zalgo + i, "\xcc\x81", 2);
	sample(&m, &v, bytes_of(zalgo, 60000));
	struct bytes row = table_row(t, &m);
	CU_ASSERT_TRUE(has(row, "clean\n"));
	CU_ASSERT_TRUE(row.n < 1000);
	free(zalgo);
	table_free(t);
}

static void colours(void)
{
	struct message m;
	struct verdict v;
	struct table *t = table_new(120, true);
	sample(&m, &v, bytes_str("a@b.example"));
	CU_ASSERT_TRUE(has(table_row(t, &m), "\033[32mpass"));
	table_free(t);
}

/* A bare message has no envelope: its own fields are shown, decoded. */
static void encoded_words(void)
{
	struct message m;
	struct verdict v;
	struct table *t = table_new(120, false);
	sample(&m, &v, bytes_str(""));
	m.has_mail_from = false;
	m.rcpt = NULL;
	v.email.from[v.email.n_from++] = bytes_str("=?utf-8?Q?J=C3=BCrgen?= <j@a.example>");
	v.email.to[v.email.n_to++] = bytes_str("=?utf-8?Q?=1B[2J?= <b@c>");
	struct bytes row = table_row(t, &m);
	CU_ASSERT_TRUE(has(row, "J\xc3\xbcrgen <j@a.example>"));
	CU_ASSERT_TRUE(has(row, "\\x1b[2J") && !memchr(row.p, '\033', row.n));
	table_free(t);
}

/* Of several signatures the one that the verdict's reason is about. */
static void several_signatures(void)
{
	struct dkim_result d[3] = { { .result = AUTH_PERMERROR,
				      .domain = bytes_str("one.example") },
				    { .result = AUTH_FAIL, .domain = bytes_str("two.example") },
				    { .result = AUTH_FAIL, .domain = bytes_str("three.example") } };
	struct message m;
	struct verdict v;
	struct table *t = table_new(160, false);
	sample(&m, &v, bytes_str("a@b.example"));
	v.dkim = d;
	v.n_dkim = v.dkim_seen = 3;
	CU_ASSERT_TRUE(has(table_row(t, &m), "fail two.example+2"));
	d[2].aligned = true;
	CU_ASSERT_TRUE(has(table_row(t, &m), "fail three.example+2"));
	d[0].result = AUTH_PASS;
	CU_ASSERT_TRUE(has(table_row(t, &m), "pass one.example+2"));
	table_free(t);
}

TEST_MAIN("table", TEST(encoded_words), TEST(several_signatures), TEST(plain), TEST(results),
	  TEST(every_width), TEST(nothing_acts), TEST(wide_and_combining), TEST(colours))
