/* Every question comes back once, with the server's answer or the word for what went wrong, in time. */
#include "tests/test.h"

#include "verify/dns/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct stats stats[2];

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct question question(const char *name, uint16_t type)
{
	struct question q = { .type = type, .len = (uint8_t)strlen(name) };
	memcpy(q.name, name, strlen(name));
	return q;
}

/* --- a server that does what the first label of the name says, on UDP and TCP of one port --- */

struct server {
	int udp, tcp;
	uint16_t port;
	pthread_t thread;
	_Atomic bool stop;
	_Atomic unsigned udp_n, tcp_n;
	pthread_mutex_t lock;
	char last[256]; /* name of the last question, under lock */
};

static void put_rr(uint8_t **p, uint16_t type, const void *data, size_t n)
{
	const uint8_t head[] = { 0xc0, 12, 0,  (uint8_t)type,     0,         1, 0,
				 0,    0,  60, (uint8_t)(n >> 8), (uint8_t)n };
	memcpy(*p, head, sizeof head);
	memcpy(*p + sizeof head, data, n);
	*p += sizeof head + n;
}

/* Makes the answer behind the question in m; 0: say nothing. */
static size_t respond(struct server *s, uint8_t *m, size_t n, bool tcp)
{
	uint8_t *p = m + 12;
	size_t len = 0;
	char what[256];
	while (p < m + n && *p) {
		if (len)
			what[len++] = '.';
		memcpy(what + len, p + 1, *p);
		len += *p;
		p += *p + 1;
	}
	what[len] = 0;
	pthread_mutex_lock(&s->lock);
	memcpy(s->last, what, sizeof s->last);
	pthread_mutex_unlock(&s->lock);
	uint16_t type = p[2];
	p += 5;
	unsigned rcode = 0, answers = 0;
	bool tc = false;
#define IS(word) (strncmp(what, word, sizeof word - 1) == 0)
	if (IS("silent"))
		return 0;
	if (IS("servfail"))
		rcode = 2;
	else if (IS("refused"))
		rcode = 5;
	else if (IS("nxdomain"))
		rcode = 3;
	else if (IS("nodata"))
		answers = 0;
	else if (IS("malformed"))
		put_rr(&p, type, "\5abc", 4), answers = 1;
	else if (IS("long") && !tcp)
		tc = true;
	else if (IS("long")) {
		for (; answers < 49; answers++) {
			uint8_t data[256] = { 255 };
			memset(data + 1, 'a' + (int)answers % 26, 255);
			put_rr(&p, type, data, sizeof data);
		}
	} else if (IS("huge") && !tcp) {
		tc = true;
	} else if (IS("huge")) { /* names compressed on the wire, over 64 KiB when written out */
		for (; answers < 3000; answers++) {
			const uint8_t data[] = { (uint8_t)(answers >> 8), (uint8_t)answers, 0xc0,
						 12 };
			put_rr(&p, type, data, sizeof data);
		}
	} else if (IS("join")) {
		put_rr(&p, type, "\3v=D\0\7KIM1; p\2=x", 16), answers = 1;
	} else if (type == QUESTION_A) {
		put_rr(&p, type, "\1\2\3\4", 4), answers = 1;
	} else {
		put_rr(&p, type, "\4data", 5), answers = 1;
	}
#undef IS
	m[2] = (uint8_t)(0x80 | (m[2] & 1) | (tc ? 2 : 0));
	m[3] = (uint8_t)(0x80 | rcode);
	memset(m + 6, 0, 6);
	m[6] = (uint8_t)(answers >> 8);
	m[7] = (uint8_t)answers;
	return (size_t)(p - m);
}

