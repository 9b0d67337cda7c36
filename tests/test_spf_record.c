/* A record is taken apart as RFC 7208 section 12 says or is malformed, whatever its octets, and its terms know their place in it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/verdict.h"
#include "tests/test.h"
#include "verify/auth/spf_macro.h"
#include "verify/auth/spf_record.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static _Alignas(16) uint8_t memory[1 << 20];
static struct arena arena;

/* The set of an answer with that one text. */
static const struct spf_set *set_of(struct bytes text)
{
	static struct answer_rr rr;
	static struct answer answer = { .n = 1, .rr = &rr };
	rr.data = text;
	arena_init(&arena, memory, sizeof memory);
	return spf_set_parse(&answer, &arena);
}

/* Terms as "kind qualifier cidr4 cidr6 spec|", modifiers behind. */
static void describe(const struct spf_record *r, char *out, size_t room)
{
	size_t n = 0;
	out[0] = 0;
	for (unsigned i = 0; i < r->n + 2u; i++) {
		const struct spf_term *t = i < r->n    ? &r->term[i]
					   : i == r->n ? &r->redirect
						       : &r->exp;
		if (!t->len)
			continue;
		struct bytes spec =
			t->flags & SPF_TERM_SPEC ? spf_term_spec(r, t) : (struct bytes){ 0 };
		n += (size_t)snprintf(out + n, room - n, "%s %c/%u/%u %.*s|",
				      spf_kind_name(t->kind), auth_result_name(t->result)[0],
				      t->cidr4, t->cidr6, (int)spec.n, spec.p);
	}
}

