#include "verify/auth/signature.h"

#include "verify/dns/names.h"
#include "verify/kernel/canon.h"
#include "verify/kernel/pubkey.h"

enum { NUMBER_MAX = 76, TIME_DIGITS_MAX = 12, BEGIN_MAX = 8, INSTANCE_DIGITS_MAX = 2 };

static inline struct bytes value_of(const struct taglist *t, const char *name)
{
	const struct tag *tag = taglist_find(t, name);
	return tag ? tag->value : (struct bytes){ NULL, 0 };
}

static enum reason parse_algorithm(struct signature *s)
{
	if (bytes_equal(s->algorithm, bytes_str("rsa-sha256"))) {
		s->type = PUBKEY_RSA;
		s->hash = HASH_SHA256;
	} else if (bytes_equal(s->algorithm, bytes_str("ed25519-sha256"))) {
		s->type = PUBKEY_ED25519;
		s->hash = HASH_SHA256;
	} else if (bytes_equal(s->algorithm, bytes_str("rsa-sha1"))) {
		s->type = PUBKEY_RSA;
		s->hash = HASH_SHA1;
	} else {
		return REASON_ALGORITHM;
	}
	return REASON_NONE;
}

static bool parse_canon(struct bytes word, uint8_t *kind)
{
	*kind = bytes_equal(word, bytes_str("relaxed")) ? CANON_RELAXED : CANON_SIMPLE;
	return *kind == CANON_RELAXED || bytes_equal(word, bytes_str("simple"));
}

static enum reason parse_canons(struct signature *s, enum signature_kind kind, const struct tag *c)
{
	bool relaxed = !c && kind == SIGNATURE_MESSAGE;
	s->header_canon = s->body_canon = relaxed ? CANON_RELAXED : CANON_SIMPLE;
	if (!c)
		return REASON_NONE;
	struct bytes v = c->value;
	const uint8_t *slash = v.n ? memchr(v.p, '/', v.n) : NULL;
	size_t n = slash ? (size_t)(slash - v.p) : v.n;
	if (!parse_canon(bytes_head(v, n), &s->header_canon))
		return REASON_CANONICALIZATION;
	if (slash && !parse_canon(bytes_from(v, n + 1), &s->body_canon))
		return REASON_CANONICALIZATION;
	return REASON_NONE;
}

static enum reason parse_query(const struct tag *q)
{
	struct bytes list = q ? q->value : (struct bytes){ NULL, 0 }, item;
	while (taglist_item(&list, &item))
		if (bytes_equal(item, bytes_str("dns/txt")))
			return REASON_NONE;
	return q ? REASON_QUERY : REASON_NONE;
}

static bool is_field_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f || name.p[i] == ';')
			return false;
	return name.n > 0;
}

static enum reason parse_header_list(struct signature *s, enum signature_kind kind)
{
	struct bytes list = s->header_list, item;
	bool seal = false;
	while (taglist_item(&list, &item)) {
		if (!is_field_name(item) && (kind == SIGNATURE_DKIM || item.n))
			return REASON_HEADER_LIST;
		s->has_from |= bytes_equal_nocase(item, bytes_str("from"));
		seal |= bytes_equal_nocase(item, bytes_str("arc-seal"));
	}
	if (kind == SIGNATURE_MESSAGE)
		return seal ? REASON_SEAL_COVERED : REASON_NONE;
	return s->has_from ? REASON_NONE : REASON_FROM_UNSIGNED;
}

/* Decimal digits, saturated; false: something else. */
static bool parse_number(struct bytes v, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
		uint64_t next;
		if (__builtin_mul_overflow(*out, 10u, &next) ||
		    __builtin_add_overflow(next, v.p[i] - '0', &next))
			next = UINT64_MAX;
		*out = next;
	}
	return v.n > 0 && v.n <= NUMBER_MAX;
}

/* 3.5 t=: more than 12 digits are as good as infinite. */
static bool parse_time(const struct tag *t, int64_t *out)
{
	uint64_t n;
	*out = SIGNATURE_TIME_NONE;
	if (!t)
		return true;
	if (!parse_number(t->value, &n))
		return false;
	*out = n > INT64_MAX || t->value.n > TIME_DIGITS_MAX ? INT64_MAX : (int64_t)n;
	return true;
}

