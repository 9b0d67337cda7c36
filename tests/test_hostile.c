/*
 * Hostile mail and answers get the result their row says, from the whole engine: never a pass, the
 * same in whatever order answers come, bounded in questions, and at every cut of the header.
 */
#include "tests/hostile.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/profile.h"
#include "tests/test.h"

enum { NAMES = 50 };

/* What the results are, as words: SPF of HELO, MAIL FROM and PRA; DKIM signatures; ARC; DMARC. */
struct want {
	const char *row, *spf, *dkim, *arc, *dmarc;
};

struct engine {
	struct hostile_site *site;
	struct stats *stats;
	struct verify_engine *e;
	uint64_t clock_s;
};

static struct engine start(void)
{
	struct engine t = { .site = hostile_site_new(NAMES), .clock_s = 1 };
	t.stats = aligned_alloc(64, (sizeof *t.stats + 63) / 64 * 64);
	memset(t.stats, 0, sizeof *t.stats);
	t.e = verify_engine_new(hostile_site_config(t.site), 1, t.stats);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t.e);
	return t;
}

static void stop(struct engine *t)
{
	verify_engine_free(t->e);
	hostile_site_free(t->site);
	free(t->stats);
}

static void words(const struct verdict *v, char spf[100], char dkim[200], char arc[64],
		  char dmarc[64])
{
	spf[0] = dkim[0] = 0;
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		sprintf(spf + strlen(spf), "%s%s:%s", i ? " " : "",
			auth_result_name(v->spf[i].result),
			v->spf[i].reason ? v->spf[i].reason : "-");
	for (unsigned i = 0; i < v->n_dkim && strlen(dkim) < 140; i++)
		if (i == 0 || v->dkim[i].result != v->dkim[i - 1].result ||
		    v->dkim[i].reason != v->dkim[i - 1].reason)
			sprintf(dkim + strlen(dkim), "%s%s:%s", i ? " " : "",
				auth_result_name(v->dkim[i].result),
				v->dkim[i].reason ? v->dkim[i].reason : "-");
	sprintf(arc, "%s:%s", auth_result_name(v->arc.result), v->arc.reason ? v->arc.reason : "-");
	sprintf(dmarc, "%s:%s", auth_result_name(v->dmarc.result),
		v->dmarc.reason ? v->dmarc.reason : "-");
}

static void never_pass(const struct verdict *v)
{
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		CU_ASSERT_NOT_EQUAL(v->spf[i].result, AUTH_PASS);
	for (unsigned i = 0; i < v->n_dkim; i++)
		CU_ASSERT_NOT_EQUAL(v->dkim[i].result, AUTH_PASS);
	CU_ASSERT_NOT_EQUAL(v->dmarc.result, AUTH_PASS);
	CU_ASSERT_FALSE(v->arc.trusted_pass);
	CU_ASSERT(v->from.n_domain <= 1 || v->from.n_domain == v->from.n_shown);
}

static bool same(const char *row, const char *what, const char *got, const char *want)
{
	if (strcmp(got, want))
		printf("\n%s: %s is \"%s\", not \"%s\"", row, what, got, want);
	return !strcmp(got, want);
}

static void judge(struct engine *t, struct hostile *h, const struct want *want,
		  enum hostile_order order)
{
	char spf[100], dkim[200], arc[64], dmarc[64];
	unsigned asked = 0;
	struct verify *v = hostile_judge(h, t->e, t->clock_s, order, &asked);
	never_pass(h->m.verdict);
	CU_ASSERT(asked <= hostile_site_config(t->site)->dns_message_questions);
	words(h->m.verdict, spf, dkim, arc, dmarc);
	if (order != HOSTILE_SILENT) {
		CU_ASSERT(same(want->row, "SPF", spf, want->spf));
		CU_ASSERT(same(want->row, "DKIM", dkim, want->dkim));
		CU_ASSERT(same(want->row, "ARC", arc, want->arc));
		CU_ASSERT(same(want->row, "DMARC", dmarc, want->dmarc));
	} else {
		CU_ASSERT_NOT_EQUAL(h->m.verdict->arc.result, AUTH_PASS);
		CU_ASSERT_NOT_EQUAL(h->m.verdict->dmarc.result, AUTH_FAIL);
		for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
			CU_ASSERT_NOT_EQUAL(h->m.verdict->spf[i].result, AUTH_FAIL);
	}
	t->clock_s += 1000000; /* no answer is in the cache any more */
	verify_end(t->e, v);
}

