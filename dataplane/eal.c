#include "dataplane/eal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int eal_args_add(struct eal_args *a, const char *format, ...)
{
	va_list ap;
	if (a->n >= EAL_ARGS_MAX)
		return -E2BIG;
	va_start(ap, format);
	int len = vasprintf(&a->arg[a->n], format, ap);
	va_end(ap);
	if (len < 0) {
		a->arg[a->n] = NULL;
		return -ENOMEM;
	}
	a->arg[++a->n] = NULL;
	return 0;
}

bool eal_args_has(const struct eal_args *a, const char *name, char letter)
{
	size_t len = strlen(name);
	for (int i = 0; i < a->n; i++) {
		const char *s = a->arg[i];
		if (s[0] == '-' && letter && s[1] == letter)
			return true;
		if (s[0] == '-' && s[1] == '-' && strncmp(s + 2, name, len) == 0 &&
		    (s[2 + len] == 0 || s[2 + len] == '='))
			return true;
	}
	return false;
}

static bool has_memory(const struct eal_args *a)
{
	static const char *const names[] = {
		"no-huge",     "in-memory",           "huge-dir", "socket-mem", "legacy-mem",
		"huge-unlink", "single-file-segments"
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (eal_args_has(a, names[i], 0))
			return true;
	return false;
}

int eal_args_complete(struct eal_args *a, size_t free_mb, unsigned core, const char *prefix)
{
	int err = 0;
	a->verbose = eal_args_has(a, "log-level", 0);
	a->cores = eal_args_has(a, "lcores", 'l') || eal_args_has(a, "coremask", 'c') ||
		   eal_args_has(a, "service-corelist", 'S');
	/* without it EAL would take every device that it has a driver for, even the one we are
	 * logged in by */
	if (!eal_args_has(a, "allow", 'a') && !eal_args_has(a, "block", 'b') &&
	    !eal_args_has(a, "no-pci", 0))
		err = eal_args_add(a, "--no-pci");
	bool memory = has_memory(a), size = eal_args_has(a, "socket-mem", 'm');
	if (!err && !memory && free_mb >= EAL_MEMORY_MB / 2)
		err = eal_args_add(a, "--in-memory");
	else if (!err && !memory)
		err = eal_args_add(a, "--no-huge");
	bool plain = eal_args_has(a, "no-huge", 0);
	if (!err && plain && !eal_args_has(a, "no-shconf", 0))
		err = eal_args_add(a, "--no-shconf");
	/* plain memory does not grow; its default of 64 MiB is too small */
	if (!err && plain && !size)
		err = eal_args_add(a, "-m%d", EAL_MEMORY_MB);
	if (!err && !eal_args_has(a, "file-prefix", 0))
		err = eal_args_add(a, "--file-prefix=%s", prefix);
	if (!err && !a->verbose)
		err = eal_args_add(a, "--log-level=*:error");
	if (!err && !a->cores)
		err = eal_args_add(a, "--lcores=0@%u", core);
	return err;
}

void eal_args_free(struct eal_args *a)
{
	for (int i = 0; i < a->n; i++)
		free(a->arg[i]);
	memset(a, 0, sizeof *a);
}

size_t eal_hugepages_free_mb(void)
{
	static const char base[] = "/sys/kernel/mm/hugepages";
	size_t kb = 0;
	DIR *dir = opendir(base);
	if (!dir)
		return 0;
	for (struct dirent *e; (e = readdir(dir));) {
		char path[512];
		size_t size_kb, pages;
		if (sscanf(e->d_name, "hugepages-%zukB", &size_kb) != 1)
			continue;
		snprintf(path, sizeof path, "%s/%s/free_hugepages", base, e->d_name);
		FILE *f = fopen(path, "r");
		if (f && fscanf(f, "%zu", &pages) == 1)
			kb += pages * size_kb;
		if (f)
			fclose(f);
	}
	closedir(dir);
	return kb / 1024;
}

/*
 * DPDK writes its log to this stream. Its first line is kept for our own line about what went
 * wrong: the first error is the cause, those behind it say who gave up because of it. When the user
 * chose a level all of it goes to stderr as well.
 */
static struct {
	FILE *stream;
	char first[256];
	bool loud;
} eal_log;

static ssize_t log_write(void *cookie, const char *buf, size_t n)
{
	const char *end = memchr(buf, '\n', n);
	size_t len = end ? (size_t)(end - buf) : n;
	if (len && !eal_log.first[0] && rte_log_cur_msg_loglevel() <= (int)RTE_LOG_ERR)
		snprintf(eal_log.first, sizeof eal_log.first, "%.*s", (int)len, buf);
	if (eal_log.loud)
		fwrite(buf, 1, n, stderr);
	return (ssize_t)n;
}

const char *eal_log_first(void)
{
	return eal_log.first;
}

void eal_log_forget(void)
{
	eal_log.first[0] = 0;
}

/*
 * EAL prints some of its troubles, and on a wrong option pages of usage, past its log. They are
 * caught while it starts, unless the user wants to see all there is.
 */
struct caught {
	int file, out, err; /* -1: nothing is caught */
};

static void catch_begin(struct caught *c)
{
	fflush(stdout);
	fflush(stderr);
	c->file = memfd_create("eal", MFD_CLOEXEC);
	c->out = c->file < 0 ? -1 : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	c->err = c->file < 0 ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (c->out >= 0)
		dup2(c->file, STDOUT_FILENO);
	if (c->err >= 0)
		dup2(c->file, STDERR_FILENO);
}

/* Keeps the first line when it is about an option and the log has nothing. */
static void catch_end(struct caught *c)
{
	char text[256];
	fflush(stdout);
	fflush(stderr);
	if (c->out >= 0)
		dup2(c->out, STDOUT_FILENO);
	if (c->err >= 0)
		dup2(c->err, STDERR_FILENO);
	ssize_t n = c->file < 0 ? 0 : pread(c->file, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	const char *option = strstr(text, "option");
	if (option && strncmp(text, "postern: ", 9) == 0)
		snprintf(eal_log.first, sizeof eal_log.first, "%s", text + 9);
	for (int i = 0; i < 3; i++) {
		int fd = i == 0 ? c->file : i == 1 ? c->out : c->err;
		if (fd >= 0)
			close(fd);
	}
}

static const char *cure(const struct eal_args *a, int err)
{
	if (strstr(eal_log.first, "option"))
		return "DPDK's own options stand behind --, those of postern before it";
	if (!eal_args_has(a, "no-huge", 0) && (err == -ENOMEM || strstr(eal_log.first, "huge")))
		return "give it hugepages (sysctl vm.nr_hugepages=512), or plain memory: -- "
		       "--no-huge";
	if (err == -EACCES || err == -EPERM)
		return "run as root";
	if (strstr(eal_log.first, "xdp") || strstr(eal_log.first, "vdev"))
		return "see that the driver's package is installed (librte-net-*) and what its "
		       "arguments mean: -- --log-level=debug tells more";
	return "-- --log-level=debug tells more";
}

int eal_start(struct eal_args *a, char *why, size_t why_len)
{
	static const cookie_io_functions_t io = { .write = log_write };
	eal_log.stream = fopencookie(NULL, "w", io);
	if (!eal_log.stream) {
		snprintf(why, why_len, "out of memory");
		return -ENOMEM;
	}
	setvbuf(eal_log.stream, NULL, _IOLBF, 1024);
	eal_log.loud = a->verbose;
	rte_openlog_stream(eal_log.stream);
	/* EAL permutes what it is given: a copy of the pointers */
	char *argv[EAL_ARGS_MAX + 2] = { (char *)"postern" };
	memcpy(argv + 1, a->arg, sizeof a->arg);
	struct caught caught = { -1, -1, -1 };
	if (!a->verbose)
		catch_begin(&caught);
	int failed = rte_eal_init(a->n + 1, argv) < 0;
	if (!a->verbose)
		catch_end(&caught);
	if (failed) {
		int err = rte_errno ? -rte_errno : -EINVAL;
		snprintf(why, why_len, "DPDK did not start: %s: %s",
			 eal_log.first[0] ? eal_log.first : strerror(-err), cure(a, err));
		return err;
	}
	return 0;
}

void eal_stop(void)
{
	rte_eal_cleanup();
	rte_openlog_stream(NULL);
	if (eal_log.stream)
		fclose(eal_log.stream);
	eal_log.stream = NULL;
}
