/* At each conformance level the identities that are due are checked, under the reading of that level, and what was not seen is unverifiable. */
#include <stdio.h>

#include "tests/spf_case.h"
#include "tests/test.h"
#include "verify/auth/sender.h"
#include "verify/auth/spf_reason.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char zone[] = "helo.example. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
			   "from.example. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
			   "both.example. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
			   "both.example. TXT \"spf2.0/mfrom,pra ip4:192.0.2.2 ~all\"\n"
			   "pra.example. TXT \"spf2.0/pra ip4:192.0.2.1 -all\"\n"
			   "text.example. TXT \"text\"\n"
			   "mx.c93.example. TXT \"v=spf1 a -all\"\n"
			   "mx.c93.example. A 192.0.2.1\n"
			   "c93.example. TXT \"v=spf1 mx -all\"\n"
			   "c93.example. TXT \"spf2.0/mfrom,pra mx -all\"\n"
			   "c93.example. MX 10 mx.c93.example.\n"
			   "no.c93.example. TXT \"v=spf1 mx:c93.example -all\"\n"
			   "no.c93.example. TXT \"spf2.0/pra ~all\"\n";

struct one {
	struct sender_setup setup;
	struct spf_result out[SPF_IDENTITY_N];
};

static bool step(void *ctx)
{
	struct one *o = ctx;
	return sender_check(&o->setup, o->out);
}

struct row {
	const char *ip, *helo, *from; /* NULL: not seen */
	const char *header;
	const char *want; /* "helo mailfrom pra", "-" where none was checked */
};

static struct spf_profile profile(enum spf_level level)
{
	return (struct spf_profile){
		.level = level, .helo = true, .lookup_max = 10, .void_max = 2
	};
}

static unsigned budget = LOOKUP_BUDGET; /* questions of the next message */

/* The results stay until the next call. */
static const struct spf_result *judge(const struct spf_profile *p, const struct row *row,
				      struct lookup *l, struct message *m)
{
	static struct one o;
	static _Alignas(16) uint8_t fields[1 << 18];
	struct header h;
	struct arena arena;
	struct origin origin = { .has_client = row->ip,
				 .has_helo = row->helo,
				 .has_mail_from = row->from };
	arena_init(&arena, fields, sizeof fields);
	CU_ASSERT_FATAL(header_split(&h, bytes_str(row->header), 1, &arena));
	if (row->ip)
		origin.client = spf_case_ip(row->ip);
	origin.helo = bytes_str(row->helo ? row->helo : "");
	origin.mail_from = bytes_str(row->from ? row->from : "");
	o.setup = (struct sender_setup){ .known = &l->known,
					 .arena = &l->arena,
					 .profile = p,
					 .message = m,
					 .header = &h,
					 .origin = &origin,
					 .receiver = bytes_str("mx.receiver.example") };
	lookup_again(l);
	l->known.budget = budget;
	lookup_run(l, &l->known, step, &o);
	return o.out;
}

/* A whole message of that header. */
static struct message whole(const char *header)
{
	return (struct message){ .size = strlen(header),
				 .header_len = (uint32_t)strlen(header),
				 .intact = strlen(header),
				 .complete = true };
}

static void run(const struct spf_profile *p, const struct row *row, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned mode = LOOKUP_ALL; mode <= LOOKUP_ONE; mode++) {
			char have[128] = "";
			struct lookup *l = lookup_new(zone);
			struct message m = whole(row[i].header);
			l->mode = mode;
			const struct spf_result *r = judge(p, &row[i], l, &m);
			for (unsigned k = 0; k < SPF_IDENTITY_N; k++) {
				CU_ASSERT_EQUAL(r[k].identity, k);
				strcat(strcat(have, k ? " " : ""),
				       r[k].checked ? auth_result_name(r[k].result) : "-");
			}
			CU_ASSERT_STRING_EQUAL(have, row[i].want);
			if (strcmp(have, row[i].want))
				fprintf(stderr, "row %u: %s, not %s\n", i, have, row[i].want);
			lookup_free(l);
		}
}

