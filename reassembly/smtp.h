/*
 * smtp - one SMTP or LMTP session (RFC 5321, 2920, 3030, 3207, 4954, 2033; XCLIENT).
 *
 * Two readers, one for each side's octets, joined by the queue of commands that wait for a reply.
 * The client's reader stops behind DATA, AUTH, STARTTLS, HELO and XCLIENT until the reply was read;
 * the server's reader stops when it holds a reply to a command not read yet. A message's time is
 * that of the push that brought its last octet. smtp.c reads the client and calls smtp_reply.c,
 * which reads the server and calls smtp_transaction.c, which does what replies say.
 * Not handled:
 * replies to pipelined commands around a hole are matched by what fits, which may be wrong.
 */
#pragma once

#include "reassembly/assemble.h"
#include "reassembly/command.h"
#include "reassembly/replies.h"
#include "reassembly/session.h"

enum smtp_state {
	SMTP_COMMAND,
	SMTP_DATA, /* inside message content */
	SMTP_BDAT, /* inside a chunk, bdat_left to go */
	SMTP_AUTH, /* the next line answers a challenge, a secret */
	SMTP_AUTH_GUESS, /* the same, unless it looks like a command */
	SMTP_TLS_GUESS, /* TLS if the next octet says so, or STARTTLS was accepted */
	SMTP_DATA_GUESS, /* content, unless it looks like a command: the reply to DATA was lost */
	SMTP_WAIT, /* for the reply to the last command of the queue */
};

enum smtp_kind { /* what waits for a reply */
		 SMTP_KIND_OTHER,
		 SMTP_KIND_HELO,
		 SMTP_KIND_MAIL,
		 SMTP_KIND_RCPT,
		 SMTP_KIND_RCPT_UNKEPT,
		 SMTP_KIND_DATA,
		 SMTP_KIND_BDAT, /* a chunk that is not the last */
		 SMTP_KIND_BDAT_ODD, /* whether octets follow is known from the reply */
		 SMTP_KIND_BDAT_TRY, /* the same: no CHUNKING was offered, or it is too long */
		 SMTP_KIND_END, /* final dot, or the last chunk */
		 SMTP_KIND_END_LOST, /* the same, no message was kept */
		 SMTP_KIND_RSET, /* ends a transaction */
		 SMTP_KIND_AUTH,
		 SMTP_KIND_STARTTLS,
		 SMTP_KIND_XCLIENT,
		 SMTP_KIND_GAP, /* an unknown number of commands was lost here */
};

struct smtp {
	struct draft *first, *cur; /* transactions, oldest first; the one the client is in */
	uint64_t client_pos, server_pos; /* offsets up to which each side was read */
	uint64_t line_pos; /* of the client's line that is not whole yet, else client_pos */
	uint64_t gap_end; /* of the last hole in commands */
	uint64_t hole_end; /* of the last hole in content */
	uint64_t server_gap_end;
	uint64_t bdat_left;
	uint64_t reply_acked; /* peer_acked with held */
	uint64_t reply_end; /* server offset behind the last reply used */
	struct textline line;
	struct textname helo, auth_user, xclient; /* xclient: struct smtp_xclient */
	struct replies queue;
	struct dot skip; /* content of which no message is kept */
	uint32_t tx_id;
	uint32_t lmtp_left; /* final replies still to come for the oldest ended transaction */
	uint16_t held; /* a reply whose command was not read yet */
	uint16_t lmtp_code;
	uint16_t server_line; /* octets of the server's line */
	uint16_t bdat_code; /* if bdat_answered */
	uint8_t code[4]; /* its first octets */
	uint8_t keyword; /* letters of CHUNKING seen behind them */
	uint8_t state; /* enum smtp_state */
	bool bdat_last : 1;
	bool lmtp : 1, authenticated : 1, counted_auth : 1;
	bool greeting_due : 1;
	bool lost : 1; /* no object for the transaction the client is in */
	bool guessed : 1; /* that the capture began inside a message */
	bool start_due : 1; /* it began in the middle: the client's first octets may be content */
	bool in_guess : 1; /* and no reply has contradicted it yet */
	bool data_assumed : 1; /* went on without the reply to DATA */
	bool early_seen : 1; /* PIPELINED_EARLY was judged */
	bool replies_lost : 1;
	bool no_server : 1, no_client : 1; /* that side was given up */
	bool server_ended : 1, client_ended : 1;
	bool server_end_due : 1; /* it ended, with a reply held */
	bool gap_due : 1; /* replies were lost behind the one held */
	bool server_cut : 1; /* behind a gap: the line may lack its beginning */
	bool server_long : 1;
	bool injection : 1; /* octets behind STARTTLS */
	bool helo_odd : 1, helo_cut : 1;
	bool wait_gap : 1; /* octets were lost while waiting */
	bool tls : 1; /* STARTTLS was accepted */
	bool replied : 1; /* a reply was read */
	bool judge_glue : 1; /* whether the next octets were sent before STARTTLS was refused */
	bool bdat_answered : 1; /* the chunk has its reply */
	bool bdat_try : 1; /* the chunk of a SMTP_KIND_BDAT_TRY begins */
	bool offers : 1,
		held_offers : 1; /* CHUNKING, in the reply being read and in the held one */
	bool no_chunking : 1; /* EHLO was answered without it */
	uint8_t auth_next : 2; /* enum command_auth */
};
_Static_assert(sizeof(struct smtp) <= SESSION_STATE, "a session keeps its octets");

struct smtp_xclient {
	struct address address;
	uint16_t port;
	bool has_address, has_port;
};

/* What every step needs; made for each push. */
struct smtp_call {
	struct session *session;
	struct smtp *s;
	struct assembler *a;
	struct textline_pool *lines;
	const struct session_peer *peer;
	const struct session_input *in;
};

/* guess: the capture began inside a message's content; at_port: it may have, if it began in the
 * middle. */
void smtp_start(struct session *session, const struct session_peer *peer, bool guess, bool at_port);
size_t smtp_push(struct session *session, struct assembler *a, const struct session_peer *peer,
		 const struct session_input *in);
void smtp_finish(struct session *session, struct assembler *a, const struct session_peer *peer,
		 uint64_t now_ns);
bool smtp_busy(const struct session *session);

/* smtp_reply.c, for smtp.c */

size_t smtp_server(const struct smtp_call *c);
/* A command of that kind was read: its reply, when it is held already, is used at once. */
void smtp_asked(const struct smtp_call *c, enum smtp_kind kind);
/* Uses the held reply if its command is known by now, or it is known to have none. */
void smtp_held(const struct smtp_call *c);
/* Every reply still due is assumed. */
void smtp_assume_all(const struct smtp_call *c);

/* smtp_transaction.c, for both; it calls neither */

/* A transaction begins; NULL: no object left. */
struct draft *smtp_begin(const struct smtp_call *c, bool mail);
/* The reply to a command of that kind; code 0: assumed to be the one that goes on. */
void smtp_replied(const struct smtp_call *c, enum smtp_kind kind, int code);
/* The reply to DATA; code 0 as above. */
void smtp_data_replied(const struct smtp_call *c, int code);
/* What follows such a command cannot be read before its reply was. */
bool smtp_waits(enum smtp_kind kind);
/* A message that is in the making ends here without its end. */
void smtp_cut_short(const struct smtp_call *c, int code);
/* The capture began inside a message. */
void smtp_guess(const struct smtp_call *c);
void smtp_drop(const struct smtp_call *c, struct draft *t);
