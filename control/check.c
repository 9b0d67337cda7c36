#include "control/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "control/ask.h"
#include "control/evidence.h"
#include "control/files.h"
#include "control/options.h"
#include "control/suffix_list.h"
#include "control/value.h"
#include "verify/answers.h"

enum {
	OUTPUT_MAX = 128 * 1024 * 1024, /* only what is written is ever touched */
	KNOWN_MEMORY = 1024 * 1024,
	RECEIVER_MAX = 256,
};

enum own {
	OWN_CLIENT_IP,
	OWN_HELO,
	OWN_MAIL_FROM,
	OWN_RCPT_TO,
	OWN_IDENTITY,
	OWN_PRA,
	OWN_LEVEL,
	OWN_MESSAGE,
	OWN_RAW,
	OWN_CONFIG,
	OWN_EVIDENCE,
	OWN_HELP,
	OWN_N,
};

static const struct options_own own[OWN_N] = {
	[OWN_CLIENT_IP] = { "client-ip", "IP", "who connected" },
	[OWN_HELO] = { "helo", "NAME", "what it called itself" },
	[OWN_MAIL_FROM] = { "mail-from", "ADDR", "sender of the envelope; <> is the null sender" },
	[OWN_RCPT_TO] = { "rcpt-to", "ADDR", "recipient; may be repeated" },
	[OWN_IDENTITY] = { "identity", "helo|mailfrom", "whom SPF checks [mailfrom]" },
	[OWN_PRA] = { "pra", "ADDR", "the address that the header says is responsible" },
	[OWN_LEVEL] = { "level", "sidf|sidf-compatible", "of Sender ID [sidf-compatible]" },
	[OWN_MESSAGE] = { "message", "FILE", "a message; - is standard input" },
	[OWN_RAW] = { "raw", NULL, "take the message's octets as they are, LF is not CRLF" },
	[OWN_CONFIG] = { "config", "FILE", "settings in YAML; options win over it" },
	[OWN_EVIDENCE] = { "evidence", "FILE",
			   "ask the DNS answers kept in FILE, and nobody else" },
	[OWN_HELP] = { "help", NULL, "this text" },
};

#define BIT(o) (1u << OWN_##o)
enum {
	ENVELOPE = BIT(CLIENT_IP) | BIT(HELO) | BIT(MAIL_FROM),
	ALWAYS = BIT(CONFIG) | BIT(EVIDENCE) | BIT(HELP),
};

static const struct check_kind {
	const char *name, *usage, *help, *example;
	int (*run)(struct check *c);
	unsigned own; /* bits of enum own that it takes */
	unsigned arguments; /* and so many of these */
	const char *groups; /* of settings that it takes */
} kinds[] = {
	{ "spf", "--client-ip IP [--helo NAME] [--mail-from ADDR]",
	  "Whether a client may send for a domain (RFC 7208): MAIL FROM, or HELO where it is null.",
	  "postern check spf --client-ip 192.0.2.1 --helo mx.example.org --mail-from a@example.org",
	  check_spf, ENVELOPE | BIT(IDENTITY) | ALWAYS, 0, "now dns spf authserv_id" },
	{ "sidf", "--client-ip IP [--helo NAME] --pra ADDR | --message FILE",
	  "Whether a client may send for the purported responsible address (RFC 4406, RFC 4407).",
	  "postern check sidf --client-ip 192.0.2.1 --message mail.eml", check_sidf,
	  ENVELOPE | BIT(PRA) | BIT(LEVEL) | BIT(MESSAGE) | BIT(RAW) | ALWAYS, 0,
	  "now dns spf authserv_id" },
	{ "dmarc", "DOMAIN, or --message FILE [--client-ip IP --helo NAME --mail-from ADDR]",
	  "The policy in force for a domain, where it was found and what is wrong with it; or the\n"
	  "judgement of a message (RFC 9989, RFC 7489).",
	  "postern check dmarc mail.example.org", check_dmarc,
	  ENVELOPE | BIT(RCPT_TO) | BIT(MESSAGE) | BIT(RAW) | ALWAYS, 1,
	  "now dns spf dkim arc dmarc authserv_id" },
	{ "dkim-key", "SELECTOR DOMAIN",
	  "What a DKIM key record is, and everything that is wrong with it (RFC 6376, RFC 8301, "
	  "RFC 8463).",
	  "postern check dkim-key s1 example.org", check_key, ALWAYS, 2, "dns dkim" },
	{ "arc", "FILE", "The chain of seals on a message (RFC 8617).",
	  "postern check arc mail.eml", check_arc, ENVELOPE | BIT(RAW) | ALWAYS, 1,
	  "now dns dkim arc dmarc" },
};
enum { KINDS_N = sizeof kinds / sizeof kinds[0] };

