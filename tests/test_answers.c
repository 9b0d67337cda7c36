/* A message gets the answers of its own record, without one what all records agree on, and nothing
 * else. */
#include "verify/dns/answers.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "tests/test.h"

static struct question question(const char *name, enum question_type type)
{
	struct question q = { .type = (uint16_t)type, .len = (uint8_t)strlen(name) };
	memcpy(q.name, name, q.len);
	return q;
}

static int add(struct answers *a, const char *name, const char *text)
{
	struct answer_rr rr = { bytes_str(text ? text : "") };
	struct answer answer = { .status = text ? ANSWER_DATA : ANSWER_NXDOMAIN,
				 .ttl_s = 60,
				 .n = text != NULL,
				 .rr = &rr };
	struct question q = question(name, QUESTION_TXT);
	return answers_add(a, &q, &answer);
}

static const char *say(const struct answers *a, const struct answers_own *own, const char *name)
{
	static char out[300];
	struct question q = question(name, QUESTION_TXT);
	const struct answer *answer = answers_find(a, own, &q);
	if (answer->status != ANSWER_DATA)
		return answer->status == ANSWER_NXDOMAIN ? "nxdomain" : "timeout";
	snprintf(out, sizeof out, "%.*s", (int)answer->rr[0].data.n, answer->rr[0].data.p);
	return out;
}

static struct answers_record wire(uint64_t flow_id, uint32_t tx_id, const char *octets)
{
	struct answers_record r = { .wire = true,
				    .has_sha256 = true,
				    .flow_id = flow_id,
				    .tx_id = tx_id,
				    .time_ns = flow_id * 1000 };
	SHA256((const uint8_t *)octets, strlen(octets), r.sha256);
	return r;
}

static struct answers_record file(const char *octets)
{
	struct answers_record r = wire(7, 0, octets);
	r.wire = false;
	return r;
}

/* A message in two chunks. */
static struct message *message(struct message *m, enum message_protocol protocol, uint64_t flow_id,
			       uint32_t tx_id, const char *octets)
{
	static struct message_chunk *chunk[2];
	size_t n = strlen(octets), half = n / 2;
	for (unsigned i = 0; i < 2; i++) {
		if (!chunk[i])
			chunk[i] = malloc(sizeof **chunk + 100);
		chunk[i]->len = (uint32_t)(i ? n - half : half);
		memcpy(chunk[i]->data, octets + (i ? half : 0), chunk[i]->len);
		chunk[i]->next = i ? NULL : chunk[1];
	}
	chunk[0]->next = chunk[1];
	*m = (struct message){ .protocol = (uint8_t)protocol,
			       .flow_id = flow_id,
			       .tx_id = tx_id,
			       .chunks = chunk[0],
			       .size = n };
	return m;
}

static void own_first(void)
{
	struct answers *a = answers_new();
	struct answers_record r[] = { wire(1, 0, "one"), wire(1, 1, "two"), wire(2, 0, "one"),
				      file("three") };
	struct message m;
	for (unsigned i = 0; i < 4; i++) {
		char text[] = { (char)('0' + i), 0 };
		CU_ASSERT_EQUAL_FATAL(answers_begin(a, &r[i]), 0);
		CU_ASSERT_EQUAL(add(a, "differs.example", text), 0);
		CU_ASSERT_EQUAL(add(a, "same.example", "same"), 0);
		CU_ASSERT_EQUAL(add(a, "none.example", NULL), 0);
		CU_ASSERT_EQUAL(add(a, text, text), 0);
	}
	struct answers_own own = answers_own(a, message(&m, MESSAGE_SMTP, 1, 1, "two"));
	CU_ASSERT_STRING_EQUAL(say(a, &own, "differs.example"), "1");
	CU_ASSERT_STRING_EQUAL(say(a, &own, "same.example"), "same");
	CU_ASSERT_STRING_EQUAL(say(a, &own, "none.example"), "nxdomain");
	CU_ASSERT_STRING_EQUAL(say(a, &own, "0"), "timeout"); /* another's */
	CU_ASSERT_STRING_EQUAL(say(a, &own, "asked.by.nobody"), "timeout");
	CU_ASSERT_EQUAL(own.time_ns, 1000);
	/* the connection goes before the octets */
	own = answers_own(a, message(&m, MESSAGE_SMTP, 2, 0, "one"));
	CU_ASSERT_STRING_EQUAL(say(a, &own, "differs.example"), "2");
	/* a file: by its octets; two connections brought them, and differ */
	own = answers_own(a, message(&m, MESSAGE_FILE, 0, 0, "three"));
	CU_ASSERT_STRING_EQUAL(say(a, &own, "differs.example"), "3");
	CU_ASSERT_EQUAL(own.time_ns, 7000);
	own = answers_own(a, message(&m, MESSAGE_FILE, 1, 0, "one"));
	CU_ASSERT_STRING_EQUAL(say(a, &own, "differs.example"), "timeout");
	CU_ASSERT_STRING_EQUAL(say(a, &own, "same.example"), "same");
	/* nobody's: what all agree on */
	own = answers_own(a, message(&m, MESSAGE_SMTP, 9, 0, "other"));
	CU_ASSERT_EQUAL(own.place + own.octets, 0);
	CU_ASSERT_EQUAL(own.time_ns, 0);
	CU_ASSERT_STRING_EQUAL(say(a, &own, "differs.example"), "timeout");
	CU_ASSERT_STRING_EQUAL(say(a, &own, "same.example"), "same");
	/* of its own record, in order */
	own = answers_own(a, message(&m, MESSAGE_SMTP, 1, 1, "two"));
	CU_ASSERT_EQUAL_FATAL(own.n, 4);
	static const char *const names[] = { "differs.example", "same.example", "none.example",
					     "1" };
	for (unsigned i = 0; i < 4; i++) {
		const struct question *q;
		const struct answer *answer = answers_kept(a, &own, i, &q);
		CU_ASSERT_STRING_EQUAL(q->name, names[i]);
		CU_ASSERT_EQUAL(answer->status, i == 2 ? ANSWER_NXDOMAIN : ANSWER_DATA);
	}
	/* not all of its octets are there */
	message(&m, MESSAGE_FILE, 0, 0, "three")->size++;
	own = answers_own(a, &m);
	CU_ASSERT_EQUAL(own.octets, 0);
	answers_free(a);
}

