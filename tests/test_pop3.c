/* Whatever the order of arrival and the cuts, a POP3 session gives the messages that RETR fetched. */
#include "tests/dialogue.h"

#define HELLO \
	SRV("+OK POP3 <1.2@mx>\r\n"), C("USER joe\r\n"), SRV("+OK\r\n"), C("PASS secret\r\n"), \
		SRV("+OK in\r\n")
#define BYE C("QUIT\r\n"), SRV("+OK bye\r\n"), C_END, S_END

static void retr(void)
{
	CHECK(.port = 110,
	      .say = { HELLO, C("STAT\r\n"), SRV("+OK 2 320\r\n"), C("RETR 1\r\n"),
		       SRV("+OK 10 octets\r\nS: t\r\n\r\n..b\r\n.\r\n"), C("DELE 1\r\n"),
		       SRV("+OK\r\n"), C("retr 2\r\n"), SRV("+OK\r\n.\r\n"), BYE },
	      .want = "#1/2 joe|0|auth|S: t$$.b$\n#2/2 joe|0|auth|\n");
}

static void b7_other_commands_are_no_messages(void)
{
	CHECK(.port = 110,
	      .say = { HELLO, C("CAPA\r\n"), SRV("+OK\r\nTOP\r\nPIPELINING\r\n.\r\n"),
		       C("TOP 1 5\r\n"), SRV("+OK\r\nS: t\r\n\r\nx\r\n.\r\n"), C("LIST 1\r\n"),
		       SRV("+OK 1 120\r\n"), C("UIDL\r\n"),
		       SRV("+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n"), C("RETR 7\r\n"),
		       SRV("-ERR none\r\n"), C("RETR 3\r\n"), SRV("+OK\r\nm\r\n.\r\n"), BYE },
	      .want = "#3/3 joe|0|auth|m$\n");
}

static void b7_pipelining(void)
{
	CHECK(.port = 110,
	      .say = { SRV("+OK\r\n"),
		       C("USER joe\r\nPASS x\r\nSTAT\r\nLIST\r\nRETR 1\r\nRETR 2\r\nQUIT\r\n"),
		       SRV("+OK\r\n+OK\r\n+OK 2 9\r\n+OK\r\n1 4\r\n2 "
			   "5\r\n.\r\n+OK\r\na\r\n.\r\n+OK\r\nbc\r\n.\r\n+OK\r\n"),
		       C_END, S_END },
	      .want = "#1/2 joe|0|auth|a$\n#2/2 joe|0|auth|bc$\n");
}

static void b7_apop_and_auth(void)
{
	CHECK(.port = 110,
	      .say = { SRV("+OK <1@x>\r\n"), C("APOP joe c4c9334bac560ecc979e58001b3e22fb\r\n"),
		       SRV("+OK\r\n"), C("RETR 1\r\n"), SRV("+OK\r\na\r\n.\r\n"), BYE },
	      .want = "#1/-1 joe|0|auth|a$\n");
	CHECK(.port = 110,
	      .say = { SRV("+OK\r\n"), C("AUTH\r\n"), SRV("+OK\r\nPLAIN\r\n.\r\n"),
		       C("AUTH PLAIN\r\n"), SRV("+ \r\n"), C("AHVzZXIAcGFzcw==\r\n"),
		       SRV("+OK\r\n"), C("RETR 1\r\n"), SRV("+OK\r\na\r\n.\r\n"), BYE },
	      .want = "#1/-1 user|0|auth|a$\n");
	CHECK(.port = 110,
	      .say = { SRV("+OK\r\n"), C("AUTH LOGIN\r\n"), SRV("+ VXNlcm5hbWU6\r\n"),
		       C("dXNlcg==\r\n"), SRV("+ UGFzc3dvcmQ6\r\n"), C("cGFzcw==\r\n"),
		       SRV("-ERR no\r\n"), C("AUTH CRAM-MD5\r\n"), SRV("+ PDE+\r\n"), C("*\r\n"),
		       SRV("-ERR\r\n"), C("RETR 1\r\n"), SRV("+OK\r\na\r\n.\r\n"), BYE },
	      .want = "#1/-1 user|0||a$\n");
}

static void b7_stls(void)
{
	CHECK(.port = 110,
	      .say = { SRV("+OK\r\n"), C("STLS\r\n"), SRV("-ERR no\r\n"), C("USER joe\r\n"),
		       SRV("+OK\r\n"), C("PASS x\r\n"), SRV("+OK\r\n"), C("RETR 1\r\n"),
		       SRV("+OK\r\na\r\n.\r\n"), BYE },
	      .want = "#1/-1 joe|0|auth|a$\n");
	CHECK(.port = 110,
	      .say = { SRV("+OK\r\n"), C("STLS\r\n"), SRV("+OK go\r\n"),
		       C("\x16\x03\x01RETR 1\r\n"), SRV("\x16\x03\x03+OK\r\na\r\n.\r\n"), C_END },
	      .want = "");
}

