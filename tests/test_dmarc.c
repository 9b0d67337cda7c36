/* A message passes DMARC only by what is aligned with its one author, whatever the order of answers. */
#include "tests/lookup.h"
#include "tests/test.h"
#include "verify/auth/dmarc.h"

#include <stdio.h>
#include <stdlib.h>

#define LIST "/usr/share/publicsuffix/public_suffix_list.dat"

static const char zone[] =
	/* RFC 9989 appendix B.1, B.2, B.4.1 */
	"_dmarc.example.com. 60 TXT \"v=DMARC1; p=reject; aspf=r; rua=mailto:d@example.com\"\n"
	"_dmarc.signing.example.com. 60 TXT \"v=DMARC1; p=none\"\n"
	"_dmarc.test.example.com. 60 TXT \"v=DMARC1; p=quarantine; rua=mailto:d@example.com,\" "
	"\"mailto:tld-test@thirdparty.example.net; t=y\"\n"
	"_dmarc.monitor.example. 60 TXT \"v=DMARC1; p=none; \" \"rua=mailto:f@monitor.example; \" "
	"\"ruf=mailto:auth@monitor.example; fo=1:d\"\n"
	/* B.4.3 */
	"_dmarc.bank.example. 60 TXT \"v=DMARC1; p=reject; psd=y\"\n"
	"_dmarc.giant.bank.example. 60 TXT \"v=DMARC1; p=quarantine\"\n"
	"mega.bank.example. 60 A 192.0.2.1\n"
	/* policies for subdomains */
	"_dmarc.sub.example. 60 TXT \"v=DMARC1; p=none; sp=quarantine; np=reject\"\n"
	"there.sub.example. 60 A 192.0.2.1\n"
	"deep.empty.sub.example. 60 A 192.0.2.1\n"
	";ERROR,slow.sub.example.,A,TIMEOUT\n"
	";ERROR,broken.sub.example.,A,SERVFAIL\n"
	"_dmarc.nosp.example. 60 TXT \"v=DMARC1; p=quarantine; np=none\"\n"
	"_dmarc.nonp.example. 60 TXT \"v=DMARC1; p=quarantine; sp=none\"\n"
	"_dmarc.tests.example. 60 TXT \"v=DMARC1; p=reject; sp=quarantine; np=none; t=y\"\n"
	/* alignment */
	"_dmarc.strict.example. 60 TXT \"v=DMARC1; p=reject; adkim=s; aspf=s\"\n"
	"_dmarc.mixed.example. 60 TXT \"v=DMARC1; p=reject; adkim=s\"\n"
	/* trees */
	"_dmarc.a.tree.example. 60 TXT \"v=DMARC1; p=reject\"\n"
	"_dmarc.tree.example. 60 TXT \"v=DMARC1; p=none\"\n"
	"_dmarc.own.tree.example. 60 TXT \"v=DMARC1; p=quarantine; psd=n\"\n"
	"_dmarc.only.child.example. 60 TXT \"v=DMARC1; p=reject\"\n"
	"_dmarc.deep.example. 60 TXT \"v=DMARC1; p=reject\"\n"
	"_dmarc.a.b.c.d.e.f.g.deep.example. 60 TXT \"v=DMARC1; p=quarantine\"\n"
	"_dmarc.b.c.d.e.f.g.deep.example. 60 TXT \"v=DMARC1; p=none; psd=n\"\n"
	"_dmarc.gov.uk. 60 TXT \"v=DMARC1; p=reject; sp=none\"\n"
	"_dmarc.psd. 60 TXT \"v=DMARC1; p=reject; sp=quarantine; np=reject; psd=y\"\n"
	"_dmarc.has.psd. 60 TXT \"v=DMARC1; p=none\"\n"
	"www.none.psd. 60 A 192.0.2.1\n"
	/* records that are none, or not alone */
	"_dmarc.two.example. 60 TXT \"v=DMARC1; p=reject\"\n"
	"_dmarc.two.example. 60 TXT \"v=DMARC1; p=none\"\n"
	"_dmarc.a.two.tree.example. 60 TXT \"v=DMARC1; p=reject\"\n"
	"_dmarc.a.two.tree.example. 60 TXT \"v=DMARC1; p=none\"\n"
	"_dmarc.other.example. 60 TXT \"v=spf1 -all\"\n"
	"_dmarc.other.example. 60 TXT \"v=DMARC1; p=reject\"\n"
	"_dmarc.text.example. 60 TXT \"p=reject; v=DMARC1\"\n"
	"_dmarc.bad.example. 60 TXT \"v=DMARC1; p=refuse\"\n"
	"_dmarc.badrua.example. 60 TXT \"v=DMARC1; p=refuse; rua=mailto:a@b.example\"\n"
	"_dmarc.badsp.example. 60 TXT \"v=DMARC1; p=reject; sp=x\"\n"
	"_dmarc.badsprua.example. 60 TXT \"v=DMARC1; p=reject; sp=x; rua=mailto:a@b.example\"\n"
	"_dmarc.badnp.example. 60 TXT \"v=DMARC1; p=reject; np=x\"\n"
	"_dmarc.nop.example. 60 TXT \"v=DMARC1\"\n"
	"_dmarc.noprua.example. 60 TXT \"v=DMARC1; sp=reject; rua=mailto:a@b.example\"\n"
	"_dmarc.nopbad.example. 60 TXT \"v=DMARC1; rua=a@b.example\"\n"
	/* pct */
	"_dmarc.zero-pct.com. 60 TXT \"v=DMARC1; p=reject; sp=quarantine; pct=0\"\n"
	"_dmarc.half-pct.com. 60 TXT \"v=DMARC1; p=reject; pct=50; t=y; np=none\"\n"
	/* errors */
	";ERROR,_dmarc.late.example.,TXT,TIMEOUT\n"
	";ERROR,_dmarc.broken.example.,TXT,SERVFAIL\n"
	"_dmarc.fine.late.example. 60 TXT \"v=DMARC1; p=reject\"\n"
	";ERROR,_dmarc.x.fine2.example.,TXT,TIMEOUT\n"
	"_dmarc.fine2.example. 60 TXT \"v=DMARC1; p=reject\"\n"
	"_dmarc.xn--bcher-kva.example. 60 TXT \"v=DMARC1; p=reject\"\n"
	"_dmarc.other.com. 60 TXT \"v=DMARC1; p=quarantine\"\n";

