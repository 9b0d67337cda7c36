/*
 * ctl_ask - one request to the control socket of a running engine, one reply.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

enum { CTL_DONE = 0, CTL_REFUSED = 1, CTL_FAILED = 2 };

/*
 * Takes request. *reply is the whole reply, to be given back with json_decref, and has a boolean
 * "ok"; NULL when CTL_FAILED is returned: no engine, or no sensible answer in timeout_ms, with one
 * line on err that has the cure.
 */
int ctl_ask(const char *path, json_t *request, unsigned timeout_ms, json_t **reply, FILE *err);
