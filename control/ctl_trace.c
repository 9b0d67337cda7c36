#include "control/ctl_trace.h"

#include <stdlib.h>

#include "control/check.h"
#include "control/check_options.h"
#include "control/ctl_ask.h"
#include "control/events.h"
#include "control/files.h"
#include "control/rdata.h"
#include "verify/dns/trace.h"

enum { TRACE_TIMEOUT_MS = 10000 };

/* ---- settings of the engine ---- */

/* One line of ctl_ask becomes c->why. */
static void take_line(struct check *c, const char *line)
{
	static const char prefix[] = "postern ctl: ";
	if (!strncmp(line, prefix, sizeof prefix - 1))
		line += sizeof prefix - 1;
	snprintf(c->why, CHECK_WHY_MAX, "%.*s", (int)strcspn(line, "\n"), line);
}

/* The result of one request. NULL: why has one line. */
static json_t *fetch(struct check *c, const char *command, const char *kind)
{
	char *line = NULL;
	size_t n = 0;
	json_t *reply = NULL, *result = NULL, *request = json_object();
	json_object_set_new(request, "command", json_string(command));
	if (kind)
		json_object_set_new(request, "kind", json_string(kind));
	FILE *err = open_memstream(&line, &n);
	if (err && ctl_ask(c->engine_path, request, TRACE_TIMEOUT_MS, &reply, err) != CTL_FAILED)
		result = json_incref(json_object_get(reply, "result"));
	if (!err || fclose(err) != 0)
		snprintf(c->why, CHECK_WHY_MAX, "out of memory");
	else
		take_line(c, line);
	if (reply && !json_is_object(result)) {
		const char *error = json_string_value(json_object_get(reply, "error"));
		snprintf(c->why, CHECK_WHY_MAX, "%.200s: %s: %.200s", c->engine_path, command,
			 error ? error : "what answers there is not postern");
		json_decref(result);
		result = NULL;
	}
	json_decref(reply);
	free(line);
	return result;
}

/* "name: value" as a settings file has it; JSON's values are YAML's too. */
static void write_setting(FILE *f, const char *indent, const char *name, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	if (text && !json_is_null(value))
		fprintf(f, "%s%s: %s\n", indent, name, text);
	free(text);
}

static void write_settings(FILE *f, json_t *result)
{
	for (void *at = json_object_iter(result); at; at = json_object_iter_next(result, at)) {
		json_t *v = json_object_iter_value(at);
		if (!json_is_object(v)) {
			write_setting(f, "", json_object_iter_key(at), v);
			continue;
		}
		fprintf(f, "%s:\n", json_object_iter_key(at));
		for (void *in = json_object_iter(v); in; in = json_object_iter_next(v, in))
			write_setting(f, "  ", json_object_iter_key(in),
				      json_object_iter_value(in));
	}
}

/* 0, or -1 and why. */
static int write_engine(struct check *c, FILE *f)
{
	json_t *result = fetch(c, "config", NULL);
	if (!result)
		return -1;
	write_settings(f, result);
	json_decref(result);
	for (unsigned i = 0; i < KIND_N; i++) {
		result = fetch(c, "export", kind_info[i].word);
		if (!result)
			return -1;
		const char *text = json_string_value(json_object_get(result, "text"));
		if (text)
			fputs(text, f);
		json_decref(result);
	}
	return 0;
}

/* Those in force in the engine, unless a file is named. */
static int settings(struct check *c)
{
	char *text = NULL;
	size_t n = 0;
	struct config cfg;
	if (c->source.file)
		return 0;
	config_default(&cfg);
	snprintf(c->engine_path, sizeof c->engine_path, "%s", c->socket ? c->socket : cfg.socket);
	FILE *f = open_memstream(&text, &n);
	int rc = f ? write_engine(c, f) : -1;
	if (f && fclose(f) != 0)
		rc = -1;
	if (rc < 0) {
		size_t at = strlen(c->why);
		snprintf(c->why + at, CHECK_WHY_MAX - at, "%s",
			 at ? "; or judge by a file with --config FILE" : "out of memory");
		free(text);
		return -1;
	}
	c->settings = text;
	c->source.text = bytes_of(text, n);
	c->source.file = "settings of the engine";
	return 0;
}