/* Whole, with the answers in three ways; share: of the size. */
static void rows(struct engine *t, const struct want *want, unsigned n, unsigned share)
{
	for (unsigned i = 0; i < n; i++) {
		struct hostile *h = hostile_named(want[i].row, share);
		for (unsigned order = HOSTILE_AT_ONCE; order <= HOSTILE_SILENT; order++)
			judge(t, h, &want[i], (enum hostile_order)order);
		hostile_free(h);
	}
}

/* Each beginning of the header is a message of its own, and the header of one that was cut off. */
static void cuts(struct engine *t, const struct want *want, unsigned n, unsigned share)
{
	for (unsigned i = 0; i < n; i++) {
		if (strstr(want[i].row, "storm"))
			continue; /* SPF at each cut, which knows nothing of the header */
		struct hostile *h = hostile_named(want[i].row, share);
		uint32_t whole = h->m.header_len;
		uint8_t *text = malloc(whole);
		memcpy(text, h->m.chunks->data, whole);
		size_t used = h->used;
		for (uint32_t cut = 0; cut < whole; cut++, h->used = used) {
			unsigned asked = 0;
			hostile_message(h, bytes_of(text, cut));
			if (cut % 2) { /* the rest was not seen */
				h->m.complete = false;
				h->m.flags |= MESSAGE_NO_END;
			}
			struct verify *v =
				hostile_judge(h, t->e, t->clock_s, HOSTILE_AT_ONCE, &asked);
			never_pass(h->m.verdict);
			verify_end(t->e, v);
		}
		free(text);
		hostile_free(h);
	}
}

#define NONE3 "none:no_record none:no_record none:no_record"
#define GONE3 "none:no_such_domain none:no_such_domain none:no_such_domain"
#define FAIL "fail:not_authenticated"
#define N(a) (sizeof(a) / sizeof(a)[0])

/* The yardstick is judged right, so that what never passes below does not for its own reasons. */
static void usual_passes(void)
{
	struct engine t = start();
	struct hostile *h = hostile_new(0, 1);
	char spf[100], dkim[200], arc[64], dmarc[64];
	for (unsigned order = HOSTILE_AT_ONCE; order <= HOSTILE_ONE; order++) {
		unsigned asked = 0;
		struct verify *v =
			hostile_judge(h, t.e, t.clock_s, (enum hostile_order)order, &asked);
		words(h->m.verdict, spf, dkim, arc, dmarc);
		CU_ASSERT(same(h->name, "SPF", spf, "pass:- pass:- pass:-"));
		CU_ASSERT(same(h->name, "DKIM", dkim, "pass:-"));
		CU_ASSERT(same(h->name, "DMARC", dmarc, "pass:-"));
		verify_end(t.e, v);
		t.clock_s += 1000000;
	}
	hostile_free(h);
	stop(&t);
}

static void h1_signature_fields(void)
{
	static const struct want want[] = {
		{ "h1 10,000 signature fields", NONE3, "permerror:missing_tag", "none:-", FAIL },
		{ "h1 330 whole signatures", NONE3, "fail:signature", "none:-", FAIL },
	};
	struct engine t = start();
	rows(&t, want, N(want), 10);
	/* three runs of each: what the cap left out, 1,000 and 33 fields less five */
	CU_ASSERT_EQUAL(stats_get(t.stats, STAT_DKIM_OVER_CAP), 3 * (995 + 28));
	cuts(&t, want, N(want), 400);
	stop(&t);
}

/* More fields than are told apart: what may be below them is nobody's. */
static void h1_header_fields(void)
{
	static const struct want want[] = {
		{ "h1 10,000 signature fields",
		  "none:no_record none:no_record unverifiable:no_header", "permerror:missing_tag",
		  "unverifiable:header_limit", "unverifiable:from_unseen" },
		{ "arc 10,000 fields", "none:no_record none:no_record unverifiable:no_header",
		  "unverifiable:header_limit", "unverifiable:header_limit",
		  "unverifiable:from_unseen" },
		{ "results 9,000 fields",
		  "none:no_such_domain none:no_such_domain unverifiable:no_header",
		  "unverifiable:header_limit", "unverifiable:header_limit",
		  "unverifiable:from_unseen" },
	};
	struct engine t = start();
	rows(&t, want, N(want), 1);
	stop(&t);
}

