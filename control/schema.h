/*
 * schema - one row for each field that a site may set: name, option, type, range, default, help,
 * place in its struct.
 *
 * A row is for a field of any struct: of struct config (settings.h) or of a profile (profiles.h).
 * A duration is written with its unit (1500ms, 10s, 5m, 2h, 1d), a plain number counts seconds; a
 * size in octets or with KiB, MiB, GiB.
 */
#pragma once

#include <stdio.h>

#include "base/config.h"

enum schema_type {
	SCHEMA_BOOL, /* bool */
	SCHEMA_WORD, /* uint32_t: index into words */
	SCHEMA_NUMBER, /* uint32_t */
	SCHEMA_SIZE, /* uint32_t or uint64_t: octets */
	SCHEMA_MS, /* uint32_t: milliseconds */
	SCHEMA_SECONDS, /* uint32_t */
	SCHEMA_PORTS, /* struct config_ports */
	SCHEMA_TEXT, /* char[] */
	SCHEMA_DNS, /* char[]: a form of --dns */
	SCHEMA_TIME, /* uint64_t: nanoseconds since the epoch */
	SCHEMA_TENTHS, /* uint32_t: tenths, written 5.0 */
	SCHEMA_NAME, /* char[]: of a profile or list */
	SCHEMA_ASCII, /* char[]: printable text, fit for a reply or a header field */
	SCHEMA_HEADERS, /* char[]: header field names with commas between, kept without blanks */
	SCHEMA_LIST, /* struct list *, of addresses and domains; the reader of profiles makes it */
	SCHEMA_NAMES, /* the same, of texts */
};

enum schema_use {
	SCHEMA_ALL, /* scan and run */
	SCHEMA_RUN, /* not an option of scan; in a file that scan reads it has no effect there */
	SCHEMA_SCAN, /* an option of scan only, never in a file */
};

enum { SCHEMA_WHY_MAX = 512, SCHEMA_OPTION_MAX = 64, SCHEMA_VALUE_MAX = 1024 };

struct schema_row {
	const char *name; /* "limits.flow_max" */
	const char *option; /* without dashes; NULL: the name; '-' stands for '.' and '_' */
	enum schema_type type;
	enum schema_use use;
	uint64_t min, max; /* in the field's unit; of a text its length */
	const char *const *words; /* NULL behind the last */
	const char *fallback; /* the default, as it would be written */
	const char *help;
	size_t offset, size; /* in the struct */
	bool restart; /* a reload does not change it */
};

/* The long option of a row, without dashes. */
void schema_option(const struct schema_row *row, char out[SCHEMA_OPTION_MAX]);

/*
 * Sets the row's field of the struct at base; a list is not set so. quoted: the value stood in
 * quotes in a file, so that it is text and no number.
 * 0, or -1: the field is as it was and why has what is wrong and what is allowed, without the name.
 */
int schema_set(const struct schema_row *row, void *base, struct bytes value, bool quoted, char *why,
	       size_t why_len);

/* The value as schema_set takes it; ports with commas. Of a list: nothing. */
void schema_get(const struct schema_row *row, const void *base, char out[SCHEMA_VALUE_MAX]);

/* "a number from 1 to 100", "auto, always or never": what a value must look like. */
void schema_allowed(const struct schema_row *row, char *out, size_t len);

/* Where the field lies; for a setting's own type. */
const void *schema_field(const struct schema_row *row, const void *base);

/* Letters, digits, '-', '_' and '.', 1 to PROFILE_NAME_MAX - 1 of them. */
bool schema_is_name(struct bytes text);

/* For a manual: help, range, default. */
void schema_explain(const struct schema_row *row, FILE *out);