/* ---- what is told ---- */

/* Text from outside, printable; behind a line end comes the indent. */
static void put(FILE *out, struct bytes text, const char *indent)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		if (c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
			continue;
		if (c == '\n')
			fprintf(out, "\n%s", indent);
		else if (c == '\t')
			fputc(' ', out);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

static void put_row(FILE *out, const char *name, struct bytes text)
{
	fprintf(out, "  %-10s ", name);
	put(out, text, "             ");
	fputc('\n', out);
}

static void put_address(FILE *out, const char *name, struct bytes address, bool known)
{
	fprintf(out, "  %-10s %s", name, known ? "<" : "not given");
	put(out, address, "");
	fprintf(out, "%s\n", known ? ">" : "");
}

static void put_message(struct check *c, const struct message *m)
{
	char ip[EVENTS_IP_MAX], time[EVENTS_TIME_MAX];
	struct events *e = events_new(&c->cfg);
	fprintf(c->out, "message\n");
	put_row(c->out, "file", bytes_str(c->file));
	fprintf(c->out, "  %-10s %llu octets, %u of them header\n", "size",
		(unsigned long long)m->size, m->header_len);
	if (m->has_client)
		put_row(c->out, "client", bytes_of(ip, events_ip(&m->client, ip)));
	else
		put_row(c->out, "client", bytes_str("not given"));
	put_row(c->out, "helo", m->has_helo ? m->helo : bytes_str("not given"));
	put_address(c->out, "mail from", m->mail_from, m->has_mail_from);
	for (const struct message_rcpt *r = m->rcpt; r; r = r->next)
		put_address(c->out, "rcpt to", r->address, true);
	if (e)
		put_row(c->out, "judged at", bytes_of(time, events_time(e, m->time_ns, time)));
	events_free(e);
	fprintf(c->out, "  %-10s %s%s\n", "settings",
		c->engine_path[0] ? "of the engine at " : "of ",
		c->engine_path[0] ? c->engine_path : c->source.file);
}

static void put_steps(struct check *c, struct trace *t)
{
	static const char *const title[TRACE_PART_N] = {
		[TRACE_FROM] = "From",    [TRACE_SPF] = "SPF",     [TRACE_DKIM] = "DKIM",
		[TRACE_ARC] = "ARC",      [TRACE_DMARC] = "DMARC", [TRACE_NAMES] = "names",
		[TRACE_POLICY] = "policy"
	};
	for (unsigned i = 0; i < TRACE_PART_N; i++) {
		struct bytes text = trace_text(t, (enum trace_part)i);
		fprintf(c->out, "\n%s\n", title[i]);
		if (!text.n)
			fprintf(c->out, "  nothing was done\n");
		while (text.n) {
			const uint8_t *lf = memchr(text.p, '\n', text.n);
			size_t n = lf ? (size_t)(lf - text.p) : text.n;
			fprintf(c->out, "  %.*s\n", (int)n, (const char *)text.p);
			text = bytes_from(text, n + 1);
		}
	}
}

static void put_questions(struct check *c, const struct verdict *v)
{
	fprintf(c->out, "\nquestions\n");
	for (uint32_t i = 0; i < v->n_evidence; i++) {
		const struct verdict_evidence *e = &v->evidence[i];
		const char *type = rdata_type(e->type);
		fprintf(c->out, "  %-4s ", type ? type : "?");
		put(c->out, e->name, "");
		fprintf(c->out, ": %s", rdata_status(e->status));
		if (e->n)
			fprintf(c->out, ", %u record%s", e->n, e->n == 1 ? "" : "s");
		fprintf(c->out, ", ttl %u%s\n", e->ttl_s, e->secure ? ", DNSSEC" : "");
	}
	if (!v->n_evidence)
		fprintf(c->out, "  none\n");
}

static void put_verdict(struct check *c, const struct verdict *v)
{
	fprintf(c->out, "\nverdict\n");
	put_row(c->out, "action", bytes_str(verdict_action_name((enum verdict_action)v->action)));
	put_row(c->out, "result", bytes_str(v->result));
	put_row(c->out, "reason", bytes_str(v->reason ? v->reason : "none"));
	fprintf(c->out, "  %-10s %u.%u\n", "score", v->score / 10, v->score % 10);
	for (unsigned i = 0; i < v->n_asked; i++) {
		const struct verdict_asked *a = &v->asked[i];
		fprintf(c->out, "  %-10s %s: %s of profile %s: %s%s%s\n",
			i ? "also asked" : "asked",
			verdict_action_name((enum verdict_action)a->action), a->check, a->profile,
			a->reason ? a->reason : "", i == 0 ? " (the strictest: it stands)" : "",
			a->quarantine.n ? ", quarantine" : "");
	}
	fprintf(c->out, "\nreply\n  ");
	put(c->out, v->reply.n ? v->reply : bytes_str("none of ours"), "  ");
	fprintf(c->out, "\n");
}

static void put_header(struct check *c, struct bytes field)
{
	if (!field.n)
		return;
	fprintf(c->out, "  ");
	put(c->out, field, "  ");
	fprintf(c->out, "\n");
}

static void put_headers(struct check *c, const struct verdict_headers *h)
{
	fprintf(c->out, "\nheaders\n");
	put_header(c, h->authentication_results);
	for (unsigned i = 0; i < SPF_IDENTITY_N; i++)
		put_header(c, h->received_spf[i]);
	put_header(c, h->dmarc_fail_policy);
	if (h->forged_results)
		fprintf(c->out, "  taken out: %u Authentication-Results that claim to be ours\n",
			h->forged_results);
	if (h->forged_policy)
		fprintf(c->out, "  taken out: %u X-Postern-DMARC-Fail-Policy that came in\n",
			h->forged_policy);
}

static int tell(struct check *c, struct message *m)
{
	struct trace *t = trace_new();
	if (!t) {
		snprintf(c->why, CHECK_WHY_MAX, "out of memory");
		return -1;
	}
	int rc = check_judge(c, m, t);
	if (rc == 0) {
		put_message(c, m);
		put_steps(c, t);
		put_questions(c, m->verdict);
		put_verdict(c, m->verdict);
		put_headers(c, &m->verdict->headers);
		check_judged(c);
	}
	trace_free(t);
	return rc;
}

static int trace_run(struct check *c)
{
	struct files *files;
	c->file = c->argument[0];
	c->cfg.evidence = true;
	struct message *m = check_message(c, &files);
	int rc = m ? tell(c, m) : -1;
	if (m)
		files_release(m);
	files_free(files);
	return rc;
}

static const struct check_kind kind_trace = {
	.command = "ctl",
	.name = "trace",
	.usage = "--client-ip IP --helo NAME --mail-from ADDR [--rcpt-to ADDR] FILE",
	.help = "Judges the first message of FILE with the settings of a running engine, or of "
		"--config FILE,\nin this process, and tells every step of every check, the rule "
		"that "
		"fired, the reply and the\nheader fields. Nothing is given to the engine.",
	.example = "postern ctl trace --client-ip 192.0.2.1 --helo mx.example.org --mail-from "
		   "a@example.org mail.eml",
	.run = trace_run,
	.settings = settings,
	.own = CHECK_ENVELOPE | CHECK_RCPT_TO | CHECK_RAW | CHECK_SOCKET | CHECK_ALWAYS,
	.arguments = 1,
	.text = true,
};

int ctl_trace_main(int argc, char **argv, FILE *out, FILE *err)
{
	return check_run(&kind_trace, argc, argv, out, err);
}
