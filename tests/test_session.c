/* A session is recognized, and what of it was seen becomes messages, with holes and sides missing. */
#include "tests/dialogue.h"

#define HELLO SRV("220 mx ESMTP\r\n"), C("EHLO a\r\n"), SRV("250-mx\r\n250 PIPELINING\r\n")
#define MAIL_RCPT \
	C("MAIL FROM:<x@y>\r\n"), SRV("250 ok\r\n"), C("RCPT TO:<r@z>\r\n"), SRV("250 ok\r\n")
#define DATA C("DATA\r\n"), SRV("354 go\r\n")
#define SENT C("m\r\n.\r\n"), SRV("250 ok\r\n")
#define BYE C("QUIT\r\n"), SRV("221 bye\r\n"), C_END, S_END

static uint64_t counted(const struct dialogue *d, enum stats_row stat)
{
	static struct player p;
	const struct config cfg = dialogue_config();
	uint64_t random = 1;
	player_init(&p, &cfg);
	dialogue_play(&p, d, AS_SAID, 0, &random);
	uint64_t n = stats_get(p.stats, stat);
	player_free(&p);
	return n;
}

static void recognized_by_words(void)
{
	static const struct dialogue smtp = { .port = 110,
					      .say = { HELLO, MAIL_RCPT, DATA, SENT, BYE } };
	static const struct dialogue pop3 = {
		.port = 25, .say = { SRV("+OK\r\n"), C("RETR 1\r\n"), SRV("+OK\r\nm\r\n.\r\n") }
	};
	static const struct dialogue redis = {
		.port = 110, .say = { C("*1\r\n$4\r\nPING\r\n"), SRV("+PONG\r\n") }
	};
	static const struct dialogue tls = { .say = { C("\x16\x03\x01"), SRV("\x16\x03\x03x") } };
	static const struct dialogue imap = { .say = { SRV("* OK IMAP4\r\n"), C("a LOGIN\r\n") } };
	CU_ASSERT_EQUAL(counted(&smtp, STAT_SESSION_SMTP), 1);
	CU_ASSERT_EQUAL(counted(&smtp, STAT_MESSAGE_SMTP_N), 1);
	CU_ASSERT_EQUAL(counted(&pop3, STAT_SESSION_POP3), 1);
	CU_ASSERT_EQUAL(counted(&pop3, STAT_MESSAGE_POP3_N), 1);
	CU_ASSERT_EQUAL(counted(&redis, STAT_SESSION_OTHER), 1);
	CU_ASSERT_EQUAL(counted(&tls, STAT_SESSION_OTHER), 1);
	CU_ASSERT_EQUAL(counted(&imap, STAT_SESSION_OTHER), 1);
}

static void counters(void)
{
	static const struct dialogue auth = { .say = { HELLO, C("AUTH PLAIN AGEAYg==\r\n"),
						       SRV("235 ok\r\n"), BYE } };
	static const struct dialogue junk = { .say = { HELLO, SRV("junk\r\n") } };
	static const struct dialogue stray = { .say = { HELLO, SRV("250 stray\r\n"), BYE } };
	static const struct dialogue refused = { .say = { HELLO, C("DATA\r\n"),
							  SRV("503 no\r\n") } };
	CU_ASSERT_EQUAL(counted(&auth, STAT_SESSION_AUTH), 1);
	CU_ASSERT_EQUAL(counted(&junk, STAT_SESSION_BAD_REPLY), 1);
	CU_ASSERT_EQUAL(counted(&stray, STAT_SESSION_STRAY_REPLY), 1);
	CU_ASSERT_EQUAL(counted(&refused, STAT_MESSAGE_REFUSED), 1);
}

static void only_the_client_was_seen(void)
{
	CHECK(.say = { C("EHLO a\r\n"), C("MAIL FROM:<x@y>\r\nRCPT TO:<r@z>\r\nDATA\r\n"),
		       C("m\r\n.\r\n"), C("MAIL FROM:<b@y>\r\n"), C("RCPT TO:<r@z>\r\n"),
		       C("BDAT 2 LAST\r\nab"), C("AUTH LOGIN\r\n"), C("dXNlcg==\r\n"),
		       C("AAAA\r\n"), C("STARTTLS\r\n"), C("MAIL FROM:<c@y>\r\n"),
		       C("RCPT TO:<r@z>\r\nDATA\r\nn\r\n.\r\n"), C("QUIT\r\n"), C_END },
	      .want = "a|x@y|r@z|0|no_replies|m$\na|b@y|r@z|0|no_replies|ab\n"
		      "a|c@y|r@z|0|no_replies|n$\n",
	      .one_sided = true);
	/* without a long wait each */
	static const struct dialogue d = { .say = { C("EHLO a\r\n"), C("MAIL FROM:<x@y>\r\n"),
						    C("DATA\r\n"), C("m\r\n.\r\n"), C("DATA\r\n"),
						    C("m\r\n.\r\n"), C_END } };
	static struct player p;
	const struct config cfg = dialogue_config();
	uint64_t random = 1;
	player_init(&p, &cfg);
	dialogue_play(&p, &d, AS_SAID, 0, &random);
	CU_ASSERT(p.last_chances <= 2);
	player_free(&p);
}