static struct suffixes *list;

struct input {
	int walk;
	const char *from; /* author domains with blanks between; '!' and a digit before: flag */
	const char *spf; /* "result domain", NULL: not checked */
	const char *dkim; /* the same, with commas between; t: test mode, l: partial */
};

struct run {
	struct lookup *l;
	struct dmarc_setup setup;
	struct verdict_from from;
	struct spf_result spf;
	struct dkim_result dkim[8];
	struct dmarc_result out;
	char text[512];
};

static uint8_t result_of(const char *word, size_t n)
{
	for (unsigned i = 0; i < AUTH_RESULT_N; i++)
		if (bytes_equal(bytes_str(auth_result_name(i)), bytes_of(word, n)))
			return (uint8_t)i;
	abort();
}

static void make_dkim(struct run *r, const char *p)
{
	while (p && *p) {
		struct dkim_result *d = &r->dkim[r->setup.n_dkim++];
		size_t n = strcspn(p, " "), len;
		*d = (struct dkim_result){ .result = result_of(p, n) };
		p += n + 1;
		len = strcspn(p, ", ");
		d->domain = bytes_of(p, len);
		p += len;
		for (; *p == ' ' || *p == 't' || *p == 'l'; p++) {
			d->test_mode |= *p == 't';
			d->partial |= *p == 'l';
		}
		p += strspn(p, ", ");
	}
}

static void make(struct run *r, struct lookup *l, const struct input *in)
{
	*r = (struct run){ .l = l };
	r->setup = (struct dmarc_setup){ .known = &l->known,
					 .arena = &l->arena,
					 .walk = in->walk,
					 .suffixes = list,
					 .from = &r->from,
					 .dkim = r->dkim,
					 .sample = 1 };
	for (const char *p = in->from; *p;) {
		size_t n = strcspn(p, " ");
		if (*p == '!')
			r->from.flags |= 1u << (p[1] - 'a');
		else
			r->from.domain[r->from.n_shown++] = bytes_of(p, n);
		p += n;
		p += strspn(p, " ");
	}
	/* as address.h has it: none where there is more than one reading */
	if (!(r->from.flags &
	      (FROM_NONE | FROM_SEVERAL_FIELDS | FROM_MALFORMED | FROM_NO_DOMAIN | FROM_UNSEEN)) &&
	    !(r->from.flags & FROM_LIMIT && r->from.n_shown > 1))
		r->from.n_domain = r->from.n_shown;
	if (in->spf) {
		size_t n = strcspn(in->spf, " ");
		r->spf = (struct spf_result){ .checked = true, .result = result_of(in->spf, n) };
		if (in->spf[n])
			r->spf.domain = bytes_str(in->spf + n + 1);
		r->setup.spf = &r->spf;
	}
	make_dkim(r, in->dkim);
}

static bool step(void *ctx)
{
	struct run *r = ctx;
	return dmarc_check(&r->setup, &r->out);
}

/* result:reason policy<published SD at org, of what is there */
static void print(struct run *r)
{
	const struct dmarc_result *o = &r->out;
	int n = snprintf(r->text, sizeof r->text, "%s%s%s", auth_result_name(o->result),
			 o->reason ? ":" : "", o->reason ? o->reason : "");
	if (!o->has_record)
		return;
	n += snprintf(r->text + n, sizeof r->text - (size_t)n, " %s", dmarc_policy_name(o->policy));
	if (o->policy != o->published)
		n += snprintf(r->text + n, sizeof r->text - (size_t)n, "<%s",
			      dmarc_policy_name(o->published));
	snprintf(r->text + n, sizeof r->text - (size_t)n, "%s%s%s%s%s %.*s %.*s",
		 o->spf_aligned || o->dkim_aligned ? " " : "", o->spf_aligned ? "S" : "",
		 o->dkim_aligned ? "D" : "", o->nonexistent ? " np" : "",
		 o->discovery == DMARC_PSL ? " psl" : "", (int)o->domain.n,
		 (const char *)o->domain.p, (int)o->organization.n,
		 (const char *)o->organization.p);
}

