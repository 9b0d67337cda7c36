/* Whatever the order of arrival and the cuts, an SMTP session gives the messages its two streams hold. */
#include "tests/dialogue.h"

#define HELLO \
	SRV("220 mx ESMTP\r\n"), C("EHLO a\r\n"), \
		SRV("250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n")
#define HELLO_PLAIN SRV("220 mx\r\n"), C("EHLO a\r\n"), SRV("250-mx\r\n250 8BITMIME\r\n")
#define MAIL_RCPT \
	C("MAIL FROM:<x@y>\r\n"), SRV("250 ok\r\n"), C("RCPT TO:<r@z>\r\n"), SRV("250 ok\r\n")
#define DATA C("DATA\r\n"), SRV("354 go\r\n")
#define BYE C("QUIT\r\n"), SRV("221 bye\r\n"), C_END, S_END

static void plain(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("S: t\r\n\r\nbody\r\n..dot\r\n.\r\n"),
		       SRV("250 2.0.0 queued\r\n"), BYE },
	      .want = "a|x@y|r@z|250||S: t$$body$.dot$\n");
}

static void several_messages(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("one\r\n.\r\n"), SRV("250 ok\r\n"),
		       C("MAIL FROM:<>\r\n"), SRV("250 ok\r\n"), C("RCPT TO:<p@z>\r\n"),
		       SRV("250 ok\r\n"), C("RCPT TO:<q@z>\r\n"), SRV("550 no\r\n"), DATA,
		       C("two\r\n.\r\n"), SRV("554 virus\r\n"), BYE },
	      .want = "a|x@y|r@z|250||one$\na||p@z|554||two$\n");
}

