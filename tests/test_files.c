#define OPENSSL_SUPPRESS_DEPRECATED
/* A message from a file has exactly the octets it stands for, wherever reads are cut and whatever is in it. */
#include "control/files.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

static struct config cfg = { .message_size = 52428800 };

static struct files *make(bool raw)
{
	struct files_setup setup = { .cfg = &cfg, .raw = raw, .time_ns = 1 };
	struct files *f = files_new(&setup);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	return f;
}

static int temp_of(const char *text, size_t n)
{
	char path[] = "/tmp/test_files.XXXXXX";
	int fd = mkstemp(path);
	unlink(path);
	CU_ASSERT_EQUAL(write(fd, text, n), (ssize_t)n);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static struct bytes octets(const struct message *m)
{
	return bytes_of(m->chunks->data, m->chunks->len);
}

static void expect(struct files *f, const char *want, size_t n, uint32_t flags)
{
	struct message *m = NULL;
	char why[256] = "";
	CU_ASSERT_EQUAL_FATAL(files_next(f, &m, why, sizeof why), FILES_MESSAGE);
	bool right = bytes_equal(octets(m), bytes_of(want, n));
	if (!right)
		printf("\ngot %.*s\nwanted %s\n", (int)m->chunks->len, m->chunks->data, want);
	CU_ASSERT_TRUE(right);
	CU_ASSERT_EQUAL(m->flags, flags);
	CU_ASSERT_EQUAL(m->size, n);
	CU_ASSERT_EQUAL(m->intact, n);
	CU_ASSERT_TRUE(m->complete);
	files_release(m);
}

static void expect_end(struct files *f)
{
	struct message *m;
	char why[256];
	CU_ASSERT_EQUAL(files_next(f, &m, why, sizeof why), FILES_END);
}

#define STR(s) s, sizeof s - 1

static const struct {
	const char *text;
	size_t n;
	bool raw;
	const char *want;
	size_t want_n;
	uint32_t flags;
} bare[] = {
	{ STR(""), false, STR(""), 0 },
	{ STR("A: b\r\n\r\nc\r\n"), false, STR("A: b\r\n\r\nc\r\n"), 0 },
	{ STR("A: b\n\nc\n"), false, STR("A: b\r\n\r\nc\r\n"), MESSAGE_TEXT },
	{ STR("A: b\n\nc"), false, STR("A: b\r\n\r\nc"), MESSAGE_TEXT },
	{ STR("A: b\n\nc\r\nd\n"), false, STR("A: b\r\n\r\nc\r\nd\r\n"), MESSAGE_TEXT },
	{ STR("A: b\n\nc\rd\n"), false, STR("A: b\r\n\r\nc\rd\r\n"),
	  MESSAGE_TEXT | MESSAGE_BARE_CR },
	{ STR("A: b\n\nc\n"), true, STR("A: b\n\nc\n"), MESSAGE_BARE_LF },
	{ STR("A: b\r\n\r\nc\nd\r\n"), false, STR("A: b\r\n\r\nc\nd\r\n"), MESSAGE_BARE_LF },
	{ STR("A: b\r\n\r\nc\0\xff\r"), false, STR("A: b\r\n\r\nc\0\xff\r"),
	  MESSAGE_NUL | MESSAGE_8BIT | MESSAGE_BARE_CR },
	{ STR("\n"), false, STR("\r\n"), MESSAGE_TEXT },
	{ STR("no line end"), false, STR("no line end"), 0 },
	{ STR("From : a@b\n\nc\n"), false, STR("From : a@b\r\n\r\nc\r\n"), MESSAGE_TEXT },
	{ STR("From a@b Sat Nov 21 10:00:00 2026\nA: b\n"), true,
	  STR("From a@b Sat Nov 21 10:00:00 2026\nA: b\n"), MESSAGE_BARE_LF },
};

static void bare_messages(void)
{
	for (unsigned i = 0; i < sizeof bare / sizeof bare[0]; i++) {
		struct files *f = make(bare[i].raw);
		files_open(f, "x.eml", temp_of(bare[i].text, bare[i].n));
		expect(f, bare[i].want, bare[i].want_n, bare[i].flags);
		expect_end(f);
		files_free(f);
	}
}

static void header_ends(void)
{
	static const struct {
		const char *text;
		uint32_t header_len;
	} known[] = { { "A: b\r\n\r\nc\r\n", 8 },
		      { "A: b\n\nc\n", 8 },
		      { "\r\nbody", 2 },
		      { "A: b\r\n", 6 },
		      { "", 0 },
		      { "\r\n", 2 } };
	struct files *f = make(false);
	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
		struct message *m;
		char why[256];
		files_open(f, "x", temp_of(known[i].text, strlen(known[i].text)));
		CU_ASSERT_EQUAL_FATAL(files_next(f, &m, why, sizeof why), FILES_MESSAGE);
		CU_ASSERT_EQUAL(m->header_len, known[i].header_len);
		files_release(m);
		expect_end(f);
	}
	files_free(f);
}

