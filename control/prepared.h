/*
 * prepared - what verification needs of a config ready to use: the public suffix list, loaded
 * beside the settings and again when its file was replaced, and the protected names.
 */
#pragma once

#include <sys/types.h>
#include <time.h>

#include "base/config.h"

/*
 * Fills cfg->suffixes and cfg->forged for prepared_free. There is no list where only the tree is
 * walked (RFC 9989), or no file is named. 0, or -1 and why has one line.
 */
int prepared_load(struct config *cfg, char *why, size_t why_len);
void prepared_free(struct config *cfg);

/* The file as it was seen last; all zero: never. */
struct prepared_file {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec written;
};

/* Whether it is another one than last time, or was written since. False where there is none. */
bool prepared_changed(const struct config *cfg, struct prepared_file *seen);
