#include "control/events.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "control/events_auth.h"
#include "control/member.h"
#include "control/rdata.h"
#include "control/words.h"

/*
 * What a record can come to; an octet becomes six at worst (\u00XX). Only what is written is ever
 * touched.
 *
 * envelope: recipients and names, MESSAGE_NAME_MAX octets each
 * header: what is borrowed from it stands in the record at most once in each of email, auth.dkim,
 * auth.arc and auth.from
 * texts of the DNS, of SPF and DMARC: three identities of five, and three, cut to EVENTS_TEXT_MAX
 * our fields: one and three and one, at most EVENTS_HEADER_MAX each
 * asked: VERDICT_ASKED_MAX of a reply, a profile's name and three texts of a profile
 * names: 16 matches of a list's entry and a profile's name (verify/auth/forged.h)
 * evidence: RDATA_EVIDENCE_MAX, which counts what is written
 * the rest: keys, numbers and words; 50 sets of ARC have some 200 octets of these each
 */
enum {
	RECORD_ENVELOPE = (MESSAGE_RCPT_MAX + 8) * (MESSAGE_NAME_MAX + 1),
	RECORD_HEADER = 4 * MESSAGE_HEADER_MAX,
	RECORD_TEXTS = (3 * 5 + 3) * EVENTS_TEXT_MAX,
	RECORD_FIELDS = 5 * EVENTS_HEADER_MAX,
	RECORD_ASKED = VERDICT_ASKED_MAX * 4096,
	RECORD_NAMES = 16 * 1024,
	RECORD_MAX = 6 * (RECORD_ENVELOPE + RECORD_HEADER + RECORD_TEXTS + RECORD_FIELDS +
			  RECORD_ASKED + RECORD_NAMES) +
		     RDATA_EVIDENCE_MAX + 131072
};

struct events {
	struct words *words;
	bool evidence;
	uint64_t second; /* whose text stands in date */
	char date[20]; /* 2026-11-21T10:00:00 */
	char line[RECORD_MAX];
};

struct events *events_new(const struct config *cfg)
{
	struct events *e = malloc(sizeof *e);
	if (!e)
		return NULL;
	e->words = words_new();
	e->second = UINT64_MAX;
	events_config(e, cfg);
	if (!e->words) {
		free(e);
		return NULL;
	}
	return e;
}

void events_free(struct events *e)
{
	if (e)
		words_free(e->words);
	free(e);
}

void events_config(struct events *e, const struct config *cfg)
{
	e->evidence = cfg->evidence;
}

size_t events_time(struct events *e, uint64_t time_ns, char out[EVENTS_TIME_MAX])
{
	uint64_t second = time_ns / 1000000000;
	uint32_t us = (uint32_t)(time_ns % 1000000000 / 1000);
	if (second != e->second) { /* messages come in bursts */
		time_t t = (time_t)second;
		struct tm tm;
		gmtime_r(&t, &tm);
		strftime(e->date, sizeof e->date, "%Y-%m-%dT%H:%M:%S", &tm);
		e->second = second;
	}
	memcpy(out, e->date, 19);
	out[19] = '.';
	for (int i = 25; i > 19; i--, us /= 10)
		out[i] = (char)('0' + us % 10);
	memcpy(out + 26, "+0000", 6);
	return 31;
}

static char *decimal(char *p, unsigned v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

size_t events_ip(const struct address *a, char out[EVENTS_IP_MAX])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	if (memcmp(a->ip, mapped, sizeof mapped) != 0) {
		inet_ntop(AF_INET6, a->ip, out, EVENTS_IP_MAX);
		return strlen(out);
	}
	char *p = out;
	for (int i = 12; i < 16; i++) {
		if (i > 12)
			*p++ = '.';
		p = decimal(p, a->ip[i]);
	}
	*p = 0;
	return (size_t)(p - out);
}

static void put_ip(struct json *j, const char *key, const struct address *a, bool known)
{
	char text[EVENTS_IP_MAX];
	json_key(j, key);
	if (known)
		json_bytes(j, bytes_of(text, events_ip(a, text)));
	else
		json_nil(j);
}

static void put_place(struct events *e, struct json *j, const struct message *m)
{
	static const char *const app[] = { "smtp", "pop3", "file" };
	static const char *const direction[] = { "send", "receive", NULL };
	bool wire = m->protocol != MESSAGE_FILE;
	char time[EVENTS_TIME_MAX];
	json_key(j, "timestamp");
	json_bytes(j, bytes_of(time, events_time(e, m->time_ns, time)));
	member_str(j, "event_type", "mail");
	member_uint(j, "flow_id", m->flow_id, wire);
	member_uint(j, "tx_id", m->tx_id, true);
	put_ip(j, "src_ip", &m->client, m->has_client);
	member_uint(j, "src_port", m->client_port, m->has_client && wire);
	put_ip(j, "dest_ip", &m->server, m->has_client && wire);
	member_uint(j, "dest_port", m->server_port, m->has_client && wire);
	member_str(j, "proto", wire ? "TCP" : NULL);
	member_str(j, "app_proto", app[m->protocol]);
	json_key(j, "vlan");
	json_array_begin(j);
	for (unsigned i = 0; i < m->n_vlan; i++)
		json_uint(j, m->vlan[i] & 0xfff);
	json_array_end(j);
	member_str(j, "direction", direction[m->protocol]);
	if (!wire)
		member_str(j, "source", m->source);
}

