/* What a signature covers comes out the same whatever the room given, each distinct body once. */
#include "tests/sign.h"
#include "tests/test.h"
#include "verify/auth/covered.h"

static const char fields[] =
	"Received: from a\r\nFrom: Alice <a@example.com>\r\nTo: b@example.org\r\n"
	"subject  : x  y \r\nSubject: z\r\nX: \r\n";
static const char own[] = "DKIM-Signature: v=1; h=from; b= AAAA ; x=1";
static const char body[] = "Hi.\r\n\r\nWe  lost \t the game. \r\n.\r\n\r\n\r\n";

struct bench {
	uint8_t memory[1 << 16];
	struct arena arena;
	struct canon_ops canon;
	struct header header;
	struct message m;
	struct message_chunk *chunk;
};

static struct bench *bench_new(const char *text, size_t header_len)
{
	size_t n = strlen(text);
	struct bench *b = calloc(1, sizeof *b);
	b->chunk = malloc(sizeof *b->chunk + n);
	*b->chunk = (struct message_chunk){ NULL, (uint32_t)n, (uint32_t)n };
	memcpy(b->chunk->data, text, n);
	b->m = (struct message){ .chunks = b->chunk,
				 .size = n,
				 .intact = n,
				 .header_len = (uint32_t)header_len,
				 .complete = true };
	canon_ops_init(&b->canon, cpu_level());
	arena_init(&b->arena, b->memory, sizeof b->memory);
	CU_ASSERT(header_split(&b->header, bytes_of(b->chunk->data, header_len), 1, &b->arena));
	return b;
}

static void bench_free(struct bench *b)
{
	free(b->chunk);
	free(b);
}

/* All octets of a job, given room for cap at a time. */
static size_t pull(struct hash_job *job, size_t cap, uint8_t *out)
{
	uint8_t *buf = malloc(cap);
	struct bytes piece;
	size_t n = 0;
	for (bool more = true; more;) {
		more = job->next(job, buf, cap, &piece);
		CU_ASSERT_FATAL(piece.n <= cap);
		memcpy(out + n, piece.p, piece.n);
		n += piece.n;
	}
	free(buf);
	return n;
}

static void header_in_any_room(void)
{
	static const char *const lists[] = { "from:to", "subject:subject:from",
					     "x:absent:received:to", "" };
	char text[1000];
	size_t n = (size_t)snprintf(text, sizeof text, "%s\r\n%s\r\n", own, fields);
	struct bench *b = bench_new(text, n);
	for (unsigned k = 0; k < sizeof lists / sizeof lists[0]; k++)
		for (unsigned relaxed = 0; relaxed < 2; relaxed++) {
			uint16_t cursor[16], count;
			uint8_t want[1000], have[1000];
			struct sign s = { .names = lists[k], .relaxed_header = relaxed };
			/* the signer knows no blanks in front of a colon: a relaxed name has none */
			char *plain = strdup(fields), *blank = strstr(plain, "subject  :");
			if (relaxed)
				memmove(blank + 7, blank + 9, strlen(blank + 9) + 1);
			size_t wanted = sign_header(&s, plain,
						    "DKIM-Signature: v=1; h=from; b=; x=1", want);
			bool blanks = strstr(lists[k], "subject:subject") && !relaxed;
			free(plain);
			if (blanks)
				continue; /* the signer does not find it */
			const uint16_t *field = covered_select(&b->header, bytes_str(lists[k]), 0,
							       cursor, &b->arena, &count);
			CU_ASSERT_FATAL(field != NULL);
			struct bytes raw = header_raw(&b->header, 0);
			const uint8_t *skip = (const uint8_t *)memmem(raw.p, raw.n, "b=", 2) + 2;
			for (size_t cap = CANON_ROOM; cap < 300; cap += cap < 40 ? 1 : 37) {
				struct covered_header c;
				covered_header_init(&c, &b->header, field, count, 0,
						    bytes_of(skip, strlen(" AAAA ")),
						    relaxed ? CANON_RELAXED : CANON_SIMPLE);
				size_t got = pull(&c.job, cap, have);
				CU_ASSERT(got == wanted && memcmp(want, have, got) == 0);
			}
		}
	bench_free(b);
}

static void body_in_any_room(void)
{
	struct bench *b = bench_new(body, 0);
	for (unsigned kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++)
		for (uint64_t l = 0; l < 40; l++) {
			uint8_t want[200], have[200];
			size_t wanted = sign_body(kind == CANON_RELAXED, bytes_str(body), want);
			for (size_t cap = CANON_ROOM; cap < 100; cap += 7) {
				struct covered_bodies bodies;
				struct signature s = { .has_length = l < 39,
						       .length = l,
						       .body_canon = (uint8_t)kind };
				arena_init(&b->arena, b->memory, sizeof b->memory);
				CU_ASSERT(covered_bodies_init(&bodies, &b->m, NULL, &b->canon, NULL,
							      1, &b->arena));
				struct covered_body *c = covered_body(&bodies, &s);
				size_t got = pull(&c->job, cap, have);
				CU_ASSERT_EQUAL(got, l < 39 && l < wanted ? l : wanted);
				CU_ASSERT(memcmp(want, have, got) == 0);
				CU_ASSERT_EQUAL(covered_octets(c), got);
				CU_ASSERT_EQUAL(covered_partial(c, &s), l < 39 && l < wanted);
			}
		}
	bench_free(b);
}