/* ---- the command line ---- */

static void help(const struct check_kind *k, const struct options *o, FILE *out)
{
	fprintf(out,
		"usage: postern check %s %s [options]\n\n%s\n"
		"Prints one JSON object on one line. Exit status: 0 there is an answer, "
		"whatever it says; 2 an error.\n\n",
		k->name, k->usage, k->help);
	for (unsigned i = 0; i < OWN_N; i++) {
		char left[48];
		if (!(k->own >> i & 1))
			continue;
		snprintf(left, sizeof left, "--%s%s%s", own[i].name, own[i].value ? " " : "",
			 own[i].value ? own[i].value : "");
		fprintf(out, "  %-28s %s\n", left, own[i].help);
	}
	options_help_settings(o, out);
	fprintf(out, "\nexample: %s\n", k->example);
}

static void usage(FILE *out)
{
	fprintf(out, "usage: postern check KIND ...\n\n"
		     "One question, one JSON object on one line. Each kind takes --help.\n\n");
	for (int i = 0; i < KINDS_N; i++)
		fprintf(out, "  %-9s %s\n", kinds[i].name, kinds[i].usage);
	fprintf(out, "\nexample: %s\n", kinds[0].example);
}

/* Without angle brackets. */
static struct bytes address(const char *text)
{
	struct bytes b = bytes_str(text);
	if (b.n >= 2 && b.p[0] == '<' && b.p[b.n - 1] == '>')
		b = bytes_of(b.p + 1, b.n - 2);
	return b;
}

static int add_rcpt(struct check *c, const char *text)
{
	struct message_rcpt *r = calloc(1, sizeof *r);
	if (!r)
		return -1;
	r->address = address(text);
	*(c->rcpt_last ? &c->rcpt_last->next : &c->rcpt) = r;
	c->rcpt_last = r;
	c->n_rcpt++;
	return 0;
}

/* 0, or -1 and why. */
static int one_of(const char *option, const char *value, const char *a, const char *b, char *why)
{
	if (!strcmp(value, a) || !strcmp(value, b))
		return 0;
	snprintf(why, CHECK_WHY_MAX, "--%s %.32s: allowed: %s, %s", option, value, a, b);
	return -1;
}

static int own_option(struct check *c, enum own i, const char *value)
{
	switch (i) {
	case OWN_CLIENT_IP:
		c->client_given = true;
		c->has_client = value_ip(bytes_str(value), c->client.ip);
		return 0;
	case OWN_HELO:
		c->has_helo = true;
		c->helo = bytes_str(value);
		return 0;
	case OWN_MAIL_FROM:
		c->has_mail_from = true;
		c->mail_from = address(value);
		return 0;
	case OWN_RCPT_TO:
		snprintf(c->why, CHECK_WHY_MAX, "out of memory");
		return add_rcpt(c, value);
	case OWN_IDENTITY:
		c->identity = value;
		return one_of("identity", value, "helo", "mailfrom", c->why);
	case OWN_PRA:
		c->has_pra = true;
		c->pra = address(value);
		return 0;
	case OWN_LEVEL:
		c->level = value;
		return one_of("level", value, "sidf", "sidf-compatible", c->why);
	case OWN_MESSAGE:
		c->file = value;
		return 0;
	case OWN_RAW:
		c->raw = true;
		return 0;
	case OWN_CONFIG:
		c->source.file = value;
		return 0;
	case OWN_EVIDENCE:
		c->evidence = value;
		return 0;
	default:
		c->help = true;
		return 0;
	}
}

/* What must be there. 0, or -1 and why. */
static int complete(struct check *c, const struct check_kind *k)
{
	bool message = c->file != NULL;
	const char *missing = NULL;
	if (k->run == check_spf && !c->client_given)
		missing = "--client-ip IP";
	else if (k->run == check_spf && !c->has_helo && !c->has_mail_from)
		missing = "--helo NAME or --mail-from ADDR";
	else if (k->run == check_sidf && !c->client_given)
		missing = "--client-ip IP";
	else if (k->run == check_sidf && !c->has_pra && !message)
		missing = "--pra ADDR or --message FILE";
	else if (c->n_argument < k->arguments && !(k->run == check_dmarc && message))
		missing = k->usage;
	if (!missing)
		return 0;
	snprintf(c->why, CHECK_WHY_MAX, "%s: it needs %s (--help)", k->name, missing);
	return -1;
}

