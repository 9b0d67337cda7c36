#include "control/kind.h"

#include <stdlib.h>

static const char *const action_words[] = { "accept", "flag", "tag", "quarantine", "reject", NULL };
static const char *const l_words[] = { "ignore", "partial", "honour", NULL };
static const char *const test_words[] = { "report", "skip", NULL };
static const char *const level_words[] = { "spf", "sidf", "sidf-compatible", NULL };

enum { S = 1000 };

#define AT(of, f) .offset = offsetof(struct of, f), .size = sizeof(((struct of *)0)->f)
#define RANGE(lo, hi) .min = (lo), .max = (hi)
#define NAME(prefix, id) .name = id, .option = prefix "-" id
#define ACTION(prefix, id, of, f, value, text) \
	{ \
		NAME(prefix, id), .type = SCHEMA_WORD, .words = action_words, .fallback = value, \
				  .help = text, AT(of, f) \
	}
/* Code and text of a reply; a temporary one is from 400 to 499. */
#define REPLY(prefix, id, of, f, last, code_value, text_value) \
	{ NAME(prefix, id "_code"), .type = SCHEMA_NUMBER,       RANGE(400, last), \
	  .fallback = code_value,   .help = "code of the reply", AT(of, f.code) }, \
	{ \
		NAME(prefix, id "_text"), .type = SCHEMA_ASCII, RANGE(1, PROFILE_TEXT_MAX - 1), \
					  .fallback = text_value, .help = "its text", \
					  AT(of, f.text) \
	}
#define LIST_NAME(prefix, id, of, f, text_value) \
	{ \
		NAME(prefix, id), .type = SCHEMA_NAME, RANGE(0, PROFILE_NAME_MAX - 1), \
				  .fallback = "", .help = text_value, AT(of, f) \
	}

static const struct schema_row dkim_rows[] = {
	{ NAME("dkim", "allow_sha1"), .type = SCHEMA_BOOL, .fallback = "false",
	  .help = "let rsa-sha1 pass, for archives (RFC 8301 forbids it)",
	  AT(dkim_profile, allow_sha1) },
	{ NAME("dkim", "min_bits"), .type = SCHEMA_NUMBER, RANGE(512, 16384), .fallback = "1024",
	  .help = "shortest RSA key that may pass", AT(dkim_profile, min_bits) },
	{ NAME("dkim", "max_bits"), .type = SCHEMA_NUMBER, RANGE(512, 16384), .fallback = "4096",
	  .help = "longest RSA key that is used", AT(dkim_profile, max_bits) },
	{ NAME("dkim", "l"), .type = SCHEMA_WORD, .words = l_words, .fallback = "partial",
	  .help = "signatures with l=: ignore makes them policy, partial lets them pass, never "
		  "aligned where the body goes on behind it, honour lets them pass",
	  AT(dkim_profile, l) },
	{ NAME("dkim", "signatures_max"), .type = SCHEMA_NUMBER, RANGE(1, 64), .fallback = "5",
	  .help = "signatures of one message that are verified, aligned ones first",
	  AT(dkim_profile, signatures_max) },
	{ NAME("dkim", "skew"), .type = SCHEMA_SECONDS, RANGE(0, 86400), .fallback = "60s",
	  .help = "how far clocks may differ for t= and x=", AT(dkim_profile, skew_s) },
	{ NAME("dkim", "query_timeout"), .type = SCHEMA_MS, RANGE(10, 300 * S), .fallback = "10s",
	  .help = "keys are given up after this time: a temporary failure",
	  AT(dkim_profile, query_timeout_ms) },
	{ NAME("dkim", "test"), .type = SCHEMA_WORD, .words = test_words, .fallback = "report",
	  .help = "keys in test mode (t=y): report verifies with them and never acts on it, skip "
		  "leaves their signatures out",
	  AT(dkim_profile, test) },
	ACTION("dkim", "temporary_action", dkim_profile, temporary_action, "accept",
	       "when keys could not be asked for"),
	REPLY("dkim", "temporary", dkim_profile, temporary, 499, "451",
	      "4.4.3 Unable to fetch the DKIM key"),
	ACTION("dkim", "permanent_action", dkim_profile, permanent_action, "flag",
	       "when signatures failed and none passed"),
	REPLY("dkim", "permanent", dkim_profile, permanent, 599, "550",
	      "5.7.20 No passing DKIM signature found"),
};

