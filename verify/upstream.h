/*
 * upstream - a libunbound context made from one setting: "system" or "IP[@PORT][,...]".
 *
 * Questions are forwarded to the servers named; at most UPSTREAM_SERVERS_MAX. Built-in local zones
 * are off, so that every name is asked for; no trust anchor is set, so that nothing is told to be
 * secure.
 */
#pragma once

#include "base/config.h"

struct ub_ctx;

enum { UPSTREAM_SERVERS_MAX = 16 };

/* 0 or -errno; why gets one line with the cure. Gives *out to ub_ctx_delete. */
int upstream_new(struct ub_ctx **out, const struct config *cfg, char *why, size_t why_len);