/* 0, 1: help was printed; -1: why has one line. */
static int read_options(struct check *c, const struct check_kind *k, int argc, char **argv,
			FILE *out)
{
	struct options o = { .use = SCHEMA_SCAN,
			     .groups = k->groups,
			     .dash_arguments = true,
			     .own = own,
			     .n_own = OWN_N,
			     .source = &c->source,
			     .argc = argc,
			     .argv = argv,
			     .at = 1 };
	int got;
	while ((got = options_next(&o, c->why, CHECK_WHY_MAX)) != OPTIONS_END) {
		if (got == OPTIONS_WRONG)
			return -1;
		if (got == OPTIONS_ARGUMENT && c->n_argument == k->arguments) {
			snprintf(c->why, CHECK_WHY_MAX,
				 "%s: one argument too many, \"%.64s\" (--help)", k->name, o.value);
			return -1;
		}
		if (got == OPTIONS_ARGUMENT) {
			c->argument[c->n_argument++] = o.value;
			continue;
		}
		if (!(k->own >> got & 1)) {
			snprintf(c->why, CHECK_WHY_MAX,
				 "%s does not take --%s; --help lists what it does", k->name,
				 own[got].name);
			return -1;
		}
		if (own_option(c, (enum own)got, o.value) < 0)
			return -1;
	}
	if (c->help) {
		help(k, &o, out);
		return 1;
	}
	return complete(c, k);
}

/* ---- for the kinds ---- */

void check_text(struct check *c, const char *key, struct bytes text)
{
	json_key(&c->json, key);
	if (text.n)
		json_bytes(&c->json, text);
	else
		json_nil(&c->json);
}

void check_word(struct check *c, const char *key, const char *word)
{
	json_key(&c->json, key);
	json_str(&c->json, word);
}

void check_bool(struct check *c, const char *key, bool value)
{
	json_key(&c->json, key);
	json_bool(&c->json, value);
}

void check_uint(struct check *c, const char *key, uint64_t value)
{
	json_key(&c->json, key);
	json_uint(&c->json, value);
}

void check_known_free(struct known *k)
{
	if (!k)
		return;
	void *memory = k->arena.base;
	known_end(k);
	free(memory);
	free(k);
}

struct known *check_known(struct check *c)
{
	struct known *k = calloc(1, sizeof *k);
	void *memory = malloc(KNOWN_MEMORY);
	if (!k || !memory) {
		free(k);
		free(memory);
		snprintf(c->why, CHECK_WHY_MAX, "out of memory");
		return NULL;
	}
	k->clock_s = ask_clock_s();
	k->ttl_max_s = c->cfg.dns_cache_ttl_max_s;
	k->budget = c->cfg.dns_message_questions;
	known_init(k, memory, KNOWN_MEMORY);
	return k;
}

uint64_t check_now_s(const struct check *c)
{
	return c->cfg.now_ns ? c->cfg.now_ns / 1000000000u : (uint64_t)time(NULL);
}

struct bytes check_receiver(const struct check *c)
{
	static char name[RECEIVER_MAX];
	if (c->cfg.authserv_id[0])
		return bytes_str(c->cfg.authserv_id);
	if (gethostname(name, sizeof name - 1) < 0 || !name[0])
		snprintf(name, sizeof name, "unknown"); /* RFC 7208 section 7.3 */
	return bytes_str(name);
}