static void pipelined(void)
{
	CHECK(.say = { HELLO, C("MAIL FROM:<x@y>\r\nRCPT TO:<r@z>\r\nRCPT TO:<s@z>\r\nDATA\r\n"),
		       SRV("250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n"), C("m\r\n.\r\nRSET\r\n"),
		       SRV("250 ok\r\n250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
}

/* the next transaction rides behind the final dot, and behind a last chunk (RFC 2920 3.1) */
static void pipelined_transactions(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, DATA,
		       C("one\r\n.\r\nMAIL FROM:<b@b>\r\nRCPT TO:<s@z>\r\nRCPT TO:<t@z>\r\nBDAT 5 "
			 "LAST\r\n"
			 "two\r\nMAIL FROM:<c@c>\r\nRCPT TO:<u@z>\r\nBDAT 2\r\nthBDAT 3 "
			 "LAST\r\nree"),
		       SRV("250 one\r\n250 mail\r\n452 full\r\n250 rcpt\r\n250 two\r\n"
			   "250 mail\r\n250 rcpt\r\n250 chunk\r\n251 three\r\n"),
		       BYE },
	      .want = "a|x@y|r@z|250||one$\na|b@b|t@z|250||two$\na|c@c|u@z|251||three\n");
}

static void odd_spacing(void)
{
	CHECK(.say = { SRV("220 mx\r\n"), C("helo  me \r\n"), SRV("250 mx\r\n"),
		       C("mail from : <@a,@b:x@y>  SIZE=10 smtputf8\tBODY=BINARYMIME\r\n"),
		       SRV("250 ok\r\n"), C("Rcpt  To:r@z\r\n"), SRV("250 ok\r\n"),
		       C("RCPT TO: <\"a > b\\\"\"@z> NOTIFY=NEVER\r\n"), SRV("250 ok\r\n"),
		       C("data \r\n"), SRV("354 go\r\n"), C(".\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "me|x@y|r@z,\"a > b\\\"\"@z|250|+utf8+binary|\n");
}

static void rset_and_other_commands(void)
{
	CHECK(.say = { HELLO,
		       MAIL_RCPT,
		       C("RSET\r\n"),
		       SRV("250 ok\r\n"),
		       C("NOOP\r\nVRFY root\r\n"),
		       SRV("250 ok\r\n252-try\r\n252 it\r\n"),
		       C("MAIL FROM:<b@b>\r\n"),
		       SRV("250 ok\r\n"),
		       C("RCPT TO:<s@z>\r\n"),
		       SRV("250 ok\r\n"),
		       DATA,
		       C("m\r\n.\r\n"),
		       SRV("250 ok\r\n"),
		       C("EHLO b\r\n"),
		       SRV("250 mx\r\n"),
		       MAIL_RCPT,
		       C("HELO c\r\n"),
		       SRV("250 mx\r\n"),
		       DATA,
		       C("n\r\n.\r\n"),
		       SRV("250 ok\r\n"),
		       BYE },
	      .want = "a|b@b|s@z|250||m$\nc|?||250||n$\n");
}

static void nested_mail_is_refused(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, C("MAIL FROM:<evil@y>\r\n"), SRV("503 nested\r\n"), DATA,
		       C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	CHECK(.say = { HELLO,
		       C("MAIL FROM:<x@y>\r\nRCPT TO:<r@z>\r\nMAIL FROM:<evil@y>\r\nRCPT "
			 "TO:<s@z>\r\nDATA\r\n"),
		       SRV("250 ok\r\n250 ok\r\n503 nested\r\n250 ok\r\n354 go\r\n"),
		       C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z,s@z|250||m$\n");
}

/* the first transaction's recipients come over, refused ones before and behind them do no harm */
static void nested_mail_with_refused_recipients(void)
{
	CHECK(.say = { HELLO,
		       C("MAIL FROM:<x@y>\r\nRCPT TO:<q@z>\r\nRCPT TO:<r@z>\r\nMAIL FROM:<e@y>\r\n"
			 "RCPT TO:<s@z>\r\nRCPT TO:<t@z>\r\n"),
		       SRV("250 ok\r\n550 no\r\n250 ok\r\n503 nested\r\n550 no\r\n550 no\r\n"),
		       C("RCPT TO:<u@z>\r\n"), SRV("550 no\r\n"), C("RCPT TO:<v@z>\r\n"),
		       SRV("250 ok\r\n"), DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z,v@z|250||m$\n");
}

static void mail_refused_then_another(void)
{
	CHECK(.say = { HELLO, C("MAIL FROM:<bad@y>\r\n"), SRV("550 no\r\n"), MAIL_RCPT, DATA,
		       C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	CHECK(.say = { HELLO, C("MAIL FROM:<bad@y>\r\nRCPT TO:<q@z>\r\nDATA\r\n"),
		       SRV("550 no\r\n503 no\r\n503 no\r\n"), MAIL_RCPT, DATA, C("m\r\n.\r\n"),
		       SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
}

static void lmtp(void)
{
	CHECK(.say = { SRV("220 mx LMTP\r\n"), C("LHLO a\r\n"), SRV("250 mx\r\n"), MAIL_RCPT,
		       C("RCPT TO:<s@z>\r\n"), SRV("250 ok\r\n"), DATA, C("m\r\n.\r\n"),
		       SRV("452 full\r\n250 ok\r\n"), MAIL_RCPT, DATA, C("n\r\n.\r\n"),
		       SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z,s@z|250||m$\na|x@y|r@z|250||n$\n");
}

static void auth_exchanges(void)
{
	CHECK(.say = { HELLO, C("AUTH PLAIN AHVzZXIAcGFzcw==\r\n"), SRV("235 ok\r\n"), MAIL_RCPT,
		       DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250|auth=user|m$\n");
	CHECK(.say = { HELLO, C("AUTH PLAIN\r\n"), SRV("334 \r\n"), C("AHVzZXIAcGFzcw==\r\n"),
		       SRV("535 no\r\n"), MAIL_RCPT, DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"),
		       BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	CHECK(.say = { HELLO, C("auth login\r\n"), SRV("334 VXNlcm5hbWU6\r\n"), C("dXNlcg==\r\n"),
		       SRV("334 UGFzc3dvcmQ6\r\n"), C("MAIL\r\n"), SRV("235 ok\r\n"), MAIL_RCPT,
		       DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250|auth=user|m$\n");
	CHECK(.say = { HELLO, C("AUTH CRAM-MD5\r\n"), SRV("334 PDE+\r\n"), C("*\r\n"),
		       SRV("501 cancelled\r\n"), MAIL_RCPT, DATA, C("m\r\n.\r\n"),
		       SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
}

static void starttls(void)
{
	CHECK(.say = { HELLO, C("STARTTLS\r\n"), SRV("454 not now\r\n"), MAIL_RCPT, DATA,
		       C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	CHECK(.say = { HELLO, C("STARTTLS\r\n"), SRV("220 go\r\n"),
		       C("\x16\x03\x01"
			 "hello"),
		       SRV("\x16\x03\x03\n250 no\n"), C("\x17\x03\x03MAIL FROM:<x>\r\n"), C_END },
	      .want = "");
}

static void h9_starttls_injection(void)
{
	CHECK(.say = { HELLO, C("STARTTLS\r\nMAIL FROM:<x@y>\r\nRCPT TO:<r@z>\r\nDATA\r\n"),
		       SRV("454 no\r\n250 ok\r\n250 ok\r\n354 go\r\n"), C("m\r\n.\r\n"),
		       SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250|starttls_injection|m$\n");
	static struct player p;
	static const struct dialogue d = {
		.name = "injection",
		.say = { HELLO, C("STARTTLS\r\nMAIL FROM:<x@y>\r\n"), SRV("220 go\r\n"),
			 C("\x16\x03\x01") },
	};
	const struct config cfg = dialogue_config();
	uint64_t random = 1;
	player_init(&p, &cfg);
	dialogue_play(&p, &d, AS_SAID, 0, &random);
	CU_ASSERT_STRING_EQUAL(p.text, "");
	CU_ASSERT_EQUAL(stats_get(p.stats, STAT_SESSION_OPAQUE), 1);
	CU_ASSERT_EQUAL(stats_get(p.stats, STAT_SESSION_INJECTION), 1);
	player_free(&p);
}

static void xclient(void)
{
	CHECK(.say = { HELLO, C("XCLIENT ADDR=192.0.2.7 PORT=99 HELO=real LOGIN=u+40d\r\n"),
		       SRV("220 mx\r\n"), MAIL_RCPT, DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"),
		       BYE },
	      .want = "real|x@y|r@z|250|auth=u@d|m$\n");
}

/* B-6: chunks, joined; no dot is special in them */
static void b6_bdat(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 6\r\na\r\n.\r\n"), SRV("250 ok\r\n"),
		       C("bdat 4 last\r\n..\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||a$.$..$\n");
	CHECK(.say = { HELLO,
		       C("MAIL FROM:<x@y>\r\nRCPT TO:<r@z>\r\nBDAT 3\r\na\r\nBDAT 0 LAST\r\n"),
		       SRV("250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||a$\n");
}

static void h9_bdat_0_last(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 0 LAST\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||\n");
}

static void h9_bdat_number_too_large(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 18446744073709551616\r\n"), SRV("501 no\r\n"),
		       C("BDAT 9223372036854775808 LAST\r\n"), SRV("501 no\r\n"), DATA,
		       C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	/* the largest one that is believed at once swallows all that follows */
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 2147483647 LAST\r\nMAIL FROM:<z>\r\n"), C_END },
	      .want = "a|x@y|r@z|0|no_end|MAIL FROM:<z>$~0/15\n");
}

static void h9_bdat_with_junk(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 5 X\r\n"), SRV("501 no\r\n"), C("BDAT x\r\n"),
		       SRV("501 no\r\n"), C("BDAT 3 LAST\r\nm\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 5 X\r\nNOOP\n"), SRV("250 ok\r\n"),
		       C("BDAT 3 LAST\r\nm\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250|bare_lf|NOOP%0am$\n");
}

static void h9_bdat_refused_then_its_chunk(void)
{
	/* without a transaction; what is in the chunk is no command */
	CHECK(.say = { HELLO, C("BDAT 17 LAST\r\nMAIL FROM:<e@e>\r\n"), SRV("503 no\r\n"),
		       MAIL_RCPT, DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	/* in the middle of a message */
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 3\r\na\r\n"), SRV("552 too large\r\n"),
		       C("BDAT 17 LAST\r\nMAIL FROM:<e@e>\r\n"), SRV("503 no\r\n"), C("RSET\r\n"),
		       SRV("250 ok\r\n"), MAIL_RCPT, DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"),
		       BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	/* all refused under pipelining */
	CHECK(.say = { HELLO, C("MAIL FROM:<x@y>\r\nRCPT TO:<r@z>\r\nBDAT 3 LAST\r\na\r\n"),
		       SRV("550 no\r\n503 no\r\n503 no\r\n"), MAIL_RCPT, DATA, C("m\r\n.\r\n"),
		       SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	/* the whole message was judged */
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 3 LAST\r\na\r\n"), SRV("554 virus\r\n"), BYE },
	      .want = "a|x@y|r@z|554||a$\n");
}

/* CHUNKING was not offered and BDAT is not known: what follows are commands, not a chunk */
static void h9_bdat_unknown_to_the_server(void)
{
	CHECK(.say = { HELLO_PLAIN, MAIL_RCPT, C("BDAT 9999 LAST\r\n"), SRV("502 what\r\n"), DATA,
		       C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	CHECK(.say = { HELLO_PLAIN, C("BDAT 9999\r\nNOOP\r\n"), SRV("500 what\r\n250 ok\r\n"),
		       MAIL_RCPT, DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	/* it knows it all the same: each chunk has one reply */
	CHECK(.say = { HELLO_PLAIN, MAIL_RCPT, C("BDAT 3\r\na\r\n"), SRV("250 ok\r\n"),
		       C("BDAT 3 LAST\r\nb\r\n"), SRV("251 ok\r\n"), MAIL_RCPT, DATA,
		       C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|251||a$b$\na|x@y|r@z|250||m$\n");
	/* offered, in any place and case: the chunk is one, and no reply is waited for */
	CHECK(.say = { SRV("220 mx\r\n"), C("EHLO a\r\n"),
		       SRV("250-mx\r\n250-chunking\r\n250 X\r\n"), MAIL_RCPT,
		       C("BDAT 6\r\nRSET\r\nBDAT 3 LAST\r\nb\r\n"), SRV("250 ok\r\n250 ok\r\n"),
		       BYE },
	      .want = "a|x@y|r@z|250||RSET$b$\n");
	CHECK(.say = { SRV("220 mx\r\n"), C("EHLO a\r\n"), SRV("250-mx\r\n250 CHUNKINGS\r\n"),
		       MAIL_RCPT, C("BDAT 6\r\n"), SRV("500 what\r\n"), C("RSET\r\n"),
		       SRV("250 ok\r\n"), MAIL_RCPT, DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"),
		       BYE },
	      .want = "a|x@y|r@z|250||m$\n");
	/* a number that is too large for the server */
	CHECK(.say = { SRV("220 mx\r\n"), C("EHLO a\r\n"), SRV("250-mx\r\n250 CHUNKING\r\n"),
		       MAIL_RCPT, C("BDAT 9223372036854775807 LAST\r\n"), SRV("501 no\r\n"),
		       C("RSET\r\n"), SRV("250 ok\r\n"), MAIL_RCPT, DATA, C("m\r\n.\r\n"),
		       SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
}

static void h9_data_and_bdat_mixed(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 3\r\na\r\n"), SRV("250 ok\r\n"), DATA,
		       C("b\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250|bdat_mixed|a$b$\n");
	CHECK(.say = { HELLO, MAIL_RCPT, C("BDAT 3\r\na\r\n"), SRV("250 ok\r\n"), C("DATA\r\n"),
		       SRV("503 no\r\n"), C("BDAT 3 LAST\r\nb\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250|bdat_mixed|a$b$\n");
}

static void h9_data_refused_under_pipelining(void)
{
	/* the client sends the message all the same: these are commands then, and answered as such */
	CHECK(.say = { HELLO,
		       C("MAIL FROM:<x@y>\r\nRCPT TO:<r@z>\r\nDATA\r\nS: t\r\n\r\nMAIL "
			 "FROM:<e@e>\r\n.\r\n"),
		       SRV("250 ok\r\n550 no\r\n554 no\r\n500 ?\r\n500 ?\r\n503 no\r\n500 ?\r\n"),
		       MAIL_RCPT, DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
}

static void n6_content_before_354(void)
{
	CHECK(.say = { HELLO, C("MAIL FROM:<x@y>\r\nRCPT TO:<r@z>\r\nDATA\r\nm\r\n.\r\n"),
		       SRV("250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250|pipelined_early|m$\n");
}

static void h9_lenient_endings(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("m\n.\nMAIL FROM:<e@e>\n.\r\nmore\r\n.\r\n"),
		       SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250|bare_lf,dot_ambiguous|m%0a.%0aMAIL FROM:<e@e>%0a.$more$\n");
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("m\r.\rn\r\n.\r\r\nx\r\n.\r\n"), SRV("250 ok\r\n"),
		       BYE },
	      .want = "a|x@y|r@z|250|bare_cr,dot_ambiguous|m%0d.%0dn$%0d$x$\n");
}

static void h9_mail_from_without_space_or_brackets(void)
{
	CHECK(.say = { HELLO, C("MAIL FROM:x\r\n"), SRV("250 ok\r\n"), C("RCPT TO:y\r\n"),
		       SRV("250 ok\r\n"), DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x|y|250||m$\n");
}

static void h9_nul_in_commands(void)
{
	CHECK(.say = { HELLO, C("MAIL FROM:<x\0@y>\r\n"), SRV("250 ok\r\n"), C("RCPT TO:<r@z>\n"),
		       SRV("250 ok\r\n"), DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|x%00@y|r@z|250|envelope_nul|m$\n");
}

static void h9_replies_without_requests(void)
{
	/* told by what the server had read when it spoke */
	CHECK(.say = { HELLO, SRV("250 stray\r\n"), C("MAIL FROM:<x@y>\r\n"), SRV("550 no\r\n"),
		       C("MAIL FROM:<z@y>\r\n"), SRV("250 ok\r\n"), C("RCPT TO:<r@z>\r\n"),
		       SRV("250 ok\r\n"), DATA, C("m\r\n.\r\n"), SRV("250 ok\r\n"), BYE },
	      .want = "a|z@y|r@z|250||m$\n", .in_order = true);
}

static void h9_odd_reply_codes(void)
{
	CHECK(.say = { HELLO, C("MAIL FROM:<w@y>\r\n"), SRV("junk\r\n4.7.0 later\r\n400\r\n"),
		       C("MAIL FROM:<x@y>\r\n"), SRV("250-a\r\nwhat\r\n2500 no\r\n250\r\n"),
		       C("RCPT TO:<r@z>\r\n"), SRV("\r\n250\n"), DATA, C("m\r\n.\r\n"),
		       SRV("250 ok\r\n"), BYE },
	      .want = "a|x@y|r@z|250||m$\n");
}

static void early_final_reply(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("S: t\r\n"), SRV("552 too large\r\n"),
		       C("body\r\n.\r\n"), BYE },
	      .want = "a|x@y|r@z|552||S: t$body$\n");
}

static void ends_in_the_middle(void)
{
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("S: t\r\n\r\nbo"), C_END },
	      .want = "a|x@y|r@z|0|no_end|S: t$$bo~0/10\n");
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("S: t\r\n\r\nbo") },
	      .want = "a|x@y|r@z|0|no_end|S: t$$bo~0/10\n");
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("m\r\n.\r\n"), S_END },
	      .want = "a|x@y|r@z|0||m$\n");
	CHECK(.say = { HELLO, MAIL_RCPT, DATA, C("m\r\n.\r\n"), SRV("421 shutting down\r\n"),
		       S_END },
	      .want = "a|x@y|r@z|421||m$\n");
}

TEST_MAIN("smtp", TEST(plain), TEST(several_messages), TEST(pipelined),
	  TEST(pipelined_transactions), TEST(odd_spacing), TEST(rset_and_other_commands),
	  TEST(nested_mail_is_refused), TEST(nested_mail_with_refused_recipients),
	  TEST(mail_refused_then_another), TEST(lmtp), TEST(auth_exchanges), TEST(starttls),
	  TEST(h9_starttls_injection), TEST(xclient), TEST(b6_bdat), TEST(h9_bdat_0_last),
	  TEST(h9_bdat_number_too_large), TEST(h9_bdat_with_junk),
	  TEST(h9_bdat_refused_then_its_chunk), TEST(h9_bdat_unknown_to_the_server),
	  TEST(h9_data_and_bdat_mixed), TEST(h9_data_refused_under_pipelining),
	  TEST(n6_content_before_354), TEST(h9_lenient_endings),
	  TEST(h9_mail_from_without_space_or_brackets), TEST(h9_nul_in_commands),
	  TEST(h9_replies_without_requests), TEST(h9_odd_reply_codes), TEST(early_final_reply),
	  TEST(ends_in_the_middle))
