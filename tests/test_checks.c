/*
 * The whole row of checks of one message says the same whatever the order of the answers, and what
 * was not answered in time is never a pass and never a fail.
 */
#include <arpa/inet.h>
#include <stdatomic.h>

#include "base/profile.h"
#include "control/config.h"
#include "control/profiles.h"
#include "tests/sign.h"
#include "tests/test.h"
#include "verify/verify.h"
#include "verify/dns/zone.h"

static const char zone_form[] =
	"sender.example. 60 TXT \"v=spf1 include:_spf.sender.example mx -all\"\n"
	"_spf.sender.example. 60 TXT \"v=spf1 ip4:192.0.2.0/24 ~all\"\n"
	"sender.example. 60 MX 10 mail.sender.example.\n"
	"mail.sender.example. 60 A 198.51.100.1\n"
	"mail.sender.example. 60 TXT \"v=spf1 a -all\"\n"
	"_dmarc.sender.example. 60 TXT \"v=DMARC1; p=reject; adkim=s\"\n"
	"s1._domainkey.sender.example. 60 TXT \"%s\"\n"
	"s1._domainkey.list.example. 60 TXT \"%s\"\n"
	"large.example. 60 TXT \"v=spf1 include:l0.large.example include:l1.large.example "
	"include:l2.large.example include:l3.large.example include:l4.large.example -all\"\n";

struct bench { /* an engine, a zone, and how the test answers */
	struct config cfg;
	struct stats *stats;
	struct verify_engine *e;
	struct zone *zone;
	struct message m;
	struct message_chunk *chunk;
	uint64_t seed;
	const char *silent; /* names with this in them get no answer; NULL: all do */
	unsigned asked;
	bool slow; /* one answer a round, any of them */
};

static EVP_PKEY *key(void)
{
	static EVP_PKEY *k;
	if (!k)
		k = sign_rsa(1024);
	return k;
}

static void setup(struct bench *b)
{
	char *text, why[256];
	*b = (struct bench){ .seed = 1 };
	config_default(&b->cfg);
	b->cfg.names = false;
	b->cfg.dns_cache_keys = b->cfg.dns_cache_records = 64;
	snprintf(b->cfg.authserv_id, sizeof b->cfg.authserv_id, "mx.receiver.example");
	char *record = sign_record(key(), "");
	if (asprintf(&text, zone_form, record, record) < 0 ||
	    zone_parse(&b->zone, bytes_str(text), "test", why, sizeof why) < 0)
		abort();
	free(record);
	free(text);
	b->stats = aligned_alloc(64, (sizeof *b->stats + 63) / 64 * 64);
	memset(b->stats, 0, sizeof *b->stats);
}

static void teardown(struct bench *b)
{
	zone_free(b->zone);
	free(b->chunk);
	free(b->stats);
}

/* A message of alice@sender.example, signed by `signer`, from `client`. */
static void message(struct bench *b, const char *signer, const char *client, const char *from)
{
	static const char fields[] = "From: Alice <alice@sender.example>\r\nSubject: x\r\n";
	char tags[200], *text;
	snprintf(tags, sizeof tags, "v=1; a=rsa-sha256; d=%s; s=s1; c=relaxed/relaxed; h=from",
		 signer);
	struct sign s = { .key = key(),
			  .tags = tags,
			  .names = "from",
			  .relaxed_header = true,
			  .relaxed_body = true,
			  .length = -1 };
	char *field = sign_message(&s, fields, bytes_str("hello\r\n"));
	int n = asprintf(&text, "%s%s\r\nhello\r\n", field, fields);
	if (n < 0)
		abort();
	free(b->chunk);
	b->chunk = malloc(sizeof *b->chunk + (size_t)n);
	*b->chunk = (struct message_chunk){ NULL, (uint32_t)n, (uint32_t)n };
	memcpy(b->chunk->data, text, (size_t)n);
	b->m = (struct message){ .chunks = b->chunk,
				 .size = (uint64_t)n,
				 .intact = (uint64_t)n,
				 .header_len = (uint32_t)n - 7,
				 .complete = true,
				 .time_ns = 1000000000,
				 .has_client = client != NULL,
				 .has_helo = true,
				 .has_mail_from = true,
				 .helo = bytes_str("mail.sender.example"),
				 .mail_from = bytes_str(from) };
	if (client) {
		memset(b->m.client.ip + 10, 0xff, 2);
		inet_pton(AF_INET, client, b->m.client.ip + 12);
	}
	free(field);
	free(text);
}

