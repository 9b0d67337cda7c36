#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/ask.h"
#include "control/check.h"
#include "control/complaint.h"
#include "control/profiles.h"
#include "verify/auth/keys.h"
#include "verify/dns/names.h"
#include "verify/header/taglist.h"
#include "verify/kernel/base64.h"

/*
 * What a DKIM key record is (RFC 6376 section 3.6.1, RFC 8463) and everything that is wrong with
 * it. Whether it can be used is what verification says of it (keys.h); the complaints say why, and
 * what else a publisher would want to know.
 */

enum { CHARACTER_STRING_MAX = 255 };

struct look { /* at one key */
	struct check *c;
	const struct dkim_profile *profile;
	struct pubkey_queue *queue; /* for parsing keys */
	char name[NAMES_MAX + 1], probe[NAMES_MAX + 1];
	const struct answer *answer; /* NULL: there can be no such name */
	struct bytes record; /* the one that counts */
	bool has_record;
	struct key key;
	struct taglist tags;
	struct complaints complaints;
};

/* ---- the text ---- */

static bool is_tag_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i], letter = c | 0x20;
		bool alpha = letter >= 'a' && letter <= 'z';
		if (!alpha && (i == 0 || !((c >= '0' && c <= '9') || c == '_')))
			return false;
	}
	return name.n > 0;
}

/* Where a record is no list of tags (RFC 6376 section 3.2): the first place, in words. */
static void find_syntax(struct look *l)
{
	struct bytes rest = l->record;
	struct bytes seen[TAGLIST_MAX];
	for (unsigned n = 1;; n++) {
		const uint8_t *end = rest.n ? memchr(rest.p, ';', rest.n) : NULL;
		struct bytes piece = bytes_head(rest, end ? (size_t)(end - rest.p) : rest.n);
		struct bytes tag = bytes_trim(piece);
		const uint8_t *equals = tag.n ? memchr(tag.p, '=', tag.n) : NULL;
		if (!tag.n && !end && n > 1)
			break;
		if (!tag.n)
			return complaint_add(&l->complaints, true, "syntax", "tag %u is empty", n);
		if (!equals)
			return complaint_add(&l->complaints, true, "syntax",
					     "tag %u has no \"=\": %.40s", n,
					     tag.n > 40 ? "text without a name" : "no name");
		struct bytes name = bytes_trim(bytes_head(tag, (size_t)(equals - tag.p)));
		if (!is_tag_name(name))
			return complaint_add(
				&l->complaints, true, "syntax",
				"tag %u has a name of other than letters, digits and \"_\"", n);
		if (n > TAGLIST_MAX)
			return complaint_add(&l->complaints, true, "syntax",
					     "there are more than %d tags", TAGLIST_MAX);
		for (unsigned i = 0; i + 1 < n; i++)
			if (bytes_equal(seen[i], name))
				return complaint_add(&l->complaints, true, "duplicate_tag",
						     "%.*s= stands there twice (tag %u)",
						     (int)(name.n < 20 ? name.n : 20), name.p, n);
		seen[n - 1] = name;
		if (!end)
			break;
		rest = bytes_from(rest, piece.n + 1);
	}
	complaint_add(&l->complaints, true, "syntax",
		      "there is a control octet, or a line end that folds nothing");
}

static void look_at_quoting(struct look *l)
{
	if (memchr(l->record.p, '"', l->record.n))
		complaint_add(
			&l->complaints, true, "quotes",
			"the text has quotes in it: they are the zone file's, not the record's");
	if (memchr(l->record.p, '\\', l->record.n))
		complaint_add(
			&l->complaints, true, "backslash",
			"the text has backslashes in it: an escape of the zone file was kept");
}

/* ---- the key ---- */

/* Octets that DER begins by saying it has; 0: it does not say. */
static size_t der_length(const uint8_t *p, size_t n)
{
	if (n < 2 || p[0] != 0x30)
		return 0;
	size_t octets = p[1] & 0x7f, len = 0;
	if (p[1] < 0x80)
		return 2u + p[1];
	if (!octets || octets > 3 || n < 2 + octets)
		return 0;
	for (size_t i = 0; i < octets; i++)
		len = len << 8 | p[2 + i];
	return 2 + octets + len;
}

