/*
 * session - the mail protocol of one connection: octets of both directions in, whole messages out.
 *
 * Recognizes SMTP or POP3 from the server's words, else the client's commands, else the port, also
 * in mid-session and with one side missing. Replies belong to commands by their order in the
 * streams, never by arrival; where the next octets of one side cannot be read before the other side
 * spoke (DATA, AUTH, STARTTLS, POP3 replies), session_push takes less than it was given. Memory:
 * pools of the worker (struct assembler); an idle session holds little beyond this struct.
 */
#pragma once

#include "base/config.h"
#include "base/message.h"
#include "base/stats.h"

enum session_side { SESSION_CLIENT, SESSION_SERVER };

enum session_protocol { SESSION_UNKNOWN, SESSION_IS_SMTP, SESSION_IS_POP3, SESSION_IS_OTHER };

struct assembler; /* per worker: message objects, chunks, envelope strings, line buffers;
		     reassembly/assemble.h */

enum { SESSION_STATE = 192 };

struct session {
	uint8_t protocol; /* enum session_protocol */
	bool opaque; /* TLS, or given up: nothing more is read */
	uint64_t state[SESSION_STATE / 8]; /* of smtp or pop3: see those; all-zero is the start */
};

/* What the session knows from below; lives in the worker, the session borrows it for each call. */
struct session_peer {
	struct address client, server;
	uint16_t client_port, server_port;
	uint16_t vlan[2];
	uint8_t n_vlan;
	uint8_t rx_worker;
	bool midstream; /* the start of the connection was not seen */
	bool overlap; /* differing copies were seen */
	uint64_t flow_id;
};

/* Says in a message where it was. */
static inline void session_place(const struct session_peer *peer, struct message *m)
{
	m->flow_id = peer->flow_id;
	m->client = peer->client;
	m->server = peer->server;
	m->client_port = peer->client_port;
	m->server_port = peer->server_port;
	m->has_client = true;
	m->vlan[0] = peer->vlan[0];
	m->vlan[1] = peer->vlan[1];
	m->n_vlan = peer->n_vlan;
	m->rx_worker = peer->rx_worker;
}

struct session_input {
	enum session_side side;
	bool gap; /* data.n octets were lost, 0: unknown number; data.p is NULL */
	bool end; /* this side ended */
	bool last_chance; /* do not wait: what is not taken is lost */
	struct bytes data;
	uint64_t off; /* offset of data in this side's stream */
	uint64_t peer_acked; /* octets of the other side's stream this side had acknowledged when it
				sent; 0 unknown */
	uint64_t now_ns; /* capture time */
};

/* Octets taken, <= in->data.n (all of a gap). Messages that ended come out of assembler_next. */
size_t session_push(struct session *s, struct assembler *a, const struct session_peer *peer,
		    const struct session_input *in);

/* The connection is over: what is unfinished becomes an incomplete message. s is all-zero after it.
 */
void session_finish(struct session *s, struct assembler *a, const struct session_peer *peer,
		    uint64_t now_ns);

/* In the middle of a message or transaction: such a flow is busy. */
bool session_busy(const struct session *s);
