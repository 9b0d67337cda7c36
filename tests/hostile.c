#include "tests/hostile.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/profile.h"
#include "control/config.h"
#include "control/profiles.h"
#include "tests/hostile_make.h"
#include "verify/auth/forged.h"

enum { ROOM = 24 << 20, TEXT_ROOM = 1 << 20 };

static void die(const char *what)
{
	fprintf(stderr, "hostile: %s\n", what);
	exit(2);
}

void *hostile_take(struct hostile *h, size_t n)
{
	void *p = h->memory + h->used;
	h->used += (n + 15) & ~(size_t)15;
	if (h->used > ROOM)
		die("no room");
	return p;
}

void hostile_add(struct hostile *h, const char *form, ...)
{
	va_list args;
	va_start(args, form);
	int n = vsnprintf((char *)h->text + h->n, TEXT_ROOM - h->n, form, args);
	va_end(args);
	if (n < 0 || (size_t)n >= TEXT_ROOM - h->n)
		die("no room for the text");
	h->n += (size_t)n;
}

struct answer *hostile_rule(struct hostile *h, const char *tail, uint16_t type, unsigned n)
{
	if (h->n_rules == HOSTILE_RULES_MAX)
		die("too many rules");
	struct answer_rr *rr = hostile_take(h, n * sizeof *rr);
	h->rule[h->n_rules].tail = bytes_str(tail);
	h->rule[h->n_rules].type = type;
	struct answer *a = &h->rule[h->n_rules++].answer;
	*a = (struct answer){ .status = ANSWER_DATA, .ttl_s = 60, .n = (uint16_t)n, .rr = rr };
	return a;
}

void hostile_set(struct hostile *h, struct answer *a, unsigned i, struct bytes data)
{
	uint8_t *copy = hostile_take(h, data.n);
	memcpy(copy, data.p, data.n);
	((struct answer_rr *)a->rr)[i].data = bytes_of(copy, data.n);
}

void hostile_txt(struct hostile *h, const char *tail, const char *text)
{
	hostile_set(h, hostile_rule(h, tail, QUESTION_TXT, 1), 0, bytes_str(text));
}

const struct answer *hostile_answer(const struct hostile *h, const struct question *q)
{
	static const struct answer none = { .status = ANSWER_NXDOMAIN, .ttl_s = 60 };
	const struct answer *found = &none;
	size_t longest = 0;
	for (unsigned i = 0; i < h->n_rules; i++) {
		struct bytes tail = h->rule[i].tail;
		if (h->rule[i].type == q->type && q->len >= tail.n && tail.n > longest &&
		    !memcmp(q->name + q->len - tail.n, tail.p, tail.n)) {
			found = &h->rule[i].answer;
			longest = tail.n;
		}
	}
	return found;
}

void hostile_message(struct hostile *h, struct bytes text)
{
	const uint8_t *end = text.n ? memmem(text.p, text.n, "\r\n\r\n", 4) : NULL;
	size_t header = end ? (size_t)(end - text.p) + 4 : text.n;
	bool over = header > MESSAGE_HEADER_MAX;
	struct message_chunk *c = hostile_take(h, sizeof *c + text.n);
	*c = (struct message_chunk){ NULL, (uint32_t)text.n, (uint32_t)text.n };
	memcpy(c->data, text.p, text.n);
	h->m.chunks = text.n ? c : NULL;
	h->m.size = h->m.intact = text.n;
	h->m.header_len = over ? MESSAGE_HEADER_MAX : (uint32_t)header;
	h->m.flags = over ? MESSAGE_HEADER_TOO_LARGE : 0;
	h->m.complete = true;
}

static struct hostile *make(const struct hostile_row *row, unsigned share)
{
	struct hostile *h = calloc(1, sizeof *h);
	h->memory = calloc(1, ROOM);
	h->text = malloc(TEXT_ROOM);
	if (!h->memory || !h->text)
		die("no memory");
	h->name = row->name;
	h->share = share;
	h->m = (struct message){ .time_ns = 1000000000000000000u,
				 .has_client = true,
				 .has_helo = true,
				 .has_mail_from = true,
				 .helo = bytes_str("helo.bad.example"),
				 .mail_from = bytes_str("bounce@mail.bad.example") };
	memset(h->m.client.ip + 10, 0xff, 2);
	inet_pton(AF_INET, "192.0.2.1", h->m.client.ip + 12);
	row->make(h);
	hostile_txt(h, "_dmarc.from.bad.example", "v=DMARC1; p=reject");
	hostile_message(h, bytes_of(h->text, h->n));
	return h;
}

