/* Profiles go out of a running engine and into its settings file whole or not at all, and never without being asked. */
#include "control/ctl.h"
#include "control/socket.h"
#include "tests/test.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/config.h"

static struct stats block;
static const struct stats_worker worker[] = { { "receive", 0, &block } };
static struct config cfg;
static char dir[64], path[96], settings[96], file[96], why[1024];
static struct config_source source;
static struct command_context ctx;
static struct socket_server *server;
static pthread_t thread;
static _Atomic bool quit;

/* As a live run does it. */
static int edit(void *run, enum kind kind, enum edit_what what, struct bytes text,
		uint32_t count[2], char *note, size_t note_len)
{
	struct edit e = { &source, kind, what, text };
	struct edit_result r;
	struct config next;
	note[0] = 0;
	if (edit_make(&e, &r, note, note_len) < 0)
		return -1;
	count[0] = r.n_before;
	count[1] = r.n_after;
	int ret = edit_write(&e, &r, note, note_len);
	edit_free(&r);
	if (ret < 0 || config_build(&next, &source, note, note_len) < 0)
		return -1;
	config_fini(&cfg);
	cfg = next;
	return 0;
}

static void *serve(void *arg)
{
	while (!atomic_load(&quit))
		socket_poll(server, 20);
	return NULL;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	CU_ASSERT_EQUAL(fclose(f), 0);
}

static const char begin_text[] = "# box\n"
				 "spf_profiles:\n  default: {mailfrom_fail: reject}\n  lax: {}\n"
				 "address_lists: {partners: [a.example, 192.0.2.0/24]}\n"
				 "digest: true\n";

static void begin(void)
{
	struct socket_setup setup = { path, &ctx, 4, 0, 0 };
	strcpy(dir, "/tmp/test_ctl_profiles.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/s", dir);
	snprintf(settings, sizeof settings, "%s/settings", dir);
	snprintf(file, sizeof file, "%s/f", dir);
	write_file(settings, begin_text);
	source = (struct config_source){ .file = settings };
	CU_ASSERT_EQUAL_FATAL(config_build(&cfg, &source, why, sizeof why), 0);
	ctx = (struct command_context){ .cfg = &cfg,
					.stats = { .worker = worker, .n_worker = 1 },
					.edit = edit };
	server = socket_new(&setup, why, sizeof why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(server);
	atomic_store(&quit, false);
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, serve, NULL) == 0);
}

static void end(void)
{
	atomic_store(&quit, true);
	pthread_join(thread, NULL);
	socket_free(server);
	config_fini(&cfg);
	unlink(settings);
	unlink(file);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static struct {
	int status;
	char out[65536], err[4096];
} got;

/* postern ctl --socket PATH and these words; the status. */
static int ctl(const char *a, const char *b, const char *c, const char *d)
{
	const char *const words[] = { a, b, c, d };
	char *argv[8] = { (char *)"ctl", (char *)"--socket", path };
	int argc = 3;
	for (int i = 0; i < 4 && words[i]; i++)
		argv[argc++] = (char *)words[i];
	memset(&got, 0, sizeof got);
	FILE *out = fmemopen(got.out, sizeof got.out - 1, "w"),
	     *err = fmemopen(got.err, sizeof got.err - 1, "w");
	CU_ASSERT_FATAL(out && err);
	got.status = ctl_main(argc, argv, out, err);
	fclose(out);
	fclose(err);
	return got.status;
}

static bool holds(const char *name, const char *text)
{
	struct bytes b = test_file(name);
	bool same = bytes_equal(b, bytes_str(text));
	free((void *)b.p);
	return same;
}

static void c42_c61_search(void)
{
	begin();
	CU_ASSERT_EQUAL(ctl("profiles", NULL, NULL, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "KIND       NAME                      IN FORCE  "
					       "SETTINGS\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "spf        default                   yes       "
					       "mailfrom_fail: reject\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "spf        lax                       no        "
					       "built-in settings\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "addresses  partners                  -         "
					       "2 entries\n"));
	char *all = strdup(got.out);
	CU_ASSERT_EQUAL(ctl("profiles", "search", "", NULL), 0);
	CU_ASSERT_STRING_EQUAL(got.out, all);
	free(all);
	CU_ASSERT_EQUAL(ctl("profiles", "search", "LAX", NULL), 0);
	CU_ASSERT_PTR_NULL(strstr(got.out, "default"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "lax"));
	CU_ASSERT_EQUAL(ctl("--json", "profiles", "search", "partners"), 0);
	json_t *v = json_loads(got.out, JSON_REJECT_DUPLICATES, NULL);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(v, "profiles")), 1);
	json_decref(v);
	end();
}

