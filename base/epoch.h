/*
 * epoch - when an object that readers share may be freed (rte_rcu_qsbr on plain memory, no EAL).
 *
 * A reader holds what it loaded until its next epoch_quiescent. Control swaps the pointer, then
 * starts a grace period; when that has passed no reader holds the old object. At most
 * EPOCH_READERS_MAX readers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { EPOCH_READERS_MAX = 1024 };

struct epoch;

/* Readers are numbered from 0. NULL when n is 0 or over EPOCH_READERS_MAX, or out of memory. */
struct epoch *epoch_new(uint32_t n);
/* No reader may be joined. */
void epoch_free(struct epoch *e);

/* Before the reader's first load of a shared pointer. */
void epoch_join(struct epoch *e, uint32_t reader);
/* The reader holds nothing and is no longer waited for: at its end, or before it sleeps long. */
void epoch_leave(struct epoch *e, uint32_t reader);
/* The reader holds nothing at this moment; once per turn of its loop. */
void epoch_quiescent(struct epoch *e, uint32_t reader);

/* After the swap: begins a grace period and returns its name. */
uint64_t epoch_start(struct epoch *e);
/* True when every reader joined at epoch_start has been quiescent or left since. */
bool epoch_passed(struct epoch *e, uint64_t grace);
/* Sleeps until the period has passed, at most timeout_ms; false when it has not. Not on workers. */
bool epoch_wait(struct epoch *e, uint64_t grace, uint32_t timeout_ms);
