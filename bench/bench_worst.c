/*
 * bench_worst - what the worst mail costs: each row of tests/hostile.h through an engine with every
 * check on and a dictionary of 10,000 protected names.
 *
 * Prints for each: CPU microseconds a message (median; the names not in the cache) with the answers
 * all at once and one at a time, that over the usual message of the first row, the questions, the
 * memory that became resident in a fresh engine, and the results; then the worst of each.
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

static struct cost measure(struct hostile *h, struct hostile_site *site, struct stats *stats)
{
	struct cost c = { .asked = 0 };
	long before = resident_kib();
	struct verify_engine *e = verify_engine_new(hostile_site_config(site), 1, stats);
	if (!e)
		exit(2);
	before = resident_kib();
	verify_end(e, hostile_judge(h, e, 1, HOSTILE_AT_ONCE, &c.asked));
	c.kib = resident_kib() - before;
	uint64_t clock_s = 1000;
	for (unsigned order = 0; order < 2; order++) {
		uint64_t ns[REPEATS];
		for (unsigned i = 0; i < REPEATS; i++, clock_s += 1000000) {
			unsigned asked = 0;
			uint64_t start = cpu_ns();
			struct verify *v =
				hostile_judge(h, e, clock_s, (enum hostile_order)order, &asked);
			verify_end(e, v);
			ns[i] = cpu_ns() - start;
			c.asked = asked > c.asked ? asked : c.asked;
		}
		qsort(ns, REPEATS, sizeof ns[0], ascending);
		c.us[order] = (ns[REPEATS / 2] + 500) / 1000;
	}
	unsigned asked = 0;
	struct verify *v = hostile_judge(h, e, clock_s, HOSTILE_AT_ONCE, &asked);
	printf("%-32s %7lu %7lu  %4u %6ld ", h->name, c.us[0], c.us[1], c.asked, c.kib);
	words(h->m.verdict);
	verify_end(e, v);
	verify_engine_free(e);
	return c;
}

int main(int argc, char **argv)
{
	struct hostile_site *site = hostile_site_new(NAMES);
	struct stats *stats = aligned_alloc(64, (sizeof *stats + 63) / 64 * 64);
	struct cost usual = { .asked = 0 }, worst = usual;
	memset(stats, 0, sizeof *stats);
	printf("%-32s %7s %7s  %4s %6s\n", "message", "us", "1by1 us", "asks", "KiB");
	struct hostile *h;
	for (unsigned i = 0; (h = hostile_new(i, 1)); i++) {
		if (argc < 2 || strstr(h->name, argv[1])) {
			struct cost c = measure(h, site, stats);
			usual = i ? usual : c;
			for (unsigned k = 0; k < 2; k++)
				worst.us[k] = c.us[k] > worst.us[k] ? c.us[k] : worst.us[k];
			worst.asked = c.asked > worst.asked ? c.asked : worst.asked;
			worst.kib = c.kib > worst.kib ? c.kib : worst.kib;
		}
		hostile_free(h);
	}
	printf("usual: us %lu one_by_one_us %lu questions %u kib %ld\n", usual.us[0], usual.us[1],
	       usual.asked, usual.kib);
	printf("worst: us %lu one_by_one_us %lu questions %u kib %ld\n", worst.us[0], worst.us[1],
	       worst.asked, worst.kib);
	free(stats);
	hostile_site_free(site);
	return 0;
}
