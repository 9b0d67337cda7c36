#include "control/check_options.h"

#include <stdlib.h>

#include "control/options.h"
#include "control/value.h"

/* by the bits of enum check_own */
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
	OWN_SOCKET,
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
	[OWN_SOCKET] = { "socket", "PATH", "where the engine listens whose settings are taken" },
	[OWN_CONFIG] = { "config", "FILE", "settings in YAML; options win over it" },
	[OWN_EVIDENCE] = { "evidence", "FILE",
			   "ask the DNS answers kept in FILE, and nobody else" },
	[OWN_HELP] = { "help", NULL, "this text" },
};

_Static_assert(CHECK_HELP == 1 << OWN_HELP && CHECK_RAW == 1 << OWN_RAW, "the same order");

static void help(const struct check_kind *k, const struct options *o, FILE *out)
{
	fprintf(out,
		"usage: postern %s %s %s [options]\n\n%s\n"
		"Exit status: 0 there is an answer, whatever it says; 2 an error.\n\n",
		k->command, k->name, k->usage, k->help);
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
	if (!r) {
		snprintf(c->why, CHECK_WHY_MAX, "out of memory");
		return -1;
	}
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
	case OWN_SOCKET:
		c->socket = value;
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
	const char *missing = k->missing ? k->missing(c) : NULL;
	if (!missing && !k->missing && c->n_argument < k->arguments)
		missing = k->usage;
	if (!missing)
		return 0;
	snprintf(c->why, CHECK_WHY_MAX, "%s: it needs %s (--help)", k->name, missing);
	return -1;
}

/* 0, 1: help was printed; -1: why has one line. */
int check_options_read(struct check *c, const struct check_kind *k, int argc, char **argv,
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
