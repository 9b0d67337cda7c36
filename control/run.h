/*
 * run - `postern run`: live ports in, records out, until it is told to stop.
 */
#pragma once

#include <stdio.h>

/*
 * argv[0] is "run". Exit status: 0 after SIGTERM, SIGINT or the command stop; 2 when it could not
 * start, with one line on err that has the cure. SIGHUP and the command reload read the settings
 * again and open the output anew.
 */
int run_main(int argc, char **argv, FILE *out, FILE *err);