/* Whole groups of base64 letters from the front; what is no letter ends it. Returns octets. */
static size_t decode_front(struct bytes text, uint8_t *out, size_t cap)
{
	struct base64 s = { 0 };
	size_t n = 0;
	for (size_t i = 0; i < text.n && n + 3 <= cap && !s.bad; i++)
		n += base64_push(&s, bytes_of(text.p + i, 1), out + n, cap - n);
	return n;
}

/* The data, of which n octets are there, ends before it should. True: it was said. */
static bool look_for_cut(struct look *l, const uint8_t *der, size_t n)
{
	size_t want = der_length(der, n);
	if (!want || want <= n || want > KEYS_DER_MAX)
		return false;
	complaint_add(&l->complaints, true, "cut",
		      "the key has %zu of the %zu octets it says it has%s", n, want,
		      l->record.n == CHARACTER_STRING_MAX
			      ? ": text over 255 octets must be split into several strings"
			      : "");
	return true;
}

static void look_at_letters(struct look *l, struct bytes p)
{
	static const char pem[] = "-----BEGIN";
	if (p.n >= sizeof pem - 1 && memcmp(p.p, pem, sizeof pem - 1) == 0)
		return complaint_add(&l->complaints, true, "pem",
				     "p= is a PEM file: leave out its first and last line");
	for (size_t i = 0; i < p.n; i++) {
		uint8_t c = p.p[i];
		bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
		if (!blank && c != '=' && bytes_base64(c) < 0)
			return complaint_add(
				&l->complaints, true, "base64",
				"p= has an octet at %zu that is no letter of base64 (0x%02x)",
				i + 1, c);
	}
	complaint_add(&l->complaints, true, "base64",
		      "p= is no base64: letters are missing at its end, or padding "
		      "stands in it");
}

static EVP_PKEY *rsa_read(const uint8_t *der, size_t n)
{
	const uint8_t *at = der;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)n);
	if (pkey && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA)
		return pkey;
	EVP_PKEY_free(pkey);
	at = der;
	return d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)n);
}

/* An RSA key that verification refuses as malformed: why. */
static void look_at_rsa(struct look *l, const uint8_t *der, size_t n)
{
	BIGNUM *modulus = NULL, *exponent = NULL;
	EVP_PKEY *pkey = rsa_read(der, n);
	unsigned before = l->complaints.n;
	if (pkey && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1) {
		if (!BN_is_odd(modulus))
			complaint_add(&l->complaints, true, "modulus_even",
				      "the modulus is even: it is no product of two odd primes");
		if (BN_num_bits(exponent) > 64)
			complaint_add(&l->complaints, true, "exponent",
				      "the exponent has %d bits, 64 are the most",
				      BN_num_bits(exponent));
		else if (!BN_is_odd(exponent) || BN_is_one(exponent))
			complaint_add(&l->complaints, true, "exponent",
				      "the exponent is %llu: it must be odd and over 1",
				      (unsigned long long)BN_get_word(exponent));
	}
	BN_free(modulus);
	BN_free(exponent);
	EVP_PKEY_free(pkey);
	if (l->complaints.n == before)
		complaint_add(&l->complaints, true, "der",
			      "p= is base64, but no RSA public key in strict DER");
}

