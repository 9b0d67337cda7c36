#include "control/socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "control/claim.h"
#include "control/line.h"

enum {
	SOCKET_ACCEPT_BATCH = 64, /* a turn */
	SOCKET_REQUEST_BATCH = 16, /* of one client, a turn */
	SOCKET_PAUSE_MS = 100, /* no accept for so long when descriptors are out */
};

/*
 * A client is in one of three states: something of a reply is left to send (out != NULL: nothing is
 * read then), it is closing (out is its last reply), or it is read from. `since` is when that
 * began: the reply, the first octet of the request in the buffer, or the idleness.
 */
struct socket_client {
	int fd; /* -1: free */
	uint32_t slot; /* in the server's poll array */
	struct line in;
	uint8_t *buf;
	char *out;
	size_t out_len, out_sent;
	bool partial; /* a request has begun */
	bool large; /* buf is for a request over SOCKET_SMALL_MAX */
	bool closing, eof;
	uint64_t since_ms;
};

struct socket_server {
	int fd;
	struct claim claim;
	const struct command_context *ctx;
	uint32_t clients_max, request_ms, idle_ms;
	uint32_t n_clients;
	uint64_t paused_ms; /* no accept before */
	bool told; /* of the pause, once until an accept works again */
	bool again; /* requests are left in a buffer */
	char *reply; /* COMMANDS_REPLY_MAX */
	struct pollfd *poll; /* listener, then one a client */
	struct socket_client *client;
};

static uint64_t socket_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct socket_server *socket_new(const struct socket_setup *setup, char *why, size_t why_len)
{
	struct socket_server *s = calloc(1, sizeof *s);
	if (!s)
		goto err0;
	s->fd = -1;
	s->ctx = setup->ctx;
	s->clients_max = setup->clients_max ? setup->clients_max : SOCKET_CLIENTS_MAX;
	s->request_ms = setup->request_ms ? setup->request_ms : SOCKET_REQUEST_MS;
	s->idle_ms = setup->idle_ms ? setup->idle_ms : SOCKET_IDLE_MS;
	s->reply = malloc(COMMANDS_REPLY_MAX + 1);
	s->client = calloc(s->clients_max, sizeof *s->client);
	s->poll = calloc(s->clients_max + 1, sizeof *s->poll);
	if (!s->reply || !s->client || !s->poll)
		goto err0;
	for (uint32_t i = 0; i < s->clients_max; i++)
		s->client[i].fd = -1;
	s->fd = claim_listen(&s->claim, setup->path, why, why_len);
	if (s->fd < 0)
		goto err1;
	return s;
err0:
	snprintf(why, why_len, "control socket: out of memory");
err1:
	socket_free(s);
	return NULL;
}

static void socket_close(struct socket_server *s, struct socket_client *c)
{
	close(c->fd);
	free(c->buf);
	free(c->out);
	*c = (struct socket_client){ .fd = -1 };
	s->n_clients--;
}

void socket_free(struct socket_server *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; s->client && i < s->clients_max; i++)
		if (s->client[i].fd >= 0)
			socket_close(s, &s->client[i]);
	claim_drop(&s->claim);
	if (s->fd >= 0)
		close(s->fd);
	free(s->reply);
	free(s->client);
	free(s->poll);
	free(s);
}

uint32_t socket_clients(const struct socket_server *s)
{
	return s->n_clients;
}

/* Sends what is left; false: the client is gone. */
static bool socket_send(struct socket_client *c, uint64_t now)
{
	while (c->out_sent < c->out_len) {
		ssize_t n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		c->out_sent += (size_t)n;
	}
	free(c->out);
	c->out = NULL;
	c->since_ms = now;
	return !c->closing;
}

/* Takes a copy of the reply and sends what goes at once; false: the client is gone. */
static bool socket_reply(struct socket_client *c, struct bytes reply, uint64_t now)
{
	c->out = malloc(reply.n + 1);
	if (!c->out)
		return false;
	memcpy(c->out, reply.p, reply.n);
	c->out[reply.n] = '\n';
	c->out_len = reply.n + 1;
	c->out_sent = 0;
	c->since_ms = now;
	return socket_send(c, now);
}

static bool socket_refuse(struct socket_server *s, struct socket_client *c, const char *why,
			  uint64_t now)
{
	c->closing = true;
	return socket_reply(c, commands_error(why, s->reply, COMMANDS_REPLY_MAX), now);
}

/* Another buffer, with what is in the old one; false: out of memory. */
static bool socket_move(struct socket_client *c, size_t max)
{
	uint8_t *buf = malloc(max + LINE_EXTRA);
	if (!buf)
		return false;
	line_move(&c->in, buf, max);
	free(c->buf);
	c->buf = buf;
	c->large = max > SOCKET_SMALL_MAX;
	return true;
}

/* The request is longer than the buffer. NULL: it has a larger one now; else why it is refused. */
static const char *socket_enlarge(struct socket_server *s, struct socket_client *c)
{
	_Static_assert(COMMANDS_REQUEST_MAX == 64 * 1024 * 1024, "the words below");
	if (c->large)
		return "a request has at most 67108864 octets";
	for (uint32_t i = 0; i < s->clients_max; i++)
		if (s->client[i].fd >= 0 && s->client[i].large)
			return "another large request is being read; try again";
	return socket_move(c, COMMANDS_REQUEST_MAX) ? NULL : "out of memory";
}