/* All ways to come to a result: asked early or not, answers at once or one by one. */
static void expect(const struct input *in, const char *want)
{
	static struct run r;
	for (unsigned way = 0; way < 4; way++) {
		struct lookup *l = lookup_new(zone);
		l->mode = way & 1 ? LOOKUP_ONE : LOOKUP_ALL;
		make(&r, l, in);
		if (way & 2) {
			/* results of SPF and DKIM are not there yet */
			uint8_t spf = r.spf.result, dkim[8];
			r.spf.result = AUTH_NONE;
			for (unsigned i = 0; i < r.setup.n_dkim; i++) {
				dkim[i] = r.dkim[i].result;
				r.dkim[i].result = AUTH_NONE;
			}
			r.setup.early = true;
			CU_ASSERT(lookup_run(l, &l->known, step, &r));
			r.setup.early = false;
			r.spf.result = spf;
			for (unsigned i = 0; i < r.setup.n_dkim; i++)
				r.dkim[i].result = dkim[i];
		}
		CU_ASSERT(lookup_run(l, &l->known, step, &r));
		if (way & 2)
			CU_ASSERT_EQUAL(l->questions, 0);
		print(&r);
		if (strcmp(r.text, want) != 0)
			printf("\n%d %s | %s | %s, way %u: %s, not %s\n", in->walk, in->from,
			       in->spf ? in->spf : "", in->dkim ? in->dkim : "", way, r.text, want);
		CU_ASSERT_STRING_EQUAL(r.text, want);
		lookup_free(l);
	}
}

struct row {
	struct input in;
	const char *want;
};

#define RFC WALK_RFC9989
#define PSL WALK_PSL
#define AUTO WALK_AUTO

static void expect_all(const struct row *row, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		expect(&row[i].in, row[i].want);
}

#define EXPECT(...) \
	static const struct row rows[] = { __VA_ARGS__ }; \
	expect_all(rows, sizeof rows / sizeof rows[0])

static void f20_appendix_b1_alignment(void)
{
	EXPECT({ { RFC, "example.com", "pass example.com", NULL },
		 "pass reject S example.com example.com" },
	       { { RFC, "example.com", "pass child.example.com", NULL },
		 "pass reject S example.com example.com" },
	       { { RFC, "child.example.com", "pass example.net", NULL },
		 "fail:not_aligned reject example.com example.com" },
	       { { RFC, "example.com", NULL, "pass example.com" },
		 "pass reject D example.com example.com" },
	       { { RFC, "child.example.com", NULL, "pass example.com" },
		 "pass reject D example.com example.com" },
	       { { RFC, "child.example.com", NULL, "pass example.net" },
		 "fail:not_aligned reject example.com example.com" },
	       /* the same by the list: RFC 7489 appendix B.1 */
	       { { PSL, "example.com", "pass example.com", NULL },
		 "pass reject S psl example.com example.com" },
	       { { PSL, "example.com", "pass child.example.com", NULL },
		 "pass reject S psl example.com example.com" },
	       { { PSL, "child.example.com", "pass example.net", NULL },
		 "fail:not_aligned reject psl example.com example.com" },
	       { { PSL, "child.example.com", NULL, "pass example.com" },
		 "pass reject D psl example.com example.com" },
	       { { PSL, "sample.net", NULL, "pass example.com" }, "none:no_record" });
}

static void f20_appendix_b2_records(void)
{
	EXPECT({ { RFC, "monitor.example", "fail monitor.example", NULL },
		 "fail:not_authenticated none monitor.example monitor.example" },
	       { { RFC, "test.example.com", NULL, NULL },
		 "fail:not_authenticated none<quarantine test.example.com example.com" },
	       { { RFC, "test.example.com", "pass example.com", NULL },
		 "pass none<quarantine S test.example.com example.com" },
	       /* B.3.1 */
	       { { RFC, "example.com", "pass mail.example.com", "pass example.com" },
		 "pass reject SD example.com example.com" });
}

static void f20_appendix_b4_walks(void)
{
	EXPECT(/* B.4.1 */
	       { { RFC, "example.com", "pass example.com", "pass signing.example.com" },
		 "pass reject SD example.com example.com" },
	       /* B.4.2 */
	       { { RFC, "a.b.c.d.e.f.g.h.i.j.k.example.com", "pass example.com",
		   "pass signing.example.com" },
		 "pass reject SD example.com example.com" },
	       /* B.4.3 */
	       { { RFC, "giant.bank.example", "pass mail.giant.bank.example",
		   "pass mail.mega.bank.example" },
		 "pass quarantine S giant.bank.example giant.bank.example" },
	       { { RFC, "mega.bank.example", NULL, "pass giant.bank.example" },
		 "fail:not_aligned reject bank.example mega.bank.example" },
	       { { RFC, "x.mega.bank.example", NULL, "pass mega.bank.example" },
		 "pass reject D bank.example mega.bank.example" });
}

