/*
 * stats_table - the stats object of stats_out.h as a table for people.
 *
 * One block a counter group; a column for each worker that counted in it when there are several,
 * else the counter's meaning. Members of another shape than stats_out writes are left out.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* all: also rows that are zero everywhere. */
void stats_table_print(FILE *out, const json_t *stats, bool all);

/* "2 d 3 h 4 min 5 s", without leading zero parts. */
void stats_table_duration(uint64_t seconds, char *out, size_t len);
