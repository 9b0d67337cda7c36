/* The strictest that any profile asks for is done, all that ask are listed, and the reply is byte for
 * byte what the profile says. */
#include "verify/policy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/profile.h"
#include "tests/test.h"

static uint8_t memory[1 << 16], field_memory[1 << 16];
static struct arena arena, field_arena;
static struct dkim_profile dkim;
static struct spf_profile spf;
static struct dmarc_profile dmarc;
static struct names_profile names[2];
static struct profiles profiles;
static struct policy_lists lists;
static struct message message;
static struct header header;
static struct origin origin;
static struct verdict v;
static struct dkim_result signature[3];
static struct policy_setup setup;

static void reply(struct profile_reply *r, uint32_t code, const char *text)
{
	r->code = code;
	snprintf(r->text, sizeof r->text, "%s", text);
}

/* Profiles as they are by default (requirements C-54..C-107, D-4..D-16), and a message that was
 * checked in all ways and that nobody has anything to say about. */
static void fresh(void)
{
	arena_init(&arena, memory, sizeof memory);
	arena_init(&field_arena, field_memory, sizeof field_memory);
	dkim = (struct dkim_profile){ .name = "default", .permanent_action = VERDICT_FLAG };
	reply(&dkim.temporary, 451, "4.7.5 DKIM verification is not possible now");
	reply(&dkim.permanent, 550, "5.7.20 no passing DKIM signature found");
	spf = (struct spf_profile){ .name = "default", .helo = true };
	reply(&spf.temporary, 451, "#4.4.3 Temporary error occurred during SPF verification");
	reply(&spf.permanent, 550, "#5.7.1 SPF unauthorized mail is prohibited");
	dmarc = (struct dmarc_profile){ .name = "default",
					.reject_action = VERDICT_REJECT,
					.quarantine_action = VERDICT_QUARANTINE,
					.quarantine = "policy",
					.tag = "*** FRAUD ***",
					.reject_score = 50,
					.quarantine_score = 50,
					.bypass_authenticated = true };
	reply(&dmarc.reject, 550, "#5.7.1 DMARC unauthenticated mail is prohibited");
	reply(&dmarc.temporary, 451, "#4.7.1 Unable to perform DMARC verification");
	reply(&dmarc.permanent, 550, "#5.7.1 DMARC verification failed");
	names[0] = (struct names_profile){ .name = "bosses", .action = VERDICT_FLAG };
	names[1] = (struct names_profile){ .name = "banks", .action = VERDICT_REJECT };
	reply(&names[1].reply, 550, "5.7.1 that name is protected");
	profiles = (struct profiles){ .dkim = &dkim,
				      .spf = &spf,
				      .dmarc = &dmarc,
				      .names = names,
				      .n_dkim = 1,
				      .n_spf = 1,
				      .n_dmarc = 1,
				      .n_names = 2 };
	message = (struct message){ .complete = true };
	CU_ASSERT_TRUE(header_split(&header, bytes_str("From: a@author.example\r\nList-Id: x\r\n"),
				    1, &field_arena));
	origin = (struct origin){ .has_client = true,
				  .has_mail_from = true,
				  .client = { { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 } },
				  .mail_from = bytes_str("bounce@Sender.example") };
	memset(signature, 0, sizeof signature);
	v = (struct verdict){ .dkim = signature,
			      .checks = VERDICT_DKIM | VERDICT_SPF | VERDICT_ARC | VERDICT_DMARC |
					VERDICT_NAMES };
	v.from.local = bytes_str("a");
	v.from.domain[0] = bytes_str("author.example");
	v.from.n_domain = 1;
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		v.spf[i].domain = bytes_str("sender.example");
	lists = (struct policy_lists){ NULL, NULL, NULL };
	setup = (struct policy_setup){ .profiles = &profiles,
				       .lists = &lists,
				       .dkim = &dkim,
				       .spf = &spf,
				       .dmarc = &dmarc,
				       .message = &message,
				       .header = &header,
				       .origin = &origin };
}

static void judge(void)
{
	CU_ASSERT_TRUE(policy_judge(&setup, &v, &arena));
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void outcome(enum verdict_action action, const char *result, const char *reason)
{
	judge();
	CU_ASSERT_EQUAL(v.action, action);
	CU_ASSERT_TRUE(same(v.result, result));
	CU_ASSERT_TRUE(same(v.reason, reason));
	if (v.action != action || !same(v.result, result) || !same(v.reason, reason))
		printf("\ngot %s %s %s, want %s %s %s\n", verdict_action_name(v.action), v.result,
		       v.reason ? v.reason : "-", verdict_action_name(action), result,
		       reason ? reason : "-");
}

static void replied(const char *want)
{
	CU_ASSERT_TRUE(bytes_equal(v.reply, bytes_str(want)));
	if (!bytes_equal(v.reply, bytes_str(want)))
		printf("\ngot  %.*s\nwant %s\n", (int)v.reply.n, (const char *)v.reply.p, want);
}

static void spf_is(enum spf_identity i, enum auth_result r)
{
	v.spf[i].checked = true;
	v.spf[i].result = (uint8_t)r;
}

static void dkim_is(enum auth_result r)
{
	signature[v.n_dkim++].result = (uint8_t)r;
}

static void dmarc_is(enum auth_result r, enum dmarc_policy policy)
{
	v.dmarc.result = (uint8_t)r;
	v.dmarc.policy = (uint8_t)policy;
	v.dmarc.has_record = r != AUTH_NONE && r != AUTH_TEMPERROR;
	v.dmarc.domain = bytes_str("author.example");
}

/* ---- SPF and Sender ID ---- */

static const struct {
	enum auth_result result;
	enum spf_case column;
	const char *word;
} spf_cases[] = {
	{ AUTH_NONE, SPF_CASE_NONE, "none" },
	{ AUTH_NEUTRAL, SPF_CASE_NEUTRAL, "neutral" },
	{ AUTH_SOFTFAIL, SPF_CASE_SOFTFAIL, "softfail" },
	{ AUTH_FAIL, SPF_CASE_FAIL, "fail" },
	{ AUTH_TEMPERROR, SPF_CASE_TEMPERROR, "temperror" },
	{ AUTH_PERMERROR, SPF_CASE_PERMERROR, "permerror" },
};
enum { SPF_CASES = sizeof spf_cases / sizeof spf_cases[0] };

/* Each identity and result has an action of its own; a pass is accepted whatever the others say. */
static void c77_identity_and_result(void)
{
	static const char *const prefix[] = { "helo", "spf", "pra" };
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++) {
		for (unsigned r = 0; r < SPF_CASES; r++) {
			for (unsigned set = 0; set < SPF_CASES; set++) {
				char reason[32];
				fresh();
				spf.action[i][spf_cases[set].column] = VERDICT_REJECT;
				spf_is((enum spf_identity)i, spf_cases[r].result);
				snprintf(reason, sizeof reason, "%s_%s", prefix[i],
					 spf_cases[r].word);
				judge();
				CU_ASSERT_EQUAL(v.action == VERDICT_REJECT, set == r);
				CU_ASSERT_EQUAL(v.n_asked, set == r);
				if (set != r)
					continue;
				CU_ASSERT_TRUE(same(v.reason, reason));
				CU_ASSERT_STRING_EQUAL(v.asked[0].check,
						       i == SPF_PRA ? "sender_id" : "spf");
			}
		}
		fresh();
		for (unsigned r = 0; r < SPF_CASE_N; r++)
			spf.action[i][r] = VERDICT_REJECT;
		spf_is((enum spf_identity)i, AUTH_PASS);
		outcome(VERDICT_ACCEPT, "clean", NULL);
	}
}