static void f20_sp_np(void)
{
	EXPECT({ { RFC, "sub.example", NULL, NULL },
		 "fail:not_authenticated none sub.example sub.example" },
	       { { RFC, "there.sub.example", NULL, NULL },
		 "fail:not_authenticated quarantine sub.example sub.example" },
	       { { RFC, "not.sub.example", NULL, NULL },
		 "fail:not_authenticated reject np sub.example sub.example" },
	       /* an empty non-terminal is there: NODATA (RFC 8020) */
	       { { RFC, "empty.sub.example", NULL, NULL },
		 "fail:not_authenticated quarantine sub.example sub.example" },
	       { { RFC, "slow.sub.example", NULL, NULL },
		 "temperror:existence quarantine sub.example sub.example" },
	       { { RFC, "broken.sub.example", NULL, NULL },
		 "temperror:existence quarantine sub.example sub.example" },
	       { { RFC, "slow.sub.example", "pass sub.example", NULL },
		 "pass quarantine S sub.example sub.example" },
	       { { RFC, "not.sub.example", "pass sub.example", NULL },
		 "pass reject S np sub.example sub.example" },
	       { { RFC, "not.nosp.example", NULL, NULL },
		 "fail:not_authenticated none np nosp.example nosp.example" },
	       { { RFC, "not.nonp.example", NULL, NULL },
		 "fail:not_authenticated none nonp.example nonp.example" },
	       /* np is unknown to RFC 7489 */
	       { { PSL, "not.sub.example", NULL, NULL },
		 "fail:not_authenticated quarantine psl sub.example sub.example" },
	       { { PSL, "a.there.sub.example", NULL, NULL },
		 "fail:not_authenticated quarantine psl sub.example sub.example" });
}

static void f20_testing(void)
{
	EXPECT({ { RFC, "tests.example", NULL, NULL },
		 "fail:not_authenticated quarantine<reject tests.example tests.example" },
	       { { RFC, "x.tests.example", NULL, NULL },
		 "fail:not_authenticated none np tests.example tests.example" },
	       /* pct is unknown to RFC 9989, t and np to RFC 7489 */
	       { { RFC, "zero-pct.com", NULL, NULL },
		 "fail:not_authenticated reject zero-pct.com zero-pct.com" },
	       { { AUTO, "zero-pct.com", NULL, NULL },
		 "fail:not_authenticated reject zero-pct.com zero-pct.com" },
	       { { PSL, "zero-pct.com", NULL, NULL },
		 "fail:not_authenticated quarantine<reject psl zero-pct.com zero-pct.com" },
	       { { PSL, "x.zero-pct.com", NULL, NULL },
		 "fail:not_authenticated none<quarantine psl zero-pct.com zero-pct.com" },
	       { { RFC, "half-pct.com", NULL, NULL },
		 "fail:not_authenticated quarantine<reject half-pct.com half-pct.com" });
}

/* C-101, C-103: strict and relaxed, for each of SPF and DKIM. */
static void c101_alignment(void)
{
	EXPECT({ { RFC, "strict.example", "pass strict.example", NULL },
		 "pass reject S strict.example strict.example" },
	       { { RFC, "strict.example", "pass a.strict.example", "pass b.strict.example" },
		 "fail:not_aligned reject strict.example strict.example" },
	       { { RFC, "x.strict.example", "pass strict.example", "pass x.strict.example" },
		 "pass reject D strict.example strict.example" },
	       { { RFC, "mixed.example", "pass a.mixed.example", "pass a.mixed.example" },
		 "pass reject S mixed.example mixed.example" },
	       { { RFC, "example.com", "softfail example.com",
		   "fail example.com, pass example.com" },
		 "pass reject D example.com example.com" },
	       { { RFC, "example.com", "neutral example.com", "policy example.com" },
		 "fail:not_authenticated reject example.com example.com" },
	       { { RFC, "example.com", "pass notexample.com", "pass com" },
		 "fail:not_aligned reject example.com example.com" },
	       { { RFC, "example.com", NULL, "pass EXAMPLE.Com" },
		 "pass reject D example.com example.com" },
	       { { RFC, "example.com", NULL, "pass example.com." },
		 "pass reject D example.com example.com" },
	       { { RFC, "xn--bcher-kva.example", NULL,
		   "pass b\xc3\xbc"
		   "cher.example" },
		 "pass reject D xn--bcher-kva.example xn--bcher-kva.example" },
	       /* a key in test mode; an l= that leaves octets uncovered */
	       { { RFC, "example.com", NULL, "pass example.com t" },
		 "fail:not_authenticated reject example.com example.com" },
	       { { RFC, "example.com", NULL, "pass example.com l" },
		 "fail:not_authenticated reject example.com example.com" });
}

