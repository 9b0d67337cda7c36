/*
 * pop3 - one POP3 session (RFC 1939, 2449, 2595, 5034): the messages that RETR fetches.
 *
 * Replies belong to commands by order; the server's octets wait for the command they answer. User
 * name and mailbox size are kept, passwords never. With only the server's side, a +OK followed by a
 * line that looks like a header field is taken for RETR, anything else for another answer of
 * several lines.
 * Not handled: the user's name in AUTH other than PLAIN and LOGIN; APOP's digest is
 * not looked at.
 */
#pragma once

#include "reassembly/assemble.h"
#include "reassembly/command.h"
#include "reassembly/replies.h"
#include "reassembly/session.h"

enum pop3_client { POP3_COMMAND, POP3_AUTH, POP3_AUTH_GUESS, POP3_TLS_GUESS, POP3_WAIT };

enum pop3_server {
	POP3_STATUS, /* a status line comes next */
	POP3_LINES, /* an answer of several lines, of no interest */
	POP3_MESSAGE,
	POP3_GUESS, /* the next line tells what this is */
};

struct pop3 {
	struct draft *cur; /* RETR's answer coming in */
	uint64_t client_pos, server_pos;
	uint64_t asked_acked; /* peer_acked of the last command */
	uint64_t hole_end;
	struct textline line, reply; /* the client's and the server's */
	struct textname user;
	struct replies queue; /* enum pop3_kind; behind POP3_KIND_RETR its number in 4 octets */
	struct dot skip;
	uint32_t tx_id, number, mailbox, n_lines;
	uint8_t client, server; /* enum pop3_client, enum pop3_server */
	uint8_t kind; /* whose answer of several lines this is */
	bool has_mailbox : 1, authenticated : 1;
	bool greeting_due : 1;
	bool lost : 1; /* no object for the message coming in */
	bool replied : 1; /* a status line was read */
	bool first_due : 1; /* the next octet tells a status line from what is guessed */
	bool no_start : 1; /* POP3_GUESS: what is guessed lacks its beginning */
	bool replies_lost : 1, server_cut : 1;
	bool no_client : 1, no_server : 1;
	bool tls : 1;
	uint8_t auth_next : 2; /* enum command_auth */
};
_Static_assert(sizeof(struct pop3) <= SESSION_STATE, "a session keeps its octets");

/* guess: the capture began inside an answer; at_port: it may have, if it began in the middle. */
void pop3_start(struct session *session, const struct session_peer *peer, bool guess, bool at_port);
size_t pop3_push(struct session *session, struct assembler *a, const struct session_peer *peer,
		 const struct session_input *in);
void pop3_finish(struct session *session, struct assembler *a, const struct session_peer *peer,
		 uint64_t now_ns);
bool pop3_busy(const struct session *session);