static const char mbox[] = "From alice@a.example Sat Nov 21 10:00:00 2026\n"
			   "Subject: one\n\nbody\n>From me\n>>From you\nFrom now on it goes on\n"
			   "From eve Sat Nov 21 10:00:00 2026\n\n"
			   "From the start of a paragraph\n\n"
			   "From bob@b.example Sat Nov 21 10:00:01 2026\n"
			   "Subject: two\n\n\n\n"
			   "From carol Sat Nov 21 10:00:02 2026\n\n"
			   "From dave Sat Nov 21 10:00:03 2026\nSubject: four\n\nlast\n\n";

static void mbox_expect(struct files *f)
{
	expect(f,
	       STR("Subject: one\r\n\r\nbody\r\nFrom me\r\n>From you\r\nFrom now on it goes on\r\n"
		   "From eve Sat Nov 21 10:00:00 2026\r\n"
		   "\r\nFrom the start of a paragraph\r\n"),
	       MESSAGE_TEXT);
	expect(f, STR("Subject: two\r\n\r\n\r\n"), MESSAGE_TEXT);
	expect(f, STR(""), MESSAGE_TEXT);
	expect(f, STR("Subject: four\r\n\r\nlast\r\n"), MESSAGE_TEXT);
	expect_end(f);
}

static void mbox_parts(void)
{
	struct files *f = make(false);
	files_open(f, "m.mbox", temp_of(STR(mbox)));
	struct message *m;
	char why[256];
	CU_ASSERT_EQUAL_FATAL(files_next(f, &m, why, sizeof why), FILES_MESSAGE);
	CU_ASSERT_STRING_EQUAL(m->source, "m.mbox#1");
	files_release(m);
	CU_ASSERT_EQUAL_FATAL(files_next(f, &m, why, sizeof why), FILES_MESSAGE);
	CU_ASSERT_STRING_EQUAL(m->source, "m.mbox#2");
	CU_ASSERT_EQUAL(m->tx_id, 1);
	files_release(m);
	/* another file in the middle of this one */
	files_open(f, "n.mbox", temp_of(STR(mbox)));
	mbox_expect(f);
	files_free(f);
}

/* The same with CRLF: nothing is a text then. */
static void mbox_crlf(void)
{
	static const char text[] = "From a Sat Nov 21 10:00:00 2026\r\nA: b\r\n\r\n>From c\r\n\r\n"
				   "From a Sat Nov 21 10:00:00 2026\r\nA: c\r\n";
	struct files *f = make(false);
	files_open(f, "m", temp_of(STR(text)));
	expect(f, STR("A: b\r\n\r\nFrom c\r\n"), 0);
	expect(f, STR("A: c\r\n"), 0);
	expect_end(f);
	files_free(f);
}

struct feed {
	int fd;
	const char *text;
	size_t n, cut;
};

static void *feed_run(void *arg)
{
	struct feed *f = arg;
	CU_ASSERT_EQUAL(write(f->fd, f->text, f->cut), (ssize_t)f->cut);
	usleep(300);
	CU_ASSERT_EQUAL(write(f->fd, f->text + f->cut, f->n - f->cut), (ssize_t)(f->n - f->cut));
	close(f->fd);
	return NULL;
}

/* A pipe that gives its octets in two parts, at every cut. */
static void cut_everywhere(void)
{
	struct files *f = make(false);
	for (size_t cut = 0; cut < sizeof mbox; cut++) {
		int ends[2];
		pthread_t thread;
		CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
		struct feed feed = { ends[1], mbox, sizeof mbox - 1, cut ? cut - 1 : 0 };
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, feed_run, &feed), 0);
		files_open(f, "m", ends[0]);
		mbox_expect(f);
		pthread_join(thread, NULL);
	}
	files_free(f);
}

/* Lines longer than the buffer, with From_ and CRLF at its very end. */
static void long_lines(void)
{
	enum { BUFFER = 128 * 1024 };
	struct files *f = make(false);
	for (int d = -3; d <= 3; d++) {
		static char text[BUFFER + 64], want[BUFFER + 64];
		size_t n = (size_t)(BUFFER + d), at = n;
		memcpy(text, "A: b\n\n", 6);
		memset(text + 6, 'x', n);
		memcpy(text + at, "\nend\n", 5);
		files_open(f, "x", temp_of(text, at + 5));
		memcpy(want, "A: b\r\n\r\n", 8);
		memset(want + 8, 'x', n - 6);
		memcpy(want + 8 + n - 6, "\r\nend\r\n", 7);
		expect(f, want, 8 + n - 6 + 7, MESSAGE_TEXT | MESSAGE_LONG_LINE);
		expect_end(f);
		/* the same with CRLF is no text */
		memcpy(text, want, 8 + n - 6 + 7);
		files_open(f, "x", temp_of(text, 8 + n - 6 + 7));
		expect(f, want, 8 + n - 6 + 7, MESSAGE_LONG_LINE);
		expect_end(f);
	}
	files_free(f);
}