/* Answers what may be answered. Returns how many were. */
static unsigned answer(struct bench *b, struct verify *v)
{
	struct {
		const struct question *q;
		unsigned number;
	} open[VERIFY_QUESTIONS_MAX];
	unsigned n = 0, done = 0;
	while ((open[n].q = verify_question(v, &open[n].number)))
		n++;
	unsigned pick = n ? (unsigned)(test_random(&b->seed) % n) : 0;
	for (unsigned i = 0; i < n; i++) {
		bool silent = b->silent && strstr(open[i].q->name, b->silent);
		if (silent || (b->slow && i != pick)) {
			verify_unask(v, open[i].number);
			continue;
		}
		verify_answer(v, open[i].number, zone_answer(b->zone, open[i].q));
		b->asked++;
		done++;
	}
	return done;
}

/* Steps to the end; when nothing more is answered the deadlines pass one after the other. */
static const struct verdict *judge(struct bench *b, struct verify **out)
{
	struct verify *v = verify_begin(b->e, &b->m, 1);
	uint32_t ms = 0;
	for (enum verify_state s; (s = verify_step(b->e, v, 1)) != VERIFY_DONE;) {
		if (s == VERIFY_BUSY) {
			CU_ASSERT_PTR_EQUAL(verify_poll(b->e, true), v);
			continue;
		}
		for (unsigned tries = 0; tries < 50 && !answer(b, v); tries++)
			if (tries == 49) {
				ms = verify_deadline_ms(v);
				if (ms == UINT32_MAX)
					verify_give_up(v);
				else
					verify_late(v, ms);
			}
	}
	*out = v;
	return b->m.verdict;
}

static void start(struct bench *b)
{
	b->e = verify_engine_new(&b->cfg, 2, b->stats);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->e);
}

static void end(struct bench *b, struct verify *v)
{
	verify_end(b->e, v);
	verify_engine_free(b->e);
}

static void expect(const struct verdict *v, enum auth_result spf, enum auth_result dkim,
		   enum auth_result dmarc, enum verdict_action action)
{
	CU_ASSERT_EQUAL(v->spf[SPF_MAILFROM].result, spf);
	CU_ASSERT_EQUAL(v->n_dkim, 1);
	CU_ASSERT_EQUAL(v->dkim[0].result, dkim);
	CU_ASSERT_EQUAL(v->dmarc.result, dmarc);
	CU_ASSERT_EQUAL(v->action, action);
	CU_ASSERT_EQUAL(v->arc.result, AUTH_NONE);
	CU_ASSERT(v->headers.authentication_results.n > 0);
}

static void n1_any_order_of_answers(void)
{
	struct bench b;
	setup(&b);
	unsigned questions = 0;
	for (unsigned run = 0; run < 60; run++) {
		message(&b, "sender.example", "192.0.2.7", "bounce@sender.example");
		b.seed = run + 1;
		b.slow = run > 0;
		b.asked = 0;
		start(&b);
		struct verify *v;
		const struct verdict *got = judge(&b, &v);
		expect(got, AUTH_PASS, AUTH_PASS, AUTH_PASS, VERDICT_ACCEPT);
		CU_ASSERT_EQUAL(got->spf[SPF_HELO].result, AUTH_FAIL);
		CU_ASSERT(bytes_equal(got->spf[SPF_MAILFROM].mechanism,
				      bytes_str("include:_spf.sender.example")));
		/* the first run asks ahead for most; an order may show that some are not needed */
		questions = run ? questions : b.asked;
		CU_ASSERT(b.asked <= questions);
		end(&b, v);
	}
	teardown(&b);
}

