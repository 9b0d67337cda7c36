/* A text is a DMARC record when it begins with v=DMARC1; what is wrong in it stands at its default. */
#include "tests/test.h"
#include "verify/auth/dmarc_record.h"

#include <stdio.h>
#include <stdlib.h>

/* What differs from the defaults; NULL: no record. */
static const struct {
	const char *in, *want;
} rows[] = {
	{ "v=DMARC1", "" },
	{ "v=DMARC1;", "" },
	{ "v=DMARC1; p=none", "p=0" },
	{ "v=DMARC1;p=quarantine;", "p=1" },
	{ "v=DMARC1; p=reject; sp=none; np=quarantine", "p=2 sp=0 np=1" },
	{ " v = DMARC1 ; p = reject ; ", "p=2" },
	{ "\tv\t=\tDMARC1\t;\tp\t=\treject\t", "p=2" },
	{ "V=DMARC1; P=Reject; SP=NONE", "p=2 sp=0" },
	{ "v=DMARC1; rua=mailto:a@b.example; p=reject", "p=2 rua=mailto:a@b.example reports" },
	{ "v=DMARC1; adkim=s; aspf=s; psd=y; t=y; pct=7", "adkim aspf psd=1 t pct=7" },
	{ "v=DMARC1; adkim=S; aspf=R; psd=N; t=Y", "adkim psd=2 t" },
	{ "v=DMARC1; adkim=r; aspf=r; psd=u; t=n; pct=100", "" },
	{ "v=DMARC1; adkim=x; aspf=; psd=maybe; t=1; pct=ten", "" },
	{ "v=DMARC1; pct=101", "" },
	{ "v=DMARC1; pct=0", "pct=0" },
	{ "v=DMARC1; pct=007", "pct=7" },
	{ "v=DMARC1; pct=0007", "" },
	{ "v=DMARC1; pct=-1", "" },
	{ "v=DMARC1; p=", "p bad" },
	{ "v=DMARC1; p=refuse; sp=no; np=none none", "p bad sp bad np bad" },
	{ "v=DMARC1; p", "" },
	{ "v=DMARC1; =reject; ; ;; p=reject", "p=2" },
	{ "v=DMARC1; x_y=1; 1=2; p=reject; new=tag; ri=86400; rf=afrf", "p=2" },
	{ "v=DMARC1; p=reject; p=none", "p=2" },
	{ "v=DMARC1; p=bad; p=none", "p bad" },
	{ "v=DMARC1; adkim=s; adkim=r; pct=1; pct=2; t=n; t=y; psd=n; psd=y", "adkim psd=2 pct=1" },
	{ "v=DMARC1; p=reject p=none", "p bad" },
	{ "v=DMARC1; rua=", "rua=" },
	{ "v=DMARC1; ruf=mailto:x@y.example; fo=1:d:s", "ruf=mailto:x@y.example fo=1:d:s" },
	{ "v=DMARC1; fo=1", "" },
	{ "v=DMARC1; fo=1; ruf=mailto:x@y.example; rua=mailto:a@b.example!10m , "
	  "https://r.example/x",
	  "rua=mailto:a@b.example!10m , https://r.example/x ruf=mailto:x@y.example fo=1 reports" },
	{ "v=DMARC1; rua=a@b.example", "rua=a@b.example" },
	{ "v=DMARC1; p=reject; rua=\xff\x01", "p=2 rua=\xff\x01" },
	{ "", NULL },
	{ ";", NULL },
	{ "v", NULL },
	{ "v=", NULL },
	{ "v=DMARC", NULL },
	{ "v=DMARC10", NULL },
	{ "v=DMARC1 p=reject", NULL },
	{ "v=dmarc1; p=reject", NULL },
	{ "v=DMARC2; p=reject", NULL },
	{ "p=reject; v=DMARC1", NULL },
	{ "; v=DMARC1", NULL },
	{ "v=spf1 -all", NULL },
	{ "vv=DMARC1", NULL },
	{ "v==DMARC1", NULL },
};

static int put_request(char *out, const char *name, const struct dmarc_request *r)
{
	return r->state == DMARC_ABSENT ? 0
	       : r->state == DMARC_BAD  ? sprintf(out, "%s bad ", name)
					: sprintf(out, "%s=%u ", name, r->policy);
}

static int put_list(char *out, const char *name, struct bytes list)
{
	return list.p ? sprintf(out, "%s=%.*s ", name, (int)list.n, (const char *)list.p) : 0;
}

