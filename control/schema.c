#include "control/schema.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/profile.h"
#include "control/value.h"

void schema_option(const struct schema_row *row, char out[SCHEMA_OPTION_MAX])
{
	snprintf(out, SCHEMA_OPTION_MAX, "%s", row->option ? row->option : row->name);
	for (char *c = out; *c; c++)
		if (*c == '.' || *c == '_')
			*c = '-';
}

const void *schema_field(const struct schema_row *row, const void *base)
{
	return (const char *)base + row->offset;
}

static void words(const struct schema_row *row, char *out, size_t len)
{
	size_t at = 0;
	for (unsigned i = 0; row->words[i] && at < len; i++) {
		const char *between = !i ? "" : row->words[i + 1] ? ", " : " or ";
		at += (size_t)snprintf(out + at, len - at, "%s%s", between, row->words[i]);
	}
}

void schema_allowed(const struct schema_row *row, char *out, size_t len)
{
	char lo[32], hi[32];
	switch (row->type) {
	case SCHEMA_BOOL:
		snprintf(out, len, "true or false");
		break;
	case SCHEMA_WORD:
		words(row, out, len);
		break;
	case SCHEMA_NUMBER:
		snprintf(out, len, "a number from %" PRIu64 " to %" PRIu64, row->min, row->max);
		break;
	case SCHEMA_SIZE:
		value_size_print(row->min, lo, sizeof lo);
		value_size_print(row->max, hi, sizeof hi);
		snprintf(out, len, "a size from %s to %s", lo, hi);
		break;
	case SCHEMA_MS:
	case SCHEMA_SECONDS:;
		uint64_t unit_ms = row->type == SCHEMA_MS ? 1 : 1000;
		value_duration_print(row->min * unit_ms, lo, sizeof lo);
		value_duration_print(row->max * unit_ms, hi, sizeof hi);
		snprintf(out, len, "a time from %s to %s%s", lo, hi,
			 row->type == SCHEMA_SECONDS ? " in whole seconds" : "");
		break;
	case SCHEMA_PORTS:
		snprintf(out, len, "up to %d different port numbers from 1 to 65535",
			 CONFIG_PORTS_MAX);
		break;
	case SCHEMA_TEXT:
		snprintf(out, len, "text of %" PRIu64 " to %" PRIu64 " octets", row->min, row->max);
		break;
	case SCHEMA_DNS:
		snprintf(out, len,
			 "none, system, IP[@PORT][,...] or zone:FILE, up to %" PRIu64 " octets",
			 row->max);
		break;
	case SCHEMA_TIME:
		snprintf(out, len, "seconds since 1970 or a time such as 2026-11-21T10:00:00Z");
		break;
	case SCHEMA_TENTHS:
		snprintf(out, len, "a number from %" PRIu64 ".%" PRIu64 " to %" PRIu64 ".%" PRIu64,
			 row->min / 10, row->min % 10, row->max / 10, row->max % 10);
		break;
	case SCHEMA_NAME:
		snprintf(out, len, "a name of %" PRIu64 " to %" PRIu64 " letters, digits, - _ .",
			 row->min, row->max);
		break;
	case SCHEMA_ASCII:
		snprintf(out, len, "text of %" PRIu64 " to %" PRIu64 " printable ASCII characters",
			 row->min, row->max);
		break;
	case SCHEMA_HEADERS:
		snprintf(out, len,
			 "names of header fields with commas between, up to %" PRIu64 " octets",
			 row->max);
		break;
	case SCHEMA_LIST:
		snprintf(out, len, "a list of domains and mail addresses");
		break;
	case SCHEMA_NAMES:
		snprintf(out, len, "a list of names, UTF-8, each 2 to %d octets", LIST_ENTRY_MAX);
		break;
	}
}

bool schema_is_name(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = bytes_lower(text.p[i]);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' &&
		    c != '.')
			return false;
	}
	return text.n > 0 && text.n < PROFILE_NAME_MAX;
}

static bool is_printable(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] > 0x7e)
			return false;
	return true;
}

