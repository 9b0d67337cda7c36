/* What a message once knew of a name it knows until its end, and no check can ask without bound. */
#include "tests/lookup.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>

static const char zone[] = "a.example. 60 TXT \"one\"\n"
			   "b.example. 60 TXT \"two\" \"three\"\n"
			   "c.example. 0 TXT \"not kept\"\n"
			   "mx.example. 60 MX 10 a.example.\n"
			   ";ERROR,late.example.,TXT,TIMEOUT\n";

static struct record *txt(struct known *k, enum known_who who, const char *name)
{
	return known_ask(k, who, QUESTION_TXT, bytes_str(name));
}

static bool data_is(const struct record *r, const char *want)
{
	return r && r->answer.status == ANSWER_DATA && r->answer.n == 1 &&
	       bytes_equal(r->answer.rr[0].data, bytes_str(want));
}

static struct answer_rr one_rr[1];

static struct answer one(uint32_t ttl_s)
{
	one_rr[0].data = bytes_str("1");
	return (struct answer){ .status = ANSWER_DATA, .ttl_s = ttl_s, .n = 1, .rr = one_rr };
}

static void names(void)
{
	char label63[64], label64[65], name253[254], name254[255];
	memset(label63, 'x', 63);
	memset(label64, 'x', 64);
	label63[63] = label64[64] = 0;
	snprintf(name253, sizeof name253, "%s.%s.%s.%.61s", label63, label63, label63, label63);
	snprintf(name254, sizeof name254, "%s.%s.%s.%.62s", label63, label63, label63, label63);
	const struct {
		const char *name, *want; /* NULL: there can be no such name */
	} rows[] = {
		{ "a.example", "a.example" },
		{ "A.EXAMPLE.", "a.example" },
		{ "*.\xc3\x84 \x01.example", "*.\xc3\x84 \x01.example" },
		{ label63, label63 },
		{ name253, name253 },
		{ label64, NULL },
		{ name254, NULL },
		{ "", NULL },
		{ ".", NULL },
		{ "..", NULL },
		{ ".example", NULL },
		{ "a..example", NULL },
		{ "a.example..", NULL },
	};
	struct lookup *l = lookup_new(zone);
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		lookup_again(l);
		size_t n = strlen(rows[i].name);
		uint8_t *p = test_guard(rows[i].name, n);
		struct record *r = known_ask(&l->known, KNOWN_SPF, QUESTION_TXT, bytes_of(p, n));
		test_guard_free(p, n);
		const struct question *q = known_question(&l->known, 0);
		if (!rows[i].want) {
			CU_ASSERT(!q && r && r->answer.status == ANSWER_NXDOMAIN);
			continue;
		}
		CU_ASSERT(!r && q && q->type == QUESTION_TXT && strcmp(q->name, rows[i].want) == 0);
		CU_ASSERT(q && q->len == strlen(q->name));
	}
	lookup_free(l);
}

/* One name is one question, whoever asks and however it is written; a type is another. */
static void asked_once(void)
{
	struct lookup *l = lookup_new(zone);
	struct known *k = &l->known;
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "a.example"));
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_DMARC, "A.example."));
	CU_ASSERT_PTR_NULL(known_ask(k, KNOWN_SPF, QUESTION_MX, bytes_str("a.example")));
	CU_ASSERT_EQUAL(k->n_open, 2);
	CU_ASSERT_EQUAL(known_waiting(k), 2);
	CU_ASSERT_EQUAL(k->asked, 2);
	struct answer answer = one(60);
	known_answer(k, 0, &answer);
	/* the numbers hold until the next run */
	CU_ASSERT_EQUAL(known_waiting(k), 1);
	CU_ASSERT_EQUAL(known_question(k, 1)->type, QUESTION_MX);
	CU_ASSERT(data_is(txt(k, KNOWN_KEYS, "a.example"), "1"));
	CU_ASSERT_EQUAL(known_question(k, 0)->type, QUESTION_MX);
	CU_ASSERT_PTR_NULL(known_question(k, 1));
	CU_ASSERT_EQUAL(known_item(k, 0)->who, KNOWN_SPF | KNOWN_DMARC | KNOWN_KEYS);
	CU_ASSERT_PTR_NULL(known_item(k, 1)->record);
	CU_ASSERT_PTR_NULL(known_item(k, 2));
	lookup_free(l);
}

