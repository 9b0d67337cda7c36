#include "control/stats_table.h"

#include <string.h>

#include "base/stats.h"

enum { TABLE_NAME = 24, TABLE_NUMBER = 15, TABLE_WORKERS_MAX = 64 };

void stats_table_duration(uint64_t seconds, char *out, size_t len)
{
	uint64_t d = seconds / 86400, h = seconds / 3600 % 24, m = seconds / 60 % 60;
	unsigned long long part[] = { d, h, m, seconds % 60 };
	static const char *const unit[] = { "d", "h", "min", "s" };
	size_t at = 0;
	for (unsigned i = 0; i < 4 && at < len; i++)
		if (part[i] || at || i == 3)
			at += (size_t)snprintf(out + at, len - at, "%s%llu %s", at ? " " : "",
					       part[i], unit[i]);
}

/* Right-aligned, with commas between thousands. */
static void table_number(FILE *out, const json_t *v)
{
	char digits[32], text[48];
	size_t at = 0;
	if (!json_is_integer(v)) {
		fprintf(out, " %*s", TABLE_NUMBER - 1, "-");
		return;
	}
	/* counters over 2^63 do not fit what is read: they show as negative */
	int n = snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(v));
	for (int i = 0; i < n; i++) {
		text[at++] = digits[i];
		if (digits[i] != '-' && (n - i) % 3 == 1 && i + 1 < n)
			text[at++] = ',';
	}
	text[at] = 0;
	fprintf(out, " %*s", TABLE_NUMBER - 1, text);
}

static const char *table_help(const char *group, const char *name)
{
	char whole[128];
	snprintf(whole, sizeof whole, "%s.%s", group, name);
	for (int i = 0; i < STAT_N; i++)
		if (strcmp(stats_name((enum stats_row)i), whole) == 0)
			return stats_help((enum stats_row)i);
	return "";
}

static json_t *table_counters(const json_t *worker, const char *group)
{
	return json_object_get(json_object_get(worker, "counters"), group);
}

static bool table_any(json_t *counters)
{
	for (void *at = json_object_iter(counters); at; at = json_object_iter_next(counters, at))
		if (json_integer_value(json_object_iter_value(at)))
			return true;
	return false;
}

/* Workers that counted something in this group. */
static unsigned table_columns(const json_t *workers, const char *group,
			      const json_t *column[TABLE_WORKERS_MAX])
{
	unsigned n = 0;
	for (size_t i = 0; i < json_array_size(workers) && n < TABLE_WORKERS_MAX; i++) {
		const json_t *worker = json_array_get(workers, i);
		if (table_any(table_counters(worker, group)))
			column[n++] = worker;
	}
	return n;
}

/* Returns how many rows were left out. */
static unsigned table_group(FILE *out, const char *group, json_t *totals, const json_t *workers,
			    bool all)
{
	const json_t *column[TABLE_WORKERS_MAX];
	if (!all && !table_any(totals))
		return (unsigned)json_object_size(totals);
	unsigned n = table_columns(workers, group, column), hidden = 0;
	fprintf(out, "\n%-*s %*s", TABLE_NAME, group, TABLE_NUMBER - 1, "total");
	for (unsigned i = 0; n > 1 && i < n; i++) {
		const char *of = json_string_value(json_object_get(column[i], "name"));
		fprintf(out, " %*s", TABLE_NUMBER - 1, of ? of : "?");
	}
	fputc('\n', out);
	for (void *at = json_object_iter(totals); at; at = json_object_iter_next(totals, at)) {
		const char *name = json_object_iter_key(at);
		const json_t *v = json_object_iter_value(at);
		if (!all && !json_integer_value(v)) {
			hidden++;
			continue;
		}
		fprintf(out, "  %-*s", TABLE_NAME - 2, name);
		table_number(out, v);
		for (unsigned i = 0; n > 1 && i < n; i++)
			table_number(out, json_object_get(table_counters(column[i], group), name));
		const char *help = n > 1 ? "" : table_help(group, name);
		fprintf(out, "%s%s\n", help[0] ? "  " : "", help);
	}
	return hidden;
}

static void table_gauges(FILE *out, const json_t *gauges)
{
	if (json_array_size(gauges) == 0)
		return;
	fprintf(out, "\n%-*s %*s %*s\n", TABLE_NAME, "now", TABLE_NUMBER - 1, "value",
		TABLE_NUMBER - 1, "max");
	for (size_t i = 0; i < json_array_size(gauges); i++) {
		const json_t *g = json_array_get(gauges, i);
		const char *name = json_string_value(json_object_get(g, "name"));
		const char *of = json_string_value(json_object_get(g, "of"));
		fprintf(out, "  %-*s", TABLE_NAME - 2, name ? name : "?");
		table_number(out, json_object_get(g, "value"));
		table_number(out, json_object_get(g, "max"));
		fprintf(out, "%s%s\n", of ? "  " : "", of ? of : "");
	}
}

void stats_table_print(FILE *out, const json_t *stats, bool all)
{
	char up[64];
	unsigned hidden = 0;
	json_t *totals = json_object_get(stats, "totals");
	const json_t *workers = json_object_get(stats, "workers");
	json_int_t seconds = json_integer_value(json_object_get(stats, "uptime_s"));
	stats_table_duration(seconds > 0 ? (uint64_t)seconds : 0, up, sizeof up);
	fprintf(out, "running for %s\n", up);
	for (void *at = json_object_iter(totals); at; at = json_object_iter_next(totals, at))
		hidden += table_group(out, json_object_iter_key(at), json_object_iter_value(at),
				      workers, all);
	table_gauges(out, json_object_get(stats, "gauges"));
	if (hidden)
		fprintf(out, "\n%u counters are zero; --all shows them\n", hidden);
}
