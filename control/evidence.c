#include "control/evidence.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/rdata.h"
#include "control/value.h"
#include "verify/dns/master.h"

enum { DATA_MAX = 4096 }; /* RRs of one answer */

struct loader {
	struct answers *answers;
	const char *path;
	size_t line;
	size_t records;
	char *why;
	size_t why_len;
};

static int refuse(const struct loader *l, const char *what)
{
	snprintf(l->why, l->why_len, "%s:%zu: %s", l->path, l->line, what);
	return -EINVAL;
}

static int no_memory(const struct loader *l)
{
	snprintf(l->why, l->why_len, "%s:%zu: out of memory; split the file", l->path, l->line);
	return -ENOMEM;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));
	return s ? s : "";
}

/* ---- one answer ---- */

/* A name as it stands in the record, octets that are none of a host name's as \DDD. */
static bool name_read(struct question *q, const json_t *value)
{
	struct bytes in = bytes_of(json_string_value(value), json_string_length(value));
	size_t n = 0;
	for (size_t i = 0; i < in.n; i++) {
		unsigned c = in.p[i];
		if (n == QUESTION_NAME_MAX)
			return false;
		if (c == '\\') {
			struct bytes digits = bytes_head(bytes_from(in, i + 1), 3);
			uint64_t v;
			if (digits.n < 3 || !value_number(digits, &v) || v > 255)
				return false;
			c = (unsigned)v;
			i += 3;
		}
		q->name[n++] = (char)c;
	}
	q->name[n] = 0;
	q->len = (uint8_t)n;
	return true;
}

