/* A file has the message's octets and its digest's name, or it is not there. */
#include "control/extract.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/verdict.h"
#include "tests/test.h"

static char dir[] = "/tmp/test_extract.XXXXXX";
static char why[512], name[256];

static void start(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(name, sizeof name, "%s/", dir);
	for (int i = 0; i < 32; i++)
		strcat(name, "07");
	strcat(name, ".eml");
}

/* So many chunks of len octets. */
static void chunks_of(unsigned n, uint32_t len)
{
	struct verdict v = { .has_sha256 = true };
	struct message m = { .verdict = &v, .size = (uint64_t)n * len };
	memset(v.sha256, 7, sizeof v.sha256);
	uint8_t *all = malloc((size_t)n * len + 1);
	struct message_chunk **last = &m.chunks;
	for (unsigned i = 0; i < n; i++) {
		*last = malloc(sizeof **last + len);
		(*last)->len = (*last)->cap = len;
		(*last)->next = NULL;
		memset((*last)->data, (int)i, len);
		memset(all + (size_t)i * len, (int)i, len);
		last = &(*last)->next;
	}
	CU_ASSERT_EQUAL(extract_message(dir, &m, why, sizeof why), 0);
	struct bytes got = test_file(name);
	CU_ASSERT_TRUE(bytes_equal(got, bytes_of(all, (size_t)n * len)));
	/* a second one with that digest is the same */
	CU_ASSERT_EQUAL(extract_message(dir, &m, why, sizeof why), 0);
	free((void *)got.p);
	free(all);
	unlink(name);
	while (m.chunks) {
		struct message_chunk *c = m.chunks;
		m.chunks = c->next;
		free(c);
	}
}

static void octets(void)
{
	chunks_of(0, 0);
	chunks_of(1, 0);
	chunks_of(1, 1);
	chunks_of(3, 100000);
	chunks_of(63, 7);
	chunks_of(64, 7);
	chunks_of(65, 7);
	chunks_of(200, 3);
}

static void not_whole(void)
{
	struct verdict v = { .has_sha256 = true };
	struct message m = { .verdict = &v };
	m.running = &m;
	CU_ASSERT_EQUAL(extract_message(dir, &m, why, sizeof why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "limits.message_size"));
	m.running = NULL;
	v.has_sha256 = false;
	CU_ASSERT_EQUAL(extract_message(dir, &m, why, sizeof why), -1);
	v.has_sha256 = true;
	m.flags = MESSAGE_NO_MEMORY;
	CU_ASSERT_EQUAL(extract_message(dir, &m, why, sizeof why), -1);
	m.flags = 0;
	m.verdict = NULL;
	CU_ASSERT_EQUAL(extract_message(dir, &m, why, sizeof why), -1);
}

static void folders(void)
{
	struct verdict v = { .has_sha256 = true };
	struct message m = { .verdict = &v };
	char inside[64], file[80];
	snprintf(inside, sizeof inside, "%s/new", dir);
	CU_ASSERT_EQUAL(extract_open(inside, why, sizeof why), 0);
	CU_ASSERT_EQUAL(extract_open(inside, why, sizeof why), 0);
	snprintf(file, sizeof file, "%s/file", inside);
	fclose(fopen(file, "w"));
	CU_ASSERT_EQUAL(extract_open(file, why, sizeof why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "no folder"));
	unlink(file);
	rmdir(inside);
	CU_ASSERT_EQUAL(extract_message(inside, &m, why, sizeof why), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "No such file"));
}

/* Nothing is left behind: the folder is empty and can go. */
static void end(void)
{
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

TEST_MAIN("extract", TEST(start), TEST(octets), TEST(not_whole), TEST(folders), TEST(end))
