/*
 * kind - the kinds of profiles and lists a site has, one table of rows a kind.
 *
 * Each kind has a section at the top of the settings file: a mapping of names to profiles, or of
 * names to lists. Defaults, ranges, help texts and presets stand in kind.c.
 */
#pragma once

#include "base/profile.h"
#include "control/schema.h"

enum kind {
	KIND_DKIM,
	KIND_SPF,
	KIND_DMARC,
	KIND_NAMES,
	KIND_SEALERS,
	KIND_ADDRESSES,
	KIND_N,
};

struct kind_preset { /* defaults of another product, taken by `preset: word` */
	const char *word;
	struct kind_value {
		const char *row, *value;
	} value[8]; /* row NULL behind the last */
};

struct kind_info {
	const char *word; /* of commands: "spf" */
	const char *section; /* of the settings file: "spf_profiles" */
	const char *noun; /* "SPF profile" */
	bool options; /* each row is an option, which changes the profile in force */
	bool text; /* the list or its rows hold texts */
	const struct schema_row *row; /* NULL: a list of domains and addresses */
	unsigned n_row;
	const struct kind_preset *preset;
	unsigned n_preset;
};

extern const struct kind_info kind_info[KIND_N];

/* KIND_N: there is none. By the name of commands, of the section, of a row's table. */
enum kind kind_of_word(struct bytes word);
enum kind kind_of_section(struct bytes section);
enum kind kind_of_row(const struct schema_row *row);

/* "dkim, spf, ...": every word of commands. */
void kind_words(char *out, size_t len);

/* NULL: there is none. */
const struct schema_row *kind_row(enum kind kind, struct bytes name);
const struct schema_row *kind_find_option(struct bytes option);
/* The kind of list that a row names one of; KIND_N: it names none. */
enum kind kind_names_list(const struct schema_row *row);

/* Sets the rows of a preset. -1: there is none of that name, why has what is allowed. */
int kind_take_preset(void *item, enum kind kind, struct bytes word, char *why, size_t why_len);

/* Rules between the rows of one profile. 0, or -1 and why has one line. */
int kind_check(enum kind kind, const void *item, char *why, size_t why_len);
/* All rows at their defaults; item is all zero before. name: up to PROFILE_NAME_MAX - 1 octets. */
void kind_default(void *item, enum kind kind, struct bytes name);

/* A row's default as schema_get writes it. */
void kind_fallback(const struct schema_row *row, char out[SCHEMA_VALUE_MAX]);

/* Every row of every kind with option, range, default and help. */
void kind_manual(FILE *out);