static void f20_organizations(void)
{
	EXPECT({ { RFC, "a.tree.example", "pass b.tree.example", NULL },
		 "pass reject S a.tree.example tree.example" },
	       /* psd=n makes an organization of its own, for itself and for others */
	       { { RFC, "own.tree.example", "pass tree.example", NULL },
		 "fail:not_aligned quarantine own.tree.example own.tree.example" },
	       { { RFC, "a.own.tree.example", "pass b.own.tree.example", NULL },
		 "pass quarantine S own.tree.example own.tree.example" },
	       { { RFC, "tree.example", "pass own.tree.example", NULL },
		 "fail:not_aligned none tree.example tree.example" },
	       { { RFC, "a.tree.example", NULL, "pass b.own.tree.example, pass c.tree.example" },
		 "pass reject D a.tree.example tree.example" },
	       { { RFC, "a.only.child.example", "pass b.only.child.example", NULL },
		 "pass reject S only.child.example only.child.example" },
	       { { RFC, "only.child.example", "pass child.example", NULL },
		 "fail:not_aligned reject only.child.example only.child.example" },
	       { { RFC, "child.example", NULL, NULL }, "none:no_record" },
	       /* nine labels: their own record is found, the one below the jump is not */
	       { { RFC, "a.b.c.d.e.f.g.deep.example", NULL, NULL },
		 "fail:not_authenticated quarantine a.b.c.d.e.f.g.deep.example deep.example" },
	       { { RFC, "z.b.c.d.e.f.g.deep.example", NULL, NULL },
		 "fail:not_authenticated reject deep.example deep.example" },
	       { { RFC, "b.c.d.e.f.g.deep.example", NULL, NULL },
		 "fail:not_authenticated none b.c.d.e.f.g.deep.example b.c.d.e.f.g.deep.example" },
	       { { RFC, "c.d.e.f.g.deep.example", NULL, NULL },
		 "fail:not_authenticated reject deep.example deep.example" },
	       /* a public suffix with psd=y */
	       { { RFC, "psd", "pass psd", NULL }, "pass reject S psd psd" },
	       { { RFC, "psd", "pass has.psd", "pass www.none.psd" },
		 "fail:not_aligned reject psd psd" },
	       { { RFC, "has.psd", "pass x.has.psd", NULL }, "pass none S has.psd has.psd" },
	       { { RFC, "www.none.psd", NULL, NULL },
		 "fail:not_authenticated quarantine psd none.psd" },
	       { { RFC, "not.none.psd", NULL, NULL },
		 "fail:not_authenticated reject np psd none.psd" },
	       { { RFC, "none.psd", "pass other.psd", NULL },
		 "fail:not_aligned quarantine psd none.psd" });
}

/* G-9: the list as RFC 7489 has it, and as the ceiling of the walk in `auto`. */
static void g9_walks(void)
{
	EXPECT(/* a registry's record without psd=y */
	       { { RFC, "a.gov.uk", "pass evil.gov.uk", NULL }, "pass none S gov.uk gov.uk" },
	       { { AUTO, "a.gov.uk", "pass evil.gov.uk", NULL },
		 "fail:not_aligned none psl gov.uk a.gov.uk" },
	       { { AUTO, "x.a.gov.uk", "pass a.gov.uk", NULL }, "pass none S psl gov.uk a.gov.uk" },
	       { { AUTO, "gov.uk", "pass a.gov.uk", NULL },
		 "fail:not_aligned reject psl gov.uk gov.uk" },
	       { { AUTO, "gov.uk", NULL, NULL },
		 "fail:not_authenticated reject psl gov.uk gov.uk" },
	       { { PSL, "a.gov.uk", "pass evil.gov.uk", NULL }, "none:no_record" },
	       { { PSL, "gov.uk", NULL, NULL }, "fail:not_authenticated reject psl gov.uk gov.uk" },
	       /* what the DNS says counts more than the list */
	       { { AUTO, "own.tree.example", "pass tree.example", NULL },
		 "fail:not_aligned quarantine own.tree.example own.tree.example" },
	       { { PSL, "own.tree.example", "pass tree.example", NULL },
		 "pass quarantine S psl own.tree.example tree.example" },
	       /* below an organization without a record the walk finds what the list does not */
	       { { AUTO, "a.only.child.example", "pass b.only.child.example", NULL },
		 "pass reject S only.child.example only.child.example" },
	       { { PSL, "a.only.child.example", NULL, NULL }, "none:no_record" },
	       { { AUTO, "example.com", "pass child.example.com", NULL },
		 "pass reject S example.com example.com" },
	       { { PSL, "a.b.example.com", "pass c.example.com", NULL },
		 "pass reject S psl example.com example.com" });
}

/* The mode psl without a list is the walk. */
static void g9_no_list(void)
{
	struct suffixes *kept = list;
	list = NULL;
	EXPECT({ { PSL, "child.example.com", "pass example.com", NULL },
		 "pass reject S example.com example.com" },
	       { { AUTO, "a.gov.uk", "pass evil.gov.uk", NULL }, "pass none S gov.uk gov.uk" },
	       { { PSL, "zero-pct.com", NULL, NULL },
		 "fail:not_authenticated quarantine<reject zero-pct.com zero-pct.com" });
	list = kept;
}

/* Where RFC 9989 and the RFC 7489 that it took the place of differ: pct, np, t and psd are tags of one of
 * them, a bad tag of the other is no error, and each finds an organization in its own way. */