static void h2_tags(void)
{
	static const struct want want[] = {
		{ "h2 five lists of 5,000 names", NONE3, "fail:signature", "none:-", FAIL },
		{ "h2 five lists of one name", NONE3, "fail:signature", "none:-", FAIL },
		{ "h2 long and double tags", NONE3,
		  "permerror:domain permerror:selector permerror:syntax", "none:-", FAIL },
		{ "h2 all the room there is", "none:no_record none:no_record none:no_pra",
		  "fail:signature", "fail:signature", "permerror:from_several_fields" },
	};
	struct engine t = start();
	rows(&t, want, N(want), 10);
	cuts(&t, want, N(want) - 1, 1000);
	/* in the largest header there is room for all, or the verdict would be none */
	rows(&t, want + N(want) - 1, 1, 1);
	stop(&t);
}

static void h3_keys(void)
{
	static const struct want want[] = {
		{ "h3 modulus of 16 bits", GONE3, "policy:key_size", "none:-", FAIL },
		{ "h3 modulus of 16,384 bits", GONE3, "permerror:signature_value", "none:-", FAIL },
		{ "h3 even modulus", GONE3, "permerror:key_syntax", "none:-", FAIL },
		{ "h3 exponent 1", GONE3, "permerror:key_syntax", "none:-", FAIL },
		{ "h3 exponent of 4,096 bits", GONE3, "permerror:key_syntax", "none:-", FAIL },
		{ "h3 exponent of 64 bits", GONE3, "fail:signature", "none:-", FAIL },
		{ "h3 garbage for DER", GONE3, "permerror:key_syntax", "none:-", FAIL },
	};
	struct engine t = start();
	rows(&t, want, N(want), 1);
	cuts(&t, want, 1, 1);
	stop(&t);
}

static void h4_answers(void)
{
	static const struct want want[] = {
		{ "h4 TXT of 64 KB", "neutral:- neutral:- none:no_record", "permerror:key_syntax",
		  "none:-", FAIL },
		{ "h4 TXT of 49 strings", "neutral:- neutral:- none:no_record",
		  "permerror:key_syntax", "none:-", FAIL },
		{ "h4 100 TXT records", "neutral:- neutral:- none:no_record",
		  "permerror:key_syntax", "none:-", "none:several_records" },
	};
	struct engine t = start();
	rows(&t, want, N(want), 1);
	stop(&t);
}

static void h5_spf(void)
{
	static const struct want want[] = {
		{ "h5 include loop",
		  "permerror:lookup_limit permerror:lookup_limit permerror:lookup_limit", "",
		  "none:-", FAIL },
		{ "h5 eleven includes",
		  "permerror:lookup_limit permerror:lookup_limit permerror:lookup_limit", "",
		  "none:-", FAIL },
		{ "h5 void storm", "permerror:void_limit permerror:void_limit permerror:void_limit",
		  "", "none:-", FAIL },
		{ "h5 macro bomb", "permerror:void_limit permerror:void_limit permerror:void_limit",
		  "", "none:-", FAIL },
		{ "h5 explanation bomb", "fail:- fail:- fail:-", "", "none:-", FAIL },
		{ "h5 record of 2,000 terms", "neutral:- neutral:- neutral:-", "", "none:-", FAIL },
		{ "h5 ten records of 32 KB twice",
		  "temperror:no_space temperror:no_space temperror:no_space", "", "none:-", FAIL },
		{ "h5 thirty records of 32 KB twice",
		  "temperror:no_space temperror:no_space temperror:no_space", "", "none:-", FAIL },
		{ "h5 ptr of 100 names", "fail:- fail:- fail:-", "", "none:-", FAIL },
		{ "h5 mx of 100 hosts", "permerror:mx_limit permerror:mx_limit permerror:mx_limit",
		  "", "none:-", FAIL },
		{ "h5 mx storm", "neutral:- neutral:- neutral:-", "", "none:-", FAIL },
	};
	struct engine t = start();
	rows(&t, want, N(want), 1);
	CU_ASSERT(stats_get(t.stats, STAT_SPF_LIMIT) > 0);
	stop(&t);
}

/* Nothing the sender can add takes the answers from the domain he pretends to be of. */
static void h5_others_leave_enough(void)
{
	static const struct want want[] = {
		{ "h5 questions used up", "temperror:dns_timeout fail:- fail:-", "", "pass:-",
		  FAIL },
		{ "h5 room used up", "temperror:no_space fail:- fail:-", "", "none:-", FAIL },
	};
	struct engine t = start();
	rows(&t, want, N(want), 1);
	CU_ASSERT(stats_get(t.stats, STAT_DNS_OVER_BUDGET) > 0);
	stop(&t);
}