/* C-70 as this project reads it: the default of a profile, which is all zero, is level spf. */
static void c70_c71_c76_level_spf(void)
{
	CU_ASSERT_EQUAL(SPF_LEVEL_SPF, 0);
	static const struct row rows[] = {
		{ "192.0.2.1", "helo.example", "x@from.example", "From: a@pra.example\r\n",
		  "pass pass -" },
		{ "192.0.2.2", "helo.example", "x@from.example", "", "fail fail -" },
		{ "192.0.2.2", "helo.example", "x@both.example", "", "fail fail -" },
		{ "192.0.2.1", "text.example", "x@pra.example", "", "none none -" },
		{ "192.0.2.1", "gone.example", "x@gone.example", "", "none none -" },
		{ "192.0.2.1", "helo.example", "", "", "pass pass -" },
		{ "192.0.2.2", "[192.0.2.2]", "", "", "none none -" },
		{ "192.0.2.1", "x@helo.example", "", "", "none none -" },
		{ "192.0.2.1", "h", "nobody", "", "none none -" },
	};
	struct spf_profile p = profile(SPF_LEVEL_SPF);
	run(&p, rows, N(rows));
}

static void c72_c76_level_sidf(void)
{
	static const struct row rows[] = {
		{ "192.0.2.1", "helo.example", "x@from.example", "From: a@from.example\r\n",
		  "- pass pass" },
		{ "192.0.2.2", "helo.example", "x@both.example", "From: a@both.example\r\n",
		  "- pass pass" },
		{ "192.0.2.1", "helo.example", "x@both.example", "From: a@both.example\r\n",
		  "- softfail softfail" },
		{ "192.0.2.1", "helo.example", "x@pra.example", "From: a@pra.example\r\n",
		  "- none pass" },
		/* what does not exist or is malformed fails */
		{ "192.0.2.1", "helo.example", "x@gone.example", "From: a@gone.example\r\n",
		  "- fail fail" },
		{ "192.0.2.1", "helo.example", "x@[192.0.2.1]", "From: nobody\r\n", "- fail fail" },
		{ "192.0.2.1", "x@y", "", "Subject: x\r\n", "- fail fail" },
		{ "192.0.2.1", "helo.example", "x@text.example", "From: a@text.example\r\n",
		  "- none none" },
		{ "192.0.2.1", "helo.example", "", "From: a@pra.example\r\n", "- pass pass" },
	};
	struct spf_profile p = profile(SPF_LEVEL_SIDF);
	run(&p, rows, N(rows));
}

static void c73_c76_level_sidf_compatible(void)
{
	static const struct row rows[] = {
		{ "192.0.2.1", "helo.example", "x@from.example", "From: a@from.example\r\n",
		  "pass pass none" },
		{ "192.0.2.2", "both.example", "x@both.example", "From: a@both.example\r\n",
		  "fail pass pass" },
		{ "192.0.2.1", "helo.example", "x@gone.example", "From: a@gone.example\r\n",
		  "pass none none" },
		{ "192.0.2.1", "helo.example", "x@[192.0.2.1]", "From: a, b\r\n",
		  "pass none none" },
		{ "192.0.2.1", "helo.example", "", "From: a@pra.example\r\n", "pass pass pass" },
		{ "192.0.2.1", "helo.example", "x@from.example",
		  "Sender: s@pra.example\r\nFrom: a@gone.example\r\n", "pass pass pass" },
	};
	struct spf_profile p = profile(SPF_LEVEL_SIDF_COMPATIBLE);
	run(&p, rows, N(rows));
}

/* What sites are told to publish: for HELO, for both protocols, and against Sender ID. */
static void c93_published(void)
{
	static const struct row rows[] = {
		{ "192.0.2.1", "mx.c93.example", "x@c93.example", "From: a@c93.example\r\n",
		  "pass pass pass" },
		{ "192.0.2.2", "mx.c93.example", "x@c93.example", "From: a@c93.example\r\n",
		  "fail fail fail" },
		{ "192.0.2.1", "mx.c93.example", "x@no.c93.example", "From: a@no.c93.example\r\n",
		  "pass pass softfail" },
	};
	struct spf_profile p = profile(SPF_LEVEL_SIDF_COMPATIBLE);
	run(&p, rows, N(rows));
}

