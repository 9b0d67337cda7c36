/*
 * upstream - a libunbound context made from one setting: "system" or "IP[@PORT][,...]".
 *
 * Questions are forwarded to the servers named; at most UPSTREAM_SERVERS_MAX. Built-in local zones
 * are off, so that every name is asked for. Without cfg->dns_trust_anchor nothing is told to be
 * secure; with it what does not validate fails.
 */
#pragma once

#include "base/config.h"

struct ub_ctx;

enum { UPSTREAM_SERVERS_MAX = 16 };

/* 0 or -errno; why gets one line with the cure. Gives *out to ub_ctx_delete. */
int upstream_new(struct ub_ctx **out, const struct config *cfg, char *why, size_t why_len);

struct ub_result;

/* The server named others to ask (NS without SOA and without data, RFC 2308 section 2.2): it is no
 * resolver for that name, and its answer says nothing. */
bool upstream_referral(const struct ub_result *res);