static void c78_no_action_accepts(void)
{
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		for (unsigned r = 0; r < SPF_CASES; r++) {
			fresh();
			spf_is((enum spf_identity)i, spf_cases[r].result);
			judge();
			CU_ASSERT_EQUAL(v.action, VERDICT_ACCEPT);
			CU_ASSERT_EQUAL(v.n_asked, 0);
			CU_ASSERT_EQUAL(v.reply.n, 0);
		}
}

/* The worked example: HELO accepts, MAIL FROM refuses. An identity that was not checked says
 * nothing. */
static void c79_any_identity_refuses(void)
{
	fresh();
	spf.action[SPF_MAILFROM][SPF_CASE_FAIL] = VERDICT_REJECT;
	spf_is(SPF_HELO, AUTH_FAIL);
	spf_is(SPF_MAILFROM, AUTH_FAIL);
	outcome(VERDICT_REJECT, "flagged", "spf_fail");
	v.spf[SPF_MAILFROM].checked = false;
	outcome(VERDICT_ACCEPT, "clean", NULL);
	spf_is(SPF_MAILFROM, AUTH_FAIL);
	v.checks = VERDICT_DKIM;
	outcome(VERDICT_ACCEPT, "clean", NULL);
}

static void c80_temperror_reply(void)
{
	fresh();
	spf.action[SPF_MAILFROM][SPF_CASE_TEMPERROR] = VERDICT_REJECT;
	spf_is(SPF_MAILFROM, AUTH_TEMPERROR);
	outcome(VERDICT_REJECT, "flagged", "spf_temperror");
	replied("451 #4.4.3 Temporary error occurred during SPF verification");
}

static void c81_other_reply(void)
{
	for (unsigned r = 0; r < SPF_CASES; r++) {
		if (spf_cases[r].result == AUTH_TEMPERROR)
			continue;
		fresh();
		spf.action[SPF_HELO][spf_cases[r].column] = VERDICT_REJECT;
		spf_is(SPF_HELO, spf_cases[r].result);
		judge();
		replied("550 #5.7.1 SPF unauthorized mail is prohibited");
	}
}

static void c82_publishers_words(void)
{
	for (unsigned r = 0; r < SPF_CASES; r++) {
		bool words = spf_cases[r].result == AUTH_FAIL ||
			     spf_cases[r].result == AUTH_SOFTFAIL ||
			     spf_cases[r].result == AUTH_NEUTRAL;
		for (int on = 0; on < 2; on++) {
			fresh();
			spf.explanation = on;
			spf.action[SPF_MAILFROM][spf_cases[r].column] = VERDICT_REJECT;
			spf_is(SPF_MAILFROM, spf_cases[r].result);
			v.spf[SPF_MAILFROM].explanation = bytes_str("Not one of our machines");
			v.spf[SPF_MAILFROM].explained_by = bytes_str("example.com");
			judge();
			if (words && on)
				replied("550-#5.7.1 SPF unauthorized mail is prohibited.\r\n"
					"550-The domain example.com explains:\r\n"
					"550 Not one of our machines");
			else if (spf_cases[r].result != AUTH_TEMPERROR)
				replied("550 #5.7.1 SPF unauthorized mail is prohibited");
			else
				replied("451 #4.4.3 Temporary error occurred during SPF "
					"verification");
		}
	}
	fresh(); /* nothing was explained */
	spf.explanation = true;
	spf.action[SPF_MAILFROM][SPF_CASE_FAIL] = VERDICT_REJECT;
	spf_is(SPF_MAILFROM, AUTH_FAIL);
	judge();
	replied("550 #5.7.1 SPF unauthorized mail is prohibited");
}

static void c83_own_replies(void)
{
	fresh();
	reply(&spf.temporary, 421, "later");
	reply(&spf.permanent, 554, "never");
	spf.action[SPF_PRA][SPF_CASE_TEMPERROR] = VERDICT_REJECT;
	spf.action[SPF_PRA][SPF_CASE_FAIL] = VERDICT_REJECT;
	spf_is(SPF_PRA, AUTH_TEMPERROR);
	judge();
	replied("421 later");
	spf_is(SPF_PRA, AUTH_FAIL);
	judge();
	replied("554 never");
}