static void known(void)
{
	static const struct {
		const char *in, *want; /* NULL: malformed */
	} rows[] = {
		{ "v=spf1", "" },
		{ "v=spf1 ", "" },
		{ "v=spf1    ", "" },
		{ "v=spf1 all", "all p/32/128 |" },
		{ "v=spf1 +all", "all p/32/128 |" },
		{ "v=spf1 -ALL", "all f/32/128 |" },
		{ "V=SPF1 ?aLL", "all n/32/128 |" },
		{ "v=spf1 ~all", "all s/32/128 |" },
		{ "v=spf1 a  mx   -all", "a p/32/128 |mx p/32/128 |all f/32/128 |" },
		{ "v=spf1 a:a.b/24//64", "a p/24/64 a.b|" },
		{ "v=spf1 a:a.b//64", "a p/32/64 a.b|" },
		{ "v=spf1 a:a.b/0", "a p/0/128 a.b|" },
		{ "v=spf1 a/24", "a p/24/128 |" },
		{ "v=spf1 ~mx//0", "mx s/32/0 |" },
		{ "v=spf1 mx/0//0", "mx p/0/0 |" },
		{ "v=spf1 a:a.b.", "a p/32/128 a.b|" },
		{ "v=spf1 a:foo:bar/baz.com", "a p/32/128 foo:bar/baz.com|" },
		{ "v=spf1 a:%{d}/24", "a p/24/128 %{d}|" },
		{ "v=spf1 a:%{l/}/24", "a p/24/128 %{l/}|" },
		{ "v=spf1 include:%{d2}.x", "include p/32/128 %{d2}.x|" },
		{ "v=spf1 ptr ptr:a.b", "ptr p/32/128 |ptr p/32/128 a.b|" },
		{ "v=spf1 -exists:%{i}.x", "exists f/32/128 %{i}.x|" },
		{ "v=spf1 ip4:192.0.2.1/24 ip6:2001:db8::/32", "ip4 p/24/128 |ip6 p/32/32 |" },
		{ "v=spf1 ip6:::ffff:192.0.2.1", "ip6 p/32/128 |" },
		{ "v=spf1 redirect=a.b", "redirect n/32/128 a.b|" },
		{ "v=spf1 exp=a.b redirect=c.d a",
		  "a p/32/128 |redirect n/32/128 c.d|exp n/32/128 a.b|" },
		{ "v=spf1 a -all mx redirect=c.d", "a p/32/128 |all f/32/128 |" },
		{ "v=spf1 unknown=%{s} x.y-z_0= a", "a p/32/128 |" },
		{ "v=spf1 a=b", "" },
		{ "v=spf1 all=x", "" },
		{ "v=spf1 ra=x rp=100 rr=e", "" }, /* RFC 6652 */
		{ "spf2.0/pra a -all", "a p/32/128 |all f/32/128 |" },
		{ "v=spf1 all.", NULL },
		{ "v=spf1 all:", NULL },
		{ "v=spf1 all/8", NULL },
		{ "v=spf1 alll", NULL },
		{ "v=spf1 al", NULL },
		{ "v=spf1 \tall", NULL },
		{ "v=spf1 all\t", NULL },
		{ "v=spf1 all\r\n", NULL },
		{ "v=spf1 -", NULL },
		{ "v=spf1 --all", NULL },
		{ "v=spf1 - all", NULL },
		{ "v=spf1 a:", NULL },
		{ "v=spf1 a/", NULL },
		{ "v=spf1 a//", NULL },
		{ "v=spf1 a:/24", NULL },
		{ "v=spf1 a/33", NULL },
		{ "v=spf1 a//129", NULL },
		{ "v=spf1 a/24/64", NULL },
		{ "v=spf1 a//64/24", NULL },
		{ "v=spf1 a/024", NULL },
		{ "v=spf1 a/00", NULL },
		{ "v=spf1 a/-1", NULL },
		{ "v=spf1 a/4294967320", NULL },
		{ "v=spf1 a:a.b/24/", NULL },
		{ "v=spf1 a24", NULL },
		{ "v=spf1 a=", "" },
		{ "v=spf1 mx:com", NULL },
		{ "v=spf1 mx:1.2.3.4", NULL },
		{ "v=spf1 include", NULL },
		{ "v=spf1 include:", NULL },
		{ "v=spf1 include:a.b/24", NULL },
		{ "v=spf1 exists", NULL },
		{ "v=spf1 exists:a.b//64", NULL },
		{ "v=spf1 ptr:", NULL },
		{ "v=spf1 ptr/24", NULL },
		{ "v=spf1 ptr:a.b/24", NULL },
		{ "v=spf1 ip4", NULL },
		{ "v=spf1 ip4:", NULL },
		{ "v=spf1 ip4=1.2.3.4", "" },
		{ "v=spf1 ip4:1.2.3", NULL },
		{ "v=spf1 ip4:1.2.3.4.5", NULL },
		{ "v=spf1 ip4:1.2.3.256", NULL },
		{ "v=spf1 ip4:1.2.3.04", NULL },
		{ "v=spf1 ip4:1.2.3.00", NULL },
		{ "v=spf1 ip4:1.2.3.", NULL },
		{ "v=spf1 ip4:1..3.4", NULL },
		{ "v=spf1 ip4:1.2.3.1000", NULL },
		{ "v=spf1 ip4:1.2.3.99999999999999", NULL },
		{ "v=spf1 ip4:0.0.0.0", "ip4 p/32/128 |" },
		{ "v=spf1 ip4:255.255.255.255", "ip4 p/32/128 |" },
		{ "v=spf1 ip4:1.2.3.4/", NULL },
		{ "v=spf1 ip4:1.2.3.4/33", NULL },
		{ "v=spf1 ip4:1.2.3.4/032", NULL },
		{ "v=spf1 ip4:1.2.3.4//32", NULL },
		{ "v=spf1 ip4:1.2.3.4:25", NULL },
		{ "v=spf1 ip4:%{i}", NULL },
		{ "v=spf1 ip4:::1", NULL },
		{ "v=spf1 ip6:1.2.3.4", NULL },
		{ "v=spf1 ip6:", NULL },
		{ "v=spf1 ip6:::1/129", NULL },
		{ "v=spf1 ip6:::1//128", NULL },
		{ "v=spf1 ip6:1::2::3", NULL },
		{ "v=spf1 ip6:Bad:B0B::1::1", NULL },
		{ "v=spf1 ip6:12345::", NULL },
		{ "v=spf1 ip6:::1%eth0", NULL },
		{ "v=spf1 redirect:a.b", NULL },
		{ "v=spf1 redirect", NULL },
		{ "v=spf1 redirect=", NULL },
		{ "v=spf1 redirect=a.b/24", NULL },
		{ "v=spf1 redirect=a.b REDIRECT=a.b", NULL },
		{ "v=spf1 exp=a.b exp=a.b", NULL },
		{ "v=spf1 -all exp=a.b exp=a.b", NULL },
		{ "v=spf1 exp", NULL },
		{ "v=spf1 exp=", NULL },
		{ "v=spf1 exp=com", NULL },
		{ "v=spf1 -redirect=a.b", NULL },
		{ "v=spf1 =a", NULL },
		{ "v=spf1 1=a", NULL },
		{ "v=spf1 x=%", NULL },
		{ "v=spf1 x=%{z}", NULL },
		{ "v=spf1 x=%{c}", NULL }, /* section 7.2 */
		{ "v=spf1 x=\x80", NULL },
		{ "v=spf1 all bogus", NULL },
		{ "v=spf1 all a:", NULL },
	};
	for (unsigned i = 0; i < N(rows); i++) {
		char have[512];
		size_t n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		const struct spf_set *set = set_of(bytes_of(p, n));
		const struct spf_record *r =
			set->record[SPF_V1] ? set->record[SPF_V1] : set->record[SPF_V2_PRA];
		CU_ASSERT_FATAL(r != NULL);
		CU_ASSERT_EQUAL(r->status, rows[i].want ? SPF_RECORD_OK : SPF_RECORD_SYNTAX);
		if (r->status == SPF_RECORD_OK && rows[i].want) {
			describe(r, have, sizeof have);
			CU_ASSERT_STRING_EQUAL(have, rows[i].want);
			if (strcmp(have, rows[i].want))
				fprintf(stderr, "%s: %s\n", rows[i].in, have);
		} else if (!rows[i].want) {
			CU_ASSERT(r->wrong.n && r->wrong.p > p && r->wrong.p + r->wrong.n <= p + n);
		}
		test_guard_free(p, n);
	}
}

