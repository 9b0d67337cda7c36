/* A message comes out octet for octet; over a limit it is cut, flagged and counted, and no memory stays behind. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "reassembly/assemble.h"
#include "tests/test.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

static struct config cfg;
static struct stats *stats;
static struct assembler *a;

static void setup(uint64_t message_size, uint64_t message_bytes, uint32_t message_max)
{
	cfg = (struct config){ .flow_max = 16,
			       .message_size = message_size,
			       .message_bytes = message_bytes,
			       .message_max = message_max,
			       .command_max = 4096 };
	stats = aligned_alloc(64, (sizeof *stats + 63) / 64 * 64);
	memset(stats, 0, sizeof *stats);
	a = assembler_new(&cfg, stats);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
}

static void teardown(void)
{
	CU_ASSERT_EQUAL(assembler_objects(a), 0);
	CU_ASSERT_EQUAL(assembler_bytes(a), 0);
	assembler_free(a);
	free(stats);
}

static uint8_t octet_at(size_t i)
{
	return i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : (uint8_t)('a' + i / 64 % 26);
}

/* header octets of a header section, then body, in pieces. */
static struct message *make(size_t header, size_t body, size_t piece)
{
	size_t n = header + body;
	uint8_t *p = malloc(n + 5);
	for (size_t i = 0; i < n; i++)
		p[i] = octet_at(i);
	if (header >= 4) {
		memcpy(p + header - 4, "\r\n\r\n", 4);
		p[header - 5] = 'x'; /* not a bare LF */
	}
	memcpy(p + n, "\r\n.\r\n", 5);
	struct draft *t = assembler_begin(a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	for (size_t i = 0; i < n + 5; i += piece)
		assembler_data(a, t, p + i, piece < n + 5 - i ? piece : n + 5 - i);
	CU_ASSERT_EQUAL(t->dot.state, DOT_END);
	assembler_finish(a, t, true);
	free(p);
	struct message *m = assembler_next(a);
	CU_ASSERT_PTR_EQUAL_FATAL(m, &t->m);
	CU_ASSERT_EQUAL(m->size, n + 2);
	return m;
}

static bool holds(const struct message *m, size_t header, size_t body)
{
	size_t i = 0, n = header + body;
	for (const struct message_chunk *c = m->chunks; c; c = c->next)
		for (uint32_t k = 0; k < c->len; k++, i++)
			if (i < n && (i + 5 < header || i >= header) && c->data[k] != octet_at(i))
				return false;
	return i == m->size;
}

static void sizes(void)
{
	setup(50 << 20, 512 << 20, 8);
	static const size_t body[] = { 0, 1, 3000, 4080, 4090, 20000, 66000, 300000, 5000000 };
	static const size_t header[] = { 5, 100, 4078, 4079, 4080, 4081, 17000, 70000, 262144 };
	static const size_t piece[] = { 1, 1460, 65536, 10000000 };
	for (size_t b = 0; b < 9; b++) {
		for (size_t h = 0; h < 9; h++) {
			for (size_t p = b < 6 && h < 8 ? 0 : 1; p < 4; p++) {
				size_t rest = body[b]; /* no CR at the end */
				rest += (header[h] + rest) % 64 == 63;
				struct message *m = make(header[h], rest, piece[p]);
				CU_ASSERT_EQUAL(m->header_len, header[h]);
				CU_ASSERT_EQUAL(m->flags, 0);
				CU_ASSERT(m->complete && m->intact == m->size && !m->missing);
				CU_ASSERT(m->chunks->len >= m->header_len);
				CU_ASSERT(holds(m, header[h], rest));
				assembler_release(a, m);
			}
		}
	}
	teardown();
}

static void header_over_its_limit(void)
{
	setup(50 << 20, 512 << 20, 8);
	for (size_t piece = 1459; piece < 1 << 23; piece *= 700) {
		struct message *m = make(MESSAGE_HEADER_MAX + 1, 100000, piece);
		CU_ASSERT_EQUAL(m->flags, MESSAGE_HEADER_TOO_LARGE);
		CU_ASSERT_EQUAL(m->header_len, MESSAGE_HEADER_MAX);
		CU_ASSERT(holds(m, MESSAGE_HEADER_MAX + 1, 100000));
		assembler_release(a, m);
	}
	teardown();
}

/* the running hash and what is left give the digest of the whole */
static void over_message_size(void)
{
	for (size_t body = 90000; body < 3000000; body = body * 3 + 1) {
		setup(100000, 8 << 20, 8);
		struct message *m = make(500, body, 1460);
		uint8_t want[32], got[32];
		SHA256_CTX ctx;
		bool over = m->size > 100000;
		CU_ASSERT_EQUAL(m->flags, over ? MESSAGE_TOO_LARGE : 0);
		CU_ASSERT_EQUAL(stats_get(stats, STAT_MESSAGE_TOO_LARGE_N), over);
		CU_ASSERT(m->complete && m->header_len == 500);
		SHA256_Init(&ctx);
		for (size_t i = 0; i < 500 + body; i++) {
			uint8_t c = i == 495              ? 'x'
				    : i >= 496 && i < 500 ? (uint8_t) "\r\n\r\n"[i - 496]
							  : octet_at(i);
			SHA256_Update(&ctx, &c, 1);
		}
		SHA256_Update(&ctx, "\r\n", 2);
		SHA256_Final(want, &ctx);
		uint64_t held = 0, hashed = m->hashed_to;
		if (m->running)
			ctx = *(SHA256_CTX *)m->running;
		else
			SHA256_Init(&ctx);
		const struct message_chunk *c = m->chunks;
		for (c = m->running ? c->next : c; c; c = c->next) {
			SHA256_Update(&ctx, c->data, c->len);
			hashed += c->len;
			held += c->len;
		}
		SHA256_Final(got, &ctx);
		CU_ASSERT_EQUAL(hashed, m->size);
		CU_ASSERT(memcmp(want, got, 32) == 0);
		CU_ASSERT(held <= 100000 + m->chunks->len);
		CU_ASSERT(assembler_bytes(a) <= 100000 + 3 * 65536);
		assembler_release(a, m);
		teardown();
	}
}

static void over_message_bytes(void)
{
	setup(50 << 20, 300000, 8);
	struct message *m = make(500, 1000000, 1460);
	CU_ASSERT_EQUAL(m->flags, MESSAGE_NO_MEMORY);
	CU_ASSERT(!m->complete && m->intact > 100000 && m->intact < 300000);
	CU_ASSERT_EQUAL(m->intact + m->missing, m->size);
	CU_ASSERT_EQUAL(stats_get(stats, STAT_MESSAGE_NO_MEMORY_N), 1);
	/* others go on when it is given back */
	struct draft *t = assembler_begin(a);
	CU_ASSERT_EQUAL(assembler_data(a, t, (const uint8_t *)"m\r\n.\r\n", 6), 6);
	assembler_release(a, m);
	CU_ASSERT_EQUAL(assembler_out(a), 0);
	assembler_finish(a, t, true);
	m = assembler_next(a);
	CU_ASSERT_EQUAL(assembler_out(a), 1);
	CU_ASSERT_EQUAL(m->size, 3);
	assembler_release(a, m);
	m = make(500, 1000, 1460);
	CU_ASSERT_EQUAL(m->flags, 0);
	assembler_release(a, m);
	teardown();
}

static void no_objects_left(void)
{
	setup(1 << 20, 1 << 20, 2);
	struct draft *t = assembler_begin(a), *u = assembler_begin(a);
	CU_ASSERT_PTR_NOT_NULL(u);
	CU_ASSERT_PTR_NULL(assembler_begin(a));
	assembler_drop(a, t);
	t = assembler_begin(a);
	CU_ASSERT_PTR_NOT_NULL(t);
	assembler_drop(a, t);
	assembler_drop(a, u);
	teardown();
}

static void holes_and_cut_ends(void)
{
	setup(1 << 20, 1 << 20, 2);
	struct draft *t = assembler_begin(a);
	assembler_data(a, t, (const uint8_t *)"S: t\r\n\r\nab", 10);
	assembler_hole(t, 5);
	assembler_data(a, t, (const uint8_t *)"cd\r\n.\r", 6);
	t->m.flags |= MESSAGE_NO_END;
	assembler_finish(a, t, true);
	struct message *m = assembler_next(a);
	CU_ASSERT_EQUAL(m->flags, MESSAGE_HOLE | MESSAGE_NO_END);
	CU_ASSERT(!m->complete && m->intact == 10 && m->missing == 5 && m->size == 15);
	CU_ASSERT_EQUAL(stats_get(stats, STAT_MESSAGE_INCOMPLETE), 1);
	assembler_release(a, m);
	teardown();
}

/* in lockstep and pipelined, accepted and refused: order is kept and the refused leave nothing */
static void recipients(void)
{
	setup(1 << 20, 1 << 20, 2);
	struct draft *t = assembler_begin(a);
	char name[32];
	t->m.mail_from = assembler_string(a, t, bytes_str("sender"));
	for (unsigned i = 0; i < 5000; i++) {
		unsigned group = 1 + i % 5;
		for (unsigned k = 0; k < group; k++) {
			snprintf(name, sizeof name, "r%u.%u", i, k);
			CU_ASSERT(assembler_rcpt(a, t, bytes_str(name)));
		}
		for (unsigned k = 0; k < group; k++)
			assembler_rcpt_answer(a, t, i % 100 == 7 && k == 1);
	}
	CU_ASSERT_EQUAL(t->m.n_rcpt, 50);
	unsigned blocks = 0; /* of 50 groups, not of 15,000 recipients */
	for (struct assembler_strings *b = t->strings; b; b = b->next)
		blocks++;
	CU_ASSERT(blocks <= 6);
	unsigned i = 7;
	for (struct message_rcpt *r = t->m.rcpt; r; r = r->next, i += 100) {
		snprintf(name, sizeof name, "r%u.1", i);
		CU_ASSERT(bytes_equal(r->address, bytes_str(name)));
	}
	CU_ASSERT(bytes_equal(t->m.mail_from, bytes_str("sender")));
	unsigned kept = 50;
	for (; assembler_rcpt(a, t, bytes_str("x")); kept++)
		assembler_rcpt_answer(a, t, true);
	CU_ASSERT_EQUAL(kept, MESSAGE_RCPT_MAX);
	assembler_rcpt_overflow(t, false);
	CU_ASSERT_EQUAL(t->m.rcpt_seen, MESSAGE_RCPT_MAX);
	assembler_rcpt_overflow(t, true);
	CU_ASSERT_EQUAL(t->m.rcpt_seen, MESSAGE_RCPT_MAX + 1);
	CU_ASSERT_EQUAL(t->m.flags, MESSAGE_RCPT_OVERFLOW);
	assembler_drop(a, t);
	teardown();
}

TEST_MAIN("assemble", TEST(sizes), TEST(header_over_its_limit), TEST(over_message_size),
	  TEST(over_message_bytes), TEST(no_objects_left), TEST(holes_and_cut_ends),
	  TEST(recipients))