static enum reason parse_numbers(struct signature *s, enum signature_kind kind,
				 const struct taglist *t)
{
	bool seal = kind == SIGNATURE_SEAL; /* has neither l= nor x= */
	const struct tag *l = seal ? NULL : taglist_find(t, "l");
	s->has_length = l != NULL;
	if (l && !parse_number(l->value, &s->length))
		return REASON_LENGTH;
	if (!parse_time(taglist_find(t, "t"), &s->time_s) ||
	    !parse_time(seal ? NULL : taglist_find(t, "x"), &s->expires_s))
		return REASON_TIME;
	if (s->time_s >= 0 && s->expires_s >= 0 && s->expires_s < s->time_s)
		return REASON_TIME;
	return REASON_NONE;
}

/* The A-label form, in the arena. *bad: it is no domain name. */
static bool to_ascii(struct bytes in, struct arena *arena, struct bytes *out, bool *bad)
{
	char name[NAMES_MAX + 1];
	size_t n = names_ascii(in, name);
	*bad = n == 0;
	if (*bad)
		return true;
	*out = arena_copy(arena, bytes_of(name, n + 1));
	out->n = n;
	return out->p != NULL;
}

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* dkim-quoted-printable (2.11); false: malformed. out has room for in.n. */
static bool decode_quoted(struct bytes in, uint8_t *out, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '=') {
			if (in.n - i < 3 || hex(in.p[i + 1]) < 0 || hex(in.p[i + 2]) < 0)
				return false;
			c = (uint8_t)(hex(in.p[i + 1]) << 4 | hex(in.p[i + 2]));
			i += 2;
		}
		out[(*n)++] = c;
	}
	return true;
}

/* i=: its domain is d= or below it. */
static bool parse_identity(struct signature *s, const struct tag *tag, struct arena *arena)
{
	s->i = s->d;
	if (!tag)
		return true;
	uint8_t *text = arena_take(arena, tag->value.n);
	size_t n;
	bool bad;
	if (!text)
		return false;
	if (!decode_quoted(tag->value, text, &n)) {
		s->reason = REASON_IDENTITY;
		return true;
	}
	size_t at = n;
	while (at && text[at - 1] != '@')
		at--;
	if (!to_ascii(bytes_of(text + at, n - at), arena, &s->i, &bad))
		return false;
	if (!at || bad)
		s->reason = REASON_IDENTITY;
	else if (!names_under(s->i, s->d))
		s->reason = REASON_MISMATCH;
	return true;
}

static bool parse_names(struct signature *s, enum signature_kind kind, const struct taglist *t,
			struct arena *arena)
{
	bool bad;
	if (!to_ascii(s->domain, arena, &s->d, &bad))
		return false;
	/* domain-name = sub-domain 1*("." sub-domain) */
	if (bad || !memchr(s->d.p, '.', s->d.n)) {
		s->reason = REASON_DOMAIN;
		return true;
	}
	if (!to_ascii(s->selector, arena, &s->s, &bad))
		return false;
	if (bad || s->s.n + sizeof "._domainkey." - 1 + s->d.n > NAMES_MAX) {
		s->reason = REASON_SELECTOR;
		return true;
	}
	return parse_identity(s, kind == SIGNATURE_DKIM ? taglist_find(t, "i") : NULL, arena);
}

/* b= and bh= out of base64. */
static bool parse_values(struct signature *s, enum signature_kind kind, const struct taglist *t,
			 const struct base64_ops *base64, struct arena *arena)
{
	uint8_t b[PUBKEY_SIGNATURE_MAX];
	if (kind != SIGNATURE_SEAL &&
	    base64_decode(base64, value_of(t, "bh"), s->bh, sizeof s->bh) != hash_len(s->hash)) {
		s->reason = REASON_BODY_HASH_VALUE;
		return true;
	}
	ptrdiff_t n = base64_decode(base64, value_of(t, "b"), b, sizeof b);
	if (n <= 0) {
		s->reason = REASON_SIGNATURE_VALUE;
		return true;
	}
	s->b = arena_copy(arena, bytes_of(b, (size_t)n));
	return s->b.p != NULL;
}

static bool parse_begin(struct signature *s, struct bytes b, struct arena *arena)
{
	uint8_t begin[BEGIN_MAX];
	size_t n = 0;
	for (size_t i = 0; i < b.n && n < BEGIN_MAX; i++)
		if (b.p[i] != ' ' && b.p[i] != '\t' && b.p[i] != '\r' && b.p[i] != '\n')
			begin[n++] = b.p[i];
	s->begin = arena_copy(arena, bytes_of(begin, n));
	return s->begin.p != NULL;
}

