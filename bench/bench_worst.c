/*
 * bench_worst - what the worst mail costs: each row of tests/hostile.h through an engine with every
 * check on and a dictionary of 10,000 protected names.
 *
 * Prints for each: CPU microseconds a message (median; the names not in the cache) with the answers
 * all at once and one at a time, how many times as much that is as for half the fields or octets, the
 * questions, the memory that became resident in a fresh engine, and the results; then the worst of
 * each beside the usual message of the first row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/config.h"
#include "tests/hostile.h"

enum { REPEATS = 7, NAMES = 10000 };

struct cost {
	uint64_t us[2];
	unsigned asked;
	long kib;
};

static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static long resident_kib(void)
{
	long all, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f && fscanf(f, "%ld %ld", &all, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void words(const struct verdict *v)
{
	printf("  spf %s/%s/%s dkim", auth_result_name(v->spf[SPF_HELO].result),
	       auth_result_name(v->spf[SPF_MAILFROM].result),
	       auth_result_name(v->spf[SPF_PRA].result));
	for (unsigned i = 0; i < v->n_dkim && i < 1; i++)
		printf(" %s(%s)", auth_result_name(v->dkim[i].result),
		       v->dkim[i].reason ? v->dkim[i].reason : "");
	printf("x%u arc %s(%s) dmarc %s(%s) %s %s\n", v->n_dkim, auth_result_name(v->arc.result),
	       v->arc.reason ? v->arc.reason : "", auth_result_name(v->dmarc.result),
	       v->dmarc.reason ? v->dmarc.reason : "", v->result, v->reason ? v->reason : "");
}

/* Median CPU time of one message; nothing is in the cache. */
static uint64_t median_ns(struct hostile *h, struct verify_engine *e, enum hostile_order order,
			  unsigned *asked)
{
	static uint64_t clock_s = 1000;
	uint64_t ns[REPEATS];
	for (unsigned i = 0; i < REPEATS; i++, clock_s += 1000000) {
		*asked = 0;
		uint64_t start = cpu_ns();
		verify_end(e, hostile_judge(h, e, clock_s, order, asked));
		ns[i] = cpu_ns() - start;
	}
	qsort(ns, REPEATS, sizeof ns[0], ascending);
	return ns[REPEATS / 2];
}

static struct cost measure(unsigned row, struct hostile_site *site, struct stats *stats)
{
	struct cost c = { .asked = 0 };
	struct hostile *h = hostile_new(row, 1), *half = hostile_new(row, 2);
	struct verify_engine *e = verify_engine_new(hostile_site_config(site), 1, stats);
	if (!e)
		exit(2);
	unsigned asked = 0;
	long before = resident_kib();
	struct verify *v = hostile_judge(h, e, 1, HOSTILE_AT_ONCE, &asked);
	c.kib = resident_kib() - before;
	verify_end(e, v);
	uint64_t ns[2];
	for (unsigned order = 0; order < 2; order++) {
		ns[order] = median_ns(h, e, (enum hostile_order)order, &asked);
		c.us[order] = (ns[order] + 500) / 1000;
		c.asked = asked > c.asked ? asked : c.asked;
	}
	double growth = (double)ns[0] / (double)median_ns(half, e, HOSTILE_AT_ONCE, &asked);
	v = hostile_judge(h, e, 1, HOSTILE_AT_ONCE, &asked);
	printf("%-32s %7lu %7lu %5.1f %4u %6ld ", h->name, c.us[0], c.us[1], growth, c.asked,
	       c.kib);
	words(h->m.verdict);
	verify_end(e, v);
	verify_engine_free(e);
	hostile_free(half);
	hostile_free(h);
	return c;
}

int main(int argc, char **argv)
{
	struct hostile_site *site = hostile_site_new(NAMES);
	struct stats *stats = aligned_alloc(64, (sizeof *stats + 63) / 64 * 64);
	struct cost usual = { .asked = 0 }, worst = usual;
	memset(stats, 0, sizeof *stats);
	printf("%-32s %7s %7s %5s %4s %6s\n", "message", "us", "1by1 us", "half", "asks", "KiB");
	struct hostile *h;
	for (unsigned i = 0; (h = hostile_new(i, 1)); i++) {
		bool wanted = argc < 2 || strstr(h->name, argv[1]);
		hostile_free(h);
		if (!wanted)
			continue;
		struct cost c = measure(i, site, stats);
		usual = i ? usual : c;
		for (unsigned k = 0; k < 2; k++)
			worst.us[k] = c.us[k] > worst.us[k] ? c.us[k] : worst.us[k];
		worst.asked = c.asked > worst.asked ? c.asked : worst.asked;
		worst.kib = c.kib > worst.kib ? c.kib : worst.kib;
	}
	printf("usual: us %lu one_by_one_us %lu questions %u kib %ld\n", usual.us[0], usual.us[1],
	       usual.asked, usual.kib);
	printf("worst: us %lu one_by_one_us %lu questions %u kib %ld\n", worst.us[0], worst.us[1],
	       worst.asked, worst.kib);
	free(stats);
	hostile_site_free(site);
	return 0;
}
