/*
 * eal - DPDK's environment: the arguments it is started with, its start, its log, its end.
 *
 * What the user wrote is taken as it is; what he left out is chosen so that it starts on any
 * machine: no PCI device unless one is named, hugepages when there are free ones, else plain
 * memory, errors only in the log.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { EAL_ARGS_MAX = 128, EAL_MEMORY_MB = 512 };

struct eal_args { /* all-zero is empty */
	char *arg[EAL_ARGS_MAX + 1]; /* malloc memory, NULL behind the last */
	int n;
	bool cores; /* the user chose the cores */
	bool verbose; /* the user chose a log level: the log goes to stderr from the start */
};

/* Adds a copy. 0, -E2BIG or -ENOMEM. */
int eal_args_add(struct eal_args *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* True when the option is there, in any of the ways getopt takes it. letter 0: there is no short
 * form. */
bool eal_args_has(const struct eal_args *a, const char *name, char letter);

/*
 * Adds what is missing. free_mb: hugepage memory that is free; core: the processor of the calling
 * thread when the user chose none; prefix: --file-prefix. 0 or as eal_args_add.
 */
int eal_args_complete(struct eal_args *a, size_t free_mb, unsigned core, const char *prefix);
void eal_args_free(struct eal_args *a);

/* Hugepage memory that is free, in MiB. */
size_t eal_hugepages_free_mb(void);

/* Starts EAL. Takes nothing: args must live as long as EAL. 0 or -errno, why has one line with the
 * cure. */
int eal_start(struct eal_args *a, char *why, size_t why_len);
void eal_stop(void);

/* The first line that DPDK logged since the start or eal_log_forget; empty: none. Borrowed. */
const char *eal_log_first(void);
void eal_log_forget(void);