/* What is milder than a refusal has no reply. */
static void spf_milder(void)
{
	fresh();
	spf.action[SPF_MAILFROM][SPF_CASE_FAIL] = VERDICT_QUARANTINE;
	spf_is(SPF_MAILFROM, AUTH_FAIL);
	outcome(VERDICT_QUARANTINE, "flagged", "spf_fail");
	CU_ASSERT_EQUAL(v.reply.n, 0);
	spf.action[SPF_MAILFROM][SPF_CASE_FAIL] = VERDICT_TAG;
	outcome(VERDICT_TAG, "flagged", "spf_fail");
	CU_ASSERT_TRUE(bytes_equal(v.asked[0].tag, bytes_str("*** FRAUD ***")));
}

/* ---- DKIM ---- */

static void c60_permanent(void)
{
	static const struct {
		enum auth_result result;
		const char *reason;
	} cases[] = { { AUTH_FAIL, "dkim_fail" },
		      { AUTH_POLICY, "dkim_policy" },
		      { AUTH_PERMERROR, "dkim_permerror" } };
	for (unsigned i = 0; i < 3; i++) {
		fresh();
		dkim_is(cases[i].result);
		outcome(VERDICT_FLAG, "flagged", cases[i].reason);
		CU_ASSERT_EQUAL(v.n_asked, 1);
		CU_ASSERT_STRING_EQUAL(v.asked[0].check, "dkim");
		CU_ASSERT_STRING_EQUAL(v.asked[0].profile, "default");
		CU_ASSERT_EQUAL(v.reply.n, 0);
		dkim.permanent_action = VERDICT_REJECT;
		outcome(VERDICT_REJECT, "flagged", cases[i].reason);
		replied("550 5.7.20 no passing DKIM signature found");
		dkim.permanent_action = VERDICT_ACCEPT;
		outcome(VERDICT_ACCEPT, "clean", NULL);
		dkim.permanent_action = VERDICT_REJECT; /* one that passes is enough */
		dkim_is(AUTH_PASS);
		outcome(VERDICT_ACCEPT, "clean", NULL);
	}
	fresh(); /* the strongest of several names the reason */
	dkim_is(AUTH_TEMPERROR);
	dkim_is(AUTH_PERMERROR);
	dkim_is(AUTH_FAIL);
	outcome(VERDICT_FLAG, "flagged", "dkim_fail");
	fresh();
	outcome(VERDICT_ACCEPT, "clean", NULL);
}

static void c59_temporary(void)
{
	fresh();
	dkim_is(AUTH_TEMPERROR);
	outcome(VERDICT_ACCEPT, "unverifiable", "dkim_temperror");
	dkim.temporary_action = VERDICT_REJECT;
	outcome(VERDICT_REJECT, "flagged", "dkim_temperror");
	replied("451 4.7.5 DKIM verification is not possible now");
	signature[0].result = AUTH_UNVERIFIABLE; /* octets, not the name server */
	outcome(VERDICT_ACCEPT, "unverifiable", "dkim_unverifiable");
}

/* Keys in test mode count as no signature, but for a pass (C-53, RFC 6376 section 3.6.1). */
/* Whatever DKIM says, the message is accepted, and at most flagged, unless a profile acts; then it gets
 * just that. */
static void c63_accepted_unless_a_profile_acts(void)
{
	for (unsigned r = 0; r < AUTH_RESULT_N; r++)
		for (unsigned action = VERDICT_ACCEPT; action < VERDICT_ACTION_N; action++) {
			bool permanent = r == AUTH_FAIL || r == AUTH_POLICY || r == AUTH_PERMERROR;
			bool acts = permanent || r == AUTH_TEMPERROR;
			fresh();
			dkim_is((enum auth_result)r);
			judge();
			CU_ASSERT_EQUAL(v.action, permanent ? VERDICT_FLAG : VERDICT_ACCEPT);
			CU_ASSERT_EQUAL(v.reply.n, 0);
			dkim.permanent_action = permanent ? action : VERDICT_REJECT;
			dkim.temporary_action = permanent ? VERDICT_REJECT : action;
			judge();
			CU_ASSERT_EQUAL(v.action, acts ? action : VERDICT_ACCEPT);
			CU_ASSERT_EQUAL(v.reply.n > 0, acts && action == VERDICT_REJECT);
		}
	fresh(); /* unsigned */
	dkim.permanent_action = dkim.temporary_action = VERDICT_REJECT;
	outcome(VERDICT_ACCEPT, "clean", NULL);
}

static void c53_test_mode(void)
{
	static const enum auth_result all[] = { AUTH_FAIL, AUTH_POLICY, AUTH_PERMERROR,
						AUTH_TEMPERROR, AUTH_UNVERIFIABLE };
	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
		fresh();
		dkim.permanent_action = dkim.temporary_action = VERDICT_REJECT;
		dkim_is(all[i]);
		signature[0].test_mode = true;
		outcome(VERDICT_ACCEPT, "clean", NULL);
	}
	fresh();
	dkim_is(AUTH_PASS);
	signature[0].test_mode = true;
	dkim_is(AUTH_FAIL);
	outcome(VERDICT_ACCEPT, "clean", NULL);
}

/* A flag for a broken signature is a hint that nobody proved the author. A refusal is a site's own
 * wish. */
static void dkim_under_dmarc_pass(void)
{
	fresh();
	dkim_is(AUTH_FAIL);
	dmarc_is(AUTH_PASS, DMARC_REJECT);
	outcome(VERDICT_ACCEPT, "clean", NULL);
	dkim.permanent_action = VERDICT_REJECT;
	outcome(VERDICT_REJECT, "flagged", "dkim_fail");
	signature[0].result = AUTH_TEMPERROR;
	outcome(VERDICT_ACCEPT, "clean", NULL);
	dmarc_is(AUTH_NONE, DMARC_NONE);
	outcome(VERDICT_ACCEPT, "unverifiable", "dkim_temperror");
}

/* ---- DMARC ---- */

