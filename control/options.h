/*
 * options - the command line of `scan` and `run`: a command's own options, and one for every
 * setting.
 *
 * Forms: --name value, --name=value; a switch takes no value (--name), a setting that is true or
 * false may have one behind '=' (--name=false). "--" ends the options. Names are not abbreviated.
 */
#pragma once

#include <stdio.h>

#include "control/config.h"

struct options_own {
	const char *name; /* without dashes */
	const char *value; /* what stands for it in the help, "FILE"; NULL: a switch */
	const char *help;
};

struct options {
	/* by the caller; all borrowed */
	enum schema_use use; /* SCHEMA_SCAN or SCHEMA_RUN: whose settings are taken */
	const char *groups; /* of these settings only: "dns dkim"; NULL: of all */
	bool dash_arguments; /* what begins with one dash alone is an argument */
	const struct options_own *own;
	unsigned n_own;
	struct config_source *source; /* settings are put there in their order */
	int argc;
	char **argv;
	int at; /* next argument, 1 at first */

	/* by options_next */
	bool rest; /* "--" was seen */
	const char *value; /* of an own option, or the argument that is none */
};

enum { /* what options_next gives besides the number of an own option */
       OPTIONS_END = -1,
       OPTIONS_ARGUMENT = -2,
       OPTIONS_WRONG = -3, /* why has one line */
};

int options_next(struct options *o, char *why, size_t why_len);

/* A line for each own option and each setting's. */
void options_help(const struct options *o, FILE *out);
/* The settings' only. */
void options_help_settings(const struct options *o, FILE *out);
