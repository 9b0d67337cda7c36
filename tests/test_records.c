/* A kept answer is given for its name, type and time only, and one in use is never taken away. */
#include "tests/test.h"
#include "verify/dns/records.h"

#include <stdio.h>
#include <stdlib.h>

static struct question question(const char *name, enum question_type type)
{
	struct question q = { .type = (uint16_t)type, .len = (uint8_t)strlen(name) };
	memcpy(q.name, name, q.len);
	return q;
}

static struct answer_rr text_rr[3];

static struct answer answer_of(enum answer_status status, uint32_t ttl_s)
{
	text_rr[0].data = bytes_str("v=spf1 -all");
	text_rr[1].data = bytes_of("", 0);
	text_rr[2].data = bytes_str("other");
	return (struct answer){ .status = (uint8_t)status,
				.secure = true,
				.ttl_s = ttl_s,
				.n = status == ANSWER_DATA ? 3 : 0,
				.rr = text_rr };
}

static void time_to_live(void)
{
	static const struct {
		enum answer_status status;
		uint32_t ttl_s, max_s, want_s; /* 0: not kept */
	} kept[] = {
		{ ANSWER_DATA, 60, 86400, 60 },
		{ ANSWER_DATA, 90000, 86400, 86400 },
		{ ANSWER_DATA, 0, 86400, 0 },
		{ ANSWER_DATA, 60, 0, 0 },
		{ ANSWER_NXDOMAIN, 60, 86400, 60 },
		{ ANSWER_NXDOMAIN, 3600, 86400, RECORDS_NEGATIVE_MAX_S },
		{ ANSWER_NODATA, 3600, 100, 100 },
		{ ANSWER_TIMEOUT, 60, 86400, 0 },
		{ ANSWER_SERVFAIL, 60, 86400, 0 },
	};
	struct question q = question("example.com", QUESTION_TXT);
	struct question other_type = question("example.com", QUESTION_MX);
	struct question other_name = question("example.net", QUESTION_TXT);
	struct question shorter = question("example.co", QUESTION_TXT);
	for (unsigned i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		struct records *records = records_new(64, 1);
		struct answer answer = answer_of(kept[i].status, kept[i].ttl_s);
		CU_ASSERT_PTR_NULL(records_find(records, &q, 1000));
		struct record *r = records_put(records, &q, &answer, 1000, kept[i].max_s);
		CU_ASSERT_EQUAL(r != NULL, kept[i].want_s != 0);
		if (r) {
			CU_ASSERT_EQUAL(r->answer.status, kept[i].status);
			records_release(r);
		}
		struct record *again = records_find(records, &q, 999 + kept[i].want_s);
		CU_ASSERT_PTR_EQUAL(again, r);
		if (again)
			records_release(again);
		CU_ASSERT_PTR_NULL(records_find(records, &q, 1000 + kept[i].want_s));
		CU_ASSERT_PTR_NULL(records_find(records, &other_type, 1000));
		CU_ASSERT_PTR_NULL(records_find(records, &other_name, 1000));
		CU_ASSERT_PTR_NULL(records_find(records, &shorter, 1000));
		records_free(records);
	}
	records_free(NULL);
}

/* The copy is whole and does not need the answer any more; space is what is left of the slot. */
static void copies(void)
{
	struct records *records = records_new(64, 1);
	struct question q = question("example.com", QUESTION_TXT);
	struct answer answer = answer_of(ANSWER_DATA, 60);
	struct record *r = records_put(records, &q, &answer, 1000, 60);
	CU_ASSERT_FATAL(r != NULL);
	memset(text_rr, 0, sizeof text_rr);
	CU_ASSERT_FATAL(r->answer.n == 3 && r->answer.secure && r->answer.ttl_s == 60);
	CU_ASSERT(bytes_equal(r->answer.rr[0].data, bytes_str("v=spf1 -all")));
	CU_ASSERT_EQUAL(r->answer.rr[1].data.n, 0);
	CU_ASSERT(bytes_equal(r->answer.rr[2].data, bytes_str("other")));
	for (unsigned i = 0; i < RECORD_KIND_N; i++)
		CU_ASSERT_PTR_NULL(r->parsed[i]);
	uint8_t *p = arena_take(&r->space, 1024);
	CU_ASSERT_FATAL(p != NULL && ((uintptr_t)p & 15) == 0);
	memset(p, 0xff, 1024);
	r->parsed[RECORD_SPF] = p;
	CU_ASSERT(bytes_equal(r->answer.rr[2].data, bytes_str("other")));
	CU_ASSERT_PTR_NULL(arena_take(&r->space, RECORDS_SLOT - 1024));
	records_release(r);
	r = records_find(records, &q, 1000);
	CU_ASSERT_FATAL(r != NULL);
	CU_ASSERT_PTR_EQUAL(r->parsed[RECORD_SPF], p);
	records_release(r);
	/* when its time is over what was parsed is gone too */
	answer = answer_of(ANSWER_DATA, 60);
	r = records_put(records, &q, &answer, 2000, 60);
	CU_ASSERT_FATAL(r != NULL);
	CU_ASSERT_PTR_NULL(r->parsed[RECORD_SPF]);
	records_release(r);
	records_free(records);
}