struct message *check_message(struct check *c, struct files **files)
{
	struct message *m = NULL;
	struct files_setup setup = { .cfg = &c->cfg,
				     .raw = c->raw,
				     .time_ns = c->cfg.now_ns ? c->cfg.now_ns
							      : (uint64_t)time(NULL) * 1000000000u,
				     .has_client = c->has_client,
				     .has_helo = c->has_helo,
				     .has_mail_from = c->has_mail_from,
				     .client = c->client,
				     .helo = c->helo,
				     .mail_from = c->mail_from,
				     .rcpt = c->rcpt,
				     .n_rcpt = c->n_rcpt };
	int fd = strcmp(c->file, "-") ? open(c->file, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	*files = NULL;
	if (fd < 0) {
		snprintf(c->why, CHECK_WHY_MAX, "%.256s: %s", c->file, strerror(errno));
		return NULL;
	}
	*files = files_new(&setup);
	if (!*files) {
		close(fd);
		snprintf(c->why, CHECK_WHY_MAX, "out of memory");
		return NULL;
	}
	files_open(*files, c->file, fd);
	switch (files_next(*files, &m, c->why, CHECK_WHY_MAX)) {
	case FILES_MESSAGE:
		return m;
	case FILES_END:
		snprintf(c->why, CHECK_WHY_MAX, "%.256s: there is no message in it", c->file);
		return NULL;
	default:
		return NULL;
	}
}

static struct stats *stats_new(void)
{
	struct stats *s = aligned_alloc(64, sizeof *s);
	if (s)
		memset(s, 0, sizeof *s);
	return s;
}

int check_judge(struct check *c, struct message *m, struct trace *trace)
{
	c->stats = stats_new();
	c->engine = c->stats ? verify_engine_new(&c->cfg, 1, c->stats) : NULL;
	if (c->engine)
		verify_engine_trace(c->engine, trace);
	c->judged = c->engine ? ask_verify(c->ask, c->engine, m) : NULL;
	if (c->judged)
		return 0;
	check_judged(c);
	snprintf(c->why, CHECK_WHY_MAX, "out of memory");
	return -1;
}

void check_judged(struct check *c)
{
	if (c->judged)
		verify_end(c->engine, c->judged);
	verify_engine_free(c->engine);
	free(c->stats);
	c->judged = NULL;
	c->engine = NULL;
	c->stats = NULL;
}

/* ---- one question ---- */

/* 0, or -1 and why. */
static int prepare(struct check *c)
{
	if (config_build(&c->cfg, &c->source, c->why, CHECK_WHY_MAX) < 0)
		return -1;
	c->built = true;
	if (c->cfg.dmarc_walk != WALK_RFC9989 &&
	    suffix_list_load(&c->cfg, c->why, CHECK_WHY_MAX) < 0)
		return -1;
	if (c->evidence) {
		if (evidence_load(&c->answers, c->evidence, c->why, CHECK_WHY_MAX) < 0)
			return -1;
		evidence_use(&c->cfg, c->answers);
	}
	return ask_new(&c->ask, &c->cfg, c->why, CHECK_WHY_MAX) < 0 ? -1 : 0;
}

static int answer(struct check *c, const struct check_kind *k, FILE *out)
{
	void *buf = malloc(OUTPUT_MAX);
	if (!buf) {
		snprintf(c->why, CHECK_WHY_MAX, "out of memory");
		return -1;
	}
	json_init(&c->json, buf, OUTPUT_MAX - 1);
	json_object_begin(&c->json);
	int rc = k->run(c);
	json_object_end(&c->json);
	struct bytes line = json_done(&c->json);
	if (rc == 0 && !line.n) {
		snprintf(c->why, CHECK_WHY_MAX, "the answer is too large");
		rc = -1;
	}
	if (rc == 0) {
		((char *)buf)[line.n] = '\n';
		if (fwrite(buf, 1, line.n + 1, out) != line.n + 1 || fflush(out) != 0) {
			snprintf(c->why, CHECK_WHY_MAX, "cannot write the answer: %s",
				 strerror(errno));
			rc = -1;
		}
	}
	free(buf);
	return rc;
}

static void end(struct check *c)
{
	ask_free(c->ask);
	answers_free(c->answers);
	if (c->built) {
		suffix_list_free(&c->cfg);
		config_fini(&c->cfg);
	}
	for (struct message_rcpt *r = c->rcpt, *next; r; r = next) {
		next = r->next;
		free(r);
	}
}

int check_main(int argc, char **argv, FILE *out, FILE *err)
{
	static struct check c;
	char why[CHECK_WHY_MAX] = "";
	const struct check_kind *k = NULL;
	c = (struct check){ .why = why };
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(out);
		return 0;
	}
	for (int i = 0; i < KINDS_N && argc > 1; i++)
		if (!strcmp(kinds[i].name, argv[1]))
			k = &kinds[i];
	if (!k) {
		fprintf(err,
			"postern check: %s%.64s%s one of spf, sidf, dmarc, dkim-key, arc must "
			"follow; "
			"see postern check --help\n",
			argc > 1 ? "there is no check \"" : "", argc > 1 ? argv[1] : "",
			argc > 1 ? "\":" : "");
		return 2;
	}
	int rc = read_options(&c, k, argc - 1, argv + 1, out);
	if (rc == 0) {
		rc = prepare(&c);
		if (rc == 0)
			rc = answer(&c, k, out);
	}
	end(&c);
	if (rc < 0)
		fprintf(err, "postern check: %s\n", why);
	return rc < 0 ? 2 : 0;
}
