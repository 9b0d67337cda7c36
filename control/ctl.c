#include "control/ctl.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control/commands.h"
#include "control/config.h"
#include "control/stats_table.h"

enum { CTL_DONE = 0, CTL_REFUSED = 1, CTL_FAILED = 2, CTL_READ = 64 * 1024 };

struct ctl {
	const char *path;
	const struct command *command;
	bool json, all;
	FILE *out, *err;
};

static void ctl_usage(FILE *out, const char *path)
{
	fprintf(out, "usage: postern ctl [--socket PATH] [--json] [--all] COMMAND\n\n"
		     "Asks the engine that `postern run` started.\n\ncommands:\n");
	for (unsigned i = 0; i < commands_n; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fprintf(out,
		"\noptions:\n"
		"  --socket PATH  where it listens (%s)\n"
		"  --json         the result as a JSON object on one line\n"
		"  --all          stats: also counters that are zero\n"
		"  --help         this text\n"
		"\nExit status: 0 done, 1 the engine refused, 2 wrong usage or no engine.\n"
		"\nexample:\n"
		"  postern ctl stats\n"
		"  postern ctl --json stats | jq .totals.message\n",
		path);
}

/* One line: what is wrong and what to do. */
static int ctl_no_engine(const struct ctl *c, int error)
{
	const char *what = strerror(error);
	const char *cure = "see postern ctl --help";
	if (error == ENOENT) {
		what = "no such socket";
		cure = "start the engine with `postern run`, or name its socket with --socket PATH";
	} else if (error == ECONNREFUSED) {
		what = "nobody answers there, the engine has ended";
		cure = "start it with `postern run`";
	} else if (error == EACCES || error == EPERM) {
		cure = "the socket is for the user who started the engine: try sudo";
	} else if (error == EAGAIN) {
		what = "the engine does not take the call";
		cure = "it has too many clients or hangs";
	}
	fprintf(c->err, "postern ctl: %s: %s; %s\n", c->path, what, cure);
	return CTL_FAILED;
}

/* A connected descriptor, or -errno. */
static int ctl_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval wait = { CTL_TIMEOUT_MS / 1000, 0 };
	if (strlen(path) >= sizeof addr.sun_path)
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

static uint64_t ctl_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* One line without its end. Gives malloc memory in out->p; 0, or -errno: EPROTO when there is no
 * whole line. */
static int ctl_read(int fd, struct bytes *out)
{
	char *buf = NULL;
	size_t len = 0, cap = 0;
	uint64_t end = ctl_now() + CTL_TIMEOUT_MS;
	int error = 0;
	while (!error) {
		if (cap - len < CTL_READ) {
			cap = cap ? cap * 2 : 2 * CTL_READ;
			char *more = cap > CTL_REPLY_MAX ? NULL : realloc(buf, cap);
			if (!more) {
				error = ENOMEM;
				break;
			}
			buf = more;
		}
		ssize_t n = recv(fd, buf + len, CTL_READ, 0);
		if (n < 0)
			error = errno == EINTR ? 0 : errno == EAGAIN ? ETIMEDOUT : errno;
		else if (n == 0)
			error = EPROTO;
		if (n <= 0)
			continue;
		char *lf = memchr(buf + len, '\n', (size_t)n);
		len += (size_t)n;
		if (lf) {
			*out = bytes_of(buf, (size_t)(lf - buf));
			return 0;
		}
		if (ctl_now() > end)
			error = ETIMEDOUT;
	}
	free(buf);
	return -error;
}

/* The reply as sent; *reply is NULL when the exit status returned is not CTL_DONE. */
static int ctl_ask(const struct ctl *c, json_t **reply)
{
	char request[64];
	struct bytes line;
	int n = snprintf(request, sizeof request, "{\"command\":\"%s\"}\n", c->command->name);
	*reply = NULL;
	int fd = ctl_connect(c->path);
	if (fd < 0)
		return ctl_no_engine(c, -fd);
	/* an engine that refuses may have hung up already: its reason is still there to be read */
	int error = send(fd, request, (size_t)n, MSG_NOSIGNAL) < 0 && errno == EAGAIN
			    ? -ETIMEDOUT
			    : ctl_read(fd, &line);
	close(fd);
	if (error == -ETIMEDOUT) {
		fprintf(c->err, "postern ctl: %s: no answer within %d s\n", c->path,
			CTL_TIMEOUT_MS / 1000);
		return CTL_FAILED;
	}
	if (!error) {
		*reply = json_loadb((const char *)line.p, line.n, 0, NULL);
		free((void *)line.p);
		if (json_is_boolean(json_object_get(*reply, "ok")))
			return CTL_DONE;
		json_decref(*reply);
		*reply = NULL;
	}
	fprintf(c->err, "postern ctl: %s: what answers there is not postern\n", c->path);
	return CTL_FAILED;
}

static void ctl_config(FILE *out, const json_t *v, const char *name)
{
	fprintf(out, "%-32s ", name);
	if (json_is_array(v)) {
		for (size_t i = 0; i < json_array_size(v); i++)
			fprintf(out, "%s%" JSON_INTEGER_FORMAT, i ? "," : "",
				json_integer_value(json_array_get(v, i)));
	} else if (json_is_string(v)) {
		fprintf(out, "%s", json_string_value(v));
	} else if (json_is_integer(v)) {
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	} else {
		fprintf(out, "%s", json_is_true(v) ? "true" : json_is_false(v) ? "false" : "-");
	}
	fputc('\n', out);
}

static void ctl_print_config(FILE *out, json_t *result)
{
	for (void *at = json_object_iter(result); at; at = json_object_iter_next(result, at)) {
		const char *group = json_object_iter_key(at);
		json_t *v = json_object_iter_value(at);
		if (!json_is_object(v)) {
			ctl_config(out, v, group);
			continue;
		}
		for (void *in = json_object_iter(v); in; in = json_object_iter_next(v, in)) {
			char whole[128];
			snprintf(whole, sizeof whole, "%s.%s", group, json_object_iter_key(in));
			ctl_config(out, json_object_iter_value(in), whole);
		}
	}
}

static void ctl_print_ping(FILE *out, json_t *result)
{
	char up[64];
	const char *version = json_string_value(json_object_get(result, "version"));
	stats_table_duration((uint64_t)json_integer_value(json_object_get(result, "uptime_s")), up,
			     sizeof up);
	fprintf(out, "postern %s, process %" JSON_INTEGER_FORMAT ", running for %s\n",
		version ? version : "?", json_integer_value(json_object_get(result, "pid")), up);
}

static void ctl_print_reload(FILE *out, json_t *result)
{
	const json_t *list = json_object_get(result, "needs_restart");
	fprintf(out, "reloaded\n");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		fprintf(out, "%s: changed, needs a restart\n", name ? name : "?");
	}
}

