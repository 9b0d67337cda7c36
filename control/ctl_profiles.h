/*
 * ctl_profiles - `postern ctl profiles|export|import|delete|clear`: profiles and lists of a running
 * engine looked at, taken out into a file, replaced.
 *
 * What changes the settings file asks first, where there is a terminal to ask on, or needs --yes.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct ctl_profiles {
	const char *path; /* of the control socket */
	bool json, yes;
	FILE *out, *err;
};

/* word[0] is the command. Exit status as ctl_main. */
int ctl_profiles(const struct ctl_profiles *c, const char *const *word, unsigned n);