static void c104_reject(void)
{
	fresh();
	dmarc_is(AUTH_FAIL, DMARC_REJECT);
	outcome(VERDICT_REJECT, "flagged", "dmarc_fail");
	replied("550 #5.7.1 DMARC unauthenticated mail is prohibited");
	CU_ASSERT_EQUAL(v.score, 0);
	dmarc.reject_action = VERDICT_QUARANTINE;
	outcome(VERDICT_QUARANTINE, "flagged", "dmarc_fail");
	CU_ASSERT_TRUE(bytes_equal(v.asked[0].quarantine, bytes_str("policy")));
	CU_ASSERT_EQUAL(v.reply.n, 0);
	dmarc.reject_action = VERDICT_ACCEPT;
	dmarc.reject_score = 0;
	outcome(VERDICT_ACCEPT, "clean", NULL);
	CU_ASSERT_EQUAL(v.n_asked, 0);
}

static void c105_quarantine(void)
{
	fresh();
	dmarc_is(AUTH_FAIL, DMARC_QUARANTINE);
	outcome(VERDICT_QUARANTINE, "flagged", "dmarc_fail");
	dmarc.quarantine_action = VERDICT_ACCEPT;
	dmarc.quarantine_score = 0;
	outcome(VERDICT_ACCEPT, "clean", NULL);
}

static void c106_temporary(void)
{
	fresh();
	dmarc_is(AUTH_TEMPERROR, DMARC_NONE);
	outcome(VERDICT_ACCEPT, "undecided", "dmarc_temperror");
	dkim_is(AUTH_PASS); /* of whom, only the policy could tell */
	outcome(VERDICT_ACCEPT, "undecided", "dmarc_temperror");
	dmarc.temporary_action = VERDICT_REJECT;
	outcome(VERDICT_REJECT, "flagged", "dmarc_temperror");
	replied("451 #4.7.1 Unable to perform DMARC verification");
}

static void c107_permanent(void)
{
	fresh();
	dmarc_is(AUTH_PERMERROR, DMARC_NONE);
	outcome(VERDICT_ACCEPT, "clean", NULL);
	dmarc.permanent_action = VERDICT_REJECT;
	outcome(VERDICT_REJECT, "flagged", "dmarc_permerror");
	replied("550 #5.7.1 DMARC verification failed");
}

/* Odd From: fields are no way around the policy of a domain that they show; nor is ARC. */
static void h6_odd_from(void)
{
	fresh();
	dmarc_is(AUTH_PERMERROR, DMARC_REJECT);
	v.arc.trusted_pass = true;
	outcome(VERDICT_REJECT, "flagged", "dmarc_permerror");
	replied("550 #5.7.1 DMARC unauthenticated mail is prohibited");
	CU_ASSERT_PTR_NULL(v.dmarc.override);
	dmarc_is(AUTH_PERMERROR, DMARC_QUARANTINE);
	outcome(VERDICT_QUARANTINE, "flagged", "dmarc_permerror");
	dmarc.permanent_action = VERDICT_REJECT; /* the stricter of both, once */
	outcome(VERDICT_REJECT, "flagged", "dmarc_permerror");
	CU_ASSERT_EQUAL(v.n_asked, 1);
	replied("550 #5.7.1 DMARC verification failed");
	message.authenticated = true;
	outcome(VERDICT_ACCEPT, "clean", NULL);
	CU_ASSERT_TRUE(same(v.dmarc.override, "bypass"));
	fresh(); /* what DMARC could not verify takes nobody's place */
	dmarc_is(AUTH_PERMERROR, DMARC_NONE);
	spf.action[SPF_MAILFROM][SPF_CASE_FAIL] = VERDICT_REJECT;
	spf_is(SPF_MAILFROM, AUTH_FAIL);
	outcome(VERDICT_REJECT, "flagged", "spf_fail");
}

static void d4_refused_by_default(void)
{
	c104_reject();
}

/* D-5, D-6, D-8, D-9: tag and score stand with what is not refused. */
static void d5_d6_d8_d9_tag_and_score(void)
{
	for (int strict = 0; strict < 2; strict++) {
		for (uint32_t action = 0; action < VERDICT_ACTION_N; action++) {
			for (int tag = 0; tag < 2; tag++) {
				fresh();
				dmarc_is(AUTH_FAIL, strict ? DMARC_REJECT : DMARC_QUARANTINE);
				*(strict ? &dmarc.reject_action : &dmarc.quarantine_action) =
					action;
				*(strict ? &dmarc.reject_tag : &dmarc.quarantine_tag) = tag;
				judge();
				bool refused = action == VERDICT_REJECT;
				bool tagged = !refused && (tag || action == VERDICT_TAG);
				CU_ASSERT_EQUAL(v.action, action);
				CU_ASSERT_EQUAL(v.n_asked, 1);
				CU_ASSERT_EQUAL(v.score, refused ? 0 : 50);
				CU_ASSERT_EQUAL(v.asked[0].score, refused ? 0 : 50);
				CU_ASSERT_TRUE(bytes_equal(
					v.asked[0].tag, bytes_str(tagged ? "*** FRAUD ***" : "")));
				CU_ASSERT_EQUAL(v.reply.n > 0, refused);
			}
		}
	}
}

/* A score at a bound or over it is quarantined or rejected; what other checks ask for stands beside it, and
 * the strictest wins. */
static void d11_score_bounds(void)
{
	static const struct {
		uint32_t quarantine, reject;
		enum verdict_action want;
	} rows[] = {
		{ 0, 0, VERDICT_ACCEPT },      { 51, 0, VERDICT_ACCEPT },
		{ 50, 0, VERDICT_QUARANTINE }, { 1, 51, VERDICT_QUARANTINE },
		{ 0, 50, VERDICT_REJECT },     { 50, 50, VERDICT_REJECT },
		{ 51, 1, VERDICT_REJECT },     { 51, 51, VERDICT_ACCEPT },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fresh();
		dmarc.reject_action = VERDICT_ACCEPT;
		dmarc_is(AUTH_FAIL, DMARC_REJECT);
		setup.score_quarantine = rows[i].quarantine;
		setup.score_reject = rows[i].reject;
		bool asks = rows[i].want > VERDICT_ACCEPT;
		outcome(rows[i].want, asks ? "flagged" : "clean", asks ? "score" : NULL);
		CU_ASSERT_EQUAL(v.score, 50);
		CU_ASSERT_EQUAL(v.n_asked, asks ? 2 : 1);
		CU_ASSERT_STRING_EQUAL(v.asked[0].check, asks ? "score" : "dmarc");
		replied(rows[i].want == VERDICT_REJECT ? "550 5.7.1 Message scored too high" : "");
		CU_ASSERT_EQUAL(v.asked[0].quarantine.n > 0, rows[i].want == VERDICT_QUARANTINE);
		/* others may refuse what the score does not */
		dkim.permanent_action = VERDICT_REJECT;
		dkim_is(AUTH_FAIL);
		outcome(VERDICT_REJECT, "flagged", "dkim_fail");
		CU_ASSERT_EQUAL(v.n_asked, asks ? 3 : 2);
	}
	fresh(); /* without a score no bound is reached */
	setup.score_quarantine = setup.score_reject = 1;
	outcome(VERDICT_ACCEPT, "clean", NULL);
	CU_ASSERT_EQUAL(v.n_asked, 0);
}