/* Answers the requests in the buffer; false: the client is done with. */
static bool socket_requests(struct socket_server *s, struct socket_client *c, uint64_t now,
			    unsigned *answered)
{
	for (unsigned i = 0; !c->out; i++) {
		if (i == SOCKET_REQUEST_BATCH) {
			s->again = true;
			break;
		}
		struct bytes request;
		enum line_result r = line_next(&c->in, &request);
		if (r == LINE_TOO_LONG) {
			const char *why = socket_enlarge(s, c);
			if (why)
				return socket_refuse(s, c, why, now);
			r = line_next(&c->in, &request);
		}
		if (r == LINE_MORE && !c->eof) {
			bool partial = line_rest(&c->in).n > 0;
			if (partial != c->partial || i > 0)
				c->since_ms = now;
			c->partial = partial;
			return true;
		}
		if (r == LINE_MORE) {
			/* the last request may do without its line end */
			request = line_rest(&c->in);
			if (request.n == 0)
				return false;
			c->closing = true;
		}
		struct bytes reply = commands_answer(s->ctx, request, s->reply, COMMANDS_REPLY_MAX);
		++*answered;
		if (c->large && line_rest(&c->in).n <= SOCKET_SMALL_MAX &&
		    !socket_move(c, SOCKET_SMALL_MAX))
			return false;
		if (!socket_reply(c, reply, now))
			return false;
	}
	return true;
}

/* One turn of a client; false: it is done with. */
static bool socket_turn(struct socket_server *s, struct socket_client *c, short events,
			uint64_t now, unsigned *answered)
{
	if (c->out) {
		if (events && !socket_send(c, now))
			return false;
	} else if (events && !c->eof) {
		uint8_t *p;
		size_t room = line_room(&c->in, &p);
		ssize_t n = room ? recv(c->fd, p, room, MSG_DONTWAIT) : -1;
		if (n < 0 && room && errno != EAGAIN && errno != EINTR)
			return false;
		if (n > 0)
			line_added(&c->in, (size_t)n);
		c->eof = n == 0;
	}
	if (!socket_requests(s, c, now, answered))
		return false;
	bool waits = c->out || c->partial;
	if (now - c->since_ms < (waits ? s->request_ms : s->idle_ms))
		return true;
	if (c->out || !c->partial)
		return false;
	char why[80];
	snprintf(why, sizeof why, "a request and its line end must come within %u ms",
		 s->request_ms);
	return socket_refuse(s, c, why, now);
}

static void socket_refuse_client(struct socket_server *s, int fd)
{
	char why[80];
	snprintf(why, sizeof why, "too many clients: at most %u at a time, try again",
		 s->clients_max);
	struct bytes reply = commands_error(why, s->reply, COMMANDS_REPLY_MAX);
	s->reply[reply.n] = '\n';
	/* a new socket has room for one line; a client that is gone already needs none */
	ssize_t sent = send(fd, s->reply, reply.n + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)sent;
	close(fd);
}

static void socket_accept(struct socket_server *s, uint64_t now)
{
	for (int i = 0; i < SOCKET_ACCEPT_BATCH; i++) {
		int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
				return;
			if (!s->told)
				log_line(LOG_LEVEL_WARNING, "control socket: cannot accept: %s",
					 strerror(errno));
			s->told = true;
			s->paused_ms = now + SOCKET_PAUSE_MS;
			return;
		}
		s->told = false;
		uint8_t *buf = s->n_clients < s->clients_max ? malloc(SOCKET_SMALL_MAX + LINE_EXTRA)
							     : NULL;
		if (!buf) {
			socket_refuse_client(s, fd);
			continue;
		}
		struct socket_client *c = s->client;
		while (c->fd >= 0)
			c++;
		*c = (struct socket_client){ .fd = fd, .buf = buf, .since_ms = now };
		line_init(&c->in, buf, SOCKET_SMALL_MAX);
		s->n_clients++;
	}
}

/* Fills s->poll, with no more than it must: poll refuses more than the limit of descriptors. How
 * long may be waited. */
static int socket_prepare(struct socket_server *s, uint64_t now, int timeout_ms, uint32_t *n_poll)
{
	uint64_t wait = timeout_ms < 0 ? UINT64_MAX : (uint64_t)timeout_ms;
	bool paused = now < s->paused_ms;
	uint32_t n = 0;
	s->poll[n++] = (struct pollfd){ .fd = paused ? -1 : s->fd, .events = POLLIN };
	if (paused && s->paused_ms - now < wait)
		wait = s->paused_ms - now;
	for (uint32_t i = 0; i < s->clients_max; i++) {
		struct socket_client *c = &s->client[i];
		if (c->fd < 0)
			continue;
		c->slot = n;
		s->poll[n++] = (struct pollfd){ .fd = c->fd, .events = c->out ? POLLOUT : POLLIN };
		uint64_t end = c->since_ms + (c->out || c->partial ? s->request_ms : s->idle_ms);
		uint64_t left = end > now ? end - now : 0;
		if (left < wait)
			wait = left;
	}
	if (s->again)
		wait = 0;
	*n_poll = n;
	return wait == UINT64_MAX ? -1 : wait > INT32_MAX ? INT32_MAX : (int)wait;
}

unsigned socket_poll(struct socket_server *s, int timeout_ms)
{
	unsigned answered = 0;
	uint32_t n;
	int wait = socket_prepare(s, socket_now(), timeout_ms, &n);
	if (poll(s->poll, n, wait) < 0)
		return 0; /* a signal: the caller looks at it */
	s->again = false;
	uint64_t now = socket_now();
	for (uint32_t i = 0; i < s->clients_max; i++) {
		struct socket_client *c = &s->client[i];
		if (c->fd >= 0 && !socket_turn(s, c, s->poll[c->slot].revents, now, &answered))
			socket_close(s, c);
	}
	if (s->poll[0].revents)
		socket_accept(s, now);
	return answered;
}
