#include "verify/auth/spf_record.h"

#include <arpa/inet.h>

#include "base/verdict.h"
#include "verify/auth/spf_macro.h"

static const char *const kind_names[SPF_KIND_N] = {
	[SPF_ALL] = "all", [SPF_INCLUDE] = "include",   [SPF_A] = "a",     [SPF_MX] = "mx",
	[SPF_PTR] = "ptr", [SPF_IP4] = "ip4",           [SPF_IP6] = "ip6", [SPF_EXISTS] = "exists",
	[SPF_EXP] = "exp", [SPF_REDIRECT] = "redirect",
};

const char *spf_kind_name(enum spf_kind kind)
{
	return kind_names[kind];
}

static bool is_alpha(uint8_t c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Octets from off that a name of a modifier or mechanism may have. */
static size_t name_len(struct bytes in)
{
	size_t n = 0;
	if (in.n == 0 || !is_alpha(in.p[0]))
		return 0;
	while (n < in.n && (is_alpha(in.p[n]) || is_digit(in.p[n]) || in.p[n] == '-' ||
			    in.p[n] == '_' || in.p[n] == '.'))
		n++;
	return n;
}

/* RFC 4406 section 3.1: "." 1*DIGIT "/" scope *( "," scope ), behind "spf2". */
static unsigned parse_scopes(struct bytes in)
{
	unsigned found = 0;
	size_t i = 1;
	if (in.n == 0 || in.p[0] != '.')
		return 0;
	while (i < in.n && is_digit(in.p[i]))
		i++;
	if (i == 1 || i >= in.n || in.p[i++] != '/')
		return 0;
	for (;;) {
		struct bytes scope = bytes_of(in.p + i, name_len(bytes_from(in, i)));
		if (scope.n == 0)
			return 0;
		if (bytes_equal_nocase(scope, bytes_str("mfrom")))
			found |= 1 << SPF_V2_MFROM;
		else if (bytes_equal_nocase(scope, bytes_str("pra")))
			found |= 1 << SPF_V2_PRA;
		i += scope.n;
		if (i == in.n)
			return found;
		if (in.p[i++] != ',')
			return 0;
	}
}

unsigned spf_record_versions(struct bytes text, size_t *terms)
{
	const uint8_t *blank = text.n ? memchr(text.p, ' ', text.n) : NULL;
	struct bytes version = bytes_of(text.p, blank ? (size_t)(blank - text.p) : text.n);
	*terms = version.n;
	if (bytes_equal_nocase(version, bytes_str("v=spf1")))
		return 1 << SPF_V1;
	if (bytes_equal_nocase(bytes_head(version, 4), bytes_str("spf2")))
		return parse_scopes(bytes_from(version, 4));
	return 0;
}

/* Digits at the end of *in behind a slash: takes them off. -1: there are none, or not so. */
static int take_cidr(struct bytes *in, int max)
{
	size_t from = in->n;
	int value = 0;
	while (from && is_digit(in->p[from - 1]))
		from--;
	size_t digits = in->n - from;
	if (from == 0 || in->p[from - 1] != '/' || digits == 0 || digits > 3 ||
	    (digits > 1 && in->p[from] == '0'))
		return -1;
	for (size_t i = from; i < in->n; i++)
		value = value * 10 + (in->p[i] - '0');
	if (value > max)
		return -1;
	in->n = from - 1;
	return value;
}

/* [ ip4-cidr-length ] [ "/" ip6-cidr-length ] at the end of *in. What is wrong stays there. */
static void take_dual_cidr(struct bytes *in, struct spf_term *t)
{
	struct bytes rest = *in;
	int length = take_cidr(&rest, 128);
	if (length >= 0 && rest.n && rest.p[rest.n - 1] == '/') {
		t->cidr6 = (uint8_t)length;
		rest.n--;
		*in = rest;
	}
	length = take_cidr(in, 32);
	if (length >= 0)
		t->cidr4 = (uint8_t)length;
}

/* spec is a part of text. */
static bool parse_spec(struct bytes text, struct bytes spec, struct spf_term *t)
{
	unsigned use;
	if (!spf_macro_check(spec, SPF_MACRO_DOMAIN, &use))
		return false;
	t->flags = (uint8_t)(use | SPF_TERM_SPEC);
	if (!use) {
		if (spec.p[spec.n - 1] == '.')
			spec.n--;
		if (spec.n > SPF_MACRO_NAME_MAX)
			t->flags |= SPF_MACRO_ANY; /* so that it is cut like what expands */
		else if (!spf_macro_is_name(spec))
			t->flags |= SPF_TERM_NO_NAME;
	}
	t->spec.off = (uint16_t)(spec.p - text.p);
	t->spec.len = (uint16_t)spec.n;
	return true;
}

/* Four numbers without leading zeros (section 5.6, qnum). */
static bool parse_ip4(struct bytes in, uint8_t out[4])
{
	size_t i = 0;
	for (unsigned part = 0; part < 4; part++) {
		unsigned value = 0, digits = 0;
		if (part && (i >= in.n || in.p[i++] != '.'))
			return false;
		for (; i < in.n && is_digit(in.p[i]) && digits < 4; i++, digits++) {
			if (digits && value == 0)
				return false;
			value = value * 10 + (in.p[i] - '0');
		}
		if (digits == 0 || value > 255)
			return false;
		out[part] = (uint8_t)value;
	}
	return i == in.n;
}

static bool parse_ip6(struct bytes in, uint8_t out[16])
{
	char buf[48];
	if (in.n == 0 || in.n >= sizeof buf || memchr(in.p, 0, in.n))
		return false;
	memcpy(buf, in.p, in.n);
	buf[in.n] = 0;
	return inet_pton(AF_INET6, buf, out) == 1;
}

/* The address and prefix behind "ip4:" or "ip6:". */
static bool parse_network(struct bytes in, struct spf_term *t, uint8_t ip6[16])
{
	bool four = t->kind == SPF_IP4;
	if (memchr(in.p, '/', in.n)) {
		int length = take_cidr(&in, four ? 32 : 128);
		if (length < 0)
			return false;
		if (four)
			t->cidr4 = (uint8_t)length;
		else
			t->cidr6 = (uint8_t)length;
	}
	return four ? parse_ip4(in, t->ip4) : parse_ip6(in, ip6);
}

/* What follows a mechanism's name. */
static bool parse_argument(struct bytes text, struct bytes in, struct spf_term *t, uint8_t ip6[16])
{
	bool colon = in.n && in.p[0] == ':';
	switch (t->kind) {
	case SPF_ALL:
		return in.n == 0;
	case SPF_IP4:
	case SPF_IP6:
		return colon && in.n > 1 && parse_network(bytes_from(in, 1), t, ip6);
	case SPF_INCLUDE:
	case SPF_EXISTS:
		return colon && parse_spec(text, bytes_from(in, 1), t);
	case SPF_PTR:
		return in.n == 0 || (colon && parse_spec(text, bytes_from(in, 1), t));
	default: /* a, mx */
		take_dual_cidr(&in, t);
		return in.n == 0 || (colon && parse_spec(text, bytes_from(in, 1), t));
	}
}

static bool parse_mechanism(struct bytes text, struct bytes in, struct spf_term *t, uint8_t ip6[16])
{
	static const uint8_t results[] = { AUTH_PASS, AUTH_FAIL, AUTH_NEUTRAL, AUTH_SOFTFAIL };
	static const char qualifiers[] = "+-?~";
	const char *qualifier = in.p[0] ? strchr(qualifiers, in.p[0]) : NULL;
	t->result = AUTH_PASS;
	if (qualifier) {
		t->result = results[qualifier - qualifiers];
		in = bytes_from(in, 1);
	}
	size_t n = name_len(in);
	for (unsigned kind = SPF_ALL; kind <= SPF_EXISTS; kind++) {
		/* what it begins with, before a comparison */
		if (n == 0 || bytes_lower(in.p[0]) != kind_names[kind][0] ||
		    !bytes_equal_nocase(bytes_of(in.p, n), bytes_str(kind_names[kind])))
			continue;
		t->kind = (uint8_t)kind;
		return parse_argument(text, bytes_from(in, n), t, ip6);
	}
	return false;
}

/* Everything of a record while it is taken apart. */
struct parse {
	struct spf_record *r;
	struct spf_term *term; /* NULL: counting */
	uint8_t (*ip6)[16];
	uint32_t n_ip6, n;
	bool redirect, exp, all;
};

static bool parse_modifier(struct parse *p, struct bytes in, size_t name, struct spf_term t)
{
	struct bytes value = bytes_from(in, name + 1);
	unsigned use;
	t.kind = SPF_KIND_N;
	if (bytes_equal_nocase(bytes_of(in.p, name), bytes_str("redirect")))
		t.kind = SPF_REDIRECT;
	else if (bytes_equal_nocase(bytes_of(in.p, name), bytes_str("exp")))
		t.kind = SPF_EXP;
	if (t.kind == SPF_KIND_N)
		return spf_macro_check(value, SPF_MACRO_STRING, &use);
	bool *seen = t.kind == SPF_EXP ? &p->exp : &p->redirect;
	if (*seen || !parse_spec(p->r->text, value, &t))
		return false; /* section 6: not more than once */
	*seen = true;
	if (t.kind == SPF_EXP)
		p->r->exp = t;
	else
		p->r->redirect = t;
	return true;
}

static bool parse_term(struct parse *p, struct bytes in)
{
	struct spf_term t = { .off = (uint16_t)(in.p - p->r->text.p),
			      .len = (uint16_t)in.n,
			      .cidr4 = 32,
			      .cidr6 = 128 };
	uint8_t ip6[16];
	size_t name = name_len(in);
	if (name && name < in.n && in.p[name] == '=')
		return parse_modifier(p, in, name, t);
	if (!parse_mechanism(p->r->text, in, &t, ip6))
		return false;
	if (p->all)
		return true; /* section 5.1: ignored */
	if (t.kind == SPF_IP6) {
		if (p->term)
			memcpy(p->ip6[p->n_ip6], ip6, sizeof ip6);
		t.ip6 = (uint16_t)p->n_ip6++;
	}
	p->all = t.kind == SPF_ALL;
	if (p->term)
		p->term[p->n] = t;
	p->n++;
	return true;
}

/* All terms once. */
static enum spf_record_status parse_terms(struct parse *p, size_t from)
{
	struct spf_record *r = p->r;
	p->n = p->n_ip6 = 0;
	p->redirect = p->exp = p->all = false;
	for (size_t i = from; i < r->text.n;) {
		if (r->text.p[i] == ' ') {
			i++;
			continue;
		}
		const uint8_t *blank = memchr(r->text.p + i, ' ', r->text.n - i);
		size_t end = blank ? (size_t)(blank - r->text.p) : r->text.n;
		struct bytes term = bytes_of(r->text.p + i, end - i);
		if (!parse_term(p, term)) {
			r->wrong = term;
			return SPF_RECORD_SYNTAX;
		}
		i = end;
	}
	if (p->all)
		r->redirect = (struct spf_term){ 0 }; /* section 6.1 */
	return p->n > SPF_RECORD_TERMS ? SPF_RECORD_LIMIT : SPF_RECORD_OK;
}

/* NULL: the arena is full. */
static const struct spf_record *parse_record(struct bytes text, size_t from, struct arena *arena)
{
	struct spf_record *r = arena_take(arena, sizeof *r);
	if (!r)
		return NULL;
	*r = (struct spf_record){ .text = text };
	if (text.n > SPF_RECORD_OCTETS) {
		r->status = SPF_RECORD_LIMIT;
		return r;
	}
	struct parse p = { .r = r };
	r->status = (uint8_t)parse_terms(&p, from);
	if (r->status != SPF_RECORD_OK)
		return r;
	p.ip6 = arena_take(arena, p.n_ip6 * sizeof p.ip6[0]);
	p.term = arena_take(arena, p.n * sizeof p.term[0]);
	if (!p.term || !p.ip6)
		return NULL;
	parse_terms(&p, from);
	r->term = p.term;
	r->ip6 = (const uint8_t(*)[16])p.ip6;
	r->n = (uint16_t)p.n;
	return r;
}

const struct spf_set *spf_set_parse(const struct answer *answer, struct arena *arena)
{
	size_t mark = arena->used;
	struct spf_set *set = arena_take(arena, sizeof *set);
	if (!set)
		return NULL;
	*set = (struct spf_set){ 0 };
	for (unsigned i = 0; i < answer->n; i++) {
		const struct spf_record *record = NULL;
		struct bytes text = answer->rr[i].data;
		size_t from;
		unsigned versions = spf_record_versions(text, &from);
		for (unsigned v = 0; v < SPF_VERSION_N; v++) {
			if (!(versions & 1 << v) || set->n[v]++)
				continue;
			if (!record)
				record = parse_record(text, from, arena);
			if (!record) {
				arena->used = mark;
				return NULL;
			}
			set->record[v] = record;
		}
	}
	return set;
}