static void f11_two_standards(void)
{
	EXPECT({ { RFC, "zero-pct.com", NULL, NULL },
		 "fail:not_authenticated reject zero-pct.com zero-pct.com" },
	       { { PSL, "zero-pct.com", NULL, NULL },
		 "fail:not_authenticated quarantine<reject psl zero-pct.com zero-pct.com" },
	       { { RFC, "test.example.com", NULL, NULL },
		 "fail:not_authenticated none<quarantine test.example.com example.com" },
	       { { PSL, "test.example.com", NULL, NULL },
		 "fail:not_authenticated quarantine psl test.example.com example.com" },
	       { { RFC, "absent.sub.example", NULL, NULL },
		 "fail:not_authenticated reject np sub.example sub.example" },
	       { { PSL, "absent.sub.example", NULL, NULL },
		 "fail:not_authenticated quarantine psl sub.example sub.example" },
	       { { RFC, "own.tree.example", "pass tree.example", NULL },
		 "fail:not_aligned quarantine own.tree.example own.tree.example" },
	       { { PSL, "own.tree.example", "pass tree.example", NULL },
		 "pass quarantine S psl own.tree.example tree.example" },
	       { { RFC, "badnp.example", NULL, NULL }, "permerror:record_invalid" },
	       { { PSL, "badnp.example", NULL, NULL },
		 "fail:not_authenticated reject psl badnp.example badnp.example" },
	       { { RFC, "a.two.tree.example", NULL, NULL },
		 "fail:not_authenticated none tree.example tree.example" },
	       { { PSL, "a.two.tree.example", NULL, NULL }, "none:several_records" });
}

static void c102_records(void)
{
	EXPECT({ { RFC, "two.example", NULL, NULL }, "none:several_records" },
	       { { PSL, "two.example", NULL, NULL }, "none:several_records" },
	       { { PSL, "a.two.example", NULL, NULL }, "none:several_records" },
	       /* RFC 9989 discards them and goes on; RFC 7489 ends there */
	       { { RFC, "a.two.tree.example", NULL, NULL },
		 "fail:not_authenticated none tree.example tree.example" },
	       { { PSL, "a.two.tree.example", NULL, NULL }, "none:several_records" },
	       { { RFC, "other.example", NULL, NULL },
		 "fail:not_authenticated reject other.example other.example" },
	       { { RFC, "text.example", NULL, NULL }, "none:no_record" },
	       { { RFC, "bad.example", NULL, NULL }, "permerror:record_invalid" },
	       { { RFC, "bad.example", "pass bad.example", NULL }, "permerror:record_invalid" },
	       { { RFC, "x.bad.example", NULL, NULL }, "permerror:record_invalid" },
	       { { RFC, "badrua.example", NULL, NULL },
		 "fail:not_authenticated none badrua.example badrua.example" },
	       { { RFC, "badsp.example", NULL, NULL }, "permerror:record_invalid" },
	       { { RFC, "badsprua.example", NULL, NULL },
		 "fail:not_authenticated none badsprua.example badsprua.example" },
	       { { RFC, "x.badsprua.example", NULL, NULL },
		 "fail:not_authenticated none badsprua.example badsprua.example" },
	       { { RFC, "badnp.example", NULL, NULL }, "permerror:record_invalid" },
	       { { PSL, "badnp.example", NULL, NULL },
		 "fail:not_authenticated reject psl badnp.example badnp.example" },
	       { { RFC, "nop.example", NULL, NULL }, "none:no_policy" },
	       { { RFC, "noprua.example", NULL, NULL },
		 "fail:not_authenticated none noprua.example noprua.example" },
	       { { RFC, "x.noprua.example", NULL, NULL },
		 "fail:not_authenticated reject noprua.example noprua.example" },
	       { { RFC, "nopbad.example", NULL, NULL }, "none:no_policy" });
}

/* C-101: an answer that did not come; what needs none is not touched by it. */
static void c101_temperror(void)
{
	EXPECT({ { RFC, "late.example", NULL, NULL }, "temperror:record_timeout" },
	       { { RFC, "late.example", "pass late.example", NULL }, "temperror:record_timeout" },
	       { { RFC, "x.late.example", NULL, NULL }, "temperror:record_timeout" },
	       { { RFC, "broken.example", NULL, NULL }, "temperror:record_failed" },
	       { { PSL, "x.late.example", NULL, NULL }, "temperror:record_timeout" },
	       { { PSL, "x.fine.late.example", NULL, NULL }, "temperror:record_timeout" },
	       /* a policy is there, only who is its organization is not known */
	       { { RFC, "fine.late.example", "pass fine.late.example", NULL },
		 "pass reject S fine.late.example " },
	       { { RFC, "fine.late.example", NULL, NULL },
		 "fail:not_authenticated reject fine.late.example " },
	       { { RFC, "fine.late.example", "pass late.example", NULL },
		 "temperror:record_timeout reject fine.late.example " },
	       { { RFC, "fine.late.example", "pass elsewhere.org", NULL },
		 "fail:not_aligned reject fine.late.example " },
	       { { RFC, "fine2.example", "pass x.fine2.example", NULL },
		 "temperror:record_timeout reject fine2.example fine2.example" },
	       { { RFC, "fine2.example", "pass x.fine2.example", "pass fine2.example" },
		 "pass reject D fine2.example fine2.example" },
	       /* SPF and DKIM */
	       { { RFC, "example.com", "temperror example.com", NULL },
		 "temperror:spf_temperror reject example.com example.com" },
	       { { RFC, "example.com", "temperror elsewhere.com", NULL },
		 "fail:not_authenticated reject example.com example.com" },
	       { { RFC, "example.com", "fail example.com", "temperror a.example.com" },
		 "temperror:dkim_temperror reject example.com example.com" },
	       { { RFC, "example.com", "pass elsewhere.com", "temperror elsewhere.com" },
		 "fail:not_aligned reject example.com example.com" },
	       { { RFC, "example.com", "temperror example.com", "pass example.com" },
		 "pass reject D example.com example.com" },
	       { { RFC, "example.com", "permerror example.com", "permerror example.com" },
		 "fail:not_authenticated reject example.com example.com" });
}