static void serve_tcp(struct server *s)
{
	static uint8_t m[2 + 65536];
	int fd = accept(s->tcp, NULL, NULL);
	size_t n = 0;
	while (fd >= 0 && (n < 2 || n < 2 + ((size_t)m[0] << 8 | m[1]))) {
		ssize_t got = read(fd, m + n, 1024);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	s->tcp_n++;
	size_t len = n > 14 ? respond(s, m + 2, n - 2, true) : 0;
	m[0] = (uint8_t)(len >> 8);
	m[1] = (uint8_t)len;
	for (size_t off = 0; len && off < len + 2;) {
		ssize_t put = send(fd, m + off, len + 2 - off, MSG_NOSIGNAL);
		if (put <= 0)
			break;
		off += (size_t)put;
	}
	if (fd >= 0)
		close(fd);
}

static void *server_run(void *arg)
{
	struct server *s = arg;
	static uint8_t m[65536];
	while (!s->stop) {
		struct pollfd fd[2] = { { .fd = s->udp, .events = POLLIN },
					{ .fd = s->tcp, .events = POLLIN } };
		if (poll(fd, 2, 20) <= 0)
			continue;
		if (fd[1].revents)
			serve_tcp(s);
		struct sockaddr_in from;
		socklen_t from_len = sizeof from;
		ssize_t n = fd[0].revents ? recvfrom(s->udp, m, sizeof m, 0,
						     (struct sockaddr *)&from, &from_len)
					  : 0;
		if (n < 17)
			continue;
		s->udp_n++;
		size_t len = respond(s, m, (size_t)n, false);
		if (len)
			sendto(s->udp, m, len, 0, (struct sockaddr *)&from, from_len);
	}
	return NULL;
}

/* A port free for UDP and TCP, bound to both. */
static void server_bind(struct server *s)
{
	for (unsigned tries = 0; tries < 50; tries++) {
		struct sockaddr_in at = { .sin_family = AF_INET };
		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		socklen_t len = sizeof at;
		s->udp = socket(AF_INET, SOCK_DGRAM, 0);
		s->tcp = socket(AF_INET, SOCK_STREAM, 0);
		if (bind(s->udp, (struct sockaddr *)&at, len) == 0 &&
		    getsockname(s->udp, (struct sockaddr *)&at, &len) == 0 &&
		    bind(s->tcp, (struct sockaddr *)&at, len) == 0 && listen(s->tcp, 16) == 0) {
			s->port = ntohs(at.sin_port);
			return;
		}
		close(s->udp);
		close(s->tcp);
	}
	perror("no free port");
	exit(1);
}

static struct server *server_start(void)
{
	static struct server s;
	s = (struct server){ .lock = PTHREAD_MUTEX_INITIALIZER };
	server_bind(&s);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&s.thread, NULL, server_run, &s), 0);
	return &s;
}

static void server_stop(struct server *s)
{
	s->stop = true;
	pthread_join(s->thread, NULL);
	close(s->udp);
	close(s->tcp);
}

/* --- the resolver --- */

static uint32_t failures, parked; /* of the next resolver: cfg.dns_failures, cfg.parked_max */

static struct resolver *start(const char *dns, unsigned links, unsigned timeout_ms)
{
	struct config cfg = { .dns_query_timeout_ms = timeout_ms,
			      .dns_cache_ttl_max_s = 86400,
			      .dns_failures = failures,
			      .dns_failure_ms = 1000,
			      .parked_max = parked };
	snprintf(cfg.dns, sizeof cfg.dns, "%s", dns);
	char why[300] = "";
	struct resolver *r = NULL;
	memset(stats, 0, sizeof stats);
	int rc = resolver_new(&r, &cfg, links, why, sizeof why);
	if (rc < 0)
		printf("\n%s: %s\n", dns, why);
	CU_ASSERT_EQUAL_FATAL(rc, 0);
	return r;
}

static struct resolver *start_at(const struct server *s, unsigned links, unsigned timeout_ms)
{
	char dns[64];
	snprintf(dns, sizeof dns, "127.0.0.1@%u", s->port);
	return start(dns, links, timeout_ms);
}

/* Waits for n replies, 15 s at most; returns how many came. */
static unsigned wait_for(struct resolver_link *l, struct resolver_reply *out, unsigned n)
{
	unsigned got = 0;
	for (uint64_t end = now_ms() + 15000; got < n && now_ms() < end;) {
		unsigned k = resolver_poll(l, out + got, n - got);
		got += k;
		if (!k)
			usleep(200);
	}
	return got;
}

/* Asks and waits. */
static const struct answer *ask(struct resolver_link *l, const char *name, uint16_t type)
{
	struct question q = question(name, type);
	const struct answer *a = NULL;
	switch (resolver_ask(l, &q, 4711, &a)) {
	case RESOLVER_NOW:
		CU_ASSERT_PTR_NOT_NULL_FATAL(a);
		return a;
	case RESOLVER_LATER: {
		struct resolver_reply reply = { 0 };
		CU_ASSERT_EQUAL_FATAL(wait_for(l, &reply, 1), 1);
		CU_ASSERT_EQUAL(reply.tag, 4711);
		return reply.answer;
	}
	default:
		CU_FAIL_FATAL("full");
		return NULL;
	}
}

