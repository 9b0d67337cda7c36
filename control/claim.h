/*
 * claim - one process listens on a unix socket's path: made with mode 0600, taken over from the
 * dead, refused to a second process that is alive.
 *
 * Two that start at the same moment are kept apart by a lock on the directory, held while the path
 * is looked at.
 * Not handled: abstract sockets; a directory on a file system without flock.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { CLAIM_PATH_MAX = 107 }; /* octets, without the NUL */

struct claim {
	char path[CLAIM_PATH_MAX + 1];
	uint64_t dev, ino; /* what was bound; 0: nothing */
};

/*
 * Makes the path's directory when only that is missing, and listens. Gives a descriptor, not
 * blocking and closed on exec; -1: why has one line.
 */
int claim_listen(struct claim *c, const char *path, char *why, size_t why_len);

/* Removes the path if it still is the socket that was bound. Call it before the descriptor is
 * closed. */
void claim_drop(struct claim *c);