static void c74_downgrade(void)
{
	static const char *const headers[] = {
		"From: a@pra.example\r\n",
		"Resent-Sender: a@pra.example\r\nFrom: b@x.example\r\n",
		"Resent-From: a@pra.example\r\nFrom: b@x.example\r\n",
		"Resent-To: b@x.example\r\nFrom: a@pra.example\r\n",
	};
	for (unsigned level = 0; level <= SPF_LEVEL_SIDF_COMPATIBLE; level++)
		for (unsigned on = 0; on < 2; on++)
			for (unsigned i = 0; i < N(headers); i++) {
				struct spf_profile p = profile(level);
				p.pra_downgrade = on;
				struct row row = { "192.0.2.1", "helo.example", "x@from.example",
						   headers[i], "" };
				struct lookup *l = lookup_new(zone);
				struct message m = whole(headers[i]);
				const struct spf_result *r = &judge(&p, &row, l, &m)[SPF_PRA];
				bool down = level == SPF_LEVEL_SIDF_COMPATIBLE && on &&
					    (i == 1 || i == 2);
				CU_ASSERT_EQUAL(r->checked, level != SPF_LEVEL_SPF);
				CU_ASSERT_EQUAL(r->downgraded, down);
				CU_ASSERT_EQUAL(r->result,
						down || !r->checked ? AUTH_NONE : AUTH_PASS);
				CU_ASSERT(!down || strcmp(r->reason, "resent") == 0);
				lookup_free(l);
			}
	/* only a pass is taken back */
	struct spf_profile p = profile(SPF_LEVEL_SIDF_COMPATIBLE);
	p.pra_downgrade = true;
	static const struct row fail = { "192.0.2.9", "helo.example", "x@from.example",
					 "Resent-From: a@pra.example\r\n", "fail fail fail" };
	run(&p, &fail, 1);
}

static void c75_helo_switch(void)
{
	static const struct row rows[] = {
		{ "192.0.2.1", "helo.example", "x@from.example", "From: a@pra.example\r\n",
		  "- pass -" },
		{ "192.0.2.1", "helo.example", "", "From: a@pra.example\r\n", "- pass -" },
	};
	struct spf_profile p = profile(SPF_LEVEL_SPF);
	p.helo = false;
	run(&p, rows, N(rows));
	static const struct row compatible = { "192.0.2.1", "helo.example", "x@from.example",
					       "From: a@pra.example\r\n", "- pass pass" };
	p.level = SPF_LEVEL_SIDF_COMPATIBLE;
	run(&p, &compatible, 1);
}

/* N-3: what was not seen is unverifiable. */
static void n3_unseen(void)
{
	static const struct row rows[] = {
		{ NULL, "helo.example", "x@from.example", "From: a@pra.example\r\n",
		  "unverifiable unverifiable unverifiable" },
		{ "192.0.2.1", NULL, "x@from.example", "From: a@pra.example\r\n",
		  "unverifiable pass pass" },
		{ "192.0.2.1", "helo.example", NULL, "From: a@pra.example\r\n",
		  "pass unverifiable pass" },
		{ "192.0.2.1", NULL, "", "From: a@pra.example\r\n",
		  "unverifiable unverifiable pass" },
	};
	struct spf_profile p = profile(SPF_LEVEL_SIDF_COMPATIBLE);
	run(&p, rows, N(rows));
	/* a header with a hole in it says nothing of the PRA */
	for (unsigned level = SPF_LEVEL_SIDF; level <= SPF_LEVEL_SIDF_COMPATIBLE; level++) {
		struct lookup *l = lookup_new(zone);
		struct message m = whole(rows[0].header);
		p.level = level;
		m.intact = 5;
		m.complete = false;
		struct row row = { "192.0.2.1", "helo.example", "x@from.example",
				   "From: a@pra.example\r\n", "" };
		const struct spf_result *r = &judge(&p, &row, l, &m)[SPF_PRA];
		CU_ASSERT(r->checked && r->result == AUTH_UNVERIFIABLE);
		CU_ASSERT_STRING_EQUAL(r->reason, "no_header");
		lookup_free(l);
	}
}

/* Nor does one of which not all fields were told apart. */
static void n3_many_fields(void)
{
	enum { FIELDS = HEADER_FIELDS_MAX + 1 };
	static char text[FIELDS * 5 + 64];
	size_t n = (size_t)sprintf(text, "From: a@pra.example\r\n");
	for (unsigned i = 0; i < FIELDS; i++)
		n += (size_t)sprintf(text + n, "X:\r\n");
	struct spf_profile p = profile(SPF_LEVEL_SIDF);
	struct row row = { "192.0.2.1", "helo.example", "x@from.example", text,
			   "- pass unverifiable" };
	run(&p, &row, 1);
}