/* N-3: what was not seen is not held against the author. */
static void n3_unverifiable(void)
{
	EXPECT({ { RFC, "example.com", "unverifiable", NULL },
		 "unverifiable:spf_unverifiable reject example.com example.com" },
	       { { RFC, "example.com", "unverifiable a.example.com", NULL },
		 "unverifiable:spf_unverifiable reject example.com example.com" },
	       { { RFC, "example.com", "unverifiable elsewhere.com", NULL },
		 "fail:not_authenticated reject example.com example.com" },
	       { { RFC, "strict.example", "unverifiable a.strict.example", NULL },
		 "fail:not_authenticated reject strict.example strict.example" },
	       { { RFC, "example.com", "unverifiable", "pass example.com" },
		 "pass reject D example.com example.com" },
	       { { RFC, "example.com", "fail example.com", "unverifiable example.com" },
		 "unverifiable:dkim_unverifiable reject example.com example.com" },
	       { { RFC, "example.com", "fail example.com", "unverifiable elsewhere.com" },
		 "fail:not_authenticated reject example.com example.com" },
	       { { RFC, "nothing.example", "unverifiable", NULL }, "none:no_record" },
	       { { RFC, "!n example.com", "pass example.com", NULL }, "unverifiable:from_unseen" });
}

/* G-21, H-6: From: that is none, several or odd never passes, and no author covers another. */
static void g21_h6_from(void)
{
	EXPECT({ { RFC, "!a", "pass example.com", NULL }, "permerror:from_none" },
	       { { RFC, "!b example.com", "pass example.com", NULL },
		 "permerror:from_several_fields" },
	       { { RFC, "!b example.com", NULL, NULL },
		 "permerror:from_several_fields reject example.com example.com" },
	       { { RFC, "!d example.com other.com", "pass example.com", NULL },
		 "permerror:from_several_domains quarantine other.com other.com" },
	       { { RFC, "example.com other.com", "pass other.com", NULL },
		 "permerror:from_several_domains reject example.com example.com" },
	       { { RFC, "example.com other.com", NULL, NULL },
		 "permerror:from_several_domains reject example.com example.com" },
	       { { RFC, "other.com example.com", NULL, NULL },
		 "permerror:from_several_domains reject example.com example.com" },
	       { { RFC, "other.com nothing.org", "pass other.com", NULL },
		 "permerror:from_several_domains" },
	       { { RFC, "example.com other.com", "pass example.com", "pass other.com" },
		 "permerror:from_several_domains" },
	       { { RFC, "!f example.com", "pass example.com", NULL }, "permerror:from_malformed" },
	       { { RFC, "!f example.com", NULL, NULL },
		 "permerror:from_malformed reject example.com example.com" },
	       { { RFC, "!f", NULL, NULL }, "permerror:from_malformed" },
	       { { RFC, "!o example.com other.com", "pass example.com", "pass other.com" },
		 "permerror:from_limit" },
	       { { RFC, "!m", NULL, NULL }, "permerror:from_no_domain" },
	       { { RFC, "!m example.com", "pass example.com", NULL }, "permerror:from_no_domain" },
	       /* these alone are no reason */
	       { { RFC, "!c !e !g !h !i !j !k !l !o !p example.com", "pass example.com", NULL },
		 "pass reject S example.com example.com" });
}

static unsigned sampled(const char *author, unsigned pct, unsigned n)
{
	static struct run r;
	const struct input in = { PSL, author, NULL, NULL };
	unsigned rejected = 0;
	struct lookup *l = lookup_new(zone);
	for (unsigned i = 0; i < n; i++) {
		lookup_again(l);
		make(&r, l, &in);
		r.setup.sample = i;
		CU_ASSERT(lookup_run(l, &l->known, step, &r));
		CU_ASSERT_EQUAL(r.out.result, AUTH_FAIL);
		CU_ASSERT_EQUAL(r.out.published, DMARC_REJECT);
		CU_ASSERT_EQUAL(r.out.sampled_out, r.out.policy == DMARC_QUARANTINE);
		CU_ASSERT_EQUAL(r.out.pct, pct);
		rejected += r.out.policy == DMARC_REJECT;
	}
	lookup_free(l);
	return rejected;
}

static void c101_f11_pct(void)
{
	unsigned first = sampled("half-pct.com", 50, 1000);
	unsigned again = sampled("half-pct.com", 50, 1000);
	CU_ASSERT_EQUAL(first, again);
	CU_ASSERT(first > 430 && first < 570);
	CU_ASSERT_EQUAL(sampled("zero-pct.com", 0, 1000), 0);
}