static void look_at_ed25519(struct look *l, const uint8_t *key, size_t n)
{
	static const uint8_t spki[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
					0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
	if (n == sizeof spki + 32 && memcmp(key, spki, sizeof spki) == 0)
		complaint_add(&l->complaints, true, "key_length",
			      "p= is a SubjectPublicKeyInfo: only its last 32 octets belong there");
	else
		complaint_add(&l->complaints, true, "key_length",
			      "an Ed25519 key has 32 octets, this one has %zu", n);
}

/* A key may be good in a record that is not. */
static bool key_is_good(struct look *l, const uint8_t *data, size_t n, bool ed25519)
{
	struct pubkey key;
	enum pubkey_result got = pubkey_parse(l->queue, &key, ed25519 ? PUBKEY_ED25519 : PUBKEY_RSA,
					      bytes_of(data, n));
	if (got == PUBKEY_OK)
		pubkey_fini(&key);
	return got == PUBKEY_OK || got == PUBKEY_SIZE;
}

static void look_at_data(struct look *l, struct bytes p, bool ed25519)
{
	uint8_t data[KEYS_DER_MAX];
	ptrdiff_t n = base64_decode(NULL, p, data, sizeof data);
	size_t front = n < 0 ? decode_front(p, data, sizeof data) : (size_t)n;
	if ((n >= 0 && key_is_good(l, data, front, ed25519)) ||
	    (!ed25519 && look_for_cut(l, data, front)))
		return;
	if (n < 0 && front > sizeof data - 3)
		complaint_add(&l->complaints, true, "too_long",
			      "p= is longer than any key that can be checked");
	else if (n < 0)
		look_at_letters(l, p);
	else if (ed25519)
		look_at_ed25519(l, data, (size_t)n);
	else
		look_at_rsa(l, data, (size_t)n);
}

/* ---- the tags ---- */

static bool value_is(const struct tag *t, const char *text)
{
	return t && bytes_equal(t->value, bytes_str(text));
}

/* Items of a list that are none of the words (with a blank behind each) are complained about. */
static void look_at_list(struct look *l, const char *tag, const char *words, const char *complaint)
{
	const struct tag *t = taglist_find(&l->tags, tag);
	struct bytes list = t ? t->value : (struct bytes){ NULL, 0 }, item;
	while (t && taglist_item(&list, &item)) {
		char word[34];
		int n = snprintf(word, sizeof word, "%.*s ", item.n < 32 ? (int)item.n : 32,
				 item.n ? (const char *)item.p : "");
		if (n < 2 || !strstr(words, word))
			complaint_add(&l->complaints, false, complaint,
				      "%s= has an item that is none of: %s", tag, words);
	}
}

static void look_at_tags(struct look *l)
{
	const struct tag *v = taglist_find(&l->tags, "v"), *p = taglist_find(&l->tags, "p");
	const struct tag *k = taglist_find(&l->tags, "k");
	if (v && v != &l->tags.tag[0])
		complaint_add(&l->complaints, true, "version_not_first",
			      "v= must be the first tag");
	if (v && !value_is(v, "DKIM1"))
		complaint_add(&l->complaints, true, "version", "v= must be DKIM1, in capitals");
	if (!v)
		complaint_add(&l->complaints, false, "no_version",
			      "there is no v=DKIM1; it is recommended");
	if (!p)
		complaint_add(&l->complaints, true, "no_key", "there is no p=");
	if (k && !value_is(k, "rsa") && !value_is(k, "ed25519"))
		complaint_add(&l->complaints, true, "type", "k= is neither rsa nor ed25519");
	look_at_list(l, "h", "sha256 sha1 ", "unknown_hash");
	look_at_list(l, "s", "email * ", "unknown_service");
	look_at_list(l, "t", "y s ", "unknown_flag");
	if (!(l->key.hashes & 1 << HASH_SHA256) && l->key.status <= KEY_TYPE)
		complaint_add(&l->complaints, true, "hash",
			      "h= does not allow sha256: rsa-sha1 never passes (RFC 8301)");
	for (unsigned i = 0; i < l->tags.n; i++) {
		struct bytes name = l->tags.tag[i].name;
		if (name.n == 1 && memchr("vkhstpn", name.p[0], 7))
			continue;
		complaint_add(&l->complaints, false, "unknown_tag",
			      "%.*s= is not known and has no effect%s",
			      (int)(name.n < 20 ? name.n : 20), name.p,
			      bytes_equal(name, bytes_str("g")) ? " since RFC 6376" : "");
	}
}

static void look_at_size(struct look *l)
{
	uint32_t bits = l->key.pub.bits, min = l->profile->min_bits;
	if (bits < min)
		complaint_add(&l->complaints, true, "weak",
			      "the key has %u bits; under %u it never passes (RFC 8301)", bits,
			      min);
	else if (bits > l->profile->max_bits)
		complaint_add(&l->complaints, true, "too_long",
			      "the key has %u bits; over %u it is not checked", bits,
			      l->profile->max_bits);
	else if (bits < 2048)
		complaint_add(&l->complaints, false, "short",
			      "the key has %u bits; 2048 are recommended (RFC 8301)", bits);
}

static void look_at_key(struct look *l)
{
	const struct tag *p = taglist_find(&l->tags, "p"), *k = taglist_find(&l->tags, "k");
	bool ed25519 = value_is(k, "ed25519");
	look_at_tags(l);
	if (l->key.status == KEY_SERVICE)
		complaint_add(&l->complaints, true, "service",
			      "s= is not for mail: neither email nor * is in it");
	if (p && !p->value.n)
		complaint_add(&l->complaints, true, "revoked", "p= is empty: the key is revoked");
	else if (p && l->key.status == KEY_SYNTAX && (!k || ed25519 || value_is(k, "rsa")))
		look_at_data(l, p->value, ed25519);
	if ((l->key.status == KEY_OK || l->key.status == KEY_SIZE) && !ed25519)
		look_at_size(l);
	if (l->key.test)
		complaint_add(&l->complaints, false, "test_mode",
			      "t=y: the domain is testing, failures are not acted on");
}

static void look_at_record(struct look *l)
{
	look_at_quoting(l);
	if (taglist_parse(&l->tags, l->record))
		look_at_key(l);
	else
		find_syntax(l);
}

/* ---- the answer ---- */

static bool less(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c < 0 || (c == 0 && a.n < b.n);
}

/* The record that counts, by the rule of keys.h. */
static void choose(struct look *l)
{
	for (unsigned i = 0; i < l->answer->n && i < KEYS_RECORDS_MAX; i++) {
		struct bytes record = l->answer->rr[i].data;
		struct key key;
		key_parse(&key, l->queue, record);
		if (!l->has_record || key.status < l->key.status ||
		    (key.status == l->key.status && less(record, l->record))) {
			key_fini(&l->key);
			l->key = key;
			l->record = record;
			l->has_record = true;
		} else {
			key_fini(&key);
		}
	}
}

static void look_at_answer(struct look *l, const struct answer *probe)
{
	key_answer(&l->key, l->queue, l->answer); /* what it is without any record */
	switch (l->answer->status) {
	case ANSWER_DATA:
		break;
	case ANSWER_TIMEOUT:
		return complaint_add(&l->complaints, true, "timeout",
				     "there was no answer in time");
	case ANSWER_SERVFAIL:
		return complaint_add(&l->complaints, true, "failed",
				     "the question failed: SERVFAIL, or DNSSEC is bogus");
	case ANSWER_NODATA:
		return complaint_add(&l->complaints, true, "no_record",
				     "the name is there, but has no TXT record");
	default:
		return complaint_add(&l->complaints, true, "no_record", "there is no such name");
	}
	choose(l);
	if (l->answer->n > 1)
		complaint_add(&l->complaints, false, "several_records",
			      "there are %u TXT records, which RFC 6376 leaves undefined; the best "
			      "counts",
			      l->answer->n);
	look_at_record(l);
	if (probe->status != ANSWER_DATA)
		return;
	bool same = false;
	for (unsigned i = 0; i < probe->n; i++)
		same |= bytes_equal(probe->rr[i].data, l->record);
	if (same)
		complaint_add(
			&l->complaints, false, "wildcard",
			"a selector that nobody made has this record too: it is a wildcard's");
}

static const char *status_of(const struct look *l)
{
	static const char *const words[] = {
		[KEY_OK] = "ok",           [KEY_REVOKED] = "revoked", [KEY_TYPE] = "type",
		[KEY_SERVICE] = "service", [KEY_SYNTAX] = "syntax",   [KEY_NONE] = "none",
		[KEY_TIMEOUT] = "timeout", [KEY_FAILED] = "failed",
	};
	bool sized = l->key.status == KEY_OK || l->key.status == KEY_SIZE;
	if (!l->answer)
		return "name";
	if (sized && l->key.pub.type == PUBKEY_RSA) {
		if (l->key.pub.bits < l->profile->min_bits)
			return "weak";
		if (l->key.pub.bits > l->profile->max_bits || l->key.status == KEY_SIZE)
			return "too_long";
	}
	if (l->key.status == KEY_OK && !(l->key.hashes & 1 << HASH_SHA256))
		return "hash";
	return words[l->key.status];
}

/* ---- the object ---- */

static void put_list(struct look *l, const char *key, const char *tag, const char *fallback)
{
	struct json *j = &l->c->json;
	const struct tag *t = taglist_find(&l->tags, tag);
	struct bytes list = t ? t->value : bytes_str(fallback), item;
	json_key(j, key);
	json_array_begin(j);
	while (l->tags.n && (t || *fallback) && taglist_item(&list, &item))
		json_bytes(j, item);
	json_array_end(j);
}

static void put(struct look *l)
{
	struct check *c = l->c;
	const struct tag *k = taglist_find(&l->tags, "k"), *n = taglist_find(&l->tags, "n");
	check_word(c, "status", status_of(l));
	check_text(c, "name", bytes_str(l->name));
	check_text(c, "type", !l->tags.n ? bytes_str("") : k ? k->value : bytes_str("rsa"));
	json_key(&c->json, "bits");
	if (l->key.pub.bits)
		json_uint(&c->json, l->key.pub.bits);
	else
		json_nil(&c->json);
	put_list(l, "hashes", "h", "sha1:sha256");
	put_list(l, "services", "s", "*");
	put_list(l, "flags", "t", "");
	check_text(c, "notes", n ? n->value : bytes_str(""));
	check_uint(c, "records", l->answer ? l->answer->n : 0);
	check_text(c, "record", l->record);
	check_uint(c, "ttl", l->answer ? l->answer->ttl_s : 0);
	check_bool(c, "dnssec", l->answer && l->answer->secure);
	complaint_put(&l->complaints, &c->json);
}

/* selector._domainkey.domain in A-labels. False: there can be no such name. */
static bool make_names(struct look *l)
{
	char selector[NAMES_MAX + 1], domain[NAMES_MAX + 1];
	if (!names_ascii(bytes_str(l->c->argument[0]), selector) ||
	    !names_ascii(check_domain(l->c->argument[1]), domain))
		return false;
	int n = snprintf(l->name, sizeof l->name, "%s._domainkey.%s", selector, domain);
	if (n < 0 || (size_t)n > NAMES_MAX) {
		l->name[0] = 0;
		return false;
	}
	n = snprintf(l->probe, sizeof l->probe, "no-such-selector-of-postern._domainkey.%s",
		     domain);
	if (n < 0 || (size_t)n > NAMES_MAX)
		l->probe[0] = 0;
	return true;
}

int check_key(struct check *c)
{
	struct look *l = calloc(1, sizeof *l);
	struct known *known = check_known(c);
	struct pubkey_queue *q = pubkey_queue_new(1);
	if (!l || !known || !q) {
		snprintf(c->why, CHECK_WHY_MAX, "out of memory");
		free(l);
		check_known_free(known);
		pubkey_queue_free(q);
		return -1;
	}
	l->c = c;
	l->queue = q;
	l->profile = profiles_dkim(c->cfg.profiles, c->cfg.dkim_profile);
	if (make_names(l)) {
		struct record *key, *probe;
		for (;;) {
			key = known_ask(known, KNOWN_KEYS, QUESTION_TXT, bytes_str(l->name));
			probe = known_ask(known, KNOWN_KEYS, QUESTION_TXT, bytes_str(l->probe));
			if (key && probe)
				break;
			ask_known(c->ask, known, l->profile->query_timeout_ms);
		}
		l->answer = &key->answer;
		look_at_answer(l, &probe->answer);
	} else {
		complaint_add(&l->complaints, true, "name",
			      "selector and domain make no name that the DNS can have");
	}
	put(l);
	key_fini(&l->key);
	pubkey_queue_free(q);
	check_known_free(known);
	free(l);
	return 0;
}