static void print(const struct dmarc_record *r, char *out)
{
	char *p = out;
	*p = 0;
	p += put_request(p, "p", &r->p);
	p += put_request(p, "sp", &r->sp);
	p += put_request(p, "np", &r->np);
	p += sprintf(p, "%s%s", r->adkim ? "adkim " : "", r->aspf ? "aspf " : "");
	if (r->psd)
		p += sprintf(p, "psd=%u ", r->psd);
	p += sprintf(p, "%s", r->testing ? "t " : "");
	if (r->pct != 100)
		p += sprintf(p, "pct=%u ", r->pct);
	p += put_list(p, "rua", r->rua);
	p += put_list(p, "ruf", r->ruf);
	p += put_list(p, "fo", r->fo);
	p += sprintf(p, "%s", r->reports ? "reports " : "");
	if (p > out)
		p[-1] = 0;
}

static void f20_known(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		struct dmarc_record r;
		char text[512] = "";
		bool ok = dmarc_record_parse(&r, bytes_of(p, n));
		if (ok)
			print(&r, text);
		if (ok != (rows[i].want != NULL) || (ok && strcmp(text, rows[i].want) != 0))
			printf("\n%s: %s\n", rows[i].in, text);
		CU_ASSERT_EQUAL(ok, rows[i].want != NULL);
		if (ok && rows[i].want)
			CU_ASSERT_STRING_EQUAL(text, rows[i].want);
		test_guard_free(p, n);
	}
}

/* The tags of the draft of 2013, those that later standards dropped too, are what they were: nothing
 * that a domain published then has another meaning now. */
static void c100_records_of_the_draft(void)
{
	static const struct {
		const char *in, *want;
	} old[] = {
		{ "v=DMARC1; p=none; rua=mailto:feedback@example.com",
		  "p=0 rua=mailto:feedback@example.com reports" },
		{ "v=DMARC1; p=none; rua=mailto:feedback@example.com; "
		  "ruf=mailto:reports@third.example.net",
		  "p=0 rua=mailto:feedback@example.com ruf=mailto:reports@third.example.net "
		  "reports" },
		{ "v=DMARC1; p=quarantine; rua=mailto:feedback@example.com,"
		  "mailto:tld@third.example.net!10m; pct=25",
		  "p=1 pct=25 rua=mailto:feedback@example.com,mailto:tld@third.example.net!10m "
		  "reports" },
		{ "v=DMARC1; adkim=s; aspf=s; fo=1:d:s; p=reject; pct=50; rf=afrf:iodef; ri=3600; "
		  "rua=mailto:a@b.example; ruf=mailto:c@d.example; sp=none",
		  "p=2 sp=0 adkim aspf pct=50 rua=mailto:a@b.example ruf=mailto:c@d.example "
		  "fo=1:d:s reports" },
		{ "v=DMARC1;p=reject;rf=iodef;ri=0", "p=2" },
	};
	for (unsigned i = 0; i < sizeof old / sizeof old[0]; i++) {
		struct dmarc_record r;
		char text[512] = "";
		CU_ASSERT_TRUE_FATAL(dmarc_record_parse(&r, bytes_str(old[i].in)));
		print(&r, text);
		CU_ASSERT_STRING_EQUAL(text, old[i].want);
	}
}

/* Cut anywhere, it is a record from the end of its version on, and its policy is never another. */
static void f20_cut(void)
{
	static const char text[] =
		"v=DMARC1; p=reject; sp=quarantine; rua=mailto:a@b.example!1k; t=y";
	for (size_t n = 0; n < sizeof text; n++) {
		uint8_t *p = test_guard(text, n);
		struct dmarc_record r;
		bool ok = dmarc_record_parse(&r, bytes_of(p, n));
		CU_ASSERT_EQUAL(ok, n >= 8);
		if (ok && r.p.state == DMARC_VALID)
			CU_ASSERT_EQUAL(r.p.policy, DMARC_REJECT);
		if (ok)
			CU_ASSERT(n < 18 || r.p.state == DMARC_VALID);
		test_guard_free(p, n);
	}
}