static void c61_c108_round_trip(void)
{
	begin();
	static const char *const kinds[] = {
		"dkim", "spf", "dmarc", "names", "sealers", "addresses"
	};
	for (unsigned k = 0; k < 6; k++) {
		CU_ASSERT_EQUAL(ctl("export", kinds[k], NULL, NULL), 0);
		char *first = strdup(got.out);
		CU_ASSERT_EQUAL(ctl("export", kinds[k], file, NULL), 0);
		CU_ASSERT_TRUE(holds(file, first));
		CU_ASSERT_PTR_NOT_NULL(strstr(got.out, file));
		CU_ASSERT_EQUAL(ctl("import", kinds[k], file, "--yes"), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(got.out, " -> "));
		CU_ASSERT_EQUAL(ctl("export", kinds[k], "-", NULL), 0);
		CU_ASSERT_STRING_EQUAL(got.out, first);
		free(first);
	}
	end();
}

static void c61_import_delete_clear(void)
{
	begin();
	write_file(file, "spf_profiles:\n  a: {}\n  b: {}\n  c: {}\n");
	CU_ASSERT_EQUAL(ctl("import", "spf", file, "--yes"), 0);
	CU_ASSERT_STRING_EQUAL(got.out, "spf_profiles: 2 profiles -> 4\n");
	CU_ASSERT_EQUAL(ctl("profiles", "delete", "spf", "b"), 2);
	CU_ASSERT_EQUAL(ctl("--yes", "profiles", "delete", "spf"), 2);
	CU_ASSERT_EQUAL(ctl("delete", "spf", "b", "--yes"), 0);
	CU_ASSERT_STRING_EQUAL(got.out, "spf_profiles: 4 profiles -> 3\n");
	CU_ASSERT_EQUAL(ctl("delete", "spf", "b", "--yes"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "there is no SPF profile \"b\""));
	CU_ASSERT_EQUAL(ctl("--yes", "profiles", "clear", "addresses"), 0);
	CU_ASSERT_STRING_EQUAL(got.out, "address_lists: 1 list -> 0\n");
	CU_ASSERT_EQUAL(ctl("--json", "clear", "spf", "--yes"), 0);
	CU_ASSERT_STRING_EQUAL(
		got.out, "{\"kind\":\"spf\",\"before\":3,\"after\":1,\"needs_restart\":[]}\n");
	end();
}

static void c108_refused(void)
{
	begin();
	/* found here, with the place in the file */
	write_file(file, "spf_profiles:\n  a:\n    level: 7\n");
	CU_ASSERT_EQUAL(ctl("import", "spf", file, "--yes"), 2);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(got.err, "/f:3:12: spf_profiles.a.level: \"7\" is not possible"));
	CU_ASSERT_EQUAL(ctl("import", "dkim", file, "--yes"), 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "one section is wanted"));
	/* found by the engine */
	write_file(file, "spf_profiles: {a: {relays: mine}}\n");
	CU_ASSERT_EQUAL(ctl("import", "spf", file, "--yes"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "no address list \"mine\""));
	CU_ASSERT_EQUAL(ctl("import", "spf", "/nowhere/f", "--yes"), 2);
	CU_ASSERT_EQUAL(ctl("export", "spf", "/nowhere/f", NULL), 2);
	static const char *const wrong[][4] = { { "export", NULL },
						{ "export", "pop3", NULL },
						{ "export", "spf", "a", "b" },
						{ "import", "spf", NULL },
						{ "delete", "spf", NULL },
						{ "clear", NULL },
						{ "clear", "spf", "x", NULL },
						{ "profiles", "find", "x", NULL },
						{ "profiles", "search", "x", "y" } };
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		CU_ASSERT_EQUAL(ctl(wrong[i][0], wrong[i][1], wrong[i][2],
				    wrong[i][2] ? wrong[i][3] : NULL),
				2);
		char *lf = strchr(got.err, '\n');
		CU_ASSERT_TRUE(!got.out[0] && lf && !lf[1]);
		CU_ASSERT_EQUAL(strncmp(got.err, "postern ctl: ", 13), 0);
	}
	CU_ASSERT_TRUE(holds(settings, begin_text));
	end();
}

