/*
 * ctl - `postern ctl`: one command to a running engine, its answer for people or (--json) for
 * programs.
 */
#pragma once

#include <stdio.h>

/* A section of profiles may be as large as a settings file, and is checked before the answer. */
enum { CTL_TIMEOUT_MS = 10000, CTL_EDIT_MS = 60000, CTL_REPLY_MAX = 256 * 1024 * 1024 };

/*
 * argv[0] is "ctl". Exit status: 0 done, 1 the engine refused (its reason on err), 2 usage, no
 * engine, or no sensible answer in CTL_TIMEOUT_MS, with one line on err.
 */
int ctl_main(int argc, char **argv, FILE *out, FILE *err);
