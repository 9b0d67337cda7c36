#include "bench/slow_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

enum { WAITING_MAX = 65536, REPLY_MAX = 1024, BURST = 64, TYPE_A = 1, TYPE_SOA = 6, TYPE_TXT = 16 };

struct waiting { /* all take the same time, so they leave in the order they came */
	uint64_t due_ns;
	struct sockaddr_in to;
	uint16_t len;
	uint8_t reply[REPLY_MAX];
};

static struct waiting waiting[WAITING_MAX];

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint8_t *put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

/* owner: offset in the packet. TTL 60. */
static uint8_t *put_record(uint8_t *p, unsigned owner, unsigned type, const void *data, size_t n)
{
	p = put16(p, 0xc000 | owner);
	p = put16(p, type);
	p = put16(p, 1);
	p = put16(p, 0);
	p = put16(p, 60);
	p = put16(p, (unsigned)n);
	memcpy(p, data, n);
	return p + n;
}

static uint8_t *put_text(uint8_t *p, const char *text)
{
	uint8_t data[REPLY_MAX / 2];
	size_t n = 0;
	for (size_t left = strlen(text); left;) {
		size_t part = left < 255 ? left : 255;
		data[n++] = (uint8_t)part;
		memcpy(data + n, text, part);
		n += part;
		text += part;
		left -= part;
	}
	return put_record(p, 12, TYPE_TXT, data, n);
}

/* Text of a name; NULL: it has none. labels: from the front, as lengths. */
static const char *text_of(const uint8_t *name, unsigned labels, const char *key)
{
	if (name[0] == 6 && memcmp(name + 1, "_dmarc", 6) == 0)
		return labels == 3 ? "v=DMARC1; p=reject; rua=mailto:reports@example.net" : NULL;
	const uint8_t *second = name + name[0] + 1;
	if (labels > 2 && second[0] == 10 && memcmp(second + 1, "_domainkey", 10) == 0)
		return key;
	if (labels == 3)
		return "v=spf1 a -all";
	return labels == 2 ? "v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/24 -all" : NULL;
}

/* Length of the reply made of a question of n octets; 0: it is none. */
static size_t respond(uint8_t *reply, const uint8_t *question, size_t n, const char *key)
{
	unsigned labels = 0, last = 12;
	size_t at = 12;
	for (; at < n && question[at]; at += question[at] + 1u) {
		last = (unsigned)at;
		labels++;
	}
	if (labels == 0 || at + 5 > n || at + 5 > REPLY_MAX / 2 ||
	    memcmp(question + last, "\6silent", 8) == 0)
		return 0;
	unsigned type = (unsigned)question[at + 1] << 8 | question[at + 2], answers = 0;
	memcpy(reply, question, at + 5);
	uint8_t *p = reply + at + 5;
	const char *text = text_of(question + 12, labels, key);
	if (type == TYPE_A) {
		struct in_addr address;
		inet_pton(AF_INET, SLOW_SERVER_CLIENT, &address);
		p = put_record(p, 12, TYPE_A, &address, 4);
		answers = 1;
	} else if (type == TYPE_TXT && text) {
		p = put_text(p, text);
		answers = 1;
	} else {
		static const uint8_t soa[22] = { [21] = 60 };
		p = put_record(p, last, TYPE_SOA, soa, sizeof soa);
	}
	put16(reply + 2, 0x8580 | (type == TYPE_TXT && !text ? 3 : 0));
	put16(reply + 4, 1);
	put16(reply + 6, answers);
	put16(reply + 8, !answers);
	put16(reply + 10, 0);
	return (size_t)(p - reply);
}

static void serve(int fd, unsigned delay_ms, const char *key)
{
	uint32_t first = 0, n = 0; /* of waiting */
	for (;;) {
		uint8_t question[512];
		struct sockaddr_in from;
		socklen_t from_len = sizeof from;
		ssize_t got = 0;
		for (int i = 0; i < BURST && n < WAITING_MAX; i++, from_len = sizeof from) {
			got = recvfrom(fd, question, sizeof question, MSG_DONTWAIT,
				       (struct sockaddr *)&from, &from_len);
			if (got < 0)
				break;
			struct waiting *w = &waiting[(first + n) % WAITING_MAX];
			w->len = (uint16_t)respond(w->reply, question, (size_t)got, key);
			w->to = from;
			w->due_ns = clock_ns() + delay_ms * UINT64_C(1000000);
			n += w->len != 0;
		}
		uint64_t now_ns = clock_ns();
		for (; n && waiting[first].due_ns <= now_ns; n--, first = (first + 1) % WAITING_MAX)
			sendto(fd, waiting[first].reply, waiting[first].len, 0,
			       (struct sockaddr *)&waiting[first].to, sizeof waiting[first].to);
		if (got >= 0)
			continue;
		struct pollfd readable = { .fd = fd, .events = POLLIN };
		struct timespec nap = { .tv_nsec = 1000000 };
		ppoll(&readable, 1, n ? &nap : NULL, NULL);
	}
}

pid_t slow_server_start(unsigned delay_ms, const char *key, uint16_t *port)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 8 << 20;
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		die("slow_server");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	*port = ntohs(at.sin_port);
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		die("slow_server");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			serve(fd, delay_ms, key);
		_exit(0);
	}
	close(fd);
	return pid;
}

void slow_server_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
