/*
 * publish - the snapshot of settings in force: swapped by control, read by workers without a lock.
 *
 * Workers call publish_config once a turn. A snapshot that was replaced is freed when every worker
 * has passed a turn since and no message begun under it can still be in verification.
 */
#pragma once

#include "base/config.h"

struct publish;

/* Takes a copy of cfg. readers: threads that will read, numbered from 0. NULL when out of memory.
 */
struct publish *publish_new(const struct config *cfg, unsigned readers);
/* No reader may be joined. */
void publish_free(struct publish *p);

void publish_join(struct publish *p, unsigned reader);
void publish_leave(struct publish *p, unsigned reader);

/* By a reader: nothing is held from before; borrowed until its next call, and see above. */
const struct config *publish_config(struct publish *p, unsigned reader);

/* By control: the snapshot in force. */
const struct config *publish_current(const struct publish *p);
/* By control: a copy of cfg is in force from now on. 0 or -ENOMEM. */
int publish_swap(struct publish *p, const struct config *cfg, uint64_t now_ns);
/* By control, now and then: frees what can be freed. Returns how many old ones are still kept. */
unsigned publish_clean(struct publish *p, uint64_t now_ns);
