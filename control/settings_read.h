/*
 * settings_read - a settings file read as libyaml events against the rows of settings.h; sections
 * of profiles and lists go to profiles_read.h.
 *
 * Refused with file, line, column and what is allowed: unknown and repeated keys, wrong types,
 * values out of range, anchors, aliases, tags, a second document, nesting beyond group and key.
 */
#pragma once

#include "base/config.h"

/* Changes in *cfg what text says; its profiles, when it has any, are all there are. name stands in
 * messages. 0, or -1 and why has one line. */
int settings_read(struct config *cfg, struct bytes text, const char *name, char *why,
		  size_t why_len);
