/*
 * ctl_trace - `postern ctl trace`: one message judged in this process with the settings of a
 * running engine, or of a file, and every step of every check told.
 */
#pragma once

#include <stdio.h>

/* argv[0] is "trace". Exit status: 0 judged, whatever it came to; 2 usage, no engine, input or
 * system, with one line on err. */
int ctl_trace_main(int argc, char **argv, FILE *out, FILE *err);
