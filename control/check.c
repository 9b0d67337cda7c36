#include "control/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "control/ask.h"
#include "control/check_options.h"
#include "control/evidence.h"
#include "control/files.h"
#include "control/prepared.h"
#include "verify/dns/answers.h"

enum {
	OUTPUT_MAX = 128 * 1024 * 1024, /* only what is written is ever touched */
	KNOWN_MEMORY = 1024 * 1024,
	RECEIVER_MAX = 256,
};

static const char *missing_spf(const struct check *c)
{
	if (!c->client_given)
		return "--client-ip IP";
	return c->has_helo || c->has_mail_from ? NULL : "--helo NAME or --mail-from ADDR";
}

static const char *missing_sidf(const struct check *c)
{
	if (!c->client_given)
		return "--client-ip IP";
	return c->has_pra || c->file ? NULL : "--pra ADDR or --message FILE";
}

static const char *missing_dmarc(const struct check *c)
{
	return c->n_argument || c->file ? NULL : "DOMAIN or --message FILE";
}

static const struct check_kind kinds[] = {
	{ "check", "spf", "--client-ip IP [--helo NAME] [--mail-from ADDR]",
	  "Whether a client may send for a domain (RFC 7208): MAIL FROM, or HELO where it is null.",
	  "postern check spf --client-ip 192.0.2.1 --helo mx.example.org --mail-from a@example.org",
	  .run = check_spf, .missing = missing_spf,
	  .own = CHECK_ENVELOPE | CHECK_IDENTITY | CHECK_ALWAYS,
	  .groups = "now dns spf authserv_id" },
	{ "check", "sidf", "--client-ip IP [--helo NAME] --pra ADDR | --message FILE",
	  "Whether a client may send for the purported responsible address (RFC 4406, RFC 4407).",
	  "postern check sidf --client-ip 192.0.2.1 --message mail.eml", .run = check_sidf,
	  .missing = missing_sidf,
	  .own = CHECK_ENVELOPE | CHECK_PRA | CHECK_LEVEL | CHECK_MESSAGE | CHECK_RAW |
		 CHECK_ALWAYS,
	  .groups = "now dns spf authserv_id" },
	{ "check", "dmarc",
	  "DOMAIN, or --message FILE [--client-ip IP --helo NAME --mail-from ADDR]",
	  "The policy in force for a domain, where it was found and what is wrong with it; or the\n"
	  "judgement of a message (RFC 9989, RFC 7489).",
	  "postern check dmarc mail.example.org", .run = check_dmarc, .missing = missing_dmarc,
	  .own = CHECK_ENVELOPE | CHECK_RCPT_TO | CHECK_MESSAGE | CHECK_RAW | CHECK_ALWAYS,
	  .arguments = 1, .groups = "now dns spf dkim arc dmarc authserv_id" },
	{ "check", "dkim-key", "SELECTOR DOMAIN",
	  "What a DKIM key record is, and everything that is wrong with it (RFC 6376, RFC 8301, "
	  "RFC 8463).",
	  "postern check dkim-key s1 example.org", .run = check_key, .own = CHECK_ALWAYS,
	  .arguments = 2, .groups = "dns dkim" },
	{ "check", "arc", "FILE", "The chain of seals on a message (RFC 8617).",
	  "postern check arc mail.eml", .run = check_arc,
	  .own = CHECK_ENVELOPE | CHECK_RAW | CHECK_ALWAYS, .arguments = 1,
	  .groups = "now dns dkim arc dmarc" },
};
enum { KINDS_N = sizeof kinds / sizeof kinds[0] };

static void usage(FILE *out)
{
	fprintf(out, "usage: postern check KIND ...\n\n"
		     "One question, one JSON object on one line. Each kind takes --help.\n\n");
	for (int i = 0; i < KINDS_N; i++)
		fprintf(out, "  %-9s %s\n", kinds[i].name, kinds[i].usage);
	fprintf(out, "\nexample: %s\n", kinds[0].example);
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

struct bytes check_domain(const char *argument)
{
	struct bytes b = bytes_str(argument);
	if (b.n > 1 && b.p[b.n - 1] == '.')
		b.n--;
	return b;
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
static int prepare(struct check *c, const struct check_kind *k)
{
	if (k->settings && k->settings(c) < 0)
		return -1;
	if (config_build(&c->cfg, &c->source, c->why, CHECK_WHY_MAX) < 0)
		return -1;
	c->built = true;
	if (prepared_load(&c->cfg, c->why, CHECK_WHY_MAX) < 0)
		return -1;
	if (c->evidence) {
		if (evidence_load(&c->answers, c->evidence, c->why, CHECK_WHY_MAX) < 0)
			return -1;
		evidence_use(&c->cfg, c->answers);
	}
	return ask_new(&c->ask, &c->cfg, c->why, CHECK_WHY_MAX) < 0 ? -1 : 0;
}

static int object(struct check *c, const struct check_kind *k)
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
		fwrite(buf, 1, line.n + 1, c->out);
	}
	free(buf);
	return rc;
}

static int answer(struct check *c, const struct check_kind *k)
{
	int rc = k->text ? k->run(c) : object(c, k);
	if (rc == 0 && (fflush(c->out) != 0 || ferror(c->out))) {
		snprintf(c->why, CHECK_WHY_MAX, "cannot write the answer: %s", strerror(errno));
		rc = -1;
	}
	return rc;
}

static void end(struct check *c)
{
	ask_free(c->ask);
	answers_free(c->answers);
	free(c->settings);
	if (c->built) {
		prepared_free(&c->cfg);
		config_fini(&c->cfg);
	}
	for (struct message_rcpt *r = c->rcpt, *next; r; r = next) {
		next = r->next;
		free(r);
	}
}

int check_run(const struct check_kind *k, int argc, char **argv, FILE *out, FILE *err)
{
	static struct check c;
	char why[CHECK_WHY_MAX] = "";
	c = (struct check){ .why = why, .out = out };
	int rc = check_options_read(&c, k, argc, argv, out);
	if (rc == 0) {
		rc = prepare(&c, k);
		if (rc == 0)
			rc = answer(&c, k);
	}
	end(&c);
	if (rc < 0)
		fprintf(err, "postern %s: %s\n", k->command, why);
	return rc < 0 ? 2 : 0;
}

int check_main(int argc, char **argv, FILE *out, FILE *err)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(out);
		return 0;
	}
	for (int i = 0; i < KINDS_N && argc > 1; i++)
		if (!strcmp(kinds[i].name, argv[1]))
			return check_run(&kinds[i], argc - 1, argv + 1, out, err);
	fprintf(err,
		"postern check: %s%.64s%s one of spf, sidf, dmarc, dkim-key, arc must follow; "
		"see postern check --help\n",
		argc > 1 ? "there is no check \"" : "", argc > 1 ? argv[1] : "",
		argc > 1 ? "\":" : "");
	return 2;
}
