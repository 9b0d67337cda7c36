#include <stdio.h>
#include <stdlib.h>

#include "control/ask.h"
#include "control/check.h"
#include "control/complaint.h"
#include "control/files.h"
#include "control/rdata.h"
#include "control/value.h"
#include "verify/auth/discovery.h"
#include "verify/auth/dmarc.h"
#include "verify/dns/names.h"

/*
 * The DMARC policy of a domain: which record holds, where it was found, and what is wrong with
 * every text that was found on the way (RFC 9989 section 4.7, RFC 7489 section 6.3); or of a
 * message: the judgement.
 */

enum { DMARC_MEMORY = 4 * 1024 * 1024, TAGS_MAX = 64 };

/* ---- what is wrong with a text ---- */

struct text { /* one that claims to be a record */
	struct complaints complaints;
	bool psl; /* read by RFC 7489 */
	struct bytes seen[TAGS_MAX];
	unsigned n;
};

static bool word_in(struct bytes value, const char *words)
{
	for (const char *at = words; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");
		if (bytes_equal_nocase(bytes_of(at, n), value))
			return true;
		at += n;
	}
	return false;
}

/* Next item of a list, trimmed; false behind the last. */
static bool item_of(struct bytes *list, uint8_t sign, struct bytes *item)
{
	if (!list->p)
		return false;
	const uint8_t *end = list->n ? memchr(list->p, sign, list->n) : NULL;
	*item = bytes_trim(bytes_head(*list, end ? (size_t)(end - list->p) : list->n));
	*list = end ? bytes_of(end + 1, list->n - (size_t)(end - list->p) - 1)
		    : (struct bytes){ NULL, 0 };
	return true;
}

static void look_at_uris(struct text *t, const char *tag, struct bytes value)
{
	struct bytes list = value, uri, item;
	unsigned items = 0, good = 0;
	for (struct bytes rest = value; item_of(&rest, ',', &item);)
		items++;
	while (dmarc_record_uri(&list, &uri))
		good++;
	if (good < items)
		complaint_add(&t->complaints, true, "uri",
			      "%s= has %u addresses of which %u are none: write mailto:user@domain",
			      tag, items, items - good);
}

static void look_at_words(struct text *t, const char *tag, struct bytes value, uint8_t sign,
			  const char *words)
{
	struct bytes list = value, item;
	if (!value.n)
		list = bytes_str("");
	while (item_of(&list, sign, &item)) {
		if (!word_in(item, words)) {
			complaint_add(&t->complaints, true, "value", "%s= must be %s: %s", tag,
				      sign == ':' ? "some of" : "one of", words);
			return;
		}
	}
}

static void look_at_pct(struct text *t, struct bytes value)
{
	uint64_t n;
	if (!value_number(value, &n) || n > 100)
		complaint_add(&t->complaints, t->psl, "value",
			      "pct= must be a number from 0 to 100");
	if (!t->psl)
		complaint_add(&t->complaints, false, "removed_tag",
			      "RFC 9989 took pct= out: it has no effect; for a test write t=y");
}

static void look_at_value(struct text *t, const char *tag, struct bytes value)
{
	bool newer = !strcmp(tag, "np") || !strcmp(tag, "psd") || !strcmp(tag, "t");
	if (!strcmp(tag, "p") || !strcmp(tag, "sp") || !strcmp(tag, "np"))
		look_at_words(t, tag, value, 0, "none quarantine reject");
	else if (!strcmp(tag, "adkim") || !strcmp(tag, "aspf"))
		look_at_words(t, tag, value, 0, "r s");
	else if (!strcmp(tag, "t"))
		look_at_words(t, tag, value, 0, "y n");
	else if (!strcmp(tag, "psd"))
		look_at_words(t, tag, value, 0, "y n u");
	else if (!strcmp(tag, "fo"))
		look_at_words(t, tag, value, ':', "0 1 d s");
	else if (!strcmp(tag, "rua") || !strcmp(tag, "ruf"))
		look_at_uris(t, tag, value);
	else if (!strcmp(tag, "pct"))
		look_at_pct(t, value);
	else if (strcmp(tag, "v") != 0 && !t->psl)
		complaint_add(&t->complaints, false, "removed_tag",
			      "RFC 9989 took %s= out: it has no effect", tag);
	if (newer && t->psl)
		complaint_add(&t->complaints, false, "unknown_tag",
			      "RFC 7489 does not know %s=: it has no effect with the suffix list",
			      tag);
	if (!strcmp(tag, "t") && !t->psl && word_in(value, "y"))
		complaint_add(&t->complaints, false, "testing",
			      "t=y: the policy is applied one step milder");
}