/* Two messages, one cache: the second asks nothing, and what was parsed is still there. */
static void kept(void)
{
	struct lookup *l = lookup_new(zone);
	struct known *k = &l->known;
	k->records = records_new(64, 1);
	lookup_again(l);
	struct answer answer = one(60);
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "a.example"));
	CU_ASSERT_PTR_NULL(known_ask_once(k, KNOWN_KEYS, QUESTION_TXT, bytes_str("key.example")));
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "short.example"));
	known_answer(k, 0, &answer);
	known_answer(k, 1, &answer);
	answer.ttl_s = 0;
	known_answer(k, 2, &answer);
	struct record *r = txt(k, KNOWN_SPF, "a.example");
	CU_ASSERT_FATAL(data_is(r, "1"));
	CU_ASSERT_PTR_NOT_EQUAL(r->answer.rr, one_rr); /* the cache's own */
	r->parsed[RECORD_SPF] = arena_take(&r->space, 100);
	CU_ASSERT_PTR_NOT_NULL(r->parsed[RECORD_SPF]);
	/* not kept, yet parsed once for this message */
	struct record *own = txt(k, KNOWN_SPF, "short.example");
	CU_ASSERT_FATAL(data_is(own, "1"));
	CU_ASSERT_PTR_NOT_NULL(arena_take(&own->space, 100));
	CU_ASSERT(data_is(known_ask_once(k, KNOWN_KEYS, QUESTION_TXT, bytes_str("key.example")),
			  "1"));
	lookup_again(l);
	k->clock_s = 1059;
	CU_ASSERT_PTR_EQUAL(txt(k, KNOWN_SPF, "a.example"), r);
	CU_ASSERT_PTR_NOT_NULL(r->parsed[RECORD_SPF]);
	CU_ASSERT_EQUAL(k->asked, 0);
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "short.example"));
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_KEYS, "key.example"));
	/* the message keeps what it has when its time is over; the next does not */
	k->clock_s = 1060;
	CU_ASSERT_PTR_EQUAL(txt(k, KNOWN_SPF, "a.example"), r);
	lookup_again(l);
	k->clock_s = 1060;
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "a.example"));
	struct records *records = k->records;
	lookup_free(l);
	records_free(records);
}

/* Who asks both kinds is kept; who asks once may find what others kept. */
static void once_and_kept(void)
{
	struct lookup *l = lookup_new(zone);
	struct known *k = &l->known;
	k->records = records_new(64, 1);
	lookup_again(l);
	struct answer answer = one(60);
	CU_ASSERT_PTR_NULL(known_ask_once(k, KNOWN_KEYS, QUESTION_TXT, bytes_str("a.example")));
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_DMARC, "a.example"));
	known_answer(k, 0, &answer);
	lookup_again(l);
	CU_ASSERT(
		data_is(known_ask_once(k, KNOWN_KEYS, QUESTION_TXT, bytes_str("a.example")), "1"));
	struct records *records = k->records;
	lookup_free(l);
	records_free(records);
}

static void h5_budget(void)
{
	struct lookup *l = lookup_new(zone);
	struct known *k = &l->known;
	k->budget = 3;
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "a.example"));
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "b.example"));
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "c.example"));
	for (int i = 0; i < 2; i++) { /* asked again it is the same, and counted once */
		struct record *r = txt(k, KNOWN_SPF, "d.example");
		CU_ASSERT(r && r->answer.status == ANSWER_TIMEOUT);
		CU_ASSERT_EQUAL(k->over, 1);
	}
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "b.example"));
	CU_ASSERT_EQUAL(k->asked, 3);
	CU_ASSERT_EQUAL(known_waiting(k), 3);
	lookup_free(l);
}