static const struct hostile_table *const tables[] = { &hostile_dkim, &hostile_dns,
						      &hostile_fields };

struct hostile *hostile_new(unsigned row, unsigned share)
{
	for (unsigned i = 0; i < 3; row -= tables[i++]->n)
		if (row < tables[i]->n)
			return make(&tables[i]->row[row], share);
	return NULL;
}

struct hostile *hostile_named(const char *name, unsigned share)
{
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < tables[i]->n; k++)
			if (!strcmp(tables[i]->row[k].name, name))
				return make(&tables[i]->row[k], share);
	die(name);
	return NULL;
}

void hostile_free(struct hostile *h)
{
	if (!h)
		return;
	free(h->memory);
	free(h->text);
	free(h);
}

struct hostile_site {
	struct config cfg;
	struct profiles profiles;
	struct spf_profile spf;
	struct dmarc_profile dmarc;
	struct names_profile names;
	struct list *relays, *sealers, *names_list;
	struct forged *forged;
};

static struct list *one(const char *name, const char *entry)
{
	uint32_t bad;
	struct bytes e = bytes_str(entry);
	return list_new(name, &e, 1, false, &bad);
}

struct hostile_site *hostile_site_new(unsigned names)
{
	struct hostile_site *s = calloc(1, sizeof *s);
	config_default(&s->cfg);
	s->profiles = *s->cfg.profiles;
	s->spf = s->profiles.spf[0];
	s->spf.level = SPF_LEVEL_SIDF_COMPATIBLE;
	s->spf.helo = s->spf.explanation = true;
	snprintf(s->spf.relays, sizeof s->spf.relays, "relays");
	s->dmarc = s->profiles.dmarc[0];
	snprintf(s->dmarc.sealers, sizeof s->dmarc.sealers, "sealers");
	s->relays = one("relays", "198.51.100.0/24");
	s->sealers = one("sealers", "sealer.example");
	s->profiles.spf = &s->spf;
	s->profiles.dmarc = &s->dmarc;
	s->profiles.addresses = &s->relays;
	s->profiles.sealers = &s->sealers;
	s->profiles.n_addresses = s->profiles.n_sealers = 1;
	struct bytes *name = calloc(names + 1, sizeof *name);
	char *text = calloc(names + 1, 32);
	for (unsigned i = 0; i < names; i++)
		name[i] =
			bytes_of(text + (size_t)i * 32,
				 (size_t)sprintf(text + (size_t)i * 32, "Director %c%c%u Amboise",
						 'A' + (int)(i % 26), 'a' + (int)(i / 26 % 26), i));
	uint32_t bad;
	s->names_list = list_new("names", name, names, true, &bad);
	free(name);
	free(text);
	s->names = (struct names_profile){
		.name = "names", .names = s->names_list, .threshold = 70, .action = VERDICT_FLAG
	};
	s->profiles.names = &s->names;
	s->profiles.n_names = 1;
	s->cfg.profiles = &s->profiles;
	s->cfg.dns_cache_keys = s->cfg.dns_cache_records = 4096;
	snprintf(s->cfg.authserv_id, sizeof s->cfg.authserv_id, "mx.receiver.example");
	if (!s->relays || !s->sealers || !s->names_list || forged_new(&s->forged, &s->profiles) < 0)
		die("no memory");
	s->cfg.forged = s->forged;
	return s;
}

struct config *hostile_site_config(struct hostile_site *s)
{
	return &s->cfg;
}

void hostile_site_free(struct hostile_site *s)
{
	forged_free(s->forged);
	list_free(s->names_list);
	list_free(s->relays);
	list_free(s->sealers);
	free(s);
}

static unsigned answer(struct hostile *h, struct verify *v, enum hostile_order order)
{
	const struct question *q;
	unsigned n = 0, number;
	while ((n == 0 || order == HOSTILE_AT_ONCE) && (q = verify_question(v, &number))) {
		verify_answer(v, number, hostile_answer(h, q));
		n++;
	}
	return n;
}

struct verify *hostile_judge(struct hostile *h, struct verify_engine *e, uint64_t clock_s,
			     enum hostile_order order, unsigned *asked)
{
	struct verify *v = verify_begin(e, &h->m, clock_s);
	if (!v)
		die("no slot");
	for (enum verify_state s; (s = verify_step(e, v, clock_s)) != VERIFY_DONE;) {
		if (s == VERIFY_BUSY) {
			if (verify_poll(e, true) != v)
				die("a busy message is not in the queues");
			continue;
		}
		unsigned n = order == HOSTILE_SILENT ? 0 : answer(h, v, order);
		*asked += n;
		if (n == 0)
			verify_give_up(v);
	}
	return v;
}