/* Each check by itself: what it says when its names stay silent. */
static void c56_c84_silence(void)
{
	static const struct {
		const char *signer, *client, *silent;
		enum auth_result spf, dkim, dmarc;
		enum verdict_action action;
	} rows[] = {
		{ "sender.example", "192.0.2.7", "_domainkey", AUTH_PASS, AUTH_TEMPERROR, AUTH_PASS,
		  VERDICT_ACCEPT },
		{ "sender.example", "192.0.2.7", "_spf", AUTH_TEMPERROR, AUTH_PASS, AUTH_PASS,
		  VERDICT_ACCEPT },
		{ "sender.example", "192.0.2.7", "_dmarc", AUTH_PASS, AUTH_PASS, AUTH_TEMPERROR,
		  VERDICT_ACCEPT },
		{ "sender.example", "192.0.2.7", "", AUTH_TEMPERROR, AUTH_TEMPERROR, AUTH_TEMPERROR,
		  VERDICT_ACCEPT },
		{ "sender.example", "203.0.113.9", "_domainkey", AUTH_FAIL, AUTH_TEMPERROR,
		  AUTH_TEMPERROR, VERDICT_ACCEPT },
		{ "list.example", "203.0.113.9", NULL, AUTH_FAIL, AUTH_PASS, AUTH_FAIL,
		  VERDICT_REJECT },
		{ "sender.example", "203.0.113.9", NULL, AUTH_FAIL, AUTH_PASS, AUTH_PASS,
		  VERDICT_ACCEPT },
		{ "sender.example", NULL, NULL, AUTH_UNVERIFIABLE, AUTH_PASS, AUTH_PASS,
		  VERDICT_ACCEPT },
		{ "list.example", NULL, NULL, AUTH_UNVERIFIABLE, AUTH_PASS, AUTH_UNVERIFIABLE,
		  VERDICT_ACCEPT },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bench b;
		setup(&b);
		message(&b, rows[i].signer, rows[i].client, "bounce@sender.example");
		b.silent = rows[i].silent;
		start(&b);
		struct verify *v;
		expect(judge(&b, &v), rows[i].spf, rows[i].dkim, rows[i].dmarc, rows[i].action);
		end(&b, v);
		teardown(&b);
	}
}

/* The time of each profile is that of its check alone: what came too late for one is in time for the other. */
static void c56_c84_each_its_own_time(void)
{
	for (unsigned spf_first = 0; spf_first < 2; spf_first++) {
		struct bench b;
		setup(&b);
		struct profiles profiles = *b.cfg.profiles;
		struct spf_profile spf = profiles.spf[0];
		struct dkim_profile dkim = profiles.dkim[0];
		spf.timeout_ms = spf_first ? 700 : 3000;
		dkim.query_timeout_ms = spf_first ? 3000 : 700;
		profiles.spf = &spf;
		profiles.dkim = &dkim;
		profiles.n_spf = profiles.n_dkim = 1;
		b.cfg.profiles = &profiles;
		message(&b, "sender.example", "192.0.2.7", "bounce@sender.example");
		start(&b);
		struct verify *v = verify_begin(b.e, &b.m, 1);
		b.silent = "";
		while (verify_step(b.e, v, 1) == VERIFY_ASK && answer(&b, v))
			;
		CU_ASSERT_EQUAL(verify_deadline_ms(v), 700);
		verify_late(v, 699);
		CU_ASSERT_EQUAL(verify_deadline_ms(v), 700);
		verify_late(v, 700);
		CU_ASSERT_NOT_EQUAL(verify_step(b.e, v, 1), VERIFY_DONE);
		CU_ASSERT_EQUAL(verify_deadline_ms(v), 3000);
		b.silent = NULL; /* now all that is still asked for comes */
		for (enum verify_state s; (s = verify_step(b.e, v, 1)) != VERIFY_DONE;)
			if (s == VERIFY_BUSY)
				verify_poll(b.e, true);
			else
				answer(&b, v);
		const struct verdict *got = b.m.verdict;
		CU_ASSERT_EQUAL(got->spf[SPF_MAILFROM].result,
				spf_first ? AUTH_TEMPERROR : AUTH_PASS);
		CU_ASSERT_EQUAL(got->dkim[0].result, spf_first ? AUTH_PASS : AUTH_TEMPERROR);
		CU_ASSERT_EQUAL(got->dmarc.result, AUTH_PASS);
		end(&b, v);
		teardown(&b);
	}
}

/* Giving up after any number of answers: more is known with each, never a pass that was none. */
static void give_up_anywhere(void)
{
	for (unsigned stop = 0; stop < 12; stop++) {
		struct bench b;
		setup(&b);
		message(&b, "sender.example", "192.0.2.7", "bounce@sender.example");
		b.slow = true;
		b.seed = 7 + stop;
		start(&b);
		struct verify *v = verify_begin(b.e, &b.m, 1);
		for (enum verify_state s; (s = verify_step(b.e, v, 1)) != VERIFY_DONE;) {
			if (s == VERIFY_BUSY)
				verify_poll(b.e, true);
			else if (b.asked < stop)
				answer(&b, v);
			else
				verify_give_up(v);
		}
		const struct verdict *got = b.m.verdict;
		const struct spf_result *spf = &got->spf[SPF_MAILFROM];
		CU_ASSERT(spf->result == AUTH_PASS || spf->result == AUTH_TEMPERROR);
		CU_ASSERT(got->dkim->result == AUTH_PASS || got->dkim->result == AUTH_TEMPERROR);
		CU_ASSERT(got->dmarc.result == AUTH_PASS || got->dmarc.result == AUTH_TEMPERROR);
		CU_ASSERT_EQUAL(got->action, VERDICT_ACCEPT);
		if (got->dmarc.result == AUTH_PASS)
			CU_ASSERT(spf->result == AUTH_PASS || got->dkim->result == AUTH_PASS);
		end(&b, v);
		teardown(&b);
	}
}