static void h5_room(void)
{
	struct lookup *l = lookup_new(zone);
	struct known *k = &l->known;
	struct answer answer = one(60);
	char name[32];
	k->budget = 1000;
	for (int i = 0; i < KNOWN_MAX; i++) {
		snprintf(name, sizeof name, "n%d.example", i);
		CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, name));
		CU_ASSERT(k->n_open <= KNOWN_OPEN_MAX);
	}
	/* no more are open than may be; the rest is asked for again */
	CU_ASSERT_EQUAL(known_waiting(k), KNOWN_OPEN_MAX);
	CU_ASSERT_EQUAL(k->asked, KNOWN_OPEN_MAX);
	for (int round = 0; round < KNOWN_MAX / KNOWN_OPEN_MAX; round++) {
		CU_ASSERT_EQUAL(known_waiting(k), KNOWN_OPEN_MAX);
		for (unsigned i = 0; i < KNOWN_OPEN_MAX; i++)
			known_answer(k, i, &answer);
		for (int i = 0; i < KNOWN_MAX; i++) {
			snprintf(name, sizeof name, "n%d.example", i);
			CU_ASSERT_EQUAL(data_is(txt(k, KNOWN_SPF, name), "1"),
					i < (round + 1) * KNOWN_OPEN_MAX);
		}
	}
	CU_ASSERT_EQUAL(k->asked, KNOWN_MAX);
	CU_ASSERT_EQUAL(k->over, 0);
	struct record *r = txt(k, KNOWN_SPF, "more.example");
	CU_ASSERT(r && r->answer.status == ANSWER_TIMEOUT);
	CU_ASSERT_EQUAL(k->over, 1);
	CU_ASSERT(data_is(txt(k, KNOWN_SPF, "n255.example"), "1"));
	lookup_free(l);
}

/* Who asks with `reserve` gets half of the questions and of the names, the others all of them. */
static void h5_reserve(void)
{
	struct lookup *l = lookup_new(zone);
	struct known *k = &l->known;
	char name[32];
	k->budget = 6;
	k->reserve = true;
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "n%d.example", i);
		struct record *r = txt(k, KNOWN_SPF, name);
		CU_ASSERT(i < 3 ? !r : r && r->answer.status == ANSWER_TIMEOUT);
	}
	k->reserve = false;
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "n4.example"));
	CU_ASSERT_EQUAL(k->asked, 4);
	CU_ASSERT_EQUAL(k->over, 1);
	lookup_again(l);
	k->budget = 1000;
	k->reserve = true;
	for (int i = 0; i < KNOWN_MAX / 2; i++) {
		snprintf(name, sizeof name, "n%d.example", i);
		txt(k, KNOWN_SPF, name);
	}
	CU_ASSERT_EQUAL(k->n, KNOWN_MAX / 2);
	CU_ASSERT_PTR_NOT_NULL(txt(k, KNOWN_SPF, "more.example"));
	k->reserve = false;
	txt(k, KNOWN_SPF, "more.example");
	CU_ASSERT_EQUAL(k->n, KNOWN_MAX / 2 + 1);
	lookup_free(l);
}