static void d7_quarantined_by_default(void)
{
	c105_quarantine();
}

static void d10_one_tag(void)
{
	fresh();
	dmarc_is(AUTH_FAIL, DMARC_REJECT);
	dmarc.reject_action = VERDICT_TAG;
	spf.action[SPF_MAILFROM][SPF_CASE_FAIL] = VERDICT_TAG;
	spf_is(SPF_MAILFROM, AUTH_FAIL);
	dkim.permanent_action = VERDICT_TAG;
	dkim_is(AUTH_FAIL);
	outcome(VERDICT_TAG, "flagged", "spf_fail");
	CU_ASSERT_EQUAL(v.n_asked, 3);
	unsigned n = 0;
	for (unsigned i = 0; i < v.n_asked; i++)
		n += v.asked[i].tag.n > 0;
	CU_ASSERT_EQUAL(n, 1);
	CU_ASSERT_TRUE(v.asked[0].tag.n > 0);
}

/* p=none: nothing is asked for, by DMARC nor by a refusal of SPF that DMARC replaced. */
static void d13_none_untouched(void)
{
	fresh();
	dmarc_is(AUTH_FAIL, DMARC_NONE);
	dmarc.reject_tag = dmarc.quarantine_tag = true;
	outcome(VERDICT_ACCEPT, "clean", NULL);
	CU_ASSERT_EQUAL(v.n_asked, 0);
	CU_ASSERT_EQUAL(v.score, 0);
	CU_ASSERT_PTR_NULL(v.dmarc.override);
}

static void g4_three_policies(void)
{
	d13_none_untouched();
	c104_reject();
	c105_quarantine();
}

/* The preset: p=reject is accepted, and only the header tells. */
static void g7_accepted_with_the_header(void)
{
	fresh();
	dmarc.reject_action = VERDICT_ACCEPT;
	dmarc_is(AUTH_FAIL, DMARC_REJECT);
	outcome(VERDICT_ACCEPT, "clean", NULL);
	CU_ASSERT_EQUAL(v.dmarc.result, AUTH_FAIL);
	CU_ASSERT_EQUAL(v.dmarc.policy, DMARC_REJECT);
	CU_ASSERT_PTR_NULL(v.dmarc.override);
}

static void g8_dmarc_replaces_spf_rejects(void)
{
	static const enum dmarc_policy all[] = { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++) {
		for (unsigned k = 0; k < 3; k++) {
			fresh();
			spf.action[i][SPF_CASE_FAIL] = VERDICT_REJECT;
			spf_is((enum spf_identity)i, AUTH_FAIL);
			dmarc_is(AUTH_PASS, all[k]); /* by DKIM */
			outcome(VERDICT_ACCEPT, "clean", NULL);
			dmarc_is(AUTH_FAIL, all[k]);
			judge();
			CU_ASSERT_EQUAL(v.n_asked, all[k] != DMARC_NONE);
			CU_ASSERT_EQUAL(v.action, all[k] == DMARC_NONE     ? VERDICT_ACCEPT
						  : all[k] == DMARC_REJECT ? VERDICT_REJECT
									   : VERDICT_QUARANTINE);
		}
		/* not without a record, without DMARC, or with DMARC bypassed */
		dmarc_is(AUTH_NONE, DMARC_NONE);
		judge();
		CU_ASSERT_EQUAL(v.action, VERDICT_REJECT);
		dmarc_is(AUTH_PASS, DMARC_REJECT);
		v.checks &= (uint8_t)~VERDICT_DMARC;
		judge();
		CU_ASSERT_EQUAL(v.action, VERDICT_REJECT);
		v.checks |= VERDICT_DMARC;
		message.authenticated = true;
		judge();
		CU_ASSERT_EQUAL(v.action, VERDICT_REJECT);
	}
	fresh(); /* only refusals */
	spf.action[SPF_MAILFROM][SPF_CASE_FAIL] = VERDICT_QUARANTINE;
	spf_is(SPF_MAILFROM, AUTH_FAIL);
	dmarc_is(AUTH_PASS, DMARC_REJECT);
	outcome(VERDICT_QUARANTINE, "flagged", "spf_fail");
}

/* ---- what lifts a DMARC fail ---- */

static void lifted(const char *why)
{
	static const enum dmarc_policy all[] = { DMARC_QUARANTINE, DMARC_REJECT };
	for (unsigned k = 0; k < 2; k++) {
		dmarc_is(AUTH_FAIL, all[k]);
		judge();
		CU_ASSERT_TRUE(same(v.dmarc.override, why));
		CU_ASSERT_EQUAL(v.action == VERDICT_ACCEPT, why != NULL);
		CU_ASSERT_EQUAL(v.n_asked, why == NULL);
		CU_ASSERT_EQUAL(v.score, why ? 0 : k ? 0 : 50);
		/* result and policy stay */
		CU_ASSERT_EQUAL(v.dmarc.result, AUTH_FAIL);
		CU_ASSERT_EQUAL(v.dmarc.policy, all[k]);
	}
	dmarc_is(AUTH_FAIL, DMARC_NONE); /* nothing to lift */
	judge();
	CU_ASSERT_PTR_NULL(v.dmarc.override);
	dmarc_is(AUTH_PASS, DMARC_REJECT);
	judge();
	CU_ASSERT_PTR_NULL(v.dmarc.override);
}