static void ctl_print_help(FILE *out, json_t *result)
{
	const json_t *list = json_object_get(result, "commands");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *help = json_string_value(json_object_get(row, "help"));
		fprintf(out, "%-8s %s\n", name ? name : "?", help ? help : "");
	}
}

static void ctl_print(const struct ctl *c, FILE *out, json_t *result)
{
	const char *name = c->command->name;
	if (c->json) {
		json_dumpf(result, out, JSON_COMPACT);
		fputc('\n', out);
	} else if (strcmp(name, "stats") == 0) {
		stats_table_print(out, result, c->all);
	} else if (strcmp(name, "config") == 0) {
		ctl_print_config(out, result);
	} else if (strcmp(name, "ping") == 0) {
		ctl_print_ping(out, result);
	} else if (strcmp(name, "reload") == 0) {
		ctl_print_reload(out, result);
	} else if (strcmp(name, "help") == 0) {
		ctl_print_help(out, result);
	} else {
		fprintf(out, "%s\n", strcmp(name, "stop") == 0 ? "stopping" : "done");
	}
}

/* The reply for people or programs; what would steer a terminal is made harmless. */
static int ctl_show(const struct ctl *c, json_t *reply)
{
	char *text = NULL;
	size_t n = 0;
	bool ok = json_is_true(json_object_get(reply, "ok"));
	FILE *m = open_memstream(&text, &n);
	if (!m) {
		fprintf(c->err, "postern ctl: out of memory\n");
		return CTL_FAILED;
	}
	if (ok) {
		ctl_print(c, m, json_object_get(reply, "result"));
	} else {
		const char *why = json_string_value(json_object_get(reply, "error"));
		fprintf(m, "postern ctl: %s: %s\n", c->command->name, why ? why : "refused");
	}
	fclose(m);
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)text[i] < 0x20 && (!ok || text[i] != '\n')) || text[i] == 0x7f)
			text[i] = '?';
	if (!ok && n)
		text[n - 1] = '\n';
	FILE *to = ok ? c->out : c->err;
	bool written = fwrite(text, 1, n, to) == n && fflush(to) == 0;
	free(text);
	if (!written) {
		fprintf(c->err, "postern ctl: cannot write the answer: %s\n", strerror(errno));
		return CTL_FAILED;
	}
	return ok ? CTL_DONE : CTL_REFUSED;
}

/* 0: go on, 1: the usage was asked for and printed, -1: wrong, and one line said so. */
static int ctl_arguments(struct ctl *c, int argc, char **argv)
{
	char names[256];
	const char *word = NULL;
	commands_names(names, sizeof names);
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];
		if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
			ctl_usage(c->out, c->path);
			return 1;
		}
		if (strcmp(a, "--json") == 0) {
			c->json = true;
		} else if (strcmp(a, "--all") == 0) {
			c->all = true;
		} else if (strncmp(a, "--socket=", 9) == 0) {
			c->path = a + 9;
		} else if (strcmp(a, "--socket") == 0 && i + 1 < argc) {
			c->path = argv[++i];
		} else if (a[0] == '-' || word) {
			fprintf(c->err, "postern ctl: %s \"%s\"; see postern ctl --help\n",
				strcmp(a, "--socket") == 0 ? "a path must follow"
				: word                     ? "one command only, not also"
							   : "unknown option",
				a);
			return -1;
		} else {
			word = a;
		}
	}
	c->command = word ? commands_find(bytes_str(word)) : NULL;
	if (!c->command) {
		if (word)
			fprintf(c->err, "postern ctl: unknown command \"%s\", it is one of: %s\n",
				word, names);
		else
			fprintf(c->err, "postern ctl: a command must follow, one of: %s\n", names);
		return -1;
	}
	return 0;
}

int ctl_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct config cfg;
	config_default(&cfg);
	struct ctl c = { .path = cfg.socket, .out = out, .err = err };
	int r = ctl_arguments(&c, argc, argv);
	if (r)
		return r < 0 ? CTL_FAILED : CTL_DONE;
	json_t *reply;
	r = ctl_ask(&c, &reply);
	if (r == CTL_DONE)
		r = ctl_show(&c, reply);
	json_decref(reply);
	return r;
}