static void status_of(struct resolver_link *l, const char *name, uint16_t type, uint8_t status)
{
	const struct answer *a = ask(l, name, type);
	if (a->status != status)
		printf("\n%s: %u, not %u\n", name, a->status, status);
	CU_ASSERT_EQUAL(a->status, status);
	resolver_release(l, a);
}

static void settings(void)
{
	static const struct {
		const char *dns, *why;
	} bad[] = {
		{ "localhost", "\"localhost\" is no IP address; give none, system, IP" },
		{ "1.2.3.4@65536", "1 to 65535" },
		{ "zone:/nowhere/file", "/nowhere/file: No such file" },
		{ "zone:", "; give the path of a master file" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct config cfg = { .dns_query_timeout_ms = 1000 };
		snprintf(cfg.dns, sizeof cfg.dns, "%s", bad[i].dns);
		struct resolver *r = NULL;
		char why[300] = "";
		CU_ASSERT(resolver_new(&r, &cfg, 1, why, sizeof why) < 0);
		CU_ASSERT_PTR_NULL(r);
		if (!strstr(why, bad[i].why))
			printf("\n%s: %s\n", bad[i].dns, why);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, bad[i].why));
		CU_ASSERT_PTR_NULL(strchr(why, '\n'));
	}
	static const char *const good[] = { "::1@5353", "[::1]", "[::1]@5353,127.0.0.1", "none" };
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		resolver_free(start(good[i], 2, 1000));
	if (access("/etc/resolv.conf", R_OK) == 0)
		resolver_free(start("system", 1, 1000));
	resolver_free(NULL);
}

static void none(void)
{
	struct resolver *r = start("none", 1, 1000);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	struct resolver_reply reply;
	status_of(l, "example.org", QUESTION_TXT, ANSWER_TIMEOUT);
	CU_ASSERT_EQUAL(resolver_poll(l, &reply, 1), 0);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_ASKED), 1);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_TIMEOUT), 1);
	resolver_free(r);
}

static void zone(void)
{
	char path[] = "/tmp/test_resolver.XXXXXX", dns[64];
	static const char text[] = "a TXT \"x\" \"y\"\nb CNAME a\n;ERROR,c,TXT,SERVFAIL\n";
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0 && write(fd, text, sizeof text - 1) == sizeof text - 1);
	close(fd);
	snprintf(dns, sizeof dns, "zone:%s", path);
	struct resolver *r = start(dns, 1, 1000);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	unlink(path);
	const struct answer *a = ask(l, "b", QUESTION_TXT);
	CU_ASSERT_TRUE(a->n == 1 && bytes_equal(a->rr[0].data, bytes_str("xy")));
	resolver_release(l, a);
	status_of(l, "a", QUESTION_A, ANSWER_NODATA);
	status_of(l, "c", QUESTION_TXT, ANSWER_SERVFAIL);
	status_of(l, "d", QUESTION_TXT, ANSWER_NXDOMAIN);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_ASKED), 4);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_ANSWERED), 1);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_NEGATIVE), 2);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_FAILED), 1);
	resolver_free(r);
}