static void one_message_one_answer(void)
{
	struct answers *a = answers_new();
	struct answers_record w = wire(1, 0, "one"), f = file("two");
	CU_ASSERT_EQUAL(answers_begin(a, &w), 0);
	CU_ASSERT_EQUAL(add(a, "a.example", "x"), 0);
	CU_ASSERT_EQUAL(answers_begin(a, &w), 0);
	CU_ASSERT_EQUAL(add(a, "a.example", "x"), 0);
	CU_ASSERT_EQUAL(add(a, "a.example", "y"), -EEXIST);
	CU_ASSERT_EQUAL(answers_begin(a, &f), 0);
	CU_ASSERT_EQUAL(add(a, "a.example", "z"), 0);
	CU_ASSERT_EQUAL(answers_begin(a, &f), 0);
	CU_ASSERT_EQUAL(add(a, "a.example", "z"), 0);
	CU_ASSERT_EQUAL(add(a, "a.example", NULL), -EEXIST);
	answers_free(a);
}

/* Files with the same octets, each with its own answers; one whose name is another has none. */
static void same_octets_in_two_files(void)
{
	struct answers *a = answers_new();
	struct message m;
	struct answers_record r[] = { file("one"), file("one") };
	r[0].source = bytes_str("a.eml");
	r[1].source = bytes_str("b.eml");
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(answers_begin(a, &r[i]), 0);
		CU_ASSERT_EQUAL(add(a, "x", i ? "2" : "1"), 0);
		CU_ASSERT_EQUAL(add(a, "y", "same"), 0);
	}
	static const char *const names[] = { "a.eml", "b.eml", "c.eml" };
	for (unsigned i = 0; i < 3; i++) {
		message(&m, MESSAGE_FILE, 0, 0, "one")->source = names[i];
		struct answers_own own = answers_own(a, &m);
		CU_ASSERT_STRING_EQUAL(say(a, &own, "x"), i == 0 ? "1" : i == 1 ? "2" : "timeout");
		CU_ASSERT_STRING_EQUAL(say(a, &own, "y"), "same");
	}
	answers_begin(a, &r[1]);
	CU_ASSERT_EQUAL(add(a, "x", "3"), -EEXIST);
	answers_free(a);
}

/* Name servers turn their answers round. */
static void order_does_not_matter(void)
{
	struct answers *a = answers_new();
	struct answers_record r = file("one");
	struct question q = question("x", QUESTION_A);
	struct answer_rr rr[] = { { bytes_str("aaaa") },
				  { bytes_str("bbbb") },
				  { bytes_str("aaaa") } };
	struct answer first = { .n = 2, .rr = rr }, turned = { .n = 2, .rr = rr + 1 };
	struct answer other = { .n = 1, .rr = rr };
	answers_begin(a, &r);
	CU_ASSERT_EQUAL(answers_add(a, &q, &first), 0);
	answers_begin(a, &r);
	CU_ASSERT_EQUAL(answers_add(a, &q, &turned), 0);
	CU_ASSERT_EQUAL(answers_add(a, &q, &other), -EEXIST);
	answers_free(a);
}

/* Type, every octet of the name, and all of very many are told apart. */
static void many(void)
{
	enum { N = 20000 };
	struct answers *a = answers_new();
	struct message m;
	for (unsigned i = 0; i < N; i++) {
		char name[40], octets[20], text[20];
		snprintf(octets, sizeof octets, "m%u", i);
		snprintf(name, sizeof name, "n%u.example", i);
		snprintf(text, sizeof text, "t%u", i);
		struct answers_record r = wire(i, i, octets);
		CU_ASSERT_EQUAL(answers_begin(a, &r), 0);
		CU_ASSERT_EQUAL(add(a, name, text), 0);
		CU_ASSERT_EQUAL(add(a, "all.example", text), 0);
	}
	for (unsigned i = 0; i < N; i++) {
		char name[40], octets[20], text[20];
		snprintf(octets, sizeof octets, "m%u", i);
		snprintf(name, sizeof name, "n%u.example", i);
		snprintf(text, sizeof text, "t%u", i);
		struct answers_own own = answers_own(a, message(&m, MESSAGE_SMTP, i, i, octets));
		CU_ASSERT_STRING_EQUAL(say(a, &own, "all.example"), text);
		CU_ASSERT_STRING_EQUAL(say(a, &own, name), text);
		CU_ASSERT_STRING_EQUAL(say(a, &own, i ? "n0.example" : "n1.example"), "timeout");
	}
	struct answers_own nobody = { 0 };
	struct question q = question("n1.example", QUESTION_A);
	CU_ASSERT_EQUAL(answers_find(a, &nobody, &q)->status, ANSWER_TIMEOUT);
	answers_free(a);
}

TEST_MAIN("answers", TEST(own_first), TEST(one_message_one_answer), TEST(same_octets_in_two_files),
	  TEST(order_does_not_matter), TEST(many))
