/*
 * suffixes - the public suffix list (publicsuffix.org), over libpsl.
 */
#pragma once

#include "base/bytes.h"

struct suffixes;

/* 0 or -errno with one line in why. Gives *out to suffixes_free. */
int suffixes_load(struct suffixes **out, const char *path, char *why, size_t why_len);
void suffixes_free(struct suffixes *s);

/* The registrable domain of an A-label name in lower case: a tail of it; empty when the name is
 * itself a suffix. */
struct bytes suffixes_organization(const struct suffixes *s, struct bytes name);
