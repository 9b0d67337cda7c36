/* Whatever clients do, the server answers the others, keeps its bounds and leaves no client waiting in silence. */
#include "control/socket.h"
#include "tests/test.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char ping[] = "{\"command\":\"ping\"}\n";
static const char pong[] = "{\"ok\":true,\"result\":{\"version\":";

static struct stats block;
static const struct stats_worker worker[] = { { "receive", 0, &block } };
static _Atomic bool stop_asked;

static int reload(void *run, char *note, size_t note_len)
{
	return 0;
}

static void stop(void *run)
{
	atomic_store(&stop_asked, true);
}

static const struct command_context ctx = {
	.stats = { .worker = worker, .n_worker = 1 },
	.reload = reload,
	.stop = stop,
};

static char dir[64], path[96];
static struct socket_server *server;
static pthread_t thread;
static _Atomic uint32_t clients_seen;

static void *serve(void *arg)
{
	while (!atomic_load(&stop_asked)) {
		socket_poll(server, 100);
		uint32_t n = socket_clients(server);
		if (n > atomic_load(&clients_seen))
			atomic_store(&clients_seen, n);
	}
	return NULL;
}

static struct socket_server *make(uint32_t clients_max, uint32_t request_ms, uint32_t idle_ms)
{
	char why[512] = "";
	struct socket_setup setup = { path, &ctx, clients_max, request_ms, idle_ms };
	struct socket_server *s = socket_new(&setup, why, sizeof why);
	if (!s)
		printf("\n    %s\n", why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	return s;
}

static void begin(uint32_t clients_max, uint32_t request_ms, uint32_t idle_ms)
{
	strcpy(dir, "/tmp/test_socket.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/run/control.sock", dir);
	server = make(clients_max, request_ms, idle_ms);
	atomic_store(&stop_asked, false);
	atomic_store(&clients_seen, 0);
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, serve, NULL) == 0);
}

