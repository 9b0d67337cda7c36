/*
 * forged - protected names that a From: field shows without being theirs.
 *
 * Score 0..100: 100 x (letters - edits) / letters of the protected name, rounded, after folding
 * (fold.h); whatever stands between words - blanks, dots, an underscore - is one blank, which is a
 * letter of its own; a digit for a letter is an edit. The display name and the local part are
 * compared as a whole and each run of whole words of theirs.
 * Names are folded once, at forged_new; for a text only those are compared whose letters are nearly
 * all in it. Not handled: names over FORGED_NAME_MAX letters are compared by their beginning, texts
 * over FORGED_TEXT_MAX letters or FORGED_WORDS_MAX words too (names.cut counts them); another order
 * of the words is another name.
 */
#pragma once

#include "base/arena.h"
#include "base/profile.h"
#include "base/stats.h"

enum {
	FORGED_NAME_MAX = 64,
	FORGED_TEXT_MAX = 512,
	FORGED_WORDS_MAX = 32,
	FORGED_MATCHES_MAX = 16,
};

struct forged; /* all dictionaries of a config snapshot, ready to compare */

/* Borrows profiles for its life. 0 or -ENOMEM; *out is NULL where there is no name at all. Gives
 * *out to forged_free. */
int forged_new(struct forged **out, const struct profiles *profiles);
void forged_free(struct forged *f);

/* How alike text (a display name or local part, UTF-8) and a protected name are: 0..100. */
unsigned forged_score(struct bytes text, struct bytes name);

/*
 * Matches at or over the threshold of each dictionary, the best first, at most FORGED_MATCHES_MAX;
 * *out in the arena. A dictionary does not apply where every author's domain is one of its own, nor
 * to an author on its list of exceptions. f may be NULL: no match. False: the arena is full.
 */
bool forged_check(const struct forged *f, const struct verdict_from *from, struct arena *arena,
		  struct stats *stats, struct verdict_forged **out, uint32_t *n);