static void networks(void)
{
	const struct spf_set *set =
		set_of(bytes_str("v=spf1 ip6:2001:DB8::8 ip4:192.0.2.77/24 ip6:::ffff:1.2.3.4"));
	const struct spf_record *r = set->record[SPF_V1];
	CU_ASSERT_EQUAL_FATAL(r->n, 3);
	CU_ASSERT(memcmp(r->ip6[r->term[0].ip6], "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x08", 16) ==
		  0);
	CU_ASSERT(memcmp(r->term[1].ip4, "\xc0\0\2\x4d", 4) == 0);
	CU_ASSERT(memcmp(r->ip6[r->term[2].ip6], "\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4", 16) == 0);
	CU_ASSERT(bytes_equal(spf_term_text(r, &r->term[1]), bytes_str("ip4:192.0.2.77/24")));
}

static void flags(void)
{
	static const struct {
		const char *in;
		unsigned flags;
	} rows[] = {
		{ "v=spf1 a", 0 },
		{ "v=spf1 a:b.c", SPF_TERM_SPEC },
		{ "v=spf1 a:b..c", SPF_TERM_SPEC | SPF_TERM_NO_NAME },
		{ "v=spf1 a:.c", SPF_TERM_SPEC | SPF_TERM_NO_NAME },
		{ "v=spf1 a:x1234567890123456789012345678901234567890123456789012345678901234.c",
		  SPF_TERM_SPEC | SPF_TERM_NO_NAME },
		{ "v=spf1 a:%{d}", SPF_TERM_SPEC | SPF_MACRO_ANY },
		{ "v=spf1 a:%{s}", SPF_TERM_SPEC | SPF_MACRO_ANY | SPF_MACRO_LOCAL },
		{ "v=spf1 a:%{p}", SPF_TERM_SPEC | SPF_MACRO_ANY | SPF_MACRO_PTR },
	};
	for (unsigned i = 0; i < N(rows); i++) {
		const struct spf_record *r = set_of(bytes_str(rows[i].in))->record[SPF_V1];
		CU_ASSERT_FATAL(r && r->n == 1);
		CU_ASSERT_EQUAL(r->term[0].flags, rows[i].flags);
	}
	/* over 253 octets it is cut like what a macro gives */
	char text[400] = "v=spf1 a:";
	while (strlen(text) < 300)
		strcat(text, "label.");
	const struct spf_record *r = set_of(bytes_str(strcat(text, "com")))->record[SPF_V1];
	CU_ASSERT_EQUAL(r->term[0].flags, SPF_TERM_SPEC | SPF_MACRO_ANY);
}