static void end(void)
{
	atomic_store(&stop_asked, true);
	pthread_join(thread, NULL);
	socket_free(server);
	CU_ASSERT(access(path, F_OK) < 0 && errno == ENOENT);
	char run[96];
	snprintf(run, sizeof run, "%s/run", dir);
	CU_ASSERT_EQUAL(rmdir(run), 0);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static int client(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct timeval wait = { 20, 0 };
	CU_ASSERT_FATAL(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	CU_ASSERT_FATAL(connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
	return fd;
}

static bool put(int fd, const void *p, size_t n)
{
	return send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* One line without its end, or "" when there is none. */
static const char *get(int fd)
{
	static char line[COMMANDS_REPLY_MAX];
	size_t n = 0;
	while (n < sizeof line - 1 && recv(fd, line + n, 1, 0) == 1) {
		if (line[n] == '\n') {
			line[n] = 0;
			return line;
		}
		n++;
	}
	return "";
}

static bool answers(int fd)
{
	return put(fd, ping, sizeof ping - 1) && strncmp(get(fd), pong, sizeof pong - 1) == 0;
}

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void requests_and_replies(void)
{
	begin(0, 0, 0);
	int fd = client();
	for (int i = 0; i < 3; i++)
		CU_ASSERT(answers(fd));
	/* an octet at a time, CRLF */
	for (const char *p = "{\"command\":\"help\"}\r\n"; *p; p++)
		CU_ASSERT(put(fd, p, 1));
	CU_ASSERT_PTR_NOT_NULL(strstr(get(fd), "\"commands\":["));
	/* an error does not end the connection */
	CU_ASSERT(put(fd, "\xff\xfe\n", 3));
	CU_ASSERT_PTR_NOT_NULL(strstr(get(fd), "{\"ok\":false,\"error\":\"not a JSON object"));
	CU_ASSERT(answers(fd));
	/* the last one without a line end */
	CU_ASSERT(put(fd, ping, sizeof ping - 2));
	shutdown(fd, SHUT_WR);
	CU_ASSERT_EQUAL(strncmp(get(fd), pong, sizeof pong - 1), 0);
	CU_ASSERT_STRING_EQUAL(get(fd), "");
	close(fd);
	end();
}

static void many_requests_at_once(void)
{
	enum { N = 1500 };
	begin(0, 0, 0);
	static char all[N * (sizeof ping - 1)];
	for (int i = 0; i < N; i++)
		memcpy(all + i * (sizeof ping - 1), ping, sizeof ping - 1);
	int fd = client();
	uint64_t from = now_ms();
	CU_ASSERT(put(fd, all, sizeof all));
	unsigned right = 0;
	for (int i = 0; i < N; i++)
		right += strncmp(get(fd), pong, sizeof pong - 1) == 0;
	CU_ASSERT_EQUAL(right, N);
	/* requests that are here already do not wait for poll's time */
	CU_ASSERT(now_ms() - from < 5000);
	close(fd);
	end();
}

static void stop_is_answered(void)
{
	begin(0, 0, 0);
	int fd = client();
	CU_ASSERT(put(fd, "{\"command\":\"stop\"}\n", 19));
	CU_ASSERT_STRING_EQUAL(get(fd), "{\"ok\":true,\"result\":{\"stopping\":true}}");
	pthread_join(thread, NULL);
	CU_ASSERT(atomic_load(&stop_asked));
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, serve, NULL) == 0);
	close(fd);
	end();
}

static long resident_kb(void)
{
	long pages = 0, rss = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%ld %ld", &pages, &rss) != 2)
		rss = 0;
	if (f)
		fclose(f);
	return rss * (sysconf(_SC_PAGESIZE) / 1024);
}

static void h12_request_of_100_megabytes(void)
{
	enum { PIECE = 1 << 20, PIECES = 100 };
	begin(0, 0, 0);
	int other = client(), fd = client();
	CU_ASSERT(answers(other));
	static char piece[PIECE];
	memset(piece, '[', sizeof piece);
	long before = resident_kb();
	unsigned sent = 0;
	while (sent < PIECES && put(fd, piece, sizeof piece))
		sent++;
	/* the server hung up in the middle, after saying why */
	CU_ASSERT(sent < PIECES);
	CU_ASSERT_STRING_EQUAL(
		get(fd), "{\"ok\":false,\"error\":\"a request has at most 67108864 octets\"}");
	CU_ASSERT_STRING_EQUAL(get(fd), "");
	CU_ASSERT(answers(other));
	/* one large request and little more, under a sanitizer that keeps what was freed too */
	CU_ASSERT(resident_kb() - before < COMMANDS_REQUEST_MAX / 1024 + 16 * 1024);
	close(fd);
	close(other);
	end();
}

/* One at a time: a second that is large is refused, small ones go on. */
static void h12_large_requests_at_once(void)
{
	enum { LARGE = 1 << 20 };
	begin(0, 0, 0);
	int first = client(), second = client(), small = client();
	char *text = malloc(LARGE + 1);
	memset(text, ' ', LARGE);
	memcpy(text, ping, sizeof ping - 2);
	text[LARGE] = '\n';
	CU_ASSERT(put(first, text, LARGE));
	CU_ASSERT(answers(small));
	put(second, text, LARGE / 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(get(second), "another large request is being read"));
	CU_ASSERT_STRING_EQUAL(get(second), "");
	CU_ASSERT(put(first, text + LARGE, 1));
	CU_ASSERT_PTR_NOT_NULL(strstr(get(first), "\"ok\":true"));
	/* and the next may */
	CU_ASSERT(answers(first));
	close(second);
	second = client();
	CU_ASSERT(put(second, text, LARGE + 1));
	CU_ASSERT_PTR_NOT_NULL(strstr(get(second), "\"ok\":true"));
	free(text);
	close(first);
	close(second);
	close(small);
	end();
}

static void h12_half_a_request_then_silence(void)
{
	begin(0, 300, 0);
	int other = client(), fd = client();
	uint64_t from = now_ms();
	CU_ASSERT(put(fd, ping, 10));
	CU_ASSERT(answers(other));
	CU_ASSERT_STRING_EQUAL(get(fd), "{\"ok\":false,\"error\":\"a request and its line end must "
					"come within 300 ms\"}");
	uint64_t took = now_ms() - from;
	CU_ASSERT(took >= 290 && took < 5000);
	CU_ASSERT_STRING_EQUAL(get(fd), "");
	CU_ASSERT(answers(other));
	close(fd);
	close(other);
	end();
}

/* An octet now and then does not put the end off. */
static void h12_a_request_that_drips(void)
{
	begin(0, 300, 0);
	int fd = client();
	uint64_t from = now_ms();
	struct pollfd p = { fd, POLLIN, 0 };
	while (now_ms() - from < 10000 && put(fd, "x", 1) && poll(&p, 1, 50) == 0)
		;
	CU_ASSERT(now_ms() - from < 5000);
	CU_ASSERT_PTR_NOT_NULL(strstr(get(fd), "must come within 300 ms"));
	close(fd);
	end();
}

static void idle_clients_are_closed(void)
{
	begin(0, 10000, 300);
	int fd = client();
	CU_ASSERT(answers(fd));
	uint64_t from = now_ms();
	CU_ASSERT_STRING_EQUAL(get(fd), "");
	uint64_t took = now_ms() - from;
	CU_ASSERT(took >= 200 && took < 5000);
	close(fd);
	end();
}

/* A client that asks and does not read holds one reply, then is closed; the others are answered meanwhile. */
static void h12_replies_not_taken(void)
{
	begin(0, 500, 0);
	int fd = client(), other = client();
	uint64_t from = now_ms();
	static const char stats[] = "{\"command\":\"stats\"}\n";
	bool gone = false;
	while (!gone && now_ms() - from < 10000) {
		if (send(fd, stats, sizeof stats - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			gone = errno != EAGAIN;
		if (errno == EAGAIN)
			CU_ASSERT(answers(other));
	}
	CU_ASSERT(gone);
	CU_ASSERT(now_ms() - from < 5000);
	CU_ASSERT(answers(other));
	close(fd);
	close(other);
	end();
}

static void h12_a_thousand_clients(void)
{
	enum { N = 1000, MAX = 8 };
	static int fd[N];
	unsigned taken = 0, turned_away = 0;
	begin(MAX, 0, 0);
	for (int i = 0; i < N; i++) {
		fd[i] = client();
		if (i < MAX) {
			CU_ASSERT(answers(fd[i]));
			taken++;
		}
	}
	for (int i = MAX; i < N; i++)
		turned_away += strcmp(get(fd[i]), "{\"ok\":false,\"error\":\"too many clients: at "
						  "most 8 at a time, try again\"}") == 0;
	CU_ASSERT_EQUAL(taken, MAX);
	CU_ASSERT_EQUAL(turned_away, N - MAX);
	CU_ASSERT(atomic_load(&clients_seen) <= MAX);
	for (int i = 0; i < MAX; i++)
		CU_ASSERT(answers(fd[i]));
	for (int i = 0; i < N; i++)
		close(fd[i]);
	/* and there is room again */
	int again = -1;
	bool right = false;
	for (int i = 0; i < 100 && !right; i++) {
		if (again >= 0)
			close(again);
		usleep(20000);
		again = client();
		right = answers(again);
	}
	CU_ASSERT(right);
	close(again);
	end();
}

/* Without descriptors the clients that are there go on, one that waits is taken later. */
static void descriptors_run_out(void)
{
	begin(0, 0, 0);
	struct rlimit all = { 0 }, none;
	int fd = client(), late = client();
	CU_ASSERT(answers(fd) && answers(late));
	close(late);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
	late = socket(AF_UNIX, SOCK_STREAM, 0);
	int saved = dup(STDERR_FILENO), pipes[2], next = dup(late);
	char told[1024];
	CU_ASSERT_FATAL(pipe(pipes) == 0 && getrlimit(RLIMIT_NOFILE, &all) == 0);
	close(next);
	usleep(200000); /* the server has closed its end of the first `late` */
	int hole = dup(late);
	none = all;
	none.rlim_cur = (rlim_t)hole;
	dup2(pipes[1], STDERR_FILENO);
	CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &none) == 0);
	CU_ASSERT_FATAL(connect(late, (struct sockaddr *)&addr, sizeof addr) == 0);
	CU_ASSERT(put(late, ping, sizeof ping - 1));
	struct pollfd p = { late, POLLIN, 0 };
	CU_ASSERT_EQUAL(poll(&p, 1, 500), 0);
	CU_ASSERT(answers(fd));
	CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &all) == 0);
	CU_ASSERT_EQUAL(strncmp(get(late), pong, sizeof pong - 1), 0);
	dup2(saved, STDERR_FILENO);
	ssize_t n = read(pipes[0], told, sizeof told - 1);
	told[n > 0 ? n : 0] = 0;
	CU_ASSERT_PTR_NOT_NULL(strstr(told, "warning: control socket: cannot accept: "));
	/* once, not ten times a second */
	CU_ASSERT_PTR_EQUAL(strchr(told, '\n'), told + strlen(told) - 1);
	close(hole);
	close(pipes[0]);
	close(pipes[1]);
	close(saved);
	close(fd);
	close(late);
	end();
}

static void refused_where_another_listens(void)
{
	begin(0, 0, 0);
	char why[512] = "";
	struct socket_setup setup = { path, &ctx, 0, 0, 0 };
	CU_ASSERT_PTR_NULL(socket_new(&setup, why, sizeof why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "another postern answers here"));
	int fd = client();
	CU_ASSERT(answers(fd));
	close(fd);
	end();
}

TEST_MAIN("socket", TEST(requests_and_replies), TEST(many_requests_at_once), TEST(stop_is_answered),
	  TEST(h12_request_of_100_megabytes), TEST(h12_large_requests_at_once),
	  TEST(h12_half_a_request_then_silence), TEST(h12_a_request_that_drips),
	  TEST(idle_clients_are_closed), TEST(h12_replies_not_taken), TEST(h12_a_thousand_clients),
	  TEST(descriptors_run_out), TEST(refused_where_another_listens))