static void b3_arc_override(void)
{
	fresh();
	lifted(NULL);
	v.arc.result = AUTH_PASS;
	v.arc.trusted = true; /* the sealer says nothing good */
	lifted(NULL);
	v.arc.trusted_pass = true;
	lifted("arc");
	v.checks &= (uint8_t)~VERDICT_ARC;
	lifted(NULL);
	v.checks |= VERDICT_ARC;
	dmarc.temporary_action = dmarc.permanent_action = VERDICT_REJECT;
	dmarc_is(AUTH_TEMPERROR, DMARC_NONE);
	outcome(VERDICT_REJECT, "flagged", "dmarc_temperror"); /* only a fail */
	dmarc_is(AUTH_PERMERROR, DMARC_NONE);
	outcome(VERDICT_REJECT, "flagged", "dmarc_permerror");
	message.authenticated = true; /* a bypass goes before */
	lifted("bypass");
	dmarc_is(AUTH_TEMPERROR, DMARC_NONE);
	judge();
	CU_ASSERT_EQUAL(v.action, VERDICT_ACCEPT);
	CU_ASSERT_TRUE(same(v.dmarc.override, "bypass"));
}

static struct list *one_list(const char *name, const char *entry)
{
	struct bytes e = bytes_str(entry);
	uint32_t bad;
	struct list *l = list_new(name, &e, 1, false, &bad);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	return l;
}

/* A list that a profile may name. */
static struct list *mine;

static void with_list(const char *entry)
{
	fresh();
	mine = one_list("mine", entry);
}

static void free_lists(void)
{
	list_free(mine);
}

static void c109_sender_list(void)
{
	static const struct {
		const char *entry;
		bool hit;
	} cases[] = {
		{ "bounce@sender.example", true }, { "BOUNCE@SENDER.EXAMPLE", true },
		{ "sender.example", true },        { "author.example", true },
		{ "a@author.example", true },      { "other@sender.example", false },
		{ "nder.example", false },         { "example.com", false },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		with_list(cases[i].entry);
		lifted(NULL);
		lists.senders = mine;
		lifted(cases[i].hit ? "bypass" : NULL);
		free_lists();
	}
	with_list("sender.example");
	lists.senders = mine;
	static const char *const odd[] = { "", "@", "a@", "sender.example", "@sender.example.com" };
	for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		origin.mail_from = bytes_str(odd[i]);
		lifted(NULL);
	}
	free_lists();
	with_list("author.example"); /* several authors are nobody's */
	lists.senders = mine;
	v.from.n_domain = 2;
	lifted(NULL);
	free_lists();
}

static void c110_header_names(void)
{
	static const struct {
		const char *names;
		bool hit;
	} cases[] = { { "List-Id", true },  { "list-id", true }, { "X-A, List-ID , X-B", true },
		      { "X-A,X-B", false }, { ",,", false },     { "", false },
		      { "List", false },    { ",List-Id", true } };
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fresh();
		snprintf(dmarc.bypass_headers, sizeof dmarc.bypass_headers, "%s", cases[i].names);
		lifted(cases[i].hit ? "bypass" : NULL);
		setup.header = NULL;
		lifted(NULL);
	}
}

static void d14_allowed_clients(void)
{
	for (int hit = 0; hit < 2; hit++) {
		with_list(hit ? "192.0.2.0/24" : "198.51.100.0/24");
		lifted(NULL);
		lists.clients = mine;
		lifted(hit ? "bypass" : NULL);
		origin.has_client = false;
		lifted(NULL);
		free_lists();
	}
}

static void d15_authenticated(void)
{
	fresh();
	message.authenticated = true;
	lifted("bypass");
	dmarc.bypass_authenticated = false;
	lifted(NULL);
}

static void d16_own_servers(void)
{
	for (int hit = 0; hit < 2; hit++) {
		with_list(hit ? "192.0.2.1" : "192.0.2.2");
		lists.servers = mine;
		lifted(hit ? "bypass" : NULL);
		free_lists();
	}
}

/* ---- names ---- */

static void c170_names_ask(void)
{
	static struct verdict_forged f[3] = { { "bosses", { NULL, 0 }, 99 },
					      { "bosses", { NULL, 0 }, 80 },
					      { "banks", { NULL, 0 }, 75 } };
	fresh();
	v.forged = f;
	v.n_forged = 2;
	outcome(VERDICT_FLAG, "flagged", "forged_name");
	CU_ASSERT_EQUAL(v.n_asked, 1);
	CU_ASSERT_STRING_EQUAL(v.asked[0].profile, "bosses");
	v.n_forged = 3;
	outcome(VERDICT_REJECT, "flagged", "forged_name");
	replied("550 5.7.1 that name is protected");
	CU_ASSERT_EQUAL(v.n_asked, 2);
	CU_ASSERT_STRING_EQUAL(v.asked[0].profile, "banks");
}

/* ---- all together ---- */

static void strictest_first(void)
{
	static struct verdict_forged f[1] = { { "bosses", { NULL, 0 }, 99 } };
	fresh();
	spf.action[SPF_HELO][SPF_CASE_FAIL] = VERDICT_FLAG;
	spf.action[SPF_MAILFROM][SPF_CASE_SOFTFAIL] = VERDICT_QUARANTINE;
	spf_is(SPF_HELO, AUTH_FAIL);
	spf_is(SPF_MAILFROM, AUTH_SOFTFAIL);
	dkim_is(AUTH_FAIL);
	dmarc_is(AUTH_FAIL, DMARC_QUARANTINE);
	v.forged = f;
	v.n_forged = 1;
	outcome(VERDICT_QUARANTINE, "flagged", "spf_softfail");
	static const char *const want[] = { "spf", "dmarc", "spf", "dkim", "names" };
	CU_ASSERT_EQUAL_FATAL(v.n_asked, 5);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_STRING_EQUAL(v.asked[i].check, want[i]);
	CU_ASSERT_EQUAL(v.score, 50);
	judge(); /* again: the same */
	CU_ASSERT_EQUAL(v.n_asked, 5);
	CU_ASSERT_EQUAL(v.score, 50);
}