static void line_of(size_t n, uint32_t flags)
{
	char text[1200];
	struct files *f = make(false);
	memcpy(text, "A: b\r\n\r\n", 8);
	memset(text + 8, 'x', n);
	memcpy(text + 8 + n, "\r\n", 2);
	files_open(f, "x", temp_of(text, n + 10));
	expect(f, text, n + 10, flags);
	files_free(f);
}

static void line_limit(void)
{
	line_of(998, 0);
	line_of(999, MESSAGE_LONG_LINE);
}

/* Over limits.message_size: header and a hash that holds all of it. */
static void too_large(void)
{
	enum { N = 300000 };
	char *text = malloc(N);
	struct message *m;
	char why[256];
	uint8_t want[32], got[32];
	memset(text, 'x', N);
	memcpy(text, "A: b\r\n\r\n", 8);
	SHA256((const uint8_t *)text, N, want);
	struct files *f = make(false);
	for (uint64_t limit = N - 2; limit <= N; limit++) {
		cfg.message_size = limit;
		files_open(f, "x", temp_of(text, N));
		CU_ASSERT_EQUAL_FATAL(files_next(f, &m, why, sizeof why), FILES_MESSAGE);
		bool large = limit < N;
		CU_ASSERT_EQUAL(m->size, N);
		CU_ASSERT_EQUAL((m->flags & MESSAGE_TOO_LARGE) != 0, large);
		CU_ASSERT_EQUAL(m->running != NULL, large);
		CU_ASSERT_EQUAL(m->chunks->len, large ? 8 : N);
		if (large) {
			CU_ASSERT_EQUAL(m->hashed_to, N);
			SHA256_Final(got, m->running);
			CU_ASSERT_EQUAL(memcmp(got, want, 32), 0);
		}
		files_release(m);
	}
	cfg.message_size = 52428800;
	files_free(f);
	free(text);
}

static void header_too_large(void)
{
	enum { N = MESSAGE_HEADER_MAX + 1000 };
	char *text = malloc(N);
	struct message *m;
	char why[256];
	memset(text, 'x', N);
	for (size_t i = 60; i + 1 < N; i += 62)
		memcpy(text + i, "\r\n", 2);
	struct files *f = make(false);
	files_open(f, "x", temp_of(text, N));
	CU_ASSERT_EQUAL_FATAL(files_next(f, &m, why, sizeof why), FILES_MESSAGE);
	CU_ASSERT_EQUAL(m->header_len, MESSAGE_HEADER_MAX);
	CU_ASSERT_TRUE(m->flags & MESSAGE_HEADER_TOO_LARGE);
	CU_ASSERT_TRUE(bytes_equal(octets(m), bytes_of(text, N)));
	files_release(m);
	files_free(f);
	free(text);
}

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *out = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fputs(text, out);
	fclose(out);
}

static void maildir(void)
{
	char dir[] = "/tmp/test_files.XXXXXX", sub[64], why[256], clean[128];
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	CU_ASSERT_FALSE(files_is_maildir(dir));
	static const char *const folder[] = { "cur", "new", "tmp" };
	for (int i = 0; i < 3; i++) {
		snprintf(sub, sizeof sub, "%s/%s", dir, folder[i]);
		CU_ASSERT_EQUAL(mkdir(sub, 0700), 0);
	}
	CU_ASSERT_TRUE(files_is_maildir(dir));
	put_file(dir, "new/1002.a", "A: 3\n\n");
	put_file(dir, "cur/1001.b:2,S", "A: 2\n\n");
	put_file(dir, "cur/1003.c:2,", "From x Sat Nov 21 10:00:00 2026\nA: 4\n\n");
	put_file(dir, "new/1000.d", "A: 1\n\n");
	put_file(dir, "cur/.hidden", "no");
	put_file(dir, "tmp/1.e", "no");
	snprintf(sub, sizeof sub, "%s/cur/1001.5", dir);
	CU_ASSERT_EQUAL(mkdir(sub, 0700), 0);
	struct files *f = make(false);
	CU_ASSERT_EQUAL(files_open_maildir(f, dir), 0);
	expect(f, STR("A: 1\r\n\r\n"), MESSAGE_TEXT);
	/* what is no file is said, and the others go on */
	struct message *m;
	CU_ASSERT_EQUAL(files_next(f, &m, why, sizeof why), FILES_BAD);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "cur/1001.5"));
	expect(f, STR("A: 2\r\n\r\n"), MESSAGE_TEXT);
	expect(f, STR("A: 3\r\n\r\n"), MESSAGE_TEXT);
	/* in a Maildir a file is one message */
	expect(f, STR("From x Sat Nov 21 10:00:00 2026\r\nA: 4\r\n\r\n"), MESSAGE_TEXT);
	expect_end(f);
	files_free(f);
	snprintf(clean, sizeof clean, "rm -r %s", dir);
	CU_ASSERT_EQUAL(system(clean), 0);
}

TEST_MAIN("files", TEST(bare_messages), TEST(header_ends), TEST(mbox_parts), TEST(mbox_crlf),
	  TEST(cut_everywhere), TEST(long_lines), TEST(line_limit), TEST(too_large),
	  TEST(header_too_large), TEST(maildir))
