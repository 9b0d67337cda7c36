/*
 * socket - the control socket: a unix stream socket, one request a line in, one reply a line out.
 *
 * No thread of its own: socket_poll does what is to be done, for at most SOCKET_CLIENTS_MAX
 * clients; one more gets one error line and is closed. A request must be whole SOCKET_REQUEST_MS
 * after its first octet and a reply be taken in the same time, else the client gets an error line
 * (where it reads) and is closed; so it is with a request over COMMANDS_REQUEST_MAX. Of those over
 * SOCKET_SMALL_MAX one is read at a time, a second is refused. A client that asks nothing is closed
 * after SOCKET_IDLE_MS.
 */
#pragma once

#include "control/commands.h"

enum {
	SOCKET_CLIENTS_MAX = 32,
	SOCKET_SMALL_MAX = 64 * 1024,
	SOCKET_REQUEST_MS = 5000,
	SOCKET_IDLE_MS = 300 * 1000,
};

struct socket_server;

struct socket_setup {
	const char *path; /* its directory is made when missing */
	const struct command_context *ctx; /* borrowed for the life of the server */
	uint32_t clients_max, request_ms, idle_ms; /* 0: as above */
};

/*
 * Listens, with mode 0600. A socket left behind by a dead process is replaced; one that answers, or
 * a path that is something else, is refused. NULL: why has one line.
 */
struct socket_server *socket_new(const struct socket_setup *setup, char *why, size_t why_len);

/* Closes every client and takes the path away if it still is this server's. */
void socket_free(struct socket_server *s);

/* Waits at most timeout_ms (-1: for ever) and does what there is to do. Returns how many requests
 * were answered. */
unsigned socket_poll(struct socket_server *s, int timeout_ms);

/* Clients connected now. */
uint32_t socket_clients(const struct socket_server *s);