/* More than there is room for: the mildest gives way. */
static void asked_full(void)
{
	enum { N = VERDICT_ASKED_MAX + 6 };
	static struct names_profile many[N];
	static struct verdict_forged f[N];
	fresh();
	for (unsigned i = 0; i < N; i++) {
		many[i] = (struct names_profile){ .action = i < N - 1 ? VERDICT_FLAG
								      : VERDICT_REJECT };
		snprintf(many[i].name, sizeof many[i].name, "d%u", i);
		f[i] = (struct verdict_forged){ .dictionary = many[i].name, .score = 90 };
	}
	profiles.names = many;
	profiles.n_names = N;
	v.forged = f;
	v.n_forged = N;
	outcome(VERDICT_REJECT, "flagged", "forged_name");
	CU_ASSERT_EQUAL(v.n_asked, VERDICT_ASKED_MAX);
	CU_ASSERT_STRING_EQUAL(v.asked[1].profile, "d0");
	CU_ASSERT_STRING_EQUAL(v.asked[VERDICT_ASKED_MAX - 1].profile, "d22");
}

/* What was not seen asks for nothing and is said; what the name server did not tell likewise. */
static void n3_unseen(void)
{
	fresh();
	setup.unseen = POLICY_NO_HEADER;
	outcome(VERDICT_ACCEPT, "unverifiable", "no_header");
	setup.unseen = POLICY_NO_SPACE;
	dkim_is(AUTH_UNVERIFIABLE);
	outcome(VERDICT_ACCEPT, "unverifiable", "no_space");
	setup.unseen = POLICY_NONE;
	outcome(VERDICT_ACCEPT, "unverifiable", "dkim_unverifiable");
	fresh();
	spf_is(SPF_MAILFROM, AUTH_UNVERIFIABLE);
	outcome(VERDICT_ACCEPT, "clean", NULL); /* the profile acts on nothing of it */
	spf.action[SPF_MAILFROM][SPF_CASE_FAIL] = VERDICT_REJECT;
	outcome(VERDICT_ACCEPT, "unverifiable", "spf_unverifiable");
	message.protocol = MESSAGE_POP3; /* there is no envelope to see */
	outcome(VERDICT_ACCEPT, "clean", NULL);
	message.protocol = MESSAGE_SMTP;
	dmarc_is(AUTH_PASS, DMARC_NONE); /* that refusal is DMARC's now */
	outcome(VERDICT_ACCEPT, "clean", NULL);
	fresh();
	dmarc_is(AUTH_UNVERIFIABLE, DMARC_REJECT);
	outcome(VERDICT_ACCEPT, "unverifiable", "dmarc_unverifiable");
	message.authenticated = true;
	outcome(VERDICT_ACCEPT, "clean", NULL);
}

static void undecided(void)
{
	fresh();
	spf_is(SPF_MAILFROM, AUTH_TEMPERROR);
	outcome(VERDICT_ACCEPT, "undecided", "spf_temperror");
	dkim_is(AUTH_PASS);
	outcome(VERDICT_ACCEPT, "clean", NULL);
	spf.action[SPF_MAILFROM][SPF_CASE_FAIL] = VERDICT_FLAG;
	outcome(VERDICT_ACCEPT, "undecided", "spf_temperror");
	dmarc_is(AUTH_TEMPERROR, DMARC_NONE);
	outcome(VERDICT_ACCEPT, "undecided", "spf_temperror");
	fresh();
	spf_is(SPF_MAILFROM, AUTH_TEMPERROR);
	dmarc_is(AUTH_PASS, DMARC_REJECT);
	outcome(VERDICT_ACCEPT, "clean", NULL);
}

/* A reply that does not fit is missing, and said so; the action stands. */
static void no_room(void)
{
	fresh();
	dmarc_is(AUTH_FAIL, DMARC_REJECT);
	arena_init(&arena, memory, 16);
	CU_ASSERT_FALSE(policy_judge(&setup, &v, &arena));
	CU_ASSERT_EQUAL(v.action, VERDICT_REJECT);
	CU_ASSERT_EQUAL(v.reply.n, 0);
}

static void traced(void)
{
	fresh();
	setup.trace = trace_new();
	CU_ASSERT_PTR_NOT_NULL_FATAL(setup.trace);
	spf.action[SPF_MAILFROM][SPF_CASE_FAIL] = VERDICT_REJECT;
	spf_is(SPF_HELO, AUTH_PASS);
	spf_is(SPF_MAILFROM, AUTH_FAIL);
	dkim_is(AUTH_FAIL);
	dmarc_is(AUTH_FAIL, DMARC_REJECT);
	judge();
	judge();
	static const char *const want[] = {
		"spf: helo pass is accepted\n",
		"spf: reject (spf_fail) is left to DMARC, whose record author.example has\n",
		"dkim: profile default asks for flag (dkim_fail)\n",
		"dmarc: profile default asks for reject (dmarc_fail)\n",
		"-> reject, flagged: dmarc_fail\n",
		"chosen by dmarc, profile default\n",
		"reply: 550 #5.7.1 DMARC unauthenticated mail is prohibited\n",
	};
	struct bytes text = trace_text(setup.trace, TRACE_POLICY);
	const uint8_t *at = text.p;
	for (unsigned i = 0; i < sizeof want / sizeof want[0]; i++) {
		const uint8_t *hit =
			memmem(at, text.n - (size_t)(at - text.p), want[i], strlen(want[i]));
		CU_ASSERT_PTR_NOT_NULL(hit);
		if (!hit)
			printf("\nno %s in %.*s\n", want[i], (int)text.n, (const char *)text.p);
		else
			at = hit + strlen(want[i]);
	}
	CU_ASSERT_PTR_EQUAL(at, text.p + text.n);
	trace_free(setup.trace);
}

static uint32_t any(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(test_random(seed) >> 20) % n;
}