uint8_t signature_position(struct bytes digits)
{
	uint64_t n;
	bool good = parse_number(digits, &n) && digits.n <= INSTANCE_DIGITS_MAX;
	return good && n >= 1 && n <= ARC_SETS_MAX ? (uint8_t)n : 0;
}

uint8_t signature_instance(const struct taglist *t)
{
	return signature_position(value_of(t, "i"));
}

static enum reason parse_required(const struct signature *s, enum signature_kind kind,
				  const struct taglist *t)
{
	static const char *const required[] = { "v", "bh", "h", "a", "b", "d", "s", "i", "cv" };
	static const struct {
		uint8_t from, to;
	} part[] = { [SIGNATURE_DKIM] = { 0, 7 },
		     [SIGNATURE_MESSAGE] = { 1, 8 },
		     [SIGNATURE_SEAL] = { 3, 9 } };
	for (unsigned i = part[kind].from; i < part[kind].to; i++)
		if (!taglist_find(t, required[i]))
			return REASON_MISSING_TAG;
	if (kind == SIGNATURE_DKIM)
		return bytes_equal(value_of(t, "v"), bytes_str("1")) ? REASON_NONE : REASON_VERSION;
	if (!s->instance)
		return REASON_INSTANCE;
	/* RFC 8617 section 4.1.3: h= is not allowed, and there is no body hash */
	bool covers = taglist_find(t, "h") || taglist_find(t, "bh");
	return kind == SIGNATURE_SEAL && covers ? REASON_SEAL_COVERS : REASON_NONE;
}

/* What says which octets are covered, and how. */
static enum reason parse_cover(struct signature *s, enum signature_kind kind,
			       const struct taglist *t)
{
	if (kind == SIGNATURE_SEAL) {
		s->header_canon = CANON_RELAXED;
		return REASON_NONE;
	}
	enum reason reason = parse_canons(s, kind, taglist_find(t, "c"));
	if (reason == REASON_NONE)
		reason = parse_query(taglist_find(t, "q"));
	if (reason == REASON_NONE)
		reason = parse_header_list(s, kind);
	return reason;
}

static uint8_t parse_status(struct bytes cv)
{
	static const uint8_t status[] = { AUTH_NONE, AUTH_FAIL, AUTH_PASS };
	for (unsigned i = 0; i < sizeof status; i++)
		if (bytes_equal(cv, bytes_str(auth_result_name(status[i]))))
			return status[i];
	return AUTH_PERMERROR;
}

bool signature_parse(struct signature *s, enum signature_kind kind, struct bytes value,
		     const struct base64_ops *base64, struct arena *arena)
{
	struct taglist t;
	*s = (struct signature){ .time_s = SIGNATURE_TIME_NONE, .expires_s = SIGNATURE_TIME_NONE };
	if (!taglist_parse(&t, value)) {
		s->reason = REASON_SYNTAX;
		return true;
	}
	s->domain = value_of(&t, "d");
	s->selector = value_of(&t, "s");
	s->algorithm = value_of(&t, "a");
	s->identity = kind == SIGNATURE_DKIM ? value_of(&t, "i") : (struct bytes){ NULL, 0 };
	s->header_list = value_of(&t, "h");
	s->instance = kind == SIGNATURE_DKIM ? 0 : signature_instance(&t);
	s->cv = parse_status(value_of(&t, "cv"));
	if (!parse_begin(s, value_of(&t, "b"), arena))
		return false;
	s->reason = parse_required(s, kind, &t);
	if (s->reason == REASON_NONE)
		s->reason = parse_algorithm(s);
	if (s->reason == REASON_NONE)
		s->reason = parse_cover(s, kind, &t);
	if (s->reason == REASON_NONE)
		s->reason = parse_numbers(s, kind, &t);
	if (s->reason == REASON_NONE && !parse_names(s, kind, &t, arena))
		return false;
	if (s->reason == REASON_NONE && !parse_values(s, kind, &t, base64, arena))
		return false;
	if (s->reason == REASON_NONE)
		s->raw_b = taglist_find(&t, "b")->raw;
	return true;
}
