/*
 * settings - the rows of struct config: what a settings file and the command line may say.
 *
 * `help settings` and `ctl config` are made from them too. Profiles and lists, which a settings
 * file may have as well, are in profiles.h.
 */
#pragma once

#include "base/config.h"
#include "control/schema.h"

enum { SETTINGS_MAX = 128, SETTINGS_GROUP_MAX = 32 }; /* rows; octets of "dns", with the NUL */

extern const struct schema_row settings_rows[];
extern const unsigned settings_n;

/* NULL: there is none. */
const struct schema_row *settings_find(struct bytes name);
/* By long option without dashes; NULL: there is none. */
const struct schema_row *settings_find_option(struct bytes option);

/* Every setting with option, range, default and help: the manual. */
void settings_manual(FILE *out);
