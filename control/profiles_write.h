/*
 * profiles_write - a section of profiles or lists as it would stand in a settings file.
 *
 * What is written is read again as the same profiles: every setting of a profile is there, whether
 * it is a default or not.
 */
#pragma once

#include <stdio.h>

#include "control/profiles.h"

/* indent: blanks in front of each line. */
void profiles_write(FILE *out, const struct profiles *p, enum kind kind, unsigned indent);
