/*
 * profiles_read - the sections of a settings file that are profiles and lists, event by event.
 *
 * The reader of the file gives each section's events (libyaml) in their order. Refused with place,
 * name and what is allowed: unknown and repeated keys, wrong types, values out of range, names that
 * are none, entries that are no address, over PROFILES_MAX and LIST_ENTRIES_MAX, anchors, aliases,
 * tags, a list that a profile names and that is nowhere.
 */
#pragma once

#include <yaml.h>

#include "control/profiles.h"

enum profiles_read_result { PROFILES_READ_BAD = -1, PROFILES_READ_MORE = 0, PROFILES_READ_DONE };

enum { PROFILES_READ_KEY_MAX = 200 };

struct profiles_read_error {
	size_t line, column; /* from 0 */
	char key[PROFILES_READ_KEY_MAX]; /* "spf_profiles.default.helo_fail"; empty: none */
	char words[SCHEMA_WHY_MAX];
};

struct profiles_read;

/* NULL when out of memory. */
struct profiles_read *profiles_read_new(void);
void profiles_read_free(struct profiles_read *r);

/* The events up to PROFILES_READ_DONE are the value of that kind's section, which is read once. */
void profiles_read_begin(struct profiles_read *r, enum kind kind);
/* PROFILES_READ_BAD: *error says where and why; nothing more may be read. */
enum profiles_read_result profiles_read_event(struct profiles_read *r, const yaml_event_t *e,
					      struct profiles_read_error *error);

/* After the last section: gives all profiles, or NULL and *error. */
struct profiles *profiles_read_end(struct profiles_read *r, struct profiles_read_error *error);
/* What was read, without looking whether lists that are named are there. Gives. */
struct profiles *profiles_read_take(struct profiles_read *r);
