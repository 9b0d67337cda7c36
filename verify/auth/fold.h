/*
 * fold - names as a hurried reader sees them: one case, no diacritics, letters of other scripts that
 * look like Latin ones as these.
 *
 * By a table that fold_table.py makes of Unicode: compatibility forms (fullwidth, mathematical,
 * enclosed letters), case, marks above and below, and look-alikes of Greek, Cyrillic, Armenian,
 * Cherokee, Coptic and Lisu. What shows nothing goes away; signs and blanks become one blank between
 * words. Letters of other scripts stay as they are. Not handled: look-alikes within one script (l for
 * I, rn for m), which are edits like a digit for a letter.
 */
#pragma once

#include "base/bytes.h"

enum { FOLD_POINT_MAX = 3 };

/* Writes what c becomes, 0 to FOLD_POINT_MAX code points, and returns how many; a blank: c is no
 * letter. */
unsigned fold_point(uint32_t c, uint32_t out[FOLD_POINT_MAX]);

/* Folds UTF-8 (what is none is a blank); at most max letters, without blanks at either end. *cut:
 * there was more. */
unsigned fold_text(struct bytes utf8, uint32_t *out, unsigned max, bool *cut);
