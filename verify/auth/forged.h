/*
 * forged - protected names that a From: field shows without being theirs.
 *
 * Score 1..100: 100 x (letters - edits) / letters of the protected name, after folding case,
 * diacritics and letters of other scripts that look alike; blanks, dots and the like between words
 * do not count; a digit for a letter is an edit. The display name, the local part, and parts of
 * either are compared. Not handled: names over FORGED_NAME_MAX letters are compared by their
 * beginning.
 */
#pragma once

#include "base/arena.h"
#include "base/profile.h"

enum { FORGED_NAME_MAX = 64, FORGED_MATCHES_MAX = 16 };

/* How alike text (a display name or local part, UTF-8) and a protected name are: 0..100. */
unsigned forged_score(struct bytes text, struct bytes name);

/* Matches at or over the threshold of each dictionary, the best first; *out in the arena. False:
 * the arena is full. */
bool forged_check(const struct verdict_from *from, const struct profiles *profiles,
		  struct arena *arena, struct verdict_forged **out, uint32_t *n);
