/*
 * scripts - whether letters of scripts that nobody writes together stand in one word.
 *
 * By ranges of code points for the scripts of living languages. Latin goes with Chinese, Japanese
 * and Korean. Not handled: letters of one script that look like another's, which forged.h compares.
 */
#pragma once

#include "base/bytes.h"

/* One bit; 0: a sign that belongs to all scripts, or to none that is known here. */
uint64_t scripts_of(uint32_t c);

/* In a word of a text; a word ends at what is no letter, digit or mark. */
bool scripts_mixed(struct bytes utf8);

/* In a label of a name in A-labels (RFC 3492). */
bool scripts_mixed_name(struct bytes name);