/* A second message of the same sender asks nothing; it says the same. */
static void b18_cached(void)
{
	struct bench b;
	setup(&b);
	start(&b);
	for (unsigned round = 0; round < 3; round++) {
		message(&b, "sender.example", "192.0.2.7", "bounce@sender.example");
		struct verify *v;
		b.asked = 0;
		expect(judge(&b, &v), AUTH_PASS, AUTH_PASS, AUTH_PASS, VERDICT_ACCEPT);
		CU_ASSERT_EQUAL(b.asked == 0, round > 0);
		verify_end(b.e, v);
	}
	verify_engine_free(b.e);
	teardown(&b);
}

/* What does not exist is remembered too. */
static void b18_cached_absence(void)
{
	struct bench b;
	setup(&b);
	start(&b);
	for (unsigned round = 0; round < 3; round++) {
		message(&b, "list.example", "192.0.2.7", "bounce@nowhere.example");
		struct verify *v;
		b.asked = 0;
		expect(judge(&b, &v), AUTH_NONE, AUTH_PASS, AUTH_FAIL, VERDICT_REJECT);
		CU_ASSERT_EQUAL(b.asked == 0, round > 0);
		verify_end(b.e, v);
	}
	verify_engine_free(b.e);
	teardown(&b);
}

static void b18_budget(void)
{
	struct bench b;
	setup(&b);
	b.cfg.dns_message_questions = 2;
	message(&b, "sender.example", "192.0.2.7", "bounce@sender.example");
	start(&b);
	struct verify *v;
	const struct verdict *got = judge(&b, &v);
	CU_ASSERT(b.asked <= 2);
	CU_ASSERT_EQUAL(got->spf[SPF_MAILFROM].result, AUTH_TEMPERROR);
	CU_ASSERT_NOT_EQUAL(got->dmarc.result, AUTH_FAIL);
	CU_ASSERT(stats_get(b.stats, STAT_DNS_OVER_BUDGET) > 0);
	end(&b, v);
	teardown(&b);
}

/* Every answer that was given is there, each once. */
static void n13_evidence(void)
{
	struct bench b;
	setup(&b);
	b.cfg.evidence = true;
	message(&b, "sender.example", "192.0.2.7", "bounce@sender.example");
	start(&b);
	struct verify *v;
	const struct verdict *got = judge(&b, &v);
	CU_ASSERT_EQUAL(got->n_evidence, b.asked);
	CU_ASSERT_FALSE(got->evidence_cut);
	bool key_seen = false;
	for (unsigned i = 0; i < got->n_evidence; i++) {
		const struct verdict_evidence *e = &got->evidence[i];
		for (unsigned k = 0; k < i; k++)
			CU_ASSERT_FALSE(got->evidence[k].type == e->type &&
					bytes_equal(got->evidence[k].name, e->name));
		key_seen |= bytes_equal(e->name, bytes_str("s1._domainkey.sender.example")) &&
			    e->status == ANSWER_DATA && e->n == 1 && e->data[0].n > 100;
	}
	CU_ASSERT_TRUE(key_seen);
	end(&b, v);
	teardown(&b);
}

/* Five answers of 60,000 octets: those for which there is no room are left out, told and counted. */
static void n13_evidence_cut(void)
{
	struct bench b;
	setup(&b);
	char *text = malloc(5 * 70000), why[256];
	size_t n = (size_t)sprintf(text, "%s", strstr(zone_form, "large.example. 60"));
	for (unsigned i = 0; i < 5; i++) {
		n += (size_t)sprintf(text + n, "l%u.large.example. 60 TXT \"v=spf1\"", i);
		for (unsigned k = 0; k < 240; k++)
			n += (size_t)sprintf(text + n, " \"%250s\"", "ip4:192.0.2.1");
		n += (size_t)sprintf(text + n, "\n");
	}
	zone_free(b.zone);
	CU_ASSERT_EQUAL_FATAL(zone_parse(&b.zone, bytes_of(text, n), "test", why, sizeof why), 0);
	b.cfg.evidence = true;
	message(&b, "sender.example", "192.0.2.7", "bounce@large.example");
	start(&b);
	struct verify *v;
	const struct verdict *got = judge(&b, &v);
	uint64_t octets = 0;
	for (unsigned i = 0; i < got->n_evidence; i++)
		for (unsigned k = 0; k < got->evidence[i].n; k++)
			octets += got->evidence[i].data[k].n;
	CU_ASSERT_TRUE(got->evidence_cut);
	CU_ASSERT(octets > 200000 && octets <= 256 * 1024);
	CU_ASSERT(got->n_evidence < b.asked);
	CU_ASSERT_EQUAL(stats_get(b.stats, STAT_EVIDENCE_CUT), 1);
	end(&b, v);
	teardown(&b);
	free(text);
}