/* Standard input is this while one command runs. */
static int with_input(int fd, const char *a, const char *b, const char *c)
{
	int kept = dup(STDIN_FILENO);
	dup2(fd, STDIN_FILENO);
	int status = ctl(a, b, c, NULL);
	dup2(kept, STDIN_FILENO);
	close(kept);
	return status;
}

static void c43_asks_first(void)
{
	begin();
	write_file(file, "spf_profiles: {a: {}}\n");
	int null = open("/dev/null", O_RDONLY);
	CU_ASSERT_EQUAL(with_input(null, "import", "spf", file), 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "needs --yes where there is no terminal"));
	CU_ASSERT_EQUAL(with_input(null, "clear", "spf", NULL), 2);
	close(null);
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	CU_ASSERT_FATAL(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	CU_ASSERT_EQUAL(write(master, "n\n", 2), 2);
	CU_ASSERT_EQUAL(with_input(terminal, "import", "spf", file), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(got.err,
				      "spf_profiles: replace all 2 profiles of the settings "
				      "file by the 2 of "));
	CU_ASSERT_PTR_NOT_NULL(strstr(got.err, "nothing was changed"));
	CU_ASSERT_EQUAL(write(master, "\n", 1), 1);
	CU_ASSERT_EQUAL(with_input(terminal, "clear", "addresses", NULL), 1);
	CU_ASSERT_TRUE(holds(settings, begin_text));
	CU_ASSERT_EQUAL(write(master, "y\n", 2), 2);
	CU_ASSERT_EQUAL(with_input(terminal, "import", "spf", file), 0);
	CU_ASSERT_STRING_EQUAL(got.out, "spf_profiles: 2 profiles -> 2\n");
	CU_ASSERT_FALSE(holds(settings, begin_text));
	close(terminal);
	close(master);
	end();
}

/* A list of a million goes in and out. */
static void h13_a_million_entries(void)
{
	begin();
	FILE *f = fopen(file, "w");
	fprintf(f, "address_lists:\n  partners:\n");
	for (int i = 0; i < LIST_ENTRIES_MAX; i++)
		fprintf(f, "    - h%06x.example\n", i);
	CU_ASSERT_EQUAL(fclose(f), 0);
	CU_ASSERT_EQUAL(ctl("import", "addresses", file, "--yes"), 0);
	CU_ASSERT_STRING_EQUAL(got.out, "address_lists: 1 list -> 1\n");
	struct bytes first = test_file(file);
	CU_ASSERT_EQUAL(ctl("export", "addresses", file, NULL), 0);
	struct bytes second = test_file(file);
	CU_ASSERT_TRUE(bytes_equal(first, second));
	free((void *)first.p);
	free((void *)second.p);
	end();
}

static void helps(void)
{
	static const char *const commands_of[] = { "profiles", "export", "import", "delete",
						   "clear" };
	strcpy(path, "/nowhere");
	for (unsigned i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(ctl(commands_of[i], "--help", NULL, NULL), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(got.out, "example:\n  postern ctl "));
		CU_ASSERT_PTR_NOT_NULL(
			strstr(got.out, "dkim, spf, dmarc, names, sealers, addresses"));
	}
}

TEST_MAIN("ctl_profiles", TEST(c42_c61_search), TEST(c61_c108_round_trip),
	  TEST(c61_import_delete_clear), TEST(c108_refused), TEST(c43_asks_first),
	  TEST(h13_a_million_entries), TEST(helps))