static void answers(void)
{
	struct server *s = server_start();
	struct resolver *r = start_at(s, 1, 5000);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	const struct answer *a = ask(l, "some.example", QUESTION_TXT);
	CU_ASSERT_EQUAL(a->status, ANSWER_DATA);
	CU_ASSERT_TRUE(a->n == 1 && bytes_equal(a->rr[0].data, bytes_str("data")));
	CU_ASSERT_TRUE(a->ttl_s > 50 && a->ttl_s <= 60);
	CU_ASSERT_FALSE(a->secure);
	resolver_release(l, a);
	a = ask(l, "some.example", QUESTION_A);
	CU_ASSERT_TRUE(a->n == 1 && bytes_equal(a->rr[0].data, bytes_of("\1\2\3\4", 4)));
	resolver_release(l, a);
	a = ask(l, "join.example", QUESTION_TXT);
	CU_ASSERT_TRUE(a->n == 1 && bytes_equal(a->rr[0].data, bytes_str("v=DKIM1; p=x")));
	resolver_release(l, a);
	status_of(l, "nodata.example", QUESTION_TXT, ANSWER_NODATA);
	status_of(l, "nxdomain.example", QUESTION_TXT, ANSWER_NXDOMAIN);
	status_of(l, "servfail.example", QUESTION_TXT, ANSWER_SERVFAIL);
	status_of(l, "refused.example", QUESTION_TXT, ANSWER_SERVFAIL);
	status_of(l, "malformed.example", QUESTION_TXT, ANSWER_SERVFAIL);
	/* names that cannot be are not asked for */
	unsigned before = s->udp_n;
	status_of(l, "a..b", QUESTION_TXT, ANSWER_NXDOMAIN);
	status_of(l, "0123456789012345678901234567890123456789012345678901234567890123.x",
		  QUESTION_TXT, ANSWER_NXDOMAIN);
	CU_ASSERT_EQUAL(s->udp_n, before);
	resolver_free(r);
	server_stop(s);
}

/* Names under RFC 6303 and 6761 zones, and octets that are special in a master file. */
static void every_name_is_asked_for(void)
{
	static const char *const names[] = { "a.test",
					     "localhost",
					     "a.invalid",
					     "1.0.0.127.in-addr.arpa",
					     "1.2.0.10.in-addr.arpa",
					     "1.1.168.192.in-addr.arpa",
					     "a.onion",
					     "x.home.arpa",
					     "a\\b.example",
					     "a b\"c;(d)@$.example",
					     "\x01\xff.example" };
	struct server *s = server_start();
	struct resolver *r = start_at(s, 1, 5000);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		status_of(l, names[i], QUESTION_TXT, ANSWER_DATA);
		pthread_mutex_lock(&s->lock);
		CU_ASSERT_STRING_EQUAL(s->last, names[i]);
		pthread_mutex_unlock(&s->lock);
	}
	resolver_free(r);
	server_stop(s);
}

static void h4_truncated_goes_on_over_tcp(void)
{
	struct server *s = server_start();
	struct resolver *r = start_at(s, 1, 5000);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	const struct answer *a = ask(l, "long.example", QUESTION_TXT);
	CU_ASSERT_EQUAL(a->status, ANSWER_DATA);
	CU_ASSERT_EQUAL(s->tcp_n, 1);
	/* 26 of the 49 differ; copies of a record are one record (RFC 2181 section 5) */
	CU_ASSERT_TRUE(a->n == 26 || a->n == 49);
	for (unsigned i = 0; i < a->n; i++)
		CU_ASSERT_TRUE(a->rr[i].data.n == 255 &&
			       a->rr[i].data.p[0] == a->rr[i].data.p[254]);
	resolver_release(l, a);
	resolver_free(r);
	server_stop(s);
}

static void h4_over_64_kib_is_servfail(void)
{
	struct server *s = server_start();
	struct resolver *r = start_at(s, 1, 5000);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	status_of(l, "huge.abcdefghijklmnopqrstuvwxyz.example", QUESTION_MX, ANSWER_SERVFAIL);
	CU_ASSERT_EQUAL(s->tcp_n, 1);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_FAILED), 1);
	resolver_free(r);
	server_stop(s);
}

static void silence_is_a_timeout(void)
{
	struct server *s = server_start();
	struct resolver *r = start_at(s, 1, 300);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	uint64_t start_ms = now_ms();
	status_of(l, "silent.example", QUESTION_TXT, ANSWER_TIMEOUT);
	uint64_t took = now_ms() - start_ms;
	CU_ASSERT_TRUE(took >= 295 && took < 3000);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_TIMEOUT), 1);
	status_of(l, "awake.example", QUESTION_TXT, ANSWER_DATA);
	resolver_free(r);
	server_stop(s);
}

static void dead_server_is_a_temporary_error(void)
{
	struct server s;
	server_bind(&s);
	close(s.udp);
	close(s.tcp);
	struct resolver *r = start_at(&s, 1, 400);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	const struct answer *a = ask(l, "a.example", QUESTION_TXT);
	CU_ASSERT_TRUE(a->status == ANSWER_TIMEOUT || a->status == ANSWER_SERVFAIL);
	resolver_release(l, a);
	resolver_free(r);
}