static void one_job_a_body(void)
{
	struct bench *b = bench_new(body, 0);
	struct covered_bodies first, second;
	struct signature s = { .body_canon = CANON_RELAXED, .hash = HASH_SHA256 };
	int owner;
	CU_ASSERT(covered_bodies_init(&first, &b->m, &owner, &b->canon, NULL, 2, &b->arena));
	CU_ASSERT(covered_bodies_init(&second, &b->m, &owner, &b->canon, &first, 2, &b->arena));
	struct covered_body *one = covered_body(&first, &s);
	CU_ASSERT(one && one->job.owner == &owner && one->job.algorithm == HASH_SHA256);
	CU_ASSERT_PTR_EQUAL(covered_body(&first, &s), one);
	CU_ASSERT_PTR_EQUAL(covered_body(&second, &s), one);
	CU_ASSERT_PTR_EQUAL(covered_body_find(&second, &s), one);
	s.has_length = true;
	CU_ASSERT_PTR_NULL(covered_body_find(&second, &s));
	struct covered_body *two = covered_body(&second, &s);
	CU_ASSERT(two && two != one);
	CU_ASSERT_PTR_NULL(covered_body_find(&first, &s));
	s.hash = HASH_SHA1;
	CU_ASSERT(covered_body(&second, &s) && covered_body(&second, &s) != two);
	/* two of its own are all */
	s.length = 1;
	CU_ASSERT_PTR_NULL(covered_body(&second, &s));
	CU_ASSERT_PTR_EQUAL(covered_bodies_next(&first), &one->job);
	CU_ASSERT_PTR_NULL(covered_bodies_next(&first));
	CU_ASSERT_PTR_EQUAL(covered_bodies_next(&second), &two->job);
	CU_ASSERT_PTR_NOT_NULL(covered_bodies_next(&second));
	CU_ASSERT_PTR_NULL(covered_bodies_next(&second));
	bench_free(b);
}

static void selection(void)
{
	static const struct {
		const char *list, *want; /* numbers of fields, a digit each */
	} rows[] = {
		{ "from", "2" },
		{ "FROM:To", "23" },
		{ "subject", "5" },
		{ "subject:subject", "54" },
		{ "subject:to:subject:subject", "534" },
		{ "dkim-signature", "0" },
		{ "dkim-signature:dkim-signature", "0" },
		{ "absent", "" },
		{ "", "" },
		{ ":from:", "2" },
	};
	char text[1000];
	/* field 1 is the own one, 0 another of its name */
	size_t n = (size_t)snprintf(
		text, sizeof text,
		"DKIM-Signature: x\r\n%s\r\nFrom: a\r\nTo: b\r\nSubject: 1\r\nSubject: 2\r\n\r\n",
		own);
	struct bench *b = bench_new(text, n);
	for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		uint16_t cursor[16], count;
		static _Alignas(16) uint8_t little[16];
		size_t want = strlen(rows[k].want);
		const uint16_t *out = covered_select(&b->header, bytes_str(rows[k].list), 1, cursor,
						     &b->arena, &count);
		CU_ASSERT_FATAL(out && count == want);
		for (unsigned i = 0; i < count; i++)
			CU_ASSERT_EQUAL(out[i], rows[k].want[i] - '0');
		/* in just as much room, and in less */
		for (size_t room = 0; room <= want; room++) {
			struct arena a;
			memset(little, 0xa5, sizeof little);
			arena_init(&a, little, room * sizeof *out);
			bool fits = covered_select(&b->header, bytes_str(rows[k].list), 1, cursor,
						   &a, &count);
			CU_ASSERT_EQUAL(fits, room == want);
			CU_ASSERT_EQUAL(little[room * sizeof *out], 0xa5);
		}
	}
	bench_free(b);
}

/* N-3: a body that is not there is told before it is hashed, one that is too short behind that. */
static void n3_unseen(void)
{
	static const struct {
		uint32_t flags;
		bool complete, hole, length;
		enum reason want;
	} rows[] = {
		{ 0, true, false, false, REASON_NONE },
		{ 0, false, false, false, REASON_OCTETS_MISSING },
		{ 0, true, true, false, REASON_OCTETS_MISSING },
		{ 0, false, true, true, REASON_NONE },
		{ MESSAGE_TOO_LARGE, true, false, false, REASON_NOT_KEPT },
		{ MESSAGE_TOO_LARGE, true, false, true, REASON_NOT_KEPT },
		{ MESSAGE_NO_MEMORY, false, true, false, REASON_NOT_KEPT },
		{ MESSAGE_NO_MEMORY, false, true, true, REASON_NONE },
	};
	struct bench *b = bench_new(body, 0);
	for (unsigned k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct signature s = { .has_length = rows[k].length, .length = 5 };
		b->m.flags = rows[k].flags;
		b->m.complete = rows[k].complete;
		b->m.intact = rows[k].hole ? 8 : b->m.size;
		CU_ASSERT_EQUAL(covered_body_unseen(&b->m, &s), rows[k].want);
	}
	for (uint64_t l = 0; l < 12; l++) {
		uint8_t out[100];
		struct covered_bodies bodies;
		struct signature s = { .has_length = true, .length = l };
		arena_init(&b->arena, b->memory, sizeof b->memory);
		CU_ASSERT(covered_bodies_init(&bodies, &b->m, NULL, &b->canon, NULL, 1, &b->arena));
		struct covered_body *c = covered_body(&bodies, &s);
		pull(&c->job, 100, out);
		c->job.digest_len = 1;
		CU_ASSERT_EQUAL(covered_body_judge(c, &s),
				l <= 8 ? REASON_NONE : REASON_OCTETS_MISSING);
		s.bh[0] = 1;
		CU_ASSERT_EQUAL(covered_body_judge(c, &s),
				l <= 8 ? REASON_BODY_HASH : REASON_OCTETS_MISSING);
		CU_ASSERT(covered_partial(c, &s));
	}
	bench_free(b);
}

TEST_MAIN("covered", TEST(header_in_any_room), TEST(body_in_any_room), TEST(one_job_a_body),
	  TEST(selection), TEST(n3_unseen))
