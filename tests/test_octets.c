/* A message's octets come out in order whatever its chunks are. */
#include "tests/test.h"
#include "verify/header/octets.h"

#include <stdlib.h>

static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";

/* Chunks of these lengths over text, ended by -1. */
static struct message_chunk *chunks_of(const int *len)
{
	struct message_chunk *first = NULL, **end = &first;
	size_t at = 0;
	for (; *len >= 0; len++) {
		struct message_chunk *c = malloc(sizeof *c + (size_t)*len + 1);
		*c = (struct message_chunk){ NULL, (uint32_t)*len, (uint32_t)*len };
		memcpy(c->data, text + at, (size_t)*len);
		at += (size_t)*len;
		*end = c;
		end = &c->next;
	}
	return first;
}

static void chunks_free(struct message_chunk *c)
{
	while (c) {
		struct message_chunk *next = c->next;
		free(c);
		c = next;
	}
}

static size_t gather(struct octets *o, size_t max, char *out)
{
	size_t n = 0;
	for (struct bytes b, peek = octets_peek(o, max); (b = octets_next(o, max)).n; n += b.n) {
		CU_ASSERT(b.n <= max);
		CU_ASSERT(b.p == peek.p && b.n == peek.n);
		peek = octets_peek(o, max);
		memcpy(out + n, b.p, b.n);
	}
	return n;
}

static void every_range(void)
{
	static const int cuts[][6] = {
		{ 36, -1 }, { 1, 35, -1 }, { 0, 10, 0, 26, 0, -1 }, { 12, 12, 12, -1 }
	};
	for (unsigned i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
		struct message m = { .chunks = chunks_of(cuts[i]), .size = 36 };
		for (size_t from = 0; from <= 37; from++)
			for (size_t n = 0; n <= 38; n++) {
				struct octets o;
				char out[64];
				size_t left = from < 36 ? 36 - from : 0, want = n < left ? n : left;
				octets_init(&o, &m, from, n);
				CU_ASSERT_EQUAL(gather(&o, 1 + n % 9, out), want);
				CU_ASSERT(memcmp(out, text + (from < 36 ? from : 0), want) == 0);
			}
		chunks_free(m.chunks);
	}
	struct message none = { 0 };
	struct octets o;
	octets_init(&o, &none, 0, 5);
	CU_ASSERT_EQUAL(octets_next(&o, 5).n, 0);
}

/* Of a message over the limit the chunks between the first and those behind hashed_to are gone. */
static void behind_a_running_digest(void)
{
	static const int cut[] = { 10, 20, -1 };
	struct message m = { .chunks = chunks_of(cut) };
	static const struct {
		uint64_t hashed_to;
		const char *want;
	} rows[] = {
		{ 0, text },
		{ 4, text + 4 },
		{ 10, text + 10 },
		{ 500, text + 10 },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct octets o;
		char out[64];
		m.running = &m;
		m.hashed_to = rows[i].hashed_to;
		octets_rest(&o, &m);
		size_t n = gather(&o, 7, out);
		CU_ASSERT_EQUAL(n, strlen(rows[i].want) - 6);
		CU_ASSERT(memcmp(out, rows[i].want, n) == 0);
	}
	chunks_free(m.chunks);
}

/* Without its end a header section is whole only where its empty line was seen. */
static void header_whole(void)
{
	static const struct {
		const char *octets;
		uint32_t header_len, intact;
		bool complete, want;
	} rows[] = {
		{ "A: b\r\n\r\nx", 8, 9, true, true },
		{ "A: b\r\n\r\nx", 8, 9, false, true },
		{ "A: b\r\n\r\n", 8, 8, false, true },
		{ "A: b\r\n\r\nx", 8, 7, false, false },
		{ "A: b\r\n\r\nx", 8, 0, false, false },
		{ "A: b\r\n\r", 7, 7, false, false },
		{ "A: b\r\n", 6, 6, false, false },
		{ "A: b\r\n", 6, 6, true, true },
		{ "A: b", 4, 4, false, false },
		{ "\r\n", 2, 2, false, true },
		{ "\r\nbody", 2, 6, false, true },
		{ "", 0, 0, false, false },
		{ "", 0, 0, true, true },
		{ "\n", 1, 1, false, false },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].octets);
		struct message_chunk *c = malloc(sizeof *c + n + 1);
		*c = (struct message_chunk){ NULL, (uint32_t)n, (uint32_t)n };
		memcpy(c->data, rows[i].octets, n);
		struct message m = { .chunks = c,
				     .size = n,
				     .header_len = rows[i].header_len,
				     .intact = rows[i].intact,
				     .complete = rows[i].complete };
		CU_ASSERT_EQUAL(octets_header_whole(&m), rows[i].want);
		m.flags = MESSAGE_NO_START;
		CU_ASSERT_FALSE(octets_header_whole(&m));
		free(c);
	}
	struct message none = { .header_len = 5, .intact = 5 };
	CU_ASSERT_FALSE(octets_header_whole(&none));
}

TEST_MAIN("octets", TEST(every_range), TEST(behind_a_running_digest), TEST(header_whole))
