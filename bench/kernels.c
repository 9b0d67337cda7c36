#include "bench/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Seconds of a turn, the same for all that race: in a short turn behind a long one a racer would
 * mostly be timed while it fills its caches again. */
static const double turn_s_min = 0.004, turn_s_max = 0.1;

double kernels_clock(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double time_of(const struct kernels_racer *r, unsigned times)
{
	double begin = kernels_clock();
	for (unsigned i = 0; i < times; i++)
		r->run(r->arg);
	return (kernels_clock() - begin) / times;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(const double *of)
{
	double v[KERNELS_TURNS];
	memcpy(v, of, sizeof v);
	qsort(v, KERNELS_TURNS, sizeof *v, by_size);
	return v[KERNELS_TURNS / 2];
}

void kernels_race(struct kernels_racer *r, unsigned n)
{
	double turn_s = turn_s_min;
	for (unsigned i = 0; i < n; i++) {
		time_of(&r[i], 1); /* caches and pages */
		r[i].seconds = time_of(&r[i], 1);
		if (r[i].seconds > turn_s)
			turn_s = r[i].seconds < turn_s_max ? r[i].seconds : turn_s_max;
	}
	for (unsigned i = 0; i < n; i++)
		if (!r[i].times)
			r[i].times = (unsigned)(turn_s / (r[i].seconds + 1e-9)) + 1;
	for (unsigned turn = 0; turn < KERNELS_TURNS; turn++)
		for (unsigned i = 0; i < n; i++)
			r[i].took[turn] = time_of(&r[i], r[i].times);
	for (unsigned i = 0; i < n; i++)
		r[i].seconds = median(r[i].took);
}

double kernels_ratio(const struct kernels_racer *slow, const struct kernels_racer *fast)
{
	double v[KERNELS_TURNS];
	for (unsigned turn = 0; turn < KERNELS_TURNS; turn++)
		v[turn] = slow->took[turn] / fast->took[turn];
	return median(v);
}

static void line(const char *what, double ratio, double bar, const char *extra, bool ok)
{
	printf("%-58s %s RATIO %.2f bar %g %s\n", what, extra, ratio, bar, ok ? "ok" : "short");
	fflush(stdout);
}

void kernels_figure(const char *what, double ratio, double bar, const char *extra)
{
	line(what, ratio, bar, extra, ratio >= bar);
}

void kernels_figure_most(const char *what, double ratio, double bar, const char *extra)
{
	line(what, ratio, bar, extra, ratio <= bar);
}

void kernels_must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_kernels: wrong: %s\n", what);
	exit(1);
}

uint8_t *kernels_memory(size_t n)
{
	void *p = aligned_alloc(4096, (n + 4095) / 4096 * 4096);
	kernels_must(p != NULL, "no memory");
	memset(p, 0, n);
	return p;
}