static void f10_versions(void)
{
	enum { V1 = 1 << SPF_V1, M = 1 << SPF_V2_MFROM, P = 1 << SPF_V2_PRA };
	static const struct {
		const char *in;
		unsigned versions;
	} rows[] = {
		{ "v=spf1", V1 },
		{ "v=spf1 ", V1 },
		{ "V=Spf1 x", V1 },
		{ "v=spf10", 0 },
		{ "v=spf1a", 0 },
		{ "v=spf1\t", 0 },
		{ " v=spf1", 0 },
		{ "v=spf", 0 },
		{ "", 0 },
		{ "\xef\xbb\xbfv=spf1", 0 },
		{ "spf2.0/mfrom", M },
		{ "spf2.0/pra all", P },
		{ "SPF2.0/PRA,MFROM", M | P },
		{ "spf2.0/mfrom,pra all", M | P },
		{ "spf2.12345678901234567890/foo,pra", P },
		{ "spf2.0/foo", 0 },
		{ "spf2.0/pra2", 0 },
		{ "spf2.0", 0 },
		{ "spf2.0/", 0 },
		{ "spf2.0/,pra", 0 },
		{ "spf2.0/pra,", 0 },
		{ "spf2.0/pra,,mfrom", 0 },
		{ "spf2./pra", 0 },
		{ "spf2/pra", 0 },
		{ "spf2.0x/pra", 0 },
		{ "spf20/pra", 0 },
		{ "spf2.0/pra/mfrom", 0 },
		{ "spf", 0 },
		{ "spf2", 0 },
		{ "spf2.", 0 },
	};
	for (unsigned i = 0; i < N(rows); i++) {
		size_t from, n = strlen(rows[i].in);
		uint8_t *p = test_guard(rows[i].in, n);
		CU_ASSERT_EQUAL(spf_record_versions(bytes_of(p, n), &from), rows[i].versions);
		test_guard_free(p, n);
	}
}

static void several(void)
{
	struct answer_rr rr[] = { { bytes_str("v=spf1 a") },
				  { bytes_str("other") },
				  { bytes_str("spf2.0/pra mx") },
				  { bytes_str("v=spf1 mx") },
				  { bytes_str("spf2.0/mfrom,pra ptr") } };
	struct answer answer = { .n = N(rr), .rr = rr };
	arena_init(&arena, memory, sizeof memory);
	const struct spf_set *set = spf_set_parse(&answer, &arena);
	CU_ASSERT(set->n[SPF_V1] == 2 && set->n[SPF_V2_PRA] == 2 && set->n[SPF_V2_MFROM] == 1);
	CU_ASSERT(set->record[SPF_V1]->term[0].kind == SPF_A);
	CU_ASSERT(set->record[SPF_V2_PRA]->term[0].kind == SPF_MX);
	CU_ASSERT(set->record[SPF_V2_MFROM]->term[0].kind == SPF_PTR);
	answer.n = 0;
	set = spf_set_parse(&answer, &arena);
	CU_ASSERT(set && !set->record[SPF_V1] && !set->record[SPF_V2_PRA]);
}

