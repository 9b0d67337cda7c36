/*
 * authres_run SEED N - N verdicts by chance and the Authentication-Results field of each, for comparison with other
 * parsers. For each verdict lines: "result METHOD WORD [PTYPE.NAME=HEX]..." as the verdict has it, "field HEX", "read
 * METHOD WORD [PTYPE.NAME=HEX]..." as our own reader has it, "end".
 */
#include "verify/auth/authres.h"
#include "verify/auth/resinfo.h"

#include <stdio.h>
#include <stdlib.h>

static _Alignas(16) uint8_t memory[1 << 20];
static uint64_t state;

static unsigned chance(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 20) % n;
}

/* What the texts of a verdict are like: harmless, any ASCII, any octets. */
static enum { TEXT_PLAIN, TEXT_ASCII, TEXT_ANY } form;

/* What a sender may have put where an address, a domain or a tag's value is read. */
static struct bytes text(struct arena *a)
{
	static const char *const plain[] = { "example.com",
					     "a@example.com",
					     "@sub.example.com",
					     "s1",
					     "rsa-sha256",
					     "ab/c+def",
					     "a..b@example.com",
					     "x; dkim=pass (y) header.d=bank.example",
					     "\"a b\"@example.com",
					     "j\xc3\xb6rg@b\xc3\xbc"
					     "cher.example" };
	static const char *const letters[] = { "ab.@();=/ ,:<>[]?-_+",
					       "ab.@();=/ ,:<>[]\"\\\t\r\n\x01",
					       "ab.@();=/ \"\\\r\n\xff\xc3\xb6\xc2\x85" };
	if (chance(3))
		return bytes_str(plain[chance(8 + form)]);
	size_t n = chance(20) ? chance(30) : chance(400);
	char *out = arena_take(a, n + 1);
	for (size_t i = 0; i < n; i++)
		out[i] = letters[form][chance((unsigned)strlen(letters[form]))];
	return bytes_of(out, n);
}

static void print_pair(const char *name, struct bytes value)
{
	if (!value.n)
		return;
	printf(" %s=", name);
	for (size_t i = 0; i < value.n; i++)
		printf("%02x", value.p[i]);
}

static enum auth_result word_of(const enum auth_result *words, unsigned n)
{
	return words[chance(n)];
}

#define WORD(words) word_of(words, sizeof(words) / sizeof(words)[0])

static void spf(struct verdict *v, struct origin *o, struct arena *a)
{
	static const enum auth_result words[] = { AUTH_NONE,      AUTH_PASS,        AUTH_FAIL,
						  AUTH_SOFTFAIL,  AUTH_NEUTRAL,     AUTH_PERMERROR,
						  AUTH_TEMPERROR, AUTH_UNVERIFIABLE };
	static const char *const reasons[] = { NULL, "lookup_limit", "no_record", "syntax" };
	v->checks |= VERDICT_SPF;
	o->helo = text(a);
	o->mail_from = chance(5) ? text(a) : bytes_str("");
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++) {
		struct spf_result *r = &v->spf[i];
		*r = (struct spf_result){ .checked = chance(3) > 0,
					  .result = (uint8_t)WORD(words),
					  .identity = (uint8_t)i,
					  .reason = reasons[chance(4)],
					  .sender = text(a) };
	}
	const struct spf_result *m = &v->spf[SPF_MAILFROM], *h = &v->spf[SPF_HELO],
				*p = &v->spf[SPF_PRA];
	if (m->checked && m->result != AUTH_UNVERIFIABLE) {
		printf("result spf %s", auth_result_name(m->result));
		print_pair("smtp.mailfrom", o->mail_from.n ? o->mail_from : m->sender);
		printf("\n");
	}
	if (h->checked && h->result != AUTH_UNVERIFIABLE) {
		printf("result spf %s", auth_result_name(h->result));
		print_pair("smtp.helo", o->helo);
		printf("\n");
	}
	if (p->checked && p->result != AUTH_UNVERIFIABLE) {
		printf("result sender-id %s", auth_result_name(p->result));
		print_pair("header.sender", p->sender);
		printf("\n");
	}
}

static void dkim(struct verdict *v, struct arena *a)
{
	static const enum auth_result words[] = { AUTH_PASS,        AUTH_FAIL,      AUTH_POLICY,
						  AUTH_NEUTRAL,     AUTH_PERMERROR, AUTH_TEMPERROR,
						  AUTH_UNVERIFIABLE };
	static const char *const reasons[] = { NULL, "body_hash", "key_syntax", "sha1" };
	static struct dkim_result list[8];
	v->checks |= VERDICT_DKIM;
	v->dkim = list;
	v->n_dkim = chance(8);
	for (unsigned i = 0; i < v->n_dkim; i++) {
		struct dkim_result *r = &list[i];
		*r = (struct dkim_result){ .result = (uint8_t)WORD(words),
					   .test_mode = !chance(4),
					   .partial = !chance(4),
					   .body_octets = chance(100000),
					   .key_bits = chance(5000),
					   .reason = reasons[chance(3 + (form > 0))],
					   .domain = text(a),
					   .selector = text(a),
					   .algorithm = text(a),
					   .identity = text(a),
					   .b = bytes_head(text(a), 8) };
		bool unseen = r->result == AUTH_UNVERIFIABLE;
		printf("result dkim %s", auth_result_name(unseen ? AUTH_NEUTRAL : r->result));
		print_pair("header.d", r->domain);
		print_pair("header.i", r->identity);
		print_pair("header.s", r->selector);
		print_pair("header.a", r->algorithm);
		print_pair("header.b", r->b);
		printf("\n");
	}
	if (!v->n_dkim)
		printf("result dkim none\n");
}

