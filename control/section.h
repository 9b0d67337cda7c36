/*
 * section - one section of profiles or lists: as a text of its own, and in its place in a settings
 * file.
 *
 * Everything else in the file stays as it is, comments too; what stood in the section, comments
 * between its lines included, is replaced. Not handled: files in UTF-16, and a section that shares
 * a line with something else, such as in a file that is one {...}: refused.
 */
#pragma once

#include "control/profiles.h"

/*
 * Reads a text that is that section and nothing else. Lists that its profiles name need not be
 * there. Gives to profiles_free; NULL: why has one line that begins with name and place.
 */
struct profiles *section_parse(struct bytes text, enum kind kind, const char *name, char *why,
			       size_t why_len);

/*
 * The settings file `text` with p's section of that kind in place of what was there, or at its end.
 * Gives malloc memory in out->p; -1: why has one line that begins with name.
 */
int section_splice(struct bytes text, enum kind kind, const struct profiles *p, const char *name,
		   struct bytes *out, char *why, size_t why_len);