#define SPF_CASE(id, identity, result, text) \
	{ \
		NAME("spf", id), .type = SCHEMA_WORD, .words = action_words, .fallback = "accept", \
				 .help = text, \
				 .offset = offsetof(struct spf_profile, action) + \
					   sizeof(uint32_t) * ((identity)*SPF_CASE_N + (result)), \
				 .size = sizeof(uint32_t) \
	}
#define SPF_CASES(id, identity, words) \
	SPF_CASE(id "_none", identity, SPF_CASE_NONE, "when " words " gives none"), \
		SPF_CASE(id "_neutral", identity, SPF_CASE_NEUTRAL, \
			 "when " words " gives neutral"), \
		SPF_CASE(id "_softfail", identity, SPF_CASE_SOFTFAIL, \
			 "when " words " gives softfail"), \
		SPF_CASE(id "_fail", identity, SPF_CASE_FAIL, "when " words " gives fail"), \
		SPF_CASE(id "_temperror", identity, SPF_CASE_TEMPERROR, \
			 "when " words " gives temperror"), \
		SPF_CASE(id "_permerror", identity, SPF_CASE_PERMERROR, \
			 "when " words " gives permerror")

static const struct schema_row spf_rows[] = {
	{ NAME("spf", "level"), .type = SCHEMA_WORD, .words = level_words, .fallback = "spf",
	  .help = "spf checks HELO and MAIL FROM, sidf MAIL FROM and PRA (RFC 4406), "
		  "sidf-compatible all three and reads v=spf1 as a record for MAIL FROM only",
	  AT(spf_profile, level) },
	{ NAME("spf", "helo"), .type = SCHEMA_BOOL, .fallback = "true",
	  .help = "check HELO, at the levels spf and sidf-compatible", AT(spf_profile, helo) },
	{ NAME("spf", "pra_downgrade"), .type = SCHEMA_BOOL, .fallback = "false",
	  .help = "at the level sidf-compatible a pass of the PRA is none when Resent-Sender: or "
		  "Resent-From: is there",
	  AT(spf_profile, pra_downgrade) },
	{ NAME("spf", "explanation"), .type = SCHEMA_BOOL, .fallback = "false",
	  .help = "the publisher's words (exp=) are part of a reply",
	  AT(spf_profile, explanation) },
	{ NAME("spf", "lookup_max"), .type = SCHEMA_NUMBER, RANGE(1, 100), .fallback = "10",
	  .help = "mechanisms and modifiers that ask the DNS, of one check (RFC 7208 section "
		  "4.6.4)",
	  AT(spf_profile, lookup_max) },
	{ NAME("spf", "void_max"), .type = SCHEMA_NUMBER, RANGE(0, 100), .fallback = "2",
	  .help = "of these questions without an answer", AT(spf_profile, void_max) },
	{ NAME("spf", "timeout"), .type = SCHEMA_MS, RANGE(10, 600 * S), .fallback = "20s",
	  .help = "all questions of a check are given up after this time: temperror",
	  AT(spf_profile, timeout_ms) },
	LIST_NAME("spf", "relays", spf_profile, relays,
		  "address list of own relays, whose Received: fields are believed"),
	SPF_CASES("helo", SPF_HELO, "HELO"),
	SPF_CASES("mailfrom", SPF_MAILFROM, "MAIL FROM"),
	SPF_CASES("pra", SPF_PRA, "the PRA"),
	REPLY("spf", "temporary", spf_profile, temporary, 499, "451",
	      "#4.4.3 Temporary error occurred during SPF verification"),
	REPLY("spf", "permanent", spf_profile, permanent, 599, "550",
	      "#5.7.1 SPF unauthorized mail is prohibited"),
};