static void same_questions_are_one(void)
{
	enum { N = 500 };
	static struct resolver_reply reply[N];
	struct server *s = server_start();
	struct resolver *r = start_at(s, 2, 5000);
	struct question q = question("same.example", QUESTION_TXT);
	const struct answer *a;
	bool seen[2][N] = { 0 };
	for (unsigned i = 0; i < N; i++)
		for (unsigned k = 0; k < 2; k++)
			CU_ASSERT_EQUAL(
				resolver_ask(resolver_link(r, k, &stats[k]), &q, i * 2 + k, &a),
				RESOLVER_LATER);
	for (unsigned k = 0; k < 2; k++) {
		struct resolver_link *l = resolver_link(r, k, &stats[k]);
		CU_ASSERT_EQUAL(wait_for(l, reply, N), N);
		for (unsigned i = 0; i < N; i++) {
			CU_ASSERT_EQUAL(reply[i].tag % 2, k);
			CU_ASSERT_FALSE(seen[k][reply[i].tag / 2]);
			seen[k][reply[i].tag / 2] = true;
			CU_ASSERT_EQUAL(reply[i].answer->status, ANSWER_DATA);
			resolver_release(l, reply[i].answer);
		}
	}
	CU_ASSERT(s->udp_n <= 3); /* again when this server was slow */
	usleep(50000);
	unsigned before = s->udp_n;
	status_of(resolver_link(r, 0, &stats[0]), "same.example", QUESTION_TXT, ANSWER_DATA);
	CU_ASSERT_EQUAL(s->udp_n, before); /* cached */
	resolver_free(r);
	server_stop(s);
}

/* Fills a link with questions nobody answers: the next is refused, and all come back in time. */
static void full(void)
{
	enum { MAX = 4096 };
	static struct resolver_reply reply[MAX];
	struct server *s = server_start();
	struct resolver *r = start_at(s, 1, 1500);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	const struct answer *a;
	char name[64];
	for (unsigned i = 0; i <= MAX; i++) {
		sprintf(name, "silent%u.example", i);
		struct question q = question(name, QUESTION_TXT);
		CU_ASSERT_EQUAL(resolver_ask(l, &q, i, &a),
				i < MAX ? RESOLVER_LATER : RESOLVER_FULL);
	}
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_RING_FULL), 1);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_ASKED), MAX);
	CU_ASSERT_EQUAL(wait_for(l, reply, MAX), MAX);
	for (unsigned i = 0; i < MAX; i++) {
		CU_ASSERT_TRUE(reply[i].answer->status == ANSWER_TIMEOUT ||
			       reply[i].answer->status == ANSWER_SERVFAIL);
		resolver_release(l, reply[i].answer);
	}
	struct question q = question("silent.again.example", QUESTION_TXT);
	CU_ASSERT_EQUAL(resolver_ask(l, &q, 0, &a), RESOLVER_LATER);
	resolver_free(r); /* with one still under way */
	server_stop(s);
}

/* A flood of one question takes one place in the thread: others are answered at once. */
static void same_questions_leave_room(void)
{
	enum { MAX = 4096 };
	static struct resolver_reply reply[MAX];
	struct server *s = server_start();
	struct resolver *r = start_at(s, 2, 2000);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	struct question q = question("silent.same.example", QUESTION_TXT);
	const struct answer *a;
	for (unsigned i = 0; i < MAX; i++)
		CU_ASSERT_EQUAL(resolver_ask(l, &q, i, &a), RESOLVER_LATER);
	uint64_t start_ms = now_ms();
	usleep(300000); /* until the thread has them all */
	status_of(resolver_link(r, 1, &stats[1]), "other.example", QUESTION_TXT, ANSWER_DATA);
	CU_ASSERT(now_ms() - start_ms < 1500);
	CU_ASSERT_EQUAL(wait_for(l, reply, MAX), MAX);
	for (unsigned i = 0; i < MAX; i++)
		resolver_release(l, reply[i].answer);
	resolver_free(r);
	server_stop(s);
}