/* A snapshot is in use from a message's begin to its end. */
static void users_are_counted(void)
{
	struct bench b;
	_Atomic uint64_t users = 5;
	setup(&b);
	b.cfg.users = &users;
	message(&b, "sender.example", "192.0.2.7", "bounce@sender.example");
	start(&b);
	struct config other = b.cfg;
	other.users = NULL;
	struct verify *v = verify_begin(b.e, &b.m, 1);
	CU_ASSERT_EQUAL(atomic_load(&users), 6);
	verify_engine_config(b.e, &other);
	verify_give_up(v);
	while (verify_step(b.e, v, 1) != VERIFY_DONE)
		verify_poll(b.e, true);
	CU_ASSERT_EQUAL(atomic_load(&users), 6);
	end(&b, v);
	CU_ASSERT_EQUAL(atomic_load(&users), 5);
	teardown(&b);
}

/* A check that is off is not made, and costs no question. */
static void switched_off(void)
{
	for (unsigned off = 0; off < 16; off++) {
		struct bench b;
		setup(&b);
		b.cfg.dkim = !(off & 1);
		b.cfg.spf = !(off & 2);
		b.cfg.arc = !(off & 4);
		b.cfg.dmarc = !(off & 8);
		message(&b, "sender.example", "192.0.2.7", "bounce@sender.example");
		start(&b);
		struct verify *v;
		const struct verdict *got = judge(&b, &v);
		CU_ASSERT_EQUAL(got->checks,
				(off & 1 ? 0 : VERDICT_DKIM) | (off & 2 ? 0 : VERDICT_SPF) |
					(off & 4 ? 0 : VERDICT_ARC) |
					(off & 8 || (off & 3) == 3 ? 0 : VERDICT_DMARC));
		CU_ASSERT_EQUAL(b.asked == 0, (off & 3) == 3);
		CU_ASSERT_EQUAL(got->n_dkim, !(off & 1));
		if (!(off & 8) && (off & 3) != 3)
			CU_ASSERT_EQUAL(got->dmarc.result, AUTH_PASS);
		end(&b, v);
		teardown(&b);
	}
}

/* Profiles are found by their names. */
static void profiles_in_force(void)
{
	struct bench b;
	setup(&b);
	struct profiles all = *b.cfg.profiles;
	struct dmarc_profile dmarc[2] = { all.dmarc[0], all.dmarc[0] };
	snprintf(dmarc[1].name, sizeof dmarc[1].name, "mild");
	dmarc[1].reject_action = VERDICT_TAG;
	all.dmarc = dmarc;
	all.n_dmarc = 2;
	b.cfg.profiles = &all;
	for (unsigned mild = 0; mild < 2; mild++) {
		strcpy(b.cfg.dmarc_profile, mild ? "mild" : "default");
		message(&b, "list.example", "203.0.113.9", "bounce@sender.example");
		start(&b);
		struct verify *v;
		expect(judge(&b, &v), AUTH_FAIL, AUTH_PASS, AUTH_FAIL,
		       mild ? VERDICT_TAG : VERDICT_REJECT);
		CU_ASSERT_STRING_EQUAL(b.m.verdict->asked[0].profile, mild ? "mild" : "default");
		end(&b, v);
	}
	teardown(&b);
}

TEST_MAIN("checks", TEST(n1_any_order_of_answers), TEST(c56_c84_silence),
	  TEST(c56_c84_each_its_own_time), TEST(give_up_anywhere), TEST(b18_cached),
	  TEST(b18_cached_absence), TEST(b18_budget), TEST(n13_evidence), TEST(n13_evidence_cut),
	  TEST(users_are_counted), TEST(switched_off), TEST(profiles_in_force))