static const struct schema_row dmarc_rows[] = {
	ACTION("dmarc", "reject_action", dmarc_profile, reject_action, "reject",
	       "when DMARC failed and the policy is reject"),
	REPLY("dmarc", "reject", dmarc_profile, reject, 599, "550",
	      "#5.7.1 DMARC unauthenticated mail is prohibited"),
	ACTION("dmarc", "quarantine_action", dmarc_profile, quarantine_action, "quarantine",
	       "when DMARC failed and the policy is quarantine"),
	{ NAME("dmarc", "quarantine"), .type = SCHEMA_NAME, RANGE(1, PROFILE_NAME_MAX - 1),
	  .fallback = "Policy", .help = "the quarantine such mail goes to",
	  AT(dmarc_profile, quarantine) },
	ACTION("dmarc", "temporary_action", dmarc_profile, temporary_action, "accept",
	       "when the record could not be asked for"),
	REPLY("dmarc", "temporary", dmarc_profile, temporary, 499, "451",
	      "#4.7.1 Unable to perform DMARC verification"),
	ACTION("dmarc", "permanent_action", dmarc_profile, permanent_action, "accept",
	       "when DMARC cannot be applied to the record or the From: field"),
	REPLY("dmarc", "permanent", dmarc_profile, permanent, 599, "550",
	      "#5.7.1 DMARC verification failed"),
	{ NAME("dmarc", "reject_tag"), .type = SCHEMA_BOOL, .fallback = "false",
	  .help = "tag the subject when the policy is reject and the mail is not refused",
	  AT(dmarc_profile, reject_tag) },
	{ NAME("dmarc", "quarantine_tag"), .type = SCHEMA_BOOL, .fallback = "false",
	  .help = "the same for the policy quarantine", AT(dmarc_profile, quarantine_tag) },
	{ NAME("dmarc", "tag"), .type = SCHEMA_ASCII, RANGE(1, PROFILE_NAME_MAX - 1),
	  .fallback = "*** FRAUD ***", .help = "what stands in front of the subject then",
	  AT(dmarc_profile, tag) },
	{ NAME("dmarc", "reject_score"), .type = SCHEMA_TENTHS, RANGE(0, 1000), .fallback = "5.0",
	  .help = "added to the score when the policy is reject and the mail is not refused",
	  AT(dmarc_profile, reject_score) },
	{ NAME("dmarc", "quarantine_score"), .type = SCHEMA_TENTHS, RANGE(0, 1000),
	  .fallback = "5.0", .help = "the same for the policy quarantine",
	  AT(dmarc_profile, quarantine_score) },
	LIST_NAME("dmarc", "bypass_senders", dmarc_profile, bypass_senders,
		  "address list of senders whose mail is not judged by DMARC"),
	{ NAME("dmarc", "bypass_headers"), .type = SCHEMA_HEADERS,
	  RANGE(0, PROFILE_HEADERS_MAX - 1), .fallback = "",
	  .help = "nor is mail with one of these header fields",
	  AT(dmarc_profile, bypass_headers) },
	{ NAME("dmarc", "bypass_authenticated"), .type = SCHEMA_BOOL, .fallback = "true",
	  .help = "nor is mail of sessions with a successful AUTH",
	  AT(dmarc_profile, bypass_authenticated) },
	LIST_NAME("dmarc", "bypass_clients", dmarc_profile, bypass_clients,
		  "address list of clients whose mail is not judged by DMARC"),
	LIST_NAME("dmarc", "bypass_servers", dmarc_profile, bypass_servers,
		  "the same of the own domains' mail servers"),
	LIST_NAME("dmarc", "sealers", dmarc_profile, sealers,
		  "list of ARC sealers whose results may override a failure; none: nobody is "
		  "trusted"),
};

static const struct schema_row names_rows[] = {
	{ .name = "names",
	  .type = SCHEMA_NAMES,
	  .fallback = "",
	  .help = "protected names, as people write them: Olivia Smith",
	  AT(names_profile, names) },
	{ .name = "threshold",
	  .type = SCHEMA_NUMBER,
	  RANGE(1, 100),
	  .fallback = "70",
	  .help = "From: shows a name when it is so much alike; 100 is the same",
	  AT(names_profile, threshold) },
	{ .name = "own",
	  .type = SCHEMA_LIST,
	  .fallback = "",
	  .help = "domains whose mail is not checked: those of the people named",
	  AT(names_profile, own) },
	{ .name = "except",
	  .type = SCHEMA_LIST,
	  .fallback = "",
	  .help = "addresses and domains that are not checked either",
	  AT(names_profile, except) },
	{ .name = "action",
	  .type = SCHEMA_WORD,
	  .words = action_words,
	  .fallback = "flag",
	  .help = "when it does",
	  AT(names_profile, action) },
	{ .name = "reply_code",
	  .type = SCHEMA_NUMBER,
	  RANGE(400, 599),
	  .fallback = "550",
	  .help = "code of the reply",
	  AT(names_profile, reply.code) },
	{ .name = "reply_text",
	  .type = SCHEMA_ASCII,
	  RANGE(1, PROFILE_TEXT_MAX - 1),
	  .fallback = "5.7.1 Mail that shows a protected name is prohibited",
	  .help = "its text",
	  AT(names_profile, reply.text) },
};

static const struct kind_preset dkim_presets[] = {
	{ "asyncos",
	  { { "test", "skip" },
	    { "permanent_code", "451" },
	    { "permanent_text", "4.7.20 No passing DKIM signature found" } } },
};
static const struct kind_preset spf_presets[] = {
	{ "asyncos", { { "level", "sidf-compatible" } } },
};
static const struct kind_preset dmarc_presets[] = {
	{ "securitygateway4",
	  { { "reject_action", "accept" },
	    { "quarantine_action", "accept" },
	    { "reject_score", "0.0" },
	    { "quarantine_score", "0.0" } } },
};

