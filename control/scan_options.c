#include "control/scan_options.h"

#include <stdlib.h>

#include "control/value.h"

enum own {
	OWN_FORMAT,
	OWN_CONFIG,
	OWN_CORES,
	OWN_EXTRACT,
	OWN_EVIDENCE,
	OWN_RAW,
	OWN_CLIENT_IP,
	OWN_HELO,
	OWN_MAIL_FROM,
	OWN_RCPT_TO,
	OWN_HELP,
	OWN_N,
};

static const struct options_own own[OWN_N] = {
	[OWN_FORMAT] = { "format", "text|json|log",
			 "a table, one JSON object a line, or a log line each result [text on a "
			 "terminal, else json]" },
	[OWN_CONFIG] = { "config", "FILE", "settings in YAML; options win over it" },
	[OWN_CORES] = { "cores", "N", "threads that verify; 1: one thread for everything [all]" },
	[OWN_EXTRACT] = { "extract", "DIR", "write every message as DIR/<sha256>.eml" },
	[OWN_EVIDENCE] = { "evidence", "FILE",
			   "judge with the DNS answers kept in the records of FILE" },
	[OWN_RAW] = { "raw", NULL, "take a bare message's octets as they are, LF is not CRLF" },
	[OWN_CLIENT_IP] = { "client-ip", "IP", "envelope of bare messages: client" },
	[OWN_HELO] = { "helo", "NAME", "envelope of bare messages: HELO" },
	[OWN_MAIL_FROM] = { "mail-from", "ADDR",
			    "envelope of bare messages: sender; <> is the null sender" },
	[OWN_RCPT_TO] = { "rcpt-to", "ADDR",
			  "envelope of bare messages: recipient; may be repeated" },
	[OWN_HELP] = { "help", NULL, "this text" },
};

static const char *const format_words[] = {
	[EMIT_JSON] = "json",
	[EMIT_TABLE] = "text",
	[EMIT_LOG] = "log",
};

static void help(const struct options *o)
{
	printf("usage: postern scan [options] INPUT...\n\n"
	       "Reads captures (pcap, pcapng, gzip of either), bare messages, mbox files, "
	       "Maildirs,\n"
	       "and - for standard input; prints one record for each message.\n"
	       "Exit status: 0 all accepted, 1 something was flagged, 2 an error.\n\n");
	options_help(o, stdout);
	printf("\nexample: postern scan --dns zone:keys.zone --format json mail.pcap\n");
}

/* Without angle brackets. */
static struct bytes address(const char *text)
{
	struct bytes b = bytes_str(text);
	if (b.n >= 2 && b.p[0] == '<' && b.p[b.n - 1] == '>')
		b = bytes_of(b.p + 1, b.n - 2);
	return b;
}

static int add_rcpt(struct scan_options *s, const char *text)
{
	struct message_rcpt *r = calloc(1, sizeof *r);
	if (!r)
		return -1;
	r->address = address(text);
	if (s->rcpt_last)
		s->rcpt_last->next = r;
	else
		s->bare.rcpt = r;
	s->rcpt_last = r;
	s->bare.n_rcpt++;
	return 0;
}

/* 0, or -1 and why. What is no usage is data: an address that is none is unknown. */
static int own_option(struct scan_options *s, enum own i, const char *value, char *why,
		      size_t why_len)
{
	uint64_t n;
	switch (i) {
	case OWN_FORMAT:
		s->format = value;
		for (s->as = EMIT_JSON; s->as <= EMIT_LOG; s->as++)
			if (!strcmp(value, format_words[s->as]))
				return 0;
		snprintf(why, why_len, "--format %.32s: allowed: text, json, log", value);
		return -1;
	case OWN_CORES:
		if (value_number(bytes_str(value), &n) && n >= 1 && n <= SCAN_CORES_MAX) {
			s->cores = (unsigned)n;
			return 0;
		}
		snprintf(why, why_len,
			 "--cores: \"%.32s\" is not possible; allowed: a number from 1 to %d",
			 value, SCAN_CORES_MAX);
		return -1;
	case OWN_CONFIG:
		s->source.file = value;
		return 0;
	case OWN_EXTRACT:
		s->extract = value;
		return 0;
	case OWN_EVIDENCE:
		s->evidence = value;
		return 0;
	case OWN_RAW:
		s->bare.raw = true;
		return 0;
	case OWN_CLIENT_IP:
		s->bare.has_client = value_ip(bytes_str(value), s->bare.client.ip);
		return 0;
	case OWN_HELO:
		s->bare.has_helo = true;
		s->bare.helo = bytes_str(value);
		return 0;
	case OWN_MAIL_FROM:
		s->bare.has_mail_from = true;
		s->bare.mail_from = address(value);
		return 0;
	case OWN_RCPT_TO:
		snprintf(why, why_len, "out of memory");
		return add_rcpt(s, value);
	default:
		s->help = true;
		return 0;
	}
}

int scan_options_read(struct scan_options *s, int argc, char **argv, char *why, size_t why_len)
{
	struct options o = { .use = SCHEMA_SCAN,
			     .own = own,
			     .n_own = OWN_N,
			     .source = &s->source,
			     .argc = argc,
			     .argv = argv,
			     .at = 1 };
	int got;
	s->input = calloc((size_t)argc, sizeof *s->input);
	while (s->input && (got = options_next(&o, why, why_len)) != OPTIONS_END) {
		if (got == OPTIONS_WRONG)
			return -1;
		if (got == OPTIONS_ARGUMENT)
			s->input[s->n_input++] = o.value;
		else if (own_option(s, (enum own)got, o.value, why, why_len) < 0)
			return -1;
	}
	if (s->help) {
		help(&o);
		return 0;
	}
	if (!s->n_input) {
		snprintf(why, why_len, "no input; name files, or - for standard input (--help)");
		return -1;
	}
	if (config_build(&s->cfg, &s->source, why, why_len) < 0)
		return -1;
	if (s->extract && !s->cfg.digest) {
		snprintf(why, why_len,
			 "--extract names files by their digest; leave out --digest=false");
		return -1;
	}
	return 0;
}