static const char sample[] = "v=spf1 a:%{l2r-+}.b.example/24//64 mx ip4:192.0.2.0/24 "
			     "ip6:2001:db8::1/64 include:x.example ~exists:%{i}.e.example foo=%{s} "
			     "redirect=%{d}.r.example exp=why.example";

/* Cut at every octet it is read the same way as far as it goes. */
static void cut_everywhere(void)
{
	char whole[512], part[512];
	describe(set_of(bytes_str(sample))->record[SPF_V1], whole, sizeof whole);
	unsigned good = 0;
	for (size_t n = 0; n < sizeof sample; n++) {
		uint8_t *p = test_guard(sample, n);
		const struct spf_record *r = set_of(bytes_of(p, n))->record[SPF_V1];
		CU_ASSERT_EQUAL(r != NULL, n >= 6);
		if (r && r->status == SPF_RECORD_OK) {
			describe(r, part, sizeof part);
			good++;
		}
		test_guard_free(p, n);
	}
	CU_ASSERT(good > 20);
}

/* Every octet replaced by every other: never over the end, never accepted with what is no term. */
static void every_octet(void)
{
	size_t n = sizeof sample - 1;
	for (size_t at = 0; at < n; at++) {
		uint8_t *p = test_guard(sample, n);
		for (unsigned c = 0; c < 256; c++) {
			p[at] = (uint8_t)c;
			const struct spf_record *r = set_of(bytes_of(p, n))->record[SPF_V1];
			bool graphic = c >= 0x20 && c <= 0x7e;
			CU_ASSERT(!r || graphic || r->status == SPF_RECORD_SYNTAX);
		}
		test_guard_free(p, n);
	}
}

/* The arena is as it was where it is too small; with as much as was used, it is enough. */
static void small_arena(void)
{
	struct answer_rr rr = { bytes_str(sample) };
	struct answer answer = { .n = 1, .rr = &rr };
	arena_init(&arena, memory, sizeof memory);
	CU_ASSERT(spf_set_parse(&answer, &arena) != NULL);
	size_t needed = arena.used;
	for (size_t size = 0; size <= needed; size++) {
		arena_init(&arena, memory, size);
		bool fits = spf_set_parse(&answer, &arena) != NULL;
		CU_ASSERT_EQUAL(fits, size == needed);
		CU_ASSERT(fits || arena.used == 0);
	}
	/* what is usual fits beside its answer */
	CU_ASSERT(needed < 600);
}

static void h5_limits(void)
{
	char *text = malloc(70000);
	for (unsigned n = SPF_RECORD_TERMS - 1; n <= SPF_RECORD_TERMS + 1; n++) {
		size_t len = (size_t)sprintf(text, "v=spf1");
		for (unsigned i = 0; i < n; i++)
			len += (size_t)sprintf(text + len, " a");
		const struct spf_record *r = set_of(bytes_of(text, len))->record[SPF_V1];
		CU_ASSERT_EQUAL(r->status,
				n <= SPF_RECORD_TERMS ? SPF_RECORD_OK : SPF_RECORD_LIMIT);
		CU_ASSERT(r->status != SPF_RECORD_OK || r->n == n);
	}
	for (size_t n = SPF_RECORD_OCTETS - 1; n <= SPF_RECORD_OCTETS + 1; n++) {
		memset(text, ' ', n);
		memcpy(text, "v=spf1", 6);
		memcpy(text + n - 4, "-all", 4);
		const struct spf_record *r = set_of(bytes_of(text, n))->record[SPF_V1];
		CU_ASSERT_EQUAL(r->status,
				n <= SPF_RECORD_OCTETS ? SPF_RECORD_OK : SPF_RECORD_LIMIT);
		if (r->status == SPF_RECORD_OK)
			CU_ASSERT(bytes_equal(spf_term_text(r, &r->term[0]), bytes_str("-all")));
	}
	free(text);
}

TEST_MAIN("spf_record", TEST(known), TEST(networks), TEST(flags), TEST(f10_versions), TEST(several),
	  TEST(cut_everywhere), TEST(every_octet), TEST(small_arena), TEST(h5_limits))