/* H-4: what fits a slot to the last octet is kept, one octet more is not, 64 KiB neither. */
static void h4_sizes(void)
{
	static const struct {
		size_t octets;
		unsigned n;
		bool kept;
	} rows[] = {
		{ RECORDS_SLOT - sizeof(struct answer_rr), 1, true },
		{ RECORDS_SLOT - sizeof(struct answer_rr) + 1, 1, false },
		{ 0, RECORDS_SLOT / sizeof(struct answer_rr), true },
		{ 1, RECORDS_SLOT / sizeof(struct answer_rr), false },
		{ 0, UINT16_MAX, false },
		{ ANSWER_OCTETS_MAX, 1, false },
	};
	struct answer_rr *rr = calloc(UINT16_MAX, sizeof *rr);
	uint8_t *octets = malloc(ANSWER_OCTETS_MAX), *slot_end;
	memset(octets, 'x', ANSWER_OCTETS_MAX);
	struct question q = question("long.example.com", QUESTION_TXT),
			kept = question("kept.example.com", QUESTION_TXT);
	struct answer small = answer_of(ANSWER_DATA, 60);
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct records *records = records_new(1, 1);
		struct record *k = records_put(records, &kept, &small, 1000, 60);
		CU_ASSERT_FATAL(k != NULL);
		records_release(k);
		rr[0].data = bytes_of(octets, rows[i].octets);
		struct answer answer = {
			.status = ANSWER_DATA, .ttl_s = 60, .n = (uint16_t)rows[i].n, .rr = rr
		};
		struct record *r = records_put(records, &q, &answer, 1000, 60);
		CU_ASSERT_EQUAL(r != NULL, rows[i].kept);
		if (r) {
			slot_end = (uint8_t *)r->answer.rr + RECORDS_SLOT;
			CU_ASSERT(r->space.base + r->space.size <= slot_end);
			CU_ASSERT_EQUAL(r->answer.rr[0].data.n, rows[i].octets);
			CU_ASSERT_PTR_NULL(arena_take(&r->space, 16));
			records_release(r);
		}
		/* nothing gave way to what was not kept */
		k = records_find(records, &kept, 1000);
		CU_ASSERT_PTR_NOT_NULL(k);
		if (k)
			records_release(k);
		records_free(records);
	}
	free(octets);
	free(rr);
}

/* A full set gives up what was used longest ago; what is in use stays; all in use: nothing is kept. */
static void full(void)
{
	struct records *records = records_new(RECORDS_WAYS, 1);
	struct answer answer = answer_of(ANSWER_DATA, 60);
	struct record *record[RECORDS_WAYS];
	char name[32];
	CU_ASSERT_FATAL(records != NULL);
	for (int i = 0; i < RECORDS_WAYS; i++) {
		snprintf(name, sizeof name, "k%d", i);
		struct question q = question(name, QUESTION_TXT);
		record[i] = records_put(records, &q, &answer, 1000, 60);
		CU_ASSERT_FATAL(record[i] != NULL);
	}
	struct question more = question("more", QUESTION_TXT), k0 = question("k0", QUESTION_TXT),
			k1 = question("k1", QUESTION_TXT), k3 = question("k3", QUESTION_TXT);
	CU_ASSERT_PTR_NULL(records_put(records, &more, &answer, 1000, 60));
	/* the same name is given from what is kept */
	CU_ASSERT_PTR_EQUAL(records_put(records, &k3, &answer, 1000, 60), record[3]);
	records_release(record[3]);
	for (int i = 0; i < RECORDS_WAYS; i++)
		if (i != 5)
			records_release(record[i]);
	records_release(records_find(records, &k0, 1000));
	struct record *r = records_put(records, &more, &answer, 1000, 60);
	CU_ASSERT_FATAL(r != NULL);
	records_release(r);
	CU_ASSERT_PTR_NULL(records_find(records, &k1, 1000)); /* k0 and k3 were used later */
	CU_ASSERT(bytes_equal(record[5]->answer.rr[0].data, bytes_str("v=spf1 -all")));
	/* when all time is over everything but what is in use may go */
	for (int i = 0; i < 3 * RECORDS_WAYS; i++) {
		snprintf(name, sizeof name, "n%d", i);
		struct question q = question(name, QUESTION_TXT);
		r = records_put(records, &q, &answer, 5000, 60);
		CU_ASSERT_FATAL(r && r != record[5]);
		records_release(r);
	}
	CU_ASSERT(bytes_equal(record[5]->answer.rr[0].data, bytes_str("v=spf1 -all")));
	records_release(record[5]);
	records_free(records);
}

TEST_MAIN("records", TEST(time_to_live), TEST(copies), TEST(h4_sizes), TEST(full))
