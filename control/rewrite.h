/*
 * rewrite - a file's content replaced as a whole or not at all: written beside it, synced, renamed.
 *
 * Mode and owner stay; a link stays a link. Not handled: access control lists and extended
 * attributes.
 */
#pragma once

#include "base/bytes.h"

/* A file that is not there is made with mode 0644. 0, or -1: it is as it was, why has one line. */
int rewrite_file(const char *path, struct bytes text, char *why, size_t why_len);