static void only_the_server_was_seen(void)
{
	CHECK(.say = { SRV("220 mx ESMTP\r\n"), SRV("250 mx\r\n"), SRV("250 ok\r\n"),
		       SRV("250 ok\r\n354 go\r\n"), SRV("250 queued\r\n221 bye\r\n"), S_END },
	      .want = "", .one_sided = true);
}

static void begins_in_the_middle(void)
{
	CHECK(.midstream = true,
	      .say = { C("RCPT TO:<s@z>\r\n"), SRV("250 ok\r\n"), DATA, SENT, MAIL_RCPT, DATA, SENT,
		       BYE },
	      .want = "?|?|s@z|250||m$\n?|x@y|r@z|250||m$\n", .in_order = true);
	/* inside a message */
	CHECK(.midstream = true,
	      .say = { C("of a line\r\nand one\r\n"), C("more\r\n.\r\n"), SRV("250 ok\r\n"),
		       MAIL_RCPT, DATA, SENT, BYE },
	      .want = "?|?||250|no_start|of a line$and one$more$~0/0\n?|x@y|r@z|250||m$\n",
	      .in_order = true);
	/* a reply to something before */
	CHECK(.midstream = true,
	      .say = { SRV("250 ok\r\n"), C("RCPT TO:<s@z>\r\n"), SRV("550 no\r\n"),
		       C("RCPT TO:<t@z>\r\n"), SRV("250 ok\r\n"), DATA, SENT, BYE },
	      .want = "?|?|t@z|250||m$\n", .in_order = true);
	/* what looked like content were commands */
	CHECK(.midstream = true,
	      .say = { C("XYZZY\r\n"), SRV("500 what\r\n"), MAIL_RCPT, DATA, SENT, BYE },
	      .want = "?|x@y|r@z|250||m$\n", .in_order = true);
}

/* At the port of the other protocol lines that are no commands wait for the server's word, whatever comes first. */
static void n15_text_at_the_other_port(void)
{
	CHECK(.midstream = true, .port = 110,
	      .say = { C("XYZZY plugh and more\r\n"), SRV("500 what\r\n"), C("EHLO a\r\n"),
		       SRV("250 mx\r\n"), MAIL_RCPT, DATA, SENT, BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	CHECK(.midstream = true, .port = 110,
	      .say = { C("XY\r\nEHLO a\r\n"), SRV("500 what\r\n450 no\r\n"), C("EHLO b\r\n"),
		       SRV("250 mx\r\n"), MAIL_RCPT, DATA, SENT, BYE },
	      .want = "b|x@y|r@z|250||m$\n");
	/* no word comes, or not in time: the port tells */
	static const struct dialogue answer = { .midstream = true,
						.port = 110,
						.say = { C("dXNlcg==\r\n"), C("RETR 1\r\n") } };
	CU_ASSERT_EQUAL(counted(&answer, STAT_SESSION_POP3), 1);
	CU_ASSERT_EQUAL(counted(&answer, STAT_SESSION_OTHER), 0);
}

static void holes_in_content(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("S: t\r\n\r\nab"), C_LOST("cd"), C("ef\r\n.\r\n"),
		       SRV("250 ok\r\n"), MAIL_RCPT, DATA, SENT, BYE },
	      .want = "a|x@y|r@z|250|hole|S: t$$abef$~2/10\na|x@y|r@z|250||m$\n");
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 9 LAST\r\nabc"), C_LOST("def"), C("ghi"),
		       SRV("250 ok\r\n"), MAIL_RCPT, DATA, SENT, BYE },
	      .want = "a|x@y|r@z|250|hole|abcghi~3/3\na|x@y|r@z|250||m$\n");
	/* the end of the message was in it */
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("S: t\r\n\r\nab"), C_LOST("c\r\n.\r\n"),
		       SRV("250 ok\r\n"), MAIL_RCPT, DATA, SENT, BYE },
	      .want = "a|x@y|r@z|250|hole,no_end|S: t$$ab~6/10\na|x@y|r@z|250||m$\n",
	      .in_order = true);
	/* the end of the chunk, and the commands behind it */
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 9 LAST\r\nabc"), C_LOST("defghiQUIT\r\n"),
		       SRV("250 ok\r\n"), C_END },
	      .want = "a|x@y|r@z|250|hole|abc~6/3\n");
}

