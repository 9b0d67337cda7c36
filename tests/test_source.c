/* The octets of a file come in order and whole, packed or not, however few come at a time; damage is told. */
#include "dataplane/source.h"
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { SIZE = 3 << 20 };

static struct bytes text(void)
{
	static uint8_t p[SIZE];
	uint64_t state = 3;
	for (size_t i = 0; i < SIZE; i++)
		p[i] = (uint8_t)("abcdefgh"[test_random(&state) >> 40 & 7]);
	return bytes_of(p, SIZE);
}

/* One gzip member of data appended to to[*n). */
static void pack(struct bytes data, uint8_t *to, size_t *n)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)data.p, .avail_in = (uInt)data.n };
	CU_ASSERT_EQUAL_FATAL(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
	z.next_out = to + *n;
	z.avail_out = SIZE;
	CU_ASSERT_EQUAL(deflate(&z, Z_FINISH), Z_STREAM_END);
	*n += z.total_out;
	deflateEnd(&z);
}

/* Reads all of s, taking at most `step` octets at a time; true when they are those of want. */
static bool is_all(struct source *s, struct bytes want, size_t step)
{
	size_t done = 0;
	do {
		while (s->in.n) {
			size_t n = s->in.n < step ? s->in.n : step;
			if (n > want.n - done || memcmp(s->in.p, want.p + done, n) ||
			    s->off != done)
				return false;
			source_take(s, n);
			done += n;
		}
	} while (source_fill(s));
	return done == want.n && s->off == done && !source_fill(s);
}

static void memory(void)
{
	static const size_t chunks[] = { 0, 1, 2, 7, 4096, 100000, SIZE };
	struct bytes all = text();
	static uint8_t packed[SIZE];
	size_t n = 0;
	pack(bytes_head(all, 1000000), packed, &n);
	pack(bytes_head(all, 0), packed, &n);
	pack(bytes_from(all, 1000000), packed, &n);
	for (unsigned i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
		struct source s;
		CU_ASSERT_EQUAL_FATAL(source_memory(&s, all, chunks[i]), 0);
		CU_ASSERT(is_all(&s, all, 1500) && !s.why && !s.packed);
		CU_ASSERT(s.done == all.n && s.all == all.n);
		source_fini(&s);
		CU_ASSERT_EQUAL_FATAL(source_memory(&s, bytes_of(packed, n), chunks[i]), 0);
		CU_ASSERT(is_all(&s, all, 1500) && !s.why && s.packed && s.done == n);
		source_fini(&s);
	}
	for (size_t k = 0; k <= 3; k++) {
		struct source s;
		CU_ASSERT_EQUAL_FATAL(source_memory(&s, bytes_head(all, k), k & 1), 0);
		CU_ASSERT(is_all(&s, bytes_head(all, k), 1) && !s.why);
		source_fini(&s);
	}
	/* padding of zeros, as tapes leave it */
	memset(packed + n, 0, 2000);
	struct source s;
	CU_ASSERT_EQUAL_FATAL(source_memory(&s, bytes_of(packed, n + 2000), 5), 0);
	CU_ASSERT(is_all(&s, all, 1500) && !s.why);
	source_fini(&s);
}

/* nothing is taken: the window grows to its bound and no further */
static void window(void)
{
	struct source s;
	CU_ASSERT_EQUAL_FATAL(source_memory(&s, text(), 65536), 0);
	while (source_fill(&s))
		;
	CU_ASSERT(s.in.n == SOURCE_WINDOW_MAX && !s.why);
	CU_ASSERT(memcmp(s.in.p, text().p, SOURCE_WINDOW_MAX) == 0);
	source_take(&s, 10);
	CU_ASSERT(source_fill(&s) && s.in.n == SOURCE_WINDOW_MAX && s.off == 10);
	CU_ASSERT(memcmp(s.in.p, text().p + 10, SOURCE_WINDOW_MAX) == 0);
	source_fini(&s);
}

/* Whether unpacking tells damage; all octets before it are right. */
static bool is_damaged(const uint8_t *packed, size_t n, struct bytes all)
{
	struct source s;
	uint8_t *p = test_guard(packed, n);
	if (source_memory(&s, bytes_of(p, n), 0) < 0)
		return false;
	size_t got = 0;
	bool same = true;
	do {
		same = same && s.in.n <= all.n - got && memcmp(s.in.p, all.p + got, s.in.n) == 0;
		got += s.in.n;
		source_take(&s, s.in.n);
	} while (source_fill(&s));
	bool damaged = s.why != NULL && same;
	source_fini(&s);
	test_guard_free(p, n);
	return damaged;
}

static void gzip_damage(void)
{
	struct bytes all = bytes_head(text(), 2000);
	static uint8_t packed[SIZE];
	size_t n = 0;
	pack(all, packed, &n);
	for (size_t k = 2; k < n; k++)
		if (!is_damaged(packed, k, all)) {
			CU_FAIL("cut unnoticed");
			printf("cut at %zu of %zu\n", k, n);
		}
	for (size_t k = n - 8; k < n; k++) { /* CRC and length */
		packed[k] ^= 1;
		CU_ASSERT(is_damaged(packed, n, all));
		packed[k] ^= 1;
	}
	memcpy(packed + n, "junk", 4);
	CU_ASSERT(is_damaged(packed, n + 4, all));
	packed[n] = 0x1f;
	CU_ASSERT(is_damaged(packed, n + 1, all));
	CU_ASSERT(!is_damaged(packed, n, all));
}

static void files(void)
{
	struct source s;
	char path[] = "/tmp/test_source_XXXXXX";
	int fd = mkstemp(path);
	struct bytes all = text();
	CU_ASSERT_FATAL(fd >= 0 && write(fd, all.p, all.n) == (ssize_t)all.n);
	CU_ASSERT_EQUAL_FATAL(source_open(&s, path), 0);
	CU_ASSERT_EQUAL(s.all, all.n);
	CU_ASSERT(is_all(&s, all, 1500) && !s.why);
	source_fini(&s);
	close(fd);
	unlink(path);
	CU_ASSERT_EQUAL(source_open(&s, path), -ENOENT);
	source_fini(&s);
	/* a folder opens, but has no octets */
	if (source_open(&s, "/") == 0)
		CU_ASSERT_PTR_NOT_NULL(s.why);
	source_fini(&s);
}

TEST_MAIN("source", TEST(memory), TEST(window), TEST(gzip_damage), TEST(files))
