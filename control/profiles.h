/*
 * profiles - all profiles and lists of a site: made, shared, found by name.
 *
 * A profile `default` of dkim, spf and dmarc always exists and is the first. At most PROFILES_MAX
 * of a kind. kind.h has their rows, profiles_read.h and profiles_write.h their form in YAML.
 */
#pragma once

#include "base/profile.h"
#include "control/kind.h"

enum { PROFILES_MAX = 1000 };

/* Built-in defaults alone; the same object at each call, never freed. */
const struct profiles *profiles_default(void);
/* A copy of them for more to be added to. Gives; NULL when out of memory. */
struct profiles *profiles_new(void);
/* One more user of p, who calls profiles_free too. Control's thread only. */
const struct profiles *profiles_hold(const struct profiles *p);
/* Nothing for NULL and for profiles_default(). */
void profiles_free(const struct profiles *p);

/* Profiles or lists of a kind, in the order of the file. */
uint32_t profiles_count(const struct profiles *p, enum kind kind);
const char *profiles_name(const struct profiles *p, enum kind kind, uint32_t i);
/* The struct its rows are for; NULL for a kind of lists. */
const void *profiles_item(const struct profiles *p, enum kind kind, uint32_t i);
/* NULL for a kind of profiles. */
const struct list *profiles_list(const struct profiles *p, enum kind kind, uint32_t i);
/* Its number; profiles_count when there is none. */
uint32_t profiles_find(const struct profiles *p, enum kind kind, struct bytes name);

/*
 * One more, with built-in defaults; of a kind of profiles `default` is there already and is given
 * once more. NULL: PROFILES_MAX are there, or out of memory. What is given is borrowed until the
 * next call.
 */
void *profiles_add(struct profiles *p, enum kind kind, struct bytes name);
/* Takes l. -1: PROFILES_MAX are there, or out of memory, and l was freed. */
int profiles_add_list(struct profiles *p, enum kind kind, struct list *l);

/* Takes one away; not `default` of a kind that always has it. */
void profiles_remove(struct profiles *p, enum kind kind, uint32_t i);

/* The rules of each, and every list that a profile names is there. 0, or -1 and why has one
 * line. */
int profiles_check(const struct profiles *p, char *why, size_t why_len);

/* The profile of that name, NULL: there is none. */
const struct dkim_profile *profiles_dkim(const struct profiles *p, const char *name);
const struct spf_profile *profiles_spf(const struct profiles *p, const char *name);
const struct dmarc_profile *profiles_dmarc(const struct profiles *p, const char *name);