static void put_smtp(struct json *j, const struct message *m)
{
	json_key(j, "smtp");
	json_object_begin(j);
	member_bytes(j, "helo", m->helo, m->has_helo);
	member_bytes(j, "mail_from", m->mail_from, m->has_mail_from);
	json_key(j, "rcpt_to");
	if (m->rcpt) {
		json_array_begin(j);
		for (const struct message_rcpt *r = m->rcpt; r; r = r->next)
			json_bytes(j, r->address);
		json_array_end(j);
	} else {
		json_nil(j);
	}
	member_bool(j, "authenticated", m->authenticated);
	member_bool(j, "tls", m->tls);
	member_uint(j, "reply", (uint64_t)m->reply, m->reply > 0);
	json_object_end(j);
}

static void put_pop3(struct json *j, const struct message *m)
{
	json_key(j, "pop3");
	json_object_begin(j);
	member_bytes(j, "user", m->user, m->has_user);
	member_uint(j, "number", m->number, m->number > 0);
	member_uint(j, "messages", m->mailbox_messages, m->has_mailbox);
	json_object_end(j);
}

static void put_fields(struct events *e, struct json *j, const char *key, const struct bytes *field,
		       unsigned n)
{
	json_key(j, key);
	json_array_begin(j);
	for (unsigned i = 0; i < n; i++)
		json_bytes(j, words_decode(e->words, WORDS_ADDRESS, field[i]));
	json_array_end(j);
}

static void put_email(struct events *e, struct json *j, const struct verdict_email *mail)
{
	json_key(j, "email");
	json_object_begin(j);
	put_fields(e, j, "from", mail->from, mail->n_from);
	put_fields(e, j, "to", mail->to, mail->n_to);
	bool subject = mail->subject.p != NULL;
	member_bytes(j, "subject",
		     subject ? words_decode(e->words, WORDS_TEXT, mail->subject) : mail->subject,
		     subject);
	member_bytes(j, "message_id", mail->message_id, mail->message_id.p != NULL);
	member_bytes(j, "date", mail->date, mail->date.p != NULL);
	member_empty_array(j, "attachment");
	member_empty_array(j, "url");
	json_object_end(j);
}

static void put_message(struct json *j, const struct message *m, const struct verdict *v)
{
	json_key(j, "message");
	json_object_begin(j);
	member_uint(j, "size", m->size, true);
	json_key(j, "sha256");
	if (v && v->has_sha256)
		json_hex(j, bytes_of(v->sha256, sizeof v->sha256));
	else
		json_nil(j);
	member_bool(j, "complete", m->complete);
	member_uint(j, "missing", m->missing, true);
	json_key(j, "flags");
	json_array_begin(j);
	for (uint32_t left = m->flags & ((1u << MESSAGE_FLAG_N) - 1); left; left &= left - 1)
		json_str(j, message_flag_name((enum message_flag)(left & -left)));
	json_array_end(j);
	json_object_end(j);
}

/* The strictest first. A reason that is the verdict's own is not said again. */
static void put_asked(struct json *j, const struct verdict *v)
{
	json_key(j, "asked");
	json_array_begin(j);
	for (unsigned i = 0; v && i < v->n_asked; i++) {
		const struct verdict_asked *a = &v->asked[i];
		json_object_begin(j);
		member_str(j, "check", a->check);
		member_str(j, "profile", a->profile);
		member_str(j, "action", verdict_action_name(a->action));
		if (a->reason && (!v->reason || strcmp(a->reason, v->reason) != 0))
			member_str(j, "reason", a->reason);
		if (i > 0)
			member_some(j, "reply", a->reply);
		member_some(j, "quarantine", a->quarantine);
		member_some(j, "tag", a->tag);
		if (a->score) {
			json_key(j, "score");
			json_fixed(j, a->score, 1);
		}
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_verdict(struct json *j, const struct verdict *v)
{
	json_key(j, "verdict");
	json_object_begin(j);
	member_str(j, "action", verdict_action_name(v ? v->action : VERDICT_FLAG));
	member_str(j, "result", v ? v->result : "unverified");
	member_str(j, "reason", v ? v->reason : "not_judged");
	member_str(j, "policy", "default");
	put_asked(j, v);
	member_bytes(j, "reply", v ? v->reply : (struct bytes){ NULL, 0 }, v && v->reply.n);
	json_object_end(j);
}

/* all false: without what is neither the message's nor the judgement. */
static struct bytes build(struct events *e, const struct message *m, bool all)
{
	static const struct verdict_email nothing = { .n_from = 0 };
	const struct verdict *v = m->verdict;
	struct json j;
	json_init(&j, e->line, sizeof e->line - 1);
	json_object_begin(&j);
	put_place(e, &j, m);
	if (m->protocol == MESSAGE_POP3)
		put_pop3(&j, m);
	else
		put_smtp(&j, m);
	put_email(e, &j, v ? &v->email : &nothing);
	put_message(&j, m, v);
	events_auth(&j, v);
	member_empty_array(&j, "matches");
	json_key(&j, "score");
	json_fixed(&j, v ? v->score : 0, 1);
	put_verdict(&j, v);
	if (v && all)
		events_headers(&j, &v->headers);
	if (v && all && e->evidence)
		rdata_evidence(&j, v->evidence, v->n_evidence, v->evidence_cut);
	member_true(&j, "cut", !all);
	json_object_end(&j);
	return json_done(&j);
}

struct bytes events_record(struct events *e, const struct message *m)
{
	struct bytes line = build(e, m, true);
	if (!line.n) /* RECORD_MAX says why not; but what came in is not ours to vouch for */
		line = build(e, m, false);
	assert(line.n);
	e->line[line.n] = '\n';
	return bytes_of(line.p, line.n + 1);
}