/* What was parsed of a record stays with the message; its room leaves enough for all names. */
static void h5_parsed_once(void)
{
	struct lookup *l = lookup_new(zone);
	struct known *k = &l->known;
	struct record record[KNOWN_PARSED_MAX + 1];
	struct arena half, room = known_room(k);
	char name[32];
	k->budget = 1000;
	k->reserve = true;
	half = known_room(k);
	k->reserve = false;
	CU_ASSERT(half.size < room.size);
	for (unsigned i = 0; i <= KNOWN_PARSED_MAX; i++) {
		CU_ASSERT_PTR_NULL(known_parsed(k, &record[i]));
		CU_ASSERT_EQUAL(known_keep(k, &record[i], &name[i % 8], &room),
				i < KNOWN_PARSED_MAX);
	}
	CU_ASSERT_PTR_EQUAL(known_parsed(k, &record[9]), &name[1]);
	CU_ASSERT_TRUE(known_keep(k, &record[9], &name[2], &room));
	CU_ASSERT_PTR_EQUAL(known_parsed(k, &record[9]), &name[2]);
	CU_ASSERT_PTR_NOT_NULL_FATAL(arena_take(&room, room.size - room.used));
	CU_ASSERT_TRUE(known_keep(k, &record[9], &name[3], &room));
	room = known_room(k);
	CU_ASSERT_PTR_NULL(arena_take(&room, 1));
	for (int i = 0; i < KNOWN_MAX; i++) {
		snprintf(name, sizeof name, "n%d.example", i);
		txt(k, KNOWN_SPF, name);
	}
	CU_ASSERT_EQUAL(k->n, KNOWN_MAX);
	lookup_again(l);
	CU_ASSERT_PTR_NULL(known_parsed(k, &record[9]));
	lookup_free(l);
}

/* Memory for a few items only: the others are refused, and nothing is written behind it. */
static void h5_memory(void)
{
	enum { SIZE = 3 * sizeof(struct known_item) + 100 };
	struct known *k = calloc(1, sizeof *k);
	uint8_t *fill = calloc(1, SIZE), *mem = test_guard(fill, SIZE);
	struct answer answer = one(60);
	*k = (struct known){ .budget = 100 };
	known_init(k, mem, SIZE);
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "a.example"));
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "b.example"));
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "c.example"));
	struct record *r = txt(k, KNOWN_SPF, "d.example");
	CU_ASSERT(r && r->answer.status == ANSWER_TIMEOUT);
	CU_ASSERT_EQUAL(k->over, 1);
	known_answer(k, 0, &answer);
	r = txt(k, KNOWN_SPF, "a.example");
	CU_ASSERT_FATAL(data_is(r, "1"));
	CU_ASSERT_PTR_NULL(arena_take(&r->space, 1)); /* no space left to parse into */
	known_end(k);
	test_guard_free(mem, SIZE);
	free(fill);
	free(k);
}

/* Whose time is over has timeouts, the others go on; nobody's mind is changed by a late answer. */
static void gives_up(void)
{
	struct lookup *l = lookup_new(zone);
	struct known *k = &l->known;
	struct answer answer = one(60);
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "a.example"));
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_SPF, "b.example"));
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_KEYS, "b.example"));
	known_give_up(k, KNOWN_SPF);
	CU_ASSERT_EQUAL(known_waiting(k), 1);
	CU_ASSERT_EQUAL(txt(k, KNOWN_SPF, "a.example")->answer.status, ANSWER_TIMEOUT);
	CU_ASSERT_EQUAL(txt(k, KNOWN_SPF, "b.example")->answer.status, ANSWER_TIMEOUT);
	CU_ASSERT_EQUAL(txt(k, KNOWN_SPF, "new.example")->answer.status, ANSWER_TIMEOUT);
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_KEYS, "b.example"));
	/* what only he waited for is not open any more */
	CU_ASSERT_STRING_EQUAL(known_question(k, 0)->name, "b.example");
	CU_ASSERT_PTR_NULL(known_question(k, 1));
	known_answer(k, 0, &answer);
	CU_ASSERT(data_is(txt(k, KNOWN_KEYS, "b.example"), "1"));
	CU_ASSERT_EQUAL(txt(k, KNOWN_SPF, "b.example")->answer.status, ANSWER_TIMEOUT);
	/* others may open what he left */
	uint32_t asked = k->asked;
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_KEYS, "a.example"));
	CU_ASSERT_PTR_NULL(txt(k, KNOWN_KEYS, "new.example"));
	CU_ASSERT_EQUAL(k->asked, asked + 1); /* a.example was counted before */
	CU_ASSERT_EQUAL(known_waiting(k), 2);
	known_give_up(k, KNOWN_KEYS | KNOWN_DMARC);
	CU_ASSERT_EQUAL(known_waiting(k), 0);
	CU_ASSERT_EQUAL(txt(k, KNOWN_DMARC, "other.example")->answer.status, ANSWER_TIMEOUT);
	CU_ASSERT_EQUAL(txt(k, KNOWN_KEYS, "a.example")->answer.status, ANSWER_TIMEOUT);
	lookup_free(l);
}