/* What the record and later reports show. */
static void d1_fields(void)
{
	static struct run r;
	static const struct input in = { RFC, "monitor.example", "pass monitor.example", NULL };
	struct lookup *l = lookup_new(zone);
	struct trace *t = trace_new();
	make(&r, l, &in);
	l->known.trace = t;
	CU_ASSERT(lookup_run(l, &l->known, step, &r));
	CU_ASSERT(bytes_equal(r.out.rua, bytes_str("mailto:f@monitor.example")));
	CU_ASSERT(bytes_equal(r.out.ruf, bytes_str("mailto:auth@monitor.example")));
	CU_ASSERT(bytes_equal(r.out.fo, bytes_str("1:d")));
	CU_ASSERT(bytes_equal(r.out.author, bytes_str("monitor.example")));
	CU_ASSERT_EQUAL(r.out.discovery, DMARC_TREEWALK);
	CU_ASSERT_FALSE(r.out.secure);
	struct bytes text = trace_text(t, TRACE_DMARC);
	CU_ASSERT(memmem(text.p, text.n, "_dmarc.monitor.example: v=DMARC1", 32) != NULL);
	CU_ASSERT(memmem(text.p, text.n, "SPF pass of monitor.example: aligned", 36) != NULL);
	trace_free(t);
	lookup_free(l);
}

/* Eight questions for any number of labels; domains outside the organization are not asked about. */
static void f20_questions(void)
{
	static struct run r;
	static const struct {
		struct input in;
		unsigned questions;
	} rows[] = {
		{ { RFC, "example.com", "pass example.com", "pass example.com" }, 2 },
		{ { RFC, "example.com", "pass evil.org", "pass other.com, pass a.b.evil.org" }, 2 },
		{ { RFC, "example.com", "pass a.example.com", NULL }, 3 },
		{ { RFC, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.example.com", NULL, NULL }, 8 },
		{ { RFC, "a.b.c.d.e.f.g.nothing.org", NULL, NULL }, 8 },
		{ { RFC, "b.c.d.e.f.g.nothing.org", NULL, NULL }, 8 },
		{ { RFC, "c.d.e.f.g.nothing.org", NULL, NULL }, 7 },
		{ { RFC, "strict.example", "pass a.strict.example", NULL }, 3 },
		{ { PSL, "a.b.example.com", "pass evil.example.com", NULL }, 2 },
		{ { PSL, "example.com", NULL, NULL }, 1 },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lookup *l = lookup_new(zone);
		make(&r, l, &rows[i].in);
		r.setup.early = true;
		CU_ASSERT(lookup_run(l, &l->known, step, &r));
		if (l->questions != rows[i].questions)
			printf("\n%s: %u questions\n", rows[i].in.from, l->questions);
		CU_ASSERT_EQUAL(l->questions, rows[i].questions);
		CU_ASSERT(l->rounds <= 3);
		lookup_free(l);
	}
}

/* The questions run out: temporary errors, never a pass or a fail. */
static void f20_budget(void)
{
	static struct run r;
	static const struct input in = { RFC, "a.b.example.com", "pass c.example.com", NULL };
	for (unsigned budget = 0; budget < 6; budget++) {
		struct lookup *l = lookup_new(zone);
		make(&r, l, &in);
		l->known.budget = budget;
		CU_ASSERT(lookup_run(l, &l->known, step, &r));
		CU_ASSERT_EQUAL(r.out.result, budget < 5 ? AUTH_TEMPERROR : AUTH_PASS);
		lookup_free(l);
	}
}

/* Memory for parsed records runs out. */
static void no_space(void)
{
	static struct run r;
	static const struct input in = { RFC, "example.com", "pass example.com", NULL };
	struct arena none = { 0 };
	struct lookup *l = lookup_new(zone);
	make(&r, l, &in);
	CU_ASSERT(lookup_run(l, &l->known, step, &r));
	for (unsigned i = 0; known_item(&l->known, i); i++) {
		struct record *record = known_item(&l->known, i)->record;
		record->space.used = record->space.size;
		record->parsed[RECORD_DMARC] = NULL;
	}
	r.setup.arena = &none;
	CU_ASSERT(dmarc_check(&r.setup, &r.out));
	CU_ASSERT_EQUAL(r.out.result, AUTH_UNVERIFIABLE);
	CU_ASSERT_STRING_EQUAL(r.out.reason, "no_space");
	lookup_free(l);
}

static void reasons(void)
{
	for (unsigned i = 0; i < DMARC_REASON_N; i++) {
		CU_ASSERT(*dmarc_reason_meaning(i) != 0);
		CU_ASSERT((i == 0) == (dmarc_reason_word(i) == NULL));
		for (unsigned k = 1; k < i; k++)
			CU_ASSERT(strcmp(dmarc_reason_word(i), dmarc_reason_word(k)) != 0);
	}
}

static void with_list(void)
{
	char why[256];
	CU_ASSERT_EQUAL_FATAL(suffixes_load(&list, LIST, why, sizeof why), 0);
}

static void without_list(void)
{
	suffixes_free(list);
}

TEST_MAIN("dmarc", TEST(with_list), TEST(f20_appendix_b1_alignment), TEST(f20_appendix_b2_records),
	  TEST(f20_appendix_b4_walks), TEST(f20_sp_np), TEST(f20_testing), TEST(c101_alignment),
	  TEST(f20_organizations), TEST(g9_walks), TEST(g9_no_list), TEST(f11_two_standards),
	  TEST(c102_records), TEST(c101_temperror), TEST(n3_unverifiable), TEST(g21_h6_from),
	  TEST(c101_f11_pct), TEST(d1_fields), TEST(f20_questions), TEST(f20_budget),
	  TEST(no_space), TEST(reasons), TEST(without_list))