#define TABLE(t) t, sizeof t / sizeof t[0]
const struct kind_info kind_info[KIND_N] = {
	[KIND_DKIM] = { "dkim", "dkim_profiles", "DKIM profile", true, false, TABLE(dkim_rows),
			TABLE(dkim_presets) },
	[KIND_SPF] = { "spf", "spf_profiles", "SPF profile", true, false, TABLE(spf_rows),
		       TABLE(spf_presets) },
	[KIND_DMARC] = { "dmarc", "dmarc_profiles", "DMARC profile", true, false, TABLE(dmarc_rows),
			 TABLE(dmarc_presets) },
	[KIND_NAMES] = { "names", "forged_names", "dictionary of names", false, true,
			 TABLE(names_rows), NULL, 0 },
	[KIND_SEALERS] = { "sealers", "arc_sealers", "list of ARC sealers", false, false, NULL, 0,
			   NULL, 0 },
	[KIND_ADDRESSES] = { "addresses", "address_lists", "address list", false, false, NULL, 0,
			     NULL, 0 },
};
#undef TABLE

/* Rows that name a list, and its kind. */
static const struct {
	enum kind kind;
	const char *row;
	enum kind list;
} list_names[] = {
	{ KIND_SPF, "relays", KIND_ADDRESSES },
	{ KIND_DMARC, "bypass_senders", KIND_ADDRESSES },
	{ KIND_DMARC, "bypass_clients", KIND_ADDRESSES },
	{ KIND_DMARC, "bypass_servers", KIND_ADDRESSES },
	{ KIND_DMARC, "sealers", KIND_SEALERS },
};

/* Rows that are a reply's code and its text. */
static const struct {
	enum kind kind;
	const char *code, *text;
} replies[] = {
	{ KIND_DKIM, "temporary_code", "temporary_text" },
	{ KIND_DKIM, "permanent_code", "permanent_text" },
	{ KIND_SPF, "temporary_code", "temporary_text" },
	{ KIND_SPF, "permanent_code", "permanent_text" },
	{ KIND_DMARC, "reject_code", "reject_text" },
	{ KIND_DMARC, "temporary_code", "temporary_text" },
	{ KIND_DMARC, "permanent_code", "permanent_text" },
	{ KIND_NAMES, "reply_code", "reply_text" },
};

enum kind kind_of_word(struct bytes word)
{
	int k = 0;
	while (k < KIND_N && !bytes_equal(bytes_str(kind_info[k].word), word))
		k++;
	return (enum kind)k;
}

void kind_words(char *out, size_t len)
{
	size_t at = 0;
	if (len)
		out[0] = 0;
	for (int k = 0; k < KIND_N && at < len; k++)
		at += (size_t)snprintf(out + at, len - at, "%s%s", k ? ", " : "",
				       kind_info[k].word);
}

enum kind kind_of_section(struct bytes section)
{
	int k = 0;
	while (k < KIND_N && !bytes_equal(bytes_str(kind_info[k].section), section))
		k++;
	return (enum kind)k;
}

enum kind kind_of_row(const struct schema_row *row)
{
	int k = 0;
	for (; k < KIND_N; k++)
		for (unsigned i = 0; i < kind_info[k].n_row; i++)
			if (&kind_info[k].row[i] == row)
				return (enum kind)k;
	return (enum kind)k;
}

const struct schema_row *kind_row(enum kind kind, struct bytes name)
{
	const struct kind_info *info = &kind_info[kind];
	for (unsigned i = 0; i < info->n_row; i++)
		if (bytes_equal(bytes_str(info->row[i].name), name))
			return &info->row[i];
	return NULL;
}

const struct schema_row *kind_find_option(struct bytes option)
{
	for (int k = 0; k < KIND_N; k++)
		for (unsigned i = 0; kind_info[k].options && i < kind_info[k].n_row; i++) {
			char name[SCHEMA_OPTION_MAX];
			schema_option(&kind_info[k].row[i], name);
			if (bytes_equal(bytes_str(name), option))
				return &kind_info[k].row[i];
		}
	return NULL;
}

enum kind kind_names_list(const struct schema_row *row)
{
	enum kind kind = kind_of_row(row);
	for (unsigned i = 0; i < sizeof list_names / sizeof list_names[0]; i++)
		if (list_names[i].kind == kind && !strcmp(list_names[i].row, row->name))
			return list_names[i].list;
	return KIND_N;
}

