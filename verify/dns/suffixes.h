/*
 * suffixes - the public suffix list (publicsuffix.org), over libpsl.
 *
 * All rules count, those of registries and those of companies, and names under no rule have a
 * suffix of one label, strictly by the list's algorithm. Immutable once loaded: any number of
 * threads may ask. No heap after suffixes_load. Not handled: compiled lists (DAFSA).
 */
#pragma once

#include "base/bytes.h"

struct suffixes;

/* 0 or -errno with one line in why: -ENOENT and the like, -EINVAL when there is no rule in it.
 * Gives *out to suffixes_free. */
int suffixes_load(struct suffixes **out, const char *path, char *why, size_t why_len);
void suffixes_free(struct suffixes *s);

/* The rules of the list. */
unsigned suffixes_count(const struct suffixes *s);

/* The registrable domain of an A-label name in lower case: a tail of it; empty when the name is
 * itself a suffix, or over 253 octets. */
struct bytes suffixes_organization(const struct suffixes *s, struct bytes name);