static bool question_read(struct question *q, const json_t *item)
{
	const json_t *type = json_object_get(item, "type");
	*q = (struct question){ 0 };
	for (uint16_t i = 1; i <= QUESTION_AAAA && json_is_string(type); i++)
		if (rdata_type(i) && strcmp(json_string_value(type), rdata_type(i)) == 0)
			q->type = i;
	return q->type && json_is_string(json_object_get(item, "name")) &&
	       name_read(q, json_object_get(item, "name"));
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3597: "\# LENGTH HEX", of data that is none of its type. */
static struct bytes data_unknown(const char *text)
{
	unsigned n = 0;
	int at = 0;
	if (sscanf(text, "\\# %5u%n", &n, &at) != 1 || n > UINT16_MAX)
		return (struct bytes){ NULL, 0 };
	const char *hex = text + at + (text[at] == ' ');
	uint8_t *p = strlen(hex) == 2 * (size_t)n ? malloc(n + 1) : NULL;
	for (unsigned i = 0; p && i < n; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
		if (high < 0 || low < 0) {
			free(p);
			p = NULL;
		} else {
			p[i] = (uint8_t)(high << 4 | low);
		}
	}
	return bytes_of(p, p ? n : 0);
}

/* TXT as records have it, of any length: ldns reads no more than 65,535 octets of text. p NULL: it
 * is written otherwise. */
static struct bytes data_txt(const char *text)
{
	uint8_t *p = malloc(strlen(text) + 1);
	size_t n = p ? rdata_txt(bytes_str(text), p) : SIZE_MAX;
	if (n != SIZE_MAX)
		return bytes_of(p, n);
	free(p);
	return (struct bytes){ NULL, 0 };
}

/* Presentation form to RDATA in malloc memory; p NULL: it is none. */
static struct bytes data_read(uint16_t type, const json_t *value)
{
	struct bytes out = { NULL, 0 };
	struct master *m;
	struct master_record r;
	char why[128], *line = NULL;
	const char *text = json_string_value(value);
	/* one line, or it could be more than one record */
	if (!text || !*text || strlen(text) != json_string_length(value) || strpbrk(text, "\r\n"))
		return out;
	if (!strncmp(text, "\\#", 2))
		return data_unknown(text);
	if (type == QUESTION_TXT)
		out = data_txt(text);
	if (out.p)
		return out;
	int n = asprintf(&line, "x. 0 IN %s %s\n", rdata_type(type), text);
	if (n < 0)
		return out;
	if (master_open(&m, bytes_of(line, (size_t)n), "evidence", why, sizeof why) == 0) {
		if (master_next(m, &r) == 1 && !r.fails && r.type == type) {
			uint8_t *p = malloc(r.data.n + 1);
			if (p && r.data.n)
				memcpy(p, r.data.p, r.data.n);
			out = bytes_of(p, p ? r.data.n : 0);
		}
		master_close(m);
	}
	free(line);
	return out;
}

static bool status_read(struct answer *a, const json_t *item)
{
	const char *word = text_of(item, "status");
	for (uint8_t i = 0; rdata_status(i); i++) {
		if (strcmp(word, rdata_status(i)) != 0)
			continue;
		const json_t *ttl = json_object_get(item, "ttl");
		json_int_t s = json_integer_value(ttl);
		a->status = i;
		a->secure = json_is_true(json_object_get(item, "secure"));
		a->ttl_s = (uint32_t)s;
		return json_is_integer(ttl) && s >= 0 && s <= UINT32_MAX;
	}
	return false;
}

/* Data of every RR; the caller frees what was read, whatever is returned. */
static int rrs_read(const struct loader *l, const json_t *item, uint16_t type, struct answer *a,
		    struct answer_rr *rr)
{
	const json_t *data = json_object_get(item, "data");
	size_t n = json_array_size(data);
	if ((data && !json_is_array(data)) || n > DATA_MAX || (n > 0) != (a->status == ANSWER_DATA))
		return refuse(l, "evidence: \"data\" is not the list that the status asks for; "
				 "give the file as it was written");
	a->rr = rr;
	for (; a->n < n; a->n++) {
		rr[a->n].data = data_read(type, json_array_get(data, a->n));
		if (!rr[a->n].data.p)
			return refuse(l, "evidence: an entry of \"data\" is no data of that type; "
					 "give the file as it was written");
	}
	return 0;
}

static int answer_read(const struct loader *l, const json_t *item)
{
	struct question q;
	struct answer a = { 0 };
	if (!json_is_object(item) || !question_read(&q, item) || !status_read(&a, item))
		return refuse(l,
			      "evidence: an entry without name, type A AAAA MX PTR TXT, status or "
			      "ttl; give the file as it was written");
	struct answer_rr *rr =
		calloc(json_array_size(json_object_get(item, "data")) + 1, sizeof *rr);
	if (!rr)
		return no_memory(l);
	int rc = rrs_read(l, item, q.type, &a, rr);
	if (rc == 0)
		rc = answers_add(l->answers, &q, &a);
	if (rc == -ENOMEM)
		rc = no_memory(l);
	if (rc == -EEXIST)
		snprintf(l->why, l->why_len,
			 "%s:%zu: another record of this message has another answer for %.200s; "
			 "keep one of them in the file",
			 l->path, l->line, text_of(item, "name"));
	for (unsigned i = 0; i < a.n; i++)
		free((void *)rr[i].data.p);
	free(rr);
	return rc;
}

/* ---- one record ---- */

static bool hex_read(uint8_t out[32], const char *text)
{
	for (unsigned i = 0; i < 64; i++)
		if (hex_digit(text[i]) < 0)
			return false;
	for (unsigned i = 0; i < 32; i++)
		out[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return text[64] == 0;
}

/* 2026-11-21T10:00:00.000123+0000 */
static uint64_t time_read(const char *text)
{
	char rfc3339[64];
	uint64_t ns = 0;
	size_t n = strlen(text);
	if (n < 5 || n > 40)
		return 0;
	snprintf(rfc3339, sizeof rfc3339, "%.*s:%s", (int)n - 2, text, text + n - 2);
	return value_time(bytes_str(rfc3339), &ns) ? ns : 0;
}

static int record_read(struct loader *l, const json_t *record)
{
	const json_t *list = json_object_get(record, "evidence");
	const json_t *flow = json_object_get(record, "flow_id");
	struct answers_record r = { .wire = json_is_integer(flow),
				    .flow_id = (uint64_t)json_integer_value(flow),
				    .tx_id = (uint32_t)json_integer_value(
					    json_object_get(record, "tx_id")),
				    .cut = json_is_true(json_object_get(record, "evidence_cut")),
				    .time_ns = time_read(text_of(record, "timestamp")) };
	const json_t *source = json_object_get(record, "source");
	if (json_is_string(source))
		r.source = bytes_of(json_string_value(source), json_string_length(source));
	const char *event = json_string_value(json_object_get(record, "event_type"));
	if (event && strcmp(event, "mail") != 0)
		return 0;
	if (!json_is_array(list))
		return refuse(l, "a record without evidence; make records with evidence: true");
	r.has_sha256 = hex_read(r.sha256, text_of(json_object_get(record, "message"), "sha256"));
	if (answers_begin(l->answers, &r) < 0)
		return no_memory(l);
	l->records++;
	for (size_t i = 0; i < json_array_size(list); i++) {
		int rc = answer_read(l, json_array_get(list, i));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int line_read(struct loader *l, const char *line, size_t n)
{
	json_error_t error;
	json_t *record = json_loadb(line, n, JSON_ALLOW_NUL, &error);
	if (!json_is_object(record)) {
		json_decref(record);
		snprintf(l->why, l->why_len,
			 "%s:%zu: not a JSON object at octet %d (%.80s); give records of postern, "
			 "one "
			 "a line",
			 l->path, l->line, record ? 1 : error.position, record ? "" : error.text);
		return -EINVAL;
	}
	int rc = record_read(l, record);
	json_decref(record);
	return rc;
}

static int lines_read(struct loader *l, FILE *f)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int rc = 0;
	while (rc == 0 && (n = getline(&line, &cap, f)) >= 0) {
		l->line++;
		if (bytes_trim(bytes_of(line, (size_t)n)).n)
			rc = line_read(l, line, (size_t)n);
	}
	int error = ferror(f) ? errno : 0;
	free(line);
	if (rc == 0 && error) {
		snprintf(l->why, l->why_len, "%s:%zu: %s", l->path, l->line + 1, strerror(error));
		return -error;
	}
	if (rc == 0 && !l->records) {
		l->line = l->line ? l->line : 1;
		return refuse(l, "no record of a message; make some with evidence: true");
	}
	return rc;
}

int evidence_load(struct answers **out, const char *path, char *why, size_t why_len)
{
	struct loader l = { .path = path, .why = why, .why_len = why_len };
	*out = NULL;
	FILE *f = fopen(path, "re");
	if (!f) {
		int error = errno;
		snprintf(why, why_len, "--evidence %.256s: %s; name a file of records", path,
			 strerror(error));
		return -error;
	}
	l.answers = answers_new();
	int rc = l.answers ? lines_read(&l, f) : no_memory(&l);
	fclose(f);
	/* words of the file may be in it */
	for (char *p = why; rc < 0 && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	if (rc < 0)
		answers_free(l.answers);
	else
		*out = l.answers;
	return rc;
}

void evidence_show(const struct answers *a, struct message *m, struct verdict_evidence **list,
		   uint32_t *cap)
{
	/* the data of an answer lies as the verdict has it */
	_Static_assert(sizeof(struct answer_rr) == sizeof(struct bytes), "one member");
	struct answers_own own = answers_own(a, m);
	if (!m->verdict || !(own.place || own.octets))
		return;
	if (own.n > *cap) {
		struct verdict_evidence *more = realloc(*list, own.n * sizeof *more);
		if (!more)
			return;
		*list = more;
		*cap = own.n;
	}
	for (uint32_t i = 0; i < own.n; i++) {
		const struct question *q;
		const struct answer *answer = answers_kept(a, &own, i, &q);
		(*list)[i] = (struct verdict_evidence){ .name = bytes_of(q->name, q->len),
							.type = q->type,
							.status = answer->status,
							.secure = answer->secure,
							.ttl_s = answer->ttl_s,
							.n = answer->n,
							.data = (const struct bytes *)answer->rr };
	}
	m->verdict->evidence = *list;
	m->verdict->n_evidence = own.n;
	m->verdict->evidence_cut = own.cut;
}

void evidence_use(struct config *cfg, const struct answers *a)
{
	cfg->answers = a;
	cfg->evidence = true;
	/* no server is asked, so none has to be there; what one message knows is not another's */
	snprintf(cfg->dns, sizeof cfg->dns, "none");
	cfg->dns_cache_ttl_max_s = 0;
	cfg->dns_message_questions = UINT32_MAX;
}
