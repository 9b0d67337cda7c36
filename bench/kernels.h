/*
 * kernels - the frame of ./dev bench kernels: competitors over the same octets, their CPU times, a
 * line for each figure.
 *
 * A folder of work per kernel stands in kernels_<name>.c; bench_kernels.c has their table.
 */
#pragma once

#include "base/bytes.h"

enum { KERNELS_TURNS = 11 };

struct kernels_racer {
	const char *name;
	void (*run)(void *arg); /* some 0.1 ms of work or more */
	void *arg;
	unsigned times; /* runs a turn; 0: found out */
	double took[KERNELS_TURNS]; /* CPU seconds of one run, by turn */
	double seconds; /* median of them */
};

/* The competitors alternate within each turn. */
void kernels_race(struct kernels_racer *r, unsigned n);

/* How many times the time of fast slow takes: the median of the turns. */
double kernels_ratio(const struct kernels_racer *slow, const struct kernels_racer *fast);

/* One line that ends in RATIO, bar and ok or short. */
void kernels_figure(const char *what, double ratio, double bar, const char *extra);
/* The same where less is better. */
void kernels_figure_most(const char *what, double ratio, double bar, const char *extra);

/* Ends the program: a figure over wrong results says nothing. */
void kernels_must(bool good, const char *what);

/* CPU seconds of this thread. */
double kernels_clock(void);

/* n octets of memory and their end: aligned to a page, gone with the program. */
uint8_t *kernels_memory(size_t n);

void kernels_base64(void);
void kernels_canon(void);
void kernels_ed25519(void);
void kernels_rsa(void);
void kernels_lanes(void);
void kernels_sha256(void);