/* Names of header fields (RFC 5322 section 2.2); blanks go. */
static bool set_headers(const struct schema_row *row, void *base, struct bytes value)
{
	char *field = (char *)base + row->offset;
	char text[PROFILE_HEADERS_MAX];
	size_t n = 0, name = 0;
	if (value.n > row->max)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];
		if (c == ' ' &&
		    (!name || i + 1 == value.n || value.p[i + 1] == ',' || value.p[i + 1] == ' '))
			continue;
		if (c <= ' ' || c > 0x7e || c == ':' || (c == ',' && !name))
			return false;
		name = c == ',' ? 0 : name + 1;
		text[n++] = (char)c;
	}
	if (n && !name)
		return false;
	memset(field, 0, row->size);
	memcpy(field, text, n);
	return true;
}

static bool set_text(const struct schema_row *row, void *base, struct bytes value)
{
	if (value.n < row->min || value.n > row->max || (value.n && memchr(value.p, 0, value.n)) ||
	    (row->type == SCHEMA_DNS && !value_dns(value)) ||
	    (row->type == SCHEMA_NAME && value.n && !schema_is_name(value)) ||
	    (row->type == SCHEMA_ASCII && !is_printable(value)))
		return false;
	char *field = (char *)base + row->offset;
	memset(field, 0, row->size);
	if (value.n)
		memcpy(field, value.p, value.n);
	return true;
}

static bool set_number(const struct schema_row *row, void *base, uint64_t v)
{
	void *field = (char *)base + row->offset;
	if (v < row->min || v > row->max)
		return false;
	if (row->size == sizeof(uint64_t)) {
		memcpy(field, &v, sizeof v);
	} else {
		uint32_t small = (uint32_t)v;
		memcpy(field, &small, sizeof small);
	}
	return true;
}

static bool set_word(const struct schema_row *row, void *base, struct bytes value)
{
	for (uint32_t i = 0; row->words[i]; i++)
		if (bytes_equal(bytes_str(row->words[i]), value)) {
			memcpy((char *)base + row->offset, &i, sizeof i);
			return true;
		}
	return false;
}

static bool set_value(const struct schema_row *row, void *base, struct bytes value)
{
	uint64_t v;
	void *field = (char *)base + row->offset;
	switch (row->type) {
	case SCHEMA_BOOL:
		if (!bytes_equal(value, bytes_str("true")) &&
		    !bytes_equal(value, bytes_str("false")))
			return false;
		*(bool *)field = value.p[0] == 't';
		return true;
	case SCHEMA_WORD:
		return set_word(row, base, value);
	case SCHEMA_NUMBER:
		return value_number(value, &v) && set_number(row, base, v);
	case SCHEMA_SIZE:
		return value_size(value, &v) && set_number(row, base, v);
	case SCHEMA_MS:
		return value_duration(value, &v) && set_number(row, base, v);
	case SCHEMA_SECONDS:
		return value_duration(value, &v) && v % 1000 == 0 &&
		       set_number(row, base, v / 1000);
	case SCHEMA_PORTS:
		return value_ports(value, field);
	case SCHEMA_TEXT:
	case SCHEMA_DNS:
	case SCHEMA_NAME:
	case SCHEMA_ASCII:
		return set_text(row, base, value);
	case SCHEMA_TIME:
		/* 0 is no time at all: the epoch is a nanosecond late */
		return value_time(value, &v) && set_number(row, base, v ? v : 1);
	case SCHEMA_TENTHS:
		return value_tenths(value, &v) && set_number(row, base, v);
	case SCHEMA_HEADERS:
		return set_headers(row, base, value);
	case SCHEMA_LIST:
	case SCHEMA_NAMES:
		return false;
	}
	return false;
}