static void f20_uris(void)
{
	static const struct {
		const char *in, *want; /* with blanks between */
	} lists[] = {
		{ "mailto:a@b", "mailto:a@b" },
		{ "mailto:a@b,mailto:c@d", "mailto:a@b mailto:c@d" },
		{ " MAILTO:a@b , https://x/%2c?y=z#f ", "MAILTO:a@b https://x/%2c?y=z#f" },
		{ "mailto:a@b!10,mailto:a@c!10m,mailto:a@d!5T",
		  "mailto:a@b mailto:a@c mailto:a@d" },
		{ "mailto:a@b!", "" },
		{ "mailto:a@b!m", "" },
		{ "mailto:a@b!10mm", "" },
		{ "mailto:a@b!10!10", "" },
		{ "mailto:", "" },
		{ "mailto:@b", "" },
		{ "mailto:a@", "" },
		{ "mailto:a", "" },
		{ "mailto:a?to=b@c", "" },
		{ "mailto:a@b?subject=x", "mailto:a@b?subject=x" },
		{ "mailto:a@?x", "" },
		{ "a@b", "" },
		{ "1x:y", "" },
		{ "x+1-.:y", "x+1-.:y" },
		{ "x:", "" },
		{ ":", "" },
		{ "https://x/%2", "" },
		{ "https://x/%zz", "" },
		{ "https://x y", "" },
		{ "https://\xc3\xa4/", "" },
		{ "", "" },
		{ ",,,", "" },
		{ ",mailto:a@b,", "mailto:a@b" },
	};
	for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		size_t n = strlen(lists[i].in), at = 0;
		uint8_t *p = test_guard(lists[i].in, n);
		struct bytes list = bytes_of(p, n), uri;
		char text[256] = "";
		while (dmarc_record_uri(&list, &uri))
			at += (size_t)sprintf(text + at, "%s%.*s", at ? " " : "", (int)uri.n,
					      (const char *)uri.p);
		CU_ASSERT_STRING_EQUAL(text, lists[i].want);
		test_guard_free(p, n);
	}
}

/* H-4: a text as long as an answer may be. */
static void h4_long(void)
{
	enum { LEN = ANSWER_OCTETS_MAX };
	char *text = malloc(LEN);
	struct dmarc_record r;
	memset(text, ';', LEN);
	memcpy(text, "v=DMARC1", 8);
	memcpy(text + LEN - 9, ";p=reject", 9);
	CU_ASSERT(dmarc_record_parse(&r, bytes_of(text, LEN)));
	CU_ASSERT(r.p.state == DMARC_VALID && r.p.policy == DMARC_REJECT);
	memset(text + 13, ',', LEN - 13);
	memcpy(text + 8, ";rua=", 5);
	CU_ASSERT(dmarc_record_parse(&r, bytes_of(text, LEN)));
	CU_ASSERT(!r.reports && r.rua.n == LEN - 13);
	free(text);
}

static const struct dmarc_set *set_of(struct record *r, struct arena *arena,
				      const char *const *texts, struct answer_rr *rr)
{
	r->answer = (struct answer){ .status = ANSWER_DATA, .rr = rr };
	while (texts[r->answer.n]) {
		rr[r->answer.n].data = bytes_str(texts[r->answer.n]);
		r->answer.n++;
	}
	return dmarc_record_set(r, arena);
}

/* Parsed once; where its own space is too small, each time. */
static void sets(void)
{
	static const struct {
		const char *texts[4];
		unsigned n;
	} cases[] = {
		{ { "v=spf1 -all", "x" }, 0 },
		{ { NULL }, 0 },
		{ { "v=DMARC1; p=reject" }, 1 },
		{ { "x", "v=DMARC1; p=reject", "v=spf1" }, 1 },
		{ { "v=DMARC1; p=reject", "v=DMARC1" }, 2 },
		{ { "v=DMARC1; p=reject", "v=DMARC1; p=reject", "v=DMARC1" }, 3 },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		_Alignas(16) uint8_t room[512], more[512];
		struct answer_rr rr[4];
		struct arena arena, none = { 0 };
		struct record r = { 0 }, small = { 0 };
		arena_init(&r.space, room, sizeof room);
		const struct dmarc_set *set = set_of(&r, &none, cases[i].texts, rr);
		CU_ASSERT_PTR_NOT_NULL_FATAL(set);
		CU_ASSERT_EQUAL(set->n, cases[i].n);
		CU_ASSERT_PTR_EQUAL(dmarc_record_set(&r, &none), set);
		if (set->n == 1)
			CU_ASSERT_EQUAL(set->record.p.policy, DMARC_REJECT);
		arena_init(&arena, more, sizeof more);
		set = set_of(&small, &none, cases[i].texts, rr);
		CU_ASSERT_EQUAL(set == NULL, cases[i].n > 0);
		set = dmarc_record_set(&small, &arena);
		CU_ASSERT_PTR_NOT_NULL_FATAL(set);
		CU_ASSERT_EQUAL(set->n, cases[i].n);
		CU_ASSERT_EQUAL(small.parsed[RECORD_DMARC] == NULL, cases[i].n > 0);
	}
}

TEST_MAIN("dmarc_record", TEST(f20_known), TEST(c100_records_of_the_draft), TEST(f20_cut),
	  TEST(f20_uris), TEST(h4_long), TEST(sets))