static void holes_in_commands(void)
{
	CHECK(.say = { HELLO, C_LOST("MAIL FROM:<x@y>\r\n"), SRV("250 ok\r\n"),
		       C("RCPT TO:<r@z>\r\n"), SRV("250 ok\r\n"), DATA, SENT, MAIL_RCPT, DATA, SENT,
		       BYE },
	      .want = "a|?|r@z|250||m$\na|x@y|r@z|250||m$\n", .in_order = true);
	CHECK(.say = { HELLO, MAIL_RCPT, C_LOST("RCPT TO:<s@z>\r\n"), SRV("550 no\r\n"), DATA, SENT,
		       BYE },
	      .want = "a|x@y|r@z|250||m$\n", .in_order = true);
	/* DATA itself: content follows, but where in it is not known */
	CHECK(.say = { HELLO, MAIL_RCPT, C_LOST("DATA\r\n"), SRV("354 go\r\n"), SENT, BYE },
	      .want = "a|x@y|r@z|250|hole,no_start|m$~0/0\n", .in_order = true);
}

static void holes_in_replies(void)
{
	CHECK(.say = { HELLO, C("MAIL FROM:<x@y>\r\n"), S_LOST("250 ok\r\n"),
		       C("RCPT TO:<r@z>\r\n"), SRV("250 ok\r\n"), C("RCPT TO:<s@z>\r\n"),
		       SRV("550 no\r\n"), DATA, SENT, BYE },
	      .want = "a|x@y|r@z|250||m$\n", .in_order = true);
	/* content follows: it was 354 */
	CHECK(.say = { HELLO, MAIL_RCPT, C("DATA\r\n"), S_LOST("354 go\r\n"), SENT, BYE },
	      .want = "a|x@y|r@z|250||m$\n", .in_order = true);
	/* a command follows: it was not */
	CHECK(.say = { HELLO, MAIL_RCPT, C("DATA\r\n"), S_LOST("554 no\r\n"), C("RSET\r\n"),
		       SRV("250 ok\r\n"), MAIL_RCPT, DATA, SENT, BYE },
	      .want = "a|x@y|r@z|250||m$\n", .in_order = true);
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("m\r\n.\r\n"), S_LOST("250 ok\r\n"), MAIL_RCPT,
		       DATA, SENT, BYE },
	      .want = "a|x@y|r@z|0||m$\na|x@y|r@z|250||m$\n", .in_order = true);
	CHECK(.say = { S_LOST("220 mx ESMTP\r\n"), C("EHLO a\r\n"), SRV("250-mx\r\n250 x\r\n"),
		       MAIL_RCPT, DATA, SENT, BYE },
	      .want = "a|x@y|r@z|250||m$\n", .in_order = true);
}

/* the server's answer to DATA does not come in time, and comes after all */
static void waits_given_up(void)
{
	static struct player p;
	const struct config cfg = dialogue_config();
	player_init(&p, &cfg);
	for (int accepted = 0; accepted < 2; accepted++) {
		struct session s = { 0 };
		struct session_peer peer = { .server_port = 25 };
		static const struct say say[] = { HELLO, MAIL_RCPT, C("DATA\r\nm\r\n.\r\n") };
		uint64_t off[2] = { 0 };
		p.text[0] = 0;
		for (size_t i = 0; i < sizeof say / sizeof say[0]; i++) {
			int k = say[i].who == 'S';
			struct session_input in = { .side = k ? SESSION_SERVER : SESSION_CLIENT,
						    .data = { (const uint8_t *)say[i].p, say[i].n },
						    .off = off[k],
						    .peer_acked = off[!k] };
			size_t n = session_push(&s, p.a, &peer, &in);
			off[k] += say[i].n;
			if (n == in.data.n)
				continue;
			CU_ASSERT_EQUAL(n, 6); /* up to DATA's reply */
			in.data = bytes_from(in.data, n);
			in.off += n;
			in.last_chance = true;
			CU_ASSERT_EQUAL(session_push(&s, p.a, &peer, &in), in.data.n);
		}
		struct session_input in = { .side = SESSION_SERVER,
					    .data = bytes_str(accepted ? "354 go\r\n250 ok\r\n"
								       : "554 no\r\n"),
					    .off = off[1],
					    .peer_acked = off[0] };
		session_push(&s, p.a, &peer, &in);
		player_collect(&p);
		CU_ASSERT_STRING_EQUAL(p.text,
				       accepted ? "a|x@y|r@z|250|pipelined_early|m$\n" : "");
		session_finish(&s, p.a, &peer, 1);
		CU_ASSERT_PTR_NULL(assembler_next(p.a));
	}
	CU_ASSERT_EQUAL(assembler_objects(p.a), 0);
	player_free(&p);
}