int schema_set(const struct schema_row *row, void *base, struct bytes value, bool quoted, char *why,
	       size_t why_len)
{
	bool number = row->type == SCHEMA_BOOL || row->type == SCHEMA_NUMBER ||
		      row->type == SCHEMA_PORTS || row->type == SCHEMA_TENTHS;
	bool wrong_type = quoted && number;
	if (!wrong_type && set_value(row, base, value))
		return 0;
	char allowed[256], shown[48];
	schema_allowed(row, allowed, sizeof allowed);
	size_t n = 0;
	for (; n < value.n && n < sizeof shown - 1; n++)
		shown[n] = value.p[n] >= 0x20 && value.p[n] < 0x7f ? (char)value.p[n] : '?';
	shown[n] = 0;
	snprintf(why, why_len, "\"%s%s\" is %s; allowed: %s", shown, n < value.n ? "..." : "",
		 wrong_type ? "quoted, so it is text" : "not possible", allowed);
	return -1;
}

static void get_ports(const struct config_ports *ports, char *out)
{
	size_t at = 0;
	out[0] = 0;
	for (uint32_t i = 0; i < ports->n; i++)
		at += (size_t)snprintf(out + at, SCHEMA_VALUE_MAX - at, "%s%u", i ? "," : "",
				       ports->port[i]);
}

static uint64_t get_number(const struct schema_row *row, const void *field)
{
	uint64_t v;
	uint32_t small;
	if (row->size == sizeof v) {
		memcpy(&v, field, sizeof v);
		return v;
	}
	memcpy(&small, field, sizeof small);
	return small;
}

void schema_get(const struct schema_row *row, const void *base, char out[SCHEMA_VALUE_MAX])
{
	const void *field = schema_field(row, base);
	switch (row->type) {
	case SCHEMA_BOOL:
		snprintf(out, SCHEMA_VALUE_MAX, "%s", *(const bool *)field ? "true" : "false");
		break;
	case SCHEMA_WORD:
		snprintf(out, SCHEMA_VALUE_MAX, "%s", row->words[get_number(row, field)]);
		break;
	case SCHEMA_NUMBER:
		snprintf(out, SCHEMA_VALUE_MAX, "%" PRIu64, get_number(row, field));
		break;
	case SCHEMA_SIZE:
		value_size_print(get_number(row, field), out, SCHEMA_VALUE_MAX);
		break;
	case SCHEMA_MS:
		value_duration_print(get_number(row, field), out, SCHEMA_VALUE_MAX);
		break;
	case SCHEMA_SECONDS:
		value_duration_print(get_number(row, field) * 1000, out, SCHEMA_VALUE_MAX);
		break;
	case SCHEMA_PORTS:
		get_ports(field, out);
		break;
	case SCHEMA_TEXT:
	case SCHEMA_DNS:
	case SCHEMA_NAME:
	case SCHEMA_ASCII:
	case SCHEMA_HEADERS:
		snprintf(out, SCHEMA_VALUE_MAX, "%s", (const char *)field);
		break;
	case SCHEMA_TIME:;
		uint64_t ns = get_number(row, field);
		snprintf(out, SCHEMA_VALUE_MAX, "%" PRIu64 ".%09" PRIu64, ns / 1000000000,
			 ns % 1000000000);
		break;
	case SCHEMA_TENTHS:;
		uint64_t tenths = get_number(row, field);
		snprintf(out, SCHEMA_VALUE_MAX, "%" PRIu64 ".%" PRIu64, tenths / 10, tenths % 10);
		break;
	case SCHEMA_LIST:
	case SCHEMA_NAMES:
		out[0] = 0;
		break;
	}
}

/* Help text in lines of up to 78 columns, indented. */
static void manual_wrap(FILE *out, const char *text)
{
	enum { INDENT = 6, WIDTH = 78 };
	while (*text) {
		size_t n = strlen(text);
		if (n > WIDTH - INDENT) {
			n = WIDTH - INDENT;
			while (n && text[n] != ' ')
				n--;
		}
		fprintf(out, "%*s%.*s\n", INDENT, "", (int)n, text);
		text += n;
		text += strspn(text, " ");
	}
}

void schema_explain(const struct schema_row *row, FILE *out)
{
	char allowed[256], line[512];
	schema_allowed(row, allowed, sizeof allowed);
	snprintf(line, sizeof line, "%s; default %s%s", allowed,
		 *row->fallback ? row->fallback : "none", row->restart ? "; needs a restart" : "");
	manual_wrap(out, row->help);
	manual_wrap(out, line);
}
