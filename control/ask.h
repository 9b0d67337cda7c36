/*
 * ask - what commands need of the DNS, waited for: drives a check or an engine until it has its
 * answers.
 *
 * One thread. A question goes to the resolver as a worker's would; until the time given is over the
 * answers are waited for, then whoever asked is told that none will come.
 */
#pragma once

#include "base/config.h"
#include "verify/dns/known.h"
#include "verify/verify.h"

struct ask;

/* Borrows cfg for its life. 0 or -errno: why has one line with the cure. */
int ask_new(struct ask **out, const struct config *cfg, char *why, size_t why_len);
void ask_free(struct ask *a);

/*
 * Asks what is open in k and waits until something is answered, so that the check may run again;
 * at timeout_ms after ask_new nobody waits any more, and everything open is a timeout. The answers
 * live as long as a; one k at a time.
 */
void ask_known(struct ask *a, struct known *k, uint32_t timeout_ms);

/* One message through all checks; verify_end is the caller's. NULL: no slot was free. */
struct verify *ask_verify(struct ask *a, struct verify_engine *e, struct message *m);

/* The time of the machine, for TTLs. */
uint64_t ask_clock_s(void);