/* One push of n octets of text made by the caller; all must be taken. */
static void push(struct player *p, struct session *s, enum session_side side, uint64_t *off,
		 struct bytes b)
{
	const struct session_peer peer = { .server_port = 25 };
	struct session_input in = { .side = side, .data = b, .off = *off, .peer_acked = 0 };
	CU_ASSERT_EQUAL(session_push(s, p->a, &peer, &in), b.n);
	*off += b.n;
}

static void h9_command_of_1_mb(void)
{
	static struct player p;
	static uint8_t big[1 << 20];
	const struct config cfg = dialogue_config();
	const struct session_peer peer = { .server_port = 25 };
	for (int cut = 0; cut < 2; cut++) {
		struct session s = { 0 };
		uint64_t off[2] = { 0 };
		player_init(&p, &cfg);
		push(&p, &s, SESSION_SERVER, off + 1, bytes_str("220 mx\r\n"));
		push(&p, &s, SESSION_CLIENT, off, bytes_str("EHLO a\r\n"));
		push(&p, &s, SESSION_SERVER, off + 1, bytes_str("250 mx\r\n"));
		memset(big, 'x', sizeof big);
		memcpy(big, "MAIL FROM:<", 11);
		memcpy(big + sizeof big - 3, ">\r\n", 3);
		for (size_t at = 0; at < sizeof big; at += cut ? 1024 : sizeof big)
			push(&p, &s, SESSION_CLIENT, off,
			     bytes_of(big + at, cut ? 1024 : sizeof big));
		push(&p, &s, SESSION_SERVER, off + 1, bytes_str("250 ok\r\n"));
		push(&p, &s, SESSION_CLIENT, off, bytes_str("DATA\r\n"));
		push(&p, &s, SESSION_SERVER, off + 1, bytes_str("354 go\r\n"));
		push(&p, &s, SESSION_CLIENT, off, bytes_str("m\r\n.\r\n"));
		push(&p, &s, SESSION_SERVER, off + 1, bytes_str("250 ok\r\n"));
		struct message *m = assembler_next(p.a);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(m->flags, MESSAGE_LONG_COMMAND);
		CU_ASSERT_EQUAL(m->mail_from.n, MESSAGE_NAME_MAX);
		CU_ASSERT_EQUAL(m->size, 3);
		CU_ASSERT_EQUAL(stats_get(p.stats, STAT_SESSION_LONG_LINE), 1);
		assembler_release(p.a, m);
		session_finish(&s, p.a, &peer, 1);
		player_free(&p);
	}
}