/* What stands in the results of a null sender; and all identities ask together. */
static void identities(void)
{
	struct spf_profile p = profile(SPF_LEVEL_SPF);
	struct lookup *l = lookup_new(zone);
	struct message m = whole("");
	struct row null = { "192.0.2.1", "Helo.Example", "", "", "" };
	const struct spf_result *r = judge(&p, &null, l, &m);
	CU_ASSERT(bytes_equal(r[SPF_MAILFROM].sender, bytes_str("postmaster@helo.example")));
	CU_ASSERT(bytes_equal(r[SPF_MAILFROM].domain, bytes_str("helo.example")));
	CU_ASSERT_EQUAL(l->questions, 1);
	struct row three = { "192.0.2.1", "helo.example", "x@from.example",
			     "From: a@pra.example\r\n", "" };
	p.level = SPF_LEVEL_SIDF_COMPATIBLE;
	m = whole(three.header);
	r = judge(&p, &three, l, &m);
	CU_ASSERT(l->rounds == 2 && l->questions == 3);
	CU_ASSERT(bytes_equal(r[SPF_PRA].sender, bytes_str("a@pra.example")));
	CU_ASSERT(bytes_equal(r[SPF_MAILFROM].mechanism, bytes_str("ip4:192.0.2.1")));
	lookup_free(l);
}

/* The trace tells every step, once. */
static void c94_trace(void)
{
	static const char *const lines[] = { "mailfrom x@both.example",
					     "helo helo.example",
					     "v=spf1 ip4:192.0.2.1 -all",
					     "ip4:192.0.2.1: match",
					     "PRA of From: a@both.example",
					     "spf2.0/mfrom,pra ip4:192.0.2.2 ~all",
					     "ip4:192.0.2.2: no match",
					     "~all: match",
					     "softfail" };
	struct spf_profile p = profile(SPF_LEVEL_SIDF_COMPATIBLE);
	struct lookup *l = lookup_new(zone);
	struct row row = { "192.0.2.1", "helo.example", "x@both.example",
			   "From: a@both.example\r\n", "" };
	struct message m = whole(row.header);
	l->known.trace = trace_new();
	judge(&p, &row, l, &m);
	struct bytes text = trace_text(l->known.trace, TRACE_SPF);
	const uint8_t *at = text.p;
	for (unsigned i = 0; i < N(lines); i++) {
		at = memmem(at, text.n - (size_t)(at - text.p), lines[i], strlen(lines[i]));
		CU_ASSERT_FATAL(at != NULL);
	}
	CU_ASSERT(!memmem(at, text.n - (size_t)(at - text.p), "helo helo", 9));
	trace_free(l->known.trace);
	l->known.trace = NULL;
	lookup_free(l);
}

/* What HELO and PRA may be of anybody's making: they leave MAIL FROM half of the questions. */
static void h5_mail_from_comes_first(void)
{
	struct lookup *l =
		lookup_new("greedy.example. TXT \"v=spf1 mx:a.example mx:b.example "
			   "mx:c.example mx:d.example mx:e.example -all\"\n"
			   "victim.example. TXT \"v=spf1 include:a.victim.example -all\"\n"
			   "a.victim.example. TXT \"v=spf1 include:b.victim.example ?all\"\n"
			   "b.victim.example. TXT \"v=spf1 ip4:192.0.2.9 ?all\"\n"
			   "a.example. MX 1 h.a.example.\nb.example. MX 1 h.b.example.\n"
			   "c.example. MX 1 h.c.example.\nd.example. MX 1 h.d.example.\n"
			   "e.example. MX 1 h.e.example.\nh.a.example. A 192.0.2.1\n"
			   "h.b.example. A 192.0.2.1\nh.c.example. A 192.0.2.1\n"
			   "h.d.example. A 192.0.2.1\nh.e.example. A 192.0.2.1\n");
	struct spf_profile p = profile(SPF_LEVEL_SIDF_COMPATIBLE);
	struct row row = { "192.0.2.2", "greedy.example", "x@victim.example",
			   "From: a@greedy.example\r\n", "" };
	struct message m = whole(row.header);
	for (unsigned mode = LOOKUP_ALL; mode <= LOOKUP_ONE; mode++)
		for (budget = 4; budget <= 14; budget++) {
			l->mode = (enum lookup_mode)mode;
			const struct spf_result *r = judge(&p, &row, l, &m);
			CU_ASSERT_EQUAL(r[SPF_MAILFROM].result, AUTH_FAIL);
			CU_ASSERT_EQUAL(r[SPF_HELO].result, AUTH_TEMPERROR);
			CU_ASSERT_FALSE(l->known.reserve);
		}
	budget = LOOKUP_BUDGET;
	lookup_free(l);
}

TEST_MAIN("sender", TEST(h5_mail_from_comes_first), TEST(c70_c71_c76_level_spf),
	  TEST(c72_c76_level_sidf), TEST(c73_c76_level_sidf_compatible), TEST(c93_published),
	  TEST(c74_downgrade), TEST(c75_helo_switch), TEST(n3_unseen), TEST(n3_many_fields),
	  TEST(identities), TEST(c94_trace))