struct check {
	struct lookup *l;
	struct bytes two;
	unsigned runs;
};

/* Follows a.example (any answer) with b.example, and asks two others beside it. */
static bool chain(void *ctx)
{
	struct check *c = ctx;
	struct known *k = &c->l->known;
	c->runs++;
	char *copy = arena_take(&c->l->arena, 16);
	CU_ASSERT_PTR_NOT_NULL(copy);
	struct record *a = txt(k, KNOWN_SPF, "a.example"),
		      *late = txt(k, KNOWN_SPF, "late.example"),
		      *none = txt(k, KNOWN_SPF, "none.example"),
		      *b = a ? txt(k, KNOWN_SPF, "b.example") : NULL;
	if (!a || !b || !late || !none)
		return false;
	CU_ASSERT_EQUAL(late->answer.status, ANSWER_TIMEOUT);
	CU_ASSERT_EQUAL(none->answer.status, ANSWER_NXDOMAIN);
	c->two = b->answer.rr[0].data;
	return true;
}

static void lookup_modes(void)
{
	struct check c = { .l = lookup_new(zone) };
	CU_ASSERT(lookup_run(c.l, &c.l->known, chain, &c));
	CU_ASSERT_EQUAL(c.l->rounds, 3);
	CU_ASSERT_EQUAL(c.l->questions, 4);
	CU_ASSERT(bytes_equal(c.two, bytes_str("twothree")));
	CU_ASSERT_EQUAL(c.l->arena.used, 16); /* of the last run only */
	lookup_again(c.l);
	c.l->mode = LOOKUP_ONE;
	CU_ASSERT(lookup_run(c.l, &c.l->known, chain, &c));
	CU_ASSERT_EQUAL(c.l->rounds, 5);
	CU_ASSERT_EQUAL(c.l->questions, 4);
	CU_ASSERT(bytes_equal(c.two, bytes_str("twothree")));
	CU_ASSERT_EQUAL(c.runs, 8);
	lookup_free(c.l);
}

static bool spins(void *ctx)
{
	struct lookup *l = ctx;
	return !txt(&l->known, KNOWN_SPF, "a.example") && l->rounds > 10;
}

static bool endless(void *ctx)
{
	struct lookup *l = ctx;
	char name[32];
	snprintf(name, sizeof name, "n%u.example", l->rounds);
	known_end(&l->known);
	known_init(&l->known, l->memory, 4096);
	return txt(&l->known, KNOWN_SPF, name) != NULL;
}

static void lookup_faults(void)
{
	struct lookup *l = lookup_new(zone);
	const char *fault = lookup_fault(l, &l->known, spins, l);
	CU_ASSERT(fault && strstr(fault, "no question is open"));
	lookup_again(l);
	fault = lookup_fault(l, &l->known, endless, l);
	CU_ASSERT(fault && strstr(fault, "without end"));
	lookup_free(l);
	lookup_free(NULL);
}

TEST_MAIN("known", TEST(names), TEST(asked_once), TEST(kept), TEST(once_and_kept), TEST(h5_budget),
	  TEST(h5_room), TEST(h5_reserve), TEST(h5_parsed_once), TEST(h5_memory), TEST(gives_up),
	  TEST(lookup_modes), TEST(lookup_faults))