static void h6_from(void)
{
	static const struct want want[] = {
		{ "h6 4,000 mailboxes", "none:no_such_domain none:no_such_domain none:no_pra", "",
		  "none:-", "permerror:from_several_domains" },
		{ "h6 nested comments", "none:no_such_domain none:no_such_domain none:no_pra", "",
		  "none:-", "permerror:from_malformed" },
		{ "h6 open comments", "none:no_such_domain none:no_such_domain none:no_pra", "",
		  "none:-", "permerror:from_malformed" },
		{ "h6 open quote", "none:no_such_domain none:no_such_domain none:no_pra", "",
		  "none:-", "permerror:from_malformed" },
		{ "h6 60,000 quotes", GONE3, "", "none:-", FAIL },
		{ "h6 60,000 angles", "none:no_such_domain none:no_such_domain none:no_pra", "",
		  "none:-", "permerror:from_malformed" },
		{ "h6 60,000 groups", GONE3, "", "none:-", FAIL },
		{ "h6 60,000 groups, mx storm", "neutral:- neutral:- neutral:-", "", "none:-",
		  FAIL },
		{ "h6 10,000 encoded words", GONE3, "", "none:-", FAIL },
		{ "h6 a route of 30,000", GONE3, "", "none:-", FAIL },
		{ "h6 110 labels", GONE3, "", "none:-", "none:no_record" },
		{ "h6 900 domains of 110 labels",
		  "none:no_such_domain none:no_such_domain none:no_pra", "", "none:-",
		  "permerror:from_several_domains" },
		{ "h6 4,000 From: fields", "none:no_such_domain none:no_such_domain none:no_pra",
		  "", "none:-", "permerror:from_several_fields" },
		{ "h6 display of 512 letters", GONE3, "", "none:-", FAIL },
	};
	struct engine t = start();
	rows(&t, want, N(want), 10);
	cuts(&t, want, N(want), 2000);
	CU_ASSERT(stats_get(t.stats, STAT_NAMES_CUT) > 0);
	stop(&t);
}

static void h1_arc(void)
{
	static const struct want want[] = {
		{ "arc 50 sets", NONE3, "", "pass:-", FAIL },
		{ "arc 50 sets, the first spoiled", NONE3, "", "fail:signature", FAIL },
		{ "arc 51 sets", NONE3, "", "fail:sets", FAIL },
		{ "arc 10,000 fields", NONE3, "", "fail:instance", FAIL },
		{ "arc results of 25,000", NONE3, "", "fail:body_hash_value", FAIL },
	};
	struct engine t = start();
	rows(&t, want, N(want), 10);
	cuts(&t, want + 3, N(want) - 3, 1000);
	stop(&t);
}

static void b5_fields_of_ours(void)
{
	static const struct want want[] = {
		{ "results 9,000 fields", GONE3, "", "none:-", FAIL },
		{ "results 4,000 of ours", GONE3, "", "none:-", FAIL },
		{ "results of comments", GONE3, "", "none:-", FAIL },
		{ "received 4,000 relays",
		  "unverifiable:no_client unverifiable:no_client unverifiable:no_client", "",
		  "none:-", "unverifiable:spf_unverifiable" },
		{ "received open comments",
		  "unverifiable:no_client unverifiable:no_client unverifiable:no_client", "",
		  "none:-", "unverifiable:spf_unverifiable" },
		{ "received open brackets",
		  "unverifiable:no_client unverifiable:no_client unverifiable:no_client", "",
		  "none:-", "unverifiable:spf_unverifiable" },
		{ "all together", "temperror:dns_timeout permerror:void_limit none:no_pra",
		  "fail:signature", "temperror:key_timeout", "permerror:from_several_fields" },
	};
	struct engine t = start();
	rows(&t, want, N(want), 10);
	cuts(&t, want, N(want) - 1, 2000);
	stop(&t);
}

TEST_MAIN("hostile", TEST(usual_passes), TEST(h1_signature_fields), TEST(h1_header_fields),
	  TEST(h1_arc), TEST(h2_tags), TEST(h3_keys), TEST(h4_answers), TEST(h5_spf),
	  TEST(h5_others_leave_enough), TEST(h6_from), TEST(b5_fields_of_ours))
