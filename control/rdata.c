#include "control/rdata.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "control/member.h"

/* RR type numbers */
enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_MX = 15, TYPE_TXT = 16, TYPE_AAAA = 28 };

enum { STRING_MAX = 255 };

/* enum answer_status of verify/dns/question.h, by number */
static const char *const status_word[] = { "data", "nodata", "nxdomain", "servfail", "timeout" };

const char *rdata_type(uint16_t type)
{
	switch (type) {
	case TYPE_A:
		return "A";
	case TYPE_PTR:
		return "PTR";
	case TYPE_MX:
		return "MX";
	case TYPE_TXT:
		return "TXT";
	case TYPE_AAAA:
		return "AAAA";
	default:
		return NULL;
	}
}

const char *rdata_status(uint8_t status)
{
	return status < sizeof status_word / sizeof status_word[0] ? status_word[status] : NULL;
}

/* Octets that mean something to a reader of master files, or that are not printable. */
static bool special(uint8_t c)
{
	return c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == ';' || c == '(' || c == ')' ||
	       c == '@' || c == '$';
}

static void put_escape(struct json *j, uint8_t c)
{
	uint8_t text[4] = { '\\', (uint8_t)('0' + c / 100), (uint8_t)('0' + c / 10 % 10),
			    (uint8_t)('0' + c % 10) };
	json_text(j, bytes_of(text, sizeof text));
}

/* Octets in quotes: only these two and what is not printable mean something there. */
static void put_quoted(struct json *j, struct bytes s)
{
	size_t from = 0;
	json_text(j, bytes_str("\""));
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
			continue;
		json_text(j, bytes_of(s.p + from, i - from));
		put_escape(j, c);
		from = i + 1;
	}
	json_text(j, bytes_from(s, from));
	json_text(j, bytes_str("\""));
}

static void put_txt(struct json *j, struct bytes data)
{
	do {
		put_quoted(j, bytes_head(data, STRING_MAX));
		data = bytes_from(data, STRING_MAX);
		if (data.n)
			json_text(j, bytes_str(" "));
	} while (data.n);
}

static bool digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

size_t rdata_txt(struct bytes text, uint8_t *out)
{
	bool inside = false, any = false;
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		const uint8_t *p = text.p + i;
		if (*p == '"') {
			inside = !inside;
			any = true;
		} else if (!inside) {
			if (*p != ' ')
				return SIZE_MAX;
		} else if (*p != '\\') {
			out[n++] = *p;
		} else {
			if (text.n - i < 4 || !digit(p[1]) || !digit(p[2]) || !digit(p[3]))
				return SIZE_MAX;
			unsigned v = (p[1] - '0') * 100u + (p[2] - '0') * 10u + (p[3] - '0');
			if (v > 255)
				return SIZE_MAX;
			out[n++] = (uint8_t)v;
			i += 3;
		}
	}
	return inside || !any ? SIZE_MAX : n;
}

/* A name in wire form, whole. */
static bool is_name(struct bytes wire)
{
	size_t i = 0;
	while (i < wire.n && wire.p[i] && wire.p[i] < 64)
		i += 1u + wire.p[i];
	return i + 1 == wire.n && wire.p[i] == 0;
}

static void put_name(struct json *j, struct bytes wire)
{
	if (wire.n == 1)
		json_text(j, bytes_str("."));
	for (size_t i = 0; wire.p[i]; i += 1u + wire.p[i]) {
		for (size_t k = 1; k <= wire.p[i]; k++) {
			uint8_t c = wire.p[i + k];
			if (special(c) || c == '.')
				put_escape(j, c);
			else
				json_text(j, bytes_of(&c, 1));
		}
		json_text(j, bytes_str("."));
	}
}

static void put_unknown(struct json *j, struct bytes data)
{
	char text[32];
	int n = snprintf(text, sizeof text, "\\# %zu", data.n);
	json_text(j, bytes_of(text, (size_t)n));
	for (size_t i = 0; i < data.n; i++) {
		n = snprintf(text, sizeof text, i ? "%02x" : " %02x", data.p[i]);
		json_text(j, bytes_of(text, (size_t)n));
	}
}

void rdata_put(struct json *j, uint16_t type, struct bytes data)
{
	char text[INET6_ADDRSTRLEN];
	json_text_begin(j);
	if (type == TYPE_TXT) {
		put_txt(j, data);
	} else if (type == TYPE_A && data.n == 4) {
		json_text(j, bytes_str(inet_ntop(AF_INET, data.p, text, sizeof text)));
	} else if (type == TYPE_AAAA && data.n == 16) {
		json_text(j, bytes_str(inet_ntop(AF_INET6, data.p, text, sizeof text)));
	} else if (type == TYPE_PTR && is_name(data)) {
		put_name(j, data);
	} else if (type == TYPE_MX && data.n > 2 && is_name(bytes_from(data, 2))) {
		int n = snprintf(text, sizeof text, "%u ", data.p[0] * 256u + data.p[1]);
		json_text(j, bytes_of(text, (size_t)n));
		put_name(j, bytes_from(data, 2));
	} else {
		put_unknown(j, data);
	}
	json_text_end(j);
}

void rdata_name(struct json *j, struct bytes name)
{
	json_text_begin(j);
	for (size_t i = 0; i < name.n; i++) {
		if (special(name.p[i]))
			put_escape(j, name.p[i]);
		else
			json_text(j, bytes_of(name.p + i, 1));
	}
	json_text_end(j);
}

static void put_answer(struct json *j, const struct verdict_evidence *e)
{
	char type[16];
	json_object_begin(j);
	json_key(j, "name");
	rdata_name(j, e->name);
	snprintf(type, sizeof type, "TYPE%u", e->type); /* RFC 3597 section 5 */
	member_str(j, "type", rdata_type(e->type) ? rdata_type(e->type) : type);
	member_str(j, "status", rdata_status(e->status));
	member_uint(j, "ttl", e->ttl_s, true);
	member_bool(j, "secure", e->secure);
	json_key(j, "data");
	json_array_begin(j);
	for (uint32_t i = 0; i < e->n; i++)
		rdata_put(j, e->type, e->data[i]);
	json_array_end(j);
	json_object_end(j);
}

void rdata_evidence(struct json *j, const struct verdict_evidence *evidence, uint32_t n, bool cut)
{
	json_key(j, "evidence");
	json_array_begin(j);
	size_t cap = j->cap, room = cap - j->len;
	j->cap = j->len + (room < RDATA_EVIDENCE_MAX ? room : RDATA_EVIDENCE_MAX);
	for (uint32_t i = 0; i < n; i++) {
		struct json before = *j;
		put_answer(j, &evidence[i]);
		if (!j->overflow || before.overflow)
			continue;
		*j = before;
		cut = true;
	}
	j->cap = cap;
	json_array_end(j);
	member_true(j, "evidence_cut", cut);
}