static void h9_100000_recipients(void)
{
	static struct player p;
	const struct config cfg = dialogue_config();
	const struct session_peer peer = { .server_port = 25 };
	for (int pipelined = 0; pipelined < 2; pipelined++) {
		struct session s = { 0 };
		uint64_t off[2] = { 0 };
		char line[64];
		player_init(&p, &cfg);
		push(&p, &s, SESSION_SERVER, off + 1, bytes_str("220 mx\r\n"));
		push(&p, &s, SESSION_CLIENT, off, bytes_str("HELO a\r\n"));
		push(&p, &s, SESSION_SERVER, off + 1, bytes_str("250 mx\r\n"));
		push(&p, &s, SESSION_CLIENT, off, bytes_str("MAIL FROM:<x@y>\r\n"));
		push(&p, &s, SESSION_SERVER, off + 1, bytes_str("250 ok\r\n"));
		for (unsigned i = 0, group = pipelined ? 2000 : 1; i < 100000; i += group) {
			for (unsigned k = 0; k < group; k++) {
				snprintf(line, sizeof line, "RCPT TO:<r%u@z>\r\n", i + k);
				push(&p, &s, SESSION_CLIENT, off, bytes_str(line));
			}
			for (unsigned k = 0; k < group; k++) /* every other one is known */
				push(&p, &s, SESSION_SERVER, off + 1,
				     bytes_str((i + k) % 2 ? "550 no\r\n" : "250 ok\r\n"));
		}
		push(&p, &s, SESSION_CLIENT, off, bytes_str("DATA\r\n"));
		push(&p, &s, SESSION_SERVER, off + 1, bytes_str("354 go\r\n"));
		push(&p, &s, SESSION_CLIENT, off, bytes_str("m\r\n.\r\n"));
		push(&p, &s, SESSION_SERVER, off + 1, bytes_str("250 ok\r\n"));
		struct message *m = assembler_next(p.a);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(m->flags, MESSAGE_RCPT_OVERFLOW);
		CU_ASSERT_EQUAL(m->rcpt_seen, 50000);
		CU_ASSERT(m->n_rcpt <= MESSAGE_RCPT_MAX && m->n_rcpt > 100);
		CU_ASSERT(bytes_equal(m->rcpt->next->address, bytes_str("r2@z")));
		assembler_release(p.a, m);
		session_finish(&s, p.a, &peer, 1);
		CU_ASSERT_EQUAL(textline_pool_out(assembler_lines(p.a)), 0);
		player_free(&p);
	}
}

/* 100,000 commands without one reply: the client is made to wait, then read without replies */
static void outstanding_commands_are_bounded(void)
{
	static struct player p;
	const struct config cfg = dialogue_config();
	struct session_peer peer = { .server_port = 25 };
	struct session s = { 0 };
	uint64_t off[2] = { 0 };
	player_init(&p, &cfg);
	push(&p, &s, SESSION_SERVER, off + 1, bytes_str("220 mx\r\n"));
	unsigned waits = 0;
	for (unsigned i = 0; i < 100000; i++) {
		struct session_input in = { .side = SESSION_CLIENT,
					    .data = bytes_str("NOOP\r\n"),
					    .off = off[0] };
		size_t n = session_push(&s, p.a, &peer, &in);
		if (n < in.data.n) {
			waits++;
			in.last_chance = true;
			n = session_push(&s, p.a, &peer, &in);
		}
		CU_ASSERT_EQUAL(n, in.data.n);
		off[0] += n;
	}
	CU_ASSERT(waits > 1 && waits < 100);
	session_finish(&s, p.a, &peer, 1);
	CU_ASSERT_EQUAL(textline_pool_out(assembler_lines(p.a)), 0);
	player_free(&p);
}

static void idle_session_holds_little(void)
{
	static struct player p;
	const struct config cfg = dialogue_config();
	const struct session_peer peer = { .server_port = 25 };
	struct session s = { 0 };
	uint64_t off[2] = { 0 };
	CU_ASSERT(sizeof s <= 200);
	player_init(&p, &cfg);
	push(&p, &s, SESSION_SERVER, off + 1, bytes_str("220 mx\r\n"));
	push(&p, &s, SESSION_CLIENT, off, bytes_str("EHLO a\r\n"));
	push(&p, &s, SESSION_SERVER, off + 1, bytes_str("250 mx\r\n"));
	CU_ASSERT_EQUAL(textline_pool_out(assembler_lines(p.a)), 1);
	CU_ASSERT_EQUAL(assembler_objects(p.a), 0);
	CU_ASSERT(!session_busy(&s));
	push(&p, &s, SESSION_CLIENT, off, bytes_str("MAIL FROM:<x>\r\n"));
	CU_ASSERT(session_busy(&s));
	session_finish(&s, p.a, &peer, 1);
	CU_ASSERT(!session_busy(&s));
	CU_ASSERT_EQUAL(assembler_objects(p.a), 0);
	player_free(&p);
}

TEST_MAIN("session", TEST(recognized_by_words), TEST(counters), TEST(only_the_client_was_seen),
	  TEST(only_the_server_was_seen), TEST(begins_in_the_middle),
	  TEST(n15_text_at_the_other_port), TEST(holes_in_content), TEST(holes_in_commands),
	  TEST(holes_in_replies), TEST(waits_given_up), TEST(h9_command_of_1_mb),
	  TEST(h9_100000_recipients), TEST(outstanding_commands_are_bounded),
	  TEST(idle_session_holds_little))