static void arc_and_dmarc(struct verdict *v, struct arena *a)
{
	static const enum auth_result arc[] = { AUTH_NONE, AUTH_PASS, AUTH_FAIL, AUTH_TEMPERROR,
						AUTH_UNVERIFIABLE };
	static const enum auth_result dmarc[] = {
		AUTH_NONE, AUTH_PASS, AUTH_FAIL, AUTH_TEMPERROR, AUTH_PERMERROR, AUTH_UNVERIFIABLE
	};
	static const char *const oldest[] = { "0", "1", "2" };
	unsigned n = chance(3);
	v->checks |= VERDICT_ARC | VERDICT_DMARC;
	v->arc = (struct arc_result){ .result = (uint8_t)WORD(arc),
				      .instance = (uint8_t)chance(51),
				      .reason = chance(2) ? "sets" : NULL,
				      .oldest_pass = (uint8_t)n };
	if (v->arc.result <= AUTH_FAIL) {
		printf("result arc %s", auth_result_name(v->arc.result));
		if (v->arc.result == AUTH_PASS)
			print_pair("header.oldest-pass", bytes_str(oldest[n]));
		printf("\n");
	}
	v->dmarc = (struct dmarc_result){ .result = (uint8_t)WORD(dmarc),
					  .has_record = chance(3) > 0,
					  .has_sp = chance(2),
					  .has_np = chance(2),
					  .p = (uint8_t)chance(3),
					  .policy = (uint8_t)chance(3),
					  .override = chance(4) ? NULL : "arc",
					  .reason = chance(2) ? "not_aligned" : NULL,
					  .author = text(a) };
	if (v->dmarc.result == AUTH_UNVERIFIABLE)
		return;
	printf("result dmarc %s", auth_result_name(v->dmarc.result));
	print_pair("header.from", v->dmarc.author);
	if (v->dmarc.has_record)
		print_pair("policy.dmarc", bytes_str(dmarc_policy_name(v->dmarc.policy)));
	printf("\n");
}

/* The field as resinfo reads it back. */
static void read_back(struct bytes field, struct arena *a)
{
	struct resinfo_list l;
	struct resinfo r;
	struct bytes value = bytes_from(field, sizeof "Authentication-Results:" - 1);
	if (!resinfo_begin(&l, value, false, a))
		exit(1);
	while (resinfo_next(&l, &r)) {
		printf("read %.*s %.*s", (int)r.method.n, r.method.p, (int)r.result.n, r.result.p);
		for (unsigned i = 0; i < r.n; i++) {
			char name[64];
			snprintf(name, sizeof name, "%.*s.%.*s", (int)r.property[i].ptype.n,
				 r.property[i].ptype.p, (int)r.property[i].name.n,
				 r.property[i].name.p);
			print_pair(name, r.property[i].value);
		}
		printf("\n");
	}
	if (l.malformed)
		printf("read malformed %u\n", l.malformed);
}

int main(int argc, char **argv)
{
	static struct config cfg = { .authserv_id = "mx.example.org" };
	if (argc != 3)
		return 2;
	state = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
	for (unsigned i = 0; i < strtoul(argv[2], NULL, 10); i++) {
		struct arena arena;
		struct header h;
		struct origin o = { .has_client = true, .has_helo = true, .has_mail_from = true };
		struct verdict v = { 0 };
		form = i % 3;
		arena_init(&arena, memory, sizeof memory);
		if (!header_split(&h, bytes_str("Sender: a@b.example\r\n\r\n"), 1, &arena))
			return 1;
		if (chance(8))
			spf(&v, &o, &arena);
		if (chance(8))
			dkim(&v, &arena);
		if (chance(8))
			arc_and_dmarc(&v, &arena);
		struct authres_setup setup = { .cfg = &cfg, .header = &h, .origin = &o };
		if (!authres_make(&setup, &v, &arena))
			return 1;
		printf("field ");
		for (size_t k = 0; k < v.headers.authentication_results.n; k++)
			printf("%02x", v.headers.authentication_results.p[k]);
		printf("\n");
		read_back(v.headers.authentication_results, &arena);
		printf("end\n");
	}
	return 0;
}
