#include "control/events.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/json.h"
#include "control/words.h"

/*
 * What a record can come to: recipients and names of the envelope (MESSAGE_RCPT_MAX + 8 of
 * MESSAGE_NAME_MAX), and what is borrowed from the header, twice over at most (a field in email,
 * its domains in auth); an octet becomes six at worst. Only what is written is ever touched.
 */
enum {
	RECORD_MAX = 6 * (MESSAGE_RCPT_MAX + 8) * (MESSAGE_NAME_MAX + 1) +
		     6 * 2 * MESSAGE_HEADER_MAX + 65536
};

static const char *const action_name[] = { "accept", "flag" };

struct events {
	struct words *words;
	bool dkim;
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
	e->dkim = cfg->dkim;
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

static void put_uint(struct json *j, const char *key, uint64_t v, bool known)
{
	json_key(j, key);
	if (known)
		json_uint(j, v);
	else
		json_nil(j);
}

static void put_bytes(struct json *j, const char *key, struct bytes b, bool known)
{
	json_key(j, key);
	if (known)
		json_bytes(j, b);
	else
		json_nil(j);
}

static void put_bool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}

static void put_str(struct json *j, const char *key, const char *s)
{
	json_key(j, key);
	json_str(j, s);
}

static void put_empty_array(struct json *j, const char *key)
{
	json_key(j, key);
	json_array_begin(j);
	json_array_end(j);
}

static void put_place(struct events *e, struct json *j, const struct message *m)
{
	static const char *const app[] = { "smtp", "pop3", "file" };
	static const char *const direction[] = { "send", "receive", NULL };
	bool wire = m->protocol != MESSAGE_FILE;
	char time[EVENTS_TIME_MAX];
	json_key(j, "timestamp");
	json_bytes(j, bytes_of(time, events_time(e, m->time_ns, time)));
	put_str(j, "event_type", "mail");
	put_uint(j, "flow_id", m->flow_id, wire);
	put_uint(j, "tx_id", m->tx_id, true);
	put_ip(j, "src_ip", &m->client, m->has_client);
	put_uint(j, "src_port", m->client_port, m->has_client && wire);
	put_ip(j, "dest_ip", &m->server, m->has_client && wire);
	put_uint(j, "dest_port", m->server_port, m->has_client && wire);
	put_str(j, "proto", wire ? "TCP" : NULL);
	put_str(j, "app_proto", app[m->protocol]);
	json_key(j, "vlan");
	json_array_begin(j);
	for (unsigned i = 0; i < m->n_vlan; i++)
		json_uint(j, m->vlan[i] & 0xfff);
	json_array_end(j);
	put_str(j, "direction", direction[m->protocol]);
	if (!wire)
		put_str(j, "source", m->source);
}

static void put_smtp(struct json *j, const struct message *m)
{
	json_key(j, "smtp");
	json_object_begin(j);
	put_bytes(j, "helo", m->helo, m->has_helo);
	put_bytes(j, "mail_from", m->mail_from, m->has_mail_from);
	json_key(j, "rcpt_to");
	if (m->rcpt) {
		json_array_begin(j);
		for (const struct message_rcpt *r = m->rcpt; r; r = r->next)
			json_bytes(j, r->address);
		json_array_end(j);
	} else {
		json_nil(j);
	}
	put_bool(j, "authenticated", m->authenticated);
	put_bool(j, "tls", m->tls);
	put_uint(j, "reply", (uint64_t)m->reply, m->reply > 0);
	json_object_end(j);
}

static void put_pop3(struct json *j, const struct message *m)
{
	json_key(j, "pop3");
	json_object_begin(j);
	put_bytes(j, "user", m->user, m->has_user);
	put_uint(j, "number", m->number, m->number > 0);
	put_uint(j, "messages", m->mailbox_messages, m->has_mailbox);
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
	put_bytes(j, "subject",
		  subject ? words_decode(e->words, WORDS_TEXT, mail->subject) : mail->subject,
		  subject);
	put_bytes(j, "message_id", mail->message_id, mail->message_id.p != NULL);
	put_bytes(j, "date", mail->date, mail->date.p != NULL);
	put_empty_array(j, "attachment");
	put_empty_array(j, "url");
	json_object_end(j);
}

static void put_message(struct json *j, const struct message *m, const struct verdict *v)
{
	json_key(j, "message");
	json_object_begin(j);
	put_uint(j, "size", m->size, true);
	json_key(j, "sha256");
	if (v && v->has_sha256)
		json_hex(j, bytes_of(v->sha256, sizeof v->sha256));
	else
		json_nil(j);
	put_bool(j, "complete", m->complete);
	put_uint(j, "missing", m->missing, true);
	json_key(j, "flags");
	json_array_begin(j);
	for (uint32_t left = m->flags & ((1u << MESSAGE_FLAG_N) - 1); left; left &= left - 1)
		json_str(j, message_flag_name((enum message_flag)(left & -left)));
	json_array_end(j);
	json_object_end(j);
}

static void put_signature(struct json *j, const struct dkim_result *d)
{
	json_object_begin(j);
	put_str(j, "result", auth_result_name(d->result));
	put_bytes(j, "domain", d->domain, d->domain.n > 0);
	put_bytes(j, "selector", d->selector, d->selector.n > 0);
	put_bytes(j, "algorithm", d->algorithm, d->algorithm.n > 0);
	put_uint(j, "key_bits", d->key_bits, d->key_bits > 0);
	put_str(j, "reason", d->reason);
	if (d->partial)
		put_uint(j, "body_octets", d->body_octets, true);
	if (d->test_mode)
		put_bool(j, "test_mode", true);
	json_object_end(j);
}

static void put_auth(const struct events *e, struct json *j, const struct verdict *v)
{
	static const struct dkim_result none = { .result = AUTH_NONE };
	json_key(j, "auth");
	json_object_begin(j);
	if (v && e->dkim) {
		json_key(j, "dkim");
		json_array_begin(j);
		for (uint32_t i = 0; i < v->n_dkim; i++)
			put_signature(j, &v->dkim[i]);
		if (!v->n_dkim && !v->dkim_seen)
			put_signature(j, &none);
		json_array_end(j);
	}
	json_object_end(j);
}

/* Every check that asked for something: verify.h, only DKIM does. */
static void put_asked(struct json *j, const struct verdict *v)
{
	json_key(j, "asked");
	json_array_begin(j);
	if (v && v->action != VERDICT_ACCEPT) {
		json_object_begin(j);
		put_str(j, "check", "dkim");
		put_str(j, "profile", "default");
		put_str(j, "action", action_name[v->action]);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_verdict(struct json *j, const struct verdict *v)
{
	json_key(j, "verdict");
	json_object_begin(j);
	put_str(j, "action", action_name[v ? v->action : VERDICT_FLAG]);
	put_str(j, "result", v ? v->result : "unverified");
	put_str(j, "reason", v ? v->reason : "not_judged");
	put_str(j, "policy", "default");
	put_asked(j, v);
	put_str(j, "reply", NULL);
	json_object_end(j);
}

struct bytes events_record(struct events *e, const struct message *m)
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
	put_auth(e, &j, v);
	put_empty_array(&j, "matches");
	json_key(&j, "score");
	json_fixed(&j, 0, 1);
	put_verdict(&j, v);
	json_object_end(&j);
	struct bytes line = json_done(&j);
	assert(line.n); /* RECORD_MAX says why */
	e->line[line.n] = '\n';
	return bytes_of(line.p, line.n + 1);
}