/* Answers that were released do not count against the link, nor do failures. */
static void failures_take_no_room(void)
{
	enum { ROUNDS = 17, N = 4000 };
	static struct resolver_reply reply[N];
	struct server *s = server_start();
	struct resolver *r = start_at(s, 1, 5000);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	const struct answer *a;
	for (unsigned round = 0; round < 2 * ROUNDS; round++) {
		struct question q =
			question(round % 2 ? "some.example" : "refused.example", QUESTION_TXT);
		for (unsigned i = 0; i < N; i++)
			CU_ASSERT_EQUAL_FATAL(resolver_ask(l, &q, i, &a), RESOLVER_LATER);
		CU_ASSERT_EQUAL_FATAL(wait_for(l, reply, N), N);
		for (unsigned i = 0; i < N; i++)
			resolver_release(l, reply[i].answer);
	}
	resolver_free(r);
	server_stop(s);
}

/* Asks n names silentI.DOMAIN; tags are their numbers. */
static void ask_silent(struct resolver_link *l, const char *domain, unsigned n)
{
	const struct answer *a;
	char name[64];
	for (unsigned i = 0; i < n; i++) {
		sprintf(name, "silent%u.%s", i, domain);
		struct question q = question(name, QUESTION_TXT);
		CU_ASSERT_EQUAL_FATAL(resolver_ask(l, &q, i, &a), RESOLVER_LATER);
	}
}

/* A silent name server holds many for an eighth of their time once, later one for each probe. */
static void h5_dead_domain(void)
{
	enum { N = 1000, TIMEOUT = 4000 };
	static struct resolver_reply reply[N];
	struct server *s = server_start();
	failures = 16;
	struct resolver *r = start_at(s, 2, TIMEOUT);
	failures = 0;
	struct resolver_link *l = resolver_link(r, 0, &stats[0]),
			     *other = resolver_link(r, 1, &stats[1]);
	uint64_t start_ms = now_ms();
	ask_silent(l, "dead.example", N);
	CU_ASSERT_EQUAL_FATAL(wait_for(l, reply, N), N);
	uint64_t took = now_ms() - start_ms;
	CU_ASSERT(took >= TIMEOUT / 8 - 5 && took < TIMEOUT - 1000);
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_EQUAL(reply[i].answer->status, ANSWER_SERVFAIL);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_LEFT_ALONE), N);
	/* now at once, without asking; others are asked */
	start_ms = now_ms();
	ask_silent(l, "dead.example", N);
	CU_ASSERT_EQUAL(wait_for(l, reply, N), N);
	CU_ASSERT(now_ms() - start_ms < TIMEOUT / 4);
	status_of(other, "lives.example", QUESTION_TXT, ANSWER_DATA);
	/* after its time one goes through and all others do not wait for it */
	usleep(1000 * 1000);
	start_ms = now_ms();
	ask_silent(l, "dead.example", N);
	CU_ASSERT_EQUAL(wait_for(l, reply, N - 1), N - 1);
	CU_ASSERT(now_ms() - start_ms < TIMEOUT / 4);
	CU_ASSERT_EQUAL(wait_for(l, reply, 1), 1);
	CU_ASSERT_EQUAL(reply[0].tag, 0); /* the first was the probe */
	/* it is back: the next probe finds it */
	usleep(1100 * 1000);
	status_of(l, "back.dead.example", QUESTION_TXT, ANSWER_DATA);
	status_of(l, "more.dead.example", QUESTION_TXT, ANSWER_DATA);
	resolver_free(r);
	server_stop(s);
}

/* One name that fails for many messages needs no many questions. */
static void h5_dead_name(void)
{
	enum { N = 40 };
	static struct resolver_reply reply[N];
	struct server *s = server_start();
	failures = N / 2;
	struct resolver *r = start_at(s, 1, 4000);
	failures = 0;
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	struct question q = question("silent.example", QUESTION_TXT);
	const struct answer *a;
	uint64_t start_ms = now_ms();
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_EQUAL_FATAL(resolver_ask(l, &q, i, &a), RESOLVER_LATER);
	CU_ASSERT_EQUAL(wait_for(l, reply, N), N);
	CU_ASSERT(now_ms() - start_ms < 3000);
	start_ms = now_ms();
	status_of(l, "silent.example", QUESTION_TXT, ANSWER_SERVFAIL);
	CU_ASSERT(now_ms() - start_ms < 1000);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_LEFT_ALONE), N + 1);
	/* fewer than that wait for the whole time */
	start_ms = now_ms();
	status_of(l, "silent.example.net", QUESTION_TXT, ANSWER_TIMEOUT);
	CU_ASSERT(now_ms() - start_ms >= 3995);
	resolver_free(r);
	server_stop(s);
}

