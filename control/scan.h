/*
 * scan - `postern scan`: files in, records out; no root, no EAL.
 *
 * The main thread reads, puts in order and prints; verification runs on as many threads as there
 * are cores. With one core everything is one loop on one thread. What is printed does not depend on
 * the number of cores. Messages between reading and printing are bounded in number and octets;
 * reading waits.
 */
#pragma once

/* argv[0] is "scan". Exit status: 0 all accepted, 1 something was flagged, 2 usage, input or system
 * error. */
int scan_main(int argc, char **argv);