static void look_at_tag(struct text *t, unsigned number, struct bytes tag)
{
	static const char *const known[] = { "v",   "p",   "sp", "np",  "adkim", "aspf", "fo",
					     "rua", "ruf", "t",  "psd", "pct",   "ri",   "rf" };
	const uint8_t *equals = tag.n ? memchr(tag.p, '=', tag.n) : NULL;
	if (!equals)
		return complaint_add(&t->complaints, true, "syntax", "tag %u has no \"=\"", number);
	struct bytes name = bytes_trim(bytes_head(tag, (size_t)(equals - tag.p)));
	struct bytes value = bytes_trim(bytes_from(tag, (size_t)(equals - tag.p) + 1));
	for (unsigned i = 0; i < t->n; i++)
		if (bytes_equal_nocase(t->seen[i], name))
			return complaint_add(&t->complaints, true, "duplicate_tag",
					     "tag %u comes again: the first stands", number);
	if (t->n < TAGS_MAX)
		t->seen[t->n++] = name;
	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
		if (bytes_equal_nocase(bytes_str(known[i]), name))
			return look_at_value(t, known[i], value);
	complaint_add(&t->complaints, false, "unknown_tag", "tag %u is not known and has no effect",
		      number);
}

static void look_at_policy(struct text *t, const struct dmarc_record *r)
{
	if (r->p.state == DMARC_ABSENT && r->reports)
		complaint_add(&t->complaints, false, "no_policy",
			      "there is no p=; with addresses in rua= it is read as p=none");
	else if (r->p.state == DMARC_ABSENT)
		complaint_add(&t->complaints, true, "no_policy",
			      "there is no p= and no address in rua=: the record has no effect");
	bool fo = false, ruf = false;
	for (unsigned i = 0; i < t->n; i++) {
		fo |= bytes_equal_nocase(t->seen[i], bytes_str("fo"));
		ruf |= bytes_equal_nocase(t->seen[i], bytes_str("ruf"));
	}
	if (fo && !ruf)
		complaint_add(&t->complaints, false, "fo_unused", "fo= has no effect without ruf=");
}

/* A text that is no record. True: it was meant to be one. */
static bool look_at_other(struct text *t, struct bytes text)
{
	static const char version[] = "v=dmarc1";
	struct bytes squeezed;
	uint8_t front[64];
	size_t n = 0;
	for (size_t i = 0; i < text.n && n < sizeof front; i++)
		if (text.p[i] != ' ' && text.p[i] != '"' && text.p[i] != '\t')
			front[n++] = bytes_lower(text.p[i]);
	squeezed = bytes_of(front, n);
	if (memmem(squeezed.p, squeezed.n, version, sizeof version - 1) == NULL)
		return false;
	complaint_add(&t->complaints, true, "version",
		      "a record begins with v=DMARC1, in capitals, without quotes, and a \";\"");
	return true;
}

/* ---- what was found at each name ---- */

static void put_text(struct check *c, struct bytes record, unsigned several)
{
	struct text t = { .psl = c->cfg.dmarc_walk == WALK_PSL && c->cfg.suffixes };
	struct dmarc_record r;
	bool is = dmarc_record_parse(&r, record);
	struct bytes list = record, tag;
	for (unsigned i = 1; is && item_of(&list, ';', &tag); i++)
		if (tag.n || list.p)
			look_at_tag(&t, i, tag);
	if (is)
		look_at_policy(&t, &r);
	bool meant = is || look_at_other(&t, record);
	if (is && several > 1)
		complaint_add(&t.complaints, true, "several_records",
			      "there are %u DMARC records at this name: all are discarded",
			      several);
	json_object_begin(&c->json);
	check_bool(c, "dmarc", meant);
	check_text(c, "text", record);
	complaint_put(&t.complaints, &c->json);
	json_object_end(&c->json);
}

/* In the order in which they were asked for. */
static void put_names(struct check *c, const struct known *known)
{
	const struct known_item *item;
	json_key(&c->json, "asked");
	json_array_begin(&c->json);
	for (unsigned i = 0; (item = known_item(known, i)); i++) {
		if (item->question.type != QUESTION_TXT || !item->record)
			continue;
		const struct answer *a = &item->record->answer;
		struct dmarc_record r;
		unsigned several = 0;
		for (unsigned k = 0; k < a->n; k++)
			several += dmarc_record_parse(&r, a->rr[k].data);
		json_object_begin(&c->json);
		check_text(c, "name", bytes_of(item->question.name, item->question.len));
		check_word(c, "status", rdata_status(a->status));
		check_bool(c, "dnssec", a->secure);
		json_key(&c->json, "texts");
		json_array_begin(&c->json);
		for (unsigned k = 0; k < a->n; k++)
			put_text(c, a->rr[k].data, several);
		json_array_end(&c->json);
		json_object_end(&c->json);
	}
	json_array_end(&c->json);
}

/* ---- the record that holds ---- */