static void listing_without_end(void)
{
	CHECK(.port = 110,
	      .say = { HELLO, C("LIST\r\n"), SRV("what\r\n"), SRV("+OK 2\r\n1 120\r\n2 200\r\n"),
		       C("RETR 1\r\n"), SRV("+OK\r\nm\r\n.\r\n"), BYE },
	      .want = "#1/-1 joe|0|auth|m$\n");
}

static void holes(void)
{
	CHECK(.port = 110,
	      .say = { HELLO, C("RETR 1\r\n"), SRV("+OK\r\nS: t\r\n\r\nab"), S_LOST("cde"),
		       SRV("fg\r\n.\r\n"), C("RETR 2\r\n"), SRV("+OK\r\nn\r\n.\r\n"), BYE },
	      .want = "#1/-1 joe|0|hole,auth|S: t$$abfg$~3/10\n#2/-1 joe|0|auth|n$\n");
	/* the end lay in the hole */
	CHECK(.port = 110,
	      .say = { HELLO, C("RETR 1\r\n"), SRV("+OK\r\nS: t\r\n\r\nab"), S_LOST("c\r\n.\r\n"),
		       C("RETR 2\r\n"), SRV("+OK\r\nn\r\n.\r\n"), BYE },
	      .want = "#1/-1 joe|0|hole,no_end,auth|S: t$$ab~6/10\n#2/-1 joe|0|auth|n$\n",
	      .in_order = true);
	/* the status of RETR was lost with the beginning */
	CHECK(.port = 110,
	      .say = { HELLO, C("RETR 1\r\n"), S_LOST("+OK\r\nS: t\r\n"), SRV("\r\nab\r\n.\r\n"),
		       C("RETR 2\r\n"), SRV("+OK\r\nn\r\n.\r\n"), BYE },
	      .want = "#1/-1 joe|0|no_start,auth|$ab$~0/0\n#2/-1 joe|0|auth|n$\n",
	      .in_order = true);
}

static void one_sided(void)
{
	CHECK(.port = 110,
	      .say = { SRV("+OK\r\n"), SRV("+OK\r\n+OK in\r\n+OK 2 50\r\n"),
		       SRV("+OK 12 octets\r\nS: t\r\n\r\nb\r\n.\r\n+OK\r\n1 5\r\n2 "
			   "6\r\n.\r\n-ERR\r\n+OK bye\r\n") },
	      .want = "#0/-1 ?|0|no_replies|S: t$$b$\n", .one_sided = true, .in_order = true);
	CHECK(.port = 110, .say = { C("USER joe\r\n"), C("PASS x\r\nRETR 1\r\nQUIT\r\n"), C_END },
	      .want = "", .one_sided = true, .in_order = true);
}

static void midstream(void)
{
	CHECK(.port = 110, .midstream = true,
	      .say = { C("RETR 4\r\n"), SRV("+OK\r\nn\r\n.\r\n"), BYE }, .want = "#4/-1 ?|0||n$\n",
	      .in_order = true);
	CHECK(.port = 110, .midstream = true,
	      .say = { SRV("of a message\r\n.\r\n"), C("RETR 4\r\n"), SRV("+OK\r\nn\r\n.\r\n"),
		       BYE },
	      .want = "#0/-1 ?|0|no_start|of a message$~0/0\n#4/-1 ?|0||n$\n", .in_order = true);
}

static void ends_in_the_middle(void)
{
	CHECK(.port = 110, .say = { HELLO, C("RETR 1\r\n"), SRV("+OK\r\nS: t\r\n\r\nab"), S_END },
	      .want = "#1/-1 joe|0|no_end,auth|S: t$$ab~0/10\n");
	CHECK(.port = 110, .say = { HELLO, C("RETR 1\r\n"), SRV("+OK\r\nS: t\r\n\r\nab") },
	      .want = "#1/-1 joe|0|no_end,auth|S: t$$ab~0/10\n");
}

TEST_MAIN("pop3", TEST(retr), TEST(b7_other_commands_are_no_messages), TEST(b7_pipelining),
	  TEST(b7_apop_and_auth), TEST(b7_stls), TEST(listing_without_end), TEST(holes),
	  TEST(one_sided), TEST(midstream), TEST(ends_in_the_middle))
