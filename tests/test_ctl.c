/* Each command says what came of it in its words and its exit status, and each failure in one line with a cure. */
#include "control/ctl.h"
#include "control/socket.h"
#include "tests/test.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/config.h"

static struct stats block;
static const struct stats_worker worker[] = { { "receive", 0, &block } };
static const char *reload_note;
static int reload_result;
static _Atomic bool stopped, quit;

static int reload(void *run, char *note, size_t note_len)
{
	snprintf(note, note_len, "%s", reload_note);
	return reload_result;
}

static void stop(void *run)
{
	atomic_store(&stopped, true);
}

static struct config cfg;
static const struct command_context ctx = {
	.cfg = &cfg,
	.stats = { .worker = worker, .n_worker = 1 },
	.reload = reload,
	.stop = stop,
};

static char dir[64], path[96];
static struct socket_server *server;
static pthread_t thread;

static void *serve(void *arg)
{
	while (!atomic_load(&quit))
		socket_poll(server, 20);
	return NULL;
}

static void begin(bool served)
{
	char why[512] = "";
	struct socket_setup setup = { path, &ctx, 4, 0, 0 };
	strcpy(dir, "/tmp/test_ctl.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/s", dir);
	config_default(&cfg);
	server = NULL;
	if (!served)
		return;
	server = socket_new(&setup, why, sizeof why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(server);
	atomic_store(&quit, false);
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, serve, NULL) == 0);
}

static void end(void)
{
	if (server) {
		atomic_store(&quit, true);
		pthread_join(thread, NULL);
		socket_free(server);
	}
	unlink(path);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

struct outcome {
	int status;
	char out[32768], err[4096];
};

/* postern ctl --socket PATH and up to three words. */
static struct outcome *ctl(const char *a, const char *b, const char *c)
{
	static struct outcome o;
	char *argv[] = { (char *)"ctl", (char *)"--socket", path,        (char *)a,
			 (char *)b,     (char *)c,          (char *)NULL };
	int argc = 3 + (a != NULL) + (b != NULL) + (c != NULL);
	memset(&o, 0, sizeof o);
	FILE *out = fmemopen(o.out, sizeof o.out - 1, "w"),
	     *err = fmemopen(o.err, sizeof o.err - 1, "w");
	CU_ASSERT_FATAL(out && err);
	o.status = ctl_main(argc, argv, out, err);
	fclose(out);
	fclose(err);
	/* an error is one line, and comes alone */
	char *lf = strchr(o.err, '\n');
	CU_ASSERT(o.status == 0 ? o.err[0] == 0 : o.out[0] == 0 && lf && lf[1] == 0);
	CU_ASSERT(o.status == 0 || strncmp(o.err, "postern ctl: ", 13) == 0);
	return &o;
}

static void for_people(void)
{
	begin(true);
	stats_set(&block, STAT_FRAMES, 12345);
	struct outcome *o = ctl("stats", NULL, NULL);
	CU_ASSERT_EQUAL(o->status, 0);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(o->out, "  frames                         12,345  frames taken"));
	CU_ASSERT_PTR_NULL(strstr(o->out, "  octets"));
	CU_ASSERT_PTR_NOT_NULL(strstr(ctl("--all", "stats", NULL)->out, "  octets"));
	o = ctl("ping", NULL, NULL);
	char want[64];
	snprintf(want, sizeof want, "postern %s, process %d, running for ", POSTERN_VERSION,
		 getpid());
	CU_ASSERT_EQUAL(strncmp(o->out, want, strlen(want)), 0);
	o = ctl("config", NULL, NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(o->out, "\nlimits.flow_max                  1048576\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(o->out, " 25,587\n"));
	o = ctl("help", NULL, NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(o->out, "stats    counters of every worker"));
	atomic_store(&stopped, false);
	o = ctl("stop", NULL, NULL);
	CU_ASSERT_STRING_EQUAL(o->out, "stopping\n");
	CU_ASSERT(atomic_load(&stopped));
	end();
}

static void for_programs(void)
{
	begin(true);
	struct outcome *o = ctl("--json", "stats", NULL);
	CU_ASSERT_EQUAL(o->status, 0);
	CU_ASSERT_PTR_EQUAL(strchr(o->out, '\n'), o->out + strlen(o->out) - 1);
	json_t *v = json_loads(o->out, JSON_REJECT_DUPLICATES, NULL);
	CU_ASSERT(json_is_object(json_object_get(v, "totals")));
	json_decref(v);
	CU_ASSERT_STRING_EQUAL(ctl("stop", "--json", NULL)->out, "{\"stopping\":true}\n");
	end();
}

static void reloads(void)
{
	begin(true);
	reload_result = 0;
	reload_note = "";
	CU_ASSERT_STRING_EQUAL(ctl("reload", NULL, NULL)->out, "reloaded\n");
	reload_note = "ports, limits.flow_max";
	CU_ASSERT_STRING_EQUAL(ctl("reload", NULL, NULL)->out,
			       "reloaded\nports: changed, needs a restart\n"
			       "limits.flow_max: changed, needs a restart\n");
	reload_result = -1;
	reload_note = "p.yaml:1:2: unknown key \"\033[2J\nx\"";
	struct outcome *o = ctl("reload", NULL, NULL);
	CU_ASSERT_EQUAL(o->status, 1);
	CU_ASSERT_STRING_EQUAL(o->err, "postern ctl: reload: p.yaml:1:2: unknown key \"?[2J?x\"\n");
	end();
}

static void no_engine(void)
{
	begin(false);
	struct outcome *o = ctl("ping", NULL, NULL);
	CU_ASSERT_EQUAL(o->status, 2);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(o->err, "no such socket; start the engine with `postern run`"));
	/* left behind by a dead one */
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(fd, 1) == 0);
	close(fd);
	o = ctl("ping", NULL, NULL);
	CU_ASSERT_EQUAL(o->status, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(o->err, "the engine has ended; start it with `postern run`"));
	end();
}