int kind_take_preset(void *item, enum kind kind, struct bytes word, char *why, size_t why_len)
{
	const struct kind_info *info = &kind_info[kind];
	size_t at = 0;
	for (unsigned i = 0; i < info->n_preset; i++) {
		if (!bytes_equal(bytes_str(info->preset[i].word), word))
			continue;
		const struct kind_value *v = info->preset[i].value;
		for (; v->row; v++)
			if (schema_set(kind_row(kind, bytes_str(v->row)), item, bytes_str(v->value),
				       false, why, why_len) < 0)
				abort();
		return 0;
	}
	at = (size_t)snprintf(why, why_len, "there is no such preset; allowed: ");
	for (unsigned i = 0; i < info->n_preset && at < why_len; i++)
		at += (size_t)snprintf(why + at, why_len - at, "%s%s", i ? ", " : "",
				       info->preset[i].word);
	if (!info->n_preset)
		snprintf(why, why_len, "a %s has no presets", info->noun);
	return -1;
}

/* tests/test_kind.c goes through all rows and presets, so that no abort here is ever met */
void kind_default(void *item, enum kind kind, struct bytes name)
{
	const struct kind_info *info = &kind_info[kind];
	char why[SCHEMA_WHY_MAX];
	for (unsigned i = 0; i < info->n_row; i++)
		if (*info->row[i].fallback &&
		    schema_set(&info->row[i], item, bytes_str(info->row[i].fallback), false, why,
			       sizeof why) < 0)
			abort();
	if (name.n) /* every profile begins with its name */
		memcpy(item, name.p, name.n);
}

/* An enhanced status code in front (RFC 2034), '#' before it or not, is of the code's class. */
static bool class_fits(uint32_t code, const char *text)
{
	text += *text == '#';
	return text[0] < '0' || text[0] > '9' || text[1] != '.' ||
	       (uint32_t)(text[0] - '0') == code / 100;
}

int kind_check(enum kind kind, const void *item, char *why, size_t why_len)
{
	const struct dkim_profile *dkim = item;
	const struct names_profile *names = item;
	for (unsigned i = 0; i < sizeof replies / sizeof replies[0]; i++) {
		if (replies[i].kind != kind)
			continue;
		uint32_t code;
		const void *at = schema_field(kind_row(kind, bytes_str(replies[i].code)), item);
		memcpy(&code, at, sizeof code);
		at = schema_field(kind_row(kind, bytes_str(replies[i].text)), item);
		if (class_fits(code, at))
			continue;
		snprintf(why, why_len,
			 "%s is %u, but %s begins with a status code of another class; the first "
			 "digits must be the same",
			 replies[i].code, code, replies[i].text);
		return -1;
	}
	if (kind == KIND_DKIM && dkim->min_bits > dkim->max_bits) {
		snprintf(why, why_len, "min_bits is over max_bits; no key could pass");
		return -1;
	}
	if (kind == KIND_NAMES && (!names->names || !list_count(names->names))) {
		snprintf(why, why_len, "has no names; write them as names: [Olivia Smith]");
		return -1;
	}
	return 0;
}

void kind_fallback(const struct schema_row *row, char out[SCHEMA_VALUE_MAX])
{
	union { /* any of the structs that rows are for */
		struct dkim_profile dkim;
		struct spf_profile spf;
		struct dmarc_profile dmarc;
		struct names_profile names;
	} item;
	char why[SCHEMA_WHY_MAX];
	memset(&item, 0, sizeof item);
	if (*row->fallback &&
	    schema_set(row, &item, bytes_str(row->fallback), false, why, sizeof why) < 0)
		abort();
	schema_get(row, &item, out);
}

void kind_manual(FILE *out)
{
	for (int k = 0; k < KIND_N; k++) {
		const struct kind_info *info = &kind_info[k];
		fprintf(out, "%s  NAME: %s\n", info->section,
			info->row ? "{setting: value, ...}" : "[domain, ...]");
		for (unsigned i = 0; i < info->n_preset; i++)
			fprintf(out, "%s  preset: %s\n      first in a profile: its defaults\n",
				info->section, info->preset[i].word);
		for (unsigned i = 0; i < info->n_row; i++) {
			char option[SCHEMA_OPTION_MAX] = "";
			if (info->options)
				schema_option(&info->row[i], option);
			fprintf(out, "%s  %s%s%s\n", info->section, info->row[i].name,
				*option ? "  --" : "", option);
			schema_explain(&info->row[i], out);
		}
	}
}
