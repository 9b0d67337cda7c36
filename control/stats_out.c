#include "control/stats_out.h"

#include <stdio.h>

void stats_out_sum(const struct stats_view *v, uint64_t sum[STAT_N])
{
	memset(sum, 0, STAT_N * sizeof *sum);
	for (uint32_t i = 0; i < v->n_worker; i++)
		stats_sum(sum, v->worker[i].stats);
}

/* A name without a dot is its own group, with the counter "n". */
static struct bytes stats_out_group(enum stats_row i)
{
	struct bytes name = bytes_str(stats_name(i));
	const uint8_t *dot = memchr(name.p, '.', name.n);
	return bytes_head(name, dot ? (size_t)(dot - name.p) : name.n);
}

/* Rows of one group need not stand together, so each group gathers its own. */
void stats_out_counters(struct json *j, const uint64_t n[STAT_N])
{
	bool done[STAT_N] = { false };
	json_object_begin(j);
	for (int i = 0; i < STAT_N; i++) {
		if (done[i])
			continue;
		struct bytes group = stats_out_group((enum stats_row)i);
		json_key_bytes(j, group);
		json_object_begin(j);
		for (int k = i; k < STAT_N; k++) {
			if (done[k] || !bytes_equal(group, stats_out_group((enum stats_row)k)))
				continue;
			struct bytes name =
				bytes_from(bytes_str(stats_name((enum stats_row)k)), group.n + 1);
			json_key_bytes(j, name.n ? name : bytes_str("n"));
			json_uint(j, n[k]);
			done[k] = true;
		}
		json_object_end(j);
	}
	json_object_end(j);
}

static void stats_out_worker(struct json *j, const struct stats_worker *w)
{
	uint64_t n[STAT_N] = { 0 };
	char name[64];
	stats_sum(n, w->stats);
	snprintf(name, sizeof name, "%s-%u", w->kind, w->id);
	json_object_begin(j);
	json_key(j, "name");
	json_str(j, name);
	json_key(j, "kind");
	json_str(j, w->kind);
	json_key(j, "id");
	json_uint(j, w->id);
	json_key(j, "counters");
	stats_out_counters(j, n);
	json_object_end(j);
}

static void stats_out_gauge(struct json *j, const struct stats_gauge *g)
{
	json_object_begin(j);
	json_key(j, "name");
	json_str(j, g->name);
	json_key(j, "of");
	json_str(j, g->of[0] ? g->of : NULL);
	json_key(j, "value");
	json_uint(j, g->value(g->arg));
	json_key(j, "max");
	if (g->max)
		json_uint(j, g->max);
	else
		json_nil(j);
	json_object_end(j);
}

uint64_t stats_out_uptime(const struct stats_view *v, uint64_t now_ns)
{
	return now_ns > v->started_ns ? (now_ns - v->started_ns) / 1000000000 : 0;
}

void stats_out_json(struct json *j, const struct stats_view *v, uint64_t now_ns)
{
	uint64_t sum[STAT_N];
	stats_out_sum(v, sum);
	json_object_begin(j);
	json_key(j, "uptime_s");
	json_uint(j, stats_out_uptime(v, now_ns));
	json_key(j, "totals");
	stats_out_counters(j, sum);
	json_key(j, "workers");
	json_array_begin(j);
	for (uint32_t i = 0; i < v->n_worker; i++)
		stats_out_worker(j, &v->worker[i]);
	json_array_end(j);
	json_key(j, "gauges");
	json_array_begin(j);
	for (uint32_t i = 0; i < v->n_gauge; i++)
		stats_out_gauge(j, &v->gauge[i]);
	json_array_end(j);
	json_object_end(j);
}