static void any_verdict(uint64_t *seed)
{
	static struct verdict_forged f[2] = { { "bosses", { NULL, 0 }, 99 },
					      { "banks", { NULL, 0 }, 75 } };
	fresh();
	v.checks = (uint8_t)any(seed, 32);
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++) {
		v.spf[i].checked = any(seed, 2);
		v.spf[i].result = (uint8_t)any(seed, AUTH_RESULT_N);
		for (unsigned r = 0; r < SPF_CASE_N; r++)
			spf.action[i][r] = any(seed, VERDICT_ACTION_N);
	}
	for (unsigned i = any(seed, 4); i > 0; i--)
		dkim_is((enum auth_result)any(seed, AUTH_RESULT_N));
	signature[0].test_mode = any(seed, 2);
	dmarc_is((enum auth_result)any(seed, AUTH_RESULT_N), (enum dmarc_policy)any(seed, 3));
	v.dmarc.has_record = any(seed, 2);
	v.arc.trusted_pass = any(seed, 2);
	message.authenticated = any(seed, 2);
	dkim.permanent_action = any(seed, VERDICT_ACTION_N);
	dkim.temporary_action = any(seed, VERDICT_ACTION_N);
	dmarc.reject_action = any(seed, VERDICT_ACTION_N);
	dmarc.quarantine_action = any(seed, VERDICT_ACTION_N);
	dmarc.temporary_action = any(seed, VERDICT_ACTION_N);
	dmarc.permanent_action = any(seed, VERDICT_ACTION_N);
	dmarc.reject_tag = any(seed, 2);
	v.forged = f;
	v.n_forged = any(seed, 3);
}

/* Whatever results and profiles are. */
static void always(void)
{
	uint64_t seed = 99;
	for (unsigned round = 0; round < 100000; round++) {
		uint32_t score = 0;
		any_verdict(&seed);
		judge();
		CU_ASSERT_EQUAL(v.action, v.n_asked ? v.asked[0].action : VERDICT_ACCEPT);
		CU_ASSERT_EQUAL(!strcmp(v.result, "flagged"), v.action > VERDICT_ACCEPT);
		CU_ASSERT_EQUAL(!strcmp(v.result, "clean"), v.reason == NULL);
		CU_ASSERT_EQUAL(v.reply.n > 0, v.action == VERDICT_REJECT);
		for (unsigned i = 0; i < v.n_asked; i++) {
			const struct verdict_asked *a = &v.asked[i];
			score += a->score;
			CU_ASSERT_TRUE(i == 0 || v.asked[i - 1].action >= a->action);
			CU_ASSERT_EQUAL(a->reply.n > 0, a->action == VERDICT_REJECT);
			CU_ASSERT_TRUE(a->action > VERDICT_ACCEPT || a->score || a->tag.n);
			CU_ASSERT_TRUE(a->check && a->profile && a->reason);
			bool made = v.checks & (a->check[0] == 's'   ? VERDICT_SPF
						: a->check[0] == 'n' ? VERDICT_NAMES
						: a->check[1] == 'k' ? VERDICT_DKIM
								     : VERDICT_DMARC);
			CU_ASSERT_TRUE(made);
		}
		CU_ASSERT_EQUAL(v.score, score);
		if (v.dmarc.override)
			for (unsigned i = 0; i < v.n_asked; i++)
				CU_ASSERT_STRING_NOT_EQUAL(v.asked[i].check, "dmarc");
	}
}

static void words(void)
{
	CU_ASSERT_PTR_NULL(policy_word(POLICY_NONE));
	CU_ASSERT_PTR_NULL(policy_word(POLICY_N));
	for (unsigned i = 1; i < POLICY_N; i++) {
		const char *word = policy_word((enum policy_reason)i);
		CU_ASSERT_TRUE(word && word[0] && policy_meaning((enum policy_reason)i)[0]);
		for (unsigned k = 1; k < i; k++)
			CU_ASSERT_FALSE(same(word, policy_word((enum policy_reason)k)));
	}
}

static void counted(void)
{
	static struct stats stats;
	for (unsigned a = 0; a < VERDICT_ACTION_N; a++) {
		fresh();
		v.action = (uint8_t)a;
		v.dmarc.override = a == VERDICT_TAG ? "arc" : a == VERDICT_FLAG ? "bypass" : NULL;
		policy_count(&v, &stats);
	}
	for (unsigned i = STAT_VERDICT_ACCEPTED; i <= STAT_OVERRIDE_BYPASS; i++)
		CU_ASSERT_EQUAL(stats_get(&stats, (enum stats_row)i), 1);
}

TEST_MAIN("policy", TEST(c77_identity_and_result), TEST(c78_no_action_accepts),
	  TEST(c79_any_identity_refuses), TEST(c80_temperror_reply), TEST(c81_other_reply),
	  TEST(c82_publishers_words), TEST(c83_own_replies), TEST(spf_milder), TEST(c60_permanent),
	  TEST(c59_temporary), TEST(c53_test_mode), TEST(c63_accepted_unless_a_profile_acts),
	  TEST(dkim_under_dmarc_pass), TEST(c104_reject), TEST(c105_quarantine),
	  TEST(c106_temporary), TEST(c107_permanent), TEST(h6_odd_from),
	  TEST(d4_refused_by_default), TEST(d5_d6_d8_d9_tag_and_score), TEST(d11_score_bounds),
	  TEST(d7_quarantined_by_default), TEST(d10_one_tag), TEST(d13_none_untouched),
	  TEST(g4_three_policies), TEST(g7_accepted_with_the_header),
	  TEST(g8_dmarc_replaces_spf_rejects), TEST(b3_arc_override), TEST(c109_sender_list),
	  TEST(c110_header_names), TEST(d14_allowed_clients), TEST(d15_authenticated),
	  TEST(d16_own_servers), TEST(c170_names_ask), TEST(strictest_first), TEST(asked_full),
	  TEST(n3_unseen), TEST(undecided), TEST(no_room), TEST(traced), TEST(always), TEST(words),
	  TEST(counted))
