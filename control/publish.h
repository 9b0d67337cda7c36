/*
 * publish - the snapshot of settings in force: swapped by control, read by workers without a lock.
 *
 * Workers call publish_config once a turn. A snapshot that was replaced is freed, with all that
 * hangs on it, when every worker has passed a turn since and no message is left that was begun
 * under it. Whoever begins a message adds one to *cfg->users in the turn the snapshot is from, and
 * takes it back when nothing of the message points into the snapshot any more.
 */
#pragma once

#include "base/config.h"

struct publish;

/* Frees what hangs on a snapshot: profiles, lists. */
typedef void publish_drop(struct config *cfg);

/* Takes a copy of cfg with all that hangs on it. readers: threads that will read, numbered from 0.
 * drop: NULL when nothing is to be freed. NULL when out of memory, and then nothing is taken. */
struct publish *publish_new(const struct config *cfg, unsigned readers, publish_drop *drop);
/* No reader may be joined, and no message left. */
void publish_free(struct publish *p);

void publish_join(struct publish *p, unsigned reader);
void publish_leave(struct publish *p, unsigned reader);

/* By a reader: nothing is held from before; borrowed until its next call, and see above. */
const struct config *publish_config(struct publish *p, unsigned reader);

/* By control: the snapshot in force. */
const struct config *publish_current(const struct publish *p);
/* By control: a copy of cfg is in force from now on; takes what hangs on it. 0, or -ENOMEM and
 * nothing is taken. */
int publish_swap(struct publish *p, const struct config *cfg);
/* By control, now and then: frees what can be freed. Returns how many old ones are still
 * held by somebody. */
unsigned publish_clean(struct publish *p);