/* Says what it was given to whoever calls, and hangs up. */
static void *impostor(void *arg)
{
	const char *const *say = arg;
	int at = atoi(say[0]), fd = accept(at, NULL, NULL);
	char request[256];
	if (recv(fd, request, sizeof request, 0) > 0)
		send(fd, say[1], strlen(say[1]), MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

static void something_else_answers(void)
{
	static const char *const says[] = {
		"", "220 mx.example ESMTP\r\n", "{\"ok\":1}\n", "[]\n", "{\"ok\":true", "\n"
	};
	begin(false);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(fd, 1) == 0);
	for (unsigned i = 0; i < sizeof says / sizeof says[0]; i++) {
		char number[16];
		snprintf(number, sizeof number, "%d", fd);
		const char *say[2] = { number, says[i] };
		CU_ASSERT_FATAL(pthread_create(&thread, NULL, impostor, say) == 0);
		struct outcome *o = ctl("stats", NULL, NULL);
		pthread_join(thread, NULL);
		CU_ASSERT_EQUAL(o->status, 2);
		CU_ASSERT_PTR_NOT_NULL(strstr(o->err, "is not postern"));
	}
	close(fd);
	end();
}

static void usage(void)
{
	begin(false);
	static const struct {
		const char *a, *b, *want;
	} rows[] = {
		{ NULL, NULL, "a command must follow, one of: ping, stats" },
		{ "stat", NULL, "unknown command \"stat\", it is one of: ping, stats" },
		{ "stats", "ping", "one command only, not also \"ping\"" },
		{ "--jsn", "stats", "unknown option \"--jsn\"; see postern ctl --help" },
		{ "stats", "--socket", "a path must follow \"--socket\"" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct outcome *o = ctl(rows[i].a, rows[i].b, NULL);
		CU_ASSERT_EQUAL(o->status, 2);
		CU_ASSERT_PTR_NOT_NULL(strstr(o->err, rows[i].want));
	}
	struct outcome *o = ctl("--help", NULL, NULL);
	CU_ASSERT_EQUAL(o->status, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(o->out, "example:\n  postern ctl stats\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(o->out, "  reload   "));
	end();
}

TEST_MAIN("ctl", TEST(for_people), TEST(for_programs), TEST(reloads), TEST(no_engine),
	  TEST(something_else_answers), TEST(usage))