/* More questions than a domain may have under way wait for room, and are all answered. */
static void one_domain(void)
{
	enum { N = 2000 };
	static struct resolver_reply reply[N];
	struct server *s = server_start();
	failures = 16;
	struct resolver *r = start_at(s, 1, 20000);
	failures = 0;
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	const struct answer *a;
	bool seen[N / 2] = { 0 };
	char name[64];
	for (unsigned i = 0; i < N; i++) {
		sprintf(name, "n%u.domain.example", i % (N / 2)); /* each twice */
		struct question q = question(name, QUESTION_TXT);
		CU_ASSERT_EQUAL_FATAL(resolver_ask(l, &q, i, &a), RESOLVER_LATER);
	}
	CU_ASSERT_EQUAL_FATAL(wait_for(l, reply, N), N);
	for (unsigned i = 0; i < N; i++) {
		CU_ASSERT_EQUAL(reply[i].answer->status, ANSWER_DATA);
		seen[reply[i].tag % (N / 2)] = true;
		resolver_release(l, reply[i].answer);
	}
	for (unsigned i = 0; i < N / 2; i++)
		CU_ASSERT(seen[i]);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_LEFT_ALONE), 0);
	resolver_free(r);
	server_stop(s);
}

/* Where only so many messages may wait, one domain cannot have all of them. */
static void h5_refused(void)
{
	enum { N = 3000, MAX = 2048 };
	static struct resolver_reply reply[N];
	struct server *s = server_start();
	parked = 768;
	struct resolver *r = start_at(s, 1, 3000);
	parked = 0;
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	struct question q = question("silent.example", QUESTION_TXT);
	const struct answer *a;
	uint64_t start_ms = now_ms();
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_EQUAL_FATAL(resolver_ask(l, &q, i, &a), RESOLVER_LATER);
	CU_ASSERT_EQUAL(wait_for(l, reply, N - MAX), N - MAX);
	CU_ASSERT(now_ms() - start_ms < 2000);
	for (unsigned i = 0; i < N - MAX; i++)
		CU_ASSERT(reply[i].answer->status == ANSWER_SERVFAIL && reply[i].tag >= MAX);
	CU_ASSERT_EQUAL(wait_for(l, reply, MAX), MAX);
	for (unsigned i = 0; i < MAX; i++)
		CU_ASSERT(reply[i].answer->status == ANSWER_TIMEOUT && reply[i].tag < MAX);
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_LEFT_ALONE), N - MAX);
	resolver_free(r);
	server_stop(s);
}

static void many(void)
{
	enum { ROUNDS = 20, N = 500 };
	static struct resolver_reply reply[N];
	struct server *s = server_start();
	struct resolver *r = start_at(s, 1, 5000);
	struct resolver_link *l = resolver_link(r, 0, &stats[0]);
	const struct answer *a;
	char name[64];
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < N; i++) {
			sprintf(name, "n%u.example", round % 10 * N + i); /* half of them cached */
			struct question q = question(name, QUESTION_TXT);
			CU_ASSERT_EQUAL_FATAL(resolver_ask(l, &q, i, &a), RESOLVER_LATER);
		}
		CU_ASSERT_EQUAL_FATAL(wait_for(l, reply, N), N);
		for (unsigned i = 0; i < N; i++) {
			CU_ASSERT_EQUAL(reply[i].answer->status, ANSWER_DATA);
			resolver_release(l, reply[i].answer);
		}
	}
	CU_ASSERT_EQUAL(stats_get(&stats[0], STAT_DNS_ANSWERED), ROUNDS * N);
	resolver_free(r);
	server_stop(s);
}

TEST_MAIN("resolver", TEST(settings), TEST(none), TEST(zone), TEST(answers),
	  TEST(every_name_is_asked_for), TEST(h4_truncated_goes_on_over_tcp),
	  TEST(h4_over_64_kib_is_servfail), TEST(silence_is_a_timeout),
	  TEST(dead_server_is_a_temporary_error), TEST(same_questions_are_one),
	  TEST(same_questions_leave_room), TEST(failures_take_no_room), TEST(full),
	  TEST(h5_dead_domain), TEST(h5_dead_name), TEST(one_domain), TEST(h5_refused), TEST(many))