static void put_tags(struct check *c, const struct dmarc_result *d)
{
	static const char *const alignment[] = { "relaxed", "strict" };
	json_key(&c->json, "tags");
	if (!d->has_record) {
		json_nil(&c->json);
		return;
	}
	json_object_begin(&c->json);
	check_word(c, "p", dmarc_policy_name((enum dmarc_policy)d->p));
	check_word(c, "sp", d->has_sp ? dmarc_policy_name((enum dmarc_policy)d->sp) : NULL);
	check_word(c, "np", d->has_np ? dmarc_policy_name((enum dmarc_policy)d->np) : NULL);
	check_word(c, "adkim", alignment[d->adkim == DMARC_STRICT]);
	check_word(c, "aspf", alignment[d->aspf == DMARC_STRICT]);
	check_uint(c, "pct", d->pct);
	check_bool(c, "testing", d->testing);
	check_text(c, "rua", d->rua);
	check_text(c, "ruf", d->ruf);
	check_text(c, "fo", d->fo);
	json_object_end(&c->json);
}

static void put(struct check *c, const struct dmarc_result *d, const char *result)
{
	check_word(c, "result", result);
	check_text(c, "domain", d->author);
	check_word(c, "policy",
		   d->has_record ? dmarc_policy_name((enum dmarc_policy)d->policy) : NULL);
	check_word(c, "published",
		   d->has_record ? dmarc_policy_name((enum dmarc_policy)d->published) : NULL);
	check_text(c, "found_at", d->domain);
	check_text(c, "organization", d->organization);
	check_word(c, "discovery", d->discovery == DMARC_PSL ? "psl" : "treewalk");
	check_text(c, "record", d->record);
	put_tags(c, d);
	check_word(c, "reason", d->reason);
	check_bool(c, "nonexistent", d->nonexistent);
	check_bool(c, "dnssec", d->secure);
}

/* ---- a domain ---- */

/* A domain whose mail nobody vouches for: what holds for it is the policy. */
static int of_domain(struct check *c, struct known *known, struct arena *arena)
{
	char name[NAMES_MAX + 1];
	size_t n = names_ascii(check_domain(c->argument[0]), name);
	struct verdict_from from = { .n_domain = n > 0, .flags = n ? 0 : FROM_NO_DOMAIN };
	struct discovery_organization organization = { .state = DISCOVERY_KNOWN };
	struct dmarc_result result;
	struct dmarc_setup setup = { .known = known,
				     .arena = arena,
				     .walk = (enum config_walk)c->cfg.dmarc_walk,
				     .suffixes = c->cfg.suffixes,
				     .from = &from };
	struct discovery walk = { .known = known,
				  .arena = arena,
				  .walk = (enum config_walk)c->cfg.dmarc_walk,
				  .suffixes = c->cfg.suffixes };
	from.domain[0] = bytes_of(name, n);
	for (;;) {
		bool done = dmarc_check(&setup, &result);
		if (n)
			discovery_organize(&walk, from.domain[0], &organization);
		if (done && organization.state != DISCOVERY_OPEN)
			break;
		ask_known(c->ask, known, c->cfg.dns_message_deadline_ms);
		arena_reset(arena);
	}
	if (n && organization.state == DISCOVERY_KNOWN)
		result.organization = organization.domain;
	if (result.result == AUTH_FAIL)
		result.reason = NULL; /* nobody vouches for no mail */
	if (!n)
		result.reason = "malformed";
	if (!n)
		result.author = bytes_str(c->argument[0]);
	put(c, &result,
	    result.result == AUTH_FAIL ? "found"
				       : auth_result_name((enum auth_result)result.result));
	put_names(c, known);
	return 0;
}

static int domain(struct check *c)
{
	void *memory = malloc(DMARC_MEMORY);
	struct known *known = memory ? check_known(c) : NULL;
	struct arena arena;
	if (!known) {
		free(memory);
		snprintf(c->why, CHECK_WHY_MAX, "out of memory");
		return -1;
	}
	arena_init(&arena, memory, DMARC_MEMORY);
	int rc = of_domain(c, known, &arena);
	check_known_free(known);
	free(memory);
	return rc;
}

/* ---- a message ---- */

static void put_judgement(struct check *c, const struct verdict *v)
{
	const struct dmarc_result *d = &v->dmarc;
	put(c, d, auth_result_name((enum auth_result)d->result));
	check_word(c, "override", d->override);
	check_bool(c, "spf_aligned", d->spf_aligned);
	check_bool(c, "dkim_aligned", d->dkim_aligned);
	check_word(c, "action", verdict_action_name((enum verdict_action)v->action));
	check_text(c, "reply", v->reply);
	json_key(&c->json, "from");
	json_array_begin(&c->json);
	for (uint32_t left = v->from.flags & ((1u << FROM_FLAG_N) - 1); left; left &= left - 1)
		json_str(&c->json, verdict_from_flag_name((enum verdict_from_flag)(left & -left)));
	json_array_end(&c->json);
}

static int message(struct check *c)
{
	struct files *files;
	c->cfg.dmarc = true;
	struct message *m = check_message(c, &files);
	int rc = m ? check_judge(c, m, NULL) : -1;
	if (rc == 0) {
		put_judgement(c, m->verdict);
		check_judged(c);
	}
	if (m)
		files_release(m);
	files_free(files);
	return rc;
}

int check_dmarc(struct check *c)
{
	return c->file ? message(c) : domain(c);
}
